/* crl.c: certificate revocation lists, loaded and consulted. Input: a source of lists, PEM or DER; the first
 * byte says whose revocation is looked up. Whatever else the source says, only a list by the root that the root
 * has signed may end with a verdict. */
#include "crl_identity.h"
#include "fuzz.h"

#include <string.h>

#include "ends.h"
#include "x509/x509.h"

static hf_credential *leaf;

static void load(void)
{
    hf_error err = {0};
    if (leaf)
        return;
    leaf = hf_credential_load_memory(crl_leaf_pem, strlen(crl_leaf_pem), NULL, 0, NULL, NULL,
                                     &err);
    REQUIRE(leaf != NULL);
}

static size_t header_size(const uint8_t *der)
{
    return 2 + (der[1] & 0x80 ? der[1] & 0x7fu : 0);
}

static size_t content_size(const uint8_t *der)
{
    size_t n = 0;
    for (size_t i = 2; i < header_size(der); i++)
        n = n << 8 | der[i];
    return der[1] & 0x80 ? n : der[1];
}

/* The part of a list that its signature is about stands in the source. */
static bool has_list(const uint8_t *p, size_t len, const uint8_t *list)
{
    const uint8_t *tbs = list + header_size(list);
    return memmem(p, len, tbs, header_size(tbs) + content_size(tbs)) != NULL;
}

/* The lists of the seeds are the only ones that the root has signed. */
static bool is_signed(const uint8_t *p, size_t len)
{
    return memmem(p, len, "-----BEGIN", 10) || has_list(p, len, empty_crl) ||
           has_list(p, len, revoking_crl);
}

static void judge(hf_trust *trust, hf_crl_check mode, const uint8_t *lists, size_t len)
{
    hf_error err = {0};
    struct verify_rules *rules = rules_copy(NULL);
    REQUIRE(rules && rules_set_crl_check(rules, mode, &err));
    rules_seal(rules);
    struct verify_options o = {.name = "server.example",
                               .server = true,
                               .depth = 10,
                               .now = ENDS_NOW,
                               .level = 2,
                               .rules = rules};
    bool good = chain_verify(leaf->chain, trust, &o, &err);
    REQUIRE(good == (err.code == HF_OK));
    if (good || err.code == HF_E_REVOKED)
        REQUIRE(is_signed(lists, len));
    if (good)
        REQUIRE(chain_verify(leaf->chain, trust, &o, &err));
    else
        explain_all(NULL, &err);
    rules_free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    hf_crl_check mode = feed_u8(&f) & 1 ? HF_CRL_CHAIN : HF_CRL_LEAF;
    hf_error err = {0};
    hf_trust *trust = hf_trust_new();
    load();
    REQUIRE(trust && hf_trust_add_memory(trust, crl_root_pem, strlen(crl_root_pem), &err));
    bool read = hf_trust_add_crls_memory(trust, f.p, f.left, &err);
    REQUIRE(read == (err.code == HF_OK));
    if (!read)
        explain_all(NULL, &err);
    /* Without a list the verdict is that there is none. */
    REQUIRE(trust_freeze(trust, &err));
    judge(trust, mode, f.p, read ? f.left : 0);
    hf_trust_free(trust);
    return 0;
}

/* credential.c: certificates and keys from files: PEM or DER, and trust anchors. Input: 16-bit length
 * and the chain, then the key (nothing: it is looked for in the chain). */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>

#include "ends.h"

static int passphrase(char *out, size_t size, void *arg)
{
    (void)arg;
    REQUIRE(size >= 4);
    memcpy(out, "fuzz", 4);
    return 4;
}

static void offer(hf_credential *cred)
{
    hf_config *config = hf_config_new(HF_SERVER);
    hf_error err = {0};
    REQUIRE(config != NULL &&
            (hf_credential_certificate(cred, 0) || hf_credential_raw_public_key(cred, NULL)));
    (void)hf_config_add_credential(config, cred);
    (void)hf_config_freeze(config, &err);
    hf_config_free(config);
}

static void trust_them(struct slice chain)
{
    hf_trust *trust = hf_trust_new();
    hf_error err = {0};
    REQUIRE(trust != NULL);
    bool ok = hf_trust_add_memory(trust, chain.p, chain.len, &err);
    REQUIRE(ok == (err.code == HF_OK));
    err.code = HF_OK;
    ok = hf_trust_add_keys_memory(trust, chain.p, chain.len, &err);
    REQUIRE(ok == (err.code == HF_OK) && ok == trust_has_keys(trust));
    hf_trust_free(trust);
}

/* A private key alone, or a public one, is a raw public key (RFC 7250). */
static void show_key(struct slice key)
{
    hf_error err = {0};
    hf_credential *cred =
        hf_credential_load_raw_key_memory(key.p, key.len, passphrase, NULL, &err);
    REQUIRE((cred != NULL) == (err.code == HF_OK));
    if (cred)
        offer(cred);
    hf_credential_free(cred);
}

/* Deriving a key from a passphrase takes as long as the file says: that would be all we do. */
static bool is_slow(struct slice s)
{
    return memmem(s.p, s.len, "ENCRYPTED", 9) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    struct slice chain = feed_vec16(&f), key = {f.p, f.left};
    hf_error err = {0};
    if (size > 20000 || is_slow(chain) || is_slow(key))
        return 0;
    hf_credential *cred = hf_credential_load_memory(chain.p, chain.len, key.len ? key.p : NULL,
                                                    key.len, passphrase, NULL, &err);
    REQUIRE((cred != NULL) == (err.code == HF_OK));
    if (cred)
        offer(cred);
    else
        explain_all(NULL, &err);
    hf_credential_free(cred);
    trust_them(chain);
    show_key(chain);
    show_key(key);
    return 0;
}

/* Revocation: lists (RFC 5280 6.3) and stapled responses (RFC 6960). */
#include <openssl/crypto.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

#include "check.h"
#include "pki.h"
#include "x509/intern.h"
#include "x509/rules.h"
#include "x509/verdict.h"
#include "x509/x509.h"

static struct pki *pki;
static hf_error last;

static struct chain *chain_of(const struct pki_cert *leaf, const struct pki_cert *mid)
{
    hf_certificate *certs[2] = {hf_certificate_parse(leaf->der, leaf->der_len, NULL),
                                mid ? hf_certificate_parse(mid->der, mid->der_len, NULL)
                                    : NULL};
    struct chain *chain = chain_new(certs, mid ? 2 : 1);
    hf_certificate_free(certs[0]);
    hf_certificate_free(certs[1]);
    return chain;
}

static bool says(const char *text)
{
    bool found = strstr(last.detail, text) != NULL;
    if (!found)
        printf("    the detail is: %s\n", last.detail);
    return found;
}

static void add_crl(hf_trust *trust, const struct pki_crl_spec *spec)
{
    size_t len;
    uint8_t *der = pki_crl(spec, &len);
    hf_error err = {0};
    CHECK(hf_trust_add_crls_memory(trust, der, len, &err));
    CHECK_INT(err.code, HF_OK);
    free(der);
}

static hf_trust *trust_of(const struct pki_cert *root, const struct pki_crl_spec *a,
                          const struct pki_crl_spec *b)
{
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, root->der, root->der_len, NULL));
    if (a)
        add_crl(trust, a);
    if (b)
        add_crl(trust, b);
    return trust;
}

static struct verify_options options_of(const struct verify_rules *rules, int64_t now)
{
    return (struct verify_options){.name = "server.example",
                                   .server = true,
                                   .depth = 10,
                                   .now = now,
                                   .level = 2,
                                   .rules = rules};
}

static struct verify_rules *rules_of(hf_crl_check mode)
{
    struct verify_rules *rules = rules_copy(NULL);
    CHECK(rules_set_crl_check(rules, mode, NULL));
    rules_seal(rules);
    return rules;
}

/* judge_at verifies, twice, for what is remembered may change nothing, and returns the code. */
static hf_code judge_at(const struct chain *chain, hf_trust *trust, hf_crl_check mode,
                        int64_t now)
{
    struct verify_rules *rules = rules_of(mode);
    struct verify_options o = options_of(rules, now);
    hf_error again = {0};
    last = (hf_error){0};
    bool ok = chain_verify(chain, trust, &o, &last);
    CHECK(chain_verify(chain, trust, &o, &again) == ok);
    CHECK_INT(again.code, last.code);
    CHECK(ok == (last.code == HF_OK));
    rules_free(rules);
    return last.code;
}

/* judge does it for the PKI's chain with up to two lists. */
static hf_code judge(hf_crl_check mode, const struct pki_crl_spec *a,
                     const struct pki_crl_spec *b)
{
    struct chain *chain = chain_of(pki->leaf, pki->mid);
    hf_trust *trust = trust_of(pki->root, a, b);
    hf_code code = judge_at(chain, trust, mode, PKI_NOW);
    hf_trust_free(trust);
    chain_free(chain);
    return code;
}

#define BY_MID(...)                                                                            \
    &(struct pki_crl_spec)                                                                     \
    {                                                                                          \
        .issuer = pki->mid, __VA_ARGS__                                                        \
    }
#define BY_ROOT(...)                                                                           \
    &(struct pki_crl_spec)                                                                     \
    {                                                                                          \
        .issuer = pki->root, __VA_ARGS__                                                       \
    }

/* ---- lists */

static void test_good(void)
{
    ROW("Y53");
    CHECK_INT(judge(HF_CRL_LEAF, BY_MID(.bare = false), NULL), HF_OK);
    CHECK_INT(judge(HF_CRL_CHAIN, BY_MID(.bare = false), BY_ROOT(.bare = true)), HF_OK);
    CHECK_INT(judge(HF_CRL_NONE, NULL, NULL), HF_OK);
    /* Somebody else's certificate on the list. */
    struct pki_cert *other =
        pki_make(&(struct pki_spec){.subject = "Other", .names = "DNS:o.example"}, pki->mid);
    CHECK_INT(judge(HF_CRL_LEAF, BY_MID(.revoked = {other}), NULL), HF_OK);
    pki_free(other);
    /* A list without nextUpdate does not end. */
    CHECK_INT(judge(HF_CRL_LEAF, BY_MID(.next_update = -1), NULL), HF_OK);
}

static void test_revoked_leaf(void)
{
    ROW("Y53 Y54");
    struct pki_crl_spec *list =
        BY_MID(.revoked = {pki->leaf}, .reason = CRL_REASON_KEY_COMPROMISE,
               .revoked_at = 1789000000);
    for (int mode = HF_CRL_LEAF; mode <= HF_CRL_CHAIN; mode++) {
        CHECK_INT(judge((hf_crl_check)mode, list, BY_ROOT(.bare = false)), HF_E_REVOKED);
        CHECK_INT(last.x509_code, X509_V_ERR_CERT_REVOKED);
        CHECK_INT(last.x509_depth, 0);
        CHECK_INT(last.alert, 44);
        CHECK(says("certificate 0 'CN=Test Leaf' (serial "));
        CHECK(says("was revoked on 2026-09-10 00:26:40 UTC, reason: keyCompromise"));
    }
    CHECK_INT(judge(HF_CRL_NONE, list, NULL), HF_OK);
    list->reason = 0;
    CHECK_INT(judge(HF_CRL_LEAF, list, NULL), HF_E_REVOKED);
    CHECK(says("UTC") && !strstr(last.detail, "reason"));
}

static void test_revoked_intermediate(void)
{
    ROW("Y55");
    struct pki_crl_spec *list = BY_ROOT(.revoked = {pki->mid});
    CHECK_INT(judge(HF_CRL_CHAIN, BY_MID(.bare = false), list), HF_E_REVOKED);
    CHECK_INT(last.x509_depth, 1);
    CHECK(says("certificate 1 'CN=Test Intermediate'"));
    CHECK_INT(judge(HF_CRL_LEAF, BY_MID(.bare = false), list), HF_OK);
}

static void test_missing(void)
{
    ROW("Y54");
    CHECK_INT(judge(HF_CRL_LEAF, NULL, NULL), HF_E_NO_CRL);
    CHECK_INT(last.x509_code, X509_V_ERR_UNABLE_TO_GET_CRL);
    CHECK_INT(last.x509_depth, 0);
    CHECK_INT(last.alert, 46);
    CHECK(says("certificate 0 'CN=Test Leaf'") && says("'CN=Test Intermediate'"));
    /* The list of another issuer is none of this one's. */
    CHECK_INT(judge(HF_CRL_LEAF, BY_ROOT(.bare = false), NULL), HF_E_NO_CRL);
    CHECK_INT(judge(HF_CRL_CHAIN, BY_MID(.bare = false), NULL), HF_E_NO_CRL);
    CHECK_INT(last.x509_depth, 1);
}

static void test_dates(void)
{
    ROW("Y54");
    CHECK_INT(judge(HF_CRL_LEAF,
                    BY_MID(.this_update = PKI_NOW - 9 * PKI_DAY,
                           .next_update = PKI_NOW - 2 * PKI_DAY),
                    NULL),
              HF_E_CRL_EXPIRED);
    CHECK_INT(last.x509_code, X509_V_ERR_CRL_HAS_EXPIRED);
    CHECK_INT(last.x509_depth, 0);
    CHECK(says("'CN=Test Intermediate' was to be replaced on 2026-09-19") &&
          says("2 days ago"));
    CHECK_INT(
        judge(HF_CRL_LEAF,
              BY_MID(.this_update = PKI_NOW + PKI_DAY, .next_update = PKI_NOW + 2 * PKI_DAY),
              NULL),
        HF_E_BAD_CRL);
    CHECK_INT(last.x509_code, X509_V_ERR_CRL_NOT_YET_VALID);
    /* An old one beside a current one does no harm, in either order. */
    struct pki_crl_spec *old = BY_MID(.this_update = PKI_NOW - 9 * PKI_DAY,
                                      .next_update = PKI_NOW - 2 * PKI_DAY),
                        *now = BY_MID(.bare = false);
    CHECK_INT(judge(HF_CRL_LEAF, old, now), HF_OK);
    CHECK_INT(judge(HF_CRL_LEAF, now, old), HF_OK);
    now->revoked[0] = pki->leaf;
    CHECK_INT(judge(HF_CRL_LEAF, old, now), HF_E_REVOKED);
    CHECK_INT(judge(HF_CRL_LEAF, now, old), HF_E_REVOKED);
}

static void test_wrong_signer(void)
{
    /* The name is right, the key is not: by the key identifier it is not this issuer's list, and
     * without one the signature tells. */
    CHECK_INT(judge(HF_CRL_LEAF, BY_MID(.signer = pki->root), NULL), HF_E_NO_CRL);
    CHECK_INT(judge(HF_CRL_LEAF, BY_MID(.signer = pki->root, .bare = true), NULL),
              HF_E_BAD_CRL);
    CHECK_INT(last.x509_code, X509_V_ERR_CRL_SIGNATURE_FAILURE);
    CHECK_INT(last.x509_depth, 0);
    CHECK(says("certificate 0 'CN=Test Leaf': the revocation list of 'CN=Test Intermediate'"));
    CHECK_INT(judge(HF_CRL_LEAF, BY_MID(.critical = "1.3.6.1.4.1.99999.7"), NULL),
              HF_E_BAD_CRL);
    CHECK_INT(last.x509_code, X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION);
    /* An authority whose keyUsage lacks cRLSign. */
    struct pki_cert *mute = pki_make(
        &(struct pki_spec){.subject = "Mute", .ca = true, .key_usage = "critical,keyCertSign"},
        pki->root);
    struct pki_cert *leaf =
        pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, mute);
    struct chain *chain = chain_of(leaf, mute);
    hf_trust *trust = trust_of(pki->root, &(struct pki_crl_spec){.issuer = mute}, NULL);
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW), HF_E_BAD_CRL);
    CHECK_INT(last.x509_code, X509_V_ERR_KEYUSAGE_NO_CRL_SIGN);
    hf_trust_free(trust);
    chain_free(chain);
    pki_free(leaf);
    pki_free(mute);
}

/* What is an anchor is not looked up, but what stands below it is. */
static void test_anchors(void)
{
    struct chain *chain = chain_of(pki->leaf, pki->mid);
    hf_trust *trust = trust_of(pki->mid, BY_MID(.bare = false), NULL);
    CHECK_INT(judge_at(chain, trust, HF_CRL_CHAIN, PKI_NOW), HF_OK);
    hf_trust_free(trust);
    /* Nor does a list of its issuer say anything, which nobody here could check. */
    trust =
        trust_of(pki->mid, BY_MID(.bare = false), BY_ROOT(.revoked = {pki->mid}, .bare = true));
    CHECK_INT(judge_at(chain, trust, HF_CRL_CHAIN, PKI_NOW), HF_OK);
    hf_trust_free(trust);
    trust = trust_of(pki->mid, NULL, NULL);
    CHECK_INT(judge_at(chain, trust, HF_CRL_CHAIN, PKI_NOW), HF_E_NO_CRL);
    CHECK_INT(last.x509_depth, 0);
    hf_trust_free(trust);
    /* A leaf that is its own anchor: whoever asks for its list means it. */
    trust = trust_of(pki->leaf, NULL, NULL);
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW), HF_E_NO_CRL);
    hf_trust_free(trust);
    chain_free(chain);
}

/* A remembered verdict ends with the list that it rests on, belongs to one trust, and to one mode. */
static void test_remembered(void)
{
    struct chain *chain = chain_of(pki->leaf, pki->mid);
    hf_trust *trust = trust_of(pki->root, BY_MID(.next_update = PKI_NOW + 1000), NULL);
    verdict_clear();
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW), HF_OK);
    CHECK_INT(verdict_chain_count(), 1);
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW + 999), HF_OK);
    CHECK_INT(verdict_chain_count(), 1);
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW + 1001), HF_E_CRL_EXPIRED);
    CHECK_INT(judge_at(chain, trust, HF_CRL_NONE, PKI_NOW + 1001), HF_OK);
    CHECK_INT(judge_at(chain, trust, HF_CRL_CHAIN, PKI_NOW), HF_E_NO_CRL);
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW - 2 * PKI_DAY), HF_E_BAD_CRL);
    hf_trust *other = trust_of(pki->root, BY_MID(.revoked = {pki->leaf}), NULL);
    CHECK_INT(judge_at(chain, other, HF_CRL_LEAF, PKI_NOW), HF_E_REVOKED);
    hf_trust_free(other);
    hf_trust_free(trust);
    /* A list that comes into force later ends what was good before it. */
    trust = trust_of(pki->root, BY_MID(.next_update = PKI_NOW + 9 * PKI_DAY),
                     BY_MID(.this_update = PKI_NOW + 500, .next_update = PKI_NOW + 9 * PKI_DAY,
                            .revoked = {pki->leaf}));
    verdict_clear();
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW), HF_OK);
    CHECK_INT(verdict_chain_count(), 1);
    hf_code later = judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW + 501);
    verdict_clear();
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW + 501), later);
    hf_trust_free(trust);
    chain_free(chain);
}

/* ---- where lists come from */

static bool load(const void *bytes, size_t len)
{
    hf_trust *trust = hf_trust_new();
    const char *path = pki_file("some.crl", bytes, len);
    last = (hf_error){0};
    bool ok = hf_trust_add_crls_file(trust, path, &last);
    CHECK(hf_trust_add_crls_memory(trust, bytes, len, NULL) == ok);
    CHECK(ok == (last.code == HF_OK));
    hf_trust_free(trust);
    return ok;
}

static void test_files(void)
{
    size_t len;
    uint8_t *der = pki_crl(BY_MID(.bare = false), &len);
    char *one = pki_crl_pem(BY_MID(.bare = false)), *two = pki_crl_pem(BY_ROOT(.bare = false));
    char *all = pki_text("Lists of today\n", one, pki->root->pem, two, NULL);
    CHECK(load(der, len));
    CHECK(load(one, strlen(one)));
    CHECK(load(all, strlen(all)));
    CHECK(!load(der, len - 1) && last.code == HF_E_PEM && says("is DER, but not a"));
    uint8_t *longer = calloc(1, len + 1);
    memcpy(longer, der, len);
    CHECK(!load(longer, len + 1) && last.code == HF_E_PEM);
    free(longer);
    CHECK(!load("", 0) && last.code == HF_E_PEM && says("is empty"));
    CHECK(!load("garbage", 7) && last.code == HF_E_PEM && says("neither PEM nor DER"));
    CHECK(!load(pki->root->pem, strlen(pki->root->pem)) &&
          says("no X509 CRL block: found CERTIFICATE"));
    CHECK(!load(pki->root->der, pki->root->der_len) && last.code == HF_E_PEM);
    one[60] = '!';
    CHECK(!load(one, strlen(one)) && says("the X509 CRL block that begins on line 1"));
    all[strlen(all) - 20] = 0;
    CHECK(!load(all, strlen(all)) && says("has no END line"));
    /* Both lists of one file count. */
    free(all);
    free(one);
    one = pki_crl_pem(BY_MID(.bare = false));
    all = pki_text(one, two, NULL);
    struct chain *chain = chain_of(pki->leaf, pki->mid);
    hf_trust *trust = trust_of(pki->root, NULL, NULL);
    CHECK(hf_trust_add_crls_file(trust, pki_file("all.crl", all, strlen(all)), NULL));
    CHECK_INT(judge_at(chain, trust, HF_CRL_CHAIN, PKI_NOW), HF_OK);
    /* Now it is in use. */
    last = (hf_error){0};
    CHECK(!hf_trust_add_crls_memory(trust, der, len, &last) && last.code == HF_E_FROZEN);
    last = (hf_error){0};
    hf_trust *fresh = hf_trust_new();
    CHECK(!hf_trust_add_crls_file(fresh, "/nowhere/a.crl", &last) && last.code == HF_E_FILE);
    hf_trust_free(fresh);
    hf_trust_free(trust);
    chain_free(chain);
    free(der);
    free(one);
    free(two);
    free(all);
}

static void write_hashed(const struct pki_cert *issuer, unsigned number,
                         const struct pki_crl_spec *spec)
{
    char name[32], *pem = pki_crl_pem(spec);
    unsigned long hash =
        X509_NAME_hash_ex(X509_get_subject_name(issuer->x509), NULL, NULL, NULL);
    snprintf(name, sizeof name, "%08lx.r%u", hash, number);
    pki_file(name, pem, strlen(pem));
    free(pem);
}

static void test_folder(void)
{
    struct chain *chain = chain_of(pki->leaf, pki->mid);
    hf_error err = {0};
    write_hashed(pki->mid, 0, BY_MID(.next_update = PKI_NOW + 1000));
    hf_trust *trust = trust_of(pki->root, NULL, NULL);
    CHECK(hf_trust_add_folder(trust, pki_folder(), &err)); /* of lists only */
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW), HF_OK);
    CHECK_INT(judge_at(chain, trust, HF_CRL_CHAIN, PKI_NOW), HF_E_NO_CRL);
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW + 1001), HF_E_CRL_EXPIRED);
    /* What is put there afterwards is found when the old one is out of date. */
    write_hashed(pki->mid, 1, BY_MID(.this_update = PKI_NOW + 900, .revoked = {pki->leaf}));
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW + 500), HF_OK);
    CHECK_INT(judge_at(chain, trust, HF_CRL_LEAF, PKI_NOW + 1001), HF_E_REVOKED);
    write_hashed(pki->root, 0, BY_ROOT(.bare = false));
    CHECK_INT(judge_at(chain, trust, HF_CRL_CHAIN, PKI_NOW), HF_OK);
    hf_trust_free(trust);
    chain_free(chain);
}

/* ---- stapled responses (RFC 6960) */

static hf_code stapled(const struct pki_cert *leaf, struct pki_ocsp_spec spec, bool demanded)
{
    size_t len = 0;
    spec.cert = spec.cert ? spec.cert : leaf;
    spec.issuer = spec.issuer ? spec.issuer : pki->mid;
    uint8_t *der = pki_ocsp(&spec, &len);
    struct chain *chain = chain_of(leaf, pki->mid);
    hf_trust *trust = trust_of(pki->root, NULL, NULL);
    struct verify_options o = options_of(NULL, PKI_NOW);
    o.ocsp = slice_of(der, len);
    o.require_ocsp = demanded;
    last = (hf_error){0};
    bool ok = chain_verify(chain, trust, &o, &last);
    CHECK(ok == (last.code == HF_OK));
    hf_trust_free(trust);
    chain_free(chain);
    free(der);
    return last.code;
}

static struct pki_cert *responder(const char *eku, const struct pki_cert *issuer)
{
    return pki_make(&(struct pki_spec){.subject = "Responder",
                                       .eku = eku,
                                       .key_usage = "critical,digitalSignature"},
                    issuer);
}

static void test_ocsp_good(void)
{
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.error = 0}, true), HF_OK);
    struct pki_cert *by = responder("OCSPSigning", pki->mid);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = by}, true), HF_OK);
    pki_free(by);
}

static void test_ocsp_revoked(void)
{
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.status = PKI_OCSP_REVOKED}, false),
              HF_E_REVOKED);
    CHECK_INT(last.x509_code, X509_V_ERR_CERT_REVOKED);
    CHECK(last.x509_depth == 0 && says("'CN=Test Leaf' was revoked on 2026-09-20") &&
          says("reason: keyCompromise"));
}

static void test_ocsp_unknown(void)
{
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.status = PKI_OCSP_UNKNOWN}, false),
              HF_E_BAD_OCSP);
    CHECK(says("does not know the certificate"));
}

static void test_ocsp_expired(void)
{
    struct pki_ocsp_spec old = {.this_update = PKI_NOW - 9 * PKI_DAY,
                                .next_update = PKI_NOW - 2 * PKI_DAY};
    CHECK_INT(stapled(pki->leaf, old, false), HF_E_BAD_OCSP);
    CHECK(says("out of date") && says("2 days ago"));
}

/* About a certificate of the same serial number, but of another issuer, or about another one. */
static void test_ocsp_wrong_issuer(void)
{
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.issuer = pki->root}, false),
              HF_E_BAD_OCSP);
    CHECK(says("not about the peer's certificate"));
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.cert = pki->mid, .issuer = pki->root},
                      false),
              HF_E_BAD_OCSP);
}

static void test_ocsp_wrong_responder(void)
{
    /* The root did not issue the leaf; a stranger even less. */
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = pki->root}, false),
              HF_E_BAD_OCSP);
    struct pki_cert *no_eku = responder("", pki->mid), *other_eku = responder(NULL, pki->mid),
                    *of_root = responder("OCSPSigning", pki->root),
                    *own = responder("OCSPSigning", NULL);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = no_eku}, false),
              HF_E_BAD_OCSP);
    CHECK(says("no extendedKeyUsage OCSPSigning"));
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = other_eku}, false),
              HF_E_BAD_OCSP);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = of_root}, false),
              HF_E_BAD_OCSP);
    CHECK(says("is not signed by 'CN=Test Intermediate'"));
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = own}, false),
              HF_E_BAD_OCSP);
    /* The certificate in question may not speak for itself. */
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = pki->leaf}, false),
              HF_E_BAD_OCSP);
    pki_free(no_eku);
    pki_free(other_eku);
    pki_free(of_root);
    pki_free(own);
}

static void test_ocsp_must_staple(void)
{
    struct pki_cert *leaf = pki_make(
        &(struct pki_spec){.subject = "M", .names = "DNS:server.example", .must_staple = true},
        pki->mid);
    struct chain *chain = chain_of(leaf, pki->mid);
    hf_trust *trust = trust_of(pki->root, NULL, NULL);
    struct verify_options o = options_of(NULL, PKI_NOW);
    last = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &last) && last.code == HF_E_NO_OCSP);
    CHECK(says("TLS feature extension"));
    CHECK_INT(stapled(leaf, (struct pki_ocsp_spec){.error = 0}, false), HF_OK);
    CHECK_INT(stapled(leaf, (struct pki_ocsp_spec){.error = 3}, false), HF_E_NO_OCSP);
    hf_trust_free(trust);
    chain_free(chain);
    pki_free(leaf);
}

/* ---- memory */

/* Whichever allocation fails, the answer is an error, and a list that could not be had is never taken for
 * one that says nothing. */
static void test_no_memory(void)
{
    ROW("C14");
    size_t len;
    uint8_t *der = pki_crl(BY_MID(.revoked = {pki->leaf}), &len);
    struct chain *chain = chain_of(pki->leaf, pki->mid);
    struct verify_rules *rules = rules_of(HF_CRL_LEAF);
    struct verify_options o = options_of(rules, PKI_NOW);
    unsigned n = 1;
    for (hf_code code = HF_OK; code != HF_E_REVOKED && n < 100; n++) {
        hf_error err = {0};
        hf_trust *trust = trust_of(pki->root, NULL, NULL);
        mem_test_fail_after(n);
        bool ok = hf_trust_add_crls_memory(trust, der, len, &err) &&
                  chain_verify(chain, trust, &o, &err);
        mem_test_fail_after(0);
        hf_trust_free(trust);
        code = err.code;
        CHECK(!ok && (code == HF_E_NO_MEMORY || code == HF_E_REVOKED));
    }
    CHECK(n > 1 && n < 100);
    rules_free(rules);
    chain_free(chain);
    free(der);
}

/* libcrypto's own allocations: the n-th fails, alone or with all that follow. */
static unsigned long taken, fails_from, fails_to;

static bool fails(void)
{
    taken++;
    return fails_from && taken >= fails_from && taken <= fails_to;
}

static void *crypto_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static void test_libcrypto_out_of_memory(void)
{
    ROW("C11");
    struct chain *chain = chain_of(pki->leaf, pki->mid);
    /* Of the newer list the older one must not take the place. */
    hf_trust *trust = trust_of(pki->root, BY_MID(.this_update = PKI_NOW - 2 * PKI_DAY),
                               BY_MID(.revoked = {pki->leaf}));
    struct verify_rules *rules = rules_of(HF_CRL_LEAF);
    struct verify_options o = options_of(rules, PKI_NOW);
    for (int alone = 0; alone < 2; alone++) {
        unsigned long n = 1, all = 1;
        for (; n <= all && n < 100000; n++) {
            hf_error err = {0};
            verdict_clear();
            taken = 0;
            fails_from = n;
            fails_to = alone ? n : ~0ul;
            bool ok = chain_verify(chain, trust, &o, &err);
            all = taken;
            fails_from = 0;
            CHECK(!ok && err.code != HF_OK);
        }
        CHECK(n > 20);
        hf_error after = {0};
        CHECK(!chain_verify(chain, trust, &o, &after) && after.code == HF_E_REVOKED);
    }
    rules_free(rules);
    hf_trust_free(trust);
    chain_free(chain);
}

int main(void)
{
    /* Before libcrypto's first allocation, or it refuses. */
    CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_good);
    RUN(test_revoked_leaf);
    RUN(test_revoked_intermediate);
    RUN(test_missing);
    RUN(test_dates);
    RUN(test_wrong_signer);
    RUN(test_anchors);
    RUN(test_remembered);
    RUN(test_files);
    RUN(test_folder);
    RUN(test_ocsp_good);
    RUN(test_ocsp_revoked);
    RUN(test_ocsp_unknown);
    RUN(test_ocsp_expired);
    RUN(test_ocsp_wrong_issuer);
    RUN(test_ocsp_wrong_responder);
    RUN(test_ocsp_must_staple);
    RUN(test_no_memory);
    RUN(test_libcrypto_out_of_memory);
    intern_clear();
    pki_clear(pki);
    return check_done();
}

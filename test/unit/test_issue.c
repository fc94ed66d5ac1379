/* Certificates made here, and PKCS#12. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes/bytes.h"
#include "check.h"
#include "handfast_issue.h"
#include "pki.h"

static hf_credential *ca, *leaf;

static int give(char *out, size_t size, void *arg)
{
    const char *passphrase = arg;
    size_t n = strlen(passphrase);
    if (n > size)
        return -1;
    memcpy(out, passphrase, n);
    return (int)n;
}

static hf_trust *trust_of(const hf_credential *cred)
{
    size_t len;
    hf_trust *trust = hf_trust_new();
    const uint8_t *der = hf_certificate_der(hf_credential_certificate(cred, 0), &len);
    CHECK(hf_trust_add_memory(trust, der, len, NULL));
    return trust;
}

/* The verdict of a client that trusts this CA and nothing else, by the strict rules. */
static hf_code judged(const hf_credential *anchor, const hf_credential *cred, const char *name)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    hf_trust *trust = trust_of(anchor);
    hf_certificate *certs[8];
    hf_certificate_list chain = {certs, 0};
    hf_error err = {0};
    for (const hf_certificate *c; (c = hf_credential_certificate(cred, chain.count));)
        certs[chain.count++] = (hf_certificate *)(uintptr_t)c;
    CHECK(hf_config_set_trust(config, trust));
    CHECK(hf_config_set_verify_flags(config, HF_VERIFY_STRICT | HF_VERIFY_TRUSTED_FIRST));
    if (!hf_verify_chain(config, &chain, name, 0, NULL, &err))
        printf("    %s\n", err.detail);
    hf_config_free(config);
    hf_trust_free(trust);
    return err.code;
}

static void test_kinds(void)
{
    static const struct {
        hf_key_type type;
        const char *key, *signature;
    } kinds[] = {{HF_KEY_EC_P256, "EC P-256", "ecdsa-with-SHA256"},
                 {HF_KEY_EC_P384, "EC P-384", "ecdsa-with-SHA384"},
                 {HF_KEY_RSA_2048, "RSA 2048", "sha256WithRSAEncryption"},
                 {HF_KEY_ED25519, "Ed25519", "ED25519"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        hf_certificate_plan root = {.key = kinds[i].type, .ca = true, .organization = "tests"};
        hf_certificate_plan plan = {.key = kinds[i].type,
                                    .names = "a.example, *.b.example,10.0.0.1 ::1 "
                                             "email:x@y.example URI:https://u.example/"};
        hf_error err = {0};
        hf_credential *r = hf_credential_make(&root, NULL, &err),
                      *l = hf_credential_make(&plan, r, &err);
        CHECK(r && l);
        const hf_certificate *c = hf_credential_certificate(l, 0);
        CHECK_STR(hf_certificate_key(c), kinds[i].key);
        CHECK_STR(hf_certificate_signature(c), kinds[i].signature);
        CHECK_STR(hf_certificate_names(c),
                  "DNS:a.example, DNS:*.b.example, IP:10.0.0.1, IP:::1, email:x@y.example, "
                  "URI:https://u.example/");
        CHECK_STR(hf_certificate_subject(c), "CN=a.example");
        CHECK_STR(hf_certificate_issuer(c), "CN=handfast test CA,O=tests");
        CHECK_INT(judged(r, l, "x.b.example"), HF_OK);
        CHECK_INT(judged(r, l, "::1"), HF_OK);
        CHECK_INT(judged(r, l, "c.example"), HF_E_WRONG_NAME);
        CHECK(!hf_credential_certificate(l, 1)); /* the root is not sent */
        hf_credential_free(r);
        hf_credential_free(l);
    }
}

static void test_chain(void)
{
    hf_certificate_plan root = {.ca = true, .intermediates = 1, .common_name = "r"},
                        mid = {.ca = true, .common_name = "m"};
    hf_certificate_plan plan = {.names = "a.example", .server = true};
    hf_error err = {0};
    hf_credential *r = hf_credential_make(&root, NULL, &err),
                  *m = hf_credential_make(&mid, r, &err);
    hf_credential *l = hf_credential_make(&plan, m, &err);
    CHECK(l && hf_credential_certificate(l, 1) && !hf_credential_certificate(l, 2));
    CHECK_INT(judged(r, l, "a.example"), HF_OK);
    CHECK(!hf_credential_make(&mid, m, &err)); /* no CA below this one */
    CHECK_INT(err.code, HF_E_CONFIG);
    CHECK(!hf_credential_make(&plan, l, &err));
    CHECK(strstr(err.detail, "is no CA"));
    hf_certificate_info *info = hf_certificate_decode(hf_credential_certificate(m, 0), NULL);
    CHECK(info->path_length == 0 && info->ca && !info->has_alt_names &&
          info->serial_bytes.len == 16);
    hf_certificate_info_free(info);
    hf_credential_free(r);
    hf_credential_free(m);
    hf_credential_free(l);
}

static void plan_fails(const hf_certificate_plan *plan, const char *words)
{
    hf_error err = {0};
    CHECK(!hf_credential_make(plan, NULL, &err));
    CHECK_INT(err.code, HF_E_CONFIG);
    if (!strstr(err.detail, words)) {
        printf("    \"%s\" is not in: %s\n", words, err.detail);
        CHECK(false);
    }
}

static void test_plans(void)
{
    plan_fails(&(hf_certificate_plan){.names = ""}, "a leaf needs a name");
    plan_fails(&(hf_certificate_plan){.names = "IP:999.1.1.1"}, "no IP address");
    plan_fails(&(hf_certificate_plan){.names = "999.1.1.1"}, "no DNS name");
    plan_fails(&(hf_certificate_plan){.names = "a..b"}, "no DNS name");
    plan_fails(&(hf_certificate_plan){.names = "b\xc3\xbc"
                                               "cher.example"},
               "xn--");
    plan_fails(&(hf_certificate_plan){.names = "a.example",
                                      .common_name = "0123456789012345678901234567890123456789"
                                                     "0123456789012345678901234"},
               "longer than 64");
    plan_fails(&(hf_certificate_plan){.names = "a.example",
                                      .not_before = 2000000000,
                                      .not_after = 1999999999},
               "end before it begins");
    hf_certificate_plan long_lived = {.names = "a.example", .not_after = 4000000000};
    hf_credential *l = hf_credential_make(&long_lived, ca, NULL);
    CHECK_INT(hf_certificate_not_after(hf_credential_certificate(l, 0)),
              hf_certificate_not_after(hf_credential_certificate(ca, 0)));
    hf_credential_free(l);
}

static void test_key_pem(void)
{
    hf_error err = {0};
    char *plain = hf_credential_key_pem(leaf, NULL, &err),
         *locked = hf_credential_key_pem(leaf, "geheim", &err);
    char cert[4000];
    hf_certificate_pem(hf_credential_certificate(leaf, 0), cert, sizeof cert);
    CHECK(plain && strstr(plain, "-----BEGIN PRIVATE KEY-----"));
    CHECK(locked && strstr(locked, "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    hf_credential *a =
        hf_credential_load_memory(cert, strlen(cert), plain, strlen(plain), NULL, NULL, &err);
    char right[] = "geheim", wrong[] = "gehein";
    hf_credential *b = hf_credential_load_memory(cert, strlen(cert), locked, strlen(locked),
                                                 give, right, &err);
    hf_credential *c = hf_credential_load_memory(cert, strlen(cert), locked, strlen(locked),
                                                 give, wrong, &err);
    CHECK(a && b && !c);
    CHECK_INT(err.code, HF_E_PASSPHRASE);
    hf_credential *external =
        hf_credential_load_memory(cert, strlen(cert), NULL, 0, NULL, NULL, &err);
    CHECK(external && !hf_credential_key_pem(external, NULL, &err));
    CHECK_INT(err.code, HF_E_CONFIG);
    hf_secret_free(plain, strlen(plain));
    hf_secret_free(locked, strlen(locked));
    hf_credential_free(a);
    hf_credential_free(b);
    hf_credential_free(external);
}

static void test_pkcs12(void)
{
    static char right[] = "pä55", wrong[] = "x";
    static char none[] = "", *const passphrases[] = {right, none};
    hf_credential *alone =
        hf_credential_make(&(hf_certificate_plan){.names = "alone.example"}, NULL, NULL);
    hf_certificate *root = (hf_certificate *)(uintptr_t)hf_credential_certificate(ca, 0);
    hf_certificate *stranger = (hf_certificate *)(uintptr_t)hf_credential_certificate(alone, 0);
    hf_certificate *both[] = {stranger, root};
    hf_certificate_list roots = {both, 2}, others;
    for (size_t i = 0; i < 2; i++) {
        uint8_t *p12;
        size_t len;
        hf_error err = {0};
        hf_credential *back;
        CHECK(hf_pkcs12_write(leaf, &roots, passphrases[i], "a friend", &p12, &len, &err));
        CHECK(hf_pkcs12_read(p12, len, give, passphrases[i], &back, &others, &err));
        CHECK(back &&
              memcmp(hf_credential_key_sha256(back), hf_credential_key_sha256(leaf), 32) == 0);
        CHECK_INT(others.count, 1);
        CHECK(others.count == 1 && memcmp(hf_certificate_sha256(others.cert[0]),
                                          hf_certificate_sha256(stranger), 32) == 0);
        CHECK(hf_credential_certificate(back, 1) && !hf_credential_certificate(back, 2));
        hf_certificates_clear(&others);
        hf_credential_free(back);
        /* as a credential like any other */
        back = hf_credential_load_memory(p12, len, NULL, 0, give, passphrases[i], &err);
        CHECK(back && hf_credential_certificate(back, 1));
        hf_credential_free(back);
        back = hf_credential_load_files(pki_file("a.p12", p12, len), NULL, give, passphrases[i],
                                        &err);
        CHECK(back != NULL);
        hf_credential_free(back);
        if (i == 0) {
            CHECK(!hf_pkcs12_read(p12, len, give, wrong, &back, &others, &err));
            CHECK_INT(err.code, HF_E_PASSPHRASE);
            CHECK(!hf_pkcs12_read(p12, len, NULL, NULL, &back, &others, &err));
            CHECK(strstr(err.detail, "no passphrase was given"));
            p12[len / 2] ^= 1;
            CHECK(!hf_pkcs12_read(p12, len, give, right, &back, NULL, &err));
            CHECK(!back);
        }
        CHECK(!hf_pkcs12_read(p12, 30, give, right, &back, NULL, &err));
        CHECK_INT(err.code, HF_E_PEM);
        hf_secret_free(p12, len);
    }
    hf_credential_free(alone);
}

/* Every form of a chain and its key, from files and from memory. */
static void test_forms(void)
{
    ROW("C17");
    hf_error err = {0};
    size_t len, key_len, p12_len = 0;
    uint8_t *p12 = NULL, key[300];
    const uint8_t *der = hf_certificate_der(hf_credential_certificate(leaf, 0), &len);
    char pem[4000], *key_pem = hf_credential_key_pem(leaf, NULL, &err);
    size_t n = hf_certificate_pem(hf_credential_certificate(leaf, 0), pem, sizeof pem);
    n += hf_certificate_pem(hf_credential_certificate(ca, 0), pem + n, sizeof pem - n);
    key_len = hf_pem_decode("PRIVATE KEY", key_pem, strlen(key_pem), key, sizeof key, &err);
    CHECK(key_len > 0 && hf_pkcs12_write(leaf, NULL, "", NULL, &p12, &p12_len, &err));
    const struct {
        const void *chain, *key;
        size_t chain_len, key_len, count;
    } forms[] = {{der, key, len, key_len, 1}, {der, key_pem, len, strlen(key_pem), 1},
                 {pem, key, n, key_len, 2},   {pem, key_pem, n, strlen(key_pem), 2},
                 {p12, NULL, p12_len, 0, 1},  {p12, key, p12_len, key_len, 1}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *file = pki_file("chain", forms[i].chain, forms[i].chain_len);
        const char *key_file =
            forms[i].key ? pki_file("key", forms[i].key, forms[i].key_len) : NULL;
        hf_credential *both[] = {hf_credential_load_memory(forms[i].chain, forms[i].chain_len,
                                                           forms[i].key, forms[i].key_len, NULL,
                                                           NULL, &err),
                                 hf_credential_load_files(file, key_file, NULL, NULL, &err)};
        for (size_t k = 0; k < 2; k++) {
            CHECK(both[k] && hf_credential_certificate(both[k], forms[i].count - 1));
            CHECK(both[k] && !hf_credential_certificate(both[k], forms[i].count));
            CHECK(both[k] && memcmp(hf_credential_key_sha256(both[k]),
                                    hf_credential_key_sha256(leaf), 32) == 0);
            hf_credential_free(both[k]);
        }
    }
    hf_secret_free(p12, p12_len);
    hf_secret_free(key_pem, strlen(key_pem));
}

struct asked {
    const char *passphrase;
    unsigned times;
};

static int count_and_give(char *out, size_t size, void *arg)
{
    struct asked *a = arg;
    size_t n = strlen(a->passphrase);
    a->times++;
    CHECK(n <= size);
    memcpy(out, a->passphrase, n);
    return (int)n;
}

/* A chain and its key as load_cert_chain of Python's ssl takes them: in one file or two, or in memory; a passphrase of any
 * bytes is asked for once, and only if the key needs it; a key may also be elsewhere. */
static void test_load_cert_chain(void)
{
    ROW("Y112");
    static const char *const passphrases[] = {NULL, "pw", "pässword \xe2\x82\xac"};
    char cert[4000];
    size_t n = hf_certificate_pem(hf_credential_certificate(leaf, 0), cert, sizeof cert);
    for (size_t i = 0; i < 3; i++) {
        hf_error err = {0};
        char *key = hf_credential_key_pem(leaf, passphrases[i], &err);
        char *both = pki_text(key, cert, NULL);
        const char *cert_file = pki_file("cert.pem", cert, n);
        const char *key_file = pki_file("key.pem", key, strlen(key));
        const char *both_file = pki_file("both.pem", both, strlen(both));
        for (int wrong = 0; wrong < 2; wrong++) {
            struct asked a = {wrong ? "wrong" : passphrases[i] ? passphrases[i] : "unasked", 0};
            hf_credential *c[] = {
                hf_credential_load_files(cert_file, key_file, count_and_give, &a, NULL),
                hf_credential_load_files(both_file, NULL, count_and_give, &a, NULL),
                hf_credential_load_memory(cert, n, key, strlen(key), count_and_give, &a, NULL),
                hf_credential_load_memory(both, strlen(both), NULL, 0, count_and_give, &a,
                                          NULL)};
            CHECK_INT(a.times, passphrases[i] ? 4 : 0);
            for (size_t k = 0; k < 4; k++) {
                CHECK((c[k] != NULL) == (!wrong || !passphrases[i]));
                hf_credential_free(c[k]);
            }
        }
        CHECK(!passphrases[i] || !hf_credential_load_files(both_file, NULL, NULL, NULL, &err));
        CHECK(!passphrases[i] || err.code == HF_E_PASSPHRASE);
        free(both);
        hf_secret_free(key, strlen(key));
    }
    /* the key is elsewhere: signatures are asked for */
    hf_credential *external = hf_credential_load_memory(cert, n, NULL, 0, NULL, NULL, NULL);
    CHECK(external != NULL);
    hf_credential_free(external);
    hf_error err = {0};
    CHECK(!hf_credential_load_files(pki_file("cert.pem", cert, n), NULL, NULL, NULL, &err));
    CHECK_INT(err.code, HF_E_PEM); /* a file without a key is a mistake */
}

/* The n-th allocation fails, for every n. */
static void test_no_memory(void)
{
    uint8_t *p12;
    size_t len;
    CHECK(hf_pkcs12_write(leaf, NULL, "", NULL, &p12, &len, NULL));
    for (int what = 0; what < 3; what++) {
        bool ok = false;
        unsigned long n = 1;
        for (; !ok && n < 200; n++) {
            hf_error err = {0};
            hf_certificate_list others = {0};
            hf_credential *cred = NULL;
            uint8_t *out = NULL;
            size_t out_len = 0;
            mem_test_fail_after(n);
            if (what == 0)
                ok = hf_pkcs12_read(p12, len, NULL, NULL, &cred, &others, &err);
            else if (what == 1)
                ok = (cred =
                          hf_credential_make(&(hf_certificate_plan){.names = "a.b"}, ca, &err));
            else
                ok = hf_pkcs12_write(leaf, NULL, "", NULL, &out, &out_len, &err);
            mem_test_fail_after(0);
            CHECK(ok || err.code == HF_E_NO_MEMORY || err.code == HF_E_CRYPTO ||
                  strstr(err.detail, "memory ran out"));
            CHECK(ok || (!cred && !out && others.count == 0));
            hf_credential_free(cred);
            hf_certificates_clear(&others);
            hf_secret_free(out, out_len);
        }
        CHECK(n > 2 && ok);
    }
    hf_secret_free(p12, len);
}

/* A trust store: certificates without a key. */
static void test_pkcs12_certificates(void)
{
    hf_certificate *certs[] = {(hf_certificate *)(uintptr_t)hf_credential_certificate(ca, 0),
                               (hf_certificate *)(uintptr_t)hf_credential_certificate(leaf, 0)};
    hf_certificate_list both = {certs, 2}, back;
    hf_credential *cred;
    uint8_t *p12;
    size_t len;
    hf_error err = {0};
    CHECK(hf_pkcs12_write(NULL, &both, "pw", NULL, &p12, &len, &err));
    CHECK(hf_pkcs12_read(p12, len, give, (char[]){"pw"}, &cred, &back, &err));
    CHECK(!cred);
    CHECK_INT(back.count, 2);
    hf_certificates_clear(&back);
    CHECK(!hf_credential_load_memory(p12, len, "", 0, give, (char[]){"wrong"}, &err));
    hf_secret_free(p12, len);
    CHECK(!hf_pkcs12_write(NULL, NULL, "pw", NULL, &p12, &len, &err));
    CHECK_INT(err.code, HF_E_USAGE);
}

int main(void)
{
    ca = hf_credential_make(&(hf_certificate_plan){.ca = true}, NULL, NULL);
    leaf = hf_credential_make(&(hf_certificate_plan){.names = "leaf.example"}, ca, NULL);
    RUN(test_kinds);
    RUN(test_chain);
    RUN(test_plans);
    RUN(test_key_pem);
    RUN(test_pkcs12);
    RUN(test_forms);
    RUN(test_load_cert_chain);
    RUN(test_pkcs12_certificates);
    RUN(test_no_memory);
    hf_credential_free(ca);
    hf_credential_free(leaf);
    return check_done();
}

#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "pki.h"
#include "x509/intern.h"
#include "x509/x509.h"

static struct pki *pki;

static hf_credential *load(const char *chain, const char *key, hf_error *err)
{
    return hf_credential_load_memory(chain, strlen(chain), key, key ? strlen(key) : 0, NULL,
                                     NULL, err);
}

/* Loads what must load, and drops it. */
static bool loads(const char *chain, const char *key, const struct pki_cert *own, size_t count)
{
    hf_error err = {0};
    hf_credential *cred = load(chain, key, &err);
    if (!cred) {
        printf("    %s: %s\n", hf_code_name(err.code), err.detail);
        return false;
    }
    bool ok = cred->chain->count == count &&
              slice_equal(cert_der(cred->chain->cert[0]), slice_of(own->der, own->der_len));
    hf_credential_free(cred);
    return ok;
}

/* What must not load, with the code and a part of the detail. */
static bool refused(const char *chain, const char *key, hf_code code, const char *detail)
{
    hf_error err = {0};
    hf_credential *cred = load(chain, key, &err);
    bool ok = !cred && err.code == code && strstr(err.detail, detail);
    if (!ok)
        printf("    %s: %s\n", hf_code_name(err.code), err.detail);
    hf_credential_free(cred);
    return ok;
}

static void test_orders_of_a_file(void)
{
    char *after = pki_text(pki->chain_pem, pki->leaf->key_pem, NULL);
    char *between = pki_text(pki->leaf->pem, pki->leaf->key_pem, pki->mid->pem, NULL);
    char *text = pki_text("Some words\n-----BEGIN NOTHING\n\n", pki->leaf->pem, "  more\r\n",
                          pki->leaf->key_pem, "# end", NULL);
    CHECK(loads(pki->chain_pem, pki->leaf->key_pem, pki->leaf, 2));
    CHECK(loads(pki->bundle_pem, NULL, pki->leaf, 2));
    CHECK(loads(after, NULL, pki->leaf, 2));
    CHECK(loads(between, NULL, pki->leaf, 2));
    CHECK(loads(text, NULL, pki->leaf, 1));
    CHECK(loads(pki->leaf->pem, pki->leaf->key_pem, pki->leaf, 1));
    free(after);
    free(between);
    free(text);
}

static void test_crlf(void)
{
    char *crlf = malloc(2 * strlen(pki->bundle_pem) + 1), *p = crlf;
    for (const char *s = pki->bundle_pem; *s; s++) {
        if (*s == '\n')
            *p++ = '\r';
        *p++ = *s;
    }
    *p = 0;
    CHECK(loads(crlf, NULL, pki->leaf, 2));
    free(crlf);
}

static void test_kinds(void)
{
    for (int kind = 0; kind < PKI_KINDS; kind++) {
        struct pki *one = pki_new((enum pki_kind)kind, "DNS:a.example");
        /* How long a key must be, the configuration judges, whose security level counts. */
        CHECK(loads(one->bundle_pem, NULL, one->leaf, 2));
        pki_clear(one);
    }
}

static void test_der(void)
{
    ROW("C18");
    hf_error err = {0};
    hf_credential *cred =
        hf_credential_load_memory(pki->leaf->der, pki->leaf->der_len, pki->leaf->key_der,
                                  pki->leaf->key_der_len, NULL, NULL, &err);
    CHECK(cred != NULL);
    CHECK(cred && cred->key && cred->kind == KEY_P256 && cred->bits == 256);
    CHECK(cred && hf_credential_certificate(cred, 0) && !hf_credential_certificate(cred, 1));
    CHECK(cred && credential_serves(cred, "server.example") && !credential_serves(cred, "x"));
    CHECK(cred && hf_credential_ref(cred) == cred);
    hf_credential_free(cred);
    hf_credential_free(cred);
    cred = hf_credential_load_memory(pki->leaf->der, pki->leaf->der_len, pki->leaf->key_pem,
                                     strlen(pki->leaf->key_pem), NULL, NULL, &err);
    CHECK(cred != NULL);
    hf_credential_free(cred);
    cred = hf_credential_load_memory(pki->chain_pem, strlen(pki->chain_pem), pki->leaf->key_der,
                                     pki->leaf->key_der_len, NULL, NULL, &err);
    CHECK(cred && hf_credential_certificate(cred, 1));
    hf_credential_free(cred);
    cred =
        hf_credential_load_memory(pki->leaf->key_der, pki->leaf->key_der_len,
                                  pki->leaf->key_der, pki->leaf->key_der_len, NULL, NULL, &err);
    CHECK(!cred && err.code == HF_E_PEM && strstr(err.detail, "DER, but not a certificate"));
}

/* Own certificate and issuers shuffled: put right where there is one way to do it. */
static void test_misordered(void)
{
    char *shuffled = pki_text(pki->root->pem, pki->mid->pem, pki->leaf->pem, NULL);
    CHECK(loads(shuffled, pki->leaf->key_pem, pki->leaf, 3));
    hf_credential *cred = load(shuffled, pki->leaf->key_pem, NULL);
    CHECK_STR(hf_certificate_subject(hf_credential_certificate(cred, 1)),
              "CN=Test Intermediate");
    CHECK_STR(hf_certificate_subject(hf_credential_certificate(cred, 2)), "CN=Test Root");
    hf_credential_free(cred);
    free(shuffled);
    /* Two issuers of one name and key (cross-signed) are both wanted, in the order given. */
    struct pki_cert *other = pki_make(&(struct pki_spec){.subject = "Other", .ca = true}, NULL);
    struct pki_cert *cross = pki_make(
        &(struct pki_spec){.subject = "Test Intermediate", .ca = true, .key_of = pki->mid},
        other);
    char *both = pki_text(pki->leaf->pem, cross->pem, pki->mid->pem, NULL);
    CHECK(loads(both, pki->leaf->key_pem, pki->leaf, 3));
    cred = load(both, pki->leaf->key_pem, NULL);
    CHECK_STR(hf_certificate_issuer(hf_credential_certificate(cred, 1)), "CN=Other");
    hf_credential_free(cred);
    free(both);
    /* A stranger in the file is an error that names it. */
    char *stranger = pki_text(pki->leaf->pem, other->pem, NULL);
    CHECK(refused(stranger, pki->leaf->key_pem, HF_E_PEM, "'CN=Other'"));
    free(stranger);
    char *hole = pki_text(pki->leaf->pem, pki->root->pem, NULL);
    CHECK(refused(hole, pki->leaf->key_pem, HF_E_PEM, "issued by 'CN=Test Intermediate'"));
    free(hole);
    pki_free(cross);
    pki_free(other);
}

static void test_mismatch(void)
{
    ROW("Y114 C19");
    struct pki_cert *rsa = pki_make(&(struct pki_spec){.kind = PKI_RSA}, NULL);
    struct pki_cert *ec = pki_make(&(struct pki_spec){.kind = PKI_P256}, NULL);
    CHECK(refused(pki->chain_pem, rsa->key_pem, HF_E_KEY_MISMATCH,
                  "has the key EC P-256, the private key is RSA 2048"));
    CHECK(refused(pki->chain_pem, ec->key_pem, HF_E_KEY_MISMATCH, "of another pair"));
    pki_free(rsa);
    pki_free(ec);
}

static void test_external_key(void)
{
    hf_error err = {0};
    hf_credential *cred = load(pki->chain_pem, NULL, &err);
    CHECK(cred && !cred->key && cred->kind == KEY_P256 && cred->bits == 256);
    hf_credential_free(cred);
    /* A key that was meant to be there is missed. */
    CHECK(refused(pki->chain_pem, pki->leaf->pem, HF_E_PEM, "no private key"));
    const char *path = pki_file("chain.pem", pki->chain_pem, strlen(pki->chain_pem));
    CHECK(!hf_credential_load_files(path, NULL, NULL, NULL, &err));
    CHECK_INT(err.code, HF_E_PEM);
    CHECK(strstr(err.detail, path) != NULL);
}

static int asked;

static int passphrase(char *out, size_t size, void *arg)
{
    const char *text = arg;
    asked++;
    if (!text || strlen(text) > size)
        return -1;
    memcpy(out, text, strlen(text));
    return (int)strlen(text);
}

static void test_passphrase(void)
{
    ROW("C16");
    char right[] = "correct horse", wrong[] = "battery staple";
    char *key = pki_key_pem(pki->leaf, right);
    const char *chain = pki->chain_pem;
    hf_error err = {0};
    asked = 0;
    hf_credential *cred = hf_credential_load_memory(chain, strlen(chain), key, strlen(key),
                                                    passphrase, right, &err);
    CHECK(cred && asked == 1);
    hf_credential_free(cred);
    CHECK(!hf_credential_load_memory(chain, strlen(chain), key, strlen(key), passphrase, wrong,
                                     &err));
    CHECK_INT(err.code, HF_E_PASSPHRASE);
    CHECK(strstr(err.detail, "the key") != NULL);
    CHECK(!hf_credential_load_memory(chain, strlen(chain), key, strlen(key), NULL, NULL, &err));
    err = (hf_error){0};
    CHECK(!hf_credential_load_memory(chain, strlen(chain), key, strlen(key), passphrase, NULL,
                                     &err));
    CHECK_INT(err.code, HF_E_PASSPHRASE);
    free(key);
    asked = 0;
    cred = hf_credential_load_memory(chain, strlen(chain), pki->leaf->key_pem,
                                     strlen(pki->leaf->key_pem), passphrase, right, &err);
    CHECK(cred && asked == 0);
    hf_credential_free(cred);
    key = pki_key_pem(pki->leaf, NULL);
    CHECK(loads(chain, key, pki->leaf, 2));
    free(key);
}

static void test_malformed(void)
{
    CHECK(refused("", NULL, HF_E_PEM, "is empty"));
    CHECK(refused("hello\n", NULL, HF_E_PEM, "begins with \"hello.\""));
    CHECK(
        refused(pki->leaf->key_pem, NULL, HF_E_PEM, "no CERTIFICATE block: found PRIVATE KEY"));
    CHECK(
        refused("x\n-----BEGIN CERTIFICATE-----\nAAAA\n", NULL, HF_E_PEM, "line 2 has no END"));
    CHECK(refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NULL,
                  HF_E_PEM, "the certificate on line 1"));
    CHECK(refused("-----BEGIN CERTIFICATE-----\n$$$$\n-----END CERTIFICATE-----\n", NULL,
                  HF_E_PEM, "not base64"));
    CHECK(refused("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", NULL,
                  HF_E_PEM, "not base64"));
    CHECK(refused(
        "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n", NULL,
        HF_E_PEM, "openssl x509"));
    char *many = pki_text(pki->leaf->key_pem, NULL);
    for (int i = 0; i <= CHAIN_MAX; i++) {
        char *more = pki_text(many, pki->leaf->pem, NULL);
        free(many);
        many = more;
    }
    CHECK(refused(many, NULL, HF_E_PEM, "more than 64"));
    free(many);
    /* Every truncation either loads fewer certificates or is refused with words. */
    size_t len = strlen(pki->bundle_pem);
    for (size_t n = 0; n < len; n += 7) {
        hf_error err = {0};
        hf_credential *cred =
            hf_credential_load_memory(pki->bundle_pem, n, NULL, 0, NULL, NULL, &err);
        CHECK(cred || (err.code != HF_OK && err.detail[0]));
        hf_credential_free(cred);
    }
}

static void test_files(void)
{
    hf_error err = {0};
    const char *both = pki_file("both.pem", pki->bundle_pem, strlen(pki->bundle_pem));
    const char *chain = pki_file("chain.der", pki->leaf->der, pki->leaf->der_len);
    const char *key = pki_file("key.der", pki->leaf->key_der, pki->leaf->key_der_len);
    const char *empty = pki_file("empty.pem", "", 0);
    hf_credential *cred = hf_credential_load_files(both, NULL, NULL, NULL, &err);
    CHECK(cred != NULL);
    hf_credential_free(cred);
    cred = hf_credential_load_files(chain, key, NULL, NULL, &err);
    CHECK(cred != NULL);
    hf_credential_free(cred);
    char *missing = pki_text(pki_folder(), "/not-there.pem", NULL);
    CHECK(!hf_credential_load_files(missing, NULL, NULL, NULL, &err));
    CHECK(err.code == HF_E_FILE && err.os_errno == ENOENT && strstr(err.detail, missing));
    err = (hf_error){0};
    CHECK(!hf_credential_load_files(both, missing, NULL, NULL, &err));
    CHECK(err.code == HF_E_FILE && err.os_errno == ENOENT);
    err = (hf_error){0};
    CHECK(!hf_credential_load_files(pki_folder(), NULL, NULL, NULL, &err));
    CHECK(err.code == HF_E_FILE && err.os_errno == EISDIR && strstr(err.detail, "folder"));
    err = (hf_error){0};
    CHECK(!hf_credential_load_files(empty, NULL, NULL, NULL, &err));
    CHECK(err.code == HF_E_PEM && strstr(err.detail, "is empty") && strstr(err.detail, empty));
    err = (hf_error){0};
    CHECK(!hf_credential_load_files(NULL, NULL, NULL, NULL, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    free(missing);
}

static void test_expired_loads(void)
{
    struct pki_cert *old =
        pki_make(&(struct pki_spec){.not_before = 1000, .not_after = 2000}, NULL);
    CHECK(loads(old->pem, old->key_pem, old, 1));
    pki_free(old);
}

static void test_ocsp(void)
{
    size_t len;
    uint8_t *ocsp =
        pki_ocsp(&(struct pki_ocsp_spec){.cert = pki->leaf, .issuer = pki->mid}, &len);
    hf_error err = {0};
    hf_credential *cred = load(pki->bundle_pem, NULL, &err);
    CHECK(hf_credential_set_ocsp(cred, ocsp, len, &err));
    CHECK(cred->ocsp_len == len && memcmp(cred->ocsp, ocsp, len) == 0);
    CHECK(!hf_credential_set_ocsp(cred, ocsp, len - 1, &err));
    CHECK_INT(err.code, HF_E_PEM);
    CHECK(cred->ocsp_len == len);
    CHECK(hf_credential_set_ocsp(cred, NULL, 0, NULL));
    CHECK(cred->ocsp_len == 0 && !cred->ocsp);
    hf_credential_free(cred);
    free(ocsp);
}

static void test_scts(void)
{
    static const uint8_t good[] = {0, 7, 0, 2, 'a', 'b', 0, 1, 'c'};
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } bad[] = {
        {{0}, 1},
        {{0, 0}, 2},                 /* an empty list */
        {{0, 2, 0, 0}, 4},           /* an empty timestamp */
        {{0, 3, 0, 2, 'a'}, 5},      /* one that is cut off */
        {{0, 4, 0, 2, 'a'}, 5},      /* a list that is cut off */
        {{0, 3, 0, 1, 'a', 'b'}, 6}, /* bytes behind it */
        {{0, 4, 0, 1, 'a', 'b'}, 6}, /* half a length */
        {{0, 2, 'a', 'b'}, 4},       /* one without its own length */
    };
    hf_error err = {.code = HF_E_FILE, .detail = "old"};
    hf_credential *cred = hf_credential_load_memory(pki->bundle_pem, strlen(pki->bundle_pem),
                                                    NULL, 0, NULL, NULL, NULL);
    CHECK(cred && !cred->scts);
    CHECK(hf_credential_set_scts(cred, good, sizeof good, &err));
    CHECK_INT(err.code, HF_OK);
    CHECK(slice_equal(slice_of(cred->scts, cred->scts_len), slice_of(good, sizeof good)));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!hf_credential_set_scts(cred, bad[i].bytes, bad[i].len, &err));
        CHECK_INT(err.code, HF_E_CONFIG);
        CHECK(strstr(err.detail, "SignedCertificateTimestampList"));
        CHECK_INT(cred->scts_len, sizeof good); /* as it was */
    }
    mem_test_fail_after(1);
    CHECK(!hf_credential_set_scts(cred, good, 6, &err));
    mem_test_fail_after(0);
    CHECK(!hf_credential_set_scts(cred, NULL, 3, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    CHECK(!hf_credential_set_scts(NULL, good, sizeof good, &err));
    CHECK_INT(cred->scts_len, sizeof good);
    CHECK(hf_credential_set_scts(cred, NULL, 0, NULL));
    CHECK(!cred->scts && cred->scts_len == 0);
    CHECK(hf_credential_set_scts(cred, good, sizeof good, NULL)); /* freed with it */
    hf_credential_free(cred);
}

static void test_no_memory(void)
{
    ROW("C14");
    const char *path = pki_file("m.pem", pki->bundle_pem, strlen(pki->bundle_pem));
    unsigned n = 1;
    for (; n < 200; n++) {
        hf_error err = {0};
        intern_clear();
        mem_test_fail_after(n);
        hf_credential *cred = hf_credential_load_files(path, NULL, NULL, NULL, &err);
        mem_test_fail_after(0);
        CHECK(cred || err.code != HF_OK);
        hf_credential_free(cred);
        if (cred)
            break;
    }
    CHECK(n > 3 && n < 200);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_orders_of_a_file);
    RUN(test_crlf);
    RUN(test_kinds);
    RUN(test_der);
    RUN(test_misordered);
    RUN(test_mismatch);
    RUN(test_external_key);
    RUN(test_passphrase);
    RUN(test_malformed);
    RUN(test_files);
    RUN(test_expired_loads);
    RUN(test_ocsp);
    RUN(test_scts);
    RUN(test_no_memory);
    intern_clear();
    pki_clear(pki);
    return check_done();
}

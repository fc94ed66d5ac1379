#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "pki.h"
#include "x509/intern.h"
#include "x509/trust.h"
#include "x509/verdict.h"

static struct pki *pki;
static struct chain *chain;

static struct chain *chain_of(const struct pki_cert *a, const struct pki_cert *b)
{
    hf_certificate *certs[2] = {hf_certificate_parse(a->der, a->der_len, NULL),
                                b ? hf_certificate_parse(b->der, b->der_len, NULL) : NULL};
    struct chain *made = chain_new(certs, b ? 2 : 1);
    hf_certificate_free(certs[0]);
    hf_certificate_free(certs[1]);
    return made;
}

static bool verifies(hf_trust *trust, hf_error *err)
{
    struct verify_options options = {
        .name = "server.example", .server = true, .depth = 10, .now = PKI_NOW, .level = 2};
    return chain_verify(chain, trust, &options, err);
}

static void test_memory(void)
{
    hf_error err = {0};
    hf_trust *trust = hf_trust_new();
    CHECK(!verifies(trust, &err));
    CHECK(err.code == HF_E_UNTRUSTED && strstr(err.detail, "no trust anchors at all"));
    hf_trust_free(trust);
    trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), NULL));
    CHECK(verifies(trust, &err));
    CHECK(hf_trust_ref(trust) == trust);
    hf_trust_free(trust);
    hf_trust_free(trust);
    trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->root->der, pki->root->der_len, NULL));
    CHECK(verifies(trust, NULL));
    hf_trust_free(trust);
}

static void test_malformed(void)
{
    hf_error err = {0};
    hf_trust *trust = hf_trust_new();
    CHECK(!hf_trust_add_memory(trust, "", 0, &err));
    CHECK(err.code == HF_E_PEM && strstr(err.detail, "empty"));
    err = (hf_error){0};
    CHECK(!hf_trust_add_memory(trust, pki->leaf->key_pem, strlen(pki->leaf->key_pem), &err));
    CHECK(err.code == HF_E_PEM && strstr(err.detail, "found PRIVATE KEY"));
    err = (hf_error){0};
    CHECK(!hf_trust_add_memory(trust, pki->root->der, pki->root->der_len - 1, &err));
    CHECK(err.code == HF_E_PEM && strstr(err.detail, "not a certificate"));
    /* A mistake in a bundle's later certificates is found by their structure. */
    char *bundle = pki_text(pki->root->pem, NULL);
    for (int i = 0; i < 10; i++) {
        char *more = pki_text(bundle, pki->root->pem, NULL);
        free(bundle);
        bundle = more;
    }
    CHECK(hf_trust_add_memory(trust, bundle, strlen(bundle), NULL));
    char *bad = pki_text(
        bundle, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", NULL);
    err = (hf_error){0};
    CHECK(!hf_trust_add_memory(trust, bad, strlen(bad), &err));
    CHECK(err.code == HF_E_PEM && strstr(err.detail, "structure"));
    free(bad);
    free(bundle);
    hf_trust_free(trust);
}

static void test_file(void)
{
    hf_error err = {0};
    const char *path = pki_file("roots.pem", pki->root->pem, strlen(pki->root->pem));
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_file(trust, path, &err));
    CHECK(!hf_trust_add_file(trust, "/nowhere/roots.pem", &err));
    CHECK(err.code == HF_E_FILE && err.os_errno == ENOENT);
    CHECK(verifies(trust, NULL));
    hf_trust_free(trust);
}

/* Many anchors, unparsed until sought, found by name. */
static void test_bundle(void)
{
    char *bundle = pki_text("", NULL);
    struct pki_cert *key = pki_make(&(struct pki_spec){.ca = true}, NULL);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "Root %d", i * 7 % 40);
        struct pki_cert *root =
            pki_make(&(struct pki_spec){.subject = name, .ca = true, .key_of = key}, NULL);
        char *more = pki_text(bundle, root->pem, i == 25 ? pki->root->pem : "", NULL);
        pki_free(root);
        free(bundle);
        bundle = more;
    }
    intern_clear();
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, bundle, strlen(bundle), NULL));
    CHECK_INT(intern_count(), 0);
    CHECK(verifies(trust, NULL));
    CHECK(trust_authorities(trust).len > 40 * 10);
    free(bundle);
    pki_free(key);
    hf_trust_free(trust);
}

static const char *hashed(const struct pki_cert *cert, int number)
{
    char name[32];
    snprintf(name, sizeof name, "%08lx.%d",
             X509_NAME_hash_ex(X509_get_subject_name(cert->x509), NULL, NULL, NULL), number);
    return pki_file(name, cert->pem, strlen(cert->pem));
}

static void test_folder(void)
{
    hf_error err = {0};
    hf_trust *trust = hf_trust_new();
    CHECK(!hf_trust_add_folder(trust, "/nowhere", &err));
    CHECK(err.code == HF_E_FILE && err.os_errno == ENOENT);
    err = (hf_error){0};
    CHECK(!hf_trust_add_folder(trust, pki_folder(), &err));
    CHECK(err.code == HF_E_CONFIG && strstr(err.detail, "openssl rehash"));
    /* Another authority of the same name comes first, ours second: both are read. */
    struct pki_cert *same =
        pki_make(&(struct pki_spec){.subject = "Test Root", .ca = true}, NULL);
    hashed(same, 0);
    CHECK(hf_trust_add_folder(trust, pki_folder(), NULL));
    err = (hf_error){0};
    CHECK(!verifies(trust, &err));
    CHECK(err.code == HF_E_UNTRUSTED && strstr(err.detail, pki_folder()));
    CHECK(strstr(err.detail, "but with another key") != NULL);
    hf_trust_free(trust);
    trust = hf_trust_new();
    const char *path = hashed(pki->root, 1);
    CHECK(hf_trust_add_folder(trust, pki_folder(), NULL));
    CHECK(verifies(trust, NULL));
    /* What was read stays known. */
    unlink(path);
    verdict_clear();
    CHECK(verifies(trust, NULL));
    CHECK_INT(trust_authorities(trust).len, 0);
    hf_trust_free(trust);
    pki_free(same);
}

static void test_frozen(void)
{
    hf_error err = {0};
    hf_trust *trust = hf_trust_new(), *other = hf_trust_new();
    CHECK_INT(trust_generation(trust), 0);
    CHECK(trust_freeze(trust, NULL) && trust_freeze(other, NULL));
    uint64_t generation = trust_generation(trust);
    CHECK(generation != 0 && generation != trust_generation(other));
    CHECK(trust_freeze(trust, NULL));
    CHECK(trust_generation(trust) == generation);
    CHECK(!hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), &err));
    CHECK_INT(err.code, HF_E_FROZEN);
    hf_trust_free(other);
    hf_trust_free(trust);
    hf_trust_free(NULL);
}

/* opaque DistinguishedName<1..2^16-1>: each anchor's subject once. */
static void test_authorities(void)
{
    hf_trust *trust = hf_trust_new();
    char *twice = pki_text(pki->root->pem, pki->mid->pem, pki->root->pem, NULL);
    CHECK(hf_trust_add_memory(trust, twice, strlen(twice), NULL));
    CHECK(hf_trust_add_memory(trust, pki->mid->pem, strlen(pki->mid->pem), NULL));
    CHECK_INT(trust_authorities(trust).len, 0);
    CHECK(trust_freeze(trust, NULL));
    struct slice list = trust_authorities(trust);
    unsigned char *root = NULL, *mid = NULL;
    int root_len = i2d_X509_NAME(X509_get_subject_name(pki->root->x509), &root);
    int mid_len = i2d_X509_NAME(X509_get_subject_name(pki->mid->x509), &mid);
    CHECK_INT(list.len, 4 + root_len + mid_len);
    size_t at = 0, seen = 0;
    while (at < list.len) {
        struct slice name = slice_of(list.p + at + 2, get_u16(list.p + at));
        seen += slice_equal(name, slice_of(root, (size_t)root_len)) ? 1 : 0;
        seen += slice_equal(name, slice_of(mid, (size_t)mid_len)) ? 2 : 0;
        at += 2 + name.len;
    }
    CHECK_INT(at, list.len);
    CHECK_INT(seen, 3);
    OPENSSL_free(root);
    OPENSSL_free(mid);
    free(twice);
    hf_trust_free(trust);
}

/* Must be the last to need the platform: it is loaded once. */
static void test_platform(void)
{
    hf_error err = {0};
    hf_trust *trust = hf_trust_new();
    setenv("SSL_CERT_FILE", "/nowhere/a.pem", 1);
    setenv("SSL_CERT_DIR", "/nowhere/b:/nowhere/c", 1);
    CHECK(!hf_trust_add_platform(trust, &err));
    CHECK_INT(err.code, HF_E_FILE);
    CHECK(strstr(err.detail, "/nowhere/a.pem") && strstr(err.detail, "/nowhere/c"));
    /* A failure is not remembered. */
    setenv("SSL_CERT_FILE", pki_file("platform.pem", pki->root->pem, strlen(pki->root->pem)),
           1);
    CHECK(hf_trust_add_platform(trust, NULL));
    CHECK(verifies(trust, NULL));
    hf_trust_free(trust);
    /* Success is: the next trust shares what was loaded. */
    setenv("SSL_CERT_FILE", "/nowhere/a.pem", 1);
    trust = hf_trust_new();
    CHECK(hf_trust_add_platform(trust, NULL));
    CHECK(verifies(trust, NULL));
    hf_trust_free(trust);
}

static void test_no_memory(void)
{
    ROW("C14");
    const char *path = pki_file("m.pem", pki->root->pem, strlen(pki->root->pem));
    hashed(pki->root, 0);
    unsigned n = 1;
    for (; n < 200; n++) {
        hf_error err = {0};
        intern_clear();
        verdict_clear();
        mem_test_fail_after(n);
        hf_trust *trust = hf_trust_new();
        bool ok = trust && hf_trust_add_file(trust, path, &err) &&
                  hf_trust_add_folder(trust, pki_folder(), &err) && trust_freeze(trust, &err);
        mem_test_fail_after(0);
        CHECK(ok || !trust || err.code == HF_E_NO_MEMORY || err.code == HF_E_PEM);
        hf_trust_free(trust);
        if (ok)
            break;
    }
    CHECK(n > 3 && n < 200);
    /* In the middle of a verification: never good, and said to be what it is. */
    for (n = 1; n < 100; n++) {
        hf_error err = {0};
        intern_clear();
        verdict_clear();
        hf_trust *trust = hf_trust_new();
        CHECK(hf_trust_add_folder(trust, pki_folder(), NULL));
        mem_test_fail_after(n);
        bool ok = verifies(trust, &err);
        mem_test_fail_after(0);
        hf_trust_free(trust);
        CHECK(ok || err.code == HF_E_NO_MEMORY);
        if (ok)
            break;
    }
    CHECK(n > 1 && n < 100);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    chain = chain_of(pki->leaf, pki->mid);
    RUN(test_memory);
    RUN(test_malformed);
    RUN(test_file);
    RUN(test_bundle);
    RUN(test_folder);
    RUN(test_frozen);
    RUN(test_authorities);
    RUN(test_no_memory);
    RUN(test_platform);
    chain_free(chain);
    intern_clear();
    pki_clear(pki);
    return check_done();
}

#include "x509/certificate.h"

#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "crypto/hash.h"
#include "handfast_names.h"
#include "pki.h"
#include "x509/intern.h"

static hf_certificate *parse(const struct pki_cert *made)
{
    hf_error err = {0};
    hf_certificate *cert = hf_certificate_parse(made->der, made->der_len, &err);
    if (!cert)
        printf("    %s: %s\n", hf_code_name(err.code), err.detail);
    return cert;
}

static void test_fields(void)
{
    struct pki_cert *root =
        pki_make(&(struct pki_spec){.subject = "Wurzel \303\244, Inc.", .ca = true}, NULL);
    struct pki_cert *leaf = pki_make(
        &(struct pki_spec){.subject = "leaf",
                           .names = "DNS:a.example,IP:10.0.0.1,IP:::1,email:a@b,URI:http://u/",
                           .not_before = PKI_NOW - 5,
                           .not_after = PKI_NOW + 7},
        root);
    hf_certificate *cert = parse(leaf), *ca = parse(root);
    CHECK_STR(hf_certificate_subject(cert), "CN=leaf");
    CHECK_STR(hf_certificate_issuer(cert), "CN=Wurzel \303\244\\, Inc.");
    CHECK_STR(hf_certificate_names(cert),
              "DNS:a.example, IP:10.0.0.1, IP:::1, email:a@b, URI:http://u/");
    CHECK_STR(hf_certificate_names(ca), "");
    CHECK(strlen(hf_certificate_serial(cert)) == 4);
    CHECK_STR(hf_certificate_key(cert), "EC P-256");
    CHECK_STR(hf_certificate_signature(cert), "ecdsa-with-SHA256");
    CHECK_INT(hf_certificate_not_before(cert), PKI_NOW - 5);
    CHECK_INT(hf_certificate_not_after(cert), PKI_NOW + 7);
    CHECK(!hf_certificate_is_ca(cert) && hf_certificate_is_ca(ca));
    CHECK(!cert_is_self_issued(cert) && cert_is_self_issued(ca));
    CHECK(cert_allows_signing(cert) && !cert_allows_signing(ca));
    size_t len = 0;
    CHECK_MEM(hf_certificate_der(cert, &len), leaf->der, leaf->der_len);
    CHECK_INT(len, leaf->der_len);
    CHECK(slice_equal(cert_der(cert), slice_of(leaf->der, leaf->der_len)));
    uint8_t sha[32];
    hash_once(HASH_SHA256, leaf->der, leaf->der_len, sha);
    CHECK_MEM(hf_certificate_sha256(cert), sha, 32);
    /* A text is computed once. */
    CHECK(hf_certificate_subject(cert) == hf_certificate_subject(cert));
    hf_certificate_free(cert);
    hf_certificate_free(ca);
    pki_free(leaf);
    pki_free(root);
}

static void test_kinds(void)
{
    const struct {
        const char *key;
        enum key_kind kind;
        enum sig_id own; /* what it is signed with if by itself */
    } want[PKI_KINDS] = {
        [PKI_P256] = {"EC P-256", KEY_P256, SIG_ECDSA_SHA256},
        [PKI_P384] = {"EC P-384", KEY_P384, SIG_ECDSA_SHA384},
        [PKI_P521] = {"EC P-521", KEY_P521, SIG_ECDSA_SHA512},
        [PKI_RSA] = {"RSA 2048", KEY_RSA, SIG_PKCS1_SHA256},
        [PKI_RSA_1024] = {"RSA 1024", KEY_RSA, SIG_PKCS1_SHA256},
        /* libcrypto 3.0 signs such certificates with the longest salt that fits, which TLS has not. */
        [PKI_RSA_PSS] = {"RSA-PSS 2048", KEY_RSA_PSS,
                         hf_crypto_version_number() < 0x30100000 ? SIG_NONE : SIG_PSS_SHA256},
        [PKI_ED25519] = {"Ed25519", KEY_ED25519, SIG_ED25519},
        [PKI_ED448] = {"Ed448", KEY_ED448, SIG_ED448},
    };
    for (int kind = 0; kind < PKI_KINDS; kind++) {
        struct pki_cert *made = pki_make(&(struct pki_spec){.kind = (enum pki_kind)kind}, NULL);
        hf_certificate *cert = parse(made);
        CHECK_STR(hf_certificate_key(cert), want[kind].key);
        CHECK(cert_key(cert) && public_key_kind(cert_key(cert)) == want[kind].kind);
        CHECK_INT(cert_signed_with(cert), want[kind].own);
        CHECK_STR(hf_certificate_subject(cert), "");
        hf_certificate_free(cert);
        pki_free(made);
    }
    struct pki_cert *sha1 =
        pki_make(&(struct pki_spec){.kind = PKI_RSA, .digest = "SHA1"}, NULL);
    hf_certificate *cert = parse(sha1);
    CHECK_INT(cert_signed_with(cert), SIG_NONE);
    CHECK_STR(hf_certificate_signature(cert), "sha1WithRSAEncryption");
    hf_certificate_free(cert);
    pki_free(sha1);
}

static void test_malformed(void)
{
    struct pki_cert *made = pki_make(&(struct pki_spec){.names = "DNS:a.example"}, NULL);
    uint8_t *more = malloc(made->der_len + 1);
    memcpy(more, made->der, made->der_len);
    more[made->der_len] = 0;
    hf_error err = {0};
    CHECK(!hf_certificate_parse(more, made->der_len + 1, &err));
    CHECK_INT(err.code, HF_E_BAD_CERTIFICATE);
    CHECK(strstr(err.detail, "1 bytes follow") != NULL);
    /* Every truncation is refused. */
    for (size_t n = 0; n < made->der_len; n++) {
        err = (hf_error){0};
        CHECK(!hf_certificate_parse(made->der, n, &err));
        CHECK_INT(err.code, HF_E_BAD_CERTIFICATE);
    }
    /* A changed byte gives an error or another certificate, never this one. */
    uint8_t sha[32];
    hash_once(HASH_SHA256, made->der, made->der_len, sha);
    for (size_t n = 0; n < made->der_len; n++) {
        memcpy(more, made->der, made->der_len);
        more[n] ^= 0x5a;
        hf_certificate *cert = hf_certificate_parse(more, made->der_len, NULL);
        if (!cert)
            continue;
        CHECK(memcmp(hf_certificate_sha256(cert), sha, 32) != 0);
        CHECK(hf_certificate_subject(cert) && hf_certificate_names(cert));
        CHECK(hf_certificate_key(cert) && hf_certificate_signature(cert));
        hf_certificate_free(cert);
    }
    CHECK(!hf_certificate_parse(NULL, 0, &err));
    hf_certificate_free(NULL);
    free(more);
    pki_free(made);
}

static void test_interned(void)
{
    struct pki_cert *made = pki_make(&(struct pki_spec){.subject = "x"}, NULL);
    intern_clear();
    hf_certificate *a = parse(made), *b = parse(made);
    CHECK(a == b);
    CHECK_INT(intern_count(), 1);
    hf_certificate_free(a);
    hf_certificate_free(b);
    CHECK_INT(intern_count(), 1);
    intern_clear();
    CHECK_INT(intern_count(), 0);
    pki_free(made);
}

/* More certificates than the table holds: it stays bounded, one that is asked for all the time stays,
 * and those evicted stay alive for whoever holds them. */
static void test_eviction(void)
{
    struct pki_cert *issuer = pki_make(&(struct pki_spec){.subject = "i", .ca = true}, NULL);
    intern_clear();
    hf_certificate *hot = parse(issuer), *first = NULL;
    for (int i = 0; i < 2 * INTERN_CAPACITY; i++) {
        struct pki_cert *made = pki_make(
            &(struct pki_spec){.subject = "y", .key_of = issuer, .bare = true}, issuer);
        hf_certificate *cert = parse(made);
        if (i == 0)
            first = hf_certificate_ref(cert);
        hf_certificate_free(cert);
        pki_free(made);
        hf_certificate *again = parse(issuer);
        CHECK(again == hot);
        hf_certificate_free(again);
    }
    CHECK(intern_count() <= INTERN_CAPACITY);
    CHECK(intern_count() > INTERN_CAPACITY / 2);
    CHECK_STR(hf_certificate_subject(first), "CN=y");
    hf_certificate_free(first);
    hf_certificate_free(hot);
    intern_clear();
    pki_free(issuer);
}

static struct pki_cert *shared[8];

static void *hammer(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < 3000; i++) {
        seed = seed * 1103515245u + 12345u;
        hf_certificate *cert = hf_certificate_parse(shared[seed >> 16 & 7]->der,
                                                    shared[seed >> 16 & 7]->der_len, NULL);
        if (!cert || !*hf_certificate_subject(cert) || !*hf_certificate_key(cert))
            return "failed";
        if (seed >> 20 & 1 && i % 100 == 0)
            intern_clear();
        hf_certificate_free(cert);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread[4];
    for (size_t i = 0; i < 8; i++)
        shared[i] = pki_make(&(struct pki_spec){.subject = "t"}, NULL);
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, hammer, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;
        pthread_join(thread[i], &result);
        CHECK(result == NULL);
    }
    intern_clear();
    for (size_t i = 0; i < 8; i++)
        pki_free(shared[i]);
}

static void test_no_memory(void)
{
    ROW("C14");
    struct pki_cert *made = pki_make(&(struct pki_spec){.names = "DNS:a.example"}, NULL);
    unsigned n = 1;
    for (; n < 50; n++) {
        hf_error err = {0};
        intern_clear();
        mem_test_fail_after(n);
        hf_certificate *cert = hf_certificate_parse(made->der, made->der_len, &err);
        mem_test_fail_after(0);
        if (cert && cert_key(cert)) {
            hf_certificate_free(cert);
            break;
        }
        CHECK(cert || err.code != HF_OK);
        /* What a shortage has crippled is not kept. */
        CHECK_INT(intern_count(), 0);
        hf_certificate_free(cert);
    }
    CHECK(n > 1 && n < 50);
    hf_certificate *cert = parse(made);
    mem_test_fail_after(1);
    CHECK_STR(hf_certificate_names(cert), "");
    mem_test_fail_after(0);
    CHECK_STR(hf_certificate_names(cert), "DNS:a.example");
    hf_certificate *one[1] = {cert};
    mem_test_fail_after(1);
    CHECK(!chain_new(one, 1));
    mem_test_fail_after(0);
    CHECK(!chain_new(one, 0));
    hf_certificate *many[CHAIN_MAX + 1];
    for (size_t i = 0; i <= CHAIN_MAX; i++)
        many[i] = cert;
    CHECK(!chain_new(many, CHAIN_MAX + 1));
    struct chain *chain = chain_new(many, CHAIN_MAX);
    CHECK(chain && chain->count == CHAIN_MAX && chain_ref(chain) == chain);
    chain_free(chain);
    chain_free(chain);
    hf_certificate_free(cert);
    intern_clear();
    pki_free(made);
}

int main(void)
{
    RUN(test_fields);
    RUN(test_kinds);
    RUN(test_malformed);
    RUN(test_interned);
    RUN(test_eviction);
    RUN(test_threads);
    RUN(test_no_memory);
    return check_done();
}

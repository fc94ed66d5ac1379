/* The context that decodes certificates gives what the ordinary one gives. */
#include "check.h"
#include "pki.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/decoding.h"

static X509 *decode(const struct pki_cert *cert, void *context)
{
    const unsigned char *p = cert->der;
    X509 *x = X509_new_ex(context, NULL);
    return x && d2i_X509(&x, &p, (long)cert->der_len) ? x : NULL;
}

static void compare(enum pki_kind kind)
{
    struct pki_spec spec = {.kind = kind, .subject = "leaf", .names = "DNS:a.example"};
    struct pki_cert *cert = pki_make(&spec, NULL);
    X509 *a = decode(cert, NULL), *b = decode(cert, decoding_context());
    CHECK(a && b);
    EVP_PKEY *ka = X509_get0_pubkey(a), *kb = X509_get0_pubkey(b);
    CHECK(ka && kb);
    if (ka && kb) {
        CHECK_INT(EVP_PKEY_get_bits(kb), EVP_PKEY_get_bits(ka));
        CHECK_INT(EVP_PKEY_get_security_bits(kb), EVP_PKEY_get_security_bits(ka));
        CHECK_INT(EVP_PKEY_eq(ka, kb), 1);
        CHECK_INT(X509_verify(b, kb),
                  1); /* self-signed: libcrypto's own check works there too */
    }
    CHECK_INT(X509_cmp(a, b), 0);
    CHECK_INT(X509_get_extension_flags(b), X509_get_extension_flags(a));
    if (check_bad)
        printf("    with a key %s\n", pki_kind_name(kind));
    ERR_clear_error();
    X509_free(a);
    X509_free(b);
    pki_free(cert);
}

static void test_every_kind_of_key(void)
{
    for (int kind = 0; kind < PKI_KINDS; kind++)
        compare((enum pki_kind)kind);
}

static void test_context_is_there(void)
{
    if (EVP_default_properties_is_fips_enabled(NULL))
        SKIP(
            "the machine's libcrypto asks for FIPS: the ordinary context is used; run without");
    CHECK(decoding_context() != NULL);
    CHECK(decoding_context() == decoding_context());
}

int main(void)
{
    RUN(test_context_is_there);
    RUN(test_every_kind_of_key);
    return check_done();
}

/* test_cipher.c: prints all that SSL_CIPHER tells of every suite. Run on handfast's libssl and on the system's,
 * the output is the same. */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>

static const char *text(const char *s)
{
    return s ? s : "NULL";
}

static void show(const SSL_CIPHER *c)
{
    int bits = -1;
    char line[128];
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(c);
    printf("%08x %04x %s %s %s %d", SSL_CIPHER_get_id(c), SSL_CIPHER_get_protocol_id(c),
           SSL_CIPHER_get_name(c), text(SSL_CIPHER_standard_name(c)), SSL_CIPHER_get_version(c),
           SSL_CIPHER_get_bits(c, &bits));
    printf(" %d cipher %d digest %d kx %d auth %d aead %d md %s\n", bits,
           SSL_CIPHER_get_cipher_nid(c), SSL_CIPHER_get_digest_nid(c), SSL_CIPHER_get_kx_nid(c),
           SSL_CIPHER_get_auth_nid(c), SSL_CIPHER_is_aead(c),
           md ? EVP_MD_get0_name(md) : "none");
    printf("  %s", SSL_CIPHER_description(c, line, sizeof line));
    printf("  %s\n", OPENSSL_cipher_name(SSL_CIPHER_standard_name(c)));
}

int main(void)
{
    int count = 0;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    if (!ssl)
        return 1;
    for (unsigned id = 0; id < 65536; id++) {
        unsigned char bytes[2] = {(unsigned char)(id >> 8), (unsigned char)id};
        const SSL_CIPHER *c = SSL_CIPHER_find(ssl, bytes);
        if (c) {
            show(c);
            count++;
        }
    }
    char small[127], *own = NULL;
    const SSL_CIPHER *c = SSL_CIPHER_find(ssl, (const unsigned char *)"\x13\x01");
    printf("%d suites, %s", count, own = SSL_CIPHER_description(c, NULL, 0));
    OPENSSL_free(own);
    printf("%s %s %s %s\n", text(SSL_CIPHER_description(c, small, sizeof small)),
           SSL_CIPHER_get_name(NULL), SSL_CIPHER_get_version(NULL),
           SSL_CIPHER_standard_name(NULL));
    printf("%s %s %d\n", OPENSSL_cipher_name("nothing"), OPENSSL_cipher_name(NULL),
           SSL_CIPHER_get_bits(NULL, NULL));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}

/* test_certificate_serverinfo.c: extensions that come with a server's certificate. */
#include "handshake.h"
#include "pki.h"

static struct pki *pki;

static int add_old(SSL *s, unsigned type, const unsigned char **out, size_t *len, int *al,
                   void *arg)
{
    (void)s, (void)type, (void)out, (void)al, (void)arg;
    *len = 0;
    return 1;
}

static int parse_old(SSL *s, unsigned type, const unsigned char *in, size_t len, int *al,
                     void *arg)
{
    (void)s, (void)al, (void)arg;
    printf("  client got %x: %.*s\n", type, (int)len, (const char *)in);
    return 1;
}

static int add_new(SSL *s, unsigned type, unsigned context, const unsigned char **out,
                   size_t *len, X509 *x, size_t chainidx, int *al, void *arg)
{
    (void)context, (void)x, (void)chainidx;
    return add_old(s, type, out, len, al, arg);
}

static int parse_new(SSL *s, unsigned type, unsigned context, const unsigned char *in,
                     size_t len, X509 *x, size_t chainidx, int *al, void *arg)
{
    (void)x;
    printf("  context %x, certificate %zu\n", context, chainidx);
    return parse_old(s, type, in, len, al, arg);
}

static void run(int version, unsigned format, unsigned context, int asks)
{
    unsigned char v1[] = {0x12, 0x34, 0, 3, 'a', 'b', 'c'};
    unsigned char v2[] = {0, 0, 0, 0, 0x12, 0x34, 0, 3, 'd', 'e', 'f'};
    struct ends e;
    v2[2] = (unsigned char)(context >> 8);
    v2[3] = (unsigned char)context;
    ends_init(&e, version);
    printf("== %x, format %u, context %x, asks %d\n", version, format, context, asks);
    SSL_CTX_use_certificate(e.server_ctx, pki->leaf->x509);
    SSL_CTX_use_PrivateKey(e.server_ctx, pki->leaf->key);
    SSL_CTX_add1_chain_cert(e.server_ctx, (X509 *)pki->mid->x509);
    SHOW(format == 1
             ? SSL_CTX_use_serverinfo(e.server_ctx, v1, sizeof v1)
             : SSL_CTX_use_serverinfo_ex(e.server_ctx, SSL_SERVERINFOV2, v2, sizeof v2));
    if (asks && format == 1)
        SHOW(SSL_CTX_add_client_custom_ext(e.client_ctx, 0x1234, add_old, NULL, NULL, parse_old,
                                           NULL));
    else if (asks)
        SHOW(SSL_CTX_add_custom_ext(e.client_ctx, 0x1234, context, add_new, NULL, NULL,
                                    parse_new, NULL));
    ends_join(&e);
    ends_show("serverinfo", &e);
    ends_clear(&e);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    pki = pki_new(PKI_P256, "DNS:a.example");
    for (size_t i = 0; i < 2; i++) {
        for (int asks = 0; asks < 2; asks++) {
            run(versions[i], 1, 0, asks);
            run(versions[i], 2, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE, asks);
            run(versions[i], 2, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO, asks);
            run(versions[i], 2, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS,
                asks);
        }
    }
    pki_clear(pki);
    return 0;
}

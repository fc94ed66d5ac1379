/* Which kinds of certificates a server asks its client for (RFC 5246 7.4.4). */
#include "pair.h"

static int on_certificate(SSL *s, void *arg)
{
    const unsigned char *p;
    size_t n = (size_t)SSL_get0_certificate_types(s, &p);
    (void)arg;
    printf("  types:");
    /* The system's library names DSS, which ours cannot verify. */
    for (size_t i = 0; i < n; i++) {
        if (p[i] != TLS_CT_DSS_SIGN)
            printf(" %d", p[i]);
    }
    printf("\n");
    return 1;
}

static void test(int version, const char *list, int of_clients)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    MUST(client && server);
    pair_use_certificate(server);
    SSL_CTX_set_security_level(client, 0);
    SSL_CTX_set_security_level(server, 0);
    SSL_CTX_set_min_proto_version(server, TLS1_VERSION);
    SSL_CTX_set_min_proto_version(client, version);
    SSL_CTX_set_max_proto_version(client, version);
    if (list && of_clients)
        MUST(SSL_CTX_set1_client_sigalgs_list(server, list) == 1);
    else if (list)
        MUST(SSL_CTX_set1_sigalgs_list(server, list) == 1);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_cb(client, on_certificate, NULL);
    struct pair p = pair_new(client, server);
    printf("%x %s %d\n", (unsigned)version, list ? list : "default", of_clients);
    printf("  %d\n", pair_shake(&p));
    ERR_clear_error();
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    static const char *const lists[] = {
        NULL,      "RSA-PSS+SHA256",          "ECDSA+SHA256",
        "ed25519", "RSA+SHA256:ECDSA+SHA384", "rsa_pss_pss_sha256:ed448",
        "RSA+SHA1"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        test(TLS1_VERSION, lists[i], 1);
        test(TLS1_2_VERSION, lists[i], 1);
        if (i !=
            6) /* what nobody may sign with in TLS 1.3 the system's library does not ask for */
            test(TLS1_3_VERSION, lists[i], 1);
    }
    test(TLS1_2_VERSION, "ECDSA+SHA256", 0);
    test(TLS1_2_VERSION, "ECDSA+SHA256:RSA+SHA256", 0);
    return 0;
}

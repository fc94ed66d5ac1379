/* Handshakes that fail, and what each side is told of it. */
#include "pair.h"
#include "show.h"

/* Without what providers say of a record that cannot be decrypted: only the system's library shows that. */
static void show_own_errors(void)
{
    unsigned long e;
    while ((e = ERR_get_error())) {
        if (ERR_GET_LIB(e) != ERR_LIB_PROV)
            printf("    %08lx %s\n", e, ERR_reason_error_string(e));
    }
}

struct seen {
    SSL_CTX *client, *server;
};

static int version;

static void step(const char *who, SSL *s)
{
    ERR_clear_error();
    int r = SSL_do_handshake(s), error = SSL_get_error(s, r);
    if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) {
        printf("  %s: %d error %d\n", who, r, error);
        show_own_errors();
    }
}

static struct seen contexts(void)
{
    struct seen c = {SSL_CTX_new(TLS_client_method()), SSL_CTX_new(TLS_server_method())};
    MUST(c.client && c.server);
    SSL_CTX_set_min_proto_version(c.client, version);
    SSL_CTX_set_max_proto_version(c.client, version);
    pair_use_certificate(c.server);
    return c;
}

/* A client that cannot begin. It sends an alert, at which the system's library says that it expected another
 * message, and ours what it was. */
static void run_client(const char *what, struct seen *c)
{
    struct pair p = pair_new(c->client, c->server);
    printf("%s\n", what);
    step("client", p.client);
    step("client", p.client);
    SSL_free(p.server);
    SSL_free(p.client);
    SSL_CTX_free(c->client);
    SSL_CTX_free(c->server);
}

/* Until both have nothing more to say. */
static void run(const char *what, struct seen *c)
{
    struct pair p = pair_new(c->client, c->server);
    char byte;
    printf("%s\n", what);
    for (int i = 0; i < 3; i++) {
        step("client", p.client);
        step("server", p.server);
    }
    printf("  init %d %d\n", SSL_in_init(p.client), SSL_in_init(p.server));
    if (!SSL_in_init(p.client) && SSL_in_init(p.server)) {
        ERR_clear_error();
        int r = SSL_read(p.client, &byte, 1);
        printf("  client reads %d error %d\n", r, SSL_get_error(p.client, r));
        show_errors();
    }
    pair_free(&p);
    SSL_CTX_free(c->client);
    SSL_CTX_free(c->server);
}

static int refuse_alpn(SSL *s, const unsigned char **out, unsigned char *len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    (void)s, (void)out, (void)len, (void)in, (void)in_len, (void)arg;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int refuse_name(SSL *s, int *alert, void *arg)
{
    (void)s, (void)arg;
    *alert = SSL_AD_ACCESS_DENIED;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int refuse_hello(SSL *s, int *alert, void *arg)
{
    (void)s, (void)arg;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
}

static int refuse_certificate(SSL *s, void *arg)
{
    (void)s, (void)arg;
    return 0;
}

static int refuse_status(SSL *s, void *arg)
{
    (void)s, (void)arg;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static unsigned no_psk_client(SSL *s, const char *hint, char *identity, unsigned max,
                              unsigned char *key, unsigned key_max)
{
    (void)s, (void)hint, (void)identity, (void)max, (void)key, (void)key_max;
    return 0;
}

static unsigned psk_client(SSL *s, const char *hint, char *identity, unsigned max,
                           unsigned char *key, unsigned key_max)
{
    (void)s, (void)hint, (void)key_max;
    snprintf(identity, max, "me");
    memset(key, 7, 16);
    return 16;
}

static unsigned psk_other(SSL *s, const char *identity, unsigned char *key, unsigned max)
{
    (void)s, (void)identity, (void)max;
    memset(key, 8, 16);
    return 16;
}

static unsigned no_psk_server(SSL *s, const char *identity, unsigned char *key, unsigned max)
{
    (void)s, (void)identity, (void)key, (void)max;
    return 0;
}

static void test_lists(void)
{
    struct seen c = contexts();
    MUST(SSL_CTX_set_cipher_list(c.client, "ECDHE-ECDSA-AES128-GCM-SHA256") &&
         SSL_CTX_set_cipher_list(c.server, "ECDHE-ECDSA-AES256-GCM-SHA384") &&
         SSL_CTX_set_ciphersuites(c.client, "TLS_AES_128_GCM_SHA256") &&
         SSL_CTX_set_ciphersuites(c.server, "TLS_AES_256_GCM_SHA384"));
    run("no suite is shared", &c);
    c = contexts();
    MUST(SSL_CTX_set_cipher_list(c.server, "ECDHE-RSA-AES256-GCM-SHA384"));
    run("no suite for the certificate", &c);
    c = contexts();
    MUST(SSL_CTX_set1_groups_list(c.client, "P-384") &&
         SSL_CTX_set1_groups_list(c.server, "P-256"));
    run("no group is shared", &c);
    c = contexts();
    MUST(SSL_CTX_set1_sigalgs_list(c.client, "RSA-PSS+SHA256"));
    run("no scheme for the certificate", &c);
    if (version ==
        TLS1_2_VERSION) { /* the system's library does not count as one of TLS 1.3 then */
        c = contexts();
        MUST(SSL_CTX_set1_sigalgs_list(c.server, "RSA-PSS+SHA256"));
        run("a server that cannot sign with its key", &c);
    }
    c = contexts();
    MUST(SSL_CTX_set_ciphersuites(c.client, ""));
    if (version == TLS1_3_VERSION)
        run_client("no suites of TLS 1.3", &c);
    else
        run("no suites of TLS 1.3", &c);
    c = contexts();
    MUST(SSL_CTX_set_cipher_list(c.client, "DHE-RSA-AES128-GCM-SHA256"));
    run("DH that the server does not have", &c);
}

static void test_versions(void)
{
    int other = version == TLS1_3_VERSION ? TLS1_2_VERSION : TLS1_3_VERSION;
    struct seen c = contexts();
    SSL_CTX_set_min_proto_version(c.server, other);
    SSL_CTX_set_max_proto_version(c.server, other);
    run("no version is shared", &c);
    c = contexts();
    SSL_CTX_set_options(c.client, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
    run_client("a client without a version", &c);
    c = contexts();
    SSL_CTX_set_options(c.server, SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_1 |
                                      SSL_OP_NO_TLSv1);
    run("a server without a version", &c);
    c = contexts();
    SSL_CTX_set_security_level(c.client, 4);
    run("a client at level 4", &c);
}

static void test_certificates(void)
{
    struct seen c;
    if (version == TLS1_2_VERSION) { /* as above */
        c = contexts();
        SSL_CTX_free(c.server);
        c.server = SSL_CTX_new(TLS_server_method());
        run("a server without a certificate", &c);
    }
    c = contexts();
    SSL_CTX_set_verify(c.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    run("a client without a certificate", &c);
    c = contexts();
    SSL_CTX_set_verify(c.server, SSL_VERIFY_PEER, NULL);
    pair_use_certificate(c.client);
    run("a client whose certificate nobody knows", &c);
    c = contexts();
    SSL_CTX_set_verify(c.client, SSL_VERIFY_PEER, NULL);
    run("a server whose certificate nobody knows", &c);
    if (version == TLS1_3_VERSION)
        return;
    c = contexts();
    SSL_CTX_set_verify(c.server, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set1_sigalgs_list(c.server, "ECDSA+SHA384");
    SSL_CTX_set1_client_sigalgs_list(c.server, "RSA-PSS+SHA256");
    pair_use_certificate(c.client);
    run("a client's certificate that the server cannot use", &c);
}

static void test_callbacks(void)
{
    struct seen c = contexts();
    SSL_CTX_set_alpn_protos(c.client, (const unsigned char *)"\1a", 2);
    SSL_CTX_set_alpn_select_cb(c.server, refuse_alpn, NULL);
    run("ALPN refused", &c);
    c = contexts();
    SSL_CTX_set_tlsext_servername_callback(c.server, refuse_name);
    run("a name refused", &c);
    c = contexts();
    SSL_CTX_set_client_hello_cb(c.server, refuse_hello, NULL);
    run("a hello refused", &c);
    c = contexts();
    SSL_CTX_set_cert_cb(c.server, refuse_certificate, NULL);
    run("no certificate chosen", &c);
    c = contexts();
    SSL_CTX_set_cert_cb(c.client, refuse_certificate, NULL);
    SSL_CTX_set_verify(c.server, SSL_VERIFY_PEER, NULL);
    run("no certificate of a client chosen", &c);
    c = contexts();
    SSL_CTX_set_tlsext_status_type(c.client, TLSEXT_STATUSTYPE_ocsp);
    SSL_CTX_set_tlsext_status_cb(c.server, refuse_status);
    run("no response chosen", &c);
}

static void test_psk(void)
{
    struct seen c = contexts();
    MUST(SSL_CTX_set_cipher_list(c.client, "PSK-AES128-GCM-SHA256") &&
         SSL_CTX_set_cipher_list(c.server, "PSK-AES128-GCM-SHA256"));
    SSL_CTX_set_psk_client_callback(c.client, no_psk_client);
    SSL_CTX_set_psk_server_callback(c.server, psk_other);
    run("a client without a key", &c);
    c = contexts();
    MUST(SSL_CTX_set_cipher_list(c.client, "PSK-AES128-GCM-SHA256") &&
         SSL_CTX_set_cipher_list(c.server, "PSK-AES128-GCM-SHA256"));
    SSL_CTX_set_psk_client_callback(c.client, psk_client);
    SSL_CTX_set_psk_server_callback(c.server, no_psk_server);
    run("a server without a key", &c);
    c = contexts();
    MUST(SSL_CTX_set_cipher_list(c.client, "PSK-AES128-GCM-SHA256") &&
         SSL_CTX_set_cipher_list(c.server, "PSK-AES128-GCM-SHA256"));
    SSL_CTX_set_psk_client_callback(c.client, psk_client);
    SSL_CTX_set_psk_server_callback(c.server, psk_other);
    run("two keys", &c);
}

int main(void)
{
    for (version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        printf("version %x\n", (unsigned)version);
        test_lists();
        test_versions();
        test_certificates();
        test_callbacks();
        if (version == TLS1_2_VERSION)
            test_psk();
    }
    return 0;
}

/* test_variant.c: connections that each change settings of their own in the same way (as nginx's do), while their
 * context changes under them: each must have its own settings and its context's latest. */
#include "pair.h"
#include "show.h"

static SSL_CTX *client, *server;

static X509 *certificate(const char *name, EVP_PKEY **key)
{
    X509 *x = pair_certificate(key);
    X509_NAME *subject = X509_NAME_new();
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_subject_name(x, subject);
    X509_set_issuer_name(x, subject);
    X509_NAME_free(subject);
    MUST(X509_sign(x, *key, EVP_sha256()));
    return x;
}

static void serve_as(SSL_CTX *ctx, SSL *s, const char *name)
{
    EVP_PKEY *key;
    X509 *x = certificate(name, &key);
    if (ctx)
        MUST(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    if (s)
        MUST(SSL_use_certificate(s, x) == 1 && SSL_use_PrivateKey(s, key) == 1);
    X509_free(x);
    EVP_PKEY_free(key);
}

enum change { OPTION, TICKETS, VERSION, OWN_CERTIFICATE, CIPHERS, NAMES, CHANGES };

static void change(SSL *s, int what)
{
    static const char *const words[] = {"option",      "tickets", "version",
                                        "certificate", "ciphers", "names"};
    printf("  changes its %s:", words[what]);
    switch (what) {
    case TICKETS: SSL_set_num_tickets(s, 1); break;
    case VERSION: SSL_set_max_proto_version(s, TLS1_2_VERSION); break;
    case OWN_CERTIFICATE: serve_as(NULL, s, "the connection's own"); break;
    case CIPHERS: SSL_set_cipher_list(s, "ECDHE-ECDSA-CHACHA20-POLY1305"); break;
    case NAMES: SSL_add_client_CA(s, SSL_get_certificate(s)); break;
    default: break;
    }
    SSL_set_options(s, SSL_OP_NO_RENEGOTIATION);
}

static void once(int what)
{
    struct pair p = pair_new(client, server);
    change(p.server, what);
    int ok = pair_shake(&p);
    X509 *peer = SSL_get1_peer_certificate(p.client);
    printf(" shake %d %s %s, certificate %s, options %llx, names %d, verify %d\n", ok,
           SSL_get_version(p.client), SSL_get_cipher(p.client), cn_of(peer),
           (unsigned long long)SSL_get_options(p.server),
           sk_X509_NAME_num(SSL_get_client_CA_list(p.server)), SSL_get_verify_mode(p.server));
    X509_free(peer);
    SSL_shutdown(p.client);
    SSL_shutdown(p.server);
    pair_free(&p);
    ERR_clear_error();
}

static void round_of(const char *what)
{
    printf("%s\n", what);
    /* There and back, so that what was just remembered is looked for next. */
    for (int i = 0; i < CHANGES; i++)
        once(i);
    for (int i = CHANGES - 1; i >= 0; i--)
        once(i);
}

static int chosen(SSL *s, const unsigned char **out, unsigned char *len,
                  const unsigned char *in, unsigned in_len, void *arg)
{
    (void)s, (void)in_len;
    printf(" [ALPN %s]", (const char *)arg);
    *out = in + 1;
    *len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void on_info(const SSL *s, int where, int ret)
{
    (void)s, (void)ret;
    if (where & SSL_CB_HANDSHAKE_DONE)
        printf(" [done]");
}

static int keys; /* lines of the key log; their order is the library's own */

static void on_key(const SSL *s, const char *line)
{
    (void)s;
    (void)line;
    keys++;
}

int main(void)
{
    static char arg[] = "asked";
    client = SSL_CTX_new(TLS_client_method());
    server = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_alpn_protos(client, (const unsigned char *)"\2h2", 3);
    serve_as(server, NULL, "first");
    round_of("as it is");
    serve_as(server, NULL, "second");
    round_of("another certificate");
    SSL_CTX_set_info_callback(server, on_info);
    round_of("an info callback");
    SSL_CTX_set_alpn_select_cb(server, chosen, arg);
    round_of("an ALPN callback");
    SSL_CTX_set_keylog_callback(server, on_key);
    round_of("a key log");
    printf("%d lines\n", keys);
    SSL_CTX_set_keylog_callback(server, NULL);
    round_of("none again");
    printf("%d lines\n", keys);
    SSL_CTX_set_cipher_list(server,
                            "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305");
    SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
    round_of("TLS 1.2 only, and other ciphers");
    SSL_CTX_set_info_callback(server, NULL);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    round_of("asks for certificates");
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}

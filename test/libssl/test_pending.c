/* test_pending.c: which cipher is in force, and which is about to be, at every step of a handshake. */
#include "pair.h"

static const char *side(const SSL *s)
{
    return SSL_is_server(s) ? "server" : "client";
}

static void ciphers(const SSL *s, const char *when)
{
    const SSL_CIPHER *now = SSL_get_current_cipher(s), *next = SSL_get_pending_cipher(s);
    printf("  %s %-5s %s: %s, %s\n", side(s), SSL_state_string(s), when,
           now ? SSL_CIPHER_get_name(now) : "none", next ? SSL_CIPHER_get_name(next) : "none");
}

static void on_info(const SSL *s, int where, int ret)
{
    char text[32];
    (void)ret;
    snprintf(text, sizeof text, "%x", (unsigned)where);
    ciphers(s, text);
}

/* Which callback comes before which step is another matter. */
enum { CERTIFICATE, VERIFY, SESSION, REQUEST, KINDS };
static char asked[KINDS][4096];

static void ask(const SSL *s, int kind, const char *name)
{
    const SSL_CIPHER *now = SSL_get_current_cipher(s), *next = SSL_get_pending_cipher(s);
    size_t len = strlen(asked[kind]);
    snprintf(asked[kind] + len, sizeof asked[kind] - len, "  %s %s: %s, %s\n", side(s), name,
             now ? SSL_CIPHER_get_name(now) : "none",
             next ? SSL_CIPHER_get_name(next) : "none");
}

static int on_certificate(SSL *s, void *arg)
{
    (void)arg;
    if (!SSL_is_server(s) || SSL_version(s) < TLS1_3_VERSION)
        ask(s, CERTIFICATE, "certificate");
    return 1;
}

static int on_verify(X509_STORE_CTX *ctx, void *arg)
{
    (void)arg;
    ask(X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx()), VERIFY,
        "verify");
    return 1;
}

static int on_session(SSL *s, SSL_SESSION *session)
{
    (void)session;
    ask(s, SESSION, "session");
    return 0;
}

static int on_request(SSL *s, X509 **x, EVP_PKEY **key)
{
    (void)x, (void)key;
    ask(s, REQUEST, "client certificate");
    return 0;
}

static SSL_CTX *context(int server, int version, const char *list, const char *suites)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_info_callback(ctx, on_info);
    SSL_CTX_set_cert_cb(ctx, on_certificate, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
    MUST(SSL_CTX_set1_groups_list(ctx, server ? "P-256" : "P-384:P-256"));
    MUST(SSL_CTX_set_cipher_list(ctx, list) && SSL_CTX_set_ciphersuites(ctx, suites));
    if (!server) {
        SSL_CTX_set_client_cert_cb(ctx, on_request);
        return ctx;
    }
    pair_use_certificate(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"a", 1);
    return ctx;
}

static void read_once(SSL *s)
{
    char c;
    SSL_read(s, &c, 1);
}

/* The second handshake resumes the session of the first, then both renegotiate. */
static void run(int version, const char *server_list, const char *server_suites)
{
    SSL_CTX *client = context(0, version, "ALL:@SECLEVEL=0",
                              "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"),
            *server = context(1, version, server_list, server_suites);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++) {
        printf("%x %s, handshake %d\n", (unsigned)version, server_list, i);
        struct pair p = pair_new(client, server);
        SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
        SSL_set_session(p.client, session);
        if (i > 0)
            SSL_set1_groups_list(p.client, "P-256");
        ciphers(p.client, "new");
        ciphers(p.server, "new");
        int done = pair_shake(&p);
        printf("  done %d\n", done);
        pair_errors();
        read_once(p.client);
        ciphers(p.client, "after");
        ciphers(p.server, "after");
        if (done && version < TLS1_3_VERSION) {
            SSL_renegotiate(p.client);
            ciphers(p.client, "asked");
            for (int n = 0; n < 4; n++) {
                SSL_do_handshake(p.client);
                read_once(p.server);
            }
            read_once(p.client);
            ciphers(p.client, "again");
            ciphers(p.server, "again");
        }
        SSL_SESSION_free(session);
        session = SSL_get1_session(p.client);
        SSL_shutdown(p.client);
        SSL_shutdown(p.server);
        ciphers(p.client, "shut down");
        SSL_clear(p.client);
        ciphers(p.client, "cleared");
        for (int kind = 0; kind < KINDS; kind++) {
            printf("%s", asked[kind]);
            asked[kind][0] = 0;
        }
        pair_free(&p);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    run(TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384");
    run(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", "TLS_AES_256_GCM_SHA384");
    run(TLS1_2_VERSION, "AECDH-AES128-SHA:@SECLEVEL=0", "TLS_AES_256_GCM_SHA384");
    run(TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA", "TLS_AES_256_GCM_SHA384");
    run(TLS1_3_VERSION, "ALL", "TLS_AES_256_GCM_SHA384");
    run(TLS1_3_VERSION, "ALL", "TLS_CHACHA20_POLY1305_SHA256");
    return 0;
}

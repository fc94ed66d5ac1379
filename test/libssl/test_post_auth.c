/* test_post_auth.c: a client's certificate after the handshake (RFC 8446 4.6.2), asked for by libssl's calls. */
#include "pair.h"

static int verified;

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    SSL *s = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    printf("  verify: server %d, preverify %d, error %d, depth %d\n", s ? SSL_is_server(s) : -1,
           ok, X509_STORE_CTX_get_error(ctx), X509_STORE_CTX_get_error_depth(ctx));
    verified++;
    return 1;
}

static void exchange(struct pair *p)
{
    char text[16];
    printf("  server: handshake %d, state %s", SSL_do_handshake(p->server),
           SSL_state_string(p->server));
    printf(", write %d\n", SSL_write(p->server, "ask", 3));
    int r = SSL_read(p->client, text, sizeof text);
    printf("  client: read %d, write %d\n", r, SSL_write(p->client, "answer", 6));
    pair_errors();
    r = SSL_read(p->server, text, sizeof text);
    printf("  server: read %d %.*s, error %d\n", r, r > 0 ? r : 0, text,
           SSL_get_error(p->server, r));
    pair_errors();
    X509 *peer = SSL_get1_peer_certificate(p->server);
    printf("  peer's certificate %d, verify result %ld, verify mode %d %d\n", peer != NULL,
           SSL_get_verify_result(p->server), SSL_get_verify_mode(p->server),
           SSL_get_verify_mode(p->client));
    X509_free(peer);
}

static void once(const char *what, SSL_CTX *client, SSL_CTX *server, int version, int willing,
                 int mode)
{
    struct pair p = pair_new(client, server);
    printf("%s, version %x\n", what, (unsigned)version);
    SSL_set_max_proto_version(p.client, version);
    SSL_set_post_handshake_auth(p.client, willing);
    verified = 0;
    printf("  before the handshake %d\n", SSL_verify_client_post_handshake(p.server));
    pair_errors();
    printf("  shake %d\n", pair_shake(&p));
    printf("  as a client %d\n", SSL_verify_client_post_handshake(p.client));
    pair_errors();
    SSL_set_verify(p.server, mode, on_verify);
    printf("  asked %d", SSL_verify_client_post_handshake(p.server));
    printf(", asked twice %d\n", SSL_verify_client_post_handshake(p.server));
    pair_errors();
    exchange(&p);
    printf("  asked again %d\n", SSL_verify_client_post_handshake(p.server));
    pair_errors();
    exchange(&p);
    printf("  verified %d\n", verified);
    pair_free(&p);
}

int main(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    SSL_CTX *poor = SSL_CTX_new(TLS_client_method());
    pair_use_certificate(server);
    pair_use_certificate(client);
    SSL_CTX_set_num_tickets(server, 0);
    SSL_CTX_set_session_id_context(server, (const unsigned char *)"later", 5);
    printf("verify callbacks %d %d\n", SSL_CTX_get_verify_callback(server) == NULL,
           SSL_CTX_get_verify_depth(server));
    once("a willing client", client, server, TLS1_3_VERSION, 1, SSL_VERIFY_PEER);
    once("once only", client, server, TLS1_3_VERSION, 1,
         SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE);
    once("an unwilling client", client, server, TLS1_3_VERSION, 0, SSL_VERIFY_PEER);
    once("no verification", client, server, TLS1_3_VERSION, 1, SSL_VERIFY_NONE);
    once("TLS 1.2", client, server, TLS1_2_VERSION, 1, SSL_VERIFY_PEER);
    once("no certificate", poor, server, TLS1_3_VERSION, 1, SSL_VERIFY_PEER);
    once("no certificate, which is needed", poor, server, TLS1_3_VERSION, 1,
         SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    SSL_CTX_free(poor);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}

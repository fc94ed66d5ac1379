/* test_verify_resumed.c: what is known of the peer when a session is resumed. */
#include "handshake.h"
#include "pki.h"

static struct pki *server_pki, *client_pki;
static SSL_SESSION *kept;
static int asked;

static int new_cb(SSL *s, SSL_SESSION *session)
{
    (void)s;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static int verify_cb(int ok, X509_STORE_CTX *sc)
{
    (void)sc;
    asked++;
    return ok;
}

static void contexts(struct ends *e, int version, int options)
{
    ends_init(e, version);
    SSL_CTX_use_certificate(e->server_ctx, server_pki->leaf->x509);
    SSL_CTX_use_PrivateKey(e->server_ctx, server_pki->leaf->key);
    SSL_CTX_add1_chain_cert(e->server_ctx, (X509 *)server_pki->mid->x509);
    SSL_CTX_use_certificate(e->client_ctx, client_pki->leaf->x509);
    SSL_CTX_use_PrivateKey(e->client_ctx, client_pki->leaf->key);
    SSL_CTX_add1_chain_cert(e->client_ctx, (X509 *)client_pki->mid->x509);
    SSL_CTX_set_session_id_context(e->server_ctx, (const unsigned char *)"x", 1);
    SSL_CTX_set_verify(e->server_ctx, SSL_VERIFY_PEER, verify_cb);
    SSL_CTX_set_verify(e->client_ctx, SSL_VERIFY_PEER, verify_cb);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(e->client_ctx), server_pki->root->x509);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(e->server_ctx), client_pki->root->x509);
    SSL_CTX_set_session_cache_mode(e->client_ctx,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(e->client_ctx, new_cb);
    SSL_CTX_set_options(e->server_ctx, (uint64_t)options);
}

static void finish(const char *title, struct ends *e)
{
    asked = 0;
    ends_show(title, e);
    printf("  resumed %d %d, callbacks asked %d\n", SSL_session_reused(e->client),
           SSL_session_reused(e->server), asked);
    SSL_SESSION *s = SSL_get0_session(e->client);
    printf("  client's session: peer [%s], result %ld\n", cn_of(SSL_SESSION_get0_peer(s)),
           SSL_get_verify_result(e->client));
    /* A connection that was not closed takes its session with it. */
    SSL_set_shutdown(e->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(e->server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(e->client);
    SSL_free(e->server);
    e->client = e->server = NULL;
}

static SSL_SESSION *rewritten(SSL_SESSION *s)
{
    unsigned char *der = NULL;
    int len = i2d_SSL_SESSION(s, &der);
    const unsigned char *p = der;
    SSL_SESSION *copy = d2i_SSL_SESSION(NULL, &p, len);
    OPENSSL_free(der);
    return copy;
}

static void run(int version, int options, int mode)
{
    /* Of a session of TLS 1.3 that was read, ours shows the own certificate as a chain. */
    if (version == TLS1_3_VERSION && mode == 1)
        return;
    struct ends e;
    printf("== %x, options %x, mode %d\n", version, options, mode);
    contexts(&e, version, options);
    if (mode == 2)
        SSL_CTX_set_verify(e.server_ctx, SSL_VERIFY_NONE, NULL);
    if (mode == 3) {
        SSL_CTX_set_verify(e.client_ctx, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_cert_store(e.client_ctx, X509_STORE_new());
    }
    ends_join(&e);
    finish("first", &e);
    for (int i = 0; i < 2; i++) {
        SSL_SESSION *offer = kept;
        kept = NULL;
        if (mode == 1 && offer) {
            SSL_SESSION *copy = rewritten(offer);
            SSL_SESSION_free(offer);
            offer = copy;
        }
        ends_join(&e);
        if (offer)
            SSL_set_session(e.client, offer);
        finish("again", &e);
        SSL_SESSION_free(offer);
    }
    SSL_SESSION_free(kept);
    kept = NULL;
    ends_clear(&e);
}

int main(void)
{
    server_pki = pki_new(PKI_P256, "DNS:server.example");
    client_pki = pki_new(PKI_P256, "DNS:client.example");
    for (int mode = 0; mode < 4; mode++) {
        run(TLS1_2_VERSION, 0, mode);
        run(TLS1_2_VERSION, SSL_OP_NO_TICKET, mode);
        run(TLS1_3_VERSION, 0, mode);
        run(TLS1_3_VERSION, SSL_OP_NO_TICKET, mode);
    }
    pki_clear(server_pki);
    pki_clear(client_pki);
    return 0;
}

/* Threads that share contexts: handshakes, resumption from the client's and the server's caches, settings of single
 * connections, callbacks. In the thread part of ./check it runs under ThreadSanitizer. */
#include <pthread.h>
#include <stdatomic.h>

#include "pair.h"

enum { THREADS = 4, ROUNDS = 12 };

static SSL_CTX *client_ctx, *server_ctx, *other_ctx;
static _Atomic int handshakes, resumed, echoes, names, sessions, infos;

static int on_name(SSL *s, int *alert, void *arg)
{
    (void)alert, (void)arg;
    const char *name = SSL_get_servername(s, TLSEXT_NAMETYPE_host_name);
    if (name && strcmp(name, "other") == 0)
        SSL_set_SSL_CTX(s, other_ctx);
    atomic_fetch_add(&names, 1);
    return SSL_TLSEXT_ERR_OK;
}

static int on_session(SSL *s, SSL_SESSION *session)
{
    (void)s, (void)session;
    atomic_fetch_add(&sessions, 1);
    return 0;
}

static void on_info(const SSL *s, int where, int ret)
{
    (void)s, (void)ret;
    if (where & SSL_CB_HANDSHAKE_DONE)
        atomic_fetch_add(&infos, 1);
}

/* One connection, with data both ways; returns a session for the next one. */
static SSL_SESSION *connect_once(SSL_SESSION *session, int round)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    char buf[64] = "";
    const char *name = round % 3 ? "one" : "other";
    SSL_set_tlsext_host_name(p.client, name);
    if (round % 4 == 1)
        SSL_set_max_proto_version(p.client, TLS1_2_VERSION);
    if (round % 2)
        SSL_set_options(p.server,
                        SSL_OP_NO_RENEGOTIATION); /* shared by the connections that do so */
    if (round % 7 == 3)
        SSL_set_num_tickets(p.server, 1);
    if (round % 5 == 2)
        SSL_set_info_callback(p.server, on_info);
    if (session)
        SSL_set_session(p.client, session);
    if (pair_shake(&p))
        atomic_fetch_add(&handshakes, 1);
    if (SSL_session_reused(p.client))
        atomic_fetch_add(&resumed, 1);
    if (SSL_write(p.client, "hello", 5) == 5 && SSL_read(p.server, buf, sizeof buf) == 5 &&
        SSL_write(p.server, buf, 5) == 5 && SSL_read(p.client, buf, sizeof buf) == 5)
        atomic_fetch_add(&echoes, 1);
    SSL_shutdown(p.client);
    SSL_shutdown(p.server);
    SSL_SESSION_free(session);
    session = SSL_get1_session(p.client);
    pair_free(&p);
    ERR_clear_error();
    return session;
}

static void *run(void *arg)
{
    SSL_SESSION *session = NULL;
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        /* every second one begins anew, and with a version of its own a session is of no use */
        if (i % 2 == 0) {
            SSL_SESSION_free(session);
            session = NULL;
        }
        session = connect_once(session, i / 2);
        (void)SSL_CTX_sess_number(server_ctx);
        SSL_CTX_flush_sessions(server_ctx, 1);
    }
    SSL_SESSION_free(session);
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    server_ctx = SSL_CTX_new(TLS_server_method());
    other_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    MUST(server_ctx && client_ctx && other_ctx);
    pair_use_certificate(server_ctx);
    pair_use_certificate(other_ctx);
    SSL_CTX_set_tlsext_servername_callback(server_ctx, on_name);
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_sess_set_new_cb(client_ctx, on_session);
    SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *)"x", 1);
    SSL_CTX_set_session_id_context(other_ctx, (const unsigned char *)"x", 1);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&thread[i], NULL, run, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(thread[i], NULL) == 0);
    printf("%d handshakes, %d resumed, %d echoes, %d names, %d sessions or more, %d infos\n",
           handshakes, resumed, echoes, names, sessions > 0, infos);
    printf("accepted %ld, good %ld, connected %ld, good %ld\n", SSL_CTX_sess_accept(server_ctx),
           SSL_CTX_sess_accept_good(server_ctx), SSL_CTX_sess_connect(client_ctx),
           SSL_CTX_sess_connect_good(client_ctx));
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(other_ctx);
    return 0;
}

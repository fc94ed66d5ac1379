/* Early data (RFC 8446 4.2.10): who may read and write it when, and what the server writes before the client's
 * Finished. */
#include "pair.h"
#include "show.h"

static SSL_CTX *client_ctx, *server_ctx;
static int new_count;
static SSL_SESSION *newest;

static int on_new(SSL *s, SSL_SESSION *session)
{
    (void)s;
    SSL_SESSION_free(newest);
    newest = session;
    new_count++;
    return 1;
}

static void look(const char *what, SSL *s, int ret)
{
    int error = SSL_get_error(s, ret > 0 ? 1 : ret);
    printf("  %s: %d error %d init %d status %d done %d\n", what, ret, error, SSL_in_init(s),
           SSL_get_early_data_status(s), SSL_is_init_finished(s));
    show_errors();
}

#define LOOK(s, call)                                                                          \
    do {                                                                                       \
        ERR_clear_error();                                                                     \
        look(#call, s, (call));                                                                \
    } while (0)

/* A session that early data may go with. */
static SSL_SESSION *session_new(void)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    char c;
    MUST(pair_shake(&p));
    (void)SSL_read(p.client, &c, 1);
    MUST(newest && SSL_SESSION_up_ref(newest));
    printf("session: %u bytes of early data\n", SSL_SESSION_get_max_early_data(newest));
    SSL_shutdown(p.client);
    SSL_shutdown(p.server);
    pair_free(&p);
    ERR_clear_error();
    return newest;
}

static struct pair resuming(SSL_SESSION *session)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    if (session)
        MUST(SSL_set_session(p.client, session) == 1);
    return p;
}

static void show_same(const struct pair *p)
{
    unsigned char a[20] = {0}, b[20] = {0};
    int x = SSL_export_keying_material_early(p->client, a, 20, "label", 5, NULL, 0);
    int y = SSL_export_keying_material_early(p->server, b, 20, "label", 5,
                                             (const unsigned char *)"", 0);
    printf("  export early %d %d, %s\n", x, y, memcmp(a, b, 20) ? "differ" : "the same");
    ERR_clear_error();
}

/* Early data is answered before the handshake is over. */
static void test_accepted(void)
{
    SSL_SESSION *session = session_new();
    struct pair p = resuming(session);
    char buf[32];
    size_t n = 0;
    printf("accepted\n");
    LOOK(p.server, SSL_write_early_data(p.server, "no", 2, &n));
    LOOK(p.server, SSL_read_early_data(p.server, buf, sizeof buf, &n));
    LOOK(p.client, SSL_write_early_data(p.client, "ask", 3, &n));
    LOOK(p.client, SSL_write_early_data(p.client, " more", 5, &n));
    LOOK(p.server, SSL_read_early_data(p.server, buf, sizeof buf, &n));
    printf("  %zu %.*s\n", n, (int)n, buf);
    show_same(&p);
    LOOK(p.server, SSL_write_early_data(p.server, "answer", 6, &n));
    printf("  %zu\n", n);
    LOOK(p.server, SSL_read_early_data(p.server, buf, sizeof buf, &n));
    printf("  %zu %.*s\n", n, (int)n, buf);
    LOOK(p.server, SSL_read_early_data(p.server, buf, sizeof buf, &n));
    LOOK(p.server, SSL_write_early_data(p.server, " again", 6, &n));
    LOOK(p.client, SSL_do_handshake(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    printf("  %.6s\n", buf);
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    printf("  %.6s\n", buf);
    LOOK(p.server, SSL_read_early_data(p.server, buf, sizeof buf, &n));
    LOOK(p.server, SSL_write_early_data(p.server, "third", 5, &n));
    LOOK(p.server, SSL_do_handshake(p.server));
    LOOK(p.client, SSL_write(p.client, "end", 3));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_write(p.server, "end", 3));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    pair_free(&p);
    SSL_SESSION_free(session);
}

static int refuse(SSL *s, void *arg)
{
    (void)s, (void)arg;
    return 0;
}

/* Nobody sends early data, or the server does not want it: it may write as early all the same. */
static void test_without(int send, int callback)
{
    SSL_SESSION *session = session_new();
    struct pair p = resuming(send ? session : NULL);
    char buf[32];
    size_t n = 0;
    printf("without, sent %d\n", send);
    if (callback)
        SSL_set_allow_early_data_cb(p.server, refuse, NULL);
    if (send)
        LOOK(p.client, SSL_write_early_data(p.client, "ask", 3, &n));
    else
        LOOK(p.client, SSL_do_handshake(p.client));
    LOOK(p.server, SSL_read_early_data(p.server, buf, sizeof buf, &n));
    show_same(&p);
    LOOK(p.server, SSL_write_early_data(p.server, "early", 5, &n));
    LOOK(p.client, SSL_do_handshake(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.server, SSL_do_handshake(p.server));
    LOOK(p.client, SSL_write(p.client, "end", 3));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_write(p.server, "end", 3));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    printf("  %.3s\n", buf);
    pair_free(&p);
    SSL_SESSION_free(session);
}

/* The client's handshake and its data in one call each. */
static void test_too_much(void)
{
    static char big[20000];
    SSL_SESSION *session = session_new();
    struct pair p = resuming(session);
    size_t n = 0;
    printf("too much\n");
    LOOK(p.client, SSL_write_early_data(p.client, big, sizeof big, &n));
    pair_free(&p);
    SSL_SESSION_free(session);
}

static void test_wrong_time(void)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    char buf[8];
    size_t n = 0;
    printf("at the wrong time\n");
    LOOK(p.client, SSL_write_early_data(p.client, "x", 1, &n));
    LOOK(p.client, SSL_read_early_data(p.client, buf, 1, &n));
    LOOK(p.server, SSL_write_early_data(p.server, "x", 1, &n));
    MUST(pair_shake(&p));
    LOOK(p.client, SSL_write_early_data(p.client, "x", 1, &n));
    LOOK(p.server, SSL_write_early_data(p.server, "x", 1, &n));
    LOOK(p.server, SSL_read_early_data(p.server, buf, 1, &n));
    show_same(&p);
    pair_free(&p);
}

int main(void)
{
    server_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    MUST(server_ctx && client_ctx);
    pair_use_certificate(server_ctx);
    SSL_CTX_set_max_early_data(server_ctx, 16384);
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(client_ctx, on_new);
    test_accepted();
    test_without(0, 0);
    test_without(1, 1);
    test_too_much();
    test_wrong_time();
    printf("%d sessions\n", new_count);
    SSL_SESSION_free(newest);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}

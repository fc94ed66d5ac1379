/* test_early.c: early data through libssl's calls: limits, states, what is accepted and what refused. */
#include "pair.h"

static SSL_CTX *client, *server;
static SSL_SESSION *kept;

static int on_session(SSL *s, SSL_SESSION *session)
{
    (void)s;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static int on_allow(SSL *s, void *arg)
{
    (void)s;
    printf("  asked whether to allow\n");
    return *(int *)arg;
}

static struct pair join(void)
{
    struct pair p = pair_new(client, server);
    SSL_set_session(p.client, kept);
    return p;
}

/* A full handshake, whose ticket the client then has. */
static void ticket(void)
{
    struct pair p = pair_new(client, server);
    char byte;
    SSL_SESSION_free(kept);
    kept = NULL;
    printf("full handshake %d", pair_shake(&p));
    SSL_write(p.server, "x", 1);
    printf(", read %d", SSL_read(p.client, &byte, 1));
    printf(", early data of the ticket %u\n", kept ? SSL_SESSION_get_max_early_data(kept) : 0);
    SSL_shutdown(p.client);
    SSL_shutdown(p.server);
    pair_free(&p);
}

static void status(const char *what, struct pair *p)
{
    printf("  %s: status %d %d, init %d %d, before %d %d\n", what,
           SSL_get_early_data_status(p->client), SSL_get_early_data_status(p->server),
           SSL_is_init_finished(p->client), SSL_is_init_finished(p->server),
           SSL_in_before(p->client), SSL_in_before(p->server));
}

static void read_all(struct pair *p, int most)
{
    char text[64];
    for (int i = 0; i < most; i++) {
        size_t n = 99;
        int r = SSL_read_early_data(p->server, text, sizeof text, &n);
        printf("  read_early_data %d, %zu bytes", r, r == SSL_READ_EARLY_DATA_SUCCESS ? n : 0);
        if (r == SSL_READ_EARLY_DATA_SUCCESS)
            printf(" %.*s", (int)n, text);
        if (r == SSL_READ_EARLY_DATA_ERROR)
            printf(", error %d", SSL_get_error(p->server, 0));
        printf("\n");
        pair_errors();
        if (r != SSL_READ_EARLY_DATA_SUCCESS)
            return;
    }
}

static void finish(struct pair *p)
{
    char text[64];
    size_t n;
    printf("  shake %d", pair_shake(p));
    printf(", reused %d %d\n", SSL_session_reused(p->client), SSL_session_reused(p->server));
    status("after", p);
    printf("  write %d", SSL_write(p->client, "late", 4));
    int r = SSL_read(p->server, text, sizeof text);
    printf(" read %d %.*s\n", r, r > 0 ? r : 0, text);
    r = SSL_write_early_data(p->client, "no more", 7, &n);
    printf("  write_early_data afterwards %d, read_early_data %d\n", r,
           SSL_read_early_data(p->server, text, sizeof text, &n));
    pair_errors();
}

static void accepted(void)
{
    struct pair p = join();
    size_t n = 0;
    printf("accepted\n");
    status("before", &p);
    printf("  write_early_data %d", SSL_write_early_data(p.client, "early ", 6, &n));
    printf(" %zu", n);
    printf(", again %d", SSL_write_early_data(p.client, "bird", 4, &n));
    printf(" %zu\n", n);
    status("sent", &p);
    read_all(&p, 5);
    status("read", &p);
    finish(&p);
    pair_free(&p);
}

static void refused(const char *why)
{
    struct pair p = join();
    size_t n = 0;
    printf("refused: %s\n", why);
    printf("  write_early_data %d", SSL_write_early_data(p.client, "early", 5, &n));
    printf(" %zu\n", n);
    pair_errors();
    read_all(&p, 3);
    finish(&p);
    pair_free(&p);
}

static void tell(const char *what, SSL *s, int r)
{
    printf("  %s %d error %d\n", what, r, SSL_get_error(s, r));
    pair_errors();
}

/* What has begun as early data, and waits for the other end, goes on as such. */
static void begun(void)
{
    struct pair p = pair_new(client, server);
    char text[64];
    size_t n = 0;
    printf("begun, and something else is called\n");
    tell("read_early_data", p.server, SSL_read_early_data(p.server, text, sizeof text, &n));
    tell("read", p.server, SSL_read(p.server, text, sizeof text));
    tell("read_ex", p.server, SSL_read_ex(p.server, text, sizeof text, &n));
    tell("write", p.server, SSL_write(p.server, "x", 1));
    tell("peek", p.server, SSL_peek(p.server, text, sizeof text));
    tell("read_early_data", p.server, SSL_read_early_data(p.server, text, sizeof text, &n));
    printf("  handshake %d\n", pair_shake(&p));
    pair_free(&p);
}

static void without_session(void)
{
    struct pair p = pair_new(client, server);
    size_t n = 0;
    printf("without a session\n  write_early_data %d",
           SSL_write_early_data(p.client, "x", 1, &n));
    printf(" error %d\n", SSL_get_error(p.client, 0));
    pair_errors();
    printf("  as a client %d", SSL_read_early_data(p.client, &(char){0}, 1, &n));
    printf(" error %d\n", SSL_get_error(p.client, 0));
    pair_errors();
    pair_free(&p);
}

static void limits(void)
{
    SSL *s = SSL_new(server);
    printf("limits %u %u, %u %u\n", SSL_CTX_get_max_early_data(server),
           SSL_CTX_get_recv_max_early_data(server), SSL_get_max_early_data(s),
           SSL_get_recv_max_early_data(s));
    printf("set %d %d %d %d\n", SSL_CTX_set_max_early_data(server, 1000),
           SSL_CTX_set_recv_max_early_data(server, 900), SSL_set_max_early_data(s, 5),
           SSL_set_recv_max_early_data(s, 4));
    printf("limits %u %u, %u %u\n", SSL_CTX_get_max_early_data(server),
           SSL_CTX_get_recv_max_early_data(server), SSL_get_max_early_data(s),
           SSL_get_recv_max_early_data(s));
    SSL_free(s);
}

int main(void)
{
    int no = 0, yes = 1;
    client = SSL_CTX_new(TLS_client_method());
    server = SSL_CTX_new(TLS_server_method());
    pair_use_certificate(server);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(client, on_session);
    SSL_CTX_set_session_id_context(server, (const unsigned char *)"early", 5);
    limits();
    ticket();
    accepted();
    ticket();
    SSL_CTX_set_allow_early_data_cb(server, on_allow, &no);
    refused("the callback says no");
    ticket();
    SSL_CTX_set_allow_early_data_cb(server, on_allow, &yes);
    accepted();
    SSL_CTX_set_options(server, SSL_OP_NO_ANTI_REPLAY);
    ticket();
    accepted();
    ticket();
    SSL_CTX_set_max_early_data(server, 0);
    refused("the server takes none any more");
    without_session();
    begun();
    SSL_SESSION_free(kept);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}

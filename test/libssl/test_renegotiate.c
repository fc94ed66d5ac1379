/* test_renegotiate.c: another handshake within a connection of TLS 1.2: who resumes what, by whose wish. */
#include "pair.h"

static int watching;

static const char *side(const SSL *s)
{
    return SSL_is_server(s) ? "server" : "client";
}

static void on_message(int sent, int version, int type, const void *buf, size_t len, SSL *s,
                       void *arg)
{
    const unsigned char *p = buf;
    (void)version, (void)arg, (void)len;
    if (watching && !SSL_is_server(s) && type == SSL3_RT_HANDSHAKE)
        printf("    client %s %d\n", sent ? "sends" : "gets", p[0]);
}

static int new_session(SSL *s, SSL_SESSION *session)
{
    printf("    %s new session, ticket %d\n", side(s), SSL_SESSION_has_ticket(session));
    return 0;
}

static SSL_CTX *server_ctx, *client_ctx;
static SSL_SESSION *first;

static void show(struct pair *p, const char *when)
{
    SSL_SESSION *now = SSL_get_session(p->client);
    printf("  %s: reused %d/%d, session %s, pending %d/%d, renegotiations %ld/%ld\n", when,
           SSL_session_reused(p->client), SSL_session_reused(p->server),
           now == first ? "is the first" : "is another", SSL_renegotiate_pending(p->client),
           SSL_renegotiate_pending(p->server), SSL_total_renegotiations(p->client),
           SSL_total_renegotiations(p->server));
    pair_errors();
}

static int turn(SSL *s)
{
    char c[16];
    int n = SSL_read(s, c, sizeof c);
    if (n <= 0)
        n = -SSL_get_error(s, n);
    return n;
}

/* Both ends read until neither moves; then a byte each way shows that the connection still works. */
static void go(struct pair *p)
{
    for (int i = 0; i < 6; i++) {
        SSL_do_handshake(p->client);
        SSL_do_handshake(p->server);
        int c = turn(p->client), s = turn(p->server);
        if (i == 5)
            printf("  read %d %d\n", c, s);
    }
    int w = SSL_write(p->client, "a", 1);
    printf("  client writes %d", w);
    printf(", server reads %d", turn(p->server));
    w = SSL_write(p->server, "b", 1);
    printf("; server writes %d", w);
    printf(", client reads %d\n", turn(p->client));
}

enum who { CLIENT_FULL, CLIENT_SHORT, SERVER_FULL, SERVER_SHORT };

static void run(const char *what, enum who who, uint64_t server_options,
                uint64_t client_options, int again)
{
    printf("%s, options %llx %llx, %s\n", what, (unsigned long long)server_options,
           (unsigned long long)client_options, again ? "resumed before" : "full before");
    struct pair p;
    if (again) {
        p = pair_new(client_ctx, server_ctx);
        SSL_set_options(p.server, server_options);
        SSL_set_options(p.client, client_options);
        printf("  before %d\n", pair_shake(&p));
        SSL_SESSION *old = SSL_get1_session(p.client);
        SSL_shutdown(p.client);
        SSL_shutdown(p.server);
        pair_free(&p);
        p = pair_new(client_ctx, server_ctx);
        SSL_set_session(p.client, old);
        SSL_SESSION_free(old);
    } else {
        p = pair_new(client_ctx, server_ctx);
    }
    SSL_set_options(p.server, server_options);
    SSL_set_options(p.client, client_options);
    printf("  done %d\n", pair_shake(&p));
    first = SSL_get1_session(p.client);
    show(&p, "first");
    watching = 1;
    for (int i = 0; i < 2; i++) {
        int r = who == CLIENT_FULL    ? SSL_renegotiate(p.client)
                : who == CLIENT_SHORT ? SSL_renegotiate_abbreviated(p.client)
                : who == SERVER_FULL  ? SSL_renegotiate(p.server)
                                      : SSL_renegotiate_abbreviated(p.server);
        printf("  asked %d\n", r);
        go(&p);
        show(&p, i ? "third" : "second");
    }
    watching = 0;
    SSL_SESSION_free(first);
    pair_free(&p);
}

static void contexts(int tickets)
{
    server_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    pair_use_certificate(server_ctx);
    SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
    if (!tickets)
        SSL_CTX_set_options(server_ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(client_ctx, new_session);
    SSL_CTX_set_msg_callback(client_ctx, on_message);
    SSL_CTX_sess_set_new_cb(server_ctx, new_session);
}

int main(void)
{
    static const struct {
        const char *name;
        enum who who;
    } kinds[] = {{"client asks for a new session", CLIENT_FULL},
                 {"client asks for the old one", CLIENT_SHORT},
                 {"server asks for a new session", SERVER_FULL},
                 {"server asks for the old one", SERVER_SHORT}};
    static const uint64_t none = SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
                          allow = SSL_OP_ALLOW_CLIENT_RENEGOTIATION;
    for (int tickets = 0; tickets < 2; tickets++) {
        printf("---- %s\n", tickets ? "tickets" : "session IDs");
        contexts(tickets);
        for (int i = 0; i < 4; i++) {
            for (int again = 0; again < 2; again++) {
                run(kinds[i].name, kinds[i].who, allow, 0, again);
                run(kinds[i].name, kinds[i].who, allow | none, 0, again);
            }
            run(kinds[i].name, kinds[i].who, 0, 0, 0);
            run(kinds[i].name, kinds[i].who, allow, SSL_OP_NO_TICKET, 0);
            run(kinds[i].name, kinds[i].who, allow, SSL_OP_NO_RENEGOTIATION, 0);
        }
        SSL_CTX_free(server_ctx);
        SSL_CTX_free(client_ctx);
    }
    return 0;
}

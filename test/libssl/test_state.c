/* test_state.c: what info and message callbacks see, in every kind of handshake. */
#include "pair.h"

/* How messages are put into records differs: records are shown when the handshake is over. */
static int show_messages, show_records;

static const char *side(const SSL *s)
{
    return SSL_is_server(s) ? "server" : "client";
}

static void info(const SSL *s, int where, int ret)
{
    printf("  %s %04x ret %d [%s] %s; state %d init %d before %d done %d\n", side(s), where,
           where & SSL_CB_LOOP || where & SSL_CB_EXIT ? ret : ret, SSL_state_string(s),
           SSL_state_string_long(s), SSL_get_state(s), SSL_in_init(s), SSL_in_before(s),
           SSL_is_init_finished(s));
    if (where & SSL_CB_ALERT)
        printf("    alert %s %s %s %s\n", SSL_alert_type_string(ret),
               SSL_alert_desc_string(ret), SSL_alert_type_string_long(ret),
               SSL_alert_desc_string_long(ret));
}

/* Lengths depend on extensions and signatures: the types and headers are what programs look at. */
static void message(int write, int version, int type, const void *buf, size_t len, SSL *s,
                    void *arg)
{
    const unsigned char *p = buf;
    if (!show_messages ||
        (!show_records && (type == SSL3_RT_HEADER || type == SSL3_RT_INNER_CONTENT_TYPE)))
        return;
    if (type == SSL3_RT_ALERT)
        version = 0; /* OpenSSL's server has chosen one before it says so */
    printf("  %s %s v%04x type %03x %s", side(s), write ? ">" : "<", (unsigned)version,
           (unsigned)type, (const char *)arg);
    if (type == SSL3_RT_HEADER)
        printf(" %02x %02x %02x of %zu", p[0], p[1], p[2], len);
    else if (type == SSL3_RT_HANDSHAKE)
        printf(" message %d whole %d", p[0],
               len == 4 + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]));
    else
        for (size_t i = 0; i < len && i < 4; i++)
            printf(" %02x", p[i]);
    printf("\n");
}

struct scenario {
    const char *name;
    int version;
    int resume, tickets, client_certificate, retry, fail;
};

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok, (void)ctx;
    return 1;
}

static SSL_CTX *context(const struct scenario *c, int server)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    MUST(ctx);
    SSL_CTX_set_min_proto_version(ctx, c->version);
    SSL_CTX_set_max_proto_version(ctx, c->version);
    SSL_CTX_set_info_callback(ctx, info);
    SSL_CTX_set_msg_callback(ctx, message);
    SSL_CTX_set_msg_callback_arg(ctx, "arg");
    if (!c->tickets)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    if (server || c->client_certificate)
        pair_use_certificate(ctx);
    if (server && c->client_certificate)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_any);
    /* both know X25519 and P-256, but not P-384 first, which both libraries have a share for */
    if (c->retry && server)
        MUST(SSL_CTX_set1_groups_list(ctx, "P-384"));
    else if (c->retry)
        MUST(SSL_CTX_set1_groups_list(ctx, "X25519:P-384"));
    else
        MUST(SSL_CTX_set1_groups_list(ctx, "X25519:P-256"));
    if (c->fail && server)
        SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
    if (c->fail && !server)
        SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES256-GCM-SHA384");
    return ctx;
}

static void traffic(struct pair *p)
{
    char buf[16];
    printf(" read\n");
    MUST(SSL_write(p->server, "hello", 5) == 5);
    MUST(SSL_read(p->client, buf, sizeof buf) == 5);
    show_records = 1;
    MUST(SSL_write(p->client, "hello", 5) == 5);
    MUST(SSL_read(p->server, buf, sizeof buf) == 5);
    printf(" shutdown\n");
    printf(" %d", SSL_shutdown(p->client));
    printf(" %d", SSL_shutdown(p->server));
    printf(" %d\n", SSL_shutdown(p->client));
}

static void run(const struct scenario *c)
{
    SSL_CTX *client = context(c, 0), *server = context(c, 1);
    SSL_SESSION *session = NULL;
    for (int i = 0; i <= c->resume; i++) {
        struct pair p = pair_new(client, server);
        printf("%s, %d: %s\n", c->name, i, SSL_state_string_long(p.client));
        show_messages = 1;
        show_records = 0;
        if (session)
            MUST(SSL_set_session(p.client, session));
        printf(" done %d\n", pair_shake(&p));
        if (!c->fail)
            traffic(&p);
        SSL_SESSION_free(session);
        session = SSL_get1_session(p.client);
        printf(" resumed %d\n", SSL_session_reused(p.client));
        if (!c->fail)
            printf(" renegotiation %ld %ld master secret %ld %ld\n",
                   SSL_get_secure_renegotiation_support(p.client),
                   SSL_get_secure_renegotiation_support(p.server),
                   SSL_get_extms_support(p.client), SSL_get_extms_support(p.server));
        pair_errors();
        pair_free(&p);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* The client wants a second handshake, which the server allows or refuses. */
static void renegotiate(int allowed)
{
    struct scenario c = {"renegotiation", TLS1_2_VERSION, 0, 0, 0, 0, 0};
    SSL_CTX *client = context(&c, 0), *server = context(&c, 1);
    char buf[16];
    if (allowed)
        SSL_CTX_set_options(server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    struct pair p = pair_new(client, server);
    show_messages = 0;
    MUST(pair_shake(&p));
    show_messages = 1;
    show_records = 0;
    printf("renegotiation %s\n", allowed ? "allowed" : "refused");
    /* OpenSSL begins with the next call, handfast with this one: nothing is shown between the two */
    MUST(SSL_renegotiate(p.client));
    MUST(SSL_renegotiate_pending(p.client));
    for (int i = 0; i < 4; i++) {
        printf(" client %d", SSL_do_handshake(p.client));
        printf(" server %d\n", SSL_read(p.server, buf, sizeof buf));
    }
    printf(" count %ld %ld\n", SSL_num_renegotiations(p.client),
           SSL_total_renegotiations(p.server));
    pair_errors();
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void alerts(void)
{
    for (int i = 0; i < 130; i++)
        printf("%d %s %s\n", i, SSL_alert_desc_string(i), SSL_alert_desc_string_long(i));
    for (int i = 0; i < 4; i++)
        printf("%d %s %s\n", i, SSL_alert_type_string(i << 8),
               SSL_alert_type_string_long(i << 8));
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"1.3", TLS1_3_VERSION, 1, 1, 0, 0, 0},
        {"1.3 without tickets", TLS1_3_VERSION, 0, 0, 0, 0, 0},
        {"1.3 with a client's certificate", TLS1_3_VERSION, 0, 1, 1, 0, 0},
        {"1.3 with a retry", TLS1_3_VERSION, 0, 1, 0, 1, 0},
        {"1.2", TLS1_2_VERSION, 1, 1, 0, 0, 0},
        {"1.2 with session IDs", TLS1_2_VERSION, 1, 0, 0, 0, 0},
        {"1.2 with a client's certificate", TLS1_2_VERSION, 0, 0, 1, 0, 0},
        {"1.2 without a common cipher", TLS1_2_VERSION, 0, 1, 0, 0, 1},
    };
    if (argc < 2)
        alerts();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (argc < 2 || atoi(argv[1]) == (int)i)
            run(&scenarios[i]);
    renegotiate(1);
    renegotiate(0);
    return 0;
}

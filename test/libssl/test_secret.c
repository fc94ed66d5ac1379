/* test_secret.c: sessions whose master secret the program knows (EAP-FAST, RFC 4851): the callbacks of the ticket
 * extension and of the secret, who is asked when, and what goes over the wire. */
#include "pair.h"

enum { SECRET = 48 };
static int server_knows, client_knows, ticket_answer, server_picks;
static unsigned mixed[2];
static unsigned char ticket[600];
static int ticket_len;

static const char *side(const SSL *s)
{
    return SSL_is_server(s) ? "server" : "client";
}

static void on_message(int sent, int version, int type, const void *buf, size_t len, SSL *s,
                       void *arg)
{
    const unsigned char *p = buf;
    (void)version, (void)arg, (void)len;
    if (!SSL_is_server(s) && type == SSL3_RT_HANDSHAKE) {
        printf("    client %s %d", sent ? "sends" : "gets", p[0]);
        if (p[0] <= 2)
            printf(", session ID of %d", p[38]);
        printf("\n");
    }
    if (!SSL_is_server(s) && type == SSL3_RT_CHANGE_CIPHER_SPEC)
        printf("    client %s change_cipher_spec\n", sent ? "sends" : "gets");
    if (type == SSL3_RT_ALERT)
        printf("    %s %s alert %d\n", side(s), sent ? "sends" : "gets", p[1]);
}

static int secret(SSL *s, void *out, int *len, STACK_OF(SSL_CIPHER) * peer,
                  const SSL_CIPHER **cipher, void *arg)
{
    int knows = SSL_is_server(s) ? server_knows : client_knows;
    unsigned char a[32] = {0}, b[32] = {0};
    size_t randoms = SSL_get_client_random(s, a, 32) + SSL_get_server_random(s, b, 32);
    for (int i = 0; i < 32; i++) { /* both ends must see the same */
        mixed[SSL_is_server(s)] = (mixed[SSL_is_server(s)] * 31 + a[i]) * 31 + b[i];
    }
    printf("  %s secret: room %d, peer %s, cipher %s, %s, randoms %zu\n", side(s), *len,
           peer ? "known" : "none", *cipher ? SSL_CIPHER_get_name(*cipher) : "none",
           (char *)arg, randoms);
    if (!SSL_is_server(s))
        printf("    %s randoms\n", mixed[0] == mixed[1] ? "the same" : "other");
    if (peer)
        printf("    %s ciphers, the first %s\n", sk_SSL_CIPHER_num(peer) > 2 ? "many" : "few",
               SSL_CIPHER_get_name(sk_SSL_CIPHER_value(peer, 0)));
    if (!knows)
        return 0;
    memset(out, 0x5a, SECRET);
    *len = SECRET;
    if (SSL_is_server(s) && server_picks)
        *cipher = sk_SSL_CIPHER_value(peer, server_picks);
    return 1;
}

static int on_ticket(SSL *s, const unsigned char *data, int len, void *arg)
{
    printf("  %s ticket of %d (%02x), %s\n", side(s), len, len ? data[0] : 0, (char *)arg);
    return ticket_answer;
}

static int on_session(SSL *s, SSL_SESSION *session)
{
    (void)session;
    if (SSL_version(s) < TLS1_3_VERSION)
        printf("  %s new session\n", side(s));
    return 0;
}

static SSL_CTX *context(int server, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    MUST(SSL_CTX_set_cipher_list(ctx, "AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256:AES256-SHA:"
                                      "ECDHE-ECDSA-AES256-SHA:ADH-AES128-SHA"));
    MUST(SSL_CTX_set1_groups_list(ctx, "P-256"));
    if (server)
        pair_use_certificate(ctx);
    return ctx;
}

static void secrets_agree(struct pair *p)
{
    unsigned char a[SECRET] = {0}, b[SECRET] = {1}, x[20] = {0}, y[20] = {1};
    if (SSL_version(p->client) == TLS1_3_VERSION) /* where it is a secret for each ticket */
        return;
    size_t n = SSL_SESSION_get_master_key(SSL_get_session(p->client), a, sizeof a);
    size_t m = SSL_SESSION_get_master_key(SSL_get_session(p->server), b, sizeof b);
    printf("  master %zu %zu %d, first %02x", n, m, !memcmp(a, b, SECRET),
           SSL_session_reused(p->client) ? a[0] : 0);
    SSL_export_keying_material(p->client, x, 20, "a", 1, NULL, 0, 0);
    SSL_export_keying_material(p->server, y, 20, "a", 1, NULL, 0, 0);
    printf(", exported %d\n", !memcmp(x, y, 20));
}

static void show(struct pair *p)
{
    int done = pair_shake(p);
    printf("  done %d, reused %d %d", done, done && SSL_session_reused(p->client),
           done && SSL_session_reused(p->server));
    printf(" cipher %s, certificate %d\n", SSL_get_cipher_name(p->client),
           SSL_get0_peer_certificate(p->client) != NULL);
    pair_errors();
    if (!done)
        return;
    secrets_agree(p);
    char c = 0;
    int w = SSL_write(p->client, "x", 1);
    printf("  write %d", w);
    printf(" read %d", SSL_read(p->server, &c, 1));
    w = SSL_write(p->server, "y", 1);
    printf(" write %d", w);
    printf(" read %d %c\n", SSL_read(p->client, &c, 1), c);
}

static void set_callbacks(SSL *s)
{
    printf("  %s set %d", side(s), SSL_set_session_secret_cb(s, secret, "secret"));
    printf(" %d\n", SSL_set_session_ticket_ext_cb(s, on_ticket, "ticket"));
}

/* which: 1 the client has callbacks, 2 the server has. */
static void run(const char *what, int version, int which, int length, uint64_t options)
{
    SSL_CTX *client = context(0, version), *server = context(1, version);
    printf(
        "---- %s %x: callbacks %d, ticket %d, options %llx, client %d, server %d, ticket %d, picks %d\n",
        what, (unsigned)version, which, length, (unsigned long long)options, client_knows,
        server_knows, ticket_answer, server_picks);
    struct pair p = pair_new(client, server);
    SSL_set_options(p.client, options);
    SSL_set_options(p.server, options);
    if (which & 1)
        set_callbacks(p.client);
    if (which & 2)
        set_callbacks(p.server);
    if (length >= 0)
        printf("  ticket set %d\n", SSL_set_session_ticket_ext(p.client, ticket, length));
    show(&p);
    SSL_shutdown(p.client);
    SSL_shutdown(p.server);
    pair_free(&p);
    memset(mixed, 0, sizeof mixed);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_1_VERSION, TLS1_VERSION,
                                   TLS1_3_VERSION};
    memset(ticket, 0x77, sizeof ticket);
    ticket_len = 32;
    ticket_answer = 1;
    server_picks = 2; /* without a choice OpenSSL finds no suite in TLS 1.2 */
    for (size_t i = 0; i < 4; i++) {
        int v = versions[i];
        client_knows = server_knows = 1;
        if (v == TLS1_3_VERSION) {
            run("no tickets of this kind", v, 3, -1, 0);
            continue;
        }
        run("both know", v, 3, 32, 0);
        run("both know", v, 3, 600, SSL_OP_NO_ENCRYPT_THEN_MAC);
        if (i > 0)
            continue;
        run("both know, no extended master secret", v, 3, 32, SSL_OP_NO_EXTENDED_MASTER_SECRET);
        run("no ticket", v, 3, -1, 0);
        run("no tickets", v, 3, 32, SSL_OP_NO_TICKET);
        run("only the client is asked", v, 1, 32, 0);
        run("only the server is asked", v, 2, 32, 0);
        run("nobody is asked", v, 0, 32, 0);
        server_knows = 0;
        run("the server does not know", v, 3, 32, 0);
        client_knows = 0;
        run("nobody knows", v, 3, 32, 0);
        server_knows = 1;
        run("the client does not know", v, 3, 32, 0);
        client_knows = server_knows = 1;
        ticket_answer = 0;
        run("ticket refused", v, 3, 32, 0);
        ticket_answer = 1;
    }
    return 0;
}

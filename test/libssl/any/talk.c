/* talk.c: handshakes, data, and the end of connections. */
#include <openssl/ssl3.h>

#include "any.h"

enum { BIG = 70000 };
static unsigned char buffer[BIG];

static size_t a_size(void)
{
    static const size_t sizes[] = {1, 5, 100, 1000, 5000, 16384, 16385, 40000, BIG, 0};
    size_t n = ONE_OF(sizes);
    printf("  %zu bytes\n", n);
    return n;
}

static unsigned sum(size_t n)
{
    unsigned h = 5381;
    for (size_t i = 0; i < n; i++)
        h = h * 33 + buffer[i];
    return h;
}

static void step(void)
{
    SSL *s = an_end();
    if (!s)
        return;
    switch (draw(4)) {
    case 0: TALK(s, SSL_connect(s)); break;
    case 1: TALK(s, SSL_accept(s)); break;
    default: TALK(s, SSL_do_handshake(s));
    }
}

static int blocked(SSL *s, int result)
{
    int error = SSL_get_error(s, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_X509_LOOKUP ||
           error == SSL_ERROR_WANT_CLIENT_HELLO_CB;
}

/* Both ends of a wire, until neither moves. */
static void shake_pair(int client)
{
    SSL *c = world.end[client], *s = world.end[client + 1];
    int a = 0, b = 0, go = 1;
    for (int i = 0; i < 12 && go; i++) {
        go = 0;
        if (a != 1) {
            ERR_clear_error();
            a = SSL_do_handshake(c);
            go |= blocked(c, a);
            say_end("client's handshake", c, a);
        }
        if (b != 1) {
            ERR_clear_error();
            b = SSL_do_handshake(s);
            go |= blocked(s, b);
            say_end("server's handshake", s, b);
        }
    }
    if (a == 1 && b == 1) {
        TEXT(SSL_get_version(c));
        TEXT(SSL_get_cipher_name(c));
        DO(SSL_session_reused(c));
        DO(SSL_session_reused(s));
    }
}

static int a_pair(void)
{
    int client = world.end[2] && rarely(3) ? 2 : 0;
    printf("  pair %d\n", client);
    return client;
}

static void shake(void)
{
    int client = a_pair();
    if (world.end[client] && world.end[client + 1])
        shake_pair(client);
}

static void anew(void)
{
    int client = rarely(4) ? 2 : 0;
    printf("  pair %d\n", client);
    wire(client);
    if (draw(3) && world.session[0])
        DO(SSL_set_session(world.end[client], world.session[draw(2)]));
    if (draw(2))
        shake_pair(client);
}

static void reads(void)
{
    SSL *s = an_end();
    size_t n = a_size(), got = 77;
    int r = -1;
    if (!s)
        return;
    switch (draw(8)) {
    case 0: TALK(s, r = SSL_peek(s, buffer, (int)n)); break;
    case 1:
        TALK(s, r = SSL_peek_ex(s, buffer, n, &got));
        if (r > 0)
            printf("  %zu\n", got);
        return;
    case 2:
        TALK(s, r = SSL_read_ex(s, buffer, n, &got));
        if (r > 0)
            printf("  %zu\n", got);
        return;
    case 3: TALK(s, SSL_read(s, buffer, -1 - (int)draw(3))); break;
    default: TALK(s, r = SSL_read(s, buffer, (int)n));
    }
    if (r > 0)
        printf("  sum %x\n", sum((size_t)r));
}

static void writes(void)
{
    SSL *s = an_end();
    size_t n = a_size(), put = 77;
    int r;
    if (!s)
        return;
    for (size_t i = 0; i < n; i++)
        buffer[i] = (unsigned char)(i * 7 + n);
    switch (draw(5)) {
    case 0:
        TALK(s, r = SSL_write_ex(s, buffer, n, &put));
        if (r > 0)
            printf("  %zu\n", put);
        break;
    case 1: TALK(s, SSL_write(s, buffer, -1)); break;
    default: TALK(s, SSL_write(s, buffer, (int)n));
    }
}

static void drain(void)
{
    SSL *s = an_end();
    int r = 1;
    if (!s)
        return;
    for (int i = 0; i < 20 && r > 0; i++)
        TALK(s, r = SSL_read(s, buffer, sizeof buffer));
}

static void ends(void)
{
    SSL *s = an_end();
    if (s)
        TALK(s, SSL_shutdown(s));
}

static void ends_both(void)
{
    int client = a_pair();
    SSL *c = world.end[client], *s = world.end[client + 1];
    if (!c || !s)
        return;
    TALK(c, SSL_shutdown(c));
    TALK(s, SSL_shutdown(s));
    TALK(c, SSL_shutdown(c));
    TALK(s, SSL_shutdown(s));
}

static void updates(void)
{
    SSL *s = an_end();
    int type = (int)draw(3);
    if (!s || SSL_get_shutdown(s) || !SSL_is_init_finished(s))
        return;
    printf("  type %d\n", type);
    TALK(s, SSL_key_update(s, type));
    DO(SSL_get_key_update_type(s));
}

static void renegotiates(void)
{
    SSL *s = an_end();
    SSL *peer = s ? world.end[index_of(s) ^ 1] : NULL;
    if (!s || !peer || SSL_in_init(s) || SSL_get_shutdown(s) || SSL_get_shutdown(peer) ||
        SSL_renegotiate_pending(peer))
        return;
    if (draw(2))
        TALK(s, SSL_renegotiate(s));
    else
        TALK(s, SSL_renegotiate_abbreviated(s));
    DO(SSL_renegotiate_pending(s));
    DO(SSL_num_renegotiations(s));
    if (draw(2))
        TALK(s, SSL_do_handshake(s));
}

static void asks(void)
{
    SSL *s = an_end();
    if (s && !SSL_get_shutdown(s))
        TALK(s, SSL_verify_client_post_handshake(s));
}

static void ticket(void)
{
    SSL *s = an_end();
    if (!s || SSL_get_shutdown(s) || !SSL_is_init_finished(s))
        return;
    TALK(s, SSL_new_session_ticket(s));
    if (draw(2))
        TALK(s, SSL_do_handshake(s));
}

static void clears(void)
{
    SSL *s = an_end();
    SSL *peer = s ? world.end[index_of(s) ^ 1] : NULL;
    if (!s || (peer && !SSL_in_before(peer))) /* what that has sent is nobody's business now */
        return;
    TALK(s, SSL_clear(s));
    DO(SSL_in_before(s));
    TEXT(SSL_get_version(s));
}

/* What is on the wire belongs to what was. */
static void clear_both(void)
{
    int client = a_pair();
    if (!world.end[client] || !world.end[client + 1])
        return;
    for (int i = client; i < client + 2; i++) {
        BIO_reset(world.bio[i]);
        TALK(world.end[i], SSL_clear(world.end[i]));
    }
    if (draw(2))
        shake_pair(client);
}

static void dups(void)
{
    SSL *s = an_end(), *t;
    if (!s)
        return;
    int begun = !SSL_in_before(s);
    BIO *bio = NULL;
    ERR_clear_error();
    if (!begun)
        SSL_set_bio(s, NULL, NULL); /* no copy of one half of a pair can be had */
    t = SSL_dup(s);
    printf("  dup %d, the same %d\n", t != NULL, t == s);
    say_errors();
    if (t) {
        DO(SSL_get_options(t) == SSL_get_options(s));
        DO(SSL_is_server(t));
        DO(SSL_get_verify_mode(t));
        DO(SSL_get_min_proto_version(t));
        DO(sk_SSL_CIPHER_num(SSL_get_ciphers(t)));
        DO(SSL_get_session(t) != NULL);
        DO(SSL_get_shutdown(t));
        DO(SSL_get_read_ahead(t));
        SSL_free(t);
    }
    if (!begun) {
        bio = world.bio[index_of(s)];
        BIO_up_ref(bio);
        SSL_set_bio(s, bio, bio);
    }
}

static void refs(void)
{
    SSL *s = an_end();
    if (!s)
        return;
    DO(SSL_up_ref(s));
    SSL_free(s);
}

static void frees(void)
{
    int i = (int)draw(ENDS);
    printf("  end %d\n", i);
    SSL_free(world.end[i]);
    world.end[i] = NULL;
}

static void early_writes(void)
{
    int client = a_pair();
    SSL *s = world.end[client + (int)rarely(4)];
    size_t n = a_size() % 2000, put = 77;
    if (!s || !SSL_in_before(s))
        return;
    memset(buffer, 'e', n);
    int r = 0;
    TALK(s, r = SSL_write_early_data(s, buffer, n, &put));
    if (r > 0)
        printf("  %zu\n", put);
    DO(SSL_get_early_data_status(s));
}

static void early_reads(void)
{
    int client = a_pair();
    SSL *s = world.end[client + 1 - (int)rarely(6)];
    size_t n = a_size(), got = 77;
    if (!s || !SSL_in_before(s))
        return;
    int r = SSL_READ_EARLY_DATA_ERROR;
    DO(r = SSL_read_early_data(s, buffer, n, &got));
    if (r != SSL_READ_EARLY_DATA_ERROR)
        printf("  %zu\n", got);
    else
        wire(client); /* OpenSSL waits for early data still, even after SSL_clear */
}

/* What a program with early data does: a new connection with the session of an old one. */
static void early_whole(void)
{
    SSL_SESSION *session = world.session[0];
    size_t n = 77;
    wire(0);
    if (session)
        DO(SSL_set_session(world.end[0], session));
    TALK(world.end[0], SSL_write_early_data(world.end[0], "early", 5, &n));
    for (int i = 0; i < 3; i++)
        TALK(world.end[1], SSL_read_early_data(world.end[1], buffer, sizeof buffer, &n));
    shake_pair(0);
    if (world.end[1] && SSL_is_init_finished(world.end[1]))
        TALK(world.end[1], SSL_read_early_data(world.end[1], buffer, sizeof buffer, &n));
    DO(SSL_get_early_data_status(world.end[0]));
    DO(SSL_get_early_data_status(world.end[1]));
    if (world.end[1] && !SSL_is_init_finished(world.end[1]))
        wire(0); /* OpenSSL waits for early data still, even after SSL_clear */
}

/* Bytes in clear that nobody has sent. */
static void invents(void)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 1, 0},
                               fatal[] = {21, 3, 3, 0, 2, 2, 40}, ccs[] = {20, 3, 3, 0, 1, 1},
                               empty[] = {23, 3, 3, 0, 0}, http[] = "GET / HTTP/1.0\r\n\r\n",
                               junk[] = {99, 1, 2, 3, 4, 5},
                               hello[] = {22, 3, 3, 0, 4, 0, 0, 0, 0}, part[] = {23, 3, 3},
                               large[] = {23, 3, 3, 0xff, 0xff, 1}, data[] = {23, 3, 3, 0, 40};
    static const struct {
        const void *bytes;
        int len;
    } records[] = {{alert, 7}, {fatal, 7}, {ccs, 6},  {empty, 5}, {http, 18},
                   {junk, 6},  {hello, 9}, {part, 3}, {large, 6}, {data, 5}};
    unsigned i = draw(sizeof records / sizeof records[0]), to = draw(2);
    if (draw(3) || !world.bio[to] || !world.end[0] || !SSL_is_init_finished(world.end[0]))
        return; /* it ends most connections */
    printf("  record %u to %u\n", i, to);
    BIO_write(world.bio[to ^ 1], records[i].bytes, records[i].len);
}

static void hangs_up(void)
{
    unsigned from = draw(2);
    if (draw(3) || !world.bio[from])
        return;
    printf("  %u\n", from);
    (void)BIO_shutdown_wr(world.bio[from]);
}

const struct op talk_ops[] = {{"step", step, 6},
                              {"shake", shake, 14},
                              {"anew", anew, 12},
                              {"read", reads, 14},
                              {"write", writes, 14},
                              {"drain", drain, 10},
                              {"shutdown", ends, 4},
                              {"shutdown of both", ends_both, 2},
                              {"key update", updates, 3},
                              {"renegotiate", renegotiates, 4},
                              {"ask", asks, 3},
                              {"ticket", ticket, 3},
                              {"clear", clears, 2},
                              {"clear both", clear_both, 4},
                              {"dup", dups, 2},
                              {"refs", refs, 1},
                              {"free", frees, 1},
                              {"early write", early_writes, 2},
                              {"early read", early_reads, 3},
                              {"early data", early_whole, 4},
                              {"invent", invents, 3},
                              {"hang up", hangs_up, 2},
                              {NULL, NULL, 0}};

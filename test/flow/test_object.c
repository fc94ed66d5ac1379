/* TLS without a socket: queues of bytes, and objects between them. */
#include "../unit/check.h"
#include "pair.h"

#include <stdlib.h>

#include "bytes/bytes.h"
#include "connection/conn.h"
#include "handfast_context.h"
#include "handfast_memory.h"

/* ---- the queue */

static void test_memory(void)
{
    ROW("Y153");
    uint8_t out[8];
    size_t len;
    hf_error err = {0};
    hf_memory *m = hf_memory_new();
    CHECK(hf_memory_pending(m) == 0 && !hf_memory_eof(m));
    CHECK(hf_memory_peek(m, &len) == NULL && len == 0);
    CHECK_INT(hf_memory_read(m, out, 8), 0); /* empty is not the end */
    CHECK(hf_memory_write(m, "abcdef", 6, &err));
    CHECK(hf_memory_write(m, "", 0, &err) && hf_memory_write(m, NULL, 0, &err));
    CHECK(hf_memory_write(m, "gh", 2, &err));
    CHECK_INT(hf_memory_pending(m), 8);
    CHECK_INT(hf_memory_read(m, out, 3), 3);
    CHECK_MEM(out, "abc", 3);
    CHECK_INT(hf_memory_read(m, out, 0), 0);
    CHECK_MEM(hf_memory_peek(m, &len), "defgh", 5);
    CHECK_INT(len, 5);
    hf_memory_end(m);
    CHECK(!hf_memory_eof(m)); /* not before it is empty */
    CHECK(!hf_memory_write(m, "i", 1, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    CHECK_INT(hf_memory_pending(m), 5);
    CHECK_INT(hf_memory_read(m, out, 8), 5);
    CHECK(hf_memory_eof(m));
    CHECK_INT(hf_memory_read(m, out, 8), 0);
    hf_memory_end(m);
    CHECK(hf_memory_eof(m));
    CHECK(!hf_memory_write(m, NULL, 1, &err));
    CHECK(hf_memory_ref(m) == m);
    hf_memory_free(m);
    CHECK(hf_memory_eof(m));
    hf_memory_free(m);
    hf_memory_free(NULL);
    CHECK(hf_memory_ref(NULL) == NULL);
}

/* ---- two objects, and the queues between them */

struct objects {
    struct pair pair; /* its configurations only */
    hf_memory *up, *down;
    hf_object *client, *server;
    hf_error err;
};

static void join(struct objects *o)
{
    o->up = hf_memory_new();
    o->down = hf_memory_new();
    o->client =
        hf_object_new(hf_conn_new_client(o->pair.client_config, "server.example", &o->err),
                      o->down, o->up, &o->err);
    o->server = hf_object_new(hf_conn_new_server(o->pair.server_config, &o->err), o->up,
                              o->down, &o->err);
    CHECK(o->client && o->server);
}

static void begin(struct objects *o)
{
    *o = (struct objects){0};
    pair_init(&o->pair, PKI_P256);
}

static void part(struct objects *o)
{
    hf_object_free(o->client);
    hf_object_free(o->server);
    hf_memory_free(o->up);
    hf_memory_free(o->down);
}

static void end(struct objects *o)
{
    part(o);
    pair_clear(&o->pair);
}

static bool shake(struct objects *o)
{
    hf_result c = HF_WANT_INPUT, s = HF_WANT_INPUT;
    for (int i = 0; i < 8 && (c == HF_WANT_INPUT || s == HF_WANT_INPUT); i++) {
        c = hf_object_handshake(o->client, &o->err);
        if (c != HF_FAILED)
            s = hf_object_handshake(o->server, &o->err);
        if (c == HF_FAILED || s == HF_FAILED)
            return false;
    }
    return c == HF_DONE && s == HF_DONE;
}

static void check_read(hf_object *from, const char *want)
{
    uint8_t out[256];
    size_t n;
    hf_error err = {0};
    CHECK_INT(hf_object_read(from, out, sizeof out, &n, &err), HF_DONE);
    CHECK_INT(n, strlen(want));
    if (n == strlen(want))
        CHECK_MEM(out, want, n);
}

static hf_result read_one(hf_object *from, hf_error *err)
{
    uint8_t byte;
    size_t n = 9;
    hf_result r = hf_object_read(from, &byte, 1, &n, err);
    CHECK_INT(n, r == HF_DONE);
    return r;
}

/* Everything that Python's SSLObject has, in the order of its documentation. */
static void test_attributes(void)
{
    ROW("Y152 Y97 Y94 Y96 Y100 Y101 Y135 Y88 Y102");
    struct objects o;
    uint8_t bytes[HF_BINDING_MAX], other[HF_BINDING_MAX], data[16];
    uint16_t shared[32];
    size_t len, n;
    hf_cipher cipher;
    begin(&o);
    CHECK(hf_config_set_alpn(o.pair.client_config, "h2,http/1.1", false));
    CHECK(hf_config_set_alpn(o.pair.server_config, "http/1.1", false));
    CHECK(hf_config_keep_details(o.pair.server_config, true));
    CHECK(hf_config_set_post_handshake_auth(o.pair.client_config, true));
    CHECK(hf_config_set_post_handshake_auth(o.pair.server_config, true));
    CHECK(hf_config_set_trust(o.pair.server_config, o.pair.trust));
    CHECK(hf_config_add_credential(o.pair.client_config, o.pair.cred));
    join(&o);
    hf_conn *client = hf_object_conn(o.client), *server = hf_object_conn(o.server);
    CHECK(!hf_version_token(hf_conn_version(client)) && !hf_conn_cipher(client, &cipher));
    CHECK_INT(hf_conn_channel_binding(client, HF_BINDING_EXPORTER, bytes), 0);
    CHECK_INT(hf_conn_shared_suites(server, shared, 32), 0);
    CHECK(shake(&o)); /* do_handshake() */

    CHECK(hf_conn_user(client) == NULL); /* a pointer of the program's own */
    hf_conn_set_user(client, &o);
    CHECK(hf_conn_user(client) == &o && hf_conn_user(server) == NULL);
    CHECK(hf_conn_config(client) == o.pair.client_config); /* context */
    CHECK(!hf_conn_is_server(client) && hf_conn_is_server(server));
    CHECK_STR(hf_conn_server_name(client), "server.example");
    CHECK_INT(hf_object_write(o.client, "ping", 4, &o.err), HF_DONE);
    check_read(o.server, "ping");
    CHECK_INT(hf_object_write(o.server, "pong", 4, &o.err), HF_DONE);
    CHECK_INT(hf_object_read(o.client, data, 1, &n, &o.err), HF_DONE);
    CHECK_INT(hf_object_pending(o.client), 3);
    check_read(o.client, "ong");
    CHECK_INT(hf_object_pending(o.client), 0);
    CHECK(o.pair.sessions > 0 && !hf_conn_resumed(client)); /* session, session_reused */
    CHECK(hf_conn_peer_certificate(client, 0) != NULL);     /* getpeercert() */
    CHECK(hf_conn_peer_certificate(client, 1) && !hf_conn_peer_certificate(client, 2));
    CHECK(hf_conn_verified_certificate(client, 2) != NULL); /* get_verified_chain() */
    CHECK_MEM(hf_conn_alpn(client, &len), "http/1.1", 8);
    CHECK(!hf_have(HF_HAVE_NPN)); /* selected_npn_protocol(): None */
    CHECK(hf_conn_cipher(client, &cipher));
    CHECK_STR(cipher.name, "TLS_AES_128_GCM_SHA256");
    CHECK_STR(cipher.protocol, "TLSv1.3");
    CHECK_INT(cipher.strength_bits, 128);
    CHECK(hf_conn_shared_suites(server, shared, 32) == 6 && shared[0] == 0x1301);
    CHECK_INT(hf_conn_shared_suites(client, shared, 32), 0);
    CHECK(hf_conn_compression(client) == NULL && hf_conn_compression(server) == NULL);
    CHECK_INT(hf_conn_request_certificate(server, HF_CLIENT_AUTH_REQUIRE, &o.err), HF_DONE);
    CHECK_INT(read_one(o.server, &o.err), HF_WANT_INPUT); /* sends the request */
    CHECK_INT(read_one(o.client, &o.err), HF_WANT_INPUT); /* and this the answer */
    CHECK_INT(read_one(o.server, &o.err), HF_WANT_INPUT);
    CHECK_INT(hf_conn_post_auth(server), HF_POST_AUTH_DONE);
    CHECK(hf_conn_peer_certificate(server, 0) != NULL);
    CHECK_INT(hf_conn_channel_binding(client, HF_BINDING_EXPORTER, bytes), 32);
    CHECK_INT(hf_conn_channel_binding(server, HF_BINDING_EXPORTER, other), 32);
    CHECK_MEM(bytes, other, 32);
    CHECK_STR(hf_version_token(hf_conn_version(client)), "TLSv1.3");
    CHECK_INT(hf_object_unwrap(o.client, &o.err), HF_WANT_INPUT);
    CHECK_INT(hf_object_unwrap(o.server, &o.err), HF_DONE);
    CHECK_INT(hf_object_unwrap(o.client, &o.err), HF_DONE);
    end(&o);
}

/* One byte at a time: each call says what it wants, and nothing is lost. */
static void test_drip(void)
{
    ROW("Y15 Y147 C57");
    struct objects o;
    hf_memory *up, *down;
    uint8_t byte;
    begin(&o);
    join(&o);
    up = hf_memory_new();
    down = hf_memory_new();
    hf_object_free(o.server);
    o.server =
        hf_object_new(hf_conn_new_server(o.pair.server_config, &o.err), up, down, &o.err);
    bool want = false;
    for (int i = 0; i < 20000 && !want; i++) {
        hf_result c = hf_object_handshake(o.client, &o.err),
                  s = hf_object_handshake(o.server, &o.err);
        CHECK(c == HF_WANT_INPUT || c == HF_DONE);
        CHECK(s == HF_WANT_INPUT || s == HF_DONE);
        if (c == HF_WANT_INPUT)
            CHECK_INT(hf_error_number(c, &o.err), HF_NUMBER_WANT_READ);
        want = c == HF_DONE && s == HF_DONE;
        if (hf_memory_read(o.up, &byte, 1))
            CHECK(hf_memory_write(up, &byte, 1, &o.err));
        if (hf_memory_read(down, &byte, 1))
            CHECK(hf_memory_write(o.down, &byte, 1, &o.err));
    }
    CHECK(want);
    while (hf_memory_read(o.up, &byte, 1))
        CHECK(hf_memory_write(up, &byte, 1, &o.err));
    CHECK_INT(hf_object_write(o.client, "hello", 5, &o.err), HF_DONE);
    while (hf_memory_pending(o.up) > 1) {
        CHECK(hf_memory_read(o.up, &byte, 1) && hf_memory_write(up, &byte, 1, &o.err));
        CHECK_INT(read_one(o.server, &o.err), HF_WANT_INPUT);
    }
    CHECK(hf_memory_read(o.up, &byte, 1) && hf_memory_write(up, &byte, 1, &o.err));
    check_read(o.server, "hello");
    hf_memory_free(up);
    hf_memory_free(down);
    end(&o);
}

/* Sizes: nothing, one byte, a record and one more, many records; read in pieces of another size. */
static void test_sizes(void)
{
    ROW("Y87");
    static const size_t sizes[] = {0, 1, 16384, 16385, 300000};
    struct objects o;
    begin(&o);
    join(&o);
    CHECK(shake(&o));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *data = malloc(sizes[i] + 1), *back = malloc(sizes[i] + 1);
        for (size_t k = 0; k < sizes[i]; k++)
            data[k] = (uint8_t)(k * 7 + i);
        CHECK_INT(hf_object_write(o.client, data, sizes[i], &o.err), HF_DONE);
        size_t got = 0, n;
        hf_result r;
        while ((r = hf_object_read(o.server, back + got,
                                   sizes[i] - got < 1000 ? sizes[i] - got : 1000, &n,
                                   &o.err)) == HF_DONE &&
               n)
            got += n;
        CHECK_INT(got, sizes[i]);
        CHECK_MEM(back, data, sizes[i]);
        CHECK_INT(read_one(o.server, &o.err), HF_WANT_INPUT);
        CHECK_INT(hf_memory_pending(o.up), 0);
        free(data);
        free(back);
    }
    end(&o);
}

/* ---- the end of the transport */

static void cut(bool lenient, bool within_record)
{
    struct objects o;
    begin(&o);
    CHECK(!lenient || hf_config_insecure_ignore_truncation(o.pair.server_config, true));
    join(&o);
    CHECK(shake(&o));
    CHECK_INT(hf_object_write(o.client, "last words", 10, &o.err), HF_DONE);
    if (within_record) {
        CHECK_INT(hf_object_write(o.client, "never said", 10, &o.err), HF_DONE);
        uint8_t all[256];
        size_t len = hf_memory_read(o.up, all, sizeof all);
        CHECK(hf_memory_write(o.up, all, len - 3, &o.err));
    }
    hf_memory_end(o.up);
    check_read(o.server, "last words");
    hf_result r = read_one(o.server, &o.err);
    CHECK_INT(r, lenient ? HF_CLOSED : HF_FAILED);
    CHECK_INT(hf_error_number(r, &o.err), lenient ? HF_NUMBER_ZERO_RETURN : HF_NUMBER_EOF);
    CHECK(lenient || o.err.code == HF_E_TRUNCATED);
    CHECK_INT(read_one(o.server, &o.err), r); /* it stays so */
    unsigned wants = hf_conn_wants(hf_object_conn(o.server));
    CHECK((wants & HF_IS_CLOSED_IN) == (lenient ? HF_IS_CLOSED_IN : 0));
    CHECK((wants & HF_IS_FAILED) == (lenient ? 0 : HF_IS_FAILED));
    if (lenient)
        CHECK_INT(hf_object_write(o.server, "bye", 3, &o.err), HF_DONE);
    end(&o);
}

static void test_truncation(void)
{
    ROW("Y18 Y73 Y134");
    cut(false, false);
    cut(false, true);
    cut(true, false);
    cut(true, true);
    struct pair half; /* nor is half a message the end of anything */
    pair_init(&half, PKI_P256);
    CHECK(hf_config_insecure_ignore_truncation(half.client_config, true));
    CHECK(pair_shake(&half));
    CHECK(buffer_append(&half.client.conn->inbuf, "\4\0", 2));
    CHECK_INT(hf_conn_receive_end(half.client.conn), HF_FAILED);
    CHECK_INT(end_code(&half.client), HF_E_TRUNCATED);
    pair_clear(&half);
    for (int i = 0; i < 2; i++) { /* in the handshake nothing makes it good */
        struct objects o;
        begin(&o);
        CHECK(hf_config_insecure_ignore_truncation(o.pair.client_config, i == 1));
        join(&o);
        CHECK_INT(hf_object_handshake(o.client, &o.err), HF_WANT_INPUT);
        CHECK_INT(hf_object_handshake(o.server, &o.err), HF_WANT_INPUT);
        uint8_t all[8192];
        size_t len = hf_memory_read(o.down, all, sizeof all);
        CHECK(hf_memory_write(o.down, all, len / 2, &o.err));
        hf_memory_end(o.down);
        CHECK_INT(hf_object_handshake(o.client, &o.err), HF_FAILED);
        CHECK_INT(o.err.code, HF_E_HANDSHAKE_CUT);
        CHECK_INT(hf_error_number(HF_FAILED, &o.err), HF_NUMBER_EOF);
        end(&o);
    }
}

/* close_notify is an end of its own kind; what comes behind it is not TLS, and is handed over. */
static void test_unwrap(void)
{
    ROW("Y14 Y98");
    struct objects o;
    uint8_t rest[32];
    begin(&o);
    join(&o);
    CHECK(shake(&o));
    CHECK_INT(hf_object_write(o.client, "before", 6, &o.err), HF_DONE);
    CHECK_INT(hf_object_unwrap(o.client, &o.err), HF_WANT_INPUT);
    CHECK(hf_memory_write(o.up, "QUIT\r\n", 6, &o.err));
    CHECK_INT(hf_object_write(o.client, "after", 5, &o.err), HF_CLOSED);
    CHECK_INT(hf_object_unwrap(o.server, &o.err), HF_DONE);
    check_read(o.server, "before"); /* data that came first is not lost */
    hf_result r = read_one(o.server, &o.err);
    CHECK_INT(r, HF_CLOSED);
    CHECK_INT(hf_error_number(r, &o.err), HF_NUMBER_ZERO_RETURN);
    CHECK_INT(hf_memory_read(o.up, rest, sizeof rest), 6);
    CHECK_MEM(rest, "QUIT\r\n", 6);
    CHECK_INT(hf_object_unwrap(o.client, &o.err), HF_DONE);
    CHECK_INT(hf_memory_pending(o.down), 0);
    end(&o);
}

/* ---- TLS inside TLS inside TLS */

#define LEVELS 3

/* One end of all levels: [0] is the outermost, whose bytes go over the wire. */
struct tower {
    hf_object *object[LEVELS];
    hf_memory *in[LEVELS], *out[LEVELS];
};

/* What a level has to send is data of the level around it; what that has received goes inwards. */
static bool settle(struct tower *t)
{
    uint8_t buf[4096];
    hf_error err = {0};
    bool moved = false;
    size_t n;
    for (int i = LEVELS - 1; i > 0; i--) {
        while ((n = hf_memory_read(t->out[i], buf, sizeof buf)) > 0) {
            CHECK_INT(hf_object_write(t->object[i - 1], buf, n, &err), HF_DONE);
            moved = true;
        }
    }
    for (int i = 1; i < LEVELS; i++) {
        if (hf_conn_wants(hf_object_conn(t->object[i - 1])) & HF_IN_HANDSHAKE)
            break;
        while (hf_object_read(t->object[i - 1], buf, sizeof buf, &n, &err) == HF_DONE) {
            CHECK(hf_memory_write(t->in[i], buf, n, &err));
            moved = true;
        }
    }
    return moved;
}

static bool carry(struct tower *from, struct tower *to)
{
    uint8_t buf[65536];
    size_t n = hf_memory_read(from->out[0], buf, sizeof buf);
    return n && hf_memory_write(to->in[0], buf, n, NULL);
}

static void settle_all(struct tower *client, struct tower *server)
{
    bool moved = true;
    while (moved) {
        moved = settle(client);
        moved = settle(server) || moved;
        moved = carry(client, server) || moved;
        moved = carry(server, client) || moved;
    }
}

static bool shake_level(struct tower *client, struct tower *server, int level)
{
    hf_result c = HF_WANT_INPUT, s = HF_WANT_INPUT;
    hf_error err = {0};
    for (int i = 0; i < 8 && (c == HF_WANT_INPUT || s == HF_WANT_INPUT); i++) {
        c = hf_object_handshake(client->object[level], &err);
        s = hf_object_handshake(server->object[level], &err);
        settle_all(client, server);
    }
    return c == HF_DONE && s == HF_DONE;
}

static void test_tls_in_tls(void)
{
    ROW("Y136 C57");
    static const enum pki_kind kinds[LEVELS] = {PKI_P256, PKI_RSA, PKI_ED25519};
    struct pair pair[LEVELS];
    struct tower client, server;
    hf_error err = {0};
    for (int i = 0; i < LEVELS; i++) {
        pair_init(&pair[i], kinds[i]);
        client.in[i] = hf_memory_new();
        client.out[i] = hf_memory_new();
        server.in[i] = hf_memory_new();
        server.out[i] = hf_memory_new();
        if (i == 1) /* an old one in between */
            CHECK(hf_config_set_versions(pair[i].client_config, HF_TLS1_2, HF_TLS1_2));
        client.object[i] =
            hf_object_new(hf_conn_new_client(pair[i].client_config, "server.example", &err),
                          client.in[i], client.out[i], &err);
        server.object[i] = hf_object_new(hf_conn_new_server(pair[i].server_config, &err),
                                         server.in[i], server.out[i], &err);
    }
    for (int i = 0; i < LEVELS; i++)
        CHECK(shake_level(&client, &server, i));
    CHECK_INT(hf_conn_version(hf_object_conn(client.object[1])), HF_TLS1_2);
    CHECK_INT(hf_conn_version(hf_object_conn(client.object[2])), HF_TLS1_3);
    CHECK_INT(hf_object_write(client.object[2], "deep inside", 11, &err), HF_DONE);
    settle_all(&client, &server);
    check_read(server.object[2], "deep inside");
    static uint8_t big[100000], back[100000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 31);
    CHECK_INT(hf_object_write(server.object[2], big, sizeof big, &err), HF_DONE);
    settle_all(&client, &server);
    size_t got = 0, n;
    while (got < sizeof back &&
           hf_object_read(client.object[2], back + got, sizeof back - got, &n, &err) == HF_DONE)
        got += n;
    CHECK_INT(got, sizeof back);
    CHECK_MEM(back, big, sizeof big);
    for (int i = LEVELS - 1; i >= 0; i--) { /* and out again, each level by itself */
        CHECK_INT(hf_object_unwrap(client.object[i], &err), HF_WANT_INPUT);
        settle_all(&client, &server);
        CHECK_INT(hf_object_unwrap(server.object[i], &err), HF_DONE);
        settle_all(&client, &server);
        CHECK_INT(hf_object_unwrap(client.object[i], &err), HF_DONE);
    }
    for (int i = 0; i < LEVELS; i++) {
        hf_object_free(client.object[i]);
        hf_object_free(server.object[i]);
        hf_memory_free(client.in[i]);
        hf_memory_free(client.out[i]);
        hf_memory_free(server.in[i]);
        hf_memory_free(server.out[i]);
        pair_clear(&pair[i]);
    }
}

/* ---- misuse, and no memory */

static void test_usage(void)
{
    struct objects o;
    begin(&o);
    hf_memory *m = hf_memory_new();
    hf_conn *conn = hf_conn_new_client(o.pair.client_config, "server.example", &o.err);
    CHECK(!hf_object_new(conn, m, NULL, &o.err)); /* frees the connection */
    CHECK_INT(o.err.code, HF_E_USAGE);
    conn = hf_conn_new_client(o.pair.client_config, NULL, &o.err);
    CHECK(!conn && o.err.code == HF_E_USAGE);
    char detail[HF_DETAIL_MAX_LEN];
    memcpy(detail, o.err.detail, sizeof detail);
    CHECK(!hf_object_new(conn, m, m, &o.err));
    CHECK_STR(o.err.detail, detail); /* why there is none */
    hf_object_free(NULL);
    hf_memory_free(m);

    join(&o);
    hf_memory_end(o.up); /* nobody takes what the client says */
    CHECK_INT(hf_object_handshake(o.client, &o.err), HF_FAILED);
    CHECK_INT(o.err.code, HF_E_USAGE);
    part(&o);
    join(&o);
    CHECK(hf_memory_write(o.up, "GET / HTTP/1.1\r\n", 16, &o.err));
    CHECK_INT(hf_object_handshake(o.server, &o.err), HF_FAILED);
    CHECK_INT(hf_object_unwrap(o.server, &o.err), HF_FAILED);
    CHECK_INT(hf_object_write(o.server, "x", 1, &o.err), HF_FAILED);
    CHECK_INT(read_one(o.server, &o.err), HF_FAILED);
    end(&o);
}

static void test_no_memory(void)
{
    ROW("C14");
    bool done = false;
    for (unsigned long n = 1; !done && n < 5000; n++) {
        struct objects o;
        uint8_t out[64];
        size_t got;
        begin(&o);
        hf_memory *up = hf_memory_new(), *down = hf_memory_new();
        mem_test_fail_after(n);
        o.client =
            hf_object_new(hf_conn_new_client(o.pair.client_config, "server.example", &o.err),
                          down, up, &o.err);
        o.server =
            hf_object_new(hf_conn_new_server(o.pair.server_config, &o.err), up, down, &o.err);
        done = o.client && o.server && shake(&o) &&
               hf_object_write(o.client, "hello there", 11, &o.err) == HF_DONE &&
               hf_object_read(o.server, out, 5, &got, &o.err) == HF_DONE;
        mem_test_fail_after(0);
        CHECK(done || o.err.code == HF_E_NO_MEMORY || o.err.code == HF_E_CRYPTO);
        hf_memory_free(up);
        hf_memory_free(down);
        end(&o);
    }
    CHECK(done);
}

int main(void)
{
    RUN(test_memory);
    RUN(test_attributes);
    RUN(test_drip);
    RUN(test_sizes);
    RUN(test_truncation);
    RUN(test_unwrap);
    RUN(test_tls_in_tls);
    RUN(test_usage);
    RUN(test_no_memory);
    return check_done();
}

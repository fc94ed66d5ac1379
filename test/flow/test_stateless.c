/* test_stateless.c: a server that forgets its client after the HelloRetryRequest, and a fresh connection that goes on
 * from the second ClientHello (RFC 8446 4.2.2). */
#include <stdlib.h>

#include "../unit/check.h"
#include "config/cookie.h"
#include "connection/conn.h"
#include "pair.h"

static int64_t now;

static int64_t clock_now(void *arg)
{
    (void)arg;
    return now;
}

static void prepare(struct pair *p)
{
    now = PKI_NOW;
    pair_init(p, PKI_P256);
    CHECK(hf_config_set_clock(p->client_config, clock_now, NULL));
    CHECK(hf_config_set_clock(p->server_config, clock_now, NULL));
    CHECK(hf_config_set_stateless_retry(p->server_config, true));
}

/* The server's connection is freed, and another of this configuration takes its place. */
static void forget(struct pair *p, hf_config *config)
{
    hf_error err = {0};
    hf_conn_free(p->server.conn);
    p->server.conn = hf_conn_new_server(config, &err);
    CHECK(p->server.conn != NULL);
    CHECK_INT(hf_conn_stateless(p->server.conn), HF_STATELESS_NO);
}

/* The first ClientHello is answered. What the client says to that waits in its output. */
static void first_round(struct pair *p)
{
    CHECK(pair_pump(&p->client, &p->server));
    CHECK_INT(hf_conn_stateless(p->server.conn), HF_STATELESS_ASKED);
    CHECK(pair_pump(&p->server, &p->client));
    CHECK(hf_conn_retried(p->client.conn));
}

static bool shaken(const struct end *e)
{
    return !(hf_conn_wants(e->conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

static void exchange(struct pair *p)
{
    uint8_t a[32], b[32];
    CHECK(shaken(&p->client) && shaken(&p->server));
    CHECK(hf_conn_export(p->client.conn, "EXPORTER-x", NULL, 0, a, 32, NULL));
    CHECK(hf_conn_export(p->server.conn, "EXPORTER-x", NULL, 0, b, 32, NULL));
    CHECK_MEM(a, b, 32);
    CHECK(pair_send(p, &p->client, "ping", 4) == HF_DONE && p->server.data.len >= 4);
    CHECK(pair_send(p, &p->server, "pong", 4) == HF_DONE && p->client.data.len >= 4);
}

static void whole(struct pair *p, hf_config *then)
{
    first_round(p);
    forget(p, then);
    pair_run(p);
    CHECK_INT(hf_conn_stateless(p->server.conn), HF_STATELESS_RETURNED);
    CHECK(hf_conn_retried(p->server.conn));
    exchange(p);
    CHECK_INT(hf_conn_stateless(p->server.conn), HF_STATELESS_RETURNED);
}

/* Groups of both sides, NULL for the defaults; shares of the client. */
static void with_groups(const char *client, const char *shares, const char *server,
                        size_t chunk)
{
    struct pair p;
    prepare(&p);
    CHECK(!client || hf_config_set_groups(p.client_config, client));
    CHECK(!shares || hf_config_set_key_shares(p.client_config, shares));
    CHECK(!server || hf_config_set_groups(p.server_config, server));
    pair_connect(&p);
    p.server.chunk = chunk;
    whole(&p, p.server_config);
    pair_clear(&p);
}

static void test_forgotten(void)
{
    with_groups(NULL, NULL, NULL, 0);
    with_groups(NULL, NULL, NULL, 1);
    with_groups("x25519:P-256", NULL, "P-256", 0);
    with_groups("x25519:P-256", "", "P-256", 0);
    with_groups("x25519:P-256", "x25519:P-256", "P-256", 7);
    with_groups("P-384:x25519", NULL, "x25519", 0);
}

static void test_every_suite(void)
{
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    for (int i = 0; i < 3; i++) {
        struct pair p;
        prepare(&p);
        CHECK(hf_config_set_suites(p.client_config, suites[i]));
        pair_connect(&p);
        whole(&p, p.server_config);
        pair_clear(&p);
    }
}

static void test_not_forgotten(void)
{
    struct pair p;
    prepare(&p);
    pair_connect(&p);
    CHECK_INT(hf_conn_stateless(p.server.conn), HF_STATELESS_NO);
    first_round(&p);
    pair_run(&p);
    CHECK_INT(hf_conn_stateless(p.server.conn), HF_STATELESS_RETURNED);
    exchange(&p);
    pair_clear(&p);
}

static void test_everything_else(void)
{
    struct pair p;
    prepare(&p);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", false));
    CHECK(hf_config_set_alpn(p.server_config, "http/1.1", false));
    CHECK(hf_config_set_grease(p.client_config, true));
    CHECK(hf_config_set_grease(p.server_config, true));
    CHECK(hf_config_set_middlebox_compat(p.server_config, false));
    pair_connect(&p);
    whole(&p, p.server_config);
    size_t len;
    const uint8_t *alpn = hf_conn_alpn(p.server.conn, &len);
    CHECK(len == 8 && memcmp(alpn, "http/1.1", 8) == 0);
    CHECK_STR(hf_conn_server_name(p.server.conn), "server.example");
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) != NULL);
    pair_clear(&p);
}

/* What the fresh server makes of the second ClientHello. */
static void refused(struct pair *p, hf_config *then, hf_code code)
{
    forget(p, then);
    (void)pair_pump(&p->client, &p->server);
    CHECK_INT(end_code(&p->server), code);
    CHECK(hf_conn_error(p->server.conn) && hf_conn_error(p->server.conn)->alert == 47);
    CHECK(hf_conn_wants(p->server.conn) & HF_IS_FAILED);
}

/* ---- keys, time, choices */

static hf_config *other_server(struct pair *p, const uint8_t *keys, size_t count)
{
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(hf_config_add_credential(config, p->cred));
    CHECK(hf_config_set_clock(config, clock_now, NULL));
    CHECK(hf_config_set_stateless_retry(config, true));
    CHECK(!count || hf_config_set_cookie_keys(config, keys, count));
    return config;
}

static void test_keys(void)
{
    uint8_t keys[3 * HF_COOKIE_KEY_SIZE];
    for (size_t i = 0; i < sizeof keys; i++)
        keys[i] = (uint8_t)(i * 7);
    struct {
        size_t from, count;
        bool good;
    } then[] = {{0, 1, true}, {0, 3, true}, {1, 2, false}, {0, 0, false}};
    struct pair p;
    prepare(&p);
    CHECK(hf_config_set_cookie_keys(p.server_config, keys, 1));
    for (size_t i = 0; i < 4; i++) {
        hf_config *other =
            other_server(&p, keys + then[i].from * HF_COOKIE_KEY_SIZE, then[i].count);
        pair_connect(&p);
        if (then[i].good) {
            whole(&p, other);
        } else {
            first_round(&p);
            refused(&p, other, HF_E_COOKIE_MISMATCH);
        }
        pair_reset(&p);
        hf_config_free(other);
    }
    /* The new key was put in front of the one that the cookie was made with. */
    uint8_t both[2 * HF_COOKIE_KEY_SIZE];
    memcpy(both, keys + HF_COOKIE_KEY_SIZE, HF_COOKIE_KEY_SIZE);
    memcpy(both + HF_COOKIE_KEY_SIZE, keys, HF_COOKIE_KEY_SIZE);
    hf_config *rotated = other_server(&p, both, 2);
    pair_connect(&p);
    whole(&p, rotated);
    pair_reset(&p);
    hf_config_free(rotated);
    /* A key that a configuration has made for itself is that of its derived ones, too. */
    hf_config *own = other_server(&p, NULL, 0);
    CHECK(hf_config_freeze(own, NULL));
    hf_config *derived = hf_config_derive(own);
    hf_config_free(p.server_config);
    p.server_config = own;
    pair_connect(&p);
    whole(&p, derived);
    hf_config_free(derived);
    pair_clear(&p);
}

static void test_time(void)
{
    static const struct {
        int32_t later;
        hf_code code;
    } cases[] = {
        {60, HF_OK}, {61, HF_E_COOKIE_EXPIRED}, {-5, HF_OK}, {-6, HF_E_COOKIE_EXPIRED}};
    for (size_t i = 0; i < 4; i++) {
        struct pair p;
        prepare(&p);
        pair_connect(&p);
        first_round(&p);
        now += cases[i].later;
        if (cases[i].code != HF_OK) {
            refused(&p, p.server_config, cases[i].code);
        } else {
            forget(&p, p.server_config);
            pair_run(&p);
            exchange(&p);
        }
        pair_clear(&p);
    }
    struct pair p;
    prepare(&p);
    CHECK(hf_config_set_cookie_lifetime(p.server_config, 3600));
    pair_connect(&p);
    first_round(&p);
    now += 3600;
    forget(&p, p.server_config);
    pair_run(&p);
    exchange(&p);
    pair_clear(&p);
}

static void test_choice(void)
{
    static const uint8_t key[HF_COOKIE_KEY_SIZE] = {1};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        prepare(&p);
        CHECK(hf_config_set_cookie_keys(p.server_config, key, 1));
        CHECK(hf_config_set_groups(p.server_config, "x25519"));
        CHECK(hf_config_set_suites(p.server_config, "TLS_AES_128_GCM_SHA256"));
        hf_config *other = other_server(&p, key, 1);
        CHECK(i || hf_config_set_suites(other, "TLS_CHACHA20_POLY1305_SHA256"));
        CHECK(!i || hf_config_set_groups(other, "P-256"));
        pair_connect(&p);
        first_round(&p);
        refused(&p, other, HF_E_COOKIE_CHOICE);
        hf_config_free(other);
        pair_clear(&p);
    }
}

/* ---- the second ClientHello on its way */

struct place {
    uint8_t *message;      /* ClientHello, behind its record header */
    size_t message_len;    /* with its header */
    size_t record;         /* offset of its record in the client's output */
    size_t block, at, len; /* in the message: the extensions' length; cookie's content */
};

static size_t read16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Finds the ClientHello and its cookie in what the client has sent. */
static struct place find(uint8_t *bytes, size_t len)
{
    struct place f = {0};
    while (f.record < len && bytes[f.record] != REC_HANDSHAKE)
        f.record += REC_HEADER + read16(bytes + f.record + 3);
    CHECK(f.record < len);
    f.message = bytes + f.record + REC_HEADER;
    f.message_len = read16(bytes + f.record + 3);
    size_t at = MSG_HEADER + 2 + 32;
    at += 1u + f.message[at];
    at += 2 + read16(f.message + at);
    at += 1u + f.message[at];
    f.block = at;
    for (at += 2; at < f.message_len; at += 4 + read16(f.message + at + 2)) {
        if (read16(f.message + at) == 44) {
            f.at = at + 6;
            f.len = read16(f.message + at + 4);
        }
    }
    CHECK(f.len > 0);
    return f;
}

/* Takes what the client has to send; with another cookie in place of the one that is in it, if `cookie` is not NULL. */
static void take_output(struct pair *p, struct wire *out, const uint8_t *cookie,
                        size_t cookie_len)
{
    size_t len;
    const uint8_t *bytes = hf_conn_output(p->client.conn, &len);
    out->len = 0;
    wire_put(out, bytes, len);
    hf_conn_output_done(p->client.conn, len);
    if (!cookie)
        return;
    struct wire changed = {0};
    struct place f = find(out->p, out->len);
    size_t less = f.len - cookie_len, message = f.record + REC_HEADER;
    wire_put(&changed, out->p, message + f.at);
    wire_put(&changed, cookie, cookie_len);
    wire_put(&changed, f.message + f.at + f.len, f.message_len - f.at - f.len);
    put16(changed.p + f.record + 3, f.message_len - less);
    put16(changed.p + message + 2, f.message_len - MSG_HEADER - less);
    put16(changed.p + message + f.block, read16(f.message + f.block) - less);
    put16(changed.p + message + f.at - 2, cookie_len);
    put16(changed.p + message + f.at - 4, cookie_len + 2);
    free(out->p);
    *out = changed;
}

/* A fresh server is given these bytes. */
static hf_code judged(struct pair *p, const struct wire *bytes)
{
    uint8_t *data;
    size_t used, len;
    uint8_t *copy = malloc(bytes->len + 1);
    forget(p, p->server_config);
    if (!copy)
        return HF_E_NO_MEMORY;
    memcpy(copy, bytes->p, bytes->len);
    hf_result r = hf_conn_receive(p->server.conn, copy, bytes->len, &used, &data, &len);
    CHECK(r == HF_FAILED || r == HF_WANT_INPUT);
    free(copy);
    return end_code(&p->server);
}

/* The server's answer to bytes that it has taken must be of no use to the client. */
static bool client_takes_it(struct pair *p)
{
    pair_run(p);
    return shaken(&p->client) && shaken(&p->server);
}

static void test_cookie_changed(void)
{
    struct pair p;
    struct wire sent = {0}, changed = {0};
    prepare(&p);
    pair_connect(&p);
    first_round(&p);
    take_output(&p, &sent, NULL, 0);
    struct place f = find(sent.p, sent.len);
    CHECK_INT(judged(&p, &sent), HF_OK);
    for (size_t i = 0; i < f.len; i++) {
        f.message[f.at + i] ^= (uint8_t)(1u << i % 8);
        CHECK_INT(judged(&p, &sent), HF_E_COOKIE_MISMATCH);
        f.message[f.at + i] ^= (uint8_t)(1u << i % 8);
    }
    uint8_t *cookie = malloc(f.len);
    memcpy(cookie, f.message + f.at, f.len);
    for (size_t len = 1; len <= f.len; len++) {
        pair_reset(&p);
        pair_connect(&p);
        first_round(&p);
        take_output(&p, &changed, cookie, len);
        /* All of it is another connection's. */
        CHECK_INT(judged(&p, &changed),
                  len < f.len ? HF_E_COOKIE_MISMATCH : HF_E_HELLO_CHANGED);
    }
    free(cookie);
    free(sent.p);
    free(changed.p);
    pair_clear(&p);
}

/* Every byte of the second ClientHello changed, and the message cut at every length: refused by the server, or by the
 * client, whose transcript is another. */
static void test_hello_changed(void)
{
    struct pair p;
    struct wire sent = {0}, changed = {0};
    unsigned by_server = 0, by_client = 0;
    prepare(&p);
    CHECK(hf_config_set_groups(p.client_config, "x25519:P-256"));
    for (size_t i = MSG_HEADER, length = MSG_HEADER + 1; i < length; i++) {
        for (int cut = 0; cut < 2; cut++) {
            pair_reset(&p);
            pair_connect(&p);
            first_round(&p);
            take_output(&p, &sent, NULL, 0);
            struct place f = find(sent.p, sent.len);
            length = f.message_len;
            changed.len = 0;
            wire_put(&changed, sent.p, f.record + REC_HEADER + (cut ? i : f.message_len));
            uint8_t *message = changed.p + f.record + REC_HEADER;
            if (cut) {
                put16(changed.p + f.record + 3, i);
                put16(message + 2, i - MSG_HEADER);
            } else {
                message[i] ^= (uint8_t)(1u << (i * 5 + i / 8) % 8);
            }
            hf_code code = judged(&p, &changed);
            CHECK(code == HF_OK || hf_conn_error(p.server.conn)->fault != HF_FAULT_LOCAL);
            if (code == HF_OK)
                CHECK(!client_takes_it(&p));
            *(code == HF_OK ? &by_client : &by_server) += 1;
            if (!cut && i >= MSG_HEADER + 2 && i < f.block) /* random, suites and the like */
                CHECK(code != HF_OK);
        }
    }
    CHECK(by_server > 300 && by_client > 0);
    free(sent.p);
    free(changed.p);
    pair_clear(&p);
}

/* A cookie with a good MAC, and another choice in it than the one that was made. */
static hf_code chosen(uint16_t suite, uint16_t group, bool share_asked, uint8_t hash,
                      bool *done)
{
    struct pair p;
    struct wire changed = {0};
    size_t len = 0;
    const char *why;
    prepare(&p);
    CHECK(hf_config_set_groups(p.client_config, "x25519:P-256"));
    CHECK(hf_config_set_suites(p.client_config,
                               "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"));
    pair_connect(&p);
    first_round(&p);
    struct cookie c;
    struct slice old = slice_of(p.server.conn->hs->n.cookie, p.server.conn->hs->n.cookie_len);
    CHECK_INT(cookie_open(p.server_config, NULL, old, &c, &why), HF_OK);
    CHECK_INT(c.suite, 0x1301);
    CHECK_INT(c.group, 0x1d);
    CHECK(!c.share_asked && !c.psk && c.content.len == 0 && c.hello.len == 32);
    c.suite = suite;
    c.group = group;
    c.share_asked = share_asked;
    static uint8_t long_hash[48];
    if (hash == 48)
        c.hello = slice_of(long_hash, sizeof long_hash);
    uint8_t *cookie = cookie_seal(p.server_config, NULL, &c, &len);
    CHECK(cookie != NULL);
    take_output(&p, &changed, cookie, len);
    hf_code code = judged(&p, &changed);
    *done = code == HF_OK && client_takes_it(&p);
    mem_free(cookie);
    free(changed.p);
    pair_clear(&p);
    return code;
}

static void test_choice_changed(void)
{
    bool done;
    CHECK_INT(chosen(0x1301, 0x1d, false, 32, &done), HF_OK);
    CHECK(done);
    CHECK_INT(chosen(0x1303, 0x1d, false, 32, &done), HF_OK); /* the client knows better */
    CHECK(!done);
    CHECK_INT(chosen(0x1302, 0x1d, false, 48, &done), HF_E_HELLO_CHANGED);
    CHECK_INT(chosen(0x1302, 0x1d, false, 32, &done), HF_E_COOKIE_CHOICE);
    CHECK_INT(chosen(0x1301, 0x1d, false, 48, &done), HF_E_COOKIE_CHOICE);
    CHECK_INT(chosen(0xc02f, 0x1d, false, 32, &done), HF_E_COOKIE_CHOICE);
    CHECK_INT(chosen(0x1399, 0x1d, false, 32, &done), HF_E_COOKIE_CHOICE);
    CHECK_INT(chosen(0x1301, 0x17, false, 32, &done), HF_E_HELLO_CHANGED);
    CHECK_INT(chosen(0x1301, 0x17, true, 32, &done), HF_E_WRONG_GROUP);
    CHECK_INT(chosen(0x1301, 0x7777, false, 32, &done), HF_E_COOKIE_CHOICE);
    CHECK_INT(chosen(0x1301, 0, true, 32, &done), HF_E_COOKIE_CHOICE);
    CHECK_INT(chosen(0x1301, 0, false, 32, &done), HF_E_NO_SHARED_GROUP);
}

/* The dummy change_cipher_spec stands behind a server's first message (RFC 8446 D.4), which is the HelloRetryRequest. */
static void test_ccs_once(void)
{
    struct pair p;
    size_t len, at = 0;
    prepare(&p);
    pair_connect(&p);
    CHECK(pair_pump(&p.client, &p.server));
    const uint8_t *out = hf_conn_output(p.server.conn, &len);
    CHECK(len > 6 && out[len - 6] == REC_CCS);
    CHECK(pair_pump(&p.server, &p.client));
    forget(&p, p.server_config);
    CHECK(pair_pump(&p.client, &p.server));
    for (out = hf_conn_output(p.server.conn, &len); at < len;
         at += REC_HEADER + read16(out + at + 3))
        CHECK(out[at] != REC_CCS);
    CHECK(at == len && len > 0);
    pair_clear(&p);
}

/* ---- what comes before it */

static void test_ccs_first(void)
{
    static const uint8_t ccs[] = {REC_CCS, 3, 3, 0, 1, 1};
    static const struct {
        unsigned count;
        hf_code code;
        uint8_t content;
    } cases[] = {{0, HF_OK, 1},
                 {3, HF_OK, 1},
                 {40, HF_E_EMPTY_RECORDS, 1},
                 {1, HF_E_UNEXPECTED_RECORD, 2}};
    for (size_t i = 0; i < 4; i++) {
        struct pair p;
        prepare(&p);
        pair_connect(&p);
        first_round(&p);
        forget(&p, p.server_config);
        for (unsigned k = 0; k < cases[i].count; k++) {
            wire_put(&p.server.in, ccs, sizeof ccs);
            p.server.in.p[p.server.in.len - 1] = cases[i].content;
        }
        pair_run(&p);
        CHECK_INT(end_code(&p.server), cases[i].code);
        pair_clear(&p);
    }
    /* Nobody else may begin with it. */
    struct pair p;
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    wire_put(&p.server.in, ccs, sizeof ccs);
    pair_run(&p);
    CHECK_INT(end_code(&p.server), HF_E_UNEXPECTED_RECORD);
    pair_clear(&p);
}

/* It knows nothing of all this, and what only TLS 1.3 allows may not have come before it. */
static void test_tls12(void)
{
    static const uint8_t ccs[] = {REC_CCS, 3, 3, 0, 1, 1}, data[] = {REC_DATA, 3, 3, 0, 1, 1};
    const uint8_t *const first[] = {NULL, ccs, data};
    for (int i = 0; i < 3; i++) {
        struct pair p;
        prepare(&p);
        CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
        pair_connect(&p);
        if (first[i])
            wire_put(&p.server.in, first[i], sizeof ccs);
        pair_run(&p);
        CHECK_INT(hf_conn_stateless(p.server.conn), HF_STATELESS_NO);
        CHECK_INT(end_code(&p.server), first[i] ? HF_E_UNEXPECTED_RECORD : HF_OK);
        if (!first[i])
            exchange(&p);
        pair_clear(&p);
    }
}

/* ---- sessions and early data */

static void resumed(unsigned modes, bool early, size_t early_len, const char *shares)
{
    static uint8_t bytes[40000], out[60000];
    struct pair p;
    size_t taken = 0, written = 0;
    prepare(&p);
    CHECK(hf_config_set_groups(p.client_config, "x25519:P-256"));
    CHECK(!shares || hf_config_set_key_shares(p.client_config, shares));
    CHECK(hf_config_set_psk_modes(p.client_config, modes));
    CHECK(hf_config_set_psk_modes(p.server_config, modes));
    CHECK(hf_config_set_early_data(p.client_config, early));
    CHECK(!early || hf_config_set_max_early_data(p.server_config, 30000));
    CHECK(pair_shake(&p));
    CHECK(p.sessions > 1);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[1]));
    if (early) {
        CHECK(hf_conn_send_early(p.client.conn, bytes, early_len, &taken, out, sizeof out,
                                 &written) == HF_DONE);
        CHECK_INT(taken, early_len);
        /* The ClientHello alone, and to who comes next all that was sent behind it. */
        size_t hello = REC_HEADER + read16(out + 3);
        wire_put(&p.server.in, out, hello);
        uint8_t *data;
        size_t used, len;
        CHECK(hf_conn_receive(p.server.conn, p.server.in.p, hello, &used, &data, &len) ==
              HF_WANT_INPUT);
        CHECK_INT(hf_conn_stateless(p.server.conn), HF_STATELESS_ASKED);
        CHECK(pair_pump(&p.server, &p.client));
        forget(&p, p.server_config);
        p.server.in.len = 0;
        wire_put(&p.server.in, out + hello, written - hello);
        pair_run(&p);
        CHECK_INT(hf_conn_early_data(p.client.conn), HF_EARLY_REFUSED);
        CHECK_INT(p.server.data.len, 0);
        exchange(&p);
    } else {
        whole(&p, p.server_config);
    }
    CHECK(hf_conn_resumed(p.client.conn) && hf_conn_resumed(p.server.conn));
    pair_clear(&p);
}

static void test_resumed(void)
{
    resumed(HF_PSK_DHE_KE, false, 0, NULL);
    resumed(HF_PSK_DHE_KE, false, 0, "");
    resumed(HF_PSK_DHE_KE | HF_PSK_KE, false, 0, NULL);
    resumed(HF_PSK_KE, false, 0, NULL);
}

static void test_early_data(void)
{
    resumed(HF_PSK_DHE_KE, true, 5, NULL);
    resumed(HF_PSK_DHE_KE, true, 30000, NULL);
    resumed(HF_PSK_KE, true, 100, NULL);
}

/* Records of application data from who has sent no ClientHello yet are no early data without end. */
static void test_too_much_first(void)
{
    static uint8_t record[REC_HEADER + 16384] = {REC_DATA, 3, 3, 0x40, 0};
    struct pair p;
    prepare(&p);
    pair_connect(&p);
    wire_put(&p.server.in, record, sizeof record);
    pair_run(&p);
    CHECK(p.client.conn && end_code(&p.server) == HF_OK);
    pair_reset(&p);
    pair_connect(&p);
    for (int i = 0; i < 3; i++)
        wire_put(&p.server.in, record, sizeof record);
    pair_run(&p);
    CHECK_INT(end_code(&p.server), HF_E_UNEXPECTED_RECORD);
    pair_clear(&p);
}

/* ---- the application */

struct content {
    uint8_t bytes[HF_COOKIE_CONTENT_MAX + 1];
    size_t len;
    bool makes, accepts;
    unsigned made, checked;
};

static bool make(hf_conn *conn, uint8_t *out, size_t size, size_t *len, void *arg)
{
    struct content *c = arg;
    CHECK(conn != NULL);
    CHECK_INT(size, HF_COOKIE_CONTENT_MAX);
    memcpy(out, c->bytes, c->len < size ? c->len : size);
    *len = c->len;
    c->made++;
    return c->makes;
}

static bool check(hf_conn *conn, const uint8_t *content, size_t len, void *arg)
{
    struct content *c = arg;
    CHECK(conn != NULL);
    CHECK_INT(len, c->len);
    CHECK(len == 0 || memcmp(content, c->bytes, len) == 0);
    c->checked++;
    return c->accepts;
}

static void test_content(void)
{
    static const size_t lens[] = {0, 1, 16, HF_COOKIE_CONTENT_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct pair p;
        struct content c = {.len = lens[i], .makes = true, .accepts = true};
        memset(c.bytes, 0xa5, sizeof c.bytes);
        prepare(&p);
        CHECK(hf_config_set_cookie_content(p.server_config, make, check, &c));
        pair_connect(&p);
        whole(&p, p.server_config);
        CHECK(c.made == 1 && c.checked == 1);
        c.accepts = false;
        pair_reset(&p);
        pair_connect(&p);
        first_round(&p);
        refused(&p, p.server_config, HF_E_COOKIE_MISMATCH);
        for (int k = 0; k < 2; k++) {
            c.makes = k;
            c.len = k ? HF_COOKIE_CONTENT_MAX + 1 : 1;
            pair_reset(&p);
            CHECK(!pair_shake(&p));
            CHECK_INT(end_code(&p.server), HF_E_COOKIE_CALLBACK);
            CHECK_INT(end_code(&p.client), HF_E_ALERT_RECEIVED);
        }
        pair_clear(&p);
    }
}

static unsigned hellos;
static bool choose(hf_conn *conn, const hf_question *question, void *arg)
{
    CHECK(question->ask == HF_ASK_HELLO);
    hellos++;
    return hf_answer_hello(conn, arg);
}

/* The keys are those of the configuration that a connection begins with; what is allowed, the other one says. */
static void test_other_configuration(void)
{
    for (int i = 0; i < 2; i++) {
        struct pair p;
        prepare(&p);
        hf_config *second = other_server(&p, NULL, 0), *third = other_server(&p, NULL, 0);
        CHECK(hf_config_set_stateless_retry(second, false));
        CHECK(hf_config_set_suites(second, "TLS_AES_128_GCM_SHA256"));
        CHECK(hf_config_set_suites(third, "TLS_AES_256_GCM_SHA384"));
        hellos = 0;
        CHECK(hf_config_set_ask(p.server_config, HF_ASK_HELLO, choose, second));
        pair_connect(&p);
        hf_config *then = hf_config_derive(p.server_config); /* it is frozen, and has its key */
        CHECK(hf_config_set_ask(then, HF_ASK_HELLO, choose, i ? third : second));
        if (i) {
            first_round(&p);
            refused(&p, then, HF_E_COOKIE_CHOICE);
        } else {
            whole(&p, then);
        }
        CHECK_INT(hellos, 2);
        pair_reset(&p);
        hf_config_free(second);
        hf_config_free(third);
        hf_config_free(then);
        pair_clear(&p);
    }
}

static void test_settings(void)
{
    uint8_t keys[5 * HF_COOKIE_KEY_SIZE] = {0};
    hf_config *server = hf_config_new(HF_SERVER), *client = hf_config_new(HF_CLIENT);
    CHECK(!hf_config_set_stateless_retry(client, true));
    CHECK_INT(hf_config_error(client)->code, HF_E_USAGE);
    CHECK(hf_config_set_cookie_keys(server, keys, 4));
    CHECK(hf_config_set_cookie_lifetime(server, 1) &&
          hf_config_set_cookie_lifetime(server, 3600));
    CHECK(hf_config_set_cookie_content(server, NULL, NULL, NULL));
    CHECK(!hf_config_error(server));
    CHECK(!hf_config_set_cookie_keys(server, keys, 5));
    CHECK_INT(hf_config_error(server)->code, HF_E_CONFIG);
    CHECK(!hf_config_set_cookie_keys(server, keys, 0) &&
          !hf_config_set_cookie_keys(server, NULL, 1));
    CHECK(!hf_config_set_cookie_lifetime(server, 0) &&
          !hf_config_set_cookie_lifetime(server, 3601));
    CHECK(!hf_config_set_cookie_content(server, make, NULL, NULL));
    CHECK(!hf_config_set_stateless_retry(NULL, true) &&
          !hf_config_set_cookie_keys(NULL, keys, 1));
    hf_config_free(server);
    hf_config_free(client);
}

/* The n-th allocation fails, for all n. */
static void test_memory(void)
{
    struct pair p;
    struct content c = {.len = 16, .makes = true, .accepts = true};
    bool done = false;
    prepare(&p);
    CHECK(hf_config_set_cookie_content(p.server_config, make, check, &c));
    CHECK(hf_config_freeze(p.server_config, NULL) && hf_config_freeze(p.client_config, NULL));
    for (unsigned long n = 1; n < 2000 && !done; n++) {
        hf_error err = {0};
        mem_test_fail_after(n);
        p.client.conn = hf_conn_new_client(p.client_config, "server.example", &err);
        p.server.conn = p.client.conn ? hf_conn_new_server(p.server_config, &err) : NULL;
        if (p.server.conn && pair_pump(&p.client, &p.server) &&
            pair_pump(&p.server, &p.client)) {
            hf_conn_free(p.server.conn);
            p.server.conn = hf_conn_new_server(p.server_config, &err);
            if (p.server.conn)
                pair_run(&p);
        }
        mem_test_fail_after(0);
        done = p.server.conn && p.client.conn && shaken(&p.server) && shaken(&p.client);
        pair_reset(&p);
    }
    CHECK(done);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_forgotten);
    RUN(test_every_suite);
    RUN(test_not_forgotten);
    RUN(test_everything_else);
    RUN(test_keys);
    RUN(test_time);
    RUN(test_choice);
    RUN(test_cookie_changed);
    RUN(test_hello_changed);
    RUN(test_choice_changed);
    RUN(test_ccs_once);
    RUN(test_ccs_first);
    RUN(test_tls12);
    RUN(test_resumed);
    RUN(test_early_data);
    RUN(test_too_much_first);
    RUN(test_content);
    RUN(test_other_configuration);
    RUN(test_settings);
    RUN(test_memory);
    return check_done();
}

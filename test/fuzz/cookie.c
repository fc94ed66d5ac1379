/* cookie.c: cookies that come back to a server that has forgotten whom it gave them (RFC 8446 4.2.2). Input: 8 bits,
 * then the cookie. Bit 0: a MAC of ours is put behind it, as if we had made it. Bit 1: what it says of the first
 * ClientHello is what the second one has. Bit 2: change_cipher_spec and early data come first. Bit 3: memory runs out,
 * at the allocation that bits 4 to 7 say. The cookie is read by itself, and then stands in the second ClientHello of an
 * honest client, which is given to a server that has seen nothing before. */
#include <string.h>

#include "config/cookie.h"
#include "ends.h"

enum {
    MOST = 2048,
    FIXED_AT = 1 + 1 + 2 + 2 + 8 /* behind it: a byte of length and the hash */
};

static hf_config *server;
static uint8_t hello[4096]; /* record header and ClientHello, with an honest cookie */
static size_t hello_len, block_at, cookie_at, cookie_len;
static struct cookie honest;

static uint16_t at16(size_t at)
{
    return get_u16(hello + at);
}

/* The client's bytes, as far as they are a ClientHello: behind its change_cipher_spec. */
static void find_cookie(const uint8_t *p, size_t len)
{
    while (len > REC_HEADER && p[0] != REC_HANDSHAKE) {
        size_t n = REC_HEADER + (size_t)get_u16(p + 3);
        p += n;
        len -= n;
    }
    REQUIRE(len < sizeof hello);
    memcpy(hello, p, hello_len = len);
    size_t at = REC_HEADER + MSG_HEADER + 2 + 32;
    at += 1u + hello[at];
    at += 2u + at16(at);
    at += 1u + hello[at];
    block_at = at;
    for (at += 2; at < len && at16(at) != 44; at += 4u + at16(at + 2))
        ;
    REQUIRE(at < len);
    cookie_at = at + 6;
    cookie_len = at16(at + 4);
}

static bool fixed_key(void *arg, uint16_t group, uint8_t *out, size_t *len)
{
    (void)arg;
    *len = group == 0x1d || group == 0x17 ? 32 : 0;
    memset(out, 0x35, *len);
    return *len > 0;
}

static void make_hello(void)
{
    static struct test_hooks hooks;
    struct buffer to_server = {0}, to_client = {0};
    hf_error err = {0};
    const char *why;
    hf_config *config = hf_config_derive(ends_config(false));
    server = hf_config_derive(ends_config(true));
    REQUIRE(config && server && hf_config_set_stateless_retry(server, true));
    hooks = *config->test;
    hooks.private_key = fixed_key;
    config->test = &hooks;
    hf_conn *c = hf_conn_new_client(config, "localhost", &err);
    hf_conn *s = hf_conn_new_server(server, &err);
    REQUIRE(c && s && end_move(c, &to_server));
    (void)end_feed(s, &to_server, 0, NULL);
    REQUIRE(hf_conn_stateless(s) == HF_STATELESS_ASKED && end_move(s, &to_client));
    (void)end_feed(c, &to_client, 0, NULL);
    REQUIRE(end_move(c, &to_server));
    find_cookie(buffer_front(&to_server), buffer_len(&to_server));
    static uint8_t kept[MOST];
    memcpy(kept, hello + cookie_at, cookie_len);
    REQUIRE(cookie_open(server, NULL, slice_of(kept, cookie_len), &honest, &why) == HF_OK);
    buffer_clear(&to_server);
    buffer_clear(&to_client);
    hf_conn_free(c);
    hf_conn_free(s);
    hf_config_free(config);
}

/* What we have vouched for is read as it is written. */
static void write_again(const struct cookie *c)
{
    struct cookie again;
    size_t len = 0;
    const char *why;
    uint8_t *p = cookie_seal(server, NULL, c, &len);
    REQUIRE(p && cookie_open(server, NULL, slice_of(p, len), &again, &why) == HF_OK);
    REQUIRE(again.suite == c->suite && again.group == c->group && again.made == c->made &&
            again.share_asked == c->share_asked && again.psk == c->psk &&
            slice_equal(again.hello, c->hello) && slice_equal(again.content, c->content) &&
            memcmp(again.fixed, c->fixed, sizeof c->fixed) == 0);
    mem_free(p);
}

static void put_hello(struct buffer *out, struct slice cookie)
{
    size_t before = buffer_len(out),
           more = cookie.len - cookie_len; /* may wrap, and comes back */
    REQUIRE(
        buffer_append(out, hello, cookie_at) &&
        (!cookie.len || buffer_append(out, cookie.p, cookie.len)) &&
        buffer_append(out, hello + cookie_at + cookie_len, hello_len - cookie_at - cookie_len));
    uint8_t *p = buffer_front(out) + before;
    put_u16(p + 3, (uint16_t)(at16(3) + more));
    put_u16(p + REC_HEADER + 2, (uint16_t)(at16(REC_HEADER + 2) + more));
    put_u16(p + block_at, (uint16_t)(at16(block_at) + more));
    put_u16(p + cookie_at - 4, (uint16_t)(cookie.len + 2));
    put_u16(p + cookie_at - 2, (uint16_t)cookie.len);
}

static void meet(struct slice cookie, hf_code code, bool with_first, uint8_t starved)
{
    static const uint8_t first[] = {REC_CCS, 3, 3, 0, 1, 1, REC_DATA, 3, 3, 0, 3, 7, 7, 7};
    struct buffer in = {0}, out = {0};
    hf_error err = {0};
    hf_conn *conn = hf_conn_new_server(server, &err);
    REQUIRE(conn);
    if (with_first)
        REQUIRE(buffer_append(&in, first, sizeof first));
    put_hello(&in, cookie);
    end_starved = starved;
    hf_result r = end_feed(conn, &in, 0, NULL);
    end_starved = 0;
    REQUIRE(r == HF_FAILED || r == HF_WANT_INPUT);
    const hf_error *why = hf_conn_error(conn);
    REQUIRE((r == HF_FAILED) == (why != NULL));
    if (!starved && cookie.len && code != HF_OK)
        REQUIRE(why && why->code == code);
    if (!starved)
        REQUIRE(r == HF_FAILED || hf_conn_stateless(conn) == HF_STATELESS_RETURNED);
    (void)end_move(conn, &out);
    end_poke(conn);
    buffer_clear(&in);
    buffer_clear(&out);
    hf_conn_free(conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[MOST + 32];
    static const char label[] = "handfast stateless cookie";
    struct feed f = {data, size};
    struct cookie c;
    const char *why;
    uint8_t how = feed_u8(&f);
    if (!server)
        make_hello();
    struct slice body = feed_bytes(&f, MOST);
    size_t len = body.len;
    if (len)
        memcpy(bytes, body.p, len);
    size_t fixed = len > FIXED_AT ? FIXED_AT + 1u + bytes[FIXED_AT] : len;
    if (how & 2 && fixed + sizeof honest.fixed <= len)
        memcpy(bytes + fixed, honest.fixed, sizeof honest.fixed);
    if (how & 1) {
        hmac(HASH_SHA256, server->cookie_keys[0], HF_COOKIE_KEY_SIZE,
             slice_of(label, sizeof label), slice_of(bytes, len), slice_of(NULL, 0),
             bytes + len);
        len += 32;
    }
    struct slice cookie = slice_of(bytes, len);
    hf_code code = cookie_open(server, NULL, cookie, &c, &why);
    if (code == HF_OK)
        write_again(&c);
    else
        REQUIRE(why && *why);
    meet(cookie, code, how & 4, how & 8 ? (uint8_t)(1 + (how >> 4)) : 0);
    return 0;
}

/* What is answered to a peer that breaks a rule, or strains one: the alert is what RFC 8446 asks
 * for. The hellos are put together here byte by byte, so that they can be wrong in one place. */
#include "../unit/check.h"
#include "pair.h"

#include <stdlib.h>

enum {
    DECODE_ERROR = 50,
    ILLEGAL_PARAMETER = 47,
    HANDSHAKE_FAILURE = 40,
    PROTOCOL_VERSION = 70,
    NO_ALERT = -1, /* the server went on */
    SILENCE = -2,  /* it waits for more */
};

enum { P256 = 0x0017, X25519 = 0x001d, SECT163K1 = 0x0001, EXPLICIT = 0xff01, GREASE = 0x7a7a };

/* A ClientHello in the making: what differs between the tests. Lists end with 0. */
struct hello {
    uint16_t versions[4], groups[4], shares[4];
    size_t share_len; /* of every share that is not for X25519 */
    size_t padding;   /* bytes of an unknown extension */
    uint16_t legacy_version;
};

struct bytes {
    uint8_t p[200000];
    size_t len;
};

static void put(struct bytes *b, size_t n, size_t size)
{
    for (size_t i = size; i-- > 0;)
        b->p[b->len++] = (uint8_t)(n >> (8 * i));
}

static size_t open_vec(struct bytes *b, size_t size)
{
    b->len += size;
    return b->len;
}

static void close_vec(struct bytes *b, size_t at, size_t size)
{
    size_t end = b->len;
    b->len = at - size;
    put(b, end - at, size);
    b->len = end;
}

static void put_list(struct bytes *b, const uint16_t *list, size_t size)
{
    size_t at = open_vec(b, size);
    for (; *list; list++)
        put(b, *list, 2);
    close_vec(b, at, size);
}

/* A point of X25519: any 32 bytes are one. Of P-256: its generator. */
static void put_share(struct bytes *b, uint16_t group, size_t len)
{
    size_t at;
    put(b, group, 2);
    at = open_vec(b, 2);
    memset(b->p + b->len, 9, len);
    b->len += len;
    close_vec(b, at, 2);
}

static void put_extensions(struct bytes *b, const struct hello *h)
{
    static const uint16_t schemes[] = {0x0403, 0x0804, 0};
    size_t block = open_vec(b, 2), at, list;
    put(b, 43, 2);
    at = open_vec(b, 2);
    put_list(b, h->versions, 1);
    close_vec(b, at, 2);
    put(b, 10, 2);
    at = open_vec(b, 2);
    put_list(b, h->groups, 2);
    close_vec(b, at, 2);
    put(b, 13, 2);
    at = open_vec(b, 2);
    put_list(b, schemes, 2);
    close_vec(b, at, 2);
    put(b, 51, 2);
    at = open_vec(b, 2);
    list = open_vec(b, 2);
    for (const uint16_t *g = h->shares; *g; g++)
        put_share(b, *g, *g == X25519 ? 32 : h->share_len);
    close_vec(b, list, 2);
    close_vec(b, at, 2);
    if (h->padding) {
        put(b, 0xfafa, 2);
        at = open_vec(b, 2);
        memset(b->p + b->len, 0, h->padding);
        b->len += h->padding;
        close_vec(b, at, 2);
    }
    close_vec(b, block, 2);
}

static void put_hello(struct bytes *b, const struct hello *h)
{
    put(b, 1, 1);
    size_t body = open_vec(b, 3);
    put(b, h->legacy_version, 2);
    memset(b->p + b->len, 0x5a, 32);
    b->len += 32;
    put(b, 0, 1);
    put(b, 2, 2);
    put(b, 0x1301, 2);
    put(b, 0x0100, 2);
    put_extensions(b, h);
    close_vec(b, body, 3);
}

/* The alert in the server's output, if its first record is one. */
static int first_alert(hf_conn *server)
{
    size_t len;
    const uint8_t *out = hf_conn_output(server, &len);
    if (len < 7)
        return SILENCE;
    return out[0] == 21 && out[3] == 0 && out[4] == 2 && out[5] == 2 ? out[6] : NO_ALERT;
}

/* Gives a server handshake bytes, in records of at most 16384, and returns its alert. */
static int answer_to(const uint8_t *message, size_t len, hf_code *code)
{
    struct pair p;
    struct bytes *wire = calloc(1, sizeof *wire);
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    for (size_t at = 0, n; at < len; at += n) {
        n = len - at < 16384 ? len - at : 16384;
        put(wire, 22, 1);
        put(wire, 0x0301, 2);
        put(wire, n, 2);
        memcpy(wire->p + wire->len, message + at, n);
        wire->len += n;
    }
    for (size_t at = 0, used = 1, data_len; at < wire->len && used; at += used) {
        uint8_t *data;
        if (hf_conn_receive(p.server.conn, wire->p + at, wire->len - at, &used, &data,
                            &data_len) == HF_FAILED)
            break;
    }
    int alert = first_alert(p.server.conn);
    *code = end_code(&p.server);
    pair_clear(&p);
    free(wire);
    return alert;
}

static int alert_for(const struct hello *h, hf_code *code)
{
    struct bytes *b = calloc(1, sizeof *b);
    put_hello(b, h);
    int alert = answer_to(b->p, b->len, code);
    free(b);
    return alert;
}

static const struct hello good = {.versions = {HF_TLS1_3},
                                  .groups = {X25519, P256},
                                  .shares = {X25519},
                                  .share_len = 32,
                                  .legacy_version = 0x0303};

static void test_good(void)
{
    hf_code code;
    struct hello h = good;
    CHECK_INT(alert_for(&h, &code), NO_ALERT);
    CHECK_INT(code, HF_OK);
}

/* RFC 8446 D.5: legacy_version MUST NOT be 0x0300 or less; 4.2.1: otherwise it says nothing. */
static void test_legacy_version(void)
{
    static const uint16_t bad[] = {0, 0x0002, 0x0103, 0x0200, 0x02ff, 0x0300};
    static const uint16_t fine[] = {0x0301, 0x0302, 0x0304, 0x0400, 0x1234};
    hf_code code;
    struct hello h = good;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        h.legacy_version = bad[i];
        CHECK_INT(alert_for(&h, &code), PROTOCOL_VERSION);
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        h.legacy_version = fine[i];
        CHECK_INT(alert_for(&h, &code), NO_ALERT);
    }
}

/* RFC 8446 4.2.7: obsolete groups MUST NOT be offered for TLS 1.3; but a client may mean them for
 * an older version that it offers as well. */
static void test_obsolete_groups(void)
{
    static const uint16_t obsolete[] = {0x0001, 0x0016, 0x001a, 0x001c, 0xff01, 0xff02};
    static const uint16_t fine[] = {0x0018, 0x001f, 0xff03, GREASE};
    hf_code code;
    struct hello h = good;
    for (size_t i = 0; i < sizeof obsolete / sizeof *obsolete; i++) {
        h.groups[1] = obsolete[i];
        CHECK_INT(alert_for(&h, &code), ILLEGAL_PARAMETER);
        CHECK_INT(code, HF_E_ILLEGAL_VALUE);
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        h.groups[1] = fine[i];
        CHECK_INT(alert_for(&h, &code), NO_ALERT);
    }
    h.groups[1] = SECT163K1;
    h.versions[1] = HF_TLS1_2;
    CHECK_INT(alert_for(&h, &code), NO_ALERT);
}

/* RFC 8446 4.2.8: no share for a group that supported_groups does not have, known to us or not. */
static void test_shares_outside_groups(void)
{
    static const uint16_t strange[] = {P256, SECT163K1, EXPLICIT, GREASE};
    hf_code code;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        struct hello h = good;
        h.groups[1] = 0;
        h.shares[1] = strange[i];
        CHECK_INT(alert_for(&h, &code), ILLEGAL_PARAMETER);
        CHECK_INT(code, HF_E_WRONG_GROUP);
        h.shares[0] = strange[i];
        h.shares[1] = X25519;
        CHECK_INT(alert_for(&h, &code), ILLEGAL_PARAMETER);
    }
    struct hello h = good;
    h.groups[1] = GREASE;
    h.shares[1] = GREASE;
    CHECK_INT(alert_for(&h, &code), NO_ALERT);
}

/* RFC 8446 4.2.8: opaque key_exchange<1..2^16-1>, so that an empty one is no KeyShareEntry. */
static void test_empty_share(void)
{
    hf_code code;
    struct hello h = good;
    h.shares[0] = P256;
    h.share_len = 0;
    CHECK_INT(alert_for(&h, &code), DECODE_ERROR);
}

/* RFC 8446 4.2.8.2: a share of the wrong length or format is refused, not unreadable. */
static void test_wrong_share(void)
{
    hf_code code;
    struct hello h = good;
    h.shares[0] = P256;
    for (h.share_len = 1; h.share_len < 70; h.share_len += 16) {
        CHECK_INT(alert_for(&h, &code), ILLEGAL_PARAMETER);
        CHECK_INT(code, HF_E_BAD_KEY_SHARE);
    }
}

/* RFC 8446 4.1.1: handshake_failure when no group is shared. */
static void test_no_shared_group(void)
{
    hf_code code;
    struct hello h = good;
    h.groups[0] = h.shares[0] = GREASE;
    h.groups[1] = 0;
    CHECK_INT(alert_for(&h, &code), HANDSHAKE_FAILURE);
    CHECK_INT(code, HF_E_NO_SHARED_GROUP);
}

/* Extensions may fill their block (RFC 8446 4.1.2). */
static void test_long_hello(void)
{
    hf_code code;
    struct hello h = good;
    h.padding = 65535 - 4 - 80;
    CHECK_INT(alert_for(&h, &code), NO_ALERT);
    CHECK_INT(code, HF_OK);
}

/* RFC 8446 6.2: decode_error if "the length of the message was incorrect"; it is said at once, not
 * after so many bytes have come. */
static void test_too_long(void)
{
    static const uint8_t header[] = {1, 0x03, 0, 0};
    hf_code code;
    CHECK_INT(answer_to(header, sizeof header, &code), DECODE_ERROR);
    CHECK_INT(code, HF_E_MESSAGE_TOO_LONG);
}

/* RFC 8446 4.6.3: "receives multiple KeyUpdates while it is silent": one answer, until it speaks. */
static void test_one_key_update(void)
{
    struct pair p;
    size_t len;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++) {
            CHECK_INT(hf_conn_key_update(p.client.conn, true), HF_DONE);
            CHECK(pair_pump(&p.client, &p.server));
            (void)hf_conn_output(p.server.conn, &len);
            CHECK_INT(len > 0, i == 0);
            CHECK_INT(pair_pump(&p.server, &p.client), i == 0);
        }
        CHECK_INT(pair_send(&p, &p.server, "x", 1), HF_DONE);
        CHECK_INT(pair_send(&p, &p.client, "y", 1), HF_DONE);
        CHECK_INT(p.client.data.len, round + 1);
        CHECK_INT(p.server.data.len, round + 1);
    }
    pair_clear(&p);
}

int main(void)
{
    RUN(test_good);
    RUN(test_legacy_version);
    RUN(test_obsolete_groups);
    RUN(test_shares_outside_groups);
    RUN(test_empty_share);
    RUN(test_wrong_share);
    RUN(test_no_shared_group);
    RUN(test_long_hello);
    RUN(test_too_long);
    RUN(test_one_key_update);
    return check_done();
}

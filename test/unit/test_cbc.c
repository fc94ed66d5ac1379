/* test_cbc.c: AES-CBC with HMAC, against records put together by hand. */
#include "cbc_reference.h"

static const uint8_t head[CBC_HEAD] = {0, 0, 0, 0, 0, 0, 1, 2, 23, 3, 3};
static uint8_t text[17000];

static bool opens(struct reference *r, const uint8_t *record, size_t len,
                  const uint8_t *content, size_t content_len)
{
    /* To the byte, so that a sanitizer sees what is read too far. */
    uint8_t *copy = malloc(len ? len : 1), *found = NULL;
    size_t found_len = 0;
    struct cbc *c = reference_context(r, false);
    memcpy(copy, record, len);
    bool ok = cbc_open(c, head, copy, len, &found, &found_len);
    if (ok) {
        CHECK_INT(found_len, content_len);
        CHECK(found >= copy && found + found_len <= copy + len);
        CHECK_MEM(found, content, content_len);
    } else {
        uint8_t left = 0;
        for (size_t i = 0; i < len; i++)
            left |= copy[i];
        CHECK_INT(left, 0); /* wiped */
    }
    cbc_free(c);
    free(copy);
    return ok;
}

/* One reference record of every sort, for f. */
static void each(void (*f)(struct reference r))
{
    for (size_t s = 0; s < REFERENCE_SUITES; s++)
        for (unsigned how = 0; how < 4; how++)
            if (reference_suites[s].cipher != CBC_NULL || how == 0)
                f(reference_of(s, how & 1, how & 2));
}

/* ---- what others seal */

static void open_sizes(struct reference r)
{
    static const size_t sizes[] = {0,   1,   15,  16,  17,  27,  28,  50,   51,   52,
                                   100, 200, 255, 256, 257, 300, 511, 1000, 16384};
    uint8_t *record = malloc(18000);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct reference sealing = r;
        size_t n = reference_seal(&sealing, head, text, sizes[i],
                                  NO_FAULT(reference_least(&r, sizes[i])), record);
        CHECK(opens(&r, record, n, text, sizes[i]));
    }
    free(record);
}

static void test_open(void)
{
    each(open_sizes);
}

/* Every length of content with every padding that fits, so that the MAC comes to stand
 * everywhere, and the end of the digest's message too. */
static void open_paddings(struct reference r)
{
    uint8_t record[1000];
    if (r.cipher == CBC_NULL)
        return;
    for (size_t len = 0; len < 200; len++)
        for (unsigned pad = reference_least(&r, len); pad < 256; pad += 16) {
            struct reference sealing = r;
            size_t n = reference_seal(&sealing, head, text, len, NO_FAULT(pad), record);
            CHECK(opens(&r, record, n, text, len));
        }
}

static void test_every_padding(void)
{
    each(open_paddings);
}

/* The same where much stands before what is secret. */
static void test_every_padding_of_long_records(void)
{
    uint8_t record[2000];
    for (size_t s = 0; s < REFERENCE_SUITES; s++) {
        struct reference r = reference_of(s, false, false);
        if (r.cipher == CBC_NULL)
            continue;
        for (size_t len = 700; len < 700 + 128; len++)
            for (unsigned pad = reference_least(&r, len); pad < 256; pad += 16) {
                struct reference sealing = r;
                size_t n = reference_seal(&sealing, head, text, len, NO_FAULT(pad), record);
                CHECK(opens(&r, record, n, text, len));
            }
    }
}

/* ---- what is wrong */

static void wrong_padding(struct reference r)
{
    uint8_t record[1000];
    if (r.cipher == CBC_NULL)
        return;
    for (size_t len = 40; len < 56; len += 5)
        for (unsigned pad = reference_least(&r, len); pad < 256; pad += 16)
            for (int at = 0; at <= (int)pad; at++) {
                struct reference sealing = r;
                struct fault f = NO_FAULT(pad);
                f.pad_at = at;
                size_t n = reference_seal(&sealing, head, text, len, f, record);
                /* 0 is a length of padding that is right whatever stands before it. */
                if (at == 0 && pad == 1)
                    continue;
                CHECK(!opens(&r, record, n, text, len));
            }
}

static void test_wrong_padding(void)
{
    each(wrong_padding);
}

static void wrong_mac(struct reference r)
{
    uint8_t record[1000];
    for (size_t len = 0; len < 70; len += 7)
        for (unsigned pad = reference_least(&r, len); pad < 256; pad += 48)
            for (int at = 0; at < (int)reference_mac_size(&r); at++) {
                struct reference sealing = r;
                struct fault f = NO_FAULT(pad);
                f.mac_at = at;
                size_t n = reference_seal(&sealing, head, text, len, f, record);
                CHECK(!opens(&r, record, n, text, len));
            }
}

static void test_wrong_mac(void)
{
    each(wrong_mac);
}

/* A length of padding for which there is no room, or none with the MAC. */
static void padding_too_long(struct reference r)
{
    uint8_t record[600];
    if (r.cipher == CBC_NULL)
        return;
    for (size_t len = 0; len < 150; len++) {
        struct reference sealing = r;
        struct fault f = NO_FAULT(reference_least(&r, len));
        f.no_length = true;
        size_t n = reference_seal(&sealing, head, text, len, f, record);
        CHECK(!opens(&r, record, n, text, len));
    }
    /* Nothing but padding, and a MAC that would have to begin before the record; and padding
     * that would have to begin before it. */
    for (size_t blocks = 1; blocks <= 15; blocks++)
        for (unsigned more = 0; more < 2; more++) {
            uint8_t plain[256], *body = record + (r.chained ? 0 : 16);
            memset(plain, (int)(blocks * 16 - 1 + more), sizeof plain);
            memcpy(record, r.iv, 16);
            size_t n = (size_t)(body - record) +
                       reference_crypt(&r, true, r.iv, plain, blocks * 16, body);
            if (r.etm)
                n += reference_mac(&r, head, record, n, record + n);
            CHECK_INT(opens(&r, record, n, text, 0), r.etm && !more);
        }
}

static void test_padding_too_long(void)
{
    each(padding_too_long);
}

static void every_bit(struct reference r)
{
    uint8_t record[300];
    struct reference sealing = r;
    size_t n =
        reference_seal(&sealing, head, text, 37, NO_FAULT(reference_least(&r, 37)), record);
    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            record[i] ^= (uint8_t)(1 << bit);
            CHECK(!opens(&r, record, n, text, 37));
            record[i] ^= (uint8_t)(1 << bit);
        }
    CHECK(opens(&r, record, n, text, 37));
    for (size_t len = 0; len < n; len++)
        CHECK(!opens(&r, record, len, text, 37));
    for (size_t more = 1; more <= 33; more++)
        CHECK(!opens(&r, record, n + more, text, 37));
}

static void test_every_bit_and_length(void)
{
    each(every_bit);
}

static void wrong_head(struct reference r)
{
    uint8_t record[300];
    for (size_t i = 0; i < CBC_HEAD; i++) {
        struct reference sealing = r;
        uint8_t other[CBC_HEAD];
        memcpy(other, head, CBC_HEAD);
        other[i] ^= 1;
        size_t n = reference_seal(&sealing, other, text, 37, NO_FAULT(reference_least(&r, 37)),
                                  record);
        CHECK(!opens(&r, record, n, text, 37));
    }
}

static void test_wrong_head(void)
{
    each(wrong_head);
}

/* ---- what we seal */

/* Takes a record apart by hand. */
static void check_sealed(struct reference *r, const uint8_t *record, size_t n, size_t len)
{
    uint8_t *plain = malloc(n + 1), mac[EVP_MAX_MD_SIZE];
    size_t mac_len = reference_mac_size(r), iv = r->chained ? 0 : 16, body = n;
    if (r->cipher == CBC_NULL) {
        CHECK_INT(n, len + mac_len);
        CHECK_MEM(record, text, len);
        reference_mac(r, head, text, len, mac);
        CHECK_MEM(record + len, mac, mac_len);
        free(plain);
        return;
    }
    if (r->etm) {
        body -= mac_len;
        reference_mac(r, head, record, body, mac);
        CHECK_MEM(record + body, mac, mac_len);
    }
    reference_crypt(r, false, r->chained ? r->iv : record, record + iv, body - iv, plain);
    memcpy(r->iv, record + body - 16, 16);
    CHECK_MEM(plain, text, len);
    size_t at = len;
    if (!r->etm) {
        reference_mac(r, head, text, len, mac);
        CHECK_MEM(plain + at, mac, mac_len);
        at += mac_len;
    }
    unsigned pad = reference_least(r, len);
    CHECK_INT(at + pad + 1, body - iv);
    for (; at < body - iv; at++)
        CHECK_INT(plain[at], pad);
    free(plain);
}

static void seal_sizes(struct reference r)
{
    struct cbc *c = reference_context(&r, true);
    CHECK_INT(cbc_chained(c), r.chained && r.cipher != CBC_NULL);
    for (size_t len = 0; len <= 16384; len = len < 100 ? len + 1 : len * 2 + 11) {
        size_t size = cbc_sealed_size(c, len);
        uint8_t *out = malloc(size);
        CHECK(cbc_seal(c, head, text, len, out));
        check_sealed(&r, out, size, len);
        /* In place. */
        memcpy(out, text, len);
        CHECK(cbc_seal(c, head, out, len, out));
        check_sealed(&r, out, size, len);
        free(out);
    }
    cbc_free(c);
}

static void test_seal(void)
{
    each(seal_sizes);
}

/* Several records after one another, ours to ours; in TLS 1.0 each one's IV is in the one
 * before. */
static void conversation(struct reference r)
{
    struct cbc *out = reference_context(&r, true), *in = reference_context(&r, false);
    uint8_t wire[400], last[400] = {0}, *found;
    size_t found_len;
    for (size_t i = 0; i < 20; i++) {
        size_t len = i * 11 % 70, size = cbc_sealed_size(out, len);
        CHECK(cbc_seal(out, head, text + i, len, wire));
        CHECK(r.cipher == CBC_NULL || memcmp(wire, last, 16) != 0);
        memcpy(last, wire, size);
        CHECK(cbc_open(in, head, wire, size, &found, &found_len));
        CHECK_INT(found_len, len);
        CHECK_MEM(found, text + i, len);
    }
    cbc_free(out);
    cbc_free(in);
}

static void test_conversation(void)
{
    each(conversation);
}

static void test_misuse(void)
{
    struct reference r = reference_of(0, false, false);
    struct cbc *out = reference_context(&r, true), *in = reference_context(&r, false);
    uint8_t wire[100], *found;
    size_t found_len;
    CHECK(!cbc_seal(in, head, text, 10, wire));
    CHECK(!cbc_seal(out, head, text, 65535, text));
    CHECK(cbc_seal(out, head, text, 10, wire));
    CHECK(!cbc_open(out, head, wire, cbc_sealed_size(out, 10), &found, &found_len));
    cbc_free(out);
    cbc_free(in);
    cbc_free(NULL);
    struct cbc_keys keys = {
        .cipher = CBC_AES_128, .mac = HASH_MD5, .key = r.key, .mac_key = r.mac_key};
    CHECK(cbc_new(&keys, true) == NULL);
    keys.mac = HASH_SHA1;
    keys.cipher = CBC_NONE;
    CHECK(cbc_new(&keys, true) == NULL);
    keys.cipher = CBC_NULL;
    keys.etm = true;
    CHECK(cbc_new(&keys, true) == NULL);
    keys.etm = false;
    for (unsigned long n = 1; n <= 1; n++) {
        mem_test_fail_after(n);
        CHECK(cbc_new(&keys, true) == NULL);
        mem_test_fail_after(0);
    }
    CHECK_INT(cbc_key_size(CBC_NULL), 0);
    CHECK_INT(cbc_key_size(CBC_AES_128), 16);
    CHECK_INT(cbc_key_size(CBC_AES_256), 32);
}

int main(void)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31 + (i >> 8) + 7);
    RUN(test_open);
    RUN(test_every_padding);
    RUN(test_every_padding_of_long_records);
    RUN(test_wrong_padding);
    RUN(test_wrong_mac);
    RUN(test_padding_too_long);
    RUN(test_every_bit_and_length);
    RUN(test_wrong_head);
    RUN(test_seal);
    RUN(test_conversation);
    RUN(test_misuse);
    return check_done();
}

/* test_scan.c: the parts of `handfast scan` that need no network. */
#include <stdlib.h>

#include "check.h"
#include "cli/scan_flight.h"
#include "cli/scan_hello.h"
#include "cli/text.h"
#include "message/message.h"
#include "record/record.h"

static struct scan scan;
static struct scan_result result;
static struct options options;
static struct target target = {.url = "tls://example.test:443", .host = "example.test"};

static void fresh(void)
{
    memset(&scan, 0, sizeof scan);
    memset(&result, 0, sizeof result);
    scan.r = &result;
    scan.o = &options;
    scan.t = &target;
    snprintf(scan.name, sizeof scan.name, "example.test");
}

/* ---------------------------------------------------------------- lists */

static void test_lists(void)
{
    fresh();
    scan_lists(&scan);
    /* The registry has 352 suites; two are signals, one may not be offered, some are private. */
    CHECK(scan.suites.count > 340 && scan.suites13.count == 15);
    CHECK(numbers_have(&scan.suites, 0xc02f) && numbers_have(&scan.suites, 0x0003));
    CHECK(!numbers_have(&scan.suites, 0x00ff) && !numbers_have(&scan.suites, 0x5600));
    CHECK(!numbers_have(&scan.suites, 0x0000) && !numbers_have(&scan.suites, 0x1301));
    CHECK(numbers_have(&scan.suites13, 0x1301) && numbers_have(&scan.suites13, 0x00c6));
    CHECK(numbers_have(&scan.groups13, 0x11ec) && !numbers_have(&scan.groups13, 0x0001));
    CHECK(numbers_have(&scan.groups, 0x0001) && !numbers_have(&scan.groups, 0x11ec));
    for (size_t i = 0; i < scan.suites.count; i++)
        CHECK(!(scan.suites.n[i] == 0x0a0a));
    /* Strong ones first. */
    CHECK(scan_suite_marks(scan.suites.n[0]) == (SUITE_ECDHE | SUITE_SIGNED));
}

static void test_marks(void)
{
    CHECK_INT(scan_suite_marks(0x1301), 0);
    CHECK_INT(scan_suite_marks(0xc02f), SUITE_ECDHE | SUITE_SIGNED);
    CHECK_INT(scan_suite_marks(0xc013), SUITE_ECDHE | SUITE_SIGNED | SUITE_CBC);
    CHECK_INT(scan_suite_marks(0x0039), SUITE_DHE | SUITE_SIGNED | SUITE_CBC);
    CHECK_INT(scan_suite_marks(0x0003),
              SUITE_EXPORT | SUITE_RC4 | SUITE_MD5 | SUITE_NO_SECRECY | SUITE_STATIC_RSA);
    CHECK_INT(scan_suite_marks(0x000a),
              SUITE_TRIPLE_DES | SUITE_CBC | SUITE_NO_SECRECY | SUITE_STATIC_RSA);
    CHECK_INT(scan_suite_marks(0x0002), SUITE_NULL | SUITE_NO_SECRECY | SUITE_STATIC_RSA);
    CHECK_INT(scan_suite_marks(0x0034), SUITE_ANON | SUITE_DHE | SUITE_CBC);
    CHECK_INT(scan_suite_marks(0xc018), SUITE_ANON | SUITE_ECDHE | SUITE_CBC);
    CHECK_INT(scan_suite_marks(0x0030), SUITE_NO_SECRECY | SUITE_CBC);
    CHECK_INT(scan_suite_marks(0x008c), SUITE_PSK | SUITE_NO_SECRECY | SUITE_CBC);
    CHECK_INT(scan_suite_marks(0xc0b4), SUITE_NULL);
    CHECK_INT(scan_suite_bits(0x1302), 256);
    CHECK_INT(scan_suite_bits(0xc02f), 128);
    CHECK_INT(scan_suite_bits(0xcca8), 256);
    CHECK_INT(scan_suite_bits(0x0003), 40);
    CHECK_INT(scan_suite_bits(0x0009), 56);
    CHECK_INT(scan_suite_bits(0x000a), 112);
    CHECK_INT(scan_suite_bits(0x0062), 56);
    CHECK_INT(scan_suite_bits(0x0002), 0);
    CHECK_INT(scan_suite_bits(0xc060), 128);
    CHECK_INT(scan_suite_bits(0xc0a3), 256);
}

/* ---------------------------------------------------------------- hellos */

static bool read_back(struct buffer *b, struct client_hello *ch, struct rd_msg *m)
{
    struct rec_half half = {0};
    struct rec_opened rec;
    hf_error err = {0};
    if (rec_open(&half, buffer_front(b), buffer_len(b), false, false, &rec, &err) != REC_OK ||
        rec.used != buffer_len(b) || rec.data[0] != MSG_CLIENT_HELLO)
        return false;
    *m = (struct rd_msg){.name = "ClientHello"};
    struct rd r = rd_start(m, rec.data, rec.len, MSG_HEADER);
    return msg_read_client_hello(&r, ch);
}

static size_t count_extensions(struct client_hello *ch, uint16_t wanted, size_t *len)
{
    size_t n = 0;
    while (rd_more(&ch->extensions)) {
        uint16_t id = rd_u16(&ch->extensions, "extension_type");
        struct rd body = rd_vec16(&ch->extensions, "extension_data", 0, 65535);
        n++;
        if (id == wanted)
            *len = rd_left(&body);
        rd_rest(&body, "extension_data");
    }
    return n;
}

static void test_hellos_can_be_read(void)
{
    struct client_hello ch;
    struct rd_msg m;
    fresh();
    scan_lists(&scan);
    for (uint16_t version = 0x0300; version <= 0x0304; version++) {
        struct buffer b = {0};
        size_t len = 99999;
        struct hello h = {.version = version,
                          .suites = version == 0x0304 ? &scan.suites13 : &scan.suites,
                          .groups = &scan.groups,
                          .schemes = &scan.schemes,
                          .name = "example.test",
                          .plain = version == 0x0300,
                          .odd = ODD_SUITE | ODD_EXTENSION};
        CHECK(hello_write(&h, &b) && read_back(&b, &ch, &m));
        CHECK_INT(ch.version, version > 0x0303 ? 0x0303 : version);
        CHECK_INT(ch.suites.len, 2 * h.suites->count + 2);
        CHECK_INT(ch.compression.len, 1);
        CHECK(ch.has_extensions == (version > 0x0300));
        size_t n = ch.has_extensions ? count_extensions(&ch, 51, &len) : 0;
        CHECK(n > 5 || version == 0x0300);
        CHECK_INT(len, version == 0x0304 ? 2 : 99999); /* an empty key_share */
        buffer_clear(&b);
    }
}

static void test_hello_has_the_length_that_is_asked_for(void)
{
    struct client_hello ch;
    struct rd_msg m;
    static const struct numbers suites = {.n = {0xc02f}, .count = 1};
    for (size_t length = 300; length <= 5000; length += 470) {
        struct buffer b = {0};
        struct hello h = {
            .version = 0x0303, .suites = &suites, .length = length, .deflate = true};
        CHECK(hello_write(&h, &b) && buffer_len(&b) == length && read_back(&b, &ch, &m));
        CHECK(ch.compression.len == 2 && ch.compression.p[0] == 1);
        buffer_clear(&b);
    }
}

static void test_ssl2_hello(void)
{
    struct buffer b = {0};
    struct v2_client_hello v2;
    struct rd_msg m = {.name = "CLIENT-HELLO"};
    CHECK(hello_write_ssl2(&b));
    const uint8_t *p = buffer_front(&b);
    if (!p)
        return;
    CHECK_INT((p[0] & 0x7f) << 8 | p[1], buffer_len(&b) - 2);
    CHECK(p[0] & 0x80);
    struct rd r = rd_start(&m, p + 2, buffer_len(&b) - 2, 0);
    CHECK(msg_read_v2_client_hello(&r, &v2));
    CHECK_INT(v2.version, 0x0002);
    CHECK_INT(v2.specs.len, 21);
    buffer_clear(&b);
}

/* ---------------------------------------------------------------- answers */

#define HELLO(version, suite, compression, extensions)                                         \
    version "randomrandomrandomrandomrandomra\0" suite compression extensions

static void put(struct buffer *b, uint8_t type, uint16_t version, const char *p, size_t len)
{
    struct wr w;
    wr_start(&w, b);
    wr_u8(&w, type);
    wr_u16(&w, version);
    wr_opaque16(&w, slice_of(p, len));
    CHECK(wr_ok(&w));
}

static void put_message(struct buffer *b, uint8_t type, const char *p, size_t len)
{
    struct buffer body = {0};
    struct wr w;
    wr_start(&w, &body);
    size_t mark = msg_begin(&w, type);
    wr_bytes(&w, p, len);
    msg_finish(&w, mark);
    put(b, REC_HANDSHAKE, 0x0303, (const char *)buffer_front(&body), buffer_len(&body));
    buffer_clear(&body);
}

/* The answer is the same however it is cut. */
static void read_pieces(struct buffer *b, size_t piece, bool whole, struct answer *a)
{
    *a = (struct answer){0};
    struct flight f = {.a = a, .whole = whole};
    const uint8_t *p = buffer_front(b);
    bool more = true;
    for (size_t at = 0; more && at < buffer_len(b); at += piece)
        more = flight_feed(&f, p + at, buffer_len(b) - at < piece ? buffer_len(b) - at : piece);
    CHECK(more == !f.over);
    flight_clear(&f);
}

static void test_flight_of_tls12(void)
{
    struct buffer b = {0};
    struct answer a;
    static const char hello[] =
        HELLO("\3\3", "\0\x9e", "\1", "\0\x0d\xff\1\0\1\0\0\x17\0\0\0\x0f\0\0");
    static const char dh[] = "\0\3\7\1\1\0\1\2\0\1\3\x08\4\0\2\1\2";
    put(&b, REC_ALERT, 0x0303, "\1\x70", 2); /* a warning goes before */
    put_message(&b, MSG_SERVER_HELLO, hello, sizeof hello - 1);
    put_message(&b, MSG_CERTIFICATE, "\0\0\0", 3);
    put_message(&b, MSG_SERVER_KEY_EXCHANGE, dh, sizeof dh - 1);
    put_message(&b, MSG_SERVER_HELLO_DONE, "", 0);
    for (size_t piece = 1; piece < 200; piece += 7) {
        read_pieces(&b, piece, true, &a);
        CHECK_INT(a.kind, ANSWER_HELLO);
        CHECK_INT(a.version, 0x0303);
        CHECK_INT(a.suite, 0x009e);
        CHECK_INT(a.compression, 1);
        CHECK(a.renegotiation_info && a.extended_master_secret && a.heartbeat && a.complete);
        CHECK(!a.encrypt_then_mac && !a.session_ticket && !a.retry);
        CHECK_INT(a.dh_bits, 19);
        CHECK_INT(a.scheme, 0x0804);
        CHECK_INT(a.certificates_len, 7);
        answer_clear(&a);
    }
    read_pieces(&b, 10, false, &a);
    CHECK(a.kind == ANSWER_HELLO && !a.complete && !a.certificates);
    answer_clear(&a);
    buffer_clear(&b);
}

static void test_flight_of_tls13(void)
{
    struct buffer b = {0};
    struct answer a;
    static const char hello[] =
        HELLO("\3\3", "\x13\1", "\0", "\0\x0e\0\x2b\0\2\3\4\0\x33\0\4\x11\xec\0\0");
    put_message(&b, MSG_SERVER_HELLO, hello, sizeof hello - 1);
    put(&b, REC_CCS, 0x0303, "\1", 1);
    put(&b, REC_DATA, 0x0303, "abcdefghij", 10);
    read_pieces(&b, 9, true, &a);
    CHECK_INT(a.version, 0x0304);
    CHECK_INT(a.group, 0x11ec);
    CHECK_INT(a.encrypted, 10);
    answer_clear(&a);
    buffer_clear(&b);
}

static void check_strange(const void *p, size_t len, enum answer_kind kind, const char *word)
{
    struct buffer b = {0};
    struct answer a;
    CHECK(buffer_append(&b, p, len));
    read_pieces(&b, len, true, &a);
    CHECK_INT(a.kind, kind);
    CHECK(strstr(a.what, word) != NULL);
    answer_clear(&a);
    buffer_clear(&b);
}

static void test_what_is_no_answer(void)
{
    check_strange("220 mail.test ESMTP Postfix\r\n", 29, ANSWER_STRANGE, "SMTP");
    check_strange("HTTP/1.1 400 Bad Request\r\n\r\n", 28, ANSWER_STRANGE, "HTTP");
    check_strange("\x16\3\3\0\4\x0b\0\0\0", 9, ANSWER_STRANGE, "no ServerHello");
    check_strange("\x16\3\3\0\4\2\xff\xff\xff", 9, ANSWER_STRANGE, "longer");
    check_strange("\x16\3\3\0\5\2\0\0\1\3", 10, ANSWER_STRANGE, "ServerHello");
    check_strange("\x17\3\3\0\1\1", 6, ANSWER_STRANGE, "before the ServerHello");
    check_strange("\x15\3\3\0\2\2\x28", 7, ANSWER_ALERT, "");
}

static void test_flight_of_ssl2(void)
{
    static const uint8_t in[] = {0x80, 22,   4, 0, 1, 0, 2, 0, 5,    0, 6, 0,
                                 0,    0x30, 3, 2, 1, 1, 1, 0, 0x80, 7, 0, 0xc0};
    struct answer a = {0};
    struct flight f = {.a = &a,
                       .ssl2 = true,
                       .specs = &result.ssl2_specs,
                       .specs_high = &result.ssl2_specs_high};
    fresh();
    for (size_t i = 0; i < sizeof in; i++)
        CHECK(flight_feed(&f, in + i, 1) == (i + 1 < sizeof in));
    CHECK(a.kind == ANSWER_HELLO && a.version == 0x0002);
    CHECK(result.ssl2_specs.count == 2 && result.ssl2_specs_high.n[1] == 7);
    flight_clear(&f);
    a = (struct answer){0};
    f = (struct flight){.a = &a, .ssl2 = true};
    CHECK(!flight_feed(&f, (const uint8_t *)"\x15\3\1\0\2\2\x46", 7));
    CHECK(a.kind == ANSWER_ALERT && a.alert == 70);
    flight_clear(&f);
}

/* ---------------------------------------------------------------- judging */

static bool has(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->f[i].id, id) == 0)
            return true;
    return false;
}

static void take(enum scan_version v, uint16_t suite, unsigned dh_bits)
{
    struct scan_offer *o = &result.offer[v];
    o->taken = true;
    o->suite[o->count++] =
        (struct scan_suite){.id = suite, .dh_bits = dh_bits, .dh_named = true};
    o->shown.renegotiation_info = o->shown.extended_master_secret = true;
}

static void test_judging(void)
{
    static struct findings f;
    fresh();
    take(SCAN_TLS13, 0x1301, 0);
    take(SCAN_TLS12, 0xc02f, 0);
    numbers_add(&result.groups13, 0x11ec);
    scan_judge(&scan, 0, &f);
    CHECK_INT(f.count, 0);
    take(SCAN_TLS12, 0x0033, 1024);
    take(SCAN_SSL3, 0x0003, 0);
    result.compression = YES;
    result.fallback_scsv = NO;
    result.offer[SCAN_TLS12].shown.renegotiation_info = false;
    scan_judge(&scan, 0, &f);
    CHECK(has(&f, "small-dh") && has(&f, "ssl3") && has(&f, "export") && has(&f, "rc4"));
    CHECK(has(&f, "compression") && has(&f, "no-fallback-scsv") && has(&f, "no-rfc5746"));
    CHECK(!has(&f, "no-ems") && !has(&f, "null") && !has(&f, "no-forward-secrecy"));
    for (size_t i = 1; i < f.count; i++)
        CHECK(f.f[i].severity <= f.f[i - 1].severity);
}

static void test_hostile_words_stay_in_their_place(void)
{
    static struct findings f;
    struct text out = {0};
    fresh();
    memset(&f, 0, sizeof f);
    result.offer[SCAN_TLS12].refusal.kind = ANSWER_STRANGE;
    snprintf(result.offer[SCAN_TLS12].refusal.what, sizeof result.offer[0].refusal.what,
             "\033[2J\"quote\"\r\n");
    scan_table(&out, &scan, &f, false);
    CHECK(text_ok(&out) && !strchr(out.p, '\033') && !strchr(out.p, '\r'));
    text_clear(&out);
    scan_json(&out, &scan, &f);
    CHECK(text_ok(&out) && !strchr(out.p, '\033') && strstr(out.p, "\\\"quote\\\""));
    text_clear(&out);
}

int main(void)
{
    RUN(test_lists);
    RUN(test_marks);
    RUN(test_hellos_can_be_read);
    RUN(test_hello_has_the_length_that_is_asked_for);
    RUN(test_ssl2_hello);
    RUN(test_flight_of_tls12);
    RUN(test_flight_of_tls13);
    RUN(test_what_is_no_answer);
    RUN(test_flight_of_ssl2);
    RUN(test_judging);
    RUN(test_hostile_words_stay_in_their_place);
    return check_done();
}

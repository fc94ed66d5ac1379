/* test_extension12.c: what each of the extensions of TLS 1.2 and older does, in both roles, and what the
 * others answer in a ServerHello of TLS 1.2. */
#include "side.h"

/* ---- renegotiation_info */

static void set_finished(struct side *s)
{
    s->n.renegotiating = true;
    s->n.version = HF_TLS1_2;
    memcpy(s->n.client_finished, "client finis", 12);
    memcpy(s->n.server_finished, "server finis", 12);
}

static void test_renegotiation_server(void)
{
    static struct side s;
    side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
    s.n.version = HF_TLS1_2;
    CHECK(take_none(&s, IN_CH) && !s.n.secure);
    s.n.secure = true; /* the SCSV was there */
    CHECK(take_none(&s, IN_CH) && s.n.secure);
    s.n.secure = false;
    CHECK(take_one(&s, IN_CH, 0xff01, BODY("\0")) && s.n.secure);
    CHECK(!take_one(&s, IN_CH, 0xff01, BODY("\1x")));
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
    CHECK_INT(s.err.alert, 40);
    set_finished(&s);
    s.n.had_ems = s.n.ems = false;
    CHECK(take_one(&s, IN_CH, 0xff01, BODY("\14client finis")));
    CHECK(!take_one(&s, IN_CH, 0xff01, BODY("\14client finix")));
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
    CHECK(!take_one(&s, IN_CH, 0xff01, BODY("\0")));
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
    CHECK(!take_one(&s, IN_CH, 0xff01, BODY("\30client finisserver finis")));
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
    CHECK(!take_none(&s, IN_CH));
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
}

static void test_renegotiation_client(void)
{
    static struct side s;
    side_start(&s, false, HF_TLS1_2, HF_TLS1_2);
    s.n.version = HF_TLS1_2;
    s.n.sent = ~0u;
    CHECK(take_one(&s, IN_SH12, 0xff01, BODY("\0")) && s.n.secure);
    CHECK(!take_one(&s, IN_SH12, 0xff01, BODY("\1x")));
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
    CHECK(!take_none(&s, IN_SH12));
    CHECK_INT(s.err.code, HF_E_UNSAFE_RENEGOTIATION);
    CHECK_INT(s.err.alert, 40);
    s.config.allow_unpatched = true;
    CHECK(take_none(&s, IN_SH12) && !s.n.secure);
    set_finished(&s);
    CHECK(take_one(&s, IN_SH12, 0xff01, BODY("\30client finisserver finis")) && s.n.secure);
    CHECK(!take_one(&s, IN_SH12, 0xff01, BODY("\30client finisserver finix")));
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
    CHECK(!take_one(&s, IN_SH12, 0xff01, BODY("\30xlient finisserver finis")));
    CHECK(!take_one(&s, IN_SH12, 0xff01, BODY("\14client finis")));
    CHECK(!take_none(&s, IN_SH12)); /* also where unpatched servers are allowed */
    CHECK_INT(s.err.code, HF_E_RENEGOTIATION_MISMATCH);
}

static void test_renegotiation_written(void)
{
    static struct side s;
    struct buffer b = {0};
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    set_finished(&s);
    write_block(&s, &b, IN_CH);
    CHECK(slice_equal(body_of(&b, 0xff01), BODY("\14client finis")));
    side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
    s.n.version = HF_TLS1_2;
    write_block(&s, &b, IN_SH12);
    CHECK(!body_of(&b, 0xff01).p);
    s.n.secure = true; /* by the SCSV: the extension did not come */
    write_block(&s, &b, IN_SH12);
    CHECK(slice_equal(body_of(&b, 0xff01), BODY("\0")));
    set_finished(&s);
    write_block(&s, &b, IN_SH12);
    CHECK(slice_equal(body_of(&b, 0xff01), BODY("\30client finisserver finis")));
    buffer_clear(&b);
}

/* ---- the others */

static void test_extended_master_secret(void)
{
    static struct side s;
    for (int server = 0; server < 2; server++) {
        unsigned in = server ? IN_CH : IN_SH12;
        side_start(&s, server, HF_TLS1_2, HF_TLS1_3);
        s.config.allow_unpatched = true;
        s.n.sent = ~0u;
        s.n.version = HF_TLS1_2;
        CHECK(take_one(&s, in, 23, BODY("")) && s.n.ems);
        CHECK(take_none(&s, in) && !s.n.ems);
        s.config.require_ems = true;
        CHECK(take_one(&s, in, 23, BODY("")) && s.n.ems);
        CHECK(!take_none(&s, in));
        CHECK_INT(s.err.code, HF_E_NO_EMS);
        s.config.require_ems = false;
    }
}

static void test_ems_in_renegotiation(void)
{
    static struct side s;
    static const char again[] = "\0\21\377\1\0\15\14client finis";
    static const char with[] = "\0\25\377\1\0\15\14client finis\0\27\0\0";
    struct buffer without = {0}, ems = {0};
    CHECK(buffer_append(&without, again, sizeof again - 1) &&
          buffer_append(&ems, with, sizeof with - 1));
    side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
    set_finished(&s);
    s.n.had_ems = true;
    CHECK(take_block(&s, &ems, IN_CH));
    CHECK(!take_block(&s, &without, IN_CH));
    CHECK_INT(s.err.code, HF_E_EMS_RENEGOTIATION);
    s.n.had_ems = false;
    CHECK(take_block(&s, &without, IN_CH));
    CHECK(take_block(&s, &ems, IN_CH) && s.n.ems); /* weaker before, not now */
    buffer_clear(&without);
    buffer_clear(&ems);
}

static void test_point_formats(void)
{
    static struct side s;
    for (int server = 0; server < 2; server++) {
        unsigned in = server ? IN_CH : IN_SH12;
        side_start(&s, server, HF_TLS1_2, HF_TLS1_3);
        s.config.allow_unpatched = true;
        s.n.sent = ~0u;
        s.n.version = HF_TLS1_2;
        CHECK(take_none(&s, in));
        CHECK(take_one(&s, in, 11, BODY("\1\0")));
        CHECK(take_one(&s, in, 11, BODY("\3\1\2\0")));
        CHECK(!take_one(&s, in, 11, BODY("\2\1\2")));
        CHECK_INT(s.err.code, HF_E_BAD_POINT_FORMATS);
        CHECK_INT(s.err.alert, 47);
    }
}

static void test_encrypt_then_mac(void)
{
    static struct side s;
    static const struct {
        uint16_t suite;
        bool block;
    } suites[] = {{0xc013, true}, {0x002f, true}, {0xc02f, false}, {0xcca8, false}};
    struct buffer b = {0};
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        const struct suite *suite = suite_find(suites[i].suite);
        CHECK(suite != NULL);
        side_start(&s, false, HF_TLS1_2, HF_TLS1_2);
        s.config.allow_unpatched = true;
        s.n.sent = ~0u;
        s.n.suite = suite;
        CHECK(take_none(&s, IN_SH12) && !s.n.etm);
        CHECK_INT(take_one(&s, IN_SH12, 22, BODY("")), suites[i].block);
        CHECK(suites[i].block ? s.n.etm : s.err.code == HF_E_ILLEGAL_VALUE);
        side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
        s.n.version = HF_TLS1_2;
        s.n.suite = suite;
        CHECK(take_one(&s, IN_CH, 22, BODY("")));
        write_block(&s, &b, IN_SH12);
        CHECK_INT(body_of(&b, 22).p != NULL, suites[i].block);
        CHECK_INT(s.n.etm, suites[i].block);
        s.n.etm = s.config.encrypt_then_mac = false;
        write_block(&s, &b, IN_SH12);
        CHECK(!body_of(&b, 22).p && !s.n.etm);
        s.config.encrypt_then_mac = true;
        CHECK(take_none(&s, IN_CH));
        write_block(&s, &b, IN_SH12);
        CHECK(!body_of(&b, 22).p && !s.n.etm);
    }
    buffer_clear(&b);
}

static void test_max_fragment_server(void)
{
    static struct side s;
    struct buffer b = {0};
    for (unsigned version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        unsigned in = version == HF_TLS1_2 ? IN_SH12 : IN_EE;
        for (unsigned code = 0; code < 6; code++) {
            uint8_t body = (uint8_t)code;
            side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
            s.n.version = HF_TLS1_2; /* what TLS 1.3 must have is not of interest here */
            CHECK_INT(take_one(&s, IN_CH, 1, slice_of(&body, 1)), code >= 1 && code <= 4);
            CHECK(s.err.code == HF_OK || s.err.alert == 47);
            s.n.version = (uint16_t)version;
            write_block(&s, &b, in);
            if (code >= 1 && code <= 4) {
                CHECK_INT(s.n.max_fragment, 256 << code);
                CHECK(slice_equal(body_of(&b, 1), slice_of(&body, 1)));
            } else {
                CHECK(s.n.max_fragment == 0 && !body_of(&b, 1).p);
            }
        }
    }
    /* Both: record_size_limit is what counts. */
    side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
    s.n.version = HF_TLS1_2;
    buffer_clear(&b);
    CHECK(buffer_append(&b, "\0\13\0\1\0\1\2\0\34\0\2\4\0", 13));
    CHECK(take_block(&s, &b, IN_CH));
    CHECK(s.n.max_fragment == 0 && s.n.peer_record_limit == 1024 && s.n.record_limit_agreed);
    write_block(&s, &b, IN_SH12);
    CHECK(!body_of(&b, 1).p && slice_equal(body_of(&b, 28), BODY("\100\0")));
    s.n.version = HF_TLS1_3;
    write_block(&s, &b, IN_EE);
    CHECK(slice_equal(body_of(&b, 28), BODY("\100\1")));
    buffer_clear(&b);
}

static void test_max_fragment_client(void)
{
    static struct side s;
    struct buffer b = {0};
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    s.config.allow_unpatched = true;
    s.config.max_fragment = 1024;
    write_block(&s, &b, IN_CH);
    CHECK(slice_equal(body_of(&b, 1), BODY("\2")));
    for (unsigned in = IN_EE; in <= IN_SH12; in += IN_SH12 - IN_EE) {
        s.n.sent = ~0u;
        s.n.version = in == IN_EE ? HF_TLS1_3 : HF_TLS1_2;
        CHECK(take_one(&s, in, 1, BODY("\2")) && s.n.max_fragment == 1024);
        CHECK(take_none(&s, in) && s.n.max_fragment == 0);
        CHECK(!take_one(&s, in, 1, BODY("\1")));
        CHECK_INT(s.err.code, HF_E_ILLEGAL_VALUE);
        CHECK(!take_one(&s, in, 1, BODY("\0")) && s.err.alert == 47);
        buffer_clear(&b);
        CHECK(buffer_append(&b, "\0\13\0\1\0\1\2\0\34\0\2\4\0", 13));
        CHECK(!take_block(&s, &b, in));
        CHECK_INT(s.err.code, HF_E_ILLEGAL_VALUE);
    }
    buffer_clear(&b);
}

static void test_session_ticket(void)
{
    static struct side s;
    struct buffer b = {0};
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    write_block(&s, &b, IN_CH);
    CHECK(body_of(&b, 35).p && body_of(&b, 35).len == 0 && s.n.ticket_offered);
    s.n.session = session_new();
    CHECK(s.n.session != NULL);
    s.n.session->version = HF_TLS1_2;
    s.n.session->suite = 0xc02f;
    s.n.session->ticket = mem_dup("ticket", 6);
    s.n.session->ticket_len = 6;
    write_block(&s, &b, IN_CH);
    CHECK(slice_equal(body_of(&b, 35), BODY("ticket")));
    CHECK(!body_of(&b, 41).p); /* it is no PSK of TLS 1.3 */
    s.n.session->version = HF_TLS1_3;
    s.n.session->suite = 0x1301;
    s.n.offers[s.n.offer_count++] = hf_session_ref(s.n.session);
    write_block(&s, &b, IN_CH);
    CHECK(body_of(&b, 35).p && body_of(&b, 35).len == 0 && body_of(&b, 41).len > 0);
    s.config.allow_unpatched = true;
    s.n.version = HF_TLS1_2;
    CHECK(take_one(&s, IN_SH12, 35, BODY("")) && s.n.ticket_expected);
    CHECK(take_none(&s, IN_SH12) && !s.n.ticket_expected);
    CHECK(!take_one(&s, IN_SH12, 35, BODY("x")));
    CHECK_INT(s.err.code, HF_E_TRAILING_DATA);
    nego_clear(&s.n);
    side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
    s.n.version = HF_TLS1_2;
    one_extension(&b, 35, BODY("ticket"), 1);
    CHECK(take_block(&s, &b, IN_CH) && s.n.ticket_offered);
    CHECK(s.n.ticket.p == b.p + 6 && s.n.ticket.len == 6);
    struct buffer answer = {0};
    write_block(&s, &answer, IN_SH12);
    CHECK(!body_of(&answer, 35).p);
    s.n.ticket_expected = true;
    write_block(&s, &answer, IN_SH12);
    CHECK(body_of(&answer, 35).p && body_of(&answer, 35).len == 0);
    CHECK(take_none(&s, IN_CH) && !s.n.ticket_offered && s.n.ticket.len == 0);
    buffer_clear(&answer);
    buffer_clear(&b);
}

static void test_timestamps(void)
{
    static struct side s;
    struct buffer b = {0};
    struct slice list = BODY("\0\4\0\2ab");
    side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
    s.n.version = HF_TLS1_2;
    s.n.sct_list = list;
    CHECK(take_none(&s, IN_CH) && !s.n.sct_asked);
    write_block(&s, &b, IN_SH12);
    CHECK(!body_of(&b, 18).p);
    CHECK(take_one(&s, IN_CH, 18, BODY("")) && s.n.sct_asked);
    write_block(&s, &b, IN_SH12);
    CHECK(slice_equal(body_of(&b, 18), list));
    s.n.resumed12 = true;
    write_block(&s, &b, IN_SH12);
    CHECK(!body_of(&b, 18).p);
    s.n.version = HF_TLS1_3;
    write_block(&s, &b, IN_CT);
    CHECK(slice_equal(body_of(&b, 18), list));
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    s.config.allow_unpatched = true;
    s.n.sent = ~0u;
    for (int i = 0; i < 2;
         i++) { /* also in a renegotiation, in which what was there is replaced */
        CHECK(take_one(&s, i ? IN_CT : IN_SH12, 18, list));
        CHECK(slice_equal(slice_of(s.n.peer_scts, s.n.peer_scts_len), list));
    }
    one_extension(&b, 18, list, 1);
    mem_test_fail_after(1);
    CHECK(!take_block(&s, &b, IN_SH12));
    mem_test_fail_after(0);
    CHECK_INT(s.err.code, HF_E_NO_MEMORY);
    CHECK(s.n.peer_scts == NULL);
    nego_clear(&s.n);
    CHECK(!s.n.peer_scts);
    buffer_clear(&b);
}

/* ---- those of TLS 1.3 that have an answer in TLS 1.2 too */

static void test_answers12(void)
{
    static struct side s;
    static uint8_t ours[] = "\2h2";
    struct buffer b = {0};
    char text[200];
    hf_error err;
    side_start(&s, true, HF_TLS1_2, HF_TLS1_2);
    s.config.alpn = ours;
    s.config.alpn_len = 3;
    s.n.version = HF_TLS1_2;
    s.n.suite = suite_find(0xc013);
    CHECK(buffer_append(&b, "\0\100", 2));
    CHECK(buffer_append(&b, "\0\0\0\6\0\4\0\0\1a", 10) &&
          buffer_append(&b, "\0\20\0\5\0\3\2h2", 9));
    CHECK(buffer_append(&b, "\0\5\0\5\1\0\0\0\0", 9) &&
          buffer_append(&b, "\0\12\0\4\0\2\0\35", 8));
    CHECK(buffer_append(&b, "\0\13\0\2\1\0", 6) && buffer_append(&b, "\0\26\0\0\0\27\0\0", 8));
    CHECK(buffer_append(&b, "\0\43\0\0\0\1\0\1\3", 9) &&
          buffer_append(&b, "\0\53\0\3\2\3\3", 7));
    put_u16(b.p, (uint16_t)(b.end - 2));
    CHECK(take_block(&s, &b, IN_CH));
    s.n.secure = s.n.ecc = s.n.ticket_expected = true;
    s.n.ocsp_staple = BODY("staple");
    write_block(&s, &b, IN_SH12);
    ids_of(&b, text, sizeof text);
    CHECK_STR(text, "65281 0 16 5 23 11 22 1 35");
    CHECK(body_of(&b, 0).len == 0 && body_of(&b, 5).len == 0);
    CHECK(slice_equal(body_of(&b, 16), BODY("\0\3\2h2")));
    CHECK(read_traced(&b, IN_SH12, &err));
    s.n.resumed12 = true;
    s.n.ticket_expected = s.n.ecc = false;
    write_block(&s, &b, IN_SH12);
    ids_of(&b, text, sizeof text);
    CHECK_STR(text, "65281 16 23 22 1");
    nego_clear(&s.n);
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    s.config.alpn = ours;
    s.config.alpn_len = 3;
    s.config.allow_unpatched = true;
    s.n.sent = ~0u;
    CHECK(take_one(&s, IN_SH12, 16, BODY("\0\3\2h2")) && s.n.alpn_len == 2);
    CHECK(!take_one(&s, IN_SH12, 16, BODY("\0\3\2h3")) && s.err.code == HF_E_BAD_ALPN);
    CHECK(take_one(&s, IN_SH12, 5, BODY("")) && s.n.ocsp_promised && !s.n.peer_ocsp);
    CHECK(take_none(&s, IN_SH12) && !s.n.ocsp_promised);
    CHECK(take_one(&s, IN_SH12, 10, BODY("\0\2\0\35"))); /* says nothing */
    CHECK(take_one(&s, IN_SH12, 28, BODY("\100\0")) && s.n.peer_record_limit == 16384);
    CHECK(!take_one(&s, IN_SH12, 28, BODY("\0\77")) && s.err.alert == 47);
    CHECK(!take_one(&s, IN_SH12, 0, BODY("x")));
    nego_clear(&s.n);
    buffer_clear(&b);
}

/* ---- both sides: what a client writes is what a server answers and the client takes */

static void test_both_sides(void)
{
    static struct side client, server;
    static const uint16_t suites[] = {0xc013, 0xc02f};
    struct buffer b = {0};
    for (size_t i = 0; i < 2; i++) {
        side_start(&client, false, HF_TLS1_2, HF_TLS1_3);
        side_start(&server, true, HF_TLS1_2, HF_TLS1_2);
        client.config.sct = true;
        client.config.max_fragment = 4096;
        write_block(&client, &b, IN_CH);
        struct ext_values v;
        CHECK(read_block(&server, &b, IN_CH, &v));
        server.n.version = versions_choose(&server.config, &v, 0x0303);
        CHECK_INT(server.n.version, HF_TLS1_2);
        CHECK(ext_take(&server.n, &v, IN_CH));
        client.n.suite = server.n.suite = suite_find(suites[i]);
        server.n.ecc = server.n.ticket_expected = true;
        server.n.sct_list = BODY("\0\4\0\2ab");
        struct buffer answer = {0};
        write_block(&server, &answer, IN_SH12);
        client.n.version = HF_TLS1_2;
        CHECK(take_block(&client, &answer, IN_SH12));
        CHECK(client.n.secure && client.n.ems && client.n.ticket_expected);
        CHECK(server.n.secure && server.n.ems && server.n.ticket_offered);
        CHECK_INT(client.n.etm, i == 0);
        CHECK_INT(server.n.etm, i == 0);
        CHECK_INT(client.n.max_fragment, 4096);
        CHECK_INT(server.n.max_fragment, 4096);
        CHECK_INT(client.n.peer_scts_len, 6);
        nego_clear(&client.n);
        nego_clear(&server.n);
        buffer_clear(&answer);
    }
    buffer_clear(&b);
}

/* In a hello that leads to TLS 1.3 they may be malformed (RFC 8446 4.1.2), in others not. */
static void test_none_of_ours(void)
{
    static struct side s;
    static const char newest[] = "\0\53\0\5\4\3\4\3\3\0\13\0\0";
    static const char older[] = "\0\53\0\3\2\3\3\0\13\0\0";
    static const char good[] = "\0\53\0\3\2\3\4\0\13\0\2\1\0";
    struct slice block[] = {slice_of(newest, sizeof newest - 1),
                            slice_of(older, sizeof older - 1), slice_of(good, sizeof good - 1)};
    for (size_t i = 0; i < 3; i++) {
        struct ext_values v;
        struct rd_msg m = {.name = "ClientHello", .err = &s.err};
        side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
        struct rd r = rd_start(&m, block[i].p, block[i].len, 0);
        CHECK_INT(ext_read(&s.n, &r, IN_CH, &v), i != 1);
        CHECK_INT(ext_has(&v, X_EC_POINT_FORMATS), i != 0);
        nego_clear(&s.n);
    }
}

int main(void)
{
    RUN(test_none_of_ours);
    RUN(test_renegotiation_server);
    RUN(test_renegotiation_client);
    RUN(test_renegotiation_written);
    RUN(test_extended_master_secret);
    RUN(test_ems_in_renegotiation);
    RUN(test_point_formats);
    RUN(test_encrypt_then_mac);
    RUN(test_max_fragment_server);
    RUN(test_max_fragment_client);
    RUN(test_session_ticket);
    RUN(test_timestamps);
    RUN(test_answers12);
    RUN(test_both_sides);
    return check_done();
}

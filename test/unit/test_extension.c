/* test_extension.c: the table of extensions: what may stand where, how it is read, and in which version it
 * means something. */
#include "bytes/names.h"
#include "extension/row.h"
#include "side.h"

/* ---- places: RFC 8446 4.2's table, and the RFCs of the older ones */

enum { ALL = IN_CH | IN_SH | IN_HRR | IN_EE | IN_CR | IN_CT | IN_NST | IN_SH12 };

static const struct place {
    uint16_t id;
    unsigned in;
    /* one that is well-formed where it may stand; others for some messages below */
    const char *body;
    size_t len;
} places[] = {
    {0xff01, IN_CH | IN_SH12, "\0", 1},
    {0, IN_CH | IN_EE | IN_SH12, "\0\4\0\0\1a", 6},
    {43, IN_CH | IN_SH | IN_HRR, "\2\3\4", 3},
    {44, IN_CH | IN_HRR, "\0\1c", 3},
    {10, IN_CH | IN_EE | IN_SH12, "\0\2\0\35", 4},
    {13, IN_CH | IN_CR, "\0\2\4\3", 4},
    {50, IN_CH | IN_CR, "\0\2\4\3", 4},
    {51, IN_CH | IN_SH | IN_HRR, "\0\5\0\35\0\1x", 7},
    {45, IN_CH, "\1\1", 2},
    {42, IN_CH | IN_EE | IN_NST, "", 0},
    {16, IN_CH | IN_EE | IN_SH12, "\0\3\2h2", 5},
    {5, IN_CH | IN_CR | IN_CT | IN_SH12, "\1\0\0\0\0", 5},
    {47, IN_CH | IN_CR, "\0\3\0\1x", 5},
    {28, IN_CH | IN_EE | IN_SH12, "\100\1", 2},
    {49, IN_CH, "", 0},
    {23, IN_CH | IN_SH12, "", 0},
    {11, IN_CH | IN_SH12, "\1\0", 2},
    {22, IN_CH | IN_SH12, "", 0},
    {1, IN_CH | IN_EE | IN_SH12, "\2", 1},
    {35, IN_CH | IN_SH12, "", 0},
    {18, IN_CH | IN_CR | IN_CT | IN_SH12, "", 0},
    {58, IN_CH | IN_EE, "\2\1", 2},
    {19, IN_CH | IN_EE | IN_SH12, "\2\2\0", 3},
    {20, IN_CH | IN_EE | IN_SH12, "\2\0\2", 3},
    {27, IN_CH | IN_CR, "\4\0\2\0\1", 5},
    {41, IN_CH | IN_SH, "\0\7\0\1t\0\0\0\0\0\41\40xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 44},
};
#define PLACES (sizeof places / sizeof *places)

static struct slice body_in(const struct place *p, unsigned in)
{
    static const struct {
        uint16_t id;
        unsigned in;
        const char *body;
        size_t len;
    } others[] = {
        {0, IN_EE | IN_SH12, "", 0},    {43, IN_SH | IN_HRR, "\3\4", 2},
        {51, IN_SH, "\0\35\0\1x", 5},   {51, IN_HRR, "\0\35", 2},
        {42, IN_NST, "\0\0\0\1", 4},    {5, IN_SH12, "", 0},
        {5, IN_CT, "\1\0\0\1x", 5},     {18, IN_CT | IN_SH12, "\0\4\0\2ab", 6},
        {41, IN_SH, "\0\0", 2},         {58, IN_EE, "\2", 1},
        {19, IN_EE | IN_SH12, "\0", 1}, {20, IN_EE | IN_SH12, "\2", 1},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].id == p->id && others[i].in & in)
            return slice_of(others[i].body, others[i].len);
    }
    return slice_of(p->body, p->len);
}

static bool is_request(unsigned in)
{
    return (in & (IN_CH | IN_CR | IN_NST)) != 0;
}

static hf_code expected(const struct place *p, unsigned in, bool asked)
{
    bool unasked = !asked && !is_request(in);
    if (!(p->in & in))
        return unasked && in == IN_SH12 ? HF_E_UNSOLICITED_EXTENSION : HF_E_MISPLACED_EXTENSION;
    return unasked && p->id != 44 ? HF_E_UNSOLICITED_EXTENSION : HF_OK;
}

static void test_every_extension_everywhere(void)
{
    static struct side s;
    struct ext_values v;
    struct buffer b = {0};
    CHECK_INT(PLACES, X_COUNT);
    for (size_t i = 0; i < PLACES; i++) {
        for (unsigned in = 1; in <= ALL; in <<= 1) {
            for (int asked = 0; asked < 2; asked++) {
                side_start(&s, in == IN_CH, HF_TLS1_2, HF_TLS1_3);
                s.n.sent = asked ? ~0u : 0;
                one_extension(&b, places[i].id, body_in(&places[i], in), 1);
                bool ok = read_block(&s, &b, in, &v);
                hf_code code = expected(&places[i], in, asked);
                CHECK_INT(s.err.code, code);
                if (s.err.code != code)
                    printf("     %s in %s, %sasked for: %s\n", name_extension(places[i].id),
                           message_name(in), asked ? "" : "not ", s.err.detail);
                if (!ok)
                    CHECK_INT(s.err.alert, code == HF_E_UNSOLICITED_EXTENSION ? 110 : 47);
                /* What we have sent ourselves is read whatever it is. */
                struct rd_msg m = {.name = "M", .err = NULL};
                struct rd r = rd_start(&m, b.p, b.end, 0);
                struct rd block = rd_vec16(&r, "extensions", 0, 65535);
                CHECK(!ok || ext_read(NULL, &block, in, &v));
            }
        }
    }
    buffer_clear(&b);
}

static void test_duplicates(void)
{
    static struct side s;
    struct ext_values v;
    struct buffer b = {0};
    for (size_t i = 0; i < PLACES; i++) {
        for (unsigned in = 1; in <= ALL; in <<= 1) {
            if (!(places[i].in & in))
                continue;
            side_start(&s, in == IN_CH, HF_TLS1_2, HF_TLS1_3);
            s.n.sent = ~0u;
            one_extension(&b, places[i].id, body_in(&places[i], in), 2);
            CHECK(!read_block(&s, &b, in, &v));
            CHECK_INT(s.err.code, places[i].id == 41 && in == IN_CH ? HF_E_EXTENSION_NOT_LAST
                                                                    : HF_E_DUPLICATE_EXTENSION);
            CHECK_INT(s.err.alert, 47);
        }
    }
    buffer_clear(&b);
}

/* Unknown ones are ignored in requests and were not asked for in answers. */
static void test_unknown(void)
{
    static struct side s;
    struct ext_values v;
    struct buffer b = {0};
    for (unsigned in = 1; in <= ALL; in <<= 1) {
        side_start(&s, in == IN_CH, HF_TLS1_2, HF_TLS1_3);
        s.n.sent = ~0u;
        one_extension(&b, 0x7a7a, BODY("x"), 1);
        CHECK_INT(read_block(&s, &b, in, &v), is_request(in));
        CHECK(is_request(in) || s.err.code == HF_E_UNSOLICITED_EXTENSION);
        CHECK(!ext_has(&v, X_SERVER_NAME));
        /* padding, which is known and has no row */
        one_extension(&b, 21, BODY("\0\0"), 1);
        CHECK_INT(read_block(&s, &b, in, &v), in == IN_CH);
        CHECK(in == IN_CH || s.err.code == (in == IN_SH12 ? HF_E_UNSOLICITED_EXTENSION
                                                          : HF_E_MISPLACED_EXTENSION));
    }
    buffer_clear(&b);
}

/* A second one is worse than one that may not stand here, or that nobody asked for. */
static void test_unknown_duplicates(void)
{
    static struct side s;
    struct ext_values v;
    struct buffer b = {0};
    for (unsigned in = 1; in <= ALL; in <<= 1) {
        side_start(&s, in == IN_CH, HF_TLS1_2, HF_TLS1_3);
        s.n.sent = 0;
        one_extension(&b, 0x7a7a, BODY("x"), 2);
        CHECK(!read_block(&s, &b, in, &v));
        CHECK_INT(s.err.code, HF_E_DECODE);
        CHECK_INT(s.err.alert, 50);
    }
    buffer_clear(&b);
}

/* ---- bodies: each as it must be, one byte shorter and one byte longer */

/* Of these the body is a number of bytes that says nothing about its end. */
static bool is_open_ended(uint16_t id, unsigned in)
{
    return (id == 35 && in == IN_CH) || (id == 5 && in == IN_CR) ||
           (id == 58 && in == IN_CH); /* judged when the version is known */
}

static void test_every_body(void)
{
    struct buffer b = {0};
    hf_error err;
    for (size_t i = 0; i < PLACES; i++) {
        for (unsigned in = 1; in <= ALL; in <<= 1) {
            if (!(places[i].in & in) || is_open_ended(places[i].id, in))
                continue;
            struct slice body = body_in(&places[i], in);
            one_extension(&b, places[i].id, body, 1);
            CHECK(read_traced(&b, in, &err));
            for (size_t len = 0; len < body.len; len++) {
                one_extension(&b, places[i].id, slice_of(body.p, len), 1);
                CHECK(!read_traced(&b, in, &err));
                CHECK_INT(err.alert, 50);
            }
            uint8_t longer[64] = {0};
            memcpy(longer, body.p, body.len);
            one_extension(&b, places[i].id, slice_of(longer, body.len + 1), 1);
            CHECK(!read_traced(&b, in, &err));
            CHECK_INT(err.code, HF_E_TRAILING_DATA);
        }
    }
    buffer_clear(&b);
}

/* Two bytes in TLS 1.3; before it, whatever it is. */
static void test_ticket_request(void)
{
    static struct side s;
    struct ext_values v;
    struct buffer b = {0};
    for (int bad = 0; bad < 2; bad++) {
        side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
        one_extension(&b, 58, bad ? BODY("") : BODY("\3\2"), 1);
        CHECK(read_block(&s, &b, IN_CH, &v));
        CHECK(ticket_request_take(&s.n, &v, IN_CH) == !bad);
        if (bad)
            CHECK_INT(s.err.alert, 50);
        else
            CHECK(s.n.new_tickets == 3 && s.n.resumption_tickets == 2);
        s.n.version = HF_TLS1_2;
        CHECK(take_one(&s, IN_CH, 58, bad ? BODY("") : BODY("\3\2")));
    }
    buffer_clear(&b);
}

static void test_refused_bodies(void)
{
    static const struct {
        uint16_t id;
        unsigned in;
        const char *body;
        size_t len;
        const char *path;
    } bad[] = {
        {11, IN_CH, "\0", 1, "ClientHello.extensions.ec_point_formats.ec_point_format_list"},
        {18, IN_SH12, "\0\0", 2,
         "ServerHello.extensions.signed_certificate_timestamp.sct_list"},
        {18, IN_CT, "\0\2\0\0", 4,
         "Certificate.extensions.signed_certificate_timestamp.sct_list.serialized_sct"},
        {16, IN_SH12, "\0\6\2h2\2h3", 8,
         "ServerHello.extensions.application_layer_protocol_negotiation"},
    };
    struct buffer b = {0};
    hf_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        one_extension(&b, bad[i].id, slice_of(bad[i].body, bad[i].len), 1);
        CHECK(!read_traced(&b, bad[i].in, &err));
        CHECK_INT(err.code, HF_E_DECODE);
        CHECK_STR(err.path, bad[i].path);
    }
    buffer_clear(&b);
}

/* ---- what a client writes, by its range of versions */

static void check_hello(struct side *s, const char *ids)
{
    struct buffer b = {0};
    char text[200];
    hf_error err;
    write_block(s, &b, IN_CH);
    ids_of(&b, text, sizeof text);
    CHECK_STR(text, ids);
    CHECK(read_traced(&b, IN_CH, &err));
    buffer_clear(&b);
}

static void test_hello_by_range(void)
{
    static struct side s;
    side_start(&s, false, HF_TLS1_3, HF_TLS1_3);
    check_hello(&s, "43 10 13 51 45");
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    check_hello(&s, "65281 43 10 13 51 45 23 11 22 35");
    s.n.renegotiating = true;
    check_hello(&s, "65281 10 13 23 11 22 35");
    side_start(&s, false, HF_TLS1_2, HF_TLS1_2);
    check_hello(&s, "65281 10 13 23 11 22 35");
    side_start(&s, false, HF_TLS1_0, HF_TLS1_1);
    check_hello(&s, "65281 10 23 11 22 35");
    s.config.psk_modes = 0;
    s.config.encrypt_then_mac = false;
    s.config.body.suites = (struct ids){.count = 1, .id = {0x002f}};
    check_hello(&s, "65281 10 23");
    s.config.encrypt_then_mac = true;
    s.config.body.suites = (struct ids){.count = 1, .id = {0x009c}};
    check_hello(&s, "65281 10 23"); /* no block cipher, no curve */
}

static void test_hello_with_everything(void)
{
    static struct side s;
    static uint8_t alpn[] = "\2h2";
    static char name[] = "example.com";
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    s.config.alpn = alpn;
    s.config.alpn_len = 3;
    s.config.sct = true;
    s.config.max_fragment = 1024;
    s.config.record_size_limit = 1000;
    s.config.ocsp = HF_OCSP_REQUEST;
    s.config.post_handshake_auth = true;
    s.n.server_name = name;
    check_hello(&s, "65281 0 43 10 13 51 45 16 5 28 49 23 11 22 1 35 18");
    s.config.body.version_max = HF_TLS1_2;
    check_hello(&s, "65281 0 10 13 16 5 28 23 11 22 1 35 18");
    s.config.body.version_min = s.config.body.version_max = HF_TLS1_3;
    check_hello(&s, "0 43 10 13 51 45 16 5 28 49 1 18");
}

/* No hybrid has a place in TLS 1.2; the limit counts a type byte in TLS 1.3 only. */
static void test_bodies_by_range(void)
{
    static struct side s;
    struct buffer b = {0};
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    s.config.record_size_limit = 1000;
    write_block(&s, &b, IN_CH);
    CHECK(slice_equal(body_of(&b, 10), slice_of(group_list, sizeof group_list)));
    CHECK(slice_equal(body_of(&b, 43), BODY("\4\3\4\3\3")));
    CHECK(slice_equal(body_of(&b, 28), BODY("\3\351")));
    CHECK(slice_equal(body_of(&b, 0xff01), BODY("\0")));
    CHECK(slice_equal(body_of(&b, 11), BODY("\1\0")));
    s.config.body.version_max = HF_TLS1_2;
    write_block(&s, &b, IN_CH);
    CHECK(slice_equal(body_of(&b, 10), BODY("\0\4\0\35\0\27")));
    CHECK(slice_equal(body_of(&b, 28), BODY("\3\350")));
    s.config.body.version_min = HF_TLS1_0;
    s.config.body.version_max = HF_TLS1_3;
    write_block(&s, &b, IN_CH);
    CHECK(slice_equal(body_of(&b, 43), BODY("\10\3\4\3\3\3\2\3\1")));
    buffer_clear(&b);
}

/* ---- versions */

static uint16_t choose(struct side *s, const char *list, uint16_t legacy)
{
    struct ext_values v;
    memset(&v, 0, sizeof v);
    if (list) {
        v.present = 1u << X_SUPPORTED_VERSIONS;
        v.versions = slice_of(list, strlen(list));
    }
    return versions_choose(&s->config, &v, legacy);
}

static void test_versions_choose(void)
{
    static struct side s;
    side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
    CHECK_INT(choose(&s, "\3\4\3\3", 0x0303), HF_TLS1_3);
    CHECK_INT(choose(&s, "\3\3\3\4", 0x0303), HF_TLS1_3);
    CHECK_INT(choose(&s, "\x7a\x7a\3\3\3\2", 0x0303), HF_TLS1_2);
    CHECK_INT(choose(&s, "\3\2\3\1", 0x0303), 0);
    CHECK_INT(choose(&s, "\3\5", 0x0303), 0);
    CHECK_INT(choose(&s, "\3\4", 0x0301), HF_TLS1_3); /* legacy_version says nothing */
    CHECK_INT(choose(&s, NULL, 0x0303), HF_TLS1_2);
    CHECK_INT(choose(&s, NULL, 0x0304), HF_TLS1_2); /* TLS 1.3 only by the extension */
    CHECK_INT(choose(&s, NULL, 0x7f12), HF_TLS1_2);
    CHECK_INT(choose(&s, NULL, 0x0302), 0);
    side_start(&s, true, HF_TLS1_0, HF_TLS1_2);
    CHECK_INT(choose(&s, "\3\4\3\3\3\2", 0x0303), HF_TLS1_2);
    CHECK_INT(choose(&s, NULL, 0x0303), HF_TLS1_2);
    CHECK_INT(choose(&s, NULL, 0x0302), HF_TLS1_1);
    CHECK_INT(choose(&s, NULL, 0x0301), HF_TLS1_0);
    CHECK_INT(choose(&s, NULL, 0x0300), 0);
    CHECK_INT(choose(&s, NULL, 0x0002), 0);
    side_start(&s, true, HF_TLS1_3, HF_TLS1_3);
    CHECK_INT(choose(&s, NULL, 0x0303), 0);
}

static void test_versions_refused(void)
{
    static struct side s;
    side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
    CHECK(!take_one(&s, IN_CH, 43, BODY("\10\x7a\x7a\3\2\3\1\3\2")));
    CHECK_INT(s.err.code, HF_E_UNSUPPORTED_VERSION);
    CHECK_INT(s.err.alert, 70);
    CHECK_STR(s.err.detail,
              "the client offers TLS 1.1, TLS 1.0, this server allows TLS 1.3, TLS 1.2");
    CHECK_STR(s.err.path, "ClientHello.extensions.supported_versions");
    CHECK(take_one(&s, IN_CH, 43, BODY("\4\3\3\3\4")));
    CHECK_INT(s.n.version, HF_TLS1_3);
    /* a second hello that leaves TLS 1.3 out */
    CHECK(!take_one(&s, IN_CH, 43, BODY("\2\3\3")));
    CHECK_INT(s.err.code, HF_E_HELLO_CHANGED);
    CHECK(!take_none(&s, IN_CH));
    CHECK_INT(s.err.code, HF_E_UNSUPPORTED_VERSION);
    CHECK_STR(s.err.detail, "the client offers nothing above TLS 1.2, this server allows TLS "
                            "1.3, TLS 1.2");
    /* The lead has chosen TLS 1.2 by what came: nothing is left to judge. */
    s.n.version = HF_TLS1_2;
    CHECK(take_one(&s, IN_CH, 43, BODY("\2\3\3")) && s.n.version == HF_TLS1_2);
    side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
    s.n.sent = ~0u;
    CHECK(!take_one(&s, IN_SH, 43, BODY("\3\3")));
    CHECK_INT(s.err.alert, 47);
    CHECK(take_one(&s, IN_SH, 43, BODY("\3\4")));
    CHECK_INT(s.n.version, HF_TLS1_3);
}

/* A whole list of versions that nobody has must not overflow the sentence about it. */
static void test_many_versions(void)
{
    static struct side s;
    uint8_t list[255] = {254};
    for (unsigned i = 0; i < 127; i++)
        put_u16(list + 1 + 2 * i, (uint16_t)(0x5000 + i));
    side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
    CHECK(!take_one(&s, IN_CH, 43, slice_of(list, sizeof list)));
    CHECK_INT(s.err.code, HF_E_UNSUPPORTED_VERSION);
}

/* ---- one version's extensions mean nothing in the other */

static void test_gates(void)
{
    static struct side s;
    side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
    s.n.version = HF_TLS1_2;
    /* 1.3's: a lone pre_shared_key, a share without groups, early data again, obsolete groups */
    CHECK(take_one(&s, IN_CH, 41, slice_of(places[PLACES - 1].body, places[PLACES - 1].len)));
    CHECK(take_one(&s, IN_CH, 42, BODY("")) && !s.n.early_data_offered);
    CHECK(take_one(&s, IN_CH, 45, BODY("\1\1")) && s.n.peer_psk_modes == 0);
    CHECK(take_one(&s, IN_CH, 10, BODY("\0\4\0\1\0\35")) && s.n.peer_groups.count == 1);
    CHECK(take_one(&s, IN_CH, 47, BODY("\0\3\0\1x")) && !s.n.peer_authorities);
    /* 1.2's in TLS 1.3 */
    side_start(&s, true, HF_TLS1_2, HF_TLS1_3);
    s.n.version = HF_TLS1_3;
    s.config.require_ems = true;
    struct buffer b = {0};
    struct wr w;
    wr_start(&w, &b);
    wr_bytes(&w, "\0\34\0\53\0\3\2\3\4\0\13\0\2\1\1\377\1\0\2\1x\0\43\0\1t\0\26\0\0", 30);
    CHECK(take_block(&s, &b, IN_CH));
    CHECK(!s.n.ems && !s.n.secure && !s.n.ticket_offered);
    buffer_clear(&b);
    CHECK(!take_one(&s, IN_CH, 10, BODY("\0\4\0\1\0\35")));
}

int main(void)
{
    RUN(test_every_extension_everywhere);
    RUN(test_duplicates);
    RUN(test_unknown);
    RUN(test_unknown_duplicates);
    RUN(test_every_body);
    RUN(test_ticket_request);
    RUN(test_refused_bodies);
    RUN(test_hello_by_range);
    RUN(test_hello_with_everything);
    RUN(test_bodies_by_range);
    RUN(test_versions_choose);
    RUN(test_versions_refused);
    RUN(test_many_versions);
    RUN(test_gates);
    return check_done();
}

/* test_reader.c: the named, sticky reader: values, failures with their paths, and the trace. */
#include "bytes/names.h"
#include "bytes/reader.h"
#include "check.h"

static struct rd start(struct rd_msg *m, hf_error *err, const void *bytes, size_t len,
                       size_t skip)
{
    *err = (hf_error){0};
    *m = (struct rd_msg){.name = "Test", .err = err, .rfc = "RFC 8446 4"};
    return rd_start(m, bytes, len, skip);
}

static void test_integers(void)
{
    struct rd_msg m;
    hf_error err;
    struct rd r =
        start(&m, &err, "hd\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25", 23, 2);
    CHECK_INT(rd_u8(&r, "a"), 1);
    CHECK_INT(rd_u16(&r, "b"), 0x0203);
    CHECK_INT(rd_u24(&r, "c"), 0x040506);
    CHECK_INT(rd_u32(&r, "d"), 0x0708090a);
    CHECK_INT(rd_u64(&r, "e"), 0x0b0c0d0e0f101112);
    CHECK_INT(rd_left(&r), 3);
    CHECK(rd_more(&r));
    CHECK_INT(rd_enum16(&r, "f", name_suite), 0x1314);
    CHECK_INT(rd_enum8(&r, "g", NULL), 0x15);
    CHECK(!rd_more(&r));
    CHECK(rd_end(&r));
    CHECK_INT(err.code, HF_OK);
}

static void test_vectors(void)
{
    struct rd_msg m;
    hf_error err;
    struct rd r =
        start(&m, &err, "\2ab\0\1c\0\0\2de\0\4\1\2\3\4\2\5\6\1\7\0\3\1\2xrest", 31, 0);
    CHECK(slice_equal(rd_opaque8(&r, "a", 0, 2), slice_of("ab", 2)));
    CHECK(slice_equal(rd_opaque16(&r, "b", 1, 9), slice_of("c", 1)));
    CHECK(slice_equal(rd_opaque24(&r, "c", 1, 9), slice_of("de", 2)));
    CHECK(slice_equal(rd_list16(&r, "d", 2, 4, "item", NULL), slice_of("\1\2\3\4", 4)));
    CHECK(slice_equal(rd_list8_16(&r, "e", 2, 4, "item", NULL), slice_of("\5\6", 2)));
    CHECK(slice_equal(rd_list8(&r, "f", 1, 4, "item", NULL), slice_of("\7", 1)));
    struct rd v = rd_vec16(&r, "g", 0, 10);
    CHECK_INT(rd_left(&v), 3);
    CHECK_INT(rd_u16(&v, "h"), 0x0102);
    struct rd g = rd_group(&v, "i", 1);
    CHECK_INT(rd_u8(&g, "j"), 'x');
    CHECK(rd_end(&g) && rd_end(&v));
    CHECK(slice_equal(rd_rest(&r, "k"), slice_of("rest", 4)));
    CHECK(rd_rest(&r, "l").len == 0);
    CHECK(rd_end(&r));
}

/* Reads one field of every kind whose demands are not met, and returns the error. */
static hf_error refused(const void *bytes, size_t len, unsigned kind)
{
    struct rd_msg m;
    hf_error err;
    struct rd r = start(&m, &err, bytes, len, 0);
    switch (kind) {
    case 0: rd_u16(&r, "field"); break;
    case 1: rd_opaque8(&r, "field", 2, 10); break;
    case 2: rd_opaque16(&r, "field", 2, 65534); break;
    case 3: rd_list16(&r, "field", 2, 65534, "item", NULL); break;
    case 4: rd_bytes(&r, "field", 32); break;
    case 5: rd_vec24(&r, "field", 0, 0xffffff); break;
    case 6: rd_list8_16(&r, "field", 2, 254, "item", NULL); break;
    default: rd_u8(&r, "field"); break;
    }
    CHECK(!rd_end(&r));
    CHECK(m.failed);
    CHECK_INT(rd_left(&r), 0);
    return err;
}

static void test_refusals(void)
{
    /* clang-format off */
    static const struct {
        const char *bytes; size_t len; unsigned kind; const char *detail, *path; size_t offset; hf_code code;
    } rows[] = {
        {"\1", 1, 0, "needs 2 bytes, 1 is left", "Test.field", 0, HF_E_DECODE},
        {"", 0, 9, "needs 1 byte, 0 are left", "Test.field", 0, HF_E_DECODE},
        {"\1a", 2, 1, "length 1 is not in 2..10", "Test.field", 0, HF_E_DECODE},
        {"\13aaaaaaaaaaa", 12, 1, "length 11 is not in 2..10", "Test.field", 0, HF_E_DECODE},
        {"\5aa", 3, 1, "length 5, but 2 bytes are left", "Test.field", 0, HF_E_DECODE},
        {"\0\5a", 3, 2, "length 5, but 1 byte is left", "Test.field", 0, HF_E_DECODE},
        {"\0", 1, 2, "needs 2 bytes, 1 is left", "Test.field", 0, HF_E_DECODE},
        {"\377\377", 2, 2, "length 65535 is not in 2..65534", "Test.field", 0, HF_E_DECODE},
        {"\0\5aaaaa", 7, 3, "length 5 is not a multiple of 2", "Test.field", 0, HF_E_DECODE},
        {"\3aaa", 4, 6, "length 3 is not a multiple of 2", "Test.field", 0, HF_E_DECODE},
        {"abc", 3, 4, "needs 32 bytes, 3 are left", "Test.field", 0, HF_E_DECODE},
        {"\0\0\1", 3, 5, "length 1, but 0 bytes are left", "Test.field", 0, HF_E_DECODE},
        {"abc", 3, 0, "1 byte is left over", "Test", 2, HF_E_TRAILING_DATA},
        {"abcd", 4, 0, "2 bytes are left over", "Test", 2, HF_E_TRAILING_DATA},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_error err = refused(rows[i].bytes, rows[i].len, rows[i].kind);
        CHECK_STR(err.detail, rows[i].detail);
        CHECK_STR(err.path, rows[i].path);
        CHECK_INT(err.offset, rows[i].offset);
        CHECK_INT(err.code, rows[i].code);
        CHECK_STR(err.rfc, "RFC 8446 4");
        CHECK_INT(err.alert, 50);
    }
}

static void test_path_and_offset(void)
{
    struct rd_msg m;
    hf_error err;
    struct rd r = start(&m, &err, "head\0\6\0\4\0\2\0", 11, 4);
    struct rd a = rd_vec16(&r, "extensions", 0, 9);
    CHECK(!rd_ok(&r));
    r = start(&m, &err, "head\0\5\0\3\0\2\0", 11, 4);
    a = rd_vec16(&r, "extensions", 0, 9);
    struct rd b = rd_group(&a, "key_share", 5);
    struct rd c = rd_vec16(&b, "client_shares", 0, 9);
    rd_u16(&c, "group");
    rd_u16(&c, "key_exchange");
    CHECK_STR(err.path, "Test.extensions.key_share.client_shares.key_exchange");
    CHECK_INT(err.offset, 10);
    CHECK_STR(err.detail, "needs 2 bytes, 1 is left");
    /* Everything of this message is over now, also what encloses the place. */
    CHECK(!rd_more(&c) && !rd_more(&a) && !rd_more(&r));
    CHECK_INT(rd_u8(&r, "x"), 0);
    CHECK(rd_bytes(&a, "x", 0).p == NULL);
    CHECK(rd_opaque8(&b, "x", 0, 255).p == NULL);
    struct rd d = rd_vec8(&b, "x", 0, 255), e = rd_group(&d, "y", 3);
    CHECK(!rd_more(&d) && !rd_more(&e) && !rd_end(&e) && !rd_end(&d));
    CHECK(!rd_bad(&a, HF_E_BAD_EXTENSION, "%s", "too late"));
    CHECK_STR(err.path, "Test.extensions.key_share.client_shares.key_exchange");
}

static void test_semantic_refusal(void)
{
    struct rd_msg m;
    hf_error err;
    struct rd r = start(&m, &err, "\0\2\0\27", 4, 0);
    struct rd a = rd_vec16(&r, "server_share", 0, 9);
    unsigned group = rd_u16(&a, "group");
    CHECK(!rd_bad(&a, HF_E_WRONG_GROUP, "group %u was not offered", group));
    CHECK_INT(err.code, HF_E_WRONG_GROUP);
    CHECK_INT(err.alert, 47);
    CHECK_STR(err.path, "Test.server_share");
    CHECK_STR(err.detail, "group 23 was not offered");
    CHECK_STR(err.rfc, "RFC 8446 4.2.8");
    CHECK_INT(err.offset, 4);
    CHECK(!rd_end(&a) && !rd_end(&r));
}

/* An error from before this message stays, and the message still counts as failed. */
static void test_first_error_wins(void)
{
    struct rd_msg m;
    hf_error err;
    struct rd r = start(&m, &err, "a", 1, 0);
    err_set(&err, HF_E_INTERNAL, "%s", "earlier");
    rd_u16(&r, "field");
    CHECK(!rd_end(&r));
    CHECK_INT(err.code, HF_E_INTERNAL);
    CHECK_STR(err.path, "");
}

static void test_without_error(void)
{
    struct rd_msg m = {.name = "Test"};
    struct rd r = rd_start(&m, (const uint8_t *)"abc", 3, 0);
    CHECK(!rd_bad(&r, HF_E_DECODE, "%s", "x"));
    r = rd_start(&m, (const uint8_t *)"abc", 3, 0);
    CHECK_INT(rd_u8(&r, "a"), 'a');
    CHECK(!rd_end(&r));
    r = rd_start(&m, NULL, 0, 0);
    CHECK(rd_ok(&r) && rd_end(&r));
    r = rd_start(&m, (const uint8_t *)"ab", 2, 4);
    CHECK(rd_end(&r));
}

static void test_long_path_is_cut(void)
{
    struct rd_msg m;
    hf_error err;
    struct rd r[12];
    r[0] = start(&m, &err, "", 0, 0);
    for (int i = 1; i < 12; i++)
        r[i] = rd_group(&r[i - 1], "a_rather_long_name", 0);
    rd_u8(&r[11], "field");
    CHECK(err.truncated);
    CHECK_INT(strlen(err.path), HF_PATH_MAX_LEN - 1);
    CHECK(memcmp(err.path, "Test.a_rather_long_name.a_rather", 32) == 0);
}

/* ---- trace */

static char log_text[4000];
static uint8_t covered[300];
static size_t log_len;

static void log_event(void *arg, const hf_trace_event *e)
{
    (void)arg;
    log_len +=
        (size_t)snprintf(log_text + log_len, sizeof log_text - log_len, "%s%u %s @%zu+%zu%s%s",
                         e->kind == HF_TRACE_GROUP ? "G" : "F", e->depth, e->name, e->offset,
                         e->size, e->text ? " " : "", e->text ? e->text : "");
    if (e->kind == HF_TRACE_FIELD && e->size <= 8)
        log_len += (size_t)snprintf(log_text + log_len, sizeof log_text - log_len, " =%llu",
                                    (unsigned long long)e->number);
    log_len += (size_t)snprintf(log_text + log_len, sizeof log_text - log_len, "\n");
    if (e->kind == HF_TRACE_FIELD)
        for (size_t i = 0; i < e->size; i++)
            covered[e->offset + i]++;
}

static void test_trace(void)
{
    static const char bytes[] = "hh\3\4\4abcd\0\0\4\23\1\33\32\0\7\1\2\2xy\1\0z";
    struct rd_msg m;
    hf_error err;
    struct rd r = start(&m, &err, bytes, 26, 2);
    m.trace = log_event;
    log_len = 0;
    memset(covered, 0, sizeof covered);
    rd_enum16(&r, "version", name_version);
    rd_opaque8(&r, "id", 0, 32);
    rd_opaque8(&r, "none", 0, 32);
    rd_list16(&r, "suites", 2, 9, "suite", name_suite);
    struct rd v = rd_vec16(&r, "list", 0, 99);
    struct rd g = rd_group(&v, "entry", 5);
    rd_u16(&g, "kind");
    rd_opaque8(&g, "data", 0, 9);
    CHECK(rd_end(&g));
    rd_list8(&v, "modes", 0, 9, "mode", name_psk_mode);
    CHECK(rd_end(&v));
    rd_rest(&r, "rest");
    CHECK(rd_end(&r));
    CHECK_STR(log_text, "F0 version @2+2 TLS 1.3 =772\n"
                        "F0 id length @4+1 =4\n"
                        "F0 id @5+4 =0\n"
                        "F0 none length @9+1 =0\n"
                        "G0 suites @10+6\n"
                        "F1 suites length @10+2 =4\n"
                        "F1 suite @12+2 TLS_AES_128_GCM_SHA256 =4865\n"
                        "F1 suite @14+2 unknown =6938\n"
                        "G0 list @16+9\n"
                        "F1 list length @16+2 =7\n"
                        "G1 entry @18+5\n"
                        "F2 kind @18+2 =258\n"
                        "F2 data length @20+1 =2\n"
                        "F2 data @21+2 =0\n"
                        "G1 modes @23+2\n"
                        "F2 modes length @23+1 =1\n"
                        "F2 mode @24+1 psk_ke =0\n"
                        "F0 rest @25+1 =0\n");
    for (size_t i = 0; i < 26; i++)
        CHECK_INT(covered[i], i >= 2);
}

int main(void)
{
    RUN(test_integers);
    RUN(test_vectors);
    RUN(test_refusals);
    RUN(test_path_and_offset);
    RUN(test_semantic_refusal);
    RUN(test_first_error_wins);
    RUN(test_without_error);
    RUN(test_long_path_is_cut);
    RUN(test_trace);
    return check_done();
}

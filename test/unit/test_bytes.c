/* test_bytes.c: memory, buffer, errors and names. */
#include "bytes/bytes.h"
#include "bytes/names.h"
#include "check.h"

#include <errno.h>
#include <stdlib.h>

static void test_slices(void)
{
    CHECK(slice_equal((struct slice){0}, slice_of("x", 0)));
    CHECK(slice_equal(slice_of("abc", 3), slice_of("abd", 2)) == false);
    CHECK(slice_equal(slice_of("abc", 2), slice_of("abd", 2)));
    uint8_t b[8];
    put_u64(b, 0x0102030405060708);
    CHECK_MEM(b, "\1\2\3\4\5\6\7\10", 8);
    put_u16(b, 0xfffe);
    CHECK_INT(get_u16(b), 0xfffe);
}

static void test_constant_time_compare(void)
{
    uint8_t a[64] = {0}, b[64] = {0};
    CHECK(ct_equal(a, b, 64));
    CHECK(ct_equal(a, b, 0));
    for (size_t i = 0; i < 64; i++)
        for (int bit = 0; bit < 8; bit++) {
            b[i] = (uint8_t)(1 << bit);
            CHECK(!ct_equal(a, b, 64));
            CHECK(ct_equal(a, b, i));
            b[i] = 0;
        }
}

static void test_wipe(void)
{
    uint8_t secret[32];
    memset(secret, 7, sizeof secret);
    wipe(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        CHECK_INT(secret[i], 0);
    wipe(NULL, 0);
    mem_wipe_free(NULL, 5);
}

static void test_allocation(void)
{
    unsigned char *p = mem_new(100);
    CHECK(p != NULL);
    for (size_t i = 0; p && i < 100; i++)
        CHECK_INT(p[i], 0);
    mem_free(p);
    char *s = mem_strdup("hand");
    CHECK_STR(s, "hand");
    mem_free(s);
    p = mem_dup(NULL, 0);
    CHECK(p != NULL);
    mem_free(p);
}

static void test_allocation_failure(void)
{
    unsigned long before = mem_test_count();
    void *p = mem_new(1);
    CHECK_INT(mem_test_count() - before, 1);
    mem_free(p);
    mem_test_fail_after(3);
    void *a = mem_new(1), *b = mem_dup("x", 1), *c = mem_new(1), *d = mem_dup("x", 1);
    CHECK(a && b && !c && !d);
    mem_test_fail_after(0);
    void *e = mem_new(1);
    CHECK(e != NULL);
    mem_free(a);
    mem_free(b);
    mem_free(e);
}

static void test_buffer(void)
{
    struct buffer b = {0};
    uint8_t want[4000];
    for (size_t i = 0; i < sizeof want; i++)
        want[i] = (uint8_t)(i * 7);
    CHECK(buffer_append(&b, want, 10));
    CHECK_INT(b.size, 512);
    for (size_t i = 10; i < sizeof want; i += 10)
        CHECK(buffer_append(&b, want + i, 10));
    CHECK_INT(b.size, 4096);
    CHECK_INT(buffer_len(&b), sizeof want);
    CHECK_MEM(b.p + b.start, want, sizeof want);
    buffer_drop(&b, 3900);
    CHECK_INT(buffer_len(&b), 100);
    /* There is room once the front is given up: the block stays. */
    uint8_t *p = b.p;
    CHECK(buffer_append(&b, want, 3000));
    CHECK(b.p == p);
    CHECK_INT(b.size, 4096);
    CHECK_MEM(b.p + b.start, want + 3900, 100);
    CHECK_MEM(b.p + b.start + 100, want, 3000);
    buffer_drop(&b, buffer_len(&b));
    CHECK(b.p == NULL && b.size == 0 && b.end == 0);
    CHECK(buffer_append(&b, NULL, 0));
    CHECK(buffer_reserve(&b, SIZE_MAX - 10) == NULL);
    buffer_clear(&b);
    buffer_clear(&b);
}

static void test_buffer_without_memory(void)
{
    struct buffer b = {0};
    mem_test_fail_after(1);
    CHECK(!buffer_append(&b, "x", 1));
    mem_test_fail_after(0);
    CHECK(buffer_append(&b, "abc", 3));
    mem_test_fail_after(1);
    CHECK(buffer_reserve(&b, 600) == NULL);
    mem_test_fail_after(0);
    CHECK_INT(buffer_len(&b), 3);
    CHECK_MEM(b.p + b.start, "abc", 3);
    buffer_clear(&b);
}

static void test_error(void)
{
    hf_error err = {0};
    CHECK(!err_set(&err, HF_E_BAD_SIGNATURE, "scheme %04x", 0x0403));
    CHECK_INT(err.code, HF_E_BAD_SIGNATURE);
    CHECK_INT(err.fault, HF_FAULT_PEER);
    CHECK_INT(err.alert, 51);
    CHECK_INT(err.x509_depth, -1);
    CHECK_STR(err.step, "");
    CHECK_STR(err.path, "");
    CHECK_STR(err.rfc, "RFC 8446 4.4.3");
    CHECK_STR(err.detail, "scheme 0403");
    CHECK(!err.truncated);
    /* The first error wins. */
    CHECK(!err_set(&err, HF_E_INTERNAL, "%s", "second"));
    CHECK_INT(err.code, HF_E_BAD_SIGNATURE);
    CHECK(!err_set(NULL, HF_E_INTERNAL, "%s", "nobody asked"));
    err = (hf_error){0};
    err_set(&err, HF_E_FROZEN, NULL);
    CHECK_STR(err.detail, "");
    CHECK_STR(err.hint, "derive a new configuration with hf_config_derive() and change that");
}

static void test_error_cut(void)
{
    char longer[HF_DETAIL_MAX_LEN + 1];
    memset(longer, 'x', sizeof longer);
    longer[HF_DETAIL_MAX_LEN] = 0;
    hf_error err = {0};
    err_set(&err, HF_E_INTERNAL, "%s", longer);
    CHECK(err.truncated);
    CHECK_INT(strlen(err.detail), HF_DETAIL_MAX_LEN - 1);
    longer[HF_DETAIL_MAX_LEN - 1] = 0;
    err = (hf_error){0};
    err_set(&err, HF_E_INTERNAL, "%s", longer);
    CHECK(!err.truncated);
}

static void test_error_rows(void)
{
    ROW("Y163");
    for (int code = 1; code < HF_E_COUNT; code++) {
        hf_error err = {0};
        char line[600];
        err_set(&err, (hf_code)code, NULL);
        CHECK(err.fault != HF_FAULT_NONE);
        /* What a peer can do wrong has the rule that it breaks; it may also ask too much of us, or, before TLS,
         * of a protocol that has rules of its own. */
        bool ours = code == HF_E_MEMORY_CAP || code == HF_E_STARTTLS_REFUSED ||
                    code == HF_E_STARTTLS_REPLY;
        CHECK(err.fault != HF_FAULT_PEER || ours || err.rfc[0]);
        CHECK(hf_code_name((hf_code)code)[0] && hf_code_sentence((hf_code)code)[0]);
        CHECK(err.alert == HF_NO_ALERT || strcmp(hf_alert_name(err.alert), "unknown") != 0);
        CHECK(hf_error_line(&err, line, sizeof line) == strlen(line));
        CHECK(strstr(line, hf_code_name((hf_code)code)) != NULL);
    }
    CHECK_STR(hf_code_name((hf_code)9999), "UNKNOWN");
    CHECK_STR(hf_code_name(HF_OK), "OK");
    CHECK_STR(hf_fault_name(HF_FAULT_CONFIG), "configuration");
}

static void test_error_line(void)
{
    hf_error err = {0};
    char line[300], small[20];
    err_set(&err, HF_E_DECODE, "needs 2 bytes, 1 is left");
    strcpy(err.path, "ClientHello.random");
    err.offset = 6;
    size_t n = hf_error_line(&err, line, sizeof line);
    CHECK_STR(
        line,
        "a message from the peer cannot be decoded: ClientHello.random at byte 6: needs 2 "
        "bytes, 1 is left [DECODE, RFC 8446 6.2]");
    CHECK_INT(n, strlen(line));
    CHECK_INT(hf_error_line(&err, small, sizeof small), n);
    CHECK_INT(strlen(small), sizeof small - 1);
    CHECK_INT(hf_error_line(&err, NULL, 0), n);
    err = (hf_error){0};
    err_set(&err, HF_E_ALERT_RECEIVED, NULL);
    err.alert = 40;
    err.alert_received = true;
    hf_error_line(&err, line, sizeof line);
    CHECK(strstr(line, "handshake_failure (40)") != NULL);
    err = (hf_error){0};
    err_set(&err, HF_E_CONNECT, NULL);
    err.os_errno = ECONNREFUSED;
    hf_error_line(&err, line, sizeof line);
    CHECK(strstr(line, "Connection refused") != NULL);
}

static void test_names(void)
{
    CHECK_STR(hf_suite_name(0x1301), "TLS_AES_128_GCM_SHA256");
    CHECK_STR(hf_suite_name(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    CHECK_STR(hf_suite_name(0xcca8), "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
    CHECK_STR(hf_suite_name(0x009c), "TLS_RSA_WITH_AES_128_GCM_SHA256");
    CHECK_STR(hf_suite_name(0x0000), "TLS_NULL_WITH_NULL_NULL");
    CHECK_STR(hf_suite_name(0xd005), "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256");
    CHECK_STR(hf_suite_name(0xfefe), "unknown");
    CHECK_STR(hf_group_name(29), "x25519");
    CHECK_STR(hf_group_name(0x11ec), "X25519MLKEM768");
    CHECK_STR(hf_group_name(260), "ffdhe8192");
    CHECK_STR(hf_signature_name(0x0804), "rsa_pss_rsae_sha256");
    CHECK_STR(hf_signature_name(0x080b), "rsa_pss_pss_sha512");
    CHECK_STR(hf_signature_name(0x0906), "mldsa87");
    CHECK_STR(hf_extension_name(51), "key_share");
    CHECK_STR(hf_extension_name(41), "pre_shared_key");
    CHECK_STR(hf_extension_name(0xff01), "renegotiation_info");
    CHECK_STR(hf_extension_name(40), "unknown");
    CHECK_STR(hf_version_name(HF_TLS1_3), "TLS 1.3");
    CHECK_STR(hf_message_name(8), "EncryptedExtensions");
    CHECK_STR(hf_message_name(7), "unknown");
    CHECK_STR(hf_alert_name(121), "ech_required");
    CHECK_STR(hf_alert_name(1), "unknown");
    unsigned grease = 0;
    for (unsigned n = 0; n <= 0xffff; n++)
        if (name_is_grease((uint16_t)n)) {
            grease++;
            CHECK_STR(hf_suite_name((uint16_t)n), "GREASE");
            CHECK_STR(hf_extension_name((uint16_t)n), "GREASE");
        }
    CHECK_INT(grease, 16);
    CHECK(!name_is_grease(0x0a1a));
}

int main(void)
{
    RUN(test_slices);
    RUN(test_constant_time_compare);
    RUN(test_wipe);
    RUN(test_allocation);
    RUN(test_allocation_failure);
    RUN(test_buffer);
    RUN(test_buffer_without_memory);
    RUN(test_error);
    RUN(test_error_cut);
    RUN(test_error_rows);
    RUN(test_error_line);
    RUN(test_names);
    return check_done();
}

/* test_record.c: opening and sealing records. */
#include "record/record.h"

#include <stdlib.h>

#include "bytes/names.h"
#include "check.h"
#include "record/recognise.h"
#include "rfc8448.h"

static uint8_t key[AEAD_MAX_KEY] = "a key for tests of 32 bytes only";
static uint8_t iv[AEAD_NONCE_SIZE] = "and a nonce";
static uint8_t text[REC_MAX_PLAIN + 1];

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return n;
}

static const enum aead_id all[] = {
    AEAD_AES_128_GCM, AEAD_AES_256_GCM,   AEAD_CHACHA20_POLY1305,
    AEAD_AES_128_CCM, AEAD_AES_128_CCM_8,
};

static struct rec_half half_of(enum aead_id id, bool seal)
{
    struct rec_half half = {0};
    CHECK(rec_set_tls13(&half, id, key, iv, seal));
    return half;
}

/* Opens a record that must be refused and returns the code. */
static hf_code refusal(struct rec_half *half, uint8_t *in, size_t len)
{
    struct rec_opened r;
    hf_error err = {0};
    uint64_t seq = half->seq;
    CHECK(rec_open(half, in, len, false, false, &r, &err) == REC_BAD);
    CHECK(half->seq == seq);
    return err.code;
}

/* ---- RFC 8448 */

static void check_trace(const char *record, const char *content, uint8_t type,
                        struct rec_half *opener, struct rec_half *sealer)
{
    uint8_t wire[800], plain[800], sealed[800];
    struct rec_opened r;
    hf_error err = {0};
    size_t len = from_hex(record, wire), plain_len = from_hex(content, plain);
    CHECK_INT(rec_seal(sealer, type, 0x0303, plain, plain_len, sealed), len);
    CHECK_MEM(sealed, wire, len);
    CHECK_INT(rec_open(opener, wire, len, false, false, &r, &err), REC_OK);
    CHECK_INT(r.used, len);
    CHECK_INT(r.outer, REC_DATA);
    CHECK_INT(r.type, type);
    CHECK_INT(r.len, plain_len);
    CHECK_MEM(r.data, plain, plain_len);
}

static void test_rfc8448(void)
{
    uint8_t k[16], n[12];
    struct rec_half in = {0}, out = {0};
    from_hex(RFC8448_SERVER_HANDSHAKE_KEY, k);
    from_hex(RFC8448_SERVER_HANDSHAKE_IV, n);
    CHECK(rec_set_tls13(&in, AEAD_AES_128_GCM, k, n, false));
    CHECK(rec_set_tls13(&out, AEAD_AES_128_GCM, k, n, true));
    check_trace(RFC8448_SERVER_FLIGHT_RECORD, RFC8448_SERVER_FLIGHT, REC_HANDSHAKE, &in, &out);
    /* The change of keys sets the sequence number back. */
    from_hex(RFC8448_SERVER_KEY, k);
    from_hex(RFC8448_SERVER_IV, n);
    CHECK(rec_set_tls13(&in, AEAD_AES_128_GCM, k, n, false));
    CHECK(rec_set_tls13(&out, AEAD_AES_128_GCM, k, n, true));
    check_trace(RFC8448_TICKET_RECORD, RFC8448_TICKET, REC_HANDSHAKE, &in, &out);
    check_trace(RFC8448_SERVER_DATA_RECORD, RFC8448_DATA, REC_DATA, &in, &out);
    check_trace(RFC8448_SERVER_ALERT_RECORD, RFC8448_CLOSE_NOTIFY, REC_ALERT, &in, &out);
    from_hex(RFC8448_CLIENT_KEY, k);
    from_hex(RFC8448_CLIENT_IV, n);
    CHECK(rec_set_tls13(&in, AEAD_AES_128_GCM, k, n, false));
    CHECK(rec_set_tls13(&out, AEAD_AES_128_GCM, k, n, true));
    check_trace(RFC8448_CLIENT_DATA_RECORD, RFC8448_DATA, REC_DATA, &in, &out);
    check_trace(RFC8448_CLIENT_ALERT_RECORD, RFC8448_CLOSE_NOTIFY, REC_ALERT, &in, &out);
    CHECK_INT(in.seq, 2);
    rec_clear(&in);
    rec_clear(&out);
    CHECK(in.aead == NULL && in.prot == NULL);
}

/* ---- records without protection */

static void test_plain(void)
{
    struct rec_half half = {0};
    struct rec_opened r;
    hf_error err = {0};
    uint8_t wire[64];
    CHECK_INT(rec_sealed_size(&half, REC_HANDSHAKE, 3), 8);
    CHECK_INT(rec_seal(&half, REC_HANDSHAKE, 0x0301, (const uint8_t *)"abc", 3, wire), 8);
    CHECK_MEM(wire, "\x16\3\1\0\3abc", 8);
    for (size_t len = 0; len < 8; len++)
        CHECK(rec_open(&half, wire, len, false, false, &r, &err) == REC_PARTIAL);
    CHECK(rec_open(&half, wire, 9, false, false, &r, &err) == REC_OK);
    CHECK(r.type == REC_HANDSHAKE && r.used == 8 && r.len == 3 && r.data == wire + 5);
    CHECK(rec_open(&half, (uint8_t[]){20, 3, 3, 0, 1, 1}, 6, false, false, &r, &err) == REC_OK);
    CHECK_INT(err.code, HF_OK);
}

static void test_plain_refusals(void)
{
    /* clang-format off */
    static const struct { uint8_t bytes[8]; size_t len; hf_code code; } rows[] = {
        {{22, 2}, 2, HF_E_WRONG_VERSION_NUMBER},
        {{'H', 'T'}, 2, HF_E_WRONG_VERSION_NUMBER},
        {{19, 3}, 2, HF_E_UNEXPECTED_RECORD},
        {{24, 3}, 2, HF_E_UNEXPECTED_RECORD},                   /* heartbeat */
        {{22, 3, 1, 0x40, 0x01}, 5, HF_E_RECORD_OVERFLOW},
        {{21, 3, 3, 0xff, 0xff}, 5, HF_E_RECORD_OVERFLOW},
        {{23, 3, 3, 0x41, 0x01}, 5, HF_E_RECORD_OVERFLOW},
        {{22, 3, 3, 0, 0}, 5, HF_E_UNEXPECTED_RECORD},          /* empty */
        {{21, 3, 3, 0, 0}, 5, HF_E_UNEXPECTED_RECORD},
        {{20, 3, 3, 0, 0}, 5, HF_E_UNEXPECTED_RECORD},
        {{20, 3, 3, 0, 1, 2}, 6, HF_E_UNEXPECTED_RECORD},
        {{20, 3, 3, 0, 2, 1, 1}, 7, HF_E_UNEXPECTED_RECORD},
    };
    /* clang-format on */
    struct rec_half half = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t wire[8];
        memcpy(wire, rows[i].bytes, 8);
        CHECK_INT(refusal(&half, wire, rows[i].len), rows[i].code);
    }
    /* The longest allowed only wait for the rest; early data that a server skips may be longer. */
    struct rec_opened r;
    CHECK(rec_open(&half, (uint8_t[]){22, 3, 3, 0x40, 0}, 5, false, false, &r, NULL) ==
          REC_PARTIAL);
    CHECK(rec_open(&half, (uint8_t[]){23, 3, 3, 0x41, 0}, 5, false, false, &r, NULL) ==
          REC_PARTIAL);
    CHECK_INT(rec_seal(&half, REC_DATA, 0x0303, text, REC_MAX_PLAIN + 1, text), 0);
}

/* ---- protected records */

static void round_trip(enum aead_id id, size_t len, uint8_t type, uint16_t pad_block)
{
    struct rec_half out = half_of(id, true), in = half_of(id, false);
    struct rec_opened r;
    hf_error err = {0};
    out.pad_block = pad_block;
    size_t size = rec_sealed_size(&out, type, len);
    uint8_t *wire = malloc(size);
    CHECK_INT(rec_seal(&out, type, 0x0301, text, len, wire), size);
    CHECK_MEM(wire, "\x17\3\3", 3);
    CHECK_INT(get_u16(wire + 3), size - REC_HEADER);
    CHECK(rec_open(&in, wire, size - 1, false, false, &r, &err) == REC_PARTIAL);
    CHECK_INT(rec_open(&in, wire, size, false, false, &r, &err), REC_OK);
    CHECK(r.type == type && r.len == len && r.used == size && r.data == wire + REC_HEADER);
    CHECK_MEM(r.data, text, len);
    CHECK(in.seq == 1 && out.seq == 1);
    free(wire);
    rec_clear(&in);
    rec_clear(&out);
}

static void test_round_trips(void)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 1000, 16383, 16384};
    for (size_t a = 0; a < sizeof all / sizeof *all; a++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            round_trip(all[a], sizes[i], REC_DATA, 0);
            round_trip(all[a], sizes[i], REC_DATA, 32);
            round_trip(all[a], sizes[i], REC_DATA, 4096);
            if (sizes[i])
                round_trip(all[a], sizes[i], REC_HANDSHAKE, 32);
        }
}

static void test_in_place(void)
{
    static const uint16_t pads[] = {0, 16, 512};
    for (size_t i = 0; i < 3; i++) {
        struct rec_half out = half_of(AEAD_AES_128_GCM, true),
                        other = half_of(AEAD_AES_128_GCM, true);
        uint8_t a[700], b[700];
        out.pad_block = other.pad_block = pads[i];
        memcpy(a + REC_HEADER, text, 100);
        size_t n = rec_seal(&out, REC_DATA, 0x0303, a + REC_HEADER, 100, a);
        CHECK_INT(rec_seal(&other, REC_DATA, 0x0303, text, 100, b), n);
        CHECK(n > 100);
        CHECK_MEM(a, b, n);
        rec_clear(&out);
        rec_clear(&other);
    }
}

static void test_padding(void)
{
    struct rec_half out = half_of(AEAD_AES_128_GCM, true);
    out.pad_block = 512;
    CHECK_INT(rec_sealed_size(&out, REC_DATA, 1), 5 + 512 + 1 + 16);
    CHECK_INT(rec_sealed_size(&out, REC_DATA, 512), 5 + 512 + 1 + 16);
    CHECK_INT(rec_sealed_size(&out, REC_DATA, 0), 5 + 1 + 16);
    CHECK_INT(rec_sealed_size(&out, REC_ALERT, 2), 5 + 2 + 1 + 16);
    out.pad_block = 10000;
    CHECK_INT(rec_sealed_size(&out, REC_DATA, 16000), 5 + 16384 + 1 + 16);
    out.max_plain = 600;
    CHECK_INT(rec_max_plain(&out), 599);
    CHECK_INT(rec_sealed_size(&out, REC_DATA, 550), 5 + 600 + 16);
    CHECK_INT(rec_sealed_size(&out, REC_DATA, 599), 5 + 600 + 16);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 600, text), 0);
    rec_clear(&out);
    CHECK_INT(rec_max_plain(&out), REC_MAX_PLAIN);
}

static void test_every_corruption(void)
{
    for (size_t a = 0; a < sizeof all / sizeof *all; a++) {
        struct rec_half out = half_of(all[a], true), in = half_of(all[a], false);
        uint8_t wire[100], copy[100];
        size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, wire);
        for (size_t i = 0; i < n; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                memcpy(copy, wire, n);
                copy[i] ^= (uint8_t)(1 << bit);
                /* The minor version and the length are authenticated too; a longer record has not
                 * come in full. */
                if (i >= 5 || i == 2)
                    CHECK_INT(refusal(&in, copy, n), HF_E_BAD_RECORD_MAC);
                else if (i == 4 && copy[4] < wire[4])
                    CHECK_INT(refusal(&in, copy, n), HF_E_BAD_RECORD_MAC);
                else if (i == 1)
                    CHECK_INT(refusal(&in, copy, n), HF_E_WRONG_VERSION_NUMBER);
                else if (i == 0)
                    CHECK_INT(refusal(&in, copy, n), HF_E_UNEXPECTED_RECORD);
            }
        struct rec_opened r;
        CHECK(rec_open(&in, wire, n, false, false, &r, NULL) == REC_OK);
        rec_clear(&out);
        rec_clear(&in);
    }
}

static void test_sequence(void)
{
    struct rec_half out = half_of(AEAD_CHACHA20_POLY1305, true);
    struct rec_half in = half_of(AEAD_CHACHA20_POLY1305, false);
    uint8_t a[100], b[100], again[100];
    struct rec_opened r;
    size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, a);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, b), n);
    CHECK(memcmp(a, b, n) != 0);
    memcpy(again, b, n);
    CHECK_INT(refusal(&in, again, n), HF_E_BAD_RECORD_MAC); /* out of order */
    memcpy(again, a, n);
    CHECK(rec_open(&in, a, n, false, false, &r, NULL) == REC_OK);
    CHECK_INT(refusal(&in, again, n), HF_E_BAD_RECORD_MAC); /* replayed */
    CHECK(rec_open(&in, b, n, false, false, &r, NULL) == REC_OK);
    CHECK_INT(in.seq, 2);
    /* Beyond 32 bits, and up to the last number. */
    in.seq = out.seq = UINT64_MAX - 1;
    n = rec_seal(&out, REC_DATA, 0x0303, text, 40, a);
    CHECK(n > 0 && rec_open(&in, a, n, false, false, &r, NULL) == REC_OK);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, a), 0);
    CHECK_INT(refusal(&in, b, n), HF_E_KEY_EXHAUSTED);
    rec_clear(&out);
    rec_clear(&in);
}

static void test_key_limits(void)
{
    struct rec_half out = half_of(AEAD_AES_256_GCM, true);
    uint8_t wire[100];
    CHECK(!rec_wants_update(&out));
    out.seq = 20000000;
    CHECK(!rec_wants_update(&out));
    out.seq = 23000000;
    CHECK(rec_wants_update(&out));
    out.seq = 23726565;
    CHECK(rec_seal(&out, REC_DATA, 0x0303, text, 40, wire) > 0);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, wire), 0);
    /* The other direction is the peer's to limit. */
    struct rec_half in = half_of(AEAD_AES_256_GCM, false);
    struct rec_opened r;
    out.seq = 5;
    size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, wire);
    in.seq = 5;
    CHECK(rec_open(&in, wire, n, false, false, &r, NULL) == REC_OK);
    in.seq = 30000000;
    CHECK(rec_wants_update(&in));
    rec_clear(&out);
    rec_clear(&in);
    out = half_of(AEAD_CHACHA20_POLY1305, true);
    out.seq = 1ULL << 60;
    CHECK(!rec_wants_update(&out));
    rec_clear(&out);
}

static void test_hibernation(void)
{
    struct rec_half out = half_of(AEAD_AES_128_GCM, true),
                    in = half_of(AEAD_AES_128_GCM, false);
    uint8_t wire[100];
    struct rec_opened r;
    for (int i = 0; i < 3; i++) {
        size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, wire);
        CHECK(rec_open(&in, wire, n, false, false, &r, NULL) == REC_OK);
        aead_free(in.aead);
        aead_free(out.aead);
        in.aead = out.aead = NULL;
        CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, wire), 0);
        CHECK(rec_rekey(&in, key, iv, false) && rec_rekey(&out, key, iv, true));
        CHECK_INT(out.seq, i + 1);
    }
    rec_clear(&out);
    rec_clear(&in);
}

/* ---- what a correct key may still not say */

/* Seals any TLSInnerPlaintext. */
static size_t seal_inner(const uint8_t *inner, size_t len, uint8_t *wire)
{
    struct aead *a = aead_new(AEAD_AES_128_GCM, key, true);
    wire[0] = REC_DATA;
    put_u16(wire + 1, 0x0303);
    put_u16(wire + 3, (uint16_t)(len + 16));
    CHECK(a && aead_seal(a, iv, wire, REC_HEADER, inner, len, NULL, 0, wire + REC_HEADER));
    aead_free(a);
    return REC_HEADER + len + 16;
}

static void test_inner_refusals(void)
{
    /* clang-format off */
    static const struct { uint8_t inner[12]; size_t len; hf_code code; } rows[] = {
        {{0}, 12, HF_E_NO_CONTENT_TYPE},                          /* nothing but padding */
        {{0}, 1, HF_E_NO_CONTENT_TYPE},
        {{22}, 1, HF_E_UNEXPECTED_RECORD},                        /* empty handshake */
        {{22, 0, 0, 0}, 4, HF_E_UNEXPECTED_RECORD},
        {{21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 11, HF_E_UNEXPECTED_RECORD},
        {{1, 20}, 2, HF_E_UNEXPECTED_RECORD},                     /* protected CCS */
        {{1, 24}, 2, HF_E_UNEXPECTED_RECORD},
        {{1, 1}, 2, HF_E_UNEXPECTED_RECORD},
    };
    /* clang-format on */
    struct rec_half in = half_of(AEAD_AES_128_GCM, false);
    uint8_t wire[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = seal_inner(rows[i].inner, rows[i].len, wire);
        CHECK_INT(refusal(&in, wire, n), rows[i].code);
    }
    /* Empty application data is a way to hide traffic: allowed. */
    struct rec_opened r;
    size_t n = seal_inner((const uint8_t[]){23, 0, 0, 0}, 4, wire);
    CHECK(rec_open(&in, wire, n, false, false, &r, NULL) == REC_OK && r.len == 0 &&
          r.type == REC_DATA);
    rec_clear(&in);
}

static void test_short_records(void)
{
    struct rec_half in = half_of(AEAD_AES_128_GCM, false);
    for (uint8_t len = 0; len <= 17; len++) {
        uint8_t wire[64] = {23, 3, 3, 0, len};
        CHECK_INT(refusal(&in, wire, REC_HEADER + len), HF_E_BAD_RECORD_MAC);
    }
    rec_clear(&in);
}

static void test_size_limits(void)
{
    struct rec_half in = half_of(AEAD_AES_128_GCM, false);
    struct rec_opened r;
    hf_error err = {0};
    uint8_t *inner = calloc(1, REC_MAX_CIPHER), *wire = malloc(REC_MAX_CIPHER + REC_HEADER);
    /* Too long on the wire: known from the header. */
    CHECK_INT(refusal(&in, (uint8_t[]){23, 3, 3, 0x41, 1}, 5), HF_E_RECORD_OVERFLOW);
    CHECK(rec_open(&in, (uint8_t[]){23, 3, 3, 0x41, 0}, 5, false, false, &r, NULL) ==
          REC_PARTIAL);
    /* The longest inner plaintext, by content and by padding; and one byte more. */
    inner[REC_MAX_PLAIN] = 23;
    size_t n = seal_inner(inner, REC_MAX_INNER, wire);
    CHECK(rec_open(&in, wire, n, false, false, &r, &err) == REC_OK && r.len == REC_MAX_PLAIN);
    in.seq = 0;
    n = seal_inner(inner, REC_MAX_INNER + 1, wire);
    CHECK_INT(refusal(&in, wire, n), HF_E_PLAINTEXT_OVERFLOW);
    n = seal_inner(inner, REC_MAX_CIPHER - 16, wire);
    CHECK_INT(refusal(&in, wire, n), HF_E_PLAINTEXT_OVERFLOW);
    /* A record_size_limit counts type and padding (RFC 8449 4). */
    in.max_plain = 64;
    memset(inner, 0, REC_MAX_CIPHER);
    inner[10] = 22;
    n = seal_inner(inner, 64, wire);
    CHECK(rec_open(&in, wire, n, false, false, &r, &err) == REC_OK && r.len == 10);
    in.seq = 0;
    n = seal_inner(inner, 65, wire);
    CHECK_INT(refusal(&in, wire, n), HF_E_PLAINTEXT_OVERFLOW);
    free(inner);
    free(wire);
    rec_clear(&in);
}

static void test_unprotected_on_protected(void)
{
    struct rec_half in = half_of(AEAD_AES_128_GCM, false);
    uint8_t ccs[] = {20, 3, 3, 0, 1, 1}, alert[] = {21, 3, 3, 0, 2, 2, 40},
            hello[] = {22, 3, 3, 0, 1, 1};
    struct rec_opened r;
    CHECK_INT(refusal(&in, ccs, sizeof ccs), HF_E_UNEXPECTED_RECORD);
    CHECK_INT(refusal(&in, alert, sizeof alert), HF_E_UNEXPECTED_RECORD);
    CHECK_INT(refusal(&in, hello, sizeof hello), HF_E_UNEXPECTED_RECORD);
    CHECK(rec_open(&in, ccs, sizeof ccs, true, false, &r, NULL) == REC_OK && r.type == REC_CCS);
    CHECK(rec_open(&in, alert, sizeof alert, false, true, &r, NULL) == REC_OK &&
          r.type == REC_ALERT);
    CHECK_INT(in.seq, 0);
    ccs[5] = 2;
    CHECK(rec_open(&in, ccs, sizeof ccs, true, false, &r, NULL) == REC_BAD);
    rec_clear(&in);
}

static void test_no_memory(void)
{
    ROW("C14");
    struct rec_half half = half_of(AEAD_AES_128_GCM, true);
    struct aead *was = half.aead;
    half.seq = 7;
    mem_test_fail_after(1);
    CHECK(!rec_set_tls13(&half, AEAD_AES_256_GCM, key, iv, true));
    CHECK(!rec_rekey(&half, key, iv, true));
    mem_test_fail_after(0);
    CHECK(half.aead == was && half.seq == 7 && half.id == AEAD_AES_128_GCM);
    rec_clear(&half);
}

/* ---- recognising what is not TLS */

static void test_recognise(void)
{
    /* clang-format off */
    static const struct { bool server; const char *bytes; size_t len; hf_code code; const char *says; } rows[] = {
#define TEXT(s) s, sizeof s - 1
        {true, TEXT("220 mail.example.com ESMTP Postfix\r\n"), HF_E_PLAINTEXT_PEER,
         "this port speaks plain SMTP (\"220 mail.example.com ESMTP Postfix\"): begin so and upgrade: smtp://, hf_starttls() or handfast connect --starttls smtp; or use the port for TLS (smtps, 465)"},
        {true, TEXT("220 (vsFTPd 3.0.3)\r\n"), HF_E_PLAINTEXT_PEER, "plain FTP"},
        {true, TEXT("220 hello\r\n"), HF_E_PLAINTEXT_PEER, "SMTP or FTP"},
        {true, TEXT("+OK Dovecot ready.\r\n"), HF_E_PLAINTEXT_PEER, "plain POP3"},
        {true, TEXT("* OK [CAPABILITY IMAP4rev1] ready\r\n"), HF_E_PLAINTEXT_PEER, "plain IMAP"},
        {true, TEXT("HTTP/1.1 400 Bad Request\r\n"), HF_E_PLAINTEXT_PEER, "plain HTTP"},
        {true, TEXT("HTTP/1.1 407 Proxy Authentication Required\r\n"), HF_E_PLAINTEXT_PEER, "user name and password"},
        {true, TEXT("HTTP/1.0 200 Connection established\r\n"), HF_E_PLAINTEXT_PEER, "reply to CONNECT"},
        {true, TEXT("SSH-2.0-OpenSSH_9.2p1\r\n"), HF_E_PLAINTEXT_PEER, "SSH"},
        {true, TEXT("<?xml version='1.0'?><stream:stream"), HF_E_PLAINTEXT_PEER, "XMPP"},
        {true, TEXT("<stream:stream"), HF_E_PLAINTEXT_PEER, "XMPP"},
        {true, TEXT("N"), HF_E_PLAINTEXT_PEER, "ssl = off"},
        {true, TEXT("S"), HF_E_PLAINTEXT_PEER, "SSLRequest"},
        {true, TEXT("E"), HF_E_PLAINTEXT_PEER, "PostgreSQL"},
        {true, TEXT("E\0\0\0\x60SFATAL"), HF_E_PLAINTEXT_PEER, "PostgreSQL"},
        {true, TEXT("J\0\0\0\x0a" "5.7.44-log\0xx"), HF_E_PLAINTEXT_PEER, "MySQL"},
        {true, TEXT("\x30\x1b\2\1\0\x78\7\x0a"), HF_E_PLAINTEXT_PEER, "LDAP"},
        {true, TEXT("\0\0\x12\4\0\0\0\0\0"), HF_E_PLAINTEXT_PEER, "HTTP/2"},
        {true, TEXT("\5\377"), HF_E_PLAINTEXT_PEER, "SOCKS5"},
        {true, TEXT("\x80\x20\4\0\1\0\2"), HF_E_SSL2_PEER, "SSL 2.0"},
        {true, TEXT("\x80\3\0\0\1"), HF_E_SSL2_PEER, "SSL 2.0"},
        {true, TEXT("\x16\3\0\0\x4a\2\0\0\x46\3\0"), HF_E_SSL3_PEER, "SSL 3.0"},
        {true, TEXT("\x16\3\3\0\x4a\2\0\0\x46\3\3"), HF_OK, ""},
        {true, TEXT("\x15\3\0\0\2\2\x28"), HF_OK, ""},
        {true, TEXT("nothing known"), HF_OK, ""},
        {true, TEXT("GET / HTTP/1.1\r\n"), HF_OK, ""},
        {true, "", 0, HF_OK, ""},
        {false, TEXT("GET / HTTP/1.1\r\nHost: a\r\n"), HF_E_PLAINTEXT_PEER,
         "the client speaks plain HTTP (\"GET / HTTP/1.1\"): it must use https://"},
        {false, TEXT("POST /x HTTP/1.1\r\n"), HF_E_PLAINTEXT_PEER, "HTTP"},
        {false, TEXT("CONNECT a:443 HTTP/1.1\r\n"), HF_E_PLAINTEXT_PEER, "proxy"},
        {false, TEXT("PRI * HTTP/2.0\r\n"), HF_E_PLAINTEXT_PEER, "HTTP/2"},
        {false, TEXT("EHLO there\r\n"), HF_E_PLAINTEXT_PEER, "SMTP"},
        {false, TEXT("SSH-2.0-x\r\n"), HF_E_PLAINTEXT_PEER, "SSH"},
        {false, TEXT("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), HF_E_PLAINTEXT_PEER, "version 1"},
        {false, TEXT("\r\n\r\n\0\r\nQUIT\n\x21\x11"), HF_E_PLAINTEXT_PEER, "version 2"},
        {false, TEXT("*1\r\n$4\r\nPING\r\n"), HF_E_PLAINTEXT_PEER, "Redis"},
        {false, TEXT("a1 CAPABILITY\r\n"), HF_E_PLAINTEXT_PEER, "IMAP"},
        {false, TEXT("\0\0\0\x08\x04\xd2\x16\x2f"), HF_E_PLAINTEXT_PEER, "PostgreSQL"},
        {false, TEXT("\x10\x10\0\4MQTT\5"), HF_E_PLAINTEXT_PEER, "MQTT"},
        {false, TEXT("\x30\x0c\2\1\1\x60\7"), HF_E_PLAINTEXT_PEER, "LDAP"},
        {false, TEXT("\x80\x2e\1\0\2\0\x15"), HF_E_SSL2_PEER, "SSL 2.0"},
        {false, TEXT("\x80\x2e\1\3\1\0\x15"), HF_E_SSL2_PEER, "offers version 3.1"},
        {false, TEXT("\x16\3\0\0\x4a\1\0\0\x46\3\0"), HF_E_SSL3_PEER, "SSL 3.0"},
        {false, TEXT("\x16\3\1\0\x4a\1\0\0\x46\3\3"), HF_OK, ""},
#undef TEXT
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char what[HF_DETAIL_MAX_LEN];
        uint8_t *copy = malloc(rows[i].len + 1);
        memcpy(copy, rows[i].bytes, rows[i].len);
        /* Every shorter beginning must be safe to look at. */
        for (size_t n = 0; n < rows[i].len; n++) {
            uint8_t *part = malloc(n + 1);
            memcpy(part, copy, n);
            rec_recognise(n ? part : NULL, n, rows[i].server, what, sizeof what);
            free(part);
        }
        hf_code code = rec_recognise(copy, rows[i].len, rows[i].server, what, sizeof what);
        CHECK_INT(code, rows[i].code);
        CHECK(strstr(what, rows[i].says) != NULL);
        CHECK((code == HF_OK) == (what[0] == 0));
        if (code != rows[i].code || !strstr(what, rows[i].says))
            printf("    row %zu: %s\n", i, what);
        free(copy);
    }
}

static void test_recognise_quotes(void)
{
    char what[HF_DETAIL_MAX_LEN], small[8];
    CHECK(rec_recognise((const uint8_t *)"SSH-\x1b[31m\"x\\\n", 13, true, what, sizeof what));
    CHECK(strstr(what, "(\"SSH-\\x1b[31m\\x22x\\x5c\")") != NULL);
    uint8_t longer[300];
    memset(longer, 'y', sizeof longer);
    memcpy(longer, "SSH-", 4);
    CHECK(rec_recognise(longer, sizeof longer, true, what, sizeof what));
    const char *open = strchr(what, '"'), *close = open ? strchr(open + 1, '"') : NULL;
    CHECK(close && close - open - 1 <= 63 && memcmp(close - 3, "...", 3) == 0);
    CHECK(rec_recognise(longer, sizeof longer, true, small, sizeof small));
    CHECK_INT(strlen(small), sizeof small - 1);
}

int main(void)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31 + 7);
    RUN(test_rfc8448);
    RUN(test_plain);
    RUN(test_plain_refusals);
    RUN(test_round_trips);
    RUN(test_in_place);
    RUN(test_padding);
    RUN(test_every_corruption);
    RUN(test_sequence);
    RUN(test_key_limits);
    RUN(test_hibernation);
    RUN(test_inner_refusals);
    RUN(test_short_records);
    RUN(test_size_limits);
    RUN(test_unprotected_on_protected);
    RUN(test_no_memory);
    RUN(test_recognise);
    RUN(test_recognise_quotes);
    return check_done();
}

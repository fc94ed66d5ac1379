/* test_record12.c: the record protections of TLS 1.0 to 1.2. */
#include "cbc_reference.h"
#include "hex.h"
#include "record/record.h"

static uint8_t key[AEAD_MAX_KEY] = "a key for tests of 32 bytes only";
static uint8_t iv[AEAD_NONCE_SIZE] = "and a nonce";
static uint8_t text[REC_MAX_PLAIN + 1];

static const enum aead_id aeads[] = {
    AEAD_AES_128_GCM,   AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305, AEAD_AES_128_CCM,
    AEAD_AES_128_CCM_8, AEAD_AES_256_CCM, AEAD_AES_256_CCM_8,
};
#define AEADS (sizeof aeads / sizeof *aeads)

/* One way to protect records: an AEAD, or a suite of cbc_reference.h. */
struct way {
    enum aead_id aead;
    size_t suite;
    uint16_t version;
    bool etm;
};

static struct rec_half half_of(struct way w, bool seal)
{
    struct rec_half half = {0};
    if (w.aead) {
        CHECK(rec_set_tls12(&half, w.aead, key, iv, seal));
        return half;
    }
    struct reference r = reference_of(w.suite, w.etm, w.version == HF_TLS1_0);
    struct rec_cbc_keys keys = {.version = w.version,
                                .cipher = r.cipher,
                                .mac = r.mac,
                                .etm = w.etm,
                                .mac_key = r.mac_key,
                                .key = r.key,
                                .iv = w.version == HF_TLS1_0 ? r.iv : NULL};
    CHECK(rec_set_cbc(&half, &keys, seal));
    return half;
}

static void each(void (*f)(struct way w))
{
    for (size_t i = 0; i < AEADS; i++)
        f((struct way){.aead = aeads[i], .version = HF_TLS1_2});
    for (size_t s = 0; s < REFERENCE_SUITES; s++)
        for (uint16_t version = HF_TLS1_0; version <= HF_TLS1_2; version++)
            for (int etm = 0; etm <= (reference_suites[s].cipher != CBC_NULL); etm++)
                f((struct way){.suite = s, .version = version, .etm = etm});
}

/* Opens a record that must be refused and returns the code. */
static hf_code refusal(struct rec_half *half, uint8_t *in, size_t len)
{
    struct rec_opened r;
    hf_error err = {0};
    uint64_t seq = half->seq;
    CHECK(rec_open(half, in, len, true, true, &r, &err) == REC_BAD);
    CHECK(half->seq == seq);
    return err.code;
}

/* What a record of len bytes takes, from the RFCs. */
static size_t size_of(struct way w, size_t len)
{
    if (w.aead == AEAD_CHACHA20_POLY1305)
        return 5 + len + 16;
    if (w.aead)
        return 5 + 8 + len +
               (w.aead == AEAD_AES_128_CCM_8 || w.aead == AEAD_AES_256_CCM_8 ? 8 : 16);
    struct reference r = reference_of(w.suite, w.etm, false);
    size_t mac = reference_mac_size(&r);
    if (r.cipher == CBC_NULL)
        return 5 + len + mac;
    size_t before = w.version == HF_TLS1_0 ? 0 : 16;
    return w.etm ? 5 + before + (len + 16) / 16 * 16 + mac
                 : 5 + before + (len + mac + 16) / 16 * 16;
}

/* ---- known answers */

/* Opens by hand, with libcrypto alone, what an AEAD half sealed as record number seq. */
static void check_aead(enum aead_id id, const char *name, uint64_t seq)
{
    struct rec_half out = half_of((struct way){.aead = id}, true);
    uint8_t wire[200], nonce[12], ad[13], plain[100];
    bool chacha = id == AEAD_CHACHA20_POLY1305;
    size_t before = chacha ? 0 : 8, tag = aead_tag_size(id);
    int n = 0;
    out.seq = seq;
    CHECK_INT(rec_seal(&out, REC_HANDSHAKE, 0x0301, text, 77, wire), 5 + before + 77 + tag);
    CHECK_MEM(wire, "\x16\3\3\0", 4);
    CHECK_INT(wire[4], before + 77 + tag);
    put_u64(ad, seq);
    memcpy(ad + 8, "\x16\3\3\0\x4d", 5);
    memcpy(nonce, iv, 12);
    if (chacha)
        for (int i = 0; i < 8; i++)
            nonce[4 + i] ^= ad[i];
    else
        memcpy(nonce + 4, ad, 8);
    CHECK(chacha || memcmp(wire + 5, ad, 8) == 0);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    bool ccm = strstr(name, "CCM") != NULL;
    CHECK(EVP_DecryptInit_ex(x, cipher, NULL, NULL, NULL) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, (int)tag, wire + 5 + before + 77) == 1);
    CHECK(EVP_DecryptInit_ex(x, NULL, NULL, key, nonce) == 1);
    CHECK(!ccm || EVP_DecryptUpdate(x, NULL, &n, NULL, 77) == 1);
    CHECK(EVP_DecryptUpdate(x, NULL, &n, ad, sizeof ad) == 1);
    CHECK(EVP_DecryptUpdate(x, plain, &n, wire + 5 + before, 77) == 1);
    CHECK(ccm || EVP_DecryptFinal_ex(x, plain + n, &n) == 1);
    CHECK_MEM(plain, text, 77);
    EVP_CIPHER_CTX_free(x);
    EVP_CIPHER_free(cipher);
    rec_clear(&out);
}

static void test_known_aead(void)
{
    static const char *const names[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305",
                                        "AES-128-CCM", "AES-128-CCM", "AES-256-CCM",
                                        "AES-256-CCM"};
    for (size_t i = 0; i < AEADS; i++) {
        check_aead(aeads[i], names[i], 0);
        check_aead(aeads[i], names[i], 0x12345);
    }
}

/* Records that another implementation's tests hold, with their keys: the test vectors of
 * miTLS. */
static void test_published(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: undefined\r\n\r\n";
    static const char gcm_key[] = "152300c2dc44c8f695d4fb1471791659", gcm_iv[] = "b56bf932";
    static const char *const gcm[] = {
        "0000000000000000ed3ca96c8bd2fbb376c2dc417f3ec249e8ab550dab1c421293f0e642a0c152b43a546a"
        "a26bbe62e8651214d28ab90e70217b3d", /* record 0 */
        "0000000000000000ed3ca96c8bd2fbb376c2dc417f3ec249e8ab550dab1c421293f0e642a0c152b43a546a"
        "8b49b6128ee6e23454b7e580423ba985", /* record 1, and its nonce is not that number */
    };
    static const char cbc[] =
        "0000000000000000000000000000000028cf3b38da8358b78aae63e5fcc334c1eac5278a283fa709cb274d"
        "f85a2a7fa21b767111bc7f73f37cb2697dbb41f903dd2a3e4470767f3cc5e2db1a2e781213";
    uint8_t k[32], n[12], mac_key[20], wire[200], ours[200];
    size_t len = strlen(request);
    struct rec_opened o;
    unhex(gcm_key, k);
    unhex(gcm_iv, n);
    for (uint64_t seq = 0; seq < 2; seq++) {
        struct rec_half in = {0}, out = {0};
        CHECK(rec_set_tls12(&in, AEAD_AES_128_GCM, k, n, false));
        CHECK(rec_set_tls12(&out, AEAD_AES_128_GCM, k, n, true));
        in.seq = seq;
        size_t size = unhex(gcm[seq], wire + 5);
        memcpy(wire, (uint8_t[]){23, 3, 3, 0, (uint8_t)size}, 5);
        if (seq == 0) {
            CHECK_INT(rec_seal(&out, REC_DATA, 0, (const uint8_t *)request, len, ours),
                      5 + size);
            CHECK_MEM(ours, wire, 5 + size);
        }
        CHECK_INT(rec_open(&in, wire, 5 + size, false, false, &o, NULL), REC_OK);
        CHECK_INT(o.len, len);
        CHECK_MEM(o.data, request, len);
        rec_clear(&in);
        rec_clear(&out);
    }
    unhex("e77f6871e1697b2286416f973aee9ff6", k);
    unhex("431ad4d620ea0c63bf9afc8124afcae6729593f1", mac_key);
    struct rec_cbc_keys keys = {.version = HF_TLS1_2,
                                .cipher = CBC_AES_128,
                                .mac = HASH_SHA1,
                                .mac_key = mac_key,
                                .key = k};
    struct rec_half in = {0};
    CHECK(rec_set_cbc(&in, &keys, false));
    in.seq = 1;
    size_t size = unhex(cbc, wire + 5);
    memcpy(wire, (uint8_t[]){23, 3, 3, 0, (uint8_t)size}, 5);
    CHECK_INT(rec_open(&in, wire, 5 + size, false, false, &o, NULL), REC_OK);
    CHECK_INT(o.len, len);
    CHECK_MEM(o.data, request, len);
    rec_clear(&in);
}

/* What a peer may send and we do not: any explicit nonce. */
static void test_foreign_nonce(void)
{
    static const uint8_t ad[13] = {0, 0, 0, 0, 0, 0, 0, 0, 23, 3, 3, 0, 50};
    uint8_t wire[100] = {23, 3, 3, 0, 8 + 50 + 16, 0xf0, 1, 2, 3, 4, 5, 6, 7}, nonce[12];
    struct rec_half in = half_of((struct way){.aead = AEAD_AES_128_GCM}, false);
    struct aead *a = aead_new(AEAD_AES_128_GCM, key, true);
    struct rec_opened r;
    memcpy(nonce, iv, 4);
    memcpy(nonce + 4, wire + 5, 8);
    CHECK(a && aead_seal(a, nonce, ad, sizeof ad, text, 50, NULL, 0, wire + 13));
    CHECK_INT(rec_open(&in, wire, 5 + 8 + 50 + 16, false, false, &r, NULL), REC_OK);
    CHECK_INT(r.len, 50);
    CHECK_MEM(r.data, text, 50);
    aead_free(a);
    rec_clear(&in);
}

/* Records by hand are opened, ours are what they would be by hand: the MAC's head has the
 * right sequence number, type and version. test_cbc.c does the rest. */
static void known_cbc(struct way w)
{
    if (w.aead)
        return;
    struct reference r = reference_of(w.suite, w.etm, w.version == HF_TLS1_0);
    struct rec_half in = half_of(w, false), out = half_of(w, true);
    uint8_t wire[400], ours[400],
        head[CBC_HEAD] = {[8] = 22, [9] = 3, [10] = (uint8_t)w.version};
    struct rec_opened o;
    in.seq = out.seq = 0xfffffe;
    for (size_t i = 0; i < 4; i++) {
        put_u64(head, 0xfffffe + i);
        size_t n = reference_seal(&r, head, text, 50 + i, NO_FAULT(reference_least(&r, 50 + i)),
                                  wire + 5);
        wire[0] = 22;
        put_u16(wire + 1, w.version);
        put_u16(wire + 3, (uint16_t)n);
        CHECK_INT(rec_seal(&out, REC_HANDSHAKE, 0x0301, text, 50 + i, ours), 5 + n);
        CHECK_MEM(ours, wire, 5);
        /* Where nothing is random, the bytes are the same. */
        if (w.version == HF_TLS1_0 || r.cipher == CBC_NULL)
            CHECK_MEM(ours, wire, 5 + n);
        CHECK_INT(rec_open(&in, wire, 5 + n, false, false, &o, NULL), REC_OK);
        CHECK(o.type == 22 && o.outer == 22 && o.used == 5 + n && o.len == 50 + i);
        CHECK_MEM(o.data, text, 50 + i);
    }
    rec_clear(&in);
    rec_clear(&out);
}

static void test_known_cbc(void)
{
    each(known_cbc);
}

/* ---- round trips */

static void round_trips(struct way w)
{
    static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 100, 255, 1000, 16383, 16384};
    static const uint8_t types[] = {REC_DATA, REC_HANDSHAKE, REC_ALERT};
    struct rec_half out = half_of(w, true), in = half_of(w, false);
    struct rec_opened r;
    hf_error err = {0};
    uint64_t seq = 0;
    CHECK_INT(rec_max_plain(&out), 16384);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t t = 0; t < 3; t++) {
            size_t len = sizes[i], size = size_of(w, len);
            if (len == 0 && types[t] != REC_DATA)
                continue;
            CHECK_INT(rec_sealed_size(&out, types[t], len), size);
            uint8_t *wire = malloc(size);
            bool in_place = t == 0 && len;
            if (in_place)
                memcpy(wire + REC_HEADER, text, len);
            CHECK_INT(rec_seal(&out, types[t], 0x0301, in_place ? wire + REC_HEADER : text, len,
                               wire),
                      size);
            CHECK_INT(wire[0], types[t]);
            CHECK_INT(get_u16(wire + 1), w.version);
            CHECK_INT(get_u16(wire + 3), size - REC_HEADER);
            CHECK_INT(rec_open(&in, wire, size - 1, false, false, &r, &err), REC_PARTIAL);
            CHECK_INT(rec_open(&in, wire, size, false, false, &r, &err), REC_OK);
            CHECK(r.type == types[t] && r.outer == types[t] && r.len == len && r.used == size);
            CHECK(r.data >= wire + REC_HEADER && r.data + len <= wire + size);
            CHECK_MEM(r.data, text, len);
            seq++;
            CHECK(in.seq == seq && out.seq == seq);
            free(wire);
        }
    CHECK_INT(err.code, HF_OK);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, REC_MAX_PLAIN + 1, text), 0);
    rec_clear(&out);
    rec_clear(&in);
    CHECK(out.prot == NULL && out.cbc == NULL);
}

static void test_round_trips(void)
{
    each(round_trips);
}

/* ---- refusals */

static void every_byte(struct way w)
{
    struct rec_half out = half_of(w, true);
    uint8_t wire[300], copy[300];
    size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, wire);
    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct rec_half in = half_of(w, false);
            memcpy(copy, wire, n);
            copy[i] ^= (uint8_t)(1 << bit);
            if (i >= 5 || (i == 4 && copy[4] < wire[4]))
                CHECK_INT(refusal(&in, copy, n), HF_E_BAD_RECORD_MAC);
            else if (i == 1 || i == 2)
                CHECK_INT(refusal(&in, copy, n), HF_E_WRONG_VERSION_NUMBER);
            else if (i == 0) /* another type is authenticated as well */
                CHECK_INT(refusal(&in, copy, n), copy[0] >= 20 && copy[0] <= 23
                                                     ? HF_E_BAD_RECORD_MAC
                                                     : HF_E_UNEXPECTED_RECORD);
            rec_clear(&in);
        }
    rec_clear(&out);
}

static void test_every_byte(void)
{
    each(every_byte);
}

/* Every length up to the least that can be, and a little further, of zeros. */
static void short_records(struct way w)
{
    for (uint8_t len = 0; len < 120; len++) {
        struct rec_half in = half_of(w, false);
        uint8_t *wire = calloc(1, REC_HEADER + (size_t)len);
        wire[0] = 23;
        put_u16(wire + 1, w.version);
        wire[4] = len;
        CHECK_INT(refusal(&in, wire, REC_HEADER + (size_t)len), HF_E_BAD_RECORD_MAC);
        free(wire);
        rec_clear(&in);
    }
}

static void test_short_records(void)
{
    each(short_records);
}

static void versions(struct way w)
{
    struct rec_half in = half_of(w, false);
    struct rec_opened r;
    CHECK_INT(in.version, w.version);
    for (uint16_t v = 0x0300; v <= 0x0305; v++) {
        uint8_t header[5] = {23};
        put_u16(header + 1, v);
        put_u16(header + 3, 16384 + 2048);
        if (v == w.version)
            CHECK_INT(rec_open(&in, header, 5, false, false, &r, NULL), REC_PARTIAL);
        else
            CHECK_INT(refusal(&in, header, 5), HF_E_WRONG_VERSION_NUMBER);
        put_u16(header + 3, 16384 + 2049);
        if (v == w.version)
            CHECK_INT(refusal(&in, header, 5), HF_E_RECORD_OVERFLOW);
    }
    rec_clear(&in);
}

static void test_versions(void)
{
    each(versions);
    /* Without protection, once the version is known. */
    struct rec_half in = {.version = HF_TLS1_1};
    struct rec_opened r;
    CHECK_INT(rec_open(&in, (uint8_t[]){22, 3, 2, 0, 1, 9}, 6, false, false, &r, NULL), REC_OK);
    CHECK_INT(refusal(&in, (uint8_t[]){22, 3, 3, 0, 1, 9}, 6), HF_E_WRONG_VERSION_NUMBER);
    CHECK_INT(refusal(&in, (uint8_t[]){22, 3, 1, 0, 1, 9}, 6), HF_E_WRONG_VERSION_NUMBER);
    in.version = 0;
    for (uint8_t v = 0; v < 6; v++)
        CHECK_INT(rec_open(&in, (uint8_t[]){22, 3, v, 0, 1, 9}, 6, false, false, &r, NULL),
                  REC_OK);
}

static void sequence(struct way w)
{
    struct rec_half out = half_of(w, true), in = half_of(w, false);
    uint8_t a[200], b[200], again[200];
    struct rec_opened r;
    size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, a);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, b), n);
    CHECK(memcmp(a, b, n) != 0);
    memcpy(again, a, n);
    CHECK_INT(rec_open(&in, a, n, false, false, &r, NULL), REC_OK);
    CHECK_INT(refusal(&in, again, n), HF_E_BAD_RECORD_MAC); /* replayed */
    /* Up to the last number, and no further. ChaCha20-Poly1305 and CBC have no other limit. */
    rec_clear(&in);
    rec_clear(&out);
    in = half_of(w, false);
    out = half_of(w, true);
    in.seq = out.seq = UINT64_MAX - 1;
    n = rec_seal(&out, REC_DATA, 0x0303, text, 40, a);
    if (w.aead && w.aead != AEAD_CHACHA20_POLY1305) {
        CHECK_INT(n, 0);
    } else {
        CHECK(n > 0 && rec_open(&in, a, n, false, false, &r, NULL) == REC_OK);
        CHECK_INT(out.seq, UINT64_MAX);
        CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, a), 0);
    }
    in.seq = UINT64_MAX;
    CHECK_INT(refusal(&in, b, get_u16(b + 3) + 5u), HF_E_KEY_EXHAUSTED);
    rec_clear(&in);
    rec_clear(&out);
}

static void test_sequence(void)
{
    each(sequence);
}

/* The limits of content: the protocol's, and one that was agreed on, which counts nothing
 * else. */
static void limits(struct way w)
{
    struct rec_half out = half_of(w, true), in = half_of(w, false);
    struct rec_opened r;
    uint8_t *wire = malloc(REC_HEADER + REC_MAX_PLAIN + 2048);
    out.max_plain = 512;
    CHECK_INT(rec_max_plain(&out), 512);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 513, wire), 0);
    size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 512, wire);
    in.max_plain = 512;
    CHECK_INT(rec_open(&in, wire, n, false, false, &r, NULL), REC_OK);
    out.max_plain = 0;
    n = rec_seal(&out, REC_DATA, 0x0303, text, 513, wire);
    CHECK_INT(refusal(&in, wire, n), HF_E_PLAINTEXT_OVERFLOW);
    out.max_plain = 16385; /* TLS 1.3's way to say: none */
    CHECK_INT(rec_max_plain(&out), 16384);
    free(wire);
    rec_clear(&in);
    rec_clear(&out);
}

static void test_limits(void)
{
    each(limits);
}

/* 16385 bytes that are authentic. */
static void test_plaintext_overflow(void)
{
    uint8_t *wire = malloc(20000), head[CBC_HEAD] = {[8] = 23, 3, 3}, ad[13] = {[8] = 23, 3, 3};
    struct rec_half in = half_of((struct way){.aead = AEAD_AES_128_GCM}, false);
    struct aead *a = aead_new(AEAD_AES_128_GCM, key, true);
    uint8_t nonce[12] = {0};
    memcpy(nonce, iv, 4);
    memcpy(wire, "\x17\3\3", 3);
    put_u16(wire + 3, 8 + 16385 + 16);
    put_u16(ad + 11, 16385);
    memset(wire + 5, 0, 8);
    CHECK(a && aead_seal(a, nonce, ad, 13, text, 16385, NULL, 0, wire + 13));
    CHECK_INT(refusal(&in, wire, 5 + 8 + 16385 + 16), HF_E_PLAINTEXT_OVERFLOW);
    aead_free(a);
    rec_clear(&in);
    for (size_t s = 0; s < REFERENCE_SUITES; s++) {
        struct reference r = reference_of(s, false, false);
        in = half_of((struct way){.suite = s, .version = HF_TLS1_2}, false);
        size_t n = reference_seal(&r, head, text, 16385, NO_FAULT(reference_least(&r, 16385)),
                                  wire + 5);
        put_u16(wire + 3, (uint16_t)n);
        CHECK_INT(refusal(&in, wire, 5 + n), HF_E_PLAINTEXT_OVERFLOW);
        rec_clear(&in);
    }
    free(wire);
}

/* What may be empty, and a change_cipher_spec under the old keys, as in a renegotiation. */
static void contents(struct way w)
{
    /* clang-format off */
    static const struct { uint8_t type; uint8_t content[3]; size_t len; hf_code code; } rows[] = {
        {REC_DATA, {0}, 0, HF_OK},
        {REC_HANDSHAKE, {0}, 0, HF_E_UNEXPECTED_RECORD},
        {REC_ALERT, {0}, 0, HF_E_UNEXPECTED_RECORD},
        {REC_CCS, {0}, 0, HF_E_UNEXPECTED_RECORD},
        {REC_CCS, {1}, 1, HF_OK},
        {REC_CCS, {2}, 1, HF_E_UNEXPECTED_RECORD},
        {REC_CCS, {1, 1}, 2, HF_E_UNEXPECTED_RECORD},
        {REC_ALERT, {1}, 1, HF_OK},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rec_half out = half_of(w, true), in = half_of(w, false);
        struct rec_opened r = {0};
        hf_error err = {0};
        uint8_t wire[200];
        size_t n = rec_seal(&out, rows[i].type, 0x0303, rows[i].content, rows[i].len, wire);
        enum rec_result result = rec_open(&in, wire, n, false, false, &r, &err);
        CHECK_INT(result, rows[i].code ? REC_BAD : REC_OK);
        CHECK_INT(err.code, rows[i].code);
        CHECK_INT(in.seq, rows[i].code == HF_OK);
        CHECK(rows[i].code || (r.type == rows[i].type && r.len == rows[i].len));
        rec_clear(&out);
        rec_clear(&in);
    }
}

static void test_contents(void)
{
    each(contents);
}

/* ---- CBC: nothing tells what was wrong */

static void same_refusal(struct way w)
{
    if (w.aead || reference_suites[w.suite].cipher == CBC_NULL)
        return;
    static const uint8_t head[CBC_HEAD] = {[8] = 23, 3};
    struct fault faults[5];
    hf_error first = {0};
    uint8_t wire[400], h[CBC_HEAD];
    struct reference start = reference_of(w.suite, w.etm, w.version == HF_TLS1_0);
    memcpy(h, head, sizeof h);
    h[10] = (uint8_t)w.version;
    for (size_t i = 0; i < 5; i++)
        faults[i] = NO_FAULT(16 + reference_least(&start, 50));
    faults[0].pad_at = 1;
    faults[1].pad_at = (int)faults[1].pad;
    faults[2].mac_at = 0;
    faults[3].mac_at = 19;
    faults[4].no_length = true;
    for (size_t i = 0; i < 5; i++) {
        struct rec_half in = half_of(w, false);
        struct reference r = start;
        struct rec_opened o;
        hf_error err = {0};
        size_t n = reference_seal(&r, h, text, 50, faults[i], wire + 5);
        wire[0] = 23;
        put_u16(wire + 1, w.version);
        put_u16(wire + 3, (uint16_t)n);
        CHECK_INT(rec_open(&in, wire, 5 + n, false, false, &o, &err), REC_BAD);
        CHECK_INT(err.code, HF_E_BAD_RECORD_MAC);
        CHECK_INT(err.alert, 20);
        if (i == 0)
            first = err;
        CHECK(memcmp(&first, &err, sizeof err) == 0);
        rec_clear(&in);
    }
}

static void test_same_refusal(void)
{
    each(same_refusal);
}

/* ---- keys */

static void test_key_limits(void)
{
    struct way w = {.aead = AEAD_AES_256_GCM};
    struct rec_half out = half_of(w, true);
    uint8_t wire[100];
    out.seq = 23726565;
    CHECK(rec_seal(&out, REC_DATA, 0x0303, text, 40, wire) > 0);
    CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, wire), 0);
    CHECK(!rec_wants_update(&out)); /* there is no KeyUpdate */
    /* The other direction is the peer's to limit. */
    struct rec_half in = half_of(w, false);
    struct rec_opened r;
    out.seq = 3;
    size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, wire);
    in.seq = 3;
    CHECK_INT(rec_open(&in, wire, n, false, false, &r, NULL), REC_OK);
    rec_clear(&out);
    rec_clear(&in);
}

static void hibernation(struct way w)
{
    struct rec_half out = half_of(w, true), in = half_of(w, false);
    uint8_t wire[200], nonces[3][8];
    struct rec_opened r;
    CHECK_INT(rec_hibernates(&out), w.aead != AEAD_NONE);
    for (uint8_t i = 0; i < 3; i++) {
        size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, wire);
        memcpy(nonces[i], wire + 5, 8);
        CHECK_INT(rec_open(&in, wire, n, false, false, &r, NULL), REC_OK);
        if (!w.aead) {
            struct cbc *was = out.cbc;
            CHECK(!rec_rekey(&out, key, iv, true) && out.cbc == was);
            continue;
        }
        aead_free(in.aead);
        aead_free(out.aead);
        in.aead = out.aead = NULL;
        CHECK_INT(rec_seal(&out, REC_DATA, 0x0303, text, 40, wire), 0);
        CHECK_INT(rec_open(&in, wire, n, false, false, &r, NULL), REC_BAD);
        CHECK(rec_rekey(&in, key, iv, false) && rec_rekey(&out, key, iv, true));
        CHECK_INT(out.seq, i + 1);
    }
    CHECK(!w.aead ||
          (memcmp(nonces[0], nonces[1], 8) != 0 && memcmp(nonces[1], nonces[2], 8) != 0));
    struct rec_half none = {0};
    CHECK(!rec_hibernates(&none));
    rec_clear(&out);
    rec_clear(&in);
}

static void test_hibernation(void)
{
    each(hibernation);
}

/* A renegotiation puts one protection in the other's place, and sequence numbers back. */
static void renewed(struct way w)
{
    static const struct way others[] = {{.aead = AEAD_AES_128_GCM},
                                        {.suite = 0, .version = HF_TLS1_2},
                                        {.suite = 5, .version = HF_TLS1_2}};
    for (size_t i = 0; i < 3; i++) {
        struct rec_half out = half_of(w, true), in = half_of(others[i], false);
        uint8_t wire[200];
        struct rec_opened r;
        CHECK(rec_seal(&out, REC_DATA, 0x0303, text, 40, wire) > 0);
        struct reference ref = reference_of(others[i].suite, false, false);
        struct rec_cbc_keys keys = {.version = HF_TLS1_2,
                                    .cipher = ref.cipher,
                                    .mac = ref.mac,
                                    .mac_key = ref.mac_key,
                                    .key = ref.key};
        CHECK(others[i].aead ? rec_set_tls12(&out, others[i].aead, key, iv, true)
                             : rec_set_cbc(&out, &keys, true));
        CHECK_INT(out.seq, 0);
        size_t n = rec_seal(&out, REC_DATA, 0x0303, text, 40, wire);
        CHECK_INT(rec_open(&in, wire, n, false, false, &r, NULL), REC_OK);
        rec_clear(&out);
        rec_clear(&in);
    }
}

static void test_renewed(void)
{
    each(renewed);
}

static void first_fragment(struct way w)
{
    struct rec_half out = half_of(w, true);
    bool split =
        !w.aead && w.version == HF_TLS1_0 && reference_suites[w.suite].cipher != CBC_NULL;
    CHECK_INT(rec_first_fragment(&out, 0, true), 0);
    CHECK_INT(rec_first_fragment(&out, 1, true), 1);
    CHECK_INT(rec_first_fragment(&out, 2, true), split ? 1 : 2);
    CHECK_INT(rec_first_fragment(&out, 16384, true), split ? 1 : 16384);
    CHECK_INT(rec_first_fragment(&out, 16383, false), 16383);
    rec_clear(&out);
}

static void test_first_fragment(void)
{
    each(first_fragment);
    struct rec_half none = {0};
    CHECK_INT(rec_first_fragment(&none, 100, true), 100);
    CHECK(rec_set_tls13(&none, AEAD_AES_128_GCM, key, iv, true));
    CHECK_INT(rec_first_fragment(&none, 100, true), 100);
    rec_clear(&none);
}

static void test_wrong_keys(void)
{
    struct rec_half half = half_of((struct way){.aead = AEAD_AES_128_GCM}, true);
    struct aead *was = half.aead;
    struct reference r = reference_of(0, false, false);
    struct rec_cbc_keys keys = {.version = HF_TLS1_3,
                                .cipher = r.cipher,
                                .mac = r.mac,
                                .mac_key = r.mac_key,
                                .key = r.key};
    half.seq = 7;
    CHECK(!rec_set_cbc(&half, &keys, true));
    keys.version = HF_TLS1_0; /* without an IV */
    CHECK(!rec_set_cbc(&half, &keys, true));
    keys.version = HF_TLS1_2;
    keys.mac = HASH_MD5;
    CHECK(!rec_set_cbc(&half, &keys, true));
    keys.mac = HASH_SHA1;
    mem_test_fail_after(1);
    CHECK(!rec_set_cbc(&half, &keys, true));
    CHECK(!rec_set_tls12(&half, AEAD_AES_256_GCM, key, iv, true));
    CHECK(!rec_rekey(&half, key, iv, true));
    mem_test_fail_after(0);
    CHECK(!rec_set_tls12(&half, AEAD_NONE, key, iv, true));
    CHECK(half.aead == was && half.seq == 7 && half.version == HF_TLS1_2);
    rec_clear(&half);
}

int main(void)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31 + (i >> 8) + 7);
    RUN(test_known_aead);
    RUN(test_published);
    RUN(test_foreign_nonce);
    RUN(test_known_cbc);
    RUN(test_round_trips);
    RUN(test_every_byte);
    RUN(test_short_records);
    RUN(test_versions);
    RUN(test_sequence);
    RUN(test_limits);
    RUN(test_plaintext_overflow);
    RUN(test_contents);
    RUN(test_same_refusal);
    RUN(test_key_limits);
    RUN(test_hibernation);
    RUN(test_renewed);
    RUN(test_first_fragment);
    RUN(test_wrong_keys);
    return check_done();
}

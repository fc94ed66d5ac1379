/* record12.c: opening records of TLS 1.0 to 1.2: as they come, and as a peer with the right
 * keys could make them, against a second opening that is written as plainly as can be.
 *
 * Input: the way of protection, 8 bits of choices (below), 8 bits of record size limit; then
 * bytes from the wire, or for an AEAD a type, an explicit nonce and the content, or for the
 * others the content (a vector with a 16-bit length) and what stands behind it, the MAC or
 * not. */
#include <openssl/evp.h>
#include <string.h>

#include "fuzz.h"
#include "record/record.h"

enum { CH_VERSION = 3, CH_ETM = 4, CH_WIRE = 8, CH_NO_MAC = 16, CH_BROKEN = 32 };

static const enum aead_id aeads[] = {AEAD_AES_128_GCM, AEAD_CHACHA20_POLY1305, AEAD_AES_128_CCM,
                                     AEAD_AES_128_CCM_8};
static const struct suite {
    enum cbc_id cipher;
    enum hash_id mac;
} suites[] = {
    {CBC_AES_128, HASH_SHA1},   {CBC_AES_256, HASH_SHA256}, {CBC_AES_256, HASH_SHA384},
    {CBC_AES_128, HASH_SHA256}, {CBC_NULL, HASH_SHA1},      {CBC_NULL, HASH_SHA384},
};

static const uint8_t key[CBC_MAX_MAC] = "a key that everybody knows.....",
                     iv[16] = "iv of ours";

/* One way to protect records. */
struct way {
    enum aead_id aead;
    struct suite suite;
    uint16_t version;
    bool etm;
};

static struct way way_of(uint8_t number, uint8_t choices)
{
    size_t n = number % 10;
    struct way w = {.version = HF_TLS1_2};
    if (n < 4) {
        w.aead = aeads[n];
        return w;
    }
    w.suite = suites[n - 4];
    w.version = (uint16_t)(HF_TLS1_0 + (choices & CH_VERSION) % 3);
    w.etm = choices & CH_ETM && w.suite.cipher != CBC_NULL;
    return w;
}

static struct rec_half open_half(const struct way *w, uint8_t limit, bool seal)
{
    struct rec_half half = {0};
    struct rec_cbc_keys keys = {.version = w->version,
                                .cipher = w->suite.cipher,
                                .mac = w->suite.mac,
                                .etm = w->etm,
                                .mac_key = key,
                                .key = key,
                                .iv = iv};
    REQUIRE(w->aead ? rec_set_tls12(&half, w->aead, key, iv, seal)
                    : rec_set_cbc(&half, &keys, seal));
    half.max_plain = limit ? (uint16_t)(limit * 64) : 0;
    return half;
}

/* Opens one record in a copy that ends where the bytes end; the content is copied out. */
static enum rec_result open_one(struct rec_half *half, const uint8_t *wire, size_t len,
                                struct buffer *content, hf_code *code, size_t *used)
{
    uint8_t *copy = malloc(len ? len : 1);
    struct rec_opened o = {0};
    hf_error err = {0};
    uint64_t seq = half->seq;
    REQUIRE(copy != NULL);
    if (len)
        memcpy(copy, wire, len);
    enum rec_result r = rec_open(half, copy, len, false, false, &o, &err);
    REQUIRE((r == REC_BAD) == (err.code != HF_OK));
    REQUIRE(half->seq == seq + (r == REC_OK));
    if (r == REC_OK) {
        REQUIRE(o.used <= len && o.type == o.outer && o.type == wire[0]);
        REQUIRE(o.data >= copy + REC_HEADER && o.data + o.len <= copy + o.used);
        REQUIRE(o.len <= rec_max_plain(half) && get_u16(copy + 1) == half->version);
        REQUIRE(buffer_append(content, o.data, o.len));
        *used = o.used;
    }
    *code = err.code;
    free(copy);
    return r;
}

static void open_wire(struct rec_half *half, const uint8_t *wire, size_t len)
{
    size_t used = 0;
    hf_code code;
    struct buffer content = {0};
    while (len && open_one(half, wire, len, &content, &code, &used) == REC_OK) {
        wire += used;
        len -= used;
        buffer_clear(&content);
    }
    buffer_clear(&content);
}

/* What we seal, we open; in place or not, it is the same size. */
static void round_trip(const struct way *w, struct slice content)
{
    if (content.len > REC_MAX_PLAIN)
        return;
    struct rec_half out = open_half(w, 0, true), half = open_half(w, 0, false);
    size_t size = rec_sealed_size(&out, REC_DATA, content.len), used = 0;
    uint8_t *record = malloc(size);
    hf_code code;
    for (int in_place = 0; in_place < 2; in_place++) {
        const uint8_t *in = content.p;
        struct buffer found = {0};
        REQUIRE(record != NULL);
        if (in_place && content.len)
            in = memcpy(record + REC_HEADER, content.p, content.len);
        REQUIRE(rec_seal(&out, REC_DATA, 0x0303, in, content.len, record) == size);
        REQUIRE(open_one(&half, record, size, &found, &code, &used) == REC_OK && used == size);
        REQUIRE(slice_equal(slice_of(buffer_front(&found), buffer_len(&found)), content));
        buffer_clear(&found);
    }
    free(record);
    rec_clear(&out);
    rec_clear(&half);
}

/* What rec_open must make of authentic content. */
static hf_code judge(const struct rec_half *half, uint8_t type, const uint8_t *p, size_t len)
{
    if (len > rec_max_plain(half))
        return HF_E_PLAINTEXT_OVERFLOW;
    if (type == REC_CCS)
        return len == 1 && p[0] == 1 ? HF_OK : HF_E_UNEXPECTED_RECORD;
    return len || type == REC_DATA ? HF_OK : HF_E_UNEXPECTED_RECORD;
}

static void check_verdict(struct rec_half *half, struct buffer *record, hf_code right,
                          struct slice content)
{
    struct buffer found = {0};
    hf_code code;
    size_t used = 0;
    enum rec_result r =
        open_one(half, buffer_front(record), buffer_len(record), &found, &code, &used);
    if (buffer_len(record) - REC_HEADER > REC_MAX_PLAIN + 2048)
        right = HF_E_RECORD_OVERFLOW;
    REQUIRE(r == (right ? REC_BAD : REC_OK) && code == right);
    REQUIRE(right || slice_equal(slice_of(buffer_front(&found), buffer_len(&found)), content));
    buffer_clear(&found);
    buffer_clear(record);
}

static void put_header(uint8_t *p, uint8_t type, uint16_t version, size_t len)
{
    p[0] = type;
    put_u16(p + 1, version);
    put_u16(p + 3, (uint16_t)len);
}

static void peer_aead(const struct way *w, struct rec_half *half, uint8_t choices,
                      struct feed *f)
{
    uint8_t type = (uint8_t)(REC_CCS + feed_u8(f) % 4), nonce[AEAD_NONCE_SIZE], ad[13] = {0};
    bool chacha = w->aead == AEAD_CHACHA20_POLY1305;
    struct slice sent = feed_bytes(f, chacha ? 0 : 8), content = slice_of(f->p, f->left);
    size_t size = sent.len + content.len + aead_tag_size(w->aead);
    struct aead *a = aead_new(w->aead, key, true);
    struct buffer record = {0};
    uint8_t *p = buffer_reserve(&record, REC_HEADER + size);
    if (size > 65535 || (!chacha && sent.len < 8)) {
        aead_free(a);
        buffer_clear(&record);
        return;
    }
    memcpy(nonce, iv, sizeof nonce);
    if (sent.len)
        memcpy(nonce + 4, sent.p, sent.len);
    ad[8] = type;
    put_u16(ad + 9, HF_TLS1_2);
    put_u16(ad + 11, (uint16_t)content.len);
    REQUIRE(a && p);
    put_header(p, type, HF_TLS1_2, size);
    if (sent.len)
        memcpy(p + REC_HEADER, sent.p, sent.len);
    REQUIRE(aead_seal(a, nonce, ad, sizeof ad, content.p, content.len, NULL, 0,
                      p + REC_HEADER + sent.len));
    record.end += REC_HEADER + size;
    if (choices & CH_BROKEN)
        p[REC_HEADER + choices % size] ^= 1;
    hf_code right =
        choices & CH_BROKEN ? HF_E_BAD_RECORD_MAC : judge(half, type, content.p, content.len);
    check_verdict(half, &record, right, content);
    aead_free(a);
}

static void mac_of(const struct way *w, const uint8_t *p, size_t len, uint8_t *out)
{
    uint8_t head[13] = {[8] = REC_DATA};
    put_u16(head + 9, w->version);
    put_u16(head + 11, (uint16_t)len);
    hmac(w->suite.mac, key, hash_size(w->suite.mac), slice_of(head, sizeof head),
         slice_of(p, len), (struct slice){0}, out);
}

/* The MAC at the end of p is right. */
static bool mac_right(const struct way *w, const uint8_t *p, size_t len, size_t *content)
{
    uint8_t mac[HASH_MAX_SIZE];
    size_t n = hash_size(w->suite.mac);
    if (len < n)
        return false;
    *content = len - n;
    mac_of(w, p, *content, mac);
    return memcmp(mac, p + *content, n) == 0;
}

/* The plain opening: padding, then what is in front of it. */
static bool plain_opening(const struct way *w, const uint8_t *p, size_t len, size_t *content)
{
    if (w->suite.cipher == CBC_NULL)
        return mac_right(w, p, len, content);
    if (len == 0)
        return false;
    size_t pad = p[len - 1];
    if (pad + 1 > len)
        return false;
    for (size_t i = 0; i < pad; i++)
        if (p[len - 2 - i] != pad)
            return false;
    *content = len - pad - 1;
    return w->etm || mac_right(w, p, *content, content);
}

static void encrypt(const struct way *w, uint8_t *p, size_t len)
{
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    int n = 0;
    const EVP_CIPHER *cipher =
        w->suite.cipher == CBC_AES_128 ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
    REQUIRE(x && EVP_EncryptInit_ex(x, cipher, NULL, key, iv) == 1 &&
            EVP_CIPHER_CTX_set_padding(x, 0) == 1 &&
            EVP_EncryptUpdate(x, p, &n, p, (int)len) == 1);
    EVP_CIPHER_CTX_free(x);
}

/* [IV] ENC(content [MAC] what the input says), of whole blocks, [MAC]. */
static void peer_block(const struct way *w, struct rec_half *half, uint8_t choices,
                       struct feed *f)
{
    struct slice content = feed_vec16(f), tail = slice_of(f->p, f->left);
    bool null = w->suite.cipher == CBC_NULL;
    uint8_t mac[HASH_MAX_SIZE];
    size_t n = hash_size(w->suite.mac), before = !null && w->version > HF_TLS1_0 ? 16 : 0;
    struct buffer record = {0};
    if (content.len + tail.len > 60000)
        return;
    mac_of(w, content.p, content.len, mac);
    uint8_t *p = buffer_reserve(&record, REC_HEADER + 16 + content.len + n + tail.len + n);
    REQUIRE(p != NULL);
    record.end += REC_HEADER;
    REQUIRE(buffer_append(&record, iv, before) &&
            buffer_append(&record, content.p, content.len));
    if (!w->etm && !(choices & CH_NO_MAC))
        REQUIRE(buffer_append(&record, mac, n));
    REQUIRE(buffer_append(&record, tail.p, tail.len));
    uint8_t *inner = p + REC_HEADER + before;
    size_t inner_len = (size_t)(p + buffer_len(&record) - inner), found = 0;
    if (!null) {
        record.end -= inner_len % 16;
        inner_len -= inner_len % 16;
    }
    bool ok = inner_len && plain_opening(w, inner, inner_len, &found);
    uint8_t *copy = malloc(inner_len + 1);
    REQUIRE(copy != NULL);
    memcpy(copy, inner, inner_len);
    if (!null && inner_len)
        encrypt(w, inner, inner_len);
    if (w->etm) {
        mac_of(w, p + REC_HEADER, before + inner_len, mac);
        REQUIRE(buffer_append(&record, mac, n));
    }
    if (choices & CH_BROKEN && buffer_len(&record) > REC_HEADER) {
        p[buffer_len(&record) - 1] ^= 0x40;
        /* The last block of MAC-then-encrypt is another one, and all that is certain is that
         * a record which was good is no more. */
        if (!ok && !w->etm) {
            open_wire(half, p, buffer_len(&record));
            buffer_clear(&record);
            free(copy);
            return;
        }
        ok = false;
    }
    put_header(p, REC_DATA, w->version, buffer_len(&record) - REC_HEADER);
    hf_code right = ok ? judge(half, REC_DATA, copy, found) : HF_E_BAD_RECORD_MAC;
    check_verdict(half, &record, right, slice_of(copy, found));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    uint8_t number = feed_u8(&f), choices = feed_u8(&f), limit = feed_u8(&f);
    struct way w = way_of(number, choices);
    struct rec_half half = open_half(&w, limit, false);
    round_trip(&w, slice_of(f.p, f.left));
    if (choices & CH_WIRE)
        open_wire(&half, f.p, f.left);
    else if (w.aead)
        peer_aead(&w, &half, choices, &f);
    else
        peer_block(&w, &half, choices, &f);
    rec_clear(&half);
    return 0;
}

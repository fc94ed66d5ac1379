/* record.c: opening records: as they come, and as a peer with the right keys could make them.
 *
 * Input: 8 bits of choices (below), 8 bits of record size limit, then with CH_SEALED several
 * TLSInnerPlaintexts (vectors with 16-bit lengths), which are sealed, else bytes from the wire. */
#include "fuzz.h"

#include <string.h>

#include "record/record.h"

enum { CH_AEAD = 3, CH_SEALED = 4, CH_PLAIN_CCS = 8, CH_PLAIN_ALERT = 16, CH_BROKEN = 32 };

static const uint8_t key[AEAD_MAX_KEY] = "a key that everybody knows.....",
                     iv[AEAD_NONCE_SIZE] = "iv of ours";

/* 0: no protection. */
static enum aead_id aead_of(uint8_t choices)
{
    static const enum aead_id ids[] = {AEAD_NONE, AEAD_AES_128_GCM, AEAD_AES_256_GCM,
                                       AEAD_CHACHA20_POLY1305};
    return ids[choices & CH_AEAD];
}

static struct rec_half open_half(uint8_t choices, uint8_t limit, bool seal)
{
    struct rec_half half = {0};
    if (aead_of(choices))
        REQUIRE(rec_set_tls13(&half, aead_of(choices), key, iv, seal));
    half.max_plain = limit ? (uint16_t)(limit * 64) : 0;
    return half;
}

static void check_opened(const struct rec_opened *o, const uint8_t *in, size_t len)
{
    REQUIRE(o->used <= len && o->used >= REC_HEADER);
    REQUIRE(o->type >= REC_CCS && o->type <= REC_DATA);
    REQUIRE(o->data >= in + REC_HEADER && o->data + o->len <= in + o->used);
    REQUIRE(o->len <= REC_MAX_PLAIN);
}

/* Opens one record after the other in a copy that ends where the bytes end. */
static void open_all(struct rec_half *half, uint8_t choices, const uint8_t *wire, size_t len,
                     struct rec_opened *first)
{
    uint8_t *copy = malloc(len + 1), *in = copy + 1;
    REQUIRE(copy != NULL);
    if (len)
        memcpy(in, wire, len);
    enum rec_result r = REC_OK;
    for (unsigned n = 0; r == REC_OK && len > 0; n++) {
        struct rec_opened o = {0};
        hf_error err = {0};
        uint64_t seq = half->seq;
        r = rec_open(half, in, len, choices & CH_PLAIN_CCS, choices & CH_PLAIN_ALERT, &o, &err);
        REQUIRE((r == REC_BAD) == (err.code != HF_OK));
        REQUIRE(r != REC_OK ? half->seq == seq : half->seq - seq <= 1);
        if (r != REC_OK)
            break;
        check_opened(&o, in, len);
        if (n == 0 && first)
            *first = o;
        in += o.used;
        len -= o.used;
    }
    free(copy);
}

/* What a sealing half makes, an opening one reads. */
static void round_trip(uint8_t choices, struct slice content)
{
    if (content.len == 0 || content.len > REC_MAX_PLAIN)
        return;
    struct rec_half out = open_half(choices, 0, true), half = open_half(choices, 0, false);
    out.pad_block = (uint16_t)(choices & CH_BROKEN ? 100 : 0);
    size_t size = rec_sealed_size(&out, REC_DATA, content.len);
    uint8_t *record = malloc(size);
    struct rec_opened o;
    hf_error err = {0};
    REQUIRE(record && rec_seal(&out, REC_DATA, 0x0303, content.p, content.len, record) == size);
    REQUIRE(rec_open(&half, record, size, false, false, &o, &err) == REC_OK);
    REQUIRE(o.used == size && o.type == REC_DATA &&
            slice_equal(slice_of(o.data, o.len), content));
    free(record);
    rec_clear(&out);
    rec_clear(&half);
}

static void open_sealed(uint8_t choices, uint8_t limit, struct feed *f)
{
    struct rec_half half = open_half(choices, limit, false);
    struct buffer wire = {0};
    uint8_t nonce[AEAD_NONCE_SIZE];
    struct slice first = {0};
    uint64_t seq = 0;
    memcpy(nonce, iv, sizeof nonce);
    while (f->left > 2) {
        struct slice inner = feed_vec16(f);
        struct aead *a = aead_new(aead_of(choices), key, true);
        uint8_t *p = buffer_reserve(&wire, REC_HEADER + inner.len + 16);
        REQUIRE(a && p);
        nonce[10] = (uint8_t)(iv[10] ^ seq >> 8);
        nonce[11] = (uint8_t)(iv[11] ^ seq);
        p[0] = REC_DATA;
        put_u16(p + 1, 0x0303);
        put_u16(p + 3, (uint16_t)(inner.len + 16));
        if (inner.len + 16 <= 65535)
            REQUIRE(aead_seal(a, nonce, p, REC_HEADER, inner.p, inner.len, NULL, 0,
                              p + REC_HEADER));
        wire.end += REC_HEADER + inner.len + 16;
        aead_free(a);
        if (seq++ == 0)
            first = inner;
    }
    if (choices & CH_BROKEN && buffer_len(&wire))
        wire.p[wire.start + limit % buffer_len(&wire)] ^= 1;
    struct rec_opened o = {0};
    open_all(&half, choices, buffer_front(&wire), buffer_len(&wire), &o);
    if (o.used && o.outer == REC_DATA) {
        /* The content is the plaintext up to the last byte that is not zero. */
        size_t end = first.len;
        while (end && first.p[end - 1] == 0)
            end--;
        REQUIRE(!(choices & CH_BROKEN) || limit % buffer_len(&wire) >= o.used);
        REQUIRE(end == o.len + 1 && first.p[end - 1] == o.type);
    }
    buffer_clear(&wire);
    rec_clear(&half);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    uint8_t choices = feed_u8(&f), limit = feed_u8(&f);
    round_trip(choices, slice_of(f.p, f.left));
    if (choices & CH_SEALED && aead_of(choices)) {
        open_sealed(choices, limit, &f);
        return 0;
    }
    struct rec_half half = open_half(choices, limit, false);
    open_all(&half, choices, f.p, f.left, NULL);
    rec_clear(&half);
    return 0;
}

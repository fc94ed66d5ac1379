/* tls12.c: the record protection of TLS 1.2 by an AEAD, and what it shares with the older
 * ones. */
#include "record/protection.h"

#include <endian.h>

#define FIXED_IV 4 /* of AES: the rest of the nonce is in each record */
#define EXPLICIT 8

size_t rec_max_plain12(const struct rec_half *half)
{
    return half->max_plain && half->max_plain < REC_MAX_PLAIN ? half->max_plain : REC_MAX_PLAIN;
}

enum rec_result rec_opened12(struct rec_half *half, uint8_t *content, size_t len,
                             struct rec_opened *out, hf_error *err)
{
    if (len > rec_max_plain12(half)) {
        err_set(err, HF_E_PLAINTEXT_OVERFLOW,
                "a record holds %zu bytes, at most %zu are allowed", len,
                rec_max_plain12(half));
        return REC_BAD;
    }
    out->type = out->outer;
    out->data = content;
    out->len = len;
    if (!rec_check_content(out->type, content, len, err))
        return REC_BAD;
    half->seq++;
    return REC_OK;
}

void rec_mac_head(const struct rec_half *half, uint8_t type, uint8_t out[REC_MAC_HEAD])
{
    uint64_t seq = htobe64(half->seq);
    memcpy(out, &seq, sizeof seq);
    out[8] = type;
    put_u16(out + 9, half->version);
}

/* additional_data = seq_num + TLSCompressed.type +
 *                   TLSCompressed.version + TLSCompressed.length;            RFC 5246 6.2.3.3 */
static void make_ad(const struct rec_half *half, uint8_t type, size_t len,
                    uint8_t ad[REC_MAC_HEAD + 2])
{
    rec_mac_head(half, type, ad);
    put_u16(ad + REC_MAC_HEAD, (uint16_t)len);
}

/* Bytes of the nonce that each record carries: none with ChaCha20-Poly1305 (RFC 7905 2). */
static size_t explicit_size(const struct rec_half *half)
{
    return half->id == AEAD_CHACHA20_POLY1305 ? 0 : EXPLICIT;
}

/* struct {
 *     opaque salt[4];
 *     opaque nonce_explicit[8];
 * } GCMNonce;                                                              RFC 5288 3, RFC 6655 3
 *
 * `sent` is what the record carries. */
static void make_nonce(const struct rec_half *half, const uint8_t *sent,
                       uint8_t nonce[AEAD_NONCE_SIZE])
{
    if (half->id == AEAD_CHACHA20_POLY1305) {
        rec_xor_nonce(half, nonce);
        return;
    }
    memcpy(nonce, half->iv, FIXED_IV);
    memcpy(nonce + FIXED_IV, sent, EXPLICIT);
}

/* struct {
 *     opaque nonce_explicit[SecurityParameters.record_iv_length];
 *     aead-ciphered struct {
 *         opaque content[TLSCompressed.length];
 *     };
 * } GenericAEADCipher;                                                       RFC 5246 6.2.3.3 */
static enum rec_result open12(struct rec_half *half, uint8_t *record, size_t len,
                              struct rec_opened *out, hf_error *err)
{
    NO_INIT uint8_t nonce[AEAD_NONCE_SIZE], ad[REC_MAC_HEAD + 2];
    size_t before = explicit_size(half), overhead = before + half->tag;
    uint8_t *p = record + REC_HEADER + before;
    if (!rec_may_open(half, err))
        return REC_BAD;
    if (len >= overhead) {
        make_nonce(half, record + REC_HEADER, nonce);
        make_ad(half, record[0], len - overhead, ad);
        if (aead_open(half->aead, nonce, ad, sizeof ad, p, len - before, p))
            return rec_opened12(half, p, len - overhead, out, err);
    }
    err_set(err, HF_E_BAD_RECORD_MAC, "record %llu, %zu bytes", (unsigned long long)half->seq,
            len);
    return REC_BAD;
}

static size_t sealed_size12(const struct rec_half *half, uint8_t type, size_t len)
{
    (void)type;
    return REC_HEADER + explicit_size(half) + len + half->tag;
}

static size_t seal12(struct rec_half *half, uint8_t type, const uint8_t *in, size_t len,
                     uint8_t *out)
{
    NO_INIT uint8_t nonce[AEAD_NONCE_SIZE], ad[REC_MAC_HEAD + 2];
    size_t before = explicit_size(half);
    uint8_t *body = out + REC_HEADER + before;
    if (!half->aead || half->seq >= rec_key_limit(half->id))
        return 0;
    if (before && in == out + REC_HEADER) {
        memmove(body, in, len);
        in = body;
    }
    rec_put_header(out, type, half->version, before + len + half->tag);
    /* The sequence number as the explicit nonce (RFC 5288 3 allows it): it never comes twice
     * under one key, for it starts with the key, and rec_rekey lets it go on. */
    uint64_t seq = htobe64(half->seq);
    memcpy(out + REC_HEADER, &seq, before);
    make_nonce(half, (const uint8_t *)&seq, nonce);
    make_ad(half, type, len, ad);
    if (!aead_seal(half->aead, nonce, ad, sizeof ad, in, len, NULL, 0, body))
        return 0;
    half->seq++;
    return REC_HEADER + before + len + half->tag;
}

static const struct rec_protection tls12 = {
    .outer = 0,
    .max_cipher = REC_MAX_CIPHER12,
    .open = open12,
    .seal = seal12,
    .sealed_size = sealed_size12,
    .max_plain = rec_max_plain12,
    .set = rec_set_tls12,
    .clear = rec_clear_aead,
};

bool rec_set_tls12(struct rec_half *half, enum aead_id id, const uint8_t *key,
                   const uint8_t *fixed_iv, bool seal)
{
    size_t iv_len = id == AEAD_CHACHA20_POLY1305 ? AEAD_NONCE_SIZE : FIXED_IV;
    if (!rec_set_aead(half, &tls12, id, key, fixed_iv, iv_len, seal))
        return false;
    half->version = HF_TLS1_2;
    return true;
}

/* tls13.c: the record protection of TLS 1.3. */
#include "bytes/names.h"
#include "record/protection.h"

#define VERSION  0x0303 /* legacy_record_version of every protected record, RFC 8446 5.2 */
#define MAX_TAIL 64     /* most bytes that aead_seal takes behind the content */

/* Most bytes of TLSInnerPlaintext. */
static size_t max_inner(const struct rec_half *half)
{
    return half->max_plain && half->max_plain < REC_MAX_INNER ? half->max_plain : REC_MAX_INNER;
}

static size_t max_plain(const struct rec_half *half)
{
    return max_inner(half) - 1;
}

/* ---- opening */

/* Length of TLSInnerPlaintext without its zero padding; 0 if it is nothing but zeros. The loop takes
 * longer for more padding, and so tells its length to who can measure that (RFC 8446 appendix E.3).
 * It is no secret from anyone who sees what the application does with the content, whose length is
 * the rest of it; and the zeros were authenticated before they are counted. */
static size_t without_padding(const uint8_t *p, size_t len)
{
    uint64_t eight;
    while (len >= 8) {
        memcpy(&eight, p + len - 8, 8);
        if (eight)
            break;
        len -= 8;
    }
    while (len && p[len - 1] == 0)
        len--;
    return len;
}

/* struct {
 *     opaque content[TLSPlaintext.length];
 *     ContentType type;
 *     uint8 zeros[length_of_padding];
 * } TLSInnerPlaintext;                                                       RFC 8446 5.2 */
static enum rec_result read_inner(const struct rec_half *half, uint8_t *p, size_t len,
                                  struct rec_opened *out, hf_error *err)
{
    if (len > max_inner(half)) {
        err_set(err, HF_E_PLAINTEXT_OVERFLOW,
                "a record holds %zu bytes, at most %zu are allowed", len, max_inner(half));
        return REC_BAD;
    }
    size_t end = without_padding(p, len);
    if (end == 0) {
        err_set(err, HF_E_NO_CONTENT_TYPE, "a protected record is all padding");
        return REC_BAD;
    }
    out->type = p[end - 1];
    out->data = p;
    out->len = end - 1;
    /* RFC 8446 5: a protected change_cipher_spec is unexpected, as is any type that does not exist. */
    if (out->type != REC_DATA && out->type != REC_HANDSHAKE && out->type != REC_ALERT) {
        err_set(err, HF_E_UNEXPECTED_RECORD, "a protected record holds type %u (%s)", out->type,
                name_content(out->type));
        return REC_BAD;
    }
    return rec_check_empty(out->type, out->len, err) ? REC_OK : REC_BAD;
}

static enum rec_result open13(struct rec_half *half, uint8_t *record, size_t len,
                              struct rec_opened *out, hf_error *err)
{
    uint8_t nonce[AEAD_NONCE_SIZE];
    uint8_t *p = record + REC_HEADER;
    if (!rec_may_open(half, err))
        return REC_BAD;
    rec_xor_nonce(half, nonce);
    if (len <= half->tag || !aead_open(half->aead, nonce, record, REC_HEADER, p, len, p)) {
        err_set(err, HF_E_BAD_RECORD_MAC, "record %llu, %zu bytes",
                (unsigned long long)half->seq, len);
        return REC_BAD;
    }
    enum rec_result result = read_inner(half, p, len - half->tag, out, err);
    half->seq += result == REC_OK;
    return result;
}

/* ---- sealing */

/* Zeros behind the content type. By ourselves only application data is padded: the sizes of handshake
 * messages follow from what is public anyway. */
static size_t padding(const struct rec_half *half, uint8_t type, size_t len)
{
    if (!half->pad_block || (type != REC_DATA && !half->pad_all))
        return 0;
    size_t over = len % half->pad_block, pad = over ? half->pad_block - over : 0;
    size_t room = max_plain(half) - len;
    return pad < room ? pad : room;
}

static size_t sealed_size13(const struct rec_half *half, uint8_t type, size_t len)
{
    return REC_HEADER + len + 1 + padding(half, type, len) + half->tag;
}

static size_t seal13(struct rec_half *half, uint8_t type, const uint8_t *in, size_t len,
                     uint8_t *out)
{
    uint8_t nonce[AEAD_NONCE_SIZE], tail[MAX_TAIL];
    uint8_t *body = out + REC_HEADER;
    size_t tail_len = 1 + padding(half, type, len);
    bool sealed;
    if (!half->aead || half->seq >= rec_key_limit(half->id))
        return 0;
    rec_xor_nonce(half, nonce);
    rec_put_header(out, REC_DATA, VERSION, len + tail_len + half->tag);
    if (tail_len <= MAX_TAIL) {
        tail[0] = type;
        memset(tail + 1, 0, tail_len - 1);
        sealed = aead_seal(half->aead, nonce, out, REC_HEADER, in, len, tail, tail_len, body);
    } else {
        if (len && in != body)
            memcpy(body, in, len);
        body[len] = type;
        memset(body + len + 1, 0, tail_len - 1);
        sealed =
            aead_seal(half->aead, nonce, out, REC_HEADER, body, len + tail_len, NULL, 0, body);
    }
    if (!sealed)
        return 0;
    half->seq++;
    return REC_HEADER + len + tail_len + half->tag;
}

/* ---- keys */

static const struct rec_protection tls13 = {
    .outer = REC_DATA,
    .max_cipher = REC_MAX_CIPHER,
    .open = open13,
    .seal = seal13,
    .sealed_size = sealed_size13,
    .max_plain = max_plain,
    .set = rec_set_tls13,
    .clear = rec_clear_aead,
};

bool rec_set_tls13(struct rec_half *half, enum aead_id id, const uint8_t *key,
                   const uint8_t *iv, bool seal)
{
    return rec_set_aead(half, &tls13, id, key, iv, AEAD_NONCE_SIZE, seal);
}

bool rec_wants_update(const struct rec_half *half)
{
    uint64_t limit = rec_key_limit(half->id);
    return half->prot == &tls13 && half->seq >= limit - limit / 16;
}

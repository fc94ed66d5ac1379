/* block.c: the record protections of TLS 1.0 to 1.2 by CBC and HMAC, or by HMAC alone. */
#include "record/protection.h"

_Static_assert(REC_MAC_HEAD == CBC_HEAD, "what the MAC begins with");

static enum rec_result open_block(struct rec_half *half, uint8_t *record, size_t len,
                                  struct rec_opened *out, hf_error *err)
{
    NO_INIT uint8_t head[REC_MAC_HEAD];
    uint8_t *content;
    size_t content_len;
    if (half->seq == UINT64_MAX) {
        err_set(err, HF_E_KEY_EXHAUSTED, "the sequence number of received records is used up");
        return REC_BAD;
    }
    rec_mac_head(half, record[0], head);
    if (cbc_open(half->cbc, head, record + REC_HEADER, len, &content, &content_len))
        return rec_opened12(half, content, content_len, out, err);
    /* One error for all that can be wrong, and nothing in it that was not on the wire (RFC 5246
     * 6.2.3.2). */
    err_set(err, HF_E_BAD_RECORD_MAC, "record %llu, %zu bytes", (unsigned long long)half->seq,
            len);
    return REC_BAD;
}

static size_t sealed_size_block(const struct rec_half *half, uint8_t type, size_t len)
{
    (void)type;
    return REC_HEADER + cbc_sealed_size(half->cbc, len);
}

static size_t seal_block(struct rec_half *half, uint8_t type, const uint8_t *in, size_t len,
                         uint8_t *out)
{
    NO_INIT uint8_t head[REC_MAC_HEAD];
    size_t size = cbc_sealed_size(half->cbc, len);
    if (half->seq == UINT64_MAX)
        return 0;
    rec_mac_head(half, type, head);
    /* The header last: in may be out + REC_HEADER, but no further on. */
    if (!cbc_seal(half->cbc, head, in, len, out + REC_HEADER))
        return 0;
    rec_put_header(out, type, half->version, size);
    half->seq++;
    return REC_HEADER + size;
}

static void clear_block(struct rec_half *half)
{
    cbc_free(half->cbc);
}

/* No way to drop the context and make it anew: the IV of TLS 1.0 is in it. */
static const struct rec_protection block = {
    .outer = 0,
    .max_cipher = REC_MAX_CIPHER12,
    .open = open_block,
    .seal = seal_block,
    .sealed_size = sealed_size_block,
    .max_plain = rec_max_plain12,
    .clear = clear_block,
};

bool rec_set_cbc(struct rec_half *half, const struct rec_cbc_keys *keys, bool seal)
{
    bool chained = keys->version == HF_TLS1_0 && keys->cipher != CBC_NULL;
    struct cbc_keys cbc_keys = {
        .cipher = keys->cipher,
        .mac = keys->mac,
        .etm = keys->etm,
        .mac_key = keys->mac_key,
        .key = keys->key,
        .iv = chained ? keys->iv : NULL,
    };
    if (keys->version < HF_TLS1_0 || keys->version > HF_TLS1_2 || (chained && !keys->iv))
        return false;
    struct cbc *cbc = cbc_new(&cbc_keys, seal);
    if (!cbc)
        return false;
    if (half->prot)
        half->prot->clear(half);
    half->prot = &block;
    half->cbc = cbc;
    half->id = AEAD_NONE;
    half->tag = 0;
    half->etm = keys->etm;
    half->seq = 0;
    half->version = keys->version;
    wipe(half->iv, sizeof half->iv);
    return true;
}

/* With chained IVs, who can choose what is sent next knows its IV and can test guesses about
 * what was sent before (BEAST). A record of one byte in front, whose MAC nobody can foresee,
 * makes the IV of the rest. */
size_t rec_first_fragment(const struct rec_half *half, size_t n, bool first)
{
    return first && n > 1 && half->prot == &block && cbc_chained(half->cbc) ? 1 : n;
}

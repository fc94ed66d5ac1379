/* aead.c: what the record protections by an AEAD share: contexts, nonces, limits. */
#include "record/protection.h"

#include <endian.h>

/* 2^24.5 for AES-GCM (RFC 8446 5.5), 2^23 for CCM, which RFC 8446 leaves open (RFC 9147
 * 4.5.3). ChaCha20-Poly1305 outlives its sequence number. The numbers are about the ciphers,
 * and so hold in TLS 1.2 as well, which has no KeyUpdate: there, a connection ends with its
 * key. */
uint64_t rec_key_limit(enum aead_id id)
{
    switch (id) {
    case AEAD_AES_128_GCM:
    case AEAD_AES_256_GCM: return 23726566;
    case AEAD_AES_128_CCM:
    case AEAD_AES_128_CCM_8:
    case AEAD_AES_256_CCM:
    case AEAD_AES_256_CCM_8: return 1 << 23;
    case AEAD_CHACHA20_POLY1305:
    case AEAD_NONE: break;
    }
    return UINT64_MAX;
}

void rec_xor_nonce(const struct rec_half *half, uint8_t nonce[AEAD_NONCE_SIZE])
{
    uint64_t low;
    memcpy(nonce, half->iv, AEAD_NONCE_SIZE);
    memcpy(&low, nonce + 4, sizeof low);
    low ^= htobe64(half->seq);
    memcpy(nonce + 4, &low, sizeof low);
}

bool rec_may_open(const struct rec_half *half, hf_error *err)
{
    if (!half->aead)
        return err_set(err, HF_E_INTERNAL, "a record is to be opened, but its key hibernates");
    /* A peer that never updates its keys is its own risk, and common: only the number itself
     * may not wrap (RFC 8446 5.3, RFC 5246 6.1). */
    if (half->seq == UINT64_MAX)
        return err_set(err, HF_E_KEY_EXHAUSTED,
                       "the sequence number of received records is used up");
    return true;
}

void rec_clear_aead(struct rec_half *half)
{
    aead_free(half->aead);
}

bool rec_set_aead(struct rec_half *half, const struct rec_protection *prot, enum aead_id id,
                  const uint8_t *key, const uint8_t *iv, size_t iv_len, bool seal)
{
    struct aead *aead = aead_new(id, key, seal);
    if (!aead)
        return false;
    if (half->prot)
        half->prot->clear(half);
    half->prot = prot;
    half->aead = aead;
    half->id = (uint8_t)id;
    half->tag = (uint8_t)aead_tag_size(id);
    half->etm = false;
    half->seq = 0;
    memcpy(half->iv, iv, iv_len);
    return true;
}

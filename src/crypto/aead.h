/* aead.h: authenticated encryption with a context that is keyed once. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "bytes/bytes.h"

enum aead_id {
    AEAD_NONE,
    AEAD_AES_128_GCM,
    AEAD_AES_256_GCM,
    AEAD_CHACHA20_POLY1305,
    AEAD_AES_128_CCM,
    AEAD_AES_128_CCM_8,
    AEAD_AES_256_CCM,
    AEAD_AES_256_CCM_8,
};
#define AEAD_NONCE_SIZE 12
#define AEAD_MAX_KEY    32
#define AEAD_MAX_TAG    16

struct aead; /* one direction, one key */

size_t aead_key_size(enum aead_id id);
size_t aead_tag_size(enum aead_id id);

/* aead_new returns a context, or NULL (no memory, or libcrypto lacks the cipher). seal: for
 * aead_seal, else for aead_open; the other one always fails. One thread at a time. key is
 * not kept. */
struct aead *aead_new(enum aead_id id, const uint8_t *key, bool seal);
void aead_free(struct aead *a);

/* aead_seal encrypts in[0..len) followed by tail[0..tail_len) (tail_len at most 64; the tail
 * never overlaps out) as one plaintext, and writes len + tail_len + tag bytes. in may be
 * equal to out, but not overlap it otherwise. */
bool aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
               size_t ad_len, const uint8_t *in, size_t len, const uint8_t *tail,
               size_t tail_len, uint8_t *out) __attribute__((warn_unused_result));

/* aead_open decrypts in[0..len), whose last bytes are the tag, in place or to out (out == in is
 * allowed), and writes len - tag bytes. false: not authentic; out is then wiped. */
bool aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
               size_t ad_len, const uint8_t *in, size_t len, uint8_t *out)
    __attribute__((warn_unused_result));

/* aead_available: this libcrypto has the cipher. */
bool aead_available(enum aead_id id);

#endif

/* kx.h: ephemeral key exchange, in the shape of a KEM, so that ECDH, finite-field DH, ML-KEM
 * and hybrids look alike: the initiator starts, the responder answers, the initiator
 * finishes. */
#ifndef CRYPTO_KX_H
#define CRYPTO_KX_H

#include "bytes/bytes.h"

enum kx_id {
    KX_NONE,
    KX_X25519,
    KX_X448,
    KX_P256,
    KX_P384,
    KX_P521,
    KX_FFDHE2048,
    KX_FFDHE3072,
    KX_FFDHE4096,
    KX_X25519MLKEM768, /* RFC 10024: ML-KEM-768 first, then X25519 */
};

#define KX_MAX_SHARE  1216 /* X25519MLKEM768, initiator */
#define KX_MAX_SECRET 512  /* ffdhe4096 */

enum kx_result {
    KX_OK,
    KX_BAD_SHARE, /* the peer's share is not a valid public value (length, not on the curve, zero) */
    KX_FAILED, /* libcrypto failed, or no memory */
};

struct kx; /* an initiator's private key, wiped when freed */

bool kx_available(enum kx_id id);
size_t kx_initiator_share_size(enum kx_id id);
size_t kx_responder_share_size(enum kx_id id);

/* kx_start makes a key pair and writes its share. */
struct kx *kx_start(enum kx_id id, uint8_t *share) __attribute__((warn_unused_result));

/* kx_start_with uses a given private key instead (X25519: 32 bytes, P-256: 32 ...); for
 * tests with published vectors. NULL if that group has no such route. */
struct kx *kx_start_with(enum kx_id id, const uint8_t *private_key, size_t len, uint8_t *share);

/* kx_finish computes the shared secret from the responder's share. secret has KX_MAX_SECRET
 * room. */
enum kx_result kx_finish(struct kx *kx, const uint8_t *share, size_t share_len, uint8_t *secret,
                         size_t *secret_len) __attribute__((warn_unused_result));
void kx_free(struct kx *kx);

/* kx_respond answers an initiator's share: writes our share (kx_responder_share_size) and
 * the secret. private_key is NULL, or for tests as in kx_start_with (its length is that of
 * the group's). */
enum kx_result kx_respond(enum kx_id id, const uint8_t *share, size_t share_len,
                          uint8_t *our_share, uint8_t *secret, size_t *secret_len,
                          const uint8_t *private_key) __attribute__((warn_unused_result));

#endif

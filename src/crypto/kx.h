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
    KX_FFDHE6144,
    KX_FFDHE8192,
    KX_X25519MLKEM768, /* these three: RFC 10024 */
    KX_P256MLKEM768,
    KX_P384MLKEM1024,
    KX_MLKEM768, /* draft-ietf-tls-mlkem: without a curve beside it */
    KX_MLKEM1024,
};

#define KX_MAX_SHARE  1665 /* SecP384r1MLKEM1024 */
#define KX_MAX_SECRET 1024 /* ffdhe8192 */

enum kx_result {
    KX_OK,
    KX_BAD_SHARE, /* the peer's share is not a valid public value (length, not on the curve, zero) */
    KX_FAILED, /* libcrypto failed, or no memory */
};

struct kx; /* an initiator's private key, wiped when freed */

bool kx_available(enum kx_id id);
/* kx_is_quantum_safe: a post-quantum KEM, alone or with a curve. Only TLS 1.3 has a place for its shares. */
bool kx_is_quantum_safe(enum kx_id id);
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

/* ---- finite-field groups that are sent and not named (RFC 5246 7.4.3: ServerDHParams) */

#define KX_MAX_DH 1024 /* bytes of a prime, and of a public value */

/* kx_dh_params: prime and generator of a group of RFC 7919; static. false: id is no such group. */
bool kx_dh_params(enum kx_id id, struct slice *p, struct slice *g);

/* kx_dh_named: the group of RFC 7919 that this prime and generator are; KX_NONE if they are none. */
enum kx_id kx_dh_named(struct slice p, struct slice g);

/* kx_dh_respond makes a key pair in the group of `p` and `g` and computes the secret with the peer's
 * public value. our_share has room for KX_MAX_DH, secret for KX_MAX_SECRET bytes; both are as long as p
 * (leading zeros kept). KX_BAD_SHARE: the public value is not within 2 to p - 2, p is even or longer than
 * KX_MAX_DH, or g is not within 2 to p - 2. That p is prime, nobody can check in reasonable time: its
 * length is for the caller to judge (Logjam). */
enum kx_result kx_dh_respond(struct slice p, struct slice g, struct slice share,
                             uint8_t *our_share, size_t *our_len, uint8_t *secret,
                             size_t *secret_len) __attribute__((warn_unused_result));

/* kx_dh_start makes a key pair in any group, for the side that sends p and g (RFC 5246 7.4.3), to be finished and
 * freed as others are. share has room for KX_MAX_DH bytes; *share_len of them, as many as p has, are set.
 * exponent_bits: how long the private value is, if whoever made the group has said so; 0, or less than what
 * RFC 7919 asks for: by what is known of the group. KX_BAD_SHARE: p or g is refused as kx_dh_respond does. */
enum kx_result kx_dh_start(struct slice p, struct slice g, unsigned exponent_bits,
                           uint8_t *share, size_t *share_len, struct kx **out)
    __attribute__((warn_unused_result));

/* kx_peer_size: how long the share is that kx_finish wants. */
size_t kx_peer_size(const struct kx *kx);

/* kx_dh_plausible: p may be a prime (Fermat's test: some accident, not an attack, is found) and g lies in range. */
bool kx_dh_plausible(struct slice p, struct slice g);

#endif

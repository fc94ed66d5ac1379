/* hybrid.c: X25519MLKEM768 (RFC 10024): ML-KEM-768 (FIPS 203) and X25519, both at once.
 *
 *   initiator's share  ML-KEM encapsulation key [1184] | X25519 public key [32]
 *   responder's share  ML-KEM ciphertext [1088]        | X25519 public key [32]
 *   secret             ML-KEM shared secret [32]       | X25519 shared secret [32]
 *
 * ML-KEM is libcrypto's where it has it (OpenSSL 3.5), found out at run time: the functions of EVP
 * that are needed exist since 3.0. */
#include "crypto/kx_method.h"

#define KEY_SIZE        1184
#define CIPHERTEXT_SIZE 1088
#define HALF            32 /* of the secret */

static bool usable(const struct kx_group *group)
{
    EVP_KEYMGMT *key = EVP_KEYMGMT_fetch(NULL, group->algorithm, NULL);
    EVP_KEM *kem = EVP_KEM_fetch(NULL, group->algorithm, NULL);
    bool both = key && kem;
    EVP_KEYMGMT_free(key);
    EVP_KEM_free(kem);
    return both;
}

static bool make(struct kx *kx, const uint8_t *private_key, uint8_t *share)
{
    if (private_key)
        return false;
    size_t len = KEY_SIZE;
    kx->pkey = EVP_PKEY_Q_keygen(NULL, NULL, kx->group->algorithm);
    if (!kx->pkey || EVP_PKEY_get_raw_public_key(kx->pkey, share, &len) != 1 || len != KEY_SIZE)
        return false;
    kx->inner = kx_start(KX_X25519, share + KEY_SIZE);
    return kx->inner != NULL;
}

static enum kx_result derive(struct kx *kx, const uint8_t *share, uint8_t *secret)
{
    size_t len = HALF, inner_len;
    /* Cheap, and the only part that can tell a bad share: a wrong ciphertext gives a wrong
     * secret. */
    enum kx_result result =
        kx_finish(kx->inner, share + CIPHERTEXT_SIZE, 32, secret + HALF, &inner_len);
    if (result != KX_OK)
        return result;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, kx->pkey, NULL);
    if (!ctx || EVP_PKEY_decapsulate_init(ctx, NULL) <= 0 ||
        EVP_PKEY_decapsulate(ctx, secret, &len, share, CIPHERTEXT_SIZE) <= 0 || len != HALF)
        result = KX_FAILED;
    EVP_PKEY_CTX_free(ctx);
    return result;
}

static enum kx_result encapsulate(const struct kx_group *group, const uint8_t *key,
                                  uint8_t *ciphertext, uint8_t *secret)
{
    size_t len = CIPHERTEXT_SIZE, secret_len = HALF;
    /* The import checks the key's coefficients (FIPS 203 7.2). */
    EVP_PKEY *peer =
        EVP_PKEY_new_raw_public_key_ex(NULL, group->algorithm, NULL, key, KEY_SIZE);
    if (!peer)
        return KX_BAD_SHARE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
    bool ok = ctx && EVP_PKEY_encapsulate_init(ctx, NULL) > 0 &&
              EVP_PKEY_encapsulate(ctx, ciphertext, &len, secret, &secret_len) > 0 &&
              len == CIPHERTEXT_SIZE && secret_len == HALF;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return ok ? KX_OK : KX_FAILED;
}

static enum kx_result respond(const struct kx_group *group, const uint8_t *share,
                              uint8_t *our_share, uint8_t *secret)
{
    size_t len;
    enum kx_result result = encapsulate(group, share, our_share, secret);
    if (result != KX_OK)
        return result;
    return kx_respond(KX_X25519, share + KEY_SIZE, 32, our_share + CIPHERTEXT_SIZE,
                      secret + HALF, &len, NULL);
}

static void clear(struct kx *kx)
{
    EVP_PKEY_free(kx->pkey);
    kx_free(kx->inner);
    kx->pkey = NULL;
    kx->inner = NULL;
}

const struct kx_method kx_hybrid = {usable, make, derive, clear, respond};

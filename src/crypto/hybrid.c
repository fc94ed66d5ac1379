/* hybrid.c: ML-KEM (FIPS 203) and a curve, both at once (RFC 10024), or ML-KEM alone.
 *
 *                      X25519MLKEM768      SecP256r1MLKEM768   SecP384r1MLKEM1024
 *   initiator's share  ek [1184] | X [32]  P [65] | ek [1184]  P [97] | ek [1568]
 *   responder's share  ct [1088] | X [32]  P [65] | ct [1088]  P [97] | ct [1568]
 *   secret             K [32] | x [32]     p [32] | K [32]     p [48] | K [32]
 *
 * ek is an encapsulation key, ct a ciphertext, K the shared secret of ML-KEM; X and P are public keys, x and
 * p what is agreed on with them.
 *
 * ML-KEM is libcrypto's where it has it (OpenSSL 3.5), found out at run time: the functions of EVP that are
 * needed exist since 3.0. Elsewhere it is that of mlkem.c, unless algorithms have to be FIPS-validated. */
#include <openssl/err.h>

#include "crypto/kx_method.h"
#include "crypto/provider.h"
#include "crypto/random.h"

const struct kx_halves kx_x25519_mlkem768 = {MLKEM_768, KX_X25519, true};
const struct kx_halves kx_p256_mlkem768 = {MLKEM_768, KX_P256, false};
const struct kx_halves kx_p384_mlkem1024 = {MLKEM_1024, KX_P384, false};
/* The curve's half is empty. */
const struct kx_halves kx_mlkem768 = {MLKEM_768, KX_NONE, true};
const struct kx_halves kx_mlkem1024 = {MLKEM_1024, KX_NONE, true};

/* ---- where the halves stand */

static size_t kem_at(const struct kx_halves *h, size_t curve_size)
{
    return h->kem_first ? 0 : curve_size;
}

static size_t curve_at(const struct kx_halves *h, size_t kem_size)
{
    return h->kem_first ? kem_size : 0;
}

/* A point has one size, whoever sends it. */
static size_t point_size(const struct kx_halves *h)
{
    return kx_initiator_share_size(h->curve);
}

/* ---- the half of ML-KEM */

static bool evp_has(const char *algorithm)
{
    EVP_KEYMGMT *key = EVP_KEYMGMT_fetch(NULL, algorithm, NULL);
    EVP_KEM *kem = EVP_KEM_fetch(NULL, algorithm, NULL);
    bool both = key && kem;
    EVP_KEYMGMT_free(key);
    EVP_KEM_free(kem);
    return both;
}

/* Whether ML-KEM is libcrypto's. usable() comes first and finds it out: once for each group, and two groups have
 * the same ML-KEM. */
static _Atomic bool by_evp[2];

static bool usable(const struct kx_group *group)
{
    bool evp = evp_has(group->algorithm);
    by_evp[group->halves->kem] = evp;
    bool curve = group->halves->curve == KX_NONE || kx_available(group->halves->curve);
    return (evp || !provider_fips()) && curve;
}

static bool evp_keygen(struct kx *kx, uint8_t *ek)
{
    size_t size = mlkem_ek_size(kx->group->halves->kem), len = size;
    kx->pkey = EVP_PKEY_Q_keygen(NULL, NULL, kx->group->algorithm);
    return kx->pkey && EVP_PKEY_get_raw_public_key(kx->pkey, ek, &len) == 1 && len == size;
}

static bool own_keygen(struct kx *kx, uint8_t *ek)
{
    enum mlkem_id kem = kx->group->halves->kem;
    uint8_t seeds[2 * MLKEM_SEED];
    kx->kem_key = mem_new(mlkem_dk_size(kem));
    if (!kx->kem_key || !random_bytes(seeds, sizeof seeds))
        return false;
    mlkem_keygen(kem, seeds, seeds + MLKEM_SEED, ek, kx->kem_key);
    wipe(seeds, sizeof seeds);
    return true;
}

static bool evp_decaps(const struct kx *kx, const uint8_t *ciphertext, uint8_t *secret)
{
    size_t len = MLKEM_SEED;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, kx->pkey, NULL);
    bool ok = ctx && EVP_PKEY_decapsulate_init(ctx, NULL) > 0 &&
              EVP_PKEY_decapsulate(ctx, secret, &len, ciphertext,
                                   mlkem_cipher_size(kx->group->halves->kem)) > 0 &&
              len == MLKEM_SEED;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool decaps(const struct kx *kx, const uint8_t *ciphertext, uint8_t *secret)
{
    if (kx->pkey)
        return evp_decaps(kx, ciphertext, secret);
    mlkem_decaps(kx->group->halves->kem, kx->kem_key, ciphertext, secret);
    return true;
}

static enum kx_result evp_encaps(const struct kx_group *group, const uint8_t *ek,
                                 uint8_t *ciphertext, uint8_t *secret)
{
    size_t size = mlkem_cipher_size(group->halves->kem), len = size, secret_len = MLKEM_SEED;
    /* The import checks the key's coefficients (FIPS 203 7.2); what libcrypto says of the peer's fault is
     * not wanted in its queue. */
    ERR_set_mark();
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(NULL, group->algorithm, NULL, ek,
                                                    mlkem_ek_size(group->halves->kem));
    ERR_pop_to_mark();
    if (!peer)
        return KX_BAD_SHARE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
    bool ok = ctx && EVP_PKEY_encapsulate_init(ctx, NULL) > 0 &&
              EVP_PKEY_encapsulate(ctx, ciphertext, &len, secret, &secret_len) > 0 &&
              len == size && secret_len == MLKEM_SEED;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return ok ? KX_OK : KX_FAILED;
}

static enum kx_result own_encaps(const struct kx_group *group, const uint8_t *ek,
                                 uint8_t *ciphertext, uint8_t *secret)
{
    uint8_t m[MLKEM_SEED];
    if (!random_bytes(m, sizeof m))
        return KX_FAILED;
    bool ok = mlkem_encaps(group->halves->kem, ek, m, ciphertext, secret);
    wipe(m, sizeof m);
    return ok ? KX_OK : KX_BAD_SHARE;
}

/* ---- both */

static bool make(struct kx *kx, const uint8_t *private_key, uint8_t *share)
{
    const struct kx_halves *h = kx->group->halves;
    uint8_t *ek = share + kem_at(h, point_size(h));
    if (private_key || !(by_evp[h->kem] ? evp_keygen(kx, ek) : own_keygen(kx, ek)))
        return false;
    if (h->curve == KX_NONE)
        return true;
    kx->inner = kx_start(h->curve, share + curve_at(h, mlkem_ek_size(h->kem)));
    return kx->inner != NULL;
}

static enum kx_result derive(struct kx *kx, const uint8_t *share, uint8_t *secret)
{
    const struct kx_halves *h = kx->group->halves;
    size_t len = point_size(h);
    /* Cheap, and the only part that can tell a bad share: a wrong ciphertext gives a wrong
     * secret. */
    enum kx_result result = KX_OK;
    if (kx->inner)
        result = kx_finish(kx->inner, share + curve_at(h, mlkem_cipher_size(h->kem)), len,
                           secret + curve_at(h, MLKEM_SEED), &len);
    if (result == KX_OK &&
        !decaps(kx, share + kem_at(h, point_size(h)), secret + kem_at(h, len)))
        result = KX_FAILED;
    return result;
}

static enum kx_result respond(const struct kx_group *group, const uint8_t *share,
                              uint8_t *our_share, uint8_t *secret)
{
    const struct kx_halves *h = group->halves;
    size_t point = point_size(h), len = 0;
    enum kx_result result = KX_OK;
    if (h->curve != KX_NONE)
        result = kx_respond(h->curve, share + curve_at(h, mlkem_ek_size(h->kem)), point,
                            our_share + curve_at(h, mlkem_cipher_size(h->kem)),
                            secret + curve_at(h, MLKEM_SEED), &len, NULL);
    if (result != KX_OK)
        return result;
    return (by_evp[h->kem] ? evp_encaps : own_encaps)(
        group, share + kem_at(h, point), our_share + kem_at(h, point), secret + kem_at(h, len));
}

static void clear(struct kx *kx)
{
    EVP_PKEY_free(kx->pkey);
    mem_wipe_free(kx->kem_key, mlkem_dk_size(kx->group->halves->kem));
    kx_free(kx->inner);
    kx->pkey = NULL;
    kx->kem_key = NULL;
    kx->inner = NULL;
}

const struct kx_method kx_hybrid = {usable, make, derive, clear, respond};

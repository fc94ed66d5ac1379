/* evp_kx.c: key exchange through EVP: X448, and every other group where another provider
 * than the default one serves it. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "crypto/kx_method.h"
#include "crypto/provider.h"

static bool usable(const struct kx_group *group)
{
    EVP_KEYMGMT *key = EVP_KEYMGMT_fetch(NULL, group->algorithm, NULL);
    EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(NULL, group->exchange, NULL);
    bool both = key && exchange;
    EVP_KEYMGMT_free(key);
    EVP_KEYEXCH_free(exchange);
    return both;
}

static EVP_PKEY *generate(const struct kx_group *group)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->algorithm, NULL);
    if (ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
        (!group->curve || EVP_PKEY_CTX_set_group_name(ctx, group->curve) > 0))
        EVP_PKEY_generate(ctx, &pkey);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static bool make(struct kx *kx, const uint8_t *private_key, uint8_t *share)
{
    const struct kx_group *group = kx->group;
    /* EVP takes a private key without its public half for the raw kinds only. */
    if (private_key && group->curve)
        return false;
    kx->pkey = private_key ? EVP_PKEY_new_raw_private_key_ex(NULL, group->algorithm, NULL,
                                                             private_key, group->private_key)
                           : generate(group);
    unsigned char *encoded = NULL;
    size_t len = kx->pkey ? EVP_PKEY_get1_encoded_public_key(kx->pkey, &encoded) : 0;
    bool ok = len == group->initiator;
    if (ok)
        memcpy(share, encoded, len);
    OPENSSL_free(encoded);
    return ok;
}

/* A peer's key: EVP checks that a point is on the curve, and that 1 < y < p-1 when it
 * derives. */
static EVP_PKEY *import_peer(const struct kx *kx, const uint8_t *share)
{
    const struct kx_group *group = kx->group;
    if (!group->curve)
        return EVP_PKEY_new_raw_public_key_ex(NULL, group->algorithm, NULL, share,
                                              group->responder);
    EVP_PKEY *peer = EVP_PKEY_new();
    if (peer && EVP_PKEY_copy_parameters(peer, kx->pkey) == 1 &&
        EVP_PKEY_set1_encoded_public_key(peer, share, group->responder) == 1)
        return peer;
    EVP_PKEY_free(peer);
    return NULL;
}

static enum kx_result agree(const struct kx *kx, EVP_PKEY_CTX *ctx, EVP_PKEY *peer,
                            uint8_t *secret)
{
    static const uint8_t zero[KX_MAX_SECRET];
    size_t len = kx->group->secret;
    unsigned pad = 1; /* RFC 8446 7.4.1: leading zeros are kept */
    OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad),
                           OSSL_PARAM_construct_end()};
    bool dh = strcmp(kx->group->algorithm, "DH") == 0;
    if (EVP_PKEY_derive_init_ex(ctx, dh ? params : NULL) <= 0)
        return KX_FAILED;
    if (EVP_PKEY_derive_set_peer_ex(ctx, peer, dh) <= 0 ||
        EVP_PKEY_derive(ctx, secret, &len) <= 0 || len != kx->group->secret ||
        ct_equal(secret, zero, len))
        return KX_BAD_SHARE;
    return KX_OK;
}

static enum kx_result derive(struct kx *kx, const uint8_t *share, uint8_t *secret)
{
    if (strcmp(kx->group->algorithm, "EC") == 0 && share[0] != POINT_CONVERSION_UNCOMPRESSED)
        return KX_BAD_SHARE;
    EVP_PKEY *peer = import_peer(kx, share);
    if (!peer)
        return KX_BAD_SHARE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, kx->pkey, NULL);
    enum kx_result result = ctx ? agree(kx, ctx, peer, secret) : KX_FAILED;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return result;
}

static void clear(struct kx *kx)
{
    EVP_PKEY_free(kx->pkey);
    kx->pkey = NULL;
}

const struct kx_method kx_evp = {usable, make, derive, clear, NULL};

/* ---- a group that was sent */

static EVP_PKEY *group_of(const BIGNUM *p, const BIGNUM *g)
{
    EVP_PKEY *group = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (ctx && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_P, p) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_G, g) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params && EVP_PKEY_fromdata_init(ctx) > 0)
        EVP_PKEY_fromdata(ctx, &group, EVP_PKEY_KEY_PARAMETERS, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return group;
}

static EVP_PKEY *key_in(EVP_PKEY *group)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = group ? EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL) : NULL;
    if (ctx && EVP_PKEY_keygen_init(ctx) > 0)
        EVP_PKEY_generate(ctx, &pkey);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

bool kx_evp_dh_make(struct kx *kx, const BIGNUM *p, const BIGNUM *g, uint8_t *share)
{
    EVP_PKEY *group = group_of(p, g);
    unsigned char *encoded = NULL;
    kx->pkey = key_in(group);
    size_t len = kx->pkey ? EVP_PKEY_get1_encoded_public_key(kx->pkey, &encoded) : 0;
    bool ok = len == kx->group->initiator;
    if (ok)
        memcpy(share, encoded, len);
    OPENSSL_free(encoded);
    EVP_PKEY_free(group);
    return ok;
}

bool kx_evp_dh(const BIGNUM *p, const BIGNUM *g, struct slice share, uint8_t *our_share,
               uint8_t *secret)
{
    const struct kx_group sent = {.algorithm = "DH",
                                  .curve = "",
                                  .initiator = (uint16_t)BN_num_bytes(p),
                                  .responder = (uint16_t)share.len,
                                  .secret = (uint16_t)BN_num_bytes(p)};
    struct kx kx = {.group = &sent};
    bool ok = kx_evp_dh_make(&kx, p, g, our_share) && derive(&kx, share.p, secret) == KX_OK;
    clear(&kx);
    return ok;
}

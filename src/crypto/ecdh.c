/* ecdh.c: ECDH on P-256, P-384 and P-521 (RFC 8446 4.2.8.2, 7.4.2) by libcrypto's point
 * arithmetic.
 *
 * One immutable EC_GROUP per curve serves all threads. Through EVP the same costs more than
 * twice as much, because a peer's point is imported as a key and validated by a
 * multiplication with the order; these curves have cofactor 1, so a point on the curve is
 * all there is to check (RFC 8446 4.2.8.2). BN_CTX and points are made for each operation:
 * 0.2 us of 50. */
#include "crypto/curve.h"
#include "crypto/kx_method.h"
#include "crypto/provider.h"
#include "crypto/random.h"

static bool usable(const struct kx_group *group)
{
    return provider_direct_keyexch("ECDH") && curve_of(group->nid);
}

/* 0 < d < order, in constant time. The result is public: one that does not fit is thrown
 * away. */
static bool in_range(const uint8_t *d, const uint8_t *order, size_t len)
{
    unsigned borrow = 0, any = 0;
    for (size_t i = len; i-- > 0;) {
        borrow = ((unsigned)d[i] - order[i] - borrow) >> 8 & 1;
        any |= d[i];
    }
    unsigned ok = borrow & (any + 0xff) >> 8;
    ct_public(&ok, sizeof ok);
    return ok;
}

/* Uniform in [1, order): candidates are drawn until one fits (FIPS 186-5 A.2.2). */
static bool draw_scalar(const struct curve *c, uint8_t *d)
{
    for (int tries = 0; tries < 64; tries++) {
        if (!random_bytes(d, c->size))
            return false;
        d[0] &= c->first_mask;
        if (in_range(d, c->order, c->size))
            return true;
    }
    return false;
}

static BIGNUM *make_scalar(const struct curve *c, const uint8_t *private_key)
{
    uint8_t d[CURVE_MAX_SCALAR];
    if (private_key)
        memcpy(d, private_key, c->size);
    BIGNUM *bn = NULL;
    if (private_key ? in_range(d, c->order, c->size) : draw_scalar(c, d))
        bn = BN_bin2bn(d, (int)c->size, NULL);
    if (bn)
        BN_set_flags(bn, BN_FLG_CONSTTIME);
    wipe(d, sizeof d);
    return bn;
}

static bool make(struct kx *kx, const uint8_t *private_key, uint8_t *share)
{
    const struct curve *c = curve_of(kx->group->nid);
    BN_CTX *ctx = BN_CTX_new();
    EC_POINT *point = EC_POINT_new(c->group);
    kx->exponent = make_scalar(c, private_key);
    bool ok = ctx && point && kx->exponent &&
              EC_POINT_mul(c->group, point, kx->exponent, NULL, NULL, ctx) == 1 &&
              EC_POINT_point2oct(c->group, point, POINT_CONVERSION_UNCOMPRESSED, share,
                                 kx->group->initiator, ctx) == kx->group->initiator;
    EC_POINT_free(point);
    BN_CTX_free(ctx);
    return ok;
}

/* The secret is the x coordinate, in as many bytes as the field has: leading zeros stay.
 *                                                                         RFC 8446 7.4.2 */
static enum kx_result multiply(const struct kx *kx, const struct curve *c, EC_POINT *point,
                               BIGNUM *x, BN_CTX *ctx, const uint8_t *share, uint8_t *secret)
{
    /* On the curve or refused; infinity has another length. */
    if (EC_POINT_oct2point(c->group, point, share, kx->group->initiator, ctx) != 1)
        return KX_BAD_SHARE;
    if (EC_POINT_mul(c->group, point, NULL, point, kx->exponent, ctx) != 1 ||
        EC_POINT_get_affine_coordinates(c->group, point, x, NULL, ctx) != 1 ||
        BN_bn2binpad(x, secret, kx->group->secret) < 0)
        return KX_FAILED;
    return KX_OK;
}

static enum kx_result derive(struct kx *kx, const uint8_t *share, uint8_t *secret)
{
    const struct curve *c = curve_of(kx->group->nid);
    if (share[0] != POINT_CONVERSION_UNCOMPRESSED)
        return KX_BAD_SHARE;
    BN_CTX *ctx = BN_CTX_new();
    EC_POINT *point = EC_POINT_new(c->group);
    BIGNUM *x = BN_new();
    enum kx_result result = KX_FAILED;
    if (ctx && point && x)
        result = multiply(kx, c, point, x, ctx, share, secret);
    BN_clear_free(x);
    EC_POINT_clear_free(point);
    BN_CTX_free(ctx);
    return result;
}

static void clear(struct kx *kx)
{
    BN_clear_free(kx->exponent);
    kx->exponent = NULL;
}

const struct kx_method kx_ecdh = {usable, make, derive, clear, NULL};

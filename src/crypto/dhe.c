/* dhe.c: Diffie-Hellman in a group that the server sends with its public value (RFC 5246
 * 7.4.3).
 *
 * If it is one of RFC 7919, the exchange is that group's. Any other prime is unknown: whether
 * it is a safe one takes seconds to find out, and in a group whose order has many small
 * factors a short exponent falls to whoever listens (van Oorschot and Wiener 1996). Its
 * exponent is therefore as long as the prime. */
#include <openssl/err.h>

#include "crypto/kx_method.h"
#include "crypto/provider.h"
#include "crypto/random.h"

struct slice kx_dh_number(struct slice number)
{
    while (number.len && number.p[0] == 0)
        number = slice_of(number.p + 1, number.len - 1);
    return number;
}

/* All of what libcrypto computes with. */
struct exchange {
    BN_CTX *ctx;
    BN_MONT_CTX *mont;
    BIGNUM *p, *g, *y, *x, *r;
};

static bool set_up(struct exchange *e, struct slice p, struct slice g, struct slice share)
{
    e->ctx = BN_CTX_secure_new();
    e->mont = BN_MONT_CTX_new();
    e->p = BN_bin2bn(p.p, (int)p.len, NULL);
    e->g = BN_bin2bn(g.p, (int)g.len, NULL);
    e->y = BN_bin2bn(share.p, (int)share.len, NULL);
    e->r = BN_new();
    return e->ctx && e->mont && e->p && e->g && e->y && e->r;
}

static void clear(struct exchange *e)
{
    BN_free(e->p);
    BN_free(e->g);
    BN_free(e->y);
    BN_clear_free(e->x);
    BN_clear_free(e->r);
    BN_MONT_CTX_free(e->mont);
    BN_CTX_free(e->ctx);
}

/* Big-endian numbers without leading zeros: 2 <= n <= p - 2, p odd, so that p - 1 differs
 * from p in the last byte only. */
static bool in_range(struct slice n, struct slice p)
{
    if (n.len == 0 || (n.len == 1 && n.p[0] < 2))
        return false;
    if (n.len != p.len)
        return n.len < p.len;
    int order = memcmp(n.p, p.p, p.len - 1);
    return order < 0 || (order == 0 && n.p[p.len - 1] + 1 < p.p[p.len - 1]);
}

/* Its highest bit is the second highest of the prime's, and always set: an exponent is less
 * than p - 1, and its length says nothing about it. */
static BIGNUM *draw_exponent(const BIGNUM *p)
{
    uint8_t x[KX_MAX_DH];
    int top = BN_num_bits(p) - 2;
    size_t len = (size_t)top / 8 + 1;
    BIGNUM *bn = NULL;
    if (random_bytes(x, len)) {
        uint8_t high = (uint8_t)(1 << top % 8);
        x[0] = (uint8_t)((x[0] & (high - 1)) | high);
        bn = BN_bin2bn(x, (int)len, NULL);
    }
    if (bn)
        BN_set_flags(bn, BN_FLG_CONSTTIME);
    wipe(x, sizeof x);
    return bn;
}

static bool power(struct exchange *e, const BIGNUM *base, uint8_t *out, size_t len)
{
    return BN_mod_exp_mont_consttime(e->r, base, e->x, e->p, e->ctx, e->mont) == 1 &&
           BN_bn2binpad(e->r, out, (int)len) >= 0;
}

static bool direct(struct exchange *e, uint8_t *our_share, uint8_t *secret, size_t len)
{
    return BN_MONT_CTX_set(e->mont, e->p, e->ctx) == 1 && (e->x = draw_exponent(e->p)) &&
           power(e, e->g, our_share, len) && power(e, e->y, secret, len);
}

static bool respond(struct slice p, struct slice g, struct slice share, uint8_t *our_share,
                    uint8_t *secret)
{
    struct exchange e = {0};
    bool ok = set_up(&e, p, g, share) &&
              (provider_direct_keyexch("DH") ? direct(&e, our_share, secret, p.len)
                                             : kx_evp_dh(e.p, e.g, share, our_share, secret));
    clear(&e);
    return ok;
}

/* A public value of less than the prime's length has lost its leading zeros. */
static enum kx_result respond_named(enum kx_id id, struct slice share, uint8_t *our_share,
                                    uint8_t *secret, size_t *secret_len)
{
    uint8_t padded[KX_MAX_DH] = {0};
    size_t len = kx_initiator_share_size(id);
    memcpy(padded + len - share.len, share.p, share.len);
    return kx_respond(id, padded, len, our_share, secret, secret_len, NULL);
}

enum kx_result kx_dh_respond(struct slice p, struct slice g, struct slice share,
                             uint8_t *our_share, size_t *our_len, uint8_t *secret,
                             size_t *secret_len)
{
    *our_len = *secret_len = 0;
    p = kx_dh_number(p);
    g = kx_dh_number(g);
    share = kx_dh_number(share);
    if (p.len == 0 || p.len > KX_MAX_DH || p.p[p.len - 1] % 2 == 0 || !in_range(g, p) ||
        !in_range(share, p))
        return KX_BAD_SHARE;
    enum kx_id id = kx_dh_named(p, g);
    enum kx_result result;
    if (id != KX_NONE) {
        result = respond_named(id, share, our_share, secret, secret_len);
    } else {
        result = respond(p, g, share, our_share, secret) ? KX_OK : KX_FAILED;
    }
    *our_len = *secret_len = result == KX_OK ? p.len : 0;
    return result;
}

/* ffdh.c: Diffie-Hellman in the finite fields of RFC 7919 (RFC 8446 4.2.8.1, 7.4.1).
 *
 * The primes are libcrypto's own copies of them. By hand rather than through DH_compute_key,
 * because that proves again for each share that it lies in the subgroup of order q, at the
 * price of an exponentiation with 2,000 to 4,000 bits: for these safe primes, 1 < y < p-1 is
 * the whole check that RFC 7919 5.1 asks for. */
#define OPENSSL_SUPPRESS_DEPRECATED /* DH_new_by_nid: the only public copy of the primes */
#include <openssl/dh.h>
#include <openssl/obj_mac.h>

#include "crypto/kx_method.h"
#include "crypto/provider.h"
#include "crypto/random.h"

#define MAX_EXPONENT 51

struct field {
    enum kx_id id;
    int nid;
    struct once once;
    bool usable, direct;
    DH *dh; /* owns p */
    const BIGNUM *p;
    BIGNUM *p_minus_1, *g;
    BN_MONT_CTX *mont;        /* only read, so that threads may share it */
    uint8_t prime[KX_MAX_DH]; /* p again, size bytes of it */
    size_t size;
};

static struct field fields[] = {
    {.id = KX_FFDHE2048, .nid = NID_ffdhe2048, .size = 256},
    {.id = KX_FFDHE3072, .nid = NID_ffdhe3072, .size = 384},
    {.id = KX_FFDHE4096, .nid = NID_ffdhe4096, .size = 512},
    {.id = KX_FFDHE6144, .nid = NID_ffdhe6144, .size = 768},
    {.id = KX_FFDHE8192, .nid = NID_ffdhe8192, .size = 1024},
};

#define FIELDS (sizeof fields / sizeof fields[0])

static const uint8_t generator[] = {2};

static bool set_up(struct field *f)
{
    BN_CTX *ctx = BN_CTX_new();
    f->dh = DH_new_by_nid(f->nid);
    f->p = f->dh ? DH_get0_p(f->dh) : NULL;
    f->p_minus_1 = f->p ? BN_dup(f->p) : NULL;
    f->g = BN_new();
    f->mont = BN_MONT_CTX_new();
    bool ok = ctx && f->p_minus_1 && f->g && f->mont && BN_sub_word(f->p_minus_1, 1) == 1 &&
              BN_set_word(f->g, generator[0]) == 1 &&
              BN_MONT_CTX_set(f->mont, f->p, ctx) == 1 &&
              BN_bn2binpad(f->p, f->prime, (int)f->size) > 0;
    BN_CTX_free(ctx);
    return ok;
}

static struct field *ready(struct field *f)
{
    if (once_begin(&f->once)) {
        f->usable = set_up(f);
        f->direct = f->usable && provider_direct_keyexch("DH");
        once_end(&f->once);
    }
    return f;
}

static struct field *field_of(const struct kx_group *group)
{
    struct field *f = fields;
    while (f->nid != group->nid)
        f++;
    return ready(f);
}

static bool usable(const struct kx_group *group)
{
    return field_of(group)->direct;
}

/* base^exponent mod p, left-padded with zeros to the size of p: "leading zeros ... are
 * retained" for the secret (RFC 8446 7.4.1), "padded to the left with zeros" for the share
 * (4.2.8.1). */
static bool power(const struct kx *kx, const BIGNUM *base, uint8_t *out)
{
    const struct field *f = field_of(kx->group);
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *r = BN_new();
    bool ok = ctx && r &&
              BN_mod_exp_mont_consttime(r, base, kx->exponent, f->p, ctx, f->mont) == 1 &&
              BN_bn2binpad(r, out, kx->group->secret) >= 0;
    BN_clear_free(r);
    BN_CTX_free(ctx);
    return ok;
}

/* An exponent has 229, 277, 325, 381 or 405 bits, no fewer than RFC 7919 asks for. The highest one is
 * always set, so that an exponent's length says nothing about it. */
static bool make(struct kx *kx, const uint8_t *private_key, uint8_t *share)
{
    uint8_t x[MAX_EXPONENT];
    size_t len = kx->group->private_key;
    if (private_key) {
        memcpy(x, private_key, len);
    } else {
        if (!random_bytes(x, len))
            return false;
        x[0] = (x[0] & 0x0f) | 0x10;
    }
    kx->exponent = BN_bin2bn(x, (int)len, NULL);
    wipe(x, sizeof x);
    if (!kx->exponent)
        return false;
    BN_set_flags(kx->exponent, BN_FLG_CONSTTIME);
    return power(kx, field_of(kx->group)->g, share);
}

/* The peer's value has to lie between 1 and p-1, both excluded.  RFC 8446 4.2.8.1 */
static enum kx_result derive(struct kx *kx, const uint8_t *share, uint8_t *secret)
{
    const struct field *f = field_of(kx->group);
    BIGNUM *y = BN_bin2bn(share, kx->group->responder, NULL);
    if (!y)
        return KX_FAILED;
    enum kx_result result = KX_BAD_SHARE;
    if (BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, f->p_minus_1) < 0)
        result = power(kx, y, secret) ? KX_OK : KX_FAILED;
    BN_free(y);
    return result;
}

static void clear(struct kx *kx)
{
    BN_clear_free(kx->exponent);
    kx->exponent = NULL;
}

const struct kx_method kx_ffdh = {usable, make, derive, clear, NULL};

/* ---- the same groups where they are sent and not named */

bool kx_dh_params(enum kx_id id, struct slice *p, struct slice *g)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].id != id || !ready(&fields[i])->usable)
            continue;
        *p = slice_of(fields[i].prime, fields[i].size);
        *g = slice_of(generator, sizeof generator);
        return true;
    }
    return false;
}

enum kx_id kx_dh_named(struct slice p, struct slice g)
{
    p = kx_dh_number(p);
    g = kx_dh_number(g);
    if (!slice_equal(g, slice_of(generator, sizeof generator)))
        return KX_NONE;
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].size == p.len && ready(&fields[i])->usable &&
            memcmp(fields[i].prime, p.p, p.len) == 0)
            return fields[i].id;
    }
    return KX_NONE;
}

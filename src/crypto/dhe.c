/* dhe.c: Diffie-Hellman in a group that the server sends with its public value (RFC 5246
 * 7.4.3), for both sides.
 *
 * If it is one of RFC 7919, the exchange is that group's. Those of RFC 3526 are safe primes
 * too, so that a short exponent will do. Any other prime is unknown: whether it is a safe one
 * takes seconds to find out, and in a group whose order has many small factors a short
 * exponent falls to whoever listens (van Oorschot and Wiener 1996). Its exponent is therefore
 * as long as the prime, unless whoever made the group says otherwise. */
#include <openssl/bn.h>
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

static bool is_group(struct slice p, struct slice g)
{
    return p.len > 0 && p.len <= KX_MAX_DH && p.p[p.len - 1] % 2 != 0 && in_range(g, p);
}

/* RFC 3526, generator 2, with exponents as long as RFC 7919's of that size. */
static unsigned known_exponent(const BIGNUM *p, const BIGNUM *g)
{
    static const struct {
        int bits;
        unsigned exponent;
        BIGNUM *(*prime)(BIGNUM *);
    } safe[] = {{2048, 225, BN_get_rfc3526_prime_2048},
                {3072, 275, BN_get_rfc3526_prime_3072},
                {4096, 325, BN_get_rfc3526_prime_4096},
                {6144, 375, BN_get_rfc3526_prime_6144},
                {8192, 400, BN_get_rfc3526_prime_8192}};
    int bits = BN_num_bits(p);
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++) {
        if (safe[i].bits != bits || !BN_is_word(g, 2))
            continue;
        BIGNUM *known = safe[i].prime(NULL);
        bool same = known && BN_cmp(known, p) == 0;
        BN_free(known);
        return same ? safe[i].exponent : 0;
    }
    return 0;
}

/* How many bits it has: `said` counts where it is not absurd (RFC 7919 5.2: 225 bits at least). */
static unsigned exponent_bits(const BIGNUM *p, const BIGNUM *g, unsigned said)
{
    enum { LEAST = 225 };
    unsigned most = (unsigned)BN_num_bits(p) - 1;
    unsigned known = known_exponent(p, g);
    if (known < said)
        known = said;
    return known >= LEAST && known < most ? known : most;
}

/* Its highest bit is always set: its length says nothing about it. It is at most the second highest of the prime's,
 * so that the exponent is less than p - 1. */
static BIGNUM *draw_exponent(unsigned bits)
{
    uint8_t x[KX_MAX_DH];
    unsigned top = bits - 1;
    size_t len = top / 8 + 1;
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
    return BN_MONT_CTX_set(e->mont, e->p, e->ctx) == 1 &&
           (e->x = draw_exponent(exponent_bits(e->p, e->g, 0))) &&
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
    if (!is_group(p, g) || !in_range(share, p))
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

/* ---- the side that sends the group */

struct kx_sent {
    struct kx_group group;
    struct exchange e;
};

void kx_sent_free(struct kx_sent *sent)
{
    if (!sent)
        return;
    clear(&sent->e);
    mem_free(sent);
}

static bool sent_usable(const struct kx_group *group)
{
    (void)group;
    return true;
}

/* kx_dh_start does it. */
static bool sent_make(struct kx *kx, const uint8_t *private_key, uint8_t *share)
{
    (void)kx, (void)private_key, (void)share;
    return false;
}

/* The client's value lies within 2 to p - 2. */
static enum kx_result sent_derive(struct kx *kx, const uint8_t *share, uint8_t *secret)
{
    uint8_t p[KX_MAX_DH];
    struct exchange *e = &kx->sent->e;
    size_t len = kx->group->secret;
    if (BN_bn2binpad(e->p, p, (int)len) < 0 || !BN_bin2bn(share, (int)len, e->y))
        return KX_FAILED;
    if (!in_range(kx_dh_number(slice_of(share, len)), slice_of(p, len)))
        return KX_BAD_SHARE;
    return power(e, e->y, secret, len) ? KX_OK : KX_FAILED;
}

static void sent_clear(struct kx *kx)
{
    BN_clear_free(kx->sent->e.x);
    kx->sent->e.x = NULL;
}

static const struct kx_method kx_sent_dh = {sent_usable, sent_make, sent_derive, sent_clear,
                                            NULL};

static bool start_sent(struct kx *kx, struct slice p, struct slice g, unsigned said,
                       uint8_t *share)
{
    struct exchange *e = &kx->sent->e;
    kx->sent->group = (struct kx_group){.algorithm = "DH",
                                        .curve = "",
                                        .initiator = (uint16_t)p.len,
                                        .responder = (uint16_t)p.len,
                                        .secret = (uint16_t)p.len};
    kx->group = &kx->sent->group;
    bool direct = provider_direct_keyexch("DH");
    kx->method = direct ? &kx_sent_dh : &kx_evp;
    if (!set_up(e, p, g, g))
        return false;
    if (!direct)
        return kx_evp_dh_make(kx, e->p, e->g, share);
    return BN_MONT_CTX_set(e->mont, e->p, e->ctx) == 1 &&
           (e->x = draw_exponent(exponent_bits(e->p, e->g, said))) &&
           power(e, e->g, share, p.len);
}

enum kx_result kx_dh_start(struct slice p, struct slice g, unsigned said, uint8_t *share,
                           size_t *share_len, struct kx **out)
{
    *out = NULL;
    *share_len = 0;
    p = kx_dh_number(p);
    g = kx_dh_number(g);
    if (!is_group(p, g))
        return KX_BAD_SHARE;
    enum kx_id id = kx_dh_named(p, g);
    if (id != KX_NONE) {
        *out = kx_start(id, share);
    } else {
        struct kx *kx = mem_new(sizeof *kx);
        if (!kx)
            return KX_FAILED;
        kx->method = &kx_evp; /* until it is known: nothing to clear */
        kx->sent = mem_new(sizeof *kx->sent);
        if (kx->sent && start_sent(kx, p, g, said, share))
            *out = kx;
        else
            kx_free(kx);
    }
    *share_len = *out ? p.len : 0;
    return *out ? KX_OK : KX_FAILED;
}

bool kx_dh_plausible(struct slice p, struct slice g)
{
    p = kx_dh_number(p);
    g = kx_dh_number(g);
    if (!is_group(p, g))
        return false;
    struct exchange e = {0};
    bool ok = set_up(&e, p, g, g) && BN_set_word(e.y, 2) == 1 && (e.x = BN_dup(e.p)) &&
              BN_sub_word(e.x, 1) == 1 && BN_MONT_CTX_set(e.mont, e.p, e.ctx) == 1 &&
              BN_mod_exp_mont(e.r, e.y, e.x, e.p, e.ctx, e.mont) == 1 && BN_is_one(e.r);
    clear(&e);
    return ok;
}

/* mlkem.c: ML-KEM (FIPS 203), readable beside the standard: its names, the numbers of its algorithms, its
 * order. ek and dk are the keys, rho and sigma what seeds A and the noise; a hat (s_hat) stands on what is
 * in the NTT's domain.
 *
 * Secrets take no branch, no index and no division: coefficients are multiplied modulo q by Montgomery's
 * and Barrett's reductions, and compressed by a multiplication with the inverse of q. Only A is sampled
 * with branches, from rho, which is public.
 *
 * Making a key, encapsulating and decapsulating take 29, 30 and 35 us for ML-KEM-768, and 44, 45 and 50 us
 * for ML-KEM-1024, more than half of that in Keccak. */
#include "crypto/mlkem.h"

#include "crypto/keccak.h"

enum {
    N = 256,
    Q = 3329,
    Q_INVERSE = -3327, /* modulo 2^16 */
    MAX_K = 4,
    POLY_SIZE = 384, /* ByteEncode_12 */
    PRF_SIZE = 128,  /* 64 * eta, which is 2 for both kinds of noise of both sets */
};

/* FIPS 203 8, table 2 */
static const struct params {
    uint8_t k, du, dv;
} sets[] = {[MLKEM_768] = {3, 10, 4}, [MLKEM_1024] = {4, 11, 5}};

struct poly {
    int16_t c[N];
};

/* All that an operation needs, so that one wipe() takes all of it away. */
struct scratch {
    struct poly vector[MAX_K];     /* s_hat, y_hat or u_hat */
    int16_t twisted[MAX_K][N / 2]; /* see twist() */
    int32_t sum[N];                /* of products that are not reduced yet */
    struct poly a, t;
    struct keccak sponge;
    uint8_t bytes[PRF_SIZE];
};

size_t mlkem_ek_size(enum mlkem_id id)
{
    return POLY_SIZE * (size_t)sets[id].k + 32;
}

size_t mlkem_dk_size(enum mlkem_id id)
{
    return 2 * POLY_SIZE * (size_t)sets[id].k + 96;
}

static size_t vector_size(const struct params *p)
{
    return N / 8 * (size_t)p->du * p->k; /* of the ciphertext's first part */
}

size_t mlkem_cipher_size(enum mlkem_id id)
{
    return vector_size(&sets[id]) + N / 8 * (size_t)sets[id].dv;
}

/* ---- arithmetic modulo q */

/* a / 2^16 modulo q, for |a| < 2^15 * q; the result is above -q and below q. */
static inline int16_t montgomery(int32_t a)
{
    int16_t t = (int16_t)((int16_t)a * Q_INVERSE);
    return (int16_t)((a - t * Q) >> 16);
}

/* The representative of a that is nearest to 0. */
static inline int16_t barrett(int16_t a)
{
    int16_t t = (int16_t)((20159 * a + (1 << 25)) >> 26);
    return (int16_t)(a - t * Q);
}

/* The representative of a that is in [0, q), as all that is encoded has to be. */
static inline int16_t canonical(int16_t a)
{
    int16_t r = barrett(a);
    return (int16_t)(r + ((r >> 15) & Q));
}

/* The compiler may not see how few values v has, and branch. */
static inline uint32_t hide(uint32_t v)
{
    __asm__("" : "+r"(v));
    return v;
}

/* ---- 4.2.1: conversion and compression */

/* Algorithm 5, ByteEncode_d */
static void byte_encode(const struct poly *f, unsigned d, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < N; i++) {
        bits |= (uint32_t)f->c[i] << have;
        for (have += d; have >= 8; have -= 8, bits >>= 8)
            *out++ = (uint8_t)bits;
    }
}

/* Algorithm 6, ByteDecode_d. For d = 12 the standard reduces modulo q here; that is left to the next
 * reduction, which comes anyhow. */
static void byte_decode(const uint8_t *in, unsigned d, struct poly *f)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < N; i++, bits >>= d, have -= d) {
        for (; have < d; have += 8)
            bits |= (uint32_t)*in++ << have;
        f->c[i] = (int16_t)(bits & ((1U << d) - 1));
    }
}

/* Compress_d (4.7): round(2^d / q * x) modulo 2^d, x modulo q. 1290168 / 2^32 is 1 / q, near enough for
 * every x and d. */
static void compress(struct poly *f, unsigned d)
{
    for (size_t i = 0; i < N; i++) {
        uint32_t x = hide((uint32_t)canonical(f->c[i]));
        uint32_t y = (uint32_t)(((uint64_t)((x << d) + Q / 2) * 1290168) >> 32);
        f->c[i] = (int16_t)(y & ((1U << d) - 1));
    }
}

/* Decompress_d (4.8): round(q / 2^d * y) */
static void decompress(struct poly *f, unsigned d)
{
    for (size_t i = 0; i < N; i++) {
        uint32_t y = hide((uint32_t)f->c[i]);
        f->c[i] = (int16_t)((y * Q + (1U << (d - 1))) >> d);
    }
}

/* ---- 4.2.2: sampling */

/* Algorithm 7, SampleNTT: an element of A. */
static void sample_ntt(struct scratch *s, const uint8_t rho[32], size_t first, size_t second)
{
    uint8_t at[2] = {(uint8_t)first, (uint8_t)second}, block[SHAKE128_RATE];
    shake128_init(&s->sponge);
    keccak_absorb(&s->sponge, rho, 32);
    keccak_absorb(&s->sponge, at, 2);
    keccak_turn(&s->sponge);
    for (size_t j = 0; j < N;) {
        keccak_squeeze(&s->sponge, block, sizeof block);
        for (const uint8_t *c = block; c < block + sizeof block; c += 3) {
            int d1 = c[0] | (c[1] & 15) << 8, d2 = c[1] >> 4 | c[2] << 4;
            if (d1 < Q)
                s->a.c[j++] = (int16_t)d1;
            if (d2 < Q && j < N)
                s->a.c[j++] = (int16_t)d2;
            if (j == N)
                break;
        }
    }
}

/* Algorithm 8, SamplePolyCBD_2, of PRF_2(seed, n) (4.3): the difference of the sums of two bits each. */
static void sample_cbd(struct scratch *s, const uint8_t seed[32], uint8_t n, struct poly *f)
{
    shake256_init(&s->sponge);
    keccak_absorb(&s->sponge, seed, 32);
    keccak_absorb(&s->sponge, &n, 1);
    keccak_turn(&s->sponge);
    keccak_squeeze(&s->sponge, s->bytes, PRF_SIZE);
    for (size_t i = 0; i < PRF_SIZE; i++) {
        unsigned b = s->bytes[i], sums = (b & 0x55) + (b >> 1 & 0x55);
        f->c[2 * i] = (int16_t)((int)(sums & 3) - (int)(sums >> 2 & 3));
        f->c[2 * i + 1] = (int16_t)((int)(sums >> 4 & 3) - (int)(sums >> 6));
    }
}

/* ---- 4.3: the number-theoretic transform */

/* zeta[i] = 17^BitRev7(i) * 2^16 modulo q */
/* clang-format off */
static const int16_t zeta[N / 2] = {
    -1044, -758, -359, -1517, 1493, 1422, 287, 202, -171, 622, 1577, 182,
    962, -1202, -1474, 1468, 573, -1325, 264, 383, -829, 1458, -1602, -130,
    -681, 1017, 732, 608, -1542, 411, -205, -1571, 1223, 652, -552, 1015,
    -1293, 1491, -282, -1544, 516, -8, -320, -666, -1618, -1162, 126, 1469,
    -853, -90, -271, 830, 107, -1421, -247, -951, -398, 961, -1508, -725,
    448, -1065, 677, -1275, -1103, 430, 555, 843, -1251, 871, 1550, 105,
    422, 587, 177, -235, -291, -460, 1574, 1653, -246, 778, 1159, -147,
    -777, 1483, -602, 1119, -1590, 644, -872, 349, 418, 329, -156, -75,
    817, 1097, 603, 610, 1322, -1285, -1465, 384, -1215, -136, 1218, -1335,
    -874, 220, -1187, -1659, -1185, -1530, -1278, 794, -1510, -854, -870, 478,
    -108, -308, 996, 991, 958, -1460, 1522, 1628,
};
/* clang-format on */

/* The inner loops of the NTT and its inverse. Compilers make vectors of them for a number that they know. */
enum { VECTOR = 8 };

static inline void combine(int16_t *restrict a, int16_t *restrict b, int16_t z, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        int16_t t = montgomery(z * b[j]);
        b[j] = (int16_t)(a[j] - t);
        a[j] = (int16_t)(a[j] + t);
    }
}

static inline void part(int16_t *restrict a, int16_t *restrict b, int16_t z, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        int16_t t = a[j];
        a[j] = barrett((int16_t)(t + b[j]));
        b[j] = montgomery(z * (b[j] - t));
    }
}

/* Algorithm 9, NTT. Each of the seven layers adds less than q to what began at q or below. */
static void ntt(struct poly *f)
{
    size_t i = 1;
    for (size_t len = 128; len >= 2; len /= 2) {
        for (size_t start = 0; start < N; start += 2 * len, i++) {
            size_t j = start;
            for (; j + VECTOR <= start + len; j += VECTOR)
                combine(f->c + j, f->c + j + len, zeta[i], VECTOR);
            combine(f->c + j, f->c + j + len, zeta[i], start + len - j);
        }
    }
    for (size_t j = 0; j < N; j++)
        f->c[j] = barrett(f->c[j]);
}

/* Algorithm 10, the inverse of NTT, for coefficients below q; with 1441 = 2^32 / 128 the last product
 * also takes away the factor 2^-16 that reduce_sum() leaves behind. */
static void ntt_inverse(struct poly *f)
{
    size_t i = 127;
    for (size_t len = 2; len <= 128; len *= 2) {
        for (size_t start = 0; start < N; start += 2 * len, i--) {
            size_t j = start;
            for (; j + VECTOR <= start + len; j += VECTOR)
                part(f->c + j, f->c + j + len, zeta[i], VECTOR);
            part(f->c + j, f->c + j + len, zeta[i], start + len - j);
        }
    }
    for (size_t j = 0; j < N; j++)
        f->c[j] = montgomery(1441 * f->c[j]);
}

/* What BaseCaseMultiply multiplies the odd coefficients of g with: gamma = 17^(2 BitRev7(i) + 1), which
 * is zeta[64 + i / 2] or its negative. It is done once for the many products that g takes part in. */
static void twist(const struct poly *g, int16_t twisted[N / 2])
{
    for (size_t i = 0; i < N / 4; i++) {
        twisted[2 * i] = montgomery(zeta[64 + i] * g->c[4 * i + 1]);
        twisted[2 * i + 1] = montgomery(-zeta[64 + i] * g->c[4 * i + 3]);
    }
}

/* Algorithms 11 and 12, MultiplyNTTs and BaseCaseMultiply, added to a sum. Coefficients of f are below
 * 2^12, those of g below q / 2: four such products stay below 2^15 * q. */
static void multiply_ntts(const struct poly *f, const struct poly *g,
                          const int16_t twisted[N / 2], int32_t sum[N])
{
    for (size_t i = 0; i < N / 2; i++) {
        int32_t f0 = f->c[2 * i], f1 = f->c[2 * i + 1], g0 = g->c[2 * i], g1 = g->c[2 * i + 1];
        sum[2 * i] += f0 * g0 + f1 * twisted[i];
        sum[2 * i + 1] += f0 * g1 + f1 * g0;
    }
}

/* The sum modulo q, times 2^-16. */
static void reduce_sum(const int32_t sum[N], struct poly *f)
{
    for (size_t i = 0; i < N; i++)
        f->c[i] = montgomery(sum[i]);
}

static void add(struct poly *f, const struct poly *g)
{
    for (size_t i = 0; i < N; i++)
        f->c[i] = (int16_t)(f->c[i] + g->c[i]);
}

/* A secret vector: sampled, transformed and prepared for products. */
static void sample_vector(struct scratch *s, const struct params *p, const uint8_t seed[32])
{
    for (uint8_t i = 0; i < p->k; i++) {
        sample_cbd(s, seed, i, &s->vector[i]);
        ntt(&s->vector[i]);
        twist(&s->vector[i], s->twisted[i]);
    }
}

/* ---- 4.1: hash functions */

static void hash_g(struct scratch *s, struct slice a, struct slice b, uint8_t out[64])
{
    sha3_512_init(&s->sponge);
    keccak_absorb(&s->sponge, a.p, a.len);
    keccak_absorb(&s->sponge, b.p, b.len);
    keccak_turn(&s->sponge);
    keccak_squeeze(&s->sponge, out, 64);
}

static void hash_h(const uint8_t *p, size_t len, uint8_t out[32])
{
    struct keccak sponge;
    sha3_256_init(&sponge);
    keccak_absorb(&sponge, p, len);
    keccak_turn(&sponge);
    keccak_squeeze(&sponge, out, 32);
}

static void hash_j(struct scratch *s, const uint8_t z[32], const uint8_t *c, size_t len,
                   uint8_t out[32])
{
    shake256_init(&s->sponge);
    keccak_absorb(&s->sponge, z, 32);
    keccak_absorb(&s->sponge, c, len);
    keccak_turn(&s->sponge);
    keccak_squeeze(&s->sponge, out, 32);
}

/* ---- 5: K-PKE */

/* t_hat[i] = sum of A_hat[i][j] * s_hat[j], plus e_hat[i] */
static void make_t(struct scratch *s, const struct params *p, const uint8_t rho[32],
                   const uint8_t sigma[32], uint8_t i)
{
    memset(s->sum, 0, sizeof s->sum);
    for (size_t j = 0; j < p->k; j++) {
        sample_ntt(s, rho, j, i);
        multiply_ntts(&s->a, &s->vector[j], s->twisted[j], s->sum);
    }
    reduce_sum(s->sum, &s->t);
    for (size_t n = 0; n < N; n++)
        s->t.c[n] = montgomery(1353 * s->t.c[n]); /* 2^32: the factor 2^-16 is taken away */
    sample_cbd(s, sigma, (uint8_t)(p->k + i), &s->a);
    ntt(&s->a);
    add(&s->t, &s->a);
}

static void encode_12(struct poly *f, uint8_t *out)
{
    for (size_t i = 0; i < N; i++)
        f->c[i] = canonical(f->c[i]);
    byte_encode(f, 12, out);
}

/* Algorithm 13, K-PKE.KeyGen */
static void pke_keygen(struct scratch *s, const struct params *p, const uint8_t d[32],
                       uint8_t *ek, uint8_t *dk)
{
    uint8_t seeds[64], *rho = seeds, *sigma = seeds + 32;
    hash_g(s, slice_of(d, 32), slice_of(&p->k, 1), seeds);
    ct_public(rho, 32);
    sample_vector(s, p, sigma);
    for (uint8_t i = 0; i < p->k; i++) {
        make_t(s, p, rho, sigma, i);
        encode_12(&s->t, ek + (size_t)i * POLY_SIZE);
        encode_12(&s->vector[i], dk + (size_t)i * POLY_SIZE);
    }
    memcpy(ek + (size_t)p->k * POLY_SIZE, rho, 32);
    wipe(seeds, sizeof seeds);
}

/* u[i] = NTT^-1(sum of A_hat[j][i] * y_hat[j]) + e1[i] */
static void make_u(struct scratch *s, const struct params *p, const uint8_t rho[32],
                   const uint8_t r[32], uint8_t i)
{
    memset(s->sum, 0, sizeof s->sum);
    for (size_t j = 0; j < p->k; j++) {
        sample_ntt(s, rho, i, j);
        multiply_ntts(&s->a, &s->vector[j], s->twisted[j], s->sum);
    }
    reduce_sum(s->sum, &s->t);
    ntt_inverse(&s->t);
    sample_cbd(s, r, (uint8_t)(p->k + i), &s->a);
    add(&s->t, &s->a);
}

/* v = NTT^-1(sum of t_hat[j] * y_hat[j]) + e2 + mu */
static void make_v(struct scratch *s, const struct params *p, const uint8_t *ek,
                   const uint8_t m[32], const uint8_t r[32])
{
    memset(s->sum, 0, sizeof s->sum);
    for (size_t j = 0; j < p->k; j++) {
        byte_decode(ek + j * POLY_SIZE, 12, &s->a);
        multiply_ntts(&s->a, &s->vector[j], s->twisted[j], s->sum);
    }
    reduce_sum(s->sum, &s->t);
    ntt_inverse(&s->t);
    sample_cbd(s, r, (uint8_t)(2 * p->k), &s->a);
    add(&s->t, &s->a);
    byte_decode(m, 1, &s->a);
    decompress(&s->a, 1);
    add(&s->t, &s->a);
}

/* Algorithm 14, K-PKE.Encrypt */
static void pke_encrypt(struct scratch *s, const struct params *p, const uint8_t *ek,
                        const uint8_t m[32], const uint8_t r[32], uint8_t *c)
{
    const uint8_t *rho = ek + (size_t)p->k * POLY_SIZE;
    sample_vector(s, p, r);
    for (uint8_t i = 0; i < p->k; i++) {
        make_u(s, p, rho, r, i);
        compress(&s->t, p->du);
        byte_encode(&s->t, p->du, c + (size_t)i * N / 8 * p->du);
    }
    make_v(s, p, ek, m, r);
    compress(&s->t, p->dv);
    byte_encode(&s->t, p->dv, c + vector_size(p));
}

/* Algorithm 15, K-PKE.Decrypt: m = Compress_1(v - NTT^-1(sum of s_hat[j] * NTT(u[j]))) */
static void pke_decrypt(struct scratch *s, const struct params *p, const uint8_t *dk,
                        const uint8_t *c, uint8_t m[32])
{
    memset(s->sum, 0, sizeof s->sum);
    for (size_t j = 0; j < p->k; j++) {
        byte_decode(c + j * N / 8 * p->du, p->du, &s->vector[0]);
        decompress(&s->vector[0], p->du);
        ntt(&s->vector[0]);
        twist(&s->vector[0], s->twisted[0]);
        byte_decode(dk + j * POLY_SIZE, 12, &s->a);
        multiply_ntts(&s->a, &s->vector[0], s->twisted[0], s->sum);
    }
    reduce_sum(s->sum, &s->a);
    ntt_inverse(&s->a);
    byte_decode(c + vector_size(p), p->dv, &s->t);
    decompress(&s->t, p->dv);
    for (size_t i = 0; i < N; i++)
        s->t.c[i] = (int16_t)(s->t.c[i] - s->a.c[i]);
    compress(&s->t, 1);
    byte_encode(&s->t, 1, m);
}

/* ---- 6 and 7: ML-KEM */

/* Algorithm 16, ML-KEM.KeyGen_internal: dk = dk of K-PKE | ek | H(ek) | z */
void mlkem_keygen(enum mlkem_id id, const uint8_t d[MLKEM_SEED], const uint8_t z[MLKEM_SEED],
                  uint8_t *ek, uint8_t *dk)
{
    NO_INIT struct scratch s;
    size_t ek_size = mlkem_ek_size(id);
    uint8_t *end = dk + mlkem_dk_size(id);
    pke_keygen(&s, &sets[id], d, ek, dk);
    ct_public(ek, ek_size);
    memcpy(end - 64 - ek_size, ek, ek_size);
    hash_h(ek, ek_size, end - 64);
    memcpy(end - 32, z, 32);
    wipe(&s, sizeof s);
}

/* 7.2, the modulus check: encoding what was decoded gives the same bytes only below q. */
static bool is_key(const struct params *p, const uint8_t *ek)
{
    struct poly f;
    int over = 0;
    for (size_t j = 0; j < p->k; j++) {
        byte_decode(ek + j * POLY_SIZE, 12, &f);
        for (size_t i = 0; i < N; i++)
            over |= f.c[i] >= Q;
    }
    return !over;
}

/* Algorithm 17, ML-KEM.Encaps_internal */
bool mlkem_encaps(enum mlkem_id id, const uint8_t *ek, const uint8_t m[MLKEM_SEED],
                  uint8_t *ciphertext, uint8_t secret[MLKEM_SEED])
{
    NO_INIT struct scratch s;
    uint8_t hash[32], key[64]; /* K | r */
    if (!is_key(&sets[id], ek))
        return false;
    hash_h(ek, mlkem_ek_size(id), hash);
    hash_g(&s, slice_of(m, 32), slice_of(hash, 32), key);
    pke_encrypt(&s, &sets[id], ek, m, key + 32, ciphertext);
    ct_public(ciphertext, mlkem_cipher_size(id));
    memcpy(secret, key, 32);
    wipe(&s, sizeof s);
    wipe(key, sizeof key);
    return true;
}

/* 0xff if the bytes differ, else 0; that is a secret. */
static uint8_t mask_if_different(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++)
        bits |= (uint32_t)(a[i] ^ b[i]);
    return (uint8_t)(hide(0 - bits) >> 24); /* bits is below 256 */
}

/* Algorithm 18, ML-KEM.Decaps_internal: what was encrypted is encrypted once more; if that gives another
 * ciphertext, the secret is one that only z can tell ("implicit rejection"). */
void mlkem_decaps(enum mlkem_id id, const uint8_t *dk, const uint8_t *ciphertext,
                  uint8_t secret[MLKEM_SEED])
{
    NO_INIT struct scratch s;
    NO_INIT uint8_t again[MLKEM_MAX_CIPHER];
    uint8_t m[32], key[64], rejected[32];
    size_t len = mlkem_cipher_size(id);
    const uint8_t *end = dk + mlkem_dk_size(id), *hash = end - 64, *z = end - 32;
    const uint8_t *ek = hash - mlkem_ek_size(id);
    pke_decrypt(&s, &sets[id], dk, ciphertext, m);
    hash_g(&s, slice_of(m, 32), slice_of(hash, 32), key);
    hash_j(&s, z, ciphertext, len, rejected);
    pke_encrypt(&s, &sets[id], ek, m, key + 32, again);
    uint8_t reject = mask_if_different(ciphertext, again, len);
    for (size_t i = 0; i < 32; i++)
        secret[i] = (uint8_t)((key[i] & ~reject) | (rejected[i] & reject));
    wipe(&s, sizeof s);
    wipe(again, sizeof again);
    wipe(m, sizeof m);
    wipe(key, sizeof key);
    wipe(rejected, sizeof rejected);
}

bool mlkem_dk_is_sound(enum mlkem_id id, const uint8_t *dk)
{
    uint8_t hash[32];
    const uint8_t *stored = dk + mlkem_dk_size(id) - 64;
    hash_h(stored - mlkem_ek_size(id), mlkem_ek_size(id), hash);
    return ct_equal(hash, stored, 32);
}

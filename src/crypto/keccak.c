/* keccak.c: the sponge of FIPS 202 over Keccak-f[1600].
 *
 * libcrypto has these functions too, and its assembly is faster: three blocks of SHAKE128 in 0.94 us, by EVP
 * and with a context that is used again, where this takes 1.27. Of the 29 us of making an ML-KEM-768 key that
 * is 4. It is not worth contexts to keep per thread, and arithmetic that can fail in its midst. */
#include "crypto/keccak.h"

enum { ROUNDS = 24 };

static const uint64_t iota[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

static inline uint64_t rotate(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

/* chi (FIPS 202 3.2.4) of one row. */
static inline __attribute__((always_inline)) void chi(uint64_t *out, uint64_t a, uint64_t b,
                                                      uint64_t c, uint64_t d, uint64_t e)
{
    out[0] = a ^ (~b & c);
    out[1] = b ^ (~c & d);
    out[2] = c ^ (~d & e);
    out[3] = d ^ (~e & a);
    out[4] = e ^ (~a & b);
}

/* Rnd (FIPS 202 3.3): lane (x, y) is a[x + 5 * y]. rho and pi stand in the arguments of chi: which lane
 * comes to a place, and by how much it is rotated. */
static inline __attribute__((always_inline)) void keccak_round(const uint64_t a[25],
                                                               uint64_t out[25], uint64_t rc)
{
    uint64_t c[5], d[5];
    /* theta (3.2.1) */
    c[0] = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    c[1] = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    c[2] = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    c[3] = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    c[4] = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    d[0] = c[4] ^ rotate(c[1], 1);
    d[1] = c[0] ^ rotate(c[2], 1);
    d[2] = c[1] ^ rotate(c[3], 1);
    d[3] = c[2] ^ rotate(c[4], 1);
    d[4] = c[3] ^ rotate(c[0], 1);
    chi(out, a[0] ^ d[0], rotate(a[6] ^ d[1], 44), rotate(a[12] ^ d[2], 43),
        rotate(a[18] ^ d[3], 21), rotate(a[24] ^ d[4], 14));
    chi(out + 5, rotate(a[3] ^ d[3], 28), rotate(a[9] ^ d[4], 20), rotate(a[10] ^ d[0], 3),
        rotate(a[16] ^ d[1], 45), rotate(a[22] ^ d[2], 61));
    chi(out + 10, rotate(a[1] ^ d[1], 1), rotate(a[7] ^ d[2], 6), rotate(a[13] ^ d[3], 25),
        rotate(a[19] ^ d[4], 8), rotate(a[20] ^ d[0], 18));
    chi(out + 15, rotate(a[4] ^ d[4], 27), rotate(a[5] ^ d[0], 36), rotate(a[11] ^ d[1], 10),
        rotate(a[17] ^ d[2], 15), rotate(a[23] ^ d[3], 56));
    chi(out + 20, rotate(a[2] ^ d[2], 62), rotate(a[8] ^ d[3], 55), rotate(a[14] ^ d[4], 39),
        rotate(a[15] ^ d[0], 41), rotate(a[21] ^ d[1], 2));
    out[0] ^= rc;
}

/* KECCAK-p[1600, 24] (FIPS 202 3.3) */
static void permute(uint64_t lane[25])
{
    NO_INIT uint64_t a[25], b[25];
    memcpy(a, lane, sizeof a);
    for (size_t i = 0; i < ROUNDS; i += 2) {
        keccak_round(a, b, iota[i]);
        keccak_round(b, a, iota[i + 1]);
    }
    memcpy(lane, a, sizeof a);
    wipe(a, sizeof a);
}

static void init(struct keccak *k, uint8_t rate, uint8_t suffix)
{
    memset(k, 0, sizeof *k);
    k->rate = rate;
    k->suffix = suffix;
}

/* The suffix of the domain (FIPS 202 6.1, 6.2), and the first bit of the padding. */
void sha3_256_init(struct keccak *k)
{
    init(k, 136, 0x06);
}

void sha3_512_init(struct keccak *k)
{
    init(k, 72, 0x06);
}

void shake128_init(struct keccak *k)
{
    init(k, SHAKE128_RATE, 0x1f);
}

void shake256_init(struct keccak *k)
{
    init(k, 136, 0x1f);
}

/* Lanes are little-endian (FIPS 202 B.1). */
static uint64_t read_lane(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static void write_lane(uint8_t *p, uint64_t lane)
{
    for (size_t i = 0; i < 8; i++)
        p[i] = (uint8_t)(lane >> 8 * i);
}

static void turn_block(struct keccak *k)
{
    if (k->at == k->rate) {
        permute(k->lane);
        k->at = 0;
    }
}

/* How many bytes can be dealt with in one step: a whole lane, or the next byte. */
static uint8_t stride(const struct keccak *k, size_t n)
{
    return k->at % 8 == 0 && n >= 8 ? 8 : 1;
}

void keccak_absorb(struct keccak *k, const void *p, size_t n)
{
    const uint8_t *in = p;
    while (n > 0) {
        uint8_t step = stride(k, n);
        k->lane[k->at / 8] ^= step == 8 ? read_lane(in) : (uint64_t)*in << 8 * (k->at % 8);
        in += step;
        n -= step;
        k->at = (uint8_t)(k->at + step);
        turn_block(k);
    }
}

/* pad10*1 (FIPS 202 5.1) */
void keccak_turn(struct keccak *k)
{
    k->lane[k->at / 8] ^= (uint64_t)k->suffix << 8 * (k->at % 8);
    k->lane[k->rate / 8 - 1] ^= (uint64_t)1 << 63;
    k->at = k->rate;
}

void keccak_squeeze(struct keccak *k, uint8_t *out, size_t n)
{
    while (n > 0) {
        turn_block(k);
        uint8_t step = stride(k, n);
        if (step == 8)
            write_lane(out, k->lane[k->at / 8]);
        else
            *out = (uint8_t)(k->lane[k->at / 8] >> 8 * (k->at % 8));
        out += step;
        n -= step;
        k->at = (uint8_t)(k->at + step);
    }
}

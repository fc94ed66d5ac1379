/* keccak.h: SHA-3 and SHAKE (FIPS 202), for ML-KEM. */
#ifndef CRYPTO_KECCAK_H
#define CRYPTO_KECCAK_H

#include "bytes/bytes.h"

#define SHAKE128_RATE 168

/* A sponge, embedded: first all absorbing, then all squeezing. It needs wipe() if it was fed a secret. */
struct keccak {
    uint64_t lane[25];
    uint8_t rate; /* bytes of a block */
    uint8_t at;   /* how many bytes of the block have been absorbed or squeezed */
    uint8_t suffix;
};

void sha3_256_init(struct keccak *k);
void sha3_512_init(struct keccak *k);
void shake128_init(struct keccak *k);
void shake256_init(struct keccak *k);

void keccak_absorb(struct keccak *k, const void *p, size_t n);
/* keccak_turn ends the absorbing; keccak_squeeze then gives the next n bytes, as often as wanted. */
void keccak_turn(struct keccak *k);
void keccak_squeeze(struct keccak *k, uint8_t *out, size_t n);

#endif

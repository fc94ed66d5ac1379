/* prf.h: the pseudo-random function of TLS 1.2 and older. */
#ifndef CRYPTO_PRF_H
#define CRYPTO_PRF_H

#include "crypto/hash.h"

/* prf is PRF(secret, label, a + b) of RFC 5246 5 (P_hash with the suite's hash); with HASH_MD5_SHA1 it
 * is that of TLS 1.0 and 1.1 (RFC 4346 5: P_MD5 of the secret's first half XOR P_SHA1 of its second).
 * label goes in without its NUL; n bytes are written to out, which overlaps nothing. */
void prf(enum hash_id hash, struct slice secret, const char *label, struct slice a,
         struct slice b, uint8_t *out, size_t n);

#endif

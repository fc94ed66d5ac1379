/* pss.h: the encoding EMSA-PSS (RFC 8017 9.1), with MGF1 and the salt of TLS: both of the
 * same hash (RFC 8446 4.2.3). For this room only. */
#ifndef CRYPTO_PSS_H
#define CRYPTO_PSS_H

#include "crypto/hash.h"

/* pss_encode writes the encoded message, as many bytes as the modulus of this many bits has.
 * false if the modulus is too small. digest has hash_size bytes, so has salt. */
bool pss_encode(enum hash_id hash, unsigned bits, const uint8_t *digest, const uint8_t *salt,
                uint8_t *out);

/* pss_verify: em, as many bytes as the modulus has, is an encoding of this digest. em is
 * changed. */
bool pss_verify(enum hash_id hash, unsigned bits, const uint8_t *digest, uint8_t *em);

#endif

/* premaster.h: the plaintext of an RSA key exchange (RFC 5246 7.4.7.1). For this room only. */
#ifndef CRYPTO_PREMASTER_H
#define CRYPTO_PREMASTER_H

#include "bytes/bytes.h"

#define PREMASTER_SIZE 48

/* premaster_choose: block is what raw decryption gave, len bytes (public: as long as the
 * modulus). If it is a block of RSAES-PKCS1-v1_5 around 48 bytes that begin with this version,
 * these take the place of `premaster`, which holds random bytes; else it stays. No branch and
 * no address depends on the block. */
void premaster_choose(const uint8_t *block, size_t len, uint16_t version,
                      uint8_t premaster[PREMASTER_SIZE]);

#endif

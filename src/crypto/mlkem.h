/* mlkem.h: ML-KEM-768 and ML-KEM-1024 (FIPS 203), for a libcrypto that has none. */
#ifndef CRYPTO_MLKEM_H
#define CRYPTO_MLKEM_H

#include "bytes/bytes.h"

enum mlkem_id { MLKEM_768, MLKEM_1024 };

#define MLKEM_SEED       32 /* each of d, z and m; and the shared secret K */
#define MLKEM_MAX_EK     1568
#define MLKEM_MAX_DK     3168
#define MLKEM_MAX_CIPHER 1568

size_t mlkem_ek_size(enum mlkem_id id);     /* encapsulation key: 1184, 1568 */
size_t mlkem_dk_size(enum mlkem_id id);     /* decapsulation key: 2400, 3168 */
size_t mlkem_cipher_size(enum mlkem_id id); /* ciphertext: 1088, 1568 */

/* None of these allocates, or leaves a secret behind on the stack, of which they use up to 9 kB; none can
 * fail but by what it is given. Time depends on no secret: not on d, z, m, dk or a shared secret, nor on
 * whether a ciphertext is right. */

/* mlkem_keygen makes a key pair of two random seeds. */
void mlkem_keygen(enum mlkem_id id, const uint8_t d[MLKEM_SEED], const uint8_t z[MLKEM_SEED],
                  uint8_t *ek, uint8_t *dk);

/* mlkem_encaps makes a shared secret and its ciphertext of a random seed. false: ek is no encapsulation
 * key (FIPS 203 7.2); nothing is written. */
bool mlkem_encaps(enum mlkem_id id, const uint8_t *ek, const uint8_t m[MLKEM_SEED],
                  uint8_t *ciphertext, uint8_t secret[MLKEM_SEED])
    __attribute__((warn_unused_result));

/* mlkem_decaps finds the shared secret. A wrong ciphertext gives a secret that nobody else knows. */
void mlkem_decaps(enum mlkem_id id, const uint8_t *dk, const uint8_t *ciphertext,
                  uint8_t secret[MLKEM_SEED]);

/* mlkem_dk_is_sound: whether a decapsulation key holds the hash of its encapsulation key (FIPS 203 7.3),
 * which one has to ask of keys that were stored. */
bool mlkem_dk_is_sound(enum mlkem_id id, const uint8_t *dk) __attribute__((warn_unused_result));

#endif

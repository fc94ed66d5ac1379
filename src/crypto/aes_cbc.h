/* aes_cbc.h: one message under AES-256-CBC, as session tickets of other libraries have it. */
#ifndef CRYPTO_AES_CBC_H
#define CRYPTO_AES_CBC_H

#include "bytes/bytes.h"

#define AES_CBC_KEY   32
#define AES_CBC_BLOCK 16

/* aes_cbc encrypts, or decrypts, in[0..len) with the padding of PKCS #7, and writes at most len + AES_CBC_BLOCK
 * bytes to out, which does not overlap in. false: not a whole number of blocks, the padding is wrong (out may have
 * been written to: wipe it), no memory, or libcrypto lacks the cipher. Authenticate first. */
bool aes_cbc(const uint8_t key[AES_CBC_KEY], const uint8_t iv[AES_CBC_BLOCK], bool encrypt,
             const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
    __attribute__((warn_unused_result));

#endif

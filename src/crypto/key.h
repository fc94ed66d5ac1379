/* key.h: what a public and a private key have in common inside. For this room only. */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

/* The low-level functions of EC_KEY and RSA are deprecated in OpenSSL 3, but exported for as
 * long as libcrypto.so.3 lives; they save 3 to 16 us per key and per signature over EVP. Who
 * includes this defines OPENSSL_SUPPRESS_DEPRECATED before any header of libcrypto. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdatomic.h>

#include "crypto/sign.h"

#define KEY_MAX_RSA_BITS 8192 /* SIG_MAX_SIZE */

/* At most one of the three is set. */
struct key {
    enum key_kind kind;
    unsigned bits;
    EC_KEY *ec;     /* direct route */
    RSA *rsa;       /* direct route */
    EVP_PKEY *pkey; /* EVP's route */
};

struct public_key {
    atomic_int refs;
    struct key key;
};

struct private_key {
    atomic_int refs;
    struct key key;
};

/* key_new_ec returns an empty key on this curve (P-256, P-384, P-521), else NULL. */
EC_KEY *key_new_ec(int nid);

/* key_set_* take over the object, also when they fail. false: no memory, or not such a key. */
bool key_set_ec(struct key *key, EC_KEY *ec);
bool key_set_rsa(struct key *key, RSA *rsa);
bool key_set_pkey(struct key *key, EVP_PKEY *pkey);
void key_clear(struct key *key);

/* key_equal: the public halves are the same. */
bool key_equal(const struct key *a, const struct key *b);

/* key_spki: see private_key_spki. */
bool key_spki(const struct key *key, uint8_t **out, size_t *out_len);

/* key_direct_*: the default provider serves these signatures. */
bool key_direct_ec(void);
bool key_direct_rsa(void);

/* key_sign and key_verify are in signature.c. Algorithm and key must fit, else they return
 * false. */
bool key_sign(const struct key *key, enum sig_id id, struct slice message, uint8_t *out,
              size_t *out_len);
bool key_verify(const struct key *key, enum sig_id id, struct slice message,
                struct slice signature);

#endif

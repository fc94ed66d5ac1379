/* hash.h: digests, HMAC and HKDF (RFC 2104, RFC 5869) on the cheapest route that libcrypto
 * has. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "bytes/bytes.h"

enum hash_id {
    HASH_NONE,
    HASH_SHA256,
    HASH_SHA384,
    HASH_SHA512,
    HASH_MD5,
    HASH_SHA1,
    HASH_MD5_SHA1, /* both, one behind the other (36 bytes): what TLS 1.0 and 1.1 hash with; it has
                    * no HMAC and no HKDF */
};
#define HASH_MAX_SIZE 64

/* A running digest, embedded; may be copied by assignment. No clean-up is needed beyond
 * wipe(). */
struct hash {
    enum hash_id id;
    uint64_t state[28];
};

size_t hash_size(enum hash_id id);
void hash_init(struct hash *h, enum hash_id id);
void hash_update(struct hash *h, const void *p, size_t n);
/* hash_digest writes the digest of what has come so far; h can go on. */
void hash_digest(const struct hash *h, uint8_t *out);
void hash_once(enum hash_id id, const void *p, size_t n, uint8_t *out);

/* A running HMAC, embedded; a keyed one may be copied by assignment to be used again, which
 * saves the two blocks of the key. hmac_final wipes it; one that is dropped instead needs
 * wipe(). */
struct hmac {
    struct hash inner, outer;
};

void hmac_init(struct hmac *m, enum hash_id id, const uint8_t *key, size_t key_len);
void hmac_update(struct hmac *m, const void *p, size_t n);
void hmac_final(struct hmac *m, uint8_t *out);

/* hmac of up to three parts (n may be 0). */
void hmac(enum hash_id id, const uint8_t *key, size_t key_len, struct slice a, struct slice b,
          struct slice c, uint8_t *out);

/* hkdf_extract: salt or ikm with len 0 and p NULL stand for hash_size zero bytes (as RFC
 * 8446 7.1 writes "0"). out has hash_size bytes. */
void hkdf_extract(enum hash_id id, struct slice salt, struct slice ikm, uint8_t *out);
/* hkdf_expand: prk has hash_size bytes; n at most 255 * hash_size. info may not overlap
 * out; prk may be out if n is at most hash_size. */
void hkdf_expand(enum hash_id id, const uint8_t *prk, struct slice info, uint8_t *out,
                 size_t n);

#endif

/* hash.c: SHA-2, SHA-1, MD5, HMAC (RFC 2104) and HKDF (RFC 5869).
 *
 * The low-level functions are deprecated in OpenSSL 3, but exported for as long as
 * libcrypto.so.3 lives. They cost a third to a ninth of their EVP counterparts, which fetch,
 * lock and allocate, and a digest state in place can be copied by assignment and cannot
 * fail. The bytes are the same whichever provider is configured. A provider of FIPS 140 has
 * no MD5, and a fetch would refuse it; what is here serves MD5 all the same, so that whoever
 * must not use it has to leave TLS 1.0 and 1.1 disabled, which they are unless asked for. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof((struct hash *)0)->state, "room for SHA-256");
_Static_assert(sizeof(SHA512_CTX) <= sizeof((struct hash *)0)->state, "room for SHA-512");

enum { SHA1_AT = 12 }; /* the word where SHA-1 begins: MD5 may stand before it */

_Static_assert(sizeof(MD5_CTX) <= SHA1_AT * sizeof(uint64_t), "room for MD5");
_Static_assert(SHA1_AT * sizeof(uint64_t) + sizeof(SHA_CTX) <= sizeof((struct hash *)0)->state,
               "room for both");

#define MAX_BLOCK 128

size_t hash_size(enum hash_id id)
{
    switch (id) {
    case HASH_SHA256: return 32;
    case HASH_SHA384: return 48;
    case HASH_SHA512: return 64;
    case HASH_MD5: return 16;
    case HASH_SHA1: return 20;
    case HASH_MD5_SHA1: return 36;
    case HASH_NONE: break;
    }
    return 0;
}

static size_t block_size(enum hash_id id)
{
    return id == HASH_SHA384 || id == HASH_SHA512 ? 128 : 64;
}

static SHA256_CTX *sha256(struct hash *h)
{
    return (SHA256_CTX *)(void *)h->state;
}

static SHA512_CTX *sha512(struct hash *h)
{
    return (SHA512_CTX *)(void *)h->state;
}

static MD5_CTX *md5(struct hash *h)
{
    return (MD5_CTX *)(void *)h->state;
}

static SHA_CTX *sha1(struct hash *h)
{
    return (SHA_CTX *)(void *)(h->state + SHA1_AT);
}

void hash_init(struct hash *h, enum hash_id id)
{
    h->id = id;
    switch (id) {
    case HASH_SHA256: SHA256_Init(sha256(h)); break;
    case HASH_SHA384: SHA384_Init(sha512(h)); break;
    case HASH_SHA512: SHA512_Init(sha512(h)); break;
    case HASH_MD5: MD5_Init(md5(h)); break;
    case HASH_SHA1: SHA1_Init(sha1(h)); break;
    case HASH_MD5_SHA1:
        MD5_Init(md5(h));
        SHA1_Init(sha1(h));
        break;
    case HASH_NONE: break;
    }
}

void hash_update(struct hash *h, const void *p, size_t n)
{
    if (n == 0)
        return;
    switch (h->id) {
    case HASH_SHA256: SHA256_Update(sha256(h), p, n); break;
    case HASH_SHA384:
    case HASH_SHA512: SHA512_Update(sha512(h), p, n); break;
    case HASH_MD5: MD5_Update(md5(h), p, n); break;
    case HASH_SHA1: SHA1_Update(sha1(h), p, n); break;
    case HASH_MD5_SHA1:
        MD5_Update(md5(h), p, n);
        SHA1_Update(sha1(h), p, n);
        break;
    case HASH_NONE: break;
    }
}

/* finish ends h itself; a copy is only made where the digest has to go on. */
static void finish(struct hash *h, uint8_t *out)
{
    switch (h->id) {
    case HASH_SHA256: SHA256_Final(out, sha256(h)); break;
    case HASH_SHA384: SHA384_Final(out, sha512(h)); break;
    case HASH_SHA512: SHA512_Final(out, sha512(h)); break;
    case HASH_MD5: MD5_Final(out, md5(h)); break;
    case HASH_SHA1: SHA1_Final(out, sha1(h)); break;
    case HASH_MD5_SHA1:
        MD5_Final(out, md5(h));
        SHA1_Final(out + 16, sha1(h));
        break;
    case HASH_NONE: break;
    }
}

void hash_digest(const struct hash *h, uint8_t *out)
{
    struct hash copy = *h;
    finish(&copy, out);
}

void hash_once(enum hash_id id, const void *p, size_t n, uint8_t *out)
{
    struct hash h;
    hash_init(&h, id);
    hash_update(&h, p, n);
    finish(&h, out);
}

void hmac_init(struct hmac *m, enum hash_id id, const uint8_t *key, size_t key_len)
{
    uint8_t pad[MAX_BLOCK] = {0};
    size_t block = block_size(id);
    if (key_len > block)
        hash_once(id, key, key_len, pad);
    else if (key_len)
        memcpy(pad, key, key_len);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36;
    hash_init(&m->inner, id);
    hash_update(&m->inner, pad, block);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    hash_init(&m->outer, id);
    hash_update(&m->outer, pad, block);
    wipe(pad, sizeof pad);
}

void hmac_update(struct hmac *m, const void *p, size_t n)
{
    hash_update(&m->inner, p, n);
}

void hmac_final(struct hmac *m, uint8_t *out)
{
    uint8_t digest[HASH_MAX_SIZE];
    size_t size = hash_size(m->inner.id);
    finish(&m->inner, digest);
    hash_update(&m->outer, digest, size);
    finish(&m->outer, out);
    wipe(digest, sizeof digest);
    wipe(m, sizeof *m);
}

void hmac(enum hash_id id, const uint8_t *key, size_t key_len, struct slice a, struct slice b,
          struct slice c, uint8_t *out)
{
    struct hmac m;
    hmac_init(&m, id, key, key_len);
    hmac_update(&m, a.p, a.len);
    hmac_update(&m, b.p, b.len);
    hmac_update(&m, c.p, c.len);
    hmac_final(&m, out);
}

void hkdf_extract(enum hash_id id, struct slice salt, struct slice ikm, uint8_t *out)
{
    static const uint8_t zeros[HASH_MAX_SIZE];
    struct slice zero = slice_of(zeros, hash_size(id));
    if (!salt.p)
        salt = zero;
    if (!ikm.p)
        ikm = zero;
    hmac(id, salt.p, salt.len, ikm, (struct slice){0}, (struct slice){0}, out);
}

/* T(i) = HMAC(PRK, T(i-1) | info | i)                                           RFC 5869 2.3
 *
 * Nearly all of TLS's expansions are one block, so keying anew for each is cheaper than
 * keeping a copy. */
void hkdf_expand(enum hash_id id, const uint8_t *prk, struct slice info, uint8_t *out, size_t n)
{
    size_t size = hash_size(id);
    uint8_t t[HASH_MAX_SIZE];
    struct hmac m;
    for (uint8_t i = 1; n > 0; i++) {
        hmac_init(&m, id, prk, size);
        hmac_update(&m, t, i == 1 ? 0 : size);
        hmac_update(&m, info.p, info.len);
        hmac_update(&m, &i, 1);
        hmac_final(&m, t);
        size_t part = n < size ? n : size;
        memcpy(out, t, part);
        out += part;
        n -= part;
    }
    wipe(t, sizeof t);
}

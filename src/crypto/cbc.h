/* cbc.h: AES-CBC with HMAC, the way TLS 1.0 to 1.2 combine them. */
#ifndef CRYPTO_CBC_H
#define CRYPTO_CBC_H

#include "crypto/hash.h"

enum cbc_id { CBC_NONE, CBC_NULL, CBC_AES_128, CBC_AES_256 };
#define CBC_BLOCK   16
#define CBC_MAX_MAC 48
#define CBC_HEAD    11

struct cbc; /* one direction: cipher key, HMAC key, and the IV where it is chained */

size_t cbc_key_size(enum cbc_id id); /* 0, 16, 32 */

/* What cbc_new needs; the pointers are read and not kept. */
struct cbc_keys {
    enum cbc_id cipher; /* CBC_NULL: only the MAC */
    enum hash_id mac;   /* SHA-1, SHA-256, SHA-384; its size is also that of mac_key */
    bool etm;           /* encrypt-then-MAC; not with CBC_NULL */
    const uint8_t *mac_key, *key;
    /* the first one, each message's last block is the next one's; NULL: every message begins
     * with an IV of its own */
    const uint8_t *iv;
};

/* cbc_new returns a context, or NULL (no memory, libcrypto lacks the cipher, keys that do
 * not go together). seal: for cbc_seal, else for cbc_open; the other one always fails. One
 * thread at a time. */
struct cbc *cbc_new(const struct cbc_keys *keys, bool seal);
void cbc_free(struct cbc *c);

/* cbc_chained: predictable IVs, against which application data must be split (BEAST). */
bool cbc_chained(const struct cbc *c);

/* cbc_sealed_size: what len bytes become: IV, content, MAC, padding of the least length. */
size_t cbc_sealed_size(const struct cbc *c, size_t len);

/* cbc_seal protects in[0..len), len below 2^16 - 512, and writes cbc_sealed_size bytes. head
 * is what the MAC covers before a length of two bytes and the content: seq_num, type,
 * version. in may be equal to out, but not overlap it otherwise. */
bool cbc_seal(struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *in, size_t len,
              uint8_t *out) __attribute__((warn_unused_result));

/* cbc_open takes the protection off p[0..len), len below 2^16, in place: *content points
 * into p. false: not authentic; p is then wiped. How long that takes depends on len alone,
 * whatever is wrong: padding, its length, or the MAC. */
bool cbc_open(struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
              uint8_t **content, size_t *content_len) __attribute__((warn_unused_result));

#endif

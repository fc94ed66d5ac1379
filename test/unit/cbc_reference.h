/* cbc_reference.h: records of TLS 1.0 to 1.2 by CBC and HMAC, put together step by step with
 * libcrypto's plain functions, with any padding and any fault in them. For tests. */
#ifndef CBC_REFERENCE_H
#define CBC_REFERENCE_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "check.h"
#include "crypto/cbc.h"

struct reference {
    enum cbc_id cipher;
    enum hash_id mac;
    bool etm, chained;
    uint8_t key[32], mac_key[CBC_MAX_MAC], iv[CBC_BLOCK]; /* iv: of the next record */
};

/* Faults. Places are counted from the end: of the padding, of the MAC. */
struct fault {
    unsigned pad;       /* padding_length; must fill the last block */
    int pad_at, mac_at; /* a byte that is wrong; -1: none */
    bool no_length;     /* the last byte says 255 whatever pad is */
};

#define NO_FAULT(p) ((struct fault){.pad = (p), .pad_at = -1, .mac_at = -1})

static const struct {
    enum cbc_id cipher;
    enum hash_id mac;
} reference_suites[] = {
    {CBC_AES_128, HASH_SHA1},   {CBC_AES_256, HASH_SHA1},   {CBC_AES_128, HASH_SHA256},
    {CBC_AES_256, HASH_SHA256}, {CBC_AES_256, HASH_SHA384}, {CBC_NULL, HASH_SHA1},
    {CBC_NULL, HASH_SHA256},    {CBC_NULL, HASH_SHA384},
};
#define REFERENCE_SUITES (sizeof reference_suites / sizeof *reference_suites)

static inline const EVP_MD *reference_md(enum hash_id mac)
{
    return mac == HASH_SHA1 ? EVP_sha1() : mac == HASH_SHA256 ? EVP_sha256() : EVP_sha384();
}

static inline struct reference reference_of(size_t suite, bool etm, bool chained)
{
    struct reference r = {.cipher = reference_suites[suite].cipher,
                          .mac = reference_suites[suite].mac,
                          .etm = etm,
                          .chained = chained};
    for (unsigned i = 0; i < sizeof r.mac_key; i++)
        r.mac_key[i] = (uint8_t)(i * 5 + 1);
    for (unsigned i = 0; i < sizeof r.key; i++)
        r.key[i] = (uint8_t)(i * 7 + 2);
    for (unsigned i = 0; i < sizeof r.iv; i++)
        r.iv[i] = (uint8_t)(i * 9 + 3);
    return r;
}

static inline struct cbc *reference_context(const struct reference *r, bool seal)
{
    struct cbc_keys keys = {.cipher = r->cipher,
                            .mac = r->mac,
                            .etm = r->etm,
                            .mac_key = r->mac_key,
                            .key = r->key,
                            .iv = r->chained ? r->iv : NULL};
    struct cbc *c = cbc_new(&keys, seal);
    CHECK(c != NULL);
    return c;
}

static inline size_t reference_mac(const struct reference *r, const uint8_t head[CBC_HEAD],
                                   const uint8_t *p, size_t len, uint8_t *out)
{
    unsigned n = 0;
    uint8_t *all = malloc(CBC_HEAD + 2 + len);
    memcpy(all, head, CBC_HEAD);
    put_u16(all + CBC_HEAD, (uint16_t)len);
    if (len)
        memcpy(all + CBC_HEAD + 2, p, len);
    CHECK(HMAC(reference_md(r->mac), r->mac_key, EVP_MD_get_size(reference_md(r->mac)), all,
               CBC_HEAD + 2 + len, out, &n) != NULL);
    free(all);
    return n;
}

static inline size_t reference_mac_size(const struct reference *r)
{
    return (size_t)EVP_MD_get_size(reference_md(r->mac));
}

/* The least padding_length that len bytes of content can have. */
static inline unsigned reference_least(const struct reference *r, size_t len)
{
    size_t inside = len + (r->etm ? 0 : reference_mac_size(r)) + 1;
    return (unsigned)((16 - inside % 16) % 16);
}

static inline size_t reference_crypt(const struct reference *r, bool seal, const uint8_t *iv,
                                     const uint8_t *in, size_t len, uint8_t *out)
{
    const EVP_CIPHER *cipher = r->cipher == CBC_AES_128 ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    int n = 0;
    CHECK(EVP_CipherInit_ex(x, cipher, NULL, r->key, iv, seal) == 1);
    CHECK(EVP_CIPHER_CTX_set_padding(x, 0) == 1);
    CHECK(EVP_CipherUpdate(x, out, &n, in, (int)len) == 1);
    EVP_CIPHER_CTX_free(x);
    return (size_t)n;
}

/* Writes a record's body: [IV] ENC(content [MAC] padding) [MAC], with a fault in it; its
 * size. r->iv goes on where it is chained. */
static inline size_t reference_seal(struct reference *r, const uint8_t head[CBC_HEAD],
                                    const uint8_t *content, size_t len, struct fault f,
                                    uint8_t *out)
{
    uint8_t mac[EVP_MAX_MD_SIZE], *plain = malloc(len + 64 + 256);
    size_t mac_len = reference_mac_size(r), n = len, at = 0;
    memcpy(plain, content, len);
    if (!r->etm || r->cipher == CBC_NULL) {
        reference_mac(r, head, content, len, plain + n);
        n += mac_len;
        if (f.mac_at >= 0)
            plain[n - 1 - (size_t)f.mac_at] ^= 0x80;
    }
    if (r->cipher == CBC_NULL) {
        memcpy(out, plain, n);
        free(plain);
        return n;
    }
    memset(plain + n, (int)f.pad, f.pad + 1);
    n += f.pad + 1;
    if (f.pad_at >= 0)
        plain[n - 1 - (size_t)f.pad_at] ^= 1;
    if (f.no_length)
        plain[n - 1] = 255;
    if (!r->chained) {
        memcpy(out, r->iv, 16);
        at = 16;
    }
    at += reference_crypt(r, true, r->iv, plain, n, out + at);
    memcpy(r->iv, out + at - 16, 16);
    free(plain);
    if (r->etm) {
        reference_mac(r, head, out, at, mac);
        if (f.mac_at >= 0)
            mac[mac_len - 1 - (size_t)f.mac_at] ^= 0x80;
        memcpy(out + at, mac, mac_len);
        at += mac_len;
    }
    return at;
}

#endif

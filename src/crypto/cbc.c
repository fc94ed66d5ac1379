/* cbc.c: AES-CBC and HMAC in both orders (RFC 5246 6.2.3.2, RFC 7366), and HMAC alone (RFC 5246
 * 6.2.3.1).
 *
 * MAC-then-encrypt asks for care when it is opened: until the MAC has been checked, the
 * length of the padding is a secret, and with it the length of the content and the place of
 * the MAC (Vaudenay's padding oracle, POODLE, Lucky Thirteen). No branch, no address and no
 * number of steps below depends on it, and all that can be wrong ends in one comparison. For
 * the same reason the low-level digests are used, whose single blocks can be computed (see
 * hash.c for what else speaks for them). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/cbc.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#include "crypto/cipher_route.h"
#include "crypto/random.h"

#define MAC_HEAD   (CBC_HEAD + 2) /* with the length */
#define MAX_BLOCK  128            /* of the digests */
#define MAX_PAD    255
#define MAX_LENGTH 65535

/* ---- digests, down to the single block */

struct digest {
    enum hash_id id;
    union {
        SHA_CTX sha1;
        SHA256_CTX sha256;
        SHA512_CTX sha512; /* of SHA-384 */
    };
};

static uint32_t block_size(enum hash_id id)
{
    return id == HASH_SHA384 ? 128 : 64;
}

static uint8_t mac_size(enum hash_id id)
{
    return id == HASH_SHA1 ? 20 : id == HASH_SHA256 ? 32 : id == HASH_SHA384 ? 48 : 0;
}

static void digest_init(struct digest *d, enum hash_id id)
{
    d->id = id;
    if (id == HASH_SHA1)
        SHA1_Init(&d->sha1);
    else if (id == HASH_SHA256)
        SHA256_Init(&d->sha256);
    else
        SHA384_Init(&d->sha512);
}

static void digest_update(struct digest *d, const uint8_t *p, size_t n)
{
    if (n == 0)
        return;
    if (d->id == HASH_SHA1)
        SHA1_Update(&d->sha1, p, n);
    else if (d->id == HASH_SHA256)
        SHA256_Update(&d->sha256, p, n);
    else
        SHA384_Update(&d->sha512, p, n);
}

static void digest_final(struct digest *d, uint8_t *out)
{
    if (d->id == HASH_SHA1)
        SHA1_Final(out, &d->sha1);
    else if (d->id == HASH_SHA256)
        SHA256_Final(out, &d->sha256);
    else
        SHA384_Final(out, &d->sha512);
}

static void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)(v >> 16));
    put_u16(p + 2, (uint16_t)v);
}

/* One block more, and what the digest would be if it were the last one. */
static void digest_block(struct digest *d, const uint8_t *block, uint8_t out[CBC_MAX_MAC])
{
    if (d->id == HASH_SHA1) {
        SHA1_Transform(&d->sha1, block);
        put_u32(out, d->sha1.h0);
        put_u32(out + 4, d->sha1.h1);
        put_u32(out + 8, d->sha1.h2);
        put_u32(out + 12, d->sha1.h3);
        put_u32(out + 16, d->sha1.h4);
    } else if (d->id == HASH_SHA256) {
        SHA256_Transform(&d->sha256, block);
        for (size_t i = 0; i < 8; i++)
            put_u32(out + 4 * i, d->sha256.h[i]);
    } else {
        SHA512_Transform(&d->sha512, block);
        for (size_t i = 0; i < 6; i++)
            put_u64(out + 8 * i, d->sha512.h[i]);
    }
}

/* ---- contexts */

struct cbc {
    EVP_CIPHER_CTX *cipher;     /* NULL: none */
    struct digest inner, outer; /* of the HMAC, with its key (RFC 2104) */
    uint8_t mac_size, iv_size;  /* iv_size: of the IV in front of each message */
    bool etm, seal;
};

struct cipher {
    struct cipher_route route;
    size_t key;
};

static struct cipher ciphers[] = {
    [CBC_NULL] = {.route.name = NULL},
    [CBC_AES_128] = {.route.name = "AES-128-CBC", .key = 16},
    [CBC_AES_256] = {.route.name = "AES-256-CBC", .key = 32},
};

static bool known(enum cbc_id id)
{
    return (size_t)id < sizeof ciphers / sizeof ciphers[0] && ciphers[id].route.name;
}

size_t cbc_key_size(enum cbc_id id)
{
    return known(id) ? ciphers[id].key : 0;
}

static void key_mac(struct cbc *c, enum hash_id id, const uint8_t *key)
{
    uint8_t pad[MAX_BLOCK] = {0};
    size_t block = block_size(id);
    memcpy(pad, key, c->mac_size);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36;
    digest_init(&c->inner, id);
    digest_update(&c->inner, pad, block);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    digest_init(&c->outer, id);
    digest_update(&c->outer, pad, block);
    wipe(pad, sizeof pad);
}

/* With IVs of their own, messages need none here: a first block that is random becomes, once
 * encrypted, the IV of what follows it, whatever came before (RFC 4346 6.2.3.2, method 2b);
 * decrypting it only takes it away. */
static bool key_cipher(struct cbc *c, const struct cbc_keys *keys, bool seal)
{
    static const uint8_t zero[CBC_BLOCK];
    const EVP_CIPHER *evp =
        known(keys->cipher) ? cipher_route_evp(&ciphers[keys->cipher].route) : NULL;
    c->cipher = evp ? EVP_CIPHER_CTX_new() : NULL;
    return c->cipher &&
           EVP_CipherInit_ex(c->cipher, evp, NULL, keys->key, keys->iv ? keys->iv : zero,
                             seal) > 0 &&
           EVP_CIPHER_CTX_set_padding(c->cipher, 0) > 0;
}

struct cbc *cbc_new(const struct cbc_keys *keys, bool seal)
{
    bool null = keys->cipher == CBC_NULL;
    if (!mac_size(keys->mac) || (null && keys->etm))
        return NULL;
    struct cbc *c = mem_new(sizeof *c);
    if (!c)
        return NULL;
    c->seal = seal;
    c->etm = keys->etm;
    c->mac_size = mac_size(keys->mac);
    c->iv_size = null || keys->iv ? 0 : CBC_BLOCK;
    key_mac(c, keys->mac, keys->mac_key);
    if (null || key_cipher(c, keys, seal))
        return c;
    cbc_free(c);
    return NULL;
}

void cbc_free(struct cbc *c)
{
    if (!c)
        return;
    EVP_CIPHER_CTX_free(c->cipher); /* wipes its key */
    mem_wipe_free(c, sizeof *c);
}

bool cbc_chained(const struct cbc *c)
{
    return c->cipher && !c->iv_size;
}

/* ---- both directions */

static bool crypt_blocks(struct cbc *c, const uint8_t *in, size_t len, uint8_t *out)
{
    int n;
    return len == 0 ||
           (EVP_CipherUpdate(c->cipher, out, &n, in, (int)len) > 0 && (size_t)n == len);
}

static void mac_head(const uint8_t head[CBC_HEAD], size_t len, uint8_t out[MAC_HEAD])
{
    memcpy(out, head, CBC_HEAD);
    put_u16(out + CBC_HEAD, (uint16_t)len);
}

static void mac_end(const struct cbc *c, const uint8_t *digest, uint8_t *out)
{
    struct digest d = c->outer;
    digest_update(&d, digest, c->mac_size);
    digest_final(&d, out);
    wipe(&d, sizeof d);
}

/* MAC(MAC_write_key, seq_num + TLSCompressed.type + TLSCompressed.version +
 *     TLSCompressed.length + TLSCompressed.fragment)                       RFC 5246 6.2.3.1 */
static void mac_of(const struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *p,
                   size_t len, uint8_t *out)
{
    NO_INIT uint8_t first[MAC_HEAD], digest[CBC_MAX_MAC];
    struct digest d = c->inner;
    mac_head(head, len, first);
    digest_update(&d, first, sizeof first);
    digest_update(&d, p, len);
    digest_final(&d, digest);
    mac_end(c, digest, out);
    wipe(&d, sizeof d);
    wipe(digest, sizeof digest);
}

/* ---- sealing */

static size_t mac_inside(const struct cbc *c)
{
    return c->etm ? 0 : c->mac_size;
}

/* Content, MAC if it is inside, and 1 to 16 bytes of padding with its length. */
static size_t padded_size(const struct cbc *c, size_t len)
{
    return (len + mac_inside(c)) / CBC_BLOCK * CBC_BLOCK + CBC_BLOCK;
}

size_t cbc_sealed_size(const struct cbc *c, size_t len)
{
    if (!c->cipher)
        return len + c->mac_size;
    return c->iv_size + padded_size(c, len) + (c->etm ? c->mac_size : 0);
}

/* struct {
 *     opaque IV[SecurityParameters.record_iv_length];
 *     block-ciphered struct {
 *         opaque content[TLSCompressed.length];
 *         opaque MAC[SecurityParameters.mac_length];
 *         uint8 padding[GenericBlockCipher.padding_length];
 *         uint8 padding_length;
 *     };
 * } GenericBlockCipher;                                                    RFC 5246 6.2.3.2
 *
 * mac is NULL where it does not stand inside. What is left of the content after its last
 * whole block is put together with the rest on the stack, so that the content is not copied. */
static bool seal_blocks(struct cbc *c, const uint8_t *in, size_t len, const uint8_t *mac,
                        uint8_t *out)
{
    NO_INIT uint8_t end[CBC_BLOCK + CBC_MAX_MAC + CBC_BLOCK];
    size_t total = padded_size(c, len), body = len / CBC_BLOCK * CBC_BLOCK, rest = len - body;
    size_t at = rest;
    if (rest)
        memcpy(end, in + body, rest);
    if (mac) {
        memcpy(end + at, mac, c->mac_size);
        at += c->mac_size;
    }
    size_t pad = total - body - at;
    memset(end + at, (int)(pad - 1), pad);
    bool ok = (!c->iv_size ||
               (random_bytes(out, c->iv_size) && crypt_blocks(c, out, c->iv_size, out))) &&
              crypt_blocks(c, in, body, out + c->iv_size) &&
              crypt_blocks(c, end, total - body, out + c->iv_size + body);
    wipe(end, total - body);
    return ok;
}

/* Content and MAC: GenericStreamCipher, RFC 5246 6.2.3.1. */
static bool seal_null(const struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *in,
                      size_t len, uint8_t *out)
{
    mac_of(c, head, in, len, out + len);
    if (len && in != out)
        memcpy(out, in, len);
    return true;
}

bool cbc_seal(struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *in, size_t len,
              uint8_t *out)
{
    NO_INIT uint8_t mac[CBC_MAX_MAC];
    if (!c->seal || len > MAX_LENGTH - 512)
        return false;
    if (!c->cipher)
        return seal_null(c, head, in, len, out);
    if (in == out && c->iv_size) {
        memmove(out + c->iv_size, in, len); /* to make room for the IV */
        in = out + c->iv_size;
    }
    if (!c->etm) {
        mac_of(c, head, in, len, mac);
        return seal_blocks(c, in, len, mac, out);
    }
    /* MAC(MAC_write_key, seq_num + TLSCipherText.type + TLSCipherText.version +
     *     TLSCipherText.length + IV + ENC(content + padding + padding_length))   RFC 7366 3 */
    size_t sealed = c->iv_size + padded_size(c, len);
    if (!seal_blocks(c, in, len, NULL, out))
        return false;
    mac_of(c, head, out, sealed, out + sealed);
    return true;
}

/* ---- opening: masks, all bits set for true. Numbers are below 2^31. */

/* The compiler may not find out that a mask is one of two values, and branch. */
static inline uint32_t hide(uint32_t x)
{
    __asm__("" : "+r"(x));
    return x;
}

static inline uint32_t less(uint32_t a, uint32_t b)
{
    return hide(0 - ((a - b) >> 31));
}

static inline uint32_t equal(uint32_t a, uint32_t b)
{
    return ~less(0, a ^ b);
}

/* What stands at the end of p: the number of bytes of padding with their length byte, 1 to
 * 256; 1 if that is wrong, as good as any other. `good` is all ones or zero. Every byte of
 * the padding must hold its length (RFC 5246 6.2.3.2), and there must be room for it and
 * `mac` more bytes. */
static uint32_t padding(const uint8_t *p, uint32_t len, uint32_t mac, uint32_t *good)
{
    uint32_t pad = p[len - 1], wrong = 0;
    uint32_t most = len <= MAX_PAD ? len - 1 : MAX_PAD;
    for (uint32_t i = 1; i <= most; i++)
        wrong |= less(i, pad + 1) & (p[len - 1 - i] ^ pad);
    *good = equal(wrong, 0) & less(mac + pad, len);
    return (pad & *good) + 1;
}

/* The bytes of a message that a digest of secret length may or may not cover, with its padding
 * (FIPS 180-4, 5.1). */
struct ending {
    uint8_t bytes[512];
    uint32_t block, blocks, last; /* last is secret: the block that holds the length */
};

/* used (secret): how many of e->bytes are content; most: the most that may be; total
 * (secret): length of the whole message. */
static void end_message(struct ending *e, uint32_t used, uint32_t most, uint32_t total)
{
    uint32_t field = e->block / 8; /* of the length */
    uint32_t log = e->block == 128 ? 7 : 6;
    e->blocks = (most + field) / e->block + 1;
    e->last = (used + field) >> log;
    for (uint32_t i = 0; i < e->blocks * e->block; i++)
        e->bytes[i] = (uint8_t)((e->bytes[i] & less(i, used)) | (0x80 & equal(i, used)));
    for (uint32_t i = 0; i < e->blocks; i++) {
        uint8_t *end = e->bytes + (i + 1) * e->block;
        for (unsigned j = 1; j <= 4; j++)
            end[-(int)j] |= (uint8_t)((total * 8 >> 8 * (j - 1)) & equal(i, e->last));
    }
}

/* mac_of for a secret length between max - 255 and max: as many blocks are computed as max
 * needs, and the digest behind the right one is picked. */
static void mac_of_secret(const struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *p,
                          uint32_t len, uint32_t max, uint8_t *out)
{
    NO_INIT uint8_t first[MAC_HEAD], after[CBC_MAX_MAC];
    uint8_t digest[CBC_MAX_MAC] = {0};
    struct ending e = {.block = block_size(c->inner.id)};
    struct digest d = c->inner;
    uint32_t least = MAC_HEAD + (max > MAX_PAD ? max - MAX_PAD : 0);
    uint32_t sure = least / e.block * e.block; /* bytes that are covered in any case */
    uint32_t most = MAC_HEAD + max - sure;
    mac_head(head, len, first);
    if (sure) {
        digest_update(&d, first, MAC_HEAD);
        digest_update(&d, p, sure - MAC_HEAD);
        memcpy(e.bytes, p + sure - MAC_HEAD, most);
    } else {
        memcpy(e.bytes, first, MAC_HEAD);
        memcpy(e.bytes + MAC_HEAD, p, max);
    }
    end_message(&e, MAC_HEAD + len - sure, most, e.block + MAC_HEAD + len);
    for (uint32_t i = 0; i < e.blocks; i++) {
        uint32_t right = equal(i, e.last);
        digest_block(&d, e.bytes + i * e.block, after);
        for (uint32_t j = 0; j < c->mac_size; j++)
            digest[j] |= (uint8_t)(after[j] & right);
    }
    mac_end(c, digest, out);
    wipe(&e, sizeof e);
    wipe(&d, sizeof d);
    wipe(digest, sizeof digest);
}

/* Copies n bytes from the secret place p + at, at most n + 255 bytes before the end of p:
 * what may hold them is moved to the front by 128 bytes or not, by 64 or not, and so on. */
static void copy_from_secret(const uint8_t *p, uint32_t len, uint32_t at, uint32_t n,
                             uint8_t *out)
{
    uint8_t window[MAX_PAD + CBC_MAX_MAC + 128] = {0};
    uint32_t size = n + MAX_PAD < len ? n + MAX_PAD : len, skipped = len - size;
    memcpy(window, p + skipped, size);
    at -= skipped;
    for (uint32_t step = 128; step; step >>= 1) {
        uint64_t move = 0 - (uint64_t)(equal(at & step, step) & 1), here, there;
        for (uint32_t i = 0; i < n + step; i += 8) {
            memcpy(&here, window + i, 8);
            memcpy(&there, window + i + step, 8);
            here ^= move & (here ^ there);
            memcpy(window + i, &here, 8);
        }
    }
    memcpy(out, window, n);
    wipe(window, sizeof window);
}

/* MAC-then-encrypt, decrypted: content, MAC, padding. */
static bool check_inside(const struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *p,
                         size_t total, size_t *content_len)
{
    NO_INIT uint8_t found[CBC_MAX_MAC + 1], right[CBC_MAX_MAC + 1];
    uint32_t len = (uint32_t)total, mac = c->mac_size, good;
    uint32_t pad = padding(p, len, mac, &good);
    uint32_t content = len - mac - pad;
    copy_from_secret(p, len - 1, content, mac, found);
    mac_of_secret(c, head, p, content, len - mac - 1, right);
    /* One comparison, so that not even its result tells which of the two was wrong. */
    found[mac] = (uint8_t)good;
    right[mac] = 0xff;
    bool ok = ct_equal(found, right, mac + 1);
    wipe(right, sizeof right);
    *content_len = ok ? content : 0;
    ct_public(content_len, sizeof *content_len);
    return ok;
}

static bool open_inside(struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
                        uint8_t **content, size_t *content_len)
{
    size_t least = c->iv_size + padded_size(c, 0);
    if (len % CBC_BLOCK || len < least || !crypt_blocks(c, p, len, p))
        return false;
    *content = p + c->iv_size;
    return check_inside(c, head, p + c->iv_size, len - c->iv_size, content_len);
}

static bool open_etm(struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
                     uint8_t **content, size_t *content_len)
{
    NO_INIT uint8_t mac[CBC_MAX_MAC];
    uint32_t good;
    size_t least = (size_t)c->iv_size + CBC_BLOCK + c->mac_size;
    if (len < least || (len - c->mac_size) % CBC_BLOCK)
        return false;
    len -= c->mac_size;
    mac_of(c, head, p, len, mac);
    bool ok = ct_equal(mac, p + len, c->mac_size);
    wipe(mac, sizeof mac);
    if (!ok || !crypt_blocks(c, p, len, p))
        return false;
    *content = p + c->iv_size;
    len -= c->iv_size;
    size_t pad = padding(*content, (uint32_t)len, 0, &good);
    /* Authentic: nobody but the peer can have chosen it. */
    ct_public(&good, sizeof good);
    ct_public(&pad, sizeof pad);
    *content_len = len - pad;
    return good != 0;
}

static bool open_null(const struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
                      uint8_t **content, size_t *content_len)
{
    NO_INIT uint8_t mac[CBC_MAX_MAC];
    if (len < c->mac_size)
        return false;
    *content = p;
    *content_len = len - c->mac_size;
    mac_of(c, head, p, *content_len, mac);
    bool ok = ct_equal(mac, p + *content_len, c->mac_size);
    wipe(mac, sizeof mac);
    return ok;
}

bool cbc_open(struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
              uint8_t **content, size_t *content_len)
{
    bool ok = !c->seal && len <= MAX_LENGTH &&
              (!c->cipher ? open_null(c, head, p, len, content, content_len)
               : c->etm   ? open_etm(c, head, p, len, content, content_len)
                          : open_inside(c, head, p, len, content, content_len));
    if (!ok)
        wipe(p, len); /* plaintext that nobody has vouched for */
    return ok;
}

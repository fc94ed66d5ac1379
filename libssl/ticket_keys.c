/* ticket_keys.c: the format of OpenSSL's tickets (RFC 5077 4): the name of the keys, an IV, the SSL_SESSION under
 * AES-256-CBC, and an HMAC-SHA256 of all that comes before. A context's own keys are used by the engine, which
 * fetches no algorithms; a callback is given libcrypto's objects to fill in. */
#include "libssl/ticket_keys.h"

enum { IV = 16, HMAC_KEY = 32, OWN_TAG = 32 };

static const unsigned char *name_of(const SSL_CTX *ctx)
{
    return ctx->ticket_keys;
}

static const unsigned char *aes_key(const SSL_CTX *ctx)
{
    return ctx->ticket_keys + TICKET_NAME + HMAC_KEY;
}

void tickets_use_keys(SSL_CTX *ctx)
{
    access_hmac_init(&ctx->ticket_hmac, ctx->ticket_keys + TICKET_NAME, HMAC_KEY);
    ctx->ticket_keys_made = true;
}

bool tickets_make_keys(SSL_CTX *ctx)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (ctx->ticket_keys_made)
        return true;
    (void)pthread_mutex_lock(&lock);
    if (!ctx->ticket_keys_made && access_random(ctx->ticket_keys, sizeof ctx->ticket_keys))
        tickets_use_keys(ctx);
    bool made = ctx->ticket_keys_made;
    (void)pthread_mutex_unlock(&lock);
    return made;
}

/* ---- whose keys */

void ticket_keys_clear(struct ticket_keys *k)
{
    EVP_CIPHER_CTX_free(k->cipher);
    EVP_MAC_CTX_free(k->mac);
    HMAC_CTX_free(k->hmac);
}

bool ticket_keys_init(struct ticket_keys *k, SSL *s)
{
    SSL_CTX *ctx = s->session_ctx;
    *k = (struct ticket_keys){0};
    if (!ctx->ticket_key_evp_cb && !ctx->ticket_key_cb) {
        k->own = ctx;
        return tickets_make_keys(ctx);
    }
    k->cipher = EVP_CIPHER_CTX_new();
    if (!ctx->ticket_key_evp_cb) {
        k->hmac = HMAC_CTX_new();
    } else {
        EVP_MAC *mac = EVP_MAC_fetch(ctx->libctx, "HMAC", ctx->propq);
        k->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
        EVP_MAC_free(mac);
    }
    return k->cipher && (k->hmac || k->mac);
}

int ticket_keys_choose(struct ticket_keys *k, SSL *s, bool encrypt)
{
    SSL_CTX *ctx = s->session_ctx;
    if (!k->own && k->mac)
        return ctx->ticket_key_evp_cb(s, k->name, k->iv, k->cipher, k->mac, encrypt);
    if (!k->own)
        return ctx->ticket_key_cb(s, k->name, k->iv, k->cipher, k->hmac, encrypt);
    if (!encrypt)
        return memcmp(k->name, name_of(ctx), TICKET_NAME) == 0;
    memcpy(k->name, name_of(ctx), TICKET_NAME);
    return access_random(k->iv, IV) ? 1 : -1;
}

/* ---- their use */

static size_t iv_size(const struct ticket_keys *k)
{
    return k->own ? IV : (size_t)EVP_CIPHER_CTX_get_iv_length(k->cipher);
}

static size_t tag_size(const struct ticket_keys *k)
{
    if (k->own)
        return OWN_TAG;
    return k->hmac ? HMAC_size(k->hmac) : EVP_MAC_CTX_get_mac_size(k->mac);
}

static bool make_tag(const struct ticket_keys *k, const unsigned char *p, size_t len,
                     unsigned char out[EVP_MAX_MD_SIZE])
{
    unsigned size = 0;
    size_t written = 0;
    if (k->own) {
        access_hmac_sha256(&k->own->ticket_hmac, p, len, out);
        return true;
    }
    if (k->hmac)
        return HMAC_Update(k->hmac, p, len) > 0 && HMAC_Final(k->hmac, out, &size) > 0;
    return EVP_MAC_update(k->mac, p, len) > 0 &&
           EVP_MAC_final(k->mac, out, &written, EVP_MAX_MD_SIZE) > 0;
}

static bool crypt(const struct ticket_keys *k, bool encrypt, const unsigned char *in,
                  size_t len, unsigned char *out, size_t *out_len)
{
    int first = 0, last = 0;
    if (k->own)
        return access_aes_cbc(aes_key(k->own), k->iv, encrypt, in, len, out, out_len);
    bool ok = EVP_CipherUpdate(k->cipher, out, &first, in, (int)len) > 0 &&
              EVP_CipherFinal_ex(k->cipher, out + first, &last) > 0;
    *out_len = (size_t)first + (size_t)last;
    return ok;
}

size_t ticket_keys_encrypt(const struct ticket_keys *k, const unsigned char *der,
                           size_t der_len, unsigned char *out, size_t size)
{
    unsigned char tag[EVP_MAX_MD_SIZE];
    size_t head = TICKET_NAME + iv_size(k), tag_len = tag_size(k), len;

    if (head + der_len + EVP_MAX_BLOCK_LENGTH + tag_len > size)
        return 0;
    memcpy(out, k->name, TICKET_NAME);
    memcpy(out + TICKET_NAME, k->iv, head - TICKET_NAME);
    if (!crypt(k, true, der, der_len, out + head, &len) || !make_tag(k, out, head + len, tag))
        return size + 1;
    memcpy(out + head + len, tag, tag_len);
    return head + len + tag_len;
}

unsigned char *ticket_keys_decrypt(const struct ticket_keys *k, const unsigned char *ticket,
                                   size_t len, size_t *der_len, size_t *size)
{
    size_t head = TICKET_NAME + iv_size(k), tag_len = tag_size(k);
    unsigned char tag[EVP_MAX_MD_SIZE];

    if (tag_len == 0 || len <= head + tag_len || len > TICKET_MAX)
        return NULL;
    len -= tag_len;
    if (!make_tag(k, ticket, len, tag) || CRYPTO_memcmp(tag, ticket + len, tag_len) != 0)
        return NULL;
    *size = len - head + EVP_MAX_BLOCK_LENGTH;
    unsigned char *der = OPENSSL_malloc(*size);
    if (der && crypt(k, false, ticket + head, len - head, der, der_len))
        return der;
    OPENSSL_clear_free(der, *size);
    return NULL;
}

/* aes_cbc.c: AES-256-CBC on either route. */
#include "crypto/aes_cbc.h"

#include <limits.h>
#include <openssl/err.h>

#include "crypto/cipher_route.h"

static struct cipher_route route = {.name = "AES-256-CBC"};

static bool run_direct(const uint8_t *key, const uint8_t *iv, bool encrypt, const uint8_t *in,
                       size_t len, uint8_t *out, size_t *out_len)
{
    OSSL_FUNC_cipher_encrypt_init_fn *init = encrypt ? route.encrypt_init : route.decrypt_init;
    size_t first = 0, last = 0, size = len + AES_CBC_BLOCK;
    void *ctx = route.newctx(route.provctx);
    bool ok = ctx && init(ctx, key, AES_CBC_KEY, iv, AES_CBC_BLOCK, NULL) > 0 &&
              route.update(ctx, out, &first, size, in, len) > 0 &&
              route.final(ctx, out + first, &last, size - first) > 0;
    if (ctx)
        route.freectx(ctx); /* wipes its key */
    *out_len = first + last;
    return ok;
}

static bool run_evp(const uint8_t *key, const uint8_t *iv, bool encrypt, const uint8_t *in,
                    size_t len, uint8_t *out, size_t *out_len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int first = 0, last = 0;
    bool ok = ctx && len <= INT_MAX - AES_CBC_BLOCK &&
              EVP_CipherInit_ex2(ctx, cipher_route_evp(&route), key, iv, encrypt, NULL) > 0 &&
              EVP_CipherUpdate(ctx, out, &first, in, (int)len) > 0 &&
              EVP_CipherFinal_ex(ctx, out + first, &last) > 0;
    EVP_CIPHER_CTX_free(ctx);
    *out_len = (size_t)first + (size_t)last;
    return ok;
}

bool aes_cbc(const uint8_t key[AES_CBC_KEY], const uint8_t iv[AES_CBC_BLOCK], bool encrypt,
             const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
    *out_len = 0;
    if (!cipher_route_find(&route))
        return false;
    ERR_set_mark();
    bool ok = cipher_route_direct(&route) ? run_direct(key, iv, encrypt, in, len, out, out_len)
                                          : run_evp(key, iv, encrypt, in, len, out, out_len);
    ERR_pop_to_mark();
    return ok;
}

/* cipher_route.c: finds the functions of a cipher.
 *
 * The first EVP_CIPHER_fetch of a process makes an object of every cipher that the default provider has: 0.4 ms.
 * Where that provider is the only one there can be, its table is read without. */
#include "crypto/cipher_route.h"

#include <openssl/err.h>

EVP_CIPHER *cipher_route_evp(struct cipher_route *r)
{
    if (once_begin(&r->evp_once)) {
        ERR_set_mark();
        r->evp = EVP_CIPHER_fetch(NULL, r->name, NULL);
        ERR_pop_to_mark();
        once_end(&r->evp_once);
    }
    return r->evp;
}

static void find_direct(struct cipher_route *r, const OSSL_PROVIDER *prov)
{
    const OSSL_DISPATCH *f = provider_functions(prov, OSSL_OP_CIPHER, r->name);
    r->provctx = OSSL_PROVIDER_get0_provider_ctx(prov);
    r->newctx = (OSSL_FUNC_cipher_newctx_fn *)provider_function(f, OSSL_FUNC_CIPHER_NEWCTX);
    r->freectx = (OSSL_FUNC_cipher_freectx_fn *)provider_function(f, OSSL_FUNC_CIPHER_FREECTX);
    r->encrypt_init =
        (OSSL_FUNC_cipher_encrypt_init_fn *)provider_function(f, OSSL_FUNC_CIPHER_ENCRYPT_INIT);
    r->decrypt_init =
        (OSSL_FUNC_cipher_decrypt_init_fn *)provider_function(f, OSSL_FUNC_CIPHER_DECRYPT_INIT);
    r->update = (OSSL_FUNC_cipher_update_fn *)provider_function(f, OSSL_FUNC_CIPHER_UPDATE);
    r->final = (OSSL_FUNC_cipher_final_fn *)provider_function(f, OSSL_FUNC_CIPHER_FINAL);
    r->get_params = (OSSL_FUNC_cipher_get_ctx_params_fn *)provider_function(
        f, OSSL_FUNC_CIPHER_GET_CTX_PARAMS);
    r->set_params = (OSSL_FUNC_cipher_set_ctx_params_fn *)provider_function(
        f, OSSL_FUNC_CIPHER_SET_CTX_PARAMS);
    r->direct = r->newctx && r->freectx && r->encrypt_init && r->decrypt_init && r->update &&
                r->final && r->get_params && r->set_params;
}

bool cipher_route_find(struct cipher_route *r)
{
    if (once_begin(&r->once)) {
        const OSSL_PROVIDER *sole = provider_sole();
        if (sole)
            find_direct(r, sole);
        if (!r->direct && cipher_route_evp(r) &&
            provider_is_direct(EVP_CIPHER_get0_provider(r->evp)))
            find_direct(r, EVP_CIPHER_get0_provider(r->evp));
        once_end(&r->once);
    }
    return r->direct || cipher_route_evp(r);
}

bool cipher_route_direct(const struct cipher_route *r)
{
    return r->direct && !provider_evp_only();
}

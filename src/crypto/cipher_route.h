/* cipher_route.h: the way to one of libcrypto's ciphers: the default provider's functions, or EVP where another
 * provider serves it. For this room only. */
#ifndef CRYPTO_CIPHER_ROUTE_H
#define CRYPTO_CIPHER_ROUTE_H

#include "crypto/provider.h"

/* Lives in a table row that has a name; the rest is found out once. */
struct cipher_route {
    const char *name;
    struct once once, evp_once;
    EVP_CIPHER *evp; /* see cipher_route_evp */
    bool direct;     /* the functions below are there */
    void *provctx;
    OSSL_FUNC_cipher_newctx_fn *newctx;
    OSSL_FUNC_cipher_freectx_fn *freectx;
    OSSL_FUNC_cipher_encrypt_init_fn *encrypt_init;
    OSSL_FUNC_cipher_decrypt_init_fn *decrypt_init;
    OSSL_FUNC_cipher_update_fn *update;
    OSSL_FUNC_cipher_final_fn *final;
    OSSL_FUNC_cipher_get_ctx_params_fn *get_params;
    OSSL_FUNC_cipher_set_ctx_params_fn *set_params;
};

/* cipher_route_find: this libcrypto has the cipher. */
bool cipher_route_find(struct cipher_route *r);

/* cipher_route_direct: to be taken now (tests turn it off). After cipher_route_find. */
bool cipher_route_direct(const struct cipher_route *r);

/* cipher_route_evp fetches the cipher when it is first asked for, and keeps it until the process ends; NULL: not in
 * this libcrypto. */
EVP_CIPHER *cipher_route_evp(struct cipher_route *r);

#endif

/* provider.h: who serves an algorithm in this process, and the provider's own functions
 * without EVP in between. For this room only.
 *
 * Direct routes (a provider's dispatch functions, low-level arithmetic) are faster than EVP,
 * but they compute what the default provider computes. They are therefore taken only where
 * an ordinary fetch, which honours the configuration file, the default property query
 * (fips=yes) and every provider that the application has loaded, gives the default provider.
 * In all other cases EVP is used. */
#ifndef CRYPTO_PROVIDER_H
#define CRYPTO_PROVIDER_H

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bytes/bytes.h"

/* Something that is found out once per process. Unlike pthread_once, it can live in a table
 * row; one may need another. The zero state is ready for use, because an all-zero mutex is
 * an unlocked one on every C library of Linux. */
struct once {
    atomic_bool done;
    pthread_mutex_t lock;
};

/* once_begin returns true to the one caller that has to do the work, which then calls once_end.
 * Others wait; they and later ones get false, and see what was done. */
bool once_begin(struct once *once);
void once_end(struct once *once);

/* provider_is_direct: this provider is the default provider, and direct routes are allowed. */
bool provider_is_direct(const OSSL_PROVIDER *prov);

/* provider_sole returns the default provider if nothing that an ordinary fetch honours could lead to another one
 * for an algorithm that it has; NULL: fetch. It stays loaded. */
const OSSL_PROVIDER *provider_sole(void);

/* provider_functions returns the provider's dispatch table for an algorithm, or NULL. */
const OSSL_DISPATCH *provider_functions(const OSSL_PROVIDER *prov, int operation,
                                        const char *name);

/* provider_function returns one function of a table, or NULL. The caller converts its type. */
void (*provider_function(const OSSL_DISPATCH *table, int id))(void);

/* provider_direct_keyexch and provider_direct_signature: an ordinary fetch of this algorithm
 * gives the default provider. */
bool provider_direct_keyexch(const char *name);
bool provider_direct_signature(const char *name);

/* provider_test_evp_only turns the direct routes off for AEADs and key exchanges made from
 * now on, and for keys if it is called before the first of them is read; used by tests. */
void provider_test_evp_only(bool on);
bool provider_evp_only(void);

/* provider_fips: the default property query asks for FIPS-validated algorithms. Found out
 * once. */
bool provider_fips(void);

#endif

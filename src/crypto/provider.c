/* provider.c: finds the default provider's functions through libcrypto's public provider
 * API. */
#include "crypto/provider.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <strings.h>

#include "crypto/random.h"

static atomic_bool evp_only;

bool once_begin(struct once *once)
{
    if (atomic_load_explicit(&once->done, memory_order_acquire))
        return false;
    pthread_mutex_lock(&once->lock);
    if (!atomic_load_explicit(&once->done, memory_order_relaxed))
        return true;
    pthread_mutex_unlock(&once->lock);
    return false;
}

void once_end(struct once *once)
{
    atomic_store_explicit(&once->done, true, memory_order_release);
    pthread_mutex_unlock(&once->lock);
}

void provider_test_evp_only(bool on)
{
    atomic_store(&evp_only, on);
}

bool provider_evp_only(void)
{
    return atomic_load_explicit(&evp_only, memory_order_relaxed);
}

bool provider_is_direct(const OSSL_PROVIDER *prov)
{
    return prov && !provider_evp_only() &&
           strcmp(OSSL_PROVIDER_get0_name(prov), "default") == 0;
}

/* Those that come with libcrypto have names of their own for all that they have, but for the one that is validated
 * (FIPS 140). */
static int look(OSSL_PROVIDER *prov, void *arg)
{
    bool *alone = arg;
    const char *name = OSSL_PROVIDER_get0_name(prov);
    *alone = *alone && name &&
             (!strcmp(name, "default") || !strcmp(name, "base") || !strcmp(name, "legacy") ||
              !strcmp(name, "null"));
    return 1;
}

const OSSL_PROVIDER *provider_sole(void)
{
    bool alone = !provider_evp_only();
    const OSSL_PROVIDER *sole = NULL;
    if (!alone || !crypto_init())
        return NULL;
    ERR_set_mark();
    /* A default property query may keep this provider from serving. */
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    alone = md && provider_is_direct(EVP_MD_get0_provider(md)) &&
            OSSL_PROVIDER_do_all(NULL, look, &alone) == 1 && alone;
    if (alone)
        sole = OSSL_PROVIDER_try_load(NULL, "default", 1);
    EVP_MD_free(md);
    ERR_pop_to_mark();
    return sole;
}

/* An algorithm has several names, separated by colons:
 * "AES-128-GCM:id-aes128-GCM:2.16.840...". */
static bool has_name(const char *names, const char *name)
{
    size_t len = strlen(name);
    for (;;) {
        size_t n = strcspn(names, ":");
        if (n == len && strncasecmp(names, name, n) == 0)
            return true;
        if (!names[n])
            return false;
        names += n + 1;
    }
}

const OSSL_DISPATCH *provider_functions(const OSSL_PROVIDER *prov, int operation,
                                        const char *name)
{
    int no_cache = 0;
    const OSSL_ALGORITHM *list = OSSL_PROVIDER_query_operation(prov, operation, &no_cache);
    const OSSL_DISPATCH *found = NULL;
    /* A list that may not be kept could be gone after unquery: EVP knows how to deal with
     * that. */
    for (const OSSL_ALGORITHM *row = list; row && row->algorithm_names && !no_cache; row++) {
        if (has_name(row->algorithm_names, name)) {
            found = row->implementation;
            break;
        }
    }
    OSSL_PROVIDER_unquery_operation(prov, operation, list);
    return found;
}

void (*provider_function(const OSSL_DISPATCH *table, int id))(void)
{
    for (; table && table->function_id; table++) {
        if (table->function_id == id)
            return table->function;
    }
    return NULL;
}

bool provider_direct_keyexch(const char *name)
{
    ERR_set_mark();
    EVP_KEYEXCH *kx = EVP_KEYEXCH_fetch(NULL, name, NULL);
    ERR_pop_to_mark();
    bool direct = kx && provider_is_direct(EVP_KEYEXCH_get0_provider(kx));
    EVP_KEYEXCH_free(kx);
    return direct;
}

bool provider_direct_signature(const char *name)
{
    ERR_set_mark();
    EVP_SIGNATURE *sig = EVP_SIGNATURE_fetch(NULL, name, NULL);
    ERR_pop_to_mark();
    bool direct = sig && provider_is_direct(EVP_SIGNATURE_get0_provider(sig));
    EVP_SIGNATURE_free(sig);
    return direct;
}

bool provider_fips(void)
{
    static struct once once;
    static bool fips;
    if (once_begin(&once)) {
        fips = EVP_default_properties_is_fips_enabled(NULL) == 1;
        once_end(&once);
    }
    return fips;
}

bool crypto_init(void)
{
    static struct once once;
    static bool ok;
    if (once_begin(&once)) {
        /* With its configuration file: that is where a system sets its providers and its
         * policy. */
        ok = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1;
        once_end(&once);
    }
    return ok;
}

const char *crypto_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

unsigned long crypto_version_number(void)
{
    return OpenSSL_version_num();
}

void crypto_error_text(char *out, size_t size)
{
    if (size)
        out[0] = 0;
    const char *data = NULL;
    int flags = 0;
    /* The last entry is the outermost and says least; the first one is the cause. */
    unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    if (code && size) {
        const char *reason = ERR_reason_error_string(code);
        const char *sep = (flags & ERR_TXT_STRING) && data && *data ? ": " : "";
        char number[32];
        snprintf(number, sizeof number, "error %08lx", code);
        snprintf(out, size, "%s%s%s", reason ? reason : number, sep, *sep ? data : "");
    }
    ERR_clear_error();
}

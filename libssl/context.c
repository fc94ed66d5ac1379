/* context.c: SSL_CTX and SSL_METHOD. */
#include "libssl/fetch.h"
#include "libssl/local.h"

#include <openssl/crypto.h>

#define METHOD(name, version, client, server)                                                  \
    const SSL_METHOD *name(void)                                                               \
    {                                                                                          \
        static const SSL_METHOD method = {version, client, server, false};                     \
        return &method;                                                                        \
    }

METHOD(TLS_method, TLS_ANY_VERSION, true, true)
METHOD(TLS_client_method, TLS_ANY_VERSION, true, false)
METHOD(TLS_server_method, TLS_ANY_VERSION, false, true)
METHOD(TLSv1_method, TLS1_VERSION, true, true)
METHOD(TLSv1_client_method, TLS1_VERSION, true, false)
METHOD(TLSv1_server_method, TLS1_VERSION, false, true)
METHOD(TLSv1_1_method, TLS1_1_VERSION, true, true)
METHOD(TLSv1_1_client_method, TLS1_1_VERSION, true, false)
METHOD(TLSv1_1_server_method, TLS1_1_VERSION, false, true)
METHOD(TLSv1_2_method, TLS1_2_VERSION, true, true)
METHOD(TLSv1_2_client_method, TLS1_2_VERSION, true, false)
METHOD(TLSv1_2_server_method, TLS1_2_VERSION, false, true)

/* ---- the library */

int OPENSSL_init_ssl(uint64_t opts, const OPENSSL_INIT_SETTINGS *settings)
{
    access_init();
    /* Texts of error codes and openssl.cnf, which libcrypto reads, unless the program forbids it. */
    if (!(opts & OPENSSL_INIT_NO_LOAD_CONFIG))
        opts |= OPENSSL_INIT_LOAD_CONFIG;
    return OPENSSL_init_crypto(
               opts | OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS, settings) &&
           error_strings();
}

/* ---- contexts */

static bool fill(SSL_CTX *ctx, const char *propq)
{
    ctx->settings = settings_new();
    ctx->param = X509_VERIFY_PARAM_new();
    ctx->store = X509_STORE_new();
    ctx->sessions = session_table_new();
    ctx->propq = propq ? OPENSSL_strdup(propq) : NULL;
    return ctx->settings && ctx->param && ctx->store && ctx->sessions &&
           (!propq || ctx->propq) &&
           CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL_CTX, ctx, &ctx->ex_data);
}

/* Of the default ones, where the library context has not all. */
static bool any_suites(SSL_CTX *ctx)
{
    struct settings *t = ctx->settings;
    fetch_suites(ctx, &t->suites13);
    fetch_suites(ctx, &t->suites);
    if (t->suites.count + t->suites13.count)
        return true;
    raise_ssl(SSL_R_LIBRARY_HAS_NO_CIPHERS);
    return false;
}

SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *libctx, const char *propq, const SSL_METHOD *method)
{
    if (!method) {
        raise_ssl(SSL_R_NULL_SSL_METHOD_PASSED);
        return NULL;
    }
    if (!OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL))
        return NULL;
    SSL_CTX *ctx = OPENSSL_zalloc(sizeof *ctx);
    if (!ctx) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    atomic_init(&ctx->refs, 1);
    variants_init(&ctx->variants);
    ctx->method = method;
    ctx->libctx = libctx;
    /* The keys of tickets are made now, so that processes that fork later share them. */
    if (!fill(ctx, propq) || (method->server && !tickets_make_keys(ctx))) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        SSL_CTX_free(ctx);
        return NULL;
    }
    if (!any_suites(ctx)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    conf_system_default(ctx);
    return ctx;
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    return SSL_CTX_new_ex(NULL, NULL, method);
}

int SSL_CTX_up_ref(SSL_CTX *ctx)
{
    return atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed) > 0;
}

void SSL_CTX_free(SSL_CTX *ctx)
{
    if (!ctx || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1)
        return;
    /* The remove callback may look at the context, so its sessions go while all of it is there. */
    if (ctx->sessions)
        session_table_free(ctx);
    CRYPTO_free_ex_data(CRYPTO_EX_INDEX_SSL_CTX, ctx, &ctx->ex_data);
    variants_clear(&ctx->variants);
    settings_free(ctx->settings);
    sk_SSL_CIPHER_free(ctx->ciphers_cache);
    X509_VERIFY_PARAM_free(ctx->param);
    X509_STORE_free(ctx->store);
    dane_ctx_free(ctx->dane);
    ct_ctx_free(ctx);
    certs_ctx_free(ctx);
    OPENSSL_free(ctx->propq);
    OPENSSL_cleanse(ctx->ticket_keys, sizeof ctx->ticket_keys);
    OPENSSL_cleanse(&ctx->ticket_hmac, sizeof ctx->ticket_hmac);
    OPENSSL_free(ctx);
}

int SSL_CTX_set_ex_data(SSL_CTX *ctx, int idx, void *data)
{
    return CRYPTO_set_ex_data(&ctx->ex_data, idx, data);
}

void *SSL_CTX_get_ex_data(const SSL_CTX *ctx, int idx)
{
    return CRYPTO_get_ex_data(&ctx->ex_data, idx);
}

const SSL_METHOD *SSL_CTX_get_ssl_method(const SSL_CTX *ctx)
{
    return ctx->method;
}

int SSL_CTX_set_ssl_version(SSL_CTX *ctx, const SSL_METHOD *method)
{
    struct settings *s = settings_edit(&ctx->settings);
    if (!s)
        return 0;
    ctx->method = method;
    return ciphers_default(s);
}

/* trust_files.c: trust anchors from files, folders and stores (SSL_CTX_load_verify_locations(3)). */
#define _GNU_SOURCE /* secure_getenv */
#include "libssl/bundle.h"

#include <stdlib.h>

/* A store that has changed may complete chains that are part of the configuration. */
static X509_STORE *store_to_change(SSL_CTX *ctx)
{
    return certs_change(NULL, ctx) ? ctx->store : NULL;
}

int SSL_CTX_load_verify_file(SSL_CTX *ctx, const char *CAfile)
{
    X509_STORE *store = store_to_change(ctx);
    return store && bundle_load(ctx, CAfile);
}

int SSL_CTX_load_verify_dir(SSL_CTX *ctx, const char *CApath)
{
    X509_STORE *store = store_to_change(ctx);
    return store && X509_STORE_load_path(store, CApath);
}

int SSL_CTX_load_verify_store(SSL_CTX *ctx, const char *CAstore)
{
    X509_STORE *store = store_to_change(ctx);
    return store && X509_STORE_load_store_ex(store, CAstore, ctx->libctx, ctx->propq);
}

int SSL_CTX_load_verify_locations(SSL_CTX *ctx, const char *CAfile, const char *CApath)
{
    if (!CAfile && !CApath)
        return 0;
    return (!CAfile || SSL_CTX_load_verify_file(ctx, CAfile)) &&
           (!CApath || SSL_CTX_load_verify_dir(ctx, CApath));
}

/* Default places that do not exist are no error. */

int SSL_CTX_set_default_verify_dir(SSL_CTX *ctx)
{
    X509_STORE *store = store_to_change(ctx);
    X509_LOOKUP *lookup = store ? X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir()) : NULL;
    if (!lookup)
        return 0;
    ERR_set_mark();
    X509_LOOKUP_add_dir(lookup, NULL, X509_FILETYPE_DEFAULT);
    ERR_pop_to_mark();
    return 1;
}

int SSL_CTX_set_default_verify_file(SSL_CTX *ctx)
{
    const char *path = secure_getenv(X509_get_default_cert_file_env());
    if (!store_to_change(ctx))
        return 0;
    ERR_set_mark();
    (void)bundle_load(ctx, path ? path : X509_get_default_cert_file());
    ERR_pop_to_mark();
    return 1;
}

int SSL_CTX_set_default_verify_store(SSL_CTX *ctx)
{
    X509_STORE *store = store_to_change(ctx);
    X509_LOOKUP *lookup = store ? X509_STORE_add_lookup(store, X509_LOOKUP_store()) : NULL;
    if (!lookup)
        return 0;
    ERR_set_mark();
    X509_LOOKUP_add_store_ex(lookup, NULL, ctx->libctx, ctx->propq);
    ERR_pop_to_mark();
    return 1;
}

int SSL_CTX_set_default_verify_paths(SSL_CTX *ctx)
{
    if (!SSL_CTX_set_default_verify_file(ctx) || !SSL_CTX_set_default_verify_dir(ctx) ||
        !SSL_CTX_set_default_verify_store(ctx))
        return 0;
    ERR_clear_error();
    return 1;
}

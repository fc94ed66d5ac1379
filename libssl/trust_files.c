/* trust_files.c: trust anchors from files, folders and stores (SSL_CTX_load_verify_locations(3)). */
#include "libssl/local.h"

/* A store that has changed may complete chains that are part of the configuration. */
static X509_STORE *store_to_change(SSL_CTX *ctx)
{
    return certs_change(NULL, ctx) ? ctx->store : NULL;
}

int SSL_CTX_load_verify_file(SSL_CTX *ctx, const char *CAfile)
{
    X509_STORE *store = store_to_change(ctx);
    return store && X509_STORE_load_file_ex(store, CAfile, ctx->libctx, ctx->propq);
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

int SSL_CTX_set_default_verify_paths(SSL_CTX *ctx)
{
    X509_STORE *store = store_to_change(ctx);
    return store && X509_STORE_set_default_paths_ex(store, ctx->libctx, ctx->propq);
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
    X509_STORE *store = store_to_change(ctx);
    X509_LOOKUP *lookup = store ? X509_STORE_add_lookup(store, X509_LOOKUP_file()) : NULL;
    if (!lookup)
        return 0;
    ERR_set_mark();
    X509_LOOKUP_load_file_ex(lookup, NULL, X509_FILETYPE_DEFAULT, ctx->libctx, ctx->propq);
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

/* hooks.c: setters of the callbacks that watch, or that answer one question. */
#include "libssl/local.h"

typedef void (*info_fn)(const SSL *, int, int);
typedef void (*msg_fn)(int, int, int, const void *, size_t, SSL *, void *);

/* The engine reports to these two by its trace, which belongs to a configuration: see state.c. */

void SSL_CTX_set_info_callback(SSL_CTX *ctx, info_fn cb)
{
    ctx->info_cb = cb; /* connections that are there already look here too */
}

void SSL_set_info_callback(SSL *s, info_fn cb)
{
    if (s->settings->info_cb == cb)
        return;
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->info_cb = cb;
}

info_fn SSL_CTX_get_info_callback(SSL_CTX *ctx)
{
    return ctx->info_cb;
}

info_fn SSL_get_info_callback(const SSL *s)
{
    return s->settings->info_cb;
}

void SSL_CTX_set_msg_callback(SSL_CTX *ctx, msg_fn cb)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->msg_cb = cb;
}

void SSL_set_msg_callback(SSL *s, msg_fn cb)
{
    if (s->settings->msg_cb == cb)
        return;
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->msg_cb = cb;
}

void SSL_CTX_set_keylog_callback(SSL_CTX *ctx, SSL_CTX_keylog_cb_func cb)
{
    struct settings *t =
        settings_edit(&ctx->settings); /* the engine asks only where there is one */
    if (t)
        ctx->keylog_cb = cb;
}

SSL_CTX_keylog_cb_func SSL_CTX_get_keylog_callback(const SSL_CTX *ctx)
{
    return ctx->keylog_cb;
}

void SSL_CTX_set_client_hello_cb(SSL_CTX *ctx, SSL_client_hello_cb_fn cb, void *arg)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t) {
        ctx->client_hello_cb = cb;
        ctx->client_hello_arg = arg;
    }
}

/* ---- asynchronous jobs: none ever waits, since nothing here pauses inside libcrypto */

static int set_async(struct settings **slot, SSL_async_callback_fn cb)
{
    struct settings *t = settings_touch(slot);
    if (t)
        t->async_cb = cb;
    return t != NULL;
}

int SSL_CTX_set_async_callback(SSL_CTX *ctx, SSL_async_callback_fn callback)
{
    return set_async(&ctx->settings, callback);
}

int SSL_set_async_callback(SSL *s, SSL_async_callback_fn callback)
{
    return set_async(&s->settings, callback);
}

static int set_async_arg(struct settings **slot, void *arg)
{
    struct settings *t = settings_touch(slot);
    if (t)
        t->async_arg = arg;
    return t != NULL;
}

int SSL_CTX_set_async_callback_arg(SSL_CTX *ctx, void *arg)
{
    return set_async_arg(&ctx->settings, arg);
}

int SSL_set_async_callback_arg(SSL *s, void *arg)
{
    return set_async_arg(&s->settings, arg);
}

int SSL_get_async_status(SSL *s, int *status)
{
    (void)s, (void)status;
    return 0;
}

int SSL_waiting_for_async(SSL *s)
{
    (void)s;
    return 0;
}

int SSL_get_all_async_fds(SSL *s, OSSL_ASYNC_FD *fds, size_t *numfds)
{
    (void)s, (void)fds, (void)numfds;
    return 0;
}

int SSL_get_changed_async_fds(SSL *s, OSSL_ASYNC_FD *addfd, size_t *numaddfds,
                              OSSL_ASYNC_FD *delfd, size_t *numdelfds)
{
    (void)s, (void)addfd, (void)numaddfds, (void)delfd, (void)numdelfds;
    return 0;
}

/* ---- what is left of old ones */

void SSL_set_debug(SSL *s, int debug)
{
    (void)s, (void)debug;
}

const struct openssl_ssl_test_functions *SSL_test_functions(void)
{
    return NULL;
}

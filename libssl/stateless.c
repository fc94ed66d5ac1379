/* stateless.c: SSL_stateless, and the callbacks for cookies. */
#include "handfast_stateless.h"
#include "libssl/local.h"

#include <pthread.h>

enum {
    LIFETIME = 600,
    LONGEST = 255
}; /* what OpenSSL takes for good, and what it has room for */

/* ---- callbacks of a context */

/* Made early, so that processes that fork afterwards take each other's cookies. */
static bool make_key(SSL_CTX *ctx)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (ctx->cookie_key_made)
        return true;
    (void)pthread_mutex_lock(&lock);
    if (!ctx->cookie_key_made && access_random(ctx->cookie_key, sizeof ctx->cookie_key))
        ctx->cookie_key_made = true;
    bool made = ctx->cookie_key_made;
    (void)pthread_mutex_unlock(&lock);
    return made;
}

void SSL_CTX_set_stateless_cookie_generate_cb(SSL_CTX *ctx,
                                              int (*cb)(SSL *, unsigned char *, size_t *))
{
    ctx->stateless_generate_cb = cb;
    (void)make_key(ctx);
}

void SSL_CTX_set_stateless_cookie_verify_cb(SSL_CTX *ctx,
                                            int (*cb)(SSL *, const unsigned char *, size_t))
{
    ctx->stateless_verify_cb = cb;
}

/* These two are for DTLSv1_listen. */
void SSL_CTX_set_cookie_generate_cb(SSL_CTX *ctx,
                                    int (*cb)(SSL *, unsigned char *, unsigned int *))
{
    ctx->cookie_generate_cb = cb;
}

void SSL_CTX_set_cookie_verify_cb(SSL_CTX *ctx,
                                  int (*cb)(SSL *, const unsigned char *, unsigned int))
{
    ctx->cookie_verify_cb = cb;
}

/* ---- the engine asks */

static bool no_content(SSL *s, int reason)
{
    raise_ssl(reason);
    s->raised = true;
    return false;
}

static bool on_make(hf_conn *conn, uint8_t *out, size_t size, size_t *len, void *arg)
{
    SSL *s = ssl_of(conn);
    unsigned char cookie[SSL_COOKIE_LENGTH];
    size_t n = 0;
    (void)arg;
    if (!s->ctx->stateless_generate_cb)
        return no_content(s, SSL_R_NO_COOKIE_CALLBACK_SET);
    if (!s->ctx->stateless_generate_cb(s, cookie, &n))
        return no_content(s, SSL_R_COOKIE_GEN_CALLBACK_FAILURE);
    if (n == 0 || n > LONGEST || n > size)
        return no_content(s, ERR_R_INTERNAL_ERROR);
    memcpy(out, cookie, n);
    *len = n;
    return true;
}

static bool on_check(hf_conn *conn, const uint8_t *content, size_t len, void *arg)
{
    SSL *s = ssl_of(conn);
    (void)arg;
    return s->ctx->stateless_verify_cb && s->ctx->stateless_verify_cb(s, content, len) != 0;
}

bool ssl_stateless_config(hf_config *config)
{
    return hf_config_set_cookie_content(config, on_make, on_check, NULL) &&
           hf_config_set_cookie_lifetime(config, LIFETIME);
}

/* ---- SSL_stateless */

bool ssl_stateless_begin(SSL *s)
{
    if (!s->stateless || !s->server)
        return true;
    SSL_CTX *ctx = s->session_ctx;
    if (make_key(ctx) &&
        access_conn_stateless(s->conn, ctx->cookie_key, !s->ctx->stateless_verify_cb))
        return true;
    raise_ssl(ERR_R_MALLOC_FAILURE);
    hf_conn_free(s->conn);
    s->conn = NULL;
    return false;
}

/* The engine would go on to the second ClientHello; SSL_stateless says that it has not seen one. */
bool ssl_stateless_skips(SSL *s)
{
    static const unsigned char ccs[] = {SSL3_RT_CHANGE_CIPHER_SPEC, 3, 3, 0, 1, SSL3_MT_CCS};
    if (!s->stateless || !access_conn_untouched(s->conn) ||
        s->in_end - s->in_start < sizeof ccs ||
        memcmp(s->in + s->in_start, ccs, sizeof ccs) != 0)
        return false;
    s->in_start += sizeof ccs;
    ssl_release(s);
    s->rwstate = SSL_NOTHING;
    return true;
}

bool ssl_stateless_done(SSL *s)
{
    if (!s->stateless || hf_conn_stateless(s->conn) == HF_STATELESS_NO)
        return false;
    s->paused = true;
    state_paused(s);
    return true;
}

int SSL_stateless(SSL *s)
{
    if (!SSL_clear(s))
        return 0;
    ERR_clear_error();
    s->stateless = true;
    int ret = SSL_accept(s);
    s->stateless = false;
    hf_stateless how = s->conn ? hf_conn_stateless(s->conn) : HF_STATELESS_NO;
    if (ret > 0 && how == HF_STATELESS_RETURNED)
        return 1;
    if (how == HF_STATELESS_ASKED && s->phase != PHASE_FAILED)
        return 0;
    if (s->conn)
        access_conn_stateful(s->conn);
    return -1;
}

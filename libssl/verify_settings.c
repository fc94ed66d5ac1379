/* verify_settings.c: what a verification goes by, and what came of it. */
#include "libssl/verify.h"

#include <openssl/x509v3.h>

/* ---- mode, depth, callbacks */

/* Programs do this for each connection: what is the same already makes no new configuration. */
static void set_verify(struct settings **settings, int mode, SSL_verify_cb callback)
{
    struct settings *t = *settings;
    if (t->verify_mode == mode && t->verify_cb == callback)
        return;
    if ((t = settings_edit(settings))) {
        t->verify_mode = mode;
        t->verify_cb = callback;
    }
}

void SSL_CTX_set_verify(SSL_CTX *ctx, int mode, SSL_verify_cb callback)
{
    set_verify(&ctx->settings, mode, callback);
}

/* A connection keeps the callback that it has if none is given. */
void SSL_set_verify(SSL *s, int mode, SSL_verify_cb callback)
{
    set_verify(&s->settings, mode, callback ? callback : s->settings->verify_cb);
}

int SSL_CTX_get_verify_mode(const SSL_CTX *ctx)
{
    return ctx->settings->verify_mode;
}

int SSL_get_verify_mode(const SSL *s)
{
    return s->settings->verify_mode;
}

SSL_verify_cb SSL_CTX_get_verify_callback(const SSL_CTX *ctx)
{
    return ctx->settings->verify_cb;
}

SSL_verify_cb SSL_get_verify_callback(const SSL *s)
{
    return s->settings->verify_cb;
}

void SSL_CTX_set_verify_depth(SSL_CTX *ctx, int depth)
{
    X509_VERIFY_PARAM_set_depth(ctx->param, depth);
}

int SSL_CTX_get_verify_depth(const SSL_CTX *ctx)
{
    return X509_VERIFY_PARAM_get_depth(ctx->param);
}

void SSL_set_verify_depth(SSL *s, int depth)
{
    X509_VERIFY_PARAM *param = ssl_param(s);
    if (param)
        X509_VERIFY_PARAM_set_depth(param, depth);
}

int SSL_get_verify_depth(const SSL *s)
{
    return X509_VERIFY_PARAM_get_depth(verify_param(s));
}

void SSL_CTX_set_cert_verify_callback(SSL_CTX *ctx, int (*cb)(X509_STORE_CTX *, void *),
                                      void *arg)
{
    ctx->app_verify_cb = cb;
    ctx->app_verify_arg = arg;
}

/* ---- the store */

X509_STORE *SSL_CTX_get_cert_store(const SSL_CTX *ctx)
{
    return ctx->store;
}

void SSL_CTX_set_cert_store(SSL_CTX *ctx, X509_STORE *store)
{
    /* Chains that are completed from the store are part of the configuration. */
    if (!certs_change(NULL, ctx))
        return;
    X509_STORE_free(ctx->store);
    ctx->store = store;
}

void SSL_CTX_set1_cert_store(SSL_CTX *ctx, X509_STORE *store)
{
    if (store)
        X509_STORE_up_ref(store);
    SSL_CTX_set_cert_store(ctx, store);
}

/* ---- parameters */

X509_VERIFY_PARAM *SSL_CTX_get0_param(SSL_CTX *ctx)
{
    return ctx->param;
}

X509_VERIFY_PARAM *SSL_get0_param(SSL *ssl)
{
    verify_recall(ssl); /* the name that matched is in it */
    return ssl_param(ssl);
}

int SSL_CTX_set1_param(SSL_CTX *ctx, X509_VERIFY_PARAM *vpm)
{
    return X509_VERIFY_PARAM_set1(ctx->param, vpm);
}

int SSL_set1_param(SSL *ssl, X509_VERIFY_PARAM *vpm)
{
    X509_VERIFY_PARAM *param = ssl_param(ssl);
    return param ? X509_VERIFY_PARAM_set1(param, vpm) : 0;
}

int SSL_CTX_set_purpose(SSL_CTX *ctx, int purpose)
{
    return X509_VERIFY_PARAM_set_purpose(ctx->param, purpose);
}

int SSL_set_purpose(SSL *ssl, int purpose)
{
    X509_VERIFY_PARAM *param = ssl_param(ssl);
    return param ? X509_VERIFY_PARAM_set_purpose(param, purpose) : 0;
}

int SSL_CTX_set_trust(SSL_CTX *ctx, int trust)
{
    return X509_VERIFY_PARAM_set_trust(ctx->param, trust);
}

int SSL_set_trust(SSL *ssl, int trust)
{
    X509_VERIFY_PARAM *param = ssl_param(ssl);
    return param ? X509_VERIFY_PARAM_set_trust(param, trust) : 0;
}

/* ---- the name that the peer must have */

static bool is_address(const char *name)
{
    ASN1_OCTET_STRING *ip = name ? a2i_IPADDRESS(name) : NULL;
    ASN1_OCTET_STRING_free(ip);
    return ip != NULL;
}

/* libcrypto finds out with sscanf, which costs more than all the rest of SSL_set1_host. */
static bool may_be_address(const char *name)
{
    return strchr(name, ':') || strchr("0123456789+-. \t\n\v\f\r", *name);
}

int SSL_set1_host(SSL *s, const char *hostname)
{
    X509_VERIFY_PARAM *param = ssl_param(s);
    if (!param)
        return 0;
    if (hostname && may_be_address(hostname) &&
        X509_VERIFY_PARAM_set1_ip_asc(param, hostname) == 1)
        return 1;
    return X509_VERIFY_PARAM_set1_host(param, hostname, 0);
}

/* There can be only one address. */
int SSL_add1_host(SSL *s, const char *hostname)
{
    X509_VERIFY_PARAM *param = ssl_param(s);
    if (!param)
        return 0;
    if (!is_address(hostname))
        return X509_VERIFY_PARAM_add1_host(param, hostname, 0);
    char *old = X509_VERIFY_PARAM_get1_ip_asc(param);
    OPENSSL_free(old);
    return old ? 0 : X509_VERIFY_PARAM_set1_ip_asc(param, hostname);
}

void SSL_set_hostflags(SSL *s, unsigned int flags)
{
    X509_VERIFY_PARAM *param = ssl_param(s);
    if (param)
        X509_VERIFY_PARAM_set_hostflags(param, flags);
}

const char *SSL_get0_peername(SSL *s)
{
    verify_recall(s);
    return s->param ? X509_VERIFY_PARAM_get0_peername(s->param) : NULL;
}

/* ---- what came of it */

long SSL_get_verify_result(const SSL *ssl)
{
    return ssl->verify_result;
}

void SSL_set_verify_result(SSL *ssl, long arg)
{
    ssl->verify_result = arg;
}

/* A certificate is nobody's before it was judged, or has come with a session. */
static bool shows_peer(const SSL *s)
{
    return s && s->conn && (s->peer_judged || hf_conn_version(s->conn) != 0);
}

X509 *SSL_get0_peer_certificate(const SSL *s)
{
    hf_certificate *const *certs = NULL;
    return shows_peer(s) && access_peer_chain(s->conn, &certs) ? access_x509(certs[0]) : NULL;
}

X509 *SSL_get1_peer_certificate(const SSL *s)
{
    X509 *x = SSL_get0_peer_certificate(s);
    if (x)
        X509_up_ref(x);
    return x;
}

/* A client that was asked and has none. */
static bool sent_nothing(const SSL *s)
{
    return hf_conn_version(s->conn) != 0 && s->settings->verify_mode & SSL_VERIFY_PEER &&
           !hf_conn_resumed(s->conn);
}

/* Of a session that was written down, or is in a ticket, OpenSSL has the own certificate only. */
static bool lost_chain(const SSL *s)
{
    hf_certificate *const *certs = NULL;
    bool one = access_peer_chain(s->conn, &certs) == 1;
    return hf_conn_version(s->conn) != 0 && hf_conn_resumed(s->conn) && one &&
           (s->server || (s->session && s->session->peer));
}

/* What a client sent, without its own certificate; what a server sent, with it. */
static STACK_OF(X509) * make_chain(const SSL *s)
{
    if (lost_chain(s))
        return NULL;
    if (!s->server)
        return peer_stack(s);
    STACK_OF(X509) *chain = shows_peer(s) ? peer_stack(s) : NULL;
    if (chain)
        X509_free(sk_X509_shift(chain));
    return chain || !sent_nothing(s) ? chain : sk_X509_new_null();
}

STACK_OF(X509) * SSL_get_peer_cert_chain(const SSL *s)
{
    SSL *cache = (SSL *)(uintptr_t)s; /* peer_chain is a memory of what was made */
    if (s && s->conn && !s->peer_chain)
        cache->peer_chain = make_chain(s);
    return s ? s->peer_chain : NULL;
}

STACK_OF(X509) * SSL_get0_verified_chain(const SSL *ssl)
{
    verify_recall((SSL *)(uintptr_t)ssl); /* verified_chain is a memory of what was made */
    return ssl->verified_chain;
}

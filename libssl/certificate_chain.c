/* certificate_chain.c: the issuers that are sent along, and which certificate is the current one. */
#include "libssl/local.h"

#include <openssl/x509v3.h>

static struct cert_entry *current_to_change(SSL *s, SSL_CTX *ctx)
{
    struct certs *c = certs_change(s, ctx);
    return c ? &c->entry[c->current] : NULL;
}

static const struct cert_entry *current(const SSL *s, const SSL_CTX *ctx)
{
    const struct certs *c = certs_get(s, ctx);
    return &c->entry[c->current];
}

/* ---- the current certificate's chain */

static bool issuer_allowed(const SSL *s, const SSL_CTX *ctx, X509 *x)
{
    int reason = cert_security(s, ctx, x, false, false);
    if (reason != 1)
        raise_ssl(reason);
    return reason == 1;
}

static int set0_chain(SSL *s, SSL_CTX *ctx, STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (!issuer_allowed(s, ctx, sk_X509_value(chain, i)))
            return 0;
    }
    struct cert_entry *e = current_to_change(s, ctx);
    if (!e)
        return 0;
    x509s_free(e->chain);
    e->chain = chain;
    return 1;
}

long certs_ctrl_chain(SSL *s, SSL_CTX *ctx, long copy, STACK_OF(X509) * chain)
{
    if (!copy || !chain)
        return set0_chain(s, ctx, chain);
    STACK_OF(X509) *own = X509_chain_up_ref(chain);
    if (!own)
        return 0;
    if (set0_chain(s, ctx, own))
        return 1;
    x509s_free(own);
    return 0;
}

int certs_add_chain(SSL *s, SSL_CTX *ctx, X509 *x)
{
    if (!issuer_allowed(s, ctx, x))
        return 0;
    struct cert_entry *e = current_to_change(s, ctx);
    if (e && !e->chain)
        e->chain = sk_X509_new_null();
    return e && e->chain && sk_X509_push(e->chain, x) > 0;
}

long certs_ctrl_chain_cert(SSL *s, SSL_CTX *ctx, long copy, X509 *x)
{
    if (!certs_add_chain(s, ctx, x))
        return 0;
    if (copy)
        X509_up_ref(x);
    return 1;
}

long certs_ctrl_get_chain_certs(SSL *s, SSL_CTX *ctx, STACK_OF(X509) * *out)
{
    *out = current(s, ctx)->chain;
    return 1;
}

/* ---- the chain of those that have none of their own */

long certs_ctrl_extra_chain_cert(SSL_CTX *ctx, X509 *x)
{
    struct certs *c = certs_change(NULL, ctx);
    if (!c)
        return 0;
    if (!c->extra && !(c->extra = sk_X509_new_null())) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (sk_X509_push(c->extra, x) > 0)
        return 1;
    raise_ssl(ERR_R_MALLOC_FAILURE);
    return 0;
}

long certs_ctrl_get_extra_chain_certs(SSL_CTX *ctx, long only, STACK_OF(X509) * *out)
{
    STACK_OF(X509) *extra = certs_get(NULL, ctx)->extra;
    *out = extra || only ? extra : current(NULL, ctx)->chain;
    return 1;
}

long certs_ctrl_clear_extra_chain_certs(SSL_CTX *ctx)
{
    struct certs *c = certs_change(NULL, ctx);
    if (c) {
        x509s_free(c->extra);
        c->extra = NULL;
    }
    return 1;
}

/* ---- which one is the current one */

static bool is_pair(const struct cert_entry *e)
{
    return e->x509 && e->key;
}

static int find(const struct certs *c, const X509 *x)
{
    for (int i = 0; i < CERT_SLOTS; i++) {
        if (c->entry[i].x509 == x && c->entry[i].key)
            return i;
    }
    for (int i = 0; i < CERT_SLOTS; i++) {
        if (is_pair(&c->entry[i]) && X509_cmp(c->entry[i].x509, x) == 0)
            return i;
    }
    return -1;
}

static long make_current(SSL *s, SSL_CTX *ctx, int slot)
{
    struct certs *c = slot >= 0 ? certs_change(s, ctx) : NULL;
    if (!c)
        return 0;
    c->current = slot;
    if (s)
        s->cert_used = 0;
    return 1;
}

long certs_ctrl_select_current_cert(SSL *s, SSL_CTX *ctx, X509 *x)
{
    return x ? make_current(s, ctx, find(certs_get(s, ctx), x)) : 0;
}

static int next_pair(const struct certs *c, int from)
{
    for (int i = from; i < CERT_SLOTS; i++) {
        if (is_pair(&c->entry[i]))
            return i;
    }
    return -1;
}

/* Suites without certificates leave the current one as it is, and answer 2. */
static long make_used_current(SSL *s)
{
    if (!s->server)
        return 0;
    if (s->cert_used)
        return make_current(s, NULL, s->cert_used - 1);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(s);
    int auth = cipher ? SSL_CIPHER_get_auth_nid(cipher) : NID_undef;
    return auth == NID_auth_null || auth == NID_auth_psk ? 2 : 0;
}

long certs_ctrl_set_current_cert(SSL *s, SSL_CTX *ctx, long op)
{
    const struct certs *c = certs_get(s, ctx);
    if (op == SSL_CERT_SET_FIRST)
        return make_current(s, ctx, next_pair(c, 0));
    if (op == SSL_CERT_SET_NEXT)
        return make_current(s, ctx, next_pair(c, c->current + 1));
    return op == SSL_CERT_SET_SERVER && s ? make_used_current(s) : 0;
}

/* ---- stores, flags, types */

static void put_store(X509_STORE **slot, X509_STORE *store, long copy)
{
    if (copy && store)
        X509_STORE_up_ref(store);
    X509_STORE_free(*slot);
    *slot = store;
}

long certs_ctrl_set_chain_store(SSL *s, SSL_CTX *ctx, long copy, X509_STORE *store)
{
    struct certs *c = certs_change(s, ctx);
    if (c)
        put_store(&c->chain_store, store, copy);
    return c != NULL;
}

long certs_ctrl_set_verify_store(SSL *s, SSL_CTX *ctx, long copy, X509_STORE *store)
{
    struct certs *c = certs_change(s, ctx);
    if (c)
        put_store(&c->verify_store, store, copy);
    return c != NULL;
}

long certs_ctrl_get_chain_store(SSL *s, SSL_CTX *ctx, X509_STORE **out)
{
    *out = certs_get(s, ctx)->chain_store;
    return 1;
}

long certs_ctrl_get_verify_store(SSL *s, SSL_CTX *ctx, X509_STORE **out)
{
    *out = certs_get(s, ctx)->verify_store;
    return 1;
}

long certs_ctrl_cert_flags(SSL *s, SSL_CTX *ctx, long flags)
{
    struct certs *c = certs_change(s, ctx);
    return c ? (long)(c->flags |= (unsigned)flags) : 0;
}

long certs_ctrl_clear_cert_flags(SSL *s, SSL_CTX *ctx, long flags)
{
    struct certs *c = certs_change(s, ctx);
    return c ? (long)(c->flags &= ~(unsigned)flags) : 0;
}

long certs_ctrl_set_client_cert_types(SSL *s, SSL_CTX *ctx, const unsigned char *types,
                                      long len)
{
    bool allowed = (!s || s->server) && len >= 0 && len <= 0xff;
    struct certs *c = allowed ? certs_change(s, ctx) : NULL;
    unsigned char *copy = NULL;
    if (!c)
        return 0;
    if (types && len && !(copy = OPENSSL_memdup(types, (size_t)len)))
        return 0;
    OPENSSL_free(c->client_types);
    c->client_types = copy;
    c->client_types_len = copy ? (size_t)len : 0;
    return 1;
}

/* As the server wrote them, in TLS 1.2 and older. */
long certs_ctrl_get_client_cert_types(SSL *s, const unsigned char **out)
{
    const struct details *d = s->conn && !s->server ? access_details(s->conn) : NULL;
    if (!d || !d->type_count)
        return 0;
    if (out)
        *out = d->types;
    return d->type_count;
}

/* ---- building the chain from a store, once and for all (SSL_CTX_build_cert_chain(3)) */

static bool add_all(X509_STORE *store, X509 *own, STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (!X509_STORE_add_cert(store, sk_X509_value(chain, i)))
            return false;
    }
    return X509_STORE_add_cert(store, own) == 1;
}

/* Where the chain is to be checked only, all that may be in it is what there is. A reference. */
static X509_STORE *store_to_build_from(SSL *s, SSL_CTX *ctx, const struct cert_entry *e,
                                       long flags)
{
    const struct certs *c = certs_get(s, ctx);
    X509_STORE *store = c->chain_store ? c->chain_store : s ? s->ctx->store : ctx->store;
    if (!(flags & SSL_BUILD_CHAIN_FLAG_CHECK)) {
        X509_STORE_up_ref(store);
        return store;
    }
    store = X509_STORE_new();
    if (store && add_all(store, e->x509, e->chain))
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* 1, or 2 where an error was ignored; 0 with the error on the queue. */
static int build(SSL *s, SSL_CTX *ctx, const struct cert_entry *e, long flags,
                 X509_STORE *store, STACK_OF(X509) * *out)
{
    SSL_CTX *owner = s ? s->ctx : ctx;
    X509_STORE_CTX *sc = X509_STORE_CTX_new_ex(owner->libctx, owner->propq);
    bool mix = !(flags & SSL_BUILD_CHAIN_FLAG_CHECK) && flags & SSL_BUILD_CHAIN_FLAG_UNTRUSTED;
    int result = 0;
    if (!sc || !X509_STORE_CTX_init(sc, store, e->x509, mix ? e->chain : NULL)) {
        raise_ssl(ERR_R_X509_LIB);
        X509_STORE_CTX_free(sc);
        return 0;
    }
    X509_STORE_CTX_set_flags(sc, certs_get(s, ctx)->flags & SSL_CERT_FLAG_SUITEB_128_LOS);
    if (X509_verify_cert(sc) > 0) {
        result = 1;
    } else if (flags & SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR) {
        if (flags & SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR)
            ERR_clear_error();
        result = 2;
    } else {
        raise_ssl_text(SSL_R_CERTIFICATE_VERIFY_FAILED, "Verify error:%s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(sc)));
    }
    if (result && !(*out = X509_STORE_CTX_get1_chain(sc)))
        result = 0;
    X509_STORE_CTX_free(sc);
    return result;
}

/* The own certificate is not part of the chain as it is kept; the root, as the caller wants it. */
static void trim(STACK_OF(X509) * chain, long flags)
{
    X509_free(sk_X509_shift(chain));
    int last = sk_X509_num(chain) - 1;
    if (flags & SSL_BUILD_CHAIN_FLAG_NO_ROOT && last >= 0 &&
        X509_get_extension_flags(sk_X509_value(chain, last)) & EXFLAG_SS)
        X509_free(sk_X509_pop(chain));
}

long certs_ctrl_build_cert_chain(SSL *s, SSL_CTX *ctx, long flags)
{
    const struct cert_entry *e = current(s, ctx);
    STACK_OF(X509) *chain = NULL;
    if (!e->x509) {
        raise_ssl(SSL_R_NO_CERTIFICATE_SET);
        return 0;
    }
    X509_STORE *store = store_to_build_from(s, ctx, e, flags);
    int result = store ? build(s, ctx, e, flags, store, &chain) : 0;
    X509_STORE_free(store);
    if (!result)
        return 0;
    trim(chain, flags);
    if (set0_chain(s, ctx, chain))
        return result;
    x509s_free(chain);
    return 0;
}

/* dane.c: verification by TLSA records (RFC 6698, RFC 7671; SSL_CTX_dane_enable(3)).
 *
 * libcrypto matches the records itself, in X509_verify_cert, and takes them as an SSL_DANE: an object that its
 * headers only name, since nobody but OpenSSL's own libssl was to make one. The three structs below are what
 * libcrypto.so.3 looks at, in its order; a test compares them with what the system's libssl makes. */
#include "libssl/verify.h"

#include <openssl/x509v3.h>

struct record {
    uint8_t usage, selector, mtype;
    unsigned char *data;
    size_t len;
    EVP_PKEY *spki; /* of DANE-TA(2) SPKI(1) Full(0) */
};

struct dane_ctx {
    const EVP_MD **digest; /* by matching type */
    uint8_t *order;        /* by matching type: which is the better one */
    uint8_t last;          /* matching type */
    unsigned long flags;
};

struct ssl_dane_st {
    struct dane_ctx *ctx;
    OPENSSL_STACK *records; /* NULL: not enabled */
    STACK_OF(X509) * certs; /* of TA(0, 2) Cert(0) Full(0) */
    struct record *matched;
    X509 *matched_cert;
    uint32_t usages; /* 1 << usage of each record */
    int matched_depth, trusted_depth;
    unsigned long flags;
};

struct dane {
    struct ssl_dane_st st;
};

enum { PKIX_TA, PKIX_EE, DANE_TA, DANE_EE, USAGES };
enum { SELECT_CERT, SELECT_SPKI, SELECTORS };
enum { MATCH_FULL, MATCH_SHA256, MATCH_SHA512 };

/* ---- contexts */

static struct dane_ctx *context(SSL_CTX *ctx)
{
    if (!ctx->dane && !(ctx->dane = OPENSSL_zalloc(sizeof *ctx->dane)))
        raise_ssl(ERR_R_MALLOC_FAILURE);
    return ctx->dane;
}

void dane_ctx_free(struct dane_ctx *d)
{
    if (!d)
        return;
    OPENSSL_free(d->digest);
    OPENSSL_free(d->order);
    OPENSSL_free(d);
}

/* Room for the matching types up to `last`. */
static bool grow(struct dane_ctx *d, uint8_t last)
{
    size_t had = d->digest ? d->last + 1u : 0, count = last + 1u;
    if (count <= had)
        return true;
    const EVP_MD **digest = OPENSSL_realloc(d->digest, count * sizeof *digest);
    if (digest)
        d->digest = digest;
    uint8_t *order = digest ? OPENSSL_realloc(d->order, count) : NULL;
    if (!order) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return false;
    }
    d->order = order;
    for (size_t i = had; i < count; i++) {
        d->digest[i] = NULL;
        d->order[i] = 0;
    }
    d->last = last;
    return true;
}

int SSL_CTX_dane_enable(SSL_CTX *ctx)
{
    struct dane_ctx *d = context(ctx);
    if (!d)
        return 0;
    if (d->digest)
        return 1;
    if (!grow(d, MATCH_SHA512))
        return 0;
    d->digest[MATCH_SHA256] = EVP_sha256();
    d->order[MATCH_SHA256] = 1;
    d->digest[MATCH_SHA512] = EVP_sha512();
    d->order[MATCH_SHA512] = 2;
    return 1;
}

int SSL_CTX_dane_mtype_set(SSL_CTX *ctx, const EVP_MD *md, uint8_t mtype, uint8_t ord)
{
    struct dane_ctx *d = context(ctx);
    if (mtype == MATCH_FULL && md) {
        raise_ssl(SSL_R_DANE_CANNOT_OVERRIDE_MTYPE_FULL);
        return 0;
    }
    if (!d || !grow(d, mtype))
        return 0;
    d->digest[mtype] = md;
    d->order[mtype] = md ? ord : 0;
    return 1;
}

unsigned long SSL_CTX_dane_set_flags(SSL_CTX *ctx, unsigned long flags)
{
    struct dane_ctx *d = context(ctx);
    unsigned long old = d ? d->flags : 0;
    if (d)
        d->flags |= flags;
    return old;
}

unsigned long SSL_CTX_dane_clear_flags(SSL_CTX *ctx, unsigned long flags)
{
    struct dane_ctx *d = context(ctx);
    unsigned long old = d ? d->flags : 0;
    if (d)
        d->flags &= ~flags;
    return old;
}

/* ---- connections */

static struct ssl_dane_st *of(SSL *s)
{
    if (s->dane)
        return &s->dane->st;
    if (!(s->dane = OPENSSL_zalloc(sizeof *s->dane))) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    s->dane->st.flags = s->ctx->dane ? s->ctx->dane->flags : 0;
    return &s->dane->st;
}

/* Flags are the context's; the rest is made when it is needed. */
bool dane_inherit(SSL *s)
{
    return !s->ctx->dane || of(s);
}

static void record_free(struct record *r)
{
    OPENSSL_free(r->data);
    EVP_PKEY_free(r->spki);
    OPENSSL_free(r);
}

void dane_free(struct dane *dane)
{
    if (!dane)
        return;
    for (int i = 0; i < OPENSSL_sk_num(dane->st.records); i++)
        record_free(OPENSSL_sk_value(dane->st.records, i));
    OPENSSL_sk_free(dane->st.records);
    x509s_free(dane->st.certs);
    X509_free(dane->st.matched_cert);
    OPENSSL_free(dane);
}

unsigned long SSL_dane_set_flags(SSL *ssl, unsigned long flags)
{
    struct ssl_dane_st *d = of(ssl);
    unsigned long old = d ? d->flags : 0;
    if (d)
        d->flags |= flags;
    return old;
}

unsigned long SSL_dane_clear_flags(SSL *ssl, unsigned long flags)
{
    struct ssl_dane_st *d = of(ssl);
    unsigned long old = d ? d->flags : 0;
    if (d)
        d->flags &= ~flags;
    return old;
}

/* SSL_set_tlsext_host_name, whose macro casts const away. */
static bool set_server_name(SSL *s, const char *name)
{
    return SSL_ctrl(s, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    (void *)(uintptr_t)name) > 0;
}

static int enable(SSL *s, struct ssl_dane_st *d, const char *basedomain)
{
    X509_VERIFY_PARAM *param = ssl_param(s);
    if ((!s->server_name && !set_server_name(s, basedomain)) || !param ||
        !X509_VERIFY_PARAM_set1_host(param, basedomain, 0)) {
        raise_ssl(SSL_R_ERROR_SETTING_TLSA_BASE_DOMAIN);
        return -1;
    }
    d->matched_depth = d->trusted_depth = -1;
    d->ctx = s->ctx->dane;
    if ((d->records = OPENSSL_sk_new_null()))
        return 1;
    raise_ssl(ERR_R_MALLOC_FAILURE);
    return -1;
}

int SSL_dane_enable(SSL *s, const char *basedomain)
{
    struct ssl_dane_st *d = of(s);
    if (!s->ctx->dane || !s->ctx->dane->last) {
        raise_ssl(SSL_R_CONTEXT_NOT_DANE_ENABLED);
        return 0;
    }
    if (!d)
        return -1;
    if (d->records) {
        raise_ssl(SSL_R_DANE_ALREADY_ENABLED);
        return 0;
    }
    return enable(s, d, basedomain);
}

/* ---- records */

static const EVP_MD *digest_of(const struct ssl_dane_st *d, uint8_t mtype)
{
    return mtype <= d->ctx->last ? d->ctx->digest[mtype] : NULL;
}

/* The reason why this cannot be a record, or 0. */
static int fault_of(const struct ssl_dane_st *d, const struct record *r,
                    const unsigned char *data)
{
    const EVP_MD *md = r->mtype != MATCH_FULL ? digest_of(d, r->mtype) : NULL;
    if (r->len > INT32_MAX)
        return SSL_R_DANE_TLSA_BAD_DATA_LENGTH;
    if (r->usage >= USAGES)
        return SSL_R_DANE_TLSA_BAD_CERTIFICATE_USAGE;
    if (r->selector >= SELECTORS)
        return SSL_R_DANE_TLSA_BAD_SELECTOR;
    if (r->mtype != MATCH_FULL && !md)
        return SSL_R_DANE_TLSA_BAD_MATCHING_TYPE;
    if (md && r->len != (size_t)EVP_MD_get_size(md))
        return SSL_R_DANE_TLSA_BAD_DIGEST_LENGTH;
    return data ? 0 : SSL_R_DANE_TLSA_NULL_DATA;
}

/* An authority that is told in full need not be in the peer's chain. */
static int take_cert(struct ssl_dane_st *d, const struct record *r)
{
    const unsigned char *p = r->data;
    X509 *x = d2i_X509(NULL, &p, (long)r->len);
    if (!x || p != r->data + r->len || !X509_get0_pubkey(x)) {
        X509_free(x);
        return SSL_R_DANE_TLSA_BAD_CERTIFICATE;
    }
    if (r->usage != PKIX_TA && r->usage != DANE_TA) {
        X509_free(x);
        return 0;
    }
    if (!d->certs)
        d->certs = sk_X509_new_null();
    if (d->certs && sk_X509_push(d->certs, x) > 0)
        return 0;
    X509_free(x);
    return ERR_R_MALLOC_FAILURE;
}

static int take_key(struct record *r)
{
    const unsigned char *p = r->data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)r->len);
    if (!key || p != r->data + r->len) {
        EVP_PKEY_free(key);
        return SSL_R_DANE_TLSA_BAD_PUBLIC_KEY;
    }
    if (r->usage == DANE_TA)
        r->spki = key;
    else
        EVP_PKEY_free(key);
    return 0;
}

/* RFC 7671 10.2: end entities before authorities, keys before certificates, better digests first. */
static bool comes_before(const struct ssl_dane_st *d, const struct record *a,
                         const struct record *b)
{
    if (a->usage != b->usage)
        return a->usage > b->usage;
    if (a->selector != b->selector)
        return a->selector > b->selector;
    return d->ctx->order[a->mtype] > d->ctx->order[b->mtype];
}

static bool insert(struct ssl_dane_st *d, struct record *r)
{
    int i = 0, count = OPENSSL_sk_num(d->records);
    while (i < count && comes_before(d, OPENSSL_sk_value(d->records, i), r))
        i++;
    return OPENSSL_sk_insert(d->records, r, i) > 0;
}

static int add(struct ssl_dane_st *d, const struct record *like, const unsigned char *data)
{
    struct record *r = OPENSSL_memdup(like, sizeof *like);
    int reason = ERR_R_MALLOC_FAILURE;
    if (r && (r->data = OPENSSL_memdup(data, r->len ? r->len : 1))) {
        reason = r->mtype != MATCH_FULL       ? 0
                 : r->selector == SELECT_CERT ? take_cert(d, r)
                                              : take_key(r);
        if (!reason && insert(d, r)) {
            d->usages |= 1u << r->usage;
            return 1;
        }
    }
    raise_ssl(reason ? reason : ERR_R_MALLOC_FAILURE);
    if (r)
        record_free(r);
    return reason && reason != ERR_R_MALLOC_FAILURE ? 0 : -1;
}

int SSL_dane_tlsa_add(SSL *s, uint8_t usage, uint8_t selector, uint8_t mtype,
                      const unsigned char *data, size_t dlen)
{
    struct ssl_dane_st *d = of(s);
    if (!d || !d->records) {
        raise_ssl(SSL_R_DANE_NOT_ENABLED);
        return -1;
    }
    struct record r = {.usage = usage, .selector = selector, .mtype = mtype, .len = dlen};
    int reason = fault_of(d, &r, data);
    if (!reason)
        return add(d, &r, data);
    raise_ssl(reason);
    return 0;
}

/* ---- what was matched */

bool dane_active(const SSL *s)
{
    return s->dane && OPENSSL_sk_num(s->dane->st.records) > 0;
}

void dane_attach(SSL *s, X509_STORE_CTX *sc)
{
    if (dane_active(s))
        X509_STORE_CTX_set0_dane(sc, &s->dane->st);
}

bool dane_authority_matched(const SSL *s)
{
    const struct record *r = dane_active(s) ? s->dane->st.matched : NULL;
    return r && (r->usage == DANE_TA || r->usage == DANE_EE);
}

SSL_DANE *SSL_get0_dane(SSL *ssl)
{
    return of(ssl);
}

int SSL_get0_dane_authority(SSL *s, X509 **mcert, EVP_PKEY **mspki)
{
    if (!dane_active(s) || s->verify_result != X509_V_OK)
        return -1;
    const struct ssl_dane_st *d = &s->dane->st;
    if (d->matched && mcert)
        *mcert = d->matched_cert;
    if (d->matched && mspki)
        *mspki = d->matched_cert ? NULL : d->matched->spki;
    return d->matched_depth;
}

int SSL_get0_dane_tlsa(SSL *s, uint8_t *usage, uint8_t *selector, uint8_t *mtype,
                       const unsigned char **data, size_t *dlen)
{
    if (!dane_active(s) || s->verify_result != X509_V_OK)
        return -1;
    const struct ssl_dane_st *d = &s->dane->st;
    const struct record *r = d->matched;
    if (r && usage)
        *usage = r->usage;
    if (r && selector)
        *selector = r->selector;
    if (r && mtype)
        *mtype = r->mtype;
    if (r && data)
        *data = r->data;
    if (r && dlen)
        *dlen = r->len;
    return d->matched_depth;
}

/* dane_copy: for SSL_dup. */
bool dane_copy(SSL *to, SSL *from)
{
    const struct ssl_dane_st *old = from->dane ? &from->dane->st : NULL;
    struct ssl_dane_st *d = old && old->records ? of(to) : NULL;
    if (!old || !old->records)
        return true;
    if (!d || (!d->records && !(d->records = OPENSSL_sk_new_null())))
        return false;
    d->flags = old->flags;
    d->ctx = to->ctx->dane;
    d->matched_depth = d->trusted_depth = -1;
    bool ok = d->ctx != NULL;
    for (int i = 0; ok && i < OPENSSL_sk_num(old->records); i++) {
        const struct record *r = OPENSSL_sk_value(old->records, i);
        ok = SSL_dane_tlsa_add(to, r->usage, r->selector, r->mtype, r->data, r->len) > 0;
    }
    return ok;
}

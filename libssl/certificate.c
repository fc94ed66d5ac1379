/* certificate.c: struct certs, and setting one certificate or key in it. */
#include "libssl/local.h"

#include <openssl/x509v3.h>

/* ---- shared, and copied when changed */

struct certs *certs_new(void)
{
    struct certs *c = OPENSSL_zalloc(sizeof *c);
    if (!c) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    atomic_init(&c->refs, 1);
    return c;
}

struct certs *certs_ref(struct certs *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

static void entry_clear(struct cert_entry *e)
{
    X509_free(e->x509);
    EVP_PKEY_free(e->key);
    x509s_free(e->chain);
    OPENSSL_free(e->serverinfo);
    *e = (struct cert_entry){0};
}

static void drop_made(struct certs *c)
{
    for (size_t i = 0; i < CERT_SLOTS; i++)
        hf_credential_free(atomic_exchange_explicit(&c->made[i], NULL, memory_order_acq_rel));
}

void certs_free(struct certs *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    drop_made(c);
    for (size_t i = 0; i < CERT_SLOTS; i++)
        entry_clear(&c->entry[i]);
    x509s_free(c->extra);
    X509_STORE_free(c->chain_store);
    X509_STORE_free(c->verify_store);
    EVP_PKEY_free(c->dh);
    OPENSSL_free(c->client_types);
    OPENSSL_free(c);
}

static bool chain_copy(STACK_OF(X509) * from, STACK_OF(X509) * *to)
{
    *to = from ? X509_chain_up_ref(from) : NULL;
    return *to || !from;
}

static bool bytes_copy(const unsigned char *from, size_t len, unsigned char **to)
{
    *to = from ? OPENSSL_memdup(from, len) : NULL;
    return *to || !from;
}

static bool entry_copy(const struct cert_entry *from, struct cert_entry *to)
{
    if (from->x509 && X509_up_ref(from->x509))
        to->x509 = from->x509;
    if (from->key && EVP_PKEY_up_ref(from->key))
        to->key = from->key;
    to->serverinfo_len = from->serverinfo_len;
    return chain_copy(from->chain, &to->chain) &&
           bytes_copy(from->serverinfo, from->serverinfo_len, &to->serverinfo);
}

static X509_STORE *store_ref(X509_STORE *store)
{
    return store && X509_STORE_up_ref(store) ? store : NULL;
}

static struct certs *certs_copy(const struct certs *from)
{
    struct certs *c = certs_new();
    bool ok = c != NULL;
    for (size_t i = 0; ok && i < CERT_SLOTS; i++)
        ok = entry_copy(&from->entry[i], &c->entry[i]);
    if (!ok || !chain_copy(from->extra, &c->extra) ||
        !bytes_copy(from->client_types, from->client_types_len, &c->client_types)) {
        if (c)
            raise_ssl(ERR_R_MALLOC_FAILURE);
        certs_free(c);
        return NULL;
    }
    c->current = from->current;
    c->chain_store = store_ref(from->chain_store);
    c->verify_store = store_ref(from->verify_store);
    c->flags = from->flags;
    if (from->dh && EVP_PKEY_up_ref(from->dh))
        c->dh = from->dh;
    c->dh_cb = from->dh_cb;
    c->dh_auto = from->dh_auto;
    c->cert_cb = from->cert_cb;
    c->cert_arg = from->cert_arg;
    c->client_types_len = from->client_types_len;
    return c;
}

struct certs *certs_edit(struct certs **slot)
{
    if (atomic_load_explicit(&(*slot)->refs, memory_order_acquire) == 1) {
        drop_made(*slot);
        return *slot;
    }
    struct certs *c = certs_copy(*slot);
    if (!c)
        return NULL;
    certs_free(*slot);
    return *slot = c;
}

const struct certs *certs_get(const SSL *s, const SSL_CTX *ctx)
{
    return s ? s->settings->certs : ctx->settings->certs;
}

/* Once one was chosen for the handshake it is that one: the one that signed, or that decrypted. */
static int slot_used(const SSL *s)
{
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    const SSL_CIPHER *cipher = s->conn && s->server ? SSL_get_current_cipher(s) : NULL;
    if (s->cert_used || s->cert_changed)
        return s->cert_used - 1;
    if (d && d->signature)
        return certs_slot_of_scheme(d->signature);
    return cipher && SSL_CIPHER_get_kx_nid(cipher) == NID_kx_rsa ? CERT_RSA : -1;
}

struct certs *certs_change(SSL *s, SSL_CTX *ctx)
{
    struct settings *settings = settings_edit(s ? &s->settings : &ctx->settings);
    struct certs *certs = settings ? certs_edit(&settings->certs) : NULL;
    if (certs && s && s->conn && !s->cert_changed) {
        /* from here on it is what is set that counts */
        int used = slot_used(s);
        certs->current = used >= 0 ? used : certs->current;
        s->cert_used = 0;
        s->cert_changed = true;
    }
    return certs;
}

/* ---- one certificate or key */

/* Names as providers and engines give them to their kinds of keys. */
static const char *const key_names[CERT_SLOTS] = {
    [CERT_RSA] = "RSA", [CERT_RSA_PSS] = "RSA-PSS", [CERT_DSA] = "DSA",
    [CERT_EC] = "EC",   [CERT_ED25519] = "ED25519", [CERT_ED448] = "ED448"};

int certs_slot_of_key(const EVP_PKEY *key)
{
    for (int i = 0; i < CERT_SLOTS; i++) {
        if (EVP_PKEY_is_a(key, key_names[i]))
            return i;
    }
    return -1;
}

/* The slot of a key, or -1 with the error on the queue. */
static int slot_of(const EVP_PKEY *key)
{
    int slot = certs_slot_of_key(key);
    if (slot < 0)
        raise_ssl(SSL_R_UNKNOWN_CERTIFICATE_TYPE);
    return slot;
}

static bool missing(const void *arg)
{
    if (!arg)
        raise_ssl(ERR_R_PASSED_NULL_PARAMETER);
    return !arg;
}

/* A key that does not fit a new certificate is dropped without a word: it will be set next. */
static void drop_unfitting_key(struct cert_entry *e, X509 *x)
{
    EVP_PKEY_copy_parameters(X509_get0_pubkey(x), e->key);
    ERR_clear_error();
    if (X509_check_private_key(x, e->key))
        return;
    EVP_PKEY_free(e->key);
    e->key = NULL;
    ERR_clear_error();
}

int certs_set_x509(SSL *s, SSL_CTX *ctx, X509 *x)
{
    int reason = cert_security(s, ctx, x, false, true);
    if (reason != 1) {
        raise_ssl(reason);
        return 0;
    }
    EVP_PKEY *public = X509_get0_pubkey(x);
    if (!public) {
        raise_ssl(SSL_R_X509_LIB);
        return 0;
    }
    int slot = slot_of(public);
    if (slot < 0)
        return 0;
    if (slot == CERT_EC && !EVP_PKEY_can_sign(public)) {
        raise_ssl(SSL_R_ECC_CERT_NOT_FOR_SIGNING);
        return 0;
    }
    struct certs *c = certs_change(s, ctx);
    if (!c || !X509_up_ref(x))
        return 0;
    struct cert_entry *e = &c->entry[slot];
    if (e->key)
        drop_unfitting_key(e, x);
    X509_free(e->x509);
    e->x509 = x;
    c->current = slot;
    return 1;
}

int certs_set_key(SSL *s, SSL_CTX *ctx, EVP_PKEY *key)
{
    int slot = slot_of(key);
    if (slot < 0)
        return 0;
    X509 *x = certs_get(s, ctx)->entry[slot].x509;
    if (x && !X509_check_private_key(x, key))
        return 0;
    struct certs *c = certs_change(s, ctx);
    if (!c || !EVP_PKEY_up_ref(key))
        return 0;
    EVP_PKEY_free(c->entry[slot].key);
    c->entry[slot].key = key;
    c->current = slot;
    if (ctx)
        access_warm_up();
    return 1;
}

int SSL_use_certificate(SSL *ssl, X509 *x)
{
    return missing(x) ? 0 : certs_set_x509(ssl, NULL, x);
}

int SSL_CTX_use_certificate(SSL_CTX *ctx, X509 *x)
{
    return missing(x) ? 0 : certs_set_x509(NULL, ctx, x);
}

int SSL_use_PrivateKey(SSL *ssl, EVP_PKEY *pkey)
{
    return missing(pkey) ? 0 : certs_set_key(ssl, NULL, pkey);
}

int SSL_CTX_use_PrivateKey(SSL_CTX *ctx, EVP_PKEY *pkey)
{
    return missing(pkey) ? 0 : certs_set_key(NULL, ctx, pkey);
}

static int set_rsa(SSL *s, SSL_CTX *ctx, RSA *rsa)
{
    if (missing(rsa))
        return 0;
    EVP_PKEY *key = EVP_PKEY_new();
    if (!key || !EVP_PKEY_set1_RSA(key, rsa)) {
        raise_ssl(ERR_R_EVP_LIB);
        EVP_PKEY_free(key);
        return 0;
    }
    int ok = certs_set_key(s, ctx, key);
    EVP_PKEY_free(key);
    return ok;
}

int SSL_use_RSAPrivateKey(SSL *ssl, RSA *rsa)
{
    return set_rsa(ssl, NULL, rsa);
}

int SSL_CTX_use_RSAPrivateKey(SSL_CTX *ctx, RSA *rsa)
{
    return set_rsa(NULL, ctx, rsa);
}

/* ---- certificate, key and chain at once */

/* Keys whose curve or parameters stand only in the other half get them from there. */
static bool fit_key(EVP_PKEY *public, EVP_PKEY *key)
{
    if (EVP_PKEY_missing_parameters(key)) {
        if (EVP_PKEY_missing_parameters(public)) {
            raise_ssl(SSL_R_MISSING_PARAMETERS);
            return false;
        }
        EVP_PKEY_copy_parameters(key, public);
    } else if (EVP_PKEY_missing_parameters(public)) {
        EVP_PKEY_copy_parameters(public, key);
    }
    if (EVP_PKEY_eq(public, key) != 1) {
        raise_ssl(SSL_R_PRIVATE_KEY_MISMATCH);
        return false;
    }
    return true;
}

static int put_all(SSL *s, SSL_CTX *ctx, X509 *x, EVP_PKEY *key, STACK_OF(X509) * chain,
                   int override)
{
    int slot = slot_of(key);
    if (slot < 0)
        return 0;
    const struct cert_entry *old = &certs_get(s, ctx)->entry[slot];
    if (!override && (old->x509 || old->key || old->chain)) {
        raise_ssl(SSL_R_NOT_REPLACING_CERTIFICATE);
        return 0;
    }
    STACK_OF(X509) *copy = chain ? X509_chain_up_ref(chain) : NULL;
    struct certs *c = copy || !chain ? certs_change(s, ctx) : NULL;
    if (!c) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        x509s_free(copy);
        return 0;
    }
    struct cert_entry *e = &c->entry[slot];
    X509_up_ref(x);
    EVP_PKEY_up_ref(key);
    x509s_free(e->chain);
    X509_free(e->x509);
    EVP_PKEY_free(e->key);
    e->chain = copy;
    e->x509 = x;
    e->key = key;
    c->current = slot;
    return 1;
}

static int use_all(SSL *s, SSL_CTX *ctx, X509 *x, EVP_PKEY *key, STACK_OF(X509) * chain,
                   int override)
{
    int reason = cert_security(s, ctx, x, false, true);
    for (int i = 0; reason == 1 && i < sk_X509_num(chain); i++)
        reason = cert_security(s, ctx, sk_X509_value(chain, i), false, false);
    if (reason != 1) {
        raise_ssl(reason);
        return 0;
    }
    EVP_PKEY *public = X509_get0_pubkey(x);
    if (!public || (key && !fit_key(public, key)))
        return 0;
    return put_all(s, ctx, x, key ? key : public, chain, override);
}

int SSL_use_cert_and_key(SSL *ssl, X509 *x509, EVP_PKEY *privatekey, STACK_OF(X509) * chain,
                         int override)
{
    return use_all(ssl, NULL, x509, privatekey, chain, override);
}

int SSL_CTX_use_cert_and_key(SSL_CTX *ctx, X509 *x509, EVP_PKEY *privatekey,
                             STACK_OF(X509) * chain, int override)
{
    return use_all(NULL, ctx, x509, privatekey, chain, override);
}

/* ---- what is set */

static const struct cert_entry *current(const struct certs *c)
{
    return &c->entry[c->current];
}

static int check_pair(const struct cert_entry *e)
{
    if (!e->x509) {
        raise_ssl(SSL_R_NO_CERTIFICATE_ASSIGNED);
        return 0;
    }
    if (!e->key) {
        raise_ssl(SSL_R_NO_PRIVATE_KEY_ASSIGNED);
        return 0;
    }
    return X509_check_private_key(e->x509, e->key);
}

int SSL_CTX_check_private_key(const SSL_CTX *ctx)
{
    if (!ctx) {
        raise_ssl(SSL_R_NO_CERTIFICATE_ASSIGNED);
        return 0;
    }
    return check_pair(current(certs_get(NULL, ctx)));
}

int SSL_check_private_key(const SSL *ssl)
{
    if (ssl)
        return check_pair(current(certs_get(ssl, NULL)));
    raise_ssl(ERR_R_PASSED_NULL_PARAMETER);
    return 0;
}

X509 *SSL_CTX_get0_certificate(const SSL_CTX *ctx)
{
    return current(certs_get(NULL, ctx))->x509;
}

EVP_PKEY *SSL_CTX_get0_privatekey(const SSL_CTX *ctx)
{
    return current(certs_get(NULL, ctx))->key;
}

static const struct cert_entry *of_connection(const SSL *s)
{
    const struct certs *c = certs_get(s, NULL);
    int slot = slot_used(s);
    return slot >= 0 && c->entry[slot].x509 ? &c->entry[slot] : current(c);
}

X509 *SSL_get_certificate(const SSL *ssl)
{
    return of_connection(ssl)->x509;
}

EVP_PKEY *SSL_get_privatekey(const SSL *ssl)
{
    return of_connection(ssl)->key;
}

void SSL_certs_clear(SSL *s)
{
    struct certs *c = certs_change(s, NULL);
    for (size_t i = 0; c && i < CERT_SLOTS; i++)
        entry_clear(&c->entry[i]);
}

/* ---- who is asked for a certificate, and for a passphrase */

void SSL_CTX_set_cert_cb(SSL_CTX *c, int (*cb)(SSL *ssl, void *arg), void *arg)
{
    struct certs *certs = certs_change(NULL, c);
    if (certs) {
        certs->cert_cb = cb;
        certs->cert_arg = arg;
    }
}

void SSL_set_cert_cb(SSL *s, int (*cb)(SSL *ssl, void *arg), void *arg)
{
    struct certs *certs = certs_change(s, NULL);
    if (certs) {
        certs->cert_cb = cb;
        certs->cert_arg = arg;
    }
}

void SSL_CTX_set_client_cert_cb(SSL_CTX *ctx, int (*cb)(SSL *ssl, X509 **x509, EVP_PKEY **pkey))
{
    ctx->client_cert_cb = cb;
}

int (*SSL_CTX_get_client_cert_cb(SSL_CTX *ctx))(SSL *ssl, X509 **x509, EVP_PKEY **pkey)
{
    return ctx->client_cert_cb;
}

void SSL_CTX_set_default_passwd_cb(SSL_CTX *ctx, pem_password_cb *cb)
{
    ctx->passwd_cb = cb;
}

void SSL_CTX_set_default_passwd_cb_userdata(SSL_CTX *ctx, void *u)
{
    ctx->passwd_arg = u;
}

pem_password_cb *SSL_CTX_get_default_passwd_cb(SSL_CTX *ctx)
{
    return ctx->passwd_cb;
}

void *SSL_CTX_get_default_passwd_cb_userdata(SSL_CTX *ctx)
{
    return ctx->passwd_arg;
}

void SSL_set_default_passwd_cb(SSL *s, pem_password_cb *cb)
{
    s->passwd_cb = cb;
}

void SSL_set_default_passwd_cb_userdata(SSL *s, void *u)
{
    s->passwd_arg = u;
}

pem_password_cb *SSL_get_default_passwd_cb(SSL *s)
{
    return s->passwd_cb;
}

void *SSL_get_default_passwd_cb_userdata(SSL *s)
{
    return s->passwd_arg;
}

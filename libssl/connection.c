/* connection.c: the life of an SSL, and what it is asked about itself. */
#include "libssl/custom.h"
#include "libssl/local.h"

#include <openssl/ocsp.h>

static const SSL_METHOD *method_of(const SSL_CTX *ctx)
{
    return ctx->method;
}

SSL *SSL_new(SSL_CTX *ctx)
{
    if (!ctx) {
        raise_ssl(SSL_R_NULL_SSL_CTX);
        return NULL;
    }
    SSL *s = OPENSSL_zalloc(sizeof *s);
    if (!s) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->ctx = ctx;
    s->session_ctx = ctx;
    (void)SSL_CTX_up_ref(ctx);
    s->settings = settings_ref(ctx->settings);
    s->passwd_cb = ctx->passwd_cb;
    s->passwd_arg = ctx->passwd_arg;
    s->rwstate = SSL_NOTHING;
    s->key_update = SSL_KEY_UPDATE_NONE;
    s->verify_result = X509_V_OK;
    s->ocsp_response_len = -1;
    s->method = method_of(ctx);
    s->server = s->method->server; /* until somebody says which */
    if (!dane_inherit(s) || !CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL, s, &s->ex_data)) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        SSL_free(s);
        return NULL;
    }
    return s;
}

int SSL_up_ref(SSL *s)
{
    return atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed) > 0;
}

/* What belongs to one connection, and not to the object that may be used for another. */
static void drop_connection(SSL *s)
{
    hf_conn_free(s->conn);
    s->conn = NULL;
    if (s->in != s->lent)
        OPENSSL_clear_free(s->in, s->in_size);
    OPENSSL_free(s->out);
    s->in = s->out = NULL;
    s->in_size = s->in_start = s->in_end = s->out_size = s->out_start = s->out_end = 0;
    s->header_len = 0;
    s->plain = NULL;
    s->plain_len = 0;
    s->write_buf = NULL;
    s->write_len = s->write_done = 0;
    sk_X509_pop_free(s->peer_chain, X509_free);
    sk_X509_pop_free(s->verified_chain, X509_free);
    s->peer_chain = s->verified_chain = NULL;
    s->peer_judged = s->verdict_recalled = false;
    s->cert_used = 0;
    s->cert_changed = false;
    ct_free(s);
    OPENSSL_free(s->raw_ciphers);
    s->raw_ciphers = NULL;
    sk_SSL_CIPHER_free(s->ciphers_cache);
    sk_SSL_CIPHER_free(s->client_ciphers);
    sk_SSL_CIPHER_free(s->shared_ciphers);
    s->ciphers_cache = s->client_ciphers = s->shared_ciphers = NULL;
    sk_X509_NAME_pop_free(s->peer_ca_names, X509_NAME_free);
    s->peer_ca_names = NULL;
    OPENSSL_free(s->psk_identity);
    OPENSSL_free(s->psk_hint);
    s->psk_identity = s->psk_hint = NULL;
}

void SSL_free(SSL *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    session_clear(s);
    CRYPTO_free_ex_data(CRYPTO_EX_INDEX_SSL, s, &s->ex_data);
    drop_connection(s);
    BIO_free_all(s->wbio);
    BIO_free_all(s->rbio);
    SSL_SESSION_free(s->session);
    X509_VERIFY_PARAM_free(s->param);
    OPENSSL_free(s->server_name);
    OPENSSL_free(s->ocsp_response);
    sk_OCSP_RESPID_pop_free(s->ocsp_ids, OCSP_RESPID_free);
    sk_X509_EXTENSION_pop_free(s->ocsp_exts, X509_EXTENSION_free);
    dane_free(s->dane);
    secrets_free(s->secrets);
    settings_free(s->settings);
    if (s->ctx != s->session_ctx)
        SSL_CTX_free(s->ctx);
    SSL_CTX_free(s->session_ctx);
    OPENSSL_free(s);
}

int SSL_clear(SSL *s)
{
    if (!s->method) {
        raise_ssl(SSL_R_NO_METHOD_SPECIFIED);
        return 0;
    }
    if (s->renegotiate != RENEGOTIATE_NO) {
        raise_ssl(ERR_R_INTERNAL_ERROR);
        return 0;
    }
    session_clear(s);
    drop_connection(s);
    s->phase = PHASE_BEFORE;
    state_reset(s);
    s->rwstate = SSL_NOTHING;
    s->shutdown = 0;
    s->hit = s->in_callback = s->pha_pending = false;
    s->error_code = 0;
    s->renegotiations = 0;
    s->renegotiate = RENEGOTIATE_NO;
    s->early_state = 0;
    s->early_pause = s->early_blocked = s->paused = false;
    s->key_update = SSL_KEY_UPDATE_NONE;
    s->verify_result = X509_V_OK;
    return 1;
}

int SSL_set_ex_data(SSL *s, int idx, void *data)
{
    return CRYPTO_set_ex_data(&s->ex_data, idx, data);
}

void *SSL_get_ex_data(const SSL *s, int idx)
{
    return CRYPTO_get_ex_data(&s->ex_data, idx);
}

SSL_CTX *SSL_get_SSL_CTX(const SSL *s)
{
    return s->ctx;
}

/* What goes with certificates in OpenSSL (its CERT): all that says how a server proves itself, and to whom. */
static bool take_certs(struct settings *mine, const struct settings *from)
{
    char *hint = from->psk_hint ? OPENSSL_strdup(from->psk_hint) : NULL;
    if (from->psk_hint && !hint)
        return false;
    OPENSSL_free(mine->psk_hint);
    mine->psk_hint = hint;
    struct custom_exts *custom = custom_ref(from->custom_exts);
    custom_free(mine->custom_exts);
    mine->custom_exts = custom;
    struct certs *certs = certs_ref(from->certs);
    certs_free(mine->certs);
    mine->certs = certs;
    mine->sigalgs = from->sigalgs;
    mine->client_sigalgs = from->client_sigalgs;
    mine->security_level = from->security_level;
    mine->security_cb = from->security_cb;
    mine->security_ex = from->security_ex;
    return true;
}

/* What belongs to a virtual host: what goes with certificates, its suites unless the connection has a list of its own,
 * and the session ID context if it was the other's. */
SSL_CTX *SSL_set_SSL_CTX(SSL *s, SSL_CTX *ctx)
{
    if (!ctx)
        ctx = s->session_ctx;
    if (ctx == s->ctx)
        return ctx;
    const struct settings *old = s->ctx->settings, *from = ctx->settings;
    struct settings *mine = settings_edit(&s->settings);
    if (!mine || !take_certs(mine, from))
        return NULL;
    bool followed = mine->sid_ctx_len == old->sid_ctx_len &&
                    memcmp(mine->sid_ctx, old->sid_ctx, old->sid_ctx_len) == 0;
    if (followed) {
        mine->sid_ctx_len = from->sid_ctx_len;
        memcpy(mine->sid_ctx, from->sid_ctx, sizeof mine->sid_ctx);
    }
    /* Most connections never have but one context, to which one reference will do. */
    if (ctx != s->session_ctx)
        (void)SSL_CTX_up_ref(ctx);
    if (s->ctx != s->session_ctx)
        SSL_CTX_free(s->ctx);
    s->ctx = ctx;
    return ciphers_follow(s) ? ctx : NULL;
}

/* ---- transport */

void SSL_set0_rbio(SSL *s, BIO *rbio)
{
    BIO_free_all(s->rbio);
    s->rbio = rbio;
}

void SSL_set0_wbio(SSL *s, BIO *wbio)
{
    BIO_free_all(s->wbio);
    s->wbio = wbio;
}

/* The rules of references are those of SSL_set_bio(3). */
void SSL_set_bio(SSL *s, BIO *rbio, BIO *wbio)
{
    if (rbio == s->rbio && wbio == s->wbio)
        return;
    if (rbio && rbio == wbio)
        BIO_up_ref(rbio);
    if (rbio == s->rbio) {
        SSL_set0_wbio(s, wbio);
        return;
    }
    if (wbio == s->wbio && s->rbio != s->wbio) {
        SSL_set0_rbio(s, rbio);
        return;
    }
    SSL_set0_rbio(s, rbio);
    SSL_set0_wbio(s, wbio);
}

BIO *SSL_get_rbio(const SSL *s)
{
    return s->rbio;
}

BIO *SSL_get_wbio(const SSL *s)
{
    return s->wbio;
}

static BIO *socket_bio(int fd)
{
    BIO *bio = BIO_new(BIO_s_socket());
    if (bio)
        BIO_set_fd(bio, fd, BIO_NOCLOSE);
    else
        raise_ssl(ERR_R_BUF_LIB);
    return bio;
}

int SSL_set_fd(SSL *s, int fd)
{
    BIO *bio = socket_bio(fd);
    if (!bio)
        return 0;
    SSL_set_bio(s, bio, bio);
    return 1;
}

static bool is_socket(BIO *bio, int fd)
{
    return bio && BIO_method_type(bio) == BIO_TYPE_SOCKET && (int)BIO_get_fd(bio, NULL) == fd;
}

int SSL_set_rfd(SSL *s, int fd)
{
    BIO *bio = s->wbio;
    if (is_socket(bio, fd))
        BIO_up_ref(bio);
    else if (!(bio = socket_bio(fd)))
        return 0;
    SSL_set0_rbio(s, bio);
    return 1;
}

int SSL_set_wfd(SSL *s, int fd)
{
    BIO *bio = s->rbio;
    if (is_socket(bio, fd))
        BIO_up_ref(bio);
    else if (!(bio = socket_bio(fd)))
        return 0;
    SSL_set0_wbio(s, bio);
    return 1;
}

static int fd_of(BIO *bio)
{
    int fd = -1;
    bio = BIO_find_type(bio, BIO_TYPE_DESCRIPTOR);
    if (bio)
        BIO_get_fd(bio, &fd);
    return fd;
}

int SSL_get_rfd(const SSL *s)
{
    return fd_of(s->rbio);
}

int SSL_get_wfd(const SSL *s)
{
    return fd_of(s->wbio);
}

int SSL_get_fd(const SSL *s)
{
    return SSL_get_rfd(s);
}

/* ---- what it is */

void SSL_set_connect_state(SSL *s)
{
    s->server = false;
    s->role_set = true;
    s->shutdown = 0;
    drop_connection(s);
    s->phase = PHASE_BEFORE;
    state_reset(s);
}

void SSL_set_accept_state(SSL *s)
{
    SSL_set_connect_state(s);
    s->server = true;
}

int SSL_is_server(const SSL *s)
{
    return s->server;
}

int SSL_is_dtls(const SSL *s)
{
    return s->method->dtls;
}

const SSL_METHOD *SSL_get_ssl_method(const SSL *s)
{
    return s->method;
}

int SSL_set_ssl_method(SSL *s, const SSL_METHOD *method)
{
    s->method = method;
    if (!s->role_set)
        s->server = method->server;
    struct settings *t = settings_edit(&s->settings);
    return t != NULL;
}

int SSL_version(const SSL *s)
{
    int version = s->conn ? access_version(s->conn) : 0;
    if (version)
        return version;
    if (s->method->version != TLS_ANY_VERSION)
        return s->method->version;
    return s->settings->version_max ? s->settings->version_max : TLS1_3_VERSION;
}

int SSL_client_version(const SSL *s)
{
    if (s->phase == PHASE_BEFORE)
        return s->method->version;
    int version = SSL_version(s);
    return version < TLS1_2_VERSION ? version
                                    : TLS1_2_VERSION; /* legacy_version (RFC 8446 4.1.2) */
}

const char *SSL_get_version(const SSL *s)
{
    switch (SSL_version(s)) {
    case TLS1_3_VERSION: return "TLSv1.3";
    case TLS1_2_VERSION: return "TLSv1.2";
    case TLS1_1_VERSION: return "TLSv1.1";
    case TLS1_VERSION: return "TLSv1";
    default: return "unknown";
    }
}

int SSL_want(const SSL *s)
{
    return s->rwstate;
}

int SSL_get_shutdown(const SSL *s)
{
    return s->shutdown;
}

void SSL_set_shutdown(SSL *s, int mode)
{
    s->shutdown = mode;
}

long SSL_get_default_timeout(const SSL *s)
{
    (void)s;
    return 60 * 60 * 2;
}

static size_t copy_out(unsigned char *out, size_t size, const uint8_t *from, size_t len)
{
    size_t n = size < len ? size : len;
    if (size == 0)
        return len;
    if (n)
        memcpy(out, from, n);
    return n;
}

static size_t random_of(const SSL *s, bool server, unsigned char *out, size_t outlen)
{
    static const uint8_t none[32];
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    const uint8_t *from = !d ? none : server ? d->server_random : d->client_random;
    return copy_out(out, outlen, from, 32);
}

size_t SSL_get_client_random(const SSL *s, unsigned char *out, size_t outlen)
{
    return random_of(s, false, out, outlen);
}

size_t SSL_get_server_random(const SSL *s, unsigned char *out, size_t outlen)
{
    return random_of(s, true, out, outlen);
}

static size_t finished_of(const SSL *s, bool server, void *buf, size_t count)
{
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    size_t len = d ? d->finished_len : 0;
    if (len)
        memcpy(buf, d->finished[server], count < len ? count : len);
    return len;
}

size_t SSL_get_finished(const SSL *s, void *buf, size_t count)
{
    return finished_of(s, s->server, buf, count);
}

size_t SSL_get_peer_finished(const SSL *s, void *buf, size_t count)
{
    return finished_of(s, !s->server, buf, count);
}

/* What TLS 1.2 and older compute themselves with their PRF (RFC 5705 4). */
static bool is_own_label(const char *label, size_t len)
{
    static const char *const own[] = {"client finished", "server finished", "master secret",
                                      "extended master secret", "key expansion"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (len >= strlen(own[i]) && memcmp(label, own[i], strlen(own[i])) == 0)
            return true;
    return false;
}

int SSL_export_keying_material(SSL *s, unsigned char *out, size_t olen, const char *label,
                               size_t llen, const unsigned char *context, size_t contextlen,
                               int use_context)
{
    hf_error err = {0};
    char name[256];
    bool begun = s->conn && (!s->server || access_version(s->conn) != 0);
    if (!begun || llen >= sizeof name || memchr(label, 0, llen))
        return -1;
    memcpy(name, label, llen);
    name[llen] = 0;
    if (access_version(s->conn) < TLS1_3_VERSION && is_own_label(label, llen)) {
        raise_ssl(SSL_R_TLS_ILLEGAL_EXPORTER_LABEL);
        return 0;
    }
    static const unsigned char empty[1];
    const unsigned char *with = use_context ? (context ? context : empty) : NULL;
    if (hf_conn_export(s->conn, name, with, use_context ? contextlen : 0, out, olen, &err))
        return 1;
    raise_hf_as(&err, ERR_R_INTERNAL_ERROR);
    return 0;
}

X509_VERIFY_PARAM *ssl_param(SSL *s)
{
    if (s->param)
        return s->param;
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    if (!param || !X509_VERIFY_PARAM_inherit(param, s->ctx->param)) {
        X509_VERIFY_PARAM_free(param);
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    return s->param = param;
}

/* A copy for another connection of the same kind: SSL_dup(3). One whose handshake has begun is shared. */
SSL *SSL_dup(SSL *s)
{
    if (s->phase != PHASE_BEFORE)
        return SSL_up_ref(s) ? s : NULL;
    SSL *copy = SSL_new(s->ctx);
    if (!copy)
        return NULL;
    settings_free(copy->settings);
    copy->settings = settings_ref(s->settings);
    copy->method = s->method;
    copy->server = s->server;
    copy->role_set = s->role_set;
    copy->shutdown = s->shutdown;
    copy->passwd_cb = s->passwd_cb;
    copy->passwd_arg = s->passwd_arg;
    copy->server_name = s->server_name ? OPENSSL_strdup(s->server_name) : NULL;
    bool ok =
        (!s->server_name || copy->server_name) &&
        (!s->param || (ssl_param(copy) && X509_VERIFY_PARAM_inherit(copy->param, s->param))) &&
        (!s->session || SSL_set_session(copy, s->session)) && dane_copy(copy, s) &&
        CRYPTO_dup_ex_data(CRYPTO_EX_INDEX_SSL, &copy->ex_data, &s->ex_data);
    if (!ok) {
        SSL_free(copy);
        return NULL;
    }
    return copy;
}

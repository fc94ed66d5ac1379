/* psk.c: setters of what finds pre-shared keys (RFC 4279, RFC 8446 4.2.11). */
#include "libssl/local.h"

void SSL_CTX_set_psk_client_callback(SSL_CTX *ctx, SSL_psk_client_cb_func cb)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->psk_client_cb = cb;
}

void SSL_set_psk_client_callback(SSL *s, SSL_psk_client_cb_func cb)
{
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->psk_client_cb = cb;
}

void SSL_CTX_set_psk_server_callback(SSL_CTX *ctx, SSL_psk_server_cb_func cb)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->psk_server_cb = cb;
}

void SSL_set_psk_server_callback(SSL *s, SSL_psk_server_cb_func cb)
{
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->psk_server_cb = cb;
}

void SSL_CTX_set_psk_use_session_callback(SSL_CTX *ctx, SSL_psk_use_session_cb_func cb)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->psk_use_cb = cb;
}

void SSL_set_psk_use_session_callback(SSL *s, SSL_psk_use_session_cb_func cb)
{
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->psk_use_cb = cb;
}

void SSL_CTX_set_psk_find_session_callback(SSL_CTX *ctx, SSL_psk_find_session_cb_func cb)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->psk_find_cb = cb;
}

void SSL_set_psk_find_session_callback(SSL *s, SSL_psk_find_session_cb_func cb)
{
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->psk_find_cb = cb;
}

static int set_hint(struct settings **slot, const char *hint)
{
    char *copy = NULL;
    if (hint) {
        if (strlen(hint) > PSK_MAX_IDENTITY_LEN) {
            raise_ssl(SSL_R_DATA_LENGTH_TOO_LONG);
            return 0;
        }
        if (!(copy = OPENSSL_strdup(hint))) {
            raise_ssl(ERR_R_MALLOC_FAILURE);
            return 0;
        }
    }
    struct settings *t = settings_edit(slot);
    if (!t) {
        OPENSSL_free(copy);
        return 0;
    }
    OPENSSL_free(t->psk_hint);
    t->psk_hint = copy;
    return 1;
}

int SSL_CTX_use_psk_identity_hint(SSL_CTX *ctx, const char *identity_hint)
{
    return ctx ? set_hint(&ctx->settings, identity_hint) : 0;
}

int SSL_use_psk_identity_hint(SSL *s, const char *identity_hint)
{
    return s ? set_hint(&s->settings, identity_hint) : 0;
}

const char *SSL_get_psk_identity_hint(const SSL *s)
{
    return s && s->conn ? s->psk_hint : NULL;
}

/* The engine's identity has no NUL behind it: a copy is kept with the connection. */
const char *SSL_get_psk_identity(const SSL *s)
{
    size_t len = 0;
    const uint8_t *identity = s && s->conn ? hf_conn_psk_identity(s->conn, &len) : NULL;
    if (!identity)
        return NULL;
    SSL *keeper = (SSL *)(uintptr_t)s;
    if (!keeper->psk_identity)
        keeper->psk_identity = OPENSSL_strndup((const char *)identity, len);
    return keeper->psk_identity;
}

/* session_fields.c: what can be asked of an SSL_SESSION, and set. */
#include <openssl/sslerr.h>

#include "libssl/local.h"

enum { MAX_SECRET = 512, MAX_ALPN = 255 };

/* ---- time */

long SSL_SESSION_get_time(const SSL_SESSION *s)
{
    return s ? s->time : 0;
}

int64_t session_ms(long seconds)
{
    const int64_t most = INT64_MAX / 4000;
    return 1000 * (seconds > most ? most : seconds < -most ? -most : seconds);
}

/* In a table sessions stand by age: one that gets younger or older changes its place. */
long SSL_SESSION_set_time(SSL_SESSION *s, long t)
{
    if (!s)
        return 0;
    s->time = t;
    s->issued_ms = session_ms(t);
    s->stale = true;
    session_moved(s);
    return t;
}

long SSL_SESSION_get_timeout(const SSL_SESSION *s)
{
    return s ? s->timeout : 0;
}

long SSL_SESSION_set_timeout(SSL_SESSION *s, long t)
{
    if (!s || t < 0)
        return 0;
    s->timeout = t;
    s->stale = true;
    session_moved(s);
    return 1;
}

bool session_timed_out(const SSL_SESSION *s, long now)
{
    return s->timeout < now && s->time < now - s->timeout;
}

/* ---- names */

const unsigned char *SSL_SESSION_get_id(const SSL_SESSION *s, unsigned int *len)
{
    if (len)
        *len = s->id_len;
    return s->id;
}

int SSL_SESSION_set1_id(SSL_SESSION *s, const unsigned char *id, unsigned int len)
{
    if (len > sizeof s->id) {
        raise_ssl(SSL_R_SSL_SESSION_ID_TOO_LONG);
        return 0;
    }
    if (id != s->id && len)
        memcpy(s->id, id, len);
    s->id_len = (uint8_t)len;
    s->stale = true;
    return 1;
}

const unsigned char *SSL_SESSION_get0_id_context(const SSL_SESSION *s, unsigned int *len)
{
    if (len)
        *len = s->sid_ctx_len;
    return s->sid_ctx;
}

int SSL_SESSION_set1_id_context(SSL_SESSION *s, const unsigned char *context, unsigned int len)
{
    if (len > sizeof s->sid_ctx) {
        raise_ssl(SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG);
        return 0;
    }
    if (context != s->sid_ctx && len)
        memcpy(s->sid_ctx, context, len);
    s->sid_ctx_len = (uint8_t)len;
    s->stale = true;
    return 1;
}

const char *SSL_SESSION_get0_hostname(const SSL_SESSION *s)
{
    return (const char *)s->name.p;
}

int SSL_SESSION_set1_hostname(SSL_SESSION *s, const char *name)
{
    return session_set(s, &s->name, name, name ? strlen(name) : 0);
}

void SSL_SESSION_get0_alpn_selected(const SSL_SESSION *s, const unsigned char **alpn,
                                    size_t *len)
{
    *alpn = s->alpn.p;
    *len = s->alpn.len;
}

int SSL_SESSION_set1_alpn_selected(SSL_SESSION *s, const unsigned char *alpn, size_t len)
{
    if (len > MAX_ALPN)
        return 0;
    return session_set(s, &s->alpn, len ? alpn : NULL, len);
}

/* ---- what was agreed on */

int SSL_SESSION_get_protocol_version(const SSL_SESSION *s)
{
    return s->version;
}

int SSL_SESSION_set_protocol_version(SSL_SESSION *s, int version)
{
    s->version = version;
    s->stale = true;
    return 1;
}

const SSL_CIPHER *SSL_SESSION_get0_cipher(const SSL_SESSION *s)
{
    return s->suite ? cipher_by_id(s->suite) : NULL;
}

int SSL_SESSION_set_cipher(SSL_SESSION *s, const SSL_CIPHER *cipher)
{
    s->suite = cipher ? cipher_id(cipher) : 0;
    s->stale = true;
    return 1;
}

size_t SSL_SESSION_get_master_key(const SSL_SESSION *s, unsigned char *out, size_t size)
{
    if (size == 0)
        return s->secret.len;
    size_t len = s->secret.len < size ? s->secret.len : size;
    if (len)
        memcpy(out, s->secret.p, len);
    return len;
}

int SSL_SESSION_set1_master_key(SSL_SESSION *s, const unsigned char *key, size_t len)
{
    return len <= MAX_SECRET && session_set(s, &s->secret, len ? key : NULL, len);
}

unsigned int SSL_SESSION_get_compress_id(const SSL_SESSION *s)
{
    return s->compression;
}

uint8_t SSL_SESSION_get_max_fragment_length(const SSL_SESSION *s)
{
    return s->max_fragment_code == TLSEXT_max_fragment_length_UNSPECIFIED
               ? 0
               : s->max_fragment_code;
}

X509 *SSL_SESSION_get0_peer(SSL_SESSION *s)
{
    return session_peer(s);
}

/* ---- tickets */

int SSL_SESSION_has_ticket(const SSL_SESSION *s)
{
    return s->ticket.len > 0;
}

unsigned long SSL_SESSION_get_ticket_lifetime_hint(const SSL_SESSION *s)
{
    return s->lifetime_hint;
}

void SSL_SESSION_get0_ticket(const SSL_SESSION *s, const unsigned char **ticket, size_t *len)
{
    *len = s->ticket.len;
    if (ticket)
        *ticket = s->ticket.p;
}

uint32_t SSL_SESSION_get_max_early_data(const SSL_SESSION *s)
{
    return s->max_early_data;
}

int SSL_SESSION_set_max_early_data(SSL_SESSION *s, uint32_t max)
{
    s->max_early_data = max;
    s->stale = true;
    return 1;
}

int SSL_SESSION_set1_ticket_appdata(SSL_SESSION *s, const void *data, size_t len)
{
    return session_set(s, &s->appdata, data && len ? data : NULL, len);
}

int SSL_SESSION_get0_ticket_appdata(SSL_SESSION *s, void **data, size_t *len)
{
    *data = (void *)(uintptr_t)s->appdata.p;
    *len = s->appdata.len;
    return 1;
}

int SSL_SESSION_is_resumable(const SSL_SESSION *s)
{
    return !s->not_resumable && (s->id_len > 0 || s->ticket.len > 0);
}

/* cipher_peer.c: the suites that a handshake was about: the client's, those of both, and the one that is used. */
#include "libssl/control.h"

static const struct details *offered(const SSL *s)
{
    const struct details *d = s->conn && s->server ? access_details(s->conn) : NULL;
    return d && d->suite_count ? d : NULL;
}

STACK_OF(SSL_CIPHER) * SSL_get_client_ciphers(const SSL *s)
{
    const struct details *d = offered(s);
    SSL *mine =
        (SSL *)(uintptr_t)s; /* the cache is no part of what a const SSL promises to keep */

    if (!d || s->client_ciphers)
        return s->client_ciphers;
    STACK_OF(SSL_CIPHER) *stack = sk_SSL_CIPHER_new_null();
    for (size_t i = 0; stack && i < d->suite_count; i++) {
        const SSL_CIPHER *c = cipher_by_id(d->suites[i]);
        if (c && c->version_min && !sk_SSL_CIPHER_push(stack, c)) {
            sk_SSL_CIPHER_free(stack);
            stack = NULL;
        }
    }
    return mine->client_ciphers = stack;
}

char *SSL_get_shared_ciphers(const SSL *s, char *buf, int size)
{
    STACK_OF(SSL_CIPHER) *theirs = SSL_get_client_ciphers(s), *ours = SSL_get_ciphers(s);
    size_t left = size < 0 ? 0 : (size_t)size;
    char *out = buf;

    if (left < 2 || sk_SSL_CIPHER_num(theirs) <= 0 || sk_SSL_CIPHER_num(ours) <= 0)
        return NULL;
    for (int i = 0; i < sk_SSL_CIPHER_num(theirs); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(theirs, i);
        if (sk_SSL_CIPHER_find(ours, (SSL_CIPHER *)(uintptr_t)c) < 0)
            continue;
        size_t len = strlen(c->name);
        if (len + 1 > left)
            break;
        memcpy(out, c->name, len);
        out += len;
        *out++ = ':';
        left -= len + 1;
    }
    if (out == buf)
        return NULL;
    out[-1] = 0; /* in place of the last colon */
    return buf;
}

/* It belongs to the session, in OpenSSL: to the one that is offered, then to the one that is being made. */
const SSL_CIPHER *SSL_get_current_cipher(const SSL *s)
{
    struct access_suites suites = {0};
    if (s->conn)
        suites = access_suites(s->conn);
    if (!suites.now && !suites.chosen && s->session)
        suites.now = s->session->suite;
    return suites.now ? cipher_by_id(suites.now) : NULL;
}

const SSL_CIPHER *SSL_get_pending_cipher(const SSL *s)
{
    uint16_t suite = s->conn ? access_suites(s->conn).pending : 0;
    return suite ? cipher_by_id(suite) : NULL;
}

long control_raw_ciphers(const struct target *t, int command, long number, void *pointer)
{
    SSL *s = t->ssl;
    const struct details *d = offered(s);
    (void)command, (void)number;

    if (!pointer)
        return 2; /* bytes that a suite takes */
    if (!d)
        return 0;
    if (!s->raw_ciphers) {
        if (!(s->raw_ciphers = OPENSSL_malloc(2 * d->suite_count)))
            return 0;
        for (size_t i = 0; i < d->suite_count; i++) {
            s->raw_ciphers[2 * i] = (unsigned char)(d->suites[i] >> 8);
            s->raw_ciphers[2 * i + 1] = (unsigned char)d->suites[i];
        }
    }
    *(const unsigned char **)pointer = s->raw_ciphers;
    return (long)(2 * d->suite_count);
}

/* A peer that names point formats must name this one (RFC 8422 5.1.2), and others mean nothing any more. */
long control_ec_formats(const struct target *t, int command, long number, void *pointer)
{
    static const unsigned char uncompressed[] = {0};
    const SSL *s = t->ssl;
    const SSL_CIPHER *c = SSL_get_current_cipher(s);
    (void)command, (void)number;

    if (!s->conn || !c || (c->kx != KX_ECDHE && c->kx != KX_ECDHE_PSK))
        return 0;
    *(const unsigned char **)pointer = uncompressed;
    return (long)sizeof uncompressed;
}

/* hello.c: what a server's callbacks can see of a ClientHello, and the name in it. */
#include "libssl/custom.h"
#include "libssl/local.h"

/* The parts of the message that a ClientHello callback looks at. */
struct hello {
    const uint8_t *version, *random, *session_id, *ciphers, *compressions, *extensions;
    size_t session_id_len, ciphers_len, compressions_len, extensions_len;
};

enum { HEADER = 4, RANDOM = 32 };

/* The engine has read it before and found nothing wrong; still no byte past its end is looked at. */
static bool take(const SSL *s, size_t *at, size_t width, const uint8_t **out, size_t *len)
{
    if (s->hello_len - *at < width)
        return false;
    *len = width == 2 ? (size_t)s->hello[*at] << 8 | s->hello[*at + 1] : s->hello[*at];
    *at += width;
    if (s->hello_len - *at < *len)
        return false;
    *out = s->hello + *at;
    *at += *len;
    return true;
}

static bool parse(const SSL *s, struct hello *out)
{
    memset(out, 0, sizeof *out);
    if (!s->hello || s->hello_len < HEADER + 2 + RANDOM)
        return false;
    size_t at = HEADER + 2 + RANDOM;
    out->version = s->hello + HEADER;
    out->random = out->version + 2;
    if (!take(s, &at, 1, &out->session_id, &out->session_id_len) ||
        !take(s, &at, 2, &out->ciphers, &out->ciphers_len) ||
        !take(s, &at, 1, &out->compressions, &out->compressions_len))
        return false;
    return at == s->hello_len || take(s, &at, 2, &out->extensions, &out->extensions_len);
}

/* next_extension: *at is where to go on; false at the end. */
static bool next_extension(const struct hello *h, size_t *at, unsigned *type,
                           const uint8_t **data, size_t *len)
{
    const uint8_t *p = h->extensions + *at;
    if (h->extensions_len - *at < 4)
        return false;
    *type = (unsigned)p[0] << 8 | p[1];
    *len = (size_t)p[2] << 8 | p[3];
    if (h->extensions_len - *at - 4 < *len)
        return false;
    *data = p + 4;
    *at += 4 + *len;
    return true;
}

int SSL_client_hello_isv2(SSL *s)
{
    return s->hello != NULL && s->hello_is_v2;
}

unsigned int SSL_client_hello_get0_legacy_version(SSL *s)
{
    struct hello h;
    return parse(s, &h) ? (unsigned)h.version[0] << 8 | h.version[1] : 0;
}

size_t SSL_client_hello_get0_random(SSL *s, const unsigned char **out)
{
    struct hello h;
    if (!parse(s, &h))
        return 0;
    if (out)
        *out = h.random;
    return RANDOM;
}

size_t SSL_client_hello_get0_session_id(SSL *s, const unsigned char **out)
{
    struct hello h;
    if (!parse(s, &h))
        return 0;
    if (out)
        *out = h.session_id;
    return h.session_id_len;
}

size_t SSL_client_hello_get0_ciphers(SSL *s, const unsigned char **out)
{
    struct hello h;
    if (!parse(s, &h))
        return 0;
    if (out)
        *out = h.ciphers;
    return h.ciphers_len;
}

size_t SSL_client_hello_get0_compression_methods(SSL *s, const unsigned char **out)
{
    struct hello h;
    if (!parse(s, &h))
        return 0;
    if (out)
        *out = h.compressions;
    return h.compressions_len;
}

int SSL_client_hello_get1_extensions_present(SSL *s, int **out, size_t *outlen)
{
    struct hello h;
    if (!out || !outlen || !parse(s, &h))
        return 0;
    size_t at = 0, n = 0, len;
    unsigned type;
    const uint8_t *data;
    *out = NULL;
    *outlen = 0;
    while (next_extension(&h, &at, &type, &data, &len))
        n += custom_or_known(s, type);
    if (n == 0)
        return 1;
    int *types = OPENSSL_malloc(n * sizeof *types);
    if (!types) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    for (at = n = 0; next_extension(&h, &at, &type, &data, &len);)
        if (custom_or_known(s, type))
            types[n++] = (int)type;
    *out = types;
    *outlen = n;
    return 1;
}

int SSL_client_hello_get0_ext(SSL *s, unsigned int type, const unsigned char **out,
                              size_t *outlen)
{
    struct hello h;
    size_t at = 0, len;
    unsigned found;
    const uint8_t *data;
    if (!parse(s, &h))
        return 0;
    while (next_extension(&h, &at, &found, &data, &len)) {
        if (found != type || !custom_or_known(s, type))
            continue;
        if (out)
            *out = data;
        if (outlen)
            *outlen = len;
        return 1;
    }
    return 0;
}

/* ---- server name (RFC 6066 3) */

static const char *session_name(const SSL *s)
{
    return s->session ? SSL_SESSION_get0_hostname(s->session) : NULL;
}

/* In TLS 1.3 the name belongs to the connection; before, to the session that is resumed. */
const char *SSL_get_servername(const SSL *s, const int type)
{
    if (type != TLSEXT_NAMETYPE_host_name)
        return NULL;
    bool older = s->conn && hf_conn_version(s->conn) && hf_conn_version(s->conn) < HF_TLS1_3;
    if (s->role_set && s->server) {
        if (s->hit && older)
            return session_name(s);
        if (!s->server_name && s->conn)
            return hf_conn_server_name(s->conn);
    } else if (s->phase == PHASE_BEFORE) {
        if (!s->server_name && s->session &&
            SSL_SESSION_get_protocol_version(s->session) != TLS1_3_VERSION)
            return session_name(s);
    } else if (s->hit && older && session_name(s)) {
        return session_name(s);
    }
    return s->server_name;
}

int SSL_get_servername_type(const SSL *s)
{
    return SSL_get_servername(s, TLSEXT_NAMETYPE_host_name) ? TLSEXT_NAMETYPE_host_name : -1;
}

/* status.c: what a client says beside its wish for an OCSP response: by whom it should be made, and with which
 * extensions (RFC 6066 8, RFC 6960 4.1). */
#include "libssl/local.h"

#include <openssl/ocsp.h>

enum { VECTOR_MAX = 65535 };

/* ---- client */

/* Each with its length before it, and the length of all in front. */
static unsigned char *put_ids(const STACK_OF(OCSP_RESPID) * ids, unsigned char *p,
                              const unsigned char *end)
{
    unsigned char *start = p;
    p += 2;
    for (int i = 0; i < sk_OCSP_RESPID_num(ids); i++) {
        OCSP_RESPID *id = sk_OCSP_RESPID_value(ids, i);
        int len = i2d_OCSP_RESPID(id, NULL);
        if (len <= 0 || end - p < len + 2)
            return NULL;
        *p++ = (unsigned char)(len >> 8);
        *p++ = (unsigned char)len;
        (void)i2d_OCSP_RESPID(id, &p);
    }
    size_t all = (size_t)(p - start) - 2;
    if (all > VECTOR_MAX)
        return NULL;
    start[0] = (unsigned char)(all >> 8);
    start[1] = (unsigned char)all;
    return p;
}

static unsigned char *put_extensions(X509_EXTENSIONS *exts, unsigned char *p,
                                     const unsigned char *end)
{
    int len = exts ? i2d_X509_EXTENSIONS(exts, NULL) : 0;
    if (len < 0 || len > VECTOR_MAX || end - p < len + 2)
        return NULL;
    *p++ = (unsigned char)(len >> 8);
    *p++ = (unsigned char)len;
    if (len)
        (void)i2d_X509_EXTENSIONS(exts, &p);
    return p;
}

bool status_to_config(const SSL *s, hf_config *config)
{
    enum { ROOM = 2 * (VECTOR_MAX + 2) };
    if (!s->ocsp_ids && !s->ocsp_exts)
        return true;
    unsigned char *buf = OPENSSL_malloc(ROOM), *p = buf;
    if (!buf) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return false;
    }
    p = put_ids(s->ocsp_ids, p, buf + ROOM);
    p = p ? put_extensions(s->ocsp_exts, p, buf + ROOM) : NULL;
    bool ok = p && access_config_ocsp_request(config, buf, (size_t)(p - buf));
    if (!p)
        raise_ssl(ERR_R_INTERNAL_ERROR);
    OPENSSL_free(buf);
    return ok;
}

/* ---- server */

static size_t take_u16(const unsigned char **p)
{
    size_t n = (size_t)(*p)[0] << 8 | (*p)[1];
    *p += 2;
    return n;
}

static bool take_ids(SSL *s, const unsigned char *p, const unsigned char *end)
{
    sk_OCSP_RESPID_pop_free(s->ocsp_ids, OCSP_RESPID_free);
    s->ocsp_ids = p < end ? sk_OCSP_RESPID_new_null() : NULL;
    while (p < end) {
        size_t len = end - p > 2 ? take_u16(&p) : 0;
        const unsigned char *after = p + len;
        if (!len || len > (size_t)(end - p))
            return false;
        OCSP_RESPID *id = d2i_OCSP_RESPID(NULL, &p, (long)len);
        if (!id || p != after || !sk_OCSP_RESPID_push(s->ocsp_ids, id)) {
            OCSP_RESPID_free(id);
            return false;
        }
    }
    return true;
}

static bool take_extensions(SSL *s, const unsigned char *p, const unsigned char *end)
{
    if (p == end)
        return true;
    sk_X509_EXTENSION_pop_free(s->ocsp_exts, X509_EXTENSION_free);
    s->ocsp_exts = d2i_X509_EXTENSIONS(NULL, &p, (long)(end - p));
    return s->ocsp_exts && p == end;
}

int status_type(const SSL *s)
{
    switch (s->status_asked) {
    case STATUS_OCSP: return TLSEXT_STATUSTYPE_ocsp;
    case STATUS_OTHER: return -1;
    case STATUS_UNASKED:
    default: /* once there is a ClientHello it is that that counts */
        return s->server && s->conn && access_version(s->conn) ? -1 : s->settings->status_type;
    }
}

/* The engine has read the lengths and found them well-formed; what is in them it does not know. */
bool status_take(SSL *s)
{
    const unsigned char *p;
    size_t len;
    s->status_asked = STATUS_UNASKED;
    if (!SSL_client_hello_get0_ext(s, TLSEXT_TYPE_status_request, &p, &len))
        return true;
    s->status_asked = len >= 5 && p[0] == TLSEXT_STATUSTYPE_ocsp ? STATUS_OCSP : STATUS_OTHER;
    if (s->status_asked == STATUS_OTHER)
        return true;
    const unsigned char *end = p + len, *middle;
    p++;
    size_t ids = take_u16(&p);
    middle = p + ids;
    if (ids + 2 > (size_t)(end - p) || !take_ids(s, p, middle))
        return false;
    (void)take_u16(&middle);
    return take_extensions(s, middle, end);
}

/* session_asn1.c: SSL_SESSION as OpenSSL 3.0 writes it into files, caches and tickets (config/session_asn1.h). */
#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/sslerr.h>
#include <time.h>

#include "libssl/local.h"

enum { INTEGER = 0x02, OCTETS = 0x04, SEQUENCE = 0x30 };
enum { SHORT_TIMEOUT = 3 };

/* ---- writing: from the end to the beginning, so that each length is known when it is written */

struct out {
    unsigned char *p; /* NULL: only the length is wanted */
    size_t room;      /* before p */
    size_t len;
    bool failed;
};

static void put(struct out *out, const void *bytes, size_t len)
{
    /* A certificate that could not be encoded for want of memory when the length was asked for may be
       encoded now. */
    if (out->p && len > out->room) {
        out->failed = true;
        return;
    }
    if (out->p && len) {
        memcpy(out->p -= len, bytes, len);
        out->room -= len;
    }
    out->len += len;
}

static void put_header(struct out *out, unsigned char tag, size_t len)
{
    unsigned char header[2 + sizeof len];
    size_t at = sizeof header;
    size_t rest = len;

    if (len < 0x80) {
        header[--at] = (unsigned char)len;
    } else {
        for (; rest; rest >>= 8)
            header[--at] = (unsigned char)rest;
        size_t count = sizeof header - at;
        header[--at] = (unsigned char)(0x80 | count);
    }
    header[--at] = tag;
    put(out, header + at, sizeof header - at);
}

static void put_octets(struct out *out, const void *p, size_t len)
{
    put(out, p, len);
    put_header(out, OCTETS, len);
}

/* X.690 8.3: two's complement, in as few bytes as will do. */
static void put_number(struct out *out, int64_t n)
{
    unsigned char bytes[8];
    size_t at = sizeof bytes;
    do {
        bytes[--at] = (unsigned char)n;
        n >>= 8;
    } while (at > 0 && (n != (bytes[at] & 0x80 ? -1 : 0)));
    put(out, bytes + at, sizeof bytes - at);
    put_header(out, INTEGER, sizeof bytes - at);
}

static void put_explicit(struct out *out, enum session_field field, size_t before)
{
    put_header(out, (unsigned char)(SESSION_TAG + field), out->len - before);
}

static void put_number_field(struct out *out, enum session_field field, int64_t n, bool always)
{
    size_t before = out->len;
    if (n == 0 && !always)
        return;
    put_number(out, n);
    put_explicit(out, field, before);
}

static void put_octets_field(struct out *out, enum session_field field, const void *p,
                             size_t len, bool always)
{
    size_t before = out->len;
    if (len == 0 && !always)
        return;
    put_octets(out, p, len);
    put_explicit(out, field, before);
}

static void put_bytes_field(struct out *out, enum session_field field,
                            const struct session_bytes *b)
{
    put_octets_field(out, field, b->p, b->len, b->p != NULL);
}

static void put_peer(struct out *out, const SSL_SESSION *s)
{
    size_t before = out->len;
    unsigned char *der = NULL;
    X509 *peer = session_peer(s);
    int len = peer ? i2d_X509(peer, &der) : 0;
    if (len > 0) {
        put(out, der, (size_t)len);
        put_explicit(out, SESSION_PEER, before);
    } else if (session_has_peer(s)) {
        out->failed = true; /* never a session that seems to be of an unknown peer */
    }
    OPENSSL_free(der);
}

static void put_fields(struct out *out, const SSL_SESSION *s)
{
    put_number_field(out, SESSION_GROUP, s->group, true);
    put_bytes_field(out, SESSION_APPDATA, &s->appdata);
    put_number_field(out, SESSION_MAX_FRAGMENT, s->max_fragment_code, false);
    put_bytes_field(out, SESSION_ALPN, &s->alpn);
    put_number_field(out, SESSION_MAX_EARLY_DATA, s->max_early_data, false);
    put_number_field(out, SESSION_AGE_ADD, s->age_add, false);
    put_number_field(out, SESSION_FLAGS, s->ems ? SESSION_FLAG_EMS : 0, false);
    put_octets_field(out, SESSION_COMPRESSION, &s->compression, s->compression != 0, false);
    put_bytes_field(out, SESSION_TICKET, &s->ticket);
    put_number_field(out, SESSION_LIFETIME_HINT, (int64_t)s->lifetime_hint, false);
    put_bytes_field(out, SESSION_PSK_IDENTITY, &s->psk_identity);
    put_bytes_field(out, SESSION_PSK_HINT, &s->psk_hint);
    put_bytes_field(out, SESSION_HOST_NAME, &s->name);
    put_number_field(out, SESSION_VERIFY_RESULT, s->verify_result, false);
    put_octets_field(out, SESSION_CONTEXT, s->sid_ctx, s->sid_ctx_len, true);
    put_peer(out, s);
    put_number_field(out, SESSION_TIMEOUT, s->timeout, false);
    put_number_field(out, SESSION_TIME, s->time, false);
}

static void put_session(struct out *out, const SSL_SESSION *s)
{
    const unsigned char cipher[2] = {(unsigned char)(s->suite >> 8), (unsigned char)s->suite};
    put_fields(out, s);
    put_octets(out, s->secret.p, s->secret.len);
    put_octets(out, s->id, s->id_len);
    put_octets(out, cipher, sizeof cipher);
    put_number(out, s->version);
    put_number(out, SESSION_FORMAT);
    put_header(out, SEQUENCE, out->len);
}

int i2d_SSL_SESSION(const SSL_SESSION *s, unsigned char **out)
{
    struct out size = {0};
    if (!s || !s->suite)
        return 0;
    put_session(&size, s);
    if (!out)
        return size.failed ? -1 : (int)size.len;
    unsigned char *own = *out || size.failed ? NULL : OPENSSL_malloc(size.len);
    unsigned char *start = own ? own : *out;
    struct out real = {.p = start ? start + size.len : NULL, .room = size.len};
    if (start && !size.failed)
        put_session(&real, s);
    if (!start || size.failed || real.failed || real.room) {
        OPENSSL_clear_free(own, size.len);
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return -1;
    }
    *out = own ? own : start + size.len;
    return (int)size.len;
}

/* ---- reading */

/* OpenSSL takes lengths that are longer than need be. */
static bool next(struct slice *in, uint8_t *tag, struct slice *content)
{
    const unsigned char *p = in->p;
    long len;
    int number, class;
    if (in->len == 0 || in->len > LONG_MAX)
        return false;
    *tag = *p;
    if (ASN1_get_object(&p, &len, &number, &class, (long)in->len) & 0x81)
        return false; /* malformed, or of indefinite length */
    *content = slice_of(p, (size_t)len);
    in->len -= (size_t)(p + len - in->p);
    in->p = p + len;
    return true;
}

/* What OpenSSL has room for. */
static bool in_range(const struct session_asn1 *parts)
{
    static const struct {
        enum session_field field;
        int64_t min, max;
    } ranges[] = {
        {SESSION_VERIFY_RESULT, INT32_MIN, INT32_MAX},
        {SESSION_LIFETIME_HINT, 0, INT64_MAX},
        {SESSION_FLAGS, 0, INT64_MAX},
        {SESSION_AGE_ADD, 0, UINT32_MAX},
        {SESSION_MAX_EARLY_DATA, 0, UINT32_MAX},
        {SESSION_MAX_FRAGMENT, 0, UINT32_MAX},
        {SESSION_GROUP, 0, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        int64_t n = parts->number[ranges[i].field];
        if (n < ranges[i].min || n > ranges[i].max)
            return false;
    }
    return true;
}

static bool use_bytes(SSL_SESSION *s, struct session_bytes *field,
                      const struct session_asn1 *parts, enum session_field which)
{
    const struct slice *b = &parts->bytes[which];
    return !parts->there[which] || session_set(s, field, b->p, b->len);
}

static bool use_peer(SSL_SESSION *s, const struct session_asn1 *parts)
{
    const struct slice *b = &parts->bytes[SESSION_PEER];
    const unsigned char *p = b->p;
    if (!parts->there[SESSION_PEER])
        return true;
    X509 *peer = d2i_X509(NULL, &p, (long)b->len);
    if (!peer || p != b->p + b->len) {
        X509_free(peer);
        return false;
    }
    X509_free(s->peer);
    s->peer = peer;
    return true;
}

static bool use_fields(SSL_SESSION *s, const struct session_asn1 *parts)
{
    const struct slice *context = &parts->bytes[SESSION_CONTEXT];
    const struct slice *compression = &parts->bytes[SESSION_COMPRESSION];
    if (context->len > sizeof s->sid_ctx ||
        (parts->there[SESSION_COMPRESSION] && compression->len != 1)) {
        raise_ssl(SSL_R_BAD_LENGTH);
        return false;
    }
    s->time =
        parts->number[SESSION_TIME] ? (long)parts->number[SESSION_TIME] : (long)time(NULL);
    s->issued_ms = session_ms(s->time);
    s->timeout =
        parts->number[SESSION_TIMEOUT] ? (long)parts->number[SESSION_TIMEOUT] : SHORT_TIMEOUT;
    s->verify_result = (long)parts->number[SESSION_VERIFY_RESULT];
    s->lifetime_hint = (unsigned long)parts->number[SESSION_LIFETIME_HINT];
    s->ems = (parts->number[SESSION_FLAGS] & SESSION_FLAG_EMS) != 0;
    s->age_add = (uint32_t)parts->number[SESSION_AGE_ADD];
    s->max_early_data = (uint32_t)parts->number[SESSION_MAX_EARLY_DATA];
    s->compression = compression->len ? compression->p[0] : 0;
    s->max_fragment_code = (uint8_t)parts->number[SESSION_MAX_FRAGMENT];
    /* OpenSSL numbers groups of its own above 16 bits. */
    s->group = parts->number[SESSION_GROUP] >> 16 ? 0 : (uint16_t)parts->number[SESSION_GROUP];
    if (context->len)
        memcpy(s->sid_ctx, context->p, context->len);
    s->sid_ctx_len = (uint8_t)context->len;
    return use_peer(s, parts) && use_bytes(s, &s->name, parts, SESSION_HOST_NAME) &&
           use_bytes(s, &s->psk_hint, parts, SESSION_PSK_HINT) &&
           use_bytes(s, &s->psk_identity, parts, SESSION_PSK_IDENTITY) &&
           use_bytes(s, &s->ticket, parts, SESSION_TICKET) &&
           use_bytes(s, &s->alpn, parts, SESSION_ALPN) &&
           use_bytes(s, &s->appdata, parts, SESSION_APPDATA);
}

static bool read_session(struct slice *in, SSL_SESSION *s)
{
    struct session_asn1 parts;

    if (!session_asn1_read(in, next, &parts, NULL) || !in_range(&parts)) {
        raise_ssl(ERR_R_NESTED_ASN1_ERROR);
        return false;
    }
    if (parts.format != SESSION_FORMAT) {
        raise_ssl(SSL_R_UNKNOWN_SSL_VERSION);
        return false;
    }
    if (parts.version >> 8 != SSL3_VERSION_MAJOR && parts.version >> 8 != DTLS1_VERSION_MAJOR &&
        parts.version != DTLS1_BAD_VER) {
        raise_ssl(SSL_R_UNSUPPORTED_SSL_VERSION);
        return false;
    }
    if (parts.cipher.len != 2) {
        raise_ssl(SSL_R_CIPHER_CODE_WRONG_LENGTH);
        return false;
    }
    const SSL_CIPHER *c = cipher_by_id((uint16_t)(parts.cipher.p[0] << 8 | parts.cipher.p[1]));
    if (!c || parts.id.len > sizeof s->id)
        return false;
    s->version = (int)parts.version;
    s->suite = cipher_id(c);
    if (parts.id.len)
        memcpy(s->id, parts.id.p, parts.id.len);
    s->id_len = (uint8_t)parts.id.len;
    return SSL_SESSION_set1_master_key(s, parts.secret.p, parts.secret.len) &&
           use_fields(s, &parts);
}

SSL_SESSION *d2i_SSL_SESSION(SSL_SESSION **out, const unsigned char **bytes, long len)
{
    struct slice in = slice_of(*bytes, len > 0 ? (size_t)len : 0);
    SSL_SESSION *s = SSL_SESSION_new();

    if (!s || !read_session(&in, s)) {
        SSL_SESSION_free(s);
        return NULL;
    }
    *bytes = in.p;
    if (out) {
        SSL_SESSION_free(*out);
        *out = s;
    }
    return s;
}

/* ---- PEM */

SSL_SESSION *PEM_read_bio_SSL_SESSION(BIO *in, SSL_SESSION **out, pem_password_cb *cb,
                                      void *arg)
{
    return PEM_ASN1_read_bio((d2i_of_void *)d2i_SSL_SESSION, PEM_STRING_SSL_SESSION, in,
                             (void **)out, cb, arg);
}

SSL_SESSION *PEM_read_SSL_SESSION(FILE *in, SSL_SESSION **out, pem_password_cb *cb, void *arg)
{
    return PEM_ASN1_read((d2i_of_void *)d2i_SSL_SESSION, PEM_STRING_SSL_SESSION, in,
                         (void **)out, cb, arg);
}

int PEM_write_bio_SSL_SESSION(BIO *out, const SSL_SESSION *s)
{
    return PEM_ASN1_write_bio((i2d_of_void *)i2d_SSL_SESSION, PEM_STRING_SSL_SESSION, out, s,
                              NULL, NULL, 0, NULL, NULL);
}

int PEM_write_SSL_SESSION(FILE *out, const SSL_SESSION *s)
{
    return PEM_ASN1_write((i2d_of_void *)i2d_SSL_SESSION, PEM_STRING_SSL_SESSION, out, s, NULL,
                          NULL, 0, NULL, NULL);
}

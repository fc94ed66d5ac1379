/* session_asn1.c: SSL_SESSION as OpenSSL 3.0 writes it into files, caches and tickets:
 *
 *   SSL_SESSION ::= SEQUENCE {
 *       version       INTEGER (1),       ssl-version    INTEGER,
 *       cipher        OCTET STRING,      session-id     OCTET STRING,
 *       master-key    OCTET STRING,      -- in TLS 1.3 the resumption PSK
 *       then each of the fields below, explicitly tagged, those that are optional only where they are not 0 }
 */
#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/sslerr.h>
#include <time.h>

#include "libssl/local.h"

enum field {
    TIME = 1,
    TIMEOUT = 2,
    PEER = 3,
    CONTEXT = 4,
    VERIFY_RESULT = 5,
    HOST_NAME = 6,
    PSK_HINT = 7,
    PSK_IDENTITY = 8,
    LIFETIME_HINT = 9,
    TICKET = 10,
    COMPRESSION = 11,
    SRP_USER = 12,
    FLAGS = 13,
    AGE_ADD = 14,
    MAX_EARLY_DATA = 15,
    ALPN = 16,
    MAX_FRAGMENT = 17,
    APPDATA = 18,
    GROUP = 19,
    FIELDS
};

enum { EXPLICIT = 0xa0, INTEGER = 0x02, OCTETS = 0x04, SEQUENCE = 0x30 };
enum { FORMAT = 1, FLAG_EMS = 1, SHORT_TIMEOUT = 3 };

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

static void put_explicit(struct out *out, enum field field, size_t before)
{
    put_header(out, (unsigned char)(EXPLICIT + field), out->len - before);
}

static void put_number_field(struct out *out, enum field field, int64_t n, bool always)
{
    size_t before = out->len;
    if (n == 0 && !always)
        return;
    put_number(out, n);
    put_explicit(out, field, before);
}

static void put_octets_field(struct out *out, enum field field, const void *p, size_t len,
                             bool always)
{
    size_t before = out->len;
    if (len == 0 && !always)
        return;
    put_octets(out, p, len);
    put_explicit(out, field, before);
}

static void put_bytes_field(struct out *out, enum field field, const struct session_bytes *b)
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
        put_explicit(out, PEER, before);
    } else if (session_has_peer(s)) {
        out->failed = true; /* never a session that seems to be of an unknown peer */
    }
    OPENSSL_free(der);
}

static void put_fields(struct out *out, const SSL_SESSION *s)
{
    put_number_field(out, GROUP, s->group, true);
    put_bytes_field(out, APPDATA, &s->appdata);
    put_number_field(out, MAX_FRAGMENT, s->max_fragment_code, false);
    put_bytes_field(out, ALPN, &s->alpn);
    put_number_field(out, MAX_EARLY_DATA, s->max_early_data, false);
    put_number_field(out, AGE_ADD, s->age_add, false);
    put_number_field(out, FLAGS, s->ems ? FLAG_EMS : 0, false);
    put_bytes_field(out, TICKET, &s->ticket);
    put_number_field(out, LIFETIME_HINT, s->lifetime_hint, false);
    put_bytes_field(out, PSK_IDENTITY, &s->psk_identity);
    put_bytes_field(out, PSK_HINT, &s->psk_hint);
    put_bytes_field(out, HOST_NAME, &s->name);
    put_number_field(out, VERIFY_RESULT, s->verify_result, false);
    put_octets_field(out, CONTEXT, s->sid_ctx, s->sid_ctx_len, true);
    put_peer(out, s);
    put_number_field(out, TIMEOUT, s->timeout, false);
    put_number_field(out, TIME, s->time, false);
}

static void put_session(struct out *out, const SSL_SESSION *s)
{
    const unsigned char cipher[2] = {(unsigned char)(s->suite >> 8), (unsigned char)s->suite};
    put_fields(out, s);
    put_octets(out, s->secret.p, s->secret.len);
    put_octets(out, s->id, s->id_len);
    put_octets(out, cipher, sizeof cipher);
    put_number(out, s->version);
    put_number(out, FORMAT);
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

struct in {
    const unsigned char *p;
    size_t len;
};

/* One element; false: it is malformed or cut off. The tag is the whole first byte. */
static bool next(struct in *in, unsigned char *tag, struct in *content)
{
    const unsigned char *p = in->p;
    long len;
    int number, class;
    if (in->len == 0 || in->len > LONG_MAX)
        return false;
    *tag = *p;
    if (ASN1_get_object(&p, &len, &number, &class, (long)in->len) & 0x81)
        return false; /* malformed, or of indefinite length */
    *content = (struct in){p, (size_t)len};
    in->len -= (size_t)(p + len - in->p);
    in->p = p + len;
    return true;
}

static bool take(struct in *in, unsigned char tag, struct in *content)
{
    unsigned char is;
    return next(in, &is, content) && is == tag;
}

static bool number_of(const struct in *in, int64_t *n)
{
    if (in->len == 0 || in->len > 8)
        return false;
    /* "the bits of the first octet and bit 8 of the second octet shall not all be ones" nor zero (X.690 8.3.2) */
    if (in->len > 1 && in->p[0] == (in->p[1] & 0x80 ? 0xff : 0))
        return false;
    uint64_t value = in->p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < in->len; i++)
        value = value << 8 | in->p[i];
    memcpy(n, &value, sizeof *n);
    return true;
}

static bool take_number(struct in *in, int64_t *n)
{
    struct in content;
    return take(in, INTEGER, &content) && number_of(&content, n);
}

struct parts {
    int64_t number[FIELDS];
    struct in bytes[FIELDS];
    bool there[FIELDS];
};

static bool is_number(enum field field)
{
    return field == TIME || field == TIMEOUT || field == VERIFY_RESULT ||
           field == LIFETIME_HINT || field == FLAGS || field == AGE_ADD ||
           field == MAX_EARLY_DATA || field == MAX_FRAGMENT || field == GROUP;
}

/* What OpenSSL has room for. */
static bool in_range(enum field field, int64_t n)
{
    if (field == VERIFY_RESULT)
        return n >= INT32_MIN && n <= INT32_MAX;
    if (field == MAX_FRAGMENT)
        return n >= 0 && n <= UINT8_MAX;
    if (field == AGE_ADD || field == MAX_EARLY_DATA || field == GROUP)
        return n >= 0 && n <= UINT32_MAX;
    return field != LIFETIME_HINT || n >= 0;
}

static bool read_fields(struct in *in, struct parts *parts)
{
    size_t last = 0;
    while (in->len > 0) {
        unsigned char tag;
        struct in content;
        if (!next(in, &tag, &content) || tag <= EXPLICIT || tag >= EXPLICIT + FIELDS)
            return false;
        enum field field = (enum field)(tag - EXPLICIT);
        if (field <= last)
            return false;
        last = field;
        parts->there[field] = true;
        parts->bytes[field] = content;
        bool ok = true;
        if (is_number(field))
            ok = take_number(&content, &parts->number[field]) &&
                 in_range(field, parts->number[field]) && content.len == 0;
        else if (field != PEER)
            ok = take(&content, OCTETS, &parts->bytes[field]) && content.len == 0;
        if (!ok)
            return false;
    }
    return true;
}

static bool use_bytes(SSL_SESSION *s, struct session_bytes *field, const struct parts *parts,
                      enum field which)
{
    const struct in *b = &parts->bytes[which];
    return !parts->there[which] || session_set(s, field, b->p, b->len);
}

static bool use_peer(SSL_SESSION *s, const struct parts *parts)
{
    const struct in *b = &parts->bytes[PEER];
    const unsigned char *p = b->p;
    if (!parts->there[PEER])
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

static bool use_fields(SSL_SESSION *s, const struct parts *parts)
{
    const struct in *context = &parts->bytes[CONTEXT];
    if (context->len > sizeof s->sid_ctx) {
        raise_ssl(SSL_R_BAD_LENGTH);
        return false;
    }
    s->time = parts->number[TIME] ? (long)parts->number[TIME] : (long)time(NULL);
    s->issued_ms = (int64_t)s->time * 1000;
    s->timeout = parts->number[TIMEOUT] ? (long)parts->number[TIMEOUT] : SHORT_TIMEOUT;
    s->verify_result = (long)parts->number[VERIFY_RESULT];
    s->lifetime_hint = (uint32_t)parts->number[LIFETIME_HINT];
    s->ems = (parts->number[FLAGS] & FLAG_EMS) != 0;
    s->age_add = (uint32_t)parts->number[AGE_ADD];
    s->max_early_data = (uint32_t)parts->number[MAX_EARLY_DATA];
    s->max_fragment_code = (uint8_t)parts->number[MAX_FRAGMENT];
    /* OpenSSL numbers groups of its own above 16 bits. */
    s->group = parts->number[GROUP] >> 16 ? 0 : (uint16_t)parts->number[GROUP];
    if (context->len)
        memcpy(s->sid_ctx, context->p, context->len);
    s->sid_ctx_len = (uint8_t)context->len;
    return use_peer(s, parts) && use_bytes(s, &s->name, parts, HOST_NAME) &&
           use_bytes(s, &s->psk_hint, parts, PSK_HINT) &&
           use_bytes(s, &s->psk_identity, parts, PSK_IDENTITY) &&
           use_bytes(s, &s->ticket, parts, TICKET) && use_bytes(s, &s->alpn, parts, ALPN) &&
           use_bytes(s, &s->appdata, parts, APPDATA);
}

static bool read_session(struct in *in, SSL_SESSION *s)
{
    struct in body, cipher, id, secret;
    struct parts parts = {0};
    int64_t format, version;

    if (!take(in, SEQUENCE, &body) || !take_number(&body, &format) ||
        !take_number(&body, &version) || !take(&body, OCTETS, &cipher) ||
        !take(&body, OCTETS, &id) || !take(&body, OCTETS, &secret) ||
        !read_fields(&body, &parts)) {
        raise_ssl(ERR_R_NESTED_ASN1_ERROR);
        return false;
    }
    if (format != FORMAT) {
        raise_ssl(SSL_R_UNKNOWN_SSL_VERSION);
        return false;
    }
    if (version >> 8 != SSL3_VERSION_MAJOR && version >> 8 != DTLS1_VERSION_MAJOR &&
        version != DTLS1_BAD_VER) {
        raise_ssl(SSL_R_UNSUPPORTED_SSL_VERSION);
        return false;
    }
    if (cipher.len != 2) {
        raise_ssl(SSL_R_CIPHER_CODE_WRONG_LENGTH);
        return false;
    }
    const SSL_CIPHER *c = cipher_by_id((uint16_t)(cipher.p[0] << 8 | cipher.p[1]));
    if (!c || id.len > sizeof s->id)
        return false;
    s->version = (int)version;
    s->suite = cipher_id(c);
    if (id.len)
        memcpy(s->id, id.p, id.len);
    s->id_len = (uint8_t)id.len;
    return SSL_SESSION_set1_master_key(s, secret.p, secret.len) && use_fields(s, &parts);
}

SSL_SESSION *d2i_SSL_SESSION(SSL_SESSION **out, const unsigned char **bytes, long len)
{
    struct in in = {*bytes, len > 0 ? (size_t)len : 0};
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

/* serverinfo.c: extensions that a server sends with a certificate, from a file (SSL_CTX_use_serverinfo(3)). */
#include "libssl/local.h"

#include <openssl/pem.h>

/* An entry: context (4 bytes, SSL_EXT_), type (2), length (2), data. The first format has no contexts: its
 * extensions are for the ServerHello of TLS 1.2. */
enum { ENTRY = 8, ENTRY_V1 = 4 };
#define CONTEXT_V1                                                                             \
    (SSL_EXT_TLS1_2_AND_BELOW_ONLY | SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |      \
     SSL_EXT_IGNORE_ON_RESUMPTION)

struct entry {
    unsigned context, type;
    const unsigned char *data;
    size_t len;
};

static unsigned get16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* The entry at the front of *p, which goes on behind it; false at the end, and (*len is not 0) if there is
 * half an entry. */
static bool next(const unsigned char **p, size_t *len, struct entry *out)
{
    const unsigned char *q = *p;
    if (*len < ENTRY)
        return false;
    *out = (struct entry){.context = get16(q) << 16 | get16(q + 2),
                          .type = get16(q + 4),
                          .data = q + ENTRY,
                          .len = get16(q + 6)};
    if (out->len > *len - ENTRY)
        return false;
    *p += ENTRY + out->len;
    *len -= ENTRY + out->len;
    return true;
}

static bool is_sound(const unsigned char *p, size_t len)
{
    struct entry e;
    while (next(&p, &len, &e))
        ;
    return len == 0;
}

/* ---- what the engine's extensions ask */

/* Of the certificate that is used; before one is chosen, of the current one. */
static const struct cert_entry *used(const SSL *s)
{
    const struct certs *c = certs_get(s, NULL);
    return &c->entry[s->cert_used ? s->cert_used - 1 : c->current];
}

static int find(const SSL *s, unsigned type, const unsigned char **out, size_t *out_len)
{
    const struct cert_entry *cert = used(s);
    const unsigned char *p = cert->serverinfo;
    size_t len = p ? cert->serverinfo_len : 0;
    struct entry e;
    while (next(&p, &len, &e)) {
        if (e.type == type) {
            *out = e.data;
            *out_len = e.len;
            return 1;
        }
    }
    return 0;
}

static int add_cb(SSL *s, unsigned type, unsigned context, const unsigned char **out,
                  size_t *outlen, X509 *x, size_t chainidx, int *al, void *arg)
{
    (void)x, (void)al, (void)arg;
    /* They belong to the own certificate of a chain. */
    if (context & SSL_EXT_TLS1_3_CERTIFICATE && chainidx > 0)
        return 0;
    return find(s, type, out, outlen);
}

static int add_old_cb(SSL *s, unsigned type, const unsigned char **out, size_t *outlen, int *al,
                      void *arg)
{
    (void)al, (void)arg;
    return find(s, type, out, outlen);
}

static int parse_cb(SSL *s, unsigned type, unsigned context, const unsigned char *in,
                    size_t inlen, X509 *x, size_t chainidx, int *al, void *arg)
{
    (void)s, (void)type, (void)context, (void)in, (void)x, (void)chainidx, (void)arg;
    if (inlen != 0)
        *al = SSL_AD_DECODE_ERROR;
    return inlen == 0;
}

static int parse_old_cb(SSL *s, unsigned type, const unsigned char *in, size_t inlen, int *al,
                        void *arg)
{
    return parse_cb(s, type, 0, in, inlen, NULL, 0, al, arg);
}

static bool announce(SSL_CTX *ctx, const unsigned char *p, size_t len)
{
    struct entry e;
    while (next(&p, &len, &e)) {
        int ok = e.context == CONTEXT_V1
                     ? SSL_CTX_add_server_custom_ext(ctx, e.type, add_old_cb, NULL, NULL,
                                                     parse_old_cb, NULL)
                     : SSL_CTX_add_custom_ext(ctx, e.type, e.context, add_cb, NULL, NULL,
                                              parse_cb, NULL);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- setting it */

/* Appends one extension of the first format, and gives it a context. */
static size_t convert(const unsigned char *p, size_t len, unsigned char *out)
{
    size_t done = 0;
    while (len >= ENTRY_V1 && get16(p + 2) <= len - ENTRY_V1) {
        size_t size = ENTRY_V1 + get16(p + 2);
        out[done] = out[done + 1] = 0;
        out[done + 2] = (unsigned char)(CONTEXT_V1 >> 8);
        out[done + 3] = (unsigned char)(CONTEXT_V1 & 0xff);
        memcpy(out + done + 4, p, size);
        done += 4 + size;
        p += size;
        len -= size;
    }
    return len == 0 ? done : 0;
}

/* Takes `info` over, which is in the second format. */
static int keep(SSL_CTX *ctx, unsigned char *info, size_t len)
{
    struct certs *c = certs_change(NULL, ctx);
    if (!c) {
        OPENSSL_free(info);
        return 0;
    }
    struct cert_entry *e = &c->entry[c->current];
    OPENSSL_free(e->serverinfo);
    e->serverinfo = info;
    e->serverinfo_len = len;
    if (announce(ctx, info, len))
        return 1;
    raise_ssl(SSL_R_INVALID_SERVERINFO_DATA);
    return 0;
}

int SSL_CTX_use_serverinfo_ex(SSL_CTX *ctx, unsigned int version,
                              const unsigned char *serverinfo, size_t serverinfo_length)
{
    if (!ctx || !serverinfo || !serverinfo_length) {
        raise_ssl(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    /* An extension of the first format has at least half the bytes that it will have. */
    unsigned char *copy = OPENSSL_malloc(2 * serverinfo_length);
    size_t len = 0;
    if (copy && version == SSL_SERVERINFOV1) {
        len = convert(serverinfo, serverinfo_length, copy);
    } else if (copy && version == SSL_SERVERINFOV2 && is_sound(serverinfo, serverinfo_length)) {
        memcpy(copy, serverinfo, serverinfo_length);
        len = serverinfo_length;
    }
    if (len)
        return keep(ctx, copy, len);
    raise_ssl(copy ? SSL_R_INVALID_SERVERINFO_DATA : ERR_R_MALLOC_FAILURE);
    OPENSSL_free(copy);
    return 0;
}

int SSL_CTX_use_serverinfo(SSL_CTX *ctx, const unsigned char *serverinfo,
                           size_t serverinfo_length)
{
    return SSL_CTX_use_serverinfo_ex(ctx, SSL_SERVERINFOV1, serverinfo, serverinfo_length);
}

/* ---- files */

/* The format that the name of a PEM block tells; 0 with the error on the queue. */
static unsigned version_of(const char *name)
{
    static const char v1[] = "SERVERINFO FOR ", v2[] = "SERVERINFOV2 FOR ";
    if (strlen(name) < sizeof v1 - 1) {
        raise_ssl(SSL_R_PEM_NAME_TOO_SHORT);
        return 0;
    }
    if (strncmp(name, v1, sizeof v1 - 1) == 0)
        return SSL_SERVERINFOV1;
    if (strlen(name) < sizeof v2 - 1) {
        raise_ssl(SSL_R_PEM_NAME_TOO_SHORT);
        return 0;
    }
    if (strncmp(name, v2, sizeof v2 - 1) == 0)
        return SSL_SERVERINFOV2;
    raise_ssl(SSL_R_PEM_NAME_BAD_PREFIX);
    return 0;
}

struct collected {
    unsigned char *p;
    size_t len;
};

/* Each block is one extension. */
static bool collect(struct collected *all, unsigned version, const unsigned char *p, size_t len)
{
    size_t header = version == SSL_SERVERINFOV1 ? ENTRY_V1 : ENTRY;
    if (len < header || get16(p + header - 2) != len - header) {
        raise_ssl(SSL_R_BAD_DATA);
        return false;
    }
    unsigned char *grown = OPENSSL_realloc(all->p, all->len + len + ENTRY);
    if (!grown) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return false;
    }
    all->p = grown;
    if (version == SSL_SERVERINFOV1) {
        all->len += convert(p, len, grown + all->len);
    } else {
        memcpy(grown + all->len, p, len);
        all->len += len;
    }
    return true;
}

static bool read_blocks(BIO *in, struct collected *all)
{
    bool ok = true;
    for (size_t count = 0; ok; count++) {
        char *name = NULL, *header = NULL;
        unsigned char *data = NULL;
        long len = 0;
        if (!PEM_read_bio(in, &name, &header, &data, &len)) {
            if (count == 0)
                raise_ssl(SSL_R_NO_PEM_EXTENSIONS);
            return count > 0;
        }
        unsigned version = version_of(name);
        ok = version && collect(all, version, data, (size_t)len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    return false;
}

int SSL_CTX_use_serverinfo_file(SSL_CTX *ctx, const char *file)
{
    struct collected all = {0};
    int ok = 0;
    if (!ctx || !file) {
        raise_ssl(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    BIO *in = BIO_new(BIO_s_file());
    if (!in)
        raise_ssl(ERR_R_BUF_LIB);
    else if (bio_read_file(in, file) <= 0)
        raise_ssl(ERR_R_SYS_LIB);
    else if (read_blocks(in, &all))
        ok = SSL_CTX_use_serverinfo_ex(ctx, SSL_SERVERINFOV2, all.p, all.len);
    OPENSSL_free(all.p);
    BIO_free(in);
    return ok;
}

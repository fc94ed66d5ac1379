/* debug.c: the callback that sees every extension of the peer (SSL_set_tlsext_debug_callback). */
#include "libssl/custom.h"
#include "libssl/local.h"

/* The engine has read the message before: what does not fit is only not looked at. */
struct rest {
    const uint8_t *p;
    size_t len;
};

static bool skip(struct rest *r, size_t n)
{
    if (r->len < n)
        return false;
    r->p += n;
    r->len -= n;
    return true;
}

/* vector takes what stands behind its length, which has `width` bytes. */
static bool vector(struct rest *r, size_t width, struct rest *out)
{
    size_t len = 0;
    if (r->len < width)
        return false;
    for (size_t i = 0; i < width; i++)
        len = len << 8 | r->p[i];
    if (!skip(r, width) || r->len < len)
        return false;
    *out = (struct rest){r->p, len};
    return skip(r, len);
}

static void show_block(SSL *s, struct rest *from)
{
    struct rest block, data;
    if (!vector(from, 2, &block))
        return;
    while (block.len >= 4) {
        int type = block.p[0] << 8 | block.p[1];
        if (!skip(&block, 2) || !vector(&block, 2, &data))
            return;
        if (custom_or_known(s, (unsigned)type))
            s->debug_cb(s, !s->server, type, data.p, (int)data.len, s->debug_arg);
    }
}

static void show_entries(SSL *s, struct rest *r)
{
    struct rest list, part;
    if (!vector(r, 1, &part) || !vector(r, 3, &list))
        return;
    while (vector(&list, 3, &part)) {
        struct rest at = list;
        show_block(s, &list);
        list = at;
        if (!vector(&list, 2, &part))
            return;
    }
}

void debug_extensions(SSL *s, const uint8_t *message, size_t len)
{
    struct rest r = {message, len}, part;
    bool newest = s->msg_version == TLS1_3_VERSION;
    if (!s->debug_cb || len < SSL3_HM_HEADER_LENGTH)
        return;
    skip(&r, SSL3_HM_HEADER_LENGTH);
    switch (message[0]) {
    case SSL3_MT_CLIENT_HELLO:
        if (skip(&r, 2 + SSL3_RANDOM_SIZE) && vector(&r, 1, &part) && vector(&r, 2, &part) &&
            vector(&r, 1, &part))
            show_block(s, &r);
        break;
    case SSL3_MT_SERVER_HELLO:
        if (skip(&r, 2 + SSL3_RANDOM_SIZE) && vector(&r, 1, &part) && skip(&r, 3))
            show_block(s, &r);
        break;
    case SSL3_MT_ENCRYPTED_EXTENSIONS: show_block(s, &r); break;
    case SSL3_MT_CERTIFICATE_REQUEST:
        if (newest && vector(&r, 1, &part))
            show_block(s, &r);
        break;
    case SSL3_MT_CERTIFICATE:
        if (newest)
            show_entries(s, &r);
        break;
    case SSL3_MT_NEWSESSION_TICKET:
        if (newest && skip(&r, 8) && vector(&r, 1, &part) && vector(&r, 2, &part))
            show_block(s, &r);
        break;
    default: break;
    }
}

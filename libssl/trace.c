/* trace.c: SSL_trace, a message callback that writes what it sees as text. The fields of messages come from the
 * engine's own readers. */
#include "libssl/local.h"

#include <stdlib.h>

static const char *version_name(int version)
{
    switch (version) {
    case SSL3_VERSION: return "SSL 3.0";
    case TLS1_VERSION: return "TLS 1.0";
    case TLS1_1_VERSION: return "TLS 1.1";
    case TLS1_2_VERSION: return "TLS 1.2";
    case TLS1_3_VERSION: return "TLS 1.3";
    default: return "unknown";
    }
}

static const char *content_name(int type)
{
    switch (type) {
    case SSL3_RT_CHANGE_CIPHER_SPEC: return "ChangeCipherSpec";
    case SSL3_RT_ALERT: return "Alert";
    case SSL3_RT_HANDSHAKE: return "Handshake";
    case SSL3_RT_APPLICATION_DATA: return "ApplicationData";
    default: return "unknown";
    }
}

enum { LINE = 32 }; /* bytes of a field in one line */

static void put_bytes(BIO *out, int indent, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (len > LINE && i % LINE == 0)
            BIO_printf(out, "\n%*s", indent + 2, "");
        BIO_printf(out, "%02X", p[i]);
    }
    BIO_puts(out, "\n");
}

/* What a message consists of. Extensions are opened when their turn comes, so that the parts come out of order. */
struct part {
    char name[64], text[64];
    bool group, has_text;
    int depth;
    size_t offset, size;
    uint64_t number;
    const uint8_t *bytes;
};

struct parts {
    BIO *out;
    struct part *part;
    size_t count, room;
};

static struct part *next_part(struct parts *p)
{
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        struct part *more = OPENSSL_realloc(p->part, room * sizeof *more);
        if (!more)
            return NULL;
        p->part = more;
        p->room = room;
    }
    return &p->part[p->count++];
}

static void on_event(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)conn;
    struct parts *p = arg;
    if (e->kind == HF_TRACE_MESSAGE) {
        BIO_printf(p->out, "    %s, Length=%zu\n", e->name, e->size - SSL3_HM_HEADER_LENGTH);
        return;
    }
    if ((e->kind != HF_TRACE_GROUP && e->kind != HF_TRACE_FIELD) ||
        e->offset < SSL3_HM_HEADER_LENGTH)
        return;
    struct part *part = next_part(p);
    if (!part)
        return;
    *part = (struct part){.group = e->kind == HF_TRACE_GROUP,
                          .has_text = e->text != NULL,
                          .depth = e->depth,
                          .offset = e->offset,
                          .size = e->size,
                          .number = e->number,
                          .bytes = e->bytes};
    OPENSSL_strlcpy(part->name, e->name, sizeof part->name);
    OPENSSL_strlcpy(part->text, e->text ? e->text : "", sizeof part->text);
}

static int by_place(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->group != y->group)
        return x->group ? -1 : 1;
    return x->depth - y->depth;
}

static void put_part(BIO *out, const struct part *part)
{
    int indent = 6 + 2 * part->depth;
    BIO_printf(out, "%*s%s", indent, "", part->name);
    if (part->group) {
        BIO_printf(out, " (len=%zu)\n", part->size);
        return;
    }
    if (part->has_text)
        BIO_printf(out, "=%s", part->text);
    if (part->size <= 4) {
        BIO_printf(out, part->has_text ? " (0x%0*llX)\n" : "=0x%0*llX\n", (int)(2 * part->size),
                   (unsigned long long)part->number);
        return;
    }
    BIO_printf(out, " (len=%zu): ", part->size);
    put_bytes(out, indent, part->bytes, part->size);
}

static void put_message(const SSL *s, int version, BIO *out, const uint8_t *p, size_t len)
{
    struct parts parts = {.out = out};
    access_dissect((uint16_t)version, s->msg_suite, p, len, on_event, &parts);
    if (parts.count)
        qsort(parts.part, parts.count, sizeof parts.part[0], by_place);
    for (size_t i = 0; i < parts.count; i++)
        put_part(out, &parts.part[i]);
    OPENSSL_free(parts.part);
}

static void put_header(BIO *out, bool sent, const uint8_t *p, size_t len)
{
    if (len < SSL3_RT_HEADER_LENGTH) {
        put_bytes(out, 0, p, len);
        return;
    }
    int version = p[1] << 8 | p[2];
    BIO_printf(out, "%s Record\nHeader:\n  Version = %s (0x%x)\n", sent ? "Sent" : "Received",
               version_name(version), (unsigned)version);
    BIO_printf(out, "  Content Type = %s (%d)\n  Length = %d\n", content_name(p[0]), p[0],
               p[3] << 8 | p[4]);
}

static void put_alert(BIO *out, const uint8_t *p, size_t len)
{
    if (len != 2) {
        BIO_puts(out, "    Illegal Alert Length\n");
        return;
    }
    int value = p[0] << 8 | p[1];
    BIO_printf(out, "    Level=%s(%d), description=%s(%d)\n", SSL_alert_type_string_long(value),
               p[0], SSL_alert_desc_string_long(value), p[1]);
}

void SSL_trace(int write_p, int version, int content_type, const void *buf, size_t len,
               SSL *ssl, void *arg)
{
    const uint8_t *p = buf;
    BIO *out = arg;
    switch (content_type) {
    case SSL3_RT_HEADER: put_header(out, write_p, p, len); return;
    case SSL3_RT_INNER_CONTENT_TYPE:
        if (len)
            BIO_printf(out, "  Inner Content Type = %s (%d)\n", content_name(p[0]), p[0]);
        return;
    case SSL3_RT_HANDSHAKE: put_message(ssl, version, out, p, len); break;
    case SSL3_RT_CHANGE_CIPHER_SPEC:
        BIO_printf(out, "    change_cipher_spec (%d)\n", len ? p[0] : 0);
        break;
    case SSL3_RT_ALERT: put_alert(out, p, len); break;
    default: break;
    }
    BIO_puts(out, "\n");
}

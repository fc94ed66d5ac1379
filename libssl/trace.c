/* trace.c: SSL_trace, a message callback that writes what it sees as text. The fields of messages come from the
 * engine's own readers. */
#include "libssl/local.h"

#include <openssl/trace.h>

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

static void on_event(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)conn;
    BIO *out = arg;
    int indent = 6 + 2 * e->depth;
    if (e->kind == HF_TRACE_MESSAGE)
        BIO_printf(out, "    %s, Length=%zu\n", e->name, e->size - SSL3_HM_HEADER_LENGTH);
    else if (e->kind == HF_TRACE_GROUP)
        BIO_printf(out, "%*s%s (len=%zu)\n", indent, "", e->name, e->size);
    else if (e->kind == HF_TRACE_FIELD && e->offset >= SSL3_HM_HEADER_LENGTH) {
        BIO_printf(out, "%*s%s", indent, "", e->name);
        if (e->text)
            BIO_printf(out, "=%s", e->text);
        if (e->size <= 4) {
            BIO_printf(out, e->text ? " (0x%0*llX)\n" : "=0x%0*llX\n", (int)(2 * e->size),
                       (unsigned long long)e->number);
            return;
        }
        BIO_printf(out, " (len=%zu): ", e->size);
        put_bytes(out, indent, e->bytes, e->size);
    }
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
    case SSL3_RT_HANDSHAKE:
        access_dissect((uint16_t)version, ssl->msg_suite, p, len, on_event, out);
        break;
    case SSL3_RT_CHANGE_CIPHER_SPEC:
        BIO_printf(out, "    change_cipher_spec (%d)\n", len ? p[0] : 0);
        break;
    case SSL3_RT_ALERT: put_alert(out, p, len); break;
    default: break;
    }
    BIO_puts(out, "\n");
}

/* info.c: what a stream tells about itself. */
#include "config/tables.h"
#include "net/stream.h"

/* As OpenSSL writes them, which programs compare with; TLS 1.0 has two names there. */
static const char *version_text(uint16_t version, const char *first)
{
    switch (version) {
    case HF_TLS1_0: return first;
    case HF_TLS1_1: return "TLSv1.1";
    case HF_TLS1_2: return "TLSv1.2";
    case HF_TLS1_3: return "TLSv1.3";
    default: return "";
    }
}

static void tell_crypto(const hf_stream *s, hf_stream_info *out)
{
    const struct suite *suite = suite_find(hf_conn_suite(s->conn));
    const uint8_t *alpn;
    size_t len;

    out->stream_type = s->transport->protocol ? "tcp_socket/ssl" : "unix_socket/ssl";
    if (!s->ready)
        return;
    out->crypto.protocol = version_text(hf_conn_version(s->conn), "TLSv1");
    if (suite) {
        out->crypto.cipher_name = suite->openssl;
        out->crypto.cipher_bits = suite->bits;
        out->crypto.cipher_version = version_text(suite->version_min, "TLSv1.0");
    }
    alpn = hf_conn_alpn(s->conn, &len);
    if (alpn && len < sizeof out->crypto.alpn)
        memcpy(out->crypto.alpn, alpn, len);
}

void hf_stream_get_info(const hf_stream *s, hf_stream_info *out)
{
    static const char *const modes[] = {"r+", "w", "r", ""};
    bool reads = !s->read_shut, writes = !s->write_closed;

    *out = (hf_stream_info){
        .stream_type = s->transport->stream_type,
        .mode = modes[(reads ? 0 : 1) + (writes ? 0 : 2)],
        .uri = s->uri ? s->uri : "",
        .timed_out = s->timed_out,
        .blocked = !s->non_blocking,
        .eof = s->read_shut || (s->read_ended && !stream_has_data(s)),
        .unread_bytes = hf_stream_pending(s),
        .crypto = {.protocol = "", .cipher_name = "", .cipher_version = ""},
    };
    if (s->conn && !s->opening)
        tell_crypto(s, out);
}

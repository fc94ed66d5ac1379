/* v2hello.c: a ClientHello in the format of SSL 2.0, as the first bytes of a client that could also speak
 * TLS (RFC 5246 E.2). Only its form is of SSL 2.0: the handshake goes on in TLS. */
#include "connection/conn.h"

/* Three fields of two bytes, and at most what any sane client sends. */
enum { V2_HEADER = 2, V2_MIN = 9, V2_MAX = 1024 };

/* "the highest order bit set", then 15 bits of length, then msg_type 1 and the version that the client
 * really wants. */
static bool is_v2(const uint8_t *in, size_t len)
{
    return len >= 5 && (in[0] & 0x80) && in[2] == 1 && in[3] == 3 && in[4] >= 1;
}

static bool convert(hf_conn *c, const uint8_t *p, size_t len, hf_error *err)
{
    struct rd_msg m = {.name = "V2ClientHello", .rfc = "RFC 5246 E.2", .err = err};
    struct v2_client_hello v2;
    struct rd r = rd_start(&m, p, len, 0);
    struct wr w;
    if (!msg_read_v2_client_hello(&r, &v2))
        return false;
    wr_start(&w, &c->inbuf);
    msg_write_v2_as_client_hello(&w, &v2);
    if (!wr_ok(&w) || !buffer_append(&c->hs->v2, p, len))
        return err_set(err, HF_E_NO_MEMORY, "V2ClientHello");
    return true;
}

bool conn_may_be_v2(const hf_conn *c, const uint8_t *in, size_t len)
{
    return c->est.server && c->hs && c->hs->step == server13 && is_v2(in, len) &&
           c->config->body.version_min < HF_TLS1_3;
}

hf_result conn_take_v2(hf_conn *c, const uint8_t *in, size_t len, size_t *used)
{
    hf_error err;
    err.code = HF_OK;
    size_t size = (size_t)(in[0] & 0x7f) << 8 | in[1];
    if (size < V2_MIN || size > V2_MAX) {
        err_set(&err, HF_E_DECODE, "a V2ClientHello of %zu bytes", size);
        return conn_fail(c, &err);
    }
    if (len < V2_HEADER + size)
        return HF_WANT_INPUT;
    *used += V2_HEADER + size;
    c->started = true;
    if (!convert(c, in + V2_HEADER, size, &err))
        return conn_fail(c, &err);
    return conn_run(c);
}

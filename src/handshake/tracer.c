/* tracer.c: the trace hook. What a peer sent is reported by the readers themselves; what we sent is
 * read once more by the same readers, without judgement. */
#include "handshake/tracer.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "bytes/names.h"
#include "handshake/hs.h"

static void emit(const struct tracer *t, hf_trace_event *e)
{
    struct timespec now;
    if (!trace_wants(t, e->kind))
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    e->time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (!e->name)
        e->name = "";
    t->fn(t->conn, e, t->arg);
}

void trace_record(const struct tracer *t, bool sent, const uint8_t *record, size_t len)
{
    if (!t)
        return;
    hf_trace_event e = {.kind = HF_TRACE_RECORD,
                        .sent = sent,
                        .record_type = record[0],
                        .number = record[0],
                        .bytes = record,
                        .size = len,
                        .rfc = "RFC 8446 5.1"};
    e.name = name_content(record[0]);
    emit(t, &e);
}

void trace_plaintext(const struct tracer *t, bool sent, uint8_t type, const uint8_t *content,
                     size_t len)
{
    if (!t)
        return;
    hf_trace_event e = {.kind = HF_TRACE_PLAINTEXT,
                        .sent = sent,
                        .record_type = type,
                        .number = type,
                        .bytes = content,
                        .size = len,
                        .rfc = "RFC 8446 5.2",
                        .name = name_content(type)};
    emit(t, &e);
}

static void forward(void *arg, const hf_trace_event *event)
{
    const struct trace_sink *sink = arg;
    hf_trace_event e = *event;
    e.sent = sink->sent;
    e.record_type = REC_HANDSHAKE;
    emit(sink->t, &e);
}

void trace_attach(const struct tracer *t, bool sent, struct trace_sink *sink, struct rd_msg *m)
{
    if (!trace_wants(t, HF_TRACE_FIELD))
        return;
    sink->t = t;
    sink->sent = sent;
    m->trace = forward;
    m->trace_arg = sink;
}

static void field(const struct tracer *t, bool sent, uint8_t type, const char *name,
                  const uint8_t *whole, size_t offset, size_t size, const char *text,
                  const char *rfc)
{
    hf_trace_event e = {.kind = HF_TRACE_FIELD,
                        .sent = sent,
                        .record_type = type,
                        .offset = offset,
                        .name = name,
                        .text = text,
                        .rfc = rfc,
                        .bytes = whole + offset,
                        .size = size};
    for (size_t i = 0; i < size && size <= 8; i++)
        e.number = e.number << 8 | whole[offset + i];
    emit(t, &e);
}

/* Our own messages are well-formed: what the readers return is of no interest here. */
static void open_message(struct rd *r, uint8_t type)
{
    struct ext_values v;
    bool ok = true;
    if (type == MSG_CLIENT_HELLO) {
        struct client_hello ch;
        ok = msg_read_client_hello(r, &ch) && ext_read(NULL, &ch.extensions, IN_CH, &v);
    } else if (type == MSG_SERVER_HELLO || type == MSG_HELLO_RETRY_REQUEST) {
        struct server_hello sh;
        ok = msg_read_server_hello(r, &sh) &&
             ext_read(NULL, &sh.extensions, type == MSG_SERVER_HELLO ? IN_SH : IN_HRR, &v);
    } else if (type == MSG_ENCRYPTED_EXTENSIONS) {
        struct rd extensions;
        ok = msg_read_encrypted_extensions(r, &extensions) &&
             ext_read(NULL, &extensions, IN_EE, &v);
    } else if (type == MSG_CERTIFICATE_REQUEST) {
        struct certificate_request cr;
        ok = msg_read_certificate_request(r, &cr) && ext_read(NULL, &cr.extensions, IN_CR, &v);
    } else if (type == MSG_CERTIFICATE) {
        struct certificate_list list;
        ok = msg_read_certificate(r, &list);
        for (size_t i = 0; ok && i < list.count; i++)
            ok = ext_read(NULL, &list.entry[i].extensions, IN_CT, &v);
    } else if (type == MSG_COMPRESSED_CERTIFICATE) {
        struct compressed_certificate cc;
        ok = msg_read_compressed_certificate(r, &cc);
    } else if (type == MSG_CERTIFICATE_VERIFY) {
        struct certificate_verify cv;
        ok = msg_read_certificate_verify(r, &cv);
    } else if (type == MSG_FINISHED) {
        struct slice verify_data;
        ok = msg_read_finished(r, rd_left(r), &verify_data);
    } else if (type == MSG_NEW_SESSION_TICKET) {
        struct new_session_ticket ticket;
        ok = msg_read_new_session_ticket(r, &ticket) &&
             ext_read(NULL, &ticket.extensions, IN_NST, &v);
    } else if (type == MSG_KEY_UPDATE) {
        bool request;
        ok = msg_read_key_update(r, &request);
    }
    (void)ok;
}

static void open_message12(struct rd *r, uint8_t type, uint16_t version, const struct suite *s)
{
    struct ext_values v;
    bool ok = true;
    if (type == MSG_SERVER_HELLO) {
        struct server_hello sh;
        ok = msg_read_server_hello(r, &sh) &&
             (!sh.has_extensions || ext_read(NULL, &sh.extensions, IN_SH12, &v));
    } else if (type == MSG_CERTIFICATE) {
        struct certificate_list list;
        ok = msg_read_certificate12(r, &list);
    } else if (type == MSG_CERTIFICATE_STATUS) {
        struct slice response;
        ok = msg_read_certificate_status(r, &response);
    } else if (type == MSG_SERVER_KEY_EXCHANGE) {
        struct server_key_exchange ske;
        struct ske_shape shape = shape12(s, version);
        ok = msg_read_server_key_exchange(r, &shape, &ske);
    } else if (type == MSG_CERTIFICATE_REQUEST) {
        struct certificate_request12 cr;
        ok = msg_read_certificate_request12(r, version >= HF_TLS1_2, &cr);
    } else if (type == MSG_CLIENT_KEY_EXCHANGE) {
        struct client_key_exchange cke;
        ok = msg_read_client_key_exchange(r, is_psk12(s), kind12(s), &cke);
    } else if (type == MSG_CERTIFICATE_VERIFY) {
        struct certificate_verify cv;
        ok = msg_read_certificate_verify12(r, version >= HF_TLS1_2, &cv);
    } else if (type == MSG_NEW_SESSION_TICKET) {
        struct new_session_ticket12 ticket;
        ok = msg_read_new_session_ticket12(r, &ticket);
    } else {
        open_message(r, type); /* ClientHello and Finished look the same in all versions */
    }
    (void)ok;
}

void trace_raw_key(const struct tracer *t, const uint8_t *whole, size_t len, bool older)
{
    struct certificate_list list;
    struct ext_values v;
    if (!t)
        return;
    trace_message(t, true, whole, len, false);
    struct rd_msg m = {.name = msg_name(whole[0]),
                       .rfc = older ? "RFC 7250 3" : msg_rfc(whole[0])};
    struct trace_sink sink;
    trace_attach(t, true, &sink, &m);
    struct rd r = rd_start(&m, whole, len, MSG_HEADER);
    bool ok = older ? msg_read_raw_key12(&r, &list) : msg_read_raw_key(&r, &list);
    if (ok && !older && list.count)
        ok = ext_read(NULL, &list.entry[0].extensions, IN_CT, &v);
    (void)ok;
}

void trace_message12(const struct tracer *t, const uint8_t *whole, size_t len, uint16_t version,
                     const struct suite *suite)
{
    if (!t)
        return;
    trace_message(t, true, whole, len, false);
    if (!trace_wants(t, HF_TRACE_FIELD))
        return;
    struct rd_msg m = {.name = msg_name(whole[0]), .rfc = msg_rfc12(whole[0])};
    struct trace_sink sink;
    trace_attach(t, true, &sink, &m);
    struct rd r = rd_start(&m, whole, len, MSG_HEADER);
    open_message12(&r, whole[0], version, suite);
}

void trace_message(const struct tracer *t, bool sent, const uint8_t *whole, size_t len,
                   bool open)
{
    if (!t)
        return;
    bool retry = whole[0] == MSG_SERVER_HELLO && len >= MSG_HEADER + 2 + RANDOM_SIZE &&
                 memcmp(whole + MSG_HEADER + 2, hello_retry_random, RANDOM_SIZE) == 0;
    uint8_t type = retry ? MSG_HELLO_RETRY_REQUEST : whole[0];
    hf_trace_event e = {.kind = HF_TRACE_MESSAGE,
                        .sent = sent,
                        .record_type = REC_HANDSHAKE,
                        .name = msg_name(type),
                        .rfc = msg_rfc(type),
                        .number = whole[0],
                        .bytes = whole,
                        .size = len};
    emit(t, &e);
    field(t, sent, REC_HANDSHAKE, "msg_type", whole, 0, 1, msg_name(type), "RFC 8446 4");
    field(t, sent, REC_HANDSHAKE, "length", whole, 1, 3, NULL, "RFC 8446 4");
    if (!open || !trace_wants(t, HF_TRACE_FIELD))
        return;
    struct rd_msg m = {.name = msg_name(type), .rfc = msg_rfc(type)};
    struct trace_sink sink;
    trace_attach(t, sent, &sink, &m);
    struct rd r = rd_start(&m, whole, len, MSG_HEADER);
    open_message(&r, type);
}

void trace_decompressed(const struct tracer *t, bool sent, uint16_t algorithm,
                        struct slice body, bool open)
{
    if (!t)
        return;
    hf_trace_event e = {.kind = HF_TRACE_DECOMPRESSED,
                        .sent = sent,
                        .record_type = REC_HANDSHAKE,
                        .name = msg_name(MSG_CERTIFICATE),
                        .text = name_certificate_compression(algorithm),
                        .rfc = msg_rfc(MSG_COMPRESSED_CERTIFICATE),
                        .number = MSG_CERTIFICATE,
                        .bytes = body.p,
                        .size = body.len};
    emit(t, &e);
    if (!open)
        return;
    struct rd_msg m = {.name = msg_name(MSG_CERTIFICATE), .rfc = msg_rfc(MSG_CERTIFICATE)};
    struct trace_sink sink;
    trace_attach(t, sent, &sink, &m);
    struct rd r = rd_start(&m, body.p, body.len, 0);
    open_message(&r, MSG_CERTIFICATE);
}

/* struct { AlertLevel level; AlertDescription description; } Alert;          RFC 8446 6 */
void trace_alert(const struct tracer *t, bool sent, const uint8_t *alert, size_t len)
{
    if (!t)
        return;
    hf_trace_event e = {.kind = HF_TRACE_MESSAGE,
                        .sent = sent,
                        .record_type = REC_ALERT,
                        .name = "Alert",
                        .rfc = "RFC 8446 6",
                        .number = alert[len - 1],
                        .bytes = alert,
                        .size = len};
    e.text = name_alert(alert[len - 1]);
    emit(t, &e);
    if (len != 2)
        return;
    field(t, sent, REC_ALERT, "level", alert, 0, 1, alert[0] == 1 ? "warning" : "fatal",
          "RFC 8446 6");
    field(t, sent, REC_ALERT, "description", alert, 1, 1, name_alert(alert[1]), "RFC 8446 6");
}

void trace_ccs(const struct tracer *t, bool sent, const uint8_t *body, size_t len)
{
    if (!t)
        return;
    hf_trace_event e = {.kind = HF_TRACE_MESSAGE,
                        .sent = sent,
                        .record_type = REC_CCS,
                        .name = "ChangeCipherSpec",
                        .rfc = "RFC 8446 D.4",
                        .number = len ? body[0] : 0,
                        .bytes = body,
                        .size = len};
    emit(t, &e);
    field(t, sent, REC_CCS, "type", body, 0, len, "change_cipher_spec", "RFC 8446 5");
}

void trace_step(const struct tracer *t, const char *name, const char *rfc, bool sent)
{
    if (!t)
        return;
    hf_trace_event e = {.kind = HF_TRACE_STEP, .sent = sent, .name = name, .rfc = rfc};
    emit(t, &e);
}

void trace_secret(const struct tracer *t, const char *name, const uint8_t *secret, size_t len,
                  const char *rfc)
{
    if (!t || !t->secrets)
        return;
    hf_trace_event e = {
        .kind = HF_TRACE_SECRET, .name = name, .rfc = rfc, .bytes = secret, .size = len};
    emit(t, &e);
}

void trace_keys(const struct tracer *t, bool sent, const char *name)
{
    if (!t)
        return;
    hf_trace_event e = {
        .kind = HF_TRACE_KEYS, .sent = sent, .name = name, .rfc = "RFC 8446 7.3"};
    emit(t, &e);
}

void trace_note(const struct tracer *t, const char *name, const char *fmt, ...)
{
    if (!trace_wants(t, HF_TRACE_NOTE))
        return;
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    hf_trace_event e = {.kind = HF_TRACE_NOTE, .name = name, .text = text};
    emit(t, &e);
}

void trace_error(const struct tracer *t, const hf_error *err)
{
    if (!trace_wants(t, HF_TRACE_ERROR))
        return;
    char line[512];
    hf_error_line(err, line, sizeof line);
    hf_trace_event e = {
        .kind = HF_TRACE_ERROR, .name = hf_code_name(err->code), .text = line, .rfc = err->rfc};
    emit(t, &e);
}

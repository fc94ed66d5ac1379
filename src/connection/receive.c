/* receive.c: the read half: from bytes to application data. */
#include "connection/conn.h"
#include "record/recognise.h"

/* An empty record costs the peer little and us a decryption: a few are padding, many are an attack
 * (RFC 8446 5.1 allows empty application data "as a traffic analysis countermeasure"). */
enum { MAX_EMPTY_RECORDS = 32 };

/* TLS 1.2's warnings mean little, too; a stream of them keeps us busy for nothing. */
enum { MAX_WARNINGS = 4 };

/* user_canceled means something once; some implementations send it before each close_notify. */
enum { MAX_USER_CANCELED = 4 };

/* ---- alerts */

/* "Alert messages with a level of fatal result in the immediate termination of the connection" (RFC 5246
 * 7.2): others do not, in versions before TLS 1.3, which a client does not know yet while it waits for the
 * ServerHello. */
static bool may_warn(const hf_conn *c)
{
    return conn_is_old(c) || (c->hs && !c->hs->n.version && !c->est.server);
}

static hf_result take_warning(hf_conn *c, uint8_t description)
{
    enum { NO_RENEGOTIATION = 100 };
    hf_error err;
    err.code = HF_OK;
    bool asked = c->est.version && c->hs && !c->est.server && !c->hs->n.version;
    if (description == NO_RENEGOTIATION && c->config->refusal_fails) {
        err_set(&err, HF_E_NO_RENEGOTIATION, "the peer refuses");
        err.alert = 40;
        return conn_fail(c, &err);
    }
    if (description == NO_RENEGOTIATION && asked) {
        conn_refused12(c);
        return HF_DONE;
    }
    if (++c->est.warnings <= MAX_WARNINGS)
        return HF_DONE;
    err_set(&err, HF_E_WARNING_ALERTS, "more than %d without data between them", MAX_WARNINGS);
    return conn_fail(c, &err);
}

/* struct { AlertLevel level; AlertDescription description; } Alert;          RFC 8446 6 */
static hf_result take_alert(hf_conn *c, const struct rec_opened *o)
{
    hf_error err;
    err.code = HF_OK;
    trace_alert(c->tracer, false, o->data, o->len);
    if (o->len != 2) {
        err_set(&err, HF_E_BAD_ALERT, "an alert has 2 bytes, this one %zu", o->len);
        return conn_fail(c, &err);
    }
    uint8_t description = o->data[1];
    if (description == 0) { /* close_notify */
        if (conn_in_handshake(c)) {
            err_set(&err, HF_E_HANDSHAKE_CUT,
                    "the peer sent close_notify before the handshake was done");
            err.step = hs_step_name(c->hs);
            return conn_fail(c, &err);
        }
        atomic_fetch_or(&c->handover, HO_CLOSED_IN);
        return HF_CLOSED;
    }
    /* "user_canceled ... SHOULD be followed by a close_notify" (6.1): it says nothing by itself. */
    if (description == 90 && o->data[0] == 1) {
        if (++c->est.warnings <= MAX_USER_CANCELED)
            return HF_DONE;
        err_set(&err, HF_E_WARNING_ALERTS, "more than %d without data between them",
                MAX_USER_CANCELED);
        return conn_fail(c, &err);
    }
    if (o->data[0] == 1 && may_warn(c))
        return take_warning(c, description);
    /* All others end the connection, whatever their level says (6). */
    err_set(&err, HF_E_ALERT_RECEIVED, "%s (%u)", hf_alert_name(description), description);
    err.alert = description;
    err.alert_received = true;
    err.step = c->hs ? hs_step_name(c->hs) : "";
    return conn_fail(c, &err);
}

/* ---- handshake messages */

static hf_result give_session(hf_conn *c, hf_session *s)
{
    if (c->config->session_fn)
        c->config->session_fn(c, s, c->config->session_arg);
    hf_session_free(s);
    return HF_DONE;
}

static hf_result take_after(hf_conn *c)
{
    hf_error err;
    err.code = HF_OK;
    if (conn_is_old(c))
        return conn_after12(c);
    for (;;) {
        hf_result r = c->est.server ? conn_later(c) : HF_DONE;
        if (r != HF_DONE)
            return r;
        const uint8_t *p = buffer_front(&c->inbuf);
        if (!p || buffer_len(&c->inbuf) < MSG_HEADER)
            break;
        size_t len = MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        if (!after13_may_come(&c->est, p[0], &err)) {
            if (buffer_len(&c->inbuf) >= len)
                trace_message(c->tracer, false, p, len, false);
            return conn_fail(c, &err);
        }
        if (len - MSG_HEADER > msg_max_size(p[0])) {
            err_set(&err, HF_E_MESSAGE_TOO_LONG, "%s of %zu bytes, at most %zu are allowed",
                    msg_name(p[0]), len - MSG_HEADER, msg_max_size(p[0]));
            return conn_fail(c, &err);
        }
        if (p[0] == MSG_CERTIFICATE) { /* the row that takes it waits for the rest of it */
            if ((r = conn_later_take(c, p, len)) != HF_DONE)
                return r;
            continue;
        }
        if (buffer_len(&c->inbuf) < len)
            break;
        if (p[0] == MSG_CERTIFICATE_REQUEST) {
            if (conn_later_take(c, p, len) == HF_FAILED)
                return HF_FAILED;
            continue;
        }
        struct after after;
        if (!after13_message(&c->est, c->config, c, &c->in, p, len, buffer_len(&c->inbuf) > len,
                             c->tracer, &after, &err))
            return conn_fail(c, &err);
        buffer_drop(&c->inbuf, len);
        if (after.answer_key_update)
            atomic_fetch_or(&c->handover, HO_KEY_UPDATE);
        if (after.session)
            give_session(c, after.session);
        if (conn_state(c) & HO_FAILED) /* the application may have given it up */
            return HF_FAILED;
    }
    return HF_DONE;
}

/* The handshake is one thread's; afterwards the write half's buffers are not ours to look at, and what is
 * collected here counts alone: a long ClientHello is collected even to be refused. */
static bool above_cap(const hf_conn *c, size_t more)
{
    size_t other = c->hs ? hf_conn_memory(c) - c->inbuf.size : 0;
    return other + buffer_size_for(&c->inbuf, more) > c->config->memory_cap;
}

/* Behind Finished, in its record, only a renegotiation could begin: where that is not allowed, the front of
 * a message is no message's. */
static bool begins_nothing(const hf_conn *c)
{
    size_t have = buffer_len(&c->inbuf);
    const uint8_t *p = buffer_front(&c->inbuf);
    if (c->hs || !conn_is_old(c) || c->config->renegotiation || !have)
        return false;
    return have < MSG_HEADER ||
           have - MSG_HEADER < ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

static hf_result take_handshake(hf_conn *c, const struct rec_opened *o)
{
    hf_error err;
    err.code = HF_OK;
    if (above_cap(c, o->len)) {
        err_set(&err, HF_E_MEMORY_CAP, "the cap is %zu bytes", c->config->memory_cap);
        err.step = c->hs ? hs_step_name(c->hs) : "";
        return conn_fail(c, &err);
    }
    if (!buffer_append(&c->inbuf, o->data, o->len)) {
        err_set(&err, HF_E_NO_MEMORY, "handshake message");
        return conn_fail(c, &err);
    }
    if (!c->hs)
        return take_after(c);
    hf_result r = conn_run(c);
    if (r != HF_DONE)
        return r;
    if (begins_nothing(c)) {
        err_set(&err, HF_E_EXCESS_HANDSHAKE_DATA, "%zu bytes behind Finished",
                buffer_len(&c->inbuf));
        return conn_fail(c, &err);
    }
    return take_after(c);
}

/* ---- records */

static hf_result refuse_record(hf_conn *c, const struct rec_opened *o, const char *why)
{
    hf_error err;
    err.code = HF_OK;
    err_set(&err, HF_E_UNEXPECTED_RECORD, "a record of type %u %s", o->type, why);
    if (c->hs)
        err.step = hs_step_name(c->hs);
    return conn_fail(c, &err);
}

static hf_result too_many_empty(hf_conn *c, const char *what)
{
    hf_error err;
    err.code = HF_OK;
    err_set(&err, HF_E_EMPTY_RECORDS, "more than %d of %s in a row", MAX_EMPTY_RECORDS, what);
    return conn_fail(c, &err);
}

static bool is_ccs(const struct rec_opened *o)
{
    return o->outer == REC_CCS && o->len == 1 && o->data[0] == 1;
}

/* In TLS 1.2 and older it has one place in each handshake, and changes the keys: anywhere else it could make
 * one side use keys that are not made yet (early CCS injection, CVE-2014-0224). */
static hf_result take_ccs12(hf_conn *c, const struct rec_opened *o)
{
    if (!c->hs || o->len != 1 || o->data[0] != 1)
        return refuse_record(c, o, "where change_cipher_spec may not come");
    if (buffer_len(&c->inbuf) > 0)
        return refuse_record(c, o, "(change_cipher_spec) within a handshake message");
    c->hs->ccs_in = true;
    return conn_run(c);
}

static hf_result take_ccs(hf_conn *c, const struct rec_opened *o)
{
    trace_ccs(c->tracer, false, o->data, o->len);
    if (conn_is_old(c))
        return take_ccs12(c, o);
    /* "An implementation may receive an unencrypted record of type change_cipher_spec consisting of
     * the single byte value 0x01 at any time after the first ClientHello message has been sent or
     * received until it has received the peer's Finished message" (RFC 8446 5). */
    bool after_hello = c->hs && (!c->est.server || c->hs->step != server13);
    /* "Since the server is not storing any state, this will appear as if it were the first message to be received.
     * Servers operating statelessly MUST ignore these records" (4.2.2). */
    after_hello = after_hello || (c->hs && stateless_waits(c->hs));
    if (!after_hello || !is_ccs(o))
        return refuse_record(c, o, "where change_cipher_spec may not come");
    c->hs->early_ccs |= c->hs->n.version == 0;
    if (++c->est.empty_records > MAX_EMPTY_RECORDS)
        return too_many_empty(c, "change_cipher_spec");
    return HF_DONE;
}

static hf_result too_much_early(hf_conn *c, size_t len)
{
    hf_error err;
    err.code = HF_OK;
    err_set(&err, HF_E_TOO_MUCH_EARLY_DATA, "%zu bytes where %zu were left", len,
            c->hs->early_left);
    err.step = hs_step_name(c->hs);
    return conn_fail(c, &err);
}

static hf_result take_data(hf_conn *c, const struct rec_opened *o, uint8_t **data, size_t *len)
{
    /* A renegotiation's messages stand among application data, until the peer changes its keys (RFC 5246
     * 7.4.1.1 does not forbid it, and what is sent was verified by the handshake before). */
    bool between = c->hs && c->hs->n.renegotiating && !c->hs->ccs_seen;
    bool early = c->hs && c->hs->early_in;
    if (c->hs && !between && !early)
        return refuse_record(c, o, "(application data) before the handshake is done");
    if (early && o->len > c->hs->early_left)
        return too_much_early(c, o->len);
    if (early)
        c->hs->early_left -= o->len;
    if (o->len == 0) {
        if (++c->est.empty_records > MAX_EMPTY_RECORDS)
            return too_many_empty(c, "application data");
        return HF_DONE;
    }
    c->est.empty_records = c->est.key_updates = c->est.warnings = c->est.tickets = 0;
    if (c->est.extras && c->est.extras->later)
        c->est.extras->later->asked = 0;
    *data = o->data;
    *len = o->len;
    return HF_DONE;
}

static hf_result take_record(hf_conn *c, const struct rec_opened *o, uint8_t **data,
                             size_t *len)
{
    /* "Handshake messages MUST NOT be interleaved with other record types" (5.1). In TLS 1.2 "data of
     * different TLS record layer content types MAY be interleaved" (RFC 5246 6.2.1): a client that
     * renegotiates may go on talking. A server begins with a HelloRequest of four bytes, which nobody
     * cuts. */
    bool may_mix = conn_is_old(c) && c->est.server;
    /* "All of the client's messages for a given response MUST appear consecutively on the wire with no
     * intervening messages of other types" (4.6.2). */
    if (o->type == REC_DATA && c->est.server && conn_later_hs(c))
        return refuse_record(c, o,
                             "(application data) within the answer to a CertificateRequest");
    if (o->type != REC_HANDSHAKE && o->outer != REC_CCS && buffer_len(&c->inbuf) > 0 &&
        o->type != REC_ALERT && !may_mix)
        return refuse_record(c, o, "between the parts of a handshake message");
    switch (o->type) {
    case REC_HANDSHAKE: return take_handshake(c, o);
    case REC_ALERT: return take_alert(c, o);
    case REC_CCS: return take_ccs(c, o);
    default: return take_data(c, o, data, len);
    }
}

/* ---- the first bytes */

/* A peer that does not speak TLS is told apart by its first bytes, before they are taken for a
 * record header. */
static hf_result recognise(hf_conn *c, const uint8_t *in, size_t len)
{
    char what[HF_DETAIL_MAX_LEN];
    hf_error err;
    if (len == 0 || (in[0] >= REC_CCS && in[0] <= REC_DATA && (len < 2 || in[1] == 3)))
        return HF_DONE;
    if (len < 5)
        return HF_WANT_INPUT;
    hf_code code = rec_recognise(in, len, !c->est.server, what, sizeof what);
    if (code == HF_OK)
        return HF_DONE;
    err.code = HF_OK;
    err_set(&err, code, "%s", what);
    if (code == HF_E_PLAINTEXT_PEER && !c->est.server)
        err.hint =
            "ssl:// and tls:// are the same today: changing one for the other does not help";
    return conn_fail(c, &err);
}

/* Early data that we did not accept is dropped: what does not decrypt with the handshake keys, or,
 * after a HelloRetryRequest, what comes as application data (4.2.10). */
static bool skip_early(hf_conn *c, const uint8_t *in, size_t len, size_t *used)
{
    if (!c->hs || !c->hs->skip_early || len < REC_HEADER || in[0] != REC_DATA)
        return false;
    size_t fragment = get_u16(in + 3);
    if (fragment > c->hs->skip_early || len < REC_HEADER + fragment)
        return false;
    if (c->hs->step == server13 && buffer_len(&c->inbuf))
        return false;
    c->hs->early_ccs |= c->hs->n.version == 0; /* only TLS 1.3 has it */
    c->hs->skip_early -= fragment;
    *used = REC_HEADER + fragment;
    return true;
}

static hf_result open_record(hf_conn *c, uint8_t *in, size_t len, struct rec_opened *o)
{
    NO_INIT hf_error err;
    size_t dropped = 0;
    err.code = HF_OK;
    if (!conn_awake(c, true, &err))
        return conn_fail(c, &err);
    /* While early data may come and no keys are there, it is told by its type. */
    if (!c->in.prot && skip_early(c, in, len, &dropped)) {
        *o = (struct rec_opened){.outer = REC_CCS, .type = 0, .used = dropped};
        return HF_DONE;
    }
    uint8_t header[REC_HEADER];
    memcpy(header, in, len < REC_HEADER ? len : REC_HEADER);
    enum rec_result r =
        rec_open(&c->in, in, len, c->hs != NULL, c->hs && c->hs->plain_alert, o, &err);
    if (r == REC_PARTIAL)
        return HF_WANT_INPUT;
    if (r == REC_BAD) {
        if (err.code == HF_E_BAD_RECORD_MAC && skip_early(c, header, len, &dropped)) {
            *o = (struct rec_opened){.outer = REC_CCS, .type = 0, .used = dropped};
            return HF_DONE;
        }
        if (c->hs)
            err.step = hs_step_name(c->hs);
        return conn_fail(c, &err);
    }
    if (c->hs && c->in.prot && o->outer == REC_DATA) {
        c->hs->plain_alert = false; /* the peer has our keys from now on */
        c->hs->skip_early = 0;
    }
    return HF_DONE;
}

/* Records are opened in place, but the trace is to show what was on the line: a copy, to be freed; NULL where
 * none is needed, or without memory. */
static uint8_t *keep_for_trace(const hf_conn *c, const uint8_t *in, size_t len)
{
    size_t size = hf_conn_next_size(c, in, len);
    return trace_wants(c->tracer, HF_TRACE_RECORD) && c->in.prot && size <= len
               ? mem_dup(in, size)
               : NULL;
}

static void trace_opened(const hf_conn *c, const uint8_t *record, const struct rec_opened *o)
{
    if (!c->tracer || o->type == 0)
        return;
    trace_record(c->tracer, false, record, o->used);
    if (c->in.prot && (o->outer == REC_DATA || conn_is_old(c)))
        trace_plaintext(c->tracer, false, o->type, o->data, o->len);
}

hf_result hf_conn_receive(hf_conn *c, uint8_t *in, size_t len, size_t *used, uint8_t **data,
                          size_t *data_len)
{
    *used = *data_len = 0;
    *data = NULL;
    unsigned state = conn_state(c);
    if (state & HO_FAILED)
        return HF_FAILED;
    if (state & HO_CLOSED_IN)
        return HF_CLOSED;
    if (c->hs) {
        hf_result r = conn_run(c);
        if (r != HF_WANT_INPUT && r != HF_DONE)
            return r;
        if (r == HF_DONE && (r = take_after(c)) != HF_DONE)
            return r;
    } else if (conn_later_hs(c)) {
        if (c->running)
            return HF_WANT_ANSWER;
        hf_result r = c->est.server ? take_after(c) : conn_later(c);
        if (r == HF_FAILED || (r == HF_WANT_ANSWER && c->est.server))
            return r;
    }
    for (;;) {
        struct rec_opened o;
        hf_result r = HF_DONE;
        if (*used == len)
            return HF_WANT_INPUT;
        if (!c->started && conn_may_be_v2(c, in + *used, len - *used)) {
            r = conn_take_v2(c, in + *used, len - *used, used);
            if (r != HF_DONE && r != HF_WANT_INPUT)
                return r;
            if (!c->started)
                return HF_WANT_INPUT;
            continue;
        }
        if (!c->started && (r = recognise(c, in + *used, len - *used)) != HF_DONE)
            return r;
        uint8_t *line = keep_for_trace(c, in + *used, len - *used);
        r = open_record(c, in + *used, len - *used, &o);
        if (r == HF_DONE)
            trace_opened(c, line ? line : in + *used, &o);
        mem_free(line);
        if (r != HF_DONE)
            return r;
        c->started = true;
        *used += o.used;
        if (o.type == 0)
            continue; /* early data, dropped */
        r = take_record(c, &o, data, data_len);
        if (r != HF_DONE && r != HF_WANT_INPUT)
            return r;
        if (*data_len)
            return HF_DONE;
    }
}

hf_result hf_conn_receive_end(hf_conn *c)
{
    hf_error err;
    unsigned state = conn_state(c);
    if (state & HO_FAILED)
        return HF_FAILED;
    if (state & HO_CLOSED_IN)
        return HF_CLOSED;
    if (c->config->ignore_truncation && !conn_in_handshake(c) && !buffer_len(&c->inbuf)) {
        atomic_fetch_or(&c->handover, HO_CLOSED_IN);
        return HF_CLOSED;
    }
    err.code = HF_OK;
    if (conn_in_handshake(c)) {
        err_set(
            &err, HF_E_HANDSHAKE_CUT, "%s",
            c->started
                ? ""
                : "it sent nothing: perhaps it does not speak TLS here, or refuses this client");
        err.step = hs_step_name(c->hs);
    } else {
        err_set(&err, HF_E_TRUNCATED, "%s",
                buffer_len(&c->inbuf) ? "in the middle of a message" : "");
    }
    return conn_fail(c, &err);
}

size_t hf_conn_next_size(const hf_conn *c, const uint8_t *in, size_t len)
{
    if (!c->started && conn_may_be_v2(c, in, len))
        return 2 + ((size_t)(in[0] & 0x7f) << 8 | in[1]);
    return len < REC_HEADER ? REC_HEADER : REC_HEADER + (size_t)get_u16(in + 3);
}

/* flow.c: the driver of the flow lists, and what every row may use. */
#include <stdarg.h>
#include <stdio.h>

#include "handshake/hs.h"
#include "handshake/padding.h"

struct hs *hs_new(hf_config *config, bool server, hf_conn *conn, struct established *est,
                  const struct tracer *tracer)
{
    struct hs *hs = mem_new(sizeof *hs);
    if (!hs)
        return NULL;
    hs->n.config = config;
    hs->n.server = server;
    hs->n.conn = conn;
    hs->est = est;
    hs->tracer = tracer;
    hs->step = server ? server13 : client13;
    hs->plain_alert = true;
    return hs;
}

static void drop_psk(struct hs *hs)
{
    mem_wipe_free(hs->psk_key, hs->psk_key_len);
    hs->psk_key = NULL;
    hs->psk_key_len = 0;
}

void hs_free(struct hs *hs)
{
    if (!hs)
        return;
    nego_clear(&hs->n);
    stateless_end(hs);
    buffer_clear(&hs->flight);
    buffer_clear(&hs->message);
    buffer_clear(&hs->hello);
    buffer_clear(&hs->first_hello);
    transcript_clear(&hs->transcript);
    buffer_clear(&hs->v2);
    buffer_clear(&hs->params);
    buffer_clear(&hs->dh_p);
    buffer_clear(&hs->dh_g);
    kx_free(hs->own_kx);
    mem_wipe_free(hs->exchange, hs->exchange_len);
    drop_psk(hs);
    mem_free(hs->psk_identity);
    mem_free(hs->psk_hint);
    mem_free(hs->new_ticket);
    hf_session_free(hs->made);
    mem_free(hs->values);
    mem_free(hs->request_context);
    mem_free(hs->tbs);
    hf_credential_free(hs->credential);
    hf_credential_free(hs->answer_credential);
    hf_session_free(hs->answer_session);
    hf_config_free(hs->answer_config);
    chain_free(hs->peer_chain);
    details_free(hs->details);
    mem_wipe_free(hs, sizeof *hs);
}

void hs_forget(struct hs *hs)
{
    hs->cancelled = true;
    wipe(hs->secret, sizeof hs->secret);
    wipe(hs->client_hs, sizeof hs->client_hs);
    wipe(hs->server_hs, sizeof hs->server_hs);
    wipe(hs->shared, sizeof hs->shared);
    wipe(hs->early, sizeof hs->early);
    wipe(hs->early_exporter, sizeof hs->early_exporter);
    wipe(hs->key_block, sizeof hs->key_block);
    drop_psk(hs);
    kx_free(hs->own_kx);
    hs->own_kx = NULL;
    buffer_clear(hs->inbuf);
    buffer_clear(&hs->flight);
    transcript_clear(&hs->transcript);
    for (size_t i = 0; i < hs->n.own_count; i++) {
        kx_free(hs->n.own[i].kx);
        hs->n.own[i].kx = NULL;
    }
}

enum hs_result hs_fail(struct hs *hs, hf_code code, const char *fmt, ...)
{
    char detail[HF_DETAIL_MAX_LEN];
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    err_set(hs->n.err, code, "%s", detail);
    return HS_FAILED;
}

/* TLS 1.2 or older was agreed. */
static bool is_old(const struct hs *hs)
{
    return hs->n.version && hs->n.version < HF_TLS1_3;
}

struct rd hs_reader(struct hs *hs, struct rd_msg *m)
{
    memset(m, 0, sizeof *m);
    m->name = msg_name(hs->msg.type);
    m->rfc = is_old(hs) ? msg_rfc12(hs->msg.type) : msg_rfc(hs->msg.type);
    m->err = hs->n.err;
    trace_attach(hs->tracer, false, &hs->sink, m);
    return rd_start(m, hs->msg.whole, hs->msg.len, MSG_HEADER);
}

/* A ServerHello with the special random is a HelloRetryRequest (RFC 8446 4.1.3): the lists tell the
 * two apart by message. */
static uint8_t real_type(const uint8_t *whole, size_t len)
{
    if (whole[0] == MSG_SERVER_HELLO && len >= MSG_HEADER + 2 + RANDOM_SIZE &&
        memcmp(whole + MSG_HEADER + 2, hello_retry_random, RANDOM_SIZE) == 0)
        return MSG_HELLO_RETRY_REQUEST;
    return whole[0];
}

/* Does any row that may be next take a message of this type? */
static bool may_come(const struct hs *hs, uint8_t type)
{
    for (const struct step *s = hs->step; s->kind; s++) {
        if (s->when && !s->when(hs))
            continue;
        if (s->kind != '<')
            return false;
        if (type == s->message ||
            (type == MSG_SERVER_HELLO && s->message == MSG_HELLO_RETRY_REQUEST))
            return true;
        if (!s->optional)
            return false;
    }
    return false;
}

/* struct {
 *     HandshakeType msg_type;
 *     uint24 length;
 *     select (Handshake.msg_type) { ... };
 * } Handshake;                                                               RFC 8446 4 */
static enum hs_result next_message(struct hs *hs)
{
    if (hs->ccs_in) { /* no message: a record of its own, which stands between them (RFC 5246 7.1) */
        static const uint8_t one = 1;
        hs->msg = (struct hs_message){MSG_CHANGE_CIPHER_SPEC, &one, 1};
        hs->have_in = true;
        return HS_OK;
    }
    const uint8_t *p = buffer_front(hs->inbuf);
    size_t have = buffer_len(hs->inbuf);
    if (have < MSG_HEADER)
        return HS_WAIT;
    size_t len = (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    size_t most = is_old(hs) ? msg_max_size12(p[0]) : msg_max_size(p[0]);
    if (p[0] == MSG_CERTIFICATE)
        most = hs->n.config->max_chain_bytes;
    bool whole = len <= most && have - MSG_HEADER >= len;
    bool empty = p[0] == MSG_END_OF_EARLY_DATA || p[0] == MSG_HELLO_REQUEST ||
                 p[0] == MSG_SERVER_HELLO_DONE;
    /* Its header is enough to refuse it. */
    if ((most || empty) && !whole && !may_come(hs, p[0])) {
        hs->msg = (struct hs_message){p[0], p, MSG_HEADER};
        hs->have_in = true;
        return HS_OK;
    }
    if (most == 0 && !empty)
        return hs_fail(hs, HF_E_UNEXPECTED_MESSAGE,
                       "expected %s (%s), got a message of unknown type %u", hs->step->name,
                       hs->step->rfc, p[0]);
    if (len > most)
        return hs_fail(hs, HF_E_MESSAGE_TOO_LONG, "%s of %zu bytes, at most %zu are allowed",
                       msg_name(p[0]), len, most);
    if (have < MSG_HEADER + len)
        return HS_WAIT;
    hs->msg.whole = p;
    hs->msg.len = MSG_HEADER + len;
    hs->msg.type = real_type(p, hs->msg.len);
    hs->have_in = true;
    trace_message(hs->tracer, false, p, hs->msg.len, false);
    return HS_OK;
}

static enum hs_result unexpected(struct hs *hs)
{
    if (hs->ccs_in || (hs->step->kind == '<' && hs->step->message == MSG_CHANGE_CIPHER_SPEC))
        return hs_fail(hs, HF_E_UNEXPECTED_RECORD, "expected %s (%s), got %s", hs->step->name,
                       hs->step->rfc, msg_name(hs->msg.type));
    return hs_fail(hs, HF_E_UNEXPECTED_MESSAGE, "expected %s (%s), got %s", hs->step->name,
                   hs->step->rfc, msg_name(hs->msg.type));
}

/* The transcript has the message only after its row has run: CertificateVerify and Finished speak
 * about what came before them. */
static enum hs_result consume(struct hs *hs)
{
    if (hs->ccs_in) {
        hs->ccs_in = hs->have_in = false;
        return HS_OK;
    }
    bool v2 =
        buffer_len(&hs->v2) > 0; /* the hash is over what was sent, not over our translation */
    if (!transcript_add(&hs->transcript, v2 ? buffer_front(&hs->v2) : hs->msg.whole,
                        v2 ? buffer_len(&hs->v2) : hs->msg.len))
        return hs_fail(hs, HF_E_NO_MEMORY, "transcript");
    buffer_clear(&hs->v2);
    buffer_drop(hs->inbuf, hs->msg.len);
    hs->have_in = false;
    if (!hs->later && hs->n.conn && hf_conn_memory(hs->n.conn) > hs->n.config->memory_cap)
        return hs_fail(hs, HF_E_MEMORY_CAP, "the cap is %zu bytes", hs->n.config->memory_cap);
    return HS_OK;
}

static enum hs_result run_row(struct hs *hs, const struct step *s)
{
    if (!hs->step_shown) {
        trace_step(hs->tracer, s->name, s->rfc, s->kind == '>');
        hs->step_shown = true;
    }
    enum hs_result r = s->run(hs);
    if (r == HS_OK && s->kind != '.') {
        hs->last = s->message;
        hs->last_sent = s->kind == '>';
    }
    return r == HS_OK && s->kind == '<' ? consume(hs) : r;
}

/* "close_notify: This alert notifies the recipient that the sender will not send any more messages on
 * this connection" (RFC 8446 6.1). */
static enum hs_result cancelled(struct hs *hs)
{
    return hs_fail(hs, HF_E_WRITE_CLOSED, "hf_conn_close was called during the handshake");
}

static void next_row(struct hs *hs)
{
    hs->step = hs->jump ? hs->jump : hs->step + 1;
    hs->jump = NULL;
    hs->step_shown = false;
}

/* HelloRequest "MUST be ignored by the client if the client is currently negotiating a session" (RFC 5246
 * 7.4.1.1), and is in no transcript; whoever sends it without end is not ignored for long. */
static bool is_idle_request(struct hs *hs)
{
    enum { MAX_REQUESTS = 8 };
    bool old = is_old(hs) || hs->n.renegotiating; /* our ClientHello may cross the request */
    if (hs->msg.type != MSG_HELLO_REQUEST || hs->n.server || hs->ccs_in || !old ||
        hs->msg.len != MSG_HEADER || get_u16(hs->msg.whole + 2) || hs->msg.whole[1] ||
        hs->est->warnings >= MAX_REQUESTS)
        return false;
    const uint8_t *p =
        hs->msg.whole; /* perhaps only its header is here yet, and there is a body */
    if (p[1] | p[2] | p[3])
        return false;
    hs->est->warnings++;
    buffer_drop(hs->inbuf, hs->msg.len);
    hs->have_in = false;
    return true;
}

static enum hs_result walk(struct hs *hs)
{
    for (; hs->step->kind; next_row(hs)) {
        const struct step *s = hs->step;
        if (hs->cancelled)
            return cancelled(hs);
        if (s->when && !s->when(hs))
            continue;
        if (s->kind == '<') {
            enum hs_result r = HS_OK;
            do
                r = hs->have_in ? HS_OK : next_message(hs);
            while (r == HS_OK && is_idle_request(hs));
            if (r != HS_OK)
                return r;
            if (hs->msg.type != s->message) {
                if (s->optional)
                    continue;
                return unexpected(hs);
            }
        }
        /* After the handshake other messages may wait behind the one that is answered. */
        if (s->kind == '>' && !hs->later && !hs->have_in && buffer_len(hs->inbuf) > 0)
            return hs_fail(hs, HF_E_EXCESS_HANDSHAKE_DATA,
                           "%zu bytes came before the peer could have seen our %s (%s)",
                           buffer_len(hs->inbuf), s->name, s->rfc);
        enum hs_result r = run_row(hs, s);
        if (r != HS_OK)
            return r;
    }
    hs->done = true;
    return HS_OK;
}

const char *hs_step_name(const struct hs *hs)
{
    const struct step *s = hs->step;
    /* At a message that may be missing, what is waited for is the one that must come. */
    if (s->optional) {
        while (s->kind && (s->kind != '<' || s->optional || (s->when && !s->when(hs))))
            s++;
    }
    return s->kind ? s->name : "";
}

enum hs_result hs_run(struct hs *hs, hf_error *err)
{
    hs->n.err = err;
    enum hs_result r = walk(hs);
    if (r != HS_FAILED && !hs_flush(hs))
        r = hs_fail(hs, HF_E_NO_MEMORY, "the flight's records");
    if (r == HS_FAILED) {
        if (!err->code)
            err_set(err, HF_E_INTERNAL, "a step failed without a reason");
        err->step = hs->have_in && hs->step->kind ? hs->step->name : hs_step_name(hs);
    }
    return r;
}

/* ---- sending */

struct wr hs_begin(struct hs *hs, uint8_t type, size_t *mark)
{
    struct wr w;
    buffer_drop(&hs->message, buffer_len(&hs->message));
    wr_start(&w, &hs->message);
    *mark = msg_begin(&w, type == MSG_HELLO_RETRY_REQUEST ? MSG_SERVER_HELLO : type);
    return w;
}

void hs_extensions(struct hs *hs, struct wr *w, unsigned message, uint8_t type)
{
    const struct test_hooks *test = hs->n.config->test;
    size_t start = wr_at(w);
    ext_write(&hs->n, w, message);
    /* TLS 1.2 tells that there are extensions "by determining whether there are bytes following" (RFC
     * 5246 7.4.1.3), and a client that sent none may stumble over an empty block. */
    if (message == IN_SH12 && wr_ok(w) && wr_at(w) == start + 2)
        w->b->end = w->b->start + start;
    struct buffer other = {0};
    if (test && test->extensions && test->extensions(test->arg, type, &other)) {
        w->b->end = w->b->start + start; /* a published vector's block replaces ours */
        wr_opaque16(w, slice_of(buffer_front(&other), buffer_len(&other)));
        /* The binders' list ends a ClientHello: one binder with its two lengths. */
        if (hs->n.binders_at)
            hs->n.binders_at =
                wr_at(w) - 3 - hash_size(suite_find(hs->n.offers[0]->suite)->hash);
    }
    buffer_clear(&other);
}

enum hs_result hs_commit(struct hs *hs, const struct wr *w)
{
    const uint8_t *p = buffer_front(&hs->message);
    size_t len = buffer_len(&hs->message);
    if (!wr_ok(w) || !transcript_add(&hs->transcript, p, len) ||
        !buffer_append(&hs->flight, p, len))
        return hs_fail(hs, HF_E_NO_MEMORY, "writing %s", hs->step->name);
    return HS_OK;
}

enum hs_result hs_end(struct hs *hs, struct wr *w, size_t mark)
{
    msg_finish(w, mark);
    return hs_commit(hs, w);
}

/* One record for as many of the flight's bytes as fit. */
static bool flush_record(struct hs *hs, const uint8_t *p, size_t len)
{
    /* "legacy_record_version: ... MUST be set to 0x0303 for all records ... other than an initial
     * ClientHello, where it MAY also be 0x0301" (RFC 8446 5.1). */
    bool first = !hs->n.server && !hs->n.retried && !hs->out->prot;
    uint16_t version = hs->out->version ? hs->out->version : first ? HF_TLS1_0 : HF_TLS1_2;
    padding_choose(hs->n.config, hs->n.conn, hs->out, REC_HANDSHAKE, len, SIZE_MAX);
    uint8_t *out = buffer_reserve(hs->output, rec_sealed_size(hs->out, REC_HANDSHAKE, len));
    size_t size = out ? rec_seal(hs->out, REC_HANDSHAKE, version, p, len, out) : 0;
    padding_done(hs->n.config, hs->out);
    if (!size)
        return false;
    trace_record(hs->tracer, true, out, size);
    if (hs->out->prot)
        trace_plaintext(hs->tracer, true, REC_HANDSHAKE, p, len);
    hs->output->end += size;
    return true;
}

static void trace_flight(struct hs *hs)
{
    const uint8_t *p = buffer_front(&hs->flight);
    size_t left = hs->tracer ? buffer_len(&hs->flight) : 0;
    while (left >= MSG_HEADER) {
        size_t len = MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        bool raw = hs->n.own_type == CERT_RAW;
        if (p[0] == MSG_CERTIFICATE && raw)
            trace_raw_key(hs->tracer, p, len, is_old(hs));
        else if (is_old(hs) && hs->n.suite)
            trace_message12(hs->tracer, p, len, hs->n.version, hs->n.suite);
        else
            trace_message(hs->tracer, true, p, len, true);
        if (p[0] == MSG_COMPRESSED_CERTIFICATE && hs->packed)
            trace_decompressed(hs->tracer, true, hs->packed->id, hs->packed->plain, true);
        p += len;
        left -= len;
    }
}

bool hs_flush(struct hs *hs)
{
    if (hs->later) /* the sending key is the writer's: it makes the records */
        return true;
    const uint8_t *p = buffer_front(&hs->flight);
    size_t left = buffer_len(&hs->flight), most = rec_max_plain(hs->out);
    /* "immediately ... fragmenting messages (including handshake messages)" (RFC 6066 4) */
    if (hs->n.max_fragment && hs->n.max_fragment < most)
        most = hs->n.max_fragment;
    while (left > 0) {
        size_t len = left < most ? left : most;
        if (!flush_record(hs, p, len))
            return false;
        p += len;
        left -= len;
    }
    trace_flight(hs);
    buffer_clear(&hs->flight);
    return true;
}

bool hs_ccs(struct hs *hs)
{
    static const uint8_t record[] = {REC_CCS, 3, 3, 0, 1, 1};
    /* A client announces the disguise by its session ID. A server keeps it up towards all: a middlebox that
     * wants to see it does not know whether the client has asked. */
    if (hs->ccs_sent || hs->n.renegotiating || !hs->n.config->compat ||
        (!hs->n.server && hs->session_id_len == 0))
        return true;
    if (!hs_flush(hs) || !buffer_append(hs->output, record, sizeof record))
        return false;
    hs->ccs_sent = true;
    trace_record(hs->tracer, true, record, sizeof record);
    trace_ccs(hs->tracer, true, record + REC_HEADER, 1);
    return true;
}

/* ---- asking the application */

static enum hs_result take_answer(struct hs *hs)
{
    if (!hs->answer_alert)
        return HS_OK;
    hs_fail(hs, HF_E_REFUSED, "with %s", hf_alert_name(hs->answer_alert));
    hs->n.err->alert = hs->answer_alert;
    return HS_FAILED;
}

enum hs_result hs_ask(struct hs *hs, hf_ask ask, bool *nobody)
{
    const hf_config *config = hs->n.config;
    *nobody = false;
    if (hs->answered)
        return take_answer(hs);
    if (!config->ask[ask]) {
        *nobody = true;
        return HS_OK;
    }
    hs->question.ask = ask;
    hs->question.server_name = hs->n.server_name;
    if (!hs->asked_back) {
        hs->asked_back = true;
        bool now = config->ask[ask](hs->n.conn, &hs->question, config->ask_arg[ask]);
        if (hs->cancelled)
            return cancelled(hs);
        if (now && !hs->answered)
            return hs_fail(hs, HF_E_USAGE,
                           "the callback said that it had answered, but gave no answer");
    }
    return hs->answered ? take_answer(hs) : HS_WAIT;
}

void hs_asked(struct hs *hs)
{
    memset(&hs->question, 0, sizeof hs->question);
    hs->asked_back = hs->answered = false;
}

enum hs_result hs_ask_credential(struct hs *hs, const struct ids *sigalgs, bool *nobody)
{
    hs->question.signatures = sigalgs->id;
    hs->question.signature_count = sigalgs->count;
    hs->question.takes_certificate = (hs->n.peer_accepts & CERT_X509) != 0;
    hs->question.takes_raw_key = (hs->n.peer_accepts & CERT_RAW) != 0;
    enum hs_result r = hs_ask(hs, HF_ASK_CREDENTIAL, nobody);
    if (r != HS_OK || *nobody)
        return r;
    hs_asked(hs);
    hs->credential = hs->answer_credential;
    hs->answer_credential = NULL;
    if (hs->credential && !fits_own_type(hs, hs->credential))
        return hs_fail(hs, HF_E_NO_CREDENTIAL_TYPE,
                       "the application chose %s, which the peer does not take",
                       credential_type(hs->credential) == CERT_RAW ? "a raw public key"
                                                                   : "an X.509 certificate");
    return HS_OK;
}

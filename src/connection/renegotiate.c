/* renegotiate.c: a new handshake within a connection of TLS 1.2 or older (RFC 5246 7.4.1.1), which happens
 * only where the configuration allows it and both sides do it securely (RFC 5746). */
#include "connection/conn.h"

/* Refusals of HelloRequests and ClientHellos are answered by a warning each; not without end. */
enum { MAX_REFUSED = 4 };

static bool allowed(const hf_conn *c, hf_error *err)
{
    if (!c->est.version || c->est.version >= HF_TLS1_3)
        return err_set(err, HF_E_USAGE,
                       "this connection cannot renegotiate: TLS 1.3 has no renegotiation, and "
                       "before the handshake is done there is nothing to renegotiate");
    if (conn_state(c) & HO_CLOSED_OUT)
        return err_set(err, HF_E_USAGE, "nothing may be sent behind close_notify");
    if (!c->config->renegotiation)
        return err_set(err, HF_E_USAGE, "renegotiation is off: hf_config_set_renegotiation()");
    if (!c->est.secure)
        return err_set(err, HF_E_UNSAFE_RENEGOTIATION, "the peer does not do it securely");
    if (c->est.renegotiations >= c->config->renegotiation_max ||
        c->est.renegotiations == UINT16_MAX)
        return err_set(err, HF_E_RENEGOTIATIONS, "at most %u are allowed",
                       c->config->renegotiation_max);
    return true;
}

/* Of the version that stays (RFC 5246 7.4.1.2), and with nobody but whom the application has judged (RFC 7627 6.2). */
static bool same_peer(const struct established *e, const hf_session *s)
{
    if (s->version != e->version || !s->chain != !e->chain)
        return false;
    return !s->chain || slice_equal(cert_der(s->chain->cert[0]), cert_der(e->chain->cert[0]));
}

static void offer_session(hf_conn *c)
{
    const hf_config *config = c->config;
    hf_session *s = c->est.server || !config->renegotiation_session
                        ? NULL
                        : config->renegotiation_session(c, config->renegotiation_session_arg);
    if (s && same_peer(&c->est, s))
        (void)hf_conn_set_session(c, s);
    hf_session_free(s);
}

/* The new handshake knows the last one's Finished messages, which tie the two together (RFC 5746 3.5, 3.7),
 * and whom it was with. */
static bool begin(hf_conn *c, hf_error *err)
{
    struct established *e = &c->est;
    if (!conn_awake(c, false, err) ||
        !conn_begin(c, err)) /* it will write, whoever asked for it */
        return false;
    struct nego *n = &c->hs->n;
    n->renegotiating = true;
    n->had_ems = e->ems;
    n->had_etm = e->etm;
    n->secure = false;
    memcpy(n->client_finished, e->client_finished, FINISHED_MAX);
    memcpy(n->server_finished, e->server_finished, FINISHED_MAX);
    c->hs->plain_alert = false;
    if (!e->server && e->server_name && !(n->server_name = mem_strdup(e->server_name)))
        return err_set(err, HF_E_NO_MEMORY, "server_name");
    offer_session(c);
    e->renegotiations++;
    return true;
}

/* "If the client does not wish to renegotiate ... respond with a no_renegotiation alert", a warning (RFC
 * 5246 7.2.2). */
static hf_result refuse(hf_conn *c, size_t len)
{
    hf_error err;
    err.code = HF_OK;
    buffer_drop(&c->inbuf, len);
    if (++c->est.warnings > MAX_REFUSED) {
        err_set(&err, HF_E_NO_RENEGOTIATION, "more than %d times without data between them",
                MAX_REFUSED);
        return conn_fail(c, &err);
    }
    /* The reader has nothing to do with the sending key (two records under one nonce give it away): the
     * writer says it. */
    if (!(conn_state(c) & HO_CLOSED_OUT))
        atomic_fetch_or(&c->handover, HO_REFUSE);
    return HF_DONE;
}

static hf_result unexpected(hf_conn *c, uint8_t type)
{
    hf_error err;
    err.code = HF_OK;
    err_set(&err, HF_E_UNEXPECTED_MESSAGE, "%s (%u) after the handshake", msg_name(type), type);
    return conn_fail(c, &err);
}

/* A client is asked by a HelloRequest, which is no part of any transcript; a server by a ClientHello. */
static hf_result start(hf_conn *c, const uint8_t *p, size_t len)
{
    hf_error err;
    err.code = HF_OK;
    if (!c->est.server && len != MSG_HEADER) {
        err_set(&err, HF_E_DECODE, "HelloRequest has %zu bytes, not 0", len - MSG_HEADER);
        return conn_fail(c, &err);
    }
    if (!c->est.server)
        trace_message(c->tracer, false, p, len, false);
    bool unasked = c->est.server && c->config->renegotiation_own && !c->est.asked;
    c->est.asked = false;
    if (unasked || !allowed(c, &err)) {
        if (err.code == HF_E_RENEGOTIATIONS)
            return conn_fail(c, &err);
        if (c->est.server) /* nobody will read it */
            trace_message(c->tracer, false, p, len, false);
        return refuse(c, len);
    }
    if (!c->est.server)
        buffer_drop(&c->inbuf, len);
    if (!begin(c, &err))
        return conn_fail(c, &err);
    hf_result r = conn_run(c);
    return r == HF_DONE ? HF_DONE : r;
}

hf_result conn_after12(hf_conn *c)
{
    hf_error err;
    err.code = HF_OK;
    uint8_t starter = c->est.server ? MSG_CLIENT_HELLO : MSG_HELLO_REQUEST;
    while (!c->hs && buffer_len(&c->inbuf) >= MSG_HEADER) {
        const uint8_t *p = buffer_front(&c->inbuf);
        if (!p)
            break;
        size_t len = MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        if (p[0] != starter)
            return unexpected(c, p[0]);
        if (len - MSG_HEADER > msg_max_size12(p[0])) {
            err_set(&err, HF_E_MESSAGE_TOO_LONG, "%s of %zu bytes", msg_name(p[0]),
                    len - MSG_HEADER);
            return conn_fail(c, &err);
        }
        if (buffer_len(&c->inbuf) < len)
            break;
        hf_result r = start(c, p, len);
        if (r != HF_DONE)
            return r;
    }
    return HF_DONE;
}

void conn_refused12(hf_conn *c)
{
    /* Only the ClientHello was sent: nothing has changed. */
    hs_free(c->hs);
    c->hs = NULL;
}

hf_result hf_conn_renegotiate(hf_conn *c, hf_error *err)
{
    static const uint8_t request[] = {MSG_HELLO_REQUEST, 0, 0, 0};
    hf_error mine = {0};
    err_begin(err);
    if (conn_state(c) & (HO_FAILED | HO_CLOSED_OUT | HO_CLOSED_IN)) {
        err_set(err, HF_E_USAGE, "the connection is closed or has failed");
        return HF_FAILED;
    }
    if (c->hs && c->est.version)
        return HF_DONE; /* one is under way */
    if (!allowed(c, err))
        return HF_FAILED;
    if (c->est.server) {
        if (conn_awake(c, false, &mine) &&
            conn_put_record(c, REC_HANDSHAKE, request, sizeof request)) {
            trace_message(c->tracer, true, request, sizeof request, true);
            c->est.asked = true;
            return HF_DONE;
        }
        err_set(&mine, HF_E_NO_MEMORY, "HelloRequest");
    } else if (conn_awake(c, false, &mine) && begin(c, &mine)) {
        return conn_run(c) == HF_FAILED ? HF_FAILED : HF_DONE;
    }
    if (err)
        *err = mine;
    return conn_fail(c, &mine);
}

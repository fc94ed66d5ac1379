/* later.c: a client's authentication after the handshake (RFC 8446 4.6.2), in a connection. */
#include "connection/conn.h"

static void set_state(struct later *l, hf_post_auth state)
{
    atomic_store_explicit(&l->state, state, memory_order_release);
}

/* HTTP/2 has many requests under way at once, and nothing would say for which of them it was (RFC 8740 3). */
static bool is_http2(const struct established *e)
{
    return e->alpn_len == 2 && memcmp(e->alpn, "h2", 2) == 0;
}

hf_post_auth hf_conn_post_auth(const hf_conn *c)
{
    const struct later *l =
        conn_in_handshake(c) || (c->est.server && is_http2(&c->est)) ? NULL : later_of(&c->est);
    return l ? (hf_post_auth)atomic_load_explicit(&l->state, memory_order_acquire)
             : HF_POST_AUTH_NONE;
}

/* ---- reader */

static hf_result fail(hf_conn *c, const hf_error *err)
{
    atomic_fetch_and(&c->handover, ~(unsigned)HO_ASKS);
    return conn_fail(c, err);
}

static hf_result finish(hf_conn *c, struct later *l)
{
    hf_error err;
    bool something = buffer_len(&l->hs->flight) > 0, kept = later_hand_over(l);
    hs_free(l->hs);
    l->hs = NULL;
    if (!kept) {
        err.code = HF_OK;
        err_set(&err, HF_E_NO_MEMORY, "authentication");
        return fail(c, &err);
    }
    if (l->pending)
        l->pending--;
    if (!l->pending)
        set_state(l, HF_POST_AUTH_DONE);
    if (something)
        atomic_fetch_or_explicit(&c->handover, HO_LATER, memory_order_release);
    return HF_DONE;
}

static hf_result run(hf_conn *c, struct later *l)
{
    struct hs *hs = l->hs;
    hf_error err;
    if (conn_state(c) & HO_FAILED)
        return HF_FAILED;
    if (c->running || (hs->question.ask && !hs->answered))
        return HF_WANT_ANSWER;
    atomic_fetch_and(&c->handover, ~(unsigned)HO_ASKS);
    err.code = HF_OK;
    c->running = true;
    enum hs_result r = hs_run(hs, &err);
    c->running = false;
    if (r == HS_FAILED)
        return fail(c, &err);
    if (r == HS_OK)
        return finish(c, l);
    if (!hs->question.ask)
        return HF_WANT_INPUT;
    atomic_fetch_or(&c->handover, HO_ASKS);
    return HF_WANT_ANSWER;
}

static bool begin(hf_conn *c, struct later *l, struct buffer *inbuf, hf_error *err)
{
    return later_begin(l, &c->est, c->config, c, c->tracer, inbuf, err);
}

hf_result conn_later(hf_conn *c)
{
    struct later *l = later_of(&c->est);
    hf_error err;
    hf_result r = HF_DONE;
    err.code = HF_OK;
    while (l && r == HF_DONE && (l->hs || l->pending)) {
        if (!l->hs && !begin(c, l, &l->requests, &err))
            return fail(c, &err);
        r = run(c, l);
        if (c->est.server)
            break;
    }
    return r;
}

hf_result conn_later_take(hf_conn *c, const uint8_t *whole, size_t len)
{
    struct later *l = later_of(&c->est);
    hf_error err;
    err.code = HF_OK;
    if (c->est.server)
        return begin(c, l, &c->inbuf, &err) ? HF_DONE : fail(c, &err);
    bool kept = later_collect(l, c->config, whole, len, &err);
    buffer_drop(&c->inbuf, len);
    if (!kept)
        return fail(c, &err);
    set_state(l, HF_POST_AUTH_PENDING);
    return conn_later(c);
}

/* ---- writer */

/* One record for as many of the messages' bytes as fit. */
static bool put_messages(hf_conn *c, const struct buffer *messages, bool raw, hf_error *err)
{
    const uint8_t *p = buffer_front(messages);
    size_t left = buffer_len(messages), most = rec_max_plain(&c->out);
    if (!conn_awake(c, false, err))
        return false;
    while (left > 0) {
        size_t len = left < most ? left : most;
        if (!conn_put_record(c, REC_HANDSHAKE, p, len))
            return err_set(err, HF_E_NO_MEMORY, "the records of an authentication");
        p += len;
        left -= len;
    }
    p = buffer_front(messages);
    left = c->tracer ? buffer_len(messages) : 0;
    while (left >= MSG_HEADER) {
        size_t len = MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        if (p[0] == MSG_CERTIFICATE && raw)
            trace_raw_key(c->tracer, p, len, false);
        else
            trace_message(c->tracer, true, p, len, true);
        p += len;
        left -= len;
    }
    return true;
}

/* "Post-Handshake: ClientHello ... client Finished + CertificateRequest; client_application_traffic_secret_N"
 * (4.4): N counts the KeyUpdates that stand before it. */
static bool put_finished(const hf_conn *c, struct parcel *p)
{
    enum hash_id hash = c->est.suite->hash;
    uint8_t message[MSG_HEADER + HASH_MAX_SIZE] = {MSG_FINISHED};
    message[3] = (uint8_t)hash_size(hash);
    keys13_finished_over(hash, c->est.write_secret, p->digest, message + MSG_HEADER);
    return buffer_append(&p->messages, message, MSG_HEADER + hash_size(hash));
}

void conn_later_send(hf_conn *c)
{
    struct later *l = later_of(&c->est);
    hf_error err;
    bool ok = true;
    err.code = HF_OK;
    for (struct parcel *p = l ? later_parcels(l) : NULL, *next; p; p = next) {
        next = p->next;
        if (ok && p->finish && !put_finished(c, p))
            ok = err_set(&err, HF_E_NO_MEMORY, "Finished");
        ok = ok && put_messages(c, &p->messages, l->type == CERT_RAW, &err);
        parcel_free(p);
    }
    if (!ok)
        (void)conn_fail(c, &err);
}

/* ---- the server's request */

static bool may_request(const hf_conn *c, const struct later *l, hf_error *err)
{
    const hf_config *config = c->config;
    if (!c->est.server)
        return err_set(err, HF_E_USAGE, "a client asks for no certificate after the handshake");
    if (conn_state(c) & (HO_FAILED | HO_CLOSED_OUT | HO_CLOSED_IN))
        return err_set(err, HF_E_USAGE, "the connection is closed or has failed");
    if (c->hs)
        return err_set(err, HF_E_NOT_HANDSHAKEN, "hf_conn_request_certificate");
    if (c->est.version != HF_TLS1_3)
        return err_set(err, HF_E_USAGE,
                       "%s has no authentication after the handshake; renegotiation may do it",
                       hf_version_name(c->est.version));
    if (is_http2(&c->est))
        return err_set(err, HF_E_USAGE,
                       "HTTP/2 has no authentication after the handshake (RFC 8740 3, RFC 9113 "
                       "9.2.3): whose request it is for could not be told");
    if (!config->post_handshake_auth)
        return err_set(err, HF_E_USAGE,
                       "it is off: hf_config_set_post_handshake_auth() before the handshake");
    if (!l)
        return err_set(err, HF_E_NO_POST_AUTH, NULL);
    if (hf_conn_post_auth(c) == HF_POST_AUTH_PENDING)
        return err_set(err, HF_E_USAGE, "a request has not been answered yet");
    if (config->verify && !config->trust)
        return err_set(err, HF_E_CONFIG,
                       "client certificates are asked for, but nothing says whom to trust: "
                       "hf_config_set_trust()");
    return true;
}

hf_result hf_conn_request_certificate(hf_conn *c, hf_client_auth mode, hf_error *err)
{
    struct later *l = c->hs ? NULL : later_of(&c->est);
    struct buffer message = {0};
    hf_error mine;
    err_begin(err);
    if (mode != HF_CLIENT_AUTH_REQUEST && mode != HF_CLIENT_AUTH_REQUIRE) {
        err_set(err, HF_E_USAGE, "mode %d neither requests nor requires", (int)mode);
        return HF_FAILED;
    }
    if (!may_request(c, l, err))
        return HF_FAILED;
    mine.code = HF_OK;
    bool ok = later_request(l, c->config, c, mode == HF_CLIENT_AUTH_REQUIRE, &message, &mine) &&
              put_messages(c, &message, false, &mine);
    buffer_clear(&message);
    if (ok) {
        set_state(l, HF_POST_AUTH_PENDING);
        return HF_DONE;
    }
    if (err)
        *err = mine;
    return conn_fail(c, &mine);
}

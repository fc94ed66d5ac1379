/* handshake.c: SSL_do_handshake and what begins and ends one. */
#include "libssl/local.h"

bool ssl_in_progress(const SSL *s)
{
    return s->phase == PHASE_HANDSHAKE ||
           (s->conn && s->phase == PHASE_DONE && access_in_handshake(s->conn));
}

/* A connection without a name sends none; what a certificate must be for is the verification's affair. */
bool ssl_start(SSL *s)
{
    NO_INIT hf_error err;
    err.code = HF_OK;
    hf_config *config =
        ciphers_follow(s) ? settings_config(s, s->server ? HF_SERVER : HF_CLIENT) : NULL;
    if (!config) {
        state_not_started(s);
        return false;
    }
    s->conn = s->server ? hf_conn_new_server(config, &err)
                        : hf_conn_new_client(config, s->server_name, &err);
    if (!s->conn) {
        raise_hf(&err);
        return false;
    }
    hf_conn_set_user(s->conn, s);
    if (!ssl_stateless_begin(s))
        return false;
    session_begin(s);
    if (!s->server && !psk13_offer(s)) {
        hf_conn_free(s->conn);
        s->conn = NULL;
        return false;
    }
    s->phase = PHASE_HANDSHAKE;
    s->shutdown = 0;
    state_info(s, SSL_CB_HANDSHAKE_START, 1);
    return true;
}

/* A server that has nothing to sign with for this client. In TLS 1.2 and older, and without any certificate for TLS
 * 1.3, it looks for a suite with which everything goes well, and what stands in the way of the last one is no reason
 * of its own. 0: something else. */
static int no_way_to_sign(const SSL *s, const hf_error *err)
{
    bool old = access_version(s->conn) < TLS1_3_VERSION;
    if (!s->server || err->alert_received)
        return 0;
    if (err->code == HF_E_NO_SHARED_GROUP)
        return old ? SSL_R_NO_SHARED_CIPHER : 0;
    if (err->code != HF_E_NO_SHARED_SIGNATURE && err->code != HF_E_NO_CREDENTIAL)
        return 0;
    size_t theirs = 0;
    if (access_version(s->conn) >= TLS1_2_VERSION && access_peer_sigalgs(s->conn, &theirs) &&
        theirs &&
        SSL_get_shared_sigalgs((SSL *)(uintptr_t)s, 0, NULL, NULL, NULL, NULL, NULL) == 0)
        return SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS;
    return old              ? SSL_R_NO_SHARED_CIPHER
           : certs_for13(s) ? SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM
                            : SSL_R_UNSUPPORTED_PROTOCOL;
}

/* Programs look for these two to answer in plain HTTP. */
static int reason_for(const SSL *s, const hf_error *err)
{
    static const char *const methods[] = {"GET ", "POST ", "HEAD ", "PUT "};
    size_t len = s->in_end - s->in_start;
    const char *p = s->in ? (const char *)s->in + s->in_start : NULL;
    int reason = no_way_to_sign(s, err);
    if (reason)
        return reason;
    if (err->code != HF_E_PLAINTEXT_PEER || !s->server || !p)
        return reason_of(err);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        size_t n = strlen(methods[i]);
        if (len >= n && memcmp(p, methods[i], n) == 0)
            return SSL_R_HTTP_REQUEST;
    }
    return len >= 5 && memcmp(p, "CONNE", 5) == 0 ? SSL_R_HTTPS_PROXY_REQUEST : reason_of(err);
}

/* Whoever begins with something else than a record has no use for an alert, and may be answered in plain text by the
 * program, as OpenSSL leaves it. */
static bool peer_knows_no_records(const SSL *s)
{
    const unsigned char *p = s->in ? s->in + s->in_start : NULL;
    return p && s->in_end > s->in_start + 1 && p[1] != 3 && !(p[0] & 0x80) && /* SSL 2.0 */
           access_version(s->conn) == 0;
}

/* A record, or what should have been one, that no message could be taken from. */
static bool no_message(hf_code code)
{
    return code == HF_E_PLAINTEXT_PEER || code == HF_E_WRONG_VERSION_NUMBER ||
           code == HF_E_RECORD_OVERFLOW || code == HF_E_PLAINTEXT_OVERFLOW ||
           code == HF_E_BAD_RECORD_MAC || code == HF_E_UNEXPECTED_RECORD ||
           code == HF_E_EMPTY_RECORDS || code == HF_E_WARNING_ALERTS || code == HF_E_BAD_ALERT;
}

int ssl_failed(SSL *s)
{
    const hf_error *err = s->conn ? hf_conn_error(s->conn) : NULL;
    if (s->phase != PHASE_FAILED) {
        /* In the middle of a handshake OpenSSL waits for a message still when an alert comes instead. */
        bool waits =
            ssl_in_progress(s) && err && (err->alert_received || no_message(err->code));
        s->phase = PHASE_FAILED;
        s->rwstate = SSL_NOTHING;
        if (err) {
            s->error_code = reason_for(s, err);
            /* A callback that failed has said why by itself. */
            if (!s->raised)
                raise_hf_as(err, s->error_code);
        }
        session_failed(s);
        if (!err || !peer_knows_no_records(s))
            (void)ssl_flush(s); /* the alert goes, if it can */
        s->rwstate = waits ? SSL_READING : SSL_NOTHING;
        if (err && err->alert_received)
            s->shutdown |= SSL_RECEIVED_SHUTDOWN;
        ERR_set_mark();
        ERR_pop_to_mark();
    }
    return -1;
}

/* A client's callback judges what was stapled, or that nothing was. */
static bool judge_staple(SSL *s)
{
    if (s->server || s->settings->status_type != TLSEXT_STATUSTYPE_ocsp || !s->ctx->status_cb ||
        hf_conn_resumed(s->conn))
        return true;
    int ret = s->ctx->status_cb(s, s->ctx->status_arg);
    if (ret > 0)
        return true;
    raise_ssl(ret == 0 ? SSL_R_INVALID_STATUS_RESPONSE : SSL_R_OCSP_CALLBACK_FAILURE);
    s->raised = true;
    access_conn_fail(s->conn, HF_E_VERIFY_REFUSED,
                     ret == 0 ? SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE : SSL_AD_INTERNAL_ERROR,
                     "the application did not like the OCSP response");
    (void)ssl_failed(s);
    return false;
}

static bool done(SSL *s)
{
    if (!ssl_client_name(s)) {
        (void)ssl_failed(s);
        return false;
    }
    s->name_asked = false;
    if (!judge_staple(s))
        return false;
    bool first = s->phase == PHASE_HANDSHAKE;
    s->phase = PHASE_DONE;
    s->renegotiate = RENEGOTIATE_NO;
    if (!first) {
        session_count(s->session_ctx,
                      s->server ? SESS_ACCEPT_RENEGOTIATE : SESS_CONNECT_RENEGOTIATE);
    }
    if (!session_established(s))
        return false;
    state_info(s, SSL_CB_HANDSHAKE_DONE, 1);
    return true;
}

/* The engine waits for an answer: ask the application once more. True: there is one. */
static bool ask_again(SSL *s)
{
    const hf_question *q = hf_conn_question(s->conn);
    s->rwstate = SSL_NOTHING;
    return q && ssl_answer(s, q);
}

static hf_result advance(SSL *s)
{
    s->in_callback = true;
    hf_result r = hf_conn_handshake(s->conn);
    s->in_callback = false;
    return r;
}

/* Who reads early data does not wait for the rest of the handshake when there is none. */
static bool early_is_over(const SSL *s)
{
    return s->early_state == EARLY_READING && access_version(s->conn) != 0 &&
           hf_conn_early_data(s->conn) != HF_EARLY_ACCEPTED;
}

/* There are no settings with which it could begin. The peer is told all the same. */
static int not_started(SSL *s)
{
    bool versions = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NO_PROTOCOLS_AVAILABLE;
    const unsigned char alert[] = {SSL3_RT_ALERT,
                                   3,
                                   1,
                                   0,
                                   2,
                                   SSL3_AL_FATAL,
                                   versions ? SSL_AD_PROTOCOL_VERSION : SSL_AD_INTERNAL_ERROR};
    s->phase = PHASE_FAILED;
    if (s->wbio) {
        (void)BIO_write(s->wbio, alert, sizeof alert);
        (void)BIO_flush(s->wbio);
    }
    return -1;
}

int ssl_run(SSL *s)
{
    if (s->phase == PHASE_FAILED)
        return -1;
    s->rwstate = SSL_NOTHING;
    s->early_pause = false;
    error_forget();
    if (!s->conn && !ssl_start(s))
        return not_started(s);
    hf_result r = advance(s);
    for (;;) {
        int asked = s->rwstate; /* what a callback waits for */
        if (r == HF_FAILED)
            return ssl_failed(s);
        if (ssl_flush(s) != 1)
            return -1;
        if (r == HF_DONE || r == HF_CLOSED)
            break;
        if (r == HF_WANT_ANSWER) {
            /* Once in a call: the application says when there may be another answer. */
            if (asked != SSL_NOTHING || !ask_again(s)) {
                s->rwstate = s->rwstate == SSL_NOTHING ? asked : s->rwstate;
                return -1;
            }
            r = advance(s);
            continue;
        }
        if (early_is_over(s) || ssl_stateless_done(s))
            return 1;
        if (s->in_start == s->in_end || r == HF_WANT_INPUT) {
            if (ssl_fill(s) <= 0)
                return -1;
        }
        if (ssl_stateless_skips(s))
            return -1;
        r = ssl_take(s);
        if (r == HF_DONE || r == HF_WANT_INPUT)
            r = advance(s);
        /* Early data, or what stands among a renegotiation's messages, is to be read first. */
        if (s->plain_len && r == HF_WANT_INPUT)
            return 1;
    }
    return done(s) ? 1 : -1;
}

static int finish(SSL *s, int ret)
{
    state_info(s, s->server ? SSL_CB_ACCEPT_EXIT : SSL_CB_CONNECT_EXIT, ret);
    return ret;
}

int SSL_do_handshake(SSL *s)
{
    if (!s->role_set) {
        raise_ssl(SSL_R_CONNECTION_TYPE_NOT_SET);
        return -1;
    }
    s->raised = false;
    if (s->server ? !s->method->server : !s->method->client) {
        raise_ssl(ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        return 0;
    }
    if (!ssl_renegotiate_asked(s))
        return -1;
    if (s->phase == PHASE_DONE && !ssl_in_progress(s)) {
        if (!ssl_output_waits(s))
            return 1;
        s->rwstate = SSL_NOTHING;
        return ssl_flush(s) == 1 ? 1 : -1; /* a KeyUpdate or HelloRequest that waits */
    }
    if (s->paused)
        state_info(s, SSL_CB_HANDSHAKE_START, 1);
    s->paused = false;
    /* Only SSL_read_early_data accepts early data, and returns before the handshake is over. */
    bool read_early = s->early_state == EARLY_READING;
    if (read_early)
        s->early_state = EARLY_FINISHED;
    int ret = finish(s, ssl_run(s));
    if (read_early && ret != 1)
        s->early_state = EARLY_READING;
    if (ret == 1 && s->early_state != EARLY_NONE)
        s->early_state = EARLY_FINISHED;
    return ret;
}

int SSL_connect(SSL *s)
{
    if (!s->role_set)
        SSL_set_connect_state(s);
    return SSL_do_handshake(s);
}

int SSL_accept(SSL *s)
{
    if (!s->role_set)
        SSL_set_accept_state(s);
    return SSL_do_handshake(s);
}

/* ---- what follows a handshake */

int SSL_key_update(SSL *s, int updatetype)
{
    if (!s->conn || access_version(s->conn) != TLS1_3_VERSION) {
        raise_ssl(SSL_R_WRONG_SSL_VERSION);
        return 0;
    }
    if (updatetype != SSL_KEY_UPDATE_NOT_REQUESTED && updatetype != SSL_KEY_UPDATE_REQUESTED) {
        raise_ssl(SSL_R_INVALID_KEY_UPDATE_TYPE);
        return 0;
    }
    if (s->phase != PHASE_DONE || SSL_in_init(s)) {
        raise_ssl(SSL_R_STILL_IN_INIT);
        return 0;
    }
    if (s->out) { /* its bytes would come behind a key that they are not sealed with */
        raise_ssl(SSL_R_BAD_WRITE_RETRY);
        return 0;
    }
    if (hf_conn_key_update(s->conn, updatetype == SSL_KEY_UPDATE_REQUESTED) != HF_DONE)
        return 0;
    s->key_update = updatetype;
    return 1;
}

int SSL_get_key_update_type(const SSL *s)
{
    size_t waiting = 0;
    if (!s->conn || s->key_update == SSL_KEY_UPDATE_NONE)
        return SSL_KEY_UPDATE_NONE;
    (void)hf_conn_output(s->conn, &waiting);
    return waiting ? s->key_update : SSL_KEY_UPDATE_NONE;
}

static bool begin_again(SSL *s)
{
    hf_error err = {0};
    s->renegotiate = RENEGOTIATE_BEGUN;
    if (hf_conn_renegotiate(s->conn, &err) != HF_DONE) {
        raise_hf(&err);
        return false;
    }
    s->renegotiations++; /* who asks counts, whatever becomes of it */
    s->renegotiations_total++;
    return true;
}

bool ssl_renegotiate_asked(SSL *s)
{
    bool busy = s->out || s->plain_len || s->in_start < s->in_end;
    return s->renegotiate != RENEGOTIATE_ASKED || busy || begin_again(s);
}

static int renegotiate(SSL *s, bool abbreviated)
{
    if (s->conn && SSL_version(s) == TLS1_3_VERSION) {
        raise_ssl(SSL_R_WRONG_SSL_VERSION);
        return 0;
    }
    if (s->settings->options & SSL_OP_NO_RENEGOTIATION) {
        raise_ssl(SSL_R_NO_RENEGOTIATION);
        return 0;
    }
    if (s->phase != PHASE_DONE)
        return s->phase == PHASE_FAILED;
    s->renegotiate = RENEGOTIATE_ASKED;
    s->renegotiate_short = abbreviated;
    return 1;
}

int SSL_renegotiate(SSL *s)
{
    return renegotiate(s, false);
}

int SSL_renegotiate_abbreviated(SSL *s)
{
    return renegotiate(s, true);
}

int SSL_renegotiate_pending(const SSL *s)
{
    return s->renegotiate != RENEGOTIATE_NO || (s->phase == PHASE_DONE && ssl_in_progress(s));
}

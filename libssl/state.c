/* state.c: how far a handshake is, as OpenSSL names it, and the callbacks that watch it. What happens is known from
 * the engine's trace; OpenSSL's order of events is made here:
 *
 * Its machine reads and writes in turns, and says LOOP before each step, with the state before that step. A turn of
 * writing that has nothing more to write says one LOOP of its own. A handshake begins with a turn of writing. */
#include "libssl/local.h"

/* As message/message.h numbers what has no type of its own. */
enum { MSG_CHANGE_CIPHER_SPEC = 253, MSG_HELLO_RETRY_REQUEST = 255 };

#define ALL_STATES                                                                             \
    STATE(TLS_ST_BEFORE, "PINIT", "before SSL initialization")                                 \
    STATE(TLS_ST_OK, "SSLOK", "SSL negotiation finished successfully")                         \
    STATE(DTLS_ST_CR_HELLO_VERIFY_REQUEST, "DRCHV", "DTLS1 read hello verify request")         \
    STATE(TLS_ST_CR_SRVR_HELLO, "TRSH", "SSLv3/TLS read server hello")                         \
    STATE(TLS_ST_CR_CERT, "TRSC", "SSLv3/TLS read server certificate")                         \
    STATE(TLS_ST_CR_CERT_STATUS, "TRCS", "SSLv3/TLS read certificate status")                  \
    STATE(TLS_ST_CR_KEY_EXCH, "TRSKE", "SSLv3/TLS read server key exchange")                   \
    STATE(TLS_ST_CR_CERT_REQ, "TRCR", "SSLv3/TLS read server certificate request")             \
    STATE(TLS_ST_CR_SRVR_DONE, "TRSD", "SSLv3/TLS read server done")                           \
    STATE(TLS_ST_CR_SESSION_TICKET, "TRST", "SSLv3/TLS read server session ticket")            \
    STATE(TLS_ST_CR_CHANGE, "TRCCS", "SSLv3/TLS read change cipher spec")                      \
    STATE(TLS_ST_CR_FINISHED, "TRFIN", "SSLv3/TLS read finished")                              \
    STATE(TLS_ST_CW_CLNT_HELLO, "TWCH", "SSLv3/TLS write client hello")                        \
    STATE(TLS_ST_CW_CERT, "TWCC", "SSLv3/TLS write client certificate")                        \
    STATE(TLS_ST_CW_KEY_EXCH, "TWCKE", "SSLv3/TLS write client key exchange")                  \
    STATE(TLS_ST_CW_CERT_VRFY, "TWCV", "SSLv3/TLS write certificate verify")                   \
    STATE(TLS_ST_CW_CHANGE, "TWCCS", "SSLv3/TLS write change cipher spec")                     \
    STATE(TLS_ST_CW_NEXT_PROTO, "TWNP", "SSLv3/TLS write next proto")                          \
    STATE(TLS_ST_CW_FINISHED, "TWFIN", "SSLv3/TLS write finished")                             \
    STATE(TLS_ST_SW_HELLO_REQ, "TWHR", "SSLv3/TLS write hello request")                        \
    STATE(TLS_ST_SR_CLNT_HELLO, "TRCH", "SSLv3/TLS read client hello")                         \
    STATE(DTLS_ST_SW_HELLO_VERIFY_REQUEST, "DWCHV", "DTLS1 write hello verify request")        \
    STATE(TLS_ST_SW_SRVR_HELLO, "TWSH", "SSLv3/TLS write server hello")                        \
    STATE(TLS_ST_SW_CERT, "TWSC", "SSLv3/TLS write certificate")                               \
    STATE(TLS_ST_SW_KEY_EXCH, "TWSKE", "SSLv3/TLS write key exchange")                         \
    STATE(TLS_ST_SW_CERT_REQ, "TWCR", "SSLv3/TLS write certificate request")                   \
    STATE(TLS_ST_SW_SRVR_DONE, "TWSD", "SSLv3/TLS write server done")                          \
    STATE(TLS_ST_SR_CERT, "TRCC", "SSLv3/TLS read client certificate")                         \
    STATE(TLS_ST_SR_KEY_EXCH, "TRCKE", "SSLv3/TLS read client key exchange")                   \
    STATE(TLS_ST_SR_CERT_VRFY, "TRCV", "SSLv3/TLS read certificate verify")                    \
    STATE(TLS_ST_SR_NEXT_PROTO, "TRNP", "SSLv3/TLS read next proto")                           \
    STATE(TLS_ST_SR_CHANGE, "TRCCS", "SSLv3/TLS read change cipher spec")                      \
    STATE(TLS_ST_SR_FINISHED, "TRFIN", "SSLv3/TLS read finished")                              \
    STATE(TLS_ST_SW_SESSION_TICKET, "TWST", "SSLv3/TLS write session ticket")                  \
    STATE(TLS_ST_SW_CERT_STATUS, "TWCS", "SSLv3/TLS write certificate status")                 \
    STATE(TLS_ST_SW_CHANGE, "TWCCS", "SSLv3/TLS write change cipher spec")                     \
    STATE(TLS_ST_SW_FINISHED, "TWFIN", "SSLv3/TLS write finished")                             \
    STATE(TLS_ST_SW_ENCRYPTED_EXTENSIONS, "TWEE", "TLSv1.3 write encrypted extensions")        \
    STATE(TLS_ST_CR_ENCRYPTED_EXTENSIONS, "TREE", "TLSv1.3 read encrypted extensions")         \
    STATE(TLS_ST_CR_CERT_VRFY, "TRSCV", "TLSv1.3 read server certificate verify")              \
    STATE(TLS_ST_SW_CERT_VRFY, "TWSCV", "TLSv1.3 write server certificate verify")             \
    STATE(TLS_ST_CR_HELLO_REQ, "TRHR", "SSLv3/TLS read hello request")                         \
    STATE(TLS_ST_SW_KEY_UPDATE, "TWSKU", "TLSv1.3 write server key update")                    \
    STATE(TLS_ST_CW_KEY_UPDATE, "TWCKU", "TLSv1.3 write client key update")                    \
    STATE(TLS_ST_SR_KEY_UPDATE, "TRCKU", "TLSv1.3 read client key update")                     \
    STATE(TLS_ST_CR_KEY_UPDATE, "TRSKU", "TLSv1.3 read server key update")                     \
    STATE(TLS_ST_EARLY_DATA, "TED", "TLSv1.3 early data")                                      \
    STATE(TLS_ST_PENDING_EARLY_DATA_END, "TPEDE", "TLSv1.3 pending early data end")            \
    STATE(TLS_ST_CW_END_OF_EARLY_DATA, "TWEOED", "TLSv1.3 write end of early data")            \
    STATE(TLS_ST_SR_END_OF_EARLY_DATA, "TWEOED", "TLSv1.3 read end of early data")

struct names {
    const char *code, *text;
};

static const struct names *names_of(OSSL_HANDSHAKE_STATE state)
{
    static const struct names table[] = {
#define STATE(number, code, text) [number] = {code, text},
        ALL_STATES
#undef STATE
    };
    static const struct names unknown = {"UNKWN", "unknown state"};
    size_t i = (size_t)state;
    return i < sizeof table / sizeof table[0] && table[i].code ? &table[i] : &unknown;
}

static bool has_failed(const SSL *s)
{
    return s->flow == FLOW_FAILED || s->phase == PHASE_FAILED;
}

static OSSL_HANDSHAKE_STATE state_now(const SSL *s);

const char *SSL_state_string(const SSL *s)
{
    return has_failed(s) ? "SSLERR" : names_of(state_now(s))->code;
}

const char *SSL_state_string_long(const SSL *s)
{
    return has_failed(s) ? "error" : names_of(state_now(s))->text;
}

OSSL_HANDSHAKE_STATE SSL_get_state(const SSL *s)
{
    return state_now(s);
}

static bool ticket_waits(const SSL *s)
{
    size_t waiting = 0;
    if (s->ticket_due && s->conn)
        (void)hf_conn_output(s->conn, &waiting);
    return waiting != 0;
}

int SSL_in_init(const SSL *s)
{
    if ((s->early_pause || s->paused) && !has_failed(s))
        return 0;
    if (has_failed(s) || s->state == TLS_ST_BEFORE || s->flow != FLOW_NONE)
        return 1;
    /* A renegotiation, but not a HelloRequest that may go unanswered; a KeyUpdate that waits to be sent. */
    bool again = s->phase == PHASE_DONE && ssl_in_progress(s) && !s->server;
    return again || SSL_get_key_update_type(s) != SSL_KEY_UPDATE_NONE || ticket_waits(s);
}

int SSL_in_before(const SSL *s)
{
    return s->state == TLS_ST_BEFORE && s->flow == FLOW_NONE;
}

int SSL_is_init_finished(const SSL *s)
{
    return !SSL_in_init(s) && s->state == TLS_ST_OK;
}

/* What is read next of a record: its header, or the rest. */
const char *SSL_rstate_string(const SSL *s)
{
    return s->header_len == sizeof s->header ? "RB" : "RH";
}

const char *SSL_rstate_string_long(const SSL *s)
{
    return s->header_len == sizeof s->header ? "read body" : "read header";
}

/* ---- alerts */

const char *SSL_alert_type_string(int value)
{
    return value >> 8 == SSL3_AL_WARNING ? "W" : value >> 8 == SSL3_AL_FATAL ? "F" : "U";
}

const char *SSL_alert_type_string_long(int value)
{
    return value >> 8 == SSL3_AL_WARNING ? "warning"
           : value >> 8 == SSL3_AL_FATAL ? "fatal"
                                         : "unknown";
}

static const struct names *alert_names(int value)
{
    static const struct names table[] = {
        [SSL3_AD_CLOSE_NOTIFY] = {"CN", "close notify"},
        [SSL3_AD_UNEXPECTED_MESSAGE] = {"UM", "unexpected_message"},
        [SSL3_AD_BAD_RECORD_MAC] = {"BM", "bad record mac"},
        [TLS1_AD_DECRYPTION_FAILED] = {"DC", "decryption failed"},
        [TLS1_AD_RECORD_OVERFLOW] = {"RO", "record overflow"},
        [SSL3_AD_DECOMPRESSION_FAILURE] = {"DF", "decompression failure"},
        [SSL3_AD_HANDSHAKE_FAILURE] = {"HF", "handshake failure"},
        [SSL3_AD_NO_CERTIFICATE] = {"NC", "no certificate"},
        [SSL3_AD_BAD_CERTIFICATE] = {"BC", "bad certificate"},
        [SSL3_AD_UNSUPPORTED_CERTIFICATE] = {"UC", "unsupported certificate"},
        [SSL3_AD_CERTIFICATE_REVOKED] = {"CR", "certificate revoked"},
        [SSL3_AD_CERTIFICATE_EXPIRED] = {"CE", "certificate expired"},
        [SSL3_AD_CERTIFICATE_UNKNOWN] = {"CU", "certificate unknown"},
        [SSL3_AD_ILLEGAL_PARAMETER] = {"IP", "illegal parameter"},
        [TLS1_AD_UNKNOWN_CA] = {"CA", "unknown CA"},
        [TLS1_AD_ACCESS_DENIED] = {"AD", "access denied"},
        [TLS1_AD_DECODE_ERROR] = {"DE", "decode error"},
        [TLS1_AD_DECRYPT_ERROR] = {"CY", "decrypt error"},
        [TLS1_AD_EXPORT_RESTRICTION] = {"ER", "export restriction"},
        [TLS1_AD_PROTOCOL_VERSION] = {"PV", "protocol version"},
        [TLS1_AD_INSUFFICIENT_SECURITY] = {"IS", "insufficient security"},
        [TLS1_AD_INTERNAL_ERROR] = {"IE", "internal error"},
        [TLS1_AD_USER_CANCELLED] = {"US", "user canceled"},
        [TLS1_AD_NO_RENEGOTIATION] = {"NR", "no renegotiation"},
        [TLS1_AD_UNSUPPORTED_EXTENSION] = {"UE", "unsupported extension"},
        [TLS1_AD_CERTIFICATE_UNOBTAINABLE] = {"CO", "certificate unobtainable"},
        [TLS1_AD_UNRECOGNIZED_NAME] = {"UN", "unrecognized name"},
        [TLS1_AD_BAD_CERTIFICATE_STATUS_RESPONSE] = {"BR", "bad certificate status response"},
        [TLS1_AD_BAD_CERTIFICATE_HASH_VALUE] = {"BH", "bad certificate hash value"},
        [TLS1_AD_UNKNOWN_PSK_IDENTITY] = {"UP", "unknown PSK identity"},
        [TLS1_AD_NO_APPLICATION_PROTOCOL] = {"UK", "no application protocol"},
    };
    static const struct names unknown = {"UK", "unknown"};
    size_t i = value & 0xff;
    return i < sizeof table / sizeof table[0] && table[i].code ? &table[i] : &unknown;
}

const char *SSL_alert_desc_string(int value)
{
    return alert_names(value)->code;
}

const char *SSL_alert_desc_string_long(int value)
{
    return alert_names(value)->text;
}

/* ---- the info callback */

static void (*info_callback(const SSL *s))(const SSL *, int, int)
{
    return s->settings->info_cb ? s->settings->info_cb : s->ctx->info_cb;
}

static void tell(SSL *s, int where, int ret)
{
    void (*cb)(const SSL *, int, int) = info_callback(s);
    if (cb)
        cb(s, where, ret);
}

static void loop(SSL *s)
{
    tell(s, s->server ? SSL_CB_ACCEPT_LOOP : SSL_CB_CONNECT_LOOP, 1);
}

/* A server of TLS 1.3 then passes through a state of its own, in which early data may come. */
static void end_of_writing(SSL *s)
{
    if (s->flow != FLOW_WRITING)
        return;
    loop(s);
    if (s->server &&
        (s->state == TLS_ST_SW_FINISHED || s->state == TLS_ST_SW_CHANGE ||
         s->state == TLS_ST_SW_SRVR_HELLO) && /* a HelloRetryRequest */
        s->msg_version == TLS1_3_VERSION) {
        s->state = TLS_ST_EARLY_DATA;
        loop(s);
    }
    s->flow = FLOW_READING;
}

static void handshake_done(SSL *s)
{
    if (s->flow == FLOW_NONE)
        return; /* what came after it has told its own */
    loop(s);
    s->state = TLS_ST_OK;
    s->flow = FLOW_NONE;
    if (!s->told_done)
        tell(s, SSL_CB_HANDSHAKE_DONE, 1);
    s->told_done = true;
}

void state_paused(SSL *s)
{
    if (s->flow == FLOW_WRITING)
        loop(s);
    s->state = TLS_ST_EARLY_DATA;
    s->flow = FLOW_NONE;
    tell(s, SSL_CB_HANDSHAKE_DONE, 1);
}

void state_not_started(SSL *s)
{
    tell(s, SSL_CB_HANDSHAKE_START, 1);
    s->told_done = s->told_failed = s->ccs_waits = false;
    s->flow = FLOW_NONE;
}

void state_reset(SSL *s)
{
    s->state = TLS_ST_BEFORE;
    s->flow = FLOW_NONE;
    s->told_done = s->told_failed = s->ccs_waits = false;
    s->msg_version = s->msg_suite = 0;
}

void state_info(SSL *s, int where, int ret)
{
    if (where == SSL_CB_HANDSHAKE_START) {
        if (s->state != TLS_ST_BEFORE)
            s->flow = FLOW_WRITING; /* SSL_in_init holds then */
        tell(s, where, ret);
        s->told_done = s->told_failed = s->ccs_waits = false;
        s->flow = FLOW_WRITING;
        if (s->server)
            end_of_writing(s);
    } else if (where == SSL_CB_HANDSHAKE_DONE) {
        handshake_done(s);
    } else {
        if (has_failed(s) && s->told_failed)
            return;
        s->told_failed = has_failed(s);
        if (ret <= 0 && s->rwstate != SSL_WRITING)
            end_of_writing(s);
        tell(s, where, ret);
    }
}

/* ---- the message callback */

static void show(SSL *s, bool sent, int version, int type, const void *p, size_t len)
{
    const struct settings *t = s->settings;
    if (t->msg_cb)
        t->msg_cb(sent, version, type, p, len, s, t->msg_arg);
}

/* The engine's client sends its change_cipher_spec as soon as the server has spoken, OpenSSL's before its next
 * flight. */
static void show_ccs(SSL *s)
{
    static const unsigned char record[] = {SSL3_RT_CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1};
    s->ccs_waits = false;
    show(s, true, TLS1_2_VERSION, SSL3_RT_HEADER, record, SSL3_RT_HEADER_LENGTH);
    s->flow = FLOW_WRITING;
    loop(s);
    s->state = TLS_ST_CW_CHANGE;
    show(s, true, s->msg_version, SSL3_RT_CHANGE_CIPHER_SPEC, record + SSL3_RT_HEADER_LENGTH,
         1);
}

static void show_record(SSL *s, const hf_trace_event *e)
{
    if (e->sent && e->record_type == SSL3_RT_CHANGE_CIPHER_SPEC && !s->server &&
        s->msg_version == TLS1_3_VERSION)
        return; /* see show_ccs */
    if (e->sent && s->ccs_waits && !has_failed(s))
        show_ccs(s);
    s->record_outer = e->record_type;
    if (e->size >= SSL3_RT_HEADER_LENGTH)
        show(s, e->sent, e->bytes[1] << 8 | e->bytes[2], SSL3_RT_HEADER, e->bytes,
             SSL3_RT_HEADER_LENGTH);
}

/* The type within is shown where it is hidden: in TLS 1.3. */
static void show_inner(SSL *s, const hf_trace_event *e)
{
    unsigned char type = e->record_type;
    if (s->record_outer == SSL3_RT_APPLICATION_DATA &&
        (type != SSL3_RT_APPLICATION_DATA || s->msg_version == TLS1_3_VERSION))
        show(s, e->sent, e->sent ? TLS1_2_VERSION : s->msg_version, SSL3_RT_INNER_CONTENT_TYPE,
             &type, 1);
}

/* ---- messages */

struct step {
    uint8_t type;
    OSSL_HANDSHAKE_STATE client_reads, client_writes, server_reads, server_writes;
};

/* clang-format off */
static const struct step steps[] = {
    {SSL3_MT_HELLO_REQUEST, TLS_ST_CR_HELLO_REQ, 0, 0, TLS_ST_SW_HELLO_REQ},
    {SSL3_MT_CLIENT_HELLO, 0, TLS_ST_CW_CLNT_HELLO, TLS_ST_SR_CLNT_HELLO, 0},
    {SSL3_MT_SERVER_HELLO, TLS_ST_CR_SRVR_HELLO, 0, 0, TLS_ST_SW_SRVR_HELLO},
    {SSL3_MT_NEWSESSION_TICKET, TLS_ST_CR_SESSION_TICKET, 0, 0, TLS_ST_SW_SESSION_TICKET},
    {SSL3_MT_END_OF_EARLY_DATA, 0, TLS_ST_CW_END_OF_EARLY_DATA, TLS_ST_SR_END_OF_EARLY_DATA, 0},
    {SSL3_MT_ENCRYPTED_EXTENSIONS, TLS_ST_CR_ENCRYPTED_EXTENSIONS, 0, 0, TLS_ST_SW_ENCRYPTED_EXTENSIONS},
    {SSL3_MT_CERTIFICATE, TLS_ST_CR_CERT, TLS_ST_CW_CERT, TLS_ST_SR_CERT, TLS_ST_SW_CERT},
    {25 /* CompressedCertificate */, TLS_ST_CR_CERT, TLS_ST_CW_CERT, TLS_ST_SR_CERT, TLS_ST_SW_CERT},
    {SSL3_MT_SERVER_KEY_EXCHANGE, TLS_ST_CR_KEY_EXCH, 0, 0, TLS_ST_SW_KEY_EXCH},
    {SSL3_MT_CERTIFICATE_REQUEST, TLS_ST_CR_CERT_REQ, 0, 0, TLS_ST_SW_CERT_REQ},
    {SSL3_MT_SERVER_DONE, TLS_ST_CR_SRVR_DONE, 0, 0, TLS_ST_SW_SRVR_DONE},
    {SSL3_MT_CERTIFICATE_VERIFY, TLS_ST_CR_CERT_VRFY, TLS_ST_CW_CERT_VRFY, TLS_ST_SR_CERT_VRFY, TLS_ST_SW_CERT_VRFY},
    {SSL3_MT_CLIENT_KEY_EXCHANGE, 0, TLS_ST_CW_KEY_EXCH, TLS_ST_SR_KEY_EXCH, 0},
    {SSL3_MT_FINISHED, TLS_ST_CR_FINISHED, TLS_ST_CW_FINISHED, TLS_ST_SR_FINISHED, TLS_ST_SW_FINISHED},
    {SSL3_MT_CERTIFICATE_STATUS, TLS_ST_CR_CERT_STATUS, 0, 0, TLS_ST_SW_CERT_STATUS},
    {SSL3_MT_KEY_UPDATE, TLS_ST_CR_KEY_UPDATE, TLS_ST_CW_KEY_UPDATE, TLS_ST_SR_KEY_UPDATE, TLS_ST_SW_KEY_UPDATE},
};
/* clang-format on */

static OSSL_HANDSHAKE_STATE state_of(const SSL *s, unsigned type, bool sent)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].type == type && s->server)
            return sent ? steps[i].server_writes : steps[i].server_reads;
        else if (steps[i].type == type)
            return sent ? steps[i].client_writes : steps[i].client_reads;
    return s->state;
}

static OSSL_HANDSHAKE_STATE state_of_ccs(const SSL *s, bool sent)
{
    if (s->server)
        return sent ? TLS_ST_SW_CHANGE : TLS_ST_SR_CHANGE;
    return sent ? TLS_ST_CW_CHANGE : TLS_ST_CR_CHANGE;
}

static OSSL_HANDSHAKE_STATE state_for(const SSL *s, const hf_trace_event *e)
{
    return e->record_type == SSL3_RT_CHANGE_CIPHER_SPEC ? state_of_ccs(s, e->sent)
                                                        : state_of(s, e->bytes[0], e->sent);
}

/* Where nobody watches the messages, the handshake's list tells how far it is. */
static OSSL_HANDSHAKE_STATE state_now(const SSL *s)
{
    bool sent;
    unsigned last = s->conn && ssl_in_progress(s) ? access_last_message(s->conn, &sent) : 0;
    if (s->phase != PHASE_FAILED && s->early_pause)
        return TLS_ST_EARLY_DATA;
    if (!last || state_wants_trace(s))
        return s->state;
    bool retry = last == MSG_HELLO_RETRY_REQUEST;
    if (s->server && sent && (retry || last == SSL3_MT_FINISHED) &&
        access_version(s->conn) == TLS1_3_VERSION)
        return TLS_ST_EARLY_DATA;
    if (last == MSG_CHANGE_CIPHER_SPEC)
        return state_of_ccs(s, sent);
    return state_of(s, retry ? SSL3_MT_SERVER_HELLO : last, sent);
}

/* What a ServerHello settles: the version in supported_versions (43), if that is there, and the suite. */
static void take_server_hello(SSL *s, const uint8_t *p, size_t len)
{
    size_t at = 4 + 2 + 32;
    if (len < at + 1 || len < at + 1 + p[at] + 3)
        return;
    s->msg_version = (uint16_t)(p[4] << 8 | p[5]);
    at += 1u + p[at];
    s->msg_suite = (uint16_t)(p[at] << 8 | p[at + 1]);
    for (at += 2 + 1 + 2; at + 4 <= len; at += 4 + ((size_t)p[at + 2] << 8 | p[at + 3]))
        if (p[at] == 0 && p[at + 1] == TLSEXT_TYPE_supported_versions && at + 6 <= len)
            s->msg_version = (uint16_t)(p[at + 4] << 8 | p[at + 5]);
}

static int highest_version(const SSL *s)
{
    if (s->server || s->method->version != TLS_ANY_VERSION)
        return s->method->version == TLS_ANY_VERSION ? TLS1_3_VERSION : s->method->version;
    return s->settings->version_max ? s->settings->version_max : TLS1_3_VERSION;
}

/* A message outside the handshake is a little handshake of its own, which begins by having nothing to write. */
static void take_after(SSL *s, const hf_trace_event *e)
{
    s->flow = e->sent ? FLOW_WRITING : FLOW_READING;
    loop(s);
    if (!e->sent)
        loop(s);
    s->state = state_for(s, e);
    show(s, e->sent, s->msg_version, e->record_type, e->bytes, e->size);
    loop(s);
    s->state = TLS_ST_OK;
    s->flow = FLOW_NONE;
    tell(s, s->server ? SSL_CB_ACCEPT_EXIT : SSL_CB_CONNECT_EXIT, 1);
}

static void take_message(SSL *s, const hf_trace_event *e)
{
    bool ccs = e->record_type == SSL3_RT_CHANGE_CIPHER_SPEC;
    if (ccs && !e->sent && s->msg_version == TLS1_3_VERSION)
        return; /* it has no meaning there */
    if (!ccs && e->bytes[0] == SSL3_MT_SERVER_HELLO)
        take_server_hello(s, e->bytes, e->size);
    if (!ccs && !e->sent)
        debug_extensions(s, e->bytes, e->size);
    if (s->flow == FLOW_NONE && s->phase == PHASE_DONE) {
        if (ccs || e->bytes[0] != SSL3_MT_CLIENT_HELLO) {
            take_after(s, e);
            return;
        }
        state_info(s, SSL_CB_HANDSHAKE_START, 1); /* a renegotiation */
    }
    if (ccs && !s->server && s->msg_version == TLS1_3_VERSION) {
        s->ccs_waits = true;
        return;
    }
    if (!e->sent)
        end_of_writing(s);
    else if (s->ccs_waits)
        show_ccs(s);
    s->flow = e->sent ? FLOW_WRITING : FLOW_READING;
    loop(s);
    bool first_ticket = e->sent && s->state == TLS_ST_SR_FINISHED && !ccs &&
                        e->bytes[0] == SSL3_MT_NEWSESSION_TICKET &&
                        s->msg_version == TLS1_3_VERSION;
    s->state = state_for(s, e);
    if (first_ticket) {
        s->told_done = true;
        s->flow = FLOW_NONE; /* for SSL_in_init */
        tell(s, SSL_CB_HANDSHAKE_DONE, 1);
        s->flow = FLOW_WRITING;
    }
    if (!ccs || e->sent)
        show(s, e->sent, s->msg_version, e->record_type, e->bytes, e->size);
}

/* The client's wish began a handshake, and the refusal ends it. */
static void end_refused(SSL *s)
{
    handshake_done(s);
    tell(s, SSL_CB_ACCEPT_EXIT, 1);
}

static void take_alert(SSL *s, const hf_trace_event *e)
{
    show(s, e->sent, s->msg_version, SSL3_RT_ALERT, e->bytes, e->size);
    if (e->size != 2)
        return;
    bool fatal = e->bytes[0] == SSL3_AL_FATAL;
    if (fatal && e->sent)
        s->flow = FLOW_FAILED;
    tell(s, e->sent ? SSL_CB_WRITE_ALERT : SSL_CB_READ_ALERT, e->bytes[0] << 8 | e->bytes[1]);
    if (fatal)
        s->flow = FLOW_FAILED;
    else if (e->sent && e->bytes[1] == SSL_AD_NO_RENEGOTIATION && s->phase == PHASE_DONE)
        end_refused(s);
}

void state_trace(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)arg;
    SSL *s = ssl_of(conn);
    if (!s)
        return;
    if (!s->msg_version)
        s->msg_version = (uint16_t)highest_version(s);
    if (e->kind == HF_TRACE_RECORD)
        show_record(s, e);
    else if (e->kind == HF_TRACE_PLAINTEXT)
        show_inner(s, e);
    else if (e->kind == HF_TRACE_MESSAGE && e->record_type == SSL3_RT_ALERT)
        take_alert(s, e);
    else if (e->kind == HF_TRACE_MESSAGE && e->size)
        take_message(s, e);
}

/* Messages always: SSL_state_string and SSL_in_before tell how far a handshake is also where nobody watches it. */
unsigned state_trace_kinds(const SSL *s)
{
    unsigned messages = 1u << HF_TRACE_MESSAGE;
    return s->settings->msg_cb ? messages | 1u << HF_TRACE_RECORD | 1u << HF_TRACE_PLAINTEXT
                               : messages;
}

bool state_wants_trace(const SSL *s)
{
    return state_trace_kinds(s) != 0;
}

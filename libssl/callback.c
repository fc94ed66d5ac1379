/* callback.c: the engine's questions, answered by the application's callbacks. */
#include "libssl/custom.h"
#include "libssl/local.h"
#include "libssl/verify.h"

/* fail ends the handshake with this alert, for a reason that is on the queue (or is put there now). */
static bool fail(SSL *s, uint8_t alert, int reason)
{
    if (!s->raised && reason)
        raise_ssl(reason);
    s->raised = true;
    return hf_answer_refuse(s->conn, alert ? alert : SSL_AD_INTERNAL_ERROR);
}

/* ---- the ClientHello: callbacks for it and for the server name */

static void keep_name(SSL *s, const char *name)
{
    OPENSSL_free(s->server_name);
    s->server_name = name ? OPENSSL_strdup(name) : NULL;
}

/* 1: go on. 0: the handshake ends. -1: to be asked again. */
static int ask_client_hello_cb(SSL *s)
{
    int alert = SSL_AD_INTERNAL_ERROR;
    if (!s->ctx->client_hello_cb)
        return 1;
    switch (s->ctx->client_hello_cb(s, &alert, s->ctx->client_hello_arg)) {
    case SSL_CLIENT_HELLO_SUCCESS: return 1;
    case SSL_CLIENT_HELLO_RETRY: s->rwstate = SSL_CLIENT_HELLO_CB; return -1;
    case SSL_CLIENT_HELLO_ERROR:
    default: (void)fail(s, (uint8_t)alert, SSL_R_CALLBACK_FAILED); return 0;
    }
}

/* It is asked also when the client has sent no name (RFC 6066 3). */
static int ask_servername_cb(SSL *s)
{
    int alert = SSL_AD_UNRECOGNIZED_NAME, ret = SSL_TLSEXT_ERR_NOACK;
    SSL_CTX *ctx = s->ctx;
    if (ctx->servername_cb)
        ret = ctx->servername_cb(s, &alert, ctx->servername_arg);
    else if (s->session_ctx->servername_cb)
        ret = s->session_ctx->servername_cb(s, &alert, s->session_ctx->servername_arg);
    if (s->server && s->phase == PHASE_HANDSHAKE)
        session_count_moves(s->session_ctx, s->ctx);
    if (ret != SSL_TLSEXT_ERR_ALERT_FATAL)
        return 1;
    (void)fail(s, (uint8_t)alert, SSL_R_CALLBACK_FAILED);
    return 0;
}

/* What the client calls the session that it offers: the engine has read it and found it well-formed. */
static void keep_id(SSL *s)
{
    enum { PLACE = 4 + 2 + 32 }; /* behind header, version and random */
    s->hello_id_len = 0;
    if (s->hello_len > PLACE && s->hello[PLACE] <= sizeof s->hello_id &&
        s->hello_len > (size_t)PLACE + s->hello[PLACE]) {
        s->hello_id_len = s->hello[PLACE];
        memcpy(s->hello_id, s->hello + PLACE + 1, s->hello_id_len);
    }
}

static bool answer_hello(SSL *s, const hf_question *q)
{
    s->hello = q->hello;
    s->hello_len = q->hello_len;
    keep_id(s);
    int ret = ask_client_hello_cb(s);
    if (ret == 1 && !status_take(s)) {
        (void)fail(s, SSL_AD_DECODE_ERROR, SSL_R_BAD_EXTENSION);
        ret = 0;
    }
    if (ret == 1) {
        keep_name(s, q->server_name);
        ret = ask_servername_cb(s);
    }
    s->hello = NULL;
    s->hello_len = 0;
    if (ret != 1)
        return ret == 0;
    hf_config *config = settings_config(s, HF_SERVER);
    if (!config) {
        s->raised = true;
        return fail(s, SSL_AD_INTERNAL_ERROR, 0);
    }
    return hf_answer_hello(s->conn, config);
}

/* OpenSSL asks a client's callback too, when the server's answers to its extensions are read; s_client learns so that
 * its name was taken notice of. */
bool ssl_client_name(SSL *s)
{
    if (s->server || s->name_asked || !(s->ctx->servername_cb || s->session_ctx->servername_cb))
        return true;
    s->name_asked = true;
    return ask_servername_cb(s) == 1;
}

/* ---- certificates */

static bool staple(SSL *s, hf_credential **cred)
{
    if (!s->server || s->ocsp_response_len <= 0 || !*cred)
        return true;
    hf_credential *with =
        access_credential_with_ocsp(*cred, s->ocsp_response, (size_t)s->ocsp_response_len);
    hf_credential_free(*cred);
    *cred = with;
    return with != NULL;
}

/* 1: go on; 0: the handshake ends. */
static int ask_status_cb(SSL *s)
{
    if (!s->server || !s->ctx->status_cb || status_type(s) != TLSEXT_STATUSTYPE_ocsp)
        return 1;
    OPENSSL_free(s->ocsp_response);
    s->ocsp_response = NULL;
    s->ocsp_response_len = -1;
    switch (s->ctx->status_cb(s, s->ctx->status_arg)) {
    case SSL_TLSEXT_ERR_OK:
    case SSL_TLSEXT_ERR_NOACK: return 1;
    default: return 0;
    }
}

static bool answer_credential(SSL *s, const hf_question *q)
{
    hf_credential *cred = NULL;
    int ret = certs_ask(s, q, &cred);
    if (ret == -1)
        return false;
    if (ret == 0) {
        s->raised = true;
        return fail(s, SSL_AD_INTERNAL_ERROR, 0);
    }
    if (!ask_status_cb(s)) {
        hf_credential_free(cred);
        return fail(s, SSL_AD_INTERNAL_ERROR, SSL_R_CLIENTHELLO_TLSEXT);
    }
    if (!staple(s, &cred))
        return fail(s, SSL_AD_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    bool ok = hf_answer_credential(s->conn, cred);
    hf_credential_free(cred);
    return ok;
}

/* ---- pre-shared keys of TLS 1.2 and older (RFC 4279) */

static bool answer_psk_server(SSL *s, const hf_question *q)
{
    char identity[PSK_MAX_IDENTITY_LEN + 1];
    unsigned char key[PSK_MAX_PSK_LEN];
    if (q->identity_len > PSK_MAX_IDENTITY_LEN || memchr(q->identity, 0, q->identity_len))
        return fail(s, SSL_AD_HANDSHAKE_FAILURE, SSL_R_DATA_LENGTH_TOO_LONG);
    memcpy(identity, q->identity, q->identity_len);
    identity[q->identity_len] = 0;
    unsigned len = s->settings->psk_server_cb(s, identity, key, sizeof key);
    OPENSSL_free(s->psk_identity);
    s->psk_identity = OPENSSL_strdup(identity);
    bool ok = len > sizeof key ? fail(s, SSL_AD_HANDSHAKE_FAILURE, ERR_R_INTERNAL_ERROR)
                               : hf_answer_psk(s->conn, NULL, 0, key, len);
    if (len == 0) { /* the engine says unknown_psk_identity */
        raise_ssl(SSL_R_PSK_IDENTITY_NOT_FOUND);
        s->raised = true;
    }
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

static bool answer_psk_client(SSL *s, const hf_question *q)
{
    char identity[PSK_MAX_IDENTITY_LEN + 1] = "", hint[PSK_MAX_IDENTITY_LEN + 1] = "";
    unsigned char key[PSK_MAX_PSK_LEN];
    if (q->identity_len > PSK_MAX_IDENTITY_LEN)
        return fail(s, SSL_AD_HANDSHAKE_FAILURE, SSL_R_DATA_LENGTH_TOO_LONG);
    if (q->identity_len)
        memcpy(hint, q->identity, q->identity_len);
    OPENSSL_free(s->psk_hint);
    s->psk_hint = q->identity_len ? OPENSSL_strdup(hint) : NULL;
    unsigned len = s->settings->psk_client_cb(s, q->identity_len ? hint : NULL, identity,
                                              sizeof identity - 1, key, sizeof key);
    if (len == 0 || len > sizeof key) {
        OPENSSL_cleanse(key, sizeof key);
        return fail(s, SSL_AD_HANDSHAKE_FAILURE,
                    len ? ERR_R_INTERNAL_ERROR : SSL_R_PSK_IDENTITY_NOT_FOUND);
    }
    OPENSSL_free(s->psk_identity);
    s->psk_identity = OPENSSL_strdup(identity);
    bool ok = hf_answer_psk(s->conn, (const uint8_t *)identity, strlen(identity), key, len);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

/* ---- the peer's chain, early data, ALPN, key log */

bool ssl_answer(SSL *s, const hf_question *q)
{
    switch (q->ask) {
    case HF_ASK_HELLO: return answer_hello(s, q);
    case HF_ASK_CREDENTIAL: return answer_credential(s, q);
    case HF_ASK_VERIFY: return verify_chain(s);
    case HF_ASK_PSK: return s->server ? answer_psk_server(s, q) : answer_psk_client(s, q);
    case HF_ASK_EARLY_DATA: return hf_answer_early_data(s->conn, early_accept(s));
    case HF_ASK_SIGNATURE:
    case HF_ASK_TICKET:
    case HF_ASK_NONE:
    case HF_ASK_COUNT:
    default: return false;
    }
}

static bool on_question(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)arg;
    return ssl_answer(ssl_of(conn), q);
}

static hf_alpn_choice on_alpn(hf_conn *conn, const uint8_t *list, size_t len,
                              const uint8_t **name, size_t *name_len, void *arg)
{
    SSL *s = ssl_of(conn);
    const unsigned char *chosen = NULL;
    unsigned char chosen_len = 0;
    (void)arg;
    if (!s->ctx->alpn_select_cb)
        return HF_ALPN_NONE;
    switch (s->ctx->alpn_select_cb(s, &chosen, &chosen_len, list, (unsigned)len,
                                   s->ctx->alpn_select_arg)) {
    case SSL_TLSEXT_ERR_OK:
        *name = chosen;
        *name_len = chosen_len;
        return HF_ALPN_CHOSEN;
    case SSL_TLSEXT_ERR_NOACK: return HF_ALPN_NONE;
    default: return HF_ALPN_REFUSE;
    }
}

static void on_keylog(const hf_conn *conn, const char *line, void *arg)
{
    SSL *s = ssl_of(conn);
    (void)arg;
    if (s && s->ctx->keylog_cb)
        s->ctx->keylog_cb(s, line);
}

static bool ask(hf_config *config, hf_ask what)
{
    return hf_config_set_ask(config, what, on_question, NULL);
}

static bool server_callbacks(hf_config *config, const SSL *s)
{
    const struct settings *t = s->settings;
    return ask(config, HF_ASK_HELLO) && ssl_stateless_config(config) &&
           hf_config_set_alpn_callback(config, on_alpn, NULL) &&
           (!t->psk_server_cb || ask(config, HF_ASK_PSK)) &&
           (!t->max_early_data || ask(config, HF_ASK_EARLY_DATA)) &&
           (!t->psk_hint || hf_config_set_psk_hint(config, t->psk_hint));
}

bool ssl_config_callbacks(hf_config *config, SSL *s, hf_role role)
{
    const struct settings *t = s->settings;
    bool choose = certs_asks(s, role) || (role == HF_SERVER && s->ctx->status_cb);
    return (role == HF_CLIENT || server_callbacks(config, s)) &&
           (role == HF_SERVER || !t->psk_client_cb || ask(config, HF_ASK_PSK)) &&
           (!choose || ask(config, HF_ASK_CREDENTIAL)) && ask(config, HF_ASK_VERIFY) &&
           custom_to_config(s, config, role) &&
           (!s->ctx->keylog_cb || hf_config_insecure_set_keylog(config, on_keylog, NULL)) &&
           (!state_wants_trace(s) || (hf_config_set_trace(config, state_trace, NULL) &&
                                      access_config_trace_kinds(config, state_trace_kinds(s))));
}

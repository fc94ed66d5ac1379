/* ticket.c: a server's session tickets as OpenSSL makes them (see ticket_keys.h), so that servers with either
 * library can share keys; and what programs have to say about each. */
#include <openssl/sslerr.h>

#include "libssl/local.h"
#include "libssl/ticket_keys.h"

/* ---- sealing */

/* The session's ID is of no use within a ticket. */
static unsigned char *encode(SSL_SESSION *session, int *len)
{
    unsigned char *der = NULL;
    uint8_t id_len = session->id_len;
    session->id_len = 0;
    *len = i2d_SSL_SESSION(session, &der);
    session->id_len = id_len;
    return *len > 0 ? der : NULL;
}

static size_t seal(SSL *s, const unsigned char *der, size_t der_len, uint8_t *out, size_t size)
{
    struct ticket_keys keys;
    size_t len = size + 1;

    if (ticket_keys_init(&keys, s)) {
        int answer = ticket_keys_choose(&keys, s, true);
        if (answer == 0)
            len = 0;
        else if (answer >
                 0) /* too much in it (SSL_SESSION_set1_ticket_appdata): the client gets none */
            len = ticket_keys_encrypt(&keys, der, der_len, out, size);
    }
    if (len > size) {
        raise_ssl(SSL_R_CALLBACK_FAILED);
        s->raised = true;
    }
    ticket_keys_clear(&keys);
    return len;
}

/* Tickets that only name a session of ours: where programs want no others, and where early data makes that each
 * be good for one use. */
static bool stateful(const SSL *s)
{
    const struct settings *t = s->settings;
    return t->options & SSL_OP_NO_TICKET ||
           (t->max_early_data > 0 && !(t->options & SSL_OP_NO_ANTI_REPLAY));
}

static size_t write_ticket(SSL *s, SSL_SESSION *session, uint8_t *out, size_t size)
{
    int der_len;
    if (session->version == TLS1_3_VERSION && stateful(s)) {
        memcpy(out, session->id, session->id_len);
        return session->id_len;
    }
    unsigned char *der = encode(session, &der_len);
    size_t len = der ? seal(s, der, (size_t)der_len, out, size) : size + 1;
    OPENSSL_clear_free(der, der ? (size_t)der_len : 0);
    return len;
}

size_t tickets_seal(hf_conn *conn, const hf_session *inner, uint8_t *out, size_t size,
                    void *arg)
{
    SSL *s = ssl_of(conn);
    SSL_CTX *ctx = s->session_ctx;
    struct access_session of;
    (void)arg;

    access_session_read(inner, &of);
    if (s->no_ticket || session_refused(s, of.suite))
        return 0;
    SSL_SESSION *session = session_make(s, (hf_session *)(uintptr_t)inner);
    if (!session)
        return size + 1;
    bool tls13 = session->version == TLS1_3_VERSION;
    /* The client is told the same as what the ticket says. */
    access_session_set_lifetime((hf_session *)(uintptr_t)inner, (uint32_t)session->timeout);
    if (tls13) {
        if (!session_make_id(s, session->id, &session->id_len))
            return size + 1;
        if (s->found && s->found->appdata.p)
            (void)session_set(session, &session->appdata, s->found->appdata.p,
                              s->found->appdata.len);
        session->stale = false;
    }
    if (ctx->ticket_gen_cb && ctx->ticket_gen_cb(s, ctx->ticket_cb_arg) == 0) {
        raise_ssl(SSL_R_CALLBACK_FAILED);
        s->raised = true;
        return size + 1;
    }
    size_t len = write_ticket(s, session, out, size);
    if (tls13 && len && len <= size)
        session_cache(s, session, SSL_SESS_CACHE_SERVER);
    return len;
}

/* ---- opening */

static SSL_SESSION *decode(const unsigned char *der, size_t len)
{
    const unsigned char *p = der;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &p, (long)len);
    if (session && p != der + len) {
        SSL_SESSION_free(session);
        session = NULL;
    }
    error_forget(); /* what a client sends is no error of ours */
    return session;
}

static SSL_SESSION *decrypt(const struct ticket_keys *keys, const unsigned char *ticket,
                            size_t len)
{
    size_t der_len, size;
    unsigned char *der = ticket_keys_decrypt(keys, ticket, len, &der_len, &size);
    SSL_SESSION *session = der ? decode(der, der_len) : NULL;
    OPENSSL_clear_free(der, der ? size : 0);
    return session;
}

static SSL_TICKET_STATUS open_sealed(SSL *s, const unsigned char *ticket, size_t len,
                                     SSL_SESSION **session)
{
    struct ticket_keys keys;
    SSL_TICKET_STATUS status = SSL_TICKET_NO_DECRYPT;

    if (len < TICKET_NAME + sizeof keys.iv)
        return status;
    if (!ticket_keys_init(&keys, s)) {
        ticket_keys_clear(&keys);
        return SSL_TICKET_FATAL_ERR_MALLOC;
    }
    memcpy(keys.name, ticket, TICKET_NAME);
    memcpy(keys.iv, ticket + TICKET_NAME, sizeof keys.iv);
    int answer = ticket_keys_choose(&keys, s, false);
    if (answer < 0)
        status = SSL_TICKET_FATAL_ERR_OTHER;
    else if (answer > 0 && (*session = decrypt(&keys, ticket, len)))
        status = answer == 2 || (keys.own && (*session)->version == TLS1_3_VERSION)
                     ? SSL_TICKET_SUCCESS_RENEW
                     : SSL_TICKET_SUCCESS;
    ticket_keys_clear(&keys);
    return status;
}

static SSL_TICKET_STATUS open_named(SSL *s, const unsigned char *ticket, size_t len,
                                    SSL_SESSION **session)
{
    *session = session_find(s, ticket, len, TLS1_3_VERSION);
    return *session ? SSL_TICKET_SUCCESS : SSL_TICKET_NO_DECRYPT;
}

/* SSL_CTX_set_session_ticket_cb(3): the program may have its own opinion. */
static SSL_TICKET_STATUS ask_program(SSL *s, const unsigned char *ticket, size_t len,
                                     SSL_TICKET_STATUS status, SSL_SESSION **session)
{
    const SSL_CTX *ctx = s->session_ctx;
    bool good = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;

    if (!ctx->ticket_dec_cb ||
        (!good && status != SSL_TICKET_NO_DECRYPT && status != SSL_TICKET_EMPTY))
        return status;
    switch (ctx->ticket_dec_cb(s, *session, ticket, len < TICKET_NAME ? len : TICKET_NAME,
                               status, ctx->ticket_cb_arg)) {
    case SSL_TICKET_RETURN_USE: return good ? SSL_TICKET_SUCCESS : SSL_TICKET_FATAL_ERR_OTHER;
    case SSL_TICKET_RETURN_USE_RENEW:
        return good ? SSL_TICKET_SUCCESS_RENEW : SSL_TICKET_FATAL_ERR_OTHER;
    case SSL_TICKET_RETURN_IGNORE: s->no_ticket = true; __attribute__((fallthrough));
    case SSL_TICKET_RETURN_IGNORE_RENEW:
        SSL_SESSION_free(*session);
        *session = NULL;
        return SSL_TICKET_NO_DECRYPT;
    case SSL_TICKET_RETURN_ABORT:
    default: return SSL_TICKET_FATAL_ERR_OTHER;
    }
}

/* A client of TLS 1.2 and older that takes tickets and has none. */
bool tickets_none(hf_conn *conn, bool *wanted)
{
    SSL *s = ssl_of(conn);
    SSL_SESSION *none = NULL;
    SSL_TICKET_STATUS status = ask_program(s, NULL, 0, SSL_TICKET_EMPTY, &none);
    if (status == SSL_TICKET_FATAL_ERR_OTHER) {
        raise_ssl(SSL_R_CALLBACK_FAILED);
        s->raised = true;
        return false;
    }
    *wanted = !s->no_ticket;
    return true;
}

/* With early data, a ticket is good once: whoever takes it out of the table has it. */
static bool first_use(SSL *s, SSL_SESSION *session)
{
    const struct settings *t = s->settings;
    return session->version != TLS1_3_VERSION || t->max_early_data == 0 ||
           t->options & SSL_OP_NO_ANTI_REPLAY ||
           SSL_CTX_remove_session(s->session_ctx, session);
}

static bool refuse(SSL *s)
{
    if (!s->raised)
        raise_ssl(SSL_R_CALLBACK_FAILED);
    s->raised = true;
    return hf_answer_refuse(s->conn, SSL_AD_INTERNAL_ERROR);
}

bool tickets_ask(hf_conn *conn, const hf_question *q, void *arg)
{
    SSL *s = ssl_of(conn);
    SSL_SESSION *session = NULL;
    hf_session *inner = NULL;
    bool named = stateful(s) && q->ticket_len == SSL_MAX_SSL_SESSION_ID_LENGTH;
    (void)arg;

    switch (psk13_find(s, q->ticket, q->ticket_len, &inner)) {
    case PSK13_FOUND: {
        bool answered = hf_answer_ticket(conn, inner, false);
        hf_session_free(inner);
        return answered;
    }
    case PSK13_FAILED: s->raised = true; return refuse(s);
    case PSK13_NONE:
    default: break;
    }
    SSL_TICKET_STATUS status = named ? open_named(s, q->ticket, q->ticket_len, &session)
                                     : open_sealed(s, q->ticket, q->ticket_len, &session);
    status = ask_program(s, q->ticket, q->ticket_len, status, &session);
    if (status == SSL_TICKET_FATAL_ERR_MALLOC || status == SSL_TICKET_FATAL_ERR_OTHER) {
        SSL_SESSION_free(session);
        return refuse(s);
    }
    enum session_verdict verdict = session ? session_judge(s, session) : SESSION_NO;
    if (verdict == SESSION_FATAL) {
        SSL_SESSION_free(session);
        return refuse(s);
    }
    if (verdict == SESSION_YES && first_use(s, session))
        inner = session_for(s, session);
    if (!inner) {
        SSL_SESSION_free(session);
        return hf_answer_ticket(conn, NULL, false);
    }
    if (session->version != TLS1_3_VERSION) {
        /* It is known by what the client calls it in this handshake. */
        memcpy(session->id, s->hello_id, s->hello_id_len);
        session->id_len = s->hello_id_len;
    }
    /* Only TLS 1.3 has a new one for each use, unless the keys' owner thinks otherwise. */
    if (session->version == TLS1_3_VERSION && !named && status == SSL_TICKET_SUCCESS)
        s->no_ticket = true;
    session_found(s, session);
    bool answered = hf_answer_ticket(conn, inner, status == SSL_TICKET_SUCCESS_RENEW);
    hf_session_free(inner);
    return answered;
}

/* ---- callbacks */

int SSL_CTX_set_tlsext_ticket_key_evp_cb(SSL_CTX *ctx,
                                         int (*cb)(SSL *, unsigned char *, unsigned char *,
                                                   EVP_CIPHER_CTX *, EVP_MAC_CTX *, int))
{
    ctx->ticket_key_evp_cb = cb;
    return 1;
}

int SSL_CTX_set_session_ticket_cb(SSL_CTX *ctx, SSL_CTX_generate_session_ticket_fn generate,
                                  SSL_CTX_decrypt_session_ticket_fn decrypted, void *arg)
{
    ctx->ticket_gen_cb = generate;
    ctx->ticket_dec_cb = decrypted;
    ctx->ticket_cb_arg = arg;
    return 1;
}

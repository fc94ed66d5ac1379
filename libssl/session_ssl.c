/* session_ssl.c: sessions of connections: what is offered, found, made and kept. */
#include <openssl/sslerr.h>
#include <time.h>

#include "libssl/local.h"

/* ---- making */

/* The one that is resumed, while nothing has taken its place; or NULL. */
static const SSL_SESSION *resumed(const SSL *s)
{
    const SSL_SESSION *from = s->server ? s->found : s->session_made ? NULL : s->session;
    return from && hf_conn_resumed(s->conn) ? from : NULL;
}

/* How long it is good for: in TLS 1.3 tickets that follow from one another have this in common. */
static long timeout_of(const SSL *s, const SSL_SESSION *session)
{
    enum { WEEK = 604800 };
    const SSL_SESSION *before = resumed(s);
    long timeout = s->session_ctx->sessions->timeout;

    if (session->version != TLS1_3_VERSION)
        return timeout;
    if (!before && s->session_made)
        before = s->session;
    if (before)
        return before->timeout;
    return timeout > WEEK ? WEEK : timeout;
}

/* What the engine does not know of a session. */
static void complete(SSL *s, SSL_SESSION *session)
{
    const struct settings *t = s->settings;
    const SSL_SESSION *from = resumed(s);

    session->timeout = timeout_of(s, session);
    /* Nobody has looked at the peer again. */
    session->verify_result = from ? from->verify_result : s->verify_result;
    if (t->sid_ctx_len)
        memcpy(session->sid_ctx, t->sid_ctx, t->sid_ctx_len);
    session->sid_ctx_len = (uint8_t)t->sid_ctx_len;
    if (s->psk_identity)
        (void)session_set(session, &session->psk_identity, s->psk_identity,
                          strlen(s->psk_identity));
    if (s->psk_hint)
        (void)session_set(session, &session->psk_hint, s->psk_hint, strlen(s->psk_hint));
    session->stale = false; /* the engine's own copy has what it needs */
}

/* The new session takes the place of the old one; what programs have tied to that goes with it. */
static void replace(SSL *s, SSL_SESSION *session)
{
    if (s->session && s->session_made)
        (void)CRYPTO_dup_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, &session->ex_data,
                                 &s->session->ex_data);
    SSL_SESSION_free(s->session);
    s->session = session;
    s->session_made = true;
    s->session_provisional = false;
}

SSL_SESSION *session_make(SSL *s, hf_session *inner)
{
    SSL_SESSION *session = session_from(inner);
    if (session) {
        complete(s, session);
        replace(s, session);
    }
    return session;
}

/* OpenSSL has one to show as soon as a handshake has begun; what programs tie to it goes on to the real one. */
static SSL_SESSION *provisional(SSL *s)
{
    int version = access_version(s->conn);
    if (s->session || (s->server && !version))
        return s->session;
    SSL_SESSION *session = SSL_SESSION_new();
    if (!session)
        return NULL;
    session->version = version ? version : SSL_version(s);
    complete(s, session);
    replace(s, session);
    s->session_provisional = true;
    return session;
}

SSL_SESSION *session_of(SSL *s)
{
    if ((s->session && !s->session_provisional) || s->session_set || !s->conn)
        return s->session;
    if (s->phase != PHASE_DONE)
        return provisional(s);
    hf_session *inner = access_session_of(s->conn);
    SSL_SESSION *made = inner ? session_make(s, inner) : NULL;
    /* In TLS 1.3 a client has its secret with the ticket (RFC 8446 4.6.1). */
    if (made && made->version == TLS1_3_VERSION && !s->server)
        (void)SSL_SESSION_set1_master_key(made, NULL, 0);
    hf_session_free(inner);
    return s->session;
}

/* ---- names
 *
 * OpenSSL resumes a session whatever the server's name is. Here it must not have been made under another one; where
 * only one side says, what the connection has counts: OpenSSL's own sessions have a name only if the server took
 * notice of it. */

hf_session *session_for(SSL *s, SSL_SESSION *session)
{
    struct access_session a;
    const char *name = s->server_name;
    hf_session *inner = session_inner(session);
    if (!inner)
        return NULL;
    access_session_read(inner, &a);
    if (!a.server_name == !name && (!name || strcmp(a.server_name, name) == 0))
        return hf_session_ref(inner);
    if (a.server_name && name && OPENSSL_strcasecmp(a.server_name, name) != 0)
        return NULL;
    a.server_name = name;
    return access_session_new(&a);
}

/* ---- clients */

static void on_session(hf_conn *conn, hf_session *inner, void *arg)
{
    SSL *s = ssl_of(conn);
    (void)arg;
    if (!s || !session_make(s, inner))
        return;
    /* Before TLS 1.3 a ticket that is renewed goes with a session that is kept already. */
    if (s->session->version == TLS1_3_VERSION || !hf_conn_resumed(conn))
        session_cache(s, s->session, SSL_SESS_CACHE_CLIENT);
}

static void offer(SSL *s)
{
    SSL_SESSION *session = s->session;
    s->session_offered = session && SSL_SESSION_is_resumable(session);
    if (!s->session_offered)
        return;
    hf_session *inner = session_for(s, session);
    if (inner) {
        access_session_use_again(inner);
        (void)hf_conn_set_session(s->conn, inner);
        hf_session_free(inner);
    }
}

/* A HelloRequest is answered by an offer to resume, as OpenSSL has always done. */
static hf_session *offer_again(hf_conn *conn, void *arg)
{
    SSL *s = ssl_of(conn);
    (void)arg;
    bool own = s->renegotiate == RENEGOTIATE_BEGUN;
    if (!own) {
        s->renegotiations++;
        s->renegotiations_total++;
    }
    SSL_SESSION *session = own && !s->renegotiate_short ? NULL : session_of(s);
    s->session_offered = session && SSL_SESSION_is_resumable(session);
    return s->session_offered ? session_for(s, session) : NULL;
}

/* ---- servers: sessions by their IDs */

static bool may_again(hf_conn *conn)
{
    const SSL *s = ssl_of(conn);
    return s->renegotiate_short ||
           !(s->settings->options & SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
}

static int random_id(SSL *s, unsigned char *id, unsigned *len)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        if (!access_random(id, *len))
            return 0;
        if (!SSL_has_matching_session_id(s, id, *len))
            return 1;
    }
    return 0;
}

bool session_make_id(SSL *s, uint8_t id[32], uint8_t *len)
{
    GEN_SESSION_CB generate = s->settings->generate_id;
    unsigned size = SSL_MAX_SSL_SESSION_ID_LENGTH;
    int reason = 0;

    memset(id, 0, size);
    if (!generate)
        reason = random_id(s, id, &size) ? 0 : SSL_R_SSL_SESSION_ID_CALLBACK_FAILED;
    else if (!generate(s, id, &size))
        reason = SSL_R_SSL_SESSION_ID_CALLBACK_FAILED;
    else if (size == 0 || size > SSL_MAX_SSL_SESSION_ID_LENGTH)
        reason = SSL_R_SSL_SESSION_ID_HAS_BAD_LENGTH;
    else if (SSL_has_matching_session_id(s, id, size))
        reason = SSL_R_SSL_SESSION_ID_CONFLICT;
    if (reason) {
        raise_ssl(reason);
        s->raised = true;
        return false;
    }
    *len = (uint8_t)size;
    return true;
}

bool session_refused(SSL *s, uint16_t suite)
{
    const SSL_CIPHER *c = cipher_by_id(suite);
    int (*refuse)(SSL *, int) = s->settings->not_resumable_cb;
    if (s->may_resume == MAY_RESUME_UNKNOWN) {
        bool secret_forever = c && (c->kx == KX_DHE || c->kx == KX_ECDHE);
        s->may_resume = refuse && refuse(s, secret_forever) ? MAY_NOT_RESUME : MAY_RESUME;
    }
    return s->may_resume == MAY_NOT_RESUME;
}

static bool make_id(hf_conn *conn, uint16_t suite, uint8_t id[32], uint8_t *len)
{
    SSL *s = ssl_of(conn);
    if (!session_make_id(s, id, len))
        return false;
    (void)session_refused(s, suite);
    if (!(s->ctx->sessions->mode & SSL_SESS_CACHE_SERVER))
        *len = 0;
    return true;
}

enum session_verdict session_judge(SSL *s, SSL_SESSION *session)
{
    const struct settings *t = s->settings;
    if (session->sid_ctx_len != t->sid_ctx_len ||
        memcmp(session->sid_ctx, t->sid_ctx, t->sid_ctx_len) != 0)
        return SESSION_NO;
    if (t->verify_mode & SSL_VERIFY_PEER && t->sid_ctx_len == 0) {
        /* Who would be taken for verified may have been so by another service of this program. */
        raise_ssl(SSL_R_SESSION_ID_CONTEXT_UNINITIALIZED);
        s->raised = true;
        return SESSION_FATAL;
    }
    if (session_timed_out(session, (long)time(NULL))) {
        session_count(s->session_ctx, SESS_TIMEOUTS);
        if (session->version != TLS1_3_VERSION)
            (void)SSL_CTX_remove_session(s->session_ctx, session);
        return SESSION_NO;
    }
    return SESSION_YES;
}

void session_found(SSL *s, SSL_SESSION *session)
{
    SSL_SESSION_free(s->found);
    s->found = session;
    if (session && s->phase == PHASE_DONE)
        s->session_made = false; /* what this renegotiation makes counts */
}

static bool find(hf_conn *conn, uint16_t version, const uint8_t *id, size_t len,
                 hf_session **out)
{
    SSL *s = ssl_of(conn);
    *out = NULL;
    SSL_SESSION *session = session_find(s, id, len, version);
    if (!session)
        return true;
    enum session_verdict verdict = session_judge(s, session);
    hf_session *inner = verdict == SESSION_YES ? session_for(s, session) : NULL;
    if (!inner) {
        SSL_SESSION_free(session);
        return verdict != SESSION_FATAL;
    }
    session_found(s, session);
    *out = inner;
    return true;
}

static const struct session_ids ids = {make_id, find, tickets_none, may_again};

static void on_server_session(hf_conn *conn, hf_session *inner, void *arg)
{
    SSL *s = ssl_of(conn);
    (void)arg;
    if (!s || !session_make(s, inner))
        return;
    if (session_refused(s, s->session->suite))
        s->session->not_resumable = true;
    else
        session_cache(s, s->session, SSL_SESS_CACHE_SERVER);
}

/* ---- configurations */

static bool first_use(const uint8_t *id, size_t len, int64_t until, void *arg)
{
    (void)id, (void)len, (void)until, (void)arg;
    return true; /* tickets that allow early data are good once, unless the program has turned that off */
}

/* Renewed tickets are good as long as the handshake that they go back to. */
static uint32_t lifetime(const SSL *s)
{
    enum { WEEK = 604800 };
    long timeout = s->session_ctx->sessions->timeout;
    return timeout < 1 ? 1 : timeout > WEEK ? WEEK : (uint32_t)timeout;
}

static bool server_config(const SSL *s, hf_config *config)
{
    enum { MAX_TICKETS = 16 };
    const struct settings *t = s->settings;
    const hf_session_store store = {.add = on_server_session};
    unsigned count = t->num_tickets > MAX_TICKETS ? MAX_TICKETS : (unsigned)t->num_tickets;
    return hf_config_set_tickets(config, count, lifetime(s)) &&
           hf_config_set_session_cache(config, 0, lifetime(s)) &&
           hf_config_set_session_context(config, t->sid_ctx, t->sid_ctx_len) &&
           hf_config_set_session_store(config, &store) &&
           hf_config_set_first_use(config, first_use, NULL) &&
           hf_config_set_ticket_seal(config, tickets_seal, NULL) &&
           hf_config_set_ask(config, HF_ASK_TICKET, tickets_ask, NULL) &&
           access_config_sessions(config, &ids, security_tickets(s));
}

bool sessions_to_config(SSL *s, hf_config *config, hf_role role)
{
    if (s->settings->secrets && !secrets_to_config(s, config))
        return false;
    if (role == HF_SERVER)
        return server_config(s, config);
    if (!security_tickets(s) && !hf_config_set_tickets(config, 0, lifetime(s)))
        return false;
    return hf_config_set_renegotiation_session(config, offer_again, NULL) &&
           hf_config_set_session_callback(config, on_session, NULL);
}

/* ---- handshakes */

void session_begin(SSL *s)
{
    session_count(s->session_ctx, s->server ? SESS_ACCEPT : SESS_CONNECT);
    s->session_made = s->session_set = s->session_provisional = s->no_ticket = s->name_asked =
        false;
    s->may_resume = MAY_RESUME_UNKNOWN;
    if (!s->server)
        offer(s);
}

bool session_established(SSL *s)
{
    s->hit = hf_conn_resumed(s->conn);
    session_count(s->server ? s->ctx : s->session_ctx,
                  s->server ? SESS_ACCEPT_GOOD : SESS_CONNECT_GOOD);
    if (s->hit || (!s->server && s->session_offered))
        session_count(s->session_ctx, s->hit ? SESS_HIT : SESS_MISSES);
    if (s->server && s->hit && s->found && (!s->session_made || s->session_provisional)) {
        SSL_SESSION_free(s->session);
        s->session = s->found;
        s->session_provisional = false;
        s->found = NULL;
    }
    if (s->hit && s->session)
        s->verify_result = s->session->verify_result;
    if (!s->hit && s->session && !s->session_made) {
        /* It was offered, or left over, and is not this connection's. */
        SSL_SESSION_free(s->session);
        s->session = NULL;
    }
    session_found(s, NULL);
    s->renegotiate_short = false;
    /* A ticket of TLS 1.3 is best used once (RFC 8446 C.4). */
    if (!s->server && s->session && s->session->version == TLS1_3_VERSION &&
        s->session_ctx->sessions->mode & SSL_SESS_CACHE_CLIENT)
        (void)SSL_CTX_remove_session(s->session_ctx, s->session);
    return true;
}

/* "Upon transmission or receipt of a fatal alert message, both parties ... MUST forget any session-identifiers"
 * (RFC 5246 7.2.2). */
void session_failed(SSL *s)
{
    if (s->session)
        (void)SSL_CTX_remove_session(s->session_ctx, s->session);
}

/* A connection that was let go without close_notify leaves no session that could be resumed. */
void session_clear(SSL *s)
{
    bool cut = s->phase == PHASE_DONE && !(s->shutdown & SSL_SENT_SHUTDOWN) && !SSL_in_init(s);
    session_found(s, NULL);
    if (!s->session || !(cut || s->phase == PHASE_FAILED))
        return;
    if (cut)
        (void)SSL_CTX_remove_session(s->session_ctx, s->session);
    SSL_SESSION_free(s->session);
    s->session = NULL;
}

/* ---- what programs ask and set */

SSL_SESSION *SSL_get_session(const SSL *s)
{
    return session_of((SSL *)(uintptr_t)s);
}

SSL_SESSION *SSL_get1_session(SSL *s)
{
    SSL_SESSION *session = session_of(s);
    if (session)
        SSL_SESSION_up_ref(session);
    return session;
}

int SSL_set_session(SSL *s, SSL_SESSION *session)
{
    if (session)
        SSL_SESSION_up_ref(session);
    session_clear(s);
    SSL_SESSION_free(s->session);
    s->session = session;
    s->session_made = s->session_provisional = false;
    s->session_set = true;
    if (session)
        s->verify_result = session->verify_result;
    return 1;
}

int SSL_copy_session_id(SSL *to, const SSL *from)
{
    const struct settings *t = from->settings;
    if (!SSL_set_session(to, SSL_get_session(from)))
        return 0;
    struct settings *mine = settings_edit(&to->settings);
    if (!mine)
        return 0;
    struct certs *certs = certs_ref(t->certs);
    certs_free(mine->certs);
    mine->certs = certs;
    return SSL_set_session_id_context(to, t->sid_ctx, (unsigned)t->sid_ctx_len);
}

/* An external key of TLS 1.3 counts as a session here, as in OpenSSL. */
int SSL_session_reused(const SSL *s)
{
    size_t len;
    if (s->hit || !s->conn)
        return s->hit;
    return access_suites(s->conn).resumes ||
           (hf_conn_version(s->conn) == TLS1_3_VERSION && hf_conn_psk_identity(s->conn, &len));
}

static int set_context(struct settings **slot, const unsigned char *context, unsigned len)
{
    if (len > SSL_MAX_SID_CTX_LENGTH) {
        raise_ssl(SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG);
        return 0;
    }
    struct settings *t = settings_edit(slot);
    if (!t)
        return 0;
    if (len)
        memcpy(t->sid_ctx, context, len);
    t->sid_ctx_len = len;
    return 1;
}

int SSL_CTX_set_session_id_context(SSL_CTX *ctx, const unsigned char *context, unsigned int len)
{
    return set_context(&ctx->settings, context, len);
}

int SSL_set_session_id_context(SSL *s, const unsigned char *context, unsigned int len)
{
    return set_context(&s->settings, context, len);
}

int SSL_CTX_set_generate_session_id(SSL_CTX *ctx, GEN_SESSION_CB cb)
{
    struct settings *t = settings_touch(&ctx->settings);
    if (t)
        t->generate_id = cb;
    return t != NULL;
}

int SSL_set_generate_session_id(SSL *s, GEN_SESSION_CB cb)
{
    struct settings *t = settings_touch(&s->settings);
    if (t)
        t->generate_id = cb;
    return t != NULL;
}

void SSL_CTX_set_not_resumable_session_callback(SSL_CTX *ctx, int (*cb)(SSL *, int))
{
    struct settings *t = settings_touch(&ctx->settings);
    if (t)
        t->not_resumable_cb = cb;
}

void SSL_set_not_resumable_session_callback(SSL *s, int (*cb)(SSL *, int))
{
    struct settings *t = settings_touch(&s->settings);
    if (t)
        t->not_resumable_cb = cb;
}

/* With the next bytes that are sent, or at once. */
int SSL_new_session_ticket(SSL *s)
{
    if (!s->server || !s->conn || s->phase != PHASE_DONE || s->out ||
        hf_conn_version(s->conn) != TLS1_3_VERSION)
        return 0;
    s->ticket_due = access_conn_new_ticket(s->conn);
    return s->ticket_due;
}

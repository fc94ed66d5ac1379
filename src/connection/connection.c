/* connection.c: the life of a connection, and its handshake. */
#include "connection/conn.h"

#include <sched.h>

#include "bytes/names.h"
#include "config/cache.h"

bool conn_begin(hf_conn *c, hf_error *err)
{
    c->hs = hs_new(c->config, c->est.server, c, &c->est, c->tracer);
    if (!c->hs)
        return err_set(err, HF_E_NO_MEMORY, "handshake");
    if (c->config->stateless && !c->est.version && !stateless_begin(c->hs, NULL)) {
        hs_free(c->hs);
        c->hs = NULL;
        return err_set(err, HF_E_NO_MEMORY, "handshake");
    }
    c->hs->in = &c->in;
    c->hs->out = &c->out;
    c->hs->inbuf = &c->inbuf;
    c->hs->output = &c->output;
    return true;
}

static hf_conn *conn_new(hf_config *config, bool server, hf_error *err)
{
    if (!config || !config_use(config, err)) {
        if (!config)
            err_set(err, HF_E_USAGE, "config is NULL");
        return NULL;
    }
    if ((config->role == HF_SERVER) != server) {
        err_set(err, HF_E_USAGE, "this configuration was made for a %s",
                server ? "client" : "server");
        return NULL;
    }
    hf_conn *c = mem_new(sizeof *c);
    if (!c) {
        err_set(err, HF_E_NO_MEMORY, "connection");
        return NULL;
    }
    c->config = hf_config_ref(config);
    c->est.server = server;
    c->out.most = config->send_fragment;
    if (config->trace) {
        c->tracer = mem_new(sizeof *c->tracer);
        if (c->tracer)
            *c->tracer = (struct tracer){config->trace, config->trace_arg, c,
                                         config->trace_secrets, config->trace_quiet};
    }
    if (!conn_begin(c, err) || (config->trace && !c->tracer)) {
        err_set(err, HF_E_NO_MEMORY, "connection");
        hf_conn_free(c);
        return NULL;
    }
    return c;
}

/* What could never be sent (RFC 6066 3: ASCII, not empty without its dot) nor be in a certificate. */
static bool name_possible(const char *name)
{
    for (const char *p = name; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f || *p == '[' || *p == '/')
            return false;
    }
    return strcmp(name, ".") != 0;
}

hf_conn *hf_conn_new_client(hf_config *config, const char *server_name, hf_error *err)
{
    err_begin(err);
    if (config && !server_name && config->verify && config->verify_name &&
        cert_types_mask(&config->peer_types) != CERT_RAW) {
        err_set(
            err, HF_E_USAGE,
            "server_name is NULL: without it nobody knows whom the certificate must be for");
        return NULL;
    }
    if (server_name && !name_possible(server_name)) {
        err_set(
            err, HF_E_USAGE,
            "server_name is no DNS name and no address: letters beyond ASCII must be written "
            "in the A-label form (xn--), brackets and blanks left out");
        return NULL;
    }
    if (server_name && (!*server_name || strlen(server_name) > 255)) {
        err_set(err, HF_E_USAGE, "server_name has %zu bytes, 1 to 255 are allowed",
                strlen(server_name));
        return NULL;
    }
    hf_conn *c = conn_new(config, false, err);
    if (c && server_name && !(c->hs->n.server_name = mem_strdup(server_name))) {
        err_set(err, HF_E_NO_MEMORY, "server_name");
        hf_conn_free(c);
        return NULL;
    }
    return c;
}

hf_conn *hf_conn_new_server(hf_config *config, hf_error *err)
{
    err_begin(err);
    return conn_new(config, true, err);
}

void hf_conn_free(hf_conn *c)
{
    if (!c)
        return;
    hs_free(c->hs);
    established_clear(&c->est);
    rec_clear(&c->in);
    rec_clear(&c->out);
    buffer_clear(&c->inbuf);
    buffer_clear(&c->output);
    mem_free(c->tracer);
    hf_config_free(c->config);
    mem_wipe_free(c, sizeof *c);
}

/* A server that shares a key with this client has proved itself by that and not by a certificate. */
static bool proved_by_key(const hf_session *s)
{
    const struct suite *suite = suite_find(s->suite);
    return suite && suite->auth == AUTH_PSK;
}

static bool keeps_ems(const hf_session *s)
{
    return s->version == HF_TLS1_3 || s->ems;
}

bool hf_conn_set_session(hf_conn *c, hf_session *s)
{
    struct hs *hs = c->hs;
    if (!s || !hs || hs->n.server || hs->step != client13 || hs->n.session ||
        !c->config->psk_modes)
        return false;
    const char *ours = hs->n.server_name ? hs->n.server_name : "";
    bool by_id = s->version < HF_TLS1_3 && s->id_len > 0;
    if (s->version < HF_TLS1_3 && s->ticket && c->config->no_tickets)
        return false;
    if (!config_version(c->config, s->version) || (!s->ticket && !by_id) ||
        strcmp(ours, s->server_name ? s->server_name : "") != 0)
        return false;
    if (session_expired(s, config_now_ms(c->config)) ||
        !ids_has(&c->config->body.suites, s->suite) ||
        (c->config->require_ems && !keeps_ems(s)))
        return false;
    /* Resuming stands for a verification: it cannot replace one that was never made. */
    bool raw = session_peer_type(s) == CERT_RAW; /* which has no name to be for */
    if (s->chain && !config_takes(c->config, session_peer_type(s)))
        return false;
    if (!proved_by_key(s) &&
        ((c->config->verify && !s->verified) || (c->config->verify_name && !s->named && !raw)))
        return false;
    if (c->config->verify && c->config->ocsp == HF_OCSP_REQUIRE && !s->ocsp_len &&
        !proved_by_key(s) && !raw)
        return false;
    int unused = 0;
    if (s->version == HF_TLS1_3 && !atomic_compare_exchange_strong(&s->used, &unused, 1))
        return false;
    hs->n.session = hf_session_ref(s);
    return true;
}

/* ---- failing */

/* "connections corresponding to the session may continue, but the session identifier MUST be invalidated,
 * preventing the failed session from being used to establish new connections" (RFC 5246 7.2.2). Tickets
 * cannot be taken back. */
static void forget_session(const hf_conn *c, const hf_error *err)
{
    const struct established *e = &c->est;
    bool fatal = err->alert != HF_NO_ALERT;
    if (!fatal || !e->server || !e->version || e->version >= HF_TLS1_3 || !e->session_id_len)
        return;
    hf_session *s = session_new();
    if (!s)
        return;
    memcpy(s->id, e->session_id, e->session_id_len);
    s->id_len = e->session_id_len;
    cache_remove(c->config, s);
    hf_session_free(s);
}

hf_result conn_fail(hf_conn *c, const hf_error *err)
{
    unsigned before = atomic_fetch_or(&c->handover, HO_CLAIMED);
    if (before & HO_CLAIMED) { /* the first error wins; whoever returns HF_FAILED can show it */
        while (!(conn_state(c) & HO_FAILED))
            sched_yield();
        return HF_FAILED;
    }
    c->error = *err;
    forget_session(c, err);
    if (c->hs)
        hs_forget(c->hs);
    bool silent =
        c->error.alert == HF_NO_ALERT || c->error.alert_received || before & HO_CLOSED_OUT;
    atomic_fetch_or_explicit(&c->handover, HO_FAILED | (silent ? 0u : HO_ALERT),
                             memory_order_release);
    trace_error(c->tracer, err);
    return HF_FAILED;
}

/* ---- handshake */

static hf_result finish(hf_conn *c)
{
    hf_session *made = c->hs->made;
    c->hs->made = NULL;
    if (c->est.resumed)
        cache_count(c->config, COUNT_HITS);
    cache_count(c->config, c->est.server ? COUNT_ACCEPT_GOOD : COUNT_CONNECT_GOOD);
    hs_free(c->hs);
    c->hs = NULL;
    c->est.empty_records = 0; /* change_cipher_spec was counted with them */
    if (made && c->config->session_fn)
        c->config->session_fn(c, made, c->config->session_arg);
    hf_session_free(made);
    return conn_state(c) & HO_FAILED ? HF_FAILED : HF_DONE;
}

hf_result conn_run(hf_conn *c)
{
    hf_error err;
    if (conn_state(c) & HO_FAILED)
        return HF_FAILED;
    if (!c->hs)
        return HF_DONE;
    if (c->running)
        return HF_WANT_ANSWER;
    err.code = HF_OK;
    c->running = true;
    enum hs_result r = hs_run(c->hs, &err);
    c->running = false;
    if (r == HS_FAILED)
        return conn_fail(c, &err);
    if (r == HS_OK)
        return finish(c);
    return c->hs->question.ask ? HF_WANT_ANSWER : HF_WANT_INPUT;
}

hf_result hf_conn_handshake(hf_conn *c)
{
    if (c->hs || !conn_later_hs(c))
        return conn_run(c);
    hf_result r = conn_later(c);
    return r == HF_WANT_INPUT ? HF_DONE : r; /* the handshake is done */
}

/* ---- hibernation and memory */

bool conn_awake(hf_conn *c, bool read, hf_error *err)
{
    struct rec_half *half = read ? &c->in : &c->out;
    if (half->aead || !half->prot)
        return true;
    if (c->est.version < HF_TLS1_3 ? after12_rekey(&c->est, half, read)
                                   : established_rekey(&c->est, half, read, true))
        return true;
    return err_set(err, HF_E_CRYPTO, "the connection cannot be woken up");
}

/* Contexts of CBC stay: what they chain cannot be computed again. */
static void hibernate(struct rec_half *half)
{
    if (!rec_hibernates(half))
        return;
    aead_free(half->aead);
    half->aead = NULL;
}

bool hf_conn_hibernate(hf_conn *c)
{
    if (c->hs || conn_state(c) & HO_FAILED)
        return false;
    hibernate(&c->in);
    hibernate(&c->out);
    return true;
}

static size_t handshake_memory(const struct hs *hs)
{
    const struct nego *n = &hs->n;
    size_t sum = sizeof *hs + hs->flight.size + hs->message.size + hs->hello.size +
                 hs->first_hello.size + hs->transcript.kept.size + hs->tbs_len;
    sum += hs->params.size + hs->dh_p.size + hs->dh_g.size + hs->v2.size + hs->exchange_len +
           hs->psk_identity_len + hs->psk_hint_len + hs->new_ticket_len;
    sum += n->cookie_len + n->peer_share_len + n->answer_share_len + n->alpn_len +
           n->peer_ocsp_len + n->peer_authorities_len;
    for (size_t i = 0; i < n->own_count; i++)
        sum += n->own[i].len;
    if (n->server_name)
        sum += strlen(n->server_name) + 1;
    return sum + (hs->values ? sizeof *hs->values : 0) +
           (hs->stateless ? sizeof *hs->stateless : 0);
}

size_t hf_conn_memory(const hf_conn *c)
{
    size_t n = sizeof *c + c->inbuf.size + c->output.size + c->est.alpn_len;
    const struct extras *x = c->est.extras;
    if (x)
        n += sizeof *x + x->ocsp_len + x->scts_len + x->psk_identity_len;
    if (x && x->later)
        n += later_size(x->later) + (x->later->hs ? handshake_memory(x->later->hs) : 0);
    if (c->est.server_name)
        n += strlen(c->est.server_name) + 1;
    if (c->tracer)
        n += sizeof *c->tracer;
    return n + (c->hs ? handshake_memory(c->hs) : 0);
}

/* scan_talk.c: whole handshakes, by the engine: for what a server shows only to those who finish one. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/dial.h"
#include "cli/scan.h"
#include "cli/settings.h"

enum { IN = 2 * HF_RECORD_MAX };

#define ALL_GROUPS                                                                             \
    "X25519MLKEM768:x25519:secp256r1:secp384r1:secp521r1:x448:SecP256r1MLKEM768:"              \
    "SecP384r1MLKEM1024:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192"

/* One conversation. */
struct talk {
    struct scan *s;
    hf_stream *stream;
    hf_conn *conn;
    double time; /* of the handshake */
    bool asked_who, judged;
    hf_error verdict;
    hf_session *session; /* the newest */
    size_t sessions;
    uint8_t *in;
    size_t len;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- configuration */

static bool take_any_chain(hf_conn *conn, const hf_question *question, void *arg)
{
    struct talk *t = hf_conn_user(conn);
    (void)arg;
    if (t) {
        t->judged = true;
        t->verdict = question->verdict ? *question->verdict : (hf_error){0};
    }
    return hf_answer_verify(conn, true);
}

static bool show_nobody(hf_conn *conn, const hf_question *question, void *arg)
{
    struct talk *t = hf_conn_user(conn);
    (void)question;
    (void)arg;
    if (t)
        t->asked_who = true;
    return hf_answer_credential(conn, NULL);
}

static void keep_session(hf_conn *conn, hf_session *session, void *arg)
{
    struct talk *t = hf_conn_user(conn);
    (void)arg;
    if (!t)
        return;
    hf_session_free(t->session);
    t->session = hf_session_ref(session);
    t->sessions++;
}

/* All that the engine can do, however weak: it is the server's choice that counts. */
static hf_config *config_new(const struct scan *s, uint16_t lowest, uint16_t highest,
                             bool verify)
{
    hf_error err = {0};
    hf_config *c = verify ? settings_client(s->o, &err) : hf_config_new(HF_CLIENT);
    bool good = c && hf_config_insecure_set_security_level(c, 0) &&
                hf_config_set_versions(c, lowest, highest) &&
                hf_config_set_ciphers(c, "ALL:!aNULL:!eNULL") &&
                hf_config_set_groups(c, ALL_GROUPS) &&
                hf_config_insecure_allow_unpatched(c, true) && hf_config_set_sct(c, true) &&
                hf_config_set_session_callback(c, keep_session, NULL) &&
                hf_config_set_ask(c, HF_ASK_CREDENTIAL, show_nobody, NULL);
    if (good && verify)
        good = hf_config_set_ask(c, HF_ASK_VERIFY, take_any_chain, NULL);
    else if (good)
        good = hf_config_insecure_no_verify(c) && hf_config_insecure_no_name_check(c);
    if (good)
        return c;
    hf_config_free(c);
    return NULL;
}

static void best_range(const struct scan *s, uint16_t *lowest, uint16_t *highest)
{
    *lowest = HF_TLS1_0;
    *highest = s->r->offer[SCAN_TLS13].taken ? HF_TLS1_3 : HF_TLS1_2;
}

/* ---------------------------------------------------------------- talking */

static bool flush(struct talk *t, hf_error *err)
{
    size_t len = 0;
    for (const uint8_t *p; (p = hf_conn_output(t->conn, &len)) != NULL && len;) {
        if (hf_write(t->stream, p, len, err) < 0)
            return false;
        hf_conn_output_done(t->conn, len);
    }
    return true;
}

static bool fill(struct talk *t, double deadline, hf_error *err)
{
    double left = deadline - now();
    if (left <= 0 || t->len == IN)
        return settings_fail(err, HF_E_TIMEOUT, 0, "the server says nothing more");
    hf_stream_set_timeout(t->stream, left);
    ptrdiff_t n = hf_read(t->stream, t->in + t->len, IN - t->len, err);
    if (n == 0)
        return settings_fail(err, HF_E_HANDSHAKE_CUT, 0, "the server closed the connection");
    if (n < 0)
        return false;
    t->len += (size_t)n;
    return true;
}

/* One turn: what has come, or more of it. Application data is of no interest. */
static bool turn(struct talk *t, double deadline, hf_error *err)
{
    size_t used = 0, n = 0;
    uint8_t *data = NULL;
    if (!flush(t, err))
        return false;
    hf_result r = hf_conn_receive(t->conn, t->in, t->len, &used, &data, &n);
    memmove(t->in, t->in + used, t->len - used);
    t->len -= used;
    switch (r) {
    case HF_DONE: return true;
    case HF_WANT_INPUT: /* what has come may have been all that is needed */
        return flush(t, err) && (used || fill(t, deadline, err));
    case HF_WANT_OUTPUT: return flush(t, err);
    case HF_CLOSED: return settings_fail(err, HF_E_HANDSHAKE_CUT, 0, "the server has closed");
    case HF_WANT_ANSWER:
    case HF_FAILED: break;
    }
    if (hf_conn_error(t->conn))
        *err = *hf_conn_error(t->conn);
    hf_error ignored = {0};
    (void)flush(t, &ignored);
    return false;
}

static bool handshake(struct talk *t, hf_error *err)
{
    double before = now();
    while (hf_conn_wants(t->conn) & HF_IN_HANDSHAKE || hf_conn_version(t->conn) == 0)
        if (!turn(t, before + t->s->timeout, err))
            return false;
    t->time = now() - before;
    return flush(t, err);
}

/* Tickets come behind the handshake, if they come. */
static void wait_for_tickets(struct talk *t, double seconds)
{
    hf_error ignored = {0};
    double deadline = now() + seconds;
    size_t had = t->sessions;
    while (turn(t, deadline, &ignored)) {
        if (t->sessions == had)
            continue;
        had = t->sessions;
        double soon = now() + 0.02 + t->s->r->connect_time;
        deadline = soon < deadline ? soon : deadline;
    }
}

static void talk_end(struct talk *t)
{
    hf_error ignored = {0};
    if (t->conn) {
        hf_conn_close(t->conn);
        (void)flush(t, &ignored);
    }
    hf_conn_free(t->conn);
    if (t->stream)
        (void)hf_close(t->stream, &ignored);
    free(t->in);
    t->conn = NULL;
    t->stream = NULL;
    t->in = NULL;
}

/* talk_begin makes a handshake; the session stays the caller's. talk_end in every case. */
static bool talk_begin(struct talk *t, struct scan *s, hf_config *config, hf_session *session,
                       hf_error *err)
{
    struct answer door = {0};
    *t = (struct talk){.s = s, .in = malloc(IN)};
    if (!config || !t->in)
        return settings_fail(err, HF_E_NO_MEMORY, 0, "for a connection");
    t->conn = hf_conn_new_client(config, s->name, err);
    if (!t->conn)
        return false;
    hf_conn_set_user(t->conn, t);
    if (session)
        (void)hf_conn_set_session(t->conn, session);
    t->stream = scan_stream(s, &door);
    if (!t->stream)
        return settings_fail(err, HF_E_CONNECT, 0, "%s", door.what);
    return handshake(t, err);
}

/* ---------------------------------------------------------------- what is looked at */

static void keep_chain(struct talk *t)
{
    struct slice der[16];
    size_t count = 0;
    for (const hf_certificate *c; count < 16 && (c = hf_conn_peer_certificate(t->conn, count));
         count++)
        der[count].p = hf_certificate_der(c, &der[count].len);
    if (count)
        scan_keep_chain(t->s, der, count, t->judged ? &t->verdict : NULL);
}

static void note(struct talk *t, struct scan_talk *out)
{
    size_t len;
    out->done = true;
    out->time = t->time;
    out->version = hf_conn_version(t->conn);
    out->suite = hf_conn_suite(t->conn);
    out->group = hf_conn_group(t->conn);
    out->signature = hf_conn_signature(t->conn);
    out->stapled = hf_conn_peer_ocsp(t->conn, &len) != NULL;
    out->timestamps = hf_conn_peer_scts(t->conn, &len) != NULL;
    out->client_auth = t->asked_who ? YES : NO;
}

static enum tri resumes(struct scan *s, hf_config *config, hf_session *session)
{
    struct talk t;
    hf_error ignored = {0};
    bool good = talk_begin(&t, s, config, session, &ignored);
    enum tri result = good ? hf_conn_resumed(t.conn) ? YES : NO : UNKNOWN;
    hf_session_free(t.session);
    talk_end(&t);
    return result;
}

static void look(struct scan *s, uint16_t lowest, uint16_t highest, struct scan_talk *out)
{
    struct talk t;
    hf_config *config = config_new(s, lowest, highest, true);
    if (talk_begin(&t, s, config, NULL, &out->failure)) {
        note(&t, out);
        keep_chain(&t);
        if (out->version >= HF_TLS1_3)
            wait_for_tickets(&t, 0.25 + 3 * s->r->connect_time);
        out->tickets = t.sessions;
    }
    hf_session *session = t.session;
    talk_end(&t);
    if (session && (out->version >= HF_TLS1_3 || hf_session_has_ticket(session))) {
        out->early_data = hf_session_max_early_data(session);
        int64_t left = hf_session_expires(session) - (int64_t)time(NULL);
        out->lifetime = left > 0 ? (uint32_t)left : 0;
        /* A session of a chain that we do not trust is offered only by those who verify nothing. */
        hf_config *lenient = config_new(s, lowest, highest, false);
        out->resumed_ticket = resumes(s, lenient, session);
        hf_config_free(lenient);
    } else if (out->done) {
        out->tickets = 0;
        out->resumed_ticket = NO;
    }
    hf_session_free(session);
    hf_config_free(config);
}

void scan_talk13(struct scan *s)
{
    look(s, HF_TLS1_3, HF_TLS1_3, &s->r->new);
}

void scan_talk_old(struct scan *s)
{
    look(s, HF_TLS1_0, HF_TLS1_2, &s->r->old);
}

/* A server with several certificates shows this one to those who can take no other. */
static void judge(struct scan *s, const struct scan_chain *c)
{
    struct talk t;
    hf_error ignored = {0};
    hf_config *config = config_new(s, HF_TLS1_0, HF_TLS1_2, true);
    bool rsa = strncmp(hf_certificate_key(c->certificate[0]), "RSA", 3) == 0;
    if (config && hf_config_set_ciphers(config, rsa ? "ALL:!aNULL:!eNULL:!aECDSA"
                                                    : "ALL:!aNULL:!eNULL:!aRSA")) {
        if (talk_begin(&t, s, config, NULL, &ignored))
            keep_chain(&t);
        hf_session_free(t.session);
        talk_end(&t);
    }
    hf_config_free(config);
}

void scan_talk_judge(struct scan *s)
{
    for (size_t i = 0; i < s->r->chains; i++)
        if (!s->r->chain[i].judged)
            judge(s, &s->r->chain[i]);
}

void scan_talk_resume_id(struct scan *s)
{
    struct talk t;
    hf_error ignored = {0};
    hf_config *config = config_new(s, HF_TLS1_0, HF_TLS1_2, false);
    if (config && !hf_config_set_tickets(config, 0, 7200)) {
        hf_config_free(config);
        return;
    }
    bool good = talk_begin(&t, s, config, NULL, &ignored);
    hf_session *session = t.session;
    talk_end(&t);
    if (good)
        s->r->old.resumed_id = session ? resumes(s, config, session) : NO;
    hf_session_free(session);
    hf_config_free(config);
}

void scan_talk_renegotiate(struct scan *s)
{
    struct talk t;
    hf_error err = {0};
    hf_config *config = config_new(s, HF_TLS1_0, HF_TLS1_2, false);
    if (config && !hf_config_set_renegotiation(config, 1)) {
        hf_config_free(config);
        return;
    }
    if (talk_begin(&t, s, config, NULL, &err) && hf_conn_secure_renegotiation(t.conn)) {
        hf_session_stats before, after;
        hf_config_session_stats(config, &before);
        bool good = hf_conn_renegotiate(t.conn, &err) == HF_DONE && handshake(&t, &err);
        hf_config_session_stats(config, &after);
        /* A server that says nothing does not do it, either. */
        s->r->old.renegotiation = good && after.connect_good > before.connect_good ? YES : NO;
    }
    hf_session_free(t.session);
    talk_end(&t);
    hf_config_free(config);
}

bool scan_talk_scheme(struct scan *s, uint16_t scheme)
{
    struct talk t;
    hf_error ignored = {0};
    hf_config *config = config_new(s, HF_TLS1_3, HF_TLS1_3, true);
    if (!config || !hf_config_set_signatures(config, hf_signature_name(scheme))) {
        hf_config_free(config);
        return false; /* the engine does not have it */
    }
    bool good =
        talk_begin(&t, s, config, NULL, &ignored) && hf_conn_signature(t.conn) == scheme;
    if (good)
        keep_chain(&t);
    hf_session_free(t.session);
    talk_end(&t);
    hf_config_free(config);
    return good;
}

/* ---------------------------------------------------------------- application protocols */

static const char *const protocols[] = {
    "h2",      "http/1.1",    "http/1.0",    "spdy/3.1",   "acme-tls/1",  "dot",
    "mqtt",    "imap",        "pop3",        "ftp",        "irc",         "nntp",
    "smtp",    "xmpp-client", "xmpp-server", "postgresql", "managesieve", "coap",
    "ntske/1", "radius/1.1",  "stun.turn",   "webrtc",     "h3",
};
enum { PROTOCOLS = sizeof protocols / sizeof *protocols };

/* One handshake with those that are left: which one the server takes, or NULL. */
static const char *take_protocol(struct scan *s, const bool *gone)
{
    struct talk t = {0};
    struct text list = {0};
    hf_error ignored = {0};
    uint16_t lowest, highest;
    best_range(s, &lowest, &highest);
    for (size_t i = 0; i < PROTOCOLS; i++)
        if (!gone[i])
            text_addf(&list, "%s%s", list.len ? "," : "", protocols[i]);
    hf_config *config = config_new(s, lowest, highest, false);
    const char *found = NULL;
    bool good = text_ok(&list) && config && hf_config_set_alpn(config, list.p, false) &&
                talk_begin(&t, s, config, NULL, &ignored);
    if (good) {
        size_t len = 0;
        const uint8_t *name = hf_conn_alpn(t.conn, &len);
        for (size_t i = 0; name && i < PROTOCOLS; i++)
            if (strlen(protocols[i]) == len && memcmp(protocols[i], name, len) == 0)
                found = protocols[i];
    }
    hf_session_free(t.session);
    talk_end(&t);
    hf_config_free(config);
    text_clear(&list);
    return found;
}

void scan_talk_alpn(struct scan *s)
{
    bool gone[PROTOCOLS] = {false};
    struct scan_result *r = s->r;
    const char *found;
    r->alpn = NO;
    while (r->protocol_count < 16 && (found = take_protocol(s, gone)) != NULL) {
        r->alpn = YES;
        snprintf(r->protocols[r->protocol_count++], sizeof r->protocols[0], "%s", found);
        for (size_t i = 0; i < PROTOCOLS; i++)
            gone[i] = gone[i] || protocols[i] == found;
    }
}

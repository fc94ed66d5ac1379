#include "ends.h"
#include "../unit/packer.h"

#include <string.h>

#include "crypto/prf.h"
#include "handfast_context.h"
#include "handfast_names.h"
#include "identity.h"
#include "message/message.h"

/* ---- identities, once per process */

static hf_trust *trust;
static hf_credential *server_credential, *client_credential, *old_credential;

/* Sessions, by what the ends were set up with when they were made. */
static struct {
    unsigned flags;
    struct buffer b;
} exported[128];
static size_t exports;

static const uint8_t psk_name[] = "fuzzer";
const uint8_t ends_psk_key[22] = "sixteen bytes or more";

static void must(bool ok, const char *what, const hf_error *err)
{
    char line[512] = "";
    if (ok)
        return;
    if (err)
        hf_error_line(err, line, sizeof line);
    fprintf(stderr, "ends: %s failed: %s\n", what, line);
    abort();
}

static hf_credential *load(const char *chain, const char *key)
{
    hf_error err = {0};
    hf_credential *c =
        hf_credential_load_memory(chain, strlen(chain), key, strlen(key), NULL, NULL, &err);
    must(c != NULL, "credential", &err);
    return c;
}

static void load_identities(void)
{
    hf_error err = {0};
    if (trust)
        return;
    trust = hf_trust_new();
    must(trust && hf_trust_add_memory(trust, root_pem, strlen(root_pem), &err), "trust", &err);
    must(hf_trust_add_memory(trust, old_root_pem, strlen(old_root_pem), &err), "trust", &err);
    old_credential = load(old_pem, old_key_pem);
    server_credential = load(server_pem, server_key_pem);
    must(hf_credential_set_ocsp(server_credential, server_ocsp, sizeof server_ocsp, &err),
         "staple", &err);
    client_credential = load(client_pem, client_key_pem);
}

/* ---- nothing is random */

static int64_t fixed_clock(void *arg)
{
    (void)arg;
    return ENDS_NOW;
}

/* Two randoms are the same only in connections that are set up alike: otherwise one handshake could be
 * played back in another. (An input that holds messages of another version of this engine may still be
 * such a recording; the seeds are made anew by every build.) */
static bool fixed_random(void *arg, const char *what, uint8_t *out, size_t n)
{
    const struct watch *w = arg;
    /* Ticket keys are the same for all, so that one configuration's tickets open in the next. */
    bool common = !w || strcmp(what, "ticket_key") == 0;
    unsigned flags = common ? 0 : w->ends->flags, server = common ? 0 : w->ends->server_flags;
    size_t side = common ? 0 : 1u + w->server;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)((size_t)what[i % strlen(what)] + side + i + (flags >> i % 24) * 5 +
                           (server >> i % 23) * 3);
    return true;
}

static bool fixed_private_key(void *arg, uint16_t group, uint8_t *out, size_t *len)
{
    const struct watch *w = arg;
    *len = group == 0x1d || group == 0x17 ? 32 : 0;
    memset(out, w && w->server ? 0x53 : 0x35, *len);
    return *len > 0;
}

static bool hooked_block(void *arg, uint8_t message, struct buffer *out)
{
    struct watch *w = arg;
    struct ends *e = w->ends;
    if (!e->hooked || message != e->hooked)
        return false;
    w->lax = true;
    return buffer_append(out, e->block.p, e->block.len);
}

/* ---- watching */

static void finish_message(struct watch *w, bool whole)
{
    if (w->tiled)
        tiling_end(&w->tiling, whole && !(w->sent && w->lax));
    w->tiled = false;
}

static void watch_event(const hf_conn *conn, const hf_trace_event *ev, void *arg)
{
    struct watch *w = arg;
    (void)conn;
    REQUIRE(ev->name != NULL);
    if (ev->kind == HF_TRACE_MESSAGE || ev->kind == HF_TRACE_DECOMPRESSED) {
        /* A ClientHello that begins a renegotiation may be refused unread (RFC 5746 4.5). */
        finish_message(w, !(ev->record_type == REC_ALERT && ev->sent &&
                            ev->number == HF_ALERT_NO_RENEGOTIATION));
        if (ev->kind == HF_TRACE_MESSAGE && ev->sent && ev->record_type == REC_HANDSHAKE)
            REQUIRE(buffer_append(&w->messages, ev->bytes, ev->size));
        if (!(w->ends->flags & SET_TRACE) || ev->record_type != REC_HANDSHAKE)
            return;
        tiling_start(&w->tiling, ev->size);
        w->tiled = true;
        w->sent = ev->sent;
    } else if (ev->kind == HF_TRACE_FIELD && w->tiled && ev->record_type == REC_HANDSHAKE) {
        tiling_leaf(&w->tiling, ev->offset, ev->size);
    } else if (ev->kind == HF_TRACE_ERROR) {
        finish_message(w, false);
    }
}

static void keep_session(hf_conn *conn, hf_session *session, void *arg)
{
    struct ends *e = arg;
    (void)conn;
    hf_session_free(e->session);
    e->session = hf_session_ref(session);
}

/* ---- questions */

static bool answer_later(hf_conn *conn, const hf_question *question, void *arg)
{
    (void)conn;
    (void)arg;
    REQUIRE(question && question->ask != HF_ASK_NONE);
    return false;
}

static void answer_signature(hf_conn *conn, const hf_question *q)
{
    uint8_t signature[SIG_MAX_SIZE];
    size_t len = 0;
    const struct sigalg *alg = sigalg_find(q->scheme);
    enum sig_id sig =
        alg ? alg->sig : SIG_PKCS1_MD5_SHA1; /* TLS 1.1 and 1.0: it has no number */
    REQUIRE(q->credential && q->to_be_signed_len > 64);
    REQUIRE(private_key_sign(q->credential->key, sig,
                             slice_of(q->to_be_signed, q->to_be_signed_len), signature, &len));
    REQUIRE(hf_answer_signature(conn, signature, len));
}

static hf_credential *credential_for(const hf_conn *conn)
{
    const struct hs *hs = conn_asking(conn);
    if (hs && hs->n.version && hs->n.version < HF_TLS1_2)
        return old_credential;
    return conn->est.server ? server_credential : client_credential;
}

/* In TLS 1.3 a server is asked about each identity; there are others than this one. */
static void answer_psk(hf_conn *conn, const hf_question *q)
{
    bool known = !conn->est.server || conn_is_old(conn) ||
                 slice_equal(slice_of(q->identity, q->identity_len),
                             slice_of(psk_name, sizeof psk_name));
    REQUIRE(hf_answer_psk(conn, psk_name, sizeof psk_name, known ? ends_psk_key : NULL,
                          known ? sizeof ends_psk_key : 0));
}

static void answer(hf_conn *conn)
{
    const hf_question *q = hf_conn_question(conn);
    REQUIRE(q != NULL);
    /* What it does not ask for it does not take. */
    REQUIRE(q->ask == HF_ASK_VERIFY || !hf_answer_verify(conn, true));
    if (q->ask == HF_ASK_CREDENTIAL)
        REQUIRE(hf_answer_credential(conn, credential_for(conn)));
    else if (q->ask == HF_ASK_SIGNATURE)
        answer_signature(conn, q);
    else if (q->ask == HF_ASK_VERIFY)
        REQUIRE(hf_answer_verify(conn, q->verdict == NULL));
    else if (q->ask == HF_ASK_PSK)
        answer_psk(conn, q);
    else
        REQUIRE(hf_answer_hello(conn, NULL));
}

/* ---- configurations */

/* Without finite-field groups, whose keys cannot be fixed. */
static const char *old_suites(unsigned flags)
{
    static const char *const suites[] = {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:TLS_ECDHE_RSA_WITH_NULL_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256:TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384",
        "TLS_PSK_WITH_AES_128_CCM_8:TLS_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384:TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_AES_128_GCM_SHA256:TLS_PSK_WITH_NULL_SHA",
    };
    unsigned which = (flags & SET_SHA384 ? 1u : 0) | (flags & SET_CHACHA ? 2u : 0) |
                     (flags & SET_PADDING ? 4u : 0);
    return suites[which];
}

static void set_old(hf_config *c, unsigned flags)
{
    char suites[300];
    snprintf(suites, sizeof suites, "%s%s", old_suites(flags),
             flags & SET_NEW ? ":TLS_AES_128_GCM_SHA256" : "");
    hf_config_insecure_set_security_level(c, 0);
    /* without a gap between 1.1 and 1.3 */
    hf_config_set_versions(c, flags & SET_OLDER ? HF_TLS1_0 : HF_TLS1_2,
                           flags & SET_NEW   ? HF_TLS1_3
                           : flags & SET_OLD ? HF_TLS1_2
                                             : HF_TLS1_1);
    hf_config_set_suites(c, suites);
    hf_config_set_signatures(c, "ed25519:rsa_pkcs1_sha256"); /* which are not random */
    hf_config_set_encrypt_then_mac(c, !(flags & OLD_NO_ETM));
    hf_config_set_renegotiation(c, flags & OLD_RENEGOTIATE ? 3 : 0);
    if (!(flags & SET_NEW)) /* TLS 1.3 would take it with every suite */
        hf_config_add_psk(c, psk_name, sizeof psk_name, ends_psk_key, sizeof ends_psk_key);
    if (flags & OLD_RENEGOTIATE)
        hf_config_set_psk_hint(c, "hint");
}

/* The server's keys are shown raw, and pinned, which holds for the certificates with them too; clients show
 * theirs. Who does not take raw keys gets certificates. */
static void set_raw(hf_config *c, bool server, unsigned flags)
{
    const hf_credential *own[2] = {server ? server_credential : client_credential,
                                   old_credential};
    const hf_credential *theirs[2] = {server ? client_credential : server_credential,
                                      old_credential};
    if (!setup_raw(flags))
        return;
    for (int i = 0; i < (setup_old(flags) ? 2 : 1); i++) {
        hf_credential *raw = hf_credential_raw_key(own[i], NULL);
        must(raw != NULL, "raw key", NULL);
        if (server || flags & SET_CLIENT_AUTH)
            hf_config_add_credential(c, raw);
        hf_config_add_pin_key(c, hf_credential_key_sha256(theirs[i]));
        hf_credential_free(raw);
    }
    hf_config_set_certificate_types(c, "RawPublicKey,X509");
    hf_config_set_peer_certificate_types(c, "RawPublicKey,X509");
}

/* What came with TLS 1.3's second half. */
static void set_more(hf_config *c, unsigned flags)
{
    static const uint8_t imported_name[] = "imported", context[] = "context";
    if (flags & SET_HYBRID)
        hf_config_set_groups(c, "X25519MLKEM768:x25519:P-256");
    if (flags & SET_EXTERNAL && flags & SET_ASK) {
        hf_config_ask_psk_in_tls13(c, true);
        hf_config_set_ask(c, HF_ASK_PSK, answer_later, NULL);
    } else if (flags & SET_EXTERNAL)
        hf_config_add_psk(c, psk_name, sizeof psk_name, ends_psk_key, sizeof ends_psk_key);
    if (flags & SET_IMPORTED)
        hf_config_import_psk(c, imported_name, sizeof imported_name, context, sizeof context,
                             ends_psk_key, sizeof ends_psk_key);
}

/* Time stands still here, so that the server's own record would never be old enough. */
static bool always_first(const uint8_t *id, size_t len, int64_t until, void *arg)
{
    (void)id, (void)len, (void)until, (void)arg;
    return true;
}

static void set_common(hf_config *c, unsigned flags)
{
    hf_config_set_clock(c, fixed_clock, NULL);
    hf_config_set_suites(c, flags & SET_SHA384 ? "TLS_AES_256_GCM_SHA384"
                            : flags & SET_CHACHA
                                ? "TLS_CHACHA20_POLY1305_SHA256"
                                : "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    if (setup_old(flags))
        set_old(c, flags);
    hf_config_set_groups(c, flags & SET_P256 ? "P-256" : "x25519:P-256");
    if (flags & SET_ALPN)
        hf_config_set_alpn(c, "h2,http/1.1", false);
    if (flags & SET_LIMIT)
        hf_config_set_record_size_limit(c, 600);
    hf_config_set_middlebox_compat(c, !(flags & SET_NO_COMPAT));
    hf_config_send_authorities(c, (flags & SET_AUTHORITIES) != 0);
    hf_config_set_psk_modes(c, flags & SET_PSK_ALONE ? HF_PSK_KE : HF_PSK_DHE_KE | HF_PSK_KE);
    if (flags & SET_PADDING)
        hf_config_set_record_padding(c, 128);
    if (flags & SET_PADDING && !setup_old(flags)) /* compressed certificates, too (RFC 8879) */
        must(packer_add(c), "packer", NULL);
    if (flags & SET_OWN_ALPN)
        hf_config_set_alpn(c, "own", true);
    if (flags & SET_SMALL)
        hf_config_set_memory_cap(c, 16384);
    if (flags & SET_UPDATES)
        hf_config_set_key_update_after(c, 2);
    if (!setup_old(flags))
        set_more(c, flags);
    int last = setup_old(flags) && !(flags & SET_NEW) ? HF_ASK_PSK : HF_ASK_HELLO;
    for (int ask = HF_ASK_CREDENTIAL; flags & SET_ASK && ask <= last; ask++)
        hf_config_set_ask(c, (hf_ask)ask, answer_later, NULL);
}

static hf_config *client_config(unsigned flags)
{
    hf_config *c = hf_config_new(HF_CLIENT);
    must(c != NULL, "configuration", NULL);
    set_common(c, flags);
    hf_config_set_trust(c, trust);
    if (flags & SET_CLIENT_AUTH)
        hf_config_add_credential(c, client_credential);
    if (flags & SET_CLIENT_AUTH && setup_old(flags))
        hf_config_add_credential(c, old_credential);
    set_raw(c, false, flags);
    hf_config_set_post_handshake_auth(c, setup_later(flags));
    if (flags & SET_NO_SHARE)
        hf_config_set_key_shares(c, "");
    hf_config_set_grease(c, (flags & SET_GREASE) != 0);
    hf_config_set_early_data(c, (flags & SET_EARLY) != 0);
    if (flags & SET_WANT_TICKETS)
        hf_config_set_ticket_request(c, 3, 2);
    hf_config_set_ocsp(c, flags & SET_OCSP ? HF_OCSP_REQUIRE : HF_OCSP_REQUEST);
    if (setup_old(flags)) {
        hf_config_set_false_start(c, (flags & OLD_FALSE_START) != 0);
        hf_config_set_max_fragment(c, flags & OLD_FRAGMENT ? 512 : 0);
    }
    return c;
}

static hf_config *server_config(unsigned flags)
{
    hf_config *c = hf_config_new(HF_SERVER);
    must(c != NULL, "configuration", NULL);
    set_common(c, flags);
    hf_config_add_credential(c, server_credential);
    if (setup_old(flags))
        hf_config_add_credential(c, old_credential);
    hf_config_set_trust(c, trust);
    hf_config_set_post_handshake_auth(c, setup_later(flags));
    if (flags & (setup_later(flags) ? SET_REQUIRE : SET_CLIENT_AUTH | SET_REQUIRE))
        hf_config_set_client_auth(c, flags & SET_REQUIRE ? HF_CLIENT_AUTH_REQUIRE
                                                         : HF_CLIENT_AUTH_REQUEST);
    set_raw(c, true, flags);
    hf_config_set_cookie(c, (flags & SET_COOKIE) != 0);
    if (flags & SET_EARLY) {
        hf_config_set_max_early_data(c, 1000);
        hf_config_set_first_use(c, always_first, NULL);
    }
    hf_config_set_tickets(c, flags & SET_NO_TICKETS ? 0 : 1, 7200);
    if (flags & SET_WANT_TICKETS) /* tickets that are numbers */
        hf_config_set_options(c, hf_config_options(c) | HF_OP_NO_TICKET);
    return c;
}

hf_config *ends_config(bool server)
{
    static hf_config *config[2];
    static const struct test_hooks hooks = {.random = fixed_random};
    const unsigned all = SET_CLIENT_AUTH | SET_ALPN | SET_LIMIT | SET_COOKIE | SET_AUTHORITIES;
    hf_error err = {0};
    load_identities();
    if (!config[server]) {
        config[server] = server ? server_config(all) : client_config(all);
        config[server]->test = &hooks;
        must(hf_config_freeze(config[server], &err), "freeze", &err);
    }
    return config[server];
}

static void hook(hf_config *c, struct watch *w, struct test_hooks *hooks)
{
    *hooks = (struct test_hooks){
        .arg = w,
        .random = fixed_random,
        .private_key = fixed_private_key,
        .extensions = hooked_block,
    };
    c->test = hooks;
    if (w->ends->flags & SET_TRACE || w->ends->recorded >> w->server & 1)
        hf_config_set_trace(c, watch_event, w);
}

/* ---- connections */

/* A session of these settings, made by a handshake of its own when it is first wanted. */
static struct buffer *exported_session(unsigned flags)
{
    struct ends first;
    struct buffer to_server = {0}, to_client = {0};
    for (size_t i = 0; i < exports; i++) {
        if (exported[i].flags == flags)
            return &exported[i].b;
    }
    must(exports < sizeof exported / sizeof *exported, "room for a session", NULL);
    struct buffer *b = &exported[exports].b;
    exported[exports++].flags = flags;
    memset(&first, 0, sizeof first);
    ends_open(&first, flags, flags);
    while (end_move(first.client, &to_server) || end_move(first.server, &to_client)) {
        (void)end_feed(first.server, &to_server, 0, NULL);
        (void)end_move(first.server, &to_client);
        (void)end_feed(first.client, &to_client, 0, NULL);
    }
    must(first.session != NULL, "making a session", hf_conn_error(first.client));
    size_t n = hf_session_export(first.session, NULL, 0);
    uint8_t *p = buffer_reserve(b, n);
    must(p && hf_session_export(first.session, p, n) == n, "export", NULL);
    b->end += n;
    buffer_clear(&to_server);
    buffer_clear(&to_client);
    ends_close(&first);
    return b;
}

static void offer_session(struct ends *e)
{
    unsigned that_count = SET_SHA384 | SET_EARLY;
    if (setup_old(e->flags))
        that_count = OLD_SUITE | SET_OLD | SET_OLDER | SET_NEW;
    struct buffer *b = exported_session(e->flags & that_count);
    hf_session *s = hf_session_import(buffer_front(b), buffer_len(b), NULL);
    must(s != NULL, "import", NULL);
    (void)hf_conn_set_session(e->client, s);
    hf_session_free(s);
}

void ends_open(struct ends *e, unsigned flags, unsigned server_flags)
{
    hf_error err = {0};
    uint8_t hooked = e->hooked, recorded = e->recorded;
    struct slice block = e->block;
    load_identities();
    memset(e, 0, sizeof *e);
    e->hooked = hooked;
    e->recorded = recorded;
    e->block = block;
    e->flags = flags;
    e->server_flags = server_flags;
    e->client_watch.ends = e->server_watch.ends = e;
    e->server_watch.server = true;
    e->client_config = client_config(flags);
    e->server_config = server_config(server_flags);
    hook(e->client_config, &e->client_watch, &e->client_hooks);
    hook(e->server_config, &e->server_watch, &e->server_hooks);
    hf_config_set_session_callback(e->client_config, keep_session, e);
    /* A certificate cannot be demanded with suites that know none. */
    if (!hf_config_freeze(e->server_config, &err))
        hf_config_set_client_auth(e->server_config, HF_CLIENT_AUTH_REQUEST);
    e->client = hf_conn_new_client(e->client_config, "server.example", &err);
    must(e->client != NULL, "client", &err);
    e->server = hf_conn_new_server(e->server_config, &err);
    must(e->server != NULL, "server", &err);
    if (flags & SET_RESUME)
        offer_session(e);
}

void ends_close(struct ends *e)
{
    finish_message(&e->client_watch, !end_failed(e->client));
    finish_message(&e->server_watch, !end_failed(e->server));
    hf_conn_free(e->client);
    hf_conn_free(e->server);
    hf_config_free(e->client_config);
    hf_config_free(e->server_config);
    hf_session_free(e->session);
    buffer_clear(&e->client_watch.messages);
    buffer_clear(&e->server_watch.messages);
    memset(e, 0, sizeof *e);
}

unsigned long end_starved;

unsigned feed_flags(struct feed *f)
{
    unsigned high = feed_u8(f), flags = high << 16 | feed_u16(f);
    const unsigned both = SET_ALPN | SET_OWN_ALPN;
    if ((flags & both) == both && !setup_old(flags))
        flags = (flags & ~both) | (unsigned)feed_u8(f) << 24;
    return flags;
}

bool end_failed(const hf_conn *conn)
{
    return (hf_conn_wants(conn) & HF_IS_FAILED) != 0;
}

bool end_done(const hf_conn *conn)
{
    return !(hf_conn_wants(conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

/* A server that may ask later does so, once. */
static void ask_later(hf_conn *conn)
{
    hf_error err;
    bool may = conn->est.server && end_done(conn) &&
               hf_conn_post_auth(conn) == HF_POST_AUTH_POSSIBLE &&
               !(hf_conn_wants(conn) & (HF_IS_CLOSED_IN | HF_IS_CLOSED_OUT));
    if (may)
        REQUIRE(hf_conn_request_certificate(conn, HF_CLIENT_AUTH_REQUEST, &err) == HF_DONE);
}

hf_result end_feed(hf_conn *conn, struct buffer *in, size_t chunk, struct buffer *data)
{
    size_t offered = 0;
    for (;;) {
        size_t have = buffer_len(in), used = 0, len = 0;
        uint8_t *plain = NULL;
        if (!chunk || have - offered <= chunk)
            offered = have;
        else
            offered += chunk;
        /* A copy whose end is the end of what was offered, for the sanitizers. */
        uint8_t *copy = malloc(offered + 1);
        REQUIRE(copy != NULL);
        if (offered)
            memcpy(copy + 1, buffer_front(in), offered);
        mem_test_fail_after(end_starved);
        hf_result r = hf_conn_receive(conn, copy + 1, offered, &used, &plain, &len);
        mem_test_fail_after(0);
        REQUIRE(used <= offered && len <= used);
        REQUIRE(len == 0 ||
                (r == HF_DONE && plain >= copy + 1 && plain + len <= copy + 1 + used));
        REQUIRE((r == HF_FAILED) == end_failed(conn));
        REQUIRE(r != HF_FAILED || hf_conn_error(conn));
        /* What a peer can make us hold while we do not know him is bounded; our own answer, which is about to be
         * sent, comes on top (a hybrid's share with the smallest cap). */
        if (!end_failed(conn) && conn->hs)
            REQUIRE(hf_conn_memory(conn) - conn->output.size <= conn->config->memory_cap);
        if (len && data)
            REQUIRE(buffer_append(data, plain, len));
        free(copy);
        if (used)
            buffer_drop(in, used);
        offered -= used;
        ask_later(conn);
        if (r == HF_WANT_ANSWER) {
            answer(conn);
            continue;
        }
        if (r == HF_WANT_INPUT && offered < buffer_len(in))
            continue;
        if (r == HF_WANT_INPUT &&
            hf_conn_question(conn)) { /* a client's, after the handshake */
            answer(conn);
            continue;
        }
        if (r != HF_DONE || (buffer_len(in) == 0 && len == 0))
            return r;
    }
}

bool end_move(hf_conn *from, struct buffer *to)
{
    size_t len;
    const uint8_t *p = hf_conn_output(from, &len);
    const hf_question *q = len ? NULL : hf_conn_question(from);
    if (q && q->ask == HF_ASK_PSK && !from->est.server) { /* before its first message */
        answer(from);
        p = hf_conn_output(from, &len);
    }
    if (!len)
        return false;
    REQUIRE(buffer_append(to, p, len));
    hf_conn_output_done(from, len);
    return true;
}

void end_poke(hf_conn *conn)
{
    size_t len;
    uint8_t out[40];
    hf_error err = {0};
    const hf_error *failed = hf_conn_error(conn);
    bool done = end_done(conn);
    (void)hf_conn_wants(conn);
    (void)hf_conn_memory(conn);
    (void)hf_conn_version(conn);
    (void)hf_conn_suite(conn);
    (void)hf_conn_group(conn);
    (void)hf_conn_signature(conn);
    (void)hf_conn_resumed(conn);
    (void)hf_conn_retried(conn);
    (void)hf_conn_alpn(conn, &len);
    (void)hf_conn_peer_ocsp(conn, &len);
    (void)hf_conn_peer_key_sha256(conn);
    (void)hf_conn_server_name(conn);
    (void)hf_conn_question(conn);
    REQUIRE(!hf_conn_verified(conn) || hf_conn_peer_key_sha256(conn) || !done);
    REQUIRE(hf_conn_export(conn, "fuzz", NULL, 0, out, sizeof out, &err) || !done);
    if (failed) {
        REQUIRE(failed->code != HF_OK && failed->code < HF_E_COUNT);
        explain_all(conn, failed);
    }
}

/* ---- records for a connection, by somebody who has its keys */

static bool key_of(const hf_conn *to, uint8_t key[AEAD_MAX_KEY])
{
    const struct hs *hs = to->hs;
    const struct suite *suite = hs ? hs->n.suite : to->est.suite;
    const uint8_t *secrets[] = {to->est.read_secret,
                                hs ? to->est.server ? hs->client_hs : hs->server_hs : NULL,
                                hs && to->est.server ? hs->early : NULL};
    for (size_t i = 0; suite && i < 3; i++) {
        uint8_t iv[AEAD_NONCE_SIZE];
        if (!secrets[i])
            continue;
        expand_label(suite->hash, secrets[i], "iv", (struct slice){0}, iv, sizeof iv);
        expand_label(suite->hash, secrets[i], "key", (struct slice){0}, key,
                     aead_key_size(suite->aead));
        if (memcmp(iv, to->in.iv, sizeof iv) == 0)
            return true;
    }
    return false;
}

bool end_is_old(const hf_conn *conn)
{
    return conn_is_old(conn);
}

static uint8_t
    chain_of_old[16]; /* the last block that was sealed, which TLS 1.0 goes on with */

/* A half that seals as the peer of `to` would: with the keys of the handshake that is under way, once its
 * change_cipher_spec has come; else those of the one before. */
static bool half_of_old(const hf_conn *to, struct rec_half *half)
{
    const struct hs *hs = to->hs;
    const struct established *e = &to->est;
    bool fresh = hs && hs->ccs_seen && hs->keys_made;
    const struct suite *s = fresh ? hs->n.suite : e->suite;
    uint16_t version = fresh ? hs->n.version : e->version;
    uint8_t block[2 * (48 + 32 + 16)];
    bool chained = version < HF_TLS1_1 && s->cbc != CBC_NULL;
    size_t mac = s->aead ? 0 : hash_size(s->mac);
    size_t key = s->aead ? aead_key_size(s->aead) : cbc_key_size(s->cbc);
    size_t iv = s->aead ? s->aead == AEAD_CHACHA20_POLY1305 ? 12 : 4 : chained ? 16 : 0;
    if (fresh)
        memcpy(block, hs->key_block, sizeof block);
    else
        prf(suite_hash(s, version), slice_of(e->master, 48), "key expansion",
            slice_of(e->randoms + 32, 32), slice_of(e->randoms, 32), block,
            2 * (mac + key + iv));
    bool client = to->est.server; /* whose keys the records have */
    const uint8_t *macs = block + (client ? 0 : mac);
    const uint8_t *keys = block + 2 * mac + (client ? 0 : key);
    const uint8_t *ivs = block + 2 * mac + 2 * key + (client ? 0 : iv);
    struct rec_cbc_keys cbc = {.version = version,
                               .cipher = s->cbc,
                               .mac = s->mac,
                               .etm = to->in.etm,
                               .mac_key = macs,
                               .key = keys,
                               .iv = chained && to->in.seq ? chain_of_old : ivs};
    bool ok =
        s->aead ? rec_set_tls12(half, s->aead, keys, ivs, true) : rec_set_cbc(half, &cbc, true);
    half->version = version;
    half->seq = to->in.seq;
    return ok;
}

static void seal_old(const hf_conn *to, uint8_t type, struct slice content, struct buffer *out)
{
    struct rec_half half = {0};
    if (content.len > REC_MAX_PLAIN)
        return;
    if (to->in.prot && !end_failed(to))
        REQUIRE(half_of_old(to, &half));
    uint16_t version = to->in.version ? to->in.version : HF_TLS1_2;
    uint8_t *p = buffer_reserve(out, rec_sealed_size(&half, type, content.len));
    size_t size = p ? rec_seal(&half, type, version, content.p, content.len, p) : 0;
    REQUIRE(size > 0);
    if (half.prot && size >= REC_HEADER + sizeof chain_of_old)
        memcpy(chain_of_old, p + size - sizeof chain_of_old, sizeof chain_of_old);
    out->end += size;
    rec_clear(&half);
}

void end_seal(const hf_conn *to, uint8_t type, struct slice content, size_t pad,
              struct buffer *out)
{
    if (end_is_old(to)) {
        seal_old(to, type, content, out);
        return;
    }
    /* A dead connection has forgotten its keys, and is told whatever. */
    bool hidden = to->in.prot != NULL && !end_failed(to);
    size_t inner = content.len + (hidden ? 1 + pad : 0), size = inner + (hidden ? 16 : 0);
    if (size > 65535)
        return;
    uint8_t *p = buffer_reserve(out, REC_HEADER + size), key[AEAD_MAX_KEY],
            nonce[AEAD_NONCE_SIZE];
    REQUIRE(p != NULL);
    p[0] = hidden ? REC_DATA : type;
    put_u16(p + 1, 0x0303);
    put_u16(p + 3, (uint16_t)size);
    memset(p + REC_HEADER, 0, inner);
    if (content.len)
        memcpy(p + REC_HEADER, content.p, content.len);
    if (hidden) {
        p[REC_HEADER + content.len] = type;
        REQUIRE(key_of(to, key));
        struct aead *a = aead_new(to->in.id, key, true);
        memcpy(nonce, to->in.iv, sizeof nonce);
        for (int i = 0; i < 8; i++)
            nonce[4 + i] ^= (uint8_t)(to->in.seq >> (56 - 8 * i));
        REQUIRE(a && aead_seal(a, nonce, p, REC_HEADER, p + REC_HEADER, inner, NULL, 0,
                               p + REC_HEADER));
        aead_free(a);
    }
    out->end += REC_HEADER + size;
}

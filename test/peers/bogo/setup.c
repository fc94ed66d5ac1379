/* setup.c: from the runner's flags to a configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connection/conn.h" /* for -expect-client-ca-list */
#include "setup.h"
#include "tickets.h"
#include "x509/x509.h"

static int64_t clock_offset;

void setup_advance(int seconds)
{
    clock_offset += seconds;
}

static int64_t now(void *arg)
{
    static int64_t start; /* it stands still, so that ages are what the runner expects */
    (void)arg;
    if (!start)
        start = time(NULL);
    return start + clock_offset;
}

/* ---- answers */

static bool same_signatures(const struct int_list *want, const hf_question *q)
{
    if (want->count != q->signature_count)
        return false;
    for (size_t i = 0; i < want->count; i++) {
        if (want->v[i] != q->signatures[i])
            return false;
    }
    return true;
}

/* The runner takes a client that does not verify for one that accepts whatever comes. */
static void judge(struct run *run, hf_conn *conn)
{
    bool refused = !run->o->server && hf_conn_early_data(conn) == HF_EARLY_REFUSED;
    const struct options *o = refused ? run->retry : run->o;
    bool raw = hf_conn_peer_certificate_type(conn) == HF_CERTIFICATE_RAW_KEY;
    bool must = o->server || o->verify_peer || o->require_any_client_certificate || raw;
    if (o->expect_raw_key.p &&
        (!raw || o->expect_raw_key.len != 32 ||
         memcmp(o->expect_raw_key.p, hf_conn_peer_key_sha256(conn), 32) != 0)) {
        fprintf(stderr, "the peer's raw public key is not the expected one\n");
        run->wrong = true;
    }
    if (run->verified && !hf_conn_version(conn)) { /* not in a renegotiation */
        fprintf(stderr, "the chain was judged twice\n");
        run->wrong = true;
    }
    run->verified = true;
    run->accepted = !o->verify_fail;
    /* BoringSSL's older callback makes handshake_failure of a refusal. */
    if (!run->accepted && must && !o->custom_verify) {
        run->refusal = "CERTIFICATE_VERIFY_FAILED";
        hf_answer_refuse(conn, 40);
        return;
    }
    hf_answer_verify(conn, run->accepted || !must);
}

/* struct { ... } ClientHello: what stands before its extensions is stepped over. */
static const uint8_t *find_extension(const hf_question *q, unsigned id, size_t *len)
{
    const uint8_t *p = q->hello + 4 + 2 + 32, *end = q->hello + q->hello_len;
    p += 1 + *p;
    p += 2 + (p[0] << 8 | p[1]);
    p += 1 + *p;
    p += 2;
    while (end - p >= 4) {
        unsigned type = (unsigned)(p[0] << 8 | p[1]);
        *len = (size_t)(p[2] << 8 | p[3]);
        if (type == id)
            return p + 4;
        p += 4 + *len;
    }
    return NULL;
}

static void look_at_hello(struct run *run, hf_conn *conn, const hf_question *q)
{
    const char *want = run->o->expect_advertised_alpn;
    size_t len;
    const uint8_t *alpn = find_extension(q, 16, &len);
    if (want && (!alpn || len != 2 + strlen(want) || memcmp(alpn + 2, want, len - 2) != 0)) {
        fprintf(stderr, "the client's protocols are not the expected ones\n");
        run->wrong = true;
    }
    if (run->o->fail_early_callback) {
        run->refusal = "CONNECTION_REJECTED";
        hf_answer_refuse(conn, 40);
        return;
    }
    hf_answer_hello(conn, run->late_config);
}

/* DER names in hexadecimal, with commas between them; what came has two bytes of length before each. */
static bool same_names(const char *want, const uint8_t *p, size_t len)
{
    char text[2048] = "";
    size_t at = 0;
    while (len >= 2) {
        size_t n = (size_t)(p[0] << 8 | p[1]);
        p += 2;
        len -= 2;
        if (at && at + 1 < sizeof text)
            text[at++] = ',';
        for (; n && len && at + 2 < sizeof text; n--, len--)
            at += (size_t)sprintf(text + at, "%02x", *p++);
    }
    text[at] = 0;
    return strcmp(strcmp(want, "<EMPTY>") == 0 ? "" : want, text) == 0;
}

static void choose(struct run *run, hf_conn *conn, const hf_question *q)
{
    const struct nego *n = &conn->hs->n;
    if (run->o->expect_ca_list &&
        !same_names(run->o->expect_ca_list, n->peer_authorities, n->peer_authorities_len)) {
        fprintf(stderr, "the authorities' names are not the expected ones\n");
        run->wrong = true;
    }
    if (run->o->peer_verify_prefs.set && !same_signatures(&run->o->peer_verify_prefs, q)) {
        fprintf(stderr, "the peer's signature algorithms are not the expected ones\n");
        run->wrong = true;
    }
    if (run->o->fail_cert_callback) {
        run->refusal = "CERT_CB_ERROR";
        hf_answer_refuse(conn, 80);
        return;
    }
    hf_answer_credential(conn, run->cred);
}

/* The identity doubles as the hint; a test that has none expects no hint. */
static void find_psk(struct run *run, hf_conn *conn, const hf_question *q)
{
    const char *key = run->o->psk ? run->o->psk : "";
    const char *want = run->o->psk_identity ? run->o->psk_identity : "";
    bool same = q->identity_len == strlen(want) &&
                (!q->identity_len || memcmp(q->identity, want, q->identity_len) == 0);
    if (!same && !run->o->server) {
        fprintf(stderr, "the server's hint is not the expected one\n");
        run->wrong = true;
    }
    hf_answer_psk(conn, (const uint8_t *)want, strlen(want), (const uint8_t *)key,
                  same ? strlen(key) : 0);
}

static hf_alpn_choice select_nothing(hf_conn *conn, const uint8_t *list, size_t len,
                                     const uint8_t **name, size_t *name_len, void *arg)
{
    (void)conn;
    (void)list;
    (void)len;
    (void)arg;
    *name = (const uint8_t *)"";
    *name_len = 0;
    return HF_ALPN_CHOSEN;
}

static const uint8_t *ticket_key(const struct options *o)
{
    static const uint8_t some[SHIM_TICKET_KEY] =
        "of the application, 16 bytes for each of three";
    return o->ticket_key.len == SHIM_TICKET_KEY ? o->ticket_key.p : some;
}

static size_t seal_ticket(hf_conn *conn, const hf_session *session, uint8_t *out, size_t size,
                          void *arg)
{
    const struct run *run = arg;
    (void)conn;
    return run->o->skip_ticket ? 0 : tickets_seal(ticket_key(run->o), session, out, size);
}

static void unseal_ticket(struct run *run, hf_conn *conn, const hf_question *q)
{
    hf_session *s = tickets_open(ticket_key(run->o), q->ticket, q->ticket_len);
    if (++run->tickets_opened > 1) {
        fprintf(stderr, "the ticket was opened twice\n");
        run->wrong = true;
    }
    hf_answer_ticket(conn, s, run->o->renew_ticket);
    hf_session_free(s);
}

void setup_answer(struct run *run, hf_conn *conn, const hf_question *q)
{
    switch (q->ask) {
    case HF_ASK_TICKET: unseal_ticket(run, conn, q); return;
    case HF_ASK_CREDENTIAL: choose(run, conn, q); return;
    case HF_ASK_VERIFY: judge(run, conn); return;
    case HF_ASK_HELLO: look_at_hello(run, conn, q); return;
    case HF_ASK_PSK: find_psk(run, conn, q); return;
    case HF_ASK_EARLY_DATA:
    case HF_ASK_SIGNATURE:
    case HF_ASK_COUNT:
    case HF_ASK_NONE: break;
    }
    fprintf(stderr, "an unexpected question\n");
    run->wrong = true;
}

static bool ask(hf_conn *conn, const hf_question *q, void *arg)
{
    struct run *run = arg;
    if (run->o->async)
        return false;
    setup_answer(run, conn, q);
    return true;
}

static void keep_session(hf_conn *conn, hf_session *session, void *arg)
{
    struct run *run = arg;
    (void)conn;
    hf_session_free(run->session);
    run->session = hf_session_ref(session);
    run->new_session = true;
}

static void note_message(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    struct run *run = arg;
    size_t at = strlen(run->messages), room = sizeof run->messages - at;
    const char *way = e->sent ? "write" : "read";
    (void)conn;
    run->record_seen |= e->kind == HF_TRACE_RECORD;
    if (e->kind != HF_TRACE_MESSAGE || !e->size)
        return;
    if (!run->record_seen) /* SSL 2.0's ClientHello stands in no record of TLS */
        snprintf(run->messages + at, room, "%s v2clienthello\n", way);
    else if (e->record_type == 20)
        snprintf(run->messages + at, room, "%s ccs\n", way);
    else if (e->record_type == 21 && e->size == 2)
        snprintf(run->messages + at, room, "%s alert %d %d\n", way, e->bytes[0], e->bytes[1]);
    else
        snprintf(run->messages + at, room, "%s hs %d\n", way, e->bytes[0]);
}

/* The server's cache of sessions by ID tells the shim through the interface for stores. */
static void stored(hf_conn *conn, hf_session *session, void *arg)
{
    (void)session;
    (void)arg;
    struct run *run = hf_conn_user(conn);
    run->new_session = true;
}

/* ---- settings */

/* Each -no- flag takes one version out; the lowest range without a hole counts. */
static int set_versions(hf_config *config, const struct options *o)
{
    int lowest = o->min_version ? o->min_version : HF_TLS1_0;
    int highest = o->max_version ? o->max_version : HF_TLS1_3;
    const bool without[] = {o->no_tls10, o->no_tls11, o->no_tls12, o->no_tls13, true};
    while (lowest <= HF_TLS1_3 && without[lowest - HF_TLS1_0])
        lowest++;
    int last = lowest;
    while (last < highest && !without[last + 1 - HF_TLS1_0])
        last++;
    if (lowest > HF_TLS1_3 || lowest > highest) {
        fprintf(stderr, "error:NO_SUPPORTED_VERSIONS_ENABLED:\n");
        return 1;
    }
    return hf_config_set_versions(config, (uint16_t)lowest, (uint16_t)last) ? 0 : 1;
}

#define SUITES13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"

/* What BoringSSL has on by default, in its order. */
static const char all_suites[] = SUITES13
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:"
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:"
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:"
    "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256:TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:"
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA:"
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA:TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:"
    "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA:TLS_RSA_WITH_AES_128_GCM_SHA256:"
    "TLS_RSA_WITH_AES_256_GCM_SHA384:TLS_RSA_WITH_AES_128_CBC_SHA:TLS_PSK_WITH_AES_128_CBC_SHA:"
    "TLS_RSA_WITH_AES_256_CBC_SHA:TLS_PSK_WITH_AES_256_CBC_SHA:"
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256:TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256";

/* -cipher: OpenSSL's words, or names, with brackets around suites of equal rank. */
static int set_suites(hf_config *config, const char *cipher)
{
    char text[1024] = SUITES13;
    if (!cipher || strcmp(cipher, "ALL:3DES") == 0) /* there is no 3DES */
        return hf_config_set_suites(config, all_suites) ? 0 : 1;
    if (!strstr(cipher, "TLS_"))
        return hf_config_set_suites(config, all_suites) && hf_config_set_ciphers(config, cipher)
                   ? 0
                   : 89;
    if (strlen(text) + strlen(cipher) >= sizeof text)
        return 89;
    strcat(text, cipher);
    return hf_config_set_suites(config, text) ? 0 : 89;
}

typedef bool (*set_list_fn)(hf_config *, const char *);
typedef const char *(*name_fn)(uint16_t);

/* 89 if handfast does not know one of them. */
static int set_list(hf_config *config, const struct int_list *list, name_fn name,
                    set_list_fn set)
{
    char text[MAX_LIST * 32] = "";
    if (!list->set)
        return 0;
    for (size_t i = 0; i < list->count; i++) {
        const char *one = name((uint16_t)list->v[i]);
        if (strcmp(one, "unknown") == 0)
            return 89;
        if (i)
            strcat(text, ",");
        strcat(text, one);
    }
    return set(config, text) ? 0 : 89;
}

static int set_alpn(hf_config *config, const struct options *o)
{
    char text[1024] = "";
    const char *p = o->advertise_alpn;
    if (o->server && o->reject_alpn)
        return hf_config_set_alpn(config, "a protocol that nobody offers", true) ? 0 : 1;
    if (o->server && o->select_alpn && *o->select_alpn && !o->decline_alpn)
        return hf_config_set_alpn(config, o->select_alpn, false) ? 0 : 89;
    if (o->server || !p)
        return 0;
    for (; *p; p += 1 + (uint8_t)*p) {
        if (*text)
            strcat(text, ",");
        if (strlen(text) + (uint8_t)*p + 2 > sizeof text)
            return 89;
        strncat(text, p + 1, (uint8_t)*p);
    }
    return hf_config_set_alpn(config, text, false) ? 0 : 89;
}

static void append(struct int_list *list, int n)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->v[i] == n)
            return;
    }
    if (list->count < MAX_LIST)
        list->v[list->count++] = n;
}

/* A list with which nobody can sign in TLS 1.3 is refused while that may be spoken; ed448, which the
 * runner does not have, makes it a possible one. */
static bool have_modern(const struct int_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        int id = list->v[i];
        if ((id & 0xff00) == 0x0800 || (id > 0x0403 && (id & 0xff) == 0x03) || id == 0x0403)
            return true;
    }
    return false;
}

static void append_all(struct int_list *list, const int *ids)
{
    for (; *ids; ids++)
        append(list, *ids);
}

/* What a key signs with, in BoringSSL's order. */
static void append_own(struct int_list *list, const hf_credential *cred)
{
    static const int rsa[] = {0x0804, 0x0401, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201, 0};
    static const int ec[] = {0x0403, 0x0503, 0x0603, 0x0203, 0};
    static const int ed25519[] = {0x0807, 0};
    const char *key = hf_certificate_key(cred->chain->cert[0]);
    append_all(list, strncmp(key, "RSA", 3) == 0  ? rsa
                     : strncmp(key, "EC", 2) == 0 ? ec
                                                  : ed25519);
}

/* BoringSSL has two lists, what it verifies and what it signs with; handfast has one. What one of them
 * needs is put behind the other. */
static int set_signatures(struct run *run, hf_config *config)
{
    const struct options *o = run->o;
    const struct int_list *prefs = &o->cred[0].signing_prefs;
    static const int few[] = {0x0403, 0x0804, 0x0503, 0};
    static const int defaults[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805,
                                   0x0501, 0x0806, 0x0601, 0x0201, 0};
    bool verifies = !o->server || o->verify_peer || o->require_any_client_certificate;
    struct int_list list = prefs->set ? *prefs : o->verify_prefs;
    if (prefs->set && o->verify_prefs.set)
        return 89;
    if (verifies && !o->verify_prefs.set)
        append_all(&list, prefs->set ? few : defaults);
    for (size_t i = 0; i < run->cred_count && !prefs->set; i++)
        append_own(&list, run->creds[i]);
    if (!list.count)
        return 0;
    if (!have_modern(&list))
        append(&list, 0x0808);
    list.set = true;
    return set_list(config, &list, hf_signature_name, hf_config_set_signatures);
}

static bool has(const struct int_list *list, int n)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->v[i] == n)
            return true;
    }
    return false;
}

/* What a client has learnt about its server's groups, from DNS say, is the application's to use: it sends a
 * share for the first of its own that is among them. */
static void use_hint(const struct options *o, const struct int_list *groups,
                     struct int_list *shares)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (has(&o->groups_hint, groups->v[i])) {
            *shares = (struct int_list){.set = true, .count = 1, .v = {groups->v[i]}};
            return;
        }
    }
}

static const char *name_of_type(uint16_t type)
{
    return hf_certificate_type_name((hf_certificate_type)type);
}

/* A client that will be asked for its credential must say beforehand of which type it is. */
static int set_types(struct run *run, hf_config *config)
{
    const struct options *o = run->o;
    struct int_list own = o->own_cert_types;
    for (size_t i = 0; !o->server && !own.set && i < run->cred_count; i++)
        append(&own, credential_type(run->creds[i]) == CERT_RAW ? 2 : 0);
    own.set = own.count > 0;
    int r = set_list(config, &own, name_of_type, hf_config_set_certificate_types);
    return r ? r
             : set_list(config, &o->peer_cert_types, name_of_type,
                        hf_config_set_peer_certificate_types);
}

/* A flag of 1 says that a group has the rank of the next one. */
static int set_groups(hf_config *config, const struct int_list *groups,
                      const struct int_list *flags)
{
    char text[MAX_LIST * 32] = "";
    bool open = false;
    if (!flags->set || !groups->set)
        return set_list(config, groups, hf_group_name, hf_config_set_groups);
    for (size_t i = 0; i < groups->count; i++) {
        bool tied = i < flags->count && flags->v[i] == 1;
        strcat(text, i == 0 ? "" : open ? "|" : ":");
        strcat(text, tied && !open ? "[" : "");
        strcat(text, hf_group_name((uint16_t)groups->v[i]));
        strcat(text, open && !tied ? "]" : "");
        open = tied;
    }
    return hf_config_set_groups(config, text) ? 0 : 89;
}

static bool set_authorities(hf_config *config, const char *hex)
{
    uint8_t der[512];
    size_t len = 0;
    if (!hex || *hex == '<') /* <EMPTY>, <NULL> */
        return true;
    for (; *hex; hex++) {
        unsigned byte;
        if (*hex == ',') {
            if (!hf_config_add_authority(config, der, len))
                return false;
            len = 0;
        } else if (len == sizeof der || sscanf(hex++, "%2x", &byte) != 1) {
            return false;
        } else {
            der[len++] = (uint8_t)byte;
        }
    }
    return hf_config_add_authority(config, der, len);
}

static int set_lists(struct run *run, hf_config *config)
{
    const struct options *o = run->o;
    struct int_list groups = o->curves, shares = o->key_shares;
    if (o->groups_hint.set)
        use_hint(o, &groups, &shares);
    int r = set_groups(config, &groups, &o->curves_flags);
    if (!r)
        r = set_signatures(run, config);
    if (!r)
        r = set_types(run, config);
    if (!r)
        r = set_alpn(config, o);
    if (!r && !o->server)
        r = set_list(config, &shares, hf_group_name, hf_config_set_key_shares);
    return r;
}

/* The runner replays nothing. */
static bool first_use(const uint8_t *id, size_t len, int64_t until, void *arg)
{
    (void)id;
    (void)len;
    (void)until;
    (void)arg;
    return true;
}

static bool set_client(hf_config *config, const struct options *o)
{
    return hf_config_set_ocsp(config,
                              o->enable_ocsp_stapling ? HF_OCSP_REQUEST : HF_OCSP_NONE) &&
           hf_config_set_sct(config, o->enable_scts) &&
           hf_config_set_early_data(config, o->enable_early_data) &&
           hf_config_set_false_start(config, o->false_start) &&
           hf_config_set_fallback(config, o->fallback_scsv) &&
           hf_config_insecure_allow_unpatched(config, !o->no_legacy_server_connect);
}

static bool set_server(struct run *run, hf_config *config)
{
    const struct options *o = run->o;
    hf_session_store store = {.add = stored};
    hf_client_auth mode = HF_CLIENT_AUTH_NONE;
    if (o->verify_peer)
        mode = HF_CLIENT_AUTH_REQUEST;
    else if (o->require_any_client_certificate)
        mode = HF_CLIENT_AUTH_REQUIRE;
    /* -cipher names a list with an order of its own. */
    return hf_config_set_client_auth(config, mode) &&
           hf_config_set_acknowledge_name(config, !o->no_server_name_ack) &&
           set_authorities(config, o->client_ca_list) &&
           hf_config_set_group_first(config, true) &&
           hf_config_set_resume_preferred_only(config, true) &&
           hf_config_set_server_preference(config, o->server_preference || o->cipher) &&
           hf_config_set_session_store(config, &store) &&
           hf_config_set_max_early_data(config, o->enable_early_data ? 14336 : 0) &&
           hf_config_set_early_window(config, 60) &&
           hf_config_set_first_use(config, first_use, NULL) &&
           (!o->psk_identity || hf_config_set_psk_hint(config, o->psk_identity));
}

/* Old versions and what they sign with are used at level 0 only; the runner's keys are weak, too. */
static bool set_role(struct run *run, hf_config *config)
{
    const struct options *o = run->o;
    unsigned times = o->renegotiate_freely ? 100 : o->renegotiate_once ? 1 : 0;
    /* -no-ticket: a server takes none either, so it gets other keys. */
    static const uint8_t other_key[HF_TICKET_KEY_SIZE] = "of nobody";
    return hf_config_insecure_set_security_level(config, 0) &&
           (!o->no_ticket || hf_config_set_tickets(config, 0, 0)) &&
           (!o->no_ticket || !o->server ||
            hf_config_set_ticket_keys(config, other_key, 1, NULL)) &&
           (!o->max_send_fragment ||
            hf_config_set_send_fragment(config, (uint16_t)o->max_send_fragment)) &&
           hf_config_set_max_chain(config, HF_CHAIN_MAX,
                                   o->max_cert_list ? (size_t)o->max_cert_list : 131072) &&
           hf_config_set_verify_resumed(config, o->reverify_on_resume) &&
           hf_config_set_renegotiation(config, times) &&
           (o->server ? set_server(run, config) : set_client(config, o));
}

static bool add_credentials(const struct run *run, hf_config *config)
{
    for (size_t i = 0; i < run->cred_count; i++) {
        if (!hf_config_add_credential(config, run->creds[i]))
            return false;
    }
    return true;
}

static bool set_callbacks(struct run *run, hf_config *config)
{
    const struct options *o = run->o;
    /* A client's certificate is what the application chose: it is not to be left out because it
     * does not fit, as one of several in the configuration would be (RFC 8446 4.4.2.3). */
    if (o->expect_messages && !hf_config_set_trace(config, note_message, run))
        return false;
    bool asks = o->async || o->expect_ca_list || o->peer_verify_prefs.set ||
                (o->server ? !run->cred : !!run->cred);
    if (run->cred_count > 1)
        asks = false; /* handfast chooses */
    if (o->fail_cert_callback)
        asks = true;
    bool hello = o->server &&
                 (o->use_early_callback || o->expect_advertised_alpn || o->fail_early_callback);
    bool tickets = o->server && (o->use_ticket_callback || o->ticket_key.p);
    if (tickets && (!hf_config_set_ticket_seal(config, seal_ticket, run) ||
                    !hf_config_set_ask(config, HF_ASK_TICKET, ask, run)))
        return false;
    if (o->select_empty_alpn && !hf_config_set_alpn_callback(config, select_nothing, NULL))
        return false;
    if (!hf_config_set_ask(config, HF_ASK_VERIFY, ask, run) ||
        (o->psk && !hf_config_set_ask(config, HF_ASK_PSK, ask, run)) ||
        (asks && !hf_config_set_ask(config, HF_ASK_CREDENTIAL, ask, run)) ||
        (hello && !hf_config_set_ask(config, HF_ASK_HELLO, ask, run)))
        return false;
    if (!asks && !o->use_early_callback && !add_credentials(run, config))
        return false;
    return o->server || hf_config_set_session_callback(config, keep_session, run);
}

static bool load_one(struct run *run, const struct credential_options *o, hf_error *err)
{
    if (!o->cert_file && !o->raw)
        return true;
    hf_credential *cred =
        o->raw ? hf_credential_load_raw_key_file(o->key_file, NULL, NULL, err)
               : hf_credential_load_files(o->cert_file, o->key_file, NULL, NULL, err);
    if (!cred)
        return false;
    run->creds[run->cred_count++] = cred;
    /* hf_credential_set_ocsp would refuse the runner's responses, which are no OCSP at all. */
    if (o->ocsp_response.p) {
        cred->ocsp = mem_dup(o->ocsp_response.p, o->ocsp_response.len);
        cred->ocsp_len = o->ocsp_response.len;
    }
    return !o->scts.p || hf_credential_set_scts(cred, o->scts.p, o->scts.len, err);
}

/* The one without a name is the last resort. */
static bool load_credentials(struct run *run, hf_error *err)
{
    const struct options *o = run->o;
    for (size_t i = 1; i <= o->creds; i++) {
        if (!load_one(run, &o->cred[i], err))
            return false;
    }
    if (!load_one(run, &o->cred[0], err))
        return false;
    run->cred = run->creds[0];
    return true;
}

/* -use-early-callback: the certificate comes with the configuration that answers the
 * ClientHello. */
static bool make_late_config(struct run *run)
{
    if (!run->o->server || !run->o->use_early_callback || !run->cred)
        return true;
    run->late_config = hf_config_derive(run->config);
    return run->late_config && add_credentials(run, run->late_config);
}

int setup(struct run *run, const hf_config *base, hf_error *err)
{
    const struct options *o = run->o;
    hf_config *config = run->config = hf_config_derive(base);
    if (!config || !load_credentials(run, err))
        return 1;
    int r = set_versions(config, o);
    if (!r)
        r = set_suites(config, o->cipher);
    if (!r)
        r = set_lists(run, config);
    if (r)
        return r;
    /* The runner's certificates are judged by -verify-fail alone. */
    if (!hf_config_insecure_no_verify(config) || !hf_config_set_clock(config, now, NULL) ||
        !set_role(run, config) || !setup_compressors(config, o) || !set_callbacks(run, config))
        return 1;
    if (!make_late_config(run))
        return 1;
    /* A list without any scheme that can sign in TLS 1.3 is refused as a configuration. */
    bool lists = o->cred[0].signing_prefs.set || o->verify_prefs.set;
    return hf_config_freeze(config, err) ? 0 : lists && err->code == HF_E_CONFIG ? 89 : 1;
}

void setup_clear(struct run *run)
{
    hf_config_free(run->config);
    hf_config_free(run->late_config);
    for (size_t i = 0; i < run->cred_count; i++)
        hf_credential_free(run->creds[i]);
    hf_session_free(run->session);
}

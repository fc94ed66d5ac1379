/* The flow lists of TLS 1.2 and older: every combination of their predicates, and real handshakes of every
 * kind, give a sequence of RFC 5246's figures 1 and 2, as RFC 4279, RFC 5077 and RFC 6066 extend them; and a
 * peer that leaves a message out, sends one twice or in another order is refused. */
#include "../unit/check.h"
#include "old.h"

#include <stdlib.h>

#include "config/cache.h"

/* What happens in one handshake. */
struct scene {
    const struct suite *suite;
    bool status;      /* CertificateStatus comes */
    bool hint;        /* the server has a hint for pre-shared keys */
    bool request;     /* CertificateRequest */
    bool certificate; /* and the client has one */
    bool ticket;      /* NewSessionTicket */
    bool resumed;
};

static void add(char *out, char kind, uint8_t message)
{
    char one[40];
    snprintf(one, sizeof one, "%c%s ", kind, msg_name(message));
    strcat(out, one);
}

/* RFC 5246 7.3, figure 1; with figure 1 of RFC 5077, RFC 4279 2 to 4 and RFC 6066 8. */
static void full_by_the_rfc(const struct scene *s, char to, char from, char *out)
{
    const struct suite *suite = s->suite;
    bool certified = suite->auth == AUTH_ECDSA || suite->auth == AUTH_RSA;
    bool psk = suite->auth == AUTH_PSK;
    bool asks = certified && s->request;
    if (certified)
        add(out, from, MSG_CERTIFICATE);
    if (certified && s->status)
        add(out, from, MSG_CERTIFICATE_STATUS);
    if (suite->kex == KEX_DHE || suite->kex == KEX_ECDHE || suite->kex == KEX_DHE_PSK ||
        suite->kex == KEX_ECDHE_PSK || (psk && s->hint))
        add(out, from, MSG_SERVER_KEY_EXCHANGE);
    if (asks)
        add(out, from, MSG_CERTIFICATE_REQUEST);
    add(out, from, MSG_SERVER_HELLO_DONE);
    if (asks)
        add(out, to, MSG_CERTIFICATE);
    add(out, to, MSG_CLIENT_KEY_EXCHANGE);
    if (asks && s->certificate)
        add(out, to, MSG_CERTIFICATE_VERIFY);
    add(out, to, MSG_CHANGE_CIPHER_SPEC);
    add(out, to, MSG_FINISHED);
    if (s->ticket)
        add(out, from, MSG_NEW_SESSION_TICKET);
    add(out, from, MSG_CHANGE_CIPHER_SPEC);
    add(out, from, MSG_FINISHED);
}

/* RFC 5246 7.3, figure 2, and RFC 5077 3.1, figure 2. */
static void resumed_by_the_rfc(const struct scene *s, char to, char from, char *out)
{
    if (s->ticket)
        add(out, from, MSG_NEW_SESSION_TICKET);
    add(out, from, MSG_CHANGE_CIPHER_SPEC);
    add(out, from, MSG_FINISHED);
    add(out, to, MSG_CHANGE_CIPHER_SPEC);
    add(out, to, MSG_FINISHED);
}

static void by_the_rfc(const struct scene *s, bool server, char *out)
{
    char to = server ? '<' : '>', from = server ? '>' : '<';
    *out = '\0';
    add(out, to, MSG_CLIENT_HELLO);
    add(out, from, MSG_SERVER_HELLO);
    if (s->resumed)
        resumed_by_the_rfc(s, to, from, out);
    else
        full_by_the_rfc(s, to, from, out);
}

/* ---- the lists, walked with predicates alone */

static bool comes(const struct step *step, const struct scene *s)
{
    switch (step->message) {
    case MSG_CERTIFICATE_STATUS: return s->status;
    case MSG_CERTIFICATE_REQUEST: return s->request;
    case MSG_SERVER_KEY_EXCHANGE: return s->hint;
    default: return true;
    }
}

/* What the rows that run would have set. */
static void effect(struct hs *hs, const struct step *step, const struct scene *s)
{
    static struct chain some_chain;
    if (step->message == MSG_CERTIFICATE_REQUEST)
        hs->cert_requested = true;
    if (step->message == MSG_CERTIFICATE && step->kind == '<')
        hs->peer_chain = hs->n.server && !s->certificate ? NULL : &some_chain;
}

static void walk(struct hs *hs, const struct step *list, const struct scene *s, char *out)
{
    for (const struct step *step = list; step->kind; step++) {
        if (step->when && !step->when(hs))
            continue;
        if (step->kind == '<' && step->optional && !comes(step, s))
            continue;
        if (step->kind != '.')
            add(out, step->kind, step->message);
        effect(hs, step, s);
        if (list == server12 && strcmp(step->name, "go on with the session") == 0) {
            walk(hs, server12_resumed, s, out);
            return;
        }
    }
}

static void by_the_list(const struct scene *s, bool server, char *out)
{
    static hf_credential some_credential;
    static const uint8_t some_staple[1];
    hf_config *config = hf_config_new(server ? HF_SERVER : HF_CLIENT);
    struct hs *hs = mem_new(sizeof *hs);
    *out = '\0';
    config->client_auth = s->request ? HF_CLIENT_AUTH_REQUEST : HF_CLIENT_AUTH_NONE;
    CHECK(hf_config_set_psk_hint(config, s->hint ? "hint" : NULL));
    hs->n.config = config;
    hs->n.server = server;
    hs->n.suite = s->suite;
    hs->n.version = HF_TLS1_2;
    hs->n.resumed12 = s->resumed;
    hs->n.ticket_expected = s->ticket;
    hs->n.ocsp_promised = s->status;
    hs->n.ocsp_staple = slice_of(some_staple, s->status);
    hs->credential = s->certificate ? &some_credential : NULL;
    add(out, server ? '<' : '>', MSG_CLIENT_HELLO);
    if (!server)
        add(out, '<', MSG_SERVER_HELLO);
    walk(hs, server ? server12 : s->resumed ? client12_resumed : client12, s, out);
    mem_free(hs);
    hf_config_free(config);
}

/* One suite for each way to agree on keys and to prove an identity. */
static size_t kinds(const struct suite *out[20])
{
    size_t count, n = 0;
    const struct suite *all = suite_table(&count);
    for (size_t i = 0; i < count; i++) {
        bool known = all[i].version_max >= HF_TLS1_3 || !suite_find(all[i].id);
        for (size_t k = 0; k < n && !known; k++)
            known = out[k]->kex == all[i].kex && out[k]->auth == all[i].auth;
        if (!known)
            out[n++] = &all[i];
    }
    return n;
}

static void test_every_combination(void)
{
    const struct suite *kind[20];
    size_t count = kinds(kind);
    unsigned scenes = 0;
    CHECK_INT(count,
              9); /* (EC)DHE with three and two proofs, RSA, and PSK with three exchanges */
    for (size_t k = 0; k < count; k++) {
        for (unsigned bits = 0; bits < 64; bits++) {
            struct scene s = {kind[k],  bits & 1,  bits & 2, bits & 4,
                              bits & 8, bits & 16, bits & 32};
            if (s.certificate && !s.request)
                continue;
            /* A client that was promised a status may still not get one. */
            for (int server = 0; server < 2; server++) {
                char rfc[600], list[600];
                by_the_rfc(&s, server, rfc);
                by_the_list(&s, server, list);
                CHECK_STR(list, rfc);
                scenes++;
            }
        }
    }
    CHECK_INT(scenes, 9 * 48 * 2);
}

static void check_rows(const struct step *step)
{
    for (; step->kind; step++) {
        CHECK(step->run && step->name && strncmp(step->rfc, "RFC ", 4) == 0);
        CHECK(step->kind == '<' || step->kind == '>' || step->kind == '.');
        CHECK(step->kind == '.' || step->message != 0);
        CHECK(!step->optional || step->kind == '<');
    }
}

static void test_rows_are_complete(void)
{
    check_rows(client12);
    check_rows(client12_resumed);
    check_rows(server12);
    check_rows(server12_resumed);
}

/* ---- real handshakes */

static void note_message(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)conn;
    char *out = arg;
    if (e->kind != HF_TRACE_MESSAGE)
        return;
    if (e->record_type == REC_CCS)
        add(out, e->sent ? '>' : '<', MSG_CHANGE_CIPHER_SPEC);
    else if (e->record_type == REC_HANDSHAKE)
        add(out, e->sent ? '>' : '<', e->bytes[0]);
}

static void staple(struct pair *p)
{
    size_t len;
    struct pki_ocsp_spec spec = {.cert = p->pki->leaf, .issuer = p->pki->mid};
    uint8_t *der = pki_ocsp(&spec, &len);
    CHECK(hf_credential_set_ocsp(p->cred, der, len, NULL));
    free(der);
}

static void play(const struct scene *s)
{
    struct pair p;
    static char client[2000], server[2000];
    char wanted[600];
    old_start(&p, HF_TLS1_2, s->suite->name);
    CHECK(hf_config_set_trace(p.client_config, note_message, client));
    CHECK(hf_config_set_trace(p.server_config, note_message, server));
    CHECK(hf_config_set_tickets(p.server_config, s->ticket || s->resumed, 7200));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    if (s->request)
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
    if (s->certificate)
        CHECK(hf_config_add_credential(p.client_config, p.cred));
    if (s->status)
        staple(&p);
    if (s->hint)
        CHECK(hf_config_set_psk_hint(p.server_config, "who are you?"));
    for (int turn = 0; turn <= s->resumed; turn++) {
        *client = *server = '\0';
        pair_connect(&p);
        if (turn)
            CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
        pair_run(&p);
        CHECK_MSG(end_shaken(&p.client) && end_shaken(&p.server), "%s: %s / %s", s->suite->name,
                  hf_code_name(end_code(&p.client)), hf_code_name(end_code(&p.server)));
        if (turn < s->resumed)
            pair_reset(&p);
    }
    CHECK(hf_conn_resumed(p.client.conn) == s->resumed);
    CHECK(old_echo(&p));
    by_the_rfc(s, false, wanted);
    CHECK_STR(client, wanted);
    by_the_rfc(s, true, wanted);
    CHECK_STR(server, wanted);
    pair_clear(&p);
}

static void test_real_handshakes(void)
{
    const struct suite *kind[20];
    size_t count = kinds(kind);
    for (size_t k = 0; k < count; k++) {
        for (unsigned bits = 0; bits < 32; bits++) {
            struct scene s = {kind[k],  bits & 1,  bits & 2, bits & 4,
                              bits & 8, bits & 16, false};
            bool certified = has_certificate12(s.suite);
            if ((s.certificate && !s.request) || ((s.status || s.request) && !certified) ||
                (s.hint && !is_psk12(s.suite)))
                continue;
            play(&s);
            s.resumed = true;
            if (!s.ticket) /* figure 2; a renewed ticket is another file's */
                play(&s);
        }
    }
}

/* ---- a peer whose list is changed */

enum change { LEFT_OUT, TWICE, LATER };

static const char *const change_names[] = {"left out", "twice", "later"};

struct setting {
    const char *suite;
    bool resumed, renewed;
};

/* Is this message sent in this setting at all? */
static bool is_sent(const struct setting *set, uint8_t message)
{
    bool psk = strstr(set->suite, "_PSK_") != NULL;
    switch (message) {
    case MSG_CERTIFICATE:
    case MSG_CERTIFICATE_STATUS:
    case MSG_CERTIFICATE_REQUEST:
    case MSG_CERTIFICATE_VERIFY: return !psk;
    case MSG_SERVER_KEY_EXCHANGE: return psk || strstr(set->suite, "DHE_");
    case MSG_NEW_SESSION_TICKET: return !set->resumed || set->renewed;
    default: return true;
    }
}

static bool change_list(struct step *copy, const struct step *list, size_t row,
                        enum change change, const struct setting *set)
{
    old_list(copy, list);
    size_t next = row + 1;
    if (!is_sent(set, list[row].message))
        return false;
    if (change == LEFT_OUT) {
        old_remove(copy, (int)row);
    } else if (change == TWICE) {
        old_insert(copy, (int)row, list[row].run);
    } else {
        while (copy[next].kind == '.' ||
               (copy[next].kind == '>' && !is_sent(set, copy[next].message)))
            next++;
        if (copy[next].kind != '>')
            return false;
        struct step moved = copy[row];
        memmove(&copy[row], &copy[row + 1], (next - row) * sizeof *copy);
        copy[next] = moved;
    }
    return true;
}

/* Without these a handshake is still a legal one. */
static bool harmless(const struct step *row, enum change change, const struct setting *set)
{
    if (change != LEFT_OUT)
        return false;
    return row->message == MSG_CERTIFICATE_STATUS || row->message == MSG_CERTIFICATE_REQUEST ||
           (row->message == MSG_SERVER_KEY_EXCHANGE && strstr(set->suite, "TLS_PSK_"));
}

static int64_t later(void *arg)
{
    (void)arg;
    return PKI_NOW + 5000; /* more than half of a ticket's life */
}

static void set_up(struct pair *p, const struct setting *set)
{
    old_start(p, HF_TLS1_2, set->suite);
    CHECK(hf_config_add_credential(p->client_config, p->cred));
    CHECK(hf_config_set_trust(p->server_config, p->trust));
    CHECK(hf_config_set_psk_hint(p->server_config, "hint"));
    if (strstr(set->suite, "_PSK_"))
        CHECK(hf_config_set_client_auth(p->server_config, HF_CLIENT_AUTH_REQUEST));
    else
        CHECK(hf_config_set_client_auth(p->server_config, HF_CLIENT_AUTH_REQUIRE));
    if (!strstr(set->suite, "_PSK_"))
        staple(p);
    if (set->resumed) {
        CHECK(pair_shake(p));
        pair_reset(p);
        if (set->renewed)
            p->server_config->clock = later;
    }
}

static bool expected(hf_code code)
{
    static const hf_code good[] = {
        HF_OK, /* it waits for what never comes */
        HF_E_UNEXPECTED_MESSAGE,
        HF_E_UNEXPECTED_RECORD,
        HF_E_BAD_FINISHED,
        HF_E_BAD_SIGNATURE,
        HF_E_BAD_RECORD_MAC,
        HF_E_EXCESS_HANDSHAKE_DATA,
        HF_E_ALERT_RECEIVED,
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (code == good[i])
            return true;
    }
    return false;
}

static void play_changed(const struct setting *set, bool server, size_t row, enum change change)
{
    struct pair p;
    struct step copy[OLD_MAX_ROWS];
    const struct step *list = server         ? set->resumed ? server12_resumed : server12
                              : set->resumed ? client12_resumed
                                             : client12;
    if (!change_list(copy, list, row, change, set) || harmless(&list[row], change, set))
        return;
    set_up(&p, set);
    pair_connect(&p);
    if (set->resumed)
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    struct end *bad = server ? &p.server : &p.client, *good = server ? &p.client : &p.server;
    old_divert(bad, set->resumed ? NULL : copy, set->resumed ? copy : NULL);
    pair_run(&p);
    CHECK_MSG(!end_shaken(good), "%s, %s: %s with %s %s was accepted", set->suite,
              set->resumed ? "resumed" : "full", server ? "server" : "client", list[row].name,
              change_names[change]);
    CHECK_MSG(expected(end_code(good)), "%s: %s with %s %s: %s", set->suite,
              server ? "server" : "client", list[row].name, change_names[change],
              hf_code_name(end_code(good)));
    pair_clear(&p);
}

static const struct setting settings[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", false, false},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true, false},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true, true},
    {"TLS_DHE_RSA_WITH_AES_128_CBC_SHA", false, false},
    {"TLS_RSA_WITH_AES_128_CBC_SHA256", false, false},
    {"TLS_PSK_WITH_AES_128_CBC_SHA", false, false},
    {"TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", false, false},
};

static void changed_lists(bool server)
{
    unsigned tried = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct setting *set = &settings[i];
        const struct step *list = server         ? set->resumed ? server12_resumed : server12
                                  : set->resumed ? client12_resumed
                                                 : client12;
        for (size_t row = 0; list[row].kind; row++) {
            if (list[row].kind != '>')
                continue;
            play_changed(set, server, row, LEFT_OUT);
            play_changed(set, server, row, TWICE);
            play_changed(set, server, row, LATER);
            tried++;
        }
    }
    CHECK(tried >= 20);
}

static void test_server_that_changes_the_order(void)
{
    changed_lists(true);
}
static void test_client_that_changes_the_order(void)
{
    changed_lists(false);
}

/* ---- between change_cipher_spec and Finished, with the new keys */

static struct {
    uint8_t type;
    const char *content;
    size_t len;
} stray;

static enum hs_result send_stray(struct hs *hs)
{
    uint8_t out[200];
    size_t size = rec_seal(hs->out, stray.type, hs->out->version,
                           (const uint8_t *)stray.content, stray.len, out);
    return size && buffer_append(hs->output, out, size) ? HS_OK : HS_FAILED;
}

static void send_before_finished(bool server, uint8_t type, const char *content, size_t len,
                                 hf_code code)
{
    static const char *const suites[] = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                                         "TLS_PSK_WITH_AES_128_CBC_SHA"};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        struct step copy[OLD_MAX_ROWS];
        old_start(&p, HF_TLS1_2, suites[i]);
        stray.type = type;
        stray.content = content;
        stray.len = len;
        old_list(copy, server ? server12 : client12);
        old_insert(
            copy,
            old_row(copy, server ? "server change_cipher_spec" : "client change_cipher_spec"),
            send_stray);
        pair_connect(&p);
        struct end *bad = server ? &p.server : &p.client,
                   *good = server ? &p.client : &p.server;
        old_divert(bad, copy, NULL);
        pair_run(&p);
        CHECK_STR(hf_code_name(end_code(good)), hf_code_name(code));
        CHECK(good->data.len == 0);
        CHECK(end_shaken(good) == (code == HF_OK));
        pair_clear(&p);
    }
}

static void test_protected_records_before_finished(void)
{
    for (int server = 0; server < 2; server++) {
        send_before_finished(server, REC_DATA, "data", 4, HF_E_UNEXPECTED_RECORD);
        send_before_finished(server, REC_DATA, "", 0, HF_E_UNEXPECTED_RECORD);
        send_before_finished(server, REC_CCS, "\1", 1, HF_E_UNEXPECTED_RECORD);
        send_before_finished(server, REC_HANDSHAKE, "\1\0\0\0", 4, HF_E_UNEXPECTED_MESSAGE);
        send_before_finished(server, REC_HANDSHAKE, "\16\0\0\0", 4, HF_E_UNEXPECTED_MESSAGE);
        send_before_finished(server, REC_HANDSHAKE, "\24\0\0\13elevenbytes", 15,
                             HF_E_BAD_FINISHED);
        send_before_finished(server, REC_HANDSHAKE, "\24\0\0\15thirteenbytes", 17,
                             HF_E_BAD_FINISHED);
        send_before_finished(server, REC_HANDSHAKE, "\24\0\0\14twelve bytes", 16,
                             HF_E_BAD_FINISHED);
        send_before_finished(server, REC_ALERT, "\1\0", 2, HF_E_HANDSHAKE_CUT);
        send_before_finished(server, REC_ALERT, "\1\160", 2, HF_OK); /* a warning */
        /* HelloRequest: a client ignores it, a server gets none. */
        send_before_finished(server, REC_HANDSHAKE, "\0\0\0\0", 4,
                             server ? HF_OK : HF_E_UNEXPECTED_MESSAGE);
    }
}

/* SMACK: a server goes from its hello straight to Finished. */
static void test_server_that_skips_authentication(void)
{
    struct pair p;
    struct step copy[OLD_MAX_ROWS];
    old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    old_list(copy, server12);
    old_remove(copy, old_row(copy, "Certificate"));
    old_remove(copy, old_row(copy, "sign"));
    old_remove(copy, old_row(copy, "ServerKeyExchange"));
    pair_connect(&p);
    old_divert(&p.server, copy, NULL);
    pair_run(&p);
    CHECK_REFUSED(&p.client, HF_E_UNEXPECTED_MESSAGE, 10);
    CHECK_STR(hf_conn_error(p.client.conn)->detail,
              "expected Certificate (RFC 5246 7.4.2), got ServerHelloDone");
    pair_clear(&p);
}

/* The proofs hold even if a list of our own should be wrong. */
static void missing_proof(bool server, const char *row)
{
    struct pair p;
    struct step copy[OLD_MAX_ROWS];
    old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    old_list(copy, server ? server12 : client12);
    old_remove(copy, old_row(copy, row));
    pair_connect(&p);
    struct end *end = server ? &p.server : &p.client;
    old_divert(end, copy, NULL);
    pair_run(&p);
    CHECK_INT(end_code(end), HF_E_MISSING_PROOF);
    pair_clear(&p);
}

static void test_missing_proofs(void)
{
    missing_proof(false, "verify the chain");
    missing_proof(true, "verify the chain");
}

int main(void)
{
    RUN(test_every_combination);
    RUN(test_rows_are_complete);
    RUN(test_real_handshakes);
    RUN(test_server_that_changes_the_order);
    RUN(test_client_that_changes_the_order);
    RUN(test_protected_records_before_finished);
    RUN(test_server_that_skips_authentication);
    RUN(test_missing_proofs);
    return check_done();
}

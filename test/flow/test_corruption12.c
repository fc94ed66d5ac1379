/* TLS 1.2: every byte of every handshake message changed, every message cut short at every length, before it
 * is protected; every message in pieces of every size; and records that do not belong between any two of
 * them: refused, but for the pieces, and never is a handshake done that the two sides saw differently. */
#include "../unit/check.h"
#include "old.h"

#include <stdlib.h>

/* ---- damage to messages */

static struct {
    bool cut;  /* leave out all from `at` on, and correct the length; else change the byte */
    size_t at; /* in the message, its header counted */
    uint8_t mask;
    size_t length; /* of the message, as seen */
} damage;

static enum hs_result do_damage(struct hs *hs)
{
    uint8_t *p = old_last_message(hs, &damage.length);
    if (!p || damage.at >= damage.length)
        return HS_OK;
    if (damage.cut) {
        size_t body = damage.at - MSG_HEADER;
        p[1] = (uint8_t)(body >> 16);
        p[2] = (uint8_t)(body >> 8);
        p[3] = (uint8_t)body;
        hs->flight.end -= damage.length - damage.at;
    } else {
        p[damage.at] ^= damage.mask;
    }
    return HS_OK;
}

struct setting {
    const char *suite;
    bool resumed, renewed, certificates;
    bool raw; /* public keys, known to both (RFC 7250) */
};

static const struct setting settings[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", false, false, true, true},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", false, false, true, false},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", true, true, true, false},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", false, false, false, false},
    {"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", false, false, false, false},
    {"TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", false, false, false, false},
    {"TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", false, false, false, false},
};
#define SETTINGS (sizeof settings / sizeof *settings)

static int64_t later(void *arg)
{
    (void)arg;
    return PKI_NOW + 5000;
}

static void set_up(struct pair *p, const struct setting *set)
{
    old_start(p, HF_TLS1_2, set->suite);
    CHECK(hf_config_set_groups(p->client_config, "x25519:P-256:ffdhe2048"));
    CHECK(hf_config_set_groups(p->server_config, "x25519:P-256:ffdhe2048"));
    CHECK(hf_config_set_alpn(p->client_config, "h2,http/1.1", false));
    CHECK(hf_config_set_alpn(p->server_config, "http/1.1", false));
    CHECK(hf_config_set_psk_hint(p->server_config, "hint"));
    if (set->certificates) {
        size_t len;
        struct pki_ocsp_spec spec = {.cert = p->pki->leaf, .issuer = p->pki->mid};
        uint8_t *der = pki_ocsp(&spec, &len);
        CHECK(hf_credential_set_ocsp(p->cred, der, len, NULL));
        free(der);
        CHECK(hf_config_add_credential(p->client_config, p->cred));
        CHECK(hf_config_set_trust(p->server_config, p->trust));
        CHECK(hf_config_set_client_auth(p->server_config, HF_CLIENT_AUTH_REQUIRE));
    }
    if (set->raw) {
        hf_credential *raw = hf_credential_raw_key(p->cred, NULL);
        hf_config *ends[2] = {p->client_config, p->server_config};
        for (int i = 0; i < 2; i++) {
            CHECK(hf_config_add_credential(ends[i], raw));
            CHECK(hf_config_set_certificate_types(ends[i], "RawPublicKey,X509"));
            CHECK(hf_config_set_peer_certificate_types(ends[i], "RawPublicKey,X509"));
            CHECK(hf_config_add_pin_key(ends[i], hf_credential_key_sha256(raw)));
        }
        hf_credential_free(raw);
    }
    if (set->resumed) {
        CHECK(pair_shake(p));
        CHECK(p->sessions == 1);
        pair_reset(p);
        if (set->renewed)
            p->server_config->clock = later;
    }
    hf_config *c = p->client_config; /* sessions are not collected any more */
    c->session_fn = NULL;
}

static bool damaged_hello; /* the message is the ClientHello, whose row is in the first list */

static bool refused(struct pair *p, const struct setting *set, bool server,
                    const struct step *list, int row)
{
    struct step copy[OLD_MAX_ROWS];
    old_list(copy, list);
    old_insert(copy, row, do_damage);
    pair_connect(p);
    if (set->resumed)
        CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    struct end *bad = server ? &p->server : &p->client;
    if (damaged_hello)
        bad->conn->hs->step = copy;
    else if (list == client12_resumed || list == server12_resumed)
        old_divert(bad, NULL, copy);
    else
        old_divert(bad, copy, NULL);
    damage.length = 0;
    pair_run(p);
    const struct end *good = server ? &p->client : &p->server;
    bool shaken = end_shaken(good);
    const hf_error *err = hf_conn_error(good->conn);
    if (err)
        CHECK(err->fault != HF_FAULT_LOCAL && err->fault != HF_FAULT_CRYPTO);
    pair_reset(p);
    return !shaken;
}

static unsigned long damage_message(struct pair *p, const struct setting *set, bool server,
                                    const struct step *list, int row)
{
    unsigned long tried = 0;
    damage.length = MSG_HEADER + 1;
    size_t length = MSG_HEADER + 1;
    for (size_t at = damage.cut ? MSG_HEADER : 0; at < length; at++) {
        damage.at = at;
        damage.mask = (uint8_t)(1u << (at * 5 + at / 8) % 8);
        bool ok = refused(p, set, server, list, row);
        if (damage.length > length)
            length = damage.length;
        CHECK_MSG(ok || at >= damage.length, "%s, %s: %s at byte %zu was accepted", set->suite,
                  list[row].name, damage.cut ? "cut" : "change", at);
        tried += at < damage.length;
    }
    return tried;
}

static unsigned long damage_list(const struct setting *set, bool server,
                                 const struct step *list)
{
    struct pair p;
    unsigned long tried = 0;
    set_up(&p, set);
    for (int row = 0; list[row].kind; row++) {
        uint8_t message = list[row].message;
        bool certificate = message == MSG_CERTIFICATE || message == MSG_CERTIFICATE_STATUS;
        if (list[row].kind != '>' || message == MSG_CHANGE_CIPHER_SPEC ||
            (certificate && !set->certificates))
            continue;
        damaged_hello = message == MSG_CLIENT_HELLO;
        if (damaged_hello && strcmp(list[row].name, "ClientHello") != 0)
            continue; /* the second one */
        tried += damage_message(&p, set, server, list, row);
        if (damaged_hello)
            break;
    }
    pair_clear(&p);
    return tried;
}

static void damage_everywhere(bool server, bool cut)
{
    unsigned long tried = 0;
    damage.cut = cut;
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *set = &settings[i];
        if (!server)
            tried += damage_list(set, server, client13);
        if (set->resumed && server)
            tried += damage_list(set, server, server12); /* its ServerHello */
        if (set->resumed)
            tried += damage_list(set, server, server ? server12_resumed : client12_resumed);
        else
            tried += damage_list(set, server, server ? server12 : client12);
    }
    CHECK_MSG(tried > 1500, "only %lu tried", tried);
}

static void test_server_messages_changed(void)
{
    damage_everywhere(true, false);
}
static void test_client_messages_changed(void)
{
    damage_everywhere(false, false);
}
static void test_server_messages_cut(void)
{
    damage_everywhere(true, true);
}
static void test_client_messages_cut(void)
{
    damage_everywhere(false, true);
}

/* ---- pieces */

static void in_pieces(struct pair *p, const struct setting *set, size_t piece)
{
    struct old_wire wire = {.piece = piece};
    pair_connect(p);
    if (set->resumed)
        CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    old_run(p, &wire);
    CHECK_MSG(end_shaken(&p->client) && end_shaken(&p->server), "%s in pieces of %zu: %s / %s",
              set->suite, piece, hf_code_name(end_code(&p->client)),
              hf_code_name(end_code(&p->server)));
    if (end_shaken(&p->client))
        CHECK(hf_conn_resumed(p->client.conn) == set->resumed && old_echo(p));
    pair_reset(p);
}

static void test_messages_in_pieces(void)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 16, 63, 64, 100, 255, 1000};
    for (size_t i = 0; i < SETTINGS; i++) {
        struct pair p;
        set_up(&p, &settings[i]);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            in_pieces(&p, &settings[i], sizes[k]);
        pair_clear(&p);
    }
}

/* ---- records between messages */

struct intruder {
    const char *what;
    uint8_t record[16];
    size_t len;
    bool to_server; /* where it goes */
    unsigned at;
};

static bool intrude(struct end *to, unsigned number, uint8_t *record, size_t len, void *arg)
{
    const struct intruder *in = arg;
    (void)record;
    (void)len;
    if (to->conn->est.server == in->to_server && number == in->at)
        (void)old_hand(to, in->record, in->len);
    return false;
}

/* True if the end that was given the record went on as if nothing had been. */
static bool survived(struct pair *p, const struct setting *set, struct intruder *in)
{
    struct old_wire wire = {.before = intrude, .arg = in};
    pair_connect(p);
    if (set->resumed)
        CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    old_run(p, &wire);
    const struct end *to = in->to_server ? &p->server : &p->client;
    bool good = end_shaken(to);
    if (!good)
        CHECK(end_code(to) == HF_E_UNEXPECTED_RECORD || end_code(to) == HF_E_BAD_RECORD_MAC ||
              end_code(to) == HF_E_UNEXPECTED_MESSAGE ||
              end_code(to) == HF_E_EXCESS_HANDSHAKE_DATA || end_code(to) == HF_E_BAD_ALERT ||
              end_code(to) == HF_E_ALERT_RECEIVED || end_code(to) == HF_E_HANDSHAKE_CUT);
    pair_reset(p);
    return good;
}

/* How many records go to an end in an honest handshake; an alert that comes last is none of them. */
static unsigned count_records(struct pair *p, const struct setting *set, bool to_server)
{
    struct old_wire wire = {0};
    pair_connect(p);
    if (set->resumed)
        CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    old_run(p, &wire);
    CHECK(end_shaken(&p->client) && end_shaken(&p->server));
    pair_reset(p);
    unsigned n = to_server ? wire.to_server : wire.to_client;
    CHECK(n > 2);
    return n;
}

static void everywhere(struct intruder *in)
{
    unsigned tried = 0;
    for (size_t i = 0; i < SETTINGS; i++) {
        struct pair p;
        set_up(&p, &settings[i]);
        for (int side = 0; side < 2; side++) {
            unsigned records = count_records(&p, &settings[i], side);
            in->to_server = side;
            for (in->at = 0; in->at < records; in->at++, tried++)
                CHECK_MSG(!survived(&p, &settings[i], in), "%s, %s: %s before record %u",
                          settings[i].suite, side ? "to the server" : "to the client", in->what,
                          in->at);
        }
        pair_clear(&p);
    }
    CHECK(tried > 40);
}

/* CVE-2014-0224: wherever it comes but in its place, and there a second time. */
static void test_change_cipher_spec_anywhere(void)
{
    struct intruder in = {"change_cipher_spec", {REC_CCS, 3, 3, 0, 1, 1}, 6, false, 0};
    everywhere(&in);
}

static void test_application_data_anywhere(void)
{
    struct intruder in = {
        "application data", {REC_DATA, 3, 3, 0, 4, 'd', 'a', 't', 'a'}, 9, false, 0};
    everywhere(&in);
    in = (struct intruder){"empty application data", {REC_DATA, 3, 3, 0, 0}, 5, false, 0};
    everywhere(&in);
}

static void test_finished_anywhere(void)
{
    struct intruder in = {
        "Finished", {REC_HANDSHAKE, 3, 3, 0, 4, MSG_FINISHED, 0, 0, 0}, 9, false, 0};
    everywhere(&in);
}

static void test_closure_anywhere(void)
{
    struct intruder in = {"close_notify", {REC_ALERT, 3, 3, 0, 2, 1, 0}, 7, false, 0};
    everywhere(&in);
    in = (struct intruder){"a fatal alert", {REC_ALERT, 3, 3, 0, 2, 2, 40}, 7, false, 0};
    everywhere(&in);
}

/* "This message will be ignored by the client if the client is currently negotiating a session" (RFC 5246
 * 7.4.1.1); a server gets none. */
static void test_hello_request_anywhere(void)
{
    struct intruder in = {
        "HelloRequest", {REC_HANDSHAKE, 3, 3, 0, 4, MSG_HELLO_REQUEST, 0, 0, 0}, 9, false, 0};
    for (size_t i = 0; i < SETTINGS; i++) {
        struct pair p;
        set_up(&p, &settings[i]);
        unsigned records = count_records(&p, &settings[i], true), ignored = 0;
        in.to_server = true;
        for (in.at = 0; in.at < records; in.at++)
            CHECK(!survived(&p, &settings[i], &in));
        in.to_server = false;
        records = count_records(&p, &settings[i], false);
        for (in.at = 0; in.at < records; in.at++) {
            bool good = survived(&p, &settings[i], &in);
            bool clear = in.at + 1 < records; /* the last is the Finished, protected */
            CHECK_MSG(good == clear || in.at == 0, "%s: HelloRequest before record %u of %u",
                      settings[i].suite, in.at, records);
            ignored += good;
        }
        CHECK(ignored >= 1);
        pair_clear(&p);
    }
}

/* Warnings mean little, and a few are let pass. */
static void test_warning_anywhere(void)
{
    struct intruder in = {"a warning", {REC_ALERT, 3, 3, 0, 2, 1, 112}, 7, false, 0};
    struct pair p;
    set_up(&p, &settings[0]);
    unsigned records = count_records(&p, &settings[0], false);
    for (in.at = 0; in.at < records - 1; in.at++)
        CHECK_MSG(survived(&p, &settings[0], &in), "before record %u", in.at);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_server_messages_changed);
    RUN(test_client_messages_changed);
    RUN(test_server_messages_cut);
    RUN(test_client_messages_cut);
    RUN(test_messages_in_pieces);
    RUN(test_change_cipher_spec_anywhere);
    RUN(test_application_data_anywhere);
    RUN(test_finished_anywhere);
    RUN(test_closure_anywhere);
    RUN(test_hello_request_anywhere);
    RUN(test_warning_anywhere);
    return check_done();
}

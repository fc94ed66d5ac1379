/* test_choices.c: where a rule leaves a choice, or an application makes one: what is chosen. */
#include "../unit/check.h"
#include "bytes/bytes.h"
#include "connection/conn.h"
#include "pair.h"

#define SESSION_ID_AT (5 + 4 + 2 + 32)

/* ---- change_cipher_spec */

static void count_ccs(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)to;
    for (size_t at = 0; at + 5 <= len; at += 5u + get_u16(bytes + at + 3))
        *(unsigned *)arg += bytes[at] == 20;
}

/* RFC 8446 D.4: "Either side can send change_cipher_spec at any time during the handshake". */
static void test_ccs_without_session_id(void)
{
    for (int on = 0; on < 2; on++) {
        struct pair p;
        unsigned to_client = 0, to_server = 0;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, HF_TLS1_3, HF_TLS1_3));
        CHECK(hf_config_set_middlebox_compat(p.client_config, false));
        CHECK(hf_config_set_middlebox_compat(p.server_config, on));
        pair_connect(&p);
        p.client.tamper = p.server.tamper = count_ccs;
        p.client.tamper_arg = &to_client;
        p.server.tamper_arg = &to_server;
        pair_run(&p);
        CHECK_INT(end_code(&p.client), HF_OK);
        CHECK_INT(to_client, on);
        CHECK_INT(to_server, 0);
        pair_clear(&p);
    }
}

/* ---- a second ClientHello without the session of the first */

/* pre_shared_key becomes padding, which may come and go. */
static void drop_psk(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    size_t skip = bytes[0] == 20 ? 6 : 0; /* the dummy record before it */
    if (to->flights != 2 || len < skip + 60)
        return;
    uint8_t *hello = bytes + skip;
    CHECK(hello[0] == 22 && hello[5] == 1);
    size_t at = SESSION_ID_AT + 1u + hello[SESSION_ID_AT];
    at += 2u + get_u16(hello + at);
    at += 1u + hello[at];
    at += 2;
    while (get_u16(hello + at) != 41)
        at += 4u + get_u16(hello + at + 2);
    put_u16(hello + at, 21);
}

static void second_hello(bool without)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p) && p.sessions > 0);
    pair_reset(&p);
    hf_config *server = hf_config_derive(p.server_config);
    hf_config_free(p.server_config);
    p.server_config = server;
    CHECK(hf_config_set_groups(server, "P-384"));
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    if (without)
        p.server.tamper = drop_psk;
    pair_run(&p);
    CHECK(hf_conn_retried(p.server.conn));
    CHECK_INT(end_code(&p.server), without ? HF_E_MISSING_EXTENSION : HF_OK);
    CHECK_INT(hf_conn_resumed(p.server.conn), !without);
    pair_clear(&p);
}

static void test_second_hello_drops_session(void)
{
    second_hello(false);
    second_hello(true);
}

/* ---- suites and groups of equal rank */

static const char *agreed_suite(struct pair *p, const char *client, uint16_t version)
{
    pair_reset(p);
    hf_config *config = hf_config_derive(p->client_config);
    hf_config_free(p->client_config);
    p->client_config = config;
    CHECK(hf_config_set_versions(config, version, version));
    CHECK(hf_config_set_suites(config, client));
    CHECK(pair_shake(p));
    return hf_suite_name(hf_conn_suite(p->client.conn));
}

static void test_equal_suites(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_suites(p.server_config,
                               "[TLS_AES_256_GCM_SHA384|TLS_AES_128_GCM_SHA256]:"
                               "TLS_CHACHA20_POLY1305_SHA256 "
                               "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:"
                               "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256|"
                               "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256|"
                               "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]"));
    pair_connect(&p);
    CHECK_STR(agreed_suite(&p, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", HF_TLS1_3),
              "TLS_AES_128_GCM_SHA256");
    CHECK_STR(agreed_suite(&p, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", HF_TLS1_3),
              "TLS_AES_256_GCM_SHA384");
    CHECK_STR(agreed_suite(&p,
                           "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:"
                           "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                           HF_TLS1_2),
              "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    CHECK_STR(agreed_suite(&p,
                           "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:"
                           "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                           HF_TLS1_2),
              "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    /* A rank above counts, wherever the client puts it. */
    CHECK_STR(agreed_suite(&p,
                           "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:"
                           "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                           HF_TLS1_2),
              "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    pair_clear(&p);
}

static uint16_t agreed_group(const char *server, const char *client, bool first)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_groups(p.server_config, server));
    CHECK(hf_config_set_groups(p.client_config, client));
    CHECK(hf_config_set_group_first(p.server_config, first));
    CHECK(pair_shake(&p));
    uint16_t group = hf_conn_group(p.client.conn);
    pair_clear(&p);
    return group;
}

static void test_groups(void)
{
    CHECK_INT(agreed_group("[P-256|P-384]:x25519", "x25519:P-384:P-256", true), 0x0018);
    CHECK_INT(agreed_group("[P-256|P-384]:x25519", "x25519:P-256:P-384", true), 0x0017);
    CHECK_INT(agreed_group("P-256:P-384:x25519", "x25519:P-384:P-256", true), 0x0017);
    CHECK_INT(agreed_group("P-256:P-384:x25519", "x25519:P-384:P-256", false), 0x001d);
    CHECK_INT(agreed_group("MLKEM1024:x25519", "x25519:MLKEM768:MLKEM1024", false), 0x0202);
    CHECK_INT(agreed_group("x25519:MLKEM768", "MLKEM768:MLKEM1024", false), 0x0201);
}

static void test_brackets(void)
{
    static const char *const bad[] = {
        "[x25519|P-256", "x25519|P-256", "x25519]", "[[x25519]]", "[", "[]"};
    hf_config *config = hf_config_new(HF_SERVER);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hf_config *c = hf_config_derive(config);
        CHECK(!hf_config_set_groups(c, bad[i]));
        CHECK_INT(hf_config_error(c)->code, HF_E_CONFIG);
        hf_config_free(c);
    }
    CHECK(!hf_config_set_signatures(config, "[ed25519|ed448]"));
    hf_config_free(config);
}

/* ---- a session's suite against today's */

static void resume_with(uint16_t version, const char *first, const char *both, bool only)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, version, version));
    CHECK(hf_config_set_suites(p.server_config, both));
    CHECK(hf_config_set_resume_preferred_only(p.server_config, only));
    hf_config *narrow = hf_config_derive(p.client_config);
    CHECK(hf_config_set_suites(narrow, first));
    hf_config *wide = p.client_config;
    p.client_config = narrow;
    CHECK(pair_shake(&p) && p.sessions > 0);
    pair_reset(&p);
    p.client_config = wide;
    CHECK(hf_config_set_suites(wide, both));
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK_INT(end_code(&p.client), HF_OK);
    CHECK_INT(hf_conn_resumed(p.client.conn), !only);
    hf_config_free(narrow);
    pair_clear(&p);
}

static void test_resume_preferred_only(void)
{
    for (int only = 0; only < 2; only++) {
        resume_with(HF_TLS1_3, "TLS_AES_256_GCM_SHA384",
                    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", only);
        resume_with(HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:"
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    only);
    }
    /* The suite of today resumes. */
    struct pair p;
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, version, version));
        CHECK(hf_config_set_resume_preferred_only(p.server_config, true));
        CHECK(pair_shake(&p) && p.sessions > 0);
        pair_reset(&p);
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
        pair_run(&p);
        CHECK(hf_conn_resumed(p.client.conn) && hf_conn_resumed(p.server.conn));
        pair_clear(&p);
    }
}

/* ---- tickets that the application seals */

enum how { OPEN, RENEW, DECLINE, REFUSE, LATE, NO_TICKET, TOO_LONG };

struct sealer {
    enum how how;
    unsigned sealed, opened;
    hf_session *waiting;
};

static size_t seal(hf_conn *conn, const hf_session *session, uint8_t *out, size_t size,
                   void *arg)
{
    struct sealer *s = arg;
    (void)conn;
    s->sealed++;
    if (s->how == NO_TICKET)
        return 0;
    if (s->how == TOO_LONG)
        return size + 1;
    size_t len = hf_session_export(session, out, size);
    CHECK(len + HF_TICKET_ROOM == size);
    for (size_t i = 0; i < len; i++)
        out[i] ^= 0x55;
    return len;
}

static bool open_it(hf_conn *conn, const hf_question *q, void *arg)
{
    struct sealer *s = arg;
    uint8_t plain[4096];
    CHECK(q->ask == HF_ASK_TICKET && q->ticket_len < sizeof plain);
    for (size_t i = 0; i < q->ticket_len; i++)
        plain[i] = q->ticket[i] ^ 0x55;
    hf_session *session = hf_session_import(plain, q->ticket_len, NULL);
    s->opened++;
    CHECK(session != NULL);
    if (s->how == LATE) {
        s->waiting = session;
        return false;
    }
    if (s->how == REFUSE)
        CHECK(hf_answer_refuse(conn, 80));
    else
        CHECK(hf_answer_ticket(conn, s->how == DECLINE ? NULL : session, s->how == RENEW));
    hf_session_free(session);
    return true;
}

static void prepare(struct pair *p, struct sealer *s, uint16_t version)
{
    pair_init(p, PKI_P256);
    CHECK(hf_config_set_versions(p->client_config, version, version));
    CHECK(hf_config_set_ticket_seal(p->server_config, seal, s));
    CHECK(hf_config_set_ask(p->server_config, HF_ASK_TICKET, open_it, s));
    CHECK(hf_config_set_session_cache(p->server_config, 0, 7200));
}

static void with_ticket(uint16_t version, enum how how)
{
    struct pair p;
    struct sealer s = {.how = OPEN};
    bool new13 = version == HF_TLS1_3;
    prepare(&p, &s, version);
    CHECK(pair_shake(&p));
    CHECK_INT(s.sealed, new13 ? 2 : 1);
    CHECK_INT(s.opened, 0);
    CHECK_INT(p.sessions, s.sealed);
    pair_reset(&p);
    s = (struct sealer){.how = how};
    unsigned before = p.sessions;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    if (how == LATE) {
        CHECK_INT(hf_conn_question(p.server.conn)->ask, HF_ASK_TICKET);
        CHECK(hf_answer_ticket(p.server.conn, s.waiting, false));
        hf_session_free(s.waiting);
        pair_run(&p);
    }
    CHECK_INT(s.opened, 1);
    CHECK_INT(end_code(&p.server), how == REFUSE ? HF_E_REFUSED : HF_OK);
    CHECK_INT(hf_conn_resumed(p.server.conn), how != REFUSE && how != DECLINE);
    CHECK_INT(hf_conn_resumed(p.client.conn), how != REFUSE && how != DECLINE);
    unsigned full = new13 ? 2 : 1, fresh = how == DECLINE ? full : how == RENEW || new13;
    CHECK_INT(p.sessions - before, how == REFUSE ? 0 : fresh);
    pair_clear(&p);
}

static void test_tickets_of_the_application(void)
{
    static const enum how hows[] = {OPEN, RENEW, DECLINE, REFUSE, LATE};
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        with_ticket(HF_TLS1_2, hows[i]);
        with_ticket(HF_TLS1_3, hows[i]);
    }
}

static void test_no_ticket_of_the_application(void)
{
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        struct pair p;
        struct sealer s = {.how = NO_TICKET};
        prepare(&p, &s, version);
        CHECK(pair_shake(&p));
        CHECK(s.sealed > 0);
        CHECK_INT(p.sessions, 0);
        pair_clear(&p);
        s.how = TOO_LONG;
        prepare(&p, &s, version);
        CHECK(!pair_shake(&p));
        CHECK_INT(end_code(&p.server), HF_E_CRYPTO);
        pair_clear(&p);
    }
}

/* A session that has expired, or of another version, is not used, whoever opens its ticket. */
static int64_t late;
static int64_t late_clock(void *arg)
{
    (void)arg;
    return PKI_NOW + late;
}

static void test_expired_ticket(void)
{
    struct pair p;
    struct sealer s = {.how = OPEN};
    late = 0;
    prepare(&p, &s, HF_TLS1_3);
    CHECK(hf_config_set_clock(p.server_config, late_clock, NULL));
    CHECK(pair_shake(&p) && p.sessions == 2);
    pair_reset(&p);
    late = 8000;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK_INT(end_code(&p.server), HF_OK);
    CHECK(s.opened == 1 && !hf_conn_resumed(p.server.conn));
    pair_clear(&p);
}

/* ---- the age of a ticket */

static int64_t fast;
static int64_t fast_clock(void *arg)
{
    (void)arg;
    return PKI_NOW + fast;
}

static void skewed(int64_t client, int64_t server, int skew)
{
    struct pair p;
    fast = late = 0;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_clock(p.client_config, fast_clock, NULL));
    CHECK(hf_config_set_clock(p.server_config, late_clock, NULL));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_ticket_age_skew(p.server.conn), 0);
    pair_reset(&p);
    fast = client;
    late = server;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.server.conn));
    CHECK_INT(hf_conn_ticket_age_skew(p.server.conn), skew);
    CHECK_INT(hf_conn_ticket_age_skew(p.client.conn), 0);
    pair_clear(&p);
}

static void test_age_skew(void)
{
    skewed(100, 100, 0);
    skewed(130, 100, 30);
    skewed(100, 130, -30);
}

/* ---- server_name, authorities, chains */

struct seen {
    bool name;
};

static void look(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)conn;
    struct seen *s = arg;
    if (e->kind == HF_TRACE_GROUP && !e->sent && strcmp(e->name, "server_name") == 0)
        s->name = true;
}

static void test_silent_name(void)
{
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        for (int on = 0; on < 2; on++) {
            struct pair p;
            struct seen s = {0};
            pair_init(&p, PKI_P256);
            CHECK(hf_config_set_versions(p.client_config, version, version));
            CHECK(hf_config_set_trace(p.client_config, look, &s));
            CHECK(hf_config_set_acknowledge_name(p.server_config, on));
            CHECK(pair_shake(&p));
            CHECK_STR(hf_conn_server_name(p.server.conn), "server.example");
            CHECK_INT(s.name, on);
            pair_clear(&p);
        }
    }
}

static const uint8_t some_name[] = {0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
                                    0x55, 0x04, 0x03, 0x0c, 0x02, 'C',  'A'};

static bool show_none(hf_conn *conn, const hf_question *q, void *arg)
{
    const struct nego *n = &conn->hs->n;
    (void)q;
    CHECK_INT(n->peer_authorities_len, 2 * (2 + sizeof some_name));
    CHECK(n->peer_authorities &&
          memcmp(n->peer_authorities + 2, some_name, sizeof some_name) == 0);
    *(bool *)arg = true;
    return hf_answer_credential(conn, NULL);
}

static void test_authorities_by_name(void)
{
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        struct pair p;
        bool asked = false;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, version, version));
        CHECK(hf_config_set_ask(p.client_config, HF_ASK_CREDENTIAL, show_none, &asked));
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
        CHECK(hf_config_add_authority(p.server_config, some_name, sizeof some_name));
        CHECK(hf_config_add_authority(p.server_config, some_name, sizeof some_name));
        CHECK(pair_shake(&p));
        CHECK(asked);
        pair_clear(&p);
    }
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(!hf_config_add_authority(config, some_name, sizeof some_name - 1));
    CHECK_INT(hf_config_error(config)->code, HF_E_CONFIG);
    hf_config_free(config);
}

static void test_max_chain(void)
{
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        for (int i = 0; i < 3; i++) {
            static const hf_code codes[] = {HF_OK, HF_E_CHAIN_TOO_LONG, HF_E_MESSAGE_TOO_LONG};
            struct pair p; /* whose server shows two certificates */
            pair_init(&p, PKI_RSA);
            CHECK(hf_config_set_versions(p.client_config, version, version));
            CHECK(hf_config_set_max_chain(p.client_config, i == 1 ? 1 : 2,
                                          i == 2 ? 1024 : 131072));
            CHECK_INT(pair_shake(&p), i == 0);
            CHECK_INT(end_code(&p.client), codes[i]);
            pair_clear(&p);
        }
    }
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(!hf_config_set_max_chain(config, 0, 131072));
    CHECK(!hf_config_set_max_chain(config, HF_CHAIN_MAX + 1, 131072));
    CHECK(!hf_config_set_max_chain(config, 16, 0));
    hf_config_free(config);
}

/* ---- rsa_pkcs1_sha256_legacy */

static uint16_t client_signs(const char *client, const char *server, uint16_t version,
                             bool *good)
{
    struct pair p;
    pair_init(&p, PKI_RSA);
    CHECK(hf_config_set_versions(p.client_config, version, version));
    CHECK(hf_config_set_signatures(p.client_config, client));
    CHECK(hf_config_set_signatures(p.server_config, server));
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    *good = pair_shake(&p);
    uint16_t scheme = *good ? hf_conn_signature(p.server.conn) : 0;
    if (*good)
        CHECK(hf_conn_signature(p.client.conn) != 0x0420);
    pair_clear(&p);
    return scheme;
}

static void test_legacy_scheme(void)
{
    static const char both[] = "rsa_pkcs1_sha256_legacy:rsa_pss_rsae_sha256:"
                               "ecdsa_secp256r1_sha256:rsa_pkcs1_sha256",
                      without[] = "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256:rsa_pkcs1_sha256";
    bool good;
    CHECK_INT(client_signs(both, both, HF_TLS1_3, &good), 0x0420);
    CHECK_INT(client_signs(both, without, HF_TLS1_3, &good), 0x0804);
    CHECK_INT(client_signs(without, both, HF_TLS1_3, &good), 0x0804);
    CHECK_INT(client_signs(both, both, HF_TLS1_2, &good), 0x0804);
}

/* ---- exporters before the end */

static void test_export_before_the_end(void)
{
    static const char label[] = "EXPORTER-test";
    uint8_t a[32], b[32], out[2048];
    size_t taken, written;
    hf_error err;
    struct pair p;
    fast = late = 0;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_clock(p.client_config, late_clock, NULL));
    CHECK(hf_config_set_clock(p.server_config, late_clock, NULL));
    CHECK(hf_config_set_early_data(p.client_config, true));
    CHECK(hf_config_set_max_early_data(p.server_config, 1000));
    CHECK(pair_shake(&p) && p.sessions == 2);
    CHECK(!hf_conn_export_early(p.client.conn, label, NULL, 0, a, 32, &err));
    CHECK_INT(err.code, HF_E_NOT_HANDSHAKEN);
    late = 60; /* the server's record of replays is old enough */
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    pair_reset(&p);
    late = 120;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[1]));
    CHECK(hf_conn_send_early(p.client.conn, (const uint8_t *)"hi", 2, &taken, out, sizeof out,
                             &written) == HF_DONE);
    CHECK(!hf_conn_export(p.client.conn, label, NULL, 0, a, 32, &err));
    CHECK_INT(err.code, HF_E_NOT_HANDSHAKEN);
    CHECK(hf_conn_export_early(p.client.conn, label, (const uint8_t *)"x", 1, a, 32, &err));
    CHECK(!hf_conn_export(p.server.conn, label, NULL, 0, b, 32, &err));
    wire_put(&p.server.in, out, written);
    uint8_t *data;
    size_t used, len;
    hf_result r =
        hf_conn_receive(p.server.conn, p.server.in.p, p.server.in.len, &used, &data, &len);
    CHECK(r != HF_FAILED);
    wire_drop(&p.server.in, used);
    CHECK(hf_conn_wants(p.server.conn) & HF_IN_HANDSHAKE);
    CHECK_INT(hf_conn_early_data(p.server.conn), HF_EARLY_ACCEPTED);
    CHECK(hf_conn_export_early(p.server.conn, label, (const uint8_t *)"x", 1, b, 32, &err));
    CHECK_MEM(a, b, 32);
    CHECK(hf_conn_export_early(p.server.conn, label, (const uint8_t *)"y", 1, b, 32, &err));
    CHECK(memcmp(a, b, 32) != 0);
    CHECK(hf_conn_export(p.server.conn, label, NULL, 0, b, 32,
                         &err)); /* half a round trip early */
    pair_run(&p);
    CHECK(hf_conn_export(p.client.conn, label, NULL, 0, a, 32, &err));
    CHECK_MEM(a, b, 32);
    CHECK(hf_conn_export(p.server.conn, label, NULL, 0, b, 32, &err));
    CHECK_MEM(a, b, 32);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_ccs_without_session_id);
    RUN(test_second_hello_drops_session);
    RUN(test_equal_suites);
    RUN(test_groups);
    RUN(test_brackets);
    RUN(test_resume_preferred_only);
    RUN(test_tickets_of_the_application);
    RUN(test_no_ticket_of_the_application);
    RUN(test_expired_ticket);
    RUN(test_age_skew);
    RUN(test_silent_name);
    RUN(test_authorities_by_name);
    RUN(test_max_chain);
    RUN(test_legacy_scheme);
    RUN(test_export_before_the_end);
    return check_done();
}

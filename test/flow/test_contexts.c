/* What contexts promise, seen in handshakes: versions, verify modes, options, sessions, server names. */
#include "../unit/check.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "bytes/bytes.h"
#include "connection/conn.h"
#include "handfast_context.h"

static bool done(const struct end *e)
{
    return !(hf_conn_wants(e->conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

/* ---- versions */

/* A configuration for a protocol that can be used, with the certificate and the anchors of the pair; NULL: the
 * protocol is refused. */
static hf_config *config_for(const struct pair *p, hf_protocol protocol, hf_role role)
{
    hf_error err = {0};
    hf_config *c = hf_config_new_protocol(protocol, role, &err);
    if (!c) {
        CHECK_INT(err.code, HF_E_PROHIBITED_PROTOCOL);
        return NULL;
    }
    CHECK(hf_config_insecure_set_security_level(c, 0));
    CHECK(hf_config_set_ciphers(c, "ECDHE+AESGCM:ECDHE+AES"));
    CHECK(hf_config_set_trust(c, p->trust));
    if (role == HF_SERVER)
        CHECK(hf_config_add_credential(c, p->cred));
    return c;
}

/* Which version two protocols agree on; 0: none. */
static uint16_t agreed(hf_protocol client, hf_protocol server)
{
    struct pair p;
    uint16_t version = 0;
    pair_init(&p, PKI_P256);
    hf_config *c = config_for(&p, client, HF_CLIENT), *s = config_for(&p, server, HF_SERVER);
    if (c && s) {
        hf_config_free(p.client_config);
        hf_config_free(p.server_config);
        p.client_config = hf_config_ref(c);
        p.server_config = hf_config_ref(s);
        if (pair_shake(&p))
            version = hf_conn_version(p.client.conn);
        else
            CHECK(hf_conn_error(p.server.conn)->alert == 70 ||
                  hf_conn_error(p.client.conn)->alert == 70);
    }
    hf_config_free(c);
    hf_config_free(s);
    pair_clear(&p);
    return version;
}

/* Python's table of which client and server go together, today: 2 and 3 are no more, and "TLS" is 1.2 or 1.3. */
static void test_protocols(void)
{
    ROW("Y64");
    static const hf_protocol clients[] = {
        HF_PROTOCOL_SSL2,   HF_PROTOCOL_SSL3,   HF_PROTOCOL_TLS,       HF_PROTOCOL_TLS1_0,
        HF_PROTOCOL_TLS1_1, HF_PROTOCOL_TLS1_2, HF_PROTOCOL_TLS_CLIENT};
    static const hf_protocol servers[] = {
        HF_PROTOCOL_SSL2,   HF_PROTOCOL_SSL3,   HF_PROTOCOL_TLS,       HF_PROTOCOL_TLS1_0,
        HF_PROTOCOL_TLS1_1, HF_PROTOCOL_TLS1_2, HF_PROTOCOL_TLS_SERVER};
    static const uint16_t want[7][7] = {
        {0, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, 0, 0, 0},
        {0, 0, HF_TLS1_3, 0, 0, HF_TLS1_2, HF_TLS1_3},
        {0, 0, 0, HF_TLS1_0, 0, 0, 0},
        {0, 0, 0, 0, HF_TLS1_1, 0, 0},
        {0, 0, HF_TLS1_2, 0, 0, HF_TLS1_2, HF_TLS1_2},
        {0, 0, HF_TLS1_3, 0, 0, HF_TLS1_2, HF_TLS1_3},
    };
    for (int c = 0; c < 7; c++) {
        for (int s = 0; s < 7; s++)
            CHECK_INT(agreed(clients[c], servers[s]), want[c][s]);
    }
}

/* The bytes of an extension in a ClientHello that lies in one record; NULL: it is not there. */
static const uint8_t *extension(const uint8_t *hello, size_t len, uint16_t type, size_t *size)
{
    size_t at = 5 + 4 + 2 + 32;
    at += 1 + (size_t)hello[at];
    at += 2 + (size_t)get_u16(hello + at);
    at += 1 + (size_t)hello[at];
    for (at += 2; at + 4 <= len; at += 4 + (size_t)get_u16(hello + at + 2)) {
        if (get_u16(hello + at) != type)
            continue;
        *size = get_u16(hello + at + 2);
        return hello + at + 4;
    }
    return NULL;
}

/* Whatever is asked for: no SSL 3.0, no compression, and the highest version first. */
static void test_hello(void)
{
    ROW("Y08 Y71 Y157");
    struct pair p;
    size_t len, n = 0;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_insecure_set_security_level(p.client_config, 0));
    CHECK(hf_config_set_minimum_version(p.client_config, HF_VERSION_MINIMUM_SUPPORTED));
    CHECK(hf_config_set_ciphers(p.client_config, "ALL"));
    CHECK(hf_config_set_options(p.client_config,
                                hf_config_options(p.client_config) &
                                    ~(HF_OP_NO_SSL3 | HF_OP_NO_COMPRESSION | HF_OP_NO_SSL2)));
    pair_connect(&p);
    const uint8_t *hello = hf_conn_output(p.client.conn, &len);
    CHECK(len > 100 && hello[0] == 22 && get_u16(hello + 3) + 5u == len);
    CHECK_INT(get_u16(hello + 1),
              0x0301); /* of the record: old servers want it (RFC 8446 5.1) */
    CHECK_INT(get_u16(hello + 9), 0x0303);
    size_t at = 5 + 4 + 2 + 32;
    at += 1 + (size_t)hello[at];
    at += 2 + (size_t)get_u16(hello + at);
    CHECK(hello[at] == 1 && hello[at + 1] == 0); /* null is the only compression */
    const uint8_t *versions = extension(hello, len, 43, &n);
    static const uint8_t want[] = {8, 3, 4, 3, 3, 3, 2, 3, 1};
    CHECK_INT(n, sizeof want);
    CHECK_MEM(versions, want, sizeof want);
    pair_reset(&p);
    pair_clear(&p);
    /* and with a minimum, nothing below it */
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_minimum_version(p.client_config, HF_TLS1_3));
    pair_connect(&p);
    hello = hf_conn_output(p.client.conn, &len);
    versions = extension(hello, len, 43, &n);
    CHECK(versions && n == 3 && get_u16(versions + 1) == HF_TLS1_3);
    pair_clear(&p);
}

/* ---- verify modes of a server: what becomes of a client with no, a good or somebody else's certificate */

enum shown { NOTHING, GOOD, FOREIGN };

static void meet(uint16_t version, hf_verify_mode mode, enum shown shown)
{
    struct pair p, other;
    pair_init(&p, PKI_P256);
    pair_init(&other, PKI_P256);
    CHECK(hf_config_set_versions(p.server_config, version, version));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_verify_mode(p.server_config, mode));
    if (shown != NOTHING)
        CHECK(hf_config_add_credential(p.client_config, shown == GOOD ? p.cred : other.cred));
    pair_shake(&p);
    bool refused = mode != HF_CERT_NONE &&
                   (shown == FOREIGN || (shown == NOTHING && mode == HF_CERT_REQUIRED));
    CHECK(done(&p.server) == !refused);
    if (refused) {
        bool none = shown == NOTHING;
        CHECK_INT(end_code(&p.server), !none                  ? HF_E_UNTRUSTED
                                       : version == HF_TLS1_3 ? HF_E_CERTIFICATE_REQUIRED
                                                              : HF_E_NO_CLIENT_CERTIFICATE);
        CHECK_INT(hf_conn_error(p.server.conn)->alert,
                  none ? (version == HF_TLS1_3 ? 116 : 40) : 48);
        CHECK_INT(end_code(&p.client), HF_E_ALERT_RECEIVED);
        CHECK_STR(hf_error_reason(hf_conn_error(p.client.conn)),
                  !none                  ? "TLSV1_ALERT_UNKNOWN_CA"
                  : version == HF_TLS1_3 ? "TLSV13_ALERT_CERTIFICATE_REQUIRED"
                                         : "SSLV3_ALERT_HANDSHAKE_FAILURE");
    } else {
        bool known = mode != HF_CERT_NONE && shown == GOOD;
        CHECK((hf_conn_peer_certificate(p.server.conn, 0) != NULL) == known);
        CHECK(hf_conn_verified(p.server.conn) == known);
        CHECK(done(&p.client));
    }
    pair_clear(&p);
    pair_clear(&other);
}

static void test_verify_modes(void)
{
    ROW("Y49 Y50 Y51 Y156");
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        for (int mode = HF_CERT_NONE; mode <= HF_CERT_REQUIRED; mode++) {
            for (int shown = NOTHING; shown <= FOREIGN; shown++)
                meet(version, (hf_verify_mode)mode, (enum shown)shown);
        }
    }
    /* A client: OPTIONAL is REQUIRED; REQUIRED alone does not look at the name; without either, anybody. */
    for (int i = 0; i < 4; i++) {
        struct pair p;
        hf_trust *nobody = hf_trust_new();
        pair_init(&p, PKI_P256);
        if (i != 1)
            CHECK(hf_config_set_trust(p.client_config, nobody));
        if (i == 3)
            CHECK(hf_config_insecure_no_verify(p.client_config));
        else
            CHECK(hf_config_set_verify_mode(p.client_config,
                                            i == 2 ? HF_CERT_REQUIRED : HF_CERT_OPTIONAL));
        if (i == 1)
            CHECK(hf_config_insecure_no_name_check(p.client_config));
        p.client.conn = hf_conn_new_client(
            p.client_config, i == 1 ? "elsewhere.example" : "server.example", NULL);
        p.server.conn = hf_conn_new_server(p.server_config, NULL);
        pair_run(&p);
        CHECK(done(&p.client) == (i == 1 || i == 3));
        CHECK(hf_conn_verified(p.client.conn) == (i == 1));
        pair_clear(&p);
        hf_trust_free(nobody);
    }
}

/* ---- what was agreed */

static void test_shared(void)
{
    ROW("Y92 Y93 Y104 Y162");
    struct pair p;
    uint16_t shared[64];
    hf_cipher cipher;
    pair_init(&p, PKI_RSA);
    CHECK(hf_config_keep_details(p.server_config, true));
    CHECK(hf_config_keep_details(p.client_config, true));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_verify_mode(p.server_config, HF_CERT_REQUIRED));
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_client_signatures(p.client_config, "rsa_pss_rsae_sha384"));
    CHECK(hf_config_set_suites(
        p.client_config, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
                         "TLS_AES_128_GCM_SHA256:TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_shared_suites(p.server.conn, shared, 64), 3); /* not the one for ECDSA */
    CHECK_INT(shared[0], 0xc030);
    CHECK_INT(shared[1], 0x1303);
    CHECK_INT(shared[2], 0x1301);
    CHECK_INT(hf_conn_shared_suites(p.server.conn, shared, 1), 3);
    CHECK_INT(hf_conn_shared_suites(p.client.conn, shared, 64), 0);
    CHECK(hf_conn_cipher(p.server.conn, &cipher));
    CHECK_STR(cipher.name, "TLS_CHACHA20_POLY1305_SHA256");
    CHECK_STR(cipher.protocol, "TLSv1.3");
    CHECK_INT(cipher.strength_bits, 256);
    CHECK_STR(hf_group_name(hf_conn_group(p.client.conn)), "X25519MLKEM768");
    CHECK_STR(hf_signature_name(hf_conn_signature(p.client.conn)), "rsa_pss_rsae_sha256");
    CHECK_STR(hf_signature_name(hf_conn_own_signature(p.server.conn)), "rsa_pss_rsae_sha256");
    CHECK_STR(hf_signature_name(hf_conn_own_signature(p.client.conn)), "rsa_pss_rsae_sha384");
    CHECK_STR(hf_signature_name(hf_conn_signature(p.server.conn)), "rsa_pss_rsae_sha384");
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn)); /* nobody signs then */
    CHECK_INT(hf_conn_own_signature(p.server.conn), 0);
    CHECK_INT(hf_conn_own_signature(p.client.conn), 0);
    pair_reset(&p);
    /* without details there is nothing to tell, and an old version's suite has an older name */
    hf_config *quiet = hf_config_derive(p.server_config);
    CHECK(hf_config_keep_details(quiet, false));
    CHECK(hf_config_set_maximum_version(quiet, HF_TLS1_2));
    hf_config_free(p.server_config);
    p.server_config = quiet;
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_shared_suites(p.server.conn, shared, 64), 0);
    CHECK_INT(hf_conn_own_signature(p.server.conn), 0);
    CHECK(hf_conn_cipher(p.server.conn, &cipher));
    CHECK_STR(cipher.name, "ECDHE-RSA-AES256-GCM-SHA384");
    CHECK_STR(cipher.protocol, "TLSv1.2");
    pair_clear(&p);
}

static void test_keys_are_used_once(void)
{
    ROW("Y69");
    static const char *const groups[] = {"x25519", "secp256r1", "ffdhe2048", "X25519MLKEM768"};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        struct pair p;
        uint8_t *shares[2];
        size_t size[2] = {0, 0};
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_groups(p.client_config, groups[g]));
        CHECK(hf_config_set_groups(p.server_config, groups[g]));
        CHECK(hf_config_set_options(p.client_config,
                                    hf_config_options(p.client_config) & ~HF_OP_SINGLE_DH_USE));
        for (int i = 0; i < 2; i++) {
            size_t len;
            pair_connect(&p);
            const uint8_t *hello = hf_conn_output(p.client.conn, &len);
            const uint8_t *share = extension(hello, len, 51, &size[i]);
            shares[i] = share ? mem_dup(share, size[i]) : NULL;
            CHECK(share && size[i] > 32);
            pair_reset(&p);
        }
        CHECK(size[0] == size[1] && memcmp(shares[0], shares[1], size[0]) != 0);
        mem_free(shares[0]);
        mem_free(shares[1]);
        pair_clear(&p);
    }
}

static const char *chosen(const char *client, const char *server, bool servers)
{
    struct pair p;
    static char name[64];
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_suites(p.client_config, client));
    CHECK(hf_config_set_suites(p.server_config, server));
    CHECK(hf_config_set_options(p.server_config, servers
                                                     ? hf_config_options(p.server_config)
                                                     : hf_config_options(p.server_config) &
                                                           ~HF_OP_CIPHER_SERVER_PREFERENCE));
    CHECK(pair_shake(&p));
    (void)snprintf(name, sizeof name, "%s", hf_suite_name(hf_conn_suite(p.client.conn)));
    pair_clear(&p);
    return name;
}

/* Whose order counts; ChaCha20 for a client that puts it first, though the server would rather have AES. */
static void test_preference(void)
{
    ROW("Y68");
    static const char a[] = "TLS_AES_128_GCM_SHA256", b[] = "TLS_AES_256_GCM_SHA384",
                      ab[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
                      ba[] = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";
    CHECK_STR(chosen(ab, ba, true), b);
    CHECK_STR(chosen(ab, ba, false), a);
    CHECK_STR(chosen(ba, ab, true), a);
    CHECK_STR(chosen(ba, ab, false), b);
    CHECK_STR(chosen("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
                     "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256", true),
              "TLS_CHACHA20_POLY1305_SHA256");
    CHECK_STR(chosen("TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
                     "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256", true),
              a);
    const char *
        old = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
       *reverse =
           "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    CHECK_STR(chosen(old, reverse, true), "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    CHECK_STR(chosen(old, reverse, false), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

static void count_ccs(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    unsigned *n = arg;
    (void)conn;
    if (e->kind == HF_TRACE_RECORD && e->sent && e->record_type == 20)
        ++*n;
}

/* Each side sends one change_cipher_spec that means nothing (RFC 8446 D.4), and a session ID goes with it; without
 * the option there is neither. */
static void test_middleboxes(void)
{
    ROW("Y70");
    for (int on = 0; on < 2; on++) {
        struct pair p;
        unsigned client = 0, server = 0;
        size_t len;
        pair_init(&p, PKI_P256);
        if (!on) {
            CHECK(hf_config_set_options(p.client_config, hf_config_options(p.client_config) &
                                                             ~HF_OP_ENABLE_MIDDLEBOX_COMPAT));
            CHECK(hf_config_set_options(p.server_config, hf_config_options(p.server_config) &
                                                             ~HF_OP_ENABLE_MIDDLEBOX_COMPAT));
        }
        CHECK(hf_config_set_trace(p.client_config, count_ccs, &client));
        CHECK(hf_config_set_trace(p.server_config, count_ccs, &server));
        pair_connect(&p);
        const uint8_t *hello = hf_conn_output(p.client.conn, &len);
        CHECK_INT(hello[43], on ? 32 : 0);
        pair_run(&p);
        CHECK(done(&p.client) && done(&p.server));
        CHECK_INT(client, on);
        CHECK_INT(server, on);
        pair_clear(&p);
    }
}

/* ---- sessions */

static void no_tickets(struct pair *p, hf_config *config)
{
    CHECK(hf_config_set_options(config, hf_config_options(config) | HF_OP_NO_TICKET));
    (void)p;
}

static bool resume(struct pair *p, unsigned i)
{
    pair_reset(p);
    pair_connect(p);
    (void)hf_conn_set_session(p->client.conn, p->session[i]);
    pair_run(p);
    CHECK(done(&p->client) && done(&p->server));
    CHECK(hf_conn_resumed(p->client.conn) == hf_conn_resumed(p->server.conn));
    return hf_conn_resumed(p->client.conn);
}

static void test_no_ticket(void)
{
    ROW("Y72");
    struct pair p;
    hf_session_stats stats;
    for (int who = 0; who < 2; who++) { /* TLS 1.2: by ID, whoever wants no ticket */
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_maximum_version(p.server_config, HF_TLS1_2));
        no_tickets(&p, who ? p.server_config : p.client_config);
        CHECK(pair_shake(&p));
        CHECK_INT(p.sessions, 1);
        CHECK(!hf_session_has_ticket(p.session[0]));
        CHECK(resume(&p, 0));
        pair_clear(&p);
    }
    /* TLS 1.3: a ticket is a number, its session is in the server's cache until it is used */
    pair_init(&p, PKI_P256);
    no_tickets(&p, p.server_config);
    CHECK(pair_shake(&p));
    CHECK_INT(p.sessions, 2);
    CHECK(hf_session_has_ticket(p.session[0]) && p.session[0]->ticket_len == 32);
    CHECK(memcmp(p.session[0]->ticket, p.session[1]->ticket, 32) != 0);
    hf_config_session_stats(p.server_config, &stats);
    CHECK_INT(stats.cached, 2);
    uint8_t bytes[8192];
    size_t len = hf_session_export(p.session[0], bytes, sizeof bytes);
    hf_session *again = hf_session_import(bytes, len, NULL);
    CHECK(resume(&p, 0));
    hf_config_session_stats(p.server_config, &stats);
    CHECK_INT(stats.cached, 2); /* one went, a new one came */
    CHECK_INT(stats.hits, 1);
    pair_reset(&p);
    pair_connect(&p); /* the same number does not serve twice */
    CHECK(hf_conn_set_session(p.client.conn, again));
    pair_run(&p);
    CHECK(done(&p.client) && !hf_conn_resumed(p.client.conn));
    hf_config_flush_sessions(p.server_config, 0);
    CHECK(!resume(&p, 1)); /* nor one that the cache has lost */
    hf_session_free(again);
    pair_clear(&p);
    /* the ID of an older session, which travels in clear, is no ticket, and its session stays */
    pair_init(&p, PKI_P256);
    no_tickets(&p, p.server_config);
    CHECK(hf_config_set_maximum_version(p.client_config, HF_TLS1_2));
    CHECK(pair_shake(&p) && p.sessions == 1);
    hf_session *forged = session_new();
    *forged = (hf_session){.version = HF_TLS1_3,
                           .suite = 0x1301,
                           .secret_len = 32,
                           .lifetime = 7200,
                           .issued_ms = (int64_t)PKI_NOW * 1000,
                           .started = PKI_NOW,
                           .verified = true,
                           .named = true};
    forged->refs = 1;
    forged->server_name = mem_strdup("server.example");
    forged->ticket = mem_dup(p.session[0]->id, 32);
    forged->ticket_len = 32;
    hf_config *newer = hf_config_derive(p.client_config);
    CHECK(hf_config_set_maximum_version(newer, HF_TLS1_3));
    hf_config *older = p.client_config;
    pair_reset(&p);
    p.client_config = newer;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, forged));
    pair_run(&p);
    CHECK(done(&p.client) && !hf_conn_resumed(p.client.conn));
    pair_reset(&p);
    hf_session_free(forged);
    hf_config_free(newer);
    p.client_config = older;
    CHECK(resume(&p, 0));
    pair_clear(&p);
    /* with a retry in between it is looked up twice and used once */
    pair_init(&p, PKI_P256);
    no_tickets(&p, p.server_config);
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(pair_shake(&p));
    CHECK(resume(&p, 0) && hf_conn_retried(p.client.conn));
    pair_clear(&p);
    /* without a cache there is nothing to give */
    pair_init(&p, PKI_P256);
    no_tickets(&p, p.server_config);
    CHECK(hf_config_set_session_cache(p.server_config, 0, 7200));
    CHECK(pair_shake(&p));
    CHECK_INT(p.sessions, 0);
    pair_clear(&p);
}

static void test_session(void)
{
    ROW("Y103 Y154 Y160 C31");
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        struct pair p;
        uint8_t key[2][HF_SESSION_KEY_SIZE], bytes[8192];
        size_t len;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_maximum_version(p.server_config, version));
        CHECK(hf_config_set_tickets(p.server_config, 2, 1234));
        CHECK(hf_config_set_alpn(p.client_config, "http/1.1", false));
        CHECK(hf_config_set_alpn(p.server_config, "http/1.1", false));
        CHECK(hf_config_set_max_early_data(p.server_config, version == HF_TLS1_3 ? 4096 : 0));
        CHECK(pair_shake(&p));
        CHECK_INT(p.sessions, version == HF_TLS1_3 ? 2 : 1);
        const hf_session *s = p.session[0];
        CHECK_INT(hf_session_time(s), PKI_NOW);
        CHECK_INT(hf_session_timeout(s), 1234);
        CHECK_INT(hf_session_lifetime_hint(s), 1234);
        CHECK_INT(hf_session_expires(s), PKI_NOW + 1234);
        CHECK(hf_session_has_ticket(s));
        CHECK((hf_session_id(s, &len) != NULL) == (version == HF_TLS1_2) &&
              (len > 0) == (version == HF_TLS1_2));
        CHECK_INT(hf_session_max_early_data(s), version == HF_TLS1_3 ? 4096 : 0);
        CHECK_STR(hf_session_server_name(s), "server.example");
        CHECK_INT(hf_session_version(s), version);
        hf_session_key(s, key[0]);
        if (version == HF_TLS1_3) {
            hf_session_key(p.session[1], key[1]);
            CHECK(memcmp(key[0], key[1], sizeof key[0]) != 0);
        }
        len = hf_session_export(s, bytes, sizeof bytes);
        CHECK(len > 0 && len < sizeof bytes);
        hf_session *copy = hf_session_import(bytes, len, NULL);
        hf_session_key(copy, key[1]);
        CHECK_MEM(key[0], key[1], sizeof key[0]);
        CHECK_INT(hf_session_time(copy), PKI_NOW);
        hf_session_free(copy);
        CHECK(resume(&p, 0));
        CHECK(hf_conn_peer_certificate(p.client.conn, 0) && hf_conn_verified(p.client.conn));
        hf_conn *again = hf_conn_new_client(p.client_config, "server.example", NULL);
        CHECK(hf_conn_set_session(again, p.session[0]) ==
              (version == HF_TLS1_2)); /* once (C.4) */
        hf_conn_free(again);
        /* too late: the handshake is over */
        CHECK(!hf_conn_set_session(p.client.conn, p.session[0]));
        CHECK(!hf_conn_set_session(p.server.conn, p.session[0]));
        pair_reset(&p);
        /* another name, or a context that demands more than the session stands for */
        hf_conn *other = hf_conn_new_client(p.client_config, "a.wild.example", NULL);
        CHECK(!hf_conn_set_session(other, p.session[p.sessions - 1]));
        hf_conn_free(other);
        pair_clear(&p);
    }
    hf_config *week = hf_config_new(HF_SERVER); /* seven days at most (RFC 8446 4.6.1) */
    CHECK(hf_config_set_tickets(week, 1, 604800));
    CHECK(!hf_config_set_tickets(week, 1, 604801));
    hf_config_free(week);
    struct pair p; /* without a ticket there is no hint, but there is a time */
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_maximum_version(p.client_config, HF_TLS1_2));
    CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    CHECK(pair_shake(&p));
    CHECK(!hf_session_has_ticket(p.session[0]));
    CHECK_INT(hf_session_lifetime_hint(p.session[0]), 0);
    CHECK_INT(hf_session_timeout(p.session[0]), 7200);
    pair_clear(&p);
}

static void test_ticket_numbers(void)
{
    ROW("Y141");
    static const unsigned counts[] = {0, 1, 2, 16};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int asked = -1; asked < 4; asked += 2) {
            struct pair p;
            pair_init(&p, PKI_P256);
            CHECK(hf_config_set_tickets(p.server_config, counts[i], 7200));
            CHECK_INT(hf_config_ticket_count(p.server_config), counts[i]);
            if (asked >= 0) /* RFC 9149: the client has a say in it */
                CHECK(hf_config_set_ticket_request(p.client_config, (unsigned)asked, 1));
            CHECK(pair_shake(&p));
            CHECK_INT(p.sessions, asked < 0 || counts[i] == 0 ? counts[i] : (unsigned)asked);
            pair_clear(&p);
        }
    }
    hf_config *c = hf_config_new(HF_SERVER); /* a flood of them is a mistake, and is said so */
    CHECK(!hf_config_set_tickets(c, 255, 7200));
    CHECK(strstr(hf_config_error(c)->detail, "at most 16") != NULL);
    hf_config_free(c);
}

/* The eleven numbers of session_stats(), along a story. */
static void test_statistics(void)
{
    ROW("Y137");
    struct pair p;
    hf_session_stats c, s;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_maximum_version(p.client_config, HF_TLS1_2));
    CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    CHECK(hf_config_set_renegotiation(p.client_config, 1));
    CHECK(hf_config_set_renegotiation(p.server_config, 1));
    CHECK(hf_config_set_session_cache(p.server_config, 2, 7200));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_renegotiate(p.client.conn, NULL), HF_DONE);
    pair_run(&p);
    CHECK(resume(&p, 0));
    for (int i = 0; i < 3; i++) { /* two have room */
        pair_reset(&p);
        CHECK(pair_shake(&p));
    }
    CHECK(!resume(&p, 0)); /* it had to go */
    pair_reset(&p);
    pair_connect(&p);
    p.server.in.len = 0;
    wire_put(&p.server.in, "GET /", 5); /* begun, never finished */
    pair_run(&p);
    hf_config_session_stats(p.client_config, &c);
    hf_config_session_stats(p.server_config, &s);
    CHECK_INT(s.accept, 6); /* garbage is no ClientHello */
    CHECK_INT(s.accept_good, 7);
    CHECK_INT(s.accept_renegotiate, 1);
    CHECK_INT(s.connect + s.connect_good + s.connect_renegotiate, 0);
    CHECK_INT(s.hits, 1);
    CHECK_INT(s.misses, 1);
    CHECK_INT(s.timeouts, 0);
    CHECK(s.cache_full >= 2);
    CHECK_INT(s.cached, 2);
    CHECK_INT(c.connect, 7);
    CHECK_INT(c.connect_good, 7);
    CHECK_INT(c.connect_renegotiate, 1);
    CHECK_INT(c.hits, 1);
    CHECK_INT(c.accept + c.accept_good + c.accept_renegotiate, 0);
    pair_clear(&p);
}

/* ---- the server's name */

struct naming {
    hf_config *other;
    int alert; /* -1: answer, -2: wait */
    unsigned calls;
    char name[64];
};

static bool on_hello(hf_conn *conn, const hf_question *q, void *arg)
{
    struct naming *n = arg;
    n->calls++;
    CHECK(q->hello_len > 50 && q->hello[0] == 1);
    CHECK((q->server_name == NULL) == (hf_conn_server_name(conn) == NULL));
    n->name[0] = 0;
    if (q->server_name)
        memcpy(n->name, q->server_name, strlen(q->server_name) + 1);
    if (n->alert == -2)
        return false;
    return n->alert < 0 ? hf_answer_hello(conn, n->other)
                        : hf_answer_refuse(conn, (uint8_t)n->alert);
}

static void name_connect(struct pair *p, const char *name)
{
    p->client.conn = hf_conn_new_client(p->client_config, name, NULL);
    p->server.conn = hf_conn_new_server(p->server_config, NULL);
    CHECK(p->client.conn && p->server.conn);
    pair_run(p);
}

static void test_server_name(void)
{
    ROW("Y124");
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        struct pair p;
        struct naming n = {.alert = -1};
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_maximum_version(p.client_config, version));
        CHECK(hf_config_insecure_no_name_check(p.client_config));
        CHECK(hf_config_set_ask(p.server_config, HF_ASK_HELLO, on_hello, &n));
        name_connect(&p, "xn--pythn-mua.org"); /* A-labels come as they are */
        CHECK(done(&p.client));
        CHECK_STR(n.name, "xn--pythn-mua.org");
        CHECK_STR(hf_conn_server_name(p.server.conn), "xn--pythn-mua.org");
        pair_reset(&p);
        name_connect(&p, NULL); /* no name: it is asked all the same */
        CHECK(done(&p.client) && n.calls == 2);
        CHECK_STR(n.name, "");
        pair_reset(&p);
        name_connect(&p, "127.0.0.1"); /* an address is no name (RFC 6066 3) */
        CHECK(done(&p.client) && n.calls == 3);
        CHECK_STR(n.name, "");
        pair_reset(&p);
        static const int alerts[] = {112, 40, 49, 80, 1, 254};
        for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++) {
            n.alert = alerts[i];
            name_connect(&p, "server.example");
            CHECK_INT(end_code(&p.server), HF_E_REFUSED);
            CHECK_INT(end_code(&p.client), HF_E_ALERT_RECEIVED);
            CHECK_INT(hf_conn_error(p.client.conn)->alert, alerts[i]);
            pair_reset(&p);
        }
        n.alert = -2; /* later: another context, or a refusal */
        n.other = hf_config_derive(p.server_config);
        CHECK(hf_config_set_alpn(n.other, "chosen", false));
        CHECK(hf_config_set_alpn(p.client_config, "chosen", false) == false); /* in use */
        for (int i = 0; i < 2; i++) {
            size_t len;
            name_connect(&p, "server.example");
            CHECK(hf_conn_question(p.server.conn) != NULL);
            CHECK(!hf_answer_refuse(p.server.conn, 0) && !hf_answer_refuse(p.server.conn, 255));
            CHECK(i ? hf_answer_refuse(p.server.conn, 112)
                    : hf_answer_hello(p.server.conn, n.other));
            (void)hf_conn_handshake(p.server.conn);
            pair_run(&p);
            CHECK(done(&p.client) == (i == 0));
            CHECK(hf_conn_config(p.server.conn) == (i ? p.server_config : n.other));
            (void)hf_conn_alpn(p.server.conn, &len);
            pair_reset(&p);
        }
        hf_config_free(n.other);
        hf_config *silent = hf_config_derive(p.server_config); /* NULL: nobody is asked */
        CHECK(hf_config_set_ask(silent, HF_ASK_HELLO, NULL, NULL));
        hf_config_free(p.server_config);
        p.server_config = silent;
        unsigned calls = n.calls;
        name_connect(&p, "server.example");
        CHECK(done(&p.client) && n.calls == calls);
        pair_clear(&p);
    }
}

/* ---- ALPN */

static hf_alpn_choice ignore(hf_conn *conn, const uint8_t *list, size_t len,
                             const uint8_t **name, size_t *name_len, void *arg)
{
    (void)conn, (void)list, (void)len, (void)name, (void)name_len, (void)arg;
    return HF_ALPN_NONE;
}

/* Python's own way with a mismatch, for who wants it: no protocol, and no alert. */
static void mismatch_ignored(void)
{
    struct pair p;
    size_t len;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_alpn(p.client_config, "h2", false));
    CHECK(hf_config_set_alpn_callback(p.server_config, ignore, NULL));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_alpn(p.client.conn, &len) == NULL);
    pair_clear(&p);
}

static void test_alpn(void)
{
    ROW("Y96 Y122");
    mismatch_ignored();
    for (int required = 0; required < 2; required++) {
        struct pair p;
        size_t len;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", required));
        CHECK(pair_shake(&p) == !required); /* a server that knows none */
        CHECK(hf_conn_alpn(p.client.conn, &len) == NULL && len == 0);
        CHECK_INT(end_code(&p.client), required ? HF_E_NO_APPLICATION_PROTOCOL : HF_OK);
        pair_clear(&p);
        pair_init(&p, PKI_P256); /* one that knows others only: always fatal (RFC 7301 3.2) */
        CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", required));
        CHECK(hf_config_set_alpn(p.server_config, "imap", required));
        CHECK(!pair_shake(&p));
        CHECK_INT(hf_conn_error(p.client.conn)->alert, HF_ALERT_NO_APPLICATION_PROTOCOL);
        pair_clear(&p);
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", required));
        CHECK(hf_config_set_alpn(p.server_config, "http/1.1,h2", required));
        CHECK(pair_shake(&p));
        CHECK_MEM(hf_conn_alpn(p.client.conn, &len), "http/1.1", 8);
        CHECK_INT(len, 8);
        pair_clear(&p);
    }
}

/* ---- after the handshake */

static void test_http2(void)
{
    ROW("Y143");
    static const char *const protocols[] = {"h2", "http/1.1"};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        hf_error err = {0};
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_post_handshake_auth(p.client_config, true));
        CHECK(hf_config_set_post_handshake_auth(p.server_config, true));
        CHECK(hf_config_post_handshake_auth(p.server_config));
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        CHECK(hf_config_set_alpn(p.client_config, protocols[i], true));
        CHECK(hf_config_set_alpn(p.server_config, protocols[i], true));
        CHECK(pair_shake(&p));
        CHECK_INT(hf_conn_post_auth(p.server.conn),
                  i ? HF_POST_AUTH_POSSIBLE : HF_POST_AUTH_NONE);
        hf_result r = hf_conn_request_certificate(p.server.conn, HF_CLIENT_AUTH_REQUIRE, &err);
        CHECK_INT(r, i ? HF_DONE : HF_FAILED);
        CHECK_INT(err.code, i ? HF_OK : HF_E_USAGE);
        CHECK(i || strstr(err.detail, "RFC 8740"));
        pair_run(&p);
        CHECK((hf_conn_peer_certificate(p.server.conn, 0) != NULL) == (i == 1));
        CHECK_INT(pair_send(&p, &p.client, "alive", 5), HF_DONE);
        CHECK_INT(p.server.data.len, 5);
        pair_clear(&p);
    }
}

int main(void)
{
    RUN(test_protocols);
    RUN(test_hello);
    RUN(test_verify_modes);
    RUN(test_shared);
    RUN(test_keys_are_used_once);
    RUN(test_preference);
    RUN(test_middleboxes);
    RUN(test_no_ticket);
    RUN(test_session);
    RUN(test_ticket_numbers);
    RUN(test_statistics);
    RUN(test_server_name);
    RUN(test_alpn);
    RUN(test_http2);
    return check_done();
}

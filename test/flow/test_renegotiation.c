/* Renegotiation (RFC 5246 7.4.1.1, RFC 5746): what it may do, what it may not, and the attacks on it. */
#include "../unit/check.h"
#include "old.h"

#include <stdlib.h>

#include "config/cache.h"

static const char ecdhe[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";

static void allow(struct pair *p)
{
    CHECK(hf_config_set_renegotiation(p->client_config, 5));
    CHECK(hf_config_set_renegotiation(p->server_config, 5));
}

static void start(struct pair *p, uint16_t version, const char *suite)
{
    old_start(p, version, suite);
    allow(p);
    CHECK(hf_config_set_trust(p->server_config, p->trust));
}

static bool again(struct pair *p, struct end *from)
{
    hf_error err;
    int before = p->client.conn->est.renegotiations;
    if (hf_conn_renegotiate(from->conn, &err) != HF_DONE)
        return false;
    pair_run(p);
    return end_shaken(&p->client) && end_shaken(&p->server) &&
           p->client.conn->est.renegotiations == before + 1;
}

/* ---- what it may do */

static void test_every_kind(void)
{
    ROW("C25");
    static const char *const suites[] = {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDH_anon_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_NULL_SHA",
    };
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
            struct pair p;
            if (v < HF_TLS1_2 && strstr(suites[i], "GCM"))
                continue;
            start(&p, v, suites[i]);
            CHECK(pair_shake(&p));
            CHECK_MSG(again(&p, &p.client) && old_echo(&p), "%s by the client", suites[i]);
            CHECK_MSG(again(&p, &p.server) && old_echo(&p), "%s by the server", suites[i]);
            CHECK_INT(hf_conn_version(p.client.conn), v);
            pair_clear(&p);
        }
    }
}

/* The server asks for a certificate only in the second handshake. */
static void test_client_certificate_later(void)
{
    struct pair p;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(pair_shake(&p));
    CHECK(!hf_conn_peer_certificate(p.server.conn, 0) && !hf_conn_verified(p.server.conn));
    hf_config *stricter = hf_config_derive(p.server_config);
    CHECK(hf_config_set_client_auth(stricter, HF_CLIENT_AUTH_REQUIRE));
    CHECK(hf_config_freeze(stricter, NULL));
    hf_config_free(p.server.conn->config);
    p.server.conn->config = stricter;
    CHECK(again(&p, &p.server));
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) && hf_conn_verified(p.server.conn));
    CHECK(old_echo(&p));
    pair_clear(&p);
}

/* The same, as an application does it: by the ClientHello's question. */
static hf_config *chosen;
static unsigned hellos;

static bool choose(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)arg;
    CHECK(q->hello && q->hello_len > 40);
    return hf_answer_hello(conn, hellos++ ? chosen : NULL);
}

static void test_client_certificate_by_question(void)
{
    struct pair p;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    hellos = 0;
    CHECK(hf_config_set_ask(p.server_config, HF_ASK_HELLO, choose, NULL));
    chosen = hf_config_derive(p.server_config);
    CHECK(hf_config_set_client_auth(chosen, HF_CLIENT_AUTH_REQUIRE));
    CHECK(pair_shake(&p));
    CHECK(!hf_conn_peer_certificate(p.server.conn, 0));
    CHECK(again(&p, &p.server));
    CHECK_INT(hellos, 2);
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) && hf_conn_verified(p.server.conn));
    hf_config_free(chosen);
    pair_clear(&p);
}

/* Both at once: the client's ClientHello and the server's HelloRequest cross. "This message will be ignored by
 * the client if the client is currently negotiating a session" (RFC 5246 7.4.1.1). */
static void test_both_at_once(void)
{
    struct pair p;
    hf_error err;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    CHECK(hf_conn_renegotiate(p.server.conn, &err) == HF_DONE);
    CHECK(pair_pump(&p.server, &p.client)); /* the request first */
    pair_run(&p);
    CHECK(end_shaken(&p.client) && end_shaken(&p.server));
    CHECK_INT(p.client.conn->est.renegotiations, 1);
    CHECK_INT(p.server.conn->est.renegotiations, 1);
    CHECK(old_echo(&p));
    pair_clear(&p);
}

/* Data of the handshake before may come until the keys change. */
static void test_data_in_between(void)
{
    struct pair p;
    hf_error err;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.server.conn, &err) == HF_DONE);
    CHECK_INT(pair_send(&p, &p.client, "before", 6), HF_DONE);
    CHECK_INT(p.server.data.len, 6);
    CHECK(pair_pump(&p.server, &p.client)); /* HelloRequest */
    CHECK(hf_conn_wants(p.client.conn) & HF_IN_HANDSHAKE);
    CHECK(!(hf_conn_wants(p.client.conn) & HF_CAN_SEND));
    CHECK_INT(pair_send(&p, &p.client, "no", 2), HF_WANT_INPUT);
    CHECK_INT(pair_send(&p, &p.server, "still old", 9), HF_DONE);
    CHECK_INT(p.client.data.len, 9);
    pair_run(&p);
    CHECK(end_shaken(&p.client) && old_echo(&p));
    pair_clear(&p);
}

/* What was agreed before stays in force, and is seen, until the new handshake is done. */
static void test_old_state_until_done(void)
{
    struct pair p;
    hf_error err;
    uint8_t a[16], b[16];
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p));
    CHECK(hf_conn_export(p.client.conn, "label", NULL, 0, a, sizeof a, &err));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    CHECK(hf_conn_suite(p.client.conn) && hf_conn_verified(p.client.conn));
    CHECK(hf_conn_peer_certificate(p.client.conn, 0) != NULL);
    CHECK(hf_conn_export(p.client.conn, "label", NULL, 0, b, sizeof b, &err));
    CHECK_MEM(a, b, sizeof a);
    pair_run(&p);
    CHECK(hf_conn_export(p.client.conn, "label", NULL, 0, b, sizeof b, &err));
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK(hf_conn_export(p.server.conn, "label", NULL, 0, a, sizeof a, &err));
    CHECK_MEM(a, b, sizeof a);
    pair_clear(&p);
}

/* Whoever sleeps is woken up by it, in both directions. */
static void test_out_of_hibernation(void)
{
    for (int by_server = 0; by_server < 2; by_server++) {
        struct pair p;
        start(&p, HF_TLS1_2, ecdhe);
        CHECK(pair_shake(&p));
        CHECK(hf_conn_hibernate(p.client.conn) && hf_conn_hibernate(p.server.conn));
        CHECK(again(&p, by_server ? &p.server : &p.client));
        CHECK(hf_conn_hibernate(p.client.conn) && hf_conn_hibernate(p.server.conn));
        CHECK(old_echo(&p));
        pair_clear(&p);
    }
}

/* The counters that are known from libssl. */
static void test_counted(void)
{
    struct pair p;
    hf_session_stats c, s;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p) && again(&p, &p.client) && again(&p, &p.server));
    hf_config_session_stats(p.client_config, &c);
    hf_config_session_stats(p.server_config, &s);
    CHECK_INT(c.connect, 1);
    CHECK_INT(c.connect_renegotiate, 2);
    CHECK_INT(s.accept, 1);
    CHECK_INT(s.accept_renegotiate, 2);
    pair_clear(&p);
}

/* After a resumed handshake, and what comes of sessions within one. */
static void test_with_resumption(void)
{
    struct pair p;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p));
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    CHECK(again(&p, &p.client));
    CHECK(!hf_conn_resumed(p.client.conn) && !hf_conn_resumed(p.server.conn));
    CHECK(hf_conn_verified(p.client.conn) && old_echo(&p));
    unsigned last = p.sessions - 1;
    CHECK(last > 0); /* the renegotiation gave a session of its own */
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[last]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn) && old_echo(&p));
    pair_clear(&p);
}

/* The application offers a session: resumed by the wish of either side, and nothing but what is good is offered. */
static hf_session *offered;

static hf_session *offer(hf_conn *conn, void *arg)
{
    (void)arg;
    CHECK_INT(hf_conn_version(conn), HF_TLS1_2);
    return offered ? hf_session_ref(offered) : NULL;
}

static void test_offered_session(void)
{
    struct pair p;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_renegotiation_session(p.client_config, offer, NULL));
    offered = NULL;
    CHECK(pair_shake(&p));
    CHECK(again(&p, &p.server) && !hf_conn_resumed(p.client.conn));
    offered = p.session[p.sessions - 1];
    CHECK(again(&p, &p.server) && hf_conn_resumed(p.client.conn) &&
          hf_conn_resumed(p.server.conn));
    CHECK(hf_conn_verified(p.client.conn) && hf_conn_peer_certificate(p.client.conn, 0));
    CHECK(old_echo(&p));
    CHECK(again(&p, &p.client) && hf_conn_resumed(p.client.conn) && old_echo(&p));
    offered->version = HF_TLS1_1;
    CHECK(again(&p, &p.client) && !hf_conn_resumed(p.client.conn) && old_echo(&p));
    pair_clear(&p);
}

/* A session with somebody else would bring him in (RFC 7627 6.2). */
static void test_offered_session_of_another(void)
{
    struct pair p;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_renegotiation_session(p.client_config, offer, NULL));
    offered = NULL;
    CHECK(pair_shake(&p));
    offered = p.session[p.sessions - 1];
    struct chain *good = offered->chain;
    struct pki_cert *cert = pki_make(&(struct pki_spec){0}, NULL);
    hf_certificate *other = hf_certificate_parse(cert->der, cert->der_len, NULL);
    CHECK(other && (offered->chain = chain_new(&other, 1)));
    CHECK(again(&p, &p.client) && !hf_conn_resumed(p.client.conn) && old_echo(&p));
    chain_free(offered->chain);
    offered->chain = NULL;
    CHECK(again(&p, &p.client) && !hf_conn_resumed(p.client.conn) && old_echo(&p));
    offered->chain = good;
    CHECK(again(&p, &p.client) && hf_conn_resumed(p.client.conn) && old_echo(&p));
    hf_certificate_free(other);
    pki_free(cert);
    pair_clear(&p);
}

/* ---- refusals */

static void test_off_by_default(void)
{
    ROW("Y67");
    struct pair p;
    hf_error err;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_FAILED && err.code == HF_E_USAGE);
    CHECK(hf_conn_renegotiate(p.server.conn, &err) == HF_FAILED && err.code == HF_E_USAGE);
    CHECK(strstr(err.detail, "hf_config_set_renegotiation") != NULL);
    CHECK(!hf_conn_error(p.client.conn) && old_echo(&p));
    pair_clear(&p);
}

static void test_not_in_tls13(void)
{
    struct pair p;
    hf_error err;
    pair_init(&p, PKI_P256);
    allow(&p);
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_version(p.client.conn), HF_TLS1_3);
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_FAILED && err.code == HF_E_USAGE);
    CHECK(old_echo(&p));
    static const uint8_t request[] = {MSG_HELLO_REQUEST, 0, 0, 0};
    CHECK_INT(old_record(&p.server, &p.client, REC_HANDSHAKE, request, 4), HF_FAILED);
    CHECK_INT(hf_conn_error(p.client.conn)->alert, 10);
    pair_clear(&p);
}

/* A client that does not want to answers a warning each time, and not without end. */
static void test_requests_without_end(void)
{
    ROW("Y67");
    struct pair p;
    static const uint8_t request[] = {MSG_HELLO_REQUEST, 0, 0, 0};
    old_start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p));
    for (int i = 0; i < 4; i++) {
        CHECK_INT(old_record(&p.server, &p.client, REC_HANDSHAKE, request, 4), HF_WANT_INPUT);
        CHECK(pair_pump(&p.client, &p.server)); /* no_renegotiation */
        CHECK(!hf_conn_error(p.server.conn));
    }
    CHECK_INT(old_record(&p.server, &p.client, REC_HANDSHAKE, request, 4), HF_FAILED);
    CHECK_REFUSED(&p.client, HF_E_NO_RENEGOTIATION, 100);
    pair_clear(&p);
}

static void test_hello_request_with_body(void)
{
    struct pair p;
    static const uint8_t request[] = {MSG_HELLO_REQUEST, 0, 0, 1, 0};
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p));
    CHECK_INT(old_record(&p.server, &p.client, REC_HANDSHAKE, request, 5), HF_FAILED);
    CHECK_INT(hf_conn_error(p.client.conn)->alert, 50);
    pair_clear(&p);
}

/* Messages that no handshake begins with. */
static void test_other_messages_afterwards(void)
{
    static const uint8_t types[] = {MSG_CLIENT_HELLO,
                                    MSG_SERVER_HELLO,
                                    MSG_NEW_SESSION_TICKET,
                                    MSG_CERTIFICATE,
                                    MSG_FINISHED,
                                    MSG_KEY_UPDATE,
                                    MSG_HELLO_REQUEST,
                                    MSG_CLIENT_KEY_EXCHANGE,
                                    99};
    for (size_t i = 0; i < sizeof types; i++) {
        for (int server = 0; server < 2; server++) {
            struct pair p;
            uint8_t m[4] = {types[i]};
            if (types[i] == (server ? MSG_CLIENT_HELLO : MSG_HELLO_REQUEST))
                continue;
            start(&p, HF_TLS1_2, ecdhe);
            CHECK(pair_shake(&p));
            struct end *to = server ? &p.server : &p.client;
            struct end *from = server ? &p.client : &p.server;
            CHECK_INT(old_record(from, to, REC_HANDSHAKE, m, 4), HF_FAILED);
            CHECK_REFUSED(to, HF_E_UNEXPECTED_MESSAGE, 10);
            pair_clear(&p);
        }
    }
}

/* change_cipher_spec after the handshake has no place at all. */
static void test_change_cipher_spec_afterwards(void)
{
    for (int server = 0; server < 2; server++) {
        struct pair p;
        start(&p, HF_TLS1_2, ecdhe);
        CHECK(pair_shake(&p));
        struct end *to = server ? &p.server : &p.client;
        CHECK_INT(old_record(server ? &p.client : &p.server, to, REC_CCS, "\1", 1), HF_FAILED);
        CHECK_REFUSED(to, HF_E_UNEXPECTED_RECORD, 10);
        pair_clear(&p);
    }
}

/* no_renegotiation in the middle of a renegotiation is no way back to the old keys. */
static void test_refusal_too_late(void)
{
    struct pair p;
    hf_error err;
    static const uint8_t warning[] = {1, 100};
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    CHECK(pair_pump(&p.client, &p.server));
    CHECK(pair_pump(&p.server, &p.client)); /* ServerHello to ServerHelloDone */
    CHECK(hf_conn_wants(p.client.conn) & HF_IN_HANDSHAKE);
    (void)old_record(&p.server, &p.client, REC_ALERT, warning, 2);
    CHECK(hf_conn_wants(p.client.conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
    pair_clear(&p);
}

static void test_too_often(void)
{
    struct pair p;
    hf_error err;
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_renegotiation(p.server_config, 2));
    CHECK(pair_shake(&p));
    CHECK(again(&p, &p.client) && again(&p, &p.client));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK_REFUSED(&p.server, HF_E_RENEGOTIATIONS, 10);
    pair_clear(&p);
}

/* A renegotiation may not change the version. */
static void test_other_version(void)
{
    struct pair p;
    hf_error err;
    pair_init(&p, PKI_P256);
    old_allow_both(&p, HF_TLS1_0, HF_TLS1_2, NULL);
    CHECK(hf_config_set_ciphers(p.client_config, "ALL:@SECLEVEL=0"));
    CHECK(hf_config_set_ciphers(p.server_config, "ALL:@SECLEVEL=0"));
    allow(&p);
    CHECK(pair_shake(&p));
    hf_config *lower = hf_config_derive(p.client_config);
    CHECK(hf_config_set_versions(lower, HF_TLS1_0, HF_TLS1_1));
    CHECK(hf_config_freeze(lower, NULL));
    hf_config_free(p.client.conn->config);
    p.client.conn->config = lower;
    p.client.conn->est.version = HF_TLS1_1; /* so that it says so in its hello */
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK_REFUSED(&p.server, HF_E_UNSUPPORTED_VERSION, 70);
    pair_clear(&p);
}

/* ---- renegotiation injection (2009; RFC 5746): an attacker's handshake goes before the victim's */

/* The hello's block of extensions is captured in an honest run and said again without, or with another,
 * renegotiation_info. */
enum tampering { MISSING, WRONG, EMPTY, SCSV_TOO };

static bool add_scsv(void *arg, struct slice *out)
{
    static uint8_t list[64];
    (void)arg;
    if (out->len + 2 > sizeof list)
        return false;
    memcpy(list, out->p, out->len);
    put_u16(list + out->len, 0x00ff);
    *out = slice_of(list, out->len + 2);
    return true;
}

static void injected_hello(enum tampering how)
{
    struct pair p;
    hf_error err;
    struct old_blocks blocks = {0};
    static const uint8_t wrong[13] = {12, 1, 2, 3};
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
    CHECK(pair_shake(&p));
    CHECK(old_has(&blocks.client, 0xff01));
    if (how != SCSV_TOO) {
        CHECK(old_without(&blocks.client, 0xff01));
        if (how == WRONG)
            old_with(&blocks.client, 0xff01, wrong, sizeof wrong);
        if (how == EMPTY)
            old_with(&blocks.client, 0xff01, "", 1);
        old_say(p.client_config, &blocks);
    } else {
        blocks.hooks.suites = add_scsv;
        p.client_config->test = &blocks.hooks;
    }
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK_REFUSED(&p.server, HF_E_RENEGOTIATION_MISMATCH, 40);
    if (hf_conn_error(p.server.conn))
        CHECK_STR(hf_conn_error(p.server.conn)->rfc, "RFC 5746 3");
    pair_clear(&p);
    old_forget(&blocks);
}

static void test_injection_by_a_client(void)
{
    injected_hello(MISSING);
    injected_hello(WRONG);
    injected_hello(EMPTY);
    injected_hello(SCSV_TOO);
}

/* The other way round: a first hello that claims that there was one before. */
static void test_injection_first_hello(void)
{
    struct pair p;
    struct old_blocks blocks = {0};
    static const uint8_t claim[13] = {12, 1, 2, 3};
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
    CHECK(pair_shake(&p));
    pair_reset(&p);
    CHECK(old_without(&blocks.client, 0xff01));
    old_with(&blocks.client, 0xff01, claim, sizeof claim);
    old_say(p.client_config, &blocks);
    CHECK(!pair_shake(&p));
    CHECK_REFUSED(&p.server, HF_E_RENEGOTIATION_MISMATCH, 40);
    pair_clear(&p);
    old_forget(&blocks);
}

/* A server's hello, in the first handshake and the second. */
static void injected_answer(bool second, enum tampering how, hf_code code)
{
    struct pair p;
    hf_error err;
    struct old_blocks blocks = {0};
    static const uint8_t wrong[25] = {24, 1, 2, 3};
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_trace(p.server_config, old_capture, &blocks));
    CHECK(pair_shake(&p));
    CHECK(old_without(&blocks.server, 0xff01));
    if (how == WRONG)
        old_with(&blocks.server, 0xff01, wrong, sizeof wrong);
    if (how == EMPTY)
        old_with(&blocks.server, 0xff01, "", 1);
    old_say(p.server_config, &blocks);
    if (second) {
        CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
        pair_run(&p);
    } else {
        pair_reset(&p);
        CHECK(!pair_shake(&p));
    }
    CHECK_REFUSED(&p.client, code, 40);
    pair_clear(&p);
    old_forget(&blocks);
}

static void test_injection_by_a_server(void)
{
    injected_answer(true, MISSING, HF_E_RENEGOTIATION_MISMATCH);
    injected_answer(true, WRONG, HF_E_RENEGOTIATION_MISMATCH);
    injected_answer(true, EMPTY, HF_E_RENEGOTIATION_MISMATCH);
    injected_answer(false, MISSING, HF_E_UNSAFE_RENEGOTIATION);
    injected_answer(false, WRONG, HF_E_RENEGOTIATION_MISMATCH);
}

/* Each half of the two Finished messages counts. */
static void test_injection_of_other_finished(void)
{
    for (int half = 0; half < 3; half++) {
        struct pair p;
        hf_error err;
        start(&p, HF_TLS1_2, ecdhe);
        CHECK(pair_shake(&p));
        struct established *c = &p.client.conn->est, *s = &p.server.conn->est;
        if (half == 0)
            c->client_finished[11] ^= 1;
        if (half == 1)
            s->server_finished[0] ^= 1;
        if (half == 2)
            c->server_finished[11] ^= 0x80;
        CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
        pair_run(&p);
        CHECK_REFUSED(half ? &p.client : &p.server, HF_E_RENEGOTIATION_MISMATCH, 40);
        pair_clear(&p);
    }
}

/* With a peer that does not do it securely there is none at all, in either role. */
/* A server of before RFC 5746: only for a client that was told so, and the refusal says how. */
static void test_unpatched_server(void)
{
    ROW("Y75");
    for (int allowed = 0; allowed < 2; allowed++) {
        struct pair p;
        struct old_blocks blocks = {0};
        start(&p, HF_TLS1_2, ecdhe);
        CHECK(hf_config_insecure_allow_unpatched(p.client_config, allowed));
        CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
        CHECK(pair_shake(&p));
        pair_reset(&p);
        CHECK(old_without(&blocks.client, 0xff01));
        old_say(p.client_config, &blocks); /* who is not asked does not answer */
        CHECK(pair_shake(&p) == allowed);
        if (!allowed) {
            const hf_error *err = hf_conn_error(p.client.conn);
            CHECK_INT(err->code, HF_E_UNSAFE_RENEGOTIATION);
            CHECK_INT(err->alert, 40);
            CHECK(strstr(err->hint, "hf_config_insecure_allow_unpatched()") != NULL);
        }
        pair_clear(&p);
        old_forget(&blocks);
    }
}

static void test_never_unsafely(void)
{
    struct pair p;
    hf_error err;
    struct old_blocks blocks = {0};
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_insecure_allow_unpatched(p.client_config, true));
    CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
    CHECK(pair_shake(&p));
    pair_reset(&p);
    CHECK(old_without(&blocks.client, 0xff01));
    old_say(p.client_config, &blocks);
    CHECK(pair_shake(&p)); /* an old client's hello, answered by an old server's */
    CHECK(!hf_conn_secure_renegotiation(p.client.conn));
    CHECK(!hf_conn_secure_renegotiation(p.server.conn));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_FAILED);
    CHECK_INT(err.code, HF_E_UNSAFE_RENEGOTIATION);
    CHECK(hf_conn_renegotiate(p.server.conn, &err) == HF_FAILED);
    CHECK_INT(err.code, HF_E_UNSAFE_RENEGOTIATION);
    CHECK(old_echo(&p));
    p.client.conn->est.secure = true; /* it tries all the same */
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK(!hf_conn_error(p.server.conn) && !hf_conn_error(p.client.conn));
    CHECK_INT(p.server.conn->est.renegotiations, 0); /* no_renegotiation */
    CHECK(old_echo(&p));
    pair_clear(&p);
    old_forget(&blocks);
}

/* ---- triple handshake (RFC 7627) */

/* The second handshake may not be with somebody else than the application has seen. */
static void test_triple_handshake_other_certificate(void)
{
    for (int by_server = 0; by_server < 2; by_server++) {
        struct pair p, other;
        hf_error err;
        start(&p, HF_TLS1_2, ecdhe);
        pair_init(&other, PKI_P256);
        CHECK(hf_config_insecure_no_verify(p.client_config));
        CHECK(pair_shake(&p));
        hf_config *config = hf_config_derive(other.server_config);
        old_allow(config, HF_TLS1_2, HF_TLS1_2, ecdhe);
        CHECK(hf_config_set_renegotiation(config, 5) && hf_config_freeze(config, NULL));
        hf_config_free(p.server.conn->config);
        p.server.conn->config = config;
        struct end *from = by_server ? &p.server : &p.client;
        CHECK(hf_conn_renegotiate(from->conn, &err) == HF_DONE);
        pair_run(&p);
        CHECK_REFUSED(&p.client, HF_E_CERTIFICATE_CHANGED, 47);
        CHECK_TOLD(&p.server, 47);
        pair_clear(&p);
        pair_clear(&other);
    }
}

/* Nor may it leave extended_master_secret out; and a server may not bring it in, because we always ask. */
static void ems_changed(bool client_said)
{
    struct pair p;
    hf_error err;
    struct old_blocks blocks = {0};
    start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_ems(p.client.conn));
    pair_reset(&p);
    if (!client_said) { /* the first handshake is without */
        CHECK(old_without(&blocks.client, 23));
        old_say(p.client_config, &blocks);
        CHECK(pair_shake(&p));
        CHECK(!hf_conn_ems(p.client.conn) && !hf_conn_ems(p.server.conn));
        p.client_config->test = NULL;
    } else {
        uint8_t info[13] = {12};
        CHECK(pair_shake(&p));
        CHECK(old_without(&blocks.client, 23) && old_without(&blocks.client, 0xff01));
        memcpy(info + 1, p.client.conn->est.client_finished, 12);
        old_with(&blocks.client, 0xff01, info, sizeof info);
        old_say(p.client_config, &blocks);
    }
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK_REFUSED(client_said ? &p.server : &p.client, HF_E_EMS_RENEGOTIATION, 40);
    pair_clear(&p);
    old_forget(&blocks);
}

static void test_triple_handshake_ems_changed(void)
{
    ems_changed(true);
    ems_changed(false);
}

int main(void)
{
    RUN(test_every_kind);
    RUN(test_client_certificate_later);
    RUN(test_client_certificate_by_question);
    RUN(test_both_at_once);
    RUN(test_data_in_between);
    RUN(test_old_state_until_done);
    RUN(test_out_of_hibernation);
    RUN(test_counted);
    RUN(test_with_resumption);
    RUN(test_offered_session);
    RUN(test_offered_session_of_another);
    RUN(test_off_by_default);
    RUN(test_not_in_tls13);
    RUN(test_requests_without_end);
    RUN(test_hello_request_with_body);
    RUN(test_other_messages_afterwards);
    RUN(test_change_cipher_spec_afterwards);
    RUN(test_refusal_too_late);
    RUN(test_too_often);
    RUN(test_other_version);
    RUN(test_injection_by_a_client);
    RUN(test_injection_first_hello);
    RUN(test_injection_by_a_server);
    RUN(test_injection_of_other_finished);
    RUN(test_unpatched_server);
    RUN(test_never_unsafely);
    RUN(test_triple_handshake_other_certificate);
    RUN(test_triple_handshake_ems_changed);
    return check_done();
}

/* What an adversarial reading of TLS 1.2 and older has found: nearly each of these tests failed once. */
#include "../unit/check.h"
#include "old.h"

#include <pthread.h>
#include <stdlib.h>

#include "crypto/random.h"

static const char ecdhe[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
static const uint8_t hello_request[MSG_HEADER] = {MSG_HELLO_REQUEST};

static void start(struct pair *p, unsigned renegotiations)
{
    old_start(p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_renegotiation(p->client_config, renegotiations));
    CHECK(hf_config_set_renegotiation(p->server_config, renegotiations));
    CHECK(hf_config_set_trust(p->server_config, p->trust));
}

static size_t waiting(struct end *e)
{
    size_t len;
    (void)hf_conn_output(e->conn, &len);
    return len;
}

/* ---- a refusal is the writer's to send: the reader shares neither keys nor output with it */

static void test_reader_does_not_write(void)
{
    for (int server = 0; server < 2; server++) {
        struct pair p;
        static const uint8_t hello[MSG_HEADER + 40] = {MSG_CLIENT_HELLO, 0, 0, 40};
        start(&p, 0);
        CHECK(pair_shake(&p));
        struct end *e = server ? &p.server : &p.client;
        struct end *other = server ? &p.client : &p.server;
        uint64_t seq = e->conn->out.seq;
        hf_result r = server ? old_record(other, e, REC_HANDSHAKE, hello, sizeof hello)
                             : old_record(other, e, REC_HANDSHAKE, hello_request, MSG_HEADER);
        CHECK_INT(r, HF_WANT_INPUT);
        CHECK_INT(buffer_len(&e->conn->output), 0);
        CHECK_INT(e->conn->out.seq, seq);
        CHECK(hf_conn_wants(e->conn) & HF_CAN_OUTPUT);
        CHECK(waiting(e) > 0);
        CHECK_INT(e->conn->out.seq, seq + 1);
        CHECK(pair_pump(e, other));
        CHECK(end_shaken(&p.client) && end_shaken(&p.server));
        CHECK(!(hf_conn_wants(e->conn) & HF_CAN_OUTPUT));
        CHECK(old_echo(&p));
        pair_clear(&p);
    }
}

enum { TURNS = 300, MOST = 8192 };

struct side {
    hf_conn *conn;
    struct wire in, out;
    bool failed;
};

static void *write_on(void *arg)
{
    struct side *s = arg;
    uint8_t data[100] = {0}, out[MOST];
    for (int i = 0; i < TURNS; i++) {
        size_t taken, written;
        s->failed |= hf_conn_send(s->conn, data, sizeof data, &taken, out, sizeof out,
                                  &written) != HF_DONE;
        wire_put(&s->out, out, written);
    }
    return NULL;
}

static void *read_on(void *arg)
{
    struct side *s = arg;
    size_t used = 0, len = 0;
    uint8_t *data;
    hf_result r = HF_DONE;
    while (r == HF_DONE && s->in.len) {
        r = hf_conn_receive(s->conn, s->in.p, s->in.len, &used, &data, &len);
        wire_drop(&s->in, used);
    }
    s->failed |= r != HF_WANT_INPUT && r != HF_DONE;
    return NULL;
}

/* For ThreadSanitizer; without it, two records under one nonce show as a bad MAC. */
static void test_refusals_while_writing(void)
{
    struct pair p;
    pthread_t t[2];
    start(&p, 0);
    CHECK(pair_shake(&p));
    struct side write = {.conn = p.client.conn}, read = {.conn = p.client.conn};
    uint8_t out[256];
    for (int i = 0; i < TURNS; i++) {
        bool data = i % 2; /* so that there are never too many requests in a row */
        size_t n = rec_seal(&p.server.conn->out, data ? REC_DATA : REC_HANDSHAKE, HF_TLS1_2,
                            hello_request, MSG_HEADER, out);
        wire_put(&read.in, out, n);
    }
    CHECK(pthread_create(&t[0], NULL, write_on, &write) == 0);
    CHECK(pthread_create(&t[1], NULL, read_on, &read) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    CHECK(!read.failed && !write.failed);
    CHECK_INT(old_hand(&p.server, write.out.p, write.out.len), HF_WANT_INPUT);
    CHECK_INT(p.server.data.len, TURNS * 100);
    free(write.out.p);
    free(read.in.p);
    pair_clear(&p);
}

/* ---- an identity that is only claimed */

static struct step claiming[OLD_MAX_ROWS], first[OLD_MAX_ROWS];
static bool stopped;

static enum hs_result stop_once(struct hs *hs)
{
    (void)hs;
    bool wait = !stopped;
    stopped = true;
    return wait ? HS_WAIT : HS_OK;
}

static enum hs_result read_hello_and_claim(struct hs *hs)
{
    enum hs_result r = client13[old_row(client13, "ServerHello")].run(hs);
    if (r == HS_OK)
        hs->jump = claiming;
    return r;
}

/* Its certificate is as public as anybody's; that a client holds the key, it has not shown before
 * CertificateVerify. Data of the handshake before comes in between, and whoever asks whose it is must not be
 * told what the second handshake has not proved. */
static void test_claimed_certificate(void)
{
    struct pair p;
    hf_error err;
    start(&p, 3);
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
    CHECK(pair_shake(&p));
    CHECK(!hf_conn_peer_certificate(p.server.conn, 0));
    hf_config *other = hf_config_derive(p.client_config);
    CHECK(hf_config_add_credential(other, p.cred) && hf_config_freeze(other, NULL));
    hf_config_free(p.client.conn->config);
    p.client.conn->config = other;
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    struct hs *hs = p.client.conn->hs;
    old_list(first, client13);
    old_list(claiming, client12);
    first[old_row(first, "ServerHello")].run = read_hello_and_claim;
    old_insert(claiming, old_row(claiming, "client Certificate"), stop_once);
    hs->step = first + (hs->step - client13);
    stopped = false;
    pair_run(&p);
    CHECK(stopped && p.server.conn->hs && p.server.conn->hs->peer_chain);
    (void)old_record(&p.client, &p.server, REC_DATA, "do it", 5);
    CHECK_INT(p.server.data.len, 5);
    CHECK(!hf_conn_peer_certificate(p.server.conn, 0));
    CHECK(!hf_conn_verified(p.server.conn));
    (void)hf_conn_handshake(p.client.conn);
    pair_run(&p);
    CHECK(end_shaken(&p.client) && end_shaken(&p.server));
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) && hf_conn_verified(p.server.conn));
    pair_clear(&p);
}

/* A verifier is asked about the chain of now. */
static bool look(hf_conn *conn, const hf_question *q, void *arg)
{
    unsigned *seen = arg;
    (void)q;
    *seen += hf_conn_peer_certificate(conn, 0) != NULL;
    return hf_answer_verify(conn, true);
}

static bool look_later(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)conn;
    (void)q;
    (void)arg;
    return false;
}

static void test_certificate_to_judge(void)
{
    for (int later = 0; later < 2; later++) {
        struct pair p;
        hf_error err;
        unsigned seen = 0;
        start(&p, 3);
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
        CHECK(hf_config_set_ask(p.server_config, HF_ASK_VERIFY, later ? look_later : look,
                                &seen));
        CHECK(pair_shake(&p));
        hf_config *other = hf_config_derive(p.client_config);
        CHECK(hf_config_add_credential(other, p.cred) && hf_config_freeze(other, NULL));
        hf_config_free(p.client.conn->config);
        p.client.conn->config = other;
        CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
        pair_run(&p);
        if (later) {
            CHECK(hf_conn_question(p.server.conn));
            seen += hf_conn_peer_certificate(p.server.conn, 0) != NULL;
            CHECK(hf_answer_verify(p.server.conn, true));
            (void)old_hand(&p.server, NULL, 0);
            pair_run(&p);
        }
        CHECK_INT(seen, 1);
        CHECK(end_shaken(&p.client) && end_shaken(&p.server));
        pair_clear(&p);
    }
}

/* ---- demands that the suite leaves no room for */

/* Nobody may ask an anonymous peer for a certificate (RFC 5246 7.4.4), nor one that has a pre-shared key (RFC
 * 4279 2): a server that must have one has no such suite. */
static void test_no_suite_without_a_required_certificate(void)
{
    static const char *const suites[] = {"TLS_ECDH_anon_WITH_AES_128_CBC_SHA",
                                         "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
                                         "TLS_PSK_WITH_AES_128_CBC_SHA"};
    for (unsigned i = 0; i < 6; i++) {
        struct pair p;
        hf_error err = {0};
        char both[100];
        snprintf(both, sizeof both, "%s,TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", suites[i / 2]);
        old_start(&p, HF_TLS1_2, i % 2 ? suites[i / 2] : both);
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
        if (i % 2) {
            CHECK(!hf_config_freeze(p.server_config, &err));
            CHECK_INT(err.code, HF_E_CONFIG);
        } else {
            CHECK(!pair_shake(&p));
            CHECK_REFUSED(&p.server, HF_E_NO_CLIENT_CERTIFICATE, 40);
        }
        pair_clear(&p);
    }
}

/* A session says that its server was verified, not that it had stapled a response. */
static void test_session_without_the_staple(void)
{
    for (uint16_t v = HF_TLS1_2; v <= HF_TLS1_3; v++) {
        struct pair p;
        hf_error err;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, v, v));
        CHECK(hf_config_set_ocsp(p.client_config, HF_OCSP_NONE));
        CHECK(pair_shake(&p) && p.sessions > 0);
        pair_reset(&p);
        hf_config *stricter = hf_config_derive(p.client_config);
        CHECK(hf_config_set_ocsp(stricter, HF_OCSP_REQUIRE));
        hf_conn *c = hf_conn_new_client(stricter, "server.example", &err);
        CHECK(c && !hf_conn_set_session(c, p.session[0]));
        hf_conn_free(c);
        hf_config_free(stricter);
        pair_clear(&p);
    }
}

/* With it, it does. */
static void test_session_with_the_staple(void)
{
    for (uint16_t v = HF_TLS1_2; v <= HF_TLS1_3; v++) {
        struct pair p;
        size_t len;
        pair_init(&p, PKI_P256);
        struct pki_ocsp_spec spec = {.cert = p.pki->leaf, .issuer = p.pki->mid};
        uint8_t *der = pki_ocsp(&spec, &len);
        CHECK(hf_credential_set_ocsp(p.cred, der, len, NULL));
        free(der);
        CHECK(hf_config_set_versions(p.client_config, v, v));
        CHECK(hf_config_set_ocsp(p.client_config, HF_OCSP_REQUIRE));
        for (int turn = 0; turn < 3; turn++) { /* the third with what the second left */
            pair_connect(&p);
            if (turn)
                CHECK(hf_conn_set_session(p.client.conn, p.session[p.sessions - 1]));
            pair_run(&p);
            CHECK(end_shaken(&p.client) && end_shaken(&p.server));
            CHECK_INT(hf_conn_resumed(p.client.conn), turn > 0);
            pair_reset(&p);
        }
        pair_clear(&p);
    }
}

/* ---- downgrades */

static uint8_t last_byte;

static bool marked_random(void *arg, const char *what, uint8_t *out, size_t n)
{
    (void)arg;
    memset(out, 7, n);
    if (strcmp(what, "random") == 0) {
        memcpy(out + 24, "DOWNGRD", 7);
        out[31] = last_byte;
    }
    return true;
}

/* "TLS 1.3 clients receiving a ServerHello indicating TLS 1.2 or below MUST check that the last 8 bytes are not
 * equal to either of these values" (RFC 8446 4.1.3); a client of TLS 1.2 only knows the second. */
static void test_sentinels(void)
{
    static const struct test_hooks hooks = {.random = marked_random};
    for (uint16_t best = HF_TLS1_0; best <= HF_TLS1_3; best++) {
        for (uint16_t chosen = HF_TLS1_0; chosen <= best && chosen <= HF_TLS1_2; chosen++) {
            for (last_byte = 0; last_byte < 3; last_byte++) {
                struct pair p;
                pair_init(&p, PKI_RSA);
                old_allow(p.client_config, HF_TLS1_0, best, NULL);
                old_allow(p.server_config, chosen, chosen,
                          "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
                if (best == HF_TLS1_3)
                    CHECK(hf_config_set_suites(
                        p.client_config,
                        "TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"));
                else
                    CHECK(hf_config_set_suites(p.client_config,
                                               "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"));
                p.server_config->test = &hooks;
                bool bad = last_byte < 2 &&
                           (best == HF_TLS1_3 ||
                            (best == HF_TLS1_2 && chosen < HF_TLS1_2 && last_byte == 0));
                CHECK_MSG(pair_shake(&p) == !bad, "best %04x, chosen %04x, %u", best, chosen,
                          last_byte);
                CHECK_INT(end_code(&p.client), bad ? HF_E_DOWNGRADE : HF_OK);
                pair_clear(&p);
            }
        }
    }
}

/* ---- a connection that is closed on one side, or asleep, or busy */

static void test_no_handshake_behind_close_notify(void)
{
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        struct pair p;
        start(&p, allowed);
        CHECK(pair_shake(&p));
        hf_conn_close(p.client.conn);
        hf_conn_output_done(p.client.conn, waiting(&p.client));
        CHECK_INT(old_record(&p.server, &p.client, REC_HANDSHAKE, hello_request, MSG_HEADER),
                  HF_WANT_INPUT);
        CHECK_INT(waiting(&p.client), 0);
        CHECK(!end_is_dead(&p.client));
        CHECK(!(hf_conn_wants(p.client.conn) & HF_IN_HANDSHAKE));
        /* The other half lives on. */
        CHECK_INT(pair_send(&p, &p.server, "still here", 10), HF_DONE);
        CHECK_INT(p.client.data.len, 10);
        pair_clear(&p);
    }
}

static void test_closed_in_a_renegotiation(void)
{
    struct pair p;
    hf_error err;
    uint8_t out[100];
    size_t taken, written;
    start(&p, 3);
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    hf_conn_close(p.server.conn);
    CHECK(pair_pump(&p.server, &p.client));
    CHECK_INT(p.client.last, HF_CLOSED);
    /* No answer will come any more: who waits for input before he sends waits for ever. */
    CHECK(hf_conn_send(p.client.conn, (const uint8_t *)"x", 1, &taken, out, sizeof out,
                       &written) != HF_WANT_INPUT);
    CHECK_INT(hf_conn_receive_end(p.client.conn), HF_CLOSED);
    pair_clear(&p);
}

static void test_renegotiation_wakes(void)
{
    for (int asleep = 1; asleep < 4; asleep++) {
        for (int by_server = 0; by_server < 2; by_server++) {
            struct pair p;
            hf_error err;
            start(&p, 3);
            CHECK(pair_shake(&p));
            if (asleep & 1)
                CHECK(hf_conn_hibernate(p.client.conn));
            if (asleep & 2)
                CHECK(hf_conn_hibernate(p.server.conn));
            struct end *from = by_server ? &p.server : &p.client;
            CHECK_INT(hf_conn_renegotiate(from->conn, &err), HF_DONE);
            pair_run(&p);
            CHECK(end_shaken(&p.client) && end_shaken(&p.server));
            CHECK_INT(p.client.conn->est.renegotiations, 1);
            CHECK(old_echo(&p));
            pair_clear(&p);
        }
    }
}

/* ---- sessions */

static bool own_id(void *arg, const char *what, uint8_t *out, size_t n)
{
    if (strcmp(what, "session_id") != 0)
        return random_bytes(out, n);
    memcpy(out, arg, n);
    return true;
}

/* With a ticket the client makes up the ID (RFC 5077 3.4): it may be another client's, who sees it in the
 * clear, and a fatal alert must not cost that one its session. */
static void test_nobody_elses_session_is_forgotten(void)
{
    struct pair p;
    static const uint8_t fatal[] = {2, 80};
    start(&p, 0);
    CHECK(hf_config_set_tickets(p.server_config, 0, 7200));
    CHECK(pair_shake(&p) && p.sessions == 1 && !p.session[0]->ticket);
    hf_config *client = p.client_config, *server = p.server_config;
    hf_config *other = hf_config_derive(client), *giving = hf_config_derive(server);
    struct test_hooks hooks = {.random = own_id, .arg = p.session[0]->id};
    CHECK(hf_config_set_tickets(giving, 1, 7200));
    other->test = &hooks;
    p.client_config = other;
    p.server_config = giving; /* with the same cache */
    for (int turn = 0; turn < 2; turn++) {
        pair_reset(&p);
        pair_connect(&p);
        if (turn)
            CHECK(hf_conn_set_session(p.client.conn, p.session[1]));
        pair_run(&p);
        CHECK(end_shaken(&p.server));
        CHECK_INT(hf_conn_resumed(p.server.conn), turn);
    }
    CHECK_INT(old_record(&p.client, &p.server, REC_ALERT, fatal, 2), HF_FAILED);
    pair_reset(&p);
    p.client_config = client;
    p.server_config = server;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    /* Its own it does lose. */
    CHECK_INT(old_record(&p.client, &p.server, REC_ALERT, fatal, 2), HF_FAILED);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(end_shaken(&p.client) && !hf_conn_resumed(p.client.conn));
    hf_config_free(other);
    hf_config_free(giving);
    pair_clear(&p);
}

/* ---- keys that cannot do what a suite needs */

static hf_credential *external;

static bool give_external(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)q;
    (void)arg;
    return hf_answer_credential(conn, external);
}

static bool sign_for(hf_conn *conn, const hf_question *q, void *arg)
{
    const struct pair *p = arg;
    uint8_t signature[SIG_MAX_SIZE];
    size_t len = 0;
    const struct sigalg *alg = sigalg_find(q->scheme);
    CHECK(alg &&
          private_key_sign(p->cred->key, alg->sig,
                           slice_of(q->to_be_signed, q->to_be_signed_len), signature, &len));
    return hf_answer_signature(conn, signature, len);
}

/* The application's key signs, but nobody can ask it to decrypt: the next suite is taken. */
static void test_external_key_does_not_decrypt(void)
{
    struct pair p;
    hf_error err;
    old_start(&p, HF_TLS1_2, "TLS_RSA_WITH_AES_128_CBC_SHA,TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
    external = hf_credential_load_memory(p.pki->chain_pem, strlen(p.pki->chain_pem), NULL, 0,
                                         NULL, NULL, &err);
    CHECK(external);
    CHECK(hf_config_set_ask(p.server_config, HF_ASK_CREDENTIAL, give_external, NULL));
    CHECK(hf_config_set_ask(p.server_config, HF_ASK_SIGNATURE, sign_for, &p));
    CHECK(pair_shake(&p));
    CHECK_STR(hf_suite_name(hf_conn_suite(p.server.conn)),
              "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
    pair_clear(&p);
    hf_credential_free(external);
}

/* ---- memory */

/* A hello that will be refused is collected all the same; not beyond the cap. */
static void test_cap_after_the_handshake(void)
{
    struct pair p;
    static const uint8_t head[MSG_HEADER] = {MSG_CLIENT_HELLO, 1, 0xf0, 0};
    static uint8_t more[16384];
    start(&p, 0);
    CHECK(hf_config_set_memory_cap(p.server_config, 32768));
    CHECK(pair_shake(&p));
    CHECK_INT(old_record(&p.client, &p.server, REC_HANDSHAKE, head, sizeof head),
              HF_WANT_INPUT);
    hf_result r = HF_WANT_INPUT;
    for (int i = 0; i < 4 && r == HF_WANT_INPUT; i++)
        r = old_record(&p.client, &p.server, REC_HANDSHAKE, more, sizeof more);
    CHECK_INT(r, HF_FAILED);
    CHECK_INT(end_code(&p.server), HF_E_MEMORY_CAP);
    pair_clear(&p);
}

/* ---- hellos */

/* supported_groups holds two bytes at least. */
static void test_hybrid_alone_is_not_for_older_versions(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_freeze(p.client_config, NULL));
    static const uint8_t list[] = {0, 2, 0x11, 0xec}; /* whether libcrypto has it or not */
    memcpy(p.client_config->body.groups, list, sizeof list);
    p.client_config->body.groups_len = sizeof list;
    p.client_config->groups = (struct ids){1, {0x11ec}};
    CHECK(!pair_shake(&p));
    CHECK(end_code(&p.server) != HF_E_DECODE);
    pair_clear(&p);
}

/* ---- counting */

/* A limit is one at any height. */
static void test_limit_of_renegotiations(void)
{
    struct pair p;
    hf_error err;
    start(&p, 260);
    CHECK(pair_shake(&p));
    for (int i = 0; i < 260; i++) {
        CHECK_INT(hf_conn_renegotiate(p.client.conn, &err), HF_DONE);
        pair_run(&p);
        if (!end_shaken(&p.client))
            break;
    }
    CHECK(end_shaken(&p.client) && end_shaken(&p.server));
    CHECK_INT(hf_conn_renegotiate(p.client.conn, &err), HF_FAILED);
    CHECK_INT(err.code, HF_E_RENEGOTIATIONS);
    CHECK(old_echo(&p));
    pair_clear(&p);
}

/* ---- a request that is none */

static bool request_with_body(struct end *to, unsigned number, uint8_t *record, size_t len,
                              void *arg)
{
    static const uint8_t cut[] = {REC_HANDSHAKE, 3, 3, 0, 4, MSG_HELLO_REQUEST, 0, 0, 4};
    (void)record;
    (void)len;
    if (!to->conn->est.server && number == 1) {
        unsigned *sent = arg;
        (*sent)++;
        (void)old_hand(to, cut, sizeof cut); /* its body would be what comes next */
    }
    return false;
}

static void test_hello_request_cut_short(void)
{
    struct pair p;
    unsigned sent = 0;
    struct old_wire wire = {.before = request_with_body, .arg = &sent};
    start(&p, 0);
    pair_connect(&p);
    old_run(&p, &wire);
    CHECK_INT(sent, 1);
    CHECK(end_is_dead(&p.client));
    pair_clear(&p);
}

/* ---- verified again, and not good any more */

static bool accept_anything(hf_conn *conn, const hf_question *q, void *arg)
{
    unsigned *bad = arg;
    *bad += q->verdict != NULL;
    return hf_answer_verify(conn, true);
}

/* What the application accepts against the library's verdict is not called verified, in a resumed handshake
 * no more than in a full one. */
static void test_verdict_of_now(void)
{
    for (uint16_t v = HF_TLS1_2; v <= HF_TLS1_3; v++) {
        struct pair p, other;
        unsigned bad = 0;
        pair_init(&p, PKI_P256);
        pair_init(&other, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, v, v));
        CHECK(pair_shake(&p) && p.sessions > 0);
        CHECK(hf_conn_verified(p.client.conn));
        pair_reset(&p);
        hf_config *before = p.client_config;
        p.client_config = hf_config_derive(before);
        CHECK(hf_config_set_trust(p.client_config, other.trust)); /* not the server's root */
        CHECK(hf_config_set_verify_resumed(p.client_config, true));
        CHECK(hf_config_set_ask(p.client_config, HF_ASK_VERIFY, accept_anything, &bad));
        unsigned had = p.sessions;
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
        pair_run(&p);
        CHECK(end_shaken(&p.client) && hf_conn_resumed(p.client.conn));
        CHECK_INT(bad, 1);
        CHECK(!hf_conn_verified(p.client.conn));
        for (unsigned i = had; i < p.sessions; i++)
            CHECK(!p.session[i]->verified && !p.session[i]->named);
        hf_config_free(before);
        pair_clear(&p);
        pair_clear(&other);
    }
}

/* ---- a second handshake in which any byte may be wrong */

static struct step damaging[OLD_MAX_ROWS], damaging_first[OLD_MAX_ROWS];
static unsigned damage_at, damage_bit;
static bool damaged;

/* Turns one bit of the message that was written last, once. */
static enum hs_result damage(struct hs *hs)
{
    size_t len;
    uint8_t *message = old_last_message(hs, &len);
    if (!message || damaged || len <= MSG_HEADER)
        return HS_OK;
    if (damage_at < len) {
        message[damage_at] ^= (uint8_t)(1u << damage_bit);
        damaged = true;
    } else {
        damage_at -= (unsigned)len;
    }
    return HS_OK;
}

static enum hs_result go_on_damaging(struct hs *hs)
{
    const struct step *list = hs->n.server ? server13 : client13;
    enum hs_result r = list[old_row(list, hs->step->name)].run(hs);
    if (r == HS_OK && hs->jump)
        hs->jump = damaging;
    return r;
}

static void make_damaging(bool server)
{
    old_list(damaging_first, server ? server13 : client13);
    for (struct step *s = damaging_first; s->kind; s++)
        s->run = go_on_damaging;
    old_list(damaging, server ? server12 : client12);
    for (int i = 0; damaging[i].kind && i + 3 < OLD_MAX_ROWS; i++) {
        bool last =
            damaging[i].message == MSG_FINISHED; /* under the new keys: a bad MAC, no more */
        if (damaging[i].kind == '>' && !last && damaging[i].message != MSG_CHANGE_CIPHER_SPEC)
            old_insert(damaging, i++, damage);
    }
}

static bool damaged_renegotiation(bool server, unsigned at)
{
    struct pair p;
    hf_error err;
    start(&p, 3);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(pair_shake(&p));
    uint8_t master[48];
    struct end *bad = server ? &p.server : &p.client, *good = server ? &p.client : &p.server;
    memcpy(master, good->conn->est.master, sizeof master);
    damage_at = at;
    damage_bit = at % 8;
    damaged = false;
    make_damaging(server);
    CHECK_INT(hf_conn_renegotiate(p.client.conn, &err), HF_DONE);
    if (server) { /* it has no handshake before the ClientHello is there: the first row is run by hand */
        CHECK(conn_begin(p.server.conn, &err));
        struct nego *n = &p.server.conn->hs->n;
        const struct established *e = &p.server.conn->est;
        n->renegotiating = true;
        n->had_ems = e->ems;
        memcpy(n->client_finished, e->client_finished, FINISHED_MAX);
        memcpy(n->server_finished, e->server_finished, FINISHED_MAX);
        p.server.conn->hs->step = damaging_first;
    } else {
        p.client.conn->hs->step = damaging_first + (p.client.conn->hs->step - client13);
    }
    pair_run(&p);
    /* Nothing of it is in force unless both have agreed on all of it. */
    CHECK(!damaged || !end_shaken(good) || !end_shaken(bad));
    if (!end_shaken(good))
        CHECK(memcmp(master, good->conn->est.master, sizeof master) == 0);
    /* A length that was made longer is waited for. */
    if (damaged)
        CHECK(end_is_dead(good) || hf_conn_wants(good->conn) & HF_IN_HANDSHAKE);
    pair_clear(&p);
    return damaged;
}

static void test_damaged_renegotiation(void)
{
    for (int server = 0; server < 2; server++) {
        unsigned count = 0;
        for (unsigned at = 0; damaged_renegotiation(server, at); at += 7)
            count++;
        CHECK(count > 50);
    }
}

/* ---- a configuration that the hello chooses */

static hf_config *host;

static bool choose_host(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)q;
    (void)arg;
    return hf_answer_hello(conn, host);
}

/* A session of a host that asks for nothing opens no other that shares its tickets and cache, and one that was
 * made with a certificate opens none that would not have verified it. */
static void test_session_of_another_host(void)
{
    for (unsigned i = 0; i < 8; i++) {
        struct pair p;
        uint16_t v = i & 1 ? HF_TLS1_2 : HF_TLS1_3;
        bool tickets = i & 2 || v == HF_TLS1_3, other_context = i & 4;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, v, v));
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        CHECK(hf_config_set_tickets(p.server_config, tickets, 7200));
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(hf_config_set_ask(p.server_config, HF_ASK_HELLO, choose_host, NULL));
        if (other_context) { /* it demands no more, but is another one */
            CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
        }
        host = NULL;
        CHECK(pair_shake(&p) && p.sessions > 0);
        pair_reset(&p);
        host = hf_config_derive(p.server_config);
        CHECK(hf_config_set_client_auth(host, HF_CLIENT_AUTH_REQUIRE));
        if (other_context)
            CHECK(hf_config_set_session_context(host, (const uint8_t *)"b", 1));
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
        pair_run(&p);
        CHECK(end_shaken(&p.client) && end_shaken(&p.server));
        CHECK(!hf_conn_resumed(p.server.conn));
        CHECK(hf_conn_peer_certificate(p.server.conn, 0) && hf_conn_verified(p.server.conn));
        hf_config_free(host);
        pair_clear(&p);
    }
}

/* ---- every function in every state */

static void call_everything(hf_conn *c)
{
    size_t len, used, taken, written;
    uint8_t out[64], *data;
    hf_error err;
    hf_result r[] = {hf_conn_renegotiate(c, NULL), hf_conn_renegotiate(c, &err),
                     hf_conn_key_update(c, true)};
    (void)r;
    (void)hf_conn_hibernate(c);
    (void)hf_conn_wants(c);
    (void)hf_conn_memory(c);
    (void)hf_conn_ems(c);
    (void)hf_conn_etm(c);
    (void)hf_conn_secure_renegotiation(c);
    (void)hf_conn_psk_identity(c, &len);
    (void)hf_conn_peer_scts(c, &len);
    (void)hf_conn_peer_ocsp(c, &len);
    (void)hf_conn_alpn(c, &len);
    (void)hf_conn_peer_certificate(c, 0);
    (void)hf_conn_export(c, "label", NULL, 0, out, sizeof out, &err);
    (void)hf_conn_question(c);
    (void)hf_conn_send_size(c, 100);
    CHECK(!hf_answer_psk(c, (const uint8_t *)"i", 1, (const uint8_t *)"k", 1));
    CHECK(!hf_answer_hello(c, NULL));
    r[0] = hf_conn_send(c, (const uint8_t *)"x", 1, &taken, out, 0, &written);
    (void)hf_conn_output(c, &len);
    r[1] = hf_conn_receive(c, out, 0, &used, &data, &len);
}

static void test_every_function_in_every_state(void)
{
    struct pair p;
    start(&p, 200);
    for (unsigned stop = 0; stop < 12; stop++) {
        pair_connect(&p);
        call_everything(p.client.conn);
        call_everything(p.server.conn);
        for (unsigned i = 0; i < stop; i++) {
            (void)(i % 2 ? pair_pump(&p.server, &p.client) : pair_pump(&p.client, &p.server));
            call_everything(p.client.conn);
            call_everything(p.server.conn);
        }
        pair_run(&p);
        CHECK(end_shaken(&p.client) && end_shaken(&p.server));
        hf_conn_close(p.client.conn);
        call_everything(p.client.conn);
        pair_run(&p);
        call_everything(p.server.conn);
        CHECK(hf_conn_receive_end(p.server.conn) == HF_CLOSED);
        call_everything(p.server.conn);
        CHECK(hf_conn_receive_end(p.client.conn) != HF_DONE);
        call_everything(p.client.conn);
        pair_reset(&p);
    }
    pair_clear(&p);
}

int main(void)
{
    RUN(test_reader_does_not_write);
    RUN(test_refusals_while_writing);
    RUN(test_claimed_certificate);
    RUN(test_certificate_to_judge);
    RUN(test_no_suite_without_a_required_certificate);
    RUN(test_session_without_the_staple);
    RUN(test_session_with_the_staple);
    RUN(test_sentinels);
    RUN(test_no_handshake_behind_close_notify);
    RUN(test_closed_in_a_renegotiation);
    RUN(test_renegotiation_wakes);
    RUN(test_nobody_elses_session_is_forgotten);
    RUN(test_external_key_does_not_decrypt);
    RUN(test_cap_after_the_handshake);
    RUN(test_hybrid_alone_is_not_for_older_versions);
    RUN(test_limit_of_renegotiations);
    RUN(test_hello_request_cut_short);
    RUN(test_verdict_of_now);
    RUN(test_damaged_renegotiation);
    RUN(test_session_of_another_host);
    RUN(test_every_function_in_every_state);
    return check_done();
}

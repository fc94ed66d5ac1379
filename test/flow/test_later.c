/* Authentication after the handshake (RFC 8446 4.6.2): both roles, in every kind of handshake that it may
 * follow, with answers that wait, and with peers that break its rules. */
#include "../unit/check.h"
#include "old.h"

#include <stdlib.h>

static uint8_t *front(const struct buffer *b)
{
    uint8_t *p = buffer_front(b);
    if (!p)
        exit(2); /* there are always bytes here */
    return p;
}

static struct later *kept(const hf_conn *conn)
{
    struct later *l = later_of(&conn->est);
    if (!l)
        exit(2);
    return l;
}

/* ---- a pair that is willing */

static void begin(struct pair *p)
{
    pair_init(p, PKI_P256);
    CHECK(hf_config_set_post_handshake_auth(p->client_config, true));
    CHECK(hf_config_set_post_handshake_auth(p->server_config, true));
    CHECK(hf_config_add_credential(p->client_config, p->cred));
    CHECK(hf_config_set_trust(p->server_config, p->trust));
}

static void begin_shaken(struct pair *p)
{
    begin(p);
    CHECK(pair_shake(p));
    CHECK_INT(hf_conn_post_auth(p->client.conn), HF_POST_AUTH_POSSIBLE);
    CHECK_INT(hf_conn_post_auth(p->server.conn), HF_POST_AUTH_POSSIBLE);
}

static hf_result ask(struct pair *p, hf_client_auth mode)
{
    hf_error err = {0};
    hf_result r = hf_conn_request_certificate(p->server.conn, mode, &err);
    CHECK_INT(r == HF_DONE, err.code == HF_OK);
    return r;
}

static bool known(const struct pair *p)
{
    const hf_certificate *seen = hf_conn_peer_certificate(p->server.conn, 0);
    const hf_certificate *shown = hf_credential_certificate(p->cred, 0);
    return seen && strcmp(hf_certificate_subject(seen), hf_certificate_subject(shown)) == 0 &&
           hf_conn_verified(p->server.conn) && hf_conn_signature(p->server.conn) != 0 &&
           hf_conn_post_auth(p->server.conn) == HF_POST_AUTH_DONE &&
           hf_conn_post_auth(p->client.conn) == HF_POST_AUTH_DONE;
}

/* One authentication that goes well. */
static void authenticate(struct pair *p)
{
    CHECK_INT(ask(p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    CHECK_INT(hf_conn_post_auth(p->server.conn), HF_POST_AUTH_PENDING);
    CHECK(hf_conn_wants(p->server.conn) & HF_CAN_OUTPUT);
    pair_run(p);
    CHECK(known(p));
    CHECK(old_echo(p));
}

/* ---- what it is for */

static void test_certificate(void)
{
    ROW("Y99 Y161 Y162");
    struct pair p;
    begin_shaken(&p);
    CHECK(!hf_conn_peer_certificate(p.server.conn, 0) && !hf_conn_verified(p.server.conn));
    unsigned before = p.sessions;
    authenticate(&p);
    CHECK_INT(hf_conn_signature(p.server.conn), 0x0403);
    CHECK(hf_conn_verified_certificate(p.server.conn, 2) != NULL);
    CHECK_INT(p.sessions, before + 2);
    authenticate(&p); /* and again */
    CHECK_INT(p.sessions, before + 4);
    pair_clear(&p);
}

/* Those from before know nobody; those from after know the client, with secrets of their own. */
static void test_tickets_know_the_client(void)
{
    struct pair p;
    begin_shaken(&p);
    CHECK_INT(p.sessions, 2);
    authenticate(&p);
    CHECK_INT(p.sessions, 4);
    pair_reset(&p);
    for (unsigned i = 0; i < 4; i++) {
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, p.session[i]));
        pair_run(&p);
        CHECK(hf_conn_resumed(p.server.conn));
        CHECK((hf_conn_peer_certificate(p.server.conn, 0) != NULL) == (i >= 2));
        CHECK(hf_conn_verified(p.server.conn) == (i >= 2));
        authenticate(&p); /* "post-handshake": after a resumption, too */
        pair_reset(&p);
    }
    pair_clear(&p);
}

static void test_no_tickets(void)
{
    struct pair p;
    begin(&p);
    CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    CHECK(pair_shake(&p));
    authenticate(&p);
    CHECK_INT(p.sessions, 0);
    pair_clear(&p);
}

static void test_no_certificate(void)
{
    struct pair p;
    begin(&p);
    hf_config_free(p.client_config);
    p.client_config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_trust(p.client_config, p.trust));
    CHECK(hf_config_set_post_handshake_auth(p.client_config, true));
    CHECK(pair_shake(&p));
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUEST), HF_DONE);
    pair_run(&p);
    CHECK_INT(hf_conn_post_auth(p.server.conn), HF_POST_AUTH_DONE);
    CHECK(!hf_conn_peer_certificate(p.server.conn, 0) && !hf_conn_verified(p.server.conn));
    CHECK(old_echo(&p));
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    pair_run(&p);
    CHECK_REFUSED(&p.server, HF_E_CERTIFICATE_REQUIRED, 116);
    CHECK_TOLD(&p.client, 116);
    pair_clear(&p);
}

static void test_untrusted_certificate(void)
{
    struct pair p;
    struct pki *other = pki_new(PKI_P256, "DNS:stranger.example");
    begin(&p);
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, other->root->pem, strlen(other->root->pem), NULL));
    CHECK(hf_config_set_trust(p.server_config, trust));
    hf_trust_free(trust);
    CHECK(pair_shake(&p));
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUEST), HF_DONE);
    pair_run(&p);
    CHECK(end_is_dead(&p.server) && hf_conn_error(p.server.conn)->alert == 48);
    CHECK_TOLD(&p.client, 48);
    CHECK(!hf_conn_peer_certificate(p.server.conn, 0) && !hf_conn_verified(p.server.conn));
    pair_clear(&p);
    pki_clear(other);
}

/* ---- the handshakes that it may follow */

static void test_after_retry(void)
{
    struct pair p;
    begin(&p);
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(hf_config_set_cookie(p.server_config, true));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_retried(p.server.conn));
    authenticate(&p);
    pair_clear(&p);
}

static void test_after_client_auth(void)
{
    struct pair p;
    begin(&p);
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) != NULL);
    authenticate(&p);
    pair_clear(&p);
}

static void test_after_external_psk(void)
{
    static const uint8_t key[32] = {1, 2, 3};
    struct pair p;
    size_t len;
    begin(&p);
    CHECK(hf_config_add_psk(p.client_config, (const uint8_t *)"me", 2, key, sizeof key));
    CHECK(hf_config_add_psk(p.server_config, (const uint8_t *)"me", 2, key, sizeof key));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_psk_identity(p.server.conn, &len) && len == 2);
    authenticate(&p);
    CHECK(hf_conn_psk_identity(p.server.conn, &len) && len == 2);
    pair_clear(&p);
}

static void test_after_early_data(void)
{
    struct pair p;
    uint8_t out[512];
    size_t taken, written;
    begin(&p);
    CHECK(hf_config_set_early_data(p.client_config, true));
    CHECK(hf_config_set_max_early_data(p.server_config, 1000));
    CHECK(hf_config_set_early_window(p.server_config, 1));
    CHECK(pair_shake(&p));
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    const uint8_t *hello = hf_conn_output(p.client.conn, &written);
    wire_put(&p.server.in, hello, written);
    hf_conn_output_done(p.client.conn, written);
    CHECK(hf_conn_send_early(p.client.conn, (const uint8_t *)"early", 5, &taken, out,
                             sizeof out, &written) == HF_DONE);
    wire_put(&p.server.in, out, written);
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) >= HF_EARLY_ACCEPTED);
    authenticate(&p);
    pair_clear(&p);
}

static void test_suites(void)
{
    static const char *const suites[] = {"TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        begin(&p);
        CHECK(hf_config_set_suites(p.client_config, suites[i]));
        CHECK(pair_shake(&p));
        authenticate(&p);
        pair_clear(&p);
    }
}

/* ---- records of any size, and in pieces */

static void test_pieces(void)
{
    struct pair p;
    begin(&p);
    CHECK(hf_config_set_record_size_limit(p.client_config, 64));
    CHECK(hf_config_set_record_size_limit(p.server_config, 100));
    CHECK(hf_config_send_authorities(p.server_config, true));
    pair_connect(&p);
    p.client.chunk = p.server.chunk = 1;
    pair_run(&p);
    authenticate(&p);
    pair_clear(&p);
}

/* What waits is counted by hf_conn_send_size, and goes before the data. */
static void test_send_size(void)
{
    struct pair p;
    size_t len;
    begin_shaken(&p);
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    const uint8_t *request = hf_conn_output(p.server.conn, &len);
    size_t before = hf_conn_send_size(p.client.conn, 4);
    old_hand(&p.client, request, len);
    hf_conn_output_done(p.server.conn, len);
    CHECK(hf_conn_wants(p.client.conn) & HF_CAN_OUTPUT);
    CHECK(hf_conn_send_size(p.client.conn, 4) > before + 800);
    CHECK_INT(pair_send(&p, &p.client, "data", 4), HF_DONE);
    CHECK_INT(p.server.data.len, 4);
    CHECK_INT(hf_conn_post_auth(p.server.conn), HF_POST_AUTH_DONE);
    CHECK(hf_conn_send_size(p.client.conn, 4) == before);
    pair_clear(&p);
}

/* ---- data, key updates and naps in between */

static void test_data_in_between(void)
{
    ROW("Y161");
    struct pair p;
    begin_shaken(&p);
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    for (int i = 0; i < 5; i++)
        CHECK_INT(pair_send(&p, &p.client, "ping", 4), HF_DONE);
    CHECK_INT(p.server.data.len, 20);
    CHECK_INT(hf_conn_post_auth(p.server.conn), HF_POST_AUTH_PENDING);
    CHECK_INT(pair_send(&p, &p.server, "pong", 4), HF_DONE);
    CHECK_INT(p.client.data.len, 4);
    pair_run(&p);
    CHECK(known(&p));
    pair_clear(&p);
}

/* The client's Finished takes the key that it is sent with. */
static void test_key_updates(void)
{
    struct pair p;
    size_t len;
    begin_shaken(&p);
    CHECK_INT(hf_conn_key_update(p.client.conn, true), HF_DONE);
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    CHECK_INT(hf_conn_key_update(p.server.conn, true), HF_DONE);
    pair_run(&p);
    CHECK(known(&p));
    /* The reader has left its answer, and the writer renews the key before it sends it. */
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    const uint8_t *request = hf_conn_output(p.server.conn, &len);
    old_hand(&p.client, request, len);
    hf_conn_output_done(p.server.conn, len);
    p.client.conn->handover |= HO_KEY_UPDATE;
    pair_run(&p);
    CHECK(known(&p));
    CHECK(old_echo(&p));
    pair_clear(&p);
}

static void test_hibernation(void)
{
    struct pair p;
    begin_shaken(&p);
    size_t idle = hf_conn_memory(p.server.conn);
    CHECK(hf_conn_hibernate(p.server.conn) && hf_conn_hibernate(p.client.conn));
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    CHECK(hf_conn_hibernate(p.server.conn));
    pair_pump(&p.server, &p.client);
    CHECK(hf_conn_hibernate(p.server.conn) && hf_conn_hibernate(p.client.conn));
    pair_run(&p);
    CHECK(known(&p) && old_echo(&p));
    CHECK_INT(hf_conn_memory(p.server.conn), idle);
    pair_clear(&p);
}

/* ---- answers that wait */

struct waiting {
    struct pair pair;
    hf_ask ask;
    bool now, nested;
    unsigned calls;
};

static bool on_ask(hf_conn *conn, const hf_question *q, void *arg)
{
    struct waiting *w = arg;
    w->calls += hf_conn_version(conn) != 0;
    CHECK_INT(q->ask, w->ask);
    if (w->nested) {
        uint8_t byte = 0, *data;
        size_t used, len;
        CHECK_INT(hf_conn_receive(conn, &byte, 1, &used, &data, &len), HF_WANT_ANSWER);
        CHECK_INT(hf_conn_handshake(conn), HF_WANT_ANSWER);
    }
    if (q->ask == HF_ASK_VERIFY)
        CHECK(hf_conn_peer_certificate(conn, 0) != NULL);
    return w->now && hf_answer_credential(conn, w->pair.cred);
}

static void answer(struct waiting *w, hf_conn *conn)
{
    const hf_question *q = hf_conn_question(conn);
    uint8_t sig[SIG_MAX_SIZE];
    size_t len;
    CHECK(q && q->ask == w->ask);
    if (!q)
        return;
    if (q->ask == HF_ASK_CREDENTIAL)
        CHECK(hf_answer_credential(conn, w->pair.cred));
    if (q->ask == HF_ASK_VERIFY)
        CHECK(hf_answer_verify(conn, true));
    if (q->ask == HF_ASK_SIGNATURE) {
        CHECK(private_key_sign(w->pair.cred->key, sigalg_find(q->scheme)->sig,
                               slice_of(q->to_be_signed, q->to_be_signed_len), sig, &len));
        CHECK(hf_answer_signature(conn, sig, len));
    }
    CHECK(!hf_conn_question(conn));
}

static void wait_begin(struct waiting *w, hf_ask ask_, bool server)
{
    memset(w, 0, sizeof *w);
    begin(&w->pair);
    w->ask = ask_;
    CHECK(hf_config_set_ask(server ? w->pair.server_config : w->pair.client_config, ask_,
                            on_ask, w));
    CHECK(pair_shake(&w->pair));
}

/* A client's application takes its time; all else goes on. */
static void client_waits(hf_ask which)
{
    struct waiting w;
    struct pair *p = &w.pair;
    wait_begin(&w, which, false);
    CHECK_INT(ask(p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    pair_run(p);
    CHECK_INT(w.calls, 1);
    unsigned wants = hf_conn_wants(p->client.conn);
    CHECK(wants & HF_CAN_ANSWER && wants & HF_CAN_RECEIVE && wants & HF_CAN_SEND);
    CHECK(!(wants & HF_IN_HANDSHAKE));
    CHECK_INT(hf_conn_handshake(p->client.conn), HF_WANT_ANSWER);
    CHECK(old_echo(p));
    CHECK_INT(hf_conn_key_update(p->client.conn, true), HF_DONE);
    pair_run(p);
    CHECK(old_echo(p));
    CHECK_INT(hf_conn_post_auth(p->client.conn), HF_POST_AUTH_PENDING);
    CHECK_INT(hf_conn_post_auth(p->server.conn), HF_POST_AUTH_PENDING);
    answer(&w, p->client.conn);
    CHECK_INT(hf_conn_handshake(p->client.conn), HF_DONE);
    CHECK(!(hf_conn_wants(p->client.conn) & HF_CAN_ANSWER));
    pair_run(p);
    CHECK_INT(w.calls, 1);
    CHECK(known(p) && old_echo(p));
    pair_clear(p);
}

static void test_credential_waits(void)
{
    client_waits(HF_ASK_CREDENTIAL);
}
static void test_signature_waits(void)
{
    client_waits(HF_ASK_SIGNATURE);
}

/* A server does not read on before it knows whom it reads. */
static void test_verdict_waits(void)
{
    struct waiting w;
    struct pair *p = &w.pair;
    wait_begin(&w, HF_ASK_VERIFY, true);
    CHECK_INT(ask(p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    pair_pump(&p->server, &p->client);
    CHECK_INT(pair_send(p, &p->client, "now I am somebody", 17), HF_DONE);
    CHECK_INT(p->server.last, HF_WANT_ANSWER);
    CHECK_INT(p->server.data.len, 0);
    unsigned wants = hf_conn_wants(p->server.conn);
    CHECK(wants & HF_CAN_ANSWER && !(wants & HF_CAN_RECEIVE) && wants & HF_CAN_SEND);
    CHECK_INT(hf_conn_post_auth(p->server.conn), HF_POST_AUTH_PENDING);
    CHECK_INT(pair_send(p, &p->server, "hm", 2), HF_DONE);
    CHECK_INT(p->client.data.len, 2);
    answer(&w, p->server.conn);
    CHECK_INT(hf_conn_handshake(p->server.conn), HF_DONE);
    pair_run(p);
    CHECK_INT(p->server.data.len, 17);
    CHECK(known(p) && old_echo(p));
    pair_clear(p);
}

static void test_verdict_is_no(void)
{
    struct waiting w;
    struct pair *p = &w.pair;
    wait_begin(&w, HF_ASK_VERIFY, true);
    CHECK_INT(ask(p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    pair_run(p);
    CHECK(hf_answer_verify(p->server.conn, false));
    CHECK_INT(hf_conn_handshake(p->server.conn), HF_FAILED);
    pair_run(p);
    CHECK_REFUSED(&p->server, HF_E_VERIFY_REFUSED, 46);
    CHECK(!hf_conn_verified(p->server.conn));
    pair_clear(p);
}

static void test_application_refuses(void)
{
    struct waiting w;
    struct pair *p = &w.pair;
    wait_begin(&w, HF_ASK_CREDENTIAL, false);
    CHECK_INT(ask(p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    pair_run(p);
    CHECK(hf_answer_refuse(p->client.conn, 40));
    CHECK_INT(hf_conn_handshake(p->client.conn), HF_FAILED);
    pair_run(p);
    CHECK_REFUSED(&p->client, HF_E_REFUSED, 40);
    CHECK_TOLD(&p->server, 40);
    pair_clear(p);
}

static void test_callback_may_not_run_it(void)
{
    struct waiting w;
    struct pair *p = &w.pair;
    wait_begin(&w, HF_ASK_CREDENTIAL, false);
    w.now = w.nested = true;
    authenticate(p);
    CHECK_INT(w.calls, 1);
    pair_clear(p);
}

/* Freed and closed while a question waits. */
static void test_given_up(void)
{
    for (int how = 0; how < 3; how++) {
        struct waiting w;
        struct pair *p = &w.pair;
        wait_begin(&w, HF_ASK_SIGNATURE, false);
        CHECK_INT(ask(p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
        pair_run(p);
        if (how > 0)
            hf_conn_close(p->client.conn);
        if (how > 1) {
            answer(&w, p->client.conn);
            CHECK_INT(hf_conn_handshake(p->client.conn), HF_DONE);
        }
        pair_run(p);
        CHECK(!end_is_dead(&p->server) && !end_is_dead(&p->client));
        pair_clear(p);
    }
}

/* ---- calls that fail */

static void refused(hf_conn *conn, hf_client_auth mode, hf_code code)
{
    hf_error err = {0};
    CHECK_INT(hf_conn_request_certificate(conn, mode, &err), HF_FAILED);
    CHECK_INT(err.code, code);
    CHECK(!hf_conn_error(conn));
    CHECK_INT(hf_conn_request_certificate(conn, mode, NULL), HF_FAILED);
}

static void test_usage(void)
{
    ROW("Y99");
    struct pair p;
    begin(&p);
    pair_connect(&p);
    CHECK_INT(hf_conn_post_auth(p.server.conn), HF_POST_AUTH_NONE);
    refused(p.server.conn, HF_CLIENT_AUTH_REQUEST, HF_E_NOT_HANDSHAKEN);
    pair_run(&p);
    refused(p.client.conn, HF_CLIENT_AUTH_REQUEST, HF_E_USAGE);
    refused(p.server.conn, HF_CLIENT_AUTH_NONE, HF_E_USAGE);
    refused(p.server.conn, (hf_client_auth)9, HF_E_USAGE);
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUEST), HF_DONE);
    refused(p.server.conn, HF_CLIENT_AUTH_REQUEST, HF_E_USAGE);
    pair_run(&p);
    CHECK(known(&p));
    hf_conn_close(p.client.conn);
    pair_run(&p);
    refused(p.server.conn, HF_CLIENT_AUTH_REQUEST, HF_E_USAGE);
    hf_conn_close(p.server.conn);
    refused(p.server.conn, HF_CLIENT_AUTH_REQUEST, HF_E_USAGE);
    pair_clear(&p);
}

static void one_is_not_willing(bool client, bool server, hf_code code)
{
    struct pair p;
    begin(&p);
    CHECK(hf_config_set_post_handshake_auth(p.client_config, client));
    CHECK(hf_config_set_post_handshake_auth(p.server_config, server));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_post_auth(p.server.conn), HF_POST_AUTH_NONE);
    refused(p.server.conn, HF_CLIENT_AUTH_REQUEST, code);
    CHECK(old_echo(&p));
    /* It costs nothing. */
    CHECK(!p.server.conn->est.extras);
    pair_clear(&p);
}

static void test_not_willing(void)
{
    ROW("Y99");
    one_is_not_willing(false, true, HF_E_NO_POST_AUTH);
    one_is_not_willing(true, false, HF_E_USAGE);
    one_is_not_willing(false, false, HF_E_USAGE);
}

static void test_nobody_to_trust(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_post_handshake_auth(p.client_config, true));
    CHECK(hf_config_set_post_handshake_auth(p.server_config, true));
    CHECK(pair_shake(&p));
    refused(p.server.conn, HF_CLIENT_AUTH_REQUEST, HF_E_CONFIG);
    CHECK(old_echo(&p));
    pair_clear(&p);
}

static void test_older_version(void)
{
    ROW("Y99");
    struct pair p;
    begin(&p);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_post_auth(p.client.conn), HF_POST_AUTH_NONE);
    refused(p.server.conn, HF_CLIENT_AUTH_REQUEST, HF_E_USAGE);
    CHECK(old_echo(&p));
    pair_clear(&p);
}

/* ---- peers that break the rules */

/* A request as the server's call makes it, which the call would not make now. */
static hf_result request_again(struct pair *p, const uint8_t *context)
{
    struct later *l = kept(p->server.conn);
    struct buffer message = {0};
    hf_error err = {0};
    CHECK(later_request(l, p->server_config, p->server.conn, true, &message, &err));
    if (context) {
        memcpy(front(&message) + MSG_HEADER + 1, context, LATER_CONTEXT);
        memcpy(l->context, context, LATER_CONTEXT);
        l->request = l->base;
        hash_update(&l->request, front(&message), buffer_len(&message));
    }
    atomic_store(&l->state, HF_POST_AUTH_PENDING);
    hf_result r = old_record(&p->server, &p->client, REC_HANDSHAKE, front(&message),
                             buffer_len(&message));
    buffer_clear(&message);
    return r;
}

static void test_not_offered(void)
{
    static const uint8_t request[] = {
        MSG_CERTIFICATE_REQUEST, 0, 0, 11, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3};
    struct pair p;
    begin(&p);
    CHECK(hf_config_set_post_handshake_auth(p.client_config, false));
    CHECK(pair_shake(&p));
    old_record(&p.server, &p.client, REC_HANDSHAKE, request, sizeof request);
    CHECK_REFUSED(&p.client, HF_E_UNEXPECTED_MESSAGE, 10);
    pair_clear(&p);
}

/* An empty context is one like others, but for the handshake's own request. */
static void test_empty_context(void)
{
    static const uint8_t request[] = {
        MSG_CERTIFICATE_REQUEST, 0, 0, 11, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3};
    struct pair p;
    begin_shaken(&p);
    old_record(&p.server, &p.client, REC_HANDSHAKE, request, sizeof request);
    CHECK(!end_is_dead(&p.client));
    old_record(&p.server, &p.client, REC_HANDSHAKE, request, sizeof request);
    CHECK_REFUSED(&p.client, HF_E_ILLEGAL_VALUE, 47);
    pair_clear(&p);
    begin(&p);
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
    CHECK(pair_shake(&p));
    old_record(&p.server, &p.client, REC_HANDSHAKE, request, sizeof request);
    CHECK_REFUSED(&p.client, HF_E_ILLEGAL_VALUE, 47);
    pair_clear(&p);
}

static void test_context_repeated(void)
{
    struct pair p;
    uint8_t context[LATER_CONTEXT];
    begin_shaken(&p);
    authenticate(&p);
    memcpy(context, kept(p.server.conn)->context, sizeof context);
    authenticate(&p);
    request_again(&p, context);
    CHECK_REFUSED(&p.client, HF_E_ILLEGAL_VALUE, 47);
    CHECK_STR(hf_conn_error(p.client.conn)->path, "CertificateRequest");
    pair_clear(&p);
}

static void test_context_is_random(void)
{
    struct pair p;
    uint8_t first[LATER_CONTEXT];
    begin_shaken(&p);
    authenticate(&p);
    memcpy(first, kept(p.server.conn)->context, sizeof first);
    authenticate(&p);
    CHECK(memcmp(first, kept(p.server.conn)->context, sizeof first) != 0);
    pair_clear(&p);
}

/* Several requests are answered in their order, each over a transcript of its own. */
static void test_several_at_once(void)
{
    struct waiting w;
    struct pair *p = &w.pair;
    wait_begin(&w, HF_ASK_CREDENTIAL, false);
    struct later *l = kept(p->client.conn);
    for (int i = 0; i < 5; i++)
        CHECK_INT(request_again(p, NULL), HF_WANT_INPUT);
    CHECK_INT(l->pending, 5);
    CHECK_INT(w.calls, 1); /* one after the other */
    struct later *server = kept(p->server.conn);
    uint8_t last[LATER_CONTEXT];
    memcpy(last, server->context, sizeof last);
    for (int i = 0; i < 5; i++) {
        answer(&w, p->client.conn);
        CHECK_INT(hf_conn_handshake(p->client.conn), i < 4 ? HF_WANT_ANSWER : HF_DONE);
    }
    CHECK_INT(w.calls, 5);
    CHECK_INT(hf_conn_post_auth(p->client.conn), HF_POST_AUTH_DONE);
    /* Our server makes one request at a time: it knows the last one only. */
    struct parcel *first = later_parcels(l), *five = first;
    for (int i = 0; i < 4 && five; i++) {
        struct parcel *next = five->next;
        CHECK_INT(front(&five->messages)[MSG_HEADER], LATER_CONTEXT);
        CHECK(memcmp(front(&five->messages) + MSG_HEADER + 1, last, sizeof last) != 0);
        parcel_free(five);
        five = next;
    }
    CHECK(five && !five->next);
    if (five) {
        CHECK(memcmp(front(&five->messages) + MSG_HEADER + 1, last, sizeof last) == 0);
        atomic_store(&l->parcels, five);
    }
    pair_run(p);
    CHECK(known(p) && old_echo(p));
    pair_clear(p);
}

static void test_floods(void)
{
    struct waiting w;
    struct pair p;
    wait_begin(&w, HF_ASK_CREDENTIAL, false);
    for (int i = 0; i < 8; i++)
        CHECK_INT(request_again(&w.pair, NULL), HF_WANT_INPUT);
    CHECK_INT(request_again(&w.pair, NULL), HF_FAILED);
    CHECK_REFUSED(&w.pair.client, HF_E_CERTIFICATE_REQUESTS, 10);
    pair_clear(&w.pair);
    begin_shaken(&p);
    for (int i = 0; i < 16; i++)
        CHECK_INT(request_again(&p, NULL), HF_WANT_INPUT);
    CHECK_INT(request_again(&p, NULL), HF_FAILED);
    CHECK_REFUSED(&p.client, HF_E_CERTIFICATE_REQUESTS, 10);
    pair_clear(&p);
    begin_shaken(&p);
    for (int i = 0; i < 40; i++) { /* with data between them there may be many */
        CHECK_INT(request_again(&p, NULL), HF_WANT_INPUT);
        pair_run(&p);
        CHECK(known(&p) && old_echo(&p));
    }
    pair_clear(&p);
}

static void test_unasked_answer(void)
{
    static const uint8_t certificate[] = {MSG_CERTIFICATE, 0, 0, 4, 0, 0, 0, 0};
    struct pair p;
    begin_shaken(&p);
    old_record(&p.client, &p.server, REC_HANDSHAKE, certificate, sizeof certificate);
    CHECK_REFUSED(&p.server, HF_E_UNEXPECTED_MESSAGE, 10);
    pair_clear(&p);
    begin_shaken(&p); /* a second answer to one request */
    authenticate(&p);
    old_record(&p.client, &p.server, REC_HANDSHAKE, certificate, sizeof certificate);
    CHECK_REFUSED(&p.server, HF_E_UNEXPECTED_MESSAGE, 10);
    pair_clear(&p);
    begin_shaken(&p); /* with another context */
    CHECK_INT(ask(&p, HF_CLIENT_AUTH_REQUEST), HF_DONE);
    old_record(&p.client, &p.server, REC_HANDSHAKE, certificate, sizeof certificate);
    CHECK_REFUSED(&p.server, HF_E_ILLEGAL_VALUE, 47);
    pair_clear(&p);
    begin_shaken(&p); /* a server's request is none of a client's */
    old_record(&p.client, &p.server, REC_HANDSHAKE, "\x0d\0\0\0", 4);
    CHECK_REFUSED(&p.server, HF_E_UNEXPECTED_MESSAGE, 10);
    pair_clear(&p);
}

/* The client's whole answer, as it would be sent. */
static struct buffer take_answer(struct pair *p)
{
    struct buffer all = {0};
    size_t len;
    CHECK_INT(ask(p, HF_CLIENT_AUTH_REQUIRE), HF_DONE);
    const uint8_t *request = hf_conn_output(p->server.conn, &len);
    old_hand(&p->client, request, len);
    hf_conn_output_done(p->server.conn, len);
    struct parcel *parcel = later_parcels(kept(p->client.conn));
    uint8_t finished[MSG_HEADER + HASH_MAX_SIZE] = {MSG_FINISHED, 0, 0, 32};
    if (!parcel)
        exit(2);
    keys13_finished_over(HASH_SHA256, p->client.conn->est.write_secret, parcel->digest,
                         finished + MSG_HEADER);
    CHECK(buffer_append(&all, front(&parcel->messages), buffer_len(&parcel->messages)) &&
          buffer_append(&all, finished, MSG_HEADER + 32));
    parcel_free(parcel);
    atomic_store(&p->client.conn->handover, 0);
    return all;
}

static size_t message_size(const uint8_t *p)
{
    return MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

/* "with no intervening messages of other types" */
static void test_answer_is_in_one_piece(void)
{
    static const uint8_t update[] = {MSG_KEY_UPDATE, 0, 0, 1, 0};
    for (int what = 0; what < 3; what++) {
        struct pair p;
        begin_shaken(&p);
        struct buffer all = take_answer(&p);
        size_t first = message_size(front(&all));
        old_record(&p.client, &p.server, REC_HANDSHAKE, front(&all), first);
        CHECK(!end_is_dead(&p.server));
        if (what == 0) {
            old_record(&p.client, &p.server, REC_DATA, "data", 4);
            CHECK_REFUSED(&p.server, HF_E_UNEXPECTED_RECORD, 10);
            CHECK_INT(p.server.data.len, 0);
        } else if (what == 1) {
            old_record(&p.client, &p.server, REC_HANDSHAKE, update, sizeof update);
            CHECK_REFUSED(&p.server, HF_E_UNEXPECTED_MESSAGE, 10);
        } else { /* Finished without CertificateVerify */
            size_t second = message_size(front(&all) + first);
            old_record(&p.client, &p.server, REC_HANDSHAKE, front(&all) + first + second,
                       buffer_len(&all) - first - second);
            CHECK_REFUSED(&p.server, HF_E_UNEXPECTED_MESSAGE, 10);
        }
        CHECK(!hf_conn_peer_certificate(p.server.conn, 0));
        buffer_clear(&all);
        pair_clear(&p);
    }
}

/* A KeyUpdate and data behind the answer, in one record with it or not, are well. */
static void test_more_behind_the_answer(void)
{
    struct pair p;
    static const uint8_t update[] = {MSG_KEY_UPDATE, 0, 0, 1, 0};
    begin_shaken(&p);
    struct buffer all = take_answer(&p);
    CHECK(buffer_append(&all, update, sizeof update));
    old_record(&p.client, &p.server, REC_HANDSHAKE, front(&all), buffer_len(&all));
    CHECK(!end_is_dead(&p.server) && hf_conn_peer_certificate(p.server.conn, 0));
    CHECK_INT(hf_conn_post_auth(p.server.conn), HF_POST_AUTH_DONE);
    buffer_clear(&all);
    pair_clear(&p);
}

/* Every byte of the answer changed: nobody is known by it. */
static void test_answer_changed(void)
{
    struct pair p;
    size_t length = 1;
    begin(&p);
    CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    for (size_t at = 0; at < length; at++) {
        CHECK(pair_shake(&p));
        struct buffer all = take_answer(&p);
        length = buffer_len(&all);
        if (at < length) /* signatures differ in length */
            front(&all)[at] ^= (uint8_t)(1u << (at * 5 + at / 8) % 8);
        else
            front(&all)[length - 1] ^= 1;
        old_record(&p.client, &p.server, REC_HANDSHAKE, front(&all), length);
        CHECK_MSG(!hf_conn_peer_certificate(p.server.conn, 0) &&
                      !hf_conn_verified(p.server.conn) &&
                      hf_conn_post_auth(p.server.conn) == HF_POST_AUTH_PENDING,
                  "byte %zu of the answer", at);
        const hf_error *err = hf_conn_error(p.server.conn);
        if (err)
            CHECK(err->fault != HF_FAULT_LOCAL && err->fault != HF_FAULT_CRYPTO);
        buffer_clear(&all);
        pair_reset(&p);
    }
    CHECK(length > 700);
    pair_clear(&p);
}

/* Every byte of the request changed, and the request cut short: the client refuses it, or answers what the
 * server has not asked. */
static void test_request_changed(void)
{
    struct pair p;
    size_t length = 1;
    begin(&p);
    CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    CHECK(hf_config_send_authorities(p.server_config, true));
    for (size_t at = 0; at < 2 * length; at++) {
        struct buffer m = {0};
        hf_error err = {0};
        CHECK(pair_shake(&p));
        struct later *l = kept(p.server.conn);
        CHECK(later_request(l, p.server_config, p.server.conn, true, &m, &err));
        atomic_store(&l->state, HF_POST_AUTH_PENDING);
        length = buffer_len(&m);
        uint8_t *bytes = front(&m);
        size_t len = length;
        if (at < length) {
            bytes[at] ^= (uint8_t)(1u << (at * 5 + at / 8) % 8);
        } else {
            len = at - length;
            if (len >= MSG_HEADER)
                put_u16(bytes + 2, (uint16_t)(len - MSG_HEADER));
        }
        if (len)
            old_record(&p.server, &p.client, REC_HANDSHAKE, bytes, len);
        pair_run(&p);
        CHECK_MSG(!hf_conn_peer_certificate(p.server.conn, 0), "byte %zu of the request", at);
        buffer_clear(&m);
        pair_reset(&p);
    }
    CHECK(length > 80);
    pair_clear(&p);
}

/* ---- memory */

static bool play(struct pair *p)
{
    hf_error err = {0};
    p->client.conn = hf_conn_new_client(p->client_config, "server.example", &err);
    p->server.conn = p->client.conn ? hf_conn_new_server(p->server_config, &err) : NULL;
    if (!p->server.conn)
        return false;
    pair_run(p);
    if (hf_conn_request_certificate(p->server.conn, HF_CLIENT_AUTH_REQUIRE, &err) != HF_DONE) {
        CHECK(err.code != HF_OK);
        return false;
    }
    pair_run(p);
    return known(p) && old_echo(p);
}

static void test_no_memory(void)
{
    ROW("C14");
    struct pair p;
    unsigned long n = 1;
    begin(&p);
    CHECK(hf_config_freeze(p.client_config, NULL) && hf_config_freeze(p.server_config, NULL));
    for (;; n++) {
        mem_test_fail_after(n);
        bool ok = play(&p);
        mem_test_fail_after(0);
        for (int i = 0; i < 2; i++) {
            const hf_conn *conn = i ? p.server.conn : p.client.conn;
            const hf_error *err = conn ? hf_conn_error(conn) : NULL;
            CHECK(!err ||
                  (err->code != HF_E_BAD_FINISHED && err->code != HF_E_BAD_SIGNATURE &&
                   err->code != HF_E_BAD_RECORD_MAC && err->code != HF_E_MISSING_PROOF));
        }
        pair_reset(&p);
        while (p.sessions)
            hf_session_free(p.session[--p.sessions]);
        CHECK(n <= 5000);
        if (ok || n > 5000)
            break;
    }
    CHECK(n > 100);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_certificate);
    RUN(test_tickets_know_the_client);
    RUN(test_no_tickets);
    RUN(test_no_certificate);
    RUN(test_untrusted_certificate);
    RUN(test_after_retry);
    RUN(test_after_client_auth);
    RUN(test_after_external_psk);
    RUN(test_after_early_data);
    RUN(test_suites);
    RUN(test_pieces);
    RUN(test_send_size);
    RUN(test_data_in_between);
    RUN(test_key_updates);
    RUN(test_hibernation);
    RUN(test_credential_waits);
    RUN(test_signature_waits);
    RUN(test_verdict_waits);
    RUN(test_verdict_is_no);
    RUN(test_application_refuses);
    RUN(test_callback_may_not_run_it);
    RUN(test_given_up);
    RUN(test_usage);
    RUN(test_not_willing);
    RUN(test_nobody_to_trust);
    RUN(test_older_version);
    RUN(test_not_offered);
    RUN(test_empty_context);
    RUN(test_context_repeated);
    RUN(test_context_is_random);
    RUN(test_several_at_once);
    RUN(test_floods);
    RUN(test_unasked_answer);
    RUN(test_answer_is_in_one_piece);
    RUN(test_more_behind_the_answer);
    RUN(test_answer_changed);
    RUN(test_request_changed);
    RUN(test_no_memory);
    return check_done();
}

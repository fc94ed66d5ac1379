/* Questions to the application (HF_ASK_): each kind answered within its callback, later from outside,
 * with nothing, with something that cannot be used, twice, and never. */
#include "../unit/check.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "connection/conn.h"

enum manner {
    NOW,     /* answered within the callback */
    LATER,   /* from outside, when the handshake waits */
    NOTHING, /* NULL or false, within the callback */
    NOTHING_LATER,
    LIE,   /* true without an answer */
    QUIET, /* answered within the callback, which returns false all the same */
    NEVER,
    WRONG_KIND /* another kind of answer, which is refused; then the right one */
};

static const enum manner manners[] = {NOW, LATER, NOTHING, NOTHING_LATER,
                                      LIE, QUIET, NEVER,   WRONG_KIND};

struct asking {
    struct pair pair;
    hf_ask ask;
    enum manner manner;
    bool server; /* who is asked */
    unsigned calls;
    hf_credential *cred; /* what is answered */
    hf_config *config;
    const hf_question *later;
    hf_error verdict; /* that was shown */
};

static bool give(struct asking *a, hf_conn *conn, const hf_question *q, bool nothing)
{
    switch (a->ask) {
    case HF_ASK_CREDENTIAL: return hf_answer_credential(conn, nothing ? NULL : a->cred);
    case HF_ASK_VERIFY: return hf_answer_verify(conn, !nothing);
    case HF_ASK_HELLO: return hf_answer_hello(conn, nothing ? NULL : a->config);
    case HF_ASK_SIGNATURE: {
        uint8_t sig[SIG_MAX_SIZE] = {0};
        size_t len = 0;
        CHECK(!hf_answer_signature(conn, sig, SIG_MAX_SIZE + 1));
        CHECK(!hf_answer_signature(conn, NULL, 5));
        if (!nothing)
            CHECK(private_key_sign(a->cred->key, sigalg_find(q->scheme)->sig,
                                   slice_of(q->to_be_signed, q->to_be_signed_len), sig, &len));
        return hf_answer_signature(conn, nothing ? NULL : sig, len);
    }
    case HF_ASK_PSK:
    case HF_ASK_EARLY_DATA:
    case HF_ASK_TICKET: /* test_choices.c */
    case HF_ASK_COUNT:
    case HF_ASK_NONE: break;
    }
    return false;
}

/* Every answer but that of the question's kind is refused. */
static void give_wrong(struct asking *a, hf_conn *conn)
{
    uint8_t byte = 1;
    hf_config *client = hf_config_new(HF_CLIENT);
    if (a->ask != HF_ASK_CREDENTIAL)
        CHECK(!hf_answer_credential(conn, a->cred));
    if (a->ask != HF_ASK_SIGNATURE)
        CHECK(!hf_answer_signature(conn, &byte, 1));
    if (a->ask != HF_ASK_VERIFY)
        CHECK(!hf_answer_verify(conn, true));
    if (a->ask != HF_ASK_HELLO)
        CHECK(!hf_answer_hello(conn, NULL));
    CHECK(!hf_answer_hello(conn, client)); /* made for the other role */
    CHECK(hf_conn_question(conn) && hf_conn_question(conn)->ask == a->ask);
    hf_config_free(client);
}

static void check_question(struct asking *a, hf_conn *conn, const hf_question *q)
{
    CHECK_INT(q->ask, a->ask);
    CHECK(hf_conn_question(conn) == q);
    CHECK(hf_conn_is_server(conn) == a->server);
    CHECK(hf_conn_version(conn) == 0 && hf_conn_suite(conn) == 0);
    CHECK_STR(q->server_name, "server.example");
    switch (a->ask) {
    case HF_ASK_CREDENTIAL: CHECK(q->signatures && q->signature_count > 3); break;
    case HF_ASK_SIGNATURE:
        CHECK(q->to_be_signed_len > 98 && q->to_be_signed[0] == ' ');
        CHECK(q->credential && hf_credential_certificate(q->credential, 0));
        CHECK_INT(q->scheme, 0x0403);
        break;
    case HF_ASK_VERIFY:
        CHECK(hf_conn_peer_certificate(conn, 0) != NULL);
        if (q->verdict)
            a->verdict = *q->verdict;
        break;
    case HF_ASK_HELLO: CHECK(q->hello_len > 100 && q->hello[0] == MSG_CLIENT_HELLO); break;
    case HF_ASK_PSK:
    case HF_ASK_EARLY_DATA:
    case HF_ASK_TICKET: /* test_choices.c */
    case HF_ASK_COUNT:
    case HF_ASK_NONE: break;
    }
}

static bool on_ask(hf_conn *conn, const hf_question *q, void *arg)
{
    struct asking *a = arg;
    a->calls++;
    check_question(a, conn, q);
    switch (a->manner) {
    case NOW: return give(a, conn, q, false);
    case NOTHING: return give(a, conn, q, true);
    case QUIET: return give(a, conn, q, false) && false;
    case LIE: return true;
    case WRONG_KIND:
        give_wrong(a, conn);
        return give(a, conn, q, false) && !give(a, conn, q, false);
    case LATER:
    case NOTHING_LATER:
    case NEVER: break;
    }
    return false;
}

static struct end *asked_end(struct asking *a)
{
    return a->server ? &a->pair.server : &a->pair.client;
}

/* Runs a handshake, answering a question that waits. true: both ends have finished. */
static bool play(struct asking *a)
{
    struct pair *p = &a->pair;
    struct end *e = asked_end(a);
    pair_connect(p);
    pair_run(p);
    bool wait = a->manner == LATER || a->manner == NOTHING_LATER || a->manner == NEVER;
    CHECK_INT(a->calls, 1);
    CHECK((hf_conn_question(e->conn) != NULL) == wait);
    if (wait) {
        CHECK_INT(e->last, HF_WANT_ANSWER);
        CHECK_INT(hf_conn_handshake(e->conn), HF_WANT_ANSWER);
        CHECK_INT(hf_conn_handshake(e->conn), HF_WANT_ANSWER);
        CHECK(hf_conn_wants(e->conn) & HF_CAN_ANSWER);
        CHECK_INT(a->calls, 1); /* asked once */
    }
    if (wait && a->manner != NEVER) {
        const hf_question *q = hf_conn_question(e->conn);
        check_question(a, e->conn, q);
        give_wrong(a, e->conn);
        CHECK(give(a, e->conn, q, a->manner == NOTHING_LATER));
        CHECK(!give(a, e->conn, q, false) || a->ask == HF_ASK_SIGNATURE);
        CHECK(hf_conn_question(e->conn) == NULL);
        (void)hf_conn_handshake(e->conn);
        CHECK_INT(a->calls, 1);
        pair_run(p);
    }
    return !((hf_conn_wants(p->client.conn) | hf_conn_wants(p->server.conn)) &
             (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

static void begin(struct asking *a, hf_ask ask, enum manner manner, bool server)
{
    *a = (struct asking){.ask = ask, .manner = manner, .server = server};
    pair_init(&a->pair, PKI_P256);
    a->cred = a->pair.cred;
    CHECK(hf_config_set_trust(a->pair.server_config, a->pair.trust));
    CHECK(hf_config_set_client_auth(a->pair.server_config, HF_CLIENT_AUTH_REQUEST));
    CHECK(hf_config_add_credential(a->pair.client_config, a->pair.cred));
    a->config = hf_config_derive(a->pair.server_config);
    CHECK(hf_config_set_alpn(a->config, "swapped", false));
    CHECK(hf_config_set_alpn(a->pair.client_config, "swapped", false));
    CHECK(hf_config_set_ask(server ? a->pair.server_config : a->pair.client_config, ask, on_ask,
                            a));
}

static void end(struct asking *a)
{
    hf_config_free(a->config);
    pair_clear(&a->pair);
}

/* What became of it: HF_OK if the handshake was done, else the error of who was asked. */
static hf_code outcome(hf_ask ask, bool server, enum manner manner)
{
    struct asking a;
    begin(&a, ask, manner, server);
    bool done = play(&a);
    hf_code code = end_code(asked_end(&a));
    CHECK(done == (code == HF_OK && manner != NEVER));
    if (done) {
        size_t len;
        bool swapped = ask == HF_ASK_HELLO && manner != NOTHING && manner != NOTHING_LATER;
        CHECK(hf_conn_config(a.pair.server.conn) ==
              (swapped ? a.config : a.pair.server_config));
        (void)hf_conn_alpn(a.pair.client.conn, &len);
        CHECK_INT(len, swapped ? 7 : 0);
        bool none = ask == HF_ASK_CREDENTIAL && !server &&
                    (manner == NOTHING || manner == NOTHING_LATER);
        CHECK((hf_conn_peer_certificate(a.pair.server.conn, 0) == NULL) == none);
        CHECK_INT(pair_send(&a.pair, &a.pair.client, "ping", 4), HF_DONE);
        CHECK_INT(pair_send(&a.pair, &a.pair.server, "pong", 4), HF_DONE);
        CHECK(a.pair.client.data.len == 4 && a.pair.server.data.len == 4);
    }
    end(&a); /* also with a question that waits */
    return code;
}

static void all_manners(hf_ask ask, bool server, hf_code nothing)
{
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        enum manner m = manners[i];
        hf_code want = m == NOTHING || m == NOTHING_LATER ? nothing
                       : m == LIE                         ? HF_E_USAGE
                                                          : HF_OK;
        int bad = check_bad;
        CHECK_INT(outcome(ask, server, m), want);
        if (check_bad != bad)
            printf("    question %d, manner %d, %s\n", (int)ask, (int)m,
                   server ? "server" : "client");
    }
}

static void test_credential(void)
{
    all_manners(HF_ASK_CREDENTIAL, true, HF_E_NO_CREDENTIAL);
    all_manners(HF_ASK_CREDENTIAL, false, HF_OK);
}

static void test_signature(void)
{
    all_manners(HF_ASK_SIGNATURE, true, HF_E_CRYPTO);
    all_manners(HF_ASK_SIGNATURE, false, HF_E_CRYPTO);
}

static void test_verify(void)
{
    all_manners(HF_ASK_VERIFY, true, HF_E_VERIFY_REFUSED);
    all_manners(HF_ASK_VERIFY, false, HF_E_VERIFY_REFUSED);
}

static void test_hello(void)
{
    all_manners(HF_ASK_HELLO, true, HF_OK);
}

/* The application may accept what the library would not, and then nothing is called verified; or
 * agree with it. */
static void verify_bad(bool accept, bool later)
{
    struct asking a;
    enum manner m = accept ? (later ? LATER : NOW) : (later ? NOTHING_LATER : NOTHING);
    begin(&a, HF_ASK_VERIFY, m, false);
    hf_trust *empty = hf_trust_new();
    CHECK(hf_config_set_trust(a.pair.client_config, empty));
    CHECK(play(&a) == accept);
    CHECK_INT(a.verdict.code, HF_E_UNTRUSTED);
    CHECK_INT(end_code(&a.pair.client), accept ? HF_OK : HF_E_UNTRUSTED);
    CHECK(!hf_conn_verified(a.pair.client.conn));
    if (accept && a.pair.sessions) {
        /* a session of such a connection may not stand for a verification */
        pair_reset(&a.pair);
        pair_connect(&a.pair);
        CHECK(!hf_conn_set_session(a.pair.client.conn, a.pair.session[0]));
    }
    hf_trust_free(empty);
    end(&a);
}

static void test_verdicts(void)
{
    verify_bad(true, false);
    verify_bad(true, true);
    verify_bad(false, false);
    verify_bad(false, true);
}

/* A key that is not here: its credential has the chain only. */
static void test_external_key(void)
{
    struct asking a;
    hf_error err = {0};
    begin(&a, HF_ASK_SIGNATURE, LATER, true);
    hf_credential *external = hf_credential_load_memory(
        a.pair.pki->chain_pem, strlen(a.pair.pki->chain_pem), NULL, 0, NULL, NULL, &err);
    CHECK(external);
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(hf_config_add_credential(config, external));
    hf_config_set_ask(config, HF_ASK_SIGNATURE, on_ask, &a);
    hf_config_free(a.pair.server_config);
    a.pair.server_config = config;
    CHECK(play(&a));
    CHECK(hf_conn_verified(a.pair.client.conn));
    end(&a);
    /* nobody to ask */
    pair_init(&a.pair, PKI_P256);
    hf_config_free(a.pair.server_config);
    a.pair.server_config = hf_config_new(HF_SERVER);
    CHECK(hf_config_add_credential(a.pair.server_config, external));
    CHECK(!pair_shake(&a.pair));
    CHECK_INT(end_code(&a.pair.server), HF_E_CONFIG);
    pair_clear(&a.pair);
    hf_credential_free(external);
}

/* A signature that is wrong is found by the peer, a credential that fits nothing by us. */
static bool wrong_answer(hf_conn *conn, const hf_question *q, void *arg)
{
    uint8_t sig[70] = {0x30, 68, 2, 32, 1};
    (void)q;
    return arg ? hf_answer_credential(conn, arg) : hf_answer_signature(conn, sig, sizeof sig);
}

static void test_wrong_answers(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_ask(p.server_config, HF_ASK_SIGNATURE, wrong_answer, NULL);
    CHECK(!pair_shake(&p));
    CHECK_INT(end_code(&p.client), HF_E_BAD_SIGNATURE);
    pair_clear(&p);

    struct pair other;
    pair_init(&other, PKI_ED25519);
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_signatures(p.client_config, "ecdsa_secp256r1_sha256"));
    hf_config_set_ask(p.server_config, HF_ASK_CREDENTIAL, wrong_answer, other.cred);
    CHECK(!pair_shake(&p));
    CHECK_INT(end_code(&p.server), HF_E_NO_SHARED_SIGNATURE);
    pair_clear(&p);
    pair_clear(&other);
}

/* The configuration that the connection began with may be gone before the handshake is over; with a
 * retry, the question is still asked once. */
static void swap_alone(enum manner manner, bool retry)
{
    struct asking a;
    begin(&a, HF_ASK_HELLO, manner, true);
    if (retry)
        CHECK(hf_config_set_key_shares(a.pair.client_config, ""));
    pair_connect(&a.pair);
    hf_config_free(a.pair.server_config); /* the connection is its only owner now */
    a.pair.server_config = NULL;
    pair_run(&a.pair);
    if (manner == LATER) {
        CHECK(give(&a, a.pair.server.conn, hf_conn_question(a.pair.server.conn), false));
        (void)hf_conn_handshake(a.pair.server.conn);
        pair_run(&a.pair);
    }
    CHECK_INT(a.calls, 1);
    CHECK(hf_conn_config(a.pair.server.conn) == a.config);
    CHECK(hf_conn_retried(a.pair.server.conn) == retry);
    CHECK(!(hf_conn_wants(a.pair.server.conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED)));
    CHECK_INT(a.pair.sessions, 2);
    pair_reset(&a.pair);
    /* the ticket opens with the keys of the configuration that was chosen */
    a.pair.server_config = hf_config_ref(a.config);
    pair_connect(&a.pair);
    CHECK(hf_conn_set_session(a.pair.client.conn, a.pair.session[0]));
    pair_run(&a.pair);
    CHECK(hf_conn_resumed(a.pair.server.conn));
    end(&a);
}

static void test_swapped_configuration(void)
{
    swap_alone(NOW, false);
    swap_alone(LATER, false);
    swap_alone(NOW, true);
    swap_alone(LATER, true);
}

/* A configuration that cannot be frozen is no answer; the question waits on. */
static void test_hello_with_unusable_configuration(void)
{
    struct asking a;
    begin(&a, HF_ASK_HELLO, NEVER, true);
    CHECK(!play(&a));
    hf_conn *conn = a.pair.server.conn;
    hf_config *empty = hf_config_new(HF_SERVER);
    CHECK(!hf_answer_hello(conn, empty));
    CHECK(hf_conn_question(conn) != NULL);
    CHECK(hf_answer_hello(conn, a.config));
    CHECK_INT(hf_conn_handshake(conn), HF_WANT_INPUT);
    pair_run(&a.pair);
    CHECK(!(hf_conn_wants(conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED)));
    hf_config_free(empty);
    end(&a);
}

/* While a question waits the peer's bytes stay with the caller. */
static void test_no_input_while_waiting(void)
{
    struct asking a;
    uint8_t record[] = {22, 3, 3, 0, 1, 0}, *data;
    size_t used, len;
    begin(&a, HF_ASK_VERIFY, NEVER, false);
    CHECK(!play(&a));
    CHECK_INT(hf_conn_receive(a.pair.client.conn, record, sizeof record, &used, &data, &len),
              HF_WANT_ANSWER);
    CHECK(used == 0 && len == 0 && data == NULL);
    CHECK_INT(hf_conn_receive_end(a.pair.client.conn), HF_FAILED);
    CHECK_INT(end_code(&a.pair.client), HF_E_HANDSHAKE_CUT);
    end(&a);
}

int main(void)
{
    RUN(test_credential);
    RUN(test_signature);
    RUN(test_verify);
    RUN(test_hello);
    RUN(test_verdicts);
    RUN(test_external_key);
    RUN(test_wrong_answers);
    RUN(test_swapped_configuration);
    RUN(test_hello_with_unusable_configuration);
    RUN(test_no_input_while_waiting);
    return check_done();
}

/* Any function of a connection in any state and any order, also from within its callbacks: what must
 * hold always holds, and the sanitizers find nothing. The sequences are the same in every run. */
#include "../unit/check.h"
#include "old.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t state;

static uint32_t chance(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % n;
}

struct world {
    struct pair p;
    unsigned depth;        /* of callbacks */
    unsigned done, failed; /* sequences that ended so */
    unsigned renegotiated;
};

static void act(struct world *w, struct end *e);

/* Whoever is told of a failure finds it, and nobody else does. */
static hf_result note(const struct end *e, hf_result r)
{
    const hf_error *err = hf_conn_error(e->conn);
    unsigned wants = hf_conn_wants(e->conn);
    if (r == HF_FAILED)
        CHECK(err != NULL);
    CHECK((err != NULL) == ((wants & HF_IS_FAILED) != 0));
    CHECK(!err || (err->code != HF_OK && err->code < HF_E_COUNT && err->step && err->rfc));
    CHECK(!err || err->code != HF_E_INTERNAL);
    if (r == HF_WANT_ANSWER)
        CHECK(wants & HF_IN_HANDSHAKE);
    CHECK(((wants & HF_CAN_ANSWER) != 0) == (hf_conn_question(e->conn) != NULL));
    if (wants & HF_CAN_SEND)
        CHECK((hf_conn_version(e->conn) && hf_conn_suite(e->conn)) || e->conn->hs->may_send);
    return r;
}

static void answer(struct world *w, struct end *e)
{
    uint8_t sig[SIG_MAX_SIZE] = {0};
    size_t len = 0;
    const hf_question *q = hf_conn_question(e->conn);
    bool right = chance(8) != 0;
    if (!q)
        return;
    if (q->ask == HF_ASK_CREDENTIAL) {
        hf_answer_credential(e->conn, right ? w->p.cred : NULL);
    } else if (q->ask == HF_ASK_VERIFY) {
        hf_answer_verify(e->conn, right);
    } else if (q->ask == HF_ASK_HELLO) {
        hf_answer_hello(e->conn, right ? NULL : w->p.server_config);
    } else if (q->ask == HF_ASK_SIGNATURE) {
        const struct sigalg *alg = sigalg_find(q->scheme);
        if (right)
            CHECK(private_key_sign(w->p.cred->key, alg ? alg->sig : SIG_PKCS1_MD5_SHA1,
                                   slice_of(q->to_be_signed, q->to_be_signed_len), sig, &len));
        hf_answer_signature(e->conn, sig, len);
    } else {
        CHECK_INT(q->ask, HF_ASK_PSK);
        hf_answer_psk(e->conn, (const uint8_t *)"alice", right ? 5 : 4,
                      (const uint8_t *)"sixteen bytes of key", 16);
    }
    CHECK(hf_conn_question(e->conn) == NULL);
}

static bool on_ask(hf_conn *conn, const hf_question *q, void *arg)
{
    struct world *w = arg;
    struct end *e = conn == w->p.client.conn ? &w->p.client : &w->p.server;
    CHECK(hf_conn_question(conn) == q);
    w->depth++;
    for (uint32_t i = chance(4); i-- > 0;)
        act(w, e);
    w->depth--;
    if (chance(2))
        return false;
    answer(w, e);
    return e->conn->hs && e->conn->hs->answered;
}

static void receive(struct end *e)
{
    size_t used, len, give = e->in.len ? chance((uint32_t)e->in.len + 1) : 0;
    uint8_t *data;
    give = chance(3) ? e->in.len : give;
    note(e, hf_conn_receive(e->conn, e->in.p, give, &used, &data, &len));
    CHECK(used <= give && len <= used);
    wire_drop(&e->in, used);
}

static void carry(struct world *w, struct end *e)
{
    struct end *to = e == &w->p.client ? &w->p.server : &w->p.client;
    size_t len;
    const uint8_t *bytes = hf_conn_output(e->conn, &len);
    CHECK((bytes != NULL) == (len > 0));
    if (len && !chance(4))
        len = chance((uint32_t)len) + 1;
    wire_put(&to->in, bytes, len);
    hf_conn_output_done(e->conn, len);
    note(e, HF_DONE);
}

static void send_some(struct world *w, struct end *e)
{
    struct end *to = e == &w->p.client ? &w->p.server : &w->p.client;
    uint8_t data[100] = {0}, out[300];
    size_t taken, written, len = chance(sizeof data), room = chance(sizeof out);
    hf_result r = note(e, hf_conn_send(e->conn, data, len, &taken, out, room, &written));
    CHECK(taken <= len && written <= room);
    CHECK(r == HF_DONE || taken == 0);
    wire_put(&to->in, out, written);
}

static void look(struct end *e)
{
    char text[3000];
    uint8_t out[32];
    size_t len;
    hf_error err = {0};
    bool exported = hf_conn_export(e->conn, "x", NULL, 0, out, 32, &err);
    CHECK(exported == (err.code == HF_OK));
    CHECK(hf_conn_memory(e->conn) >= sizeof *e->conn);
    (void)hf_conn_server_name(e->conn);
    (void)hf_conn_alpn(e->conn, &len);
    (void)hf_conn_peer_ocsp(e->conn, &len);
    (void)hf_conn_peer_certificate(e->conn, 0);
    (void)hf_conn_verified(e->conn);
    (void)hf_conn_group(e->conn);
    if (hf_conn_error(e->conn))
        CHECK(hf_explain(e->conn, hf_conn_error(e->conn), text, sizeof text) > 0);
}

static void renegotiate(struct world *w, struct end *e)
{
    hf_error err = {0};
    hf_result r = hf_conn_renegotiate(e->conn, &err);
    CHECK(r == HF_DONE || (r == HF_FAILED && err.code != HF_OK));
    w->renegotiated += r == HF_DONE;
    note(e, HF_DONE);
}

static void act(struct world *w, struct end *e)
{
    switch (chance(16)) {
    case 0:
    case 1:
    case 2: carry(w, e); break;
    case 3: note(e, hf_conn_handshake(e->conn)); break;
    case 4:
    case 5: send_some(w, e); break;
    case 6: look(e); break;
    case 7: note(e, hf_conn_key_update(e->conn, chance(2) != 0)); break;
    case 8: (void)hf_conn_hibernate(e->conn); break;
    case 9:
        if (chance(12) == 0)
            hf_conn_close(e->conn);
        break;
    case 10:
        if (chance(40) == 0)
            note(e, hf_conn_receive_end(e->conn));
        break;
    case 11:
        if (w->p.sessions)
            (void)hf_conn_set_session(e->conn, w->p.session[chance(w->p.sessions)]);
        break;
    case 12:
    case 13: answer(w, e); break;
    case 14: renegotiate(w, e); break;
    default: receive(e); break;
    }
}

static void one_sequence(struct world *w)
{
    pair_connect(&w->p);
    for (int i = 0; i < 120; i++) {
        struct end *e = chance(2) ? &w->p.client : &w->p.server;
        if (chance(3))
            act(w, e);
        else
            receive(e);
        note(e, HF_DONE);
    }
    unsigned both = hf_conn_wants(w->p.client.conn) | hf_conn_wants(w->p.server.conn);
    w->failed += (both & HF_IS_FAILED) != 0;
    w->done += !(both & (HF_IS_FAILED | HF_IN_HANDSHAKE));
    pair_reset(&w->p);
}

/* suite: NULL for TLS 1.3. */
static void sequences(unsigned asks, uint32_t seed, const char *suite)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    if (suite)
        old_start(&w.p, strstr(suite, "SHA256") ? HF_TLS1_2 : HF_TLS1_0, suite);
    else
        pair_init(&w.p, PKI_P256);
    hf_config_set_renegotiation(w.p.client_config, 200);
    hf_config_set_renegotiation(w.p.server_config, 200);
    hf_config_set_alpn(w.p.client_config, "h2", false);
    hf_config_set_alpn(w.p.server_config, "h2", false);
    hf_config_set_false_start(w.p.client_config, true);
    hf_config_set_trust(w.p.server_config, w.p.trust);
    hf_config_set_client_auth(w.p.server_config, HF_CLIENT_AUTH_REQUEST);
    hf_config_add_credential(w.p.client_config, w.p.cred);
    hf_config_set_key_update_after(w.p.client_config, 3);
    if (seed & 1)
        hf_config_set_key_shares(w.p.client_config, "");
    for (int ask = HF_ASK_CREDENTIAL; ask <= HF_ASK_PSK; ask++) {
        if (!(asks >> ask & 1))
            continue;
        hf_config_set_ask(w.p.server_config, (hf_ask)ask, on_ask, &w);
        hf_config_set_ask(w.p.client_config, (hf_ask)ask, on_ask, &w);
    }
    state = seed * 2654435761u + 1;
    for (int i = 0; i < 250; i++)
        one_sequence(&w);
    CHECK(w.done > 0 && w.failed > 20); /* both happen, or this tests nothing */
    pair_clear(&w.p);
}

static void test_without_questions(void)
{
    sequences(0, 1, NULL);
    sequences(0, 2, NULL);
}

static void test_with_questions(void)
{
    for (uint32_t seed = 3; seed < 7; seed++)
        sequences(~0u, seed, NULL);
}

static const char *const suites[] = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
};

static void test_old_without_questions(void)
{
    for (uint32_t i = 0; i < 8; i++)
        sequences(0, 10 + i, suites[i % 4]);
}

static void test_old_with_questions(void)
{
    for (uint32_t i = 0; i < 8; i++)
        sequences(~0u, 20 + i, suites[i % 4]);
}

int main(void)
{
    RUN(test_old_without_questions);
    RUN(test_old_with_questions);
    RUN(test_without_questions);
    RUN(test_with_questions);
    return check_done();
}

/* What an application may say about a peer: refuse it by an alert of its own, and judge again the chain
 * that a resumed session was made with. */
#include "../unit/check.h"
#include "pair.h"

#include <string.h>

struct judge {
    struct pair pair;
    unsigned calls;
    bool refuse; /* with certificate_revoked */
    bool reject; /* with whatever the library says */
};

static const uint16_t versions[] = {HF_TLS1_2, HF_TLS1_3};

static bool on_verify(hf_conn *conn, const hf_question *q, void *arg)
{
    struct judge *j = arg;
    CHECK(q->ask == HF_ASK_VERIFY && hf_conn_peer_certificate(conn, 0));
    j->calls++;
    CHECK(!hf_answer_refuse(conn, 0) && !hf_answer_refuse(conn, HF_NO_ALERT));
    if (j->refuse)
        return hf_answer_refuse(conn, 44);
    return hf_answer_verify(conn, !j->reject);
}

static void start(struct judge *j, uint16_t version, bool again)
{
    memset(j, 0, sizeof *j);
    pair_init(&j->pair, PKI_P256);
    CHECK(hf_config_set_versions(j->pair.client_config, version, version));
    CHECK(hf_config_set_verify_resumed(j->pair.client_config, again));
    CHECK(hf_config_set_ask(j->pair.client_config, HF_ASK_VERIFY, on_verify, j));
}

static void test_refuse_by_alert(void)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct judge j;
        start(&j, versions[i], false);
        j.refuse = true;
        CHECK(!pair_shake(&j.pair));
        CHECK_INT(end_code(&j.pair.client), HF_E_REFUSED);
        CHECK_INT(hf_conn_error(j.pair.client.conn)->alert, 44);
        CHECK_INT(end_code(&j.pair.server), HF_E_ALERT_RECEIVED);
        CHECK_INT(hf_conn_error(j.pair.server.conn)->alert, 44);
        CHECK(!hf_answer_refuse(j.pair.client.conn, 44)); /* nothing is asked any more */
        pair_clear(&j.pair);
    }
}

/* Resumes; true if both ends have finished. */
static bool resume(struct judge *j)
{
    pair_reset(&j->pair);
    pair_connect(&j->pair);
    CHECK(hf_conn_set_session(j->pair.client.conn, j->pair.session[j->pair.sessions - 1]));
    pair_run(&j->pair);
    return !(hf_conn_wants(j->pair.client.conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED)) &&
           !(hf_conn_wants(j->pair.server.conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

static void test_judge_again(void)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct judge j;
        start(&j, versions[i], true);
        CHECK(pair_shake(&j.pair) && j.pair.sessions > 0);
        CHECK_INT(j.calls, 1);
        CHECK(resume(&j) && hf_conn_resumed(j.pair.client.conn));
        CHECK_INT(j.calls, 2);
        j.reject = true;
        CHECK(!resume(&j));
        CHECK_INT(j.calls, 3);
        CHECK_INT(end_code(&j.pair.client), HF_E_VERIFY_REFUSED);
        CHECK_INT(end_code(&j.pair.server), HF_E_ALERT_RECEIVED);
        pair_clear(&j.pair);
    }
}

static void test_judge_once(void)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct judge j;
        start(&j, versions[i], false);
        CHECK(pair_shake(&j.pair) && j.pair.sessions > 0);
        j.reject = true;
        CHECK(resume(&j) && hf_conn_resumed(j.pair.client.conn));
        CHECK_INT(j.calls, 1);
        pair_clear(&j.pair);
    }
}

int main(void)
{
    RUN(test_refuse_by_alert);
    RUN(test_judge_again);
    RUN(test_judge_once);
    return check_done();
}

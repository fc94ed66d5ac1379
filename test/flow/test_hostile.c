/* Peers that break a rule which BoringSSL's protocol tests have found us not to enforce, or keep one
 * that we did not keep. */
#include "../unit/check.h"
#include "pair.h"

#include <stdlib.h>

#include "connection/conn.h"

/* Hands bytes to one end as if the other had sent them. */
static hf_result hand_over(struct end *to, const void *bytes, size_t len)
{
    size_t used, n;
    uint8_t *data;
    wire_put(&to->in, bytes, len);
    to->last = hf_conn_receive(to->conn, to->in.p, to->in.len, &used, &data, &n);
    wire_drop(&to->in, used);
    return to->last;
}

static void expect_refusal(const struct end *e, hf_code code, uint8_t alert)
{
    CHECK_INT(end_code(e), code);
    if (hf_conn_error(e->conn))
        CHECK_INT(hf_conn_error(e->conn)->alert, alert);
}

/* ---- ClientHello.legacy_version */

static void set_version(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    const uint8_t *version = arg;
    if (to->flights == 1 && len > 11 && bytes[0] == REC_HANDSHAKE)
        memcpy(bytes + 9, version, 2);
}

static void with_version(uint8_t major, uint8_t minor, hf_code client, hf_code server)
{
    struct pair p;
    uint8_t version[2] = {major, minor};
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    p.server.tamper = set_version;
    p.server.tamper_arg = version;
    pair_run(&p);
    CHECK_INT(end_code(&p.client), client);
    CHECK_INT(end_code(&p.server), server);
    pair_clear(&p);
}

/* "servers MUST NOT use the ClientHello.legacy_version value for version negotiation" (RFC 8446
 * 4.2.1): the server goes on, and only then the two find that they saw different hellos. */
static void test_legacy_version_says_nothing(void)
{
    with_version(0x12, 0x34, HF_E_BAD_RECORD_MAC, HF_E_BAD_RECORD_MAC);
    with_version(3, 4, HF_E_BAD_RECORD_MAC, HF_E_BAD_RECORD_MAC);
    with_version(3, 0, HF_E_ALERT_RECEIVED, HF_E_SSL3_PEER); /* D.5 */
}

/* ---- server_name */

struct seen {
    bool hello, acknowledged;
};

static void look(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    struct seen *seen = arg;
    (void)conn;
    if (e->kind != HF_TRACE_MESSAGE || e->sent || e->bytes[0] != MSG_ENCRYPTED_EXTENSIONS)
        return;
    seen->hello = true;
    for (size_t at = MSG_HEADER + 2; at + 4 <= e->size; at += 4u + get_u16(e->bytes + at + 2)) {
        if (get_u16(e->bytes + at) == 0)
            seen->acknowledged = true;
    }
}

static void test_resumption_acknowledges_no_name(void)
{
    struct pair p;
    struct seen seen = {0};
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_trace(p.client_config, look, &seen));
    CHECK(pair_shake(&p));
    CHECK(seen.hello && seen.acknowledged);
    CHECK(p.sessions > 0);
    pair_reset(&p);
    memset(&seen, 0, sizeof seen);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    CHECK(seen.hello && !seen.acknowledged); /* RFC 6066 3 */
    pair_clear(&p);
}

/* ---- bytes that come before what they answer */

/* Lengthens the first record of what `from` has to send by the beginning of another message. */
static void send_with_tail(struct end *from, struct end *to, uint8_t type)
{
    const uint8_t tail[4] = {type, 0, 0, 100};
    size_t len;
    const uint8_t *bytes = hf_conn_output(from->conn, &len);
    CHECK(len > REC_HEADER);
    size_t body = get_u16(bytes + 3);
    uint8_t *copy = malloc(REC_HEADER + body + sizeof tail);
    memcpy(copy, bytes, REC_HEADER + body);
    memcpy(copy + REC_HEADER + body, tail, sizeof tail);
    put_u16(copy + 3, (uint16_t)(body + sizeof tail));
    hf_conn_output_done(from->conn, len);
    (void)hand_over(to, copy, REC_HEADER + body + sizeof tail);
    free(copy);
}

static void retrying_pair(struct pair *p)
{
    pair_init(p, PKI_P256);
    CHECK(hf_config_set_key_shares(p->client_config, ""));
    pair_connect(p);
}

static void test_server_hello_before_second_hello(void)
{
    struct pair p;
    retrying_pair(&p);
    CHECK(pair_pump(&p.client, &p.server));
    send_with_tail(&p.server, &p.client, MSG_SERVER_HELLO);
    expect_refusal(&p.client, HF_E_EXCESS_HANDSHAKE_DATA, 10);
    pair_clear(&p);
}

static void test_second_hello_before_retry(void)
{
    struct pair p;
    retrying_pair(&p);
    send_with_tail(&p.client, &p.server, MSG_CLIENT_HELLO);
    expect_refusal(&p.server, HF_E_EXCESS_HANDSHAKE_DATA, 10);
    pair_clear(&p);
}

/* ---- floods */

static hf_result send_record(struct end *from, struct end *to, uint8_t type, const void *p,
                             size_t len)
{
    uint8_t out[256];
    size_t size = rec_seal(&from->conn->out, type, HF_TLS1_2, p, len, out);
    CHECK(size > 0);
    return hand_over(to, out, size);
}

static void test_empty_records(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    for (int i = 0; i < 32; i++) /* the handshake's change_cipher_spec does not count */
        CHECK_INT(send_record(&p.server, &p.client, REC_DATA, "", 0), HF_WANT_INPUT);
    CHECK_INT(pair_send(&p, &p.server, "x", 1), HF_DONE);
    for (int i = 0; i < 32; i++)
        CHECK_INT(send_record(&p.server, &p.client, REC_DATA, "", 0), HF_WANT_INPUT);
    CHECK_INT(send_record(&p.server, &p.client, REC_DATA, "", 0), HF_FAILED);
    expect_refusal(&p.client, HF_E_EMPTY_RECORDS, 10);
    pair_clear(&p);
}

static void test_user_canceled(void)
{
    static const uint8_t alert[2] = {1, 90};
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    for (int i = 0; i < 4; i++)
        CHECK_INT(send_record(&p.server, &p.client, REC_ALERT, alert, 2), HF_WANT_INPUT);
    CHECK_INT(send_record(&p.server, &p.client, REC_ALERT, alert, 2), HF_FAILED);
    expect_refusal(&p.client, HF_E_WARNING_ALERTS, 10);
    pair_clear(&p);
}

static void test_change_cipher_spec_flood(void)
{
    static const uint8_t ccs[] = {REC_CCS, 3, 3, 0, 1, 1};
    struct pair p;
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    CHECK(pair_pump(&p.client, &p.server));
    for (int i = 0; i < 32; i++)
        CHECK_INT(hand_over(&p.server, ccs, sizeof ccs), HF_WANT_INPUT);
    CHECK_INT(hand_over(&p.server, ccs, sizeof ccs), HF_FAILED);
    expect_refusal(&p.server, HF_E_EMPTY_RECORDS, 10);
    pair_clear(&p);
}

/* ---- CertificateRequest with a context in the handshake */

static enum hs_result request_with_context(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_CERTIFICATE_REQUEST, &mark);
    wr_opaque8(&w, slice_of("x", 1));
    hs_extensions(hs, &w, IN_CR, MSG_CERTIFICATE_REQUEST);
    hs->cert_requested = true;
    return hs_end(hs, &w, mark);
}

static void test_request_context(void)
{
    struct pair p;
    struct step copy[40];
    size_t n = 0;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
    pair_connect(&p);
    do {
        copy[n] = server13[n];
        if (copy[n].message == MSG_CERTIFICATE_REQUEST)
            copy[n].run = request_with_context;
    } while (server13[n++].kind);
    p.server.conn->hs->step = copy;
    pair_run(&p);
    expect_refusal(&p.client, HF_E_ILLEGAL_VALUE, 47); /* RFC 8446 4.3.2 */
    pair_clear(&p);
}

/* ---- an application that refuses a good chain */

static bool refuse(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)arg;
    CHECK(q->verdict == NULL);
    return hf_answer_verify(conn, false);
}

static void test_refusal_is_certificate_unknown(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_ask(p.client_config, HF_ASK_VERIFY, refuse, NULL));
    CHECK(!pair_shake(&p));
    expect_refusal(&p.client, HF_E_VERIFY_REFUSED, 46); /* RFC 8446 6.2 */
    pair_clear(&p);
}

int main(void)
{
    RUN(test_legacy_version_says_nothing);
    RUN(test_resumption_acknowledges_no_name);
    RUN(test_server_hello_before_second_hello);
    RUN(test_second_hello_before_retry);
    RUN(test_empty_records);
    RUN(test_user_canceled);
    RUN(test_change_cipher_spec_flood);
    RUN(test_request_context);
    RUN(test_refusal_is_certificate_unknown);
    return check_done();
}

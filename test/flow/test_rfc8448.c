/* The traces of RFC 8448, both roles, byte for byte: the RFC's private values go in, its records must
 * come out. Two things of the traces are not ours to choose and are given: the extension blocks
 * (their order and some obsolete contents) and the signatures, which are random; each signature is
 * checked against what would have been signed.
 *
 * Section 4 resumes with 0-RTT, which this version does not have: its ClientHello with binder and its
 * server's flight are reproduced, what follows EndOfEarlyData is not. */
#include "../unit/check.h"
#include "../unit/hex.h"
#include "rfc8448.h"

#include <stdlib.h>

#include "config/config.h"
#include "config/session.h"
#include "message/message.h"

struct player {
    const struct trace *t;
    bool server;
    unsigned hellos;
    hf_session *session; /* received (client) or to be resumed */
    hf_conn *conn;
    bool signature_ok;
};

static bool play_random(void *arg, const char *what, uint8_t *out, size_t n)
{
    const struct player *p = arg;
    const char *value = NULL;
    if (strcmp(what, "random") == 0)
        value = p->server ? p->t->server_random : p->t->client_random;
    else if (strcmp(what, "session_id") == 0)
        value = p->t->session_id;
    if (value)
        CHECK_INT(unhex(value, out), n);
    else
        memset(out, 7, n); /* what the traces do not pin down: ticket keys and the like */
    return true;
}

static bool play_private_key(void *arg, uint16_t group, uint8_t *out, size_t *len)
{
    const struct player *p = arg;
    const char *x25519 = p->server ? p->t->server_x25519 : p->t->client_x25519;
    const char *p256 = p->server ? p->t->server_p256 : p->t->client_p256;
    const char *key = group == 0x1d ? x25519 : p256;
    CHECK(key != NULL);
    *len = key ? unhex(key, out) : 0;
    return key != NULL;
}

/* The content of the extension block that ends a message, whose place `skip` leads to. */
static bool block_at(const char *hex, size_t skip, struct buffer *out)
{
    uint8_t bytes[1024];
    size_t len = unhex(hex, bytes);
    return buffer_append(out, bytes + skip + 2, len - skip - 2);
}

static bool play_extensions(void *arg, uint8_t message, struct buffer *out)
{
    struct player *p = arg;
    size_t id = p->t->session_id ? 32 : 0;
    const size_t hello = 5 + 4 + 2 + 32 + 1;
    switch (message) {
    case MSG_CLIENT_HELLO:
        return block_at(p->hellos++ ? p->t->second_hello : p->t->client_hello,
                        hello + id + 2 + 6 + 2, out);
    case MSG_SERVER_HELLO: return block_at(p->t->server_hello, hello + id + 3, out);
    case MSG_HELLO_RETRY_REQUEST: return block_at(p->t->hello_retry, hello + 3, out);
    case MSG_ENCRYPTED_EXTENSIONS: return block_at(p->t->encrypted_extensions, 4, out);
    case MSG_CERTIFICATE_REQUEST: return block_at(p->t->certificate_request, 4 + 1, out);
    default: return false;
    }
}

static bool play_suites(void *arg, struct slice *out)
{
    static const uint8_t suites[] = {0x13, 1, 0x13, 3, 0x13, 2};
    (void)arg;
    *out = slice_of(suites, sizeof suites);
    return true;
}

static hf_session *play_session(void *arg, struct slice identity)
{
    const struct player *p = arg;
    CHECK(p->session && identity.len == p->session->ticket_len &&
          memcmp(identity.p, p->session->ticket, identity.len) == 0);
    return p->session ? hf_session_ref(p->session) : NULL;
}

static bool play_sign(hf_conn *conn, const hf_question *q, void *arg)
{
    struct player *p = arg;
    uint8_t signature[256];
    size_t len = unhex(p->server ? p->t->server_signature : p->t->client_signature, signature);
    const struct sigalg *alg = sigalg_find(q->scheme);
    p->signature_ok =
        alg && public_key_verify(cert_key(q->credential->chain->cert[0]), alg->sig,
                                 slice_of(q->to_be_signed, q->to_be_signed_len),
                                 slice_of(signature, len));
    return hf_answer_signature(conn, signature, len);
}

static int64_t then(void *arg)
{
    (void)arg;
    return 1651826546;
}

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    struct player *p = arg;
    (void)conn;
    hf_session_free(p->session);
    p->session = hf_session_ref(session);
}

/* The traces' keys are too short for hf_credential_load: the credential is put together by hand. */
static void add_credential(hf_config *config, const uint8_t *der, size_t len)
{
    hf_error err = {0};
    hf_certificate *cert = cert_from_der(slice_of(der, len), &err);
    CHECK(cert != NULL);
    hf_credential *cred = mem_new(sizeof *cred);
    cred->refs = 1;
    cred->chain = chain_new(&cert, 1);
    cred->kind = public_key_kind(cert_key(cert));
    cred->bits = public_key_bits(cert_key(cert));
    CHECK(hf_config_add_credential(config, cred));
    hf_credential_free(cred);
    hf_certificate_free(cert);
}

static hf_config *make_config(struct player *p, struct test_hooks *hooks)
{
    hf_config *config = hf_config_new(p->server ? HF_SERVER : HF_CLIENT);
    *hooks = (struct test_hooks){p,
                                 play_random,
                                 play_private_key,
                                 play_extensions,
                                 play_suites,
                                 p->server ? play_session : NULL};
    config->test = hooks;
    hf_config_insecure_no_verify(config);
    hf_config_insecure_set_security_level(config, 1); /* the traces' keys have 1024 bits */
    hf_config_set_versions(config, HF_TLS1_3, HF_TLS1_3);
    hf_config_set_clock(config, then, NULL);
    hf_config_set_middlebox_compat(config, p->t->session_id != NULL);
    hf_config_set_ask(config, HF_ASK_SIGNATURE, play_sign, p);
    hf_config_set_groups(config,
                         p->t->hello_retry && p->server ? "P-256" : "x25519:P-256:P-384:P-521");
    return config;
}

static void expect_output(hf_conn *conn, const char *a, const char *b)
{
    uint8_t want[2048];
    size_t len, n = unhex(a, want);
    if (b)
        n += unhex(b, want + n);
    const uint8_t *got = hf_conn_output(conn, &len);
    CHECK_INT(len, n);
    if (len == n && n)
        CHECK_MEM(got, want, n);
    hf_conn_output_done(conn, len);
}

static hf_result feed(hf_conn *conn, const char *hex, uint8_t *plain, size_t *plain_len)
{
    static uint8_t bytes[4096]; /* the slice that comes back lies in it */
    size_t len = unhex(hex, bytes), at = 0, used, n;
    uint8_t *data;
    hf_result r;
    *plain_len = 0;
    do {
        r = hf_conn_receive(conn, bytes + at, len - at, &used, &data, &n);
        at += used;
        if (n) {
            memcpy(plain, data, n);
            *plain_len = n;
        }
    } while (r == HF_DONE && at < len);
    CHECK_INT(at, len);
    const hf_error *err = hf_conn_error(conn);
    if (err) {
        char line[512];
        hf_error_line(err, line, sizeof line);
        printf("    %s\n", line);
    }
    return r;
}

static void expect_data(hf_conn *conn, const char *record)
{
    uint8_t plain[256];
    size_t len;
    CHECK_INT(feed(conn, record, plain, &len), HF_DONE);
    CHECK_INT(len, 50);
    for (size_t i = 0; i < len; i++)
        CHECK_INT(plain[i], i);
}

static void expect_sent(hf_conn *conn, const char *record)
{
    uint8_t data[50], out[256], want[256];
    size_t taken, written;
    for (uint8_t i = 0; i < 50; i++)
        data[i] = i;
    CHECK_INT(hf_conn_send(conn, data, 50, &taken, out, sizeof out, &written), HF_DONE);
    CHECK_INT(written, unhex(record, want));
    CHECK_MEM(out, want, written);
}

static void close_both_ways(struct player *p)
{
    uint8_t plain[64];
    size_t len;
    hf_conn_close(p->conn);
    expect_output(p->conn, p->server ? p->t->server_close : p->t->client_close, NULL);
    CHECK_INT(feed(p->conn, p->server ? p->t->client_close : p->t->server_close, plain, &len),
              HF_CLOSED);
}

static void play_client(struct player *p)
{
    struct test_hooks hooks;
    hf_error err = {0};
    uint8_t plain[256], der[600];
    size_t len;
    hf_config *config = make_config(p, &hooks);
    hf_config_set_record_size_limit(config, 16384);
    hf_config_set_key_shares(config, "x25519");
    hf_config_set_session_callback(config, keep, p);
    if (p->t->client_signature)
        add_credential(config, der, unhex(client_certificate, der));
    p->conn = hf_conn_new_client(config, "server", &err);
    CHECK(p->conn != NULL);
    expect_output(p->conn, p->t->client_hello, NULL);
    if (p->t->hello_retry) {
        CHECK_INT(feed(p->conn, p->t->hello_retry, plain, &len), HF_WANT_INPUT);
        expect_output(p->conn, p->t->second_hello, NULL);
    }
    CHECK_INT(feed(p->conn, p->t->server_hello, plain, &len), HF_WANT_INPUT);
    CHECK_INT(feed(p->conn, p->t->server_flight, plain, &len), HF_WANT_INPUT);
    expect_output(p->conn, p->t->client_flight, NULL);
    CHECK_INT(p->signature_ok, p->t->client_signature != NULL);
    if (p->t->ticket)
        CHECK_INT(feed(p->conn, p->t->ticket, plain, &len), HF_WANT_INPUT);
    if (p->t->client_data) {
        expect_sent(p->conn, p->t->client_data);
        expect_data(p->conn, p->t->server_data);
    }
    close_both_ways(p);
    hf_conn_free(p->conn);
    hf_config_free(config);
}

static void play_server(struct player *p)
{
    struct test_hooks hooks;
    hf_error err = {0};
    uint8_t plain[256], message[600];
    size_t len;
    hf_config *config = make_config(p, &hooks);
    if (p->t->certificate) {
        len = unhex(p->t->certificate, message);
        add_credential(config, message + 11, len - 11 - 2); /* one entry without extensions */
    }
    hf_config_set_tickets(config, p->t->ticket ? 1 : 0, 30);
    if (p->t->certificate_request)
        hf_config_set_client_auth(config, HF_CLIENT_AUTH_REQUIRE);
    p->conn = hf_conn_new_server(config, &err);
    CHECK(p->conn != NULL);
    CHECK_INT(feed(p->conn, p->t->client_hello, plain, &len), HF_WANT_INPUT);
    if (p->t->hello_retry) {
        expect_output(p->conn, p->t->hello_retry, NULL);
        CHECK_INT(feed(p->conn, p->t->second_hello, plain, &len), HF_WANT_INPUT);
    }
    expect_output(p->conn, p->t->server_hello, p->t->server_flight);
    CHECK(p->signature_ok);
    CHECK_INT(feed(p->conn, p->t->client_flight, plain, &len), HF_WANT_INPUT);
    if (p->t->ticket) {
        (void)hf_conn_output(p->conn, &len);
        CHECK(len > 100);
        hf_conn_output_done(p->conn, len);
    }
    if (p->t->client_data) {
        expect_data(p->conn, p->t->client_data);
        expect_sent(p->conn, p->t->server_data);
    }
    close_both_ways(p);
    hf_conn_free(p->conn);
    hf_config_free(config);
}

static void both(const struct trace *t)
{
    struct player client = {.t = t}, server = {.t = t, .server = true};
    play_client(&client);
    play_server(&server);
    hf_session_free(client.session);
}

static void test_simple_handshake(void)
{
    both(&trace_simple);
}
static void test_hello_retry_request(void)
{
    both(&trace_retry);
}
static void test_client_authentication(void)
{
    both(&trace_client_auth);
}
static void test_compatibility_mode(void)
{
    both(&trace_compat);
}

/* The session of section 3 is the one that section 4 resumes. */
static hf_session *session_of_section_3(void)
{
    struct player p = {.t = &trace_simple};
    uint8_t psk[32];
    play_client(&p);
    unhex("4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3", psk);
    CHECK(p.session && p.session->secret_len == 32);
    if (p.session)
        CHECK_MEM(p.session->secret, psk, 32);
    return p.session;
}

#define EARLY_RECORD "1703030017ab1df420e75c457a7cc5d2844f76d5aee4b4edbf049be0"

static void resume_as_client(hf_session *session)
{
    struct test_hooks hooks;
    hf_error err = {0};
    uint8_t plain[256], out[1024], want[64];
    size_t len, taken, written;
    struct player p = {.t = &trace_resumed};
    hf_config *config = make_config(&p, &hooks);
    hf_config_set_key_shares(config, "x25519");
    hf_config_set_record_size_limit(config, 16384);
    hf_config_set_early_data(config, true);
    p.conn = hf_conn_new_client(config, "server", &err);
    CHECK(p.conn && hf_conn_set_session(p.conn, session));
    expect_output(p.conn, trace_resumed.client_hello, NULL);
    CHECK_INT(hf_conn_early_room(p.conn), 1024);
    CHECK_INT(hf_conn_send_early(p.conn, (const uint8_t *)"ABCDEF", 6, &taken, out, sizeof out,
                                 &written),
              HF_DONE);
    CHECK_INT(written, unhex(EARLY_RECORD, want));
    CHECK_MEM(out, want, written);
    CHECK_INT(feed(p.conn, trace_resumed.server_hello, plain, &len), HF_WANT_INPUT);
    CHECK_INT(feed(p.conn, trace_resumed.server_flight, plain, &len), HF_WANT_INPUT);
    expect_output(p.conn, trace_resumed.client_flight, NULL);
    CHECK(hf_conn_early_data(p.conn) == HF_EARLY_ACCEPTED);
    expect_sent(p.conn, trace_resumed.client_data);
    expect_data(p.conn, trace_resumed.server_data);
    close_both_ways(&p);
    hf_conn_free(p.conn);
    hf_config_free(config);
}

static bool always_first(const uint8_t *id, size_t len, int64_t until, void *arg)
{
    (void)id, (void)len, (void)until, (void)arg;
    return true;
}

static void resume_as_server(hf_session *session)
{
    struct test_hooks hooks;
    hf_error err = {0};
    uint8_t plain[256], message[600];
    size_t len;
    struct player p = {.t = &trace_resumed, .server = true, .session = session};
    hf_config *config = make_config(&p, &hooks);
    size_t n = unhex(trace_simple.certificate, message);
    add_credential(config, message + 11, n - 11 - 2);
    hf_config_set_tickets(config, 0, 0);
    hf_config_set_max_early_data(config, 1024);
    hf_config_set_first_use(config, always_first, NULL);
    p.conn = hf_conn_new_server(config, &err);
    CHECK(p.conn != NULL);
    CHECK_INT(feed(p.conn, trace_resumed.client_hello, plain, &len), HF_WANT_INPUT);
    expect_output(p.conn, trace_resumed.server_hello, trace_resumed.server_flight);
    CHECK_INT(feed(p.conn, EARLY_RECORD, plain, &len), HF_DONE);
    CHECK_INT(len, 6);
    CHECK_MEM(plain, "ABCDEF", 6);
    CHECK_INT(feed(p.conn, trace_resumed.client_flight, plain, &len), HF_WANT_INPUT);
    expect_data(p.conn, trace_resumed.client_data);
    expect_sent(p.conn, trace_resumed.server_data);
    close_both_ways(&p);
    hf_conn_free(p.conn);
    hf_config_free(config);
}

static void test_resumption_with_early_data(void)
{
    hf_session *session = session_of_section_3();
    resume_as_client(session);
    /* What the server sealed into its ticket has no chain: the client showed none. */
    chain_free(session->chain);
    session->chain = NULL;
    resume_as_server(session);
    hf_session_free(session);
}

int main(void)
{
    RUN(test_simple_handshake);
    RUN(test_hello_retry_request);
    RUN(test_client_authentication);
    RUN(test_compatibility_mode);
    RUN(test_resumption_with_early_data);
    return check_done();
}

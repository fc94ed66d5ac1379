/* test_early.c: early data (RFC 8446 2.3, 4.2.10, 8): accepted at most once, or refused and lost without harm. */
#include <stdlib.h>

#include "../unit/check.h"
#include "connection/conn.h"
#include "pair.h"

static int64_t now;

static int64_t clock_now(void *arg)
{
    (void)arg;
    return now;
}

static const uint8_t request[] = "GET / HTTP/1.0";

/* A pair whose client has a session that allows early data, long after the server's start. */
static void prepare(struct pair *p, uint32_t max)
{
    now = PKI_NOW;
    pair_init(p, PKI_P256);
    CHECK(hf_config_set_clock(p->client_config, clock_now, NULL));
    CHECK(hf_config_set_clock(p->server_config, clock_now, NULL));
    CHECK(hf_config_set_early_data(p->client_config, true));
    CHECK(hf_config_set_max_early_data(p->server_config, max));
    CHECK(hf_config_set_tickets(p->server_config, 8, 7200));
}

/* The record of replays starts with the first early data: a first attempt is refused. */
static void first(struct pair *p)
{
    CHECK(pair_shake(p));
    CHECK(p->sessions == 8);
    pair_reset(p);
    pair_connect(p);
    CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    pair_run(p);
    pair_reset(p);
    now += 60;
}

/* Sends early data of n bytes on a new connection with the i-th session; the first flight goes to the server
 * and, if copy is not NULL, a copy of it there. */
static size_t send_early(struct pair *p, int i, size_t n, struct wire *copy)
{
    static uint8_t bytes[70000], out[80000];
    size_t taken = 0, written = 0;
    pair_reset(p);
    pair_connect(p);
    CHECK(hf_conn_set_session(p->client.conn, p->session[i]));
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, request, sizeof request);
    hf_result r =
        hf_conn_send_early(p->client.conn, bytes, n, &taken, out, sizeof out, &written);
    CHECK(r == HF_DONE);
    wire_put(&p->server.in, out, written);
    if (copy) {
        copy->len = 0;
        wire_put(copy, out, written);
    }
    return taken;
}

static void test_accepted(void)
{
    ROW("Y162");
    struct pair p;
    static const char answer[] = "200 OK";
    prepare(&p, 1000);
    first(&p);
    CHECK_INT(send_early(&p, 1, sizeof request, NULL), sizeof request);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_OFFERED);
    CHECK_INT(hf_conn_early_room(p.client.conn), 1000 - sizeof request);

    /* The server has the request, and answers it, before the client's second flight. */
    uint8_t *data, out[256];
    size_t used = 0, at = 0, len = 0, taken, written;
    hf_result r = HF_DONE;
    while (r == HF_DONE && !len && at < p.server.in.len) {
        r = hf_conn_receive(p.server.conn, p.server.in.p + at, p.server.in.len - at, &used,
                            &data, &len);
        at += used;
    }
    CHECK(r == HF_DONE && len == sizeof request && memcmp(data, request, len) == 0);
    wire_drop(&p.server.in, at);
    CHECK(hf_conn_early_data(p.server.conn) == HF_EARLY_ACCEPTED);
    CHECK(hf_conn_wants(p.server.conn) & HF_IN_HANDSHAKE);
    CHECK(hf_conn_wants(p.server.conn) & HF_CAN_SEND);
    uint8_t flight[8192];
    r = hf_conn_send(p.server.conn, (const uint8_t *)answer, sizeof answer, &taken, flight,
                     sizeof flight, &written);
    CHECK(r == HF_DONE && taken == sizeof answer);
    wire_put(&p.client.in, flight, written);
    (void)out;
    pair_run(&p);
    CHECK(p.client.data.len == sizeof answer && memcmp(p.client.data.p, answer, 7) == 0);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    CHECK_INT(hf_conn_early_room(p.client.conn), 0);
    CHECK(hf_conn_resumed(p.server.conn) && !(hf_conn_wants(p.server.conn) & HF_IN_HANDSHAKE));
    CHECK(pair_send(&p, &p.client, "later", 5) == HF_DONE);
    CHECK(p.server.data.len == 5 && memcmp(p.server.data.p, "later", 5) == 0);
    pair_clear(&p);
}

/* What a refusal must look like: nothing of the early data comes through, everything else does. */
static void refused(struct pair *p, const char *why)
{
    pair_run(p);
    if (hf_conn_early_data(p->client.conn) != HF_EARLY_REFUSED || p->server.data.len)
        printf("    %s: not refused, %zu bytes\n", why, p->server.data.len);
    CHECK(hf_conn_early_data(p->client.conn) == HF_EARLY_REFUSED);
    CHECK_INT(p->server.data.len, 0);
    CHECK(!(hf_conn_wants(p->client.conn) & HF_IN_HANDSHAKE));
    CHECK(pair_send(p, &p->client, "again", 5) == HF_DONE);
    CHECK(p->server.data.len == 5 && memcmp(p->server.data.p, "again", 5) == 0);
}

static void test_just_started(void)
{
    struct pair p;
    prepare(&p, 1000);
    CHECK(pair_shake(&p));
    send_early(&p, 0, sizeof request, NULL);
    refused(&p, "a server that has just started");
    now += 19; /* less than twice the window */
    send_early(&p, 1, sizeof request, NULL);
    refused(&p, "a server that started a moment ago");
    now += 2;
    send_early(&p, 2, sizeof request, NULL);
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    pair_clear(&p);
}

/* The same first flight twice: the second time its data is dropped, and the handshake goes on as far as the
 * replayer can take it. */
static void replay(int64_t later, bool retry_first)
{
    struct pair p;
    struct wire copy = {0};
    prepare(&p, 1000);
    first(&p);
    send_early(&p, 1, sizeof request, &copy);
    if (!retry_first)
        pair_run(&p);
    CHECK(retry_first || p.server.data.len == sizeof request);
    now += later;
    hf_conn *again = hf_conn_new_server(p.server_config, NULL);
    uint8_t *data;
    size_t used, len, at = 0;
    hf_result r = HF_DONE;
    while (r == HF_DONE && at < copy.len) {
        r = hf_conn_receive(again, copy.p + at, copy.len - at, &used, &data, &len);
        at += used;
        if (retry_first)
            break;
        CHECK_INT(len, 0);
    }
    if (!retry_first)
        CHECK(hf_conn_early_data(again) == HF_EARLY_REFUSED);
    CHECK(r == HF_WANT_INPUT || r == HF_DONE);
    hf_conn_free(again);
    wire_drop(&copy, copy.len);
    pair_clear(&p);
    free(copy.p);
}

static void test_replayed(void)
{
    replay(0, false);
    replay(5, false);
    replay(9, false);
    replay(11, false); /* here the age alone refuses it */
    replay(25, false);
    replay(3600, false);
}

/* A derived configuration with a longer window shares the record: what the first one has seen is remembered as
 * long as the second one would still accept it. */
static void test_windows_differ(void)
{
    struct pair p;
    struct wire copy = {0};
    uint8_t *data;
    size_t used, len, at = 0;
    prepare(&p, 1000);
    CHECK(pair_shake(&p));
    hf_config *patient = hf_config_derive(p.server_config);
    CHECK(hf_config_set_early_window(patient, 100));
    CHECK(hf_config_freeze(patient, NULL));
    send_early(&p, 0, sizeof request, NULL);
    now += 30; /* enough for the short window, not for the long one that has just begun */
    send_early(&p, 1, sizeof request, NULL);
    refused(&p, "a record whose window has grown");
    now += 200;
    send_early(&p, 2, sizeof request, &copy);
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    for (int i = 0; i < 3; i++) { /* others come and go meanwhile */
        now += 25;
        send_early(&p, 3 + i, sizeof request, NULL);
        pair_run(&p);
    }
    hf_conn *again = hf_conn_new_server(patient, NULL);
    while (at < copy.len &&
           hf_conn_receive(again, copy.p + at, copy.len - at, &used, &data, &len) == HF_DONE) {
        at += used;
        CHECK_INT(len, 0);
    }
    CHECK(hf_conn_early_data(again) == HF_EARLY_REFUSED);
    hf_conn_free(again);
    hf_config_free(patient);
    free(copy.p);
    pair_clear(&p);
}

static uint8_t shared[64][32];
static size_t shared_count;

static bool first_use(const uint8_t *id, size_t len, int64_t until, void *arg)
{
    (void)arg;
    CHECK(len == 32 && until >= now);
    for (size_t i = 0; i < shared_count; i++) {
        if (memcmp(shared[i], id, 32) == 0)
            return false;
    }
    memcpy(shared[shared_count++], id, 32);
    return true;
}

/* Two servers with the same ticket keys and one store. */
static void test_shared_store(void)
{
    struct pair p;
    struct wire copy = {0};
    uint8_t keys[HF_TICKET_KEY_SIZE];
    shared_count = 0;
    prepare(&p, 1000);
    CHECK(hf_config_set_first_use(p.server_config, first_use, NULL));
    CHECK(pair_shake(&p));
    send_early(&p, 0, sizeof request, &copy);
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    CHECK_INT(hf_config_ticket_keys(p.server_config, keys, 1), 1);

    hf_config *other = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_clock(other, clock_now, NULL));
    CHECK(hf_config_add_credential(other, p.cred));
    CHECK(hf_config_set_max_early_data(other, 1000));
    CHECK(hf_config_set_first_use(other, first_use, NULL));
    CHECK(hf_config_set_ticket_keys(other, keys, 1, NULL));
    hf_conn *again = hf_conn_new_server(other, NULL);
    uint8_t *data;
    size_t used, len, at = 0;
    while (at < copy.len &&
           hf_conn_receive(again, copy.p + at, copy.len - at, &used, &data, &len) == HF_DONE) {
        at += used;
        CHECK_INT(len, 0);
    }
    CHECK(hf_conn_early_data(again) == HF_EARLY_REFUSED);
    CHECK(!hf_conn_error(again));
    hf_conn_free(again);
    hf_config_free(other);
    free(copy.p);
    pair_clear(&p);
}

/* The server ends after it has accepted a first flight, and begins again with its ticket keys but without its
 * record: the same flight is too early for it, and then too old. */
static void test_restart(void)
{
    static const int later[] = {0, 9, 25, 3600};
    struct pair p;
    struct wire copy = {0};
    uint8_t keys[HF_TICKET_KEY_SIZE];
    prepare(&p, 1000);
    first(&p);
    send_early(&p, 1, sizeof request, &copy);
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    CHECK_INT(hf_config_ticket_keys(p.server_config, keys, 1), 1);

    hf_config *again = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_clock(again, clock_now, NULL));
    CHECK(hf_config_add_credential(again, p.cred));
    CHECK(hf_config_set_max_early_data(again, 1000));
    CHECK(hf_config_set_ticket_keys(again, keys, 1, NULL));
    CHECK(hf_config_freeze(again, NULL));
    int64_t start = now;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        hf_conn *server = hf_conn_new_server(again, NULL);
        struct wire flight = {0};
        uint8_t *data;
        size_t used, len = 0, at = 0;
        now = start + later[i];
        wire_put(&flight, copy.p, copy.len); /* it is decrypted in place */
        while (at < flight.len && hf_conn_receive(server, flight.p + at, flight.len - at, &used,
                                                  &data, &len) == HF_DONE) {
            at += used;
            CHECK_INT(len, 0);
        }
        CHECK(hf_conn_early_data(server) == HF_EARLY_REFUSED);
        CHECK(!hf_conn_error(server));
        hf_conn_free(server);
        free(flight.p);
    }
    hf_config_free(again);
    free(copy.p);
    pair_clear(&p);
}

static void test_too_much(void)
{
    struct pair p;
    prepare(&p, 1000);
    first(&p);
    CHECK_INT(send_early(&p, 1, 5000, NULL),
              1000); /* the client keeps to what the ticket allows */
    pair_run(&p);
    CHECK_INT(p.server.data.len, 1000);
    /* One that does not is refused. */
    send_early(&p, 2, 10, NULL);
    p.client.conn->hs->early_left = 5000;
    static uint8_t bytes[2000], out[4000];
    size_t taken, written;
    CHECK(hf_conn_send_early(p.client.conn, bytes, 2000, &taken, out, sizeof out, &written) ==
          HF_DONE);
    wire_put(&p.server.in, out, written);
    pair_run(&p);
    CHECK(end_code(&p.server) == HF_E_TOO_MUCH_EARLY_DATA);
    pair_clear(&p);
}

static void test_server_changed_its_mind(void)
{
    struct pair p;
    prepare(&p, 40000);
    first(&p);
    hf_config *strict = hf_config_derive(p.server_config);
    CHECK(hf_config_set_max_early_data(strict, 0));
    hf_config_free(p.server_config);
    p.server_config = strict;
    send_early(&p, 1, sizeof request, NULL);
    refused(&p, "max_early_data 0");
    send_early(&p, 2, 15000, NULL);
    refused(&p, "15,000 bytes to be skipped");
    pair_clear(&p);
}

static void test_retry(void)
{
    struct pair p;
    prepare(&p, 1000);
    first(&p);
    hf_config *other = hf_config_derive(p.server_config);
    CHECK(hf_config_set_groups(other, "P-384"));
    hf_config_free(p.server_config);
    p.server_config = other;
    send_early(&p, 1, sizeof request, NULL);
    refused(&p, "a HelloRetryRequest");
    CHECK(hf_conn_retried(p.client.conn) && hf_conn_resumed(p.client.conn));
    pair_clear(&p);
}

static void test_other_protocol(void)
{
    struct pair p;
    prepare(&p, 1000);
    CHECK(hf_config_set_alpn(p.client_config, "a,b", false));
    CHECK(hf_config_set_alpn(p.server_config, "a", false));
    first(&p);
    hf_config *other = hf_config_derive(p.server_config);
    CHECK(hf_config_set_alpn(other, "b", false));
    hf_config_free(p.server_config);
    p.server_config = other;
    send_early(&p, 1, sizeof request, NULL);
    refused(&p, "another protocol");
    pair_clear(&p);
}

static void test_wrong_age(void)
{
    struct pair p;
    prepare(&p, 1000);
    first(&p);
    send_early(&p, 1, sizeof request, NULL);
    now += 11;
    refused(&p, "a hello that was 11 seconds on its way");
    send_early(&p, 2, sizeof request, NULL);
    now += 9;
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    pair_clear(&p);
}

static int asked;

static bool on_early(hf_conn *conn, const hf_question *question, void *arg)
{
    CHECK(question->ask == HF_ASK_EARLY_DATA);
    asked++;
    if (*(int *)arg == 2)
        return false;
    return hf_answer_early_data(conn, *(int *)arg == 1);
}

static void test_asked(void)
{
    struct pair p;
    int how = 0;
    prepare(&p, 1000);
    CHECK(hf_config_set_ask(p.server_config, HF_ASK_EARLY_DATA, on_early, &how));
    first(&p);
    asked = 0;
    send_early(&p, 1, sizeof request, NULL);
    refused(&p, "the application");
    CHECK_INT(asked, 1);
    how = 1;
    send_early(&p, 2, sizeof request, NULL);
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    how = 2; /* later */
    send_early(&p, 3, sizeof request, NULL);
    pair_run(&p);
    CHECK(hf_conn_question(p.server.conn) != NULL);
    CHECK(hf_answer_early_data(p.server.conn, true));
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    CHECK_INT(p.server.data.len, sizeof request);
    pair_clear(&p);
}

/* "MUST fail a connection" (D.3). */
static void test_older_version(void)
{
    struct pair p;
    prepare(&p, 1000);
    first(&p);
    hf_config *old = hf_config_derive(p.server_config);
    CHECK(hf_config_set_versions(old, HF_TLS1_2, HF_TLS1_2));
    hf_config_free(p.server_config);
    p.server_config = old;
    send_early(&p, 1, sizeof request, NULL);
    pair_run(&p);
    CHECK(end_code(&p.client) == HF_E_EARLY_DATA_VERSION);
    pair_clear(&p);
}

static void test_off_by_default(void)
{
    struct pair p;
    uint8_t out[2000];
    size_t taken, written;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    CHECK_INT(hf_session_max_early_data(p.session[0]), 0);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    CHECK(hf_conn_send_early(p.client.conn, request, 5, &taken, out, sizeof out, &written) ==
          HF_CLOSED);
    CHECK_INT(taken + written, 0);
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_NONE);
    pair_clear(&p);
}

static enum hs_result send_end_only(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_END_OF_EARLY_DATA, &mark);
    return hs_end(hs, &w, mark);
}

/* A client that goes on without EndOfEarlyData, or says it twice. */
static void without_end(bool twice)
{
    struct pair p;
    struct step copy[48];
    size_t n = 0;
    prepare(&p, 1000);
    first(&p);
    pair_connect(&p);
    for (const struct step *s = client13; s->kind; s++) {
        bool end = s->message == MSG_END_OF_EARLY_DATA;
        if (end && twice) {
            copy[n] = *s;
            copy[n++].run = send_end_only;
        }
        if (!end || twice)
            copy[n++] = *s;
    }
    memset(&copy[n], 0, sizeof copy[n]);
    CHECK(hf_conn_set_session(p.client.conn, p.session[1]));
    p.client.conn->hs->step = copy;
    pair_run(&p);
    CHECK(hf_conn_early_data(p.client.conn) == HF_EARLY_ACCEPTED);
    CHECK(hf_conn_wants(p.server.conn) & HF_IS_FAILED);
    hf_code code = end_code(&p.server);
    CHECK(code == (twice ? HF_E_EXCESS_HANDSHAKE_DATA : HF_E_UNEXPECTED_MESSAGE));
    pair_clear(&p);
}

static void test_end_left_out(void)
{
    without_end(false);
}

static void test_end_twice(void)
{
    without_end(true);
}

int main(void)
{
    RUN(test_accepted);
    RUN(test_just_started);
    RUN(test_replayed);
    RUN(test_windows_differ);
    RUN(test_shared_store);
    RUN(test_restart);
    RUN(test_too_much);
    RUN(test_server_changed_its_mind);
    RUN(test_retry);
    RUN(test_other_protocol);
    RUN(test_wrong_age);
    RUN(test_asked);
    RUN(test_older_version);
    RUN(test_end_left_out);
    RUN(test_end_twice);
    RUN(test_off_by_default);
    return check_done();
}

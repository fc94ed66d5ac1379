/* What an adversarial reading of the engine against its header and RFC 8446 has found: each test
 * failed once. */
#include "../unit/check.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "connection/conn.h"

static bool shaken(const struct end *e)
{
    return !(hf_conn_wants(e->conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

/* ---- RFC 8446 4.4.2.1: a server asks a client for OCSP "by sending an empty status_request" */

static bool empty_status_request(void *arg, uint8_t message, struct buffer *out)
{
    static const uint8_t block[] = {0, 5, 0, 0, 0, 18, 0, 0, 0, 13, 0, 4, 0, 2, 4, 3};
    (void)arg;
    return message == MSG_CERTIFICATE_REQUEST && buffer_append(out, block, sizeof block);
}

static void test_empty_status_request(void)
{
    static const struct test_hooks hooks = {.extensions = empty_status_request};
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    p.server_config->test = &hooks;
    CHECK(pair_shake(&p));
    CHECK_INT(end_code(&p.client), HF_OK);
    CHECK(hf_conn_verified(p.server.conn));
    pair_clear(&p);
}

/* ---- callbacks that call into the connection */

struct reentry {
    unsigned calls;
    bool answer, close;
};

static void call_everything(hf_conn *conn)
{
    uint8_t record[64] = {0}, out[64], *data;
    size_t len, used, taken, written;
    CHECK_INT(hf_conn_handshake(conn), HF_WANT_ANSWER);
    (void)hf_conn_output(conn, &len);
    hf_conn_output_done(conn, 0);
    CHECK_INT(hf_conn_receive(conn, record, 0, &used, &data, &len), HF_WANT_ANSWER);
    CHECK_INT(hf_conn_send(conn, record, 1, &taken, out, sizeof out, &written), HF_WANT_ANSWER);
    CHECK_INT(hf_conn_key_update(conn, true), HF_WANT_INPUT);
    CHECK(!hf_conn_hibernate(conn));
    CHECK(hf_conn_memory(conn) > 0);
    CHECK(hf_conn_wants(conn) & HF_IN_HANDSHAKE);
}

static bool on_verify(hf_conn *conn, const hf_question *q, void *arg)
{
    struct reentry *r = arg;
    r->calls++;
    CHECK_INT(q->ask, HF_ASK_VERIFY);
    CHECK(hf_conn_question(conn) == q);
    CHECK(hf_conn_wants(conn) & HF_CAN_ANSWER);
    call_everything(conn);
    if (r->close)
        hf_conn_close(conn);
    if (r->answer) {
        CHECK(hf_answer_verify(conn, true));
        CHECK(!hf_answer_verify(conn, true));
        CHECK(hf_conn_question(conn) == NULL);
        call_everything(conn);
    }
    return r->answer;
}

static void test_callback_reenters(void)
{
    struct reentry r = {.answer = true};
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_verify, &r);
    CHECK(pair_shake(&p));
    CHECK_INT(r.calls, 1);
    CHECK_INT(pair_send(&p, &p.client, "ping", 4), HF_DONE);
    pair_clear(&p);
}

/* The same, with the failure after the callback: it must reach the right error. */
static void test_callback_reenters_then_fails(void)
{
    struct reentry r = {0};
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_verify, &r);
    pair_connect(&p);
    pair_run(&p);
    CHECK_INT(p.client.last, HF_WANT_ANSWER);
    CHECK(hf_answer_verify(p.client.conn, false));
    CHECK_INT(hf_conn_handshake(p.client.conn), HF_FAILED);
    CHECK_INT(end_code(&p.client), HF_E_VERIFY_REFUSED);
    pair_clear(&p);
}

/* ---- questions and answers */

static void test_after_the_answer(void)
{
    struct reentry r = {0};
    struct pair p;
    size_t len = 0;
    pair_init(&p, PKI_P256);
    hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_verify, &r);
    pair_connect(&p);
    pair_run(&p);
    CHECK(hf_conn_wants(p.client.conn) & HF_CAN_ANSWER);
    CHECK(hf_answer_verify(p.client.conn, true));
    /* Who waits for an answer as long as this bit is set would wait for ever. */
    CHECK(!(hf_conn_wants(p.client.conn) & HF_CAN_ANSWER));
    CHECK(hf_conn_wants(p.client.conn) & HF_CAN_RECEIVE);
    /* "hf_conn_receive and hf_conn_output start and continue a handshake" */
    CHECK(hf_conn_output(p.client.conn, &len) && len > 0);
    pair_run(&p);
    CHECK(shaken(&p.client) && shaken(&p.server));
    pair_clear(&p);
}

static void test_no_answer_to_the_dead(void)
{
    struct reentry r = {0};
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_verify, &r);
    pair_connect(&p);
    pair_run(&p);
    CHECK_INT(hf_conn_receive_end(p.client.conn), HF_FAILED);
    CHECK(!hf_conn_question(p.client.conn));
    CHECK(!hf_answer_verify(p.client.conn, true));
    CHECK(!(hf_conn_wants(p.client.conn) & HF_CAN_ANSWER));
    pair_clear(&p);
}

/* ---- closing in the middle of the handshake */

/* Nothing but alerts may follow: "the sender will not send any more messages" (6.1). */
static void check_only_closing(hf_conn *conn, bool clear)
{
    size_t len, at = 0, alerts = 0;
    const uint8_t *p = hf_conn_output(conn, &len);
    for (; p && at + REC_HEADER <= len; at += REC_HEADER + get_u16(p + at + 3)) {
        CHECK_INT(p[at], clear ? REC_ALERT : REC_DATA);
        CHECK(get_u16(p + at + 3) < 64);
        alerts++;
    }
    CHECK(alerts <= 2);
    CHECK(at == len);
}

static void test_close_before_hello(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    hf_conn_close(p.client.conn);
    size_t len;
    CHECK(hf_conn_output(p.client.conn, &len) == NULL); /* there is nothing to end */
    CHECK_INT(hf_conn_handshake(p.client.conn), HF_FAILED);
    CHECK_INT(end_code(&p.client), HF_E_WRITE_CLOSED);
    check_only_closing(p.client.conn, true);
    pair_clear(&p);
}

static void test_close_within_flight(void)
{
    struct pair p;
    size_t len, used;
    uint8_t *data;
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    pair_pump(&p.client, &p.server);
    const uint8_t *flight = hf_conn_output(p.server.conn, &len);
    wire_put(&p.client.in, flight, len);
    hf_conn_output_done(p.server.conn, len);
    hf_conn_close(p.client.conn);
    CHECK_INT(
        hf_conn_receive(p.client.conn, p.client.in.p, p.client.in.len, &used, &data, &len),
        HF_FAILED);
    CHECK_INT(end_code(&p.client), HF_E_WRITE_CLOSED);
    check_only_closing(p.client.conn, true);
    CHECK(pair_pump(&p.client, &p.server));
    CHECK_INT(end_code(&p.server), HF_E_HANDSHAKE_CUT);
    pair_clear(&p);
}

static void test_close_within_callback(void)
{
    for (int answer = 0; answer < 2; answer++) {
        struct reentry r = {.answer = answer, .close = true};
        struct pair p;
        pair_init(&p, PKI_P256);
        hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_verify, &r);
        pair_connect(&p);
        pair_pump(&p.client, &p.server);
        pair_pump(&p.server, &p.client);
        CHECK_INT(r.calls, 1);
        CHECK_INT(p.client.last, HF_FAILED);
        CHECK_INT(end_code(&p.client), HF_E_WRITE_CLOSED);
        CHECK_INT(hf_conn_handshake(p.client.conn), HF_FAILED);
        pair_pump(&p.client, &p.server);
        CHECK_INT(end_code(&p.server), HF_E_HANDSHAKE_CUT);
        pair_clear(&p);
    }
}

/* HF_FAILED always comes with an error; this is no failure, the reading half lives on. */
static void test_send_after_close(void)
{
    struct pair p;
    uint8_t out[64];
    size_t taken, written;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    hf_conn_close(p.client.conn);
    CHECK_INT(hf_conn_send(p.client.conn, out, 1, &taken, out + 1, sizeof out - 1, &written),
              HF_CLOSED);
    CHECK(taken == 0 && written == 0);
    CHECK_INT(hf_conn_key_update(p.client.conn, false), HF_CLOSED);
    CHECK(hf_conn_error(p.client.conn) == NULL);
    CHECK(!(hf_conn_wants(p.client.conn) & (HF_IS_FAILED | HF_CAN_SEND)));
    CHECK_INT(pair_send(&p, &p.server, "late", 4), HF_DONE);
    CHECK_INT(p.client.data.len, 4);
    pair_clear(&p);
}

/* ---- what a hostile peer can make us keep */

/* Takes the server's whole attention without ever taking its answers. */
static void test_key_updates_unread(void)
{
    struct pair p;
    size_t len = 0, most = 0;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    for (int i = 0; i < 400; i++) {
        size_t n;
        CHECK_INT(hf_conn_key_update(p.client.conn, true), HF_DONE);
        const uint8_t *bytes = hf_conn_output(p.client.conn, &n);
        wire_put(&p.server.in, bytes, n);
        hf_conn_output_done(p.client.conn, n);
        CHECK_INT(pair_send(&p, &p.client, "x", 1), HF_DONE);
        CHECK(hf_conn_output(p.server.conn, &len) != NULL);
        most = len > most ? len : most;
    }
    CHECK_INT(end_code(&p.server), HF_OK);
    CHECK(most < 100);
    /* and the answer is not lost */
    CHECK(pair_pump(&p.server, &p.client));
    CHECK_INT(pair_send(&p, &p.server, "pong", 4), HF_DONE);
    CHECK_INT(p.client.data.len, 4);
    CHECK_INT(end_code(&p.client), HF_OK);
    pair_clear(&p);
}

static bool watch_memory(hf_conn *conn, const hf_question *q, void *arg)
{
    size_t *most = arg;
    size_t now = hf_conn_memory(conn);
    (void)q;
    *most = now > *most ? now : *most;
    return hf_answer_hello(conn, NULL);
}

static bool long_hello(void *arg, uint8_t message, struct buffer *out)
{
    size_t pad = *(const size_t *)arg;
    uint8_t head[4] = {0xfa, 0xfa, (uint8_t)(pad >> 8), (uint8_t)pad};
    static const uint8_t rest[] = {0, 43, 0, 3, 2, 3, 4, 0, 10, 0,  4, 0, 2, 0, 0x1d,
                                   0, 13, 0, 4, 0, 2, 4, 3, 0,  51, 0, 2, 0, 0};
    if (message != MSG_CLIENT_HELLO)
        return false;
    bool ok = buffer_append(out, rest, sizeof rest) && buffer_append(out, head, sizeof head);
    uint8_t *p = ok ? buffer_reserve(out, pad) : NULL;
    if (p) {
        memset(p, 0, pad);
        out->end += pad;
    }
    return p != NULL;
}

/* "bounds the memory that one connection's handshake may hold" */
static void test_memory_cap(void)
{
    static const size_t pads[] = {1000, 8000, 20000, 40000, 65000};
    static const size_t caps[] = {16384, 40000, 80000, 140000, 262144};
    for (size_t i = 0; i < sizeof pads / sizeof *pads; i++) {
        for (size_t k = 0; k < sizeof caps / sizeof *caps; k++) {
            struct test_hooks hooks = {.extensions = long_hello,
                                       .arg = (void *)(uintptr_t)&pads[i]};
            struct pair p;
            size_t most = 0;
            pair_init(&p, PKI_P256);
            p.client_config->test = &hooks;
            hf_config_set_memory_cap(p.client_config, 1 << 20);
            hf_config_set_key_shares(p.client_config, "");
            CHECK(hf_config_set_memory_cap(p.server_config, caps[k]));
            hf_config_set_ask(p.server_config, HF_ASK_HELLO, watch_memory, &most);
            pair_connect(&p);
            p.server.chunk = 1000;
            for (int round = 0; round < 6; round++) {
                pair_pump(&p.client, &p.server);
                size_t now = hf_conn_memory(p.server.conn), unsent;
                hf_conn_output(p.server.conn, &unsent);
                most = now - unsent > most ? now - unsent : most;
                pair_pump(&p.server, &p.client);
            }
            if (most > caps[k])
                printf("    hello of %zu, cap of %zu: held %zu\n", pads[i], caps[k], most);
            CHECK(most <= caps[k]);
            /* the second hello lacks a share, too: so far the handshake went, unless the cap ended it */
            if (caps[k] == 262144 || end_code(&p.server) != HF_E_MEMORY_CAP)
                CHECK_INT(end_code(&p.server), HF_E_WRONG_GROUP);
            pair_clear(&p);
        }
    }
}

/* After the handshake only two messages can come: nothing is collected for any other. */
static void test_unwanted_message_is_not_collected(void)
{
    static const struct {
        uint8_t type;
        bool to_server;
    } rows[] = {{MSG_CERTIFICATE, true},
                {MSG_CERTIFICATE, false},
                {MSG_NEW_SESSION_TICKET, true},
                {MSG_CLIENT_HELLO, true},
                {MSG_CERTIFICATE_REQUEST, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p;
        uint8_t header[MSG_HEADER] = {rows[i].type, 0, 0xff, 0}, record[100];
        pair_init(&p, PKI_P256);
        CHECK(pair_shake(&p));
        struct end *from = rows[i].to_server ? &p.client : &p.server,
                   *to = rows[i].to_server ? &p.server : &p.client;
        size_t n =
            rec_seal(&from->conn->out, REC_HANDSHAKE, HF_TLS1_2, header, sizeof header, record);
        size_t used, len;
        uint8_t *data;
        CHECK_INT(hf_conn_receive(to->conn, record, n, &used, &data, &len), HF_FAILED);
        CHECK_INT(end_code(to), HF_E_UNEXPECTED_MESSAGE);
        pair_clear(&p);
    }
}

/* ---- tickets */

static size_t put_ticket(struct pair *p, uint32_t lifetime, uint8_t *record)
{
    uint8_t m[] = {4, 0, 0, 14 + 3, 0, 0,   0,   0,   1,   2, 3,
                   4, 1, 7, 0,      4, 't', 'i', 'c', 'k', 0, 0};
    m[3] = sizeof m - 4;
    put_u16(m + 4, (uint16_t)(lifetime >> 16));
    put_u16(m + 6, (uint16_t)lifetime);
    return rec_seal(&p->server.conn->out, REC_HANDSHAKE, HF_TLS1_2, m, sizeof m, record);
}

static void give_ticket(struct pair *p, uint32_t lifetime)
{
    uint8_t record[100], *data;
    size_t used, len, n = put_ticket(p, lifetime, record);
    CHECK(hf_conn_receive(p->client.conn, record, n, &used, &data, &len) != HF_DONE);
}

/* A server may renew its tickets for as long as a connection lives; what is a flood is many at
 * once. */
static void test_tickets_over_time(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    for (int i = 0; i < 200; i++) {
        give_ticket(&p, 60);
        CHECK_INT(pair_send(&p, &p.server, "x", 1), HF_DONE);
    }
    CHECK_INT(end_code(&p.client), HF_OK);
    for (int i = 0; i < 70; i++)
        give_ticket(&p, 60);
    CHECK_INT(end_code(&p.client), HF_E_TICKETS);
    pair_clear(&p);
}

/* "Clients MUST NOT cache tickets for longer than 7 days, regardless of the ticket_lifetime"
 * (RFC 8446 4.6.1): such a ticket is no reason to end a connection. */
static void test_ticket_for_years(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    unsigned before = p.sessions;
    give_ticket(&p, 100000000);
    CHECK_INT(end_code(&p.client), HF_OK);
    CHECK_INT(p.sessions, before + 1);
    if (p.sessions > before)
        CHECK(hf_session_expires(p.session[before]) <= PKI_NOW + 604800);
    pair_clear(&p);
}

/* A client's chain goes into its ticket. One that does not fit must not end the handshake. */
static void test_chain_too_long_for_a_ticket(void)
{
    enum { LONG = 16 };
    struct pair p;
    char names[4000] = "DNS:client.example";
    struct pki_cert *cert[LONG + 1] = {0};
    char *chain = pki_text("", NULL);
    size_t sum = 0;
    pair_init(&p, PKI_P256);
    for (int i = 0; strlen(names) < sizeof names - 50; i++)
        sprintf(names + strlen(names), ",DNS:name-%04d.a-rather-long-domain.example", i);
    for (int i = 0; i <= LONG; i++) { /* from the root down */
        char subject[20];
        sprintf(subject, "certificate %d", i);
        struct pki_spec spec = {.subject = subject, .ca = i < LONG, .names = i ? names : NULL};
        cert[i] = pki_make(&spec, i ? cert[i - 1] : NULL);
        char *more = i ? pki_text(cert[i]->pem, chain, NULL) : pki_text("", NULL);
        free(chain);
        chain = more;
        sum += i ? cert[i]->der_len : 0;
    }
    CHECK(sum > 60000);
    hf_error err = {0};
    hf_credential *cred =
        hf_credential_load_memory(chain, strlen(chain), cert[LONG]->key_pem,
                                  strlen(cert[LONG]->key_pem), NULL, NULL, &err);
    if (!cred)
        printf("    %s: %s\n", hf_code_name(err.code), err.detail);
    CHECK(cred && hf_config_add_credential(p.client_config, cred));
    CHECK(hf_trust_add_memory(p.trust, cert[0]->pem, strlen(cert[0]->pem), NULL));
    hf_config_set_trust(p.server_config, p.trust);
    hf_config_set_verify_depth(p.server_config, 15);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE);
    CHECK(pair_shake(&p));
    CHECK_INT(end_code(&p.server), HF_OK);
    CHECK(hf_conn_verified(p.server.conn));
    CHECK_INT(p.sessions, 0);
    hf_credential_free(cred);
    for (int i = 0; i <= LONG; i++)
        pki_free(cert[i]);
    free(chain);
    pair_clear(&p);
}

/* ---- a session must not carry more trust than was earned */

/* Without a name check the session stands for a chain only: it is no substitute for a handshake in
 * which the name is checked. */
static void test_session_without_name_check(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config *strict = p.client_config, *lax = hf_config_derive(strict);
    CHECK(hf_config_insecure_no_name_check(lax));
    p.client_config = lax;
    CHECK(pair_shake(&p));
    CHECK_INT(p.sessions, 2);
    pair_reset(&p);
    p.client_config = strict;
    pair_connect(&p);
    CHECK(!hf_conn_set_session(p.client.conn, p.session[0]));
    pair_reset(&p);
    p.client_config = lax;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    /* nor does it through bytes, or a ticket that came on the resumed connection */
    pair_reset(&p);
    p.client_config = strict;
    uint8_t bytes[4096];
    size_t n = hf_session_export(p.session[2], bytes, sizeof bytes);
    hf_session *again = hf_session_import(bytes, n, NULL);
    pair_connect(&p);
    CHECK(again && !hf_conn_set_session(p.client.conn, again));
    pair_run(&p);
    n = hf_session_export(p.session[3], bytes, sizeof bytes);
    hf_session_free(again);
    again = hf_session_import(bytes, n, NULL);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(again && hf_conn_set_session(p.client.conn, again));
    hf_session_free(again);
    hf_config_free(lax);
    pair_clear(&p);
}

/* A server that does not verify issues a ticket; one derived from it that does must not take the
 * chain within for a verified one. */
static void test_ticket_with_unverified_chain(void)
{
    struct pair p;
    struct pki *other = pki_new(PKI_P256, "DNS:mallory.example");
    hf_credential *cred = hf_credential_load_memory(
        other->chain_pem, strlen(other->chain_pem), other->leaf->key_pem,
        strlen(other->leaf->key_pem), NULL, NULL, NULL);
    pair_init(&p, PKI_P256);
    hf_config *strict = p.server_config;
    CHECK(hf_config_set_trust(strict, p.trust));
    CHECK(hf_config_set_client_auth(strict, HF_CLIENT_AUTH_REQUEST));
    hf_config *lax = hf_config_derive(strict);
    CHECK(hf_config_insecure_no_verify(lax));
    CHECK(hf_config_freeze(strict, NULL));
    CHECK(hf_config_add_credential(p.client_config, cred));
    p.server_config = lax;
    CHECK(pair_shake(&p));
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) && !hf_conn_verified(p.server.conn));
    CHECK(p.sessions > 0);
    pair_reset(&p);
    p.server_config = strict;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    /* a full handshake, in which the chain is refused */
    CHECK(!hf_conn_resumed(p.server.conn));
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) == NULL || !shaken(&p.server));
    CHECK_INT(end_code(&p.server), HF_E_UNTRUSTED);
    hf_config_free(lax);
    hf_credential_free(cred);
    pki_clear(other);
    pair_clear(&p);
}

/* ---- small promises of the header */

/* "the size of `out` that takes len bytes of data at once" */
static void send_at_once(uint64_t update_after, uint16_t limit, uint16_t padding, size_t len)
{
    struct pair p;
    uint8_t *data = calloc(1, len + 1);
    size_t taken, written;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_key_update_after(p.client_config, update_after));
    CHECK(hf_config_set_record_padding(p.client_config, padding));
    CHECK(hf_config_set_record_size_limit(p.server_config, limit));
    CHECK(hf_config_set_record_size_limit(p.client_config, limit));
    CHECK(pair_shake(&p));
    size_t size = hf_conn_send_size(p.client.conn, len);
    uint8_t *out = malloc(size);
    CHECK_INT(hf_conn_send(p.client.conn, data, len, &taken, out, size, &written), HF_DONE);
    if (taken != len)
        printf("    update after %d, limit %u, padding %u: %zu of %zu\n", (int)update_after,
               limit, padding, taken, len);
    CHECK_INT(taken, len);
    wire_put(&p.server.in, out, written);
    free(out);
    while (p.server.in.len) {
        size_t used, n;
        uint8_t *got;
        if (hf_conn_receive(p.server.conn, p.server.in.p, p.server.in.len, &used, &got, &n) !=
            HF_DONE)
            break;
        wire_put(&p.server.data, got, n);
        wire_drop(&p.server.in, used);
    }
    CHECK_INT(end_code(&p.server), HF_OK);
    CHECK_INT(p.server.data.len, len);
    free(data);
    pair_clear(&p);
}

static void test_send_size(void)
{
    static const uint16_t limits[] = {64, 65, 1000, 16384}, paddings[] = {0, 2, 63, 512, 16384};
    for (size_t l = 0; l < 4; l++) {
        for (size_t k = 0; k < 5; k++) {
            send_at_once(0, limits[l], paddings[k], 40000);
            send_at_once(1, limits[l], paddings[k], 40000);
            send_at_once(3, limits[l], paddings[k], 1001);
        }
    }
    send_at_once(1, 64, 0, 1);
}

/* Whatever the size of the output, bytes come out whole and in order. */
static void test_tiny_outputs(void)
{
    ROW("Y16");
    for (size_t size = 0; size < 70; size++) {
        struct pair p;
        uint8_t data[300], out[70];
        size_t done = 0, taken, written;
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)i;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_key_update_after(p.client_config, 2));
        CHECK(pair_shake(&p));
        hf_result r = HF_DONE;
        int rounds = 0;
        while (done < sizeof data && r == HF_DONE && rounds++ < 2000) {
            r = hf_conn_send(p.client.conn, data + done, sizeof data - done, &taken, out, size,
                             &written);
            CHECK(written <= size);
            done += taken;
            wire_put(&p.server.in, out, written);
        }
        CHECK(size < 23 ? r == HF_WANT_OUTPUT && done == 0 : done == sizeof data);
        while (p.server.in.len) {
            size_t used, n;
            uint8_t *got;
            if (hf_conn_receive(p.server.conn, p.server.in.p, p.server.in.len, &used, &got,
                                &n) != HF_DONE)
                break;
            wire_put(&p.server.data, got, n);
            wire_drop(&p.server.in, used);
        }
        CHECK_INT(end_code(&p.server), HF_OK);
        CHECK_INT(p.server.data.len, done);
        CHECK(done == 0 || memcmp(p.server.data.p, data, done) == 0);
        pair_clear(&p);
    }
}

static void test_names(void)
{
    static const char *const bad[] = {
        "", ".", "a b.example", "a\n.example", "m\xc3\xbcller.example", "a\x7f.example"};
    static const char *const good[] = {"a.example", "a.example.", "A_b.example",
                                       "127.0.0.1", "::1",        "xn--mller-kva.example"};
    hf_error err = {0};
    hf_config *config = hf_config_new(HF_CLIENT);
    hf_trust *trust = hf_trust_new();
    hf_config_set_trust(config, trust);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hf_conn *conn = hf_conn_new_client(config, bad[i], &err);
        if (conn)
            printf("    \"%s\" was allowed\n", bad[i]);
        CHECK(!conn);
        CHECK_INT(err.code, HF_E_USAGE);
        hf_conn_free(conn);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        hf_conn *conn = hf_conn_new_client(config, good[i], &err);
        CHECK(conn);
        hf_conn_free(conn);
    }
    hf_config_free(config);
    hf_trust_free(trust);
}

/* "says for which groups a client sends a share at once" */
static void test_many_key_shares(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_groups(p.client_config, "x25519:P-256:P-384:P-521:x448:ffdhe2048"));
    CHECK(hf_config_set_key_shares(p.client_config, "x25519:P-256:P-384:P-521:x448:ffdhe2048"));
    CHECK(hf_config_set_groups(p.server_config, "ffdhe2048"));
    CHECK(pair_shake(&p));
    CHECK(!hf_conn_retried(p.client.conn));
    CHECK_INT(hf_conn_group(p.client.conn), 0x0100);
    pair_clear(&p);
}

static bool look_at_name(hf_conn *conn, const hf_question *q, void *arg)
{
    (*(unsigned *)arg)++;
    CHECK(!q->server_name || strcmp(q->server_name, "evil\n[info] root logged in") != 0);
    return hf_answer_hello(conn, NULL);
}

static bool evil_name(void *arg, uint8_t message, struct buffer *out)
{
    static const uint8_t rest[] = {0, 43,   0, 3,  2, 3, 4,  0, 10, 0, 4, 0,  2,
                                   0, 0x1d, 0, 13, 0, 4, 0,  2, 4,  3, 0, 51, 0,
                                   2, 0,    0, 0,  0, 0, 31, 0, 29, 0, 0, 26};
    (void)arg;
    return message == MSG_CLIENT_HELLO && buffer_append(out, rest, sizeof rest) &&
           buffer_append(out, "evil\n[info] root logged in", 26);
}

/* What an application logs or looks up was looked at first. */
static void test_name_is_checked_before_it_is_shown(void)
{
    ROW("Y125");
    static const struct test_hooks hooks = {.extensions = evil_name};
    unsigned calls = 0;
    struct pair p;
    pair_init(&p, PKI_P256);
    p.client_config->test = &hooks;
    hf_config_set_ask(p.server_config, HF_ASK_HELLO, look_at_name, &calls);
    CHECK(!pair_shake(&p));
    CHECK_INT(end_code(&p.server), HF_E_BAD_EXTENSION);
    CHECK_INT(calls, 0);
    pair_clear(&p);
}

/* ---- secrets */

static bool all_zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        if (b[i])
            return false;
    }
    return true;
}

/* A failed connection may be kept for its diagnosis, but not its secrets. */
static void test_failure_wipes_secrets(void)
{
    struct reentry r = {0};
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_verify, &r);
    pair_connect(&p);
    pair_run(&p);
    CHECK(!all_zero(p.client.conn->hs->client_hs, 32));
    CHECK(hf_answer_verify(p.client.conn, false));
    CHECK_INT(hf_conn_handshake(p.client.conn), HF_FAILED);
    const struct hs *hs = p.client.conn->hs;
    CHECK(hs && all_zero(hs->client_hs, sizeof hs->client_hs) &&
          all_zero(hs->server_hs, sizeof hs->server_hs) &&
          all_zero(hs->secret, sizeof hs->secret));
    pair_clear(&p);
}

/* ---- records */

/* A limit of n is kept by us and demanded of the peer, to the byte (RFC 8449 4). */
static void limit_of(uint16_t limit)
{
    struct pair p;
    uint8_t data[16384] = {0};
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_record_size_limit(p.server_config, limit));
    CHECK(hf_config_set_record_size_limit(p.client_config, 16384));
    CHECK(pair_shake(&p));
    CHECK_INT(rec_max_plain(&p.client.conn->out), limit);
    CHECK_INT(rec_max_plain(&p.server.conn->out), 16384);
    CHECK_INT(pair_send(&p, &p.client, data, limit), HF_DONE);
    CHECK_INT(end_code(&p.server), HF_OK);
    if (limit < 16384) {
        p.client.conn->out.max_plain = 0; /* a client that forgets the limit */
        (void)pair_send(&p, &p.client, data, limit + 1u);
        CHECK_INT(end_code(&p.server), HF_E_PLAINTEXT_OVERFLOW);
        CHECK_INT(hf_conn_error(p.server.conn)->alert, 22);
    }
    pair_clear(&p);
}

static void test_record_limits(void)
{
    limit_of(64);
    limit_of(65);
    limit_of(1000);
    limit_of(16383);
    limit_of(16384);
}

/* Keys are renewed before they have protected too much (5.5), also on a connection that sleeps
 * between any two records. */
static void test_worn_keys(void)
{
    enum { LIMIT = 23726566 };
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    p.client.conn->out.seq = p.server.conn->in.seq = LIMIT - LIMIT / 16 - 2;
    for (int i = 0; i < 8; i++) {
        CHECK(hf_conn_hibernate(p.client.conn) && hf_conn_hibernate(p.server.conn));
        CHECK(!p.client.conn->out.aead && !p.server.conn->in.aead);
        CHECK_INT(pair_send(&p, &p.client, "x", 1), HF_DONE);
        CHECK_INT(hf_conn_key_update(p.server.conn, i == 2), HF_DONE);
        pair_run(&p);
    }
    CHECK(p.client.conn->out.seq < 8);
    CHECK_INT(p.server.data.len, 8);
    CHECK_INT(end_code(&p.server), HF_OK);
    CHECK_INT(end_code(&p.client), HF_OK);
    CHECK(hf_conn_hibernate(p.client.conn));
    hf_conn_close(p.client.conn);
    pair_run(&p);
    CHECK_INT(p.server.last, HF_CLOSED);
    pair_clear(&p);
}

/* Who asks hf_conn_wants what to do gets through a whole connection by that alone. */
static void test_driven_by_wants(void)
{
    struct reentry r = {0};
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_verify, &r);
    pair_connect(&p);
    CHECK(!(hf_conn_wants(p.server.conn) & HF_CAN_OUTPUT));
    for (int i = 0; i < 12; i++) {
        if (hf_conn_wants(p.client.conn) & HF_CAN_ANSWER)
            CHECK(hf_answer_verify(p.client.conn, true));
        if (hf_conn_wants(p.client.conn) & HF_CAN_OUTPUT)
            pair_pump(&p.client, &p.server);
        if (hf_conn_wants(p.server.conn) & HF_CAN_OUTPUT)
            pair_pump(&p.server, &p.client);
    }
    CHECK(shaken(&p.client) && shaken(&p.server));
    CHECK_INT(r.calls, 1);
    pair_clear(&p);
}

static bool long_cookie(void *arg, uint8_t message, struct buffer *out)
{
    static const uint8_t head[] = {0, 43, 0, 2, 3, 4, 0, 44, 0xf0, 0x02, 0xf0, 0x00};
    (void)arg;
    if (message != MSG_HELLO_RETRY_REQUEST || !buffer_append(out, head, sizeof head))
        return false;
    uint8_t *p = buffer_reserve(out, 0xf000);
    if (p)
        memset(p, 7, 0xf000);
    out->end += 0xf000;
    return p != NULL;
}

/* It cannot be echoed, which is the server's fault and not that of our memory. */
static void test_cookie_too_long(void)
{
    static const struct test_hooks hooks = {.extensions = long_cookie};
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    p.server_config->test = &hooks;
    CHECK(!pair_shake(&p));
    CHECK_INT(end_code(&p.client), HF_E_BAD_EXTENSION);
    pair_clear(&p);
}

static void test_export_arguments(void)
{
    struct pair p;
    uint8_t out[32];
    hf_error err = {0};
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    CHECK(!hf_conn_export(p.client.conn, "x", NULL, 0, out, 32, &err));
    CHECK_INT(err.code, HF_E_NOT_HANDSHAKEN);
    pair_run(&p);
    CHECK(!hf_conn_export(p.client.conn, NULL, NULL, 0, out, 32, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    CHECK(!hf_conn_export(p.client.conn, "x", NULL, 1, out, 32, &err));
    CHECK(!hf_conn_export(p.client.conn, "x", NULL, 0, NULL, 32, &err));
    CHECK(!hf_conn_export(p.client.conn, "x", NULL, 0, out, 255 * 32 + 1, &err));
    CHECK(hf_conn_export(p.client.conn, "x", NULL, 0, out, 32, &err));
    CHECK_INT(err.code, HF_OK);
    CHECK(hf_conn_export(p.client.conn, "x", NULL, 0, NULL, 0, NULL));
    pair_clear(&p);
}

int main(void)
{
    RUN(test_empty_status_request);
    RUN(test_callback_reenters);
    RUN(test_callback_reenters_then_fails);
    RUN(test_after_the_answer);
    RUN(test_no_answer_to_the_dead);
    RUN(test_close_before_hello);
    RUN(test_close_within_flight);
    RUN(test_close_within_callback);
    RUN(test_send_after_close);
    RUN(test_key_updates_unread);
    RUN(test_memory_cap);
    RUN(test_unwanted_message_is_not_collected);
    RUN(test_tickets_over_time);
    RUN(test_ticket_for_years);
    RUN(test_chain_too_long_for_a_ticket);
    RUN(test_session_without_name_check);
    RUN(test_ticket_with_unverified_chain);
    RUN(test_send_size);
    RUN(test_tiny_outputs);
    RUN(test_names);
    RUN(test_many_key_shares);
    RUN(test_name_is_checked_before_it_is_shown);
    RUN(test_failure_wipes_secrets);
    RUN(test_record_limits);
    RUN(test_worn_keys);
    RUN(test_driven_by_wants);
    RUN(test_cookie_too_long);
    RUN(test_export_arguments);
    return check_done();
}

/* test_extras.c: what a hello has only if it is asked for: values without meaning (RFC 8701), and how many tickets
 * are wanted (RFC 9149). */
#include "../unit/check.h"
#include "config/config.h"
#include "connection/conn.h"
#include "extension/grease.h"
#include "pair.h"

static bool reserved(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* ---- GREASE */

static struct {
    unsigned suites, groups, versions, shares, extensions;
    uint16_t extension[8];
} seen;

static void on_event(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)conn, (void)arg;
    if (e->kind != HF_TRACE_FIELD || e->size != 2 || !e->sent)
        return;
    bool is = reserved((uint16_t)e->number);
    seen.suites += is && strcmp(e->name, "cipher_suite") == 0;
    seen.groups += is && strcmp(e->name, "named_group") == 0;
    seen.versions += is && strcmp(e->name, "version") == 0;
    seen.shares += is && strcmp(e->name, "group") == 0;
    if (is && strcmp(e->name, "extension_type") == 0 && seen.extensions < 8)
        seen.extension[seen.extensions++] = (uint16_t)e->number;
}

static void greased(struct pair *p)
{
    memset(&seen, 0, sizeof seen);
    CHECK(hf_config_set_grease(p->client_config, true));
    CHECK(hf_config_set_grease(p->server_config, true));
    CHECK(hf_config_set_trace(p->client_config, on_event, NULL));
}

static void test_grease_13(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    greased(&p);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(pair_shake(&p));
    CHECK_INT(seen.suites, 1);
    CHECK_INT(seen.groups, 1);
    CHECK_INT(seen.versions, 1);
    CHECK_INT(seen.shares, 1);
    CHECK_INT(seen.extensions, 2);
    CHECK(seen.extension[0] != seen.extension[1]);
    CHECK_INT(p.sessions, 2); /* whose tickets have such extensions too */
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    pair_clear(&p);
}

static void test_grease_retry_and_old(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    greased(&p);
    CHECK(hf_config_set_groups(p.server_config, "P-384"));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_retried(p.client.conn));
    CHECK_INT(seen.extensions, 4);
    CHECK_INT(seen.extension[0], seen.extension[2]);
    CHECK_INT(seen.shares, 1);
    pair_clear(&p);

    pair_init(&p, PKI_P256);
    greased(&p);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(pair_shake(&p));
    CHECK_INT(seen.suites, 1);
    CHECK_INT(seen.groups, 1);
    CHECK_INT(seen.versions, 0);
    CHECK_INT(seen.extensions, 2);
    pair_clear(&p);
}

static void test_values(void)
{
    struct nego n = {0};
    for (unsigned x = 0; x < 256; x++) {
        memset(n.grease, (int)x, sizeof n.grease);
        CHECK(reserved(grease_value(&n, GREASE_SUITE)));
        CHECK(reserved(grease_value(&n, GREASE_LAST_EXTENSION)));
        CHECK(grease_value(&n, GREASE_EXTENSION) != grease_value(&n, GREASE_LAST_EXTENSION));
    }
}

/* ---- tickets */

static unsigned tickets(struct pair *p, bool resume)
{
    unsigned before = p->sessions;
    pair_reset(p);
    pair_connect(p);
    if (resume)
        CHECK(hf_conn_set_session(p->client.conn, p->session[before - 1]));
    pair_run(p);
    CHECK(hf_conn_resumed(p->client.conn) == resume);
    return p->sessions - before;
}

static void test_ticket_request(void)
{
    static const struct {
        unsigned full, resumed, given_full, given_resumed;
    } rows[] = {{1, 1, 1, 1}, {5, 3, 5, 3}, {3, 0, 3, 0}, {200, 2, 16, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_ticket_request(p.client_config, rows[i].full, rows[i].resumed));
        CHECK_INT(tickets(&p, false), rows[i].given_full);
        CHECK_INT(tickets(&p, true), rows[i].given_resumed);
        pair_clear(&p);
    }
    struct pair p; /* a server that gives none goes on giving none */
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_ticket_request(p.client_config, 4, 4));
    CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    CHECK_INT(tickets(&p, false), 0);
    pair_clear(&p);
}

static bool odd_request(void *arg, uint8_t message, struct buffer *out)
{
    (void)arg;
    /* supported_groups, signature_algorithms, ec_point_formats, ticket_request without its counts */
    static const uint8_t block[] = {0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0,    4, 0, 2, 4, 3,
                                    0, 11, 0, 2, 1, 0, 0, 58, 0, 0,  0xff, 1, 0, 1, 0};
    return message == MSG_CLIENT_HELLO && buffer_append(out, block, sizeof block);
}

/* In TLS 1.2 the extension is nobody's business. */
static void test_odd_request_in_tls12(void)
{
    struct pair p;
    struct test_hooks hooks = {.extensions = odd_request};
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    p.client_config->test = &hooks;
    pair_connect(&p);
    pair_pump(&p.client, &p.server);
    CHECK_INT(end_code(&p.server), HF_OK);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_values);
    RUN(test_grease_13);
    RUN(test_grease_retry_and_old);
    RUN(test_ticket_request);
    RUN(test_odd_request_in_tls12);
    return check_done();
}

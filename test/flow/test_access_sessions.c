/* Sessions that are kept outside of the engine (src/access/session.c), and what clients may sign with. */
#include "../unit/check.h"
#include "pair.h"

#include <string.h>

#include "access/access.h"
#include "connection/conn.h"

/* ---- a store of one session, with IDs of its own */

static struct {
    hf_session *session;
    uint8_t id_len; /* of IDs that are made */
    bool make_fails, find_fails, empty_fails, unwanted;
    unsigned made, found, asked;
} store;

static bool make(hf_conn *conn, uint16_t suite, uint8_t id[32], uint8_t *len)
{
    CHECK(hf_conn_is_server(conn) && suite == 0xc02b);
    CHECK_INT(*len, 32);
    memset(id, 'i', 32);
    *len = store.id_len;
    store.made++;
    return !store.make_fails;
}

static bool find(hf_conn *conn, uint16_t version, const uint8_t *id, size_t len,
                 hf_session **session)
{
    CHECK(hf_conn_is_server(conn) && version == HF_TLS1_2);
    CHECK(len == store.id_len && id[0] == 'i');
    *session = hf_session_ref(store.session);
    store.found++;
    return !store.find_fails;
}

static bool empty(hf_conn *conn, bool *wanted)
{
    CHECK(hf_conn_is_server(conn) && *wanted);
    *wanted = !store.unwanted;
    store.asked++;
    return !store.empty_fails;
}

static void add(hf_conn *conn, hf_session *session, void *arg)
{
    (void)conn, (void)arg;
    hf_session_free(store.session);
    store.session = hf_session_ref(session);
}

static const struct session_ids ids = {make, find, empty, NULL};

static void start(struct pair *p, bool tickets)
{
    const hf_session_store keeping = {.add = add};
    hf_session_free(store.session);
    memset(&store, 0, sizeof store);
    store.id_len = 20;
    pair_init(p, PKI_P256);
    CHECK(hf_config_set_versions(p->client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_suites(p->client_config, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    CHECK(hf_config_set_tickets(p->server_config, tickets ? 0 : 2, 7200));
    CHECK(hf_config_set_session_cache(p->server_config, 0, 7200));
    CHECK(hf_config_set_session_store(p->server_config, &keeping));
    CHECK(access_config_sessions(p->server_config, &ids, tickets));
}

static void stop(struct pair *p)
{
    pair_clear(p);
    hf_session_free(store.session);
    store.session = NULL;
}

/* Offers the client's first session. */
static bool again(struct pair *p)
{
    pair_reset(p);
    pair_connect(p);
    CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    pair_run(p);
    return hf_conn_resumed(p->client.conn);
}

/* Whatever the number of TLS 1.3's tickets is, there is none here. */
static void test_by_id(void)
{
    struct pair p;
    size_t len;
    start(&p, false);
    CHECK(pair_shake(&p));
    CHECK_INT(store.made, 1);
    CHECK(p.sessions == 1 && !hf_session_has_ticket(p.session[0]));
    CHECK(hf_session_id(p.session[0], &len)[0] == 'i' && len == 20);
    CHECK(again(&p));
    CHECK(store.found == 1 && store.made == 1);
    hf_session_free(store.session);
    store.session = NULL; /* nobody knows it any more */
    CHECK(!again(&p));
    CHECK(store.found == 2 && store.made == 2);
    stop(&p);
}

static void test_no_id(void)
{
    struct pair p;
    start(&p, false);
    store.id_len = 0;
    CHECK(pair_shake(&p));
    CHECK(store.made == 1 && p.sessions == 0 && !store.session);
    stop(&p);
}

static void test_tickets(void)
{
    struct pair p;
    start(&p, true);
    CHECK(pair_shake(&p));
    CHECK(store.asked == 1 && store.made == 0);
    CHECK(p.sessions == 1 && hf_session_has_ticket(p.session[0]));
    CHECK(again(&p));
    CHECK_INT(store.asked, 1);
    stop(&p);
    start(&p, true);
    store.unwanted = true;
    CHECK(pair_shake(&p));
    CHECK(store.asked == 1 && store.made == 1);
    CHECK(p.sessions == 1 && !hf_session_has_ticket(p.session[0]));
    stop(&p);
}

static void ends(struct pair *p)
{
    pair_run(p);
    const hf_error *err = hf_conn_error(p->server.conn);
    CHECK(err && err->alert == 80); /* internal_error */
    CHECK(hf_conn_error(p->client.conn) && hf_conn_error(p->client.conn)->alert_received);
}

static void test_refusals(void)
{
    struct pair p;
    start(&p, false);
    store.make_fails = true;
    pair_connect(&p);
    ends(&p);
    pair_reset(&p);
    store.make_fails = false;
    CHECK(pair_shake(&p));
    store.find_fails = true;
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    ends(&p);
    stop(&p);
    start(&p, true);
    store.empty_fails = true;
    pair_connect(&p);
    ends(&p);
    stop(&p);
}

/* ---- sessions opened and put together again */

static void test_copy(void)
{
    struct pair p;
    struct access_session a, b;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    CHECK(p.sessions > 0);
    access_session_read(p.session[0], &a);
    hf_session *copy = access_session_new(&a);
    CHECK(copy != NULL);
    if (copy) {
        access_session_read(copy, &b);
        CHECK(a.version == b.version && a.suite == b.suite && a.issued_ms == b.issued_ms);
        CHECK(a.secret_len == b.secret_len && memcmp(a.secret, b.secret, a.secret_len) == 0);
        CHECK(a.ticket_len == b.ticket_len && memcmp(a.ticket, b.ticket, a.ticket_len) == 0);
        CHECK(a.chain_len == b.chain_len && a.verified == b.verified);
        CHECK_STR(a.server_name, b.server_name);
        pair_reset(&p);
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, copy));
        CHECK(!hf_conn_set_session(p.client.conn, copy));
        pair_run(&p);
        CHECK(hf_conn_resumed(p.client.conn));
        pair_reset(&p);
        pair_connect(&p);
        CHECK(!hf_conn_set_session(p.client.conn, copy)); /* a ticket is good once */
        access_session_use_again(copy);
        CHECK(hf_conn_set_session(p.client.conn, copy));
    }
    a.secret_len = 300;
    CHECK(!access_session_new(&a));
    hf_session_free(copy);
    pair_clear(&p);
}

static void test_new_ticket(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_tickets(p.server_config, 1, 7200));
    CHECK(pair_shake(&p));
    CHECK_INT(p.sessions, 1);
    CHECK(!access_conn_new_ticket(p.client.conn));
    CHECK(access_conn_new_ticket(p.server.conn));
    pair_run(&p);
    CHECK_INT(p.sessions, 2);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[1]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn) && hf_conn_resumed(p.server.conn));
    pair_clear(&p);
}

/* ---- what clients sign with */

static uint16_t client_signs(uint16_t version, const uint16_t *of_client,
                             const uint16_t *of_server)
{
    static const uint16_t usual[] = {0x0804, 0x0805, 0x0806};
    struct pair p;
    struct access_lists l = {.sigalgs = usual, .sigalgs_count = 3};
    pair_init(&p, PKI_RSA);
    CHECK(hf_config_set_versions(p.client_config, version, version));
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    static const uint16_t suites[] = {0x1301}, suites12[] = {0xc02f};
    l.suites13 = suites;
    l.suites = suites12;
    l.suites13_count = l.suites_count = 1;
    l.client_sigalgs = of_client;
    l.client_sigalgs_count = of_client ? 1 : 0;
    CHECK(access_config_lists(p.client_config, &l));
    l.client_sigalgs = of_server;
    l.client_sigalgs_count = of_server ? 1 : 0;
    CHECK(access_config_lists(p.server_config, &l));
    uint16_t used = pair_shake(&p) ? hf_conn_signature(p.server.conn) : 0;
    CHECK(!used || hf_conn_signature(p.client.conn) == 0x0804);
    pair_clear(&p);
    return used;
}

static void test_client_schemes(void)
{
    static const uint16_t sha384[] = {0x0805}, sha512[] = {0x0806};
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        CHECK_INT(client_signs(version, NULL, NULL), 0x0804);
        CHECK_INT(client_signs(version, sha384, NULL), 0x0805);
        CHECK_INT(client_signs(version, NULL, sha512), 0x0806);
        CHECK_INT(client_signs(version, sha512, sha512), 0x0806);
        CHECK_INT(client_signs(version, sha384, sha512), 0);
    }
}

int main(void)
{
    RUN(test_by_id);
    RUN(test_no_id);
    RUN(test_tickets);
    RUN(test_refusals);
    RUN(test_copy);
    RUN(test_new_ticket);
    RUN(test_client_schemes);
    return check_done();
}

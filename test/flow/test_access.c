/* What src/access/ shows of a handshake, and the settings that only libssl/ needs. */
#include "../unit/check.h"
#include "pair.h"

#include <string.h>

#include "access/access.h"
#include "connection/conn.h"

static void check_details(uint16_t version)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, version, version));
    CHECK(access_config_keep_details(p.client_config));
    CHECK(access_config_keep_details(p.server_config));
    CHECK(pair_shake(&p));
    const struct details *c = access_details(p.client.conn), *s = access_details(p.server.conn);
    CHECK(c && s);
    if (c && s) {
        CHECK_MEM(c->client_random, s->client_random, 32);
        CHECK_MEM(c->server_random, s->server_random, 32);
        CHECK(memcmp(c->client_random, c->server_random, 32) != 0);
        CHECK_INT(c->finished_len, version == HF_TLS1_3 ? 32 : 12);
        CHECK_MEM(c->finished[0], s->finished[0], c->finished_len);
        CHECK_MEM(c->finished[1], s->finished[1], c->finished_len);
        CHECK(memcmp(c->finished[0], c->finished[1], c->finished_len) != 0);
        CHECK(s->suite_count > 2 && s->sigalg_count > 2 && s->group_count > 2);
        CHECK_INT(s->groups[0], version == HF_TLS1_3 ? 0x11ec : 0x001d); /* no hybrids in 1.2 */
        CHECK_INT(s->signature, hf_conn_signature(p.client.conn));
        CHECK_INT(c->signature, 0);
    }
    pair_clear(&p);
}

static void test_details(void)
{
    check_details(HF_TLS1_3);
    check_details(HF_TLS1_2);
}

static void test_no_details_by_default(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    CHECK(!access_details(p.client.conn) && !access_details(p.server.conn));
    pair_clear(&p);
}

static hf_alpn_choice choose(hf_conn *conn, const uint8_t *list, size_t len,
                             const uint8_t **name, size_t *name_len, void *arg)
{
    const char *what = arg;
    CHECK(hf_conn_is_server(conn));
    CHECK(len == 12 && memcmp(list, "\x02h2\x08http/1.1", 12) == 0);
    *name = (const uint8_t *)what;
    *name_len = strlen(what);
    return strcmp(what, "none") == 0     ? HF_ALPN_NONE
           : strcmp(what, "refuse") == 0 ? HF_ALPN_REFUSE
                                         : HF_ALPN_CHOSEN;
}

static hf_code with_alpn(char *what, const char *agreed)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", false));
    CHECK(hf_config_set_alpn_callback(p.server_config, choose, what));
    bool ok = pair_shake(&p);
    hf_code code = ok ? HF_OK : hf_conn_error(p.server.conn)->code;
    if (ok) {
        size_t len;
        const uint8_t *got = hf_conn_alpn(p.client.conn, &len);
        CHECK(len == strlen(agreed) && (len == 0 || memcmp(got, agreed, len) == 0));
    } else {
        CHECK_INT(hf_conn_error(p.client.conn)->alert, hf_conn_error(p.server.conn)->alert);
    }
    pair_clear(&p);
    return code;
}

static void test_alpn_callback(void)
{
    char h2[] = "h2", none[] = "none", refuse[] = "refuse", empty[] = "";
    CHECK_INT(with_alpn(h2, "h2"), HF_OK);
    CHECK_INT(with_alpn(none, ""), HF_OK);
    CHECK_INT(with_alpn(refuse, ""), HF_E_NO_APPLICATION_PROTOCOL);
    CHECK_INT(with_alpn(empty, ""), HF_E_ALPN_ANSWER);
    hf_config *client = hf_config_new(HF_CLIENT);
    CHECK(!hf_config_set_alpn_callback(client, choose, NULL));
    hf_config_free(client);
}

static bool refuse_chain(hf_conn *conn, const hf_question *q, void *arg)
{
    hf_certificate *const *chain;
    CHECK(!q->verdict);
    CHECK(access_peer_chain(conn, &chain) >= 1 && chain[0]);
    return access_answer_verify_failed(conn, 10, 1, *(uint8_t *)arg);
}

static void test_verify_failed(void)
{
    struct pair p;
    uint8_t alert = 45;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_insecure_no_verify(p.client_config));
    CHECK(hf_config_set_ask(p.client_config, HF_ASK_VERIFY, refuse_chain, &alert));
    CHECK(!pair_shake(&p));
    const hf_error *c = hf_conn_error(p.client.conn), *s = hf_conn_error(p.server.conn);
    CHECK(c && c->code == HF_E_VERIFY_REFUSED && c->alert == 45 && c->x509_code == 10);
    CHECK(s && s->alert_received && s->alert == 45);
    pair_clear(&p);
}

/* A client that begins is refused by a warning; after a HelloRequest it may. */
static void test_own_renegotiation(void)
{
    struct pair p;
    hf_error err = {0};
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_renegotiation(p.client_config, 5));
    CHECK(hf_config_set_renegotiation(p.server_config, 5));
    CHECK(access_config_own_renegotiation(p.server_config));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK_INT(p.server.conn->est.renegotiations, 0);
    CHECK(!hf_conn_error(p.server.conn));
    CHECK(hf_conn_renegotiate(p.server.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK_INT(p.server.conn->est.renegotiations, 1);
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK_INT(p.server.conn->est.renegotiations, 1);
    pair_clear(&p);
}

static void test_lists(void)
{
    static const uint16_t suites[] = {0x9999, 0xc02f, 0xc02f}, groups[] = {0x0018},
                          unknown[] = {0x7777};
    struct access_lists l = {
        .suites = suites, .suites_count = 3, .groups = groups, .groups_count = 1};
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(access_config_lists(config, &l));
    CHECK(config->suites.count == 1 && config->suites.id[0] == 0xc02f);
    CHECK(config->groups.count == 1 && config->groups.id[0] == 0x0018);
    l.groups = unknown;
    CHECK(!access_config_lists(config, &l) && hf_config_error(config));
    hf_config_free(config);
}

int main(void)
{
    RUN(test_details);
    RUN(test_no_details_by_default);
    RUN(test_alpn_callback);
    RUN(test_verify_failed);
    RUN(test_own_renegotiation);
    RUN(test_lists);
    return check_done();
}

/* Every range of versions of a client against every range of a server: the highest version that both allow,
 * or the same refusal on both sides; what the security level makes of it; and sessions from one version in
 * another. */
#include "../unit/check.h"
#include "old.h"

struct range {
    uint16_t low, high;
};

static size_t all_ranges(struct range out[10])
{
    size_t n = 0;
    for (uint16_t low = HF_TLS1_0; low <= HF_TLS1_3; low++) {
        for (uint16_t high = low; high <= HF_TLS1_3; high++)
            out[n++] = (struct range){low, high};
    }
    return n;
}

static void allow_range(hf_config *config, struct range r)
{
    old_allow(config, r.low, r.high, NULL);
    CHECK(hf_config_set_ciphers(config, "ALL:@SECLEVEL=0"));
}

/* A group that the client sends no share for lets TLS 1.3 retry. */
static void meet(struct range c, struct range s, bool retry)
{
    struct pair p;
    uint16_t best = c.high < s.high ? c.high : s.high;
    bool possible = best >= c.low && best >= s.low;
    pair_init(&p, PKI_P256);
    allow_range(p.client_config, c);
    allow_range(p.server_config, s);
    if (retry)
        CHECK(hf_config_set_key_shares(p.client_config, ""));
    bool shaken = pair_shake(&p);
    CHECK_MSG(shaken == possible, "%s-%s and %s-%s: %s / %s", hf_version_name(c.low),
              hf_version_name(c.high), hf_version_name(s.low), hf_version_name(s.high),
              hf_code_name(end_code(&p.client)), hf_code_name(end_code(&p.server)));
    if (possible && shaken) {
        CHECK_INT(hf_conn_version(p.client.conn), best);
        CHECK_INT(hf_conn_version(p.server.conn), best);
        CHECK(hf_conn_retried(p.client.conn) == (retry && best == HF_TLS1_3));
        CHECK(old_echo(&p));
    } else if (!possible) {
        /* Clients say all that they allow in supported_versions, or have an upper end: the server sees it,
         * unless what it would answer is below the client's lowest. */
        bool by_client = end_code(&p.server) == HF_E_ALERT_RECEIVED;
        struct end *refuses = by_client ? &p.client : &p.server;
        struct end *told = by_client ? &p.server : &p.client;
        CHECK_REFUSED(refuses, HF_E_UNSUPPORTED_VERSION, 70);
        CHECK_TOLD(told, 70);
        CHECK(hf_conn_error(refuses->conn)->detail[0] != '\0');
    }
    pair_clear(&p);
}

static void test_every_range(void)
{
    struct range r[10];
    size_t n = all_ranges(r);
    CHECK_INT(n, 10);
    for (size_t c = 0; c < n; c++) {
        for (size_t s = 0; s < n; s++) {
            meet(r[c], r[s], false);
            meet(r[c], r[s], true);
        }
    }
}

/* At level 2 (and 1) TLS 1.0 and 1.1 are not spoken, however they are configured (RFC 8996). */
static void test_level_two(void)
{
    for (unsigned level = 1; level <= 3; level++) {
        hf_error err;
        struct pair p;
        hf_config *config = hf_config_new(HF_CLIENT);
        CHECK(hf_config_insecure_set_security_level(config, level));
        CHECK(hf_config_set_versions(config, HF_TLS1_0, HF_TLS1_1));
        CHECK(!hf_config_freeze(config, &err));
        CHECK_MSG(strstr(err.detail, "level") != NULL, "%s", err.detail);
        hf_config_free(config);
        pair_init(&p, PKI_P256);
        CHECK(hf_config_insecure_set_security_level(p.server_config, level));
        CHECK(hf_config_set_versions(p.server_config, HF_TLS1_0, HF_TLS1_2));
        allow_range(p.client_config, (struct range){HF_TLS1_0, HF_TLS1_1});
        CHECK(!pair_shake(&p));
        CHECK_REFUSED(&p.server, HF_E_UNSUPPORTED_VERSION, 70);
        CHECK_TOLD(&p.client, 70);
        pair_clear(&p);
        pair_init(&p, PKI_P256);
        CHECK(hf_config_insecure_set_security_level(p.client_config, level));
        CHECK(hf_config_set_versions(p.client_config, HF_TLS1_0, HF_TLS1_2));
        allow_range(p.server_config, (struct range){HF_TLS1_0, HF_TLS1_1});
        CHECK(!pair_shake(&p));
        CHECK(end_is_dead(&p.client) && end_is_dead(&p.server));
        pair_clear(&p);
    }
}

/* A server's choice of what the client did not offer. */
static void put_version(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    if (to->flights == 1 && len > 60)
        memcpy(bytes + 9, arg, 2);
}

static void test_version_not_offered(void)
{
    ROW("C07");
    static uint8_t versions[][2] = {{3, 2}, {3, 1}, {3, 4}, {3, 5}, {2, 0}, {0xfe, 0xfd}};
    for (size_t i = 0; i < sizeof versions / 2; i++) {
        struct pair p;
        old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA");
        pair_connect(&p);
        p.client.tamper = put_version;
        p.client.tamper_arg = versions[i];
        pair_run(&p);
        CHECK_REFUSED(&p.client, HF_E_UNSUPPORTED_VERSION, 70);
        pair_clear(&p);
    }
}

/* The record layer's version must be what was agreed, from the ServerHello on. */
static void put_record_version(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    unsigned flight = *(const unsigned *)arg;
    if (to->flights != flight)
        return;
    for (size_t at = 0; at + 5 <= len; at += 5u + get_u16(bytes + at + 3))
        bytes[at + 2] = 2;
}

static void test_record_version(void)
{
    ROW("C07");
    for (unsigned flight = 1; flight <= 2; flight++) {
        for (int server = 0; server < 2; server++) {
            struct pair p;
            old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA");
            pair_connect(&p);
            struct end *to = server ? &p.server : &p.client;
            to->tamper = put_record_version;
            to->tamper_arg = &flight;
            pair_run(&p);
            if (flight == 1) /* nobody knows the version yet: "any value" (RFC 5246 E.1) */
                CHECK(end_shaken(&p.client) && end_shaken(&p.server));
            else
                CHECK_REFUSED(to, HF_E_WRONG_VERSION_NUMBER, 70);
            pair_clear(&p);
        }
    }
}

/* ---- sessions of one version in another */

/* Makes a session in one version, and offers it where the other is negotiated. */
static void across(uint16_t made_in, uint16_t offered_in, bool tickets)
{
    struct pair p, q;
    pair_init(&p, PKI_P256);
    allow_range(p.client_config, (struct range){HF_TLS1_0, HF_TLS1_3});
    allow_range(p.server_config, (struct range){made_in, made_in});
    CHECK(hf_config_set_tickets(p.server_config, tickets, 7200));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_version(p.client.conn), made_in);
    if (made_in == HF_TLS1_3 && !tickets) {
        pair_clear(&p);
        return;
    }
    CHECK_INT(p.sessions, 1);
    pair_reset(&p);
    /* The same server (its ticket keys and its cache), now with another version. */
    memset(&q, 0, sizeof q);
    q.client_config = hf_config_ref(p.client_config);
    q.server_config = hf_config_derive(p.server_config);
    CHECK(hf_config_set_versions(q.server_config, offered_in, offered_in));
    pair_connect(&q);
    CHECK(hf_conn_set_session(q.client.conn, p.session[0]));
    pair_run(&q);
    CHECK_MSG(end_shaken(&q.client) && end_shaken(&q.server), "session of %s in %s: %s / %s",
              hf_version_name(made_in), hf_version_name(offered_in),
              hf_code_name(end_code(&q.client)), hf_code_name(end_code(&q.server)));
    if (end_shaken(&q.client)) {
        CHECK_INT(hf_conn_version(q.client.conn), offered_in);
        CHECK(hf_conn_resumed(q.client.conn) == (made_in == offered_in));
        CHECK(hf_conn_resumed(q.server.conn) == (made_in == offered_in));
        CHECK(old_echo(&q));
    }
    pair_reset(&q);
    hf_config_free(q.client_config);
    hf_config_free(q.server_config);
    pair_clear(&p);
}

static void test_sessions_across_versions(void)
{
    for (uint16_t made = HF_TLS1_0; made <= HF_TLS1_3; made++) {
        for (uint16_t offered = HF_TLS1_0; offered <= HF_TLS1_3; offered++) {
            across(made, offered, true);
            across(made, offered, false);
        }
    }
}

/* A client that does not allow the session's version does not offer it. */
static void test_session_of_forbidden_version(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    allow_range(p.client_config, (struct range){HF_TLS1_2, HF_TLS1_2});
    CHECK(pair_shake(&p));
    hf_config *newest = hf_config_derive(p.client_config);
    CHECK(hf_config_set_versions(newest, HF_TLS1_3, HF_TLS1_3));
    hf_conn *c = hf_conn_new_client(newest, "server.example", NULL);
    CHECK(c && !hf_conn_set_session(c, p.session[0]));
    hf_conn_free(c);
    hf_config_free(newest);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_every_range);
    RUN(test_level_two);
    RUN(test_version_not_offered);
    RUN(test_record_version);
    RUN(test_sessions_across_versions);
    RUN(test_session_of_forbidden_version);
    return check_done();
}

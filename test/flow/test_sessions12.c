/* Sessions of TLS 1.2 and older: by ticket and by ID, when they are resumed and when they are not. */
#include "../unit/check.h"
#include "old.h"

#include <stdlib.h>

#include "config/cache.h"

static const char ecdhe[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";

static void start(struct pair *p, bool tickets)
{
    old_start(p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_tickets(p->server_config, tickets, 7200));
    CHECK(hf_config_set_trust(p->server_config, p->trust));
}

static void make_session(struct pair *p)
{
    CHECK(pair_shake(p));
    CHECK_INT(p->sessions, 1);
    CHECK(!hf_conn_resumed(p->client.conn));
    pair_reset(p);
}

/* Puts another configuration in the place of the server's or the client's. */
static hf_config *change(hf_config **config)
{
    hf_config *next = hf_config_derive(*config);
    hf_config_free(*config);
    *config = next;
    return next;
}

/* Offers the session; both agree on whether it was resumed. */
static bool resumes(struct pair *p)
{
    pair_connect(p);
    CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    pair_run(p);
    CHECK_MSG(end_shaken(&p->client) && end_shaken(&p->server), "%s / %s",
              hf_code_name(end_code(&p->client)), hf_code_name(end_code(&p->server)));
    bool resumed = hf_conn_resumed(p->client.conn);
    CHECK(hf_conn_resumed(p->server.conn) == resumed);
    CHECK(hf_conn_verified(p->client.conn) && old_echo(p));
    return resumed;
}

static bool offers(struct pair *p)
{
    pair_connect(p);
    bool taken = hf_conn_set_session(p->client.conn, p->session[0]);
    pair_reset(p);
    return taken;
}

/* ---- what is resumed */

static void test_what_is_kept(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        size_t len;
        start(&p, tickets);
        CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", true));
        CHECK(hf_config_set_alpn(p.server_config, "http/1.1", true));
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
        make_session(&p);
        CHECK(hf_session_has_ticket(p.session[0]) == (tickets != 0));
        CHECK(hf_session_id(p.session[0], &len) && len == 32);
        CHECK_INT(hf_session_version(p.session[0]), HF_TLS1_2);
        CHECK_STR(hf_session_server_name(p.session[0]), "server.example");
        CHECK_INT(hf_session_expires(p.session[0]), PKI_NOW + 7200);
        CHECK(resumes(&p));
        CHECK(hf_conn_peer_certificate(p.client.conn, 0) &&
              hf_conn_peer_certificate(p.server.conn, 0));
        CHECK(hf_conn_verified(p.server.conn) && hf_conn_ems(p.client.conn));
        CHECK(hf_conn_group(p.client.conn) && hf_conn_signature(p.client.conn));
        CHECK(hf_conn_alpn(p.client.conn, &len) && len == 8);
        CHECK_STR(hf_conn_server_name(p.server.conn), "server.example");
        CHECK_INT(p.sessions, 1); /* nothing new */
        pair_clear(&p);
    }
}

/* A ticket of TLS 1.2 may be offered again and again, unlike one of TLS 1.3. */
static void test_again_and_again(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        hf_session_stats stats;
        start(&p, tickets);
        make_session(&p);
        for (int i = 0; i < 5; i++) {
            CHECK(resumes(&p));
            pair_reset(&p);
        }
        hf_config_session_stats(p.server_config, &stats);
        CHECK_INT(stats.hits, 5);
        CHECK_INT(stats.accept, 6);
        CHECK_INT(stats.accept_good, 6);
        CHECK_INT(stats.cached, !tickets);
        hf_config_session_stats(p.client_config, &stats);
        CHECK_INT(stats.hits, 5);
        CHECK_INT(stats.connect_good, 6);
        pair_clear(&p);
    }
}

/* A session survives its process. */
static void test_export_and_import(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        hf_error err;
        uint8_t bytes[8000];
        start(&p, tickets);
        make_session(&p);
        size_t n = hf_session_export(p.session[0], bytes, sizeof bytes);
        CHECK(n > 50 && n <= sizeof bytes);
        hf_session_free(p.session[0]);
        p.session[0] = hf_session_import(bytes, n, &err);
        CHECK(p.session[0] != NULL);
        CHECK(resumes(&p));
        pair_clear(&p);
    }
}

/* Every suite, every old version, by ticket and by ID. */
static void test_every_suite(void)
{
    hf_suite_info all[256];
    size_t count = hf_all_suites(all, 256), tried = 0;
    for (size_t i = 0; i < count; i++) {
        for (uint16_t v = all[i].version_min; v <= HF_TLS1_2 && v <= all[i].version_max; v++) {
            for (int tickets = 0; tickets < 2; tickets++) {
                struct pair p;
                bool anonymous = strstr(all[i].name, "_anon_") != NULL;
                old_start(&p, v, all[i].name);
                CHECK(hf_config_set_tickets(p.server_config, (unsigned)tickets, 7200));
                CHECK(pair_shake(&p));
                pair_reset(&p);
                pair_connect(&p);
                CHECK_MSG(p.sessions == 1 && hf_conn_set_session(p.client.conn, p.session[0]),
                          "%s", all[i].name);
                pair_run(&p);
                CHECK_MSG(hf_conn_resumed(p.client.conn) && hf_conn_resumed(p.server.conn) &&
                              old_echo(&p),
                          "%s in %s", all[i].name, hf_version_name(v));
                CHECK(!anonymous || !hf_conn_verified(p.client.conn));
                pair_clear(&p);
                tried++;
            }
        }
    }
    CHECK(tried > 200);
}

/* ---- tickets that are renewed */

static int64_t now;

static int64_t moving_clock(void *arg)
{
    (void)arg;
    return now;
}

static void test_ticket_renewed_after_half_its_life(void)
{
    struct pair p;
    now = PKI_NOW;
    start(&p, true);
    hf_config_set_clock(p.client_config, moving_clock, NULL);
    hf_config_set_clock(p.server_config, moving_clock, NULL);
    make_session(&p);
    now += 3600;
    CHECK(resumes(&p));
    CHECK_INT(p.sessions, 1);
    pair_reset(&p);
    now += 1;
    CHECK(resumes(&p));
    CHECK_INT(p.sessions, 2);
    if (p.sessions < 2) {
        pair_clear(&p);
        return;
    }
    CHECK(hf_session_expires(p.session[1]) > hf_session_expires(p.session[0]));
    pair_reset(&p);
    hf_session *old = p.session[0];
    p.session[0] = p.session[1];
    p.session[1] = old;
    now += 3601;
    CHECK(resumes(&p)); /* the first one would have expired */
    pair_clear(&p);
}

/* The full handshake behind them all bounds the renewals: a week after it somebody must prove himself again. */
static void test_renewal_has_an_end(void)
{
    struct pair p;
    now = PKI_NOW;
    start(&p, true);
    hf_config_set_clock(p.client_config, moving_clock, NULL);
    hf_config_set_clock(p.server_config, moving_clock, NULL);
    make_session(&p);
    bool resumed = true;
    while (resumed && now < PKI_NOW + 10 * PKI_DAY) {
        now += 7000;
        resumed = offers(&p) && resumes(&p);
        if (!resumed)
            break;
        CHECK(p.sessions == 2);
        hf_session_free(p.session[0]);
        p.session[0] = p.session[1];
        p.sessions = 1;
        pair_reset(&p);
    }
    CHECK_MSG(!resumed && now >= PKI_NOW + 7 * PKI_DAY, "after %lld s",
              (long long)(now - PKI_NOW));
    pair_clear(&p);
}

static void test_expired(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        now = PKI_NOW;
        start(&p, tickets);
        hf_config_set_clock(p.server_config, moving_clock, NULL);
        make_session(&p);
        now += 7201; /* only the server knows */
        CHECK(!resumes(&p));
        pair_reset(&p);
        hf_config_set_clock(change(&p.client_config), moving_clock, NULL);
        CHECK(!offers(&p));
        pair_clear(&p);
    }
}

/* ---- what is not resumed: the handshake is a full one */

static void test_suite_not_allowed_any_more(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        start(&p, tickets);
        CHECK(hf_config_set_suites(p.client_config, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"
                                                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"));
        make_session(&p);
        CHECK(hf_config_set_suites(change(&p.server_config),
                                   "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"));
        CHECK(!resumes(&p));
        pair_reset(&p);
        CHECK(hf_config_set_suites(change(&p.client_config),
                                   "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"));
        CHECK(!offers(&p));
        pair_clear(&p);
    }
}

static void test_other_server_name(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        start(&p, tickets);
        make_session(&p);
        hf_conn *c = hf_conn_new_client(p.client_config, "a.wild.example", NULL);
        CHECK(!hf_conn_set_session(c, p.session[0]));
        hf_conn_free(c);
        /* A client that offers it all the same: the server must look too (RFC 6066 3). */
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
        char *name = p.client.conn->hs->n.server_name;
        memcpy(name, "a.wild", 6);
        memcpy(name + 6, ".example", 9);
        pair_run(&p);
        CHECK(end_shaken(&p.client) && !hf_conn_resumed(p.client.conn));
        CHECK_STR(hf_conn_server_name(p.server.conn), "a.wild.example");
        pair_clear(&p);
    }
}

static void test_other_session_context(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        start(&p, tickets);
        CHECK(hf_config_set_session_context(p.server_config, (const uint8_t *)"one", 3));
        make_session(&p);
        CHECK(resumes(&p));
        pair_reset(&p);
        hf_config *first = hf_config_ref(p.server_config);
        CHECK(
            hf_config_set_session_context(change(&p.server_config), (const uint8_t *)"two", 3));
        CHECK(!resumes(&p));
        pair_reset(&p);
        hf_config_free(p.server_config);
        p.server_config = first;
        CHECK(resumes(&p));
        pair_clear(&p);
    }
}

static void test_other_keys(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p, other;
        start(&p, tickets);
        start(&other, tickets);
        make_session(&p);
        /* The other server has the same certificates' root, but its own keys and cache. */
        hf_config *theirs = other.server_config;
        CHECK(hf_config_add_credential(theirs, p.cred));
        other.server_config = p.server_config;
        p.server_config = theirs;
        CHECK(hf_config_insecure_no_verify(change(&p.client_config)));
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
        pair_run(&p);
        CHECK(end_shaken(&p.client) && !hf_conn_resumed(p.client.conn) && old_echo(&p));
        pair_clear(&p);
        pair_clear(&other);
    }
}

static void test_shared_ticket_keys(void)
{
    uint8_t keys[2 * HF_TICKET_KEY_SIZE];
    struct pair p;
    for (size_t i = 0; i < sizeof keys; i++)
        keys[i] = (uint8_t)(i * 7);
    start(&p, true);
    CHECK(hf_config_set_ticket_keys(p.server_config, keys, 1, NULL));
    make_session(&p);
    /* another process of the fleet, whose newest key is another one */
    hf_config *other = hf_config_new(HF_SERVER);
    hf_config_set_clock(other, moving_clock, NULL);
    now = PKI_NOW;
    old_allow(other, HF_TLS1_2, HF_TLS1_2, ecdhe);
    CHECK(hf_config_add_credential(other, p.cred));
    memmove(keys + HF_TICKET_KEY_SIZE, keys, HF_TICKET_KEY_SIZE);
    keys[0] ^= 1;
    CHECK(hf_config_set_ticket_keys(other, keys, 2, NULL));
    hf_config_free(p.server_config);
    p.server_config = other;
    CHECK(resumes(&p));
    pair_reset(&p);
    CHECK(hf_config_set_ticket_keys(other, keys, 1, NULL)); /* also when frozen */
    CHECK(!resumes(&p));
    pair_clear(&p);
}

static void test_client_certificate_demanded(void)
{
    for (int tickets = 0; tickets < 2; tickets++) {
        struct pair p;
        start(&p, tickets);
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        make_session(&p);
        CHECK(hf_config_set_client_auth(change(&p.server_config), HF_CLIENT_AUTH_REQUIRE));
        CHECK(!resumes(&p));
        CHECK(hf_conn_peer_certificate(p.server.conn, 0) && hf_conn_verified(p.server.conn));
        pair_clear(&p);
    }
}

/* A session that was made without a verification is no substitute for one. */
static void test_unverified(void)
{
    struct pair p;
    start(&p, true);
    hf_config *strict = hf_config_derive(p.client_config);
    CHECK(hf_config_insecure_no_verify(p.client_config));
    make_session(&p);
    hf_config_free(p.client_config);
    p.client_config = strict;
    CHECK(!offers(&p));
    pair_clear(&p);
}

static void test_resumption_off(void)
{
    struct pair p;
    start(&p, true);
    make_session(&p);
    CHECK(hf_config_set_psk_modes(change(&p.server_config), 0));
    CHECK(!resumes(&p));
    CHECK_INT(p.sessions, 1);
    pair_reset(&p);
    CHECK(hf_config_set_psk_modes(change(&p.client_config), 0));
    CHECK(!offers(&p));
    pair_clear(&p);
}

static void test_forgotten_after_fatal_alert(void)
{
    static const uint8_t alert[] = {2, 80};
    struct pair p;
    start(&p, false);
    make_session(&p);
    CHECK(resumes(&p));
    CHECK_INT(old_record(&p.client, &p.server, REC_ALERT, alert, 2), HF_FAILED);
    pair_reset(&p);
    CHECK(!resumes(&p)); /* RFC 5246 7.2.2 */
    pair_clear(&p);
}

/* A ticket with any byte changed is no ticket. */
static void test_damaged_ticket(void)
{
    struct pair p;
    start(&p, true);
    make_session(&p);
    hf_session *s = p.session[0];
    for (size_t i = 0; i < s->ticket_len; i += 3) {
        s->ticket[i] ^= 0x10;
        CHECK_MSG(!resumes(&p), "byte %zu", i);
        s->ticket[i] ^= 0x10;
        pair_reset(&p);
        while (p.sessions > 1)
            hf_session_free(p.session[--p.sessions]);
    }
    CHECK(resumes(&p));
    pair_clear(&p);
}

/* ---- servers that resume what they may not */

/* Changes the ServerHello of a resumed handshake. */
static void put_suite(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    if (to->flights == 1 && len > 80)
        put_u16(bytes + 44 + bytes[43], 0xc02c);
}

static void put_old_version(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    if (to->flights == 1 && len > 80)
        bytes[10] = 2;
}

static void dishonest(void (*tamper)(struct end *, uint8_t *, size_t, void *), hf_code code)
{
    struct pair p;
    start(&p, true);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_0, HF_TLS1_2));
    CHECK(hf_config_set_ciphers(p.client_config, "ECDHE:@SECLEVEL=0"));
    make_session(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    p.client.tamper = tamper;
    pair_run(&p);
    CHECK_REFUSED(&p.client, code, 47);
    pair_clear(&p);
}

static void test_resumed_with_another_suite_or_version(void)
{
    dishonest(put_suite, HF_E_OLD_SESSION_SUITE);
    dishonest(put_old_version, HF_E_WRONG_SUITE); /* GCM does not go with TLS 1.1 */
}

static uint8_t sent_id[32];

static void take_id(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    if (to->flights == 1 && len > 80 && bytes[43] == 32)
        memcpy(sent_id, bytes + 44, 32);
}

static void echo_id(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    if (to->flights == 1 && len > 80 && bytes[43] == 32)
        memcpy(bytes + 44, sent_id, 32);
}

/* The ID of a hello of TLS 1.3 names no session. */
static void test_resumed_without_session(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.server_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    pair_connect(&p);
    p.server.tamper = take_id;
    p.client.tamper = echo_id;
    pair_run(&p);
    CHECK_REFUSED(&p.client, HF_E_SESSION_ID_CHANGED, 47);
    pair_clear(&p);
}

/* ---- triple handshake: extended_master_secret and resumption (RFC 7627 5.3) */

/* Captures the blocks of a resumption as it honestly is, takes the extension out of one of them, and tries
 * again. */
static void without_ems(bool by_server, hf_code client, hf_code server)
{
    struct pair p;
    struct old_blocks blocks = {0};
    start(&p, true);
    CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
    CHECK(hf_config_set_trace(p.server_config, old_capture, &blocks));
    make_session(&p);
    CHECK(resumes(&p));
    pair_reset(&p);
    CHECK(old_without(by_server ? &blocks.server : &blocks.client, 23));
    old_say(by_server ? p.server_config : p.client_config, &blocks);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK_STR(hf_code_name(end_code(&p.client)), hf_code_name(client));
    CHECK_STR(hf_code_name(end_code(&p.server)), hf_code_name(server));
    pair_clear(&p);
    old_forget(&blocks);
}

static void test_ems_left_out_in_resumption(void)
{
    without_ems(false, HF_E_ALERT_RECEIVED, HF_E_EMS_MISMATCH);
    without_ems(true, HF_E_EMS_MISMATCH, HF_E_ALERT_RECEIVED);
}

/* The session was made without; now the client knows better. */
static void test_session_without_ems(void)
{
    struct pair p;
    struct old_blocks blocks = {0};
    start(&p, true);
    CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
    CHECK(pair_shake(&p));
    pair_reset(&p);
    CHECK(old_without(&blocks.client, 23));
    old_say(p.client_config, &blocks);
    CHECK(pair_shake(&p));
    CHECK(!hf_conn_ems(p.client.conn) && !hf_conn_ems(p.server.conn) && p.sessions == 2);
    hf_session_free(p.session[0]);
    p.session[0] = p.session[1];
    p.sessions = 1;
    pair_reset(&p);
    p.client_config->test = NULL;
    CHECK(!resumes(&p)); /* "MUST NOT perform the abbreviated handshake" */
    CHECK(hf_conn_ems(p.client.conn));
    pair_reset(&p);
    CHECK(hf_config_require_ems(change(&p.client_config), true));
    CHECK(!offers(&p));
    pair_clear(&p);
    old_forget(&blocks);
}

/* A server that resumes it with the extension all the same. */
static void test_ems_added_in_resumption(void)
{
    struct pair p;
    start(&p, true);
    make_session(&p);
    p.session[0]->ems = false;
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK_REFUSED(&p.client, HF_E_EMS_ADDED, 40);
    pair_clear(&p);
}

static void test_ems_required(void)
{
    for (int server = 0; server < 2; server++) {
        struct pair p;
        struct old_blocks blocks = {0};
        start(&p, true);
        CHECK(hf_config_require_ems(server ? p.server_config : p.client_config, true));
        CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
        CHECK(hf_config_set_trace(p.server_config, old_capture, &blocks));
        CHECK(pair_shake(&p));
        pair_reset(&p);
        CHECK(old_without(server ? &blocks.client : &blocks.server, 23));
        old_say(server ? p.client_config : p.server_config, &blocks);
        CHECK(!pair_shake(&p));
        CHECK_REFUSED(server ? &p.server : &p.client, HF_E_NO_EMS, 40);
        pair_clear(&p);
        old_forget(&blocks);
    }
}

int main(void)
{
    RUN(test_what_is_kept);
    RUN(test_again_and_again);
    RUN(test_export_and_import);
    RUN(test_every_suite);
    RUN(test_ticket_renewed_after_half_its_life);
    RUN(test_renewal_has_an_end);
    RUN(test_expired);
    RUN(test_suite_not_allowed_any_more);
    RUN(test_other_server_name);
    RUN(test_other_session_context);
    RUN(test_other_keys);
    RUN(test_shared_ticket_keys);
    RUN(test_client_certificate_demanded);
    RUN(test_unverified);
    RUN(test_resumption_off);
    RUN(test_forgotten_after_fatal_alert);
    RUN(test_damaged_ticket);
    RUN(test_resumed_with_another_suite_or_version);
    RUN(test_resumed_without_session);
    RUN(test_ems_left_out_in_resumption);
    RUN(test_session_without_ems);
    RUN(test_ems_added_in_resumption);
    RUN(test_ems_required);
    return check_done();
}

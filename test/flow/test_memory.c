/* When memory runs out: the n-th allocation fails, for every n, and nothing crashes or leaks (the
 * build with AddressSanitizer sees leaks). */
#include "../unit/check.h"
#include "old.h"

#include "bytes/bytes.h"

/* What is tried again and again: a full handshake with client certificate and HelloRetryRequest, or
 * a resumed one; then data, a KeyUpdate and the end. */
struct script {
    bool resume;
};

static bool connect(struct pair *p, const struct script *s)
{
    hf_error err = {0};
    p->client.conn = hf_conn_new_client(p->client_config, "server.example", &err);
    p->server.conn = p->client.conn ? hf_conn_new_server(p->server_config, &err) : NULL;
    if (!p->server.conn) {
        CHECK_INT(err.code, HF_E_NO_MEMORY);
        return false;
    }
    if (s->resume && p->sessions)
        hf_conn_set_session(p->client.conn, p->session[0]);
    return true;
}

static bool play(struct pair *p, const struct script *s)
{
    if (!connect(p, s))
        return false;
    pair_run(p);
    if (pair_send(p, &p->client, "ping", 4) != HF_DONE || p->server.data.len != 4)
        return false;
    if (hf_conn_key_update(p->client.conn, true) != HF_DONE)
        return false;
    pair_run(p);
    return pair_send(p, &p->server, "pong", 4) == HF_DONE && p->client.data.len == 4;
}

/* A dead connection has an error, and one that says why. */
static void check_error(const struct end *e)
{
    const hf_error *err = e->conn ? hf_conn_error(e->conn) : NULL;
    if (err) {
        CHECK(err->code != HF_OK);
        CHECK(err->code != HF_E_BAD_FINISHED && err->code != HF_E_BAD_SIGNATURE &&
              err->code != HF_E_BAD_RECORD_MAC && err->code != HF_E_MISSING_PROOF);
    }
}

static void until_it_works(struct pair *p, const struct script *s)
{
    unsigned long n = 1;
    for (;; n++) {
        mem_test_fail_after(n);
        bool ok = play(p, s);
        mem_test_fail_after(0);
        check_error(&p->client);
        check_error(&p->server);
        pair_reset(p);
        if (ok)
            break;
        CHECK(n <= 5000); /* or it never works */
        if (n > 5000)
            break;
    }
    CHECK(n > 10);
}

static void test_full_handshake(void)
{
    struct pair p;
    struct script s = {false};
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
    CHECK(hf_config_set_alpn(p.client_config, "h2", false));
    CHECK(hf_config_set_alpn(p.server_config, "h2", false));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_freeze(p.client_config, NULL));
    CHECK(hf_config_freeze(p.server_config, NULL));
    until_it_works(&p, &s);
    pair_clear(&p);
}

/* Certificates compressed in both directions. Each try has credentials of its own, for they keep what was
 * compressed. */
static void compressed_handshake(const char *by)
{
    unsigned long n = 1;
    bool ok = false;
    struct script s = {false};
    for (; !ok && n < 5000; n++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(hf_config_set_certificate_compression(p.client_config, by, by) &&
              hf_config_set_certificate_compression(p.server_config, by, by));
        CHECK(hf_config_freeze(p.client_config, NULL));
        CHECK(hf_config_freeze(p.server_config, NULL));
        mem_test_fail_after(n);
        ok = play(&p, &s);
        mem_test_fail_after(0);
        check_error(&p.client);
        check_error(&p.server);
        pair_clear(&p);
    }
    CHECK(ok && n > 10);
}

static void test_compressed_handshake(void)
{
    static const char *const names[] = {"zlib", "brotli", "zstd"};
    for (size_t i = 0; i < 3; i++) {
        hf_config *config = hf_config_new(HF_CLIENT);
        if (hf_config_set_certificate_compression(config, names[i], NULL)) {
            compressed_handshake(names[i]);
        } else {
            printf("skip %s: %s\n", names[i], hf_config_error(config)->detail);
            check_skipped++;
        }
        hf_config_free(config);
    }
}

static void test_resumed_handshake(void)
{
    struct pair p;
    struct script s = {true};
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    CHECK(p.sessions > 0);
    pair_reset(&p);
    until_it_works(&p, &s);
    pair_clear(&p);
}

/* A cap on memory ends a handshake that wants more, and only that one. */
static void test_memory_cap(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_memory_cap(p.client_config, 16384));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_memory(p.client.conn) < 16384);
    pair_clear(&p);
}

/* ---- TLS 1.2 */

struct old_script {
    const char *suite;
    bool resume, tickets, client_auth, by_client, by_server;
};

static bool renegotiate(struct pair *p, struct end *from)
{
    hf_error err;
    int before = p->client.conn->est.renegotiations;
    if (hf_conn_renegotiate(from->conn, &err) != HF_DONE)
        return false;
    pair_run(p);
    return end_shaken(&p->client) && end_shaken(&p->server) &&
           p->client.conn->est.renegotiations == before + 1;
}

static bool play_old(struct pair *p, const struct old_script *s)
{
    struct script how = {s->resume};
    if (!connect(p, &how))
        return false;
    pair_run(p);
    if (!end_shaken(&p->client) || !end_shaken(&p->server) || !old_echo(p))
        return false;
    if (s->resume && !hf_conn_resumed(p->client.conn))
        return false; /* without memory for the session there may be a full handshake */
    if ((s->by_client && !renegotiate(p, &p->client)) ||
        (s->by_server && !renegotiate(p, &p->server)))
        return false;
    return old_echo(p);
}

static void old_until_it_works(const struct old_script *s)
{
    struct pair p;
    unsigned long n = 1;
    old_start(&p, HF_TLS1_2, s->suite);
    CHECK(hf_config_set_tickets(p.server_config, s->tickets, 7200));
    CHECK(hf_config_set_renegotiation(p.client_config, 3));
    CHECK(hf_config_set_renegotiation(p.server_config, 3));
    CHECK(hf_config_set_psk_hint(p.server_config, "hint"));
    CHECK(hf_config_set_alpn(p.client_config, "h2", false));
    CHECK(hf_config_set_alpn(p.server_config, "h2", false));
    if (s->client_auth) {
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    }
    CHECK(pair_shake(&p));
    pair_reset(&p);
    for (;; n++) {
        mem_test_fail_after(n);
        bool ok = play_old(&p, s);
        mem_test_fail_after(0);
        check_error(&p.client);
        check_error(&p.server);
        pair_reset(&p);
        while (p.sessions > 1)
            hf_session_free(p.session[--p.sessions]);
        CHECK(n <= 5000);
        if (ok || n > 5000)
            break;
    }
    CHECK_MSG(n > 10, "%s: %lu", s->suite, n);
    pair_clear(&p);
}

static void test_old_handshakes(void)
{
    static const struct old_script scripts[] = {
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", .tickets = true},
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
         .tickets = true,
         .client_auth = true},
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", .client_auth = true},
        {.suite = "TLS_RSA_WITH_AES_128_CBC_SHA", .tickets = true},
        {.suite = "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", .tickets = true},
        {.suite = "TLS_PSK_WITH_AES_128_GCM_SHA256", .tickets = true},
        {.suite = "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA"},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        old_until_it_works(&scripts[i]);
}

static void test_old_resumptions(void)
{
    static const struct old_script scripts[] = {
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", .resume = true, .tickets = true},
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", .resume = true},
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
         .resume = true,
         .tickets = true,
         .client_auth = true},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        old_until_it_works(&scripts[i]);
}

static void test_renegotiations(void)
{
    static const struct old_script scripts[] = {
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
         .tickets = true,
         .by_client = true},
        {.suite = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
         .client_auth = true,
         .by_server = true},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        old_until_it_works(&scripts[i]);
}

int main(void)
{
    RUN(test_old_handshakes);
    RUN(test_old_resumptions);
    RUN(test_renegotiations);
    RUN(test_full_handshake);
    RUN(test_compressed_handshake);
    RUN(test_resumed_handshake);
    RUN(test_memory_cap);
    return check_done();
}

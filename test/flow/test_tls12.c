/* test_tls12.c: handshakes of TLS 1.2 and older between our two sides: every suite in every version that it
 * goes with, resumption, client certificates, renegotiation. */
#include "../unit/check.h"
#include "config/config.h"
#include "config/security.h"
#include "connection/conn.h"
#include "pair.h"

/* As CHECK, with what was being tried. */
#define CHECK_MSG(cond, ...)                                                                   \
    do {                                                                                       \
        if (!(cond)) {                                                                         \
            check_bad++;                                                                       \
            printf("    %s:%d: ", __FILE__, __LINE__);                                         \
            printf(__VA_ARGS__);                                                               \
            printf("\n");                                                                      \
        }                                                                                      \
    } while (0)

static const uint8_t psk_key[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t psk_name[] = "alice";

static void allow_all(hf_config *config, const char *suite, uint16_t version)
{
    CHECK(hf_config_insecure_set_security_level(config, 0));
    CHECK(hf_config_set_versions(config, version, version));
    CHECK(hf_config_set_suites(config, suite));
    CHECK(hf_config_set_signatures(
        config, "ecdsa_secp256r1_sha256,rsa_pss_rsae_sha256,rsa_pkcs1_sha256,rsa_pkcs1_sha1,"
                "ecdsa_sha1"));
    CHECK(hf_config_add_psk(config, psk_name, sizeof psk_name - 1, psk_key, sizeof psk_key));
}

static void echo(struct pair *p, const char *label)
{
    static const char up[] = "from the client", down[] = "from the server, a little longer";
    CHECK_MSG(pair_send(p, &p->client, up, sizeof up) == HF_DONE, "%s: client sends", label);
    CHECK_MSG(pair_send(p, &p->server, down, sizeof down) == HF_DONE, "%s: server sends",
              label);
    CHECK_MSG(p->server.data.len == sizeof up && memcmp(p->server.data.p, up, sizeof up) == 0,
              "%s: server received", label);
    CHECK_MSG(p->client.data.len == sizeof down &&
                  memcmp(p->client.data.p, down, sizeof down) == 0,
              "%s: client received", label);
}

static void one_suite(const hf_suite_info *s, uint16_t version)
{
    struct pair p;
    char label[128];
    bool ecdsa = strstr(s->name, "_ECDSA_") != NULL;
    snprintf(label, sizeof label, "%s in %s", s->name, hf_version_name(version));
    pair_init(&p, ecdsa ? PKI_P256 : PKI_RSA);
    allow_all(p.client_config, s->name, version);
    allow_all(p.server_config, s->name, version);
    bool anonymous = strstr(s->name, "_anon_") != NULL;
    if (anonymous)
        CHECK(hf_config_insecure_no_verify(p.client_config));
    bool good = pair_shake(&p);
    CHECK_MSG(good, "%s: %s / %s", label, hf_code_name(end_code(&p.client)),
              hf_code_name(end_code(&p.server)));
    if (good) {
        CHECK_MSG(hf_conn_version(p.client.conn) == version, "%s: version", label);
        CHECK_MSG(hf_conn_suite(p.client.conn) == s->id, "%s: suite", label);
        CHECK_MSG(hf_conn_suite(p.server.conn) == s->id, "%s: suite", label);
        echo(&p, label);
    }
    pair_clear(&p);
}

static void test_suites(void)
{
    hf_suite_info all[256];
    size_t count = hf_all_suites(all, 256), tried = 0;
    for (size_t i = 0; i < count; i++) {
        for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
            if (v < all[i].version_min || v > all[i].version_max)
                continue;
            one_suite(&all[i], v);
            tried++;
        }
    }
    CHECK_MSG(tried > 100, "%zu suites tried", tried);
}

static void only(struct pair *p, uint16_t version)
{
    CHECK(hf_config_set_versions(p->client_config, version, version));
}

static void test_resumption(bool tickets)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    only(&p, HF_TLS1_2);
    if (!tickets)
        CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    CHECK(pair_shake(&p));
    CHECK(!hf_conn_resumed(p.client.conn) && p.sessions == 1);
    echo(&p, "full");
    for (int i = 0; i < 3; i++) {
        pair_reset(&p);
        pair_connect(&p);
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
        pair_run(&p);
        CHECK(hf_conn_resumed(p.client.conn) && hf_conn_resumed(p.server.conn));
        CHECK(hf_conn_verified(p.client.conn));
        CHECK(hf_conn_ems(p.client.conn));
        echo(&p, "resumed");
    }
    pair_clear(&p);
}

static void test_renegotiation(bool by_server)
{
    struct pair p;
    hf_error err;
    pair_init(&p, PKI_P256);
    only(&p, HF_TLS1_2);
    CHECK(hf_config_set_renegotiation(p.client_config, 2));
    CHECK(hf_config_set_renegotiation(p.server_config, 2));
    CHECK(pair_shake(&p));
    for (int i = 0; i < 2; i++) {
        struct end *from = by_server ? &p.server : &p.client;
        CHECK(hf_conn_renegotiate(from->conn, &err) == HF_DONE);
        pair_run(&p);
        CHECK(!(hf_conn_wants(p.client.conn) & HF_IN_HANDSHAKE));
        CHECK(!(hf_conn_wants(p.server.conn) & HF_IN_HANDSHAKE));
        CHECK(p.server.conn->est.renegotiations == i + 1);
        wire_drop(&p.client.data, p.client.data.len);
        wire_drop(&p.server.data, p.server.data.len);
        echo(&p, "renegotiated");
    }
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_FAILED);
    CHECK(err.code == HF_E_RENEGOTIATIONS);
    pair_clear(&p);
}

static void test_refused_renegotiation(void)
{
    struct pair p;
    hf_error err;
    pair_init(&p, PKI_P256);
    only(&p, HF_TLS1_2);
    CHECK(hf_config_set_renegotiation(p.client_config, 2));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK(!hf_conn_error(p.client.conn) && !hf_conn_error(p.server.conn));
    CHECK(!(hf_conn_wants(p.client.conn) & HF_IN_HANDSHAKE));
    echo(&p, "after the refusal");
    pair_clear(&p);
}

static void test_client_certificate(uint16_t version, enum pki_kind kind)
{
    struct pair p;
    pair_init(&p, kind);
    for (int i = 0; i < 2; i++) {
        hf_config *c = i ? p.server_config : p.client_config;
        CHECK(hf_config_insecure_set_security_level(c, 0));
        CHECK(hf_config_set_versions(c, version, version));
        CHECK(hf_config_set_ciphers(c, "ALL:@SECLEVEL=0"));
    }
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK_MSG(pair_shake(&p), "%s %d: %s / %s", hf_version_name(version), (int)kind,
              hf_code_name(end_code(&p.client)), hf_code_name(end_code(&p.server)));
    CHECK(hf_conn_peer_certificate(p.server.conn, 0) != NULL &&
          hf_conn_verified(p.server.conn));
    echo(&p, "client certificate");
    pair_clear(&p);
}

static void test_tickets(void)
{
    test_resumption(true);
}

static void test_session_ids(void)
{
    test_resumption(false);
}

static void test_client_renegotiates(void)
{
    test_renegotiation(false);
}

static void test_server_renegotiates(void)
{
    test_renegotiation(true);
}

static void test_client_certificates(void)
{
    for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
        test_client_certificate(v, PKI_P256);
        test_client_certificate(v, PKI_RSA);
    }
}

int main(void)
{
    RUN(test_suites);
    RUN(test_tickets);
    RUN(test_session_ids);
    RUN(test_client_renegotiates);
    RUN(test_server_renegotiates);
    RUN(test_refused_renegotiation);
    RUN(test_client_certificates);
    return check_done();
}

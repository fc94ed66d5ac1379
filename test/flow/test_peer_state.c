/* The peer's certificate after a handshake, as getpeercert() of Python's ssl has it, and its chains, also after a
 * resumption. */
#include "../unit/check.h"
#include "handfast_certificate.h"
#include "handfast_issue.h"
#include "pair.h"

static void json_is(const hf_conn *conn, const char *want)
{
    char json[4000];
    size_t n = hf_conn_peer_json(conn, json, sizeof json);
    CHECK(n < sizeof json);
    CHECK_STR(json, want);
}

static void test_states(void)
{
    ROW("Y90");
    struct pair p;
    char want[4000];
    size_t len;
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    CHECK_INT(hf_conn_peer_state(p.client.conn), HF_PEER_NO_HANDSHAKE);
    CHECK_INT(hf_conn_peer_json(p.client.conn, NULL, 0), 0);
    pair_run(&p);
    /* verified, and a server that asked for nothing */
    CHECK_INT(hf_conn_peer_state(p.client.conn), HF_PEER_VERIFIED);
    CHECK_INT(hf_conn_peer_state(p.server.conn), HF_PEER_NONE);
    json_is(p.server.conn, "null");
    CHECK(hf_certificate_json(hf_credential_certificate(p.cred, 0), want, sizeof want) > 300);
    json_is(p.client.conn, want);
    const uint8_t *der = hf_certificate_der(hf_conn_peer_certificate(p.client.conn, 0), &len);
    CHECK_INT(len, p.pki->leaf->der_len);
    CHECK_MEM(der, p.pki->leaf->der, len);
    pair_clear(&p);
    /* not verified: {}, but the DER form is there */
    pair_init(&p, PKI_P256);
    CHECK(hf_config_insecure_no_verify(p.client_config));
    CHECK(hf_config_insecure_no_name_check(p.client_config));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_peer_state(p.client.conn), HF_PEER_NOT_VERIFIED);
    json_is(p.client.conn, "{}");
    CHECK(hf_conn_peer_certificate(p.client.conn, 0) != NULL);
    pair_clear(&p);
}

static void test_server(void)
{
    static const hf_client_auth modes[] = {HF_CLIENT_AUTH_REQUEST, HF_CLIENT_AUTH_REQUIRE};
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_client_auth(p.server_config, modes[i]));
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(i == 0 || hf_config_add_credential(p.client_config, p.cred));
        CHECK(pair_shake(&p));
        CHECK_INT(hf_conn_peer_state(p.server.conn), i ? HF_PEER_VERIFIED : HF_PEER_NONE);
        pair_clear(&p);
    }
}

static void same_certificate(const hf_certificate *a, const struct pki_cert *b)
{
    size_t len;
    const uint8_t *der = a ? hf_certificate_der(a, &len) : NULL;
    CHECK(der && len == b->der_len && memcmp(der, b->der, len) == 0);
}

static void chains_are_right(const struct pair *p)
{
    const hf_conn *c = p->client.conn;
    same_certificate(hf_conn_peer_certificate(c, 0), p->pki->leaf);
    same_certificate(hf_conn_peer_certificate(c, 1), p->pki->mid);
    CHECK(!hf_conn_peer_certificate(c, 2)); /* the root was not sent */
    same_certificate(hf_conn_verified_certificate(c, 0), p->pki->leaf);
    same_certificate(hf_conn_verified_certificate(c, 1), p->pki->mid);
    same_certificate(hf_conn_verified_certificate(c, 2), p->pki->root);
    CHECK(!hf_conn_verified_certificate(c, 3));
    CHECK_INT(hf_conn_peer_state(c), HF_PEER_VERIFIED);
}

static void test_chains(void)
{
    ROW("Y91 T49");
    static const uint16_t versions[] = {HF_TLS1_3, HF_TLS1_2};
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, versions[i], versions[i]));
        CHECK(pair_shake(&p));
        CHECK(!hf_conn_resumed(p.client.conn));
        chains_are_right(&p);
        CHECK(p.sessions > 0);
        pair_reset(&p);
        pair_connect(&p);
        CHECK(p.sessions > 0 && hf_conn_set_session(p.client.conn, p.session[p.sessions - 1]));
        pair_run(&p);
        CHECK(hf_conn_resumed(p.client.conn));
        chains_are_right(&p);
        pair_clear(&p);
    }
}

/* A certificate signed by itself, made in memory, which a client knows by its pin: no other will do. */
static void test_self_signed(void)
{
    ROW("Y46");
    for (int own = 0; own < 2; own++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        hf_credential *made =
            hf_credential_make(&(hf_certificate_plan){.names = "localhost"}, NULL, NULL);
        const hf_certificate *pinned =
            own ? hf_credential_certificate(made, 0) : hf_credential_certificate(p.cred, 0);
        hf_config_free(p.server_config);
        p.server_config = hf_config_new(HF_SERVER);
        CHECK(hf_config_add_credential(p.server_config, made));
        CHECK(hf_config_insecure_no_verify(p.client_config));
        CHECK(hf_config_insecure_no_name_check(p.client_config));
        CHECK(hf_config_add_pin_certificate(p.client_config, hf_certificate_sha256(pinned)));
        CHECK_INT(pair_shake(&p), own);
        CHECK_INT(end_code(&p.client), own ? HF_OK : HF_E_PIN_MISMATCH);
        hf_credential_free(made);
        pair_clear(&p);
    }
}

int main(void)
{
    RUN(test_states);
    RUN(test_server);
    RUN(test_chains);
    RUN(test_self_signed);
    return check_done();
}

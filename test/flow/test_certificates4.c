/* Revocation lists, pins, policies, flags, verify callbacks and the verified path, over whole connections
 * of TLS 1.3 and 1.2, for servers' and clients' certificates. */
#include "../unit/check.h"
#include "pair.h"

#include <stdlib.h>

static struct pair p;
static uint16_t version;

static void begin(void)
{
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, version, version));
    CHECK(hf_config_set_versions(p.server_config, version, version));
}

static void add_crl(hf_trust *trust, const struct pki_crl_spec *spec)
{
    char *pem = pki_crl_pem(spec);
    CHECK(hf_trust_add_crls_memory(trust, pem, strlen(pem), NULL));
    free(pem);
}

/* One end refuses the other with this error, and the other one is told by this alert. */
static void refused(struct end *by, hf_code code, uint8_t alert)
{
    struct end *other = by == &p.client ? &p.server : &p.client;
    (void)pair_shake(&p);
    CHECK_INT(end_code(by), code);
    CHECK_INT(end_code(other), HF_E_ALERT_RECEIVED);
    const hf_error *err = hf_conn_error(other->conn);
    CHECK(err && err->alert == alert && err->alert_received);
    CHECK(!hf_conn_verified(by->conn));
    CHECK(!hf_conn_verified_certificate(by->conn, 0));
}

static void accepted(bool verified)
{
    CHECK(pair_shake(&p));
    CHECK_INT(end_code(&p.client), HF_OK);
    CHECK_INT(hf_conn_version(p.client.conn), version);
    CHECK(hf_conn_verified(p.client.conn) == verified);
    CHECK(pair_send(&p, &p.client, "ping", 4) == HF_DONE && p.server.data.len == 4);
}

static void test_crl(void)
{
    begin();
    add_crl(p.trust, &(struct pki_crl_spec){.issuer = p.pki->mid});
    CHECK(hf_config_set_crl_check(p.client_config, HF_CRL_LEAF));
    accepted(true);
    pair_clear(&p);
    begin();
    add_crl(p.trust, &(struct pki_crl_spec){.issuer = p.pki->mid, .revoked = {p.pki->leaf}});
    CHECK(hf_config_set_crl_check(p.client_config, HF_CRL_LEAF));
    refused(&p.client, HF_E_REVOKED, 44);
    CHECK_INT(hf_conn_error(p.client.conn)->x509_depth, 0);
    pair_clear(&p);
    begin();
    CHECK(hf_config_set_crl_check(p.client_config, HF_CRL_LEAF));
    refused(&p.client, HF_E_NO_CRL, 46);
    pair_clear(&p);
    begin();
    add_crl(p.trust, &(struct pki_crl_spec){.issuer = p.pki->mid});
    add_crl(p.trust, &(struct pki_crl_spec){.issuer = p.pki->root, .revoked = {p.pki->mid}});
    CHECK(hf_config_set_crl_check(p.client_config, HF_CRL_CHAIN));
    refused(&p.client, HF_E_REVOKED, 44);
    CHECK_INT(hf_conn_error(p.client.conn)->x509_depth, 1);
    pair_clear(&p);
}

/* A list that goes out of date while the configuration lives. */
static int64_t now;

static int64_t moving_clock(void *arg)
{
    (void)arg;
    return now;
}

static void test_crl_expires(void)
{
    begin();
    now = PKI_NOW;
    add_crl(p.trust,
            &(struct pki_crl_spec){.issuer = p.pki->mid, .next_update = PKI_NOW + 1000});
    CHECK(hf_config_set_crl_check(p.client_config, HF_CRL_LEAF));
    CHECK(hf_config_set_clock(p.client_config, moving_clock, NULL));
    accepted(true);
    pair_reset(&p);
    now = PKI_NOW + 999;
    accepted(true);
    pair_reset(&p);
    now = PKI_NOW + 1001;
    refused(&p.client, HF_E_CRL_EXPIRED, 46);
    pair_clear(&p);
}

/* The same for clients' certificates. */
static void test_client_certificate(void)
{
    for (int revoked = 0; revoked < 2; revoked++) {
        begin();
        struct pki *clients = pki_new(PKI_P256, "DNS:client.example");
        hf_trust *trust = hf_trust_new();
        hf_credential *cred = hf_credential_load_memory(
            clients->bundle_pem, strlen(clients->bundle_pem), NULL, 0, NULL, NULL, NULL);
        CHECK(hf_trust_add_memory(trust, clients->root->der, clients->root->der_len, NULL));
        add_crl(trust, &(struct pki_crl_spec){.issuer = clients->mid,
                                              .revoked = {revoked ? clients->leaf : NULL}});
        CHECK(hf_config_set_trust(p.server_config, trust));
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
        CHECK(hf_config_set_crl_check(p.server_config, HF_CRL_LEAF));
        CHECK(hf_config_add_credential(p.client_config, cred));
        if (revoked) {
            refused(&p.server, HF_E_REVOKED, 44);
        } else {
            accepted(true);
            CHECK(hf_conn_verified(p.server.conn));
            const hf_certificate *anchor = hf_conn_verified_certificate(p.server.conn, 2);
            CHECK(anchor && strcmp(hf_certificate_subject(anchor), "CN=Test Root") == 0);
        }
        hf_credential_free(cred);
        hf_trust_free(trust);
        pki_clear(clients);
        pair_clear(&p);
    }
}

/* ---- pins */

static const uint8_t *hash_of(const struct pki_cert *cert, bool key)
{
    static uint8_t out[32];
    hf_certificate *c = hf_certificate_parse(cert->der, cert->der_len, NULL);
    memcpy(out, key ? hf_certificate_key_sha256(c) : hf_certificate_sha256(c), 32);
    hf_certificate_free(c);
    return out;
}

static void test_pins(void)
{
    begin();
    CHECK(hf_config_add_pin_certificate(p.client_config, hash_of(p.pki->leaf, false)));
    accepted(true);
    pair_clear(&p);
    begin();
    CHECK(hf_config_add_pin_key(p.client_config, hash_of(p.pki->root, true)));
    accepted(true);
    pair_clear(&p);
    begin();
    CHECK(hf_config_add_pin_certificate(p.client_config, hash_of(p.pki->root, false)));
    refused(&p.client, HF_E_PIN_MISMATCH, 46);
    pair_clear(&p);
}

/* Instead of verification: nobody but whoever holds the pinned key. */
static void test_pins_alone(void)
{
    hf_trust *nobody = hf_trust_new();
    begin();
    CHECK(hf_config_set_trust(p.client_config, nobody));
    CHECK(hf_config_add_pin_key(p.client_config, hash_of(p.pki->leaf, true)));
    refused(&p.client, HF_E_UNTRUSTED, 48);
    pair_reset(&p);
    hf_config *config = hf_config_derive(p.client_config);
    hf_config_free(p.client_config);
    p.client_config = config;
    CHECK(hf_config_insecure_no_verify(config));
    accepted(false);
    pair_clear(&p);
    begin();
    CHECK(hf_config_insecure_no_verify(p.client_config));
    CHECK(hf_config_add_pin_key(p.client_config, hash_of(p.pki->mid, true)));
    refused(&p.client, HF_E_PIN_MISMATCH, 46);
    pair_clear(&p);
    hf_trust_free(nobody);
}

/* A server without a certificate is not the one that is pinned. */
static void test_pins_and_anonymous(void)
{
    hf_error err = {0};
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_versions(config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_insecure_no_verify(config));
    CHECK(hf_config_insecure_set_security_level(config, 0));
    CHECK(hf_config_set_ciphers(config, "aNULL"));
    hf_config *pinned = hf_config_derive(config);
    CHECK(hf_config_freeze(config, NULL));
    static const uint8_t hash[32] = {1};
    CHECK(hf_config_add_pin_key(pinned, hash));
    CHECK(!hf_config_freeze(pinned, &err) && err.code == HF_E_CONFIG);
    hf_config_free(config);
    hf_config_free(pinned);
}

/* ---- policies and flags */

static void test_policy_and_flags(void)
{
    begin();
    CHECK(hf_config_add_policy(p.client_config, "1.2.3.4"));
    refused(&p.client, HF_E_WRONG_POLICY, 46);
    pair_clear(&p);
    for (int whole = 0; whole < 2; whole++) {
        begin();
        hf_trust *mid = hf_trust_new();
        CHECK(hf_trust_add_memory(mid, p.pki->mid->der, p.pki->mid->der_len, NULL));
        CHECK(hf_config_set_trust(p.client_config, mid));
        if (whole) {
            CHECK(hf_config_set_verify_flags(p.client_config, HF_VERIFY_TRUSTED_FIRST));
            refused(&p.client, HF_E_UNTRUSTED, 48);
        } else {
            accepted(true);
            CHECK(!hf_conn_verified_certificate(p.client.conn, 2));
        }
        hf_trust_free(mid);
        pair_clear(&p);
    }
}

/* ---- the callback */

struct judge {
    unsigned asked, questions;
    hf_code last, question;
    bool right_conn, accept, answer;
};

static bool on_fault(hf_conn *conn, int depth, const hf_certificate *certificate,
                     const hf_error *verdict, void *arg)
{
    struct judge *j = arg;
    j->asked++;
    j->last = verdict->code;
    j->right_conn = conn == p.client.conn;
    CHECK(depth == verdict->x509_depth && certificate);
    return j->accept;
}

static bool on_question(hf_conn *conn, const hf_question *question, void *arg)
{
    struct judge *j = arg;
    j->questions++;
    j->question = question->verdict ? question->verdict->code : HF_OK;
    return hf_answer_verify(conn, j->answer);
}

static void no_anchors(hf_config *config)
{
    hf_trust *nobody = hf_trust_new();
    CHECK(hf_config_set_trust(config, nobody));
    hf_trust_free(nobody);
}

static void test_callback(void)
{
    struct judge j = {.accept = true};
    begin();
    no_anchors(p.client_config);
    CHECK(hf_config_insecure_set_verify_callback(p.client_config, on_fault, &j));
    accepted(false);
    CHECK(j.asked == 1 && j.last == HF_E_UNTRUSTED && j.right_conn);
    CHECK(!hf_conn_verified_certificate(p.client.conn, 0));
    CHECK(hf_conn_peer_certificate(p.client.conn, 0));
    CHECK(p.sessions > 0);
    pair_reset(&p);
    /* its session does not stand for a verification */
    pair_connect(&p);
    CHECK(p.sessions && !hf_conn_set_session(p.client.conn, p.session[0]));
    pair_reset(&p);
    /* nothing is remembered: it is asked again, and may think otherwise */
    j.accept = false;
    refused(&p.client, HF_E_UNTRUSTED, 48);
    CHECK_INT(j.asked, 2);
    pair_clear(&p);
    /* a good chain raises no question */
    begin();
    j = (struct judge){.accept = false};
    CHECK(hf_config_insecure_set_verify_callback(p.client_config, on_fault, &j));
    accepted(true);
    CHECK_INT(j.asked, 0);
    pair_clear(&p);
}

/* The callback judges each fault, and the handshake's question the whole. */
static void test_callback_and_question(void)
{
    for (int i = 0; i < 4; i++) {
        struct judge j = {.accept = i & 1, .answer = i & 2};
        begin();
        no_anchors(p.client_config);
        CHECK(hf_config_insecure_set_verify_callback(p.client_config, on_fault, &j));
        CHECK(hf_config_set_ask(p.client_config, HF_ASK_VERIFY, on_question, &j));
        if (j.answer)
            accepted(false);
        else
            refused(&p.client, j.accept ? HF_E_VERIFY_REFUSED : HF_E_UNTRUSTED,
                    j.accept ? 46 : 48);
        CHECK(j.asked == 1 && j.questions == 1);
        CHECK_INT(j.question, j.accept ? HF_OK : HF_E_UNTRUSTED);
        pair_clear(&p);
    }
}

/* ---- the path */

static void test_path(void)
{
    begin();
    accepted(true);
    const struct pki_cert *want[] = {p.pki->leaf, p.pki->mid, p.pki->root};
    for (size_t i = 0; i < 3; i++) {
        size_t len = 0;
        const hf_certificate *c = hf_conn_verified_certificate(p.client.conn, i);
        const uint8_t *der = c ? hf_certificate_der(c, &len) : NULL;
        CHECK(der && len == want[i]->der_len && memcmp(der, want[i]->der, len) == 0);
        CHECK(hf_conn_verified_certificate(p.client.conn, i) == c);
    }
    CHECK(!hf_conn_verified_certificate(p.client.conn, 3));
    CHECK(!hf_conn_peer_certificate(p.client.conn, 2)); /* the root was not sent */
    CHECK(!hf_conn_verified_certificate(p.server.conn, 0));
    /* a resumed connection has the path of its session's chain */
    CHECK(p.sessions > 0);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(p.sessions && hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn) && hf_conn_verified(p.client.conn));
    CHECK(hf_conn_verified_certificate(p.client.conn, 2));
    pair_clear(&p);
}

int main(void)
{
    static const uint16_t versions[] = {HF_TLS1_3, HF_TLS1_2};
    for (size_t i = 0; i < 2; i++) {
        version = versions[i];
        printf("%s\n", hf_version_name(version));
        RUN(test_crl);
        RUN(test_crl_expires);
        RUN(test_client_certificate);
        RUN(test_pins);
        RUN(test_pins_alone);
        RUN(test_policy_and_flags);
        RUN(test_callback);
        RUN(test_callback_and_question);
        RUN(test_path);
    }
    RUN(test_pins_and_anonymous);
    return check_done();
}

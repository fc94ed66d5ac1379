/* Raw public keys (RFC 7250) in whole handshakes: both roles, TLS 1.2 and 1.3, what is trusted and what is
 * refused, types that do not meet, resumption, and what the getters say afterwards. */
#include "../unit/check.h"
#include "pair.h"

#include <stdio.h>

#include "connection/conn.h"

static const uint16_t versions[] = {HF_TLS1_2, HF_TLS1_3};

/* A pair whose ends show a raw key each; what they take is set by each test. */
struct raw {
    struct pair pair;
    struct pki *other; /* the client's key; nobody else's is known to a server */
    hf_credential *server, *client;
    hf_trust *server_key, *client_key; /* that trust one key each */
};

static hf_credential *raw_of(const struct pki *pki)
{
    hf_credential *cred = hf_credential_load_raw_key_memory(
        pki->leaf->key_pem, strlen(pki->leaf->key_pem), NULL, NULL, NULL);
    CHECK(cred);
    return cred;
}

static hf_trust *trust_of(const hf_credential *cred)
{
    size_t len;
    hf_error err;
    hf_trust *trust = hf_trust_new();
    const uint8_t *spki = hf_credential_raw_public_key(cred, &len);
    CHECK(spki && hf_trust_add_keys_memory(trust, spki, len, &err));
    return trust;
}

static int64_t fixed_clock(void *arg)
{
    (void)arg;
    return PKI_NOW;
}

static void new_configs(struct raw *r, uint16_t version)
{
    struct pair *p = &r->pair;
    hf_config_free(p->client_config);
    hf_config_free(p->server_config);
    p->client_config = hf_config_new(HF_CLIENT);
    p->server_config = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_versions(p->client_config, version, version));
    CHECK(hf_config_set_versions(p->server_config, version, version));
    CHECK(hf_config_set_clock(p->client_config, fixed_clock, NULL));
    CHECK(hf_config_set_clock(p->server_config, fixed_clock, NULL));
}

static void raw_init(struct raw *r, enum pki_kind kind, uint16_t version)
{
    memset(r, 0, sizeof *r);
    pair_init(&r->pair, kind);
    r->other = pki_new(kind, "DNS:client.example");
    r->server = raw_of(r->pair.pki);
    r->client = raw_of(r->other);
    r->server_key = trust_of(r->server);
    r->client_key = trust_of(r->client);
    new_configs(r, version);
}

static void raw_clear(struct raw *r)
{
    hf_credential_free(r->server);
    hf_credential_free(r->client);
    hf_trust_free(r->server_key);
    hf_trust_free(r->client_key);
    pki_clear(r->other);
    pair_clear(&r->pair);
}

static void server_shows(struct raw *r)
{
    CHECK(hf_config_add_credential(r->pair.server_config, r->server));
    CHECK(hf_config_set_peer_certificate_types(r->pair.client_config, "RawPublicKey"));
}

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    struct pair *p = arg;
    (void)conn;
    if (p->sessions < 32)
        p->session[p->sessions++] = hf_session_ref(session);
}

static void both_show(struct raw *r)
{
    struct pair *p = &r->pair;
    server_shows(r);
    CHECK(hf_config_set_trust(p->client_config, r->server_key));
    CHECK(hf_config_add_credential(p->client_config, r->client));
    CHECK(hf_config_set_client_auth(p->server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(hf_config_set_peer_certificate_types(p->server_config, "raw"));
    CHECK(hf_config_set_trust(p->server_config, r->client_key));
    CHECK(hf_config_set_session_callback(p->client_config, keep, p));
}

static bool shaken(const struct pair *p)
{
    return !((hf_conn_wants(p->client.conn) | hf_conn_wants(p->server.conn)) &
             (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

static void shows(const hf_conn *conn, const hf_credential *peer)
{
    size_t len, want;
    const uint8_t *spki = hf_credential_raw_public_key(peer, &want);
    const uint8_t *key = hf_conn_peer_raw_key(conn, &len);
    CHECK(hf_conn_peer_certificate_type(conn) == HF_CERTIFICATE_RAW_KEY);
    CHECK(key && len == want && memcmp(key, spki, len) == 0);
    CHECK(hf_conn_peer_key_sha256(conn) &&
          memcmp(hf_conn_peer_key_sha256(conn), hf_credential_key_sha256(peer), 32) == 0);
    CHECK(!hf_conn_peer_certificate(conn, 0) && !hf_conn_verified_certificate(conn, 0));
    uint8_t binding[HF_BINDING_MAX];
    CHECK_INT(hf_conn_channel_binding(conn, HF_BINDING_SERVER_END_POINT, binding), 0);
}

/* ---- what works */

static void check_both(struct raw *r, bool resumed)
{
    struct pair *p = &r->pair;
    CHECK(shaken(p));
    CHECK_INT(hf_conn_resumed(p->client.conn), resumed);
    shows(p->client.conn, r->server);
    shows(p->server.conn, r->client);
    CHECK(hf_conn_verified(p->client.conn) && hf_conn_verified(p->server.conn));
    CHECK(hf_conn_own_certificate_type(p->client.conn) == HF_CERTIFICATE_RAW_KEY);
    CHECK(hf_conn_own_certificate_type(p->server.conn) == HF_CERTIFICATE_RAW_KEY);
    CHECK_INT(pair_send(p, &p->client, "hello", 5), HF_DONE);
    CHECK_INT(p->server.data.len, 5);
}

/* The session goes through its serialised form, as one that is kept in a file does. */
static hf_session *copied(hf_session *session)
{
    uint8_t bytes[8192];
    size_t len = hf_session_export(session, bytes, sizeof bytes);
    CHECK(len && len <= sizeof bytes);
    return hf_session_import(bytes, len, NULL);
}

static void test_both(void)
{
    static const enum pki_kind kinds[] = {PKI_P256, PKI_RSA, PKI_ED25519};
    for (size_t v = 0; v < 2; v++) {
        for (size_t k = 0; k < 3; k++) {
            struct raw r;
            raw_init(&r, kinds[k], versions[v]);
            both_show(&r);
            pair_shake(&r.pair);
            check_both(&r, false);
            CHECK(r.pair.sessions > 0);
            hf_session *session = r.pair.sessions ? copied(r.pair.session[0]) : NULL;
            CHECK(session);
            pair_reset(&r.pair);
            pair_connect(&r.pair);
            CHECK(hf_conn_set_session(r.pair.client.conn, session));
            pair_run(&r.pair);
            check_both(&r, true);
            hf_session_free(session);
            raw_clear(&r);
        }
    }
}

/* By the server's cache of sessions, without tickets (RFC 5246 F.1.4). */
static void test_by_id(void)
{
    struct raw r;
    raw_init(&r, PKI_P256, HF_TLS1_2);
    both_show(&r);
    CHECK(hf_config_set_tickets(r.pair.client_config, 0, 0));
    pair_shake(&r.pair);
    check_both(&r, false);
    CHECK_INT(r.pair.sessions, 1);
    pair_reset(&r.pair);
    pair_connect(&r.pair);
    CHECK(hf_conn_set_session(r.pair.client.conn, r.pair.session[0]));
    pair_run(&r.pair);
    check_both(&r, true);
    raw_clear(&r);
}

/* Pins alone will do; so will a certificate's key, shown raw. */
static void test_pin(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        struct pair *p = &r.pair;
        hf_error err;
        hf_credential *raw = hf_credential_raw_key(p->cred, &err);
        CHECK(raw && !hf_credential_certificate(raw, 0));
        CHECK(memcmp(hf_credential_key_sha256(raw), hf_credential_key_sha256(p->cred), 32) ==
              0);
        CHECK(hf_config_add_credential(p->server_config, p->cred));
        CHECK(hf_config_add_credential(p->server_config, raw));
        CHECK(hf_config_set_peer_certificate_types(p->client_config, "raw"));
        CHECK(hf_config_add_pin_key(p->client_config, hf_credential_key_sha256(raw)));
        CHECK(pair_shake(p));
        shows(p->client.conn, r.server);
        CHECK(hf_conn_verified(p->client.conn));
        hf_credential_free(raw);
        raw_clear(&r);
    }
}

/* Without a name; the callback judges. */
static bool judge(hf_conn *conn, const hf_question *q, void *arg)
{
    const bool *accept = arg;
    CHECK(q->verdict && q->verdict->code == HF_E_UNTRUSTED_KEY);
    CHECK(hf_conn_peer_raw_key(conn, NULL) != NULL);
    hf_answer_verify(conn, *accept);
    return true;
}

static void test_callback(void)
{
    for (size_t i = 0; i < 4; i++) {
        struct raw r;
        bool accept = i & 1;
        raw_init(&r, PKI_P256, versions[i / 2]);
        struct pair *p = &r.pair;
        server_shows(&r);
        CHECK(hf_config_set_ask(p->client_config, HF_ASK_VERIFY, judge, &accept));
        p->client.conn = hf_conn_new_client(p->client_config, NULL, NULL);
        p->server.conn = hf_conn_new_server(p->server_config, NULL);
        CHECK(p->client.conn && p->server.conn);
        pair_run(p);
        CHECK_INT(shaken(p), accept);
        CHECK_INT(end_code(&p->client), accept ? HF_OK : HF_E_UNTRUSTED_KEY);
        CHECK(!hf_conn_verified(p->client.conn));
        raw_clear(&r);
    }
}

/* Whoever verifies nothing takes any key; its signature is still checked. */
static void test_insecure(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        server_shows(&r);
        CHECK(hf_config_insecure_no_verify(r.pair.client_config));
        CHECK(pair_shake(&r.pair));
        CHECK(!hf_conn_verified(r.pair.client.conn));
        shows(r.pair.client.conn, r.server);
        raw_clear(&r);
    }
}

/* ---- what is refused */

static void test_wrong_key(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        both_show(&r);
        struct pair *p = &r.pair;
        hf_config *wrong = hf_config_derive(p->client_config);
        CHECK(hf_config_set_trust(wrong, r.client_key));
        hf_config *right = p->client_config;
        p->client_config = wrong;
        CHECK(!pair_shake(p));
        CHECK_INT(end_code(&p->client), HF_E_UNTRUSTED_KEY);
        CHECK(strstr(hf_conn_error(p->client.conn)->detail, "raw public key, SHA-256 "));
        pair_reset(p);
        /* A pin must match even where the key is trusted. */
        p->client_config = hf_config_derive(right);
        hf_config_free(wrong);
        CHECK(hf_config_add_pin_key(p->client_config, hf_credential_key_sha256(r.client)));
        CHECK(!pair_shake(p));
        CHECK_INT(end_code(&p->client), HF_E_PIN_MISMATCH);
        pair_reset(p);
        hf_config_free(p->client_config);
        p->client_config = right;
        /* And the server: it knows another client. */
        hf_config *strict = hf_config_derive(p->server_config);
        CHECK(hf_config_set_trust(strict, r.server_key));
        hf_config_free(p->server_config);
        p->server_config = strict;
        CHECK(!pair_shake(p));
        CHECK_INT(end_code(&p->server), HF_E_UNTRUSTED_KEY);
        raw_clear(&r);
    }
}

/* A pin of a whole certificate never is one of a key. */
static void test_certificate_pin(void)
{
    struct raw r;
    raw_init(&r, PKI_P256, HF_TLS1_3);
    server_shows(&r);
    static const uint8_t zeros[32];
    CHECK(hf_config_set_trust(r.pair.client_config, r.server_key));
    CHECK(hf_config_add_pin_certificate(r.pair.client_config, zeros));
    CHECK(!pair_shake(&r.pair));
    CHECK_INT(end_code(&r.pair.client), HF_E_PIN_MISMATCH);
    raw_clear(&r);
}

static void test_weak(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_RSA, versions[v]); /* of 2048 bits: not for level 3 */
        server_shows(&r);
        CHECK(hf_config_set_trust(r.pair.client_config, r.server_key));
        CHECK(hf_config_set_security_level(r.pair.client_config, 3));
        CHECK(!pair_shake(&r.pair));
        CHECK_INT(end_code(&r.pair.client), HF_E_WEAK_CERTIFICATE);
        raw_clear(&r);
    }
}

/* ---- types that do not meet */

static void test_no_common_type(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        struct pair *p = &r.pair;
        /* The client takes raw keys only, the server has a certificate only. */
        CHECK(hf_config_add_credential(p->server_config, p->cred));
        CHECK(hf_config_set_peer_certificate_types(p->client_config, "raw"));
        CHECK(hf_config_set_trust(p->client_config, r.server_key));
        CHECK(!pair_shake(p));
        CHECK_INT(end_code(&p->server), HF_E_NO_CREDENTIAL_TYPE);
        CHECK_INT(hf_conn_error(p->server.conn)->alert, 43);
        CHECK_INT(hf_conn_error(p->client.conn)->alert, 43);
        pair_reset(p);
        /* The server has a raw key only, the client knows nothing of them. */
        new_configs(&r, versions[v]);
        CHECK(hf_config_add_credential(p->server_config, r.server));
        CHECK(hf_config_set_trust(p->client_config, p->trust));
        CHECK(!pair_shake(p));
        CHECK_INT(end_code(&p->server), HF_E_NO_CREDENTIAL_TYPE);
        pair_reset(p);
        /* The server wants raw keys from clients, this one has a certificate. */
        new_configs(&r, versions[v]);
        both_show(&r);
        hf_config_free(p->client_config);
        p->client_config = hf_config_new(HF_CLIENT);
        CHECK(hf_config_set_versions(p->client_config, versions[v], versions[v]));
        CHECK(hf_config_add_credential(p->client_config, p->cred));
        CHECK(hf_config_set_peer_certificate_types(p->client_config, "raw"));
        CHECK(hf_config_set_trust(p->client_config, r.server_key));
        CHECK(!pair_shake(p));
        CHECK_INT(end_code(&p->server), HF_E_CERTIFICATE_TYPE);
        CHECK_INT(hf_conn_error(p->client.conn)->alert, 43);
        raw_clear(&r);
    }
}

/* The server likes certificates best, and falls back on its raw key for clients that take nothing else. */
static void test_order(void)
{
    static const struct {
        const char *own, *taken;
        hf_certificate_type want;
    } rows[] = {
        {NULL, "RawPublicKey,X509", HF_CERTIFICATE_X509},
        {NULL, "RawPublicKey", HF_CERTIFICATE_RAW_KEY},
        {NULL, "X509", HF_CERTIFICATE_X509},
        {"RawPublicKey:X.509", "X509 RawPublicKey", HF_CERTIFICATE_RAW_KEY},
        {"RawPublicKey:X.509", "X509", HF_CERTIFICATE_X509},
        {"X509", "RawPublicKey,X509", HF_CERTIFICATE_X509},
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[i % 2]);
        struct pair *p = &r.pair;
        CHECK(hf_config_add_credential(p->server_config, p->cred));
        CHECK(hf_config_add_credential(p->server_config, r.server));
        if (rows[i / 2].own)
            CHECK(hf_config_set_certificate_types(p->server_config, rows[i / 2].own));
        CHECK(hf_config_set_peer_certificate_types(p->client_config, rows[i / 2].taken));
        CHECK(hf_trust_add_memory(r.server_key, p->pki->root->pem, strlen(p->pki->root->pem),
                                  NULL));
        CHECK(hf_config_set_trust(p->client_config, r.server_key));
        CHECK(pair_shake(p));
        CHECK_INT(hf_conn_peer_certificate_type(p->client.conn), rows[i / 2].want);
        CHECK_INT(hf_conn_own_certificate_type(p->server.conn), rows[i / 2].want);
        CHECK(hf_conn_verified(p->client.conn));
        CHECK_INT(hf_conn_peer_certificate(p->client.conn, 0) != NULL,
                  rows[i / 2].want == HF_CERTIFICATE_X509);
        raw_clear(&r);
    }
}

/* A client that has a raw key, and a server that asks for certificates, or for nothing at all. */
static void test_unwanted(void)
{
    for (size_t i = 0; i < 4; i++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[i / 2]);
        struct pair *p = &r.pair;
        bool asks = i & 1;
        server_shows(&r);
        CHECK(hf_config_set_trust(p->client_config, r.server_key));
        CHECK(hf_config_add_credential(p->client_config, r.client));
        if (asks) {
            CHECK(hf_config_set_client_auth(p->server_config, HF_CLIENT_AUTH_REQUEST));
            CHECK(hf_config_set_trust(p->server_config, p->trust));
        }
        CHECK_INT(pair_shake(p), !asks);
        /* "the client and the server [have no] certificate type in common" (RFC 7250 4.2) */
        CHECK_INT(end_code(&p->server), asks ? HF_E_CERTIFICATE_TYPE : HF_OK);
        if (!asks)
            CHECK(!hf_conn_peer_key_sha256(p->server.conn));
        raw_clear(&r);
    }
}

/* ---- sessions and types */

/* A session that was made with a raw key is no good for whoever takes certificates only, nor the other way
 * round; the server makes a full handshake where its client has changed its mind. */
static void test_sessions(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        both_show(&r);
        struct pair *p = &r.pair;
        CHECK(pair_shake(p));
        CHECK(p->sessions > 0);
        pair_reset(p);
        hf_config *raw_client = p->client_config;
        p->client_config = hf_config_new(HF_CLIENT);
        CHECK(hf_config_set_versions(p->client_config, versions[v], versions[v]));
        CHECK(hf_config_set_trust(p->client_config, p->trust));
        pair_connect(p);
        CHECK(!hf_conn_set_session(p->client.conn, p->session[0]));
        pair_reset(p);
        hf_config_free(p->client_config);
        p->client_config = raw_client;
        /* The server does not take raw keys any more. */
        hf_config *other = hf_config_derive(p->server_config);
        CHECK(hf_config_set_peer_certificate_types(other, "X509"));
        hf_config_free(p->server_config);
        p->server_config = other;
        pair_connect(p);
        CHECK(hf_conn_set_session(p->client.conn, p->session[p->sessions - 1]));
        pair_run(p);
        CHECK_INT(end_code(&p->server), HF_E_CERTIFICATE_TYPE);
        raw_clear(&r);
    }
}

/* With HF_VERIFY again, a session falls with its key. */
static void test_verify_resumed(void)
{
    for (size_t i = 0; i < 4; i++) {
        struct raw r;
        bool good = i & 1;
        raw_init(&r, PKI_P256, versions[i / 2]);
        both_show(&r);
        struct pair *p = &r.pair;
        CHECK(pair_shake(p));
        pair_reset(p);
        hf_config *strict = hf_config_derive(p->client_config);
        CHECK(hf_config_set_verify_resumed(strict, true));
        if (!good)
            CHECK(hf_config_set_trust(strict, r.client_key));
        hf_config_free(p->client_config);
        p->client_config = strict;
        pair_connect(p);
        CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
        pair_run(p);
        CHECK_INT(end_code(&p->client), good ? HF_OK : HF_E_UNTRUSTED_KEY);
        CHECK_INT(shaken(p), good);
        raw_clear(&r);
    }
}

/* ---- configurations */

static void refused(hf_config *config, const char *what)
{
    hf_error err;
    CHECK(!hf_config_freeze(config, &err));
    CHECK_INT(err.code, HF_E_CONFIG);
    CHECK(strstr(err.detail, what));
    hf_config_free(config);
}

static void test_config(void)
{
    struct raw r;
    hf_error err;
    raw_init(&r, PKI_P256, HF_TLS1_3);
    /* Nothing says which key is the right one. */
    hf_config *client = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_peer_certificate_types(client, "X509,RawPublicKey"));
    refused(client, "raw public keys are taken");
    client = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_peer_certificate_types(client, "raw"));
    CHECK(hf_config_set_trust(client, r.pair.trust)); /* of certificates only */
    static const uint8_t pin[32] = {1};
    CHECK(hf_config_add_pin_certificate(client, pin));
    refused(client, "raw public keys are taken");
    hf_config *server = hf_config_new(HF_SERVER);
    CHECK(hf_config_add_credential(server, r.server));
    CHECK(hf_config_set_peer_certificate_types(server, "raw"));
    CHECK(hf_config_set_client_auth(server, HF_CLIENT_AUTH_REQUEST));
    refused(server, "raw public keys are taken");
    /* Names. */
    client = hf_config_new(HF_CLIENT);
    CHECK(!hf_config_set_certificate_types(client, "OpenPGP"));
    CHECK(hf_config_error(client) && hf_config_error(client)->code == HF_E_CONFIG);
    CHECK(!hf_config_set_certificate_types(client, ""));
    CHECK(!hf_conn_new_client(client, NULL, &err));
    hf_config_free(client);
    CHECK(!hf_config_set_certificate_types(NULL, "raw"));
    CHECK_STR(hf_certificate_type_name(HF_CERTIFICATE_RAW_KEY), "RawPublicKey");
    CHECK_STR(hf_certificate_type_name(HF_CERTIFICATE_X509), "X509");
    raw_clear(&r);
}

/* An external key: the public half is configured, signatures are asked for. */
static bool sign(hf_conn *conn, const hf_question *q, void *arg)
{
    const struct raw *r = arg;
    uint8_t signature[SIG_MAX_SIZE];
    size_t len = 0;
    CHECK(q->scheme == 0x0403);
    CHECK(private_key_sign(r->server->key, SIG_ECDSA_SHA256,
                           slice_of(q->to_be_signed, q->to_be_signed_len), signature, &len));
    return hf_answer_signature(conn, signature, len);
}

static void test_external(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        struct pair *p = &r.pair;
        size_t len;
        hf_error err;
        const uint8_t *spki = hf_credential_raw_public_key(r.server, &len);
        hf_credential *external =
            hf_credential_load_raw_key_memory(spki, len, NULL, NULL, &err);
        CHECK(external && !external->key);
        CHECK(hf_config_add_credential(p->server_config, external));
        CHECK(hf_config_set_ask(p->server_config, HF_ASK_SIGNATURE, sign, &r));
        CHECK(hf_config_set_peer_certificate_types(p->client_config, "raw"));
        CHECK(hf_config_set_trust(p->client_config, r.server_key));
        CHECK(pair_shake(p));
        shows(p->client.conn, r.server);
        hf_credential_free(external);
        raw_clear(&r);
    }
}

/* The application chooses: what the question says, and what becomes of a choice that does not fit. */
struct choice {
    hf_credential *cred;
    bool certificate, raw;
    unsigned asked;
};

static bool choose(hf_conn *conn, const hf_question *q, void *arg)
{
    struct choice *c = arg;
    c->asked++;
    c->certificate = q->takes_certificate;
    c->raw = q->takes_raw_key;
    return hf_answer_credential(conn, c->cred);
}

static void test_ask(void)
{
    for (size_t i = 0; i < 4; i++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[i / 2]);
        struct pair *p = &r.pair;
        bool fits = i & 1;
        struct choice c = {.cred = fits ? r.server : p->cred};
        CHECK(hf_config_set_ask(p->server_config, HF_ASK_CREDENTIAL, choose, &c));
        CHECK(hf_config_set_peer_certificate_types(p->client_config, "raw"));
        CHECK(hf_config_set_trust(p->client_config, r.server_key));
        CHECK_INT(pair_shake(p), fits);
        CHECK_INT(c.asked, 1);
        CHECK(c.raw && !c.certificate);
        CHECK_INT(end_code(&p->server), fits ? HF_OK : HF_E_NO_CREDENTIAL_TYPE);
        raw_clear(&r);
    }
}

/* Every byte of what they send each other is changed once, and the handshake ends, or goes on as if nothing
 * had been: no change makes one end believe in another key. */
struct flip {
    size_t at, seen;
};

static void tamper(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    struct flip *f = arg;
    (void)to;
    if (f->at >= f->seen && f->at < f->seen + len)
        bytes[f->at - f->seen] ^= 0x41;
    f->seen += len;
}

static void test_corruption(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        both_show(&r);
        struct pair *p = &r.pair;
        for (int side = 0; side < 2; side++) {
            struct flip f = {.at = SIZE_MAX};
            size_t total = 0;
            do { /* the first time nothing is changed, and counted */
                pair_connect(p);
                struct end *end = side ? &p->server : &p->client;
                f.seen = 0;
                end->tamper = tamper;
                end->tamper_arg = &f;
                pair_run(p);
                if (shaken(p)) {
                    shows(p->client.conn, r.server);
                    shows(p->server.conn, r.client);
                } else {
                    CHECK(end_code(&p->client) || end_code(&p->server) ||
                          !(hf_conn_wants(p->client.conn) & HF_IS_FAILED));
                }
                pair_reset(p);
                for (unsigned i = 0; i < p->sessions; i++)
                    hf_session_free(p->session[i]);
                p->sessions = 0;
                total = total ? total : f.seen;
            } while (++f.at < total);
            CHECK(total > 400);
        }
        raw_clear(&r);
    }
}

/* The n-th allocation fails, for every n. */
static void test_memory(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct raw r;
        raw_init(&r, PKI_P256, versions[v]);
        both_show(&r);
        struct pair *p = &r.pair;
        CHECK(hf_config_freeze(p->client_config, NULL) &&
              hf_config_freeze(p->server_config, NULL));
        bool done = false;
        unsigned n = 0;
        for (; !done && n < 2000; n++) {
            p->client.conn = hf_conn_new_client(p->client_config, "server.example", NULL);
            p->server.conn = hf_conn_new_server(p->server_config, NULL);
            CHECK(p->client.conn && p->server.conn);
            mem_test_fail_after(n + 1);
            pair_run(p);
            mem_test_fail_after(0);
            done = shaken(p);
            if (done) {
                shows(p->client.conn, r.server);
                shows(p->server.conn, r.client);
            }
            pair_reset(p);
        }
        CHECK(done && n > 20);
        raw_clear(&r);
    }
}

int main(void)
{
    RUN(test_both);
    RUN(test_by_id);
    RUN(test_pin);
    RUN(test_callback);
    RUN(test_insecure);
    RUN(test_wrong_key);
    RUN(test_certificate_pin);
    RUN(test_weak);
    RUN(test_no_common_type);
    RUN(test_order);
    RUN(test_unwanted);
    RUN(test_sessions);
    RUN(test_verify_resumed);
    RUN(test_config);
    RUN(test_external);
    RUN(test_ask);
    RUN(test_corruption);
    RUN(test_memory);
    return check_done();
}

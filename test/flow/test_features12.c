/* What TLS 1.2 does besides the handshake itself: false start, limits of records, stapling, ALPN, exporters,
 * hibernation, questions that are answered later. */
#include "../unit/check.h"
#include "handfast_context.h"
#include "old.h"

#include <stdlib.h>

static const char ecdhe[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";

/* ---- false start (RFC 7918) */

static void alpn(struct pair *p)
{
    CHECK(hf_config_set_alpn(p->client_config, "h2", false));
    CHECK(hf_config_set_alpn(p->server_config, "h2", false));
}

/* The client has its Finished out and not the server's; can it send? */
static bool starts_falsely(struct pair *p)
{
    pair_connect(p);
    CHECK(pair_pump(&p->client, &p->server));
    CHECK(pair_pump(&p->server, &p->client));
    CHECK(hf_conn_wants(p->client.conn) & HF_IN_HANDSHAKE);
    bool can = (hf_conn_wants(p->client.conn) & HF_CAN_SEND) != 0;
    hf_result r = pair_send(p, &p->client, "early", 5);
    CHECK(can == (r == HF_DONE));
    if (can) /* behind the Finished, in one flight, and before the server's */
        CHECK(p->server.data.len == 5 && memcmp(p->server.data.p, "early", 5) == 0);
    else
        CHECK_INT(r, HF_WANT_INPUT);
    pair_run(p);
    CHECK(end_shaken(&p->client) && end_shaken(&p->server) && old_echo(p));
    return can;
}

static void false_start(uint16_t version, const char *suite, bool on, bool with_alpn,
                        bool wanted)
{
    struct pair p;
    old_start(&p, version, suite);
    if (with_alpn)
        alpn(&p);
    CHECK(hf_config_set_false_start(p.client_config, on));
    CHECK_MSG(starts_falsely(&p) == wanted, "%s in %s", suite, hf_version_name(version));
    pair_clear(&p);
}

static void test_false_start(void)
{
    false_start(HF_TLS1_2, ecdhe, true, true, true);
    false_start(HF_TLS1_2, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", true, true, true);
    false_start(HF_TLS1_2, ecdhe, false, true, false);
    false_start(HF_TLS1_2, ecdhe, true, false, false);
    false_start(HF_TLS1_2, "TLS_RSA_WITH_AES_128_GCM_SHA256", true, true, false);
    false_start(HF_TLS1_2, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", true, true, false);
    false_start(HF_TLS1_2, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", true, true, false);
    false_start(HF_TLS1_2, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", true, true, false);
    false_start(HF_TLS1_1, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", true, true, false);
}

/* Nothing may be received before the server has proved that it saw the same handshake. */
static void test_false_start_receives_nothing(void)
{
    struct pair p;
    old_start(&p, HF_TLS1_2, ecdhe);
    alpn(&p);
    CHECK(hf_config_set_false_start(p.client_config, true));
    pair_connect(&p);
    CHECK(pair_pump(&p.client, &p.server));
    CHECK(pair_pump(&p.server, &p.client));
    static const uint8_t data[] = {REC_DATA, 3, 3, 0, 1, 'x'};
    (void)old_hand(&p.client, data, sizeof data);
    CHECK_REFUSED(&p.client, HF_E_UNEXPECTED_RECORD, 10);
    pair_clear(&p);
}

/* ---- limits of records */

struct sizes {
    size_t longest, records;
};

static void measure(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    struct sizes *s = arg;
    (void)to;
    for (size_t at = 0; at + 5 <= len; at += 5u + get_u16(bytes + at + 3)) {
        size_t n = get_u16(bytes + at + 3);
        s->longest = n > s->longest ? n : s->longest;
        s->records++;
    }
}

static void send_much(struct pair *p, struct end *from, struct end *to, struct sizes *s)
{
    static uint8_t data[20000], out[40000];
    size_t taken, written;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    (void)p;
    CHECK(hf_conn_send_size(from->conn, sizeof data) <= sizeof out);
    CHECK_INT(hf_conn_send(from->conn, data, sizeof data, &taken, out, sizeof out, &written),
              HF_DONE);
    CHECK_INT(taken, sizeof data);
    memset(s, 0, sizeof *s);
    measure(to, out, written, s);
    wire_drop(&to->data, to->data.len);
    for (size_t at = 0; at < written; at += 5u + get_u16(out + at + 3))
        (void)old_hand(to, out + at, 5u + get_u16(out + at + 3));
    CHECK(to->data.len == sizeof data && memcmp(to->data.p, data, sizeof data) == 0);
}

/* max_fragment_length counts for both directions, and for the handshake too (RFC 6066 4). */
static void max_fragment(uint16_t bytes, const char *suite, size_t most_overhead)
{
    struct pair p;
    struct sizes s, flights[2] = {{0}};
    old_start(&p, HF_TLS1_2, suite);
    CHECK(hf_config_set_max_fragment(p.client_config, bytes));
    pair_connect(&p);
    p.server.tamper = p.client.tamper = measure;
    p.client.tamper_arg = &flights[0];
    p.server.tamper_arg = &flights[1];
    pair_run(&p);
    p.server.tamper = p.client.tamper = NULL;
    CHECK(end_shaken(&p.client) && end_shaken(&p.server));
    CHECK_MSG(flights[0].longest <= bytes, "a record of %zu to the client", flights[0].longest);
    send_much(&p, &p.client, &p.server, &s);
    CHECK(s.longest >= bytes && s.longest <= bytes + most_overhead);
    send_much(&p, &p.server, &p.client, &s);
    CHECK(s.longest >= bytes && s.longest <= bytes + most_overhead);
    /* Who sends more is refused (RFC 6066 4: record_overflow). */
    static const uint8_t long_data[4200];
    p.client.conn->out.max_plain = 0;
    CHECK_INT(old_record(&p.client, &p.server, REC_DATA, long_data, bytes + 1u), HF_FAILED);
    CHECK_REFUSED(&p.server, HF_E_PLAINTEXT_OVERFLOW, 22);
    pair_clear(&p);
}

static void test_max_fragment_length(void)
{
    static const uint16_t all[] = {512, 1024, 2048, 4096};
    for (int i = 0; i < 4; i++) {
        max_fragment(all[i], ecdhe, 24);
        max_fragment(all[i], "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 16 + 48 + 16);
    }
}

/* record_size_limit counts for protected records, each side's for what it receives (RFC 8449 4). */
static void test_record_size_limit(void)
{
    static const char *const suites[] = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                                         "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        struct sizes s;
        old_start(&p, HF_TLS1_2, suites[i]);
        CHECK(hf_config_set_record_size_limit(p.client_config, 700));
        CHECK(hf_config_set_record_size_limit(p.server_config, 300));
        CHECK(hf_config_set_max_fragment(p.client_config, 512)); /* gives way to the other */
        CHECK(pair_shake(&p));
        send_much(&p, &p.client, &p.server, &s);
        CHECK_MSG(s.longest >= 300 && s.longest <= 300 + 16 + 32 + 16, "%zu", s.longest);
        send_much(&p, &p.server, &p.client, &s);
        CHECK_MSG(s.longest >= 700 && s.longest <= 700 + 16 + 32 + 16, "%zu", s.longest);
        static const uint8_t data[400];
        p.client.conn->out.max_plain = 0;
        CHECK_INT(old_record(&p.client, &p.server, REC_DATA, data, 301), HF_FAILED);
        CHECK_REFUSED(&p.server, HF_E_PLAINTEXT_OVERFLOW, 22);
        pair_clear(&p);
    }
}

/* ---- what comes with the certificate */

static void test_staple_and_timestamps(void)
{
    struct pair p;
    size_t len, n;
    static const uint8_t scts[] = {0, 7, 0, 5, 1, 2, 3, 4, 5};
    old_start(&p, HF_TLS1_2, ecdhe);
    struct pki_ocsp_spec spec = {.cert = p.pki->leaf, .issuer = p.pki->mid};
    uint8_t *der = pki_ocsp(&spec, &len);
    CHECK(hf_credential_set_ocsp(p.cred, der, len, NULL));
    CHECK(hf_credential_set_scts(p.cred, scts, sizeof scts, NULL));
    CHECK(hf_config_set_ocsp(p.client_config, HF_OCSP_REQUIRE));
    CHECK(hf_config_set_sct(p.client_config, true));
    CHECK(pair_shake(&p));
    const uint8_t *got = hf_conn_peer_ocsp(p.client.conn, &n);
    CHECK(got && n == len && memcmp(got, der, n) == 0);
    got = hf_conn_peer_scts(p.client.conn, &n);
    CHECK(got && n == sizeof scts && memcmp(got, scts, n) == 0);
    free(der);
    pair_clear(&p);
}

static void test_staple_revoked_or_missing(void)
{
    for (int missing = 0; missing < 2; missing++) {
        struct pair p;
        size_t len;
        old_start(&p, HF_TLS1_2, ecdhe);
        struct pki_ocsp_spec spec = {
            .cert = p.pki->leaf, .issuer = p.pki->mid, .status = PKI_OCSP_REVOKED};
        uint8_t *der = pki_ocsp(&spec, &len);
        if (!missing)
            CHECK(hf_credential_set_ocsp(p.cred, der, len, NULL));
        else
            CHECK(hf_config_set_ocsp(p.client_config, HF_OCSP_REQUIRE));
        CHECK(!pair_shake(&p));
        if (missing)
            CHECK_REFUSED(&p.client, HF_E_NO_OCSP, 113);
        else
            CHECK_REFUSED(&p.client, HF_E_REVOKED, 44);
        free(der);
        pair_clear(&p);
    }
}

static void test_alpn(void)
{
    struct pair p;
    size_t n;
    old_start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", true));
    CHECK(hf_config_set_alpn(p.server_config, "http/1.1,h2", true));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_alpn(p.client.conn, &n) && n == 8);
    CHECK(hf_conn_alpn(p.server.conn, &n) && n == 8);
    pair_clear(&p);
    old_start(&p, HF_TLS1_2, ecdhe);
    CHECK(hf_config_set_alpn(p.client_config, "h2", false));
    CHECK(hf_config_set_alpn(p.server_config, "http/1.1", false));
    CHECK(!pair_shake(&p));
    CHECK_REFUSED(&p.server, HF_E_NO_APPLICATION_PROTOCOL, 120);
    pair_clear(&p);
}

/* ---- exporters (RFC 5705) */

static void both_export(struct pair *p, const char *label, const uint8_t *context, size_t len,
                        uint8_t out[64])
{
    uint8_t other[64];
    hf_error err;
    CHECK(hf_conn_export(p->client.conn, label, context, len, out, 64, &err));
    CHECK(hf_conn_export(p->server.conn, label, context, len, other, 64, &err));
    CHECK_MEM(other, out, 64);
}

static void test_exporter(void)
{
    static const char *const suites[] = {ecdhe, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
    for (int i = 0; i < 3; i++) {
        struct pair p;
        uint8_t a[64], b[64], c[64], d[64];
        old_start(&p, i == 2 ? HF_TLS1_0 : HF_TLS1_2,
                  i == 2 ? "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA" : suites[i]);
        CHECK(pair_shake(&p));
        both_export(&p, "EXPERIMENTAL one", NULL, 0, a);
        both_export(&p, "EXPERIMENTAL two", NULL, 0, b);
        both_export(&p, "EXPERIMENTAL one", (const uint8_t *)"", 0, c);
        both_export(&p, "EXPERIMENTAL one", (const uint8_t *)"context", 7, d);
        CHECK(memcmp(a, b, 64) != 0);
        CHECK(memcmp(a, c, 64) != 0); /* "no context" is not an empty one here (RFC 5705 4) */
        CHECK(memcmp(c, d, 64) != 0);
        pair_clear(&p);
    }
}

/* ---- hibernation */

static void hibernate(const char *suite, uint16_t version)
{
    struct pair p;
    old_start(&p, version, suite);
    pair_connect(&p);
    CHECK(!hf_conn_hibernate(p.client.conn));
    pair_run(&p);
    CHECK(end_shaken(&p.client));
    for (int i = 0; i < 4; i++) {
        CHECK(hf_conn_hibernate(p.client.conn) && hf_conn_hibernate(p.server.conn));
        CHECK(hf_conn_hibernate(p.client.conn));
        CHECK_MSG(old_echo(&p), "%s in %s", suite, hf_version_name(version));
    }
    CHECK(hf_conn_hibernate(p.client.conn) && hf_conn_hibernate(p.server.conn));
    hf_conn_close(p.client.conn);
    pair_run(&p);
    CHECK(hf_conn_wants(p.server.conn) & HF_IS_CLOSED_IN);
    CHECK(!hf_conn_error(p.server.conn));
    pair_clear(&p);
}

static void test_hibernation(void)
{
    hibernate(ecdhe, HF_TLS1_2);
    hibernate("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", HF_TLS1_2);
    hibernate("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", HF_TLS1_2);
    hibernate("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", HF_TLS1_2);
    for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
        hibernate("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", v);
        hibernate("TLS_ECDHE_ECDSA_WITH_NULL_SHA", v);
    }
}

/* ---- questions, answered later */

static unsigned asked[HF_ASK_COUNT];

static bool later(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)conn;
    (void)arg;
    asked[q->ask]++;
    return false;
}

static const uint8_t key[20] = "twenty bytes of key";

static bool answer(struct pair *p, struct end *e)
{
    const hf_question *q = hf_conn_question(e->conn);
    uint8_t signature[SIG_MAX_SIZE];
    size_t len = 0;
    bool server = e == &p->server;
    if (!q)
        return false;
    CHECK(hf_conn_handshake(e->conn) == HF_WANT_ANSWER); /* and nothing changes by asking */
    if (q->ask == HF_ASK_CREDENTIAL)
        return hf_answer_credential(e->conn, p->cred);
    if (q->ask == HF_ASK_VERIFY)
        return hf_answer_verify(e->conn, q->verdict == NULL);
    if (q->ask == HF_ASK_HELLO)
        return hf_answer_hello(e->conn, NULL);
    if (q->ask == HF_ASK_SIGNATURE) {
        const struct sigalg *alg = sigalg_find(q->scheme);
        enum sig_id sig = alg ? alg->sig : SIG_PKCS1_MD5_SHA1; /* which has no number */
        CHECK(private_key_sign(p->cred->key, sig,
                               slice_of(q->to_be_signed, q->to_be_signed_len), signature,
                               &len));
        return hf_answer_signature(e->conn, signature, len);
    }
    CHECK_INT(q->ask, HF_ASK_PSK);
    if (server)
        CHECK(q->identity_len == 3 && memcmp(q->identity, "bob", 3) == 0);
    else
        CHECK(q->identity_len == 4 && memcmp(q->identity, "hint", 4) == 0);
    return hf_answer_psk(e->conn, (const uint8_t *)"bob", 3, key, sizeof key);
}

static void run_with_answers(struct pair *p)
{
    for (int i = 0; i < 30; i++) {
        pair_run(p);
        bool more = false;
        for (int server = 0; server < 2; server++) {
            struct end *e = server ? &p->server : &p->client;
            while (answer(p, e)) {
                more = true;
                (void)hf_conn_handshake(e->conn);
                (void)old_hand(e, "", 0);
            }
        }
        if (!more)
            return;
    }
}

static void ask_everything(uint16_t version, const char *suite, unsigned client,
                           unsigned server)
{
    struct pair p;
    memset(asked, 0, sizeof asked);
    old_start(&p, version, suite);
    CHECK(hf_config_set_psk_hint(p.server_config, "hint"));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    bool psk = strstr(suite, "_PSK_") != NULL; /* has no certificate to be required */
    CHECK(hf_config_set_client_auth(p.server_config,
                                    psk ? HF_CLIENT_AUTH_REQUEST : HF_CLIENT_AUTH_REQUIRE));
    for (int ask = HF_ASK_CREDENTIAL; ask < HF_ASK_COUNT; ask++) {
        CHECK(hf_config_set_ask(p.client_config, (hf_ask)ask, later, NULL));
        CHECK(hf_config_set_ask(p.server_config, (hf_ask)ask, later, NULL));
    }
    pair_connect(&p);
    run_with_answers(&p);
    CHECK_MSG(end_shaken(&p.client) && end_shaken(&p.server) && old_echo(&p),
              "%s in %s: %s / %s", suite, hf_version_name(version),
              hf_code_name(end_code(&p.client)), hf_code_name(end_code(&p.server)));
    unsigned mask = 0;
    for (unsigned ask = HF_ASK_CREDENTIAL; ask < HF_ASK_COUNT; ask++)
        mask |= asked[ask] ? 1u << ask : 0u;
    CHECK_MSG(mask == (client | server), "%s: asked 0x%x, not 0x%x", suite, mask,
              client | server);
    if (strstr(suite, "PSK")) {
        size_t len;
        const uint8_t *identity = hf_conn_psk_identity(p.server.conn, &len);
        CHECK(identity && len == 3 && memcmp(identity, "bob", 3) == 0);
        CHECK_INT(asked[HF_ASK_PSK], 2);
    } else {
        CHECK_INT(asked[HF_ASK_SIGNATURE], strstr(suite, "TLS_RSA") ? 1 : 2);
        CHECK_INT(asked[HF_ASK_CREDENTIAL], 2);
        CHECK_INT(asked[HF_ASK_VERIFY], 2);
    }
    pair_clear(&p);
}

static void test_questions(void)
{
    const unsigned hello = 1u << HF_ASK_HELLO, credential = 1u << HF_ASK_CREDENTIAL,
                   signature = 1u << HF_ASK_SIGNATURE, verify = 1u << HF_ASK_VERIFY,
                   psk = 1u << HF_ASK_PSK;
    const unsigned all = hello | credential | signature | verify;
    for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
        ask_everything(v, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", verify, all);
        ask_everything(v, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", verify, all);
        ask_everything(v, "TLS_RSA_WITH_AES_128_CBC_SHA", all, all);
        ask_everything(v, "TLS_PSK_WITH_AES_128_CBC_SHA", psk, hello | credential);
        ask_everything(v, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", psk, hello | credential);
    }
    ask_everything(HF_TLS1_2, ecdhe, verify, all);
}

/* A server whose application knows no key for the identity; a client that has none. */
static void test_no_pre_shared_key(void)
{
    for (int server = 0; server < 2; server++) {
        struct pair p;
        old_start(&p, HF_TLS1_2, "TLS_PSK_WITH_AES_128_GCM_SHA256");
        CHECK(hf_config_set_ask(server ? p.server_config : p.client_config, HF_ASK_PSK, later,
                                NULL));
        pair_connect(&p);
        pair_run(&p);
        struct end *e = server ? &p.server : &p.client;
        CHECK(hf_conn_question(e->conn) != NULL);
        CHECK(hf_answer_psk(e->conn, NULL, 0, NULL, 0));
        (void)hf_conn_handshake(e->conn);
        pair_run(&p);
        if (server)
            CHECK_REFUSED(e, HF_E_UNKNOWN_PSK, 115);
        else
            CHECK_REFUSED(e, HF_E_NO_PSK, 40);
        pair_clear(&p);
    }
}

/* An unknown identity and a wrong key are refused. */
static void test_wrong_pre_shared_key(void)
{
    static const uint8_t other[32] = {9, 9, 9};
    for (int wrong = 0; wrong < 2; wrong++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        old_allow(p.server_config, HF_TLS1_2, HF_TLS1_2, "TLS_PSK_WITH_AES_128_GCM_SHA256");
        CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
        CHECK(hf_config_set_suites(p.client_config, "TLS_PSK_WITH_AES_128_GCM_SHA256"));
        CHECK(hf_config_add_psk(p.client_config, (const uint8_t *)(wrong ? "alice" : "eve"),
                                wrong ? 5 : 3, other, sizeof other));
        CHECK(!pair_shake(&p));
        if (wrong)
            CHECK_REFUSED(&p.server, HF_E_BAD_RECORD_MAC, 20);
        else
            CHECK_REFUSED(&p.server, HF_E_UNKNOWN_PSK, 115);
        pair_clear(&p);
    }
}

/* ---- a server's own group (RFC 5246 7.4.3), in all versions that have it */

static void with_own_group(uint16_t version, const char *client_groups, uint16_t wanted)
{
    struct pair p;
    char path[256], command[400];
    (void)snprintf(path, sizeof path, "%s", pki_file("dh.pem", "", 0));
    (void)snprintf(command, sizeof command,
                   "openssl genpkey -genparam -algorithm DH -pkeyopt group:modp_2048 -out %s "
                   "2>/dev/null",
                   path);
    if (system(command) != 0)
        SKIP("the openssl command is needed to make parameters");
    old_start(&p, version, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA");
    CHECK(hf_config_load_dh_params(p.server_config, path));
    CHECK(hf_config_set_groups(p.client_config, client_groups));
    hf_config *derived = hf_config_derive(p.server_config);
    hf_config_free(p.server_config);
    p.server_config = derived;
    CHECK(pair_shake(&p) && old_echo(&p));
    CHECK_INT(hf_conn_group(p.client.conn), wanted);
    CHECK_INT(hf_conn_group(p.server.conn), wanted);
    pair_clear(&p);
    remove(path);
}

static void test_own_group(void)
{
    for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
        with_own_group(v, "x25519", 0);
        with_own_group(v, "x25519:ffdhe2048", 0x0100);
    }
}

int main(void)
{
    RUN(test_false_start);
    RUN(test_false_start_receives_nothing);
    RUN(test_max_fragment_length);
    RUN(test_record_size_limit);
    RUN(test_staple_and_timestamps);
    RUN(test_staple_revoked_or_missing);
    RUN(test_alpn);
    RUN(test_exporter);
    RUN(test_hibernation);
    RUN(test_own_group);
    RUN(test_questions);
    RUN(test_no_pre_shared_key);
    RUN(test_wrong_pre_shared_key);
    return check_done();
}

/* The handshake and what follows it, client and server of ours. */
#include "../unit/check.h"
#include "pair.h"

#include <stdlib.h>

static void show(const struct pair *p)
{
    char text[600];
    const struct end *ends[] = {&p->client, &p->server};
    for (int i = 0; i < 2; i++) {
        const hf_error *err = hf_conn_error(ends[i]->conn);
        if (err) {
            hf_error_line(err, text, sizeof text);
            printf("    %s: %s\n", i ? "server" : "client", text);
        }
    }
}

static void exchange(struct pair *p)
{
    CHECK_INT(pair_send(p, &p->client, "ping", 4), HF_DONE);
    CHECK_INT(p->server.data.len, 4);
    CHECK(p->server.data.len == 4 && memcmp(p->server.data.p, "ping", 4) == 0);
    CHECK_INT(pair_send(p, &p->server, "pong!", 5), HF_DONE);
    CHECK(p->client.data.len == 5 && memcmp(p->client.data.p, "pong!", 5) == 0);
}

static void same_exporters(struct pair *p)
{
    uint8_t a[32], b[32];
    CHECK(
        hf_conn_export(p->client.conn, "EXPORTER-test", (const uint8_t *)"x", 1, a, 32, NULL));
    CHECK(
        hf_conn_export(p->server.conn, "EXPORTER-test", (const uint8_t *)"x", 1, b, 32, NULL));
    CHECK_MEM(a, b, 32);
}

static void full(enum pki_kind kind)
{
    struct pair p;
    pair_init(&p, kind);
    CHECK(pair_shake(&p));
    show(&p);
    CHECK_INT(hf_conn_version(p.client.conn), HF_TLS1_3);
    CHECK_INT(hf_conn_suite(p.client.conn), 0x1301);
    CHECK(hf_conn_verified(p.client.conn));
    CHECK(!hf_conn_resumed(p.client.conn));
    CHECK_STR(hf_conn_server_name(p.server.conn), "server.example");
    CHECK_INT(p.sessions, 2);
    exchange(&p);
    same_exporters(&p);
    pair_clear(&p);
}

static void test_full_p256(void)
{
    full(PKI_P256);
}
static void test_full_p384(void)
{
    full(PKI_P384);
}
static void test_full_p521(void)
{
    full(PKI_P521);
}
static void test_full_rsa(void)
{
    full(PKI_RSA);
}
static void test_full_rsa_pss(void)
{
    full(PKI_RSA_PSS);
}
static void test_full_ed25519(void)
{
    full(PKI_ED25519);
}
static void test_full_ed448(void)
{
    full(PKI_ED448);
}

static void with_suite(const char *suite, uint16_t id)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_suites(p.client_config, suite));
    CHECK(hf_config_set_suites(p.server_config, suite));
    CHECK(pair_shake(&p));
    show(&p);
    CHECK_INT(hf_conn_suite(p.server.conn), id);
    exchange(&p);
    pair_clear(&p);
}

static void test_suites(void)
{
    with_suite("TLS_AES_128_GCM_SHA256", 0x1301);
    with_suite("TLS_AES_256_GCM_SHA384", 0x1302);
    with_suite("TLS_CHACHA20_POLY1305_SHA256", 0x1303);
    with_suite("TLS_AES_128_CCM_SHA256", 0x1304);
    with_suite("TLS_AES_128_CCM_8_SHA256", 0x1305);
}

static void with_group(const char *group, bool retry)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_groups(p.client_config, group));
    CHECK(hf_config_set_groups(p.server_config, group));
    if (retry)
        CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(pair_shake(&p));
    show(&p);
    CHECK_INT(hf_conn_retried(p.client.conn), retry);
    CHECK_INT(hf_conn_retried(p.server.conn), retry);
    CHECK(hf_conn_group(p.client.conn) != 0);
    CHECK_INT(hf_conn_group(p.client.conn), hf_conn_group(p.server.conn));
    exchange(&p);
    same_exporters(&p);
    pair_clear(&p);
}

static const char *const groups[] = {"x25519",
                                     "P-256",
                                     "P-384",
                                     "P-521",
                                     "x448",
                                     "ffdhe2048",
                                     "ffdhe3072",
                                     "ffdhe4096",
                                     "X25519MLKEM768",
                                     "SecP256r1MLKEM768",
                                     "SecP384r1MLKEM1024"};

static void test_groups(void)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        with_group(groups[i], false);
}

static void test_hello_retry(void)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        with_group(groups[i], true);
}

/* The group that two ends agree on, whose groups and shares may be NULL for the default. */
static void agree(const char *client, const char *shares, const char *server, bool retry,
                  uint16_t group)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(!client || hf_config_set_groups(p.client_config, client));
    CHECK(!shares || hf_config_set_key_shares(p.client_config, shares));
    CHECK(!server || hf_config_set_groups(p.server_config, server));
    CHECK(pair_shake(&p));
    show(&p);
    CHECK_INT(hf_conn_retried(p.client.conn), retry);
    CHECK_INT(hf_conn_group(p.client.conn), group);
    CHECK_INT(hf_conn_group(p.server.conn), group);
    exchange(&p);
    pair_clear(&p);
}

/* The hybrid is what two ends use that nobody has told anything, on every libcrypto; those who do not know
 * it find a share of X25519 beside it, and a share that was left out is worth a round trip. */
static void test_hybrids(void)
{
    agree(NULL, NULL, NULL, false, 0x11ec);
    agree(NULL, NULL, "x25519", false, 0x1d);
    agree("x25519", NULL, NULL, false, 0x1d);
    agree(NULL, "x25519", NULL, true, 0x11ec);
    agree(NULL, NULL, "P-256", true, 0x17);
    agree("x25519:SecP256r1MLKEM768", NULL, "SecP256r1MLKEM768:x25519", true, 0x11eb);
    agree("P-384:SecP384r1MLKEM1024", NULL, "SecP384r1MLKEM1024", true, 0x11ed);
    agree("SecP384r1MLKEM1024:SecP256r1MLKEM768", NULL, "SecP256r1MLKEM768", true, 0x11eb);
}

static void test_hello_retry_with_cookie(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_groups(p.client_config, "x25519:P-256"));
    CHECK(hf_config_set_groups(p.server_config, "P-256"));
    CHECK(hf_config_set_cookie(p.server_config, true));
    CHECK(pair_shake(&p));
    show(&p);
    CHECK(hf_conn_retried(p.client.conn));
    CHECK_INT(hf_conn_group(p.client.conn), 0x17);
    exchange(&p);
    pair_clear(&p);
}

static void resume(struct pair *p, bool expect)
{
    pair_reset(p);
    pair_connect(p);
    CHECK(hf_conn_set_session(p->client.conn, p->session[0]));
    pair_run(p);
    show(p);
    CHECK_INT(hf_conn_resumed(p->client.conn), expect);
    CHECK_INT(hf_conn_resumed(p->server.conn), expect);
    exchange(p);
    same_exporters(p);
}

static void test_resumption(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    CHECK_INT(p.sessions, 2);
    resume(&p, true);
    CHECK_INT(hf_conn_group(p.client.conn) != 0, 1);
    CHECK(hf_conn_verified(p.client.conn));
    CHECK(hf_conn_peer_certificate(p.client.conn, 0) != NULL);
    CHECK_INT(p.sessions, 3); /* the one that was used is replaced */
    pair_reset(&p);
    pair_connect(&p);
    CHECK(!hf_conn_set_session(p.client.conn, p.session[0])); /* used up */
    CHECK(hf_conn_set_session(p.client.conn, p.session[1]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.server.conn));
    pair_clear(&p);
}

static void test_resumption_without_exchange(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_psk_modes(p.client_config, HF_PSK_KE);
    hf_config_set_psk_modes(p.server_config, HF_PSK_KE | HF_PSK_DHE_KE);
    CHECK(pair_shake(&p));
    resume(&p, true);
    CHECK_INT(hf_conn_group(p.client.conn), 0);
    pair_clear(&p);
}

static void test_resumption_after_retry(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_key_shares(p.client_config, "");
    CHECK(pair_shake(&p));
    resume(&p, true);
    CHECK(hf_conn_retried(p.client.conn));
    pair_clear(&p);
}

static void test_resumption_sha384(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_suites(p.server_config, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_suite(p.client.conn), 0x1302);
    resume(&p, true);
    pair_clear(&p);
}

static void test_session_bytes(void)
{
    struct pair p;
    hf_error err = {0};
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    size_t len = hf_session_export(p.session[0], NULL, 0);
    uint8_t *bytes = malloc(len);
    CHECK_INT(hf_session_export(p.session[0], bytes, len), len);
    hf_session *back = hf_session_import(bytes, len, &err);
    CHECK(back != NULL);
    free(bytes);
    hf_session_free(p.session[0]);
    p.session[0] = back;
    resume(&p, true);
    pair_clear(&p);
}

static void client_auth(struct pair *p, enum pki_kind kind, hf_client_auth mode)
{
    hf_error err = {0};
    struct pki_spec spec = {.kind = kind, .subject = "client", .names = "DNS:client.example"};
    struct pki_cert *cert = pki_make(&spec, p->pki->mid);
    char *chain = pki_text(cert->pem, p->pki->mid->pem, NULL);
    hf_credential *cred = hf_credential_load_memory(chain, strlen(chain), cert->key_pem,
                                                    strlen(cert->key_pem), NULL, NULL, &err);
    CHECK(cred != NULL);
    CHECK(hf_config_add_credential(p->client_config, cred));
    CHECK(hf_config_set_client_auth(p->server_config, mode));
    CHECK(hf_config_set_trust(p->server_config, p->trust));
    hf_credential_free(cred);
    free(chain);
    pki_free(cert);
}

static void test_client_certificate(void)
{
    static const enum pki_kind kinds[] = {PKI_P256, PKI_RSA, PKI_ED25519};
    for (size_t i = 0; i < 3; i++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        client_auth(&p, kinds[i], HF_CLIENT_AUTH_REQUIRE);
        CHECK(pair_shake(&p));
        show(&p);
        CHECK(hf_conn_verified(p.server.conn));
        CHECK(hf_conn_peer_certificate(p.server.conn, 0) != NULL);
        exchange(&p);
        resume(&p, true);
        CHECK(hf_conn_verified(p.server.conn));
        CHECK(hf_conn_peer_certificate(p.server.conn, 0) != NULL);
        pair_clear(&p);
    }
}

static void test_client_certificate_missing(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE);
    hf_config_set_trust(p.server_config, p.trust);
    CHECK(!pair_shake(&p));
    CHECK_INT(end_code(&p.server), HF_E_CERTIFICATE_REQUIRED);
    CHECK_INT(end_code(&p.client), HF_E_ALERT_RECEIVED);
    CHECK_INT(hf_conn_error(p.client.conn)->alert, 116);
    pair_clear(&p);

    pair_init(&p, PKI_P256);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST);
    hf_config_set_trust(p.server_config, p.trust);
    CHECK(pair_shake(&p));
    CHECK(!hf_conn_verified(p.server.conn));
    exchange(&p);
    pair_clear(&p);
}

static void test_alpn(void)
{
    struct pair p;
    size_t len;
    pair_init(&p, PKI_P256);
    hf_config_set_alpn(p.client_config, "http/1.1,h2", false);
    hf_config_set_alpn(p.server_config, "h2,http/1.1", false);
    CHECK(pair_shake(&p));
    CHECK(hf_conn_alpn(p.client.conn, &len) && len == 2);
    CHECK(hf_conn_alpn(p.server.conn, &len) && len == 2);
    pair_clear(&p);

    pair_init(&p, PKI_P256);
    hf_config_set_alpn(p.client_config, "foo", false);
    hf_config_set_alpn(p.server_config, "h2", false);
    CHECK(!pair_shake(&p));
    CHECK_INT(end_code(&p.server), HF_E_NO_APPLICATION_PROTOCOL);
    CHECK_INT(hf_conn_error(p.client.conn)->alert, 120);
    pair_clear(&p);
}

static void test_key_update(void)
{
    ROW("Y162 C25");
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    exchange(&p);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(hf_conn_key_update(p.client.conn, true), HF_DONE);
        pair_run(&p);
        CHECK_INT(hf_conn_key_update(p.server.conn, false), HF_DONE);
        pair_run(&p);
        CHECK_INT(pair_send(&p, &p.client, "a", 1), HF_DONE);
        CHECK_INT(pair_send(&p, &p.server, "b", 1), HF_DONE);
    }
    show(&p);
    CHECK_INT(p.server.data.len, 4 + 3);
    CHECK_INT(p.client.data.len, 5 + 3);
    pair_clear(&p);
}

static void test_key_update_by_itself(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_key_update_after(p.client_config, 10);
    CHECK(pair_shake(&p));
    for (int i = 0; i < 35; i++)
        CHECK_INT(pair_send(&p, &p.client, "x", 1), HF_DONE);
    show(&p);
    CHECK_INT(p.server.data.len, 35);
    pair_clear(&p);
}

static void bulk(struct pair *p, size_t len)
{
    uint8_t *data = malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    CHECK_INT(pair_send(p, &p->server, data, len), HF_DONE);
    CHECK_INT(p->client.data.len, len);
    CHECK(p->client.data.len == len && memcmp(p->client.data.p, data, len) == 0);
    free(data);
}

static void test_bulk(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    bulk(&p, 1000000);
    pair_clear(&p);
}

static void test_record_size_limit_and_padding(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_record_size_limit(p.client_config, 100);
    hf_config_set_record_size_limit(p.server_config, 1000);
    CHECK(pair_shake(&p));
    show(&p);
    bulk(&p, 5000);
    pair_clear(&p);

    pair_init(&p, PKI_P256);
    hf_config_set_record_padding(p.server_config, 512);
    CHECK(pair_shake(&p));
    bulk(&p, 40001);
    pair_clear(&p);
}

static void test_byte_by_byte(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    client_auth(&p, PKI_P256, HF_CLIENT_AUTH_REQUIRE);
    p.client.chunk = p.server.chunk = 1;
    CHECK(pair_shake(&p));
    show(&p);
    exchange(&p);
    pair_clear(&p);
}

static void test_close(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    hf_conn_close(p.client.conn);
    pair_run(&p);
    CHECK_INT(p.server.last, HF_CLOSED);
    CHECK(hf_conn_wants(p.server.conn) & HF_IS_CLOSED_IN);
    CHECK_INT(pair_send(&p, &p.server, "late", 4),
              HF_DONE); /* half-closed: this way still works */
    CHECK_INT(p.client.data.len, 4);
    CHECK_INT(pair_send(&p, &p.client, "x", 1), HF_CLOSED);
    hf_conn_close(p.server.conn);
    pair_run(&p);
    CHECK_INT(p.client.last, HF_CLOSED);
    CHECK_INT(hf_conn_receive_end(p.client.conn), HF_CLOSED);
    pair_clear(&p);
}

static void test_truncation(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_receive_end(p.client.conn), HF_FAILED);
    CHECK_INT(end_code(&p.client), HF_E_TRUNCATED);
    pair_clear(&p);

    pair_init(&p, PKI_P256);
    pair_connect(&p);
    pair_pump(&p.client, &p.server);
    CHECK_INT(hf_conn_receive_end(p.client.conn), HF_FAILED);
    CHECK_INT(end_code(&p.client), HF_E_HANDSHAKE_CUT);
    pair_clear(&p);
}

static void refused(struct pair *p, hf_code client, hf_code server)
{
    CHECK(!pair_shake(p));
    CHECK_INT(end_code(&p->client), client);
    CHECK_INT(end_code(&p->server), server);
    if (check_bad)
        show(p);
    pair_clear(p);
}

static void test_refusals(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    hf_config_set_suites(p.client_config, "TLS_AES_128_GCM_SHA256");
    hf_config_set_suites(p.server_config, "TLS_AES_256_GCM_SHA384");
    refused(&p, HF_E_ALERT_RECEIVED, HF_E_NO_SHARED_SUITE);

    pair_init(&p, PKI_P256);
    hf_config_set_groups(p.client_config, "x25519");
    hf_config_set_groups(p.server_config, "P-256");
    refused(&p, HF_E_ALERT_RECEIVED, HF_E_NO_SHARED_GROUP);

    pair_init(&p, PKI_P256);
    hf_config_set_signatures(p.client_config, "ed25519");
    refused(&p, HF_E_ALERT_RECEIVED, HF_E_NO_SHARED_SIGNATURE);

    pair_init(&p, PKI_P256);
    hf_trust *other = hf_trust_new();
    struct pki_spec spec = {.subject = "other root", .ca = true};
    struct pki_cert *root = pki_make(&spec, NULL);
    CHECK(hf_trust_add_memory(other, root->pem, strlen(root->pem), NULL));
    hf_config_set_trust(p.client_config, other);
    hf_trust_free(other);
    pki_free(root);
    refused(&p, HF_E_UNTRUSTED, HF_E_ALERT_RECEIVED);
}

static void test_wrong_name(void)
{
    ROW("Y35 Y88");
    struct pair p;
    hf_error err = {0};
    pair_init(&p, PKI_P256);
    p.client.conn = hf_conn_new_client(p.client_config, "other.example", &err);
    p.server.conn = hf_conn_new_server(p.server_config, &err);
    pair_run(&p);
    CHECK_INT(end_code(&p.client), HF_E_WRONG_NAME);
    CHECK_INT(hf_conn_error(p.server.conn)->alert, 42);
    pair_clear(&p);
}

static void test_hibernation(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p));
    exchange(&p);
    CHECK(hf_conn_hibernate(p.client.conn));
    CHECK(hf_conn_hibernate(p.server.conn));
    CHECK_INT(pair_send(&p, &p.client, "a", 1), HF_DONE);
    CHECK_INT(pair_send(&p, &p.server, "b", 1), HF_DONE);
    show(&p);
    CHECK_INT(p.server.data.len, 5);
    CHECK_INT(p.client.data.len, 6);
    CHECK(hf_conn_memory(p.server.conn) < 1500);
    pair_clear(&p);
}

/* Every byte of every flight, changed, must end the handshake on both sides or change nothing. */
struct flip {
    size_t at, seen;
};

static void flip_byte(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    struct flip *f = arg;
    (void)to;
    if (f->at >= f->seen && f->at < f->seen + len)
        bytes[f->at - f->seen] ^= 0x40;
    f->seen += len;
}

static void test_corruption_of_every_byte(void)
{
    struct pair p;
    size_t total[2] = {1, 1};
    pair_init(&p, PKI_P256);
    for (int side = 0; side < 2; side++) {
        for (size_t at = 0; at < total[side]; at++) {
            struct flip f = {at, 0};
            struct end *to = side ? &p.client : &p.server;
            to->tamper = flip_byte;
            to->tamper_arg = &f;
            bool ok = pair_shake(&p);
            if (f.seen > total[side])
                total[side] = f.seen;
            /* record headers' legacy version and the like may change without harm; a finished
             * handshake must then still agree on everything */
            if (ok)
                same_exporters(&p);
            pair_reset(&p);
        }
        CHECK(total[side] > 200);
    }
    pair_clear(&p);
}

int main(void)
{
    RUN(test_full_p256);
    RUN(test_full_p384);
    RUN(test_full_p521);
    RUN(test_full_rsa);
    RUN(test_full_rsa_pss);
    RUN(test_full_ed25519);
    RUN(test_full_ed448);
    RUN(test_suites);
    RUN(test_groups);
    RUN(test_hello_retry);
    RUN(test_hybrids);
    RUN(test_hello_retry_with_cookie);
    RUN(test_resumption);
    RUN(test_resumption_without_exchange);
    RUN(test_resumption_after_retry);
    RUN(test_resumption_sha384);
    RUN(test_session_bytes);
    RUN(test_client_certificate);
    RUN(test_client_certificate_missing);
    RUN(test_alpn);
    RUN(test_key_update);
    RUN(test_key_update_by_itself);
    RUN(test_bulk);
    RUN(test_record_size_limit_and_padding);
    RUN(test_byte_by_byte);
    RUN(test_close);
    RUN(test_truncation);
    RUN(test_refusals);
    RUN(test_wrong_name);
    RUN(test_hibernation);
    RUN(test_corruption_of_every_byte);
    return check_done();
}

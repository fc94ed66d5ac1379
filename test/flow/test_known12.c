/* TLS 1.2 against what others have computed: a published connection, in both roles, byte for byte; and the
 * secrets of every kind of handshake computed once more by libcrypto from what was on the wire. */
#include "../unit/check.h"
#include "../unit/hex.h"
#include "known12.h"
#include "old.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>

/* ---- the published connection */

static bool server_side;

static bool known_random(void *arg, const char *what, uint8_t *out, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)((strcmp(what, "random") == 0 && server_side ? 0x70 : 0) + i);
    return true;
}

static bool known_private_key(void *arg, uint16_t group, uint8_t *out, size_t *len)
{
    (void)arg;
    CHECK_INT(group, 0x1d);
    *len = 32;
    for (size_t i = 0; i < 32; i++)
        out[i] = (uint8_t)((server_side ? 0x90 : 0x20) + i);
    return true;
}

/* The block of extensions that ends a hello. */
static bool known_extensions(void *arg, uint8_t message, struct buffer *out)
{
    uint8_t bytes[400];
    bool client = message == MSG_CLIENT_HELLO;
    size_t len = unhex(client ? known_client_hello : known_server_hello, bytes);
    size_t at = client ? 5 + 4 + 2 + 32 + 1 + 2 + 32 + 2 : 5 + 4 + 2 + 32 + 1 + 3;
    (void)arg;
    return buffer_append(out, bytes + at + 2, len - at - 2);
}

static bool known_suites(void *arg, struct slice *out)
{
    static uint8_t bytes[400];
    (void)arg;
    unhex(known_client_hello, bytes);
    *out = slice_of(bytes + 5 + 4 + 2 + 32 + 1 + 2, 32);
    return true;
}

static int64_t then(void *arg)
{
    (void)arg;
    return 1538708249;
}

static char keylog[400];

static void keep_line(const hf_conn *conn, const char *line, void *arg)
{
    (void)conn;
    (void)arg;
    snprintf(keylog, sizeof keylog, "%s", line);
}

static hf_config *known_config(hf_role role, struct test_hooks *hooks)
{
    hf_config *config = hf_config_new(role);
    *hooks = (struct test_hooks){.random = known_random,
                                 .private_key = known_private_key,
                                 .extensions = known_extensions,
                                 .suites = known_suites};
    server_side = role == HF_SERVER;
    config->test = hooks;
    old_allow(config, HF_TLS1_2, HF_TLS1_2, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
    CHECK(hf_config_set_psk_modes(config, 0));
    CHECK(hf_config_set_signatures(config, "rsa_pkcs1_sha256"));
    CHECK(hf_config_set_groups(config, "x25519"));
    CHECK(hf_config_set_clock(config, then, NULL));
    CHECK(hf_config_insecure_set_keylog(config, keep_line, NULL));
    return config;
}

static hf_result give(struct end *e, const char *hex)
{
    uint8_t bytes[1200];
    return old_hand(e, bytes, unhex(hex, bytes));
}

static void expect(struct end *e, const char *hex)
{
    uint8_t bytes[1200];
    size_t n = unhex(hex, bytes), len;
    const uint8_t *out = hf_conn_output(e->conn, &len);
    CHECK(len >= n);
    if (len >= n)
        CHECK_MEM(out, bytes, n);
    hf_conn_output_done(e->conn, n);
}

/* Messages of the peer's trace that stand in records of their own, where ours share one. */
static void expect_messages(struct end *e, const char *const *hex, size_t count)
{
    uint8_t bytes[3000];
    size_t n = 0, len;
    for (size_t i = 0; i < count; i++) {
        uint8_t record[1200];
        size_t size = unhex(hex[i], record);
        memcpy(bytes + n, record + REC_HEADER, size - REC_HEADER);
        n += size - REC_HEADER;
    }
    const uint8_t *out = hf_conn_output(e->conn, &len);
    CHECK_INT(len, REC_HEADER + n);
    if (len == REC_HEADER + n)
        CHECK_MEM(out + REC_HEADER, bytes, n);
    hf_conn_output_done(e->conn, len);
}

static void check_finished(const struct end *e)
{
    static const uint8_t client[] = {0xcf, 0x91, 0x96, 0x26, 0xf1, 0x36,
                                     0x0c, 0x53, 0x6a, 0xaa, 0xd7, 0x3a};
    static const uint8_t server[] = {0x84, 0x4d, 0x3c, 0x10, 0x74, 0x6d,
                                     0xd7, 0x22, 0xf9, 0x2f, 0x0c, 0x7e};
    CHECK_MEM(e->conn->est.client_finished, client, 12);
    CHECK_MEM(e->conn->est.server_finished, server, 12);
    CHECK_STR(keylog, known_keylog);
}

static void end_free(struct end *e)
{
    hf_conn_free(e->conn);
    free(e->in.p);
    free(e->data.p);
}

static void test_known_client(void)
{
    struct end e = {0};
    struct test_hooks hooks;
    uint8_t ca[1200];
    hf_error err = {0};
    hf_config *config = known_config(HF_CLIENT, &hooks);
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, ca, unhex(known_ca, ca), &err));
    CHECK(hf_config_set_trust(config, trust));
    CHECK(hf_config_insecure_no_name_check(config)); /* its only name is a common name */
    e.conn = hf_conn_new_client(config, "example.ulfheim.net", &err);
    CHECK(e.conn != NULL);
    expect(&e, known_client_hello);
    (void)give(&e, known_server_hello);
    (void)give(&e, known_server_certificate);
    (void)give(&e, known_server_key_exchange);
    (void)give(&e, known_server_hello_done);
    CHECK_INT(end_code(&e), HF_OK);
    expect(&e, known_client_key_exchange);
    expect(&e, known_client_ccs);
    (void)give(&e, known_server_ccs);
    (void)give(&e, known_server_finished);
    CHECK(end_shaken(&e) && hf_conn_verified(e.conn));
    check_finished(&e);
    (void)give(&e, known_server_data);
    CHECK(e.data.len == 4 && memcmp(e.data.p, "pong", 4) == 0);
    end_free(&e);
    hf_trust_free(trust);
    hf_config_free(config);
}

static void test_known_server(void)
{
    static const char *const flight[] = {known_server_hello, known_server_certificate,
                                         known_server_key_exchange, known_server_hello_done};
    struct end e = {0};
    struct test_hooks hooks;
    uint8_t certificate[1200], key[1400];
    hf_error err = {0};
    size_t len = unhex(known_server_certificate, certificate);
    const size_t der = 5 + 4 + 3 + 3; /* record, message, list, entry */
    hf_credential *cred = hf_credential_load_memory(
        certificate + der, len - der, key, unhex(known_server_key, key), NULL, NULL, &err);
    CHECK(cred != NULL);
    hf_config *config = known_config(HF_SERVER, &hooks);
    CHECK(hf_config_add_credential(config, cred));
    e.conn = hf_conn_new_server(config, &err);
    CHECK(e.conn != NULL);
    (void)give(&e, known_client_hello);
    CHECK_INT(end_code(&e), HF_OK);
    expect_messages(&e, flight, 4);
    (void)give(&e, known_client_key_exchange);
    (void)give(&e, known_client_ccs);
    (void)give(&e, known_client_finished);
    CHECK(end_shaken(&e));
    check_finished(&e);
    expect(&e, known_server_ccs);
    (void)give(&e, known_client_data);
    CHECK(e.data.len == 4 && memcmp(e.data.p, "ping", 4) == 0);
    CHECK_INT(give(&e, known_client_alert), HF_CLOSED);
    end_free(&e);
    hf_config_free(config);
    hf_credential_free(cred);
}

/* ---- libcrypto's own PRF */

static void their_prf(const char *digest, const uint8_t *secret, size_t secret_len,
                      const char *label, const uint8_t *seed, size_t seed_len, uint8_t *out,
                      size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    uint8_t all[200];
    size_t label_len = strlen(label);
    memcpy(all, label, label_len);
    memcpy(all + label_len, seed, seed_len);
    uint8_t *own = malloc(secret_len + 1);
    memcpy(own, secret, secret_len);
    char name[20];
    snprintf(name, sizeof name, "%s", digest);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, own, secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, all, label_len + seed_len),
        OSSL_PARAM_construct_end(),
    };
    CHECK(ctx && EVP_KDF_derive(ctx, out, n, params) == 1);
    free(own);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* What one side saw of a handshake. */
struct record_of {
    struct wire messages;
    size_t session_hash;                     /* messages up to the ClientKeyExchange */
    size_t client_finished, server_finished; /* where they begin */
    uint8_t premaster[600], master[48];
    size_t premaster_len;
    uint8_t randoms[64];
};

static void note(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    struct record_of *r = arg;
    (void)conn;
    if (e->kind == HF_TRACE_SECRET && strcmp(e->name, "pre_master_secret") == 0) {
        CHECK(e->size <= sizeof r->premaster);
        memcpy(r->premaster, e->bytes, e->size);
        r->premaster_len = e->size;
    }
    if (e->kind == HF_TRACE_SECRET && strcmp(e->name, "master_secret") == 0)
        memcpy(r->master, e->bytes, 48);
    if (e->kind != HF_TRACE_MESSAGE || e->record_type != REC_HANDSHAKE)
        return;
    if (e->bytes[0] <= MSG_SERVER_HELLO)
        memcpy(r->randoms + (e->bytes[0] == MSG_SERVER_HELLO ? 32 : 0), e->bytes + 6, 32);
    if (e->bytes[0] == MSG_FINISHED)
        *(e->sent ? &r->client_finished : &r->server_finished) = r->messages.len;
    wire_put(&r->messages, e->bytes, e->size);
    if (e->bytes[0] == MSG_CLIENT_KEY_EXCHANGE)
        r->session_hash = r->messages.len;
}

static size_t their_hash(const char *digest, const struct wire *w, size_t n, uint8_t out[64])
{
    unsigned len = 0;
    EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);
    CHECK(md && EVP_Digest(w->p, n, out, &len, md, NULL) == 1);
    EVP_MD_free(md);
    return len;
}

static void check_record(const struct record_of *r, const char *digest, bool ems, bool resumed)
{
    uint8_t hash[64], out[48];
    size_t n;
    if (ems && !resumed) {
        n = their_hash(digest, &r->messages, r->session_hash, hash);
        their_prf(digest, r->premaster, r->premaster_len, "extended master secret", hash, n,
                  out, 48);
    } else if (!resumed) {
        their_prf(digest, r->premaster, r->premaster_len, "master secret", r->randoms, 64, out,
                  48);
    }
    if (!resumed)
        CHECK_MEM(r->master, out, 48);
    n = their_hash(digest, &r->messages, r->client_finished, hash);
    their_prf(digest, r->master, 48, "client finished", hash, n, out, 12);
    CHECK_MEM(r->messages.p + r->client_finished + MSG_HEADER, out, 12);
    n = their_hash(digest, &r->messages, r->server_finished, hash);
    their_prf(digest, r->master, 48, "server finished", hash, n, out, 12);
    CHECK_MEM(r->messages.p + r->server_finished + MSG_HEADER, out, 12);
}

/* RFC 5705 4 */
static void check_exporter(const struct end *e, const struct record_of *r, const char *digest)
{
    uint8_t ours[40], theirs[40], seed[64 + 2 + 3];
    hf_error err;
    memcpy(seed, r->randoms, 64);
    put_u16(seed + 64, 3);
    memcpy(seed + 66, "ctx", 3);
    CHECK(hf_conn_export(e->conn, "EXPERIMENTAL x", (const uint8_t *)"ctx", 3, ours, 40, &err));
    their_prf(digest, r->master, 48, "EXPERIMENTAL x", seed, sizeof seed, theirs, 40);
    CHECK_MEM(ours, theirs, 40);
    CHECK(hf_conn_export(e->conn, "EXPERIMENTAL x", NULL, 0, ours, 40, &err));
    their_prf(digest, r->master, 48, "EXPERIMENTAL x", seed, 64, theirs, 40);
    CHECK_MEM(ours, theirs, 40);
}

static void compute(uint16_t version, const char *suite, bool ems, bool resumed)
{
    struct pair p;
    struct record_of r = {0};
    struct old_blocks blocks = {0};
    const char *digest = version < HF_TLS1_2                ? "MD5-SHA1"
                         : strstr(suite, "_SHA384") != NULL ? "SHA384"
                                                            : "SHA256";
    old_start(&p, version, suite);
    CHECK(hf_config_set_trace(p.client_config, old_capture, &blocks));
    CHECK(hf_config_insecure_set_trace_secrets(p.client_config, true));
    CHECK(pair_shake(&p));
    pair_reset(&p);
    if (!ems) {
        CHECK(old_without(&blocks.client, 23));
        old_say(p.client_config, &blocks);
    }
    p.client_config->trace = note;
    p.client_config->trace_arg = &r;
    pair_connect(&p);
    if (resumed)
        CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK_MSG(end_shaken(&p.client) && end_shaken(&p.server), "%s", suite);
    CHECK(hf_conn_ems(p.client.conn) == ems && hf_conn_resumed(p.client.conn) == resumed);
    check_record(&r, digest, ems, resumed);
    check_exporter(&p.client, &r, digest);
    check_exporter(&p.server, &r, digest);
    free(r.messages.p);
    old_forget(&blocks);
    pair_clear(&p);
}

static void test_secrets_by_libcrypto(void)
{
    static const char *const suites[] = {
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA",
        "TLS_DHE_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    };
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        for (uint16_t v = i < 6 ? HF_TLS1_0 : HF_TLS1_2; v <= HF_TLS1_2; v++) {
            compute(v, suites[i], true, false);
            compute(v, suites[i], false, false);
            compute(v, suites[i], true, true);
        }
    }
}

/* "Leading bytes of Z that contain all zero bits are stripped" of numbers (RFC 5246 8.1.2), but not of points
 * (RFC 8422 5.10): one secret in 256 has them. */
static void test_leading_zeros(void)
{
    static const struct {
        uint16_t suite;
        size_t len;
    } cases[] = {{0x009e, 30}, {0x00aa, 30}, {0x00a6, 30}, {0xc02f, 32}, {0xc037, 32}};
    struct hs *hs = mem_new(sizeof *hs);
    memset(hs->shared, 5, sizeof hs->shared);
    hs->shared[0] = hs->shared[1] = 0;
    hs->shared_len = 32;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hs->n.suite = suite_find(cases[i].suite);
        struct slice z = shared_number12(hs);
        CHECK_INT(z.len, cases[i].len);
        CHECK(z.p + z.len == hs->shared + 32);
    }
    mem_free(hs);
}

int main(void)
{
    RUN(test_leading_zeros);
    RUN(test_known_client);
    RUN(test_known_server);
    RUN(test_secrets_by_libcrypto);
    return check_done();
}

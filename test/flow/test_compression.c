/* Compressed certificates (RFC 8879), in both roles and both directions. Most of it runs with a compression
 * of the tests' own (packer.h), so that it needs no library. */
#include "../unit/check.h"
#include "../unit/packer.h"
#include "pair.h"

#include <stdlib.h>

#include "connection/conn.h"

static struct pair p;

static void begin(void)
{
    pair_init(&p, PKI_P256);
    packer_calls = 0;
}

static void both_pack(void)
{
    begin();
    CHECK(packer_add(p.client_config) && packer_add(p.server_config));
}

static void ask_client(hf_client_auth mode)
{
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, mode));
}

/* How the peer's certificate came to this end: by this algorithm, 0: as it is. */
static void came(const struct end *e, uint16_t algorithm)
{
    size_t packed = 1, size = 1;
    CHECK_INT(hf_conn_peer_compression(e->conn, &packed, &size), algorithm);
    CHECK(algorithm ? packed > 500 && packed < size : packed == 0 && size == 0);
    CHECK_INT(hf_conn_peer_compression(e->conn, NULL, NULL), algorithm);
}

static void echo(void)
{
    CHECK(pair_send(&p, &p.client, "ping", 4) == HF_DONE && p.server.data.len == 4);
    CHECK(pair_send(&p, &p.server, "pong", 4) == HF_DONE && p.client.data.len == 4);
}

static void test_server_certificate(void)
{
    both_pack();
    CHECK(pair_shake(&p));
    CHECK(hf_conn_verified(p.client.conn));
    came(&p.client, PACKER_ID);
    came(&p.server, 0);
    echo();
    pair_clear(&p);
}

static void test_both_certificates_after_a_retry(void)
{
    both_pack();
    ask_client(HF_CLIENT_AUTH_REQUIRE);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_retried(p.client.conn));
    CHECK(hf_conn_verified(p.client.conn) && hf_conn_verified(p.server.conn));
    came(&p.client, PACKER_ID);
    came(&p.server, PACKER_ID);
    echo();
    pair_clear(&p);
}

/* An empty list is not compressed; nor is anything in a resumption, which has no certificate. */
static void test_nothing_to_compress(void)
{
    both_pack();
    ask_client(HF_CLIENT_AUTH_REQUEST);
    CHECK(pair_shake(&p));
    came(&p.client, PACKER_ID);
    came(&p.server, 0);
    CHECK(p.sessions > 0);
    unsigned before = packer_calls;
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    came(&p.client, 0);
    CHECK_INT(packer_calls, before);
    echo();
    pair_clear(&p);
}

/* One side alone, in each of the four ways: the certificate comes as it is. */
static void test_only_one_side(void)
{
    static const hf_compressor out = {PACKER_ID, packer_compress, NULL, NULL};
    static const hf_compressor in = {PACKER_ID, NULL, packer_decompress, NULL};
    for (int i = 0; i < 4; i++) {
        begin();
        hf_config *config = i & 1 ? p.server_config : p.client_config;
        CHECK(hf_config_add_certificate_compressor(config, i & 2 ? &out : &in));
        CHECK(pair_shake(&p));
        came(&p.client, 0);
        CHECK_INT(packer_calls, 0);
        pair_clear(&p);
    }
    begin();
    CHECK(hf_config_add_certificate_compressor(p.client_config, &in));
    CHECK(hf_config_add_certificate_compressor(p.server_config, &out));
    CHECK(pair_shake(&p));
    came(&p.client, PACKER_ID);
    pair_clear(&p);
}

/* "if TLS 1.2 ... the peers MUST ignore this extension" (RFC 8879 3). */
static void test_ignored_before_tls13(void)
{
    both_pack();
    CHECK(hf_config_set_versions(p.server_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_version(p.client.conn), HF_TLS1_2);
    came(&p.client, 0);
    pair_clear(&p);
}

static void test_compressed_once(void)
{
    both_pack();
    for (int i = 0; i < 3; i++) {
        CHECK(pair_shake(&p));
        came(&p.client, PACKER_ID);
        CHECK_INT(packer_calls, 1);
        pair_reset(&p);
    }
    /* with a stapled response it is another message */
    size_t len;
    struct pki_ocsp_spec spec = {.cert = p.pki->leaf, .issuer = p.pki->mid};
    uint8_t *der = pki_ocsp(&spec, &len);
    CHECK(hf_credential_set_ocsp(p.cred, der, len, NULL));
    free(der);
    for (int i = 0; i < 2; i++) {
        CHECK(pair_shake(&p));
        came(&p.client, PACKER_ID);
        CHECK(hf_conn_peer_ocsp(p.client.conn, &len));
        CHECK_INT(packer_calls, 2);
        pair_reset(&p);
    }
    pair_clear(&p);
}

/* ---- handfast's own algorithms */

static bool has(const char *name)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    bool ok = hf_config_set_certificate_compression(config, NULL, name);
    if (!ok) {
        printf("skip %s: %s\n", name, hf_config_error(config)->detail);
        check_skipped++;
    }
    hf_config_free(config);
    return ok;
}

static void test_libraries(void)
{
    static const char *const names[] = {"zlib", "brotli", "zstd"};
    for (uint16_t i = 0; i < 3; i++) {
        CHECK_STR(hf_compression_name((uint16_t)(i + 1)), names[i]);
        if (!has(names[i]))
            continue;
        begin();
        CHECK(hf_config_set_certificate_compression(p.client_config, names[i], names[i]));
        CHECK(hf_config_set_certificate_compression(p.server_config, names[i], names[i]));
        ask_client(HF_CLIENT_AUTH_REQUIRE);
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        CHECK(pair_shake(&p));
        came(&p.client, (uint16_t)(i + 1));
        came(&p.server, (uint16_t)(i + 1));
        echo();
        pair_clear(&p);
    }
}

/* The sender's order counts. */
static void test_preference(void)
{
    if (!has("zlib") || !has("zstd"))
        SKIP("zlib or zstd is not there: tools/setup");
    begin();
    CHECK(hf_config_set_certificate_compression(p.client_config, NULL, "zlib,zstd"));
    CHECK(hf_config_set_certificate_compression(p.server_config, "zstd,zlib", NULL));
    CHECK(pair_shake(&p));
    came(&p.client, 3);
    pair_clear(&p);
}

static bool fails(hf_config *config, bool ok, hf_code code)
{
    const hf_error *err = hf_config_error(config);
    bool good = !ok && err && err->code == code;
    if (config)
        config->error.code = HF_OK;
    return good;
}

static void test_settings(void)
{
    hf_config *c = hf_config_new(HF_CLIENT);
    hf_compressor one = {300, packer_compress, packer_decompress, NULL};
    hf_compressor none = {300, NULL, NULL, NULL};
    CHECK(hf_config_set_certificate_compression(c, "", NULL));
    CHECK(fails(c, hf_config_set_certificate_compression(c, "gzip", NULL), HF_E_CONFIG));
    CHECK(fails(c, hf_config_set_certificate_compression(c, NULL, "zlip"), HF_E_CONFIG));
    CHECK(fails(c, hf_config_add_certificate_compressor(c, NULL), HF_E_USAGE));
    CHECK(fails(c, hf_config_add_certificate_compressor(c, &none), HF_E_USAGE));
    for (one.id = 300; one.id < 305; one.id++)
        CHECK(hf_config_add_certificate_compressor(c, &one));
    CHECK(fails(c, hf_config_add_certificate_compressor(c, &one), HF_E_CONFIG));
    one.id = 302;
    CHECK(fails(c, hf_config_add_certificate_compressor(c, &one), HF_E_CONFIG));
    one.id = 0;
    CHECK(fails(c, hf_config_add_certificate_compressor(c, &one), HF_E_CONFIG));
    CHECK_INT(c->compress_send.count, 5);
    if (has("zlib")) {
        CHECK(hf_config_set_certificate_compression(c, "zlib", "zlib"));
        CHECK(c->compress_send.count == 6 && c->compress_send.by[0].id == 1);
    }
    hf_config *copy = hf_config_derive(c);
    CHECK_INT(copy->compress_receive.count, c->compress_receive.count);
    CHECK(hf_config_freeze(copy, NULL));
    CHECK(!hf_config_set_certificate_compression(copy, NULL, NULL));
    CHECK(!hf_config_add_certificate_compressor(copy, &one));
    hf_config_free(copy);
    hf_config_free(c);
}

/* ---- a peer that does wrong */

static void refused(struct end *by, hf_code code, uint8_t alert, const char *path)
{
    struct end *other = by == &p.client ? &p.server : &p.client;
    (void)pair_shake(&p);
    CHECK_INT(end_code(by), code);
    CHECK_INT(end_code(other), HF_E_ALERT_RECEIVED);
    const hf_error *err = hf_conn_error(by->conn), *told = hf_conn_error(other->conn);
    CHECK(err && told && told->alert_received);
    if (err && told) {
        CHECK_INT(told->alert, alert);
        CHECK_STR(err->path, path);
        if (strcmp(err->path, path) != 0 || err->code != code)
            printf("    %s: %s\n", err->path, err->detail);
    }
    pair_clear(&p);
}

/* What the sender says instead of what it would: set in the credential's compressed forms. */
static struct {
    uint16_t id;
    long more; /* uncompressed_length, off by so much */
} wrong;

static enum hs_result send_wrong(struct hs *hs)
{
    static struct packed changed;
    changed = *hs->packed;
    changed.id = wrong.id ? wrong.id : changed.id;
    changed.plain.len = (size_t)((long)changed.plain.len + wrong.more);
    hs->packed = &changed;
    return send_compressed_certificate13(hs);
}

static void lie(bool server, uint16_t id, long more)
{
    static struct step copy[48];
    const struct step *list = server ? server13 : client13;
    wrong.id = id;
    wrong.more = more;
    ask_client(HF_CLIENT_AUTH_REQUIRE);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    pair_connect(&p);
    size_t n = 0;
    for (; list[n].kind; n++) {
        copy[n] = list[n];
        if (copy[n].run == send_compressed_certificate13)
            copy[n].run = send_wrong;
    }
    copy[n] = list[n];
    (server ? &p.server : &p.client)->conn->hs->step = copy;
    pair_run(&p);
}

static void check_lie(bool server, uint16_t id, long more, hf_code code, uint8_t alert)
{
    both_pack();
    lie(server, id, more);
    struct end *good = server ? &p.client : &p.server, *bad = server ? &p.server : &p.client;
    CHECK_INT(end_code(good), code);
    CHECK_STR(hf_conn_error(good->conn)->path, "CompressedCertificate");
    const hf_error *told = hf_conn_error(bad->conn);
    CHECK(told && told->alert_received && told->alert == alert);
    came(good, 0);
    pair_clear(&p);
}

static void test_lies(void)
{
    for (int server = 0; server < 2; server++) {
        check_lie(server, 1, 0, HF_E_WRONG_COMPRESSION, 47);
        check_lie(server, 0x1234, 0, HF_E_WRONG_COMPRESSION, 47);
        check_lie(server, 0, 1, HF_E_CERTIFICATE_COMPRESSION, 42);
        check_lie(server, 0, -1, HF_E_CERTIFICATE_COMPRESSION, 42);
        check_lie(server, 0, 1 << 20, HF_E_CERTIFICATE_TOO_LARGE, 42);
        check_lie(server, 0, 0xfff000, HF_E_CERTIFICATE_TOO_LARGE, 42);
    }
}

static size_t never(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    (void)in;
    (void)len;
    (void)out;
    (void)size;
    ++*(unsigned *)arg;
    return 0;
}

/* Nothing is decompressed that says it is too large, for a message or for this connection's cap. */
static void test_limits_come_first(void)
{
    unsigned calls = 0;
    hf_compressor in = {PACKER_ID, NULL, never, &calls};
    begin();
    CHECK(packer_add(p.server_config));
    CHECK(hf_config_add_certificate_compressor(p.client_config, &in));
    lie(true, 0, 131072);
    CHECK_INT(end_code(&p.client), HF_E_CERTIFICATE_TOO_LARGE);
    CHECK_INT(calls, 0);
    pair_clear(&p);
    begin();
    CHECK(packer_add(p.server_config));
    CHECK(hf_config_add_certificate_compressor(p.client_config, &in));
    CHECK(hf_config_set_memory_cap(p.client_config, 32768));
    lie(true, 0, 32768);
    CHECK_INT(end_code(&p.client), HF_E_MEMORY_CAP);
    CHECK_INT(calls, 0);
    pair_clear(&p);
    begin();
    CHECK(packer_add(p.server_config));
    CHECK(hf_config_add_certificate_compressor(p.client_config, &in));
    refused(&p.client, HF_E_CERTIFICATE_COMPRESSION, 42, "CompressedCertificate");
    CHECK_INT(calls, 1);
}

/* What decompresses to something that is no Certificate message is refused as one that came so. */
static size_t garble(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    size_t n = packer_decompress(in, len, out, size, arg);
    if (n == size)
        out[1] ^= 0x80; /* the length of the list */
    return n;
}

static void test_garbage_inside(void)
{
    static const hf_compressor in = {PACKER_ID, NULL, garble, NULL};
    begin();
    CHECK(packer_add(p.server_config));
    CHECK(hf_config_add_certificate_compressor(p.client_config, &in));
    refused(&p.client, HF_E_DECODE, 50, "CompressedCertificate.Certificate.certificate_list");
}

/* Who was not asked may not compress: the message is unexpected, by its type. */
static enum hs_result pretend_asked(struct hs *hs)
{
    hs->n.compressor = compressor_find(&hs->n.config->compress_send, PACKER_ID);
    return compress_certificate13(hs);
}

static bool always(const struct hs *hs)
{
    (void)hs;
    return true;
}

static void test_not_offered(void)
{
    static struct step copy[48];
    for (int server = 0; server < 2; server++) {
        const struct step *list = server ? server13 : client13;
        begin();
        CHECK(packer_add(server ? p.server_config : p.client_config));
        ask_client(HF_CLIENT_AUTH_REQUIRE);
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        pair_connect(&p);
        size_t n = 0;
        for (; list[n].kind; n++) {
            copy[n] = list[n];
            if (copy[n].run == compress_certificate13) {
                copy[n].run = pretend_asked;
                copy[n].when = always;
            }
        }
        copy[n] = list[n];
        (server ? &p.server : &p.client)->conn->hs->step = copy;
        pair_run(&p);
        const struct end *good = server ? &p.client : &p.server;
        CHECK_INT(end_code(good), HF_E_UNEXPECTED_MESSAGE);
        const hf_error *err = hf_conn_error(good->conn);
        CHECK(err && strstr(err->detail, "got CompressedCertificate"));
        pair_clear(&p);
    }
}

/* A diagnosis says what to do. */
static void test_explained(void)
{
    char text[4096];
    both_pack();
    lie(true, 0, 1);
    hf_explain(p.client.conn, hf_conn_error(p.client.conn), text, sizeof text);
    CHECK(strstr(text, "cannot be decompressed to what it is said to be"));
    CHECK(strstr(text, "hf_config_set_certificate_compression()"));
    CHECK(strstr(text, "RFC 8879 4"));
    pair_clear(&p);
}

int main(void)
{
    RUN(test_server_certificate);
    RUN(test_both_certificates_after_a_retry);
    RUN(test_nothing_to_compress);
    RUN(test_only_one_side);
    RUN(test_ignored_before_tls13);
    RUN(test_compressed_once);
    RUN(test_libraries);
    RUN(test_preference);
    RUN(test_settings);
    RUN(test_lies);
    RUN(test_limits_come_first);
    RUN(test_garbage_inside);
    RUN(test_not_offered);
    RUN(test_explained);
    return check_done();
}

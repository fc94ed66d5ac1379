/* test_binding.c: channel bindings (RFC 5929, RFC 9266): the same at both ends, new for each connection, and
 * absent where they would not bind. */
#include <openssl/evp.h>

#include "../unit/check.h"
#include "config/config.h"
#include "connection/conn.h"
#include "pair.h"

static size_t both(struct pair *p, hf_binding type, uint8_t out[HF_BINDING_MAX])
{
    uint8_t theirs[HF_BINDING_MAX];
    size_t ours_len = hf_conn_channel_binding(p->client.conn, type, out);
    size_t theirs_len = hf_conn_channel_binding(p->server.conn, type, theirs);
    CHECK_INT(ours_len, theirs_len);
    if (ours_len == theirs_len && ours_len)
        CHECK_MEM(out, theirs, ours_len);
    return ours_len;
}

static void versions(struct pair *p, uint16_t version)
{
    CHECK(hf_config_set_versions(p->client_config, version, version));
}

static void test_tls13(void)
{
    ROW("Y95");
    struct pair p;
    uint8_t first[HF_BINDING_MAX], second[HF_BINDING_MAX], hash[EVP_MAX_MD_SIZE];
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    CHECK_INT(hf_conn_channel_binding(p.client.conn, HF_BINDING_EXPORTER, first), 0);
    pair_run(&p);
    CHECK_INT(both(&p, HF_BINDING_UNIQUE, first), 0);
    CHECK_INT(both(&p, (hf_binding)3, first), 0); /* no such type */
    CHECK_INT(both(&p, (hf_binding)-1, first), 0);
    CHECK_INT(both(&p, HF_BINDING_SERVER_END_POINT, first), 32);
    EVP_Digest(p.pki->leaf->der, p.pki->leaf->der_len, hash, NULL, EVP_sha256(), NULL);
    CHECK_MEM(first, hash, 32);
    CHECK_INT(both(&p, HF_BINDING_EXPORTER, first), 32);
    pair_reset(&p);
    CHECK(pair_shake(&p));
    CHECK_INT(both(&p, HF_BINDING_EXPORTER, second), 32);
    CHECK(memcmp(first, second, 32) != 0);
    pair_clear(&p);
}

static void test_tls12(void)
{
    ROW("Y95");
    struct pair p;
    uint8_t out[HF_BINDING_MAX], again[HF_BINDING_MAX];
    pair_init(&p, PKI_P256);
    versions(&p, HF_TLS1_2);
    CHECK(pair_shake(&p));
    CHECK_INT(both(&p, HF_BINDING_UNIQUE, out), 12);
    CHECK_MEM(out, p.client.conn->est.client_finished, 12);
    CHECK_INT(both(&p, HF_BINDING_SERVER_END_POINT, again), 32);
    CHECK_INT(both(&p, HF_BINDING_EXPORTER, again), 32);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    CHECK_INT(both(&p, HF_BINDING_UNIQUE, again), 12);
    CHECK_MEM(again, p.client.conn->est.server_finished, 12);
    CHECK(memcmp(out, again, 12) != 0);
    CHECK_INT(both(&p, HF_BINDING_SERVER_END_POINT, again), 0);
    pair_clear(&p);
}

/* Without extended_master_secret two connections can have the same master secret (RFC 7627 1). */
static void test_without_ems(void)
{
    ROW("Y95");
    struct pair p;
    uint8_t out[HF_BINDING_MAX];
    pair_init(&p, PKI_P256);
    versions(&p, HF_TLS1_2);
    CHECK(pair_shake(&p));
    p.client.conn->est.ems = p.server.conn->est.ems = false;
    CHECK_INT(both(&p, HF_BINDING_UNIQUE, out), 0);
    CHECK_INT(both(&p, HF_BINDING_EXPORTER, out), 0);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_tls13);
    RUN(test_tls12);
    RUN(test_without_ems);
    return check_done();
}

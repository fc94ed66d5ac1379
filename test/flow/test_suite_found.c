/* test_suite_found.c: what tlsfuzzer's scripts found in TLS 1.2, so that it stays repaired without them. */
#include "../unit/check.h"
#include "old.h"

/* "Data of different TLS record layer content types MAY be interleaved" (RFC 5246 6.2.1): a client that
 * renegotiates may talk between the parts of its ClientHello. */
static void test_data_within_a_hello(void)
{
    static const uint8_t begun[] = {1, 0, 0, 100, 3, 3};
    struct pair p;
    old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    CHECK(hf_config_set_renegotiation(p.server_config, 1));
    CHECK(pair_shake(&p));
    CHECK_INT(old_record(&p.client, &p.server, 22, begun, sizeof begun), HF_WANT_INPUT);
    CHECK_INT(old_record(&p.client, &p.server, 23, "between", 7), HF_WANT_INPUT);
    CHECK_INT(p.server.data.len, 7);
    CHECK(!end_is_dead(&p.server));
    pair_clear(&p);
}

/* Before the first handshake is done there is no data that could come (RFC 5246 7.4.9). */
static void test_data_within_the_first_hello(void)
{
    static const uint8_t begun[] = {22, 3, 1, 0, 6, 1, 0, 0, 100, 3, 3, 23, 3, 3, 0, 1, 'x'};
    struct pair p;
    old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    pair_connect(&p);
    CHECK_INT(old_hand(&p.server, begun, sizeof begun), HF_FAILED);
    CHECK_REFUSED(&p.server, HF_E_UNEXPECTED_RECORD, 10);
    pair_clear(&p);
}

/* A HelloRequest has four bytes: what stands between its parts is no accident. */
static void test_data_within_a_request(void)
{
    static const uint8_t begun[] = {0, 0};
    struct pair p;
    old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    CHECK(pair_shake(&p));
    CHECK_INT(old_record(&p.server, &p.client, 22, begun, sizeof begun), HF_WANT_INPUT);
    CHECK_INT(old_record(&p.server, &p.client, 23, "between", 7), HF_FAILED);
    CHECK_REFUSED(&p.client, HF_E_UNEXPECTED_RECORD, 10);
    pair_clear(&p);
}

/* "the server MUST end the connection with a fatal TLS alert of type insufficient_security(71)" (RFC 7919 4);
 * where the client named no group of that kind, or has other suites, not. */
static void test_no_common_ffdhe(void)
{
    struct pair p;
    old_start(&p, HF_TLS1_2, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
    CHECK(hf_config_set_groups(p.client_config, "ffdhe2048"));
    CHECK(hf_config_set_groups(p.server_config, "ffdhe3072"));
    CHECK(!pair_shake(&p));
    CHECK_REFUSED(&p.server, HF_E_NO_SHARED_FFDHE, 71);
    CHECK_TOLD(&p.client, 71);
    pair_clear(&p);
}

static void test_no_common_ffdhe_but_curves(void)
{
    static const char both[] = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,"
                               "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    struct pair p;
    old_start(&p, HF_TLS1_2, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
    CHECK(hf_config_set_suites(p.client_config, both));
    CHECK(hf_config_set_suites(p.server_config, both));
    CHECK(hf_config_set_groups(p.client_config, "ffdhe2048:x25519"));
    CHECK(hf_config_set_groups(p.server_config, "ffdhe3072:x25519"));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_suite(p.client.conn), 0xc02f);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_data_within_a_hello);
    RUN(test_data_within_the_first_hello);
    RUN(test_data_within_a_request);
    RUN(test_no_common_ffdhe);
    RUN(test_no_common_ffdhe_but_curves);
    return check_done();
}

/* test_choices.c: where a rule leaves a choice, or an application makes one: what is chosen. */
#include "../unit/check.h"
#include "bytes/bytes.h"
#include "pair.h"

#define SESSION_ID_AT (5 + 4 + 2 + 32)

/* ---- change_cipher_spec */

static void count_ccs(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)to;
    for (size_t at = 0; at + 5 <= len; at += 5u + get_u16(bytes + at + 3))
        *(unsigned *)arg += bytes[at] == 20;
}

/* RFC 8446 D.4: "Either side can send change_cipher_spec at any time during the handshake". */
static void test_ccs_without_session_id(void)
{
    for (int on = 0; on < 2; on++) {
        struct pair p;
        unsigned to_client = 0, to_server = 0;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_versions(p.client_config, HF_TLS1_3, HF_TLS1_3));
        CHECK(hf_config_set_middlebox_compat(p.client_config, false));
        CHECK(hf_config_set_middlebox_compat(p.server_config, on));
        pair_connect(&p);
        p.client.tamper = p.server.tamper = count_ccs;
        p.client.tamper_arg = &to_client;
        p.server.tamper_arg = &to_server;
        pair_run(&p);
        CHECK_INT(end_code(&p.client), HF_OK);
        CHECK_INT(to_client, on);
        CHECK_INT(to_server, 0);
        pair_clear(&p);
    }
}

/* ---- a second ClientHello without the session of the first */

/* pre_shared_key becomes padding, which may come and go. */
static void drop_psk(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    size_t skip = bytes[0] == 20 ? 6 : 0; /* the dummy record before it */
    if (to->flights != 2 || len < skip + 60)
        return;
    uint8_t *hello = bytes + skip;
    CHECK(hello[0] == 22 && hello[5] == 1);
    size_t at = SESSION_ID_AT + 1u + hello[SESSION_ID_AT];
    at += 2u + get_u16(hello + at);
    at += 1u + hello[at];
    at += 2;
    while (get_u16(hello + at) != 41)
        at += 4u + get_u16(hello + at + 2);
    put_u16(hello + at, 21);
}

static void second_hello(bool without)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(pair_shake(&p) && p.sessions > 0);
    pair_reset(&p);
    hf_config *server = hf_config_derive(p.server_config);
    hf_config_free(p.server_config);
    p.server_config = server;
    CHECK(hf_config_set_groups(server, "P-384"));
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    if (without)
        p.server.tamper = drop_psk;
    pair_run(&p);
    CHECK(hf_conn_retried(p.server.conn));
    CHECK_INT(end_code(&p.server), without ? HF_E_MISSING_EXTENSION : HF_OK);
    CHECK_INT(hf_conn_resumed(p.server.conn), !without);
    pair_clear(&p);
}

static void test_second_hello_drops_session(void)
{
    second_hello(false);
    second_hello(true);
}

int main(void)
{
    RUN(test_ccs_without_session_id);
    RUN(test_second_hello_drops_session);
    return check_done();
}

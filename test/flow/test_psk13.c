/* test_psk13.c: external pre-shared keys in TLS 1.3 (RFC 8446 4.2.11), also imported ones (RFC 9258). */
#include "../unit/check.h"
#include "config/config.h"
#include "connection/conn.h"
#include "handfast_context.h"
#include "pair.h"

static const uint8_t key[32] = "thirty-two bytes of a shared key";
static const uint8_t other[32] = "thirty-two bytes of another key!";
static const uint8_t name[] = "device 7", context[] = "site 12";

static void add(hf_config *c, const uint8_t *k)
{
    CHECK(hf_config_add_psk(c, name, sizeof name - 1, k, 32));
}

static void import(hf_config *c, const uint8_t *k, const uint8_t *ctx, size_t len)
{
    CHECK(hf_config_import_psk(c, name, sizeof name - 1, ctx, len, k, 32));
}

/* A server without any certificate. */
static void without_certificate(struct pair *p)
{
    hf_config_free(p->server_config);
    p->server_config = hf_config_new(HF_SERVER);
}

static void only13(struct pair *p)
{
    CHECK(hf_config_set_versions(p->client_config, HF_TLS1_3, HF_TLS1_3));
    CHECK(hf_config_set_versions(p->server_config, HF_TLS1_3, HF_TLS1_3));
}

static void agreed(struct pair *p, const char *suite)
{
    size_t len = 0;
    CHECK(pair_shake(p));
    if (end_code(&p->client) || end_code(&p->server))
        printf("    %s / %s\n", hf_code_name(end_code(&p->client)),
               hf_code_name(end_code(&p->server)));
    CHECK_STR(hf_suite_name(hf_conn_suite(p->client.conn)), suite);
    CHECK(hf_conn_group(p->client.conn) != 0); /* psk_dhe_ke */
    CHECK(!hf_conn_resumed(p->client.conn) && !hf_conn_resumed(p->server.conn));
    CHECK(!hf_conn_peer_certificate(p->client.conn, 0));
    CHECK(!hf_conn_verified(p->client.conn));
    const uint8_t *identity = hf_conn_psk_identity(p->server.conn, &len);
    CHECK(identity && len >= sizeof name - 1);
    CHECK(pair_send(p, &p->client, "hello", 5) == HF_DONE);
    CHECK(p->server.data.len == 5);
}

static void test_external(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    without_certificate(&p);
    add(p.client_config, key);
    add(p.server_config, key);
    only13(&p);
    agreed(&p, "TLS_AES_128_GCM_SHA256");
    pair_clear(&p);
}

/* "default to SHA-256": a server that would rather have SHA-384 takes a suite that goes with the key. */
static void test_hash_decides(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    without_certificate(&p);
    add(p.client_config, key);
    add(p.server_config, key);
    only13(&p);
    CHECK(hf_config_set_suites(p.server_config,
                               "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"));
    agreed(&p, "TLS_CHACHA20_POLY1305_SHA256");
    pair_clear(&p);
}

static void test_imported(void)
{
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        without_certificate(&p);
        import(p.client_config, key, context, sizeof context);
        import(p.server_config, key, context, sizeof context);
        only13(&p);
        CHECK(hf_config_set_suites(p.client_config, suites[i]));
        agreed(&p, suites[i]);
        pair_clear(&p);
    }
}

/* Without a common key there is a certificate, if the server has one. */
static void falls_back(bool imported, const uint8_t *theirs, size_t their_context)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    only13(&p);
    if (imported) {
        import(p.client_config, key, context, sizeof context);
        import(p.server_config, theirs, context, their_context);
    } else {
        CHECK(hf_config_add_psk(p.server_config, (const uint8_t *)"someone else", 12, theirs,
                                32));
        add(p.client_config, key);
    }
    CHECK(pair_shake(&p));
    CHECK(hf_conn_verified(p.client.conn));
    size_t len;
    CHECK(!hf_conn_psk_identity(p.server.conn, &len));
    pair_clear(&p);
}

static void test_fallback(void)
{
    falls_back(false, key, 0);
    falls_back(true, key, 3); /* another context: another identity */
}

static void test_wrong_key(void)
{
    for (int imported = 0; imported < 2; imported++) {
        struct pair p;
        pair_init(&p, PKI_P256);
        only13(&p);
        if (imported) {
            import(p.client_config, key, context, sizeof context);
            import(p.server_config, other, context, sizeof context);
        } else {
            add(p.client_config, key);
            add(p.server_config, other);
        }
        CHECK(!pair_shake(&p));
        CHECK_INT(end_code(&p.server), HF_E_BAD_BINDER);
        pair_clear(&p);
    }
}

/* An external key and an imported one that have the same bytes and the same identity on the wire differ in
 * their binders' labels (RFC 9258 5.2). */
static void test_labels(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    only13(&p);
    import(p.server_config, key, context, sizeof context);
    const struct psk *imported = &p.server_config->psks->psk[0];
    CHECK_INT(imported->kind, PSK_IMPORTED);
    CHECK(hf_config_add_psk(p.client_config, imported->identity, imported->identity_len,
                            imported->key, imported->key_len));
    CHECK(!pair_shake(&p));
    CHECK_INT(end_code(&p.server), HF_E_BAD_BINDER);
    pair_clear(&p);
}

/* A session from such a handshake, with tickets, beside the key: the session comes first. */
static void test_resumption(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    without_certificate(&p);
    CHECK(hf_config_insecure_no_verify(p.client_config));
    add(p.client_config, key);
    add(p.server_config, key);
    only13(&p);
    CHECK(pair_shake(&p) && p.sessions == 2);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn) && hf_conn_resumed(p.server.conn));
    CHECK_INT(p.sessions, 3);
    pair_clear(&p);
}

static void test_retry(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    without_certificate(&p);
    import(p.client_config, key, context, sizeof context);
    import(p.server_config, key, context, sizeof context);
    only13(&p);
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(hf_config_set_suites(p.server_config, "TLS_AES_256_GCM_SHA384"));
    agreed(&p, "TLS_AES_256_GCM_SHA384"); /* the second hello has the key of this hash alone */
    CHECK(hf_conn_retried(p.client.conn));
    pair_clear(&p);
}

/* RFC 9258 4.1, computed by other means (Python's hmac and hashlib). */
static void test_derivation(void)
{
    static const uint8_t want256[] = {0x36, 0x66, 0x6c, 0xc2, 0xd5, 0x71, 0x98, 0x21,
                                      0x6f, 0x62, 0x37, 0xa4, 0x0e, 0x67, 0xd3, 0x17,
                                      0x33, 0x51, 0x04, 0xfb, 0xba, 0x76, 0x7d, 0x3a,
                                      0x56, 0x93, 0xf1, 0x23, 0xec, 0x32, 0x3a, 0x3c},
                         want384[] = {0x0b, 0xee, 0xa5, 0x44, 0xa2, 0xa9, 0x3c, 0x2b,
                                      0x02, 0x5d, 0x24, 0x35, 0xf0, 0xa2, 0x66, 0x96,
                                      0x1c, 0xca, 0xd0, 0x06, 0xbb, 0xf5, 0xd2, 0xec,
                                      0xac, 0xa7, 0xaa, 0x69, 0xc4, 0xcb, 0x6d, 0x29,
                                      0x66, 0x02, 0x30, 0xa8, 0x86, 0xcd, 0x6b, 0x20,
                                      0x52, 0xd8, 0x89, 0x36, 0xb1, 0x5b, 0xe5, 0xb3};
    hf_config *c = hf_config_new(HF_CLIENT);
    import(c, key, context, sizeof context - 1);
    CHECK_INT(c->psks->count, 2);
    CHECK_INT(c->psks->psk[0].identity_len, 2 + 8 + 2 + 7 + 2 + 2);
    CHECK_MEM(c->psks->psk[0].identity, "\0\10device 7\0\7site 12\3\4\0\1", 23);
    CHECK_INT(c->psks->psk[0].key_len, 32);
    CHECK_MEM(c->psks->psk[0].key, want256, 32);
    CHECK_MEM(c->psks->psk[1].identity, "\0\10device 7\0\7site 12\3\4\0\2", 23);
    CHECK_INT(c->psks->psk[1].key_len, 48);
    CHECK_MEM(c->psks->psk[1].key, want384, 48);
    hf_config_free(c);
}

/* ---- by question: in every version, at once or later, with keys or without */

struct asked {
    const uint8_t *key; /* NULL: none */
    bool later, refuse;
    unsigned calls;
    size_t identity_len; /* of the last question */
};

static bool give(hf_conn *conn, const struct asked *a)
{
    if (a->refuse)
        return hf_answer_refuse(conn, 115);
    return hf_answer_psk(conn, a->key ? name : NULL, a->key ? sizeof name - 1 : 0, a->key,
                         a->key ? 32 : 0);
}

static bool on_psk(hf_conn *conn, const hf_question *q, void *arg)
{
    struct asked *a = arg;
    a->calls++;
    a->identity_len = q->identity_len;
    return !a->later && give(conn, a);
}

static void answer_what_waits(struct end *e, const struct asked *a)
{
    if (hf_conn_question(e->conn)) {
        CHECK_INT(hf_conn_question(e->conn)->ask, HF_ASK_PSK);
        CHECK(give(e->conn, a));
        (void)hf_conn_handshake(e->conn);
    }
}

/* true: the handshake was done. */
static bool by_question(struct pair *p, struct asked *client, struct asked *server,
                        uint16_t version)
{
    pair_init(p, PKI_P256);
    without_certificate(p);
    CHECK(hf_config_set_ask(p->client_config, HF_ASK_PSK, on_psk, client));
    CHECK(hf_config_set_ask(p->server_config, HF_ASK_PSK, on_psk, server));
    CHECK(hf_config_ask_psk_in_tls13(p->client_config, true));
    CHECK(hf_config_ask_psk_in_tls13(p->server_config, true));
    const char *suites = "TLS_AES_128_GCM_SHA256:TLS_PSK_WITH_AES_128_GCM_SHA256";
    CHECK(hf_config_set_suites(p->client_config, suites));
    CHECK(hf_config_set_suites(p->server_config, suites));
    CHECK(hf_config_set_versions(p->client_config, HF_TLS1_2, version));
    pair_connect(p);
    pair_run(p);
    for (int i = 0; i < 4; i++) {
        answer_what_waits(&p->client, client);
        pair_run(p);
        answer_what_waits(&p->server, server);
        pair_run(p);
    }
    return !((hf_conn_wants(p->client.conn) | hf_conn_wants(p->server.conn)) &
             (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

static void test_question(void)
{
    ROW("Y145");
    struct pair p;
    size_t len;
    for (unsigned i = 0; i < 8; i++) {
        uint16_t version = i & 1 ? HF_TLS1_3 : HF_TLS1_2;
        struct asked client = {.key = key, .later = (i & 2) != 0},
                     server = {.key = key, .later = (i & 4) != 0};
        CHECK(by_question(&p, &client, &server, version));
        CHECK_INT(hf_conn_version(p.client.conn), version);
        CHECK_INT(client.calls, 1);
        CHECK_INT(server.calls, 1);
        CHECK_INT(client.identity_len, 0); /* no hint */
        CHECK_INT(server.identity_len, sizeof name - 1);
        CHECK_MEM(hf_conn_psk_identity(p.server.conn, &len), name, sizeof name - 1);
        CHECK_INT(pair_send(&p, &p.client, "hello", 5), HF_DONE);
        CHECK_INT(p.server.data.len, 5);
        pair_clear(&p);
    }
    for (uint16_t version = HF_TLS1_2; version <= HF_TLS1_3; version++) {
        /* keys that differ, one that nobody knows, none at all, and a refusal with an alert */
        bool new = version == HF_TLS1_3;
        struct asked client = {.key = key}, server = {.key = other};
        CHECK(!by_question(&p, &client, &server, version));
        CHECK_INT(end_code(&p.server), new ? HF_E_BAD_BINDER : HF_E_BAD_RECORD_MAC);
        pair_clear(&p);
        server.key = NULL;
        CHECK(!by_question(&p, &client, &server, version));
        CHECK_INT(end_code(&p.server), new ? HF_E_NO_CREDENTIAL : HF_E_UNKNOWN_PSK);
        pair_clear(&p);
        server.refuse = true;
        CHECK(!by_question(&p, &client, &server, version));
        CHECK_INT(end_code(&p.server), HF_E_REFUSED);
        CHECK_INT(hf_conn_error(p.client.conn)->alert, 115);
        pair_clear(&p);
        server = (struct asked){.key = key};
        client.key = NULL;
        CHECK(!by_question(&p, &client, &server, version));
        CHECK_INT(server.calls, 0);
        pair_clear(&p);
    }
}

static bool without_identity(hf_conn *conn, const hf_question *q, void *arg)
{
    (void)q, (void)arg;
    return hf_answer_psk(conn, NULL, 0, key, 32);
}

static bool long_identity(hf_conn *conn, const hf_question *q, void *arg)
{
    static const uint8_t identity[257] = {1};
    (void)q, (void)arg;
    return hf_answer_psk(conn, identity, sizeof identity, key, 32);
}

static void test_identities(void)
{
    struct pair p;
    size_t len;
    static const hf_ask_fn fn[] = {without_identity, long_identity};
    for (int i = 0; i < 2; i++) {
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_ask(p.client_config, HF_ASK_PSK, fn[i], NULL));
        CHECK(hf_config_ask_psk_in_tls13(p.client_config, true));
        CHECK(!pair_shake(&p));
        CHECK_INT(end_code(&p.client), HF_E_USAGE);
        pair_clear(&p);
    }
    struct asked client = {.key =
                               key}; /* a server that does not know it shows its certificate */
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_ask(p.client_config, HF_ASK_PSK, on_psk, &client));
    CHECK(hf_config_ask_psk_in_tls13(p.client_config, true));
    CHECK(pair_shake(&p));
    CHECK(hf_conn_verified(p.client.conn));
    CHECK(hf_conn_psk_identity(p.client.conn, &len) == NULL && len == 0);
    pair_clear(&p);
}

/* With a list as well: the list comes first on a server; off by default; with a retry. */
static void test_question_and_list(void)
{
    struct pair p;
    struct asked client = {.key = other}, server = {.key = key, .later = true};
    pair_init(&p, PKI_P256);
    without_certificate(&p);
    add(p.client_config, key);
    CHECK(hf_config_set_ask(p.client_config, HF_ASK_PSK, on_psk, &client)); /* for TLS 1.2 */
    CHECK(hf_config_set_ask(p.server_config, HF_ASK_PSK, on_psk, &server));
    CHECK(hf_config_ask_psk_in_tls13(p.server_config, true));
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    only13(&p);
    pair_connect(&p);
    pair_run(&p);
    for (int i = 0; i < 2; i++) { /* once for each ClientHello */
        answer_what_waits(&p.server, &server);
        pair_run(&p);
    }
    CHECK(!(hf_conn_wants(p.client.conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED)));
    CHECK(hf_conn_retried(p.client.conn));
    CHECK_INT(client.calls, 0);
    CHECK_INT(server.calls, 2);
    pair_reset(&p);
    hf_config_free(p.server_config);
    p.server_config = hf_config_new(HF_SERVER);
    add(p.server_config, key);
    server.calls = 0;
    CHECK(hf_config_set_ask(p.server_config, HF_ASK_PSK, on_psk, &server));
    CHECK(hf_config_ask_psk_in_tls13(p.server_config, true));
    CHECK(pair_shake(&p));
    CHECK_INT(server.calls, 0);
    pair_clear(&p);
}

static void test_question_without_memory(void)
{
    bool done = false;
    for (unsigned long n = 1; !done && n < 500; n++) {
        struct pair p;
        struct asked client = {.key = key}, server = {.key = key};
        pair_init(&p, PKI_P256);
        without_certificate(&p);
        CHECK(hf_config_set_ask(p.client_config, HF_ASK_PSK, on_psk, &client));
        CHECK(hf_config_set_ask(p.server_config, HF_ASK_PSK, on_psk, &server));
        CHECK(hf_config_ask_psk_in_tls13(p.client_config, true));
        CHECK(hf_config_ask_psk_in_tls13(p.server_config, true));
        only13(&p);
        CHECK(hf_config_freeze(p.client_config, NULL) &&
              hf_config_freeze(p.server_config, NULL));
        pair_connect(&p);
        mem_test_fail_after(n);
        pair_run(&p);
        mem_test_fail_after(0);
        done = !((hf_conn_wants(p.client.conn) | hf_conn_wants(p.server.conn)) &
                 (HF_IN_HANDSHAKE | HF_IS_FAILED));
        pair_clear(&p);
    }
    CHECK(done);
}

int main(void)
{
    RUN(test_question);
    RUN(test_identities);
    RUN(test_question_and_list);
    RUN(test_question_without_memory);
    RUN(test_derivation);
    RUN(test_external);
    RUN(test_hash_decides);
    RUN(test_imported);
    RUN(test_fallback);
    RUN(test_wrong_key);
    RUN(test_labels);
    RUN(test_resumption);
    RUN(test_retry);
    return check_done();
}

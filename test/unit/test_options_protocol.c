/* test_options_protocol.c: named options and what is spoken with them: versions, suites, renegotiation, sessions. */
#include "bytes/writer.h"
#include "meeting.h"
#include "message/message.h"

/* ---------------------------------------------------------------- what is spoken */

static void test_compression(void)
{
    ROW("T51");
    static const uint8_t suites[] = {0xc0, 0x2b}, methods[] = {1, 0}, random[32] = {1};
    struct client_hello ch = {.version = HF_TLS1_2,
                              .random = slice_of(random, 32),
                              .suites = slice_of(suites, 2),
                              .compression = slice_of(methods, 2)};
    for (int off = 0; off < 2; off++) {
        hf_options *o = options_of("disable_compression", off ? "yes" : "no", NULL);
        hf_config *config = hf_options_config(o, HF_SERVER, server_config, NULL);
        hf_conn *conn = hf_conn_new_server(config, NULL);
        struct buffer b = {0};
        struct wr w;
        wr_start(&w, &b);
        wr_bytes(&w, "\x16\3\1", 3);
        size_t record = wr_open(&w, 2), message = msg_begin(&w, MSG_CLIENT_HELLO);
        msg_write_client_hello(&w, &ch);
        size_t block = wr_open(&w, 2);
        wr_bytes(&w, "\0\x0d\0\4\0\2\4\3\0\x0a\0\4\0\2\0\x17", 16);
        wr_close(&w, block, 2);
        msg_finish(&w, message);
        wr_close(&w, record, 2);
        CHECK(wr_ok(&w));
        uint8_t *data;
        size_t used, n, len = 0;
        CHECK_INT(hf_conn_receive(conn, buffer_front(&b), buffer_len(&b), &used, &data, &n),
                  HF_WANT_INPUT);
        const uint8_t *out = hf_conn_output(conn, &len);
        /* record header, message header, version, random, no session ID or 32 bytes, suite */
        CHECK(len > 80 && out[5] == MSG_SERVER_HELLO);
        size_t at = 5 + 4 + 2 + 32;
        at += 1 + out[at];
        CHECK(out[at] == 0xc0 && out[at + 1] == 0x2b);
        CHECK_INT(out[at + 2], 0); /* NULL, though DEFLATE was offered first */
        hf_conn_free(conn);
        hf_config_free(config);
        buffer_clear(&b);

        /* And a client offers nothing else. */
        config = hf_options_config(o, HF_CLIENT, client_config, NULL);
        conn = hf_conn_new_client(config, "localhost", NULL);
        out = hf_conn_output(conn, &len);
        at = 5 + 4 + 2 + 32;
        at += 1 + out[at];
        at += 2 + (size_t)(out[at] << 8 | out[at + 1]);
        CHECK(out[at] == 1 && out[at + 1] == 0);
        hf_conn_free(conn);
        hf_config_free(config);
        hf_options_free(o);
    }
    CHECK(hf_option_find("disable_compression")->no_effect);
}

static void check_agreed(const char *server[2], const char *client[2], uint16_t version,
                         uint16_t suite, uint16_t group, const char *alpn)
{
    struct meeting m = {.server_base = server_config};
    m.server = options_of(server[0], server[1], NULL);
    m.client = options_of("cafile", pki->root->pem, client[0], client[1], NULL);
    CHECK_INT(meet(&m), HF_OK);
    const hf_conn *conn = m.stream ? hf_stream_conn(m.stream) : NULL;
    if (conn) {
        size_t len = 0;
        const uint8_t *name = hf_conn_alpn(conn, &len);
        if (version)
            CHECK_INT(hf_conn_version(conn), version);
        if (suite)
            CHECK_INT(hf_conn_suite(conn), suite);
        if (group)
            CHECK_INT(hf_conn_group(conn), group);
        if (alpn)
            CHECK(len == strlen(alpn) && memcmp(name, alpn, len) == 0);
    }
    leave(&m);
}

#define PAIR(name, value) ((const char *[2]){name, value})

static void test_protocol(void)
{
    ROW("T53");
    const char **none = PAIR("timeout", "60");
    check_agreed(none, PAIR("crypto_method", "TLSv1.2"), HF_TLS1_2, 0, 0, NULL);
    check_agreed(PAIR("crypto_method", "32"), none, HF_TLS1_2, 0, 0, NULL);
    check_agreed(none, PAIR("max_proto_version", "TLSv1.2"), HF_TLS1_2, 0, 0, NULL);
    check_agreed(PAIR("min_proto_version", "TLSv1.3"), none, HF_TLS1_3, 0, 0, NULL);
    check_agreed(none, PAIR("ecdh_curve", "P-384"), 0, 0, 0x0018, NULL);
    check_agreed(PAIR("ecdh_curve", "P-256:P-384"), PAIR("ecdh_curve", "P-384:P-256"), 0, 0, 0,
                 NULL);
    check_agreed(PAIR("alpn_protocols", "http/1.1,h2"), PAIR("alpn_protocols", "h2,http/1.1"),
                 0, 0, 0, "http/1.1");
    /* Whose order counts, in TLS 1.2 where suites come from `ciphers`. */
    static const char ours[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    static const char theirs[] = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
    for (int server = 0; server < 2; server++) {
        struct meeting m = {.server_base = server_config};
        m.server = options_of("honor_cipher_order", server ? "yes" : "no", "ciphers", ours,
                              "crypto_method", "TLSv1.2", NULL);
        m.client = options_of("cafile", pki->root->pem, "ciphers", theirs, NULL);
        CHECK_INT(meet(&m), HF_OK);
        CHECK_INT(hf_conn_suite(hf_stream_conn(m.stream)), server ? 0xc02b : 0xc02c);
        leave(&m);
    }
    /* Tickets. */
    for (int off = 0; off < 2; off++) {
        struct meeting m = {.url = fixed_url(), .server_base = server_config};
        m.server = options_of("no_ticket", off ? "yes" : "no", NULL);
        m.client = options_of("cafile", pki->root->pem, NULL);
        CHECK_INT(meet(&m), HF_OK);
        hf_close(m.stream, NULL);
        CHECK_INT(meet(&m),
                  HF_OK); /* the options keep the configuration, and that its sessions */
        CHECK(hf_conn_resumed(hf_stream_conn(m.stream)) == !off);
        leave(&m);
        session_cache_clear();
    }
    /* Old versions need the level that lets them in. */
    struct meeting m = {.server_base = server_config};
    m.server = options_of("crypto_method", "TLSv1.0", "security_level", "0", NULL);
    m.client = options_of("cafile", pki->root->pem, "min_proto_version", "TLSv1.0",
                          "security_level", "0", NULL);
    CHECK_INT(meet(&m), HF_OK);
    CHECK_INT(seen_version, HF_TLS1_0);
    leave(&m);
    hf_error err = {0};
    hf_options *o = options_of("crypto_method", "TLSv1.1|TLSv1.3", NULL);
    CHECK(!hf_options_config(o, HF_CLIENT, NULL, &err) && strstr(err.detail, "hole"));
    hf_options_free(o);
    /* Accepted, without effect, and the table says so. */
    static const char *const inert[] = {"single_dh_use", "single_ecdh_use", "rsa_key_size",
                                        "reneg_window", "disable_compression"};
    for (size_t i = 0; i < sizeof inert / sizeof *inert; i++)
        CHECK(hf_option_find(inert[i])->no_effect &&
              strlen(hf_option_find(inert[i])->help) > 10);
    o = options_of("single_dh_use", "yes", "single_ecdh_use", "no", "rsa_key_size", "2048",
                   "reneg_window", "300", NULL);
    hf_config *config = hf_options_config(o, HF_SERVER, server_config, &err);
    CHECK(config != NULL);
    hf_config_free(config);
    hf_options_free(o);
    o = hf_options_new();
    CHECK(!hf_options_set(o, "dh_param", "/nowhere/dh.pem", &err) &&
          strstr(err.detail, "/nowhere/dh.pem"));
    memset(&err, 0, sizeof err);
    CHECK(!hf_options_set(o, "dh_param",
                          "-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n",
                          &err) &&
          strstr(err.detail, "no Diffie-Hellman"));
    hf_options_free(o);
}

static size_t suites_of(hf_config *config, hf_suite_info *out)
{
    return hf_config_suites(config, false, out, 128);
}

/* That hf_config_set_ciphers chooses what OpenSSL does is shown in test_ciphers.c, for the same row. */
static void test_ciphers(void)
{
    ROW("T48");
    static const char *const strings[] = {"ALL",
                                          "DEFAULT",
                                          "ECDHE+AESGCM",
                                          "HIGH:!aNULL@STRENGTH",
                                          "AES128:-SHA1",
                                          "ALL:@SECLEVEL=0",
                                          "ECDHE:!CHACHA20",
                                          "kRSA+AES",
                                          "PSK:ECDHE+AESGCM",
                                          "TLSv1.2:!DH"};
    hf_suite_info want[128], got[128];
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        hf_options *o = options_of("ciphers", strings[i], NULL);
        hf_config *by_hand = hf_config_new(HF_CLIENT);
        hf_config *config = hf_options_config(o, HF_CLIENT, NULL, NULL);
        CHECK(hf_config_set_ciphers(by_hand, strings[i]));
        size_t n = suites_of(by_hand, want);
        CHECK(config && suites_of(config, got) == n);
        for (size_t k = 0; k < n; k++)
            CHECK_INT(got[k].id, want[k].id);
        CHECK_INT(hf_config_security_level(config), hf_config_security_level(by_hand));
        hf_config_free(by_hand);
        hf_config_free(config);
        hf_options_free(o);
    }
    hf_options *o = options_of("security_level", "4", NULL);
    hf_config *config = hf_options_config(o, HF_CLIENT, NULL, NULL);
    CHECK_INT(hf_config_security_level(config), 4);
    hf_config_free(config);
    hf_options_free(o);
}

/* ---------------------------------------------------------------- renegotiation */

static bool carry(hf_conn *from, hf_conn *to)
{
    uint8_t buf[20000], *data;
    size_t len, used, n;
    const uint8_t *p = hf_conn_output(from, &len);
    if (!p || len == 0 || len > sizeof buf)
        return false;
    memcpy(buf, p, len);
    hf_conn_output_done(from, len);
    for (size_t at = 0; at < len; at += used) {
        hf_result r = hf_conn_receive(to, buf + at, len - at, &used, &data, &n);
        if (r == HF_FAILED || (r == HF_WANT_INPUT && used == 0))
            break;
    }
    return true;
}

static void talk(hf_conn *client, hf_conn *server)
{
    bool moved = true;
    while (moved) {
        moved = carry(client, server);
        moved = carry(server, client) || moved;
    }
}

static void test_renegotiation(void)
{
    ROW("T54");
    for (unsigned limit = 0; limit < 4; limit += 3) {
        char text[8];
        snprintf(text, sizeof text, "%u", limit);
        hf_options *o = options_of("reneg_limit", text, "crypto_method", "TLSv1.2", NULL);
        hf_config *config = hf_options_config(o, HF_SERVER, server_config, NULL);
        hf_config *eager = hf_config_derive(client_config);
        CHECK(config && hf_config_set_renegotiation(eager, 50));
        hf_conn *server = hf_conn_new_server(config, NULL);
        hf_conn *client = hf_conn_new_client(eager, "localhost", NULL);
        talk(client, server);
        CHECK_INT(hf_conn_version(server), HF_TLS1_2);
        hf_session_stats before, after;
        hf_config_session_stats(config, &before);
        unsigned tries = 0;
        while (tries < 20 && hf_conn_renegotiate(client, NULL) == HF_DONE) {
            talk(client, server);
            tries++;
        }
        hf_config_session_stats(config, &after);
        /* The flood ends at the limit, and with it, in the end, the connection. */
        CHECK_INT(after.accept_renegotiate - before.accept_renegotiate, limit);
        CHECK(tries < 20);
        hf_conn_free(client);
        hf_conn_free(server);
        hf_config_free(config);
        hf_config_free(eager);
        hf_options_free(o);
    }
}

/* ---------------------------------------------------------------- what is no text */

static hf_session *kept;
static int added, found, removed, asked_early, asked_psk;

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    (void)conn;
    (void)arg;
    hf_session_free(kept);
    kept = hf_session_ref(session);
}

static void store_add(hf_conn *conn, hf_session *session, void *arg)
{
    (void)arg;
    added++;
    keep(conn, session, NULL);
}

static hf_session *store_find(const uint8_t *id, size_t len, void *arg)
{
    size_t have = 0;
    (void)arg;
    found++;
    const uint8_t *p = kept ? hf_session_id(kept, &have) : NULL;
    return p && have == len && memcmp(p, id, len) == 0 ? hf_session_ref(kept) : NULL;
}

static void store_remove(const hf_session *session, void *arg)
{
    (void)session;
    (void)arg;
    removed++;
}

static bool take_early(hf_conn *conn, const hf_question *question, void *arg)
{
    (void)question;
    (void)arg;
    asked_early++;
    return hf_answer_early_data(conn, true);
}

static bool tell_psk(hf_conn *conn, const hf_question *question, void *arg)
{
    static const uint8_t key[16] = "sixteen bytes ..";
    (void)question;
    (void)arg;
    asked_psk++;
    return hf_answer_psk(conn, (const uint8_t *)"me", 2, key, sizeof key);
}

static void session_hex(const hf_session *session, char *out, size_t size)
{
    uint8_t bytes[8192];
    size_t len = hf_session_export(session, bytes, sizeof bytes);
    CHECK(len <= sizeof bytes && 2 * len < size);
    for (size_t i = 0; i < len && 2 * i + 2 < size; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void check_sessions_and_early_data(void)
{
    static char text[20000];
    hf_config *base = hf_config_derive(client_config),
              *server = hf_config_derive(server_config);
    CHECK(hf_config_set_session_callback(base, keep, NULL));
    CHECK(hf_config_set_ask(server, HF_ASK_EARLY_DATA, take_early, NULL));
    struct meeting m = {.server_base = server, .client_base = base};
    m.server = options_of("max_early_data", "1000", NULL);
    m.client = options_of("early_data", "yes", NULL);
    CHECK_INT(meet(&m), HF_OK);
    CHECK(kept && hf_session_max_early_data(kept) == 1000); /* session_new_cb */
    hf_close(m.stream, NULL);
    session_hex(kept, text, sizeof text);
    CHECK(hf_options_set(m.client, "session_data", text, NULL));
    hf_net_options net = {.early_data = "early", .early_len = 5};
    m.net = &net;
    CHECK_INT(meet(&m), HF_OK);
    CHECK(hf_conn_resumed(hf_stream_conn(m.stream))); /* session_data */
    CHECK_INT(asked_early, 1); /* early_data_cb, early_data, max_early_data */
    CHECK(hf_options_set(m.client, "session_data", "xyz", NULL));
    hf_close(m.stream, NULL);
    m.net = NULL;
    /* Nobody is called with a session that is none. */
    m.stream = hf_open_with("tls://127.0.0.1:1", m.client, base, NULL, &m.err);
    CHECK(!m.stream && m.err.code == HF_E_CONFIG && strstr(m.err.detail, "session_data"));
    leave(&m);
    hf_session_free(kept);
    kept = NULL;
    hf_config_free(base);
    hf_config_free(server);
}

static void check_store_and_keys(void)
{
    hf_config *base = hf_config_derive(server_config);
    hf_session_store store = {.add = store_add, .find = store_find, .remove = store_remove};
    CHECK(hf_config_set_session_store(base, &store));
    CHECK(hf_config_set_session_cache(base, 0, 100));
    struct meeting m = {.url = fixed_url(), .server_base = base};
    m.server = options_of("no_ticket", "yes", "crypto_method", "TLSv1.2", NULL);
    m.client = options_of("cafile", pki->root->pem, "no_ticket", "yes", NULL);
    CHECK_INT(meet(&m), HF_OK);
    CHECK_INT(added, 1);
    hf_close(m.stream, NULL);
    CHECK_INT(meet(&m), HF_OK);
    CHECK(found > 0 && hf_conn_resumed(hf_stream_conn(m.stream)));
    leave(&m);
    hf_config_free(base);
    hf_session_free(kept);
    kept = NULL;

    /* Pre-shared keys by question, on both sides. */
    hf_config *here = hf_config_new(HF_CLIENT), *there = hf_config_new(HF_SERVER);
    for (int i = 0; i < 2; i++) {
        hf_config *c = i ? there : here;
        CHECK(hf_config_set_suites(c, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256"));
        CHECK(hf_config_set_ask(c, HF_ASK_PSK, tell_psk, NULL));
    }
    m = (struct meeting){.server_base = there, .client_base = here};
    m.server = options_of("crypto_method", "TLSv1.2", NULL);
    m.client = options_of("crypto_method", "TLSv1.2", NULL);
    CHECK_INT(meet(&m), HF_OK);
    CHECK_INT(asked_psk, 2);
    leave(&m);
    hf_config_free(here);
    hf_config_free(there);
}

/* A cache with room for one: the second session pushes the first out. */
static void check_removal(void)
{
    hf_config *base = hf_config_derive(server_config);
    hf_session_store store = {.add = store_add, .find = store_find, .remove = store_remove};
    CHECK(hf_config_set_session_store(base, &store));
    CHECK(hf_config_set_session_cache(base, 1, 100));
    struct meeting m = {.server_base = base};
    m.server = options_of("no_ticket", "yes", "crypto_method", "TLSv1.2", NULL);
    m.client = options_of("cafile", pki->root->pem, "no_ticket", "yes", NULL);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(meet(&m), HF_OK);
        hf_close(m.stream, NULL);
        m.stream = NULL;
    }
    CHECK(removed > 0);
    leave(&m);
    hf_config_free(base);
    hf_session_free(kept);
    kept = NULL;
}

/* session_data, session_new_cb, session_get_cb, session_remove_cb, psk_client_cb, psk_server_cb, early_data,
 * max_early_data, early_data_cb: as text where they are text, on the base configuration where they are functions. */
static void test_hooks(void)
{
    ROW("T56");
    check_sessions_and_early_data();
    check_store_and_keys();
    check_removal();
}

/* The n-th allocation fails. */
static void test_memory(void)
{
    hf_options *o = hf_options_new();
    for (unsigned long n = 1; n < 400; n++) {
        mem_test_fail_after(n);
        hf_error err = {0};
        bool good = hf_options_set(o, "ciphers", "ECDHE+AESGCM", &err) &&
                    hf_options_set(o, "local_cert", pki->bundle_pem, &err) &&
                    hf_options_set(o, "SNI_server_certs", "a.test=/nowhere/x.pem", &err);
        hf_config *config = good ? hf_options_config(o, HF_SERVER, NULL, &err) : NULL;
        mem_test_fail_after(0);
        CHECK(!config && err.code != HF_OK);
        hf_options_set(o, "SNI_server_certs", NULL, NULL);
    }
    hf_options_free(o);
}

int main(void)
{
    meeting_begin();

    RUN(test_compression);
    RUN(test_protocol);
    RUN(test_ciphers);
    RUN(test_renegotiation);
    RUN(test_hooks);
    RUN(test_memory);

    meeting_end();
    return check_done();
}

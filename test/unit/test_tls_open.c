/* Opening TLS streams: the handshake and its failures, names, questions and sessions. */
#include "tlspeer.h"

static void play_drop(hf_stream *s)
{
    char buf[8];

    CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 0);
    hf_close(s, NULL);
}

/* The name is verified, the IP address of a literal too, and the server learns why it was left. */
static void test_wrong_name(void)
{
    hf_net_options options = {.peer_name = "wrong.example"};
    hf_error err = {0};
    struct tls_peer p;

    tls_peer_start(&p, "tls://localhost:0", server_config, 1, play_drop);
    CHECK(hf_open(p.url, client_config, &options, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "WRONG_NAME");
    CHECK_INT(err.alert, 42);
    tls_peer_end(&p);
    CHECK_STR(hf_code_name(p.err.code), "ALERT_RECEIVED");
    CHECK(p.err.alert_received);
    CHECK_INT(p.err.alert, 42);

    hf_config *elsewhere = make_server(other); /* without this machine's addresses */
    hf_config *trusting = make_client(other);

    tls_peer_start(&p, "tls://127.0.0.1:0", elsewhere, 1, play_drop);
    CHECK(hf_open(p.url, trusting, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "WRONG_NAME");
    tls_peer_end(&p);
    hf_config_free(elsewhere);
    hf_config_free(trusting);
}

static void test_untrusted(void)
{
    hf_error err = {0};
    hf_config *stranger = make_client(other);
    struct tls_peer p;

    tls_peer_start(&p, "tls://localhost:0", server_config, 1, play_drop);
    CHECK(hf_open(p.url, stranger, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "UNTRUSTED");
    CHECK_INT(err.fault, HF_FAULT_PEER);
    tls_peer_end(&p);
    CHECK_STR(hf_code_name(p.err.code), "ALERT_RECEIVED");
    CHECK_INT(p.err.alert, 48);
    hf_config_free(stranger);
    CHECK_INT(iobuf_test_held(), 0);
}

/* The platform's trust is the default: it does not know our root. */
static void test_default_config(void)
{
    hf_error err = {0};
    struct tls_peer p;

    tls_peer_start(&p, "tls://localhost:0", server_config, 1, play_drop);
    CHECK(hf_open(p.url, NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "UNTRUSTED");
    tls_peer_end(&p);
}

/* A peer that speaks something else, and one that says nothing. */
static void play_smtp(hf_stream *s)
{
    char buf[512];

    CHECK_INT(hf_write(s, "220 mail.example ESMTP\r\n", 24, NULL), 24);
    while (hf_read(s, buf, sizeof buf, NULL) > 0)
        ;
    hf_close(s, NULL);
}

static void test_plaintext_peer(void)
{
    hf_error err = {0};
    struct peer p;
    char url[96];

    peer_start(&p, "tcp://localhost:0", play_smtp);
    as_tls(url, p.url);
    CHECK(hf_open(url, client_config, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "PLAINTEXT_PEER");
    CHECK(err.detail[0] != 0);
    peer_end(&p);
}

static void play_mute(hf_stream *s)
{
    char buf[4096];

    while (hf_read(s, buf, sizeof buf, NULL) > 0)
        ;
    hf_close(s, NULL);
}

static void test_handshake_timeout(void)
{
    hf_net_options options = {.connect_timeout = PATIENCE, .handshake_timeout = 0.3};
    hf_error err = {0};
    struct peer p;
    char url[96];
    double start = now();

    peer_start(&p, "tcp://localhost:0", play_mute);
    as_tls(url, p.url);
    CHECK(hf_open(url, client_config, &options, &err) == NULL);
    took(start, 0.3);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK(strstr(err.detail, "TLS handshake"));
    peer_end(&p);
}

static void play_hang_up(hf_stream *s)
{
    char buf[4096];

    (void)!hf_read(s, buf, sizeof buf, NULL);
    hf_close(s, NULL);
}

static void test_handshake_cut(void)
{
    hf_error err = {0};
    struct peer p;
    char url[96];

    peer_start(&p, "tcp://localhost:0", play_hang_up);
    as_tls(url, p.url);
    CHECK(hf_open(url, client_config, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "HANDSHAKE_CUT");
    peer_end(&p);
}

/* T35: a client that says nothing does not hold up the loop that accepts. */
static void test_lazy(void)
{
    hf_net_options options = {.lazy_handshake = true, .timeout = PATIENCE};
    hf_error err = {0};
    hf_listener *l = hf_listen("tls://localhost:0", server_config, &options, &err);
    char url[96], buf[8];
    hf_stream *mute, *s;
    double start;

    ROW("Y131 Y133");
    hf_listener_url(l, url, sizeof url);
    memcpy(url, "tcp", 3);
    mute = open_ok(url, NULL);
    start = now();
    s = hf_accept(l, &err);
    CHECK(s != NULL);
    CHECK(now() - start < SOON);
    CHECK(!hf_eof(s));
    hf_stream_set_timeout(s, 0.3);
    hf_stream_set_limit(s, HF_LIMIT_HANDSHAKE, 0.3);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_close(mute, NULL);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "HANDSHAKE_CUT");
    hf_close(s, NULL);
    hf_listener_close(l);
}

/* A server that refuses a client does so after the client's handshake: its reason comes by hf_read. */
static void test_certificate_required(void)
{
    hf_config *strict = make_server(pki);
    hf_trust *trust = hf_trust_new();
    hf_error err = {0};
    struct tls_peer p;
    hf_stream *s;
    char byte;

    CHECK(hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), &err));
    CHECK(hf_config_set_trust(strict, trust));
    CHECK(hf_config_set_client_auth(strict, HF_CLIENT_AUTH_REQUIRE));
    tls_peer_start(&p, "tls://localhost:0", strict, 1, play_drop);
    s = tls_open(p.url, NULL);
    CHECK_INT(hf_read(s, &byte, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "ALERT_RECEIVED");
    CHECK_INT(err.alert, 116);
    hf_close(s, NULL);
    tls_peer_end(&p);
    CHECK_STR(hf_code_name(p.err.code), "CERTIFICATE_REQUIRED");
    hf_trust_free(trust);
    hf_config_free(strict);
}

/* A question that is answered later. */
static bool later(hf_conn *conn, const hf_question *question, void *arg)
{
    (void)conn;
    (void)question;
    (void)arg;
    return false;
}

static void test_answer_later(void)
{
    hf_net_options options = {.non_blocking = true, .peer_name = "localhost"};
    hf_config *asking = make_client(pki);
    hf_error err = {0};

    CHECK(hf_config_set_ask(asking, HF_ASK_VERIFY, later, NULL));
    for (int blocking = 0; blocking < 2; blocking++) {
        hf_stream *c, *s;
        int fd[2], a = HF_AGAIN, b, turns = 0;

        pair_of(fd);
        c = hf_stream_wrap(fd[0], "tls", HF_CLIENT, asking, &options, &err);
        s = hf_stream_wrap(fd[1], "tls", HF_SERVER, server_config, &options, &err);
        CHECK(c && s);
        do {
            a = hf_stream_handshake(c, &err);
            b = hf_stream_handshake(s, &err);
        } while (!hf_conn_question(hf_stream_conn(c)) && turns++ < 10);
        CHECK_INT(a, HF_AGAIN);
        CHECK_INT(b, HF_AGAIN);
        CHECK(hf_conn_question(hf_stream_conn(c)) != NULL);
        CHECK_INT(hf_stream_events(c), 0);
        if (blocking) {
            c->non_blocking = false;
            CHECK_INT(hf_stream_handshake(c, &err), -1);
            CHECK_STR(hf_code_name(err.code), "USAGE");
        } else {
            CHECK(hf_answer_verify(hf_stream_conn(c), true));
            CHECK_INT(hf_stream_handshake(c, &err), 0);
            CHECK_INT(hf_stream_handshake(s, &err), 0);
        }
        hf_close(c, NULL);
        hf_close(s, NULL);
    }
    hf_config_free(asking);
}

/* Allocations fail at every place: nothing crashes, nothing is lost, and it is an error. */
static void test_no_memory(void)
{
    ROW("C14");
    hf_net_options options = {.non_blocking = true, .peer_name = "localhost"};
    unsigned long n = 0;
    bool whole = false;

    while (!whole && n < 5000 && !check_bad) {
        hf_error e[2] = {{0}, {0}};
        hf_stream *s[2];
        int fd[2], r[2] = {HF_AGAIN, HF_AGAIN};
        char byte;

        pair_of(fd);
        mem_test_fail_after(n += n < 60 ? 1 : 7);
        s[0] = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &e[0]);
        s[1] = hf_stream_wrap(fd[1], "tls", HF_SERVER, server_config, &options, &e[1]);
        for (int turn = 0; s[0] && s[1] && turn < 8; turn++)
            for (int i = 0; i < 2; i++)
                if (r[i] == HF_AGAIN)
                    r[i] = hf_stream_handshake(s[i], &e[i]);
        if (r[0] == 0 && r[1] == 0)
            whole = hf_write(s[0], "x", 1, &e[0]) == 1 && hf_read(s[1], &byte, 1, &e[1]) == 1;
        mem_test_fail_after(0);
        CHECK(whole || e[0].code != HF_OK || e[1].code != HF_OK);
        for (int i = 0; i < 2; i++) {
            if (!s[i])
                close(fd[i]);
            hf_close(s[i], NULL);
        }
    }
    CHECK(whole);
    CHECK_INT(iobuf_test_held(), 0);
}

static void play_greet(hf_stream *s)
{
    char buf[8];

    CHECK_INT(hf_write(s, "hi", 2, NULL), 2);
    while (hf_read(s, buf, sizeof buf, NULL) > 0)
        ;
    hf_close(s, NULL);
}

static bool visit(const char *url, hf_config *config, const hf_net_options *options)
{
    hf_error err = {0};
    hf_stream *s = hf_open(url, config, options, &err);
    char buf[8];
    bool resumed = s && hf_conn_resumed(hf_stream_conn(s));

    if (!s)
        printf("    visit: %s: %s\n", hf_code_name(err.code), err.detail);
    CHECK(s != NULL);
    if (s)
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 2);
    hf_close(s, NULL);
    return resumed;
}

static void test_session_cache(void)
{
    hf_net_options without = {.no_session_cache = true};
    hf_net_options named = {.peer_name = "other.localhost"};
    hf_config *fresh = make_client(pki), *frozen = make_client(pki);
    struct tls_peer p;

    session_cache_clear();
    tls_peer_start(&p, "tls://localhost:0", server_config, 9, play_greet);
    CHECK(!visit(p.url, fresh, NULL));
    CHECK_INT(session_cache_count(), 2);
    /* each ticket leaves the cache when it is used; the resumed connection brings one */
    CHECK(visit(p.url, fresh, NULL));
    CHECK_INT(session_cache_count(), 2);
    /* not for another name, which the certificate was not checked for, nor another configuration */
    CHECK(!visit(p.url, fresh, &named));
    CHECK_INT(session_cache_count(), 4);
    CHECK(hf_config_freeze(frozen, NULL));
    CHECK(!visit(p.url, frozen, NULL));
    CHECK_INT(session_cache_count(), 6);
    CHECK(visit(p.url, frozen, NULL));
    CHECK(!visit(p.url, fresh, &without));
    CHECK_INT(session_cache_count(), 6);
    CHECK(visit(p.url, fresh, NULL));
    /* a configuration that is gone takes its sessions with it */
    hf_config_free(frozen);
    CHECK(visit(p.url, fresh, NULL));
    CHECK_INT(session_cache_count(), 4);
    hf_config_free(fresh);
    CHECK(!visit(p.url, client_config, &without));
    tls_peer_end(&p);
    session_cache_clear();
    CHECK_INT(session_cache_count(), 0);
}

static hf_session *kept;

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    (void)conn;
    (void)arg;
    if (!kept)
        kept = hf_session_ref(session);
}

/* A program that keeps its sessions itself goes on doing so. */
static void test_session_given(void)
{
    hf_config *config = make_client(pki);
    struct tls_peer p;

    session_cache_clear();
    CHECK(hf_config_set_session_callback(config, keep, NULL));
    tls_peer_start(&p, "tls://localhost:0", server_config, 2, play_greet);
    CHECK(!visit(p.url, config, NULL));
    CHECK(kept != NULL);
    CHECK_INT(session_cache_count(), 0);

    hf_net_options options = {.session = kept};

    CHECK(visit(p.url, config, &options));
    tls_peer_end(&p);
    hf_session_free(kept);
    hf_config_free(config);
}

/* Each scheme with a version gets just that; those below TLS 1.2 only at security level 0. */
static void test_versions(void)
{
    static const struct {
        const char *scheme;
        uint16_t version;
    } all[] = {{"tlsv1.0", HF_TLS1_0}, {"tlsv1.1", HF_TLS1_1}, {"tlsv1.2", HF_TLS1_2},
               {"tlsv1.3", HF_TLS1_3}, {"ssl", HF_TLS1_3},     {"tls", HF_TLS1_3}};
    hf_config *server = make_server(pki), *client = make_client(pki);
    struct tls_peer p;

    for (int i = 0; i < 2; i++) {
        hf_config *config = i ? server : client;
        CHECK(hf_config_insecure_set_security_level(config, 0));
        CHECK(hf_config_set_versions(config, HF_TLS1_0, HF_TLS1_3));
        CHECK(hf_config_set_ciphers(config, "ALL:@SECLEVEL=0"));
    }
    tls_peer_start(&p, "tls://localhost:0", server, 6, play_greet);
    for (size_t i = 0; i < 6; i++) {
        char url[96];
        hf_error err = {0};
        snprintf(url, sizeof url, "%s%s", all[i].scheme, strstr(p.url, "://"));
        hf_stream *s = hf_open(url, client, NULL, &err);
        if (!s)
            printf("    %s: %s: %s\n", url, hf_code_name(err.code), err.detail);
        char buf[8];
        CHECK(s && hf_conn_version(hf_stream_conn(s)) == all[i].version);
        CHECK(s && hf_read(s, buf, sizeof buf, NULL) == 2);
        hf_close(s, NULL);
    }
    tls_peer_end(&p);
    hf_config_free(server);
    hf_config_free(client);
}

static void test_config_failures(void)
{
    hf_error err = {0};

    CHECK(hf_open("tls://localhost:1", server_config, NULL, &err) == NULL);
    CHECK(err.fault == HF_FAULT_USAGE || err.fault == HF_FAULT_CONFIG);
    CHECK(hf_open("tlsv1.1://localhost:1", client_config, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "SCHEME");
    CHECK(strstr(err.detail, "tlsv1.1:// cannot be had"));
    CHECK(strstr(err.detail, "hf_config_insecure_set_security_level"));
    CHECK(hf_listen("tls://localhost:0", client_config, NULL, &err) == NULL);
    CHECK(err.fault == HF_FAULT_USAGE || err.fault == HF_FAULT_CONFIG);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    RUN(test_wrong_name);
    RUN(test_untrusted);
    RUN(test_default_config);
    RUN(test_plaintext_peer);
    RUN(test_handshake_timeout);
    RUN(test_handshake_cut);
    RUN(test_lazy);
    RUN(test_certificate_required);
    RUN(test_answer_later);
    RUN(test_no_memory);
    RUN(test_session_cache);
    RUN(test_session_given);
    RUN(test_versions);
    RUN(test_config_failures);
    return tls_done(files);
}

/* The table of schemes: which there are, and what each of them opens. */
#include "tlspeer.h"

static void test_list(void)
{
    static const struct {
        const char *scheme;
        hf_transport_state state;
        bool tls, datagrams, paths;
    } want[] = {
        /* clang-format off */
        { "tcp",      HF_TRANSPORT_ENABLED,     false, false, false },
        { "udp",      HF_TRANSPORT_ENABLED,     false, true,  false },
        { "unix",     HF_TRANSPORT_ENABLED,     false, false, true  },
        { "udg",      HF_TRANSPORT_ENABLED,     false, true,  true  },
        { "ssl",      HF_TRANSPORT_ENABLED,     true,  false, false },
        { "tls",      HF_TRANSPORT_ENABLED,     true,  false, false },
        { "tlsv1.0",  HF_TRANSPORT_ENABLED,     true,  false, false },
        { "tlsv1.1",  HF_TRANSPORT_ENABLED,     true,  false, false },
        { "tlsv1.2",  HF_TRANSPORT_ENABLED,     true,  false, false },
        { "tlsv1.3",  HF_TRANSPORT_ENABLED,     true,  false, false },
        { "dtls",     HF_TRANSPORT_UNAVAILABLE, true,  true,  false },
        { "dtlsv1.2", HF_TRANSPORT_UNAVAILABLE, true,  true,  false },
        { "dtlsv1.3", HF_TRANSPORT_UNAVAILABLE, true,  true,  false },
        { "sslv2",    HF_TRANSPORT_PROHIBITED,  true,  false, false },
        { "sslv3",    HF_TRANSPORT_PROHIBITED,  true,  false, false },
        /* clang-format on */
    };
    hf_error err = {0};
    size_t count;
    const hf_transport *all = hf_transports(&count);

    ROW("T01");
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const hf_transport *t = hf_transport_find(want[i].scheme);

        CHECK(t != NULL);
        if (!t)
            continue;
        CHECK_STR(t->scheme, want[i].scheme);
        CHECK_INT(t->state, want[i].state);
        CHECK_INT(t->tls, want[i].tls);
        CHECK_INT(t->datagrams, want[i].datagrams);
        CHECK_INT(t->paths, want[i].paths);
        CHECK_INT(t->reason[0] != 0, want[i].state != HF_TRANSPORT_ENABLED);
    }
    /* the list says no more than that of what is bare transport; openings of protocols come besides */
    for (size_t i = 0; i < count; i++) {
        bool known = false;

        for (size_t j = 0; j < sizeof want / sizeof *want; j++)
            known |= strcmp(all[i].scheme, want[j].scheme) == 0;
        CHECK(known || strchr(all[i].scheme, '+') || all[i].state == HF_TRANSPORT_ENABLED);
    }
    CHECK(hf_transport_find("TLS") == hf_transport_find("tls"));
    CHECK(hf_transport_find("quic") == NULL);
    CHECK(hf_transport_find(NULL) == NULL);
    CHECK(hf_open("quic://127.0.0.1:1", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "SCHEME");
    CHECK(strstr(err.detail,
                 "tcp, tls, ssl, tlsv1.0 to tlsv1.3, udp, unix, udg, and protocols") != NULL);
}

/* Every scheme and every function that the library exports says with which version of the API it came. */
static void test_since(void)
{
    size_t count;
    const hf_transport *all = hf_transports(&count);
    char line[512], name[256], command[300];
    const char *library = getenv("HF_LIBRARY");
    int functions = 0;
    FILE *nm;

    ROW("T18");
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s://", all[i].scheme);
        CHECK(all[i].since >= 1 && all[i].since <= hf_api_version());
        CHECK_INT(hf_since(name), all[i].since);
    }
    CHECK_INT(hf_since("hf_open"), 1);
    CHECK_INT(hf_since("hf_nonesuch"), 0);
    CHECK_INT(hf_since("quic://"), 0);
    CHECK_INT(hf_since(NULL), 0);
    if (!library)
        SKIP("HF_LIBRARY does not name libhandfast.so: run it by meson test");
    snprintf(command, sizeof command, "nm -D --defined-only %s", library);
    nm = popen(command, "r");
    while (nm && fgets(line, sizeof line, nm)) {
        if (sscanf(line, "%*s T %255[^@\n]", name) != 1 || strncmp(name, "hf_", 3) != 0)
            continue;
        functions++;
        if (hf_since(name) < 1 || hf_since(name) > hf_api_version())
            printf("    %s\n", name);
        CHECK(hf_since(name) >= 1 && hf_since(name) <= hf_api_version());
    }
    CHECK(nm && pclose(nm) == 0);
    CHECK(functions > 300);
}

/* Refused by name, before anything is looked up or sent. */
static void test_prohibited(void)
{
    static const char *const schemes[][3] = {{"sslv2", "RFC 6176", "SSL 2.0"},
                                             {"SSLv3", "RFC 7568", "SSL 3.0"}};
    hf_net_options options = {.non_blocking = true};
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, &options, &err);
    char url[96], bad[200];

    ROW("T09 T10");
    hf_listener_url(l, url, sizeof url);
    for (int i = 0; i < 2; i++) {
        snprintf(bad, sizeof bad, "%s%s", schemes[i][0], strstr(url, "://"));
        CHECK(hf_open(bad, client_config, NULL, &err) == NULL);
        CHECK_STR(hf_code_name(err.code), "PROHIBITED_PROTOCOL");
        CHECK_STR(err.rfc, schemes[i][1]);
        CHECK(strstr(err.detail, schemes[i][2]) && strstr(err.detail, schemes[i][1]));
        CHECK(strstr(err.detail, "tls://") != NULL);
        CHECK(hf_accept(l, &err) == NULL);
        CHECK_STR(err.detail, "accept: no client came yet");
        CHECK(hf_listen(bad, server_config, NULL, &err) == NULL);
        CHECK_STR(hf_code_name(err.code), "PROHIBITED_PROTOCOL");
    }
    hf_listener_close(l);
}

/* Known, not built in: listed so, and refused with that reason. */
static void test_dtls(void)
{
    const hf_transport *row = hf_transport_find("dtls");
    hf_error err = {0};

    ROW("T17 T31");
    CHECK_INT(row->state, HF_TRANSPORT_UNAVAILABLE);

    CHECK(hf_open("dtls://127.0.0.1:1", client_config, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "SCHEME");
    CHECK(strstr(err.detail, row->reason) != NULL);
    CHECK(strstr(err.detail, "available: tcp, tls") != NULL);
    CHECK(hf_listen("dtls://127.0.0.1:1", server_config, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "SCHEME");
}

static void play_hello(hf_stream *s)
{
    CHECK_INT(hf_write(s, "hi", 2, NULL), 2);
    hf_close(s, NULL);
}

static hf_config *of_versions(hf_config *config, uint16_t from, uint16_t to)
{
    hf_config *derived = hf_config_derive(config);

    if (from < HF_TLS1_2)
        CHECK(hf_config_insecure_set_security_level(derived, 0) &&
              hf_config_set_ciphers(derived, "ALL:@SECLEVEL=0"));
    CHECK(hf_config_set_versions(derived, from, to));
    return derived;
}

/* Opens SCHEME at a server of one version; the version that came of it, 0 for none. */
static uint16_t meet(const char *scheme, hf_config *client, uint16_t version, hf_error *err)
{
    hf_config *server = of_versions(server_config, version, version);
    struct tls_peer p;
    uint16_t got = 0;
    hf_stream *s;
    char url[96], buf[8];

    tls_peer_start(&p, "tls://localhost:0", server, 1, play_hello);
    snprintf(url, sizeof url, "%s%s", scheme, strstr(p.url, "://"));
    s = hf_open(url, client, NULL, err);
    if (s) {
        got = hf_conn_version(hf_stream_conn(s));
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 2);
    }
    hf_close(s, NULL);
    tls_peer_end(&p);
    hf_config_free(server);
    return got;
}

static void negotiates(const char *scheme)
{
    hf_error err = {0};

    CHECK_INT(meet(scheme, client_config, HF_TLS1_2, &err), HF_TLS1_2);
    CHECK_INT(meet(scheme, client_config, HF_TLS1_3, &err), HF_TLS1_3);
    /* the default's lowest is 1.2 */
    CHECK_INT(meet(scheme, client_config, HF_TLS1_1, &err), 0);
    CHECK_STR(hf_code_name(err.code), "ALERT_RECEIVED");
    CHECK_INT(err.alert, 70);
}

static void test_ssl_scheme(void)
{
    ROW("T07");
    negotiates("ssl");
}

static void test_tls_scheme(void)
{
    ROW("T08");
    negotiates("tls");
}

/* A server that answers each ClientHello with bytes of its own, and counts who comes. */
struct forger {
    pthread_t thread;
    int listener, clients, alert;
    uint16_t port;
    const uint8_t *answer;
    size_t len;
};

static void *forger_run(void *arg)
{
    struct forger *f = arg;
    uint8_t buf[4096];
    int fd;

    while ((fd = accept(f->listener, NULL, NULL)) >= 0) {
        f->clients++;
        if (recv(fd, buf, sizeof buf, 0) > 0)
            (void)send(fd, f->answer, f->len, MSG_NOSIGNAL);
        if (recv(fd, buf, 7, MSG_WAITALL) == 7 && buf[0] == 21)
            f->alert = buf[6];
        close(fd);
    }
    return NULL;
}

static void forger_meet(struct forger *f, const char *scheme, const void *answer, size_t len,
                        hf_error *err)
{
    struct address a = {0};
    socklen_t a_len = sizeof a;
    char url[64];

    *f = (struct forger){.answer = answer, .len = len};
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    a.u.v4.sin_family = AF_INET;
    a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(f->listener, &a.u.any, address_len(&a)) == 0 && listen(f->listener, 8) == 0);
    CHECK(getsockname(f->listener, &a.u.any, &a_len) == 0);
    pthread_create(&f->thread, NULL, forger_run, f);
    snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, ntohs(a.u.v4.sin_port));
    CHECK(hf_open(url, client_config, NULL, err) == NULL);
    nap(0.05); /* for a second attempt, if there were one */
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listener);
}

/* One ClientHello; neither a refusal nor a server that is forced down makes another one. */
static void test_no_dance(void)
{
    static const char *const schemes[] = {"ssl", "tls"};
    static const uint8_t refusal[] = {21, 3, 1, 0, 2, 2, 70};
    /* RFC 8446 4.1.3: a server that could do better says so in its random */
    uint8_t hello[5 + 4 + 2 + 32 + 1 + 3 + 2 + 9] = {22, 3, 3, 0, 53, 2, 0, 0, 49, 3, 3};
    uint8_t *p = hello + 11 + 24;
    hf_error err = {0};
    struct forger f;

    ROW("T11");
    memcpy(p, "DOWNGRD\1", 8);
    memcpy(p + 8, "\0\xc0\x2f\0\0\x09\0\x17\0\0\xff\1\0\1\0", 15);
    for (int i = 0; i < 2; i++) {
        forger_meet(&f, schemes[i], refusal, sizeof refusal, &err);
        CHECK_INT(f.clients, 1);
        CHECK_STR(hf_code_name(err.code), "ALERT_RECEIVED");
        forger_meet(&f, schemes[i], hello, sizeof hello, &err);
        CHECK_INT(f.clients, 1);
        CHECK_STR(hf_code_name(err.code), "DOWNGRADE");
        CHECK_INT(f.alert, 47);
    }
}

static void test_pinned(void)
{
    static const struct {
        const char *scheme;
        uint16_t version, other;
    } rows[] = {{"tlsv1.0", HF_TLS1_0, HF_TLS1_1},
                {"tlsv1.1", HF_TLS1_1, HF_TLS1_2},
                {"tlsv1.2", HF_TLS1_2, HF_TLS1_3},
                {"tlsv1.3", HF_TLS1_3, HF_TLS1_2}};
    hf_config *old = of_versions(client_config, HF_TLS1_0, HF_TLS1_3);

    ROW("T30");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_error err = {0};

        CHECK_INT(meet(rows[i].scheme, old, rows[i].version, &err), rows[i].version);
        CHECK_INT(meet(rows[i].scheme, old, rows[i].other, &err), 0);
        CHECK(err.code == HF_E_ALERT_RECEIVED ? err.alert == 70
                                              : err.code == HF_E_UNSUPPORTED_VERSION);
        if (rows[i].version >= HF_TLS1_2)
            continue;
        /* the old ones are not to be had unless they are enabled, and then the error says how */
        err = (hf_error){0};
        CHECK_INT(meet(rows[i].scheme, old, rows[i].version, &err), rows[i].version);
        CHECK(hf_open(i ? "tlsv1.1://127.0.0.1:1" : "tlsv1.0://127.0.0.1:1", client_config,
                      NULL, &err) == NULL);
        CHECK_STR(hf_code_name(err.code), "SCHEME");
        CHECK(strstr(err.detail, "hf_config_insecure_set_security_level") != NULL);
    }
    hf_config_free(old);
}

static void test_port_missing(void)
{
    static const char *const urls[] = {"tcp://127.0.0.1", "tls://example.com", "udp://[::1]"};

    ROW("T12");
    for (size_t i = 0; i < 3; i++) {
        hf_error err = {0};

        CHECK(hf_open(urls[i], NULL, NULL, &err) == NULL);
        CHECK_STR(hf_code_name(err.code), "URL");
        CHECK(strstr(err.detail, "there is no port") != NULL);
    }
}

/* The port in the URL and apart from it lead to the same listener. */
static void test_port_apart(void)
{
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    hf_net_options options = HF_NET_OPTIONS;
    char url[96], name[64], want[64];

    ROW("T13");
    hf_listener_url(l, url, sizeof url);
    options.port = atoi(strrchr(url, ':') + 1);
    snprintf(want, sizeof want, "127.0.0.1:%d", options.port);
    for (int i = 0; i < 4; i++) {
        hf_stream *s = hf_open(i == 0 || i == 3 ? url
                               : i == 1         ? "tcp://127.0.0.1"
                                                : "127.0.0.1",
                               NULL, i ? &options : NULL, &err);

        CHECK(s != NULL);
        hf_stream_name(s, true, name, sizeof name);
        CHECK_STR(name, want);
        hf_close(s, NULL);
        hf_close(hf_accept(l, &err), NULL);
    }
    options.port++;
    CHECK(hf_open(url, NULL, &options, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "URL");
    CHECK(hf_listen(url, NULL, &options, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "URL");
    hf_listener_close(l);
    options.port = dead_port(AF_INET);
    l = hf_listen("tcp://127.0.0.1", NULL, &options, &err);
    CHECK(l != NULL);
    hf_listener_url(l, url, sizeof url);
    snprintf(want, sizeof want, "tcp://127.0.0.1:%d", options.port);
    CHECK_STR(url, want);
    hf_listener_close(l);
}

/* One failure in each phase: the code, the step, errno where the system spoke, and words. */
static void test_error_per_phase(void)
{
    hf_error err;
    struct tls_peer p;
    char url[96], plain[96];

    ROW("T24 T33");
    err = (hf_error){0};
    CHECK(hf_open("tcp://a b:1", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "URL");
    CHECK(err.code != HF_OK && err.detail[0]);
    CHECK_STR(err.path, "URL");

    stub_begin();
    stub.gai = -2; /* EAI_NONAME */
    err = (hf_error){0};
    CHECK(hf_open("tls://nobody.example:1", client_config, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "RESOLVE");
    CHECK_STR(err.step, "resolve");
    CHECK(strstr(err.detail, "nobody.example") != NULL);
    resolve_test_hook(NULL);

    snprintf(url, sizeof url, "tls://127.0.0.1:%u", dead_port(AF_INET));
    err = (hf_error){0};
    CHECK(hf_open(url, client_config, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "CONNECT");
    CHECK_STR(err.step, "connect");
    CHECK_INT(err.os_errno, ECONNREFUSED);
    CHECK(strstr(err.detail, "Connection refused") != NULL);

    hf_listener *mute = hf_listen("127.0.0.1:0", NULL, NULL, NULL); /* nobody accepts */
    hf_listener_url(mute, plain, sizeof plain);
    as_tls(url, plain);
    err = (hf_error){0};
    hf_net_options quick = {.connect_timeout = PATIENCE, .handshake_timeout = 0.1};
    CHECK(hf_open(url, client_config, &quick, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK_STR(err.step, "handshake");
    CHECK_INT(err.os_errno, ETIMEDOUT);
    hf_listener_close(mute);

    hf_config *strange = make_client(other);
    tls_peer_start(&p, "tls://localhost:0", server_config, 1, play_hello);
    err = (hf_error){0};
    CHECK(hf_open(p.url, strange, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "UNTRUSTED");
    CHECK(err.step[0] && err.detail[0]);
    CHECK(err.x509_code != 0);
    tls_peer_end(&p);
    hf_config_free(strange);
}

/* A name beyond ASCII is looked up by its A-label, and every address is tried. */
static void test_name(void)
{
    struct peer p;
    struct url u;
    hf_error err = {0};
    hf_stream *s;

    ROW("T05 Y102");
    if (!url_parse("tcp://b\xc3\xbc"
                   "cher.example:1",
                   &u, &err))
        SKIP("no libidn2.so.0 here: install it");
    peer_start(&p, "127.0.0.1:0", play_echo);
    CHECK(url_parse(p.url, &u, NULL));
    stub_begin();
    stub_v6(dead_port(AF_INET6));
    stub_v4(u.port);
    s = open_ok("tcp://b\xc3\xbc"
                "cher.example:1",
                NULL);
    CHECK_STR(stub_host, "xn--bcher-kva.example");
    resolve_test_hook(NULL);
    char buf[8];
    CHECK_INT(hf_write(s, "x", 1, NULL), 1);
    CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 1);
    hf_close(s, NULL);
    peer_end(&p);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    RUN(test_list);
    RUN(test_since);
    RUN(test_prohibited);
    RUN(test_dtls);
    RUN(test_ssl_scheme);
    RUN(test_tls_scheme);
    RUN(test_no_dance);
    RUN(test_pinned);
    RUN(test_port_missing);
    RUN(test_port_apart);
    RUN(test_error_per_phase);
    RUN(test_name);
    return tls_done(files);
}

/* Opening and listening by URL: resolving, trying the addresses, deadlines. */
#include "netpeer.h"

#include <math.h>
#include <netdb.h>
#include <sys/resource.h>

static void test_refused(void)
{
    hf_error err = {0};
    char url[64], want[128];
    uint16_t port = dead_port(AF_INET);

    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", port);
    snprintf(want, sizeof want, "127.0.0.1:%u: Connection refused", port);
    CHECK(hf_open(url, NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "CONNECT");
    CHECK_INT(err.os_errno, ECONNREFUSED);
    CHECK_STR(err.detail, want);
    CHECK(strstr(err.hint, "nothing listens"));
    /* an error that is still in the variable does not hide the next */
    CHECK(hf_open("dtls://127.0.0.1:1", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "SCHEME");
    CHECK_INT(err.os_errno, 0);
}

static void test_no_target(void)
{
    hf_error err = {0};

    CHECK(hf_open("tcp://*:80", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "URL");
    CHECK(strstr(err.detail, "to listen on"));
    CHECK(hf_open("tcp://:80", NULL, NULL, &err) == NULL);
    CHECK(strstr(err.detail, "there is no host"));
    CHECK(hf_open("tcp://127.0.0.1:0", NULL, NULL, &err) == NULL);
    CHECK(strstr(err.detail, "port 0 is for listening"));
    CHECK(hf_open("tcp://[fe80::1%25nosuchif0]:80", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "RESOLVE");
    CHECK(strstr(err.detail, "no interface nosuchif0"));
}

static hf_net_options patient = {.connect_timeout = PATIENCE};

static deadline next_turn_never(size_t attempt)
{
    (void)attempt;
    return (deadline)PATIENCE * SECOND_NS;
}

/* The second has its turn; the third one's does not come. */
static deadline second_turn_only(size_t attempt)
{
    return attempt == 0 ? SECOND_NS / 10 : next_turn_never(attempt);
}

static void test_several_dead_first(void)
{
    struct peer p;
    struct url u;
    hf_stream *s;
    double start;

    ROW("T05");
    peer_start(&p, "127.0.0.1:0", play_silence);
    CHECK(url_parse(p.url, &u, NULL));
    stub_begin();
    stub_v6(dead_port(AF_INET6));
    stub_v4(dead_port(AF_INET));
    stub_v4(u.port);
    connect_test_hook(next_turn_never);
    start = now();
    s = open_ok("tcp://three.example:1", &patient);
    /* refusals do not wait for the next one's turn */
    CHECK(now() - start < SOON);
    connect_test_hook(NULL);
    CHECK_INT(stub_calls, 1);
    hf_close(s, NULL);
    peer_end(&p);
    resolve_test_hook(NULL);
}

static void test_several_black_hole_first(void)
{
    struct black_hole hole;
    struct peer p;
    struct url u;
    hf_stream *s;
    double start;

    ROW("T05");
    black_hole_open(&hole);
    peer_start(&p, "127.0.0.1:0", play_silence);
    CHECK(url_parse(p.url, &u, NULL));
    stub_begin();
    stub_v4(hole.port);
    stub_v4(u.port);
    start = now();
    s = open_ok("tcp://two.example:1", &patient);
    /* RFC 8305 5: 250 ms later the second is tried */
    took(start, 0.25);
    hf_close(s, NULL);
    peer_end(&p);
    black_hole_close(&hole);
    resolve_test_hook(NULL);
}

/* A refusal brings the next address's turn forward, also while another attempt hangs. */
static void test_refusal_while_waiting(void)
{
    struct black_hole hole;
    struct peer p;
    struct url u;
    hf_stream *s;
    double start;

    black_hole_open(&hole);
    peer_start(&p, "127.0.0.1:0", play_silence);
    CHECK(url_parse(p.url, &u, NULL));
    stub_begin();
    stub_v4(hole.port);
    stub_v4(dead_port(AF_INET));
    stub_v4(u.port);
    connect_test_hook(second_turn_only);
    start = now();
    s = open_ok("tcp://three.example:1", &patient);
    took(start, 0.1);
    connect_test_hook(NULL);
    hf_close(s, NULL);
    peer_end(&p);
    black_hole_close(&hole);
    resolve_test_hook(NULL);
}

static void test_all_dead(void)
{
    hf_error err = {0};
    char want[200];
    uint16_t a = dead_port(AF_INET), b = dead_port(AF_INET6);

    stub_begin();
    stub_v4(a);
    stub_v6(b);
    CHECK(hf_open("tcp://two.example:1", NULL, NULL, &err) == NULL);
    snprintf(want, sizeof want,
             "127.0.0.1:%u: Connection refused; [::1]:%u: Connection refused", a, b);
    CHECK_STR(err.detail, want);
    CHECK_STR(hf_code_name(err.code), "CONNECT");
    /* more than an error has room for: it says so */
    for (int i = 0; i < 20; i++)
        stub_v4(a);
    CHECK(hf_open("tcp://many.example:1", NULL, NULL, &err) == NULL);
    CHECK(err.truncated);
    resolve_test_hook(NULL);
}

static void test_order(void)
{
    struct address_list list;
    static const uint16_t want[] = {1, 4, 2, 5, 3};

    stub_begin();
    stub_v6(1);
    stub_v6(2);
    stub_v6(3);
    stub_v4(4);
    stub_v4(5);
    list = stub;
    resolve_order(&list);
    for (size_t i = 0; i < 5; i++)
        CHECK_INT(ntohs(list.a[i].u.any.sa_family == AF_INET6 ? list.a[i].u.v6.sin6_port
                                                              : list.a[i].u.v4.sin_port),
                  want[i]);
    resolve_test_hook(NULL);
}

static void test_connect_timeout(void)
{
    struct black_hole hole;
    hf_net_options options = {.connect_timeout = 0.3};
    hf_error err = {0};
    char url[64];
    double start;

    black_hole_open(&hole);
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", hole.port);
    start = now();
    CHECK(hf_open(url, NULL, &options, &err) == NULL);
    took(start, 0.3);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK(strstr(err.detail, "no answer from 127.0.0.1:"));
    black_hole_close(&hole);
}

static void test_resolve_timeout(void)
{
    hf_net_options options = {.connect_timeout = 0.2};
    hf_error err = {0};
    double start;

    stub_begin();
    stub_hold(true);
    start = now();
    CHECK(hf_open("tcp://slow.example:1", NULL, &options, &err) == NULL);
    took(start, 0.2);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK(strstr(err.detail, "was not resolved in time"));
    stub_hold(false);
    nap(0.1); /* the abandoned look-up ends, and frees what it holds */
    resolve_test_hook(NULL);
}

static void test_resolve_failure(void)
{
    hf_error err = {0};

    stub_begin();
    stub.gai = EAI_NONAME;
    CHECK(hf_open("tcp://nosuch.example:1", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "RESOLVE");
    CHECK_STR(err.detail, "nosuch.example: Name or service not known");
    stub.gai = EAI_AGAIN;
    CHECK(hf_open("tcp://nosuch.example:1", NULL, NULL, &err) == NULL);
    CHECK(strstr(err.hint, "no name server answered"));
    stub.gai = 0;
    CHECK(hf_open("tcp://nosuch.example:1", NULL, NULL, &err) == NULL);
    CHECK_STR(err.detail, "nosuch.example: it has no address");
    resolve_test_hook(NULL);
}

/* Literal addresses and localhost never come near the resolver. */
static void test_literal_not_resolved(void)
{
    char url[64];

    stub_begin();
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", dead_port(AF_INET));
    CHECK(hf_open(url, NULL, NULL, NULL) == NULL);
    snprintf(url, sizeof url, "tcp://[::1]:%u", dead_port(AF_INET6));
    CHECK(hf_open(url, NULL, NULL, NULL) == NULL);
    snprintf(url, sizeof url, "tcp://www.localhost.:%u", dead_port(AF_INET));
    CHECK(hf_open(url, NULL, NULL, NULL) == NULL);
    CHECK_INT(stub_calls, 0);
    snprintf(url, sizeof url, "tcp://notlocalhost:%u", dead_port(AF_INET));
    CHECK(hf_open(url, NULL, NULL, NULL) == NULL);
    CHECK_INT(stub_calls, 1);
    resolve_test_hook(NULL);
}

static void test_non_blocking_failures(void)
{
    hf_net_options options = {.non_blocking = true, .connect_timeout = 0.3};
    struct black_hole hole;
    hf_error err = {0};
    char url[64], byte;
    hf_stream *s;
    double start;

    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", dead_port(AF_INET));
    s = open_ok(url, &options);
    while (hf_stream_handshake(s, &err) == HF_AGAIN) {
        struct pollfd pfd = {hf_stream_fd(s), hf_stream_events(s), 0};

        CHECK(poll(&pfd, 1, -1) == 1);
    }
    CHECK_STR(hf_code_name(err.code), "CONNECT");
    /* it stays so */
    err = (hf_error){0};
    CHECK_INT(hf_read(s, &byte, 1, &err), -1);
    CHECK_INT(err.os_errno, ECONNREFUSED);
    CHECK_INT(hf_write(s, "x", 1, NULL), -1);
    CHECK_INT(hf_stream_events(s), 0);
    CHECK(!hf_eof(s));
    CHECK(hf_close(s, NULL));

    /* the deadline wakes the poll */
    black_hole_open(&hole);
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", hole.port);
    start = now();
    s = open_ok(url, &options);
    while (hf_stream_handshake(s, &err) == HF_AGAIN) {
        struct pollfd pfd = {hf_stream_fd(s), hf_stream_events(s), 0};

        CHECK(poll(&pfd, 1, -1) == 1);
    }
    took(start, 0.3);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_close(s, NULL);

    /* and one given up in the middle leaves nothing behind */
    s = open_ok(url, &options);
    CHECK_INT(hf_stream_handshake(s, NULL), HF_AGAIN);
    CHECK(hf_close(s, NULL));
    black_hole_close(&hole);
}

static void test_listen_failures(void)
{
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    char url[64];

    hf_listener_url(l, url, sizeof url);
    CHECK(hf_listen(url, NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "LISTEN");
    CHECK_INT(err.os_errno, EADDRINUSE);
    CHECK(strstr(err.hint, "another program"));
    CHECK(hf_listen("192.0.2.1:0", NULL, NULL, &err) == NULL);
    CHECK_INT(err.os_errno, EADDRNOTAVAIL);
    CHECK_STR(err.detail, "192.0.2.1:0: Cannot assign requested address");
    CHECK(hf_listen("tls://127.0.0.1:0", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    hf_listener_close(l);
    hf_listener_close(NULL);
}

static void test_accept_timeout(void)
{
    hf_net_options options = {.timeout = 0.1};
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, &options, &err);
    char url[64];
    hf_stream *s, *c;

    CHECK(hf_accept(l, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_listener_url(l, url, sizeof url);
    hf_listener_set_timeout(l, PLENTY);
    c = open_ok(url, NULL);
    s = hf_accept(l, &err);
    CHECK(s != NULL);
    hf_close(s, NULL);
    hf_close(c, NULL);
    hf_listener_close(l);
    options.non_blocking = true;
    l = hf_listen("127.0.0.1:0", NULL, &options, &err);
    CHECK(hf_accept(l, &err) == NULL);
    CHECK_STR(err.detail, "accept: no client came yet");
    hf_listener_close(l);
}

/* T: "[::]" is IPv6 alone and "*" is both. */
static void test_both_families(void)
{
    hf_error err = {0};
    struct url u;
    char url[64], name[64];
    hf_listener *l = hf_listen("tcp://*:0", NULL, NULL, &err), *six;
    hf_stream *a, *b, *s;

    hf_listener_url(l, url, sizeof url);
    CHECK(url_parse(url, &u, &err));
    a = open_ok(url, NULL);
    s = hf_accept(l, &err);
    /* an IPv4 client is shown as one */
    hf_stream_name(s, true, name, sizeof name);
    CHECK(strncmp(name, "127.0.0.1:", 10) == 0);
    hf_close(s, NULL);
    snprintf(url, sizeof url, "tcp://[::1]:%u", u.port);
    b = open_ok(url, NULL);
    s = hf_accept(l, &err);
    hf_stream_name(s, true, name, sizeof name);
    CHECK(strncmp(name, "[::1]:", 6) == 0);
    hf_close(s, NULL);
    hf_close(a, NULL);
    hf_close(b, NULL);
    hf_listener_close(l);

    six = hf_listen("tcp://[::]:0", NULL, NULL, &err);
    hf_listener_url(six, url, sizeof url);
    CHECK(url_parse(url, &u, &err));
    CHECK_STR(u.host, "::1");
    snprintf(url, sizeof url, "tcp://0.0.0.0:%u", u.port);
    l = hf_listen(url, NULL, NULL, &err);
    CHECK(l != NULL);
    hf_listener_close(l);
    hf_listener_close(six);
}

static void test_no_descriptors(void)
{
    struct rlimit old, few;
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    char url[64];
    int files = open_files(), failed = 0, opened = 0;

    hf_listener_url(l, url, sizeof url);
    getrlimit(RLIMIT_NOFILE, &old);
    for (rlim_t limit = 3; limit < 256; limit++) {
        hf_stream *s;

        few = old;
        few.rlim_cur = limit;
        setrlimit(RLIMIT_NOFILE, &few);
        s = hf_open(url, NULL, NULL, &err);
        setrlimit(RLIMIT_NOFILE, &old);
        if (!s) {
            failed++;
            CHECK_INT(err.os_errno, EMFILE);
            CHECK(strstr(err.detail, "Too many open files"));
        }
        opened += s != NULL;
        hf_close(s, NULL);
        CHECK_INT(open_files(), files);
        if (opened || check_bad)
            break;
    }
    CHECK(failed > 0);
    CHECK_INT(opened, 1);
    hf_listener_close(l);
}

static void test_deadline(void)
{
    int64_t t = deadline_now();

    CHECK(deadline_after(-1) == DEADLINE_NONE);
    CHECK(deadline_after(1e30) == DEADLINE_NONE);
    static const struct {
        double seconds;
        int64_t ns;
    } rows[] = {{0, 60 * SECOND_NS}, {(double)NAN, 60 * SECOND_NS}, {0.5, SECOND_NS / 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t before = deadline_now();
        deadline d = deadline_after(rows[i].seconds);

        CHECK(d >= before + rows[i].ns && d <= deadline_now() + rows[i].ns);
    }
    CHECK_INT(deadline_poll_ms(DEADLINE_NONE), -1);
    CHECK_INT(deadline_poll_ms(t - 1), 0);
    CHECK_INT(deadline_poll_ms(t + 90 * 86400 * SECOND_NS), INT32_MAX);
    CHECK(deadline_poll_ms(deadline_now() + 1) <= 1);
}

int main(void)
{
    int files = open_files();

    setvbuf(stdout, NULL, _IOLBF, 0);
    RUN(test_refused);
    RUN(test_no_target);
    RUN(test_several_dead_first);
    RUN(test_several_black_hole_first);
    RUN(test_refusal_while_waiting);
    RUN(test_all_dead);
    RUN(test_order);
    RUN(test_connect_timeout);
    RUN(test_resolve_timeout);
    RUN(test_resolve_failure);
    RUN(test_literal_not_resolved);
    RUN(test_non_blocking_failures);
    RUN(test_listen_failures);
    RUN(test_accept_timeout);
    RUN(test_both_families);
    RUN(test_no_descriptors);
    RUN(test_deadline);
    /* whatever was opened was closed */
    if (open_files() != files || iobuf_test_held() != 0) {
        printf("FAIL descriptors or buffers are left\n");
        check_failed++;
    }
    return check_done();
}

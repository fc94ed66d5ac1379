/* Streams over plain TCP: reading, writing, waiting and failing. */
#include "netpeer.h"

#include <signal.h>
#include <sys/time.h>

static void test_echo(void)
{
    static const char *const urls[] = {"tcp://127.0.0.1:0", "tcp://localhost:0", "*:0",
                                       "tcp://[::1]:0",     "tcp://[::]:0",      "0.0.0.0:0"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct peer p;
        char buf[16], name[64];
        hf_stream *s;

        peer_start(&p, urls[i], play_echo);
        s = open_ok(p.url, NULL);
        if (!s) {
            printf("    %s\n", urls[i]);
            exit(1);
        }
        CHECK_INT(hf_write(s, "hello", 5, NULL), 5);
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 5);
        CHECK_MEM(buf, "hello", 5);
        CHECK(hf_stream_conn(s) == NULL);
        CHECK(hf_stream_name(s, true, name, sizeof name) > 0);
        CHECK(strstr(p.url, name) || strstr(p.url, "localhost"));
        CHECK(hf_shutdown_write(s, NULL));
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 0);
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 0);
        CHECK(hf_eof(s));
        CHECK(hf_close(s, NULL));
        peer_end(&p);
    }
    CHECK_INT(iobuf_test_held(), 0);
}

static void test_bare_is_tcp(void)
{
    struct peer p;
    hf_stream *s;

    ROW("T02");
    peer_start(&p, "127.0.0.1:0", play_silence);
    CHECK(strncmp(p.url, "tcp://127.0.0.1:", 16) == 0);
    s = open_ok(p.url + 6, NULL);
    hf_close(s, NULL);
    peer_end(&p);
}

static void test_read_timeout(void)
{
    hf_net_options options = {.timeout = 0.2};
    hf_error err = {0};
    char buf[8];
    int fd[2];
    hf_stream *s;
    double start;

    pair_of(fd);
    s = wrap_ok(fd[0], &options);
    start = now();
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), -1);
    took(start, 0.2);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    /* the stream lives on */
    CHECK_INT(write(fd[1], "x", 1), 1);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), 1);
    hf_close(s, NULL);
    close(fd[1]);

    pair_of(fd);
    options.timeout = PATIENCE;
    s = wrap_ok(fd[0], &options);
    hf_stream_set_timeout(s, 0.05);
    start = now();
    CHECK_INT(hf_read_line(s, buf, sizeof buf, &err), -1);
    took(start, 0.05);
    hf_close(s, NULL);
    close(fd[1]);
}

/* Y84: the time is for the whole call, not for each byte. */
struct drops {
    int fd, sent;
    atomic_bool stop;
};

static void *drip(void *arg)
{
    struct drops *d = arg;

    while (!d->stop && send(d->fd, "x", 1, MSG_NOSIGNAL) == 1) {
        d->sent++;
        nap(0.05);
    }
    return NULL;
}

static void test_drip(void)
{
    static char line[20000], want[20000];
    hf_net_options options = {.timeout = 0.3};
    hf_error err = {0};
    struct drops d = {0};
    int fd[2];
    pthread_t t;
    hf_stream *s;
    double start = now();

    pair_of(fd);
    d.fd = fd[1];
    s = wrap_ok(fd[0], &options);
    pthread_create(&t, NULL, drip, &d);
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), -1);
    took(start, 0.3);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    d.stop = true;
    pthread_join(t, NULL);
    /* what had come of the line was not lost */
    memset(want, 'x', (size_t)d.sent);
    want[d.sent] = '\n';
    CHECK_INT(write(fd[1], "\n", 1), 1);
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), d.sent + 1);
    CHECK_STR(line, want);
    hf_close(s, NULL);
    close(fd[1]);
    CHECK_INT(iobuf_test_held(), 0);
}

static void test_write_timeout(void)
{
    hf_net_options options = {.timeout = 0.2};
    hf_error err = {0};
    static char big[4 << 20];
    int fd[2];
    hf_stream *s;
    double start;

    pair_of(fd);
    s = wrap_ok(fd[0], &options);
    start = now();
    CHECK_INT(hf_write(s, big, sizeof big, &err), -1);
    took(start, 0.2);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_close(s, NULL);
    close(fd[1]);
}

static void test_lines(void)
{
    hf_error err = {0};
    char line[8];
    int fd[2];
    hf_stream *s;

    pair_of(fd);
    s = wrap_ok(fd[0], NULL);
    CHECK_INT(write(fd[1], "one\n\n1234567890\nab\0cd\nend", 25), 25);
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 4);
    CHECK_STR(line, "one\n");
    CHECK_INT(hf_stream_pending(s), 21);
    CHECK_INT(iobuf_test_held(), 1);
    CHECK(!hf_eof(s));
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 1);
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 7);
    CHECK_STR(line, "1234567");
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 4);
    CHECK_STR(line, "890\n");
    CHECK_INT(hf_read(s, line, 1, &err), 1);
    CHECK_INT(line[0], 'a');
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 5);
    CHECK_MEM(line, "b\0cd\n", 5);
    close(fd[1]);
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 3);
    CHECK_STR(line, "end");
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 0);
    CHECK_STR(line, "");
    CHECK_INT(iobuf_test_held(), 0);
    CHECK_INT(hf_read_line(s, line, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    hf_close(s, NULL);
}

static void test_line_non_blocking(void)
{
    hf_net_options options = {.non_blocking = true};
    char line[16];
    int fd[2];
    hf_stream *s;

    pair_of(fd);
    s = wrap_ok(fd[0], &options);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), HF_AGAIN);
    CHECK_INT(write(fd[1], "ab", 2), 2);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), HF_AGAIN);
    CHECK_INT(iobuf_test_held(), 0);
    CHECK_INT(hf_stream_pending(s), 2);
    CHECK_INT(write(fd[1], "c\nd", 3), 3);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), 4);
    CHECK_STR(line, "abc\n");
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), HF_AGAIN);
    CHECK_INT(hf_read(s, line, sizeof line, NULL), 1);
    CHECK_INT(hf_read(s, line, sizeof line, NULL), HF_AGAIN);
    hf_close(s, NULL);
    close(fd[1]);
}

static void test_eof(void)
{
    char buf[8];
    int fd[2];
    hf_stream *s;

    pair_of(fd);
    s = wrap_ok(fd[0], NULL);
    CHECK_INT(hf_stream_handshake(s, NULL), 0);
    CHECK(!hf_eof(s));
    CHECK_INT(write(fd[1], "xy", 2), 2);
    shutdown(fd[1], SHUT_WR);
    CHECK(!hf_eof(s));
    CHECK(!hf_eof(s));
    CHECK_INT(hf_read(s, buf, 1, NULL), 1);
    CHECK(!hf_eof(s));
    CHECK_INT(hf_read(s, buf, 8, NULL), 1);
    CHECK(hf_eof(s));
    /* the other half is open still */
    CHECK_INT(hf_write(s, "back", 4, NULL), 4);
    CHECK_INT(read(fd[1], buf, 8), 4);
    CHECK(hf_shutdown_write(s, NULL));
    CHECK(hf_shutdown_write(s, NULL));
    CHECK_INT(read(fd[1], buf, 8), 0);

    hf_error err = {0};

    CHECK_INT(hf_write(s, "x", 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "WRITE_CLOSED");
    hf_close(s, NULL);
    close(fd[1]);
}

/* A reset is an error, and stays one. */
static void test_reset(void)
{
    ROW("Y17");
    struct linger hard = {1, 0};
    hf_error err = {0};
    char buf[8];
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    char url[64];
    hf_stream *s, *peer;
    int fd;

    hf_listener_url(l, url, sizeof url);
    s = open_ok(url, NULL);
    peer = hf_accept(l, &err);
    fd = hf_stream_fd(peer);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    stream_free(peer, false);
    close(fd);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(hf_read(s, buf, sizeof buf, &err), -1);
        CHECK_STR(hf_code_name(err.code), "SYSTEM");
        CHECK_INT(err.os_errno, ECONNRESET);
        CHECK(!hf_eof(s));
    }
    /* and writing raises no SIGPIPE */
    CHECK_INT(hf_write(s, "x", 1, &err), -1);
    CHECK_INT(err.os_errno, EPIPE);
    CHECK_INT(hf_write(s, "x", 1, &err), -1);
    CHECK(hf_close(s, NULL));
    hf_listener_close(l);
}

static void test_big(void)
{
    struct peer p;

    big_size = 50 << 20;
    peer_start(&p, "127.0.0.1:0", big_sink);
    big_send(open_ok(p.url, NULL));
    peer_end(&p);
}

/* Connecting, writing and reading, never blocking, by poll alone. */
static void drive(hf_stream *s, size_t total)
{
    static uint8_t buf[65536];
    size_t sent = 0, got = 0;
    int turns = 0;

    while (got < total && turns++ < 1000000) {
        struct pollfd pfd = {hf_stream_fd(s), hf_stream_events(s), 0};
        ptrdiff_t n = 0;
        hf_error err = {0};

        if (sent < total)
            pfd.events |= hf_stream_handshake(s, NULL) == 0 ? POLLOUT : 0;
        if (!hf_stream_pending(s) && poll(&pfd, 1, -1) <= 0) {
            printf("    poll found nothing (events %d)\n", pfd.events);
            check_bad++;
            return;
        }
        if (sent < total) {
            size_t len = total - sent < sizeof buf ? total - sent : sizeof buf;

            for (size_t i = 0; i < len; i++)
                buf[i] = (uint8_t)(sent + i);
            n = hf_write(s, buf, len, &err);
            CHECK(n >= 0 || n == HF_AGAIN);
            sent += n > 0 ? (size_t)n : 0;
        }
        n = hf_read(s, buf, sizeof buf, &err);
        CHECK(n > 0 || n == HF_AGAIN);
        for (ptrdiff_t i = 0; i < n; i++)
            if (buf[i] != (uint8_t)(got + (size_t)i)) {
                CHECK_INT(buf[i], (uint8_t)(got + (size_t)i));
                return;
            }
        got += n > 0 ? (size_t)n : 0;
        if (check_bad)
            return;
    }
    CHECK_INT(got, total);
}

static void test_non_blocking(void)
{
    hf_net_options options = {.non_blocking = true};
    struct peer p;
    hf_stream *s;

    peer_start(&p, "127.0.0.1:0", play_echo);
    s = open_ok(p.url, &options);
    drive(s, 3 << 20);
    hf_close(s, NULL);
    peer_end(&p);

    /* a name, with a slow resolver: hf_open returns at once all the same */
    struct url u;

    peer_start(&p, "127.0.0.1:0", play_echo);
    CHECK(url_parse(p.url, &u, NULL));
    stub_begin();
    stub_hold(true);
    stub_v4(dead_port(AF_INET));
    stub_v4(u.port);
    s = open_ok("tcp://slow.example:1", &options);

    int fd = hf_stream_fd(s);
    char byte, name[64];

    CHECK_INT(hf_stream_events(s), POLLIN);
    CHECK_INT(hf_read(s, &byte, 1, NULL), HF_AGAIN);
    CHECK_INT(hf_write(s, "x", 1, NULL), HF_AGAIN);
    CHECK_INT(hf_stream_handshake(s, NULL), HF_AGAIN);
    CHECK_INT(hf_stream_name(s, true, name, sizeof name), 0);
    stub_hold(false);
    drive(s, 1000);
    /* the number to poll has stayed the same */
    CHECK_INT(hf_stream_fd(s), fd);
    hf_close(s, NULL);
    peer_end(&p);
    resolve_test_hook(NULL);
}

/* One thread reads while another writes. */
static void *writer(void *arg)
{
    static uint8_t buf[10000];

    memset(buf, 'w', sizeof buf);
    for (int i = 0; i < 500; i++)
        if (hf_write(arg, buf, sizeof buf, NULL) != sizeof buf)
            return NULL;
    hf_shutdown_write(arg, NULL);
    return arg;
}

static void test_two_threads(void)
{
    static uint8_t buf[7000];
    struct peer p;
    pthread_t t;
    hf_stream *s;
    size_t got = 0;
    ptrdiff_t n;
    void *done;

    peer_start(&p, "127.0.0.1:0", play_echo);
    s = open_ok(p.url, NULL);
    pthread_create(&t, NULL, writer, s);
    while ((n = hf_read(s, buf, sizeof buf, NULL)) > 0)
        got += (size_t)n;
    pthread_join(t, &done);
    CHECK(done != NULL);
    CHECK_INT(got, 5000000);
    hf_close(s, NULL);
    peer_end(&p);
}

/* Signals interrupt system calls, but nothing that a caller sees. */
static void on_alarm(int n)
{
    (void)n;
}

static void test_interrupted(void)
{
    struct sigaction act = {.sa_handler = on_alarm}, old;
    struct itimerval every = {{0, 3000}, {0, 3000}}, off = {{0, 0}, {0, 0}};
    hf_net_options options = {.timeout = 0.2};
    hf_error err = {0};
    int fd[2];
    char byte;
    hf_stream *s;
    double start = now();

    sigaction(SIGALRM, &act, &old);
    setitimer(ITIMER_REAL, &every, NULL);
    pair_of(fd);
    s = wrap_ok(fd[0], &options);
    CHECK_INT(hf_read(s, &byte, 1, &err), -1);
    took(start, 0.2);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    setitimer(ITIMER_REAL, &off, NULL);
    sigaction(SIGALRM, &old, NULL);
    hf_close(s, NULL);
    close(fd[1]);
}

static void test_wrap_failures(void)
{
    hf_error err = {0};
    int fd[2], udp = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(hf_stream_wrap(udp, "tcp", HF_CLIENT, NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(strstr(err.detail, "is no stream socket"));
    CHECK(fcntl(udp, F_GETFD) >= 0);
    close(udp);
    CHECK(hf_stream_wrap(udp, "tcp", HF_CLIENT, NULL, NULL, &err) == NULL);
    CHECK_INT(err.os_errno, EBADF);
    pair_of(fd);
    CHECK(hf_stream_wrap(fd[0], "gopher", HF_CLIENT, NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "SCHEME");
    CHECK(hf_stream_wrap(fd[0], "tls", HF_SERVER, NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(fcntl(fd[0], F_GETFD) >= 0);
    close(fd[0]);
    close(fd[1]);
}

static void test_usage(void)
{
    hf_error err = {0};
    int fd[2];
    char byte;
    hf_stream *s;

    pair_of(fd);
    s = wrap_ok(fd[0], NULL);
    CHECK_INT(hf_read(s, &byte, 0, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK_INT(hf_write(s, NULL, 0, &err), 0);
    CHECK_INT(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
    hf_close(s, NULL);
    close(fd[1]);
    CHECK(hf_close(NULL, NULL));
}

/* Every allocation fails once: opening fails with E_NO_MEMORY or works, and nothing is lost. */
static void test_no_memory(void)
{
    ROW("C14");
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    int files = open_files();
    char url[64], line[8];

    hf_listener_url(l, url, sizeof url);
    for (unsigned long n = 1; n < 12; n++) {
        hf_stream *s, *peer;

        err = (hf_error){0};
        mem_test_fail_after(n);
        s = hf_open(url, NULL, NULL, &err);
        if (!s)
            CHECK_STR(hf_code_name(err.code), "NO_MEMORY");
        peer = s ? hf_accept(l, &err) : NULL;
        if (peer) {
            (void)!send(hf_stream_fd(s), "ab\n", 3, 0);
            ptrdiff_t got = hf_read_line(peer, line, sizeof line, &err);

            CHECK(got == 3 || (got == -1 && err.code == HF_E_NO_MEMORY));
        }
        mem_test_fail_after(0);
        hf_close(peer, NULL);
        hf_close(s, NULL);
    }
    CHECK_INT(open_files(), files);
    hf_listener_close(l);
}

int main(void)
{
    int files = open_files();

    setvbuf(stdout, NULL, _IOLBF, 0);
    RUN(test_echo);
    RUN(test_bare_is_tcp);
    RUN(test_read_timeout);
    RUN(test_drip);
    RUN(test_write_timeout);
    RUN(test_lines);
    RUN(test_line_non_blocking);
    RUN(test_eof);
    RUN(test_reset);
    RUN(test_big);
    RUN(test_non_blocking);
    RUN(test_two_threads);
    RUN(test_interrupted);
    RUN(test_wrap_failures);
    RUN(test_usage);
    RUN(test_no_memory);
    /* whatever was opened was closed */
    if (open_files() != files || iobuf_test_held() != 0) {
        printf("FAIL descriptors or buffers are left\n");
        check_failed++;
    }
    return check_done();
}

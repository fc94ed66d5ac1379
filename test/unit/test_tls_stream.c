/* Streams over TLS: data, the end, waiting and what goes wrong, over real sockets. */
#include <semaphore.h>

#include "handfast_context.h"
#include "tlspeer.h"

static void test_echo(void)
{
    static const char *const urls[] = {"tls://localhost:0", "tls://127.0.0.1:0",
                                       "tls://[::1]:0", "ssl://localhost:0",
                                       "tlsv1.3://localhost:0"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct tls_peer p;
        char buf[16];
        hf_stream *s;

        tls_peer_start(&p, urls[i], server_config, 1, play_echo);
        s = tls_open(p.url, NULL);
        CHECK_INT(hf_conn_version(hf_stream_conn(s)), HF_TLS1_3);
        CHECK(hf_conn_verified(hf_stream_conn(s)));
        CHECK_INT(hf_write(s, "hello", 5, NULL), 5);
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 5);
        CHECK_MEM(buf, "hello", 5);
        CHECK_INT(hf_write(s, "", 0, NULL), 0);
        CHECK(!hf_eof(s));
        CHECK(hf_shutdown_write(s, NULL));
        CHECK_INT(hf_write(s, "x", 1, NULL), -1);
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 0);
        CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 0);
        CHECK(hf_eof(s));
        CHECK(hf_close(s, NULL));
        tls_peer_end(&p);
        CHECK_INT(p.err.code, HF_OK);
    }
    CHECK_INT(iobuf_test_held(), 0);
}

/* For who would rather have it so: the end of TCP will do. */
static void test_ragged_end(void)
{
    ROW("Y73 Y134");
    for (int allowed = 0; allowed < 2; allowed++) {
        hf_stream *s[2];
        hf_error err = {0};
        char buf[32];
        int fd[2];
        hf_config *strict = client_config, *lenient = hf_config_derive(client_config);

        CHECK(hf_config_insecure_ignore_truncation(lenient, allowed));
        client_config = lenient;
        tls_pair(s, fd, false);
        client_config = strict;
        CHECK_INT(hf_write(s[1], "all of it", 9, NULL), 9);
        stream_free(s[1], false);
        close(fd[1]);
        CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 9);
        CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), allowed ? 0 : -1);
        CHECK_STR(hf_code_name(err.code), allowed ? "OK" : "TRUNCATED");
        CHECK(hf_eof(s[0]) == allowed);
        hf_close(s[0], NULL);
        hf_config_free(lenient);
    }
    CHECK_INT(iobuf_test_held(), 0);
}

static void test_truncated(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    char buf[32];
    int fd[2];

    tls_pair(s, fd, false);
    CHECK_INT(hf_write(s[1], "first", 5, NULL), 5);
    CHECK_INT(hf_write(s[1], "second", 6, NULL), 6);
    stream_free(s[1], false);
    close(fd[1]);
    CHECK(!hf_eof(s[0]));
    /* one call takes what several records brought */
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 11);
    CHECK_MEM(buf, "firstsecond", 11);
    for (int i = 0; i < 2; i++) {
        err = (hf_error){0};
        CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), -1);
        CHECK_STR(hf_code_name(err.code), "TRUNCATED");
        CHECK(!hf_eof(s[0]));
    }
    hf_close(s[0], NULL);
    CHECK_INT(iobuf_test_held(), 0);
}

static void test_half_close(void)
{
    hf_stream *s[2];
    char buf[32];
    int fd[2];

    tls_pair(s, fd, false);
    CHECK_INT(hf_write(s[0], "ask", 3, NULL), 3);
    CHECK(hf_shutdown_write(s[0], NULL));
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 3);
    CHECK(hf_eof(s[1]));
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 0);
    CHECK_INT(hf_write(s[1], "answer", 6, NULL), 6);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 6);
    CHECK(hf_close(s[1], NULL));
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 0);
    CHECK(hf_close(s[0], NULL));
}

/* T42, Y149: nothing readable hides from somebody who polls: what one recv brought is pending. */
static void test_pending(void)
{
    hf_stream *s[2];
    char buf[32];
    int fd[2];

    tls_pair(s, fd, false);
    CHECK_INT(hf_write(s[1], "first", 5, NULL), 5);
    CHECK_INT(hf_write(s[1], "second", 6, NULL), 6);
    CHECK(hf_shutdown_write(s[1], NULL));
    CHECK_INT(hf_stream_pending(s[0]), 0);
    CHECK_INT(hf_read(s[0], buf, 5, NULL), 5);
    CHECK_INT(hf_stream_pending(s[0]), 6);
    CHECK(!hf_eof(s[0]));
    CHECK_INT(hf_read(s[0], buf, 2, NULL), 2);
    CHECK_INT(hf_stream_pending(s[0]), 4);
    CHECK_INT(iobuf_test_held(), 1);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 4);
    CHECK_INT(iobuf_test_held(), 0);
    CHECK(hf_eof(s[0]));
    /* the end is known; the poll for it must not wait for the socket */
    CHECK(hf_stream_events(s[0]) & POLLOUT);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 0);
    CHECK_INT(hf_stream_events(s[0]), 0);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* A record that has come in part is no data, and hf_eof does not wait for the rest. */
static void test_part_of_record(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    uint8_t record[64], buf[32];
    int fd[2], wire[2];
    ssize_t n;

    ROW("Y148");
    tls_pair(s, fd, true);
    pair_of(wire);
    /* the writing end gets another socket, so that its record can be held back */
    s[1]->fd = wire[0];
    CHECK_INT(hf_write(s[1], "hello", 5, NULL), 5);
    s[1]->fd = fd[1];
    n = recv(wire[1], record, sizeof record, 0);
    CHECK_INT(n, 5 + 5 + 1 + 16);
    for (ssize_t i = 0; i < n; i++) {
        CHECK(!hf_eof(s[0]));
        CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), HF_AGAIN);
        CHECK_INT(hf_stream_pending(s[0]), 0);
        CHECK_INT(send(fd[1], record + i, 1, 0), 1);
    }
    CHECK(!hf_eof(s[0]));
    CHECK_INT(hf_stream_pending(s[0]), 5);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 5);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
    close(wire[0]);
    close(wire[1]);
}

/* A record that was changed on the way: refused, and the peer is told. */
static void test_bad_record(void)
{
    static const uint8_t bad[] = {23, 3, 3, 0,  17, 1,  2,  3,  4,  5,  6,
                                  7,  8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    hf_stream *s[2];
    hf_error err = {0};
    uint8_t buf[32];
    int fd[2];

    tls_pair(s, fd, false);
    CHECK_INT(hf_write(s[1], "before", 6, NULL), 6);
    CHECK_INT(send(fd[1], bad, sizeof bad, 0), sizeof bad);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 6);
    /* seen ahead, not told yet: whoever polls must not wait */
    CHECK(hf_stream_events(s[0]) & POLLOUT);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "BAD_RECORD_MAC");
    CHECK_INT(hf_write(s[0], "x", 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "BAD_RECORD_MAC");
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "ALERT_RECEIVED");
    CHECK_INT(err.alert, 20);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

static void test_lines(void)
{
    hf_stream *s[2];
    char line[32];
    int fd[2];

    ROW("Y105");
    tls_pair(s, fd, true);
    CHECK_INT(hf_write(s[1], "one\ntw", 6, NULL), 6);
    CHECK_INT(hf_read_line(s[0], line, sizeof line, NULL), 4);
    CHECK_INT(hf_read_line(s[0], line, sizeof line, NULL), HF_AGAIN);
    CHECK_INT(hf_write(s[1], "o\n", 2, NULL), 2);
    CHECK_INT(hf_read_line(s[0], line, sizeof line, NULL), 4);
    CHECK_STR(line, "two\n");
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

static void test_big(void)
{
    struct tls_peer p;

    big_size = 20 << 20;
    tls_peer_start(&p, "tls://localhost:0", server_config, 1, big_sink);
    big_send(tls_open(p.url, NULL));
    tls_peer_end(&p);
    CHECK_INT(iobuf_test_held(), 0);
}

/* Connecting, handshake, writing and reading by poll alone. */
static void test_non_blocking(void)
{
    static uint8_t buf[65536];
    const size_t total = 2 << 20;
    hf_net_options options = {.non_blocking = true};
    struct tls_peer p;
    hf_stream *s;
    size_t sent = 0, got = 0;
    int fd, turns = 0;

    tls_peer_start(&p, "tls://localhost:0", server_config, 1, play_echo);
    s = tls_open(p.url, &options);
    fd = hf_stream_fd(s);
    CHECK_INT(hf_write(s, "x", 1, NULL), HF_AGAIN);
    while (got < total && turns++ < 1000000 && !check_bad) {
        struct pollfd pfd = {hf_stream_fd(s), hf_stream_events(s), 0};
        hf_error err = {0};
        ptrdiff_t n;

        if (s->ready && sent < total)
            pfd.events |= POLLOUT;
        if (!hf_stream_pending(s))
            CHECK(poll(&pfd, 1, -1) > 0);
        if (sent < total) {
            for (size_t i = 0; i < sizeof buf; i++)
                buf[i] = (uint8_t)(sent + i);
            n = hf_write(s, buf, sizeof buf < total - sent ? sizeof buf : total - sent, &err);
            CHECK(n >= 0 || n == HF_AGAIN);
            sent += n > 0 ? (size_t)n : 0;
        }
        n = hf_read(s, buf, sizeof buf, &err);
        CHECK(n > 0 || n == HF_AGAIN);
        for (ptrdiff_t i = 0; i < n && !check_bad; i++)
            CHECK_INT(buf[i], (uint8_t)(got + (size_t)i));
        got += n > 0 ? (size_t)n : 0;
    }
    CHECK_INT(got, total);
    CHECK_INT(hf_stream_fd(s), fd);
    hf_close(s, NULL);
    tls_peer_end(&p);
}

/* What does not fit into the socket stays in the stream, and goes out in order. */
static void test_backlog(void)
{
    static uint8_t data[3 << 20], back[3 << 20];
    hf_stream *s[2];
    hf_error err = {0};
    size_t sent = 0, got = 0;
    int fd[2], small = 4096;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13 + (i >> 12));
    tls_pair(s, fd, true);
    setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    while (got < sizeof data && !check_bad) {
        ptrdiff_t n;

        do {
            n = hf_write(s[0], data + sent, sizeof data - sent, &err);
            sent += n > 0 ? (size_t)n : 0;
        } while (n > 0 && sent < sizeof data);
        CHECK(n >= 0 || n == HF_AGAIN);
        if (n == HF_AGAIN)
            CHECK(hf_stream_events(s[0]) & POLLOUT);
        do {
            n = hf_read(s[1], back + got, sizeof back - got, &err);
            got += n > 0 ? (size_t)n : 0;
        } while (n > 0 && got < sizeof back);
        CHECK(n > 0 || n == HF_AGAIN);
        if (sent == sizeof data)
            CHECK(hf_stream_handshake(s[0], &err) != -1); /* drives the rest out */
    }
    CHECK_INT(got, sizeof data);
    CHECK(memcmp(data, back, sizeof data) == 0);
    /* the end, too, waits for its turn */
    CHECK_INT(hf_stream_handshake(s[0], &err), 0);
    CHECK_INT(iobuf_test_held(), 0);
    sent = 0;
    while (hf_write(s[0], data, sizeof data, &err) > 0)
        ;
    CHECK(hf_shutdown_write(s[0], &err));
    CHECK(hf_stream_events(s[0]) & POLLOUT);

    ptrdiff_t n;

    while ((n = hf_read(s[1], back, sizeof back, &err)) != 0 && !check_bad) {
        CHECK(n > 0 || n == HF_AGAIN);
        CHECK(hf_stream_handshake(s[0], &err) != -1);
    }
    CHECK_INT(hf_stream_events(s[0]), POLLIN);
    /* and closing with something unsent says so */
    while (hf_write(s[1], data, sizeof data, &err) > 0)
        ;
    CHECK(!hf_close(s[1], &err));
    CHECK_STR(hf_code_name(err.code), "SYSTEM");
    CHECK_INT(err.os_errno, EAGAIN);
    hf_close(s[0], NULL);
    CHECK_INT(iobuf_test_held(), 0);
}

static void test_write_timeout(void)
{
    static uint8_t data[4 << 20];
    hf_stream *s[2];
    hf_error err = {0};
    int fd[2];
    double start;

    tls_pair(s, fd, false);
    hf_stream_set_timeout(s[0], 0.2);
    start = now();
    CHECK_INT(hf_write(s[0], data, sizeof data, &err), -1);
    took(start, 0.2);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    start = now();
    CHECK(!hf_close(s[0], &err));
    CHECK(now() - start < SOON);
    hf_close(s[1], NULL);
    CHECK_INT(iobuf_test_held(), 0);
}

/* An idle stream holds no buffer. */
static sem_t reads;

static void *read_one(void *arg)
{
    char byte;

    sem_post(&reads);
    CHECK_INT(hf_read(arg, &byte, 1, NULL), 1);
    return NULL;
}

static void test_idle(void)
{
    hf_stream *s[2];
    pthread_t t;
    int fd[2];

    tls_pair(s, fd, false);
    CHECK_INT(iobuf_test_held(), 0);
    sem_init(&reads, 0, 0);
    pthread_create(&t, NULL, read_one, s[0]);
    while (sem_wait(&reads) != 0)
        ;
    nap(0.1); /* by now, or soon after, it waits in poll */
    for (double start = now(); iobuf_test_held() && now() - start < SOON;)
        nap(0.01);
    CHECK_INT(iobuf_test_held(), 0);
    CHECK_INT(hf_write(s[1], "x", 1, NULL), 1);
    pthread_join(t, NULL);
    CHECK_INT(iobuf_test_held(), 0);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* One thread reads while another writes, on both ends. */
static void *tls_writer(void *arg)
{
    static uint8_t buf[10000];

    for (int i = 0; i < 300; i++) {
        if (hf_write(arg, buf, sizeof buf, NULL) != sizeof buf)
            return NULL;
        /* asks for an answer that the other reader has to hand to its writer */
        if (i % 50 == 0 && !hf_stream_key_update(arg, true, NULL))
            return NULL;
    }
    return hf_shutdown_write(arg, NULL) ? arg : NULL;
}

static void *tls_reader(void *arg)
{
    uint8_t buf[7000];
    size_t got = 0;
    ptrdiff_t n;

    while ((n = hf_read(arg, buf, sizeof buf, NULL)) > 0)
        got += (size_t)n;
    return n == 0 && got == 3000000 ? arg : NULL;
}

static void test_two_threads(void)
{
    pthread_t t[4];
    hf_stream *s[2];
    int fd[2];

    tls_pair(s, fd, false);
    for (int i = 0; i < 2; i++) {
        pthread_create(&t[i], NULL, tls_writer, s[i]);
        pthread_create(&t[2 + i], NULL, tls_reader, s[i]);
    }
    for (int i = 0; i < 4; i++) {
        void *done;

        pthread_join(t[i], &done);
        CHECK(done != NULL);
    }
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* A few bytes of a record that wait for the rest hold no buffer. */
static void test_parked(void)
{
    hf_stream *s[2];
    char buf[64];
    int fd[2];

    tls_pair(s, fd, true);
    while (hf_read(s[0], buf, sizeof buf, NULL) != HF_AGAIN) /* the tickets */
        ;
    CHECK_INT(sock_send(fd[1], "\x17\x03", 2), 2); /* behind the stream's back */
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), HF_AGAIN);
    CHECK_INT(iobuf_test_held(), 0);
    CHECK_INT(sock_send(fd[1], "\x03\x00\x20", 3), 3);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), HF_AGAIN);
    CHECK_INT(iobuf_test_held(), 0);
    memset(buf, 0, sizeof buf);
    CHECK_INT(sock_send(fd[1], buf, 32), 32); /* whole now, and no record of ours */
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), -1);
    CHECK_INT(hf_conn_error(hf_stream_conn(s[0]))->code, HF_E_BAD_RECORD_MAC);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* A reader that never writes still answers a request for a KeyUpdate (RFC 8446 4.6.3). */
static void test_reader_answers(void)
{
    hf_stream *s[2];
    char buf[8];
    int fd[2];

    tls_pair(s, fd, true);
    while (hf_read(s[0], buf, sizeof buf, NULL) != HF_AGAIN) /* the tickets */
        ;
    CHECK_INT(hf_conn_key_update(hf_stream_conn(s[0]), true), HF_DONE);
    CHECK_INT(hf_write(s[0], "x", 1, NULL), 1);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 1);
    CHECK(sock_peek(fd[0], buf, 1) == 1);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), HF_AGAIN);
    CHECK_INT(hf_write(s[1], "y", 1, NULL), 1);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 1);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* A reset in the middle is the network's fault, with its errno. */
static void test_reset(void)
{
    ROW("Y17");
    struct linger hard = {1, 0};
    hf_net_options options = {.lazy_handshake = true};
    hf_error err = {0};
    hf_listener *l = hf_listen("tls://localhost:0", server_config, &options, &err);
    char url[96], buf[16];
    hf_net_options later = {.non_blocking = true};
    hf_stream *c, *s;
    int fd, a, b;

    hf_listener_url(l, url, sizeof url);
    c = tls_open(url, &later);
    while (hf_stream_events(c) && c->connecting) {
        struct pollfd pfd = {hf_stream_fd(c), POLLIN, 0};

        poll(&pfd, 1, 1000);
        (void)hf_stream_handshake(c, &err);
    }
    s = hf_accept(l, &err);
    s->non_blocking = true;
    do {
        a = hf_stream_handshake(c, &err);
        b = hf_stream_handshake(s, &err);
    } while (a == HF_AGAIN || b == HF_AGAIN);
    CHECK_INT(a | b, 0);
    fd = hf_stream_fd(s);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    stream_free(s, false);
    close(fd);
    c->non_blocking = false;
    for (int i = 0; i < 2; i++) {
        CHECK_INT(hf_read(c, buf, sizeof buf, &err), -1);
        CHECK_STR(hf_code_name(err.code), "SYSTEM");
        CHECK_INT(err.os_errno, ECONNRESET);
    }
    CHECK_INT(hf_write(c, "x", 1, &err), -1);
    CHECK_INT(err.os_errno, EPIPE);
    hf_close(c, NULL);
    hf_listener_close(l);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    RUN(test_echo);
    RUN(test_ragged_end);
    RUN(test_truncated);
    RUN(test_half_close);
    RUN(test_pending);
    RUN(test_part_of_record);
    RUN(test_bad_record);
    RUN(test_lines);
    RUN(test_big);
    RUN(test_non_blocking);
    RUN(test_backlog);
    RUN(test_write_timeout);
    RUN(test_idle);
    RUN(test_two_threads);
    RUN(test_parked);
    RUN(test_reader_answers);
    RUN(test_reset);
    return tls_done(files);
}

/* What sockets elsewhere can do (Python's socket and SSLSocket, PHP's stream_socket_*), by one function
 * each; and what of it does not go with TLS. */
#define _GNU_SOURCE
#include "tlspeer.h"

#include <netinet/tcp.h>
#include <sys/mman.h>

static void tcp_pair(hf_stream *out[2])
{
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    char url[96];

    hf_listener_url(l, url, sizeof url);
    out[0] = open_ok(url, NULL);
    out[1] = hf_accept(l, &err);
    CHECK(out[1] != NULL);
    hf_listener_close(l);
}

static void close_pair(hf_stream *s[2])
{
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* ---- names, addresses, peeking, out of band, ends, pairs */

static void check_peek(hf_stream *a, hf_stream *b, bool tls)
{
    hf_error err = {0};
    char buf[32];

    CHECK_INT(hf_write(b, "hello\nworld", 11, &err), 11);
    CHECK_INT(hf_peek(a, buf, 3, &err), 3);
    CHECK_MEM(buf, "hel", 3);
    CHECK_INT(hf_stream_pending(a), tls ? 11 : 0); /* in the socket it stays for others */
    CHECK_INT(hf_peek(a, buf, sizeof buf, &err), 11);
    CHECK_INT(hf_read_line(a, buf, sizeof buf, &err), 6);
    CHECK_INT(hf_peek(a, buf, sizeof buf, &err), 5);
    CHECK_INT(hf_peek(a, buf, sizeof buf, &err), 5);
    CHECK_MEM(buf, "world", 5);
    CHECK_INT(hf_receive_from(a, buf, sizeof buf, HF_MSG_PEEK, NULL, 0, &err), 5);
    CHECK_INT(hf_read(a, buf, sizeof buf, &err), 5);
    hf_stream_set_timeout(a, 0.02);
    CHECK_INT(hf_peek(a, buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_stream_set_blocking(a, false);
    CHECK_INT(hf_peek(a, buf, sizeof buf, &err), HF_AGAIN);
    hf_stream_set_blocking(a, true);
    CHECK_INT(hf_peek(a, buf, 0, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(hf_shutdown_write(b, &err));
    CHECK_INT(hf_peek(a, buf, sizeof buf, &err), 0);
    CHECK_INT(hf_read(a, buf, sizeof buf, &err), 0);
}

static void check_oob(void)
{
    hf_error err = {0};
    hf_stream *s[2];
    hf_wait_item item = {.want = HF_WAIT_OOB};
    char buf[8] = "";
    int fd[2];

    tcp_pair(s);
    hf_stream_set_timeout(s[1], 0.05);
    CHECK_INT(hf_receive_from(s[1], buf, 1, HF_MSG_OOB, NULL, 0, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_stream_set_timeout(s[1], PLENTY);
    CHECK_INT(hf_write(s[0], "normal", 6, &err), 6);
    CHECK_INT(hf_send_to(s[0], "!", 1, HF_MSG_OOB, NULL, &err), 1);
    item.stream = s[1];
    CHECK_INT(hf_wait(&item, 1, PLENTY, &err), 1);
    CHECK_INT(item.ready, HF_WAIT_OOB);
    CHECK_INT(hf_receive_from(s[1], buf, 1, HF_MSG_OOB | HF_MSG_PEEK, NULL, 0, &err), 1);
    CHECK_INT(hf_receive_from(s[1], buf, 1, HF_MSG_OOB, NULL, 0, &err), 1);
    CHECK_INT(buf[0], '!');
    CHECK_INT(hf_read(s[1], buf, 6, &err), 6);
    CHECK_MEM(buf, "normal", 6);
    close_pair(s);

    tls_pair(s, fd, false);
    CHECK_INT(hf_send_to(s[0], "!", 1, HF_MSG_OOB, NULL, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(strstr(err.detail, "TLS has no data out of band") != NULL);
    CHECK_INT(hf_receive_from(s[0], buf, 1, HF_MSG_OOB, NULL, 0, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    close_pair(s);
}

static void check_ends(bool tls)
{
    hf_error err = {0};
    hf_stream *s[2];
    char buf[8];
    int fd[2];

    for (int how = 0; how < 3; how++) {
        if (tls)
            tls_pair(s, fd, false);
        else
            tcp_pair(s);
        CHECK(hf_shutdown(s[0], (hf_shut)how, &err));
        if (how == HF_SHUT_READ) {
            CHECK_INT(hf_write(s[0], "x", 1, &err), 1);
            CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 1);
        } else {
            CHECK_INT(hf_write(s[0], "x", 1, &err), -1);
            CHECK_STR(hf_code_name(err.code), "WRITE_CLOSED");
            CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 0);
            CHECK(hf_eof(s[1]));
        }
        if (how == HF_SHUT_WRITE) {
            CHECK_INT(hf_write(s[1], "y", 1, &err), 1);
            CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 1);
            CHECK(!hf_eof(s[0]));
        } else {
            CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 0);
            CHECK(hf_eof(s[0]));
        }
        close_pair(s);
    }
}

static void test_php(void)
{
    hf_error err = {0};
    hf_stream *s[2];
    char mine[ADDRESS_TEXT_MAX], theirs[ADDRESS_TEXT_MAX], from[ADDRESS_TEXT_MAX], buf[8];
    int fd[2];

    ROW("T40");
    tcp_pair(s);
    hf_stream_name(s[0], false, mine, sizeof mine);
    hf_stream_name(s[1], true, theirs, sizeof theirs);
    CHECK_STR(mine, theirs);
    hf_stream_name(s[0], true, theirs, sizeof theirs);
    CHECK_INT(hf_write(s[1], "x", 1, &err), 1);
    CHECK_INT(hf_receive_from(s[0], buf, sizeof buf, 0, from, sizeof from, &err), 1);
    CHECK_STR(from, theirs);
    CHECK_INT(hf_send_to(s[0], "x", 1, 0, theirs, &err), -1); /* it has its one peer */
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK_INT(hf_send_to(s[0], "x", 1, 0, NULL, &err), 1);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 1);
    check_peek(s[0], s[1], false);
    close_pair(s);
    tls_pair(s, fd, false);
    check_peek(s[0], s[1], true);
    close_pair(s);
    check_oob();
    check_ends(false);
    check_ends(true);
    CHECK(hf_stream_pair("unix", NULL, s, &err));
    CHECK_INT(hf_write(s[0], "x", 1, &err), 1);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 1);
    close_pair(s);
    hf_stream *d = hf_bind("udp://127.0.0.1:0", NULL, &err),
              *e = hf_bind("udp://127.0.0.1:0", NULL, &err);
    hf_stream_name(d, false, mine, sizeof mine);
    CHECK_INT(hf_send_to(e, "x", 1, 0, mine, &err), 1);
    CHECK_INT(hf_receive_from(d, buf, sizeof buf, 0, from, sizeof from, &err), 1);
    CHECK_INT(hf_send_to(d, "x", 1, 0, from, &err), 1);
    CHECK_INT(hf_read(e, buf, sizeof buf, &err), 1);
    hf_close(d, NULL);
    hf_close(e, NULL);
}

/* ---- the 21 methods of Python's SSLSocket */

static void test_python(void)
{
    hf_net_options options = {.bindto = "127.0.0.1:0", .peer_name = "localhost", .backlog = 4};
    hf_net_options lazy = {.lazy_handshake = true, .backlog = 4};
    hf_error err = {0};
    char url[96], name[ADDRESS_TEXT_MAX], line[32];
    struct tls_peer p;
    int value = 0;

    ROW("Y81");
    hf_listener *l =
        hf_listen("tls://127.0.0.1:0", server_config, &lazy, &err); /* bind, listen */
    CHECK(l != NULL);
    hf_listener_url(l, url, sizeof url);
    hf_listener_set_timeout(l, 0.01);
    CHECK(hf_accept(l, &err) == NULL);
    hf_listener_close(l);

    tls_peer_start(&p, "tls://127.0.0.1:0", server_config, 2, play_echo); /* accept */
    hf_stream *s = hf_open(p.url, client_config, &options, &err);         /* bind, connect */
    CHECK(s != NULL);
    CHECK(hf_stream_fd(s) >= 0);                                       /* fileno */
    CHECK(hf_stream_name(s, true, name, sizeof name) > 0);             /* getpeername */
    CHECK(hf_stream_name(s, false, name, sizeof name) > 0);            /* getsockname */
    CHECK(hf_stream_get_option(s, SOL_SOCKET, SO_TYPE, &value, &err)); /* getsockopt */
    CHECK_INT(value, SOCK_STREAM);
    CHECK(hf_stream_set_option(s, SOL_SOCKET, SO_RCVBUF, 65536, &err)); /* setsockopt */
    hf_stream_set_timeout(s, 99);                                       /* settimeout */
    CHECK(hf_stream_limit(s, HF_LIMIT_READ) == 99);                     /* gettimeout */
    hf_stream_set_blocking(s, false);                                   /* setblocking */
    CHECK_INT(hf_write(s, "abc\n", 4, &err), 4); /* send: what goes at once */
    CHECK_INT(hf_read(s, line, 0, &err), -1);
    hf_stream_set_blocking(s, true);
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 4);
    CHECK_INT(hf_write(s, "defg", 4, &err), 4); /* sendall */
    CHECK_INT(hf_read(s, line, 4, &err), 4);    /* recv, recv_into */
    FILE *file = tmpfile();
    fputs("from a file", file);
    fflush(file);
    CHECK_INT(hf_send_file(s, fileno(file), 5, -1, &err), 6); /* sendfile */
    fclose(file);
    CHECK_INT(hf_read(s, line, 6, &err), 6);
    CHECK_MEM(line, "a file", 6);
    CHECK(hf_shutdown(s, HF_SHUT_WRITE, &err)); /* shutdown */
    CHECK_INT(hf_read(s, line, sizeof line, &err), 0);
    CHECK(hf_close(s, &err)); /* close */

    s = hf_open(p.url, client_config, &options, &err);
    FILE *f = hf_stream_file(s, "r+", &err); /* makefile */
    CHECK(f != NULL);
    CHECK(fprintf(f, "line %d\n", 1) == 7 && fflush(f) == 0);
    CHECK(fgets(line, sizeof line, f) != NULL);
    CHECK_STR(line, "line 1\n");
    CHECK(fclose(f) == 0);
    tls_peer_end(&p);

    hf_stream *pair[2];
    CHECK(hf_stream_pair("unix", NULL, pair, &err));
    int fd = hf_stream_detach(pair[0], &err); /* detach */
    CHECK(fd >= 0);
    CHECK_INT(send(fd, "x", 1, 0), 1);
    CHECK_INT(hf_read(pair[1], line, sizeof line, &err), 1);
    close(fd);
    hf_close(pair[1], NULL);
}

static void test_detach_refuses(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    char line[16];

    CHECK(hf_stream_pair("unix", NULL, s, &err));
    CHECK_INT(hf_write(s[1], "a\nb", 3, &err), 3);
    CHECK_INT(hf_read_line(s[0], line, sizeof line, &err), 2);
    CHECK_INT(hf_stream_detach(s[0], &err), -1); /* "b" is here and would be lost */
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK_INT(hf_read(s[0], line, sizeof line, &err), 1);
    int fd = hf_stream_detach(s[0], &err);
    CHECK(fd >= 0);
    close(fd);
    hf_close(s[1], NULL);
}

static void test_flags(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    char buf[8];
    int fd[2];

    ROW("Y82");
    tls_pair(s, fd, false);
    for (unsigned bit = 1; bit; bit <<= 1) {
        if (bit != HF_MSG_PEEK) {
            CHECK_INT(hf_receive_from(s[0], buf, sizeof buf, bit, NULL, 0, &err), -1);
            CHECK_STR(hf_code_name(err.code), "USAGE");
        }
        CHECK_INT(hf_send_to(s[0], "x", 1, bit, NULL, &err), -1);
        CHECK_STR(hf_code_name(err.code), "USAGE");
    }
    /* nothing has gone out, and nothing is broken */
    hf_stream_set_blocking(s[1], false);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), HF_AGAIN);
    CHECK_INT(hf_send_to(s[0], "x", 1, 0, NULL, &err), 1);
    CHECK_INT(hf_receive_from(s[1], buf, sizeof buf, HF_MSG_PEEK, NULL, 0, &err), 1);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 1);
    close_pair(s);
}

/* ---- FILE */

static void test_file(void)
{
    hf_stream *s[2];
    hf_error err = {0}, later = {0};
    char line[32];
    FILE *f;

    CHECK(hf_stream_pair("unix", NULL, s, &err));
    CHECK(hf_stream_file(s[0], "a", &err) == NULL);
    CHECK_STR(err.detail, "hf_stream_file: the mode is r, w or r+");
    hf_stream_set_blocking(s[0], false);
    CHECK(hf_stream_file(s[0], "r", &err) == NULL);
    hf_stream_set_blocking(s[0], true);
    f = hf_stream_file(s[0], "r", &later);
    CHECK_INT(hf_write(s[1], "one\ntwo\n", 8, &err), 8);
    CHECK(fgets(line, sizeof line, f) && strcmp(line, "one\n") == 0);
    CHECK(fgets(line, sizeof line, f) && strcmp(line, "two\n") == 0);
    hf_stream_set_timeout(s[0], 0.02);
    CHECK(fgets(line, sizeof line, f) == NULL);
    CHECK(ferror(f) && errno == ETIMEDOUT);
    CHECK_STR(hf_code_name(later.code), "TIMEOUT");
    CHECK(fclose(f) == 0);
    hf_close(s[1], NULL);

    CHECK(hf_stream_pair("unix", NULL, s, &err));
    f = hf_stream_file(s[0], "w", NULL);
    hf_close(s[1], NULL);
    CHECK(fputs("x", f) >= 0);
    CHECK(fflush(f) == EOF && errno == EPIPE);
    fclose(f);
}

/* ---- files */

/* More than an int counts; less of it where every byte takes long. */
static uint64_t more_than_an_int(void)
{
    return getenv("HF_TEST_SLOW") ? (uint64_t)24 << 20 : (uint64_t)2 << 30;
}

/* The plain reader throws away what comes without copying it (tcp(7)). */
static void *swallow(void *arg)
{
    int fd = *(int *)arg;
    static uint64_t total;
    static uint8_t room[1 << 20]; /* memcheck does not know that nothing is written */
    ssize_t n;

    total = 0;
    while ((n = recv(fd, room, sizeof room, MSG_TRUNC)) > 0)
        total += (uint64_t)n;
    return &total;
}

static void check_big_file(void)
{
    const uint64_t size = more_than_an_int() + 4097;
    FILE *file = fdopen(memfd_create("big", MFD_CLOEXEC), "r+");
    hf_error err = {0};
    hf_stream *s[2];
    pthread_t thread;
    void *total;

    CHECK(ftruncate(fileno(file), (off_t)size) == 0);
    tcp_pair(s);
    int fd = hf_stream_detach(s[1], &err);
    fcntl(fd, F_SETFL, 0);
    pthread_create(&thread, NULL, swallow, &fd);
    CHECK_INT(hf_send_file(s[0], fileno(file), 0, -1, &err), size);
    CHECK(hf_close(s[0], &err));
    pthread_join(thread, &total);
    CHECK_INT(*(uint64_t *)total, size);
    close(fd);
    fclose(file);
}

/* What is beyond 2 GB in the file comes through, plain, under TLS, and over a socket that blocks. */
static void check_offset(hf_stream *s[2])
{
    const uint64_t far = ((uint64_t)5 << 30) + 123;
    FILE *file = tmpfile();
    hf_error err = {0};
    char buf[64];

    CHECK(pwrite(fileno(file), "far away", 8, (off_t)far) == 8);
    CHECK_INT(hf_send_file(s[0], fileno(file), far + 4, 100, &err), 4);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 4);
    CHECK_MEM(buf, "away", 4);
    CHECK_INT(hf_send_file(s[0], fileno(file), far, 3, &err), 3);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 3);
    CHECK_MEM(buf, "far", 3);
    CHECK_INT(hf_send_file(s[0], fileno(file), far + 8, -1, &err), 0);
    CHECK_INT(hf_send_file(s[0], fileno(file), 0, 0, &err), 0);
    CHECK_INT(hf_send_file(s[0], -1, 0, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "FILE");
    CHECK_INT(hf_send_file(s[0], fileno(file), UINT64_MAX, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    fclose(file);
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    CHECK_INT(hf_send_file(s[0], pipes[0], 0, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "FILE");
    close(pipes[0]);
    close(pipes[1]);
    /* it keeps its time, and what it sent before counts when it does not block */
    file = tmpfile();
    CHECK(ftruncate(fileno(file), 32 << 20) == 0);
    hf_stream_set_blocking(s[0], false);
    int64_t n = hf_send_file(s[0], fileno(file), 0, -1, &err);
    CHECK(n > 0 && n < 32 << 20);
    CHECK_INT(hf_send_file(s[0], fileno(file), 0, -1, &err), HF_AGAIN);
    hf_stream_set_blocking(s[0], true);
    hf_stream_set_timeout(s[0], 0.05);
    CHECK_INT(hf_send_file(s[0], fileno(file), 0, -1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    fclose(file);
}

static void test_send_file(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    int fd[2];

    ROW("Y83");
    tcp_pair(s);
    check_offset(s);
    close_pair(s);
    tls_pair(s, fd, false);
    check_offset(s);
    close_pair(s);
    pair_of(fd); /* these block by themselves */
    s[0] = wrap_ok(fd[0], NULL);
    s[1] = wrap_ok(fd[1], NULL);
    check_offset(s);
    close_pair(s);
    check_big_file();
    CHECK(hf_stream_pair("unix", NULL, s, &err));
    CHECK(hf_shutdown_write(s[0], &err));
    CHECK_INT(hf_send_file(s[0], fd[0], 0, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "WRITE_CLOSED");
    close_pair(s);
}

/* ---- sizes and states */

static void test_sizes(void)
{
    const size_t huge = (size_t)more_than_an_int() + 12345;
    uint8_t *zeros = mmap(NULL, huge, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    hf_error err = {0};
    hf_stream *s[2];
    pthread_t thread;
    void *total;
    int fd[2];

    ROW("Y87");
    CHECK(zeros != MAP_FAILED);
    tcp_pair(s);
    fd[0] = hf_stream_detach(s[1], &err);
    fcntl(fd[0], F_SETFL, 0);
    pthread_create(&thread, NULL, swallow, &fd[0]);
    CHECK_INT(hf_write(s[0], zeros, huge, &err), huge);
    CHECK(hf_close(s[0], &err));
    pthread_join(thread, &total);
    CHECK_INT(*(uint64_t *)total, huge);
    close(fd[0]);

    for (int tls = 0; tls < 2; tls++) {
        if (tls)
            tls_pair(s, fd, true);
        else
            tcp_pair(s);
        hf_stream_set_blocking(s[0], false);
        CHECK_INT(hf_write(s[0], "", 0, &err), 0);
        CHECK_INT(hf_write(s[0], NULL, 0, &err), 0);
        CHECK_INT(hf_write(s[0], "abc", 3, &err), 3);
        CHECK_INT(hf_read(s[1], zeros, huge, &err), 3);
        CHECK_MEM(zeros, "abc", 3);
        ptrdiff_t n = hf_write(s[0], zeros, huge, &err);
        CHECK(n > 0 && n < (ptrdiff_t)huge);
        CHECK(hf_read(s[1], zeros, huge, &err) > 0);
        close_pair(s);
    }
    munmap(zeros, huge);
}

/* The pair below hf_read and hf_write says what it cannot do yet, or no more. */
static void test_misuse(void)
{
    hf_error err = {0};
    hf_conn *conn = hf_conn_new_client(client_config, "localhost", &err);
    uint8_t out[512], *data;
    size_t taken, written, used, len;
    hf_stream *s[2];
    char buf[8];
    int fd[2];

    ROW("Y85");
    CHECK_INT(hf_conn_send(conn, (const uint8_t *)"x", 1, &taken, out, sizeof out, &written),
              HF_WANT_INPUT);
    CHECK(taken == 0);
    CHECK_INT(hf_conn_receive(conn, out, 0, &used, &data, &len), HF_WANT_INPUT);
    hf_conn_free(conn);

    tls_pair(s, fd, false);
    CHECK(hf_shutdown_write(s[0], &err));
    CHECK_INT(hf_write(s[0], "x", 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "WRITE_CLOSED");
    CHECK_INT(hf_conn_send(hf_stream_conn(s[0]), (const uint8_t *)"x", 1, &taken, out,
                           sizeof out, &written),
              HF_CLOSED);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 0);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 0);
    CHECK_INT(hf_read(s[1], NULL, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    close_pair(s);
}

/* A peer asks for a new key while nothing can be sent: reading goes on, and the answer follows when there is
 * room; what waits for what is said honestly. */
static void test_key_update_when_full(void)
{
    static char data[65536];
    hf_stream *s[2];
    hf_error err = {0};
    char buf[8];
    int fd[2], turns = 0;
    ptrdiff_t n;
    size_t sent = 0, got = 0;

    ROW("Y86");
    memset(data, 'a', sizeof data);
    tls_pair(s, fd, true);
    while ((n = hf_write(s[0], data, sizeof data, &err)) > 0)
        sent += (size_t)n;
    CHECK_INT(n, HF_AGAIN);
    CHECK(hf_stream_key_update(s[1], true, &err));
    CHECK_INT(hf_write(s[1], "after", 5, &err), 5);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 5);
    CHECK_MEM(buf, "after", 5);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), HF_AGAIN);
    CHECK_INT(hf_stream_events(s[0]), POLLIN | POLLOUT); /* something of ours waits to go */
    CHECK_INT(hf_stream_events(s[1]), POLLIN);
    hf_wait_item item = {.stream = s[0], .want = HF_WAIT_READ};
    CHECK_INT(hf_wait(&item, 1, 0.02, &err), 0);
    /* the reader makes room; hf_wait for reading alone sends what waits */
    while (got < sent && turns++ < 10000) {
        n = hf_read(s[1], data, sizeof data, &err);
        CHECK(n > 0 || n == HF_AGAIN);
        got += n > 0 ? (size_t)n : 0;
        if (n == HF_AGAIN)
            CHECK_INT(hf_wait(&item, 1, 0, &err), 0);
    }
    CHECK_INT(got, sent);
    CHECK_INT(hf_wait(&item, 1, 0, &err), 0);
    CHECK_INT(hf_stream_events(s[0]), POLLIN);
    /* both directions have new keys and still fit */
    CHECK_INT(hf_write(s[0], "new", 3, &err), 3);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 3);
    CHECK_INT(hf_write(s[1], "new", 3, &err), 3);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 3);
    close_pair(s);
}

/* ---- meta data */

static void test_info(void)
{
    hf_config *client = hf_config_derive(client_config),
              *server = hf_config_derive(server_config);
    hf_error err = {0};
    struct tls_peer p;
    hf_stream_info info;
    char buf[32];

    ROW("T55");
    CHECK(hf_config_set_alpn(client, "h2,http/1.1", false) &&
          hf_config_set_alpn(server, "http/1.1", false));
    CHECK(hf_config_set_suites(client, "TLS_AES_256_GCM_SHA384"));
    CHECK(hf_config_set_ciphers(client, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    tls_peer_start(&p, "tls://localhost:0", server, 2, play_echo);
    for (int old = 0; old < 2; old++) {
        char url[96];

        snprintf(url, sizeof url, "%s%s", old ? "tlsv1.2" : "tls", strstr(p.url, "://"));
        hf_stream *s = hf_open(url, client, NULL, &err);
        CHECK(s != NULL);
        hf_stream_get_info(s, &info);
        CHECK_STR(info.stream_type, "tcp_socket/ssl");
        CHECK_STR(info.uri, url);
        CHECK_STR(info.mode, "r+");
        CHECK(info.blocked && !info.timed_out && !info.eof);
        CHECK_STR(info.crypto.protocol, old ? "TLSv1.2" : "TLSv1.3");
        CHECK_STR(info.crypto.cipher_name,
                  old ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "TLS_AES_256_GCM_SHA384");
        CHECK_INT(info.crypto.cipher_bits, old ? 128 : 256);
        CHECK_STR(info.crypto.cipher_version, old ? "TLSv1.2" : "TLSv1.3");
        CHECK_STR(info.crypto.alpn, "http/1.1");
        CHECK_INT(hf_write(s, "abcdef", 6, &err), 6);
        CHECK_INT(hf_read(s, buf, 2, &err), 2);
        hf_stream_get_info(s, &info);
        CHECK_INT(info.unread_bytes, 4);
        CHECK_INT(hf_read(s, buf, 4, &err), 4);
        hf_stream_set_timeout(s, 0.02);
        CHECK_INT(hf_read(s, buf, 4, &err), -1);
        hf_stream_get_info(s, &info);
        CHECK(info.timed_out);
        hf_stream_set_timeout(s, PLENTY);
        CHECK(hf_shutdown_write(s, &err));
        CHECK_INT(hf_read(s, buf, 4, &err), 0);
        hf_stream_get_info(s, &info);
        CHECK(!info.timed_out && info.eof);
        CHECK_STR(info.mode, "r");
        hf_close(s, NULL);
    }
    tls_peer_end(&p);
    hf_config_free(client);
    hf_config_free(server);

    static const char *const kinds[][2] = {{"unix", "unix_socket"}, {"udg", "udg_socket"}};
    for (int i = 0; i < 2; i++) {
        hf_net_options options = {.non_blocking = true};
        hf_stream *s[2];

        CHECK(hf_stream_pair(kinds[i][0], &options, s, &err));
        hf_stream_get_info(s[0], &info);
        CHECK_STR(info.stream_type, kinds[i][1]);
        CHECK_STR(info.uri, "");
        CHECK(!info.blocked);
        CHECK_STR(info.crypto.protocol, "");
        CHECK_STR(info.crypto.alpn, "");
        CHECK_INT(info.crypto.cipher_bits, 0);
        CHECK(hf_shutdown(s[0], HF_SHUT_BOTH, &err));
        hf_stream_get_info(s[0], &info);
        CHECK_STR(info.mode, "");
        CHECK(info.eof);
        close_pair(s);
    }
}

/* ---- try again, and the end */

/* A handshake byte by byte, on streams that do not block: again and again, until it is done. */
static void test_again(void)
{
    hf_net_options options = {.non_blocking = true, .peer_name = "localhost"};
    hf_error err = {0};
    hf_stream *s[2];
    int end[2][2], done[2] = {HF_AGAIN, HF_AGAIN}, turns = 0, again = 0;

    ROW("T36 Y130");
    pair_of(end[0]);
    pair_of(end[1]);
    s[0] = hf_stream_wrap(end[0][0], "tls", HF_CLIENT, client_config, &options, &err);
    s[1] = hf_stream_wrap(end[1][0], "tls", HF_SERVER, server_config, &options, &err);
    while ((done[0] || done[1]) && turns++ < 100000 && !check_bad) {
        for (int i = 0; i < 2; i++) {
            if (done[i])
                done[i] = hf_stream_handshake(s[i], &err);
            CHECK(done[i] == 0 || done[i] == HF_AGAIN);
            again += done[i] == HF_AGAIN;
            /* it says what for: here never for room */
            if (done[i])
                CHECK_INT(hf_stream_events(s[i]), POLLIN);
        }
        for (int i = 0; i < 2; i++) { /* the wire carries one byte at a time */
            char byte;
            if (recv(end[i][1], &byte, 1, MSG_DONTWAIT) == 1)
                CHECK_INT(send(end[1 - i][1], &byte, 1, 0), 1);
        }
    }
    CHECK(done[0] == 0 && done[1] == 0);
    CHECK(again > 500);
    close_pair(s);
    close(end[0][1]);
    close(end[1][1]);

    /* the third answer: it never will */
    pair_of(end[0]);
    s[0] = hf_stream_wrap(end[0][0], "tls", HF_CLIENT, client_config, &options, &err);
    CHECK_INT(hf_stream_handshake(s[0], &err), HF_AGAIN);
    CHECK_INT(send(end[0][1], "\x15\3\3\0\2\2\x28", 7, 0), 7);
    CHECK_INT(hf_stream_handshake(s[0], &err), -1);
    CHECK_STR(hf_code_name(err.code), "ALERT_RECEIVED");
    hf_close(s[0], NULL);
    close(end[0][1]);

    /* and the other direction: a ClientHello that the socket does not take */
    int small = 1;
    pair_of(end[0]);
    setsockopt(end[0][0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    while (send(end[0][0], "x", 1, MSG_DONTWAIT) == 1)
        ;
    s[0] = hf_stream_wrap(end[0][0], "tls", HF_CLIENT, client_config, &options, &err);
    CHECK_INT(hf_stream_handshake(s[0], &err), HF_AGAIN);
    CHECK(hf_stream_events(s[0]) & POLLOUT);
    hf_close(s[0], NULL);
    close(end[0][1]);
}

/* hf_eof: not before the end, without waiting, and without taking anything. */
static void test_eof(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    uint8_t record[64], buf[8];
    int fd[2], wire[2];
    double start;
    ssize_t n;

    ROW("T41");
    tls_pair(s, fd, false); /* they block, for long */
    pair_of(wire);
    s[1]->fd = wire[0];
    CHECK_INT(hf_write(s[1], "hello", 5, &err), 5);
    s[1]->fd = fd[1];
    n = recv(wire[1], record, sizeof record, 0);
    CHECK_INT(send(fd[1], record, (size_t)n - 3, 0), n - 3); /* a part, and then nothing */
    start = now();
    for (int i = 0; i < 10; i++)
        CHECK(!hf_eof(s[0]));
    CHECK(now() - start < SOON);
    hf_stream_set_timeout(s[0], 0.05);
    start = now();
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    took(start, 0.05);
    hf_stream_set_blocking(s[0], false);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), HF_AGAIN);
    CHECK_INT(send(fd[1], record + n - 3, 3, 0), 3);
    CHECK(!hf_eof(s[0]));
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 5);
    CHECK(hf_shutdown_write(s[1], &err));
    CHECK(hf_eof(s[0]));
    CHECK(hf_eof(s[0]));
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 0);
    close_pair(s);
    close(wire[0]);
    close(wire[1]);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    RUN(test_php);
    RUN(test_python);
    RUN(test_detach_refuses);
    RUN(test_flags);
    RUN(test_file);
    RUN(test_send_file);
    RUN(test_sizes);
    RUN(test_misuse);
    RUN(test_key_update_when_full);
    RUN(test_info);
    RUN(test_again);
    RUN(test_eof);
    return tls_done(files);
}

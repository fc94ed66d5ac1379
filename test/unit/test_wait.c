/* hf_wait: what it takes for ready, and what not. */
#include "tlspeer.h"

static int wait_one(hf_stream *s, unsigned want, double timeout, unsigned *ready)
{
    hf_wait_item item = {.stream = s, .want = want};
    hf_error err = {0};
    int n = hf_wait(&item, 1, timeout, &err);

    CHECK(n >= 0);
    *ready = item.ready;
    return n;
}

/* The trap of select: two records come together, one is read, and nothing is left in the socket. */
static void test_decrypted(void)
{
    struct pollfd p = {.events = POLLIN};
    hf_stream *s[2];
    unsigned ready;
    char buf[8];
    int fd[2];

    ROW("T42 Y149");
    tls_pair(s, fd, false);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0, &ready), 0);
    CHECK_INT(hf_write(s[1], "one", 3, NULL), 3);
    CHECK_INT(hf_write(s[1], "two", 3, NULL), 3);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0, &ready), 1);
    CHECK_INT(ready, HF_WAIT_READ);
    CHECK_INT(hf_read(s[0], buf, 3, NULL), 3);
    p.fd = fd[0];
    CHECK_INT(poll(&p, 1, 0), 0); /* this is the trap */
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0, &ready), 1);
    CHECK_INT(ready, HF_WAIT_READ);
    CHECK_INT(hf_read(s[0], buf, 1, NULL), 1);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, -1, &ready), 1);
    CHECK_INT(hf_read(s[0], buf, 8, NULL), 2);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0, &ready), 0);
    CHECK_INT(ready, 0);
    hf_close(s[1], NULL);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, -1, &ready), 1);
    CHECK_INT(hf_read(s[0], buf, 8, NULL), 0);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0, &ready), 1); /* the end stays */
    hf_close(s[0], NULL);
}

/* The trap's other side: the socket is readable, and a blocking hf_read would wait for the record's rest. */
static void test_half_a_record(void)
{
    hf_stream *s[2];
    uint8_t record[64];
    int fd[2], wire[2];
    unsigned ready;
    double start;
    ssize_t n;

    ROW("Y148");
    tls_pair(s, fd, false);
    pair_of(wire);
    s[1]->fd = wire[0];
    CHECK_INT(hf_write(s[1], "hello", 5, NULL), 5);
    s[1]->fd = fd[1];
    n = recv(wire[1], record, sizeof record, 0);
    for (ssize_t i = 0; i + 1 < n; i++) {
        CHECK_INT(send(fd[1], record + i, 1, 0), 1);
        CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0, &ready), 0);
    }
    start = now();
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0.1, &ready), 0);
    took(start, 0.1);
    CHECK_INT(send(fd[1], record + n - 1, 1, 0), 1);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ, 0, &ready), 1);
    CHECK_INT(hf_read(s[0], record, 8, NULL), 5);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
    close(wire[0]);
    close(wire[1]);
}

/* A part of a line is bytes, but no line. */
static void lines_over(hf_stream *a, hf_stream *b)
{
    unsigned ready;
    char buf[32];

    CHECK_INT(hf_write(b, "first\nsec", 9, NULL), 9);
    CHECK_INT(wait_one(a, HF_WAIT_LINE, PLENTY, &ready), 1);
    CHECK_INT(hf_read_line(a, buf, sizeof buf, NULL), 6);
    CHECK_INT(wait_one(a, HF_WAIT_LINE, 0.02, &ready), 0);
    CHECK_INT(wait_one(a, HF_WAIT_READ, PLENTY, &ready), 1);
    CHECK_INT(hf_write(b, "ond", 3, NULL), 3);
    CHECK_INT(wait_one(a, HF_WAIT_LINE, 0.02, &ready), 0);
    CHECK_INT(hf_write(b, "\nthird\n", 7, NULL), 7);
    CHECK_INT(wait_one(a, HF_WAIT_LINE, PLENTY, &ready), 1);
    CHECK_INT(hf_read_line(a, buf, sizeof buf, NULL), 7);
    CHECK_STR(buf, "second\n");
    /* the next one waits in the buffer */
    CHECK_INT(wait_one(a, HF_WAIT_LINE, 0, &ready), 1);
    CHECK_INT(hf_read_line(a, buf, sizeof buf, NULL), 6);
    CHECK_INT(hf_write(b, "last", 4, NULL), 4);
    CHECK_INT(wait_one(a, HF_WAIT_LINE, 0.02, &ready), 0);
    CHECK(hf_shutdown_write(b, NULL));
    CHECK_INT(wait_one(a, HF_WAIT_LINE, PLENTY, &ready), 1);
    CHECK_INT(hf_read_line(a, buf, sizeof buf, NULL), 4);
    CHECK_INT(wait_one(a, HF_WAIT_LINE, PLENTY, &ready), 1);
    CHECK_INT(hf_read_line(a, buf, sizeof buf, NULL), 0);
}

static void test_lines(void)
{
    hf_stream *s[2];
    int fd[2];

    CHECK(hf_stream_pair("unix", NULL, s, NULL));
    lines_over(s[0], s[1]);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
    tls_pair(s, fd, false);
    lines_over(s[0], s[1]);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* Somebody who sends no newline does not fill the memory. */
static void test_endless_line(void)
{
    static char data[80000];
    hf_net_options options = {.non_blocking = true};
    hf_stream *s[2];
    unsigned ready;

    memset(data, 'x', sizeof data);
    CHECK(hf_stream_pair("unix", &options, s, NULL));
    CHECK_INT(hf_write(s[1], data, sizeof data, NULL), sizeof data);
    CHECK_INT(wait_one(s[0], HF_WAIT_LINE, PLENTY, &ready), 1);
    CHECK(hf_stream_pending(s[0]) >= 64 * 1024);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

static void test_write(void)
{
    static char data[65536];
    hf_stream *s[2];
    unsigned ready;
    int fd[2];
    ptrdiff_t n;

    tls_pair(s, fd, true);
    CHECK_INT(wait_one(s[0], HF_WAIT_READ | HF_WAIT_WRITE, 0, &ready), 1);
    CHECK_INT(ready, HF_WAIT_WRITE);
    while (hf_write(s[0], data, sizeof data, NULL) > 0)
        ;
    CHECK_INT(wait_one(s[0], HF_WAIT_WRITE, 0.02, &ready), 0);
    /* the rest of a sealed record goes out in hf_wait, before there is room */
    do
        n = hf_read(s[1], data, sizeof data, NULL);
    while (n > 0);
    CHECK_INT(wait_one(s[0], HF_WAIT_WRITE, PLENTY, &ready), 1);
    CHECK(hf_write(s[0], data, 1, NULL) == 1);
    CHECK(hf_shutdown_write(s[0], NULL));
    CHECK_INT(wait_one(s[0], HF_WAIT_WRITE, 0, &ready), 1);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

/* A handshake goes on in hf_wait, on both sides, of streams that block and that do not. */
static void handshake_in_wait(bool non_blocking)
{
    hf_net_options options = {
        .non_blocking = non_blocking, .lazy_handshake = true, .peer_name = "localhost"};
    hf_wait_item items[2];
    hf_stream *s[2];
    hf_error err = {0};
    char buf[8];
    int fd[2], turns = 0;

    pair_of(fd);
    s[0] = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
    s[1] = hf_stream_wrap(fd[1], "tls", HF_SERVER, server_config, &options, &err);
    items[0] = (hf_wait_item){.stream = s[0], .want = HF_WAIT_WRITE};
    items[1] = (hf_wait_item){.stream = s[1], .want = HF_WAIT_READ};
    do
        CHECK(hf_wait(items, 2, PLENTY, &err) > 0);
    while (!items[0].ready && turns++ < 100 && !check_bad);
    CHECK(s[0]->ready);
    CHECK_INT(hf_write(s[0], "x", 1, &err), 1);
    items[0].want = 0;
    CHECK_INT(hf_wait(items, 2, PLENTY, &err), 1);
    CHECK_INT(items[1].ready, HF_WAIT_READ);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 1);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

static void test_handshake(void)
{
    handshake_in_wait(true);
    handshake_in_wait(false);
}

/* A ClientHello that the socket does not take at once: hf_wait sends it when there is room, also for somebody
 * who only wants to read. */
static void test_handshake_wants_write(void)
{
    hf_net_options options = {.non_blocking = true, .peer_name = "localhost"};
    hf_error err = {0};
    int fd[2], small = 1;
    unsigned ready;
    char buf[4096];
    ssize_t n;
    size_t filled = 0, hello = 0;

    pair_of(fd);
    setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    while ((n = send(fd[0], "x", 1, MSG_DONTWAIT)) == 1)
        filled++;
    hf_stream *s = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
    CHECK_INT(wait_one(s, HF_WAIT_READ, 0.02, &ready), 0);
    CHECK_INT(hf_stream_events(s), POLLOUT);
    while (hello < 200 && !check_bad) {
        while ((n = recv(fd[1], buf, sizeof buf, MSG_DONTWAIT)) > 0) {
            hello += (size_t)n > filled ? (size_t)n - filled : 0;
            filled -= (size_t)n < filled ? (size_t)n : filled;
        }
        CHECK_INT(wait_one(s, HF_WAIT_READ, 0.01, &ready), 0);
    }
    CHECK_INT(hf_stream_events(s), POLLIN);
    hf_close(s, NULL);
    close(fd[1]);
}

/* A handshake that fails, or runs out of its time, is something to hear of. */
static void test_handshake_fails(void)
{
    hf_net_options options = {
        .non_blocking = true, .peer_name = "localhost", .handshake_timeout = 0.1};
    hf_error err = {0};
    unsigned ready;
    hf_stream *s;
    double start;
    char buf[8];
    int fd[2];

    pair_of(fd);
    s = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
    start = now();
    CHECK_INT(wait_one(s, HF_WAIT_READ, PLENTY, &ready), 1);
    took(start, 0.1);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_close(s, NULL);
    close(fd[1]);

    pair_of(fd);
    options.non_blocking = false;
    options.handshake_timeout = PLENTY;
    s = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
    CHECK_INT(send(fd[1], "220 mail.example ESMTP\r\n", 24, 0), 24);
    CHECK_INT(wait_one(s, HF_WAIT_WRITE, PLENTY, &ready), 1);
    CHECK_INT(hf_write(s, "x", 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "PLAINTEXT_PEER");
    hf_close(s, NULL);
    close(fd[1]);
}

/* From a URL to data, with nothing but hf_wait in between: connecting in the background too. */
static void test_connecting(void)
{
    hf_net_options options = {.non_blocking = true};
    hf_net_options lazy = {.lazy_handshake = true};
    hf_error err = {0};
    hf_listener *l = hf_listen("tls://localhost:0", server_config, &lazy, &err);
    hf_wait_item items[3] = {{.listener = l, .want = HF_WAIT_READ}};
    hf_stream *client, *server = NULL;
    char url[96], buf[8];
    int turns = 0;

    hf_listener_url(l, url, sizeof url);
    client = hf_open(url, client_config, &options, &err);
    items[1] = (hf_wait_item){.stream = client, .want = HF_WAIT_READ};
    while (!(items[1].ready & HF_WAIT_READ) && turns++ < 50 && !check_bad) {
        CHECK(hf_wait(items, 3, PLENTY, &err) > 0);
        if (items[0].ready) {
            server = hf_accept(l, &err);
            items[2] = (hf_wait_item){.stream = server, .want = HF_WAIT_WRITE};
        }
        if (items[2].ready) {
            CHECK_INT(hf_write(server, "hi", 2, &err), 2);
            items[2].want = items[2].ready = 0;
        }
    }
    CHECK_INT(hf_read(client, buf, sizeof buf, &err), 2);
    hf_close(client, NULL);
    hf_close(server, NULL);
    hf_listener_close(l);

    /* and a connection that is refused */
    uint16_t port = dead_port(AF_INET);
    unsigned ready;
    snprintf(url, sizeof url, "127.0.0.1:%u", port);
    client = hf_open(url, NULL, &options, &err);
    if (client) {
        CHECK_INT(wait_one(client, HF_WAIT_WRITE, PLENTY, &ready), 1);
        CHECK_INT(hf_write(client, "x", 1, &err), -1);
        CHECK_STR(hf_code_name(err.code), "CONNECT");
    }
    hf_close(client, NULL);
}

/* Streams of every kind, a listener and a descriptor in one call; each that has something says so. */
static void test_many(void)
{
    enum { PAIRS = 40 };
    static hf_wait_item items[PAIRS + 3];
    hf_stream *s[PAIRS][2];
    hf_error err = {0};
    hf_listener *l = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    hf_stream *udp = hf_bind("udp://127.0.0.1:0", NULL, &err), *client;
    char url[96], name[ADDRESS_TEXT_MAX];
    int pipes[2];

    CHECK(pipe(pipes) == 0);
    for (int i = 0; i < PAIRS; i++) {
        CHECK(hf_stream_pair(i % 2 ? "unix" : "udg", NULL, s[i], &err));
        items[i] = (hf_wait_item){.stream = s[i][0], .want = HF_WAIT_READ};
    }
    items[PAIRS] = (hf_wait_item){.listener = l, .want = HF_WAIT_READ};
    items[PAIRS + 1] = (hf_wait_item){.stream = udp, .want = HF_WAIT_READ};
    items[PAIRS + 2] = (hf_wait_item){.fd = pipes[0], .want = HF_WAIT_READ};
    CHECK_INT(hf_wait(items, PAIRS + 3, 0, &err), 0);

    CHECK_INT(hf_write(s[3][1], "x", 1, &err), 1);
    CHECK_INT(hf_write(s[38][1], "x", 1, &err), 1);
    CHECK_INT(hf_wait(items, PAIRS + 3, PLENTY, &err), 2);
    hf_listener_url(l, url, sizeof url);
    client = open_ok(url, NULL);
    hf_stream *other_end = hf_bind("udp://127.0.0.1:0", NULL, &err);
    hf_stream_name(udp, false, name, sizeof name);
    CHECK_INT(hf_send_to(other_end, "x", 1, 0, name, &err), 1);
    CHECK_INT(write(pipes[1], "x", 1), 1);
    CHECK_INT(hf_wait(items, PAIRS + 3, PLENTY, &err), 5);
    for (int i = 0; i < PAIRS + 3; i++)
        CHECK_INT(items[i].ready, i == 3 || i == 38 || i >= PAIRS ? HF_WAIT_READ : 0);

    for (int i = 0; i < PAIRS; i++) {
        hf_close(s[i][0], NULL);
        hf_close(s[i][1], NULL);
    }
    hf_close(client, NULL);
    hf_close(udp, NULL);
    hf_close(other_end, NULL);
    hf_listener_close(l);
    close(pipes[0]);
    close(pipes[1]);
}

/* One thread, one hf_wait, streams that block: a server of many. Some clients are as bad as they can be: one
 * stops in the middle of its handshake, one in the middle of a record, one of a line. Nobody waits for them. */
enum { GOOD = 12, BAD = 3, ROUNDS = 20 };

static void *good_client(void *arg)
{
    const char *url = arg;
    hf_net_options options = {.timeout = PLENTY};
    hf_error err = {0};
    hf_stream *s = hf_open(url, client_config, &options, &err);
    intptr_t rounds = 0;

    for (int i = 0; s && i < ROUNDS; i++) {
        char line[64], back[64];
        int n = snprintf(line, sizeof line, "%*d\n", 1 + i * 2, i);

        if (hf_write(s, line, (size_t)n, &err) != n ||
            hf_read_line(s, back, sizeof back, &err) != n || strcmp(line, back) != 0)
            break;
        rounds++;
    }
    if (rounds != ROUNDS)
        printf("    %s: %s\n", hf_code_name(err.code), err.detail);
    hf_close(s, NULL);
    return (void *)rounds;
}

struct crowd {
    hf_wait_item items[1 + GOOD + BAD];
    size_t count;
    int ended;
    double longest; /* that one call took */
};

static void crowd_serve(struct crowd *c, hf_wait_item *item)
{
    double start = now();
    hf_error err = {0};
    char line[64];

    if (item->listener) {
        hf_stream *s = hf_accept(item->listener, &err);

        CHECK(s != NULL);
        c->items[c->count++] = (hf_wait_item){.stream = s, .want = HF_WAIT_LINE};
    } else {
        ptrdiff_t n = hf_read_line(item->stream, line, sizeof line, &err);

        if (n > 0)
            CHECK_INT(hf_write(item->stream, line, (size_t)n, &err), n);
        if (n <= 0) {
            CHECK(n == 0 || err.code != HF_E_TIMEOUT);
            item->want = 0;
            c->ended++;
        }
    }
    if (now() - start > c->longest)
        c->longest = now() - start;
}

static void test_server_of_many(void)
{
    hf_net_options lazy = {.lazy_handshake = true, .timeout = PATIENCE};
    hf_error err = {0};
    hf_listener *l = hf_listen("tls://localhost:0", server_config, &lazy, &err);
    struct crowd c = {.count = 1};
    pthread_t threads[GOOD];
    hf_stream *bad[BAD];
    char url[96], plain[96];
    double start = now();

    hf_listener_url(l, url, sizeof url);
    snprintf(plain, sizeof plain, "tcp%s", strstr(url, "://"));
    c.items[0] = (hf_wait_item){.listener = l, .want = HF_WAIT_READ};
    /* a hello that never ends, and nothing at all; and a line without an end, below */
    bad[0] = open_ok(plain, NULL);
    CHECK_INT(hf_write(bad[0], "\x16\3\1\1\0\1\0", 7, &err), 7);
    bad[1] = open_ok(plain, NULL);
    for (int i = 0; i < GOOD; i++)
        CHECK(pthread_create(&threads[i], NULL, good_client, url) == 0);
    hf_net_options background = {.non_blocking = true};
    bad[2] = hf_open(url, client_config, &background, &err);
    bool told = false;
    while (c.ended < GOOD && now() - start < PATIENCE && !check_bad) {
        CHECK(hf_wait(c.items, c.count, PLENTY, &err) > 0);
        for (size_t i = 0, n = c.count; i < n; i++)
            if (c.items[i].ready)
                crowd_serve(&c, &c.items[i]);
        if (!told)
            told = hf_write(bad[2], "no end", 6, &err) == 6;
    }
    CHECK(told);
    CHECK_INT(c.ended, GOOD);
    CHECK(c.longest < SOON); /* nothing waited for somebody who does not come */
    for (int i = 0; i < GOOD; i++) {
        void *rounds;

        pthread_join(threads[i], &rounds);
        CHECK_INT((intptr_t)rounds, ROUNDS);
    }
    for (size_t i = 1; i < c.count; i++)
        hf_close(c.items[i].stream, NULL);
    for (int i = 0; i < BAD; i++)
        hf_close(bad[i], NULL);
    hf_listener_close(l);
}

static void test_usage(void)
{
    hf_wait_item item = {.want = 0x80};
    hf_error err = {0};
    double start = now();

    CHECK_INT(hf_wait(&item, 1, 0, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK_INT(hf_wait(NULL, 0, 0.05, &err), 0); /* a way to sleep */
    CHECK(now() - start >= 0.05);
    item = (hf_wait_item){.fd = 1000000, .want = HF_WAIT_READ};
    CHECK_INT(hf_wait(&item, 1, 0, &err), 1); /* the next call tells what is wrong with it */
}

/* A question of the handshake is told of, not waited for. */
static bool leave(hf_conn *conn, const hf_question *question, void *arg)
{
    (void)conn;
    (void)question;
    (void)arg;
    return false;
}

static void test_question(void)
{
    hf_config *asking = hf_config_derive(client_config);
    hf_net_options options = {.non_blocking = true, .peer_name = "localhost"};
    hf_wait_item items[2];
    hf_error err = {0};
    hf_stream *s[2];
    int fd[2], turns = 0;

    CHECK(hf_config_set_ask(asking, HF_ASK_VERIFY, leave, NULL));
    pair_of(fd);
    s[0] = hf_stream_wrap(fd[0], "tls", HF_CLIENT, asking, &options, &err);
    s[1] = hf_stream_wrap(fd[1], "tls", HF_SERVER, server_config, &options, &err);
    items[0] = (hf_wait_item){.stream = s[0], .want = HF_WAIT_WRITE};
    items[1] = (hf_wait_item){.stream = s[1], .want = HF_WAIT_READ};
    while (!items[0].ready && turns++ < 20)
        CHECK(hf_wait(items, 2, PLENTY, &err) > 0);
    CHECK_INT(items[0].ready, HF_WAIT_QUESTION);
    CHECK(hf_conn_question(hf_stream_conn(s[0])) != NULL);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
    hf_config_free(asking);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    RUN(test_decrypted);
    RUN(test_half_a_record);
    RUN(test_lines);
    RUN(test_endless_line);
    RUN(test_write);
    RUN(test_handshake);
    RUN(test_handshake_wants_write);
    RUN(test_handshake_fails);
    RUN(test_connecting);
    RUN(test_many);
    RUN(test_server_of_many);
    RUN(test_usage);
    RUN(test_question);
    return tls_done(files);
}

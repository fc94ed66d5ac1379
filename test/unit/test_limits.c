/* Time: each limit is one whole operation's, however often the peer lets a byte drip. */
#include "tlspeer.h"

/* Sends one byte every 20 ms until the other end is closed. */
struct drip {
    pthread_t thread;
    int fd;
    const uint8_t *data; /* or NULL: the same byte for ever */
    size_t len;
    atomic_bool hurry; /* the rest at once */
};

static void *drip_run(void *arg)
{
    struct drip *d = arg;
    uint8_t byte = 'x';

    for (size_t i = 0; !d->data || i < d->len; i++) {
        if (send(d->fd, d->data ? d->data + i : &byte, 1, MSG_NOSIGNAL) != 1)
            break;
        if (!d->hurry)
            nap(0.02);
    }
    return NULL;
}

static void drip_start(struct drip *d, int fd, const uint8_t *data, size_t len)
{
    *d = (struct drip){.fd = fd, .data = data, .len = len};
    if (pthread_create(&d->thread, NULL, drip_run, d) != 0)
        exit(1);
}

static void drip_end(struct drip *d)
{
    pthread_join(d->thread, NULL);
    close(d->fd);
}

/* ---- the peer drips */

static void line_drips(void)
{
    hf_net_options options = {.read_timeout = 0.15, .timeout = PATIENCE};
    hf_error err = {0};
    struct drip d;
    char buf[1000];
    int fd[2];
    hf_stream *s;
    double start;

    pair_of(fd);
    s = wrap_ok(fd[0], &options);
    CHECK_INT(send(fd[1], "xx", 2, 0), 2);
    drip_start(&d, fd[1], NULL, 0);
    start = now();
    CHECK_INT(hf_read_line(s, buf, sizeof buf, &err), -1);
    took(start, 0.15);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK(hf_stream_pending(s) >= 2); /* what came is kept for the next call */
    hf_close(s, NULL);
    drip_end(&d);
}

/* One record of TLS, byte by byte: all of it would take more than SOON. */
static void record_drips(void)
{
    hf_stream *s[2];
    static uint8_t data[2000], record[2100], back[2000];
    hf_error err = {0};
    struct drip d;
    int fd[2], wire[2];
    double start;
    ssize_t n;

    tls_pair(s, fd, false);
    pair_of(wire);
    s[1]->fd = wire[0];
    memset(data, 'h', sizeof data);
    CHECK_INT(hf_write(s[1], data, sizeof data, NULL), sizeof data);
    s[1]->fd = fd[1];
    n = recv(wire[1], record, sizeof record, 0);
    hf_stream_set_limit(s[0], HF_LIMIT_READ, 0.15);
    drip_start(&d, dup(fd[1]), record, (size_t)n);
    start = now();
    CHECK_INT(hf_read(s[0], back, sizeof back, &err), -1);
    took(start, 0.15);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_stream_set_limit(s[0], HF_LIMIT_READ, PLENTY);
    d.hurry = true;
    CHECK_INT(hf_read(s[0], back, sizeof back, &err), sizeof back); /* and nothing was lost */
    CHECK_MEM(back, data, sizeof back);
    drip_end(&d);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
    close(wire[0]);
    close(wire[1]);
}

/* A server whose ServerHello drips. */
static void handshake_drips(void)
{
    static const uint8_t hello[2005] = {22, 3, 3, 7, 0xd0, 2, 0, 7, 0xcc, 3, 3};
    hf_net_options options = {
        .peer_name = "localhost", .handshake_timeout = 0.15, .timeout = PATIENCE};
    hf_error err = {0};
    struct drip d;
    hf_stream *s;
    double start;
    int fd[2];

    pair_of(fd);
    s = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
    drip_start(&d, fd[1], hello, sizeof hello);
    start = now();
    CHECK_INT(hf_stream_handshake(s, &err), -1);
    took(start, 0.15);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK_STR(err.step, "handshake");
    hf_close(s, NULL);
    drip_end(&d);
}

/* A reader that takes a little now and then. */
static void *sip(void *arg)
{
    int fd = *(int *)arg;
    char buf[512];

    while (recv(fd, buf, sizeof buf, 0) > 0)
        nap(0.02);
    return NULL;
}

static void write_to_sipper(bool tls)
{
    static char data[4 << 20];
    hf_error err = {0};
    hf_stream *s[2];
    pthread_t thread;
    int fd[2], small = 4096;
    double start;

    if (tls) {
        tls_pair(s, fd, false);
    } else {
        pair_of(fd);
        s[0] = wrap_ok(fd[0], NULL);
        s[1] = wrap_ok(fd[1], NULL);
    }
    setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    hf_stream_set_limit(s[0], HF_LIMIT_WRITE, 0.15);
    if (pthread_create(&thread, NULL, sip, &fd[1]) != 0)
        exit(1);
    start = now();
    CHECK_INT(hf_write(s[0], data, sizeof data, &err), -1);
    took(start, 0.15);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    /* the end has the same limit */
    start = now();
    hf_close(s[0], &err);
    CHECK(now() - start < SOON);
    pthread_join(thread, NULL);
    hf_close(s[1], NULL);
}

static void test_drips(void)
{
    ROW("Y84");
    line_drips();
    record_drips();
    handshake_drips();
    write_to_sipper(false);
    write_to_sipper(true);
}

/* ---- opening */

/* Nobody answers at all; and somebody connects and never speaks. */
static void test_opening(void)
{
    struct black_hole hole;
    hf_net_options options = {.connect_timeout = 0.15, .timeout = PATIENCE};
    hf_error err = {0};
    char url[96], plain[96];
    double start;

    ROW("T32");
    black_hole_open(&hole);
    snprintf(url, sizeof url, "tls://127.0.0.1:%u", hole.port);
    start = now();
    CHECK(hf_open(url, client_config, &options, &err) == NULL);
    took(start, 0.15);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK_STR(err.step, "connect");
    /* in the background: back at once, and the limit holds */
    hf_net_options later = {.non_blocking = true, .connect_timeout = PATIENCE};
    start = now();
    hf_stream *s = hf_open(url, client_config, &later, &err);
    CHECK(now() - start < SOON);
    hf_close(s, NULL);
    options.non_blocking = true;
    start = now();
    s = hf_open(url, client_config, &options, &err);
    hf_wait_item item = {.stream = s, .want = HF_WAIT_WRITE};
    CHECK_INT(hf_wait(&item, 1, PLENTY, &err), 1);
    took(start, 0.15);
    CHECK_INT(hf_write(s, "x", 1, &err), -1);
    CHECK_STR(err.step, "connect");
    hf_close(s, NULL);
    black_hole_close(&hole);

    hf_listener *mute = hf_listen("127.0.0.1:0", NULL, NULL, &err);
    hf_listener_url(mute, plain, sizeof plain);
    as_tls(url, plain);
    options.non_blocking = false;
    start = now();
    CHECK(hf_open(url, client_config, &options, &err) == NULL);
    took(start, 0.15);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT"); /* of both steps, in whichever it ran out */
    /* each with a limit of its own */
    options.connect_timeout = PATIENCE;
    options.handshake_timeout = 0.1;
    start = now();
    CHECK(hf_open(url, client_config, &options, &err) == NULL);
    took(start, 0.1);
    CHECK_STR(err.step, "handshake");
    /* and a stream that is open has the other limits */
    options = (hf_net_options){
        .connect_timeout = PATIENCE, .read_timeout = 0.15, .timeout = PATIENCE};
    s = open_ok(plain, &options);
    start = now();
    CHECK_INT(hf_read(s, url, 1, &err), -1);
    took(start, 0.15);
    hf_close(s, NULL);
    hf_listener_close(mute);
}

/* A stream that was opened in the background and then made to block is waited for. */
static void test_blocking_later(void)
{
    hf_net_options options = {.non_blocking = true};
    hf_error err = {0};
    struct tls_peer p;
    char buf[8];

    tls_peer_start(&p, "tls://localhost:0", server_config, 1, play_echo);
    hf_stream *s = hf_open(p.url, client_config, &options, &err);
    CHECK(s != NULL);
    hf_stream_set_blocking(s, true);
    CHECK_INT(hf_write(s, "x", 1, &err), 1);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), 1);
    hf_stream_set_blocking(s, false);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), HF_AGAIN);
    hf_close(s, NULL);
    tls_peer_end(&p);
}

/* accept: a limit for each call, the client's name, and no client that is slow holds up the next one. */
static void test_accept(void)
{
    hf_net_options lazy = {.lazy_handshake = true, .handshake_timeout = PATIENCE};
    hf_error err = {0};
    hf_listener *l = hf_listen("tls://localhost:0", server_config, &lazy, &err);
    char url[96], plain[96], name[ADDRESS_TEXT_MAX], mine[ADDRESS_TEXT_MAX], buf[8];
    hf_stream *mute, *stalled, *served, *client;
    double start = now();

    ROW("T35");
    hf_listener_set_timeout(l, 0.1);
    CHECK(hf_accept(l, &err) == NULL);
    took(start, 0.1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_listener_set_timeout(l, PLENTY);
    hf_listener_url(l, url, sizeof url);
    snprintf(plain, sizeof plain, "tcp%s", strstr(url, "://"));
    mute = open_ok(plain, NULL); /* connects, and says nothing */
    start = now();
    stalled = hf_accept(l, &err);
    CHECK(stalled != NULL);
    CHECK(hf_stream_limit(stalled, HF_LIMIT_READ) == 60); /* that was the listener's */
    hf_net_options background = {.non_blocking = true};
    client = hf_open(url, client_config, &background, &err);
    while (client->connecting && hf_stream_handshake(client, &err) == HF_AGAIN &&
           client->connecting)
        CHECK(sock_wait(hf_stream_fd(client), hf_stream_events(client),
                        deadline_after(PLENTY)) == 1);
    served = hf_accept(l, &err);
    CHECK(served != NULL);
    CHECK(now() - start < SOON);
    hf_stream_name(served, true, name, sizeof name);
    hf_stream_name(client, false, mine, sizeof mine);
    CHECK_STR(name, mine);
    hf_wait_item items[2] = {{.stream = client, .want = HF_WAIT_READ},
                             {.stream = served, .want = HF_WAIT_WRITE}};
    for (int i = 0; i < 20 && !items[0].ready; i++) {
        CHECK(hf_wait(items, 2, PLENTY, &err) > 0);
        if (items[1].ready) {
            CHECK_INT(hf_write(served, "hi", 2, &err), 2);
            items[1].want = 0;
        }
    }
    CHECK_INT(hf_read(client, buf, sizeof buf, &err), 2);
    hf_stream_set_limit(stalled, HF_LIMIT_HANDSHAKE, 0.2);
    CHECK_INT(hf_read(stalled, buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_close(mute, NULL);
    hf_close(stalled, NULL);
    hf_close(served, NULL);
    hf_close(client, NULL);
    hf_listener_close(l);
}

static void test_getters(void)
{
    hf_net_options options = {.read_timeout = 3, .handshake_timeout = -1};
    int fd[2];
    hf_stream *s;

    pair_of(fd);
    s = wrap_ok(fd[0], &options);
    CHECK(hf_stream_limit(s, HF_LIMIT_READ) == 3);
    CHECK(hf_stream_limit(s, HF_LIMIT_WRITE) == 60);
    CHECK(hf_stream_limit(s, HF_LIMIT_CONNECT) == 60);
    CHECK(hf_stream_limit(s, HF_LIMIT_HANDSHAKE) < 0);
    hf_stream_set_timeout(s, 7);
    CHECK(hf_stream_limit(s, HF_LIMIT_READ) == 7);
    CHECK(hf_stream_limit(s, HF_LIMIT_WRITE) == 7);
    hf_stream_set_limit(s, HF_LIMIT_WRITE, 2);
    hf_stream_set_limit(s, HF_LIMIT_CONNECT, 5);
    hf_stream_set_limit(s, HF_LIMIT_HANDSHAKE, 0);
    CHECK(hf_stream_limit(s, HF_LIMIT_READ) == 7);
    CHECK(hf_stream_limit(s, HF_LIMIT_WRITE) == 2);
    CHECK(hf_stream_limit(s, HF_LIMIT_HANDSHAKE) == 5);
    hf_close(s, NULL);
    close(fd[1]);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    RUN(test_drips);
    RUN(test_opening);
    RUN(test_blocking_later);
    RUN(test_accept);
    RUN(test_getters);
    return tls_done(files);
}

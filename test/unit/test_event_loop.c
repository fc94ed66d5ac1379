/* A program's own event loop (epoll) over streams of every kind: by the descriptor, the events that the
 * stream says it waits for, and the rules that handfast_net.h gives. */
#include "tlspeer.h"

#include <sys/epoll.h>

struct client {
    hf_stream *s;
    uint32_t asked; /* of epoll; 0: it does not know the descriptor yet */
    size_t sent, got, total, piece;
    bool shut, done;
};

/* After each call the stream may want something else; a descriptor that became another file is told anew. */
static void ask_again(int epoll, struct client *c)
{
    short wants = hf_stream_events(c->s);
    struct epoll_event e = {.data.ptr = c};

    e.events = (wants & POLLIN ? EPOLLIN : 0u) | (wants & POLLOUT ? EPOLLOUT : 0u);
    if (!c->s->connecting && c->s->ready && c->sent < c->total)
        e.events |= EPOLLOUT; /* the program's own wish */
    if (c->asked && epoll_ctl(epoll, EPOLL_CTL_MOD, hf_stream_fd(c->s), &e) == 0) {
        c->asked = e.events;
        return;
    }
    CHECK(!c->asked || errno == ENOENT);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, hf_stream_fd(c->s), &e) == 0);
    c->asked = 1;
}

static bool stop(hf_error *err, const char *what, ptrdiff_t n)
{
    if (n == -1)
        printf("    %s: %s: %s\n", what, hf_code_name(err->code), err->detail);
    CHECK(n == HF_AGAIN);
    return false;
}

/* Reads and writes until both say HF_AGAIN: no poll knows of what is decrypted. */
static void serve(struct client *c, bool datagrams)
{
    static uint8_t data[65536];
    hf_error err = {0};
    ptrdiff_t n = hf_stream_handshake(c->s, &err);

    if (n != 0) {
        stop(&err, "handshake", n);
        return;
    }
    do {
        size_t left = c->total - c->sent;
        n = 0;
        /* one datagram at a time, since the system may drop what is too much */
        if (left && (!datagrams || c->got == c->sent)) {
            n = hf_write(c->s, data, left < c->piece ? left : c->piece, &err);
            c->sent += n > 0 ? (size_t)n : 0;
        }
    } while (n > 0 && !datagrams);
    if (n < 0)
        stop(&err, "write", n);
    while (c->got < c->total) {
        n = hf_read(c->s, data, sizeof data, &err);
        if (n <= 0) {
            stop(&err, "read", n);
            break;
        }
        c->got += (size_t)n;
    }
    c->done = c->got == c->total || check_bad;
}

static void run(struct client *clients, int count, bool datagrams)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), left = count, turns = 0;
    double start = now();

    for (int i = 0; i < count; i++)
        ask_again(epoll, &clients[i]);
    while (left && now() - start < PATIENCE && !check_bad) {
        struct epoll_event events[16];
        int n = epoll_wait(epoll, events, 16, -1);

        CHECK(n > 0);
        turns++;
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;

            if (c->done)
                continue;
            serve(c, datagrams);
            if (!c->done) {
                ask_again(epoll, c);
                continue;
            }
            epoll_ctl(epoll, EPOLL_CTL_DEL, hf_stream_fd(c->s), NULL);
            left--;
        }
    }
    CHECK_INT(left, 0);
    CHECK(turns < 200000); /* and without going in circles */
    close(epoll);
}

struct servers {
    pthread_t accepting, one[8];
    hf_listener *l;
    int count;
};

static void *echo_one(void *arg)
{
    play_echo(arg);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct servers *v = arg;

    for (int i = 0; i < v->count; i++) {
        hf_stream *s = hf_accept(v->l, NULL);

        CHECK(s != NULL);
        pthread_create(&v->one[i], NULL, echo_one, s);
    }
    return NULL;
}

static void streams_over(const char *url, hf_config *config)
{
    enum { CLIENTS = 4, TOTAL = 700000 };
    hf_net_options lazy = {.lazy_handshake = true}, options = {.non_blocking = true};
    struct client clients[CLIENTS] = {{0}};
    struct servers v = {.count = CLIENTS};
    hf_error err = {0};
    char at[128];

    v.l = hf_listen(url, config, &lazy, &err);
    CHECK(v.l != NULL);
    hf_listener_url(v.l, at, sizeof at);
    pthread_create(&v.accepting, NULL, accept_all, &v);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.total = TOTAL, .piece = 50000};
        clients[i].s = hf_open(at, config ? client_config : NULL, &options, &err);
        CHECK(clients[i].s != NULL);
    }
    run(clients, CLIENTS, false);
    for (int i = 0; i < CLIENTS; i++)
        hf_close(clients[i].s, NULL);
    pthread_join(v.accepting, NULL);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(v.one[i], NULL);
    hf_listener_close(v.l);
}

static void *echo_datagrams(void *arg)
{
    hf_stream *s = arg;
    char buf[2000], from[ADDRESS_TEXT_MAX];
    ptrdiff_t n;

    while ((n = hf_receive_from(s, buf, sizeof buf, 0, from, sizeof from, NULL)) > 1)
        if (hf_send_to(s, buf, (size_t)n, 0, from, NULL) != n)
            break;
    return NULL;
}

static void datagrams_over(const char *scheme, const char *url)
{
    enum { CLIENTS = 3 };
    hf_net_options options = {.non_blocking = true};
    struct client clients[CLIENTS] = {{0}};
    hf_error err = {0};
    hf_stream *server = hf_bind(url, NULL, &err);
    char name[ADDRESS_TEXT_MAX], at[160];
    pthread_t thread;

    CHECK(server != NULL);
    hf_stream_name(server, false, name, sizeof name);
    snprintf(at, sizeof at, "%s://%s", scheme, name);
    pthread_create(&thread, NULL, echo_datagrams, server);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.total = 100000, .piece = 1000};
        clients[i].s = hf_open(at, NULL, &options, &err);
        CHECK(clients[i].s != NULL);
    }
    run(clients, CLIENTS, true);
    hf_stream_set_blocking(clients[0].s, true);
    CHECK_INT(hf_write(clients[0].s, "x", 1, &err), 1); /* one byte ends it */
    pthread_join(thread, NULL);
    for (int i = 0; i < CLIENTS; i++)
        hf_close(clients[i].s, NULL);
    hf_close(server, NULL);
}

static void test_tcp(void)
{
    streams_over("tcp://localhost:0", NULL);
}

static void test_tls(void)
{
    streams_over("tls://localhost:0", server_config);
}

static void test_unix(void)
{
    streams_over(own("unix://@handfast-test-loop"), NULL);
}

static void test_udp(void)
{
    datagrams_over("udp", "udp://127.0.0.1:0");
}

static void test_udg(void)
{
    datagrams_over("udg", own("udg://@handfast-test-loop"));
}

int main(void)
{
    int files = open_files();

    tls_setup();
    RUN(test_tcp);
    RUN(test_tls);
    RUN(test_unix);
    RUN(test_udp);
    RUN(test_udg);
    return tls_done(files);
}

/* netpeer.h: what the tests of streams share: peers in threads, black holes, a stub for the
 * resolver. Real sockets on the loopback. */
#ifndef NETPEER_H
#define NETPEER_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "net/stream.h"

#include "check.h"

/* Who must not wait for something else is done SOON, however busy the machine is; what he must not wait for takes
 * PATIENCE, or for ever. PLENTY is a limit that is not to be reached. */
#define SOON     30.0
#define PLENTY   120.0
#define PATIENCE 600.0

static inline double now(void)
{
    return (double)deadline_now() / 1e9;
}

static inline void nap(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    while (nanosleep(&t, &t) != 0)
        ;
}

/* A limit that has passed, and nothing longer. */
static inline void took(double start, double limit)
{
    CHECK(now() - start >= limit);
    CHECK(now() - start < limit + SOON);
}

/* A name that two runs at the same time do not share. Good for seven more calls. */
static inline const char *own(const char *name)
{
    static char names[8][128];
    static unsigned next;
    char *out = names[next++ % 8];

    snprintf(out, sizeof names[0], "%s-%d", name, (int)getpid());
    return out;
}

static char own_path[] = "/tmp/handfast-test-XXXXXX";
static pid_t own_pid;

static inline void own_folder_end(void)
{
    if (getpid() == own_pid && chdir("/") == 0)
        (void)rmdir(own_path);
}

/* A new folder, empty, to work in; it goes when the program ends. */
static inline void own_folder(void)
{
    if (!mkdtemp(own_path) || chdir(own_path) != 0)
        exit(1);
    own_pid = getpid();
    atexit(own_folder_end);
}

struct peer {
    pthread_t thread;
    hf_listener *listener;
    char url[96];
    void (*play)(hf_stream *s);
};

static inline void *peer_run(void *arg)
{
    struct peer *p = arg;
    hf_stream *s = hf_accept(p->listener, NULL);

    if (s)
        p->play(s);
    return NULL;
}

/* A server for one client, which plays its part on the stream and frees it. */
static inline void peer_start(struct peer *p, const char *url, void (*play)(hf_stream *))
{
    hf_error err = {0};

    p->play = play;
    p->listener = hf_listen(url, NULL, NULL, &err);
    if (!p->listener) {
        printf("listen %s: %s\n", url, err.detail);
        exit(1);
    }
    hf_listener_url(p->listener, p->url, sizeof p->url);
    if (pthread_create(&p->thread, NULL, peer_run, p) != 0)
        exit(1);
}

static inline void peer_end(struct peer *p)
{
    pthread_join(p->thread, NULL);
    hf_listener_close(p->listener);
}

static inline void play_echo(hf_stream *s)
{
    static _Thread_local char buf[100000];
    ptrdiff_t n;

    while ((n = hf_read(s, buf, sizeof buf, NULL)) > 0)
        if (hf_write(s, buf, (size_t)n, NULL) != n)
            break;
    hf_close(s, NULL);
}

static inline hf_stream *open_ok(const char *url, const hf_net_options *options)
{
    hf_error err = {0};
    hf_stream *s = hf_open(url, NULL, options, &err);

    if (!s)
        printf("    open %s: %s: %s\n", url, hf_code_name(err.code), err.detail);
    CHECK(s != NULL);
    return s;
}

static inline void pair_of(int fd[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
        exit(1);
}

static inline hf_stream *wrap_ok(int fd, const hf_net_options *options)
{
    hf_error err = {0};
    hf_stream *s = hf_stream_wrap(fd, "tcp", HF_CLIENT, NULL, options, &err);

    if (!s) {
        printf("wrap: %s\n", err.detail);
        exit(1);
    }
    return s;
}

/* Holds a descriptor until the process ends, where no test counts it. */
static inline void hold(int fd)
{
    if (fcntl(fd, F_DUPFD_CLOEXEC, 300) < 0)
        exit(1);
    close(fd);
}

static inline uint16_t held_port(int fd, int family)
{
    struct address a = {0};
    socklen_t len = sizeof a;
    int yes = 1;

    a.u.any.sa_family = (sa_family_t)family;
    if (family == AF_INET6)
        a.u.v6.sin6_addr = in6addr_loopback;
    else
        a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* SO_REUSEADDR: the test itself may listen on it */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, &a.u.any, address_len(&a)) != 0 || getsockname(fd, &a.u.any, &len) != 0)
        exit(1);
    return ntohs(family == AF_INET6 ? a.u.v6.sin6_port : a.u.v4.sin_port);
}

/* A port of the loopback on which nobody listens, and nobody will: it is kept bound. */
static inline uint16_t dead_port(int family)
{
    int fd = sock_new(family, SOCK_STREAM);
    uint16_t port = held_port(fd, family);

    hold(fd);
    return port;
}

/* The same for datagrams: a socket that is connected elsewhere hears of no others. */
static inline uint16_t dead_datagram_port(void)
{
    struct address a = {0};
    int fd = sock_new(AF_INET, SOCK_DGRAM);
    uint16_t port = held_port(fd, AF_INET);

    a.u.v4.sin_family = AF_INET;
    a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.u.v4.sin_port = htons(9);
    if (connect(fd, &a.u.any, address_len(&a)) != 0)
        exit(1);
    hold(fd);
    return port;
}

/* A listener whose queue is full: further connects are not answered, as by a black hole. */
struct black_hole {
    int listener, filler[64], count;
    uint16_t port;
};

static inline void black_hole_open(struct black_hole *b)
{
    struct address a = {0};
    socklen_t len = sizeof a;

    b->listener = sock_new(AF_INET, SOCK_STREAM);
    b->count = 0;
    a.u.v4.sin_family = AF_INET;
    a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(b->listener, &a.u.any, address_len(&a)) != 0 || listen(b->listener, 0) != 0 ||
        getsockname(b->listener, &a.u.any, &len) != 0)
        exit(1);
    b->port = ntohs(a.u.v4.sin_port);
    for (int i = 0; i < 64; i++) {
        int fd = sock_new(AF_INET, SOCK_STREAM);

        (void)!connect(fd, &a.u.any, address_len(&a));
        b->filler[b->count++] = fd;
        /* the queue holds one: these are enough to fill it, also where the system is late to look */
        if (b->count < 8)
            continue;
        if (sock_wait(fd, POLLOUT, deadline_now() + SECOND_NS / 5) == 0)
            return; /* not answered: full */
    }
    printf("the black hole answers\n");
    exit(1);
}

static inline void black_hole_close(struct black_hole *b)
{
    for (int i = 0; i < b->count; i++)
        close(b->filler[i]);
    close(b->listener);
}

static struct address_list stub;

static bool stub_held; /* look-ups get no answer until it is false */
static pthread_cond_t stub_let_go = PTHREAD_COND_INITIALIZER;
static char stub_host[256]; /* that was looked up last */

static atomic_int stub_calls;
static pthread_mutex_t stub_lock = PTHREAD_MUTEX_INITIALIZER; /* a look-up may be abandoned */

static inline void stub_resolver(const char *host, uint16_t port, struct address_list *out)
{
    (void)port;
    stub_calls++;
    pthread_mutex_lock(&stub_lock);
    snprintf(stub_host, sizeof stub_host, "%s", host);
    while (stub_held)
        pthread_cond_wait(&stub_let_go, &stub_lock);
    *out = stub;
    pthread_mutex_unlock(&stub_lock);
}

static inline void stub_hold(bool held)
{
    pthread_mutex_lock(&stub_lock);
    stub_held = held;
    pthread_cond_broadcast(&stub_let_go);
    pthread_mutex_unlock(&stub_lock);
}

static inline void stub_v4(uint16_t port)
{
    struct address *a;

    pthread_mutex_lock(&stub_lock);
    a = &stub.a[stub.count++];
    *a = (struct address){0};
    a->u.v4.sin_family = AF_INET;
    a->u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a->u.v4.sin_port = htons(port);
    pthread_mutex_unlock(&stub_lock);
}

static inline void stub_v6(uint16_t port)
{
    struct address *a;

    pthread_mutex_lock(&stub_lock);
    a = &stub.a[stub.count++];
    *a = (struct address){0};
    a->u.v6.sin6_family = AF_INET6;
    a->u.v6.sin6_addr = in6addr_loopback;
    a->u.v6.sin6_port = htons(port);
    pthread_mutex_unlock(&stub_lock);
}

static inline void stub_begin(void)
{
    pthread_mutex_lock(&stub_lock);
    stub = (struct address_list){0};
    pthread_mutex_unlock(&stub_lock);
    stub_calls = 0;
    resolve_test_hook(stub_resolver);
}

/* T02: no scheme is TCP, and not one byte is sent that the program did not write. */
static inline void play_silence(hf_stream *s)
{
    char buf[8];

    CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 0);
    hf_close(s, NULL);
}

static inline int open_files(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* ---- more than any buffer holds */

static size_t big_size;

/* A peer that answers with a sum of the bytes when all have come. */
static inline void big_sink(hf_stream *s)
{
    static uint8_t buf[200000];
    uint64_t sum = 0, total = 0;
    ptrdiff_t n;

    while ((n = hf_read(s, buf, sizeof buf, NULL)) > 0) {
        for (ptrdiff_t i = 0; i < n; i++)
            sum = sum * 31 + buf[i];
        total += (uint64_t)n;
    }
    CHECK_INT(n, 0);
    CHECK_INT(total, big_size);
    CHECK_INT(hf_write(s, &sum, sizeof sum, NULL), sizeof sum);
    hf_close(s, NULL);
}

/* Writes big_size bytes in one call, and closes. */
static inline void big_send(hf_stream *s)
{
    uint8_t *data = malloc(big_size);
    uint64_t sum = 0, theirs = 0;

    for (size_t i = 0; i < big_size; i++) {
        data[i] = (uint8_t)(i * 7 + (i >> 13));
        sum = sum * 31 + data[i];
    }
    CHECK_INT(hf_write(s, data, big_size, NULL), big_size);
    CHECK(hf_shutdown_write(s, NULL));
    CHECK_INT(hf_read(s, &theirs, sizeof theirs, NULL), sizeof theirs);
    CHECK(sum == theirs);
    hf_close(s, NULL);
    free(data);
}

#endif

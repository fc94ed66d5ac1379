#define _GNU_SOURCE
#include "net/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "net/fail.h"

/* RFC 8305 5: the recommended Connection Attempt Delay. */
#define STAGGER_NS (SECOND_NS / 4)

#define RETRY_NS   (SECOND_NS / 100)

static connect_delay_fn *test_delay;

void connect_test_hook(connect_delay_fn *fn)
{
    test_delay = fn;
}

/* Everything that is waited for hangs on one epoll descriptor: the resolver's event, the sockets and
 * a timer. So one number can be polled, by us or by the owner of a non-blocking stream. */
struct connecting {
    struct url url;
    deadline end, next_at; /* next_at: when the next address is due */
    struct resolve_job *job;
    int epoll, timer;
    struct address_list list;
    size_t next;           /* first address that was not tried yet */
    int fd[ADDRESSES_MAX]; /* of each attempt under way, -1 elsewhere */
    size_t active;
    bool again; /* a queue was full: the next address waits for its time */
    struct sock_options options;
    int last_errno;
    char failures[HF_DETAIL_MAX_LEN + 64]; /* "127.0.0.1:80: Connection refused; ..." */
};

static void note(struct connecting *c, size_t i, int os_errno)
{
    char name[ADDRESS_TEXT_MAX];
    size_t at = strlen(c->failures);

    address_show(&c->list.a[i], name);
    snprintf(c->failures + at, sizeof c->failures - at, "%s%s: %s", at ? "; " : "", name,
             net_strerror(os_errno));
    c->last_errno = os_errno;
}

static void drop(struct connecting *c, size_t i)
{
    close(c->fd[i]);
    c->fd[i] = -1;
    c->active--;
}

/* RFC 8305 5: the next attempt need not wait for its turn when one has failed. */
static void fail(struct connecting *c, size_t i, int os_errno)
{
    note(c, i, os_errno);
    if (c->fd[i] >= 0)
        drop(c, i);
    c->next_at = 0;
}

static bool watch(struct connecting *c, int fd, uint32_t events)
{
    struct epoll_event e = {.events = events};

    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* A connect to a port of this machine that nobody listens on may draw that very port for its own end
 * and so meet itself. */
static bool met_itself(int fd)
{
    struct address a = {0}, b = {0};
    socklen_t alen = sizeof a, blen = sizeof b;

    return getsockname(fd, &a.u.any, &alen) == 0 && getpeername(fd, &b.u.any, &blen) == 0 &&
           alen == blen && memcmp(&a, &b, sizeof a) == 0;
}

/* A listener of AF_UNIX whose queue is full says so at once, and nothing tells when it is not. */
static void try_again(struct connecting *c, size_t i)
{
    drop(c, i);
    c->again = true;
    c->next = i;
    c->next_at = deadline_now() + RETRY_NS;
}

/* True when the connection stands. */
static bool begin(struct connecting *c, size_t i)
{
    const struct address *a = &c->list.a[i];
    int fd = sock_new(a->u.any.sa_family, c->url.scheme->transport->socket_type);

    if (fd < 0) {
        fail(c, i, errno);
        return false;
    }
    c->fd[i] = fd;
    c->active++;
    if (!sock_options_client(fd, a->u.any.sa_family, &c->options)) {
        fail(c, i, errno);
        return false;
    }
    if (connect(fd, &a->u.any, address_len(a)) == 0)
        return true;
    if (errno == EAGAIN && a->u.any.sa_family == AF_UNIX)
        try_again(c, i);
    else if ((errno != EINPROGRESS && errno != EINTR) || !watch(c, fd, EPOLLOUT))
        fail(c, i, errno);
    return false;
}

/* Looks at an attempt under way; true when the connection stands. */
static bool look(struct connecting *c, size_t i)
{
    int failed = 0;
    socklen_t len = sizeof failed;
    struct pollfd p = {.fd = c->fd[i], .events = POLLOUT};

    if (poll(&p, 1, 0) <= 0)
        return false;
    if (getsockopt(c->fd[i], SOL_SOCKET, SO_ERROR, &failed, &len) != 0)
        failed = errno;
    if (!failed && met_itself(c->fd[i]))
        failed = ECONNREFUSED;
    if (!failed)
        return true;
    fail(c, i, failed);
    return false;
}

static int take(struct connecting *c, size_t i)
{
    int fd = c->fd[i];

    c->fd[i] = -1;
    c->active--;
    sock_options_tune(fd, &c->options);
    return fd;
}

static int run_attempts(struct connecting *c)
{
    for (size_t i = 0; i < c->next; i++)
        if (c->fd[i] >= 0 && look(c, i))
            return take(c, i);
    while (c->next < c->list.count &&
           ((!c->active && !c->again) || deadline_now() >= c->next_at)) {
        size_t i = c->next++;

        c->again = false;
        c->next_at = deadline_now() + (test_delay ? test_delay(i) : STAGGER_NS);
        if (begin(c, i))
            return take(c, i);
    }
    return -1;
}

/* Arms the timer for the next attempt or the end, whichever comes first. */
static void arm(struct connecting *c)
{
    bool more = !c->job && c->next < c->list.count;
    deadline at = more ? deadline_first(c->next_at, c->end) : c->end;
    struct itimerspec t = {0};

    if (at != DEADLINE_NONE) {
        /* all zero would disarm it */
        at = at > 0 ? at : 1;
        t.it_value.tv_sec = (time_t)(at / SECOND_NS);
        t.it_value.tv_nsec = (long)(at % SECOND_NS);
    }
    timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static const char *shown_url(const struct connecting *c, char *out, size_t size)
{
    url_format(&c->url, out, size);
    return out;
}

static bool fail_timeout(const struct connecting *c, hf_error *err)
{
    char url[320], name[ADDRESS_TEXT_MAX], waiting[200] = "";
    size_t at = 0;

    if (c->job)
        return net_fail_hint(err, HF_E_TIMEOUT, ETIMEDOUT,
                             "check the network and /etc/resolv.conf, or write the address",
                             "%s: the host name was not resolved in time",
                             shown_url(c, url, sizeof url));
    if (c->again)
        return net_fail_hint(err, HF_E_TIMEOUT, ETIMEDOUT, "the server accepts too slowly",
                             "%s: the queue of its listener stayed full",
                             shown_url(c, url, sizeof url));
    for (size_t i = 0; i < c->next; i++) {
        if (c->fd[i] < 0)
            continue;
        address_show(&c->list.a[i], name);
        at += (size_t)snprintf(waiting + at, sizeof waiting - at, "%s%s", at ? ", " : "", name);
        if (at >= sizeof waiting)
            break;
    }
    return net_fail_hint(
        err, HF_E_TIMEOUT, ETIMEDOUT, "the host is down, or a firewall drops the packets",
        "no answer from %s%s%s", waiting, c->failures[0] ? "; " : "", c->failures);
}

static const char *path_hint(int os_errno)
{
    switch (os_errno) {
    case ENOENT: return "nothing has this path or name: check it, and that the server runs";
    case ECONNREFUSED:
        return "the socket is there, but nothing listens on it: start the server";
    case EPROTOTYPE:
        return "unix:// is for streams and udg:// for datagrams: this is the other one";
    case EACCES: return "look at the permissions of the socket and of the folders above it";
    default: return NULL;
    }
}

static bool fail_connect(const struct connecting *c, hf_error *err)
{
    const char *hint = NULL;

    if (!c->url.scheme->transport->protocol)
        hint = path_hint(c->last_errno);
    else if (c->last_errno == ECONNREFUSED)
        hint =
            "the host answers, but nothing listens on this port there: check the port and that "
            "the server runs";
    else if (c->last_errno == ENETUNREACH || c->last_errno == EHOSTUNREACH)
        hint = "check the network and the route to this host";
    return net_fail_hint(err, HF_E_CONNECT, c->last_errno, hint, "%s", c->failures);
}

static enum connect_result resolved(struct connecting *c, hf_error *err)
{
    if (c->list.count == 0) {
        resolve_fail(&c->url, &c->list, err);
        return CONNECT_FAILED;
    }
    resolve_order(&c->list);
    if (sock_options_fit(&c->options, &c->list))
        return CONNECT_AGAIN;
    net_fail(err, HF_E_CONNECT, EAFNOSUPPORT,
             "%s has no address of the family of bindto, the local address", c->url.host);
    return CONNECT_FAILED;
}

enum connect_result connect_step(struct connecting *c, int *out, hf_error *err)
{
    if (c->job && resolve_take(c->job, &c->list)) {
        epoll_ctl(c->epoll, EPOLL_CTL_DEL, resolve_fd(c->job), NULL);
        resolve_abandon(c->job);
        c->job = NULL;
        if (resolved(c, err) == CONNECT_FAILED)
            return CONNECT_FAILED;
    }
    if (!c->job) {
        *out = run_attempts(c);
        if (*out >= 0)
            return CONNECT_DONE;
        if (!c->active && c->next == c->list.count) {
            fail_connect(c, err);
            net_step(err, "connect");
            return CONNECT_FAILED;
        }
    }
    if (deadline_passed(c->end)) {
        fail_timeout(c, err);
        net_step(err, c->job ? "resolve" : "connect");
        return CONNECT_FAILED;
    }
    arm(c);
    return CONNECT_AGAIN;
}

int connect_fd(const struct connecting *c)
{
    return c->epoll;
}

int connect_take_fd(struct connecting *c, int sock)
{
    int number = c->epoll;

    if (dup3(sock, number, O_CLOEXEC) < 0)
        return -1;
    /* the epoll object is gone with its last descriptor */
    c->epoll = -1;
    close(sock);
    return number;
}

static bool start_resolving(struct connecting *c, hf_error *err)
{
    if (resolve_literal(&c->url, false, &c->list))
        return resolved(c, err) != CONNECT_FAILED;
    c->job = resolve_start(c->url.host, c->url.port);
    if (c->job) {
        if (watch(c, resolve_fd(c->job), EPOLLIN))
            return true;
        return net_fail(err, HF_E_SYSTEM, errno, "epoll_ctl: %s", net_strerror(errno));
    }
    resolve_blocking(c->url.host, c->url.port, false, &c->list);
    return resolved(c, err) != CONNECT_FAILED;
}

struct connecting *connect_start(const struct url *url, const struct sock_options *options,
                                 deadline d, hf_error *err)
{
    struct connecting *c = mem_new(sizeof *c);

    if (!c) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for connecting");
        return NULL;
    }
    c->url = *url;
    c->options = *options;
    c->end = d;
    for (size_t i = 0; i < ADDRESSES_MAX; i++)
        c->fd[i] = -1;
    c->timer = -1;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (c->epoll >= 0)
        c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (c->timer < 0 || !watch(c, c->timer, EPOLLIN)) {
        net_fail(err, HF_E_SYSTEM, errno, "no descriptor for connecting: %s",
                 net_strerror(errno));
        connect_free(c);
        return NULL;
    }
    if (!start_resolving(c, err)) {
        connect_free(c);
        return NULL;
    }
    return c;
}

void connect_free(struct connecting *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->next; i++)
        if (c->fd[i] >= 0)
            drop(c, i);
    resolve_abandon(c->job);
    if (c->timer >= 0)
        close(c->timer);
    if (c->epoll >= 0)
        close(c->epoll);
    mem_free(c);
}

int connect_blocking(const struct url *url, const struct sock_options *options, deadline d,
                     hf_error *err)
{
    struct connecting *c = connect_start(url, options, d, err);
    enum connect_result r = CONNECT_AGAIN;
    int fd = -1;

    if (!c)
        return -1;
    while ((r = connect_step(c, &fd, err)) == CONNECT_AGAIN) {
        /* the timer wakes it for the deadline too */
        if (sock_wait(c->epoll, POLLIN, DEADLINE_NONE) < 0) {
            net_fail(err, HF_E_SYSTEM, errno, "poll: %s", net_strerror(errno));
            break;
        }
    }
    connect_free(c);
    return r == CONNECT_DONE ? fd : -1;
}

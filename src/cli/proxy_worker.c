#define _GNU_SOURCE
#include "cli/proxy_worker.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "cli/report.h"

static volatile sig_atomic_t drain_asked, stop_asked;

static void on_signal(int number)
{
    if (number == SIGTERM)
        drain_asked = 1;
    else
        stop_asked = 1;
}

static double read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- lists, one for each state */

static void list_remove(struct worker *w, struct pair *p)
{
    if (p->before)
        p->before->after = p->after;
    else
        w->first[p->list] = p->after;
    if (p->after)
        p->after->before = p->before;
    else
        w->last[p->list] = p->before;
    p->before = p->after = NULL;
}

/* The limit is the same for all in a list, so that it is in order of deadline. */
static void list_append(struct worker *w, struct pair *p, int list)
{
    p->list = list;
    p->deadline = w->now + w->limit[list];
    p->before = w->last[list];
    if (p->before)
        p->before->after = p;
    else
        w->first[list] = p;
    w->last[list] = p;
}

static void list_move(struct worker *w, struct pair *p, int list)
{
    list_remove(w, p);
    list_append(w, p, list);
}

void worker_moved(struct worker *w, struct pair *p)
{
    if (w->last[p->list] == p)
        p->deadline = w->now + w->limit[p->list];
    else
        list_move(w, p, p->list);
}

/* ---------------------------------------------------------------- pairs */

bool worker_watch(struct worker *w, struct end *e)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = e};
    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, e->fd, &event) == 0;
}

/* Events of this round may still point to it: it is freed after them. */
static void forget(struct worker *w, struct pair *p)
{
    if (p->is_dead)
        return;
    for (struct pair **at = &w->ready; p->is_ready && *at; at = &(*at)->next_ready)
        if (*at == p) {
            *at = p->next_ready;
            break;
        }
    pair_log(p);
    list_remove(w, p);
    p->is_dead = true;
    p->next_dead = w->dead;
    w->dead = p;
    w->present--;
    board_add(&w->counts->closed, 1);
    board_add(&w->counts->received, p->client.received);
    board_add(&w->counts->sent, p->client.sent);
}

static void bury(struct worker *w)
{
    while (w->dead) {
        struct pair *p = w->dead;
        w->dead = p->next_dead;
        pair_free(p);
    }
}

static void settle(struct worker *w, struct pair *p, enum pair_wants wants)
{
    if (wants == PAIR_GONE) {
        forget(w, p);
        return;
    }
    if ((int)p->state != p->list)
        list_move(w, p, (int)p->state);
    if (wants == PAIR_AGAIN && !p->is_ready) {
        p->is_ready = true;
        p->next_ready = w->ready;
        w->ready = p;
    }
}

static void run(struct worker *w, struct pair *p)
{
    if (!p->is_dead)
        settle(w, p, pair_run(p));
}

static void run_ready(struct worker *w)
{
    struct pair *p = w->ready;
    w->ready = NULL;
    while (p) {
        struct pair *next = p->next_ready;
        p->is_ready = false;
        p->next_ready = NULL;
        run(w, p);
        p = next;
    }
}

/* ---------------------------------------------------------------- the door */

static void listen_on(struct worker *w, bool on)
{
    /* Where workers share a socket, one of them is woken for a connection. */
    struct epoll_event e = {.events = EPOLLIN | (w->door_shared ? EPOLLEXCLUSIVE : 0)};
    if (w->door < 0 || w->listening == on)
        return;
    if (epoll_ctl(w->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, w->door, &e) == 0)
        w->listening = on;
}

static void welcome(struct worker *w, int fd, const union place_address *from)
{
    int on = 1;
    if (from->any.sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct pair *p = pair_new(w, fd, from);
    if (!p)
        return;
    board_add(&w->counts->accepted, 1);
    w->present++;
    list_append(w, p, PAIR_SHAKING);
    /* The first bytes are there more often than not; if they are not, epoll says when they are. */
    p->client.readable = p->client.writable = true;
    run(w, p);
}

static void accept_some(struct worker *w, int most)
{
    for (int i = 0; i < most && w->door >= 0 && w->present < w->setup->most; i++) {
        union place_address from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(w->door, &from.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            welcome(w, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            w->listen_again = w->now + 0.5;
            listen_on(w, false);
        }
        if (errno == EAGAIN || w->listen_again > 0)
            break;
    }
}

/* ---------------------------------------------------------------- sessions with the backend */

void worker_keep_session(hf_conn *conn, hf_session *session, void *arg)
{
    struct worker *w = hf_conn_user(conn);
    (void)arg;
    if (!w)
        return;
    if (w->session_count == WORKER_SESSIONS) {
        hf_session_free(w->sessions[0]);
        memmove(w->sessions, w->sessions + 1, sizeof w->sessions - sizeof *w->sessions);
        w->session_count--;
    }
    w->sessions[w->session_count++] = hf_session_ref(session);
}

/* A ticket of TLS 1.3 is offered once (RFC 8446 C.4); an older session stays. */
void worker_offer_session(struct worker *w, struct pair *p)
{
    hf_conn_set_user(p->backend.conn, w);
    while (w->session_count) {
        hf_session *s = w->sessions[w->session_count - 1];
        bool taken = hf_conn_set_session(p->backend.conn, s);
        if (taken && hf_session_version(s) < HF_TLS1_3)
            return;
        hf_session_free(s);
        w->session_count--;
        if (taken)
            return;
    }
}

/* ---------------------------------------------------------------- time */

static void end_overdue(struct worker *w)
{
    for (int list = 0; list < WORKER_LISTS; list++)
        while (w->first[list] && w->first[list]->deadline <= w->now) {
            struct pair *p = w->first[list];
            settle(w, p, pair_timed_out(p));
            if (!p->is_dead && p->list == list)
                list_move(w, p, list);
        }
    if (w->listen_again > 0 && w->listen_again <= w->now)
        w->listen_again = 0;
}

static int next_wait(const struct worker *w)
{
    double next = w->listen_again;
    if (w->ready)
        return 0;
    for (int list = 0; list < WORKER_LISTS; list++)
        if (w->first[list] && (next <= 0 || w->first[list]->deadline < next))
            next = w->first[list]->deadline;
    if (next <= 0)
        return -1;
    double ms = (next - w->now) * 1000 + 1;
    return ms < 0 ? 0 : ms > 1e8 ? 100000000 : (int)ms;
}

/* ---------------------------------------------------------------- the loop */

static void serve_events(struct worker *w, struct epoll_event *events, int n)
{
    bool knock = false;
    for (int i = 0; i < n; i++) {
        struct end *e = events[i].data.ptr;
        uint32_t what = events[i].events;
        if (!e) {
            knock = true;
            continue;
        }
        if (e->fd < 0)
            continue;
        e->hung |= (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        e->readable |= e->hung || (what & EPOLLIN);
        /* It has said its last, and now it is gone altogether. */
        e->mute |= e->ended && (what & EPOLLERR);
        e->writable |= (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
        run(w, e->pair);
    }
    if (knock)
        accept_some(w, 64);
}

/* Whoever stands in the queue already is let in before the door is closed. */
static void begin_draining(struct worker *w)
{
    w->draining = true;
    listen_on(w, false);
    accept_some(w, 4096);
    close(w->door);
    w->door = -1;
}

static void loop(struct worker *w, const sigset_t *waiting)
{
    struct epoll_event events[256];
    while (!stop_asked && !(w->draining && w->present == 0)) {
        listen_on(w, w->present < w->setup->most && w->listen_again <= 0);
        int n = epoll_pwait(w->epoll, events, 256, next_wait(w), waiting);
        w->now = read_clock(CLOCK_MONOTONIC);
        if (n < 0 && errno != EINTR) {
            log_say(&w->log, "error", "epoll_pwait: %s", strerror(errno));
            return;
        }
        /* Nobody is freed between epoll's answer and its use. */
        serve_events(w, events, n < 0 ? 0 : n);
        run_ready(w);
        end_overdue(w);
        if (drain_asked && !w->draining)
            begin_draining(w);
        bury(w);
        log_flush(&w->log);
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    /* What the terminal and an operator say is for the parent. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}

static bool prepare(struct worker *w)
{
    const struct setup *s = w->setup;
    w->now = read_clock(CLOCK_MONOTONIC);
    w->wall = read_clock(CLOCK_REALTIME) - w->now;
    w->limit[PAIR_SHAKING] = w->limit[PAIR_CONNECTING] = w->limit[PAIR_GREETING] = s->patience;
    w->limit[PAIR_OPEN] = s->idle;
    w->limit[PAIR_LEAVING] = 2;
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    return w->epoll >= 0;
}

static void clear(struct worker *w)
{
    for (int list = 0; list < WORKER_LISTS; list++)
        while (w->first[list]) {
            pair_stop(w->first[list]);
            forget(w, w->first[list]);
        }
    bury(w);
    log_flush(&w->log);
    text_clear(&w->log.lines);
    while (w->session_count)
        hf_session_free(w->sessions[--w->session_count]);
    pbuf_forget_spares();
    if (w->door >= 0)
        close(w->door);
    close(w->epoll);
}

int worker_run(struct worker *w, const sigset_t *waiting)
{
    catch_signals();
    if (!prepare(w)) {
        log_say(&w->log, "error", "a worker cannot begin: %s", strerror(errno));
        return EXIT_LOCAL;
    }
    loop(w, waiting);
    clear(w);
    return EXIT_OK;
}

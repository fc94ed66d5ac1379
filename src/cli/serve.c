#include "cli/command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "cli/descriptors.h"
#include "cli/files.h"
#include "cli/guest.h"
#include "cli/named.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/target.h"

/* Guests stand in one of three lists by what their time limit is; within a list it is the same for
 * all, so that the list is in order of deadline without sorting. */
enum { SHAKING, TALKING, LEAVING, LISTS };

struct server {
    struct house house;
    hf_listener *listener;
    hf_config *config;
    char url[600];
    int epoll;
    struct guest *first[LISTS], *last[LISTS];
    struct guest *ready; /* have more to do, without an event */
    double limit[LISTS]; /* seconds */
    size_t present, most;
    bool listening;
    double listen_again; /* after the system had no more descriptors; 0: not waiting */
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- lists */

static void list_remove(struct server *s, struct guest *g)
{
    if (g->before)
        g->before->after = g->after;
    else
        s->first[g->list] = g->after;
    if (g->after)
        g->after->before = g->before;
    else
        s->last[g->list] = g->before;
    g->before = g->after = NULL;
}

static void list_append(struct server *s, struct guest *g, int list)
{
    g->list = list;
    g->deadline = clock_now() + s->limit[list];
    g->before = s->last[list];
    if (g->before)
        g->before->after = g;
    else
        s->first[list] = g;
    s->last[list] = g;
}

static int list_of(const struct guest *g)
{
    return g->state == GUEST_HANDSHAKE ? SHAKING : g->state == GUEST_OPEN ? TALKING : LEAVING;
}

/* A handshake's time and that of leaving run from their beginning; a conversation's is renewed by
 * every move. */
static void renew(struct server *s, struct guest *g)
{
    int list = list_of(g);
    if (list == g->list && list != TALKING)
        return;
    list_remove(s, g);
    list_append(s, g, list);
}

/* ---------------------------------------------------------------- the listener */

static void listen_on(struct server *s, bool on)
{
    if (s->listening == on)
        return;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(s->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, hf_listener_fd(s->listener),
                  &e) == 0)
        s->listening = on;
}

static bool wants_more(const struct server *s)
{
    const struct options *o = s->house.o;
    return s->present < s->most && (o->count == 0 || s->house.arrived < o->count);
}

/* ---------------------------------------------------------------- guests */

static void forget(struct server *s, struct guest *g)
{
    for (struct guest **p = &s->ready; g->is_ready && *p; p = &(*p)->next_ready)
        if (*p == g) {
            *p = g->next_ready;
            break;
        }
    list_remove(s, g);
    if (g->events)
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, hf_stream_fd(g->stream), NULL);
    guest_free(g);
    s->present--;
}

static bool watch(struct server *s, struct guest *g)
{
    uint32_t events = guest_events(g);
    if (events == g->events)
        return true;
    struct epoll_event e = {.events = events, .data.ptr = g};
    int how = g->events == 0 ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
    if (epoll_ctl(s->epoll, how, hf_stream_fd(g->stream), &e) != 0)
        return false;
    g->events = events;
    return true;
}

static void run(struct server *s, struct guest *g)
{
    enum guest_wants w = guest_run(g);
    if (w == GUEST_GONE) {
        forget(s, g);
        return;
    }
    renew(s, g);
    if (w == GUEST_AGAIN && !g->is_ready) {
        g->is_ready = true;
        g->next_ready = s->ready;
        s->ready = g;
    }
    if (!watch(s, g))
        forget(s, g);
}

static void run_ready(struct server *s)
{
    struct guest *g = s->ready;
    s->ready = NULL;
    while (g) {
        struct guest *next = g->next_ready;
        g->is_ready = false;
        g->next_ready = NULL;
        run(s, g);
        g = next;
    }
}

static void welcome(struct server *s, hf_stream *stream)
{
    struct guest *g = guest_new(&s->house, stream);
    if (!g) {
        hf_error ignored = {0};
        (void)hf_close(stream, &ignored);
        return;
    }
    list_append(s, g, SHAKING);
    s->present++;
    run(s, g);
}

/* Some at a time, so that those who are here already get their turn. */
static void accept_some(struct server *s)
{
    for (int i = 0; i < 64 && wants_more(s); i++) {
        hf_error err = {0};
        hf_stream *stream = hf_accept(s->listener, &err);
        if (stream) {
            welcome(s, stream);
            continue;
        }
        if (err.os_errno == EMFILE || err.os_errno == ENFILE || err.os_errno == ENOMEM ||
            err.os_errno == ENOBUFS) {
            s->listen_again = clock_now() + 0.5;
            listen_on(s, false);
        }
        break;
    }
}

/* ---------------------------------------------------------------- time */

static void end_overdue(struct server *s)
{
    double now = clock_now();
    for (int list = 0; list < LISTS; list++)
        while (s->first[list] && s->first[list]->deadline <= now) {
            struct guest *g = s->first[list];
            guest_timed_out(g, s->limit[list]);
            forget(s, g);
        }
    if (s->listen_again > 0 && s->listen_again <= now)
        s->listen_again = 0;
}

static int next_wait(const struct server *s)
{
    double next = s->listen_again, now = clock_now();
    if (s->ready)
        return 0;
    for (int list = 0; list < LISTS; list++)
        if (s->first[list] && (next <= 0 || s->first[list]->deadline < next))
            next = s->first[list]->deadline;
    if (next <= 0)
        return -1;
    double ms = (next - now) * 1000 + 1;
    return ms < 0 ? 0 : ms > 1e8 ? 100000000 : (int)ms;
}

/* ---------------------------------------------------------------- the loop */

static bool done(const struct server *s)
{
    const struct options *o = s->house.o;
    return stopped || (o->count && s->house.arrived >= o->count && s->present == 0);
}

static void serve_events(struct server *s, struct epoll_event *events, int n)
{
    bool knock = false;
    for (int i = 0; i < n; i++) {
        struct guest *g = events[i].data.ptr;
        if (!g)
            knock = true;
        else
            run(s, g);
    }
    if (knock)
        accept_some(s);
}

static bool loop(struct server *s, const sigset_t *waiting, hf_error *err)
{
    struct epoll_event events[256];
    while (!done(s)) {
        listen_on(s, wants_more(s) && s->listen_again <= 0);
        int n = epoll_pwait(s->epoll, events, 256, next_wait(s), waiting);
        if (n < 0 && errno != EINTR)
            return settings_fail(err, HF_E_SYSTEM, errno, "epoll_pwait: %s", strerror(errno));
        /* Events first: a guest that is both overdue and ready is served. Nobody is forgotten between
         * epoll's answer and its use, because run() only forgets the guest that it was given. */
        serve_events(s, events, n < 0 ? 0 : n);
        run_ready(s);
        end_overdue(s);
    }
    return true;
}

/* ---------------------------------------------------------------- beginning and end */

static void record(const hf_conn *conn, const hf_trace_event *event, void *arg)
{
    const struct guest *g = hf_conn_user(conn);
    (void)arg;
    if (g && g->recording)
        recording_add(g->recording, event);
}

static bool configure(struct server *s, hf_error *err)
{
    const struct options *o = s->house.o;
    s->config = settings_server(o, err);
    if (!s->config)
        return false;
    if (o->show && (!hf_config_set_trace(s->config, record, NULL) ||
                    !hf_config_insecure_set_trace_secrets(s->config, true))) {
        *err = *hf_config_error(s->config);
        return false;
    }
    return settings_freeze(s->config, err);
}

static bool write_port(const char *path, const char *url, hf_error *err)
{
    const char *port = strrchr(url, ':');
    FILE *f = fopen(path, "w");
    bool good = f && fprintf(f, "%s\n", port ? port + 1 : "") > 0;
    if (f)
        good = fclose(f) == 0 && good;
    return good || settings_fail(err, HF_E_FILE, errno, "%s cannot be written: %s", path,
                                 strerror(errno));
}

static bool open_doors(struct server *s, const struct target *t, hf_error *err)
{
    const struct options *o = s->house.o;
    hf_net_options net = HF_NET_OPTIONS;
    net.non_blocking = true;
    net.lazy_handshake = true;
    net.connect_timeout = -1; /* the loop keeps the time */
    net.timeout = -1;
    net.backlog = 4096;
    hf_options *named;
    if (!named_read(o, &named, err))
        return false;
    bool good = !named || hf_options_net(named, &net, err);
    hf_options_free(named); /* of its strings a listener keeps none */
    net.peer_name = net.bindto = NULL;
    if (!good)
        return false;
    s->house.root = -1;
    if (o->root) {
        s->house.root = files_open_root(o->root);
        if (s->house.root < 0)
            return settings_fail(err, HF_E_FILE, errno, "--root %s: %s", o->root,
                                 strerror(errno));
    }
    if (t->tls && !configure(s, err))
        return false;
    s->listener = hf_listen(t->url, s->config, &net, err);
    if (!s->listener)
        target_place(t, err);
    if (!s->listener)
        return false;
    hf_listener_url(s->listener, s->url, sizeof s->url);
    s->house.url = s->url;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0)
        return settings_fail(err, HF_E_SYSTEM, errno, "epoll_create1: %s", strerror(errno));
    if (o->port_file && !write_port(o->port_file, s->url, err))
        return false;
    printf("%s\n", s->url);
    fflush(stdout);
    return true;
}

/* As many descriptors as the system lets us have: each guest needs one, a file another. */
static void raise_limit(struct server *s)
{
    size_t limit = descriptors_raise();
    size_t room = limit > 64 ? limit - 32 : 16;
    if (limit != SIZE_MAX && s->most > room)
        s->most = room;
}

static void close_doors(struct server *s)
{
    for (int list = 0; list < LISTS; list++)
        while (s->first[list])
            forget(s, s->first[list]);
    hf_listener_close(s->listener);
    hf_config_free(s->config);
    if (s->epoll >= 0)
        close(s->epoll);
    if (s->house.root >= 0)
        close(s->house.root);
}

static void catch_signals(sigset_t *before)
{
    sigset_t ours;
    struct sigaction action = {.sa_handler = stop};
    /* Signals come only while epoll waits, so that none is lost between a look and a wait. */
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, before);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static const hf_transport *scheme_of(const struct target *t)
{
    char scheme[32];
    snprintf(scheme, sizeof scheme, "%.*s", (int)strcspn(t->url, ":"), t->url);
    return hf_transport_find(scheme);
}

/* Mistakes of the command line; NULL: none. */
static const char *mistake(const struct options *o, const struct target *t)
{
    if ((o->echo != 0) + (o->reverse != 0) + (o->show != 0) + (o->www != 0) +
            (o->root != NULL) >
        1)
        return "choose one of --root, --www, --show, --echo and --reverse";
    if (t->tls && o->cert.count + o->raw_key.count + o->psk.count + o->named.count == 0)
        return "a TLS server needs a certificate and its key: --cert FILE --key FILE";
    if (o->client_auth && !o->ca && !o->ca_folder && !o->trust_key.count && !o->peer_types)
        return "--client-auth needs --ca FILE or --trust-key FILE: whom to accept";
    if (o->ask_later && !o->ca && !o->ca_folder)
        return "--post-handshake-auth needs --ca FILE: whose client certificates to accept";
    if (o->ask_later && (o->echo || o->reverse || !t->tls))
        return "--post-handshake-auth PATH is for HTTP over TLS: --root, --www or --show";
    const hf_transport *transport = scheme_of(t);
    if (transport && transport->datagrams)
        return "datagrams have no connections to accept: serve tls, tcp or unix";
    return NULL;
}

int command_serve(const struct options *o)
{
    struct server s = {.house = {.o = o, .root = -1}, .epoll = -1};
    struct target t;
    hf_error err = {0};
    sigset_t before;
    if (!target_parse_starttls(&t, "serve",
                               o->target     ? o->target
                               : o->starttls ? "localhost:4433"
                                             : "tls://localhost:4433",
                               o->starttls))
        return EXIT_USAGE;
    const char *what = mistake(o, &t);
    if (what) {
        fprintf(stderr, "handfast serve: %s\nTry: handfast help serve\n", what);
        return EXIT_USAGE;
    }
    double limit = o->timeout > 0 ? o->timeout : 60;
    s.limit[SHAKING] = s.limit[TALKING] = limit;
    s.limit[LEAVING] = limit < 2 ? limit : 2;
    s.most = o->max_connections ? (size_t)o->max_connections : 10000;
    raise_limit(&s);
    catch_signals(&before);
    bool good = open_doors(&s, &t, &err) && loop(&s, &before, &err);
    int status = good ? EXIT_OK : report_failure(NULL, &err, o->json);
    close_doors(&s);
    return status;
}

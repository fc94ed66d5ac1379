/* proxy.c: the parent. It opens the doors, starts the workers, and listens to the operator. A reload starts new
 * workers on the same sockets and lets the old ones finish what they have: no connection is dropped, and one that
 * is open keeps the configuration that it began with. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/descriptors.h"
#include "cli/proxy_worker.h"
#include "cli/report.h"
#include "cli/settings.h"

enum { DOORS = 256, CHILDREN = BOARD_SLOTS };

struct child {
    pid_t pid; /* 0: none */
    int door, slot;
    unsigned generation;
    double born;
};

struct parent {
    const struct options *o; /* of the command line */
    struct setup *setup;
    struct board *board;
    struct seek seek;
    struct proxy_log log;
    int doors[DOORS];
    size_t door_count;
    struct child children[CHILDREN];
    size_t alive;
    unsigned generation;
    bool stopping, opened;
    double began, stop_at, stats_at, revive_at; /* 0: not set */
    sigset_t watched, before;
};

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- workers */

/* The parent keeps its rights, so that it can read keys again. */
static bool become_user(const struct parent *p)
{
    const struct setup *s = p->setup;
    if (!s->o.user ||
        (initgroups(s->o.user, s->gid) == 0 && setgid(s->gid) == 0 && setuid(s->uid) == 0))
        return true;
    log_say(&p->log, "error", "--user %s: %s", s->o.user, strerror(errno));
    return false;
}

static int be_worker(struct parent *p, size_t door, int slot, pid_t parent)
{
    struct worker w = {.setup = p->setup,
                       .board = p->board,
                       .seek = &p->seek,
                       .counts = &p->board->slots[slot].counts,
                       .log = p->log};
    sigset_t all;
    if (!become_user(p))
        return EXIT_CONFIG;
    /* A parent that is gone cannot say so: then what is here may end, and nothing new comes. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return EXIT_OK;
    w.door = p->doors[door % p->door_count];
    w.door_shared = p->door_count < p->setup->workers;
    for (size_t i = 0; i < p->door_count; i++)
        if (p->doors[i] != w.door)
            close(p->doors[i]);
    sigfillset(&all);
    sigdelset(&all, SIGTERM);
    sigdelset(&all, SIGQUIT);
    return worker_run(&w, &all);
}

static void start_worker(struct parent *p, size_t door)
{
    struct child *c = p->children;
    while (c < p->children + CHILDREN && c->pid)
        c++;
    int slot = c < p->children + CHILDREN ? board_take(p->board) : -1;
    pid_t parent = getpid(), pid = slot < 0 ? -1 : fork();
    if (pid == 0) {
        int status = be_worker(p, door, slot, parent);
        setup_free(p->setup);
        exit(status);
    }
    if (pid < 0) {
        log_say(&p->log, "error", "a worker cannot be started: %s",
                slot < 0 ? "there are too many that still finish" : strerror(errno));
        if (slot >= 0)
            board_give(p->board, slot);
        p->revive_at = clock_now() + 1;
        return;
    }
    *c = (struct child){.pid = pid,
                        .door = (int)door,
                        .slot = slot,
                        .generation = p->generation,
                        .born = clock_now()};
    p->alive++;
}

/* Starts what is missing of this generation. */
static void fill_up(struct parent *p)
{
    p->revive_at = 0;
    for (size_t door = 0; door < p->setup->workers; door++) {
        bool there = false;
        for (size_t i = 0; i < CHILDREN; i++)
            there |= p->children[i].pid && p->children[i].generation == p->generation &&
                     p->children[i].door == (int)door;
        if (!there)
            start_worker(p, door);
    }
}

static void tell(struct parent *p, unsigned before_generation, int number)
{
    for (size_t i = 0; i < CHILDREN; i++)
        if (p->children[i].pid && p->children[i].generation < before_generation)
            kill(p->children[i].pid, number);
}

static void bury(struct parent *p, struct child *c, int status)
{
    bool expected = p->stopping || c->generation != p->generation;
    if (WIFSIGNALED(status))
        log_say(&p->log, "worker-died", "worker %d was ended by signal %d (%s)%s", (int)c->pid,
                WTERMSIG(status), strsignal(WTERMSIG(status)),
                expected ? "" : "; another one takes its place");
    else if (WEXITSTATUS(status) != 0 || !expected)
        log_say(&p->log, "worker-died", "worker %d ended with status %d%s", (int)c->pid,
                WEXITSTATUS(status), expected ? "" : "; another one takes its place");
    /* One that dies at once is not started again at once. */
    double now = clock_now();
    if (!expected)
        p->revive_at = now - c->born < 1 ? now + 1 : now;
    board_give(p->board, c->slot);
    *c = (struct child){0};
    p->alive--;
}

static void reap(struct parent *p)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < CHILDREN; i++)
            if (p->children[i].pid == pid)
                bury(p, &p->children[i], status);
}

/* ---------------------------------------------------------------- the operator */

static bool open_log(struct parent *p, const struct setup *s, hf_error *err)
{
    int fd = s->o.access_log ? log_open(s->o.access_log) : -1;
    if (s->o.access_log && fd < 0)
        return settings_fail(err, HF_E_FILE, errno, "--access-log %s: %s", s->o.access_log,
                             strerror(errno));
    if (p->log.access >= 0)
        close(p->log.access);
    p->log.access = fd;
    p->log.json = s->o.json;
    p->log.quiet = s->o.quiet;
    return true;
}

/* Each connection needs two descriptors. */
static void raise_limit(struct setup *s)
{
    size_t limit = descriptors_raise();
    size_t room = limit > 320 ? (limit - 300) / 2 : 8;
    if (limit != SIZE_MAX && s->most > room)
        s->most = room;
}

/* New ones for new connections; the others end what they have. */
static void change_workers(struct parent *p)
{
    unsigned old = ++p->generation;
    fill_up(p);
    tell(p, old, SIGTERM);
}

/* The backend's name may stand for other addresses than before. */
static void follow(struct parent *p)
{
    char address[160];
    struct place *to = &p->setup->to;
    if (p->stopping || p->alive + p->setup->workers > CHILDREN ||
        !seek_answer(&p->seek, to, clock_now()))
        return;
    place_address_text(&to->a[0], address, sizeof address);
    log_say(&p->log, "backend-moved",
            "backend %s://%s:%s is at %s%s now: new connections go there", to->scheme, to->host,
            to->port, address, to->count > 1 ? " and others" : "");
    change_workers(p);
}

static void reload(struct parent *p)
{
    bool usage = false;
    hf_error err = {0};
    char line[600] = "the command line or --config's file is wrong";
    if (p->alive + p->setup->workers > CHILDREN) {
        log_say(&p->log, "reload-failed",
                "reload refused: %zu processes still finish what they have; try again later",
                p->alive);
        return;
    }
    struct setup *next = setup_new(p->o, p->setup, &usage, &err);
    if (!next || !open_log(p, next, &err)) {
        if (!usage)
            hf_error_line(&err, line, sizeof line);
        setup_free(next);
        log_say(&p->log, "reload-failed", "reload refused, all goes on as before: %s", line);
        return;
    }
    /* The doors stay: their address, and how many there are. */
    next->from = p->setup->from;
    if (next->workers != p->setup->workers)
        log_say(&p->log, "reload", "--workers stays %zu until a restart", p->setup->workers);
    next->workers = p->setup->workers;
    raise_limit(next);
    setup_free(p->setup);
    p->setup = next;
    change_workers(p);
    log_note(&p->log, "reload", "reloaded; connections that are open keep what they have");
}

/* The workers have the sockets, too, and let in who is in the queue before they close them. */
static void close_doors(struct parent *p)
{
    for (size_t i = 0; i < p->door_count; i++)
        close(p->doors[i]);
    if (p->door_count && p->setup->from.local && p->setup->from.host[0] != '@')
        unlink(p->setup->from.host);
    p->door_count = 0;
}

static void stop(struct parent *p)
{
    if (p->stopping) {
        tell(p, p->generation + 1, SIGQUIT);
        p->stop_at = clock_now() + 5;
        return;
    }
    struct board_counts sum;
    p->stopping = true;
    p->stop_at = clock_now() + p->setup->drain;
    tell(p, p->generation + 1, SIGTERM);
    close_doors(p);
    board_sum(p->board, &sum);
    log_note(&p->log, "stop", "stopping: %llu connections get %.0f s to end",
             (unsigned long long)(sum.accepted - sum.closed), p->setup->drain);
}

static void statistics(struct parent *p)
{
    struct text t = {0};
    board_line(&t, p->board, clock_now() - p->began, (unsigned)p->alive, p->log.json);
    if (text_ok(&t) && fwrite(t.p, 1, t.len, stderr) == t.len)
        fflush(stderr);
    text_clear(&t);
}

static void obey(struct parent *p, int number)
{
    if (number == SIGHUP && !p->stopping)
        reload(p);
    else if (number == SIGUSR1)
        statistics(p);
    else if (number == SIGIO)
        follow(p);
    else if (number == SIGTERM || number == SIGINT)
        stop(p);
}

/* ---------------------------------------------------------------- the loop */

static struct timespec until(const struct parent *p)
{
    double next = p->stop_at, now = clock_now();
    if (p->stats_at > 0 && (next <= 0 || p->stats_at < next))
        next = p->stats_at;
    if (p->revive_at > 0 && (next <= 0 || p->revive_at < next))
        next = p->revive_at;
    if (p->seek.at > 0 && (next <= 0 || p->seek.at < next))
        next = p->seek.at;
    double left = next <= 0 || next > now + 300 ? 300 : next > now ? next - now : 0;
    return (struct timespec){(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
}

/* Ticket keys come from a secret that moves on by the hour. The parent's must move, too: a new worker begins with
 * it, and whoever reads an old one would know all keys since. */
static void rotate_keys(const struct parent *p)
{
    if (p->setup->server)
        hf_config_ticket_keys(p->setup->server, NULL, 0);
}

static void on_time(struct parent *p)
{
    double now = clock_now();
    rotate_keys(p);
    if (p->stats_at > 0 && p->stats_at <= now) {
        statistics(p);
        p->stats_at = now + p->setup->o.stats;
    }
    if (p->revive_at > 0 && p->revive_at <= now && !p->stopping)
        fill_up(p);
    if (!p->stopping)
        seek_on_time(&p->seek, &p->setup->to, p->board, now);
    if (p->stopping && p->stop_at <= now) {
        tell(p, p->generation + 1, SIGQUIT);
        p->stop_at = now + 5;
    }
}

static void loop(struct parent *p)
{
    while (!p->stopping || p->alive > 0) {
        struct timespec left = until(p);
        int number = sigtimedwait(&p->watched, NULL, &left);
        if (number > 0)
            obey(p, number);
        reap(p);
        on_time(p);
    }
}

/* ---------------------------------------------------------------- beginning and end */

/* One line; path NULL: it is not wanted. */
static bool write_line(const char *path, const char *line, hf_error *err)
{
    FILE *f = path ? fopen(path, "w") : NULL;
    if (!path)
        return true;
    bool good = f && fprintf(f, "%s\n", line) > 0;
    if (f)
        good = fclose(f) == 0 && good;
    return good || settings_fail(err, HF_E_FILE, errno, "%s cannot be written: %s", path,
                                 strerror(errno));
}

static bool open_doors(struct parent *p, hf_error *err)
{
    char url[600], pid[24];
    struct setup *s = p->setup;
    p->door_count = place_listen(&s->from, p->doors, s->workers, err);
    if (!p->door_count)
        return false;
    place_url(&s->from, url, sizeof url);
    const char *port = s->from.local ? "" : strrchr(url, ':') + 1;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    if (!write_line(s->o.port_file, port, err) || !write_line(s->o.pid_file, pid, err))
        return false;
    p->opened = true;
    fill_up(p);
    printf("%s\n", url);
    fflush(stdout);
    return true;
}

static void catch_signals(struct parent *p)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGQUIT, SIGIO};
    sigemptyset(&p->watched);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&p->watched, numbers[i]);
    sigprocmask(SIG_BLOCK, &p->watched, &p->before);
}

static void clear(struct parent *p)
{
    close_doors(p);
    if (p->opened && p->setup->o.pid_file)
        unlink(p->setup->o.pid_file);
    if (p->log.access >= 0)
        close(p->log.access);
    setup_free(p->setup);
    seek_close(&p->seek);
}

int command_proxy(const struct options *o)
{
    static struct parent p;
    bool usage = false;
    hf_error err = {0};
    p.o = o;
    p.log.access = -1;
    p.setup = setup_new(o, NULL, &usage, &err);
    p.board = p.setup ? board_new() : NULL;
    if (usage)
        return EXIT_USAGE;
    if (p.setup && !p.board)
        settings_fail(&err, HF_E_NO_MEMORY, errno, "for what the workers share");
    catch_signals(&p);
    p.began = clock_now();
    bool good = p.board != NULL;
    if (!seek_open(&p.seek) && good)
        good = settings_fail(&err, HF_E_SYSTEM, errno, "a pipe: %s", strerror(errno));
    if (good)
        raise_limit(p.setup);
    good = good && open_log(&p, p.setup, &err) && open_doors(&p, &err);
    if (good) {
        p.stats_at = p.setup->o.stats > 0 ? p.began + p.setup->o.stats : 0;
        loop(&p);
    }
    int status = good ? EXIT_OK : report_failure(NULL, &err, o->json);
    clear(&p);
    return status;
}

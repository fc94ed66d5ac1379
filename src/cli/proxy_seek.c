#define _GNU_SOURCE /* F_SETOWN, pipe2 */
#include "cli/proxy_seek.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A message goes into the pipe whole or not at all (POSIX, write). */
_Static_assert(sizeof(struct place) <= PIPE_BUF, "a place is too long for one message");

enum { LONGEST_PAUSE = 30, PATIENCE = 60, OPENED_FIRST = 1024 };

bool seek_open(struct seek *s)
{
    *s = (struct seek){.pipe = {-1, -1}};
    return pipe2(s->pipe, O_NONBLOCK | O_CLOEXEC) == 0 &&
           fcntl(s->pipe[0], F_SETOWN, (int)getpid()) == 0 &&
           fcntl(s->pipe[0], F_SETFL, O_NONBLOCK | O_ASYNC) == 0;
}

void seek_close(struct seek *s)
{
    for (int i = 0; i < 2; i++)
        if (s->pipe[i] >= 0)
            close(s->pipe[i]);
    *s = (struct seek){.pipe = {-1, -1}};
}

static void send_place(const struct seek *s, const struct place *p)
{
    /* A pipe that is full has enough of them for the parent to know. */
    ssize_t n = write(s->pipe[1], p, sizeof *p);
    (void)n;
}

void seek_ask(const struct seek *s)
{
    struct place none = {0};
    send_place(s, &none);
}

static bool has(const struct place *p, const struct place *other, size_t i)
{
    for (size_t k = 0; k < p->count; k++)
        if (p->len[k] == other->len[i] && memcmp(&p->a[k], &other->a[i], p->len[k]) == 0)
            return true;
    return false;
}

/* Name servers change the order from answer to answer. */
static bool same_addresses(const struct place *a, const struct place *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = has(b, a, i) && has(a, b, i);
    return same;
}

bool seek_answer(struct seek *s, struct place *known, double now)
{
    struct place got;
    bool moved = false;
    while (read(s->pipe[0], &got, sizeof got) == (ssize_t)sizeof got) {
        if (got.count == 0 && !known->local) {
            s->at = now;
            s->pause = 1;
        }
        if (got.count == 0 || strcmp(got.host, known->host) != 0 ||
            strcmp(got.port, known->port) != 0 || same_addresses(&got, known))
            continue;
        *known = got;
        moved = true;
    }
    return moved;
}

/* The child must not hold the parent's doors: if it lived longer than the parent, clients would wait at them for nobody. It
 * ends by the signals that the parent waits for. */
static void let_go(const struct seek *s)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = 3; fd < OPENED_FIRST; fd++)
        if (fd != s->pipe[1])
            close(fd);
    alarm(PATIENCE);
}

void seek_on_time(struct seek *s, const struct place *known, const struct board *board,
                  double now)
{
    if (s->at <= 0 || s->at > now)
        return;
    if (!board_is_down(board)) {
        s->at = 0;
        return;
    }
    s->at = now + s->pause;
    s->pause = s->pause * 2 < LONGEST_PAUSE ? s->pause * 2 : LONGEST_PAUSE;
    if (fork() != 0)
        return;
    struct place found = *known;
    hf_error err = {0};
    let_go(s);
    if (place_resolve(&found, false, &err) && found.count)
        send_place(s, &found);
    _exit(0);
}

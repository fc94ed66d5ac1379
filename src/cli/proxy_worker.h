/* proxy_worker.h: one process of a proxy: its connections, and the loop that serves them. */
#ifndef CLI_PROXY_WORKER_H
#define CLI_PROXY_WORKER_H

#include <signal.h>

#include "cli/proxy_board.h"
#include "cli/proxy_log.h"
#include "cli/proxy_pair.h"
#include "cli/proxy_seek.h"

enum { WORKER_SESSIONS = 32, WORKER_LISTS = PAIR_LEAVING + 1 };

struct worker {
    const struct setup *setup;
    struct board *board;
    const struct seek *seek;
    struct board_counts *counts;
    struct proxy_log log;
    int epoll, door; /* door: the listening socket, -1: closed */
    bool door_shared, listening, draining;
    double now, listen_again; /* listen_again: after descriptors ran out; 0: not waiting */
    double wall;              /* what the clock on the wall is ahead of `now` */
    size_t present, address;  /* address: of the backend, the last one that was good */
    double limit[WORKER_LISTS];
    struct pair *first[WORKER_LISTS], *last[WORKER_LISTS];
    struct pair *ready, *dead;
    hf_session *sessions[WORKER_SESSIONS]; /* of the backend */
    size_t session_count;
};

/* worker_run serves until all is done; the exit status. Signals: TERM: no new connections, and the end when those
 * that are here have ended; QUIT: the end now. */
int worker_run(struct worker *w, const sigset_t *waiting);

/* For pairs: worker_watch has an end's socket watched; worker_moved: bytes have moved, so that it is not idle;
 * worker_offer_session offers the backend a session of an earlier connection. */
bool worker_watch(struct worker *w, struct end *e);
void worker_moved(struct worker *w, struct pair *p);
void worker_offer_session(struct worker *w, struct pair *p);

/* worker_keep_session is the callback for sessions that the backend gives. */
void worker_keep_session(hf_conn *conn, hf_session *session, void *arg);

static inline double worker_wall(const struct worker *w)
{
    return w->now + w->wall;
}

#endif

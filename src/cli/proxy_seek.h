/* proxy_seek.h: looking the backend's name up again while nobody is found at the addresses that were known. A child
 * does it, as the system's resolver may take its time, and the parent has signals to obey. */
#ifndef CLI_PROXY_SEEK_H
#define CLI_PROXY_SEEK_H

#include "cli/proxy_board.h"
#include "cli/proxy_place.h"

struct seek {
    int pipe[2];      /* messages for the parent, each a struct place: SIGIO tells of them */
    double at, pause; /* when to look again (0: not), and how long to wait after that */
};

/* seek_open makes the pipe; false with errno. The calling process gets SIGIO. seek_close closes it. */
bool seek_open(struct seek *s);
void seek_close(struct seek *s);

/* seek_ask asks the parent to look: for a worker that has found no backend. */
void seek_ask(const struct seek *s);

/* seek_answer takes a message, in the parent: true if `now` are other addresses than `known`, which take their
 * place. What a worker asks for is done by seek_on_time. */
bool seek_answer(struct seek *s, struct place *known, double now);

/* seek_on_time starts a child if it is time for that, and the backend is still away. */
void seek_on_time(struct seek *s, const struct place *known, const struct board *board,
                  double now);

#endif

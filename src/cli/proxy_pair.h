/* proxy_pair.h: one proxied connection: the client's end and the backend's, and what is between them. */
#ifndef CLI_PROXY_PAIR_H
#define CLI_PROXY_PAIR_H

#include "cli/proxy_end.h"
#include "cli/proxy_setup.h"

struct worker;

enum pair_state {
    PAIR_SHAKING,    /* the client's handshake */
    PAIR_CONNECTING, /* to the backend */
    PAIR_GREETING,   /* the backend's handshake */
    PAIR_OPEN,
    PAIR_LEAVING, /* nothing moves any more: the last bytes are to arrive */
};

struct pair {
    struct end client, backend;
    struct worker *w;
    enum pair_state state;
    bool reset;            /* how the backend's end is closed, in the end */
    bool shaken;           /* the client's handshake was done */
    size_t address, tries; /* of the backend */
    const char *outcome;   /* static; NULL: as it should be */
    uint64_t began;        /* milliseconds */
    /* the worker's */
    double deadline;
    int list;
    struct pair *before, *after, *next_ready, *next_dead;
    bool is_ready, is_dead;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } from; /* the client's address */
};

enum pair_wants { PAIR_WAITS, PAIR_AGAIN, PAIR_GONE };

/* pair_new takes a client's socket; NULL without memory, and the socket is closed. */
struct pair *pair_new(struct worker *w, int fd, const union place_address *from);

/* pair_run does what can be done now. WAITS: for events or time; AGAIN: there is more to do, when others had
 * their turn; GONE: it is over. */
enum pair_wants pair_run(struct pair *p);

/* pair_timed_out: its time in this state is over. Then as pair_run. */
enum pair_wants pair_timed_out(struct pair *p);

/* pair_stop ends it now, as cleanly as can be done without waiting. */
void pair_stop(struct pair *p);

void pair_free(struct pair *p);

/* pair_name writes the client's address. */
void pair_name(const struct pair *p, char *out, size_t size);

/* pair_log adds its line to the access log. */
void pair_log(const struct pair *p);

#endif

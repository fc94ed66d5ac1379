/* proxy_log.h: what a proxy says: messages on stderr, and a line for each connection in the access log. */
#ifndef CLI_PROXY_LOG_H
#define CLI_PROXY_LOG_H

#include "cli/text.h"
#include "handfast.h"

struct proxy_log {
    bool json, quiet;
    int access;        /* descriptor of the access log, -1: none */
    struct text lines; /* of the access log, not written yet */
    struct seen {
        hf_code code;
        double said;
        uint64_t more;
    } seen[32];
    size_t seen_count;
};

/* log_say writes one message, as {"event":EVENT,"message":...} in JSON; it never blocks for long and never
 * fails. log_note does so unless --quiet was given. */
void log_say(const struct proxy_log *l, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void log_note(const struct proxy_log *l, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* log_failure tells of a client's error, but of each kind once a minute only: whoever probes a port all day
 * shall not fill a disk. who is the client's address. */
void log_failure(struct proxy_log *l, const char *who, const hf_error *err, double now);

/* log_open opens the access log to append to, "-": standard output; -1 with errno. */
int log_open(const char *path);

/* log_flush writes the lines of the access log that have gathered, in one piece. */
void log_flush(struct proxy_log *l);

#endif

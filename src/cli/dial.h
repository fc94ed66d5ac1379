/* dial.h: a client's stream that does not block, with functions that wait. So the connection is still
 * there to be explained when the handshake has failed, and a copy loop can poll. */
#ifndef CLI_DIAL_H
#define CLI_DIAL_H

#include "cli/named.h"
#include "cli/target.h"
#include "cli/text.h"
#include "handfast_net.h"

struct dial {
    hf_stream *stream;
    hf_config *config;
    hf_options *named;    /* from --option, or NULL */
    hf_session *session;  /* from --session, or NULL */
    hf_session *newest;   /* the last ticket that came */
    double timeout;       /* seconds for each wait; 0: none */
    unsigned char *early; /* from --early-data, or NULL */
    size_t early_len;
    char early_not[80]; /* why none of it was sent with the first message; "" if it was */
};

/* dial_open connects and makes the handshake. On failure the exit status was reported nowhere yet:
 * *err says why, and d->stream may be there for hf_explain. dial_close in every case. */
bool dial_open(struct dial *d, const struct options *o, const struct target *t, hf_error *err);

/* dial_plain opens a stream that blocks and is not TLS yet: what comes next on it is a ClientHello. address
 * is the target's address as tcp://IP:PORT, or "" to look it up. NULL on failure. Any thread. */
hf_stream *dial_plain(const struct target *t, const char *address, double timeout,
                      hf_error *err);

/* dial_prepare makes the configuration alone, for a caller that wants to add to it before dial_open. */
bool dial_prepare(struct dial *d, const struct options *o, const struct target *t,
                  hf_error *err);

/* dial_read, dial_write: as hf_read and hf_write of a stream that blocks. */
ptrdiff_t dial_read(struct dial *d, void *out, size_t len, hf_error *err);
bool dial_write(struct dial *d, const void *p, size_t len, hf_error *err);

/* dial_flush waits until what waits to be sent has gone. */
bool dial_flush(struct dial *d, hf_error *err);

/* dial_send_early sends the early data that the server has not taken, after the handshake. */
bool dial_send_early(struct dial *d, hf_error *err);

/* dial_keep_session writes the newest session to --session's file. */
bool dial_keep_session(const struct dial *d, const struct options *o, hf_error *err);

void dial_close(struct dial *d);

hf_conn *dial_conn(const struct dial *d); /* NULL: plain, or no stream */

/* dial_get sends an HTTP/1.1 GET and reads the answer; `body` receives its bytes in order. status is
 * the response's first line. */
typedef bool (*dial_body_fn)(const void *p, size_t len, void *arg);
bool dial_get(struct dial *d, const char *host, const char *path, char *status,
              size_t status_size, dial_body_fn body, void *arg, hf_error *err);

#endif

/* conn.h: what is inside hf_conn. The read half (in, inbuf and what only the reader touches) and the
 * write half (out, output) share nothing mutable but `handover` and the one-time error; that is what
 * lets one thread read while another writes. */
#ifndef CONNECTION_CONN_H
#define CONNECTION_CONN_H

#include <stdatomic.h>

#include "handshake/hs.h"

/* What the reader leaves for the writer to do, and the states both may see. */
enum {
    HO_KEY_UPDATE = 1, /* answer the peer's request with a KeyUpdate */
    HO_ALERT = 2,      /* send the alert of the error */
    HO_FAILED = 4,     /* the error is set: the connection is dead */
    HO_CLAIMED = 8,    /* somebody is setting the error */
    HO_CLOSED_IN = 16, /* close_notify has come */
    HO_CLOSED_OUT = 32,
};

struct hf_conn {
    hf_config *config;
    struct hs *hs; /* NULL when the handshake is over */
    void *user;
    struct tracer *tracer; /* NULL: none */
    _Atomic unsigned handover;

    /* read half */
    struct rec_half in;
    struct buffer inbuf; /* handshake bytes that do not make a message yet */
    bool started;        /* a record has come */
    bool
        running; /* hs_run is on the stack: a callback of the handshake may not start it again */

    /* write half */
    struct rec_half out;
    struct buffer output; /* records that wait for hf_conn_output_done */
    bool update_answered; /* with a KeyUpdate, and no application data was sent since */

    struct established est;
    hf_error error; /* valid once HO_FAILED is set */
};

static inline unsigned conn_state(const hf_conn *c)
{
    return atomic_load_explicit(&c->handover, memory_order_acquire);
}

/* conn_fail makes the connection dead with this error, if it is the first; the writer will send the alert. */
hf_result conn_fail(hf_conn *c, const hf_error *err);

/* conn_run continues the handshake: HF_DONE when it is over. */
hf_result conn_run(hf_conn *c);

/* conn_write_pending (writer) turns what the reader left into records in `output`. */
void conn_write_pending(hf_conn *c);

/* conn_awake gives a hibernating half its AEAD context back. */
bool conn_awake(hf_conn *c, bool read, hf_error *err) __attribute__((warn_unused_result));

#endif

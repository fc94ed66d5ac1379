/* conn.h: what is inside hf_conn. The read half (in, inbuf and what only the reader touches) and the
 * write half (out, output) share nothing mutable but `handover` and the one-time error; that is what
 * lets one thread read while another writes. */
#ifndef CONNECTION_CONN_H
#define CONNECTION_CONN_H

#include <stdatomic.h>

#include "handshake/later13.h"

/* What the reader leaves for the writer to do, and the states both may see. */
enum {
    HO_KEY_UPDATE = 1, /* answer the peer's request with a KeyUpdate */
    HO_ALERT = 2,      /* send the alert of the error */
    HO_FAILED = 4,     /* the error is set: the connection is dead */
    HO_CLAIMED = 8,    /* somebody is setting the error */
    HO_CLOSED_IN = 16, /* close_notify has come */
    HO_CLOSED_OUT = 32,
    HO_REFUSE = 64, /* tell the peer that there will be no renegotiation */
    HO_LATER = 128, /* messages of an authentication after the handshake are to be sent */
    HO_ASKS = 256,  /* the reader waits for an answer to a question of such an authentication */
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
    /* hs_run is on the stack: a callback of the handshake may not start it again */
    bool running;

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

/* conn_in_handshake: the first handshake is not over: nothing was agreed yet. A renegotiation leaves what was
 * agreed before in force until it is done. */
static inline bool conn_in_handshake(const hf_conn *c)
{
    return c->hs && !c->est.version;
}

/* conn_is_old: TLS 1.2 or older is spoken, or will be as far as is known. */
static inline bool conn_is_old(const hf_conn *c)
{
    uint16_t version = c->hs && c->hs->n.version ? c->hs->n.version : c->est.version;
    return version && version < HF_TLS1_3;
}

/* conn_begin makes the handshake object, for the first handshake or a renegotiation. */
bool conn_begin(hf_conn *c, hf_error *err) __attribute__((warn_unused_result));

/* conn_put_record (writer) appends one record of the protocol's own to output. */
bool conn_put_record(hf_conn *c, uint8_t type, const uint8_t *p, size_t len)
    __attribute__((warn_unused_result));
void conn_put_alert(hf_conn *c, uint8_t level, uint8_t description);

/* ---- v2hello.c: conn_may_be_v2 looks at the first bytes; conn_take_v2 takes the whole message. */
bool conn_may_be_v2(const hf_conn *c, const uint8_t *in, size_t len);
hf_result conn_take_v2(hf_conn *c, const uint8_t *in, size_t len, size_t *used);

/* ---- renegotiate.c */

/* conn_after12 takes what comes in handshake records after a handshake of TLS 1.2 or older. */
hf_result conn_after12(hf_conn *c);
/* conn_refused12: the peer answered a renegotiation with no_renegotiation. */
void conn_refused12(hf_conn *c);

/* ---- later.c: authentication after the handshake (RFC 8446 4.6.2) */

/* conn_later (reader) goes on with the one that is under way, and with those that wait behind it. HF_DONE: none
 * is; HF_WANT_INPUT; HF_WANT_ANSWER. */
hf_result conn_later(hf_conn *c);
/* conn_later_take (reader) begins one, with a message that later_takes has let in. */
hf_result conn_later_take(hf_conn *c, const uint8_t *whole, size_t len);
/* conn_later_send (writer) sends what the reader has left. */
void conn_later_send(hf_conn *c);
/* conn_later_hs: the one that is under way, NULL if none is; for the reader. */
static inline struct hs *conn_later_hs(const hf_conn *c)
{
    const struct later *l = later_of(&c->est);
    return l ? l->hs : NULL;
}

/* conn_asking: the handshake, or what comes after it, that may have a question. */
static inline struct hs *conn_asking(const hf_conn *c)
{
    return c->hs ? c->hs : conn_later_hs(c);
}

/* conn_awake gives a hibernating half its AEAD context back. */
bool conn_awake(hf_conn *c, bool read, hf_error *err) __attribute__((warn_unused_result));

#endif

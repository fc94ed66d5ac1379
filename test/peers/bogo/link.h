/* link.h: a connection and its socket. */
#ifndef BOGO_LINK_H
#define BOGO_LINK_H

#include "handfast.h"

struct link {
    int fd;
    hf_conn *conn;
    bool bytewise; /* read and write one byte at a time */
    bool hold;     /* what is to be sent waits, but for its first byte */
    void (*answer)(struct link *l, void *arg); /* answers the question that waits */
    void *arg;

    uint8_t in[2 * HF_RECORD_MAX];
    size_t in_len;
    uint8_t data[HF_RECORD_MAX]; /* application data that was received */
    size_t data_at, data_len;
    uint8_t *out;
    size_t out_len, out_size;
    bool starved;      /* the connection wants more bytes */
    bool ended;        /* the transport has ended */
    bool write_failed; /* the peer takes nothing any more */
};

/* link_open connects to the runner and says who is calling; false if it cannot. */
bool link_open(struct link *l, int port, bool ipv6, uint64_t id);

/* link_close lets the peer read what was sent to it, and closes the socket. */
void link_close(struct link *l);

/* link_put puts bytes behind what is to be sent. */
bool link_put(struct link *l, const uint8_t *p, size_t n);

/* link_flush sends what the connection has to say. */
void link_flush(struct link *l);

/* link_step waits for bytes and hands them to the connection. HF_DONE: it went on (there may be
 * data in l->data); HF_CLOSED; HF_FAILED. */
hf_result link_step(struct link *l);

/* link_handshake runs the handshake to its end; falsely: until data may be sent (RFC 7918). */
hf_result link_handshake(struct link *l, bool falsely);

/* link_send sends application data; HF_DONE or HF_FAILED. */
hf_result link_send(struct link *l, const void *data, size_t len);

#endif

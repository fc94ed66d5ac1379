/* proxy_end.h: one end of a proxied connection: a socket, with TLS on it or without. Bytes are moved from one
 * end to the other with at most one copy: what comes by TLS is decrypted where it was received and sent from
 * there; what goes by TLS is sealed from where it was received. Sockets are watched for edges: an end knows
 * whether it may be read or written, and says so when the system has said no. */
#ifndef CLI_PROXY_END_H
#define CLI_PROXY_END_H

#include <sys/uio.h>

#include "cli/proxy_buffer.h"
#include "handfast.h"

enum { END_SLICES = 8 };

struct pair;

struct end {
    struct pair *pair;
    int fd;                        /* -1: closed, or not opened yet */
    hf_conn *conn;                 /* NULL: plain */
    bool readable, writable, hung; /* as epoll tells; hung: the end or an error is to be read */
    bool ended;                    /* the peer has ended its half, and all of it was read */
    bool broken;                   /* its half has ended otherwise: why has the reason */
    bool mute;                     /* it takes nothing more */
    bool over;                     /* the transport has ended: nothing at all comes any more */
    bool fin_wanted, fin_sent;
    struct pbuf in, out;
    struct iovec slices[END_SLICES]; /* what was read and not passed on yet */
    unsigned first, count;
    uint64_t received, sent;
    int why; /* errno, when broken or mute without an error of TLS */
};

enum end_flush { END_FLUSHED, END_BLOCKED, END_DEAD };

/* end_init begins with a socket; conn is taken. */
void end_init(struct end *e, int fd, hf_conn *conn);

/* end_close closes the socket; reset: so that the peer learns that not all is well. What is known of the connection
 * stays until end_free. */
void end_close(struct end *e, bool reset);
void end_free(struct end *e, bool reset);

/* end_shaken: its handshake is done, or it needs none. */
bool end_shaken(const struct end *e);

/* end_fetch reads until there is a slice, the end, or nothing more to be had now; it runs the handshake too.
 * Only when there is no slice. */
void end_fetch(struct end *e);

/* end_flush sends what waits, and the end of the half when that was asked for. */
enum end_flush end_flush(struct end *e);

/* end_put adds bytes to be sent as they are, before anything else. */
bool end_put(struct end *e, const void *p, size_t len);

/* end_give moves slices to the other end, which must have nothing waiting; how many bytes went. What does not go
 * is kept. */
size_t end_give(struct end *from, struct end *to);

/* end_drop throws away what was read. */
void end_drop(struct end *e);

/* end_finish ends this half: close_notify and FIN; without notify, FIN alone, which a peer of TLS sees as cut. */
void end_finish(struct end *e, bool notify);

/* end_unsent: bytes that the system has not delivered yet. */
int end_unsent(const struct end *e);

/* end_discard reads and forgets; true once nothing more can come. */
bool end_discard(struct end *e);

#endif

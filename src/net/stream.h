/* stream.h: what is inside hf_stream. stream.c has what all streams share; tcp.c, tls_stream.c and the
 * other kinds each fill one table of operations. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <poll.h>
#include <pthread.h>

#include "handfast_net.h"
#include "net/bound.h"
#include "net/connect.h"
#include "net/fail.h"
#include "net/iobuf.h"
#include "net/session_cache.h"

/* Functions that return int say 1 (or what their comment says), 0, HF_AGAIN or -1 with *err filled. */
struct stream_ops {
    /* handshake: 0 when done. NULL: none is needed. */
    int (*handshake)(hf_stream *s, deadline d, hf_error *err);
    /* fill waits until s->data is not empty: 1; 0 at the clean end. */
    int (*fill)(hf_stream *s, deadline d, hf_error *err);
    /* ahead is called when s->data has become empty: it decodes what was received already, without
     * I/O, and gives buffers back. So nothing readable hides from somebody who polls the socket. */
    void (*ahead)(hf_stream *s);
    /* read goes round s->data, which is empty. NULL: there is no shorter way. */
    ptrdiff_t (*read)(hf_stream *s, void *out, size_t len, deadline d, hf_error *err);
    /* write and shut (which ends the writing half) hold s->writing. */
    ptrdiff_t (*write)(hf_stream *s, const void *data, size_t len, deadline d, hf_error *err);
    bool (*shut)(hf_stream *s, deadline d, hf_error *err);
    /* flush sends what waits: 1 when nothing is left, 0 if the socket takes no more, -1 if it is
     * dead (s->write_errno). Holds s->writing. */
    int (*flush)(hf_stream *s);
    /* peek_end: like fill, but never waits; says whether the clean end is next. */
    bool (*peek_end)(hf_stream *s);
    void (*free)(hf_stream *s);
};

struct opening; /* opening.h */

struct hf_stream {
    const struct stream_ops *ops;      /* now: TLS may begin and end in mid-stream */
    const struct transport *transport; /* below; its ops are those of plain streams */
    int fd;
    bool non_blocking;
    bool ready;                                  /* connected, and the handshake is done */
    bool named;                                  /* its own address was asked for */
    char *uri;                                   /* as it was given, or NULL */
    struct bound_file *file;                     /* that its own address has made, or NULL */
    double timeout, read_timeout, write_timeout; /* of one call; 0 for the two: timeout */
    double open_timeout, handshake_timeout; /* 0 for the second: what is left of the first */
    deadline open_end;                      /* for connecting and the handshake; 0: not begun */

    /* Only until the connection stands. */
    struct connecting *connecting;
    hf_error *failed; /* why it never will */

    /* The reader's. data is what hf_read hands out next: a slice of in (TLS), or all of it (TCP). */
    struct iobuf in;
    uint8_t *data;
    size_t data_len;
    struct buffer unread; /* comes before data: part of a line that did not arrive whole */
    bool read_ended, read_failed, end_told, read_shut, timed_out;
    int read_errno;

    /* The writer's, or whose ever who holds the lock: a reader that has something to answer tries. */
    pthread_mutex_t writing;
    struct iobuf out;
    bool write_closed, fin_wanted, fin_sent;
    bool stopping; /* our close_notify has gone, or waits in the connection: hf_stop_tls */
    int write_errno;

    hf_conn *conn;           /* TLS only */
    struct opening *opening; /* the talk before TLS, until it is over */
    struct session_key *key; /* TLS client with a session cache: where its tickets go */
    char *target; /* plain streams: the URL that hf_open was given, in its normal form */
    bool waits_answer;
    struct buffer early; /* client: early data that is not sealed yet */
    bool early_begun;    /* and some of it is */
};

extern const struct stream_ops tcp_stream_ops, tls_stream_ops;

/* stream_new makes a stream without a socket; NULL with E_NO_MEMORY. */
hf_stream *stream_new(const struct scheme *scheme, const hf_net_options *options,
                      hf_error *err);

/* stream_free frees everything but closes the socket only if close_fd says so. */
void stream_free(hf_stream *s, bool close_fd);

/* stream_open goes on with connecting and the handshake: 0 when done, HF_AGAIN or -1. */
int stream_open(hf_stream *s, deadline d, hf_error *err);

/* The deadlines of a call that begins now. */
deadline stream_read_end(const hf_stream *s);
deadline stream_write_end(const hf_stream *s);

/* stream_connected begins the time of the handshake, if it has one of its own. */
void stream_connected(hf_stream *s);

/* stream_wait waits for the socket: 1, HF_AGAIN if the stream does not block, or -1 with E_TIMEOUT
 * or E_SYSTEM; doing is "reading" and the like. */
int stream_wait(hf_stream *s, short events, deadline d, const char *doing, hf_error *err);

/* stream_read_broken and stream_write_broken remember the errno of a dead socket and word the error;
 * always -1. */
int stream_read_broken(hf_stream *s, int os_errno, hf_error *err);
int stream_write_broken(hf_stream *s, hf_error *err);

/* stream_has_data: something can be read without the socket. stream_need_data: 1 when there is. */
bool stream_has_data(const hf_stream *s);
int stream_need_data(hf_stream *s, deadline d, hf_error *err);

/* stream_wants_output: bytes wait to be sent. */
bool stream_wants_output(const hf_stream *s);

/* stream_may_write is false, with E_WRITE_CLOSED, after the half was ended. Holds s->writing. */
bool stream_may_write(const hf_stream *s, hf_error *err);

/* stream_flush_more sends until nothing is left: 1, HF_AGAIN or -1. Holds s->writing. */
int stream_flush_more(hf_stream *s, deadline d, const char *doing, hf_error *err);

/* Versions that are asked for besides what the configuration says. */
struct version_range {
    uint16_t lowest, highest; /* 0: whatever the configuration allows */
    bool within;              /* of what it allows; else instead of that */
    const char *name;         /* of the scheme that asks for them, or NULL */
};

static inline struct version_range scheme_range(const struct scheme *scheme)
{
    return (struct version_range){scheme->version, scheme->version, false, scheme->name};
}

/* tls_client and tls_server give a stream its connection; tls_clear takes it away. What is kept of sessions
 * stays. */
bool tls_client(hf_stream *s, const struct version_range *range, hf_config *config,
                const char *peer_name, const char *cache_name, hf_session *session,
                hf_error *err) __attribute__((warn_unused_result));
/* open_peer_name is the name in SNI, and to be verified, for a URL's host. */
void open_peer_name(const struct url *url, char out[URL_HOST_MAX + 2]);

/* tls_early gives a client's stream the options' early data. */
bool tls_early(hf_stream *s, const hf_net_options *options, hf_error *err)
    __attribute__((warn_unused_result));
bool tls_server(hf_stream *s, hf_config *config, hf_error *err)
    __attribute__((warn_unused_result));
void tls_clear(hf_stream *s);

/* tls_pin returns config, or one derived from it that allows only what range does; an owner is added. NULL
 * with an error. */
hf_config *tls_pin(const struct version_range *range, hf_config *config, hf_error *err);

/* tls_keep_session is the callback of configurations whose sessions are kept by session_cache.h. */
void tls_keep_session(hf_conn *conn, hf_session *session, void *arg);

#endif

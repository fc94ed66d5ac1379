/* datagram.c: datagrams, of UDP and of AF_UNIX. One read takes one datagram, one write sends one. What the
 * network says of one of them is not the end of the stream: the next call goes on. */
#include "net/datagram.h"

#include <errno.h>

static int failed(const char *doing, int os_errno, hf_error *err)
{
    const char *hint = NULL;

    switch (os_errno) {
    case ECONNREFUSED:
        hint = "nobody listens there: this is the answer to a datagram that was sent before";
        break;
    case EMSGSIZE: hint = "send less in one datagram"; break;
    case EDESTADDRREQ:
    case ENOTCONN:
        hint = "say where to with hf_send_to, or open the stream with hf_open";
        break;
    default: break;
    }
    net_fail_hint(err, HF_E_SYSTEM, os_errno, hint, "%s: %s", doing, net_strerror(os_errno));
    return -1;
}

static bool must_wait(int os_errno)
{
    return os_errno == EAGAIN || os_errno == EWOULDBLOCK;
}

ptrdiff_t datagram_receive(hf_stream *s, void *out, size_t len, int flags, struct address *from,
                           socklen_t *from_len, deadline d, hf_error *err)
{
    for (;;) {
        ssize_t n = sock_recv_from(s->fd, out, len, flags, from, from_len);
        int r;

        if (n >= 0)
            return n;
        if (!must_wait(errno))
            return failed("receiving", errno, err);
        r = stream_wait(s, POLLIN, d, "reading", err);
        if (r != 1)
            return r;
    }
}

/* The queue of one receiver is full, which the socket of a sender to many cannot be polled for. */
#define FULL_NS (SECOND_NS / 200)

static int wait_turn(const hf_stream *s, deadline d)
{
    if (s->non_blocking)
        return HF_AGAIN;
    (void)sock_wait(s->fd, 0, deadline_first(d, deadline_now() + FULL_NS));
    return 1;
}

static int too_late(hf_error *err)
{
    net_fail(err, HF_E_TIMEOUT, ETIMEDOUT,
             "writing: the receiver did not take what was sent in time");
    return -1;
}

ptrdiff_t datagram_send(hf_stream *s, const void *data, size_t len, const struct address *to,
                        deadline d, hf_error *err)
{
    for (;;) {
        ssize_t n = sock_send_to(s->fd, data, len, to);
        int r;

        if (n >= 0)
            return n;
        if (!must_wait(errno))
            return failed("sending", errno, err);
        if (to && deadline_passed(d))
            return too_late(err);
        r = to ? wait_turn(s, d) : stream_wait(s, POLLOUT, d, "writing", err);
        if (r != 1)
            return r;
    }
}

static ptrdiff_t dgram_read(hf_stream *s, void *out, size_t len, deadline d, hf_error *err)
{
    return datagram_receive(s, out, len, 0, NULL, NULL, d, err);
}

/* For who reads lines: an empty datagram has none. */
static int dgram_fill(hf_stream *s, deadline d, hf_error *err)
{
    ptrdiff_t n;

    if (!iobuf_open(&s->in)) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a buffer to read into");
        return -1;
    }
    do
        n = dgram_read(s, s->in.p, IOBUF_SIZE, d, err);
    while (n == 0);
    if (n < 0) {
        iobuf_clear(&s->in);
        return (int)n;
    }
    s->in.end = (size_t)n;
    s->data = s->in.p;
    s->data_len = (size_t)n;
    return 1;
}

static void dgram_ahead(hf_stream *s)
{
    iobuf_clear(&s->in);
    s->data = NULL;
}

static ptrdiff_t dgram_write(hf_stream *s, const void *data, size_t len, deadline d,
                             hf_error *err)
{
    return datagram_send(s, data, len, NULL, d, err);
}

/* There is nothing that the peer would see. */
static bool dgram_shut(hf_stream *s, deadline d, hf_error *err)
{
    (void)s;
    (void)d;
    (void)err;
    return true;
}

static int dgram_flush(hf_stream *s)
{
    (void)s;
    return 1;
}

static bool dgram_peek_end(hf_stream *s)
{
    (void)s;
    return false;
}

static void dgram_free(hf_stream *s)
{
    (void)s;
}

const struct stream_ops datagram_ops = {
    .fill = dgram_fill,
    .ahead = dgram_ahead,
    .read = dgram_read,
    .write = dgram_write,
    .shut = dgram_shut,
    .flush = dgram_flush,
    .peek_end = dgram_peek_end,
    .free = dgram_free,
};

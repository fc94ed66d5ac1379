/* tcp.c: byte streams without TLS. */
#include <errno.h>

#include "net/stream.h"

static ptrdiff_t tcp_read(hf_stream *s, void *out, size_t len, deadline d, hf_error *err)
{
    for (;;) {
        ssize_t n;
        int r;

        if (s->read_ended)
            return 0;
        if (s->read_errno)
            return stream_read_broken(s, s->read_errno, err);
        n = sock_recv(s->fd, out, len);
        if (n > 0)
            return n;
        if (n == 0) {
            s->read_ended = s->end_told = true;
            return 0;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            s->end_told = true;
            return stream_read_broken(s, errno, err);
        }
        r = stream_wait(s, POLLIN, d, "reading", err);
        if (r != 1)
            return r;
    }
}

static int tcp_fill(hf_stream *s, deadline d, hf_error *err)
{
    ptrdiff_t n;

    for (;;) {
        if (!iobuf_open(&s->in)) {
            net_fail(err, HF_E_NO_MEMORY, 0, "for a buffer to read into");
            return -1;
        }
        n = sock_recv(s->fd, s->in.p, IOBUF_SIZE);
        if (n > 0)
            break;
        /* no buffer while it waits: the rest of tcp_read's work needs none */
        iobuf_clear(&s->in);
        if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
            uint8_t none;

            if (n == 0)
                s->read_ended = true;
            else
                s->read_errno = errno;
            return (int)tcp_read(s, &none, 1, d, err);
        }
        n = stream_wait(s, POLLIN, d, "reading", err);
        if (n != 1)
            return (int)n;
    }
    s->in.end = (size_t)n;
    s->data = s->in.p;
    s->data_len = (size_t)n;
    return 1;
}

static void tcp_ahead(hf_stream *s)
{
    iobuf_clear(&s->in);
    s->data = NULL;
}

static ptrdiff_t tcp_write(hf_stream *s, const void *data, size_t len, deadline d,
                           hf_error *err)
{
    const uint8_t *p = data;
    size_t done = 0;

    while (done < len) {
        ssize_t n;
        int r;

        if (s->write_errno)
            return stream_write_broken(s, err);
        n = sock_send(s->fd, p + done, len - done);
        if (n >= 0) {
            done += (size_t)n;
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            s->write_errno = errno;
            continue;
        }
        if (s->non_blocking && done)
            break;
        r = stream_wait(s, POLLOUT, d, "writing", err);
        if (r != 1)
            return r;
    }
    return (ptrdiff_t)done;
}

static bool tcp_shut(hf_stream *s, deadline d, hf_error *err)
{
    (void)d;
    if (shutdown(s->fd, SHUT_WR) == 0)
        return true;
    return net_fail(err, HF_E_SYSTEM, errno, "shutdown: %s", net_strerror(errno));
}

static int tcp_flush(hf_stream *s)
{
    (void)s;
    return 1;
}

static bool tcp_peek_end(hf_stream *s)
{
    uint8_t byte;

    if (s->read_ended)
        return true;
    return !s->read_errno && sock_peek(s->fd, &byte, 1) == 0;
}

static void tcp_free(hf_stream *s)
{
    (void)s;
}

const struct stream_ops tcp_stream_ops = {
    .fill = tcp_fill,
    .ahead = tcp_ahead,
    .read = tcp_read,
    .write = tcp_write,
    .shut = tcp_shut,
    .flush = tcp_flush,
    .peek_end = tcp_peek_end,
    .free = tcp_free,
};

const struct transport tcp_transport = {
    .stream_type = "tcp_socket",
    .protocol = "tcp",
    .socket_type = SOCK_STREAM,
    .ops = &tcp_stream_ops,
};

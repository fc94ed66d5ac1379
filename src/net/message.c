/* message.c: reading and writing with flags and addresses, as recvfrom and sendto do it. */
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "net/datagram.h"

static bool is_datagram(const hf_stream *s)
{
    return s->transport->socket_type == SOCK_DGRAM;
}

/* TLS on it, now or after a handshake that is still to come. */
static bool is_tls(const hf_stream *s)
{
    return s->ops != s->transport->ops;
}

static bool check_flags(const hf_stream *s, unsigned flags, unsigned known, const char *who,
                        hf_error *err)
{
    if (flags & ~known)
        return net_fail(err, HF_E_USAGE, 0, "%s: 0x%x is not among its flags", who,
                        flags & ~known);
    if (!(flags & HF_MSG_OOB))
        return true;
    if (is_tls(s))
        return net_fail(err, HF_E_USAGE, 0,
                        "%s: TLS has no data out of band, and beside it on the socket nothing "
                        "would protect them",
                        who);
    return !is_datagram(s) ||
           net_fail(err, HF_E_USAGE, 0, "%s: datagrams have no data out of band", who);
}

/* ---------------------------------------------------------------- receiving */

static ptrdiff_t copy_data(const hf_stream *s, void *out, size_t len)
{
    size_t first = buffer_len(&s->unread) < len ? buffer_len(&s->unread) : len;
    size_t second = s->data_len < len - first ? s->data_len : len - first;

    if (first)
        memcpy(out, buffer_front(&s->unread), first);
    if (second)
        memcpy((uint8_t *)out + first, s->data, second);
    return (ptrdiff_t)(first + second);
}

/* What lies in the socket stays there: whoever takes the descriptor over finds it. */
static ptrdiff_t peek_socket(hf_stream *s, void *out, size_t len, deadline d, hf_error *err)
{
    for (;;) {
        ssize_t n;
        int r;

        if (s->read_ended)
            return 0;
        if (s->read_errno)
            return stream_read_broken(s, s->read_errno, err);
        n = sock_peek(s->fd, out, len);
        if (n >= 0)
            return n;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return stream_read_broken(s, errno, err);
        r = stream_wait(s, POLLIN, d, "reading", err);
        if (r != 1)
            return r;
    }
}

static ptrdiff_t peek(hf_stream *s, void *out, size_t len, deadline d, hf_error *err)
{
    int r;

    if (!is_tls(s) && !stream_has_data(s) && !s->read_shut)
        return peek_socket(s, out, len, d, err);
    r = stream_need_data(s, d, err);
    return r == 1 ? copy_data(s, out, len) : r;
}

static ptrdiff_t receive_urgent(hf_stream *s, void *out, size_t len, int flags, deadline d,
                                hf_error *err)
{
    for (;;) {
        ssize_t n = recv(s->fd, out, len, flags | MSG_OOB | MSG_DONTWAIT);
        int r;

        if (n >= 0)
            return n;
        /* EINVAL: there is none, or it was read already */
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINVAL && errno != EINTR) {
            net_fail(err, HF_E_SYSTEM, errno, "receiving out of band: %s", net_strerror(errno));
            return -1;
        }
        r = stream_wait(s, POLLPRI, d, "reading out of band", err);
        if (r != 1)
            return r;
    }
}

static ptrdiff_t receive_datagram(hf_stream *s, void *out, size_t len, unsigned flags,
                                  char *from, size_t from_size, deadline d, hf_error *err)
{
    struct address a = {0};
    socklen_t a_len = 0;
    ptrdiff_t n =
        datagram_receive(s, out, len, flags & HF_MSG_PEEK ? MSG_PEEK : 0, &a, &a_len, d, err);

    if (n >= 0 && from && a_len)
        address_text(&a.u.any, a_len, from, from_size);
    return n;
}

ptrdiff_t hf_receive_from(hf_stream *s, void *out, size_t len, unsigned flags, char *from,
                          size_t from_size, hf_error *err)
{
    deadline d = stream_read_end(s);
    int r;

    if (from && from_size)
        from[0] = 0;
    if (!check_flags(s, flags, HF_MSG_PEEK | HF_MSG_OOB, "hf_receive_from", err))
        return -1;
    if (!out || !len) {
        net_fail(err, HF_E_USAGE, 0, "hf_receive_from needs room for at least one byte");
        return -1;
    }
    r = stream_open(s, d, err);
    if (r != 0)
        return r;
    s->timed_out = false;
    if (is_datagram(s) && !stream_has_data(s) && !s->read_shut)
        return receive_datagram(s, out, len, flags, from, from_size, d, err);
    if (from)
        hf_stream_name(s, true, from, from_size);
    if (flags & HF_MSG_OOB)
        return receive_urgent(s, out, len, flags & HF_MSG_PEEK ? MSG_PEEK : 0, d, err);
    return flags & HF_MSG_PEEK ? peek(s, out, len, d, err) : hf_read(s, out, len, err);
}

ptrdiff_t hf_peek(hf_stream *s, void *out, size_t len, hf_error *err)
{
    return hf_receive_from(s, out, len, HF_MSG_PEEK, NULL, 0, err);
}

/* ---------------------------------------------------------------- sending */

static bool read_address(const hf_stream *s, const char *text, struct address *out,
                         hf_error *err)
{
    struct address_list list;
    struct url url;

    if (!url_parse_address(text, scheme_of(s->transport), &url, err))
        return false;
    if (!resolve_literal(&url, false, &list) || !list.count)
        return resolve_fail(&url, &list, err);
    *out = list.a[0];
    return true;
}

static ptrdiff_t send_urgent(hf_stream *s, const void *data, size_t len, deadline d,
                             hf_error *err)
{
    for (;;) {
        ssize_t n = send(s->fd, data, len, MSG_OOB | MSG_NOSIGNAL | MSG_DONTWAIT);
        int r;

        if (n >= 0)
            return n;
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            net_fail(err, HF_E_SYSTEM, errno, "sending out of band: %s", net_strerror(errno));
            return -1;
        }
        r = stream_wait(s, POLLOUT, d, "writing out of band", err);
        if (r != 1)
            return r;
    }
}

ptrdiff_t hf_send_to(hf_stream *s, const void *data, size_t len, unsigned flags, const char *to,
                     hf_error *err)
{
    deadline d = stream_write_end(s);
    struct address a;
    ptrdiff_t r;

    if (!check_flags(s, flags, HF_MSG_OOB, "hf_send_to", err))
        return -1;
    if (to && !is_datagram(s)) {
        net_fail(err, HF_E_USAGE, 0,
                 "hf_send_to: a stream of bytes has its one peer: leave the address away");
        return -1;
    }
    if (!to && !flags)
        return hf_write(s, data, len, err);
    r = stream_open(s, d, err);
    if (r != 0)
        return r;
    if (to && !read_address(s, to, &a, err))
        return -1;
    pthread_mutex_lock(&s->writing);
    if (!stream_may_write(s, err))
        r = -1;
    else if (to)
        r = datagram_send(s, data, len, &a, d, err);
    else
        r = send_urgent(s, data, len, d, err);
    pthread_mutex_unlock(&s->writing);
    return r;
}

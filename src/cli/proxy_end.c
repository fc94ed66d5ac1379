#define _GNU_SOURCE
#include "cli/proxy_end.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Plain bytes are read to here; what the other end does not take at once moves to a buffer. */
static uint8_t scratch[65536];

void end_init(struct end *e, int fd, hf_conn *conn)
{
    e->fd = fd;
    e->conn = conn;
}

void end_close(struct end *e, bool reset)
{
    struct linger now = {.l_onoff = 1};
    if (e->fd >= 0 && reset)
        setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
    pbuf_free(&e->in);
    pbuf_free(&e->out);
    e->first = e->count = 0;
}

void end_free(struct end *e, bool reset)
{
    end_close(e, reset);
    hf_conn_free(e->conn);
    e->conn = NULL;
}

bool end_shaken(const struct end *e)
{
    return !e->conn || !(hf_conn_wants(e->conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

/* ---------------------------------------------------------------- reading */

static bool not_now(int os_errno)
{
    return os_errno == EAGAIN || os_errno == EWOULDBLOCK || os_errno == EINTR;
}

/* How many bytes came; 0: none. */
static size_t take_in(struct end *e, uint8_t *p, size_t len)
{
    ssize_t n = recv(e->fd, p, len, 0);
    if (n > 0) {
        /* Less than was asked for: there is nothing more, unless it is the end. */
        if ((size_t)n < len && !e->hung)
            e->readable = false;
        return (size_t)n;
    }
    e->readable = false;
    e->over = n == 0 || !not_now(errno);
    if (n == 0 && !e->conn)
        e->ended = true;
    else if (n == 0)
        e->broken = hf_conn_receive_end(e->conn) != HF_CLOSED;
    else if (!not_now(errno)) {
        e->broken = true;
        e->why = errno;
    }
    if (n == 0 && !e->broken)
        e->ended = true;
    return 0;
}

static void add_slice(struct end *e, uint8_t *p, size_t len)
{
    e->slices[e->count++] = (struct iovec){p, len};
    e->received += len;
}

/* Opens the records that are there whole. */
static void decode(struct end *e)
{
    while (pbuf_len(&e->in) && e->count < END_SLICES) {
        size_t used = 0, len = 0;
        uint8_t *data = NULL;
        hf_result r = hf_conn_receive(e->conn, e->in.p + e->in.start, pbuf_len(&e->in), &used,
                                      &data, &len);
        e->in.start += used;
        if (r == HF_DONE && len)
            add_slice(e, data, len);
        e->ended = r == HF_CLOSED;
        e->broken = r == HF_FAILED;
        if (e->ended || e->broken)
            e->in.start = e->in.end; /* what follows is not for us */
        if (r != HF_DONE || (!used && !len))
            break;
    }
}

static void fetch_tls(struct end *e)
{
    e->first = 0;
    for (;;) {
        decode(e);
        if (e->count || e->ended || e->broken)
            return;
        if (!e->readable)
            break;
        if (!pbuf_open(&e->in)) {
            e->broken = true;
            e->why = ENOMEM;
            return;
        }
        size_t n = take_in(e, e->in.p + e->in.end, e->in.size - e->in.end);
        e->in.end += n;
        if (n == 0)
            break;
    }
    pbuf_park(&e->in);
}

void end_fetch(struct end *e)
{
    if (e->ended || e->broken)
        return;
    if (e->conn) {
        fetch_tls(e);
        return;
    }
    size_t n = e->readable ? take_in(e, scratch, sizeof scratch) : 0;
    e->first = 0;
    if (n)
        add_slice(e, scratch, n);
}

/* What is in the scratch is another connection's soon. */
static void keep(struct end *e)
{
    struct iovec *s = &e->slices[e->first];
    if (e->conn || e->count == 0 || e->in.p)
        return;
    uint8_t *p = malloc(s->iov_len);
    if (!p) {
        e->broken = true;
        e->why = ENOMEM;
        e->count = 0;
        return;
    }
    memcpy(p, s->iov_base, s->iov_len);
    e->in = (struct pbuf){.p = p, .end = s->iov_len, .size = s->iov_len};
    s->iov_base = p;
}

static void consume(struct end *e, size_t n)
{
    while (n > 0) {
        struct iovec *s = &e->slices[e->first];
        size_t part = n < s->iov_len ? n : s->iov_len;
        s->iov_base = (uint8_t *)s->iov_base + part;
        s->iov_len -= part;
        n -= part;
        if (s->iov_len == 0) {
            e->first++;
            e->count--;
        }
    }
    if (e->count == 0 && (!e->conn || !pbuf_len(&e->in)))
        pbuf_free(&e->in);
}

void end_drop(struct end *e)
{
    while (e->count)
        consume(e, e->slices[e->first].iov_len);
}

/* ---------------------------------------------------------------- writing */

static void dead(struct end *e, int os_errno)
{
    e->mute = true;
    e->why = e->why ? e->why : os_errno;
    pbuf_free(&e->out);
}

/* How many of these bytes went; on a failure the end is mute. */
static size_t send_some(struct end *e, const void *p, size_t len)
{
    ssize_t n = e->writable ? send(e->fd, p, len, MSG_NOSIGNAL) : 0;
    if (n < 0 && !not_now(errno))
        dead(e, errno);
    if (n < (ssize_t)len)
        e->writable = false;
    return n > 0 ? (size_t)n : 0;
}

static enum end_flush flush_protocol(struct end *e)
{
    const uint8_t *p;
    size_t len;
    while (!e->mute && e->conn && (p = hf_conn_output(e->conn, &len)) != NULL && len) {
        size_t n = send_some(e, p, len);
        if (n)
            hf_conn_output_done(e->conn, n);
        if (n < len)
            return e->mute ? END_DEAD : END_BLOCKED;
    }
    return e->mute ? END_DEAD : END_FLUSHED;
}

enum end_flush end_flush(struct end *e)
{
    if (e->mute || e->fd < 0)
        return END_DEAD;
    while (pbuf_len(&e->out)) {
        size_t n = send_some(e, e->out.p + e->out.start, pbuf_len(&e->out));
        if (e->mute)
            return END_DEAD;
        e->out.start += n;
        if (!e->writable && pbuf_len(&e->out))
            return END_BLOCKED;
    }
    if (e->out.p)
        pbuf_free(&e->out);
    enum end_flush f = flush_protocol(e);
    if (f == END_FLUSHED && e->fin_wanted && !e->fin_sent) {
        e->fin_sent = true;
        shutdown(e->fd, SHUT_WR);
    }
    return f;
}

bool end_put(struct end *e, const void *p, size_t len)
{
    if (!pbuf_open(&e->out))
        return false;
    memcpy(e->out.p + e->out.end, p, len);
    e->out.end += len;
    return true;
}

static size_t give_plain(struct end *from, struct end *to)
{
    struct msghdr m = {.msg_iov = from->slices + from->first, .msg_iovlen = from->count};
    size_t all = 0;
    for (unsigned i = 0; i < from->count; i++)
        all += from->slices[from->first + i].iov_len;
    ssize_t n = to->writable ? sendmsg(to->fd, &m, MSG_NOSIGNAL) : 0;
    if (n < 0 && !not_now(errno))
        dead(to, errno);
    if (n < (ssize_t)all)
        to->writable = false;
    if (n > 0)
        consume(from, (size_t)n);
    return n > 0 ? (size_t)n : 0;
}

static size_t give_tls(struct end *from, struct end *to)
{
    size_t all = 0;
    bool full = false;
    if (!pbuf_open(&to->out)) {
        dead(to, ENOMEM);
        return 0;
    }
    while (from->count && !full) {
        const struct iovec *s = &from->slices[from->first];
        size_t taken = 0, written = 0;
        hf_result r =
            hf_conn_send(to->conn, s->iov_base, s->iov_len, &taken, to->out.p + to->out.end,
                         to->out.size - to->out.end, &written);
        to->out.end += written;
        if (r != HF_DONE && r != HF_WANT_OUTPUT) {
            dead(to, EPIPE);
            return all;
        }
        full = taken < s->iov_len;
        consume(from, taken);
        all += taken;
    }
    end_flush(to);
    return all;
}

size_t end_give(struct end *from, struct end *to)
{
    size_t n = to->conn ? give_tls(from, to) : give_plain(from, to);
    to->sent += n;
    keep(from);
    return n;
}

void end_finish(struct end *e, bool notify)
{
    if (e->conn && notify && !e->fin_wanted)
        hf_conn_close(e->conn);
    e->fin_wanted = true;
    end_flush(e);
}

/* ---------------------------------------------------------------- leaving */

int end_unsent(const struct end *e)
{
    int n = 0;
    return e->fd >= 0 && ioctl(e->fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

bool end_discard(struct end *e)
{
    for (int i = 0; i < 16 && e->readable && !e->over; i++) {
        ssize_t n = recv(e->fd, scratch, sizeof scratch, 0);
        e->over = n == 0 || (n < 0 && !not_now(errno));
        if (n < 0)
            e->readable = false;
    }
    return e->over;
}

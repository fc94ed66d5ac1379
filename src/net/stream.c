#include "net/stream.h"
#include "net/opening.h"

#include <errno.h>

hf_stream *stream_new(const struct scheme *scheme, const hf_net_options *options, hf_error *err)
{
    hf_stream *s = mem_new(sizeof *s);

    if (!s) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a stream");
        return NULL;
    }
    s->transport = scheme->transport;
    s->ops = scheme->kind == SCHEME_TLS ? &tls_stream_ops : s->transport->ops;
    s->fd = -1;
    if (options) {
        s->non_blocking = options->non_blocking;
        s->timeout = options->timeout;
        s->read_timeout = options->read_timeout;
        s->write_timeout = options->write_timeout;
        s->open_timeout = options->connect_timeout;
        s->handshake_timeout = options->handshake_timeout;
    }
    /* a default mutex of this system needs no memory and cannot fail */
    pthread_mutex_init(&s->writing, NULL);
    return s;
}

void stream_free(hf_stream *s, bool close_fd)
{
    if (!s)
        return;
    s->ops->free(s);
    opening_free(s->opening);
    tls_clear(s); /* TLS may have been made ready, and not begun */
    session_key_free(s->key);
    mem_free(s->target);
    bound_release(s->file, close_fd);
    mem_free(s->uri);
    if (s->connecting)
        connect_free(s->connecting); /* whose descriptor s->fd is */
    else if (s->fd >= 0 && close_fd)
        sock_close(s->fd);
    mem_free(s->failed);
    buffer_clear(&s->unread);
    buffer_clear(&s->early);
    iobuf_clear(&s->in);
    iobuf_clear(&s->out);
    pthread_mutex_destroy(&s->writing);
    mem_free(s);
}

/* ---------------------------------------------------------------- waiting and failing */

deadline stream_read_end(const hf_stream *s)
{
    return deadline_after(s->read_timeout != 0 ? s->read_timeout : s->timeout);
}

deadline stream_write_end(const hf_stream *s)
{
    return deadline_after(s->write_timeout != 0 ? s->write_timeout : s->timeout);
}

int stream_wait(hf_stream *s, short events, deadline d, const char *doing, hf_error *err)
{
    int r;

    if (s->non_blocking || d == DEADLINE_NOW)
        return HF_AGAIN;
    r = sock_wait(s->fd, events, d);
    if (r > 0)
        return 1;
    if (r == 0 && (events & POLLIN))
        s->timed_out = true;
    if (r == 0)
        net_fail(err, HF_E_TIMEOUT, ETIMEDOUT, "%s: the peer %s in time", doing,
                 events & POLLIN ? "sent nothing" : "did not take what was sent");
    else
        net_fail(err, HF_E_SYSTEM, errno, "%s: poll: %s", doing, net_strerror(errno));
    return -1;
}

static const char *broken_hint(int os_errno)
{
    switch (os_errno) {
    case ECONNRESET: return "the peer's program ended or refused: look at its log";
    case EPIPE: return "the peer had already closed the connection";
    default: return NULL;
    }
}

int stream_read_broken(hf_stream *s, int os_errno, hf_error *err)
{
    /* the system reports it once only, and would then go on as if this were a clean end */
    s->read_errno = os_errno;
    net_fail_hint(err, HF_E_SYSTEM, os_errno, broken_hint(os_errno), "receiving: %s",
                  net_strerror(os_errno));
    return -1;
}

int stream_write_broken(hf_stream *s, hf_error *err)
{
    net_fail_hint(err, HF_E_SYSTEM, s->write_errno, broken_hint(s->write_errno), "sending: %s",
                  net_strerror(s->write_errno));
    return -1;
}

int stream_flush_more(hf_stream *s, deadline d, const char *doing, hf_error *err)
{
    for (;;) {
        int r = s->ops->flush(s);

        if (r > 0)
            return 1;
        if (r < 0)
            return stream_write_broken(s, err);
        r = stream_wait(s, POLLOUT, d, doing, err);
        if (r != 1)
            return r;
    }
}

/* ---------------------------------------------------------------- opening */

static int open_failed(hf_stream *s, const hf_error *why)
{
    s->failed = mem_dup(why, sizeof *why);
    connect_free(s->connecting);
    s->connecting = NULL;
    s->fd = -1;
    return -1;
}

static int connect_more(hf_stream *s, hf_error *err)
{
    hf_error why = {0};
    int sock, fd;

    switch (connect_step(s->connecting, &sock, &why)) {
    case CONNECT_AGAIN: return HF_AGAIN;
    case CONNECT_FAILED:
        if (err)
            *err = why;
        return open_failed(s, &why);
    case CONNECT_DONE: break;
    }
    fd = connect_take_fd(s->connecting, sock);
    if (fd < 0) {
        net_fail(&why, HF_E_SYSTEM, errno, "dup3: %s", net_strerror(errno));
        sock_close(sock);
        if (err)
            *err = why;
        return open_failed(s, &why);
    }
    s->fd = fd;
    connect_free(s->connecting);
    s->connecting = NULL;
    stream_connected(s);
    return 0;
}

void stream_connected(hf_stream *s)
{
    if (s->handshake_timeout != 0)
        s->open_end = 0;
    if (s->named && !s->file)
        s->file = bound_remember(s->fd);
}

/* A stream that was opened in the background and blocks now. Its descriptor tells of its deadline, too. */
static int connect_wait(hf_stream *s, deadline d, hf_error *err)
{
    int r;

    while ((r = connect_more(s, err)) == HF_AGAIN && !s->non_blocking && d != DEADLINE_NOW)
        if (sock_wait(s->fd, POLLIN, DEADLINE_NONE) < 0) {
            net_fail(err, HF_E_SYSTEM, errno, "connecting: poll: %s", net_strerror(errno));
            return -1;
        }
    return r;
}

static bool too_late(const hf_stream *s, deadline d)
{
    return (s->non_blocking || d == DEADLINE_NOW) && deadline_passed(s->open_end);
}

/* The talk before TLS. */
static int talk_more(hf_stream *s, deadline d, hf_error *err)
{
    int r = -1;

    if (s->failed) {
        if (err)
            *err = *s->failed;
    } else if (too_late(s, d)) {
        net_fail(err, HF_E_TIMEOUT, ETIMEDOUT, "the peer did not come to start TLS in time");
    } else {
        r = opening_run(s, deadline_first(d, s->open_end), err);
    }
    if (r == -1)
        net_step(err, "before TLS");
    return r;
}

int stream_open(hf_stream *s, deadline d, hf_error *err)
{
    int r;

    if (s->ready)
        return 0;
    if (s->connecting) {
        r = connect_wait(s, d, err);
        if (r != 0)
            return r;
    }
    if (s->fd < 0) {
        if (!s->failed)
            net_fail(err, HF_E_CONNECT, 0, "the stream was never connected");
        else if (err)
            *err = *s->failed;
        return -1;
    }
    if (!s->open_end)
        s->open_end =
            deadline_after(s->handshake_timeout != 0 ? s->handshake_timeout : s->open_timeout);
    if (s->opening) {
        r = talk_more(s, d, err);
        if (r != 0)
            return r;
    }
    if (s->ops->handshake) {
        if (too_late(s, d)) {
            net_fail(err, HF_E_TIMEOUT, ETIMEDOUT,
                     "the TLS handshake was not finished in time");
            net_step(err, "handshake");
            return -1;
        }
        r = s->ops->handshake(s, deadline_first(d, s->open_end), err);
        if (r == -1 && err && !(err->step && err->step[0]))
            net_step(err, "handshake");
        if (r != 0)
            return r;
    }
    s->ready = true;
    return 0;
}

int hf_stream_handshake(hf_stream *s, hf_error *err)
{
    deadline none = DEADLINE_NONE; /* its own limit is the one for opening */
    int r = stream_open(s, none, err);

    if (r != 0)
        return r;
    /* whoever does not block drives the last bytes out with it, too */
    pthread_mutex_lock(&s->writing);
    r = stream_flush_more(s, stream_write_end(s), "sending", err);
    pthread_mutex_unlock(&s->writing);
    return r == 1 ? 0 : r;
}

/* ---------------------------------------------------------------- reading */

/* Hands out what is there already; ends with nothing left in data unless out is full. */
static size_t take_data(hf_stream *s, uint8_t *out, size_t len)
{
    size_t got = 0;

    if (buffer_len(&s->unread)) {
        got = buffer_len(&s->unread) < len ? buffer_len(&s->unread) : len;
        memcpy(out, buffer_front(&s->unread), got);
        buffer_drop(&s->unread, got);
    }
    while (s->data_len && got < len) {
        size_t n = s->data_len < len - got ? s->data_len : len - got;

        memcpy(out + got, s->data, n);
        got += n;
        s->data += n;
        s->data_len -= n;
        if (!s->data_len)
            s->ops->ahead(s);
    }
    return got;
}

bool stream_has_data(const hf_stream *s)
{
    return s->data_len || buffer_len(&s->unread);
}

/* 1 when there is something to hand out. */
int stream_need_data(hf_stream *s, deadline d, hf_error *err)
{
    int r;

    if (s->read_shut)
        return 0;
    if (stream_has_data(s))
        return 1;
    r = s->ops->fill(s, d, err);
    if (r == 0 || r == -1)
        s->end_told = true;
    return r;
}

ptrdiff_t hf_read(hf_stream *s, void *out, size_t len, hf_error *err)
{
    deadline d = stream_read_end(s);
    int r;

    if (!len || !out) {
        net_fail(err, HF_E_USAGE, 0, "hf_read needs room for at least one byte");
        return -1;
    }
    if (len > PTRDIFF_MAX)
        len = PTRDIFF_MAX;
    r = stream_open(s, d, err);
    if (r != 0)
        return r;
    s->timed_out = false;
    if (s->ops->read && !stream_has_data(s) && !s->read_shut)
        return s->ops->read(s, out, len, d, err);
    r = stream_need_data(s, d, err);
    if (r != 1)
        return r;
    return (ptrdiff_t)take_data(s, out, len);
}

/* A part of a line that cannot be completed now goes back, so that no caller has to join lines. */
static ptrdiff_t line_stopped(hf_stream *s, char *out, size_t got, int r, const hf_error *why,
                              hf_error *err)
{
    bool later = r == HF_AGAIN || (r == -1 && why->code == HF_E_TIMEOUT);

    if (got && !(later && buffer_append(&s->unread, out, got))) {
        out[got] = 0;
        return (ptrdiff_t)got;
    }
    if (r == -1 && err)
        *err = *why;
    out[0] = 0;
    return r;
}

ptrdiff_t hf_read_line(hf_stream *s, char *out, size_t size, hf_error *err)
{
    deadline d = stream_read_end(s);
    hf_error why = {0};
    size_t got = 0;
    int r;

    if (!out || size < 2) {
        net_fail(err, HF_E_USAGE, 0, "hf_read_line needs room for at least two bytes");
        return -1;
    }
    if (size > PTRDIFF_MAX)
        size = PTRDIFF_MAX;
    r = stream_open(s, d, err);
    if (r != 0)
        return r;
    s->timed_out = false;
    while (got < size - 1) {
        const uint8_t *p, *newline;
        size_t n;

        r = stream_need_data(s, d, &why);
        if (r != 1)
            return line_stopped(s, out, got, r, &why, err);
        /* one source at a time, so that the search sees what take_data will hand out */
        p = buffer_len(&s->unread) ? buffer_front(&s->unread) : s->data;
        n = buffer_len(&s->unread) ? buffer_len(&s->unread) : s->data_len;
        n = n < size - 1 - got ? n : size - 1 - got;
        newline = memchr(p, '\n', n);
        if (newline)
            n = (size_t)(newline - p) + 1;
        got += take_data(s, (uint8_t *)out + got, n);
        if (newline)
            break;
    }
    out[got] = 0;
    return (ptrdiff_t)got;
}

bool hf_eof(hf_stream *s)
{
    if (s->read_shut)
        return true;
    return s->ready && !stream_has_data(s) && s->ops->peek_end(s);
}

/* ---------------------------------------------------------------- writing */

bool stream_may_write(const hf_stream *s, hf_error *err)
{
    if (s->write_closed)
        return net_fail(err, HF_E_WRITE_CLOSED, 0, "hf_shutdown_write was called before");
    return true;
}

ptrdiff_t hf_write(hf_stream *s, const void *data, size_t len, hf_error *err)
{
    deadline d = stream_write_end(s);
    ptrdiff_t r = stream_open(s, d, err);

    if (r != 0)
        return r;
    if (len > PTRDIFF_MAX) {
        net_fail(err, HF_E_USAGE, 0, "hf_write: %zu bytes are more than a result can tell",
                 len);
        return -1;
    }
    pthread_mutex_lock(&s->writing);
    if (!stream_may_write(s, err))
        r = -1;
    else
        r = s->ops->write(s, data, len, d, err);
    pthread_mutex_unlock(&s->writing);
    return r;
}

bool hf_shutdown_write(hf_stream *s, hf_error *err)
{
    deadline d = stream_write_end(s);
    int r = stream_open(s, d, err);
    bool done = true;

    if (r == HF_AGAIN)
        return net_fail(err, HF_E_NOT_HANDSHAKEN, 0,
                        "hf_shutdown_write: the stream is not open yet");
    if (r != 0)
        return false;
    pthread_mutex_lock(&s->writing);
    if (!s->write_closed) {
        s->write_closed = true;
        done = s->ops->shut(s, d, err);
    }
    pthread_mutex_unlock(&s->writing);
    return done;
}

/* What was written goes first and decides the result; that a peer no longer takes the farewell is
 * nobody's loss. */
static bool close_writing(hf_stream *s, hf_error *err)
{
    deadline d = stream_write_end(s);
    hf_error ignored;
    int r = stream_flush_more(s, d, "closing", err);

    if (r == HF_AGAIN)
        return net_fail(err, HF_E_SYSTEM, EAGAIN,
                        "closing: the peer has not taken all of what was written");
    if (r != 1)
        return false;
    if (!s->write_closed) {
        s->write_closed = true;
        (void)s->ops->shut(s, d, &ignored);
    }
    return true;
}

bool hf_close(hf_stream *s, hf_error *err)
{
    bool done = true;

    if (!s)
        return true;
    if (s->ready) {
        pthread_mutex_lock(&s->writing);
        done = close_writing(s, err);
        pthread_mutex_unlock(&s->writing);
    }
    stream_free(s, true);
    return done;
}

/* ---------------------------------------------------------------- questions */

int hf_stream_fd(const hf_stream *s)
{
    return s->fd;
}

/* Bytes wait to be sent. The lock is only tried: if it is taken, a writer is at work and will see to
 * them itself. */
bool stream_wants_output(const hf_stream *s)
{
    /* the lock is the one part of a stream that a question changes */
    union {
        const pthread_mutex_t *in;
        pthread_mutex_t *out;
    } lock = {&s->writing};
    bool wants;

    if (pthread_mutex_trylock(lock.out) != 0)
        return false;
    wants = !s->write_errno && (iobuf_len(&s->out) || (s->fin_wanted && !s->fin_sent) ||
                                (s->conn && (hf_conn_wants(s->conn) & HF_CAN_OUTPUT)));
    pthread_mutex_unlock(lock.out);
    return wants;
}

short hf_stream_events(const hf_stream *s)
{
    short events = 0;

    if (s->connecting)
        return POLLIN;
    if (s->fd < 0)
        return 0;
    if (s->opening)
        return opening_events(s);
    if (stream_wants_output(s))
        events |= POLLOUT;
    if (!s->ready) {
        if (s->waits_answer)
            return events;
        return events ? events : s->ops->handshake ? POLLIN : POLLOUT;
    }
    if (!s->read_ended && !s->read_failed && !s->read_errno)
        return (short)(events | POLLIN);
    /* The end is known but was not read yet: the socket may have nothing more to say, so ask for
     * what comes at once. */
    return s->end_told ? events : POLLIN | POLLOUT;
}

size_t hf_stream_pending(const hf_stream *s)
{
    return buffer_len(&s->unread) + s->data_len;
}

hf_conn *hf_stream_conn(const hf_stream *s)
{
    return s->conn;
}

size_t hf_stream_name(const hf_stream *s, bool remote, char *out, size_t size)
{
    return sock_name(s->connecting ? -1 : s->fd, remote, out, size);
}

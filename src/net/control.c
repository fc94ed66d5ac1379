/* control.c: what may be changed about a stream, and how it ends. */
#include <errno.h>

#include "net/stream.h"

/* ---------------------------------------------------------------- time */

void hf_stream_set_timeout(hf_stream *s, double seconds)
{
    s->timeout = seconds;
    s->read_timeout = s->write_timeout = 0;
}

void hf_stream_set_limit(hf_stream *s, hf_limit limit, double seconds)
{
    switch (limit) {
    case HF_LIMIT_CONNECT: s->open_timeout = seconds; break;
    case HF_LIMIT_HANDSHAKE: s->handshake_timeout = seconds; break;
    case HF_LIMIT_READ: s->read_timeout = seconds; break;
    case HF_LIMIT_WRITE: s->write_timeout = seconds; break;
    }
}

double hf_stream_limit(const hf_stream *s, hf_limit limit)
{
    double first = 0, second = s->timeout;

    switch (limit) {
    case HF_LIMIT_CONNECT: second = s->open_timeout; break;
    case HF_LIMIT_HANDSHAKE:
        first = s->handshake_timeout;
        second = s->open_timeout;
        break;
    case HF_LIMIT_READ: first = s->read_timeout; break;
    case HF_LIMIT_WRITE: first = s->write_timeout; break;
    }
    if (first == 0)
        first = second;
    return first == 0 ? DEADLINE_DEFAULT_SECONDS : first;
}

void hf_stream_set_blocking(hf_stream *s, bool blocking)
{
    s->non_blocking = !blocking;
}

/* ---------------------------------------------------------------- options of the socket */

static bool check_socket(const hf_stream *s, const char *who, hf_error *err)
{
    if (s->fd >= 0 && !s->connecting)
        return true;
    return net_fail(err, HF_E_USAGE, 0, "%s: the stream has no socket yet", who);
}

bool hf_stream_get_option(const hf_stream *s, int level, int name, int *out, hf_error *err)
{
    socklen_t len = sizeof *out;

    *out = 0;
    if (!check_socket(s, "hf_stream_get_option", err))
        return false;
    return getsockopt(s->fd, level, name, out, &len) == 0 ||
           net_fail(err, HF_E_SYSTEM, errno, "getsockopt: %s", net_strerror(errno));
}

bool hf_stream_set_option(hf_stream *s, int level, int name, int value, hf_error *err)
{
    if (!check_socket(s, "hf_stream_set_option", err))
        return false;
    return setsockopt(s->fd, level, name, &value, sizeof value) == 0 ||
           net_fail(err, HF_E_SYSTEM, errno, "setsockopt: %s", net_strerror(errno));
}

/* ---------------------------------------------------------------- ends */

bool hf_shutdown_read(hf_stream *s, hf_error *err)
{
    if (!check_socket(s, "hf_shutdown_read", err))
        return false;
    s->read_shut = true;
    buffer_clear(&s->unread);
    /* under TLS the socket goes on: a writer may wait for what its peer's records ask of it */
    if (s->ops == s->transport->ops)
        shutdown(s->fd, SHUT_RD);
    return true;
}

bool hf_shutdown(hf_stream *s, hf_shut how, hf_error *err)
{
    switch (how) {
    case HF_SHUT_READ: return hf_shutdown_read(s, err);
    case HF_SHUT_WRITE: return hf_shutdown_write(s, err);
    case HF_SHUT_BOTH: return hf_shutdown_write(s, err) && hf_shutdown_read(s, err);
    }
    return net_fail(err, HF_E_USAGE, 0, "hf_shutdown: no such half");
}

int hf_stream_detach(hf_stream *s, hf_error *err)
{
    int fd = s->fd;

    if (!check_socket(s, "hf_stream_detach", err))
        return -1;
    if (stream_has_data(s) || iobuf_len(&s->in)) {
        net_fail(err, HF_E_USAGE, 0,
                 "hf_stream_detach: the stream holds bytes that were received and not read");
        return -1;
    }
    if (stream_wants_output(s)) {
        net_fail(err, HF_E_USAGE, 0,
                 "hf_stream_detach: the stream holds bytes that were written and not sent");
        return -1;
    }
    stream_free(s, false);
    return fd;
}

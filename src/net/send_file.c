/* send_file.c: from a file to a stream. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "net/stream.h"

#define AT_ONCE ((size_t)1 << 30) /* below what sendfile takes in one call */

struct sending {
    int file;
    uint64_t offset, left; /* left: of what was asked for */
    int64_t done;
    deadline end;
};

static int file_failed(int os_errno, hf_error *err)
{
    net_fail_hint(err, HF_E_FILE, os_errno,
                  os_errno == ESPIPE ? "read a pipe yourself, and write it with hf_write"
                                     : NULL,
                  "hf_send_file: the file cannot be read: %s", net_strerror(os_errno));
    return -1;
}

/* A socket that others may use with us keeps its flags (fcntl(2)), and sendfile would wait in it. */
static bool may_sendfile(const hf_stream *s)
{
    int flags = fcntl(s->fd, F_GETFL);

    return s->ops == s->transport->ops && flags >= 0 && (flags & O_NONBLOCK);
}

/* Each returns 1 at the end, HF_AGAIN or -1; or 0: the system cannot do it with this file. */
static int without_copy(hf_stream *s, struct sending *w, hf_error *err)
{
    while (w->left) {
        off_t at = (off_t)w->offset;
        ssize_t n =
            sendfile(s->fd, w->file, &at, w->left < AT_ONCE ? (size_t)w->left : AT_ONCE);
        int r;

        if (n == 0)
            return 1;
        if (n > 0) {
            w->offset += (uint64_t)n;
            w->left -= (uint64_t)n;
            w->done += n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EINVAL || errno == ENOSYS || errno == ESPIPE)
            return 0;
        if (errno == EBADF || errno == EIO || errno == EOVERFLOW)
            return file_failed(errno, err);
        if (errno != EAGAIN) {
            s->write_errno = errno;
            return stream_write_broken(s, err);
        }
        r = stream_wait(s, POLLOUT, w->end, "writing", err);
        if (r != 1)
            return r;
    }
    return 1;
}

static int with_copy(hf_stream *s, struct sending *w, hf_error *err)
{
    struct iobuf buf = {0};
    int r = 1;

    if (!iobuf_open(&buf)) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a buffer to send from");
        return -1;
    }
    while (w->left && r == 1) {
        size_t want = w->left < IOBUF_SIZE ? (size_t)w->left : IOBUF_SIZE;
        ssize_t n = pread(w->file, buf.p, want, (off_t)w->offset);
        ptrdiff_t sent;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = file_failed(errno, err);
        if (n <= 0)
            break;
        sent = s->ops->write(s, buf.p, (size_t)n, w->end, err);
        if (sent < 0) {
            r = (int)sent;
            break;
        }
        w->offset += (uint64_t)sent;
        w->left -= (uint64_t)sent;
        w->done += sent;
        if (sent < n)
            r = HF_AGAIN;
    }
    iobuf_clear(&buf);
    return r;
}

int64_t hf_send_file(hf_stream *s, int file, uint64_t offset, int64_t count, hf_error *err)
{
    struct sending w = {
        .file = file,
        .offset = offset,
        .left = count < 0 ? INT64_MAX : (uint64_t)count,
        .end = stream_write_end(s),
    };
    int r = 0;

    if (offset > INT64_MAX || s->transport->socket_type == SOCK_DGRAM) {
        net_fail(err, HF_E_USAGE, 0, "hf_send_file: %s",
                 offset > INT64_MAX ? "no file has this offset" : "a file is no datagram");
        return -1;
    }
    r = stream_open(s, w.end, err);
    if (r != 0)
        return r;
    pthread_mutex_lock(&s->writing);
    if (!stream_may_write(s, err))
        r = -1;
    else if (may_sendfile(s))
        r = without_copy(s, &w, err);
    if (r == 0)
        r = with_copy(s, &w, err);
    pthread_mutex_unlock(&s->writing);
    if (r == -1 || (r == HF_AGAIN && !w.done))
        return r;
    return w.done;
}

/* file.c: a stream as a FILE. */
#define _GNU_SOURCE
#include <errno.h>

#include "net/stream.h"

struct cookie {
    hf_stream *stream;
    hf_error *err;
};

static int as_errno(const hf_error *err)
{
    return err->os_errno ? err->os_errno : EIO;
}

static ssize_t keep(const struct cookie *c, ptrdiff_t n, const hf_error *why)
{
    if (n >= 0)
        return n;
    if (c->err)
        *c->err = *why;
    errno = as_errno(why);
    return -1;
}

static ssize_t file_read(void *arg, char *out, size_t len)
{
    const struct cookie *c = arg;
    hf_error why = {0};

    return len ? keep(c, hf_read(c->stream, out, len, &why), &why) : 0;
}

/* To stdio 0 is the error here (fopencookie(3)). */
static ssize_t file_write(void *arg, const char *data, size_t len)
{
    const struct cookie *c = arg;
    hf_error why = {0};
    ssize_t n = keep(c, hf_write(c->stream, data, len, &why), &why);

    return n < 0 ? 0 : n;
}

static int file_close(void *arg)
{
    struct cookie *c = arg;
    hf_error why = {0};
    bool done = hf_close(c->stream, &why);

    (void)keep(c, done ? 0 : -1, &why);
    mem_free(c);
    return done ? 0 : EOF;
}

FILE *hf_stream_file(hf_stream *s, const char *mode, hf_error *err)
{
    cookie_io_functions_t io = {.read = file_read, .write = file_write, .close = file_close};
    struct cookie *c;
    FILE *file;

    if (s->non_blocking || s->transport->socket_type == SOCK_DGRAM ||
        (strcmp(mode, "r") != 0 && strcmp(mode, "w") != 0 && strcmp(mode, "r+") != 0)) {
        net_fail(err, HF_E_USAGE, 0, "hf_stream_file: %s",
                 s->non_blocking ? "a stream that does not block is no FILE"
                 : s->transport->socket_type == SOCK_DGRAM ? "datagrams are no FILE"
                                                           : "the mode is r, w or r+");
        return NULL;
    }
    c = mem_new(sizeof *c);
    if (!c) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a FILE");
        return NULL;
    }
    *c = (struct cookie){s, err};
    file = fopencookie(c, mode, io);
    if (!file) {
        mem_free(c);
        net_fail(err, HF_E_NO_MEMORY, errno, "for a FILE");
    }
    return file;
}

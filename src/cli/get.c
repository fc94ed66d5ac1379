#include "cli/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/settings.h"

/* An HTTP/1.1 answer while it is read (RFC 9112). */
struct answer {
    struct dial *d;
    dial_body_fn body;
    void *arg;
    hf_error *err;
    char buf[16384];
    size_t start, end;
    bool ended; /* the peer has closed */
    bool chunked;
    long long length; /* -1: until the end */
};

/* 1: there is something in the buffer; 0: the end; -1: *err. */
static int fill(struct answer *a)
{
    if (a->start < a->end)
        return 1;
    if (a->ended)
        return 0;
    ptrdiff_t n = dial_read(a->d, a->buf, sizeof a->buf, a->err);
    if (n < 0)
        return -1;
    a->ended = n == 0;
    a->start = 0;
    a->end = (size_t)n;
    return n > 0;
}

static bool bad(struct answer *a, const char *what)
{
    settings_fail(a->err, HF_E_DECODE, 0, "the HTTP answer: %s", what);
    a->err->rfc = "RFC 9112";
    return false;
}

/* A line without its end; false at the end of the stream too. */
static bool read_line(struct answer *a, char *out, size_t size)
{
    size_t n = 0;
    for (;;) {
        int r = fill(a);
        if (r < 0)
            return false;
        if (r == 0)
            return bad(a, "it ends in the middle of its head");
        char c = a->buf[a->start++];
        if (c == '\n')
            break;
        if (n + 1 >= size)
            return bad(a, "a line of its head is too long");
        out[n++] = c;
    }
    if (n && out[n - 1] == '\r')
        n--;
    out[n] = '\0';
    return true;
}

static bool read_head(struct answer *a, char *status, size_t size)
{
    char line[8192];
    a->length = -1;
    do {
        a->chunked = false;
        if (!read_line(a, status, size))
            return false;
        if (strncmp(status, "HTTP/1.", 7) != 0)
            return bad(a, "it does not begin with HTTP/1.");
        for (;;) {
            if (!read_line(a, line, sizeof line))
                return false;
            if (!*line)
                break;
            if (strncasecmp(line, "content-length:", 15) == 0)
                a->length = strtoll(line + 15, NULL, 10);
            if (strncasecmp(line, "transfer-encoding:", 18) == 0 &&
                strstr(line + 18, "chunked"))
                a->chunked = true;
        }
        /* 1xx answers are not the last one (RFC 9110 15.2). */
    } while (strlen(status) > 9 && status[9] == '1');
    if (strlen(status) > 9 &&
        (strncmp(status + 9, "204", 3) == 0 || strncmp(status + 9, "304", 3) == 0))
        a->length = 0;
    return true;
}

/* left < 0: until the end. */
static bool copy(struct answer *a, long long left)
{
    while (left != 0) {
        int r = fill(a);
        if (r < 0)
            return false;
        if (r == 0)
            return left < 0 || bad(a, "it ends before its Content-Length");
        size_t n = a->end - a->start;
        if (left > 0 && n > (unsigned long long)left)
            n = (size_t)left;
        if (!a->body(a->buf + a->start, n, a->arg))
            return settings_fail(a->err, HF_E_FILE, errno,
                                 "standard output cannot be written: %s", strerror(errno));
        a->start += n;
        left -= left > 0 ? (long long)n : 0;
    }
    return true;
}

static bool copy_chunks(struct answer *a)
{
    char line[256];
    for (;;) {
        if (!read_line(a, line, sizeof line))
            return false;
        char *end;
        long long n = strtoll(line, &end, 16);
        if (end == line || n < 0)
            return bad(a, "a chunk has no size");
        if (n == 0)
            break;
        if (!copy(a, n) || !read_line(a, line, sizeof line))
            return false;
    }
    do {
        if (!read_line(a, line, sizeof line))
            return false;
    } while (*line);
    return true;
}

bool dial_get(struct dial *d, const char *host, const char *path, char *status,
              size_t status_size, dial_body_fn body, void *arg, hf_error *err)
{
    struct text request = {0};
    text_addf(&request,
              "GET %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: handfast\r\nAccept: */*\r\n"
              "Connection: close\r\n\r\n",
              path[0] == '/' ? "" : "/", path, host);
    bool good = text_ok(&request) ? dial_write(d, request.p, request.len, err)
                                  : settings_fail(err, HF_E_NO_MEMORY, 0, "for the request");
    text_clear(&request);
    struct answer *a = good ? calloc(1, sizeof *a) : NULL;
    if (good && !a)
        return settings_fail(err, HF_E_NO_MEMORY, 0, "for the answer");
    if (a) {
        a->d = d;
        a->body = body;
        a->arg = arg;
        a->err = err;
        good = read_head(a, status, status_size) &&
               (a->chunked ? copy_chunks(a) : copy(a, a->length));
    }
    free(a);
    return good;
}

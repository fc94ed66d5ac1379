#include "cli/http.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 301: return "Moved Permanently";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 411: return "Length Required";
    case 414: return "URI Too Long";
    case 431: return "Request Header Fields Too Large";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}

/* ---------------------------------------------------------------- requests */

/* The end of the head: behind the empty line. Lines may end with a bare LF (RFC 9112 2.2). */
static size_t head_size(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] != '\n')
            continue;
        if (i + 1 < len && p[i + 1] == '\n')
            return i + 2;
        if (i + 2 < len && p[i + 1] == '\r' && p[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static void refuse(struct http_request *r, int status)
{
    if (!r->status)
        r->status = status;
    r->keep_alive = false;
}

static size_t line_length(const char *p, const char *end)
{
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    size_t n = newline ? (size_t)(newline - p) : (size_t)(end - p);
    return n && p[n - 1] == '\r' ? n - 1 : n;
}

static bool copy_word(char *out, size_t size, const char *p, size_t len)
{
    if (len == 0 || len >= size)
        return false;
    memcpy(out, p, len);
    out[len] = '\0';
    return true;
}

/* absolute-form (RFC 9112 3.2.2): only the path matters here. */
static void strip_authority(struct http_request *r)
{
    if (strncasecmp(r->target, "http://", 7) != 0 && strncasecmp(r->target, "https://", 8) != 0)
        return;
    char *slash = strchr(strstr(r->target, "://") + 3, '/');
    if (slash)
        memmove(r->target, slash, strlen(slash) + 1);
    else
        strcpy(r->target, "/");
}

/* method SP request-target SP HTTP-version */
static void parse_first_line(struct http_request *r, const char *p, size_t len)
{
    const char *end = p + len;
    const char *space = memchr(p, ' ', len);
    const char *last = space ? memchr(space + 1, ' ', (size_t)(end - space - 1)) : NULL;
    if (!last || memchr(p, '\0', len)) {
        refuse(r, 400);
        return;
    }
    if (!copy_word(r->method, sizeof r->method, p, (size_t)(space - p)))
        refuse(r, 405);
    if (!copy_word(r->target, sizeof r->target, space + 1, (size_t)(last - space - 1)))
        refuse(r, last - space - 1 == 0 ? 400 : 414);
    size_t version = (size_t)(end - last - 1);
    if (version != 8 || memcmp(last + 1, "HTTP/", 5) != 0)
        refuse(r, 400);
    else if (last[6] != '1')
        refuse(r, 505);
    else
        r->version_1_1 = last[8] != '0';
    if (r->status)
        return;
    strip_authority(r);
    r->is_head = strcmp(r->method, "HEAD") == 0;
    if (!r->is_head && strcmp(r->method, "GET") != 0)
        refuse(r, 405);
    else if (r->target[0] != '/')
        refuse(r, 400);
}

static bool header_is(const char *p, size_t name, const char *word)
{
    return strlen(word) == name && strncasecmp(p, word, name) == 0;
}

/* One token of a comma-separated list. */
static bool has_token(const char *p, size_t len, const char *token)
{
    size_t n = strlen(token);
    while (len) {
        while (len && (*p == ' ' || *p == '\t' || *p == ',')) {
            p++;
            len--;
        }
        size_t word = 0;
        while (word < len && !strchr(" \t,", p[word]))
            word++;
        if (word == n && strncasecmp(p, token, n) == 0)
            return true;
        p += word;
        len -= word;
    }
    return false;
}

static void parse_header(struct http_request *r, const char *p, size_t len, unsigned *hosts)
{
    const char *colon = memchr(p, ':', len);
    /* Folded lines and a space before the colon are how requests are smuggled (RFC 9112 5.1, 5.2). */
    if (!colon || colon == p || memchr(p, ' ', (size_t)(colon - p)) ||
        memchr(p, '\t', (size_t)(colon - p)) || memchr(p, '\0', len)) {
        refuse(r, 400);
        return;
    }
    size_t name = (size_t)(colon - p), value = len - name - 1;
    if (header_is(p, name, "host"))
        ++*hosts;
    if (header_is(p, name, "connection")) {
        if (has_token(colon + 1, value, "close"))
            r->keep_alive = false;
        else if (!r->version_1_1 && has_token(colon + 1, value, "keep-alive"))
            r->keep_alive = true;
    }
    /* A body would have to be read to find the next request: the connection ends instead. */
    bool empty = header_is(p, name, "content-length") && has_token(colon + 1, value, "0");
    if ((header_is(p, name, "content-length") && !empty) ||
        header_is(p, name, "transfer-encoding"))
        r->keep_alive = false;
}

size_t http_parse(const char *p, size_t len, struct http_request *out)
{
    *out = (struct http_request){0};
    size_t skip = 0;
    /* Empty lines before a request are ignored (RFC 9112 2.2). */
    while (skip < len && (p[skip] == '\r' || p[skip] == '\n'))
        skip++;
    size_t size = head_size(p + skip, len - skip);
    if (size == 0) {
        if (len < HTTP_HEAD_MAX)
            return 0;
        refuse(out, 431);
        return len;
    }
    const char *at = p + skip, *end = at + size;
    size_t n = line_length(at, end);
    unsigned hosts = 0;
    parse_first_line(out, at, n);
    if (!out->status)
        out->keep_alive = out->version_1_1;
    at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    for (; at < end; at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1) {
        n = line_length(at, end);
        if (n == 0)
            break;
        parse_header(out, at, n, &hosts);
    }
    if (out->version_1_1 ? hosts != 1 : hosts > 1)
        refuse(out, 400);
    return skip + size;
}

/* ---------------------------------------------------------------- answers */

void http_head(struct text *out, const struct http_request *request, int status,
               const char *type, uint64_t length, const char *extra)
{
    char date[64];
    time_t now = time(NULL);
    struct tm tm;
    text_addf(out, "HTTP/1.1 %d %s\r\n", status, reason(status));
    if (gmtime_r(&now, &tm) && strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        text_addf(out, "Date: %s\r\n", date);
    text_addf(out,
              "Server: handfast\r\nContent-Type: %s\r\nContent-Length: %" PRIu64 "\r\n%s"
              "X-Content-Type-Options: nosniff\r\nConnection: %s\r\n\r\n",
              type, length, extra, request->keep_alive ? "keep-alive" : "close");
}

void http_page(struct text *out, const struct http_request *request, int status,
               const char *type, const struct text *body, const char *extra)
{
    http_head(out, request, status, type, body->len, extra);
    if (!request->is_head && body->len)
        text_add_bytes(out, body->p, body->len);
}

void http_refuse(struct text *out, const struct http_request *request, int status)
{
    struct text body = {0};
    text_addf(&body, "%d %s\n", status, reason(status));
    http_page(out, request, status, "text/plain; charset=utf-8", &body,
              status == 405 ? "Allow: GET, HEAD\r\n" : "");
    text_clear(&body);
}

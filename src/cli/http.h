/* http.h: the server's side of HTTP/1.1, as far as GET and HEAD need it (RFC 9110, RFC 9112). */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include "cli/text.h"

enum { HTTP_HEAD_MAX = 16384 };

struct http_request {
    char method[16];
    char target[4096]; /* path and query, still percent-encoded */
    bool is_head;
    bool version_1_1;
    bool keep_alive; /* after the answer */
    int status;      /* 0: good; otherwise what to refuse it with */
};

/* http_parse reads a request's head. Returns how many bytes it takes, 0 if it is not all there yet.
 * A bad one sets status and ends keep_alive; its size is then len. */
size_t http_parse(const char *p, size_t len, struct http_request *out);

/* http_head writes an answer's head; length of the body; extra header lines, each with CRLF, or "". */
void http_head(struct text *out, const struct http_request *request, int status,
               const char *type, uint64_t length, const char *extra);

/* http_page writes a whole answer with a body; the body is left out for HEAD. */
void http_page(struct text *out, const struct http_request *request, int status,
               const char *type, const struct text *body, const char *extra);

/* http_refuse writes an answer that only says its status. */
void http_refuse(struct text *out, const struct http_request *request, int status);

#endif

/* text.h: a growing text, for pages and JSON. Sticky: when memory runs out, all further writes do
 * nothing and text_ok() is false. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *p; /* ends with a NUL once something was written */
    size_t len, size;
    bool failed;
};

void text_clear(struct text *t);
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const void *p, size_t len);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* text_html writes a string that may come from a peer so that it is text in HTML content and in
 * quoted attributes alike. What is not UTF-8, control characters, and characters that turn the
 * direction of writing are shown as escapes: a hostile name can neither leave its place nor
 * disguise itself. */
void text_html(struct text *t, const char *s);
void text_html_bytes(struct text *t, const void *p, size_t len);

/* text_json writes a quoted JSON string, with the same care; NULL gives null. */
void text_json(struct text *t, const char *s);
void text_json_bytes(struct text *t, const void *p, size_t len);

/* text_plain writes a string for a terminal: control characters are escaped. */
void text_plain(struct text *t, const char *s);
void text_plain_bytes(struct text *t, const void *p, size_t len);

void text_hex(struct text *t, const uint8_t *p, size_t len);

/* text_date writes seconds since 1970 as "2026-11-21 10:00:00 UTC". */
void text_date(struct text *t, int64_t when);

static inline bool text_ok(const struct text *t)
{
    return !t->failed;
}

#endif

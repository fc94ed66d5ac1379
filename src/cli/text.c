#include "cli/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_clear(struct text *t)
{
    free(t->p);
    *t = (struct text){0};
}

static bool reserve(struct text *t, size_t more)
{
    if (t->failed)
        return false;
    if (more < t->size - t->len)
        return true;
    size_t size = t->size ? t->size : 256;
    while (size - t->len <= more) {
        if (size > SIZE_MAX / 2) {
            t->failed = true;
            return false;
        }
        size *= 2;
    }
    char *p = realloc(t->p, size);
    if (!p) {
        t->failed = true;
        return false;
    }
    t->p = p;
    t->size = size;
    return true;
}

void text_add_bytes(struct text *t, const void *p, size_t len)
{
    if (!reserve(t, len))
        return;
    if (len)
        memcpy(t->p + t->len, p, len);
    t->len += len;
    t->p[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
    text_add_bytes(t, s, strlen(s));
}

void text_addf(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        t->failed = true;
    else if (reserve(t, (size_t)n)) {
        vsnprintf(t->p + t->len, (size_t)n + 1, fmt, again);
        t->len += (size_t)n;
    }
    va_end(again);
}

/* Length of the UTF-8 character at p, 0 if there is none (RFC 3629 3): no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
static size_t utf8_length(const uint8_t *p, size_t left, uint32_t *out)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80       ? 1
               : p[0] >> 5 == 6  ? 2
               : p[0] >> 4 == 14 ? 3
               : p[0] >> 3 == 30 ? 4
                                 : 0;
    if (n == 0 || n > left)
        return 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *out = c;
    return n;
}

/* Characters that a reader cannot see, or that change the order of those around them. */
static bool is_deceptive(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

/* One escaper for three forms, so that what counts as dangerous is written down once. */
static void add_safe(struct text *t, const uint8_t *p, size_t len,
                     void (*special)(struct text *, uint32_t))
{
    for (size_t i = 0; i < len && text_ok(t);) {
        uint32_t c = 0;
        size_t n = utf8_length(p + i, len - i, &c);
        if (n == 0) {
            text_addf(t, "\xef\xbf\xbd"); /* U+FFFD */
            i++;
            continue;
        }
        if (is_deceptive(c) || (n == 1 && strchr("&<>\"'\\\n\t", (int)c)))
            special(t, c);
        else
            text_add_bytes(t, p + i, n);
        i += n;
    }
}

static void html_special(struct text *t, uint32_t c)
{
    switch (c) {
    case '&': text_add(t, "&amp;"); break;
    case '<': text_add(t, "&lt;"); break;
    case '>': text_add(t, "&gt;"); break;
    case '"': text_add(t, "&quot;"); break;
    case '\'': text_add(t, "&#39;"); break;
    case '\\':
    case '\n':
    case '\t': text_addf(t, "%c", (int)c); break;
    default: text_addf(t, "\\u{%x}", (unsigned)c);
    }
}

static void json_special(struct text *t, uint32_t c)
{
    switch (c) {
    case '"': text_add(t, "\\\""); break;
    case '\\': text_add(t, "\\\\"); break;
    case '\n': text_add(t, "\\n"); break;
    case '\t': text_add(t, "\\t"); break;
    case '&':
    case '>':
    case '\'': text_addf(t, "%c", (int)c); break;
    case '<':
        text_add(t, "\\u003c");
        break; /* so that JSON within a page cannot end a script */
    default:
        if (c > 0xffff)
            text_addf(t, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                      0xdc00 + (c & 0x3ff));
        else
            text_addf(t, "\\u%04x", (unsigned)c);
    }
}

static void plain_special(struct text *t, uint32_t c)
{
    if (c == '\n' || c == '\t' || is_deceptive(c))
        text_addf(t, "\\u{%x}", (unsigned)c);
    else
        text_addf(t, "%c", (int)c);
}

void text_html_bytes(struct text *t, const void *p, size_t len)
{
    add_safe(t, p, len, html_special);
}

void text_html(struct text *t, const char *s)
{
    text_html_bytes(t, s, strlen(s));
}

void text_json_bytes(struct text *t, const void *p, size_t len)
{
    text_add(t, "\"");
    add_safe(t, p, len, json_special);
    text_add(t, "\"");
}

void text_json(struct text *t, const char *s)
{
    if (s)
        text_json_bytes(t, s, strlen(s));
    else
        text_add(t, "null");
}

void text_plain_bytes(struct text *t, const void *p, size_t len)
{
    add_safe(t, p, len, plain_special);
}

void text_plain(struct text *t, const char *s)
{
    text_plain_bytes(t, s, strlen(s));
}

void text_hex(struct text *t, const uint8_t *p, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    if (len > SIZE_MAX / 4 || !reserve(t, 2 * len))
        return;
    for (size_t i = 0; i < len; i++) {
        t->p[t->len++] = digits[p[i] >> 4];
        t->p[t->len++] = digits[p[i] & 15];
    }
    t->p[t->len] = '\0';
}

void text_date(struct text *t, int64_t when)
{
    time_t seconds = (time_t)when;
    struct tm tm;
    char s[40];
    if (gmtime_r(&seconds, &tm) && strftime(s, sizeof s, "%Y-%m-%d %H:%M:%S UTC", &tm))
        text_add(t, s);
    else
        text_addf(t, "%lld s", (long long)when);
}

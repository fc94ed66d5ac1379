/* sink.c: writing text that may not fit, and text that may not be text. */
#include "bytes/sink.h"

#include <stdarg.h>
#include <stdio.h>

static void put(struct sink *s, char c)
{
    if (s->len < s->size)
        s->out[s->len] = c;
    s->len++;
}

void sink_raw(struct sink *s, const char *text)
{
    while (*text)
        put(s, *text++);
}

void sink_format(struct sink *s, const char *fmt, ...)
{
    char text[160]; /* numbers and names of our own */
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    sink_raw(s, text);
}

/* The length of the UTF-8 sequence at p (RFC 3629 4), 0 if there is none: no overlong form, no
 * surrogate, nothing beyond U+10FFFF. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (left < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    }
    return n;
}

/* U+0080 to U+009F: terminals obey some of them. */
static bool is_control(const uint8_t *p, size_t n)
{
    return n == 1 ? p[0] < 0x20 || p[0] == 0x7f : n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

void sink_plain(struct sink *s, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(p + i, len - i);
        bool escape = n == 0 || is_control(p + i, n);
        for (size_t end = i + (n ? n : 1); i < end; i++) {
            if (escape)
                sink_format(s, "\\x%02x", p[i]);
            else
                put(s, text[i]);
        }
    }
}

static void json_control(struct sink *s, uint8_t c)
{
    switch (c) {
    case '\n': sink_raw(s, "\\n"); break;
    case '\r': sink_raw(s, "\\r"); break;
    case '\t': sink_raw(s, "\\t"); break;
    default: sink_format(s, "\\u%04x", c);
    }
}

void sink_json(struct sink *s, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    put(s, '"');
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(p + i, len - i);
        if (n == 0) {
            sink_raw(s, "\\ufffd");
            i++;
        } else if (is_control(p + i, n)) {
            json_control(s, p[i + n - 1]); /* U+0080 to U+009F end in their own number */
            i += n;
        } else {
            if (text[i] == '"' || text[i] == '\\')
                put(s, '\\');
            for (size_t end = i + n; i < end; i++)
                put(s, text[i]);
        }
    }
    put(s, '"');
}

/* The character at p, which is n bytes of good UTF-8. */
static uint32_t character(const uint8_t *p, size_t n)
{
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

static void json_ascii(struct sink *s, uint32_t c)
{
    switch (c) {
    case '"': sink_raw(s, "\\\""); break;
    case '\\': sink_raw(s, "\\\\"); break;
    case '\n': sink_raw(s, "\\n"); break;
    case '\r': sink_raw(s, "\\r"); break;
    case '\t': sink_raw(s, "\\t"); break;
    case '\f': sink_raw(s, "\\f"); break;
    case '\b': sink_raw(s, "\\b"); break;
    default:
        if (c >= 0x20 && c < 0x7f)
            put(s, (char)c);
        else if (c <= 0xffff)
            sink_format(s, "\\u%04x", (unsigned)c);
        else
            sink_format(s, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
                        (unsigned)(0xdc00 + (c & 0x3ff)));
    }
}

void sink_json_ascii(struct sink *s, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    put(s, '"');
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(p + i, len - i);
        json_ascii(s, n ? character(p + i, n) : 0xfffd);
        i += n ? n : 1;
    }
    put(s, '"');
}

void sink_bytes(struct sink *s, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put(s, text[i]);
}

size_t sink_end(struct sink *s)
{
    if (s->size > 0)
        s->out[s->len < s->size ? s->len : s->size - 1] = '\0';
    return s->len;
}

/* fuzz.c: checks that several targets make. */
#include "fuzz.h"

#include <string.h>

char *feed_text(struct slice bytes)
{
    char *s = malloc(bytes.len + 1);
    REQUIRE(s != NULL);
    if (bytes.len)
        memcpy(s, bytes.p, bytes.len);
    s[bytes.len] = '\0';
    return s;
}

/* ---- leaves */

void tiling_start(struct tiling *t, size_t len)
{
    t->seen = calloc(1, len + 1);
    REQUIRE(t->seen != NULL);
    t->len = len;
    t->covered = 0;
}

void tiling_leaf(struct tiling *t, size_t offset, size_t size)
{
    REQUIRE(offset <= t->len && size <= t->len - offset);
    for (size_t i = 0; i < size; i++) {
        REQUIRE(!t->seen[offset + i]);
        t->seen[offset + i] = 1;
    }
    t->covered += size;
}

void tiling_end(struct tiling *t, bool complete)
{
    REQUIRE(!complete || t->covered == t->len);
    free(t->seen);
    t->seen = NULL;
}

/* ---- explanations */

static void
same_in_less_room(const hf_conn *conn, const hf_error *err, const char *whole, size_t len,
                  size_t (*write)(const hf_conn *, const hf_error *, char *, size_t))
{
    size_t sizes[] = {1, 2, 17, len / 2 + 1, len, len + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i] == 0)
            continue;
        char *part = malloc(sizes[i]);
        REQUIRE(part != NULL);
        REQUIRE(write(conn, err, part, sizes[i]) == len);
        REQUIRE(memchr(part, 0, sizes[i]) != NULL);
        REQUIRE(strncmp(part, whole, strlen(part)) == 0);
        free(part);
    }
}

static size_t line(const hf_conn *conn, const hf_error *err, char *out, size_t size)
{
    (void)conn;
    return hf_error_line(err, out, size);
}

static void explain_by(const hf_conn *conn, const hf_error *err, bool json,
                       size_t (*write)(const hf_conn *, const hf_error *, char *, size_t))
{
    size_t len = write(conn, err, NULL, 0);
    char *whole = malloc(len + 1);
    REQUIRE(whole != NULL);
    REQUIRE(write(conn, err, whole, len + 1) == len);
    REQUIRE(strlen(whole) == len && len > 0);
    REQUIRE(!json || json_valid(whole));
    same_in_less_room(conn, err, whole, len, write);
    free(whole);
}

void explain_all(const hf_conn *conn, const hf_error *err)
{
    explain_by(conn, err, false, line);
    explain_by(conn, err, false, hf_explain);
    explain_by(conn, err, true, hf_explain_json);
}

/* ---- JSON */

static const char *json_value(const char *p, int depth);

static const char *space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *json_escape(const char *p)
{
    if (*p == 'u') {
        size_t n = strspn(p + 1, "0123456789abcdefABCDEF");
        return n >= 4 ? p + 5 : NULL;
    }
    return *p && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
}

/* A character of UTF-8 (RFC 3629), its first byte at p; NULL if it is none. */
static const char *utf8(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n = u[0] < 0x80                   ? 1
               : u[0] >= 0xc2 && u[0] < 0xe0 ? 2
               : u[0] >= 0xe0 && u[0] < 0xf0 ? 3
                                             : 0;
    if (u[0] >= 0xf0 && u[0] < 0xf5)
        n = 4;
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return NULL;
    }
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] >= 0xa0) ||
        (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] >= 0x90))
        return NULL;
    return n ? p + n : NULL;
}

static const char *json_string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    while (p && *p != '"') {
        if ((unsigned char)*p < 0x20)
            return NULL;
        p = *p == '\\' ? json_escape(p + 1) : utf8(p);
    }
    return p ? p + 1 : NULL;
}

static const char *json_list(const char *p, char end, int depth)
{
    p = space(p + 1);
    if (*p == end)
        return p + 1;
    for (;;) {
        if (end == '}') {
            p = json_string(p);
            p = p ? space(p) : NULL;
            if (!p || *p != ':')
                return NULL;
            p++;
        }
        p = json_value(space(p), depth + 1);
        if (!p)
            return NULL;
        p = space(p);
        if (*p == end)
            return p + 1;
        if (*p != ',')
            return NULL;
        p = space(p + 1);
    }
}

static const char *json_value(const char *p, int depth)
{
    static const char *const words[] = {"true", "false", "null"};
    if (depth > 32)
        return NULL;
    if (*p == '{' || *p == '[')
        return json_list(p, *p == '{' ? '}' : ']', depth);
    if (*p == '"')
        return json_string(p);
    for (size_t i = 0; i < 3; i++) {
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return p + strlen(words[i]);
    }
    size_t n = strspn(p, "-0123456789.eE+");
    return n ? p + n : NULL;
}

bool json_valid(const char *text)
{
    const char *p = json_value(space(text), 0);
    return p && *space(p) == '\0';
}

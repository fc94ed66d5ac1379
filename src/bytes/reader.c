/* reader.c: the named, sticky reader. */
#include "bytes/reader.h"

#include <stdarg.h>
#include <stdio.h>

struct rd rd_start(struct rd_msg *m, const uint8_t *whole, size_t len, size_t skip)
{
    m->start = whole;
    m->failed = false;
    struct rd r = {.p = whole, .end = whole, .m = m, .name = m->name};
    if (len) {
        r.end += len;
        r.p += skip < len ? skip : len;
    }
    return r;
}

size_t rd_left(const struct rd *r)
{
    return r->m->failed ? 0 : (size_t)(r->end - r->p);
}

bool rd_more(const struct rd *r)
{
    return rd_left(r) > 0;
}

/* ---- failures */

static size_t append(char *out, size_t size, size_t at, const char *s)
{
    for (; *s && at < size - 1; s++)
        out[at++] = *s;
    out[at] = 0;
    return *s ? size : at;
}

static size_t write_names(char *out, size_t size, const struct rd *r)
{
    size_t at = r->up ? write_names(out, size, r->up) : 0;
    if (at >= size)
        return at;
    if (r->up)
        at = append(out, size, at, ".");
    if (at >= size)
        return at;
    return append(out, size, at, r->name ? r->name : "message");
}

static void write_path(const struct rd *r, const char *field, hf_error *err)
{
    size_t size = sizeof err->path;
    size_t at = write_names(err->path, size, r);
    if (field && at < size)
        at = append(err->path, size, at, ".");
    if (field && at < size)
        at = append(err->path, size, at, field);
    if (at >= size)
        err->truncated = true;
}

__attribute__((cold)) static void fail(struct rd *r, hf_code code, const char *field,
                                       const char *detail)
{
    struct rd_msg *m = r->m;
    if (m->failed)
        return;
    m->failed = true;
    if (!m->err || m->err->code != HF_OK)
        return;
    err_set(m->err, code, "%s", detail);
    m->err->offset = (size_t)(r->p - m->start);
    /* The section that defines the message says more than the one that defines the alert. */
    if (m->rfc && (code == HF_E_DECODE || code == HF_E_TRAILING_DATA))
        m->err->rfc = m->rfc;
    write_path(r, field, m->err);
}

__attribute__((cold)) static void fail_short(struct rd *r, const char *field, size_t n)
{
    char detail[96];
    size_t left = (size_t)(r->end - r->p);
    snprintf(detail, sizeof detail, "needs %zu byte%s, %zu %s left", n, n == 1 ? "" : "s", left,
             left == 1 ? "is" : "are");
    fail(r, HF_E_DECODE, field, detail);
}

bool rd_bad(struct rd *r, hf_code code, const char *fmt, ...)
{
    char detail[HF_DETAIL_MAX_LEN];
    va_list args;
    if (r->m->failed)
        return false;
    va_start(args, fmt);
    int n = vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    bool first = r->m->err && r->m->err->code == HF_OK;
    fail(r, code, NULL, detail);
    if (first && n >= (int)sizeof detail)
        r->m->err->truncated = true;
    return false;
}

bool rd_end(struct rd *r)
{
    if (r->m->failed)
        return false;
    if (r->p != r->end) {
        char detail[64];
        size_t left = (size_t)(r->end - r->p);
        snprintf(detail, sizeof detail, "%zu byte%s left over", left,
                 left == 1 ? " is" : "s are");
        fail(r, HF_E_TRAILING_DATA, NULL, detail);
        return false;
    }
    return true;
}

/* ---- trace */

static uint8_t depth_of(const struct rd *r)
{
    unsigned depth = 0;
    for (; r->up && depth < UINT8_MAX; r = r->up)
        depth++;
    return (uint8_t)depth;
}

static uint64_t number_of(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* emit reports bytes of reader r; `inner` is added to its depth. */
__attribute__((cold)) static void emit(const struct rd *r, hf_trace_kind kind, unsigned inner,
                                       const char *name, const char *text, struct slice bytes,
                                       uint64_t number)
{
    hf_trace_event event = {
        .kind = kind,
        .depth = (uint8_t)(depth_of(r) + inner),
        .offset = (size_t)(bytes.p - r->m->start),
        .name = name,
        .text = text,
        .rfc = r->m->rfc,
        .number = number,
        .bytes = bytes.p,
        .size = bytes.len,
    };
    r->m->trace(r->m->trace_arg, &event);
}

__attribute__((cold)) static void emit_prefix(const struct rd *r, unsigned inner,
                                              const char *name, const uint8_t *p, size_t prefix)
{
    char full[80];
    snprintf(full, sizeof full, "%s length", name);
    emit(r, HF_TRACE_FIELD, inner, full, NULL, slice_of(p, prefix), number_of(p, prefix));
}

/* ---- single fields */

/* take is the one place that moves a reader forward; NULL after a failure. */
static inline const uint8_t *take(struct rd *r, const char *name, size_t n)
{
    if (__builtin_expect(r->m->failed, 0))
        return NULL;
    if (__builtin_expect((size_t)(r->end - r->p) < n, 0)) {
        fail_short(r, name, n);
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

static inline uint64_t rd_int(struct rd *r, const char *name, size_t n)
{
    const uint8_t *p = take(r, name, n);
    if (!p)
        return 0;
    uint64_t v = number_of(p, n);
    if (r->m->trace)
        emit(r, HF_TRACE_FIELD, 0, name, NULL, slice_of(p, n), v);
    return v;
}

uint8_t rd_u8(struct rd *r, const char *name)
{
    return (uint8_t)rd_int(r, name, 1);
}

uint16_t rd_u16(struct rd *r, const char *name)
{
    return (uint16_t)rd_int(r, name, 2);
}

uint32_t rd_u24(struct rd *r, const char *name)
{
    return (uint32_t)rd_int(r, name, 3);
}

uint32_t rd_u32(struct rd *r, const char *name)
{
    return (uint32_t)rd_int(r, name, 4);
}

uint64_t rd_u64(struct rd *r, const char *name)
{
    return rd_int(r, name, 8);
}

uint8_t rd_enum8(struct rd *r, const char *name, const char *(*value_name)(uint8_t))
{
    const uint8_t *p = take(r, name, 1);
    if (!p)
        return 0;
    if (r->m->trace)
        emit(r, HF_TRACE_FIELD, 0, name, value_name ? value_name(*p) : NULL, slice_of(p, 1),
             *p);
    return *p;
}

uint16_t rd_enum16(struct rd *r, const char *name, const char *(*value_name)(uint16_t))
{
    const uint8_t *p = take(r, name, 2);
    if (!p)
        return 0;
    uint16_t v = get_u16(p);
    if (r->m->trace)
        emit(r, HF_TRACE_FIELD, 0, name, value_name ? value_name(v) : NULL, slice_of(p, 2), v);
    return v;
}

struct slice rd_bytes(struct rd *r, const char *name, size_t n)
{
    const uint8_t *p = take(r, name, n);
    if (!p)
        return (struct slice){0};
    if (r->m->trace && n)
        emit(r, HF_TRACE_FIELD, 0, name, NULL, slice_of(p, n), 0);
    return slice_of(p, n);
}

struct slice rd_rest(struct rd *r, const char *name)
{
    return rd_bytes(r, name, rd_left(r));
}

/* ---- vectors */

/* open_vector takes a length prefix and the content behind it; p NULL after a failure. */
static struct slice open_vector(struct rd *r, const char *name, size_t prefix, size_t min,
                                size_t max, size_t item)
{
    char detail[96];
    if (__builtin_expect(r->m->failed, 0))
        return (struct slice){0};
    size_t left = (size_t)(r->end - r->p);
    if (__builtin_expect(left < prefix, 0)) {
        fail_short(r, name, prefix);
        return (struct slice){0};
    }
    left -= prefix;
    size_t len = (size_t)number_of(r->p, prefix);
    if (__builtin_expect(len >= min && len <= max && len <= left && len % item == 0, 1)) {
        const uint8_t *content = r->p + prefix;
        r->p = content + len;
        return slice_of(content, len);
    }
    if (len < min || len > max)
        snprintf(detail, sizeof detail, "length %zu is not in %zu..%zu", len, min, max);
    else if (len % item)
        snprintf(detail, sizeof detail, "length %zu is not a multiple of %zu", len, item);
    else
        snprintf(detail, sizeof detail, "length %zu, but %zu %s left", len, left,
                 left == 1 ? "byte is" : "bytes are");
    fail(r, HF_E_DECODE, name, detail);
    return (struct slice){0};
}

static struct slice rd_opaque(struct rd *r, const char *name, size_t prefix, size_t min,
                              size_t max)
{
    struct slice v = open_vector(r, name, prefix, min, max, 1);
    if (v.p && r->m->trace) {
        emit_prefix(r, 0, name, v.p - prefix, prefix);
        if (v.len)
            emit(r, HF_TRACE_FIELD, 0, name, NULL, v, 0);
    }
    return v;
}

struct slice rd_opaque8(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_opaque(r, name, 1, min, max);
}

struct slice rd_opaque16(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_opaque(r, name, 2, min, max);
}

struct slice rd_opaque24(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_opaque(r, name, 3, min, max);
}

/* The two events that every vector with structure begins with. */
__attribute__((cold)) static void emit_vector(const struct rd *r, const char *name,
                                              struct slice v, size_t prefix)
{
    const uint8_t *p = v.p - prefix;
    emit(r, HF_TRACE_GROUP, 0, name, NULL, slice_of(p, v.len + prefix), 0);
    emit_prefix(r, 1, name, p, prefix);
}

__attribute__((cold)) static void emit_list16(const struct rd *r, const char *name,
                                              struct slice v, size_t prefix, const char *item,
                                              const char *(*value_name)(uint16_t))
{
    emit_vector(r, name, v, prefix);
    for (size_t i = 0; i < v.len; i += 2) {
        uint16_t value = get_u16(v.p + i);
        emit(r, HF_TRACE_FIELD, 1, item, value_name ? value_name(value) : NULL,
             slice_of(v.p + i, 2), value);
    }
}

struct slice rd_list16(struct rd *r, const char *name, size_t min, size_t max, const char *item,
                       const char *(*value_name)(uint16_t))
{
    struct slice v = open_vector(r, name, 2, min, max, 2);
    if (v.p && r->m->trace)
        emit_list16(r, name, v, 2, item, value_name);
    return v;
}

struct slice rd_list8_16(struct rd *r, const char *name, size_t min, size_t max,
                         const char *item, const char *(*value_name)(uint16_t))
{
    struct slice v = open_vector(r, name, 1, min, max, 2);
    if (v.p && r->m->trace)
        emit_list16(r, name, v, 1, item, value_name);
    return v;
}

struct slice rd_list8(struct rd *r, const char *name, size_t min, size_t max, const char *item,
                      const char *(*value_name)(uint8_t))
{
    struct slice v = open_vector(r, name, 1, min, max, 1);
    if (v.p && r->m->trace) {
        emit_vector(r, name, v, 1);
        for (size_t i = 0; i < v.len; i++)
            emit(r, HF_TRACE_FIELD, 1, item, value_name ? value_name(v.p[i]) : NULL,
                 slice_of(v.p + i, 1), v.p[i]);
    }
    return v;
}

/* A sub-reader; after a failure one that is empty, at a place that is valid. */
static struct rd below(const struct rd *r, const char *name, struct slice v)
{
    if (!v.p)
        v = slice_of(r->end, 0);
    return (struct rd){
        .p = v.p, .end = v.len ? v.p + v.len : v.p, .m = r->m, .up = r, .name = name};
}

static struct rd rd_vec(struct rd *r, const char *name, size_t prefix, size_t min, size_t max)
{
    struct slice v = open_vector(r, name, prefix, min, max, 1);
    if (v.p && r->m->trace)
        emit_vector(r, name, v, prefix);
    return below(r, name, v);
}

struct rd rd_vec8(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_vec(r, name, 1, min, max);
}

struct rd rd_vec16(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_vec(r, name, 2, min, max);
}

struct rd rd_vec24(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_vec(r, name, 3, min, max);
}

struct rd rd_group(struct rd *r, const char *name, size_t n)
{
    const uint8_t *p = take(r, name, n);
    if (p && r->m->trace)
        emit(r, HF_TRACE_GROUP, 0, name, NULL, slice_of(p, n), 0);
    return below(r, name, slice_of(p, p ? n : 0));
}

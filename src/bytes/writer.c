/* writer.c: writing messages. */
#include "bytes/writer.h"

void wr_start(struct wr *w, struct buffer *b)
{
    *w = (struct wr){.b = b};
}

uint8_t *wr_space(struct wr *w, size_t n)
{
    uint8_t *p = w->failed ? NULL : buffer_reserve(w->b, n);
    if (!p) {
        w->failed = true;
        return NULL;
    }
    w->b->end += n;
    return p;
}

static void put(uint8_t *p, uint64_t v, unsigned n)
{
    for (; n > 0; v >>= 8)
        p[--n] = (uint8_t)v;
}

static void wr_int(struct wr *w, uint64_t v, unsigned n)
{
    uint8_t *p = wr_space(w, n);
    if (p)
        put(p, v, n);
}

void wr_u8(struct wr *w, uint8_t v)
{
    wr_int(w, v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
    wr_int(w, v, 2);
}

void wr_u24(struct wr *w, uint32_t v)
{
    if (v >> 24)
        w->failed = true;
    wr_int(w, v, 3);
}

void wr_u32(struct wr *w, uint32_t v)
{
    wr_int(w, v, 4);
}

void wr_u64(struct wr *w, uint64_t v)
{
    wr_int(w, v, 8);
}

void wr_bytes(struct wr *w, const void *p, size_t n)
{
    uint8_t *to = wr_space(w, n);
    if (to && n)
        memcpy(to, p, n);
}

void wr_slice(struct wr *w, struct slice s)
{
    wr_bytes(w, s.p, s.len);
}

size_t wr_open(struct wr *w, unsigned prefix)
{
    size_t mark = wr_at(w);
    wr_int(w, 0, prefix);
    return mark;
}

void wr_close(struct wr *w, size_t mark, unsigned prefix)
{
    if (w->failed)
        return;
    size_t len = wr_at(w) - mark - prefix;
    if ((uint64_t)len >> (8 * prefix))
        w->failed = true;
    else
        put(w->b->p + w->b->start + mark, len, prefix);
}

static void wr_opaque(struct wr *w, struct slice s, unsigned prefix)
{
    if ((uint64_t)s.len >> (8 * prefix))
        w->failed = true;
    wr_int(w, s.len, prefix);
    wr_slice(w, s);
}

void wr_opaque8(struct wr *w, struct slice s)
{
    wr_opaque(w, s, 1);
}

void wr_opaque16(struct wr *w, struct slice s)
{
    wr_opaque(w, s, 2);
}

void wr_opaque24(struct wr *w, struct slice s)
{
    wr_opaque(w, s, 3);
}

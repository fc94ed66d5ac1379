/* writer.h: writing messages. Sticky: after the first failure (no memory, a vector too long) all
 * further writes do nothing, and wr_ok() is false. A vector's length is patched when it closes. */
#ifndef BYTES_WRITER_H
#define BYTES_WRITER_H

#include "bytes/bytes.h"

struct wr {
    struct buffer *b;
    bool failed;
};

void wr_start(struct wr *w, struct buffer *b); /* appends behind b's content */
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u24(struct wr *w, uint32_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_bytes(struct wr *w, const void *p, size_t n);
void wr_slice(struct wr *w, struct slice s);

/* wr_space appends n bytes and returns where they are, or NULL; valid until the next write. */
uint8_t *wr_space(struct wr *w, size_t n);

/* wr_open begins a vector whose length takes `prefix` bytes (1, 2 or 3) and returns its mark;
 * wr_close patches the length, and fails if it does not fit. Vectors close in reverse order. */
size_t wr_open(struct wr *w, unsigned prefix);
void wr_close(struct wr *w, size_t mark, unsigned prefix);

/* Whole opaque vectors. */
void wr_opaque8(struct wr *w, struct slice s);
void wr_opaque16(struct wr *w, struct slice s);
void wr_opaque24(struct wr *w, struct slice s);

static inline bool wr_ok(const struct wr *w)
{
    return !w->failed;
}

/* wr_at: how many bytes b holds, to remember a place. */
static inline size_t wr_at(const struct wr *w)
{
    return w->b->end - w->b->start;
}

#endif

/* buffer.c: the growing, wiped buffer. */
#include "bytes/bytes.h"

#define FIRST_SIZE 512

/* Doubling a long message wastes half of what a peer can make us hold: from here on a quarter is
 * added. */
#define LONG_SIZE 16384

size_t buffer_size_for(const struct buffer *b, size_t n)
{
    size_t size = b->size ? b->size : FIRST_SIZE, len = buffer_len(b);
    if (n > SIZE_MAX / 4 - len)
        return SIZE_MAX;
    while (size < len + n)
        size += size < LONG_SIZE ? size : size / 4;
    return size;
}

uint8_t *buffer_reserve(struct buffer *b, size_t n)
{
    size_t len = buffer_len(b);
    if (b->p && b->size - b->end >= n)
        return b->p + b->end;
    if (n > SIZE_MAX / 4 - len)
        return NULL;
    if (b->p && b->size - len >= n) {
        memmove(b->p, b->p + b->start, len);
    } else {
        size_t size = buffer_size_for(b, n);
        /* Not realloc: it may leave a copy of secrets behind in freed memory. */
        uint8_t *p = mem_new(size);
        if (!p)
            return NULL;
        if (len)
            memcpy(p, b->p + b->start, len);
        mem_wipe_free(b->p, b->size);
        b->p = p;
        b->size = size;
    }
    b->start = 0;
    b->end = len;
    return b->p + len;
}

bool buffer_append(struct buffer *b, const void *p, size_t n)
{
    uint8_t *to = buffer_reserve(b, n);
    if (!to)
        return false;
    if (n)
        memcpy(to, p, n);
    b->end += n;
    return true;
}

void buffer_drop(struct buffer *b, size_t n)
{
    if (n >= buffer_len(b))
        buffer_clear(b);
    else
        b->start += n;
}

void buffer_clear(struct buffer *b)
{
    mem_wipe_free(b->p, b->size);
    *b = (struct buffer){0};
}

/* proxy_buffer.h: bytes that cannot be passed on yet. A connection has a buffer only while it has such
 * bytes; empty ones are kept for the next connection, so that an idle connection costs nothing. A worker
 * is one thread: nothing here is locked. */
#ifndef CLI_PROXY_BUFFER_H
#define CLI_PROXY_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handfast.h"

/* Several records, so that one system call moves them; and the limit of what one direction keeps. */
#define PROXY_BUFFER ((size_t)4 * HF_RECORD_MAX)

struct pbuf {
    uint8_t *p; /* NULL: none */
    size_t start, end, size;
};

static inline size_t pbuf_len(const struct pbuf *b)
{
    return b->end - b->start;
}

/* pbuf_open makes b a whole buffer, with its content in front; false without memory. */
bool pbuf_open(struct pbuf *b);

/* pbuf_park gives an empty buffer back, and puts a few bytes into a block of their size, so that a peer who
 * stops in the middle of a record costs little. */
void pbuf_park(struct pbuf *b);

void pbuf_free(struct pbuf *b);

/* pbuf_forget_spares frees the empty ones that are kept. */
void pbuf_forget_spares(void);

#endif

/* iobuf.h: the buffers through which streams send and receive, shared by all of them. A stream
 * takes one when it has bytes to keep and gives it back when it has none, so an idle one costs
 * nothing. */
#ifndef NET_IOBUF_H
#define NET_IOBUF_H

#include "bytes/bytes.h"

/* Several records, so that one system call moves them. */
#define IOBUF_SIZE ((size_t)4 * HF_RECORD_MAX)

struct iobuf {
    uint8_t *p; /* NULL when there is none */
    size_t start, end;
    bool parked; /* p is a small block with the content and nothing else */
};

static inline size_t iobuf_len(const struct iobuf *b)
{
    return b->end - b->start;
}

/* iobuf_open makes sure that b has its memory, also behind the content of one that was parked;
 * false without memory. */
bool iobuf_open(struct iobuf *b) __attribute__((warn_unused_result));

/* iobuf_close gives the memory of an empty buffer back; one that holds bytes keeps it. */
void iobuf_close(struct iobuf *b);

/* iobuf_park is iobuf_close before a long wait: it also gives the memory of a buffer back that holds
 * only a few bytes, and keeps these in a block of their size, so that a peer who sends one byte of a
 * record and stops costs little. What pointed into the buffer is gone. */
void iobuf_park(struct iobuf *b);

/* iobuf_clear gives the memory back in any case. */
void iobuf_clear(struct iobuf *b);

/* iobuf_room moves the content to the front if less than n bytes are free behind it. */
size_t iobuf_room(struct iobuf *b, size_t n);

/* iobuf_test_held is the number of buffers that streams hold now; for tests. */
int iobuf_test_held(void);

#endif

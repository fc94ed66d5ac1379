#include "net/iobuf.h"

#include <stdatomic.h>

/* The free list: each slot is empty or holds one free buffer, and is taken by a single exchange. */
#define SLOTS 16

/* More than this stays in its buffer: the rest of the record is probably on its way. */
#define PARKED_MAX 1024

static _Atomic(uint8_t *) slots[SLOTS];
static atomic_int held;

static bool take(struct iobuf *b)
{
    for (size_t i = 0; i < SLOTS && !b->p; i++)
        if (atomic_load_explicit(&slots[i], memory_order_relaxed))
            b->p = atomic_exchange_explicit(&slots[i], NULL, memory_order_acquire);
    if (!b->p)
        b->p = mem_new(IOBUF_SIZE);
    b->start = b->end = 0;
    if (b->p)
        atomic_fetch_add_explicit(&held, 1, memory_order_relaxed);
    return b->p != NULL;
}

static bool unpark(struct iobuf *b)
{
    struct iobuf big = {0};
    size_t len = iobuf_len(b);

    if (!take(&big))
        return false;
    memcpy(big.p, b->p + b->start, len);
    big.end = len;
    mem_free(b->p);
    *b = big;
    return true;
}

bool iobuf_open(struct iobuf *b)
{
    if (b->p)
        return b->parked ? unpark(b) : true;
    return take(b);
}

void iobuf_park(struct iobuf *b)
{
    size_t len = iobuf_len(b);
    uint8_t *small;

    iobuf_close(b);
    if (!b->p || b->parked || len > PARKED_MAX)
        return;
    small = mem_dup(b->p + b->start, len);
    if (!small)
        return; /* then it stays where it is */
    iobuf_clear(b);
    *b = (struct iobuf){.p = small, .end = len, .parked = true};
}

void iobuf_clear(struct iobuf *b)
{
    uint8_t *p = b->p;
    bool parked = b->parked;

    if (!p)
        return;
    *b = (struct iobuf){0};
    if (parked) {
        mem_free(p);
        return;
    }
    atomic_fetch_sub_explicit(&held, 1, memory_order_relaxed);
    for (size_t i = 0; i < SLOTS; i++) {
        uint8_t *none = NULL;

        if (!atomic_load_explicit(&slots[i], memory_order_relaxed) &&
            atomic_compare_exchange_strong_explicit(&slots[i], &none, p, memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    mem_free(p);
}

void iobuf_close(struct iobuf *b)
{
    if (b->start == b->end)
        iobuf_clear(b);
}

size_t iobuf_room(struct iobuf *b, size_t n)
{
    if (b->start == b->end)
        b->start = b->end = 0;
    if (IOBUF_SIZE - b->end < n && b->start) {
        memmove(b->p, b->p + b->start, b->end - b->start);
        b->end -= b->start;
        b->start = 0;
    }
    return IOBUF_SIZE - b->end;
}

int iobuf_test_held(void)
{
    return atomic_load_explicit(&held, memory_order_relaxed);
}

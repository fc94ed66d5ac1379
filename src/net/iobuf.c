#include "net/iobuf.h"

#include <stdatomic.h>

/* The free list: each slot is empty or holds one free buffer, and is taken by a single exchange. */
#define SLOTS 16

static _Atomic(uint8_t *) slots[SLOTS];
static atomic_int held;

bool iobuf_open(struct iobuf *b)
{
    if (b->p)
        return true;
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

void iobuf_clear(struct iobuf *b)
{
    uint8_t *p = b->p;

    if (!p)
        return;
    *b = (struct iobuf){0};
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

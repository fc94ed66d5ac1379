/* latch.h: the lock of a table that only remembers. Whoever does not get it soon does without what
 * the table knows, so nothing ever waits for a preempted thread, and a process that forked while
 * another thread was inside merely forgets. */
#ifndef X509_LATCH_H
#define X509_LATCH_H

#include <stdatomic.h>
#include <stdbool.h>

struct latch {
    atomic_bool held;
};

static inline bool latch_enter(struct latch *l)
{
    for (int tries = 0; tries < 200; tries++) {
        if (!atomic_load_explicit(&l->held, memory_order_relaxed) &&
            !atomic_exchange_explicit(&l->held, true, memory_order_acquire))
            return true;
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }
    return false;
}

static inline void latch_leave(struct latch *l)
{
    atomic_store_explicit(&l->held, false, memory_order_release);
}

#endif

/* count.h: allocations, live memory and locks by side, counted by interposition (count.c). */
#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include "bench.h"

/* Since the last count_reset: live and peak are bytes of malloc with its chunk headers. */
struct counts {
    uint64_t allocations, locks;
    int64_t live, peak;
};

extern struct counts counts[2];

void count_reset(void);

#endif

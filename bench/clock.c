/* clock.c: time as a meter: the cycle counter where there is one, else the monotonic clock. */
#include "rows.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

_Thread_local uint64_t meter_ticks[2];
static _Thread_local uint64_t entered;

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t ticks_now(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    return monotonic_ns();
#endif
}

static double measure_tick(void)
{
    uint64_t ns = monotonic_ns(), ticks = ticks_now(), later;

    do {
        later = monotonic_ns();
    } while (later - ns < 20000000U);
    return (double)(later - ns) / (double)(ticks_now() - ticks);
}

double ticks_ns(uint64_t ticks)
{
    static double ns_per_tick;

    if (ns_per_tick <= 0)
        ns_per_tick = measure_tick();
    return (double)ticks * ns_per_tick;
}

void meter_enter(enum side side)
{
    (void)side;
    entered = ticks_now();
}

void meter_leave(enum side side)
{
    meter_ticks[side] += ticks_now() - entered;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
    if (count == 0)
        die("no sample was taken");
    qsort(values, count, sizeof(*values), compare);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* A machine that forbids it is measured as it is. */
void pin_to(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

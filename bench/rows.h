/* rows.h: what the files of the timed rows share: the clock, the plan of a run, the report. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "bench.h"

/* ---------------------------------------------------------------- the clock (clock.c) */

extern _Thread_local uint64_t meter_ticks[2];
uint64_t ticks_now(void);
double ticks_ns(uint64_t ticks);
double median(double *values, size_t count); /* sorts them */
void pin_to(int cpu);

/* ---------------------------------------------------------------- rows (main.c and one file each) */

/* What the program was asked for. */
struct plan {
    unsigned rounds;
    double seconds;      /* one engine's share of one round */
    unsigned fresh;      /* handshakes of a round with certificates that nobody has seen */
    unsigned start_runs; /* processes started in a round */
    int cpu;
    const char *row_pattern, *folder; /* folder: of the start-up programs */
    const char *only; /* name of the one engine to run (for a profiler), or NULL */
};

bool wanted(const char *row);
/* engines_of fills in the engines to run and returns how many they are. */
size_t engines_of(const struct plan *plan, const struct engine *out[2]);
void report(const char *row, const char *unit, unsigned round, const struct engine *engine,
            double value);

void rows_handshake(const struct plan *plan);
void rows_bulk(const struct plan *plan);
void rows_start_up(const struct plan *plan);
void rows_threads(const struct plan *plan);

#endif

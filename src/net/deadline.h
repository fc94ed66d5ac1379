/* deadline.h: the moment at which a call must be over, on the monotonic clock. */
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC; DEADLINE_NONE never comes. DEADLINE_NOW makes a stream behave for one call
 * as if it did not block. */
typedef int64_t deadline;
#define DEADLINE_NONE            INT64_MAX
#define DEADLINE_NOW             0
#define SECOND_NS                INT64_C(1000000000)

#define DEADLINE_DEFAULT_SECONDS 60.0

int64_t deadline_now(void);

/* deadline_after reads a timeout of hf_net_options: 0 is 60 seconds, below 0 is none. */
deadline deadline_after(double seconds);

static inline deadline deadline_first(deadline a, deadline b)
{
    return a < b ? a : b;
}

bool deadline_passed(deadline d);

/* deadline_poll_ms gives the timeout for poll(): -1 for none, else rounded up, so that poll never
 * returns before the deadline and spins. */
int deadline_poll_ms(deadline d);

#endif

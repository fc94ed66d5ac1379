#include "net/deadline.h"

#include <limits.h>
#include <time.h>

/* A century: beyond this a timeout is none, and the arithmetic cannot overflow. */
#define MOST_SECONDS 3.2e9

int64_t deadline_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

deadline deadline_after(double seconds)
{
    if (seconds < 0)
        return DEADLINE_NONE;
    /* written so that NaN takes the default */
    if (!(seconds > 0))
        seconds = DEADLINE_DEFAULT_SECONDS;
    if (seconds > MOST_SECONDS)
        return DEADLINE_NONE;
    return deadline_now() + (int64_t)(seconds * (double)SECOND_NS);
}

bool deadline_passed(deadline d)
{
    return d != DEADLINE_NONE && deadline_now() >= d;
}

int deadline_poll_ms(deadline d)
{
    if (d == DEADLINE_NONE)
        return -1;

    int64_t left = d - deadline_now();

    if (left <= 0)
        return 0;
    left = (left + 999999) / 1000000;
    return left > INT_MAX ? INT_MAX : (int)left;
}

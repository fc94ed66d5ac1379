/* applications.c: extensions that an application adds to the handshake. */
#include "config/applications.h"

#include <stdatomic.h>

#include "bytes/bytes.h"

struct applications *applications_ref(struct applications *a)
{
    if (a)
        atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void applications_free(struct applications *a)
{
    if (a && atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1)
        mem_free(a);
}

/* count.c: malloc and the locks of pthread replaced by ones that count, for whichever side stands
 * between meter_enter and meter_leave. The program's definitions come before those of the C library
 * for every shared object in it, so that libcrypto's calls are counted as well. */
#include "count.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct counts counts[2];
static struct counts *current;

void count_reset(void)
{
    memset(counts, 0, sizeof(counts));
}

void meter_enter(enum side side)
{
    current = &counts[side];
}

void meter_leave(enum side side)
{
    (void)side;
    current = NULL;
}

/* What follows must be seen by the shared objects, whatever visibility the build sets. */
#pragma GCC visibility push(default)

/* ---------------------------------------------------------------- malloc */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static int64_t chunk(void *p)
{
    return p == NULL ? 0 : (int64_t)(malloc_usable_size(p) + sizeof(size_t));
}

static void *gained(void *p)
{
    if (current != NULL && p != NULL) {
        current->allocations++;
        current->live += chunk(p);
        if (current->live > current->peak)
            current->peak = current->live;
    }
    return p;
}

void *malloc(size_t size)
{
    return gained(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return gained(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
    if (current != NULL)
        current->live -= chunk(p);
    return gained(__libc_realloc(p, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return gained(__libc_memalign(alignment, size));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = gained(__libc_memalign(alignment, size));
    return *out == NULL ? 12 : 0; /* ENOMEM */
}

void free(void *p)
{
    if (current != NULL)
        current->live -= chunk(p);
    __libc_free(p);
}

/* ---------------------------------------------------------------- locks */

/* The C library's own function of that name; found at the first call, before there are threads. */
#define NEXT(name)                                                                             \
    static __typeof__(&name) next;                                                             \
    if (next == NULL)                                                                          \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                                             \
    if (current != NULL)                                                                       \
    current->locks++

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    NEXT(pthread_mutex_lock);
    return next(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    NEXT(pthread_mutex_trylock);
    return next(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    NEXT(pthread_rwlock_rdlock);
    return next(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    NEXT(pthread_rwlock_wrlock);
    return next(lock);
}

#pragma GCC visibility pop

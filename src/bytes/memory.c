/* memory.c: all allocation, wiping and constant-time comparison. */
#include "bytes/bytes.h"

#include <stdatomic.h>
#include <stdlib.h>

#if defined(HF_CONSTANT_TIME) && __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_MEMCHECK 1
#else
#define HAVE_MEMCHECK 0
#endif

/* Counting starts when a test first asks: a counter that all threads write would make them share a
 * cache line for nothing. */
static atomic_bool watched;
static atomic_ulong allocations;
static atomic_ulong fail_from;

static bool refused(void)
{
    if (!atomic_load_explicit(&watched, memory_order_relaxed))
        return false;
    unsigned long number = atomic_fetch_add(&allocations, 1) + 1;
    unsigned long from = atomic_load(&fail_from);
    return from != 0 && number >= from;
}

void mem_test_fail_after(unsigned long n)
{
    atomic_store(&watched, true);
    atomic_store(&fail_from, n ? atomic_load(&allocations) + n : 0);
}

unsigned long mem_test_count(void)
{
    atomic_store(&watched, true);
    return atomic_load(&allocations);
}

void *mem_new(size_t len)
{
    if (refused())
        return NULL;
    return calloc(1, len ? len : 1);
}

void *mem_dup(const void *p, size_t len)
{
    if (refused())
        return NULL;
    void *copy = malloc(len ? len : 1);
    if (copy && len)
        memcpy(copy, p, len);
    else if (copy)
        *(char *)copy = 0;
    return copy;
}

char *mem_strdup(const char *s)
{
    return mem_dup(s, strlen(s) + 1);
}

void mem_free(void *p)
{
    free(p);
}

void mem_wipe_free(void *p, size_t len)
{
    if (p)
        wipe(p, len);
    free(p);
}

void wipe(void *p, size_t len)
{
    if (len)
        explicit_bzero(p, len);
}

bool ct_equal(const void *a, const void *b, size_t len)
{
    /* volatile: the compiler may not turn the loop into a comparison that stops early. */
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < len; i++)
        diff = (uint8_t)(diff | (x[i] ^ y[i]));
    ct_public(&diff, 1);
    return diff == 0;
}

void ct_secret(const void *p, size_t len)
{
#if HAVE_MEMCHECK
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
#else
    (void)p;
    (void)len;
#endif
}

void ct_public(const void *p, size_t len)
{
#if HAVE_MEMCHECK
    (void)VALGRIND_MAKE_MEM_DEFINED(p, len);
#else
    (void)p;
    (void)len;
#endif
}

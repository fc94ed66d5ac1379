#include "marks.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_MEMCHECK 1
#else
#define HAVE_MEMCHECK 0
#endif

bool under_memcheck(void)
{
#if HAVE_MEMCHECK
    return RUNNING_ON_VALGRIND != 0;
#else
    return false;
#endif
}

unsigned errors_so_far(void)
{
#if HAVE_MEMCHECK
    return (unsigned)VALGRIND_COUNT_ERRORS;
#else
    return 0;
#endif
}

static size_t secret_bytes(const void *p, size_t len)
{
    size_t n = 0;
#if HAVE_MEMCHECK
    for (size_t i = 0; i < len; i++) {
        unsigned char bits = 0;
        (void)VALGRIND_GET_VBITS((const char *)p + i, &bits, 1);
        n += bits != 0;
    }
#else
    (void)p;
    (void)len;
#endif
    return n;
}

bool is_secret(const void *p, size_t len)
{
    return secret_bytes(p, len) == len;
}

bool is_public(const void *p, size_t len)
{
    return secret_bytes(p, len) == 0;
}

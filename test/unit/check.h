/* check.h: the whole test harness. A test program defines functions `static void test_x(void)`, runs
 * each with RUN(test_x) in main, and ends with `return check_done();`, which prints the counts as
 * "N passed, N failed, N skipped". A test fails when one of its CHECKs does. A test that shows rows of
 * docs/checklist.md names them in its first line, ROW("T16 T28"); they stand beside its result. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed, check_failed, check_skipped, check_bad;
static const char *check_skip_reason, *check_row_ids;

#define ROW(ids) (check_row_ids = " [" ids "]")

#define CHECK(cond)                                                                            \
    do {                                                                                       \
        if (!(cond)) {                                                                         \
            check_bad++;                                                                       \
            printf("    %s:%d: %s\n", __FILE__, __LINE__, #cond);                              \
        }                                                                                      \
    } while (0)

#define CHECK_INT(a, b)                                                                        \
    do {                                                                                       \
        long long check_a = (long long)(a), check_b = (long long)(b);                          \
        if (check_a != check_b) {                                                              \
            check_bad++;                                                                       \
            printf("    %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #a, check_a,       \
                   check_b);                                                                   \
        }                                                                                      \
    } while (0)

#define CHECK_STR(a, b)                                                                        \
    do {                                                                                       \
        const char *check_a = (a), *check_b = (b);                                             \
        if (!check_a || !check_b || strcmp(check_a, check_b) != 0) {                           \
            check_bad++;                                                                       \
            printf("    %s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #a,            \
                   check_a ? check_a : "(null)", check_b ? check_b : "(null)");                \
        }                                                                                      \
    } while (0)

#define CHECK_MEM(a, b, n)                                                                     \
    do {                                                                                       \
        const unsigned char *check_a = (const void *)(a), *check_b = (const void *)(b);        \
        if (memcmp(check_a, check_b, (n)) != 0) {                                              \
            size_t check_i = 0;                                                                \
            while (check_a[check_i] == check_b[check_i])                                       \
                check_i++;                                                                     \
            check_bad++;                                                                       \
            printf("    %s:%d: %s differs at byte %zu: %02x, not %02x\n", __FILE__, __LINE__,  \
                   #a, check_i, check_a[check_i], check_b[check_i]);                           \
        }                                                                                      \
    } while (0)

/* SKIP leaves a test, with the reason and what would unskip it. */
#define SKIP(reason)                                                                           \
    do {                                                                                       \
        check_skip_reason = (reason);                                                          \
        return;                                                                                \
    } while (0)

#define RUN(test)                                                                               \
    do {                                                                                        \
        check_bad = 0;                                                                          \
        check_skip_reason = NULL;                                                               \
        check_row_ids = "";                                                                     \
        test();                                                                                 \
        if (check_bad) {                                                                        \
            check_failed++;                                                                     \
            printf("FAIL %s%s\n", #test, check_row_ids);                                        \
        } else if (check_skip_reason) {                                                         \
            check_skipped++;                                                                    \
            printf("skip %s%s: %s\n", #test, check_row_ids, check_skip_reason);                 \
        } else {                                                                                \
            check_passed++;                                                                     \
            printf("ok   %s%s\n", #test, check_row_ids);                                        \
        }                                                                                       \
        /* or children of the next one print it again: under ThreadSanitizer _exit() flushes */ \
        fflush(stdout);                                                                         \
    } while (0)

static inline int check_done(void)
{
    printf("%d passed, %d failed, %d skipped\n", check_passed, check_failed, check_skipped);
    return check_failed != 0;
}

#endif

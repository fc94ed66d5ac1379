/* bytes.h: small helpers that every room uses: slices, wiped memory, constant time, allocation. */
#ifndef BYTES_BYTES_H
#define BYTES_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "handfast.h"

/* A borrowed run of bytes; {NULL, 0} is the zero state. */
struct slice {
    const uint8_t *p;
    size_t len;
};

static inline struct slice slice_of(const void *p, size_t len)
{
    return (struct slice){p, len};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

/* NO_INIT stands on a variable of a hot path that is written before it is read, so that builds which
 * zero every variable (-ftrivial-auto-var-init) leave it alone: half a kilobyte costs 10 ns. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define NO_INIT __attribute__((uninitialized))
#endif
#endif
#ifndef NO_INIT
#define NO_INIT
#endif

/* wipe overwrites secrets; the compiler may not drop it. */
void wipe(void *p, size_t len);

/* ct_equal compares without a branch or look-up that depends on the bytes. The result is public. */
bool ct_equal(const void *a, const void *b, size_t len) __attribute__((warn_unused_result));

/* ct_secret marks bytes as secret for the constant-time test (undefined under memcheck), ct_public
 * declares them public again. Both do nothing in an ordinary build. */
void ct_secret(const void *p, size_t len);
void ct_public(const void *p, size_t len);

/* mem_new returns zeroed memory or NULL; mem_free frees what mem_new gave; mem_wipe_free wipes len
 * bytes first. All of handfast's memory comes from here, so that tests can make the n-th allocation
 * fail and count what is held. */
void *mem_new(size_t len) __attribute__((warn_unused_result));
void *mem_dup(const void *p, size_t len)
    __attribute__((warn_unused_result)); /* len 0 gives 1 byte */
char *mem_strdup(const char *s) __attribute__((warn_unused_result));
void mem_free(void *p);
void mem_wipe_free(void *p, size_t len);

/* mem_test_fail_after makes the n-th allocation from now on (1 is the next) and all that follow
 * fail; 0 ends that. mem_test_count is the number of allocations so far. Used by tests only. */
void mem_test_fail_after(unsigned long n);
unsigned long mem_test_count(void);

/* A growing, wiped buffer: bytes [start, end) are its content. */
struct buffer {
    uint8_t *p;
    size_t start, end, size;
};

/* buffer_reserve makes room for n more bytes behind end and returns a pointer to it, or NULL. */
uint8_t *buffer_reserve(struct buffer *b, size_t n) __attribute__((warn_unused_result));
/* buffer_size_for: how much memory the buffer would hold after buffer_reserve(b, n). */
size_t buffer_size_for(const struct buffer *b, size_t n);
bool buffer_append(struct buffer *b, const void *p, size_t n)
    __attribute__((warn_unused_result));
/* buffer_drop removes n bytes from the front; when nothing is left, the memory is wiped and freed. */
void buffer_drop(struct buffer *b, size_t n);
void buffer_clear(struct buffer *b);

static inline size_t buffer_len(const struct buffer *b)
{
    return b->end - b->start;
}

/* buffer_front: the first byte of the content; NULL if the buffer was never filled. */
static inline uint8_t *buffer_front(const struct buffer *b)
{
    return b->p ? b->p + b->start : NULL;
}

/* err_begin clears the error that a public function was given: an earlier call's failure in it must
 * not hide this one's. */
static inline void err_begin(hf_error *err)
{
    if (err)
        err->code = HF_OK;
}

/* err_set fills an error from the row of its code; fmt describes this case (NULL for nothing). It
 * does nothing if err is NULL or holds an error already: the first error wins. Always false. */
bool err_set(hf_error *err, hf_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));

#endif

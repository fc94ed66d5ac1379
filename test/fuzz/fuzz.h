/* fuzz.h: what the fuzz targets share. A target is one file that defines LLVMFuzzerTestOneInput; it is
 * linked with libFuzzer (clang, -Dfuzz=true) or with run_seeds.c, which runs it over files. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "bytes/reader.h"
#include "handfast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* REQUIRE says what must hold for every input. */
#define REQUIRE(cond)                                                                          \
    do {                                                                                       \
        if (!(cond)) {                                                                         \
            fprintf(stderr, "%s:%d: it does not hold that %s\n", __FILE__, __LINE__, #cond);   \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

/* The input as a source of choices; zeros when it has run out. */
struct feed {
    const uint8_t *p;
    size_t left;
};

static inline struct slice feed_bytes(struct feed *f, size_t n)
{
    struct slice s = {f->p, n < f->left ? n : f->left};
    f->p += s.len;
    f->left -= s.len;
    return s;
}

static inline uint8_t feed_u8(struct feed *f)
{
    struct slice s = feed_bytes(f, 1);
    return s.len ? s.p[0] : 0;
}

static inline uint16_t feed_u16(struct feed *f)
{
    uint8_t high = feed_u8(f);
    return (uint16_t)(high << 8 | feed_u8(f));
}

/* feed_vec16: a 16-bit length and as many bytes, as far as they are there. */
static inline struct slice feed_vec16(struct feed *f)
{
    uint16_t n = feed_u16(f);
    return feed_bytes(f, n);
}

/* feed_text copies bytes into a string; NUL bytes end it as they would in C. free() it. */
char *feed_text(struct slice bytes);

/* A tiling watches the leaves of one message: together they must cover each byte once. */
struct tiling {
    uint8_t *seen;
    size_t len, covered;
};
void tiling_start(struct tiling *t, size_t len);
void tiling_leaf(struct tiling *t, size_t offset, size_t size);
void tiling_end(struct tiling *t,
                bool complete); /* frees; complete: everything must be covered */

/* explain_all words an error in every way there is, into buffers of several sizes, and checks that
 * sizes are kept and that the JSON is JSON. */
void explain_all(const hf_conn *conn, const hf_error *err);

/* json_valid: text is one JSON value (RFC 8259) in UTF-8. */
bool json_valid(const char *text);

#endif

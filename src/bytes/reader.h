/* reader.h: reading bytes that a peer sent.
 *
 * Every read names its field in the RFC's spelling. The first failure records code, path and offset
 * in the message's error and makes every further read of that message return zero or nothing, so
 * that loops end and one rd_end() closes a function. With a trace sink set, every read is reported;
 * the reported leaves cover each byte of the message exactly once.
 *
 * Readers live on the stack, names are literals, and a sub-reader must not outlive the reader that
 * it came from (it keeps a pointer to it to spell out the path).
 */
#ifndef BYTES_READER_H
#define BYTES_READER_H

#include "bytes/bytes.h"

/* A sink for the trace: GROUP and FIELD events, without conn, time and sent, which the owner adds. */
typedef void (*rd_trace_fn)(void *arg, const hf_trace_event *event);

/* What all readers of one message share. */
struct rd_msg {
    const uint8_t *start; /* first byte of the message, for offsets */
    const char *name;     /* "ClientHello" */
    hf_error *err;        /* first failure goes here */
    bool failed;
    rd_trace_fn trace; /* or NULL */
    void *trace_arg;
    const char *rfc; /* section of the message, given to its fields in the trace */
};

struct rd {
    const uint8_t *p, *end;
    struct rd_msg *m;
    const struct rd *up; /* enclosing reader, NULL for the message's own */
    const char *name;    /* "extensions" */
};

/* rd_start reads the body of a message. `whole` starts at the message's header (offsets count from
 * there); the first `skip` bytes are header and are reported by the caller. */
struct rd rd_start(struct rd_msg *m, const uint8_t *whole, size_t len, size_t skip);

/* Integers, big-endian. */
uint8_t rd_u8(struct rd *r, const char *name);
uint16_t rd_u16(struct rd *r, const char *name);
uint32_t rd_u24(struct rd *r, const char *name);
uint32_t rd_u32(struct rd *r, const char *name);
uint64_t rd_u64(struct rd *r, const char *name);

/* The same, with a function that names the value in the trace. */
uint8_t rd_enum8(struct rd *r, const char *name, const char *(*value_name)(uint8_t));
uint16_t rd_enum16(struct rd *r, const char *name, const char *(*value_name)(uint16_t));

/* rd_bytes takes exactly n bytes as one leaf; {NULL,0} after a failure. */
struct slice rd_bytes(struct rd *r, const char *name, size_t n);

/* rd_rest takes all that is left as one leaf (nothing is reported if nothing is left). */
struct slice rd_rest(struct rd *r, const char *name);

/* Vectors with a length prefix of 1, 2 or 3 bytes, whose length must be in [min, max]: as a leaf of
 * opaque bytes ... */
struct slice rd_opaque8(struct rd *r, const char *name, size_t min, size_t max);
struct slice rd_opaque16(struct rd *r, const char *name, size_t min, size_t max);
struct slice rd_opaque24(struct rd *r, const char *name, size_t min, size_t max);

/* ... as a list of 16-bit or 8-bit values, checked to be a whole number of them; each element is a
 * leaf called `item` ... */
struct slice rd_list16(struct rd *r, const char *name, size_t min, size_t max, const char *item,
                       const char *(*value_name)(uint16_t)); /* 2-byte length, 2-byte items */
struct slice rd_list8_16(struct rd *r, const char *name, size_t min, size_t max,
                         const char *item,
                         const char *(*value_name)(uint16_t)); /* 1-byte length, 2-byte items */
struct slice rd_list8(struct rd *r, const char *name, size_t min, size_t max, const char *item,
                      const char *(*value_name)(uint8_t)); /* 1-byte length, 1-byte items */

/* ... or as a sub-reader for its content (an empty, failed one after a failure). */
struct rd rd_vec8(struct rd *r, const char *name, size_t min, size_t max);
struct rd rd_vec16(struct rd *r, const char *name, size_t min, size_t max);
struct rd rd_vec24(struct rd *r, const char *name, size_t min, size_t max);

/* rd_group opens a named struct of exactly n bytes as a sub-reader (an extension's body). */
struct rd rd_group(struct rd *r, const char *name, size_t n);

/* rd_more: bytes are left and nothing has failed. */
bool rd_more(const struct rd *r);
size_t rd_left(const struct rd *r);

/* rd_bad refuses what was read: it records code with path and the offset of the reader, and always
 * returns false. fmt gives the particulars. */
bool rd_bad(struct rd *r, hf_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));

/* rd_end: everything was read and nothing failed. Bytes left are E_TRAILING_DATA. */
bool rd_end(struct rd *r) __attribute__((warn_unused_result));

/* rd_ok: nothing has failed so far in this message. */
static inline bool rd_ok(const struct rd *r)
{
    return !r->m->failed;
}

#endif

/* sink.h: writing text as snprintf does: what does not fit is counted, and the end is a NUL. */
#ifndef BYTES_SINK_H
#define BYTES_SINK_H

#include "bytes/bytes.h"

struct sink {
    char *out;
    size_t size, len; /* len: as if everything had fitted */
};

/* sink_raw writes text of our own as it is. */
void sink_raw(struct sink *s, const char *text);
void sink_format(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* sink_plain writes text that others made, for a terminal: control bytes, and what is not UTF-8,
 * as \xNN. */
void sink_plain(struct sink *s, const char *text, size_t len);

/* sink_json writes the same as a JSON string with its quotes (RFC 8259 7); what is not UTF-8
 * becomes U+FFFD. */
void sink_json(struct sink *s, const char *text, size_t len);

/* sink_json_ascii does so with nothing but ASCII, and in the way of Python's json.dumps: a script that compares texts
 * sees no difference. */
void sink_json_ascii(struct sink *s, const char *text, size_t len);

/* sink_bytes writes text of our own of a known length. */
void sink_bytes(struct sink *s, const char *text, size_t len);

/* sink_end puts the NUL and returns the length without it. */
size_t sink_end(struct sink *s);

#endif

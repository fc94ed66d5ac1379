/* tracer.h: the trace hook, as the engine's rooms see it. */
#ifndef HANDSHAKE_TRACER_H
#define HANDSHAKE_TRACER_H

#include "bytes/reader.h"
#include "config/config.h"

struct tracer {
    hf_trace_fn fn;
    void *arg;
    const hf_conn *conn;
    bool secrets;
    unsigned quiet; /* mask of 1 << hf_trace_kind: nobody wants to know these */
};

/* trace_wants: does anybody look at this kind? What costs something is made only then. */
static inline bool trace_wants(const struct tracer *t, hf_trace_kind kind)
{
    return t && !(t->quiet & 1u << kind);
}

/* All of these do nothing when t is NULL. */
void trace_record(const struct tracer *t, bool sent, const uint8_t *record, size_t len);
void trace_plaintext(const struct tracer *t, bool sent, uint8_t type, const uint8_t *content,
                     size_t len);
/* trace_message reports a message and, if `open`, reads it to report its fields: for what we sent, and for what the
 * peer sent outside a flow list. */
void trace_message(const struct tracer *t, bool sent, const uint8_t *whole, size_t len,
                   bool open);
/* trace_message12 reports and opens a message of TLS 1.2 or older that we sent. */
void trace_message12(const struct tracer *t, const uint8_t *whole, size_t len, uint16_t version,
                     const struct suite *suite);
/* trace_raw_key does so with a Certificate that has a raw public key in it, or none. */
void trace_raw_key(const struct tracer *t, const uint8_t *whole, size_t len, bool older);
/* trace_decompressed reports the Certificate message that a compressed one stands for; `open` as above. */
void trace_decompressed(const struct tracer *t, bool sent, uint16_t algorithm,
                        struct slice body, bool open);
void trace_alert(const struct tracer *t, bool sent, const uint8_t *alert, size_t len);
void trace_ccs(const struct tracer *t, bool sent, const uint8_t *body, size_t len);
void trace_step(const struct tracer *t, const char *name, const char *rfc, bool sent);
void trace_secret(const struct tracer *t, const char *name, const uint8_t *secret, size_t len,
                  const char *rfc);
void trace_keys(const struct tracer *t, bool sent, const char *name);
void trace_note(const struct tracer *t, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void trace_error(const struct tracer *t, const hf_error *err);
/* trace_attach makes a reader report what it reads as received fields. `sink` must live as long as
 * the reader. */
struct trace_sink {
    const struct tracer *t;
    bool sent;
};
void trace_attach(const struct tracer *t, bool sent, struct trace_sink *sink, struct rd_msg *m);

#endif

/* handfast_memory.h: TLS without a socket, in the form of a file: buffers in memory, and an object that reads
 * ciphertext from one and writes it to another. hf_conn can do all that and more with the caller's own buffers and
 * without a copy; this is for whoever wants a queue of bytes on either side, as Python's MemoryBIO and SSLObject
 * are: another kind of transport, TLS inside TLS, tests.
 *
 *     hf_memory *in = hf_memory_new(), *out = hf_memory_new();
 *     hf_object *o = hf_object_new(hf_conn_new_client(config, "example.com", &err), in, out, &err);
 *     while ((r = hf_object_handshake(o, &err)) == HF_WANT_INPUT) {
 *         ... send what hf_memory_read(out, ...) gives, and hf_memory_write(in, ...) what comes back
 *     }
 *
 * None of it blocks. A memory buffer and an object belong to one thread at a time. */
#ifndef HANDFAST_MEMORY_H
#define HANDFAST_MEMORY_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- hf_memory: a queue of bytes that can be ended */
typedef struct hf_memory hf_memory;

/* hf_memory_new makes an empty one; NULL without memory. Dropped bytes are wiped. */
HF_API hf_memory *hf_memory_new(void);
HF_API hf_memory *hf_memory_ref(hf_memory *memory);
HF_API void hf_memory_free(hf_memory *memory);

/* hf_memory_write puts all of len bytes at the end. E_USAGE after hf_memory_end, E_NO_MEMORY: nothing is put then. */
HF_API bool hf_memory_write(hf_memory *memory, const void *bytes, size_t len, hf_error *err);

/* hf_memory_read takes at most len bytes from the front and returns their number, 0 if it is empty. */
HF_API size_t hf_memory_read(hf_memory *memory, void *out, size_t len);

/* hf_memory_pending: how many bytes are in it. hf_memory_end: nothing will be written any more. hf_memory_eof: it has
 * ended and is empty. */
HF_API size_t hf_memory_pending(const hf_memory *memory);
HF_API void hf_memory_end(hf_memory *memory);
HF_API bool hf_memory_eof(const hf_memory *memory);

/* hf_memory_peek shows all that is in it without taking it; valid until the next call that changes it. NULL and 0 if
 * it is empty. */
HF_API const uint8_t *hf_memory_peek(const hf_memory *memory, size_t *len);

/* ---- hf_object: a connection between two of them */
typedef struct hf_object hf_object;

/* hf_object_new takes a connection, of either role, at any point before data was received, and references to the
 * two: what comes from the peer, and what goes to it. NULL, and the connection is freed: E_USAGE for what is NULL
 * (then *err keeps an error that is in it: that of hf_conn_new_client), E_NO_MEMORY. hf_object_free drops all three
 * and sends nothing. */
HF_API hf_object *hf_object_new(hf_conn *conn, hf_memory *incoming, hf_memory *outgoing,
                                hf_error *err);
HF_API void hf_object_free(hf_object *object);

/* hf_object_conn returns the connection: for its getters, questions, hf_conn_set_session, hf_conn_key_update,
 * hf_conn_request_certificate. What it has to send after such a call goes out with the next call here. */
HF_API hf_conn *hf_object_conn(const hf_object *object);

/* Results, of all that follow: HF_DONE; HF_WANT_INPUT (write what the peer sends into `incoming`); HF_WANT_ANSWER
 * (hf_conn_question); HF_CLOSED (the peer has closed its half; of hf_object_write: this side has); HF_FAILED with
 * *err. The end of `incoming` (hf_memory_end) without close_notify is E_TRUNCATED, in the handshake
 * E_HANDSHAKE_CUT. hf_error_number (handfast_names.h) makes SSL_ERROR_ numbers of them.
 *
 * hf_object_handshake does the handshake as far as it goes.
 *
 * hf_object_read reads at most len bytes into out and sets *n (0 if not HF_DONE). hf_object_write protects all of len
 * bytes, or none. Both do the handshake first if it is not done.
 *
 * hf_object_unwrap closes this half, and is HF_DONE when the peer has closed its own: what comes behind is not TLS
 * and stays in `incoming`. Data that comes before can still be read. */
HF_API hf_result hf_object_handshake(hf_object *object, hf_error *err) HF_MUST_CHECK;
HF_API hf_result hf_object_read(hf_object *object, void *out, size_t len, size_t *n,
                                hf_error *err) HF_MUST_CHECK;
HF_API hf_result hf_object_write(hf_object *object, const void *data, size_t len,
                                 hf_error *err) HF_MUST_CHECK;
HF_API hf_result hf_object_unwrap(hf_object *object, hf_error *err) HF_MUST_CHECK;

/* hf_object_pending returns how many bytes hf_object_read gives without new input. */
HF_API size_t hf_object_pending(const hf_object *object);

#ifdef __cplusplus
}
#endif

#endif

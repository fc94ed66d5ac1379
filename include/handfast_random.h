/* handfast_random.h: the random numbers that handfast itself works with. */
#ifndef HANDFAST_RANDOM_H
#define HANDFAST_RANDOM_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* hf_random_bytes fills out with len bytes that nobody can foresee. They come from the kernel (from libcrypto where
 * its configuration asks for FIPS-validated algorithms), need no seed, and are never shared: a child of fork() and
 * its parent, and all threads, get bytes of their own. false, and out is zero: the system has no randomness. */
HF_API bool hf_random_bytes(void *out, size_t len) HF_MUST_CHECK;

/* hf_random_ready says whether random bytes can be had at once: false only in the first moments of a machine's
 * life, when hf_random_bytes would wait. */
HF_API bool hf_random_ready(void);

/* hf_random_add stirs bytes of the caller's into libcrypto's generator, from which it makes keys; entropy is how
 * many bytes of chance are in them, as RFC 4086 counts (0: unknown). It never makes anything worse, and is never
 * needed. */
HF_API void hf_random_add(const void *bytes, size_t len, double entropy);

#ifdef __cplusplus
}
#endif

#endif

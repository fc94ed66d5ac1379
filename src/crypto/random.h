/* random.h: random bytes, safe over fork(). */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "bytes/bytes.h"

/* random_bytes fills out; false only if the system has no randomness, which ends the
 * connection. */
bool random_bytes(void *out, size_t n) __attribute__((warn_unused_result));

/* crypto_error_text writes libcrypto's own words for the last failure of this thread and
 * empties its queue; "" if there are none. */
void crypto_error_text(char *out, size_t size);

/* crypto_init fetches the algorithms once per process; called by everything that needs it. */
bool crypto_init(void);
const char *crypto_version(void);
unsigned long crypto_version_number(void);

/* random_add stirs bytes into libcrypto's generator as well (the kernel takes care of its own); bits: how much
 * chance is in them. random_ready: there is randomness. */
void random_add(const void *p, size_t n, double bits);
bool random_ready(void);

#endif

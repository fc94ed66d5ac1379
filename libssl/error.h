/* error.h: libcrypto's error queue. */
#ifndef LIBSSL_ERROR_H
#define LIBSSL_ERROR_H

#include <openssl/err.h>

#include "handfast.h"

/* raise_ssl puts ERR_LIB_SSL and a reason on the queue, with the place where it stands. */
#define raise_ssl(reason)           ERR_raise(ERR_LIB_SSL, (reason))
#define raise_ssl_text(reason, ...) ERR_raise_data(ERR_LIB_SSL, (reason), __VA_ARGS__)

/* raise_hf puts an error of the engine on the queue: the reason that programs expect, the diagnosis as data. */
void raise_hf(const hf_error *err);
void raise_hf_as(const hf_error *err, int reason);
/* reason_of: the SSL_R_ (or ERR_R_) number of an error of the engine. */
int reason_of(const hf_error *err);

/* error_forget empties the queue. That of a thread is empty nearly always, and finding that out costs a tenth of
 * what ERR_clear_error takes for going through all its places. */
static inline void error_forget(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* raise_unsupported says that a function is not there. */
void raise_unsupported(const char *function);

#endif

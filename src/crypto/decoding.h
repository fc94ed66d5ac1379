/* decoding.h: where certificates are decoded. */
#ifndef CRYPTO_DECODING_H
#define CRYPTO_DECODING_H

#include "bytes/bytes.h"

/* decoding_context returns the OSSL_LIB_CTX * to give to X509_new_ex, or NULL for the ordinary one. */
void *decoding_context(void);

#endif

/* decoding.h: where certificates are decoded. */
#ifndef CRYPTO_DECODING_H
#define CRYPTO_DECODING_H

#include "bytes/bytes.h"

/* decoding_context returns the OSSL_LIB_CTX * to give to X509_new_ex, or NULL for the ordinary one. */
void *decoding_context(void);

/* decoding_use_ordinary: from now on always the ordinary one, for a program that is given each X509 anyway. */
void decoding_use_ordinary(void);

#endif

/* bundle.h: files of trust anchors. */
#ifndef LIBSSL_BUNDLE_H
#define LIBSSL_BUNDLE_H

#include "libssl/local.h"

/* bundle_load adds what is in a PEM file to the context's store, as X509_STORE_load_file_ex does; false with the
 * error on the queue. */
bool bundle_load(SSL_CTX *ctx, const char *path);

#endif

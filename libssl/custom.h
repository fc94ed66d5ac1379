/* custom.h: extensions that a program adds to the handshake. */
#ifndef LIBSSL_CUSTOM_H
#define LIBSSL_CUSTOM_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "handfast.h"

struct custom_exts;

struct custom_exts *custom_ref(struct custom_exts *c); /* NULL is none */
void custom_free(struct custom_exts *c);
bool custom_is_known(const struct custom_exts *c, unsigned type);

/* custom_to_config tells a configuration which of them the engine is to ask for. */
bool custom_to_config(const SSL *s, hf_config *config, hf_role role);

/* custom_or_known: OpenSSL knows the extension, or the application has asked for it; any other is as good as not
 * there to callbacks. */
bool custom_or_known(const SSL *s, unsigned type);

#endif

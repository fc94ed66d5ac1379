/* custom.h: extensions that a program adds to the handshake. */
#ifndef LIBSSL_CUSTOM_H
#define LIBSSL_CUSTOM_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct custom_exts;

struct custom_exts *custom_ref(struct custom_exts *c); /* NULL is none */
void custom_free(struct custom_exts *c);
bool custom_is_known(const struct custom_exts *c, unsigned type);

#endif

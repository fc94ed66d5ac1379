/* variant.h: settings that connections of a context change in the same way. */
#ifndef LIBSSL_VARIANT_H
#define LIBSSL_VARIANT_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "handfast.h"

enum { VARIANTS = 4 };

struct variants {
    pthread_mutex_t lock;
    struct settings *known[VARIANTS]; /* each with a server's configuration */
    unsigned next;
};

void variants_init(struct variants *v);
void variants_clear(struct variants *v);

/* variant_find gives a connection, whose settings have no configuration yet, settings that are the same and have
 * one; NULL: there are none. */
hf_config *variant_find(SSL *s);
/* variant_keep remembers a connection's settings, whose configuration has just been made. */
void variant_keep(SSL *s);

#endif

/* conf.h: settings from openssl.cnf. */
#ifndef LIBSSL_CONF_H
#define LIBSSL_CONF_H

#include <openssl/ssl.h>

/* conf_system_default applies the section that openssl.cnf's ssl_conf calls system_default to a new context; what
 * is wrong in it is left on the queue, and the context is usable. */
void conf_system_default(SSL_CTX *ctx);

#endif

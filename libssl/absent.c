/* absent.c: stand-ins for what other files will define; theirs take the place of these. */
#include "libssl/local.h"

__attribute__((weak)) struct settings *settings_edit(struct settings **slot)
{
    raise_unsupported("settings");
    (void)slot;
    return NULL;
}

__attribute__((weak)) X509_VERIFY_PARAM *ssl_param(SSL *s)
{
    return s->param;
}

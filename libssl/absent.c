/* absent.c: stand-ins for what other files will define; theirs take the place of these. */
#include "libssl/local.h"

__attribute__((weak)) struct settings *settings_edit(struct settings **slot)
{
    raise_unsupported("settings");
    (void)slot;
    return NULL;
}

__attribute__((weak)) const struct access_details *access_details(const hf_conn *conn)
{
    (void)conn;
    return NULL;
}

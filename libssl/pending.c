/* pending.c: a stand-in for a function of a file that is not there yet; its own takes the place of this. */
#include "libssl/local.h"

__attribute__((weak)) struct certs *certs_edit(struct certs **slot)
{
    raise_unsupported("certificates");
    (void)slot;
    return NULL;
}

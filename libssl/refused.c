/* refused.c: a definition of every exported function, which any other file's takes the place of. A program that
 * calls one that is not there gets 0 or NULL and an error that names it; a symbol that is missing altogether would
 * keep most programs from starting, since they bind all of them at once. */
#include "libssl/error.h"

/* They lie in a section of their own, by which `handfast run --check` knows them.
 * What the functions really take and return does not matter here: every one of them returns in a register. */
#define SSL_FUNCTION(name)                                                                     \
    __attribute__((weak, visibility("default"), section("refused_text"))) long name(void);     \
    long name(void)                                                                            \
    {                                                                                          \
        raise_unsupported(#name);                                                              \
        return 0;                                                                              \
    }
#include "libssl/functions.def"

/* null.c: a libssl.so.3 that does nothing: every function returns 0. What passes with it shows nothing of TLS. */
#define SSL_FUNCTION(name)                                                                     \
    __attribute__((visibility("default"))) long name(void);                                    \
    long name(void)                                                                            \
    {                                                                                          \
        return 0;                                                                              \
    }
#include "libssl/functions.def"

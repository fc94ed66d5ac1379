/* control_missing.c: commands that nothing stands behind yet, refused by name. A definition elsewhere takes the
 * place of the one here. */
#include "libssl/control.h"

#define MISSING(name)                                                                          \
    __attribute__((weak)) long name(const struct target *t, int command, long number,          \
                                    void *pointer)                                             \
    {                                                                                          \
        (void)t, (void)number, (void)pointer;                                                  \
        ERR_raise_data(ERR_LIB_SSL, ERR_R_UNSUPPORTED,                                         \
                       "handfast's libssl has no control %d (%s)", command, #name);            \
        return 0;                                                                              \
    }

MISSING(control_sess_counter)
MISSING(control_sess_cache)
MISSING(control_tmp_ecdh)
MISSING(control_groups)
MISSING(control_sigalgs)
MISSING(control_signature_nid)
MISSING(control_tmp_key)
MISSING(control_raw_ciphers)
MISSING(control_ec_formats)

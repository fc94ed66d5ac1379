/* advice.h: what failures usually mean and what to do about them, by role and by how far the
 * connection had come. */
#ifndef CONNECTION_ADVICE_H
#define CONNECTION_ADVICE_H

#include "bytes/bytes.h"

enum advice_role { ADVICE_UNKNOWN, ADVICE_CLIENT, ADVICE_SERVER }; /* which side we are */

enum advice_phase {
    PHASE_HELLO = 1, /* client: the server has not said anything; server: nor has it answered */
    PHASE_HANDSHAKE = 2, /* later in the handshake */
    PHASE_DATA = 4,      /* after it */
};

struct advice {
    const char *means;
    const char *what_to_do;
};

/* advice_for_alert: what an alert that the peer sent usually means here. `certificate` says
 * whether this side sent (or could have sent) a certificate of its own. Never NULL strings. */
struct advice advice_for_alert(uint8_t alert, enum advice_role role, unsigned phase,
                               bool certificate);

/* advice_for_error: what an error that arose on this side means, and what to do about it, as far as something
 * general can be said; the error's own hint, if it has one and no row knows better, is that. */
struct advice advice_for_error(const hf_error *err, enum advice_role role);

/* advice_phase: the part of the handshake that a step of this name belongs to. */
unsigned advice_phase(const char *step);

#endif

/* session_ids.h: what libssl/ puts in place of the cache of sessions by ID. */
#ifndef CONFIG_SESSION_IDS_H
#define CONFIG_SESSION_IDS_H

#include "handfast.h"

struct session_ids {
    /* make: the ID of a new session of this suite, *len (32 before) of 0: it gets none. False ends the
     * handshake. */
    bool (*make)(hf_conn *conn, uint16_t suite, uint8_t id[32], uint8_t *len);
    /* find: a reference to the session of this ID, or NULL. False ends the handshake. */
    bool (*find)(hf_conn *conn, uint16_t version, const uint8_t *id, size_t len,
                 hf_session **session);
    /* empty: before TLS 1.3, a client takes tickets and has none. *wanted (true before): it is given one. False
     * ends the handshake. */
    bool (*empty)(hf_conn *conn, bool *wanted);
    /* again: in a renegotiation: false: nothing is resumed, nor is there a ticket. NULL: it is as ever. */
    bool (*again)(hf_conn *conn);
};

#endif

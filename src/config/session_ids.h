/* session_ids.h: what libssl/ puts in place of the cache of sessions by ID. */
#ifndef CONFIG_SESSION_IDS_H
#define CONFIG_SESSION_IDS_H

#include "handfast.h"

struct session_ids {
    /* make: the ID of a new session, *len (32 before) of 0: it gets none. False ends the handshake. */
    bool (*make)(hf_conn *conn, uint8_t id[32], uint8_t *len);
    /* find: a reference to the session of this ID, or NULL. False ends the handshake. */
    bool (*find)(hf_conn *conn, uint16_t version, const uint8_t *id, size_t len,
                 hf_session **session);
};

#endif

/* checks.h: what libssl/ asks an application's security callback about what a peer has chosen. */
#ifndef CONFIG_CHECKS_H
#define CONFIG_CHECKS_H

#include "bytes/bytes.h"
#include "handfast.h"

/* Each returns false to end the handshake. */
struct checks {
    bool (*suite)(hf_conn *conn, uint16_t id); /* client: the ServerHello's */
    bool (*group)(hf_conn *conn, uint16_t id); /* client before TLS 1.3: the server's curve */
    bool (*signature)(hf_conn *conn,
                      uint16_t id); /* the scheme that the peer signed with, from TLS 1.2 on */
    bool (*dh)(hf_conn *conn, struct slice p, struct slice g); /* client: the server's group */
};

#endif

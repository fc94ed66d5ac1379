/* after13.h: sessions from finished handshakes. */
#ifndef HANDSHAKE_AFTER13_H
#define HANDSHAKE_AFTER13_H

#include "config/session.h"
#include "handshake/established.h"

/* session_from_established makes a session of a connection, without secret and ticket. */
hf_session *session_from_established(const struct established *e, const hf_config *config);
/* session_secret derives the session's PSK for a ticket's nonce (RFC 8446 4.6.1). */
void session_secret(hf_session *s, const struct established *e, struct slice nonce);

#endif

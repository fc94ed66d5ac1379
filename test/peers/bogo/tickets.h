/* tickets.h: tickets as BoringSSL makes them, as far as the runner looks into them. */
#ifndef BOGO_TICKETS_H
#define BOGO_TICKETS_H

#include "handfast.h"

#define SHIM_TICKET_KEY 48 /* 16 bytes each of name, MAC key, encryption key */

/* tickets_seal writes the session's ticket; its length, or 0. */
size_t tickets_seal(const uint8_t key[SHIM_TICKET_KEY], const hf_session *session, uint8_t *out,
                    size_t size);

/* tickets_open returns the session, with the version and the suite that the runner may have put into the
 * ticket; NULL if it cannot be opened. */
hf_session *tickets_open(const uint8_t key[SHIM_TICKET_KEY], const uint8_t *ticket, size_t len);

#endif

/* ticket.h: stateless tickets: a session sealed with a key that only this server (or its fleet) has.
 *
 *   struct { opaque key_name[16]; opaque nonce[12]; opaque sealed<..>; } Ticket;
 *
 * sealed is AES-256-GCM over session_write's bytes with key_name as associated data. A ring of keys rotates
 * by time: the newest seals, all that may still have valid tickets open. */
#ifndef CONFIG_TICKET_H
#define CONFIG_TICKET_H

#include "config/config.h"
#include "config/session.h"

struct ticket_ring *ticket_ring_new(void);
struct ticket_ring *ticket_ring_ref(struct ticket_ring *ring);
void ticket_ring_free(struct ticket_ring *ring);

/* ticket_seal writes a ticket for the session (without vector length). */
bool ticket_seal(const hf_config *config, const hf_session *session, struct wr *w)
    __attribute__((warn_unused_result));

/* ticket_open returns the session, or NULL if this is no ticket of ours, or its key is gone, or it
 * has expired: none of that is an error, the handshake is then a full one. */
hf_session *ticket_open(const hf_config *config, struct slice ticket);

#endif

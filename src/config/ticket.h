/* ticket.h: stateless tickets: a session sealed with a key that only this server (or its fleet) has.
 *
 *   struct { opaque key_name[16]; opaque nonce[12]; opaque sealed<..>; } Ticket;
 *
 * sealed is AES-256-GCM over session_write's bytes with key_name as associated data. A ring of keys
 * rotates by time: the newest seals, all that may still have valid tickets open. Each key comes from
 * a secret that moves on with every rotation and never back, so that processes forked from one
 * parent rotate alike and open each other's tickets, while keys that were dropped stay lost. Keys that
 * are set from outside (hf_config_set_ticket_keys) replace the ring and stay until they are replaced. */
#ifndef CONFIG_TICKET_H
#define CONFIG_TICKET_H

#include "config/config.h"
#include "config/session.h"

#define TICKET_OVERHEAD (16 + 12 + 16)

struct ticket_ring *ticket_ring_new(void);
struct ticket_ring *ticket_ring_ref(struct ticket_ring *ring);
void ticket_ring_free(struct ticket_ring *ring);

/* ticket_ring_start makes the first key if there is none yet: done when the configuration freezes,
 * so that a server's worker processes inherit it. */
bool ticket_ring_start(struct ticket_ring *ring, const hf_config *config)
    __attribute__((warn_unused_result));

/* ticket_ring_count: how many keys the ring holds; for tests. */
size_t ticket_ring_count(struct ticket_ring *ring);

/* ticket_seal writes a ticket for the session (without vector length). A failure leaves the writer
 * failed and nothing of the ticket in its buffer. */
bool ticket_seal(const hf_config *config, const hf_session *session, struct wr *w)
    __attribute__((warn_unused_result));

/* ticket_open returns the session, or NULL if this is no ticket of ours, or its key is gone, or it
 * has expired: none of that is an error, the handshake is then a full one. */
hf_session *ticket_open(const hf_config *config, struct slice ticket);

#endif

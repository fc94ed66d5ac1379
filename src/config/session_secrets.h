/* session_secrets.h: sessions of TLS 1.2 and older whose master secret the application knows by other means, from an
 * opaque ticket of its own (EAP-FAST, RFC 4851 3.2.2). */
#ifndef CONFIG_SESSION_SECRETS_H
#define CONFIG_SESSION_SECRETS_H

#include "handfast.h"

enum { SESSION_SECRET = 48 };

struct session_secrets {
    /* offer (client): what session_ticket has, where no session is offered; borrowed. *len 0: it is empty. False: the
     * extension is left out. */
    bool (*offer)(hf_conn *conn, const uint8_t **ticket, size_t *len);
    /* took: session_ticket of the peer has come; a client's answer is empty. False ends the handshake. */
    bool (*took)(hf_conn *conn, const uint8_t *ticket, size_t len);
    /* asks: is `secret` to be called? */
    bool (*asks)(hf_conn *conn);
    /* secret: both randoms are known (details.h). 1 with the master secret: a server then goes on with an abbreviated
     * handshake, a client does if the server does. 0: it is not known: a server goes on as if nothing had been asked.
     * -1 ends the handshake. *suite: a client's is the server's choice; a server may set it, 0 leaves it to us. */
    int (*secret)(hf_conn *conn, uint16_t *suite, uint8_t secret[SESSION_SECRET]);
};

#endif

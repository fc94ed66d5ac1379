/* session_ticket.c: resumption without state on the server, before TLS 1.3 (RFC 5077). */
#include "extension/row.h"

/* Whoever wants no session resumed wants none in any version; a client that wants no tickets takes sessions
 * by their IDs. */
static bool has_ticket(const struct nego *n)
{
    return n->session && n->session->version < HF_TLS1_3 && n->session->ticket_len > 0;
}

bool session_ticket_wants(const struct nego *n, unsigned message)
{
    const hf_config *config = n->config;
    return message == IN_CH ? config->psk_modes != 0 && !config->no_tickets
                            : n->ticket_expected;
}

void session_ticket_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message != IN_CH)
        return; /* the server's answer is empty */
    n->ticket_offered = true;
    if (has_ticket(n))
        wr_bytes(w, n->session->ticket, n->session->ticket_len);
}

/* The extension's data is the ticket itself, without a length of its own; empty: the client has none
 * but would like one (RFC 5077 3.2, appendix A). */
void session_ticket_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message == IN_CH)
        v->session_ticket = rd_rest(r, "ticket");
}

bool session_ticket_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CH) {
        n->ticket_offered = ext_has(v, X_SESSION_TICKET);
        n->ticket = v->session_ticket;
    } else {
        n->ticket_expected = ext_has(v, X_SESSION_TICKET);
    }
    return true;
}

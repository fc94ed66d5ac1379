/* session_ticket.c: resumption without state on the server, before TLS 1.3 (RFC 5077). */
#include "extension/row.h"

/* Whoever wants no session resumed wants none in any version; a client that wants no tickets takes sessions
 * by their IDs. */
static bool has_ticket(const struct nego *n)
{
    return n->session && n->session->version < HF_TLS1_3 && n->session->ticket_len > 0;
}

/* The application's own, where no session is offered (config/session_secrets.h). False: it wants none sent. */
static bool own_ticket(const struct nego *n, struct slice *out)
{
    const struct session_secrets *x = n->config->session_secrets;
    *out = (struct slice){0};
    return !x || x->offer(n->conn, &out->p, &out->len);
}

bool session_ticket_wants(const struct nego *n, unsigned message)
{
    const hf_config *config = n->config;
    struct slice own;
    if (message != IN_CH)
        return n->ticket_expected;
    return config->psk_modes != 0 && !config->no_tickets &&
           (has_ticket(n) || own_ticket(n, &own));
}

void session_ticket_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message != IN_CH)
        return; /* the server's answer is empty */
    n->ticket_offered = true;
    struct slice ticket;
    if (has_ticket(n))
        ticket = slice_of(n->session->ticket, n->session->ticket_len);
    else
        (void)own_ticket(n, &ticket);
    n->ticket_full = ticket.len > 0;
    wr_bytes(w, ticket.p, ticket.len);
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
    const struct session_secrets *x = n->config->session_secrets;
    if (!x || !ext_has(v, X_SESSION_TICKET) ||
        x->took(n->conn, v->session_ticket.p, v->session_ticket.len))
        return true;
    return ext_refuse(n, message, X_SESSION_TICKET, HF_E_CRYPTO,
                      "the application does not take the ticket");
}

/* ticket_request.c: how many tickets a client wants (RFC 9149). */
#include "extension/row.h"

enum { MOST = 16 }; /* as hf_config_set_tickets allows */

bool ticket_request_wants(const struct nego *n, unsigned message)
{
    if (message == IN_CH)
        return n->config->ticket_request && n->config->psk_modes != 0;
    return n->tickets_counted && n->config->ticket_count > 0;
}

/* "The server's expected_count is an estimate" of what it will send (2). */
void ticket_request_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_CH) {
        wr_u8(w, n->config->new_tickets);
        wr_u8(w, n->config->resumption_tickets);
        return;
    }
    wr_u8(w, n->psk ? n->resumption_tickets : n->new_tickets);
}

/* struct {
 *     select (Handshake.msg_type) {
 *         case client_hello: uint8 new_session_count; uint8 resumption_count;
 *         case encrypted_extensions: uint8 expected_count;
 *     };
 * } TicketRequestContents;                                                   RFC 9149 3 */
void ticket_request_read(struct rd *r, struct ext_values *v, unsigned message)
{
    /* Nobody knows yet whether TLS 1.3 will be spoken: before it the extension means nothing, whatever is in
     * it. */
    if (message == IN_CH && rd_left(r) != 2) {
        rd_rest(r, "opaque");
        v->bad_ticket_request = true;
    } else if (message == IN_CH) {
        v->new_tickets = rd_u8(r, "new_session_count");
        v->resumption_tickets = rd_u8(r, "resumption_count");
    } else {
        v->new_tickets = rd_u8(r, "expected_count");
    }
}

static uint8_t limited(uint8_t count)
{
    return count < MOST ? count : MOST;
}

bool ticket_request_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message != IN_CH)
        return true; /* what comes, comes */
    if (v->bad_ticket_request)
        return ext_refuse(n, message, X_TICKET_REQUEST, HF_E_DECODE, "it must have two bytes");
    n->tickets_counted = ext_has(v, X_TICKET_REQUEST);
    n->new_tickets = limited(v->new_tickets);
    n->resumption_tickets = limited(v->resumption_tickets);
    return true;
}

/* new_session_ticket.c: NewSessionTicket. */
#include "message/message.h"

/* struct {
 *     uint32 ticket_lifetime;
 *     uint32 ticket_age_add;
 *     opaque ticket_nonce<0..255>;
 *     opaque ticket<1..2^16-1>;
 *     Extension extensions<0..2^16-2>;
 * } NewSessionTicket;                                                        RFC 8446 4.6.1 */
bool msg_read_new_session_ticket(struct rd *r, struct new_session_ticket *out)
{
    out->lifetime = rd_u32(r, "ticket_lifetime");
    out->age_add = rd_u32(r, "ticket_age_add");
    out->nonce = rd_opaque8(r, "ticket_nonce", 0, 255);
    out->ticket = rd_opaque16(r, "ticket", 1, 65535);
    out->extensions = rd_vec16(r, "extensions", 0, 65534);
    return rd_end(r);
}

/* struct {
 *     uint32 ticket_lifetime_hint;
 *     opaque ticket<0..2^16-1>;
 * } NewSessionTicket;                                                        RFC 5077 3.3
 * An empty ticket takes back what the ServerHello promised. */
bool msg_read_new_session_ticket12(struct rd *r, struct new_session_ticket12 *out)
{
    *out = (struct new_session_ticket12){0};
    out->lifetime = rd_u32(r, "ticket_lifetime_hint");
    out->ticket = rd_opaque16(r, "ticket", 0, 65535);
    return rd_end(r);
}

/* early_data.c: 0-RTT (RFC 8446 4.2.10). */
#include "extension/row.h"

bool early_data_wants(const struct nego *n, unsigned message)
{
    if (message == IN_CH) /* "MUST NOT" stand in the second one (4.1.2) */
        return n->early_data_offered && !n->retried;
    return message == IN_EE ? n->early : n->config->max_early_data > 0;
}

void early_data_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_NST)
        wr_u32(w, n->config->max_early_data);
}

/* struct {} Empty;
 * struct {
 *     select (Handshake.msg_type) {
 *         case new_session_ticket: uint32 max_early_data_size;
 *         case client_hello: Empty;
 *         case encrypted_extensions: Empty;
 *     };
 * } EarlyDataIndication;                                                     RFC 8446 4.2.10 */
void early_data_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message == IN_NST)
        v->max_early_data = rd_u32(r, "max_early_data_size");
}

bool early_data_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_EE)
        n->early = ext_has(v, X_EARLY_DATA);
    if (message != IN_CH || !ext_has(v, X_EARLY_DATA))
        return true;
    if (n->retried)
        return ext_refuse(n, message, X_EARLY_DATA, HF_E_BAD_EXTENSION,
                          "early_data may not stand in a second ClientHello (RFC 8446 4.1.2)");
    n->early_data_offered = true;
    return true;
}

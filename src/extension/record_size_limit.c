/* record_size_limit.c: how long a record's plaintext may be (RFC 8449). */
#include "extension/row.h"

/* In TLS 1.3 the limit counts the content type and the padding too, so that the protocol's own
 * limit is 2^14 + 1; in older versions it counts the content alone (RFC 8449 4). */
enum { LOWEST = 64, HIGHEST = 16385 };

/* The limit of the configuration counts content. */
static uint16_t on_the_wire(const struct nego *n, unsigned message)
{
    uint16_t limit = n->config->record_size_limit;
    bool type_byte = message == IN_EE || (message == IN_CH && !n->renegotiating &&
                                          n->config->body.version_max >= HF_TLS1_3);
    return (uint16_t)((limit ? limit : HIGHEST - 1) + type_byte);
}

bool record_size_limit_wants(const struct nego *n, unsigned message)
{
    /* "A server that supports this extension MUST send it" in answer, if only to say the maximum. */
    return message != IN_CH || n->config->record_size_limit > 0;
}

void record_size_limit_put(struct nego *n, struct wr *w, unsigned message)
{
    wr_u16(w, on_the_wire(n, message));
}

/* uint16 RecordSizeLimit;                                                    RFC 8449 4 */
void record_size_limit_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->record_size_limit = rd_u16(r, "record_size_limit");
}

bool record_size_limit_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (!ext_has(v, X_RECORD_SIZE_LIMIT))
        return true;
    uint16_t limit = v->record_size_limit;
    if (limit < LOWEST)
        return ext_refuse(n, message, X_RECORD_SIZE_LIMIT, HF_E_BAD_EXTENSION, "%u is below 64",
                          limit);
    /* A client may be prepared for larger records of a later version; a server answers for this one. */
    if (message != IN_CH && limit > HIGHEST)
        return ext_refuse(n, message, X_RECORD_SIZE_LIMIT, HF_E_BAD_EXTENSION,
                          "%u is above 16385", limit);
    n->peer_record_limit = limit > HIGHEST ? HIGHEST : limit;
    n->record_limit_agreed = true;
    return true;
}

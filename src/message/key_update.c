/* key_update.c: KeyUpdate. */
#include "message/message.h"

static const char *request_name(uint8_t value)
{
    return value == 0 ? "update_not_requested" : value == 1 ? "update_requested" : "unknown";
}

/* enum { update_not_requested(0), update_requested(1), (255) } KeyUpdateRequest;
 * struct { KeyUpdateRequest request_update; } KeyUpdate;                     RFC 8446 4.6.3 */
bool msg_read_key_update(struct rd *r, bool *request)
{
    uint8_t value = rd_enum8(r, "request_update", request_name);
    *request = value == 1;
    /* "If an implementation receives any other value, it MUST terminate the connection with an
     * "illegal_parameter" alert." */
    if (value > 1 && rd_ok(r))
        return rd_bad(r, HF_E_ILLEGAL_VALUE, "request_update is %u, only 0 and 1 are defined",
                      value);
    return rd_end(r);
}

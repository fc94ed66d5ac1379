/* certificate_status.c: CertificateStatus. */
#include "message/message.h"

enum { OCSP = 1 };

static const char *status_type_name(uint8_t type)
{
    return type == OCSP ? "ocsp" : "unknown";
}

/* struct {
 *     CertificateStatusType status_type;
 *     select (status_type) { case ocsp: OCSPResponse; } response;
 * } CertificateStatus;
 * opaque OCSPResponse<1..2^24-1>;                                            RFC 6066 8 */
bool msg_read_certificate_status(struct rd *r, struct slice *response)
{
    *response = (struct slice){0};
    uint8_t type = rd_enum8(r, "status_type", status_type_name);
    if (rd_ok(r) && type != OCSP)
        return rd_bad(r, HF_E_ILLEGAL_VALUE, "status_type is %u, asked for was ocsp(1)", type);
    *response = rd_opaque24(r, "response", 1, 0xffffff);
    return rd_end(r);
}

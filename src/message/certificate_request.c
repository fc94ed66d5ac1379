/* certificate_request.c: CertificateRequest. */
#include "message/message.h"

/* struct {
 *     opaque certificate_request_context<0..2^8-1>;
 *     Extension extensions<2..2^16-1>;
 * } CertificateRequest;                                                      RFC 8446 4.3.2 */
bool msg_read_certificate_request(struct rd *r, struct certificate_request *out)
{
    out->context = rd_opaque8(r, "certificate_request_context", 0, 255);
    out->extensions = rd_vec16(r, "extensions", 2, 65535);
    return rd_end(r);
}

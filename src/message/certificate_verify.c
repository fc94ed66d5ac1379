/* certificate_verify.c: CertificateVerify. */
#include "bytes/names.h"
#include "message/message.h"

/* struct {
 *     SignatureScheme algorithm;
 *     opaque signature<0..2^16-1>;
 * } CertificateVerify;                                                       RFC 8446 4.4.3 */
bool msg_read_certificate_verify(struct rd *r, struct certificate_verify *out)
{
    out->algorithm = rd_enum16(r, "algorithm", name_signature);
    out->signature = rd_opaque16(r, "signature", 0, 65535);
    return rd_end(r);
}

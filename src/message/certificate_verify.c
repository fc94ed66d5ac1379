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

/* struct {
 *     SignatureAndHashAlgorithm algorithm;                                   (TLS 1.2)
 *     opaque signature<0..2^16-1>;
 * } CertificateVerify;                                             RFC 4346 7.4.8, RFC 5246 7.4.8 */
bool msg_read_certificate_verify12(struct rd *r, bool tls12, struct certificate_verify *out)
{
    *out = (struct certificate_verify){0};
    if (tls12)
        out->algorithm = rd_enum16(r, "algorithm", name_signature);
    out->signature = rd_opaque16(r, "signature", 0, 65535);
    return rd_end(r);
}

/* compressed_certificate.c: CompressedCertificate. */
#include "bytes/names.h"
#include "message/message.h"

/* struct {
 *     CertificateCompressionAlgorithm algorithm;
 *     uint24 uncompressed_length;
 *     opaque compressed_certificate_message<1..2^24-1>;
 * } CompressedCertificate;                                                   RFC 8879 4 */
bool msg_read_compressed_certificate(struct rd *r, struct compressed_certificate *out)
{
    out->algorithm = rd_enum16(r, "algorithm", name_certificate_compression);
    out->length = rd_u24(r, "uncompressed_length");
    out->packed = rd_opaque24(r, "compressed_certificate_message", 1, 0xffffff);
    return rd_end(r);
}

void msg_write_compressed_certificate(struct wr *w, const struct compressed_certificate *cc)
{
    wr_u16(w, cc->algorithm);
    wr_u24(w, cc->length);
    wr_opaque24(w, cc->packed);
}

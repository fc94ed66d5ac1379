/* certificate_request.c: CertificateRequest. */
#include "bytes/names.h"
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

/* struct {
 *     ClientCertificateType certificate_types<1..2^8-1>;
 *     SignatureAndHashAlgorithm supported_signature_algorithms<2..2^16-2>;   (TLS 1.2)
 *     DistinguishedName certificate_authorities<0..2^16-1>;
 * } CertificateRequest;
 * opaque DistinguishedName<1..2^16-1>;                                       RFC 5246 7.4.4 */
bool msg_read_certificate_request12(struct rd *r, bool tls12, struct certificate_request12 *out)
{
    *out = (struct certificate_request12){0};
    out->types =
        rd_list8(r, "certificate_types", 1, 255, "certificate_type", name_certificate_type);
    if (tls12)
        out->sigalgs = rd_list16(r, "supported_signature_algorithms", 2, 65534,
                                 "signature_algorithm", name_signature);
    struct rd list = rd_vec16(r, "certificate_authorities", 0, 65535);
    out->authorities = slice_of(list.p, rd_left(&list));
    while (rd_more(&list))
        rd_opaque16(&list, "distinguished_name", 1, 65535);
    return rd_end(r);
}

void msg_write_certificate_request12(struct wr *w, bool tls12,
                                     const struct certificate_request12 *cr)
{
    wr_opaque8(w, cr->types);
    if (tls12)
        wr_opaque16(w, cr->sigalgs);
    wr_opaque16(w, cr->authorities);
}

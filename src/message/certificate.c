/* certificate.c: Certificate. */
#include "message/message.h"

/* struct {
 *     opaque cert_data<1..2^24-1>;
 *     Extension extensions<0..2^16-1>;
 * } CertificateEntry;                                                        RFC 8446 4.4.2 */
static void read_entry(struct rd *list, const char *name, struct certificate_entry *out)
{
    out->data = rd_opaque24(list, name, 1, 0xffffff);
    out->extensions = rd_vec16(list, "extensions", 0, 65535);
}

/* struct {
 *     opaque certificate_request_context<0..2^8-1>;
 *     CertificateEntry certificate_list<0..2^24-1>;
 * } Certificate;                                                             RFC 8446 4.4.2 */
bool msg_read_certificate(struct rd *r, struct certificate_list *out)
{
    *out = (struct certificate_list){0};
    out->context = rd_opaque8(r, "certificate_request_context", 0, 255);
    out->list = rd_vec24(r, "certificate_list", 0, 0xffffff);
    while (rd_more(&out->list)) {
        if (out->count == MSG_MAX_CERTIFICATES)
            return rd_bad(&out->list, HF_E_CHAIN_TOO_LONG, "more than %d certificates",
                          MSG_MAX_CERTIFICATES);
        read_entry(&out->list, "cert_data", &out->entry[out->count]);
        out->count += rd_ok(r);
    }
    return rd_end(r);
}

/* opaque ASN.1Cert<1..2^24-1>;
 * struct { ASN.1Cert certificate_list<0..2^24-1>; } Certificate;             RFC 5246 7.4.2 */
bool msg_read_certificate12(struct rd *r, struct certificate_list *out)
{
    *out = (struct certificate_list){0};
    out->list = rd_vec24(r, "certificate_list", 0, 0xffffff);
    while (rd_more(&out->list)) {
        if (out->count == MSG_MAX_CERTIFICATES)
            return rd_bad(&out->list, HF_E_CHAIN_TOO_LONG, "more than %d certificates",
                          MSG_MAX_CERTIFICATES);
        out->entry[out->count].data = rd_opaque24(&out->list, "cert_data", 1, 0xffffff);
        out->count += rd_ok(r);
    }
    return rd_end(r);
}

/* "If the RawPublicKey certificate type was negotiated, then the certificate_list MUST contain no more than
 * one CertificateEntry, which contains an ASN1_subjectPublicKeyInfo" (RFC 8446 4.4.2). */
bool msg_read_raw_key(struct rd *r, struct certificate_list *out)
{
    *out = (struct certificate_list){0};
    out->context = rd_opaque8(r, "certificate_request_context", 0, 255);
    out->list = rd_vec24(r, "certificate_list", 0, 0xffffff);
    if (rd_more(&out->list)) {
        read_entry(&out->list, "ASN1_subjectPublicKeyInfo", &out->entry[0]);
        out->count += rd_ok(r);
    }
    if (rd_more(&out->list))
        return rd_bad(&out->list, HF_E_ILLEGAL_VALUE, "more than one raw public key");
    return rd_end(r);
}

/* struct { opaque ASN.1_subjectPublicKeyInfo<1..2^24-1>; } Certificate;      RFC 7250 3 */
bool msg_read_raw_key12(struct rd *r, struct certificate_list *out)
{
    *out = (struct certificate_list){0};
    out->entry[0].data = rd_opaque24(r, "ASN.1_subjectPublicKeyInfo", 0, 0xffffff);
    out->count = out->entry[0].data.len > 0;
    return rd_end(r);
}

/* certificate.c: Certificate. */
#include "message/message.h"

/* struct {
 *     opaque cert_data<1..2^24-1>;
 *     Extension extensions<0..2^16-1>;
 * } CertificateEntry;                                                        RFC 8446 4.4.2 */
static void read_entry(struct rd *list, struct certificate_entry *out)
{
    out->data = rd_opaque24(list, "cert_data", 1, 0xffffff);
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
        read_entry(&out->list, &out->entry[out->count]);
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

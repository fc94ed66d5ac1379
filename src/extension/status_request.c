/* status_request.c: a stapled OCSP response (RFC 6066 8, RFC 8446 4.4.2.1). */
#include "extension/row.h"

enum { OCSP = 1 };

bool status_request_wants(const struct nego *n, unsigned message)
{
    if (message == IN_CH)
        return n->config->ocsp != HF_OCSP_NONE;
    if (message ==
        IN_SH12) /* the promise of a CertificateStatus, which stands beside a Certificate */
        return n->ocsp_staple.len > 0 && !n->resumed12;
    return message == IN_CT && n->ocsp_staple.len > 0; /* clients are not asked for one */
}

void status_request_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_SH12)
        return; /* "with empty "extension_data"": the response comes in a message of its own */
    wr_u8(w, OCSP);
    if (message == IN_CH && n->config->ocsp_request) {
        wr_bytes(w, n->config->ocsp_request, n->config->ocsp_request_len);
    } else if (message == IN_CH) {
        wr_u16(w, 0); /* responder_id_list */
        wr_u16(w, 0); /* request_extensions */
    } else {
        wr_opaque24(w, n->ocsp_staple);
    }
}

static const char *type_name(uint8_t type)
{
    return type == OCSP ? "ocsp" : "unknown";
}

/* struct {
 *     CertificateStatusType status_type;
 *     select (status_type) { case ocsp: OCSPStatusRequest; } request;
 * } CertificateStatusRequest;
 * struct {
 *     ResponderID responder_id_list<0..2^16-1>;
 *     Extensions request_extensions;
 * } OCSPStatusRequest;
 * struct {
 *     CertificateStatusType status_type;
 *     select (status_type) { case ocsp: OCSPResponse; } response;
 * } CertificateStatus;
 * opaque OCSPResponse<1..2^24-1>;                                            RFC 6066 8 */
void status_request_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message == IN_SH12)
        return; /* must be empty */
    if (message == IN_CR) {
        /* A server asks a client "by sending an empty "status_request" extension" (RFC 8446
         * 4.4.2.1); one that fills it asks the same. */
        rd_rest(r, "request");
        return;
    }
    uint8_t type = rd_enum8(r, "status_type", type_name);
    if (message == IN_CT) {
        if (rd_ok(r) && type != OCSP)
            rd_bad(r, HF_E_BAD_EXTENSION, "status_type %u is not ocsp(1)", type);
        v->ocsp = rd_opaque24(r, "response", 1, (1u << 24) - 1);
    } else if (type == OCSP) {
        rd_opaque16(r, "responder_id_list", 0, 65535);
        rd_opaque16(r, "request_extensions", 0, 65535);
    } else {
        rd_rest(r, "request"); /* another kind of status: not ours to answer */
        v->present &= ~(1u << X_STATUS_REQUEST);
    }
}

bool status_request_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_SH12)
        n->ocsp_promised = ext_has(v, X_STATUS_REQUEST);
    if (!ext_has(v, X_STATUS_REQUEST))
        return true;
    if (message == IN_CH)
        n->ocsp_asked = true;
    if (message != IN_CT || n->peer_ocsp)
        return true;
    n->peer_ocsp = mem_dup(v->ocsp.p, v->ocsp.len);
    n->peer_ocsp_len = v->ocsp.len;
    return n->peer_ocsp || err_set(n->err, HF_E_NO_MEMORY, "OCSP response");
}

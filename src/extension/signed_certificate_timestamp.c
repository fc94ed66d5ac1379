/* signed_certificate_timestamp.c: proofs that a certificate is publicly logged (RFC 6962 3.3). */
#include "extension/row.h"

bool signed_certificate_timestamp_wants(const struct nego *n, unsigned message)
{
    if (message == IN_CH)
        return n->config->sct;
    if (message == IN_CR)
        return false; /* clients' certificates are in no log */
    /* A resumed session has what came with its full handshake (RFC 6962 3.3.1). */
    return n->sct_list.len > 0 && !(message == IN_SH12 && n->resumed12);
}

void signed_certificate_timestamp_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message != IN_CH)
        wr_slice(w, n->sct_list); /* a question is empty */
}

/* opaque SerializedSCT<1..2^16-1>;
 * struct { SerializedSCT sct_list <1..2^16-1>; } SignedCertificateTimestampList;
 *                                                                            RFC 6962 3.3 */
void signed_certificate_timestamp_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message & (IN_CH | IN_CR))
        return;
    v->scts = slice_of(r->p, rd_left(r));
    struct rd list = rd_vec16(r, "sct_list", 1, 65535);
    while (rd_more(&list))
        rd_opaque16(&list, "serialized_sct", 1, 65535);
}

bool signed_certificate_timestamp_take(struct nego *n, const struct ext_values *v,
                                       unsigned message)
{
    if (!ext_has(v, X_SCT) || message == IN_CR)
        return true;
    if (message == IN_CH) {
        n->sct_asked = true;
        return true;
    }
    mem_free(n->peer_scts);
    n->peer_scts = mem_dup(v->scts.p, v->scts.len);
    n->peer_scts_len = v->scts.len;
    return n->peer_scts || err_set(n->err, HF_E_NO_MEMORY, "signed_certificate_timestamp");
}

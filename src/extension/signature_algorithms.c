/* signature_algorithms.c: which signatures a side accepts, in the handshake and in certificates
 * (signature_algorithms and signature_algorithms_cert, RFC 8446 4.2.3). */
#include "bytes/names.h"
#include "extension/row.h"

static bool sigalg_known(uint16_t id)
{
    return sigalg_find(id) != NULL;
}

bool signature_algorithms_wants(const struct nego *n, unsigned message)
{
    return message != IN_CH ||
           n->config->body.version_max >= HF_TLS1_2; /* RFC 5246 7.4.1.4.1 */
}

void signature_algorithms_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_CR)
        wr_bytes(w, n->config->body.sigalgs_cr, n->config->body.sigalgs_cr_len);
    else
        wr_bytes(w, n->config->body.sigalgs, n->config->body.sigalgs_len);
}

/* struct { SignatureScheme supported_signature_algorithms<2..2^16-2>; } SignatureSchemeList;
 *                                                                            RFC 8446 4.2.3 */
void signature_algorithms_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->sigalgs = rd_list16(r, "supported_signature_algorithms", 2, 65534, "signature_scheme",
                           name_signature);
}

bool signature_algorithms_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CR && !ext_has(v, X_SIGNATURE_ALGORITHMS))
        return ext_refuse(n, message, X_SIGNATURE_ALGORITHMS, HF_E_MISSING_EXTENSION,
                          "signature_algorithms must be there (RFC 8446 4.3.2)");
    known_ids(&n->peer_sigalgs, v->sigalgs, sigalg_known);
    return true;
}

bool signature_algorithms_cert_wants(const struct nego *n, unsigned message)
{
    return n->config->body.sigalgs_cert_len > 0 &&
           (message != IN_CH || n->config->body.version_max >= HF_TLS1_2);
}

void signature_algorithms_cert_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)message;
    wr_bytes(w, n->config->body.sigalgs_cert, n->config->body.sigalgs_cert_len);
}

void signature_algorithms_cert_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->sigalgs_cert = rd_list16(r, "supported_signature_algorithms", 2, 65534,
                                "signature_scheme", name_signature);
}

bool signature_algorithms_cert_take(struct nego *n, const struct ext_values *v,
                                    unsigned message)
{
    (void)message;
    known_ids(&n->peer_sigalgs_cert, v->sigalgs_cert, sigalg_known);
    return true;
}

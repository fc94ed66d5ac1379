/* choose_types.c: X.509 certificates or raw public keys: what is agreed on (RFC 7250 4). */
#include "handshake/hs.h"

static const char *text_mask(uint8_t mask)
{
    switch (mask) {
    case CERT_X509: return "X.509 certificates only";
    case CERT_RAW: return "raw public keys only";
    case 0: return "no type of certificate that is known here";
    default: return "X.509 certificates and raw public keys";
    }
}

/* "If the server does not have any certificate type in common with the client, then the server terminates
 * the session with a fatal alert of type unsupported_certificate" (RFC 7250 4.2). */
enum hs_result choose_peer_type(struct hs *hs, bool asks)
{
    struct nego *n = &hs->n;
    const struct cert_types *ours = &n->config->body.peer_types;
    n->peer_type = CERT_X509;
    n->answer_peer_type = false;
    if (!asks)
        return HS_OK;
    for (size_t i = 0; i < ours->count; i++) {
        if (!(ours->type[i] & n->peer_offers))
            continue;
        n->peer_type = ours->type[i];
        n->answer_peer_type = (n->received >> X_CLIENT_CERTIFICATE_TYPE & 1) != 0;
        return HS_OK;
    }
    return hs_fail(hs, HF_E_CERTIFICATE_TYPE, "the client can show %s, this server takes %s",
                   text_mask(n->peer_offers), text_mask(cert_types_mask(ours)));
}

void tell_own_type(struct hs *hs, enum cert_type type)
{
    hs->n.own_type = (uint8_t)type;
    hs->n.answer_own_type = (hs->n.received >> X_SERVER_CERTIFICATE_TYPE & 1) != 0;
}

enum hs_result no_credential(struct hs *hs)
{
    const hf_config *config = hs->n.config;
    if (!config->credentials)
        return hs_fail(hs, HF_E_NO_CREDENTIAL, "the server has no certificate");
    if (!config_shows(config, hs->n.peer_accepts))
        return hs_fail(hs, HF_E_NO_CREDENTIAL_TYPE, "the client takes %s",
                       text_mask(hs->n.peer_accepts));
    return hs_fail(hs, HF_E_NO_SHARED_SIGNATURE,
                   "no key of this server can make a signature that the client accepts");
}

bool fits_own_type(const struct hs *hs, const hf_credential *cred)
{
    return (credential_type(cred) & hs->n.peer_accepts) != 0;
}

/* extended_master_secret.c: the master secret depends on the whole handshake (RFC 7627). */
#include "extension/row.h"

bool extended_master_secret_wants(const struct nego *n, unsigned message)
{
    return message == IN_CH || n->ems;
}

/* "The extension_data field of this extension is empty." */
void extended_master_secret_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)n;
    (void)w;
    (void)message;
}

/* struct {} ExtendedMasterSecret;                                            RFC 7627 5.1 */
void extended_master_secret_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)r;
    (void)v;
    (void)message;
}

bool extended_master_secret_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    n->ems = ext_has(v, X_EXTENDED_MASTER_SECRET);
    /* A server that has not chosen its version yet cannot miss it: TLS 1.3 has no need of it. */
    if (!n->ems && n->config->require_ems && n->version)
        return ext_refuse(n, message, X_EXTENDED_MASTER_SECRET, HF_E_NO_EMS, "it is missing");
    /* Both handshakes speak for one connection: the weaker would speak for the stronger (RFC 7627
     * 5.4). A client may mend what its first one lacked; a server has no such choice, because we
     * always ask. */
    bool mends = n->server && n->ems;
    if (n->renegotiating && n->ems != n->had_ems && !mends)
        return ext_refuse(n, message, X_EXTENDED_MASTER_SECRET, HF_E_EMS_RENEGOTIATION,
                          "the handshake before %s it, this one %s",
                          n->had_ems ? "used" : "did not use", n->ems ? "does" : "does not");
    return true;
}

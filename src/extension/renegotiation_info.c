/* renegotiation_info.c: a handshake within a connection is bound to the one before it (RFC 5746). */
#include "extension/row.h"

enum { FINISHED = 12 }; /* verify_data of TLS 1.0 to 1.2 (RFC 5246 7.4.9) */

bool renegotiation_info_wants(const struct nego *n, unsigned message)
{
    return message == IN_CH ||
           n->secure; /* a client says it always, by this and not by the SCSV */
}

void renegotiation_info_put(struct nego *n, struct wr *w, unsigned message)
{
    size_t connection = wr_open(w, 1);
    if (n->renegotiating) {
        wr_bytes(w, n->client_finished, FINISHED);
        if (message != IN_CH)
            wr_bytes(w, n->server_finished, FINISHED);
    }
    wr_close(w, connection, 1);
}

/* struct { opaque renegotiated_connection<0..255>; } RenegotiationInfo;      RFC 5746 3.2 */
void renegotiation_info_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->renegotiation = rd_opaque8(r, "renegotiated_connection", 0, 255);
}

static bool mismatch(struct nego *n, unsigned message, const char *why)
{
    return ext_refuse(n, message, X_RENEGOTIATION_INFO, HF_E_RENEGOTIATION_MISMATCH, "%s", why);
}

/* Both halves are compared whatever the first comparison says: which of them differs is nobody's
 * business. */
static bool is_ours(const struct nego *n, struct slice said, unsigned message)
{
    if (message == IN_CH)
        return said.len == FINISHED && ct_equal(said.p, n->client_finished, FINISHED);
    uint8_t both[2 * FINISHED];
    memcpy(both, n->client_finished, FINISHED);
    memcpy(both + FINISHED, n->server_finished, FINISHED);
    return said.len == sizeof both && ct_equal(said.p, both, sizeof both);
}

static bool take_again(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (!ext_has(v, X_RENEGOTIATION_INFO))
        return mismatch(n, message, "it is missing in a renegotiation");
    if (!is_ours(n, v->renegotiation, message))
        return mismatch(n, message, "it does not name the Finished of the handshake before");
    n->secure = true;
    return true;
}

static bool take_first(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (v->renegotiation.len > 0)
        return mismatch(n, message,
                        "it names a handshake before, but this is the connection's first");
    if (ext_has(v, X_RENEGOTIATION_INFO)) {
        n->secure = true;
        return true;
    }
    if (message == IN_CH)
        return true; /* the client may have said it by TLS_EMPTY_RENEGOTIATION_INFO_SCSV */
    n->secure = false;
    return n->config->allow_unpatched ||
           ext_refuse(n, message, X_RENEGOTIATION_INFO, HF_E_UNSAFE_RENEGOTIATION,
                      "the server did not answer it");
}

bool renegotiation_info_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    return n->renegotiating ? take_again(n, v, message) : take_first(n, v, message);
}

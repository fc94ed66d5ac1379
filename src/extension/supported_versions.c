/* supported_versions.c: the protocol version (RFC 8446 4.2.1). */
#include <stdio.h>

#include "bytes/names.h"
#include "extension/row.h"

bool supported_versions_wants(const struct nego *n, unsigned message)
{
    (void)n;
    (void)message;
    return true;
}

void supported_versions_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message != IN_CH) {
        wr_u16(w, n->version);
        return;
    }
    size_t list = wr_open(w, 1);
    wr_u16(w, HF_TLS1_3);
    wr_close(w, list, 1);
}

/* struct {
 *     select (Handshake.msg_type) {
 *         case client_hello: ProtocolVersion versions<2..254>;
 *         case server_hello: ProtocolVersion selected_version;   (and HelloRetryRequest)
 *     };
 * } SupportedVersions;                                                       RFC 8446 4.2.1 */
void supported_versions_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message == IN_CH)
        v->versions = rd_list8_16(r, "versions", 2, 254, "version", name_version);
    else
        v->version = rd_enum16(r, "selected_version", name_version);
}

static void list_versions(struct slice list, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i + 1 < list.len && at < size; i += 2) {
        int len = snprintf(out + at, size - at, "%s%s", at ? ", " : "",
                           name_version(get_u16(list.p + i)));
        at += len > 0 ? (size_t)len : 0;
    }
}

bool supported_versions_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message != IN_CH) {
        if (!ext_has(v, X_SUPPORTED_VERSIONS))
            return true; /* the handshake has looked at legacy_version */
        if (v->version != HF_TLS1_3)
            return ext_refuse(n, message, X_SUPPORTED_VERSIONS, HF_E_VERSION_NOT_OFFERED,
                              "the server chose 0x%04x, offered was TLS 1.3", v->version);
        n->version = v->version;
        return true;
    }
    for (size_t i = 0; i + 1 < v->versions.len; i += 2) {
        if (get_u16(v->versions.p + i) == HF_TLS1_3) {
            n->version = HF_TLS1_3;
            return true;
        }
    }
    char offered[128];
    list_versions(v->versions, offered, sizeof offered);
    if (!ext_has(v, X_SUPPORTED_VERSIONS))
        return ext_refuse(
            n, message, X_SUPPORTED_VERSIONS, HF_E_UNSUPPORTED_VERSION,
            "the client offers nothing above TLS 1.2, this server allows TLS 1.3");
    return ext_refuse(n, message, X_SUPPORTED_VERSIONS, HF_E_UNSUPPORTED_VERSION,
                      "the client offers %s, this server allows TLS 1.3", offered);
}

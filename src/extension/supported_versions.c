/* supported_versions.c: the protocol version (RFC 8446 4.2.1). */
#include <stdio.h>

#include "bytes/names.h"
#include "extension/grease.h"
#include "extension/row.h"

/* From high to low. */
static const uint16_t all_versions[] = {HF_TLS1_3, HF_TLS1_2, HF_TLS1_1, HF_TLS1_0};
#define VERSIONS (sizeof all_versions / sizeof *all_versions)

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
    if (n->config->grease)
        wr_u16(w, grease_value(n, GREASE_VERSION));
    for (size_t i = 0; i < VERSIONS; i++) {
        if (config_version(n->config, all_versions[i]))
            wr_u16(w, all_versions[i]);
    }
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

static bool is_listed(struct slice list, uint16_t version)
{
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        if (get_u16(list.p + i) == version)
            return true;
    }
    return false;
}

/* Without the extension a client means its legacy_version and all below; with it, legacy_version says
 * nothing (RFC 8446 4.2.1, D.2). */
uint16_t versions_choose(const hf_config *config, const struct ext_values *v,
                         uint16_t legacy_version)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        uint16_t version = all_versions[i];
        bool offered = ext_has(v, X_SUPPORTED_VERSIONS)
                           ? is_listed(v->versions, version)
                           : version <= legacy_version && version < HF_TLS1_3;
        if (offered && config_version(config, version))
            return version;
    }
    return 0;
}

#define LIST_SIZE 128

static void add_version(char out[LIST_SIZE], uint16_t version)
{
    size_t at = strlen(out);
    (void)snprintf(out + at, LIST_SIZE - at, "%s%s", at ? ", " : "", name_version(version));
}

static void list_ours(const hf_config *config, char out[LIST_SIZE])
{
    out[0] = '\0';
    for (size_t i = 0; i < VERSIONS; i++) {
        if (config_version(config, all_versions[i]))
            add_version(out, all_versions[i]);
    }
}

/* A list may hold 127 of them: GREASE says nothing to whoever reads the message, nor do repetitions. */
static void list_theirs(struct slice list, char out[LIST_SIZE])
{
    out[0] = '\0';
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        uint16_t version = get_u16(list.p + i);
        if (!name_is_grease(version) && !is_listed(slice_of(list.p, i), version))
            add_version(out, version);
    }
}

bool versions_refuse(struct nego *n, const struct ext_values *v, uint16_t legacy_version)
{
    char ours[LIST_SIZE], theirs[LIST_SIZE];
    list_ours(n->config, ours);
    if (ext_has(v, X_SUPPORTED_VERSIONS)) {
        list_theirs(v->versions, theirs);
        return ext_refuse(n, IN_CH, X_SUPPORTED_VERSIONS, HF_E_UNSUPPORTED_VERSION,
                          "the client offers %s, this server allows %s",
                          theirs[0] ? theirs : "no version", ours);
    }
    return ext_refuse(n, IN_CH, X_SUPPORTED_VERSIONS, HF_E_UNSUPPORTED_VERSION,
                      "the client offers nothing above %s, this server allows %s",
                      name_version(legacy_version < HF_TLS1_2 ? legacy_version : HF_TLS1_2),
                      ours);
}

/* The server has chosen before the extensions are judged; a second hello must stay with it. */
static bool take_hello(struct nego *n, const struct ext_values *v)
{
    uint16_t chosen = versions_choose(n->config, v, 0);
    if (!chosen)
        return versions_refuse(n, v, HF_TLS1_2);
    if (n->version && chosen != n->version)
        return ext_refuse(n, IN_CH, X_SUPPORTED_VERSIONS, HF_E_HELLO_CHANGED,
                          "%s was chosen, now %s is the highest", name_version(n->version),
                          name_version(chosen));
    n->version = chosen;
    return true;
}

bool supported_versions_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CH)
        return take_hello(n, v);
    if (!ext_has(v, X_SUPPORTED_VERSIONS))
        return true; /* the handshake has looked at legacy_version */
    /* "If the "supported_versions" extension ... contains a version prior to TLS 1.3, the client MUST
     * abort the handshake with an "illegal_parameter" alert" (RFC 8446 4.2.1). */
    if (v->version != HF_TLS1_3 || !config_version(n->config, HF_TLS1_3))
        return ext_refuse(n, message, X_SUPPORTED_VERSIONS, HF_E_VERSION_NOT_OFFERED,
                          "the server chose 0x%04x, only TLS 1.3 is chosen here", v->version);
    n->version = v->version;
    return true;
}

/* supported_groups.c: the key exchange groups (RFC 8446 4.2.7). */
#include "bytes/names.h"
#include "extension/grease.h"
#include "extension/row.h"

/* A hybrid's two shares have no place in the messages of older versions. */
static bool is_for_13(uint16_t id)
{
    size_t count;
    const struct group *table = group_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].id == id)
            return kx_is_quantum_safe(table[i].kx);
    }
    return false;
}

static bool reaches_13(const struct nego *n)
{
    return n->config->body.version_max >= HF_TLS1_3 && !n->renegotiating;
}

static bool has_older(const struct nego *n)
{
    const uint8_t *list = n->config->body.groups;
    size_t i = 2;
    while (i + 1 < n->config->body.groups_len && is_for_13(get_u16(list + i)))
        i += 2;
    return i + 1 < n->config->body.groups_len;
}

/* A server may state its list in EncryptedExtensions; it has no use. An empty list cannot be written. */
bool supported_groups_wants(const struct nego *n, unsigned message)
{
    return message == IN_CH && (reaches_13(n) || has_older(n));
}

void supported_groups_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)message;
    const uint8_t *list = n->config->body.groups;
    if (reaches_13(n) && !n->config->grease) {
        wr_bytes(w, list, n->config->body.groups_len);
        return;
    }
    size_t older = wr_open(w, 2);
    if (n->config->grease)
        wr_u16(w, grease_value(n, GREASE_GROUP));
    for (size_t i = 2; i + 1 < n->config->body.groups_len; i += 2) {
        if (reaches_13(n) || !is_for_13(get_u16(list + i)))
            wr_bytes(w, list + i, 2);
    }
    wr_close(w, older, 2);
}

/* struct { NamedGroup named_group_list<2..2^16-1>; } NamedGroupList;         RFC 8446 4.2.7 */
void supported_groups_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->groups = rd_list16(r, "named_group_list", 2, 65535, "named_group", name_group);
}

static bool group_known(uint16_t id)
{
    return group_find(id) != NULL;
}

/* "Values within obsolete_RESERVED ranges are used in previous versions of TLS and MUST NOT be
 * offered or negotiated by TLS 1.3 implementations" (RFC 8446 4.2.7, B.3.1.4). */
static bool is_obsolete(uint16_t group)
{
    return (group >= 0x0001 && group <= 0x0016) || (group >= 0x001a && group <= 0x001c) ||
           group == 0xff01 || group == 0xff02;
}

static bool offers_older(const struct ext_values *v)
{
    for (size_t i = 0; i + 1 < v->versions.len; i += 2) {
        uint16_t version = get_u16(v->versions.p + i);
        if (version >= 0x0300 && version < HF_TLS1_3)
            return true;
    }
    return false;
}

/* A client that would also speak TLS 1.2 may mean them for that. */
static bool no_obsolete_groups(struct nego *n, const struct ext_values *v)
{
    if (offers_older(v))
        return true;
    for (size_t i = 0; i + 1 < v->groups.len; i += 2) {
        uint16_t group = get_u16(v->groups.p + i);
        if (is_obsolete(group))
            return ext_refuse(n, IN_CH, X_SUPPORTED_GROUPS, HF_E_ILLEGAL_VALUE,
                              "%s (0x%04x) must not be offered for TLS 1.3", name_group(group),
                              group);
    }
    return true;
}

bool supported_groups_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message != IN_CH)
        return true; /* also in a ServerHello, where some servers have it and it says nothing */
    known_ids(&n->peer_groups, v->groups, group_known);
    return (n->version && n->version < HF_TLS1_3) || no_obsolete_groups(n, v);
}

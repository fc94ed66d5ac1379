/* supported_groups.c: the key exchange groups (RFC 8446 4.2.7). */
#include "bytes/names.h"
#include "extension/row.h"

bool supported_groups_wants(const struct nego *n, unsigned message)
{
    (void)n;
    return message ==
           IN_CH; /* a server may state its list in EncryptedExtensions; it has no use */
}

void supported_groups_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)message;
    wr_bytes(w, n->config->body.groups, n->config->body.groups_len);
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

bool supported_groups_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CH)
        known_ids(&n->peer_groups, v->groups, group_known);
    return true;
}

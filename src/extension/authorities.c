/* authorities.c: whose certificates a side would accept (certificate_authorities, RFC 8446 4.2.4). */
#include "extension/row.h"

bool authorities_wants(const struct nego *n, unsigned message)
{
    (void)message;
    return config_authorities(n->config).len > 0;
}

void authorities_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)message;
    wr_opaque16(w, config_authorities(n->config));
}

/* opaque DistinguishedName<1..2^16-1>;
 * struct { DistinguishedName authorities<3..2^16-1>; } CertificateAuthoritiesExtension;
 *                                                                            RFC 8446 4.2.4 */
void authorities_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    struct rd list = rd_vec16(r, "authorities", 3, 65535);
    v->authorities = slice_of(list.p, rd_left(&list));
    while (rd_more(&list))
        rd_opaque16(&list, "distinguished_name", 1, 65535);
}

bool authorities_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    (void)message;
    if (!v->authorities.len)
        return true;
    mem_free(n->peer_authorities);
    n->peer_authorities = mem_dup(v->authorities.p, v->authorities.len);
    n->peer_authorities_len = v->authorities.len;
    return n->peer_authorities || err_set(n->err, HF_E_NO_MEMORY, "certificate_authorities");
}

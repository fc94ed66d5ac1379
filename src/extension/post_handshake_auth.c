/* post_handshake_auth.c: the client is willing to authenticate later (RFC 8446 4.2.6). */
#include "extension/row.h"

bool post_handshake_auth_wants(const struct nego *n, unsigned message)
{
    (void)message;
    return n->config->post_handshake_auth;
}

void post_handshake_auth_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)n;
    (void)w;
    (void)message;
}

/* struct {} PostHandshakeAuth;                                               RFC 8446 4.2.6 */
void post_handshake_auth_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)r;
    (void)v;
    (void)message;
}

bool post_handshake_auth_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    (void)message;
    n->post_auth = ext_has(v, X_POST_HANDSHAKE_AUTH);
    return true;
}

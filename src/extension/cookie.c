/* cookie.c: what a server wants to see again in the second ClientHello (RFC 8446 4.2.2). */
#include "extension/row.h"

bool cookie_wants(const struct nego *n, unsigned message)
{
    (void)message;
    return n->cookie != NULL;
}

void cookie_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)message;
    wr_opaque16(w, slice_of(n->cookie, n->cookie_len));
}

/* struct { opaque cookie<1..2^16-1>; } Cookie;                               RFC 8446 4.2.2 */
void cookie_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->cookie = rd_opaque16(r, "cookie", 1, 65535);
}

bool cookie_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_HRR) {
        if (!v->cookie.p)
            return true;
        /* The second ClientHello has other extensions too, among them a ticket. */
        if (v->cookie.len > 32768)
            return ext_refuse(n, message, X_COOKIE, HF_E_BAD_EXTENSION,
                              "a cookie of %zu bytes does not fit into a ClientHello",
                              v->cookie.len);
        n->cookie = mem_dup(v->cookie.p, v->cookie.len);
        n->cookie_len = v->cookie.len;
        return n->cookie || err_set(n->err, HF_E_NO_MEMORY, "cookie");
    }
    /* Before our HelloRetryRequest no cookie of ours can exist; a stray one is of no use, and 4.2.2
     * puts the prohibition on the client. */
    if (!n->retried || !n->cookie)
        return true;
    if (v->cookie.len != n->cookie_len || !ct_equal(v->cookie.p, n->cookie, n->cookie_len))
        return ext_refuse(n, message, X_COOKIE, HF_E_COOKIE_MISMATCH, "%s",
                          v->cookie.p ? "it differs from the one in our HelloRetryRequest"
                                      : "it is missing");
    return true;
}

/* alpn.c: the application protocol (RFC 7301). */
#include "extension/row.h"

bool alpn_wants(const struct nego *n, unsigned message)
{
    return message == IN_CH ? n->config->alpn_len > 0 : n->alpn != NULL;
}

void alpn_put(struct nego *n, struct wr *w, unsigned message)
{
    size_t list = wr_open(w, 2);
    if (message == IN_CH)
        wr_bytes(w, n->config->alpn, n->config->alpn_len);
    else
        wr_opaque8(w, slice_of(n->alpn, n->alpn_len));
    wr_close(w, list, 2);
}

/* opaque ProtocolName<1..2^8-1>;
 * struct { ProtocolName protocol_name_list<2..2^16-1> } ProtocolNameList;    RFC 7301 3.1 */
void alpn_read(struct rd *r, struct ext_values *v, unsigned message)
{
    struct rd list = rd_vec16(r, "protocol_name_list", 2, 65535);
    v->alpn = slice_of(list.p, rd_left(&list));
    unsigned count = 0;
    while (rd_more(&list)) {
        rd_opaque8(&list, "protocol_name", 1, 255);
        count++;
    }
    if (rd_ok(r) && message != IN_CH && count != 1)
        rd_bad(r, HF_E_DECODE, "the server must choose one protocol, it sent %u", count);
}

static bool in_list(const uint8_t *list, size_t len, const uint8_t *name, uint8_t name_len)
{
    for (size_t i = 0; i < len; i += 1u + list[i]) {
        if (list[i] == name_len && memcmp(list + i + 1, name, name_len) == 0)
            return true;
    }
    return false;
}

static bool agree(struct nego *n, const uint8_t *name, uint8_t len)
{
    mem_free(n->alpn);
    n->alpn = mem_dup(name, len);
    n->alpn_len = len;
    return n->alpn || err_set(n->err, HF_E_NO_MEMORY, "ALPN");
}

static bool ask(struct nego *n, struct slice offered)
{
    const uint8_t *name = NULL;
    size_t len = 0;
    switch (
        n->config->alpn_fn(n->conn, offered.p, offered.len, &name, &len, n->config->alpn_arg)) {
    case HF_ALPN_NONE: return true;
    case HF_ALPN_CHOSEN:
        if (!name || len == 0 || len > 255)
            return err_set(n->err, HF_E_ALPN_ANSWER,
                           "the ALPN callback chose a protocol of %zu bytes, 1 to 255 are "
                           "possible",
                           len);
        return agree(n, name, (uint8_t)len);
    case HF_ALPN_REFUSE:
    default:
        return ext_refuse(n, IN_CH, X_ALPN, HF_E_NO_APPLICATION_PROTOCOL,
                          "the application accepts none that the client offers, \"%.*s\" first",
                          offered.p[0], (const char *)offered.p + 1);
    }
}

static bool take_hello(struct nego *n, const struct ext_values *v)
{
    if (n->config->alpn_fn && ext_has(v, X_ALPN))
        return ask(n, v->alpn);
    const uint8_t *ours = n->config->alpn;
    size_t len = n->config->alpn_len;
    if (!len)
        return true;
    if (!ext_has(v, X_ALPN))
        return !n->config->alpn_required ||
               ext_refuse(
                   n, IN_CH, X_ALPN, HF_E_NO_APPLICATION_PROTOCOL,
                   "the client offers no application protocol and this server requires one");
    for (size_t i = 0; i < len; i += 1u + ours[i]) {
        if (in_list(v->alpn.p, v->alpn.len, ours + i + 1, ours[i]))
            return agree(n, ours + i + 1, ours[i]);
    }
    return ext_refuse(
        n, IN_CH, X_ALPN, HF_E_NO_APPLICATION_PROTOCOL,
        "the client offers only protocols that this server does not have, \"%.*s\" first",
        v->alpn.p[0], (const char *)v->alpn.p + 1);
}

bool alpn_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CH)
        return take_hello(n, v);
    if (!ext_has(v, X_ALPN))
        return !n->config->alpn_required ||
               ext_refuse(
                   n, message, X_ALPN, HF_E_NO_APPLICATION_PROTOCOL,
                   "the server chose no application protocol and this client requires one");
    if (!in_list(n->config->alpn, n->config->alpn_len, v->alpn.p + 1, v->alpn.p[0]))
        return ext_refuse(n, message, X_ALPN, HF_E_BAD_ALPN, "the server chose \"%.*s\"",
                          v->alpn.p[0], (const char *)v->alpn.p + 1);
    return agree(n, v->alpn.p + 1, v->alpn.p[0]);
}

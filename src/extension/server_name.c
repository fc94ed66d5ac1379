/* server_name.c: which of a server's names the client wants (RFC 6066 3). */
#include "extension/row.h"

bool server_name_wants(const struct nego *n, unsigned message)
{
    /* "When resuming a session, the server MUST NOT include a server_name extension" (RFC 6066 3). */
    if ((message == IN_EE && n->psk) || (message == IN_SH12 && n->resumed12))
        return false;
    if (n->config->silent_name)
        return false;
    /* "Literal IPv4 and IPv6 addresses are not permitted in HostName" (RFC 6066 3). */
    return n->server_name && (n->server || !name_is_ip(n->server_name));
}

void server_name_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message != IN_CH)
        return; /* the server's answer is empty */
    size_t list = wr_open(w, 2);
    wr_u8(w, 0); /* host_name */
    size_t len = strlen(n->server_name);
    if (len > 0 && n->server_name[len - 1] == '.')
        len--; /* "without a trailing dot" */
    wr_opaque16(w, slice_of(n->server_name, len));
    wr_close(w, list, 2);
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.' || c == ':';
}

/* An embedded NUL or a control byte could mean one name to us and another to whoever logs it; and an
 * application may be shown the name before anything else is judged. */
static void check_name(struct rd *r, struct slice name)
{
    if (name.len > 255)
        rd_bad(r, HF_E_BAD_EXTENSION, "the name has %zu bytes, a DNS name has at most 255",
               name.len);
    for (size_t i = 0; i < name.len && rd_ok(r); i++) {
        if (!is_name_byte(name.p[i]))
            rd_bad(r, HF_E_BAD_EXTENSION, "byte 0x%02x is not allowed in a DNS name",
                   name.p[i]);
    }
}

/* struct {
 *     NameType name_type;
 *     select (name_type) { case host_name: HostName; } name;
 * } ServerName;
 * opaque HostName<1..2^16-1>;
 * struct { ServerName server_name_list<1..2^16-1> } ServerNameList;          RFC 6066 3 */
void server_name_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message != IN_CH)
        return;
    struct rd list = rd_vec16(r, "server_name_list", 1, 65535);
    while (rd_more(&list)) {
        uint8_t type = rd_u8(&list, "name_type");
        if (type != 0) {
            rd_opaque16(&list, "name", 0, 65535);
            continue;
        }
        struct slice name = rd_opaque16(&list, "host_name", 1, 65535);
        if (v->server_name.p)
            rd_bad(&list, HF_E_BAD_EXTENSION, "two names of the type host_name");
        check_name(&list, name);
        v->server_name = name;
    }
}

bool server_name_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message != IN_CH || !v->server_name.p)
        return true;
    char *name = mem_new(v->server_name.len + 1);
    if (!name)
        return err_set(n->err, HF_E_NO_MEMORY, "server_name");
    memcpy(name, v->server_name.p, v->server_name.len);
    mem_free(n->server_name);
    n->server_name = name;
    return true;
}

/* v2_server_hello.c: what an SSL 2.0 server answers, for those who look for servers that still do (RFC 6176). */
#include "bytes/names.h"
#include "message/message.h"

enum { SPEC = 3, V2_SERVER_HELLO = 4 };

/* struct {
 *     uint8 msg_type = 4;  uint8 session_id_hit;  uint8 certificate_type;
 *     Version server_version;
 *     uint16 certificate_length, cipher_specs_length, connection_id_length;
 *     opaque certificate[], cipher_specs[], connection_id[];
 * } SERVER-HELLO;                                       "The SSL Protocol" (Hickman, 1995) 2.6 */
bool msg_read_v2_server_hello(struct rd *r, struct v2_server_hello *out)
{
    *out = (struct v2_server_hello){0};
    uint8_t type = rd_u8(r, "msg_type");
    if (rd_ok(r) && type != V2_SERVER_HELLO)
        rd_bad(r, HF_E_DECODE, "msg_type is %u, not server_hello(4)", type);
    out->session_id_hit = rd_u8(r, "session_id_hit") != 0;
    rd_u8(r, "certificate_type");
    out->version = rd_enum16(r, "server_version", name_version);
    uint16_t certificate = rd_u16(r, "certificate_length");
    uint16_t specs = rd_u16(r, "cipher_specs_length");
    uint16_t connection_id = rd_u16(r, "connection_id_length");
    if (rd_ok(r) && specs % SPEC != 0)
        rd_bad(r, HF_E_DECODE, "cipher_specs_length is %u, not a multiple of 3", specs);
    out->certificate = rd_bytes(r, "certificate", certificate);
    out->specs = rd_bytes(r, "cipher_specs", specs);
    out->connection_id = rd_bytes(r, "connection_id", connection_id);
    return rd_end(r);
}

/* The reader in v2_client_hello.c begins behind msg_length; so does this. */
void msg_write_v2_client_hello(struct wr *w, const struct v2_client_hello *v2)
{
    wr_u8(w, MSG_CLIENT_HELLO);
    wr_u16(w, v2->version);
    wr_u16(w, (uint16_t)v2->specs.len);
    wr_u16(w, (uint16_t)v2->session_id.len);
    wr_u16(w, (uint16_t)v2->challenge.len);
    wr_slice(w, v2->specs);
    wr_slice(w, v2->session_id);
    wr_slice(w, v2->challenge);
}

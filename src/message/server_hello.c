/* server_hello.c: ServerHello, which is HelloRetryRequest too. */
#include "bytes/names.h"
#include "message/message.h"

/* struct {
 *     ProtocolVersion legacy_version = 0x0303;
 *     Random random;
 *     opaque legacy_session_id_echo<0..32>;
 *     CipherSuite cipher_suite;
 *     uint8 legacy_compression_method = 0;
 *     Extension extensions<6..2^16-1>;
 * } ServerHello;                                                             RFC 8446 4.1.3 */
bool msg_read_server_hello(struct rd *r, struct server_hello *out)
{
    *out = (struct server_hello){0};
    out->version = rd_enum16(r, "legacy_version", name_version);
    out->random = rd_bytes(r, "random", RANDOM_SIZE);
    out->session_id = rd_opaque8(r, "legacy_session_id_echo", 0, 32);
    out->suite = rd_enum16(r, "cipher_suite", name_suite);
    out->compression = rd_enum8(r, "legacy_compression_method", name_compression);
    /* A server of TLS 1.2 may send none, or fewer than 6 bytes (RFC 5246 7.4.1.3). */
    out->has_extensions = rd_more(r);
    if (out->has_extensions)
        out->extensions = rd_vec16(r, "extensions", 0, 65535);
    else
        out->extensions = rd_group(r, "extensions", 0);
    return rd_end(r);
}

void msg_write_server_hello(struct wr *w, const struct server_hello *sh)
{
    wr_u16(w, sh->version);
    wr_slice(w, sh->random);
    wr_opaque8(w, sh->session_id);
    wr_u16(w, sh->suite);
    wr_u8(w, sh->compression);
}

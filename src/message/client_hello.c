/* client_hello.c: ClientHello. */
#include "bytes/names.h"
#include "message/message.h"

/* struct {
 *     ProtocolVersion legacy_version = 0x0303;
 *     Random random;
 *     opaque legacy_session_id<0..32>;
 *     CipherSuite cipher_suites<2..2^16-2>;
 *     opaque legacy_compression_methods<1..2^8-1>;
 *     Extension extensions<8..2^16-1>;
 * } ClientHello;                                                             RFC 8446 4.1.2 */
bool msg_read_client_hello(struct rd *r, struct client_hello *out)
{
    *out = (struct client_hello){0};
    out->version = rd_enum16(r, "legacy_version", name_version);
    out->random = rd_bytes(r, "random", RANDOM_SIZE);
    out->session_id = rd_opaque8(r, "legacy_session_id", 0, 32);
    out->suites = rd_list16(r, "cipher_suites", 2, 65534, "cipher_suite", name_suite);
    out->compression = rd_list8(r, "legacy_compression_methods", 1, 255, "compression_method",
                                name_compression);
    /* Hellos of TLS 1.2 and older may end here, or have fewer than 8 bytes of extensions (RFC 5246
     * 7.4.1.2); that they are too old is better said by the version that they offer. */
    out->has_extensions = rd_more(r);
    if (out->has_extensions)
        out->extensions = rd_vec16(r, "extensions", 0, 65535);
    else
        out->extensions = rd_group(r, "extensions", 0);
    return rd_end(r);
}

void msg_write_client_hello(struct wr *w, const struct client_hello *ch)
{
    wr_u16(w, ch->version);
    wr_slice(w, ch->random);
    wr_opaque8(w, ch->session_id);
    wr_opaque16(w, ch->suites);
    wr_opaque8(w, ch->compression);
}

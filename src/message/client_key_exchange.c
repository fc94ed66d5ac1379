/* client_key_exchange.c: ClientKeyExchange. */
#include "message/message.h"

/* struct {
 *     select (KeyExchangeAlgorithm) {
 *         case psk: opaque psk_identity<0..2^16-1>;              (before what else there is)
 *         case rsa: opaque encrypted_premaster<0..2^16-1>;
 *         case diffie_hellman: opaque dh_Yc<1..2^16-1>;
 *         case ec_diffie_hellman: opaque ecdh_Yc<1..2^8-1>;
 *     } exchange_keys;
 * } ClientKeyExchange;                                     RFC 4279 2, RFC 5246 7.4.7, RFC 8422 5.7
 * How long an encrypted premaster is says nothing yet: that is judged together with what is in it, in
 * constant time (RFC 5246 7.4.7.1). */
bool msg_read_client_key_exchange(struct rd *r, bool psk, enum cke_kind kind,
                                  struct client_key_exchange *out)
{
    *out = (struct client_key_exchange){0};
    if (psk)
        out->identity = rd_opaque16(r, "psk_identity", 0, 65535);
    switch (kind) {
    case CKE_NONE: break;
    case CKE_RSA: out->exchange = rd_opaque16(r, "encrypted_premaster", 0, 65535); break;
    case CKE_DH: out->exchange = rd_opaque16(r, "dh_Yc", 1, 65535); break;
    case CKE_ECDH: out->exchange = rd_opaque8(r, "ecdh_Yc", 1, 255); break;
    }
    return rd_end(r);
}

void msg_write_client_key_exchange(struct wr *w, bool psk, enum cke_kind kind,
                                   const struct client_key_exchange *cke)
{
    if (psk)
        wr_opaque16(w, cke->identity);
    if (kind == CKE_ECDH)
        wr_opaque8(w, cke->exchange);
    else if (kind != CKE_NONE)
        wr_opaque16(w, cke->exchange);
}

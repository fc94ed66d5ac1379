/* server_key_exchange.c: ServerKeyExchange. */
#include "bytes/names.h"
#include "message/message.h"

enum { NAMED_CURVE = 3 };

static const char *curve_type_name(uint8_t type)
{
    static const char *const names[] = {"unknown", "explicit_prime", "explicit_char2",
                                        "named_curve"};
    return type <= NAMED_CURVE ? names[type] : "unknown";
}

/* struct {
 *     ECCurveType curve_type = named_curve(3);
 *     NamedCurve namedcurve;
 *     opaque public<1..2^8-1>;
 * } ServerECDHParams;                                                        RFC 8422 5.4 */
static void read_ecdh(struct rd *r, struct server_key_exchange *out)
{
    uint8_t type = rd_enum8(r, "curve_type", curve_type_name);
    if (rd_ok(r) && type != NAMED_CURVE)
        rd_bad(r, HF_E_ILLEGAL_VALUE, "curve_type is %u, only named_curve(3) may be used",
               type);
    out->group = rd_enum16(r, "namedcurve", name_group);
    out->share = rd_opaque8(r, "public", 1, 255);
}

/* struct {
 *     opaque dh_p<1..2^16-1>;
 *     opaque dh_g<1..2^16-1>;
 *     opaque dh_Ys<1..2^16-1>;
 * } ServerDHParams;                                                          RFC 5246 7.4.3 */
static void read_dh(struct rd *r, struct server_key_exchange *out)
{
    out->p = rd_opaque16(r, "dh_p", 1, 65535);
    out->g = rd_opaque16(r, "dh_g", 1, 65535);
    out->share = rd_opaque16(r, "dh_Ys", 1, 65535);
}

/* struct {
 *     select (KeyExchangeAlgorithm) {
 *         case psk: opaque psk_identity_hint<0..2^16-1>;         (before what else there is)
 *         case ec_diffie_hellman: ServerECDHParams params;
 *         case diffie_hellman: ServerDHParams params;
 *     };
 *     digitally-signed struct { client_random, server_random, params } signed_params;
 * } ServerKeyExchange;                        RFC 4279 2, RFC 5246 7.4.3, RFC 5489 2, RFC 8422 5.4
 * struct {
 *     SignatureAndHashAlgorithm algorithm;                       (TLS 1.2)
 *     opaque signature<0..2^16-1>;
 * } DigitallySigned;                                                         RFC 5246 4.7 */
bool msg_read_server_key_exchange(struct rd *r, const struct ske_shape *shape,
                                  struct server_key_exchange *out)
{
    *out = (struct server_key_exchange){0};
    const uint8_t *start = r->p;
    if (shape->hint)
        out->hint = rd_opaque16(r, "psk_identity_hint", 0, 65535);
    if (shape->ecdh)
        read_ecdh(r, out);
    if (shape->dh)
        read_dh(r, out);
    if (rd_ok(r))
        out->params = slice_of(start, (size_t)(r->p - start));
    if (shape->algorithm)
        out->algorithm = rd_enum16(r, "algorithm", name_signature);
    if (shape->signature)
        out->signature = rd_opaque16(r, "signature", 0, 65535);
    return rd_end(r);
}

void msg_write_server_params(struct wr *w, const struct ske_shape *shape,
                             const struct server_key_exchange *ske)
{
    if (shape->hint)
        wr_opaque16(w, ske->hint);
    if (shape->ecdh) {
        wr_u8(w, NAMED_CURVE);
        wr_u16(w, ske->group);
        wr_opaque8(w, ske->share);
    }
    if (shape->dh) {
        wr_opaque16(w, ske->p);
        wr_opaque16(w, ske->g);
        wr_opaque16(w, ske->share);
    }
}

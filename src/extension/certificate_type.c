/* certificate_type.c: whether X.509 certificates or raw public keys are shown, for each side (RFC 7250, RFC
 * 8446 4.4.2): client_certificate_type and server_certificate_type. */
#include "bytes/names.h"
#include "extension/row.h"

/* "If the client has no remaining certificate types to send in the client hello, other than the default X.509
 * certificate type, it MUST omit the entire ... extension" (RFC 7250 4.1). */
static bool worth_saying(const struct cert_types *types)
{
    return types->count > 1 || (types->count == 1 && types->type[0] != CERT_X509);
}

static uint8_t number_of(enum cert_type type)
{
    return type == CERT_RAW ? HF_CERTIFICATE_RAW_KEY : HF_CERTIFICATE_X509;
}

static uint8_t bit_of(uint8_t number)
{
    return number == HF_CERTIFICATE_X509      ? CERT_X509
           : number == HF_CERTIFICATE_RAW_KEY ? CERT_RAW
                                              : 0;
}

static void put_types(struct wr *w, const struct cert_types *types)
{
    size_t list = wr_open(w, 1);
    for (size_t i = 0; i < types->count; i++)
        wr_u8(w, number_of(types->type[i]));
    wr_close(w, list, 1);
}

/* struct {
 *     select(ClientOrServerExtension) {
 *         case client:
 *             CertificateType client_certificate_types<1..2^8-1>;
 *         case server:
 *             CertificateType client_certificate_type;
 *     }
 * } ClientCertTypeExtension;                                                 RFC 7250 3 */
static uint8_t read_types(struct rd *r, const char *one, const char *many, unsigned message)
{
    uint8_t mask = 0, number = 0;
    size_t count = 0;
    if (message != IN_CH)
        return bit_of(rd_enum8(r, one, name_certificate_kind));
    struct rd list = rd_vec8(r, many, 1, 255);
    for (; rd_more(&list); count++) {
        number = rd_enum8(&list, one, name_certificate_kind);
        mask |= bit_of(number);
    }
    if (rd_ok(r) && count == 1 && number == HF_CERTIFICATE_X509)
        rd_bad(r, HF_E_ILLEGAL_VALUE,
               "X509 alone, for which the extension must be left out (RFC 7250 4.1)");
    return mask;
}

/* What the answer says, or what its absence means. */
static uint8_t answered(const struct ext_values *v, enum ext_index x, uint8_t types)
{
    return ext_has(v, x) ? types : CERT_X509;
}

static bool has(const struct cert_types *types, uint8_t type)
{
    return types->count ? (cert_types_mask(types) & type) != 0 : type == CERT_X509;
}

static const char *text_types(const struct cert_types *types)
{
    return types->count > 1       ? "X509 and RawPublicKey"
           : has(types, CERT_RAW) ? "RawPublicKey only"
                                  : "X509 only";
}

/* ---- client_certificate_type: what the client can show */

bool client_certificate_type_wants(const struct nego *n, unsigned message)
{
    return message == IN_CH ? worth_saying(&n->config->body.own_types) : n->answer_peer_type;
}

void client_certificate_type_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_CH)
        put_types(w, &n->config->body.own_types);
    else
        wr_u8(w, number_of(n->peer_type));
}

void client_certificate_type_read(struct rd *r, struct ext_values *v, unsigned message)
{
    v->client_types =
        read_types(r, "client_certificate_type", "client_certificate_types", message);
}

/* Without an answer it is X.509; a client that has none of these says so by an empty Certificate (RFC 8446
 * 4.4.2.3), if it is asked at all. */
bool client_certificate_type_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    uint8_t type = answered(v, X_CLIENT_CERTIFICATE_TYPE, v->client_types);
    if (message == IN_CH) {
        n->peer_offers = type;
        return true;
    }
    if (ext_has(v, X_CLIENT_CERTIFICATE_TYPE) && !has(&n->config->body.own_types, type))
        return ext_refuse(n, message, X_CLIENT_CERTIFICATE_TYPE, HF_E_CERTIFICATE_TYPE,
                          "the server wants another type than the client offers: %s",
                          text_types(&n->config->body.own_types));
    n->own_type = n->peer_accepts = type;
    return true;
}

/* ---- server_certificate_type: what the client can check */

bool server_certificate_type_wants(const struct nego *n, unsigned message)
{
    return message == IN_CH ? worth_saying(&n->config->body.peer_types) : n->answer_own_type;
}

void server_certificate_type_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_CH)
        put_types(w, &n->config->body.peer_types);
    else
        wr_u8(w, number_of(n->own_type));
}

void server_certificate_type_read(struct rd *r, struct ext_values *v, unsigned message)
{
    v->server_types =
        read_types(r, "server_certificate_type", "server_certificate_types", message);
}

/* No certificate will come, or one that was shown before. */
static bool shows_nothing(const struct nego *n)
{
    return n->psk || n->resumed12 ||
           (n->suite && (n->suite->auth == AUTH_PSK || n->suite->auth == AUTH_NONE));
}

bool server_certificate_type_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    const struct cert_types *ours = &n->config->body.peer_types;
    uint8_t type = answered(v, X_SERVER_CERTIFICATE_TYPE, v->server_types);
    if (message == IN_CH) {
        n->peer_accepts = type;
        return true;
    }
    if (!has(ours, type) && (ext_has(v, X_SERVER_CERTIFICATE_TYPE) || !shows_nothing(n)))
        return ext_refuse(n, message, X_SERVER_CERTIFICATE_TYPE, HF_E_CERTIFICATE_TYPE,
                          "the server %s, and this client takes %s",
                          ext_has(v, X_SERVER_CERTIFICATE_TYPE)
                              ? "chose another type"
                              : "has X509, since it says nothing else",
                          text_types(ours));
    n->peer_type = type;
    return true;
}

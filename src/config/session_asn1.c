/* session_asn1.c: the DER of OpenSSL's SSL_SESSION. */
#include "config/session_asn1.h"

#include "crypto/der.h"

/* clang-format off */
static const struct {
    const char *name;
    bool number; /* the others are OCTET STRINGs, but the peer */
} fields[SESSION_FIELDS] = {
    [SESSION_TIME]           = {"time", true},
    [SESSION_TIMEOUT]        = {"timeout", true},
    [SESSION_PEER]           = {"peer", false},
    [SESSION_CONTEXT]        = {"session_id_context", false},
    [SESSION_VERIFY_RESULT]  = {"verify_result", true},
    [SESSION_HOST_NAME]      = {"hostname", false},
    [SESSION_PSK_HINT]       = {"psk_identity_hint", false},
    [SESSION_PSK_IDENTITY]   = {"psk_identity", false},
    [SESSION_LIFETIME_HINT]  = {"ticket_lifetime_hint", true},
    [SESSION_TICKET]         = {"ticket", false},
    [SESSION_COMPRESSION]    = {"comp_id", false},
    [SESSION_SRP_USER]       = {"srp_username", false},
    [SESSION_FLAGS]          = {"flags", true},
    [SESSION_AGE_ADD]        = {"ticket_age_add", true},
    [SESSION_MAX_EARLY_DATA] = {"max_early_data", true},
    [SESSION_ALPN]           = {"alpn", false},
    [SESSION_MAX_FRAGMENT]   = {"max_fragment_len_mode", true},
    [SESSION_APPDATA]        = {"ticket_appdata", false},
    [SESSION_GROUP]          = {"kex_group", true},
};
/* clang-format on */

bool session_field_is_number(enum session_field field)
{
    return fields[field].number;
}

const char *session_field_name(enum session_field field)
{
    return fields[field].name;
}

static bool bad(hf_error *err, const char *field, const char *why)
{
    return err_set(err, HF_E_SESSION_DATA, "%s: %s", field, why);
}

/* X.690 8.3.2: "the bits of the first octet and bit 8 of the second octet shall not all be ones" nor zero. */
static bool number_of(struct slice der, int64_t *out)
{
    *out = 0;
    if (der.len == 0 || der.len > 8)
        return der.len == 0; /* which OpenSSL takes for 0 */
    if (der.len > 1 && der.p[0] == (der.p[1] & 0x80 ? 0xff : 0))
        return false;
    uint64_t value = der.p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < der.len; i++)
        value = value << 8 | der.p[i];
    memcpy(out, &value, sizeof *out);
    return true;
}

static bool take(struct slice *in, session_next_fn next, uint8_t tag, struct slice *content)
{
    uint8_t is;
    return next(in, &is, content) && is == tag;
}

static bool take_number(struct slice *in, session_next_fn next, const char *name, int64_t *out,
                        hf_error *err)
{
    struct slice content;
    return (take(in, next, DER_INTEGER, &content) && number_of(content, out)) ||
           bad(err, name, "a number is expected here");
}

static bool take_octets(struct slice *in, session_next_fn next, const char *name,
                        struct slice *out, hf_error *err)
{
    return take(in, next, DER_OCTET_STRING, out) ||
           bad(err, name, "an octet string is expected here");
}

static bool read_field(struct slice content, session_next_fn next, size_t i,
                       struct session_asn1 *out, hf_error *err)
{
    struct slice inner;

    out->there[i] = true;
    out->bytes[i] = content;
    if (i == SESSION_PEER)
        return true;
    if (!take(&content, next, fields[i].number ? DER_INTEGER : DER_OCTET_STRING, &inner) ||
        content.len != 0)
        return bad(err, fields[i].name, "is not of the type that OpenSSL writes");
    out->bytes[i] = inner;
    return !fields[i].number || number_of(inner, &out->number[i]) ||
           bad(err, fields[i].name, "is too large, or no number");
}

static bool read_fields(struct slice body, session_next_fn next, struct session_asn1 *out,
                        hf_error *err)
{
    size_t last = 0;

    while (body.len > 0) {
        struct slice content;
        uint8_t tag;
        if (!next(&body, &tag, &content))
            return bad(err, "SSL_SESSION", "a field is cut off or malformed");
        if (tag <= SESSION_TAG || tag >= SESSION_TAG + SESSION_FIELDS)
            return err_set(err, HF_E_SESSION_DATA, "a field of the tag 0x%02x: not known", tag);
        size_t i = (size_t)(tag - SESSION_TAG);
        if (i <= last)
            return bad(err, fields[i].name, "stands twice, or behind a later field");
        last = i;
        if (!read_field(content, next, i, out, err))
            return false;
    }
    return true;
}

bool session_asn1_read(struct slice *in, session_next_fn next, struct session_asn1 *out,
                       hf_error *err)
{
    struct slice body;

    *out = (struct session_asn1){0};
    if (!take(in, next, DER_SEQUENCE, &body))
        return bad(err, "SSL_SESSION", "these bytes are no SSL_SESSION, or not all of one");
    return take_number(&body, next, "version", &out->format, err) &&
           take_number(&body, next, "ssl_version", &out->version, err) &&
           take_octets(&body, next, "cipher", &out->cipher, err) &&
           take_octets(&body, next, "session_id", &out->id, err) &&
           take_octets(&body, next, "master_key", &out->secret, err) &&
           read_fields(body, next, out, err);
}

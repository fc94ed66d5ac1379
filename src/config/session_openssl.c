/* session_openssl.c: reads OpenSSL's SSL_SESSION, as `openssl s_client -sess_out` writes it. Only the
 * DER of the outside is ours: the certificate within goes to libcrypto. */
#include "config/session.h"
#include "config/session_asn1.h"
#include "config/tables.h"
#include "crypto/der.h"
#include "x509/pem.h"

#define LABEL      "SSL SESSION PARAMETERS"
#define MAX_SECOND (INT64_MAX / 2048)

static bool bad(hf_error *err, const char *field, const char *why)
{
    return err_set(err, HF_E_SESSION_DATA, "%s: %s", field, why);
}

static bool read_file(struct slice der, struct session_asn1 *file, hf_error *err)
{
    struct slice peer, inner;

    if (!session_asn1_read(&der, der_next, file, err))
        return false;
    if (der.len != 0)
        return bad(err, "SSL_SESSION", "something follows it");
    if (file->format != SESSION_FORMAT)
        return bad(err, "version", "of this structure, only 1 is known");
    for (enum session_field i = SESSION_TIME; i < SESSION_FIELDS; i++) {
        bool number = file->there[i] && session_field_is_number(i);
        if (number && (file->number[i] < 0 || file->bytes[i].len == 0))
            return bad(err, session_field_name(i), "is negative, or no number");
    }
    peer = file->bytes[SESSION_PEER];
    if (file->there[SESSION_PEER] && (!der_take(&peer, DER_SEQUENCE, &inner) || peer.len != 0))
        return bad(err, "peer", "is not of the type that OpenSSL writes");
    return true;
}

/* ---- what the fields mean */

static bool use_algorithms(const struct session_asn1 *file, hf_session *s, hf_error *err)
{
    if (file->version < HF_TLS1_0 || file->version > HF_TLS1_3)
        return err_set(err, HF_E_SESSION_DATA, "ssl_version: 0x%llx is none of TLS 1.0 to 1.3",
                       (unsigned long long)file->version);
    if (file->cipher.len != 2)
        return bad(err, "cipher", "is not two bytes long");
    if (file->bytes[SESSION_COMPRESSION].len)
        return bad(err, "comp_id", "handfast never compresses");
    s->version = (uint16_t)file->version;
    s->suite = get_u16(file->cipher.p);
    s->ems = (file->number[SESSION_FLAGS] & SESSION_FLAG_EMS) != 0;
    /* OpenSSL keeps groups of its own numbering with bits above. */
    s->group =
        file->number[SESSION_GROUP] <= UINT16_MAX ? (uint16_t)file->number[SESSION_GROUP] : 0;
    return session_set_secret(s, file->secret, err);
}

static bool use_times(const struct session_asn1 *file, hf_session *s, hf_error *err)
{
    int64_t lifetime = file->number[SESSION_TIMEOUT],
            hint = file->number[SESSION_LIFETIME_HINT];

    if (file->number[SESSION_TIME] == 0 || file->number[SESSION_TIME] > MAX_SECOND)
        return bad(err, "time", "is missing, or no time of this world");
    /* RFC 5077 3.3: a hint of 0 says nothing; RFC 8446 4.6.1: it ends the ticket at once. */
    if (file->bytes[SESSION_TICKET].len && (hint || s->version == HF_TLS1_3) && hint < lifetime)
        lifetime = hint;
    if (file->number[SESSION_AGE_ADD] > UINT32_MAX)
        return bad(err, "ticket_age_add", "is larger than 32 bits");
    s->lifetime = lifetime < UINT32_MAX ? (uint32_t)lifetime : UINT32_MAX;
    s->age_add = (uint32_t)file->number[SESSION_AGE_ADD];
    s->started = (int64_t)file->number[SESSION_TIME];
    s->issued_ms = s->started * 1000;
    return true;
}

static bool use_ids(const struct session_asn1 *file, hf_session *s, hf_error *err)
{
    struct slice id = file->id, context = file->bytes[SESSION_CONTEXT];
    int64_t mode = file->number[SESSION_MAX_FRAGMENT];

    if (id.len > sizeof s->id)
        return bad(err, "session_id", "is longer than 32 bytes");
    if (context.len > sizeof s->context)
        return bad(err, "session_id_context", "is longer than 32 bytes");
    /* RFC 6066 4: 1 is 2^9 and so on. OpenSSL has 255 for a server that was not asked. */
    if (mode > 4 && mode != 255)
        return bad(err, "max_fragment_len_mode", "is none of 0 to 4 and 255");
    s->max_fragment = (uint16_t)(mode >= 1 && mode <= 4 ? 256u << mode : 0);
    /* That of a TLS 1.3 session is OpenSSL's own invention: no server gave it. */
    if (s->version != HF_TLS1_3 && id.len) {
        memcpy(s->id, id.p, id.len);
        s->id_len = (uint8_t)id.len;
    }
    if (context.len)
        memcpy(s->context, context.p, context.len);
    s->context_len = (uint8_t)context.len;
    if (file->bytes[SESSION_TICKET].len == 0 && s->id_len == 0)
        return bad(err, "ticket", "is missing: nothing to resume with");
    return true;
}

static bool copy(struct slice from, uint8_t **out, size_t *len, hf_error *err)
{
    *len = from.len;
    if (from.len && !(*out = mem_dup(from.p, from.len)))
        return err_set(err, HF_E_NO_MEMORY, "for a session");
    return true;
}

static bool use_strings(const struct session_asn1 *file, hf_session *s, hf_error *err)
{
    size_t alpn_len;

    if (file->bytes[SESSION_TICKET].len > UINT16_MAX)
        return bad(err, "ticket", "is longer than 65535 bytes");
    if (file->bytes[SESSION_ALPN].len > UINT8_MAX)
        return bad(err, "alpn", "is longer than 255 bytes");
    if (!copy(file->bytes[SESSION_TICKET], &s->ticket, &s->ticket_len, err) ||
        !copy(file->bytes[SESSION_ALPN], &s->alpn, &alpn_len, err))
        return false;
    s->alpn_len = (uint8_t)alpn_len;
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool same_name(struct slice a, const char *b)
{
    bool same = a.len == strlen(b);
    for (size_t i = 0; same && i < a.len; i++)
        same = lower(a.p[i]) == lower((uint8_t)b[i]);
    return same;
}

/* OpenSSL keeps the name that went out as SNI, if the server took notice of it. */
static bool use_name(const struct session_asn1 *file, const char *name, hf_session *s,
                     hf_error *err)
{
    struct slice host = file->bytes[SESSION_HOST_NAME];

    if (host.len && memchr(host.p, 0, host.len))
        return bad(err, "hostname", "holds a NUL");
    if (host.len > UINT8_MAX)
        return bad(err, "hostname", "is longer than a name can be");
    if (host.len && name && !same_name(host, name))
        return err_set(err, HF_E_SESSION_DATA,
                       "hostname: the session was made with %.*s, not %s", (int)host.len,
                       (const char *)host.p, name);
    if (!name && host.len == 0)
        return true;
    size_t len = name ? strlen(name) : host.len;
    if (!(s->server_name = mem_new(len + 1)))
        return err_set(err, HF_E_NO_MEMORY, "for a session");
    memcpy(s->server_name, name ? name : (const char *)host.p, len);
    return true;
}

/* OpenSSL says whether the chain was good (X509_V_OK is 0, and so it is where nothing was to be
 * verified), but not whether the name was looked at: that is done here, which costs nothing. */
static bool use_peer(const struct session_asn1 *file, hf_session *s, hf_error *err)
{
    hf_error why = {0};

    if (file->bytes[SESSION_PEER].len == 0)
        return true;
    hf_certificate *cert = cert_from_der(file->bytes[SESSION_PEER], &why);
    if (!cert)
        return err_set(err, why.code == HF_E_NO_MEMORY ? why.code : HF_E_SESSION_DATA,
                       "peer: %s", why.detail);
    s->verified = file->number[SESSION_VERIFY_RESULT] == 0;
    s->named = s->verified && s->server_name && cert_matches_name(cert, s->server_name);
    s->chain = chain_new(&cert, 1);
    hf_certificate_free(cert);
    return s->chain || err_set(err, HF_E_NO_MEMORY, "for a session's certificate");
}

static hf_session *from_der(struct slice der, const char *server_name, hf_error *err)
{
    struct session_asn1 file;

    if (!read_file(der, &file, err))
        return NULL;
    hf_session *s = session_new();
    if (!s) {
        err_set(err, HF_E_NO_MEMORY, "for a session");
        return NULL;
    }
    if (use_algorithms(&file, s, err) && use_times(&file, s, err) && use_ids(&file, s, err) &&
        use_strings(&file, s, err) && use_name(&file, server_name, s, err) &&
        use_peer(&file, s, err))
        return s;
    hf_session_free(s);
    return NULL;
}

static bool find_block(const struct source *source, struct pem_block *block, hf_error *err)
{
    struct pem pem = pem_start(source);
    enum pem_result result;

    while ((result = pem_next(&pem, block)) == PEM_BLOCK) {
        if (pem_is(block, LABEL))
            return true;
    }
    return bad(err, "PEM",
               result == PEM_CUT ? "a block has no END line" : "there is no block " LABEL);
}

hf_session *hf_session_import_openssl(const uint8_t *bytes, size_t len, const char *server_name,
                                      hf_error *err)
{
    struct source source = {"the session", bytes, bytes ? len : 0};
    struct pem_block block;
    uint8_t *der = NULL;
    size_t der_len = 0;
    bool no_memory = false;
    hf_session *session = NULL;

    err_begin(err);
    if (source.len == 0 || !source_is_pem(&source))
        return from_der(slice_of(source.p, source.len), server_name, err);
    if (!find_block(&source, &block, err))
        return NULL;
    if (pem_decode(&block, &der, &der_len, &no_memory))
        session = from_der(slice_of(der, der_len), server_name, err);
    else if (no_memory)
        err_set(err, HF_E_NO_MEMORY, "for a session");
    else
        bad(err, "PEM", "the block " LABEL " is not base64");
    mem_wipe_free(der, der_len);
    return session;
}

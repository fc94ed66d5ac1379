/* binding.c: channel bindings (RFC 5929, RFC 9266). */
#include "connection/conn.h"

/* "the first TLS Finished message sent ... in the most recent TLS handshake" (RFC 5929 3.1): the client's in a full
 * handshake, the server's in an abbreviated one. */
static size_t unique(const struct established *e, uint8_t *out)
{
    if (e->version >= HF_TLS1_3 || !e->ems)
        return 0;
    memcpy(out, e->resumed ? e->server_finished : e->client_finished, FINISHED_MAX);
    return FINISHED_MAX;
}

/* "the hash function associated with the certificate's signatureAlgorithm", with SHA-256 in place of MD5 and
 * SHA-1, and where there is none (RFC 5929 4.1; EdDSA has none of its own). */
static enum hash_id hash_of(const hf_certificate *cert)
{
    switch (cert_signed_with(cert)) {
    case SIG_ECDSA_SHA384:
    case SIG_PSS_SHA384:
    case SIG_PKCS1_SHA384: return HASH_SHA384;
    case SIG_ECDSA_SHA512:
    case SIG_PSS_SHA512:
    case SIG_PKCS1_SHA512: return HASH_SHA512;
    case SIG_ECDSA_SHA256:
    case SIG_PSS_SHA256:
    case SIG_PKCS1_SHA256:
    case SIG_ED25519:
    case SIG_ED448:
    case SIG_ECDSA_SHA1:
    case SIG_PKCS1_SHA1:
    case SIG_PKCS1_MD5_SHA1:
    case SIG_NONE: break;
    }
    return HASH_SHA256;
}

/* A session tells the client which certificate it was, but not the server: neither says so after a
 * resumption, or they would disagree. */
static size_t server_end_point(const struct established *e, uint8_t *out)
{
    const hf_certificate *cert = e->server ? e->own : e->chain ? e->chain->cert[0] : NULL;
    if (!cert || e->resumed || cert_is_raw(cert))
        return 0;
    enum hash_id hash = hash_of(cert);
    struct slice der = cert_der(cert);
    hash_once(hash, der.p, der.len, out);
    return hash_size(hash);
}

/* "EXPORTER-Channel-Binding", an empty context, 32 bytes; in TLS 1.2 only with extended_master_secret (RFC 9266
 * 2, 4.2). */
static size_t exporter(const hf_conn *c, uint8_t *out)
{
    static const uint8_t nothing;
    bool ok =
        c->est.ems && hf_conn_export(c, "EXPORTER-Channel-Binding", &nothing, 0, out, 32, NULL);
    return ok ? 32 : 0;
}

size_t hf_conn_channel_binding(const hf_conn *c, hf_binding type, uint8_t out[HF_BINDING_MAX])
{
    if (!c->est.version)
        return 0;
    switch (type) {
    case HF_BINDING_UNIQUE: return unique(&c->est, out);
    case HF_BINDING_SERVER_END_POINT: return server_end_point(&c->est, out);
    case HF_BINDING_EXPORTER: return exporter(c, out);
    }
    return 0;
}

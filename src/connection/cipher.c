/* cipher.c: a suite in the words of OpenSSL and of Python's ssl module, and what a connection tells of suites and
 * signatures besides the usual. */
#include <stdio.h>

#include "bytes/sink.h"
#include "connection/conn.h"
#include "handfast_context.h"
#include "handshake/details.h"

/* clang-format off */
static const struct { const char *kea, *word; } keas[] = {
    [KEX_ANY]       = {"kx-any", "any"},
    [KEX_ECDHE]     = {"kx-ecdhe", "ECDH"},
    [KEX_DHE]       = {"kx-dhe", "DH"},
    [KEX_RSA]       = {"kx-rsa", "RSA"},
    [KEX_PSK]       = {"kx-psk", "PSK"},
    [KEX_ECDHE_PSK] = {"kx-ecdhe-psk", "ECDHEPSK"},
    [KEX_DHE_PSK]   = {"kx-dhe-psk", "DHEPSK"},
};
static const struct { const char *auth, *word; } auths[] = {
    [AUTH_ANY]   = {"auth-any", "any"},
    [AUTH_ECDSA] = {"auth-ecdsa", "ECDSA"},
    [AUTH_RSA]   = {"auth-rsa", "RSA"},
    [AUTH_PSK]   = {"auth-psk", "PSK"},
    [AUTH_NONE]  = {"auth-null", "None"},
};
static const struct { const char *symmetric, *word; } aeads[] = {
    [AEAD_NONE]              = {NULL, "None"},
    [AEAD_AES_128_GCM]       = {"aes-128-gcm", "AESGCM(128)"},
    [AEAD_AES_256_GCM]       = {"aes-256-gcm", "AESGCM(256)"},
    [AEAD_CHACHA20_POLY1305] = {"chacha20-poly1305", "CHACHA20/POLY1305(256)"},
    [AEAD_AES_128_CCM]       = {"aes-128-ccm", "AESCCM(128)"},
    [AEAD_AES_128_CCM_8]     = {"aes-128-ccm", "AESCCM8(128)"},
    [AEAD_AES_256_CCM]       = {"aes-256-ccm", "AESCCM(256)"},
    [AEAD_AES_256_CCM_8]     = {"aes-256-ccm", "AESCCM8(256)"},
};
/* clang-format on */

static const char *digest(const struct suite *s)
{
    return s->mac == HASH_SHA1     ? "sha1"
           : s->mac == HASH_SHA256 ? "sha256"
           : s->mac == HASH_SHA384 ? "sha384"
                                   : NULL;
}

static const char *mac(const struct suite *s)
{
    return s->aead != AEAD_NONE    ? "AEAD"
           : s->mac == HASH_SHA1   ? "SHA1"
           : s->mac == HASH_SHA256 ? "SHA256"
                                   : "SHA384";
}

/* Where a suite was first possible. What needs no extension of TLS 1.0 was made for SSL 3.0; elliptic curves,
 * and pre-shared keys with a newer hash, were not. */
static const char *oldest(const struct suite *s, const char *tls1)
{
    if (s->version_min >= HF_TLS1_2)
        return hf_version_token(s->version_min);
    bool curves = s->kex == KEX_ECDHE || s->kex == KEX_ECDHE_PSK;
    return curves || s->mac != HASH_SHA1 ? tls1 : "SSLv3";
}

static void fill(const struct suite *s, hf_cipher *out)
{
    bool cbc = s->aead == AEAD_NONE && s->bits;
    const char *encryption = !cbc             ? aeads[s->aead].word
                             : s->bits == 128 ? "AES(128)"
                                              : "AES(256)";
    *out = (hf_cipher){
        .id = 0x03000000U | s->id,
        .name = s->openssl,
        .protocol = oldest(s, "TLSv1.0"),
        .strength_bits = s->bits,
        .alg_bits = s->bits,
        .aead = s->aead != AEAD_NONE,
        .symmetric = !cbc             ? aeads[s->aead].symmetric
                     : s->bits == 128 ? "aes-128-cbc"
                                      : "aes-256-cbc",
        .digest = digest(s),
        .kea = keas[s->kex].kea,
        .auth = auths[s->auth].auth,
    };
    (void)snprintf(out->description, sizeof out->description,
                   "%-30s %-7s Kx=%-8s Au=%-5s Enc=%-22s Mac=%-4s", s->openssl,
                   oldest(s, "TLSv1"), keas[s->kex].word, auths[s->auth].word, encryption,
                   mac(s));
}

bool hf_cipher_of(uint16_t suite, hf_cipher *out)
{
    const struct suite *s = suite_find(suite);
    if (s)
        fill(s, out);
    return s != NULL;
}

bool hf_conn_cipher(const hf_conn *conn, hf_cipher *out)
{
    return conn->est.suite && hf_cipher_of(conn->est.suite->id, out);
}

static void put_text(struct sink *s, const char *key, const char *value)
{
    sink_format(s, ", \"%s\": ", key);
    if (value)
        sink_json(s, value, strlen(value));
    else
        sink_raw(s, "null");
}

static void put_cipher(struct sink *s, const hf_cipher *c)
{
    sink_format(s, "{\"id\": %u", (unsigned)c->id);
    put_text(s, "name", c->name);
    put_text(s, "protocol", c->protocol);
    put_text(s, "description", c->description);
    sink_format(s, ", \"strength_bits\": %d, \"alg_bits\": %d, \"aead\": %s", c->strength_bits,
                c->alg_bits, c->aead ? "true" : "false");
    put_text(s, "symmetric", c->symmetric);
    put_text(s, "digest", c->digest);
    put_text(s, "kea", c->kea);
    put_text(s, "auth", c->auth);
    sink_raw(s, "}");
}

size_t hf_config_ciphers_json(const hf_config *config, char *out, size_t size)
{
    struct sink s = {.out = out, .size = size};
    bool first = true;

    sink_raw(&s, "[");
    for (size_t i = 0; config && i < config->suites.count; i++) {
        hf_cipher c;
        if (!hf_cipher_of(config->suites.id[i], &c))
            continue;
        sink_raw(&s, first ? "" : ", ");
        put_cipher(&s, &c);
        first = false;
    }
    sink_raw(&s, "]");
    return sink_end(&s);
}

/* ---- of a connection */

static const struct details *details_of(const hf_conn *c)
{
    return c->est.version && c->est.extras ? c->est.extras->details : NULL;
}

size_t hf_conn_shared_suites(const hf_conn *c, uint16_t *out, size_t max)
{
    const struct details *d = details_of(c);
    size_t n = 0;

    for (size_t i = 0; d && c->est.server && i < d->suite_count; i++) {
        if (!ids_has(&c->config->body.suites, d->suites[i]))
            continue;
        if (n < max)
            out[n] = d->suites[i];
        n++;
    }
    return n;
}

uint16_t hf_conn_own_signature(const hf_conn *c)
{
    const struct details *d = details_of(c);
    return d ? d->signature : 0;
}

const char *hf_conn_compression(const hf_conn *c)
{
    (void)c;
    return NULL;
}

#include "x509/certificate.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "crypto/decoding.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "x509/element.h"
#include "x509/intern.h"

/* X509_verify_cert hands out X509 *; an extra-data slot leads back to what we know about each. */
static pthread_once_t slot_once = PTHREAD_ONCE_INIT;
static int slot = -1;

static void make_slot(void)
{
    slot = X509_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

hf_certificate *cert_of(const X509 *x509)
{
    return x509 && slot >= 0 ? X509_get_ex_data(x509, slot) : NULL;
}

/* ---- reading */

bool time_from_asn1(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;
    if (!t || !ASN1_TIME_to_tm(t, &tm))
        return false;
    *out = timegm(&tm);
    return true;
}

static enum sig_id pss_sig(int digest)
{
    return digest == NID_sha256   ? SIG_PSS_SHA256
           : digest == NID_sha384 ? SIG_PSS_SHA384
           : digest == NID_sha512 ? SIG_PSS_SHA512
                                  : SIG_NONE;
}

static enum sig_id read_signed_with(X509 *x)
{
    switch (X509_get_signature_nid(x)) {
    case NID_ecdsa_with_SHA256: return SIG_ECDSA_SHA256;
    case NID_ecdsa_with_SHA384: return SIG_ECDSA_SHA384;
    case NID_ecdsa_with_SHA512: return SIG_ECDSA_SHA512;
    case NID_sha256WithRSAEncryption: return SIG_PKCS1_SHA256;
    case NID_sha384WithRSAEncryption: return SIG_PKCS1_SHA384;
    case NID_sha512WithRSAEncryption: return SIG_PKCS1_SHA512;
    case NID_ED25519: return SIG_ED25519;
    case NID_ED448: return SIG_ED448;
    case NID_rsassaPss: {
        int digest = NID_undef;
        uint32_t flags = 0;
        /* X509_SIG_INFO_TLS: MGF1 with the same digest and a salt as long as it. */
        if (!X509_get_signature_info(x, &digest, NULL, NULL, &flags) ||
            !(flags & X509_SIG_INFO_TLS))
            return SIG_NONE;
        return pss_sig(digest);
    }
    default: return SIG_NONE;
    }
}

/* Features ::= SEQUENCE OF INTEGER; 5 is status_request (RFC 7633 4). */
static bool read_must_staple(X509 *x, bool *out)
{
    int found = 0;
    *out = false;
    TLS_FEATURE *features = X509_get_ext_d2i(x, NID_tlsfeature, &found, NULL);
    if (!features)
        return found == -1;
    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == 5)
            *out = true;
    }
    TLS_FEATURE_free(features);
    return true;
}

static bool read_key_hash(X509 *x, uint8_t out[CERT_HASH])
{
    unsigned char *spki = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    if (n <= 0)
        return false;
    hash_once(HASH_SHA256, spki, (size_t)n, out);
    OPENSSL_free(spki);
    return true;
}

/* Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE,
 *                            signatureValue BIT STRING }                            RFC 5280 4.1
 * Left empty where libcrypto is to judge: another encoding than DER's, an algorithm within that is
 * not the one without. */
static void read_signature(hf_certificate *c)
{
    struct slice in = cert_der(c), cert, tbs, bits;
    const X509_ALGOR *algorithm = NULL;
    X509_get0_signature(NULL, &algorithm, c->x509);
    if (!element_take(&in, V_ASN1_SEQUENCE, NULL, &cert) ||
        !element_take(&cert, V_ASN1_SEQUENCE, &tbs, NULL) ||
        !element_take(&cert, V_ASN1_SEQUENCE, NULL, NULL) ||
        !element_take(&cert, V_ASN1_BIT_STRING, NULL, &bits) || cert.len != 0)
        return;
    /* The first byte counts unused bits. */
    if (bits.len < 2 || bits.p[0] != 0 ||
        X509_ALGOR_cmp(algorithm, X509_get0_tbs_sigalg(c->x509)) != 0)
        return;
    c->tbs = tbs;
    c->signature = slice_of(bits.p + 1, bits.len - 1);
}

static X509 *read_x509(struct slice der, void *context, hf_error *err)
{
    const unsigned char *p = der.p;
    X509 *x = der.len <= INT32_MAX ? X509_new_ex(context, NULL) : NULL;
    if (!x || !d2i_X509(&x, &p, (long)der.len)) { /* which frees x when it fails */
        char text[120];
        bool no_memory = ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE;
        crypto_error_text(text, sizeof text);
        if (no_memory)
            err_set(err, HF_E_NO_MEMORY, "certificate");
        err_set(err, HF_E_BAD_CERTIFICATE, "not a certificate (%zu bytes): %s", der.len, text);
        return NULL;
    }
    /* Two byte strings must never be one certificate: what is behind the end is not signed. */
    if (p != der.p + der.len) {
        err_set(err, HF_E_BAD_CERTIFICATE, "%zu bytes follow the end of the certificate",
                (size_t)(der.p + der.len - p));
        X509_free(x);
        return NULL;
    }
    return x;
}

static bool read_fields(hf_certificate *c, hf_error *err)
{
    X509 *x = c->x509;
    if (!time_from_asn1(X509_get0_notBefore(x), &c->not_before) ||
        !time_from_asn1(X509_get0_notAfter(x), &c->not_after))
        return err_set(err, HF_E_BAD_CERTIFICATE,
                       "validity: notBefore or notAfter is not a time");
    /* Fills libcrypto's own cache of extensions, so that the object never changes later, in
     * whichever thread. */
    X509_check_purpose(x, -1, 0);
    uint32_t flags = X509_get_extension_flags(x);
    c->ca = (flags & EXFLAG_CA) != 0;
    c->self_issued = (flags & EXFLAG_SI) != 0;
    c->may_sign = !(flags & EXFLAG_KUSAGE) || (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE);
    c->may_encipher = !(flags & EXFLAG_KUSAGE) || (X509_get_key_usage(x) & KU_KEY_ENCIPHERMENT);
    c->signed_with = read_signed_with(x);
    if (!names_read(x, &c->names))
        return err_set(err, HF_E_BAD_CERTIFICATE,
                       "subjectAltName is malformed or occurs twice (or memory ran out)");
    if (!read_must_staple(x, &c->must_staple))
        return err_set(err, HF_E_BAD_CERTIFICATE,
                       "the TLS feature extension is malformed or occurs twice (RFC 7633)");
    if (!read_key_hash(x, c->key_sha256))
        return err_set(err, HF_E_BAD_CERTIFICATE, "the public key cannot be encoded");
    read_signature(c);
    c->key = public_key_from_x509(x);
    return true;
}

hf_certificate *cert_new(struct slice der, const uint8_t sha256[CERT_HASH], X509 *given,
                         hf_error *err)
{
    pthread_once(&slot_once, make_slot);
    void *context = given ? NULL : decoding_context();
    X509 *x = !given ? read_x509(der, context, err) : X509_up_ref(given) ? given : NULL;
    if (!x)
        return NULL;
    hf_certificate *c = mem_new(sizeof *c + der.len);
    if (!c) {
        X509_free(x);
        err_set(err, HF_E_NO_MEMORY, "certificate");
        return NULL;
    }
    atomic_init(&c->refs, 1);
    c->x509 = x;
    c->plain = !context;
    c->der_len = der.len;
    memcpy(c->der, der.p, der.len);
    memcpy(c->sha256, sha256, CERT_HASH);
    bool ok = given || (slot >= 0 && X509_set_ex_data(x, slot, c));
    if (!ok)
        err_set(err, HF_E_NO_MEMORY, "certificate");
    ok = ok && read_fields(c, err);
    /* Whatever optional part failed has left its words in libcrypto's queue: not ours to keep. */
    ERR_clear_error();
    if (!ok) {
        hf_certificate_free(c);
        return NULL;
    }
    return c;
}

bool cert_is_complete(const hf_certificate *cert)
{
    uint32_t flags = X509_get_extension_flags(cert->x509);
    /* Two keys: the one that we parsed, and the one that libcrypto needs on a path. */
    EVP_PKEY *key = X509_get0_pubkey(cert->x509);
    bool keys = cert->key && key && EVP_PKEY_get_security_bits(key) > 0;
    ERR_clear_error();
    return keys && !(flags & (EXFLAG_INVALID | EXFLAG_NO_FINGERPRINT));
}

hf_certificate *hf_certificate_parse(const uint8_t *der, size_t len, hf_error *err)
{
    if (!der || len == 0) {
        err_set(err, HF_E_BAD_CERTIFICATE, "there are no bytes");
        return NULL;
    }
    return cert_from_der(slice_of(der, len), err);
}

hf_certificate *hf_certificate_ref(hf_certificate *cert)
{
    if (cert)
        atomic_fetch_add_explicit(&cert->refs, 1, memory_order_relaxed);
    return cert;
}

void hf_certificate_free(hf_certificate *cert)
{
    if (!cert || atomic_fetch_sub_explicit(&cert->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        mem_free(atomic_load_explicit(&cert->text[i], memory_order_relaxed));
    public_key_free(cert->key);
    names_clear(&cert->names);
    X509_free(cert->x509);
    X509_free(atomic_load_explicit(&cert->ordinary, memory_order_relaxed));
    mem_free(cert);
}

/* ---- what it says */

struct slice cert_der(const hf_certificate *cert)
{
    return slice_of(cert->der, cert->der_len);
}

struct public_key *cert_key(const hf_certificate *cert)
{
    return cert->key;
}

bool cert_allows_signing(const hf_certificate *cert)
{
    return cert->may_sign;
}

bool cert_allows_encipherment(const hf_certificate *cert)
{
    return cert->may_encipher;
}

bool cert_matches_name(const hf_certificate *cert, const char *name)
{
    return names_match(&cert->names, name);
}

enum sig_id cert_signed_with(const hf_certificate *cert)
{
    return cert->signed_with;
}

bool cert_is_self_issued(const hf_certificate *cert)
{
    return cert->self_issued;
}

bool cert_issued(const hf_certificate *issuer, const hf_certificate *cert)
{
    return X509_check_issued(issuer->x509, cert->x509) == X509_V_OK;
}

int64_t hf_certificate_not_before(const hf_certificate *cert)
{
    return cert->not_before;
}

int64_t hf_certificate_not_after(const hf_certificate *cert)
{
    return cert->not_after;
}

bool hf_certificate_is_ca(const hf_certificate *cert)
{
    return cert->ca;
}

const uint8_t *hf_certificate_der(const hf_certificate *cert, size_t *len)
{
    if (len)
        *len = cert->der_len;
    return cert->der;
}

const uint8_t *hf_certificate_sha256(const hf_certificate *cert)
{
    return cert->sha256;
}

const uint8_t *hf_certificate_key_sha256(const hf_certificate *cert)
{
    return cert->key_sha256;
}

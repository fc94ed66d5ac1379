/* issue.c: key pairs and certificates for tests and closed groups. */
#include "x509/issue.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <time.h>

#include "crypto/random.h"

#define HOUR 3600
#define DAY  86400

static EVP_PKEY *make_key(hf_key_type type)
{
    switch (type) {
    case HF_KEY_EC_P256: return EVP_EC_gen("P-256");
    case HF_KEY_EC_P384: return EVP_EC_gen("P-384");
    case HF_KEY_RSA_2048: return EVP_RSA_gen(2048);
    case HF_KEY_RSA_3072: return EVP_RSA_gen(3072);
    case HF_KEY_RSA_4096: return EVP_RSA_gen(4096);
    case HF_KEY_ED25519: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

/* EdDSA has its digest inside; the others take one that is as strong as their key. */
static const EVP_MD *digest_for(EVP_PKEY *signer)
{
    if (EVP_PKEY_is_a(signer, "ED25519") || EVP_PKEY_is_a(signer, "ED448"))
        return NULL;
    return EVP_PKEY_is_a(signer, "EC") && EVP_PKEY_get_bits(signer) > 256 ? EVP_sha384()
                                                                          : EVP_sha256();
}

/* One certificate while it is made. */
struct making {
    const hf_certificate_plan *plan;
    const hf_credential *issuer;
    struct plan_names names;
    int64_t from, until;
    EVP_PKEY *key;
    X509 *x;
    hf_error *err;
};

static bool failed(struct making *m)
{
    char text[160];
    crypto_error_text(text, sizeof text);
    return err_set(m->err, HF_E_CRYPTO, "a certificate cannot be made: %s", text);
}

/* ---- what is asked for */

static bool check_issuer(struct making *m)
{
    const hf_credential *issuer = m->issuer;
    if (!issuer)
        return true;
    if (credential_type(issuer) == CERT_RAW || !issuer->key)
        return err_set(m->err, HF_E_CONFIG,
                       "the issuer has no certificate, or its key is not here");
    const hf_certificate *ca = issuer->chain->cert[0];
    if (!ca->ca || (X509_get_extension_flags(ca->x509) & EXFLAG_KUSAGE &&
                    !(X509_get_key_usage(ca->x509) & KU_KEY_CERT_SIGN)))
        return err_set(m->err, HF_E_CONFIG, "'%.80s' is no CA: it may not sign certificates",
                       hf_certificate_subject(ca));
    long below = X509_get_pathlen(ca->x509);
    if (m->plan->ca && below >= 0 && (long)m->plan->intermediates >= below)
        return err_set(
            m->err, HF_E_CONFIG,
            "'%.80s' may have %ld CAs below it, and this one with %u below itself is one "
            "too many: make it with more intermediates",
            hf_certificate_subject(ca), below, m->plan->intermediates);
    return true;
}

static bool set_dates(struct making *m)
{
    int64_t now = time(NULL);
    int64_t end = m->issuer ? m->issuer->chain->cert[0]->not_after : INT64_MAX;
    m->from = m->plan->not_before ? m->plan->not_before : now - HOUR;
    m->until = m->plan->not_after ? m->plan->not_after : now + (m->plan->ca ? 3650 : 90) * DAY;
    /* A certificate that outlives its issuer fails one day for a reason that nobody looks for. */
    m->until = m->until > end ? end : m->until;
    if (m->from >= m->until)
        return err_set(m->err, HF_E_CONFIG, "it would end before it begins%s",
                       m->until == end ? ": its issuer ends then" : "");
    return true;
}

static bool check_plan(struct making *m)
{
    const hf_certificate_plan *plan = m->plan;
    if (!plan_names_read(plan->names, &m->names, m->err))
        return false;
    if (!plan->ca && sk_GENERAL_NAME_num(m->names.all) == 0)
        return err_set(m->err, HF_E_CONFIG,
                       "a leaf needs a name that it is for: a DNS name or an IP address");
    if (plan->common_name && strlen(plan->common_name) > 64)
        return err_set(m->err, HF_E_CONFIG, "common name: longer than 64 characters");
    if (plan->organization && strlen(plan->organization) > 64)
        return err_set(m->err, HF_E_CONFIG, "organization: longer than 64 characters");
    return check_issuer(m) && set_dates(m);
}

/* ---- the certificate */

static bool add_attribute(X509_NAME *name, const char *which, const char *value)
{
    return !value || !*value ||
           X509_NAME_add_entry_by_txt(name, which, MBSTRING_UTF8, (const unsigned char *)value,
                                      -1, -1, 0) == 1;
}

static bool set_names(struct making *m)
{
    const hf_certificate_plan *plan = m->plan;
    X509_NAME *name = X509_get_subject_name(m->x);
    const char *common = plan->common_name ? plan->common_name
                         : plan->ca        ? "handfast test CA"
                                           : m->names.first;
    if (!add_attribute(name, "O", plan->organization) || !add_attribute(name, "CN", common))
        return false;
    X509_NAME *issuer =
        m->issuer ? X509_get_subject_name(m->issuer->chain->cert[0]->x509) : name;
    return X509_set_issuer_name(m->x, issuer) == 1;
}

/* 127 random bits: positive, and nobody can foresee it (RFC 5280 4.1.2.2). */
static bool set_serial(struct making *m)
{
    uint8_t bytes[16];
    if (!random_bytes(bytes, sizeof bytes))
        return false;
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(m->x));
    BN_free(n);
    return ok;
}

static bool sign(struct making *m)
{
    EVP_PKEY *signer = m->issuer ? private_key_to_pkey(m->issuer->key) : m->key;
    bool ok = signer && X509_sign(m->x, signer, digest_for(signer)) > 0;
    if (m->issuer)
        EVP_PKEY_free(signer);
    return ok;
}

static bool build(struct making *m)
{
    X509 *issuer = m->issuer ? m->issuer->chain->cert[0]->x509 : NULL;
    m->key = make_key(m->plan->key);
    m->x = X509_new();
    return m->key && m->x && X509_set_version(m->x, X509_VERSION_3) == 1 && set_serial(m) &&
           set_names(m) && ASN1_TIME_set(X509_getm_notBefore(m->x), (time_t)m->from) &&
           ASN1_TIME_set(X509_getm_notAfter(m->x), (time_t)m->until) &&
           X509_set_pubkey(m->x, m->key) == 1 &&
           add_extensions(m->x, issuer, m->plan, m->names.all) && sign(m);
}

/* ---- the credential */

static size_t sent_issuers(const hf_credential *issuer)
{
    size_t n = issuer ? issuer->chain->count : 0;
    while (n > 0 && issuer->chain->cert[n - 1]->self_issued)
        n--;
    return n;
}

static bool fill(struct making *m, hf_credential *cred, hf_certificate *own)
{
    hf_certificate *certs[CHAIN_MAX];
    size_t issuers = sent_issuers(m->issuer);
    certs[0] = own;
    for (size_t i = 0; i < issuers && i + 1 < CHAIN_MAX; i++)
        certs[i + 1] = m->issuer->chain->cert[i];
    cred->key = private_key_from_pkey(m->key);
    cred->chain = issuers < CHAIN_MAX ? chain_new(certs, issuers + 1) : NULL;
    cred->kind = cred->key ? private_key_kind(cred->key) : KEY_NONE;
    cred->bits = cred->key ? private_key_bits(cred->key) : 0;
    return cred->key && cred->chain;
}

static hf_credential *credential(struct making *m)
{
    unsigned char *der = NULL;
    int n = i2d_X509(m->x, &der);
    hf_certificate *own = n > 0 ? cert_from_der(slice_of(der, (size_t)n), m->err) : NULL;
    hf_credential *cred = own ? mem_new(sizeof *cred) : NULL;
    OPENSSL_free(der);
    if (cred) {
        atomic_init(&cred->refs, 1);
        if (!fill(m, cred, own)) {
            hf_credential_free(cred);
            cred = NULL;
        }
    }
    if (!cred)
        err_set(m->err, HF_E_NO_MEMORY, "for a credential");
    hf_certificate_free(own);
    return cred;
}

hf_credential *hf_credential_make(const hf_certificate_plan *plan, const hf_credential *issuer,
                                  hf_error *err)
{
    struct making m = {.plan = plan, .issuer = issuer, .err = err};
    hf_credential *cred = NULL;
    err_begin(err);
    if (!plan) {
        err_set(err, HF_E_USAGE, "hf_credential_make: plan is NULL");
        return NULL;
    }
    if (check_plan(&m)) {
        if (build(&m))
            cred = credential(&m);
        else
            failed(&m);
    }
    ERR_clear_error();
    GENERAL_NAMES_free(m.names.all);
    X509_free(m.x);
    EVP_PKEY_free(m.key);
    return cred;
}

/* pkcs12.c: PKCS#12 files (RFC 7292), in and out. */
#include "x509/pkcs12.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "crypto/random.h"
#include "handfast_issue.h"
#include "x509/cert_list.h"
#include "x509/certificate.h"
#include "x509/element.h"

/* What one passphrase may cost whoever opens a file that somebody else made: about a second. */
#define ITERATIONS_MAX 1000000
/* And what guessing costs (OWASP's number for PBKDF2 with SHA-256 is 600,000; readers wait for it twice). */
#define ITERATIONS     100000
#define PASSPHRASE_MAX 1024

/* PFX ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo, macData MacData OPTIONAL } */
bool source_is_pkcs12(const struct source *s)
{
    struct slice in = slice_of(s->p, s->len), body, version;
    return element_take(&in, V_ASN1_SEQUENCE, NULL, &body) &&
           element_take(&body, V_ASN1_INTEGER, NULL, &version) && version.len == 1 &&
           version.p[0] == 3 && body.len > 0 && body.p[0] == 0x30;
}

/* ---- reading */

struct opening {
    const struct source *from;
    PKCS12 *p12;
    char passphrase[PASSPHRASE_MAX + 1];
    /* the passphrase that opens it: "" and none at all are two different ones */
    const char *right;
    hf_error *err;
};

static bool fits(struct opening *o, const char *passphrase)
{
    o->right = passphrase;
    return !PKCS12_mac_present(o->p12) ||
           PKCS12_verify_mac(o->p12, passphrase, passphrase ? (int)strlen(passphrase) : 0) == 1;
}

static bool ask(struct opening *o, hf_passphrase_fn fn, void *arg)
{
    const char *name = o->from->name;
    int n = fn ? fn(o->passphrase, PASSPHRASE_MAX, arg) : -1;
    if (n < 0 || n > PASSPHRASE_MAX)
        return err_set(o->err, HF_E_PASSPHRASE, "%s is encrypted and %s", name,
                       fn ? "the passphrase function gave none" : "no passphrase was given");
    o->passphrase[n] = 0;
    return fits(o, o->passphrase) ||
           err_set(o->err, HF_E_PASSPHRASE, "the passphrase of %s is wrong", name);
}

static bool check_cost(struct opening *o)
{
    const ASN1_INTEGER *iterations = NULL;
    PKCS12_get0_mac(NULL, NULL, NULL, &iterations, o->p12);
    long n = iterations ? ASN1_INTEGER_get(iterations) : 1;
    return (n >= 0 && n <= ITERATIONS_MAX) ||
           err_set(o->err, HF_E_PEM, "%s: its passphrase takes %ld rounds, more than %d",
                   o->from->name, n, ITERATIONS_MAX);
}

static bool not_opened(struct opening *o)
{
    char text[160];
    bool lacking = ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED;
    crypto_error_text(text, sizeof text);
    if (lacking)
        return err_set(
            o->err, HF_E_PEM,
            "%s is encrypted in a way that is no longer supported (RC2-40, in old PKCS#12 "
            "files): convert it with `openssl pkcs12 -legacy` first (%s)",
            o->from->name, text);
    return err_set(o->err, HF_E_PEM, "%s cannot be decoded (%s)", o->from->name, text);
}

/* Through DER, so that the same rules hold as for any other key. */
static bool take_key(struct opening *o, EVP_PKEY *pkey, struct pkcs12 *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    unsigned char *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    bool found;
    if (n > 0)
        out->key = private_key_parse(slice_of(der, (size_t)n), NULL, NULL, &found, o->err);
    else
        err_set(o->err, HF_E_PEM, "%s: its private key cannot be decoded", o->from->name);
    OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    return out->key != NULL;
}

static bool take_cert(struct opening *o, X509 *x, struct pkcs12 *out, size_t *room)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    hf_certificate *cert = n > 0 ? cert_from_der(slice_of(der, (size_t)n), o->err) : NULL;
    OPENSSL_free(der);
    bool ok = cert && list_add_ref(&out->certs, room, cert);
    hf_certificate_free(cert);
    return ok || err_set(o->err, HF_E_NO_MEMORY, "%s", o->from->name);
}

static bool take_all(struct opening *o, struct pkcs12 *out)
{
    EVP_PKEY *key = NULL;
    X509 *own = NULL;
    STACK_OF(X509) *others = NULL;
    size_t room = 0;
    if (PKCS12_parse(o->p12, o->right, &key, &own, &others) != 1)
        return not_opened(o);
    bool ok = (!key || take_key(o, key, out)) && (!own || take_cert(o, own, out, &room));
    for (int i = 0; ok && i < sk_X509_num(others); i++)
        ok = take_cert(o, sk_X509_value(others, i), out, &room);
    EVP_PKEY_free(key);
    X509_free(own);
    sk_X509_pop_free(others, X509_free);
    return ok;
}

bool pkcs12_open(const struct source *s, hf_passphrase_fn fn, void *arg, struct pkcs12 *out,
                 hf_error *err)
{
    struct opening o = {.from = s, .err = err};
    const unsigned char *p = s->p;
    *out = (struct pkcs12){0};
    ERR_clear_error();
    o.p12 = s->len <= INT32_MAX ? d2i_PKCS12(NULL, &p, (long)s->len) : NULL;
    bool ok = o.p12 ? check_cost(&o) : not_opened(&o);
    ok = ok && (fits(&o, NULL) || fits(&o, "") || ask(&o, fn, arg));
    ERR_clear_error();
    ok = ok && take_all(&o, out);
    ERR_clear_error();
    PKCS12_free(o.p12);
    wipe(o.passphrase, sizeof o.passphrase);
    if (!ok)
        pkcs12_clear(out);
    return ok;
}

void pkcs12_clear(struct pkcs12 *p)
{
    private_key_free(p->key);
    hf_certificates_clear(&p->certs);
    p->key = NULL;
}

static bool in_list(hf_certificate *const *certs, size_t count, const hf_certificate *cert)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(certs[i]->sha256, cert->sha256, CERT_HASH) == 0)
            return true;
    }
    return false;
}

/* All that are no part of the credential's chain, each once. */
static bool copy_others(const struct pkcs12 *content, const hf_credential *cred,
                        hf_certificate_list *out)
{
    size_t room = 0;
    for (size_t i = 0; i < content->certs.count; i++) {
        hf_certificate *c = content->certs.cert[i];
        if (in_list(out->cert, out->count, c) ||
            (cred && in_list(cred->chain->cert, cred->chain->count, c)))
            continue;
        if (!list_add_ref(out, &room, c))
            return false;
    }
    return true;
}

bool hf_pkcs12_read(const void *bytes, size_t len, hf_passphrase_fn fn, void *arg,
                    hf_credential **cred, hf_certificate_list *others, hf_error *err)
{
    struct source s = {"the PKCS#12 file", bytes, bytes ? len : 0};
    struct pkcs12 content;
    hf_credential *found = NULL;
    err_begin(err);
    if (cred)
        *cred = NULL;
    if (others)
        *others = (hf_certificate_list){0};
    if (!source_is_pkcs12(&s))
        return err_set(err, HF_E_PEM, "these %zu bytes are not PKCS#12", len);
    if (!pkcs12_open(&s, fn, arg, &content, err))
        return false;
    bool ok = !content.key || (found = credential_of(&content, &s, err));
    if (ok && others && !copy_others(&content, found, others)) {
        hf_certificates_clear(others);
        ok = err_set(err, HF_E_NO_MEMORY, "for the certificates of a PKCS#12 file");
    }
    if (ok && cred)
        *cred = hf_credential_ref(found);
    hf_credential_free(found);
    pkcs12_clear(&content);
    return ok;
}

/* ---- writing */

/* libcrypto compares keys of one provider only; ours are decoded by another (decoding.h). */
static X509 *ordinary(const hf_certificate *cert)
{
    const unsigned char *p = cert->der;
    return d2i_X509(NULL, &p, (long)cert->der_len);
}

static bool push(STACK_OF(X509) * to, const hf_certificate *cert)
{
    X509 *x = ordinary(cert);
    if (x && sk_X509_push(to, x) > 0)
        return true;
    X509_free(x);
    return false;
}

static STACK_OF(X509) * stack_of(const hf_credential *cred, const hf_certificate_list *others)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    bool ok = all != NULL;
    for (size_t i = 1; ok && cred && i < cred->chain->count; i++)
        ok = push(all, cred->chain->cert[i]);
    for (size_t i = 0; ok && others && i < others->count; i++)
        ok = push(all, others->cert[i]);
    if (ok)
        return all;
    sk_X509_pop_free(all, X509_free);
    return NULL;
}

static PKCS12 *build(const hf_credential *cred, const hf_certificate_list *others,
                     const char *passphrase, const char *name)
{
    EVP_PKEY *key = cred ? private_key_to_pkey(cred->key) : NULL;
    X509 *own = cred ? ordinary(cred->chain->cert[0]) : NULL;
    STACK_OF(X509) *rest = stack_of(cred, others);
    PKCS12 *p12 = rest && (!cred || (key && own))
                      ? PKCS12_create(passphrase, name, key, own, rest, NID_aes_256_cbc,
                                      NID_aes_256_cbc, ITERATIONS, -1, 0)
                      : NULL;
    /* PKCS12_create would make the MAC with SHA-1 and one round in some versions. */
    if (p12 && PKCS12_set_mac(p12, passphrase, -1, NULL, 0, ITERATIONS, EVP_sha256()) != 1) {
        PKCS12_free(p12);
        p12 = NULL;
    }
    sk_X509_pop_free(rest, X509_free);
    X509_free(own);
    EVP_PKEY_free(key);
    return p12;
}

bool hf_pkcs12_write(const hf_credential *cred, const hf_certificate_list *others,
                     const char *passphrase, const char *friendly_name, uint8_t **out,
                     size_t *len, hf_error *err)
{
    err_begin(err);
    if (!passphrase || !out || !len || (!cred && (!others || others->count == 0)))
        return err_set(err, HF_E_USAGE, "hf_pkcs12_write: %s",
                       !passphrase    ? "passphrase is NULL"
                       : !out || !len ? "out or len is NULL"
                                      : "there is nothing to write");
    *out = NULL;
    if (cred && (!cred->key || credential_type(cred) == CERT_RAW))
        return err_set(err, HF_E_CONFIG,
                       "a credential without a private key and a certificate of "
                       "its own has no place in a PKCS#12 file");
    PKCS12 *p12 = build(cred, others, passphrase, friendly_name);
    unsigned char *der = NULL;
    int n = p12 ? i2d_PKCS12(p12, &der) : 0;
    PKCS12_free(p12);
    if (n <= 0) {
        char text[160];
        crypto_error_text(text, sizeof text);
        return err_set(err, HF_E_CRYPTO, "PKCS#12: %s", text);
    }
    *out = mem_dup(der, (size_t)n);
    *len = *out ? (size_t)n : 0;
    OPENSSL_clear_free(der, (size_t)n);
    return *out || err_set(err, HF_E_NO_MEMORY, "for a PKCS#12 file");
}

/* ---- keys */

char *hf_credential_key_pem(const hf_credential *cred, const char *passphrase, hf_error *err)
{
    char *p = NULL, *text = NULL;
    err_begin(err);
    if (!cred || !cred->key) {
        err_set(err, cred ? HF_E_CONFIG : HF_E_USAGE, "there is no private key here to write");
        return NULL;
    }
    EVP_PKEY *key = private_key_to_pkey(cred->key);
    BIO *bio = BIO_new(BIO_s_secmem());
    int n = passphrase ? (int)strlen(passphrase) : 0;
    bool ok = key && bio &&
              PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_256_cbc() : NULL,
                                            passphrase, n, NULL, NULL) == 1;
    long len = ok ? BIO_get_mem_data(bio, &p) : 0;
    if (ok && (text = mem_new((size_t)len + 1)))
        memcpy(text, p, (size_t)len);
    if (ok && !text)
        err_set(err, HF_E_NO_MEMORY, "for a private key");
    else if (!ok)
        err_set(err, HF_E_CRYPTO, "libcrypto cannot write this private key");
    ERR_clear_error();
    BIO_free(bio);
    EVP_PKEY_free(key);
    return text;
}

void hf_secret_free(void *p, size_t len)
{
    mem_wipe_free(p, p ? len : 0);
}

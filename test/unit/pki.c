#include "pki.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rsa_primes.h"

#define MUST(cond)                                                                             \
    do {                                                                                       \
        if (!(cond))                                                                           \
            must_fail(#cond, __LINE__);                                                        \
    } while (0)

static void must_fail(const char *what, int line)
{
    fprintf(stderr, "pki.c:%d: %s\n", line, what);
    ERR_print_errors_fp(stderr);
    abort();
}

/* ---- keys */

static EVP_PKEY *rsa_of(const char *name, const BIGNUM *p, const BIGNUM *q)
{
    enum { N, D, DP, DQ, QI, P1, Q1, E, NUMBERS };
    static const char *const names[] = {
        OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    BN_CTX *bn = BN_CTX_new();
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *v[NUMBERS];

    for (int i = 0; i < NUMBERS; i++)
        MUST(v[i] = BN_new());
    MUST(bn && bld && ctx && BN_set_word(v[E], RSA_F4) && BN_mul(v[N], p, q, bn));
    MUST(BN_sub(v[P1], p, BN_value_one()) && BN_sub(v[Q1], q, BN_value_one()));
    MUST(BN_mul(v[QI], v[P1], v[Q1], bn) && BN_mod_inverse(v[D], v[E], v[QI], bn));
    MUST(BN_mod(v[DP], v[D], v[P1], bn) && BN_mod(v[DQ], v[D], v[Q1], bn));
    MUST(BN_mod_inverse(v[QI], q, p, bn));
    for (int i = 0; i <= QI; i++)
        MUST(OSSL_PARAM_BLD_push_BN(bld, names[i], v[i]));
    MUST(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, v[E]) &&
         OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_FACTOR1, p) &&
         OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_FACTOR2, q));
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    MUST(params && EVP_PKEY_fromdata_init(ctx) > 0 &&
         EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) > 0);
    OSSL_PARAM_free(params);
    for (int i = 0; i < NUMBERS; i++)
        BN_free(v[i]);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_BLD_free(bld);
    BN_CTX_free(bn);
    return key;
}

/* Each one of the table in turn; NULL if it has none of this kind. */
static EVP_PKEY *stored_rsa(const char *name, unsigned bits)
{
    enum { COUNT = sizeof rsa_primes / sizeof rsa_primes[0] };
    static unsigned used[COUNT];
    size_t best = COUNT;
    BIGNUM *p = NULL, *q = NULL;
    EVP_PKEY *key;

    for (size_t i = 0; i < COUNT; i++)
        if (rsa_primes[i].bits == bits && strcmp(rsa_primes[i].name, name) == 0 &&
            (best == COUNT || used[i] < used[best]))
            best = i;
    if (best == COUNT)
        return NULL;
    used[best]++;
    MUST(BN_hex2bn(&p, rsa_primes[best].p) && BN_hex2bn(&q, rsa_primes[best].q));
    key = BN_cmp(p, q) > 0 ? rsa_of(name, p, q) : rsa_of(name, q, p);
    BN_free(p);
    BN_free(q);
    return key;
}

EVP_PKEY *pki_rsa(const char *name, unsigned bits)
{
    EVP_PKEY *key = getenv("HF_TEST_SLOW") ? stored_rsa(name, bits) : NULL;
    EVP_PKEY_CTX *ctx = key ? NULL : EVP_PKEY_CTX_new_from_name(NULL, name, NULL);

    if (!key)
        MUST(ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
             EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) > 0 &&
             EVP_PKEY_generate(ctx, &key) > 0);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *make_key(enum pki_kind kind)
{
    EVP_PKEY *key = NULL;
    switch (kind) {
    case PKI_P256: key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); break;
    case PKI_P384: key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"); break;
    case PKI_P521: key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"); break;
    case PKI_RSA: key = pki_rsa("RSA", 2048); break;
    case PKI_RSA_1024: key = pki_rsa("RSA", 1024); break;
    case PKI_RSA_PSS: key = pki_rsa("RSA-PSS", 2048); break;
    case PKI_ED25519: key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
    case PKI_ED448: key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448"); break;
    case PKI_KINDS: break;
    }
    MUST(key);
    return key;
}

static EVP_PKEY *rsa_pool[PKI_KINDS][3];
static unsigned rsa_next[PKI_KINDS];

static EVP_PKEY *take_key(enum pki_kind kind)
{
    if (kind != PKI_RSA && kind != PKI_RSA_1024 && kind != PKI_RSA_PSS)
        return make_key(kind);
    EVP_PKEY **slot = &rsa_pool[kind][rsa_next[kind]++ % 3];
    if (!*slot)
        *slot = make_key(kind);
    MUST(EVP_PKEY_up_ref(*slot));
    return *slot;
}

__attribute__((destructor)) static void free_pool(void)
{
    for (size_t k = 0; k < PKI_KINDS; k++) {
        for (size_t i = 0; i < 3; i++)
            EVP_PKEY_free(rsa_pool[k][i]);
    }
}

/* ---- certificates */

static void add_extension(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    MUST(ext);
    MUST(X509_add_ext(x, ext, -1));
    X509_EXTENSION_free(ext);
}

static void add_extensions(X509 *x, X509 *issuer, const struct pki_spec *spec)
{
    char basic[64] = "critical,CA:FALSE";
    if (spec->ca && spec->path_length)
        snprintf(basic, sizeof basic, "critical,CA:TRUE,pathlen:%s", spec->path_length);
    else if (spec->ca)
        snprintf(basic, sizeof basic, "critical,CA:TRUE");
    const char *usage = spec->key_usage ? spec->key_usage
                        : spec->ca      ? "critical,keyCertSign,cRLSign"
                                        : "critical,digitalSignature";
    const char *eku = spec->eku ? spec->eku : spec->ca ? "" : "serverAuth,clientAuth";
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    /* Policies and proxy certificates could refer to sections of it. */
    CONF *conf = NCONF_new(NULL);
    MUST(conf);
    X509V3_set_nconf(&ctx, conf);
    add_extension(x, &ctx, NID_basic_constraints, basic);
    if (*usage)
        add_extension(x, &ctx, NID_key_usage, usage);
    if (*eku)
        add_extension(x, &ctx, NID_ext_key_usage, eku);
    if (spec->constraints)
        add_extension(x, &ctx, NID_name_constraints, spec->constraints);
    if (spec->policies)
        add_extension(x, &ctx, NID_certificate_policies, spec->policies);
    if (spec->mappings)
        add_extension(x, &ctx, NID_policy_mappings, spec->mappings);
    if (spec->proxy)
        add_extension(x, &ctx, NID_proxyCertInfo, "critical,language:id-ppl-inheritAll");
    if (spec->must_staple)
        add_extension(x, &ctx, NID_tlsfeature, "status_request");
    if (spec->names) {
        /* RFC 5280 4.2.1.6: critical where there is no subject. */
        char names[4096];
        snprintf(names, sizeof names, "%s%s", spec->subject ? "" : "critical,", spec->names);
        add_extension(x, &ctx, NID_subject_alt_name, names);
    }
    if (!spec->bare) {
        add_extension(x, &ctx, NID_subject_key_identifier, "hash");
        if (issuer != x)
            add_extension(x, &ctx, NID_authority_key_identifier, "keyid");
    }
    NCONF_free(conf);
}

static void sign(X509 *x, EVP_PKEY *key, const char *digest)
{
    const EVP_MD *md = NULL;
    if (digest)
        md = EVP_get_digestbyname(digest);
    else if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
        md = NULL;
    else
        md = EVP_PKEY_get_bits(key) == 384   ? EVP_sha384()
             : EVP_PKEY_get_bits(key) == 521 ? EVP_sha512()
                                             : EVP_sha256();
    MUST(X509_sign(x, key, md) > 0);
}

static char *bio_text(BIO *bio)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    char *text = malloc((size_t)n + 1);
    MUST(text);
    memcpy(text, p, (size_t)n);
    text[n] = 0;
    BIO_free(bio);
    return text;
}

static void encode(struct pki_cert *c)
{
    int n = i2d_X509(c->x509, &c->der);
    MUST(n > 0);
    c->der_len = (size_t)n;
    BIO *bio = BIO_new(BIO_s_mem());
    MUST(bio && PEM_write_bio_X509(bio, c->x509));
    c->pem = bio_text(bio);
    bio = BIO_new(BIO_s_mem());
    MUST(bio && PEM_write_bio_PKCS8PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL));
    c->key_pem = bio_text(bio);
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(c->key);
    n = i2d_PKCS8_PRIV_KEY_INFO(p8, &c->key_der);
    MUST(n > 0);
    c->key_der_len = (size_t)n;
    PKCS8_PRIV_KEY_INFO_free(p8);
}

struct pki_cert *pki_make(const struct pki_spec *spec, const struct pki_cert *issuer)
{
    static long serial = 0x1000;
    struct pki_cert *c = calloc(1, sizeof *c);
    X509 *x = X509_new();
    MUST(c && x);
    if (spec->key_of) {
        c->key = ((const struct pki_cert *)spec->key_of)->key;
        MUST(EVP_PKEY_up_ref(c->key));
    } else {
        c->key = take_key(spec->kind);
    }
    c->x509 = x;
    MUST(X509_set_version(x, X509_VERSION_3));
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(x), serial++));
    MUST(ASN1_TIME_set(X509_getm_notBefore(x),
                       (time_t)(spec->not_before ? spec->not_before : PKI_NOT_BEFORE)));
    MUST(ASN1_TIME_set(X509_getm_notAfter(x),
                       (time_t)(spec->not_after ? spec->not_after : PKI_NOT_AFTER)));
    if (spec->proxy)
        MUST(X509_set_subject_name(x, X509_get_subject_name(issuer->x509)));
    if (spec->subject) {
        const unsigned char *cn = (const unsigned char *)spec->subject;
        MUST(X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
                                        cn, -1, -1, 0));
    }
    X509 *by = issuer ? issuer->x509 : x;
    MUST(X509_set_issuer_name(x, X509_get_subject_name(by)));
    MUST(X509_set_pubkey(x, c->key));
    add_extensions(x, by, spec);
    sign(x, issuer ? issuer->key : c->key, spec->digest);
    encode(c);
    return c;
}

void pki_free(struct pki_cert *cert)
{
    if (!cert)
        return;
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    OPENSSL_free(cert->der);
    OPENSSL_free(cert->key_der);
    free(cert->pem);
    free(cert->key_pem);
    free(cert);
}

struct pki *pki_new(enum pki_kind leaf_kind, const char *names)
{
    struct pki *pki = calloc(1, sizeof *pki);
    MUST(pki);
    pki->root = pki_make(&(struct pki_spec){.subject = "Test Root", .ca = true}, NULL);
    pki->mid = pki_make(
        &(struct pki_spec){.subject = "Test Intermediate", .ca = true, .path_length = "0"},
        pki->root);
    pki->leaf = pki_make(
        &(struct pki_spec){
            .kind = leaf_kind,
            .subject = "Test Leaf",
            .names = names,
            .key_usage = leaf_kind == PKI_RSA ? "digitalSignature,keyEncipherment" : NULL},
        pki->mid);
    pki->chain_pem = pki_text(pki->leaf->pem, pki->mid->pem, NULL);
    pki->bundle_pem = pki_text(pki->leaf->key_pem, pki->chain_pem, NULL);
    return pki;
}

void pki_clear(struct pki *pki)
{
    if (!pki)
        return;
    pki_free(pki->root);
    pki_free(pki->mid);
    pki_free(pki->leaf);
    free(pki->chain_pem);
    free(pki->bundle_pem);
    free(pki);
}

const char *pki_kind_name(enum pki_kind kind)
{
    static const char *const names[PKI_KINDS] = {
        "P-256", "P-384", "P-521", "RSA-2048", "RSA-1024", "RSA-PSS-2048", "Ed25519", "Ed448"};
    return names[kind];
}

char *pki_key_pem(const struct pki_cert *cert, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    MUST(bio);
    if (passphrase)
        MUST(PEM_write_bio_PKCS8PrivateKey(bio, cert->key, EVP_aes_128_cbc(), passphrase,
                                           (int)strlen(passphrase), NULL, NULL));
    else
        MUST(PEM_write_bio_PrivateKey_traditional(bio, cert->key, NULL, NULL, 0, NULL, NULL));
    return bio_text(bio);
}

/* ---- OCSP */

static OCSP_BASICRESP *ocsp_answer(const struct pki_ocsp_spec *spec)
{
    static const int status[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                                 V_OCSP_CERTSTATUS_UNKNOWN};
    int64_t from = spec->this_update ? spec->this_update : PKI_NOW - PKI_DAY;
    int64_t until = spec->next_update ? spec->next_update : PKI_NOW + PKI_DAY;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), spec->cert->x509, spec->issuer->x509);
    ASN1_TIME *revoked = ASN1_TIME_set(NULL, (time_t)from);
    ASN1_TIME *this_update = ASN1_TIME_set(NULL, (time_t)from);
    ASN1_TIME *next_update = until < 0 ? NULL : ASN1_TIME_set(NULL, (time_t)until);
    MUST(basic && id && revoked && this_update);
    MUST(OCSP_basic_add1_status(
        basic, id, status[spec->status], OCSP_REVOKED_STATUS_KEYCOMPROMISE,
        spec->status == PKI_OCSP_REVOKED ? revoked : NULL, this_update, next_update));
    const struct pki_cert *by = spec->responder ? spec->responder : spec->issuer;
    const EVP_MD *md = EVP_PKEY_get_bits(by->key) == 384 ? EVP_sha384() : EVP_sha256();
    MUST(OCSP_basic_sign(basic, by->x509, by->key, md, NULL,
                         spec->responder ? 0 : OCSP_NOCERTS));
    OCSP_CERTID_free(id);
    ASN1_TIME_free(revoked);
    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
    return basic;
}

uint8_t *pki_ocsp(const struct pki_ocsp_spec *spec, size_t *len)
{
    OCSP_BASICRESP *basic = spec->error ? NULL : ocsp_answer(spec);
    OCSP_RESPONSE *resp = OCSP_response_create(
        spec->error ? spec->error : OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    MUST(resp);
    unsigned char *der = NULL;
    int n = i2d_OCSP_RESPONSE(resp, &der);
    MUST(n > 0);
    uint8_t *out = malloc((size_t)n);
    MUST(out);
    memcpy(out, der, (size_t)n);
    *len = (size_t)n;
    OPENSSL_free(der);
    OCSP_RESPONSE_free(resp);
    OCSP_BASICRESP_free(basic);
    return out;
}

/* ---- revocation lists */

static void crl_extension(X509_CRL *crl, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    MUST(ext && X509_CRL_add_ext(crl, ext, -1));
    X509_EXTENSION_free(ext);
}

static void crl_critical(X509_CRL *crl, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    MUST(object && value && ASN1_OCTET_STRING_set(value, (const unsigned char *)"\5", 2));
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    MUST(ext && X509_CRL_add_ext(crl, ext, -1));
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static void list_revoked(X509_CRL *crl, const struct pki_cert *cert, int64_t at, int reason)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)at);
    MUST(entry && when && X509_REVOKED_set_revocationDate(entry, when));
    MUST(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(cert->x509)));
    if (reason) {
        ASN1_ENUMERATED *number = ASN1_ENUMERATED_new();
        MUST(number && ASN1_ENUMERATED_set(number, reason));
        MUST(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, number, 0, 0));
        ASN1_ENUMERATED_free(number);
    }
    MUST(X509_CRL_add0_revoked(crl, entry));
    ASN1_TIME_free(when);
}

static X509_CRL *make_crl(const struct pki_crl_spec *spec)
{
    int64_t from = spec->this_update ? spec->this_update : PKI_NOW - PKI_DAY;
    int64_t until = spec->next_update ? spec->next_update : PKI_NOW + PKI_DAY;
    const struct pki_cert *by = spec->signer ? spec->signer : spec->issuer;
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)from);
    MUST(crl && when && X509_CRL_set_version(crl, X509_CRL_VERSION_2));
    MUST(X509_CRL_set_issuer_name(crl, X509_get_subject_name(spec->issuer->x509)));
    MUST(X509_CRL_set1_lastUpdate(crl, when));
    if (until > 0)
        MUST(ASN1_TIME_set(when, (time_t)until) && X509_CRL_set1_nextUpdate(crl, when));
    ASN1_TIME_free(when);
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, by->x509, NULL, NULL, crl, 0);
    if (!spec->bare)
        crl_extension(crl, &ctx, NID_authority_key_identifier, "keyid");
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    MUST(number && ASN1_INTEGER_set(number, 1));
    MUST(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0));
    ASN1_INTEGER_free(number);
    if (spec->critical)
        crl_critical(crl, spec->critical);
    for (size_t i = 0; i < 4 && spec->revoked[i]; i++)
        list_revoked(crl, spec->revoked[i], spec->revoked_at ? spec->revoked_at : from,
                     spec->reason);
    MUST(X509_CRL_sort(crl));
    MUST(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
    return crl;
}

uint8_t *pki_crl(const struct pki_crl_spec *spec, size_t *len)
{
    X509_CRL *crl = make_crl(spec);
    unsigned char *der = NULL;
    int n = i2d_X509_CRL(crl, &der);
    MUST(n > 0);
    uint8_t *out = malloc((size_t)n);
    MUST(out);
    memcpy(out, der, (size_t)n);
    *len = (size_t)n;
    OPENSSL_free(der);
    X509_CRL_free(crl);
    return out;
}

char *pki_crl_pem(const struct pki_crl_spec *spec)
{
    X509_CRL *crl = make_crl(spec);
    BIO *bio = BIO_new(BIO_s_mem());
    MUST(bio && PEM_write_bio_X509_CRL(bio, crl));
    X509_CRL_free(crl);
    return bio_text(bio);
}

/* ---- texts and files */

char *pki_text(const char *first, ...)
{
    va_list ap;
    size_t n = 0;
    va_start(ap, first);
    for (const char *s = first; s; s = va_arg(ap, const char *))
        n += strlen(s);
    va_end(ap);
    char *text = malloc(n + 1), *p = text;
    MUST(text);
    *p = 0;
    va_start(ap, first);
    for (const char *s = first; s; s = va_arg(ap, const char *)) {
        size_t len = strlen(s);
        memcpy(p, s, len + 1);
        p += len;
    }
    va_end(ap);
    return text;
}

static char folder[64];
static char *files[256];
static size_t file_count;

static void remove_folder(void)
{
    for (size_t i = 0; i < file_count; i++) {
        unlink(files[i]);
        free(files[i]);
    }
    rmdir(folder);
}

const char *pki_folder(void)
{
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/handfast-test-XXXXXX");
        MUST(mkdtemp(folder));
        atexit(remove_folder);
    }
    return folder;
}

const char *pki_file(const char *name, const void *bytes, size_t len)
{
    char *path = pki_text(pki_folder(), "/", name, NULL);
    FILE *f = fopen(path, "wb");
    MUST(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
    for (size_t i = 0; i < file_count; i++) {
        if (strcmp(files[i], path) == 0) {
            free(path);
            return files[i];
        }
    }
    MUST(file_count < sizeof files / sizeof *files);
    return files[file_count++] = path;
}

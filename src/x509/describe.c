/* describe.c: certificates in words. Every text is computed when first asked for. */
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>

#include "x509/certificate.h"

/* RFC 4514: reversed order, escapes; UTF-8 stays as it is, control characters never do. */
#define NAME_FLAGS (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

static char *text_of(BIO *bio)
{
    char *p = NULL;
    long n = bio ? BIO_get_mem_data(bio, &p) : 0;
    char *text = bio ? mem_new((size_t)n + 1) : NULL;
    if (text && n > 0)
        memcpy(text, p, (size_t)n);
    BIO_free(bio);
    ERR_clear_error();
    return text;
}

static char *describe_name(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) < 0) {
        BIO_reset(bio);
        BIO_puts(bio, "(a name that cannot be decoded)");
    }
    return text_of(bio);
}

/* Bytes of a peer's name as text: what is not a plain character is written as \XX, so that a name can
 * neither end early nor look like two. */
static void put_text(BIO *bio, const ASN1_STRING *s)
{
    const unsigned char *p = ASN1_STRING_get0_data(s);
    for (int i = 0; i < ASN1_STRING_length(s); i++) {
        if (p[i] > 0x20 && p[i] < 0x7f && p[i] != ',' && p[i] != '\\')
            BIO_write(bio, p + i, 1);
        else
            BIO_printf(bio, "\\%02X", p[i]);
    }
}

static void put_ip(BIO *bio, const ASN1_STRING *s)
{
    char text[INET6_ADDRSTRLEN] = "";
    int len = ASN1_STRING_length(s);
    if (len == 4 || len == 16)
        inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), text, sizeof text);
    BIO_printf(bio, "IP:%s", *text ? text : "(malformed)");
}

static void put_general(BIO *bio, GENERAL_NAME *g)
{
    if (g->type == GEN_DNS) {
        BIO_puts(bio, "DNS:");
        put_text(bio, g->d.dNSName);
    } else if (g->type == GEN_EMAIL) {
        BIO_puts(bio, "email:");
        put_text(bio, g->d.rfc822Name);
    } else if (g->type == GEN_URI) {
        BIO_puts(bio, "URI:");
        put_text(bio, g->d.uniformResourceIdentifier);
    } else if (g->type == GEN_IPADD) {
        put_ip(bio, g->d.iPAddress);
    } else if (g->type == GEN_DIRNAME) {
        BIO_puts(bio, "dirName:");
        X509_NAME_print_ex(bio, g->d.directoryName, 0, NAME_FLAGS);
    } else if (g->type == GEN_RID) {
        char oid[80];
        OBJ_obj2txt(oid, sizeof oid, g->d.registeredID, 1);
        BIO_printf(bio, "RID:%s", oid);
    } else {
        BIO_puts(bio, "other");
    }
}

static char *describe_names(X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; bio && i < sk_GENERAL_NAME_num(all); i++) {
        if (i)
            BIO_puts(bio, ", ");
        put_general(bio, sk_GENERAL_NAME_value(all, i));
    }
    GENERAL_NAMES_free(all);
    return text_of(bio);
}

static char *describe_serial(X509 *x)
{
    const ASN1_INTEGER *n = X509_get0_serialNumber(x);
    const unsigned char *p = ASN1_STRING_get0_data(n);
    int len = ASN1_STRING_length(n);
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && ASN1_STRING_type(n) == V_ASN1_NEG_INTEGER)
        BIO_puts(bio, "-");
    for (int i = 0; bio && i < len; i++)
        BIO_printf(bio, "%02X", p[i]);
    return text_of(bio);
}

static char *describe_key(const hf_certificate *c)
{
    char text[80], group[50] = "";
    EVP_PKEY *key = c->x509 ? X509_get0_pubkey(c->x509) : NULL;
    unsigned bits = key      ? (unsigned)EVP_PKEY_get_bits(key)
                    : c->key ? public_key_bits(c->key)
                             : 0;
    switch (c->key ? public_key_kind(c->key) : KEY_NONE) {
    case KEY_P256: return mem_strdup("EC P-256");
    case KEY_P384: return mem_strdup("EC P-384");
    case KEY_P521: return mem_strdup("EC P-521");
    case KEY_ED25519: return mem_strdup("Ed25519");
    case KEY_ED448: return mem_strdup("Ed448");
    case KEY_RSA: snprintf(text, sizeof text, "RSA %u", bits); return mem_strdup(text);
    case KEY_RSA_PSS: snprintf(text, sizeof text, "RSA-PSS %u", bits); return mem_strdup(text);
    case KEY_NONE:
    case KEY_OTHER: break;
    }
    if (!key)
        return mem_strdup("unknown");
    if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL))
        snprintf(text, sizeof text, "EC %s", group);
    else
        snprintf(text, sizeof text, "%s %u",
                 EVP_PKEY_get0_type_name(key) ? EVP_PKEY_get0_type_name(key) : "unknown", bits);
    ERR_clear_error();
    return mem_strdup(text);
}

static char *describe_signature(X509 *x)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *oid = NULL;
    char text[80];
    X509_get0_signature(NULL, &algorithm, x);
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    OBJ_obj2txt(text, sizeof text, oid, 0);
    return mem_strdup(text);
}

/* A raw public key has no name but its digest. */
static char *describe_raw(const hf_certificate *c, enum cert_text which)
{
    char text[128] = "";
    int n = 0;
    if (which == TEXT_KEY)
        return describe_key(c);
    if (which == TEXT_SUBJECT)
        n = snprintf(text, sizeof text, "raw public key, SHA-256 ");
    for (size_t i = 0; n > 0 && i < CERT_HASH; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%02x", c->key_sha256[i]);
    return mem_strdup(text);
}

static char *describe(const hf_certificate *c, enum cert_text which)
{
    if (cert_is_raw(c))
        return describe_raw(c, which);
    switch (which) {
    case TEXT_SUBJECT: return describe_name(X509_get_subject_name(c->x509));
    case TEXT_ISSUER: return describe_name(X509_get_issuer_name(c->x509));
    case TEXT_NAMES: return describe_names(c->x509);
    case TEXT_SERIAL: return describe_serial(c->x509);
    case TEXT_KEY: return describe_key(c);
    case TEXT_SIGNATURE: return describe_signature(c->x509);
    case TEXT_COUNT: break;
    }
    return NULL;
}

/* The text published first wins; a thread that computed the same meanwhile drops its own. */
static const char *text(const hf_certificate *c, enum cert_text which)
{
    _Atomic(char *) *place = &((hf_certificate *)(uintptr_t)c)->text[which];
    char *known = atomic_load_explicit(place, memory_order_acquire);
    if (known)
        return known;
    char *mine = describe(c, which);
    if (!mine)
        return "";
    if (atomic_compare_exchange_strong_explicit(place, &known, mine, memory_order_acq_rel,
                                                memory_order_acquire))
        return mine;
    mem_free(mine);
    return known;
}

const char *hf_certificate_subject(const hf_certificate *cert)
{
    return text(cert, TEXT_SUBJECT);
}

const char *hf_certificate_issuer(const hf_certificate *cert)
{
    return text(cert, TEXT_ISSUER);
}

const char *hf_certificate_names(const hf_certificate *cert)
{
    return text(cert, TEXT_NAMES);
}

const char *hf_certificate_serial(const hf_certificate *cert)
{
    return text(cert, TEXT_SERIAL);
}

const char *hf_certificate_key(const hf_certificate *cert)
{
    return text(cert, TEXT_KEY);
}

const char *hf_certificate_signature(const hf_certificate *cert)
{
    return text(cert, TEXT_SIGNATURE);
}

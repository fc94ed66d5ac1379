/* chain.c: throw-away certificates: leaf <- intermediate <- root, all issued with P-256. */
#include "bench.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct authority {
    X509 *cert;
    EVP_PKEY *key;
};

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (ext == NULL || X509_add_ext(cert, ext, -1) != 1)
        die("cannot make the extension %s", value);
    X509_EXTENSION_free(ext);
}

/* Serial numbers tell certificates of one name apart, as issuer names and key identifiers do. */
static X509 *start_certificate(const char *name, EVP_PKEY *key, const struct authority *issuer)
{
    static long serial;
    X509 *cert = X509_new();
    X509_NAME *subject;
    char unique[64];

    if (cert == NULL)
        die("no memory");
    snprintf(unique, sizeof(unique), "%s %ld", name, ++serial);
    subject = X509_get_subject_name(cert);
    if (X509_set_version(cert, 2) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x10000000L + serial) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(cert), -3600) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(cert), 30L * 86400) == NULL ||
        X509_set_pubkey(cert, key) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"Bench",
                                   -1, -1, 0) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (unsigned char *)unique, -1, -1,
                                   0) != 1 ||
        X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer->cert)
                                                  : subject) != 1)
        die("cannot make a certificate");
    return cert;
}

static void add_identifiers(X509 *cert, X509 *issuer)
{
    add_extension(cert, issuer, NID_subject_key_identifier, "hash");
    add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
}

struct authority *authority_new(const struct authority *issuer)
{
    struct authority *authority = calloc(1, sizeof(*authority));
    X509 *cert;

    if (authority == NULL)
        die("no memory");
    authority->key = EVP_EC_gen("P-256");
    if (authority->key == NULL)
        die("cannot make a P-256 key");
    cert = start_certificate(issuer == NULL ? "Root" : "Intermediate", authority->key, issuer);
    authority->cert = cert;
    add_extension(cert, issuer != NULL ? issuer->cert : cert, NID_basic_constraints,
                  issuer == NULL ? "critical,CA:TRUE" : "critical,CA:TRUE,pathlen:0");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_identifiers(cert, issuer != NULL ? issuer->cert : cert);
    if (X509_sign(cert, issuer != NULL ? issuer->key : authority->key, EVP_sha256()) == 0)
        die("cannot sign a certificate");
    return authority;
}

void authority_free(struct authority *authority)
{
    if (authority == NULL)
        return;
    X509_free(authority->cert);
    EVP_PKEY_free(authority->key);
    free(authority);
}

/* Copies what a memory BIO holds, and frees it. */
static struct text bio_text(BIO *bio)
{
    char *p;
    long len = BIO_get_mem_data(bio, &p);
    struct text text = {malloc((size_t)len + 1), (size_t)len};

    if (text.p == NULL)
        die("no memory");
    memcpy(text.p, p, text.len);
    text.p[text.len] = '\0';
    BIO_free(bio);
    return text;
}

struct text authority_pem(const struct authority *authority)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || PEM_write_bio_X509(bio, authority->cert) != 1)
        die("cannot write a certificate");
    return bio_text(bio);
}

struct identity identity_new(const struct authority *intermediate, bool rsa)
{
    EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    struct identity identity;
    BIO *chain = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem());
    X509 *cert;

    if (key == NULL || chain == NULL || pem == NULL)
        die("cannot make a key");
    cert = start_certificate("Leaf", key, intermediate);
    add_extension(cert, intermediate->cert, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, intermediate->cert, NID_key_usage, "critical,digitalSignature");
    add_extension(cert, intermediate->cert, NID_ext_key_usage, "serverAuth");
    add_extension(cert, intermediate->cert, NID_subject_alt_name, "DNS:" BENCH_HOST);
    add_identifiers(cert, intermediate->cert);
    if (X509_sign(cert, intermediate->key, EVP_sha256()) == 0 ||
        PEM_write_bio_X509(chain, cert) != 1 ||
        PEM_write_bio_X509(chain, intermediate->cert) != 1 ||
        PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) != 1)
        die("cannot sign a certificate");
    X509_free(cert);
    EVP_PKEY_free(key);
    identity.chain = bio_text(chain);
    identity.key = bio_text(pem);
    return identity;
}

void identity_clear(struct identity *identity)
{
    free(identity->chain.p);
    free(identity->key.p);
    memset(identity, 0, sizeof(*identity));
}

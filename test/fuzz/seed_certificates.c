/* seed_certificates.c: a certificate with everything in it that is decoded, what it is trusted for, and PKCS#12. */
#include "seed_certificates.h"

#include <openssl/conf.h>
#include <openssl/x509v3.h>

#include "fuzz.h"
#include "handfast_issue.h"

static const char extensions[] =
    "[all]\n"
    "subjectAltName=DNS:a.example,IP:10.0.0.1,IP:2001:db8::1,email:a@b.example,URI:https://c.example/,"
    "RID:1.2.3.4,dirName:dn,otherName:1.3.6.1.5.5.7.8.9;UTF8:x@y.example,otherName:1.2.3;INTEGER:5\n"
    "authorityInfoAccess=OCSP;URI:http://o.example/,caIssuers;URI:http://i.example/,OCSP;dirName:dn\n"
    "crlDistributionPoints=full,relative,nothing\n"
    "certificatePolicies=1.2.3.4\n"
    "basicConstraints=critical,CA:TRUE,pathlen:3\n"
    "keyUsage=digitalSignature,keyCertSign,decipherOnly\n"
    "extendedKeyUsage=serverAuth,1.2.3\n"
    "subjectKeyIdentifier=hash\n"
    "tlsfeature=status_request\n"
    "1.2.3.4.5=critical,ASN1:UTF8:what\n"
    "[dn]\nC=DE\nO=x\n+OU=y\n[full]\nfullname=URI:http://r.example/1,dirName:dn\n"
    "[relative]\nrelativename=cn\n[cn]\nCN=z\n[nothing]\nreasons=keyCompromise\nCRLissuer=dirName:dn\n";

static size_t rich_certificate(uint8_t **out)
{
    BIO *bio = BIO_new_mem_buf(extensions, -1);
    CONF *conf = NCONF_new(NULL);
    X509 *x = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509V3_CTX ctx;
    unsigned char *der = NULL;
    REQUIRE(bio && conf && x && key && NCONF_load_bio(conf, bio, NULL) > 0);
    X509_NAME *name = X509_get_subject_name(x);
    REQUIRE(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                       (const unsigned char *)"\xc3\xa4", -1, -1, 0));
    REQUIRE(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"u",
                                       -1, -1, 1));
    REQUIRE(X509_set_issuer_name(x, name) && X509_set_version(x, X509_VERSION_3) &&
            X509_set_pubkey(x, key));
    REQUIRE(ASN1_INTEGER_set(X509_get_serialNumber(x), 77));
    REQUIRE(ASN1_TIME_set(X509_getm_notBefore(x), 1577836800) &&
            ASN1_TIME_set(X509_getm_notAfter(x), 2524521600));
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    REQUIRE(X509V3_EXT_add_nconf(conf, &ctx, "all", x) == 1 &&
            X509_sign(x, key, EVP_sha256()) > 0);
    int n = i2d_X509(x, &der);
    REQUIRE(n > 0 && (*out = malloc((size_t)n)) != NULL);
    memcpy(*out, der, (size_t)n);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    X509_free(x);
    NCONF_free(conf);
    BIO_free(bio);
    return (size_t)n;
}

/* Text with its length in front, then the rest: what most targets read. */
static void put_pair(seed_fn put, const char *target, const char *name, struct slice text,
                     struct slice rest)
{
    uint8_t all[12000];
    REQUIRE(2 + text.len + rest.len <= sizeof all);
    put_u16(all, (uint16_t)text.len);
    memcpy(all + 2, text.p, text.len);
    if (rest.len)
        memcpy(all + 2 + text.len, rest.p, rest.len);
    put(target, name, all, 2 + text.len + rest.len);
}

/* OpenSSL's own block: behind the certificate stands what it is trusted for, here serverAuth alone. */
static void put_trusted(seed_fn put, struct slice der)
{
    static const uint8_t uses[] = {0x30, 12, 0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1};
    char pem[8000];
    uint8_t both[4000];
    REQUIRE(der.len + sizeof uses <= sizeof both);
    memcpy(both, der.p, der.len);
    memcpy(both + der.len, uses, sizeof uses);
    size_t n =
        hf_pem_encode("TRUSTED CERTIFICATE", both, der.len + sizeof uses, pem, sizeof pem);
    REQUIRE(n < sizeof pem);
    put_pair(put, "credential", "trusted", slice_of(pem, n), slice_of(NULL, 0));
}

void seed_certificates(seed_fn put, const char *pem, const char *key_pem)
{
    uint8_t *rich, *p12;
    size_t rich_len = rich_certificate(&rich), len;
    struct slice der = slice_of(rich, rich_len);
    put_pair(put, "certificate", "rich", slice_of("a.example", 9), der);
    put_pair(put, "certificate", "rich-ip", slice_of("2001:db8::1", 11), der);
    put_trusted(put, der);
    free(rich);
    hf_error err = {0};
    hf_credential *c =
        hf_credential_load_memory(pem, strlen(pem), key_pem, strlen(key_pem), NULL, NULL, &err);
    REQUIRE(c && hf_pkcs12_write(c, NULL, "fuzz", "friend", &p12, &len, &err));
    put("pkcs12", "key", p12, len);
    put("pkcs12", "cut", p12, len - 1);
    hf_secret_free(p12, len);
    hf_credential_free(c);
}

/* seed_certificates.c: a certificate with everything in it that is decoded, and PKCS#12 files. */
#include "seed_certificates.h"

#include <openssl/conf.h>
#include <openssl/x509v3.h>

#include "fuzz.h"

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

size_t rich_certificate(uint8_t **out)
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

/* pki.h: a throwaway PKI for tests, made in the process by libcrypto. Whatever fails here ends the
 * test program: it is a fault of the test, not of what is tested. */
#ifndef PKI_H
#define PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Certificates are valid from 2020-01-01 to 2049-12-31 unless a spec says otherwise, so both the
 * machine's clock and a test's fixed one will do. */
#define PKI_NOT_BEFORE 1577836800
#define PKI_NOT_AFTER  2524521600
#define PKI_NOW        1790000000 /* 2026-09-21 */
#define PKI_DAY        86400

enum pki_kind {
    PKI_P256,
    PKI_P384,
    PKI_P521,
    PKI_RSA, /* 2048 bits */
    PKI_RSA_1024,
    PKI_RSA_PSS, /* 2048 bits, id-RSASSA-PSS without parameters */
    PKI_ED25519,
    PKI_ED448,
    PKI_KINDS
};

/* What a certificate shall say. All zero is a P-256 leaf without names. */
struct pki_spec {
    enum pki_kind kind;
    const char *subject;     /* common name; NULL: an empty subject */
    const char *names;       /* "DNS:a.example,DNS:*.b.example,IP:10.0.0.1"; NULL: none */
    bool ca;                 /* basicConstraints CA:TRUE, keyCertSign and cRLSign */
    const char *path_length; /* of a CA: "0", "1" ...; NULL: no limit */
    const char *key_usage;   /* NULL: digitalSignature, or a CA's; "": no such extension */
    const char *eku;         /* NULL: "serverAuth,clientAuth", a CA: none; "": none */
    const char *constraints; /* nameConstraints, as "permitted;DNS:example"; NULL: none */
    const char *policies;    /* certificatePolicies, as "1.2.3.4,1.2.3.5"; NULL: none */
    const char *mappings;    /* policyMappings, as "1.2.3.4:1.2.3.5"; NULL: none */
    bool proxy; /* a proxy certificate (RFC 3820): its subject is the issuer's and its own */
    int64_t not_before; /* 0: PKI_NOT_BEFORE */
    int64_t not_after;  /* 0: PKI_NOT_AFTER */
    const char *digest; /* of the signature: "SHA1"; NULL: what suits the issuer's key */
    bool must_staple;   /* TLS feature status_request (RFC 7633) */
    bool bare;          /* no subject and authority key identifiers */
    const void *key_of; /* a struct pki_cert whose key pair this certificate shares */
};

struct pki_cert {
    uint8_t *der;
    size_t der_len;
    char *pem;        /* the certificate */
    char *key_pem;    /* its key, PKCS#8 */
    uint8_t *key_der; /* the same, DER */
    size_t key_der_len;
    void *x509; /* X509 * */
    void *key;  /* EVP_PKEY * */
};

/* pki_make makes a certificate signed by issuer, or by itself if issuer is NULL. RSA keys of one
 * kind are taken in turn from three, because making one takes a tenth of a second. */
struct pki_cert *pki_make(const struct pki_spec *spec, const struct pki_cert *issuer);
void pki_free(struct pki_cert *cert);

/* A root (P-256) that signed an intermediate (P-256) that signed a leaf of any kind. */
struct pki {
    struct pki_cert *root, *mid, *leaf;
    char *chain_pem;  /* leaf and intermediate, as a server is given them */
    char *bundle_pem; /* the leaf's key, leaf and intermediate in one file */
};

/* pki_new makes the three; names is for the leaf ("DNS:server.example"). */
struct pki *pki_new(enum pki_kind leaf_kind, const char *names);
void pki_clear(struct pki *pki); /* frees it, too */

/* pki_rsa makes a key for "RSA" or "RSA-PSS"; where HF_TEST_SLOW is set, of primes that are there already. */
struct evp_pkey_st *pki_rsa(const char *name, unsigned bits);

/* pki_kind_name returns "P-256", "RSA-2048" and so on, for messages. */
const char *pki_kind_name(enum pki_kind kind);

/* pki_key_pem returns the certificate's key encrypted with a passphrase (PKCS#8), or as the
 * traditional form ("EC PRIVATE KEY") if passphrase is NULL. To be freed with free(). */
char *pki_key_pem(const struct pki_cert *cert, const char *passphrase);

/* pki_ocsp makes an OCSP response about a certificate. */
enum pki_ocsp_status { PKI_OCSP_GOOD, PKI_OCSP_REVOKED, PKI_OCSP_UNKNOWN };
struct pki_ocsp_spec {
    const struct pki_cert *cert, *issuer;
    const struct pki_cert *responder; /* who signs; NULL: the issuer */
    enum pki_ocsp_status status;
    int64_t this_update,
        next_update; /* 0: a day before and after PKI_NOW; next_update -1: none */
    int error;       /* not 0: an unsigned response with this responseStatus */
};
uint8_t *pki_ocsp(const struct pki_ocsp_spec *spec, size_t *len); /* free() */

/* pki_crl makes a certificate revocation list, DER. */
struct pki_crl_spec {
    const struct pki_cert *issuer; /* whose name it has, and whose key signs it */
    const struct pki_cert *signer; /* another key that signs it; NULL: the issuer's */
    const struct pki_cert *revoked[4];
    int reason;         /* CRL_REASON_ of what is revoked; 0: none is said */
    int64_t revoked_at; /* 0: this_update */
    int64_t this_update,
        next_update;      /* 0: a day before and after PKI_NOW; next_update -1: none */
    bool bare;            /* no authority key identifier */
    const char *critical; /* a critical extension of this object identifier; NULL: none */
};
uint8_t *pki_crl(const struct pki_crl_spec *spec, size_t *len); /* free() */

/* pki_crl_pem is the same as text; free(). */
char *pki_crl_pem(const struct pki_crl_spec *spec);

/* pki_text joins texts (the last argument is NULL); free(). */
char *pki_text(const char *first, ...);

/* pki_folder makes a temporary folder, which is removed with what pki_file wrote into it when the
 * program ends; pki_file writes a file there and returns its path (static until the program ends). */
const char *pki_folder(void);
const char *pki_file(const char *name, const void *bytes, size_t len);

#endif

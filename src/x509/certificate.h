/* certificate.h: what a parsed certificate holds; see x509.h for what it can do. */
#ifndef X509_CERTIFICATE_H
#define X509_CERTIFICATE_H

#include <openssl/x509v3.h>
#include <stdatomic.h>

#include "x509/name.h"
#include "x509/x509.h"

#define CERT_HASH 32

enum cert_text {
    TEXT_SUBJECT,
    TEXT_ISSUER,
    TEXT_NAMES,
    TEXT_SERIAL,
    TEXT_KEY,
    TEXT_SIGNATURE,
    TEXT_COUNT
};

/* Immutable once made, but for `text` and `ordinary`: each is computed when first asked for and published by
 * one compare-and-exchange, since most certificates are never described. */
struct hf_certificate {
    _Atomic int refs;
    X509 *x509; /* NULL: a raw public key */
    /* For programs that use libcrypto themselves (src/access), unless `plain`: x509 above then belongs to a library
     * context that knows how to check signatures, and nothing else. */
    _Atomic(X509 *) ordinary;
    struct public_key *key;        /* NULL: a type that we do not know */
    uint8_t sha256[CERT_HASH];     /* of der */
    uint8_t key_sha256[CERT_HASH]; /* of SubjectPublicKeyInfo */
    int64_t not_before, not_after;
    enum sig_id signed_with;
    bool ca, self_issued, may_sign, may_encipher, must_staple, plain;
    struct names names;
    struct slice tbs, signature; /* within der; empty: only libcrypto can tell */
    _Atomic(char *) text[TEXT_COUNT];
    size_t der_len;
    uint8_t der[];
};

/* cert_new parses without the table; sha256 is that of der. given: the same as an object that a program has made
 * (a reference is taken, and cert_of does not know it), or NULL. */
hf_certificate *cert_new(struct slice der, const uint8_t sha256[CERT_HASH], X509 *given,
                         hf_error *err);

/* cert_from_x509: cert_from_der of a program's own object. */
hf_certificate *cert_from_x509(X509 *x509, hf_error *err);

/* cert_is_complete: everything about it could be decoded. What could not may owe that to a shortage
 * of memory, so such a certificate is used once and not kept. */
bool cert_is_complete(const hf_certificate *cert);

/* cert_of returns the certificate that an X509 * of ours belongs to (borrowed), or NULL. */
hf_certificate *cert_of(const X509 *x509);

/* cert_issued: by name, key identifiers and key usage, issuer may have signed cert. */
bool cert_issued(const hf_certificate *issuer, const hf_certificate *cert);

/* time_from_asn1 converts a Time; false if it is malformed. */
bool time_from_asn1(const ASN1_TIME *t, int64_t *out);

#endif

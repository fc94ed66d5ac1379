/* certificate.h: the certificates and keys of a context or a connection. */
#ifndef LIBSSL_CERTIFICATE_H
#define LIBSSL_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "handfast.h"

enum cert_slot { CERT_RSA, CERT_RSA_PSS, CERT_DSA, CERT_EC, CERT_ED25519, CERT_ED448, CERT_SLOTS };

struct cert_entry {
    X509 *x509;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
    unsigned char *serverinfo;
    size_t serverinfo_len;
};

/* Shared and copied when it is to be changed, as settings are. */
struct certs {
    _Atomic int refs;
    struct cert_entry entry[CERT_SLOTS];
    int current; /* slot that was set last, or -1 */
    STACK_OF(X509) * extra; /* chain for entries without one of their own */
    X509_STORE *chain_store, *verify_store; /* or NULL */
    unsigned flags; /* SSL_CERT_FLAG_ */
    EVP_PKEY *dh;   /* tmp_dh */
    DH *(*dh_cb)(SSL *, int, int);
    int dh_auto;
    int (*cert_cb)(SSL *, void *);
    void *cert_arg;
    unsigned char *client_types; /* certificate types for a CertificateRequest, or NULL */
    size_t client_types_len;
};

struct certs *certs_new(void);
struct certs *certs_ref(struct certs *c);
void certs_free(struct certs *c);
struct certs *certs_edit(struct certs **slot) __attribute__((warn_unused_result));

#endif

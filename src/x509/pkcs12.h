/* pkcs12.h: what is in a PKCS#12 file (RFC 7292). */
#ifndef X509_PKCS12_H
#define X509_PKCS12_H

#include "handfast_certificate.h"
#include "x509/pem.h"

struct pkcs12 {
    struct private_key *key; /* NULL: none */
    hf_certificate_list certs;
};

/* source_is_pkcs12: it begins like one. */
bool source_is_pkcs12(const struct source *s);

/* pkcs12_open decrypts and decodes all of it. */
bool pkcs12_open(const struct source *s, hf_passphrase_fn fn, void *arg, struct pkcs12 *out,
                 hf_error *err) __attribute__((warn_unused_result));
/* credential_of makes a credential of its content (credential.c): the certificate that the key fits, and its issuers as
 * far as they are there. */
hf_credential *credential_of(const struct pkcs12 *content, const struct source *from,
                             hf_error *err);

void pkcs12_clear(struct pkcs12 *p);

#endif

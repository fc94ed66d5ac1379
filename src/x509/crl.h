/* crl.h: certificate revocation lists (RFC 5280 5). */
#ifndef X509_CRL_H
#define X509_CRL_H

#include <openssl/x509.h>

#include "x509/pem.h"

struct crl {
    X509_CRL *x509;
    int64_t from, until; /* thisUpdate, nextUpdate; INT64_MAX: none */
};

/* The lists that a trust was given. */
struct crls {
    size_t count, size;
    struct crl *crl;
};

/* crls_add adds every list of a source; all or nothing. */
bool crls_add(struct crls *crls, const struct source *s, hf_error *err)
    __attribute__((warn_unused_result));
void crls_clear(struct crls *crls);

/* crl_read decodes one list; false: it is none, or no memory. */
bool crl_read(struct slice der, struct crl *out);
void crl_clear(struct crl *crl);

static inline bool crl_is_by(const struct crl *crl, const X509_NAME *issuer)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(crl->x509), issuer) == 0;
}

static inline bool crl_is_current(const struct crl *crl, int64_t now)
{
    return crl->from <= now && now <= crl->until;
}

/* What is done with each list that is found; false stops. */
typedef bool (*crl_fn)(const struct crl *crl, void *arg);

#endif

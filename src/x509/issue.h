/* issue.h: between the files that make certificates. */
#ifndef X509_ISSUE_H
#define X509_ISSUE_H

#include <openssl/x509v3.h>

#include "handfast_issue.h"
#include "x509/certificate.h"

/* The names of a plan. */
struct plan_names {
    GENERAL_NAMES *all; /* never NULL after success, perhaps empty */
    char first[65];     /* the first that fits in a common name (RFC 5280 A.1), or "" */
};

/* plan_names_read reads the list; E_CONFIG names what is wrong. */
bool plan_names_read(const char *text, struct plan_names *out, hf_error *err);

/* add_extensions adds what the plan says; issuer NULL: self-signed. false: libcrypto refused. */
bool add_extensions(X509 *x, X509 *issuer, const hf_certificate_plan *plan,
                    const GENERAL_NAMES *names);

#endif

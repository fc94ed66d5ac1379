/* rules.h: what a configuration asks of a peer's chain besides the defaults. */
#ifndef X509_RULES_H
#define X509_RULES_H

#include "x509/certificate.h"

#define RULES_MAX_PINS     64
#define RULES_MAX_POLICIES 32
#define RULES_DEFAULT      (HF_VERIFY_TRUSTED_FIRST | HF_VERIFY_PARTIAL_CHAIN)
#define RULES_POLICY       (HF_VERIFY_POLICY | HF_VERIFY_NO_ANY_POLICY | HF_VERIFY_NO_POLICY_MAPPING)
#define RULES_KNOWN                                                                            \
    (HF_VERIFY_STRICT | HF_VERIFY_PARTIAL_CHAIN | HF_VERIFY_PROXY_CERTS |                      \
     HF_VERIFY_TRUSTED_FIRST | RULES_POLICY)

struct pin {
    bool key; /* of a key; else of a whole certificate */
    uint8_t sha256[CERT_HASH];
};

/* Immutable once sealed, and shared: changing a configuration's rules makes new ones. */
struct verify_rules {
    _Atomic int refs;
    hf_crl_check crl;
    unsigned flags; /* HF_VERIFY_ mask */
    size_t pin_count, policy_count;
    struct pin pin[RULES_MAX_PINS];
    char policy[RULES_MAX_POLICIES][80]; /* object identifiers in digits */
    hf_verify_fn fn;
    void *arg;
    /* digest of what a verdict depends on; where fn is set, none is kept */
    uint8_t id[CERT_HASH];
};

#endif

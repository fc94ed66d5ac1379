/* verify.h: between verify.c, ocsp.c and explain.c: one verification under way. */
#ifndef X509_VERIFY_H
#define X509_VERIFY_H

#include "x509/certificate.h"
#include "x509/rules.h"
#include "x509/trust.h"

/* The most certificates of a path: own, intermediates, anchor. */
#define PATH_MAX_CERTS 32
#define DEPTH_MAX      (PATH_MAX_CERTS - 2)

struct verification {
    const struct chain *chain;
    const hf_trust *trust;
    const struct verify_options *options;
    const struct verify_rules *rules; /* never NULL */
    hf_error *err;
    /* The path that was found, own certificate first; borrowed from chain and trust. */
    size_t count;
    const hf_certificate *path[PATH_MAX_CERTS];
    /* When the verdict holds. */
    int64_t from, until;
    bool no_memory;
    bool dateless; /* dates were judged before */
    /* While libcrypto reports a fault: the certificate, and the revocation list, or NULL. */
    const hf_certificate *at;
    const X509_CRL *crl;
    bool settled;       /* the rules' callback is not asked (any more) */
    hf_error overruled; /* the first fault that it let pass */
};

/* refuse sets the error with libcrypto's code and the depth, and returns false; or true, if the rules'
 * callback lets it pass. */
bool refuse(struct verification *v, hf_code code, int x509_code, int depth, const char *fmt,
            ...) __attribute__((format(printf, 5, 6), cold));

/* find_path fills path, from and until. */
bool find_path(struct verification *v);

/* explain_refusal words libcrypto's refusal of a certificate, and refuses; so does the other. */
bool explain_refusal(struct verification *v, int x509_code, int depth,
                     const hf_certificate *cert);
bool explain_wrong_name(struct verification *v);

/* explain_crl does the same where a revocation list is at fault, or says that a certificate was revoked. */
bool explain_crl(struct verification *v, int x509_code, int depth, const hf_certificate *cert);
bool is_about_crl(int x509_code);

/* wanted_use: what an anchor must be trusted for. */
static inline unsigned wanted_use(const struct verification *v)
{
    return v->options->server ? USE_SERVER : USE_CLIENT;
}

/* text_cert writes "certificate 0, 'CN=x'". */
void text_cert(const hf_certificate *cert, int depth, char *out, size_t size);

/* add_crls puts the revocation lists by this issuer on a stack and narrows the verdict to them. */
bool add_crls(struct verification *v, const X509_NAME *issuer, STACK_OF(X509_CRL) * out);

/* pins_check: one of the rules' pins matches, or there are none. */
bool pins_check(struct verification *v);

/* chain_of_any is chain_new for a path, which may be longer than what a peer may send. */
struct chain *chain_of_any(hf_certificate *const *certs, size_t count);

/* issuer_signed: the signature is right, by memory or by arithmetic. */
bool issuer_signed(const hf_certificate *issuer, const hf_certificate *cert);

/* signature_is_weak: its digest is below libcrypto's security level 2. */
bool signature_is_weak(X509 *x509);

/* ocsp_check judges the stapled response, or its absence, for the own certificate of a found path. */
bool ocsp_check(struct verification *v);

/* narrow takes the stricter bounds. */
static inline void narrow(struct verification *v, int64_t from, int64_t until)
{
    if (from > v->from)
        v->from = from;
    if (until < v->until)
        v->until = until;
}

/* text_time writes "2026-09-21 14:13:20 UTC", text_span "3 days" for a number of seconds. */
void text_time(int64_t t, char *out, size_t size);
void text_span(int64_t seconds, char *out, size_t size);

#endif

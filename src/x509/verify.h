/* verify.h: between verify.c, ocsp.c and explain.c: one verification under way. */
#ifndef X509_VERIFY_H
#define X509_VERIFY_H

#include "x509/certificate.h"
#include "x509/trust.h"

/* The most certificates of a path: own, intermediates, anchor. */
#define PATH_MAX_CERTS 32
#define DEPTH_MAX      (PATH_MAX_CERTS - 2)

struct verification {
    const struct chain *chain;
    const hf_trust *trust;
    const struct verify_options *options;
    hf_error *err;
    /* The path that was found, own certificate first; borrowed from chain and trust. */
    size_t count;
    const hf_certificate *path[PATH_MAX_CERTS];
    /* When the verdict holds. */
    int64_t from, until;
    bool no_memory;
};

/* refuse sets the error with libcrypto's code and the depth; always false. */
bool refuse(struct verification *v, hf_code code, int x509_code, int depth, const char *fmt,
            ...) __attribute__((format(printf, 5, 6), cold));

/* find_path fills path, from and until. */
bool find_path(struct verification *v);

/* explain_refusal words libcrypto's refusal of a certificate. */
void explain_refusal(struct verification *v, int x509_code, int depth,
                     const hf_certificate *cert);
void explain_wrong_name(struct verification *v);

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

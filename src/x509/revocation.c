/* revocation.c: revocation lists in a verification (RFC 5280 6.3): libcrypto judges them, here is where it
 * gets them from and how its verdict is worded. */
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "x509/verify.h"

struct taking {
    struct verification *v;
    STACK_OF(X509_CRL) * out;
};

/* Whichever list libcrypto takes, the verdict must not outlive it, nor a moment in which another one
 * comes into force. */
static void narrow_to(struct verification *v, const struct crl *crl)
{
    int64_t now = v->options->now;
    if (now < crl->from)
        narrow(v, INT64_MIN, crl->from - 1);
    else if (now > crl->until)
        narrow(v, crl->until + 1, INT64_MAX);
    else
        narrow(v, crl->from, crl->until);
}

static bool take(const struct crl *crl, void *arg)
{
    struct taking *t = arg;
    if (!X509_CRL_up_ref(crl->x509))
        return false;
    if (!sk_X509_CRL_push(t->out, crl->x509)) {
        X509_CRL_free(crl->x509);
        return false;
    }
    narrow_to(t->v, crl);
    return true;
}

static bool same_extension(const X509_CRL *a, const X509_CRL *b, int nid)
{
    int i = X509_CRL_get_ext_by_NID(a, nid, -1), j = X509_CRL_get_ext_by_NID(b, nid, -1);
    if (i < 0 || j < 0)
        return i < 0 && j < 0;
    return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_CRL_get_ext(a, i)),
                                 X509_EXTENSION_get_data(X509_CRL_get_ext(b, j))) == 0;
}

/* A list of the same key and scope that is newer and in force. libcrypto would take that one as well, but
 * for want of memory may find it out of date and be content with the older one: so it gets no choice. */
static bool is_superseded(const X509_CRL *old, const X509_CRL *by, int64_t now)
{
    int64_t before, from, until;
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(by);
    return time_from_asn1(X509_CRL_get0_lastUpdate(old), &before) &&
           time_from_asn1(X509_CRL_get0_lastUpdate(by), &from) && before < from &&
           from <= now && (!next || (time_from_asn1(next, &until) && now <= until)) &&
           same_extension(old, by, NID_authority_key_identifier) &&
           same_extension(old, by, NID_issuing_distribution_point) &&
           same_extension(old, by, NID_delta_crl);
}

static void drop_superseded(STACK_OF(X509_CRL) * all, int64_t now)
{
    for (int i = sk_X509_CRL_num(all) - 1; i >= 0; i--) {
        bool drop = false;
        for (int j = 0; j < sk_X509_CRL_num(all) && !drop; j++)
            drop = is_superseded(sk_X509_CRL_value(all, i), sk_X509_CRL_value(all, j), now);
        if (drop)
            X509_CRL_free(sk_X509_CRL_delete(all, i));
    }
}

bool add_crls(struct verification *v, const X509_NAME *issuer, STACK_OF(X509_CRL) * out)
{
    struct taking t = {v, out};
    bool ok = trust_each_crl(v->trust, issuer, v->options->now, take, &t);
    drop_superseded(out, v->options->now);
    return ok;
}

/* ---- words */

bool is_about_crl(int code)
{
    switch (code) {
    case X509_V_ERR_CERT_REVOKED:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR: return true;
    default: return false;
    }
}

static bool explain_revoked(struct verification *v, int code, int depth,
                            const hf_certificate *cert)
{
    char who[128], when[40] = "an unknown day";
    const char *reason = NULL;
    X509_REVOKED *entry = NULL;
    int64_t at;
    text_cert(cert, depth, who, sizeof who);
    /* The functions that look take what they do not change as if they did. */
    X509_CRL *crl = (X509_CRL *)(uintptr_t)v->crl;
    if (crl && X509_CRL_get0_by_cert(crl, &entry, cert->x509) && entry) {
        if (time_from_asn1(X509_REVOKED_get0_revocationDate(entry), &at))
            text_time(at, when, sizeof when);
        ASN1_ENUMERATED *number = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
        reason = number ? OCSP_crl_reason_str(ASN1_ENUMERATED_get(number)) : NULL;
        ASN1_ENUMERATED_free(number);
    }
    return refuse(v, HF_E_REVOKED, code, depth, "%s (serial %.60s) was revoked on %s%s%s", who,
                  hf_certificate_serial(cert), when, reason ? ", reason: " : "",
                  reason ? reason : "");
}

static bool explain_expired(struct verification *v, int code, int depth,
                            const hf_certificate *cert)
{
    char who[128], when[40] = "an unknown day", span[40] = "some time";
    int64_t until;
    text_cert(cert, depth, who, sizeof who);
    if (v->crl && time_from_asn1(X509_CRL_get0_nextUpdate(v->crl), &until)) {
        text_time(until, when, sizeof when);
        text_span(v->options->now - until, span, sizeof span);
    }
    return refuse(v, HF_E_CRL_EXPIRED, code, depth,
                  "%s: the revocation list of '%.80s' was to be replaced on %s, %s ago", who,
                  hf_certificate_issuer(cert), when, span);
}

bool explain_crl(struct verification *v, int code, int depth, const hf_certificate *cert)
{
    char who[128];
    if (code == X509_V_ERR_CERT_REVOKED)
        return explain_revoked(v, code, depth, cert);
    if (code == X509_V_ERR_CRL_HAS_EXPIRED)
        return explain_expired(v, code, depth, cert);
    text_cert(cert, depth, who, sizeof who);
    if (code == X509_V_ERR_UNABLE_TO_GET_CRL)
        return refuse(v, HF_E_NO_CRL, code, depth,
                      "%s: there is no revocation list of '%.80s' that covers it", who,
                      hf_certificate_issuer(cert));
    return refuse(v, HF_E_BAD_CRL, code, depth, "%s: the revocation list of '%.80s': %s", who,
                  hf_certificate_issuer(cert), X509_verify_cert_error_string(code));
}

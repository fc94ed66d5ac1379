/* explain.c: why a chain was refused, in words that say what to do. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "x509/verify.h"

bool refuse(struct verification *v, hf_code code, int x509_code, int depth, const char *fmt,
            ...)
{
    char text[2 * HF_DETAIL_MAX_LEN];
    bool first = v->err && v->err->code == HF_OK;
    va_list args;
    if (!first)
        return false;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    err_set(v->err, code, "%s", text);
    v->err->x509_code = x509_code;
    v->err->x509_depth = depth;
    return false;
}

void text_time(int64_t t, char *out, size_t size)
{
    struct tm tm;
    time_t seconds = (time_t)t;
    if (!gmtime_r(&seconds, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm))
        snprintf(out, size, "%lld", (long long)t);
}

void text_span(int64_t seconds, char *out, size_t size)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t i = 0;
    while (i < 3 && seconds < 2 * units[i].seconds)
        i++;
    long long n = (long long)(seconds / units[i].seconds);
    snprintf(out, size, "%lld %s%s", n, units[i].unit, n == 1 ? "" : "s");
}

/* "certificate 0, 'CN=x'": a subject is the peer's text and may be long. */
static void text_cert(const hf_certificate *c, int depth, char *out, size_t size)
{
    const char *subject = hf_certificate_subject(c);
    const char *names = hf_certificate_names(c);
    if (*subject || !*names)
        snprintf(out, size, "certificate %d '%.80s%s'", depth, subject,
                 strlen(subject) > 80 ? "..." : "");
    else
        snprintf(out, size, "certificate %d for %.70s%s", depth, names,
                 strlen(names) > 70 ? "..." : "");
}

static void explain_dates(struct verification *v, int code, int depth, const hf_certificate *c)
{
    char who[128], when[40], span[40];
    bool expired = code == X509_V_ERR_CERT_HAS_EXPIRED;
    int64_t date = expired ? c->not_after : c->not_before;
    text_cert(c, depth, who, sizeof who);
    text_time(date, when, sizeof when);
    text_span(expired ? v->options->now - date : date - v->options->now, span, sizeof span);
    if (expired)
        refuse(v, HF_E_EXPIRED, code, depth, "%s expired on %s, %s ago", who, when, span);
    else
        refuse(v, HF_E_NOT_YET_VALID, code, depth, "%s is valid from %s on, in %s", who, when,
               span);
}

/* The issuer that was sought, and where. */
static void explain_untrusted(struct verification *v, int code, int depth,
                              const hf_certificate *c)
{
    char who[128], where[160];
    text_cert(c, depth, who, sizeof who);
    trust_describe(v->trust, where, sizeof where);
    const char *issuer = hf_certificate_issuer(c);
    bool named = trust_find(v->trust, X509_get_issuer_name(c->x509)).count > 0;
    const char *more = named ? " (an anchor of that name is there, but with another key)"
                       : v->chain->count == 1 && v->options->server && !c->self_issued
                           ? "; the peer sent no intermediate certificate"
                           : "";
    if (code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
        refuse(v, HF_E_UNTRUSTED, code, depth, "the peer's root, %s, is not among %s%s", who,
               where, named ? " (one of that name is, but with another key)" : "");
    else
        refuse(v, HF_E_UNTRUSTED, code, depth, "%s: its issuer '%.80s' is not among %s%s", who,
               issuer, where, more);
}

static void explain_self_signed(struct verification *v, int code, int depth,
                                const hf_certificate *c)
{
    char who[128], where[160];
    text_cert(c, depth, who, sizeof who);
    trust_describe(v->trust, where, sizeof where);
    refuse(v, HF_E_SELF_SIGNED, code, depth,
           "%s is not among %s: to trust it, add exactly it to the trust anchors", who, where);
}

static void explain_weak(struct verification *v, int code, int depth, const hf_certificate *c)
{
    char who[128];
    text_cert(c, depth, who, sizeof who);
    if (code == X509_V_ERR_CA_MD_TOO_WEAK)
        refuse(v, HF_E_WEAK_CERTIFICATE, code, depth, "%s is signed with %s", who,
               hf_certificate_signature(c));
    else
        refuse(v, HF_E_WEAK_CERTIFICATE, code, depth, "%s has the key %s", who,
               hf_certificate_key(c));
}

/* Also when a CA's extended key usage leaves the purpose out. */
static void explain_purpose(struct verification *v, int code, int depth,
                            const hf_certificate *c)
{
    char who[128];
    text_cert(c, depth, who, sizeof who);
    refuse(v, HF_E_WRONG_PURPOSE, code, depth,
           "%s may not be used as a TLS %s: its keyUsage or extendedKeyUsage leaves that out",
           who, v->options->server ? "server" : "client");
}

void explain_refusal(struct verification *v, int code, int depth, const hf_certificate *c)
{
    char who[128];
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: explain_dates(v, code, depth, c); return;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED: explain_untrusted(v, code, depth, c); return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: explain_self_signed(v, code, depth, c); return;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: explain_weak(v, code, depth, c); return;
    case X509_V_ERR_INVALID_PURPOSE: explain_purpose(v, code, depth, c); return;
    default: break;
    }
    text_cert(c, depth, who, sizeof who);
    bool too_long = code == X509_V_ERR_CERT_CHAIN_TOO_LONG;
    if (too_long)
        refuse(
            v, HF_E_CHAIN_TOO_LONG, code, depth,
            "more than %u intermediate certificates stand between the peer's own and an anchor",
            v->options->depth);
    else
        refuse(v, HF_E_CHAIN_INVALID, code, depth, "%s: %s", who,
               X509_verify_cert_error_string(code));
}

void explain_wrong_name(struct verification *v)
{
    const hf_certificate *own = v->chain->cert[0];
    const char *asked = v->options->name;
    bool ip = name_is_ip(asked);
    char list[140], nearest[80];
    bool all = names_text(&own->names, list, sizeof list);
    names_nearest(&own->names, asked, nearest, sizeof nearest);
    int code = ip ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH;
    if (own->names.count == 0)
        refuse(
            v, HF_E_WRONG_NAME, code, 0,
            "asked for '%.80s'; the certificate has no DNS name or address in its subjectAltName "
            "(the common name, '%.60s', does not count: RFC 9525)",
            asked, hf_certificate_subject(own));
    else if (own->names.count > 1 && *nearest && !ip)
        refuse(v, HF_E_WRONG_NAME, code, 0,
               "asked for '%.60s', nearest is '%s'; the certificate is for %s", asked, nearest,
               list);
    else
        refuse(v, HF_E_WRONG_NAME, code, 0, "asked for '%.80s'; the certificate is for %s",
               asked, list);
    if (!all && v->err && v->err->code == HF_E_WRONG_NAME)
        v->err->truncated = true;
}

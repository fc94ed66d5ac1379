/* explain.c: why a chain was refused, in words that say what to do. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "x509/verify.h"

static bool overrule(struct verification *v, const hf_error *verdict)
{
    int depth = verdict->x509_depth < 0 ? 0 : verdict->x509_depth;
    const hf_certificate *cert = v->at                      ? v->at
                                 : (size_t)depth < v->count ? v->path[depth]
                                                            : v->chain->cert[0];
    bool accept = v->rules->fn(v->options->conn, depth, cert, verdict, v->rules->arg);
    if (accept && v->overruled.code == HF_OK)
        v->overruled = *verdict;
    return accept;
}

bool refuse(struct verification *v, hf_code code, int x509_code, int depth, const char *fmt,
            ...)
{
    char text[2 * HF_DETAIL_MAX_LEN];
    hf_error verdict = {0};
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    err_set(&verdict, code, "%s", text);
    verdict.x509_code = x509_code;
    verdict.x509_depth = depth;
    if (!v->settled && v->rules->fn && overrule(v, &verdict))
        return true;
    if (v->err && v->err->code == HF_OK)
        *v->err = verdict;
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

/* A subject is the peer's text and may be long. */
void text_cert(const hf_certificate *c, int depth, char *out, size_t size)
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

static bool explain_dates(struct verification *v, int code, int depth, const hf_certificate *c)
{
    char who[128], when[40], span[40];
    bool expired = code == X509_V_ERR_CERT_HAS_EXPIRED;
    int64_t date = expired ? c->not_after : c->not_before;
    text_cert(c, depth, who, sizeof who);
    text_time(date, when, sizeof when);
    text_span(expired ? v->options->now - date : date - v->options->now, span, sizeof span);
    if (expired)
        return refuse(v, HF_E_EXPIRED, code, depth, "%s expired on %s, %s ago", who, when,
                      span);
    return refuse(v, HF_E_NOT_YET_VALID, code, depth, "%s is valid from %s on, in %s", who,
                  when, span);
}

/* The issuer is there, and signed it: then it is not trusted for this. */
static bool other_use(const struct found *found, const hf_certificate *c)
{
    for (size_t i = 0; i < found->count; i++) {
        if (cert_issued(found->cert[i], c) && issuer_signed(found->cert[i], c))
            return true;
    }
    return false;
}

/* The issuer that was sought, and where. */
static bool explain_untrusted(struct verification *v, int code, int depth,
                              const hf_certificate *c)
{
    char who[128], where[160];
    text_cert(c, depth, who, sizeof who);
    trust_describe(v->trust, where, sizeof where);
    const char *issuer = hf_certificate_issuer(c);
    struct found found = trust_find(v->trust, X509_get_issuer_name(c->x509), 0);
    bool named = found.count > 0;
    const char *more = other_use(&found, c)
                           ? v->options->server ? " (it is there, but not trusted for servers)"
                                                : " (it is there, but not trusted for clients)"
                       : named ? " (an anchor of that name is there, but with another key)"
                       : v->chain->count == 1 && v->options->server && !c->self_issued
                           ? "; the peer sent no intermediate certificate"
                           : "";
    if (code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
        return refuse(v, HF_E_UNTRUSTED, code, depth, "the peer's root, %s, is not among %s%s",
                      who, where, named ? " (one of that name is, but with another key)" : "");
    return refuse(v, HF_E_UNTRUSTED, code, depth, "%s: its issuer '%.80s' is not among %s%s",
                  who, issuer, where, more);
}

static bool explain_self_signed(struct verification *v, int code, int depth,
                                const hf_certificate *c)
{
    char who[128], where[160];
    text_cert(c, depth, who, sizeof who);
    trust_describe(v->trust, where, sizeof where);
    return refuse(v, HF_E_SELF_SIGNED, code, depth,
                  "%s is not among %s: to trust it, add exactly it to the trust anchors", who,
                  where);
}

static bool explain_weak(struct verification *v, int code, int depth, const hf_certificate *c)
{
    char who[128];
    text_cert(c, depth, who, sizeof who);
    if (code == X509_V_ERR_CA_MD_TOO_WEAK)
        return refuse(v, HF_E_WEAK_CERTIFICATE, code, depth, "%s is signed with %s", who,
                      hf_certificate_signature(c));
    return refuse(v, HF_E_WEAK_CERTIFICATE, code, depth, "%s has the key %s", who,
                  hf_certificate_key(c));
}

/* Also when a CA's extended key usage leaves the purpose out. */
static bool explain_purpose(struct verification *v, int code, int depth,
                            const hf_certificate *c)
{
    char who[128];
    text_cert(c, depth, who, sizeof who);
    return refuse(
        v, HF_E_WRONG_PURPOSE, code, depth,
        "%s may not be used as a TLS %s: its keyUsage or extendedKeyUsage leaves that out", who,
        v->options->server ? "server" : "client");
}

static bool explain_too_long(struct verification *v, int code, int depth,
                             const hf_certificate *c)
{
    char who[128];
    text_cert(c, depth, who, sizeof who);
    return refuse(v, HF_E_CHAIN_TOO_LONG, code, depth,
                  "more than %u intermediate certificates stand between the peer's own and an "
                  "anchor: up to %s",
                  v->options->depth, who);
}

/* It is a fault of the path as a whole, so it is told of the peer's own certificate. */
static bool explain_policy(struct verification *v, int code)
{
    const struct verify_rules *rules = v->rules;
    char who[128];
    text_cert(v->chain->cert[0], 0, who, sizeof who);
    if (rules->policy_count == 0)
        return refuse(v, HF_E_WRONG_POLICY, code, 0,
                      "the path of %s is valid under no certificate policy at all", who);
    return refuse(v, HF_E_WRONG_POLICY, code, 0,
                  "the path of %s is not valid under the certificate policy %.60s%s", who,
                  rules->policy[0],
                  rules->policy_count > 1 ? " or another that is asked for" : "");
}

bool explain_refusal(struct verification *v, int code, int depth, const hf_certificate *c)
{
    char who[128];
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return explain_dates(v, code, depth, c);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED: return explain_untrusted(v, code, depth, c);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return explain_self_signed(v, code, depth, c);
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return explain_weak(v, code, depth, c);
    case X509_V_ERR_INVALID_PURPOSE: return explain_purpose(v, code, depth, c);
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return explain_too_long(v, code, depth, c);
    case X509_V_ERR_NO_EXPLICIT_POLICY: return explain_policy(v, code);
    default: break;
    }
    if (is_about_crl(code))
        return explain_crl(v, code, depth, c);
    text_cert(c, depth, who, sizeof who);
    return refuse(v, HF_E_CHAIN_INVALID, code, depth, "%s: %s", who,
                  X509_verify_cert_error_string(code));
}

bool explain_wrong_name(struct verification *v)
{
    const hf_certificate *own = v->chain->cert[0];
    const char *asked = v->options->name;
    bool ip = name_is_ip(asked);
    char list[140], nearest[80];
    bool all = names_text(&own->names, list, sizeof list);
    names_nearest(&own->names, asked, nearest, sizeof nearest);
    int code = ip ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH;
    bool passed;
    if (own->names.count == 0)
        passed = refuse(
            v, HF_E_WRONG_NAME, code, 0,
            "asked for '%.80s'; the certificate has no DNS name or address in its subjectAltName "
            "(the common name, '%.60s', does not count: RFC 9525)",
            asked, hf_certificate_subject(own));
    else if (own->names.count > 1 && *nearest && !ip)
        passed = refuse(v, HF_E_WRONG_NAME, code, 0,
                        "asked for '%.60s', nearest is '%s'; the certificate is for %s", asked,
                        nearest, list);
    else
        passed = refuse(v, HF_E_WRONG_NAME, code, 0,
                        "asked for '%.80s'; the certificate is for %s", asked, list);
    if (!all && v->err && v->err->code == HF_E_WRONG_NAME)
        v->err->truncated = true;
    return passed;
}

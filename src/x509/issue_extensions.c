/* issue_extensions.c: the extensions of certificates that are made here (RFC 5280 4.2). */
#include <openssl/err.h>
#include <stdio.h>

#include "x509/issue.h"

/* ---- names */

#define NAME_ROOM 256

static bool prefixed(const char **text, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < n; i++) {
        if (((*text)[i] | 0x20) != (prefix[i] | 0x20))
            return false;
    }
    *text += n;
    return true;
}

static bool printable(const char *s)
{
    for (; *s; s++) {
        if (*s <= 0x20 || *s >= 0x7f)
            return false;
    }
    return true;
}

static int kind_of(const char **text)
{
    if (prefixed(text, "DNS:"))
        return GEN_DNS;
    if (prefixed(text, "IP:"))
        return GEN_IPADD;
    if (prefixed(text, "email:"))
        return GEN_EMAIL;
    if (prefixed(text, "URI:") || strstr(*text, "://"))
        return GEN_URI;
    return strchr(*text, '@') ? GEN_EMAIL : name_is_ip(*text) ? GEN_IPADD : GEN_DNS;
}

static bool check_name(int kind, const char *s, hf_error *err)
{
    if (kind == GEN_IPADD && (!name_is_ip(s) || strchr(s, '%')))
        return err_set(err, HF_E_CONFIG, "names: '%.80s' is no IP address", s);
    if (kind == GEN_DNS && !name_is_dns(s))
        return err_set(err, HF_E_CONFIG, "names: '%.80s' is no DNS name%s", s,
                       printable(s) ? "" : ": write it in ASCII, as xn--...");
    if (kind == GEN_EMAIL && (!strchr(s, '@') || !printable(s)))
        return err_set(err, HF_E_CONFIG, "names: '%.80s' is no e-mail address", s);
    if (kind == GEN_URI && (!strchr(s, ':') || !printable(s)))
        return err_set(err, HF_E_CONFIG, "names: '%.80s' is no URI", s);
    return true;
}

static bool add_name(GENERAL_NAMES *all, int kind, const char *s)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_STRING *value = kind == GEN_IPADD ? (ASN1_STRING *)a2i_IPADDRESS(s)
                                           : (ASN1_STRING *)ASN1_IA5STRING_new();
    bool ok = g && value && (kind == GEN_IPADD || ASN1_STRING_set(value, s, -1) == 1);
    if (ok)
        GENERAL_NAME_set0_value(g, kind, value);
    else
        ASN1_STRING_free(value);
    if (ok && sk_GENERAL_NAME_push(all, g) > 0)
        return true;
    GENERAL_NAME_free(g);
    return false;
}

static bool read_name(const char *text, struct plan_names *out, hf_error *err)
{
    int kind = kind_of(&text);
    if (!check_name(kind, text, err))
        return false;
    size_t len = strlen(text);
    if (!*out->first && len < sizeof out->first)
        memcpy(out->first, text, len + 1);
    return add_name(out->all, kind, text) || err_set(err, HF_E_NO_MEMORY, "for names");
}

bool plan_names_read(const char *text, struct plan_names *out, hf_error *err)
{
    static const char between[] = ", \t\r\n";
    *out = (struct plan_names){.all = sk_GENERAL_NAME_new_null()};
    bool ok = out->all || err_set(err, HF_E_NO_MEMORY, "for names");
    for (text = text ? text : ""; ok && *(text += strspn(text, between));) {
        char one[NAME_ROOM];
        size_t n = strcspn(text, between);
        if (n >= sizeof one) {
            ok = err_set(err, HF_E_CONFIG, "names: '%.40s...' is longer than %zu characters",
                         text, sizeof one - 1);
            break;
        }
        memcpy(one, text, n);
        one[n] = 0;
        ok = read_name(one, out, err);
        text += n;
    }
    if (ok)
        return true;
    GENERAL_NAMES_free(out->all);
    out->all = NULL;
    return false;
}

/* ---- extensions */

static bool add(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    bool ok = e && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static const char *leaf_usage(const hf_certificate_plan *plan)
{
    bool rsa = plan->key == HF_KEY_RSA_2048 || plan->key == HF_KEY_RSA_3072 ||
               plan->key == HF_KEY_RSA_4096;
    return rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature";
}

static bool add_basic(X509 *x, X509V3_CTX *ctx, const hf_certificate_plan *plan)
{
    char value[64];
    if (!plan->ca)
        return add(x, ctx, NID_basic_constraints, "critical,CA:FALSE");
    snprintf(value, sizeof value, "critical,CA:TRUE,pathlen:%u", plan->intermediates);
    return add(x, ctx, NID_basic_constraints, value);
}

bool add_extensions(X509 *x, X509 *issuer, const hf_certificate_plan *plan,
                    const GENERAL_NAMES *names)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
    bool both = plan->client == plan->server;
    const char *use = both           ? "serverAuth,clientAuth"
                      : plan->client ? "clientAuth"
                                     : "serverAuth";
    bool named = sk_GENERAL_NAME_num(names) > 0;
    /* An issuer that somebody else made may have no key identifier to point at. */
    bool identified = !issuer || X509_get0_subject_key_id(issuer);
    return add_basic(x, &ctx, plan) &&
           add(x, &ctx, NID_key_usage,
               plan->ca ? "critical,keyCertSign,cRLSign" : leaf_usage(plan)) &&
           (plan->ca || add(x, &ctx, NID_ext_key_usage, use)) &&
           add(x, &ctx, NID_subject_key_identifier, "hash") &&
           (!identified || add(x, &ctx, NID_authority_key_identifier, "keyid")) &&
           (!named ||
            X509_add1_ext_i2d(x, NID_subject_alt_name, (void *)(uintptr_t)names, 0, 0) == 1);
}

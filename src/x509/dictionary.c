/* dictionary.c: a certificate as getpeercert() of Python's ssl shows it, in JSON. */
#include "bytes/sink.h"
#include "x509/decoding.h"

static void put_text(struct sink *s, hf_text t)
{
    sink_json_ascii(s, t.p ? t.p : "", t.len);
}

static void put_string(struct sink *s, const char *text)
{
    sink_json_ascii(s, text ? text : "", text ? strlen(text) : 0);
}

/* [[["countryName", "DE"]], [["a", "1"], ["b", "2"]]]: a list of RDNs, each a list of pairs. */
static void put_dn(struct sink *s, const hf_dn *dn)
{
    sink_raw(s, "[");
    for (size_t i = 0; i < dn->count; i++) {
        const hf_attribute *a = &dn->attribute[i];
        bool same = i > 0 && a->rdn == dn->attribute[i - 1].rdn;
        sink_raw(s, same ? ", [" : i ? "], [[" : "[[");
        put_string(s, a->name);
        sink_raw(s, ", ");
        put_text(s, a->value);
        sink_raw(s, "]");
    }
    sink_raw(s, dn->count ? "]]" : "]");
}

static void put_alt_names(struct sink *s, const hf_certificate_info *info)
{
    sink_raw(s, ", \"subjectAltName\": [");
    for (size_t i = 0; i < info->alt_name_count; i++) {
        const hf_general_name *g = &info->alt_name[i];
        sink_raw(s, i ? ", [" : "[");
        put_string(s, g->label);
        sink_raw(s, ", ");
        if (g->kind == HF_GENERAL_DIRECTORY)
            put_dn(s, &g->directory);
        else
            put_text(s, g->printed);
        sink_raw(s, "]");
    }
    sink_raw(s, "]");
}

static void put_uris(struct sink *s, const char *key, const hf_text *list, size_t count)
{
    if (count == 0)
        return;
    sink_format(s, ", \"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        sink_raw(s, i ? ", " : "");
        put_text(s, list[i]);
    }
    sink_raw(s, "]");
}

static void put_pair(struct sink *s, const char *key, const char *value)
{
    sink_format(s, ", \"%s\": ", key);
    put_string(s, value);
}

size_t hf_certificate_json(const hf_certificate *cert, char *out, size_t size)
{
    struct sink s = {.out = out, .size = size};
    hf_certificate_info *info = hf_certificate_decode(cert, NULL);
    if (!info)
        return sink_end(&s);
    sink_raw(&s, "{\"subject\": ");
    put_dn(&s, &info->subject);
    sink_raw(&s, ", \"issuer\": ");
    put_dn(&s, &info->issuer);
    sink_format(&s, ", \"version\": %u", info->version);
    put_pair(&s, "serialNumber", info->serial);
    put_pair(&s, "notBefore", info->not_before_text);
    put_pair(&s, "notAfter", info->not_after_text);
    if (info->has_alt_names)
        put_alt_names(&s, info);
    put_uris(&s, "OCSP", info->ocsp, info->ocsp_count);
    put_uris(&s, "caIssuers", info->ca_issuers, info->ca_issuers_count);
    put_uris(&s, "crlDistributionPoints", info->crl, info->crl_count);
    sink_raw(&s, "}");
    hf_certificate_info_free(info);
    return sink_end(&s);
}

/* cert_text.c: what a certificate says, for people and for programs. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cert.h"

/* ---------------------------------------------------------------- in lines */

static void head(struct text *out, const char *name)
{
    text_addf(out, "  %-14s", name);
}

static void plain(struct text *out, hf_text t)
{
    text_plain_bytes(out, t.p, t.len);
}

static void line(struct text *out, const char *name, const char *value)
{
    head(out, name);
    text_plain(out, value);
    text_add(out, "\n");
}

/* "C=DE, O=x, CN=y", in the order of the certificate, with the names that everybody knows. */
static void dn(struct text *out, const hf_dn *name)
{
    static const struct {
        const char *oid, *name;
    } usual[] = {{"2.5.4.3", "CN"},
                 {"2.5.4.6", "C"},
                 {"2.5.4.7", "L"},
                 {"2.5.4.8", "ST"},
                 {"2.5.4.10", "O"},
                 {"2.5.4.11", "OU"},
                 {"0.9.2342.19200300.100.1.25", "DC"}};
    for (size_t i = 0; i < name->count; i++) {
        const hf_attribute *a = &name->attribute[i];
        const char *short_name = a->name;
        for (size_t k = 0; k < sizeof usual / sizeof *usual; k++)
            if (strcmp(usual[k].oid, a->oid) == 0)
                short_name = usual[k].name;
        text_add(out, i == 0 ? "" : a->rdn == name->attribute[i - 1].rdn ? " + " : ", ");
        text_addf(out, "%s=", short_name);
        plain(out, a->value);
    }
    if (name->count == 0)
        text_add(out, "(empty)");
}

static void dn_line(struct text *out, const char *title, const hf_dn *name)
{
    head(out, title);
    dn(out, name);
    text_add(out, "\n");
}

static void names_lines(struct text *out, const hf_certificate_info *info)
{
    for (size_t i = 0; i < info->alt_name_count; i++) {
        const hf_general_name *g = &info->alt_name[i];
        head(out, i == 0 ? "names" : "");
        text_addf(out, "%s: ", g->kind == HF_GENERAL_IP ? "IP" : g->label);
        if (g->kind == HF_GENERAL_DIRECTORY)
            dn(out, &g->directory);
        else
            plain(out, g->text.len ? g->text : g->printed);
        text_add(out, "\n");
    }
}

static void validity_lines(struct text *out, const hf_certificate_info *info)
{
    int64_t now = time(NULL);
    head(out, "valid");
    text_date(out, info->not_before);
    text_add(out, " to ");
    text_date(out, info->not_after);
    if (now > info->not_after)
        text_addf(out, " (expired %lld days ago)",
                  (long long)((now - info->not_after) / 86400));
    else if (now < info->not_before)
        text_addf(out, " (not yet valid)");
    else
        text_addf(out, " (%lld days left)", (long long)((info->not_after - now) / 86400));
    text_add(out, "\n");
}

static void key_line(struct text *out, const hf_certificate_info *info)
{
    head(out, "key");
    text_plain(out, info->key_kind);
    if (info->key_curve) {
        text_add(out, " ");
        text_plain(out, info->key_curve);
    } else if (info->key_bits) {
        text_addf(out, " %u bits", info->key_bits);
    }
    if (info->key_strength)
        text_addf(out, " (strength %u)", info->key_strength);
    text_add(out, "\n");
}

static void usage_lines(struct text *out, const hf_certificate_info *info)
{
    bool first = true;
    if (info->has_key_usage) {
        head(out, "key usage");
        for (unsigned bit = 1; bit <= HF_USAGE_DECIPHER_ONLY; bit <<= 1) {
            if (!(info->key_usage & bit))
                continue;
            text_addf(out, "%s%s", first ? "" : ", ", hf_key_usage_name(bit));
            first = false;
        }
        text_add(out, "\n");
    }
    for (size_t i = 0; i < info->extended_key_usage_count; i++)
        line(out, i == 0 ? "purpose" : "", info->extended_key_usage[i].name);
}

static void ca_line(struct text *out, const hf_certificate_info *info)
{
    head(out, "authority");
    if (!info->ca)
        text_add(out, "no");
    else if (info->path_length < 0)
        text_add(out, "yes");
    else
        text_addf(out, "yes, with at most %d below it", info->path_length);
    text_add(out, info->self_issued ? "; issued by itself\n" : "\n");
}

static void uri_lines(struct text *out, const char *title, const hf_text *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        head(out, i == 0 ? title : "");
        plain(out, list[i]);
        text_add(out, "\n");
    }
}

static void hex_line(struct text *out, const char *title, const uint8_t *p, size_t len)
{
    if (!len)
        return;
    head(out, title);
    text_hex(out, p, len);
    text_add(out, "\n");
}

static void extension_lines(struct text *out, const hf_certificate_info *info)
{
    for (size_t i = 0; i < info->extension_count; i++) {
        const hf_extension *e = &info->extension[i];
        head(out, i == 0 ? "extensions" : "");
        text_plain(out, e->id.name);
        text_add(out, e->critical ? " (critical)\n" : "\n");
    }
}

void cert_text(struct text *out, const hf_certificate *cert, const char *title)
{
    hf_certificate_info *info = hf_certificate_decode(cert, NULL);
    if (!info) {
        out->failed = true;
        return;
    }
    text_addf(out, "%s\n", title);
    dn_line(out, "subject", &info->subject);
    dn_line(out, "issuer", &info->issuer);
    names_lines(out, info);
    validity_lines(out, info);
    key_line(out, info);
    line(out, "signed with", info->signature);
    usage_lines(out, info);
    ca_line(out, info);
    line(out, "serial", info->serial);
    uri_lines(out, "OCSP", info->ocsp, info->ocsp_count);
    uri_lines(out, "issuer at", info->ca_issuers, info->ca_issuers_count);
    uri_lines(out, "CRL", info->crl, info->crl_count);
    for (size_t i = 0; i < info->policy_count; i++)
        line(out, i == 0 ? "policy" : "", info->policy[i].name);
    if (info->must_staple)
        line(out, "staple", "must be stapled with an OCSP response (RFC 7633)");
    hex_line(out, "key id", info->subject_key_id.p, info->subject_key_id.len);
    hex_line(out, "issuer's key", info->authority_key_id.p, info->authority_key_id.len);
    extension_lines(out, info);
    hex_line(out, "SHA-256", info->sha256, sizeof info->sha256);
    hex_line(out, "SHA-1", info->sha1, sizeof info->sha1);
    hex_line(out, "key SHA-256", info->key_sha256, sizeof info->key_sha256);
    hf_certificate_info_free(info);
}

/* ---------------------------------------------------------------- JSON */

static void member(struct text *out, const char *name)
{
    text_addf(out, ", \"%s\": ", name);
}

static void hex(struct text *out, const char *name, const uint8_t *p, size_t len)
{
    member(out, name);
    text_add(out, "\"");
    text_hex(out, p, len);
    text_add(out, "\"");
}

static void key_json(struct text *out, const hf_certificate_info *info)
{
    member(out, "key");
    text_add(out, "{\"kind\": ");
    text_json(out, info->key_kind);
    member(out, "curve");
    text_json(out, info->key_curve);
    text_addf(out, ", \"bits\": %u, \"strength\": %u", info->key_bits, info->key_strength);
    hex(out, "sha256", info->key_sha256, sizeof info->key_sha256);
    text_add(out, "}");
}

static void usage_json(struct text *out, const hf_certificate_info *info)
{
    bool first = true;
    if (info->has_key_usage) {
        member(out, "keyUsage");
        text_add(out, "[");
        for (unsigned bit = 1; bit <= HF_USAGE_DECIPHER_ONLY; bit <<= 1) {
            if (!(info->key_usage & bit))
                continue;
            text_addf(out, "%s\"%s\"", first ? "" : ", ", hf_key_usage_name(bit));
            first = false;
        }
        text_add(out, "]");
    }
}

static void oids_json(struct text *out, const char *name, const hf_oid *list, size_t count)
{
    if (!count)
        return;
    member(out, name);
    for (size_t i = 0; i < count; i++) {
        text_add(out, i ? ", {\"oid\": " : "[{\"oid\": ");
        text_json(out, list[i].oid);
        member(out, "name");
        text_json(out, list[i].name);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void extensions_json(struct text *out, const hf_certificate_info *info)
{
    member(out, "extensions");
    text_add(out, "[");
    for (size_t i = 0; i < info->extension_count; i++) {
        const hf_extension *e = &info->extension[i];
        text_add(out, i ? ", {\"oid\": " : "{\"oid\": ");
        text_json(out, e->id.oid);
        member(out, "name");
        text_json(out, e->id.name);
        text_addf(out, ", \"critical\": %s", e->critical ? "true" : "false");
        hex(out, "value", e->value.p, e->value.len);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void more_json(struct text *out, const hf_certificate_info *info)
{
    text_addf(out, ", \"notBeforeSeconds\": %lld, \"notAfterSeconds\": %lld",
              (long long)info->not_before, (long long)info->not_after);
    key_json(out, info);
    member(out, "signature");
    text_json(out, info->signature);
    usage_json(out, info);
    oids_json(out, "extendedKeyUsage", info->extended_key_usage,
              info->extended_key_usage_count);
    text_addf(out, ", \"ca\": %s, \"pathLength\": ", info->ca ? "true" : "false");
    if (info->path_length >= 0)
        text_addf(out, "%d", info->path_length);
    else
        text_add(out, "null");
    oids_json(out, "policies", info->policy, info->policy_count);
    text_addf(out, ", \"mustStaple\": %s", info->must_staple ? "true" : "false");
    if (info->subject_key_id.len)
        hex(out, "subjectKeyIdentifier", info->subject_key_id.p, info->subject_key_id.len);
    if (info->authority_key_id.len)
        hex(out, "authorityKeyIdentifier", info->authority_key_id.p,
            info->authority_key_id.len);
    extensions_json(out, info);
    hex(out, "sha1", info->sha1, sizeof info->sha1);
    hex(out, "sha256", info->sha256, sizeof info->sha256);
}

void cert_json(struct text *out, const hf_certificate *cert)
{
    hf_certificate_info *info = hf_certificate_decode(cert, NULL);
    size_t n = hf_certificate_json(cert, NULL, 0);
    char *dictionary = malloc(n + 1);
    struct text pem = {0};
    if (info && dictionary && n) {
        hf_certificate_json(cert, dictionary, n + 1);
        text_add_bytes(out, dictionary, n - 1); /* without its last brace */
        more_json(out, info);
        cert_pem(&pem, cert);
        member(out, "pem");
        text_json(out, pem.p);
        text_add(out, "}");
    } else {
        out->failed = true;
    }
    text_clear(&pem);
    free(dictionary);
    hf_certificate_info_free(info);
}

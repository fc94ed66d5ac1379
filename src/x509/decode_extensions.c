/* decode_extensions.c: what stands in a certificate's extensions (RFC 5280 4.2). */
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>

#include "x509/decoding.h"

/* ---- general names */

static hf_text text_of(struct decoded *d, const ASN1_STRING *s)
{
    return keep_text(d, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static void decode_ip(struct decoded *d, const ASN1_STRING *s, hf_general_name *out)
{
    const unsigned char *p = ASN1_STRING_get0_data(s);
    int len = ASN1_STRING_length(s);
    char text[INET6_ADDRSTRLEN] = "", printed[48] = "<invalid>";
    out->bytes = keep_bytes(d, p, (size_t)len);
    if (len == 4 || len == 16)
        inet_ntop(len == 4 ? AF_INET : AF_INET6, p, text, sizeof text);
    if (len == 4)
        snprintf(printed, sizeof printed, "%s", text);
    /* Python neither shortens zeros nor uses small letters. */
    for (int i = 0, at = 0; len == 16 && i < 16; i += 2)
        at += snprintf(printed + at, sizeof printed - (size_t)at, "%s%X", i ? ":" : "",
                       (unsigned)get_u16(p + i));
    out->text = keep_text(d, text, strlen(text));
    out->printed = keep_text(d, printed, strlen(printed));
}

static void decode_rid(struct decoded *d, const ASN1_OBJECT *object, hf_general_name *out)
{
    char name[2048];
    out->text.p = decode_oid(d, object).oid;
    out->text.len = out->text.p ? strlen(out->text.p) : 0;
    int n = i2t_ASN1_OBJECT(name, sizeof name - 1, object);
    if (n >= (int)sizeof name)
        out->printed = keep_text(d, "<INVALID>", 9);
    else
        out->printed = keep_text(d, name, n > 0 ? (size_t)n : 0);
}

/* For what Python has no form of its own, it takes libcrypto's, which is split at the colon. */
static void print_general(struct decoded *d, GENERAL_NAME *g, hf_general_name *out)
{
    char line[2048];
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio) {
        d->no_memory = true;
        return;
    }
    GENERAL_NAME_print(bio, g);
    int n = BIO_gets(bio, line, sizeof line - 1);
    BIO_free(bio);
    ERR_clear_error();
    char *colon = n > 0 ? memchr(line, ':', (size_t)n) : NULL;
    if (!colon)
        return;
    out->label = keep_text(d, line, (size_t)(colon - line)).p;
    out->printed = keep_text(d, colon + 1, (size_t)(n - (colon + 1 - line)));
}

static void decode_other(struct decoded *d, const OTHERNAME *other, hf_general_name *out)
{
    unsigned char *der = NULL;
    int n = i2d_ASN1_TYPE(other->value, &der);
    out->type = decode_oid(d, other->type_id).oid;
    if (n > 0)
        out->bytes = keep_bytes(d, der, (size_t)n);
    OPENSSL_free(der);
    int type = ASN1_TYPE_get(other->value);
    if (type == V_ASN1_UTF8STRING || type == V_ASN1_IA5STRING || type == V_ASN1_PRINTABLESTRING)
        out->text = text_of(d, other->value->value.asn1_string);
}

void decode_general(struct decoded *d, GENERAL_NAME *g, hf_general_name *out)
{
    static const char *const labels[] = {"othername", "email",      "DNS",
                                         "X400Name",  "DirName",    "EdiPartyName",
                                         "URI",       "IP Address", "Registered ID"};
    if (g->type < 0 || g->type > GEN_RID)
        return;
    out->kind = (hf_general_kind)g->type;
    out->label = labels[g->type];
    switch (g->type) {
    case GEN_EMAIL:
    case GEN_DNS:
    case GEN_URI: out->text = out->printed = text_of(d, g->d.ia5); break;
    case GEN_IPADD: decode_ip(d, g->d.iPAddress, out); break;
    case GEN_RID: decode_rid(d, g->d.registeredID, out); break;
    case GEN_DIRNAME: out->directory = decode_name(d, g->d.directoryName); break;
    case GEN_OTHERNAME:
        decode_other(d, g->d.otherName, out);
        print_general(d, g, out);
        break;
    default: print_general(d, g, out); break;
    }
}

static void decode_alt_names(struct decoded *d, X509 *x)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    if (!all)
        return;
    int count = sk_GENERAL_NAME_num(all);
    hf_general_name *list = keep_array(d, (size_t)count, sizeof *list);
    for (int i = 0; list && i < count; i++)
        decode_general(d, sk_GENERAL_NAME_value(all, i), &list[i]);
    d->info.has_alt_names = true;
    d->info.alt_name = list;
    d->info.alt_name_count = list ? (size_t)count : 0;
    GENERAL_NAMES_free(all);
}

/* ---- URIs */

struct uris {
    hf_text *list;
    size_t count;
};

static void add_uri(struct decoded *d, struct uris *to, const GENERAL_NAME *g)
{
    if (to->list && g->type == GEN_URI)
        to->list[to->count++] = text_of(d, g->d.uniformResourceIdentifier);
}

static void decode_access(struct decoded *d, X509 *x)
{
    AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    int count = sk_ACCESS_DESCRIPTION_num(all);
    struct uris ocsp = {0}, issuers = {0};
    if (count > 0) {
        ocsp.list = keep_array(d, (size_t)count, sizeof *ocsp.list);
        issuers.list = keep_array(d, (size_t)count, sizeof *issuers.list);
    }
    for (int i = 0; i < count; i++) {
        const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(all, i);
        int method = OBJ_obj2nid(a->method);
        if (method == NID_ad_OCSP)
            add_uri(d, &ocsp, a->location);
        else if (method == NID_ad_ca_issuers)
            add_uri(d, &issuers, a->location);
    }
    d->info.ocsp = ocsp.list;
    d->info.ocsp_count = ocsp.count;
    d->info.ca_issuers = issuers.list;
    d->info.ca_issuers_count = issuers.count;
    AUTHORITY_INFO_ACCESS_free(all);
}

/* A point may have no name at all, or one relative to the issuer's (CVE-2019-5010 was a reader that did not
 * expect that). */
static const GENERAL_NAMES *point_names(const DIST_POINT *point)
{
    return point->distpoint && point->distpoint->type == 0 ? point->distpoint->name.fullname
                                                           : NULL;
}

static void decode_crl_points(struct decoded *d, X509 *x)
{
    CRL_DIST_POINTS *all = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    struct uris uris = {0};
    size_t count = 0;
    for (int i = 0; i < sk_DIST_POINT_num(all); i++) {
        int n = sk_GENERAL_NAME_num(point_names(sk_DIST_POINT_value(all, i)));
        count += n > 0 ? (size_t)n : 0;
    }
    uris.list = count ? keep_array(d, count, sizeof *uris.list) : NULL;
    for (int i = 0; i < sk_DIST_POINT_num(all); i++) {
        const GENERAL_NAMES *names = point_names(sk_DIST_POINT_value(all, i));
        for (int j = 0; j < sk_GENERAL_NAME_num(names); j++)
            add_uri(d, &uris, sk_GENERAL_NAME_value(names, j));
    }
    d->info.crl = uris.list;
    d->info.crl_count = uris.count;
    CRL_DIST_POINTS_free(all);
}

/* ---- what the key is for */

static void decode_usage(struct decoded *d, X509 *x)
{
    hf_certificate_info *info = &d->info;
    ASN1_BIT_STRING *bits = X509_get_ext_d2i(x, NID_key_usage, NULL, NULL);
    info->has_key_usage = bits != NULL;
    for (int i = 0; bits && i < 9; i++)
        info->key_usage |= ASN1_BIT_STRING_get_bit(bits, i) ? 1U << i : 0;
    ASN1_BIT_STRING_free(bits);

    EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    int count = sk_ASN1_OBJECT_num(uses);
    hf_oid *list = count > 0 ? keep_array(d, (size_t)count, sizeof *list) : NULL;
    for (int i = 0; list && i < count; i++)
        list[i] = decode_oid(d, sk_ASN1_OBJECT_value(uses, i));
    info->has_extended_key_usage = uses != NULL;
    info->extended_key_usage = list;
    info->extended_key_usage_count = list ? (size_t)count : 0;
    EXTENDED_KEY_USAGE_free(uses);
}

static void decode_constraints(struct decoded *d, X509 *x)
{
    BASIC_CONSTRAINTS *basic = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
    d->info.path_length = -1;
    if (!basic)
        return;
    d->info.has_basic_constraints = true;
    d->info.ca = basic->ca != 0;
    if (basic->pathlen && ASN1_STRING_type(basic->pathlen) != V_ASN1_NEG_INTEGER) {
        long n = ASN1_INTEGER_get(basic->pathlen);
        d->info.path_length = n < 0 || n > INT32_MAX ? INT32_MAX : (int)n;
    }
    BASIC_CONSTRAINTS_free(basic);
}

const char *hf_key_usage_name(unsigned bit)
{
    static const char *const names[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
                                        "dataEncipherment", "keyAgreement",   "keyCertSign",
                                        "cRLSign",          "encipherOnly",   "decipherOnly"};
    for (unsigned i = 0; i < 9; i++) {
        if (bit == 1U << i)
            return names[i];
    }
    return "unknown";
}

/* ---- the rest */

static void decode_key_ids(struct decoded *d, X509 *x)
{
    ASN1_OCTET_STRING *own = X509_get_ext_d2i(x, NID_subject_key_identifier, NULL, NULL);
    AUTHORITY_KEYID *issuer = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
    const ASN1_OCTET_STRING *theirs = issuer ? issuer->keyid : NULL;
    if (own)
        d->info.subject_key_id =
            keep_bytes(d, ASN1_STRING_get0_data(own), (size_t)ASN1_STRING_length(own));
    if (theirs)
        d->info.authority_key_id =
            keep_bytes(d, ASN1_STRING_get0_data(theirs), (size_t)ASN1_STRING_length(theirs));
    ASN1_OCTET_STRING_free(own);
    AUTHORITY_KEYID_free(issuer);
}

static void decode_policies(struct decoded *d, X509 *x)
{
    CERTIFICATEPOLICIES *all = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);
    int count = sk_POLICYINFO_num(all);
    hf_oid *list = count > 0 ? keep_array(d, (size_t)count, sizeof *list) : NULL;
    for (int i = 0; list && i < count; i++)
        list[i] = decode_oid(d, sk_POLICYINFO_value(all, i)->policyid);
    d->info.policy = list;
    d->info.policy_count = list ? (size_t)count : 0;
    CERTIFICATEPOLICIES_free(all);
}

static void list_extensions(struct decoded *d, X509 *x)
{
    int count = X509_get_ext_count(x);
    hf_extension *list = count > 0 ? keep_array(d, (size_t)count, sizeof *list) : NULL;
    for (int i = 0; list && i < count; i++) {
        X509_EXTENSION *e = X509_get_ext(x, i);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(e);
        list[i].id = decode_oid(d, X509_EXTENSION_get_object(e));
        list[i].critical = X509_EXTENSION_get_critical(e) != 0;
        list[i].value =
            keep_bytes(d, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    }
    d->info.extension = list;
    d->info.extension_count = list ? (size_t)count : 0;
}

void decode_extensions(struct decoded *d, X509 *x)
{
    decode_alt_names(d, x);
    decode_access(d, x);
    decode_crl_points(d, x);
    decode_usage(d, x);
    decode_constraints(d, x);
    decode_key_ids(d, x);
    decode_policies(d, x);
    list_extensions(d, x);
    ERR_clear_error();
}

/* certificate.c: one certificate, as a peer sends it: what it says (in words, as a struct and as Python's
 * dictionary), for whom it is, whether it is trusted, and what is said about that. Input: 16-bit length and a name, then the DER. */
#include "fuzz.h"

#include <string.h>

#include "ends.h"
#include "handfast_certificate.h"
#include "x509/x509.h"

static void read_strings(const hf_certificate *c)
{
    const char *text[] = {
        hf_certificate_subject(c), hf_certificate_issuer(c), hf_certificate_names(c),
        hf_certificate_serial(c),  hf_certificate_key(c),    hf_certificate_signature(c),
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        REQUIRE(text[i] && strlen(text[i]) < 1 << 20);
    (void)hf_certificate_not_before(c);
    (void)hf_certificate_not_after(c);
    (void)hf_certificate_is_ca(c);
    (void)hf_certificate_sha256(c);
    (void)cert_allows_signing(c);
    (void)cert_signed_with(c);
    (void)cert_is_self_issued(c);
}

static void read_text(hf_text t)
{
    REQUIRE(t.p != NULL && t.p[t.len] == 0);
}

static void read_dn(const hf_dn *dn)
{
    for (size_t i = 0; i < dn->count; i++) {
        const hf_attribute *a = &dn->attribute[i];
        REQUIRE(strlen(a->oid) > 0 && strlen(a->name) > 0);
        REQUIRE(a->rdn == (i ? dn->attribute[i - 1].rdn : 0) ||
                a->rdn == dn->attribute[i - 1].rdn + 1);
        read_text(a->value);
    }
}

static void read_info(const hf_certificate *c)
{
    hf_error err = {0};
    hf_certificate_info *info = hf_certificate_decode(c, &err);
    REQUIRE(info != NULL);
    read_dn(&info->subject);
    read_dn(&info->issuer);
    for (size_t i = 0; i < info->alt_name_count; i++) {
        const hf_general_name *g = &info->alt_name[i];
        REQUIRE(g->label && strlen(g->label) < 100);
        read_dn(&g->directory);
        if (g->kind == HF_GENERAL_DNS || g->kind == HF_GENERAL_IP || g->kind == HF_GENERAL_URI)
            read_text(g->text), read_text(g->printed);
    }
    for (size_t i = 0; i < info->crl_count; i++)
        read_text(info->crl[i]);
    for (size_t i = 0; i < info->extension_count; i++)
        REQUIRE(strlen(info->extension[i].id.oid) > 0);
    REQUIRE(info->path_length >= -1 && strlen(info->serial) < 3 * info->serial_bytes.len + 4);
    hf_certificate_info_free(info);
}

/* ASCII, whatever is in it, and as long as it says. */
static void read_json(const hf_certificate *c)
{
    size_t n = hf_certificate_json(c, NULL, 0);
    char *json = malloc(n + 1);
    REQUIRE(json && n > 100 && hf_certificate_json(c, json, n + 1) == n);
    REQUIRE(strlen(json) == n && json[0] == '{' && json[n - 1] == '}');
    for (size_t i = 0; i < n; i++)
        REQUIRE(json[i] >= 0x20 && json[i] < 0x7f);
    free(json);
}

static void read_pem(const hf_certificate *c, const uint8_t *der, size_t len)
{
    size_t n = hf_certificate_pem(c, NULL, 0);
    char *pem = malloc(n + 1);
    hf_certificate_list list;
    REQUIRE(pem && hf_certificate_pem(c, pem, n + 1) == n);
    REQUIRE(hf_certificates_read(pem, n, &list, NULL) && list.count == 1);
    size_t back;
    const uint8_t *p = hf_certificate_der(list.cert[0], &back);
    REQUIRE(back == len && memcmp(p, der, len) == 0);
    hf_certificates_clear(&list);
    free(pem);
}

static void judge(hf_certificate *c, const char *name)
{
    struct chain *chain = chain_new(&c, 1);
    struct verify_options o = {
        .name = *name ? name : NULL, .server = true, .depth = 10, .now = ENDS_NOW, .level = 2};
    hf_error err = {0};
    REQUIRE(chain != NULL);
    if (!chain_verify(chain, ends_config(false)->trust, &o, &err)) {
        REQUIRE(err.code != HF_OK);
        explain_all(NULL, &err);
    }
    chain_free(chain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    char *name = feed_text(feed_vec16(&f));
    hf_error err = {0};
    hf_certificate *c = hf_certificate_parse(f.p, f.left, &err);
    if (c) {
        size_t len;
        const uint8_t *der = hf_certificate_der(c, &len);
        REQUIRE(len == f.left && memcmp(der, f.p, len) == 0);
        read_strings(c);
        read_info(c);
        read_json(c);
        read_pem(c, f.p, f.left);
        (void)hf_certificate_matches(c, name, HF_MATCH_COMMON_NAME, &err);
        (void)cert_matches_name(c, name);
        judge(c, name);
        hf_certificate_free(c);
    } else {
        REQUIRE(err.code == HF_E_BAD_CERTIFICATE);
    }
    free(name);
    return 0;
}

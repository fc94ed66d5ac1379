#include "cli/trace_page.h"

/* A certificate of the peer, in words. Everything in it is the peer's text. */

static void row(struct text *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    text_addf(out, "<div><dt>%s</dt><dd>", name);
    text_html(out, value);
    text_add(out, "</dd></div>\n");
}

static void time_row(struct text *out, const char *name, int64_t when)
{
    text_addf(out, "<div><dt>%s</dt><dd>", name);
    text_date(out, when);
    text_add(out, "</dd></div>\n");
}

void page_certificate(struct page *p, const uint8_t *der, size_t len)
{
    struct text *out = p->out;
    hf_error err = {0};
    hf_certificate *cert = hf_certificate_parse(der, len, &err);
    if (!cert) {
        text_add(out, "<p class=why>This is not a certificate that can be decoded: ");
        text_html(out, err.detail);
        text_add(out, "</p>\n");
        return;
    }
    text_add(out, "<dl class=certificate>\n");
    row(out, "Subject", hf_certificate_subject(cert));
    row(out, "Names", hf_certificate_names(cert));
    row(out, "Issuer", hf_certificate_issuer(cert));
    time_row(out, "Valid from", hf_certificate_not_before(cert));
    time_row(out, "Valid until", hf_certificate_not_after(cert));
    row(out, "Key", hf_certificate_key(cert));
    row(out, "Signed with", hf_certificate_signature(cert));
    row(out, "Authority", hf_certificate_is_ca(cert) ? "yes: it may issue certificates" : "no");
    row(out, "Serial number", hf_certificate_serial(cert));
    text_add(out, "<div><dt>SHA-256</dt><dd>");
    text_hex(out, hf_certificate_sha256(cert), 32);
    text_add(out, "</dd></div>\n</dl>\n");
    hf_certificate_free(cert);
}

void page_raw_key(struct page *p, const uint8_t *spki, size_t len)
{
    struct text *out = p->out;
    hf_credential *key = hf_credential_load_raw_key_memory(spki, len, NULL, NULL, NULL);
    if (!key) {
        text_add(out, "<p class=why>This is not a public key that can be decoded.</p>\n");
        return;
    }
    text_add(out, "<dl class=certificate>\n<div><dt>SHA-256</dt><dd>");
    text_hex(out, hf_credential_key_sha256(key), 32);
    text_add(out, "</dd></div>\n</dl>\n");
    hf_credential_free(key);
}

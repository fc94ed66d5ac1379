/* cert_list.c: several certificates, and PEM and DER by themselves. */
#include <openssl/asn1.h>
#include <stdio.h>

#include "bytes/sink.h"
#include "handfast_certificate.h"
#include "x509/cert_list.h"
#include "x509/certificate.h"
#include "x509/element.h"
#include "x509/pem.h"

/* ---- PEM */

size_t hf_pem_encode(const char *label, const void *bytes, size_t len, char *out, size_t size)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct sink s = {.out = out, .size = size};
    const uint8_t *p = bytes;
    sink_raw(&s, "-----BEGIN ");
    sink_raw(&s, label);
    sink_raw(&s, "-----\n");
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (n > 2 ? p[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63],
                        n > 1 ? digits[v >> 6 & 63] : '=', n > 2 ? digits[v & 63] : '='};
        sink_bytes(&s, four, 4);
        if (i + 3 >= len || i % 48 == 45)
            sink_raw(&s, "\n");
    }
    sink_raw(&s, "-----END ");
    sink_raw(&s, label);
    sink_raw(&s, "-----\n");
    return sink_end(&s);
}

size_t hf_certificate_pem(const hf_certificate *cert, char *out, size_t size)
{
    return hf_pem_encode("CERTIFICATE", cert->der, cert->der_len, out, size);
}

static bool find_block(const char *label, const struct source *s, struct pem_block *out,
                       hf_error *err)
{
    struct pem pem = pem_start(s);
    for (;;) {
        enum pem_result r = pem_next(&pem, out);
        if (r == PEM_END)
            return err_set(err, HF_E_PEM, "there is no \"-----BEGIN %.40s-----\" line", label);
        if (r == PEM_CUT)
            return err_set(err, HF_E_PEM, "the block that begins on line %u has no END line",
                           out->line);
        if (pem_is(out, label))
            return true;
    }
}

size_t hf_pem_decode(const char *label, const char *text, size_t text_len, uint8_t *out,
                     size_t size, hf_error *err)
{
    struct source s = {"the text", (const uint8_t *)text, text_len};
    struct pem_block block;
    uint8_t *bytes;
    size_t len;
    bool no_memory;
    err_begin(err);
    if (!label || (!text && text_len)) {
        err_set(err, HF_E_USAGE, "hf_pem_decode: %s is NULL", label ? "the text" : "label");
        return 0;
    }
    if (!find_block(label, &s, &block, err))
        return 0;
    if (!pem_decode(&block, &bytes, &len, &no_memory)) {
        if (no_memory)
            err_set(err, HF_E_NO_MEMORY, "to decode PEM");
        else
            err_set(err, HF_E_PEM, "the %.40s block that begins on line %u is not base64",
                    label, block.line);
        return 0;
    }
    if (out && len <= size)
        memcpy(out, bytes, len);
    mem_wipe_free(bytes, len);
    return len;
}

/* ---- lists */

bool list_add_ref(hf_certificate_list *list, size_t *room, hf_certificate *cert)
{
    if (list->count == *room) {
        size_t more = *room ? 2 * *room : 4;
        hf_certificate **p = mem_new(more * sizeof *p);
        if (!p)
            return false;
        if (list->count)
            memcpy(p, list->cert, list->count * sizeof *p);
        mem_free(list->cert);
        list->cert = p;
        *room = more;
    }
    list->cert[list->count++] = hf_certificate_ref(cert);
    return true;
}

void hf_certificates_clear(hf_certificate_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        hf_certificate_free(list->cert[i]);
    mem_free(list->cert);
    *list = (hf_certificate_list){0};
}

struct reading {
    hf_certificate_list *list;
    const struct source *from;
    size_t room;
};

static bool read_one(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct reading *r = arg;
    hf_error inner = {0};
    struct slice rest = der, whole;
    /* What OpenSSL puts behind a TRUSTED CERTIFICATE is not part of it. */
    if (line && element_take(&rest, V_ASN1_SEQUENCE, &whole, NULL) && rest.len)
        der = whole;
    hf_certificate *cert = cert_from_der(der, &inner);
    if (!cert && inner.code == HF_E_NO_MEMORY)
        return err_set(err, inner.code, "%s", r->from->name);
    if (!cert && line == 0)
        return err_set(err, HF_E_PEM, "%s is DER, but not a certificate: %s", r->from->name,
                       inner.detail);
    if (!cert)
        return err_set(err, HF_E_PEM, "%s: the certificate on line %u: %s", r->from->name, line,
                       inner.detail);
    bool ok = list_add_ref(r->list, &r->room, cert);
    hf_certificate_free(cert);
    return ok || err_set(err, HF_E_NO_MEMORY, "%s", r->from->name);
}

static bool read_list(const struct source *s, hf_certificate_list *out, hf_error *err)
{
    struct reading r = {out, s, 0};
    *out = (hf_certificate_list){0};
    if (blocks_each(s, &anchor_blocks, read_one, &r, err))
        return true;
    hf_certificates_clear(out);
    return false;
}

bool hf_certificates_read(const void *bytes, size_t len, hf_certificate_list *out,
                          hf_error *err)
{
    struct source s = {"memory", bytes, bytes ? len : 0};
    err_begin(err);
    if (!out)
        return err_set(err, HF_E_USAGE, "hf_certificates_read: out is NULL");
    return read_list(&s, out, err);
}

bool hf_certificates_read_file(const char *path, hf_certificate_list *out, hf_error *err)
{
    uint8_t *bytes;
    size_t len;
    err_begin(err);
    if (!path || !out)
        return err_set(err, HF_E_USAGE, "hf_certificates_read_file: %s is NULL",
                       path ? "out" : "path");
    *out = (hf_certificate_list){0};
    if (!file_read(path, &bytes, &len, err))
        return false;
    struct source s = {path, bytes, len};
    bool ok = read_list(&s, out, err);
    mem_wipe_free(bytes, len);
    return ok;
}

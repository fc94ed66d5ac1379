/* pem.c: RFC 7468 as files in the wild have it: text before, between and behind the blocks, any line
 * length, CRLF, indentation. */
#include "x509/pem.h"

#include <openssl/asn1.h>
#include <stdio.h>

#include "x509/element.h"

#define BEGIN  "-----BEGIN "
#define END    "-----END "
#define DASHES "-----"

static bool starts(struct slice s, const char *with)
{
    size_t n = strlen(with);
    return s.len >= n && memcmp(s.p, with, n) == 0;
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static struct slice trim(struct slice s)
{
    while (s.len && blank(s.p[0]))
        s = slice_of(s.p + 1, s.len - 1);
    while (s.len && blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* Takes one line off the front. */
static struct slice take_line(struct pem *pem)
{
    const uint8_t *nl = memchr(pem->rest.p, '\n', pem->rest.len);
    size_t n = nl ? (size_t)(nl - pem->rest.p) + 1 : pem->rest.len;
    struct slice line = slice_of(pem->rest.p, n);
    pem->rest = slice_of(pem->rest.p + n, pem->rest.len - n);
    pem->line++;
    return line;
}

/* The label of a BEGIN or END line, or nothing. */
static struct slice label_of(struct slice line, const char *with)
{
    line = trim(line);
    size_t n = strlen(with), d = strlen(DASHES);
    if (!starts(line, with) || line.len < n + d)
        return slice_of(NULL, 0);
    struct slice label = slice_of(line.p + n, line.len - n - d);
    if (memcmp(label.p + label.len, DASHES, d) != 0)
        return slice_of(NULL, 0);
    return label;
}

struct pem pem_start(const struct source *s)
{
    return (struct pem){slice_of(s->p, s->len), 0};
}

enum pem_result pem_next(struct pem *pem, struct pem_block *out)
{
    struct slice label = {NULL, 0};
    while (pem->rest.len && !label.p)
        label = label_of(take_line(pem), BEGIN);
    if (!label.p)
        return PEM_END;
    out->label = label;
    out->line = pem->line;
    const uint8_t *start = pem->rest.p;
    while (pem->rest.len) {
        struct slice line = take_line(pem);
        struct slice end = label_of(line, END);
        if (end.p && slice_equal(end, label)) {
            out->text = slice_of(start, (size_t)(line.p - start));
            return PEM_BLOCK;
        }
        if (end.p || label_of(line, BEGIN).p)
            return PEM_CUT;
    }
    return PEM_CUT;
}

bool pem_is(const struct pem_block *block, const char *label)
{
    return slice_equal(block->label, slice_of(label, strlen(label)));
}

/* A value below 64, or what the byte is. A table, because a bundle has 200,000 of them. */
enum { BASE64_BLANK = 64, BASE64_PAD, BASE64_BAD };

static void fill_values(uint8_t value[256])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    memset(value, BASE64_BAD, 256);
    for (uint8_t i = 0; i < 64; i++)
        value[(uint8_t)digits[i]] = i;
    for (const char *c = " \t\r\n\v\f"; *c; c++)
        value[(uint8_t)*c] = BASE64_BLANK;
    value['='] = BASE64_PAD;
}

bool pem_decode(const struct pem_block *block, uint8_t **out, size_t *out_len, bool *no_memory)
{
    uint8_t *p = *out = mem_new(block->text.len / 4 * 3 + 3);
    *no_memory = !p;
    if (!p)
        return false;
    uint8_t value[256];
    fill_values(value);
    uint32_t bits = 0;
    size_t chars = 0, pads = 0, n = 0;
    bool ok = true;
    for (size_t i = 0; i < block->text.len && ok; i++) {
        uint8_t v = value[block->text.p[i]];
        if (v == BASE64_BLANK)
            continue;
        if (v == BASE64_PAD) {
            ok = ++pads <= 2;
            continue;
        }
        ok = v < 64 && pads == 0;
        bits = bits << 6 | (v & 63);
        if (++chars % 4 == 0) {
            p[n++] = (uint8_t)(bits >> 16);
            p[n++] = (uint8_t)(bits >> 8);
            p[n++] = (uint8_t)bits;
        }
    }
    ok = ok && chars > 0 && (chars + pads) % 4 == 0;
    if (chars % 4 >= 2)
        p[n++] = (uint8_t)(bits >> (chars % 4 == 2 ? 4 : 10));
    if (chars % 4 == 3)
        p[n++] = (uint8_t)(bits >> 2);
    *out_len = n;
    if (!ok) {
        mem_free(p);
        *out = NULL;
    }
    return ok;
}

bool source_is_pem(const struct source *s)
{
    size_t n = strlen(BEGIN);
    const uint8_t *p = s->p, *end = s->p + s->len;
    while (p && (size_t)(end - p) >= n) {
        if (memcmp(p, BEGIN, n) == 0)
            return true;
        p = memchr(p + 1, '-', (size_t)(end - p) - 1);
    }
    return false;
}

/* ---- certificates of a source */

/* What the blocks of a file were, for a person who gave the wrong file. */
struct seen {
    char text[160];
    size_t len;
};

static void seen_add(struct seen *seen, struct slice label)
{
    char one[48];
    size_t n = 0;
    for (size_t i = 0; i < label.len && n + 1 < sizeof one; i++)
        one[n++] = label.p[i] >= 0x20 && label.p[i] < 0x7f ? (char)label.p[i] : '?';
    one[n] = 0;
    if (strstr(seen->text, one) || seen->len + n + 3 > sizeof seen->text)
        return;
    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len, "%s%s",
                                  seen->len ? ", " : "", one);
}

const struct block_kind cert_blocks = {"CERTIFICATE", "X509 CERTIFICATE", NULL};
const struct block_kind anchor_blocks = {"CERTIFICATE", "X509 CERTIFICATE",
                                         "TRUSTED CERTIFICATE"};
const struct block_kind key_blocks = {"PUBLIC KEY", "PUBLIC KEY", NULL};
const struct block_kind crl_blocks = {"X509 CRL", "X509 CRL", NULL};

static bool is_kind(const struct pem_block *block, const struct block_kind *kind)
{
    return pem_is(block, kind->label) || pem_is(block, kind->other) ||
           (kind->third && pem_is(block, kind->third));
}

bool source_has(const struct source *s, const struct block_kind *kind)
{
    struct pem pem = pem_start(s);
    struct pem_block block;
    while (pem_next(&pem, &block) == PEM_BLOCK) {
        if (is_kind(&block, kind))
            return true;
    }
    return false;
}

static bool block_each(const struct source *s, const struct block_kind *kind,
                       const struct pem_block *block, cert_fn fn, void *arg, hf_error *err)
{
    uint8_t *der;
    size_t len;
    bool no_memory;
    if (!pem_decode(block, &der, &len, &no_memory))
        return no_memory ? err_set(err, HF_E_NO_MEMORY, "%s", kind->label)
                         : err_set(err, HF_E_PEM,
                                   "%s: the %s block that begins on line %u is not base64",
                                   s->name, kind->label, block->line);
    bool ok = fn(slice_of(der, len), block->line, arg, err);
    mem_free(der);
    return ok;
}

static bool pem_each(const struct source *s, const struct block_kind *kind, cert_fn fn,
                     void *arg, hf_error *err)
{
    struct pem pem = pem_start(s);
    struct pem_block block;
    struct seen seen = {"", 0};
    size_t count = 0;
    for (;;) {
        enum pem_result r = pem_next(&pem, &block);
        if (r == PEM_END)
            break;
        if (r == PEM_CUT)
            return err_set(err, HF_E_PEM,
                           "%s: the block that begins on line %u has no END line", s->name,
                           block.line);
        seen_add(&seen, block.label);
        if (kind == &cert_blocks && pem_is(&block, "TRUSTED CERTIFICATE"))
            return err_set(
                err, HF_E_PEM,
                "%s, line %u: TRUSTED CERTIFICATE is OpenSSL's own format, which is not "
                "read here: convert it with `openssl x509 -in FILE -out NEW`",
                s->name, block.line);
        if (!is_kind(&block, kind))
            continue;
        count++;
        if (!block_each(s, kind, &block, fn, arg, err))
            return false;
    }
    if (count == 0)
        return err_set(err, HF_E_PEM, "%s: no %s block: found %s", s->name, kind->label,
                       seen.text);
    return true;
}

/* Some DER objects, each a SEQUENCE. If they are not that to the end, the whole is taken for one, so that what
 * reads it says what is wrong with it. */
static bool der_each(struct slice all, cert_fn fn, void *arg, hf_error *err)
{
    struct slice rest = all, one;
    while (rest.len) {
        if (!element_take(&rest, V_ASN1_SEQUENCE, NULL, NULL))
            return fn(all, 0, arg, err);
    }
    while (all.len) {
        if (!element_take(&all, V_ASN1_SEQUENCE, &one, NULL) || !fn(one, 0, arg, err))
            return false;
    }
    return true;
}

bool certs_each(const struct source *s, cert_fn fn, void *arg, hf_error *err)
{
    return blocks_each(s, &cert_blocks, fn, arg, err);
}

bool blocks_each(const struct source *s, const struct block_kind *kind, cert_fn fn, void *arg,
                 hf_error *err)
{
    if (s->len == 0)
        return err_set(err, HF_E_PEM, "%s is empty", s->name);
    if (source_is_pem(s))
        return pem_each(s, kind, fn, arg, err);
    if (s->p[0] == 0x30)
        return der_each(slice_of(s->p, s->len), fn, arg, err);
    char start[33];
    size_t n = 0;
    for (; n < s->len && n + 1 < sizeof start; n++)
        start[n] = s->p[n] >= 0x20 && s->p[n] < 0x7f ? (char)s->p[n] : '.';
    start[n] = 0;
    return err_set(err, HF_E_PEM, "%s is neither PEM nor DER: it begins with \"%s\"", s->name,
                   start);
}

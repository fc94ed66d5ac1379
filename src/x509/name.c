#include "x509/name.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "x509/x509.h"

#define DNS_MAX   253
#define LABEL_MAX 63

struct name {
    enum name_kind kind;
    struct slice bytes;
};

/* ---- reading */

static struct slice general_bytes(const GENERAL_NAME *g, enum name_kind *kind)
{
    const ASN1_STRING *s = NULL;
    if (g->type == GEN_DNS) {
        *kind = NAME_DNS;
        s = g->d.dNSName;
    } else if (g->type == GEN_IPADD) {
        *kind = NAME_IP;
        s = g->d.iPAddress;
    }
    if (!s || ASN1_STRING_length(s) <= 0 || ASN1_STRING_length(s) > 0xffff)
        return slice_of(NULL, 0);
    return slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool pack(const GENERAL_NAMES *all, struct names *out)
{
    size_t total = 0;
    enum name_kind kind = NAME_DNS;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        struct slice s = general_bytes(sk_GENERAL_NAME_value(all, i), &kind);
        total += s.len ? 3 + s.len : 0;
    }
    if (total == 0)
        return true;
    uint8_t *p = out->p = mem_new(total);
    if (!p)
        return false;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        struct slice s = general_bytes(sk_GENERAL_NAME_value(all, i), &kind);
        if (!s.len)
            continue;
        p[0] = (uint8_t)kind;
        put_u16(p + 1, (uint16_t)s.len);
        memcpy(p + 3, s.p, s.len);
        p += 3 + s.len;
        out->count++;
    }
    out->len = total;
    return true;
}

bool names_read(void *x509, struct names *out)
{
    memset(out, 0, sizeof *out);
    int found = 0;
    GENERAL_NAMES *all = X509_get_ext_d2i(x509, NID_subject_alt_name, &found, NULL);
    if (!all) {
        ERR_clear_error();
        /* -1: there is no such extension; anything else is one too many, a malformed one, or no
         * memory, and a certificate that lost its names to that must not be kept. */
        return found == -1;
    }
    bool ok = pack(all, out);
    GENERAL_NAMES_free(all);
    return ok;
}

void names_clear(struct names *names)
{
    mem_free(names->p);
    memset(names, 0, sizeof *names);
}

static bool names_next(const struct names *names, size_t *at, struct name *out)
{
    if (*at >= names->len)
        return false;
    const uint8_t *p = names->p + *at;
    size_t len = get_u16(p + 1);
    out->kind = (enum name_kind)p[0];
    out->bytes = slice_of(p + 3, len);
    *at += 3 + len;
    return true;
}

/* ---- addresses */

/* An IPv6 zone ("fe80::1%eth0") says through which interface; a certificate cannot know it. */
static size_t parse_ip(const char *name, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];
    const char *zone = strchr(name, '%');
    size_t len = zone ? (size_t)(zone - name) : strlen(name);
    if (len >= sizeof text)
        return 0;
    memcpy(text, name, len);
    text[len] = 0;
    if (!zone && inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

bool name_is_ip(const char *name)
{
    uint8_t ip[16];
    return parse_ip(name, ip) != 0;
}

/* ---- matching */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool equal_fold(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

static bool host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

/* Labels of letters, digits, hyphens and (seen in practice) underscores. Bytes that are none of these
 * cannot match: a NUL or a comma within a name is an attempt to be read differently elsewhere. */
static bool dns_valid(struct slice s)
{
    size_t label = 0;
    if (s.len == 0 || s.len > DNS_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!host_byte(s.p[i]) || ++label > LABEL_MAX) {
            return false;
        }
    }
    return label != 0;
}

/* A last label of digits alone is how some resolvers write addresses ("127.1"), never a domain. */
static bool last_label_numeric(struct slice s)
{
    for (size_t i = s.len; i-- > 0 && s.p[i] != '.';) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return true;
}

/* RFC 9525 6.3: a wildcard is the whole leftmost label and stands for exactly one label. With fewer
 * than two labels behind it ("*.com") it would speak for a whole registry: refused. The list of
 * public suffixes is not consulted, so "*.co.uk" is the issuer's responsibility, as everywhere. */
static bool dns_matches(struct slice pattern, struct slice wanted)
{
    bool wild = pattern.len > 2 && pattern.p[0] == '*' && pattern.p[1] == '.';
    if (!wild)
        return dns_valid(pattern) && equal_fold(pattern, wanted);
    pattern = slice_of(pattern.p + 2, pattern.len - 2);
    const uint8_t *dot = memchr(wanted.p, '.', wanted.len);
    if (!dot || !memchr(pattern.p, '.', pattern.len) || !dns_valid(pattern))
        return false;
    struct slice rest = slice_of(dot + 1, wanted.len - (size_t)(dot + 1 - wanted.p));
    return equal_fold(pattern, rest);
}

bool name_is_dns(const char *name)
{
    struct slice s = slice_of(name, strlen(name));
    if (s.len > 2 && memcmp(name, "*.", 2) == 0)
        s = slice_of(name + 2, s.len - 2);
    return dns_valid(s) && !last_label_numeric(s);
}

/* A name written with its root ("example.com.") is the same name; in a certificate a trailing dot is
 * malformed (RFC 5280 4.2.1.6) and never matches. */
static struct slice wanted_dns(const char *wanted)
{
    size_t len = strlen(wanted);
    if (len > 1 && wanted[len - 1] == '.')
        len--;
    return slice_of(wanted, len);
}

bool names_match(const struct names *names, const char *wanted)
{
    uint8_t ip[16];
    size_t ip_len = parse_ip(wanted, ip), at = 0;
    struct slice address = slice_of(ip, ip_len), dns = wanted_dns(wanted);
    struct name n;
    if (ip_len == 0 && (!dns_valid(dns) || last_label_numeric(dns)))
        return false;
    while (names_next(names, &at, &n)) {
        if (ip_len && n.kind == NAME_IP && slice_equal(n.bytes, address))
            return true;
        if (!ip_len && n.kind == NAME_DNS && dns_matches(n.bytes, dns))
            return true;
    }
    return false;
}

/* ---- words for errors */

/* The certificate is the peer's: what is not a plain character of a name is written as \XX, so that
 * a name can neither end early, nor look like two, nor reach a terminal. */
static void dns_text(struct slice s, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < s.len && at + 4 < size; i++) {
        if (host_byte(s.p[i]) || s.p[i] == '.' || s.p[i] == '*')
            out[at++] = (char)s.p[i];
        else
            at += (size_t)snprintf(out + at, size - at, "\\%02X", s.p[i]);
    }
    out[at] = 0;
}

static void name_text(const struct name *n, char *out, size_t size)
{
    int family = n->bytes.len == 4 ? AF_INET : AF_INET6;
    if (n->kind == NAME_DNS)
        dns_text(n->bytes, out, size);
    else if (n->bytes.len == 4 || n->bytes.len == 16)
        inet_ntop(family, n->bytes.p, out, (socklen_t)size);
    else
        snprintf(out, size, "(%zu bytes)", n->bytes.len);
}

bool names_text(const struct names *names, char *out, size_t size)
{
    size_t len = 0, at = 0, shown = 0;
    struct name n;
    char one[4 * DNS_MAX + 8];
    out[0] = 0;
    while (names_next(names, &at, &n)) {
        name_text(&n, one, sizeof one);
        size_t need = strlen(one) + 8;
        /* Room stays for "and N more" as long as more names come. */
        if (len + need + (at < names->len ? 16 : 0) >= size) {
            snprintf(out + len, size - len, "%sand %zu more", shown ? ", " : "",
                     names->count - shown);
            return false;
        }
        len += (size_t)snprintf(out + len, size - len, "%s%s:%s", shown ? ", " : "",
                                n.kind == NAME_DNS ? "DNS" : "IP", one);
        shown++;
    }
    return true;
}

/* Levenshtein's distance, letter case ignored. */
static size_t distance(struct slice a, struct slice b)
{
    uint16_t row[DNS_MAX + 2];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = (uint16_t)j;
    for (size_t i = 1; i <= a.len; i++) {
        uint16_t diagonal = row[0];
        row[0] = (uint16_t)i;
        for (size_t j = 1; j <= b.len; j++) {
            uint16_t change = (uint16_t)(diagonal + (lower(a.p[i - 1]) != lower(b.p[j - 1])));
            uint16_t insert = (uint16_t)((row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1);
            diagonal = row[j];
            row[j] = change < insert ? change : insert;
        }
    }
    return row[b.len];
}

void names_nearest(const struct names *names, const char *wanted, char *out, size_t size)
{
    struct slice dns = wanted_dns(wanted);
    struct name n, best = {NAME_DNS, {NULL, 0}};
    size_t at = 0, least = SIZE_MAX, looked = 0;
    out[0] = 0;
    if (dns.len > DNS_MAX || name_is_ip(wanted))
        return;
    /* A hostile certificate may hold thousands of names; the first hundred will do for a hint. */
    while (looked++ < 100 && names_next(names, &at, &n)) {
        if (n.kind != NAME_DNS || n.bytes.len > DNS_MAX)
            continue;
        size_t d = distance(n.bytes, dns);
        if (d < least) {
            least = d;
            best = n;
        }
    }
    if (best.bytes.p)
        dns_text(best.bytes, out, size);
}

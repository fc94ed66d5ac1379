/* scan_list.c: the numbers that a scan asks for, and what a suite's name says of it. */
#include <stdlib.h>
#include <string.h>

#include "bytes/names.h"
#include "cli/scan.h"

/* clang-format off */
/* Suites that servers have used without a place in the registry. */
static const struct {
    uint16_t id;
    const char *name;
} private_suites[] = {
    {0x001c, "SSL_FORTEZZA_KEA_WITH_NULL_SHA"},
    {0x001d, "SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA"},
    {0x0060, "TLS_RSA_EXPORT1024_WITH_RC4_56_MD5"},
    {0x0061, "TLS_RSA_EXPORT1024_WITH_RC2_CBC_56_MD5"},
    {0x0062, "TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA"},
    {0x0063, "TLS_DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA"},
    {0x0064, "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA"},
    {0x0065, "TLS_DHE_DSS_EXPORT1024_WITH_RC4_56_SHA"},
    {0x0066, "TLS_DHE_DSS_WITH_RC4_128_SHA"},
    {0x0080, "TLS_GOSTR341094_WITH_28147_CNT_IMIT"},
    {0x0081, "TLS_GOSTR341001_WITH_28147_CNT_IMIT"},
    {0x0082, "TLS_GOSTR341094_WITH_NULL_GOSTR3411"},
    {0x0083, "TLS_GOSTR341001_WITH_NULL_GOSTR3411"},
    {0xcc13, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_OLD"},
    {0xcc14, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_OLD"},
    {0xcc15, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_OLD"},
    {0xfefe, "SSL_RSA_FIPS_WITH_DES_CBC_SHA"},
    {0xfeff, "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA"},
    {0xff85, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT_OLD"},
    {0xff87, "TLS_GOSTR341112_256_WITH_NULL_GOSTR3411"},
};

/* What marks a suite, by a part of its name. */
static const struct {
    const char *part;
    unsigned marks;
} parts[] = {
    {"_EXPORT", SUITE_EXPORT},
    {"_WITH_NULL_", SUITE_NULL},
    {"_SHA256_SHA256", SUITE_NULL}, /* RFC 9150 */
    {"_SHA384_SHA384", SUITE_NULL},
    {"_RC4_", SUITE_RC4},
    {"_3DES_", SUITE_TRIPLE_DES},
    {"_WITH_DES_", SUITE_DES},
    {"_DES40_", SUITE_DES},
    {"_RC2_", SUITE_DES},
    {"_IDEA_", SUITE_SMALL_BLOCK},
    {"_28147_", SUITE_SMALL_BLOCK},
    {"_MAGMA_", SUITE_SMALL_BLOCK},
    {"_anon_", SUITE_ANON},
    {"_CBC_", SUITE_CBC},
    {"_CHACHA20_", SUITE_CHACHA},
    {"PSK", SUITE_PSK},
};

/* The strength of a cipher, by a part of the name; the first one that is found counts. */
static const struct {
    const char *part;
    unsigned bits;
} strengths[] = {
    {"_WITH_NULL_", 0}, {"_SHA256_SHA256", 0}, {"_SHA384_SHA384", 0},
    {"_CBC_40_", 40}, {"_RC4_40_", 40}, {"_DES40_", 40}, {"_RC4_56_", 56}, {"_CBC_56_", 56},
    {"_3DES_", 112}, {"_DES_CBC_40", 40}, {"_DES_", 56},
    {"_256_GCM", 256}, {"_256_CCM", 256}, {"_256_CBC", 256}, {"_256_OCB", 256}, {"AEGIS_256", 256},
    {"_256_", 256}, {"_CHACHA20_", 256}, {"_KUZNYECHIK_", 256}, {"_MAGMA_", 256}, {"_28147_", 256},
    {"_128", 128}, {"_SM4_", 128}, {"_SEED_", 128}, {"_IDEA_", 128}, {"_FORTEZZA_CBC", 80},
};

static const struct {
    const char *name;
    uint16_t number;
} versions[SCAN_VERSIONS] = {
    {"SSL 2.0", 0x0002}, {"SSL 3.0", 0x0300}, {"TLS 1.0", 0x0301},
    {"TLS 1.1", 0x0302}, {"TLS 1.2", 0x0303}, {"TLS 1.3", 0x0304},
};
/* clang-format on */

#define COUNT(array) (sizeof array / sizeof *array)

const char *scan_version_name(enum scan_version v)
{
    return versions[v].name;
}

uint16_t scan_version_number(enum scan_version v)
{
    return versions[v].number;
}

/* ---------------------------------------------------------------- lists */

bool numbers_have(const struct numbers *list, uint16_t n)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->n[i] == n)
            return true;
    return false;
}

void numbers_add(struct numbers *list, uint16_t n)
{
    if (list->count < SCAN_NUMBERS)
        list->n[list->count++] = n;
}

void numbers_remove(struct numbers *list, uint16_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->n[i] != n)
            list->n[kept++] = list->n[i];
    list->count = kept;
}

const char *scan_suite_name(uint16_t id)
{
    for (size_t i = 0; i < COUNT(private_suites); i++)
        if (private_suites[i].id == id)
            return private_suites[i].name;
    return name_suite(id);
}

const char *scan_group_name(uint16_t id)
{
    return name_group(id);
}

const char *scan_scheme_name(uint16_t id)
{
    return name_signature(id);
}

static bool is_name(const char *name)
{
    return strcmp(name, "unknown") != 0 && strcmp(name, "GREASE") != 0;
}

/* TLS 1.3's suites: 0x13xx, ShangMi's (RFC 8998), those without encryption (RFC 9150), and GOST's (RFC
 * 9367). */
static bool is_suite13(uint16_t id)
{
    return id >> 8 == 0x13 || id == 0x00c6 || id == 0x00c7 || id == 0xc0b4 || id == 0xc0b5 ||
           (id >= 0xc103 && id <= 0xc106);
}

/* 0x0000 may never be agreed on (RFC 5246 A.5), and two are signals, not suites. */
static bool is_suite(uint16_t id)
{
    return id != 0x0000 && id != 0x00ff && id != 0x5600 && is_name(scan_suite_name(id));
}

/* RFC 8446 4.2.7 takes most of the older curves away: "obsolete_RESERVED", which may not be offered. */
static bool is_group13(uint16_t id)
{
    return (id >= 0x0017 && id <= 0x0019) || (id >= 0x001d && id < 0xff00);
}

static bool is_group12(uint16_t id)
{
    return id <= 0x0029 && !(id >= 0x001f && id <= 0x0021);
}

/* Strong ones first: a server that follows its clients shows its best at once, and those that read only the
 * beginning of a long list read what counts. */
static int rank(uint16_t id)
{
    unsigned marks = scan_suite_marks(id), bits = scan_suite_bits(id);
    if (marks & (SUITE_NULL | SUITE_EXPORT | SUITE_ANON | SUITE_RC4 | SUITE_DES) || bits < 100)
        return 9;
    if (marks & SUITE_PSK)
        return 8;
    if (!(marks & SUITE_SIGNED) && id >> 8 != 0x13)
        return marks & SUITE_STATIC_RSA ? 5 : 7;
    if (marks & (SUITE_CBC | SUITE_TRIPLE_DES))
        return marks & SUITE_ECDHE ? 2 : 3;
    return marks & SUITE_ECDHE ? 0 : 1;
}

static int by_rank(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    int difference = rank(x) - rank(y);
    return difference ? difference : x - y;
}

void scan_lists(struct scan *s)
{
    for (unsigned i = 0; i < 0x10000; i++) {
        uint16_t n = (uint16_t)i;
        if (is_suite(n))
            numbers_add(is_suite13(n) ? &s->suites13 : &s->suites, n);
        if (is_name(name_group(n)) && is_group13(n))
            numbers_add(&s->groups13, n);
        if (is_name(name_group(n)) && is_group12(n))
            numbers_add(&s->groups, n);
        if (is_name(name_signature(n)))
            numbers_add(&s->schemes, n);
    }
    qsort(s->suites.n, s->suites.count, sizeof *s->suites.n, by_rank);
}

/* ---------------------------------------------------------------- suites */

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), m = strlen(with);
    return n >= m && strcmp(name + n - m, with) == 0;
}

/* How keys are agreed on stands between "TLS_" and "_WITH_". */
static unsigned exchange_marks(const char *name)
{
    if (begins(name, "TLS_ECDHE_") || begins(name, "TLS_ECDH_anon"))
        return SUITE_ECDHE;
    if (begins(name, "TLS_DHE_") || begins(name, "TLS_DH_anon") || begins(name, "TLS_PSK_DHE"))
        return SUITE_DHE;
    if (begins(name, "TLS_SRP_") || begins(name, "TLS_ECCPWD"))
        return 0; /* proven by a password, with secrecy */
    if (begins(name, "TLS_RSA_") && !begins(name, "TLS_RSA_PSK"))
        return SUITE_NO_SECRECY | SUITE_STATIC_RSA;
    return SUITE_NO_SECRECY;
}

unsigned scan_suite_marks(uint16_t id)
{
    const char *name = scan_suite_name(id);
    unsigned marks = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (strstr(name, parts[i].part))
            marks |= parts[i].marks;
    if (ends(name, "_MD5"))
        marks |= SUITE_MD5;
    if (is_suite13(id))
        return marks;
    marks |= exchange_marks(name);
    if (marks & (SUITE_ECDHE | SUITE_DHE) && !(marks & (SUITE_ANON | SUITE_PSK)))
        marks |= SUITE_SIGNED;
    return marks;
}

unsigned scan_suite_bits(uint16_t id)
{
    const char *name = scan_suite_name(id);
    for (size_t i = 0; i < COUNT(strengths); i++)
        if (strstr(name, strengths[i].part))
            return strengths[i].bits;
    return 0;
}

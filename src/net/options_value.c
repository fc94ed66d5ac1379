/* options_value.c: how the values of options are read. */
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "net/options.h"

bool value_bool(const char *text, bool *out)
{
    static const char *const words[] = {"yes", "no", "true", "false", "on", "off", "1", "0"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 0;
            return true;
        }
    return false;
}

/* Not what strtod does besides: no blanks before it, hexadecimal, infinity or the locale's comma. */
bool value_number(const char *text, double *out)
{
    const char *p = text + (*text == '-');
    double n = 0, place = 1;
    size_t digits = strspn(p, "0123456789");
    if (!digits || digits > 15)
        return false;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (*p++ - '0');
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9'; p++)
            n += (*p - '0') * (place /= 10);
        if (place > 0.5)
            return false;
    }
    *out = *text == '-' ? -n : n;
    return *p == '\0';
}

bool value_is_pem(const char *text)
{
    return strncmp(text + strspn(text, " \t\r\n"), "-----BEGIN", 10) == 0;
}

/* ---------------------------------------------------------------- versions */

static bool skip(const char **p, size_t *n, const char *word)
{
    size_t len = strlen(word);
    if (*n < len || strncasecmp(*p, word, len) != 0)
        return false;
    *p += len;
    *n -= len;
    return true;
}

static bool cut(const char *p, size_t *n, const char *word)
{
    size_t len = strlen(word);
    if (*n < len || strncasecmp(p + *n - len, word, len) != 0)
        return false;
    *n -= len;
    return true;
}

static bool word_is(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

/* PHP's masks: bit 0 says client, 2 and 4 are SSL, 8 is TLS 1.0, 64 TLS 1.3. */
static bool php_number(const char *p, size_t n, unsigned *mask)
{
    unsigned value = 0;
    if (n > 3)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(p[i] - '0');
    }
    if (value > 127 || value < 2)
        return false;
    *mask |= value >> 3 & 15;
    /* "Any method" has them as well: where there are others, they are left out. */
    if (!(value >> 3))
        *mask |= VERSION_SSL;
    return true;
}

static bool one_version(const char *p, size_t n, unsigned *mask)
{
    if (php_number(p, n, mask))
        return true;
    if (!skip(&p, &n, "STREAM_CRYPTO_METHOD_"))
        skip(&p, &n, "STREAM_CRYPTO_PROTO_");
    if (!cut(p, &n, "_CLIENT"))
        cut(p, &n, "_SERVER");
    if (word_is(p, n, "TLS") || word_is(p, n, "ANY") || word_is(p, n, "TLS_ANY") ||
        word_is(p, n, "SSLv23")) {
        *mask |= 15;
        return true;
    }
    if (skip(&p, &n, "SSLv") && n == 1 && (*p == '2' || *p == '3')) {
        *mask |= VERSION_SSL;
        return true;
    }
    bool named = skip(&p, &n, "TLSv") || skip(&p, &n, "TLS");
    if (named && n == 1 && *p == '1') { /* OpenSSL's name of 1.0 */
        *mask |= 1;
        return true;
    }
    if (n != 3 || p[0] != '1' || (p[1] != '.' && p[1] != '_') || p[2] < '0' || p[2] > '3')
        return false;
    *mask |= 1u << (p[2] - '0');
    return true;
}

bool value_versions(const char *text, unsigned *mask)
{
    *mask = 0;
    for (text += strspn(text, "|,: "); *text; text += strspn(text, "|,: ")) {
        size_t n = strcspn(text, "|,: ");
        if (!one_version(text, n, mask))
            return false;
        text += n;
    }
    return *mask != 0;
}

/* ---------------------------------------------------------------- pins */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many hexadecimal digits there are, colons between bytes left out; 0: something else is there. The first 64
 * go to out. */
static size_t read_hex(const char *p, size_t n, uint8_t out[32])
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(p[i]);
        if (p[i] == ':' && digits && digits % 2 == 0 && i + 1 < n)
            continue;
        if (d < 0)
            return 0;
        if (digits < 64)
            out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | d : d << 4);
        digits++;
    }
    return digits;
}

/* 32 bytes are 43 characters and one "=" (RFC 4648 4). */
static bool read_base64(const char *p, size_t n, uint8_t out[32])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    size_t at = 0;
    if (n != 44 || p[43] != '=')
        return false;
    for (size_t i = 0; i < 43; i++) {
        const char *digit = p[i] ? strchr(digits, p[i]) : NULL;
        if (!digit)
            return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4 == 3) {
            out[at++] = (uint8_t)(bits >> 16);
            out[at++] = (uint8_t)(bits >> 8);
            out[at++] = (uint8_t)bits;
        }
    }
    out[at++] = (uint8_t)(bits >> 10);
    out[at++] = (uint8_t)(bits >> 2);
    return (bits & 3) == 0;
}

static bool read_pin(const char *p, size_t n, struct value_pin *out, const char **why)
{
    out->key = skip(&p, &n, "sha256//") || skip(&p, &n, "pin-sha256=");
    *why = "it is no SHA-256";
    if (out->key)
        return read_base64(p, n, out->sha256);
    bool md5 = skip(&p, &n, "md5=") || skip(&p, &n, "md5:");
    bool sha1 = skip(&p, &n, "sha1=") || skip(&p, &n, "sha1:");
    if (!md5 && !sha1 && !skip(&p, &n, "sha256="))
        skip(&p, &n, "sha256:");
    size_t digits = read_hex(p, n, out->sha256);
    if (md5 || digits == 32)
        *why = "MD5 is refused, it can be forged (RFC 6151): take "
               "SHA-256";
    else if (sha1 || digits == 40)
        *why = "SHA-1 is refused, it can be forged (RFC 6194, "
               "SHAttered): take SHA-256";
    return !md5 && !sha1 && digits == 64;
}

int value_pin(const char **list, struct value_pin *out, const char **why)
{
    *list += strspn(*list, ", \t");
    size_t n = strcspn(*list, ", \t");
    if (!n)
        return 0;
    if (!read_pin(*list, n, out, why))
        return -1;
    *list += n;
    return 1;
}

/* ---------------------------------------------------------------- maps */

static bool copy(char *out, size_t size, const char *p, size_t n)
{
    if (n == 0 || n >= size)
        return false;
    memcpy(out, p, n);
    out[n] = '\0';
    return true;
}

int value_site(const char **map, struct value_site *out)
{
    *map += strspn(*map, ",; \t\n");
    size_t n = strcspn(*map, ",;\n");
    const char *p = *map, *equals = memchr(p, '=', n);
    if (!n)
        return 0;
    if (!equals || !copy(out->name, sizeof out->name, p, (size_t)(equals - p)))
        return -1;
    const char *cert = equals + 1, *end = p + n;
    const char *colon = memchr(cert, ':', (size_t)(end - cert));
    out->key[0] = '\0';
    if (!copy(out->cert, sizeof out->cert, cert, (size_t)((colon ? colon : end) - cert)) ||
        (colon && !copy(out->key, sizeof out->key, colon + 1, (size_t)(end - colon - 1))))
        return -1;
    *map = end;
    return 1;
}

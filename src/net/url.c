#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "net/fail.h"

/* The parts of a URL as they are shown in messages; longer ones are cut there. */
#define SHOWN   80
#define SHOW(s) (int)((s).len > SHOWN ? SHOWN : (s).len), (const char *)(s).p

static bool bad(hf_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

static bool bad(hf_error *err, const char *fmt, ...)
{
    char text[HF_DETAIL_MAX_LEN];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return net_fail(err, HF_E_URL, 0, "%s", text);
}

/* ---------------------------------------------------------------- port */

enum port_fault { PORT_OK, PORT_EMPTY, PORT_NOT_NUMBER, PORT_ZEROS, PORT_TOO_BIG };

static enum port_fault read_port(struct slice s, uint16_t *out)
{
    uint32_t v = 0;

    if (s.len == 0)
        return PORT_EMPTY;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return PORT_NOT_NUMBER;
        if (v <= 65535)
            v = v * 10 + (uint32_t)(s.p[i] - '0');
    }
    if (s.len > 1 && s.p[0] == '0')
        return PORT_ZEROS;
    if (v > 65535)
        return PORT_TOO_BIG;
    *out = (uint16_t)v;
    return PORT_OK;
}

static bool parse_port(struct slice s, uint16_t *out, hf_error *err)
{
    switch (read_port(s, out)) {
    case PORT_OK: return true;
    case PORT_EMPTY: return bad(err, "there is no port behind the colon: write HOST:PORT");
    case PORT_NOT_NUMBER:
        return bad(err, "the port \"%.*s\" is not a number: write it in digits, as 443",
                   SHOW(s));
    case PORT_ZEROS:
        return bad(err, "the port \"%.*s\" begins with a zero: write it without", SHOW(s));
    case PORT_TOO_BIG:
        return bad(err, "the port %.*s is too big: the highest is 65535", SHOW(s));
    }
    return false;
}

/* ---------------------------------------------------------------- IPv6 */

static bool read_ipv6(struct slice s, struct in6_addr *out)
{
    char text[INET6_ADDRSTRLEN];

    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = 0;
    return strlen(text) == s.len && inet_pton(AF_INET6, text, out) == 1;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 6874 2: IPv6addrz = IPv6address "%25" ZoneID, ZoneID = 1*( unreserved / pct-encoded ) */
static bool parse_zone(struct slice s, struct url *out, hf_error *err)
{
    size_t n = 0;

    if (s.len < 2 || s.p[0] != '2' || s.p[1] != '5')
        return bad(err, "in a URL the %% before a zone is written %%25: use [%s%%25%.*s]",
                   out->host, SHOW(s));
    if (s.len == 2)
        return bad(err, "the zone behind %%25 is empty: name the interface, as [%s%%25eth0]",
                   out->host);
    for (size_t i = 2; i < s.len; i++) {
        int c = s.p[i];

        if (c == '%') {
            int hi = i + 2 < s.len ? hex_digit(s.p[i + 1]) : -1;
            int lo = i + 2 < s.len ? hex_digit(s.p[i + 2]) : -1;

            c = hi < 0 || lo < 0 ? 0 : hi * 16 + lo;
            i += 2;
        } else if (!isalnum(c) && !strchr("-._~", c)) {
            c = 0;
        }
        if (c <= ' ' || c >= 0x7f || c == '/')
            return bad(err, "the zone \"%.*s\" is not the name of an interface", SHOW(s));
        if (n == URL_ZONE_MAX)
            return bad(
                err, "the zone \"%.*s\" is too long: an interface's name has at most %d bytes",
                SHOW(s), URL_ZONE_MAX);
        out->zone[n++] = (char)c;
    }
    if (!IN6_IS_ADDR_LINKLOCAL(&out->addr.v6) && !IN6_IS_ADDR_MC_LINKLOCAL(&out->addr.v6))
        return bad(err, "%s is not a link-local address, so it has no zone: leave %%25%s away",
                   out->host, out->zone);
    return true;
}

static bool parse_bracketed(struct slice s, struct url *out, hf_error *err)
{
    struct in_addr v4;
    const uint8_t *percent = s.len ? memchr(s.p, '%', s.len) : NULL;
    struct slice a = slice_of(s.p, percent ? (size_t)(percent - s.p) : s.len);
    char text[INET6_ADDRSTRLEN];

    if (!read_ipv6(a, &out->addr.v6)) {
        snprintf(text, sizeof text, "%.*s", SHOW(a));
        if (a.len < sizeof text && inet_pton(AF_INET, text, &v4) == 1)
            return bad(err, "brackets are for IPv6: write %s without them", text);
        return bad(err, "[%.*s] is not an IPv6 address; brackets are only for these", SHOW(s));
    }
    out->kind = URL_IPV6;
    memcpy(out->host, a.p, a.len);
    out->host[a.len] = 0;
    if (!percent)
        return true;
    return parse_zone(slice_of(percent + 1, s.len - a.len - 1), out, err);
}

/* More than one colon and no brackets: say which reading was meant. */
static bool bare_colons(struct slice s, hf_error *err)
{
    struct in6_addr v6;
    uint16_t port;
    size_t last = s.len;

    while (s.p[last - 1] != ':')
        last--;

    struct slice before = slice_of(s.p, last - 1), after = slice_of(s.p + last, s.len - last);
    bool whole = read_ipv6(s, &v6);
    bool split = read_ipv6(before, &v6) && read_port(after, &port) == PORT_OK;

    if (whole && split)
        return bad(err,
                   "\"%.*s\" is ambiguous: an IPv6 address stands in brackets, use [%.*s]:%.*s",
                   SHOW(s), SHOW(before), SHOW(after));
    if (split)
        return bad(err, "an IPv6 address stands in brackets: use [%.*s]:%.*s", SHOW(before),
                   SHOW(after));
    if (whole)
        return bad(err,
                   "there is no port, and an IPv6 address stands in brackets: use [%.*s]:PORT",
                   SHOW(s));
    return bad(err, "\"%.*s\" has more than one colon and is no IPv6 address: write HOST:PORT",
               SHOW(s));
}

/* ---------------------------------------------------------------- IPv4 and names */

/* The last label decides: no top-level domain is a number (RFC 3696 2), so "0x7f.1" and "127.1" are
 * old spellings of IPv4 addresses, which programs read differently. */
static bool looks_numeric(struct slice s)
{
    size_t end = s.len, i;

    if (end && s.p[end - 1] == '.')
        end--;
    i = end;
    while (i && s.p[i - 1] != '.')
        i--;
    if (i == end)
        return false;
    if (end - i >= 2 && s.p[i] == '0' && (s.p[i + 1] | 0x20) == 'x') {
        for (i += 2; i < end; i++)
            if (hex_digit(s.p[i]) < 0)
                return false;
        return true;
    }
    for (; i < end; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool parse_ipv4(struct slice s, struct url *out, hf_error *err)
{
    uint8_t octet[4];
    size_t at = 0;
    int n = 0;

    for (;;) {
        size_t start = at;
        uint32_t v = 0;

        while (at < s.len && s.p[at] >= '0' && s.p[at] <= '9') {
            v = v > 255 ? v : v * 10 + (uint32_t)(s.p[at] - '0');
            at++;
        }
        if (at == start || (at < s.len && s.p[at] != '.'))
            return bad(err,
                       "\"%.*s\" is no IPv4 address: write four decimal numbers, as 127.0.0.1",
                       SHOW(s));
        if (at - start > 1 && s.p[start] == '0')
            return bad(err,
                       "\"%.*s\" has a number with a leading zero, which some programs read as "
                       "octal: write it in decimal",
                       SHOW(s));
        if (n < 4 && v <= 255)
            octet[n] = (uint8_t)v;
        if (at == s.len && n < 3)
            return bad(err,
                       "\"%.*s\" is a short form of an IPv4 address: write all four numbers, "
                       "as 127.0.0.1",
                       SHOW(s));
        if (v > 255)
            return bad(err, "\"%.*s\" is no IPv4 address: each number is at most 255", SHOW(s));
        n++;
        if (at == s.len)
            break;
        at++;
    }
    if (n != 4)
        return bad(err, "\"%.*s\" is no IPv4 address: it has %d numbers instead of four",
                   SHOW(s), n);
    memcpy(&out->addr.v4, octet, 4);
    out->kind = URL_IPV4;
    memcpy(out->host, s.p, s.len);
    out->host[s.len] = 0;
    return true;
}

/* RFC 1123 2.1 names; the underscore too, which real hosts have. */
static bool parse_name(struct slice s, struct url *out, hf_error *err)
{
    size_t label = 0;
    size_t len = s.len && s.p[s.len - 1] == '.' ? s.len - 1 : s.len;

    if (len > URL_HOST_MAX)
        return bad(err, "the host name is too long: %zu bytes, and at most %d are allowed", len,
                   URL_HOST_MAX);
    for (size_t i = 0; i <= len; i++) {
        int c = i < len ? s.p[i] : '.';

        if (c != '.') {
            if (!isalnum(c) && c != '-' && c != '_')
                return bad(err, "\"%c\" may not stand in the host name \"%.*s\"", c, SHOW(s));
            out->host[i] = (char)tolower(c);
            continue;
        }
        if (i == label)
            return bad(err,
                       "the host name \"%.*s\" has an empty label: two dots, or one in front",
                       SHOW(s));
        if (i - label > 63)
            return bad(err, "a label of the host name \"%.*s\" has more than 63 bytes",
                       SHOW(s));
        if (s.p[label] == '-' || s.p[i - 1] == '-')
            return bad(err, "a label of the host name \"%.*s\" begins or ends with \"-\"",
                       SHOW(s));
        label = i + 1;
        out->host[i] = '.';
    }
    /* a dot at the end makes the name absolute for the resolver: it is kept */
    out->host[s.len] = 0;
    out->kind = URL_NAME;
    return true;
}

static bool parse_host(struct slice s, struct url *out, hf_error *err)
{
    if (s.len == 0)
        return bad(err,
                   "there is no host before the port: write HOST:PORT, or * for all addresses "
                   "to listen on");
    if (s.len == 1 && s.p[0] == '*') {
        out->kind = URL_ANY;
        memcpy(out->host, "*", 2);
        return true;
    }
    return looks_numeric(s) ? parse_ipv4(s, out, err) : parse_name(s, out, err);
}

/* ---------------------------------------------------------------- the whole */

/* What may not stand anywhere in a URL of ours. */
static bool check_bytes(const char *text, hf_error *err)
{
    for (size_t i = 0; text[i]; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 0x80)
            return bad(
                err,
                "the host name has letters beyond ASCII (at byte %zu): write its A-label, "
                "which begins with \"xn--\" (RFC 5891)",
                i);
        if (c <= ' ' || c == 0x7f)
            return bad(err, "there is a space or control character (0x%02x) at byte %zu", c, i);
    }
    return true;
}

/* What belongs to other kinds of URL. */
static bool check_foreign(struct slice s, hf_error *err)
{
    for (size_t i = 0; i < s.len; i++) {
        struct slice rest = slice_of(s.p + i, s.len - i);

        switch (s.p[i]) {
        case '/':
        case '?':
        case '#':
            return bad(err, "the URL of a transport ends with the port: leave \"%.*s\" away",
                       SHOW(rest));
        case '@':
            return bad(err,
                       "a user name or password (before \"@\") has no place in the URL of a "
                       "transport: write only HOST:PORT");
        default: break;
        }
    }
    return true;
}

static bool parse_scheme(const char *text, struct slice *rest, struct url *out, hf_error *err)
{
    const char *mark = strstr(text, "://");

    if (!mark) {
        out->scheme = scheme_find("tcp", 3);
        *rest = slice_of(text, strlen(text));
        return true;
    }

    size_t len = (size_t)(mark - text);

    if (len == 0)
        return bad(err, "there is no scheme before \"://\": the schemes are " SCHEMES_KNOWN);
    out->scheme = scheme_find(text, len);
    if (!out->scheme)
        return scheme_unknown(text, len, err);
    *rest = slice_of(mark + 3, strlen(mark + 3));
    return scheme_usable(out->scheme, err);
}

/* RFC 3986 3.2.2: IP-literal = "[" ( IPv6address / IPvFuture ) "]" */
static bool parse_literal(struct slice s, struct url *out, hf_error *err)
{
    const uint8_t *close = memchr(s.p, ']', s.len);

    if (!close)
        return bad(err, "the bracket of \"%.*s\" is not closed: write [ADDRESS]:PORT", SHOW(s));

    struct slice inner = slice_of(s.p + 1, (size_t)(close - s.p) - 1);
    struct slice rest = slice_of(close + 1, s.len - inner.len - 2);

    if (!parse_bracketed(inner, out, err))
        return false;
    if (rest.len == 0)
        return bad(err, "there is no port: write [%.*s]:PORT", SHOW(inner));
    if (rest.p[0] != ':')
        return bad(err, "behind the bracket comes \":\" and the port, not \"%.*s\"",
                   SHOW(rest));
    return parse_port(slice_of(rest.p + 1, rest.len - 1), &out->port, err);
}

bool url_parse(const char *text, struct url *out, hf_error *err)
{
    struct slice s;
    const uint8_t *colon;

    *out = (struct url){0};
    if (!text || !*text)
        return bad(err, "the URL is empty: write SCHEME://HOST:PORT");
    if (!check_bytes(text, err) || !parse_scheme(text, &s, out, err) || !check_foreign(s, err))
        return false;
    if (s.len == 0)
        return bad(err, "there is no host: write %s://HOST:PORT", out->scheme->name);
    if (s.p[0] == '[')
        return parse_literal(s, out, err);
    colon = memchr(s.p, ':', s.len);
    if (!colon) {
        if (!parse_host(s, out, err))
            return false;
        return bad(err, "there is no port: write %s://%.*s:PORT", out->scheme->name, SHOW(s));
    }

    size_t host_len = (size_t)(colon - s.p);

    if (memchr(colon + 1, ':', s.len - host_len - 1))
        return bare_colons(s, err);
    return parse_host(slice_of(s.p, host_len), out, err) &&
           parse_port(slice_of(colon + 1, s.len - host_len - 1), &out->port, err);
}

/* ZoneID = 1*( unreserved / pct-encoded )                                   RFC 6874 2 */
static void encode_zone(const char *zone, char out[3 * URL_ZONE_MAX + 1])
{
    for (; *zone; zone++) {
        if (isalnum((unsigned char)*zone) || strchr("-._~", *zone))
            *out++ = *zone;
        else
            out += snprintf(out, 4, "%%%02X", (unsigned char)*zone);
    }
    *out = 0;
}

size_t url_format(const struct url *url, char *out, size_t size)
{
    char zone[3 * URL_ZONE_MAX + 1];
    int n;

    encode_zone(url->zone, zone);
    if (url->kind == URL_IPV6)
        n = snprintf(out, size, "%s://[%s%s%s]:%u", url->scheme->name, url->host,
                     zone[0] ? "%25" : "", zone, url->port);
    else
        n = snprintf(out, size, "%s://%s:%u", url->scheme->name, url->host, url->port);
    return n < 0 ? 0 : (size_t)n;
}

#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "handfast_net.h"
#include "net/fail.h"
#include "net/idn.h"
#include "net/service.h"

/* The parts of a URL as they are shown in messages; longer ones are cut there. */
#define SHOWN   80
#define SHOW(s) (int)((s).len > SHOWN ? SHOWN : (s).len), (const char *)(s).p

/* A URL while it is read. */
struct parse {
    const char *text;
    struct url *out;
    hf_error *err;
    int port;       /* that was given apart, 0: none */
    bool bare_zone; /* the % before a zone stands alone, as in addresses that are not URLs */
};

/* Refuses what stands at `at` in the text. */
static bool bad(const struct parse *p, const void *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));

static bool bad(const struct parse *p, const void *at, const char *fmt, ...)
{
    const uint8_t *start = (const uint8_t *)p->text, *where = at;
    char text[HF_DETAIL_MAX_LEN];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    net_fail(p->err, HF_E_URL, 0, "%s", text);
    if (p->err && where) {
        memcpy(p->err->path, "URL", 4);
        p->err->offset = (size_t)(where - start);
    }
    return false;
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

static bool same_port(const struct parse *p, const void *at)
{
    if (p->port == 0 || p->port == p->out->port)
        return true;
    return bad(
        p, at,
        "the URL's port is %u, but %d was given apart from it: give one, or twice the same",
        p->out->port, p->port);
}

static bool parse_port(const struct parse *p, struct slice s)
{
    const char *protocol = p->out->scheme->transport->protocol;

    switch (read_port(s, &p->out->port)) {
    case PORT_OK: return same_port(p, s.p);
    case PORT_EMPTY: return bad(p, s.p, "there is no port behind the colon: write HOST:PORT");
    case PORT_NOT_NUMBER:
        if (service_port((const char *)s.p, s.len, protocol, &p->out->port))
            return same_port(p, s.p);
        if (!isalpha(s.p[0]))
            return bad(p, s.p, "the port \"%.*s\" is not a number: write it in digits, as 443",
                       SHOW(s));
        return bad(
            p, s.p,
            "the port \"%.*s\" is neither a number nor a service of %s that is known here: "
            "write it in digits, as 443",
            SHOW(s), protocol);
    case PORT_ZEROS:
        return bad(p, s.p, "the port \"%.*s\" begins with a zero: write it without", SHOW(s));
    case PORT_TOO_BIG:
        return bad(p, s.p, "the port %.*s is too big: the highest is 65535", SHOW(s));
    }
    return false;
}

/* There is none in the URL. `shown` is the host as it should be written with one. */
static bool no_port(const struct parse *p, const void *at, const char *before,
                    struct slice shown, const char *after)
{
    if (p->port) {
        p->out->port = (uint16_t)p->port;
        return true;
    }
    if (p->out->scheme->port) {
        p->out->port = p->out->scheme->port;
        return true;
    }
    return bad(p, at, "there is no port: write %s%.*s%s:PORT", before, SHOW(shown), after);
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
static bool parse_zone(const struct parse *p, struct slice s)
{
    struct url *out = p->out;
    size_t n = 0, start = p->bare_zone ? 0 : 2;

    if (start && (s.len < 2 || s.p[0] != '2' || s.p[1] != '5'))
        return bad(p, s.p, "in a URL the %% before a zone is written %%25: use [%s%%25%.*s]",
                   out->host, SHOW(s));
    if (s.len == start)
        return bad(p, s.p, "the zone behind %%25 is empty: name the interface, as [%s%%25eth0]",
                   out->host);
    for (size_t i = start; i < s.len; i++) {
        int c = s.p[i];

        if (c == '%' && start) {
            int hi = i + 2 < s.len ? hex_digit(s.p[i + 1]) : -1;
            int lo = i + 2 < s.len ? hex_digit(s.p[i + 2]) : -1;

            c = hi < 0 || lo < 0 ? 0 : hi * 16 + lo;
            i += 2;
        } else if (start && !isalnum(c) && !strchr("-._~", c)) {
            c = 0;
        }
        if (c <= ' ' || c >= 0x7f || c == '/')
            return bad(p, s.p, "the zone \"%.*s\" is not the name of an interface", SHOW(s));
        if (n == URL_ZONE_MAX)
            return bad(
                p, s.p,
                "the zone \"%.*s\" is too long: an interface's name has at most %d bytes",
                SHOW(s), URL_ZONE_MAX);
        out->zone[n++] = (char)c;
    }
    if (!IN6_IS_ADDR_LINKLOCAL(&out->addr.v6) && !IN6_IS_ADDR_MC_LINKLOCAL(&out->addr.v6))
        return bad(p, s.p,
                   "%s is not a link-local address, so it has no zone: leave %%25%s away",
                   out->host, out->zone);
    return true;
}

static bool parse_ipv6(const struct parse *p, struct slice s)
{
    struct url *out = p->out;
    struct in_addr v4;
    const uint8_t *percent = s.len ? memchr(s.p, '%', s.len) : NULL;
    struct slice a = slice_of(s.p, percent ? (size_t)(percent - s.p) : s.len);
    char text[INET6_ADDRSTRLEN];

    if (!read_ipv6(a, &out->addr.v6)) {
        snprintf(text, sizeof text, "%.*s", SHOW(a));
        if (a.len < sizeof text && inet_pton(AF_INET, text, &v4) == 1)
            return bad(p, s.p, "brackets are for IPv6: write %s without them", text);
        return bad(p, s.p, "[%.*s] is not an IPv6 address; brackets are only for these",
                   SHOW(s));
    }
    out->kind = URL_IPV6;
    memcpy(out->host, a.p, a.len);
    out->host[a.len] = 0;
    if (!percent)
        return true;
    return parse_zone(p, slice_of(percent + 1, s.len - a.len - 1));
}

/* More than one colon and no brackets: an address, if the port was given apart and cannot be meant to be
 * its end; otherwise say which reading was meant. */
static bool bare_colons(const struct parse *p, struct slice s)
{
    struct in6_addr v6;
    uint16_t port;
    size_t last = s.len;
    const uint8_t *percent = memchr(s.p, '%', s.len);

    while (s.p[last - 1] != ':')
        last--;

    struct slice before = slice_of(s.p, last - 1), after = slice_of(s.p + last, s.len - last);
    struct slice address = slice_of(s.p, percent ? (size_t)(percent - s.p) : s.len);
    bool whole = read_ipv6(address, &v6);
    bool split = !percent && read_ipv6(before, &v6) && read_port(after, &port) == PORT_OK;

    if (whole && p->port && !(split && port == p->port)) {
        p->out->port = (uint16_t)p->port;
        return parse_ipv6(p, s);
    }
    if (whole && split)
        return bad(p, s.p,
                   "\"%.*s\" is ambiguous: an IPv6 address stands in brackets, use [%.*s]:%.*s",
                   SHOW(s), SHOW(before), SHOW(after));
    if (split)
        return bad(p, s.p, "an IPv6 address stands in brackets: use [%.*s]:%.*s", SHOW(before),
                   SHOW(after));
    if (whole)
        return bad(p, s.p,
                   "there is no port, and an IPv6 address stands in brackets: use [%.*s]:PORT",
                   SHOW(s));
    return bad(p, after.p - 1,
               "\"%.*s\" has more than one colon and is no IPv6 address: write HOST:PORT",
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

static bool parse_ipv4(const struct parse *p, struct slice s)
{
    struct url *out = p->out;
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
            return bad(p, s.p,
                       "\"%.*s\" is no IPv4 address: write four decimal numbers, as 127.0.0.1",
                       SHOW(s));
        if (at - start > 1 && s.p[start] == '0')
            return bad(p, s.p,
                       "\"%.*s\" has a number with a leading zero, which some programs read as "
                       "octal: write it in decimal",
                       SHOW(s));
        if (n < 4 && v <= 255)
            octet[n] = (uint8_t)v;
        if (at == s.len && n < 3)
            return bad(p, s.p,
                       "\"%.*s\" is a short form of an IPv4 address: write all four numbers, "
                       "as 127.0.0.1",
                       SHOW(s));
        if (v > 255)
            return bad(p, s.p, "\"%.*s\" is no IPv4 address: each number is at most 255",
                       SHOW(s));
        n++;
        if (at == s.len)
            break;
        at++;
    }
    if (n != 4)
        return bad(p, s.p, "\"%.*s\" is no IPv4 address: it has %d numbers instead of four",
                   SHOW(s), n);
    memcpy(&out->addr.v4, octet, 4);
    out->kind = URL_IPV4;
    memcpy(out->host, s.p, s.len);
    out->host[s.len] = 0;
    return true;
}

/* RFC 1123 2.1 names; the underscore too, which real hosts have. */
static bool parse_name(const struct parse *p, struct slice s)
{
    struct url *out = p->out;
    size_t label = 0;
    size_t len = s.len && s.p[s.len - 1] == '.' ? s.len - 1 : s.len;

    if (len > URL_HOST_MAX)
        return bad(p, s.p, "the host name is too long: %zu bytes, and at most %d are allowed",
                   len, URL_HOST_MAX);
    for (size_t i = 0; i <= len; i++) {
        int c = i < len ? s.p[i] : '.';

        if (c != '.') {
            if (!isalnum(c) && c != '-' && c != '_')
                return bad(p, s.p + i, "\"%c\" may not stand in the host name \"%.*s\"", c,
                           SHOW(s));
            out->host[i] = (char)tolower(c);
            continue;
        }
        if (i == label)
            return bad(p, s.p,
                       "the host name \"%.*s\" has an empty label: two dots, or one in front",
                       SHOW(s));
        if (i - label > 63)
            return bad(p, s.p, "a label of the host name \"%.*s\" has more than 63 bytes",
                       SHOW(s));
        if (s.p[label] == '-' || s.p[i - 1] == '-')
            return bad(p, s.p, "a label of the host name \"%.*s\" begins or ends with \"-\"",
                       SHOW(s));
        label = i + 1;
        out->host[i] = '.';
    }
    /* a dot at the end makes the name absolute for the resolver: it is kept */
    out->host[s.len] = 0;
    out->kind = URL_NAME;
    return true;
}

/* Nothing, or "*", before the port: all addresses of this machine. */
static bool parse_host(const struct parse *p, struct slice s)
{
    if (s.len == 0 || (s.len == 1 && s.p[0] == '*')) {
        p->out->kind = URL_ANY;
        memcpy(p->out->host, "*", 2);
        return true;
    }
    return looks_numeric(s) ? parse_ipv4(p, s) : parse_name(p, s);
}

/* ---------------------------------------------------------------- the whole */

static const uint8_t *beyond_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= 0x80)
            return s.p + i;
    return NULL;
}

/* What may not stand anywhere in a URL of ours. */
static bool check_bytes(const struct parse *p)
{
    for (const char *at = p->text; *at; at++) {
        unsigned char c = (unsigned char)*at;

        if (c <= ' ' || c == 0x7f)
            return bad(p, at, "there is a space or control character (0x%02x) at byte %zu", c,
                       (size_t)(at - p->text));
    }
    return true;
}

/* What belongs to other kinds of URL. */
static bool check_foreign(const struct parse *p, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        struct slice rest = slice_of(s.p + i, s.len - i);

        switch (s.p[i]) {
        case '/':
        case '?':
        case '#':
            return bad(p, rest.p,
                       "the URL of a transport ends with the port: leave \"%.*s\" away",
                       SHOW(rest));
        case '@':
            return bad(p, rest.p,
                       "a user name or password (before \"@\") has no place in the URL of a "
                       "transport: write only HOST:PORT");
        default: break;
        }
    }
    return true;
}

static bool parse_scheme(const struct parse *p, struct slice *rest)
{
    const char *text = p->text, *mark = strstr(text, "://");

    if (!mark) {
        p->out->scheme = scheme_find("tcp", 3);
        *rest = slice_of(text, strlen(text));
        return true;
    }

    size_t len = (size_t)(mark - text);

    if (len == 0)
        return bad(p, text,
                   "there is no scheme before \"://\": the schemes are " SCHEMES_KNOWN);
    p->out->scheme = scheme_find(text, len);
    if (!p->out->scheme)
        return scheme_unknown(text, len, p->err);
    *rest = slice_of(mark + 3, strlen(mark + 3));
    return scheme_usable(p->out->scheme, p->err);
}

/* RFC 3986 3.2.2: IP-literal = "[" ( IPv6address / IPvFuture ) "]" */
static bool parse_literal(const struct parse *p, struct slice s)
{
    const uint8_t *close = memchr(s.p, ']', s.len);

    if (!close)
        return bad(p, s.p, "the bracket of \"%.*s\" is not closed: write [ADDRESS]:PORT",
                   SHOW(s));

    struct slice inner = slice_of(s.p + 1, (size_t)(close - s.p) - 1);
    struct slice rest = slice_of(close + 1, s.len - inner.len - 2);

    if (!parse_ipv6(p, inner))
        return false;
    if (rest.len == 0)
        return no_port(p, rest.p, "[", inner, "]");
    if (rest.p[0] != ':')
        return bad(p, rest.p, "behind the bracket comes \":\" and the port, not \"%.*s\"",
                   SHOW(rest));
    return parse_port(p, slice_of(rest.p + 1, rest.len - 1));
}

/* What follows the scheme, with a host and a port. */
static bool parse_authority(const struct parse *p, struct slice s)
{
    char before[16];
    const uint8_t *colon;

    if (s.len == 0)
        return bad(p, s.p, "there is no host: write %s://HOST:PORT", p->out->scheme->name);
    if (s.p[0] == '[')
        return parse_literal(p, s);
    colon = memchr(s.p, ':', s.len);
    if (!colon) {
        /* an address that is no URL is shown without the scheme */
        snprintf(before, sizeof before, "%s%s", p->bare_zone ? "" : p->out->scheme->name,
                 p->bare_zone ? "" : "://");
        return parse_host(p, s) && no_port(p, s.p + s.len, before, s, "");
    }

    size_t host_len = (size_t)(colon - s.p);

    if (memchr(colon + 1, ':', s.len - host_len - 1))
        return bare_colons(p, s);
    return parse_host(p, slice_of(s.p, host_len)) &&
           parse_port(p, slice_of(colon + 1, s.len - host_len - 1));
}

/* The host's letters beyond ASCII become its A-label (RFC 5891), and the URL is read with that. */
static bool parse_international(const struct parse *p, struct slice s, const uint8_t *first)
{
    const uint8_t *colon = memchr(s.p, ':', s.len);
    struct slice host = slice_of(s.p, colon ? (size_t)(colon - s.p) : s.len);
    char ascii[URL_HOST_MAX + 2], why[80];

    if (first >= host.p + host.len || !idn_to_ascii(host, ascii, sizeof ascii, why, sizeof why))
        return bad(
            p, first,
            "the host name has letters beyond ASCII (at byte %zu)%s%s: write its A-label, "
            "which begins with \"xn--\" (RFC 5891)",
            (size_t)(first - (const uint8_t *)p->text),
            first < host.p + host.len ? ", and " : "", first < host.p + host.len ? why : "");

    /* its faults are shown as they stand in the A-label, and placed where the host begins */
    hf_error fault = {0};
    struct parse label = {.text = ascii, .out = p->out, .err = &fault};

    if (!parse_host(&label, slice_of(ascii, strlen(ascii))))
        return bad(p, host.p, "%s", fault.detail);
    if (!colon)
        return no_port(p, host.p + host.len, "", host, "");
    return parse_port(p, slice_of(colon + 1, s.len - host.len - 1));
}

/* PATH, or @NAME for a name that is in no file system (unix(7)). Any byte may stand in it. */
static bool parse_path(const struct parse *p, struct slice s)
{
    bool abstract = s.len && s.p[0] == '@';

    if (p->port)
        return bad(p, NULL, "%s:// has no port: leave the %d away that was given apart",
                   p->out->scheme->name, p->port);
    if (s.len == (abstract ? 1 : 0))
        return bad(p, s.p, "there is no path: write %s:///PATH, or %s://@NAME",
                   p->out->scheme->name, p->out->scheme->name);
    if (s.len - abstract > URL_PATH_MAX)
        return bad(p, s.p,
                   "the path is too long for a socket: %zu bytes, and at most %d are allowed",
                   s.len - abstract, URL_PATH_MAX);
    p->out->kind = abstract ? URL_ABSTRACT : URL_PATH;
    memcpy(p->out->host, s.p, s.len);
    p->out->host[s.len] = 0;
    return true;
}

static bool parse_rest(const struct parse *p, struct slice s)
{
    const uint8_t *first;

    if (!p->out->scheme->transport->protocol)
        return parse_path(p, s);
    if (!check_bytes(p) || !check_foreign(p, s))
        return false;
    first = beyond_ascii(s);
    return first ? parse_international(p, s, first) : parse_authority(p, s);
}

bool url_parse_port(const char *text, int port, struct url *out, hf_error *err)
{
    struct parse p = {.text = text, .out = out, .err = err, .port = port};
    struct slice s;

    *out = (struct url){0};
    if (!text || !*text)
        return bad(&p, NULL, "the URL is empty: write SCHEME://HOST:PORT");
    if (port < 0 || port > 65535)
        return bad(&p, NULL, "the port %d was given: it is a number from 1 to 65535", port);
    return parse_scheme(&p, &s) && parse_rest(&p, s);
}

bool url_parse(const char *text, struct url *out, hf_error *err)
{
    return url_parse_port(text, 0, out, err);
}

bool hf_name_to_ascii(const char *name, char *out, size_t size, hf_error *err)
{
    char text[1200];
    struct url url;
    int len = name ? snprintf(text, sizeof text, "tcp://%s:1", name) : -1;

    err_begin(err);
    if (len < 0 || (size_t)len >= sizeof text)
        return err_set(err, HF_E_URL, "the host name is %s", name ? "too long" : "NULL");
    if (!url_parse(text, &url, err))
        return false;
    if (url.kind != URL_NAME)
        return err_set(err, HF_E_URL, "\"%.80s\" is no host name", name);
    if (strlen(url.host) >= size)
        return err_set(err, HF_E_USAGE, "hf_name_to_ascii: %zu bytes have no room for the name",
                       size);
    memcpy(out, url.host, strlen(url.host) + 1);
    return true;
}

bool url_parse_address(const char *text, const struct scheme *scheme, struct url *out,
                       hf_error *err)
{
    struct parse p = {.text = text, .out = out, .err = err, .bare_zone = true};

    *out = (struct url){.scheme = scheme};
    if (!text || !*text)
        return bad(&p, NULL, "the address is empty: write ADDRESS:PORT");
    if (!parse_rest(&p, slice_of(text, strlen(text))))
        return false;
    if (out->kind == URL_NAME)
        return bad(&p, text,
                   "\"%.80s\" is no address: names are not looked up here, write the number",
                   out->host);
    return true;
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
    if (url->kind == URL_PATH || url->kind == URL_ABSTRACT)
        n = snprintf(out, size, "%s://%s", url->scheme->name, url->host);
    else if (url->kind == URL_IPV6)
        n = snprintf(out, size, "%s://[%s%s%s]:%u", url->scheme->name, url->host,
                     zone[0] ? "%25" : "", zone, url->port);
    else
        n = snprintf(out, size, "%s://%s:%u", url->scheme->name, url->host, url->port);
    return n < 0 ? 0 : (size_t)n;
}

/* The strict reading of URLs: what is taken, what is refused, and in which words. */
#include "handfast_net.h"
#include "net/url.h"

#include <arpa/inet.h>

#include "check.h"

static hf_error parse(const char *text, struct url *out)
{
    hf_error err = {0};

    if (url_parse(text, out, &err))
        CHECK_INT(err.code, HF_OK);
    else
        CHECK(err.code != HF_OK);
    return err;
}

static const struct {
    const char *text, *scheme, *host, *zone;
    enum url_host kind;
    uint16_t port;
} good[] = {
    /* clang-format off */
    { "127.0.0.1:25",             "tcp",     "127.0.0.1",        "",     URL_IPV4, 25    },
    { "tcp://127.0.0.1:80",       "tcp",     "127.0.0.1",        "",     URL_IPV4, 80    },
    { "tcp://0.0.0.0:0",          "tcp",     "0.0.0.0",          "",     URL_IPV4, 0     },
    { "tcp://255.255.255.255:65535", "tcp",  "255.255.255.255",  "",     URL_IPV4, 65535 },
    { "mail.example.com:587",     "tcp",     "mail.example.com", "",     URL_NAME, 587   },
    { "tls://example.com:443",    "tls",     "example.com",      "",     URL_NAME, 443   },
    { "ssl://example.com:443",    "ssl",     "example.com",      "",     URL_NAME, 443   },
    { "TLS://Example.COM:443",    "tls",     "example.com",      "",     URL_NAME, 443   },
    { "tlsv1.0://a.example:1",    "tlsv1.0", "a.example",        "",     URL_NAME, 1     },
    { "tlsv1.1://a.example:1",    "tlsv1.1", "a.example",        "",     URL_NAME, 1     },
    { "tlsv1.2://a.example:1",    "tlsv1.2", "a.example",        "",     URL_NAME, 1     },
    { "tlsv1.3://a.example:1",    "tlsv1.3", "a.example",        "",     URL_NAME, 1     },
    { "tls://example.com.:443",   "tls",     "example.com.",     "",     URL_NAME, 443   },
    { "tls://_x.xn--bcher-kva.example:443", "tls", "_x.xn--bcher-kva.example", "", URL_NAME, 443 },
    { "tls://1.example:443",      "tls",     "1.example",        "",     URL_NAME, 443   },
    { "tls://4.3.2.1a:443",       "tls",     "4.3.2.1a",         "",     URL_NAME, 443   },
    { "localhost:0",              "tcp",     "localhost",        "",     URL_NAME, 0     },
    { "tcp://*:8080",             "tcp",     "*",                "",     URL_ANY,  8080  },
    { "tls://:8443",              "tls",     "*",                "",     URL_ANY,  8443  },
    { "tcp://[fe80::1]:80",       "tcp",     "fe80::1",          "",     URL_IPV6, 80    },
    { "[::1]:80",                 "tcp",     "::1",              "",     URL_IPV6, 80    },
    { "tls://[::ffff:1.2.3.4]:1", "tls",     "::ffff:1.2.3.4",   "",     URL_IPV6, 1     },
    { "tls://[2001:DB8::A]:1",    "tls",     "2001:DB8::A",      "",     URL_IPV6, 1     },
    { "tcp://[fe80::1%25eth0]:80", "tcp",    "fe80::1",          "eth0", URL_IPV6, 80    },
    { "tcp://[fe80::1%252]:80",   "tcp",     "fe80::1",          "2",    URL_IPV6, 80    },
    { "tcp://[fe80::1%25a%40b]:80", "tcp",   "fe80::1",          "a@b",  URL_IPV6, 80    },
    { "tcp://[ff02::1%25eth0]:80", "tcp",    "ff02::1",          "eth0", URL_IPV6, 80    },
    { "UDP://127.0.0.1:53",       "udp",     "127.0.0.1",        "",     URL_IPV4, 53    },
    /* services, of the scheme's protocol */
    { "tls://example.com:https",  "tls",     "example.com",      "",     URL_NAME, 443   },
    { "tcp://[::1]:imap",         "tcp",     "::1",              "",     URL_IPV6, 143   },
    { "udp://127.0.0.1:ntp",      "udp",     "127.0.0.1",        "",     URL_IPV4, 123   },
    { "udp://127.0.0.1:domain",   "udp",     "127.0.0.1",        "",     URL_IPV4, 53    },
    /* paths: any byte, and no port */
    { "unix:///run/a b.sock",     "unix",    "/run/a b.sock",    "",     URL_PATH, 0     },
    { "Unix://here/x:80?#@\xc3\xbc", "unix",  "here/x:80?#@\xc3\xbc", "", URL_PATH, 0    },
    { "unix://@name",             "unix",    "@name",            "",     URL_ABSTRACT, 0 },
    { "udg:///tmp/d",             "udg",     "/tmp/d",           "",     URL_PATH, 0     },
    /* clang-format on */
};

static void test_good(void)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct url u;
        int before = check_bad;

        CHECK_INT(parse(good[i].text, &u).code, HF_OK);
        if (check_bad == before) {
            CHECK_STR(u.scheme->name, good[i].scheme);
            CHECK_STR(u.host, good[i].host);
            CHECK_STR(u.zone, good[i].zone);
            CHECK_INT(u.kind, good[i].kind);
            CHECK_INT(u.port, good[i].port);
        }
        if (check_bad != before)
            printf("    in %s\n", good[i].text);
    }
}

/* Each refusal has its own words, with the remedy in them: this is the words. */
static const struct {
    const char *text;
    hf_code code;
    const char *detail;
} refused[] = {
    /* clang-format off */
    { "", HF_E_URL, "the URL is empty: write SCHEME://HOST:PORT" },
    { "tcp://", HF_E_URL, "there is no host: write tcp://HOST:PORT" },
    { "://host:1", HF_E_URL, "there is no scheme before \"://\": the schemes are tcp, tls, ssl, tlsv1.0 to tlsv1.3, udp, unix, udg, and protocols (smtp, smtps, imap ...)" },
    /* T12: the port */
    { "tcp://example.com", HF_E_URL, "there is no port: write tcp://example.com:PORT" },
    { "example.com", HF_E_URL, "there is no port: write tcp://example.com:PORT" },
    { "tcp://127.0.0.1", HF_E_URL, "there is no port: write tcp://127.0.0.1:PORT" },
    { "tcp://[::1]", HF_E_URL, "there is no port: write [::1]:PORT" },
    { "tcp://example.com:", HF_E_URL, "there is no port behind the colon: write HOST:PORT" },
    { "tcp://example.com:nonesuch", HF_E_URL, "the port \"nonesuch\" is neither a number nor a service of tcp that is known here: write it in digits, as 443" },
    { "tcp://example.com:4a", HF_E_URL, "the port \"4a\" is not a number: write it in digits, as 443" },
    { "tcp://example.com:-1", HF_E_URL, "the port \"-1\" is not a number: write it in digits, as 443" },
    { "tcp://example.com:+1", HF_E_URL, "the port \"+1\" is not a number: write it in digits, as 443" },
    { "tcp://example.com:0443", HF_E_URL, "the port \"0443\" begins with a zero: write it without" },
    { "tcp://example.com:65536", HF_E_URL, "the port 65536 is too big: the highest is 65535" },
    { "tcp://example.com:18446744073709551617", HF_E_URL, "the port 18446744073709551617 is too big: the highest is 65535" },
    { "tcp://example.com:ntp", HF_E_URL, "the port \"ntp\" is neither a number nor a service of tcp that is known here: write it in digits, as 443" },
    { "unix://", HF_E_URL, "there is no path: write unix:///PATH, or unix://@NAME" },
    { "udg://@", HF_E_URL, "there is no path: write udg:///PATH, or udg://@NAME" },
    /* T04, T15, T16: IPv6 */
    { "tcp://fe80::1:80", HF_E_URL, "\"fe80::1:80\" is ambiguous: an IPv6 address stands in brackets, use [fe80::1]:80" },
    { "fe80::1", HF_E_URL, "there is no port, and an IPv6 address stands in brackets: use [fe80::1]:PORT" },
    { "tcp://::1", HF_E_URL, "there is no port, and an IPv6 address stands in brackets: use [::1]:PORT" },
    { "tcp://1:2:3:4:5:6:7:8:80", HF_E_URL, "an IPv6 address stands in brackets: use [1:2:3:4:5:6:7:8]:80" },
    { "tcp://a.example:80:90", HF_E_URL, "\"a.example:80:90\" has more than one colon and is no IPv6 address: write HOST:PORT" },
    { "tcp://[::1", HF_E_URL, "the bracket of \"[::1\" is not closed: write [ADDRESS]:PORT" },
    { "tcp://[::1]80", HF_E_URL, "behind the bracket comes \":\" and the port, not \"80\"" },
    { "tcp://[::1]:", HF_E_URL, "there is no port behind the colon: write HOST:PORT" },
    { "tcp://[]:1", HF_E_URL, "[] is not an IPv6 address; brackets are only for these" },
    { "tcp://[::g]:1", HF_E_URL, "[::g] is not an IPv6 address; brackets are only for these" },
    { "tcp://[1::2::3]:1", HF_E_URL, "[1::2::3] is not an IPv6 address; brackets are only for these" },
    { "tcp://[v1.a]:1", HF_E_URL, "[v1.a] is not an IPv6 address; brackets are only for these" },
    { "tcp://[a.example]:1", HF_E_URL, "[a.example] is not an IPv6 address; brackets are only for these" },
    { "tcp://[127.0.0.1]:1", HF_E_URL, "brackets are for IPv6: write 127.0.0.1 without them" },
    { "tcp://[fe80::1%eth0]:1", HF_E_URL, "in a URL the % before a zone is written %25: use [fe80::1%25eth0]" },
    { "tcp://[fe80::1%25]:1", HF_E_URL, "the zone behind %25 is empty: name the interface, as [fe80::1%25eth0]" },
    { "tcp://[fe80::1%25%0a]:1", HF_E_URL, "the zone \"25%0a\" is not the name of an interface" },
    { "tcp://[fe80::1%25a%4]:1", HF_E_URL, "the zone \"25a%4\" is not the name of an interface" },
    { "tcp://[fe80::1%25a!b]:1", HF_E_URL, "the zone \"25a!b\" is not the name of an interface" },
    { "tcp://[fe80::1%250123456789abcdef]:1", HF_E_URL, "the zone \"250123456789abcdef\" is too long: an interface's name has at most 15 bytes" },
    { "tcp://[2001:db8::1%25eth0]:1", HF_E_URL, "2001:db8::1 is not a link-local address, so it has no zone: leave %25eth0 away" },
    /* T03: IPv4 */
    { "tcp://127.1:80", HF_E_URL, "\"127.1\" is a short form of an IPv4 address: write all four numbers, as 127.0.0.1" },
    { "tcp://2130706433:80", HF_E_URL, "\"2130706433\" is a short form of an IPv4 address: write all four numbers, as 127.0.0.1" },
    { "tcp://0177.0.0.1:80", HF_E_URL, "\"0177.0.0.1\" has a number with a leading zero, which some programs read as octal: write it in decimal" },
    { "tcp://127.0.0.01:80", HF_E_URL, "\"127.0.0.01\" has a number with a leading zero, which some programs read as octal: write it in decimal" },
    { "tcp://0x7f.0.0.1:80", HF_E_URL, "\"0x7f.0.0.1\" is no IPv4 address: write four decimal numbers, as 127.0.0.1" },
    { "tcp://0x7f000001:80", HF_E_URL, "\"0x7f000001\" is no IPv4 address: write four decimal numbers, as 127.0.0.1" },
    { "tcp://256.0.0.1:80", HF_E_URL, "\"256.0.0.1\" is no IPv4 address: each number is at most 255" },
    { "tcp://1.2.3.99999999999:80", HF_E_URL, "\"1.2.3.99999999999\" is no IPv4 address: each number is at most 255" },
    { "tcp://1.2.3.4.5:80", HF_E_URL, "\"1.2.3.4.5\" is no IPv4 address: it has 5 numbers instead of four" },
    { "tcp://1.2.3.4.:80", HF_E_URL, "\"1.2.3.4.\" is no IPv4 address: write four decimal numbers, as 127.0.0.1" },
    { "tcp://a.b.7:80", HF_E_URL, "\"a.b.7\" is no IPv4 address: write four decimal numbers, as 127.0.0.1" },
    /* names */
    { "tcp://a..b:80", HF_E_URL, "the host name \"a..b\" has an empty label: two dots, or one in front" },
    { "tcp://.a:80", HF_E_URL, "the host name \".a\" has an empty label: two dots, or one in front" },
    { "tcp://.:80", HF_E_URL, "the host name \".\" has an empty label: two dots, or one in front" },
    { "tcp://-a.b:80", HF_E_URL, "a label of the host name \"-a.b\" begins or ends with \"-\"" },
    { "tcp://a-.b:80", HF_E_URL, "a label of the host name \"a-.b\" begins or ends with \"-\"" },
    { "tcp://a%41:80", HF_E_URL, "\"%\" may not stand in the host name \"a%41\"" },
    { "tcp://a,b:80", HF_E_URL, "\",\" may not stand in the host name \"a,b\"" },
    { "tcp://*.example:80", HF_E_URL, "\"*\" may not stand in the host name \"*.example\"" },
    /* other kinds of URL */
    { "tcp://a.example:80/", HF_E_URL, "the URL of a transport ends with the port: leave \"/\" away" },
    { "tcp://a.example:80/x?y", HF_E_URL, "the URL of a transport ends with the port: leave \"/x?y\" away" },
    { "tcp://a.example:80#x", HF_E_URL, "the URL of a transport ends with the port: leave \"#x\" away" },
    { "tcp://me:secret@a.example:80", HF_E_URL, "a user name or password (before \"@\") has no place in the URL of a transport: write only HOST:PORT" },
    { "tcp://a.example:80 ", HF_E_URL, "there is a space or control character (0x20) at byte 18" },
    { "tcp://a.ex\nample:80", HF_E_URL, "there is a space or control character (0x0a) at byte 10" },
    /* T01, T09, T10, T30: schemes */
    { "https://a.example:443", HF_E_SCHEME, "https:// is a protocol, not a transport: use tls://HOST:443 and speak it yourself" },
    { "WSS://a.example:443", HF_E_SCHEME, "wss:// is a protocol, not a transport: use tls://HOST:443 and speak it yourself" },
    { "tcp6://a.example:443", HF_E_SCHEME, "\"tcp6\": the schemes are tcp, tls, ssl, tlsv1.0 to tlsv1.3, udp, unix, udg, and protocols (smtp, smtps, imap ...)" },
    { "tlsv1://a.example:443", HF_E_SCHEME, "\"tlsv1\": the schemes are tcp, tls, ssl, tlsv1.0 to tlsv1.3, udp, unix, udg, and protocols (smtp, smtps, imap ...)" },
    { "sslv2://a.example:443", HF_E_PROHIBITED_PROTOCOL, "sslv2://: SSL 2.0 is prohibited by RFC 6176: use tls://" },
    { "sslv3://a.example:443", HF_E_PROHIBITED_PROTOCOL, "sslv3://: SSL 3.0 is prohibited by RFC 7568: use tls://" },
    { "dtls://a.example:53", HF_E_SCHEME, "dtls:// is known but not part of this version of handfast (available: tcp, tls, ssl, tlsv1.0 to tlsv1.3, udp, unix, udg, and protocols (smtp, smtps, imap ...))" },
    /* clang-format on */
};

static void test_refused(void)
{
    ROW("T03");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct url u;
        hf_error err = parse(refused[i].text, &u);
        int before = check_bad;

        CHECK_STR(hf_code_name(err.code), hf_code_name(refused[i].code));
        CHECK_STR(err.detail, refused[i].detail);
        CHECK_INT(err.fault, HF_FAULT_USAGE);
        if (check_bad != before)
            printf("    in %s\n", refused[i].text);
    }
}

/* A port apart from the URL. */
static const struct {
    const char *text;
    int port;
    const char *host;
    enum url_host kind;
    uint16_t got;
    const char *detail; /* of the refusal */
} apart[] = {
    /* clang-format off */
    { "tcp://example.com",      80,  "example.com", URL_NAME, 80, NULL },
    { "example.com",            80,  "example.com", URL_NAME, 80, NULL },
    { "tcp://example.com:80",   80,  "example.com", URL_NAME, 80, NULL },
    { "tcp://example.com:http", 80,  "example.com", URL_NAME, 80, NULL },
    { "tcp://example.com:81",   80,  NULL, 0, 0, "the URL's port is 81, but 80 was given apart from it: give one, or twice the same" },
    { "tcp://127.0.0.1",        80,  "127.0.0.1",   URL_IPV4, 80, NULL },
    { "fe80::1",                80,  "fe80::1",     URL_IPV6, 80, NULL },
    { "tcp://fe80::1",          80,  "fe80::1",     URL_IPV6, 80, NULL },
    { "tcp://fe80::1%25lo",     80,  "fe80::1",     URL_IPV6, 80, NULL },
    { "tcp://[fe80::1]",        80,  "fe80::1",     URL_IPV6, 80, NULL },
    { "tcp://[fe80::1]:80",     80,  "fe80::1",     URL_IPV6, 80, NULL },
    { "tcp://[fe80::1]:80",     443, NULL, 0, 0, "the URL's port is 80, but 443 was given apart from it: give one, or twice the same" },
    { "tcp://fe80::1:80",       443, "fe80::1:80",  URL_IPV6, 443, NULL },
    { "tcp://fe80::1:80",       80,  NULL, 0, 0, "\"fe80::1:80\" is ambiguous: an IPv6 address stands in brackets, use [fe80::1]:80" },
    { "tcp://b\xc3\xbc""cher.example", 80, "xn--bcher-kva.example", URL_NAME, 80, NULL },
    { "tcp://",                 80,  NULL, 0, 0, "there is no host: write tcp://HOST:PORT" },
    { "tcp://a.example",        -1,  NULL, 0, 0, "the port -1 was given: it is a number from 1 to 65535" },
    { "tcp://a.example",     65536,  NULL, 0, 0, "the port 65536 was given: it is a number from 1 to 65535" },
    { "unix:///tmp/x",          80,  NULL, 0, 0, "unix:// has no port: leave the 80 away that was given apart" },
    { "unix:///tmp/x",          0,   "/tmp/x",      URL_PATH, 0, NULL },
    /* clang-format on */
};

static void test_port_apart(void)
{
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        hf_error err = {0};
        struct url u;
        int before = check_bad;
        bool done = url_parse_port(apart[i].text, apart[i].port, &u, &err);

        CHECK(done == !apart[i].detail);
        if (apart[i].detail) {
            CHECK_STR(err.detail, apart[i].detail);
            CHECK_STR(hf_code_name(err.code), "URL");
        } else if (done) {
            CHECK_STR(u.host, apart[i].host);
            CHECK_INT(u.kind, apart[i].kind);
            CHECK_INT(u.port, apart[i].got);
        } else {
            printf("    %s\n", err.detail);
        }
        if (check_bad != before)
            printf("    in %s with %d\n", apart[i].text, apart[i].port);
    }
}

static void test_bare_ipv6(void)
{
    struct url u, v;

    ROW("T04");
    CHECK(url_parse_port("tcp://fe80::1", 80, &u, NULL));
    CHECK(url_parse("tcp://[fe80::1]:80", &v, NULL));
    CHECK_INT(u.port, 80);
    CHECK_MEM(&u.addr.v6, &v.addr.v6, sizeof u.addr.v6);
    CHECK(!url_parse("tcp://fe80::1", &u, NULL));
}

static void test_why_brackets(void)
{
    struct url u;

    ROW("T16");
    CHECK_STR(
        parse("tcp://fe80::1:80", &u).detail,
        "\"fe80::1:80\" is ambiguous: an IPv6 address stands in brackets, use [fe80::1]:80");
}

/* What is wrong is found by its byte, too. */
static void test_positions(void)
{
    static const struct {
        const char *text;
        size_t at;
    } faults[] = {
        {"tcp://me:secret@a.example:80", 15},
        {"tcp://a.example:80/x", 18},
        {"tcp://a.example:80?x", 18},
        {"tcp://a.example:80#x", 18},
        {"tcp://a,b:80", 7},
        {"tcp://a.example:80 ", 18},
        {"tcp://[::1]80", 11},
        {"tcp://a.example:99999", 16},
        {"a.example:x!", 10},
        {"tcp://[fe80::1%25]:1", 15},
        {"tcp://a.example:80:90", 18},
        {"tcp://a.example", 15},
    };

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char line[400], want[40];
        struct url u;
        hf_error err = parse(faults[i].text, &u);

        CHECK_STR(err.path, "URL");
        CHECK_INT(err.offset, faults[i].at);
        hf_error_line(&err, line, sizeof line);
        snprintf(want, sizeof want, "URL at byte %zu", faults[i].at);
        CHECK(strstr(line, want) != NULL);
    }
}

static void test_international(void)
{
    struct url u;
    hf_error err;

    err = parse("tls://B\xc3\x9c"
                "CHER.example:443",
                &u);
    if (strstr(err.detail, "libidn2 is not here"))
        SKIP("no libidn2.so.0 here: install it");
    CHECK_INT(err.code, HF_OK);
    CHECK_STR(u.host, "xn--bcher-kva.example");
    CHECK_INT(u.port, 443);
    /* not transitional: these two are different names (RFC 5894 7.2) */
    CHECK_INT(parse("tls://fa\xc3\x9f.example:443", &u).code, HF_OK);
    CHECK_STR(u.host, "xn--fa-hia.example");
    /* no UTF-8; letters where a port belongs; a dot that only looks like one */
    CHECK_INT(parse("tls://\xff\xfe.example:443", &u).code, HF_E_URL);
    CHECK_INT(parse("tls://a.example:\xd9\xa4", &u).code, HF_E_URL);
    CHECK_INT(parse("tls://127.0.0\xef\xbc\x8e"
                    "1:443",
                    &u)
                  .code,
              HF_OK);
    CHECK_INT(u.kind, URL_IPV4);
    err = parse("tls://a.\xe2\x80\xae.example:443", &u);
    CHECK_INT(err.code, HF_E_URL);
    CHECK_INT(err.offset, 8);
}

static void test_paths(void)
{
    char text[128];
    struct url u;

    memcpy(text, "unix://", 7);
    memset(text + 7, 'p', 108);
    text[7 + 107] = 0;
    CHECK_INT(parse(text, &u).code, HF_OK);
    text[7 + 107] = 'p';
    text[7 + 108] = 0;
    CHECK_STR(parse(text, &u).detail,
              "the path is too long for a socket: 108 bytes, and at most 107 are allowed");
    text[7] = '@';
    CHECK_INT(parse(text, &u).code, HF_OK);
}

/* What hf_send_to takes: no scheme, no name, and zones as the system writes them. */
static void test_address(void)
{
    const struct scheme *udp = scheme_find("udp", 3);
    hf_error err = {0};
    struct url u;

    CHECK(url_parse_address("192.0.2.1:53", udp, &u, &err));
    CHECK_INT(u.port, 53);
    CHECK(url_parse_address("[fe80::1%lo]:53", udp, &u, &err));
    CHECK_STR(u.zone, "lo");
    CHECK(url_parse_address("[fe80::1%a%41]:53", udp, &u, &err));
    CHECK_STR(u.zone, "a%41");
    CHECK(!url_parse_address("a.example:53", udp, &u, &err));
    CHECK_STR(err.detail,
              "\"a.example\" is no address: names are not looked up here, write the number");
    CHECK(!url_parse_address("192.0.2.1", udp, &u, &err));
    CHECK_STR(err.detail, "there is no port: write 192.0.2.1:PORT");
    CHECK(!url_parse_address("", udp, &u, &err));
    CHECK(url_parse_address("@x", scheme_find("udg", 3), &u, &err));
    CHECK_INT(u.kind, URL_ABSTRACT);
}

static void test_prohibited_cites_rfc(void)
{
    struct url u;

    CHECK_STR(parse("sslv2://a.example:443", &u).rfc, "RFC 6176");
    CHECK_STR(parse("sslv3://a.example:443", &u).rfc, "RFC 7568");
}

static void test_lengths(void)
{
    char text[400];
    struct url u;

    /* four labels: 3 * 64 + 61 = 253 bytes, the longest name there is */
    memset(text, 'a', sizeof text);
    text[63] = text[127] = text[191] = '.';
    memcpy(text + 253, ":1", 3);
    CHECK_INT(parse(text, &u).code, HF_OK);
    CHECK_INT(strlen(u.host), 253);
    memcpy(text + 253, ".:1", 4);
    CHECK_INT(parse(text, &u).code, HF_OK);
    memcpy(text + 253, "a:1", 4);
    CHECK_STR(parse(text, &u).detail,
              "the host name is too long: 254 bytes, and at most 253 are allowed");
    memset(text, 'a', 64);
    memcpy(text + 64, ":1", 3);
    CHECK(strstr(parse(text, &u).detail, "has more than 63 bytes"));
    /* text beyond all measure is cut in the message, which says so nowhere but stays whole */
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = 0;
    CHECK_INT(parse(text, &u).code, HF_E_URL);
}

static void test_addresses(void)
{
    struct url u;
    char shown[INET6_ADDRSTRLEN];

    CHECK_INT(parse("192.168.7.254:1", &u).code, HF_OK);
    CHECK_STR(inet_ntop(AF_INET, &u.addr.v4, shown, sizeof shown), "192.168.7.254");
    CHECK_INT(parse("[2001:db8:0:0::1]:1", &u).code, HF_OK);
    CHECK_STR(inet_ntop(AF_INET6, &u.addr.v6, shown, sizeof shown), "2001:db8::1");
}

/* What is written can be read back. */
static void test_format(void)
{
    static const char *const same[] = {"tcp://example.com:80",  "tls://[fe80::1%25eth0]:443",
                                       "tlsv1.3://127.0.0.1:1", "ssl://[::1]:65535",
                                       "unix:///run/a b",       "udg://@x",
                                       "udp://127.0.0.1:53",    "tcp://*:0"};
    char text[64];
    struct url u;

    ROW("T14 T15");

    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        CHECK_INT(parse(same[i], &u).code, HF_OK);
        CHECK_INT(url_format(&u, text, sizeof text), strlen(same[i]));
        CHECK_STR(text, same[i]);
    }
    CHECK_INT(url_format(&u, text, 4), 9);
    CHECK_STR(text, "tcp");
}

/* Every prefix of a URL, and every URL with one byte changed, is answered without a fault. */
static void test_hostile(void)
{
    static const char *const seeds[] = {"tls://[fe80::1%25eth0]:443",     "tcp://127.0.0.1:80",
                                        "tls://xn--a.example:443",        "fe80::1:80",
                                        "udp://b\xc3\xbc.example:domain", "unix://@name"};

    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        char text[64];
        size_t len = strlen(seeds[i]);
        struct url u;

        for (size_t cut = 0; cut < len; cut++) {
            memcpy(text, seeds[i], cut);
            text[cut] = 0;
            parse(text, &u);
        }
        for (size_t at = 0; at < len; at++) {
            for (int c = 1; c < 256; c++) {
                memcpy(text, seeds[i], len + 1);
                text[at] = (char)c;
                parse(text, &u);
            }
        }
    }
}

static void test_name_to_ascii(void)
{
    ROW("Y102");
    static const char *const bad[] = {"",    "*",   "10.0.0.1", "[::1]", "::1",  "a b", "a/b",
                                      "a:1", "u@a", "a..b",     "-a",    "a%20", NULL};
    char out[256], small[8];
    hf_error err = {0};
    CHECK(hf_name_to_ascii("WWW.Example.com", out, sizeof out, &err));
    CHECK_STR(out, "www.example.com");
    for (size_t i = 0; bad[i]; i++) {
        CHECK(!hf_name_to_ascii(bad[i], out, sizeof out, &err));
        CHECK_INT(err.code, HF_E_URL);
    }
    CHECK(!hf_name_to_ascii(NULL, out, sizeof out, &err) && err.code == HF_E_URL);
    CHECK(!hf_name_to_ascii("example.com", small, sizeof small, &err) &&
          err.code == HF_E_USAGE);
    static char longer[1300];
    memset(longer, 'a', sizeof longer - 1);
    CHECK(!hf_name_to_ascii(longer, out, sizeof out, &err) && err.code == HF_E_URL);
    if (!hf_name_to_ascii("pyth\xc3\xb6n.org", out, sizeof out, &err))
        SKIP("no libidn2.so.0 here: install it");
    CHECK_STR(out, "xn--pythn-mua.org");
    CHECK(hf_name_to_ascii(out, out, sizeof out, &err));
    CHECK_STR(out, "xn--pythn-mua.org");
    CHECK(!hf_name_to_ascii("pyth\xc3.org", out, sizeof out, &err) && err.code == HF_E_URL);
}

int main(void)
{
    RUN(test_name_to_ascii);
    RUN(test_good);
    RUN(test_refused);
    RUN(test_port_apart);
    RUN(test_bare_ipv6);
    RUN(test_why_brackets);
    RUN(test_positions);
    RUN(test_international);
    RUN(test_paths);
    RUN(test_address);
    RUN(test_prohibited_cites_rfc);
    RUN(test_lengths);
    RUN(test_addresses);
    RUN(test_format);
    RUN(test_hostile);
    return check_done();
}

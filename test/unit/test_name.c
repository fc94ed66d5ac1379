#include "x509/name.h"

#include "check.h"
#include "pki.h"
#include "x509/x509.h"

/* One row: the names of a certificate (one of them, as bytes), the name asked for, the answer. */
struct row {
    enum name_kind kind;
    const char *bytes;
    size_t len;
    const char *wanted;
    bool match;
};

#define DNS(text) NAME_DNS, text, sizeof(text) - 1
#define IP(text)  NAME_IP, text, sizeof(text) - 1
#define LABEL63   "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

/* clang-format off */
static const struct row rows[] = {
    /* plain names (RFC 9525 6.3) */
    {DNS("example.com"),            "example.com",            true},
    {DNS("example.com"),            "EXAMPLE.com",            true},
    {DNS("Example.COM"),            "example.com",            true},
    {DNS("example.com"),            "example.com.",           true},
    {DNS("example.com"),            "example.com..",          false},
    {DNS("example.com."),           "example.com",            false},
    {DNS("example.com"),            "www.example.com",        false},
    {DNS("www.example.com"),        "example.com",            false},
    {DNS("example.com"),            "xexample.com",           false},
    {DNS("example.com"),            "example.co",             false},
    {DNS("localhost"),              "localhost",              true},
    {DNS("a_b.example.com"),        "a_b.example.com",        true},
    {DNS("example.com"),            "",                       false},
    {DNS("example.com"),            ".",                      false},
    {DNS("example.com"),            ".example.com",           false},
    {DNS(".example.com"),           "example.com",            false},
    {DNS(".example.com"),           "www.example.com",        false},
    {DNS("exa mple.com"),           "exa mple.com",           false},
    {DNS(LABEL63 ".com"),           LABEL63 ".com",           true},
    {DNS(LABEL63 "4.com"),          LABEL63 "4.com",          false},
    /* bytes that other programs read differently */
    {DNS("example.com\0.evil.com"), "example.com",            false},
    {DNS("example.com\0"),          "example.com",            false},
    {DNS("\0"),                     "",                       false},
    {DNS("example.com,b.com"),      "example.com",            false},
    {DNS("ex\303\244mple.com"),     "ex\303\244mple.com",     false},
    /* wildcards: alone in the leftmost label, for exactly one label */
    {DNS("*.example.com"),          "www.example.com",        true},
    {DNS("*.example.com"),          "WWW.EXAMPLE.COM.",       true},
    {DNS("*.example.com"),          "example.com",            false},
    {DNS("*.example.com"),          "a.b.example.com",        false},
    {DNS("*.example.com"),          ".example.com",           false},
    {DNS("*.example.com"),          "*.example.com",          false},
    {DNS("*.com"),                  "example.com",            false},
    {DNS("*"),                      "example",                false},
    {DNS("*."),                     "example.",               false},
    {DNS("*.*.com"),                "a.b.com",                false},
    {DNS("*.*.example.com"),        "a.b.example.com",        false},
    {DNS("*a*.example.org"),        "xax.example.org",        false},
    {DNS("f*.example.com"),         "foo.example.com",        false},
    {DNS("*f.example.com"),         "of.example.com",         false},
    {DNS("f*o.example.com"),        "foo.example.com",        false},
    {DNS("www.*.com"),              "www.example.com",        false},
    {DNS("www.example.*"),          "www.example.com",        false},
    {DNS("*.co.uk"),                "example.co.uk",          true},
    {DNS("*.example.com."),         "www.example.com",        false},
    {DNS("*..com"),                 "www.com",                false},
    /* A-labels are labels; no wildcard within one */
    {DNS("xn--pthon-kva.org"),      "xn--pthon-kva.org",      true},
    {DNS("XN--PTHON-KVA.org"),      "xn--pthon-kva.org",      true},
    {DNS("*.xn--pthon-kva.org"),    "www.xn--pthon-kva.org",  true},
    {DNS("*.example.com"),          "xn--bcher-kva.example.com", true},
    {DNS("www*.xn--pthon-kva.org"), "www1.xn--pthon-kva.org", false},
    {DNS("xn--*.python.org"),       "xn--tda.python.org",     false},
    /* addresses: only against iPAddress, by value */
    {IP("\x0a\0\0\1"),              "10.0.0.1",               true},
    {IP("\x0a\0\0\1"),              "10.0.0.2",               false},
    {IP("\x0a\0\0\1"),              "10.0.0.1.",              false},
    {IP("\x0a\0\0\1"),              "10.1",                   false},
    {IP("\x0a\0\0\1"),              "010.0.0.1",              false},
    {IP("\x0a\0\0\1"),              "0x0a000001",             false},
    {IP("\x7f\0\0\1"),              "127.1",                  false},
    {DNS("10.0.0.1"),               "10.0.0.1",               false},
    {DNS("127.1"),                  "127.1",                  false},
    {DNS("*.0.0.1"),                "10.0.0.1",               false},
    {IP("10.0.0.1"),                "10.0.0.1",               false},
    {IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "::1",           true},
    {IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "0:0:0:0:0:0:0:1", true},
    {IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "::2",           false},
    {IP("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "fe80::1%eth0", true},
    {IP("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "FE80:0::1", true},
    {IP("\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1"), "10.0.0.1", false},
    {IP("\x0a\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0"), "10.0.0.1",    false},
};
/* clang-format on */

#define LONG_TEST_NAME 300

/* Packs one name as names_read would. */
static struct names pack(uint8_t *room, enum name_kind kind, const char *bytes, size_t len)
{
    room[0] = (uint8_t)kind;
    put_u16(room + 1, (uint16_t)len);
    memcpy(room + 3, bytes, len);
    return (struct names){room, 3 + len, 1};
}

static void test_table(void)
{
    ROW("Y144");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t room[LONG_TEST_NAME];
        struct names names = pack(room, rows[i].kind, rows[i].bytes, rows[i].len);
        bool match = names_match(&names, rows[i].wanted);
        if (match != rows[i].match)
            printf("    row %zu: '%s' for '%s'\n", i, rows[i].bytes, rows[i].wanted);
        CHECK(match == rows[i].match);
    }
}

static void test_long_names(void)
{
    uint8_t room[LONG_TEST_NAME];
    char name[LONG_TEST_NAME];
    /* 253 bytes are a name, 254 are not (RFC 1035 2.3.4). */
    for (size_t len = 253; len <= 254; len++) {
        for (size_t i = 0; i < len; i++)
            name[i] = i % 50 == 49 ? '.' : 'a';
        name[len] = 0;
        struct names names = pack(room, NAME_DNS, name, len);
        CHECK(names_match(&names, name) == (len == 253));
    }
}

static void test_is_ip(void)
{
    CHECK(name_is_ip("10.0.0.1"));
    CHECK(name_is_ip("::"));
    CHECK(name_is_ip("fe80::1%eth0"));
    CHECK(name_is_ip("::ffff:10.0.0.1"));
    CHECK(!name_is_ip("10.0.0"));
    CHECK(!name_is_ip("10.0.0.1%eth0"));
    CHECK(!name_is_ip("10.0.0.256"));
    CHECK(!name_is_ip("example.com"));
    CHECK(!name_is_ip("[::1]"));
    CHECK(!name_is_ip(""));
    CHECK(!name_is_ip("1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"));
}

static void test_several(void)
{
    struct pki_cert *made = pki_make(
        &(struct pki_spec){.subject = "cn.example",
                           .names = "email:a@b.example,DNS:a.example,URI:https://u.example/,"
                                    "DNS:*.b.example,IP:192.0.2.1,IP:2001:db8::1"},
        NULL);
    hf_certificate *cert = hf_certificate_parse(made->der, made->der_len, NULL);
    CHECK(cert != NULL);
    CHECK(cert_matches_name(cert, "a.example"));
    CHECK(cert_matches_name(cert, "x.b.example"));
    CHECK(cert_matches_name(cert, "192.0.2.1"));
    CHECK(cert_matches_name(cert, "2001:DB8:0::1"));
    CHECK(!cert_matches_name(cert, "b.example"));
    CHECK(!cert_matches_name(cert, "u.example"));
    /* RFC 9525 6.1.1: the common name is not looked at, with or without subjectAltName. */
    CHECK(!cert_matches_name(cert, "cn.example"));
    hf_certificate_free(cert);
    pki_free(made);
    made = pki_make(&(struct pki_spec){.subject = "cn.example"}, NULL);
    cert = hf_certificate_parse(made->der, made->der_len, NULL);
    CHECK(!cert_matches_name(cert, "cn.example"));
    hf_certificate_free(cert);
    pki_free(made);
}

static void test_words(void)
{
    uint8_t room[LONG_TEST_NAME];
    char text[200], nearest[100];
    struct names odd = pack(room, NAME_DNS, "a\0b,c\x1b.example", 14);
    CHECK(names_text(&odd, text, sizeof text));
    CHECK_STR(text, "DNS:a\\00b\\2Cc\\1B.example");
    struct names none = {NULL, 0, 0};
    CHECK(names_text(&none, text, sizeof text));
    CHECK_STR(text, "");
    names_nearest(&none, "a.example", nearest, sizeof nearest);
    CHECK_STR(nearest, "");
    uint8_t many[1000];
    struct names names = {many, 0, 0};
    for (int i = 0; i < 40; i++) {
        char one[40];
        snprintf(one, sizeof one, "host%02d.example", i);
        names.len += pack(many + names.len, NAME_DNS, one, strlen(one)).len;
        names.count++;
    }
    CHECK(!names_text(&names, text, 60));
    CHECK_STR(text, "DNS:host00.example, DNS:host01.example, and 38 more");
    names_nearest(&names, "hots17.example", nearest, sizeof nearest);
    CHECK_STR(nearest, "host17.example");
}

int main(void)
{
    RUN(test_table);
    RUN(test_long_names);
    RUN(test_is_ip);
    RUN(test_several);
    RUN(test_words);
    return check_done();
}

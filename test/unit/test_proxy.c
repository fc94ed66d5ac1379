/* test_proxy.c: the parts of `handfast proxy` that need no network: its URLs, the PROXY header, what its processes count. */
#include <arpa/inet.h>

#include "check.h"
#include "cli/proxy_board.h"
#include "cli/proxy_header.h"
#include "cli/proxy_log.h"
#include "cli/proxy_place.h"

/* ---------------------------------------------------------------- URLs */

static void check_place(const char *url, const char *host, const char *port, bool tls,
                        bool local)
{
    struct place p;
    hf_error err = {0};
    CHECK(place_parse(&p, url, &err));
    CHECK_STR(p.host, host);
    CHECK_STR(p.port, port);
    CHECK(p.tls == tls && p.local == local);
}

static void check_refused(const char *url, hf_code code, const char *word)
{
    struct place p;
    hf_error err = {0};
    CHECK(!place_parse(&p, url, &err));
    CHECK_INT(err.code, code);
    CHECK(strstr(err.detail, word) != NULL);
}

static void test_urls(void)
{
    check_place("tls://:8443", "", "8443", true, false);
    check_place("tls://*:8443", "", "8443", true, false);
    check_place("TLS://a.example:https", "a.example", "https", true, false);
    check_place("127.0.0.1:80", "127.0.0.1", "80", false, false);
    check_place("tcp://[::1]:80", "::1", "80", false, false);
    check_place("ssl://[fe80::1%25eth0]:443", "fe80::1%eth0", "443", true, false);
    check_place("unix:///run/a b", "/run/a b", "", false, true);
    check_refused("tcp://h", HF_E_URL, "port");
    check_refused("tcp://h:", HF_E_URL, "port");
    check_refused("tcp://fe80::1:80", HF_E_URL, "brackets");
    check_refused("tcp://[fe80::1:80", HF_E_URL, "brackets");
    check_refused("tcp://[::1]x:80", HF_E_URL, "brackets");
    check_refused("tcp://h:80/path", HF_E_URL, "nothing more");
    check_refused("tcp://u@h:80", HF_E_URL, "nothing more");
    check_refused("unix://", HF_E_URL, "path");
    check_refused("sslv2://h:1", HF_E_PROHIBITED_PROTOCOL, "RFC 6176");
    check_refused("sslv3://h:1", HF_E_PROHIBITED_PROTOCOL, "RFC 7568");
    check_refused("https://h", HF_E_SCHEME, "tls://HOST:443");
    check_refused("gopher://h:70", HF_E_SCHEME, "tcp, tls");
}

static void test_pinned_versions(void)
{
    struct place p;
    hf_error err = {0};
    CHECK(place_parse(&p, "tlsv1.2://h:1", &err) && p.version == HF_TLS1_2 && p.tls);
    CHECK(place_parse(&p, "tlsv1.3://h:1", &err) && p.version == HF_TLS1_3);
    CHECK(place_parse(&p, "tls://h:1", &err) && p.version == 0);
}

/* What is listened on has a URL that one can connect to. */
static void test_addresses(void)
{
    struct place p;
    hf_error err = {0};
    char url[100];
    CHECK(place_parse(&p, "tcp://:80", &err) && !place_resolve(&p, false, &err));
    CHECK_INT(err.code, HF_E_URL);
    CHECK(place_resolve(&p, true, &err) && p.count >= 1);
    place_url(&p, url, sizeof url);
    CHECK_STR(url, "tcp://127.0.0.1:80");
    CHECK(place_parse(&p, "tls://[::1]:443", &err) && place_resolve(&p, false, &err));
    place_url(&p, url, sizeof url);
    CHECK_STR(url, "tls://[::1]:443");
    CHECK(place_parse(&p, "unix:///run/x", &err) && place_resolve(&p, true, &err));
    place_url(&p, url, sizeof url);
    CHECK_STR(url, "unix:///run/x");
    CHECK(place_parse(&p, "tcp://no.such.invalid:1", &err) && !place_resolve(&p, false, &err));
    CHECK_INT(err.code, HF_E_RESOLVE);
}

/* ---------------------------------------------------------------- the PROXY header */

static union place_address address(const char *text, uint16_t port)
{
    union place_address a = {0};
    a.v4.sin_family = AF_INET;
    a.v4.sin_port = htons(port);
    if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1)
        return a;
    a.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    CHECK(inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1);
    return a;
}

static void check_line(union place_address a, union place_address b, const char *want)
{
    uint8_t out[HEADER_MAX + 1];
    size_t n = header_write(out, 1, &a.any, &b.any, NULL);
    out[n] = '\0';
    CHECK_STR((char *)out, want);
}

static void test_header_line(void)
{
    union place_address local = {.any.sa_family = AF_UNIX};
    check_line(address("192.0.2.1", 1234), address("198.51.100.7", 443),
               "PROXY TCP4 192.0.2.1 198.51.100.7 1234 443\r\n");
    check_line(address("2001:db8::1", 1234), address("::1", 443),
               "PROXY TCP6 2001:db8::1 ::1 1234 443\r\n");
    check_line(address("::ffff:192.0.2.1", 1), address("::ffff:127.0.0.1", 2),
               "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n");
    check_line(local, local, "PROXY UNKNOWN\r\n");
    check_line(address("192.0.2.1", 1), address("::1", 2), "PROXY UNKNOWN\r\n");
}

static void test_header_binary(void)
{
    static const uint8_t four[] =
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\0\1\0\2";
    static const uint8_t none[] = "\r\n\r\n\0\r\nQUIT\n\x21\0\0\0";
    uint8_t out[HEADER_MAX];
    union place_address a = address("192.0.2.1", 1), b = address("127.0.0.1", 2);
    union place_address local = {.any.sa_family = AF_UNIX};
    CHECK_INT(header_write(out, 2, &a.any, &b.any, NULL), sizeof four - 1);
    CHECK_MEM(out, four, sizeof four - 1);
    CHECK_INT(header_write(out, 2, &local.any, &local.any, NULL), sizeof none - 1);
    CHECK_MEM(out, none, sizeof none - 1);
    a = address("2001:db8::1", 1);
    b = address("::1", 2);
    CHECK_INT(header_write(out, 2, &a.any, &b.any, NULL), 16 + 36);
    CHECK_INT(out[13], 0x21);
}

/* ---------------------------------------------------------------- counts */

static void test_board(void)
{
    struct board *b = board_new();
    struct board_counts sum;
    CHECK(b != NULL);
    int one = board_take(b), two = board_take(b);
    CHECK(one >= 0 && two >= 0 && one != two);
    board_add(&b->slots[one].counts.accepted, 5);
    board_add(&b->slots[one].counts.closed, 2);
    board_add(&b->slots[two].counts.accepted, 1);
    board_sum(b, &sum);
    CHECK_INT(sum.accepted, 6);
    CHECK_INT(sum.closed, 2);
    board_give(b, one); /* it was killed: what it had is closed, and still counted */
    board_sum(b, &sum);
    CHECK_INT(sum.accepted, 6);
    CHECK_INT(sum.closed, 5);
    for (int i = 0; i < BOARD_SLOTS - 1; i++)
        CHECK(board_take(b) >= 0);
    CHECK_INT(board_take(b), -1);
}

static void test_backend_is_told_once(void)
{
    struct board *b = board_new();
    double seconds = -1;
    CHECK_INT(board_up(b, &seconds), 0);
    CHECK(board_down(b));
    CHECK(!board_down(b));
    CHECK(!board_down(b));
    CHECK_INT(board_up(b, &seconds), 3);
    CHECK(seconds >= 0 && seconds < 10);
    CHECK_INT(board_up(b, &seconds), 0);
    CHECK(board_down(b));
}

int main(void)
{
    RUN(test_urls);
    RUN(test_pinned_versions);
    RUN(test_addresses);
    RUN(test_header_line);
    RUN(test_header_binary);
    RUN(test_board);
    RUN(test_backend_is_told_once);
    return check_done();
}

/* Datagrams, of UDP and of AF_UNIX: connected and not, with their addresses as text. */
#include "netpeer.h"

#include <sys/stat.h>

static hf_stream *bind_ok(const char *url, const hf_net_options *options)
{
    hf_error err = {0};
    hf_stream *s = hf_bind(url, options, &err);

    if (!s)
        printf("    bind %s: %s: %s\n", url, hf_code_name(err.code), err.detail);
    CHECK(s != NULL);
    return s;
}

static void local_url(const hf_stream *s, const char *scheme, char out[160])
{
    char name[ADDRESS_TEXT_MAX];

    hf_stream_name(s, false, name, sizeof name);
    snprintf(out, 160, "%s://%s", scheme, name);
}

/* Nobody is there: opening succeeds all the same, and the first answer says so. */
static void test_dead_peer(void)
{
    hf_error err = {0};
    char url[64], buf[8];
    hf_stream *s;

    ROW("T06");
    snprintf(url, sizeof url, "udp://127.0.0.1:%u", dead_datagram_port());
    s = open_ok(url, NULL);
    CHECK_INT(hf_write(s, "x", 1, &err), 1);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "SYSTEM");
    CHECK_INT(err.os_errno, ECONNREFUSED);
    CHECK(strstr(err.hint, "nobody listens") != NULL);
    /* that was about one datagram; the stream is not broken by it */
    hf_stream_set_timeout(s, 0.02);
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK(!hf_eof(s));
    CHECK(hf_close(s, &err));
}

/* A server for many, and two clients with a connection of their own. */
static void talk(const char *url, const char *scheme)
{
    hf_stream *server = bind_ok(url, NULL), *a, *b;
    char at[160], from_a[ADDRESS_TEXT_MAX], from_b[ADDRESS_TEXT_MAX], name[ADDRESS_TEXT_MAX],
        buf[64];
    hf_error err = {0};

    local_url(server, scheme, at);
    a = open_ok(at, NULL);
    b = open_ok(at, NULL);
    CHECK_INT(hf_write(a, "from a", 6, &err), 6);
    CHECK_INT(hf_write(b, "from b", 6, &err), 6);
    CHECK_INT(hf_receive_from(server, buf, sizeof buf, 0, from_a, sizeof from_a, &err), 6);
    CHECK_MEM(buf, "from a", 6);
    CHECK_INT(
        hf_receive_from(server, buf, sizeof buf, HF_MSG_PEEK, from_b, sizeof from_b, &err), 6);
    CHECK_MEM(buf, "from b", 6);
    CHECK_INT(hf_receive_from(server, buf, sizeof buf, 0, from_b, sizeof from_b, &err), 6);
    hf_stream_name(a, false, name, sizeof name);
    CHECK_STR(from_a, name);
    hf_stream_name(b, false, name, sizeof name);
    CHECK_STR(from_b, name);
    CHECK(strcmp(from_a, from_b) != 0);
    CHECK_INT(hf_send_to(server, "to b", 4, 0, from_b, &err), 4);
    CHECK_INT(hf_send_to(server, "to a", 4, 0, from_a, &err), 4);
    CHECK_INT(hf_read(a, buf, sizeof buf, &err), 4);
    CHECK_MEM(buf, "to a", 4);
    CHECK_INT(hf_read(b, buf, sizeof buf, &err), 4);
    CHECK_MEM(buf, "to b", 4);
    /* the peer's name, of a stream that has one */
    hf_stream_name(a, true, name, sizeof name);
    CHECK_STR(name, strstr(at, "://") + 3);
    CHECK_INT(hf_stream_name(server, true, name, sizeof name), 0);
    hf_close(a, NULL);
    hf_close(b, NULL);
    hf_close(server, NULL);
}

static void test_udp(void)
{
    talk("udp://127.0.0.1:0", "udp");
    talk("udp://[::1]:0", "udp");
}

static void test_udg(void)
{
    struct stat st;

    talk("udg://test_datagram.sock", "udg");
    CHECK(lstat("test_datagram.sock", &st) != 0); /* it goes with its stream */
    talk(own("udg://@handfast-test-datagram"), "udg");
}

/* One socket for both families answers an IPv4 client by its IPv4 address. */
static void test_both_families(void)
{
    hf_stream *server = bind_ok("udp://*:0", NULL), *client;
    char name[ADDRESS_TEXT_MAX], from[ADDRESS_TEXT_MAX], url[160], buf[8];
    hf_error err = {0};

    hf_stream_name(server, false, name, sizeof name);
    snprintf(url, sizeof url, "udp://127.0.0.1%s", strrchr(name, ':'));
    client = open_ok(url, NULL);
    CHECK_INT(hf_write(client, "x", 1, &err), 1);
    CHECK_INT(hf_receive_from(server, buf, sizeof buf, 0, from, sizeof from, &err), 1);
    CHECK(strncmp(from, "127.0.0.1:", 10) == 0);
    CHECK_INT(hf_send_to(server, "y", 1, 0, from, &err), 1);
    CHECK_INT(hf_read(client, buf, sizeof buf, &err), 1);
    hf_close(client, NULL);
    hf_close(server, NULL);
}

/* Each datagram by itself: empty ones, ones that do not fit, ones that are too big, and lines. */
static void test_borders(void)
{
    static char big[70000];
    hf_net_options options = {.non_blocking = true};
    hf_stream *server = bind_ok("udp://127.0.0.1:0", &options), *s;
    hf_error err = {0};
    char url[160], buf[8];

    local_url(server, "udp", url);
    s = open_ok(url, NULL);
    CHECK_INT(hf_read(server, buf, sizeof buf, &err), HF_AGAIN);
    CHECK_INT(hf_write(s, "abcdefghij", 10, &err), 10);
    CHECK_INT(hf_write(s, "", 0, &err), 0);
    CHECK_INT(hf_write(s, "klm", 3, &err), 3);
    CHECK_INT(hf_peek(server, buf, 2, &err), 2);
    CHECK_INT(hf_read(server, buf, 4, &err), 4); /* the rest of it is lost */
    CHECK_MEM(buf, "abcd", 4);
    CHECK_INT(hf_read(server, buf, 4, &err), 0); /* and this is no end */
    CHECK(!hf_eof(server));
    CHECK_INT(hf_read(server, buf, 4, &err), 3);
    CHECK_MEM(buf, "klm", 3);
    CHECK_INT(hf_write(s, big, sizeof big, &err), -1);
    CHECK_INT(err.os_errno, EMSGSIZE);
    CHECK_INT(hf_write(s, big, 65000, &err), 65000);
    CHECK_INT(hf_read(server, big, sizeof big, &err), 65000);

    CHECK_INT(hf_write(s, "a\nb", 3, &err), 3);
    CHECK_INT(hf_write(s, "c\n", 2, &err), 2);
    CHECK_INT(hf_read_line(server, big, sizeof big, &err), 2);
    CHECK_INT(hf_read_line(server, big, sizeof big, &err), 3);
    CHECK_STR(big, "bc\n");
    CHECK_INT(iobuf_test_held(), 0);
    hf_close(s, NULL);
    hf_close(server, NULL);
}

/* Datagrams are bound, not listened on; streams of bytes the other way round. */
static void test_bind_or_listen(void)
{
    hf_error err = {0};
    hf_stream *s;
    int listening = -1;

    ROW("T34");
    CHECK(hf_listen("udp://127.0.0.1:0", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(strstr(err.hint, "hf_bind") != NULL);
    CHECK(hf_listen(own("udg://@handfast-test-listen"), NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(hf_bind("tcp://127.0.0.1:0", NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(hf_bind("tls://127.0.0.1:0", NULL, &err) == NULL);
    s = bind_ok("udp://127.0.0.1:0", NULL);
    CHECK(hf_stream_get_option(s, SOL_SOCKET, SO_ACCEPTCONN, &listening, &err));
    CHECK_INT(listening, 0);
    hf_close(s, NULL);
    hf_listener *l = hf_listen("tcp://127.0.0.1:0", NULL, NULL, &err);
    socklen_t len = sizeof listening;
    CHECK(getsockopt(hf_listener_fd(l), SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0);
    CHECK_INT(listening, 1);
    hf_listener_close(l);
}

static void test_usage(void)
{
    hf_stream *s = bind_ok("udp://127.0.0.1:0", NULL);
    hf_error err = {0};
    char buf[8];

    CHECK_INT(hf_write(s, "x", 1, &err), -1); /* to whom? */
    CHECK(strstr(err.hint, "hf_send_to") != NULL);
    CHECK_INT(hf_send_to(s, "x", 1, 0, "a.example:53", &err), -1);
    CHECK_STR(hf_code_name(err.code), "URL");
    CHECK_INT(hf_send_to(s, "x", 1, HF_MSG_OOB, "127.0.0.1:1", &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK_INT(hf_send_to(s, "x", 1, HF_MSG_PEEK, "127.0.0.1:1", &err), -1);
    CHECK_INT(hf_receive_from(s, buf, sizeof buf, HF_MSG_OOB, NULL, 0, &err), -1);
    CHECK_INT(hf_receive_from(s, buf, sizeof buf, 0x40, NULL, 0, &err), -1);
    CHECK_STR(err.detail, "hf_receive_from: 0x40 is not among its flags");
    hf_stream_set_timeout(s, 0.05);
    double start = now();
    CHECK_INT(hf_receive_from(s, buf, sizeof buf, 0, NULL, 0, &err), -1);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK(now() - start >= 0.05);
    CHECK_INT(hf_send_file(s, 0, 0, 1, &err), -1);
    CHECK_STR(hf_code_name(err.code), "USAGE");
    hf_close(s, NULL);
}

/* A sender to a full queue waits for its turn, and no longer than it may. */
static void test_full(void)
{
    hf_net_options options = {.timeout = 0.1};
    hf_stream *s[2];
    hf_error err = {0};
    double start;
    char buf[8];
    int n = 0;

    CHECK(hf_stream_pair("udg", &options, s, &err));
    start = now();
    while (n < 100000 && hf_write(s[0], "x", 1, &err) == 1)
        n++;
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK(now() - start >= 0.1);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 1);
    CHECK_INT(hf_write(s[0], "x", 1, &err), 1);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);

    hf_stream *server = bind_ok(own("udg://@handfast-test-full"), NULL);
    hf_stream *anyone = bind_ok(own("udg://@handfast-test-anyone"), &options);
    for (n = 0; n < 100000; n++)
        if (hf_send_to(anyone, "x", 1, 0, own("@handfast-test-full"), &err) != 1)
            break;
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    hf_stream_set_blocking(anyone, false);
    CHECK_INT(hf_send_to(anyone, "x", 1, 0, own("@handfast-test-full"), &err), HF_AGAIN);
    hf_close(server, NULL);
    hf_close(anyone, NULL);
}

static void test_background(void)
{
    hf_net_options options = {.non_blocking = true};
    hf_stream *server = bind_ok("udp://127.0.0.1:0", NULL), *s;
    hf_error err = {0};
    char url[160], buf[8];
    ptrdiff_t n;

    local_url(server, "udp", url);
    s = open_ok(url, &options);
    while ((n = hf_write(s, "x", 1, &err)) == HF_AGAIN)
        CHECK(sock_wait(hf_stream_fd(s), hf_stream_events(s), DEADLINE_NONE) == 1);
    CHECK_INT(n, 1);
    CHECK_INT(hf_read(server, buf, sizeof buf, &err), 1);
    hf_close(s, NULL);
    hf_close(server, NULL);
}

int main(void)
{
    int files = open_files();

    setvbuf(stdout, NULL, _IOLBF, 0);
    own_folder();
    RUN(test_dead_peer);
    RUN(test_udp);
    RUN(test_udg);
    RUN(test_both_families);
    RUN(test_borders);
    RUN(test_bind_or_listen);
    RUN(test_usage);
    RUN(test_full);
    RUN(test_background);
    if (open_files() != files || iobuf_test_held() != 0) {
        printf("FAIL descriptors or buffers are left\n");
        check_failed++;
    }
    return check_done();
}

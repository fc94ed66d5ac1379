/* What hf_net_options says of sockets reaches the sockets. */
#include "tlspeer.h"

#include <netinet/tcp.h>

static int option(const hf_stream *s, int level, int name)
{
    hf_error err = {0};
    int value = -1;

    CHECK(hf_stream_get_option(s, level, name, &value, &err));
    return value;
}

static int fd_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    CHECK(getsockopt(fd, level, name, &value, &len) == 0);
    return value;
}

static hf_listener *listen_ok(const char *url, const hf_net_options *options, char out[96])
{
    hf_error err = {0};
    hf_listener *l = hf_listen(url, NULL, options, &err);

    if (!l)
        printf("    listen %s: %s\n", url, err.detail);
    CHECK(l != NULL);
    hf_listener_url(l, out, 96);
    return l;
}

static void check_bindto(void)
{
    hf_error err = {0};
    char url[96], name[ADDRESS_TEXT_MAX], want[64];
    hf_listener *l = listen_ok("tcp://*:0", NULL, url);
    hf_net_options options = {.bindto = "127.0.0.2:0"};
    hf_stream *s = open_ok(url, &options);

    hf_stream_name(s, false, name, sizeof name);
    CHECK(strncmp(name, "127.0.0.2:", 10) == 0);
    hf_close(s, NULL);

    uint16_t port = dead_port(AF_INET);
    snprintf(want, sizeof want, "0:%u", port);
    options.bindto = want;
    s = open_ok(url, &options);
    hf_stream_name(s, false, name, sizeof name);
    CHECK_STR(strrchr(name, ':') + 1, want + 2);
    hf_close(s, NULL);

    /* an address of the other family leaves none to connect to */
    options.bindto = "[::1]:0";
    CHECK(hf_open(url, NULL, &options, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "CONNECT");
    CHECK(strstr(err.detail, "bindto") != NULL);
    /* one that is not this machine's */
    options.bindto = "192.0.2.77:0";
    CHECK(hf_open(url, NULL, &options, &err) == NULL);
    CHECK_INT(err.os_errno, EADDRNOTAVAIL);
    options.bindto = "nonsense";
    CHECK(hf_open(url, NULL, &options, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "URL");
    CHECK(strncmp(err.detail, "bindto: ", 8) == 0);
    hf_listener_close(l);

    l = listen_ok("tcp://[::1]:0", NULL, url);
    options.bindto = "[::1]:0";
    s = open_ok(url, &options);
    hf_stream_name(s, false, name, sizeof name);
    CHECK(strncmp(name, "[::1]:", 6) == 0);
    hf_close(s, NULL);
    options.bindto = "*:0"; /* either family */
    s = open_ok(url, &options);
    hf_close(s, NULL);
    hf_listener_close(l);

    l = listen_ok(own("unix://@handfast-test-bindto"), NULL, url);
    options.bindto = own("@handfast-test-client");
    s = open_ok(url, &options);
    hf_stream *peer = hf_accept(l, &err);
    hf_stream_name(peer, true, name, sizeof name);
    CHECK_STR(name, own("@handfast-test-client"));
    hf_close(peer, NULL);
    hf_close(s, NULL);
    options.bindto = "test_bindto.sock";
    s = open_ok(url, &options);
    CHECK(access("test_bindto.sock", F_OK) == 0);
    hf_close(s, NULL);
    CHECK(access("test_bindto.sock", F_OK) != 0);
    hf_listener_close(l);
}

/* A queue of one takes two; the others hear nothing. */
static void check_backlog(void)
{
    hf_net_options options = {.backlog = 1}, quick = {.connect_timeout = 0.1};
    hf_error err = {0};
    hf_stream *s[16];
    char url[96];
    int n = 0;

    hf_listener *l = listen_ok(own("unix://@handfast-test-backlog"), &options, url);
    while (n < 16 && (s[n] = hf_open(url, NULL, &quick, &err)))
        n++;
    CHECK_INT(n, 2);
    while (n)
        hf_close(s[--n], NULL);
    hf_listener_close(l);
    options.backlog = 5;
    l = listen_ok(own("unix://@handfast-test-backlog"), &options, url);
    while (n < 16 && (s[n] = hf_open(url, NULL, &quick, &err)))
        n++;
    CHECK_INT(n, 6);
    while (n)
        hf_close(s[--n], NULL);
    hf_listener_close(l);
    /* of TCP the system tells */
    options.backlog = 7;
    l = listen_ok("127.0.0.1:0", &options, url);
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    CHECK(getsockopt(hf_listener_fd(l), IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    CHECK_INT(info.tcpi_sacked, 7); /* tcp(7): of a listener, its backlog */
    hf_listener_close(l);
}

/* A socket that keeps others from listening there; -1 if one does. */
static int keep_port_of_ipv4(const char *url)
{
    struct address a = {0};
    int fd = sock_new(AF_INET, SOCK_STREAM);

    a.u.v4.sin_family = AF_INET;
    a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.u.v4.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
    if (bind(fd, &a.u.any, address_len(&a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void check_v6only(void)
{
    static const struct {
        const char *url;
        int asked, got;
    } rows[] = {{"tcp://[::]:0", 0, 1}, {"tcp://[::]:0", 1, 1}, {"tcp://[::]:0", -1, 0},
                {"tcp://*:0", 0, 0},    {"tcp://*:0", 1, 1},    {"tcp://*:0", -1, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_net_options options = {.ipv6_v6only = rows[i].asked};
        char url[96], v4[64];
        hf_listener *l = listen_ok(rows[i].url, &options, url);
        hf_error err = {0};
        int four = -1;

        /* that nobody else has the same port of IPv4 */
        while (rows[i].got && (four = keep_port_of_ipv4(url)) < 0) {
            hf_listener_close(l);
            l = listen_ok(rows[i].url, &options, url);
        }
        CHECK_INT(fd_option(hf_listener_fd(l), IPPROTO_IPV6, IPV6_V6ONLY), rows[i].got);
        snprintf(v4, sizeof v4, "127.0.0.1%s", strrchr(url, ':'));
        hf_stream *s = hf_open(v4, NULL, NULL, &err);
        if ((s != NULL) != !rows[i].got)
            printf("    %s v6only %d: %s %s\n", url, rows[i].asked,
                   s ? "connected" : "not connected", err.detail);
        CHECK((s != NULL) == !rows[i].got);
        hf_close(s, NULL);
        hf_listener_close(l);
        if (four >= 0)
            close(four);
    }
}

static void check_reuseport(void)
{
    hf_net_options options = {.so_reuseport = true};
    hf_error err = {0};
    char url[96], again[96];
    hf_listener *a = listen_ok("127.0.0.1:0", &options, url), *b;

    CHECK_INT(fd_option(hf_listener_fd(a), SOL_SOCKET, SO_REUSEPORT), 1);
    b = listen_ok(url, &options, again);
    CHECK_STR(url, again);
    CHECK(hf_listen(url, NULL, NULL, &err) == NULL);
    CHECK_INT(err.os_errno, EADDRINUSE);
    hf_listener_close(a);
    hf_listener_close(b);

    hf_stream *u = hf_bind("udp://127.0.0.1:0", &options, &err);
    CHECK_INT(option(u, SOL_SOCKET, SO_REUSEPORT), 1);
    hf_close(u, NULL);
}

static void check_broadcast(void)
{
    hf_net_options options = {.so_broadcast = true};
    hf_error err = {0};
    hf_stream *s;

    CHECK(hf_open("udp://255.255.255.255:9", NULL, NULL, &err) == NULL);
    CHECK_INT(err.os_errno, EACCES);
    s = hf_open("udp://127.0.0.1:9", NULL, &options, &err);
    CHECK_INT(option(s, SOL_SOCKET, SO_BROADCAST), 1);
    hf_close(s, NULL);
    s = hf_bind("udp://127.0.0.1:0", &options, &err);
    CHECK_INT(option(s, SOL_SOCKET, SO_BROADCAST), 1);
    hf_close(s, NULL);
}

/* Clients and accepted connections both. */
static void check_tcp(void)
{
    static const struct {
        hf_net_options options;
        int nodelay, keepalive;
    } rows[] = {
        {HF_NET_OPTIONS, 1, 0},
        {{.tcp_nodelay = 1}, 1, 0},
        {{.tcp_nodelay = -1}, 0, 0},
        {{.so_keepalive = true, .tcp_keepidle = 7, .tcp_keepintvl = 3, .tcp_keepcnt = 4},
         1,
         1}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_error err = {0};
        char url[96];
        hf_listener *l = listen_ok("127.0.0.1:0", &rows[i].options, url);
        hf_stream *s[2] = {open_ok(url, &rows[i].options), hf_accept(l, &err)};

        for (int j = 0; j < 2; j++) {
            CHECK_INT(option(s[j], IPPROTO_TCP, TCP_NODELAY) != 0, rows[i].nodelay);
            CHECK_INT(option(s[j], SOL_SOCKET, SO_KEEPALIVE) != 0, rows[i].keepalive);
            if (rows[i].keepalive) {
                CHECK_INT(option(s[j], IPPROTO_TCP, TCP_KEEPIDLE), 7);
                CHECK_INT(option(s[j], IPPROTO_TCP, TCP_KEEPINTVL), 3);
                CHECK_INT(option(s[j], IPPROTO_TCP, TCP_KEEPCNT), 4);
            }
            hf_close(s[j], NULL);
        }
        hf_listener_close(l);
    }
}

static void test_all(void)
{
    ROW("T43");
    check_bindto();
    check_backlog();
    check_v6only();
    check_reuseport();
    check_broadcast();
    check_tcp();
}

/* They hold under TLS, and for a stream that is opened in the background. */
static void test_tls(void)
{
    hf_net_options lazy = {.lazy_handshake = true, .tcp_nodelay = -1};
    hf_net_options options = {
        .non_blocking = true, .bindto = "127.0.0.3:0", .tcp_nodelay = -1, .so_keepalive = true};
    hf_error err = {0};
    hf_listener *l = hf_listen("tls://127.0.0.1:0", server_config, &lazy, &err);
    char url[96], name[ADDRESS_TEXT_MAX];
    hf_stream *s;
    int value;

    hf_listener_url(l, url, sizeof url);
    s = hf_open(url, client_config, &options, &err);
    CHECK(s != NULL);
    if (s->connecting)
        CHECK(!hf_stream_get_option(s, SOL_SOCKET, SO_KEEPALIVE, &value, &err));
    while (s->connecting && hf_stream_handshake(s, &err) == HF_AGAIN && s->connecting)
        CHECK(sock_wait(hf_stream_fd(s), hf_stream_events(s), deadline_after(PLENTY)) == 1);
    CHECK_INT(option(s, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_INT(option(s, SOL_SOCKET, SO_KEEPALIVE), 1);
    hf_stream_name(s, false, name, sizeof name);
    CHECK(strncmp(name, "127.0.0.3:", 10) == 0);
    CHECK(hf_stream_set_option(s, SOL_SOCKET, SO_KEEPALIVE, 0, &err));
    CHECK_INT(option(s, SOL_SOCKET, SO_KEEPALIVE), 0);
    CHECK(!hf_stream_set_option(s, SOL_SOCKET, 99999, 0, &err));
    CHECK_STR(hf_code_name(err.code), "SYSTEM");
    hf_close(s, NULL);
    hf_listener_close(l);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    own_folder();
    RUN(test_all);
    RUN(test_tls);
    return tls_done(files);
}

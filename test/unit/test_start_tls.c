#define _GNU_SOURCE /* memmem */
/* TLS that begins and ends in mid-stream: hf_start_tls and hf_stop_tls. */
#include "handfast_starttls.h"
#include "tlspeer.h"

/* Two plain streams that do not block. */
static void plain_pair(hf_stream *out[2], int fd[2])
{
    hf_net_options options = {
        .non_blocking = true, .timeout = PLENTY, .connect_timeout = PLENTY};

    pair_of(fd);
    out[0] = wrap_ok(fd[0], &options);
    out[1] = wrap_ok(fd[1], &options);
}

static void close_pair(hf_stream *s[2])
{
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
}

static bool told(const hf_error *err, hf_code code)
{
    if (err->code != code)
        printf("    %s: %s\n", hf_code_name(err->code), err->detail);
    return err->code == code;
}

/* Both begin TLS; 0, or the first result that is neither 0 nor HF_AGAIN. */
static int start_both(hf_stream *s[2], const hf_start_tls_options *client,
                      const hf_start_tls_options *server, hf_error err[2])
{
    hf_start_tls_options name = client ? *client : (hf_start_tls_options)HF_START_TLS_OPTIONS;
    int a, b, turns = 0;

    if (!name.peer_name && !name.session_stream)
        name.peer_name = "localhost";
    a = hf_start_tls(s[0], HF_CLIENT, client_config, &name, &err[0]);
    b = a == -1 ? 0 : hf_start_tls(s[1], HF_SERVER, server_config, server, &err[1]);
    while ((a == HF_AGAIN || b == HF_AGAIN) && turns++ < 200) {
        if (a == HF_AGAIN)
            a = hf_stream_handshake(s[0], &err[0]);
        if (b == HF_AGAIN)
            b = hf_start_tls(s[1], HF_SERVER, server_config, server, &err[1]);
    }
    return a ? a : b;
}

static void start_ok(hf_stream *s[2], const hf_start_tls_options *client)
{
    hf_error err[2] = {{0}, {0}};
    int r = start_both(s, client, NULL, err);

    if (r)
        printf("    start: %d, %s: %s, %s: %s\n", r, hf_code_name(err[0].code), err[0].detail,
               hf_code_name(err[1].code), err[1].detail);
    CHECK_INT(r, 0);
}

static int stop_both(hf_stream *s[2], hf_error *err)
{
    int a = hf_stop_tls(s[0], err), b = hf_stop_tls(s[1], err), turns = 0;

    while ((a == HF_AGAIN || b == HF_AGAIN) && turns++ < 200) {
        if (a == HF_AGAIN)
            a = hf_stop_tls(s[0], err);
        if (b == HF_AGAIN)
            b = hf_stop_tls(s[1], err);
    }
    return a ? a : b;
}

/* text goes from one to the other; on_wire is what a reader of the socket would see of it. */
static void pass(hf_stream *from, hf_stream *to, int to_fd, const char *text, bool in_clear)
{
    size_t len = strlen(text), got = 0;
    char buf[256], wire[256];
    ptrdiff_t n;

    CHECK_INT(hf_write(from, text, len, NULL), len);
    n = recv(to_fd, wire, sizeof wire, MSG_PEEK | MSG_DONTWAIT);
    CHECK(n > 0 && (memmem(wire, (size_t)n, text, len) != NULL) == in_clear);
    for (int turns = 0; got < len && turns < 100; turns++) {
        n = hf_read(to, buf + got, sizeof buf - got, NULL);
        if (n > 0)
            got += (size_t)n;
        else if (n != HF_AGAIN)
            break;
    }
    CHECK_INT(got, len);
    CHECK(got == len && memcmp(buf, text, len) == 0);
}

static void test_on_and_off(void)
{
    ROW("T19 T37");
    hf_stream *s[2];
    hf_error err = {0};
    int fd[2];

    plain_pair(s, fd);
    for (int round = 0; round < 3; round++) {
        pass(s[0], s[1], fd[1], "plain question\r\n", true);
        pass(s[1], s[0], fd[0], "plain answer\r\n", true);
        CHECK(!hf_stream_conn(s[0]) && !hf_stream_conn(s[1]));
        start_ok(s, NULL);
        CHECK(hf_stream_conn(s[0]) && hf_conn_verified(hf_stream_conn(s[0])));
        pass(s[0], s[1], fd[1], "user and password\r\n", false);
        pass(s[1], s[0], fd[0], "welcome\r\n", false);
        CHECK_INT(stop_both(s, &err), 0);
        CHECK_INT(hf_stream_fd(s[0]), fd[0]);
    }
    pass(s[0], s[1], fd[1], "plain again\r\n", true);
    hf_close(s[0], NULL);
    char byte;
    CHECK_INT(hf_read(s[1], &byte, 1, NULL), 0);
    CHECK(hf_eof(s[1]));
    hf_close(s[1], NULL);
}

/* ---- blocking, over TCP, with the name from the URL */

static void play_upgrade(hf_stream *s)
{
    char line[64];
    hf_error err = {0};

    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), 10);
    CHECK_INT(hf_write(s, "220 go\r\n", 8, NULL), 8);
    CHECK_INT(hf_start_tls(s, HF_SERVER, server_config, NULL, &err), 0);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), 8);
    CHECK_STR(line, "secret\r\n");
    CHECK_INT(hf_stop_tls(s, &err), 0);
    CHECK_INT(hf_write(s, "plain\r\n", 7, NULL), 7);
    hf_close(s, NULL);
}

static void test_blocking(void)
{
    struct peer p;
    hf_error err = {0};
    char line[64];
    char url[96];

    peer_start(&p, "tcp://127.0.0.1:0", play_upgrade);
    snprintf(url, sizeof url, "tcp://localhost:%s", strrchr(p.url, ':') + 1);
    hf_stream *s = open_ok(url, NULL);
    CHECK_INT(hf_write(s, "STARTTLS\r\n", 10, NULL), 10);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), 8);
    CHECK_INT(hf_start_tls(s, HF_CLIENT, client_config, NULL, &err), 0);
    CHECK_STR(hf_conn_server_name(hf_stream_conn(s)), "localhost");
    CHECK_INT(hf_write(s, "secret\r\n", 8, NULL), 8);
    CHECK_INT(hf_stop_tls(s, &err), 0);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), 7);
    CHECK_STR(line, "plain\r\n");
    hf_close(s, NULL);
    peer_end(&p);
}

static void play_again(hf_stream *s)
{
    hf_error err = {0};
    char line[16];

    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 4);
    CHECK_INT(hf_stop_tls(s, &err), 0);
    CHECK_INT(hf_start_tls(s, HF_SERVER, server_config, NULL, &err), 0);
    CHECK_INT(hf_write(s, "two\n", 4, &err), 4);
    hf_close(s, NULL);
}

/* A stream that began with TLS goes on without, and with it again: the same name holds. */
static void test_again(void)
{
    struct tls_peer p;
    hf_error err = {0};
    char line[16], url[96];

    tls_peer_start(&p, "tls://127.0.0.1:0", server_config, 1, play_again);
    snprintf(url, sizeof url, "tls://localhost:%s", strrchr(p.url, ':') + 1);
    hf_stream *s = tls_open(url, NULL);
    CHECK_INT(hf_write(s, "one\n", 4, &err), 4);
    CHECK_INT(hf_stop_tls(s, &err), 0);
    CHECK_INT(hf_start_tls(s, HF_CLIENT, client_config, NULL, &err), 0);
    CHECK(hf_conn_verified(hf_stream_conn(s)));
    CHECK_STR(hf_conn_server_name(hf_stream_conn(s)), "localhost");
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 4);
    hf_close(s, NULL);
    tls_peer_end(&p);
}

static void test_wrong_name(void)
{
    hf_stream *s[2];
    hf_error err[2] = {{0}, {0}};
    hf_start_tls_options other_name = {.peer_name = "elsewhere.example"};
    int fd[2];

    plain_pair(s, fd);
    CHECK_INT(start_both(s, &other_name, NULL, err), -1);
    CHECK(told(&err[0], HF_E_WRONG_NAME));
    close_pair(s);
}

/* ---- one byte at a time */

/* Moves one byte if there is one. */
static bool drip(int from, int to)
{
    char byte;

    return recv(from, &byte, 1, MSG_DONTWAIT) == 1 && send(to, &byte, 1, 0) == 1;
}

static void test_drip(void)
{
    ROW("T36");
    hf_net_options options = {.non_blocking = true};
    hf_start_tls_options name = {.peer_name = "localhost"};
    hf_error err = {0};
    int fd[2], other_fd[2], a, b, again = 0, turns = 0;

    pair_of(fd);
    pair_of(other_fd);
    hf_stream *client = wrap_ok(fd[0], &options), *server = wrap_ok(other_fd[0], &options);
    a = b = HF_AGAIN;
    for (; (a == HF_AGAIN || b == HF_AGAIN) && turns < 20000; turns++) {
        if (a == HF_AGAIN)
            a = hf_start_tls(client, HF_CLIENT, client_config, &name, &err);
        if (b == HF_AGAIN)
            b = hf_start_tls(server, HF_SERVER, server_config, NULL, &err);
        again += a == HF_AGAIN;
        (void)drip(fd[1], other_fd[1]);
        (void)drip(other_fd[1], fd[1]);
    }
    CHECK_INT(a, 0);
    CHECK_INT(b, 0);
    CHECK(again > 1000); /* each byte was "try again", and nothing blocked */
    hf_close(client, NULL);
    hf_close(server, NULL);
    close(fd[1]);
    close(other_fd[1]);
}

static void test_stalled(void)
{
    hf_net_options options = {.connect_timeout = 0.2};
    hf_start_tls_options name = {.peer_name = "localhost"};
    hf_error err = {0};
    double before = now();
    int fd[2];

    pair_of(fd);
    hf_stream *s = wrap_ok(fd[0], &options);
    CHECK_INT(hf_start_tls(s, HF_CLIENT, client_config, &name, &err), -1);
    CHECK(told(&err, HF_E_TIMEOUT));
    took(before, 0.2);
    hf_close(s, NULL);
    close(fd[1]);
}

/* ---- which versions */

static void test_methods(void)
{
    ROW("T39");
    /* the numbers that PHP's scripts have */
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_ANY_CLIENT, 127);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_SSLv2_CLIENT, 3);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_SSLv3_CLIENT, 5);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_SSLv23_CLIENT, 57);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLS_CLIENT, 121);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_0_CLIENT, 9);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_1_CLIENT, 17);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT, 33);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT, 65);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_ANY_SERVER, 126);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_SSLv2_SERVER, 2);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_SSLv3_SERVER, 4);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_SSLv23_SERVER, 120);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLS_SERVER, 120);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_0_SERVER, 8);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_1_SERVER, 16);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_2_SERVER, 32);
    CHECK_INT(HF_STREAM_CRYPTO_METHOD_TLSv1_3_SERVER, 64);
    CHECK_INT(HF_STREAM_CRYPTO_PROTO_SSLv3, 4);
    CHECK_INT(HF_STREAM_CRYPTO_PROTO_TLSv1_0, 8);
    CHECK_INT(HF_STREAM_CRYPTO_PROTO_TLSv1_1, 16);
    CHECK_INT(HF_STREAM_CRYPTO_PROTO_TLSv1_2, 32);
    CHECK_INT(HF_STREAM_CRYPTO_PROTO_TLSv1_3, 64);
}

static uint16_t version_with(int client, int server)
{
    hf_stream *s[2];
    hf_start_tls_options c = {.crypto_method = client}, o = {.crypto_method = server};
    hf_error err[2] = {{0}, {0}};
    uint16_t version = 0;
    int fd[2];

    plain_pair(s, fd);
    if (start_both(s, &c, &o, err) == 0)
        version = hf_conn_version(hf_stream_conn(s[0]));
    close_pair(s);
    return version;
}

static void test_versions(void)
{
    ROW("T27");
    CHECK_INT(version_with(0, 0), HF_TLS1_3);
    CHECK_INT(version_with(HF_STREAM_CRYPTO_METHOD_SSLv23_CLIENT, 0), HF_TLS1_3);
    CHECK_INT(version_with(HF_STREAM_CRYPTO_METHOD_ANY_CLIENT, 0), HF_TLS1_3);
    CHECK_INT(version_with(HF_STREAM_CRYPTO_METHOD_TLS_CLIENT, 0), HF_TLS1_3);
    CHECK_INT(version_with(HF_STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT, 0), HF_TLS1_2);
    CHECK_INT(version_with(HF_STREAM_CRYPTO_METHOD_TLSv1_1_CLIENT |
                               HF_STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT,
                           0),
              HF_TLS1_2);
    CHECK_INT(version_with(0, HF_STREAM_CRYPTO_METHOD_TLSv1_2_SERVER), HF_TLS1_2);
    CHECK_INT(version_with(HF_STREAM_CRYPTO_PROTO_TLSv1_3, 0), HF_TLS1_3);
    CHECK_INT(version_with(HF_STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT,
                           HF_STREAM_CRYPTO_METHOD_TLSv1_2_SERVER),
              0);
}

static void test_refused_methods(void)
{
    static const struct {
        int method;
        hf_role role;
        hf_code code;
    } rows[] = {
        {HF_STREAM_CRYPTO_METHOD_SSLv3_CLIENT, HF_CLIENT, HF_E_PROHIBITED_PROTOCOL},
        {HF_STREAM_CRYPTO_METHOD_SSLv2_CLIENT, HF_CLIENT, HF_E_PROHIBITED_PROTOCOL},
        {HF_STREAM_CRYPTO_METHOD_SSLv3_SERVER, HF_SERVER, HF_E_PROHIBITED_PROTOCOL},
        {HF_STREAM_CRYPTO_METHOD_TLSv1_0_CLIENT, HF_CLIENT, HF_E_CONFIG},
        {HF_STREAM_CRYPTO_METHOD_TLS_CLIENT, HF_SERVER, HF_E_USAGE},
        {1, HF_CLIENT, HF_E_USAGE},
        {128, HF_CLIENT, HF_E_USAGE},
        {-1, HF_CLIENT, HF_E_USAGE},
    };
    hf_stream *s[2];
    int fd[2];

    plain_pair(s, fd);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_start_tls_options o = {.peer_name = "localhost", .crypto_method = rows[i].method};
        hf_config *config = rows[i].role == HF_CLIENT ? client_config : server_config;
        hf_error err = {0};

        CHECK_INT(hf_start_tls(s[0], rows[i].role, config, &o, &err), -1);
        CHECK(told(&err, rows[i].code));
    }
    /* nothing of that has harmed it */
    pass(s[0], s[1], fd[1], "still plain\r\n", true);
    start_ok(s, NULL);
    hf_error err = {0};
    CHECK_INT(hf_start_tls(s[0], HF_CLIENT, client_config, NULL, &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    close_pair(s);
}

/* ---- what came before */

static void test_injected(void)
{
    ROW("T28");
    hf_start_tls_options name = {.peer_name = "localhost"};
    hf_stream *s[2];
    hf_error err = {0};
    char line[64];
    int fd[2];

    /* in one segment with the go-ahead: the stream has read it already */
    plain_pair(s, fd);
    CHECK_INT(hf_write(s[1], "220 go\r\nEVIL\r\n", 14, NULL), 14);
    CHECK_INT(hf_read_line(s[0], line, sizeof line, NULL), 8);
    CHECK_INT(hf_start_tls(s[0], HF_CLIENT, client_config, &name, &err), -1);
    CHECK(told(&err, HF_E_INJECTED_PLAINTEXT));
    CHECK(strstr(err.detail, "EVIL") != NULL);
    close_pair(s);

    /* in a segment of its own: it lies in the socket */
    plain_pair(s, fd);
    CHECK_INT(hf_write(s[1], "220 go\r\n", 8, NULL), 8);
    CHECK_INT(hf_read_line(s[0], line, sizeof line, NULL), 8);
    CHECK_INT(hf_write(s[1], "\x16\x03\x03", 3, NULL), 3);
    CHECK_INT(hf_start_tls(s[0], HF_CLIENT, client_config, &name, &err), -1);
    CHECK(told(&err, HF_E_INJECTED_PLAINTEXT));
    close_pair(s);

    /* a server whose client sent a command behind STARTTLS */
    plain_pair(s, fd);
    CHECK_INT(hf_write(s[0], "STARTTLS\r\nMAIL FROM:<a@b>\r\n", 27, NULL), 27);
    CHECK_INT(hf_read_line(s[1], line, sizeof line, NULL), 10);
    CHECK_INT(hf_start_tls(s[1], HF_SERVER, server_config, NULL, &err), -1);
    CHECK(told(&err, HF_E_INJECTED_PLAINTEXT));
    close_pair(s);
}

/* The line of a load balancer and the ClientHello in one segment. */
static void test_proxy_header(void)
{
    ROW("T28");
    static const char proxy[] = "PROXY TCP4 192.0.2.1 192.0.2.2 5000 443\r\n";
    hf_start_tls_options name = {.peer_name = "localhost"}, ahead = {.buffered_is_tls = true};
    hf_stream *s[2];
    hf_error err[2] = {{0}, {0}};
    unsigned char segment[4096];
    char line[128];
    int fd[2], hello[2];
    ssize_t n;

    for (int own = 0; own < 2; own++) {
        /* the ClientHello comes from a stream of its own, so that it can be joined to the line */
        hf_net_options options = {.non_blocking = true};
        pair_of(hello);
        hf_stream *client = wrap_ok(hello[0], &options);
        CHECK_INT(hf_start_tls(client, HF_CLIENT, client_config, &name, &err[0]), HF_AGAIN);
        memcpy(segment, proxy, sizeof proxy - 1);
        n = recv(hello[1], segment + sizeof proxy - 1, sizeof segment - sizeof proxy, 0);
        CHECK(n > 100);
        plain_pair(s, fd);
        CHECK(send(fd[0], segment, sizeof proxy - 1 + (size_t)n, 0) > 0);

        if (own) { /* the program reads by itself, and too much */
            unsigned char all[4096];
            ptrdiff_t got = hf_read(s[1], all, sizeof all, NULL);
            CHECK(got > (ptrdiff_t)sizeof proxy);
            ahead.received = all + sizeof proxy - 1;
            ahead.received_len = (size_t)got - (sizeof proxy - 1);
            CHECK_INT(hf_start_tls(s[1], HF_SERVER, server_config, &ahead, &err[1]), HF_AGAIN);
        } else {
            CHECK_INT(hf_read_line(s[1], line, sizeof line, NULL), sizeof proxy - 1);
            CHECK_STR(line, proxy);
            CHECK_INT(hf_start_tls(s[1], HF_SERVER, server_config, NULL, &err[1]), -1);
            CHECK(told(&err[1], HF_E_INJECTED_PLAINTEXT));
            CHECK_INT(hf_start_tls(s[1], HF_SERVER, server_config, &ahead, &err[1]), HF_AGAIN);
        }
        /* the rest goes on between the two */
        int a = HF_AGAIN, b = HF_AGAIN;
        for (int turns = 0; turns < 100 && (a == HF_AGAIN || b == HF_AGAIN); turns++) {
            if ((n = recv(fd[0], segment, sizeof segment, MSG_DONTWAIT)) > 0)
                CHECK_INT(send(hello[1], segment, (size_t)n, 0), n);
            a = hf_stream_handshake(client, &err[0]);
            if ((n = recv(hello[1], segment, sizeof segment, MSG_DONTWAIT)) > 0)
                CHECK_INT(send(fd[0], segment, (size_t)n, 0), n);
            b = hf_stream_handshake(s[1], &err[1]);
        }
        CHECK_INT(a, 0);
        CHECK_INT(b, 0);
        CHECK(hf_conn_verified(hf_stream_conn(client)));
        hf_close(client, NULL);
        close(hello[1]);
        close_pair(s);
    }
}

/* ---- sessions of another stream */

static void resume_from(int method)
{
    hf_stream *control[2], *data[2];
    hf_error err[2] = {{0}, {0}};
    hf_start_tls_options c = {.crypto_method = method, .no_session_cache = false};
    int fd[2], data_fd[2];

    plain_pair(control, fd);
    start_ok(control, &c);
    CHECK(!hf_conn_resumed(hf_stream_conn(control[0])));
    /* the tickets of TLS 1.3 may still lie in the socket: nothing was read */
    for (int i = 0; i < 4; i++) {
        hf_start_tls_options d = {.crypto_method = method, .session_stream = control[0]};

        plain_pair(data, data_fd);
        CHECK_INT(start_both(data, &d, NULL, err), 0);
        CHECK(hf_conn_resumed(hf_stream_conn(data[0])));
        CHECK_STR(hf_conn_server_name(hf_stream_conn(data[0])), "localhost");
        pass(data[1], data[0], data_fd[0], "a file", false);
        close_pair(data);
    }
    /* without it: the same name, but another place */
    plain_pair(data, data_fd);
    start_ok(data, &c);
    CHECK(!hf_conn_resumed(hf_stream_conn(data[0])));
    close_pair(data);
    /* also when the control channel is plain again (FTP's CCC) */
    CHECK_INT(stop_both(control, &err[0]), 0);
    plain_pair(data, data_fd);
    hf_start_tls_options d = {.crypto_method = method, .session_stream = control[0]};
    CHECK_INT(start_both(data, &d, NULL, err), 0);
    CHECK(hf_conn_resumed(hf_stream_conn(data[0])));
    close_pair(data);
    close_pair(control);
}

static void test_session_stream(void)
{
    ROW("T38");
    resume_from(0);
    resume_from(HF_STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT);
    CHECK_INT(version_with(0, 0), HF_TLS1_3);
}

static void test_session_stream_refused(void)
{
    hf_stream *control[2], *data[2];
    hf_config *another = make_client(pki);
    hf_error err = {0};
    int fd[2], data_fd[2];

    plain_pair(control, fd);
    plain_pair(data, data_fd);
    hf_start_tls_options d = {.session_stream = control[0]};
    CHECK_INT(hf_start_tls(data[0], HF_CLIENT, client_config, &d, &err), -1);
    CHECK(told(&err, HF_E_USAGE)); /* plain */
    start_ok(control, NULL);
    CHECK_INT(hf_start_tls(data[0], HF_CLIENT, another, &d, &err), -1);
    CHECK(told(&err, HF_E_USAGE)); /* another configuration */
    hf_config_free(another);
    close_pair(control);
    close_pair(data);
}

/* ---- back to plain text */

static void test_stop_unread(void)
{
    ROW("T37");
    hf_stream *s[2];
    hf_error err = {0};
    char buf[64];
    int fd[2];

    plain_pair(s, fd);
    start_ok(s, NULL);
    CHECK_INT(hf_write(s[1], "unread", 6, NULL), 6);
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_UNREAD_DATA));
    CHECK_INT(hf_read(s[0], buf, 3, NULL), 3);
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_UNREAD_DATA));
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 3);
    /* nothing was said so far: the peer can still be written to */
    CHECK_INT(hf_write(s[0], "x", 1, NULL), 1);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 1);

    /* data that crosses our close_notify on the way is not lost */
    CHECK_INT(hf_stop_tls(s[0], &err), HF_AGAIN);
    CHECK_INT(hf_write(s[0], "x", 1, &err), -1);
    CHECK(told(&err, HF_E_WRITE_CLOSED));
    CHECK_INT(hf_write(s[1], "late", 4, NULL), 4);
    CHECK_INT(hf_stop_tls(s[1], &err), 0);
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_UNREAD_DATA));
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 4);
    CHECK_INT(hf_stop_tls(s[0], &err), 0);
    pass(s[0], s[1], fd[1], "plain\r\n", true);
    close_pair(s);
}

/* What the peer says in plain text right behind its close_notify comes out of the plain stream. */
static void test_after_close_notify(void)
{
    ROW("Y98");
    hf_stream *s[2];
    hf_error err = {0};
    char line[64];
    int fd[2];

    plain_pair(s, fd);
    start_ok(s, NULL);
    CHECK_INT(hf_stop_tls(s[1], &err), HF_AGAIN);
    CHECK_INT(send(fd[1], "plain line\r\nsecond", 18, 0), 18);
    CHECK_INT(hf_read(s[0], line, sizeof line, &err),
              0); /* the end of TLS, and no plain text */
    CHECK_INT(hf_stop_tls(s[0], &err), 0);
    CHECK_INT(hf_stream_fd(s[0]), fd[0]);
    CHECK(!hf_stream_conn(s[0]));
    CHECK_INT(hf_stream_pending(s[0]), 18);
    CHECK_INT(hf_read_line(s[0], line, sizeof line, NULL), 12);
    CHECK_STR(line, "plain line\r\n");
    CHECK_INT(hf_read(s[0], line, sizeof line, NULL), 6);
    CHECK_INT(hf_stop_tls(s[1], &err), 0);
    /* and the other way it is no answer of TLS: a new upgrade sees it */
    CHECK_INT(hf_write(s[1], "more", 4, NULL), 4);
    CHECK_INT(hf_read(s[0], line, 2, NULL), 2);
    CHECK_INT(hf_start_tls(s[0], HF_CLIENT, client_config, NULL, &err), -1);
    CHECK(told(&err, HF_E_INJECTED_PLAINTEXT));
    close_pair(s);
}

static void test_stop_refused(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    int fd[2];

    plain_pair(s, fd);
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    hf_start_tls_options name = {.peer_name = "localhost"};
    CHECK_INT(hf_start_tls(s[0], HF_CLIENT, client_config, &name, &err), HF_AGAIN);
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_NOT_HANDSHAKEN));
    close_pair(s);

    plain_pair(s, fd);
    start_ok(s, NULL);
    CHECK(hf_shutdown_write(s[0], NULL));
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_WRITE_CLOSED));
    close_pair(s);
    /* the peer goes without close_notify */
    plain_pair(s, fd);
    start_ok(s, NULL);
    stream_free(s[1], true);
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_TRUNCATED));
    hf_close(s[0], NULL);
}

static void test_stop_stalled(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    int fd[2];

    plain_pair(s, fd);
    start_ok(s, NULL);
    s[0]->non_blocking = false;
    hf_stream_set_timeout(s[0], 0.2);
    CHECK_INT(hf_stop_tls(s[0], &err), -1);
    CHECK(told(&err, HF_E_TIMEOUT));
    CHECK_INT(hf_stop_tls(s[1], &err), 0); /* the peer, later */
    CHECK_INT(hf_stop_tls(s[0], &err), 0);
    close_pair(s);
}

/* ---- a plain client at a server of TLS */

static void test_plain_client(void)
{
    ROW("T23");
    /* clang-format off */
    static const struct {
        const char *says, *name;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP"},
        {"POST /x HTTP/1.1\r\n\r\n", "HTTP"},
        {"CONNECT a:443 HTTP/1.1\r\n\r\n", "to a proxy"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "SSH"},
        {"EHLO client.example\r\n", "SMTP"},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 5000 443\r\n", "PROXY protocol"},
        {"\r\n\r\n\0\r\nQUIT\n\x21\x11", "PROXY protocol, version 2"},
        {"USER anonymous\r\n", "FTP"},
        {"\x80\x2e\1\0\2\0\x15\0\0\0\x10", "SSL 2.0"},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_net_options options = {.non_blocking = true};
        hf_error err = {0};
        char back[128];
        bool old = rows[i].says[0] == (char)0x80;
        size_t len = old ? 11 : i == 6 ? strlen(rows[i].says) + 9 : strlen(rows[i].says);
        size_t got = 0;
        int fd[2], r = HF_AGAIN;

        pair_of(fd);
        hf_stream *s = hf_stream_wrap(fd[0], "tls", HF_SERVER, server_config, &options, &err);
        /* the last bytes come later: they are part of what the client says, too */
        CHECK_INT(send(fd[1], rows[i].says, len - 4, 0), len - 4);
        for (int turns = 0; turns < 10 && r == HF_AGAIN; turns++)
            r = hf_stream_handshake(s, &err);
        CHECK_INT(r, -1);
        CHECK(told(&err, old ? HF_E_SSL2_PEER : HF_E_PLAINTEXT_PEER));
        CHECK(strstr(err.detail, rows[i].name) != NULL);
        CHECK_INT(send(fd[1], rows[i].says + len - 4, 4, 0), 4);
        CHECK_INT(hf_stop_tls(s, &err), 0);
        while (got < len) {
            ptrdiff_t n = hf_read(s, back + got, sizeof back - got, &err);
            if (n <= 0)
                break;
            got += (size_t)n;
        }
        CHECK_INT(got, len);
        CHECK(memcmp(back, rows[i].says, len) == 0);
        /* and nothing was sent to it but an alert that SSL 2.0 is too old */
        CHECK_INT(recv(fd[1], back, sizeof back, MSG_DONTWAIT), old ? 7 : -1);
        CHECK_INT(hf_write(s, "plain", 5, NULL), 5);
        CHECK_INT(recv(fd[1], back, sizeof back, 0), 5);
        hf_close(s, NULL);
        close(fd[1]);
    }
}

/* What a server's program can tell of first bytes, also of those within TLS. */
static void test_recognise(void)
{
    ROW("T23");
    char what[256];

    CHECK(hf_recognise("\x16\3\1\0\x50\1\0\0\x4c", 9, false, what, sizeof what));
    CHECK_STR(what, "the client speaks TLS (a ClientHello)");
    CHECK(hf_recognise("GET / HTTP/1.1\r\n", 16, false, what, sizeof what));
    CHECK(strstr(what, "https://") != NULL);
    CHECK(hf_recognise("\x80\x2e\1\0\2\0\x15", 7, false, what, sizeof what));
    CHECK(strstr(what, "SSL 2.0") != NULL);
    CHECK(hf_recognise("220 a ESMTP\r\n", 13, true, what, sizeof what));
    CHECK(strstr(what, "smtp://, hf_starttls() or handfast connect --starttls smtp") != NULL);
    CHECK(!hf_recognise("what?", 5, false, what, sizeof what));
    CHECK_STR(what, "");
    CHECK(!hf_recognise("", 0, false, what, sizeof what));
}

/* The PROXY line in front of a ClientHello at a port of TLS: found, taken off, and TLS after all. */
static void test_plain_then_tls(void)
{
    hf_stream *s[2];
    hf_error err[2] = {{0}, {0}};
    hf_start_tls_options ahead = {.buffered_is_tls = true}, name = {.peer_name = "localhost"};
    hf_net_options options = {.non_blocking = true};
    char line[128];
    int fd[2], a, b, turns = 0;

    pair_of(fd);
    s[0] = wrap_ok(fd[0], &options);
    s[1] = hf_stream_wrap(fd[1], "tls", HF_SERVER, server_config, &options, &err[1]);
    CHECK_INT(hf_write(s[0], "PROXY UNKNOWN\r\n", 15, NULL), 15);
    a = hf_start_tls(s[0], HF_CLIENT, client_config, &name, &err[0]);
    CHECK_INT(hf_stream_handshake(s[1], &err[1]), -1);
    CHECK(told(&err[1], HF_E_PLAINTEXT_PEER));
    CHECK_INT(hf_stop_tls(s[1], &err[1]), 0);
    CHECK_INT(hf_read_line(s[1], line, sizeof line, NULL), 15);
    b = hf_start_tls(s[1], HF_SERVER, server_config, &ahead, &err[1]);
    while ((a == HF_AGAIN || b == HF_AGAIN) && turns++ < 100) {
        a = hf_stream_handshake(s[0], &err[0]);
        b = hf_stream_handshake(s[1], &err[1]);
    }
    CHECK_INT(a, 0);
    CHECK_INT(b, 0);
    close_pair(s);
}

/* ---- a client of TLS at a port that begins in plain text */

static void test_plain_server(void)
{
    ROW("T22 T26");
    /* clang-format off */
    static const struct {
        const char *says, *name, *remedy;
        size_t len;
    } rows[] = {
        {"220 mail.example ESMTP Postfix\r\n", "plain SMTP (\"220 mail.example ESMTP Postfix\")", "connect --starttls smtp; or use the port for TLS (smtps, 465)", 32},
        {"220 (vsFTPd 3.0.3)\r\n", "plain FTP", "--starttls ftp; or use the port for TLS (ftps, 990)", 20},
        {"* OK [CAPABILITY IMAP4rev1] ready\r\n", "plain IMAP", "imap://, hf_starttls() or handfast connect --starttls imap", 35},
        {"+OK Dovecot ready.\r\n", "plain POP3", "pop3://, hf_starttls() or handfast connect --starttls pop3", 20},
        {"200 news ready\r\n", "plain NNTP", "--starttls nntp", 16},
        {"\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n", "plain ManageSieve", "--starttls sieve", 40},
        {"<?xml version='1.0'?><stream:stream>", "plain XMPP", "--starttls xmpp", 36},
        {"SSH-2.0-OpenSSH_9.2\r\n", "plain SSH", "another port", 21},
        {"HTTP/1.1 400 Bad Request\r\n", "plain HTTP", "use http://", 26},
        {"E\0\0\0\x60SFATAL\0", "plain PostgreSQL", "--starttls postgres", 12},
        {"J\0\0\0\x0a" "8.0.36\0xx", "plain MySQL", "--starttls mysql", 14},
        {"\x30\x1b\2\1\0\x78\7\x0a", "plain LDAP", "--starttls ldap; or use the port for TLS (ldaps, 636)", 8},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_net_options options = {.non_blocking = true, .peer_name = "localhost"};
        hf_error err = {0};
        char text[2048];
        int fd[2], r = HF_AGAIN;

        pair_of(fd);
        hf_stream *s = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
        CHECK_INT(send(fd[1], rows[i].says, rows[i].len, 0), rows[i].len);
        for (int turns = 0; turns < 10 && r == HF_AGAIN; turns++)
            r = hf_stream_handshake(s, &err);
        CHECK_INT(r, -1);
        CHECK(told(&err, HF_E_PLAINTEXT_PEER));
        CHECK(strstr(err.detail, rows[i].name) != NULL);
        CHECK(strstr(err.detail, rows[i].remedy) != NULL);
        CHECK(!err.truncated);
        hf_explain(hf_stream_conn(s), &err, text, sizeof text);
        CHECK(strstr(text, "ssl:// and tls:// are the same today") != NULL);
        if (check_bad)
            printf("    %s\n", text);
        hf_close(s, NULL);
        close(fd[1]);
    }
}

/* ---- without memory */

static void test_memory(void)
{
    for (unsigned long n = 1; n < 400; n++) {
        hf_stream *s[2];
        hf_error err[2] = {{0}, {0}};
        int fd[2], r;

        plain_pair(s, fd);
        mem_test_fail_after(n);
        r = start_both(s, NULL, NULL, err);
        bool enough = r == 0 && stop_both(s, &err[0]) == 0;
        mem_test_fail_after(0);
        close_pair(s);
        session_cache_clear();
        if (enough && n > 300)
            break;
    }
    hf_stream *s[2];
    int fd[2];
    plain_pair(s, fd);
    start_ok(s, NULL);
    close_pair(s);
}

int main(void)
{
    int files;

    tls_setup();
    files = open_files();
    RUN(test_on_and_off);
    RUN(test_blocking);
    RUN(test_again);
    RUN(test_wrong_name);
    RUN(test_drip);
    RUN(test_stalled);
    RUN(test_methods);
    RUN(test_versions);
    RUN(test_refused_methods);
    RUN(test_injected);
    RUN(test_proxy_header);
    RUN(test_session_stream);
    RUN(test_session_stream_refused);
    RUN(test_stop_unread);
    RUN(test_after_close_notify);
    RUN(test_stop_refused);
    RUN(test_stop_stalled);
    RUN(test_plain_client);
    RUN(test_recognise);
    RUN(test_plain_then_tls);
    RUN(test_plain_server);
    RUN(test_memory);
    return tls_done(files);
}

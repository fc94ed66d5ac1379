/* forgetful.c: forgetful PORT CHAIN KEY FOLDER [GROUPS]: a TLS 1.3 server that forgets each client after its
 * HelloRetryRequest. Two processes serve a connection: one sends the HelloRetryRequest and ends, the other, which has
 * made its configuration by itself and shares the cookie key and the socket alone, goes on. With FOLDER "-" everything
 * comes back; else GET /NAME gives a file. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handfast.h"
#include "handfast_stateless.h"

static uint8_t cookie_key[HF_COOKIE_KEY_SIZE];
static char **args;

static void die(const char *what, const hf_error *err)
{
    char line[512] = "";
    if (err)
        hf_error_line(err, line, sizeof line);
    fprintf(stderr, "%s: %s\n", what, line);
    exit(2);
}

static hf_config *make_config(void)
{
    hf_error err = {0};
    hf_config *config = hf_config_new(HF_SERVER);
    hf_credential *cred = hf_credential_load_files(args[2], args[3], NULL, NULL, &err);
    if (!config || !cred)
        die("certificate", &err);
    hf_config_add_credential(config, cred);
    hf_credential_free(cred);
    hf_config_set_versions(config, HF_TLS1_3, HF_TLS1_3);
    hf_config_set_stateless_retry(config, true);
    hf_config_set_cookie_keys(config, cookie_key, 1);
    if (args[5])
        hf_config_set_groups(config, args[5]);
    return config;
}

static bool send_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool flush(int fd, hf_conn *conn)
{
    size_t len;
    const uint8_t *p = hf_conn_output(conn, &len);
    if (len && !send_all(fd, p, len))
        return false;
    if (len)
        hf_conn_output_done(conn, len);
    return true;
}

/* One record from the socket, and not a byte more. */
static size_t read_record(int fd, hf_conn *conn, uint8_t *buf, size_t size)
{
    size_t have = 0, want = 5;
    while (have < want) {
        ssize_t n = read(fd, buf + have, want - have);
        if (n <= 0)
            return 0;
        have += (size_t)n;
        if (have >= 5)
            want = hf_conn_next_size(conn, buf, have);
        if (want > size)
            return 0;
    }
    return have;
}

static int ask(int fd)
{
    static uint8_t buf[HF_RECORD_MAX + 1024];
    hf_error err = {0};
    hf_config *config = make_config();
    hf_conn *conn = hf_conn_new_server(config, &err);
    if (!conn)
        die("connection", &err);
    for (;;) {
        size_t used, len, n = read_record(fd, conn, buf, sizeof buf);
        uint8_t *data;
        hf_result r = hf_conn_receive(conn, buf, n, &used, &data, &len);
        if (!flush(fd, conn) || n == 0 || r == HF_FAILED)
            die("first ClientHello", hf_conn_error(conn));
        if (hf_conn_stateless(conn) == HF_STATELESS_ASKED)
            break;
    }
    hf_conn_free(conn);
    hf_config_free(config);
    return 0;
}

static bool send_data(int fd, hf_conn *conn, const uint8_t *data, size_t len)
{
    static uint8_t out[2 * HF_RECORD_MAX];
    while (len) {
        size_t taken, written;
        hf_result r = hf_conn_send(conn, data, len < 16384 ? len : 16384, &taken, out,
                                   sizeof out, &written);
        if (r != HF_DONE || !send_all(fd, out, written))
            return false;
        data += taken;
        len -= taken;
    }
    return true;
}

static bool send_file(int fd, hf_conn *conn, const char *request)
{
    static uint8_t body[2000000];
    char name[256] = "", path[1024], head[256];
    if (sscanf(request, "GET /%200[A-Za-z0-9._-] ", name) != 1)
        snprintf(name, sizeof name, "nothing");
    snprintf(path, sizeof path, "%s/%s", args[4], name);
    int file = open(path, O_RDONLY);
    ssize_t n = file >= 0 ? read(file, body, sizeof body) : -1;
    if (file >= 0)
        close(file);
    snprintf(head, sizeof head,
             "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zd\r\nConnection: "
             "close\r\n\r\n",
             n >= 0 ? "200 OK" : "404 Not Found", n > 0 ? n : 0);
    return send_data(fd, conn, (const uint8_t *)head, strlen(head)) &&
           send_data(fd, conn, body, n > 0 ? (size_t)n : 0);
}

static int go_on(int fd)
{
    static uint8_t buf[HF_RECORD_MAX + 1024];
    static char request[8192];
    size_t asked = 0;
    hf_error err = {0};
    hf_config *config = make_config();
    hf_conn *conn = hf_conn_new_server(config, &err);
    bool told = false, more = true;
    if (!conn)
        die("connection", &err);
    while (more) {
        size_t at = 0, n = read_record(fd, conn, buf, sizeof buf);
        if (n == 0)
            break;
        while (more && at < n) {
            size_t used, len;
            uint8_t *data;
            hf_result r = hf_conn_receive(conn, buf + at, n - at, &used, &data, &len);
            at += used;
            if (r == HF_FAILED) {
                (void)flush(fd, conn);
                die("second ClientHello", hf_conn_error(conn));
            }
            more = flush(fd, conn) && r != HF_CLOSED;
            if (!told && !(hf_conn_wants(conn) & HF_IN_HANDSHAKE)) {
                told = true;
                fprintf(stderr, "%s\n",
                        hf_conn_stateless(conn) == HF_STATELESS_RETURNED ? "returned" : "?");
            }
            if (len && strcmp(args[4], "-") == 0) {
                more = more && send_data(fd, conn, data, len);
            } else if (len && asked + len < sizeof request) {
                memcpy(request + asked, data, len);
                asked += len;
                if (strstr(request, "\r\n\r\n"))
                    more = send_file(fd, conn, request) && false;
            }
        }
    }
    hf_conn_close(conn);
    (void)flush(fd, conn);
    shutdown(fd, SHUT_WR);
    while (read(fd, buf, sizeof buf) > 0)
        ;
    hf_conn_free(conn);
    hf_config_free(config);
    return 0;
}

static void serve(int fd)
{
    int status = 1;
    signal(SIGCHLD, SIG_DFL);
    pid_t first = fork();
    if (first == 0)
        exit(ask(fd));
    if (first < 0 || waitpid(first, &status, 0) < 0 || status != 0)
        exit(1);
    exit(go_on(fd));
}

int main(int argc, char **argv)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1, door = socket(AF_INET, SOCK_STREAM, 0);
    if (argc < 5 || door < 0 || getrandom(cookie_key, sizeof cookie_key, 0) < 0)
        return 2;
    args = argv;
    a.sin_port = htons((uint16_t)atoi(argv[1]));
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (struct sockaddr *)&a, sizeof a) != 0 || listen(door, 32) != 0)
        return 2;
    for (;;) {
        int fd = accept(door, NULL, NULL);
        if (fd < 0 && errno != EINTR)
            return 2;
        if (fd >= 0 && fork() == 0) {
            close(door);
            serve(fd);
        }
        close(fd);
    }
}

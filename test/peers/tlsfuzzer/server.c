/* server.c: the server that tlsfuzzer's scripts talk to. It can be told more than `handfast serve`: the
 * scripts are about what no server should be set to, too. A request gets an answer of one line, then
 * close_notify; with --echo each record's data goes back as one record. One thread for each client. */
#define _GNU_SOURCE /* ppoll, accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handfast.h"

enum { IN_SIZE = 1 << 16, REQUEST_SIZE = 4096, PATIENCE_MS = 15000, LINGER_MS = 4000 };

struct setup {
    int port;
    bool echo, verbose, ask_later;
    const char *ocsp;
    hf_trust *trust;
    hf_config *config;
};

struct guest {
    const struct setup *setup;
    int fd;
    hf_conn *conn;
    uint8_t in[IN_SIZE]; /* records as they came */
    size_t in_len;
    uint8_t waiting[IN_SIZE]; /* data that goes out once the handshake allows it */
    size_t waiting_len;
    char tail[4]; /* the last bytes of the request */
    bool answered, asked;
};

/* ---- sockets */

static bool put(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static ssize_t get(int fd, uint8_t *p, size_t n, int patience)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, patience) <= 0)
        return 0;
    return recv(fd, p, n, 0);
}

/* Bytes that nobody reads would make the system reset the connection, and the client lose our alert. */
static void leave(int fd)
{
    static uint8_t rest[IN_SIZE]; /* what is in it is of no interest to any thread */
    shutdown(fd, SHUT_WR);
    while (get(fd, rest, sizeof rest, LINGER_MS) > 0)
        ;
    close(fd);
}

/* ---- a client */

static bool flush(struct guest *g)
{
    size_t n;
    const uint8_t *p;
    while ((p = hf_conn_output(g->conn, &n))) {
        if (!put(g->fd, p, n))
            return false;
        hf_conn_output_done(g->conn, n);
    }
    return true;
}

/* What waits goes out as soon as no handshake is under way. */
static bool send_waiting(struct guest *g)
{
    static const size_t room = 4 * IN_SIZE;
    size_t taken = 0, written = 0;
    /* nobody knows for whom it is yet */
    if (hf_conn_post_auth(g->conn) == HF_POST_AUTH_PENDING)
        return true;
    uint8_t *out = g->waiting_len ? malloc(room) : NULL;
    if (!out)
        return g->waiting_len == 0;
    hf_result r =
        hf_conn_send(g->conn, g->waiting, g->waiting_len, &taken, out, room, &written);
    bool good = r == HF_DONE || r == HF_WANT_INPUT;
    if (good)
        good = put(g->fd, out, written);
    memmove(g->waiting, g->waiting + taken, g->waiting_len - taken);
    g->waiting_len -= taken;
    free(out);
    if (good && g->answered && g->waiting_len == 0)
        hf_conn_close(g->conn);
    return good;
}

static void take_later(struct guest *g, const void *p, size_t n)
{
    if (n > sizeof g->waiting - g->waiting_len)
        n = sizeof g->waiting - g->waiting_len;
    memcpy(g->waiting + g->waiting_len, p, n);
    g->waiting_len += n;
}

/* A request ends with an empty line; its parts may come in any number of records. */
static void read_request(struct guest *g, const uint8_t *p, size_t n)
{
    static const char answer[] =
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhandfast\n";
    for (size_t i = 0; i < n && !g->answered; i++) {
        memmove(g->tail, g->tail + 1, 3);
        g->tail[3] = (char)p[i];
        if (memcmp(g->tail + 2, "\n\n", 2) == 0 || memcmp(g->tail, "\r\n\r\n", 4) == 0) {
            hf_error err;
            if (g->setup->ask_later && !g->asked)
                g->asked = hf_conn_request_certificate(g->conn, HF_CLIENT_AUTH_REQUEST, &err) ==
                           HF_DONE;
            take_later(g, answer, sizeof answer - 1);
            g->answered = true;
        }
    }
}

/* One record at a time; false when the connection has ended. */
static bool take(struct guest *g)
{
    size_t at = 0;
    hf_result r;
    do {
        uint8_t *data;
        size_t used, n;
        r = hf_conn_receive(g->conn, g->in + at, g->in_len - at, &used, &data, &n);
        at += used;
        if (n && g->setup->echo)
            take_later(g, data, n);
        else if (n)
            read_request(g, data, n);
        if (!send_waiting(g) || !flush(g))
            return false;
    } while (r == HF_DONE);
    memmove(g->in, g->in + at, g->in_len - at);
    g->in_len -= at;
    if (r == HF_CLOSED) {
        hf_conn_close(g->conn);
        flush(g);
    }
    return r == HF_WANT_INPUT && !(hf_conn_wants(g->conn) & HF_IS_CLOSED_OUT);
}

static void complain(const struct guest *g)
{
    char line[512];
    const hf_error *err = hf_conn_error(g->conn);
    if (!err || !g->setup->verbose)
        return;
    hf_error_line(err, line, sizeof line);
    fprintf(stderr, "%s\n", line);
}

static void *serve(void *arg)
{
    struct guest *g = arg;
    hf_error err;
    g->conn = hf_conn_new_server(g->setup->config, &err);
    while (g->conn) {
        ssize_t n = get(g->fd, g->in + g->in_len, sizeof g->in - g->in_len, PATIENCE_MS);
        if (n <= 0) {
            (void)!hf_conn_receive_end(g->conn);
            flush(g);
            break;
        }
        g->in_len += (size_t)n;
        if (!take(g))
            break;
    }
    if (g->conn)
        complain(g);
    hf_conn_free(g->conn);
    leave(g->fd);
    free(g);
    return NULL;
}

static void welcome(const struct setup *setup, int fd)
{
    pthread_t thread;
    int one = 1;
    struct guest *g = calloc(1, sizeof *g);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (g) {
        g->setup = setup;
        g->fd = fd;
        if (pthread_create(&thread, NULL, serve, g) == 0) {
            pthread_detach(thread);
            return;
        }
    }
    free(g);
    close(fd);
}

/* ---- options */

static bool yes(const char *value)
{
    return strcmp(value, "on") == 0;
}

static unsigned number(const char *value)
{
    return (unsigned)strtoul(value, NULL, 0);
}

/* "chain.pem:key.pem" */
static bool set_credential(struct setup *s, const char *value, hf_error *err)
{
    char chain[1024];
    const char *colon = strchr(value, ':');
    uint8_t der[8192];
    if (!colon || (size_t)(colon - value) >= sizeof chain)
        return false;
    memcpy(chain, value, (size_t)(colon - value));
    chain[colon - value] = 0;
    hf_credential *cred = hf_credential_load_files(chain, colon + 1, NULL, NULL, err);
    FILE *f = cred && s->ocsp ? fopen(s->ocsp, "rb") : NULL;
    bool good = cred && (!s->ocsp || f);
    if (good && f)
        good = hf_credential_set_ocsp(cred, der, fread(der, 1, sizeof der, f), err);
    if (f)
        fclose(f);
    good = good && hf_config_add_credential(s->config, cred);
    hf_credential_free(cred);
    return good;
}

static bool set_trust(struct setup *s, const char *value, hf_error *err)
{
    s->trust = hf_trust_new();
    return s->trust && hf_trust_add_file(s->trust, value, err) &&
           hf_config_set_trust(s->config, s->trust);
}

/* "identity:secret", both text */
static bool set_psk(struct setup *s, const char *value)
{
    const char *colon = strchr(value, ':');
    return colon &&
           hf_config_add_psk(s->config, (const uint8_t *)value, (size_t)(colon - value),
                             (const uint8_t *)colon + 1, strlen(colon + 1));
}

static bool set_auth(struct setup *s, const char *value)
{
    bool must = strcmp(value, "require") == 0;
    return hf_config_set_client_auth(s->config,
                                     must ? HF_CLIENT_AUTH_REQUIRE : HF_CLIENT_AUTH_REQUEST);
}

static uint16_t version_of(const char *value)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    for (uint16_t i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) == 0)
            return (uint16_t)(HF_TLS1_0 + i);
    }
    return 0;
}

/* "1.0-1.2" */
static bool set_versions(struct setup *s, const char *value)
{
    char lowest[4] = "";
    if (strlen(value) != 7)
        return false;
    memcpy(lowest, value, 3);
    return hf_config_set_versions(s->config, version_of(lowest), version_of(value + 4));
}

static bool set(struct setup *s, const char *name, const char *value, hf_error *err)
{
    hf_config *c = s->config;
#define IS(what) (strcmp(name, "--" what) == 0)
    if (IS("port"))
        return (s->port = (int)number(value)) != 0;
    if (IS("echo"))
        return s->echo = yes(value), true;
    if (IS("verbose"))
        return s->verbose = yes(value), true;
    if (IS("ocsp"))
        return s->ocsp = value, true;
    if (IS("credential"))
        return set_credential(s, value, err);
    if (IS("trust"))
        return set_trust(s, value, err);
    if (IS("post-handshake-auth"))
        return s->ask_later = yes(value), hf_config_set_post_handshake_auth(c, yes(value));
    if (IS("client-auth"))
        return set_auth(s, value);
    if (IS("verify"))
        return yes(value) || hf_config_insecure_no_verify(c);
    if (IS("versions"))
        return set_versions(s, value);
    if (IS("level"))
        return hf_config_insecure_set_security_level(c, number(value));
    if (IS("ciphers"))
        return hf_config_set_ciphers(c, value);
    if (IS("suites"))
        return hf_config_set_suites(c, value);
    if (IS("groups"))
        return hf_config_set_groups(c, value);
    if (IS("signatures"))
        return hf_config_set_signatures(c, value);
    if (IS("alpn"))
        return hf_config_set_alpn(c, value, false);
    if (IS("psk"))
        return set_psk(s, value);
    if (IS("psk-ke"))
        return !yes(value) || hf_config_set_psk_modes(c, HF_PSK_KE | HF_PSK_DHE_KE);
    if (IS("tickets"))
        return hf_config_set_tickets(c, number(value), 7200);
    if (IS("cache"))
        return hf_config_set_session_cache(c, number(value), 7200);
    if (IS("renegotiations"))
        return hf_config_set_renegotiation(c, number(value));
    if (IS("require-ems"))
        return hf_config_require_ems(c, yes(value));
    if (IS("encrypt-then-mac"))
        return hf_config_set_encrypt_then_mac(c, yes(value));
    if (IS("server-preference"))
        return hf_config_set_server_preference(c, yes(value));
    if (IS("memory"))
        return hf_config_set_memory_cap(c, number(value));
    if (IS("record-size-limit"))
        return hf_config_set_record_size_limit(c, (uint16_t)number(value));
#undef IS
    return false;
}

/* A staple belongs to the credential that comes after it. */
static bool configure(struct setup *s, int argc, char **argv)
{
    hf_error err = {0};
    s->config = hf_config_new(HF_SERVER);
    for (int i = 1; s->config && i + 1 < argc; i += 2) {
        if (set(s, argv[i], argv[i + 1], &err))
            continue;
        const hf_error *why = hf_config_error(s->config);
        char line[512] = "";
        hf_error_line(why ? why : &err, line, sizeof line);
        fprintf(stderr, "server: %s %s: %s\n", argv[i], argv[i + 1], line);
        return false;
    }
    if (s->config && argc % 2 == 1 && hf_config_freeze(s->config, &err))
        return true;
    char line[512] = "";
    hf_error_line(&err, line, sizeof line);
    fprintf(stderr, "server: %s\n", argc % 2 ? line : "each option has a value");
    return false;
}

/* ---- the door */

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static int listen_on(int port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof here) == 0 && listen(fd, 128) == 0)
        return fd;
    perror("server: cannot listen");
    return -1;
}

int main(int argc, char **argv)
{
    struct setup s = {0};
    if (!configure(&s, argc, argv))
        return 2;
    int door = listen_on(s.port);
    if (door < 0)
        return 1;
    /* The signal reaches this thread alone, and only where it waits. */
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    signal(SIGTERM, stop);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    while (!stopped) {
        struct pollfd wait = {.fd = door, .events = POLLIN};
        int fd =
            ppoll(&wait, 1, NULL, &before) > 0 ? accept4(door, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            welcome(&s, fd);
    }
    hf_config_free(s.config);
    hf_trust_free(s.trust);
    return 0;
}

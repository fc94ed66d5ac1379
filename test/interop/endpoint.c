/* endpoint.c: handfast's end of a connection where the tests want what `handfast connect` and `handfast serve`
 * are not to be asked for: pre-shared keys, anonymous suites, renegotiation, no encrypt-then-MAC.
 *
 *     endpoint client PORT [OPTION=VALUE]...   and more options from each line of standard input: a connection
 *     endpoint server PORT [OPTION=VALUE]...   until it is killed
 *
 * A client sends a line and waits for one in answer; a server sends the line back that it gets, and closes. Each
 * prints "conn ..." for a connection that went well, "error ..." for another. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handfast.h"

enum { LINE = 3000, IN_SIZE = 2 * HF_RECORD_MAX, OUT_SIZE = 64 * 1024, WORDS = 32 };

struct setup {
    const char *ca, *cert[2], *key[2], *ciphers, *psk;
    size_t certs;
    uint16_t lowest, highest;
    bool etm, any_peer;
    unsigned allowed, renegotiate; /* renegotiations: of any side; that this side starts */
};

struct end {
    hf_conn *conn;
    int fd;
    uint8_t in[IN_SIZE];
    size_t in_len;
    char line[2 * LINE];
    size_t line_len;
    unsigned handshakes;
    bool shaking;
};

/* ---------------------------------------------------------------- options */

static uint16_t version_of(const char *text)
{
    return (uint16_t)(HF_TLS1_0 + text[2] - '0');
}

static bool set_option(struct setup *s, char *word)
{
    char *value = strchr(word, '=');
    if (!value)
        return false;
    *value++ = 0;
    if (strcmp(word, "ca") == 0)
        s->ca = value;
    else if (strcmp(word, "cert") == 0 && s->certs < 2)
        s->cert[s->certs++] = value;
    else if (strcmp(word, "key") == 0 && s->certs > 0)
        s->key[s->certs - 1] = value;
    else if (strcmp(word, "ciphers") == 0)
        s->ciphers = value;
    else if (strcmp(word, "psk") == 0)
        s->psk = value;
    else if (strcmp(word, "version") == 0)
        s->lowest = s->highest = version_of(value);
    else if (strcmp(word, "min") == 0)
        s->lowest = version_of(value);
    else if (strcmp(word, "etm") == 0)
        s->etm = strcmp(value, "off") != 0;
    else if (strcmp(word, "peer") == 0)
        s->any_peer = strcmp(value, "any") == 0;
    else if (strcmp(word, "allow") == 0)
        s->allowed = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(word, "renegotiate") == 0)
        s->allowed = s->renegotiate = (unsigned)strtoul(value, NULL, 10);
    else
        return false;
    return true;
}

static bool add_psk(hf_config *config, const char *hex)
{
    static const uint8_t identity[] = "interop";
    uint8_t key[64];
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n && i < sizeof key; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        key[i] = (uint8_t)byte;
    }
    return n <= sizeof key && hf_config_add_psk(config, identity, sizeof identity - 1, key, n);
}

static bool set_files(hf_config *config, const struct setup *s, hf_error *err)
{
    bool good = true;
    if (s->ca) {
        hf_trust *trust = hf_trust_new();
        good =
            trust && hf_trust_add_file(trust, s->ca, err) && hf_config_set_trust(config, trust);
        hf_trust_free(trust);
    }
    for (size_t i = 0; good && i < s->certs; i++) {
        hf_credential *cred = hf_credential_load_files(s->cert[i], s->key[i], NULL, NULL, err);
        good = cred && hf_config_add_credential(config, cred);
        hf_credential_free(cred);
    }
    return good;
}

static hf_config *configure(const struct setup *s, hf_role role, hf_error *err)
{
    hf_config *config = hf_config_new(role);
    if (!config)
        return NULL;
    bool good = hf_config_set_versions(config, s->lowest, s->highest) &&
                hf_config_insecure_set_security_level(config, 0) &&
                (!s->ciphers || hf_config_set_ciphers(config, s->ciphers)) &&
                (!s->psk || add_psk(config, s->psk)) &&
                hf_config_set_encrypt_then_mac(config, s->etm) &&
                hf_config_set_renegotiation(config, s->allowed);
    if (good && s->any_peer)
        good = hf_config_insecure_no_verify(config) && hf_config_insecure_no_name_check(config);
    if (good && set_files(config, s, err) && hf_config_freeze(config, err))
        return config;
    if (hf_config_error(config))
        *err = *hf_config_error(config);
    hf_config_free(config);
    return NULL;
}

/* ---------------------------------------------------------------- a connection */

static bool flush(struct end *e)
{
    size_t n;
    const uint8_t *p;
    while ((p = hf_conn_output(e->conn, &n))) {
        ssize_t sent = send(e->fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        hf_conn_output_done(e->conn, (size_t)sent);
    }
    return true;
}

/* Handshakes are counted by their ends. */
static void watch(struct end *e)
{
    bool shaking = hf_conn_wants(e->conn) & HF_IN_HANDSHAKE;
    if (e->shaking && !shaking)
        e->handshakes++;
    e->shaking = shaking;
}

/* One portion from the socket; false when the connection has ended. */
static bool pump(struct end *e)
{
    if (!flush(e))
        return false;
    watch(e);
    ssize_t n = recv(e->fd, e->in + e->in_len, sizeof e->in - e->in_len, 0);
    if (n <= 0) {
        (void)!hf_conn_receive_end(e->conn);
        return false;
    }
    e->in_len += (size_t)n;
    hf_result r;
    size_t at = 0;
    do {
        uint8_t *data;
        size_t used, len;
        r = hf_conn_receive(e->conn, e->in + at, e->in_len - at, &used, &data, &len);
        at += used;
        if (len > sizeof e->line - e->line_len)
            len = sizeof e->line - e->line_len;
        if (len)
            memcpy(e->line + e->line_len, data, len);
        e->line_len += len;
        watch(e);
    } while (r == HF_DONE);
    memmove(e->in, e->in + at, e->in_len - at);
    e->in_len -= at;
    return flush(e) && r == HF_WANT_INPUT;
}

static bool until_shaken(struct end *e)
{
    (void)!hf_conn_handshake(e->conn);
    watch(e);
    while (hf_conn_wants(e->conn) & HF_IN_HANDSHAKE)
        if (!pump(e))
            return false;
    return flush(e);
}

static bool until_line(struct end *e)
{
    bool open = true;
    while (open && !memchr(e->line, '\n', e->line_len))
        open = pump(e);
    return memchr(e->line, '\n', e->line_len) != NULL;
}

static bool say(struct end *e, const char *p, size_t len)
{
    static uint8_t out[OUT_SIZE];
    while (len > 0) {
        size_t taken, written;
        hf_result r =
            hf_conn_send(e->conn, (const uint8_t *)p, len, &taken, out, sizeof out, &written);
        if (r != HF_DONE || send(e->fd, out, written, MSG_NOSIGNAL) != (ssize_t)written)
            return false;
        p += taken;
        len -= taken;
    }
    return true;
}

static bool renegotiate(struct end *e, unsigned times)
{
    hf_error err;
    for (unsigned i = 0; i < times; i++) {
        unsigned before = e->handshakes;
        if (hf_conn_renegotiate(e->conn, &err) != HF_DONE)
            return false;
        /* A server's request is no handshake yet. */
        while (e->handshakes == before)
            if (!pump(e))
                return false;
    }
    return flush(e);
}

static bool reversed(const struct end *e, const char *line)
{
    if (e->line_len < LINE)
        return false;
    for (size_t i = 0; i < LINE - 1; i++)
        if (e->line[i] != line[LINE - 2 - i])
            return false;
    return true;
}

static bool talk(struct end *e, const struct setup *s, bool server)
{
    char line[LINE];
    if (!until_shaken(e))
        return false;
    if (server)
        return until_line(e) && renegotiate(e, s->renegotiate) && say(e, e->line, e->line_len);
    if (!renegotiate(e, s->renegotiate))
        return false;
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = (char)('a' + i * 7 % 26);
    line[LINE - 1] = '\n';
    if (!say(e, line, sizeof line) || !until_line(e))
        return false;
    /* Peers answer with the line, with the line reversed, or with what the test tells them to. */
    return reversed(e, line) || memcmp(e->line, line, LINE) == 0 ||
           memcmp(e->line, "answer\n", 7) == 0;
}

static const char *suite_name(uint16_t id)
{
    static hf_suite_info all[256];
    size_t n = hf_all_suites(all, 256);
    for (size_t i = 0; i < n && i < 256; i++)
        if (all[i].id == id)
            return all[i].openssl_name;
    return "?";
}

static void report(const struct end *e, bool good)
{
    const hf_error *err = hf_conn_error(e->conn);
    char text[512] = "the answer is wrong";
    if (err)
        hf_error_line(err, text, sizeof text);
    size_t id;
    if (good)
        printf("conn version=1.%d suite=%s ems=%s etm=%s psk=%s handshakes=%u\n",
               hf_conn_version(e->conn) - HF_TLS1_0, suite_name(hf_conn_suite(e->conn)),
               hf_conn_ems(e->conn) ? "yes" : "no", hf_conn_etm(e->conn) ? "yes" : "no",
               hf_conn_psk_identity(e->conn, &id) ? "yes" : "no", e->handshakes);
    else
        printf("error %s\n", text);
    fflush(stdout);
}

static void run(int fd, hf_config *config, const struct setup *s, bool server)
{
    static struct end e;
    hf_error err;
    struct timeval patience = {.tv_sec = 10};
    int one = 1;
    memset(&e, 0, sizeof e);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    e.fd = fd;
    e.shaking = true;
    e.conn = server ? hf_conn_new_server(config, &err)
                    : hf_conn_new_client(config, "localhost", &err);
    if (!e.conn) {
        printf("error %s\n", err.detail);
        fflush(stdout);
        return;
    }
    bool good = talk(&e, s, server);
    hf_conn_close(e.conn);
    flush(&e);
    report(&e, good);
    hf_conn_free(e.conn);
    /* Bytes left unread would make the system take the last ones back. */
    shutdown(fd, SHUT_WR);
    while (recv(fd, e.in, sizeof e.in, 0) > 0)
        ;
}

/* ---------------------------------------------------------------- roles */

static hf_config *configured(const struct setup *s, hf_role role)
{
    hf_error err = {.code = HF_OK};
    hf_config *config = configure(s, role, &err);
    if (!config) {
        printf("error configuration: %s\n", err.detail);
        fflush(stdout);
    }
    return config;
}

static void connect_once(int port, const struct setup *common, char *text)
{
    struct setup s = *common;
    for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
        if (!set_option(&s, word))
            printf("error option %s\n", word);
    hf_config *config = configured(&s, HF_CLIENT);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (config && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        run(fd, config, &s, false);
    close(fd);
    hf_config_free(config);
}

static int serve(int port, const struct setup *s)
{
    hf_config *config = configured(s, HF_SERVER);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int door = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!config || bind(door, (struct sockaddr *)&at, sizeof at) != 0 || listen(door, 64) != 0)
        return 1;
    for (;;) {
        int fd = accept(door, NULL, NULL);
        run(fd, config, s, true);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    static char line[1024];
    struct setup s = {.lowest = HF_TLS1_2, .highest = HF_TLS1_2, .etm = true};
    if (argc < 3)
        return 2;
    for (int i = 3; i < argc; i++)
        if (!set_option(&s, argv[i]))
            return 2;
    if (strcmp(argv[1], "server") == 0)
        return serve(atoi(argv[2]), &s);
    while (fgets(line, sizeof line, stdin))
        connect_once(atoi(argv[2]), &s, line);
    return 0;
}

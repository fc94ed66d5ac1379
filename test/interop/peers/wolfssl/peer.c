/* The wolfSSL peer: see ../README.md. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 16384 };

static const char *ca, *cert, *key, *alpn, *version;
static long echo, times = 1;
static int update, tickets = 1;

static int die(const char *what, WOLFSSL *ssl, int r)
{
    char text[WOLFSSL_MAX_ERROR_SZ] = "";
    if (ssl)
        wolfSSL_ERR_error_string((unsigned long)wolfSSL_get_error(ssl, r), text);
    printf("error %s %s\n", what, text);
    fflush(stdout);
    return 1;
}

static void read_options(int n, char **word)
{
    for (int i = 0; i < n; i++) {
        char *value = strchr(word[i], '=');
        if (!value)
            continue;
        *value++ = '\0';
        if (strcmp(word[i], "ca") == 0)
            ca = value;
        else if (strcmp(word[i], "cert") == 0)
            cert = value;
        else if (strcmp(word[i], "key") == 0)
            key = value;
        else if (strcmp(word[i], "alpn") == 0)
            alpn = value;
        else if (strcmp(word[i], "echo") == 0)
            echo = atol(value);
        else if (strcmp(word[i], "times") == 0)
            times = atol(value);
        else if (strcmp(word[i], "tickets") == 0)
            tickets = atoi(value);
        else if (strcmp(word[i], "version") == 0)
            version = value;
        else if (strcmp(word[i], "keyupdate") == 0)
            update = 1;
    }
}

static void fill(unsigned char *out, int size, long at)
{
    for (int i = 0; i < size; i++) {
        long n = at + i;
        out[i] = (unsigned char)(131 * n + 17 * (n >> 8) + 29 * (n >> 16));
    }
}

static void report(WOLFSSL *ssl, long size)
{
    char *protocol = NULL;
    unsigned short len = 0;
    WOLFSSL_X509 *peer = wolfSSL_get_peer_certificate(ssl);
    if (wolfSSL_ALPN_GetProtocol(ssl, &protocol, &len) != WOLFSSL_SUCCESS || !protocol) {
        protocol = "-";
        len = 1;
    }
    printf("conn version=%s suite=%s resumed=%s alpn=%.*s client=%s bytes=%ld\n",
           wolfSSL_get_version(ssl), wolfSSL_get_cipher_name(ssl),
           wolfSSL_session_reused(ssl) ? "yes" : "no", len, protocol, peer ? "yes" : "-", size);
    fflush(stdout);
    wolfSSL_X509_free(peer);
}

static WOLFSSL_CTX *context(WOLFSSL_METHOD *method, const char *chain, const char *private_key)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(method);
    if (chain && wolfSSL_CTX_use_certificate_chain_file(ctx, chain) != WOLFSSL_SUCCESS)
        exit(die("certificate", NULL, 0));
    if (private_key && wolfSSL_CTX_use_PrivateKey_file(ctx, private_key,
                                                       WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
        exit(die("key", NULL, 0));
    if (ca && wolfSSL_CTX_load_verify_locations(ctx, ca, NULL) != WOLFSSL_SUCCESS)
        exit(die("authority", NULL, 0));
    /* Debian's build verifies nobody unless it is told to. */
    wolfSSL_CTX_set_verify(ctx,
                           ca ? WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT
                              : WOLFSSL_VERIFY_NONE,
                           NULL);
    return ctx;
}

static void set_alpn(WOLFSSL *ssl)
{
    char copy[256];
    if (!alpn)
        return;
    snprintf(copy, sizeof copy, "%s", alpn);
    wolfSSL_UseALPN(ssl, copy, (unsigned)strlen(copy), WOLFSSL_ALPN_FAILED_ON_MISMATCH);
}

/* Block by block: send, read back, compare. */
static int echo_blocks(WOLFSSL *ssl)
{
    static unsigned char sent[BLOCK], got[BLOCK];
    int turn = 0;
    for (long at = 0; at < echo;) {
        int n = echo - at < BLOCK ? (int)(echo - at) : BLOCK;
        fill(sent, n, at);
        int r = wolfSSL_write(ssl, sent, n);
        if (r != n)
            return die("write", ssl, r);
        for (int back = 0; back < n; back += r)
            if ((r = wolfSSL_read(ssl, got + back, n - back)) <= 0)
                return die("read", ssl, r);
        if (memcmp(sent, got, (size_t)n) != 0)
            return die("the bytes came back changed", NULL, 0);
        at += n;
        if (update && ++turn % 8 == 0 && (r = wolfSSL_update_keys(ssl)) != WOLFSSL_SUCCESS)
            return die("update", ssl, r);
    }
    return 0;
}

static int client(int port)
{
    /* Of TLS 1.3 alone it would still offer Brainpool groups, which RFC 8446 4.2.7 forbids: handfast then
     * refuses it. With TLS 1.2 beside it they are in order. */
    WOLFSSL_METHOD *method = version && strcmp(version, "1.1") == 0
                                 ? wolfTLSv1_1_client_method()
                             : version ? wolfTLSv1_2_client_method()
                                       : wolfTLS_client_method();
    WOLFSSL_CTX *ctx = context(method, cert, key);
    WOLFSSL_SESSION *session = NULL;
    for (long i = 0; i < times; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
            return die(strerror(errno), NULL, 0);
        WOLFSSL *ssl = wolfSSL_new(ctx);
        wolfSSL_set_fd(ssl, fd);
        wolfSSL_check_domain_name(ssl, "localhost");
        wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, "localhost", 9);
        set_alpn(ssl);
        if (version && tickets)
            wolfSSL_UseSessionTicket(ssl);
        if (session)
            wolfSSL_set_session(ssl, session);
        int r = wolfSSL_connect(ssl);
        if (r != WOLFSSL_SUCCESS)
            return die("handshake", ssl, r);
        if (echo_blocks(ssl) != 0)
            return 1;
        report(ssl, echo);
        session = wolfSSL_get1_session(ssl);
        wolfSSL_shutdown(ssl);
        wolfSSL_free(ssl);
        close(fd);
    }
    return 0;
}

static int serve_one(WOLFSSL_CTX *ctx, int fd)
{
    static unsigned char block[BLOCK];
    WOLFSSL *ssl = wolfSSL_new(ctx);
    wolfSSL_set_fd(ssl, fd);
    set_alpn(ssl);
    int r = wolfSSL_accept(ssl), turn = 0;
    if (r != WOLFSSL_SUCCESS) {
        /* Bytes left unread would make the system take the alert back. */
        shutdown(fd, SHUT_WR);
        while (read(fd, block, BLOCK) > 0)
            ;
        return die("handshake", ssl, r);
    }
    long size = 0;
    while ((r = wolfSSL_read(ssl, block, BLOCK)) > 0) {
        size += r;
        int w = wolfSSL_write(ssl, block, r);
        if (w != r)
            return die("write", ssl, w);
        if (update && ++turn % 8 == 0 && (w = wolfSSL_update_keys(ssl)) != WOLFSSL_SUCCESS)
            return die("update", ssl, w);
    }
    if (wolfSSL_get_error(ssl, r) != WOLFSSL_ERROR_ZERO_RETURN)
        return die("read", ssl, r);
    report(ssl, size);
    wolfSSL_shutdown(ssl);
    wolfSSL_free(ssl);
    return 0;
}

static int server(int port, const char *chain, const char *private_key)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    WOLFSSL_METHOD *method = version && strcmp(version, "1.1") == 0
                                 ? wolfTLSv1_1_server_method()
                             : version ? wolfTLSv1_2_server_method()
                                       : wolfTLSv1_3_server_method();
    WOLFSSL_CTX *ctx = context(method, chain, private_key);
    if (!tickets)
        wolfSSL_CTX_NoTicketTLSv12(ctx);
    int door = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (struct sockaddr *)&at, sizeof at) != 0 || listen(door, 64) != 0)
        return die(strerror(errno), NULL, 0);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int fd = accept(door, NULL, NULL);
        /* One after the other: a child would have ticket keys of its own. */
        serve_one(ctx, fd);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 4)
        return 2;
    int is_client = strcmp(argv[1], "client") == 0, port = atoi(argv[2]);
    read_options(argc - (is_client ? 4 : 5), argv + (is_client ? 4 : 5));
    wolfSSL_Init();
    if (!is_client)
        return server(port, argv[3], argv[4]);
    ca = argv[3];
    return client(port);
}

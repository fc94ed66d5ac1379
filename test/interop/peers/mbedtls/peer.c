/* The mbedTLS peer, for mbedTLS 2.28: see ../README.md. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384 };

static const char *ca, *cert, *key, *alpn[8], *version;
static long echo, times = 1;
static int tickets = 1;

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_ssl_config config;
static mbedtls_x509_crt anchors, own;
static mbedtls_pk_context own_key;
static mbedtls_ssl_cache_context cache;
static mbedtls_ssl_ticket_context ticket_keys;
static int was_resumed;

static int die(const char *what, int r)
{
    char text[200] = "";
    if (r)
        mbedtls_strerror(r, text, sizeof text);
    printf("error %s %s\n", what, text);
    fflush(stdout);
    return 1;
}

static void must(const char *what, int r)
{
    if (r != 0)
        exit(die(what, r));
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
        else if (strcmp(word[i], "echo") == 0)
            echo = atol(value);
        else if (strcmp(word[i], "times") == 0)
            times = atol(value);
        else if (strcmp(word[i], "tickets") == 0)
            tickets = atoi(value);
        else if (strcmp(word[i], "version") == 0)
            version = value;
        else if (strcmp(word[i], "alpn") == 0) {
            int k = 0;
            for (char *name = strtok(value, ","); name && k < 7; name = strtok(NULL, ","))
                alpn[k++] = name;
        }
    }
}

static void fill(unsigned char *out, int size, long at)
{
    for (int i = 0; i < size; i++) {
        long n = at + i;
        out[i] = (unsigned char)(131 * n + 17 * (n >> 8) + 29 * (n >> 16));
    }
}

/* Nothing tells whether a session was resumed, but only a full handshake passes this state. */
static int shake_hands(mbedtls_ssl_context *ssl)
{
    int r = 0;
    was_resumed = 1;
    while (ssl->state != MBEDTLS_SSL_HANDSHAKE_OVER && r == 0) {
        if (ssl->state == MBEDTLS_SSL_SERVER_HELLO_DONE)
            was_resumed = 0;
        r = mbedtls_ssl_handshake_step(ssl);
    }
    return r;
}

static void report(mbedtls_ssl_context *ssl, long size)
{
    const char *protocol = mbedtls_ssl_get_alpn_protocol(ssl);
    printf("conn version=%s suite=%s resumed=%s alpn=%s client=%s bytes=%ld\n",
           mbedtls_ssl_get_version(ssl), mbedtls_ssl_get_ciphersuite(ssl),
           was_resumed ? "yes" : "no", protocol ? protocol : "-",
           mbedtls_ssl_get_peer_cert(ssl) ? "yes" : "-", size);
    fflush(stdout);
}

static void configure(int endpoint)
{
    static const mbedtls_x509_crt_profile any = {.allowed_mds = 0xFFFFFFF,
                                                 .allowed_pks = 0xFFFFFFF,
                                                 .allowed_curves = 0xFFFFFFF,
                                                 .rsa_min_bitlen = 1024};
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_ssl_config_init(&config);
    mbedtls_x509_crt_init(&anchors);
    mbedtls_x509_crt_init(&own);
    mbedtls_pk_init(&own_key);
    must("random", mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0));
    must("config", mbedtls_ssl_config_defaults(&config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                               MBEDTLS_SSL_PRESET_DEFAULT));
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &drbg);
    mbedtls_ssl_conf_cert_profile(&config, &any);
    mbedtls_ssl_conf_authmode(&config,
                              ca ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    if (ca) {
        must("authority", mbedtls_x509_crt_parse_file(&anchors, ca));
        mbedtls_ssl_conf_ca_chain(&config, &anchors, NULL);
    }
    if (cert) {
        must("certificate", mbedtls_x509_crt_parse_file(&own, cert));
        must("key", mbedtls_pk_parse_keyfile(&own_key, key, NULL));
        must("pair", mbedtls_ssl_conf_own_cert(&config, &own, &own_key));
    }
    if (alpn[0])
        must("alpn", mbedtls_ssl_conf_alpn_protocols(&config, alpn));
    int minor = version ? version[2] - '0' + 1 : MBEDTLS_SSL_MINOR_VERSION_3;
    mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, minor);
    mbedtls_ssl_conf_max_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, minor);
    if (endpoint == MBEDTLS_SSL_IS_CLIENT)
        mbedtls_ssl_conf_session_tickets(&config, tickets
                                                      ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                      : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
}

/* Block by block: send, read back, compare. */
static int echo_blocks(mbedtls_ssl_context *ssl)
{
    static unsigned char sent[BLOCK], got[BLOCK];
    for (long at = 0; at < echo;) {
        int n = echo - at < BLOCK ? (int)(echo - at) : BLOCK, r;
        fill(sent, n, at);
        for (int out = 0; out < n; out += r)
            if ((r = mbedtls_ssl_write(ssl, sent + out, (size_t)(n - out))) <= 0)
                return die("write", r);
        for (int back = 0; back < n; back += r)
            if ((r = mbedtls_ssl_read(ssl, got + back, (size_t)(n - back))) <= 0)
                return die("read", r);
        if (memcmp(sent, got, (size_t)n) != 0)
            return die("the bytes came back changed", 0);
        at += n;
    }
    return 0;
}

static int client(const char *port)
{
    mbedtls_ssl_session session;
    configure(MBEDTLS_SSL_IS_CLIENT);
    for (long i = 0; i < times; i++) {
        mbedtls_net_context net;
        mbedtls_ssl_context ssl;
        mbedtls_net_init(&net);
        mbedtls_ssl_init(&ssl);
        must("connect", mbedtls_net_connect(&net, "127.0.0.1", port, MBEDTLS_NET_PROTO_TCP));
        must("setup", mbedtls_ssl_setup(&ssl, &config));
        must("name", mbedtls_ssl_set_hostname(&ssl, "localhost"));
        mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
        if (i > 0)
            must("session", mbedtls_ssl_set_session(&ssl, &session));
        must("handshake", shake_hands(&ssl));
        if (echo_blocks(&ssl) != 0)
            return 1;
        report(&ssl, echo);
        mbedtls_ssl_session_init(&session);
        must("session", mbedtls_ssl_get_session(&ssl, &session));
        mbedtls_ssl_close_notify(&ssl);
        mbedtls_ssl_free(&ssl);
        mbedtls_net_free(&net);
    }
    return 0;
}

static int serve_one(mbedtls_net_context *net)
{
    static unsigned char block[BLOCK];
    mbedtls_ssl_context ssl;
    mbedtls_ssl_init(&ssl);
    must("setup", mbedtls_ssl_setup(&ssl, &config));
    mbedtls_ssl_set_bio(&ssl, net, mbedtls_net_send, mbedtls_net_recv, NULL);
    int r = shake_hands(&ssl);
    if (r != 0) {
        mbedtls_ssl_free(&ssl);
        return die("handshake", r);
    }
    long size = 0;
    while ((r = mbedtls_ssl_read(&ssl, block, BLOCK)) > 0) {
        size += r;
        for (int out = 0, w; out < r; out += w)
            if ((w = mbedtls_ssl_write(&ssl, block + out, (size_t)(r - out))) <= 0)
                return die("write", w);
    }
    if (r == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        report(&ssl, size);
    else
        die("read", r);
    mbedtls_ssl_close_notify(&ssl);
    mbedtls_ssl_free(&ssl);
    return 0;
}

static void server(const char *port)
{
    mbedtls_net_context door, net;
    configure(MBEDTLS_SSL_IS_SERVER);
    if (tickets) {
        mbedtls_ssl_ticket_init(&ticket_keys);
        must("tickets", mbedtls_ssl_ticket_setup(&ticket_keys, mbedtls_ctr_drbg_random, &drbg,
                                                 MBEDTLS_CIPHER_AES_256_GCM, 3600));
        mbedtls_ssl_conf_session_tickets_cb(&config, mbedtls_ssl_ticket_write,
                                            mbedtls_ssl_ticket_parse, &ticket_keys);
    } else {
        mbedtls_ssl_cache_init(&cache);
        mbedtls_ssl_conf_session_cache(&config, &cache, mbedtls_ssl_cache_get,
                                       mbedtls_ssl_cache_set);
    }
    mbedtls_net_init(&door);
    must("bind", mbedtls_net_bind(&door, "127.0.0.1", port, MBEDTLS_NET_PROTO_TCP));
    puts("ready");
    fflush(stdout);
    for (;;) {
        mbedtls_net_init(&net);
        must("accept", mbedtls_net_accept(&door, &net, NULL, 0, NULL));
        serve_one(&net);
        mbedtls_net_free(&net);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 4)
        return 2;
    int is_client = strcmp(argv[1], "client") == 0;
    read_options(argc - (is_client ? 4 : 5), argv + (is_client ? 4 : 5));
    if (is_client) {
        ca = argv[3];
        return client(argv[2]);
    }
    cert = argv[3];
    key = argv[4];
    server(argv[2]);
}

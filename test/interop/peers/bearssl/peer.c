/* The BearSSL peer: see ../README.md. BearSSL has TLS 1.0 to 1.2, session IDs and no tickets. */
#include <bearssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 16384, FILE_SIZE = 1 << 16, MOST = 8 };

static const char *ca, *cert, *key, *alpn[MOST], *version;
static size_t alpn_count;
static long echo, times = 1;

static br_x509_certificate chain[MOST];
static size_t chain_len;
static br_skey_decoder_context own_key;
static br_x509_decoder_context anchor_decoder;
static br_x509_trust_anchor anchor;
static unsigned char anchor_name[1024];
static unsigned char buffer[BR_SSL_BUFSIZE_BIDI];
static br_x509_minimal_context verifier;

static int die(const char *what, int code)
{
    printf("error %s %d\n", what, code);
    fflush(stdout);
    return 1;
}

static void must(const char *what, int good)
{
    if (!good)
        exit(die(what, 0));
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
        else if (strcmp(word[i], "version") == 0)
            version = value;
        else if (strcmp(word[i], "alpn") == 0)
            for (char *name = strtok(value, ","); name && alpn_count < MOST;
                 name = strtok(NULL, ","))
                alpn[alpn_count++] = name;
    }
}

static void fill(unsigned char *out, int size, long at)
{
    for (int i = 0; i < size; i++) {
        long n = at + i;
        out[i] = (unsigned char)(131 * n + 17 * (n >> 8) + 29 * (n >> 16));
    }
}

/* ---------------------------------------------------------------- files */

struct block {
    unsigned char *p;
    size_t len;
};

static void append(void *arg, const void *p, size_t len)
{
    struct block *b = arg;
    b->p = realloc(b->p, b->len + len);
    must("memory", b->p != NULL);
    memcpy(b->p + b->len, p, len);
    b->len += len;
}

/* The objects in a PEM file whose name ends with `wanted`. */
static size_t read_pem(const char *path, const char *wanted, struct block *out)
{
    static unsigned char text[FILE_SIZE];
    FILE *f = fopen(path, "rb");
    must(path, f != NULL);
    size_t len = fread(text, 1, sizeof text, f), count = 0;
    fclose(f);
    br_pem_decoder_context pem;
    br_pem_decoder_init(&pem);
    for (size_t at = 0; at < len && count < MOST;) {
        at += br_pem_decoder_push(&pem, text + at, len - at);
        int event = br_pem_decoder_event(&pem);
        const char *name = br_pem_decoder_name(&pem);
        int mine = strlen(name) >= strlen(wanted) &&
                   strcmp(name + strlen(name) - strlen(wanted), wanted) == 0;
        if (event == BR_PEM_BEGIN_OBJ && mine) {
            out[count] = (struct block){0};
            br_pem_decoder_setdest(&pem, append, &out[count]);
        } else if (event == BR_PEM_BEGIN_OBJ) {
            br_pem_decoder_setdest(&pem, NULL, NULL);
        } else if (event == BR_PEM_END_OBJ && mine) {
            count++;
        }
    }
    must(path, count > 0);
    return count;
}

static void read_anchor(void)
{
    struct block der[MOST], name = {0};
    read_pem(ca, "CERTIFICATE", der);
    br_x509_decoder_init(&anchor_decoder, append, &name);
    br_x509_decoder_push(&anchor_decoder, der[0].p, der[0].len);
    br_x509_pkey *public_key = br_x509_decoder_get_pkey(&anchor_decoder);
    must("authority", public_key != NULL && name.len <= sizeof anchor_name);
    memcpy(anchor_name, name.p, name.len);
    anchor = (br_x509_trust_anchor){
        .dn = {anchor_name, name.len}, .flags = BR_X509_TA_CA, .pkey = *public_key};
}

static void read_own(void)
{
    struct block der[MOST], private_key[MOST];
    chain_len = read_pem(cert, "CERTIFICATE", der);
    for (size_t i = 0; i < chain_len; i++)
        chain[i] = (br_x509_certificate){der[i].p, der[i].len};
    read_pem(key, "PRIVATE KEY", private_key);
    br_skey_decoder_init(&own_key);
    br_skey_decoder_push(&own_key, private_key[0].p, private_key[0].len);
    must("key", br_skey_decoder_last_error(&own_key) == 0);
}

/* ---------------------------------------------------------------- connections */

static int low_read(void *arg, unsigned char *p, size_t len)
{
    ssize_t n = read(*(int *)arg, p, len);
    return n > 0 ? (int)n : -1;
}

static int low_write(void *arg, const unsigned char *p, size_t len)
{
    ssize_t n = write(*(int *)arg, p, len);
    return n > 0 ? (int)n : -1;
}

static void set_common(br_ssl_engine_context *engine)
{
    unsigned number = version ? (unsigned)(BR_TLS10 + version[2] - '0') : BR_TLS12;
    br_ssl_engine_set_versions(engine, number, number);
    br_ssl_engine_set_buffer(engine, buffer, sizeof buffer, 1);
    if (alpn_count)
        br_ssl_engine_set_protocol_names(engine, alpn, alpn_count);
}

static void report(br_ssl_engine_context *engine, const char *resumed, const char *client,
                   long size)
{
    const char *protocol = br_ssl_engine_get_selected_protocol(engine);
    br_ssl_session_parameters session;
    br_ssl_engine_get_session_parameters(engine, &session);
    printf("conn version=TLSv1.%u suite=%04X resumed=%s alpn=%s client=%s bytes=%ld\n",
           br_ssl_engine_get_version(engine) - BR_TLS10, session.cipher_suite, resumed,
           protocol ? protocol : "-", client, size);
    fflush(stdout);
}

/* Block by block: send, read back, compare. */
static int echo_blocks(br_sslio_context *io)
{
    static unsigned char sent[BLOCK], got[BLOCK];
    for (long at = 0; at < echo;) {
        int n = echo - at < BLOCK ? (int)(echo - at) : BLOCK;
        fill(sent, n, at);
        if (br_sslio_write_all(io, sent, (size_t)n) != 0 || br_sslio_flush(io) != 0)
            return die("write", br_ssl_engine_last_error(io->engine));
        if (br_sslio_read_all(io, got, (size_t)n) != 0)
            return die("read", br_ssl_engine_last_error(io->engine));
        if (memcmp(sent, got, (size_t)n) != 0)
            return die("the bytes came back changed", 0);
        at += n;
    }
    return 0;
}

static int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must("connect", connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

static int client(int port)
{
    static br_ssl_client_context tls;
    br_ssl_session_parameters session = {.session_id_len = 0};
    br_sslio_context io;
    for (long i = 0; i < times; i++) {
        int fd = dial(port);
        br_ssl_client_init_full(&tls, &verifier, &anchor, 1);
        set_common(&tls.eng);
        if (cert && br_skey_decoder_key_type(&own_key) == BR_KEYTYPE_EC)
            br_ssl_client_set_single_ec(&tls, chain, chain_len,
                                        br_skey_decoder_get_ec(&own_key), BR_KEYTYPE_SIGN, 0,
                                        br_ec_get_default(), br_ecdsa_sign_asn1_get_default());
        else if (cert)
            br_ssl_client_set_single_rsa(&tls, chain, chain_len,
                                         br_skey_decoder_get_rsa(&own_key),
                                         br_rsa_pkcs1_sign_get_default());
        br_ssl_engine_set_session_parameters(&tls.eng, &session);
        br_ssl_client_reset(&tls, "localhost", i > 0);
        br_sslio_init(&io, &tls.eng, low_read, &fd, low_write, &fd);
        if (echo_blocks(&io) != 0)
            return 1;
        br_ssl_session_parameters now;
        br_ssl_engine_get_session_parameters(&tls.eng, &now);
        int same = now.session_id_len == session.session_id_len && now.session_id_len > 0 &&
                   memcmp(now.session_id, session.session_id, now.session_id_len) == 0;
        report(&tls.eng, same ? "yes" : "no", "-", echo);
        session = now;
        br_sslio_close(&io);
        close(fd);
    }
    return 0;
}

static int serve_one(br_ssl_server_context *tls, int fd)
{
    static unsigned char block[BLOCK];
    br_sslio_context io;
    br_ssl_server_reset(tls);
    br_sslio_init(&io, &tls->eng, low_read, &fd, low_write, &fd);
    long size = 0;
    for (int n; (n = br_sslio_read(&io, block, BLOCK)) > 0; size += n)
        if (br_sslio_write_all(&io, block, (size_t)n) != 0 || br_sslio_flush(&io) != 0)
            break;
    int code = br_ssl_engine_last_error(&tls->eng);
    if (code != BR_ERR_OK)
        return die("connection", code);
    report(&tls->eng, "-", ca ? "yes" : "-", size);
    br_sslio_close(&io);
    return 0;
}

static int server(int port)
{
    static br_ssl_server_context tls;
    static br_ssl_session_cache_lru cache;
    static unsigned char memory[1 << 16];
    if (br_skey_decoder_key_type(&own_key) == BR_KEYTYPE_EC)
        br_ssl_server_init_full_ec(&tls, chain, chain_len, BR_KEYTYPE_EC,
                                   br_skey_decoder_get_ec(&own_key));
    else
        br_ssl_server_init_full_rsa(&tls, chain, chain_len, br_skey_decoder_get_rsa(&own_key));
    set_common(&tls.eng);
    br_ssl_session_cache_lru_init(&cache, memory, sizeof memory);
    br_ssl_server_set_cache(&tls, &cache.vtable);
    if (ca) {
        br_x509_minimal_init_full(&verifier, &anchor, 1);
        br_ssl_engine_set_x509(&tls.eng, &verifier.vtable);
        br_ssl_engine_set_default_rsavrfy(&tls.eng);
        br_ssl_engine_set_default_ecdsa(&tls.eng);
        br_ssl_server_set_trust_anchor_names_alt(&tls, &anchor, 1);
    }
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int door = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (struct sockaddr *)&at, sizeof at) != 0 || listen(door, 64) != 0)
        return die("bind", errno);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int fd = accept(door, NULL, NULL);
        serve_one(&tls, fd);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 4)
        return 2;
    int is_client = strcmp(argv[1], "client") == 0;
    read_options(argc - (is_client ? 4 : 5), argv + (is_client ? 4 : 5));
    if (is_client)
        ca = argv[3];
    else {
        cert = argv[3];
        key = argv[4];
    }
    if (ca)
        read_anchor();
    if (cert)
        read_own();
    return is_client ? client(atoi(argv[2])) : server(atoi(argv[2]));
}

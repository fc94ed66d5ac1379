/* test_stateless.c: SSL_stateless: a HelloRetryRequest whose cookie is all that the server keeps, and the fresh SSL
 * that goes on from the second ClientHello. The clock is this program's. */
#include <time.h>

#include "pair.h"

static long long shift; /* seconds that the clock is ahead */

time_t time(time_t *out)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    if (out)
        *out = ts.tv_sec + shift;
    return ts.tv_sec + shift;
}

static SSL_CTX *client_ctx, *server_ctx;
static SSL *client;
static SSL_SESSION *kept;
static int generate_result = 1, verify_result = 1, quiet;
static size_t generate_len = 20;

static int on_generate(SSL *s, unsigned char *cookie, size_t *len)
{
    if (!quiet)
        printf("    generate: server %d, name %s\n", SSL_is_server(s),
               SSL_get_servername(s, TLSEXT_NAMETYPE_host_name));
    memset(cookie, 0x5a, generate_len <= SSL_COOKIE_LENGTH ? generate_len : SSL_COOKIE_LENGTH);
    *len = generate_len;
    return generate_result;
}

static int on_verify(SSL *s, const unsigned char *cookie, size_t len)
{
    if (!quiet)
        printf("    verify: %zu bytes, first %d, server %d\n", len, len ? cookie[0] : -1,
               SSL_is_server(s));
    return verify_result;
}

static int on_session(SSL *s, SSL_SESSION *session)
{
    (void)s;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

/* ---- the two ends over memory */

static SSL *fresh(SSL_CTX *ctx)
{
    SSL *s = SSL_new(ctx);
    MUST(s);
    SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return s;
}

/* Types of the records, one for several of the same; what begins with the first, if that is in clear. How many there
 * are is each library's own affair. */
static void show_records(const unsigned char *p, int len)
{
    int before = 0;
    printf(" [");
    for (int i = 0; i + 5 <= len; i += 5 + (p[i + 3] << 8 | p[i + 4])) {
        if (p[i] != before)
            printf(" %d", p[i]);
        if (p[i] != before && before == 0 && (p[i] == 22 || p[i] == 21))
            printf(":%d", p[i + (p[i] == 22 ? 5 : 6)]);
        before = p[i];
    }
    printf(" ]\n");
}

/* move gives what one side has written to the other. */
static int move(const char *what, SSL *from, SSL *to)
{
    static unsigned char buf[65536];
    int n = BIO_read(SSL_get_wbio(from), buf, sizeof buf);
    printf("  %s", what);
    show_records(buf, n);
    if (n > 0 && to)
        BIO_write(SSL_get_rbio(to), buf, n);
    return n;
}

/* Which state a handshake without callbacks is in is known when it comes to an end. */
static int stateless(SSL *s)
{
    int r = SSL_stateless(s);
    int error = SSL_get_error(s, r);
    printf("  stateless %d, error %d, init %d %d, shutdown %d", r, error, SSL_in_init(s),
           SSL_is_init_finished(s), SSL_get_shutdown(s));
    if (r >= 0)
        printf(", state %d %s", SSL_get_state(s), SSL_state_string(s));
    if (error != SSL_ERROR_SSL)
        printf(", want %d, version %x", SSL_want(s), SSL_version(s));
    printf("\n");
    pair_errors();
    return r;
}

static void begin(const char *title)
{
    printf("%s\n", title);
    client = fresh(client_ctx);
    SSL_set_tlsext_host_name(client, "localhost");
    if (kept)
        SSL_set_session(client, kept);
}

static int go_on(SSL *s)
{
    int r = SSL_do_handshake(s);
    printf("  handshake %d, error %d\n", r, SSL_get_error(s, r));
    pair_errors();
    return r;
}

/* The first ClientHello is answered and the answer read: CCS and the second ClientHello wait in client's BIO. */
static void first_round(SSL_CTX *ctx)
{
    SSL *s = fresh(ctx);
    SSL_connect(client);
    move("client", client, s);
    stateless(s);
    move("server", s, client);
    SSL_free(s);
    SSL_connect(client);
    pair_errors();
}

static void complete(SSL *s)
{
    char text[16];
    move("server", s, client);
    int r = SSL_connect(client);
    printf("  connect %d, error %d\n", r, SSL_get_error(client, r));
    pair_errors();
    go_on(s);
    move("client", client, s);
    r = go_on(s);
    printf("  reused %d %d, cipher %s, early %d\n", SSL_session_reused(s),
           SSL_session_reused(client), SSL_get_cipher(s), SSL_get_early_data_status(s));
    if (r != 1)
        return;
    move("server", s, client);
    SSL_write(s, "hello", 5);
    move("server", s, client);
    r = SSL_read(client, text, sizeof text);
    printf("  read %d %.*s\n", r, r > 0 ? r : 0, text);
    SSL_shutdown(client);
}

static void give_up(SSL *s)
{
    move("server", s, client);
    go_on(client);
    SSL_free(s);
    SSL_free(client);
}

/* ---- cases */

static void basic(void)
{
    SSL *s;
    begin("basic");
    s = fresh(server_ctx);
    SSL_set_accept_state(s);
    stateless(s);
    SSL_connect(client);
    move("client", client, s);
    ERR_raise(ERR_LIB_USER, 7); /* SSL_stateless empties the queue */
    stateless(s);
    move("server", s, client);
    stateless(s);
    SSL_free(s);
    SSL_connect(client);
    s = fresh(server_ctx);
    move("client", client, s);
    stateless(s);
    stateless(s);
    complete(s);
    SSL_free(s);
    SSL_free(client);
}

static void same_object(void)
{
    begin("the same SSL");
    SSL *s = fresh(server_ctx);
    SSL_connect(client);
    move("client", client, s);
    stateless(s);
    move("server", s, client);
    SSL_connect(client);
    move("client", client, s);
    stateless(s);
    stateless(s);
    complete(s);
    SSL_free(s);
    SSL_free(client);
}

/* Second ClientHello for a fresh SSL, up to whatever comes of it. */
static SSL *second(SSL_CTX *ctx)
{
    SSL *s = fresh(ctx);
    move("client", client, s);
    int r = stateless(s);
    if (r == -1 && SSL_get_error(s, r) != SSL_ERROR_SSL)
        stateless(s);
    return s;
}

static void whole(const char *title, SSL_CTX *first, SSL_CTX *then)
{
    begin(title);
    first_round(first);
    SSL *s = second(then);
    complete(s);
    SSL_free(s);
    SSL_free(client);
}

static void callbacks(void)
{
    SSL *s;
    generate_result = 0;
    begin("generate says no");
    first_round(server_ctx);
    SSL_free(client);
    generate_result = -1;
    begin("generate says -1");
    first_round(server_ctx);
    SSL_free(client);
    generate_result = 1;
    for (size_t len = 0; len <= 5000; len = len ? len * 16 - 1 : 1) {
        generate_len = len;
        printf("length %zu: ", len);
        whole("", server_ctx, server_ctx);
    }
    generate_len = SSL_COOKIE_LENGTH;
    whole("the longest", server_ctx, server_ctx);
    generate_len = 20;
    for (verify_result = 0; verify_result > -2; verify_result--) {
        begin("verify says");
        first_round(server_ctx);
        s = second(server_ctx);
        give_up(s);
    }
    verify_result = 1;
    SSL_CTX_set_stateless_cookie_generate_cb(server_ctx, NULL);
    begin("no generate callback");
    first_round(server_ctx);
    SSL_free(client);
    SSL_CTX_set_stateless_cookie_generate_cb(server_ctx, on_generate);
    SSL_CTX_set_stateless_cookie_verify_cb(server_ctx, NULL);
    begin("no verify callback");
    first_round(server_ctx);
    s = second(server_ctx);
    give_up(s);
    SSL_CTX_set_stateless_cookie_verify_cb(server_ctx, on_verify);
}

static SSL_CTX *new_server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    pair_use_certificate(ctx);
    SSL_CTX_set_stateless_cookie_generate_cb(ctx, on_generate);
    SSL_CTX_set_stateless_cookie_verify_cb(ctx, on_verify);
    return ctx;
}

/* The content of the cookie extension within the client's output; NULL: none. */
static unsigned char *find_cookie(unsigned char *p, int len, int *cookie_len)
{
    for (int i = 0; i + 6 < len; i++) {
        int outer = p[i + 2] << 8 | p[i + 3], inner = p[i + 4] << 8 | p[i + 5];
        if (p[i] == 0 && p[i + 1] == 44 && outer == inner + 2 && i + 6 + inner <= len) {
            *cookie_len = inner;
            return p + i + 6;
        }
    }
    return NULL;
}

static void tampered(const char *title, int at, int with)
{
    static unsigned char buf[65536];
    int cookie_len = 0;
    printf("%s ", title);
    begin("");
    first_round(server_ctx);
    SSL *s = fresh(server_ctx);
    int n = BIO_read(SSL_get_wbio(client), buf, sizeof buf);
    unsigned char *cookie = find_cookie(buf, n, &cookie_len);
    if (!cookie) {
        printf("  no cookie\n");
    } else {
        cookie[at < 0 ? cookie_len + at : at] ^= (unsigned char)with;
        BIO_write(SSL_get_rbio(s), buf, n);
        stateless(s);
        stateless(s);
    }
    give_up(s);
}

static void tampering(void)
{
    quiet = 1;
    tampered("first byte", 0, 1);
    tampered("the time", 12, 0x80);
    tampered("last byte", -1, 1);
    tampered("the application's", -33, 1);
    quiet = 0;
}

static void time_passes(void)
{
    static const int seconds[] = {590, 700, -60};
    for (size_t i = 0; i < 3; i++) {
        printf("%d seconds ", seconds[i]);
        begin("between the hellos");
        first_round(server_ctx);
        shift += seconds[i];
        SSL *s = second(server_ctx);
        shift -= seconds[i];
        give_up(s);
    }
}

static void other_versions(void)
{
    begin("a client of TLS 1.2");
    SSL_set_max_proto_version(client, TLS1_2_VERSION);
    SSL *s = fresh(server_ctx);
    SSL_connect(client);
    move("client", client, s);
    stateless(s);
    move("server", s, client);
    go_on(client);
    move("client", client, s);
    stateless(s);
    give_up(s);

    begin("a server of TLS 1.2");
    s = fresh(server_ctx);
    SSL_set_max_proto_version(s, TLS1_2_VERSION);
    SSL_connect(client);
    move("client", client, s);
    stateless(s);
    give_up(s);

    begin("a server without versions");
    s = fresh(server_ctx);
    SSL_set_min_proto_version(s, TLS1_3_VERSION);
    SSL_set_max_proto_version(s, TLS1_2_VERSION);
    SSL_connect(client);
    move("client", client, s);
    stateless(s);
    give_up(s);
}

static void odd_uses(void)
{
    static unsigned char buf[65536];
    begin("half a ClientHello");
    SSL *s = fresh(server_ctx);
    SSL_connect(client);
    int n = BIO_read(SSL_get_wbio(client), buf, sizeof buf);
    BIO_write(SSL_get_rbio(s), buf, 100);
    stateless(s);
    BIO_write(SSL_get_rbio(s), buf + 100, n - 100);
    stateless(s);
    give_up(s);

    begin("no TLS");
    s = fresh(server_ctx);
    BIO_puts(SSL_get_rbio(s), "GET / HTTP/1.0\r\n\r\n");
    stateless(s);
    give_up(s);

    begin("an end");
    s = fresh(server_ctx);
    BIO_set_mem_eof_return(SSL_get_rbio(s), 0);
    stateless(s);
    give_up(s);

    begin("by a client");
    s = fresh(client_ctx);
    SSL_set_connect_state(s);
    stateless(s);
    move("by a client", s, NULL);
    SSL_free(s);
    SSL_free(client);

    begin("SSL_accept with the second ClientHello and nothing before it");
    first_round(server_ctx);
    s = fresh(server_ctx);
    SSL_set_accept_state(s);
    BIO_read(SSL_get_wbio(client), buf, 6);
    move("client", client, s);
    go_on(s);
    give_up(s);

    begin("SSL_OP_COOKIE_EXCHANGE with SSL_accept");
    s = fresh(server_ctx);
    SSL_set_options(s, SSL_OP_COOKIE_EXCHANGE);
    SSL_set_accept_state(s);
    SSL_connect(client);
    move("client", client, s);
    go_on(s);
    complete(s);
    printf("  options %d\n", (SSL_get_options(s) & SSL_OP_COOKIE_EXCHANGE) != 0);
    SSL_free(s);
    SSL_free(client);
}

static void groups(void)
{
    printf("a share that is missing: ");
    SSL_CTX_set1_groups_list(client_ctx, "P-256:X25519");
    SSL_CTX_set1_groups_list(server_ctx, "X25519");
    whole("", server_ctx, server_ctx);
    quiet = 1; /* as above */
    begin("a share that went missing");
    first_round(server_ctx);
    SSL_CTX *other = new_server();
    SSL_CTX_set1_groups_list(server_ctx, "P-256");
    SSL *s = second(server_ctx);
    give_up(s);
    SSL_CTX_set1_groups_list(client_ctx, "X25519:P-256");
    SSL_CTX_set1_groups_list(server_ctx, "X25519:P-256");
    begin("another suite at the second");
    first_round(server_ctx);
    s = fresh(server_ctx);
    SSL_set_ciphersuites(s, "TLS_CHACHA20_POLY1305_SHA256");
    move("client", client, s);
    stateless(s);
    stateless(s);
    give_up(s);
    quiet = 0;
    begin("another key");
    first_round(server_ctx);
    s = second(other);
    give_up(s);
    SSL_CTX_free(other);
}

static int on_hello(SSL *s, int *al, void *arg)
{
    const unsigned char *p;
    size_t n;
    (void)al, (void)arg;
    printf("    ClientHello: cookie %d\n",
           SSL_client_hello_get0_ext(s, TLSEXT_TYPE_cookie, &p, &n));
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_name(SSL *s, int *al, void *arg)
{
    (void)al;
    printf("    name %s\n", SSL_get_servername(s, TLSEXT_NAMETYPE_host_name));
    if (arg)
        SSL_set_SSL_CTX(s, arg);
    return SSL_TLSEXT_ERR_OK;
}

static void on_info(const SSL *s, int where, int ret)
{
    printf("    info %x %d %s\n", (unsigned)where, where & SSL_CB_LOOP ? 0 : ret,
           SSL_state_string(s));
}

static void on_message(int write, int version, int type, const void *p, size_t len, SSL *s,
                       void *arg)
{
    (void)s, (void)arg, (void)len;
    if (type <= SSL3_RT_HANDSHAKE)
        printf("    message %d %x %d first %d\n", write, (unsigned)version, type,
               *(const unsigned char *)p);
}

static void watched(void)
{
    SSL_CTX *other = new_server();
    quiet = 1; /* when the two are asked among all this is no promise */
    SSL_CTX_set_client_hello_cb(server_ctx, on_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(server_ctx, on_name);
    SSL_CTX_set_info_callback(server_ctx, on_info);
    SSL_CTX_set_msg_callback(server_ctx, on_message);
    whole("watched", server_ctx, server_ctx);
    SSL_CTX_set_info_callback(server_ctx, NULL);
    SSL_CTX_set_msg_callback(server_ctx, NULL);
    SSL_CTX_set_tlsext_servername_arg(server_ctx, other);
    whole("another SSL_CTX by name", server_ctx, server_ctx);
    quiet = 0;
    SSL_CTX_set_client_hello_cb(server_ctx, NULL, NULL);
    SSL_CTX_set_tlsext_servername_callback(server_ctx, NULL);
    SSL_CTX_free(other);
}

static void resumed(void)
{
    size_t n;
    SSL_CTX_sess_set_new_cb(client_ctx, on_session);
    whole("full, for a session", server_ctx, server_ctx);
    whole("resumed", server_ctx, server_ctx);
    begin("early data");
    SSL *s = fresh(server_ctx);
    printf("  write_early_data %d\n", SSL_write_early_data(client, "early", 5, &n));
    move("client", client, s);
    stateless(s);
    move("server", s, client);
    SSL_free(s);
    SSL_connect(client);
    pair_errors();
    s = second(server_ctx);
    complete(s);
    SSL_free(s);
    SSL_free(client);
}

int main(void)
{
    client_ctx = SSL_CTX_new(TLS_client_method());
    server_ctx = new_server();
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_max_early_data(server_ctx, 1000);
    basic();
    same_object();
    callbacks();
    tampering();
    time_passes();
    other_versions();
    odd_uses();
    groups();
    watched();
    resumed();
    SSL_SESSION_free(kept);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}

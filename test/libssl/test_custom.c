/* test_custom.c: a program's own extensions: which callbacks are called, with what. */
#include "pair.h"

static int fail_add, fail_parse;

static const char *side(const SSL *s)
{
    return SSL_is_server(s) ? "server" : "client";
}

static int add(SSL *s, unsigned int type, unsigned int context, const unsigned char **out,
               size_t *len, X509 *x, size_t chainidx, int *al, void *arg)
{
    printf("  %s add %u %x %s chain %zu certificate %d\n", side(s), type, context, (char *)arg,
           chainidx, x != NULL);
    if (fail_add && context & SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS) {
        *al = SSL_AD_UNSUPPORTED_CERTIFICATE;
        return -1;
    }
    if (type == 1002)
        return 0;
    *out = (const unsigned char *)OPENSSL_strdup("content");
    *len = 7;
    return 1;
}

static void done(SSL *s, unsigned int type, unsigned int context, const unsigned char *out,
                 void *arg)
{
    printf("  %s free %u %x %s %.7s\n", side(s), type, context, (char *)arg, (const char *)out);
    OPENSSL_free((void *)(size_t)out);
}

static int parse(SSL *s, unsigned int type, unsigned int context, const unsigned char *in,
                 size_t len, X509 *x, size_t chainidx, int *al, void *arg)
{
    (void)x;
    printf("  %s parse %u %x %s %.*s chain %zu\n", side(s), type, context, (char *)arg,
           (int)len, (const char *)in, chainidx);
    *al = SSL_AD_CERTIFICATE_REVOKED;
    return !(fail_parse && context & SSL_EXT_CLIENT_HELLO);
}

static int old_add(SSL *s, unsigned int type, const unsigned char **out, size_t *len, int *al,
                   void *arg)
{
    (void)al;
    printf("  %s old add %u %s\n", side(s), type, (char *)arg);
    *out = (const unsigned char *)"old";
    *len = 3;
    return 1;
}

static void old_done(SSL *s, unsigned int type, const unsigned char *out, void *arg)
{
    printf("  %s old free %u %s %s\n", side(s), type, (char *)arg, (const char *)out);
}

static int old_parse(SSL *s, unsigned int type, const unsigned char *in, size_t len, int *al,
                     void *arg)
{
    (void)al;
    printf("  %s old parse %u %s %.*s\n", side(s), type, (char *)arg, (int)len,
           (const char *)in);
    return 1;
}

static SSL_CTX *context(int server, int version)
{
    unsigned hello = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO;
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    if (server)
        pair_use_certificate(ctx);
    printf("added %d",
           SSL_CTX_add_custom_ext(ctx, 1000, hello | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS, add,
                                  done, "one", parse, "1"));
    printf(" %d",
           SSL_CTX_add_custom_ext(ctx, 1001, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE,
                                  add, done, "two", parse, "2"));
    printf(" %d", SSL_CTX_add_custom_ext(ctx, 1002, hello, add, done, "three", parse, "3"));
    printf(" %d", SSL_CTX_add_custom_ext(
                      ctx, 1003, hello | SSL_EXT_TLS1_3_ONLY | SSL_EXT_TLS1_3_SERVER_HELLO, add,
                      done, "four", parse, "4"));
    printf(" %d", SSL_CTX_add_custom_ext(ctx, 1004, hello | SSL_EXT_TLS1_2_AND_BELOW_ONLY, NULL,
                                         NULL, NULL, parse, "5"));
    if (server)
        printf(" %d\n", SSL_CTX_add_server_custom_ext(ctx, 1005, old_add, old_done, "old",
                                                      old_parse, "6"));
    else
        printf(" %d\n", SSL_CTX_add_client_custom_ext(ctx, 1005, old_add, old_done, "old",
                                                      old_parse, "6"));
    return ctx;
}

static int hello_cb(SSL *s, int *al, void *arg)
{
    int *types;
    size_t n, len;
    const unsigned char *p;
    (void)al, (void)arg;
    MUST(SSL_client_hello_get1_extensions_present(s, &types, &n));
    printf("  hello: version %x random %zu compressions %zu own:",
           SSL_client_hello_get0_legacy_version(s), SSL_client_hello_get0_random(s, &p),
           SSL_client_hello_get0_compression_methods(s, &p));
    for (size_t i = 0; i < n; i++)
        if (types[i] >= 1000 && types[i] < 2000)
            printf(" %d", types[i]);
    OPENSSL_free(types);
    printf(" content %d", SSL_client_hello_get0_ext(s, 1000, &p, &len));
    printf(" %.*s", (int)len, (const char *)p);
    printf(" none %d", SSL_client_hello_get0_ext(s, 999, &p, &len));
    printf(" name %d", SSL_client_hello_get0_ext(s, TLSEXT_TYPE_server_name, &p, &len));
    printf(" v2 %d\n", SSL_client_hello_isv2(s));
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* The extensions of the libraries themselves differ. */
static void debug(SSL *s, int from_server, int type, const unsigned char *data, int len,
                  void *arg)
{
    if (type >= 1000 && type < 2000)
        printf("  %s sees %d %s %.*s %s\n", side(s), type,
               from_server ? "of the server" : "of the client", len, (const char *)data,
               (const char *)arg);
}

static void run(int version)
{
    SSL_CTX *client = context(0, version), *server = context(1, version);
    SSL_CTX_set_client_hello_cb(server, hello_cb, NULL);
    struct pair p = pair_new(client, server);
    MUST(SSL_set_tlsext_host_name(p.client, "localhost"));
    MUST(SSL_set_tlsext_debug_callback(p.client, debug));
    MUST(SSL_set_tlsext_debug_arg(p.client, "a"));
    MUST(SSL_set_tlsext_debug_callback(p.server, debug));
    MUST(SSL_set_tlsext_debug_arg(p.server, "b"));
    printf("%x done %d\n", (unsigned)version, pair_shake(&p));
    pair_errors();
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    run(TLS1_3_VERSION);
    run(TLS1_2_VERSION);
    fail_add = 1;
    run(TLS1_3_VERSION);
    fail_add = 0;
    fail_parse = 1;
    run(TLS1_3_VERSION);
    run(TLS1_2_VERSION);
    return 0;
}

/* test_alpn.c: ALPN (RFC 7301) as libssl's users meet it: what is stored, what the server's callback sees and
 * answers, what each side then has; and the calls of NPN, which there is none of. */
#include "pair.h"

static const char *answer; /* what the callback picks; NULL: what it returns is `verdict` */
static int verdict, calls;
static unsigned char picked[256];

static int select_alpn(SSL *s, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    calls++;
    printf("  callback: %s, %d bytes:", (const char *)arg, (int)in_len);
    for (unsigned i = 0; i < in_len; i++)
        printf(" %02x", in[i]);
    printf(", server %d, version %x\n", SSL_is_server(s), (unsigned)SSL_version(s));
    if (!answer)
        return verdict;
    memcpy(picked, answer, strlen(answer));
    *out = picked;
    *out_len = (unsigned char)strlen(answer);
    return SSL_TLSEXT_ERR_OK;
}

static void show(const char *who, SSL *s)
{
    const unsigned char *p = (const unsigned char *)"untouched";
    unsigned n = 99;
    SSL_get0_alpn_selected(s, &p, &n);
    printf("  %s: %u %.*s", who, n, (int)n, p ? (const char *)p : "");
    SSL_get0_next_proto_negotiated(s, &p, &n);
    printf(", NPN %u %d", n, p == NULL);
    SSL_SESSION *session = SSL_get_session(s);
    if (session) {
        SSL_SESSION_get0_alpn_selected(session, &p, (size_t *)&(size_t){0});
        size_t len = 77;
        SSL_SESSION_get0_alpn_selected(session, &p, &len);
        printf(", session %zu", len);
    }
    printf("\n");
}

static void once(const char *what, SSL_CTX *client, SSL_CTX *server, int version)
{
    struct pair p = pair_new(client, server);
    SSL_set_max_proto_version(p.client, version);
    printf("%s, version %x\n", what, (unsigned)version);
    calls = 0;
    int ok = pair_shake(&p);
    printf("  shake %d, calls %d\n", ok, calls);
    ERR_clear_error();
    if (ok) {
        show("client", p.client);
        show("server", p.server);
    }
    pair_free(&p);
}

static void lists(SSL_CTX *ctx)
{
    static const struct {
        const char *bytes;
        unsigned len;
    } list[] = {{"\2h2", 3}, {"\2h2\10http/1.1", 12}, {"\0", 1}, {"\3h2", 3},  {"\2h2\0", 4},
                {"\1h2", 3}, {"\2h2\5http", 8},       {"", 0},   {"\1a\1a", 4}};
    SSL *s = SSL_new(ctx);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const unsigned char *p = (const unsigned char *)list[i].bytes;
        printf("list %zu: context %d", i, SSL_CTX_set_alpn_protos(ctx, p, list[i].len));
        printf(", connection %d\n", SSL_set_alpn_protos(s, p, list[i].len));
        pair_errors();
    }
    SSL_free(s);
}

static void next_proto(void)
{
    static const struct {
        const char *server, *client;
    } list[] = {{"\2h2\3foo", "\3foo\2h2"}, {"\2h2", "\3foo"}, {"\3foo\3bar", "\3bar\3foo"}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        unsigned char *out = NULL, len = 0;
        int r = SSL_select_next_proto(
            &out, &len, (const unsigned char *)list[i].server, (unsigned)strlen(list[i].server),
            (const unsigned char *)list[i].client, (unsigned)strlen(list[i].client));
        printf("select %zu: %d %.*s\n", i, r, len, (char *)out);
    }
}

/* --------------------------------------------- what a client_hello callback sees */

static int on_hello(SSL *s, int *alert, void *arg)
{
    const unsigned char *p = NULL;
    int *list = NULL;
    size_t n = 0;
    (void)arg, (void)alert;
    printf("  hello: v2 %d, legacy version %x", SSL_client_hello_isv2(s),
           SSL_client_hello_get0_legacy_version(s));
    printf(", random %zu", SSL_client_hello_get0_random(s, &p));
    printf(", session id %zu", SSL_client_hello_get0_session_id(s, &p));
    printf(", compression %zu\n", SSL_client_hello_get0_compression_methods(s, &p));
    n = SSL_client_hello_get0_ciphers(s, &p);
    STACK_OF(SSL_CIPHER) *known = NULL, *signals = NULL;
    int converted =
        SSL_bytes_to_cipher_list(s, p, n, SSL_client_hello_isv2(s), &known, &signals);
    /* Not how many signals there are: ours sends renegotiation_info as an extension (RFC 5746 3.4). */
    printf("  suites known %d %d\n", converted, sk_SSL_CIPHER_num(known));
    sk_SSL_CIPHER_free(known);
    sk_SSL_CIPHER_free(signals);
    printf("  extensions %d", SSL_client_hello_get1_extensions_present(s, &list, &n));
    int has_alpn = 0;
    for (size_t i = 0; i < n; i++)
        has_alpn |= list[i] == TLSEXT_TYPE_application_layer_protocol_negotiation;
    OPENSSL_free(list);
    size_t len = 0;
    int found = SSL_client_hello_get0_ext(s, TLSEXT_TYPE_application_layer_protocol_negotiation,
                                          &p, &len);
    printf(", ALPN in the list %d, found %d of %zu bytes", has_alpn, found, len);
    printf(", nothing of 65000: %d\n", SSL_client_hello_get0_ext(s, 65000, &p, &len));
    return SSL_CLIENT_HELLO_SUCCESS;
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    static char arg[] = "argument";
    pair_use_certificate(server);
    SSL_CTX_set_cipher_list(client, "ECDHE-ECDSA-AES128-GCM-SHA256");
    lists(client);
    next_proto();
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX_set_alpn_protos(client, NULL, 0);
        SSL_CTX_set_alpn_select_cb(server, NULL, NULL);
        once("neither", client, server, versions[i]);
        SSL_CTX_set_alpn_protos(client, (const unsigned char *)"\2h2\10http/1.1", 12);
        once("client only", client, server, versions[i]);
        SSL_CTX_set_alpn_select_cb(server, select_alpn, arg);
        answer = "h2";
        once("the first", client, server, versions[i]);
        answer = "http/1.1";
        once("the second", client, server, versions[i]);
        answer = NULL;
        verdict = SSL_TLSEXT_ERR_NOACK;
        once("no answer", client, server, versions[i]);
        verdict = SSL_TLSEXT_ERR_ALERT_FATAL;
        once("fatal", client, server, versions[i]);
        SSL_CTX_set_alpn_protos(client, NULL, 0);
        once("server only", client, server, versions[i]);
        SSL_CTX_set_alpn_protos(client, (const unsigned char *)"\2h2", 3);
        SSL_CTX_set_client_hello_cb(server, on_hello, NULL);
        answer = "h2";
        once("with a client_hello callback", client, server, versions[i]);
        SSL_CTX_set_client_hello_cb(server, NULL, NULL);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}

/* test_custom_messages.c: a program's own extensions in every message, with the certificates that they go with. */
#include "pair.h"

enum {
    ALL = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO | SSL_EXT_TLS1_3_CERTIFICATE |
          SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_NEW_SESSION_TICKET |
          SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS
};

/* Where a callback fails: in which context, on which side, with which certificate, with which alert. */
static struct {
    unsigned context;
    int server, parse;
    size_t index;
    int alert, result;
} fault;

static const char *side(const SSL *s)
{
    return SSL_is_server(s) ? "server" : "client";
}

static const char *name_of(X509 *x)
{
    static char text[64];
    if (!x)
        return "none";
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, text, sizeof text);
    return text;
}

static int faulty(SSL *s, unsigned context, size_t index, int parse, int *al)
{
    if (fault.context != context || fault.server != SSL_is_server(s) || fault.parse != parse ||
        fault.index != index)
        return 0;
    if (fault.alert >= 0)
        *al = fault.alert;
    return 1;
}

static int add(SSL *s, unsigned int type, unsigned int context, const unsigned char **out,
               size_t *len, X509 *x, size_t chainidx, int *al, void *arg)
{
    static unsigned char content[16];
    printf("  %s add %u %x %s certificate %s chain %zu%s\n", side(s), type, context,
           (char *)arg, name_of(x), chainidx,
           x && chainidx == 0 && x == SSL_get_certificate(s) ? " own" : "");
    if (faulty(s, context, chainidx, 0, al))
        return fault.result;
    if (type == 1001 && chainidx == 1)
        return 0;
    *len = (size_t)sprintf((char *)content, "%x-%zu", context, chainidx);
    *out = content;
    return 1;
}

static void done(SSL *s, unsigned int type, unsigned int context, const unsigned char *out,
                 void *arg)
{
    printf("  %s free %u %x %s %s\n", side(s), type, context, (char *)arg, (const char *)out);
}

static int parse(SSL *s, unsigned int type, unsigned int context, const unsigned char *in,
                 size_t len, X509 *x, size_t chainidx, int *al, void *arg)
{
    /* What a server that fails has sent before is another matter. */
    if (SSL_is_server(s) || !fault.context || !fault.server || fault.parse)
        printf("  %s parse %u %x %s %.*s certificate %s chain %zu\n", side(s), type, context,
               (char *)arg, (int)len, (const char *)in, name_of(x), chainidx);
    return faulty(s, context, chainidx, 1, al) ? fault.result : 1;
}

static X509 *certificate(const char *name, EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    MUST(X509_sign(x, key, EVP_sha256()));
    return x;
}

static void use_chain(SSL_CTX *ctx, const char *who)
{
    char name[32];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s-%d", who, i);
        X509 *x = certificate(name, key);
        if (i == 0) {
            MUST(SSL_CTX_use_certificate(ctx, x) == 1);
            X509_free(x);
        } else {
            MUST(SSL_CTX_add0_chain_cert(ctx, x) == 1);
        }
    }
    MUST(SSL_CTX_use_PrivateKey(ctx, key) == 1);
    EVP_PKEY_free(key);
}

static int any(X509_STORE_CTX *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return 1;
}

static SSL_CTX *context(int server, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_max_proto_version(ctx, version);
    use_chain(ctx, server ? "server" : "client");
    SSL_CTX_set_cert_verify_callback(ctx, any, NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"a", 1);
    MUST(SSL_CTX_add_custom_ext(ctx, 1000, ALL, add, done, "one", parse, "1"));
    MUST(SSL_CTX_add_custom_ext(ctx, 1001, ALL, add, done, "two", parse, "2"));
    MUST(SSL_CTX_add_custom_ext(ctx, 1002, ALL & ~SSL_EXT_CLIENT_HELLO, add, done, "three",
                                parse, "3"));
    MUST(SSL_CTX_add_custom_ext(ctx, 1003, SSL_EXT_TLS1_3_NEW_SESSION_TICKET, NULL, NULL, NULL,
                                parse, "4"));
    MUST(SSL_CTX_add_custom_ext(
        ctx, 1004, SSL_EXT_TLS1_3_NEW_SESSION_TICKET | SSL_EXT_IGNORE_ON_RESUMPTION, add, done,
        "five", NULL, NULL));
    if (!server)
        SSL_CTX_set_post_handshake_auth(ctx, 1);
    return ctx;
}

static void read_both(struct pair *p, const char *when)
{
    char c;
    int n = SSL_read(p->client, &c, 1);
    printf("  %s: client reads %d\n", when, SSL_get_error(p->client, n));
    pair_errors();
    n = SSL_read(p->server, &c, 1);
    printf("  %s: server reads %d\n", when, SSL_get_error(p->server, n));
    pair_errors();
    n = SSL_read(p->client, &c, 1);
    printf("  %s: client reads %d\n", when, SSL_get_error(p->client, n));
    pair_errors();
}

static void run(int version, int more)
{
    SSL_CTX *client = context(0, version), *server = context(1, version);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < (more ? 2 : 1); i++) {
        struct pair p = pair_new(client, server);
        SSL_set_session(p.client, session);
        printf("%x handshake %d\n", (unsigned)version, i);
        if (fault.context == SSL_EXT_CLIENT_HELLO && !fault.server && !fault.parse) {
            printf("  connect %d\n", SSL_connect(p.client));
            pair_errors();
            pair_free(&p);
            break;
        }
        printf("  done %d\n", pair_shake(&p));
        pair_errors();
        read_both(&p, "tickets");
        if (more && version == TLS1_3_VERSION && i == 0) {
            int asked = SSL_verify_client_post_handshake(p.server);
            printf("  ask %d", asked && SSL_do_handshake(p.server));
            read_both(&p, "certificate");
            asked = SSL_new_session_ticket(p.server);
            printf("  ticket %d", asked && SSL_do_handshake(p.server));
            read_both(&p, "ticket");
        }
        SSL_SESSION_free(session);
        session = SSL_get1_session(p.client);
        SSL_shutdown(p.client);
        SSL_shutdown(p.server);
        pair_free(&p);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    static const unsigned contexts[] = {SSL_EXT_CLIENT_HELLO,
                                        SSL_EXT_TLS1_2_SERVER_HELLO,
                                        SSL_EXT_TLS1_3_CERTIFICATE,
                                        SSL_EXT_TLS1_3_CERTIFICATE_REQUEST,
                                        SSL_EXT_TLS1_3_NEW_SESSION_TICKET,
                                        SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS};
    run(TLS1_3_VERSION, 1);
    run(TLS1_2_VERSION, 1);
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
        for (int kind = 0; kind < 8; kind++) {
            fault.context = contexts[i];
            fault.server = kind & 1;
            fault.parse = kind >> 1 & 1;
            fault.index = (size_t)kind >> 2;
            if (fault.index && contexts[i] != SSL_EXT_TLS1_3_CERTIFICATE)
                continue;
            fault.alert = SSL_AD_UNSUPPORTED_CERTIFICATE;
            fault.result = fault.parse ? 0 : -1;
            printf("---- fails: %x %s %s %zu\n", fault.context,
                   fault.server ? "server" : "client", fault.parse ? "parse" : "add",
                   fault.index);
            run(contexts[i] == SSL_EXT_TLS1_2_SERVER_HELLO ? TLS1_2_VERSION : TLS1_3_VERSION,
                0);
        }
    }
    return 0;
}

/* A context of a library context of its own (SSL_CTX_new_ex), in which algorithms are missing: what of them is not
 * there is not negotiated. */
#include <openssl/core_names.h>
#include <openssl/provider.h>

#include "pair.h"
#include "show.h"

/* ---- a provider that has what the default one has, but for some */

static OSSL_PROVIDER *whole;
static const char *const *missing;

static int is_missing(const char *names)
{
    for (const char *const *m = missing; *m; m++) {
        size_t len = strlen(*m);
        if (strncmp(names, *m, len) == 0 && (names[len] == ':' || !names[len]))
            return 1;
    }
    return 0;
}

static OSSL_ALGORITHM kept[32][200];
static char properties[32][200][160];

/* "provider=default,input=der" is "provider=some,input=der" here. */
static const char *ours(const char *definition, char *out)
{
    const char *comma = definition ? strchr(definition, ',') : NULL;
    snprintf(out, 160, "provider=some%s", comma ? comma : "");
    return out;
}

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole, operation, no_cache);
    int count = 0;
    (void)ctx;
    for (; all && all->algorithm_names && count < 199; all++) {
        if (!is_missing(all->algorithm_names)) {
            kept[operation][count] = *all;
            kept[operation][count].property_definition =
                ours(all->property_definition, properties[operation][count]);
            count++;
        }
    }
    memset(&kept[operation][count], 0, sizeof kept[0][0]);
    *no_cache = 0;
    return kept[operation];
}

static int capabilities(void *ctx, const char *capability, OSSL_CALLBACK *cb, void *arg)
{
    (void)ctx;
    return OSSL_PROVIDER_get_capabilities(whole, capability, cb, arg);
}

static int init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                const OSSL_DISPATCH **out, void **ctx)
{
    static const OSSL_DISPATCH table[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities},
        {0, NULL}};
    (void)handle, (void)in;
    *out = table;
    *ctx = OSSL_PROVIDER_get0_provider_ctx(whole);
    return 1;
}

/* ---- what is negotiated */

static void result(SSL_CTX *client, int version)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    MUST(server);
    pair_use_certificate(server);
    SSL_CTX_set1_groups_list(server, "X25519:P-256:P-384");
    SSL_CTX_set_max_proto_version(client, version);
    struct pair p = pair_new(client, server);
    int ok = pair_shake(&p);
    printf("  %x: handshake %d", (unsigned)version, ok);
    if (ok) {
        int hash = 0;
        SSL_get_peer_signature_nid(p.client, &hash);
        printf(", %s, %s, %s", SSL_get_cipher(p.client),
               OBJ_nid2sn((int)SSL_get_negotiated_group(p.client)), OBJ_nid2sn(hash));
    }
    printf("\n");
    ERR_clear_error();
    pair_free(&p);
    SSL_CTX_free(server);
}

/* Suites that handfast has, in order. */
static void list(SSL_CTX *ctx)
{
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    printf("  suites:");
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
        printf(" %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)));
    printf("\n");
}

static void test(const char *what, const char *const *without, const char *query_string)
{
    OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
    missing = without;
    printf("without %s, query %s\n", what, query_string ? query_string : "none");
    MUST(lib && OSSL_PROVIDER_add_builtin(lib, "some", init));
    OSSL_PROVIDER *some = OSSL_PROVIDER_load(lib, "some");
    MUST(some);
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new_ex(lib, query_string, TLS_client_method());
    printf("  context %d\n", ctx != NULL);
    if (!ctx)
        show_errors();
    if (ctx) {
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
        ERR_clear_error();
        list(ctx);
        SHOW(SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES256-GCM-SHA384:"
                                          "ECDHE-ECDSA-CHACHA20-POLY1305:"
                                          "ECDHE-ECDSA-AES128-GCM-SHA256"));
        list(ctx);
        /* There OpenSSL offers suites for which it then has no PRF. */
        if (!is_missing("SHA2-384"))
            result(ctx, TLS1_2_VERSION);
        result(ctx, TLS1_3_VERSION);
        SSL_CTX_free(ctx);
    }
    OSSL_PROVIDER_unload(some);
    OSSL_LIB_CTX_free(lib);
}

int main(void)
{
    static const char *const none[] = {NULL}, *const aes256[] = {"AES-256-GCM", NULL},
                             *const chacha[] = {"ChaCha20-Poly1305", NULL},
                             *const x25519[] = {"X25519", NULL},
                             *const sha384[] = {"SHA2-384", NULL};
    whole = OSSL_PROVIDER_load(NULL, "default");
    MUST(whole);
    test("nothing", none, NULL);
    test("nothing", none, "?provider=other");
    test("AES-256-GCM", aes256, NULL);
    test("ChaCha20", chacha, NULL);
    test("X25519", x25519, NULL);
    test("SHA-384", sha384, NULL);
    test("nothing", none, "provider=other");
    test("nothing", none, "fips=yes");
    OSSL_PROVIDER_unload(whole);
    return 0;
}

/* test_unusable.c: lists of cipher suites that name what a library knows, what it cannot use, and what nobody knows. */
#include "pair.h"

static void show(const char *what, int ret, STACK_OF(SSL_CIPHER) * list)
{
    printf("%s -> %d, %d suites", what, ret, sk_SSL_CIPHER_num(list));
    for (int i = 0; i < sk_SSL_CIPHER_num(list) && i < 12; i++)
        printf(" %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i)));
    printf("\n");
    pair_errors();
}

static const char *const lists[] = {"CAMELLIA128-SHA",
                                    "ECDHE-ECDSA-CAMELLIA256-SHA384",
                                    "ARIA",
                                    "ECDHE-ARIA256-GCM-SHA384",
                                    "CAMELLIA",
                                    "aDSS",
                                    "DHE-DSS-AES128-SHA",
                                    "kRSAPSK",
                                    "RSA-PSK-AES128-CBC-SHA",
                                    "SRP",
                                    "SRP-AES-128-CBC-SHA",
                                    "kSRP:CAMELLIA",
                                    "CAMELLIA:AES128-SHA",
                                    "AES128-SHA:CAMELLIA",
                                    "nothing",
                                    "nothing:CAMELLIA128-SHA",
                                    "",
                                    ":",
                                    "DES-CBC3-SHA",
                                    "RC4-SHA",
                                    "IDEA-CBC-SHA",
                                    "SEED-SHA",
                                    "GOST2001-GOST89-GOST89",
                                    "NULL-MD5",
                                    "@STRENGTH",
                                    "CAMELLIA@STRENGTH",
                                    "@SECLEVEL=0:CAMELLIA",
                                    "-ALL:CAMELLIA",
                                    "ALL:!AES:!AESGCM:!AESCCM:!CHACHA20:!eNULL:!3DES",
                                    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
                                    "TLS_AES_128_GCM_SHA256",
                                    "kGOST",
                                    "EXPORT",
                                    "LOW"};

static const char *const suites[] = {"",
                                     "nothing",
                                     "TLS_AES_128_GCM_SHA256:nothing",
                                     "TLS_AES_128_CCM_8_SHA256",
                                     "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
                                     "TLS_SHA256_SHA256",
                                     "AES128-SHA",
                                     "TLS_AES_128_GCM_SHA256:TLS_AES_128_GCM_SHA256",
                                     ":TLS_AES_128_GCM_SHA256",
                                     "tls_aes_128_gcm_sha256",
                                     "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384",
                                     "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384",
                                     "!TLS_AES_128_GCM_SHA256"};

/* What becomes of a connection that has nothing to offer. */
static void connect_with(const char *list, const char *suites13)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    pair_use_certificate(server);
    int a = SSL_CTX_set_cipher_list(client, list),
        b = SSL_CTX_set_ciphersuites(client, suites13);
    ERR_clear_error();
    struct pair p = pair_new(client, server);
    int c = SSL_connect(p.client);
    printf("connect with \"%s\" and \"%s\": %d %d, %d error %d\n", list, suites13, a, b, c,
           SSL_get_error(p.client, c));
    pair_errors();
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = SSL_new(ctx);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384");
    SSL_set_ciphersuites(s, "TLS_AES_256_GCM_SHA384");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        MUST(SSL_CTX_set_cipher_list(ctx, "AES256-SHA"));
        int set = SSL_CTX_set_cipher_list(ctx, lists[i]);
        show(lists[i], set, SSL_CTX_get_ciphers(ctx));
        MUST(SSL_set_cipher_list(s, "AES256-SHA"));
        set = SSL_set_cipher_list(s, lists[i]);
        show("  connection", set, SSL_get_ciphers(s));
        STACK_OF(SSL_CIPHER) *usable = SSL_get1_supported_ciphers(s);
        printf("  usable");
        for (int n = 0; n < sk_SSL_CIPHER_num(usable); n++) {
            /* What a library cannot do it may say so. */
            const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(usable, n));
            if (!strstr(name, "CAMELLIA") && !strstr(name, "ARIA") &&
                !strstr(name, "RSA-PSK") && !strstr(name, "DSS"))
                printf(" %s", name);
        }
        printf("\n");
        sk_SSL_CIPHER_free(usable);
    }
    MUST(SSL_CTX_set_cipher_list(ctx, "AES256-SHA"));
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        MUST(SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384"));
        int set = SSL_CTX_set_ciphersuites(ctx, suites[i]);
        show(suites[i], set, SSL_CTX_get_ciphers(ctx));
        MUST(SSL_set_ciphersuites(s, "TLS_AES_256_GCM_SHA384"));
        set = SSL_set_ciphersuites(s, suites[i]);
        show("  connection", set, SSL_get_ciphers(s));
    }
    SSL_free(s);
    SSL_CTX_free(ctx);
    connect_with("CAMELLIA128-SHA", "TLS_AES_128_GCM_SHA256");
    connect_with("nothing", "TLS_AES_128_GCM_SHA256");
    connect_with("SRP", "");
    connect_with("aDSS", "");
    connect_with("AES128-SHA", "nothing");
    return 0;
}

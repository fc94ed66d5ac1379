/* test_cipher_list.c: prints what cipher strings choose, fixed ones and some hundreds that are put together by
 * chance, always the same. Run on handfast's libssl and on the system's, the output is the same. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static const char *const strings[] = {
    "DEFAULT",
    "ALL",
    "ALL:COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT",
    "HIGH:!aNULL:!MD5",
    "HIGH:!aNULL:!eNULL:@STRENGTH",
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!MD5:!DSS",
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM",
    "kRSA+AES:kEDH:-SHA:+AES256",
    "DEFAULT:!DH",
    "DEFAULT@SECLEVEL=1",
    "DEFAULT:@SECLEVEL=0",
    "PSK:SRP",
    "SUITEB128",
    "SUITEB128ONLY:ALL",
    "SUITEB192",
    "SUITEB128C2",
    "TLSv1.2+HIGH:TLSv1:SSLv3",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "ALL:!ECDHE:!DHE:+RSA:-PSK:PSK",
    "aNULL:eNULL",
    "CAMELLIA:ARIA:AESCCM",
    "AES128-SHA:!AES128-SHA",
    "RC4:3DES:SEED",
    "nothing",
    "",
    ":::",
    "HIGH,MEDIUM LOW;ALL",
    "^$:,;?*'dorothyx",
    "ALL:@SECLEVEL=9",
    "ALL:@UNKNOWN",
    "ALL:!",
    "+ALL",
    "AES+",
    "AESGCM+nothing:AES256-SHA",
    "COMPLEMENTOFDEFAULT+HIGH",
    "AES128-SHA+TLSv1",
    "kECDHEPSK:kDHEPSK:kRSAPSK:kPSK",
    "aRSA:aDSS:aECDSA:aPSK:aSRP:aGOST",
    "DEFAULTS",
    "ALL:+HIGH:@STRENGTH:-3DES:!SSLv3",
};

static const char *const words[] = {
    "ALL",
    "DEFAULT",
    "HIGH",
    "MEDIUM",
    "FIPS",
    "kRSA",
    "kDHE",
    "kECDHE",
    "RSA",
    "DHE",
    "ECDHE",
    "ADH",
    "AECDH",
    "aRSA",
    "aECDSA",
    "aDSS",
    "aNULL",
    "eNULL",
    "AES",
    "AES128",
    "AES256",
    "AESGCM",
    "AESCCM",
    "AESCCM8",
    "CBC",
    "CHACHA20",
    "SHA1",
    "SHA256",
    "SHA384",
    "MD5",
    "PSK",
    "kPSK",
    "SRP",
    "CAMELLIA",
    "ARIA256",
    "TLSv1",
    "SSLv3",
    "TLSv1.2",
    "NULL",
    "kRSAPSK",
    "ARIA",
    "AES128-SHA",
    "COMPLEMENTOFDEFAULT",
    "ECDHE-RSA-AES256-SHA",
    "kECDHEPSK",
    "GOST89",
};
static const char *const suites13[] = {
    "",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
    "TLS_AES_256_GCM_SHA384:nothing:TLS_CHACHA20_POLY1305_SHA256",
    "nothing",
    " TLS_AES_256_GCM_SHA384 : TLS_AES_128_GCM_SHA256 ",
    "TLS_AES_256_GCM_SHA384::TLS_AES_128_GCM_SHA256",
    "tls_aes_128_gcm_sha256",
    "TLS_AES_128_GCM_SHA256:",
    "TLS_A_NAME_THAT_IS_MUCH_LONGER_THAN_ANY_NAME_OF_A_CIPHER_SUITE_COULD_EVER_POSSIBLY_BE_IN_THIS_WORLD",
};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static unsigned next(void)
{
    static unsigned long long state = 1;
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33);
}

static void any_string(char *out, size_t size)
{
    static const char *const rules[] = {"", "", "", "", "!", "-", "+"};
    size_t len = 0, count = 1 + next() % 5;
    out[0] = 0;
    for (size_t i = 0; i < count && len + 60 < size; i++) {
        len += (size_t)snprintf(out + len, size - len, "%s%s%s", i ? ":" : "",
                                rules[next() % COUNT(rules)], words[next() % COUNT(words)]);
        if (next() % 3 == 0)
            len += (size_t)snprintf(out + len, size - len, "+%s", words[next() % COUNT(words)]);
    }
    if (next() % 8 == 0)
        (void)snprintf(out + len, size - len, ":@STRENGTH");
}

static void print_list(STACK_OF(SSL_CIPHER) * stack)
{
    for (int i = 0; i < sk_SSL_CIPHER_num(stack); i++)
        printf("%s%s", i ? ":" : "", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(stack, i)));
    printf("\n");
}

static void print_error(void)
{
    unsigned long code = ERR_get_error();
    if (code)
        printf("  %s\n", ERR_reason_error_string(code));
    ERR_clear_error();
}

/* A list of which handfast can do nothing is refused by it, while the system's library takes it. */
static int of_use(STACK_OF(SSL_CIPHER) * stack)
{
    static const char *const foreign[] = {"CAMELLIA", "ARIA",     "DSS", "RSA-PSK",
                                          "SRP",      "NULL-MD5", "TLS_"};
    for (int i = 0; i < sk_SSL_CIPHER_num(stack); i++) {
        const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(stack, i));
        size_t k = 0;
        while (k < COUNT(foreign) && !strstr(name, foreign[k]))
            k++;
        if (k == COUNT(foreign))
            return 1;
    }
    return 0;
}

static void try_string(const char *string)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    int ok = SSL_CTX_set_cipher_list(ctx, string);
    unsigned long code = ERR_peek_error();
    printf("'%s' level %d\n  ", string, SSL_CTX_get_security_level(ctx));
    print_list(SSL_CTX_get_ciphers(ctx));
    if (of_use(SSL_CTX_get_ciphers(ctx)) || ERR_GET_REASON(code) == SSL_R_INVALID_COMMAND) {
        printf("  %d\n", ok);
        print_error();
    }
    ERR_clear_error();
    SSL_CTX_free(ctx);
}

static void try_suites13(const char *string)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    printf("'%s' %d\n  ", string, SSL_CTX_set_ciphersuites(ctx, string));
    print_list(SSL_CTX_get_ciphers(ctx));
    print_error();
    SSL_CTX_free(ctx);
}

static void bytes(SSL *ssl, const char *in, size_t len, int v2)
{
    STACK_OF(SSL_CIPHER) *suites = NULL, *signals = NULL;
    int ok =
        SSL_bytes_to_cipher_list(ssl, (const unsigned char *)in, len, v2, &suites, &signals);
    printf("bytes %d %d ", (int)len, ok);
    if (ok) {
        print_list(suites);
        print_list(signals);
    }
    print_error();
    sk_SSL_CIPHER_free(suites);
    sk_SSL_CIPHER_free(signals);
}

static void lists(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM");
    SSL *ssl = SSL_new(ctx);
    print_list(SSL_get_ciphers(ssl));
    printf("%s %s\n", SSL_get_cipher_list(ssl, 3), SSL_get_cipher_list(ssl, 99) ? "?" : "none");
    STACK_OF(SSL_CIPHER) *can = SSL_get1_supported_ciphers(ssl);
    print_list(can);
    sk_SSL_CIPHER_free(can);
    SSL_set_ciphersuites(ssl, "");
    SSL_set_cipher_list(ssl, "AES128-SHA:AES256-SHA256");
    print_list(SSL_get_ciphers(ssl));
    print_list(SSL_CTX_get_ciphers(ctx));
    SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
    can = SSL_get1_supported_ciphers(ssl);
    printf("%d\n", sk_SSL_CIPHER_num(can));
    sk_SSL_CIPHER_free(can);
    bytes(ssl, "\x13\x01\xc0\x2f\x00\xff\x56\x00\xaa\xaa", 10, 0);
    bytes(ssl, "\x13\x01\xc0", 3, 0);
    bytes(ssl, "", 0, 0);
    bytes(ssl, "\x00\x00\x2f\x01\x00\x80\x00\xc0\x30", 9, 1);
    printf("%s\n%s\n", OSSL_default_cipher_list(), OSSL_default_ciphersuites());
    printf("%d\n", sk_SSL_COMP_num(SSL_COMP_get_compression_methods()));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    char string[400];
    for (size_t i = 0; i < COUNT(strings); i++)
        try_string(strings[i]);
    for (size_t i = 0; i < 500; i++) {
        any_string(string, sizeof string);
        try_string(string);
    }
    for (size_t i = 0; i < COUNT(suites13); i++)
        try_suites13(suites13[i]);
    lists();
    return 0;
}

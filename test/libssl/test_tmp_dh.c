/* Temporary DH parameters of servers before TLS 1.3: which group goes out, from where it comes and when the callback
 * is asked, and which ones either end refuses. */
#include <openssl/dh.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "pair.h"
#include "show.h"

/* Safe primes made for this test, and a group whose generator has an order of 224 bits. */
/* clang-format off */
static const char prime_512[] =
    "b2b0579e271bd9eba0897b669b397c00628278ecb7e3e6340e9d9592f8eea151c6d2fc291231982e164c14c3"
    "c4d47c5ca6c4044166d887fb484f814c4892a317";
static const char prime_1024[] =
    "b5a6b3556756f3d018956baa374e8231e403a04841738d766f561bd9ae30cf1ae57aa96ab8a01a1ee91e9124"
    "9151cd114b1be9c613e2df2ba37221514ea074eca25542ff08effb2db24e6e0df77a82bae6eca099ba90813e"
    "c1c117b2b88a656f3bf1e09ad1ebb73b94a660c4e34fd34da75eb2feceba0a2fb89a3a535bbe6637";
static const char prime_2048[] =
    "e408922c1edc4ce8521cca80aa30301f2f27cdb14a1cdd123f912bb3ad93124ca9da519fec9e0d7e5d948af0"
    "c77d87e2936b2a73a7657f836cd4576a5ae04f279e1d086dd6dba4608bf1d19cc70b61db9483359e6e3c1c9c"
    "012930734b471ce310c1b3ea2f97821e8f62713c320df55c95d431fffabb662c95e80a4daf84c550c8807b92"
    "07edcbac1b5c6a40c7768ef5bf9cd8eb0cd4f4da04aa17f5fe59267826031f1dc4f214bfc226ea47cf610243"
    "cf746bedd5634dc34b2f2780f3a7b60da2428bb2820b924145976588de8a8bd4529894c33f3976deaf8ec7e1"
    "e4ed3faa2cbb0007f41cf6535797c4f1fab6fab72fd08456d6b9f0378c15ad9099ed3eb7";
static const char dsa_prime[] =
    "a7374b017cbcf7f709b18933d9688f1fd5d1ca13a10ce6639ce5dcc3ec0a22ef9be086436a45a3edd66eecc4"
    "1055d1c6c7cdc25c0a4da3a374804683c4102438edfd86e5683e236e04f4aa0865c07fa83c8e0b69eae09e60"
    "5ade9049072e73b9793d7f45d051f2c09cafe1bdb24e83d4ac75ff10be3db4d0545319bb753f18977baa0ed0"
    "830ab7f657301bffbf54947d5d6b8255d2d672430770e834332129c73f643f53fc6d110e96ed44836b7d2892"
    "5b70e3db3eda472619999ef0e9f013b4c886185c65f589c30105593868b99f9a8b39a074aa7542b72cbb0daa"
    "35743ba25153bdd4890e56d0d4f1b496f2ed07a321ba81449724a58596591f409291a507";
static const char dsa_generator[] =
    "8388f0edaa8ed587ee445ba69f590ea64522609b753f6084d1c9d0356bc2c2bd57c08509aaf87353bfb9d5b7"
    "a8d4985460f5d0571a53cf8c272e6d50f311705b4dd4d56676055ce4ca7348977e88b31114cb2ac6f5e14c4d"
    "66b8329af1fde75fbae8c3c8ce5f444d8a3a3df0b8acd1be5f716679857422ea777c21edf4ea60fbcadefce4"
    "202f0c7d674b75bb643bc8d35bc9f6c538eca78747c32f4ca5a1093a97434b7f9711445e59a002975893f241"
    "01eec2e73480be3beab4a5a7bd28eab2e0c5f82e2feca60bb9d405b665d74bd633fcbbd4b1d39c56e0ba1253"
    "8fd364a97a90db236018d31846ca2b671c39f0bbc6267cb8b07373364ff0a489db5d5cdd";

/* clang-format on */

static SSL_CTX *client_ctx, *server_ctx;
static EVP_PKEY *rsa2048, *rsa3072;

static DH *dh_of(BIGNUM *p, BIGNUM *g, long length)
{
    DH *dh = DH_new();
    MUST(dh && p && g && DH_set0_pqg(dh, p, NULL, g));
    if (length)
        DH_set_length(dh, length);
    return dh;
}

static BIGNUM *hex(const char *text)
{
    BIGNUM *n = NULL;
    MUST(BN_hex2bn(&n, text));
    return n;
}

static BIGNUM *word(unsigned long w)
{
    BIGNUM *n = BN_new();
    MUST(n && BN_set_word(n, w));
    return n;
}

static BIGNUM *plus(BIGNUM *n, unsigned long w)
{
    MUST(n && BN_add_word(n, w));
    return n;
}

static BIGNUM *ones(int bits)
{
    BIGNUM *n = word(1);
    MUST(BN_lshift(n, n, bits) && BN_sub_word(n, 1));
    return n;
}

/* Those that both libraries can compute in; 8,192 bits is where ours ends, 10,000 where the system's does. */
static const char *const names[] = {
    "512 bits",   "1024 bits", "2048 bits", "2048 bits with a length",
    "a subgroup", "RFC 3526",  "RFC 7919",  "composite",
    "10016 bits", "g 1",       "even",      "g 5",
};
enum { GROUPS = sizeof names / sizeof names[0] };

static DH *group(int i)
{
    switch (i) {
    case 0: return dh_of(hex(prime_512), word(2), 0);
    case 1: return dh_of(hex(prime_1024), word(2), 0);
    case 2: return dh_of(hex(prime_2048), word(2), 0);
    case 3: return dh_of(hex(prime_2048), word(2), 300);
    case 4: return dh_of(hex(dsa_prime), hex(dsa_generator), 0);
    case 5: return dh_of(BN_get_rfc3526_prime_3072(NULL), word(2), 0);
    case 6: return DH_new_by_nid(NID_ffdhe2048);
    case 7: return dh_of(plus(BN_get_rfc3526_prime_2048(NULL), 2), word(2), 0);
    case 8: return dh_of(ones(10016), word(2), 0);
    case 9: return dh_of(hex(prime_2048), word(1), 0);
    case 10: return dh_of(plus(hex(prime_2048), 1), word(2), 0);
    default: return dh_of(hex(prime_2048), word(5), 0);
    }
}

/* ---- what came of it */

static unsigned mix(const BIGNUM *n)
{
    unsigned char bytes[2048];
    unsigned sum = 0;
    int len = n && BN_num_bytes(n) <= (int)sizeof bytes ? BN_bn2bin(n, bytes) : 0;
    for (int i = 0; i < len; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static void show_group(SSL *client)
{
    EVP_PKEY *key = NULL;
    if (!SSL_get_peer_tmp_key(client, &key) || !EVP_PKEY_is_a(key, "DH")) {
        printf("    no DH key\n");
        EVP_PKEY_free(key);
        return;
    }
    const DH *dh = EVP_PKEY_get0_DH(key);
    BIGNUM *y = NULL;
    MUST(dh);
    printf("    %d bits, p %08x, g %08x\n", DH_bits(dh), mix(DH_get0_p(dh)),
           mix(DH_get0_g(dh)));
    MUST(EVP_PKEY_get_bn_param(key, "pub", &y) && BN_num_bits(y) > 64);
    BN_free(y);
    EVP_PKEY_free(key);
}

static void show_reason(const char *who)
{
    unsigned long e = ERR_peek_error();
    if (ERR_GET_LIB(e) == ERR_LIB_SSL)
        printf("    %s: %s\n", who, ERR_reason_error_string(e));
    else
        printf("    %s: %s\n", who, e ? "another library's" : "nothing");
    ERR_clear_error();
}

/* With who is to blame where only one end is asked about. */
static void shake(struct pair *p, int why)
{
    int c = 0, s = 0;
    for (int i = 0; i < 10 && !(c == 1 && s == 1); i++) {
        ERR_clear_error();
        s = s == 1 ? 1 : SSL_do_handshake(p->server);
        if (s <= 0 && SSL_get_error(p->server, s) == SSL_ERROR_SSL) {
            if (why)
                show_reason("server");
            (void)SSL_do_handshake(p->client);
            if (why)
                show_reason("client");
            break;
        }
        ERR_clear_error();
        c = c == 1 ? 1 : SSL_do_handshake(p->client);
        if (c <= 0 && SSL_get_error(p->client, c) == SSL_ERROR_SSL) {
            if (why)
                show_reason("client");
            (void)SSL_do_handshake(p->server);
            break; /* RFC 7919 has another alert for a weak group than OpenSSL 3.0 */
        }
    }
    ERR_clear_error();
    printf("  handshake %d\n", c == 1 && s == 1);
    if (c == 1 && s == 1) {
        printf("    %s %s\n", SSL_get_version(p->client), SSL_get_cipher(p->client));
        show_group(p->client);
    }
}

/* ---- contexts */

static unsigned on_psk_client(SSL *s, const char *hint, char *identity, unsigned room,
                              unsigned char *psk, unsigned len)
{
    (void)s, (void)hint, (void)len;
    snprintf(identity, room, "me");
    memset(psk, 1, 16);
    return 16;
}

static unsigned on_psk_server(SSL *s, const char *identity, unsigned char *psk, unsigned len)
{
    (void)s, (void)identity, (void)len;
    memset(psk, 1, 16);
    return 16;
}

static void contexts(EVP_PKEY *key, int version, const char *server, const char *client)
{
    X509 *x = pair_self_signed(key);
    server_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    MUST(server_ctx && client_ctx);
    MUST(SSL_CTX_set_cipher_list(server_ctx, server));
    MUST(SSL_CTX_set_cipher_list(client_ctx, client));
    MUST(SSL_CTX_use_certificate(server_ctx, x) && SSL_CTX_use_PrivateKey(server_ctx, key));
    SSL_CTX_set_min_proto_version(server_ctx, TLS1_VERSION);
    SSL_CTX_set_min_proto_version(client_ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(server_ctx, version);
    SSL_CTX_set_psk_client_callback(client_ctx, on_psk_client);
    SSL_CTX_set_psk_server_callback(server_ctx, on_psk_server);
    X509_free(x);
}

static void contexts_free(void)
{
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

/* ---- every group in every way */

static DH *given;
static int asked;

static DH *on_dh(SSL *s, int is_export, int keylength)
{
    (void)s;
    printf("    asked: export %d, length %d\n", is_export, keylength);
    asked++;
    return given;
}

static EVP_PKEY *pkey_of(DH *dh)
{
    EVP_PKEY *key = EVP_PKEY_new();
    MUST(key && EVP_PKEY_set1_DH(key, dh));
    return key;
}

static void set_on(int way, SSL *s)
{
    EVP_PKEY *key = way == 1 || way == 3 ? pkey_of(given) : NULL;
    long ok = 1;
    if (way == 0)
        SHOW(SSL_CTX_set_tmp_dh(server_ctx, given));
    if (way == 1)
        SHOW(ok = SSL_CTX_set0_tmp_dh_pkey(server_ctx, key));
    if (way == 2)
        SHOW(SSL_set_tmp_dh(s, given));
    if (way == 3)
        SHOW(ok = SSL_set0_tmp_dh_pkey(s, key));
    if (way == 4)
        SSL_CTX_set_tmp_dh_callback(server_ctx, on_dh);
    if (way == 5)
        SSL_set_tmp_dh_callback(s, on_dh);
    if (!ok)
        EVP_PKEY_free(key);
}

/* Why our own parameters cannot be computed with is told by other errors in each library. */
static void test_group(int i, int way, int level)
{
    char list[80];
    printf("%s, way %d, level %d\n", names[i], way, level);
    snprintf(list, sizeof list, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=%d", level);
    contexts(rsa2048, TLS1_2_VERSION, list, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0");
    given = group(i);
    if (way == 0 || way == 1 || way == 4)
        set_on(way, NULL);
    struct pair p = pair_new(client_ctx, server_ctx);
    if (way == 2 || way == 3 || way == 5)
        set_on(way, p.server);
    (void)SSL_do_handshake(p.client);
    shake(&p, i < 7 && i != 0);
    pair_free(&p);
    contexts_free();
    DH_free(given);
    given = NULL;
}

/* The client's level; a server of level 0 sends what it has. */
static void test_client(int i, int level)
{
    char list[80];
    printf("%s, client of level %d\n", names[i], level);
    snprintf(list, sizeof list, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=%d", level);
    contexts(rsa3072, TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", list);
    given = group(i);
    MUST(SSL_CTX_set_tmp_dh(server_ctx, given));
    struct pair p = pair_new(client_ctx, server_ctx);
    (void)SSL_do_handshake(p.client);
    shake(&p, 1);
    pair_free(&p);
    contexts_free();
    DH_free(given);
    given = NULL;
}

static void test_versions(void)
{
    for (int version = TLS1_VERSION; version <= TLS1_2_VERSION; version++) {
        printf("version %x\n", (unsigned)version);
        contexts(rsa2048, version, "DHE-RSA-AES128-SHA:@SECLEVEL=0",
                 "DHE-RSA-AES128-SHA:@SECLEVEL=0");
        given = group(2);
        SHOW(SSL_CTX_set_tmp_dh(server_ctx, given));
        struct pair p = pair_new(client_ctx, server_ctx);
        (void)SSL_do_handshake(p.client);
        shake(&p, 1);
        pair_free(&p);
        contexts_free();
        DH_free(given);
    }
}

/* Automatic groups go by the certificate's key, the suite and the level. */
static void test_auto(void)
{
    static const char *const suites[] = {
        "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-PSK-AES128-GCM-SHA256",
        "DHE-PSK-AES256-GCM-SHA384", "DHE-PSK-AES128-CBC-SHA256",
    };
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        for (int mode = 0; mode <= 2; mode++) {
            for (int level = 0; level <= 3; level++) {
                char list[80];
                if ((level == 3) != (i == 0))
                    continue;
                snprintf(list, sizeof list, "%s:@SECLEVEL=%d", suites[i], level);
                printf("auto %d, %s\n", mode, list);
                contexts(i % 2 || level > 2 ? rsa3072 : rsa2048, TLS1_2_VERSION, list, list);
                SSL_CTX_set_dh_auto(server_ctx, mode);
                given = group(2); /* of no account where they are automatic */
                if (mode)
                    (void)SSL_CTX_set_tmp_dh(server_ctx, given);
                ERR_clear_error();
                struct pair p = pair_new(client_ctx, server_ctx);
                (void)SSL_do_handshake(p.client);
                shake(&p, 1);
                pair_free(&p);
                contexts_free();
                DH_free(given);
            }
        }
    }
}

static int on_cert(SSL *s, void *arg)
{
    printf("    certificate callback\n");
    SSL_set_tmp_dh(s, arg);
    return 1;
}

/* For each connection, not for a resumed one; what is set is before what the callback says. */
static void test_callback(void)
{
    SSL_SESSION *session = NULL;
    printf("callback\n");
    contexts(rsa2048, TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256");
    SSL_CTX_set_tmp_dh_callback(server_ctx, on_dh);
    for (int i = 0; i < 5; i++) {
        given = i == 4 ? NULL : group(i == 1 ? 5 : 2);
        asked = 0;
        struct pair p = pair_new(client_ctx, server_ctx);
        if (i == 3) {
            DH *other = group(6);
            SHOW(SSL_set_tmp_dh(p.server, other));
            DH_free(other);
        }
        if (i == 2)
            SSL_set_session(p.client, session);
        (void)SSL_do_handshake(p.client);
        shake(&p, 1);
        printf("  asked %d times, resumed %d\n", asked, SSL_session_reused(p.client));
        if (i == 0)
            session = SSL_get1_session(p.client);
        pair_free(&p);
        DH_free(given);
    }
    SSL_SESSION_free(session);
    given = group(2);
    SSL_CTX_set_tmp_dh_callback(server_ctx, NULL);
    SSL_CTX_set_cert_cb(server_ctx, on_cert, given);
    struct pair p = pair_new(client_ctx, server_ctx);
    printf("set in the certificate callback\n");
    (void)SSL_do_handshake(p.client);
    shake(&p, 1);
    pair_free(&p);
    DH_free(given);
    contexts_free();
}

/* No suite with DHE where nobody has said anything, and the next best one with it. */
static void test_choice(void)
{
    for (int set = 0; set < 2; set++) {
        printf("a choice, set %d\n", set);
        contexts(rsa2048, TLS1_2_VERSION, "ALL", "DHE-RSA-AES128-GCM-SHA256:AES128-SHA");
        SSL_CTX_set1_groups_list(client_ctx, "P-256:ffdhe3072");
        given = group(2);
        if (set)
            SHOW(SSL_CTX_set_tmp_dh(server_ctx, given));
        struct pair p = pair_new(client_ctx, server_ctx);
        (void)SSL_do_handshake(p.client);
        shake(&p, 1);
        pair_free(&p);
        DH_free(given);
        contexts_free();
    }
}

static void test_file(void)
{
    static const int which[] = {1, 2, 4, 6};
    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
        FILE *f = fopen("dh.pem", "w");
        DH *dh = group(which[i]);
        SSL_CONF_CTX *conf = SSL_CONF_CTX_new();
        MUST(f && conf && PEM_write_DHparams(f, dh));
        fclose(f);
        printf("file: %s\n", names[which[i]]);
        contexts(rsa2048, TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256",
                 "DHE-RSA-AES128-GCM-SHA256");
        SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER |
                                         SSL_CONF_FLAG_CERTIFICATE);
        SSL_CONF_CTX_set_ssl_ctx(conf, server_ctx);
        SHOW(SSL_CONF_cmd(conf, "DHParameters", "dh.pem"));
        struct pair p = pair_new(client_ctx, server_ctx);
        (void)SSL_do_handshake(p.client);
        shake(&p, 1);
        pair_free(&p);
        SSL_CONF_CTX_free(conf);
        contexts_free();
        DH_free(dh);
    }
    remove("dh.pem");
}

int main(void)
{
    rsa2048 = EVP_RSA_gen(2048);
    rsa3072 = EVP_RSA_gen(3072);
    MUST(rsa2048 && rsa3072);
    for (int i = 0; i < GROUPS; i++) {
        for (int way = 0; way < 6; way++)
            test_group(i, way, i == 0 || i == 7 ? 1 : way % 3);
    }
    for (int level = 0; level <= 3; level++) {
        test_client(1, level);
        test_client(2, level);
        test_client(5, level);
    }
    test_versions();
    test_auto();
    test_callback();
    test_choice();
    test_file();
    EVP_PKEY_free(rsa2048);
    EVP_PKEY_free(rsa3072);
    return 0;
}

/* test_groups.c: lists of groups and signature schemes, and what a connection says of both. Run on handfast's
 * libssl and on the system's, the output is the same. */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "pair.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void print_error(void)
{
    unsigned long e = ERR_get_error();
    printf("  %s\n", e ? ERR_reason_error_string(e) : "no error");
    ERR_clear_error();
}

static void lists(SSL_CTX *ctx)
{
    static const char *const groups[] = {"P-256",
                                         "X25519:secp256r1",
                                         "nothing",
                                         "P-256:nothing",
                                         "prime256v1:secp384r1",
                                         "P-256:P-256",
                                         "",
                                         "x25519",
                                         "X448:ffdhe2048",
                                         "sect163k1:x25519",
                                         "brainpoolP256r1:P-521",
                                         "secp224r1:secp256k1:P-384",
                                         "FFDHE2048",
                                         "K-163:B-571:P-256",
                                         "p-256",
                                         "P-256:",
                                         ":P-256",
                                         " P-256 : P-384"};
    static const char *const sigalgs[] = {"RSA+SHA256",
                                          "ECDSA+SHA384:RSA-PSS+SHA256",
                                          "rsa_pss_rsae_sha256:ed25519",
                                          "nothing",
                                          "RSA+SHA256:nothing",
                                          "rsa_pkcs1_sha256",
                                          "ecdsa_secp256r1_sha256",
                                          "DSA+SHA1:RSA+SHA256",
                                          "RSA+MD5",
                                          "RSA+SHA1",
                                          "PSS+SHA512",
                                          "RSA",
                                          "RSA+",
                                          "+SHA256",
                                          "SHA256+RSA",
                                          "RSA+ECDSA",
                                          "ed448:ECDSA+SHA224",
                                          "rsa_pss_pss_sha256",
                                          "ECDSA_SECP256R1_SHA256",
                                          "RSA+SHA256:RSA+SHA256",
                                          ""};
    for (size_t i = 0; i < COUNT(groups); i++) {
        printf("groups '%s' %ld", groups[i], SSL_CTX_set1_groups_list(ctx, groups[i]));
        print_error();
    }
    for (size_t i = 0; i < COUNT(sigalgs); i++) {
        printf("sigalgs '%s' %ld", sigalgs[i], SSL_CTX_set1_sigalgs_list(ctx, sigalgs[i]));
        printf(" %ld", SSL_CTX_set1_client_sigalgs_list(ctx, sigalgs[i]));
        print_error();
    }
}

static void numbers(SSL_CTX *ctx)
{
    int two[] = {NID_X9_62_prime256v1, NID_X25519}, wrong[] = {NID_rsaEncryption};
    int twice[] = {NID_X25519, NID_X25519}, finite[] = {NID_ffdhe2048};
    int pairs[] = {NID_sha256, EVP_PKEY_RSA, NID_sha384, EVP_PKEY_EC};
    int edwards[] = {NID_undef, EVP_PKEY_ED25519}, pss[] = {NID_sha256, EVP_PKEY_RSA_PSS};
    int md5[] = {NID_md5, EVP_PKEY_RSA};
    printf("%ld", SSL_CTX_set1_groups(ctx, two, 2));
    printf(" %ld", SSL_CTX_set1_groups(ctx, wrong, 1));
    printf(" %ld", SSL_CTX_set1_groups(ctx, twice, 2));
    printf(" %ld", SSL_CTX_set1_groups(ctx, two, 0));
    printf(" %ld", SSL_CTX_set1_groups(ctx, finite, 1));
    print_error();
    printf("%ld", SSL_CTX_set1_sigalgs(ctx, pairs, 4));
    printf(" %ld", SSL_CTX_set1_sigalgs(ctx, pairs, 1));
    printf(" %ld", SSL_CTX_set1_sigalgs(ctx, edwards, 2));
    printf(" %ld", SSL_CTX_set1_sigalgs(ctx, pss, 2));
    printf(" %ld", SSL_CTX_set1_sigalgs(ctx, md5, 2));
    print_error();
}

static void names(SSL *ssl)
{
    for (int nid = 1; nid < 2000; nid++) {
        const char *name = SSL_group_to_name(ssl, nid);
        if (name)
            printf("%d %s\n", nid, name);
    }
    for (int id = 1; id < 0x1000; id++) {
        const char *name = SSL_group_to_name(ssl, TLSEXT_nid_unknown | id);
        if (name)
            printf("%x %s\n", (unsigned)id, name);
    }
}

/* ---- a connection */

static EVP_PKEY *key;
static X509 *cert;

static int make_certificate(int rsa)
{
    EVP_PKEY_free(key);
    X509_free(cert);
    key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    cert = pair_self_signed(key);
    return cert != NULL;
}

static int step(SSL *from, SSL *to)
{
    char bytes[4096];
    int n, done = SSL_do_handshake(from);
    while ((n = BIO_read(SSL_get_wbio(from), bytes, sizeof bytes)) > 0)
        BIO_write(SSL_get_rbio(to), bytes, n);
    return done == 1;
}

static void show_key(const char *what, int ok, EVP_PKEY *tmp)
{
    printf("    %s %d %s %d\n", what, ok, tmp ? EVP_PKEY_get0_type_name(tmp) : "none",
           tmp ? EVP_PKEY_get_bits(tmp) : 0);
    EVP_PKEY_free(tmp);
}

static void show(const char *who, SSL *s)
{
    int groups[64], nid = -1, sig = -1, hash = -1, both = -1;
    unsigned char raw_sig = 0, raw_hash = 0;
    char shared[2000];
    long n = SSL_get1_groups(s, NULL);
    printf("  %s: %s %s\n    groups", who, SSL_get_version(s),
           SSL_CIPHER_get_name(SSL_get_current_cipher(s)));
    if (n > 0 && n <= 64)
        SSL_get1_groups(s, groups);
    for (long i = 0; i < n && i < 64; i++)
        printf(" %x", (unsigned)groups[i]);
    printf("\n    shared %ld:", (long)SSL_get_shared_group(s, -1));
    for (int i = 0; i < SSL_get_shared_group(s, -1); i++)
        printf(" %x", (unsigned)SSL_get_shared_group(s, i));
    printf(" negotiated %x\n    sigalgs", (unsigned)SSL_get_negotiated_group(s));
    int count = SSL_get_sigalgs(s, -1, NULL, NULL, NULL, NULL, NULL);
    for (int i = 0; i < count; i++) {
        SSL_get_sigalgs(s, i, &sig, &hash, &both, &raw_sig, &raw_hash);
        printf(" %d/%d/%d/%02x%02x", sig, hash, both, raw_hash, raw_sig);
    }
    printf("\n    shared");
    count = SSL_get_shared_sigalgs(s, 0, NULL, NULL, NULL, NULL, NULL);
    for (int i = 0; i < count; i++) {
        SSL_get_shared_sigalgs(s, i, &sig, &hash, &both, &raw_sig, &raw_hash);
        printf(" %d/%d/%d/%02x%02x", sig, hash, both, raw_hash, raw_sig);
    }
    printf("\n    peer signature %ld", SSL_get_peer_signature_nid(s, &nid));
    printf(" %d", nid);
    printf(" type %d", SSL_get_peer_signature_type_nid(s, &nid));
    printf(" %d own %ld", nid, SSL_get_signature_nid(s, &sig));
    printf(" %d type %d", sig, SSL_get_signature_type_nid(s, &sig));
    printf(" %d\n", sig);
    EVP_PKEY *tmp = NULL;
    int ok = (int)SSL_get_peer_tmp_key(s, &tmp);
    show_key("peer's key", ok, tmp);
    printf("    shared ciphers %s\n",
           SSL_get_shared_ciphers(s, shared, sizeof shared) ? shared : "none");
    printf("    client ciphers %d\n", sk_SSL_CIPHER_num(SSL_get_client_ciphers(s)));
    const unsigned char *list = NULL;
    n = SSL_get0_raw_cipherlist(s, &list);
    printf("    raw:"); /* without the signalling value that only OpenSSL's client sends */
    for (long i = 0; i + 1 < n; i += 2) {
        if (list[i] != 0 || list[i + 1] != 0xff)
            printf(" %02x%02x", list[i], list[i + 1]);
    }
    printf("\n");
}

static SSL *end(SSL_CTX *ctx, int server)
{
    SSL *s = SSL_new(ctx);
    if (server) {
        SSL_use_certificate(s, cert);
        SSL_use_PrivateKey(s, key);
        SSL_set_accept_state(s);
    } else {
        SSL_set_connect_state(s);
    }
    return pair_end(s);
}

static void connection(SSL_CTX *ctx, int version, const char *groups, const char *ciphers,
                       int own)
{
    SSL *client = end(ctx, 0), *server = end(ctx, 1);
    int a = 0, b = 0;
    printf("connection %x %s %s %d\n", (unsigned)version, groups, ciphers, own);
    SSL_set_max_proto_version(client, version);
    SSL_set1_groups_list(client, groups);
    SSL_set1_groups_list(server, "P-384:X25519:P-256:ffdhe2048");
    SSL_set1_sigalgs_list(client, "ECDSA+SHA256:RSA+SHA256:RSA-PSS+SHA384:ed25519");
    SSL_set1_sigalgs_list(server, "RSA-PSS+SHA384:RSA+SHA256:ECDSA+SHA256");
    SSL_set_cipher_list(client, ciphers);
    SSL_set_ciphersuites(client, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    if (own)
        SSL_set_options(server, SSL_OP_CIPHER_SERVER_PREFERENCE);
    for (int i = 0; i < 10 && !(a && b); i++) {
        a = step(client, server);
        b = step(server, client);
    }
    printf("  done %d %d\n", a, b);
    show("client", client);
    show("server", server);
    SSL_free(client);
    SSL_free(server);
}

static int any(int ok, X509_STORE_CTX *x)
{
    (void)ok, (void)x;
    return 1;
}

/* A client with a certificate, and who may sign how. */
static void client_auth(SSL_CTX *ctx, int version, const char *of_client, const char *of_server)
{
    SSL *client = end(ctx, 0), *server = end(ctx, 1);
    int a = 0, b = 0, nid = 0, type = 0;
    printf("client authentication %x %s %s\n", (unsigned)version, of_client ? of_client : "-",
           of_server ? of_server : "-");
    SSL_set_max_proto_version(client, version);
    SSL_set1_groups_list(client, "P-256");
    SSL_use_certificate(client, cert);
    SSL_use_PrivateKey(client, key);
    SSL_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any);
    if (of_client)
        SSL_set1_client_sigalgs_list(client, of_client);
    if (of_server)
        SSL_set1_client_sigalgs_list(server, of_server);
    for (int i = 0; i < 10 && !(a && b); i++) {
        a = step(client, server);
        b = step(server, client);
    }
    SSL_get_peer_signature_nid(server, &nid);
    SSL_get_peer_signature_type_nid(server, &type);
    printf("  done %d %d", a, b);
    if (a && b)
        printf(" server sees %d %d", nid, type);
    SSL_get_peer_signature_nid(client, &nid);
    if (a && b)
        printf(" client sees %d", nid);
    printf("\n");
    int count =
        of_server && a && b ? SSL_get_sigalgs(client, -1, NULL, NULL, NULL, NULL, NULL) : 0;
    for (int i = 0; i < count; i++) {
        unsigned char raw_sig, raw_hash;
        SSL_get_sigalgs(client, i, NULL, NULL, NULL, &raw_sig, &raw_hash);
        printf(" %02x%02x", raw_hash, raw_sig);
    }
    printf("\n");
    ERR_clear_error();
    SSL_free(client);
    SSL_free(server);
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    names(ssl);
    SSL_free(ssl);
    for (int rsa = 0; rsa < 2; rsa++) {
        make_certificate(rsa);
        connection(ctx, TLS1_3_VERSION, "P-256:P-384", "DEFAULT", 0);
        connection(ctx, TLS1_3_VERSION, "X25519:P-256", "AESGCM", 1);
        connection(ctx, TLS1_2_VERSION, "P-256:P-384", "ECDHE+AESGCM:AES256-SHA", 1);
        connection(ctx, TLS1_2_VERSION, "X25519", "ECDHE+AESGCM", 0);
    }
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        client_auth(ctx, version, NULL, NULL);
        client_auth(ctx, version, NULL, "RSA-PSS+SHA384:RSA+SHA512");
        client_auth(ctx, version, "RSA-PSS+SHA512:RSA+SHA384:RSA-PSS+SHA256", NULL);
        client_auth(ctx, version, "RSA-PSS+SHA256:RSA-PSS+SHA512", "RSA-PSS+SHA512");
        client_auth(ctx, version, "RSA-PSS+SHA256", "ECDSA+SHA256");
    }
    lists(ctx);
    numbers(ctx);
    SSL_CTX_free(ctx);
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

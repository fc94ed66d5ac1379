/* test_certificate_file.c: certificates, keys and names of authorities from files, good ones and bad ones. */
#include <openssl/pem.h>
#include <sys/stat.h>

#include "pki.h"
#include "show.h"

static SSL_CTX *ctx;
static SSL *ssl;
static struct pki *pki, *rsa;

static void renew(void)
{
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ctx = SSL_CTX_new(TLS_method());
    ssl = SSL_new(ctx);
}

static void put(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, len, f);
    fclose(f);
}

static void put_text(const char *path, const char *a, const char *b, const char *c)
{
    FILE *f = fopen(path, "wb");
    fprintf(f, "%s%s%s", a, b, c);
    fclose(f);
}

static void make_files(void)
{
    char *locked = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    put_text("leaf.pem", pki->leaf->pem, "", "");
    put("leaf.der", pki->leaf->der, pki->leaf->der_len);
    put_text("chain.pem", pki->leaf->pem, pki->mid->pem, pki->root->pem);
    put_text("bundle.pem", pki->leaf->key_pem, pki->leaf->pem, pki->mid->pem);
    put_text("key.pem", pki->leaf->key_pem, "", "");
    put_text("wrong.pem", pki->mid->key_pem, "", "");
    put_text("rsakey.pem", rsa->leaf->key_pem, "", "");
    put_text("rsa.pem", rsa->leaf->pem, "", "");
    put("key.der", pki->leaf->key_der, pki->leaf->key_der_len);
    put_text("empty.pem", "", "", "");
    put_text("text.pem", "nothing ", "to see ", "here\n");
    put_text("cut.pem", pki->leaf->pem, "-----BEGIN CERTIFICATE-----\nMIIB", "");
    put_text("bad.pem", "-----BEGIN CERTIFICATE-----\nTm90IGEgY2VydGlmaWNhdGU=\n",
             "-----END CERTIFICATE-----\n", "");
    put_text("badchain.pem", pki->leaf->pem, "-----BEGIN CERTIFICATE-----\nTm90IGEgY2VydA==\n",
             "-----END CERTIFICATE-----\n");
    PEM_write_bio_PrivateKey(out, pki->leaf->key, EVP_aes_128_cbc(), (unsigned char *)"secret",
                             6, NULL, NULL);
    long len = BIO_get_mem_data(out, &locked);
    put("locked.pem", locked, (size_t)len);
    BIO_free(out);
    mkdir("folder", 0755);
    mkdir("folder/inner", 0755);
    put_text("folder/a.pem", pki->root->pem, "", "");
    put_text("folder/b.pem", rsa->root->pem, pki->root->pem, pki->mid->pem);
    put_text("folder/c.txt", "not a certificate\n", "", "");
}

static const char *const certificates[] = {
    "leaf.pem", "leaf.der", "chain.pem",    "bundle.pem", "key.pem",  "empty.pem", "text.pem",
    "cut.pem",  "bad.pem",  "badchain.pem", "rsa.pem",    "none.pem", "."};
static const char *const keys[] = {"key.pem",   "key.der",    "bundle.pem",
                                   "wrong.pem", "rsakey.pem", "leaf.pem",
                                   "empty.pem", "text.pem",   "none.pem"};
enum {
    CERTIFICATES = sizeof certificates / sizeof *certificates,
    KEYS = sizeof keys / sizeof *keys
};
static const int types[] = {SSL_FILETYPE_PEM, SSL_FILETYPE_ASN1, 99};

static void show_chain_of_ctx(void)
{
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(ctx, &chain);
    printf("  [%s] ", cn_of(SSL_CTX_get0_certificate(ctx)));
    show_chain("chain", chain);
}

static void test_certificates(void)
{
    for (size_t i = 0; i < CERTIFICATES; i++) {
        renew();
        for (size_t t = 0; t < 3; t++) {
            printf("%s, type %d\n", certificates[i], types[t]);
            SHOW(SSL_CTX_use_certificate_file(ctx, certificates[i], types[t]));
            SHOW(SSL_use_certificate_file(ssl, certificates[i], types[t]));
        }
        renew();
        SHOW(SSL_CTX_use_certificate_chain_file(ctx, certificates[i]));
        SHOW(SSL_use_certificate_chain_file(ssl, certificates[i]));
        show_chain_of_ctx();
    }
    renew();
    SSL_CTX_use_certificate_chain_file(ctx, "chain.pem");
    show_chain_of_ctx();
    SHOW(SSL_CTX_use_certificate_chain_file(ctx, "leaf.pem"));
    show_chain_of_ctx();
}

static void test_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        for (size_t t = 0; t < 3; t++) {
            printf("%s, type %d\n", keys[i], types[t]);
            renew();
            SHOW(SSL_CTX_use_PrivateKey_file(ctx, keys[i], types[t]));
            SHOW(SSL_CTX_use_RSAPrivateKey_file(ctx, keys[i], types[t]));
            SSL_use_certificate(ssl, pki->leaf->x509);
            SHOW(SSL_use_PrivateKey_file(ssl, keys[i], types[t]));
            SHOW(SSL_use_RSAPrivateKey_file(ssl, keys[i], types[t]));
            SHOW(SSL_check_private_key(ssl));
        }
    }
}

static int passphrase(char *buf, int size, int rw, void *arg)
{
    printf("  asked, %d, %s\n", rw, arg ? (char *)arg : "NULL");
    return arg ? snprintf(buf, (size_t)size, "%s", (char *)arg) : -1;
}

static void test_passphrases(void)
{
    static char right[] = "secret", wrong[] = "guess", empty[] = "";
    char *const answers[] = {right, wrong, empty, NULL};
    for (size_t i = 0; i < 4; i++) {
        renew();
        SSL_CTX_set_default_passwd_cb(ctx, passphrase);
        SSL_CTX_set_default_passwd_cb_userdata(ctx, answers[i]);
        /* What a wrong passphrase makes of the bytes is a matter of chance, but for the last word. */
        printf("%d: ", SSL_CTX_use_PrivateKey_file(ctx, "locked.pem", SSL_FILETYPE_PEM));
        printf("%s\n",
               ERR_peek_last_error() ? ERR_reason_error_string(ERR_peek_last_error()) : "");
        ERR_clear_error();
        SSL *late = SSL_new(ctx);
        SSL_set_default_passwd_cb_userdata(late, right);
        SHOW(SSL_use_PrivateKey_file(late, "locked.pem", SSL_FILETYPE_PEM));
        SSL_free(late);
    }
}

static void test_bytes(void)
{
    struct pki_cert *c = pki->leaf, *r = rsa->leaf;
    unsigned char *der = NULL;
    renew();
    SHOW(SSL_CTX_use_certificate_ASN1(ctx, (int)c->der_len, c->der));
    SHOW(SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, ctx, c->key_der, (long)c->key_der_len));
    SHOW(SSL_CTX_check_private_key(ctx));
    SHOW(SSL_use_certificate_ASN1(ssl, c->der, (int)c->der_len));
    SHOW(SSL_use_PrivateKey_ASN1(EVP_PKEY_EC, ssl, c->key_der, (long)c->key_der_len));
    SHOW(SSL_CTX_use_certificate_ASN1(ctx, 10, c->der));
    SHOW(SSL_use_certificate_ASN1(ssl, c->der, 10));
    SHOW(SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, ctx, c->key_der, 10) == 1);
    int len = i2d_PrivateKey(r->key, &der);
    SHOW(SSL_CTX_use_RSAPrivateKey_ASN1(ctx, der, len));
    SHOW(SSL_use_RSAPrivateKey_ASN1(ssl, der, len));
    SHOW(SSL_use_RSAPrivateKey_ASN1(ssl, der, 10));
    OPENSSL_free(der);
}

static void show_names(const char *what, const STACK_OF(X509_NAME) * names)
{
    char text[200];
    printf("%s: %d\n", what, names ? sk_X509_NAME_num(names) : -1);
    for (int i = 0; i < sk_X509_NAME_num(names); i++)
        printf("  %s\n", X509_NAME_oneline(sk_X509_NAME_value(names, i), text, sizeof text));
}

static void test_names(void)
{
    static const char *const files[] = {"chain.pem", "leaf.der", "empty.pem", "text.pem",
                                        "none.pem",  "bad.pem",  "cut.pem",   "folder/b.pem"};
    STACK_OF(X509_NAME) * names, *copy;
    for (size_t i = 0; i < 8; i++) {
        ERR_clear_error();
        names = SSL_load_client_CA_file(files[i]);
        show_errors();
        show_names(files[i], names);
        sk_X509_NAME_pop_free(names, X509_NAME_free);
    }
    names = sk_X509_NAME_new_null();
    SHOW(SSL_add_file_cert_subjects_to_stack(names, "chain.pem"));
    SHOW(SSL_add_file_cert_subjects_to_stack(names, "none.pem"));
    SHOW(SSL_add_file_cert_subjects_to_stack(names, "text.pem"));
    show_names("stack", names);
    SHOW(SSL_add_dir_cert_subjects_to_stack(names, "folder"));
    SHOW(SSL_add_dir_cert_subjects_to_stack(names, "nofolder"));
    printf("names: %d\n", sk_X509_NAME_num(names));
    SHOW(SSL_add_store_cert_subjects_to_stack(names, "file:rsa.pem"));
    SHOW(SSL_add_store_cert_subjects_to_stack(names, "file:none.pem"));
    printf("names: %d\n", sk_X509_NAME_num(names));

    renew();
    copy = SSL_dup_CA_list(names);
    printf("copy: %d\n", sk_X509_NAME_num(copy));
    SSL_CTX_set_client_CA_list(ctx, copy);
    SHOW_SAME(SSL_CTX_get_client_CA_list(ctx), copy);
    SHOW_SAME(SSL_CTX_get0_CA_list(ctx), NULL);
    SHOW_SAME(SSL_get_client_CA_list(ssl), NULL);
    SHOW(SSL_CTX_add_client_CA(ctx, pki->root->x509));
    SHOW(SSL_CTX_add_client_CA(ctx, NULL));
    SHOW(SSL_CTX_add1_to_CA_list(ctx, pki->root->x509));
    SHOW(SSL_add1_to_CA_list(ssl, pki->root->x509));
    SSL_set_accept_state(ssl);
    SHOW(SSL_add_client_CA(ssl, pki->root->x509));
    printf("%d %d\n", sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx)),
           sk_X509_NAME_num(SSL_CTX_get0_CA_list(ctx)));
    show_names("connection's", SSL_get0_CA_list(ssl));
    show_names("connection's clients'", SSL_get_client_CA_list(ssl));
    SSL_set_client_CA_list(ssl, NULL);
    SSL_set0_CA_list(ssl, SSL_dup_CA_list(names));
    printf("%d\n", sk_X509_NAME_num(SSL_get0_CA_list(ssl)));
    SSL_CTX_set0_CA_list(ctx, NULL);
    SHOW_SAME(SSL_CTX_get0_CA_list(ctx), NULL);
    SHOW_SAME(SSL_get0_peer_CA_list(ssl), NULL);
    sk_X509_NAME_pop_free(names, X509_NAME_free);
}

static int objects(void)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx)));
}

static void test_trust(void)
{
    renew();
    SHOW(SSL_CTX_load_verify_locations(ctx, NULL, NULL));
    SHOW(SSL_CTX_load_verify_locations(ctx, "none.pem", NULL));
    SHOW(SSL_CTX_load_verify_locations(ctx, "empty.pem", NULL));
    SHOW(SSL_CTX_load_verify_locations(ctx, "text.pem", NULL));
    SHOW(SSL_CTX_load_verify_locations(ctx, "bad.pem", NULL));
    SHOW(SSL_CTX_load_verify_locations(ctx, "chain.pem", NULL));
    printf("%d\n", objects());
    SHOW(SSL_CTX_load_verify_locations(ctx, NULL, "folder"));
    SHOW(SSL_CTX_load_verify_locations(ctx, "rsa.pem", "nofolder"));
    printf("%d\n", objects());
    SHOW(SSL_CTX_load_verify_file(ctx, "folder/b.pem"));
    SHOW(SSL_CTX_load_verify_dir(ctx, "folder"));
    SHOW(SSL_CTX_load_verify_store(ctx, "file:chain.pem"));
    printf("%d\n", objects());
    SHOW(SSL_CTX_set_default_verify_paths(ctx));
    SHOW(SSL_CTX_set_default_verify_file(ctx));
    SHOW(SSL_CTX_set_default_verify_dir(ctx));
    SHOW(SSL_CTX_set_default_verify_store(ctx));
    printf("%d\n", objects());
}

static void show_objects(void)
{
    renew();
    SHOW(SSL_CTX_load_verify_locations(ctx, "trust.pem", NULL));
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));
    for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
        X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        printf("  [%s], %s's\n", cn_of(x),
               X509_cmp(x, pki->root->x509) == 0   ? "the first"
               : X509_cmp(x, rsa->root->x509) == 0 ? "the second"
                                                   : "another");
    }
}

/* A file that is changed, replaced or removed is another one, however often it was read before. */
static void test_changes(void)
{
    put_text("trust.pem", pki->root->pem, "", "");
    show_objects();
    show_objects();
    put_text("trust.pem", rsa->root->pem, "", "");
    show_objects();
    put_text("trust.pem", rsa->root->pem, pki->root->pem, "");
    show_objects();
    put_text("trust2.pem", pki->root->pem, pki->mid->pem, "");
    rename("trust2.pem", "trust.pem");
    show_objects();
    show_objects();
    remove("trust.pem");
    show_objects();
}

static const unsigned char info1[] = {0x12, 0x34, 0, 3, 'a', 'b', 'c'};
static const unsigned char info2[] = {0, 0, 0x11, 0x80, 0x12, 0x35, 0, 2, 'a', 'b'};

static void test_serverinfo(void)
{
    renew();
    SHOW(SSL_CTX_use_serverinfo(NULL, info1, sizeof info1));
    SHOW(SSL_CTX_use_serverinfo(ctx, NULL, 3));
    SHOW(SSL_CTX_use_serverinfo(ctx, info1, sizeof info1));
    SHOW(SSL_CTX_use_serverinfo(ctx, info1, sizeof info1 - 1));
    SHOW(SSL_CTX_use_serverinfo_ex(ctx, SSL_SERVERINFOV2, info2, sizeof info2));
    SHOW(SSL_CTX_use_serverinfo_ex(ctx, SSL_SERVERINFOV2, info1, sizeof info1));
    SHOW(SSL_CTX_use_serverinfo_ex(ctx, 7, info2, sizeof info2));
    SHOW(SSL_CTX_use_serverinfo_file(ctx, NULL));
    SHOW(SSL_CTX_use_serverinfo_file(ctx, "none.pem"));
    SHOW(SSL_CTX_use_serverinfo_file(ctx, "text.pem"));
    SHOW(SSL_CTX_use_serverinfo_file(ctx, "leaf.pem"));
    BIO *out = BIO_new_file("info.pem", "w");
    PEM_write_bio(out, "SERVERINFO FOR X", "", info1, sizeof info1);
    PEM_write_bio(out, "SERVERINFOV2 FOR Y", "", info2, sizeof info2);
    BIO_free(out);
    renew();
    SHOW(SSL_CTX_use_serverinfo_file(ctx, "info.pem"));
    out = BIO_new_file("info.pem", "w");
    PEM_write_bio(out, "SERVERINFO FOR X", "", info1, sizeof info1 - 1);
    BIO_free(out);
    SHOW(SSL_CTX_use_serverinfo_file(ctx, "info.pem"));
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:a.example");
    rsa = pki_new(PKI_RSA, "DNS:b.example");
    make_files();
    test_certificates();
    test_keys();
    test_passphrases();
    test_bytes();
    test_names();
    test_trust();
    test_changes();
    test_serverinfo();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    pki_clear(pki);
    pki_clear(rsa);
    return 0;
}

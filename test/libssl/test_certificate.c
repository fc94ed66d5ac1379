/* test_certificate.c: certificates, keys and chains in contexts and connections, without a handshake. */
#include <openssl/pem.h>

#include "pki.h"
#include "show.h"

static SSL_CTX *ctx;
static SSL *ssl;
static struct pki *ec, *rsa;
static struct pki_cert *ed, *weak, *root, *mid, *other_leaf;

static X509 *x(struct pki_cert *c)
{
    return c->x509;
}

static EVP_PKEY *key(struct pki_cert *c)
{
    return c->key;
}

static void renew(void)
{
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ctx = SSL_CTX_new(TLS_method());
    ssl = SSL_new(ctx);
}

static void show_current(void)
{
    STACK_OF(X509) *chain = NULL;
    printf("context: [%s] key %d; connection: [%s] key %d\n",
           cn_of(SSL_CTX_get0_certificate(ctx)), SSL_CTX_get0_privatekey(ctx) != NULL,
           cn_of(SSL_get_certificate(ssl)), SSL_get_privatekey(ssl) != NULL);
    SSL_CTX_get0_chain_certs(ctx, &chain);
    show_chain("context's chain", chain);
    SSL_get0_chain_certs(ssl, &chain);
    show_chain("connection's chain", chain);
}

static void test_empty(void)
{
    renew();
    show_current();
    SHOW(SSL_CTX_check_private_key(ctx));
    SHOW(SSL_check_private_key(ssl));
    SHOW(SSL_check_private_key(NULL));
    SHOW(SSL_CTX_check_private_key(NULL));
    SHOW(SSL_CTX_use_certificate(ctx, NULL));
    SHOW(SSL_use_certificate(ssl, NULL));
    SHOW(SSL_CTX_use_PrivateKey(ctx, NULL));
    SHOW(SSL_use_PrivateKey(ssl, NULL));
    SHOW(SSL_CTX_use_RSAPrivateKey(ctx, NULL));
    SHOW(SSL_use_RSAPrivateKey(ssl, NULL));
    SHOW(SSL_CTX_build_cert_chain(ctx, 0));
    SHOW(SSL_build_cert_chain(ssl, 0));
    SHOW(SSL_CTX_select_current_cert(ctx, NULL));
    SHOW(SSL_CTX_select_current_cert(ctx, x(root)));
    SHOW(SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST));
    SHOW(SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT));
    SHOW(SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_SERVER));
    SHOW(SSL_CTX_set_current_cert(ctx, 9));
}

static void test_pairs(void)
{
    renew();
    SHOW(SSL_CTX_use_certificate(ctx, x(ec->leaf)));
    SHOW(SSL_CTX_check_private_key(ctx));
    SHOW(SSL_CTX_use_PrivateKey(ctx, key(ec->mid)));
    SHOW(SSL_CTX_use_PrivateKey(ctx, key(ec->leaf)));
    SHOW(SSL_CTX_check_private_key(ctx));
    SHOW_SAME(SSL_CTX_get0_certificate(ctx), x(ec->leaf));
    SHOW_SAME(SSL_CTX_get0_privatekey(ctx), key(ec->leaf));
    show_current();
    /* A key that does not fit the new certificate goes. */
    SHOW(SSL_CTX_use_certificate(ctx, x(ec->mid)));
    SHOW(SSL_CTX_check_private_key(ctx));
    show_current();
    SHOW(SSL_CTX_use_certificate(ctx, x(rsa->leaf)));
    SHOW(SSL_CTX_use_PrivateKey(ctx, key(rsa->leaf)));
    SHOW(SSL_CTX_use_certificate(ctx, x(ed)));
    SHOW(SSL_CTX_use_PrivateKey(ctx, key(ed)));
    SHOW(SSL_CTX_use_PrivateKey(ctx, key(rsa->leaf)));
    show_current();
    /* A connection has what its context had when it was made. */
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    show_current();
    SHOW(SSL_use_certificate(ssl, x(ec->leaf)));
    SHOW(SSL_use_PrivateKey(ssl, key(ec->leaf)));
    SHOW(SSL_check_private_key(ssl));
    show_current();
    SHOW(SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST));
    show_current();
    while (SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT) == 1)
        show_current();
    SHOW(SSL_CTX_select_current_cert(ctx, x(rsa->leaf)));
    show_current();
    SHOW(SSL_CTX_select_current_cert(ctx, x(ec->leaf)));
    SSL_certs_clear(ssl);
    show_current();
    SHOW(SSL_check_private_key(ssl));
}

static void test_key_first(void)
{
    renew();
    SHOW(SSL_use_PrivateKey(ssl, key(ec->leaf)));
    show_current();
    SHOW(SSL_check_private_key(ssl));
    SHOW(SSL_use_certificate(ssl, x(ec->leaf)));
    SHOW(SSL_check_private_key(ssl));
    SHOW(SSL_CTX_use_PrivateKey(ctx, key(rsa->leaf)));
    SHOW(SSL_CTX_use_certificate(ctx, x(rsa->leaf)));
    SHOW(SSL_CTX_check_private_key(ctx));
    RSA *r = EVP_PKEY_get1_RSA(key(rsa->leaf));
    SHOW(SSL_use_RSAPrivateKey(ssl, r));
    SHOW(SSL_CTX_use_RSAPrivateKey(ctx, r));
    SHOW(SSL_CTX_check_private_key(ctx));
    RSA_free(r);
}

static void test_weak(void)
{
    renew();
    SHOW(SSL_CTX_use_certificate(ctx, x(weak)));
    SSL_CTX_set_security_level(ctx, 0);
    SHOW(SSL_CTX_use_certificate(ctx, x(weak)));
    SSL_CTX_set_security_level(ctx, 1);
    SHOW(SSL_CTX_use_certificate(ctx, x(weak)));
    SSL_set_security_level(ssl, 5);
    SHOW(SSL_use_certificate(ssl, x(ec->leaf)));
    SHOW(SSL_add1_chain_cert(ssl, x(ec->mid)));
    SHOW(SSL_use_cert_and_key(ssl, x(ec->leaf), key(ec->leaf), NULL, 1));
    show_current();
}

static STACK_OF(X509) * stack_of(X509 *a, X509 *b)
{
    STACK_OF(X509) *s = sk_X509_new_null();
    sk_X509_push(s, a);
    if (b)
        sk_X509_push(s, b);
    return s;
}

static void test_all_at_once(void)
{
    STACK_OF(X509) *chain = stack_of(x(ec->mid), x(ec->root));
    renew();
    SHOW(SSL_CTX_use_cert_and_key(ctx, x(ec->leaf), key(ec->leaf), chain, 0));
    show_current();
    SHOW(SSL_CTX_use_cert_and_key(ctx, x(ec->leaf), key(ec->leaf), chain, 0));
    SHOW(SSL_CTX_use_cert_and_key(ctx, x(ec->leaf), key(ec->mid), chain, 1));
    SHOW(SSL_CTX_use_cert_and_key(ctx, x(ec->leaf), key(rsa->leaf), chain, 1));
    SHOW(SSL_CTX_use_cert_and_key(ctx, x(other_leaf), key(other_leaf), NULL, 1));
    show_current();
    SHOW(SSL_CTX_use_cert_and_key(ctx, x(rsa->leaf), key(rsa->leaf), NULL, 0));
    SHOW(SSL_use_cert_and_key(ssl, x(rsa->leaf), NULL, chain, 0));
    SHOW(SSL_check_private_key(ssl));
    show_current();
    sk_X509_free(chain);
}

static void test_chains(void)
{
    STACK_OF(X509) *chain = stack_of(x(ec->mid), x(ec->root)), *out;
    renew();
    /* Before there is any certificate. */
    SHOW(SSL_CTX_add1_chain_cert(ctx, x(ec->mid)));
    show_current();
    SHOW(SSL_CTX_use_certificate(ctx, x(ec->leaf)));
    show_current();
    SHOW(SSL_CTX_set1_chain(ctx, chain));
    show_current();
    SHOW(SSL_CTX_add1_chain_cert(ctx, x(root)));
    show_current();
    SHOW(SSL_set1_chain(ssl, chain));
    SHOW(SSL_add1_chain_cert(ssl, x(mid)));
    X509_up_ref(x(mid));
    SHOW(SSL_add0_chain_cert(ssl, x(mid)));
    show_current();
    SHOW(SSL_clear_chain_certs(ssl));
    show_current();
    STACK_OF(X509) *own = X509_chain_up_ref(chain);
    SHOW(SSL_set0_chain(ssl, own));
    show_current();
    SHOW(SSL_CTX_clear_chain_certs(ctx));
    show_current();

    SSL_CTX_get_extra_chain_certs(ctx, &out);
    show_chain("extra", out);
    SSL_CTX_get_extra_chain_certs_only(ctx, &out);
    show_chain("extra only", out);
    SSL_CTX_add1_chain_cert(ctx, x(ec->mid));
    SSL_CTX_get_extra_chain_certs(ctx, &out);
    show_chain("extra", out);
    SSL_CTX_get_extra_chain_certs_only(ctx, &out);
    show_chain("extra only", out);
    X509_up_ref(x(root));
    SHOW(SSL_CTX_add_extra_chain_cert(ctx, x(root)));
    SSL_CTX_get_extra_chain_certs(ctx, &out);
    show_chain("extra", out);
    SHOW(SSL_CTX_clear_extra_chain_certs(ctx));
    SSL_CTX_get_extra_chain_certs_only(ctx, &out);
    show_chain("extra only", out);
    sk_X509_free(chain);
}

static void test_building(void)
{
    renew();
    SHOW(SSL_CTX_use_certificate(ctx, x(ec->leaf)));
    SHOW(SSL_CTX_build_cert_chain(ctx, 0));
    SHOW(SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR));
    show_current();
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509_STORE_add_cert(store, x(ec->root));
    SHOW(SSL_CTX_build_cert_chain(ctx, 0));
    SHOW(SSL_CTX_add1_chain_cert(ctx, x(ec->mid)));
    SHOW(SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_CHECK));
    SHOW(SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_UNTRUSTED));
    show_current();
    SHOW(SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_CHECK));
    show_current();
    SHOW(SSL_CTX_build_cert_chain(ctx,
                                  SSL_BUILD_CHAIN_FLAG_CHECK | SSL_BUILD_CHAIN_FLAG_NO_ROOT));
    show_current();
    X509_STORE_add_cert(store, x(ec->mid));
    SHOW(SSL_CTX_clear_chain_certs(ctx));
    SHOW(SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_NO_ROOT));
    show_current();
    X509_STORE *own = X509_STORE_new(), *out = NULL;
    SHOW(SSL_CTX_set1_chain_cert_store(ctx, own));
    SHOW(SSL_CTX_build_cert_chain(ctx, 0));
    SHOW(SSL_CTX_get0_chain_cert_store(ctx, &out));
    SHOW_SAME(out, own);
    SHOW(SSL_CTX_set1_verify_cert_store(ctx, own));
    SHOW(SSL_CTX_get0_verify_cert_store(ctx, &out));
    SHOW_SAME(out, own);
    SHOW(SSL_CTX_set0_chain_cert_store(ctx, NULL));
    SHOW(SSL_CTX_get0_chain_cert_store(ctx, &out));
    SHOW_SAME(out, NULL);
    SHOW(SSL_get0_chain_cert_store(ssl, &out));
    SHOW(SSL_set0_verify_cert_store(ssl, own));
    SHOW(SSL_get0_verify_cert_store(ssl, &out));
    SHOW_SAME(out, own);
}

static void test_flags(void)
{
    renew();
    SHOW(SSL_CTX_set_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT));
    SHOW(SSL_CTX_set_cert_flags(ctx, SSL_CERT_FLAG_SUITEB_128_LOS));
    SHOW(SSL_CTX_clear_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT));
    SHOW(SSL_set_cert_flags(ssl, SSL_CERT_FLAG_TLS_STRICT));
    SHOW(SSL_clear_cert_flags(ssl, SSL_CERT_FLAG_TLS_STRICT));
    unsigned char types[] = {TLS_CT_RSA_SIGN, TLS_CT_ECDSA_SIGN};
    SHOW(SSL_CTX_set1_client_certificate_types(ctx, types, 2));
    SHOW(SSL_CTX_set1_client_certificate_types(ctx, types, 256));
    SHOW(SSL_CTX_set1_client_certificate_types(ctx, NULL, 0));
    SSL_set_connect_state(ssl);
    SHOW(SSL_set1_client_certificate_types(ssl, types, 2));
    SSL_set_accept_state(ssl);
    SHOW(SSL_set1_client_certificate_types(ssl, types, 2));
    const unsigned char *out = NULL;
    SHOW(SSL_get0_certificate_types(ssl, &out));
}

static int cert_cb(SSL *s, void *arg)
{
    return s != NULL && arg != NULL;
}

static int client_cert_cb(SSL *s, X509 **out, EVP_PKEY **out_key)
{
    return s && out && out_key ? 0 : -1;
}

static int passwd_cb(char *buf, int size, int rw, void *arg)
{
    return buf && size && rw ? -1 : arg != NULL;
}

static void test_callbacks(void)
{
    renew();
    SSL_CTX_set_cert_cb(ctx, cert_cb, ctx);
    SSL_set_cert_cb(ssl, cert_cb, ctx);
    printf("%d\n", SSL_CTX_get_client_cert_cb(ctx) == NULL);
    SSL_CTX_set_client_cert_cb(ctx, client_cert_cb);
    printf("%d\n", SSL_CTX_get_client_cert_cb(ctx) == client_cert_cb);
    printf("%d\n", SSL_CTX_get_default_passwd_cb(ctx) == NULL);
    SSL_CTX_set_default_passwd_cb(ctx, passwd_cb);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, ctx);
    printf("%d %d\n", SSL_CTX_get_default_passwd_cb(ctx) == passwd_cb,
           SSL_CTX_get_default_passwd_cb_userdata(ctx) == ctx);
    printf("%d %d\n", SSL_get_default_passwd_cb(ssl) == NULL,
           SSL_get_default_passwd_cb_userdata(ssl) == NULL);
    SSL *late = SSL_new(ctx);
    printf("%d %d\n", SSL_get_default_passwd_cb(late) == passwd_cb,
           SSL_get_default_passwd_cb_userdata(late) == ctx);
    SSL_set_default_passwd_cb(late, NULL);
    SSL_set_default_passwd_cb_userdata(late, late);
    printf("%d %d\n", SSL_get_default_passwd_cb(late) == NULL,
           SSL_get_default_passwd_cb_userdata(late) == late);
    SSL_free(late);
}

static DH *dh_cb(SSL *s, int export, int bits)
{
    return s && export && bits ? NULL : NULL;
}

static void test_dh(void)
{
    DH *dh = DH_new_by_nid(NID_ffdhe2048);
    EVP_PKEY *pkey = EVP_PKEY_new();
    EVP_PKEY_set1_DH(pkey, dh);
    renew();
    SHOW(SSL_CTX_set_tmp_dh(ctx, NULL));
    SHOW(SSL_CTX_set_tmp_dh(ctx, dh));
    SHOW(SSL_set_tmp_dh(ssl, dh));
    SSL_set_security_level(ssl, 3);
    SHOW(SSL_set_tmp_dh(ssl, dh));
    SHOW(SSL_CTX_set_dh_auto(ctx, 1));
    SHOW(SSL_set_dh_auto(ssl, 2));
    EVP_PKEY_up_ref(pkey);
    SHOW(SSL_CTX_set0_tmp_dh_pkey(ctx, pkey));
    SSL_CTX_set_security_level(ctx, 4);
    SHOW(SSL_CTX_set0_tmp_dh_pkey(ctx, pkey)); /* refused, and still ours */
    SSL_CTX_set_tmp_dh_callback(ctx, dh_cb);
    SSL_set_tmp_dh_callback(ssl, dh_cb);
    EVP_PKEY_free(pkey);
    DH_free(dh);
}

int main(void)
{
    ec = pki_new(PKI_P256, "DNS:ec.example");
    rsa = pki_new(PKI_RSA, "DNS:rsa.example");
    ed = pki_make(&(struct pki_spec){.kind = PKI_ED25519, .subject = "ed"}, ec->mid);
    weak = pki_make(&(struct pki_spec){.kind = PKI_RSA_1024, .subject = "weak"}, ec->mid);
    root = pki_make(&(struct pki_spec){.kind = PKI_P384, .subject = "second root", .ca = true},
                    NULL);
    mid = pki_make(&(struct pki_spec){.kind = PKI_P384, .subject = "second mid", .ca = true},
                   root);
    other_leaf = pki_make(&(struct pki_spec){.kind = PKI_P384, .subject = "second leaf"}, mid);
    test_empty();
    test_pairs();
    test_key_first();
    test_weak();
    test_all_at_once();
    test_chains();
    test_building();
    test_flags();
    test_callbacks();
    test_dh();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    pki_clear(ec);
    pki_clear(rsa);
    pki_free(ed);
    pki_free(weak);
    pki_free(root);
    pki_free(mid);
    pki_free(other_leaf);
    return 0;
}

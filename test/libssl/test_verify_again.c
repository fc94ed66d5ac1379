/* test_verify_again.c: the same chain is judged again and again, and each change that matters must show, though a
 * good verdict may be remembered. */
#include <openssl/x509v3.h>

#include "handshake.h"
#include "pki.h"

static struct pki *pki, *other;
static struct ends e;
static int version;

static void fresh(void)
{
    ends_init(&e, version);
    SSL_CTX_use_certificate(e.server_ctx, pki->leaf->x509);
    SSL_CTX_use_PrivateKey(e.server_ctx, pki->leaf->key);
    SSL_CTX_add1_chain_cert(e.server_ctx, (X509 *)pki->mid->x509);
    SSL_CTX_set_verify(e.client_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(e.client_ctx, SSL_SESS_CACHE_OFF);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(e.client_ctx), pki->root->x509);
}

static void once(const char *title, const char *host)
{
    ends_join(&e);
    if (host)
        SSL_set1_host(e.client, host);
    ends_show(title, &e);
    SSL_free(e.client);
    SSL_free(e.server);
    e.client = e.server = NULL;
}

static X509_VERIFY_PARAM *param(void)
{
    return SSL_CTX_get0_param(e.client_ctx);
}

static X509_STORE *store(void)
{
    return SSL_CTX_get_cert_store(e.client_ctx);
}

static int strict_cb(int ok, X509_STORE_CTX *sc)
{
    printf("  callback: ok %d, depth %d\n", ok, X509_STORE_CTX_get_error_depth(sc));
    return 0;
}

static int refuse_all(X509_STORE_CTX *sc)
{
    X509_STORE_CTX_set_error(sc, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static void good_twice(void)
{
    once("good", NULL);
    once("good again", NULL);
}

static void test_names(void)
{
    fresh();
    good_twice();
    once("a name", "server.example");
    once("a name again", "server.example");
    once("another name", "other.example");
    once("an address", "127.0.0.1");
    once("another address", "127.0.0.2");
    X509_VERIFY_PARAM_set1_email(param(), "a@b.example", 0);
    once("mail", NULL);
    ends_clear(&e);
}

static void test_parameters(void)
{
    fresh();
    good_twice();
    SSL_CTX_set_purpose(e.client_ctx, X509_PURPOSE_CRL_SIGN);
    once("purpose", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_VERIFY_PARAM_set_purpose(X509_STORE_get0_param(store()), X509_PURPOSE_CRL_SIGN);
    once("purpose of the store", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    SSL_CTX_set_trust(e.client_ctx, X509_TRUST_TSA);
    once("trust", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_VERIFY_PARAM_set_depth(param(), 0);
    once("depth", NULL);
    X509_VERIFY_PARAM_set_depth(param(), 1);
    once("depth 1", NULL);
    X509_VERIFY_PARAM_set_auth_level(param(), 4);
    once("level", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_VERIFY_PARAM_set_flags(param(), X509_V_FLAG_CRL_CHECK);
    once("revocation lists", NULL);
    X509_VERIFY_PARAM_clear_flags(param(), X509_V_FLAG_CRL_CHECK);
    once("no revocation lists", NULL);
    X509_STORE_set_flags(store(), X509_V_FLAG_CRL_CHECK);
    once("revocation lists by the store", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_VERIFY_PARAM_set_time(param(), 1500000000);
    once("in 2017", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_VERIFY_PARAM_set_flags(param(), X509_V_FLAG_EXPLICIT_POLICY);
    X509_VERIFY_PARAM_add0_policy(param(), OBJ_txt2obj("1.2.3.4", 1));
    once("policy", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    SSL_CTX_set_security_level(e.client_ctx, 3);
    once("level 3", NULL);
    ends_clear(&e);
}

static void test_stores(void)
{
    fresh();
    good_twice();
    SSL_CTX_set_cert_store(e.client_ctx, X509_STORE_new());
    once("an empty store", NULL);
    ends_clear(&e);
    /* Stores that may lie where another one lay before. */
    for (int i = 0; i < 4; i++) {
        fresh();
        good_twice();
        SSL_CTX_set_cert_store(e.client_ctx, X509_STORE_new());
        X509_STORE_add_cert(store(), other->root->x509);
        once("another root", NULL);
        ends_clear(&e);
    }
    fresh();
    good_twice();
    X509_STORE *own = X509_STORE_new();
    SSL_CTX_set0_verify_cert_store(e.client_ctx, own);
    once("an empty verification store", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_STORE_add_cert(store(), pki->mid->x509);
    once("one more in the store", NULL);
    X509_STORE_set_flags(store(), X509_V_FLAG_PARTIAL_CHAIN);
    once("partial chain", NULL);
    ends_clear(&e);
}

static void test_callbacks(void)
{
    fresh();
    good_twice();
    ends_join(&e);
    SSL_set_verify(e.client, SSL_VERIFY_PEER, strict_cb);
    ends_show("callback", &e);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_STORE_set_verify_cb(store(), strict_cb);
    once("callback of the store", NULL);
    ends_clear(&e);
    fresh();
    good_twice();
    X509_STORE_set_verify(store(), refuse_all);
    once("verification of the store", NULL);
    ends_clear(&e);
}

static void test_chains(void)
{
    fresh();
    good_twice();
    SSL_CTX_use_certificate(e.server_ctx, other->leaf->x509);
    SSL_CTX_use_PrivateKey(e.server_ctx, other->leaf->key);
    once("another leaf", NULL);
    SSL_CTX_use_certificate(e.server_ctx, pki->leaf->x509);
    SSL_CTX_use_PrivateKey(e.server_ctx, pki->leaf->key);
    once("the first again", NULL);
    SSL_CTX_clear_chain_certs(e.server_ctx);
    once("without its issuer", NULL);
    ends_clear(&e);
    /* What is good for a server is not for a client. */
    fresh();
    good_twice();
    struct pki_cert *servers =
        pki_make(&(struct pki_spec){.subject = "server only", .eku = "serverAuth"}, pki->mid);
    SSL_CTX_use_certificate(e.server_ctx, servers->x509);
    SSL_CTX_use_PrivateKey(e.server_ctx, servers->key);
    SSL_CTX_use_certificate(e.client_ctx, servers->x509);
    SSL_CTX_use_PrivateKey(e.client_ctx, servers->key);
    SSL_CTX_add1_chain_cert(e.client_ctx, (X509 *)pki->mid->x509);
    SSL_CTX_set1_cert_store(e.server_ctx, store());
    once("for servers", NULL);
    SSL_CTX_set_verify(e.server_ctx, SSL_VERIFY_PEER, NULL);
    once("for servers, shown by a client", NULL);
    ends_clear(&e);
    pki_free(servers);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    pki = pki_new(PKI_P256, "DNS:server.example,IP:127.0.0.1");
    other = pki_new(PKI_P256, "DNS:server.example");
    for (size_t i = 0; i < 2; i++) {
        version = versions[i];
        printf("======== %x\n", version);
        test_names();
        test_parameters();
        test_stores();
        test_callbacks();
        test_chains();
    }
    pki_clear(pki);
    pki_clear(other);
    return 0;
}

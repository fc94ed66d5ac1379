/* test_certificate_key.c: private keys that are elsewhere: an RSA and an EC key whose methods are the application's,
 * as engines make them; the objects themselves have public halves only. */
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "handshake.h"
#include "pki.h"

static struct pki *rsa, *ec;
static RSA_METHOD *rsa_method;
static EC_KEY_METHOD *ec_method;
static RSA *real_rsa;
static EC_KEY *real_ec;
static int signed_rsa, decrypted_rsa, signed_ec;

static int priv_enc(int n, const unsigned char *from, unsigned char *to, RSA *r, int padding)
{
    (void)r;
    signed_rsa++;
    return RSA_private_encrypt(n, from, to, real_rsa, padding);
}

static int priv_dec(int n, const unsigned char *from, unsigned char *to, RSA *r, int padding)
{
    (void)r;
    decrypted_rsa++;
    return RSA_private_decrypt(n, from, to, real_rsa, padding);
}

static EVP_PKEY *remote_rsa(void)
{
    RSA_METHOD *method = rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    RSA *r = RSA_new();
    EVP_PKEY *key = EVP_PKEY_new();
    RSA_meth_set_priv_enc(method, priv_enc);
    RSA_meth_set_priv_dec(method, priv_dec);
    RSA_meth_set_flags(method, RSA_METHOD_FLAG_NO_CHECK | RSA_FLAG_EXT_PKEY);
    RSA_set_method(r, method);
    RSA_set0_key(r, BN_dup(RSA_get0_n(real_rsa)), BN_dup(RSA_get0_e(real_rsa)), NULL);
    RSA_set_flags(r, RSA_FLAG_EXT_PKEY);
    EVP_PKEY_assign_RSA(key, r);
    return key;
}

static ECDSA_SIG *sign_sig(const unsigned char *digest, int n, const BIGNUM *a, const BIGNUM *b,
                           EC_KEY *k)
{
    (void)a, (void)b, (void)k;
    signed_ec++;
    return ECDSA_do_sign(digest, n, real_ec);
}

static int sign_setup(EC_KEY *k, BN_CTX *ctx, BIGNUM **a, BIGNUM **b)
{
    (void)k, (void)ctx, (void)a, (void)b;
    return 1;
}

static int sign_bytes(int type, const unsigned char *digest, int n, unsigned char *sig,
                      unsigned int *len, const BIGNUM *a, const BIGNUM *b, EC_KEY *k)
{
    (void)a, (void)b, (void)k;
    signed_ec++;
    return ECDSA_sign(type, digest, n, sig, len, real_ec);
}

static EVP_PKEY *remote_ec(void)
{
    EC_KEY_METHOD *method = ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY *k = EC_KEY_new();
    EVP_PKEY *key = EVP_PKEY_new();
    EC_KEY_METHOD_set_sign(method, sign_bytes, sign_setup, sign_sig);
    EC_KEY_set_method(k, method);
    EC_KEY_set_group(k, EC_KEY_get0_group(real_ec));
    EC_KEY_set_public_key(k, EC_KEY_get0_public_key(real_ec));
    EVP_PKEY_assign_EC_KEY(key, k);
    return key;
}

static void run(int version, const char *ciphers, struct pki *pki, EVP_PKEY *key, int as_client)
{
    struct ends e;
    ends_init(&e, version);
    SSL_CTX *with = as_client ? e.client_ctx : e.server_ctx;
    printf("== %x %s %s\n", version, ciphers, as_client ? "client" : "server");
    if (as_client) {
        SSL_CTX_use_certificate(e.server_ctx, ec->leaf->x509);
        SSL_CTX_use_PrivateKey(e.server_ctx, ec->leaf->key);
        SSL_CTX_set_verify(e.server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(e.server_ctx), pki->root->x509);
    }
    SHOW(SSL_CTX_use_certificate(with, pki->leaf->x509));
    SHOW(SSL_CTX_use_PrivateKey(with, key));
    SHOW(SSL_CTX_check_private_key(with));
    SSL_CTX_add1_chain_cert(with, (X509 *)pki->mid->x509);
    if (ciphers[0])
        SSL_CTX_set_cipher_list(e.client_ctx, ciphers);
    signed_rsa = decrypted_rsa = signed_ec = 0;
    ends_join(&e);
    ends_show("with a key elsewhere", &e);
    printf("  signed %d and %d times, decrypted %d\n", signed_rsa, signed_ec, decrypted_rsa);
    ends_clear(&e);
}

int main(void)
{
    rsa = pki_new(PKI_RSA, "DNS:rsa.example");
    ec = pki_new(PKI_P256, "DNS:ec.example");
    real_rsa = EVP_PKEY_get1_RSA(rsa->leaf->key);
    real_ec = EVP_PKEY_get1_EC_KEY(ec->leaf->key);
    EVP_PKEY *r = remote_rsa(), *e = remote_ec();
    run(TLS1_3_VERSION, "", rsa, r, 0);
    run(TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", rsa, r, 0);
    /* Not "AES128-GCM-SHA256": the system's libssl cannot decrypt with such a key, ours can. */
    run(TLS1_3_VERSION, "", ec, e, 0);
    run(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", ec, e, 0);
    run(TLS1_3_VERSION, "", rsa, r, 1);
    run(TLS1_2_VERSION, "", rsa, r, 1);
    run(TLS1_3_VERSION, "", ec, e, 1);
    run(TLS1_2_VERSION, "", ec, e, 1);
    EVP_PKEY_free(r);
    EVP_PKEY_free(e);
    RSA_meth_free(rsa_method);
    EC_KEY_METHOD_free(ec_method);
    RSA_free(real_rsa);
    EC_KEY_free(real_ec);
    pki_clear(rsa);
    pki_clear(ec);
    return 0;
}

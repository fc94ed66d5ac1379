/* test_certificate_check.c: SSL_check_chain, and the types of certificates that a server asks for. */
#include "handshake.h"
#include "pki.h"

static struct pki *ec, *rsa;
static struct pki_cert *ed, *p384, *pss;
static STACK_OF(X509) * ec_chain, *rsa_chain, *long_chain;

static void check(SSL *s, const char *name, struct pki_cert *c, STACK_OF(X509) * chain)
{
    printf("    %s: %x\n", name, (unsigned)SSL_check_chain(s, c->x509, c->key, chain));
}

static void check_all(SSL *s)
{
    check(s, "P-256", ec->leaf, ec_chain);
    check(s, "P-256, with the root", ec->leaf, long_chain);
    check(s, "P-256, alone", ec->leaf, NULL);
    check(s, "RSA", rsa->leaf, rsa_chain);
    check(s, "Ed25519", ed, ec_chain);
    check(s, "P-384", p384, ec_chain);
    check(s, "RSA-PSS", pss, rsa_chain);
    printf("    nothing: %x %x\n", (unsigned)SSL_check_chain(s, NULL, ec->leaf->key, NULL),
           (unsigned)SSL_check_chain(s, ec->leaf->x509, NULL, NULL));
}

static int cert_cb(SSL *s, void *arg)
{
    const unsigned char *types = NULL;
    int count = (int)SSL_get0_certificate_types(s, &types);
    printf("  %s\n", (const char *)arg);
    printf("    types:");
    for (int i = 0; i < count; i++)
        printf(" %d", types[i]);
    printf("\n");
    check_all(s);
    SSL_set_cert_flags(s, SSL_CERT_FLAG_TLS_STRICT);
    printf("    strict\n");
    check_all(s);
    SSL_clear_cert_flags(s, SSL_CERT_FLAG_TLS_STRICT);
    return 1;
}

static void run(int version, const char *sigalgs, const char *groups, int with_names)
{
    static const unsigned char types[] = {TLS_CT_RSA_SIGN, TLS_CT_ECDSA_SIGN};
    static char client_side[] = "client", server_side[] = "server";
    struct ends e;
    int client, server;
    ends_init(&e, version);
    printf("== %x %s %s %d\n", version, sigalgs ? sigalgs : "default",
           groups ? groups : "default", with_names);
    SSL_CTX_use_certificate(e.server_ctx, ec->leaf->x509);
    SSL_CTX_use_PrivateKey(e.server_ctx, ec->leaf->key);
    SSL_CTX_use_certificate(e.server_ctx, rsa->leaf->x509);
    SSL_CTX_use_PrivateKey(e.server_ctx, rsa->leaf->key);
    SSL_CTX_set_verify(e.server_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set1_client_certificate_types(e.server_ctx, types, with_names == 2 ? 1 : 2);
    if (with_names)
        SSL_CTX_add_client_CA(e.server_ctx, with_names == 1 ? ec->mid->x509 : ec->leaf->x509);
    if (sigalgs) {
        SSL_CTX_set1_sigalgs_list(e.client_ctx, sigalgs);
        SSL_CTX_set1_client_sigalgs_list(e.server_ctx, sigalgs);
    }
    if (groups)
        SSL_CTX_set1_groups_list(e.client_ctx, groups);
    SSL_CTX_set_cert_cb(e.client_ctx, cert_cb, client_side);
    SSL_CTX_set_cert_cb(e.server_ctx, cert_cb, server_side);
    ends_join(&e);
    printf("  before\n");
    check_all(e.client);
    ends_run(&e, &client, &server);
    printf("  client %d, server %d\n", client, server);
    ends_clear(&e);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    ec = pki_new(PKI_P256, "DNS:ec.example");
    rsa = pki_new(PKI_RSA, "DNS:rsa.example");
    ed = pki_make(&(struct pki_spec){.kind = PKI_ED25519, .subject = "ed"}, ec->mid);
    p384 = pki_make(&(struct pki_spec){.kind = PKI_P384, .subject = "p384"}, ec->mid);
    pss = pki_make(&(struct pki_spec){.kind = PKI_RSA_PSS, .subject = "pss"}, ec->mid);
    ec_chain = sk_X509_new_null();
    rsa_chain = sk_X509_new_null();
    long_chain = sk_X509_new_null();
    sk_X509_push(ec_chain, ec->mid->x509);
    sk_X509_push(rsa_chain, rsa->mid->x509);
    sk_X509_push(long_chain, ec->mid->x509);
    sk_X509_push(long_chain, ec->root->x509);
    for (size_t i = 0; i < 2; i++) {
        run(versions[i], NULL, NULL, 0);
        run(versions[i], NULL, NULL, 1);
        run(versions[i], NULL, NULL, 2);
        run(versions[i], "ECDSA+SHA256:RSA-PSS+SHA256", NULL, 0);
        run(versions[i], "RSA-PSS+SHA256:ECDSA+SHA384:RSA+SHA256", NULL, 0);
        run(versions[i], NULL, "X25519:P-256", 0);
        run(versions[i], NULL, "P-384:P-256", 0);
    }
    sk_X509_free(ec_chain);
    sk_X509_free(rsa_chain);
    sk_X509_free(long_chain);
    pki_clear(ec);
    pki_clear(rsa);
    pki_free(ed);
    pki_free(p384);
    pki_free(pss);
    return 0;
}

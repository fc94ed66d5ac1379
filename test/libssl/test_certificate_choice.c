/* test_certificate_choice.c: which of a server's certificates a client gets. */
#include "handshake.h"
#include "pki.h"

static struct pki *ec, *rsa;
static struct pki_cert *ed, *pss, *p384;
static int with_status, with_cert_cb, calls;

static void use(SSL_CTX *ctx, struct pki_cert *leaf, struct pki_cert *issuer)
{
    SSL_CTX_use_certificate(ctx, leaf->x509);
    SSL_CTX_use_PrivateKey(ctx, leaf->key);
    SSL_CTX_add1_chain_cert(ctx, issuer->x509);
}

static const char *kind(X509 *x)
{
    return x ? OBJ_nid2sn(EVP_PKEY_get_base_id(X509_get0_pubkey(x))) : "none";
}

static int status_cb(SSL *s, void *arg)
{
    (void)arg;
    printf("  status callback: %s\n", kind(SSL_get_certificate(s)));
    return SSL_TLSEXT_ERR_NOACK;
}

static int cert_cb(SSL *s, void *arg)
{
    (void)s, (void)arg;
    return ++calls > 1 ? 1 : -1;
}

/* A client that can check no signature of its suites says so before it says anything else, on the system's libssl;
 * on ours the server does. */
static int can_work(int version, const char *ciphers, const char *sigalgs)
{
    if (!sigalgs)
        return 1;
    if (strstr(ciphers, "ECDSA"))
        return strstr(sigalgs, "ECDSA") || strstr(sigalgs, "ed25519");
    if (strstr(ciphers, "RSA"))
        return strstr(sigalgs, "RSA") || strstr(sigalgs, "rsa");
    /* Nor does ours know before it has asked that no curve fits. */
    if (version == TLS1_3_VERSION && with_status && strncmp(sigalgs, "ECDSA+", 6) == 0)
        return 0;
    return version != TLS1_3_VERSION || strncmp(sigalgs, "RSA+", 4) != 0;
}

static void run(int version, const char *ciphers, const char *sigalgs, int first)
{
    if (!can_work(version, ciphers, sigalgs))
        return;
    struct ends e;
    int client, server, nid = 0, own = 0;
    ends_init(&e, version);
    if (first)
        use(e.server_ctx, ec->leaf, ec->mid);
    use(e.server_ctx, rsa->leaf, rsa->mid);
    use(e.server_ctx, ed, ec->mid);
    use(e.server_ctx, pss, ec->mid);
    if (!first)
        use(e.server_ctx, p384, ec->mid);
    if (with_status)
        SSL_CTX_set_tlsext_status_cb(e.server_ctx, status_cb);
    SSL_CTX_set_tlsext_status_type(e.client_ctx, TLSEXT_STATUSTYPE_ocsp);
    calls = 0;
    if (with_cert_cb)
        SSL_CTX_set_cert_cb(e.server_ctx, cert_cb, NULL);
    SSL_CTX_set_cipher_list(e.client_ctx, ciphers);
    if (sigalgs)
        SSL_CTX_set1_sigalgs_list(e.client_ctx, sigalgs);
    ends_join(&e);
    printf("== %x %s %s\n", version, ciphers, sigalgs ? sigalgs : "default");
    ends_run(&e, &client, &server);
    SSL_get_peer_signature_nid(e.client, &nid);
    if (nid)
        SSL_get_signature_nid(e.server, &own);
    printf("  client %d, server %d, %s, server's %s, client's %s, signed with %d and %d\n",
           client, server, SSL_get_cipher_name(e.client),
           server == SSL_ERROR_NONE ? kind(SSL_get_certificate(e.server)) : "any",
           kind(SSL_get0_peer_certificate(e.client)), nid, own);
    show_chain("  chain", SSL_get_peer_cert_chain(e.client));
    ends_clear(&e);
}

/* ---- finite-field DH is there where it was asked for */

static DH *dh_cb(SSL *s, int export, int bits)
{
    static DH *dh;
    (void)s, (void)export, (void)bits;
    return dh ? dh : (dh = DH_new_by_nid(NID_ffdhe3072));
}

static void run_dh(int mode, const char *ciphers)
{
    struct ends e;
    int client, server;
    ends_init(&e, TLS1_2_VERSION);
    use(e.server_ctx, rsa->leaf, rsa->mid);
    SSL_CTX_set_cipher_list(e.client_ctx, ciphers);
    if (mode == 1)
        SSL_CTX_set_dh_auto(e.server_ctx, 1);
    else if (mode == 2)
        SSL_CTX_set_tmp_dh(e.server_ctx, dh_cb(NULL, 0, 0));
    else if (mode == 3)
        SSL_CTX_set_tmp_dh_callback(e.server_ctx, dh_cb);
    ends_join(&e);
    printf("== DH %d, %s\n", mode, ciphers);
    ends_run(&e, &client, &server);
    printf("  client %d, server %d, %s\n", client, server, SSL_get_cipher_name(e.client));
    EVP_PKEY *key = NULL;
    if (SSL_get_peer_tmp_key(e.client, &key))
        printf("  %s, %d bits\n", OBJ_nid2sn(EVP_PKEY_get_base_id(key)),
               EVP_PKEY_get_bits(key));
    EVP_PKEY_free(key);
    ends_clear(&e);
}

static void test_dh(void)
{
    for (int mode = 0; mode < 4; mode++) {
        run_dh(mode, "DHE-RSA-AES128-GCM-SHA256");
        run_dh(mode, "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256");
        run_dh(mode, "DHE-RSA-AES128-SHA:AES128-SHA");
    }
}

int main(void)
{
    static const char *const sigalgs[] = {NULL,
                                          "ECDSA+SHA256",
                                          "RSA+SHA256",
                                          "RSA-PSS+SHA256",
                                          "ed25519",
                                          "rsa_pss_pss_sha256",
                                          "ECDSA+SHA384:RSA+SHA256",
                                          "RSA+SHA384:ECDSA+SHA256",
                                          "ECDSA+SHA384"};
    ec = pki_new(PKI_P256, "DNS:ec.example");
    rsa = pki_new(PKI_RSA, "DNS:rsa.example");
    ed = pki_make(&(struct pki_spec){.kind = PKI_ED25519, .subject = "ed"}, ec->mid);
    pss = pki_make(&(struct pki_spec){.kind = PKI_RSA_PSS, .subject = "pss"}, ec->mid);
    p384 = pki_make(&(struct pki_spec){.kind = PKI_P384, .subject = "p384"}, ec->mid);
    for (int mode = 0; mode < 3; mode++) {
        with_status = mode == 1;
        with_cert_cb = mode == 2;
        printf("======== %s\n", mode == 1   ? "status callback"
                                : mode == 2 ? "cert_cb"
                                            : "nobody asked");
        for (size_t i = 0; i < sizeof sigalgs / sizeof *sigalgs; i++) {
            for (int first = 0; first < 2; first++) {
                run(TLS1_3_VERSION, "DEFAULT", sigalgs[i], first);
                run(TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", sigalgs[i], first);
                run(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", sigalgs[i], first);
                run(TLS1_2_VERSION, "DEFAULT", sigalgs[i], first);
            }
        }
        run(TLS1_2_VERSION, "AES128-GCM-SHA256", NULL, 1);
        run(TLS1_2_VERSION, "AES128-SHA:ECDHE-ECDSA-AES128-SHA", NULL, 1);
        run(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA:AES128-SHA", NULL, 1);
    }
    test_dh();
    pki_clear(ec);
    pki_clear(rsa);
    pki_free(ed);
    pki_free(pss);
    pki_free(p384);
    return 0;
}

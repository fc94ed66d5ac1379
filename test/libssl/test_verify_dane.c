/* test_verify_dane.c: TLSA records (RFC 6698) and certificate timestamps, by settings and in handshakes. */
#include <openssl/ct.h>

#include "handshake.h"
#include "pki.h"

static struct pki *pki, *other;
static int version;

static X509 *x(struct pki_cert *c)
{
    return c->x509;
}

/* A record for a certificate: whole or its key, in full or by digest. */
static int add(SSL *s, int usage, int selector, int mtype, struct pki_cert *c)
{
    unsigned char *full = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int len = selector ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &full)
                       : i2d_X509(c->x509, &full);
    const unsigned char *data = full;
    if (mtype) {
        EVP_Digest(full, (size_t)len, digest, &n, mtype == 1 ? EVP_sha256() : EVP_sha512(),
                   NULL);
        data = digest;
        len = (int)n;
    }
    int ok = SSL_dane_tlsa_add(s, (uint8_t)usage, (uint8_t)selector, (uint8_t)mtype, data,
                               (size_t)len);
    OPENSSL_free(full);
    return ok;
}

static void show_match(struct ends *e)
{
    uint8_t usage = 99, selector = 99, mtype = 99;
    const unsigned char *data = NULL;
    size_t len = 0;
    X509 *cert = NULL;
    EVP_PKEY *spki = NULL;
    int depth = SSL_get0_dane_tlsa(e->client, &usage, &selector, &mtype, &data, &len);
    /* A whole certificate is not always equally long: its signature is not. */
    printf("  matched at %d: %d %d %d, %zu bytes\n", depth, usage, selector, mtype,
           mtype == 0 && selector == 0 ? (size_t)(len > 0) : len);
    depth = SSL_get0_dane_authority(e->client, &cert, &spki);
    printf("  authority at %d: [%s], key %d\n", depth, cn_of(cert), spki != NULL);
}

static void begin(struct ends *e, int trusted)
{
    ends_init(e, version);
    SSL_CTX_use_certificate(e->server_ctx, pki->leaf->x509);
    SSL_CTX_use_PrivateKey(e->server_ctx, pki->leaf->key);
    SSL_CTX_add1_chain_cert(e->server_ctx, x(pki->mid));
    SSL_CTX_set_verify(e->client_ctx, SSL_VERIFY_PEER, NULL);
    if (trusted)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(e->client_ctx), x(pki->root));
    SSL_CTX_dane_enable(e->client_ctx);
    ends_join(e);
}

static void test_matches(int trusted)
{
    static const struct {
        int usage, selector, mtype;
        int which; /* 0 leaf, 1 intermediate, 2 root, 3 another leaf */
    } cases[] = {{3, 1, 1, 0}, {3, 0, 1, 0}, {3, 1, 0, 0}, {3, 0, 0, 0}, {3, 1, 2, 0},
                 {3, 1, 1, 3}, {2, 0, 1, 1}, {2, 1, 1, 1}, {2, 0, 0, 2}, {2, 1, 0, 2},
                 {2, 0, 1, 2}, {2, 1, 0, 1}, {1, 1, 1, 0}, {1, 0, 1, 3}, {0, 0, 1, 1},
                 {0, 1, 1, 2}, {0, 0, 0, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pki_cert *certs[] = {pki->leaf, pki->mid, pki->root, other->leaf};
        struct ends e;
        char title[64];
        snprintf(title, sizeof title, "%d %d %d of %d, root %s", cases[i].usage,
                 cases[i].selector, cases[i].mtype, cases[i].which,
                 trusted ? "trusted" : "unknown");
        begin(&e, trusted);
        SHOW(SSL_dane_enable(e.client, "dane.example"));
        SHOW(add(e.client, cases[i].usage, cases[i].selector, cases[i].mtype,
                 certs[cases[i].which]));
        ends_show(title, &e);
        show_match(&e);
        ends_clear(&e);
    }
}

static void test_names(void)
{
    for (int flag = 0; flag < 2; flag++) {
        for (int usage = 2; usage < 4; usage++) {
            struct ends e;
            begin(&e, 0);
            SHOW(SSL_dane_enable(e.client, "elsewhere.example"));
            if (flag)
                SHOW(SSL_dane_set_flags(e.client, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
            SHOW(add(e.client, usage, 0, 1, usage == 2 ? pki->root : pki->leaf));
            SHOW(add(e.client, usage, 0, 1, usage == 2 ? pki->mid : pki->leaf));
            ends_show("another name", &e);
            show_match(&e);
            ends_clear(&e);
        }
    }
    struct ends e;
    begin(&e, 1);
    SHOW(SSL_dane_enable(e.client, "dane.example"));
    ends_show("no records", &e);
    show_match(&e);
    ends_clear(&e);
}

/* SSL_dup takes records and flags along. */
static void test_dup(int own)
{
    struct ends e;
    begin(&e, 0);
    SHOW(SSL_dane_enable(e.client, "dane.example"));
    SHOW(add(e.client, 3, 1, 1, own ? pki->leaf : other->leaf));
    SSL_dane_set_flags(e.client, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    BIO *bio = SSL_get_rbio(e.client);
    BIO_up_ref(bio);
    SSL *copy = SSL_dup(e.client);
    SHOW((long)SSL_dane_set_flags(copy, 0));
    SHOW(SSL_get0_dane(copy) != NULL);
    SSL_set_bio(copy, bio, bio);
    SSL_set_connect_state(copy);
    SSL_free(e.client);
    e.client = copy;
    ends_show(own ? "copy, the record of this server" : "copy, another's record", &e);
    show_match(&e);
    ends_clear(&e);
}

static void test_settings(void)
{
    unsigned char bytes[64] = {1, 2, 3};
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = SSL_new(ctx);
    SHOW(SSL_dane_enable(s, "a.example"));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 1, bytes, 32));
    SHOW(SSL_get0_dane_tlsa(s, NULL, NULL, NULL, NULL, NULL));
    SHOW(SSL_CTX_dane_enable(ctx));
    SHOW(SSL_CTX_dane_enable(ctx));
    SHOW(SSL_CTX_dane_set_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
    SHOW(SSL_CTX_dane_set_flags(ctx, 0));
    SHOW(SSL_CTX_dane_clear_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
    SHOW(SSL_CTX_dane_set_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
    SSL_free(s);
    s = SSL_new(ctx);
    SHOW(SSL_dane_clear_flags(s, 0));
    SHOW(SSL_CTX_dane_mtype_set(ctx, EVP_sha1(), 0, 1));
    SHOW(SSL_CTX_dane_mtype_set(ctx, EVP_sha384(), 5, 7));
    SHOW(SSL_CTX_dane_mtype_set(ctx, NULL, 1, 1));
    SHOW(SSL_dane_enable(s, "a.example"));
    SHOW(SSL_dane_enable(s, "a.example"));
    SHOW(SSL_dane_tlsa_add(s, 4, 1, 2, bytes, 64));
    SHOW(SSL_dane_tlsa_add(s, 3, 2, 2, bytes, 64));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 1, bytes, 32));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 3, bytes, 32));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 9, bytes, 32));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 5, bytes, 48));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 2, bytes, 63));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 2, NULL, 64));
    SHOW(SSL_dane_tlsa_add(s, 3, 0, 0, bytes, 10));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 0, bytes, 10));
    SHOW(SSL_dane_tlsa_add(s, 3, 1, 2, bytes, 64));
    SHOW(SSL_get0_dane(s) != NULL);
    SHOW(SSL_get0_dane_tlsa(s, NULL, NULL, NULL, NULL, NULL));
    SHOW(SSL_get0_dane_authority(s, NULL, NULL));
    SHOW_TEXT(SSL_get_servername(s, TLSEXT_NAMETYPE_host_name));
    SHOW_TEXT(X509_VERIFY_PARAM_get0_host(SSL_get0_param(s), 0));
    SSL_free(s);
    SSL_CTX_free(ctx);
}

/* ---- certificate transparency */

static int ct_answer;

static int ct_cb(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) * scts, void *arg)
{
    printf("  callback: certificate %d, issuer %d, %d timestamps, argument %d\n",
           CT_POLICY_EVAL_CTX_get0_cert(ctx) != NULL,
           CT_POLICY_EVAL_CTX_get0_issuer(ctx) != NULL, scts ? sk_SCT_num(scts) : -1,
           arg == &ct_answer);
    return ct_answer;
}

static void test_ct(void)
{
    struct ends e;
    for (int mode = 0; mode < 4; mode++) {
        begin(&e, mode != 3);
        if (mode == 3)
            SSL_set_verify(e.client, SSL_VERIFY_NONE, NULL);
        SHOW(SSL_ct_is_enabled(e.client));
        SHOW(SSL_enable_ct(e.client, mode));
        SHOW(SSL_ct_is_enabled(e.client));
        ends_show("timestamps", &e);
        ends_clear(&e);
    }
    for (ct_answer = -1; ct_answer < 2; ct_answer++) {
        /* Without verification the system's library fails too, but says nothing. */
        for (int verify = ct_answer <= 0; verify < 2; verify++) {
            begin(&e, 1);
            SSL_set_verify(e.client, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
            SHOW(SSL_set_ct_validation_callback(e.client, ct_cb, &ct_answer));
            ends_show("timestamps, callback", &e);
            ends_clear(&e);
        }
    }
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SHOW(SSL_CTX_ct_is_enabled(ctx));
    SHOW(SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_STRICT));
    SHOW(SSL_CTX_enable_ct(ctx, 7));
    SHOW(SSL_CTX_ct_is_enabled(ctx));
    SHOW(SSL_CTX_set_ct_validation_callback(ctx, NULL, NULL));
    SHOW(SSL_CTX_ct_is_enabled(ctx));
    SHOW(SSL_CTX_get0_ctlog_store(ctx) != NULL);
    SHOW(SSL_CTX_set_ctlog_list_file(ctx, "none.cnf"));
    CTLOG_STORE *logs = CTLOG_STORE_new();
    SSL_CTX_set0_ctlog_store(ctx, logs);
    SHOW_SAME(SSL_CTX_get0_ctlog_store(ctx), logs);
    SSL *s = SSL_new(ctx);
    SHOW_SAME(SSL_get0_peer_scts(s), NULL);
    SSL_free(s);
    SSL_CTX_free(ctx);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    pki = pki_new(PKI_P256, "DNS:dane.example");
    other = pki_new(PKI_P256, "DNS:dane.example");
    test_settings();
    for (size_t i = 0; i < 2; i++) {
        version = versions[i];
        printf("======== %x\n", version);
        test_matches(0);
        test_matches(1);
        test_dup(0);
        test_dup(1);
        test_names();
        test_ct();
    }
    pki_clear(pki);
    pki_clear(other);
    return 0;
}

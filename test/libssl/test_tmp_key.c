/* test_tmp_key.c: the ephemeral keys of both ends and the schemes they signed with, in every version and group. */
#include "pair.h"

static void key(const char *what, long found, EVP_PKEY *pkey)
{
    printf(" %s %ld", what, found);
    if (found && pkey) {
        char group[64] = "";
        size_t len = 0;
        EVP_PKEY_get_group_name(pkey, group, sizeof group, &len);
        printf(" %s %d bits %s", OBJ_nid2sn(EVP_PKEY_get_base_id(pkey)),
               EVP_PKEY_get_bits(pkey), group);
        EVP_PKEY_free(pkey);
    }
}

static void show(SSL *s, const char *when)
{
    EVP_PKEY *k = NULL;
    int a = 0, b = 0, c = 0, d = 0;
    printf("  %s %s:", SSL_is_server(s) ? "server" : "client", when);
    long found = SSL_get_peer_tmp_key(s, &k);
    key("peer's", found, k);
    k = NULL;
    found = SSL_get_tmp_key(s, &k);
    key("own", found, k);
    k = NULL;
    found = SSL_get_server_tmp_key(s, &k);
    key("server's", found, k);
    int ra = (int)SSL_get_peer_signature_nid(s, &a),
        rb = SSL_get_peer_signature_type_nid(s, &b);
    int rc = (int)SSL_get_signature_nid(s, &c), rd = SSL_get_signature_type_nid(s, &d);
    printf(", peer signs %d %s %d %s", ra, OBJ_nid2sn(a), rb, OBJ_nid2sn(b));
    /* OpenSSL tells what it would sign with where nothing is signed. */
    int kx = SSL_CIPHER_get_kx_nid(SSL_get_current_cipher(s));
    if (kx != NID_kx_rsa || !SSL_is_server(s))
        printf(", signs %d %s %d %s", rc, OBJ_nid2sn(c), rd, OBJ_nid2sn(d));
    printf(", negotiated %s, reused %d\n", OBJ_nid2sn((int)SSL_get_negotiated_group(s)),
           SSL_session_reused(s));
    pair_errors();
}

/* Do both ends tell the same key of one end? */
static void compare(struct pair *p)
{
    EVP_PKEY *a = NULL, *b = NULL;
    if (SSL_get_peer_tmp_key(p->client, &a) && SSL_get_tmp_key(p->server, &b))
        printf("  the server's is %s\n", EVP_PKEY_eq(a, b) == 1 ? "the same" : "another");
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
    a = b = NULL;
    if (SSL_get_peer_tmp_key(p->server, &a) && SSL_get_tmp_key(p->client, &b))
        printf("  the client's is %s\n", EVP_PKEY_eq(a, b) == 1 ? "the same" : "another");
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
}

static int any(X509_STORE_CTX *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return 1;
}

static SSL_CTX *context(int server, int version, const char *groups, const char *list)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_security_level(ctx, 0);
    MUST(SSL_CTX_set_cipher_list(ctx, list));
    MUST(SSL_CTX_set1_groups_list(ctx, groups));
    EVP_PKEY *pkey = EVP_RSA_gen(2048), *ec;
    X509 *x = pair_certificate(&ec);
    X509_set_pubkey(x, pkey);
    MUST(X509_sign(x, pkey, EVP_sha256()));
    MUST(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, pkey) == 1);
    X509_free(x);
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(ec);
    pair_use_certificate(ctx);
    SSL_CTX_set_dh_auto(ctx, 1);
    SSL_CTX_set_cert_verify_callback(ctx, any, NULL);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"a", 1);
    return ctx;
}

static void run(int version, const char *groups, const char *list, int ask)
{
    SSL_CTX *client = context(0, version, groups, list),
            *server = context(1, version, groups, list);
    SSL_SESSION *session = NULL;
    printf("---- %x %s %s%s\n", (unsigned)version, groups, list, ask ? ", both certified" : "");
    if (ask)
        SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    for (int i = 0; i < 2; i++) {
        char c;
        struct pair p = pair_new(client, server);
        SSL_set_session(p.client, session);
        int done = pair_shake(&p);
        printf("  done %d\n", done);
        pair_errors();
        if (done) {
            show(p.client, i ? "resumed" : "done");
            show(p.server, i ? "resumed" : "done");
            compare(&p);
            SSL_read(p.client, &c, 1);
        }
        SSL_SESSION_free(session);
        session = SSL_get1_session(p.client);
        SSL_shutdown(p.client);
        SSL_shutdown(p.server);
        pair_free(&p);
        if (!done)
            break;
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    static const char *const groups[] = {"P-256", "P-256:P-384", "P-521:P-256", "X25519:P-256",
                                         "X448:P-256"};
    static const char *const lists[] = {"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA",
                                        "DHE-RSA-AES128-SHA",     "AES128-SHA",
                                        "AECDH-AES128-SHA",       "ADH-AES128-SHA"};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        run(TLS1_3_VERSION, groups[i], "ALL", 0);
        run(TLS1_2_VERSION, groups[i], lists[0], 0);
    }
    run(TLS1_3_VERSION, "ffdhe2048", "ALL", 1);
    run(TLS1_3_VERSION, "ffdhe3072", "ALL", 0);
    for (int version = TLS1_VERSION; version <= TLS1_2_VERSION; version++) {
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
            run(version, "P-256", lists[i], 0);
            if (i < 4)
                run(version, "P-256", lists[i], 1);
        }
    }
    return 0;
}

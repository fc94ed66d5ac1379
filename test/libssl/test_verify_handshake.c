/* test_verify_handshake.c: verdicts on the peer's chain, in whole handshakes, on both sides. */
#include <openssl/x509v3.h>

#include "handshake.h"
#include "pki.h"

static struct pki *server_pki, *client_pki;
static struct pki_cert *expired, *early, *for_clients, *weak, *self;
static int version;

static X509 *x(struct pki_cert *c)
{
    return c->x509;
}

static void use(SSL_CTX *ctx, struct pki_cert *leaf, struct pki_cert *issuer)
{
    SSL_CTX_use_certificate(ctx, leaf->x509);
    SSL_CTX_use_PrivateKey(ctx, leaf->key);
    if (issuer)
        SSL_CTX_add1_chain_cert(ctx, x(issuer));
}

static void trust(SSL_CTX *ctx, struct pki_cert *root)
{
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x(root));
}

/* A server with the usual chain and a client that verifies, with the root or without. */
static void usual(struct ends *e, int trusted)
{
    ends_init(e, version);
    use(e->server_ctx, server_pki->leaf, server_pki->mid);
    SSL_CTX_set_verify(e->client_ctx, SSL_VERIFY_PEER, NULL);
    if (trusted)
        trust(e->client_ctx, server_pki->root);
}

static void done(const char *title, struct ends *e)
{
    ends_show(title, e);
    ends_clear(e);
}

/* ---- servers' chains */

static void test_trust(void)
{
    struct ends e;
    usual(&e, 1);
    ends_join(&e);
    done("trusted", &e);

    usual(&e, 0);
    ends_join(&e);
    done("unknown root", &e);

    usual(&e, 0);
    SSL_CTX_set_verify(e.client_ctx, SSL_VERIFY_NONE, NULL);
    ends_join(&e);
    done("unknown root, not verified", &e);

    usual(&e, 0);
    ends_join(&e);
    SSL_set_verify(e.client, SSL_VERIFY_NONE, NULL);
    done("unknown root, not verified on this connection", &e);

    usual(&e, 1);
    SSL_CTX_clear_chain_certs(e.server_ctx);
    ends_join(&e);
    done("no intermediate", &e);

    usual(&e, 1);
    SSL_CTX_clear_chain_certs(e.server_ctx);
    trust(e.server_ctx, server_pki->mid);
    ends_join(&e);
    done("intermediate from the server's store", &e);

    usual(&e, 1);
    SSL_CTX_clear_chain_certs(e.server_ctx);
    trust(e.server_ctx, server_pki->mid);
    trust(e.server_ctx, server_pki->root);
    ends_join(&e);
    done("intermediate and root from the server's store", &e);

    usual(&e, 1);
    SSL_CTX_clear_chain_certs(e.server_ctx);
    trust(e.server_ctx, server_pki->mid);
    SSL_CTX_set_mode(e.server_ctx, SSL_MODE_NO_AUTO_CHAIN);
    ends_join(&e);
    done("no automatic chain", &e);

    usual(&e, 1);
    SSL_CTX_clear_chain_certs(e.server_ctx);
    X509_up_ref(x(server_pki->mid));
    SSL_CTX_add_extra_chain_cert(e.server_ctx, x(server_pki->mid));
    ends_join(&e);
    done("extra chain", &e);

    usual(&e, 0);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, x(server_pki->root));
    SSL_CTX_set0_verify_cert_store(e.client_ctx, store);
    ends_join(&e);
    done("verification store", &e);

    usual(&e, 0);
    store = X509_STORE_new();
    X509_STORE_add_cert(store, x(server_pki->root));
    SSL_CTX_set_cert_store(e.client_ctx, store);
    ends_join(&e);
    done("another store", &e);
}

static void with_leaf(const char *title, struct pki_cert *leaf, int level)
{
    struct ends e;
    ends_init(&e, version);
    SSL_CTX_set_security_level(e.server_ctx, level);
    use(e.server_ctx, leaf, server_pki->mid);
    SSL_CTX_set_verify(e.client_ctx, SSL_VERIFY_PEER, NULL);
    trust(e.client_ctx, server_pki->root);
    ends_join(&e);
    done(title, &e);
}

static void test_leaves(void)
{
    with_leaf("expired", expired, 2);
    with_leaf("not yet valid", early, 2);
    with_leaf("for clients only", for_clients, 2);
    with_leaf("weak key", weak, 0);
    with_leaf("self-signed", self, 2);
}

static void test_names(void)
{
    static const char *const names[] = {"server.example", "other.example", "a.wild.example",
                                        "127.0.0.1",      "10.1.2.3",      ".example"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ends e;
        usual(&e, 1);
        ends_join(&e);
        SHOW(SSL_set1_host(e.client, names[i]));
        done(names[i], &e);
    }
    struct ends e;
    usual(&e, 1);
    ends_join(&e);
    SHOW(SSL_set1_host(e.client, "other.example"));
    SHOW(SSL_add1_host(e.client, "server.example"));
    SHOW(SSL_add1_host(e.client, "127.0.0.1"));
    SHOW(SSL_add1_host(e.client, "127.0.0.2"));
    SSL_set_hostflags(e.client, X509_CHECK_FLAG_NO_WILDCARDS);
    done("several names", &e);
    usual(&e, 1);
    X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(e.client_ctx), "server.example", 0);
    ends_join(&e);
    done("name of the context", &e);
}

static void test_parameters(void)
{
    struct ends e;
    usual(&e, 1);
    SSL_CTX_set_verify_depth(e.client_ctx, 0);
    ends_join(&e);
    done("depth 0", &e);
    usual(&e, 1);
    ends_join(&e);
    SSL_set_verify_depth(e.client, 1);
    done("depth 1", &e);
    usual(&e, 1);
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(e.client_ctx), 1500000000);
    ends_join(&e);
    done("in 2017", &e);
    usual(&e, 1);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(e.client_ctx), X509_V_FLAG_CRL_CHECK);
    ends_join(&e);
    done("revocation lists", &e);
    usual(&e, 0);
    trust(e.client_ctx, server_pki->mid);
    ends_join(&e);
    done("intermediate trusted", &e);
    usual(&e, 0);
    trust(e.client_ctx, server_pki->mid);
    X509_STORE_set_flags(SSL_CTX_get_cert_store(e.client_ctx), X509_V_FLAG_PARTIAL_CHAIN);
    ends_join(&e);
    done("intermediate trusted, partial chain", &e);
    usual(&e, 1);
    SHOW(SSL_CTX_set_purpose(e.client_ctx, X509_PURPOSE_SMIME_SIGN));
    ends_join(&e);
    done("purpose", &e);
    usual(&e, 1);
    SSL_CTX_set_security_level(e.client_ctx, 3);
    SSL_CTX_set_security_level(e.server_ctx, 0);
    ends_join(&e);
    done("level 3", &e);
}

/* ---- callbacks */

static int tolerant, asked;

static int verify_cb(int ok, X509_STORE_CTX *sc)
{
    SSL *s = X509_STORE_CTX_get_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx());
    printf("  callback: ok %d, error %d, depth %d, [%s], %s\n", ok,
           X509_STORE_CTX_get_error(sc), X509_STORE_CTX_get_error_depth(sc),
           cn_of(X509_STORE_CTX_get_current_cert(sc)),
           s ? SSL_is_server(s) ? "server" : "client" : "nobody");
    return ok || tolerant;
}

static int app_cb(X509_STORE_CTX *sc, void *arg)
{
    SSL *s = X509_STORE_CTX_get_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx());
    printf("  callback: [%s], %d sent, argument %d, %s\n", cn_of(X509_STORE_CTX_get0_cert(sc)),
           sk_X509_num(X509_STORE_CTX_get0_untrusted(sc)), *(int *)arg,
           s ? SSL_is_server(s) ? "server" : "client" : "nobody");
    if (*(int *)arg == 0)
        X509_STORE_CTX_set_error(sc, X509_V_ERR_APPLICATION_VERIFICATION);
    return *(int *)arg;
}

static int retry_cb(X509_STORE_CTX *sc, void *arg)
{
    SSL *s = X509_STORE_CTX_get_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx());
    (void)arg;
    if (asked++ < 2)
        return SSL_set_retry_verify(s);
    return 1;
}

static void test_callbacks(void)
{
    struct ends e;
    for (int trusted = 0; trusted < 2; trusted++) {
        for (tolerant = 0; tolerant < 2; tolerant++) {
            usual(&e, trusted);
            SSL_CTX_set_verify(e.client_ctx, SSL_VERIFY_PEER, verify_cb);
            ends_join(&e);
            done(tolerant ? "tolerant callback" : "callback", &e);
        }
    }
    usual(&e, 0);
    SSL_CTX_set_verify(e.client_ctx, SSL_VERIFY_NONE, verify_cb);
    tolerant = 0;
    ends_join(&e);
    done("callback that does not count", &e);
    for (int answer = 0; answer < 2; answer++) {
        usual(&e, 0);
        SSL_CTX_set_cert_verify_callback(e.client_ctx, app_cb, &answer);
        ends_join(&e);
        done("the application's own verification", &e);
    }
    usual(&e, 1);
    SSL_CTX_set_cert_verify_callback(e.client_ctx, retry_cb, NULL);
    ends_join(&e);
    asked = 0;
    for (int i = 0; i < 3; i++) {
        int n = SSL_do_handshake(e.client);
        printf("client %d, %d; ", SSL_get_error(e.client, n), SSL_want(e.client));
        n = SSL_do_handshake(e.server);
        printf("server %d\n", SSL_get_error(e.server, n));
    }
    done("asked again", &e);
}

/* ---- clients' certificates */

static int cert_calls;

static int cert_cb(SSL *s, void *arg)
{
    struct pki *pki = arg;
    printf("  cert_cb, call %d\n", ++cert_calls);
    if (cert_calls < 3)
        return -1;
    SSL_use_certificate(s, pki->leaf->x509);
    SSL_use_PrivateKey(s, pki->leaf->key);
    SSL_add1_chain_cert(s, pki->mid->x509);
    return 1;
}

static int refusing_cert_cb(SSL *s, void *arg)
{
    (void)s, (void)arg;
    return 0;
}

static int client_cert_cb(SSL *s, X509 **out, EVP_PKEY **key)
{
    STACK_OF(X509_NAME) *names = SSL_get_client_CA_list(s);
    printf("  client_cert_cb: %d names\n", names ? sk_X509_NAME_num(names) : -1);
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        char text[100];
        printf("    %s\n", X509_NAME_oneline(sk_X509_NAME_value(names, i), text, sizeof text));
    }
    if (++cert_calls < 2)
        return -1;
    X509_up_ref(client_pki->leaf->x509);
    EVP_PKEY_up_ref(client_pki->leaf->key);
    *out = client_pki->leaf->x509;
    *key = client_pki->leaf->key;
    return 1;
}

static void mutual(struct ends *e, int mode, int with)
{
    usual(e, 1);
    SSL_CTX_set_verify(e->server_ctx, mode, NULL);
    trust(e->server_ctx, client_pki->root);
    SSL_CTX_add_client_CA(e->server_ctx, client_pki->root->x509);
    SSL_CTX_add_client_CA(e->server_ctx, server_pki->root->x509);
    if (with)
        use(e->client_ctx, client_pki->leaf, client_pki->mid);
}

static void test_clients(void)
{
    static const int modes[] = {SSL_VERIFY_PEER,
                                SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, SSL_VERIFY_NONE};
    struct ends e;
    for (int i = 0; i < 8; i++) {
        char title[64];
        snprintf(title, sizeof title, "client %s, mode %d", i & 1 ? "with" : "without",
                 modes[i / 2]);
        mutual(&e, modes[i / 2], i & 1);
        ends_join(&e);
        ends_show(title, &e);
        const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(e.client);
        printf("  names that the client saw: %d; the server's: %d\n",
               names ? sk_X509_NAME_num(names) : -1,
               sk_X509_NAME_num(SSL_get_client_CA_list(e.server)));
        ends_clear(&e);
    }
    mutual(&e, SSL_VERIFY_PEER, 1);
    SSL_CTX_set_cert_store(e.server_ctx, X509_STORE_new());
    ends_join(&e);
    done("client that is not trusted", &e);
    mutual(&e, SSL_VERIFY_PEER, 0);
    use(e.client_ctx, server_pki->leaf, server_pki->mid);
    trust(e.server_ctx, server_pki->root);
    ends_join(&e);
    done("client with a server's certificate", &e);
    cert_calls = 0;
    mutual(&e, SSL_VERIFY_PEER, 0);
    SSL_CTX_set_cert_cb(e.client_ctx, cert_cb, client_pki);
    ends_join(&e);
    done("client with cert_cb", &e);
    mutual(&e, SSL_VERIFY_PEER, 0);
    SSL_CTX_set_cert_cb(e.client_ctx, refusing_cert_cb, NULL);
    ends_join(&e);
    done("client with a cert_cb that fails", &e);
    cert_calls = 0;
    mutual(&e, SSL_VERIFY_PEER, 0);
    trust(e.server_ctx, client_pki->mid);
    SSL_CTX_set_client_cert_cb(e.client_ctx, client_cert_cb);
    ends_join(&e);
    done("client with client_cert_cb", &e);
}

static void test_server_callback(void)
{
    struct ends e;
    cert_calls = 0;
    ends_init(&e, version);
    trust(e.client_ctx, server_pki->root);
    SSL_CTX_set_verify(e.client_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_cb(e.server_ctx, cert_cb, server_pki);
    ends_join(&e);
    done("server with cert_cb", &e);
    usual(&e, 1);
    SSL_CTX_set_cert_cb(e.server_ctx, refusing_cert_cb, NULL);
    ends_join(&e);
    done("server with a cert_cb that fails", &e);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    server_pki = pki_new(PKI_P256, "DNS:server.example,DNS:*.wild.example,IP:127.0.0.1");
    client_pki = pki_new(PKI_RSA, "DNS:client.example");
    expired = pki_make(
        &(struct pki_spec){.subject = "expired", .not_after = PKI_NOT_BEFORE + PKI_DAY},
        server_pki->mid);
    early =
        pki_make(&(struct pki_spec){.subject = "early", .not_before = PKI_NOT_AFTER - PKI_DAY},
                 server_pki->mid);
    for_clients = pki_make(&(struct pki_spec){.subject = "clients", .eku = "clientAuth"},
                           server_pki->mid);
    weak =
        pki_make(&(struct pki_spec){.subject = "weak", .kind = PKI_RSA_1024}, server_pki->mid);
    self = pki_make(&(struct pki_spec){.subject = "self"}, NULL);
    for (size_t i = 0; i < 2; i++) {
        version = versions[i];
        printf("======== %x\n", version);
        test_trust();
        test_leaves();
        test_names();
        test_parameters();
        test_callbacks();
        test_clients();
        test_server_callback();
    }
    pki_clear(server_pki);
    pki_clear(client_pki);
    pki_free(expired);
    pki_free(early);
    pki_free(for_clients);
    pki_free(weak);
    pki_free(self);
    return 0;
}

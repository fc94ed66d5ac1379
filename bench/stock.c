/* stock.c: the system's libssl as an engine: custom BIO on the wire, defaults except for what the
 * rows fix (the version, one suite, given groups). */
#include "bench.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local SSL_SESSION *newest;
static _Thread_local bool early_wanted; /* by the client that begins */
static _Thread_local bool early_read;   /* by the server that has begun: all of it */
static BIO_METHOD *wire_method;
static char sides[2];

_Noreturn static void die_ssl(const char *what)
{
    ERR_print_errors_fp(stderr);
    die("stock: %s failed", what);
}

/* ---------------------------------------------------------------- the BIO */

static enum side bio_side(BIO *bio)
{
    return BIO_get_data(bio) == &sides[SERVER] ? SERVER : CLIENT;
}

static int wire_bio_write(BIO *bio, const char *p, int len)
{
    wire_send_to(bio_side(bio) == SERVER ? CLIENT : SERVER, p, (size_t)len);
    return len;
}

static int wire_bio_read(BIO *bio, char *p, int len)
{
    size_t n = wire_take(bio_side(bio), p, (size_t)len);

    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    return (int)n;
}

static long wire_bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio, (void)num, (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static void make_method(void)
{
    wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    if (wire_method == NULL || BIO_meth_set_write(wire_method, wire_bio_write) != 1 ||
        BIO_meth_set_read(wire_method, wire_bio_read) != 1 ||
        BIO_meth_set_ctrl(wire_method, wire_bio_ctrl) != 1)
        die_ssl("BIO_meth_new");
}

/* ---------------------------------------------------------------- configuration */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(newest);
    newest = session;
    return 1;
}

static unsigned psk_client(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
                           unsigned char *psk, unsigned psk_size)
{
    (void)ssl, (void)hint;
    if (identity_size < sizeof PSK_NAME || psk_size < sizeof bench_psk)
        return 0;
    memcpy(identity, PSK_NAME, sizeof PSK_NAME);
    memcpy(psk, bench_psk, sizeof bench_psk);
    return sizeof bench_psk;
}

static unsigned psk_server(SSL *ssl, const char *identity, unsigned char *psk,
                           unsigned psk_size)
{
    (void)ssl;
    if (strcmp(identity, PSK_NAME) != 0 || psk_size < sizeof bench_psk)
        return 0;
    memcpy(psk, bench_psk, sizeof bench_psk);
    return sizeof bench_psk;
}

static void use_identity(SSL_CTX *ctx, const struct identity *identity)
{
    BIO *chain = BIO_new_mem_buf(identity->chain.p, (int)identity->chain.len);
    BIO *key_bio = BIO_new_mem_buf(identity->key.p, (int)identity->key.len);
    X509 *leaf, *ca;
    EVP_PKEY *key;

    if (chain == NULL || key_bio == NULL)
        die_ssl("BIO_new_mem_buf");
    leaf = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    ca = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    if (leaf == NULL || ca == NULL || key == NULL || SSL_CTX_use_certificate(ctx, leaf) != 1 ||
        SSL_CTX_add0_chain_cert(ctx, ca) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
        die_ssl("loading the chain");
    X509_free(leaf);
    EVP_PKEY_free(key);
    BIO_free(chain);
    BIO_free(key_bio);
}

static void use_root(SSL_CTX *ctx, struct text root)
{
    BIO *bio = BIO_new_mem_buf(root.p, (int)root.len);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    if (cert == NULL || X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) != 1)
        die_ssl("loading the root");
    X509_free(cert);
    BIO_free(bio);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
}

static void *config_new(enum side side, const struct setup *setup)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    char groups[64]; /* the call wants it writable */
    snprintf(groups, sizeof groups, "%s", setup->groups);
    pthread_once(&once, make_method);
    int version = setup->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, version) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, version) != 1 ||
        (setup->tls12 ? SSL_CTX_set_cipher_list(ctx, setup->suite)
                      : SSL_CTX_set_ciphersuites(ctx, setup->suite)) != 1 ||
        SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS_LIST, 0, groups) != 1)
        die_ssl("SSL_CTX_new");
    if (setup->no_tickets && side == SERVER)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (setup->psk && side == SERVER)
        SSL_CTX_set_psk_server_callback(ctx, psk_server);
    if (setup->psk && side == CLIENT)
        SSL_CTX_set_psk_client_callback(ctx, psk_client);
    if (setup->early && side == SERVER && SSL_CTX_set_max_early_data(ctx, RECORD_16K) != 1)
        die_ssl("SSL_CTX_set_max_early_data");
    if (setup->small)
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (side == SERVER)
        use_identity(ctx, setup->identity);
    else
        use_root(ctx, setup->root);
    return ctx;
}

static void config_free(void *config)
{
    SSL_CTX_free(config);
}

/* ---------------------------------------------------------------- connection */

static void *conn_new(enum side side, void *config, void *session)
{
    SSL *ssl = SSL_new(config);
    BIO *bio = BIO_new(wire_method);

    if (ssl == NULL || bio == NULL)
        die_ssl("SSL_new");
    BIO_set_data(bio, &sides[side]);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    if (side == SERVER) {
        SSL_set_accept_state(ssl);
        early_read = SSL_CTX_get_max_early_data(config) == 0;
        return ssl;
    }
    SSL_set_connect_state(ssl);
    early_wanted = session != NULL && SSL_SESSION_get_max_early_data(session) > 0;
    if (SSL_set_tlsext_host_name(ssl, BENCH_HOST) != 1 || SSL_set1_host(ssl, BENCH_HOST) != 1)
        die_ssl("SSL_set1_host");
    if (session != NULL && SSL_set_session(ssl, session) != 1)
        die_ssl("SSL_set_session");
    return ssl;
}

/* SSL_free alone would mark the session as not resumable (no close_notify was sent): the usual
 * client calls SSL_shutdown; this flag has the same effect without a record. */
static void conn_free(void *conn)
{
    SSL_set_shutdown(conn, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(conn);
}

static void send_early(SSL *ssl)
{
    static const unsigned char request[EARLY_SIZE];
    size_t n = 0;

    early_wanted = false;
    if (SSL_write_early_data(ssl, request, sizeof request, &n) != 1 || n != sizeof request)
        die_ssl("SSL_write_early_data");
}

/* true: there is no more of it, and the handshake goes on. */
static bool take_early(SSL *ssl)
{
    unsigned char request[EARLY_SIZE];
    size_t n = 0;

    for (;;)
        switch (SSL_read_early_data(ssl, request, sizeof request, &n)) {
        case SSL_READ_EARLY_DATA_FINISH: return early_read = true;
        case SSL_READ_EARLY_DATA_SUCCESS: break;
        default:
            if (SSL_get_error(ssl, 0) != SSL_ERROR_WANT_READ)
                die_ssl("SSL_read_early_data");
            return false;
        }
}

static enum progress handshake(void *conn)
{
    if (!SSL_is_server(conn) && early_wanted)
        send_early(conn);
    if (SSL_is_server(conn) && !early_read && !take_early(conn))
        return UNFINISHED;
    int result = SSL_do_handshake(conn);

    if (result == 1)
        return FINISHED;
    if (SSL_get_error(conn, result) != SSL_ERROR_WANT_READ)
        die_ssl("SSL_do_handshake");
    return UNFINISHED;
}

static void write_all(void *conn, const uint8_t *p, size_t len)
{
    size_t n;

    if (SSL_write_ex(conn, p, len, &n) != 1 || n != len)
        die_ssl("SSL_write_ex");
}

static size_t read_some(void *conn, uint8_t *scratch, size_t size)
{
    size_t n;

    if (SSL_read_ex(conn, scratch, size, &n) != 1)
        die_ssl("SSL_read_ex");
    return n;
}

static bool resumed(void *conn)
{
    return SSL_session_reused(conn) == 1;
}

static bool retried(void *conn)
{
    (void)conn;
    return true; /* libssl 3.0 has no function that tells */
}

static bool by_psk(void *conn)
{
    return SSL_session_reused(conn) == 1;
}

static bool early(void *conn)
{
    return SSL_get_early_data_status(conn) == SSL_EARLY_DATA_ACCEPTED;
}

static void hibernate(void *conn)
{
    (void)conn; /* SSL_MODE_RELEASE_BUFFERS has done what there is to do */
}

static void *session_take(void)
{
    SSL_SESSION *session = newest;

    newest = NULL;
    return session;
}

static void session_free(void *session)
{
    SSL_SESSION_free(session);
}

const struct engine engine_stock = {
    .name = "stock",
    .config_new = config_new,
    .config_free = config_free,
    .conn_new = conn_new,
    .conn_free = conn_free,
    .handshake = handshake,
    .write = write_all,
    .read = read_some,
    .resumed = resumed,
    .retried = retried,
    .by_psk = by_psk,
    .early = early,
    .hibernate = hibernate,
    .session_take = session_take,
    .session_free = session_free,
};

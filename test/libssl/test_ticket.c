/* test_ticket.c: keys and callbacks of a server's tickets. Run on handfast's libssl and on the system's, the output
 * is the same. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pair.h"

static EVP_PKEY *key;
static X509 *cert;

static int make_certificate(void)
{
    key = EVP_EC_gen("P-256");
    cert = pair_self_signed(key);
    return cert != NULL;
}

/* ---- callbacks */

static const unsigned char secret[32] = "a key that is only for this test";
static int answer, open_answer;

static int evp_cb(SSL *s, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac, int enc)
{
    char digest[] = "SHA512";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    printf("    evp %s server %d answer %d\n", enc ? "seal" : "open", SSL_is_server(s),
           enc ? answer : open_answer);
    if (enc) {
        memcpy(name, "test keys of mine", 16);
        memset(iv, 7, 16);
    } else {
        printf("    name %.16s\n", (const char *)name);
    }
    EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), NULL, secret, iv, enc);
    EVP_MAC_init(mac, secret, sizeof secret, params);
    return enc ? answer : open_answer;
}

static int hmac_cb(SSL *s, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                   HMAC_CTX *mac, int enc)
{
    printf("    hmac %s server %d\n", enc ? "seal" : "open", SSL_is_server(s));
    if (enc) {
        memcpy(name, "other keys of mine", 16);
        memset(iv, 9, 16);
    }
    EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, secret, iv, enc);
    HMAC_Init_ex(mac, secret, sizeof secret, EVP_sha256(), NULL);
    return 1;
}

static int generate(SSL *s, void *arg)
{
    int ok = SSL_SESSION_set1_ticket_appdata(SSL_get_session(s), arg, strlen(arg));
    printf("    generate %d\n", ok);
    return 1;
}

static int decrypted_answer;

static SSL_TICKET_RETURN decrypted(SSL *s, SSL_SESSION *session, const unsigned char *name,
                                   size_t len, SSL_TICKET_STATUS status, void *arg)
{
    void *data = NULL;
    size_t data_len = 0;
    (void)s, (void)name, (void)arg;
    if (session)
        SSL_SESSION_get0_ticket_appdata(session, &data, &data_len);
    printf("    decrypted: status %d name %d data %.*s\n", (int)status, (int)len, (int)data_len,
           data ? (const char *)data : "");
    return (SSL_TICKET_RETURN)decrypted_answer;
}

static int never(SSL *s, int forward_secure)
{
    (void)s;
    printf("    not resumable? forward secure %d\n", forward_secure);
    return 1;
}

/* ---- one connection */

static int tickets_seen;

static int new_cb(SSL *s, SSL_SESSION *session)
{
    (void)s, (void)session;
    tickets_seen++;
    return 0;
}

static SSL_SESSION *join(SSL_CTX *cctx, SSL_CTX *sctx, SSL_SESSION *session, int more)
{
    char c;
    SSL *client = pair_end(SSL_new(cctx)), *server = pair_end(SSL_new(sctx));
    int a = 0, b = 0;
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    if (session)
        SSL_set_session(client, session);
    tickets_seen = 0;
    for (int i = 0; i < 10 && !(a == 1 && b == 1); i++) {
        a = SSL_do_handshake(client);
        pair_pump(client, server);
        b = SSL_do_handshake(server);
        pair_pump(server, client);
    }
    printf("    done %d %d reused %d %d", a, b, SSL_session_reused(client),
           SSL_session_reused(server));
    (void)SSL_read(client, &c, 1);
    printf(" tickets %d\n", tickets_seen);
    if (more) {
        int ok = SSL_new_session_ticket(server);
        printf("    new ticket %d", ok);
        SSL_do_handshake(server);
        SSL_write(server, "x", 1);
        pair_pump(server, client);
        printf(" read %d", SSL_read(client, &c, 1));
        printf(" tickets %d\n", tickets_seen);
    }
    unsigned long e = ERR_get_error();
    if (a != 1 || b != 1)
        printf("    %s\n", e ? ERR_reason_error_string(e) : "no error");
    ERR_clear_error();
    SSL_SESSION *out = SSL_get1_session(client);
    if (out && SSL_SESSION_has_ticket(out)) {
        const unsigned char *ticket;
        size_t len;
        SSL_SESSION_get0_ticket(out, &ticket, &len);
        printf("    name of ticket %d\n",
               len > 16 && memcmp(ticket, "test keys of mine", 16) == 0);
    }
    SSL_shutdown(client);
    pair_pump(client, server);
    SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
    return out;
}

static SSL_CTX *context(int version, int is_server)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    if (is_server) {
        SSL_CTX_use_certificate(ctx, cert);
        SSL_CTX_use_PrivateKey(ctx, key);
    } else {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
                                                SSL_SESS_CACHE_NO_INTERNAL_STORE);
        SSL_CTX_sess_set_new_cb(ctx, new_cb);
    }
    return ctx;
}

static void twice(const char *what, SSL_CTX *cctx, SSL_CTX *first, SSL_CTX *second)
{
    printf("  %s\n", what);
    SSL_SESSION *s = join(cctx, first, NULL, 0);
    SSL_SESSION *t = join(cctx, second, s, 0);
    SSL_SESSION_free(s);
    SSL_SESSION_free(t);
}

static void keys(int version)
{
    unsigned char all[80], back[80];
    SSL_CTX *cctx = context(version, 0), *a = context(version, 1), *b = context(version, 1);
    printf("  size %ld", SSL_CTX_get_tlsext_ticket_keys(a, NULL, 0));
    printf(" wrong %ld", SSL_CTX_set_tlsext_ticket_keys(a, all, 48));
    printf(" %s\n", ERR_reason_error_string(ERR_get_error()));
    twice("other keys", cctx, a, b);
    printf("  get %ld", SSL_CTX_get_tlsext_ticket_keys(a, all, sizeof all));
    printf(" set %ld", SSL_CTX_set_tlsext_ticket_keys(b, all, sizeof all));
    SSL_CTX_get_tlsext_ticket_keys(b, back, sizeof back);
    printf(" same %d\n", memcmp(all, back, sizeof all) == 0);
    twice("shared keys", cctx, a, b);
    SSL_CTX_free(cctx);
    SSL_CTX_free(a);
    SSL_CTX_free(b);
}

static void callbacks(int version)
{
    static const int answers[][2] = {{1, 1}, {1, 2}, {1, 0}, {0, 1}, {1, -1}, {-1, 1}};
    SSL_CTX *cctx = context(version, 0), *sctx = context(version, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(sctx, evp_cb);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        answer = answers[i][0];
        open_answer = answers[i][1];
        printf("  seal %d open %d\n", answer, open_answer);
        twice("evp callback", cctx, sctx, sctx);
    }
    SSL_CTX_free(sctx);
    sctx = context(version, 1);
    SSL_CTX_set_tlsext_ticket_key_cb(sctx, hmac_cb);
    twice("hmac callback", cctx, sctx, sctx);
    SSL_CTX_free(sctx);
    sctx = context(version, 1);
    SSL_CTX_set_session_ticket_cb(sctx, generate, decrypted,
                                  (void *)(uintptr_t) "of the program");
    for (decrypted_answer = 0; decrypted_answer <= 4; decrypted_answer++) {
        printf("  answer %d\n", decrypted_answer);
        twice("data", cctx, sctx, sctx);
    }
    SSL_CTX_free(sctx);
    sctx = context(version, 1);
    SSL_CTX_set_not_resumable_session_callback(sctx, never);
    twice("never", cctx, sctx, sctx);
    SSL_CTX_set_options(sctx, SSL_OP_NO_TICKET);
    twice("never by id", cctx, sctx, sctx);
    SSL_CTX_free(sctx);
    SSL_CTX_free(cctx);
}

static void early(void)
{
    SSL_CTX *cctx = context(TLS1_3_VERSION, 0), *sctx = context(TLS1_3_VERSION, 1);
    SSL_CTX_set_max_early_data(sctx, 1000);
    printf("early data\n");
    SSL_SESSION *s = join(cctx, sctx, NULL, 0), *copy;
    printf("  allows %u number %ld\n", SSL_SESSION_get_max_early_data(s),
           SSL_CTX_sess_number(sctx));
    copy = SSL_SESSION_dup(s);
    SSL_SESSION_free(join(cctx, sctx, s, 0));
    printf("  number %ld\n", SSL_CTX_sess_number(sctx));
    SSL_SESSION_free(join(cctx, sctx, copy, 0)); /* good once */
    printf("  number %ld\n", SSL_CTX_sess_number(sctx));
    SSL_SESSION_free(s);
    SSL_SESSION_free(copy);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

static void more(void)
{
    SSL_CTX *cctx = context(TLS1_3_VERSION, 0), *sctx = context(TLS1_3_VERSION, 1);
    printf("more\n");
    SSL_CTX_set_num_tickets(sctx, 0);
    SSL_SESSION *s = join(cctx, sctx, NULL, 1);
    SSL_SESSION_free(join(cctx, sctx, s, 1));
    SSL_SESSION_free(s);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

/* Processes that fork from the one that made the context open each other's tickets. */
static void forked(void)
{
    unsigned char ours[80], theirs[80] = {0};
    int fds[2];
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (pipe(fds) != 0)
        return;
    pid_t child = fork();
    SSL_CTX_get_tlsext_ticket_keys(ctx, ours, sizeof ours);
    if (child == 0)
        _exit(write(fds[1], ours, sizeof ours) != sizeof ours);
    printf("forked: %d", read(fds[0], theirs, sizeof theirs) == sizeof theirs);
    waitpid(child, NULL, 0);
    printf(" %s\n", memcmp(ours, theirs, sizeof ours) == 0 ? "same keys" : "other keys");
    close(fds[0]);
    close(fds[1]);
    SSL_CTX_free(ctx);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    if (!make_certificate())
        return 1;
    for (size_t i = 0; i < 2; i++) {
        printf("version %x\n", (unsigned)versions[i]);
        keys(versions[i]);
        callbacks(versions[i]);
    }
    early();
    more();
    fflush(stdout);
    forked();
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

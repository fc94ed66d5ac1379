/* test_psk.c: pre-shared keys by callbacks, in TLS 1.2 and 1.3. Run on handfast's libssl and on the system's, the
 * output is the same. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "pair.h"

static const unsigned char key[32] = "thirty-two bytes of a shared key";
static int good = 1, known = 1;
static const unsigned char suite13[2] = {0x13, 0x02};

static unsigned client_cb(SSL *s, const char *hint, char *identity, unsigned max,
                          unsigned char *psk, unsigned max_psk)
{
    (void)s, (void)max_psk;
    printf("    client asked, hint %s\n", hint ? hint : "none");
    snprintf(identity, max, "old identity");
    memcpy(psk, key, sizeof key);
    psk[0] ^= !good;
    return known ? sizeof key : 0;
}

static unsigned server_cb(SSL *s, const char *identity, unsigned char *psk, unsigned max)
{
    (void)s, (void)max;
    printf("    server asked for %s\n", identity);
    memcpy(psk, key, sizeof key);
    return strcmp(identity, "old identity") == 0 ? sizeof key : 0;
}

static SSL_SESSION *session_of_key(SSL *s)
{
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set1_master_key(session, key, sizeof key);
    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(s, suite13));
    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
    return session;
}

static int use_cb(SSL *s, const EVP_MD *md, const unsigned char **id, size_t *len,
                  SSL_SESSION **session)
{
    printf("    use, digest %s\n", md ? EVP_MD_get0_name(md) : "none");
    *session = known ? session_of_key(s) : NULL;
    *id = (const unsigned char *)"new identity";
    *len = 12;
    return 1;
}

static int find_cb(SSL *s, const unsigned char *id, size_t len, SSL_SESSION **session)
{
    printf("    find %.*s\n", len == 12 ? 12 : 0, (const char *)id);
    *session = len == 12 && memcmp(id, "new identity", 12) == 0 ? session_of_key(s) : NULL;
    return 1;
}

static void show(const char *who, SSL *s, int done)
{
    unsigned long e = ERR_get_error();
    printf("    %s %d", who, done);
    if (done == 1)
        printf(" %s %s reused %d", SSL_get_version(s),
               SSL_CIPHER_get_name(SSL_get_current_cipher(s)), SSL_session_reused(s));
    else
        printf(" %s", e ? ERR_reason_error_string(e) : "no error");
    printf("\n");
    ERR_clear_error();
}

static void join(const char *what, SSL_CTX *cctx, SSL_CTX *sctx)
{
    SSL *client = pair_end(SSL_new(cctx)), *server = pair_end(SSL_new(sctx));
    int a = 0, b = 0;
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    printf("  %s\n", what);
    for (int i = 0; i < 6 && !(a == 1 && b == 1); i++) {
        a = SSL_do_handshake(client);
        pair_pump(client, server);
        if (a != 1 && SSL_get_error(client, a) != SSL_ERROR_WANT_READ)
            break;
        b = SSL_do_handshake(server);
        pair_pump(server, client);
        if (b != 1 && SSL_get_error(server, b) != SSL_ERROR_WANT_READ)
            break;
    }
    show("first error", b == 1 ? client : server, a == 1 && b == 1);
    SSL_free(client);
    SSL_free(server);
}

static SSL_CTX *context(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_cipher_list(ctx, "PSK-AES256-GCM-SHA384:DHE-PSK-AES128-GCM-SHA256:"
                                 "ECDHE-PSK-CHACHA20-POLY1305");
    return ctx;
}

int main(void)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL_CTX *cctx = context(version), *sctx = context(version);
        printf("version %x\n", (unsigned)version);
        SSL_CTX_set_psk_client_callback(cctx, client_cb);
        SSL_CTX_set_psk_server_callback(sctx, server_cb);
        join("old callbacks", cctx, sctx);
        if (version == TLS1_2_VERSION) {
            SSL_CTX_use_psk_identity_hint(sctx, "a hint");
            join("hint", cctx, sctx);
        }
        SSL_CTX_set_psk_client_callback(cctx, NULL);
        SSL_CTX_set_psk_server_callback(sctx, NULL);
        if (version == TLS1_3_VERSION) {
            SSL_CTX_set_psk_use_session_callback(cctx, use_cb);
            SSL_CTX_set_psk_find_session_callback(sctx, find_cb);
            join("new callbacks", cctx, sctx);
            SSL_CTX_set_ciphersuites(cctx, "TLS_AES_256_GCM_SHA384");
            join("new callbacks, one suite", cctx, sctx);
            SSL_CTX_set_psk_client_callback(cctx, client_cb);
            join("both", cctx, sctx);
        }
        SSL_CTX_free(cctx);
        SSL_CTX_free(sctx);
    }
    return 0;
}

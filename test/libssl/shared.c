/* shared.c: one half of a fleet. `shared make VERSION FILE` connects a client to a server with ticket keys that never
 * change, and keeps the client's session; `shared use VERSION FILE` resumes it at another such server. */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

static SSL *end(int version, int is_server)
{
    unsigned char keys[80];
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    if (is_server) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *cert = X509_new();
        X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
        X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
        X509_set_pubkey(cert, key);
        X509_sign(cert, key, EVP_sha256());
        SSL_CTX_use_certificate(ctx, cert);
        SSL_CTX_use_PrivateKey(ctx, key);
        X509_free(cert);
        EVP_PKEY_free(key);
        memset(keys, 'k', sizeof keys);
        SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof keys);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"fleet", 5);
    }
    SSL *s = SSL_new(ctx);
    SSL_CTX_free(ctx);
    return pair_end(s);
}

int main(int argc, char **argv)
{
    char c;
    int a = 0, b = 0;
    if (argc != 4)
        return 2;
    int version = atoi(argv[2]) == 2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    int use = strcmp(argv[1], "use") == 0;
    SSL *client = end(version, 0), *server = end(version, 1);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    SSL_set_tlsext_host_name(client, "fleet.example");
    FILE *file = fopen(argv[3], use ? "r" : "w");
    SSL_SESSION *session = file && use ? PEM_read_SSL_SESSION(file, NULL, NULL, NULL) : NULL;
    if (!file || (use && !session))
        return 2;
    if (use)
        SSL_set_session(client, session);
    for (int i = 0; i < 10 && !(a == 1 && b == 1); i++) {
        a = SSL_do_handshake(client);
        pair_pump(client, server);
        b = SSL_do_handshake(server);
        pair_pump(server, client);
    }
    (void)SSL_read(client, &c, 1);
    if (!use)
        PEM_write_SSL_SESSION(file, SSL_get_session(client));
    fclose(file);
    SSL_SESSION_free(session);
    int reused = SSL_session_reused(client) && SSL_session_reused(server);
    SSL_free(client);
    SSL_free(server);
    return a == 1 && b == 1 && reused == use ? 0 : 1;
}

/* handshake.h: a client and a server in one process, and what both see of it. */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "show.h"

struct ends {
    SSL_CTX *client_ctx, *server_ctx;
    SSL *client, *server;
};

static inline void ends_init(struct ends *e, int version)
{
    e->client_ctx = SSL_CTX_new(TLS_client_method());
    e->server_ctx = SSL_CTX_new(TLS_server_method());
    e->client = e->server = NULL;
    SSL_CTX_set_min_proto_version(e->client_ctx, version);
    SSL_CTX_set_max_proto_version(e->client_ctx, version);
}

/* ends_join makes the two connections; settings of each may follow. */
static inline void ends_join(struct ends *e)
{
    BIO *a = NULL, *b = NULL;
    e->client = SSL_new(e->client_ctx);
    e->server = SSL_new(e->server_ctx);
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(e->client, a, a);
    SSL_set_bio(e->server, b, b);
    SSL_set_connect_state(e->client);
    SSL_set_accept_state(e->server);
}

static inline void ends_clear(struct ends *e)
{
    SSL_free(e->client);
    SSL_free(e->server);
    SSL_CTX_free(e->client_ctx);
    SSL_CTX_free(e->server_ctx);
}

/* Runs the handshake as far as it goes, and a byte of data each way, so that TLS 1.3's client hears what a server
 * thinks of its certificate. Shows how each side ended. */
static inline int ends_step(const char *who, SSL *s)
{
    int error = SSL_get_error(s, SSL_do_handshake(s));
    if (error == SSL_ERROR_SSL) {
        printf("  %s failed\n", who);
        show_errors();
    }
    return error;
}

static inline void ends_run(struct ends *e, int *client_error, int *server_error)
{
    char byte = 'x';
    *client_error = *server_error = SSL_ERROR_WANT_READ;
    for (int i = 0; i < 12; i++) {
        if (*client_error != SSL_ERROR_SSL && *client_error != SSL_ERROR_NONE)
            *client_error = ends_step("client", e->client);
        if (*server_error != SSL_ERROR_SSL && *server_error != SSL_ERROR_NONE)
            *server_error = ends_step("server", e->server);
    }
    if (*client_error == SSL_ERROR_NONE && *server_error == SSL_ERROR_NONE) {
        printf("  data: %d", SSL_write(e->server, &byte, 1));
        printf(" %d", SSL_read(e->client, &byte, 1));
        printf(" %d", SSL_write(e->client, &byte, 1));
        printf(" %d\n", SSL_read(e->server, &byte, 1));
    } else if (*client_error == SSL_ERROR_NONE) {
        int n = SSL_read(e->client, &byte, 1);
        *client_error = SSL_get_error(e->client, n);
    }
}

static inline void ends_show(const char *title, struct ends *e)
{
    int client, server;
    printf("== %s\n", title);
    ERR_clear_error();
    ends_run(e, &client, &server);
    printf("  client %d, server %d\n", client, server);
    show_errors();
    printf("  client: result %ld, peer [%s], name %s, ", SSL_get_verify_result(e->client),
           cn_of(SSL_get0_peer_certificate(e->client)),
           SSL_get0_peername(e->client) ? SSL_get0_peername(e->client) : "NULL");
    show_chain("chain", SSL_get_peer_cert_chain(e->client));
    show_chain("  verified", SSL_get0_verified_chain(e->client));
    printf("  server: result %ld, peer [%s], own [%s], ", SSL_get_verify_result(e->server),
           cn_of(SSL_get0_peer_certificate(e->server)), cn_of(SSL_get_certificate(e->server)));
    show_chain("chain", SSL_get_peer_cert_chain(e->server));
    show_chain("  verified", SSL_get0_verified_chain(e->server));
}

#endif

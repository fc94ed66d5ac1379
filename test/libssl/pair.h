/* pair.h: a client and a server in one process, over memory; for the tests of libssl that compare what two
 * libraries print. It uses nothing but the public API. */
#ifndef TEST_LIBSSL_PAIR_H
#define TEST_LIBSSL_PAIR_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void pair_check(int ok, const char *what, int line)
{
    if (ok)
        return;
    printf("line %d: %s failed\n", line, what);
    ERR_print_errors_fp(stdout);
    exit(1);
}
#define MUST(expression) pair_check((expression) ? 1 : 0, #expression, __LINE__)

/* A self-signed certificate for localhost with this key. */
static inline X509 *pair_self_signed(EVP_PKEY *key)
{
    X509 *x = X509_new();
    MUST(x && key);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    MUST(X509_sign(x, key, EVP_sha256()));
    return x;
}

/* The same with a P-256 key of its own. */
static inline X509 *pair_certificate(EVP_PKEY **key)
{
    *key = EVP_EC_gen("P-256");
    return pair_self_signed(*key);
}

static inline void pair_use_certificate(SSL_CTX *ctx)
{
    EVP_PKEY *key;
    X509 *x = pair_certificate(&key);
    MUST(SSL_CTX_use_certificate(ctx, x) == 1);
    MUST(SSL_CTX_use_PrivateKey(ctx, key) == 1);
    X509_free(x);
    EVP_PKEY_free(key);
}

struct pair {
    SSL *client, *server;
};

static inline struct pair pair_new(SSL_CTX *client, SSL_CTX *server)
{
    struct pair p = {SSL_new(client), SSL_new(server)};
    BIO *a, *b;
    MUST(p.client && p.server);
    MUST(BIO_new_bio_pair(&a, 65536, &b, 65536));
    SSL_set_bio(p.client, a, a);
    SSL_set_bio(p.server, b, b);
    SSL_set_connect_state(p.client);
    SSL_set_accept_state(p.server);
    return p;
}

/* pair_shake runs both ends until neither moves: true when both are done. */
static inline int pair_shake(struct pair *p)
{
    int c = 0, s = 0;
    for (int i = 0; i < 20 && !(c == 1 && s == 1); i++) {
        if (c != 1)
            c = SSL_do_handshake(p->client);
        if (s != 1)
            s = SSL_do_handshake(p->server);
        if ((c <= 0 && SSL_get_error(p->client, c) != SSL_ERROR_WANT_READ) ||
            (s <= 0 && SSL_get_error(p->server, s) != SSL_ERROR_WANT_READ)) {
            /* the other end is to see the alert */
            if (c <= 0)
                SSL_do_handshake(p->client);
            if (s <= 0)
                SSL_do_handshake(p->server);
            return 0;
        }
    }
    return c == 1 && s == 1;
}

static inline void pair_free(struct pair *p)
{
    SSL_free(p->client);
    SSL_free(p->server);
}

/* ---- ends that are not joined: what one has written is carried to the other when the test says so */

static inline SSL *pair_end(SSL *s)
{
    SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(s), -1);
    return s;
}

static inline void pair_pump(SSL *from, SSL *to)
{
    char bytes[4096];
    int n;
    while ((n = BIO_read(SSL_get_wbio(from), bytes, sizeof bytes)) > 0)
        BIO_write(SSL_get_rbio(to), bytes, n);
}

/* pair_errors prints the reasons of the queue, without the texts that differ between libraries, and empties it. */
static inline void pair_errors(void)
{
    unsigned long e;
    while ((e = ERR_get_error()) != 0)
        printf("  error %d:%d\n", ERR_GET_LIB(e), ERR_GET_REASON(e));
}

#endif

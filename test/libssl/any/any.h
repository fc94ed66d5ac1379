/* any.h: calls of libssl in any order, drawn from a seed; two libraries must print the same of them. */
#ifndef TEST_LIBSSL_ANY_H
#define TEST_LIBSSL_ANY_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CTXS = 3, ENDS = 4, SESSIONS = 5, KEYS = 3 };
enum { CTX_CLIENT, CTX_SERVER, CTX_OTHER };

/* What a callback answers is drawn when it is set, not when it is called: how often that is is shown, and must not
 * change what comes after. */
enum answer {
    ON_VERIFY,
    ON_CERT,
    ON_HELLO,
    ON_NAME,
    ON_ALPN,
    ON_NEW_SESSION,
    ON_GET_SESSION,
    ON_TICKET_KEY,
    ON_TICKET_MAKE,
    ON_TICKET_OPEN,
    ON_PSK,
    ON_PSK13,
    ON_STATUS,
    ON_PADDING,
    ON_SECURITY,
    ON_NOT_RESUMABLE,
    ON_SESSION_ID,
    ON_EARLY,
    ON_CLIENT_CERT,
    ON_EXTENSION,
    ANSWERS,
};

/* Slots 0 and 2 are clients, 1 and 3 the servers that they are wired to. */
struct world {
    SSL_CTX *ctx[CTXS];
    SSL *end[ENDS];
    BIO *bio[ENDS]; /* the end's own half of the wire */
    SSL_SESSION *session[SESSIONS];
    EVP_PKEY *key[KEYS];
    X509 *cert[KEYS];
    int old; /* versions before TLS 1.2, which need security level 0, or none of them */
    int answer[ANSWERS], again[ANSWERS]; /* how often "ask me again" comes first */
};
extern struct world world;

/* draw: a number below n, from the seed and the place of the call. */
unsigned draw(unsigned n);
/* One in n. */
static inline int rarely(unsigned n)
{
    return draw(n) == 0;
}
#define ONE_OF(list) ((list)[draw(sizeof(list) / sizeof((list)[0]))])

/* say_result shows what a call returned and what it left on the queue; say_end also what state it left `s` in. */
void say_result(const char *call, long long result);
void say_end(const char *call, SSL *s, int result);
void say_errors(void);
#define DO(call)                                                                               \
    do {                                                                                       \
        ERR_clear_error();                                                                     \
        long long do_result = (long long)(call);                                               \
        say_result(#call, do_result);                                                          \
    } while (0)
#define TALK(s, call)                                                                          \
    do {                                                                                       \
        ERR_clear_error();                                                                     \
        int talk_result = (call);                                                              \
        say_end(#call, s, talk_result);                                                        \
    } while (0)
#define TEXT(call)                                                                             \
    do {                                                                                       \
        const char *the_text = (call);                                                         \
        printf("  %s = %s\n", #call, the_text ? the_text : "NULL");                            \
    } while (0)

/* One of the ends that are there, and says which; NULL if there is none. */
SSL *an_end(void);
int index_of(const SSL *s); /* -1: none of ours */
SSL_CTX *a_context(void);
SSL_SESSION **a_session(void); /* a place; it may be empty */
void wire(int client);         /* makes both ends anew */

typedef void op_fn(void);
struct op {
    const char *name;
    op_fn *run;
    unsigned weight;
};
extern const struct op context_ops[], end_ops[], talk_ops[], session_ops[], look_ops[];

void callbacks_set(SSL_CTX *ctx); /* sets one, with an answer */
void callbacks_set_end(SSL *s);

#endif

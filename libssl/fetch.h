/* fetch.h: what a library context of a program's own has (SSL_CTX_new_ex). */
#ifndef LIBSSL_FETCH_H
#define LIBSSL_FETCH_H

#include "libssl/local.h"

/* fetch_custom: a context has a library context or a property query of its own; the rest does nothing without. */
bool fetch_custom(const SSL_CTX *ctx);

/* fetch_suites leaves the suites that OpenSSL's library would have there. */
void fetch_suites(const SSL_CTX *ctx, struct id_list *suites);

/* fetch_lists leaves what a handshake could use there. False, with the error on the queue: nothing is left, or there
 * are no random numbers. */
struct fetch_lists {
    struct id_list *suites13, *suites, *groups, *sigalgs, *signing;
};
bool fetch_lists(const SSL_CTX *ctx, const struct fetch_lists *lists);

#endif

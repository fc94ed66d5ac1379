/* session.h: SSL_SESSION, and the table of them that a context has. */
#ifndef LIBSSL_SESSION_H
#define LIBSSL_SESSION_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "access/access.h"
#include "handfast.h"

struct ssl_session_st {
    _Atomic int refs;
    hf_session *inner; /* what the engine resumes; NULL for one that is being put together by hand */
    struct access_session fields; /* of a hand-made one: the pointers below own what these point at */
    CRYPTO_EX_DATA ex_data;
    X509 *peer;
    STACK_OF(X509) * chain;
    long verify_result;
    long time, timeout; /* seconds */
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    size_t id_len;
    unsigned char sid_ctx[SSL_MAX_SID_CTX_LENGTH];
    size_t sid_ctx_len;
    bool not_resumable;
    void *ticket_appdata;
    size_t ticket_appdata_len;
};

struct session_table;

#endif

/* session.h: SSL_SESSION, and the table of them that a context has. */
#ifndef LIBSSL_SESSION_H
#define LIBSSL_SESSION_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "access/access.h"
#include "handfast.h"

/* Bytes that are the engine's session's, or our own. */
struct session_bytes {
    const unsigned char *p; /* NULL: none */
    size_t len;
    bool owned;
};

struct ssl_session_st {
    _Atomic int refs;
    bool not_resumable;
    bool stale; /* something was set that `inner` does not have */
    /* what the engine resumes; NULL for one that is being put together by hand */
    hf_session *inner;
    int version;
    uint16_t suite; /* 0: none yet */
    uint16_t group, signature;
    uint8_t max_fragment_code; /* TLSEXT_max_fragment_length_ */
    uint8_t compression;       /* what a file says; there is none */
    bool ems;
    uint8_t id_len, sid_ctx_len;
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    unsigned char sid_ctx[SSL_MAX_SID_CTX_LENGTH];
    struct session_bytes secret, ticket, alpn, appdata;
    struct session_bytes name; /* a NUL follows, as with the two identities */
    struct session_bytes psk_identity, psk_hint;
    unsigned long lifetime_hint; /* a file may say more than 32 bits */
    uint32_t age_add, max_early_data;
    int64_t issued_ms;
    long time, timeout; /* seconds */
    long verify_result;
    X509 *peer;             /* or NULL: the first of the chain */
    STACK_OF(X509) * chain; /* made when asked for */
    CRYPTO_EX_DATA ex_data;
    /* In a context's table: its neighbours by age. */
    struct session_table *owner;
    SSL_SESSION *newer, *older;
};

/* session_from makes an SSL_SESSION of one of the engine's; takes a reference of its own. NULL without memory. */
SSL_SESSION *session_from(hf_session *inner);
/* session_inner: what the engine can resume, with all that was set since; borrowed. NULL: it is incomplete. */
hf_session *session_inner(SSL_SESSION *session);
/* session_set copies bytes into a field. */
bool session_set(SSL_SESSION *session, struct session_bytes *field, const void *p, size_t len);
X509 *
session_peer(const SSL_SESSION *session); /* borrowed; NULL: there is none, or memory ran out */
bool session_has_peer(const SSL_SESSION *session);
bool session_timed_out(const SSL_SESSION *session, long now);
/* session_ms: a time that a program or a file says, in milliseconds; those that no clock will show are cut off. */
int64_t session_ms(long seconds);

/* ---- session_table.c */

enum session_count {
    SESS_CONNECT,
    SESS_CONNECT_GOOD,
    SESS_CONNECT_RENEGOTIATE,
    SESS_ACCEPT,
    SESS_ACCEPT_GOOD,
    SESS_ACCEPT_RENEGOTIATE,
    SESS_HIT,
    SESS_CB_HIT,
    SESS_MISSES,
    SESS_TIMEOUTS,
    SESS_CACHE_FULL,
    SESS_COUNTS
};

/* The table's sessions lie in an LHASH because programs are given it (SSL_CTX_sessions). */
struct session_table {
    pthread_mutex_t lock; /* never held while a callback runs */
    LHASH_OF(SSL_SESSION) * hash;
    SSL_SESSION *newest, *oldest;
    unsigned long size; /* most sessions; 0: any number */
    long timeout;
    uint32_t mode; /* SSL_SESS_CACHE_ */
    int (*new_cb)(SSL *, SSL_SESSION *);
    void (*remove_cb)(SSL_CTX *, SSL_SESSION *);
    SSL_SESSION *(*get_cb)(SSL *, const unsigned char *, int, int *);
    _Atomic int count[SESS_COUNTS];
};

/* session_table_new: with OpenSSL's defaults. session_table_free: of a context that goes: its sessions leave it,
 * and the remove callback is told. */
struct session_table *session_table_new(void);
void session_table_free(SSL_CTX *ctx);
/* session_moved: a session's time was set, by which a table orders them. */
void session_moved(SSL_SESSION *session);
void session_count(SSL_CTX *ctx, enum session_count what);
/* session_count_moves: a connection that was accepted becomes another context's. */
void session_count_moves(SSL_CTX *from, SSL_CTX *to);
/* session_find looks an ID up in the table and then by the callback; a reference, or NULL. Counts. */
SSL_SESSION *session_find(SSL *s, const unsigned char *id, size_t len, int version);

/* ---- session_ssl.c */

/* sessions_to_config sets what a configuration has to do with sessions and tickets. */
bool sessions_to_config(SSL *s, hf_config *config, hf_role role);
/* session_begin is called when a handshake begins, the connection being made: counts, and a client offers its
 * session. session_established: when one is done (not the last bytes of TLS 1.3's tickets). */
void session_begin(SSL *s);
bool session_established(SSL *s);
/* session_of: the connection's session, made if there is none yet; borrowed. NULL before there is one. */
SSL_SESSION *session_of(SSL *s);
/* session_make makes the connection's session of one of the engine's; borrowed. NULL without memory. */
SSL_SESSION *session_make(SSL *s, hf_session *inner);
/* session_make_id chooses the ID of a new session, or asks the program for one; false: an error is on the queue. */
bool session_make_id(SSL *s, uint8_t id[32], uint8_t *len);
/* session_refused: does the program want no session with such a suite of TLS 1.2 or older? */
bool session_refused(SSL *s, uint16_t suite);
/* session_for: what the engine resumes of it on this connection, a reference; NULL: nothing, the name is another. */
hf_session *session_for(SSL *s, SSL_SESSION *session);
/* session_judge: may a server resume this one? FATAL: no, and an error on the queue ends the handshake. */
enum session_verdict { SESSION_NO, SESSION_YES, SESSION_FATAL };
enum session_verdict session_judge(SSL *s, SSL_SESSION *session);
/* session_found keeps, until the handshake is done, the session that is to be resumed; takes the reference. */
void session_found(SSL *s, SSL_SESSION *session);
/* session_failed takes the session of a connection that failed out of the table. */
void session_failed(SSL *s);
/* session_clear drops what a connection knows of sessions (SSL_clear, SSL_free). */
void session_clear(SSL *s);
/* session_cache keeps a session that was made, and tells the callback (mode: SSL_SESS_CACHE_CLIENT or
 * _SERVER). */
void session_cache(SSL *s, SSL_SESSION *session, int mode);

/* ---- ticket.c */

size_t tickets_seal(hf_conn *conn, const hf_session *session, uint8_t *out, size_t size,
                    void *arg);
bool tickets_ask(hf_conn *conn, const hf_question *question, void *arg);
bool tickets_none(hf_conn *conn, bool *wanted); /* see config/session_ids.h */
/* tickets_make_keys makes a context's keys, if there are none yet. */
bool tickets_make_keys(SSL_CTX *ctx);
void tickets_use_keys(SSL_CTX *ctx); /* those that stand in the context */

#endif

/* local.h: SSL_CTX and SSL, as libssl's files see them. The engine never sees either. */
#ifndef LIBSSL_LOCAL_H
#define LIBSSL_LOCAL_H

#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <string.h>

#include "access/access.h"
#include "handfast.h"
#include "libssl/certificate.h"
#include "libssl/cipher.h"
#include "libssl/error.h"
#include "libssl/session.h"
#include "libssl/settings.h"
#include "libssl/variant.h"

/* A buffer that is written before it is read: not to be zeroed by -ftrivial-auto-var-init. */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define NO_INIT __attribute__((uninitialized))
#else
#define NO_INIT
#endif

struct ssl_method_st {
    int version;         /* TLS_ANY_VERSION, or the one */
    bool client, server; /* can be */
    bool dtls;
};
#define TLS_ANY_VERSION 0x10000

struct ssl_ctx_st {
    _Atomic int refs;
    const SSL_METHOD *method;
    OSSL_LIB_CTX *libctx;
    char *propq;                          /* or NULL */
    struct settings *settings;            /* what SSL_new copies */
    STACK_OF(SSL_CIPHER) * ciphers_cache; /* cipher_list.c; freed with the context */
    X509_VERIFY_PARAM *param;
    CRYPTO_EX_DATA ex_data;

    /* What connections look at when they need it, so that a change counts at once. */
    X509_STORE *store;
    struct session_table *sessions; /* session.h */
    int (*servername_cb)(SSL *, int *, void *);
    void *servername_arg;
    SSL_CTX_alpn_select_cb_func alpn_select_cb;
    void *alpn_select_arg;
    SSL_CTX_npn_advertised_cb_func npn_advertised_cb;
    void *npn_advertised_arg;
    SSL_CTX_npn_select_cb_func npn_select_cb;
    void *npn_select_arg;
    SSL_client_hello_cb_fn client_hello_cb;
    void *client_hello_arg;
    int (*status_cb)(SSL *, void *);
    void *status_arg;
    int (*app_verify_cb)(X509_STORE_CTX *, void *);
    void *app_verify_arg;
    int (*client_cert_cb)(SSL *, X509 **, EVP_PKEY **);
    ENGINE *client_cert_engine; /* a functional reference, or NULL */
    pem_password_cb *passwd_cb;
    void *passwd_arg;
    SSL_CTX_keylog_cb_func keylog_cb;
    void (*info_cb)(const SSL *, int, int);
    int (*ticket_key_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, HMAC_CTX *,
                         int);
    int (*ticket_key_evp_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *,
                             EVP_MAC_CTX *, int);
    SSL_CTX_generate_session_ticket_fn ticket_gen_cb;
    SSL_CTX_decrypt_session_ticket_fn ticket_dec_cb;
    void *ticket_cb_arg;
    unsigned char ticket_keys[80]; /* name 16, HMAC 32, AES 32 */
    struct access_hmac ticket_hmac;
    atomic_bool ticket_keys_made;
    int (*cookie_generate_cb)(SSL *, unsigned char *, unsigned int *);
    int (*cookie_verify_cb)(SSL *, const unsigned char *, unsigned int);
    int (*stateless_generate_cb)(SSL *, unsigned char *, size_t *);
    int (*stateless_verify_cb)(SSL *, const unsigned char *, size_t);
    unsigned char cookie_key[32]; /* stateless.c */
    atomic_bool cookie_key_made;
    struct variants variants; /* variant.h */
    void *ctlog_store;        /* CTLOG_STORE */
    struct dane_ctx *dane;    /* dane.c; or NULL */
};

/* How far an SSL is with its handshake; SSL_get_state and its texts are in state.c. */
enum phase {
    PHASE_BEFORE,
    PHASE_HANDSHAKE,
    PHASE_DONE,
    PHASE_FAILED,
};

/* Whose turn it is in OpenSSL's state machine (state.c). */
enum flow { FLOW_NONE, FLOW_WRITING, FLOW_READING, FLOW_FAILED };

struct ssl_st {
    _Atomic int refs;
    const SSL_METHOD *method;
    SSL_CTX *ctx; /* may change in the server name callback */
    /* the one that it was made from: owns the session table and ticket keys */
    SSL_CTX *session_ctx;
    struct settings *settings;
    X509_VERIFY_PARAM
    *param; /* NULL until somebody asks for it: then the context's, to be changed */
    CRYPTO_EX_DATA ex_data;

    hf_conn *conn; /* made when the handshake begins */
    enum phase phase;
    bool role_set, server;
    BIO *rbio, *wbio;
    int rwstate;  /* SSL_NOTHING, SSL_WRITING ...: what SSL_want says */
    int shutdown; /* SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN */
    OSSL_HANDSHAKE_STATE state;
    enum flow flow;
    bool told_done;       /* SSL_CB_HANDSHAKE_DONE was said */
    bool told_failed;     /* the last SSL_CB_EXIT was */
    bool ccs_waits;       /* sent earlier than OpenSSL would: shown when that would send it */
    uint8_t record_outer; /* type of the last record in the trace */
    uint16_t msg_version; /* what message callbacks are told */
    uint16_t msg_suite;   /* of the ServerHello that was seen last */
    int error_code;       /* SSL_R_ of the failure that ended it, to be raised again; 0: none */

    /* Bytes from the peer: a record, or the part of one that is there; plaintext within it that nobody has
     * read yet. The buffer exists while it has something in it. */
    unsigned char header[5];
    uint8_t header_len;
    unsigned char *in;
    size_t in_size, in_start, in_end;
    unsigned char *lent; /* a call's own memory, which `in` may be until it returns; or NULL */
    uint8_t *plain;
    size_t plain_len;

    /* Records that the transport did not take yet, and the SSL_write that they belong to. */
    unsigned char *out;
    size_t out_size, out_start, out_end;
    const void *write_buf;
    size_t write_len, write_done; /* all that was asked for; what of it is in records already */

    char *server_name;          /* client: to send; server: what was received */
    SSL_SESSION *session;       /* to be offered, or agreed on; or NULL */
    unsigned char *raw_ciphers; /* cipher_peer.c */
    unsigned char hello_id[SSL_MAX_SSL_SESSION_ID_LENGTH]; /* server: of the ClientHello */
    uint8_t hello_id_len;
    SSL_SESSION *found;   /* server: what the client wants to resume, until that is decided */
    bool session_offered; /* a client's `session` can be resumed, as far as we know */
    bool no_ticket;       /* server: what the client has will do, or a callback wants it so */
    /* not_resumable_cb's answer */
    enum { MAY_RESUME_UNKNOWN, MAY_RESUME, MAY_NOT_RESUME } may_resume;
    bool session_made;        /* `session` comes from this connection */
    bool session_provisional; /* and stands for what is not agreed on yet */
    bool session_set;         /* the application has said which it is, or that there is none */
    bool name_asked;          /* client: the server name callback was, in this handshake */
    bool
        cert_changed; /* since one was chosen for the handshake the application has set others */
    int cert_used;    /* cert_slot that was chosen for the handshake, plus 1; 0: not known */
    long verify_result;    /* X509_V_ */
    bool verdict_recalled; /* it was remembered: verified_chain is made when asked for */
    bool peer_judged; /* the peer's chain was let pass: from then on its certificate is shown */
    STACK_OF(X509) * peer_chain,
        *verified_chain;                 /* made when asked for, or by the verification */
    STACK_OF(X509_NAME) * peer_ca_names; /* names.c; made when asked for */
    STACK_OF(SSL_CIPHER) * ciphers_cache, *client_ciphers, *shared_ciphers;
    unsigned char *ocsp_response; /* server: to be stapled; client: received */
    long ocsp_response_len;
    enum { STATUS_UNASKED, STATUS_OCSP, STATUS_OTHER } status_asked; /* server: by its client */
    STACK_OF(OCSP_RESPID) * ocsp_ids;
    X509_EXTENSIONS *ocsp_exts;
    pem_password_cb *passwd_cb;
    void *passwd_arg;
    void (*debug_cb)(SSL *, int, int, const unsigned char *, int, void *);
    void *debug_arg;
    char *psk_identity, *psk_hint; /* of the peer, as strings; or NULL. Owned */
    const uint8_t *hello;          /* while a ClientHello callback runs */
    size_t hello_len;
    bool hello_is_v2;
    int key_update;          /* SSL_KEY_UPDATE_ */
    bool stateless;          /* SSL_stateless runs, */
    bool paused;             /* or has come to its end, and nobody has gone on */
    struct secrets *secrets; /* secret.c; or NULL */
    bool early_pause; /* early data was moved, and nobody has gone on with the handshake */
    enum { EARLY_NONE, EARLY_READING, EARLY_FINISHED, EARLY_WRITING } early_state;
    bool early_blocked; /* SSL_read_early_data is to be called again: nobody else gets data */
    /* By the application's wish; begins with its next call. */
    enum { RENEGOTIATE_NO, RENEGOTIATE_ASKED, RENEGOTIATE_BEGUN } renegotiate;
    bool renegotiate_short; /* it is to resume the session, as far as this side has a say */
    int renegotiations, renegotiations_total;
    struct dane *dane;    /* dane.c; or NULL */
    STACK_OF(SCT) * scts; /* ct.c; made when asked for */
    bool hit;
    bool in_callback;
    bool raised;      /* a callback has put on the queue why the handshake fails */
    bool ticket_due;  /* one was asked for and is not sent yet */
    bool pha_pending; /* a request for a certificate after the handshake is not answered yet, */
    bool pha_unsent;  /* or not even sent; */
    bool pha_asked;   /* there has been one */
};

/* ---- connection.c, handshake.c, transport.c, io.c */

/* ssl_start makes the engine's connection. */
bool ssl_start(SSL *s);
/* ssl_fill reads from the transport what the engine needs next: 1; 0 or less with rwstate, or at the end of the
 * stream, which has been told to the engine. */
int ssl_fill(SSL *s);
/* ssl_take lets the engine have what was read. */
hf_result ssl_take(SSL *s);
/* early_accept: is the program reading early data, and does it want this client's? (early.c) */
bool early_accept(SSL *s);
/* post_auth_progress: has a certificate that was asked for after the handshake come? (post_auth.c) */
void post_auth_progress(SSL *s);
/* status_to_config: what a client sets beside its wish for an OCSP response. status_take: what a server's client
 * has sent; false: nonsense (status.c). */
bool status_to_config(const SSL *s, hf_config *config);
bool status_take(SSL *s);
int status_type(const SSL *s); /* TLSEXT_STATUSTYPE_ */
/* psk13_offer: a client's external key, if its callbacks have one; false with the error on the queue. psk13_find:
 * a server's; *out is the caller's (psk13.c). */
enum psk13_found { PSK13_NONE, PSK13_FOUND, PSK13_FAILED };
bool psk13_offer(SSL *s);
enum psk13_found psk13_find(SSL *s, const unsigned char *identity, size_t len,
                            hf_session **out);
/* ssl_lend lets short records lie on the caller's stack; false: another call has done so, or there is a handshake to be
 * done, whose callbacks may leave by longjmp (as Perl's do), after which the stack is not what it was. ssl_lend_no_more,
 * if it was true: what is left moves to the heap; false: there is no memory for it, and it is lost. */
enum { LENT = 2048 };
bool ssl_lend(SSL *s, unsigned char lent[LENT]);
bool ssl_lend_no_more(SSL *s);
/* ssl_send gives the transport a record at once, and keeps what that does not take: 1, or what the caller has to
 * return. ssl_keep_output keeps it all; false: no memory, as the queue says. */
int ssl_send(SSL *s, const unsigned char *p, size_t len);
bool ssl_keep_output(SSL *s, const unsigned char *p, size_t len);
/* ssl_release gives the buffer back if nothing is in it. */
void ssl_release(SSL *s);
/* ssl_in_progress: the first handshake, or another one, is not over. */
bool ssl_in_progress(const SSL *s);

/* ssl_renegotiate_asked begins the renegotiation that the application has asked for, when nothing is half done. */
bool ssl_renegotiate_asked(SSL *s);
/* ciphers_follow: what a connection has not set itself is its context's list of suites, also a later one's. False:
 * no memory (cipher_list.c). */
bool ciphers_follow(SSL *s);
/* ssl_run drives the handshake and the transport: 1 done, 0 or -1 as SSL_do_handshake returns. */
int ssl_run(SSL *s);
/* ssl_flush gives the transport what waits for it: 1, or what the caller has to return (rwstate is set). */
int ssl_flush(SSL *s);
/* ssl_output_waits: the transport has not taken all that is to be sent. */
bool ssl_output_waits(const SSL *s);
/* ssl_write is SSL_write; `early`: a server's, before the handshake is over. */
int ssl_write(SSL *s, const void *buf, size_t num, size_t *written, bool early);
/* ssl_give_up ends a connection over what its own side has done: the reason goes on the queue, an alert to the
 * peer. Always -1. */
int ssl_give_up(SSL *s, int reason);
/* ssl_failed puts the engine's error on the queue, sets phase and states; always -1. */
int ssl_failed(SSL *s);
/* ssl_param: the connection's own verification parameters, made from the context's. NULL without memory. */
X509_VERIFY_PARAM *ssl_param(SSL *s);
static inline SSL *ssl_of(const hf_conn *conn)
{
    return hf_conn_user(conn);
}
/* callback.c: the questions of the engine. ssl_answer puts one to the application: false if it has to be asked
 * again, with rwstate. */
bool ssl_config_callbacks(hf_config *config, SSL *s, hf_role role);
bool ssl_answer(SSL *s, const hf_question *question);
/* ssl_client_name asks a client's server name callback, once in a handshake; false: the connection has failed. */
bool ssl_client_name(SSL *s);

/* ssl_stateless_begin tells the engine that this is SSL_stateless's; ssl_stateless_config what cookies are (stateless.c).
 * ssl_stateless_skips: a change_cipher_spec has come where there was nothing before it, and is dropped.
 * ssl_stateless_done: the answer is on its way. */
bool ssl_stateless_begin(SSL *s);
bool ssl_stateless_config(hf_config *config);
bool ssl_stateless_skips(SSL *s);
bool ssl_stateless_done(SSL *s);

/* secrets_to_config: a program's own tickets and master secrets (secret.c). */
bool secrets_to_config(const SSL *s, hf_config *config);
void secrets_free(struct secrets *secrets);

/* Parts of the objects that their own files free (certificate_answer.c; more below). */
void certs_ctx_free(SSL_CTX *ctx);
/* conf_system_default applies openssl.cnf's ssl_conf section (conf.c). */
void conf_system_default(SSL_CTX *ctx);
/* error_strings tells libcrypto the texts of our reasons (error_text.c). */
bool error_strings(void);

/* ---- certificate.c */

/* certs_to_config adds the credentials to a configuration that is being built; chains without intermediates
 * are completed from the store unless SSL_MODE_NO_AUTO_CHAIN. */
bool certs_to_config(SSL *s, hf_config *config);
/* certs_for13: has a server something to prove itself with in TLS 1.3? OpenSSL's speaks TLS 1.2 without. */
bool certs_for13(const SSL *s);
/* names_to_config adds the names of authorities that are sent (names.c). */
bool names_to_config(SSL *s, hf_config *config, hf_role role);

/* ---- verify.c, dane.c, ct.c */

/* verify_chain answers HF_ASK_VERIFY: judges the peer's chain as X509_verify_cert does with the context's
 * store, parameters and callbacks. False: to be asked again (SSL_ERROR_WANT_RETRY_VERIFY). */
bool verify_chain(SSL *s);
/* What SSL_new, SSL_free, SSL_CTX_free and SSL_dup have done for the objects of these files. */
bool dane_inherit(SSL *s); /* from the context */
void dane_free(struct dane *dane);
void dane_ctx_free(struct dane_ctx *dane);
bool dane_copy(SSL *to, SSL *from);
void ct_free(SSL *s); /* what is known of a connection; also when it begins anew */
void ct_ctx_free(SSL_CTX *ctx);
void certs_ctx_free(SSL_CTX *ctx); /* certificate_answer.c */

/* ---- session.c, session_table.c: see session.h */

/* ---- state.c: info and message callbacks from the engine's trace */
void state_trace(const hf_conn *conn, const hf_trace_event *event, void *arg);
bool state_wants_trace(const SSL *s);
/* debug.c: shows the extensions of a message of the peer to the application that wants to see them */
void debug_extensions(SSL *s, const uint8_t *message, size_t len);
unsigned state_trace_kinds(const SSL *s);    /* for access_config_trace_kinds */
void state_info(SSL *s, int where, int ret); /* HANDSHAKE_START, HANDSHAKE_DONE, EXIT */
void state_reset(SSL *s);                    /* nothing has begun */
void state_paused(SSL *s);      /* a server has written what SSL_stateless has to say */
void state_not_started(SSL *s); /* of a handshake that has no configuration to begin with */

#endif

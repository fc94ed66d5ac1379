/* certificate.h: the certificates and keys of a context or a connection. */
#ifndef LIBSSL_CERTIFICATE_H
#define LIBSSL_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "handfast.h"

enum cert_slot {
    CERT_RSA,
    CERT_RSA_PSS,
    CERT_DSA,
    CERT_EC,
    CERT_ED25519,
    CERT_ED448,
    CERT_SLOTS
};

struct cert_entry {
    X509 *x509;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
    unsigned char *serverinfo; /* in the second format: with contexts */
    size_t serverinfo_len;
};

/* Shared and copied when it is to be changed, as settings are. */
struct certs {
    _Atomic int refs;
    struct cert_entry entry[CERT_SLOTS];
    int current; /* the slot that setters of chains mean: the one that was set last, at first CERT_RSA */
    /* certs_credential's; none once something is changed. */
    _Atomic(hf_credential *) made[CERT_SLOTS];
    STACK_OF(X509) * extra;                 /* chain for entries without one of their own */
    X509_STORE *chain_store, *verify_store; /* or NULL */
    unsigned flags;                         /* SSL_CERT_FLAG_ */
    EVP_PKEY *dh;                           /* tmp_dh */
    DH *(*dh_cb)(SSL *, int, int);
    int dh_auto;
    int (*cert_cb)(SSL *, void *);
    void *cert_arg;
    unsigned char *client_types; /* certificate types for a CertificateRequest, or NULL */
    size_t client_types_len;
};

static inline void x509s_free(STACK_OF(X509) * list)
{
    sk_X509_pop_free(list, X509_free);
}

/* bio_read_file is BIO_read_filename, whose macro casts const away. */
static inline int bio_read_file(BIO *in, const char *file)
{
    return (int)BIO_ctrl(in, BIO_C_SET_FILENAME, BIO_CLOSE | BIO_FP_READ,
                         (void *)(uintptr_t)file);
}

struct certs *certs_new(void);
struct certs *certs_ref(struct certs *c);
void certs_free(struct certs *c);
struct certs *certs_edit(struct certs **slot) __attribute__((warn_unused_result));

/* In what follows, exactly one of s and ctx is not NULL. */

/* noinline: gcc would warn of the NULL that callers pass. */
__attribute__((noinline)) const struct certs *certs_get(const SSL *s, const SSL_CTX *ctx);
/* certs_change: those of s or ctx, to be changed; NULL with the error on the queue. */
struct certs *certs_change(SSL *s, SSL_CTX *ctx) __attribute__((warn_unused_result));

/* What several files set: 1, or 0 with the error on the queue. */
int certs_set_x509(SSL *s, SSL_CTX *ctx, X509 *x);
int certs_set_key(SSL *s, SSL_CTX *ctx, EVP_PKEY *key);
/* certs_add_chain takes x over when it succeeds. */
int certs_add_chain(SSL *s, SSL_CTX *ctx, X509 *x);

/* cert_security: 1, or the SSL_R_ reason why the security level (or its callback) does not let a certificate be
 * used; peer: it is the other side's; own: it is the end entity's, whose key counts as such. */
int cert_security(const SSL *s, const SSL_CTX *ctx, X509 *x, bool peer, bool own);
/* chain_security: the same for x (NULL: the first of chain) and those behind it. */
int chain_security(const SSL *s, STACK_OF(X509) * chain, X509 *x, bool peer);
/* security_allows asks the level, or its callback: op is SSL_SECOP_. */
int security_default(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                     void *ex);
/* security_custom: a callback of the application's. security_tickets: may there be tickets of TLS 1.2? security_lists
 * leaves in the lists what it allows; false: nothing, with the error on the queue. */
bool security_custom(const SSL *s);
bool security_tickets(const SSL *s);
bool security_version(const SSL *s, int version);
struct id_list;
bool security_lists(const SSL *s, struct id_list *suites, struct id_list *suites13,
                    struct id_list *groups, struct id_list *sigalgs, struct id_list *signing);
/* security_level_bits: what a level asks for. */
int security_level_bits(int level);
bool security_allows(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other);

/* ---- Commands of SSL_ctrl and SSL_CTX_ctrl, with what these return (certificate_chain.c, tmp_dh.c) */

long certs_ctrl_extra_chain_cert(SSL_CTX *ctx, X509 *x); /* takes x over */
long certs_ctrl_get_extra_chain_certs(SSL_CTX *ctx, long only, STACK_OF(X509) * *out);
long certs_ctrl_clear_extra_chain_certs(SSL_CTX *ctx);
long certs_ctrl_chain(SSL *s, SSL_CTX *ctx, long copy, STACK_OF(X509) * chain);
long certs_ctrl_chain_cert(SSL *s, SSL_CTX *ctx, long copy, X509 *x);
long certs_ctrl_get_chain_certs(SSL *s, SSL_CTX *ctx, STACK_OF(X509) * *out);
long certs_ctrl_select_current_cert(SSL *s, SSL_CTX *ctx, X509 *x);
long certs_ctrl_set_current_cert(SSL *s, SSL_CTX *ctx, long op);    /* SSL_CERT_SET_ */
long certs_ctrl_build_cert_chain(SSL *s, SSL_CTX *ctx, long flags); /* SSL_BUILD_CHAIN_FLAG_ */
long certs_ctrl_set_chain_store(SSL *s, SSL_CTX *ctx, long copy, X509_STORE *store);
long certs_ctrl_set_verify_store(SSL *s, SSL_CTX *ctx, long copy, X509_STORE *store);
long certs_ctrl_get_chain_store(SSL *s, SSL_CTX *ctx, X509_STORE **out);
long certs_ctrl_get_verify_store(SSL *s, SSL_CTX *ctx, X509_STORE **out);
long certs_ctrl_cert_flags(SSL *s, SSL_CTX *ctx, long flags); /* sets */
long certs_ctrl_clear_cert_flags(SSL *s, SSL_CTX *ctx, long flags);
long certs_ctrl_set_client_cert_types(SSL *s, SSL_CTX *ctx, const unsigned char *types,
                                      long len);
/* The types that a server asked for, and their number. */
long certs_ctrl_get_client_cert_types(SSL *s, const unsigned char **out);
long certs_ctrl_set_tmp_dh(SSL *s, SSL_CTX *ctx, DH *dh);
long certs_ctrl_set_dh_auto(SSL *s, SSL_CTX *ctx, long mode);
long certs_ctrl_set_tmp_dh_cb(SSL *s, SSL_CTX *ctx,
                              DH *(*cb)(SSL *, int, int)); /* SSL_callback_ctrl */

/* tmp_dh_source: the group of a server's finite-field DH before TLS 1.3, by connection. */
extern const struct dh_source tmp_dh_source;
/* tmp_dh_allowed asks the level, or its callback, about a group. */
struct slice;
bool tmp_dh_allowed(SSL *s, struct slice p, struct slice g);

/* security_checks: a callback is asked about what a peer has chosen. */
extern const struct checks security_checks;

/* ---- A question for a certificate (certificate_answer.c) */

/* certs_ask answers HF_ASK_CREDENTIAL by the application's callbacks (cert_cb, a client's client_cert_cb) and
 * what s then has: 1 with a reference in *out, or NULL for none; 0 with the error on the queue: the handshake
 * ends; -1: to be asked again, s->rwstate is SSL_X509_LOOKUP. */
int certs_ask(SSL *s, const hf_question *question, hf_credential **out);
/* certs_asks: a callback has to be asked, so that certs_to_config is not enough. */
bool certs_asks(const SSL *s, hf_role role);
/* certs_slot_of_scheme: whose certificate signs with a SignatureScheme; -1: nobody's. */
int certs_slot_of_scheme(uint16_t scheme);
/* certs_slot_of_key: by the kind of key; -1: of none that is known. */
int certs_slot_of_key(const EVP_PKEY *key);
/* certs_credential makes the credential of one slot, its chain completed; NULL if there is none, or with the
 * error on the queue. */
hf_credential *certs_credential(SSL *s, enum cert_slot slot);

#endif

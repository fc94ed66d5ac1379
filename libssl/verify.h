/* verify.h: between the files that judge the peer's chain. */
#ifndef LIBSSL_VERIFY_H
#define LIBSSL_VERIFY_H

#include "libssl/local.h"

/* alert_of_verdict: the alert for an X509_V_ERR_. */
uint8_t alert_of_verdict(int x509_code);

/* peer_stack: the certificates of the peer as libcrypto's objects, own certificate first; NULL if there are
 * none, or no memory. The caller's. */
STACK_OF(X509) * peer_stack(const SSL *s);

/* verify_param: what a verification goes by: the connection's own parameters, or the context's. */
const X509_VERIFY_PARAM *verify_param(const SSL *s);

/* verify_recall makes verified chain and matched name, which a remembered verdict has not made. */
void verify_recall(SSL *s);

/* ---- verdict.c */

#define VERDICT_ID 32
/* verdict_id: by what the verdict on the peer's chain is remembered; false if it is not to be. */
bool verdict_id(SSL *s, X509_STORE *store, uint8_t id[VERDICT_ID]);
bool verdict_known(const uint8_t id[VERDICT_ID]);
void verdict_remember(const uint8_t id[VERDICT_ID], STACK_OF(X509) * path);

/* ---- dane.c */

/* dane_active: there are TLSA records to verify by. */
bool dane_active(const SSL *s);
/* dane_attach gives them to a verification, which notes in them what it matched. */
void dane_attach(SSL *s, X509_STORE_CTX *sc);
/* dane_authority_matched: a record vouches for the chain by itself, DANE-TA(2) or DANE-EE(3). */
bool dane_authority_matched(const SSL *s);

/* ---- ct.c */

/* ct_judge asks the connection's callback what it thinks of the certificate timestamps; true if it is content,
 * or there is none. */
bool ct_judge(SSL *s);

#endif

/* choose.h: what a server decides about a ClientHello. */
#ifndef HANDSHAKE_CHOOSE_H
#define HANDSHAKE_CHOOSE_H

#include "handshake/hs.h"

/* choose_suite sets n.suite; after a HelloRetryRequest it must stay. */
enum hs_result choose_suite(struct hs *hs);

/* shared_suites: the client's that the configuration has, best first. */
void shared_suites(const struct hs *hs, struct ids *out);

/* choose_session opens the offered tickets and checks the binder of the first that can be used. */
/* shared_suites: the client's that the configuration has, best first. */
void shared_suites(const struct hs *hs, struct ids *out);
enum hs_result choose_session(struct hs *hs);

/* decide_retry: which extensions must be there (9.2), and whether a share is missing. */
enum hs_result decide_retry(struct hs *hs);

/* hello_unchanged compares the second ClientHello with the first (4.1.2). */
bool hello_unchanged(struct hs *hs, struct rd *r) __attribute__((warn_unused_result));

/* hello_digest: SHA-256 over what the second ClientHello has in common with the first; `ch` is not read further. */
void hello_digest(const struct client_hello *ch, uint8_t out[32]);

/* session_acceptable: whatever a full handshake here would have demanded holds for the session. */
bool session_acceptable(const struct hs *hs, const hf_session *s);

/* ---- choose12.c: TLS 1.2 and older */
bool tickets12(const hf_config *config);       /* does this server give them? */
enum hs_result check_signals12(struct hs *hs); /* SCSVs and compression */
bool suite_offered12(const struct hs *hs, uint16_t suite);
enum hs_result choose_session12(struct hs *hs); /* n.resumed12, n.session, n.suite */
enum hs_result choose_credential12(struct hs *hs);
enum hs_result choose_suite12(struct hs *hs); /* with group, credential and scheme */

#endif

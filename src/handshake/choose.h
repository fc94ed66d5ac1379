/* choose.h: what a server decides about a ClientHello. */
#ifndef HANDSHAKE_CHOOSE_H
#define HANDSHAKE_CHOOSE_H

#include "handshake/hs.h"

/* supported_version13: TLS 1.3 is among the offered versions; else the error says what is. */
bool supported_version13(struct hs *hs) __attribute__((warn_unused_result));

/* choose_suite sets n.suite; after a HelloRetryRequest it must stay. */
enum hs_result choose_suite(struct hs *hs);

/* choose_session opens the offered tickets and checks the binder of the first that can be used. */
enum hs_result choose_session(struct hs *hs);

/* decide_retry: which extensions must be there (9.2), and whether a share is missing. */
enum hs_result decide_retry(struct hs *hs);

/* hello_unchanged compares the second ClientHello with the first (4.1.2). */
bool hello_unchanged(struct hs *hs, struct rd *r) __attribute__((warn_unused_result));

#endif

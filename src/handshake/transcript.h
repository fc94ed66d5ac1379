/* transcript.h: the running hash over all handshake messages (RFC 8446 4.4.1). */
#ifndef HANDSHAKE_TRANSCRIPT_H
#define HANDSHAKE_TRANSCRIPT_H

#include "crypto/hash.h"

/* Until the suite is known the messages are kept, afterwards only their hash; unless a CertificateVerify of
 * TLS 1.2 will speak about them all with a hash of its own (RFC 5246 7.4.8). */
struct transcript {
    struct buffer kept;
    struct hash hash; /* id HASH_NONE: not started */
    bool keep;        /* go on keeping the messages */
};

bool transcript_add(struct transcript *t, const void *p, size_t len)
    __attribute__((warn_unused_result));
/* transcript_start hashes what was kept and goes on with the hash. Again with the same id: nothing. */
bool transcript_start(struct transcript *t, enum hash_id id)
    __attribute__((warn_unused_result));
/* transcript_retry replaces the first ClientHello by message_hash (4.4.1); started already. */
void transcript_retry(struct transcript *t);
/* transcript_recall begins with message_hash of a first ClientHello that only its hash is known of (4.4.1). */
void transcript_recall(struct transcript *t, enum hash_id id, const uint8_t *digest);
/* transcript_digest: the hash of all so far. */
void transcript_digest(const struct transcript *t, uint8_t *out);
/* transcript_drop ends the keeping. */
void transcript_drop(struct transcript *t);
void transcript_clear(struct transcript *t);

#endif

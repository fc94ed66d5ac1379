/* later13.h: a client's authentication after the handshake (RFC 8446 4.6.2). The reader runs it, as a flow
 * list of its own; what is to be sent it leaves to the writer, whose key it takes. */
#ifndef HANDSHAKE_LATER13_H
#define HANDSHAKE_LATER13_H

#include <stdatomic.h>

#include "handshake/hs.h"

/* Messages on their way from the reader to the writer. Finished is made by the writer, for it takes the
 * sending key's secret, which a KeyUpdate may have renewed meanwhile (RFC 8446 4.4). */
struct parcel {
    struct parcel *next;
    bool finish; /* Finished comes behind them */
    uint8_t digest[HASH_MAX_SIZE];
    struct buffer messages;
};

enum { LATER_CONTEXT = 32, LATER_SEEN = 32, LATER_DIGEST = 16 };

struct later {
    bool server;
    uint8_t type;     /* of the client's certificate, as the handshake has agreed (RFC 7250) */
    struct hash base; /* of ClientHello to client Finished: the Handshake Context of 4.4 */
    _Atomic unsigned
        state; /* an hf_post_auth; what a request needs is the writer's to set while it
                             * is not PENDING, and the reader's to use while it is */
    _Atomic(struct parcel *) parcels; /* last in, first out */

    /* Reader. */
    struct hs *hs;                 /* the authentication that is under way */
    uint8_t digest[HASH_MAX_SIZE]; /* client: what Finished speaks about */
    struct buffer requests;        /* client: CertificateRequests that are not answered */
    uint8_t pending;               /* client: how many of them */
    uint8_t asked;                 /* client: since the last application data */
    uint8_t seen[LATER_SEEN][LATER_DIGEST]; /* client: the contexts of the last requests */
    size_t seen_count;
    uint8_t tickets; /* server: how many a client that has shown a certificate gets */
    uint16_t next_ticket;

    /* The server's request. */
    struct hash request; /* base and the CertificateRequest */
    uint8_t context[LATER_CONTEXT];
    uint32_t sent; /* extensions of the request */
    uint32_t application_sent;
    bool require;
};

static inline struct later *later_of(const struct established *e)
{
    return e->extras ? e->extras->later : NULL;
}

/* later_keep, at the end of a handshake, keeps what is needed where both sides are willing. */
bool later_keep(struct hs *hs) __attribute__((warn_unused_result));
void later_free(struct later *l);

/* later_takes: may a message of this type come now, besides those that always may? */
bool later_takes(const struct later *l, uint8_t type);

/* later_request (server, writer) appends a CertificateRequest to out. The caller then makes the state PENDING. */
bool later_request(struct later *l, hf_config *config, hf_conn *conn, bool require,
                   struct buffer *out, hf_error *err) __attribute__((warn_unused_result));

/* later_collect (client) takes one whole CertificateRequest to be answered in its turn. */
bool later_collect(struct later *l, const hf_config *config, const uint8_t *whole, size_t len,
                   hf_error *err) __attribute__((warn_unused_result));

/* later_begin makes l->hs, which is run by hs_run and then freed. */
bool later_begin(struct later *l, struct established *e, hf_config *config, hf_conn *conn,
                 const struct tracer *tracer, struct buffer *inbuf, hf_error *err)
    __attribute__((warn_unused_result));

/* later_hand_over (reader) leaves what l->hs has written to the writer. */
bool later_hand_over(struct later *l) __attribute__((warn_unused_result));
/* later_parcels (writer) takes all that was left, in order; parcel_free. */
struct parcel *later_parcels(struct later *l);
void parcel_free(struct parcel *p);

/* later_size: how many bytes of memory it holds; later_waiting (writer): how many bytes of messages wait. */
size_t later_size(const struct later *l);
size_t later_waiting(const struct later *l, enum hash_id hash);

#endif

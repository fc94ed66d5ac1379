/* established.h: what a connection keeps when its handshake is over. */
#ifndef HANDSHAKE_ESTABLISHED_H
#define HANDSHAKE_ESTABLISHED_H

#include "config/config.h"
#include "config/session.h"
#include "handshake/tracer.h"
#include "record/record.h"

#define SECRET_MAX                                                                             \
    48 /* SHA-384 is the longest hash of a TLS 1.3 suite; a master secret has 48 too */
#define FINISHED_MAX 12 /* verify_data of TLS 1.2 and older (RFC 5246 7.4.9) */

/* How the peer's certificate came (RFC 8879). */
struct compression {
    uint16_t algorithm;      /* 0: as it is */
    uint32_t packed, length; /* bytes that came, and of the Certificate message's body */
};

struct later;

/* What few connections have. */
struct extras {
    struct later
        *later;    /* TLS 1.3: a client's certificate may be asked for after the handshake */
    uint8_t *ocsp; /* the peer's stapled response */
    size_t ocsp_len;
    uint8_t *scts; /* the peer's signed certificate timestamps */
    size_t scts_len;
    uint8_t *psk_identity;
    size_t psk_identity_len;
    struct details *details; /* details.h */
    struct compression compression;
    int32_t age_skew; /* server: of the ticket that was used, in seconds */
};

/* What stood against early data; early13.c has the words. */
enum early_why {
    EARLY_NOT_REFUSED,
    EARLY_NOT_WANTED,
    EARLY_RETRY,
    EARLY_NOT_RESUMED,
    EARLY_TICKET,
    EARLY_SUITE,
    EARLY_ALPN,
    EARLY_AGE,
    EARLY_APPLICATION,
    EARLY_REPETITION,
    EARLY_UNSAID,
};

struct established {
    bool server;
    bool resumed, retried, verified, named;
    bool ems, etm;    /* extended_master_secret (RFC 7627), encrypt-then-MAC (RFC 7366) */
    bool secure : 1;  /* the peer has said that it renegotiates securely (RFC 5746) */
    bool own_raw : 1; /* this side showed a raw public key (RFC 7250) */
    unsigned char stateless : 2; /* server: an hf_stateless */
    bool asked;        /* server: a HelloRequest was sent that no ClientHello has answered */
    uint8_t early;     /* an hf_early */
    uint8_t early_why; /* an enum early_why: what stood against it */
    uint16_t renegotiations;
    uint8_t alpn_len;
    uint8_t key_updates, tickets, empty_records,
        warnings; /* floods: counted since the last application data */
    uint16_t version, group, signature;
    const struct suite *suite;
    union {
        struct { /* TLS 1.3 */
            uint8_t read_secret[SECRET_MAX],
                write_secret[SECRET_MAX]; /* application_traffic_secret_N */
            uint8_t exporter[SECRET_MAX], resumption[SECRET_MAX];
        };
        struct { /* older */
            uint8_t master[SECRET_MAX];
            uint8_t randoms[64]; /* the client's, the server's */
            uint8_t client_finished[FINISHED_MAX], server_finished[FINISHED_MAX];
            uint8_t session_id[32];
            uint8_t session_id_len;
        };
    };
    uint8_t *alpn;
    char *server_name;
    struct chain *chain;
    _Atomic(struct chain *) path; /* chain up to its anchor; found when it is asked for */
    struct extras *extras;        /* NULL: none */
    hf_certificate *own;          /* server: what it showed, or NULL */
};

void established_clear(struct established *e);
/* early13_reason says in words why early data was refused; "" if it was not. */
const char *early13_reason(const struct established *e);
/* established_release frees what is owned, before a renegotiation puts its own in place. */
void established_release(struct established *e);
/* extras_of makes the extras if there are none; NULL without memory. */
struct extras *extras_of(struct established *e);

/* established_rekey derives key and iv of one direction from its secret and puts them on the half;
 * keep_seq for an awakening connection. */
bool established_rekey(const struct established *e, struct rec_half *half, bool read,
                       bool keep_seq) __attribute__((warn_unused_result));

/* ---- after13.c: messages that come after the handshake (RFC 8446 4.6) */

/* What after13_message wants done. */
struct after {
    bool answer_key_update; /* the peer asks us to renew our key too */
    hf_session *session;    /* a ticket has come; owned by the caller */
};

/* after13_may_come refuses a message by its type, before the rest of it is collected. */
bool after13_may_come(const struct established *e, uint8_t type, hf_error *err)
    __attribute__((warn_unused_result));

bool after13_message(struct established *e, hf_config *config, hf_conn *conn,
                     struct rec_half *in, const uint8_t *whole, size_t len, bool more_behind,
                     const struct tracer *tracer, struct after *out, hf_error *err)
    __attribute__((warn_unused_result));

/* after13_key_update seals a KeyUpdate under the old key, appends it to output and renews the key. */
bool after13_key_update(struct established *e, struct rec_half *out, bool request,
                        struct buffer *output, const struct tracer *tracer, hf_error *err)
    __attribute__((warn_unused_result));

/* ---- after12.c: the same for TLS 1.2 and older */

/* after12_rekey: as established_rekey, for AEAD suites. */
bool after12_rekey(const struct established *e, struct rec_half *half, bool read)
    __attribute__((warn_unused_result));

/* after12_export: RFC 5705 4; a context of NULL is another one than an empty context. */
bool after12_export(const struct established *e, const char *label, const uint8_t *context,
                    size_t context_len, uint8_t *out, size_t len);

/* expand_label is HKDF-Expand-Label of RFC 8446 7.1. */
void expand_label(enum hash_id hash, const uint8_t *secret, const char *label,
                  struct slice context, uint8_t *out, size_t n);

/* after13_export: RFC 8446 7.5, from exporter_master_secret or the early one. */
bool after13_export(enum hash_id hash, const uint8_t *exporter, const char *label,
                    struct slice context, uint8_t *out, size_t len);

#endif

/* extension.h: the hello extensions. One table (table.c) is the only gate: it says which extension
 * may stand in which message, in which order they are processed, and which functions write, read
 * and judge them. Each extension has one file with both roles in it.
 *
 * Reading is pure: a read function turns bytes into struct ext_values and nothing else, so that the
 * trace can read what we sent ourselves by the same code. Judging (`take`) comes afterwards, in
 * table order, and changes struct nego.
 */
#ifndef EXTENSION_EXTENSION_H
#define EXTENSION_EXTENSION_H

#include "bytes/reader.h"
#include "bytes/writer.h"
#include "config/config.h"
#include "config/session.h"

/* The rows, in the order in which they are written and processed: what another depends on comes
 * first, pre_shared_key is last (RFC 8446 4.2.11). */
enum ext_index {
    X_RENEGOTIATION_INFO,
    X_SERVER_NAME,
    X_SUPPORTED_VERSIONS,
    X_COOKIE,
    X_SUPPORTED_GROUPS,
    X_SIGNATURE_ALGORITHMS,
    X_SIGNATURE_ALGORITHMS_CERT,
    X_KEY_SHARE,
    X_PSK_KEY_EXCHANGE_MODES,
    X_EARLY_DATA,
    X_ALPN,
    X_STATUS_REQUEST,
    X_CERTIFICATE_AUTHORITIES,
    X_RECORD_SIZE_LIMIT,
    X_POST_HANDSHAKE_AUTH,
    X_EXTENDED_MASTER_SECRET,
    X_EC_POINT_FORMATS,
    X_ENCRYPT_THEN_MAC,
    X_MAX_FRAGMENT_LENGTH,
    X_SESSION_TICKET,
    X_SCT,
    X_TICKET_REQUEST,
    X_CLIENT_CERTIFICATE_TYPE,
    X_SERVER_CERTIFICATE_TYPE,
    X_COMPRESS_CERTIFICATE,
    X_PRE_SHARED_KEY,
    X_COUNT
};

/* Messages that carry extensions, as a mask. IN_SH12 is the ServerHello of TLS 1.2 and older, where all
 * answers stand. */
enum {
    IN_CH = 1,
    IN_SH = 2,
    IN_HRR = 4,
    IN_EE = 8,
    IN_CR = 16,
    IN_CT = 32,
    IN_NST = 64,
    IN_SH12 = 128
};

#define EXT_MAX_SHARES 12
#define EXT_MAX_PSKS   8

struct ext_share {
    uint16_t group;
    struct slice key;
};

struct ext_psk {
    struct slice identity;
    uint32_t age; /* obfuscated */
    struct slice binder;
};

/* What the extensions of one message say. Slices point into the message. */
struct ext_values {
    uint32_t present; /* bit by ext_index */
    struct slice server_name;
    struct slice versions; /* offered, pairs of bytes */
    uint16_t version;      /* chosen */
    struct slice cookie;
    struct slice groups;
    struct slice sigalgs, sigalgs_cert;
    struct slice shares; /* content of client_shares */
    size_t share_count;  /* those for groups that we know */
    struct ext_share share[EXT_MAX_SHARES];
    uint16_t retry_group; /* HelloRetryRequest */
    struct slice psk_modes;
    struct slice alpn; /* content of the ProtocolNameList */
    struct slice ocsp; /* OCSPResponse */
    struct slice authorities;
    uint16_t record_size_limit;
    uint32_t max_early_data;
    size_t psk_count;
    struct ext_psk psk[EXT_MAX_PSKS];
    size_t binders_at; /* offset of the binders list in the message */
    uint16_t psk_chosen;
    struct slice renegotiation; /* renegotiated_connection */
    struct slice point_formats;
    struct slice session_ticket;
    struct slice scts; /* SignedCertificateTimestampList with its length */
    uint8_t new_tickets, resumption_tickets; /* ClientHello: how many are wanted */
    bool bad_ticket_request;
    uint8_t max_fragment;               /* its code: 1 to 4 for 512 to 4096 */
    uint8_t client_types, server_types; /* masks of enum cert_type; of an answer, the one */
    struct slice compressions;          /* pairs of bytes */
    /* the whole block, where the application has extensions of its own */
    struct slice applications;
};

static inline bool ext_has(const struct ext_values *v, enum ext_index x)
{
    return (v->present >> x & 1) != 0;
}

/* A client's key share that has been sent. */
struct own_share {
    const struct group *group;
    struct kx *kx;
    uint16_t len;
    uint8_t *public_value;
};

#define NEGO_MAX_PSKS   5  /* a session and four external keys */
#define NEGO_MAX_SHARES 12 /* one for every group */

/* What the two sides have said and agreed so far: all that extensions may see and change. */
struct nego {
    hf_config *config;
    hf_conn *conn; /* to be handed to callbacks */
    bool server;
    hf_error *err;
    uint32_t sent;     /* extensions of our last request, by ext_index */
    uint32_t received; /* extensions of the peer's last ClientHello */

    /* client: whom we want; server: whom the client asked for; owned, or NULL */
    char *server_name;
    uint16_t version;
    const struct suite *suite;
    const struct group *group; /* the group of the key exchange */
    bool retried;              /* a HelloRetryRequest was sent or has come */
    bool retry;                /* server: one must be sent */
    bool share_asked;          /* server: it asks for a share of `group` */
    uint8_t *cookie; /* owned: to be echoed (client), to be sent and compared (server) */
    size_t cookie_len;

    struct own_share own[NEGO_MAX_SHARES]; /* client */
    size_t own_count;
    uint8_t *peer_share; /* the peer's share for `group`; owned */
    size_t peer_share_len;
    uint8_t *answer_share; /* server: our share for ServerHello; owned */
    size_t answer_share_len;

    struct ids peer_groups;  /* those that we know, in the peer's order */
    struct ids peer_sigalgs; /* of its ClientHello or CertificateRequest */
    struct ids peer_sigalgs_cert;

    unsigned peer_psk_modes;
    bool early_data_offered;           /* the ClientHello has early_data */
    bool early;                        /* early data is accepted */
    hf_session *offers[NEGO_MAX_PSKS]; /* client: what pre_shared_key offers, in order; owned */
    size_t offer_count;
    hf_session *session;  /* client: offered; server: found in a ticket; owned */
    hf_session *external; /* client: an external key of this connection's; owned, or NULL */
    bool psk;             /* it was accepted */
    bool psk_dhe;         /* with a key exchange */
    uint16_t psk_index;
    /* client: where the binder's list stands in the ClientHello being written */
    size_t binders_at;

    uint8_t *alpn; /* what was agreed; owned */
    uint8_t alpn_len;
    bool ocsp_asked;
    struct slice ocsp_staple; /* server: to be written into the first CertificateEntry */
    uint8_t *peer_ocsp;       /* client: what was stapled; owned */
    size_t peer_ocsp_len;
    uint8_t *peer_authorities; /* owned */
    size_t peer_authorities_len;
    uint16_t peer_record_limit; /* 0: none */
    bool record_limit_agreed;   /* both sent record_size_limit */

    bool post_auth;       /* server: the client can authenticate after the handshake */
    bool later;           /* server: this request is made after the handshake */
    bool tickets_counted; /* server: ticket_request has come, with these numbers */
    uint8_t new_tickets, resumption_tickets;
    const struct compressor
        *compressor;   /* for our certificate; NULL: the peer knows none of ours */
    uint8_t grease[5]; /* random; which reserved values stand where (grease.h) */

    /* RFC 7250; masks of enum cert_type */
    uint8_t peer_accepts;        /* types that the peer takes from us: once agreed, the one */
    uint8_t peer_offers;         /* server: types that the client can show */
    uint8_t own_type, peer_type; /* what was agreed on; 0: not yet */
    bool answer_own_type, answer_peer_type; /* server: to be said */

    /* TLS 1.2 and older */
    bool renegotiating;
    bool secure; /* the peer has said so: RFC 5746 (renegotiation_info, or the SCSV) */
    uint8_t client_finished[12],
        server_finished[12]; /* of the handshake before, when renegotiating */
    bool had_etm;
    bool had_ems; /* of the handshake before */
    bool ems;     /* extended_master_secret is used */
    bool etm;     /* encrypt-then-MAC is used */
    bool ecc; /* server: the suite that was chosen has ECDHE, so point formats are answered */
    /* client: an empty or full session_ticket was sent; server: one came */
    bool ticket_offered;
    bool ticket_full;      /* client: and it was not empty */
    bool ticket_expected;  /* a NewSessionTicket will be sent (server) or come (client) */
    struct slice ticket;   /* server: what came; a slice of the ClientHello */
    uint16_t max_fragment; /* agreed; 0: none */
    bool sct_asked;
    struct slice sct_list; /* server: to be written */
    uint8_t *peer_scts;    /* client: what came; owned */
    size_t peer_scts_len;
    bool resumed12;     /* the ServerHello resumes a session of TLS 1.2 or older */
    bool ocsp_promised; /* client: the server will send CertificateStatus */

    uint32_t application_sent, application_received; /* bits of config->applications */
    size_t entry;                      /* of the Certificate that is being written or read, */
    const hf_certificate *certificate; /* and what is in it; for application_place */
};

void nego_clear(struct nego *n);

/* versions_choose: the highest version that this configuration and a ClientHello both allow; 0: none.
 * A server asks it before ext_take, whose judgement depends on the version, and records with
 * versions_refuse (always false) that there is none. */
uint16_t versions_choose(const hf_config *config, const struct ext_values *v,
                         uint16_t legacy_version);
bool versions_refuse(struct nego *n, const struct ext_values *v, uint16_t legacy_version)
    __attribute__((cold));

/* ext_write writes the block (with its length) of extensions that this side puts into a message. */
void ext_write(struct nego *n, struct wr *w, unsigned message);

/* ext_read opens a block: every extension is checked (may it stand here? twice? was it asked for?),
 * filed, then read in table order. `n` is NULL when we read what we wrote ourselves: then nothing is
 * judged. Unknown ones are ignored where the RFC says so. */
bool ext_read(struct nego *n, struct rd *block, unsigned message, struct ext_values *out)
    __attribute__((warn_unused_result));

/* ext_take judges what was read, in table order; the first refusal ends it. */
bool ext_take(struct nego *n, const struct ext_values *v, unsigned message)
    __attribute__((warn_unused_result));

/* ext_refuse records a refusal of what an extension says; path "ClientHello.extensions.alpn". */
bool ext_refuse(struct nego *n, unsigned message, enum ext_index x, hf_code code,
                const char *fmt, ...) __attribute__((format(printf, 5, 6), cold));

/* known_ids files those 16-bit ids of a list that `known` finds, in order. */
void known_ids(struct ids *out, struct slice list, bool (*known)(uint16_t));

#endif

/* session.h: what a connection leaves behind to be resumed, on either side. */
#ifndef CONFIG_SESSION_H
#define CONFIG_SESSION_H

#include "bytes/reader.h"
#include "bytes/writer.h"
#include "x509/x509.h"

/* Immutable after it is made, but for `used`. On a server this is what is sealed into a ticket. */
struct hf_session {
    _Atomic int refs;
    _Atomic int used; /* client: a TLS 1.3 ticket is offered once (RFC 8446 C.4) */
    uint16_t version, suite;
    uint16_t group, signature; /* of the full handshake */
    uint8_t secret[48];        /* TLS 1.3: resumption PSK; older: master secret */
    uint8_t secret_len;
    bool verified;     /* the peer's chain was verified when the session was made */
    bool named;        /* client: and that it is for server_name */
    bool own_raw;      /* this side showed a raw public key (RFC 7250) */
    uint32_t lifetime; /* seconds */
    uint32_t age_add;
    int64_t issued_ms; /* our clock at receipt (client) or issue (server) */
    int64_t started;   /* seconds: the full handshake behind it all; bounds renewal */
    uint8_t *ticket;   /* client only */
    size_t ticket_len;
    char *server_name; /* or NULL */
    uint8_t *alpn;     /* or NULL */
    uint8_t alpn_len;
    struct chain *chain; /* the peer's, or NULL */
    /* TLS 1.2 and older */
    uint8_t id[32]; /* session ID: the server's, or with a ticket one that the client made up */
    uint8_t id_len; /* 0: none */
    bool ems;       /* extended_master_secret was used (RFC 7627) */
    uint16_t max_fragment; /* agreed by max_fragment_length; 0: none (RFC 6066 4) */
    uint8_t context[32];   /* server: hf_config_set_session_context of then */
    uint8_t context_len;
    /* an enum psk_kind: what stands for an external key in a TLS 1.3 handshake looks like a
     * session, has the identity in place of the ticket, and its early secret as `secret` */
    uint8_t kind;
    uint32_t max_early_data; /* TLS 1.3: what the ticket allows (RFC 8446 4.6.1); 0: none */
    uint8_t *ocsp;           /* client: the response that was stapled, or NULL */
    size_t ocsp_len;
    uint8_t *scts; /* client: the timestamps that came with it, or NULL */
    size_t scts_len;
};

hf_session *session_new(void);

/* session_peer_type: what the peer showed, an enum cert_type; X.509 if nothing. */
enum cert_type session_peer_type(const hf_session *session);

/* session_write and session_read: the serialised form (versioned, presentation language). read fills
 * a new session; NULL with E_SESSION_DATA. */
void session_write(struct wr *w, const hf_session *session);
hf_session *session_read(struct slice bytes, hf_error *err);

/* session_set_secret sets the secret after version and suite; E_SESSION_DATA if these do not go with it.
 * session_max_fragment: a size that max_fragment_length can agree on (RFC 6066 4), or 0. */
bool session_set_secret(hf_session *session, struct slice secret, hf_error *err);
bool session_max_fragment(uint16_t size);

bool session_expired(const hf_session *session, int64_t now_ms);

#endif

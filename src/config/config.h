/* config.h: what is inside hf_config. Built by setters, computed once by freeze, then read by any
 * number of threads without a lock. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "compress/compress.h"
#include "config/checks.h"
#include "config/dh_group.h"
#include "config/session_ids.h"
#include "config/session_secrets.h"
#include "config/tables.h"
#include "handfast_stateless.h"
#include "x509/x509.h"

#define CONFIG_MAX_LIST        128 /* every suite there is has room */
#define CONFIG_MAX_CREDENTIALS 64

struct ids {
    size_t count;
    uint16_t id[CONFIG_MAX_LIST];
};

/* Which entries of a list have the same rank as the one behind them. */
struct ties {
    uint8_t bits[CONFIG_MAX_LIST / 8];
};

static inline bool ties_has(const struct ties *t, size_t i)
{
    return (t->bits[i / 8] >> (i % 8) & 1) != 0;
}

/* External pre-shared keys (RFC 4279, RFC 8446 4.2.11, RFC 9258); immutable, shared. */
#define PSK_MAX_KEY 256
enum psk_kind { PSK_RESUMPTION, PSK_EXTERNAL, PSK_IMPORTED };
struct psk {
    enum psk_kind kind;
    uint8_t *identity; /* owned by the list; of an imported key: the ImportedIdentity */
    size_t identity_len;
    uint8_t key[PSK_MAX_KEY];
    size_t key_len;
    enum hash_id hash; /* in TLS 1.3: of the suites that it goes with */
    uint8_t early[48]; /* in TLS 1.3: the early secret that it makes */
};
struct psks {
    _Atomic int refs;
    size_t count;
    struct psk psk[];
};

/* A reference-counted, immutable list of credentials. */
struct credentials {
    _Atomic int refs;
    size_t count;
    hf_credential *cred[];
};

/* Types of certificates in order of preference (RFC 7250). */
struct cert_types {
    uint8_t count;
    uint8_t type[2]; /* enum cert_type */
};

static inline uint8_t cert_types_mask(const struct cert_types *types)
{
    return (uint8_t)((types->count > 0 ? types->type[0] : 0) |
                     (types->count > 1 ? types->type[1] : 0));
}

/* Test vectors need their own randomness and hellos; only tests set this. */
struct test_hooks {
    void *arg;
    /* fills out instead of random_bytes; what is "random", "session_id", "age_add",
     * "nonce", "ticket_key", "ticket_nonce", "cookie_key" */
    bool (*random)(void *arg, const char *what, uint8_t *out, size_t n);
    /* private key for a group's share, or false for a random one */
    bool (*private_key)(void *arg, uint16_t group, uint8_t *out, size_t *len);
    /* replaces the extension block's content of a message about to be sent; false: leave it */
    bool (*extensions)(void *arg, uint8_t message, struct buffer *out);
    /* replaces the cipher_suites of a ClientHello; false: leave them */
    bool (*suites)(void *arg, struct slice *out);
    /* finds the session of an identity that is no ticket of ours; NULL: none */
    hf_session *(*session)(void *arg, struct slice identity);
};

/* Algorithms for certificates (RFC 8879), best first. */
#define COMPRESS_BUILT_IN 3
#define COMPRESS_CUSTOM   5
struct compressors {
    size_t count;
    struct compressor by[COMPRESS_BUILT_IN + COMPRESS_CUSTOM];
};

struct ticket_ring;   /* config/ticket.h */
struct session_cache; /* config/cache.h */
struct replay;        /* config/replay.h */

struct hf_config {
    _Atomic int refs;
    _Atomic int frozen; /* 0 no, 1 yes */
    hf_role role;       /* hf_config_derive copies from here on */
    hf_error error;     /* the first failure of a setter; code HF_OK: none */

    uint16_t version_min, version_max;
    uint8_t versions_off;  /* switched off one by one: bit 0 is TLS 1.0 */
    uint32_t kept_options; /* OpenSSL's options that change nothing here */
    struct ids suites;     /* as they were set; body.suites has those that can be used */
    struct ties suite_ties, group_ties;
    struct ids groups, sigalgs;
    bool sigalgs_any;          /* also a list of which TLS 1.3 can use none for signatures */
    struct ids client_sigalgs; /* what clients sign with; none: as servers, with sigalgs */
    uint8_t security_level;    /* 0 to 5 */
    struct ids key_shares;
    bool key_shares_set;
    bool server_preference;
    bool group_first;           /* server: a round trip is worth the best group */
    bool resume_preferred_only; /* server */
    bool silent_name; /* server: server_name is not answered; client: it is not sent */

    uint8_t *alpn; /* ProtocolNameList content: 1-byte length and name, repeated */
    size_t alpn_len;
    bool alpn_required;
    struct applications
        *applications;  /* config/applications.h; NULL: none; shared with derived ones */
    hf_alpn_fn alpn_fn; /* server: chooses instead of the list */
    void *alpn_arg;

    struct credentials *credentials; /* NULL: none */
    hf_trust *trust;
    bool verify, verify_name;
    bool verify_resumed; /* again, when its session is resumed */
    unsigned verify_depth;
    struct verify_rules *rules; /* x509/x509.h; NULL: the defaults; shared with derived ones */
    hf_client_auth client_auth;
    hf_ocsp ocsp;
    uint8_t *ocsp_request; /* client: OCSPStatusRequest (RFC 6066 8); NULL: an empty one */
    size_t ocsp_request_len;
    bool send_authorities;
    uint8_t request_types
        [16]; /* server, TLS 1.2: certificate_types of a request; none: what can be verified */
    uint8_t request_type_count;
    struct cert_types own_types, peer_types; /* as they were set; none: by default */
    uint8_t *authorities; /* names to be sent instead, each with two bytes of length; or NULL */
    size_t authorities_len;
    unsigned max_chain;     /* certificates that a peer may show */
    size_t max_chain_bytes; /* of its Certificate message */

    unsigned psk_modes; /* HF_PSK_ mask */
    unsigned ticket_count;
    bool no_tickets; /* client: takes and offers none in TLS 1.2 and older */
    uint32_t ticket_lifetime, ticket_rotation;
    struct ticket_ring *tickets;   /* server: shared with derived configurations */
    hf_ticket_seal_fn ticket_seal; /* NULL: the ring's keys */
    void *ticket_seal_arg;
    hf_session_fn session_fn;
    void *session_arg;

    /* TLS 1.2 and older */
    bool renegotiation;     /* the peer may ask for it, and we may */
    bool renegotiation_own; /* server: only when we have asked for it */
    hf_renegotiation_session_fn renegotiation_session; /* client: what it offers; or NULL */
    void *renegotiation_session_arg;
    unsigned renegotiation_max; /* how often per connection */
    /* the connection does not outlive a renegotiation that the peer refuses */
    bool refusal_fails;
    bool require_ems;
    bool allow_unpatched; /* client: servers without renegotiation_info (RFC 5746) */
    bool false_start;     /* client (RFC 7918) */
    bool fallback;        /* client: TLS_FALLBACK_SCSV is sent (RFC 7507) */
    bool encrypt_then_mac;
    bool sct;              /* client: asks for signed certificate timestamps (RFC 6962) */
    uint16_t max_fragment; /* client: 512, 1024, 2048 or 4096 (RFC 6066 4); 0: not asked for */
    struct session_cache *cache; /* shared with derived configurations */
    bool cache_sessions;         /* server: keep sessions by ID */
    struct hf_session_store store;
    const struct session_secrets *session_secrets; /* or NULL */
    const struct session_ids *session_ids; /* in place of cache and store.find; or NULL */
    bool no_tickets12, always_tickets12; /* server: before TLS 1.3, whatever ticket_count is */
    /* server: a ticket of TLS 1.3 is a number, the session stays in the cache */
    bool stateful_tickets;
    uint8_t session_context[32];
    uint8_t session_context_len;
    bool ask_psk13;            /* HF_ASK_PSK counts for TLS 1.3, too */
    struct psks *psks;         /* NULL: none */
    struct dh_group *dh_group; /* server: for clients that name no group of RFC 7919; or NULL */
    const struct checks *checks;       /* or NULL */
    const struct dh_source *dh_source; /* server: in place of all of these; or NULL */
    char *psk_hint;                    /* server; or NULL */

    struct compressors compress_send, compress_receive;

    bool grease;         /* RFC 8701 */
    bool ticket_request; /* client: RFC 9149, with these numbers */
    uint8_t new_tickets, resumption_tickets;
    bool early_data;         /* client: offered with sessions that allow it */
    uint32_t max_early_data; /* server: tickets allow so much, and it is accepted; 0: none */
    uint32_t early_window;   /* server: seconds that a ticket's age may be off (RFC 8446 8.3) */
    struct replay *replay;   /* config/replay.h; shared with derived configurations */
    hf_first_use_fn first_use;
    void *first_use_arg;

    bool ignore_truncation; /* the transport's end will do for close_notify */
    bool cookie;
    bool stateless;           /* server: config/cookie.h */
    uint8_t cookie_key_count; /* 0: one is made at freeze, for those derived from it, too */
    uint8_t cookie_keys[HF_COOKIE_KEYS_MAX][HF_COOKIE_KEY_SIZE];
    uint32_t cookie_lifetime;      /* seconds */
    hf_cookie_make_fn cookie_make; /* NULL: no content */
    hf_cookie_check_fn cookie_check;
    void *cookie_arg;
    bool compat;
    bool post_handshake_auth;
    uint16_t record_size_limit; /* 0: not sent */
    uint16_t send_fragment;     /* content of our records at most; 0: as much as may be */
    uint16_t padding;
    size_t (*padding_fn)(hf_conn *conn, uint8_t type, size_t len); /* instead; access.h */
    /* server: sends before the client's Finished, also where no early data came */
    bool half_rtt;
    uint64_t key_update_after;
    size_t memory_cap;

    hf_clock_fn clock;
    void *clock_arg;
    hf_keylog_fn keylog;
    void *keylog_arg;
    struct keylog_file *keylog_file; /* config/keylog.h */
    hf_trace_fn trace;
    void *trace_arg;
    bool trace_secrets;
    unsigned trace_quiet; /* mask of 1 << hf_trace_kind: events that are not made */

    hf_ask_fn ask[HF_ASK_COUNT]; /* by hf_ask */
    void *ask_arg[HF_ASK_COUNT];

    bool keep_details; /* of handshakes: handshake/details.h */
    const struct test_hooks *test;

    /* Computed by freeze: bodies of extensions that are the same in every hello, and what of versions and
     * lists can be used. */
    struct {
        uint8_t groups[2 + 2 * CONFIG_MAX_LIST]; /* NamedGroupList with its length */
        size_t groups_len;
        uint8_t sigalgs[2 + 2 * CONFIG_MAX_LIST]; /* SignatureSchemeList with its length */
        size_t sigalgs_len;
        struct ids client_sigalgs;                   /* those that the security level allows */
        uint8_t sigalgs_cr[2 + 2 * CONFIG_MAX_LIST]; /* in TLS 1.3's CertificateRequest */
        size_t sigalgs_cr_len;
        uint8_t sigalgs_cert[2 + 2 * CONFIG_MAX_LIST]; /* only if it differs, else 0 long */
        size_t sigalgs_cert_len;
        /* Those of `suites` that version range, security level, credentials and keys allow, in order: what
         * is offered, and what a server chooses from. */
        struct ids suites;
        struct ties suite_ties;
        /* The range that security level and suites leave of version_min to version_max. */
        uint16_t version_min, version_max;
        /* groups and sigalgs as they were set; freezing leaves only what the security level allows. */
        struct ids groups_set, sigalgs_set;
        /* What this side shows (by default what its credentials are, in their order), and takes. */
        struct cert_types own_types, peer_types;
        struct ties group_ties_set;
    } body;
};

/* config_use freezes on first use; false with the configuration's error. Cheap when frozen. */
bool config_use(hf_config *config, hf_error *err) __attribute__((warn_unused_result));

/* config_takes: a peer may show this (RFC 7250). Of frozen configurations only. */
static inline bool config_takes(const hf_config *config, enum cert_type type)
{
    return (cert_types_mask(&config->body.peer_types) & type) != 0;
}

/* config_now: the clock, in seconds; config_now_ms: in milliseconds. */
int64_t config_now(const hf_config *config);
int64_t config_now_ms(const hf_config *config);

/* config_random: random_bytes, or the test hook's. */
bool config_random(const hf_config *config, const char *what, uint8_t *out, size_t n)
    __attribute__((warn_unused_result));

bool ids_has(const struct ids *ids, uint16_t id);

/* compressor_find: NULL if it is not among them. */
const struct compressor *compressor_find(const struct compressors *all, uint16_t id);

/* config_version: can this version be used? Of frozen configurations only. */
static inline bool config_version(const hf_config *config, uint16_t version)
{
    return version >= config->body.version_min && version <= config->body.version_max;
}

/* ranked writes those of `ours` that are in `theirs`, best first: in our order, and among those of equal rank
 * in theirs. */
void ranked(const struct ids *ours, const struct ties *ties, const struct ids *theirs,
            struct ids *out);

/* config_authorities: the names that are sent, empty if none are. */
struct slice config_authorities(const hf_config *config);

/* config_signing: the schemes that clients, or servers, sign with. Of frozen configurations only. */
static inline const struct ids *config_signing(const hf_config *config, bool clients)
{
    return clients && config->body.client_sigalgs.count ? &config->body.client_sigalgs
                                                        : &config->sigalgs;
}

/* config_psk finds a configured key by identity, NULL if there is none; config_first_psk is what a client
 * offers in TLS 1.2. Imported keys are for TLS 1.3 only. Borrowed from the configuration. */
const struct psk *config_psk(const hf_config *config, struct slice identity);
const struct psk *config_first_psk(const hf_config *config);

/* config_keylog writes one line "LABEL client_random secret" (RFC 9850) if a key log is set. */
void config_keylog(const hf_config *config, const hf_conn *conn, const char *label,
                   const uint8_t client_random[32], const uint8_t *secret, size_t len);
bool config_has_keylog(const hf_config *config);

/* config_credential chooses among the configuration's credentials: one that serves `name` (NULL:
 * any) and whose key fits one of the peer's schemes that we allow too, and whose chain's signatures
 * the peer accepts; failing that, one for the name; failing that, the first that fits. *alg is the scheme to sign
 * with, in the order of `peer` (or ours, when the server prefers). Returns a borrowed credential or
 * NULL if none fits. */
hf_credential *config_credential(const hf_config *config, const char *name,
                                 const uint16_t *peer, size_t peer_count, uint16_t *alg);
/* config_credential_of does so among those of the types that the peer takes, a mask of enum cert_type; of these
 * the first in the configuration's order of which there is one. */
hf_credential *config_credential_of(const hf_config *config, unsigned types, const char *name,
                                    const uint16_t *peer, size_t peer_count, uint16_t *alg);
/* config_shows: there are credentials of these types. */
bool config_shows(const hf_config *config, unsigned types);
/* config_credential12 is config_credential for TLS 1.2 and older: the key must serve suites of `auth`
 * (RFC 5246 7.4.2), and, with ECDSA, stand on a curve of `groups` (NULL: any). *alg is 0 for versions below
 * 1.2, which have no choice of schemes, and for suites whose server does not sign (KEX_RSA: pass
 * peer_count 0 and signs false). */
struct credential_wish {
    uint16_t version;
    enum auth auth;
    bool signs;
    const char *name; /* asked for, or NULL */
    const uint16_t *schemes;
    size_t scheme_count;
    const struct ids *groups;
    unsigned types; /* as config_credential_of; 0: X.509 */
};
hf_credential *config_credential12(const hf_config *config, const struct credential_wish *wish,
                                   uint16_t *alg);
/* config_scheme12: the scheme that this credential signs with in TLS 1.2, 0 if none. */
uint16_t config_scheme12(const hf_config *config, const hf_credential *cred,
                         const uint16_t *peer, size_t peer_count);

/* config_scheme_for: the scheme a given credential signs with for this peer, 0 if none. */
uint16_t config_scheme_for(const hf_config *config, const hf_credential *cred,
                           const uint16_t *peer, size_t peer_count);

#endif

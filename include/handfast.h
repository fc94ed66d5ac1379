/* handfast.h: TLS for C programs.
 *
 * Three objects do the work. A *configuration* (hf_config) says what is allowed; it is built, then
 * frozen at its first use and shared by any number of connections and threads without a lock. A
 * *connection* (hf_conn) is the protocol and nothing else: bytes from the peer go in, bytes for the
 * peer come out, application data is handed over in place; it does no I/O and never blocks. A
 * *session* (hf_session) lets a later connection resume. Whoever wants a socket instead of a
 * protocol uses handfast_net.h.
 *
 * What holds everywhere unless a comment says otherwise:
 *
 * - A function that returns bool returns true on success. A setter of hf_config that fails leaves the
 *   configuration as it was and records the first failure in hf_config_error(); using such a
 *   configuration fails with that error, so a program may check once at the end. Once frozen, a
 *   configuration is shared: setters then return false and record nothing.
 * - `hf_error *err` may be NULL. It is cleared when a function starts and filled when it fails.
 * - Strings are UTF-8 and end with a NUL; the library copies what it needs to keep. A returned
 *   `const` pointer is borrowed and lives as long as the object that it came from.
 * - Sizes are in bytes, times in seconds since 1970-01-01 UTC, lifetimes in seconds.
 * - `_new` creates, `_ref` adds an owner, `_free` drops one (NULL is allowed). `take` transfers
 *   ownership, `get` borrows.
 * - Configurations, credentials, trust stores and sessions may be shared by threads once they are
 *   in use. One connection belongs to one thread until its handshake is done; from then on one
 *   thread may read (the functions marked "reader") while another writes (marked "writer").
 * - Whatever weakens security has `insecure_` in its name.
 *
 * Defaults: TLS 1.2 and 1.3; suites AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305, in TLS 1.2 with ECDHE;
 * security level 2; no renegotiation; extended_master_secret always offered and accepted, not required;
 * groups X25519MLKEM768, X25519, P-256, P-384; a client verifies chain
 * and name against the platform's trust store and sends SNI; a server asks for no client
 * certificate and sends two tickets valid for 7200 s; middlebox compatibility on; no early data;
 * no certificate compression; no key log; a handshake may use 256 KiB of memory.
 *
 * handfast_policy.h and handfast_verify.h, which this header includes, have more setters of hf_config.
 *
 * RFC numbers: TLS 1.3 is cited as RFC 8446; RFC 9846 obsoletes it and keeps its section numbers.
 */
#ifndef HANDFAST_H
#define HANDFAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HF_API __attribute__((visibility("default")))
#define HF_MUST_CHECK __attribute__((warn_unused_result))
#else
#define HF_API
#define HF_MUST_CHECK
#endif

/* HF_API_VERSION counts the releases that added to this header; hf_api_version() is what the
 * library at run time has. */
#define HF_API_VERSION 1

typedef struct hf_config hf_config;
typedef struct hf_conn hf_conn;
typedef struct hf_session hf_session;
typedef struct hf_credential hf_credential;
typedef struct hf_trust hf_trust;
typedef struct hf_certificate hf_certificate;

/* hf_api_version returns HF_API_VERSION of the library that is loaded. */
HF_API unsigned hf_api_version(void);

/* hf_version_string returns handfast's and libcrypto's versions in one line. */
HF_API const char *hf_version_string(void);

/* ---------------------------------------------------------------- errors */

/* hf_code: what went wrong; HF_OK is 0. handfast_errors.def has a row for each. */
typedef enum hf_code {
    HF_OK = 0,
#define HF_ERROR(name, fault, alert, rfc, sentence, hint, reason, bogo) HF_E_##name,
#include "handfast_errors.def"
#undef HF_ERROR
    HF_E_COUNT
} hf_code;

/* hf_fault: whose fault an error is. */
typedef enum hf_fault {
    HF_FAULT_NONE = 0,
    HF_FAULT_LOCAL,   /* handfast or this machine: a bug, or memory ran out */
    HF_FAULT_USAGE,   /* the program called a function wrongly */
    HF_FAULT_CONFIG,  /* the configuration: files, keys, lists */
    HF_FAULT_PEER,    /* the other side */
    HF_FAULT_NETWORK, /* something between the two */
    HF_FAULT_CRYPTO,  /* libcrypto refused an operation */
} hf_fault;

#define HF_NO_ALERT 0xff
#define HF_PATH_MAX_LEN 96
#define HF_DETAIL_MAX_LEN 248

/* hf_error: one failure, as a value. No function keeps a pointer into it. */
typedef struct hf_error {
    hf_code code;
    hf_fault fault;
    uint8_t alert;        /* the alert sent or received, HF_NO_ALERT if none (RFC 8446 6) */
    bool alert_received;  /* the alert came from the peer */
    bool truncated;       /* detail or path did not fit */
    int os_errno;         /* errno of the system call that failed, else 0 */
    int x509_code;        /* X509_V_ERR_ value of libcrypto, else 0 */
    int x509_depth;       /* certificate it concerns: 0 is the peer's own, else -1 */
    size_t offset;        /* byte within the message named by path */
    const char *step;     /* handshake step ("CertificateVerify") or "" ; static */
    const char *rfc;      /* section that the peer or we failed to meet, or "" ; static */
    const char *hint;     /* what to do, or "" ; static */
    char path[HF_PATH_MAX_LEN];     /* "ServerHello.extensions.key_share", or "" */
    char detail[HF_DETAIL_MAX_LEN]; /* the particulars of this case, or "" */
} hf_error;

/* hf_code_name returns the identifier of a code without its prefix, as "BAD_SIGNATURE". */
HF_API const char *hf_code_name(hf_code code);

/* hf_code_sentence returns the code's sentence. */
HF_API const char *hf_code_sentence(hf_code code);

/* hf_fault_name returns "peer", "configuration" and so on. */
HF_API const char *hf_fault_name(hf_fault fault);

/* hf_alert_name returns the name of an alert description ("handshake_failure"; RFC 8446 6.2),
 * or "unknown". */
HF_API const char *hf_alert_name(uint8_t alert);

/* hf_error_line writes an error in one line, as snprintf does: at most size bytes with the NUL, and
 * the length it would have had is returned. */
HF_API size_t hf_error_line(const hf_error *err, char *out, size_t size);

/* hf_explain writes the full diagnosis in several lines: what happened, where in the protocol,
 * whose fault it is, what was offered and what the peer answered, and what to do. conn may be NULL
 * when there was no connection. Size and result as hf_error_line. */
HF_API size_t hf_explain(const hf_conn *conn, const hf_error *err, char *out, size_t size);

/* hf_explain_json writes the same as one JSON object. */
HF_API size_t hf_explain_json(const hf_conn *conn, const hf_error *err, char *out, size_t size);

/* ---------------------------------------------------------------- names and numbers */

typedef enum hf_role { HF_CLIENT, HF_SERVER } hf_role;

/* Protocol versions, as on the wire. */
enum { HF_TLS1_0 = 0x0301, HF_TLS1_1 = 0x0302, HF_TLS1_2 = 0x0303, HF_TLS1_3 = 0x0304 };

/* Each returns the IANA name of a number ("TLS_AES_128_GCM_SHA256", "X25519" as "x25519"), or
 * "unknown". */
HF_API const char *hf_version_name(uint16_t version);
HF_API const char *hf_suite_name(uint16_t suite);
HF_API const char *hf_group_name(uint16_t group);
HF_API const char *hf_signature_name(uint16_t scheme);
HF_API const char *hf_extension_name(uint16_t extension);
HF_API const char *hf_message_name(uint8_t message);
HF_API const char *hf_compression_name(uint16_t algorithm); /* of certificates: "brotli" */

/* ---------------------------------------------------------------- certificates */

/* hf_certificate_parse decodes one DER certificate. NULL with E_BAD_CERTIFICATE if it is not one. */
HF_API hf_certificate *hf_certificate_parse(const uint8_t *der, size_t len, hf_error *err);
HF_API hf_certificate *hf_certificate_ref(hf_certificate *cert);
HF_API void hf_certificate_free(hf_certificate *cert);

/* What a certificate says. Strings live as long as the certificate. */
HF_API const char *hf_certificate_subject(const hf_certificate *cert); /* RFC 4514 form */
HF_API const char *hf_certificate_issuer(const hf_certificate *cert);
HF_API const char *hf_certificate_names(const hf_certificate *cert); /* "DNS:a, IP:10.0.0.1", or "" */
HF_API const char *hf_certificate_serial(const hf_certificate *cert); /* hexadecimal */
HF_API const char *hf_certificate_key(const hf_certificate *cert);    /* "EC P-256", "RSA 2048" */
HF_API const char *hf_certificate_signature(const hf_certificate *cert); /* "ecdsa-with-SHA256" */
HF_API int64_t hf_certificate_not_before(const hf_certificate *cert);
HF_API int64_t hf_certificate_not_after(const hf_certificate *cert);
HF_API bool hf_certificate_is_ca(const hf_certificate *cert);
HF_API const uint8_t *hf_certificate_der(const hf_certificate *cert, size_t *len);
HF_API const uint8_t *hf_certificate_sha256(const hf_certificate *cert); /* 32 bytes */

/* hf_passphrase_fn is asked for a passphrase, only when a key is encrypted. It writes at most size
 * bytes and returns their number, or -1 to give up. The buffer is wiped after use. */
typedef int (*hf_passphrase_fn)(char *out, size_t size, void *arg);

/* hf_credential: a certificate chain and its private key, with what is stapled to it.
 *
 * hf_credential_load_files reads a chain (own certificate first, then its issuers) and a key from
 * PEM, DER or PKCS#12 files; key_path NULL means that the key is in chain_path too. Fails with E_FILE (with
 * os_errno), E_PEM, E_PASSPHRASE, E_KEY_MISMATCH, E_WEAK_KEY. fn may be NULL: nobody is ever
 * prompted on the terminal. */
HF_API hf_credential *hf_credential_load_files(const char *chain_path, const char *key_path,
                                               hf_passphrase_fn fn, void *arg, hf_error *err);

/* hf_credential_load_memory does the same with bytes in memory, PEM or DER. key NULL with
 * key_len 0: look in chain; if no key is there, the credential has an external key and every
 * signature is asked for (HF_ASK_SIGNATURE). */
HF_API hf_credential *hf_credential_load_memory(const void *chain, size_t chain_len, const void *key,
                                                size_t key_len, hf_passphrase_fn fn, void *arg,
                                                hf_error *err);
HF_API hf_credential *hf_credential_ref(hf_credential *cred);
HF_API void hf_credential_free(hf_credential *cred);

/* hf_credential_set_ocsp staples a DER OCSP response (RFC 6066 8), replacing an earlier one; to be
 * called before the credential is in use. len 0 removes it. */
HF_API bool hf_credential_set_ocsp(hf_credential *cred, const uint8_t *der, size_t len, hf_error *err);

/* hf_credential_set_scts adds signed certificate timestamps, a SignedCertificateTimestampList with its
 * length (RFC 6962 3.3), before the credential is in use. len 0 removes it. */
HF_API bool hf_credential_set_scts(hf_credential *cred, const uint8_t *list, size_t len, hf_error *err);

/* hf_credential_certificate returns the i-th certificate of the chain (0: its own), or NULL; always NULL for a
 * raw public key. */
HF_API const hf_certificate *hf_credential_certificate(const hf_credential *cred, size_t i);

/* hf_trust: a set of trust anchors. Built by adding, immutable once a configuration has it. */
HF_API hf_trust *hf_trust_new(void);
HF_API hf_trust *hf_trust_ref(hf_trust *trust);
HF_API void hf_trust_free(hf_trust *trust);

/* hf_trust_add_platform adds the platform's anchors (SSL_CERT_FILE and SSL_CERT_DIR are honoured,
 * else libcrypto's default places). They are loaded once per process. */
HF_API bool hf_trust_add_platform(hf_trust *trust, hf_error *err);

/* hf_trust_add_file adds every certificate of a PEM or DER file; at least one must be there. What
 * OpenSSL's TRUSTED CERTIFICATE says of an authority's uses holds. hf_trust_add_folder adds a folder of hashed names (as `openssl rehash` makes), read when
 * needed. hf_trust_add_memory is hf_trust_add_file for bytes. */
HF_API bool hf_trust_add_file(hf_trust *trust, const char *path, hf_error *err);
HF_API bool hf_trust_add_folder(hf_trust *trust, const char *path, hf_error *err);
HF_API bool hf_trust_add_memory(hf_trust *trust, const void *bytes, size_t len, hf_error *err);

/* ---------------------------------------------------------------- configuration */

/* hf_config_new makes a configuration with the defaults above for one role; NULL without memory. */
HF_API hf_config *hf_config_new(hf_role role);
HF_API hf_config *hf_config_ref(hf_config *config);
HF_API void hf_config_free(hf_config *config);

/* hf_config_derive makes an unfrozen copy to change; credentials, trust, ticket keys and caches are
 * shared with the original. */
HF_API hf_config *hf_config_derive(const hf_config *config);

/* hf_config_freeze computes everything that a handshake needs and forbids further changes. It
 * happens by itself at first use; called by hand it shows errors early. */
HF_API bool hf_config_freeze(hf_config *config, hf_error *err);

/* hf_config_error returns the first failure of a setter, or NULL. */
HF_API const hf_error *hf_config_error(const hf_config *config);

/* hf_config_set_versions sets the lowest and highest protocol version. E_CONFIG for an empty range
 * and for SSL 2.0 and 3.0, which are prohibited (RFC 6176, RFC 7568). TLS 1.0 and 1.1 are deprecated (RFC
 * 8996): naming them allows them, but they are only used at security level 0. */
HF_API bool hf_config_set_versions(hf_config *config, uint16_t lowest, uint16_t highest);

/* Lists in order of preference: names (IANA's, letter case ignored; for groups also "P-256")
 * separated by colons, commas or spaces. An unknown name fails with E_CONFIG and names it. In lists of suites
 * and groups, names in brackets with bars between them, "[A|B]", are of equal rank: a server that follows its
 * own order takes the one of them that the client likes best; otherwise it means "A:B". */
HF_API bool hf_config_set_suites(hf_config *config, const char *list);
HF_API bool hf_config_set_groups(hf_config *config, const char *list);

/* hf_config_set_ciphers chooses the suites of TLS 1.2 and older by a string in OpenSSL's cipher-list
 * language ("ECDHE+AESGCM:!aNULL:@STRENGTH"; openssl-ciphers(1)); those of TLS 1.3 stay as they are. Words
 * for algorithms that handfast does not have match nothing; @SECLEVEL=n sets the security level. E_CONFIG if
 * nothing is left, or for what is no word at all. */
HF_API bool hf_config_set_ciphers(hf_config *config, const char *string);

/* hf_config_set_security_level raises the security level: 2 (the default), 3, 4 or 5. It says which key
 * sizes, digests, groups, suites and versions are good enough on both sides, as libcrypto's levels do (see
 * docs/api.md for the table). Lowering it below 2 is hf_config_insecure_set_security_level: 0 allows
 * everything that is configured, 1 what was good enough in 2010. */
HF_API bool hf_config_set_security_level(hf_config *config, unsigned level);
HF_API bool hf_config_insecure_set_security_level(hf_config *config, unsigned level);
HF_API unsigned hf_config_security_level(const hf_config *config);

/* hf_suite_info: one row of the table of cipher suites, for people to read. */
typedef struct hf_suite_info {
    uint16_t id;
    uint16_t version_min, version_max; /* versions that it may be used with */
    const char *name;         /* IANA's, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" */
    const char *openssl_name; /* "ECDHE-RSA-AES128-GCM-SHA256" */
    const char *key_exchange; /* "ECDHE", "any" */
    const char *authentication;
    const char *encryption; /* "AESGCM(128)" */
    const char *mac;        /* "AEAD", "SHA256" */
    unsigned bits;          /* strength of the cipher; 0: NULL */
    bool by_default;
} hf_suite_info;

/* hf_config_suites writes the configuration's suites in order of preference, at most max of them, and
 * returns how many there are. usable: only those that version range and security level leave. */
HF_API size_t hf_config_suites(const hf_config *config, bool usable, hf_suite_info *out, size_t max);

/* hf_all_suites does the same with every suite that this library has. */
HF_API size_t hf_all_suites(hf_suite_info *out, size_t max);
HF_API bool hf_config_set_signatures(hf_config *config, const char *list);

/* hf_config_set_key_shares says for which groups a client sends a share at once (RFC 8446 4.2.8);
 * each must be among the groups. "" sends none, so that the server must answer with a
 * HelloRetryRequest. Default: the first group, and X25519 too if that is a post-quantum one. */
HF_API bool hf_config_set_key_shares(hf_config *config, const char *list);

/* hf_config_set_server_preference says whose order of suites and groups a server follows; default
 * its own (true), with ChaCha20 first for a client that puts it first. */
HF_API bool hf_config_set_server_preference(hf_config *config, bool server);

/* hf_config_set_alpn sets application protocols in order of preference, separated by commas
 * (RFC 7301). With required, a connection on which none is agreed fails with
 * E_NO_APPLICATION_PROTOCOL; without, it goes on with none, except that a server that has
 * protocols refuses a client that offers only others (RFC 7301 3.2). NULL removes the list. */
HF_API bool hf_config_set_alpn(hf_config *config, const char *list, bool required);

/* hf_alpn_fn chooses a server's application protocol: `list` is the client's ProtocolNameList (RFC 7301 3.1:
 * one byte with a length, a name, and so on), len its bytes. HF_ALPN_CHOSEN with *name and *name_len (1 to
 * 255 bytes, valid until the callback of this connection is called again; it is not compared with the list),
 * HF_ALPN_NONE to go on without a protocol, HF_ALPN_REFUSE to end the handshake with no_application_protocol.
 * It is called within the handshake, once a ClientHello, from any thread; it may call the connection's getters.
 * hf_config_set_alpn_callback sets it, in place of a list; NULL removes it. */
typedef enum hf_alpn_choice { HF_ALPN_CHOSEN, HF_ALPN_NONE, HF_ALPN_REFUSE } hf_alpn_choice;
typedef hf_alpn_choice (*hf_alpn_fn)(hf_conn *conn, const uint8_t *list, size_t len,
                                     const uint8_t **name, size_t *name_len, void *arg);
HF_API bool hf_config_set_alpn_callback(hf_config *config, hf_alpn_fn fn, void *arg);

/* hf_config_add_credential adds a certificate and key. A server chooses among several by the name
 * asked for, then by signature algorithm; the first that fits is the default. A client sends one
 * if asked. */
HF_API bool hf_config_add_credential(hf_config *config, hf_credential *cred);

/* hf_config_set_trust replaces the trust anchors (default for a client: the platform's; for a
 * server that asks for client certificates: none, so it must be set). */
HF_API bool hf_config_set_trust(hf_config *config, hf_trust *trust);

/* hf_config_set_verify_depth limits the number of certificates between the peer's own and the
 * trust anchor; default 10. */
HF_API bool hf_config_set_verify_depth(hf_config *config, unsigned depth);

/* hf_config_insecure_no_verify accepts any certificate from the peer; the signature is still
 * checked. hf_config_insecure_no_name_check verifies the chain but not for whom it was issued. */
HF_API bool hf_config_insecure_no_verify(hf_config *config);
HF_API bool hf_config_insecure_no_name_check(hf_config *config);

/* hf_config_set_verify_resumed also verifies the chain that a resumed session was made with, with the trust
 * anchors, the time and HF_ASK_VERIFY's answer of now; a chain that is not good any more fails the
 * handshake. Default off: a session stands for the verification that was made then. */
HF_API bool hf_config_set_verify_resumed(hf_config *config, bool on);

/* hf_config_set_client_auth says whether a server asks for a client certificate (RFC 8446 4.3.2). With REQUIRE
 * nothing is agreed that knows no client certificates: pre-shared keys and anonymous suites. */
typedef enum hf_client_auth { HF_CLIENT_AUTH_NONE, HF_CLIENT_AUTH_REQUEST, HF_CLIENT_AUTH_REQUIRE } hf_client_auth;
HF_API bool hf_config_set_client_auth(hf_config *config, hf_client_auth mode);

/* hf_config_set_ocsp says whether a client asks for a stapled OCSP response and checks it
 * (RFC 6066 8), or requires one. Default: asks. */
typedef enum hf_ocsp { HF_OCSP_NONE, HF_OCSP_REQUEST, HF_OCSP_REQUIRE } hf_ocsp;
HF_API bool hf_config_set_ocsp(hf_config *config, hf_ocsp mode);

/* hf_config_send_authorities sends the names of the trust anchors (RFC 8446 4.2.4): a server in
 * its CertificateRequest, a client in its ClientHello. Default off. */
HF_API bool hf_config_send_authorities(hf_config *config, bool send);

/* hf_config_set_psk_modes says how sessions may be resumed (RFC 8446 4.2.9): with a fresh key
 * exchange (default) or without, which gives up forward secrecy. 0 turns resumption off. */
enum { HF_PSK_KE = 1, HF_PSK_DHE_KE = 2 };
HF_API bool hf_config_set_psk_modes(hf_config *config, unsigned modes);

/* hf_config_set_tickets says how many tickets a server sends after a full handshake (0 to 16; one
 * after a resumed one, if count is not 0) and how long they are valid (at most 604800 s). A client with
 * count 0 asks for none in TLS 1.2 and older, and offers none: sessions are then kept by their IDs. */
HF_API bool hf_config_set_tickets(hf_config *config, unsigned count, uint32_t lifetime);

/* hf_config_set_ticket_rotation says after how many seconds a server starts to use a new ticket
 * key; old keys open tickets until these have expired. Default 3600. */
HF_API bool hf_config_set_ticket_rotation(hf_config *config, uint32_t seconds);

/* hf_session_fn receives each ticket that a server sent, as a session to keep. It owns nothing: use
 * hf_session_ref to keep it. Called by the reader, within hf_conn_receive: the callback may neither
 * receive on this connection nor free it. */
typedef void (*hf_session_fn)(hf_conn *conn, hf_session *session, void *arg);
HF_API bool hf_config_set_session_callback(hf_config *config, hf_session_fn fn, void *arg);

/* ---- sessions of servers (TLS 1.2 and older keep them by ID; tickets serve all versions) */

/* hf_config_set_session_cache bounds the server's cache of sessions by ID, which derived configurations
 * share: at most `sessions` of them (0: none are kept; default 20480), each for `lifetime` seconds (1 to
 * 604800; default 7200). Tickets are used before it where the client has them. */
HF_API bool hf_config_set_session_cache(hf_config *config, size_t sessions, uint32_t lifetime);

/* hf_config_set_session_context names what the sessions of this server are good for (at most 32 bytes):
 * a session is resumed only where the context is the same. Virtual hosts that demand different things of
 * their clients need different ones. Default: empty. */
HF_API bool hf_config_set_session_context(hf_config *config, const uint8_t *context, size_t len);

/* hf_session_store: the application's own store behind the cache, so that processes share sessions. Each
 * may be NULL. `add` sees each new session (hf_session_export has its bytes, hf_session_id its key); `find`
 * returns a reference that it gives away, or NULL; `remove` is told when a session must not be used any
 * more. They are called in the thread of the connection and may be called by several at once. */
typedef struct hf_session_store {
    void (*add)(hf_conn *conn, hf_session *session, void *arg);
    hf_session *(*find)(const uint8_t *id, size_t len, void *arg);
    void (*remove)(const hf_session *session, void *arg);
    void *arg;
} hf_session_store;
HF_API bool hf_config_set_session_store(hf_config *config, const hf_session_store *store);

/* hf_session_stats: what has happened on this configuration and those that share its cache. */
typedef struct hf_session_stats {
    uint64_t connect, connect_good, connect_renegotiate; /* client: begun, finished, renegotiations */
    uint64_t accept, accept_good, accept_renegotiate;    /* server: the same */
    uint64_t hits;     /* sessions that were resumed */
    uint64_t cb_hits;  /* of these, found by the application's store */
    uint64_t misses;   /* sessions that clients offered and nobody had */
    uint64_t timeouts; /* found, but expired */
    uint64_t cache_full; /* sessions that had to go because the cache was full */
    uint64_t cached;   /* sessions in the cache now */
} hf_session_stats;
HF_API void hf_config_session_stats(const hf_config *config, hf_session_stats *out);

/* hf_config_flush_sessions drops the sessions that have expired at `now`; 0: all. */
HF_API void hf_config_flush_sessions(hf_config *config, int64_t now);

/* hf_config_set_ticket_keys sets the keys of tickets from outside, for servers that share them: each has
 * HF_TICKET_KEY_SIZE bytes (16 of name, 32 of key); the first seals, all open. The ring then does not rotate
 * by itself. It may be called again, also on a frozen configuration and from any thread, and takes effect at
 * once for all that share its tickets. */
#define HF_TICKET_KEY_SIZE 48
HF_API bool hf_config_set_ticket_keys(hf_config *config, const uint8_t *keys, size_t count,
                                      hf_error *err);
/* hf_config_ticket_keys writes the ring's keys, newest first, at most max of them; returns their number. */
HF_API size_t hf_config_ticket_keys(const hf_config *config, uint8_t *out, size_t max);

/* ---- TLS 1.2 and older */

/* hf_config_set_renegotiation allows renegotiation (RFC 5246 7.4.1.1), only secure one (RFC 5746), at most
 * `times` per connection; 0 (the default) refuses it with no_renegotiation. Such a connection belongs to one
 * thread for as long as it lives. */
HF_API bool hf_config_set_renegotiation(hf_config *config, unsigned times);

/* hf_config_require_ems refuses peers without extended_master_secret (RFC 7627). Default off. */
HF_API bool hf_config_require_ems(hf_config *config, bool require);

/* hf_config_insecure_allow_unpatched lets a client talk to servers without renegotiation_info (RFC 5746
 * 3.4): someone in the middle may put bytes of his own in front of what this client says. */
HF_API bool hf_config_insecure_allow_unpatched(hf_config *config, bool allow);

/* hf_config_set_false_start lets a client send application data before the server's Finished (RFC 7918),
 * with ECDHE and an AEAD and an application protocol agreed by ALPN. Default off. */
HF_API bool hf_config_set_false_start(hf_config *config, bool on);

/* hf_config_set_fallback makes a client say that it offers less than it could because an earlier attempt
 * failed (TLS_FALLBACK_SCSV, RFC 7507). */
HF_API bool hf_config_set_fallback(hf_config *config, bool on);

/* hf_config_set_encrypt_then_mac turns RFC 7366 for CBC suites on (default) or off. */
HF_API bool hf_config_set_encrypt_then_mac(hf_config *config, bool on);

/* hf_config_set_max_fragment makes a client ask for records of at most 512, 1024, 2048 or 4096 bytes of
 * content in both directions (RFC 6066 4); 0: no. hf_config_set_record_size_limit is the better way where
 * the peer has it. */
HF_API bool hf_config_set_max_fragment(hf_config *config, uint16_t bytes);

/* hf_config_set_sct makes a client ask for signed certificate timestamps (RFC 6962 3.3.1). They are not
 * judged: hf_conn_peer_scts has them. */
HF_API bool hf_config_set_sct(hf_config *config, bool on);

/* hf_config_add_psk adds a pre-shared key (RFC 4279; in TLS 1.3 RFC 8446 4.2.11, with SHA-256): identity of 1
 * to 128 bytes, key of 16 to 256 bytes of real randomness. A client offers the first in TLS 1.2 and the first
 * four in TLS 1.3; a server finds them by identity. HF_ASK_PSK replaces the list in TLS 1.2.
 * hf_config_import_psk adds a key by way of RFC 9258, which makes a key of its own for each hash out of it, bound
 * to the context (at most 128 bytes; what both sides know about each other, or empty): for TLS 1.3 only, and
 * the way to use one key safely with several of them.
 * hf_config_set_psk_hint is what a server says to help clients of TLS 1.2 choose; NULL: nothing. */
HF_API bool hf_config_add_psk(hf_config *config, const uint8_t *identity, size_t identity_len,
                              const uint8_t *key, size_t key_len);
HF_API bool hf_config_import_psk(hf_config *config, const uint8_t *identity, size_t identity_len,
                                 const uint8_t *context, size_t context_len, const uint8_t *key,
                                 size_t key_len);
HF_API bool hf_config_set_psk_hint(hf_config *config, const char *hint);

/* hf_config_set_ticket_request makes a client say how many tickets it wants after a full and after a resumed
 * handshake (RFC 9149; 0 to 255 each; a server of handfast sends at most 16). Default: it says nothing. */
HF_API bool hf_config_set_ticket_request(hf_config *config, unsigned after_full, unsigned after_resumed);

/* hf_config_set_grease puts values without meaning among suites, groups, versions and extensions, so that
 * peers and middleboxes stay able to ignore what they do not know (RFC 8701). Default off. */
HF_API bool hf_config_set_grease(hf_config *config, bool on);

/* ---- early data, 0-RTT (RFC 8446 2.3): a client that resumes sends data with its first message. It is
 * weaker than all other data: whoever records it can send it again, to this server or another one of its
 * fleet, and it has no forward secrecy. Use it for requests that may be repeated, and for nothing else. Off on
 * both sides unless asked for.
 *
 * hf_config_set_early_data makes a client offer it with sessions whose server allows it; hf_conn_send_early
 * sends it. hf_config_set_max_early_data makes a server's tickets allow so many bytes, and accept them from the
 * tickets it has given; 0: none. */
HF_API bool hf_config_set_early_data(hf_config *config, bool on);
HF_API bool hf_config_set_max_early_data(hf_config *config, uint32_t bytes);

/* hf_config_set_early_window says by how many seconds the age of a ticket may differ from what the client
 * says it is, for its early data to be accepted (RFC 8446 8.3); default 10. A server remembers for twice that
 * time which first messages it has seen, and refuses a second one; after its start it accepts no early data
 * for as long. */
HF_API bool hf_config_set_early_window(hf_config *config, uint32_t seconds);

/* hf_first_use_fn is a store of first messages that several processes or machines share: it returns true if
 * `id` was not seen before and is now remembered until `until`; false also when it cannot tell. Two that ask
 * at the same time must not both be told true. It replaces the record within the process. */
typedef bool (*hf_first_use_fn)(const uint8_t *id, size_t len, int64_t until, void *arg);
HF_API bool hf_config_set_first_use(hf_config *config, hf_first_use_fn fn, void *arg);

/* hf_config_set_cookie makes a server put a cookie into its HelloRetryRequest and demand it back
 * (RFC 8446 4.2.2), where one is needed, and on the same connection. Default off. handfast_stateless.h has servers
 * that forget a client until then. */
HF_API bool hf_config_set_cookie(hf_config *config, bool cookie);

/* hf_config_set_middlebox_compat turns RFC 8446 D.4 on or off; default on. */
HF_API bool hf_config_set_middlebox_compat(hf_config *config, bool on);

/* hf_config_set_post_handshake_auth makes a client announce that it can authenticate after the handshake (RFC
 * 8446 4.2.6), and answer when it is asked, as it would in the handshake: with one of its credentials, or
 * HF_ASK_CREDENTIAL's; without one it says that it has none. It makes a server keep, for clients that announce
 * it, what hf_conn_request_certificate needs (about 1.5 kB each). Default off. */
HF_API bool hf_config_set_post_handshake_auth(hf_config *config, bool on);

/* hf_config_set_record_size_limit asks the peer for records of at most limit bytes of content
 * (64 to 16384; RFC 8449, whose own number counts one byte more). 0: do not ask. */
HF_API bool hf_config_set_record_size_limit(hf_config *config, uint16_t limit);

/* hf_config_set_send_fragment sends records of at most so many bytes of content (512 to 16384), whatever the
 * peer takes: short ones can be read sooner on a slow line. 0 (default): as long as may be. */
HF_API bool hf_config_set_send_fragment(hf_config *config, uint16_t bytes);

/* hf_config_set_record_padding pads each record of application data to a multiple of block bytes
 * (RFC 8446 5.4); 0 or 1: no padding. At most 16384. */
HF_API bool hf_config_set_record_padding(hf_config *config, uint16_t block);

/* hf_config_set_key_update_after renews a connection's sending key after so many records; the
 * suite's own limit (RFC 8446 5.5) holds besides. 0 (default): only that. */
HF_API bool hf_config_set_key_update_after(hf_config *config, uint64_t records);

/* hf_config_set_memory_cap bounds the memory that one connection's handshake may hold (as
 * hf_conn_memory counts it), 16384 bytes at least. A peer that makes it need more is refused with
 * E_MEMORY_CAP. */
HF_API bool hf_config_set_memory_cap(hf_config *config, size_t bytes);

/* hf_config_set_clock replaces time(NULL); for tests. */
typedef int64_t (*hf_clock_fn)(void *arg);
HF_API bool hf_config_set_clock(hf_config *config, hf_clock_fn fn, void *arg);

/* hf_keylog_fn receives one line of the SSLKEYLOGFILE format (RFC 9850), without its newline.
 * Whoever has these lines can read the traffic. */
typedef void (*hf_keylog_fn)(const hf_conn *conn, const char *line, void *arg);
HF_API bool hf_config_insecure_set_keylog(hf_config *config, hf_keylog_fn fn, void *arg);

/* hf_config_insecure_set_keylog_file appends the lines to a file (created with mode 0600), each by
 * one write. */
HF_API bool hf_config_insecure_set_keylog_file(hf_config *config, const char *path);

/* ---------------------------------------------------------------- tracing */

/* hf_trace_kind: what an event of the trace is. A RECORD comes first, then the messages that it
 * completes. A MESSAGE is followed by its GROUPs and FIELDs, each with its place in the message.
 * FIELDs are leaves: together they cover every byte of the message exactly once. They may come out
 * of order (an extension is opened when its turn comes): sort by offset, GROUPs first. */
typedef enum hf_trace_kind {
    HF_TRACE_RECORD,    /* one TLS record as on the wire: bytes = header and fragment */
    HF_TRACE_PLAINTEXT, /* the content of a protected record, padding removed: bytes, number = type */
    HF_TRACE_MESSAGE,   /* one handshake message or alert or CCS, whole: bytes; number = its type */
    HF_TRACE_GROUP,     /* a struct or vector within the message */
    HF_TRACE_FIELD,     /* a leaf within the message */
    HF_TRACE_STEP,      /* the flow list reached a row: name, rfc */
    HF_TRACE_SECRET,    /* a secret or key of the key schedule: name ("client_handshake_traffic_secret"), bytes */
    HF_TRACE_KEYS,      /* the keys of one direction changed: name ("handshake", "application"), sent = our sending key */
    HF_TRACE_NOTE,      /* a decision, in words: name = what ("suite", "group"), text = value and why */
    HF_TRACE_ERROR,     /* the connection failed: text = line of the error */
    HF_TRACE_DECOMPRESSED, /* behind a CompressedCertificate: the body of the Certificate that it stands for:
                            * bytes; name, text = algorithm; its GROUPs and FIELDs follow, with places in it */
} hf_trace_kind;

typedef struct hf_trace_event {
    hf_trace_kind kind;
    bool sent;             /* by this side */
    uint8_t record_type;   /* RECORD: outer content type. PLAINTEXT, MESSAGE: inner content type */
    uint8_t depth;         /* GROUP, FIELD: nesting, 0 for the message's own fields */
    uint64_t time;         /* nanoseconds, monotonic */
    size_t offset;         /* GROUP, FIELD: place within the message, its 4-byte header included */
    const char *name;      /* field, message or secret name, in RFC spelling; never NULL */
    const char *text;      /* what the value means ("x25519"), or NULL */
    const char *rfc;       /* section that defines it, or NULL */
    uint64_t number;       /* value of an integer FIELD of at most 8 bytes */
    const uint8_t *bytes;  /* valid during the call */
    size_t size;
} hf_trace_event;

/* hf_trace_fn is called for each event in the thread that caused it. It must not call functions of
 * the connection other than getters. With a trace set, secrets are handed out only if
 * `insecure_secrets` was given. */
typedef void (*hf_trace_fn)(const hf_conn *conn, const hf_trace_event *event, void *arg);
HF_API bool hf_config_set_trace(hf_config *config, hf_trace_fn fn, void *arg);
HF_API bool hf_config_insecure_set_trace_secrets(hf_config *config, bool secrets);

/* ---------------------------------------------------------------- connections */

/* hf_result: what a function of a connection has to say. */
typedef enum hf_result {
    HF_DONE = 0,     /* did what was asked */
    HF_WANT_INPUT,   /* needs more bytes from the peer */
    HF_WANT_OUTPUT,  /* bytes for the peer must be taken first, or there is no room in the output */
    HF_WANT_ANSWER,  /* hf_conn_question() must be answered first */
    HF_CLOSED,       /* the half in question has ended cleanly: the peer's, or (sending) our own */
    HF_FAILED,       /* the connection is dead: hf_conn_error() */
} hf_result;

/* hf_conn_new_client makes the client's end of a connection. server_name is the DNS name or IP
 * address that the certificate must be for and (a DNS name) that is sent as SNI; ASCII only, so a name
 * with other letters in its A-label form (xn--). NULL is allowed only with a configuration that checks
 * no name. NULL on failure: E_CONFIG, E_USAGE, E_NO_MEMORY. */
HF_API hf_conn *hf_conn_new_client(hf_config *config, const char *server_name, hf_error *err);

/* hf_conn_new_server makes the server's end. */
HF_API hf_conn *hf_conn_new_server(hf_config *config, hf_error *err);

/* hf_conn_free wipes and frees a connection in any state, also while a question waits, but not from
 * within a callback of it. Nothing is sent: see hf_conn_close. */
HF_API void hf_conn_free(hf_conn *conn);

/* hf_conn_set_session offers a session for resumption, before the handshake starts. false without
 * effect if it has expired, was used already (each TLS 1.3 ticket is offered once: RFC 8446 C.4),
 * was made for another server name, or on a connection that verified less than this one must: the
 * handshake will then be a full one. The session stands for the verification that was made then, with
 * the trust anchors of then: give it only to configurations that trust the same. */
HF_API bool hf_conn_set_session(hf_conn *conn, hf_session *session);

/* hf_conn_set_user keeps a pointer of the caller's; hf_conn_user returns it. */
HF_API void hf_conn_set_user(hf_conn *conn, void *user);
HF_API void *hf_conn_user(const hf_conn *conn);

/* hf_conn_handshake runs the handshake as far as it goes without new input. HF_DONE: it is complete
 * (the last bytes may still wait in hf_conn_output). HF_WANT_INPUT, HF_WANT_ANSWER, HF_FAILED.
 * Calling it is optional: hf_conn_receive and hf_conn_output start and continue a handshake. */
HF_API hf_result hf_conn_handshake(hf_conn *conn);

/* hf_conn_receive (reader) takes bytes that came from the peer. They are decrypted in place, so
 * `in` must be writable. *used is set to how many bytes are finished with: the caller removes them
 * and keeps the rest for the next call. *data and *data_len are set to the application data of at
 * most one record, a slice of `in` that is the caller's until it reuses the buffer.
 *
 *   HF_DONE         *data_len bytes of application data are there; there may be more: call again
 *                   with in + *used
 *   HF_WANT_INPUT   all complete records are used up; *data_len is 0
 *   HF_WANT_ANSWER  answer, then call again with in + *used
 *   HF_CLOSED       close_notify has come (RFC 8446 6.1); *used stops behind it, and what follows is
 *                   not TLS. This side may still send.
 *   HF_FAILED       hf_conn_error; send what hf_conn_output has (an alert) and give up
 *
 * A buffer of HF_RECORD_MAX bytes always holds a whole record. */
#define HF_RECORD_MAX (5 + 16384 + 256)
HF_API hf_result hf_conn_receive(hf_conn *conn, uint8_t *in, size_t len, size_t *used,
                                 uint8_t **data, size_t *data_len) HF_MUST_CHECK;

/* hf_conn_receive_end (reader) says that the transport has ended. HF_CLOSED if close_notify had come,
 * else HF_FAILED with E_TRUNCATED or E_HANDSHAKE_CUT. */
HF_API hf_result hf_conn_receive_end(hf_conn *conn) HF_MUST_CHECK;

/* hf_conn_next_size (reader) returns how many bytes the record that begins at `in` has in all, as
 * far as its header tells, at least 5: a caller that must not read past a record asks for these. */
HF_API size_t hf_conn_next_size(const hf_conn *conn, const uint8_t *in, size_t len);

/* hf_conn_output (writer) returns the bytes of the protocol (handshake, alerts, KeyUpdate) that wait
 * to be sent, and their number in *len; NULL and 0 if none. They stay until hf_conn_output_done
 * says how many were sent, or hf_conn_send has moved them; the pointer is good until the next call of
 * another function marked "writer" (in the handshake: of any). */
HF_API const uint8_t *hf_conn_output(hf_conn *conn, size_t *len);
HF_API void hf_conn_output_done(hf_conn *conn, size_t sent);

/* hf_conn_send (writer) protects application data: it reads from data and writes records into out,
 * after whatever hf_conn_output still holds. *taken is how much of data is in them, *written how
 * many bytes of out are to be sent, all of them, in this order. HF_DONE with *taken < len when out is
 * full; HF_WANT_OUTPUT if not even one byte fits; HF_WANT_INPUT if the handshake is not that far;
 * HF_CLOSED after hf_conn_close, which leaves the reading half alive, and where the peer closed in the middle of
 * a renegotiation; HF_FAILED.
 * data and out may not overlap. */
HF_API hf_result hf_conn_send(hf_conn *conn, const uint8_t *data, size_t len, size_t *taken,
                              uint8_t *out, size_t out_size, size_t *written) HF_MUST_CHECK;

/* hf_early: what became of early data. */
typedef enum hf_early {
    HF_EARLY_NONE,     /* there was none */
    HF_EARLY_OFFERED,  /* client: it may be sent, and the server has not said yet whether it takes it */
    HF_EARLY_ACCEPTED,
    HF_EARLY_REFUSED,  /* client: the server has dropped it; send again what was in it, if that is still right */
} hf_early;
HF_API hf_early hf_conn_early_data(const hf_conn *conn);

/* hf_conn_early_reason says in words why early data was refused ("it may be a repetition"), as far as this
 * side can know; "" if it was not. */
HF_API const char *hf_conn_early_reason(const hf_conn *conn);

/* hf_conn_early_room (writer) returns how many bytes of early data this client may still send; 0 once the
 * handshake has gone on. Before that, hf_conn_output (or hf_conn_handshake) must have made the ClientHello. */
HF_API size_t hf_conn_early_room(const hf_conn *conn);

/* hf_conn_send_early (writer) is hf_conn_send for early data. HF_CLOSED when there is no room, or no early data
 * at all. On a server early data comes out of hf_conn_receive like any other, while HF_IN_HANDSHAKE is still
 * set: all that comes before the handshake is done is early data. A server that has accepted it may answer
 * at once with hf_conn_send. */
HF_API hf_result hf_conn_send_early(hf_conn *conn, const uint8_t *data, size_t len, size_t *taken,
                                    uint8_t *out, size_t out_size, size_t *written) HF_MUST_CHECK;

/* hf_conn_send_size (writer) returns the size of `out` that takes len bytes of data at once, with
 * what waits in hf_conn_output; for after the handshake. */
HF_API size_t hf_conn_send_size(const hf_conn *conn, size_t len);

/* hf_conn_close (writer) ends this side's half: close_notify is put behind what waits to be sent
 * (RFC 8446 6.1). The peer may go on sending. Harmless when called again. During the handshake it
 * ends that: what can still be sent is the closing alerts, and all else fails with E_WRITE_CLOSED. */
HF_API void hf_conn_close(hf_conn *conn);

/* hf_conn_key_update (writer) renews this side's sending key and, if request is true, asks the peer
 * to do the same (RFC 8446 4.6.3). HF_CLOSED, and nothing happens, on TLS 1.2 and older, which cannot. */
HF_API hf_result hf_conn_key_update(hf_conn *conn, bool request) HF_MUST_CHECK;

/* hf_conn_renegotiate starts a new handshake within a connection of TLS 1.2 or older (RFC 5246 7.4.1): a
 * client sends a ClientHello, a server a HelloRequest, which the client may ignore. HF_DONE: hf_conn_output
 * has it; application data waits until the handshake is done. HF_FAILED with E_USAGE, and the connection
 * lives on, where renegotiation is not allowed, the peer does not do it securely, or TLS 1.3 is spoken: then
 * hf_conn_key_update is what there is. */
HF_API hf_result hf_conn_renegotiate(hf_conn *conn, hf_error *err) HF_MUST_CHECK;

/* hf_conn_request_certificate (writer; server) asks the client for a certificate after the handshake (RFC 8446
 * 4.6.2). mode says what becomes of a client that has none: with HF_CLIENT_AUTH_REQUIRE the connection fails with
 * E_CERTIFICATE_REQUIRED. HF_DONE: hf_conn_output has the request. The answer comes when the client sends it, which
 * may take long, for it may ask a person; application data flows meanwhile. It is verified as in the
 * handshake (trust, rules, HF_ASK_VERIFY), within hf_conn_receive; one that is not good ends the connection.
 * While HF_ASK_VERIFY waits, hf_conn_receive returns HF_WANT_ANSWER. When it is good, hf_conn_post_auth says so,
 * hf_conn_peer_certificate and its like tell of it (an answer without a certificate leaves none, whatever was
 * shown before), and the client gets as many new tickets as after a full handshake, which know it.
 *
 * HF_FAILED, and the connection lives on: E_NO_POST_AUTH if the client does not offer it; E_USAGE if TLS 1.3 is
 * not spoken, or HTTP/2 is (ALPN "h2": RFC 8740 3), the configuration does not allow it, one request is under way already, or the connection is
 * closed; E_CONFIG if nothing says whom to trust; E_NOT_HANDSHAKEN. Other failures end it: hf_conn_error. */
HF_API hf_result hf_conn_request_certificate(hf_conn *conn, hf_client_auth mode,
                                             hf_error *err) HF_MUST_CHECK;

/* hf_conn_post_auth (any thread) says how far authentication after the handshake is. What hf_conn_receive hands
 * out after a call of it has returned DONE was sent by the client that has authenticated.
 *
 * A client answers several requests in their order. A question of such an answer (HF_ASK_CREDENTIAL,
 * HF_ASK_SIGNATURE) may wait, and data flows meanwhile: hf_conn_receive does not return HF_WANT_ANSWER on a client
 * then; hf_conn_question has the question. On both sides the questions, their answers, hf_conn_handshake, which
 * goes on after an answer, and what tells about the peer's certificate, belong to the reader here, and the writer
 * sends what comes of it (hf_conn_output). */
typedef enum hf_post_auth {
    HF_POST_AUTH_NONE,     /* it is not possible */
    HF_POST_AUTH_POSSIBLE, /* both sides are willing */
    HF_POST_AUTH_PENDING,  /* a request has not been answered yet */
    HF_POST_AUTH_DONE,     /* all requests have been answered */
} hf_post_auth;
HF_API hf_post_auth hf_conn_post_auth(const hf_conn *conn);

/* hf_conn_wants (writer) derives from the buffers what the caller can do now: a mask of HF_CAN_ bits. */
enum {
    HF_CAN_RECEIVE = 1, /* bytes from the peer are welcome */
    HF_CAN_OUTPUT = 2,  /* hf_conn_output has bytes to send */
    HF_CAN_SEND = 4,    /* application data may be sent */
    HF_CAN_ANSWER = 8,  /* a question waits for its answer; after it, hf_conn_handshake goes on */
    HF_IN_HANDSHAKE = 16,
    HF_IS_CLOSED_IN = 32,  /* the peer has sent close_notify */
    HF_IS_CLOSED_OUT = 64, /* hf_conn_close was called */
    HF_IS_FAILED = 128,
};
HF_API unsigned hf_conn_wants(const hf_conn *conn);

/* hf_conn_error returns the error that ended the connection, or NULL. Whoever got HF_FAILED finds one. */
HF_API const hf_error *hf_conn_error(const hf_conn *conn);

/* hf_conn_hibernate drops what can be computed again (AEAD contexts) until the connection is used
 * next. For a moment in which neither a reader nor a writer is at work; false if the handshake is not
 * done. */
HF_API bool hf_conn_hibernate(hf_conn *conn);

/* hf_conn_memory returns how many bytes the connection holds now, as far as handfast counts them:
 * its own objects and buffers, not libcrypto's. For the writer, while no reader is at work. */
HF_API size_t hf_conn_memory(const hf_conn *conn);

/* ---- what was agreed. Valid after the handshake, 0, NULL or false before; but for the callbacks the
 * server's name, whether there was a retry, and the peer's certificates and OCSP response are there as
 * soon as they are known. Pointers are good until the connection is freed or renegotiates. */

HF_API uint16_t hf_conn_version(const hf_conn *conn);
HF_API uint16_t hf_conn_suite(const hf_conn *conn);
HF_API uint16_t hf_conn_group(const hf_conn *conn);     /* TLS 1.3: 0 after resumption without key exchange; older: the session's */
HF_API uint16_t hf_conn_signature(const hf_conn *conn); /* the peer's; 0 if it did not sign */
HF_API bool hf_conn_resumed(const hf_conn *conn);

/* hf_conn_ticket_age_skew (server, TLS 1.3) tells by how many seconds the client's view of the age of the
 * ticket that it resumed with is above ours (RFC 8446 4.2.11.1): how far its clock runs fast. 0 if no ticket
 * was used, or it is right. */
HF_API int32_t hf_conn_ticket_age_skew(const hf_conn *conn);
HF_API bool hf_conn_retried(const hf_conn *conn); /* there was a HelloRetryRequest */
HF_API bool hf_conn_is_server(const hf_conn *conn);
HF_API const char *hf_conn_server_name(const hf_conn *conn); /* asked for (client), sent (server) */
HF_API const uint8_t *hf_conn_alpn(const hf_conn *conn, size_t *len); /* NULL and 0 if none */
HF_API bool hf_conn_verified(const hf_conn *conn); /* the peer's chain (and name) was verified */

/* hf_conn_peer_certificate returns the i-th certificate that the peer sent, or sent in the session
 * that was resumed; NULL past the end. */
HF_API const hf_certificate *hf_conn_peer_certificate(const hf_conn *conn, size_t i);

/* hf_conn_verified_certificate returns the i-th certificate of the path that was verified: the peer's own
 * first, the trust anchor last; NULL past the end, and where hf_conn_verified is false. */
HF_API const hf_certificate *hf_conn_verified_certificate(const hf_conn *conn, size_t i);

/* hf_conn_peer_ocsp returns the peer's stapled OCSP response (DER), NULL if none. */
HF_API const uint8_t *hf_conn_peer_ocsp(const hf_conn *conn, size_t *len);

/* hf_conn_peer_scts returns the timestamp list that came with the peer's certificate, NULL if none. */
HF_API const uint8_t *hf_conn_peer_scts(const hf_conn *conn, size_t *len);

/* hf_conn_peer_compression returns the algorithm that the peer's certificate was compressed with (RFC 8879 3), 0 if
 * it came as it is or not at all. *compressed and *size (each may be NULL) are the bytes that came, and those of
 * the message that they stand for. */
HF_API uint16_t hf_conn_peer_compression(const hf_conn *conn, size_t *compressed, size_t *size);

/* hf_conn_ems: TLS 1.3, or extended_master_secret was used (RFC 7627). hf_conn_etm: encrypt-then-MAC. */
HF_API bool hf_conn_ems(const hf_conn *conn);
HF_API bool hf_conn_etm(const hf_conn *conn);

/* hf_conn_secure_renegotiation: the peer supports RFC 5746, or TLS 1.3 is spoken. */
HF_API bool hf_conn_secure_renegotiation(const hf_conn *conn);

/* hf_conn_psk_identity returns the identity of the external pre-shared key that was used, NULL if none. */
HF_API const uint8_t *hf_conn_psk_identity(const hf_conn *conn, size_t *len);

/* hf_conn_config returns the connection's configuration. */
HF_API hf_config *hf_conn_config(const hf_conn *conn);

/* hf_conn_export derives keying material (RFC 8446 7.5): label without prefix, context of any
 * length (NULL and 0 are the same as empty in TLS 1.3). len at most 255 times the hash size. A server of TLS
 * 1.3 may call it once its Finished is made, with the client's part still to come: nothing says then that the
 * client is there. Before, E_NOT_HANDSHAKEN.
 *
 * hf_conn_export_early derives it from the secret that protects early data (early_exporter_master_secret): for
 * a client that offers early data, for a server that has accepted it, until the handshake is done; like early
 * data it may be replayed. E_NOT_HANDSHAKEN at any other time. */
HF_API bool hf_conn_export(const hf_conn *conn, const char *label, const uint8_t *context,
                           size_t context_len, uint8_t *out, size_t len, hf_error *err);
HF_API bool hf_conn_export_early(const hf_conn *conn, const char *label, const uint8_t *context,
                                 size_t context_len, uint8_t *out, size_t len, hf_error *err);

/* hf_conn_channel_binding writes what ties another protocol's authentication to this connection (RFC 5056), at
 * most HF_BINDING_MAX bytes, and returns their number; 0 where the binding does not exist: before the handshake
 * is done; tls-unique in TLS 1.3 (RFC 9266 4) and without extended_master_secret, where it does not bind (RFC
 * 7627 1); tls-server-end-point where the server showed no certificate, as after a resumption. */
typedef enum hf_binding {
    HF_BINDING_UNIQUE,           /* tls-unique: the first Finished of the last handshake (RFC 5929 3) */
    HF_BINDING_SERVER_END_POINT, /* tls-server-end-point: the hash of its certificate (RFC 5929 4) */
    HF_BINDING_EXPORTER,         /* tls-exporter (RFC 9266); the one to use */
} hf_binding;
#define HF_BINDING_MAX 64
HF_API size_t hf_conn_channel_binding(const hf_conn *conn, hf_binding type,
                                      uint8_t out[HF_BINDING_MAX]);

/* ---------------------------------------------------------------- sessions */

HF_API hf_session *hf_session_ref(hf_session *session);
HF_API void hf_session_free(hf_session *session);

/* hf_session_export writes a session as bytes that hf_session_import reads, in this and later
 * versions. They contain secrets. Returns their number, or what would be needed if that is more than
 * size (out may then be NULL). */
HF_API size_t hf_session_export(const hf_session *session, uint8_t *out, size_t size);
HF_API hf_session *hf_session_import(const uint8_t *bytes, size_t len, hf_error *err);

HF_API const char *hf_session_server_name(const hf_session *session);
HF_API uint16_t hf_session_version(const hf_session *session);
HF_API uint16_t hf_session_suite(const hf_session *session);
HF_API int64_t hf_session_expires(const hf_session *session);
HF_API uint32_t hf_session_max_early_data(const hf_session *session); /* bytes; 0: none allowed */

/* hf_session_id returns the session ID of TLS 1.2 and older (at most 32 bytes), NULL and 0 if there is
 * none; hf_session_has_ticket, whether the server gave a ticket. */
HF_API const uint8_t *hf_session_id(const hf_session *session, size_t *len);
HF_API bool hf_session_has_ticket(const hf_session *session);

/* hf_session_import_openssl reads what `openssl s_client -sess_out` and i2d_SSL_SESSION write: an
 * SSL_SESSION, PEM or DER. server_name is whom it was made with. The verification that stands behind it is
 * taken from its verify result. E_SESSION_DATA. */
HF_API hf_session *hf_session_import_openssl(const uint8_t *bytes, size_t len, const char *server_name,
                                             hf_error *err);

/* ---------------------------------------------------------------- questions */

/* hf_ask: what a connection may ask its application. By default the library answers itself. With a
 * callback set, the callback answers by one hf_answer_ function and returns true, or returns false:
 * then the handshake waits (HF_WANT_ANSWER) until the answer is given, from outside the callback;
 * hf_conn_handshake, hf_conn_receive or hf_conn_output go on with it. The callback may call any
 * function of its connection but hf_conn_free; what would run the handshake returns HF_WANT_ANSWER. */
typedef enum hf_ask {
    HF_ASK_NONE = 0,
    HF_ASK_CREDENTIAL, /* which certificate to use: hf_answer_credential */
    HF_ASK_SIGNATURE,  /* sign with the private key: hf_answer_signature */
    HF_ASK_VERIFY,     /* judge the peer's chain: hf_answer_verify */
    HF_ASK_HELLO,      /* server: the ClientHello is there; choose the configuration: hf_answer_hello */
    HF_ASK_PSK,        /* TLS 1.2: which pre-shared key: hf_answer_psk */
    HF_ASK_EARLY_DATA, /* server: accept this client's early data: hf_answer_early_data */
    HF_ASK_TICKET,     /* server: open a ticket: hf_answer_ticket */
    HF_ASK_COUNT,
} hf_ask;

typedef struct hf_question {
    hf_ask ask;
    const char *server_name;      /* name asked for, or NULL */
    const uint16_t *signatures;   /* CREDENTIAL: signature schemes that the peer accepts */
    size_t signature_count;
    uint16_t scheme;              /* SIGNATURE: scheme to use */
    const hf_credential *credential; /* SIGNATURE: the credential that was chosen */
    const uint8_t *to_be_signed;  /* SIGNATURE: the message, to be hashed and signed */
    size_t to_be_signed_len;
    const hf_error *verdict;      /* VERIFY: NULL if the library would accept, else why it would not */
    const uint8_t *hello;         /* HELLO: the whole ClientHello message */
    size_t hello_len;
    const uint8_t *identity;      /* PSK: server: what the client says it is; client: the server's hint */
    size_t identity_len;
    bool takes_certificate;       /* CREDENTIAL: the peer takes X.509 certificates */
    bool takes_raw_key;           /* CREDENTIAL: it takes raw public keys (RFC 7250) */
    const uint8_t *ticket;        /* TICKET: what the client sent; in TLS 1.3 perhaps an identity of a key */
    size_t ticket_len;
} hf_question;

typedef bool (*hf_ask_fn)(hf_conn *conn, const hf_question *question, void *arg);
HF_API bool hf_config_set_ask(hf_config *config, hf_ask ask, hf_ask_fn fn, void *arg);

/* hf_conn_question returns the question that waits, or NULL. */
HF_API const hf_question *hf_conn_question(const hf_conn *conn);

/* The answers. false if that question does not wait, or the answer cannot be used (a signature longer
 * than any, a configuration that cannot be frozen): then the question still waits. credential NULL:
 * none (a client then sends an empty Certificate; a server fails with E_NO_CREDENTIAL). signature NULL
 * with 0: the key refused (E_CRYPTO). accept false: E_VERIFY_REFUSED, or the library's own verdict if
 * that was bad. config NULL: go on with this one; otherwise one made for servers, which is frozen; all
 * that follows is its, but for the trace, which stays that of the first. */
HF_API bool hf_answer_credential(hf_conn *conn, hf_credential *credential);
HF_API bool hf_answer_signature(hf_conn *conn, const uint8_t *signature, size_t len);
HF_API bool hf_answer_verify(hf_conn *conn, bool accept);
HF_API bool hf_answer_hello(hf_conn *conn, hf_config *config);

/* hf_answer_refuse answers any question by ending the handshake with E_REFUSED; alert (RFC 8446 6.2, 1 to
 * 254) tells the peer why, as certificate_revoked (44) or handshake_failure (40). */
HF_API bool hf_answer_refuse(hf_conn *conn, uint8_t alert);

/* hf_answer_psk: identity is what a client sends (a server's is ignored); key NULL with 0: there is none
 * (E_UNKNOWN_PSK, E_NO_PSK). */
HF_API bool hf_answer_psk(hf_conn *conn, const uint8_t *identity, size_t identity_len,
                          const uint8_t *key, size_t key_len);

/* hf_answer_early_data: false refuses the early data, and the handshake goes on without. It is asked only
 * where the library would accept it. */
HF_API bool hf_answer_early_data(hf_conn *conn, bool accept);

/* hf_answer_ticket: the session that was sealed in the ticket (a reference is taken); NULL: it cannot be
 * opened, or shall not be used, and the handshake goes on without it. A session that has expired, or does not
 * go with this handshake, is not used either. renew: a client of TLS 1.2 or older gets a new ticket, too; one
 * of TLS 1.3 always does. With the callback set the server's ticket keys open nothing. */
HF_API bool hf_answer_ticket(hf_conn *conn, hf_session *session, bool renew);

#include "handfast_policy.h"
#include "handfast_verify.h"

#ifdef __cplusplus
}
#endif

#include "handfast_raw_key.h"

#endif

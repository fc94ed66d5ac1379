/* handfast_context.h: configurations the way that Python's ssl module and OpenSSL make contexts: by purpose or
 * protocol, with option flags, verify modes, minimum and maximum versions; and what a configuration or a connection
 * says of itself in their terms. Whoever knows neither needs none of this: handfast.h is enough. What holds for
 * all setters is said there. */
#ifndef HANDFAST_CONTEXT_H
#define HANDFAST_CONTEXT_H

#include "handfast_names.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- making them
 *
 * hf_config_default makes a configuration for a purpose: to know servers (HF_PURPOSE_SERVER_AUTH: a client, which
 * verifies chain and name), or to know clients (HF_PURPOSE_CLIENT_AUTH: a server, which asks for no certificate
 * until hf_config_set_verify_mode says so). Both verify strictly (HF_VERIFY_STRICT besides the defaults). The
 * anchors are those of ca_file (PEM), ca_folder (hashed names) and ca_data (PEM or DER, ca_data_len bytes), each of
 * which may be NULL; with none of the three a client takes the platform's. NULL with the error of
 * hf_trust_add_file and its like, or E_NO_MEMORY. No key log is switched on: see
 * hf_config_insecure_set_keylog_environment. */
typedef enum hf_purpose { HF_PURPOSE_SERVER_AUTH, HF_PURPOSE_CLIENT_AUTH } hf_purpose;
HF_API hf_config *hf_config_default(hf_purpose purpose, const char *ca_file,
                                    const char *ca_folder, const void *ca_data,
                                    size_t ca_data_len, hf_error *err);

/* hf_config_new_protocol makes a configuration for a protocol; role counts where the protocol leaves it open. It is
 * as safe as hf_config_new's. NULL: E_PROHIBITED_PROTOCOL for SSL 2.0 and 3.0, E_CONFIG for an unknown number,
 * E_USAGE for a role that is not the protocol's, E_NO_MEMORY. TLS 1.0 and 1.1 can be used after
 * hf_config_insecure_set_security_level(config, 0). */
HF_API hf_config *hf_config_new_protocol(hf_protocol protocol, hf_role role, hf_error *err);

/* hf_config_role returns for which role a configuration was made. */
HF_API hf_role hf_config_role(const hf_config *config);

/* hf_config_set_policy sets versions, suites, groups, signature schemes, security level and the rules for paths to
 * those of a policy with a date, "2026-11", which will never change; "current" is the newest one, and what
 * hf_config_new sets may be stricter than either in a later release. E_CONFIG for an unknown name, with the
 * known ones. hf_policy_name lists them, newest first; NULL behind the last. */
HF_API bool hf_config_set_policy(hf_config *config, const char *name);
HF_API const char *hf_policy_name(size_t i);

/* hf_config_check says whether a configuration could be used as it is now, and leaves it open for changes: it finds
 * an empty range of versions or one with a hole in it, lists of which nothing is left, keys that are too weak,
 * anchors that cannot be loaded, and what a setter has refused. */
HF_API bool hf_config_check(const hf_config *config, hf_error *err);

/* ---- versions
 *
 * hf_config_set_minimum_version and hf_config_set_maximum_version take HF_TLS1_0 to HF_TLS1_3,
 * HF_VERSION_MINIMUM_SUPPORTED or HF_VERSION_MAXIMUM_SUPPORTED. They may be called in any order: a range that is empty
 * when the configuration is used is E_CONFIG then, and hf_config_check finds it before. E_CONFIG at once for SSL
 * 2.0 and 3.0 and for what is no version. The getters return what was set. */
HF_API bool hf_config_set_minimum_version(hf_config *config, int version);
HF_API bool hf_config_set_maximum_version(hf_config *config, int version);
HF_API uint16_t hf_config_minimum_version(const hf_config *config);
HF_API uint16_t hf_config_maximum_version(const hf_config *config);

/* ---- options, with OpenSSL 3's values
 *
 * hf_config_set_options replaces the set; hf_config_options returns it, so that `set_options(c, options(c) | X)`
 * adds one. Those marked "always" are set whatever is asked for, and clearing them changes nothing: the getter
 * shows it. E_CONFIG names bits that are not known.
 *
 * HF_OP_NO_TICKET: no tickets (RFC 5077) before TLS 1.3, where sessions by ID stay. A server's tickets of TLS 1.3 are
 * then numbers of sessions in its cache (hf_config_set_session_cache, hf_config_set_session_store), each good for one
 * use; how many there are is still hf_config_set_tickets'. */
/* clang-format off */
#define HF_OP_INSECURE_LEGACY_SERVER_CONNECT  UINT64_C(0x4)             /* clients: hf_config_insecure_allow_unpatched */
#define HF_OP_ENABLE_KTLS                     UINT64_C(0x8)             /* a wish: there is no kTLS (hf_have), records are protected here */
#define HF_OP_INSECURE_IGNORE_UNEXPECTED_EOF  UINT64_C(0x80)            /* hf_config_insecure_ignore_truncation */
#define HF_OP_NO_TICKET                       UINT64_C(0x4000)          /* see above */
#define HF_OP_NO_COMPRESSION                  UINT64_C(0x20000)         /* always */
#define HF_OP_ENABLE_MIDDLEBOX_COMPAT         UINT64_C(0x100000)        /* default; hf_config_set_middlebox_compat */
#define HF_OP_CIPHER_SERVER_PREFERENCE        UINT64_C(0x400000)        /* default; hf_config_set_server_preference */
#define HF_OP_NO_SSL2                         UINT64_C(0)               /* always; the bit is gone */
#define HF_OP_NO_SSL3                         UINT64_C(0x2000000)       /* always */
#define HF_OP_NO_TLS1_0                       UINT64_C(0x4000000)
#define HF_OP_NO_TLS1_2                       UINT64_C(0x8000000)
#define HF_OP_NO_TLS1_1                       UINT64_C(0x10000000)
#define HF_OP_NO_TLS1_3                       UINT64_C(0x20000000)
#define HF_OP_NO_RENEGOTIATION                UINT64_C(0x40000000)      /* default; cleared: hf_config_set_renegotiation(config, 1) */
#define HF_OP_SINGLE_DH_USE                   UINT64_C(0)               /* always; the bit is gone */
#define HF_OP_SINGLE_ECDH_USE                 UINT64_C(0)               /* always; the bit is gone */
#define HF_OP_ALL                             UINT64_C(0x80000050)      /* workarounds for old peers: none is needed; kept, and shown */
/* clang-format on */
HF_API bool hf_config_set_options(hf_config *config, uint64_t mask);
HF_API uint64_t hf_config_options(const hf_config *config);

/* hf_option_name returns the name of one bit as OpenSSL has it, without its prefix ("NO_TLSv1_2"), or NULL. */
HF_API const char *hf_option_name(uint64_t bit);

/* hf_config_insecure_ignore_truncation takes the end of the transport for the peer's close_notify, once the
 * handshake is done: whoever cuts the wire can then shorten what the peer says. Default off: E_TRUNCATED. The
 * end in the middle of a handshake message stays an error; bytes of a record that is not complete are lost. */
HF_API bool hf_config_insecure_ignore_truncation(hf_config *config, bool on);

/* ---- verification, in three words
 *
 * HF_CERT_NONE: a server asks for no certificate; for a client hf_config_insecure_no_verify has to be said, and this
 * setter refuses it with E_CONFIG. HF_CERT_OPTIONAL: a server asks, and verifies what it gets; a client verifies
 * (the same as REQUIRED). HF_CERT_REQUIRED: the peer must show a certificate that is verified. For a client that is
 * who signed the certificate, not whose it is: names are checked besides (hf_config_set_name_check). */
typedef enum hf_verify_mode { HF_CERT_NONE, HF_CERT_OPTIONAL, HF_CERT_REQUIRED } hf_verify_mode;
HF_API bool hf_config_set_verify_mode(hf_config *config, hf_verify_mode mode);
HF_API hf_verify_mode hf_config_verify_mode(const hf_config *config);

/* hf_config_set_name_check with true checks whose certificate it is (clients' default), and switches verification on
 * where it was off, because a name means nothing without it. With false it fails with E_CONFIG: say
 * hf_config_insecure_no_name_check. hf_config_name_check says which it is. */
HF_API bool hf_config_set_name_check(hf_config *config, bool on);
HF_API bool hf_config_name_check(const hf_config *config);

/* ---- key log by environment
 *
 * hf_config_insecure_set_keylog_environment logs keys to the file that the environment variable SSLKEYLOGFILE names, as
 * hf_config_insecure_set_keylog_file does; true, and nothing happens, where it is not set or empty. A program with
 * rights that its user has not (set-user-ID) is refused with E_CONFIG. */
HF_API bool hf_config_insecure_set_keylog_environment(hf_config *config);

/* ---- lists and their names
 *
 * hf_config_set_client_signatures says which schemes clients sign with: on a client its own choice, on a server
 * what it asks for; default: those of hf_config_set_signatures, which are then servers' alone. NULL goes back to
 * that.
 *
 * hf_config_groups and hf_config_signatures write the names in order, with colons between them, as snprintf does:
 * the length without the NUL is returned. config NULL: all that this library has, with the libcrypto that is
 * loaded. aliases: the other names of a group behind its own ("secp256r1:P-256:prime256v1"). clients: those that
 * clients sign with. hf_config_alpn writes the protocols with commas between them. */
HF_API bool hf_config_set_client_signatures(hf_config *config, const char *list);
HF_API size_t hf_config_groups(const hf_config *config, bool aliases, char *out, size_t size);
HF_API size_t hf_config_signatures(const hf_config *config, bool clients, char *out,
                                   size_t size);
HF_API size_t hf_config_alpn(const hf_config *config, char *out, size_t size);

/* hf_config_set_group_list is hf_config_set_groups in OpenSSL's language (SSL_CTX_set1_groups_list(3) of 3.5): names
 * with ':' between them, or '/' between tuples, of which an earlier one is preferred even if that costs a round
 * trip; "*" before a name: a client sends a key share for it; "?": ignored if it is unknown; "-": taken out of the
 * list again; DEFAULT: the groups that hf_config_new sets. OpenSSL's names (prime256v1, P-256, X25519) do. E_CONFIG for
 * what does not belong to the language, an unknown name without "?", and if nothing is left. */
HF_API bool hf_config_set_group_list(hf_config *config, const char *list);

/* hf_config_load_dh_params (server) reads a file of Diffie-Hellman parameters (PEM or DER). In TLS 1.2 and older its
 * group is for clients that name no group of RFC 7919; those that do get one of these (RFC 7919 4), and the one that is
 * at least as long as the file's prime is added to the groups. Nobody checks that the prime is a safe one: exponents are
 * as long as it is. E_WEAK_DH below 2048 bits and if the modulus is no prime, E_CONFIG above 8192 bits, E_FILE, E_PEM.
 * Suites with DHE must be allowed besides. */
HF_API bool hf_config_load_dh_params(hf_config *config, const char *path);

/* hf_cipher: what get_ciphers() of Python's ssl says about a suite, in the same words. NULL stands for None. */
typedef struct hf_cipher {
    uint32_t id;          /* 0x0300 and the suite's number */
    const char *name;     /* OpenSSL's: "ECDHE-RSA-AES128-GCM-SHA256" */
    const char *protocol; /* the oldest that has it: "TLSv1.3", "TLSv1.2", "TLSv1.0", "SSLv3" */
    char description[128]; /* one line, in columns */
    int strength_bits, alg_bits;
    bool aead;
    const char *symmetric; /* "aes-128-gcm" */
    const char *digest;    /* of the records' MAC: "sha1", NULL with an AEAD */
    const char *kea;       /* "kx-ecdhe" */
    const char *auth;      /* "auth-rsa" */
} hf_cipher;

/* hf_cipher_of fills *out for a suite; false if the library has it not. hf_conn_cipher does so for the suite that was
 * agreed; false before. hf_config_ciphers_json writes the configuration's suites as get_ciphers() lists them, as one
 * JSON array, in the order of preference; as snprintf. */
HF_API bool hf_cipher_of(uint16_t suite, hf_cipher *out);
HF_API bool hf_conn_cipher(const hf_conn *conn, hf_cipher *out);
HF_API size_t hf_config_ciphers_json(const hf_config *config, char *out, size_t size);

/* ---- the other getters of a configuration */
HF_API unsigned hf_config_ticket_count(const hf_config *config); /* hf_config_set_tickets */
HF_API bool hf_config_post_handshake_auth(const hf_config *config);
HF_API unsigned hf_config_verify_depth(const hf_config *config);

/* ---- pre-shared keys by callback, in all versions
 *
 * hf_config_ask_psk_in_tls13 makes HF_ASK_PSK count for TLS 1.3 as well: a client is asked before its first message
 * what key it offers (question: no identity; the answer's identity has 1 to 256 bytes; NULL and 0: none), a server
 * about each identity of at most 256 bytes that is no ticket and in no list of its own. The keys go with SHA-256. In
 * TLS 1.2 the question comes as before, so a client that offers both versions may be asked twice. Default off:
 * hf_config_add_psk and hf_config_import_psk are for TLS 1.3. */
HF_API bool hf_config_ask_psk_in_tls13(hf_config *config, bool on);

/* ---- what a connection was agreed on, for those who ask more than most
 *
 * hf_config_keep_details makes connections remember more of their handshake, which costs memory (some hundred
 * bytes each): what hf_conn_shared_suites and hf_conn_own_signature tell. Default off.
 *
 * hf_conn_shared_suites (server) writes the suites that the client offered and the configuration has, in the
 * client's order, at most max, and returns their number; 0 on a client, before the handshake is done, and
 * without details. hf_conn_own_signature is the scheme that this side signed with (hf_conn_signature: the peer's), 0 if it
 * did not. hf_conn_compression returns NULL: records are never compressed. */
HF_API bool hf_config_keep_details(hf_config *config, bool on);
HF_API size_t hf_conn_shared_suites(const hf_conn *conn, uint16_t *out, size_t max);
HF_API uint16_t hf_conn_own_signature(const hf_conn *conn);
HF_API const char *hf_conn_compression(const hf_conn *conn);

/* ---- sessions: what Python's SSLSession says. hf_session_time: when it was made, in seconds. hf_session_timeout:
 * for how many seconds from then on it is good here. hf_session_lifetime_hint: the same if the server gave a ticket
 * (it is the ticket's word, but for more than a week and for 0, which leaves it to the client), else 0. hf_session_key writes what tells sessions apart, of all versions, as a key for a
 * store: the SHA-256 of ticket and ID. */
#define HF_SESSION_KEY_SIZE 32
HF_API int64_t hf_session_time(const hf_session *session);
HF_API uint32_t hf_session_timeout(const hf_session *session);
HF_API uint32_t hf_session_lifetime_hint(const hf_session *session);
HF_API void hf_session_key(const hf_session *session, uint8_t out[HF_SESSION_KEY_SIZE]);

#ifdef __cplusplus
}
#endif

#endif

/* access.h: the one door from libssl/ into the engine, besides handfast.h. It speaks libcrypto's types and
 * shows what the public API keeps to itself. The functions live in src/access/, the last room but the
 * command's: it may include every other. Nothing here is exported from libhandfast. */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "config/applications.h"
#include "config/checks.h"
#include "config/cipher_rules.h" /* as it is: OpenSSL's language for lists of suites */
#include "config/dh_group.h"
#include "config/session_asn1.h" /* as it is: the fields of SSL_SESSION */
#include "config/session_ids.h"
#include "config/session_secrets.h"
#include "handfast.h"
#include "handshake/details.h"

/* ---- certificates and keys (certificate.c) */

/* access_init, before all else: certificates are decoded once, the way libcrypto's users expect, where the engine
 * alone would take a quicker one and decode again what a program asks to see. */
void access_init(void);

/* access_warm_up does once per process what the first handshake with a private key would do otherwise: algorithms are
 * found, and libcrypto's generator is seeded. Processes that fork later share it. */
void access_warm_up(void);

/* access_credential: leaf, chain without the leaf (may be NULL), key; an engine's or another provider's may do.
 * References of its own. NULL with the error. */
hf_credential *access_credential(X509 *leaf, STACK_OF(X509) * chain, EVP_PKEY *key,
                                 hf_error *err);
/* access_credential_with_ocsp: the same credential with another stapled response; `response` is copied. */
hf_credential *access_credential_with_ocsp(const hf_credential *cred, const uint8_t *response,
                                           size_t len);
/* access_x509: borrowed; it lives as long as the certificate, and shared: whoever keeps it takes a reference.
 * NULL: no memory. */
X509 *access_x509(const hf_certificate *cert);

/* access_verdict_known, access_verdict_remember: the process's memory of good verdicts (x509/verdict.h). */
bool access_verdict_known(const uint8_t id[32], int64_t now);
void access_verdict_remember(const uint8_t id[32], int64_t from, int64_t until);

/* ---- sessions (session.c) */

/* What a session is made of. Pointers are borrowed from the session, or, for access_session_new, copied. */
struct access_session {
    uint16_t version, suite;
    const uint8_t *secret; /* master secret, or the resumption PSK of TLS 1.3 */
    size_t secret_len;
    const uint8_t *id;
    size_t id_len;
    const uint8_t *ticket;
    size_t ticket_len;
    uint32_t lifetime, age_add, max_early_data;
    int64_t issued_ms;
    const char *server_name;
    const uint8_t *alpn;
    size_t alpn_len;
    const uint8_t *context;
    size_t context_len;
    bool ems;
    uint16_t max_fragment, group, signature;
    bool verified;                /* the chain was */
    hf_certificate *const *chain; /* the peer's, own certificate first */
    size_t chain_len;
};
void access_session_read(const hf_session *session, struct access_session *out);
hf_session *access_session_new(const struct access_session *from);
/* access_session_use_again lets a TLS 1.3 session be offered once more. */
void access_session_use_again(hf_session *session);
/* access_session_external makes what stands for an external key in a TLS 1.3 handshake (RFC 8446 4.2.11): the
 * suite says which hash it goes with. For hf_answer_ticket, and access_offer_external on a client. */
hf_session *access_session_external(const uint8_t *identity, size_t identity_len,
                                    const uint8_t *key, size_t key_len, uint16_t suite,
                                    uint32_t max_early_data);
/* access_offer_external (client, before the handshake) offers it beside a session that is resumed; takes a
 * reference. */
bool access_offer_external(hf_conn *conn, hf_session *external);
/* access_session_set_lifetime: for how many seconds; of a session that nobody else has yet. */
void access_session_set_lifetime(hf_session *session, uint32_t seconds);
/* access_session_of makes a session of what a connection has agreed on: one to look at. NULL before. */
hf_session *access_session_of(const hf_conn *conn);

/* ---- random numbers, MACs and ciphers (secrets.c) */

/* access_random: without a lock, and without seeding libcrypto's generator; false: there is no randomness. */
bool access_random(void *out, size_t n) __attribute__((warn_unused_result));
/* A key of HMAC-SHA256 that is used often: what it is hashed to. To be wiped. */
struct access_hmac {
    uint64_t state[58];
};
void access_hmac_init(struct access_hmac *hmac, const uint8_t *key, size_t key_len);
void access_hmac_sha256(const struct access_hmac *hmac, const uint8_t *p, size_t len,
                        uint8_t out[32]);
/* access_aes_cbc: AES-256-CBC with padding; out has room for 16 bytes more and does not overlap. Authenticate
 * first; what is left of a decryption that fails is to be wiped. */
bool access_aes_cbc(const uint8_t key[32], const uint8_t iv[16], bool encrypt,
                    const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
    __attribute__((warn_unused_result));

/* ---- configurations (lists.c) */

/* Lists by their numbers, in order; a list of 0 leaves the default, but suites: none of these versions.
 * Numbers that the engine does not know are left out. alpn is a client's ProtocolNameList. */
struct access_lists {
    const uint16_t *suites13, *suites, *groups, *sigalgs, *client_sigalgs;
    size_t suites13_count, suites_count, groups_count, sigalgs_count, client_sigalgs_count;
    const uint8_t *alpn;
    size_t alpn_len;
};
bool access_config_lists(hf_config *config, const struct access_lists *lists);

/* access_config_request_types: the certificate_types of a server's request in TLS 1.2, at most 16. */
bool access_config_request_types(hf_config *config, const uint8_t *types, size_t count);

/* access_config_ocsp_request (client): the OCSPStatusRequest of its status_request (RFC 6066 8): the list of
 * responders and the extensions, each with its length; copied. Empty ones without. */
bool access_config_ocsp_request(hf_config *config, const uint8_t *request, size_t len);

/* access_config_checks: asked about what the peer chooses; `checks` must stay. */
bool access_config_checks(hf_config *config, const struct checks *checks);

/* access_config_dh (server): where the groups of finite-field DH come from before TLS 1.3; `source` must stay. */
bool access_config_dh(hf_config *config, const struct dh_source *source);

/* access_config_half_rtt (server): it may send as soon as its own Finished is out, also to who has sent no early data
 * (RFC 8446 4.4.4). */
bool access_config_half_rtt(hf_config *config);

/* access_config_record_padding: how many zeros go behind the content of a record of application data in TLS 1.3, as far
 * as there is room; len counts the byte of the content type. */
bool access_config_record_padding(hf_config *config,
                                  size_t (*padding)(hf_conn *conn, uint8_t type, size_t len));

/* access_conn_record_padding: the same for a connection whose handshake is over. */
bool access_conn_record_padding(hf_conn *conn,
                                size_t (*padding)(hf_conn *conn, uint8_t type, size_t len));

/* access_config_own_renegotiation: a server renegotiates when it has asked for it, not when a client begins. */
bool access_config_own_renegotiation(hf_config *config);

/* access_config_sessions (server): `ids` finds and names sessions in place of the engine's cache (it must stay);
 * tickets12: TLS 1.2 and older have tickets, whatever the number of TLS 1.3's is. */
bool access_config_sessions(hf_config *config, const struct session_ids *ids, bool tickets12);

/* access_config_secrets: master secrets of the application's in TLS 1.2 and older; `secrets` must stay. */
bool access_config_secrets(hf_config *config, const struct session_secrets *secrets);

/* access_conn_new_ticket (server, TLS 1.3, after the handshake; writer) puts another ticket into the output. */
bool access_conn_new_ticket(hf_conn *conn);

/* ---- connections (connection.c) */

/* access_config_keep_details: connections keep what struct details has, where the public API tells less.
 * access_details: NULL before anything is known. */
bool access_config_keep_details(hf_config *config);
const struct details *access_details(const hf_conn *conn);

bool access_in_handshake(
    const hf_conn *conn); /* HF_IN_HANDSHAKE, without the rest of hf_conn_wants */
/* access_version: hf_conn_version, also while the handshake is under way, once it is agreed. */
uint16_t access_version(const hf_conn *conn);

/* access_last_message: of the handshake under way, as its list has it (with MSG_HELLO_RETRY_REQUEST and
 * MSG_CHANGE_CIPHER_SPEC, message/message.h); 0: none. */
uint8_t access_last_message(const hf_conn *conn, bool *sent);

/* access_suites: `pending` is the suite that the handshake under way has chosen, or else that of the last one; `now`
 * the one whose secrets are known: from the first key on, or from the session that is resumed. 0: none yet. `chosen`:
 * a handshake is under way, and has chosen; `resumes`: it, or the last one, goes on with a session. */
struct access_suites {
    uint16_t now, pending;
    bool chosen, resumes;
};
struct access_suites access_suites(const hf_conn *conn);

/* access_answer_verify answers HF_ASK_VERIFY with a refusal that has this X509_V_ERR_ code and alert. */
bool access_answer_verify_failed(hf_conn *conn, int x509_code, int depth, uint8_t alert);
/* access_peer_chain: the chain that is being judged (HF_ASK_VERIFY), or that was sent; borrowed. */
size_t access_peer_chain(const hf_conn *conn, hf_certificate *const **out);

/* access_peer_sigalgs: the schemes that the peer accepts, as far as the engine knows them; borrowed, while the
 * handshake lasts. */
const uint16_t *access_peer_sigalgs(const hf_conn *conn, size_t *count);

/* access_peer_authorities: DistinguishedNames as the peer sent them, without the outer length; borrowed. NULL:
 * none, or (after the handshake) no details are kept. */
const uint8_t *access_peer_authorities(const hf_conn *conn, size_t *len);

/* access_error fails a connection with a code of one's own (a callback that failed). */
void access_conn_fail(hf_conn *conn, hf_code code, uint8_t alert, const char *detail);

/* access_config_trace_kinds: of the trace, only these kinds of events are made (mask of 1 << hf_trace_kind). */
bool access_config_trace_kinds(hf_config *config, unsigned kinds);

/* access_conn_stateless (server, before the first byte): this connection is to forget its client after a
 * HelloRetryRequest (handfast_stateless.h), with a key of its own, which must stay. A cookie that is too old is as good
 * as none; any is, where `ignores` says so. False without memory. access_conn_stateful ends that, if no ClientHello has
 * come. access_conn_untouched: none has, and not a byte of it. */
bool access_conn_stateless(hf_conn *conn, const uint8_t key[32], bool ignores);
void access_conn_stateful(hf_conn *conn);
bool access_conn_untouched(const hf_conn *conn);

/* access_config_refusal_fails: whose renegotiation the peer refuses gives the connection up. */
bool access_config_refusal_fails(hf_config *config);

/* access_config_applications: extensions of an application's own; `from` is copied (refs is ignored). */
bool access_config_applications(hf_config *config, const struct applications *from);

/* access_dissect reports a handshake message that stands by itself, with its fields, as a trace would (the
 * connection is NULL). version and suite: what was agreed on when it was sent, or 0. */
void access_dissect(uint16_t version, uint16_t suite, const uint8_t *whole, size_t len,
                    hf_trace_fn fn, void *arg);

#endif

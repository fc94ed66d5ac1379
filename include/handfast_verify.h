/* handfast_verify.h: settings of a configuration for what a peer's certificates must meet besides the defaults.
 * Part of handfast.h, which includes it and says what holds for all setters. */
#ifndef HANDFAST_VERIFY_H
#define HANDFAST_VERIFY_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what else a peer's certificates must meet. All of it is part of the verification: a configuration
 * that does not verify checks nothing of it, but for pins. A session stands for what was checked when it was
 * made (hf_conn_set_session).
 *
 * hf_trust_add_crls_file adds the certificate revocation lists (RFC 5280 5) of a PEM file, all of them, or
 * one DER list; at least one must be there. hf_trust_add_crls_memory does the same with bytes. Their
 * signatures and dates are checked when they are used. E_FILE, E_PEM, E_FROZEN once a configuration uses the
 * trust, E_NO_MEMORY; nothing is added then. A folder of hashed names (hf_trust_add_folder) may hold lists as
 * well ("1f58a078.r0"); they are read when needed, and again when they are out of date. */
HF_API bool hf_trust_add_crls_file(hf_trust *trust, const char *path, hf_error *err);
HF_API bool hf_trust_add_crls_memory(hf_trust *trust, const void *bytes, size_t len, hf_error *err);

/* hf_config_set_crl_check says whether revocation lists are consulted: for no certificate (the default), for
 * the peer's own, or for each of the chain but the trust anchor itself. A list of each issuer must then be
 * there: E_NO_CRL, E_CRL_EXPIRED, E_BAD_CRL (a wrong signature, for example), E_REVOKED. */
typedef enum hf_crl_check { HF_CRL_NONE, HF_CRL_LEAF, HF_CRL_CHAIN } hf_crl_check;
HF_API bool hf_config_set_crl_check(hf_config *config, hf_crl_check mode);

/* hf_config_set_verify_flags replaces the set of rules for paths, a mask; default HF_VERIFY_TRUSTED_FIRST
 * and HF_VERIFY_PARTIAL_CHAIN. E_CONFIG for bits that are not known. */
enum {
    HF_VERIFY_STRICT = 1,        /* also the rules of RFC 5280 that bind authorities only: key identifiers,
                                  * keyUsage and a critical basicConstraints in every CA certificate */
    HF_VERIFY_PARTIAL_CHAIN = 2, /* whatever is in the trust is an anchor; without it, only certificates that
                                  * are signed by themselves are */
    HF_VERIFY_PROXY_CERTS = 4,   /* proxy certificates are accepted (RFC 3820) */
    HF_VERIFY_TRUSTED_FIRST = 8, /* an issuer from the trust is taken before one that the peer sent */
    HF_VERIFY_POLICY = 16,       /* the path must be valid under a certificate policy (RFC 5280 6.1.1 (e)):
                                  * under one of hf_config_add_policy, or any if there are none */
    HF_VERIFY_NO_ANY_POLICY = 32,     /* the policy anyPolicy stands for none (6.1.1 (g)) */
    HF_VERIFY_NO_POLICY_MAPPING = 64, /* policies are not mapped to others (6.1.1 (f)) */
};
HF_API bool hf_config_set_verify_flags(hf_config *config, unsigned mask);

/* hf_config_verify_flags returns the mask. */
HF_API unsigned hf_config_verify_flags(const hf_config *config);

/* hf_config_add_policy demands a certificate policy, an object identifier as "1.3.6.1.4.1.99999.1": the path
 * must be valid under one of those that were added, as with HF_VERIFY_POLICY, which need not be set besides.
 * At most 32. E_CONFIG for what is not an object identifier. The error is E_WRONG_POLICY. */
HF_API bool hf_config_add_policy(hf_config *config, const char *oid);

/* hf_config_add_pin_certificate pins the peer's own certificate by the SHA-256 of its DER (32 bytes:
 * hf_certificate_sha256). hf_config_add_pin_key pins a public key by the SHA-256 of its SubjectPublicKeyInfo
 * (RFC 7469 2.4): that of any certificate of the verified path, anchor included. If there are pins, one of
 * them must match, besides all other checks; else E_PIN_MISMATCH says what was seen. At most 64.
 *
 * With hf_config_insecure_no_verify pins are the only check, and it is of the peer's own certificate alone:
 * nothing else that a peer sends proves anything then. hf_conn_verified stays false. */
HF_API bool hf_config_add_pin_certificate(hf_config *config, const uint8_t *sha256);
HF_API bool hf_config_add_pin_key(hf_config *config, const uint8_t *sha256);

/* hf_certificate_key_sha256 returns the SHA-256 of SubjectPublicKeyInfo, 32 bytes: what a key is pinned by. */
HF_API const uint8_t *hf_certificate_key_sha256(const hf_certificate *cert);

/* hf_verify_fn is asked about each single fault that verification finds in a chain, before the handshake's
 * question as a whole (HF_ASK_VERIFY): true lets it pass, and verification goes on to the next one; false
 * refuses the chain with it. verdict has code, libcrypto's x509_code, and detail; depth 0 is the peer's own
 * certificate, `certificate` the one that is at fault (for a fault of the whole, the peer's own). Both are
 * valid during the call. It may be asked more than once about the same fault, where there is more than one
 * path to try, and from several threads at once, as the configuration is used. conn is the connection whose
 * peer is judged; the callback may call its getters only.
 *
 * A chain of which a fault was let pass is accepted, but hf_conn_verified is false, and with a verify callback
 * set no verdict is ever remembered. NULL: nobody is asked. */
typedef bool (*hf_verify_fn)(hf_conn *conn, int depth, const hf_certificate *certificate,
                             const hf_error *verdict, void *arg);
HF_API bool hf_config_insecure_set_verify_callback(hf_config *config, hf_verify_fn fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif

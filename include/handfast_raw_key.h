/* handfast_raw_key.h: raw public keys (RFC 7250) in place of certificates: a part of handfast.h, which includes
 * it. What holds there holds here. */
#ifndef HANDFAST_RAW_KEY_H
#define HANDFAST_RAW_KEY_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* hf_certificate_type: how a side shows who it is. A raw public key (RFC 7250) is a bare SubjectPublicKeyInfo:
 * there is no name, no date and no issuer in it, so that whoever gets it must know it beforehand. The numbers are
 * those on the wire. */
typedef enum hf_certificate_type {
    HF_CERTIFICATE_X509 = 0,
    HF_CERTIFICATE_RAW_KEY = 2,
} hf_certificate_type;

/* hf_certificate_type_name returns "X509" or "RawPublicKey". */
HF_API const char *hf_certificate_type_name(hf_certificate_type type);

/* hf_credential_load_raw_key_file makes a credential of a private key alone (PEM or DER): its public half is
 * sent as a raw public key. hf_credential_load_raw_key_memory does so with bytes; they may also be a public key
 * ("PUBLIC KEY", or a DER SubjectPublicKeyInfo), whose private half is then external: every signature is asked
 * for (HF_ASK_SIGNATURE). hf_credential_raw_key makes one of the key of another credential, which stays as it
 * is. NULL with E_FILE, E_PEM, E_PASSPHRASE, E_WEAK_KEY, E_CONFIG (no key for TLS), E_USAGE or E_NO_MEMORY. */
HF_API hf_credential *hf_credential_load_raw_key_file(const char *path, hf_passphrase_fn fn, void *arg,
                                                      hf_error *err);
HF_API hf_credential *hf_credential_load_raw_key_memory(const void *key, size_t len, hf_passphrase_fn fn,
                                                        void *arg, hf_error *err);
HF_API hf_credential *hf_credential_raw_key(const hf_credential *cred, hf_error *err);

/* hf_credential_raw_public_key returns the DER SubjectPublicKeyInfo that such a credential sends, NULL and 0 for
 * a chain of certificates. hf_credential_key_sha256 returns the SHA-256 (32 bytes) of any credential's key: what
 * the peer pins it by. Both live as long as the credential. */
HF_API const uint8_t *hf_credential_raw_public_key(const hf_credential *cred, size_t *len);
HF_API const uint8_t *hf_credential_key_sha256(const hf_credential *cred);

/* hf_trust_add_keys_file adds every public key ("PUBLIC KEY") of a PEM file, or one DER SubjectPublicKeyInfo;
 * at least one must be there. A peer that shows a raw public key (RFC 7250) is verified if it is, byte for byte,
 * one of these. They say nothing about certificates. hf_trust_add_keys_memory does the same with bytes. E_FILE,
 * E_PEM, E_FROZEN once a configuration uses the trust, E_NO_MEMORY; nothing is added then. */
HF_API bool hf_trust_add_keys_file(hf_trust *trust, const char *path, hf_error *err);
HF_API bool hf_trust_add_keys_memory(hf_trust *trust, const void *bytes, size_t len, hf_error *err);

/* ---- configuration
 *
 * hf_config_set_certificate_types says what this side shows, in order of preference: "X509", "RawPublicKey" (or
 * "raw"), separated by colons, commas or spaces. Default: what its credentials are, in the order in which they
 * were added; X509 for a client without any. A client offers these types. Of those that the peer takes, a server
 * uses the first for which it has a credential.
 *
 * hf_config_set_peer_certificate_types says what is taken from the peer, in order of preference; default X509.
 * A raw public key is verified if it is one of hf_trust_add_keys_file's, or, where the trust has none, one of
 * hf_config_add_pin_key's; if there are pins, one of them must match in any case. Then HF_ASK_VERIFY is asked as
 * about certificates; hf_config_insecure_set_verify_callback's is not. Nothing about names, dates, key usage,
 * revocation or staples applies; key sizes do. Freezing fails with E_CONFIG
 * where raw public keys would be taken and there is none of the three to say which is the right one, unless
 * hf_config_insecure_no_verify has been called. A client that takes nothing but raw public keys needs no
 * server_name.
 *
 * If the two sides have no type in common, the handshake fails with E_CERTIFICATE_TYPE or E_NO_CREDENTIAL_TYPE.
 * A session remembers the key, and is resumed only where its type is still allowed on both sides. */
HF_API bool hf_config_set_certificate_types(hf_config *config, const char *list);
HF_API bool hf_config_set_peer_certificate_types(hf_config *config, const char *list);

/* ---- connections
 *
 * hf_conn_peer_certificate_type says whether the peer showed certificates or a raw public key (RFC 7250), here or
 * in the session that was resumed; X509 if nothing. hf_conn_own_certificate_type: what this side showed. */
HF_API hf_certificate_type hf_conn_peer_certificate_type(const hf_conn *conn);
HF_API hf_certificate_type hf_conn_own_certificate_type(const hf_conn *conn);

/* hf_conn_peer_raw_key returns the peer's raw public key, a DER SubjectPublicKeyInfo, NULL and 0 if it showed
 * none: hf_conn_peer_certificate is NULL where this is not. hf_conn_peer_key_sha256 returns the SHA-256 (32
 * bytes) of its public key, raw or in a certificate; NULL if it showed neither. hf_conn_verified: the raw key is
 * one of those that are trusted. */
HF_API const uint8_t *hf_conn_peer_raw_key(const hf_conn *conn, size_t *len);
HF_API const uint8_t *hf_conn_peer_key_sha256(const hf_conn *conn);

/* hf_conn_peer_key says what kind of key that is: "EC P-256", "RSA 2048"; NULL if there is none. */
HF_API const char *hf_conn_peer_key(const hf_conn *conn);

#ifdef __cplusplus
}
#endif

#endif

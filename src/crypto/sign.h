/* sign.h: private and public keys, signatures. The algorithms are named by what they
 * compute, the numbers that TLS gives them stand in connection/sigalgs.c. */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "bytes/bytes.h"

enum key_kind {
    KEY_NONE,
    KEY_RSA,
    KEY_RSA_PSS, /* id-RSASSA-PSS: this key may only make PSS signatures */
    KEY_P256,
    KEY_P384,
    KEY_P521,
    KEY_ED25519,
    KEY_ED448,
    KEY_OTHER,
};

enum sig_id {
    SIG_NONE,
    SIG_ECDSA_SHA256, /* with a P-256 key in TLS 1.3, any curve in TLS 1.2; so for the next two */
    SIG_ECDSA_SHA384,
    SIG_ECDSA_SHA512,
    SIG_PSS_SHA256, /* MGF1 with the same hash, salt as long as the hash */
    SIG_PSS_SHA384,
    SIG_PSS_SHA512,
    SIG_PKCS1_SHA256,
    SIG_PKCS1_SHA384,
    SIG_PKCS1_SHA512,
    SIG_ED25519,
    SIG_ED448,
    SIG_ECDSA_SHA1, /* TLS 1.2 and older, by opt-in */
    SIG_PKCS1_SHA1, /* the same */
    SIG_PKCS1_MD5_SHA1, /* TLS 1.0 and 1.1: MD5 and SHA-1 digests without DigestInfo (RFC 4346 7.4.3) */
};

#define SIG_MAX_SIZE 1024 /* RSA-8192 */

/* A public key, parsed; immutable, used by any number of threads. */
struct public_key;
struct public_key *public_key_from_x509(void *x509); /* an X509 * of libcrypto */
/* public_key_from_spki reads a DER SubjectPublicKeyInfo (RFC 5280 4.1); for EC, RSA and
 * EdDSA keys without libcrypto's decoder (2 us instead of 120). NULL: not a key, or no
 * memory. */
struct public_key *public_key_from_spki(struct slice der);
/* public_key_from_pkey wraps an EVP_PKEY * of libcrypto and takes a reference of its own. */
struct public_key *public_key_from_pkey(void *evp_pkey);
struct public_key *public_key_ref(struct public_key *key);
void public_key_free(struct public_key *key);
enum key_kind public_key_kind(const struct public_key *key);
unsigned public_key_bits(const struct public_key *key);
/* public_key_verify: the signature over the message is right. Scheme and key must fit, else
 * false. */
bool public_key_verify(const struct public_key *key, enum sig_id id, struct slice message,
                       struct slice signature) __attribute__((warn_unused_result));

/* A private key, parsed; immutable, used by any number of threads. */
struct private_key;
/* private_key_parse reads PEM or DER: PKCS#8, SEC1 and PKCS#1; of PEM the first private key,
 * whatever else stands before or after it. Encrypted keys (PKCS#8, and PEM with Proc-Type)
 * ask fn for the passphrase; nobody is ever asked on a terminal. `found` (may be NULL) says
 * whether there was a key at all. NULL with E_PEM (which says what was found instead),
 * E_PASSPHRASE (none was given, or it is wrong), E_WEAK_KEY (RSA of less than 1024 bits) or
 * E_NO_MEMORY; no key at all is E_PEM too. */
struct private_key *private_key_parse(struct slice bytes, hf_passphrase_fn fn, void *arg,
                                      bool *found, hf_error *err);
/* private_key_from_pkey wraps an EVP_PKEY * of libcrypto, also an engine's or another
 * provider's, and takes a reference of its own. NULL: no memory. Its size is not judged. */
struct private_key *private_key_from_pkey(void *evp_pkey);
/* private_key_to_pkey returns an EVP_PKEY * of it, to be freed; NULL: no memory. */
void *private_key_to_pkey(const struct private_key *key);
struct private_key *private_key_ref(struct private_key *key);
void private_key_free(struct private_key *key);
enum key_kind private_key_kind(const struct private_key *key);
unsigned private_key_bits(const struct private_key *key);
/* private_key_spki writes the DER SubjectPublicKeyInfo of the public half into memory of mem_new. false: no
 * memory, or libcrypto cannot encode such a key. */
bool private_key_spki(const struct private_key *key, uint8_t **out, size_t *out_len);
/* private_key_matches: the two are halves of one pair. */
bool private_key_matches(const struct private_key *priv, const struct public_key *pub);
/* private_key_sign writes at most SIG_MAX_SIZE bytes and their number. */
bool private_key_sign(const struct private_key *key, enum sig_id id, struct slice message,
                      uint8_t *out, size_t *out_len) __attribute__((warn_unused_result));

/* public_key_encrypt encrypts with RSAES-PKCS1-v1_5 (RFC 8017 7.2.1), for the RSA key exchange of RFC
 * 5246 7.4.7.1. out has room for SIG_MAX_SIZE bytes. false: no RSA key, or libcrypto failed. */
bool public_key_encrypt(const struct public_key *key, struct slice plain, uint8_t *out,
                        size_t *out_len) __attribute__((warn_unused_result));

/* private_key_decrypt_premaster always fills `premaster` with 48 bytes: the decrypted ones if the padding
 * is right, their number is 48 and they begin with `version`; else random ones. Which of the two it was
 * shows neither in the result nor in the time taken (Bleichenbacher 1998, ROBOT 2017; RFC 5246 7.4.7.1).
 * false: this key is no RSA key, or libcrypto has no random bytes; never because of the ciphertext. */
bool private_key_decrypt_premaster(const struct private_key *key, struct slice cipher,
                                   uint16_t version, uint8_t premaster[48])
    __attribute__((warn_unused_result));

/* sig_fits: a key of this kind (and size in bits, for RSA-PSS with long hashes) can make or
 * check such signatures. An ECDSA scheme fits all three curves: that TLS 1.3 binds each
 * scheme to one curve (RFC 8446 4.2.3) is for the caller to check. Nothing fits KEY_OTHER. */
bool sig_fits(enum sig_id id, enum key_kind kind, unsigned bits);

#endif

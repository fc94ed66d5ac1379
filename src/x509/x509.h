/* x509.h: certificates, credentials, trust and chain verification: libcrypto decides what is valid,
 * this room remembers what was decided and says why not. */
#ifndef X509_X509_H
#define X509_X509_H

#include "bytes/bytes.h"
#include "compress/compress.h"
#include "crypto/sign.h"
#include "x509/name.h"

/* Types of certificates, as bits of a mask (RFC 7250 4.1); the numbers on the wire are HF_CERTIFICATE_... */
enum cert_type { CERT_X509 = 1, CERT_RAW = 2 };

/* ---- one certificate: struct hf_certificate, immutable and shared by reference count. */

/* cert_from_der returns the certificate of these bytes. Parsed certificates are interned in a bounded
 * process-wide table keyed by their SHA-256, so that parsing the same bytes again costs a look-up.
 * NULL with E_BAD_CERTIFICATE (or E_NO_MEMORY). */
hf_certificate *cert_from_der(struct slice der, hf_error *err);
struct slice cert_der(const hf_certificate *cert);
/* cert_key returns the parsed public key (borrowed), NULL if its type is unknown. */
struct public_key *cert_key(const hf_certificate *cert);
/* cert_allows_signing: keyUsage is absent or has digitalSignature (RFC 5280 4.2.1.3). */
bool cert_allows_signing(const hf_certificate *cert);
/* cert_allows_encipherment: keyUsage is absent or has keyEncipherment, which the RSA key exchange needs (RFC
 * 5246 7.4.2). */
bool cert_allows_encipherment(const hf_certificate *cert);

/* cert_matches_name: name is a DNS name or an IP literal (RFC 9525; no common-name fallback, a
 * wildcard only as the whole leftmost label). */
bool cert_matches_name(const hf_certificate *cert, const char *name);
/* cert_is_ip: the string is an IPv4 or IPv6 literal. */
bool name_is_ip(const char *name);
/* cert_signed_with: TLS-independent name of the algorithm of the certificate's own signature, as the
 * sig_id that would make it, SIG_NONE if unknown (SHA-1 and so on). */
enum sig_id cert_signed_with(const hf_certificate *cert);
bool cert_is_self_issued(const hf_certificate *cert);

/* ---- raw public keys (RFC 7250): a SubjectPublicKeyInfo stands in a chain of one as if it were a certificate
 * without a name, an issuer and dates. Only the rooms inside see it: the public functions have others for it. */

/* raw_key_from_spki makes one; NULL with E_BAD_RAW_KEY (or E_NO_MEMORY). cert_der is the SubjectPublicKeyInfo,
 * hf_certificate_subject says what it is. */
hf_certificate *raw_key_from_spki(struct slice spki, hf_error *err);
bool cert_is_raw(const hf_certificate *cert);
static inline enum cert_type cert_type_of(const hf_certificate *cert)
{
    return cert_is_raw(cert) ? CERT_RAW : CERT_X509;
}

/* ---- a chain as a peer sent it: own certificate first. Reference-counted, immutable. */
#define CHAIN_MAX HF_CHAIN_MAX

struct chain {
    _Atomic int refs;
    size_t count;
    hf_certificate *cert[]; /* count of them, owned */
};

struct chain *chain_new(hf_certificate *const *certs,
                        size_t count); /* takes references of its own */
struct chain *chain_ref(struct chain *chain);
void chain_free(struct chain *chain);

/* ---- credential */

/* A Certificate message of a credential's, compressed (RFC 8879). It depends on what the peer asks to be
 * stapled, so there may be several with one algorithm. */
struct packed {
    struct packed *next;
    const struct packing *packing; /* handfast's own, or */
    hf_compressor custom;          /* the application's: what made it */
    uint16_t id;
    struct slice plain, packed; /* both behind this struct; packed.p NULL: it is not worth it */
};

/* What a credential holds; built by hf_credential_load_*, then immutable, but for `packed`, which grows. */
struct hf_credential {
    _Atomic int refs;
    struct chain *chain;
    struct private_key *key; /* NULL: external */
    enum key_kind kind;
    unsigned bits;
    uint8_t *ocsp;
    size_t ocsp_len;
    uint8_t *scts; /* SignedCertificateTimestampList with its length; NULL: none */
    size_t scts_len;
    struct names served; /* in place of the certificate's own, where there are any */
    _Atomic(struct packed *) packed; /* newest first */
};

/* credential_pack returns a Certificate message of this credential (its body), compressed: made when it is
 * asked for the first time, and good for as long as the credential. NULL if it is to be sent as it is. Any
 * thread may ask. */
const struct packed *credential_pack(struct hf_credential *cred, const struct compressor *by,
                                     struct slice plain);
void packed_free(struct packed *list);

/* credential_serves: the certificate is for this DNS name or IP literal; SERVES_PATTERN where the credential was
 * given "*" for it (hf_credential_set_names), SERVES_NAMED where it was given just this name. */
enum serving { SERVES_NOT, SERVES, SERVES_PATTERN, SERVES_NAMED };
enum serving credential_serves(const struct hf_credential *cred, const char *name);

/* credential_type: what is sent, a chain or a raw public key. */
enum cert_type credential_type(const struct hf_credential *cred);

/* ---- trust */

/* trust_freeze builds what verification needs; called once, before the trust is used. */
bool trust_freeze(hf_trust *trust, hf_error *err);

/* trust_authorities returns the DER distinguished names of the anchors, as wire bytes of
 * DistinguishedName authorities<3..2^16-1> without the outer length; NULL and 0 if there are none or
 * they do not fit. Computed at trust_freeze. */
struct slice trust_authorities(const hf_trust *trust);

/* What a configuration asks besides the defaults; NULL: nothing. Counted and shared; a setter copies,
 * changes and seals. The three that can fail say why. */
struct verify_rules;
struct verify_rules *rules_copy(const struct verify_rules *old); /* old NULL: the defaults */
struct verify_rules *rules_ref(struct verify_rules *rules);
void rules_free(struct verify_rules *rules);
void rules_seal(struct verify_rules *rules);
bool rules_set_flags(struct verify_rules *rules, unsigned flags, hf_error *err);
unsigned rules_flags(const struct verify_rules *rules);
bool rules_set_crl_check(struct verify_rules *rules, hf_crl_check mode, hf_error *err);
bool rules_add_policy(struct verify_rules *rules, const char *oid, hf_error *err);
bool rules_add_pin(struct verify_rules *rules, bool key, const uint8_t *sha256, hf_error *err);
void rules_set_callback(struct verify_rules *rules, hf_verify_fn fn, void *arg);
/* rules_pinned: there are pins, so that a peer without a certificate cannot be good. */
bool rules_pinned(const struct verify_rules *rules);
/* rules_pin_keys: some of them are of keys. */
bool rules_pin_keys(const struct verify_rules *rules);

/* trust_has_keys: hf_trust_add_keys_... has added some; trust_has_key: and this is one of them. */
bool trust_has_keys(const hf_trust *trust);
bool trust_has_key(const hf_trust *trust, const hf_certificate *raw);

/* raw_key_verify: the key is among those of trust (which may be NULL), or, if trust has none, among the
 * pinned ones; and where there are pins, it is one of them. false fills err with E_UNTRUSTED_KEY or
 * E_PIN_MISMATCH. */
bool raw_key_verify(const struct chain *chain, const hf_trust *trust,
                    const struct verify_rules *rules, hf_error *err)
    __attribute__((warn_unused_result));

struct verify_options {
    const char *name;  /* DNS name or IP literal, NULL: not checked */
    bool server;       /* the peer is a server: purpose sslserver, else sslclient */
    unsigned depth;    /* most intermediates */
    int64_t now;       /* time of verification */
    struct slice ocsp; /* stapled response, may be empty */
    bool require_ocsp;
    bool ocsp_not_asked; /* no staple was asked for, so a must-staple certificate needs none */
    unsigned min_rsa_bits; /* besides what the level asks for; 0: no more than that */
    const struct verify_rules *rules; /* NULL: the defaults */
    hf_conn *conn;                    /* for the rules' callback */
    /* security level, 0 to 5: libcrypto's X509_VERIFY_PARAM_set_auth_level. Mind that a
     * zeroed structure asks for nothing */
    uint8_t level;
};

/* chain_verify: the chain leads to an anchor of trust, is valid now, fits purpose and name, its keys
 * and digests are strong enough (libcrypto's security levels), and a stapled OCSP response, if there
 * is one, says good. Verdicts that were good are remembered (bounded, process-wide) under: hash of
 * all certificates, trust identity and generation, name, purpose, depth, security level, OCSP bytes,
 * rules; for as long as the earliest notAfter of the path (and nextUpdate of the OCSP response and of the
 * revocation lists) lasts, and not before the latest notBefore. false fills err with E_UNTRUSTED,
 * E_SELF_SIGNED, E_EXPIRED, E_NOT_YET_VALID, E_WRONG_NAME, E_WEAK_CERTIFICATE, E_WRONG_PURPOSE,
 * E_CHAIN_TOO_LONG, E_CHAIN_INVALID, E_BAD_OCSP, E_NO_OCSP, E_REVOKED, E_NO_CRL, E_CRL_EXPIRED, E_BAD_CRL,
 * E_WRONG_POLICY, E_PIN_MISMATCH, with x509_code, x509_depth and a detail that names the subject, the
 * issuer sought, the dates or the names in the certificate beside the one asked for.
 *
 * With a callback in the rules, true may be because of it: err then has the first fault that it let pass,
 * and the chain is accepted, but not verified. */
bool chain_verify(const struct chain *chain, hf_trust *trust,
                  const struct verify_options *options, hf_error *err)
    __attribute__((warn_unused_result));

/* chain_pinned: the own certificate or its key is among the pins of the rules, or there are no pins. For
 * chains that are not verified. false fills err with E_PIN_MISMATCH. */
bool chain_pinned(const struct chain *chain, const struct verify_rules *rules, hf_error *err)
    __attribute__((warn_unused_result));

/* chain_path returns the path of a chain that was verified with these options before, own certificate
 * first, anchor last: to be freed with chain_free; NULL if there is none, or no memory. Neither dates nor
 * revocation count: it is found again as it was. */
struct chain *chain_path(const struct chain *chain, hf_trust *trust,
                         const struct verify_options *options);

#endif

/* tables.h: cipher suites, groups and signature schemes, one row each. A new one is a new row. */
#ifndef CONFIG_TABLES_H
#define CONFIG_TABLES_H

#include "crypto/aead.h"
#include "crypto/cbc.h"
#include "crypto/hash.h"
#include "crypto/kx.h"
#include "crypto/sign.h"

/* How a suite of TLS 1.2 and older agrees on its premaster secret, and what proves the server's
 * identity. TLS 1.3's suites leave both to extensions. */
enum kex { KEX_ANY, KEX_ECDHE, KEX_DHE, KEX_RSA, KEX_PSK, KEX_ECDHE_PSK, KEX_DHE_PSK };
enum auth { AUTH_ANY, AUTH_ECDSA, AUTH_RSA, AUTH_PSK, AUTH_NONE };

struct suite {
    uint16_t id;
    const char *name;  /* IANA's */
    enum aead_id aead; /* AEAD_NONE: cbc and mac say how records are protected */
    enum hash_id hash; /* of HKDF in TLS 1.3, of the PRF and Finished in TLS 1.2 */
    bool by_default;
    const char *openssl; /* OpenSSL's name */
    enum kex kex;
    enum auth auth;
    enum cbc_id cbc;                   /* CBC_NULL for the NULL ciphers */
    enum hash_id mac;                  /* of the records' HMAC, HASH_NONE with an AEAD */
    uint16_t version_min, version_max; /* those it may be used with, as on the wire */
    uint16_t bits; /* of the cipher's key, also where the tag is short; 0: NULL */
};

/* suite_fits: the suite may be used with this version. */
static inline bool suite_fits(const struct suite *s, uint16_t version)
{
    return version >= s->version_min && version <= s->version_max;
}

/* suite_hash: what the handshake hashes with: TLS 1.0 and 1.1 know one hash only. */
static inline enum hash_id suite_hash(const struct suite *s, uint16_t version)
{
    return version < 0x0303 ? HASH_MD5_SHA1 : s->hash;
}

struct group {
    uint16_t id;
    const char *name;  /* IANA's: "x25519", "secp256r1" */
    const char *alias; /* "P-256", or NULL */
    enum kx_id kx;
    bool by_default;
};

struct sigalg {
    uint16_t id;
    const char *name; /* IANA's: "ecdsa_secp256r1_sha256" */
    enum sig_id sig;
    enum key_kind key; /* kind of key it needs; KEY_RSA and KEY_RSA_PSS are told apart */
    bool handshake; /* may sign a TLS 1.3 handshake; the others certificates, and TLS 1.2's */
    bool by_default;
};

/* sigalg_is_legacy: rsa_pkcs1_*_legacy, for clients whose keys cannot do better: their CertificateVerify in TLS
 * 1.3 may be signed with it, and nothing else. */
static inline bool sigalg_is_legacy(uint16_t id)
{
    return id == 0x0420 || id == 0x0520 || id == 0x0620;
}

/* Each finds a row, or NULL. Rows whose primitive this libcrypto lacks are not found. */
const struct suite *suite_find(uint16_t id);
const struct group *group_find(uint16_t id);
const struct sigalg *sigalg_find(uint16_t id);
/* group_of_kx: the row of a key exchange; NULL if there is none. */
const struct group *group_of_kx(enum kx_id kx);

/* All rows, in default order of preference. */
const struct suite *suite_table(size_t *count);
const struct group *group_table(size_t *count);
const struct sigalg *sigalg_table(size_t *count);

/* sigalg_fits: a key of this kind and size can use the scheme in TLS 1.3, where each ECDSA scheme has
 * its curve. sigalg_fits12: in TLS 1.2, where it has not (RFC 8422 5.10). */
bool sigalg_fits(const struct sigalg *alg, enum key_kind kind, unsigned bits);
bool sigalg_fits12(const struct sigalg *alg, enum key_kind kind, unsigned bits);

/* auth_of_key: which suites a certificate with such a key serves (RFC 5246 7.4.2, RFC 8422 5.3: EdDSA
 * keys go with ECDSA's suites); AUTH_ANY: none. */
enum auth auth_of_key(enum key_kind kind);

/* curve_of_key: the group of an ECDSA key, which in TLS 1.2 must be one that the peer knows (RFC 8422 5.3);
 * 0: the key has none. */
uint16_t curve_of_key(enum key_kind kind);

#endif

/* tables.h: cipher suites, groups and signature schemes, one row each. A new one is a new row. */
#ifndef CONFIG_TABLES_H
#define CONFIG_TABLES_H

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kx.h"
#include "crypto/sign.h"

struct suite {
    uint16_t id;
    const char *name; /* IANA's */
    enum aead_id aead;
    enum hash_id hash;
    bool by_default;
};

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
    bool handshake;    /* may sign a TLS 1.3 handshake; the others only certificates */
    bool by_default;
};

/* Each finds a row, or NULL. Rows whose primitive this libcrypto lacks are not found. */
const struct suite *suite_find(uint16_t id);
const struct group *group_find(uint16_t id);
const struct sigalg *sigalg_find(uint16_t id);

/* All rows, in default order of preference. */
const struct suite *suite_table(size_t *count);
const struct group *group_table(size_t *count);
const struct sigalg *sigalg_table(size_t *count);

/* sigalg_fits: a key of this kind and size can use the scheme. */
bool sigalg_fits(const struct sigalg *alg, enum key_kind kind, unsigned bits);

#endif

/* cipher_rules.h: OpenSSL's language for lists of cipher suites (openssl-ciphers(1)), over whatever suites there
 * are: the engine's own (ciphers.h), and all that OpenSSL 3.0 has names for (libssl/cipher_string.c). */
#ifndef CONFIG_CIPHER_RULES_H
#define CONFIG_CIPHER_RULES_H

#include "bytes/bytes.h"

enum cipher_kx {
    KX_ANY,
    KX_RSA,
    KX_DHE,
    KX_ECDHE,
    KX_PSK,
    KX_RSA_PSK,
    KX_ECDHE_PSK,
    KX_DHE_PSK,
    KX_SRP,
    KX_GOST,
    KX_GOST18,
};

enum cipher_au {
    AU_ANY,
    AU_RSA,
    AU_DSS,
    AU_ECDSA,
    AU_PSK,
    AU_SRP,
    AU_NULL,
    AU_GOST01,
    AU_GOST12,
    AU_GOST18,
};

enum cipher_enc {
    ENC_NONE, /* of what is no suite at all */
    ENC_NULL,
    ENC_AES128,
    ENC_AES256,
    ENC_AES128_GCM,
    ENC_AES256_GCM,
    ENC_AES128_CCM,
    ENC_AES256_CCM,
    ENC_AES128_CCM8,
    ENC_AES256_CCM8,
    ENC_CHACHA20,
    ENC_CAMELLIA128,
    ENC_CAMELLIA256,
    ENC_ARIA128_GCM,
    ENC_ARIA256_GCM,
    ENC_IDEA,
    ENC_SEED,
    ENC_GOST89,
    ENC_GOST89_12,
    ENC_KUZNYECHIK,
    ENC_MAGMA,
};

enum cipher_mac {
    MAC_NONE,
    MAC_AEAD,
    MAC_MD5,
    MAC_SHA1,
    MAC_SHA256,
    MAC_SHA384,
    MAC_GOST89,
    MAC_GOST94,
    MAC_GOST12,
    MAC_GOST89_12,
    MAC_KUZNYECHIK,
    MAC_MAGMA,
};

/* What the words of the language see of a suite of TLS 1.2 or older. */
struct cipher_face {
    uint16_t id;
    uint16_t version; /* where it was born: 0x0300 for what SSL 3.0 had */
    uint16_t bits;    /* of its key */
    uint8_t kx, au, enc, mac;
    bool high, fips;
    bool reserve;     /* not in DEFAULT */
    const char *name; /* OpenSSL's */
    const char *iana; /* by which it may be called as well, or NULL */
};

#define CIPHER_RULES_MAX     192
#define CIPHER_RULES_DEFAULT "ALL:!COMPLEMENTOFDEFAULT:!eNULL" /* what DEFAULT stands for */

/* RFC 6460: a string that begins with one of these gets no more than that, whatever follows. */
enum suite_b { SUITE_B_NONE, SUITE_B_128_ONLY, SUITE_B_192, SUITE_B_128 };

/* The suites to choose from, in the order that they have before a string says otherwise. */
struct cipher_faces {
    size_t count; /* at most CIPHER_RULES_MAX */
    struct cipher_face face[CIPHER_RULES_MAX];
};

struct cipher_choice {
    size_t count;
    /* those that a string chooses, in its order; there may be none */
    uint16_t id[CIPHER_RULES_MAX];
    int level; /* what @SECLEVEL says, -1: nothing */
    /* the first word that nobody knows, a part of the string; p NULL: none */
    struct slice unknown;
    const char *wrong; /* after a failure: where the string leaves the language */
};

/* cipher_rules_read reads a string. *suite_b: the mode that holds already, which a string's beginning replaces.
 * underscores: words may have them, as IANA's names do. Words that nobody knows match nothing. False, with
 * out->wrong: it does not belong to the language. */
bool cipher_rules_read(const struct cipher_faces *from, const char *string, bool underscores,
                       enum suite_b *suite_b, struct cipher_choice *out)
    __attribute__((warn_unused_result));

#endif

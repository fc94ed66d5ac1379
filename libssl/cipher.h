/* cipher.h: the static table behind SSL_CIPHER, and lists of cipher suites, groups and signature schemes. */
#ifndef LIBSSL_CIPHER_H
#define LIBSSL_CIPHER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "access/access.h"

struct settings;
struct id_list;

/* What the handshake hashes with, as far as the suite says. */
enum cipher_prf { PRF_NONE, PRF_MD5, PRF_DEFAULT, PRF_SHA256, PRF_SHA384 };

enum {
    F_FIPS = 1,
    F_HIGH = 2,
    F_RESERVE = 4, /* not in DEFAULT */
    F_HIDDEN = 8,  /* no cipher string chooses it */
};

struct ssl_cipher_st {
    uint16_t id;
    uint8_t kx, au, enc, mac, prf, flags;
    uint16_t version_min; /* 0: no suite, a signalling value */
    const char *name;     /* OpenSSL's */
    const char *standard; /* IANA's, or NULL */
};

const SSL_CIPHER *cipher_table(size_t *count);
const SSL_CIPHER *cipher_by_id(uint16_t id);        /* IANA's number; NULL if unknown */
const SSL_CIPHER *cipher_by_name(const char *name); /* either name */
uint16_t cipher_id(const SSL_CIPHER *cipher);
unsigned cipher_bits(const SSL_CIPHER *cipher);
/* cipher_usable: the engine has it. */
bool cipher_usable(const SSL_CIPHER *cipher);
/* cipher_is13: for TLS 1.3. */
static inline bool cipher_is13(const SSL_CIPHER *cipher)
{
    return cipher->version_min == TLS1_3_VERSION;
}

/* ciphers_default fills the lists of new settings. */
bool ciphers_default(struct settings *s);

/* cipher_string reads a string in OpenSSL's cipher list language into the suites of TLS 1.2 and older that it
 * chooses. *level is what @SECLEVEL says, or left alone. suiteb: SSL_CERT_FLAG_SUITEB_ bits that hold already;
 * they are replaced by those that the string begins with. False: an error of the language, on the queue. */
bool cipher_string(const char *string, struct id_list *out, int *level, uint32_t *suiteb);

/* cipher_stack makes a stack of the suites of these lists; NULL without memory. */
STACK_OF(SSL_CIPHER) * cipher_stack(const struct id_list *first, const struct id_list *second);

/* ---- groups.c */

int group_nid(uint16_t id); /* of an unknown one, TLSEXT_nid_unknown with its number */
/* groups_numbers, groups_names: lists of groups by NIDs, and by names with colons between. False: one is not
 * known or stands twice, or none is there that can be used. */
bool groups_numbers(struct id_list *out, const int *nids, size_t count);
bool groups_names(struct id_list *out, const char *names);

/* ---- sigalgs.c */

struct sigalg_info {
    uint16_t id;
    const char *name;
    int sig, hash; /* NIDs: EVP_PKEY_ of the key, the digest or NID_undef */
    int both;      /* NID of the two together */
};
const struct sigalg_info *sigalg_info(uint16_t id); /* NULL: not known */
extern const struct id_list groups_default;         /* the same for groups */
extern const struct id_list sigalgs_default;        /* what counts where none are set */
bool sigalgs_numbers(struct id_list *out, const int *pairs, size_t count);
bool sigalgs_names(struct id_list *out, const char *names);
/* sigalgs_for: is there a scheme that proves such a suite's server? Without one clients do not offer it. */
bool sigalgs_for(const struct id_list *list, const SSL_CIPHER *c);
/* list_item copies one name of such a list, without the blanks around it; false: nothing is left, or too much. */
bool list_item(const char *from, size_t len, char *out, size_t size);

#endif

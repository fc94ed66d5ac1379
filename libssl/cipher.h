/* cipher.h: the static table behind SSL_CIPHER. */
#ifndef LIBSSL_CIPHER_H
#define LIBSSL_CIPHER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct settings;

const SSL_CIPHER *cipher_by_id(uint16_t id); /* IANA's number; NULL if unknown */
uint16_t cipher_id(const SSL_CIPHER *cipher);
/* ciphers_default fills the lists of new settings. */
bool ciphers_default(struct settings *s);

#endif

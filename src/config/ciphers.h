/* ciphers.h: OpenSSL's language for lists of cipher suites (openssl-ciphers(1)). */
#ifndef CONFIG_CIPHERS_H
#define CONFIG_CIPHERS_H

#include "config/config.h"

/* ciphers_parse reads a cipher string into the suites of TLS 1.2 and older that it chooses, in
 * the order that OpenSSL 3.0 would give them. *level is what @SECLEVEL says, or left alone. As
 * with OpenSSL, words that nobody knows match nothing, and TLS 1.3's suites are not its
 * business. E_CONFIG for what does not belong to the language, and if no suite is left; out and
 * level are then untouched. */
bool ciphers_parse(const char *string, struct ids *out, uint8_t *level, hf_error *err)
    __attribute__((warn_unused_result));

#endif

/* cbc.h: AES-CBC with HMAC, the way TLS 1.0 to 1.2 combine them. */
#ifndef CRYPTO_CBC_H
#define CRYPTO_CBC_H

#include "crypto/hash.h"

enum cbc_id { CBC_NONE, CBC_NULL, CBC_AES_128, CBC_AES_256 };
#define CBC_BLOCK   16
#define CBC_MAX_MAC 48

struct cbc; /* one direction: cipher key, HMAC key, and the IV where it is chained */

size_t cbc_key_size(enum cbc_id id); /* 0, 16, 32 */

#endif

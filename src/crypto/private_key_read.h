/* private_key_read.h: between the two files of private keys. For this room only. */
#ifndef CRYPTO_PRIVATE_KEY_READ_H
#define CRYPTO_PRIVATE_KEY_READ_H

#include "crypto/key.h"

/* private_key_wrap takes over the key's content, also when it fails (no memory). */
struct private_key *private_key_wrap(struct key *key);

#endif

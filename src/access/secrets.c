/* secrets.c: the engine's random bytes and its HMAC, for tickets in another library's format. */
#include "access/access.h"
#include "crypto/hash.h"
#include "crypto/random.h"

bool access_random(void *out, size_t n)
{
    return random_bytes(out, n);
}

void access_hmac_sha256(const uint8_t *key, size_t key_len, const uint8_t *p, size_t len,
                        uint8_t out[32])
{
    struct slice none = {0};
    hmac(HASH_SHA256, key, key_len, slice_of(p, len), none, none, out);
}

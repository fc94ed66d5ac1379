/* secrets.c: the engine's random bytes, HMAC and AES, for tickets in another library's format. */
#include "access/access.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "crypto/aes_cbc.h"
#include "crypto/hash.h"
#include "crypto/random.h"

/* Signatures draw their secrets from libcrypto's own generator. */
static void warm_up(void)
{
    unsigned char byte;
    hf_config_free(hf_config_new(HF_SERVER));
    ERR_set_mark();
    (void)RAND_priv_bytes(&byte, 1);
    ERR_pop_to_mark();
}

void access_warm_up(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, warm_up);
}

bool access_random(void *out, size_t n)
{
    return random_bytes(out, n);
}

_Static_assert(sizeof(struct hmac) == sizeof(struct access_hmac), "the same, unnamed");

void access_hmac_init(struct access_hmac *hmac, const uint8_t *key, size_t key_len)
{
    NO_INIT struct hmac keyed;
    hmac_init(&keyed, HASH_SHA256, key, key_len);
    memcpy(hmac, &keyed, sizeof keyed);
    wipe(&keyed, sizeof keyed);
}

void access_hmac_sha256(const struct access_hmac *hmac, const uint8_t *p, size_t len,
                        uint8_t out[32])
{
    NO_INIT struct hmac m;
    memcpy(&m, hmac, sizeof m);
    hmac_update(&m, p, len);
    hmac_final(&m, out);
}

bool access_aes_cbc(const uint8_t key[32], const uint8_t iv[16], bool encrypt,
                    const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
    return aes_cbc(key, iv, encrypt, in, len, out, out_len);
}

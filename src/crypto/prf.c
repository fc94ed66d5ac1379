/* prf.c: the pseudo-random function of TLS 1.2 (RFC 5246 5) and of TLS 1.0 and 1.1 (RFC 4346
 * 5). */
#include "crypto/prf.h"

enum { PARTS = 3 }; /* label, a, b: the seed, as the RFCs call it */

static void update(struct hmac *m, const struct slice seed[PARTS])
{
    for (int i = 0; i < PARTS; i++)
        hmac_update(m, seed[i].p, seed[i].len);
}

/* P_hash(secret, seed) = HMAC(secret, A(1) + seed) + HMAC(secret, A(2) + seed) + ...
 * A(0) = seed, A(i) = HMAC(secret, A(i-1))
 *
 * What comes is XORed into out, which lets the two of RFC 4346 meet there. There are at least
 * three HMACs with one key, so it is worth keeping a keyed one to copy. */
static void p_hash(enum hash_id id, struct slice secret, const struct slice seed[PARTS],
                   uint8_t *out, size_t n)
{
    size_t size = hash_size(id);
    NO_INIT struct hmac keyed, m;
    NO_INIT uint8_t a[HASH_MAX_SIZE], block[HASH_MAX_SIZE];
    hmac_init(&keyed, id, secret.p, secret.len);
    m = keyed;
    update(&m, seed);
    hmac_final(&m, a);
    while (n > 0) {
        size_t part = n < size ? n : size;
        m = keyed;
        hmac_update(&m, a, size);
        update(&m, seed);
        hmac_final(&m, block);
        for (size_t i = 0; i < part; i++)
            *out++ ^= block[i];
        n -= part;
        if (n == 0)
            break;
        m = keyed;
        hmac_update(&m, a, size);
        hmac_final(&m, a);
    }
    wipe(&keyed, sizeof keyed);
    wipe(a, sizeof a);
    wipe(block, sizeof block);
}

void prf(enum hash_id hash, struct slice secret, const char *label, struct slice a,
         struct slice b, uint8_t *out, size_t n)
{
    const struct slice seed[PARTS] = {slice_of(label, strlen(label)), a, b};
    memset(out, 0, n);
    if (hash != HASH_MD5_SHA1) {
        p_hash(hash, secret, seed, out, n);
        return;
    }
    /* The halves share the middle byte if the secret's length is odd.  RFC 4346 5 */
    size_t half = (secret.len + 1) / 2, rest = secret.len - half;
    struct slice second = secret.len ? slice_of(secret.p + rest, half) : secret;
    p_hash(HASH_MD5, slice_of(secret.p, half), seed, out, n);
    p_hash(HASH_SHA1, second, seed, out, n);
}

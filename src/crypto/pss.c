/* pss.c: EMSA-PSS over our own SHA-2. libcrypto's own low-level function for it fetches the
 * digest for each step of MGF1: 60 locks more for one signature. */
#include "crypto/pss.h"

/* out ^= MGF1(seed)                                                          RFC 8017 B.2.1 */
static void mask(enum hash_id id, const uint8_t *seed, uint8_t *out, size_t n)
{
    size_t size = hash_size(id);
    uint8_t digest[HASH_MAX_SIZE];
    struct hash seeded, h;
    hash_init(&seeded, id);
    hash_update(&seeded, seed, size);
    for (uint32_t counter = 0; n > 0; counter++) {
        uint8_t c[4] = {(uint8_t)(counter >> 24), (uint8_t)(counter >> 16),
                        (uint8_t)(counter >> 8), (uint8_t)counter};
        h = seeded;
        hash_update(&h, c, sizeof c);
        hash_digest(&h, digest);
        size_t part = n < size ? n : size;
        for (size_t i = 0; i < part; i++)
            *out++ ^= digest[i];
        n -= part;
    }
}

/* H = Hash(8 zero bytes | mHash | salt) */
static void salted(enum hash_id id, const uint8_t *digest, const uint8_t *salt, uint8_t *out)
{
    static const uint8_t zeros[8];
    struct hash h;
    hash_init(&h, id);
    hash_update(&h, zeros, sizeof zeros);
    hash_update(&h, digest, hash_size(id));
    hash_update(&h, salt, hash_size(id));
    hash_digest(&h, out);
}

/* EM = maskedDB | H | 0xbc, DB = zeros | 0x01 | salt, emBits = bits - 1. The encoding is one
 * byte shorter than the modulus if bits - 1 is a multiple of 8: then a zero byte stands
 * before it. */
static size_t db_size(enum hash_id id, unsigned bits)
{
    size_t em = (bits - 1 + 7) / 8, size = hash_size(id);
    return em < 2 * size + 2 ? 0 : em - size - 1;
}

static uint8_t top_mask(unsigned bits)
{
    return (uint8_t)(0xff >> (8 * ((bits - 1 + 7) / 8) - (bits - 1)));
}

bool pss_encode(enum hash_id hash, unsigned bits, const uint8_t *digest, const uint8_t *salt,
                uint8_t *out)
{
    size_t size = hash_size(hash), db = db_size(hash, bits);
    if (db == 0)
        return false;
    if ((bits - 1) % 8 == 0)
        *out++ = 0;
    memset(out, 0, db - size - 1);
    out[db - size - 1] = 0x01;
    memcpy(out + db - size, salt, size);
    salted(hash, digest, salt, out + db);
    mask(hash, out + db, out, db);
    out[0] &= top_mask(bits);
    out[db + size] = 0xbc;
    return true;
}

bool pss_verify(enum hash_id hash, unsigned bits, const uint8_t *digest, uint8_t *em)
{
    size_t size = hash_size(hash), db = db_size(hash, bits);
    if (db == 0 || ((bits - 1) % 8 == 0 && *em++ != 0))
        return false;
    if (em[db + size] != 0xbc || (em[0] & ~top_mask(bits) & 0xff) != 0)
        return false;
    mask(hash, em + db, em, db);
    em[0] &= top_mask(bits);
    for (size_t i = 0; i < db - size - 1; i++) {
        if (em[i] != 0)
            return false;
    }
    uint8_t h[HASH_MAX_SIZE];
    salted(hash, digest, em + db - size, h);
    return em[db - size - 1] == 0x01 && memcmp(h, em + db, size) == 0;
}

/* mlkem.c: ML-KEM with keys and ciphertexts that anybody could have made.
 *
 * Input: 8 bits of choices (below), then the bytes of the key or ciphertext over those of an honest one,
 * from an offset of 16 bits on. */
#include <string.h>

#include "crypto/mlkem.h"
#include "fuzz.h"

enum { CH_1024 = 1, CH_WHAT = 6, CH_EK = 0, CH_CIPHER = 2, CH_DK = 4 };

static const uint8_t seeds[96] = "three seeds that everybody knows";

/* Lays what is left of the input over p[0..len). */
static void lay_over(struct feed *f, uint8_t *p, size_t len)
{
    size_t at = feed_u16(f) % len;
    struct slice s = feed_bytes(f, len - at);
    if (s.len)
        memcpy(p + at, s.p, s.len);
}

/* FIPS 203 7.2, by one coefficient after the other. */
static bool is_reduced(const uint8_t *ek, size_t len)
{
    for (size_t i = 0; i + 3 <= len - 32; i += 3) {
        unsigned first = ek[i] | (ek[i + 1] & 15U) << 8,
                 second = (unsigned)(ek[i + 1] >> 4 | ek[i + 2] << 4);
        if (first >= 3329 || second >= 3329)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    uint8_t choices = feed_u8(&f);
    enum mlkem_id id = choices & CH_1024 ? MLKEM_1024 : MLKEM_768;
    uint8_t ek[MLKEM_MAX_EK], dk[MLKEM_MAX_DK];
    uint8_t cipher[MLKEM_MAX_CIPHER] = {0}, changed[MLKEM_MAX_CIPHER];
    uint8_t secret[MLKEM_SEED], found[MLKEM_SEED], twice[MLKEM_SEED];
    mlkem_keygen(id, seeds, seeds + 32, ek, dk);
    if ((choices & CH_WHAT) == CH_EK)
        lay_over(&f, ek, mlkem_ek_size(id));
    bool ok = mlkem_encaps(id, ek, seeds + 64, cipher, secret);
    REQUIRE(ok == is_reduced(ek, mlkem_ek_size(id)));
    if (!ok)
        return 0;
    memcpy(changed, cipher, sizeof changed);
    if ((choices & CH_WHAT) == CH_CIPHER)
        lay_over(&f, changed, mlkem_cipher_size(id));
    if ((choices & CH_WHAT) == CH_DK)
        lay_over(&f, dk, mlkem_dk_size(id));
    mlkem_decaps(id, dk, changed, found);
    mlkem_decaps(id, dk, changed, twice);
    REQUIRE(memcmp(found, twice, sizeof found) == 0);
    if ((choices & CH_WHAT) == CH_CIPHER)
        REQUIRE((memcmp(found, secret, sizeof found) == 0) ==
                (memcmp(changed, cipher, mlkem_cipher_size(id)) == 0));
    return 0;
}

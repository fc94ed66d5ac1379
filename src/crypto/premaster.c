/* premaster.c: taking the padding off an RSA key exchange without telling anybody whether it
 * was there (Bleichenbacher 1998; RFC 5246 7.4.7.1). */
#include "crypto/premaster.h"

enum { LEAST_PADDING = 8 };

/* 0xff if v is 0, else 0. */
static uint8_t mask_if_zero(uint8_t v)
{
    return (uint8_t)(((unsigned)v - 1) >> 8);
}

/* EM = 0x00 | 0x02 | PS | 0x00 | M, PS at least 8 bytes, none of them zero (RFC 8017 7.2.1).
 * M has 48 bytes, so each part has one place where it may stand, and nothing is searched. */
void premaster_choose(const uint8_t *block, size_t len, uint16_t version,
                      uint8_t premaster[PREMASTER_SIZE])
{
    if (len < 2 + LEAST_PADDING + 1 + PREMASTER_SIZE)
        return;
    size_t at = len - PREMASTER_SIZE;
    unsigned bad = block[0] | (block[1] ^ 0x02u) | block[at - 1];
    for (size_t i = 2; i < at - 1; i++)
        bad |= mask_if_zero(block[i]);
    bad |= (unsigned)(block[at] ^ version >> 8) | (unsigned)(block[at + 1] ^ (version & 0xff));
    /* volatile: the compiler may not see that the mask has two values only, and branch. */
    volatile uint8_t hidden = mask_if_zero((uint8_t)bad);
    uint8_t good = hidden;
    for (size_t i = 0; i < PREMASTER_SIZE; i++)
        premaster[i] = (uint8_t)((block[at + i] & good) | (premaster[i] & ~good));
}

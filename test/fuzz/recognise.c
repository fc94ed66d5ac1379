/* recognise.c: the first bytes of a peer that may not speak TLS. Input: who sent them (odd: a server),
 * then the bytes. */
#include "fuzz.h"

#include <string.h>

#include "record/recognise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    bool server = feed_u8(&f) & 1;
    char whole[300], part[24];
    hf_code code = rec_recognise(f.p, f.left, server, whole, sizeof whole);
    REQUIRE(code == HF_OK || code == HF_E_PLAINTEXT_PEER || code == HF_E_SSL2_PEER ||
            code == HF_E_SSL3_PEER);
    REQUIRE(rec_recognise(f.p, f.left, server, part, sizeof part) == code);
    if (code == HF_OK)
        return 0;
    REQUIRE(memchr(whole, 0, sizeof whole) && whole[0]);
    REQUIRE(memchr(part, 0, sizeof part) && strncmp(whole, part, strlen(part)) == 0);
    return 0;
}

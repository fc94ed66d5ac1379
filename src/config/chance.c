/* chance.c: random bytes for the application. */
#include "crypto/random.h"
#include "handfast_random.h"

bool hf_random_bytes(void *out, size_t len)
{
    if (len && !out)
        return false;
    if (random_bytes(out, len))
        return true;
    wipe(out, len);
    return false;
}

bool hf_random_ready(void)
{
    return random_ready();
}

void hf_random_add(const void *bytes, size_t len, double entropy)
{
    if (len && bytes)
        random_add(bytes, len, entropy > 0 ? entropy * 8 : 0);
}

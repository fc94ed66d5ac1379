/* packer.h: a compression that needs no library: the first byte of a Certificate message of the handshake is
 * 0, and this one leaves it out. */
#ifndef TEST_PACKER_H
#define TEST_PACKER_H

#include <string.h>

#include "handfast.h"

enum { PACKER_ID = 0xff01 };

static unsigned packer_calls; /* of packer_compress */

static inline size_t packer_compress(const uint8_t *in, size_t len, uint8_t *out, size_t size,
                                     void *arg)
{
    (void)arg;
    __atomic_add_fetch(&packer_calls, 1, __ATOMIC_RELAXED);
    if (!len || in[0] != 0 || size < len - 1)
        return 0;
    memcpy(out, in + 1, len - 1);
    return len - 1;
}

static inline size_t packer_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t size,
                                       void *arg)
{
    (void)arg;
    if (size == len + 1) {
        out[0] = 0;
        memcpy(out + 1, in, len);
    }
    return len + 1;
}

static inline bool packer_add(hf_config *config)
{
    static const hf_compressor packer = {PACKER_ID, packer_compress, packer_decompress, NULL};
    return hf_config_add_certificate_compressor(config, &packer);
}

#endif

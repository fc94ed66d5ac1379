/* compress.c: an algorithm of handfast's or of the application's. */
#include "compress/compress.h"

#ifndef HF_HAVE_ZLIB
static const struct packing no_zlib = {.id = 1, .name = "zlib"};
#define packing_zlib no_zlib
#endif
#ifndef HF_HAVE_BROTLI
static const struct packing no_brotli = {.id = 2, .name = "brotli"};
#define packing_brotli no_brotli
#endif
#ifndef HF_HAVE_ZSTD
static const struct packing no_zstd = {.id = 3, .name = "zstd"};
#define packing_zstd no_zstd
#endif

const struct packing *packing_at(size_t i)
{
    static const struct packing *const all[] = {&packing_zlib, &packing_brotli, &packing_zstd};
    return i < sizeof all / sizeof *all ? all[i] : NULL;
}

bool packing_load(const struct packing *packing)
{
    return packing->load && packing->load();
}

enum {
    OVERHEAD = 8, /* what a CompressedCertificate has besides (RFC 8879 4) */
    SLACK = 1024,
};

size_t compress_room(const struct compressor *by, size_t len)
{
    if (!by->packing)
        return len + SLACK;
    return len > OVERHEAD ? len - OVERHEAD : 0;
}

size_t compress_pack(const struct compressor *by, struct slice in, uint8_t *out, size_t size)
{
    if (by->packing)
        return by->packing->pack(in, out, size);
    size_t n = by->custom.compress(in.p, in.len, out, size, by->custom.arg);
    return n <= size ? n : 0;
}

enum unpack compress_unpack(const struct compressor *by, struct slice in, uint8_t *out,
                            size_t size, size_t *made)
{
    *made = 0;
    if (by->packing)
        return by->packing->unpack(in, out, size, made);
    *made = by->custom.decompress(in.p, in.len, out, size, by->custom.arg);
    return *made == 0     ? UNPACK_BAD
           : *made < size ? UNPACK_SHORT
           : *made > size ? UNPACK_LONG
                          : UNPACK_OK;
}

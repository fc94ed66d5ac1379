/* zstd.c: Zstandard (RFC 8878), by its own library. Its stable functions take no allocator: the memory that
 * they use has a fixed size when a whole message is decompressed at once. */
#include <pthread.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "compress/compress.h"
#include "compress/library.h"

static struct {
    __typeof__(&ZSTD_compress) compress;
    __typeof__(&ZSTD_decompress) decompress;
    __typeof__(&ZSTD_getErrorCode) error;
} zs;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool loaded;

static void load_once(void)
{
    static const struct symbol symbols[] = {
        {"ZSTD_compress", &zs.compress},
        {"ZSTD_decompress", &zs.decompress},
        {"ZSTD_getErrorCode", &zs.error},
    };
    loaded = library_load(packing_zstd.library, symbols, sizeof symbols / sizeof *symbols);
}

static bool load(void)
{
    return pthread_once(&once, load_once) == 0 && loaded;
}

enum { LEVEL = 19 }; /* the last one that does not ask for more memory */

static size_t pack(struct slice in, uint8_t *out, size_t size)
{
    size_t n = zs.compress(out, size, in.p, in.len, LEVEL);
    return zs.error(n) ? 0 : n;
}

static enum unpack unpack(struct slice in, uint8_t *out, size_t size, size_t *made)
{
    size_t n = zs.decompress(out, size, in.p, in.len);
    switch ((int)zs.error(n)) {
    case 0: *made = n; return n == size ? UNPACK_OK : UNPACK_SHORT;
    case ZSTD_error_dstSize_tooSmall: return UNPACK_LONG;
    case ZSTD_error_memory_allocation: return UNPACK_NO_MEMORY;
    default: return UNPACK_BAD;
    }
}

const struct packing packing_zstd = {.id = 3,
                                     .name = "zstd",
                                     .library = "libzstd.so.1",
                                     .load = load,
                                     .pack = pack,
                                     .unpack = unpack};

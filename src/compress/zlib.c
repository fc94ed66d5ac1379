/* zlib.c: the zlib format (RFC 1950), by zlib. */
#include <pthread.h>
#include <zlib.h>

#include "compress/compress.h"
#include "compress/library.h"

static struct {
    __typeof__(&deflateInit_) deflate_init;
    __typeof__(&deflate) deflate;
    __typeof__(&deflateEnd) deflate_end;
    __typeof__(&inflateInit_) inflate_init;
    __typeof__(&inflate) inflate;
    __typeof__(&inflateEnd) inflate_end;
} z;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool loaded;

static void load_once(void)
{
    static const struct symbol symbols[] = {
        {"deflateInit_", &z.deflate_init}, {"deflate", &z.deflate},
        {"deflateEnd", &z.deflate_end},    {"inflateInit_", &z.inflate_init},
        {"inflate", &z.inflate},           {"inflateEnd", &z.inflate_end},
    };
    loaded = library_load(packing_zlib.library, symbols, sizeof symbols / sizeof *symbols);
}

static bool load(void)
{
    return pthread_once(&once, load_once) == 0 && loaded;
}

static voidpf alloc(voidpf budget, uInt items, uInt size)
{
    return budget_alloc(budget, (size_t)items * size);
}

static void release(voidpf budget, voidpf p)
{
    (void)budget;
    mem_free(p);
}

/* The streams of both directions; messages are far shorter than 4 GB. */
static z_stream stream(struct budget *budget, struct slice in, uint8_t *out, size_t size)
{
    return (z_stream){.zalloc = alloc,
                      .zfree = release,
                      .opaque = budget,
                      .next_in = (Bytef *)(uintptr_t)in.p,
                      .avail_in = (uInt)in.len,
                      .next_out = out,
                      .avail_out = (uInt)size};
}

static size_t pack(struct slice in, uint8_t *out, size_t size)
{
    struct budget budget = {.left = SIZE_MAX};
    z_stream s = stream(&budget, in, out, size);
    if (z.deflate_init(&s, Z_BEST_COMPRESSION, ZLIB_VERSION, sizeof s) != Z_OK)
        return 0;
    bool good = z.deflate(&s, Z_FINISH) == Z_STREAM_END;
    size_t len = s.total_out;
    z.deflate_end(&s);
    return good ? len : 0;
}

static enum unpack unpack(struct slice in, uint8_t *out, size_t size, size_t *made)
{
    struct budget budget = {.left = BUDGET_UNPACK};
    z_stream s = stream(&budget, in, out, size);
    int r = z.inflate_init(&s, ZLIB_VERSION, sizeof s);
    if (r == Z_OK) {
        r = z.inflate(&s, Z_FINISH);
        *made = s.total_out;
        z.inflate_end(&s);
    }
    if (r == Z_STREAM_END && s.avail_in == 0)
        return *made == size ? UNPACK_OK : UNPACK_SHORT;
    if (r == Z_MEM_ERROR && budget.none)
        return UNPACK_NO_MEMORY;
    return r == Z_BUF_ERROR && s.avail_out == 0 && s.avail_in > 0 ? UNPACK_LONG : UNPACK_BAD;
}

const struct packing packing_zlib = {.id = 1,
                                     .name = "zlib",
                                     .library = "libz.so.1",
                                     .load = load,
                                     .pack = pack,
                                     .unpack = unpack};

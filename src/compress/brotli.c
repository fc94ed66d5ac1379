/* brotli.c: brotli (RFC 7932), by Google's library. */
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdalign.h>

#include "compress/compress.h"
#include "compress/library.h"

static struct {
    __typeof__(&BrotliEncoderCreateInstance) encoder;
    __typeof__(&BrotliEncoderSetParameter) set;
    __typeof__(&BrotliEncoderCompressStream) compress;
    __typeof__(&BrotliEncoderIsFinished) finished;
    __typeof__(&BrotliEncoderDestroyInstance) encoder_free;
    __typeof__(&BrotliDecoderCreateInstance) decoder;
    __typeof__(&BrotliDecoderDecompressStream) decompress;
    __typeof__(&BrotliDecoderDestroyInstance) decoder_free;
} br;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool loaded;

static void load_once(void)
{
    static const struct symbol encoding[] = {
        {"BrotliEncoderCreateInstance", &br.encoder},
        {"BrotliEncoderSetParameter", &br.set},
        {"BrotliEncoderCompressStream", &br.compress},
        {"BrotliEncoderIsFinished", &br.finished},
        {"BrotliEncoderDestroyInstance", &br.encoder_free},
    };
    static const struct symbol decoding[] = {
        {"BrotliDecoderCreateInstance", &br.decoder},
        {"BrotliDecoderDecompressStream", &br.decompress},
        {"BrotliDecoderDestroyInstance", &br.decoder_free},
    };
    loaded = library_load("libbrotlienc.so.1", encoding, sizeof encoding / sizeof *encoding) &&
             library_load(packing_brotli.library, decoding, sizeof decoding / sizeof *decoding);
}

static bool load(void)
{
    return pthread_once(&once, load_once) == 0 && loaded;
}

static void *alloc(void *budget, size_t len)
{
    return budget_alloc(budget, len);
}

static void release(void *budget, void *p)
{
    (void)budget;
    mem_free(p);
}

/* The window need not be larger than the message, and the memory for it is the encoder's and the decoder's. */
static uint32_t window_for(size_t len)
{
    uint32_t bits = BROTLI_MIN_WINDOW_BITS;
    while (bits < BROTLI_DEFAULT_WINDOW && ((size_t)1 << bits) - 16 < len)
        bits++;
    return bits;
}

/* The encoder ends the whole process when its allocator returns NULL. So ours does not return then: it leaves
 * the encoder for good, whose memory is all in this list. */
struct block {
    alignas(max_align_t) struct block *next;
    struct block *before;
};

struct heap {
    jmp_buf out_of_memory;
    struct block all; /* a ring */
};

static void *heap_alloc(void *opaque, size_t len)
{
    struct heap *heap = opaque;
    struct block *b = len <= SIZE_MAX / 2 ? mem_new(sizeof *b + len) : NULL;
    if (!b)
        longjmp(heap->out_of_memory, 1);
    b->next = heap->all.next;
    b->before = &heap->all;
    b->next->before = heap->all.next = b;
    return b + 1;
}

static void heap_free(void *opaque, void *p)
{
    (void)opaque;
    if (!p)
        return;
    struct block *b = (struct block *)p - 1;
    b->before->next = b->next;
    b->next->before = b->before;
    mem_free(b);
}

static size_t encode(struct heap *heap, struct slice in, uint8_t *out, size_t size)
{
    BrotliEncoderState *e = br.encoder(heap_alloc, heap_free, heap);
    size_t left = size;
    if (!e)
        return 0;
    bool good = br.set(e, BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY) &&
                br.set(e, BROTLI_PARAM_LGWIN, window_for(in.len)) &&
                br.set(e, BROTLI_PARAM_SIZE_HINT, (uint32_t)in.len) &&
                br.compress(e, BROTLI_OPERATION_FINISH, &in.len, &in.p, &left, &out, NULL) &&
                br.finished(e);
    br.encoder_free(e);
    return good ? size - left : 0;
}

static size_t pack(struct slice in, uint8_t *out, size_t size)
{
    struct heap heap;
    heap.all.next = heap.all.before = &heap.all;
    if (setjmp(heap.out_of_memory) == 0)
        return encode(&heap, in, out, size);
    while (heap.all.next != &heap.all)
        heap_free(&heap, heap.all.next + 1);
    return 0;
}

static enum unpack unpack(struct slice in, uint8_t *out, size_t size, size_t *made)
{
    struct budget budget = {.left = BUDGET_UNPACK};
    BrotliDecoderState *d = br.decoder(alloc, release, &budget);
    if (!d)
        return UNPACK_NO_MEMORY;
    size_t left = size;
    BrotliDecoderResult r = br.decompress(d, &in.len, &in.p, &left, &out, NULL);
    br.decoder_free(d);
    *made = size - left;
    if (r == BROTLI_DECODER_RESULT_SUCCESS && in.len == 0)
        return *made == size ? UNPACK_OK : UNPACK_SHORT;
    if (r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
        return UNPACK_LONG;
    return r == BROTLI_DECODER_RESULT_ERROR && budget.none ? UNPACK_NO_MEMORY : UNPACK_BAD;
}

const struct packing packing_brotli = {.id = 2,
                                       .name = "brotli",
                                       .library = "libbrotlidec.so.1",
                                       .load = load,
                                       .pack = pack,
                                       .unpack = unpack};

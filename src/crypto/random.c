/* random.c: random bytes from the kernel, drawn in blocks.
 *
 * Why not RAND_bytes: a block of 256 bytes costs the same from both (0.6 to 0.8 us here),
 * but the kernel takes no lock of ours, needs no seeding (0.8 to 1.1 ms in every process
 * that makes its first connection), and knows about fork and about snapshots of virtual
 * machines. RAND_bytes serves where the configuration asks for FIPS-validated algorithms,
 * and where there is no getrandom.
 *
 * The block lies in a page of its own per thread that the kernel empties in the child of a
 * fork (MADV_WIPEONFORK): the child finds a block with nothing left in it and draws its own.
 * No process can get another one's bytes, not even after a bare clone(). Bytes are wiped as
 * they are handed out. */
#include "crypto/random.h"

#include <errno.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "crypto/provider.h"

/* All zero is the empty block. */
struct block {
    volatile size_t drawn; /* not 0 once the bytes are there */
    size_t left;
    uint8_t bytes[256];
};

#define MAP_SIZE sizeof(struct block)

static _Thread_local struct block *block;
static pthread_key_t key;
static bool have_key;

static void free_block(void *p)
{
    wipe(p, sizeof(struct block));
    munmap(p, MAP_SIZE);
    block = NULL;
}

static bool draw(uint8_t *out, size_t n)
{
    while (n > 0 && !provider_fips()) {
        ssize_t got = getrandom(out, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        out += got;
        n -= (size_t)got;
    }
    while (n > 0) {
        int part = n > 1 << 20 ? 1 << 20 : (int)n;
        if (RAND_priv_bytes(out, part) != 1)
            return false;
        out += part;
        n -= (size_t)part;
    }
    return true;
}

static bool make_key(void)
{
    static struct once once;
    if (once_begin(&once)) {
        have_key = pthread_key_create(&key, free_block) == 0;
        once_end(&once);
    }
    return have_key;
}

/* This thread's block, or NULL where the kernel cannot keep it from a child: then nothing is
 * kept. */
static struct block *get_block(void)
{
    if (block || !make_key())
        return block;
    void *p = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, MAP_SIZE, MADV_DONTDUMP);
    if (madvise(p, MAP_SIZE, MADV_WIPEONFORK) != 0 || pthread_setspecific(key, p) != 0) {
        munmap(p, MAP_SIZE);
        return NULL;
    }
    return block = p;
}

bool random_bytes(void *out, size_t n)
{
    struct block *b = n <= sizeof b->bytes ? get_block() : NULL;
    if (!b)
        return draw(out, n);
    if (b->left < n) {
        b->left = 0;
        if (!draw(b->bytes, sizeof b->bytes))
            return false;
        b->left = sizeof b->bytes;
        b->drawn = 1;
    }
    /* From the end, so that `left` alone says what is unused. */
    size_t rest = b->left >= n ? b->left - n : 0;
    b->left = rest;
    if (n)
        memcpy(out, b->bytes + rest, n);
    wipe(b->bytes + rest, n);
    /* A signal handler may have forked meanwhile, and this be the child, whose block is
     * empty: what was copied may be zeros. */
    return b->drawn || draw(out, n);
}

void random_add(const void *p, size_t n, double bits)
{
    const uint8_t *bytes = p;

    while (n > 0) {
        int part = n > 1 << 20 ? 1 << 20 : (int)n;
        RAND_add(bytes, part, bits / 8);
        bytes += part;
        n -= (size_t)part;
        bits = 0; /* said with the first part */
    }
}

/* Before the kernel has collected enough, as early in a boot, getrandom would wait. */
bool random_ready(void)
{
    uint8_t byte;

    if (!provider_fips() && getrandom(&byte, 1, GRND_NONBLOCK) == 1)
        return true;
    return RAND_status() == 1;
}

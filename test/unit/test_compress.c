/* zlib, brotli and zstd: there and back, and what comes of bytes that were made to do harm. What this build
 * or this machine does not have is skipped by name. */
#include "check.h"

#include <stdlib.h>

#include "compress/compress.h"
#include "compress/library.h"
#include "packer.h"

enum { SIZE = 6000 };

/* As a certificate: some of it repeats, most does not. */
static void fill(uint8_t *p, size_t len)
{
    uint32_t x = 12345;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        p[i] =
            i % 64 < 40 ? (uint8_t)(x >> 24) : (uint8_t) "a name that repeats itself"[i % 24];
    }
}

static bool there(const struct packing *packing)
{
    if (packing_load(packing))
        return true;
    printf("skip %s: %s\n", packing->name,
           packing->library ? "its library is not on this machine: install it"
                            : "this build is without it: install its headers (tools/setup)");
    check_skipped++;
    return false;
}

static void each(void (*test)(const struct compressor *by))
{
    const struct packing *packing;
    for (size_t i = 0; (packing = packing_at(i)); i++) {
        if (there(packing))
            test(&(struct compressor){.id = packing->id, .packing = packing});
    }
}

static size_t pack(const struct compressor *by, const uint8_t *in, size_t len, uint8_t *out)
{
    return compress_pack(by, slice_of(in, len), out, compress_room(by, len));
}

static void back_and_forth(const struct compressor *by)
{
    static uint8_t in[SIZE], packed[SIZE], out[SIZE + 16];
    size_t made = 0;
    fill(in, sizeof in);
    size_t n = pack(by, in, sizeof in, packed);
    CHECK(n > 0 && n < sizeof in * 4 / 5);
    struct slice p = slice_of(packed, n);
    out[SIZE] = 0x5a;
    CHECK_INT(compress_unpack(by, p, out, SIZE, &made), UNPACK_OK);
    CHECK(memcmp(in, out, SIZE) == 0 && out[SIZE] == 0x5a);
    /* announced as more or less than it is */
    CHECK_INT(compress_unpack(by, p, out, SIZE + 1, &made), UNPACK_SHORT);
    CHECK_INT(made, SIZE);
    CHECK_INT(compress_unpack(by, p, out, SIZE - 1, &made), UNPACK_LONG);
    CHECK_INT(compress_unpack(by, p, out, 0, &made), UNPACK_LONG);
    /* cut, at every length, and with something behind it */
    for (size_t i = 0; i < n; i++)
        CHECK(compress_unpack(by, slice_of(packed, i), out, SIZE, &made) != UNPACK_OK);
    uint8_t longer[SIZE];
    memcpy(longer, packed, n);
    longer[n] = 0;
    CHECK_INT(compress_unpack(by, slice_of(longer, n + 1), out, SIZE, &made), UNPACK_BAD);
    fill(longer, sizeof longer);
    CHECK_INT(compress_unpack(by, slice_of(longer, sizeof longer), out, SIZE, &made),
              UNPACK_BAD);
}

static void test_back_and_forth(void)
{
    each(back_and_forth);
}

/* Every byte changed: refused, or other bytes; never more than there is room for. */
static void changed(const struct compressor *by)
{
    static uint8_t in[SIZE], packed[SIZE], out[SIZE + 16];
    size_t made = 0;
    fill(in, sizeof in);
    size_t n = pack(by, in, sizeof in, packed);
    for (size_t i = 0; i < n; i++) {
        packed[i] ^= (uint8_t)(1u << i % 8);
        memset(out + SIZE, 0x5a, 16);
        enum unpack r = compress_unpack(by, slice_of(packed, n), out, SIZE, &made);
        CHECK(r != UNPACK_NO_MEMORY);
        for (size_t k = 0; k < 16; k++)
            CHECK(out[SIZE + k] == 0x5a);
        packed[i] ^= (uint8_t)(1u << i % 8);
    }
}

static void test_changed(void)
{
    each(changed);
}

/* 64 MB of zeros in a few kilobytes are not made: the room that was announced is all they get. */
static void bomb(const struct compressor *by)
{
    size_t len = (size_t)64 << 20, made = 0, n;
    uint8_t *in = calloc(1, len), *packed = malloc(len), out[1024];
    n = compress_pack(by, slice_of(in, len), packed, len);
    CHECK(n > 0 && n < len / 500);
    enum unpack r = compress_unpack(by, slice_of(packed, n), out, sizeof out, &made);
    /* brotli's has blocks of 16 MB, and is refused for the memory that they would take */
    CHECK_INT(r, by->id == 2 ? UNPACK_BAD : UNPACK_LONG);
    free(in);
    free(packed);
}

static void test_bomb(void)
{
    each(bomb);
}

/* What does not get smaller, by more than its message has besides, is not worth it. */
static void useless(const struct compressor *by)
{
    uint8_t in[64], out[64];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 167 + 13);
    for (size_t len = 0; len <= sizeof in; len++)
        CHECK_INT(pack(by, in, len, out), 0);
}

static void test_useless(void)
{
    each(useless);
}

static void no_memory(const struct compressor *by)
{
    static uint8_t in[SIZE], packed[SIZE], out[SIZE];
    size_t made = 0, n;
    fill(in, sizeof in);
    unsigned long before = mem_test_count(), used;
    n = pack(by, in, sizeof in, packed);
    used = mem_test_count() - before;
    /* zstd has no allocator of ours */
    CHECK(by->id == 3 ? used == 0 : used > 0);
    for (unsigned long i = 1; i <= used; i++) {
        uint8_t other[SIZE];
        mem_test_fail_after(i);
        CHECK_INT(pack(by, in, sizeof in, other), 0);
        mem_test_fail_after(0);
    }
    before = mem_test_count();
    CHECK_INT(compress_unpack(by, slice_of(packed, n), out, SIZE, &made), UNPACK_OK);
    used = mem_test_count() - before;
    CHECK(by->id == 3 ? used == 0 : used > 0);
    for (unsigned long i = 1; i <= used; i++) {
        mem_test_fail_after(i);
        CHECK_INT(compress_unpack(by, slice_of(packed, n), out, SIZE, &made), UNPACK_NO_MEMORY);
        mem_test_fail_after(0);
    }
}

static void test_no_memory(void)
{
    ROW("C14");
    each(no_memory);
}

static void test_budget(void)
{
    struct budget b = {.left = 100};
    void *p = budget_alloc(&b, 60), *q = budget_alloc(&b, 41);
    CHECK(p && !q && !b.none && b.left == 40);
    mem_test_fail_after(1);
    CHECK(!budget_alloc(&b, 40) && b.none && b.left == 40);
    mem_test_fail_after(0);
    mem_free(p);
    void *nothing = NULL;
    CHECK(!library_load("libhandfast-has-no-such-library.so.9", NULL, 0));
    CHECK(!library_load("libc.so.6", &(struct symbol){"no_such_function", &nothing}, 1));
    CHECK(library_load("libc.so.6", &(struct symbol){"strlen", &nothing}, 1) && nothing);
}

/* What an application's functions say is not believed. */
static size_t lie;

static size_t liar(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg)
{
    (void)in;
    (void)len;
    (void)out;
    (void)size;
    (void)arg;
    return lie;
}

static void test_custom(void)
{
    uint8_t in[10] = {0}, out[2000];
    size_t made;
    struct compressor by = {.id = 7, .custom = {7, liar, liar, NULL}};
    CHECK_INT(compress_room(&by, 10), 10 + 1024);
    lie = 12; /* longer is allowed */
    CHECK_INT(compress_pack(&by, slice_of(in, 10), out, 1034), 12);
    lie = 1035;
    CHECK_INT(compress_pack(&by, slice_of(in, 10), out, 1034), 0);
    static const struct {
        size_t lie;
        enum unpack is;
    } lies[] = {{0, UNPACK_BAD}, {19, UNPACK_SHORT}, {20, UNPACK_OK}, {21, UNPACK_LONG}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        lie = lies[i].lie;
        CHECK_INT(compress_unpack(&by, slice_of(in, 10), out, 20, &made), lies[i].is);
        CHECK_INT(made, lie);
    }
}

int main(void)
{
    RUN(test_back_and_forth);
    RUN(test_changed);
    RUN(test_bomb);
    RUN(test_useless);
    RUN(test_no_memory);
    RUN(test_budget);
    RUN(test_custom);
    return check_done();
}

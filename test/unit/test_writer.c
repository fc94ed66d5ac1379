/* test_writer.c: the sticky writer. */
#include "bytes/writer.h"
#include "check.h"

static void test_integers(void)
{
    struct buffer b = {0};
    struct wr w;
    wr_start(&w, &b);
    wr_u8(&w, 0x01);
    wr_u16(&w, 0x0203);
    wr_u24(&w, 0x040506);
    wr_u32(&w, 0x0708090a);
    wr_u64(&w, 0x0b0c0d0e0f101112);
    wr_bytes(&w, "abc", 3);
    wr_bytes(&w, NULL, 0);
    wr_slice(&w, slice_of("de", 2));
    CHECK(wr_ok(&w));
    CHECK_INT(wr_at(&w), 23);
    CHECK_MEM(b.p,
              "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22"
              "abcde",
              23);
    buffer_clear(&b);
}

static void test_vectors(void)
{
    struct buffer b = {0};
    struct wr w;
    CHECK(buffer_append(&b, "xx", 2));
    buffer_drop(&b, 1);
    wr_start(&w, &b);
    size_t outer = wr_open(&w, 3);
    size_t middle = wr_open(&w, 2);
    wr_opaque8(&w, slice_of("ab", 2));
    wr_opaque16(&w, (struct slice){0});
    wr_close(&w, middle, 2);
    wr_opaque24(&w, slice_of("c", 1));
    size_t empty = wr_open(&w, 1);
    wr_close(&w, empty, 1);
    wr_close(&w, outer, 3);
    CHECK(wr_ok(&w));
    CHECK_INT(buffer_len(&b), 1 + 3 + 2 + 5 + 4 + 1);
    CHECK_MEM(b.p + b.start, "x\0\0\14\0\5\2ab\0\0\0\0\1c\0", 16);
    buffer_clear(&b);
}

/* A mark stays right when the buffer moves its content to the front or to a new block. */
static void test_marks_survive_moves(void)
{
    struct buffer b = {0};
    struct wr w;
    uint8_t filler[400] = {0};
    CHECK(buffer_append(&b, filler, 400));
    buffer_drop(&b, 399);
    wr_start(&w, &b);
    size_t mark = wr_open(&w, 2);
    wr_bytes(&w, filler, 300);
    wr_bytes(&w, filler, 400);
    wr_close(&w, mark, 2);
    CHECK(wr_ok(&w));
    CHECK_INT(get_u16(b.p + b.start + 1), 700);
    CHECK_INT(buffer_len(&b), 703);
    buffer_clear(&b);
}

static void test_limits(void)
{
    static uint8_t big[65536];
    struct buffer b = {0};
    struct wr w;
    wr_start(&w, &b);
    wr_opaque8(&w, slice_of(big, 255));
    wr_opaque16(&w, slice_of(big, 65535));
    CHECK(wr_ok(&w));
    size_t before = buffer_len(&b);
    wr_opaque8(&w, slice_of(big, 256));
    CHECK(!wr_ok(&w));
    wr_u8(&w, 1);
    CHECK(wr_space(&w, 1) == NULL);
    CHECK_INT(buffer_len(&b), before);
    wr_start(&w, &b);
    wr_opaque16(&w, slice_of(big, 65536));
    CHECK(!wr_ok(&w));
    wr_start(&w, &b);
    size_t mark = wr_open(&w, 1);
    wr_bytes(&w, big, 256);
    wr_close(&w, mark, 1);
    CHECK(!wr_ok(&w));
    wr_start(&w, &b);
    wr_u24(&w, 0x1000000);
    CHECK(!wr_ok(&w));
    buffer_clear(&b);
}

static void test_no_memory(void)
{
    ROW("C14");
    for (unsigned long n = 1; n <= 5; n++) {
        struct buffer b = {0};
        struct wr w;
        uint8_t filler[500] = {0};
        wr_start(&w, &b);
        mem_test_fail_after(n);
        size_t mark = wr_open(&w, 2);
        for (int i = 0; i < 5; i++)
            wr_bytes(&w, filler, sizeof filler);
        wr_close(&w, mark, 2);
        mem_test_fail_after(0);
        CHECK_INT(wr_ok(&w), n == 5); /* 2502 bytes: blocks of 512, 1024, 2048 and 4096 */
        buffer_clear(&b);
    }
}

int main(void)
{
    RUN(test_integers);
    RUN(test_vectors);
    RUN(test_marks_survive_moves);
    RUN(test_limits);
    RUN(test_no_memory);
    return check_done();
}

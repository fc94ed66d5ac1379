/* scan_flight.c: what a server answers a scan's hello with. The first byte: bit 0: a hello of SSL 2.0 was sent,
 * bit 1: the flight is read to its end; the rest is what comes, in pieces as bits 2 to 7 say. */
#include "fuzz.h"

#include <string.h>

#include "cli/scan_flight.h"

/* What it says must not depend on how the bytes were cut. */
static void read_all(uint8_t how, struct slice in, size_t piece, struct answer *a,
                     struct numbers *specs, struct numbers *high)
{
    struct flight f = {
        .a = a, .ssl2 = how & 1, .whole = how & 2, .specs = specs, .specs_high = high};
    bool more = true;
    for (size_t at = 0; more && at < in.len; at += piece)
        more = flight_feed(&f, in.p + at, in.len - at < piece ? in.len - at : piece);
    REQUIRE(more == !f.over);
    REQUIRE(!f.over || a->kind != ANSWER_NONE);
    flight_clear(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct numbers specs, high, specs2, high2;
    struct answer a = {0}, b = {0};
    struct slice in = slice_of(data + (size > 0), size - (size > 0));
    uint8_t how = size ? data[0] : 0;
    specs.count = high.count = specs2.count = high2.count = 0;
    read_all(how, in, in.len + 1, &a, &specs, &high);
    read_all(how, in, (size_t)(how >> 2) + 1, &b, &specs2, &high2);
    REQUIRE(a.kind == ANSWER_STRANGE || b.kind == ANSWER_STRANGE || a.kind == b.kind);
    REQUIRE(specs.count == high.count && specs.count <= SCAN_NUMBERS);
    REQUIRE(memchr(a.what, 0, sizeof a.what) && memchr(b.what, 0, sizeof b.what));
    if (a.kind == ANSWER_HELLO && b.kind == ANSWER_HELLO)
        REQUIRE(a.suite == b.suite && a.version == b.version && a.dh_bits == b.dh_bits);
    free(a.certificates);
    free(b.certificates);
    return 0;
}

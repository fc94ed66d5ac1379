/* seed_cookies.c: what cookies may say, good and bad. */
#include "seed_cookies.h"

#include <string.h>

#include "config/cookie.h"
#include "ends.h"

static const struct {
    const char *name;
    uint8_t how; /* see cookie.c */
    uint16_t suite, group;
    int64_t made;
    bool share_asked;
    uint8_t hash;
    size_t content;
} seeds[] = {
    {"good", 3, 0x1301, 0x1d, ENDS_NOW, false, 32, 0},
    {"psk", 3, 0x1301, 0x1d, ENDS_NOW, false, 32, 16},
    {"first", 7, 0x1303, 0x1d, ENDS_NOW, false, 32, 4},
    {"group", 3, 0x1301, 0x17, ENDS_NOW, true, 32, 0},
    {"sha384", 3, 0x1302, 0x1d, ENDS_NOW, false, 48, 0},
    {"old", 3, 0x1301, 0x1d, ENDS_NOW - 100, false, 32, 0},
    {"future", 3, 0x1301, 0x1d, ENDS_NOW + 100, false, 32, 0},
    {"suite", 3, 0xc02f, 0x1d, ENDS_NOW, false, 32, 0},
    {"other-hello", 1, 0x1301, 0x1d, ENDS_NOW, false, 32, 0},
    {"unsealed", 0, 0x1301, 0x1d, ENDS_NOW, false, 32, 0},
    {"starved", 0x3b, 0x1301, 0x1d, ENDS_NOW, false, 32, 8},
};

void seed_cookies(seed_fn put)
{
    static const uint8_t bytes[48] = {7};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        struct cookie c = {.suite = seeds[i].suite,
                           .group = seeds[i].group,
                           .share_asked = seeds[i].share_asked,
                           .psk = seeds[i].content == 16,
                           .made = (uint64_t)seeds[i].made,
                           .hello = slice_of(bytes, seeds[i].hash),
                           .content = slice_of(bytes, seeds[i].content)};
        uint8_t input[256] = {seeds[i].how};
        size_t len = 0;
        uint8_t *p = cookie_seal(ends_config(true), NULL, &c, &len);
        REQUIRE(p && len > 32 && len - 32 < sizeof input);
        memcpy(input + 1, p, len - 32);
        put("cookie", seeds[i].name, input, 1 + len - 32);
        mem_free(p);
    }
}

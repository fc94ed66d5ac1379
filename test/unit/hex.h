/* hex.h: hexadecimal text of test vectors into bytes; blanks are skipped. */
#ifndef HEX_H
#define HEX_H

#include <stddef.h>
#include <stdint.h>

static inline int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline size_t unhex(const char *hex, uint8_t *out)
{
    size_t digits = 0;
    for (; *hex; hex++) {
        int d = hex_digit(*hex);
        if (d < 0)
            continue;
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] << 4 | d : d);
        digits++;
    }
    return digits / 2;
}

#endif

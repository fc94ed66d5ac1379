/* grease.h: values that mean nothing, so that peers stay able to ignore what they do not know (RFC 8701). */
#ifndef EXTENSION_GREASE_H
#define EXTENSION_GREASE_H

#include "extension/extension.h"

/* Where a reserved value stands. The two extensions of a message never have the same one. */
enum grease {
    GREASE_SUITE,
    GREASE_GROUP, /* the key share's too */
    GREASE_VERSION,
    GREASE_EXTENSION,
    GREASE_LAST_EXTENSION
};

/* 0x0a0a, 0x1a1a, ... 0xfafa: the same for one place through a whole handshake. */
static inline uint16_t grease_value(const struct nego *n, enum grease where)
{
    unsigned x = n->grease[where] >> 4;
    if (where == GREASE_LAST_EXTENSION && x == n->grease[GREASE_EXTENSION] >> 4)
        x ^= 1;
    return (uint16_t)(0x0a0a | x << 4 | x << 12);
}

#endif

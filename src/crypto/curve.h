/* curve.h: the elliptic curves of TLS, one immutable group each for the whole process. For
 * this room only. */
#ifndef CRYPTO_CURVE_H
#define CRYPTO_CURVE_H

#include <openssl/ec.h>

#include "bytes/bytes.h"

#define CURVE_MAX_SCALAR 66

struct curve {
    const EC_GROUP *group;
    size_t size;                     /* of a scalar or a coordinate in bytes */
    uint8_t order[CURVE_MAX_SCALAR]; /* size bytes */
    uint8_t first_mask;              /* of a scalar's first byte */
};

/* curve_of returns the curve of this NID (P-256, P-384, P-521), or NULL. Making a group
 * takes 9 us, hence once. */
const struct curve *curve_of(int nid);

#endif

/* der.c: one element at a time (X.690 8.1, 10.1). */
#include "crypto/der.h"

bool der_next(struct slice *in, uint8_t *tag, struct slice *out)
{
    if (in->len < 2)
        return false;
    size_t head = 2, len = in->p[1];
    if (len >= 0x80) {
        size_t octets = len & 0x7f;
        if (octets < 1 || octets > 4 || in->len < 2 + octets || in->p[2] == 0)
            return false;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | in->p[2 + i];
        if (len < 0x80)
            return false;
        head += octets;
    }
    /* High tag numbers do not occur in keys. */
    if ((in->p[0] & 0x1f) == 0x1f || len > in->len - head)
        return false;
    *tag = in->p[0];
    *out = slice_of(in->p + head, len);
    *in = slice_of(in->p + head + len, in->len - head - len);
    return true;
}

bool der_take(struct slice *in, uint8_t tag, struct slice *out)
{
    return in->len > 0 && in->p[0] == tag && der_next(in, &tag, out);
}

bool der_is_one(struct slice bytes)
{
    struct slice body;
    return der_take(&bytes, DER_SEQUENCE, &body) && bytes.len == 0;
}

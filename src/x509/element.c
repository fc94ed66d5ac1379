#include "x509/element.h"

#include <openssl/asn1.h>

bool element_take(struct slice *in, int want_tag, struct slice *whole, struct slice *content)
{
    const unsigned char *p = in->p;
    long len = 0;
    int tag = 0, class = 0;
    if (in->len == 0 || in->len > INT32_MAX)
        return false;
    int flags = ASN1_get_object(&p, &len, &tag, &class, (long)in->len);
    /* 0x80: an error; 1: indefinite length, which DER does not have. */
    if ((flags & 0x81) || (want_tag >= 0 && (tag != want_tag || class != V_ASN1_UNIVERSAL)))
        return false;
    size_t total = (size_t)(p - in->p) + (size_t)len;
    if (whole)
        *whole = slice_of(in->p, total);
    if (content)
        *content = slice_of(p, (size_t)len);
    *in = slice_of(in->p + total, in->len - total);
    return true;
}

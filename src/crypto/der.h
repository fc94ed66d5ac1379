/* der.h: just enough DER to see what a structure holds. For keys, and for OpenSSL's sessions. */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "bytes/bytes.h"

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
};

/* der_next takes the next element off the front of in: its tag and its content. false at the
 * end, and where there is none. */
bool der_next(struct slice *in, uint8_t *tag, struct slice *out);

/* der_take does the same if the tag is this one, else it takes nothing and returns false. */
bool der_take(struct slice *in, uint8_t tag, struct slice *out);

/* der_is_one: the bytes are exactly one SEQUENCE. */
bool der_is_one(struct slice bytes);

#endif

/* session_asn1.h: OpenSSL 3.0's SSL_SESSION, as it stands in files, caches and tickets:
 *
 *   SSL_SESSION ::= SEQUENCE {
 *       version       INTEGER (1),       ssl-version    INTEGER,
 *       cipher        OCTET STRING,      session-id     OCTET STRING,
 *       master-key    OCTET STRING,      -- in TLS 1.3 the resumption PSK
 *       then those of the fields below that are there, in this order, explicitly tagged }
 *
 * This reads them and no more: what they mean, and which values are sensible, is the business of session_openssl.c
 * and of libssl/session_asn1.c, which writes them too. */
#ifndef CONFIG_SESSION_ASN1_H
#define CONFIG_SESSION_ASN1_H

#include "bytes/bytes.h"

enum session_field {
    SESSION_TIME = 1,
    SESSION_TIMEOUT = 2,
    SESSION_PEER = 3,
    SESSION_CONTEXT = 4,
    SESSION_VERIFY_RESULT = 5,
    SESSION_HOST_NAME = 6,
    SESSION_PSK_HINT = 7,
    SESSION_PSK_IDENTITY = 8,
    SESSION_LIFETIME_HINT = 9,
    SESSION_TICKET = 10,
    SESSION_COMPRESSION = 11,
    SESSION_SRP_USER = 12,
    SESSION_FLAGS = 13,
    SESSION_AGE_ADD = 14,
    SESSION_MAX_EARLY_DATA = 15,
    SESSION_ALPN = 16,
    SESSION_MAX_FRAGMENT = 17,
    SESSION_APPDATA = 18,
    SESSION_GROUP = 19,
    SESSION_FIELDS
};

enum {
    SESSION_FORMAT = 1,   /* the version of this structure */
    SESSION_TAG = 0xa0,   /* of field 0, if there were one */
    SESSION_FLAG_EMS = 1, /* in SESSION_FLAGS */
};

/* The fields without interpretation; what is not there is empty and 0. */
struct session_asn1 {
    int64_t format, version;
    struct slice cipher, id, secret;
    bool there[SESSION_FIELDS];
    int64_t number[SESSION_FIELDS];
    struct slice bytes
        [SESSION_FIELDS]; /* of numbers too; of SESSION_PEER: what should be a certificate */
};

/* session_next_fn takes one element off the front of in: its first byte and its content. False: there is none, or it
 * is cut off or malformed. der_next, or one that is less strict about how lengths are written. */
typedef bool (*session_next_fn)(struct slice *in, uint8_t *tag, struct slice *content);

/* session_asn1_read takes a session off the front of in; the slices point into it. E_SESSION_DATA: every element must
 * have its type, each field stand once and in its place, and numbers fit 64 bits; an empty one is 0, as OpenSSL has it. */
bool session_asn1_read(struct slice *in, session_next_fn next, struct session_asn1 *out,
                       hf_error *err) __attribute__((warn_unused_result));

bool session_field_is_number(enum session_field field);
/* session_field_name: for messages, as OpenSSL's structure has it. */
const char *session_field_name(enum session_field field);

#endif

/* protection.h: what a kind of record protection must provide. Private to this room. */
#ifndef RECORD_PROTECTION_H
#define RECORD_PROTECTION_H

#include "record/record.h"

struct rec_protection {
    uint8_t outer;     /* content type of protected records; 0: their real one */
    size_t max_cipher; /* most bytes behind the header */

    /* open is given a whole record whose header was checked; out->outer and used are set. */
    enum rec_result (*open)(struct rec_half *half, uint8_t *record, size_t len,
                            struct rec_opened *out, hf_error *err);
    size_t (*seal)(struct rec_half *half, uint8_t type, const uint8_t *in, size_t len,
                   uint8_t *out);
    size_t (*sealed_size)(const struct rec_half *half, uint8_t type, size_t len);
    size_t (*max_plain)(const struct rec_half *half);
};

void rec_put_header(uint8_t *out, uint8_t type, uint16_t version, size_t len);

/* rec_check_empty refuses what RFC 8446 5.1 forbids to be empty. */
bool rec_check_empty(uint8_t type, size_t len, hf_error *err)
    __attribute__((warn_unused_result));

#endif

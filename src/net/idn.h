/* idn.h: host names beyond ASCII. */
#ifndef NET_IDN_H
#define NET_IDN_H

#include "bytes/bytes.h"

/* idn_to_ascii writes the A-label of a name in UTF-8 (RFC 5891), by libidn2 where that is installed. If it
 * fails, why says so in words. */
bool idn_to_ascii(struct slice name, char *out, size_t size, char *why, size_t why_size)
    __attribute__((warn_unused_result));

#endif

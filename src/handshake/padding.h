/* padding.h: how long an application wants a record of TLS 1.3 to be (RFC 8446 5.4). */
#ifndef HANDSHAKE_PADDING_H
#define HANDSHAKE_PADDING_H

#include "config/config.h"
#include "record/record.h"

/* padding_asked: the application says so for the records of this half. */
bool padding_asked(const hf_config *config, const struct rec_half *out);

/* padding_choose asks it about the next record, of any type, of which `len` bytes are content; padding_done takes what
 * it said back, when that record is sealed. At most `most` zeros. Both do nothing where nobody has asked for it. */
void padding_choose(const hf_config *config, hf_conn *conn, struct rec_half *out, uint8_t type,
                    size_t len, size_t most);
void padding_done(const hf_config *config, struct rec_half *out);

#endif

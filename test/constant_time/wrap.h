/* wrap.h: where secrets begin and where they end, for memcheck (marks.h). The linker puts these
 * functions in place of the engine's own (-Wl,--wrap).
 *
 * Secrets begin: the result of a key exchange, and the secret of a session in a ticket. They end:
 *   - ciphertext: it goes over the wire.
 *   - plaintext of records: it is parsed, and what it says decides what happens next. The lengths and
 *     types in it show in what we do; the keys must not.
 *   - our own verify_data and binders: they are sent. Those that we compute to compare them with the
 *     peer's stay secret: where the comparison stops would tell how far a forgery was right. */
#ifndef WRAP_H
#define WRAP_H

#include "marks.h"

/* wrap_count: how often a secret began. */
extern unsigned wrap_secrets;

#endif

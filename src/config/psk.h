/* psk.h: the life of a list of external pre-shared keys; config.h has what is in it. */
#ifndef CONFIG_PSK_H
#define CONFIG_PSK_H

#include "config/config.h"
#include "config/session.h"

struct psks *psks_ref(struct psks *psks);
void psks_free(struct psks *psks);

/* psk_offer makes the i-th key into what a TLS 1.3 handshake offers; psk_find13 does so with the key of this
 * identity. NULL: there is none, or no memory (then *memory is false). */
hf_session *psk_offer(const hf_config *config, size_t i, bool *memory);
hf_session *psk_find13(const hf_config *config, struct slice identity, bool *memory);
/* psk_external does the same with a key that no configuration has; `hash` is that of its suites. */
hf_session *psk_external(struct slice identity, struct slice key, enum hash_id hash);

#endif

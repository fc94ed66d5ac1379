/* recognise.h: what speaks to us when it is not TLS. */
#ifndef RECORD_RECOGNISE_H
#define RECORD_RECOGNISE_H

#include "bytes/bytes.h"

/* rec_recognise looks at the first bytes of a peer that should speak TLS and does not. from_server: a
 * server sent them. HF_OK: nothing known (it may be TLS). E_PLAINTEXT_PEER, E_SSL2_PEER, E_SSL3_PEER:
 * `what` says in words what it is and what to do, cut at size. Nothing is kept or changed. */
hf_code rec_recognise(const uint8_t *in, size_t len, bool from_server, char *what, size_t size);

#endif

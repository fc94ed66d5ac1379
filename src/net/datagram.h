/* datagram.h: what udp.c and udg.c share, and message.c adds addresses to. */
#ifndef NET_DATAGRAM_H
#define NET_DATAGRAM_H

#include "net/stream.h"

extern const struct stream_ops datagram_ops;

/* datagram_receive takes one datagram, as hf_read does; flags are recv's. from and from_len, if not NULL,
 * are the sender's. */
ptrdiff_t datagram_receive(hf_stream *s, void *out, size_t len, int flags, struct address *from,
                           socklen_t *from_len, deadline d, hf_error *err);

/* datagram_send sends one, to an address or (NULL) to the peer. Holds s->writing. */
ptrdiff_t datagram_send(hf_stream *s, const void *data, size_t len, const struct address *to,
                        deadline d, hf_error *err);

#endif

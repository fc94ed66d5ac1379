/* opening.h: the talk in plain text before TLS, as client or server. */
#ifndef NET_OPENING_H
#define NET_OPENING_H

#include "net/starttls.h"
#include "net/stream.h"

/* opening_new makes a plain stream, whose TLS is prepared (upgrade_prepare, tls_client), talk before its
 * handshake. name: of the peer, for XMPP; may be NULL. options may be NULL. */
bool opening_new(hf_stream *s, const struct starttls *protocol, bool server, const char *name,
                 const hf_start_tls_options *options, hf_error *err)
    __attribute__((warn_unused_result));

/* opening_run goes on: 0 when the handshake is next, HF_AGAIN or -1. */
int opening_run(hf_stream *s, deadline d, hf_error *err);

/* opening_events: what it waits for, for poll. */
short opening_events(const hf_stream *s);

/* opening_serves refuses protocols whose server's part nobody plays here. */
bool opening_serves(const struct starttls *protocol, hf_error *err)
    __attribute__((warn_unused_result));

void opening_free(struct opening *o);

#endif

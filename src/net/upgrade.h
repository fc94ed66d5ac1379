/* upgrade.h: the parts of hf_start_tls, for openings that prepare TLS before they talk. */
#ifndef NET_UPGRADE_H
#define NET_UPGRADE_H

#include "handfast_starttls.h"
#include "net/stream.h"

/* upgrade_check refuses streams that cannot begin TLS now. who: the function's name, for the message. */
bool upgrade_check(const hf_stream *s, const char *who, hf_error *err)
    __attribute__((warn_unused_result));

/* upgrade_prepare gives a plain stream its connection, which does nothing yet. */
bool upgrade_prepare(hf_stream *s, hf_role role, hf_config *config,
                     const hf_start_tls_options *o, hf_error *err)
    __attribute__((warn_unused_result));

/* upgrade_guard refuses what was received before TLS and is unread: in `ahead`, in the stream, and, if
 * this side is the client, in the socket. */
bool upgrade_guard(hf_stream *s, struct slice ahead, bool client, hf_error *err)
    __attribute__((warn_unused_result));

/* upgrade_switch turns a prepared stream into one of TLS; the handshake is next. */
void upgrade_switch(hf_stream *s);

#endif

/* handfast_policy.h: settings of a configuration for where the RFCs leave a choice. Part of handfast.h, which
 * includes it and says what holds for all setters. */
#ifndef HANDFAST_POLICY_H
#define HANDFAST_POLICY_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* hf_config_set_group_first makes a server use the group that comes first by preference of those that both
 * sides know, also where that costs a round trip because the client has sent no share for it. Default off:
 * the first one with a share, but for post-quantum groups, which are always worth it. */
HF_API bool hf_config_set_group_first(hf_config *config, bool on);

/* hf_config_set_resume_preferred_only makes a server resume a session only with the suite that a full handshake
 * would choose today, so that a new order of suites counts for old sessions too. Default off: a session keeps
 * its suite (before TLS 1.3), or takes one of the same hash, for as long as that is allowed. */
HF_API bool hf_config_set_resume_preferred_only(hf_config *config, bool on);

/* hf_config_add_authority adds the name of an authority (a DER Name, RFC 5280 4.1.2.4) to a list that is sent
 * in place of those, whatever hf_config_send_authorities says. What a peer chooses by them is still verified
 * with the trust anchors alone. The list has room for 65535 bytes, two of them for each name. E_CONFIG if
 * there is none left, and for what is no DER SEQUENCE. */
HF_API bool hf_config_add_authority(hf_config *config, const uint8_t *der, size_t len);

/* hf_config_set_acknowledge_name says whether a server answers server_name (RFC 6066 3 asks for that of
 * servers that use the name). Default on. */
HF_API bool hf_config_set_acknowledge_name(hf_config *config, bool on);

/* hf_config_set_max_chain limits what a peer's Certificate message may have in it: certificates (1 to
 * HF_CHAIN_MAX, default 16), and bytes (1024 to 16 MB, default 131072), both within what
 * hf_config_set_memory_cap allows. E_CHAIN_TOO_LONG, E_MESSAGE_TOO_LONG. */
#define HF_CHAIN_MAX 64
HF_API bool hf_config_set_max_chain(hf_config *config, unsigned certificates, size_t bytes);

/* hf_ticket_seal_fn makes the ticket for a session, in place of the server's ticket keys; HF_ASK_TICKET opens
 * it again. The ticket says all that is kept of the session and its secret (hf_session_export), so it must be
 * encrypted and authenticated. It goes to out, at most `size` bytes: as many as hf_session_export needs and
 * HF_TICKET_ROOM more. Returns its length; 0: the client gets none; more than size: the handshake fails with
 * E_CRYPTO. Called in the thread of the connection, and by several at once; it may call getters of conn. fn
 * NULL: the ticket keys seal again. */
#define HF_TICKET_ROOM 256
typedef size_t (*hf_ticket_seal_fn)(hf_conn *conn, const hf_session *session, uint8_t *out,
                                    size_t size, void *arg);
HF_API bool hf_config_set_ticket_seal(hf_config *config, hf_ticket_seal_fn fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif

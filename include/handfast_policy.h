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

/* hf_config_set_send_name says whether a client sends server_name (RFC 6066 3). Default on. The name is verified
 * all the same; a server with several names cannot know then which one is meant. */
HF_API bool hf_config_set_send_name(hf_config *config, bool on);

/* hf_credential_set_names says for which names a server shows a credential, in place of those in its certificate:
 * "www.example.com, *.example.com". One that is named exactly goes before "*" for one label. To be called
 * before the credential is in use. NULL: the certificate's own again. E_CONFIG for what is no DNS name. */
HF_API bool hf_credential_set_names(hf_credential *cred, const char *names, hf_error *err);

/* hf_config_set_max_chain limits what a peer's Certificate message may have in it: certificates (1 to
 * HF_CHAIN_MAX, default 16), and bytes (1 to 16 MB, default 131072), both within what
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

/* hf_renegotiation_session_fn says which session a client offers in a renegotiation (hf_config_set_renegotiation),
 * whether it or the server has asked for that: one whose resumption spares both ends the key exchange and the
 * certificates, and keeps whom the connection is with. Returns a reference, which handfast gives back, or NULL for a
 * full handshake; the rules are those of hf_conn_set_session, and one that they refuse is not offered. Called in the
 * thread that reads the connection or has called hf_conn_renegotiate; it may call getters of conn. fn NULL, the
 * default: every renegotiation is a full handshake. A server resumes in a renegotiation what it would resume in a
 * connection of its own. */
typedef hf_session *(*hf_renegotiation_session_fn)(hf_conn *conn, void *arg);
HF_API bool hf_config_set_renegotiation_session(hf_config *config,
                                                hf_renegotiation_session_fn fn, void *arg);

/* ---- certificate compression (RFC 8879; TLS 1.3 only). Chains shrink by a fifth to a third, which may spare a
 * round trip. Off unless asked for: what decompresses is one more thing that a peer without a name can reach.
 *
 * hf_config_set_certificate_compression names algorithms, best first: "zlib", "brotli", "zstd", separated as in
 * other lists. `send`: with the first of them that the peer accepts, this side's certificate is compressed;
 * `receive`: those that are offered, and accepted from the peer. NULL or "": none. The libraries (zlib, brotli,
 * zstd) are looked for in this call; E_CONFIG for one that is not there, and for an unknown name. A certificate
 * is compressed once for each algorithm, at first use, and kept with its credential; one that would not become
 * smaller is sent as it is. What comes is decompressed only if it says that it is not longer than a
 * Certificate message may be (131072 bytes, and the memory cap): E_CERTIFICATE_TOO_LARGE,
 * E_CERTIFICATE_COMPRESSION, E_WRONG_COMPRESSION. */
HF_API bool hf_config_set_certificate_compression(hf_config *config, const char *send,
                                                  const char *receive);

/* hf_compressor: an algorithm of the application's. compress writes at most `size` bytes to out, which are
 * never less than len + 1024, and returns their number; 0: the certificate is then sent as it is. decompress
 * writes at most `size` bytes and returns how many there are in all: anything but `size` is a failure, and 0 is
 * for input that cannot be decompressed. Both may be called from several threads at once, and touch no
 * connection. One may be NULL: the algorithm is then not offered (decompress), or not used to send (compress). */
typedef struct hf_compressor {
    uint16_t
        id; /* CertificateCompressionAlgorithm: 16384 and above for private use (RFC 8879 7.3) */
    size_t (*compress)(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg);
    size_t (*decompress)(const uint8_t *in, size_t len, uint8_t *out, size_t size, void *arg);
    void *arg; /* must live as long as configurations and credentials that use it */
} hf_compressor;

/* hf_config_add_certificate_compressor puts an algorithm behind those that there are, at most five. It goes
 * again when hf_config_set_certificate_compression names one with the same number. E_USAGE for one without a
 * function, E_CONFIG for number 0, one that is there already, and one too many. */
HF_API bool hf_config_add_certificate_compressor(hf_config *config,
                                                 const hf_compressor *compressor);

#ifdef __cplusplus
}
#endif

#endif

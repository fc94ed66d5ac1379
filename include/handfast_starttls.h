/* handfast_starttls.h: TLS that begins and ends in mid-stream, and the talk before it.
 *
 *     hf_stream *s = hf_open("smtp://mail.example.com:587", NULL, NULL, &err);
 *
 * connects, says EHLO and STARTTLS, and makes the handshake. The same in steps of one's own:
 *
 *     s = hf_open("tcp://mail.example.com:587", NULL, NULL, &err);
 *     ... read the greeting, write EHLO, read, write STARTTLS, read "220 go ahead" ...
 *     hf_start_tls(s, HF_CLIENT, NULL, NULL, &err);
 *     ... write EHLO again: what was said before TLS does not count any more ...
 *     hf_stop_tls(s, &err);
 *
 * Conventions are those of handfast_net.h. Functions that return int return 0 when it is done, HF_AGAIN
 * (a stream that does not block: wait for hf_stream_events on hf_stream_fd, then call again with the same
 * arguments, or call hf_stream_handshake) or -1 with *err. While one of them runs, the stream belongs to
 * one thread.
 */
#ifndef HANDFAST_STARTTLS_H
#define HANDFAST_STARTTLS_H

#include "handfast_net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- TLS on and off
 *
 * Which versions, as PHP's stream_socket_enable_crypto says it: the names and the values are PHP's
 * STREAM_CRYPTO_METHOD_ and STREAM_CRYPTO_PROTO_. Several may be joined by |, then they mean the range from
 * the lowest to the highest. The range of the configuration holds besides: what both allow is used. TLS, ANY
 * and SSLv23 all mean "whatever the configuration allows" (so SSLv23_CLIENT, whose number ends at TLS 1.2,
 * takes TLS 1.3 too). SSLv2 and SSLv3 alone are refused with E_PROHIBITED_PROTOCOL (RFC 6176, RFC 7568), and
 * among others they add nothing. */
typedef enum hf_crypto_method {
    HF_STREAM_CRYPTO_METHOD_SSLv2_CLIENT = 3,
    HF_STREAM_CRYPTO_METHOD_SSLv3_CLIENT = 5,
    HF_STREAM_CRYPTO_METHOD_SSLv23_CLIENT = 57,
    HF_STREAM_CRYPTO_METHOD_TLS_CLIENT = 121,
    HF_STREAM_CRYPTO_METHOD_TLSv1_0_CLIENT = 9,
    HF_STREAM_CRYPTO_METHOD_TLSv1_1_CLIENT = 17,
    HF_STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT = 33,
    HF_STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT = 65,
    HF_STREAM_CRYPTO_METHOD_ANY_CLIENT = 127,
    HF_STREAM_CRYPTO_METHOD_SSLv2_SERVER = 2,
    HF_STREAM_CRYPTO_METHOD_SSLv3_SERVER = 4,
    HF_STREAM_CRYPTO_METHOD_SSLv23_SERVER = 120,
    HF_STREAM_CRYPTO_METHOD_TLS_SERVER = 120,
    HF_STREAM_CRYPTO_METHOD_TLSv1_0_SERVER = 8,
    HF_STREAM_CRYPTO_METHOD_TLSv1_1_SERVER = 16,
    HF_STREAM_CRYPTO_METHOD_TLSv1_2_SERVER = 32,
    HF_STREAM_CRYPTO_METHOD_TLSv1_3_SERVER = 64,
    HF_STREAM_CRYPTO_METHOD_ANY_SERVER = 126,
    HF_STREAM_CRYPTO_PROTO_SSLv3 = 4,
    HF_STREAM_CRYPTO_PROTO_TLSv1_0 = 8,
    HF_STREAM_CRYPTO_PROTO_TLSv1_1 = 16,
    HF_STREAM_CRYPTO_PROTO_TLSv1_2 = 32,
    HF_STREAM_CRYPTO_PROTO_TLSv1_3 = 64,
} hf_crypto_method;

/* hf_talk_fn sees each line (or packet, or XML tag) of the talk before TLS, with its end of line; len bytes,
 * valid during the call. sent: by this side. It must not touch the stream. */
typedef void (*hf_talk_fn)(bool sent, const void *bytes, size_t len, void *arg);

/* hf_start_tls_options: zero is the default of each; start from HF_START_TLS_OPTIONS. */
typedef struct hf_start_tls_options {
    const char *peer_name;     /* client: name to verify and to send as SNI; NULL: the name that session_stream
                                  asked for, or the host of the URL that the stream was opened with */
    int crypto_method;         /* HF_STREAM_CRYPTO_METHOD_, 0: whatever the configuration allows */
    hf_session *session;       /* client: session to resume, or NULL */
    hf_stream *session_stream; /* client: resume what this stream's TLS can be resumed with, as the data
                                  channel of FTPS must; see below */
    bool no_session_cache;     /* client: do not look for a session of the configuration's own cache */
    bool buffered_is_tls;      /* what the stream has read ahead already belongs to TLS; see below */
    const void *received;      /* TLS bytes that the program itself has read already: they come before what */
    size_t received_len;       /* the stream has; needs buffered_is_tls */
    const char *local_name;    /* hf_starttls: the name in EHLO and LHLO, the domain that an XMPP server speaks
                                  for; hf_starttls_accept: the server's own name. NULL: the address literal of
                                  this end ("[192.0.2.1]"), nothing in XMPP, the machine's name */
    const char *domain;        /* hf_starttls: the domain that XMPP's stream is for; NULL: peer_name */
    hf_talk_fn talk;           /* hf_starttls, hf_starttls_accept: sees what is said; may be NULL */
    void *talk_arg;
} hf_start_tls_options;
#define HF_START_TLS_OPTIONS {0}

/* hf_start_tls begins TLS on an open plain stream, as client or server. config: as for hf_open and hf_listen
 * (a client's may be NULL: the defaults, or session_stream's configuration). What is sent and received from
 * now on is protected; hf_stream_conn tells about it. The time allowed is the connect_timeout that the stream
 * was opened with.
 *
 * Nothing that came before may be left unread in the stream: somebody between the two sides could have put
 * it there, to be taken for a protected answer (RFC 3207 6, CVE-2011-0411). E_INJECTED_PLAINTEXT then; a client,
 * who must speak first in TLS, also looks at what has arrived in the socket. Where such bytes are TLS, because
 * the peer sent a line of its own in front of its ClientHello (the PROXY protocol), buffered_is_tls says so.
 *
 * session_stream's sessions are those that its server has given to it so far (a server of TLS 1.3 gives them
 * after the handshake: read its first answer before). It is read from as far as something has arrived, so it
 * belongs to the same thread. config must be the one that it was opened with, or NULL. E_USAGE if that stream is
 * no TLS client, or if its configuration has a session callback of the program's own (then give `session`).
 *
 * -1: E_USAGE (a stream of datagrams, TLS already, a server without configuration, a method for the other
 * role), E_INJECTED_PLAINTEXT, E_WRITE_CLOSED, E_CONFIG (no version in common between method and
 * configuration), E_PROHIBITED_PROTOCOL: the stream is as it was. Else the handshake's error: the stream is of
 * no more use. */
HF_API int hf_start_tls(hf_stream *stream, hf_role role, hf_config *config,
                        const hf_start_tls_options *options, hf_error *err);

/* hf_stop_tls ends TLS and leaves the connection open: it sends close_notify, waits for the peer's, and makes the
 * stream plain again, with its socket (hf_stream_fd) as it was before; what follows the peer's close_notify is
 * what hf_read returns next. hf_start_tls may follow. The time allowed is options.timeout.
 *
 * E_UNREAD_DATA while there is decrypted data that was not read: read until hf_read returns 0 (or hf_stream_pending
 * does, before the first call), then call again. E_TRUNCATED if the connection ends without the peer's
 * close_notify, E_WRITE_CLOSED after hf_shutdown_write, E_USAGE for a plain stream, E_NOT_HANDSHAKEN.
 *
 * A server whose client turned out to speak plain text (E_PLAINTEXT_PEER) can call it too, if the handshake was
 * left to it (options.lazy_handshake, hf_start_tls): nothing was sent yet, and the stream then begins with all that
 * the client has said. So it can for E_SSL2_PEER, where an alert was sent. */
HF_API int hf_stop_tls(hf_stream *stream, hf_error *err);

/* hf_recognise says in words what the first bytes of a peer are, and what to do, if they are something that is
 * known ("the client speaks plain HTTP ..."): SMTP, HTTP, SSH, the PROXY header, SSL 2.0, TLS itself and so on.
 * from_server: a server has sent them. out: at most size bytes with the NUL. false, and "", if nothing is known.
 * For servers of several protocols on one port; the connection itself says the same in E_PLAINTEXT_PEER. What comes
 * out of TLS can be given to it, too: a ClientHello there is TLS within TLS. */
HF_API bool hf_recognise(const void *bytes, size_t len, bool from_server, char *out, size_t size);

/* ---------------------------------------------------------------- STARTTLS
 *
 * hf_starttls_protocol: one row for each protocol that can be opened in plain text and upgraded. */
typedef struct hf_starttls_protocol {
    const char *name;       /* "smtp"; also the scheme, "smtp://HOST:PORT" */
    uint16_t port;          /* the usual one, when the URL has none */
    const char *tls_scheme; /* the scheme with TLS from the first byte ("smtps"), NULL: there is none */
    uint16_t tls_port;      /* its usual port */
    const char *rfc;        /* that defines the upgrade, or "" */
    const char *command;    /* that asks for it: "STARTTLS", "AUTH TLS" */
    bool server;            /* hf_starttls_accept and hf_listen can play the server's part */
} hf_starttls_protocol;

/* hf_starttls_protocol_at returns the i-th row of the table, NULL behind the last: smtp, submission, lmtp, imap,
 * pop3, ftp, xmpp, xmpp-server, ldap, nntp, sieve, postgres (also "postgresql"), mysql, irc. hf_starttls_find finds
 * a row by name, whatever its letter case; NULL if there is none. */
HF_API const hf_starttls_protocol *hf_starttls_protocol_at(size_t i);
HF_API const hf_starttls_protocol *hf_starttls_find(const char *name);

/* hf_starttls plays the client's part on a plain stream that was just connected: it reads the greeting, asks
 * for TLS as the protocol does, and goes on as hf_start_tls. hf_open with the protocol's scheme does the same
 * in one call.
 *
 * It stops right after the handshake, and the program speaks first: in SMTP and LMTP it says EHLO (LHLO) again,
 * in IMAP, POP3, NNTP and FTP it asks for the capabilities (FTP: also PBSZ and PROT), in XMPP it opens a new
 * stream; nothing that the server said before TLS may be believed. A ManageSieve server sends its capabilities
 * by itself. In LDAP message ID 1 is used up. In MySQL the server's greeting, which the login needs, is what
 * options.talk saw first, and the login's packet has number 2.
 *
 * -1 besides hf_start_tls's errors: E_STARTTLS_REFUSED with the server's own words, E_STARTTLS_REPLY (an answer
 * that the protocol does not allow, longer than 16 kB, or none), E_TIMEOUT, E_USAGE (no such protocol). */
HF_API int hf_starttls(hf_stream *stream, const char *protocol, hf_config *config,
                       const hf_start_tls_options *options, hf_error *err);

/* hf_starttls_talk does the same and stops where TLS begins: the stream stays plain, and the next byte belongs to
 * TLS, by hf_start_tls or by an hf_conn of the program's own. Of options it takes local_name, domain (no default
 * here: for XMPP it must be given), talk. Fails as hf_starttls does before TLS. */
HF_API int hf_starttls_talk(hf_stream *stream, const char *protocol, const hf_start_tls_options *options,
                            hf_error *err);

/* hf_starttls_accept plays the server's part: it greets, answers what a client may ask before TLS, refuses the
 * rest, and goes on as hf_start_tls once the client has asked for TLS. hf_listen with the protocol's scheme gives
 * such streams. A server with a loop of commands of its own answers the command itself and calls hf_start_tls.
 * A command that came behind STARTTLS without waiting for the answer is E_INJECTED_PLAINTEXT. -1 besides:
 * E_STARTTLS_REFUSED (the client left, or wants no TLS), E_STARTTLS_REPLY. */
HF_API int hf_starttls_accept(hf_stream *stream, const char *protocol, hf_config *config,
                              const hf_start_tls_options *options, hf_error *err);

#ifdef __cplusplus
}
#endif

#endif

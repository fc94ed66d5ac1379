/* handfast_net.h: sockets by URL, with TLS where the scheme says so.
 *
 *     hf_stream *s = hf_open("tls://example.com:443", NULL, NULL, &err);
 *     hf_write(s, "GET / HTTP/1.0\r\n\r\n", 18, &err);
 *     while ((n = hf_read(s, buf, sizeof buf, &err)) > 0) ...
 *     hf_close(s, &err);
 *
 * URLs: SCHEME://HOST:PORT. No scheme means tcp.
 *
 *     tcp  tls  ssl  tlsv1.3 tlsv1.2 tlsv1.1 tlsv1.0    over TCP; ssl is the same as tls
 *     udp                                               datagrams
 *     unix://PATH  unix://@NAME                         streams within this machine, without a port;
 *     udg://PATH   udg://@NAME                          and datagrams. @ is Linux's abstract names
 *     smtp imap pop3 ftp xmpp ldap postgres ...         TLS after a talk in plain text: handfast_starttls.h;
 *     smtps imaps pop3s ftps xmpps ldaps ...            and at once. These have usual ports
 *     sslv2 sslv3                                       known and refused (RFC 6176, RFC 7568)
 *     dtls dtlsv1.2 dtlsv1.3                            known, not in this version
 *
 * HOST is a name, an IPv4 address, or an IPv6 address in square brackets, with a zone if need be
 * ("[fe80::1%25eth0]", RFC 6874); no host, or *, are all addresses of this
 * machine, to listen on. PORT is a number or the name of a service ("https"). It may be given apart from the
 * URL, in options.port; then an IPv6 address may stand without brackets. hf_transports lists the schemes.
 *
 * Streams block unless opened otherwise. A timeout is the time allowed for one whole call, not for
 * each byte. Conventions for errors, ownership and threads are those of handfast.h: a stream
 * belongs to one thread, or to one that reads and one that writes.
 */
#ifndef HANDFAST_NET_H
#define HANDFAST_NET_H

#include <stdio.h>

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hf_stream hf_stream;
typedef struct hf_listener hf_listener;

/* hf_net_options: what a URL does not say. Zero is the default of each; start from HF_NET_OPTIONS. Those
 * of sockets have PHP's names. Times are seconds for one whole operation, not for each byte. */
typedef struct hf_net_options {
    double connect_timeout; /* for resolving, connecting and the handshake together; 0: 60, <0: none */
    double timeout;         /* for each read, write or close; 0: 60, <0: none */
    bool non_blocking;      /* calls return HF_AGAIN instead of waiting; hf_open returns at once */
    const char *peer_name;  /* name to verify and to send as SNI; NULL: the URL's host */
    hf_session *session;    /* session to resume, or NULL */
    bool no_session_cache;  /* do not look for a session of the configuration's own cache */
    int backlog;            /* listen: length of the queue; 0: 128 */
    bool lazy_handshake;    /* accept: leave the handshake to the first read or write, so that a slow
                               client does not hold up the accepting loop */
    const void *early_data; /* open: sent with the first message (0-RTT) if configuration and session allow
                               it: all early_len bytes or none; see hf_stream_early_accepted */
    size_t early_len;

    double handshake_timeout; /* for the handshake alone, connect_timeout being for what comes before it;
                                 0: what is left of connect_timeout */
    double read_timeout;      /* for each read; 0: timeout */
    double write_timeout;     /* for each write; 0: timeout */
    int port;                 /* the port, apart from the URL; if the URL has one it must be the same.
                                 0: the URL's */

    const char *bindto;   /* open: the local address, "192.0.2.1:0", "[2001:db8::1]:7000", "0:7000" (any
                             address); for unix and udg a path or "@NAME". NULL: the system chooses */
    int ipv6_v6only;      /* listen: 1: an IPv6 socket is for IPv6 only, -1: for IPv4 too; 0: as the URL
                             says, "[::]" for IPv6 and "*" for both */
    bool so_reuseport;    /* listen, bind: several sockets share the address, and the system divides */
    bool so_broadcast;    /* udp: may send to broadcast addresses */
    int tcp_nodelay;      /* small segments go at once: 0 and 1 yes, -1 no (Nagle's algorithm) */
    bool so_keepalive;    /* tcp: probe a peer that is silent */
    int tcp_keepidle;     /* after so many seconds of silence, */
    int tcp_keepintvl;    /* every so many seconds, */
    int tcp_keepcnt;      /* so many times; 0: the system's value for each of the three */

    const struct hf_start_tls_options *starttls; /* protocols that begin in plain text (handfast_starttls.h): its
                                                    local_name, domain and talk, and nothing else; or NULL */
} hf_net_options;
#define HF_NET_OPTIONS {0}

/* ---------------------------------------------------------------- transports */

/* hf_transport: one scheme. All pointers are static. */
typedef enum hf_transport_state {
    HF_TRANSPORT_ENABLED,
    HF_TRANSPORT_UNAVAILABLE, /* not in this version, or not in this build of it */
    HF_TRANSPORT_PROHIBITED,  /* never: rfc says why */
} hf_transport_state;

typedef struct hf_transport {
    const char *scheme; /* "tcp" */
    hf_transport_state state;
    unsigned since;      /* HF_API_VERSION with which it came */
    bool tls;            /* with TLS, from the first byte or after a talk in plain text (STARTTLS) */
    bool datagrams;      /* else a stream of bytes */
    bool paths;          /* its addresses are paths, else hosts and ports */
    uint16_t version;    /* the only version of TLS that it allows; 0: the configuration's */
    const char *reason;  /* why it cannot be had, or "" */
    const char *rfc;     /* that forbids or describes it, or "" */
} hf_transport;

/* hf_transports returns the list of all schemes that are known, and their number in *count. */
HF_API const hf_transport *hf_transports(size_t *count);

/* hf_transport_find returns the row of a scheme, in any letter case; NULL if it is unknown. */
HF_API const hf_transport *hf_transport_find(const char *scheme);

/* hf_since returns the HF_API_VERSION with which a function ("hf_open") or a scheme ("tls://") came, and 0 for
 * what is not there: for programs that look a function up with dlsym. */
HF_API unsigned hf_since(const char *name);

/* ---------------------------------------------------------------- opening */

/* Results of hf_read and hf_write besides a number of bytes. */
enum { HF_ERROR_RESULT = -1, HF_AGAIN = -2 };

/* hf_open connects to a URL: all of the host's addresses are tried, in the order and with the
 * staggering of RFC 8305, and for a TLS scheme the handshake is made. config NULL: the defaults
 * (verified against the platform's trust); otherwise a client configuration. options may be NULL.
 * With non_blocking it begins, and what cannot fail at once goes on in the background, in later calls or in
 * hf_wait. NULL on failure: E_URL, E_SCHEME, E_PROHIBITED_PROTOCOL, E_RESOLVE, E_CONNECT, E_TIMEOUT, or the
 * handshake's error. */
HF_API hf_stream *hf_open(const char *url, hf_config *config, const hf_net_options *options, hf_error *err);

/* hf_listen listens on a URL's address; port 0 takes any free one. config is needed for a TLS
 * scheme: a server configuration with a credential. A path's file that a dead server left behind is
 * replaced; the listener's own goes when it is closed (by the process that made it). E_LISTEN with the
 * reason for each address; E_USAGE for datagrams, which are for hf_bind. */
HF_API hf_listener *hf_listen(const char *url, hf_config *config, const hf_net_options *options, hf_error *err);

/* hf_listener_url writes the URL that clients use, with the real port; as snprintf. */
HF_API size_t hf_listener_url(const hf_listener *listener, char *out, size_t size);
HF_API int hf_listener_fd(const hf_listener *listener); /* to poll; -1 for NULL */
HF_API void hf_listener_close(hf_listener *listener);

/* hf_accept waits for a client (as long as options.timeout of hf_listen says) and makes the
 * handshake. NULL on failure, E_TIMEOUT if none came; the listener stays usable. */
HF_API hf_stream *hf_accept(hf_listener *listener, hf_error *err);

/* hf_listener_set_timeout changes how long hf_accept waits, in seconds as in hf_net_options; what the streams have
 * stays. Where several processes share a listener, another one may take the client that hf_wait told of: give it
 * a short time then. */
HF_API void hf_listener_set_timeout(hf_listener *listener, double seconds);

/* hf_bind makes a stream of datagrams (udp, udg) that belongs to nobody in particular: it receives what
 * anybody sends to the URL's address (port 0: any free one), with hf_receive_from, and answers with
 * hf_send_to. Failures as hf_listen. E_USAGE for streams of bytes, which are for hf_listen. */
HF_API hf_stream *hf_bind(const char *url, const hf_net_options *options, hf_error *err);

/* hf_stream_pair makes two streams that are connected to each other, within this process and its children:
 * scheme "unix" (bytes) or "udg" (datagrams). */
HF_API bool hf_stream_pair(const char *scheme, const hf_net_options *options, hf_stream *out[2],
                           hf_error *err);

/* hf_stream_wrap makes a stream of a connected socket, which it takes; role and config as for
 * hf_conn_new. scheme "tcp", "tls", "unix", "udp" or "udg". No handshake is made: the first read or write
 * does that, or hf_stream_handshake. On failure the socket stays the caller's. */
HF_API hf_stream *hf_stream_wrap(int fd, const char *scheme, hf_role role, hf_config *config,
                                 const hf_net_options *options, hf_error *err);

/* hf_stream_detach gives the socket back and frees the stream without a word to the peer. The socket then
 * belongs to the caller; it is non-blocking unless hf_stream_wrap was given one that is not. -1 and E_USAGE if the stream is still
 * connecting or holds bytes that the peer has sent and nobody has read (hf_stream_pending), or that were
 * written and not sent; then the stream stays. A TLS connection ends with it, without close_notify. */
HF_API int hf_stream_detach(hf_stream *stream, hf_error *err);

/* hf_stream_handshake makes or continues the handshake: 0 when done, HF_AGAIN, or -1. */
HF_API int hf_stream_handshake(hf_stream *stream, hf_error *err);

/* ---------------------------------------------------------------- reading and writing */

/* hf_read reads at least one byte and at most len: the number, 0 at the clean end (close_notify, or
 * the end of a TCP stream), HF_AGAIN (non-blocking), or -1: E_TIMEOUT, E_TRUNCATED, E_SYSTEM with
 * os_errno, or the connection's error. Of datagrams it takes one; what does not fit in len is lost, and 0
 * is an empty one. */
HF_API ptrdiff_t hf_read(hf_stream *stream, void *out, size_t len, hf_error *err) HF_MUST_CHECK;

/* hf_write writes all of len bytes (blocking), or as many as go (non-blocking). Result as
 * hf_read. len may be 0. A datagram is sent whole or not at all. */
HF_API ptrdiff_t hf_write(hf_stream *stream, const void *data, size_t len, hf_error *err) HF_MUST_CHECK;

/* hf_read_line reads up to and with the next newline, at most size - 1 bytes, and ends them with a
 * NUL. Result as hf_read; a line that does not fit is returned in parts, the last with the newline. */
HF_API ptrdiff_t hf_read_line(hf_stream *stream, char *out, size_t size, hf_error *err) HF_MUST_CHECK;

/* hf_eof: the peer has ended its half and everything was read. Never blocks, consumes nothing. */
HF_API bool hf_eof(hf_stream *stream);

/* hf_peek is hf_read, but the bytes stay and are read again: of a TLS stream decrypted ones, and no more than
 * are decrypted already (at least one). For the reading thread. */
HF_API ptrdiff_t hf_peek(hf_stream *stream, void *out, size_t len, hf_error *err) HF_MUST_CHECK;

/* Flags of hf_receive_from and hf_send_to. */
enum {
    HF_MSG_PEEK = 1, /* receive: as hf_peek */
    HF_MSG_OOB = 2,  /* TCP: out of band, which is one byte. E_USAGE with TLS, which has no such thing, and
                        for datagrams */
};

/* hf_receive_from is hf_read, and writes the sender's address to from: "192.0.2.1:53", "[::1]:53", a path,
 * "@NAME", or "" if it has none (112 bytes are enough). from may be NULL. E_USAGE for flags that do not
 * exist or do not fit. */
HF_API ptrdiff_t hf_receive_from(hf_stream *stream, void *out, size_t len, unsigned flags, char *from,
                                 size_t from_size, hf_error *err) HF_MUST_CHECK;

/* hf_send_to is hf_write to an address in the form that hf_receive_from gives; NULL: to the peer. Names are
 * not looked up. E_URL for what is no address, E_USAGE for an address with a stream of bytes. */
HF_API ptrdiff_t hf_send_to(hf_stream *stream, const void *data, size_t len, unsigned flags, const char *to,
                            hf_error *err) HF_MUST_CHECK;

/* hf_send_file writes count bytes of a file from offset on, or all that follow it if count is below 0: the
 * number that was written (less than count if the file ends before), or HF_AGAIN if a non-blocking stream
 * takes none, or -1. A non-blocking stream may take a part. The file's own position is neither used nor
 * changed. Plain streams do it without a copy through this program (sendfile(2)). E_FILE if it cannot be
 * read, E_USAGE for datagrams. */
HF_API int64_t hf_send_file(hf_stream *stream, int file, uint64_t offset, int64_t count, hf_error *err)
    HF_MUST_CHECK;

/* hf_stream_file makes a FILE of a stream, for programs that read with fgets and write with fprintf: mode
 * "r", "w" or "r+". fclose closes the stream too. NULL with E_USAGE for a stream that does not block, or
 * datagrams. Errors reach the program as errno (EIO where there is none, ETIMEDOUT); *err, if not NULL, must
 * live as long as the FILE and says more. */
HF_API FILE *hf_stream_file(hf_stream *stream, const char *mode, hf_error *err);

/* hf_shutdown_write ends this side's half (close_notify and FIN) and leaves reading open. */
HF_API bool hf_shutdown_write(hf_stream *stream, hf_error *err);

/* hf_shutdown_read ends the other half as far as this side goes: hf_read returns 0 from now on. The peer is
 * told nothing. For the reading thread. */
HF_API bool hf_shutdown_read(hf_stream *stream, hf_error *err);

/* hf_shutdown does one of the two, or both. */
typedef enum hf_shut { HF_SHUT_READ, HF_SHUT_WRITE, HF_SHUT_BOTH } hf_shut;
HF_API bool hf_shutdown(hf_stream *stream, hf_shut how, hf_error *err);

/* hf_close sends close_notify, closes the socket and frees the stream, in every case. It does not
 * wait for the peer. false if what was written could not all be handed to the system. */
HF_API bool hf_close(hf_stream *stream, hf_error *err);

/* ---------------------------------------------------------------- waiting */

/* hf_stream_fd returns the socket, to poll; hf_stream_events the POLLIN and POLLOUT bits it waits
 * for; hf_stream_pending the bytes that can be read without touching the socket, which no poll knows of: read
 * until HF_AGAIN, or ask this, before the descriptor is waited for. While a non-blocking stream is still
 * connecting, the number stands for a helper that becomes readable when there is something to do
 * (hf_stream_handshake does it); it stays the same number afterwards, but epoll must be told again: if
 * EPOLL_CTL_MOD fails with ENOENT, EPOLL_CTL_ADD. io_uring and libuv are told with each poll that they are
 * asked for. */
HF_API int hf_stream_fd(const hf_stream *stream);
HF_API short hf_stream_events(const hf_stream *stream);
HF_API size_t hf_stream_pending(const hf_stream *stream);

/* hf_wait: what is waited for, and what came. */
enum {
    HF_WAIT_READ = 1,      /* hf_read (hf_accept) would return at once, be it with the end or an error */
    HF_WAIT_WRITE = 2,     /* hf_write would take at least a byte at once, or return an error */
    HF_WAIT_LINE = 4,      /* hf_read_line would: a whole line is there, or the end, or 64 kB without one */
    HF_WAIT_OOB = 8,       /* a byte out of band has come (HF_MSG_OOB) */
    HF_WAIT_QUESTION = 16, /* came only, unasked: the connection waits for an answer of the program's
                              (hf_conn_question); leave the stream out until it has it */
};

typedef struct hf_wait_item {
    hf_stream *stream;     /* one of the two, or neither: */
    hf_listener *listener;
    int fd;                /* any other descriptor */
    unsigned want;         /* HF_WAIT_ bits; 0: the item is left out */
    unsigned ready;        /* set by hf_wait: those that came */
} hf_wait_item;

/* hf_wait waits until something that is wanted of one of the items is there, at most for timeout seconds
 * (here 0 only looks, below 0 is without end). It returns the number of items that have something, 0 if the
 * time is over, or -1: E_SYSTEM, E_NO_MEMORY, E_USAGE. Every item that has something is told of, also if others
 * had it before. Signals do not end it.
 *
 * What TLS makes of a socket is known: bytes that are decrypted already count, a socket with half a record
 * does not, what must be sent before something can be read is sent, and connecting and handshakes go on
 * meanwhile, within their time. (A stream in which that fails has what is wanted: the next call returns the
 * error.) So streams may block, and yet no read does that hf_wait says is ready. A write may, if it is more than
 * goes at once; and hf_accept makes the handshake of the client that is there, unless lazy_handshake leaves
 * it to hf_wait. For the thread that reads the streams that are to be read, and writes those that are to be
 * written. */
HF_API int hf_wait(hf_wait_item *items, size_t count, double timeout, hf_error *err);

/* ---------------------------------------------------------------- more about a stream */

/* hf_stream_key_update renews the sending key and, if request is true, asks the peer to renew its own
 * (RFC 8446 4.6.3); the message goes out at once if the socket takes it, else with the next write.
 * For the writing thread. E_USAGE for a plain stream, E_NOT_HANDSHAKEN before the handshake is done. */
HF_API bool hf_stream_key_update(hf_stream *stream, bool request, hf_error *err);

/* hf_stream_request_certificate is hf_conn_request_certificate: a server asks its client for a certificate
 * after the handshake (RFC 8446 4.6.2); the request goes out at once if the socket takes it, else with the
 * next write. The answer is taken by whoever reads; hf_conn_post_auth tells that it has come. For the writing
 * thread. Fails as hf_conn_request_certificate does, and with E_USAGE for a plain stream. */
HF_API bool hf_stream_request_certificate(hf_stream *stream, hf_client_auth mode, hf_error *err);

/* hf_stream_early_accepted: the early data that hf_open was given has been sent, and the server has taken it.
 * If not, nothing of it has reached the application there: write it now, if that is still right. For after
 * the handshake. What early data is, and its dangers, is said in handfast.h.
 *
 * A server whose configuration accepts early data (hf_config_set_max_early_data) has an open stream as soon as
 * such data is there, so that it can be answered at once; the rest of the handshake happens in hf_read. As long
 * as hf_conn_wants has HF_IN_HANDSHAKE, what hf_read returns is early data, the client is not known to be
 * alive, the stream belongs to one thread, and ending it (hf_shutdown_write) ends the handshake. */
HF_API bool hf_stream_early_accepted(const hf_stream *stream);

/* hf_stream_conn returns the TLS connection, or NULL for a plain stream: for what it can tell. The
 * stream reads and writes it; calls that do so belong to the stream's own functions. */
HF_API hf_conn *hf_stream_conn(const hf_stream *stream);

/* hf_name_to_ascii writes a host name as TLS and the DNS have it: what hf_open does with a URL's host, for
 * hf_conn_new_client and callers of their own sockets. "pyth\u00f6n.org" in UTF-8 becomes "xn--pythn-mua.org" (RFC
 * 5891, by libidn2); a name in ASCII is checked and becomes lower case. E_URL says what is no host name, or that
 * libidn2 is not installed; size 256 is always enough. */
HF_API bool hf_name_to_ascii(const char *name, char *out, size_t size, hf_error *err);

/* hf_forget_sessions drops the sessions that hf_open has kept for later connections to this host (as it stands in
 * the URL, or as it was verified), of all configurations; NULL: all of them. Returns how many there were. A server's are
 * hf_config_flush_sessions'. */
HF_API size_t hf_forget_sessions(const char *host);

/* hf_stream_name writes "1.2.3.4:443" or "[::1]:443", local or remote; as snprintf. A path, "@NAME" or
 * "" (none) for unix and udg. */
HF_API size_t hf_stream_name(const hf_stream *stream, bool remote, char *out, size_t size);

/* hf_stream_set_timeout changes options.timeout, and the limits for reads and writes to it. */
HF_API void hf_stream_set_timeout(hf_stream *stream, double seconds);

/* The limits of hf_net_options, one by one; 0 and below 0 as there. A limit that runs already stays. */
typedef enum hf_limit { HF_LIMIT_CONNECT, HF_LIMIT_HANDSHAKE, HF_LIMIT_READ, HF_LIMIT_WRITE } hf_limit;
HF_API void hf_stream_set_limit(hf_stream *stream, hf_limit limit, double seconds);

/* hf_stream_limit returns the limit in force in seconds, with defaults resolved; below 0: none. */
HF_API double hf_stream_limit(const hf_stream *stream, hf_limit limit);

/* hf_stream_set_blocking changes options.non_blocking; a stream that was opened in the background and blocks
 * now is waited for by its next call. For when no other thread uses the stream. */
HF_API void hf_stream_set_blocking(hf_stream *stream, bool blocking);

/* hf_stream_get_option and hf_stream_set_option are getsockopt and setsockopt for a number: level
 * SOL_SOCKET, IPPROTO_TCP and so on, name as there. E_SYSTEM with errno; E_USAGE while connecting. */
HF_API bool hf_stream_get_option(const hf_stream *stream, int level, int name, int *out, hf_error *err);
HF_API bool hf_stream_set_option(hf_stream *stream, int level, int name, int value, hf_error *err);

/* hf_stream_info: what PHP's stream_get_meta_data tells. Pointers live as long as the stream and its
 * connection; "" where there is nothing to tell. */
typedef struct hf_stream_info {
    const char *stream_type; /* "tcp_socket", "tcp_socket/ssl", "udp_socket", "unix_socket", "udg_socket" */
    const char *mode;        /* "r+", or "r" or "w" after a shutdown of the other half */
    const char *uri;         /* as hf_open was given it */
    bool timed_out;          /* the last read or peek ran out of time */
    bool blocked;            /* the stream blocks */
    bool eof;                /* hf_eof, as far as it is known without touching the socket */
    size_t unread_bytes;     /* hf_stream_pending */
    struct {
        const char *protocol;       /* "TLSv1.3" */
        const char *cipher_name;    /* OpenSSL's name: "ECDHE-RSA-AES128-GCM-SHA256" */
        unsigned cipher_bits;       /* of the key; 0 without TLS */
        const char *cipher_version; /* the protocol for which the suite was made */
        char alpn[256];             /* the application protocol */
    } crypto;                       /* all empty without TLS, and before the handshake is done */
} hf_stream_info;

/* hf_stream_get_info fills it. For the reading thread. */
HF_API void hf_stream_get_info(const hf_stream *stream, hf_stream_info *out);

#ifdef __cplusplus
}
#endif

#endif

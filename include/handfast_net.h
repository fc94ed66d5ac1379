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
 *     sslv2 sslv3                                       known and refused (RFC 6176, RFC 7568)
 *     dtls dtlsv1.2 dtlsv1.3                            known, not in this version
 *
 * HOST is a name, an IPv4 address, or an IPv6 address in square brackets, with a zone if need be
 * ("[fe80::1%25eth0]", RFC 6874); * stands for all addresses of this machine, to listen on. PORT is a
 * number or the name of a service ("https"). It may be given apart from the URL, in options.port; then
 * an IPv6 address may stand without brackets. hf_transports lists the schemes.
 *
 * Streams block unless opened otherwise. A timeout is the time allowed for one whole call, not for
 * each byte. Conventions for errors, ownership and threads are those of handfast.h: a stream
 * belongs to one thread, or to one that reads and one that writes.
 */
#ifndef HANDFAST_NET_H
#define HANDFAST_NET_H

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
} hf_net_options;
#define HF_NET_OPTIONS {0}

/* Results of hf_read and hf_write besides a number of bytes. */
enum { HF_ERROR_RESULT = -1, HF_AGAIN = -2 };

/* hf_open connects to a URL: all of the host's addresses are tried, in the order and with the
 * staggering of RFC 8305, and for a TLS scheme the handshake is made. config NULL: the defaults
 * (verified against the platform's trust); otherwise a client configuration. options may be NULL.
 * NULL on failure: E_URL, E_SCHEME, E_PROHIBITED_PROTOCOL, E_RESOLVE, E_CONNECT, E_TIMEOUT, or the
 * handshake's error. */
HF_API hf_stream *hf_open(const char *url, hf_config *config, const hf_net_options *options, hf_error *err);

/* hf_listen listens on a URL's address; port 0 takes any free one. config is needed for a TLS
 * scheme: a server configuration with a credential. */
HF_API hf_listener *hf_listen(const char *url, hf_config *config, const hf_net_options *options, hf_error *err);

/* hf_listener_url writes the URL that clients use, with the real port; as snprintf. */
HF_API size_t hf_listener_url(const hf_listener *listener, char *out, size_t size);
HF_API int hf_listener_fd(const hf_listener *listener); /* to poll; -1 for NULL */
HF_API void hf_listener_close(hf_listener *listener);

/* hf_accept waits for a client (as long as options.timeout of hf_listen says) and makes the
 * handshake. NULL on failure, E_TIMEOUT if none came; the listener stays usable. */
HF_API hf_stream *hf_accept(hf_listener *listener, hf_error *err);

/* hf_stream_wrap makes a stream of a connected socket, which it takes; role and config as for
 * hf_conn_new. scheme "tcp" or "tls". No handshake is made: the first read or write does that, or
 * hf_stream_handshake. On failure the socket stays the caller's. */
HF_API hf_stream *hf_stream_wrap(int fd, const char *scheme, hf_role role, hf_config *config,
                                 const hf_net_options *options, hf_error *err);

/* hf_stream_handshake makes or continues the handshake: 0 when done, HF_AGAIN, or -1. */
HF_API int hf_stream_handshake(hf_stream *stream, hf_error *err);

/* hf_read reads at least one byte and at most len: the number, 0 at the clean end (close_notify, or
 * the end of a TCP stream), HF_AGAIN (non-blocking), or -1: E_TIMEOUT, E_TRUNCATED, E_SYSTEM with
 * os_errno, or the connection's error. */
HF_API ptrdiff_t hf_read(hf_stream *stream, void *out, size_t len, hf_error *err) HF_MUST_CHECK;

/* hf_write writes all of len bytes (blocking), or as many as go (non-blocking). Result as hf_read. */
HF_API ptrdiff_t hf_write(hf_stream *stream, const void *data, size_t len, hf_error *err) HF_MUST_CHECK;

/* hf_read_line reads up to and with the next newline, at most size - 1 bytes, and ends them with a
 * NUL. Result as hf_read; a line that does not fit is returned in parts, the last with the newline. */
HF_API ptrdiff_t hf_read_line(hf_stream *stream, char *out, size_t size, hf_error *err) HF_MUST_CHECK;

/* hf_eof: the peer has ended its half and everything was read. Never blocks, consumes nothing. */
HF_API bool hf_eof(hf_stream *stream);

/* hf_shutdown_write ends this side's half (close_notify and FIN) and leaves reading open. */
HF_API bool hf_shutdown_write(hf_stream *stream, hf_error *err);

/* hf_close sends close_notify, closes the socket and frees the stream, in every case. It does not
 * wait for the peer. false if what was written could not all be handed to the system. */
HF_API bool hf_close(hf_stream *stream, hf_error *err);

/* hf_stream_fd returns the socket, to poll; hf_stream_events the POLLIN and POLLOUT bits it waits
 * for; hf_stream_pending the bytes that can be read without touching the socket. While a
 * non-blocking stream is still connecting, the number stands for a helper that becomes readable when
 * there is something to do; it stays the same number afterwards, but a set of epoll must be told
 * again (EPOLL_CTL_ADD) once the stream is connected. */
HF_API int hf_stream_fd(const hf_stream *stream);
HF_API short hf_stream_events(const hf_stream *stream);
HF_API size_t hf_stream_pending(const hf_stream *stream);

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

/* hf_stream_name writes "1.2.3.4:443" or "[::1]:443", local or remote; as snprintf. */
HF_API size_t hf_stream_name(const hf_stream *stream, bool remote, char *out, size_t size);

/* hf_stream_set_timeout changes options.timeout. */
HF_API void hf_stream_set_timeout(hf_stream *stream, double seconds);

#ifdef __cplusplus
}
#endif

#endif

/* handfast_stateless.h: a TLS 1.3 server that keeps nothing of a client until that has shown that it gets what is
 * sent to it (RFC 8446 4.2.2). What holds in handfast.h holds here.
 *
 * The server answers a first ClientHello with a HelloRetryRequest, whose cookie says all that has to be known of it,
 * and forgets it. Any connection object goes on from the second ClientHello: a fresh one, in another process or on
 * another machine that has the same cookie keys.
 *
 *     hf_config_set_stateless_retry(config, true);
 *     hf_config_set_cookie_keys(config, keys, 1);            // where several processes share the work
 *     ...
 *     hf_conn_receive(conn, ...);                            // then send hf_conn_output()
 *     if (hf_conn_stateless(conn) == HF_STATELESS_ASKED)
 *         hf_conn_free(conn);                                // a new one takes what comes next
 */
#ifndef HANDFAST_STATELESS_H
#define HANDFAST_STATELESS_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HF_COOKIE_KEY_SIZE    32
#define HF_COOKIE_KEYS_MAX    4
#define HF_COOKIE_CONTENT_MAX 1024

/* hf_config_set_stateless_retry makes a server answer each first ClientHello of TLS 1.3 with a HelloRetryRequest that
 * has a cookie, and take a ClientHello with such a cookie for the second one, on whichever connection it comes.
 * Default off. The connection that has asked may go on itself, too, or be freed as soon as its output is sent.
 *
 * Refused with E_COOKIE_MISMATCH: a cookie that was not made with one of the keys, was altered, or that the
 * application's check refuses; with E_COOKIE_EXPIRED one that is too old, or from the future; with E_HELLO_CHANGED a
 * second ClientHello that differs from the first in what may not change (RFC 8446 4.1.2); with E_COOKIE_CHOICE one
 * whose cipher suite or group this configuration does not allow. Within its lifetime a cookie may be used again, with
 * the same ClientHello and by who knows the private key of its key share.
 *
 * Before its first ClientHello such a server ignores change_cipher_spec records (RFC 8446 4.2.2) and, up to the limit
 * of hf_config_set_max_early_data, early data: to a fresh connection both come first. Early data is always refused.
 * TLS 1.2 has no such cookie: a client that speaks nothing newer is served as usual, unless hf_config_set_versions
 * says otherwise. The configuration that a connection begins with decides, also where HF_ASK_HELLO, which is asked
 * about both ClientHellos, chooses another. False with E_USAGE for a client's configuration. */
HF_API bool hf_config_set_stateless_retry(hf_config *config, bool on);

/* hf_config_set_cookie_keys gives a server the keys of its cookies: count (1 to HF_COOKIE_KEYS_MAX) times
 * HF_COOKIE_KEY_SIZE random bytes, copied. The first makes cookies, all are tried on those that come back, so that a
 * new key can be put in front of the old one. Without it a configuration makes a key of its own when it freezes, which
 * those derived from it share, and so do processes that fork later. E_CONFIG: another number of keys. */
HF_API bool hf_config_set_cookie_keys(hf_config *config, const uint8_t *keys, size_t count);

/* hf_config_set_cookie_lifetime says for how many seconds (1 to 3600; default 60) a cookie is good. E_CONFIG. */
HF_API bool hf_config_set_cookie_lifetime(hf_config *config, uint32_t seconds);

/* hf_cookie_make_fn writes what the application wants to find in the cookie again, at most `size`
 * (HF_COOKIE_CONTENT_MAX) bytes, the client's address for instance, which nobody else can have then; *len is their
 * number, 0 is allowed. They are authenticated, but anybody can read them. hf_cookie_check_fn is given them back,
 * once the cookie is known to be genuine and new enough. False from either ends the handshake: E_COOKIE_CALLBACK,
 * E_COOKIE_MISMATCH. Both are called within hf_conn_receive, on its thread; they may look at the connection
 * (hf_conn_user), and may not free it. */
typedef bool (*hf_cookie_make_fn)(hf_conn *conn, uint8_t *out, size_t size, size_t *len, void *arg);
typedef bool (*hf_cookie_check_fn)(hf_conn *conn, const uint8_t *content, size_t len, void *arg);

/* hf_config_set_cookie_content sets both; NULL and NULL for none, which is the default: a cookie has no content then.
 * One without the other is E_CONFIG. */
HF_API bool hf_config_set_cookie_content(hf_config *config, hf_cookie_make_fn make, hf_cookie_check_fn check,
                                         void *arg);

/* hf_stateless: how far a server's connection is with this. */
typedef enum hf_stateless {
    HF_STATELESS_NO,       /* no ClientHello yet, no stateless retry, or not TLS 1.3 */
    HF_STATELESS_ASKED,    /* the HelloRetryRequest is in the output, or sent: nothing else has to be kept */
    HF_STATELESS_RETURNED, /* a second ClientHello has brought the cookie back, and it is good */
} hf_stateless;

/* hf_conn_stateless returns it, at any time, also after the handshake. */
HF_API hf_stateless hf_conn_stateless(const hf_conn *conn);

#ifdef __cplusplus
}
#endif

#endif

/* ends.h: connections that behave the same in every process: fixed identities, fixed clock, and
 * nothing random. */
#ifndef ENDS_H
#define ENDS_H

#include "connection/conn.h"
#include "fuzz.h"

#define ENDS_NOW 1900000000 /* 2030 */

/* How two ends are set up; each is a bit of setup.flags. The client takes some, the server others. */
enum {
    SET_RESUME = 1 << 0,      /* the client offers a session of this server's */
    SET_CLIENT_AUTH = 1 << 1, /* the server asks for a certificate, and the client has one */
    SET_REQUIRE = 1 << 2,     /* the server insists on it */
    SET_NO_SHARE = 1 << 3,    /* the client sends no key share: HelloRetryRequest */
    SET_COOKIE = 1 << 4,
    SET_ALPN = 1 << 5,
    SET_LIMIT = 1 << 6, /* both send record_size_limit */
    SET_NO_COMPAT = 1 << 7,
    SET_OCSP = 1 << 8, /* the server staples */
    SET_AUTHORITIES = 1 << 9,
    SET_PSK_ALONE = 1 << 10, /* resumption without key exchange */
    SET_SHA384 = 1 << 11,
    SET_CHACHA = 1 << 12,
    SET_P256 = 1 << 13,
    SET_PADDING = 1 << 14,
    SET_TRACE = 1 << 15,    /* and its leaves are checked */
    SET_ASK = 1 << 16,      /* every question waits for its answer */
    SET_SMALL = 1 << 17,    /* as little memory as is allowed */
    SET_UPDATES = 1 << 18,  /* a new key after every second record */
    SET_OWN_ALPN = 1 << 19, /* a protocol that nobody else has, and it is required */
    SET_NO_TICKETS = 1 << 20,
    /* Versions; none of them: TLS 1.3 alone. */
    SET_OLD = 1 << 21,   /* TLS 1.2 */
    SET_OLDER = 1 << 22, /* TLS 1.1 and 1.0 */
    SET_NEW = 1 << 23,   /* TLS 1.3 too; without the two before: see setup_later */
    /* Not among the first 24, see feed_flags; for TLS 1.3 alone. */
    SET_EXTERNAL = 1 << 24, /* a pre-shared key; with SET_ASK by question */
    SET_IMPORTED = 1 << 25, /* one by way of RFC 9258 */
    SET_HYBRID = 1 << 26,   /* X25519MLKEM768 first */
    SET_GREASE = 1 << 27,
    SET_EARLY =
        1 << 28, /* with SET_RESUME: the client may send early data; the server takes it */
    SET_WANT_TICKETS = 1 << 29, /* client: ticket_request; server: tickets are numbers */
};

/* With one of the first two, security level 0, and some bits mean something else. */
static inline bool setup_old(unsigned flags)
{
    return (flags & (SET_OLD | SET_OLDER)) != 0;
}
/* With authorities' names and without a staple: raw public keys before certificates (RFC 7250). */
static inline bool setup_raw(unsigned flags)
{
    return flags & SET_AUTHORITIES && !(flags & SET_OCSP);
}

/* The server asks for the client's certificate after the handshake, and not (unless it is required) in it. */
static inline bool setup_later(unsigned flags)
{
    return flags & SET_NEW && !setup_old(flags);
}

enum {
    OLD_SUITE = SET_SHA384 | SET_CHACHA | SET_PADDING, /* which, see ends.c */
    OLD_NO_ETM = SET_COOKIE,
    OLD_FALSE_START = SET_NO_SHARE,
    OLD_RENEGOTIATE = SET_UPDATES,
    OLD_FRAGMENT = SET_PSK_ALONE, /* max_fragment_length */
};

struct ends;

/* What was seen of one end. */
struct watch {
    struct ends *ends;
    bool server;
    bool lax;             /* its own messages may be malformed: they are not checked */
    struct tiling tiling; /* of the message whose leaves are coming */
    bool tiled, sent;
    /* each handshake message that the end has sent */
    struct buffer messages;
};

struct ends {
    unsigned flags, server_flags;
    hf_config *client_config, *server_config;
    hf_conn *client, *server;
    hf_session *session; /* the last that the client was given */
    struct watch client_watch, server_watch;
    struct test_hooks client_hooks, server_hooks;
    /* A block of extensions that the honest end puts into a message instead of its own; message 0:
     * none. */
    uint8_t hooked;
    struct slice block;
    /* Whose messages are kept in its watch: 1 the client's, 2 the server's. */
    uint8_t recorded;
};

/* ends_open makes both connections; flags are the client's (and SET_TRACE both sides'), server_flags the
 * server's. hooked, block and recorded may be set before; everything else is cleared. */
void ends_open(struct ends *e, unsigned flags, unsigned server_flags);
void ends_close(struct ends *e);

/* The pre-shared key of all ends that have one. */
extern const uint8_t ends_psk_key[22];

/* ends_config: a frozen configuration of either role, shared by all, with everything in it. */
hf_config *ends_config(bool server);

bool end_failed(const hf_conn *conn);
bool end_done(const hf_conn *conn); /* its handshake is over and nothing has failed */

/* end_poke calls every getter there is, and explains the error if there is one. */
void end_poke(hf_conn *conn);

/* feed_flags: 24 bits of setup. Both about ALPN, in TLS 1.3 alone, stand for none and say that a byte with
 * more bits follows. */
unsigned feed_flags(struct feed *f);

/* Not 0: in each end_feed the n-th allocation of a call, and all behind it, fail. */
extern unsigned long end_starved;

/* end_feed gives bytes to a connection, at most `chunk` new ones at a time (0: all), until it wants no
 * more, and answers its questions; returns the last result. Application data is appended to `data` if that is not NULL. */
hf_result end_feed(hf_conn *conn, struct buffer *in, size_t chunk, struct buffer *data);

/* end_move puts what `from` has to send behind `to`. */
bool end_move(hf_conn *from, struct buffer *to);

/* end_is_old: TLS 1.2 or older is spoken, as far as this end knows. */
bool end_is_old(const hf_conn *conn);

/* end_seal appends to `out` the record that `to` expects next, with this content: protected with the
 * key that it reads with at the moment, and (in TLS 1.3) `pad` zeros behind the content type. All records
 * to an end of TLS 1.0 must come from here, because they are chained. */
void end_seal(const hf_conn *to, uint8_t type, struct slice content, size_t pad,
              struct buffer *out);

#endif

/* scheme.h: the table of URL schemes, and the kinds of transport below them. */
#ifndef NET_SCHEME_H
#define NET_SCHEME_H

#include "bytes/bytes.h"

struct stream_ops;

/* How bytes travel. One row for each kind, in a file of its own. */
struct transport {
    const char *stream_type;      /* what hf_stream_get_info calls it */
    const char *protocol;         /* of services (getservbyname), NULL: addresses are paths */
    int socket_type;              /* SOCK_STREAM, SOCK_DGRAM */
    const struct stream_ops *ops; /* of its plain streams */
};

extern const struct transport tcp_transport, udp_transport, unix_transport, udg_transport;

enum scheme_kind {
    SCHEME_PLAIN,
    SCHEME_TLS,
    SCHEME_STARTTLS, /* a talk in plain text, then TLS: starttls.h has a row of the same name */
    SCHEME_ABSENT,   /* known, but not part of this version */
    SCHEME_PROHIBITED, /* known, and refused for ever */
};

struct scheme {
    const char *name;
    enum scheme_kind kind;
    const struct transport *transport;
    uint16_t version; /* the only TLS version that it allows, 0: what the configuration does */
    unsigned since;   /* HF_API_VERSION with which it came */
    const char *refusal; /* ABSENT and PROHIBITED: why, and what to use */
    const char *rfc;     /* that says so, or NULL */
    uint16_t port;       /* of URLs without one; 0: it must be there */
};

/* scheme_secures: data goes over TLS, sooner or later. */
static inline bool scheme_secures(const struct scheme *scheme)
{
    return scheme->kind == SCHEME_TLS || scheme->kind == SCHEME_STARTTLS;
}

/* scheme_table is all of them, in the order in which people are told of them. */
const struct scheme *scheme_table(size_t *count);

/* scheme_find finds a scheme by name, whatever its letter case; NULL if it is unknown. */
const struct scheme *scheme_find(const char *name, size_t len);

/* scheme_of finds the plain scheme of a transport. */
const struct scheme *scheme_of(const struct transport *transport);

/* scheme_usable refuses what cannot be opened. */
bool scheme_usable(const struct scheme *scheme, hf_error *err)
    __attribute__((warn_unused_result));

/* scheme_unknown words the error for a scheme that is not in the table; always false. */
bool scheme_unknown(const char *name, size_t len, hf_error *err);

/* SCHEMES_KNOWN names those that can be opened, for messages. */
#define SCHEMES_KNOWN                                                                          \
    "tcp, tls, ssl, tlsv1.0 to tlsv1.3, udp, unix, udg, and protocols (smtp, smtps, imap ...)"

#endif

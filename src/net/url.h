/* url.h: SCHEME://HOST:PORT, read strictly, and the table of schemes. */
#ifndef NET_URL_H
#define NET_URL_H

#include <netinet/in.h>

#include "bytes/bytes.h"

enum scheme_kind {
    SCHEME_TCP,
    SCHEME_TLS,
    SCHEME_ABSENT,     /* known, but not part of this version */
    SCHEME_PROHIBITED, /* known, and refused for ever */
};

struct scheme {
    const char *name;
    enum scheme_kind kind;
    uint16_t
        version; /* the only TLS version that it allows, 0: whatever the configuration does */
    const char *refusal; /* ABSENT and PROHIBITED: why, and what to use */
    const char *rfc;     /* that says so, or NULL */
};

#define URL_HOST_MAX 253 /* RFC 1035 3.1 in text form */
#define URL_ZONE_MAX 15  /* IF_NAMESIZE - 1 */

enum url_host { URL_NAME, URL_IPV4, URL_IPV6, URL_ANY };

struct url {
    const struct scheme *scheme;
    enum url_host kind;
    char host[URL_HOST_MAX + 2]; /* lower case for a name; without brackets and zone */
    char zone[URL_ZONE_MAX +
              1]; /* of a link-local IPv6 address (RFC 6874), decoded; "" if none */
    union {
        struct in_addr v4;
        struct in6_addr v6;
    } addr; /* of a literal */
    uint16_t port;
};

/* url_parse reads a URL. E_URL, E_SCHEME or E_PROHIBITED_PROTOCOL, worded with the remedy. */
bool url_parse(const char *text, struct url *out, hf_error *err)
    __attribute__((warn_unused_result));

/* url_scheme finds a scheme by name, whatever its letter case; NULL if it is unknown. */
const struct scheme *url_scheme(const char *name, size_t len);

/* url_scheme_usable refuses what is not TCP or TLS. */
bool url_scheme_usable(const struct scheme *scheme, hf_error *err)
    __attribute__((warn_unused_result));

/* url_scheme_unknown words the error for a scheme that is not in the table; always false. */
bool url_scheme_unknown(const char *name, size_t len, hf_error *err);

/* url_format writes a URL that url_parse reads back; result as snprintf. */
size_t url_format(const struct url *url, char *out, size_t size);

#endif

/* url.h: SCHEME://HOST:PORT and SCHEME://PATH, read strictly. */
#ifndef NET_URL_H
#define NET_URL_H

#include <netinet/in.h>

#include "net/scheme.h"

#define URL_HOST_MAX 253 /* RFC 1035 3.1 in text form */
#define URL_ZONE_MAX 15  /* IF_NAMESIZE - 1 */

#define URL_PATH_MAX 107 /* of sun_path in struct sockaddr_un, without its NUL */

enum url_host { URL_NAME, URL_IPV4, URL_IPV6, URL_ANY, URL_PATH, URL_ABSTRACT };

struct url {
    const struct scheme *scheme;
    enum url_host kind;
    /* lower case for a name; without brackets and zone; PATH or @NAME */
    char host[URL_HOST_MAX + 2];
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

/* url_parse_port does the same with a port that was given apart from the URL, 0: none. */
bool url_parse_port(const char *text, int port, struct url *out, hf_error *err)
    __attribute__((warn_unused_result));

/* url_parse_address reads what stands behind SCHEME:// and is no name, with the zone as the system writes
 * it ("[fe80::1%eth0]:53"). */
bool url_parse_address(const char *text, const struct scheme *scheme, struct url *out,
                       hf_error *err) __attribute__((warn_unused_result));

/* url_format writes a URL that url_parse reads back; result as snprintf. */
size_t url_format(const struct url *url, char *out, size_t size);

#endif

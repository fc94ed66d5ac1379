/* proxy_place.h: the two URLs of a proxy as addresses, and sockets there. */
#ifndef CLI_PROXY_PLACE_H
#define CLI_PROXY_PLACE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "handfast.h"

#define PLACE_ADDRESSES 16

union place_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage room;
};

struct place {
    bool tls, local;  /* local: a path, unix:// */
    uint16_t version; /* the only one that the scheme allows; 0: as configured */
    char scheme[16], host[256], port[32]; /* local: host is the path; "": all addresses */
    union place_address a[PLACE_ADDRESSES];
    socklen_t len[PLACE_ADDRESSES];
    size_t count;
};

/* place_parse reads tcp://HOST:PORT, tls://HOST:PORT (ssl, tlsv1.2, tlsv1.3) or unix:///PATH; no scheme is
 * tcp. An empty host or * are all addresses of this machine. E_URL, E_SCHEME, E_PROHIBITED_PROTOCOL. */
bool place_parse(struct place *p, const char *url, hf_error *err);

/* place_resolve finds the addresses: E_RESOLVE. It may take as long as the system's resolver does. */
bool place_resolve(struct place *p, bool to_listen, hf_error *err);

/* place_listen opens `count` sockets on one address of the place, all on the same port (the first of them finds
 * it where the port is 0), so that each worker has a queue of its own; a path has one for all of them. Returns
 * how many there are, 0 with E_LISTEN. *p then has the address alone. */
size_t place_listen(struct place *p, int *out, size_t count, hf_error *err);

/* place_connect begins to connect to the i-th address: a socket that does not block, or -1 with errno. */
int place_connect(const struct place *p, size_t i);

/* place_url writes the place as a URL that one can connect to; place_address_text an address. */
void place_url(const struct place *p, char *out, size_t size);
void place_address_text(const union place_address *a, char *out, size_t size);

#endif

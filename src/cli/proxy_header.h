/* proxy_header.h: the PROXY protocol (haproxy's doc/proxy-protocol.txt): what a proxy says in front of each
 * connection about the client, so that the backend knows whom it talks to. */
#ifndef CLI_PROXY_HEADER_H
#define CLI_PROXY_HEADER_H

#include "cli/proxy_pair.h"

#define HEADER_MAX 700

/* header_write writes version 1 (a line) or 2 (binary, with what is known of TLS) for a connection from one address
 * to another; returns the length. conn NULL: the client spoke no TLS. */
size_t header_write(uint8_t out[HEADER_MAX], unsigned version, const struct sockaddr *from,
                    const struct sockaddr *to, const hf_conn *conn);

/* header_put puts a pair's header in front of all that goes to its backend. */
bool header_put(struct pair *p);

#endif

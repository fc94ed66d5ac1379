/* details.h: what some programs want to know of a handshake that is over, and most do not: kept only where the
 * configuration says so. */
#ifndef HANDSHAKE_DETAILS_H
#define HANDSHAKE_DETAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs;

/* Each is valid from the moment on at which it is known. */
struct details {
    uint8_t client_random[32], server_random[32];
    uint8_t finished[2][64]; /* verify_data of the last handshake: the client's, the server's */
    uint8_t finished_len;
    /* server: what the client offered, in its order; owned, as all that follow */
    uint16_t *suites;
    size_t suite_count;
    uint16_t *sigalgs; /* the peer's signature_algorithms */
    size_t sigalg_count;
    uint16_t *groups; /* server: the client's supported_groups */
    size_t group_count;
    /* DistinguishedNames as the peer sent them, without the outer length */
    uint8_t *authorities;
    size_t authorities_len;
    /* client, TLS 1.2: certificate_types of the server's request, if they are so few */
    uint8_t types[16];
    uint8_t type_count;
    uint16_t signature; /* scheme that this side signed with; 0: none */
    /* client: `share` is ServerDHParams (RFC 5246 7.4.3), of a group without a name */
    bool share_sent;
    uint8_t *share; /* the peer's share of the group, unless that is a hybrid */
    size_t share_len;
    uint8_t *own_share; /* TLS 1.3: the other one; or NULL */
    size_t own_share_len;
    uint8_t *early_exporter; /* where early data was accepted; NULL: not */
    uint8_t early_exporter_len;
};

/* details_hello (server) notes what a ClientHello has; details_done what is known at the end, and hands them to
 * the connection. Both do nothing where nobody wants to know; false without memory. */
bool details_hello(struct hs *hs) __attribute__((warn_unused_result));
bool details_done(struct hs *hs) __attribute__((warn_unused_result));
/* details_randoms notes the randoms as soon as both are known. */
void details_randoms(struct hs *hs);
/* details_types (client) notes the certificate types that a server asks for. */
bool details_types(struct hs *hs, const uint8_t *types, size_t count)
    __attribute__((warn_unused_result));
void details_free(struct details *d);

#endif

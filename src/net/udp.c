/* udp.c: datagrams to a host and port. */
#include "net/datagram.h"

const struct transport udp_transport = {
    .stream_type = "udp_socket",
    .protocol = "udp",
    .socket_type = SOCK_DGRAM,
    .ops = &datagram_ops,
};

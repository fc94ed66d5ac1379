/* udg.c: datagrams to a path. */
#include "net/datagram.h"

const struct transport udg_transport = {
    .stream_type = "udg_socket",
    .protocol = NULL,
    .socket_type = SOCK_DGRAM,
    .ops = &datagram_ops,
};

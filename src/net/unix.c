/* unix.c: byte streams to a path; once connected they are as those of TCP. */
#include "net/stream.h"

const struct transport unix_transport = {
    .stream_type = "unix_socket",
    .protocol = NULL,
    .socket_type = SOCK_STREAM,
    .ops = &tcp_stream_ops,
};

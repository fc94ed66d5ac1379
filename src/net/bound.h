/* bound.h: sockets with an address of this machine: listeners, and datagrams without a connection. */
#ifndef NET_BOUND_H
#define NET_BOUND_H

#include "net/sock_options.h"

/* The file that binding a socket of AF_UNIX makes, and that goes with it. */
struct bound_file;

/* bound_open binds a socket to the first of the URL's addresses that can be had, and puts the real port in
 * the URL; backlog 0: it does not listen. *file is what bound_release wants, or NULL. The socket, or -1 with
 * E_LISTEN or E_RESOLVE. */
int bound_open(struct url *url, const struct sock_options *options, int backlog,
               struct bound_file **file, hf_error *err);

/* bound_remember does the part of a file for a socket that was bound elsewhere; NULL if it has none (or
 * without memory). */
struct bound_file *bound_remember(int fd);

/* bound_release forgets it, and with `remove` removes the file if it is still the one that was made, by this
 * process; NULL is allowed. */
void bound_release(struct bound_file *file, bool remove);

#endif

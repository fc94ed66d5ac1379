/* connect.h: from a URL to a connected socket: resolve, then try the addresses as RFC 8305 says. */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include "net/resolve.h"
#include "net/sock_options.h"

struct connecting;

enum connect_result { CONNECT_DONE, CONNECT_AGAIN, CONNECT_FAILED };

/* connect_start begins; NULL with an error if nothing can be begun. Nothing blocks, except the
 * resolver if no thread for it can be had. */
struct connecting *connect_start(const struct url *url, const struct sock_options *options,
                                 deadline d, hf_error *err);

/* connect_step goes on as far as it goes without waiting. DONE: *out is the socket, the caller's.
 * FAILED: E_RESOLVE, E_CONNECT or E_TIMEOUT, with each address and what became of it. */
enum connect_result connect_step(struct connecting *c, int *out, hf_error *err);

/* connect_fd becomes readable when connect_step has something to do, the deadline included. */
int connect_fd(const struct connecting *c);

/* connect_take_fd gives the number of connect_fd to the connected socket, so that a caller who was
 * told to poll it keeps the number; -1 with errno. */
int connect_take_fd(struct connecting *c, int sock);

/* connect_blocking makes all the steps. -1 on failure. */
int connect_blocking(const struct url *url, const struct sock_options *options, deadline d,
                     hf_error *err);

void connect_free(struct connecting *c);

/* connect_test_hook says how long after each attempt the next one has its turn; NULL ends that. */
typedef deadline connect_delay_fn(size_t attempt);
void connect_test_hook(connect_delay_fn *fn);

#endif

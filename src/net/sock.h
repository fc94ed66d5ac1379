/* sock.h: system calls on sockets, without signals, without EINTR, and never blocking. */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "net/deadline.h"
#include "net/url.h"

/* One address of a host, with its port. */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } u;
};

static inline socklen_t address_len(const struct address *a)
{
    return a->u.any.sa_family == AF_INET6 ? (socklen_t)sizeof a->u.v6
                                          : (socklen_t)sizeof a->u.v4;
}

/* address_text writes "1.2.3.4:443" or "[fe80::1%eth0]:443"; result as snprintf. */
size_t address_text(const struct sockaddr *a, char *out, size_t size);

/* sock_new opens a stream socket that is not inherited and does not block; -1 with errno. */
int sock_new(int family);

/* Each transfers what goes at once: the number, or -1 with errno (EAGAIN if nothing goes). They
 * raise no SIGPIPE and leave the socket's own flags as they are: it may be shared with others. */
ssize_t sock_recv(int fd, void *out, size_t len);
ssize_t sock_peek(int fd, void *out, size_t len);
ssize_t sock_send(int fd, const void *data, size_t len);

/* sock_wait waits for events until the deadline: 1 if any (or an error) is there, 0 if the time is
 * over, -1 with errno. */
int sock_wait(int fd, short events, deadline d);

/* sock_tune sets what every stream wants: no delay of small segments. Harmless elsewhere. */
void sock_tune(int fd);

/* sock_close closes without losing what was sent: bytes that lie unread in the socket would turn the
 * close into a reset, which may overtake the last data. */
void sock_close(int fd);

/* sock_name writes the local or remote address; result as snprintf, 0 if there is none. */
size_t sock_name(int fd, bool remote, char *out, size_t size);

#endif

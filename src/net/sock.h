/* sock.h: system calls on sockets, without signals, without EINTR, and never blocking. */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "net/deadline.h"
#include "net/url.h"

/* One address: of a host with its port, or of a socket in the file system. */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        /* an abstract name begins with a NUL, and no other stands in it */
        struct sockaddr_un un;
    } u;
};

socklen_t address_len(const struct address *a);

/* address_text writes "1.2.3.4:443", "[fe80::1%eth0]:443", a path, "@NAME", or "" for a socket without
 * a name; result as snprintf. */
size_t address_text(const struct sockaddr *a, socklen_t len, char *out, size_t size);
#define ADDRESS_TEXT_MAX 112

static inline void address_show(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
    address_text(&a->u.any, address_len(a), out, ADDRESS_TEXT_MAX);
}

/* sock_new opens a socket that is not inherited and does not block; -1 with errno. */
int sock_new(int family, int type);

/* Each transfers what goes at once: the number, or -1 with errno (EAGAIN if nothing goes). They
 * raise no SIGPIPE and leave the socket's own flags as they are: it may be shared with others. */
ssize_t sock_recv(int fd, void *out, size_t len);
ssize_t sock_peek(int fd, void *out, size_t len);
ssize_t sock_send(int fd, const void *data, size_t len);

/* The same for one datagram; from and from_len, or to, may be NULL. */
ssize_t sock_recv_from(int fd, void *out, size_t len, int flags, struct address *from,
                       socklen_t *from_len);
ssize_t sock_send_to(int fd, const void *data, size_t len, const struct address *to);

/* sock_wait waits for events until the deadline: 1 if any (or an error) is there, 0 if the time is
 * over, -1 with errno. */
int sock_wait(int fd, short events, deadline d);

/* sock_close closes without losing what was sent: bytes that lie unread in the socket would turn the
 * close into a reset, which may overtake the last data. */
void sock_close(int fd);

/* sock_name writes the local or remote address; result as snprintf, 0 if there is none. */
size_t sock_name(int fd, bool remote, char *out, size_t size);

#endif

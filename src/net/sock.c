#define _GNU_SOURCE
#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Enough for session tickets and an alert; a peer that sends without end is not humoured. */
#define DRAIN_MOST (256 * 1024)

static size_t v6_text(const struct sockaddr_in6 *a, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN], zone[IF_NAMESIZE + 1] = "";
    unsigned port = ntohs(a->sin6_port);
    int n;

    /* what a listener for both families sees of an IPv4 client */
    if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
        inet_ntop(AF_INET, &a->sin6_addr.s6_addr[12], host, sizeof host);
        n = snprintf(out, size, "%s:%u", host, port);
        return n < 0 ? 0 : (size_t)n;
    }
    inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof host);
    if (a->sin6_scope_id && !if_indextoname(a->sin6_scope_id, zone))
        snprintf(zone, sizeof zone, "%u", (unsigned)a->sin6_scope_id);
    n = snprintf(out, size, "[%s%s%s]:%u", host, zone[0] ? "%" : "", zone, port);
    return n < 0 ? 0 : (size_t)n;
}

static size_t un_text(const struct sockaddr *a, socklen_t len, char *out, size_t size)
{
    const char *path = (const char *)a + offsetof(struct sockaddr_un, sun_path);
    int most = len > offsetof(struct sockaddr_un, sun_path)
                   ? (int)(len - offsetof(struct sockaddr_un, sun_path))
                   : 0;
    int n;

    if (most > (int)sizeof(((struct sockaddr_un *)NULL)->sun_path))
        most = (int)sizeof(((struct sockaddr_un *)NULL)->sun_path);
    if (most && !path[0])
        n = snprintf(out, size, "@%.*s", most - 1, path + 1);
    else
        n = snprintf(out, size, "%.*s", most, path);
    return n < 0 ? 0 : (size_t)n;
}

size_t address_text(const struct sockaddr *a, socklen_t len, char *out, size_t size)
{
    char host[INET_ADDRSTRLEN];
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    int n;

    switch (a->sa_family) {
    case AF_INET6: memcpy(&v6, a, sizeof v6); return v6_text(&v6, out, size);
    case AF_UNIX: return un_text(a, len, out, size);
    case AF_INET:
        memcpy(&v4, a, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
        n = snprintf(out, size, "%s:%u", host, ntohs(v4.sin_port));
        break;
    default: n = snprintf(out, size, "unknown"); break;
    }
    return n < 0 ? 0 : (size_t)n;
}

socklen_t address_len(const struct address *a)
{
    const struct sockaddr_un *un = &a->u.un;

    switch (a->u.any.sa_family) {
    case AF_INET6: return (socklen_t)sizeof a->u.v6;
    case AF_INET: return (socklen_t)sizeof a->u.v4;
    default: break;
    }
    /* a path has its NUL counted, an abstract name ends with its last byte */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       (un->sun_path[0] ? strlen(un->sun_path)
                                        : strnlen(un->sun_path + 1, sizeof un->sun_path - 1)));
}

int sock_new(int family, int type)
{
    return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static ssize_t receive(int fd, void *out, size_t len, int flags)
{
    ssize_t n;

    do
        n = recv(fd, out, len, flags | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n;
}

ssize_t sock_recv(int fd, void *out, size_t len)
{
    return receive(fd, out, len, 0);
}

ssize_t sock_peek(int fd, void *out, size_t len)
{
    return receive(fd, out, len, MSG_PEEK);
}

ssize_t sock_send(int fd, const void *data, size_t len)
{
    ssize_t n;

    do
        n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n;
}

ssize_t sock_recv_from(int fd, void *out, size_t len, int flags, struct address *from,
                       socklen_t *from_len)
{
    ssize_t n;

    do {
        if (from_len)
            *from_len = sizeof *from;
        n = recvfrom(fd, out, len, flags | MSG_DONTWAIT, from ? &from->u.any : NULL, from_len);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t sock_send_to(int fd, const void *data, size_t len, const struct address *to)
{
    ssize_t n;

    do
        n = sendto(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT, to ? &to->u.any : NULL,
                   to ? address_len(to) : 0);
    while (n < 0 && errno == EINTR);
    return n;
}

int sock_wait(int fd, short events, deadline d)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        int n = poll(&p, 1, deadline_poll_ms(d));

        if (n > 0)
            return 1;
        if (n < 0 && errno != EINTR)
            return -1;
        if (deadline_passed(d))
            return 0;
    }
}

void sock_close(int fd)
{
    char sink[4096];
    size_t left = DRAIN_MOST;
    ssize_t n = 1;

    shutdown(fd, SHUT_WR);
    while (n > 0 && left > sizeof sink) {
        n = sock_recv(fd, sink, sizeof sink);
        left -= n > 0 ? (size_t)n : 0;
    }
    close(fd);
}

size_t sock_name(int fd, bool remote, char *out, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } a;
    socklen_t len = sizeof a;

    a.any.sa_family = AF_UNSPEC;
    if ((remote ? getpeername(fd, &a.any, &len) : getsockname(fd, &a.any, &len)) != 0) {
        if (size)
            out[0] = 0;
        return 0;
    }
    return address_text(&a.any, len, out, size);
}

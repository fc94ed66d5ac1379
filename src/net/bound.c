#include "net/bound.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/fail.h"

struct bound_file {
    pid_t owner; /* a child process does not remove what its parent listens on */
    dev_t device;
    ino_t inode;
    char path[URL_PATH_MAX + 1];
};

static const char *hint_of(const struct url *url, int os_errno)
{
    bool path = !url->scheme->transport->protocol;

    switch (os_errno) {
    case EADDRINUSE:
        return path
                   ? "another program listens on this path, or the file there is no socket: stop it, "
                     "or take another path"
                   : "another program listens on this port: stop it or take another port";
    case EACCES:
        return path ? "look at the permissions of the folder"
                    : "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)";
    case ENOENT: return "make the folder first";
    case EADDRNOTAVAIL:
        return "this machine has no such address: `ip address` lists those it has";
    default: return NULL;
    }
}

struct bound_file *bound_remember(int fd)
{
    struct address a = {0};
    socklen_t len = sizeof a;
    struct bound_file *file;
    struct stat st;

    if (getsockname(fd, &a.u.any, &len) != 0 || a.u.any.sa_family != AF_UNIX ||
        len <= offsetof(struct sockaddr_un, sun_path) || !a.u.un.sun_path[0] ||
        lstat(a.u.un.sun_path, &st) != 0)
        return NULL;
    file = mem_new(sizeof *file);
    if (!file)
        return NULL;
    file->owner = getpid();
    file->device = st.st_dev;
    file->inode = st.st_ino;
    snprintf(file->path, sizeof file->path, "%s", a.u.un.sun_path);
    return file;
}

void bound_release(struct bound_file *file, bool remove)
{
    struct stat st;

    if (!file)
        return;
    if (remove && file->owner == getpid() && lstat(file->path, &st) == 0 &&
        st.st_dev == file->device && st.st_ino == file->inode)
        unlink(file->path);
    mem_free(file);
}

/* A server that was killed leaves its file behind, on which nobody listens: it is in the way of the next
 * one. Anything else is left alone. */
static bool remove_stale(const struct address *a, int type)
{
    struct stat st;
    bool stale;
    int fd;

    if (a->u.any.sa_family != AF_UNIX || !a->u.un.sun_path[0] ||
        lstat(a->u.un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = sock_new(AF_UNIX, type);
    if (fd < 0)
        return false;
    stale = connect(fd, &a->u.any, address_len(a)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return stale && unlink(a->u.un.sun_path) == 0;
}

static bool bind_to(int fd, const struct address *a, int type)
{
    if (bind(fd, &a->u.any, address_len(a)) == 0)
        return true;
    if (errno != EADDRINUSE)
        return false;
    if (remove_stale(a, type))
        return bind(fd, &a->u.any, address_len(a)) == 0;
    errno = EADDRINUSE;
    return false;
}

static int open_one(const struct url *url, const struct address *a,
                    const struct sock_options *options, int backlog)
{
    int type = url->scheme->transport->socket_type, saved;
    int fd = sock_new(a->u.any.sa_family, type);

    if (fd < 0)
        return -1;
    /* "*" is both families on one socket; "[::]" is IPv6, so that 0.0.0.0 may be listened on besides */
    sock_options_server(fd, a->u.any.sa_family, url->kind == URL_ANY, options);
    if (bind_to(fd, a, type) && (!backlog || listen(fd, backlog) == 0))
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool take_port(struct url *url, int fd, hf_error *err)
{
    struct address a = {0};
    socklen_t len = sizeof a;

    if (!url->scheme->transport->protocol)
        return true;
    if (getsockname(fd, &a.u.any, &len) != 0)
        return net_fail(err, HF_E_SYSTEM, errno, "getsockname: %s", net_strerror(errno));
    url->port = ntohs(a.u.any.sa_family == AF_INET6 ? a.u.v6.sin6_port : a.u.v4.sin_port);
    return true;
}

int bound_open(struct url *url, const struct sock_options *options, int backlog,
               struct bound_file **file, hf_error *err)
{
    char tried[HF_DETAIL_MAX_LEN] = "", name[ADDRESS_TEXT_MAX];
    struct address_list list;
    int failed = 0;
    size_t at = 0;

    *file = NULL;
    if (!resolve_literal(url, true, &list))
        resolve_blocking(url->host, url->port, true, &list);
    if (!list.count) {
        resolve_fail(url, &list, err);
        return -1;
    }
    for (size_t i = 0; i < list.count; i++) {
        int fd = open_one(url, &list.a[i], options, backlog);

        if (fd >= 0) {
            *file = bound_remember(fd);
            if (take_port(url, fd, err))
                return fd;
            close(fd);
            return -1;
        }
        failed = errno;
        address_show(&list.a[i], name);
        if (at < sizeof tried)
            at += (size_t)snprintf(tried + at, sizeof tried - at, "%s%s: %s", at ? "; " : "",
                                   name, net_strerror(failed));
    }
    net_fail_hint(err, HF_E_LISTEN, failed, hint_of(url, failed), "%s", tried);
    return -1;
}

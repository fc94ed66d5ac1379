/* listen.c: listening sockets, and the streams that come of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "net/stream.h"

struct hf_listener {
    int fd;
    struct url url; /* with the real port */
    hf_config *config;
    hf_net_options options;
};

static const char *listen_hint(int os_errno)
{
    switch (os_errno) {
    case EADDRINUSE:
        return "another program listens on this port: stop it or take another port";
    case EACCES: return "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)";
    case EADDRNOTAVAIL:
        return "this machine has no such address: `ip address` lists those it has";
    default: return NULL;
    }
}

static bool prepare(int fd, const struct url *url, const struct address *a, int backlog)
{
    int on = 1, only6 = url->kind != URL_ANY;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "*" is both families on one socket; "[::]" is IPv6, so that 0.0.0.0 may be listened on besides */
    if (a->u.any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6) != 0)
        return false;
    return bind(fd, &a->u.any, address_len(a)) == 0 &&
           listen(fd, backlog > 0 ? backlog : 128) == 0;
}

static int listen_on(const struct url *url, const struct address *a, int backlog)
{
    int fd = sock_new(a->u.any.sa_family);

    if (fd >= 0 && !prepare(fd, url, a, backlog)) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* The first address that can be listened on. */
static int listen_any(const struct url *url, int backlog, hf_error *err)
{
    struct address_list list;
    char tried[HF_DETAIL_MAX_LEN] = "", name[80];
    int failed = 0;
    size_t at = 0;

    if (!resolve_literal(url, true, &list))
        resolve_blocking(url->host, url->port, true, &list);
    if (!list.count) {
        resolve_fail(url, &list, err);
        return -1;
    }
    for (size_t i = 0; i < list.count; i++) {
        int fd = listen_on(url, &list.a[i], backlog);

        if (fd >= 0)
            return fd;
        failed = errno;
        address_text(&list.a[i].u.any, name, sizeof name);
        if (at < sizeof tried)
            at += (size_t)snprintf(tried + at, sizeof tried - at, "%s%s: %s", at ? "; " : "",
                                   name, net_strerror(failed));
    }
    net_fail_hint(err, HF_E_LISTEN, failed, listen_hint(failed), "%s", tried);
    return -1;
}

static bool take_port(struct hf_listener *l, hf_error *err)
{
    struct address a = {0};
    socklen_t len = sizeof a;

    if (getsockname(l->fd, &a.u.any, &len) != 0)
        return net_fail(err, HF_E_SYSTEM, errno, "getsockname: %s", net_strerror(errno));
    l->url.port = ntohs(a.u.any.sa_family == AF_INET6 ? a.u.v6.sin6_port : a.u.v4.sin_port);
    return true;
}

/* A connection made and thrown away shows now what every client would run into. */
static bool try_config(hf_config *config, hf_error *err)
{
    hf_error why = {0};
    hf_conn *conn = hf_conn_new_server(config, &why);

    if (!conn && err)
        *err = why;
    hf_conn_free(conn);
    return conn != NULL;
}

static bool start(struct hf_listener *l, hf_config *config, hf_error *err)
{
    if (l->url.scheme->kind == SCHEME_TLS) {
        if (!config)
            return net_fail(err, HF_E_USAGE, 0,
                            "a TLS server needs a configuration with a credential");
        l->config = tls_pin(l->url.scheme, config, err);
        if (!l->config || !try_config(l->config, err))
            return false;
    }
    l->fd = listen_any(&l->url, l->options.backlog, err);
    return l->fd >= 0 && take_port(l, err);
}

hf_listener *hf_listen(const char *text, hf_config *config, const hf_net_options *options,
                       hf_error *err)
{
    struct hf_listener *l;
    struct url url;

    if (!url_parse(text, &url, err))
        return NULL;
    l = mem_new(sizeof *l);
    if (!l) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a listener");
        return NULL;
    }
    l->fd = -1;
    l->url = url;
    if (options)
        l->options = *options;
    /* they are a client's, and the program's to free */
    l->options.peer_name = NULL;
    l->options.session = NULL;
    if (start(l, config, err))
        return l;
    hf_listener_close(l);
    return NULL;
}

void hf_listener_close(hf_listener *l)
{
    if (!l)
        return;
    if (l->fd >= 0)
        close(l->fd);
    hf_config_free(l->config);
    mem_free(l);
}

int hf_listener_fd(const hf_listener *l)
{
    return l ? l->fd : -1;
}

size_t hf_listener_url(const hf_listener *l, char *out, size_t size)
{
    struct url url = l->url;

    /* nobody can connect to "all addresses": this machine can to its own */
    if (url.kind == URL_ANY ||
        (url.kind == URL_IPV4 && url.addr.v4.s_addr == htonl(INADDR_ANY))) {
        url.kind = URL_IPV4;
        snprintf(url.host, sizeof url.host, "127.0.0.1");
    } else if (url.kind == URL_IPV6 && IN6_IS_ADDR_UNSPECIFIED(&url.addr.v6)) {
        snprintf(url.host, sizeof url.host, "::1");
    }
    return url_format(&url, out, size);
}

/* Errors that belong to one client who came and went (accept(2)). */
static bool client_gone(int os_errno)
{
    switch (os_errno) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH: return true;
    default: return false;
    }
}

static int accept_one(hf_listener *l, hf_error *err)
{
    deadline d = deadline_after(l->options.timeout);

    for (;;) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC), r;

        if (fd >= 0)
            return fd;
        if (client_gone(errno))
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            net_fail_hint(err, HF_E_SYSTEM, errno,
                          errno == EMFILE ? "raise the limit of open files (ulimit -n)" : NULL,
                          "accept: %s", net_strerror(errno));
            return -1;
        }
        r = l->options.non_blocking ? 0 : sock_wait(l->fd, POLLIN, d);
        if (r == 0)
            net_fail(err, HF_E_TIMEOUT, ETIMEDOUT, "accept: no client came%s",
                     l->options.non_blocking ? " yet" : " in time");
        if (r < 0)
            net_fail(err, HF_E_SYSTEM, errno, "accept: poll: %s", net_strerror(errno));
        if (r <= 0)
            return -1;
    }
}

hf_stream *hf_accept(hf_listener *l, hf_error *err)
{
    bool tls = l->url.scheme->kind == SCHEME_TLS;
    hf_stream *s;
    int fd = accept_one(l, err);

    if (fd < 0)
        return NULL;
    s = stream_new(l->url.scheme, &l->options, err);
    if (!s) {
        close(fd);
        return NULL;
    }
    s->fd = fd;
    sock_tune(fd);
    if (!tls || (tls_server(s, l->config, err) &&
                 (l->options.non_blocking || l->options.lazy_handshake ||
                  stream_open(s, DEADLINE_NONE, err) == 0)))
        return s;
    stream_free(s, true);
    return NULL;
}

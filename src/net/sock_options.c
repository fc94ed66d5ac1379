#define _GNU_SOURCE
#include "net/sock_options.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "net/fail.h"

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

/* PHP's "0:7000" is any address of IPv4. */
static bool read_bindto(const char *text, const struct scheme *scheme, struct sock_options *out,
                        hf_error *err)
{
    char any[ADDRESS_TEXT_MAX];
    struct address_list list;
    hf_error why = {0};
    struct url url;

    if (strncmp(text, "0:", 2) == 0 && strlen(text) < 16) {
        snprintf(any, sizeof any, "0.0.0.0:%s", text + 2);
        text = any;
    }
    if (!url_parse_address(text, scheme, &url, &why)) {
        net_fail(err, why.code, why.os_errno, "bindto: %s", why.detail);
        return false;
    }
    if (!resolve_literal(&url, false, &list) || !list.count)
        return resolve_fail(&url, &list, err);
    while (out->local_count < list.count && out->local_count < 2) {
        out->local[out->local_count] = list.a[out->local_count];
        out->local_count++;
    }
    return true;
}

bool sock_options_read(const hf_net_options *from, const struct scheme *scheme,
                       struct sock_options *out, hf_error *err)
{
    const struct transport *t = scheme->transport;

    *out = (struct sock_options){0};
    out->client_name = !t->protocol && t->socket_type == SOCK_DGRAM;
    out->stream = t->protocol && t->socket_type == SOCK_STREAM;
    if (!from)
        return true;
    out->reuseport = from->so_reuseport;
    out->broadcast = from->so_broadcast;
    out->delay = from->tcp_nodelay < 0;
    out->keepalive = from->so_keepalive;
    out->v6only = from->ipv6_v6only;
    out->keepidle = from->tcp_keepidle;
    out->keepintvl = from->tcp_keepintvl;
    out->keepcnt = from->tcp_keepcnt;
    return !from->bindto || read_bindto(from->bindto, scheme, out, err);
}

static const struct address *local_of(const struct sock_options *o, int family)
{
    for (size_t i = 0; i < o->local_count; i++)
        if (o->local[i].u.any.sa_family == family)
            return &o->local[i];
    return NULL;
}

bool sock_options_fit(const struct sock_options *o, struct address_list *list)
{
    size_t kept = 0;

    if (!o->local_count)
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (local_of(o, list->a[i].u.any.sa_family))
            list->a[kept++] = list->a[i];
    list->count = kept;
    return kept > 0;
}

bool sock_options_client(int fd, int family, const struct sock_options *o)
{
    const struct address *local = local_of(o, family);
    sa_family_t unix_family = AF_UNIX;
    struct sockaddr any = {.sa_family = unix_family};

    if (o->broadcast)
        set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (local) {
        /* a port that was given is taken although connections of before still linger on it */
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (o->reuseport)
            set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        return bind(fd, &local->u.any, address_len(local)) == 0;
    }
    /* unix(7), autobind */
    return !o->client_name || family != AF_UNIX || bind(fd, &any, sizeof unix_family) == 0;
}

void sock_options_server(int fd, int family, bool both, const struct sock_options *o)
{
    set(fd, SOL_SOCKET, SO_REUSEADDR, o->stream);
    if (o->reuseport)
        set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (o->broadcast)
        set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->v6only ? o->v6only > 0 : !both);
}

void sock_options_tune(int fd, const struct sock_options *o)
{
    if (!o->stream)
        return;
    set(fd, IPPROTO_TCP, TCP_NODELAY, !o->delay);
    if (!o->keepalive)
        return;
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (o->keepidle > 0)
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, o->keepidle);
    if (o->keepintvl > 0)
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, o->keepintvl);
    if (o->keepcnt > 0)
        set(fd, IPPROTO_TCP, TCP_KEEPCNT, o->keepcnt);
}

/* listen.c: listening sockets, and the streams that come of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "net/bound.h"
#include "net/opening.h"
#include "net/stream.h"

struct hf_listener {
    int fd;
    struct url url; /* with the real port */
    struct bound_file *file;
    struct sock_options sockets; /* of the listener, and what its connections are given */
    hf_config *config;
    hf_net_options options; /* of its connections */
    double accept_timeout;
};

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
    if (l->url.scheme->kind == SCHEME_STARTTLS &&
        !opening_serves(starttls_find(l->url.scheme->name, strlen(l->url.scheme->name)), err))
        return false;
    if (scheme_secures(l->url.scheme)) {
        struct version_range range = scheme_range(l->url.scheme);

        if (!config)
            return net_fail(err, HF_E_USAGE, 0,
                            "a TLS server needs a configuration with a credential");
        l->config = tls_pin(&range, config, err);
        if (!l->config || !try_config(l->config, err))
            return false;
    }
    if (!sock_options_read(&l->options, l->url.scheme, &l->sockets, err))
        return false;
    l->fd = bound_open(&l->url, &l->sockets, l->options.backlog > 0 ? l->options.backlog : 128,
                       &l->file, err);
    return l->fd >= 0;
}

hf_listener *hf_listen(const char *text, hf_config *config, const hf_net_options *options,
                       hf_error *err)
{
    struct hf_listener *l;
    struct url url;

    if (!url_parse_port(text, options ? options->port : 0, &url, err))
        return NULL;
    if (url.scheme->transport->socket_type != SOCK_STREAM) {
        net_fail_hint(err, HF_E_USAGE, 0,
                      "bind the address with hf_bind, and use hf_receive_from",
                      "hf_listen: %s:// are datagrams, which have no connections to accept",
                      url.scheme->name);
        return NULL;
    }
    l = mem_new(sizeof *l);
    if (!l) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a listener");
        return NULL;
    }
    l->fd = -1;
    l->url = url;
    if (options)
        l->options = *options;
    l->accept_timeout = l->options.timeout;
    /* they are a client's, and the program's to free */
    l->options.peer_name = NULL;
    l->options.session = NULL;
    l->options.bindto = NULL; /* the URL is what is bound to */
    if (start(l, config, err))
        return l;
    hf_listener_close(l);
    return NULL;
}

void hf_listener_close(hf_listener *l)
{
    if (!l)
        return;
    bound_release(l->file, true);
    if (l->fd >= 0)
        close(l->fd);
    hf_config_free(l->config);
    mem_free(l);
}

void hf_listener_set_timeout(hf_listener *l, double seconds)
{
    l->accept_timeout = seconds;
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
    deadline d = deadline_after(l->accept_timeout);

    for (;;) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;

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

/* A protocol that begins in plain text. */
static bool greet(const hf_listener *l, hf_stream *s, hf_error *err)
{
    const struct scheme *scheme = l->url.scheme;

    return scheme->kind != SCHEME_STARTTLS ||
           opening_new(s, starttls_find(scheme->name, strlen(scheme->name)), true, NULL,
                       l->options.starttls, err);
}

hf_stream *hf_accept(hf_listener *l, hf_error *err)
{
    bool tls = scheme_secures(l->url.scheme);
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
    sock_options_tune(fd, &l->sockets);
    if (!tls || (tls_server(s, l->config, err) && greet(l, s, err) &&
                 (l->options.non_blocking || l->options.lazy_handshake ||
                  stream_open(s, DEADLINE_NONE, err) == 0)))
        return s;
    stream_free(s, true);
    return NULL;
}

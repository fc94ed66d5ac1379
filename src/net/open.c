/* open.c: streams to a URL, at a URL, in pairs, and around a socket that the program has made. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "net/opening.h"
#include "net/stream.h"

/* RFC 6066 3: the name in SNI has no dot at its end, and neither have those in certificates. */
void open_peer_name(const struct url *url, char out[URL_HOST_MAX + 2])
{
    size_t n = strlen(url->host);

    memcpy(out, url->host, n + 1);
    if (n && out[n - 1] == '.')
        out[n - 1] = 0;
}

static bool make_client(hf_stream *s, const struct url *url, hf_config *config,
                        const hf_net_options *options, hf_error *err)
{
    char peer[URL_HOST_MAX + 2], place[2 * URL_HOST_MAX + 64];
    const char *name = options && options->peer_name ? options->peer_name : peer;
    bool cache = !options || !options->no_session_cache;
    struct version_range range = scheme_range(url->scheme);
    size_t at;

    open_peer_name(url, peer);
    if (url->scheme->kind == SCHEME_STARTTLS &&
        !opening_new(s, starttls_find(url->scheme->name, strlen(url->scheme->name)), false,
                     name, options ? options->starttls : NULL, err))
        return false;
    at = url_format(url, place, sizeof place);
    /* the name is what the certificate was checked for: it is part of the place */
    if (at + 1 + strlen(name) < sizeof place)
        snprintf(place + at, sizeof place - at, " %s", name);
    else
        cache = false;
    return tls_client(s, &range, config, name, cache ? place : NULL,
                      options ? options->session : NULL, err) &&
           tls_early(s, options, err);
}

/* TLS may begin later, with the host's name. */
static bool keep_target(hf_stream *s, const struct url *url, hf_error *err)
{
    char text[URL_HOST_MAX + 64];

    url_format(url, text, sizeof text);
    s->target = mem_strdup(text);
    return s->target || net_fail(err, HF_E_NO_MEMORY, 0, "for a URL");
}

static bool check_target(const struct url *url, hf_error *err)
{
    if (url->kind == URL_PATH || url->kind == URL_ABSTRACT)
        return true;
    if (url->kind == URL_ANY)
        return net_fail(err, HF_E_URL, 0,
                        "there is no host, or *, which stands for all addresses of this "
                        "machine, to listen on: name one host to connect to");
    if (url->port == 0)
        return net_fail(err, HF_E_URL, 0,
                        "port 0 is for listening (\"any free port\"): name the "
                        "port to connect to");
    return true;
}

static bool connect_now(hf_stream *s, const struct url *url, const struct sock_options *sockets,
                        hf_error *err)
{
    if (s->non_blocking) {
        s->connecting = connect_start(url, sockets, s->open_end, err);
        if (!s->connecting)
            return false;
        s->fd = connect_fd(s->connecting);
        /* the first step is made here: what follows it shows on the descriptor */
        return stream_open(s, DEADLINE_NOW, err) != -1;
    }
    s->fd = connect_blocking(url, sockets, s->open_end, err);
    if (s->fd < 0)
        return false;
    stream_connected(s);
    return stream_open(s, DEADLINE_NONE, err) == 0;
}

static bool keep_uri(hf_stream *s, const char *text, hf_error *err)
{
    s->uri = mem_dup(text, strlen(text) + 1);
    return s->uri || net_fail(err, HF_E_NO_MEMORY, 0, "for a stream");
}

hf_stream *hf_open(const char *text, hf_config *config, const hf_net_options *options,
                   hf_error *err)
{
    struct sock_options sockets;
    struct url url;
    hf_stream *s;
    bool tls;

    if (!url_parse_port(text, options ? options->port : 0, &url, err) ||
        !check_target(&url, err) || !sock_options_read(options, url.scheme, &sockets, err))
        return NULL;
    tls = scheme_secures(url.scheme);
    s = stream_new(url.scheme, options, err);
    if (!s)
        return NULL;
    s->open_end = deadline_after(s->open_timeout);
    s->named = options && options->bindto;
    if (keep_uri(s, text, err) &&
        (tls ? make_client(s, &url, config, options, err) : keep_target(s, &url, err)) &&
        connect_now(s, &url, &sockets, err))
        return s;
    stream_free(s, true);
    return NULL;
}

static bool check_socket(int fd, const struct scheme *scheme, hf_error *err)
{
    bool stream = scheme->transport->socket_type == SOCK_STREAM;
    int type = 0;
    socklen_t len = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
        return net_fail(err, HF_E_USAGE, errno, "hf_stream_wrap: descriptor %d: %s", fd,
                        net_strerror(errno));
    if (type != scheme->transport->socket_type)
        return net_fail(err, HF_E_USAGE, 0, "hf_stream_wrap: descriptor %d is no %s is needed",
                        fd,
                        stream ? "stream socket: TCP or a stream of AF_UNIX"
                               : "datagram socket: UDP or datagrams of AF_UNIX");
    return true;
}

static bool wrap_tls(hf_stream *s, const struct scheme *scheme, hf_role role, hf_config *config,
                     const hf_net_options *options, hf_error *err)
{
    struct version_range range = scheme_range(scheme);
    hf_config *pinned;
    bool done;

    if (role == HF_CLIENT)
        return tls_client(s, &range, config, options ? options->peer_name : NULL, NULL,
                          options ? options->session : NULL, err) &&
               tls_early(s, options, err);
    if (!config)
        return net_fail(err, HF_E_USAGE, 0,
                        "a TLS server needs a configuration with a credential");
    pinned = tls_pin(&range, config, err);
    done = pinned && tls_server(s, pinned, err);
    hf_config_free(pinned);
    return done;
}

static bool wrap_opening(hf_stream *s, const struct scheme *scheme, hf_role role,
                         const hf_net_options *options, hf_error *err)
{
    return scheme->kind != SCHEME_STARTTLS ||
           opening_new(s, starttls_find(scheme->name, strlen(scheme->name)), role == HF_SERVER,
                       options ? options->peer_name : NULL, options ? options->starttls : NULL,
                       err);
}

hf_stream *hf_stream_wrap(int fd, const char *name, hf_role role, hf_config *config,
                          const hf_net_options *options, hf_error *err)
{
    const struct scheme *scheme = name ? scheme_find(name, strlen(name)) : NULL;
    struct sock_options sockets;
    hf_stream *s;
    bool tls;

    if (!scheme) {
        scheme_unknown(name ? name : "", name ? strlen(name) : 0, err);
        return NULL;
    }
    if (!scheme_usable(scheme, err) || !check_socket(fd, scheme, err) ||
        !sock_options_read(options, scheme, &sockets, err))
        return NULL;
    tls = scheme_secures(scheme);
    s = stream_new(scheme, options, err);
    if (!s)
        return NULL;
    s->fd = fd;
    if (tls && (!wrap_tls(s, scheme, role, config, options, err) ||
                !wrap_opening(s, scheme, role, options, err))) {
        stream_free(s, false);
        return NULL;
    }
    sock_options_tune(fd, &sockets);
    return s;
}

hf_stream *hf_bind(const char *text, const hf_net_options *options, hf_error *err)
{
    struct sock_options sockets;
    struct url url;
    hf_stream *s;

    if (!url_parse_port(text, options ? options->port : 0, &url, err))
        return NULL;
    if (url.scheme->transport->socket_type != SOCK_DGRAM) {
        net_fail(err, HF_E_USAGE, 0,
                 "hf_bind: %s:// has connections: listen for them with hf_listen",
                 url.scheme->name);
        return NULL;
    }
    s = stream_new(url.scheme, options, err);
    if (!s)
        return NULL;
    if (keep_uri(s, text, err) && sock_options_read(options, url.scheme, &sockets, err)) {
        s->fd = bound_open(&url, &sockets, 0, &s->file, err);
        if (s->fd >= 0)
            return s;
    }
    stream_free(s, true);
    return NULL;
}

bool hf_stream_pair(const char *name, const hf_net_options *options, hf_stream *out[2],
                    hf_error *err)
{
    const struct scheme *scheme = name ? scheme_find(name, strlen(name)) : NULL;
    int fd[2];

    out[0] = out[1] = NULL;
    if (!scheme || scheme->kind != SCHEME_PLAIN || scheme->transport->protocol)
        return net_fail(err, HF_E_USAGE, 0, "hf_stream_pair: \"%s\": pairs are of unix or udg",
                        name ? name : "");
    if (socketpair(AF_UNIX, scheme->transport->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   fd) != 0)
        return net_fail(err, HF_E_SYSTEM, errno, "socketpair: %s", net_strerror(errno));
    for (int i = 0; i < 2; i++) {
        out[i] = stream_new(scheme, options, err);
        if (out[i])
            out[i]->fd = fd[i];
        else
            close(fd[i]);
    }
    if (out[0] && out[1])
        return true;
    stream_free(out[0], true);
    stream_free(out[1], true);
    out[0] = out[1] = NULL;
    return false;
}

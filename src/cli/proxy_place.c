#define _GNU_SOURCE
#include "cli/proxy_place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/settings.h"

enum { BACKLOG = 4096 };

/* ---------------------------------------------------------------- the URL */

struct scheme {
    const char *name;
    bool tls, local;
    uint16_t version;
    const char *refusal;
};

/* clang-format off */
static const struct scheme schemes[] = {
    {"tcp", false, false, 0, NULL},
    {"tls", true, false, 0, NULL},
    {"ssl", true, false, 0, NULL},
    {"tlsv1.0", true, false, HF_TLS1_0, NULL},
    {"tlsv1.1", true, false, HF_TLS1_1, NULL},
    {"tlsv1.2", true, false, HF_TLS1_2, NULL},
    {"tlsv1.3", true, false, HF_TLS1_3, NULL},
    {"unix", false, true, 0, NULL},
    {"sslv2", true, false, 0, "SSL 2.0 is prohibited by RFC 6176: use tls://"},
    {"sslv3", true, false, 0, "SSL 3.0 is prohibited by RFC 7568: use tls://"},
    {"https", true, false, 0, "a proxy carries bytes, not HTTP: write tls://HOST:443"},
    {"http", false, false, 0, "a proxy carries bytes, not HTTP: write tcp://HOST:80"},
};
/* clang-format on */

static bool take_scheme(struct place *p, const char *url, size_t len, hf_error *err)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const struct scheme *s = &schemes[i];
        if (strlen(s->name) != len || strncasecmp(s->name, url, len) != 0)
            continue;
        if (s->refusal)
            return settings_fail(err,
                                 s->tls && len == 5 && s->name[0] == 's'
                                     ? HF_E_PROHIBITED_PROTOCOL
                                     : HF_E_SCHEME,
                                 0, "%s: %s", url, s->refusal);
        snprintf(p->scheme, sizeof p->scheme, "%s", s->name);
        p->tls = s->tls;
        p->local = s->local;
        p->version = s->version;
        return true;
    }
    return settings_fail(err, HF_E_SCHEME, 0,
                         "%s: a proxy knows tcp, tls (ssl, tlsv1.2, tlsv1.3) and unix", url);
}

static bool take_path(struct place *p, const char *url, const char *path, hf_error *err)
{
    if (!*path)
        return settings_fail(err, HF_E_URL, 0, "%s: a path is missing: unix:///run/NAME", url);
    if (strlen(path) >= sizeof p->a[0].local.sun_path)
        return settings_fail(err, HF_E_URL, 0, "%s: the path is longer than %zu bytes", url,
                             sizeof p->a[0].local.sun_path - 1);
    snprintf(p->host, sizeof p->host, "%s", path);
    return true;
}

/* Splits HOST:PORT; brackets go, and the zone behind %25 (RFC 6874) is decoded. */
static bool take_host(struct place *p, const char *url, const char *rest, hf_error *err)
{
    const char *end = strchr(rest, ']'), *colon = strchr(*rest == '[' && end ? end : rest, ':');
    size_t len = colon ? (size_t)(colon - rest) : 0;
    if (!colon || !colon[1])
        return settings_fail(err, HF_E_URL, 0, "%s: a port is missing: %s://HOST:PORT", url,
                             p->scheme);
    if (strpbrk(rest, "/?#@ ") || strchr(colon + 1, ':') || len >= sizeof p->host ||
        strlen(colon + 1) >= sizeof p->port || (*rest == '[' && (!end || end + 1 != colon)))
        return settings_fail(
            err, HF_E_URL, 0,
            "%s: write %s://HOST:PORT and nothing more; an IPv6 address stands "
            "in brackets",
            url, p->scheme);
    bool bracket = *rest == '[';
    snprintf(p->host, sizeof p->host, "%.*s", (int)(bracket ? len - 2 : len), rest + bracket);
    snprintf(p->port, sizeof p->port, "%s", colon + 1);
    char *zone = bracket ? strstr(p->host, "%25") : NULL;
    if (zone)
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
    if (strcmp(p->host, "*") == 0)
        p->host[0] = '\0';
    return true;
}

bool place_parse(struct place *p, const char *url, hf_error *err)
{
    const char *colon = strstr(url, "://");
    *p = (struct place){0};
    if (!take_scheme(p, colon ? url : "tcp", colon ? (size_t)(colon - url) : 3, err))
        return false;
    const char *rest = colon ? colon + 3 : url;
    return p->local ? take_path(p, url, rest, err) : take_host(p, url, rest, err);
}

/* ---------------------------------------------------------------- addresses */

static void add(struct place *p, const void *a, size_t len)
{
    if (p->count == PLACE_ADDRESSES)
        return;
    memcpy(&p->a[p->count], a, len);
    p->len[p->count++] = (socklen_t)len;
}

static void add_path(struct place *p)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t len = strlen(p->host);
    memcpy(a.sun_path, p->host, len);
    if (a.sun_path[0] == '@') /* a name without a file (unix(7)) */
        a.sun_path[0] = '\0';
    add(p, &a, offsetof(struct sockaddr_un, sun_path) + len + (p->host[0] != '@'));
}

bool place_resolve(struct place *p, bool to_listen, hf_error *err)
{
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    p->count = 0;
    if (p->local) {
        add_path(p);
        return true;
    }
    if (!p->host[0] && !to_listen)
        return settings_fail(err, HF_E_URL, 0, "%s://:%s: there is no host to connect to",
                             p->scheme, p->port);
    hints.ai_flags = to_listen ? AI_PASSIVE : 0;
    int gai = getaddrinfo(p->host[0] ? p->host : NULL, p->port, &hints, &found);
    if (gai != 0)
        return settings_fail(err, HF_E_RESOLVE, gai == EAI_SYSTEM ? errno : 0, "%s:%s: %s",
                             p->host, p->port,
                             gai == EAI_SYSTEM ? strerror(errno) : gai_strerror(gai));
    /* Of "all addresses" the IPv6 one stands for both families, so it is tried first. */
    for (int pass = 0; pass < 2; pass++)
        for (const struct addrinfo *i = found; i; i = i->ai_next)
            if ((i->ai_family == AF_INET6 || p->host[0]) == (pass == 0))
                add(p, i->ai_addr, i->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

void place_address_text(const union place_address *a, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (a->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(a->v4.sin_port));
    } else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
        inet_ntop(AF_INET, a->v6.sin6_addr.s6_addr + 12, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(a->v6.sin6_port));
    } else if (a->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host);
        snprintf(out, size, "[%s]:%u", host, ntohs(a->v6.sin6_port));
    } else {
        bool named = a->any.sa_family == AF_UNIX && a->local.sun_path[0];
        snprintf(out, size, "%s", named ? a->local.sun_path : "unix");
    }
}

void place_url(const struct place *p, char *out, size_t size)
{
    union place_address a = p->a[0];
    char text[160];
    if (p->local || !p->count) {
        snprintf(out, size, "%s://%s%s%s", p->scheme, p->host, p->local ? "" : ":", p->port);
        return;
    }
    if (a.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.v6.sin6_addr)) {
        in_port_t port = a.v6.sin6_port;
        a.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    }
    if (a.any.sa_family == AF_INET && a.v4.sin_addr.s_addr == htonl(INADDR_ANY))
        a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    place_address_text(&a, text, sizeof text);
    snprintf(out, size, "%s://%s", p->scheme, text);
}

/* ---------------------------------------------------------------- listening */

/* A socket that somebody left behind has nobody who accepts. */
static void remove_stale(const struct sockaddr_un *a, socklen_t len)
{
    struct stat st;
    int fd;
    if (!a->sun_path[0] || lstat(a->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)a, len) != 0 && errno == ECONNREFUSED)
        unlink(a->sun_path);
    if (fd >= 0)
        close(fd);
}

static int listen_at(const struct place *p, size_t i, bool shared)
{
    int on = 1, only6 = p->host[0] != '\0';
    int family = p->a[i].any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (family == AF_UNIX)
        remove_stale(&p->a[i].local, p->len[i]);
    else
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool good = family != AF_INET6 ||
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6) == 0;
    if (good && shared)
        good = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
    if (good && bind(fd, &p->a[i].any, p->len[i]) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* Sockets with SO_REUSEPORT may stand beside those of another proxy that was started before: that
 * nobody wants. One without it finds out. */
static bool first_socket(struct place *p, size_t i, bool shared, int *out)
{
    int fd = listen_at(p, i, false);
    socklen_t len = sizeof p->a[i];
    if (fd < 0)
        return false;
    if (!p->local)
        getsockname(fd, &p->a[i].any, &len);
    if (shared) {
        close(fd);
        fd = listen_at(p, i, true);
    }
    *out = fd;
    p->a[0] = p->a[i];
    p->len[0] = p->len[i];
    p->count = 1;
    return fd >= 0;
}

size_t place_listen(struct place *p, int *out, size_t count, hf_error *err)
{
    char name[160] = "";
    bool shared = count > 1 && !p->local, good = false;
    for (size_t i = 0; !good && i < p->count; i++) {
        place_address_text(&p->a[i], name, sizeof name);
        good = first_socket(p, i, shared, &out[0]);
    }
    size_t n = good ? 1 : 0;
    while (good && shared && n < count) {
        out[n] = listen_at(p, 0, true);
        good = out[n] >= 0;
        n += good;
    }
    if (good)
        return n;
    int why = errno;
    while (n > 0)
        close(out[--n]);
    settings_fail(err, HF_E_LISTEN, why, "%s: %s", name, strerror(why));
    return 0;
}

int place_connect(const struct place *p, size_t i)
{
    int on = 1,
        fd = socket(p->a[i].any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (!p->local)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, &p->a[i].any, p->len[i]) == 0 || errno == EINPROGRESS)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

#include "cli/target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "handfast_net.h"

/* A port is there if a colon follows the host; colons within [] belong to an IPv6 address. */
static bool has_port(const char *host)
{
    const char *bracket = strrchr(host, ']');
    return strchr(bracket ? bracket : host, ':') != NULL;
}

static bool say(const char *command, const char *word, const char *what)
{
    fprintf(stderr, "handfast %s: \"%s\": %s\nTry: handfast help %s\n", command, word, what,
            command);
    return false;
}

static bool has_path(const hf_transport *transport)
{
    return transport && transport->paths;
}

/* Protocols have usual ports: with TLS later, or with TLS at once. */
static int usual_port(const char *scheme, const hf_starttls_protocol **later)
{
    const hf_starttls_protocol *row;
    *later = hf_starttls_find(scheme);
    if (*later)
        return (*later)->port;
    for (size_t i = 0; (row = hf_starttls_protocol_at(i)) != NULL; i++)
        if (row->tls_scheme && strcasecmp(row->tls_scheme, scheme) == 0)
            return row->tls_port;
    return 0;
}

static bool say_protocols(const char *command, const char *word)
{
    const hf_starttls_protocol *row;
    fprintf(stderr, "handfast %s: --starttls takes one of", command);
    for (size_t i = 0; (row = hf_starttls_protocol_at(i)) != NULL; i++)
        fprintf(stderr, "%s %s", i ? "," : "", row->name);
    fprintf(stderr, ", not \"%s\"\nTry: handfast help %s\n", word, command);
    return false;
}

void target_place(const struct target *t, hf_error *err)
{
    if (err->code == HF_E_URL && strcmp(err->path, "URL") == 0)
        err->offset = (size_t)((ptrdiff_t)err->offset + t->typed);
}

bool target_path(const char *path)
{
    if (*path != '/')
        return false;
    for (; *path; path++)
        if ((unsigned char)*path <= ' ' || *path == 0x7f)
            return false;
    return true;
}

bool target_get(const char *command, const char *path)
{
    if (!path || target_path(path))
        return true;
    fprintf(
        stderr,
        "handfast %s: --get takes a path that begins with / and has no spaces (%%20) and control "
        "characters, as /index.html\nTry: handfast help %s\n",
        command, command);
    return false;
}

bool target_parse(struct target *t, const char *command, const char *word)
{
    return target_parse_starttls(t, command, word, NULL);
}

/* The scheme that --starttls stands for, in place of none, of tcp and of itself. */
static bool choose_scheme(char scheme[32], const char *command, const char *word,
                          const char *protocol)
{
    if (!protocol)
        return true;
    if (!hf_starttls_find(protocol))
        return say_protocols(command, protocol);
    if (scheme[0] && strcasecmp(scheme, "tcp") != 0 && strcasecmp(scheme, protocol) != 0)
        return say(command, word,
                   "--starttls begins in plain text: write HOST:PORT or tcp://HOST:PORT");
    snprintf(scheme, 32, "%s", protocol);
    return true;
}

bool target_parse_starttls(struct target *t, const char *command, const char *word,
                           const char *protocol)
{
    *t = (struct target){.tls = true};
    const char *colon = strstr(word, "://");
    const char *host = colon ? colon + 3 : word;
    size_t scheme_len = colon ? (size_t)(colon - word) : 0;
    char scheme[32];
    if (scheme_len >= sizeof scheme || strlen(host) >= sizeof t->host - 8)
        return say(command, word, "this is too long for a URL");
    snprintf(scheme, sizeof scheme, "%.*s", (int)scheme_len, word);
    if (!choose_scheme(scheme, command, word, protocol))
        return false;
    int usual = usual_port(scheme, &t->starttls);
    bool http = strcasecmp(scheme, "https") == 0 || strcasecmp(scheme, "http") == 0;
    if (strcasecmp(scheme, "https") == 0 || scheme[0] == '\0')
        strcpy(scheme, "tls");
    else if (strcasecmp(scheme, "http") == 0)
        strcpy(scheme, "tcp");
    t->typed = (host - word) - (ptrdiff_t)strlen(scheme) - 3;
    const hf_transport *transport = hf_transport_find(scheme);
    t->tls = !transport || transport->tls;
    if (has_path(transport)) {
        snprintf(t->host, sizeof t->host, "%s", host);
        snprintf(t->url, sizeof t->url, "%s", word);
        return true;
    }
    size_t host_len = strcspn(host, "/?#");
    if (host_len == 0)
        return say(command, word, "a host name is missing");
    if (http && host[host_len] == '/' && !target_path(host + host_len))
        return say(command, word,
                   "a space or control character in a path is written as %20 and so on");
    if (http && host[host_len] == '/')
        snprintf(t->path, sizeof t->path, "%.*s", (int)strcspn(host + host_len, "#"),
                 host + host_len);
    else if (host[host_len] && strcmp(host + host_len, "/") != 0)
        return say(command, word, "only http and https URLs have a path: use --get");
    snprintf(t->host, sizeof t->host, "%.*s", (int)host_len, host);
    if (has_port(t->host)) {
        snprintf(t->url, sizeof t->url, "%s://%s", scheme, t->host);
        const char *port = strrchr(t->host, ':');
        if (strcmp(port, t->tls ? ":443" : ":80") == 0)
            t->host[port - t->host] = '\0';
        return true;
    }
    if (!t->tls && !http)
        return say(command, word,
                   strcmp(scheme, "udp") == 0 ? "a port is missing: udp://HOST:PORT"
                                              : "a port is missing: tcp://HOST:PORT");
    snprintf(t->url, sizeof t->url, "%s://%s:%d", scheme, t->host,
             usual    ? usual
             : t->tls ? 443
                      : 80);
    return true;
}

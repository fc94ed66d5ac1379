/* meeting.h: what the tests of named options share: a server and a client, each with its options. */
#ifndef MEETING_H
#define MEETING_H

#include <stdarg.h>

#include "handfast_options.h"
#include "net/options.h"
#include "tlspeer.h"

static inline hf_options *options_of(const char *first, ...)
{
    hf_options *o = hf_options_new();
    va_list args;
    va_start(args, first);
    for (const char *name = first; name; name = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        hf_error err = {0};
        if (!hf_options_set(o, name, value, &err)) {
            printf("    %s: %s\n", name, err.detail);
            CHECK_STR(err.detail, "the option is taken");
        }
    }
    va_end(args);
    return o;
}

/* What a server saw of its last client. */
static char seen_name[256];
static size_t seen_certificates;
static uint16_t seen_version;

static inline void play_look(hf_stream *s)
{
    char buf[8];
    const hf_conn *conn = hf_stream_conn(s);
    const char *name = hf_conn_server_name(conn);
    snprintf(seen_name, sizeof seen_name, "%s", name ? name : "-");
    seen_version = hf_conn_version(conn);
    for (seen_certificates = 0; hf_conn_peer_certificate(conn, seen_certificates);)
        seen_certificates++;
    CHECK_INT(hf_write(s, "hi", 2, NULL), 2);
    while (hf_read(s, buf, sizeof buf, NULL) > 0)
        ;
    hf_close(s, NULL);
}

/* One connection from a server with its options to a client with others: HF_OK, or the client's error. */
struct meeting {
    const char *url;  /* to listen on, "tls://localhost:0" if NULL */
    const char *host; /* to connect to; NULL: the same */
    hf_options *server, *client;
    hf_config *server_base, *client_base;
    const hf_net_options *net;
    hf_stream *stream; /* the client's, afterwards */
    hf_error err;
};

static inline hf_code meet(struct meeting *m)
{
    struct tls_peer p = {.clients = 1, .play = play_look};
    char url[128];
    char buf[8];
    p.listener = hf_listen_with(m->url ? m->url : "tls://localhost:0", m->server,
                                m->server_base, NULL, &m->err);
    if (!p.listener) {
        char line[300];
        hf_error_line(&m->err, line, sizeof line);
        printf("    listen: %s\n", line);
        return m->err.code;
    }
    hf_listener_url(p.listener, p.url, sizeof p.url);
    CHECK_INT(pthread_create(&p.thread, NULL, tls_peer_run, &p), 0);
    snprintf(url, sizeof url, "tls://%s%s", m->host ? m->host : "localhost",
             strrchr(p.url, ':'));
    m->stream = hf_open_with(url, m->client, m->client_base, m->net, &m->err);
    hf_code code = m->stream ? HF_OK : m->err.code;
    if (m->stream && hf_read(m->stream, buf, sizeof buf, &m->err) != 2)
        code = m->err.code ? m->err.code : HF_E_TRUNCATED;
    if (!m->stream || code != HF_OK) {
        hf_close(m->stream, NULL);
        m->stream = NULL;
    }
    if (m->stream) /* the server waits for it */
        hf_shutdown_write(m->stream, NULL);
    tls_peer_end(&p);
    return code;
}

static inline void leave(struct meeting *m)
{
    if (m->stream)
        hf_close(m->stream, NULL);
    hf_options_free(m->server);
    hf_options_free(m->client);
}

/* The same place again, where sessions of the last time are looked for. */
static inline const char *fixed_url(void)
{
    static char url[64];
    hf_listener *l = hf_listen("tcp://127.0.0.1:0", NULL, NULL, NULL);
    char now[64];
    hf_listener_url(l, now, sizeof now);
    hf_listener_close(l);
    snprintf(url, sizeof url, "tls://localhost%s", strrchr(now, ':'));
    return url;
}

static inline void meeting_begin(void)
{
    pki = pki_new(PKI_P256, "DNS:localhost,IP:127.0.0.1,IP:::1");
    other = pki_new(PKI_P256, "DNS:other.example");
    server_config = make_server(pki);
    client_config = make_client(pki);
}

static inline void meeting_end(void)
{
    hf_config_free(server_config);
    hf_config_free(client_config);
    session_cache_clear();
    pki_clear(pki);
    pki_clear(other);
}

#endif

#define _GNU_SOURCE /* memmem */
#include "cli/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/settings.h"

enum { EARLY_MOST = 1 << 24 };

/* ---------------------------------------------------------------- sessions */

static void keep_session(hf_conn *conn, hf_session *session, void *arg)
{
    struct dial *d = arg;
    (void)conn;
    hf_session_free(d->newest);
    d->newest = hf_session_ref(session);
}

/* Whom the session must have been made with: the name that will be verified. */
static void peer_name(const struct options *o, const struct target *t, char out[256])
{
    const char *name = o->name ? o->name : t->host;
    bool bracketed = !o->name && name[0] == '[';
    size_t len = o->name ? strlen(name) : strcspn(name + bracketed, bracketed ? "]" : ":");
    snprintf(out, 256, "%.*s", (int)len, name + bracketed);
}

/* What `openssl s_client -sess_out` writes, or the same in DER; our own files begin otherwise. */
static bool from_openssl(const unsigned char *p, size_t len)
{
    static const char pem[] = "-----BEGIN SSL SESSION PARAMETERS-----";
    return len > 0 && (p[0] == 0x30 || memmem(p, len, pem, sizeof pem - 1));
}

/* A file that is not there yet is no mistake: the first connection makes it. */
static bool load_session(struct dial *d, const char *path, const char *name, hf_error *err)
{
    size_t len = 0;
    unsigned char *p = settings_read_file(path, 1 << 20, &len, err);
    if (!p) {
        bool missing = err->code == HF_E_FILE && err->os_errno == ENOENT;
        if (missing)
            *err = (hf_error){0};
        return missing;
    }
    d->session = from_openssl(p, len) ? hf_session_import_openssl(p, len, name, err)
                                      : hf_session_import(p, len, err);
    explicit_bzero(p, len);
    free(p);
    if (d->session)
        return true;
    hf_error why = *err;
    return settings_fail(err, HF_E_FILE, 0,
                         "--session %s has no session that could be resumed: %s", path,
                         why.detail);
}

/* ---------------------------------------------------------------- early data */

static unsigned char *read_early(const char *path, size_t *len, hf_error *err)
{
    if (strcmp(path, "-") != 0)
        return settings_read_file(path, EARLY_MOST, len, err);
    return settings_read_stream(stdin, "standard input", EARLY_MOST, len, err);
}

/* What cannot go with the first message is no failure: it goes after the handshake. */
static bool load_early(struct dial *d, const struct options *o, hf_error *err)
{
    uint32_t most = d->session ? hf_session_max_early_data(d->session) : 0;
    d->early = read_early(o->early_data, &d->early_len, err);
    if (!d->early)
        return false;
    if (!d->session)
        snprintf(d->early_not, sizeof d->early_not, "there is no session to resume yet");
    else if (most == 0)
        snprintf(d->early_not, sizeof d->early_not, "the session allows none");
    else if (most < d->early_len)
        snprintf(d->early_not, sizeof d->early_not, "%zu bytes; the session allows %u",
                 d->early_len, most);
    if (*d->early_not || hf_config_set_early_data(d->config, true))
        return true;
    *err = *hf_config_error(d->config);
    return false;
}

bool dial_send_early(struct dial *d, hf_error *err)
{
    if (!d->early_len || hf_stream_early_accepted(d->stream))
        return true;
    return dial_write(d, d->early, d->early_len, err);
}

bool dial_keep_session(const struct dial *d, const struct options *o, hf_error *err)
{
    if (!o->session || !d->newest)
        return true;
    size_t len = hf_session_export(d->newest, NULL, 0);
    unsigned char *p = malloc(len);
    if (!p)
        return settings_fail(err, HF_E_NO_MEMORY, 0, "for the session");
    hf_session_export(d->newest, p, len);
    bool good = settings_write_secret_file(o->session, p, len, err);
    explicit_bzero(p, len);
    free(p);
    return good;
}

/* ---------------------------------------------------------------- opening */

bool dial_prepare(struct dial *d, const struct options *o, const struct target *t,
                  hf_error *err)
{
    *d = (struct dial){.timeout = o->timeout};
    if (!t->tls)
        return true;
    d->config = settings_client(o, err);
    if (!d->config)
        return false;
    if (!o->session)
        return true;
    if (!hf_config_set_session_callback(d->config, keep_session, d)) {
        *err = *hf_config_error(d->config);
        return false;
    }
    char name[256];
    peer_name(o, t, name);
    return load_session(d, o->session, name, err) && (!o->early_data || load_early(d, o, err));
}

/* The talk before TLS; TLS itself is the caller's. */
static bool ask_for_tls(hf_stream *stream, const struct target *t, hf_error *err)
{
    hf_start_tls_options talk = HF_START_TLS_OPTIONS;
    char domain[256];
    struct options none = {0};
    peer_name(&none, t, domain);
    talk.domain = domain;
    return hf_starttls_talk(stream, t->starttls->name, &talk, err) == 0;
}

hf_stream *dial_plain(const struct target *t, const char *address, double timeout,
                      hf_error *err)
{
    hf_net_options net = {.connect_timeout = timeout, .timeout = timeout};
    char url[sizeof t->url + 8];
    const char *host = strstr(t->url, "://");
    snprintf(url, sizeof url, "tcp%s", host ? host : "");
    hf_stream *stream = hf_open(*address ? address : url, NULL, &net, err);
    if (!stream && !*address)
        target_place(t, err);
    if (!stream || !t->starttls || ask_for_tls(stream, t, err))
        return stream;
    (void)hf_close(stream, NULL);
    return NULL;
}

/* Waits for what the stream waits for; deadline in seconds of the monotonic clock, 0: none. */
static bool wait_until(struct dial *d, short more, double deadline, const char *doing,
                       hf_error *err)
{
    int ms = -1;
    if (deadline > 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        double left = deadline - (double)now.tv_sec - (double)now.tv_nsec / 1e9;
        ms = left <= 0 ? 0 : left > 1e6 ? 1000000000 : (int)(left * 1000) + 1;
    }
    struct pollfd p = {.fd = hf_stream_fd(d->stream),
                       .events = (short)(hf_stream_events(d->stream) | more)};
    int n = poll(&p, 1, ms);
    if (n == 0)
        return settings_fail(err, HF_E_TIMEOUT, 0, "%s took longer than %g s", doing,
                             d->timeout);
    if (n < 0 && errno != EINTR)
        return settings_fail(err, HF_E_SYSTEM, errno, "poll: %s", strerror(errno));
    return true;
}

static double deadline_of(const struct dial *d)
{
    struct timespec now;
    if (d->timeout <= 0)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 + d->timeout;
}

/* The stream's own limit for connecting and the handshake holds besides, and a stream looks at the
 * clock only when it is asked: so it is asked once a second. */
static bool handshake(struct dial *d, hf_error *err)
{
    for (;;) {
        int r = hf_stream_handshake(d->stream, err);
        if (r != HF_AGAIN)
            return r == 0;
        struct pollfd p = {.fd = hf_stream_fd(d->stream),
                           .events = hf_stream_events(d->stream)};
        if (poll(&p, 1, 1000) < 0 && errno != EINTR)
            return settings_fail(err, HF_E_SYSTEM, errno, "poll: %s", strerror(errno));
    }
}

/* In the words of the command line. */
static bool not_opened(const struct options *o, const struct target *t, hf_error *err)
{
    target_place(t, err);
    if (o->name && err->code == HF_E_USAGE)
        return settings_fail(err, HF_E_CONFIG, 0,
                             "--name %.100s: that is neither a DNS name nor an address",
                             o->name);
    return false;
}

bool dial_open(struct dial *d, const struct options *o, const struct target *t, hf_error *err)
{
    hf_net_options net = HF_NET_OPTIONS;
    net.non_blocking = true;
    net.connect_timeout = o->timeout;
    net.peer_name = o->name;
    net.session = d->session;
    if (!*d->early_not) {
        net.early_data = d->early;
        net.early_len = d->early_len;
    }
    net.no_session_cache = true; /* one connection per process: the file is the cache */
    if (!named_read(o, &d->named, err) || (d->named && !hf_options_net(d->named, &net, err)))
        return false;
    if (d->config && !settings_freeze(d->config, err))
        return false;
    d->stream = hf_open(t->url, d->config, &net, err);
    if (!d->stream)
        return not_opened(o, t, err);
    if (!handshake(d, err))
        return false;
    if (d->early && !*d->early_not && hf_conn_early_data(dial_conn(d)) == HF_EARLY_NONE)
        snprintf(d->early_not, sizeof d->early_not, "the session could not be offered");
    return true;
}

hf_conn *dial_conn(const struct dial *d)
{
    return d->stream ? hf_stream_conn(d->stream) : NULL;
}

void dial_close(struct dial *d)
{
    hf_error ignored = {0};
    if (d->stream)
        (void)hf_close(d->stream, &ignored);
    hf_session_free(d->session);
    hf_session_free(d->newest);
    hf_config_free(d->config);
    hf_options_free(d->named);
    if (d->early)
        explicit_bzero(d->early, d->early_len);
    free(d->early);
    *d = (struct dial){0};
}

/* ---------------------------------------------------------------- reading and writing */

ptrdiff_t dial_read(struct dial *d, void *out, size_t len, hf_error *err)
{
    double deadline = deadline_of(d);
    for (;;) {
        ptrdiff_t n = hf_read(d->stream, out, len, err);
        if (n != HF_AGAIN)
            return n;
        if (!wait_until(d, POLLIN, deadline, "reading", err))
            return -1;
    }
}

bool dial_write(struct dial *d, const void *p, size_t len, hf_error *err)
{
    double deadline = deadline_of(d);
    for (size_t done = 0; done < len;) {
        ptrdiff_t n = hf_write(d->stream, (const char *)p + done, len - done, err);
        if (n == HF_ERROR_RESULT)
            return false;
        if (n > 0)
            done += (size_t)n;
        else if (!wait_until(d, POLLOUT, deadline, "writing", err))
            return false;
    }
    return dial_flush(d, err);
}

bool dial_flush(struct dial *d, hf_error *err)
{
    double deadline = deadline_of(d);
    for (;;) {
        int r = hf_stream_handshake(d->stream, err);
        if (r != HF_AGAIN)
            return r == 0;
        if (!wait_until(d, 0, deadline, "writing", err))
            return false;
    }
}

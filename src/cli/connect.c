#include "cli/command.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/dial.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/settings.h"

static bool write_all(int fd, const void *p, size_t len)
{
    const char *at = p;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, -1);
            continue;
        }
        if (n < 0 && errno == EPIPE)
            output_reader_gone();
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool body_to_stdout(const void *p, size_t len, void *arg)
{
    (void)arg;
    return write_all(STDOUT_FILENO, p, len);
}

/* ---------------------------------------------------------------- copying both ways */

struct copying {
    struct dial *d;
    hf_error *err;
    char out[16384]; /* from stdin, not taken by the stream yet */
    size_t start, end;
    bool input_ended, peer_ended;
};

/* Peer to stdout, until the stream has no more for now. */
static bool pump_in(struct copying *c)
{
    char buf[16384];
    for (int turns = 0; turns < 64; turns++) {
        ptrdiff_t n = hf_read(c->d->stream, buf, sizeof buf, c->err);
        if (n == HF_AGAIN)
            return true;
        if (n == HF_ERROR_RESULT)
            return false;
        if (n == 0) {
            c->peer_ended = true;
            return true;
        }
        if (!write_all(STDOUT_FILENO, buf, (size_t)n))
            return settings_fail(c->err, HF_E_FILE, errno,
                                 "standard output cannot be written: %s", strerror(errno));
    }
    return true;
}

static bool pump_out(struct copying *c)
{
    while (c->start < c->end) {
        ptrdiff_t n = hf_write(c->d->stream, c->out + c->start, c->end - c->start, c->err);
        if (n == HF_AGAIN)
            return true;
        if (n == HF_ERROR_RESULT)
            return false;
        c->start += (size_t)n;
    }
    return true;
}

static bool read_input(struct copying *c)
{
    ssize_t n = read(STDIN_FILENO, c->out, sizeof c->out);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n > 0) {
        c->start = 0;
        c->end = (size_t)n;
        return pump_out(c);
    }
    c->input_ended = true;
    return hf_shutdown_write(c->d->stream, c->err);
}

/* One turn: wait, then move what can be moved. */
static bool turn(struct copying *c)
{
    bool blocked = c->start < c->end;
    short events = hf_stream_events(c->d->stream);
    struct pollfd p[2] = {
        {.fd = hf_stream_fd(c->d->stream), .events = (short)(events | (blocked ? POLLOUT : 0))},
        {.fd = blocked || c->input_ended ? -1 : STDIN_FILENO, .events = POLLIN},
    };
    int ms = hf_stream_pending(c->d->stream)                ? 0
             : c->d->timeout > 0 && c->d->timeout < 2000000 ? (int)(c->d->timeout * 1000)
                                                            : -1;
    int n = poll(p, 2, ms);
    if (n < 0 && errno != EINTR)
        return settings_fail(c->err, HF_E_SYSTEM, errno, "poll: %s", strerror(errno));
    if (n == 0 && ms > 0)
        return settings_fail(c->err, HF_E_TIMEOUT, 0, "nothing moved for %g s", c->d->timeout);
    /* Drives out what the protocol itself has to send. */
    if (p[0].revents && hf_stream_handshake(c->d->stream, c->err) == HF_ERROR_RESULT)
        return false;
    if (!pump_in(c) || !pump_out(c))
        return false;
    if (n > 0 && p[1].revents && !c->peer_ended)
        return read_input(c);
    return true;
}

static bool copy(struct dial *d, hf_error *err)
{
    struct copying c = {.d = d, .err = err};
    while (!c.peer_ended)
        if (!turn(&c))
            return false;
    return true;
}

/* ---------------------------------------------------------------- the command */

static void show_peer(const struct options *o, const struct target *t, const struct dial *d)
{
    struct text out = {0};
    char address[128];
    if (o->quiet)
        return;
    hf_stream_name(d->stream, true, address, sizeof address);
    report_peer(&out, t->url, address, dial_conn(d), d->session, o->json);
    if (!o->json && *d->early_not)
        text_addf(&out, "  early data   not sent early: %s\n", d->early_not);
    if (text_ok(&out) && out.p)
        fputs(out.p, stderr);
    text_clear(&out);
}

/* Whether the server has asked who we are, once all was said. */
static void show_auth(const struct options *o, const struct dial *d)
{
    const hf_conn *conn = dial_conn(d);
    hf_post_auth state = conn ? hf_conn_post_auth(conn) : HF_POST_AUTH_NONE;
    if (!o->post_auth || o->quiet || o->json)
        return;
    fprintf(stderr, "  asked later    %s\n",
            state == HF_POST_AUTH_DONE && o->cert.count ? "yes, and a certificate was shown"
            : state == HF_POST_AUTH_DONE     ? "yes, and there was no certificate to show"
            : state == HF_POST_AUTH_PENDING  ? "yes, and the answer was not finished"
            : state == HF_POST_AUTH_POSSIBLE ? "no"
                                             : "no: only TLS 1.3 can");
}

static bool converse(struct dial *d, const struct options *o, const struct target *t,
                     hf_error *err)
{
    char status[256];
    if (!dial_send_early(d, err))
        return false;
    if (o->key_update && dial_conn(d)) {
        if (hf_conn_key_update(dial_conn(d), true) == HF_FAILED) {
            *err = *hf_conn_error(dial_conn(d));
            return false;
        }
        if (!dial_flush(d, err))
            return false;
    }
    const char *path = o->get ? o->get : *t->path ? t->path : NULL;
    if (!path)
        return copy(d, err);
    if (!dial_get(d, t->host, path, status, sizeof status, body_to_stdout, NULL, err))
        return false;
    if (!o->quiet && !o->json) {
        struct text line = {0};
        text_plain(&line, status);
        if (text_ok(&line) && line.p)
            fprintf(stderr, "%s\n", line.p);
        text_clear(&line);
    }
    return true;
}

int command_connect(const struct options *o)
{
    struct target t;
    struct dial d = {0};
    hf_error err = {0};
    if (!o->target) {
        fputs("handfast connect: whom to connect to? Give a URL or HOST:PORT\n"
              "Try: handfast help connect\n",
              stderr);
        return EXIT_USAGE;
    }
    if (!target_parse_starttls(&t, "connect", o->target, o->starttls) ||
        !target_get("connect", o->get))
        return EXIT_USAGE;
    if (o->early_data && (!o->session || !t.tls)) {
        fputs("handfast connect: --early-data needs TLS and --session FILE: early data goes "
              "with a session that is resumed\nTry: handfast help connect\n",
              stderr);
        return EXIT_USAGE;
    }
    bool good = dial_prepare(&d, o, &t, &err) && dial_open(&d, o, &t, &err);
    if (good) {
        show_peer(o, &t, &d);
        good = converse(&d, o, &t, &err);
        show_auth(o, &d);
    }
    /* The ticket is worth keeping even if the conversation failed later. */
    hf_error kept = {0};
    bool saved = dial_keep_session(&d, o, &kept);
    int status = good ? EXIT_OK : report_failure(dial_conn(&d), &err, o->json);
    if (!saved)
        status = report_failure(NULL, &kept, o->json);
    dial_close(&d);
    return status;
}

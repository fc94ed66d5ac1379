#include "cli/guest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/http.h"
#include "cli/report.h"
#include "cli/settings.h"

enum { CHUNK = 16384, TURNS = 16 };

/* ---------------------------------------------------------------- the log */

static void log_json(struct text *line, const struct guest *g, const char *event,
                     const char *what, const hf_error *err)
{
    text_addf(line, "{\"connection\":%lu,\"event\":\"%s\",\"address\":", g->number, event);
    text_json(line, g->address);
    if (what) {
        text_add(line, ",\"what\":");
        text_json(line, what);
    }
    const hf_conn *conn = hf_stream_conn(g->stream);
    if (strcmp(event, "open") == 0 && conn) {
        text_addf(
            line,
            ",\"version\":\"%s\",\"suite\":\"%s\",\"group\":\"%s\",\"resumed\":%s,\"server_name\":",
            hf_version_name(hf_conn_version(conn)), hf_suite_name(hf_conn_suite(conn)),
            hf_conn_group(conn) ? hf_group_name(hf_conn_group(conn)) : "",
            hf_conn_resumed(conn) ? "true" : "false");
        text_json(line, hf_conn_server_name(conn));
        report_old_json(line, conn);
        report_early_json(line, conn);
    }
    if (err) {
        char text[1024];
        hf_error_line(err, text, sizeof text);
        text_addf(line, ",\"code\":\"%s\",\"error\":", hf_code_name(err->code));
        text_json(line, text);
    }
    text_add(line, "}\n");
}

static void log_line(struct text *line, const struct guest *g, const char *event,
                     const char *what, const hf_error *err)
{
    text_addf(line, "#%lu %s ", g->number, g->address);
    const hf_conn *conn = hf_stream_conn(g->stream);
    if (strcmp(event, "open") == 0) {
        report_agreed(line, conn);
        if (conn && hf_conn_server_name(conn)) {
            text_add(line, ", for ");
            text_plain(line, hf_conn_server_name(conn));
        }
        if (conn && hf_conn_peer_certificate(conn, 0)) {
            text_add(line, ", client ");
            text_plain(line, hf_certificate_subject(hf_conn_peer_certificate(conn, 0)));
        } else if (conn && hf_conn_peer_raw_key(conn, NULL)) {
            text_add(line, ", client key ");
            text_hex(line, hf_conn_peer_key_sha256(conn), 32);
        }
    } else if (err) {
        char text[1024];
        hf_error_line(err, text, sizeof text);
        text_plain(line, text);
    }
    if (what)
        text_plain(line, what);
    text_add(line, "\n");
}

void guest_log(const struct guest *g, const char *event, const char *what, const hf_error *err)
{
    struct text line = {0};
    if (g->house->o->quiet && !err)
        return;
    if (g->house->o->json)
        log_json(&line, g, event, what, err);
    else
        log_line(&line, g, event, what, err);
    if (text_ok(&line) && line.p)
        fputs(line.p, stderr);
    text_clear(&line);
}

/* ---------------------------------------------------------------- coming and going */

struct guest *guest_new(struct house *house, hf_stream *stream)
{
    struct guest *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->house = house;
    g->stream = stream;
    g->file = -1;
    g->number = ++house->arrived;
    hf_stream_name(stream, true, g->address, sizeof g->address);
    hf_conn *conn = hf_stream_conn(stream);
    if (!house->o->show || !conn)
        return g;
    g->recording = calloc(1, sizeof *g->recording);
    if (!g->recording) {
        free(g);
        return NULL;
    }
    /* One connection may not fill the memory with what it says. */
    g->recording->limit = (size_t)1 << 20;
    hf_conn_set_user(conn, g);
    return g;
}

void guest_free(struct guest *g)
{
    hf_error ignored = {0};
    if (!g)
        return;
    (void)hf_close(g->stream, &ignored);
    if (g->file >= 0)
        close(g->file);
    if (g->recording)
        recording_clear(g->recording);
    free(g->recording);
    text_clear(&g->in);
    text_clear(&g->out);
    free(g);
}

static enum guest_wants failed(struct guest *g, const hf_error *err)
{
    g->house->failed++;
    guest_log(g, "error", NULL, err);
    return GUEST_GONE;
}

void guest_timed_out(struct guest *g, double seconds)
{
    hf_error err;
    if (g->state == GUEST_HANDSHAKE) {
        settings_fail(&err, HF_E_TIMEOUT, 0, "the handshake took longer than %g s", seconds);
        failed(g, &err);
    } else if (g->state == GUEST_OPEN) {
        char what[80];
        snprintf(what, sizeof what, "closed after %g s of silence", seconds);
        guest_log(g, "idle", what, NULL);
    }
}

/* ---------------------------------------------------------------- moving bytes */

/* GUEST_WAIT: the socket is full. GUEST_AGAIN: nothing is left to send. */
static enum guest_wants flush(struct guest *g, hf_error *err)
{
    while (g->out_sent < g->out.len) {
        ptrdiff_t n =
            hf_write(g->stream, g->out.p + g->out_sent, g->out.len - g->out_sent, err);
        if (n == HF_AGAIN)
            return GUEST_WAIT;
        if (n == HF_ERROR_RESULT)
            return GUEST_GONE;
        g->out_sent += (size_t)n;
    }
    text_clear(&g->out);
    g->out_sent = 0;
    return GUEST_AGAIN;
}

/* The next piece of a file. A file that has shrunk meanwhile cannot be told otherwise than by an
 * end in the middle. */
static bool next_piece(struct guest *g, hf_error *err)
{
    char buf[CHUNK];
    size_t want = g->file_left < sizeof buf ? (size_t)g->file_left : sizeof buf;
    ssize_t n = want ? read(g->file, buf, want) : 0;
    if (n > 0) {
        text_add_bytes(&g->out, buf, (size_t)n);
        g->file_left -= (uint64_t)n;
    }
    if (n > 0 && g->file_left)
        return true;
    close(g->file);
    g->file = -1;
    if (g->file_left == 0)
        return true;
    g->file_left = 0;
    return settings_fail(err, HF_E_FILE, n < 0 ? errno : 0,
                         "a file became shorter while it was sent");
}

static enum guest_wants receive(struct guest *g, hf_error *err)
{
    char buf[CHUNK];
    ptrdiff_t n = hf_read(g->stream, buf, sizeof buf, err);
    if (n == HF_AGAIN)
        return GUEST_WAIT;
    if (n == HF_ERROR_RESULT)
        return GUEST_GONE;
    if (n == 0)
        g->peer_ended = true;
    else if (g->state == GUEST_OPEN)
        text_add_bytes(&g->in, buf, (size_t)n);
    return GUEST_AGAIN;
}

static void remove_input(struct guest *g, size_t n)
{
    if (n == g->in.len) {
        text_clear(&g->in);
        return;
    }
    memmove(g->in.p, g->in.p + n, g->in.len - n);
    g->in.len -= n;
    g->in.p[g->in.len] = '\0';
}

static bool echo(struct guest *g)
{
    if (g->in.len == 0)
        return false;
    text_clear(&g->out);
    g->out = g->in;
    g->in = (struct text){0};
    return true;
}

/* Lines are reversed; the line end stays at the end. What comes without one waits, up to a limit. */
static bool reverse(struct guest *g)
{
    const char *newline = g->in.len ? memchr(g->in.p, '\n', g->in.len) : NULL;
    bool whole = newline || g->peer_ended || g->in.len >= CHUNK;
    if (!whole || g->in.len == 0)
        return false;
    size_t size = newline ? (size_t)(newline - g->in.p) + 1 : g->in.len, n = size;
    while (n && (g->in.p[n - 1] == '\n' || g->in.p[n - 1] == '\r'))
        n--;
    for (size_t i = n; i-- > 0;)
        text_add_bytes(&g->out, g->in.p + i, 1);
    text_add_bytes(&g->out, g->in.p + n, size - n);
    remove_input(g, size);
    return true;
}

/* Early data has come, and its answer goes out before the handshake is done. */
static bool in_handshake(const struct guest *g)
{
    const hf_conn *conn = hf_stream_conn(g->stream);
    return conn && (hf_conn_wants(conn) & HF_IN_HANDSHAKE);
}

/* Pages about the connection need to know what was agreed. All else that is done here may be done twice (RFC
 * 8470 3). */
static bool may_answer(const struct guest *g)
{
    const struct options *o = g->house->o;
    return o->echo || o->reverse || g->house->root >= 0 || !in_handshake(g);
}

static bool answer(struct guest *g)
{
    if (!may_answer(g))
        return false;
    if (g->house->o->echo)
        return echo(g);
    if (g->house->o->reverse)
        return reverse(g);
    return !g->last_answer && answer_request(g);
}

/* Says the last word; the socket closes when the peer has said its own. */
static enum guest_wants leave(struct guest *g, hf_error *err)
{
    g->state = GUEST_LEAVING;
    text_clear(&g->in);
    return hf_shutdown_write(g->stream, err) ? GUEST_AGAIN : GUEST_GONE;
}

static enum guest_wants receive_early(struct guest *g, hf_error *err)
{
    enum guest_wants w = receive(g, err);
    return w == GUEST_WAIT && !in_handshake(g) ? GUEST_AGAIN : w;
}

static enum guest_wants step_open(struct guest *g, hf_error *err)
{
    if (!g->announced && !in_handshake(g)) {
        g->announced = true;
        guest_log(g, "open", NULL, NULL);
    }
    enum guest_wants w = flush(g, err);
    if (w != GUEST_AGAIN)
        return w;
    if (g->file >= 0)
        return next_piece(g, err) ? GUEST_AGAIN : GUEST_GONE;
    if (answer(g))
        return text_ok(&g->in) && text_ok(&g->out)
                   ? GUEST_AGAIN
                   : (settings_fail(err, HF_E_NO_MEMORY, 0, "for a connection"), GUEST_GONE);
    if (in_handshake(g))
        return receive_early(g, err);
    if (g->last_answer || g->peer_ended)
        return leave(g, err);
    w = receive(g, err);
    /* Its answer to our question is no data, but the request that waits for it can be answered now. */
    bool told = g->asked && hf_conn_post_auth(hf_stream_conn(g->stream)) == HF_POST_AUTH_DONE;
    return w == GUEST_WAIT && told ? GUEST_AGAIN : w;
}

static enum guest_wants step_leaving(struct guest *g, hf_error *err)
{
    int r = hf_stream_handshake(g->stream, err); /* drives out what is still to be sent */
    if (r == HF_ERROR_RESULT)
        return GUEST_GONE;
    if (r == HF_AGAIN)
        return GUEST_WAIT;
    return g->peer_ended ? GUEST_GONE : receive(g, err);
}

static enum guest_wants step_handshake(struct guest *g, hf_error *err)
{
    int r = hf_stream_handshake(g->stream, err);
    if (r == HF_AGAIN)
        return GUEST_WAIT;
    if (r == HF_ERROR_RESULT)
        return GUEST_GONE;
    g->state = GUEST_OPEN;
    return GUEST_AGAIN;
}

/* Browsers drop idle connections without a word: between two requests nothing is lost by it. */
static bool is_idle_end(const struct guest *g, const hf_error *err)
{
    bool http = !g->house->o->echo && !g->house->o->reverse;
    bool dropped = err->code == HF_E_TRUNCATED || err->os_errno == ECONNRESET;
    return http && dropped && g->state == GUEST_OPEN && g->in.len == 0 && g->out.len == 0 &&
           g->file < 0;
}

/* What a peer still sends would, unread, reset the connection, and a reset can destroy the alert on its
 * way: so it is read and dropped until the peer has seen the end, or the time for leaving is over. */
static enum guest_wants step_refused(struct guest *g)
{
    char sink[CHUNK];
    ssize_t n = recv(hf_stream_fd(g->stream), sink, sizeof sink, MSG_DONTWAIT);
    if (n > 0)
        return GUEST_AGAIN;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? GUEST_WAIT : GUEST_GONE;
}

static enum guest_wants refuse(struct guest *g)
{
    g->state = GUEST_REFUSED;
    text_clear(&g->in);
    text_clear(&g->out);
    if (shutdown(hf_stream_fd(g->stream), SHUT_WR) != 0)
        return GUEST_GONE;
    return step_refused(g);
}

enum guest_wants guest_run(struct guest *g)
{
    for (int turns = 0; turns < TURNS; turns++) {
        hf_error err = {0};
        enum guest_wants w = GUEST_GONE;
        enum guest_state state = g->state;
        switch (state) {
        case GUEST_HANDSHAKE: w = step_handshake(g, &err); break;
        case GUEST_OPEN: w = step_open(g, &err); break;
        case GUEST_LEAVING: w = step_leaving(g, &err); break;
        case GUEST_REFUSED: return step_refused(g);
        }
        /* A peer that hangs up after everything was said has done nothing wrong. */
        if (w == GUEST_GONE && is_idle_end(g, &err)) {
            guest_log(g, "close", "left without close_notify", NULL);
            return w;
        }
        if (w == GUEST_GONE && err.code != HF_OK && state != GUEST_LEAVING) {
            (void)failed(g, &err);
            if (!err.alert_received && err.fault == HF_FAULT_PEER)
                return refuse(g);
            return w;
        }
        if (w != GUEST_AGAIN)
            return w;
    }
    return GUEST_AGAIN;
}

uint32_t guest_events(const struct guest *g)
{
    short events = hf_stream_events(g->stream);
    if (g->state == GUEST_REFUSED)
        return EPOLLIN;
    /* While the peer does not take our answer, its next request may wait in the socket. */
    if (g->state == GUEST_OPEN && g->out_sent < g->out.len)
        return EPOLLOUT;
    return (events & POLLIN ? (uint32_t)EPOLLIN : 0) |
           (events & POLLOUT ? (uint32_t)EPOLLOUT : 0);
}

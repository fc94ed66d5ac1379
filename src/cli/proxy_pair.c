#define _GNU_SOURCE
#include "cli/proxy_pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/proxy_header.h"
#include "cli/proxy_worker.h"

/* So much at a time, before others have their turn. */
enum { TURN = 512 * 1024 };

/* ---------------------------------------------------------------- beginning */

static bool begin_client(struct pair *p, int fd)
{
    struct worker *w = p->w;
    hf_error err = {0};
    hf_conn *conn = w->setup->server ? hf_conn_new_server(w->setup->server, &err) : NULL;
    if (w->setup->server && !conn)
        return false;
    end_init(&p->client, fd, conn);
    return worker_watch(w, &p->client);
}

struct pair *pair_new(struct worker *w, int fd, const union place_address *from)
{
    struct pair *p = calloc(1, sizeof *p);
    if (!p) {
        close(fd);
        return NULL;
    }
    p->w = w;
    p->client.pair = p->backend.pair = p;
    p->client.fd = p->backend.fd = -1;
    p->address = w->address;
    p->began = (uint64_t)(w->now * 1000);
    p->from.any.sa_family = from->any.sa_family;
    if (from->any.sa_family != AF_UNIX)
        memcpy(&p->from, from, sizeof p->from);
    if (begin_client(p, fd))
        return p;
    if (p->client.fd < 0)
        close(fd);
    pair_free(p);
    return NULL;
}

void pair_free(struct pair *p)
{
    end_free(&p->client, false);
    end_free(&p->backend, p->reset);
    free(p);
}

void pair_name(const struct pair *p, char *out, size_t size)
{
    union place_address a = {0};
    if (p->from.any.sa_family == AF_UNIX)
        a.any.sa_family = AF_UNIX;
    else
        memcpy(&a, &p->from, sizeof p->from);
    place_address_text(&a, out, size);
}

/* ---------------------------------------------------------------- leaving */

/* The client's end is closed so that what was sent to it arrives: while it sends, a close would be a reset, which
 * may overtake the last bytes. */
static enum pair_wants leave(struct pair *p)
{
    p->state = PAIR_LEAVING;
    if (p->backend.fd >= 0 && !p->reset && (p->backend.fin_sent || p->backend.mute))
        end_close(&p->backend, false);
    return PAIR_WAITS;
}

static enum pair_wants run_leaving(struct pair *p)
{
    struct end *e = &p->client, *b = &p->backend;
    if (e->fd >= 0)
        end_flush(e);
    if (e->fd >= 0 && (e->fin_sent || e->mute) && end_discard(e))
        end_close(e, false);
    if (b->fd >= 0 && !b->mute)
        end_flush(b);
    if (b->fd >= 0 && (b->mute || (!pbuf_len(&b->out) && end_unsent(b) == 0) || end_discard(b)))
        end_close(b, p->reset);
    return e->fd < 0 && b->fd < 0 ? PAIR_GONE : PAIR_WAITS;
}

/* The client gets a clean end, and the backend, if there is one. */
static enum pair_wants end_well(struct pair *p, const char *outcome)
{
    p->outcome = outcome;
    end_drop(&p->client);
    end_drop(&p->backend);
    end_finish(&p->client, true);
    if (p->backend.fd >= 0)
        end_finish(&p->backend, true);
    leave(p);
    return run_leaving(p);
}

/* One end was cut: the other one learns that it was. */
static enum pair_wants end_cut(struct pair *p, const char *outcome)
{
    p->outcome = outcome;
    end_drop(&p->client);
    end_drop(&p->backend);
    end_finish(&p->client, false);
    if (p->backend.fd >= 0) {
        p->reset = !p->backend.conn;
        if (p->backend.conn)
            end_finish(&p->backend, false);
    }
    leave(p);
    return run_leaving(p);
}

/* ---------------------------------------------------------------- the backend */

static enum pair_wants no_backend(struct pair *p, const char *why)
{
    struct worker *w = p->w;
    char url[400];
    board_add(&w->counts->backend_failed, 1);
    if (board_down(w->board)) {
        seek_ask(w->seek);
        place_url(&w->setup->to, url, sizeof url);
        log_say(
            &w->log, "backend-down",
            "backend %s: %s; clients get an end, and this is not said again until it is back",
            url, why);
    }
    return end_well(p, "no backend");
}

static void have_backend(struct pair *p)
{
    struct worker *w = p->w;
    double seconds = 0;
    uint64_t lost = board_up(w->board, &seconds);
    char url[400];
    w->address = p->address;
    if (!lost)
        return;
    place_url(&w->setup->to, url, sizeof url);
    log_say(&w->log, "backend-up",
            "backend %s is back after %.1f s; %llu connections found none", url, seconds,
            (unsigned long long)lost);
}

/* Tries addresses until one may be connecting; false: none is left, and errno says of the last why. */
static bool dial(struct pair *p)
{
    struct worker *w = p->w;
    const struct place *to = &w->setup->to;
    for (; p->tries < to->count; p->tries++, p->address++) {
        p->address %= to->count;
        int fd = place_connect(to, p->address);
        if (fd < 0)
            continue;
        end_init(&p->backend, fd, NULL);
        if (worker_watch(w, &p->backend))
            return true;
        end_close(&p->backend, false);
    }
    return false;
}

static enum pair_wants connect_backend(struct pair *p)
{
    p->state = PAIR_CONNECTING;
    board_add(&p->w->counts->backend, 1);
    return dial(p) ? PAIR_AGAIN : no_backend(p, strerror(errno));
}

static enum pair_wants run_connecting(struct pair *p)
{
    int why = 0;
    socklen_t len = sizeof why;
    struct end *b = &p->backend;
    if (!b->writable && !b->hung)
        return PAIR_WAITS;
    getsockopt(b->fd, SOL_SOCKET, SO_ERROR, &why, &len);
    if (why != 0) {
        end_close(b, false);
        *b = (struct end){.pair = p, .fd = -1};
        p->tries++;
        p->address++;
        return dial(p) ? PAIR_WAITS : no_backend(p, strerror(why));
    }
    hf_error err = {0};
    if (p->w->setup->o.proxy_protocol && !header_put(p))
        return no_backend(p, "no memory");
    if (p->w->setup->client) {
        b->conn = hf_conn_new_client(p->w->setup->client, p->w->setup->to_name, &err);
        if (!b->conn)
            return no_backend(p, err.detail);
        worker_offer_session(p->w, p);
    }
    p->state = b->conn ? PAIR_GREETING : PAIR_OPEN;
    if (!b->conn)
        have_backend(p);
    return PAIR_AGAIN;
}

static enum pair_wants run_greeting(struct pair *p)
{
    struct end *b = &p->backend;
    char line[512];
    end_flush(b);
    if (!b->count)
        end_fetch(b);
    end_flush(b);
    if (end_shaken(b)) {
        have_backend(p);
        p->state = PAIR_OPEN;
        return PAIR_AGAIN;
    }
    if (!b->broken && !b->ended && !b->mute)
        return PAIR_WAITS;
    const hf_error *err = hf_conn_error(b->conn);
    if (err)
        hf_error_line(err, line, sizeof line);
    else
        snprintf(line, sizeof line, "%s", b->why ? strerror(b->why) : "it closed at once");
    return no_backend(p, line);
}

/* ---------------------------------------------------------------- the client's handshake */

static enum pair_wants refuse(struct pair *p)
{
    struct worker *w = p->w;
    const hf_error *err = hf_conn_error(p->client.conn);
    char name[64];
    p->outcome = "handshake failed";
    board_add(&w->counts->failed_handshakes, 1);
    pair_name(p, name, sizeof name);
    /* Who connects and goes is nobody's fault: load balancers look whether we are there. */
    if (err && err->code != HF_E_HANDSHAKE_CUT)
        log_failure(&w->log, name, err, w->now);
    p->client.fin_wanted = true;
    leave(p);
    return run_leaving(p);
}

static enum pair_wants run_shaking(struct pair *p)
{
    struct end *c = &p->client;
    if (c->conn) {
        end_fetch(c);
        end_flush(c);
        if (c->broken || c->ended || c->mute)
            return refuse(p);
        if (!end_shaken(c))
            return PAIR_WAITS;
        board_add(&p->w->counts->handshakes, 1);
        if (hf_conn_resumed(c->conn))
            board_add(&p->w->counts->resumed, 1);
    }
    p->shaken = true;
    return connect_backend(p);
}

/* ---------------------------------------------------------------- the conversation */

/* Moves what can be moved one way; how many bytes. */
static size_t flow(struct end *from, struct end *to)
{
    enum end_flush f = end_flush(to);
    if (f == END_BLOCKED)
        return 0;
    if (f == END_DEAD) {
        end_drop(from);
        return 0;
    }
    if (!from->count)
        end_fetch(from);
    if (from->count)
        return end_give(from, to);
    if (from->ended && !to->fin_wanted)
        end_finish(to, true);
    return 0;
}

/* Nothing more comes from here, or nobody takes it. */
static bool done(const struct end *from, const struct end *to)
{
    return (from->ended && to->fin_sent) || to->mute;
}

/* It was cut, and all that came before has been passed on. */
static bool cut(const struct end *from, const struct end *to)
{
    return from->broken && !from->count && (!pbuf_len(&to->out) || to->mute);
}

static enum pair_wants run_open(struct pair *p)
{
    struct end *c = &p->client, *b = &p->backend;
    size_t moved = 1, turn = 0;
    while (moved && turn < TURN) {
        moved = flow(c, b);
        moved += flow(b, c);
        turn += moved;
    }
    if (turn)
        worker_moved(p->w, p);
    end_flush(c); /* what the connection itself has to say: an alert, new keys */
    if (cut(c, b) || cut(b, c))
        return end_cut(p, cut(c, b) ? "cut by the client" : "cut by the backend");
    if (done(c, b) && done(b, c)) {
        if (!c->mute && !b->mute)
            return PAIR_GONE;
        p->outcome = "cut by the receiver";
        c->fin_wanted = b->fin_wanted = true;
        leave(p);
        return run_leaving(p);
    }
    return moved ? PAIR_AGAIN : PAIR_WAITS;
}

/* ---------------------------------------------------------------- what the worker calls */

static enum pair_wants step(struct pair *p)
{
    switch (p->state) {
    case PAIR_SHAKING: return run_shaking(p);
    case PAIR_CONNECTING: return run_connecting(p);
    case PAIR_GREETING: return run_greeting(p);
    case PAIR_OPEN: return run_open(p);
    case PAIR_LEAVING: return run_leaving(p);
    }
    return PAIR_GONE;
}

enum pair_wants pair_run(struct pair *p)
{
    enum pair_state before;
    enum pair_wants w;
    do {
        before = p->state;
        w = step(p);
    } while (p->state != before && p->state != PAIR_LEAVING && w == PAIR_AGAIN);
    return w;
}

/* Somebody is owed bytes that came: an end now is not the end that the other side had in mind. */
static bool is_owed(const struct pair *p)
{
    const struct end *c = &p->client, *b = &p->backend;
    return p->state == PAIR_OPEN && (c->count || b->count || pbuf_len(&c->out) ||
                                     pbuf_len(&b->out) || end_unsent(c) > 0);
}

enum pair_wants pair_timed_out(struct pair *p)
{
    static const char *const outcomes[] = {"handshake timed out", "backend timed out",
                                           "backend timed out", "idle"};
    enum pair_state state = p->state;
    if (state == PAIR_LEAVING)
        return PAIR_GONE;
    board_add(&p->w->counts->timeouts, 1);
    if (state == PAIR_CONNECTING || state == PAIR_GREETING)
        return no_backend(p, state == PAIR_CONNECTING ? "no answer to a connection in time"
                                                      : "its TLS handshake takes too long");
    return is_owed(p) ? end_cut(p, outcomes[state]) : end_well(p, outcomes[state]);
}

void pair_stop(struct pair *p)
{
    const struct worker *w = p->w;
    if (p->state == PAIR_LEAVING)
        return;
    /* What moved a moment ago would have gone on. */
    double moved = p->deadline - w->limit[PAIR_OPEN];
    bool notify = !is_owed(p) && (p->state != PAIR_OPEN || w->now - moved > 1);
    p->outcome = "stopped";
    end_finish(&p->client, notify);
    if (p->backend.fd >= 0 && !notify && !p->backend.conn)
        p->reset = true;
    else if (p->backend.fd >= 0)
        end_finish(&p->backend, notify);
}

/* ---------------------------------------------------------------- the access log */

static void log_tls_json(struct text *t, const hf_conn *conn)
{
    size_t len = 0;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    text_addf(t, ",\"version\":\"%s\",\"suite\":\"%s\",\"resumed\":%s,\"server_name\":",
              hf_version_name(hf_conn_version(conn)), hf_suite_name(hf_conn_suite(conn)),
              hf_conn_resumed(conn) ? "true" : "false");
    text_json(t, hf_conn_server_name(conn));
    text_add(t, ",\"alpn\":");
    if (alpn)
        text_json_bytes(t, alpn, len);
    else
        text_add(t, "null");
}

static void log_tls(struct text *t, const hf_conn *conn)
{
    size_t len = 0;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    const char *name = hf_conn_server_name(conn);
    text_addf(t, ", %s, %s%s", hf_version_name(hf_conn_version(conn)),
              hf_suite_name(hf_conn_suite(conn)), hf_conn_resumed(conn) ? ", resumed" : "");
    if (name) {
        text_add(t, ", name ");
        text_plain(t, name);
    }
    if (alpn) {
        text_add(t, ", ALPN ");
        text_plain_bytes(t, alpn, len);
    }
}

void pair_log(const struct pair *p)
{
    struct worker *w = p->w;
    struct text *t = &w->log.lines;
    char name[64], backend[160] = "";
    unsigned long long in = p->client.received, out = p->client.sent;
    double seconds = w->now - (double)p->began / 1000;
    const char *outcome = p->outcome ? p->outcome : "closed";
    const hf_conn *tls = p->shaken ? p->client.conn : NULL;
    if (w->log.access < 0)
        return;
    pair_name(p, name, sizeof name);
    place_address_text(&w->setup->to.a[p->address % w->setup->to.count], backend,
                       sizeof backend);
    text_add(t, w->log.json ? "{\"event\":\"connection\",\"time\":\"" : "");
    text_date(t, (int64_t)worker_wall(w));
    if (w->log.json) {
        text_addf(t, "\",\"client\":\"%s\",\"backend\":\"%s\"", name, backend);
        if (tls)
            log_tls_json(t, tls);
        text_addf(t, ",\"received\":%llu,\"sent\":%llu,\"seconds\":%.3f,\"outcome\":\"%s\"}\n",
                  in, out, seconds, outcome);
        return;
    }
    text_addf(t, " %s to %s", name, backend);
    if (tls)
        log_tls(t, tls);
    text_addf(t, ", %llu bytes received, %llu sent, %.3f s, %s\n", in, out, seconds, outcome);
}

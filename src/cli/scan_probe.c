/* scan_probe.c: one connection, one hello, one answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes/names.h"
#include "cli/dial.h"
#include "cli/scan_flight.h"
#include "cli/scan_hello.h"

enum {
    STRIKES = 6,    /* so many failed connections in a row: the server has shut us out */
    ENOUGH = 150,   /* encrypted bytes behind a ServerHello that an alert never has */
    PAUSE_MS = 150, /* before a connection is tried again */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set_what(struct answer *a, enum answer_kind kind, const char *what)
{
    a->kind = kind;
    snprintf(a->what, sizeof a->what, "%s", what);
}

void answer_clear(struct answer *a)
{
    free(a->certificates);
    *a = (struct answer){0};
}

const char *answer_words(const struct answer *a, char out[ANSWER_WORDS])
{
    switch (a->kind) {
    case ANSWER_NONE: return "not asked";
    case ANSWER_HELLO:
        snprintf(out, ANSWER_WORDS, "answered with %s", name_version(a->version));
        return out;
    case ANSWER_ALERT:
        snprintf(out, ANSWER_WORDS, "alert %s", name_alert(a->alert));
        return out;
    case ANSWER_CLOSED: return "closed the connection";
    case ANSWER_RESET: return "broke the connection off";
    case ANSWER_SILENT: return "no answer in time";
    case ANSWER_NO_DOOR:
    case ANSWER_STRANGE: snprintf(out, ANSWER_WORDS, "%.200s", a->what); return out;
    }
    return "";
}

/* ---------------------------------------------------------------- connecting */

static void pause_a_little(void)
{
    struct timespec t = {.tv_nsec = PAUSE_MS * 1000000L};
    nanosleep(&t, NULL);
}

static void count_failure(struct scan *s, struct answer *out, const hf_error *err)
{
    char line[160];
    hf_error_line(err, line, sizeof line);
    set_what(out, err->code == HF_E_TIMEOUT ? ANSWER_SILENT : ANSWER_NO_DOOR, line);
    atomic_fetch_add(&s->failures, 1);
    if (atomic_fetch_add(&s->strikes, 1) + 1 >= STRIKES)
        atomic_store(&s->gave_up, true);
}

hf_stream *scan_stream(struct scan *s, struct answer *out)
{
    hf_error err = {0};
    for (int attempt = 0; attempt < 2; attempt++) {
        if (atomic_load(&s->gave_up)) {
            set_what(out, ANSWER_NO_DOOR, "the server takes no more connections");
            return NULL;
        }
        double before = now();
        atomic_fetch_add(&s->connections, 1);
        hf_stream *stream = dial_plain(s->t, s->url, s->timeout, &err);
        if (stream) {
            out->connect_time = now() - before;
            atomic_store(&s->strikes, 0);
            return stream;
        }
        /* Before the first connection there is nobody to be polite to. */
        if (!s->r->address[0])
            break;
        pause_a_little();
    }
    count_failure(s, out, &err);
    return NULL;
}

/* ---------------------------------------------------------------- asking */

static bool send_hello(hf_stream *stream, struct buffer *hello, struct answer *out)
{
    hf_error err = {0};
    if (hf_write(stream, buffer_front(hello), buffer_len(hello), &err) >= 0)
        return true;
    set_what(out, err.code == HF_E_TIMEOUT ? ANSWER_SILENT : ANSWER_RESET, "");
    return false;
}

/* The end of the connection, where the answer should be. */
static void no_answer(struct answer *a, ptrdiff_t n, const hf_error *err)
{
    if (a->kind != ANSWER_NONE)
        return;
    if (n == 0 || err->code == HF_E_TRUNCATED)
        a->kind = ANSWER_CLOSED;
    else
        a->kind = err->code == HF_E_TIMEOUT ? ANSWER_SILENT : ANSWER_RESET;
}

static void read_answer(struct scan *s, hf_stream *stream, struct flight *f, double deadline)
{
    uint8_t in[8192];
    bool more = true;
    while (more) {
        hf_error err = {0};
        double left = deadline - now();
        if (left <= 0) {
            no_answer(f->a, -1, &(hf_error){.code = HF_E_TIMEOUT});
            return;
        }
        hf_stream_set_timeout(stream, left);
        ptrdiff_t n = hf_read(stream, in, sizeof in, &err);
        if (n <= 0) {
            no_answer(f->a, n, &err);
            return;
        }
        more = flight_feed(f, in, (size_t)n) && f->a->encrypted < ENOUGH;
    }
    (void)s;
}

/* Whoever leaves says so (RFC 5246 7.2.1), so that no server's log is full of broken connections. */
static void leave(hf_stream *stream, const struct answer *a)
{
    uint8_t v = a->version < HF_TLS1_2 ? (uint8_t)a->version : 3;
    const uint8_t canceled[] = {21, 3, v, 0, 2, 1, 90, 21, 3, v, 0, 2, 1, 0};
    hf_error ignored = {0};
    ptrdiff_t n = 0;
    if (a->kind == ANSWER_HELLO && a->version >= 0x0300 && a->encrypted == 0)
        n = hf_write(stream, canceled, sizeof canceled, &ignored);
    (void)n;
    (void)hf_close(stream, &ignored);
}

static void ask(struct scan *s, struct buffer *hello, struct flight *f)
{
    struct answer *out = f->a;
    if (!buffer_front(hello)) {
        set_what(out, ANSWER_STRANGE, "no memory for the hello");
        return;
    }
    hf_stream *stream = scan_stream(s, out);
    if (!stream)
        return;
    double before = now();
    hf_stream_set_timeout(stream, s->timeout);
    if (send_hello(stream, hello, out))
        read_answer(s, stream, f, before + s->timeout);
    out->hello_time = now() - before;
    leave(stream, out);
}

void scan_ask(struct scan *s, const struct hello *h, bool flight, struct answer *out)
{
    struct buffer hello = {0};
    *out = (struct answer){0};
    struct flight f = {.a = out, .whole = flight};
    if (!hello_write(h, &hello))
        buffer_clear(&hello);
    ask(s, &hello, &f);
    flight_clear(&f);
    buffer_clear(&hello);
}

void scan_ask_ssl2(struct scan *s, struct answer *out)
{
    struct buffer hello = {0};
    *out = (struct answer){0};
    struct flight f = {.a = out,
                       .ssl2 = true,
                       .specs = &s->r->ssl2_specs,
                       .specs_high = &s->r->ssl2_specs_high};
    if (!hello_write_ssl2(&hello))
        buffer_clear(&hello);
    ask(s, &hello, &f);
    flight_clear(&f);
    buffer_clear(&hello);
}

/* wait.c: waiting for several streams at once. */
#include <errno.h>

#include "net/stream.h"

#define FEW       32
#define LINE_MOST ((size_t)64 * 1024)
#define BROKEN    (POLLERR | POLLHUP | POLLNVAL)
#define ALL       (HF_WAIT_READ | HF_WAIT_WRITE | HF_WAIT_LINE | HF_WAIT_OOB)

/* ---------------------------------------------------------------- one stream */

/* What can be read is known without the socket: data, or that there will be none. */
static bool reads_now(const hf_stream *s)
{
    return s->read_shut || stream_has_data(s) || s->read_ended || s->read_failed ||
           s->read_errno;
}

static bool is_plain(const hf_stream *s)
{
    return s->ops == s->transport->ops;
}

/* Goes on with what the handshake is waiting for. */
static unsigned open_more(hf_stream *s, unsigned want)
{
    int r = stream_open(s, DEADLINE_NOW, NULL);

    if (r != 0 && s->waits_answer)
        return HF_WAIT_QUESTION;
    return r == -1 ? want : 0;
}

static bool line_buffered(const hf_stream *s)
{
    size_t n = buffer_len(&s->unread);

    return n + s->data_len >= LINE_MOST || (n && memchr(buffer_front(&s->unread), '\n', n)) ||
           (s->data_len && memchr(s->data, '\n', s->data_len));
}

/* Fetches until a line is whole: what came before it goes to where hf_read_line keeps its parts. Without
 * memory for that, hf_read_line is the one to say so. */
static bool line_now(hf_stream *s)
{
    for (;;) {
        if (line_buffered(s) || s->read_shut || s->read_ended || s->read_failed ||
            s->read_errno)
            return true;
        if (s->data_len) {
            if (!buffer_append(&s->unread, s->data, s->data_len))
                return true;
            s->data += s->data_len;
            s->data_len = 0;
            s->ops->ahead(s);
            continue;
        }
        if (s->ops->fill(s, DEADLINE_NOW, NULL) == HF_AGAIN)
            return false;
        if (s->waits_answer)
            return false;
    }
}

/* Sends what waits to be sent. True if the writing half has something to tell: room, or its end. */
static bool flush_now(hf_stream *s)
{
    bool done;

    if (pthread_mutex_trylock(&s->writing) != 0)
        return false;
    done = s->write_closed || s->ops->flush(s) != 0;
    pthread_mutex_unlock(&s->writing);
    return done;
}

/* What is there before the socket is asked. */
static unsigned stream_before(hf_stream *s, unsigned want)
{
    unsigned ready = 0;

    if (!s->ready) {
        ready = open_more(s, want);
        if (!s->ready)
            return ready;
    }
    if ((want & HF_WAIT_READ) && reads_now(s))
        ready |= HF_WAIT_READ;
    if ((want & HF_WAIT_LINE) && stream_has_data(s) && line_buffered(s))
        ready |= HF_WAIT_LINE;
    if ((want & HF_WAIT_LINE) && !stream_has_data(s) && reads_now(s))
        ready |= HF_WAIT_LINE;
    if ((want & HF_WAIT_WRITE) && (s->write_closed || s->write_errno))
        ready |= HF_WAIT_WRITE;
    if (s->waits_answer)
        ready |= HF_WAIT_QUESTION;
    return ready;
}

static short stream_events(const hf_stream *s, unsigned want)
{
    short events = 0;

    if (!s->ready)
        return hf_stream_events(s);
    if ((want & (HF_WAIT_READ | HF_WAIT_LINE)) && !s->waits_answer)
        events |= POLLIN;
    if ((want & HF_WAIT_WRITE) || stream_wants_output(s))
        events |= POLLOUT;
    if (want & HF_WAIT_OOB)
        events |= POLLPRI;
    return events;
}

/* What the socket has to do with it. */
static unsigned stream_after(hf_stream *s, unsigned want, short revents)
{
    unsigned ready = 0;

    if (!revents)
        return 0;
    if (!s->ready) {
        ready = stream_before(s, want);
        if (!s->ready)
            return ready;
    }
    if (revents & (POLLIN | BROKEN)) {
        if (want & HF_WAIT_LINE)
            ready |= line_now(s) ? HF_WAIT_LINE : 0;
        if ((want & HF_WAIT_READ) && !is_plain(s) && !reads_now(s))
            (void)s->ops->fill(s, DEADLINE_NOW, NULL);
        if ((want & HF_WAIT_READ) && (is_plain(s) || reads_now(s)))
            ready |= HF_WAIT_READ;
        if (s->waits_answer)
            ready |= HF_WAIT_QUESTION;
    }
    if ((revents & (POLLOUT | BROKEN)) && flush_now(s))
        ready |= want & HF_WAIT_WRITE;
    if (revents & (POLLPRI | BROKEN))
        ready |= want & HF_WAIT_OOB;
    return ready;
}

/* ---------------------------------------------------------------- one item */

static unsigned before(const hf_wait_item *item)
{
    return item->stream && item->want ? stream_before(item->stream, item->want) : 0;
}

static short plain_events(unsigned want)
{
    return (short)((want & (HF_WAIT_READ | HF_WAIT_LINE) ? POLLIN : 0) |
                   (want & HF_WAIT_WRITE ? POLLOUT : 0) | (want & HF_WAIT_OOB ? POLLPRI : 0));
}

static struct pollfd asked(const hf_wait_item *item)
{
    struct pollfd p = {.fd = -1};

    if (!item->want)
        return p;
    if (item->stream) {
        p.fd = hf_stream_fd(item->stream);
        p.events = stream_events(item->stream, item->want);
        /* nothing is asked, so that not even an error should wake us */
        if (!p.events)
            p.fd = -1;
        return p;
    }
    p.fd = item->listener ? hf_listener_fd(item->listener) : item->fd;
    p.events = plain_events(item->want);
    return p;
}

static unsigned after(const hf_wait_item *item, short revents)
{
    unsigned ready = 0;

    if (!item->want || !revents)
        return 0;
    if (item->stream)
        return stream_after(item->stream, item->want, revents);
    if (revents & (POLLIN | BROKEN))
        ready |= item->want & (HF_WAIT_READ | HF_WAIT_LINE);
    if (revents & (POLLOUT | BROKEN))
        ready |= item->want & HF_WAIT_WRITE;
    if (revents & (POLLPRI | BROKEN))
        ready |= item->want & HF_WAIT_OOB;
    return ready;
}

/* ---------------------------------------------------------------- all of them */

/* A stream whose handshake may not take longer has something then: its error. */
static deadline first_end(const hf_wait_item *items, size_t count, deadline d)
{
    for (size_t i = 0; i < count; i++) {
        const hf_stream *s = items[i].want ? items[i].stream : NULL;

        if (s && !s->ready && !s->connecting && s->open_end)
            d = deadline_first(d, s->open_end);
    }
    return d;
}

static bool check_items(const hf_wait_item *items, size_t count, hf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].want & ~(unsigned)ALL)
            return net_fail(err, HF_E_USAGE, 0,
                            "hf_wait: item %zu wants 0x%x, which is no HF_WAIT_ bit", i,
                            items[i].want & ~(unsigned)ALL);
        if (items[i].stream && items[i].listener)
            return net_fail(err, HF_E_USAGE, 0, "hf_wait: item %zu is both stream and listener",
                            i);
    }
    return true;
}

static int wait_in(hf_wait_item *items, size_t count, struct pollfd *polled, deadline d,
                   hf_error *err)
{
    for (;;) {
        int told = 0, n;

        for (size_t i = 0; i < count; i++) {
            items[i].ready = before(&items[i]);
            told += items[i].ready != 0;
            polled[i] = asked(&items[i]);
        }
        n = poll(polled, (nfds_t)count,
                 told ? 0 : deadline_poll_ms(first_end(items, count, d)));
        if (n < 0 && errno != EINTR) {
            net_fail(err, HF_E_SYSTEM, errno, "hf_wait: poll: %s", net_strerror(errno));
            return -1;
        }
        told = 0;
        for (size_t i = 0; i < count; i++) {
            items[i].ready |= n > 0 ? after(&items[i], polled[i].revents) : 0;
            told += items[i].ready != 0;
        }
        if (told || deadline_passed(d))
            return told;
    }
}

int hf_wait(hf_wait_item *items, size_t count, double timeout, hf_error *err)
{
    struct pollfd few[FEW], *polled = few;
    deadline d = timeout == 0 ? deadline_now() : deadline_after(timeout);
    int r;

    if (!check_items(items, count, err))
        return -1;
    if (count > FEW) {
        polled = mem_new(count * sizeof *polled);
        if (!polled) {
            net_fail(err, HF_E_NO_MEMORY, 0, "hf_wait: for %zu items", count);
            return -1;
        }
    }
    r = wait_in(items, count, polled, d, err);
    if (polled != few)
        mem_free(polled);
    return r;
}

/* tls_stream.c: drives a connection over a socket. */
#include <errno.h>

#include "config/config.h"
#include "net/stream.h"

/* The stream whose bytes this thread is handing to its connection: that is how the callback for new
 * sessions, which is told the connection only, finds the place that they are good for. */
static _Thread_local hf_stream *receiving;

void tls_keep_session(hf_conn *conn, hf_session *session, void *arg)
{
    (void)arg;
    if (receiving && receiving->conn == conn && receiving->key)
        session_cache_put(receiving->key, session);
}

static int conn_failed(const hf_stream *s, hf_error *err)
{
    const hf_error *why = hf_conn_error(s->conn);

    if (!why)
        net_fail(err, HF_E_INTERNAL, 0, "a TLS connection failed without an error");
    else if (err)
        *err = *why;
    return -1;
}

/* ---------------------------------------------------------------- sending */

/* Sends len bytes as far as they go; how many, or -1 with s->write_errno. */
static ptrdiff_t send_some(hf_stream *s, const uint8_t *p, size_t len)
{
    ssize_t n = sock_send(s->fd, p, len);

    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    s->write_errno = errno;
    return -1;
}

/* First what was sealed before, then what the connection has to say: the order in which the records
 * were numbered. */
static int tls_flush(hf_stream *s)
{
    const uint8_t *p;
    ptrdiff_t n;
    size_t len;

    if (s->write_errno)
        return -1;
    while (iobuf_len(&s->out)) {
        n = send_some(s, s->out.p + s->out.start, iobuf_len(&s->out));
        if (n <= 0)
            return (int)n;
        s->out.start += (size_t)n;
    }
    iobuf_close(&s->out);
    while ((p = hf_conn_output(s->conn, &len)) != NULL && len) {
        n = send_some(s, p, len);
        if (n <= 0)
            return (int)n;
        hf_conn_output_done(s->conn, (size_t)n);
    }
    if (s->fin_wanted && !s->fin_sent) {
        s->fin_sent = true;
        shutdown(s->fd, SHUT_WR);
    }
    return 1;
}

/* Seals as much of data as one buffer takes; the buffer is empty before. */
static bool seal(hf_stream *s, const uint8_t *data, size_t len, size_t *taken, hf_error *err)
{
    size_t written = 0;
    hf_result r;

    if (!iobuf_open(&s->out))
        return net_fail(err, HF_E_NO_MEMORY, 0, "for a buffer to send from");
    *taken = 0;
    r = hf_conn_send(s->conn, data, len, taken, s->out.p, IOBUF_SIZE, &written);
    s->out.start = 0;
    s->out.end = written;
    iobuf_close(&s->out);
    if (r == HF_CLOSED)
        return net_fail(err, HF_E_WRITE_CLOSED, 0, "the connection's writing half was closed");
    if (r == HF_FAILED) {
        conn_failed(s, err);
        return false;
    }
    if (r == HF_WANT_INPUT || r == HF_WANT_ANSWER)
        return net_fail(err, HF_E_NOT_HANDSHAKEN, 0, "hf_write during the handshake");
    if (r == HF_DONE && !*taken && !written)
        return net_fail(err, HF_E_INTERNAL, 0,
                        "a TLS connection takes no data and does not say why");
    return true;
}

static ptrdiff_t tls_write(hf_stream *s, const void *data, size_t len, deadline d,
                           hf_error *err)
{
    const uint8_t *p = data;
    size_t done = 0, taken;

    for (;;) {
        int r = stream_flush_more(s, d, "writing", err);

        /* what was sealed counts as written: the stream keeps it until it has gone */
        if (r == HF_AGAIN && done)
            return (ptrdiff_t)done;
        if (r != 1)
            return r;
        if (done == len)
            return (ptrdiff_t)done;
        if (!seal(s, p + done, len - done, &taken, err))
            return -1;
        done += taken;
    }
}

/* Sends what the connection has to answer, from the reader's side. If a writer holds the lock, it
 * goes out with its next write. */
static void answer(hf_stream *s)
{
    if (pthread_mutex_trylock(&s->writing) != 0)
        return;
    (void)tls_flush(s);
    pthread_mutex_unlock(&s->writing);
}

bool hf_stream_key_update(hf_stream *s, bool request, hf_error *err)
{
    hf_result r;

    err_begin(err);
    if (!s->conn)
        return net_fail(err, HF_E_USAGE, 0, "hf_stream_key_update: this stream is plain");
    /* The reader may be answering at this moment. */
    pthread_mutex_lock(&s->writing);
    r = hf_conn_key_update(s->conn, request);
    if (r == HF_DONE)
        (void)tls_flush(s);
    pthread_mutex_unlock(&s->writing);
    if (r == HF_WANT_INPUT)
        return net_fail(err, HF_E_NOT_HANDSHAKEN, 0, "hf_stream_key_update");
    if (r == HF_FAILED && !hf_conn_error(s->conn))
        return net_fail(err, HF_E_WRITE_CLOSED, 0, "hf_stream_key_update");
    if (r == HF_FAILED)
        conn_failed(s, err);
    return r == HF_DONE;
}

bool hf_stream_request_certificate(hf_stream *s, hf_client_auth mode, hf_error *err)
{
    hf_error mine = {0};
    hf_result r;

    err_begin(err);
    if (!s->conn)
        return net_fail(err, HF_E_USAGE, 0,
                        "hf_stream_request_certificate: this stream is plain");
    pthread_mutex_lock(&s->writing);
    r = hf_conn_request_certificate(s->conn, mode, &mine);
    if (r == HF_DONE)
        (void)tls_flush(s);
    pthread_mutex_unlock(&s->writing);
    if (r != HF_DONE && err)
        *err = mine;
    return r == HF_DONE;
}

static bool tls_shut(hf_stream *s, deadline d, hf_error *err)
{
    int r;

    hf_conn_close(s->conn);
    s->fin_wanted = true;
    r = stream_flush_more(s, d, "closing", err);
    /* who does not block sends the rest with the next call */
    return r == 1 || r == HF_AGAIN;
}

/* ---------------------------------------------------------------- receiving */

static bool at_end(const hf_stream *s)
{
    return s->read_ended || s->read_failed;
}

/* The first bytes were no TLS: a server may go on without (hf_stop_tls). */
static bool plain_peer(const hf_stream *s)
{
    const hf_error *why = hf_conn_error(s->conn);

    return why && (why->code == HF_E_PLAINTEXT_PEER || why->code == HF_E_SSL2_PEER);
}

/* Hands what was received to the connection until there is data, the end, or no whole record. */
static void decode(hf_stream *s)
{
    while (!s->data_len && !at_end(s) && iobuf_len(&s->in)) {
        size_t used = 0;
        size_t before = s->in.start;
        hf_result r;

        receiving = s;
        r = hf_conn_receive(s->conn, s->in.p + s->in.start, iobuf_len(&s->in), &used, &s->data,
                            &s->data_len);
        receiving = NULL;
        s->in.start += used;
        s->waits_answer = r == HF_WANT_ANSWER;
        s->read_ended = r == HF_CLOSED;
        s->read_failed = r == HF_FAILED;
        /* what follows close_notify is not TLS, and stays for hf_stop_tls */
        if (s->read_failed)
            s->in.start = plain_peer(s) ? before : s->in.end;
        if (s->ready && (used || at_end(s)))
            answer(s);
        if (r != HF_DONE || (!used && !s->data_len))
            break;
    }
    /* data is a slice of the buffer, which may be used up besides */
    if (!s->data_len)
        iobuf_close(&s->in);
}

static void transport_ended(hf_stream *s)
{
    switch (hf_conn_receive_end(s->conn)) {
    case HF_CLOSED: s->read_ended = true; break;
    case HF_DONE:
    case HF_WANT_INPUT:
    case HF_WANT_OUTPUT:
    case HF_WANT_ANSWER:
    case HF_FAILED: s->read_failed = true; break;
    }
    iobuf_clear(&s->in);
}

/* One attempt: 1 if something came (or the end), 0 if nothing is there, -1 with an error. */
static int receive_once(hf_stream *s, hf_error *err)
{
    ssize_t n;
    size_t room;

    if (s->read_errno)
        return stream_read_broken(s, s->read_errno, err);
    if (!iobuf_open(&s->in)) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a buffer to receive into");
        return -1;
    }
    room = iobuf_room(&s->in, HF_RECORD_MAX);
    n = sock_recv(s->fd, s->in.p + s->in.end, room);
    if (n > 0) {
        s->in.end += (size_t)n;
        return 1;
    }
    if (n == 0) {
        transport_ended(s);
        return 1;
    }
    int why = errno;
    if (!s->data_len)
        iobuf_park(&s->in);
    if (why == EAGAIN || why == EWOULDBLOCK)
        return 0;
    return stream_read_broken(s, why, err);
}

static int receive_more(hf_stream *s, deadline d, const char *doing, hf_error *err)
{
    for (;;) {
        int r = receive_once(s, err);

        if (r != 0)
            return r;
        r = stream_wait(s, POLLIN, d, doing, err);
        if (r != 1)
            return r;
    }
}

static int wait_answer(const hf_stream *s, hf_error *err)
{
    if (s->non_blocking)
        return HF_AGAIN;
    net_fail_hint(
        err, HF_E_USAGE, 0,
        "answer inside the callback, or open the stream non-blocking and call "
        "hf_stream_handshake again after the answer",
        "the connection has a question (hf_conn_question) that was left for later, and this "
        "stream blocks");
    return -1;
}

static int tls_fill(hf_stream *s, deadline d, hf_error *err)
{
    for (;;) {
        int r;

        decode(s);
        if (s->data_len)
            return 1;
        if (s->read_ended)
            return 0;
        if (s->read_failed)
            return conn_failed(s, err);
        if (s->waits_answer)
            return wait_answer(s, err);
        r = receive_more(s, d, "reading", err);
        if (r != 1)
            return r;
    }
}

static bool tls_peek_end(hf_stream *s)
{
    do
        decode(s);
    while (!s->data_len && !at_end(s) && !s->waits_answer && receive_once(s, NULL) == 1);
    return s->read_ended && !s->data_len;
}

/* ---------------------------------------------------------------- handshake */

/* The socket takes nothing more. A peer that has refused us and gone left an alert that says why. */
static int handshake_cut(hf_stream *s, hf_error *err)
{
    while (!at_end(s) && !s->data_len) {
        size_t before = iobuf_len(&s->in);

        decode(s);
        if (!at_end(s) && iobuf_len(&s->in) == before && receive_once(s, NULL) != 1)
            break;
    }
    const hf_error *why = s->read_failed ? hf_conn_error(s->conn) : NULL;

    if (why && why->code != HF_E_HANDSHAKE_CUT)
        return conn_failed(s, err);
    return stream_write_broken(s, err);
}

/* Gets bytes to the connection: 1 if it has got some (or the end). */
static int feed(hf_stream *s, deadline d, hf_error *err)
{
    size_t before = iobuf_len(&s->in);
    int r;

    if (before) {
        decode(s);
        if (iobuf_len(&s->in) != before || at_end(s) || s->waits_answer)
            return 1;
    }
    r = receive_more(s, d, "TLS handshake", err);
    if (r == 1)
        decode(s);
    return r;
}

static hf_result advance(hf_stream *s)
{
    hf_result r;

    receiving = s;
    r = hf_conn_handshake(s->conn);
    receiving = NULL;
    s->waits_answer = r == HF_WANT_ANSWER;
    return r;
}

static int flush_flight(hf_stream *s, deadline d, hf_error *err)
{
    int r;

    pthread_mutex_lock(&s->writing);
    r = stream_flush_more(s, d, "TLS handshake", err);
    pthread_mutex_unlock(&s->writing);
    return r;
}

/* All of it or nothing, and all of it before the server's answer is looked at: so whoever gave it knows what
 * to send again. */
static bool seal_early(hf_stream *s, hf_error *err)
{
    size_t len = buffer_len(&s->early), taken = 0, written = 0;

    if (!len || iobuf_len(&s->out))
        return true;
    if (!s->early_begun && hf_conn_early_room(s->conn) < len) {
        buffer_clear(&s->early);
        return true;
    }
    if (!iobuf_open(&s->out))
        return net_fail(err, HF_E_NO_MEMORY, 0, "for a buffer to send from");
    hf_result r = hf_conn_send_early(s->conn, buffer_front(&s->early), len, &taken, s->out.p,
                                     IOBUF_SIZE, &written);
    s->out.start = 0;
    s->out.end = written;
    iobuf_close(&s->out);
    if (r != HF_DONE || !taken) {
        conn_failed(s, err);
        return false;
    }
    s->early_begun = true;
    buffer_drop(&s->early, taken);
    return true;
}

bool hf_stream_early_accepted(const hf_stream *s)
{
    return s->early_begun && hf_conn_early_data(s->conn) == HF_EARLY_ACCEPTED;
}

static int tls_handshake(hf_stream *s, deadline d, hf_error *err)
{
    for (;;) {
        hf_result r = advance(s);
        hf_error cut = {0};

        if (r == HF_WANT_INPUT && !seal_early(s, err))
            return -1;
        int flushed = flush_flight(s, d, &cut);

        /* the alert has gone, if it could */
        if (r == HF_FAILED)
            return conn_failed(s, err);
        if (flushed == -1 && s->write_errno) {
            /* The handshake stands, only what follows it (tickets) found nobody: the peer may have
             * sent its data and closed. */
            if (r == HF_DONE)
                break;
            return handshake_cut(s, err);
        }
        if (flushed != 1) {
            if (err && flushed == -1)
                *err = cut;
            return flushed;
        }
        if (r == HF_DONE)
            break;
        if (s->data_len) /* a server's early data, to be answered before the handshake is done */
            return 0;
        if (r == HF_WANT_ANSWER)
            return wait_answer(s, err);
        if (buffer_len(&s->early))
            continue;
        flushed = feed(s, d, err);
        if (flushed != 1)
            return flushed;
    }
    decode(s);
    return 0;
}

void tls_clear(hf_stream *s)
{
    const hf_error *why = s->conn ? hf_conn_error(s->conn) : NULL;

    if (s->key && why && why->alert != HF_NO_ALERT) /* RFC 5246 7.2.2 */
        session_cache_forget(s->key);
    hf_conn_free(s->conn);
    s->conn = NULL;
    buffer_clear(&s->early);
}

const struct stream_ops tls_stream_ops = {
    .handshake = tls_handshake,
    .fill = tls_fill,
    .ahead = decode,
    .write = tls_write,
    .shut = tls_shut,
    .flush = tls_flush,
    .peek_end = tls_peek_end,
    .free = tls_clear,
};

/* ---------------------------------------------------------------- making */

static hf_config *no_pin(const struct version_range *range, const char *why, hf_error *err)
{
    if (range->name)
        net_fail(err, HF_E_SCHEME, 0, "%s:// cannot be had: %s; or use tls://", range->name,
                 why);
    else
        net_fail(err, HF_E_CONFIG, 0, "crypto_method: %s", why);
    return NULL;
}

/* false if the two have no version in common. */
static bool narrow(const struct version_range *range, const hf_config *config, uint16_t *lowest,
                   uint16_t *highest)
{
    *lowest = range->lowest;
    *highest = range->highest;
    if (!range->within)
        return true;
    if (*lowest < config->body.version_min)
        *lowest = config->body.version_min;
    if (*highest > config->body.version_max)
        *highest = config->body.version_max;
    return *lowest <= *highest;
}

hf_config *tls_pin(const struct version_range *range, hf_config *config, hf_error *err)
{
    uint16_t lowest, highest;
    hf_config *pinned;
    hf_error why = {0};

    if (!range->lowest)
        return hf_config_ref(config);
    if (!narrow(range, config, &lowest, &highest))
        return no_pin(range,
                      "none of its versions is among those that the configuration allows: "
                      "hf_config_set_versions",
                      err);
    if (range->within && lowest == config->body.version_min &&
        highest == config->body.version_max)
        return hf_config_ref(config);
    pinned = hf_config_derive(config);
    if (!pinned) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a configuration");
        return NULL;
    }
    if (!hf_config_set_versions(pinned, lowest, highest) || !hf_config_freeze(pinned, &why)) {
        const hf_error *refused = hf_config_error(pinned);

        no_pin(range, refused ? refused->detail : why.detail, err);
        hf_config_free(pinned);
        return NULL;
    }
    return pinned;
}

static void offer_session(hf_stream *s, hf_session *given)
{
    hf_session *session;
    bool taken = false;

    if (given) {
        /* refused: it has expired, and a full handshake follows */
        (void)hf_conn_set_session(s->conn, given);
        return;
    }
    while (s->key && !taken && (session = session_cache_take(s->key)) != NULL) {
        /* older versions' sessions stay in the cache: one attempt is enough */
        taken =
            hf_conn_set_session(s->conn, session) || hf_session_version(session) < HF_TLS1_3;
        hf_session_free(session);
    }
}

bool tls_client(hf_stream *s, const struct version_range *range, hf_config *config,
                const char *peer_name, const char *cache_name, hf_session *session,
                hf_error *err)
{
    hf_error why = {0};
    bool cached = false;
    hf_config *base, *used = NULL;

    base = cache_name || !config ? session_cache_config(config, tls_keep_session, &cached, &why)
                                 : hf_config_ref(config);
    if (base)
        used = tls_pin(range, base, &why);
    if (used)
        s->conn = hf_conn_new_client(used, peer_name, &why);
    if (s->conn) {
        /* without memory for a key there is no cache, and everything else works */
        struct session_key *before = s->key; /* cache_name may lie in it */

        s->key =
            cached && cache_name ? session_key_new(config ? config : base, cache_name) : NULL;
        session_key_free(before);
        offer_session(s, session);
    } else if (err) {
        *err = why;
    }
    hf_config_free(used);
    hf_config_free(base);
    return s->conn != NULL;
}

bool tls_early(hf_stream *s, const hf_net_options *options, hf_error *err)
{
    if (!options || !options->early_len)
        return true;
    return buffer_append(&s->early, options->early_data, options->early_len) ||
           net_fail(err, HF_E_NO_MEMORY, 0, "for early data");
}

bool tls_server(hf_stream *s, hf_config *config, hf_error *err)
{
    hf_error why = {0};

    s->conn = hf_conn_new_server(config, &why);
    if (!s->conn && err)
        *err = why;
    return s->conn != NULL;
}

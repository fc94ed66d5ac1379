/* upgrade.c: TLS that begins and ends in mid-stream. */
#include "net/upgrade.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>

#include "net/url.h"
#include "record/recognise.h"

/* ---------------------------------------------------------------- versions */

/* The bits of PHP's STREAM_CRYPTO_METHOD_: bit 0 is the client, then one for each version. */
enum {
    METHOD_CLIENT = 1,
    METHOD_SSL2 = 2,
    METHOD_SSL3 = 4,
    METHOD_TLS1_0 = 8,
    METHOD_END = 128
};

static bool read_method(int method, hf_role role, struct version_range *out, hf_error *err)
{
    *out = (struct version_range){.within = true};
    if (method == 0)
        return true;
    if (method < 0 || method >= METHOD_END || (method & ~METHOD_CLIENT) == 0)
        return net_fail(err, HF_E_USAGE, 0,
                        "crypto_method %d is none of HF_STREAM_CRYPTO_METHOD_", method);
    if ((method & METHOD_CLIENT) && role == HF_SERVER)
        return net_fail(err, HF_E_USAGE, 0,
                        "crypto_method %d is a client's, and the role is HF_SERVER", method);
    if (method == HF_STREAM_CRYPTO_METHOD_SSLv23_CLIENT)
        return true; /* "any", from before TLS 1.3 */
    for (unsigned i = 0; METHOD_TLS1_0 << i < METHOD_END; i++) {
        if (!(method & METHOD_TLS1_0 << i))
            continue;
        out->highest = (uint16_t)(HF_TLS1_0 + i);
        if (!out->lowest)
            out->lowest = out->highest;
    }
    if (out->lowest)
        return true;
    net_fail(err, HF_E_PROHIBITED_PROTOCOL, 0,
             "crypto_method: SSL %s is prohibited by RFC %s: use "
             "HF_STREAM_CRYPTO_METHOD_TLS_%s",
             method & METHOD_SSL3 ? "3.0" : "2.0", method & METHOD_SSL3 ? "7568" : "6176",
             role == HF_CLIENT ? "CLIENT" : "SERVER");
    if (err)
        err->rfc = method & METHOD_SSL3 ? "RFC 7568" : "RFC 6176";
    return false;
}

/* ---------------------------------------------------------------- names and places */

/* The name that a stream's sessions were verified for: a place ends with it (open.c). */
static const char *name_of_key(const struct session_key *key)
{
    const char *space = strrchr(key->name, ' ');

    return space && space[1] ? space + 1 : NULL;
}

static const char *peer_name_of(const hf_stream *s, const hf_start_tls_options *o,
                                char host[URL_HOST_MAX + 2])
{
    struct url url;
    hf_error ignored;

    if (o->peer_name)
        return o->peer_name;
    if (o->session_stream && o->session_stream->key)
        return name_of_key(o->session_stream->key);
    /* one that had TLS before: for whom it was then */
    if (!s->target && s->key)
        return name_of_key(s->key);
    if (!s->target || !url_parse(s->target, &url, &ignored) || url.kind > URL_IPV6)
        return NULL;
    open_peer_name(&url, host);
    return host;
}

/* The peer's address, if it is one of the internet. */
static bool internet_peer(const hf_stream *s, char *out, size_t size)
{
    struct address a = {0};
    socklen_t len = sizeof a;

    if (getpeername(s->fd, &a.u.any, &len) != 0 ||
        (a.u.any.sa_family != AF_INET && a.u.any.sa_family != AF_INET6))
        return false;
    return address_text(&a.u.any, len, out, size) < size;
}

/* Where sessions of this stream are good for. A stream of whose peer nothing is known shares with nobody. */
static bool place_of(const hf_stream *s, const char *peer_name, char *out, size_t size)
{
    static atomic_ulong count;
    char address[128];
    int n;

    if (!s->target && !internet_peer(s, address, sizeof address))
        snprintf(address, sizeof address, "stream %lu", atomic_fetch_add(&count, 1));
    n = snprintf(out, size, "%s upgraded %s", s->target ? s->target : address, peer_name);
    return n > 0 && (size_t)n < size;
}

/* ---------------------------------------------------------------- sessions */

static const struct session_key *key_of(hf_stream *of, hf_config **config, hf_error *err)
{
    if (!of->key) {
        net_fail_hint(err, HF_E_USAGE, 0,
                      "keep the session in hf_config_set_session_callback and give it as "
                      "options.session",
                      "session_stream is not a TLS client whose sessions are kept");
        return NULL;
    }
    if (*config && *config != of->key->config) {
        net_fail(err, HF_E_USAGE, 0,
                 "session_stream was opened with another configuration: give the same one, or "
                 "NULL");
        return NULL;
    }
    *config = of->key->config;
    /* tickets may lie in its socket unread */
    if (of->ops == &tls_stream_ops && of->ready)
        (void)of->ops->peek_end(of);
    return of->key;
}

/* ---------------------------------------------------------------- hf_start_tls */

bool upgrade_check(const hf_stream *s, const char *who, hf_error *err)
{
    if (s->transport->socket_type != SOCK_STREAM)
        return net_fail(err, HF_E_USAGE, 0, "%s: TLS needs a stream, not datagrams", who);
    if (s->ops == &tls_stream_ops || s->conn)
        return net_fail(err, HF_E_USAGE, 0, "%s: this stream is one of TLS already", who);
    if (s->write_closed)
        return net_fail(err, HF_E_WRITE_CLOSED, 0, "%s: hf_shutdown_write was called before",
                        who);
    return true;
}

static bool prepare_client(hf_stream *s, const struct version_range *range, hf_config *config,
                           const hf_start_tls_options *o, hf_error *err)
{
    char host[URL_HOST_MAX + 2], place[2 * URL_HOST_MAX + 128];
    const char *name = peer_name_of(s, o, host), *cache = NULL;
    const struct session_key *key;

    if (o->session_stream) {
        key = key_of(o->session_stream, &config, err);
        if (!key)
            return false;
        cache = key->name;
    } else if (name && !o->no_session_cache && place_of(s, name, place, sizeof place)) {
        cache = place;
    }
    return tls_client(s, range, config, name, cache, o->session, err);
}

static bool prepare_server(hf_stream *s, const struct version_range *range, hf_config *config,
                           hf_error *err)
{
    hf_config *pinned;
    bool done;

    if (!config)
        return net_fail(err, HF_E_USAGE, 0,
                        "a TLS server needs a configuration with a credential");
    pinned = tls_pin(range, config, err);
    done = pinned && tls_server(s, pinned, err);
    hf_config_free(pinned);
    return done;
}

bool upgrade_prepare(hf_stream *s, hf_role role, hf_config *config,
                     const hf_start_tls_options *o, hf_error *err)
{
    struct version_range range;

    return read_method(o->crypto_method, role, &range, err) &&
           (role == HF_CLIENT ? prepare_client(s, &range, config, o, err)
                              : prepare_server(s, &range, config, err));
}

/* The first bytes, as far as they can be read by people. */
static void show_bytes(struct slice in, char out[64])
{
    size_t at = 0;

    for (size_t i = 0; i < in.len && at < 40 && in.p[i] != '\r' && in.p[i] != '\n'; i++) {
        if (isprint(in.p[i]) && in.p[i] != '"' && in.p[i] != '\\')
            out[at++] = (char)in.p[i];
        else
            at += (size_t)snprintf(out + at, 5, "\\x%02x", in.p[i]);
    }
    out[at] = 0;
}

static bool injected(struct slice in, size_t count, const char *where, hf_error *err)
{
    char text[64];

    show_bytes(in, text);
    return net_fail(err, HF_E_INJECTED_PLAINTEXT, 0,
                    "%zu byte%s in plain text %s where TLS begins: \"%s\"", count,
                    count == 1 ? "" : "s", where, text);
}

bool upgrade_guard(hf_stream *s, struct slice ahead, bool client, hf_error *err)
{
    struct slice first = ahead.len ? ahead
                         : buffer_len(&s->unread)
                             ? slice_of(buffer_front(&s->unread), buffer_len(&s->unread))
                             : slice_of(s->data, s->data_len);
    size_t count = ahead.len + buffer_len(&s->unread) + s->data_len;
    uint8_t waiting[16];
    ssize_t n;

    if (count)
        return injected(first, count, "were received before the point", err);
    if (!client)
        return true;
    n = sock_peek(s->fd, waiting, sizeof waiting);
    if (n > 0)
        return injected(slice_of(waiting, (size_t)n), (size_t)n,
                        "have arrived before the point", err);
    return true;
}

/* What was read ahead becomes what TLS has received. */
static bool take_ahead(hf_stream *s, const hf_start_tls_options *o, hf_error *err)
{
    size_t unread = buffer_len(&s->unread), len = o->received_len + unread + s->data_len;
    struct iobuf in = {0};

    if (len > IOBUF_SIZE)
        return net_fail(err, HF_E_USAGE, 0,
                        "%zu bytes were read before TLS: more than a stream holds", len);
    if (len && !iobuf_open(&in))
        return net_fail(err, HF_E_NO_MEMORY, 0, "for a buffer to receive into");
    if (o->received_len)
        memcpy(in.p, o->received, o->received_len);
    if (unread)
        memcpy(in.p + o->received_len, buffer_front(&s->unread), unread);
    if (s->data_len)
        memcpy(in.p + o->received_len + unread, s->data, s->data_len);
    in.end = len;
    iobuf_clear(&s->in);
    buffer_clear(&s->unread);
    s->in = in;
    s->data = NULL;
    s->data_len = 0;
    return true;
}

void upgrade_switch(hf_stream *s)
{
    s->ops = &tls_stream_ops;
    s->ready = s->read_ended = s->end_told = false;
    s->early_begun = s->stopping = false;
}

static bool begin(hf_stream *s, hf_role role, hf_config *config, const hf_start_tls_options *o,
                  hf_error *err)
{
    const struct slice none = {0};

    if (!upgrade_check(s, "hf_start_tls", err))
        return false;
    if (o->received_len && (!o->received || !o->buffered_is_tls))
        return net_fail(err, HF_E_USAGE, 0,
                        "hf_start_tls: options.received needs the bytes, and buffered_is_tls");
    if (!o->buffered_is_tls && !upgrade_guard(s, none, role == HF_CLIENT, err))
        return false;
    if (!upgrade_prepare(s, role, config, o, err))
        return false;
    if (!take_ahead(s, o, err)) {
        tls_clear(s);
        return false;
    }
    upgrade_switch(s);
    s->open_end = 0; /* its time begins now */
    return true;
}

int hf_start_tls(hf_stream *s, hf_role role, hf_config *config, const hf_start_tls_options *o,
                 hf_error *err)
{
    static const hf_start_tls_options defaults = HF_START_TLS_OPTIONS;
    bool again = s->conn && !s->ready; /* after HF_AGAIN */
    int r;

    err_begin(err);
    r = s->ready ? 0 : stream_open(s, DEADLINE_NONE, err);
    if (r != 0 || again)
        return r;
    if (!begin(s, role, config, o ? o : &defaults, err))
        return -1;
    return stream_open(s, DEADLINE_NONE, err);
}

/* ---------------------------------------------------------------- hf_stop_tls */

static void back_to_plain(hf_stream *s)
{
    tls_clear(s);
    s->ops = s->transport->ops;
    s->ready = true;
    s->read_ended = s->read_failed = s->end_told = s->waits_answer = false;
    s->write_closed = s->stopping = false;
    s->data_len = iobuf_len(&s->in);
    s->data = s->data_len ? s->in.p + s->in.start : NULL;
    if (!s->data_len)
        iobuf_clear(&s->in);
}

static bool plain_client(const hf_stream *s)
{
    const hf_error *why = hf_conn_error(s->conn);

    return why && hf_conn_is_server(s->conn) &&
           (why->code == HF_E_PLAINTEXT_PEER || why->code == HF_E_SSL2_PEER);
}

static bool unread(const hf_stream *s, hf_error *err)
{
    size_t n = hf_stream_pending(s);

    return n && !net_fail(err, HF_E_UNREAD_DATA, 0,
                          "hf_stop_tls: %zu byte%s of what the peer sent protected %s not read "
                          "yet",
                          n, n == 1 ? "" : "s", n == 1 ? "was" : "were");
}

static bool may_stop(hf_stream *s, hf_error *err)
{
    if (!s->conn || s->ops != &tls_stream_ops)
        return net_fail(err, HF_E_USAGE, 0, "hf_stop_tls: this stream is plain");
    if (!s->ready)
        return net_fail(err, HF_E_NOT_HANDSHAKEN, 0, "hf_stop_tls");
    if (s->write_closed && !s->stopping)
        return net_fail(err, HF_E_WRITE_CLOSED, 0,
                        "hf_stop_tls: hf_shutdown_write has ended the connection's half");
    /* what has arrived counts too, as long as we have not said goodbye */
    if (!s->stopping && !hf_stream_pending(s))
        (void)s->ops->peek_end(s);
    return !unread(s, err);
}

static int say_goodbye(hf_stream *s, deadline d, hf_error *err)
{
    int r;

    pthread_mutex_lock(&s->writing);
    if (!s->stopping) {
        s->stopping = s->write_closed = true;
        hf_conn_close(s->conn);
    }
    r = stream_flush_more(s, d, "ending TLS", err);
    pthread_mutex_unlock(&s->writing);
    return r;
}

int hf_stop_tls(hf_stream *s, hf_error *err)
{
    deadline d = deadline_after(s->timeout);
    int r;

    err_begin(err);
    if (s->conn && s->ops == &tls_stream_ops && plain_client(s)) {
        back_to_plain(s);
        return 0;
    }
    if (!may_stop(s, err))
        return -1;
    r = say_goodbye(s, d, err);
    if (r != 1)
        return r;
    r = s->ops->fill(s, d, err);
    if (r == 1)
        return unread(s, err) ? -1 : HF_AGAIN;
    if (r == 0)
        back_to_plain(s);
    return r;
}

/* ---------------------------------------------------------------- who is there */

bool hf_recognise(const void *bytes, size_t len, bool from_server, char *out, size_t size)
{
    const uint8_t *p = bytes;
    const char *side = from_server ? "server" : "client";

    if (rec_recognise(p, len, from_server, out, size) != HF_OK)
        return true;
    if (len < 6 || p[0] != 0x16 || p[1] != 3 || p[5] != (from_server ? 2 : 1))
        return false;
    snprintf(out, size, "the %s speaks TLS (%s)", side,
             from_server ? "a ServerHello" : "a ClientHello");
    return true;
}

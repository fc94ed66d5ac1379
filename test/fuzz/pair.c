/* pair.c: client and server of ours with whatever configurations, over a wire that cuts and damages.
 *
 * Input: setup of each side (feed_flags); 8 bits: chunk of each side; then operations. What must hold: on
 * a wire that only cuts, both sides come to the same end, and data arrive as they were sent; on one that
 * damages, nothing false is ever delivered. */
#include <string.h>

#include "ends.h"

enum {
    OP_SEND,
    OP_KEY_UPDATE,
    OP_HIBERNATE,
    OP_CLOSE,
    OP_DAMAGE,
    OP_CUT,
    OP_MEMORY,
    OP_SEND_CUT,
    OP_RENEGOTIATE,
    OPS
};

struct side {
    hf_conn *conn;
    struct buffer in, data; /* on the wire to it, and what came out of it */
    struct buffer sent;     /* what it was given to send */
    size_t chunk;
    hf_result last;
    bool closed;
};

struct play {
    struct ends e;
    struct side client, server;
    bool damaged, agreed;
    size_t early; /* bytes of early data that the client has sent */
    unsigned updates;
};

static void receive(struct side *s)
{
    s->last = end_feed(s->conn, &s->in, s->chunk, &s->data);
}

static void run(struct play *p)
{
    for (unsigned i = 0; i < 64; i++) {
        bool moved = end_move(p->client.conn, &p->server.in);
        if (moved)
            receive(&p->server);
        bool back = end_move(p->server.conn, &p->client.in);
        if (back)
            receive(&p->client);
        if (!moved && !back)
            return;
    }
    bool ended = false; /* two ends that talk for ever */
    REQUIRE(ended);
}

/* room 0: as much as hf_conn_send_size asks for, which must be enough for all at once. */
static void send_data(struct side *from, struct side *to, size_t n, size_t room)
{
    static uint8_t data[20000];
    static uint8_t out[80000];
    size_t done = 0, taken, written;
    hf_result r = HF_DONE;
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)(i * 7 + buffer_len(&from->sent));
    while (done < n && r == HF_DONE) {
        size_t size = room ? room : hf_conn_send_size(from->conn, n - done);
        REQUIRE(size <= sizeof out);
        r = hf_conn_send(from->conn, data + done, n - done, &taken, out, size, &written);
        REQUIRE(taken <= n - done && written <= size);
        REQUIRE(room || r != HF_DONE || taken == n - done);
        REQUIRE(r == HF_DONE || taken == 0);
        if (taken)
            REQUIRE(buffer_append(&from->sent, data + done, taken));
        if (written)
            REQUIRE(buffer_append(&to->in, out, written));
        done += taken;
    }
    if (buffer_len(&to->in))
        receive(to);
}

/* What the session allows of 700 bytes, in two records. */
static void send_early(struct play *p)
{
    static const uint8_t data[700] = "early";
    uint8_t out[4000];
    size_t taken, written;
    bool moved = end_move(p->client.conn, &p->server.in); /* the ClientHello, at least */
    for (size_t part = 200; hf_conn_early_room(p->client.conn) >= part && p->early < 700;
         part = 500) {
        if (hf_conn_send_early(p->client.conn, data + p->early, part, &taken, out, sizeof out,
                               &written) != HF_DONE)
            break;
        REQUIRE(taken == part && buffer_append(&p->client.sent, data + p->early, taken));
        REQUIRE(buffer_append(&p->server.in, out, written));
        p->early += taken;
    }
    if (p->early || moved)
        receive(&p->server);
}

/* An error of one side is made known to the other by an alert, or by the end of the connection. */
static void check_ends(struct play *p)
{
    hf_conn *c = p->client.conn, *s = p->server.conn;
    p->agreed = end_done(c) && end_done(s);
    if (p->damaged)
        return;
    if (end_done(c) && end_done(s)) {
        uint8_t a[32], b[32];
        hf_error err = {0};
        size_t n, m;
        REQUIRE(hf_conn_export(c, "x", NULL, 0, a, 32, &err));
        REQUIRE(hf_conn_export(s, "x", NULL, 0, b, 32, &err));
        REQUIRE(memcmp(a, b, 32) == 0);
        REQUIRE(hf_conn_suite(c) == hf_conn_suite(s) && hf_conn_group(c) == hf_conn_group(s));
        REQUIRE(hf_conn_resumed(c) == hf_conn_resumed(s) &&
                hf_conn_retried(c) == hf_conn_retried(s));
        const uint8_t *x = hf_conn_alpn(c, &n), *y = hf_conn_alpn(s, &m);
        REQUIRE(slice_equal(slice_of(x, n), slice_of(y, m)));
        REQUIRE(hf_conn_version(c) == hf_conn_version(s));
        REQUIRE(hf_conn_ems(c) == hf_conn_ems(s) && hf_conn_etm(c) == hf_conn_etm(s));
        REQUIRE(hf_conn_resumed(c) || hf_conn_verified(c) || hf_conn_psk_identity(c, &n) ||
                strstr(hf_suite_name(hf_conn_suite(c)), "_PSK_"));
        return;
    }
    REQUIRE(hf_conn_error(c) || hf_conn_error(s));
    const hf_error *ec = hf_conn_error(c), *es = hf_conn_error(s);
    /* At least one of them was not told by the other, and neither blames a bug. */
    REQUIRE((ec && !ec->alert_received) || (es && !es->alert_received));
    REQUIRE(!ec || (ec->code != HF_E_INTERNAL && ec->code != HF_E_MISSING_PROOF));
    REQUIRE(!es || (es->code != HF_E_INTERNAL && es->code != HF_E_MISSING_PROOF));
}

/* Two ends that agreed do not fall out over a wire that is in order. */
static void check_peace(const struct play *p, const hf_conn *conn)
{
    const hf_error *err = hf_conn_error(conn);
    if (p->damaged || !p->agreed || !err)
        return;
    bool old = end_is_old(p->client.conn) || end_is_old(p->server.conn);
    REQUIRE(err->code == HF_E_WRITE_CLOSED || err->code == HF_E_KEY_UPDATES ||
            (err->code == HF_E_ALERT_RECEIVED && p->updates > 30) ||
            (old && (err->code == HF_E_RENEGOTIATIONS || err->code == HF_E_NO_RENEGOTIATION ||
                     err->code == HF_E_WARNING_ALERTS || err->code == HF_E_ALERT_RECEIVED)));
}

static void check_data(const struct play *p, const struct side *from, const struct side *to)
{
    size_t n = buffer_len(&to->data), sent = buffer_len(&from->sent), lost = 0;
    /* What was refused has reached nobody. */
    if (from == &p->client && hf_conn_early_data(from->conn) == HF_EARLY_REFUSED)
        lost = p->early;
    REQUIRE(n <= sent - lost);
    REQUIRE(n == 0 ||
            memcmp(buffer_front(&to->data), buffer_front(&from->sent) + lost, n) == 0);
    if (!p->damaged && !hf_conn_error(to->conn) && !hf_conn_error(from->conn))
        REQUIRE(n == sent - lost);
}

static void perform(struct play *p, struct feed *f)
{
    uint8_t op = feed_u8(f);
    struct side *from = op & 0x80 ? &p->server : &p->client;
    struct side *to = op & 0x80 ? &p->client : &p->server;
    switch ((op & 0x7f) % OPS) {
    case OP_SEND: send_data(from, to, feed_u16(f) % 20000, 0); break;
    case OP_KEY_UPDATE: {
        hf_result r = hf_conn_key_update(from->conn, feed_u8(f) & 1);
        REQUIRE(r != HF_DONE || end_done(from->conn));
        p->updates++;
        break;
    }
    case OP_HIBERNATE: (void)hf_conn_hibernate(from->conn); break;
    case OP_CLOSE: hf_conn_close(from->conn); break;
    case OP_DAMAGE: {
        (void)end_move(from->conn, &to->in);
        size_t at = feed_u16(f), len = buffer_len(&to->in);
        uint8_t bits = feed_u8(f);
        if (len && bits) {
            buffer_front(&to->in)[at % len] ^= bits;
            p->damaged = true;
        }
        if (len)
            receive(to);
        break;
    }
    case OP_CUT: from->chunk = feed_u8(f); break;
    case OP_SEND_CUT: {
        size_t n = feed_u8(f), room = feed_u8(f) + 1u;
        send_data(from, to, n * 8, room);
        break;
    }
    case OP_RENEGOTIATE: {
        hf_error err = {0};
        hf_result r = hf_conn_renegotiate(from->conn, &err);
        if (feed_u8(f) & 1) /* both at once */
            r = hf_conn_renegotiate(to->conn, &err);
        REQUIRE(r == HF_DONE || err.code != HF_OK);
        break;
    }
    case OP_MEMORY: REQUIRE(hf_conn_memory(from->conn) < 1 << 20); break;
    default: return;
    }
    run(p);
}

static void side_clear(struct side *s)
{
    buffer_clear(&s->in);
    buffer_clear(&s->data);
    buffer_clear(&s->sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    static struct play p;
    memset(&p, 0, sizeof p);
    unsigned client = feed_flags(&f), server = feed_flags(&f);
    ends_open(&p.e, client, server);
    p.client.conn = p.e.client;
    p.server.conn = p.e.server;
    p.client.chunk = feed_u8(&f);
    p.server.chunk = feed_u8(&f);
    unsigned ops = 0;
    if (feed_u8(&f) & 1) /* damage may come first */
        perform(&p, &f);
    if (client & SET_EARLY)
        send_early(&p);
    run(&p);
    check_ends(&p);
    while (f.left && ops++ < 60)
        perform(&p, &f);
    check_data(&p, &p.client, &p.server);
    check_data(&p, &p.server, &p.client);
    check_peace(&p, p.client.conn);
    check_peace(&p, p.server.conn);
    end_poke(p.client.conn);
    end_poke(p.server.conn);
    side_clear(&p.client);
    side_clear(&p.server);
    ends_close(&p.e);
    return 0;
}

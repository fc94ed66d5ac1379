/* script.c: a whole client or server (SERVER) against an honest peer whose messages are changed on
 * their way by somebody who has the keys. Everything behind the hellos is reached this way: whatever is
 * changed is protected again before it is delivered.
 *
 * Input: 24 bits of setup (ends.h); a message type and a 16-bit vector: if the type is not 0, the honest
 * peer itself puts these extensions into that message (so that both still see the same handshake);
 * then operations, one or more for each message of the peer's and, when it has no more, for records of
 * our own making. What must hold: if one byte of the handshake is not what the honest peer sent, the
 * handshake does not succeed; and two ends that have succeeded have the same secrets. With FORGE the
 * Finished is one that fits whatever the target has seen, as from an attacker who has made the key
 * exchange himself: then the peer's signature alone must keep him out. */
#include <string.h>

#include "ends.h"
#include "message/message.h"

/* The lowest 3 bits of an operation; the others may be added. */
enum {
    OP_PASS,
    OP_REPLACE, /* by a 16-bit vector */
    OP_XOR,     /* 16 bits of place, 8 bits */
    OP_DROP,
    OP_TWICE,
    /* a record before it: 8 bits of type (the top bit: unprotected whatever the keys),
     * 16-bit vector; then the next operation */
    OP_INSERT,
    OP_TRUNCATE, /* to 16 bits of length */
    OP_SPLIT,    /* into two records, at 16 bits of place */
    PAD = 8,     /* 8 bits of padding behind the content */
    SLOWLY = 16, /* 8 bits: so many bytes at a time */
    FORGE = 32,  /* a Finished, if it is one, is replaced by one that fits */
    REPEAT = 64, /* 8 bits: an insertion comes so many times more */
};

#define MAX_RECORDS 250

struct play {
    struct ends e;
    hf_conn *target, *peer;
    struct watch *honest;
    struct buffer to_target, to_peer;
    struct buffer delivered; /* handshake bytes that the target got until it was done */
    size_t chunk, pad, repeat;
    bool forge;
    size_t forged; /* bytes of the Finished that was forged, 0: none */
    hf_result last;
    unsigned records;
};

/* HelloRequests are ignored in a handshake, and in no transcript (RFC 5246 7.4.1.1). */
static size_t without_requests(uint8_t *p, size_t len)
{
    size_t kept = 0;
    for (size_t at = 0; at + MSG_HEADER <= len;) {
        size_t n = MSG_HEADER + ((size_t)p[at + 1] << 16 | (size_t)p[at + 2] << 8 | p[at + 3]);
        if (n > len - at)
            n = len - at;
        if (p[at] != MSG_HELLO_REQUEST) {
            memmove(p + kept, p + at, n);
            kept += n;
        }
        at += n;
    }
    return kept;
}

/* The target has done its handshake: with nobody but the honest peer? */
static void check_delivered(const struct play *p)
{
    size_t n = buffer_len(&p->delivered) - p->forged;
    /* With a key exchange and a Finished of his own an attacker is as good as a client without a
     * certificate, and as one who shares the session's secret. */
    bool signature = !SERVER || (p->e.flags & SET_REQUIRE);
    const uint8_t *honest = buffer_front(&p->honest->messages);
    bool old = end_is_old(p->target);
    /* A server of TLS 1.2 signs its key exchange and nothing else. */
    if (old && (!SERVER || !has_certificate12(p->target->est.suite)))
        signature = false;
    size_t len;
    /* a secret */
    bool shared = p->target->est.resumed || hf_conn_psk_identity(p->target, &len);
    if (p->forged && (shared || !signature))
        return;
    /* What is encrypted for the server's key is random: a recorded one is as good. */
    if (old && SERVER && p->target->est.suite->kex == KEX_RSA)
        return;
    if (old && !SERVER)
        n = without_requests(buffer_front(&p->delivered), n);
    REQUIRE(n <= buffer_len(&p->honest->messages));
    REQUIRE(memcmp(buffer_front(&p->delivered), honest, n) == 0);
    REQUIRE(!p->forged || honest[n] == MSG_FINISHED); /* nothing before it was left out */
}

/* One record. What is refused ends the play, but the target may be given more: it must stay dead. */
static void deliver(struct play *p, uint8_t type, struct slice content)
{
    bool before = end_done(p->target);
    if (content.len > REC_MAX_PLAIN + 300 || ++p->records > MAX_RECORDS)
        return;
    if (!before && type == REC_HANDSHAKE)
        REQUIRE(buffer_append(&p->delivered, content.p, content.len));
    buffer_clear(&p->to_target);
    end_seal(p->target, type, content, p->pad, &p->to_target);
    p->last = end_feed(p->target, &p->to_target, p->chunk, NULL);
    if (!before && end_done(p->target))
        check_delivered(p);
}

static void deliver_handshake(struct play *p, struct slice content)
{
    do {
        size_t limit =
            p->target->in.prot ? p->target->in.max_plain : 0; /* counts the type byte */
        size_t most = limit ? limit - 1 : 16000;
        struct slice part = slice_of(content.p, content.len < most ? content.len : most);
        deliver(p, REC_HANDSHAKE, part);
        content = slice_of(content.p + part.len, content.len - part.len);
    } while (content.len);
}

static uint8_t next_op(struct play *p, struct feed *f)
{
    uint8_t op = feed_u8(f);
    p->pad = op & PAD ? feed_u8(f) : 0;
    p->chunk = op & SLOWLY ? feed_u8(f) : 0;
    p->forge = op & FORGE;
    p->repeat = op & REPEAT ? feed_u8(f) : 0;
    return op & 7;
}

/* A record as anybody on the way can make it. */
static void deliver_raw(struct play *p, uint8_t type, struct slice content)
{
    uint8_t header[REC_HEADER] = {type, 3, 3};
    if (content.len > REC_MAX_PLAIN || ++p->records > MAX_RECORDS)
        return;
    bool before = end_done(p->target), keyed = p->target->in.prot != NULL;
    /* Handshake bytes that come unprotected count as well. */
    if (type == REC_HANDSHAKE && !before)
        REQUIRE(buffer_append(&p->delivered, content.p, content.len));
    put_u16(header + 3, (uint16_t)content.len);
    buffer_clear(&p->to_target);
    REQUIRE(buffer_append(&p->to_target, header, sizeof header));
    REQUIRE(buffer_append(&p->to_target, content.p, content.len));
    p->last = end_feed(p->target, &p->to_target, p->chunk, NULL);
    REQUIRE(before || !keyed || !end_done(p->target));
}

static void insert(struct play *p, struct feed *f)
{
    uint8_t type = feed_u8(f);
    struct slice content = feed_vec16(f);
    for (size_t i = 0; i <= p->repeat; i++) {
        if (type & 0x80)
            deliver_raw(p, type & 0x7f, content);
        else
            deliver(p, type, content);
    }
}

static bool forge_finished(struct play *p)
{
    uint8_t m[MSG_HEADER + HASH_MAX_SIZE] = {MSG_FINISHED};
    const struct hs *hs = p->target->hs;
    if (!hs || !p->target->in.prot)
        return false;
    if (end_is_old(p->target)) {
        if (!hs->ccs_seen || !hs->hash)
            return false;
        m[3] = FINISHED_MAX;
        keys12_finished(hs, SERVER, m + MSG_HEADER);
        p->forged = MSG_HEADER + FINISHED_MAX;
        deliver(p, REC_HANDSHAKE, slice_of(m, p->forged));
        return true;
    }
    m[3] = (uint8_t)hash_size(hs->hash);
    keys13_finished(hs, SERVER ? hs->client_hs : hs->server_hs, m + MSG_HEADER);
    p->forged = MSG_HEADER + m[3];
    deliver(p, REC_HANDSHAKE, slice_of(m, p->forged));
    return true;
}

/* Delivers one message of the honest peer's, as the next operation wants it. */
static void perform(struct play *p, struct feed *f, struct slice m)
{
    uint8_t op = next_op(p, f);
    while (op == OP_INSERT) {
        insert(p, f);
        op = next_op(p, f);
    }
    if (p->forge && m.p[0] == MSG_FINISHED && forge_finished(p))
        return;
    if (op == OP_REPLACE) {
        deliver_handshake(p, feed_vec16(f));
    } else if (op == OP_XOR) {
        size_t at = feed_u16(f);
        uint8_t *copy = mem_dup(m.p, m.len);
        REQUIRE(copy != NULL);
        copy[at % m.len] ^= feed_u8(f);
        deliver_handshake(p, slice_of(copy, m.len));
        free(copy);
    } else if (op == OP_TWICE) {
        deliver_handshake(p, m);
        deliver_handshake(p, m);
    } else if (op == OP_TRUNCATE) {
        size_t n = feed_u16(f);
        deliver_handshake(p, slice_of(m.p, n < m.len ? n : m.len));
    } else if (op == OP_SPLIT) {
        size_t n = feed_u16(f) % m.len;
        deliver(p, REC_HANDSHAKE, slice_of(m.p, n));
        deliver_handshake(p, slice_of(m.p + n, m.len - n));
    } else if (op != OP_DROP) {
        deliver_handshake(p, m);
    }
}

/* In TLS 1.2 a record stands before the Finished that is no message; it may be left out, come twice, or be
 * another. */
static void perform_ccs(struct play *p, struct feed *f)
{
    struct slice one = slice_of("\1", 1);
    uint8_t op = next_op(p, f);
    while (op == OP_INSERT) {
        insert(p, f);
        op = next_op(p, f);
    }
    p->forge = false;
    if (op == OP_REPLACE)
        one = feed_vec16(f);
    if (op != OP_DROP)
        deliver(p, REC_CCS, one);
    if (op == OP_TWICE)
        deliver(p, REC_CCS, one);
}

/* What the honest peer has sent and the target not been given yet, message by message. */
static bool perform_next(struct play *p, struct feed *f, size_t *at)
{
    const struct buffer *b = &p->honest->messages;
    size_t left = buffer_len(b) - *at;
    if (left < MSG_HEADER)
        return false;
    const uint8_t *m = buffer_front(b) + *at;
    size_t len = MSG_HEADER + ((size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3]);
    REQUIRE(len <= left);
    uint8_t *copy = mem_dup(m, len); /* the buffer may grow */
    REQUIRE(copy != NULL);
    *at += len;
    if (copy[0] == MSG_FINISHED && end_is_old(p->peer))
        perform_ccs(p, f);
    perform(p, f, slice_of(copy, len));
    free(copy);
    return true;
}

/* The target's own bytes reach the peer unchanged; the peer's bytes are thrown away, for its messages
 * are known from its trace. */
static void let_peer_answer(struct play *p)
{
    struct buffer waste = {0};
    (void)end_move(p->target, &p->to_peer);
    (void)end_move(p->peer, &waste);
    if (buffer_len(&p->to_peer))
        (void)end_feed(p->peer, &p->to_peer, 0, NULL);
    (void)end_move(p->peer, &waste);
    buffer_clear(&waste);
}

static void check_agreement(const struct play *p)
{
    uint8_t a[32], b[32];
    hf_error err = {0};
    if (!end_done(p->target) || !end_done(p->peer))
        return;
    REQUIRE(hf_conn_export(p->target, "agreed?", NULL, 0, a, sizeof a, &err));
    REQUIRE(hf_conn_export(p->peer, "agreed?", NULL, 0, b, sizeof b, &err));
    REQUIRE(memcmp(a, b, sizeof a) == 0);
    REQUIRE(hf_conn_suite(p->target) == hf_conn_suite(p->peer));
    REQUIRE(hf_conn_version(p->target) == hf_conn_version(p->peer));
    REQUIRE(hf_conn_resumed(p->target) == hf_conn_resumed(p->peer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    static struct play p;
    size_t at = 0;
    memset(&p, 0, sizeof p);
    unsigned flags = feed_flags(&f);
    p.e.hooked = feed_u8(&f);
    p.e.block = feed_vec16(&f);
    p.e.recorded = SERVER ? 1 : 2;
    /* The binder cannot be written into a hello that is not ours. */
    if (p.e.hooked == MSG_CLIENT_HELLO)
        flags &= ~(unsigned)SET_RESUME;
    ends_open(&p.e, flags, flags);
    p.target = SERVER ? p.e.server : p.e.client;
    p.peer = SERVER ? p.e.client : p.e.server;
    p.honest = SERVER ? &p.e.client_watch : &p.e.server_watch;
    do
        let_peer_answer(&p);
    while (perform_next(&p, &f, &at));
    check_agreement(&p);
    while (f.left && p.records < MAX_RECORDS) {
        (void)next_op(&p, &f);
        insert(&p, &f);
        let_peer_answer(&p);
        while (end_is_old(p.target) && perform_next(&p, &f, &at)) /* a renegotiation */
            let_peer_answer(&p);
    }
    /* Nobody is known later whom the honest client has not shown. */
    if (SERVER && hf_conn_post_auth(p.target) == HF_POST_AUTH_DONE && !end_failed(p.target) &&
        hf_conn_peer_certificate(p.target, 0))
        REQUIRE(hf_conn_post_auth(p.peer) == HF_POST_AUTH_DONE);
    bool dead = end_failed(p.target);
    REQUIRE(!dead || !end_done(p.target));
    end_poke(p.target);
    end_poke(p.peer);
    buffer_clear(&p.to_target);
    buffer_clear(&p.to_peer);
    buffer_clear(&p.delivered);
    ends_close(&p.e);
    return 0;
}

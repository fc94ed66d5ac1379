/* send.c: the write half: from application data to records. */
#include "connection/conn.h"
#include "handshake/padding.h"

enum { KEY_UPDATE_SIZE = MSG_HEADER + 1 };

bool conn_put_record(hf_conn *c, uint8_t type, const uint8_t *p, size_t len)
{
    padding_choose(c->config, c, &c->out, type, len, SIZE_MAX);
    uint8_t *out = buffer_reserve(&c->output, rec_sealed_size(&c->out, type, len));
    uint16_t version = c->out.version ? c->out.version : HF_TLS1_2;
    size_t size = out ? rec_seal(&c->out, type, version, p, len, out) : 0;
    padding_done(c->config, &c->out);
    if (!size)
        return false;
    c->output.end += size;
    trace_record(c->tracer, true, out, size);
    if (c->out.prot)
        trace_plaintext(c->tracer, true, type, p, len);
    return true;
}

void conn_put_alert(hf_conn *c, uint8_t level, uint8_t description)
{
    const uint8_t alert[2] = {level, description};
    hf_error err;
    err.code = HF_OK;
    /* Without memory for an alert there is nobody left to tell. */
    if (conn_awake(c, false, &err) && conn_put_record(c, REC_ALERT, alert, 2))
        trace_alert(c->tracer, true, alert, 2);
}

static hf_result renew_key(hf_conn *c, bool request)
{
    hf_error err;
    err.code = HF_OK;
    bool ok = conn_awake(c, false, &err);
    if (ok) {
        padding_choose(c->config, c, &c->out, REC_HANDSHAKE, KEY_UPDATE_SIZE, SIZE_MAX);
        ok = after13_key_update(&c->est, &c->out, request, &c->output, c->tracer, &err);
        padding_done(c->config, &c->out);
    }
    return ok ? HF_DONE : conn_fail(c, &err);
}

void conn_write_pending(hf_conn *c)
{
    unsigned state = conn_state(c);
    if (!(state & (HO_KEY_UPDATE | HO_REFUSE | HO_ALERT | HO_LATER)))
        return;
    if (state & HO_ALERT) {
        atomic_fetch_and(&c->handover,
                         ~(unsigned)(HO_ALERT | HO_REFUSE | HO_KEY_UPDATE | HO_LATER));
        if (!(state & HO_CLOSED_OUT))
            conn_put_alert(c, 2, c->error.alert);
        return;
    }
    atomic_fetch_and(&c->handover, ~(unsigned)(HO_REFUSE | HO_KEY_UPDATE | HO_LATER));
    if (state & (HO_CLOSED_OUT | HO_FAILED))
        return;
    if (state & HO_LATER)
        conn_later_send(c);
    if (state & HO_REFUSE)
        conn_put_alert(c, 1, 100); /* no_renegotiation */
    /* Who "receives multiple KeyUpdates while it is silent" answers "with a single update" (RFC 8446
     * 4.6.3): so that a flood of requests is not answered by a flood. */
    if (state & HO_KEY_UPDATE && !c->update_answered) {
        c->update_answered = true;
        (void)renew_key(c, false);
    }
}

const uint8_t *hf_conn_output(hf_conn *c, size_t *len)
{
    /* An unstarted client starts by asking what there is to send; after an answer it goes on. */
    if (c->hs && (!c->started || c->hs->answered))
        (void)conn_run(c);
    conn_write_pending(c);
    *len = buffer_len(&c->output);
    return *len ? buffer_front(&c->output) : NULL;
}

void hf_conn_output_done(hf_conn *c, size_t sent)
{
    size_t have = buffer_len(&c->output);
    buffer_drop(&c->output, sent < have ? sent : have);
}

size_t hf_conn_send_size(const hf_conn *c, size_t len)
{
    size_t most = rec_max_plain(&c->out), whole = len / most, rest = len % most;
    bool pads = padding_asked(c->config, &c->out);
    if (rest && pads)
        rest = most; /* what it will say is not known */
    size_t records = whole + (rest || !len);
    size_t size =
        buffer_len(&c->output) + 128; /* a KeyUpdate or alert that is not written yet */
    const struct later *l = c->hs ? NULL : later_of(&c->est);
    size_t later = l ? later_waiting(l, c->est.suite->hash) : 0;
    if (pads)
        size += rec_sealed_size(&c->out, REC_DATA, most);
    for (size_t piece; later; later -= piece) {
        piece = later < most ? later : most;
        size += rec_sealed_size(&c->out, REC_HANDSHAKE, piece);
    }
    if (c->config->key_update_after &&
        c->est.version == HF_TLS1_3) /* and those that will come between the records */
        size += records / c->config->key_update_after *
                rec_sealed_size(&c->out, REC_HANDSHAKE, KEY_UPDATE_SIZE);
    size += whole * rec_sealed_size(&c->out, REC_DATA, most);
    if (rec_first_fragment(&c->out, len, true) != len)
        size += rec_sealed_size(&c->out, REC_DATA, 1);
    return size + (rest || !len ? rec_sealed_size(&c->out, REC_DATA, rest) : 0);
}

/* How many bytes of plaintext fit into a record in `room` bytes; 0 if none. */
static size_t fitting(const hf_conn *c, size_t want, size_t room)
{
    size_t most = rec_max_plain(&c->out);
    size_t n = want < most ? want : most;
    size_t size = rec_sealed_size(&c->out, REC_DATA, n);
    if (size <= room)
        return n;
    size_t excess = size - room;
    while (n > excess) {
        n -= excess;
        size = rec_sealed_size(&c->out, REC_DATA, n);
        if (size <= room)
            return n;
        excess = size - room; /* padding rounds up */
    }
    return 0;
}

static bool must_renew(const hf_conn *c)
{
    if (c->est.version < HF_TLS1_3) /* has no KeyUpdate: at the limit sealing fails */
        return false;
    uint64_t after = c->config->key_update_after;
    return rec_wants_update(&c->out) || (after && c->out.seq >= after);
}

/* What waits goes first: it may be the KeyUpdate whose key the data will have. */
static size_t move_output(hf_conn *c, uint8_t *out, size_t room)
{
    size_t n = buffer_len(&c->output);
    if (n > room)
        n = room;
    if (n) {
        memcpy(out, buffer_front(&c->output), n);
        buffer_drop(&c->output, n);
    }
    return n;
}

static hf_result may_send(hf_conn *c)
{
    unsigned state = conn_state(c);
    if (state & HO_FAILED)
        return HF_FAILED;
    if (c->hs && !c->hs->may_send) /* a renegotiation that the peer has closed never ends */
        return state & HO_CLOSED_IN ? HF_CLOSED : HF_WANT_INPUT;
    return state & HO_CLOSED_OUT ? HF_CLOSED : HF_DONE;
}

/* The next record's content is made as long as the application wants it, if that fits. */
static void pad(hf_conn *c, size_t n, size_t room)
{
    padding_done(c->config, &c->out);
    size_t size = rec_sealed_size(&c->out, REC_DATA, n);
    padding_choose(c->config, c, &c->out, REC_DATA, n, room - size);
}

/* Fills `out` with what waits and with records of data, as far as both go. */
static hf_result seal_all(hf_conn *c, const uint8_t *data, size_t len, size_t *taken,
                          uint8_t *out, size_t out_size, size_t *written)
{
    NO_INIT hf_error err;
    hf_result r;
    err.code = HF_OK;
    while (*taken < len) {
        if (must_renew(c) && (r = renew_key(c, false)) != HF_DONE)
            return r;
        *written += move_output(c, out + *written, out_size - *written);
        size_t n = buffer_len(&c->output) ? 0 : fitting(c, len - *taken, out_size - *written);
        if (n == 0)
            break;
        n = rec_first_fragment(&c->out, n, *taken == 0);
        if (padding_asked(c->config, &c->out))
            pad(c, n, out_size - *written);
        size_t size = rec_seal(&c->out, REC_DATA, HF_TLS1_2, data + *taken, n, out + *written);
        padding_done(c->config, &c->out);
        if (!size) {
            err_set(&err, HF_E_CRYPTO, "a record cannot be sealed");
            return conn_fail(c, &err);
        }
        c->update_answered = false;
        trace_record(c->tracer, true, out + *written, size);
        trace_plaintext(c->tracer, true, REC_DATA, data + *taken, n);
        *taken += n;
        *written += size;
    }
    return *taken || *written || !len ? HF_DONE : HF_WANT_OUTPUT;
}

hf_result hf_conn_send(hf_conn *c, const uint8_t *data, size_t len, size_t *taken, uint8_t *out,
                       size_t out_size, size_t *written)
{
    NO_INIT hf_error err;
    *taken = *written = 0;
    if (c->hs && conn_run(c) == HF_WANT_ANSWER)
        return HF_WANT_ANSWER;
    hf_result r = may_send(c);
    if (r != HF_DONE)
        return r;
    err.code = HF_OK;
    if (!conn_awake(c, false, &err))
        return conn_fail(c, &err);
    conn_write_pending(c);
    return seal_all(c, data, len, taken, out, out_size, written);
}

/* ---- early data */

hf_early hf_conn_early_data(const hf_conn *c)
{
    return (hf_early)c->est.early;
}

const char *hf_conn_early_reason(const hf_conn *c)
{
    return early13_reason(&c->est);
}

size_t hf_conn_early_room(const hf_conn *c)
{
    unsigned over = HO_FAILED | HO_CLOSED_OUT;
    return c->hs && c->hs->early_out && !(conn_state(c) & over) ? c->hs->early_left : 0;
}

hf_result hf_conn_send_early(hf_conn *c, const uint8_t *data, size_t len, size_t *taken,
                             uint8_t *out, size_t out_size, size_t *written)
{
    *taken = *written = 0;
    if (c->hs && !c->started && conn_run(c) == HF_WANT_ANSWER)
        return HF_WANT_ANSWER;
    if (conn_state(c) & HO_FAILED)
        return HF_FAILED;
    size_t room = hf_conn_early_room(c);
    if (room == 0)
        return HF_CLOSED;
    hf_result r = seal_all(c, data, len < room ? len : room, taken, out, out_size, written);
    c->hs->early_left -= *taken;
    return r;
}

void hf_conn_close(hf_conn *c)
{
    if (conn_state(c) & (HO_CLOSED_OUT | HO_FAILED))
        return;
    conn_write_pending(c);
    /* In the middle of a handshake user_canceled says why (RFC 8446 6.1); one that has not begun
     * needs no end. */
    bool said = c->out.prot || buffer_len(&c->output) || c->started ||
                (c->hs && !c->est.server && c->hs->step != client13);
    if (c->hs && said)
        conn_put_alert(c, 1, 90);
    if (said)
        conn_put_alert(c, 1, 0);
    atomic_fetch_or(&c->handover, HO_CLOSED_OUT);
    if (c->hs)
        c->hs->cancelled = true;
}

hf_result hf_conn_key_update(hf_conn *c, bool request)
{
    hf_result r = may_send(c);
    if (r != HF_DONE)
        return r;
    if (c->est.version != HF_TLS1_3)
        return HF_CLOSED;
    conn_write_pending(c);
    return renew_key(c, request);
}

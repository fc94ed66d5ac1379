/* object.c: a connection between two queues of bytes. */
#include "connection/queue.h"

#define PIECE 16384 /* plaintext that is protected at a time */

struct hf_object {
    hf_conn *conn;
    hf_memory *in, *out;
    struct buffer plain; /* received, and not read yet */
};

hf_object *hf_object_new(hf_conn *conn, hf_memory *incoming, hf_memory *outgoing, hf_error *err)
{
    bool good = conn && incoming && outgoing;
    hf_object *o = NULL;

    if (conn)
        err_begin(err);
    if (!good)
        err_set(err, HF_E_USAGE, "hf_object_new: the %s is NULL",
                !conn ? "connection" : "memory");
    else if (!(o = mem_new(sizeof *o)))
        err_set(err, HF_E_NO_MEMORY, "for an object");
    if (!o) {
        hf_conn_free(conn);
        return NULL;
    }
    o->conn = conn;
    o->in = hf_memory_ref(incoming);
    o->out = hf_memory_ref(outgoing);
    return o;
}

void hf_object_free(hf_object *o)
{
    if (!o)
        return;
    hf_conn_free(o->conn);
    hf_memory_free(o->in);
    hf_memory_free(o->out);
    buffer_clear(&o->plain);
    mem_free(o);
}

hf_conn *hf_object_conn(const hf_object *o)
{
    return o->conn;
}

size_t hf_object_pending(const hf_object *o)
{
    return buffer_len(&o->plain);
}

static hf_result failed(const hf_object *o, hf_error *err)
{
    const hf_error *mine = hf_conn_error(o->conn);
    if (mine && err)
        *err = *mine;
    return HF_FAILED;
}

/* What the protocol has to say goes out in any case, an alert above all. */
static bool flush(hf_object *o, hf_error *err)
{
    size_t len;
    const uint8_t *p = hf_conn_output(o->conn, &len);
    if (!len)
        return true;
    if (!memory_may_write(o->out, err))
        return false;
    if (!buffer_append(&o->out->bytes, p, len))
        return err_set(err, HF_E_NO_MEMORY, "for %zu bytes to the peer", len);
    hf_conn_output_done(o->conn, len);
    return true;
}

/* Gives the connection what there is, up to the first piece of data, which goes to `out` as far as it fits. */
static hf_result receive(hf_object *o, uint8_t *out, size_t room, size_t *n, hf_error *err)
{
    size_t used, len;
    uint8_t *data;
    hf_result r = hf_conn_receive(o->conn, buffer_front(&o->in->bytes),
                                  buffer_len(&o->in->bytes), &used, &data, &len);
    size_t now = len < room ? len : room;
    if (now)
        memcpy(out, data, now);
    *n = now;
    if (len > now && !buffer_append(&o->plain, data + now, len - now)) {
        err_set(err, HF_E_NO_MEMORY, "for %zu bytes of data", len);
        return HF_FAILED;
    }
    if (used)
        buffer_drop(&o->in->bytes, used);
    if (r == HF_WANT_INPUT && o->in->ended)
        r = hf_conn_receive_end(o->conn);
    if (!flush(o, err))
        return HF_FAILED;
    return r == HF_FAILED ? failed(o, err) : r;
}

hf_result hf_object_handshake(hf_object *o, hf_error *err)
{
    size_t n;
    err_begin(err);
    hf_result r = hf_conn_handshake(o->conn);
    if (!flush(o, err))
        return HF_FAILED;
    while (r == HF_WANT_INPUT || r == HF_DONE) {
        if (!(hf_conn_wants(o->conn) & HF_IN_HANDSHAKE))
            return HF_DONE;
        r = receive(o, NULL, 0, &n, err);
        if (r == HF_WANT_INPUT && hf_conn_wants(o->conn) & HF_IN_HANDSHAKE)
            return r;
    }
    return r == HF_FAILED ? failed(o, err) : r;
}

/* HF_DONE: there is nothing of the handshake left to do. */
static hf_result be_ready(hf_object *o, hf_error *err)
{
    err_begin(err);
    if (hf_conn_wants(o->conn) & HF_IN_HANDSHAKE)
        return hf_object_handshake(o, err);
    return flush(o, err) ? HF_DONE : HF_FAILED;
}

static size_t take_plain(hf_object *o, uint8_t *out, size_t len)
{
    size_t n = buffer_len(&o->plain) < len ? buffer_len(&o->plain) : len;
    if (n) {
        memcpy(out, buffer_front(&o->plain), n);
        buffer_drop(&o->plain, n);
    }
    return n;
}

hf_result hf_object_read(hf_object *o, void *out, size_t len, size_t *n, hf_error *err)
{
    *n = 0;
    hf_result r = be_ready(o, err);
    if (r != HF_DONE || !len)
        return r;
    if ((*n = take_plain(o, out, len)) > 0)
        return HF_DONE;
    r = receive(o, out, len, n, err);
    if (r != HF_DONE)
        *n = 0;
    return r;
}

hf_result hf_object_write(hf_object *o, const void *data, size_t len, hf_error *err)
{
    const uint8_t *from = data;
    hf_result r = be_ready(o, err);
    if (r != HF_DONE || !len)
        return r;
    if (!memory_may_write(o->out, err))
        return HF_FAILED;
    /* The room for all of it first: then nothing can fail half-way for want of memory. */
    if (!buffer_reserve(&o->out->bytes,
                        hf_conn_send_size(o->conn, PIECE) * (1 + (len - 1) / PIECE))) {
        err_set(err, HF_E_NO_MEMORY, "for %zu bytes to the peer", len);
        return HF_FAILED;
    }
    while (len > 0) {
        size_t taken, written, size = hf_conn_send_size(o->conn, len < PIECE ? len : PIECE);
        uint8_t *out = buffer_reserve(&o->out->bytes, size);
        if (!out) {
            err_set(err, HF_E_NO_MEMORY, "for %zu bytes to the peer", len);
            return HF_FAILED;
        }
        r = hf_conn_send(o->conn, from, len < PIECE ? len : PIECE, &taken, out, size, &written);
        if (r != HF_DONE)
            return r == HF_FAILED ? failed(o, err) : r;
        o->out->bytes.end += written;
        from += taken;
        len -= taken;
    }
    return HF_DONE;
}

hf_result hf_object_unwrap(hf_object *o, hf_error *err)
{
    size_t n;
    err_begin(err);
    if (hf_conn_wants(o->conn) & HF_IS_FAILED)
        return failed(o, err);
    hf_conn_close(o->conn);
    if (!flush(o, err))
        return HF_FAILED;
    for (;;) {
        if (hf_conn_wants(o->conn) & HF_IS_CLOSED_IN)
            return HF_DONE;
        hf_result r = receive(o, NULL, 0, &n, err);
        if (r == HF_CLOSED)
            return HF_DONE;
        if (r != HF_DONE)
            return r;
    }
}

/* early.c: early data (RFC 8446 4.2.10). */
#include "libssl/local.h"

/* ---- client */

static bool may_offer(const SSL *s)
{
    return (s->session && SSL_SESSION_get_max_early_data(s->session) > 0) ||
           s->settings->psk_use_cb;
}

static int begin_writing(SSL *s)
{
    if (s->server || s->phase != PHASE_BEFORE || !may_offer(s)) {
        raise_ssl(ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        return 0;
    }
    struct settings *t = settings_edit(&s->settings);
    if (!t)
        return 0;
    t->offer_early = true;
    s->early_state = EARLY_WRITING;
    error_forget();
    return ssl_start(s);
}

static int seal_early(SSL *s, const void *buf, size_t num)
{
    size_t taken = 0, written = 0, size = hf_conn_send_size(s->conn, num) + 2048;
    if (hf_conn_early_room(s->conn) < num) {
        raise_ssl(SSL_R_TOO_MUCH_EARLY_DATA);
        return 0;
    }
    s->out = OPENSSL_malloc(size);
    if (!s->out) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    hf_result r = hf_conn_send_early(s->conn, buf, num, &taken, s->out, size, &written);
    s->out_size = size;
    s->out_start = 0;
    s->out_end = written;
    if (r == HF_FAILED) {
        (void)ssl_failed(s);
        return 0;
    }
    if (r != HF_DONE || taken != num) {
        raise_ssl(ERR_R_INTERNAL_ERROR);
        return 0;
    }
    s->write_buf = buf;
    s->write_len = s->write_done = num;
    return 1;
}

/* A server may answer early data before it knows who has sent it (RFC 8446 2.3, 4.4.4). */
static int write_as_server(SSL *s, const void *buf, size_t num, size_t *written)
{
    bool reads = s->early_state == EARLY_READING || s->early_state == EARLY_FINISHED;
    if (!reads || !s->conn || !(hf_conn_wants(s->conn) & HF_CAN_SEND)) {
        raise_ssl(ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        return 0;
    }
    int n = ssl_write(s, buf, num, written, s->phase == PHASE_HANDSHAKE);
    if (n > 0 && s->wbio)
        (void)BIO_flush(s->wbio); /* what comes early is not to wait for more */
    return n > 0;
}

/* A write that blocked is asked for again with the same bytes, as with SSL_write. */
int SSL_write_early_data(SSL *s, const void *buf, size_t num, size_t *written)
{
    s->raised = false;
    if (s->role_set && s->server)
        return write_as_server(s, buf, num, written);
    if (!s->role_set)
        SSL_set_connect_state(s);
    if (s->early_state != EARLY_WRITING && !begin_writing(s))
        return 0;
    if (s->phase == PHASE_DONE) { /* the handshake went on in SSL_read or SSL_write */
        raise_ssl(ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        return 0;
    }
    s->rwstate = SSL_NOTHING;
    if (hf_conn_handshake(s->conn) == HF_FAILED) {
        (void)ssl_failed(s);
        return 0;
    }
    if (!s->write_buf) {
        if (ssl_flush(s) != 1)
            return 0;
        if (num && !seal_early(s, buf, num))
            return 0;
    }
    if (ssl_flush(s) != 1)
        return 0;
    s->early_pause = true;
    *written = num;
    s->write_buf = NULL;
    s->write_len = s->write_done = 0;
    return 1;
}

/* ---- server */

int SSL_read_early_data(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    *readbytes = 0;
    if (!s->role_set)
        SSL_set_accept_state(s);
    bool begun = s->early_state == EARLY_READING || s->early_blocked;
    if (!s->server || (!begun && s->phase != PHASE_BEFORE)) {
        raise_ssl(ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        return SSL_READ_EARLY_DATA_ERROR;
    }
    s->early_state = EARLY_READING;
    s->raised = s->early_blocked = false;
    if (!s->plain_len) {
        int n = s->phase == PHASE_DONE ? 1 : ssl_run(s);
        if (n <= 0) {
            s->early_pause =
                s->phase == PHASE_HANDSHAKE && hf_conn_early_data(s->conn) == HF_EARLY_ACCEPTED;
            s->early_blocked = !s->early_pause;
            return SSL_READ_EARLY_DATA_ERROR;
        }
    }
    if (s->plain_len && s->phase != PHASE_DONE) {
        size_t n = num < s->plain_len ? num : s->plain_len;
        memcpy(buf, s->plain, n);
        s->plain += n;
        s->plain_len -= n;
        ssl_release(s);
        s->early_pause = true;
        *readbytes = n;
        return SSL_READ_EARLY_DATA_SUCCESS;
    }
    s->early_state = EARLY_FINISHED;
    s->early_pause = s->phase == PHASE_HANDSHAKE;
    return SSL_READ_EARLY_DATA_FINISH;
}

bool early_accept(SSL *s)
{
    const struct settings *t = s->settings;
    return s->early_state == EARLY_READING &&
           (!t->early_cb || t->early_cb(s, t->early_arg) > 0);
}

int SSL_get_early_data_status(const SSL *s)
{
    switch (s->conn ? hf_conn_early_data(s->conn) : HF_EARLY_NONE) {
    case HF_EARLY_ACCEPTED: return SSL_EARLY_DATA_ACCEPTED;
    case HF_EARLY_REFUSED: return SSL_EARLY_DATA_REJECTED;
    case HF_EARLY_NONE:
    case HF_EARLY_OFFERED:
    default:
        return s->early_state == EARLY_WRITING ? SSL_EARLY_DATA_REJECTED
                                               : SSL_EARLY_DATA_NOT_SENT;
    }
}

int SSL_export_keying_material_early(SSL *s, unsigned char *out, size_t olen, const char *label,
                                     size_t llen, const unsigned char *context,
                                     size_t contextlen)
{
    hf_error err = {0};
    char name[256];
    if (!s->conn || llen >= sizeof name || memchr(label, 0, llen))
        return 0;
    memcpy(name, label, llen);
    name[llen] = 0;
    /* As with the other exporter of TLS 1.3 none is the same as an empty one. */
    return hf_conn_export_early(s->conn, name, context, context ? contextlen : 0, out, olen,
                                &err);
}

/* ---- buffers: they exist while something is in them */

int SSL_alloc_buffers(SSL *s)
{
    (void)s;
    return 1;
}

int SSL_free_buffers(SSL *s)
{
    if (s->out || SSL_has_pending(s))
        return 0;
    ssl_release(s);
    return 1;
}

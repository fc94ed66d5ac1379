/* io.c: application data, and the end of a connection. */
#include "libssl/local.h"

/* ---- what went wrong */

/* 0: the transport does not say. */
static int reason_to_wait(BIO *bio, bool writing)
{
    if (!bio)
        return 0;
    if (writing && BIO_should_write(bio))
        return SSL_ERROR_WANT_WRITE;
    if (BIO_should_read(bio))
        return SSL_ERROR_WANT_READ;
    if (BIO_should_write(bio))
        return SSL_ERROR_WANT_WRITE;
    if (!BIO_should_io_special(bio))
        return 0;
    switch (BIO_get_retry_reason(bio)) {
    case BIO_RR_CONNECT: return SSL_ERROR_WANT_CONNECT;
    case BIO_RR_ACCEPT: return SSL_ERROR_WANT_ACCEPT;
    default: return SSL_ERROR_SYSCALL;
    }
}

int SSL_get_error(const SSL *s, int ret)
{
    if (ret > 0)
        return SSL_ERROR_NONE;
    unsigned long code = ERR_peek_error();
    if (code)
        return ERR_GET_LIB(code) == ERR_LIB_SYS ? SSL_ERROR_SYSCALL : SSL_ERROR_SSL;
    int reason;
    switch (s->rwstate) {
    case SSL_READING:
        if ((reason = reason_to_wait(s->rbio, false)) != 0)
            return reason;
        break;
    case SSL_WRITING:
        if ((reason = reason_to_wait(s->wbio, true)) != 0)
            return reason;
        break;
    case SSL_X509_LOOKUP: return SSL_ERROR_WANT_X509_LOOKUP;
    case SSL_RETRY_VERIFY: return SSL_ERROR_WANT_RETRY_VERIFY;
    case SSL_CLIENT_HELLO_CB: return SSL_ERROR_WANT_CLIENT_HELLO_CB;
    default: break;
    }
    /* Also behind a fatal alert, whose own call has told of it, and where the application has set it. */
    return s->shutdown & SSL_RECEIVED_SHUTDOWN ? SSL_ERROR_ZERO_RETURN : SSL_ERROR_SYSCALL;
}

int ssl_give_up(SSL *s, int reason)
{
    int want = s->rwstate;
    s->phase = PHASE_FAILED;
    s->error_code = reason;
    raise_ssl(reason);
    if (s->conn && !(s->shutdown & SSL_SENT_SHUTDOWN)) {
        access_conn_fail(s->conn, HF_E_USAGE, SSL_AD_INTERNAL_ERROR, "");
        if (!s->out && s->wbio)
            (void)ssl_flush(s);
    }
    s->rwstate = want;
    return -1;
}

/* ---- reading */

/* A record without application data has been read, and the program wants to know (SSL_CTX_set_mode(3): without
 * SSL_MODE_AUTO_RETRY); on a blocking transport it might wait for long otherwise. */
static bool ends_here(SSL *s)
{
    if (s->settings->mode & SSL_MODE_AUTO_RETRY || s->in_start < s->in_end ||
        s->shutdown & SSL_RECEIVED_SHUTDOWN || !s->rbio)
        return false;
    s->rwstate = SSL_READING;
    BIO_clear_retry_flags(s->rbio);
    BIO_set_retry_read(s->rbio);
    return true;
}

/* Gets plaintext: 1 with s->plain_len, or what SSL_read returns. */
static int more_data(SSL *s)
{
    while (!s->plain_len) {
        hf_result r;
        if (ssl_in_progress(s)) {
            int n = ssl_run(s);
            if (s->plain_len)
                break;
            state_info(s, s->server ? SSL_CB_ACCEPT_EXIT : SSL_CB_CONNECT_EXIT, n);
            if (n != 1)
                return n;
        }
        bool had = s->in_start < s->in_end;
        r = ssl_take(s);
        if (s->plain_len)
            break;
        if (r == HF_FAILED) {
            /* By the peer's alert it ends like a stream that is over. */
            (void)ssl_failed(s);
            return s->shutdown & SSL_RECEIVED_SHUTDOWN ? 0 : -1;
        }
        if (r == HF_CLOSED) {
            s->shutdown |= SSL_RECEIVED_SHUTDOWN;
            s->rwstate = SSL_NOTHING;
            return 0;
        }
        if (r == HF_WANT_ANSWER)
            continue; /* ssl_run asks */
        /* A KeyUpdate is answered at once where that does not block. */
        if (!s->out && ssl_flush(s) != 1)
            s->rwstate = SSL_NOTHING;
        if (ssl_in_progress(s))
            continue; /* the peer renegotiates */
        if (had && ends_here(s))
            return -1;
        int n = ssl_fill(s);
        if (n <= 0)
            return n;
    }
    return 1;
}

/* Who has begun with early data goes on with it (SSL_read_early_data(3)). */
static bool early_first(const SSL *s)
{
    if (s->early_blocked)
        raise_ssl(ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
    return s->early_blocked;
}

static int read_now(SSL *s, void *buf, size_t num, size_t *readbytes, bool peek)
{
    s->raised = false;
    if (!s->role_set) {
        raise_ssl(SSL_R_UNINITIALIZED);
        return -1;
    }
    if (!peek && early_first(s))
        return 0;
    s->rwstate = SSL_NOTHING;
    if (s->shutdown & SSL_RECEIVED_SHUTDOWN)
        return 0;
    if (!ssl_renegotiate_asked(s))
        return -1;
    if (!s->plain_len) {
        if (s->phase != PHASE_DONE) {
            int n = SSL_do_handshake(s);
            if (n <= 0)
                return -1;
        }
        int n = more_data(s);
        if (n <= 0)
            return n;
    }
    if (num == 0)
        return 0; /* there is something to be read, and that is all that it says */
    size_t n = num < s->plain_len ? num : s->plain_len;
    memcpy(buf, s->plain, n);
    if (!peek) {
        if (s->settings->options & SSL_OP_CLEANSE_PLAINTEXT)
            OPENSSL_cleanse(s->plain, n);
        s->plain += n;
        s->plain_len -= n;
        ssl_release(s);
    }
    *readbytes = n;
    return 1;
}

static int read_or_peek(SSL *s, void *buf, size_t num, size_t *readbytes, bool peek)
{
    NO_INIT unsigned char memory[LENT];
    bool lent = ssl_lend(s, memory);
    int ret = read_now(s, buf, num, readbytes, peek);
    if (lent && !ssl_lend_no_more(s))
        return ssl_give_up(s, ERR_R_MALLOC_FAILURE);
    return ret;
}

int SSL_read_ex(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    return read_or_peek(s, buf, num, readbytes, false) > 0;
}

int SSL_peek_ex(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    return read_or_peek(s, buf, num, readbytes, true) > 0;
}

static int with_int(SSL *s, void *buf, int num, bool peek)
{
    size_t n;
    if (num < 0) {
        raise_ssl(SSL_R_BAD_LENGTH);
        return -1;
    }
    int ret = read_or_peek(s, buf, (size_t)num, &n, peek);
    return ret > 0 ? (int)n : ret;
}

int SSL_read(SSL *s, void *buf, int num)
{
    return with_int(s, buf, num, false);
}

int SSL_peek(SSL *s, void *buf, int num)
{
    return with_int(s, buf, num, true);
}

int SSL_pending(const SSL *s)
{
    return s->plain_len > INT_MAX ? INT_MAX : (int)s->plain_len;
}

int SSL_has_pending(const SSL *s)
{
    return s->plain_len || s->in_start < s->in_end || s->header_len;
}

/* ---- writing */

/* With partial writes the application is told of each record; without, what it gave becomes records together, as
 * far as one system call is worth it. */
enum { WRITE_AT_ONCE = 4 * 16384 };

static int not_sealed(SSL *s, hf_result r)
{
    if (r == HF_FAILED)
        return ssl_failed(s);
    OPENSSL_free(s->out);
    s->out = NULL;
    s->out_size = s->out_end = 0;
    raise_ssl(r == HF_CLOSED ? SSL_R_PROTOCOL_IS_SHUTDOWN : ERR_R_INTERNAL_ERROR);
    return -1;
}

/* What the bytes become is given to the transport with the next flush; if it is short, at once. */
static int seal(SSL *s, const unsigned char *buf, size_t num)
{
    NO_INIT unsigned char lent[LENT];
    size_t fragment = s->settings->max_send_fragment;
    size_t most = s->settings->mode & SSL_MODE_ENABLE_PARTIAL_WRITE
                      ? fragment
                      : WRITE_AT_ONCE / fragment * fragment;
    size_t left = num - s->write_done, n = left < most ? left : most;
    size_t size = hf_conn_send_size(s->conn, n), taken = 0, written = 0;
    bool is_short = size <= sizeof lent;
    unsigned char *to = is_short ? lent : (s->out = OPENSSL_malloc(size));
    if (!to) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return -1;
    }
    hf_result r = hf_conn_send(s->conn, buf + s->write_done, n, &taken, to, size, &written);
    if (!is_short) {
        s->out_size = size;
        s->out_start = 0;
        s->out_end = written;
    } else if (r == HF_FAILED && written && !ssl_keep_output(s, lent, written)) {
        return -1;
    }
    s->write_done += taken;
    if (r != HF_DONE || !taken)
        return not_sealed(s, r);
    s->write_buf = buf;
    s->write_len = s->write_done;
    return is_short ? ssl_send(s, lent, written) : 1;
}

/* A write that blocked must be asked for again with the same bytes: what is sealed already is on its way. Who does
 * not know what he has sent has no connection any more. */
static bool is_retry(SSL *s, const void *buf)
{
    if (buf == s->write_buf || s->settings->mode & SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        return true;
    (void)ssl_give_up(s, SSL_R_BAD_WRITE_RETRY);
    return false;
}

static int write_all(SSL *s, const unsigned char *buf, size_t num, size_t *written)
{
    bool partial = s->settings->mode & SSL_MODE_ENABLE_PARTIAL_WRITE, sealed = false;
    for (;;) {
        int n = s->out ? ssl_flush(s) : 1;
        if (n != 1)
            return n;
        if (s->write_done == num || (partial && sealed))
            break;
        if ((n = seal(s, buf, num)) != 1)
            return n;
        sealed = true;
    }
    *written = s->write_done;
    s->write_buf = NULL;
    s->write_len = s->write_done = 0;
    return 1;
}

int ssl_write(SSL *s, const void *buf, size_t num, size_t *written, bool early)
{
    s->raised = false;
    if (!s->role_set) {
        raise_ssl(SSL_R_UNINITIALIZED);
        return -1;
    }
    if (!early && early_first(s))
        return 0;
    s->rwstate = SSL_NOTHING;
    if (s->shutdown & SSL_SENT_SHUTDOWN) {
        raise_ssl(SSL_R_PROTOCOL_IS_SHUTDOWN);
        return -1;
    }
    if (s->write_buf && num < s->write_len)
        return ssl_give_up(s, SSL_R_BAD_LENGTH);
    if (!ssl_renegotiate_asked(s))
        return -1;
    if (!early && (s->phase != PHASE_DONE || ssl_in_progress(s))) {
        int n = SSL_do_handshake(s);
        if (n <= 0)
            return -1;
    }
    if (s->write_buf && !is_retry(s, buf))
        return -1;
    if (!s->write_buf && ssl_flush(s) != 1)
        return -1;
    if (num == 0 && !s->write_buf) {
        *written = 0;
        return 1;
    }
    return write_all(s, buf, num, written);
}

int SSL_write_ex(SSL *s, const void *buf, size_t num, size_t *written)
{
    return ssl_write(s, buf, num, written, false) > 0;
}

int SSL_write(SSL *s, const void *buf, int num)
{
    size_t n;
    if (num < 0) {
        raise_ssl(SSL_R_BAD_LENGTH);
        return -1;
    }
    int ret = ssl_write(s, buf, (size_t)num, &n, false);
    return ret > 0 ? (int)n : ret;
}

ossl_ssize_t SSL_sendfile(SSL *s, int fd, off_t offset, size_t size, int flags)
{
    (void)s, (void)fd, (void)offset, (void)size, (void)flags;
    raise_ssl_text(SSL_R_UNINITIALIZED,
                   "there is no kernel TLS here: BIO_get_ktls_send() says so");
    return -1;
}

/* ---- the end */

static int wait_for_close(SSL *s)
{
    int n = more_data(s);
    if (s->plain_len) {
        s->plain_len = 0;
        ssl_release(s); /* the peer gets no alert behind close_notify */
        return ssl_give_up(s, SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY);
    }
    return s->shutdown & SSL_RECEIVED_SHUTDOWN ? 1 : n < 0 ? n : -1;
}

bool ssl_output_waits(const SSL *s)
{
    size_t len = 0;
    return s->out || (hf_conn_output(s->conn, &len) && len > 0);
}

int SSL_shutdown(SSL *s)
{
    const int both = SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN;
    s->raised = false;
    if (!s->role_set) {
        raise_ssl(SSL_R_UNINITIALIZED);
        return -1;
    }
    if (s->phase != PHASE_DONE || ssl_in_progress(s) || SSL_in_init(s)) {
        raise_ssl(SSL_R_SHUTDOWN_WHILE_IN_INIT);
        return -1;
    }
    if (s->settings->quiet_shutdown) {
        s->shutdown = both;
        return 1;
    }
    s->rwstate = SSL_NOTHING;
    if (!(s->shutdown & SSL_SENT_SHUTDOWN)) {
        s->shutdown |= SSL_SENT_SHUTDOWN;
        hf_conn_close(s->conn);
        if (ssl_flush(s) != 1)
            return -1;
    } else if (ssl_output_waits(s)) {
        int n = ssl_flush(s);
        if (n != 1)
            return n;
    } else if (!(s->shutdown & SSL_RECEIVED_SHUTDOWN)) {
        int n = wait_for_close(s);
        if (n != 1)
            return n;
    }
    return s->shutdown == both;
}

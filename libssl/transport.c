/* transport.c: between the engine and the application's BIOs. */
#include "libssl/local.h"

#include <poll.h>

enum { RECORD_HEADER = 5, READ_AHEAD = 16 * 1024 };

/* ---- bytes from the peer */

void ssl_release(SSL *s)
{
    if (s->plain_len || s->in_start < s->in_end || s->header_len)
        return;
    if (s->in != s->lent)
        OPENSSL_free(s->in); /* ciphertext, or what the application might have wiped */
    s->in = NULL;
    s->in_size = s->in_start = s->in_end = 0;
}

bool ssl_lend(SSL *s, unsigned char lent[LENT])
{
    if (s->lent || s->phase != PHASE_DONE)
        return false;
    s->lent = lent;
    return true;
}

bool ssl_lend_no_more(SSL *s)
{
    unsigned char *lent = s->lent, *own;
    s->lent = NULL;
    if (s->in != lent)
        return true;
    if (!s->plain_len && s->in_start == s->in_end) {
        s->in = NULL;
        s->in_size = s->in_start = s->in_end = 0;
        return true;
    }
    if (!(own = OPENSSL_malloc(s->in_end))) {
        s->in = NULL;
        s->in_size = s->in_start = s->in_end = s->plain_len = 0;
        return false;
    }
    memcpy(own, lent, s->in_end);
    if (s->plain_len)
        s->plain = own + (s->plain - lent);
    s->in = own;
    s->in_size = s->in_end;
    return true;
}

hf_result ssl_take(SSL *s)
{
    size_t used = 0;
    uint8_t *data = NULL;
    size_t len = 0;
    static uint8_t nothing[1];
    uint8_t *p = s->in ? s->in + s->in_start : nothing;
    s->in_callback = true;
    hf_result r = hf_conn_receive(s->conn, p, s->in_end - s->in_start, &used, &data, &len);
    s->in_callback = false;
    s->in_start += used;
    s->plain = data;
    s->plain_len = len;
    ssl_release(s);
    post_auth_progress(s);
    return r;
}

/* A stream that ends without close_notify may have been cut short by anybody on the line; OpenSSL's programs may
 * choose to take it for one (SSL_OP_IGNORE_UNEXPECTED_EOF). The peer, who may still read, is told by an alert. */
static void at_end(SSL *s)
{
    if (s->settings->options & SSL_OP_IGNORE_UNEXPECTED_EOF) {
        s->shutdown |= SSL_RECEIVED_SHUTDOWN;
        return;
    }
    bool shaking = ssl_in_progress(s);
    access_conn_fail(s->conn, shaking ? HF_E_HANDSHAKE_CUT : HF_E_TRUNCATED,
                     SSL_AD_DECODE_ERROR, "");
    (void)ssl_failed(s);
    s->rwstate = shaking ? SSL_READING : SSL_NOTHING;
}

/* Reads at most len bytes: more than 0, or what ssl_fill returns. */
static int read_some(SSL *s, unsigned char *out, size_t len)
{
    if (!s->rbio)
        return ssl_give_up(s, SSL_R_READ_BIO_NOT_SET);
    errno = 0;
    s->rwstate = SSL_READING;
    int n = BIO_read(s->rbio, out, (int)len);
    if (n > 0) {
        s->rwstate = SSL_NOTHING;
        return n;
    }
    if (!BIO_should_retry(s->rbio) && BIO_eof(s->rbio))
        at_end(s);
    return n;
}

static bool make_room(SSL *s, size_t size)
{
    if (s->in && s->in_size >= size) {
        if (s->in_start + size > s->in_size || s->in_start == s->in_end) {
            memmove(s->in, s->in + s->in_start, s->in_end - s->in_start);
            s->in_end -= s->in_start;
            s->in_start = 0;
        }
        return true;
    }
    bool lent = s->lent && !s->in && size <= LENT;
    unsigned char *more = lent ? s->lent : OPENSSL_malloc(size);
    size_t have = s->in_end - s->in_start;
    if (!more) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        s->rwstate = SSL_NOTHING;
        return false;
    }
    if (have)
        memcpy(more, s->in + s->in_start, have);
    if (s->in != s->lent)
        OPENSSL_free(s->in);
    s->in = more;
    s->in_size = lent ? LENT : size;
    s->in_start = 0;
    s->in_end = have;
    return true;
}

/* The first bytes of a record are read aside, since most records are short: what is kept is as long as they are, and
 * a thousand idle connections keep nothing. */
static int fill_aside(SSL *s)
{
    NO_INIT unsigned char aside[READ_AHEAD + 512];
    int n = read_some(s, aside, sizeof aside);
    if (n <= 0)
        return n;
    if (!make_room(s, (size_t)n))
        return -1;
    memcpy(s->in, aside, (size_t)n);
    s->in_end = (size_t)n;
    return 1;
}

/* As many bytes as there are, up to a record and more. */
static int fill_ahead(SSL *s)
{
    size_t have = s->in_end - s->in_start;
    size_t want = hf_conn_next_size(s->conn, s->in ? s->in + s->in_start : NULL, have);
    size_t size = s->settings->read_buffer_len > READ_AHEAD ? s->settings->read_buffer_len
                                                            : READ_AHEAD + 512;
    if (!s->in && size == READ_AHEAD + 512)
        return fill_aside(s);
    if (want > HF_RECORD_MAX + 512 || want <= have)
        want = have + 1; /* it will be refused */
    if (!make_room(s, want > size ? want : size))
        return -1;
    int n = read_some(s, s->in + s->in_end, s->in_size - s->in_end);
    if (n > 0)
        s->in_end += (size_t)n;
    else
        ssl_release(s); /* idle connections keep no buffer */
    return n > 0 ? 1 : n;
}

/* Not a byte past the record's end, so that the application may go on with the bare transport behind
 * close_notify, or hand the socket to somebody else. */
static int fill_header(SSL *s, size_t *want)
{
    while (s->header_len < RECORD_HEADER) {
        int n = read_some(s, s->header + s->header_len, RECORD_HEADER - s->header_len);
        if (n <= 0)
            return n;
        s->header_len = (uint8_t)(s->header_len + n);
    }
    size_t size = *want = hf_conn_next_size(s->conn, s->header, RECORD_HEADER);
    /* What is no record, or too long for one, the engine refuses by its first bytes. */
    if (size > HF_RECORD_MAX + 1024 || size < RECORD_HEADER)
        size = RECORD_HEADER;
    if (!make_room(s, size))
        return -1;
    memcpy(s->in + s->in_end, s->header, RECORD_HEADER);
    s->in_end += RECORD_HEADER;
    s->header_len = 0;
    return 1;
}

static bool may_be_record(const unsigned char *p)
{
    return p[0] >= SSL3_RT_CHANGE_CIPHER_SPEC && p[0] <= SSL3_RT_APPLICATION_DATA && p[1] == 3;
}

/* What begins like no record is the engine's to judge at once: the length that it seems to have may never come.
 * The bytes behind it, if they are there already, say what the peer speaks instead. */
static int fill_other(SSL *s)
{
    enum { ENOUGH = 256 };
    struct pollfd p = {.fd = -1, .events = POLLIN};
    BIO *bio = BIO_find_type(s->rbio, BIO_TYPE_DESCRIPTOR);
    if (bio)
        BIO_get_fd(bio, &p.fd);
    bool there = p.fd >= 0 ? poll(&p, 1, 0) > 0 : BIO_pending(s->rbio) > 0;
    if (there && make_room(s, ENOUGH)) {
        int n = BIO_read(s->rbio, s->in + s->in_end, (int)(ENOUGH - (s->in_end - s->in_start)));
        if (n > 0)
            s->in_end += (size_t)n;
    }
    return 1;
}

int ssl_fill(SSL *s)
{
    size_t have = s->in_end - s->in_start, want;
    if (s->settings->read_ahead)
        return fill_ahead(s);
    if (have == 0) {
        int n = fill_header(s, &want);
        if (n <= 0)
            return n;
        if (!may_be_record(s->in + s->in_start))
            return fill_other(s);
        have = s->in_end - s->in_start;
    } else {
        want = hf_conn_next_size(s->conn, s->in + s->in_start, have);
    }
    if (want > HF_RECORD_MAX + 1024)
        return 1;
    if (!make_room(s, want))
        return -1;
    while (have < want) {
        int n = read_some(s, s->in + s->in_end, want - have);
        if (n <= 0)
            return n;
        s->in_end += (size_t)n;
        have += (size_t)n;
    }
    return 1;
}

/* ---- bytes for the peer */

bool ssl_keep_output(SSL *s, const unsigned char *p, size_t len)
{
    s->out = OPENSSL_malloc(len);
    if (!s->out) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return false;
    }
    memcpy(s->out, p, len);
    s->out_size = s->out_end = len;
    s->out_start = 0;
    return true;
}

static int write_some(SSL *s, const unsigned char *p, size_t len)
{
    errno = 0;
    /* OpenSSL's handshakes write into a buffer and find out when they flush it. */
    if (!s->wbio && s->phase == PHASE_DONE)
        return ssl_give_up(s, SSL_R_BIO_NOT_SET);
    s->rwstate = SSL_WRITING;
    if (!s->wbio)
        return -1;
    int n = BIO_write(s->wbio, p, len > INT_MAX ? INT_MAX : (int)len);
    if (n > 0)
        s->rwstate = SSL_NOTHING;
    return n;
}

int ssl_send(SSL *s, const unsigned char *p, size_t len)
{
    int n = 1;
    while (len) {
        n = write_some(s, p, len);
        if (n <= 0)
            break;
        p += n;
        len -= (size_t)n;
    }
    if (len && !s->out && !ssl_keep_output(s, p, len))
        return ssl_give_up(s, ERR_R_MALLOC_FAILURE); /* a record that nobody will ever get */
    return len ? n : 1;
}

static int flush_own(SSL *s)
{
    while (s->out_start < s->out_end) {
        int n = write_some(s, s->out + s->out_start, s->out_end - s->out_start);
        if (n <= 0)
            return n;
        s->out_start += (size_t)n;
    }
    OPENSSL_free(s->out);
    s->out = NULL;
    s->out_size = s->out_start = s->out_end = 0;
    return 1;
}

int ssl_flush(SSL *s)
{
    size_t len;
    const uint8_t *p;
    bool any = false;
    int own = s->out ? flush_own(s) : 1;
    if (own != 1)
        return own;
    while ((p = hf_conn_output(s->conn, &len)) != NULL) {
        int n = write_some(s, p, len);
        if (n <= 0)
            return n;
        hf_conn_output_done(s->conn, (size_t)n);
        any = true;
    }
    if (any) {
        s->rwstate = SSL_WRITING;
        if (BIO_flush(s->wbio) <= 0)
            return -1;
        s->rwstate = SSL_NOTHING;
    }
    s->pha_unsent = false;
    return 1;
}

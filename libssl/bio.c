/* bio.c: a BIO that is a TLS connection (BIO_f_ssl(3)). */
#include <limits.h>
#include <time.h>

#include "libssl/local.h"

struct ssl_bio {
    SSL *ssl; /* NULL until BIO_set_ssl */
    int renegotiations;
    size_t renegotiate_bytes,
        bytes; /* after so many a new handshake; so many since the last one */
    long renegotiate_seconds;
    time_t last;
};

enum {
    LEAST_SECONDS = 5,
    LEAST_BYTES = 512
}; /* BIO_set_ssl_renegotiate_timeout(3), _bytes(3) */

static int bio_new(BIO *b)
{
    struct ssl_bio *sb = OPENSSL_zalloc(sizeof *sb);
    if (!sb) {
        ERR_raise(ERR_LIB_BIO, ERR_R_MALLOC_FAILURE);
        return 0;
    }
    BIO_set_init(b, 0);
    BIO_set_data(b, sb);
    BIO_clear_flags(b, ~0);
    return 1;
}

static int bio_free(BIO *b)
{
    if (!b)
        return 0;
    struct ssl_bio *sb = BIO_get_data(b);
    if (BIO_get_shutdown(b)) {
        if (sb->ssl && !SSL_in_init(sb->ssl))
            SSL_shutdown(sb->ssl);
        if (BIO_get_init(b))
            SSL_free(sb->ssl);
        BIO_clear_flags(b, ~0);
        BIO_set_init(b, 0);
    }
    OPENSSL_free(sb);
    BIO_set_data(b, NULL);
    return 1;
}

/* ---- reading and writing */

static void renegotiate_when_due(struct ssl_bio *sb, size_t n)
{
    bool due = false;
    if (sb->renegotiate_bytes) {
        sb->bytes += n;
        due = sb->bytes > sb->renegotiate_bytes;
        if (due)
            sb->bytes = 0;
    }
    if (sb->renegotiate_seconds > 0 && !due) {
        time_t now = time(NULL);
        due = now > sb->last + sb->renegotiate_seconds;
        if (due)
            sb->last = now;
    }
    if (due) {
        sb->renegotiations++;
        SSL_renegotiate(sb->ssl);
    }
}

/* What an SSL waits for, as a BIO says it. */
static void set_retry(BIO *b, int error)
{
    switch (error) {
    case SSL_ERROR_WANT_READ: BIO_set_retry_read(b); break;
    case SSL_ERROR_WANT_WRITE: BIO_set_retry_write(b); break;
    case SSL_ERROR_WANT_X509_LOOKUP:
        BIO_set_retry_special(b);
        BIO_set_retry_reason(b, BIO_RR_SSL_X509_LOOKUP);
        break;
    case SSL_ERROR_WANT_ACCEPT:
        BIO_set_retry_special(b);
        BIO_set_retry_reason(b, BIO_RR_ACCEPT);
        break;
    case SSL_ERROR_WANT_CONNECT:
        BIO_set_retry_special(b);
        BIO_set_retry_reason(b, BIO_RR_CONNECT);
        break;
    default: break;
    }
}

/* moved: what follows a call that moved n bytes, or returned n without. */
static int moved(BIO *b, struct ssl_bio *sb, int n, size_t *done)
{
    int error = SSL_get_error(sb->ssl, n);
    BIO_set_retry_reason(b, 0);
    if (error == SSL_ERROR_NONE) {
        *done = (size_t)n;
        renegotiate_when_due(sb, (size_t)n);
        return 1;
    }
    set_retry(b, error);
    return n > 0 ? 1 : n;
}

static int as_int(size_t size)
{
    return size > INT_MAX ? INT_MAX : (int)size;
}

static int bio_read(BIO *b, char *buf, size_t size, size_t *done)
{
    struct ssl_bio *sb = BIO_get_data(b);
    *done = 0;
    if (!buf || !sb->ssl)
        return 0;
    BIO_clear_retry_flags(b);
    return moved(b, sb, SSL_read(sb->ssl, buf, as_int(size)), done);
}

static int bio_write(BIO *b, const char *buf, size_t size, size_t *done)
{
    struct ssl_bio *sb = BIO_get_data(b);
    *done = 0;
    if (!buf || !sb->ssl)
        return 0;
    BIO_clear_retry_flags(b);
    return moved(b, sb, SSL_write(sb->ssl, buf, as_int(size)), done);
}

static int bio_puts(BIO *b, const char *text)
{
    return BIO_write(b, text, as_int(strlen(text)));
}

/* ---- control */

static long set_ssl(BIO *b, struct ssl_bio *sb, long close, SSL *ssl)
{
    if (sb->ssl) {
        if (!bio_free(b) || !bio_new(b))
            return 0;
        sb = BIO_get_data(b);
    }
    BIO_set_shutdown(b, (int)close);
    sb->ssl = ssl;
    BIO *transport = SSL_get_rbio(ssl), *next = BIO_next(b);
    if (transport) {
        if (next)
            BIO_push(transport, next);
        BIO_set_next(b, transport);
        BIO_up_ref(transport);
    }
    BIO_set_init(b, 1);
    return 1;
}

static long reset(BIO *b, SSL *ssl, int command, long number, void *pointer)
{
    BIO *next = BIO_next(b);
    SSL_shutdown(ssl);
    if (SSL_is_server(ssl))
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    if (!SSL_clear(ssl))
        return 0;
    if (!next)
        next = SSL_get_rbio(ssl);
    return next ? BIO_ctrl(next, command, number, pointer) : 1;
}

static long handshake(BIO *b, SSL *ssl)
{
    BIO_clear_retry_flags(b);
    BIO_set_retry_reason(b, 0);
    int result = SSL_do_handshake(ssl);
    int error = SSL_get_error(ssl, result);
    set_retry(b, error);
    if (error == SSL_ERROR_WANT_CONNECT && BIO_next(b))
        BIO_set_retry_reason(b, BIO_get_retry_reason(BIO_next(b)));
    return result;
}

static long duplicate(const struct ssl_bio *sb, BIO *to)
{
    struct ssl_bio *copy = BIO_get_data(to);
    SSL_free(copy->ssl);
    *copy = *sb;
    copy->ssl = SSL_dup(sb->ssl);
    return copy->ssl != NULL;
}

static long pending(SSL *ssl)
{
    long n = SSL_pending(ssl);
    return n ? n : BIO_pending(SSL_get_rbio(ssl));
}

static long flush(BIO *b, SSL *ssl, int command, long number, void *pointer)
{
    BIO_clear_retry_flags(b);
    long n = BIO_ctrl(SSL_get_wbio(ssl), command, number, pointer);
    BIO_copy_next_retry(b);
    return n;
}

/* What was pushed behind becomes the transport, and what is popped is not any more. */
static void pushed(SSL *ssl, BIO *next)
{
    if (next && next != SSL_get_rbio(ssl)) {
        BIO_up_ref(next); /* SSL_set_bio takes one over for both */
        SSL_set_bio(ssl, next, next);
    }
}

static long renegotiate_after(struct ssl_bio *sb, int command, long number)
{
    long old;
    if (command == BIO_C_SET_SSL_RENEGOTIATE_TIMEOUT) {
        old = sb->renegotiate_seconds;
        sb->renegotiate_seconds = number < LEAST_SECONDS ? LEAST_SECONDS : number;
        sb->last = time(NULL);
        return old;
    }
    old = (long)sb->renegotiate_bytes;
    if (number >= LEAST_BYTES)
        sb->renegotiate_bytes = (size_t)number;
    return old;
}

static long bio_ctrl(BIO *b, int command, long number, void *pointer)
{
    struct ssl_bio *sb = BIO_get_data(b);
    SSL *ssl = sb->ssl;
    if (command == BIO_C_SET_SSL)
        return set_ssl(b, sb, number, pointer);
    if (!ssl)
        return 0;
    switch (command) {
    case BIO_CTRL_RESET: return reset(b, ssl, command, number, pointer);
    case BIO_CTRL_INFO:
    case BIO_CTRL_SET_CALLBACK: return 0;
    case BIO_C_SSL_MODE:
        if (number)
            SSL_set_connect_state(ssl);
        else
            SSL_set_accept_state(ssl);
        return 1;
    case BIO_C_SET_SSL_RENEGOTIATE_TIMEOUT:
    case BIO_C_SET_SSL_RENEGOTIATE_BYTES: return renegotiate_after(sb, command, number);
    case BIO_C_GET_SSL_NUM_RENEGOTIATES: return sb->renegotiations;
    case BIO_C_GET_SSL:
        if (pointer)
            *(SSL **)pointer = ssl;
        return pointer != NULL;
    case BIO_CTRL_GET_CLOSE: return BIO_get_shutdown(b);
    case BIO_CTRL_SET_CLOSE: BIO_set_shutdown(b, (int)number); return 1;
    case BIO_CTRL_WPENDING: return BIO_ctrl(SSL_get_wbio(ssl), command, number, pointer);
    case BIO_CTRL_PENDING: return pending(ssl);
    case BIO_CTRL_FLUSH: return flush(b, ssl, command, number, pointer);
    case BIO_CTRL_PUSH: pushed(ssl, BIO_next(b)); return 1;
    case BIO_CTRL_POP:
        if (b == pointer)
            SSL_set_bio(ssl, NULL, NULL);
        return 1;
    case BIO_C_DO_STATE_MACHINE: return handshake(b, ssl);
    case BIO_CTRL_DUP: return duplicate(sb, pointer);
    default: return BIO_ctrl(SSL_get_rbio(ssl), command, number, pointer);
    }
}

static long bio_callback_ctrl(BIO *b, int command, BIO_info_cb *callback)
{
    const struct ssl_bio *sb = BIO_get_data(b);
    if (command != BIO_CTRL_SET_CALLBACK || !sb->ssl)
        return 0;
    return BIO_callback_ctrl(SSL_get_rbio(sb->ssl), command, callback);
}

/* ---- the method */

static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SSL, "ssl");
    if (m && BIO_meth_set_write_ex(m, bio_write) && BIO_meth_set_read_ex(m, bio_read) &&
        BIO_meth_set_puts(m, bio_puts) && BIO_meth_set_ctrl(m, bio_ctrl) &&
        BIO_meth_set_create(m, bio_new) && BIO_meth_set_destroy(m, bio_free) &&
        BIO_meth_set_callback_ctrl(m, bio_callback_ctrl))
        method = m;
    else
        BIO_meth_free(m);
}

const BIO_METHOD *BIO_f_ssl(void)
{
    if (!CRYPTO_THREAD_run_once(&method_once, make_method))
        return NULL;
    return method;
}

/* ---- BIOs that are put together */

BIO *BIO_new_ssl(SSL_CTX *ctx, int client)
{
    BIO *b = BIO_new(BIO_f_ssl());
    SSL *ssl = b ? SSL_new(ctx) : NULL;
    if (!ssl) {
        BIO_free(b);
        return NULL;
    }
    if (client)
        SSL_set_connect_state(ssl);
    else
        SSL_set_accept_state(ssl);
    BIO_set_ssl(b, ssl, BIO_CLOSE);
    return b;
}

BIO *BIO_new_ssl_connect(SSL_CTX *ctx)
{
    BIO *transport = BIO_new(BIO_s_connect());
    BIO *ssl = transport ? BIO_new_ssl(ctx, 1) : NULL;
    if (ssl)
        return BIO_push(ssl, transport);
    BIO_free(transport);
    return NULL;
}

BIO *BIO_new_buffer_ssl_connect(SSL_CTX *ctx)
{
    BIO *buffer = BIO_new(BIO_f_buffer());
    BIO *ssl = buffer ? BIO_new_ssl_connect(ctx) : NULL;
    if (ssl)
        return BIO_push(buffer, ssl);
    BIO_free(buffer);
    return NULL;
}

static SSL *ssl_in(BIO *b)
{
    b = BIO_find_type(b, BIO_TYPE_SSL);
    const struct ssl_bio *sb = b ? BIO_get_data(b) : NULL;
    return sb ? sb->ssl : NULL;
}

int BIO_ssl_copy_session_id(BIO *to, BIO *from)
{
    SSL *t = ssl_in(to), *f = ssl_in(from);
    return t && f && SSL_copy_session_id(t, f);
}

void BIO_ssl_shutdown(BIO *b)
{
    for (; b; b = BIO_next(b)) {
        if (BIO_method_type(b) != BIO_TYPE_SSL)
            continue;
        const struct ssl_bio *sb = BIO_get_data(b);
        if (sb && sb->ssl)
            SSL_shutdown(sb->ssl);
    }
}

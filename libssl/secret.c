/* secret.c: a program's own session tickets, and master secrets that it derives from them (EAP-FAST, RFC 4851). */
#include "libssl/local.h"

struct secrets {
    tls_session_secret_cb_fn secret_cb;
    void *secret_arg;
    tls_session_ticket_ext_cb_fn ticket_cb;
    void *ticket_arg;
    bool
        ticket_set; /* by SSL_set_session_ticket_ext; NULL, so that none is sent, if that was NULL */
    unsigned char *ticket;
    size_t ticket_len;
};

void secrets_free(struct secrets *x)
{
    if (x)
        OPENSSL_clear_free(x->ticket, x->ticket_len);
    OPENSSL_free(x);
}

static struct secrets *secrets_of(SSL *s)
{
    struct settings *t = s->settings->secrets ? s->settings : settings_edit(&s->settings);
    if (!t || (!s->secrets && !(s->secrets = OPENSSL_zalloc(sizeof *s->secrets)))) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    t->secrets = true;
    return s->secrets;
}

int SSL_set_session_secret_cb(SSL *s, tls_session_secret_cb_fn cb, void *arg)
{
    struct secrets *x = secrets_of(s);
    if (!x)
        return 0;
    x->secret_cb = cb;
    x->secret_arg = arg;
    return 1;
}

int SSL_set_session_ticket_ext_cb(SSL *s, tls_session_ticket_ext_cb_fn cb, void *arg)
{
    struct secrets *x = secrets_of(s);
    if (!x)
        return 0;
    x->ticket_cb = cb;
    x->ticket_arg = arg;
    return 1;
}

int SSL_set_session_ticket_ext(SSL *s, void *ext_data, int ext_len)
{
    struct secrets *x = ext_len < 0 || ext_len > 0xffff ? NULL : secrets_of(s);
    if (!x)
        return 0;
    unsigned char *copy = ext_data ? OPENSSL_malloc((size_t)ext_len + 1) : NULL;
    if (ext_data && !copy) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (copy)
        memcpy(copy, ext_data, (size_t)ext_len);
    OPENSSL_clear_free(x->ticket, x->ticket_len);
    x->ticket = copy;
    x->ticket_len = copy ? (size_t)ext_len : 0;
    x->ticket_set = true;
    return 1;
}

/* ---- in the handshake */

static bool offer(hf_conn *conn, const uint8_t **ticket, size_t *len)
{
    const struct secrets *x = ssl_of(conn)->secrets;
    *ticket = x ? x->ticket : NULL;
    *len = x ? x->ticket_len : 0;
    return !x || !x->ticket_set || x->ticket;
}

static bool took(hf_conn *conn, const uint8_t *ticket, size_t len)
{
    SSL *s = ssl_of(conn);
    const struct secrets *x = s->secrets;
    if (!x || !x->ticket_cb || x->ticket_cb(s, ticket, (int)len, x->ticket_arg))
        return true;
    raise_ssl(SSL_R_BAD_EXTENSION);
    s->raised = true;
    return false;
}

static bool asks(hf_conn *conn)
{
    const struct secrets *x = ssl_of(conn)->secrets;
    return x && x->secret_cb;
}

static int fail(SSL *s, int reason)
{
    raise_ssl(reason);
    s->raised = true;
    return -1;
}

/* Nobody has a use for another length than a master secret's (RFC 5246 8.1). */
static int secret(hf_conn *conn, uint16_t *suite, uint8_t out[SESSION_SECRET])
{
    SSL *s = ssl_of(conn);
    const struct secrets *x = s->secrets;
    unsigned char room[512]; /* programs are told as much as by OpenSSL */
    int len = (int)sizeof room;
    const SSL_CIPHER *cipher = NULL;
    STACK_OF(SSL_CIPHER) *peer = s->server ? SSL_get_client_ciphers(s) : NULL;
    int known = x->secret_cb(s, room, &len, peer, &cipher, x->secret_arg) && len > 0;
    if (known && len == SESSION_SECRET) {
        memcpy(out, room, SESSION_SECRET);
        if (s->server)
            *suite = cipher ? cipher->id : 0;
    } else if (known || !s->server) {
        known = fail(s, ERR_R_INTERNAL_ERROR);
    }
    OPENSSL_cleanse(room, sizeof room);
    return known;
}

static const struct session_secrets secrets = {offer, took, asks, secret};

bool secrets_to_config(const SSL *s, hf_config *config)
{
    (void)s;
    return access_config_secrets(config, &secrets);
}

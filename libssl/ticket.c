/* ticket.c: a server's session tickets as OpenSSL makes them (RFC 5077 4), so that servers with either library
 * can share keys: the name of the keys, an IV, the SSL_SESSION under AES-256-CBC, and an HMAC-SHA256 of all that
 * comes before; the application may bring its own keys and algorithms. */
#include <openssl/hmac.h>
#include <openssl/sslerr.h>

#include "libssl/local.h"

enum { NAME = 16, IV = 16, HMAC_KEY = 32, AES_KEY = 32, OWN_TAG = 32 };
enum { MAX_TICKET = 65535 };

static const unsigned char *name_of(const SSL_CTX *ctx)
{
    return ctx->ticket_keys;
}

static const unsigned char *hmac_key(const SSL_CTX *ctx)
{
    return ctx->ticket_keys + NAME;
}

static const unsigned char *aes_key(const SSL_CTX *ctx)
{
    return ctx->ticket_keys + NAME + HMAC_KEY;
}

/* ---- the two algorithms, whoever has chosen them */

struct crypt {
    SSL_CTX *own; /* the keys are this context's; NULL: a callback chooses */
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac; /* for the callback; our own MAC needs no object */
    HMAC_CTX *hmac;   /* in place of mac, for the older callback */
};

/* Fetching a cipher costs more than using it, so a context keeps the last one that was used with its own keys. */
static EVP_CIPHER_CTX *own_cipher(SSL_CTX *ctx)
{
    EVP_CIPHER_CTX *kept = atomic_exchange(&ctx->ticket_cipher, NULL);
    if (kept)
        return kept;
    EVP_CIPHER_CTX *made = EVP_CIPHER_CTX_new();
    EVP_CIPHER *aes = EVP_CIPHER_fetch(ctx->libctx, "AES-256-CBC", ctx->propq);
    if (made && aes && EVP_CipherInit_ex2(made, aes, NULL, NULL, 1, NULL) > 0)
        kept = made;
    else
        EVP_CIPHER_CTX_free(made);
    EVP_CIPHER_free(aes);
    return kept;
}

static void crypt_clear(struct crypt *c)
{
    EVP_CIPHER_CTX *done = c->cipher;
    if (c->own)
        done = atomic_exchange(&c->own->ticket_cipher, done);
    EVP_CIPHER_CTX_free(done);
    EVP_MAC_CTX_free(c->mac);
    HMAC_CTX_free(c->hmac);
}

static bool crypt_init(struct crypt *c, SSL_CTX *ctx)
{
    *c = (struct crypt){0};
    if (!ctx->ticket_key_evp_cb && !ctx->ticket_key_cb) {
        c->own = ctx;
        c->cipher = own_cipher(ctx);
        return c->cipher;
    }
    c->cipher = EVP_CIPHER_CTX_new();
    if (!ctx->ticket_key_evp_cb) {
        c->hmac = HMAC_CTX_new();
    } else {
        EVP_MAC *mac = EVP_MAC_fetch(ctx->libctx, "HMAC", ctx->propq);
        c->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
        EVP_MAC_free(mac);
    }
    return c->cipher && (c->hmac || c->mac);
}

static bool own_keys(const SSL_CTX *ctx, struct crypt *c, const unsigned char *iv, int encrypt)
{
    return EVP_CipherInit_ex2(c->cipher, NULL, aes_key(ctx), iv, encrypt, NULL) > 0;
}

/* The callback's answer (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)); without one, that of our own keys: 1 or -1. */
static int choose_keys(SSL *s, struct crypt *c, unsigned char *name, unsigned char *iv,
                       int encrypt)
{
    SSL_CTX *ctx = s->session_ctx;
    if (ctx->ticket_key_evp_cb)
        return ctx->ticket_key_evp_cb(s, name, iv, c->cipher, c->mac, encrypt);
    if (ctx->ticket_key_cb)
        return ctx->ticket_key_cb(s, name, iv, c->cipher, c->hmac, encrypt);
    if (!encrypt)
        return memcmp(name, name_of(ctx), NAME) != 0 ? 0 : own_keys(ctx, c, iv, 0) ? 1 : -1;
    memcpy(name, name_of(ctx), NAME);
    return access_random(iv, IV) && own_keys(ctx, c, iv, 1) ? 1 : -1;
}

static size_t mac_size(const struct crypt *c)
{
    if (c->own)
        return OWN_TAG;
    return c->hmac ? HMAC_size(c->hmac) : EVP_MAC_CTX_get_mac_size(c->mac);
}

static bool mac(const struct crypt *c, const unsigned char *p, size_t len, unsigned char *out)
{
    unsigned size = 0;
    size_t written = 0;
    if (c->own) {
        access_hmac_sha256(hmac_key(c->own), HMAC_KEY, p, len, out);
        return true;
    }
    if (c->hmac)
        return HMAC_Update(c->hmac, p, len) > 0 && HMAC_Final(c->hmac, out, &size) > 0;
    return EVP_MAC_update(c->mac, p, len) > 0 &&
           EVP_MAC_final(c->mac, out, &written, EVP_MAX_MD_SIZE) > 0;
}

bool tickets_make_keys(SSL_CTX *ctx)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (ctx->ticket_keys_made)
        return true;
    (void)pthread_mutex_lock(&lock);
    if (!ctx->ticket_keys_made && access_random(ctx->ticket_keys, sizeof ctx->ticket_keys))
        ctx->ticket_keys_made = true;
    bool made = ctx->ticket_keys_made;
    (void)pthread_mutex_unlock(&lock);
    return made;
}

/* ---- sealing */

/* The session's ID is of no use within a ticket. */
static unsigned char *encode(SSL_SESSION *session, int *len)
{
    unsigned char *der = NULL;
    uint8_t id_len = session->id_len;
    session->id_len = 0;
    *len = i2d_SSL_SESSION(session, &der);
    session->id_len = id_len;
    return *len > 0 ? der : NULL;
}

static size_t encrypt(struct crypt *c, const unsigned char *der, int der_len,
                      unsigned char *out, size_t size)
{
    size_t iv_len = (size_t)EVP_CIPHER_CTX_get_iv_length(c->cipher);
    unsigned char tag[EVP_MAX_MD_SIZE];
    int first = 0, last = 0;
    size_t tag_len = mac_size(c);

    if (NAME + iv_len + (size_t)der_len + EVP_MAX_BLOCK_LENGTH + tag_len > size)
        return 0; /* too much in it (SSL_SESSION_set1_ticket_appdata): the client gets none */
    unsigned char *at = out + NAME + iv_len;
    if (EVP_EncryptUpdate(c->cipher, at, &first, der, der_len) <= 0 ||
        EVP_EncryptFinal_ex(c->cipher, at + first, &last) <= 0)
        return size + 1;
    size_t len = NAME + iv_len + (size_t)(first + last);
    if (!mac(c, out, len, tag))
        return size + 1;
    memcpy(out + len, tag, tag_len);
    return len + tag_len;
}

static size_t seal(SSL *s, const unsigned char *der, int der_len, uint8_t *out, size_t size)
{
    struct crypt c;
    unsigned char name[NAME] = {0}, iv[EVP_MAX_IV_LENGTH] = {0};
    size_t len = size + 1;

    if (size < NAME + sizeof iv)
        return 0;
    if (crypt_init(&c, s->session_ctx) && tickets_make_keys(s->session_ctx)) {
        int answer = choose_keys(s, &c, name, iv, 1);
        if (answer == 0) {
            len = 0;
        } else if (answer > 0) {
            memcpy(out, name, NAME);
            memcpy(out + NAME, iv, (size_t)EVP_CIPHER_CTX_get_iv_length(c.cipher));
            len = encrypt(&c, der, der_len, out, size);
        }
    }
    if (len > size) {
        raise_ssl(SSL_R_CALLBACK_FAILED);
        s->raised = true;
    }
    crypt_clear(&c);
    return len;
}

/* Tickets that only name a session of ours: where programs want no others, and where early data makes that each
 * be good for one use. */
static bool stateful(const SSL *s)
{
    const struct settings *t = s->settings;
    return t->options & SSL_OP_NO_TICKET ||
           (t->max_early_data > 0 && !(t->options & SSL_OP_NO_ANTI_REPLAY));
}

static size_t write_ticket(SSL *s, SSL_SESSION *session, uint8_t *out, size_t size)
{
    int der_len;
    if (session->version == TLS1_3_VERSION && stateful(s)) {
        memcpy(out, session->id, session->id_len);
        return session->id_len;
    }
    unsigned char *der = encode(session, &der_len);
    size_t len = der ? seal(s, der, der_len, out, size) : size + 1;
    OPENSSL_clear_free(der, der ? (size_t)der_len : 0);
    return len;
}

size_t tickets_seal(hf_conn *conn, const hf_session *inner, uint8_t *out, size_t size,
                    void *arg)
{
    SSL *s = ssl_of(conn);
    SSL_CTX *ctx = s->session_ctx;
    struct access_session of;
    (void)arg;

    access_session_read(inner, &of);
    if (s->no_ticket || session_refused(s, of.suite))
        return 0;
    SSL_SESSION *session = session_make(s, (hf_session *)(uintptr_t)inner);
    if (!session)
        return size + 1;
    bool tls13 = session->version == TLS1_3_VERSION;
    /* The client is told the same as what the ticket says. */
    access_session_set_lifetime((hf_session *)(uintptr_t)inner, (uint32_t)session->timeout);
    if (tls13) {
        if (!session_make_id(s, session->id, &session->id_len))
            return size + 1;
        if (s->found && s->found->appdata.p)
            (void)session_set(session, &session->appdata, s->found->appdata.p,
                              s->found->appdata.len);
        session->stale = false;
    }
    if (ctx->ticket_gen_cb && ctx->ticket_gen_cb(s, ctx->ticket_cb_arg) == 0) {
        raise_ssl(SSL_R_CALLBACK_FAILED);
        s->raised = true;
        return size + 1;
    }
    size_t len = write_ticket(s, session, out, size);
    if (tls13 && len && len <= size)
        session_cache(s, session, SSL_SESS_CACHE_SERVER);
    return len;
}

/* ---- opening */

static SSL_SESSION *decode(const unsigned char *der, size_t len)
{
    const unsigned char *p = der;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &p, (long)len);
    if (session && p != der + len) {
        SSL_SESSION_free(session);
        session = NULL;
    }
    ERR_clear_error(); /* what a client sends is no error of ours */
    return session;
}

static SSL_SESSION *decrypt(struct crypt *c, const unsigned char *ticket, size_t len)
{
    size_t iv_len = (size_t)EVP_CIPHER_CTX_get_iv_length(c->cipher), tag_len = mac_size(c);
    unsigned char tag[EVP_MAX_MD_SIZE];
    SSL_SESSION *session = NULL;
    int first = 0, last = 0;

    if (tag_len == 0 || len <= NAME + iv_len + tag_len || len > MAX_TICKET)
        return NULL;
    len -= tag_len;
    if (!mac(c, ticket, len, tag) || CRYPTO_memcmp(tag, ticket + len, tag_len) != 0)
        return NULL;
    const unsigned char *in = ticket + NAME + iv_len;
    len -= NAME + iv_len;
    unsigned char *der = OPENSSL_malloc(len + EVP_MAX_BLOCK_LENGTH);
    if (der && EVP_DecryptUpdate(c->cipher, der, &first, in, (int)len) > 0 &&
        EVP_DecryptFinal_ex(c->cipher, der + first, &last) > 0)
        session = decode(der, (size_t)(first + last));
    OPENSSL_clear_free(der, len + EVP_MAX_BLOCK_LENGTH);
    return session;
}

static SSL_TICKET_STATUS open_sealed(SSL *s, const unsigned char *ticket, size_t len,
                                     SSL_SESSION **session)
{
    struct crypt c;
    unsigned char name[NAME], iv[EVP_MAX_IV_LENGTH];
    SSL_TICKET_STATUS status = SSL_TICKET_NO_DECRYPT;
    bool own = !s->session_ctx->ticket_key_evp_cb && !s->session_ctx->ticket_key_cb;

    if (len < NAME + sizeof iv)
        return status;
    memcpy(name, ticket, NAME);
    memcpy(iv, ticket + NAME, sizeof iv);
    if (!crypt_init(&c, s->session_ctx) || !tickets_make_keys(s->session_ctx)) {
        crypt_clear(&c);
        return SSL_TICKET_FATAL_ERR_MALLOC;
    }
    int answer = choose_keys(s, &c, name, iv, 0);
    if (answer < 0)
        status = SSL_TICKET_FATAL_ERR_OTHER;
    else if (answer > 0 && (*session = decrypt(&c, ticket, len)))
        status = answer == 2 || (own && (*session)->version == TLS1_3_VERSION)
                     ? SSL_TICKET_SUCCESS_RENEW
                     : SSL_TICKET_SUCCESS;
    crypt_clear(&c);
    return status;
}

static SSL_TICKET_STATUS open_named(SSL *s, const unsigned char *ticket, size_t len,
                                    SSL_SESSION **session)
{
    *session = session_find(s, ticket, len, TLS1_3_VERSION);
    return *session ? SSL_TICKET_SUCCESS : SSL_TICKET_NO_DECRYPT;
}

/* SSL_CTX_set_session_ticket_cb(3): the program may have its own opinion. */
static SSL_TICKET_STATUS ask_program(SSL *s, const unsigned char *ticket, size_t len,
                                     SSL_TICKET_STATUS status, SSL_SESSION **session)
{
    const SSL_CTX *ctx = s->session_ctx;
    bool good = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;

    if (!ctx->ticket_dec_cb ||
        (!good && status != SSL_TICKET_NO_DECRYPT && status != SSL_TICKET_EMPTY))
        return status;
    switch (ctx->ticket_dec_cb(s, *session, ticket, len < NAME ? len : NAME, status,
                               ctx->ticket_cb_arg)) {
    case SSL_TICKET_RETURN_USE: return good ? SSL_TICKET_SUCCESS : SSL_TICKET_FATAL_ERR_OTHER;
    case SSL_TICKET_RETURN_USE_RENEW:
        return good ? SSL_TICKET_SUCCESS_RENEW : SSL_TICKET_FATAL_ERR_OTHER;
    case SSL_TICKET_RETURN_IGNORE: s->no_ticket = true; __attribute__((fallthrough));
    case SSL_TICKET_RETURN_IGNORE_RENEW:
        SSL_SESSION_free(*session);
        *session = NULL;
        return SSL_TICKET_NO_DECRYPT;
    case SSL_TICKET_RETURN_ABORT:
    default: return SSL_TICKET_FATAL_ERR_OTHER;
    }
}

/* A client of TLS 1.2 and older that takes tickets and has none. */
bool tickets_none(hf_conn *conn, bool *wanted)
{
    SSL *s = ssl_of(conn);
    SSL_SESSION *none = NULL;
    SSL_TICKET_STATUS status = ask_program(s, NULL, 0, SSL_TICKET_EMPTY, &none);
    if (status == SSL_TICKET_FATAL_ERR_OTHER) {
        raise_ssl(SSL_R_CALLBACK_FAILED);
        s->raised = true;
        return false;
    }
    *wanted = !s->no_ticket;
    return true;
}

/* With early data, a ticket is good once: whoever takes it out of the table has it. */
static bool first_use(SSL *s, SSL_SESSION *session)
{
    const struct settings *t = s->settings;
    return session->version != TLS1_3_VERSION || t->max_early_data == 0 ||
           t->options & SSL_OP_NO_ANTI_REPLAY ||
           SSL_CTX_remove_session(s->session_ctx, session);
}

static bool refuse(SSL *s)
{
    if (!s->raised)
        raise_ssl(SSL_R_CALLBACK_FAILED);
    s->raised = true;
    return hf_answer_refuse(s->conn, SSL_AD_INTERNAL_ERROR);
}

bool tickets_ask(hf_conn *conn, const hf_question *q, void *arg)
{
    SSL *s = ssl_of(conn);
    SSL_SESSION *session = NULL;
    hf_session *inner = NULL;
    bool named = stateful(s) && q->ticket_len == SSL_MAX_SSL_SESSION_ID_LENGTH;
    (void)arg;

    switch (psk13_find(s, q->ticket, q->ticket_len, &inner)) {
    case PSK13_FOUND: {
        bool answered = hf_answer_ticket(conn, inner, false);
        hf_session_free(inner);
        return answered;
    }
    case PSK13_FAILED: s->raised = true; return refuse(s);
    case PSK13_NONE:
    default: break;
    }
    SSL_TICKET_STATUS status = named ? open_named(s, q->ticket, q->ticket_len, &session)
                                     : open_sealed(s, q->ticket, q->ticket_len, &session);
    status = ask_program(s, q->ticket, q->ticket_len, status, &session);
    if (status == SSL_TICKET_FATAL_ERR_MALLOC || status == SSL_TICKET_FATAL_ERR_OTHER) {
        SSL_SESSION_free(session);
        return refuse(s);
    }
    enum session_verdict verdict = session ? session_judge(s, session) : SESSION_NO;
    if (verdict == SESSION_FATAL) {
        SSL_SESSION_free(session);
        return refuse(s);
    }
    if (verdict == SESSION_YES && first_use(s, session))
        inner = session_for(s, session);
    if (!inner) {
        SSL_SESSION_free(session);
        return hf_answer_ticket(conn, NULL, false);
    }
    if (session->version != TLS1_3_VERSION) {
        /* It is known by what the client calls it in this handshake. */
        memcpy(session->id, s->hello_id, s->hello_id_len);
        session->id_len = s->hello_id_len;
    }
    /* Only TLS 1.3 has a new one for each use, unless the keys' owner thinks otherwise. */
    if (session->version == TLS1_3_VERSION && !named && status == SSL_TICKET_SUCCESS)
        s->no_ticket = true;
    session_found(s, session);
    bool answered = hf_answer_ticket(conn, inner, status == SSL_TICKET_SUCCESS_RENEW);
    hf_session_free(inner);
    return answered;
}

/* ---- callbacks */

int SSL_CTX_set_tlsext_ticket_key_evp_cb(SSL_CTX *ctx,
                                         int (*cb)(SSL *, unsigned char *, unsigned char *,
                                                   EVP_CIPHER_CTX *, EVP_MAC_CTX *, int))
{
    ctx->ticket_key_evp_cb = cb;
    return 1;
}

int SSL_CTX_set_session_ticket_cb(SSL_CTX *ctx, SSL_CTX_generate_session_ticket_fn generate,
                                  SSL_CTX_decrypt_session_ticket_fn decrypted, void *arg)
{
    ctx->ticket_gen_cb = generate;
    ctx->ticket_dec_cb = decrypted;
    ctx->ticket_cb_arg = arg;
    return 1;
}

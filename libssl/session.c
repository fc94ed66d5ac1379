/* session.c: the life of an SSL_SESSION, and how it becomes what the engine resumes. */
#include <openssl/x509.h>
#include <time.h>

#include "libssl/local.h"

enum {
    DEFAULT_TIMEOUT = 304
}; /* of a session that no context has given one: 60 * 5 + 4, as ever */

static pthread_mutex_t inner_lock = PTHREAD_MUTEX_INITIALIZER;

SSL_SESSION *SSL_SESSION_new(void)
{
    SSL_SESSION *s = OPENSSL_zalloc(sizeof *s);
    if (!s) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->verify_result = 1; /* nobody has verified anything */
    s->timeout = DEFAULT_TIMEOUT;
    s->max_fragment_code = TLSEXT_max_fragment_length_UNSPECIFIED;
    s->time = (long)time(NULL);
    s->issued_ms = session_ms(s->time);
    if (!CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, s, &s->ex_data)) {
        OPENSSL_free(s);
        return NULL;
    }
    return s;
}

int SSL_SESSION_up_ref(SSL_SESSION *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return 1;
}

static void drop(struct session_bytes *field)
{
    if (field->owned)
        OPENSSL_clear_free((void *)(uintptr_t)field->p, field->len);
    *field = (struct session_bytes){0};
}

void SSL_SESSION_free(SSL_SESSION *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    CRYPTO_free_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, s, &s->ex_data);
    drop(&s->secret);
    drop(&s->ticket);
    drop(&s->alpn);
    drop(&s->appdata);
    drop(&s->name);
    drop(&s->psk_identity);
    drop(&s->psk_hint);
    X509_free(s->peer);
    sk_X509_pop_free(s->chain, X509_free);
    hf_session_free(s->inner);
    OPENSSL_clear_free(s, sizeof *s);
}

bool session_set(SSL_SESSION *s, struct session_bytes *field, const void *p, size_t len)
{
    unsigned char *copy = NULL;
    if (p && !(copy = OPENSSL_malloc(len + 1))) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return false;
    }
    if (copy) {
        memcpy(copy, p, len);
        copy[len] = 0;
    }
    drop(field);
    *field = (struct session_bytes){copy, copy ? len : 0, copy != NULL};
    s->stale = true;
    return true;
}

/* ---- from the engine */

static struct session_bytes borrow(const void *p, size_t len)
{
    return (struct session_bytes){len ? p : NULL, len, false};
}

static uint8_t fragment_code(uint16_t bytes)
{
    uint8_t code = 0;
    if (!bytes)
        return TLSEXT_max_fragment_length_UNSPECIFIED;
    for (; bytes > 256; bytes /= 2)
        code++;
    return code; /* 512 is 1 (RFC 6066 4) */
}

/* In TLS 1.3 the ID is a name that each side makes up for itself: a ticket's is its hash, so that the same
 * ticket has the same one. */
static void name_ticket(SSL_SESSION *s)
{
    unsigned len = 0;
    if (s->ticket.len &&
        EVP_Digest(s->ticket.p, s->ticket.len, s->id, &len, EVP_sha256(), NULL))
        s->id_len = (uint8_t)len;
}

static void take(SSL_SESSION *s, const struct access_session *a)
{
    s->version = a->version;
    s->suite = a->suite;
    s->group = a->group;
    s->signature = a->signature;
    s->max_fragment_code = fragment_code(a->max_fragment);
    s->ems = a->ems && a->version != TLS1_3_VERSION;
    s->secret = borrow(a->secret, a->secret_len);
    s->ticket = borrow(a->ticket, a->ticket_len);
    s->alpn = borrow(a->alpn, a->alpn_len);
    s->name = borrow(a->server_name, a->server_name ? strlen(a->server_name) : 0);
    memcpy(s->id, a->id, a->id_len);
    s->id_len = (uint8_t)a->id_len;
    memcpy(s->sid_ctx, a->context, a->context_len);
    s->sid_ctx_len = (uint8_t)a->context_len;
    s->lifetime_hint = a->ticket_len ? a->lifetime : 0;
    s->age_add = a->age_add;
    s->max_early_data = a->max_early_data;
    s->issued_ms = a->issued_ms;
    s->time = (long)(a->issued_ms / 1000);
    if (s->version == TLS1_3_VERSION && s->id_len == 0)
        name_ticket(s);
}

SSL_SESSION *session_from(hf_session *inner)
{
    struct access_session a;
    SSL_SESSION *s = SSL_SESSION_new();
    if (!s)
        return NULL;
    access_session_read(inner, &a);
    s->inner = hf_session_ref(inner);
    take(s, &a);
    return s;
}

/* ---- to the engine */

static bool peer_certificate(const SSL_SESSION *s, hf_certificate **out)
{
    unsigned char *der = NULL;
    *out = NULL;
    if (!s->peer)
        return true;
    int len = i2d_X509(s->peer, &der);
    if (len > 0)
        *out = hf_certificate_parse(der, (size_t)len, NULL);
    OPENSSL_free(der);
    return *out != NULL;
}

static uint16_t fragment_size(uint8_t code)
{
    return (uint16_t)(code >= 1 && code <= 4 ? 256 << code : 0);
}

/* How long a client may offer it: what the server said of its ticket; else what programs have set. */
static uint32_t lifetime(const SSL_SESSION *s)
{
    unsigned long seconds = s->timeout < 0 ? 0 : (unsigned long)s->timeout;
    if (s->ticket.len && (s->lifetime_hint || s->version == TLS1_3_VERSION))
        seconds = s->lifetime_hint;
    return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static hf_session *make_inner(const SSL_SESSION *s)
{
    struct access_session a = {
        .version = (uint16_t)s->version,
        .suite = s->suite,
        .secret = s->secret.p,
        .secret_len = s->secret.len,
        .id = s->id,
        .id_len = s->id_len,
        .ticket = s->ticket.p,
        .ticket_len = s->ticket.len,
        .lifetime = lifetime(s),
        .age_add = s->age_add,
        .max_early_data = s->max_early_data,
        .issued_ms = s->issued_ms,
        .server_name = (const char *)s->name.p,
        .alpn = s->alpn.p,
        .alpn_len = s->alpn.len,
        .context = s->sid_ctx,
        .context_len = s->sid_ctx_len,
        .ems = s->ems,
        .max_fragment = fragment_size(s->max_fragment_code),
        .group = s->group,
        .signature = s->signature,
        .verified = s->verify_result == X509_V_OK,
    };
    hf_certificate *peer = NULL;
    struct access_session old;
    if (s->inner && !s->peer) {
        access_session_read(s->inner, &old);
        a.chain = old.chain;
        a.chain_len = old.chain_len;
    } else if (!peer_certificate(s, &peer)) {
        return NULL;
    } else if (peer) {
        a.chain = &peer;
        a.chain_len = 1;
    }
    hf_session *made = access_session_new(&a);
    hf_certificate_free(peer);
    return made;
}

/* What was borrowed from the old one becomes our own before that goes. */
static bool own(SSL_SESSION *s)
{
    struct session_bytes *fields[] = {&s->secret, &s->ticket, &s->alpn, &s->name};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i]->p && !fields[i]->owned &&
            !session_set(s, fields[i], fields[i]->p, fields[i]->len))
            return false;
    }
    return true;
}

hf_session *session_inner(SSL_SESSION *s)
{
    (void)pthread_mutex_lock(&inner_lock);
    if (!s->inner || s->stale) {
        hf_session *made = s->suite && s->version && own(s) ? make_inner(s) : NULL;
        if (made) {
            hf_session_free(s->inner);
            s->inner = made;
            s->stale = false;
        }
        hf_session *result = made;
        (void)pthread_mutex_unlock(&inner_lock);
        return result;
    }
    hf_session *result = s->inner;
    (void)pthread_mutex_unlock(&inner_lock);
    return result;
}

X509 *session_peer(const SSL_SESSION *s)
{
    struct access_session a;
    if (s->peer || !s->inner)
        return s->peer;
    access_session_read(s->inner, &a);
    return a.chain_len ? access_x509(a.chain[0]) : NULL;
}

bool session_has_peer(const SSL_SESSION *s)
{
    struct access_session a = {0};
    if (!s->peer && s->inner)
        access_session_read(s->inner, &a);
    return s->peer || a.chain_len;
}

/* ---- copies */

static bool copy_bytes(SSL_SESSION *to, struct session_bytes *field,
                       const struct session_bytes *from)
{
    if (!from->owned) {
        *field = *from;
        return true;
    }
    *field = (struct session_bytes){0};
    return session_set(to, field, from->p, from->len);
}

static bool copy_fields(SSL_SESSION *to, const SSL_SESSION *from)
{
    bool stale = from->stale;
    bool ok = copy_bytes(to, &to->secret, &from->secret) &&
              copy_bytes(to, &to->ticket, &from->ticket) &&
              copy_bytes(to, &to->alpn, &from->alpn) &&
              copy_bytes(to, &to->appdata, &from->appdata) &&
              copy_bytes(to, &to->name, &from->name) &&
              copy_bytes(to, &to->psk_identity, &from->psk_identity) &&
              copy_bytes(to, &to->psk_hint, &from->psk_hint);
    to->stale = stale;
    return ok;
}

SSL_SESSION *SSL_SESSION_dup(const SSL_SESSION *from)
{
    SSL_SESSION *s = OPENSSL_memdup(from, sizeof *from);
    if (!s) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    struct session_bytes none = {0};
    atomic_init(&s->refs, 1);
    s->owner = NULL;
    s->newer = s->older = NULL;
    s->chain = NULL;
    s->secret = s->ticket = s->alpn = s->appdata = s->name = s->psk_identity = s->psk_hint =
        none;
    s->inner = hf_session_ref(from->inner);
    if (s->peer)
        X509_up_ref(s->peer);
    memset(&s->ex_data, 0, sizeof s->ex_data);
    if (CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, s, &s->ex_data) &&
        copy_fields(s, from) &&
        CRYPTO_dup_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, &s->ex_data, &from->ex_data))
        return s;
    SSL_SESSION_free(s);
    raise_ssl(ERR_R_MALLOC_FAILURE);
    return NULL;
}

/* ---- data of programs */

int SSL_SESSION_set_ex_data(SSL_SESSION *s, int index, void *data)
{
    return CRYPTO_set_ex_data(&s->ex_data, index, data);
}

void *SSL_SESSION_get_ex_data(const SSL_SESSION *s, int index)
{
    return CRYPTO_get_ex_data(&s->ex_data, index);
}

/* session_table.c: the sessions that a context keeps, by ID and by age, and its counters. */
#include <openssl/lhash.h>
#include <time.h>

#include "libssl/local.h"

enum { TWO_HOURS = 7200 }; /* what a context's sessions are good for unless it says otherwise */

static unsigned long hash_of(const void *p)
{
    const SSL_SESSION *s = p;
    unsigned long hash = 0;
    for (size_t i = 0; i < 4 && i < s->id_len; i++)
        hash |= (unsigned long)s->id[i] << 8 * i;
    return hash;
}

/* The same ID in another version is another session. */
static int compare(const void *a, const void *b)
{
    const SSL_SESSION *x = a, *y = b;
    return x->version != y->version || x->id_len != y->id_len ||
           memcmp(x->id, y->id, x->id_len) != 0;
}

struct session_table *session_table_new(void)
{
    struct session_table *t = OPENSSL_zalloc(sizeof *t);
    if (!t)
        return NULL;
    t->hash = (LHASH_OF(SSL_SESSION) *)OPENSSL_LH_new(hash_of, compare);
    if (!t->hash || pthread_mutex_init(&t->lock, NULL) != 0) {
        OPENSSL_LH_free((OPENSSL_LHASH *)t->hash);
        OPENSSL_free(t);
        return NULL;
    }
    t->size = SSL_SESSION_CACHE_MAX_SIZE_DEFAULT;
    t->timeout = TWO_HOURS;
    t->mode = SSL_SESS_CACHE_SERVER;
    return t;
}

void session_table_free(SSL_CTX *ctx)
{
    struct session_table *t = ctx->sessions;
    if (!t)
        return;
    SSL_CTX_flush_sessions(ctx, 0);
    ctx->sessions = NULL;
    OPENSSL_LH_free((OPENSSL_LHASH *)t->hash);
    (void)pthread_mutex_destroy(&t->lock);
    OPENSSL_free(t);
}

static OPENSSL_LHASH *hash(struct session_table *t)
{
    return (OPENSSL_LHASH *)t->hash;
}

LHASH_OF(SSL_SESSION) * SSL_CTX_sessions(SSL_CTX *ctx)
{
    return ctx->sessions->hash;
}

/* ---- order by the time at which they end; all with the lock held */

static long end_of(const SSL_SESSION *s)
{
    return s->timeout > LONG_MAX - s->time ? LONG_MAX : s->time + s->timeout;
}

static void unlist(struct session_table *t, SSL_SESSION *s)
{
    *(s->newer ? &s->newer->older : &t->newest) = s->older;
    *(s->older ? &s->older->newer : &t->oldest) = s->newer;
    s->newer = s->older = NULL;
    s->owner = NULL;
}

static void list(struct session_table *t, SSL_SESSION *s)
{
    SSL_SESSION *older = t->newest, *newer = NULL;
    while (older && end_of(older) > end_of(s)) {
        newer = older;
        older = older->older;
    }
    s->owner = t;
    s->older = older;
    s->newer = newer;
    *(newer ? &newer->older : &t->newest) = s;
    *(older ? &older->newer : &t->oldest) = s;
}

void session_moved(SSL_SESSION *s)
{
    struct session_table *t = s->owner;
    if (!t)
        return;
    (void)pthread_mutex_lock(&t->lock);
    if (s->owner == t) {
        unlist(t, s);
        list(t, s);
    }
    (void)pthread_mutex_unlock(&t->lock);
}

/* ---- what leaves is told of, and let go, without the lock */

static void take_out(struct session_table *t, SSL_SESSION *s, SSL_SESSION **leaving)
{
    (void)OPENSSL_LH_delete(hash(t), s);
    unlist(t, s);
    s->not_resumable = true;
    s->older = *leaving;
    *leaving = s;
}

static void let_go(SSL_CTX *ctx, SSL_SESSION *leaving, bool tell)
{
    while (leaving) {
        SSL_SESSION *s = leaving;
        leaving = s->older;
        s->older = NULL;
        if (tell && ctx->sessions->remove_cb)
            ctx->sessions->remove_cb(ctx, s);
        SSL_SESSION_free(s);
    }
}

/* ---- adding and removing */

/* One that has the place of another with its ID replaces it. */
static int insert(struct session_table *t, SSL_SESSION *s, SSL_SESSION **replaced,
                  SSL_SESSION **leaving, int *full)
{
    SSL_SESSION *old = OPENSSL_LH_retrieve(hash(t), s);
    if (old == s)
        return 0;
    if (old) {
        take_out(t, old, replaced);
        old->not_resumable = false;
    }
    if (t->mode & SSL_SESS_CACHE_UPDATE_TIME)
        s->time = (long)time(NULL);
    (void)OPENSSL_LH_insert(hash(t), s);
    if (OPENSSL_LH_error(hash(t)))
        return -1;
    list(t, s);
    /* As OpenSSL counts: the one that comes has to have gone below the bound. */
    while (t->size > 0 && OPENSSL_LH_num_items(hash(t)) >= t->size && t->oldest != s) {
        take_out(t, t->oldest, leaving);
        ++*full;
    }
    return 1;
}

int SSL_CTX_add_session(SSL_CTX *ctx, SSL_SESSION *s)
{
    struct session_table *t = ctx->sessions;
    SSL_SESSION *replaced = NULL, *leaving = NULL;
    int full = 0, result = 0;

    SSL_SESSION_up_ref(s);
    (void)pthread_mutex_lock(&t->lock);
    if (!s->owner || s->owner == t) /* it has the links of one table only */
        result = insert(t, s, &replaced, &leaving, &full);
    (void)pthread_mutex_unlock(&t->lock);
    if (result != 1)
        SSL_SESSION_free(s);
    while (full-- > 0)
        session_count(ctx, SESS_CACHE_FULL);
    let_go(ctx, replaced, false);
    let_go(ctx, leaving, true);
    return result == 1;
}

int SSL_CTX_remove_session(SSL_CTX *ctx, SSL_SESSION *s)
{
    struct session_table *t = ctx->sessions;
    SSL_SESSION *leaving = NULL;

    if (!s || s->id_len == 0)
        return 0;
    (void)pthread_mutex_lock(&t->lock);
    SSL_SESSION *found = OPENSSL_LH_retrieve(hash(t), s);
    if (found)
        take_out(t, found, &leaving);
    (void)pthread_mutex_unlock(&t->lock);
    s->not_resumable = true;
    if (t->remove_cb)
        t->remove_cb(ctx, s);
    let_go(ctx, leaving, false);
    return found != NULL;
}

void SSL_CTX_flush_sessions(SSL_CTX *ctx, long now)
{
    struct session_table *t = ctx->sessions;
    SSL_SESSION *leaving = NULL;

    (void)pthread_mutex_lock(&t->lock);
    while (t->oldest && (now == 0 || end_of(t->oldest) < now))
        take_out(t, t->oldest, &leaving);
    (void)pthread_mutex_unlock(&t->lock);
    let_go(ctx, leaving, true);
}

/* ---- finding */

static SSL_SESSION *in_table(struct session_table *t, const unsigned char *id, size_t len,
                             int version)
{
    SSL_SESSION key = {.version = version, .id_len = (uint8_t)len};
    memcpy(key.id, id, len);
    (void)pthread_mutex_lock(&t->lock);
    SSL_SESSION *s = OPENSSL_LH_retrieve(hash(t), &key);
    if (s)
        SSL_SESSION_up_ref(s);
    (void)pthread_mutex_unlock(&t->lock);
    return s;
}

SSL_SESSION *session_find(SSL *s, const unsigned char *id, size_t len, int version)
{
    SSL_CTX *ctx = s->session_ctx;
    struct session_table *t = ctx->sessions;
    SSL_SESSION *found = NULL;
    int copy = 1;

    if (len == 0 || len > SSL_MAX_SSL_SESSION_ID_LENGTH)
        return NULL;
    if (!(t->mode & SSL_SESS_CACHE_NO_INTERNAL_LOOKUP)) {
        if ((found = in_table(t, id, len, version)))
            return found;
        session_count(ctx, SESS_MISSES);
    }
    if (!t->get_cb || !(found = t->get_cb(s, id, (int)len, &copy)))
        return NULL;
    session_count(ctx, SESS_CB_HIT);
    if (copy)
        SSL_SESSION_up_ref(found);
    if (!(t->mode & SSL_SESS_CACHE_NO_INTERNAL_STORE))
        (void)SSL_CTX_add_session(ctx, found);
    return found;
}

int SSL_has_matching_session_id(const SSL *s, const unsigned char *id, unsigned int len)
{
    if (len > SSL_MAX_SSL_SESSION_ID_LENGTH)
        return 0;
    SSL_SESSION *found = in_table(s->session_ctx->sessions, id, len, SSL_version(s));
    SSL_SESSION_free(found);
    return found != NULL;
}

void session_cache(SSL *s, SSL_SESSION *session, int mode)
{
    SSL_CTX *ctx = s->session_ctx;
    struct session_table *t = ctx->sessions;
    const struct settings *set = s->settings;
    bool server = s->server, tls13 = session->version == TLS1_3_VERSION;

    if (session->id_len == 0 ||
        (server && session->sid_ctx_len == 0 && set->verify_mode & SSL_VERIFY_PEER))
        return;
    if (t->mode & (uint32_t)mode) {
        /* A server's ticket of TLS 1.3 has all in it, and what is here would never be asked for: but where
         * tickets name sessions, or somebody wants to know when they end. */
        bool wanted = !tls13 || !server || t->remove_cb || set->options & SSL_OP_NO_TICKET ||
                      (set->max_early_data > 0 && !(set->options & SSL_OP_NO_ANTI_REPLAY));
        if (wanted && !(t->mode & SSL_SESS_CACHE_NO_INTERNAL_STORE))
            (void)SSL_CTX_add_session(ctx, session);
        if (t->new_cb) {
            SSL_SESSION_up_ref(session);
            if (!t->new_cb(s, session))
                SSL_SESSION_free(session);
        }
    }
    enum session_count good =
        mode == SSL_SESS_CACHE_CLIENT ? SESS_CONNECT_GOOD : SESS_ACCEPT_GOOD;
    if (!(t->mode & SSL_SESS_CACHE_NO_AUTO_CLEAR) && t->mode & (uint32_t)mode &&
        (atomic_load(&t->count[good]) & 0xff) == 0xff)
        SSL_CTX_flush_sessions(ctx, (long)time(NULL));
}

/* ---- settings of the table */

void session_count(SSL_CTX *ctx, enum session_count what)
{
    if (ctx->sessions)
        atomic_fetch_add_explicit(&ctx->sessions->count[what], 1, memory_order_relaxed);
}

void session_count_moves(SSL_CTX *from, SSL_CTX *to)
{
    if (from == to)
        return;
    session_count(to, SESS_ACCEPT);
    if (from->sessions)
        atomic_fetch_sub_explicit(&from->sessions->count[SESS_ACCEPT], 1, memory_order_relaxed);
}

long SSL_CTX_get_timeout(const SSL_CTX *ctx)
{
    return ctx ? ctx->sessions->timeout : 0;
}

long SSL_CTX_set_timeout(SSL_CTX *ctx, long t)
{
    if (!ctx)
        return 0;
    long old = ctx->sessions->timeout;
    ctx->sessions->timeout = t;
    /* Tickets say how long they are good: configurations are made anew. */
    struct settings *fresh = settings_edit(&ctx->settings);
    (void)fresh;
    return old;
}

void SSL_CTX_sess_set_new_cb(SSL_CTX *ctx, int (*cb)(SSL *, SSL_SESSION *))
{
    ctx->sessions->new_cb = cb;
}

int (*SSL_CTX_sess_get_new_cb(SSL_CTX *ctx))(SSL *, SSL_SESSION *)
{
    return ctx->sessions->new_cb;
}

void SSL_CTX_sess_set_remove_cb(SSL_CTX *ctx, void (*cb)(SSL_CTX *, SSL_SESSION *))
{
    ctx->sessions->remove_cb = cb;
}

void (*SSL_CTX_sess_get_remove_cb(SSL_CTX *ctx))(SSL_CTX *, SSL_SESSION *)
{
    return ctx->sessions->remove_cb;
}

void SSL_CTX_sess_set_get_cb(SSL_CTX *ctx,
                             SSL_SESSION *(*cb)(SSL *, const unsigned char *, int, int *))
{
    ctx->sessions->get_cb = cb;
}

SSL_SESSION *(*SSL_CTX_sess_get_get_cb(SSL_CTX *ctx))(SSL *, const unsigned char *, int, int *)
{
    return ctx->sessions->get_cb;
}

/* bundle.c: files of trust anchors, read once.
 *
 * The usual bundle takes 20 ms to parse, and programs load it for every context that they make. What a file held
 * when it was read is kept in a store of libcrypto's, which no context ever sees; contexts share its certificates
 * and revocation lists. The file counts as the same while device, inode, size and both times are. */
#include "libssl/bundle.h"

#include <pthread.h>
#include <sys/stat.h>

enum { BUNDLES = 4 };

static struct bundle {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed, modified;
    X509_STORE *store; /* NULL: an empty place */
} bundles[BUNDLES];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned next_place;

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_of(const struct bundle *b, const struct stat *st)
{
    return b->store && b->dev == st->st_dev && b->ino == st->st_ino && b->size == st->st_size &&
           same_time(b->changed, st->st_ctim) && same_time(b->modified, st->st_mtim);
}

static X509_STORE *find(const struct stat *st)
{
    X509_STORE *store = NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; !store && i < BUNDLES; i++) {
        if (is_of(&bundles[i], st) && X509_STORE_up_ref(bundles[i].store))
            store = bundles[i].store;
    }
    pthread_mutex_unlock(&lock);
    return store;
}

static void keep(const struct stat *st, X509_STORE *store)
{
    if (!X509_STORE_up_ref(store))
        return;
    pthread_mutex_lock(&lock);
    struct bundle *b = &bundles[next_place++ % BUNDLES];
    X509_STORE *old = b->store;
    *b = (struct bundle){.dev = st->st_dev,
                         .ino = st->st_ino,
                         .size = st->st_size,
                         .changed = st->st_ctim,
                         .modified = st->st_mtim,
                         .store = store};
    pthread_mutex_unlock(&lock);
    X509_STORE_free(old);
}

/* A reference; NULL with libcrypto's errors. A file that changes while it is read is not kept. */
static X509_STORE *bundle_of(const char *path)
{
    struct stat before, after;
    bool known = path && stat(path, &before) == 0 && S_ISREG(before.st_mode);
    X509_STORE *store = known ? find(&before) : NULL;
    if (store)
        return store;
    store = X509_STORE_new();
    if (!store || !X509_STORE_load_file_ex(store, path, NULL, NULL)) {
        X509_STORE_free(store);
        return NULL;
    }
    struct bundle b = {.store = store,
                       .dev = before.st_dev,
                       .ino = before.st_ino,
                       .size = before.st_size,
                       .changed = before.st_ctim,
                       .modified = before.st_mtim};
    if (known && stat(path, &after) == 0 && is_of(&b, &after))
        keep(&before, store);
    return store;
}

static bool copy(X509_STORE *from, X509_STORE *to)
{
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(from);
    bool ok = true;
    for (int i = 0; ok && i < sk_X509_OBJECT_num(objects); i++) {
        X509_OBJECT *o = sk_X509_OBJECT_value(objects, i);
        X509 *x = X509_OBJECT_get0_X509(o);
        X509_CRL *crl = X509_OBJECT_get0_X509_CRL(o);
        ok = x ? X509_STORE_add_cert(to, x) : !crl || X509_STORE_add_crl(to, crl);
    }
    return ok;
}

bool bundle_load(SSL_CTX *ctx, const char *path)
{
    /* Who has a library context of his own wants certificates of that. */
    if (ctx->libctx || ctx->propq)
        return X509_STORE_load_file_ex(ctx->store, path, ctx->libctx, ctx->propq) == 1;
    X509_STORE *bundle =
        X509_STORE_add_lookup(ctx->store, X509_LOOKUP_file()) ? bundle_of(path) : NULL;
    bool ok = bundle && copy(bundle, ctx->store);
    X509_STORE_free(bundle);
    return ok;
}

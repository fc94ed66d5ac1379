/* cache.c: the cache of sessions by ID, and the counters beside it. */
#include "config/cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "crypto/random.h"

#define LINE            64 /* bytes that two threads cannot write at once without waiting */
#define SHARDS          16
#define SLOTS           8
#define FIRST_BUCKETS   16
#define MAX_ID          32
#define DEFAULT_BOUND   20480
#define DEFAULT_SECONDS 7200

/* Up to this bound there is one shard, so that what goes is exactly what was used longest ago. With
 * several, it is that of the shard that the new session falls into. */
#define EXACT_BOUND 512

/* Expired sessions at the old end go whenever one is added, this many at most: the secrets of a busy
 * server do not outlive their use by much, and nobody waits for it. */
#define SWEEP 2

struct entry {
    struct entry *next; /* in its bucket, or in a list of entries that are leaving */
    struct entry *newer, *older;
    hf_session *session;
    uint32_t hash;
};

struct shard {
    /* held for a look-up, never while a callback runs or a session is freed */
    pthread_mutex_t lock;
    struct entry **bucket;
    uint32_t bucket_count, count;
    struct entry *newest, *oldest;
} __attribute__((aligned(LINE)));

/* One of several sets of counters: each thread adds to its own, so that no two wait for a line. */
struct slot {
    _Atomic uint64_t count[COUNT_END];
} __attribute__((aligned(LINE)));

struct session_cache {
    _Atomic int refs;
    uint64_t seed[MAX_ID / 4 + 2];
    _Atomic uint32_t mask; /* shards in use, less one */
    _Atomic uint32_t lifetime;
    _Atomic size_t bound;
    _Atomic size_t count __attribute__((aligned(LINE)));
    struct shard shard[SHARDS];
    struct slot slot[SLOTS];
    void *memory; /* what all this lies in: mem_new aligns less */
};

/* ---- life */

struct session_cache *session_cache_new(void)
{
    char *memory = mem_new(sizeof(struct session_cache) + LINE);
    size_t made = 0;

    if (!memory)
        return NULL;
    struct session_cache *cache = (void *)(memory + (LINE - (uintptr_t)memory % LINE) % LINE);
    cache->memory = memory;
    atomic_init(&cache->refs, 1);
    atomic_init(&cache->mask, SHARDS - 1);
    atomic_init(&cache->lifetime, DEFAULT_SECONDS);
    atomic_init(&cache->bound, DEFAULT_BOUND);
    bool ok = random_bytes((uint8_t *)cache->seed, sizeof cache->seed);
    while (ok && made < SHARDS && pthread_mutex_init(&cache->shard[made].lock, NULL) == 0)
        made++;
    if (made == SHARDS)
        return cache;
    while (made > 0)
        (void)pthread_mutex_destroy(&cache->shard[--made].lock);
    mem_free(memory);
    return NULL;
}

struct session_cache *session_cache_ref(struct session_cache *cache)
{
    if (cache)
        atomic_fetch_add_explicit(&cache->refs, 1, memory_order_relaxed);
    return cache;
}

/* Takes an entry out of its list of ages and puts it in front of a list of those that leave. */
static void unlist(struct shard *shard, struct entry *e)
{
    *(e->newer ? &e->newer->older : &shard->newest) = e->older;
    *(e->older ? &e->older->newer : &shard->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void list_newest(struct shard *shard, struct entry *e)
{
    e->older = shard->newest;
    e->newer = NULL;
    *(e->older ? &e->older->newer : &shard->oldest) = e;
    shard->newest = e;
}

static void entry_free(struct entry *e)
{
    hf_session_free(e->session);
    mem_free(e);
}

void session_cache_free(struct session_cache *cache)
{
    if (!cache || atomic_fetch_sub_explicit(&cache->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (struct shard *shard = cache->shard; shard < cache->shard + SHARDS; shard++) {
        while (shard->newest) {
            struct entry *e = shard->newest;
            unlist(shard, e);
            entry_free(e);
        }
        mem_free(shard->bucket);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    mem_free(cache->memory);
}

/* ---- finding a place
 *
 * Look-ups come with IDs of the peer's choice, and an application may make the IDs of its sessions
 * by a rule of its own, so the hash is keyed. A sum of products with random factors, of which the
 * upper half is taken, is universal: whoever does not know the factors cannot choose IDs that meet
 * more often than chance lets them, and it costs nine multiplications. IDs themselves are compared
 * as they come: they travel in clear and are no secret, so how long that takes tells nothing. */

static uint32_t hash_of(const struct session_cache *cache, struct slice id)
{
    uint8_t padded[MAX_ID] = {0};
    const uint64_t *factor = cache->seed + 2;
    uint64_t sum = cache->seed[0] + cache->seed[1] * id.len;

    memcpy(padded, id.p, id.len);
    for (size_t i = 0; i < MAX_ID; i += 4) {
        uint32_t word;
        memcpy(&word, padded + i, 4);
        sum += *factor++ * word;
    }
    return (uint32_t)(sum >> 32);
}

/* Buckets are chosen by the upper bits of what the shard left. */
static struct entry **bucket_of(const struct shard *shard, uint32_t hash)
{
    return &shard->bucket[(hash / SHARDS) & (shard->bucket_count - 1)];
}

static struct slice id_of(const hf_session *session)
{
    return slice_of(session->id, session->id_len);
}

/* Where the pointer to the entry of this ID is; *place is NULL if there is none. Needs a bucket. */
static struct entry **place_of(const struct shard *shard, uint32_t hash, struct slice id)
{
    struct entry **place = bucket_of(shard, hash);
    while (*place && ((*place)->hash != hash || !slice_equal(id_of((*place)->session), id)))
        place = &(*place)->next;
    return place;
}

/* Locks the shard of a hash. How many shards there are may change while we wait for one. */
static struct shard *lock_shard(struct session_cache *cache, uint32_t hash)
{
    for (;;) {
        uint32_t mask = atomic_load_explicit(&cache->mask, memory_order_relaxed);
        struct shard *shard = &cache->shard[hash & mask];
        (void)pthread_mutex_lock(&shard->lock);
        if (atomic_load_explicit(&cache->mask, memory_order_relaxed) == mask)
            return shard;
        (void)pthread_mutex_unlock(&shard->lock);
    }
}

static void unlock_shard(struct shard *shard)
{
    (void)pthread_mutex_unlock(&shard->lock);
}

/* Twice as many buckets. Without memory the chains get longer; only the first are needed. */
static bool grow(struct shard *shard)
{
    uint32_t count = shard->bucket_count ? shard->bucket_count * 2 : FIRST_BUCKETS;
    struct entry **bucket = mem_new(count * sizeof(struct entry *));

    if (!bucket)
        return shard->bucket != NULL;
    mem_free(shard->bucket);
    shard->bucket = bucket;
    shard->bucket_count = count;
    for (struct entry *e = shard->newest; e; e = e->older) {
        struct entry **place = bucket_of(shard, e->hash);
        e->next = *place;
        *place = e;
    }
    return true;
}

/* Takes an entry out of the shard; `leaving` is a list that is worked off without the lock. */
static void take_out(struct session_cache *cache, struct shard *shard, struct entry **place,
                     struct entry **leaving)
{
    struct entry *e = *place;

    *place = e->next;
    unlist(shard, e);
    shard->count--;
    atomic_fetch_sub_explicit(&cache->count, 1, memory_order_relaxed);
    e->next = *leaving;
    *leaving = e;
}

static void take_out_entry(struct session_cache *cache, struct shard *shard, struct entry *e,
                           struct entry **leaving)
{
    struct entry **place = bucket_of(shard, e->hash);
    while (*place != e)
        place = &(*place)->next;
    take_out(cache, shard, place, leaving);
}

static void tell_removed(const hf_config *config, const hf_session *session)
{
    if (config->store.remove)
        config->store.remove(session, config->store.arg);
}

/* Frees what has left, and tells the application unless it is to be forgotten quietly. */
static void let_go(const hf_config *config, struct entry *leaving, bool tell)
{
    while (leaving) {
        struct entry *e = leaving;
        leaving = e->next;
        if (tell)
            tell_removed(config, e->session);
        entry_free(e);
    }
}

/* ---- time */

static bool expired(const struct session_cache *cache, const hf_session *session,
                    int64_t now_ms)
{
    int64_t lifetime = atomic_load_explicit(&cache->lifetime, memory_order_relaxed);
    return session_expired(session, now_ms) || now_ms >= session->issued_ms + lifetime * 1000;
}

/* For a flush, whose `now` is the caller's: one of long ago makes no session invalid that is newer. */
static bool over(const struct session_cache *cache, const hf_session *session, int64_t now)
{
    int64_t lifetime = atomic_load_explicit(&cache->lifetime, memory_order_relaxed);
    return now >= hf_session_expires(session) || now >= session->issued_ms / 1000 + lifetime;
}

/* ---- adding */

static struct entry *entry_new(hf_session *session, uint32_t hash)
{
    struct entry *e = mem_new(sizeof *e);
    if (!e)
        return NULL;
    e->session = hf_session_ref(session);
    e->hash = hash;
    return e;
}

static bool too_many(const struct session_cache *cache)
{
    return atomic_load_explicit(&cache->count, memory_order_relaxed) >
           atomic_load_explicit(&cache->bound, memory_order_relaxed);
}

/* Makes the cache as small as it must be, beginning with the shard `from` and never with `but`. */
static void make_room(const hf_config *config, struct session_cache *cache, uint32_t from,
                      const struct entry *but)
{
    struct entry *leaving = NULL;

    for (uint32_t i = 0; i < SHARDS && too_many(cache); i++) {
        struct shard *shard = &cache->shard[(from + i) & (SHARDS - 1)];
        (void)pthread_mutex_lock(&shard->lock);
        while (shard->oldest && shard->oldest != but && too_many(cache)) {
            take_out_entry(cache, shard, shard->oldest, &leaving);
            cache_count(config, COUNT_CACHE_FULL);
        }
        unlock_shard(shard);
    }
    let_go(config, leaving, true);
}

/* Keeps the session. One with the same ID is replaced: the ID stays good, so nobody is told. */
static void keep(const hf_config *config, hf_session *session)
{
    struct session_cache *cache = config->cache;
    uint32_t hash = hash_of(cache, id_of(session));
    struct entry *e = entry_new(session, hash), *replaced = NULL, *old = NULL;
    int64_t now_ms = config_now_ms(config);

    if (!e)
        return; /* a session that is not kept costs its client a full handshake, no more */
    struct shard *shard = lock_shard(cache, hash);
    if (shard->count >= shard->bucket_count && !grow(shard)) {
        unlock_shard(shard);
        entry_free(e);
        return;
    }
    struct entry **place = place_of(shard, hash, id_of(session));
    if (*place)
        take_out(cache, shard, place, &replaced);
    for (int i = 0; i < SWEEP && shard->oldest; i++) {
        if (!expired(cache, shard->oldest->session, now_ms))
            break;
        take_out_entry(cache, shard, shard->oldest, &old);
    }
    place = bucket_of(shard, hash);
    e->next = *place;
    *place = e;
    list_newest(shard, e);
    shard->count++;
    atomic_fetch_add_explicit(&cache->count, 1, memory_order_relaxed);
    uint32_t at = (uint32_t)(shard - cache->shard);
    unlock_shard(shard);
    let_go(config, replaced, false);
    let_go(config, old, true);
    make_room(config, cache, at, e);
}

void cache_add(const hf_config *config, hf_conn *conn, hf_session *session)
{
    if (session->id_len == 0)
        return;
    if (config->cache_sessions)
        keep(config, session);
    if (config->store.add)
        config->store.add(conn, session, config->store.arg);
}

/* ---- finding */

/* The session of this ID in the cache. One that has expired leaves it, into *late. */
static hf_session *find_kept(const hf_config *config, struct slice id, int64_t now_ms,
                             struct entry **late)
{
    struct session_cache *cache = config->cache;
    uint32_t hash = hash_of(cache, id);
    hf_session *session = NULL;

    struct shard *shard = lock_shard(cache, hash);
    struct entry **place = shard->bucket ? place_of(shard, hash, id) : NULL;
    if (place && *place && expired(cache, (*place)->session, now_ms)) {
        take_out(cache, shard, place, late);
    } else if (place && *place) {
        struct entry *e = *place;
        session = hf_session_ref(e->session);
        unlist(shard, e);
        list_newest(shard, e);
    }
    unlock_shard(shard);
    return session;
}

/* The application's answer. What it hands over under another ID than was asked for is a mistake of
 * its own that must not make somebody another's session. */
static hf_session *find_stored(const hf_config *config, struct slice id, int64_t now_ms,
                               bool *late)
{
    hf_session *session =
        config->store.find ? config->store.find(id.p, id.len, config->store.arg) : NULL;

    if (!session || slice_equal(id_of(session), id)) {
        *late = session && expired(config->cache, session, now_ms);
        if (!*late)
            return session;
        tell_removed(config, session);
    }
    hf_session_free(session);
    return NULL;
}

hf_session *cache_find(const hf_config *config, struct slice id)
{
    struct entry *leaving = NULL;
    hf_session *session = NULL;
    bool late = false;

    if (id.len == 0 || id.len > MAX_ID)
        return NULL;
    int64_t now_ms = config_now_ms(config);
    if (config->cache_sessions)
        session = find_kept(config, id, now_ms, &leaving);
    if (leaving) {
        late = true;
        let_go(config, leaving, true);
    } else if (!session && (session = find_stored(config, id, now_ms, &late)) != NULL) {
        cache_count(config, COUNT_CB_HITS);
        if (config->cache_sessions)
            keep(config, session);
    }
    if (!session)
        cache_count(config, late ? COUNT_TIMEOUTS : COUNT_MISSES);
    return session;
}

/* ---- removing */

void cache_remove(const hf_config *config, const hf_session *session)
{
    struct session_cache *cache = config->cache;
    struct entry *leaving = NULL;

    if (session->id_len == 0)
        return;
    uint32_t hash = hash_of(cache, id_of(session));
    struct shard *shard = lock_shard(cache, hash);
    struct entry **place = shard->bucket ? place_of(shard, hash, id_of(session)) : NULL;
    if (place && *place)
        take_out(cache, shard, place, &leaving);
    unlock_shard(shard);
    /* Told in any case: what is not here may still be in the application's store. */
    tell_removed(config, session);
    let_go(config, leaving, false);
}

void cache_flush(const hf_config *config, int64_t now)
{
    struct session_cache *cache = config->cache;

    for (struct shard *shard = cache->shard; shard < cache->shard + SHARDS; shard++) {
        struct entry *leaving = NULL, *next;
        (void)pthread_mutex_lock(&shard->lock);
        for (struct entry *e = shard->newest; e; e = next) {
            next = e->older;
            if (now == 0 || over(cache, e->session, now))
                take_out_entry(cache, shard, e, &leaving);
        }
        unlock_shard(shard);
        let_go(config, leaving, true);
    }
}

/* ---- the bound */

uint32_t cache_lifetime(const hf_config *config)
{
    return atomic_load_explicit(&config->cache->lifetime, memory_order_relaxed);
}

void cache_set_bound(const hf_config *config, size_t sessions, uint32_t lifetime)
{
    struct session_cache *cache = config->cache;

    atomic_store_explicit(&cache->lifetime, lifetime, memory_order_relaxed);
    for (struct shard *shard = cache->shard; shard < cache->shard + SHARDS; shard++)
        (void)pthread_mutex_lock(&shard->lock);
    atomic_store_explicit(&cache->bound, sessions, memory_order_relaxed);
    /* Sessions that are there keep their shards. */
    if (atomic_load_explicit(&cache->count, memory_order_relaxed) == 0)
        atomic_store_explicit(&cache->mask, sessions <= EXACT_BOUND ? 0 : SHARDS - 1,
                              memory_order_relaxed);
    for (struct shard *shard = cache->shard; shard < cache->shard + SHARDS; shard++)
        unlock_shard(shard);
    make_room(config, cache, 0, NULL);
}

/* ---- counters */

static struct slot *my_slot(struct session_cache *cache)
{
    static _Atomic unsigned threads;
    static _Thread_local unsigned mine; /* 0: not chosen yet */

    if (mine == 0)
        mine = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % SLOTS;
    return &cache->slot[mine - 1];
}

void cache_count(const hf_config *config, enum cache_count what)
{
    atomic_fetch_add_explicit(&my_slot(config->cache)->count[what], 1, memory_order_relaxed);
}

static uint64_t total(const struct session_cache *cache, enum cache_count what)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SLOTS; i++)
        sum += atomic_load_explicit(&cache->slot[i].count[what], memory_order_relaxed);
    return sum;
}

void hf_config_session_stats(const hf_config *config, hf_session_stats *out)
{
    const struct session_cache *c = config ? config->cache : NULL;

    *out = (hf_session_stats){0};
    if (!c)
        return;
    *out = (hf_session_stats){
        .connect = total(c, COUNT_CONNECT),
        .connect_good = total(c, COUNT_CONNECT_GOOD),
        .connect_renegotiate = total(c, COUNT_CONNECT_RENEGOTIATE),
        .accept = total(c, COUNT_ACCEPT),
        .accept_good = total(c, COUNT_ACCEPT_GOOD),
        .accept_renegotiate = total(c, COUNT_ACCEPT_RENEGOTIATE),
        .hits = total(c, COUNT_HITS),
        .cb_hits = total(c, COUNT_CB_HITS),
        .misses = total(c, COUNT_MISSES),
        .timeouts = total(c, COUNT_TIMEOUTS),
        .cache_full = total(c, COUNT_CACHE_FULL),
        .cached = atomic_load_explicit(&c->count, memory_order_relaxed),
    };
}

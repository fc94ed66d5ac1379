/* replay.c: the record of ClientHellos with early data. */
#include "config/replay.h"

#include <pthread.h>
#include <stdatomic.h>

#include "crypto/hash.h"
#include "crypto/random.h"

/* Two generations of hashes: a hello is looked for in both and put into the newer. A generation serves for
 * one window; then the older is forgotten, and everything in it is too old to be accepted again. A third
 * of the places stay free, so that looking is short; what does not fit any more is refused. */
#define PLACES 65536
#define MOST   (PLACES / 3 * 2)

struct generation {
    uint64_t *place; /* 0: free */
    size_t count;
};

struct replay {
    _Atomic int refs;
    pthread_mutex_t lock;
    uint8_t key[32];
    bool started;
    /* milliseconds to remember: the longest that a configuration of this record needs */
    int64_t window;
    int64_t began;   /* milliseconds: since when everything was remembered for so long */
    int64_t renewed; /* when the newer generation was begun */
    struct generation newer, older;
};

struct replay *replay_new(void)
{
    struct replay *r = mem_new(sizeof *r);
    if (!r)
        return NULL;
    atomic_init(&r->refs, 1);
    if (pthread_mutex_init(&r->lock, NULL) != 0) {
        mem_free(r);
        return NULL;
    }
    return r;
}

struct replay *replay_ref(struct replay *r)
{
    if (r)
        atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void replay_free(struct replay *r)
{
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) > 1)
        return;
    mem_free(r->newer.place);
    mem_free(r->older.place);
    (void)pthread_mutex_destroy(&r->lock);
    mem_wipe_free(r, sizeof *r);
}

/* Peers choose their binders in part: a secret key keeps them from choosing where these go. Two binders with
 * one hash of 64 bits: the second is refused, wrongly and harmlessly. */
static uint64_t hash_of(const struct replay *r, struct slice binder)
{
    uint8_t mac[HASH_MAX_SIZE];
    uint64_t h;
    hmac(HASH_SHA256, r->key, sizeof r->key, binder, (struct slice){0}, (struct slice){0}, mac);
    memcpy(&h, mac, sizeof h);
    return h ? h : 1;
}

static uint64_t *find(const struct generation *g, uint64_t h)
{
    size_t i = (size_t)(h % PLACES);
    while (g->place[i] && g->place[i] != h)
        i = (i + 1) % PLACES;
    return &g->place[i];
}

/* A hello is accepted with an age that is off by the window in either direction, so that its second coming may
 * be two windows later. */
static int64_t memory_of(const hf_config *config)
{
    return (int64_t)config->early_window * 2000;
}

/* Derived configurations share the record and may differ in their windows: it forgets by the longest. What came
 * while a shorter one held may be forgotten already, so that a longer one starts anew. */
bool replay_start(const hf_config *config)
{
    struct replay *r = config->replay;
    if (!r)
        return true;
    (void)pthread_mutex_lock(&r->lock);
    if (memory_of(config) > r->window) {
        r->window = memory_of(config);
        r->began = config_now_ms(config);
    }
    if (!r->started && random_bytes(r->key, sizeof r->key)) {
        r->started = true;
        r->began = r->renewed = config_now_ms(config);
    }
    bool ok = r->started;
    (void)pthread_mutex_unlock(&r->lock);
    return ok;
}

/* What time has made of the generations. */
static bool bring_up_to_date(struct replay *r, int64_t now)
{
    int64_t window = r->window;
    if (!r->newer.place && !(r->newer.place = mem_new(PLACES * sizeof(uint64_t))))
        return false;
    if (!r->older.place && !(r->older.place = mem_new(PLACES * sizeof(uint64_t))))
        return false;
    while (now - r->renewed >= window) {
        struct generation oldest = r->older;
        bool both = now - r->renewed >= 2 * window;
        r->older = r->newer;
        memset(oldest.place, 0, PLACES * sizeof(uint64_t));
        oldest.count = 0;
        r->newer = oldest;
        r->renewed += window;
        if (both && now - r->renewed >= 2 * window)
            r->renewed = now - window; /* after a long silence both are empty */
    }
    return true;
}

static bool first_here(struct replay *r, struct slice binder, int64_t now)
{
    /* The clock went back: what was seen in what is the future now would be forgotten too early. */
    if (!bring_up_to_date(r, now) || now < r->renewed)
        return false;
    uint64_t h = hash_of(r, binder);
    if (*find(&r->older, h) == h)
        return false;
    uint64_t *place = find(&r->newer, h);
    if (*place == h || r->newer.count >= MOST)
        return false;
    *place = h;
    r->newer.count++;
    return now - r->began >= r->window;
}

bool replay_first(const hf_config *config, struct slice binder)
{
    if (config->first_use) {
        uint8_t id[HASH_MAX_SIZE];
        hash_once(HASH_SHA256, binder.p, binder.len, id);
        int64_t until = config_now(config) + 2 * (int64_t)config->early_window + 1;
        return config->first_use(id, 32, until, config->first_use_arg);
    }
    struct replay *r = config->replay;
    if (!r)
        return false;
    (void)pthread_mutex_lock(&r->lock);
    bool first = first_here(r, binder, config_now_ms(config));
    (void)pthread_mutex_unlock(&r->lock);
    return first;
}

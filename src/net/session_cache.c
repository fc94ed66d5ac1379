#include "net/session_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>

#include "config/config.h"
#include "config/session.h"
#include "handfast_net.h"
#include "net/fail.h"

#define ENTRIES         64
#define ENTRIES_PER_KEY 4

struct entry {
    struct session_key *key; /* NULL: free */
    hf_session *session;
    uint64_t age; /* the count of puts and takes when it was last of use */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry entries[ENTRIES];
static uint64_t use_count;
static hf_config *default_client;

struct session_key *session_key_new(hf_config *config, const char *name)
{
    size_t len = strlen(name) + 1;
    struct session_key *key = mem_new(sizeof *key + len);

    if (!key)
        return NULL;
    key->config = hf_config_ref(config);
    memcpy(key->name, name, len);
    return key;
}

void session_key_free(struct session_key *key)
{
    if (!key)
        return;
    hf_config_free(key->config);
    mem_free(key);
}

static void drop(struct entry *e)
{
    session_key_free(e->key);
    hf_session_free(e->session);
    *e = (struct entry){0};
}

static bool same(const struct session_key *a, const struct session_key *b)
{
    return a->config == b->config && strcmp(a->name, b->name) == 0;
}

/* An entry whose configuration nobody else holds can never be found again, but keeps that
 * configuration with its trust anchors alive. */
static void drop_orphans(void)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        int ours = 0;

        if (!entries[i].key)
            continue;
        for (size_t k = 0; k < ENTRIES; k++)
            ours += entries[k].key && entries[k].key->config == entries[i].key->config;
        if (atomic_load(&entries[i].key->config->refs) == ours)
            drop(&entries[i]);
    }
}

/* TLS 1.2 and older: good for any number of connections. */
static bool lasts(const hf_session *session)
{
    return hf_session_version(session) < HF_TLS1_3;
}

/* The place for a new entry: that of the session that it takes the place of, since one that lasts is
 * enough; else a free one, else the oldest; but the oldest of the key if that has its share. */
static struct entry *place_for(const struct session_key *key, const hf_session *session)
{
    struct entry *oldest = NULL, *oldest_same = NULL, *free_one = NULL;
    size_t count = 0;

    for (struct entry *e = entries; e < entries + ENTRIES; e++) {
        if (!e->key) {
            free_one = e;
            continue;
        }
        if (!oldest || e->age < oldest->age)
            oldest = e;
        if (!same(e->key, key))
            continue;
        if (lasts(session) && lasts(e->session))
            return e;
        count++;
        if (!oldest_same || e->age < oldest_same->age)
            oldest_same = e;
    }
    if (count >= ENTRIES_PER_KEY)
        return oldest_same;
    return free_one ? free_one : oldest;
}

void session_cache_put(const struct session_key *key, hf_session *session)
{
    struct session_key *copy = session_key_new(key->config, key->name);
    struct entry *e;

    if (!copy)
        return;
    pthread_mutex_lock(&lock);
    e = place_for(copy, session);
    drop(e);
    *e = (struct entry){copy, hf_session_ref(session), ++use_count};
    pthread_mutex_unlock(&lock);
}

hf_session *session_cache_take(const struct session_key *key)
{
    int64_t now = config_now_ms(key->config);
    struct entry *best = NULL;
    hf_session *session = NULL;

    pthread_mutex_lock(&lock);
    for (struct entry *e = entries; e < entries + ENTRIES; e++) {
        if (!e->key || !same(e->key, key))
            continue;
        if (session_expired(e->session, now))
            drop(e);
        else if (!best || e->age > best->age)
            best = e;
    }
    if (best) {
        session = hf_session_ref(best->session);
        best->age = ++use_count;
        if (!lasts(session))
            drop(best);
    }
    drop_orphans();
    pthread_mutex_unlock(&lock);
    return session;
}

void session_cache_forget(const struct session_key *key)
{
    pthread_mutex_lock(&lock);
    for (struct entry *e = entries; e < entries + ENTRIES; e++)
        if (e->key && same(e->key, key) && lasts(e->session))
            drop(e);
    pthread_mutex_unlock(&lock);
}

/* Under the lock, so that of two threads that open with a new configuration only one changes it. */
static hf_config *prepare(hf_config *config, hf_session_fn fn, bool *cached, hf_error *err)
{
    if (config->session_fn)
        *cached = config->session_fn == fn;
    else if (config->role != HF_CLIENT)
        *cached = false; /* the connection will refuse it */
    else if (!atomic_load(&config->frozen))
        *cached = hf_config_set_session_callback(config, fn, NULL);
    else {
        hf_config *derived = hf_config_derive(config);

        *cached = derived && hf_config_set_session_callback(derived, fn, NULL);
        if (*cached)
            return derived;
        hf_config_free(derived);
    }
    return hf_config_freeze(config, err) ? hf_config_ref(config) : NULL;
}

hf_config *session_cache_config(hf_config *config, hf_session_fn fn, bool *cached,
                                hf_error *err)
{
    hf_config *made;

    *cached = false;
    pthread_mutex_lock(&lock);
    if (!config && !default_client)
        default_client = hf_config_new(HF_CLIENT);
    config = config ? config : default_client;
    made = config ? prepare(config, fn, cached, err) : NULL;
    pthread_mutex_unlock(&lock);
    if (!config)
        net_fail(err, HF_E_NO_MEMORY, 0, "for the default configuration");
    return made;
}

/* A name is SCHEME://HOST:PORT and, behind a blank, the name that was checked. */
static bool is_of(const struct session_key *key, const char *host)
{
    const char *blank = strrchr(key->name, ' '), *from = strstr(key->name, "://");
    size_t len = strlen(host);

    if (!blank || !from)
        return false;
    const char *end = blank;
    while (end > from && *end != ':')
        end--;
    from += 3;
    return strcasecmp(blank + 1, host) == 0 ||
           (end > from && (size_t)(end - from) == len && strncasecmp(from, host, len) == 0);
}

size_t hf_forget_sessions(const char *host)
{
    size_t count = 0;

    pthread_mutex_lock(&lock);
    for (struct entry *e = entries; e < entries + ENTRIES; e++) {
        if (!e->key || (host && !is_of(e->key, host)))
            continue;
        drop(e);
        count++;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

void session_cache_clear(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < ENTRIES; i++)
        drop(&entries[i]);
    pthread_mutex_unlock(&lock);
}

size_t session_cache_count(void)
{
    size_t n = 0;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < ENTRIES; i++)
        n += entries[i].key != NULL;
    pthread_mutex_unlock(&lock);
    return n;
}

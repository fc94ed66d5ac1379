/* test_cache.c: sessions by ID: bounds, order, time, the application's store, counters, threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "check.h"
#include "config/cache.h"
#include "config/config.h"
#include "pki.h"

static int64_t now; /* the clock of all configurations here */

static int64_t clock_fn(void *arg)
{
    return *(const int64_t *)arg;
}

static hf_config *server(size_t bound, uint32_t lifetime)
{
    now = PKI_NOW;
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_clock(config, clock_fn, &now));
    CHECK(hf_config_set_session_cache(config, bound, lifetime));
    return config;
}

/* The session whose ID says which it is. */
static hf_session *numbered(uint32_t number)
{
    hf_session *s = session_new();
    s->version = HF_TLS1_2;
    s->suite = 0xc02b;
    s->secret_len = 48;
    memset(s->secret, (int)(number & 0xff), 48);
    s->lifetime = 7200;
    s->issued_ms = now * 1000;
    s->started = now;
    s->id_len = 32;
    memset(s->id, 0xab, sizeof s->id);
    memcpy(s->id, &number, 4);
    return s;
}

static void add(const hf_config *config, uint32_t number)
{
    hf_session *s = numbered(number);
    cache_add(config, NULL, s);
    hf_session_free(s);
}

static bool has(const hf_config *config, uint32_t number)
{
    uint8_t id[32];
    memset(id, 0xab, sizeof id);
    memcpy(id, &number, 4);
    hf_session *s = cache_find(config, slice_of(id, sizeof id));
    bool ok = s && s->secret[0] == (uint8_t)number;
    hf_session_free(s);
    return ok;
}

static hf_session_stats stats_of(const hf_config *config)
{
    hf_session_stats stats;
    hf_config_session_stats(config, &stats);
    return stats;
}

static void test_find(void)
{
    hf_config *config = server(100, 7200);
    hf_session *s = numbered(1);
    cache_add(config, NULL, s);
    CHECK_INT(stats_of(config).cached, 1);
    hf_session *back = cache_find(config, slice_of(s->id, 32));
    CHECK(back == s); /* the session itself, not a copy */
    hf_session_free(back);
    CHECK(!has(config, 2));
    CHECK(!cache_find(config, slice_of(s->id, 31))); /* a part of an ID is another ID */
    CHECK(!cache_find(config, slice_of(s->id, 0)));  /* none is not offered at all */
    uint8_t longer[33] = {0};
    CHECK(!cache_find(config, slice_of(longer, 33)));
    hf_session_stats stats = stats_of(config);
    CHECK_INT(stats.hits, 0); /* whether it is resumed is not known here */
    CHECK_INT(stats.misses, 2);
    CHECK_INT(stats.timeouts + stats.cache_full + stats.cb_hits, 0);
    cache_remove(config, s);
    CHECK(!has(config, 1));
    CHECK_INT(stats_of(config).cached, 0);
    cache_remove(config, s); /* twice does no harm */
    s->id_len = 0;           /* one without an ID cannot be kept, nor removed */
    cache_add(config, NULL, s);
    cache_remove(config, s);
    CHECK_INT(stats_of(config).cached, 0);
    hf_session_free(s);
    hf_config_free(config);
}

/* Lengths are part of the ID, in the hash and in the comparison. */
static void test_lengths(void)
{
    hf_config *config = server(100, 7200);
    for (uint8_t n = 1; n <= 32; n++) {
        hf_session *s = numbered(0);
        memset(s->id, 0, 32);
        s->id_len = n;
        s->secret[0] = n;
        cache_add(config, NULL, s);
        hf_session_free(s);
    }
    CHECK_INT(stats_of(config).cached, 32);
    static const uint8_t zeros[32];
    for (uint8_t n = 1; n <= 32; n++) {
        hf_session *s = cache_find(config, slice_of(zeros, n));
        CHECK(s && s->secret[0] == n);
        hf_session_free(s);
    }
    hf_config_free(config);
}

static void test_replace(void)
{
    hf_config *config = server(100, 7200);
    hf_session *s = numbered(5);
    add(config, 5);
    s->secret[0] = 77;
    cache_add(config, NULL, s);
    CHECK_INT(stats_of(config).cached, 1);
    hf_session *back = cache_find(config, slice_of(s->id, 32));
    CHECK(back == s);
    hf_session_free(back);
    hf_session_free(s);
    hf_config_free(config);
}

static void test_many(void)
{
    hf_config *config = server(20480, 7200);
    for (uint32_t i = 0; i < 20480; i++)
        add(config, i);
    CHECK_INT(stats_of(config).cached, 20480); /* what it is to hold, it holds */
    CHECK_INT(stats_of(config).cache_full, 0);
    unsigned found = 0;
    for (uint32_t i = 0; i < 20480; i++)
        found += has(config, i);
    CHECK_INT(found, 20480);
    for (uint32_t i = 0; i < 5000; i++)
        add(config, 100000 + i);
    CHECK_INT(stats_of(config).cached, 20480);
    CHECK_INT(stats_of(config).cache_full, 5000);
    found = 0;
    for (uint32_t i = 0; i < 5000; i++)
        found += has(config, 100000 + i);
    CHECK(found > 4990); /* those that came last are there, about */
    hf_config_free(config);
}

/* A small cache lets go of exactly what was used longest ago. */
static void test_order(void)
{
    hf_config *config = server(3, 7200);
    for (uint32_t i = 1; i <= 3; i++)
        add(config, i);
    CHECK(has(config, 1)); /* which makes 2 the oldest */
    add(config, 4);
    CHECK(!has(config, 2));
    CHECK(has(config, 3) && has(config, 1) && has(config, 4));
    add(config, 5);
    CHECK(!has(config, 3));
    CHECK(has(config, 1) && has(config, 4) && has(config, 5));
    CHECK_INT(stats_of(config).cache_full, 2);
    CHECK_INT(stats_of(config).cached, 3);
    hf_config_free(config);

    config = server(1, 7200);
    add(config, 1);
    add(config, 2);
    CHECK(!has(config, 1) && has(config, 2));
    hf_config_free(config);
}

static void test_bound_changes(void)
{
    hf_config *config = server(1000, 7200);
    for (uint32_t i = 0; i < 1000; i++)
        add(config, i);
    CHECK(hf_config_set_session_cache(config, 10, 7200));
    CHECK_INT(stats_of(config).cached, 10);
    CHECK_INT(stats_of(config).cache_full, 990);
    unsigned found = 0;
    for (uint32_t i = 0; i < 1000; i++)
        found += has(config, i);
    CHECK_INT(found, 10);
    for (uint32_t i = 2000; i < 2100; i++)
        add(config, i);
    CHECK(has(config, 2099));
    CHECK_INT(stats_of(config).cached, 10);
    CHECK(hf_config_set_session_cache(config, 1000, 7200));
    for (uint32_t i = 3000; i < 3500; i++)
        add(config, i);
    CHECK_INT(stats_of(config).cached, 510);
    hf_config_free(config);
}

static void test_time(void)
{
    hf_config *config = server(100, 100); /* the cache's lifetime is the shorter one */
    add(config, 1);
    now += 99;
    CHECK(has(config, 1));
    now += 1;
    CHECK(!has(config, 1));
    CHECK_INT(stats_of(config).timeouts, 1);
    CHECK_INT(stats_of(config).misses, 0);
    CHECK_INT(stats_of(config).cached, 0);
    CHECK(!has(config, 1)); /* it is gone now */
    CHECK_INT(stats_of(config).misses, 1);
    hf_config_free(config);

    config = server(100, 604800); /* the session's own is */
    add(config, 1);
    now += 7199;
    CHECK(has(config, 1));
    now += 1;
    CHECK(!has(config, 1));
    CHECK_INT(stats_of(config).timeouts, 1);

    /* A busy cache does not keep what has expired: two old ones go with each that comes. */
    for (uint32_t i = 10; i < 20; i++)
        add(config, i);
    now += 7200;
    CHECK_INT(stats_of(config).cached, 10);
    for (uint32_t i = 20; i < 25; i++)
        add(config, i);
    CHECK(stats_of(config).cached <= 15);
    hf_config_free(config);

    config = server(100, 7200);
    for (uint32_t i = 10; i < 20; i++)
        add(config, i);
    now += 7200;
    for (uint32_t i = 20; i < 25; i++)
        add(config, i);
    CHECK_INT(stats_of(config).cached, 5);
    CHECK_INT(stats_of(config).cache_full + stats_of(config).timeouts, 0);
    hf_config_free(config);
}

static void test_flush(void)
{
    ROW("C54");
    hf_config *config = server(2000, 7200);
    for (uint32_t i = 0; i < 500; i++) {
        add(config, i);
        now++;
    }
    hf_config_flush_sessions(config, PKI_NOW + 7199);
    hf_config_flush_sessions(config, 1); /* long ago nothing had expired yet */
    hf_config_flush_sessions(config, INT64_MIN);
    CHECK_INT(stats_of(config).cached, 500);
    hf_config_flush_sessions(config, PKI_NOW + 7200 + 99);
    CHECK_INT(stats_of(config).cached, 400);
    CHECK(!has(config, 99) && has(config, 100));
    hf_config_flush_sessions(config, 0);
    CHECK_INT(stats_of(config).cached, 0);
    CHECK_INT(stats_of(config).timeouts, 0);
    add(config, 3);
    hf_config_flush_sessions(config, INT64_MAX);
    CHECK_INT(stats_of(config).cached, 0);
    hf_config_flush_sessions(NULL, 0);
    add(config, 3); /* and it goes on */
    CHECK(has(config, 3));
    hf_config_free(config);
}

/* ---- the application's store */

struct store {
    unsigned added, asked, removed;
    hf_session *has;
    uint8_t removed_id;
    hf_config *flush; /* a callback may call back */
};

static void store_add(hf_conn *conn, hf_session *session, void *arg)
{
    struct store *store = arg;
    (void)conn, (void)session;
    store->added++;
}

static hf_session *store_find(const uint8_t *id, size_t len, void *arg)
{
    struct store *store = arg;
    (void)id, (void)len;
    store->asked++;
    return hf_session_ref(store->has);
}

static void store_remove(const hf_session *session, void *arg)
{
    struct store *store = arg;
    store->removed++;
    store->removed_id = session->id[0];
    if (store->flush)
        hf_config_flush_sessions(store->flush, PKI_NOW);
}

static hf_config *with_store(size_t bound, struct store *store)
{
    hf_config *config = server(bound ? bound : 1, 7200);
    if (bound == 0)
        CHECK(hf_config_set_session_cache(config, 0, 7200));
    CHECK(hf_config_set_session_store(
        config, &(hf_session_store){store_add, store_find, store_remove, store}));
    return config;
}

static void test_store(void)
{
    struct store store = {0};
    hf_config *config = with_store(2, &store);
    add(config, 1);
    CHECK_INT(store.added, 1);
    CHECK(has(config, 1));
    CHECK_INT(store.asked, 0); /* not where the cache knows */
    CHECK(!has(config, 9));
    CHECK_INT(store.asked, 1);

    store.has = numbered(9);
    CHECK(has(config, 9));
    CHECK_INT(store.asked, 2);
    CHECK(has(config, 9)); /* it is in the cache now, and was not added to the store again */
    CHECK_INT(store.asked, 2);
    CHECK_INT(store.added, 1);
    hf_session_stats stats = stats_of(config);
    CHECK_INT(stats.cb_hits, 1);
    CHECK_INT(stats.misses, 1);

    /* One that it hands over under another ID, or too late, is nobody's. */
    CHECK(!has(config, 8));
    CHECK_INT(store.removed, 0);
    hf_session_free(store.has);
    store.has = numbered(7);
    store.has->issued_ms -= 7200 * 1000;
    CHECK(!has(config, 7));
    CHECK_INT(store.removed, 1);
    CHECK_INT(stats_of(config).timeouts, 1);
    CHECK_INT(stats_of(config).misses, 2);
    hf_session_free(store.has);
    store.has = NULL;

    add(config, 3); /* full: 1 goes, and the store hears of it */
    CHECK_INT(store.removed, 2);
    CHECK_INT(store.removed_id, 1);
    hf_session *s = numbered(3);
    cache_remove(config, s);
    CHECK_INT(store.removed, 3);
    cache_remove(config, s); /* not here, but perhaps there */
    CHECK_INT(store.removed, 4);
    add(config, 9); /* replacing is no removal */
    CHECK_INT(store.removed, 4);
    now += 7200;
    CHECK(!has(config, 9));
    CHECK_INT(store.removed, 5);
    CHECK_INT(store.removed_id, 9);
    now = PKI_NOW;
    add(config, 4);
    store.flush = config;
    hf_config_flush_sessions(config, 0);
    CHECK_INT(store.removed, 6);
    hf_session_free(s);
    CHECK(hf_config_set_session_store(config, NULL));
    add(config, 4);
    CHECK_INT(store.removed, 6);
    hf_config_free(config);
}

static void test_store_without_cache(void)
{
    struct store store = {0};
    hf_config *config = with_store(0, &store);
    add(config, 1);
    CHECK_INT(store.added, 1);
    CHECK_INT(stats_of(config).cached, 0);
    store.has = numbered(1);
    CHECK(has(config, 1) && has(config, 1));
    CHECK_INT(store.asked, 2);
    CHECK_INT(stats_of(config).cached, 0);
    CHECK_INT(stats_of(config).cb_hits, 2);
    hf_session_free(store.has);
    hf_config_free(config);
}

/* ---- configurations */

static void test_derived_shares(void)
{
    ROW("Y109");
    hf_config *config = server(100, 7200), *derived = hf_config_derive(config);
    add(config, 1);
    CHECK(has(derived, 1));
    CHECK_INT(stats_of(derived).cached, 1);
    cache_count(derived, COUNT_HITS);
    CHECK_INT(stats_of(config).hits, 1);
    /* Turned off in one, the cache stays what it is for the other. */
    CHECK(hf_config_set_session_cache(derived, 0, 7200));
    CHECK(!has(derived, 1));
    add(derived, 2);
    CHECK(has(config, 1) && !has(config, 2));
    hf_config_free(config);
    hf_config_flush_sessions(derived, 0);
    CHECK_INT(stats_of(derived).cached, 0);
    hf_config_free(derived);
}

static void test_setters(void)
{
    hf_config *config = hf_config_new(HF_SERVER);
    uint8_t context[33] = "a virtual host";
    CHECK(config->cache_sessions);
    CHECK(!hf_config_set_session_cache(config, 1, 0));
    CHECK_STR(hf_config_error(config)->detail,
              "a session lifetime of 0 s: 1 to 604800 are allowed");
    CHECK(!hf_config_set_session_cache(config, 1, 604801));
    CHECK(hf_config_set_session_cache(config, 1, 604800));
    CHECK(!hf_config_set_session_context(config, context, 33));
    CHECK(!hf_config_set_session_context(config, NULL, 1));
    CHECK_INT(config->session_context_len, 0);
    CHECK(hf_config_set_session_context(config, context, 32));
    CHECK(hf_config_set_session_context(config, context, 14));
    CHECK_INT(config->session_context_len, 14);
    CHECK_MEM(config->session_context, context, 14);
    CHECK(hf_config_set_session_context(config, NULL, 0));
    CHECK_INT(config->session_context_len, 0);
    CHECK(!hf_config_set_session_cache(NULL, 1, 1));
    CHECK(!hf_config_set_session_context(NULL, NULL, 0));
    CHECK(!hf_config_set_session_store(NULL, NULL));
    hf_session_stats stats = {.hits = 1};
    hf_config_session_stats(NULL, &stats);
    CHECK_INT(stats.hits, 0);
    hf_config_free(config);

    config = hf_config_new(HF_CLIENT); /* which has counters, but keeps nothing */
    CHECK(hf_config_set_session_cache(config, 100, 7200));
    add(config, 1);
    CHECK_INT(stats_of(config).cached, 0);
    CHECK(hf_config_insecure_no_verify(config));
    CHECK(hf_config_freeze(config, NULL));
    CHECK(!hf_config_set_session_cache(config, 100, 7200));
    CHECK(!hf_config_set_session_context(config, NULL, 0));
    CHECK(!hf_config_set_session_store(config, NULL));
    hf_config_free(config);
}

static void test_counters(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    for (int what = 0; what < COUNT_END; what++) {
        for (int i = 0; i <= what; i++)
            cache_count(config, (enum cache_count)what);
    }
    hf_session_stats s = stats_of(config);
    CHECK_INT(s.connect, 1);
    CHECK_INT(s.connect_good, 2);
    CHECK_INT(s.connect_renegotiate, 3);
    CHECK_INT(s.accept, 4);
    CHECK_INT(s.accept_good, 5);
    CHECK_INT(s.accept_renegotiate, 6);
    CHECK_INT(s.hits, 7);
    CHECK_INT(s.cb_hits, 8);
    CHECK_INT(s.misses, 9);
    CHECK_INT(s.timeouts, 10);
    CHECK_INT(s.cache_full, 11);
    hf_config_free(config);
}

static void test_no_memory(void)
{
    ROW("C14");
    hf_config *config = server(100, 7200);
    hf_session *s = numbered(1);
    for (unsigned long n = 1; n <= 2; n++) { /* the entry, the first buckets */
        mem_test_fail_after(n);
        cache_add(config, NULL, s);
        mem_test_fail_after(0);
        CHECK_INT(stats_of(config).cached, 0);
        CHECK(!has(config, 1));
    }
    /* With the first buckets there, others are a matter of speed only. */
    for (uint32_t i = 0; i < 16; i++)
        add(config, i);
    mem_test_fail_after(2);
    cache_add(config, NULL, s);
    s->id[0] = 99;
    mem_test_fail_after(2);
    cache_add(config, NULL, s);
    mem_test_fail_after(0);
    CHECK_INT(stats_of(config).cached, 17);
    hf_session_free(s);
    hf_config_free(config);
    for (unsigned long n = 1; n < 4; n++) {
        mem_test_fail_after(n);
        config = hf_config_new(HF_SERVER);
        mem_test_fail_after(0);
        CHECK((config != NULL) == (n > 3));
        hf_config_free(config);
    }
}

/* ---- threads */

struct work {
    const hf_config *config;
    uint32_t seed;
    unsigned found, missed, wrong;
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* All at once what a server's threads do, in a space of IDs so small that they meet. */
static void *work(void *arg)
{
    struct work *w = arg;
    for (int i = 0; i < 20000; i++) {
        uint32_t r = next_random(&w->seed), number = r % 3000;
        hf_session *s = NULL;
        switch (r / 3000 % 16) {
        case 0:
            s = numbered(number);
            cache_remove(w->config, s);
            break;
        case 1:
            if (i % 1000 < 20)
                cache_flush(w->config, r % 2 ? 0 : PKI_NOW);
            break;
        case 2:
            if (i % 1000 < 100)
                cache_set_bound(w->config, r % 2 ? 200 : 1000, 7200);
            break;
        case 3:
        case 4:
        case 5:
        case 6: add(w->config, number); break;
        default: {
            uint8_t id[32];
            memset(id, 0xab, sizeof id);
            memcpy(id, &number, 4);
            s = cache_find(w->config, slice_of(id, 32));
            w->found += s != NULL;
            w->missed += s == NULL;
            w->wrong += s && (s->secret[0] != (uint8_t)number || memcmp(s->id, id, 32) != 0);
        }
        }
        hf_session_free(s);
    }
    return NULL;
}

static atomic_uint told;

static void count_removed(const hf_session *session, void *arg)
{
    (void)arg;
    atomic_fetch_add(&told, session->id_len == 32);
}

static void test_threads(void)
{
    hf_config *config = server(1000, 7200);
    CHECK(hf_config_set_session_store(config, &(hf_session_store){.remove = count_removed}));
    pthread_t threads[4];
    struct work works[4];
    unsigned found = 0, missed = 0;
    for (uint32_t i = 0; i < 4; i++) {
        works[i] = (struct work){config, i * 7919 + 1, 0, 0, 0};
        CHECK_INT(pthread_create(&threads[i], NULL, work, &works[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(works[i].wrong, 0);
        found += works[i].found;
        missed += works[i].missed;
    }
    hf_session_stats stats = stats_of(config);
    CHECK(found > 1000);
    CHECK_INT(stats.misses, missed); /* no count was lost */
    CHECK(stats.cached <= 1000);
    CHECK(told > 0);
    hf_config_flush_sessions(config, 0);
    CHECK_INT(stats_of(config).cached, 0);
    hf_config_free(config);
}

int main(void)
{
    RUN(test_find);
    RUN(test_lengths);
    RUN(test_replace);
    RUN(test_many);
    RUN(test_order);
    RUN(test_bound_changes);
    RUN(test_time);
    RUN(test_flush);
    RUN(test_store);
    RUN(test_store_without_cache);
    RUN(test_derived_shares);
    RUN(test_setters);
    RUN(test_counters);
    RUN(test_no_memory);
    RUN(test_threads);
    return check_done();
}

/* test_session_cache.c: the sessions that hf_open keeps: whose they are, and which goes when. */
#include <pthread.h>

#include "check.h"
#include "config/config.h"
#include "config/session.h"
#include "handfast_net.h"
#include "net/session_cache.h"

#define NOW 1790000000

static int64_t now = NOW;

static int64_t clock_fn(void *arg)
{
    (void)arg;
    return now;
}

static hf_config *client(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_clock(config, clock_fn, NULL));
    return config;
}

/* A session that its group tells apart from others. */
static hf_session *made(uint16_t version, uint16_t mark)
{
    hf_session *s = session_new();
    s->version = version;
    s->group = mark;
    s->lifetime = 7200;
    s->issued_ms = now * 1000;
    return s;
}

static void put(const struct session_key *key, uint16_t version, uint16_t mark)
{
    hf_session *s = made(version, mark);
    session_cache_put(key, s);
    hf_session_free(s);
}

/* The mark of what is taken, -1 if nothing is. */
static int take(const struct session_key *key)
{
    hf_session *s = session_cache_take(key);
    int mark = s ? s->group : -1;
    hf_session_free(s);
    return mark;
}

static void test_tickets_go_once(void)
{
    hf_config *config = client();
    struct session_key *key = session_key_new(config, "tls://a:443 a");
    CHECK_INT(take(key), -1);
    for (uint16_t i = 1; i <= 5; i++)
        put(key, HF_TLS1_3, i);
    CHECK_INT(session_cache_count(), 4); /* of one place */
    for (int i = 5; i >= 2; i--)
        CHECK_INT(take(key), i); /* the newest first */
    CHECK_INT(take(key), -1);
    CHECK_INT(session_cache_count(), 0);
    session_key_free(key);
    hf_config_free(config);
}

static void test_older_versions_stay(void)
{
    static const uint16_t versions[] = {HF_TLS1_0, HF_TLS1_1, HF_TLS1_2};
    hf_config *config = client();
    struct session_key *key = session_key_new(config, "tls://a:443 a");
    for (uint16_t i = 0; i < 3; i++) {
        put(key, versions[i], i);
        CHECK_INT(session_cache_count(), 1); /* it replaces the one before */
        CHECK_INT(take(key), i);
        CHECK_INT(take(key), i);
        CHECK_INT(session_cache_count(), 1);
    }
    /* Tickets of TLS 1.3 beside it: what is newest is taken, and what was, is not used up. */
    put(key, HF_TLS1_3, 10);
    put(key, HF_TLS1_3, 11);
    CHECK_INT(session_cache_count(), 3);
    CHECK_INT(take(key), 11);
    CHECK_INT(take(key), 10);
    CHECK_INT(take(key), 2);
    put(key, HF_TLS1_3, 12);
    session_cache_forget(key);
    CHECK_INT(session_cache_count(), 1);
    CHECK_INT(take(key), 12);
    CHECK_INT(take(key), -1);
    session_key_free(key);
    hf_config_free(config);
}

/* Another host, port, name or configuration is another place. */
static void test_keys(void)
{
    static const char *const names[] = {"tls://a:443 a", "tls://b:443 b", "tls://a:444 a",
                                        "tls://a:443 b"};
    hf_config *config[2] = {client(), client()};
    struct session_key *key[8];
    for (uint16_t i = 0; i < 8; i++) {
        key[i] = session_key_new(config[i / 4], names[i % 4]);
        CHECK_INT(take(key[i]), -1);
        put(key[i], HF_TLS1_2, i);
    }
    for (int i = 0; i < 8; i++)
        CHECK_INT(take(key[i]), i);
    session_cache_forget(key[3]);
    CHECK_INT(take(key[3]), -1);
    CHECK_INT(session_cache_count(), 7);
    session_cache_clear();
    CHECK_INT(session_cache_count(), 0);
    for (int i = 0; i < 8; i++)
        session_key_free(key[i]);
    hf_config_free(config[0]);
    hf_config_free(config[1]);
}

static void test_bounded(void)
{
    hf_config *config = client();
    struct session_key *key[66];
    char name[32];
    for (uint16_t i = 0; i < 66; i++) {
        snprintf(name, sizeof name, "tls://host%d:443", i);
        key[i] = session_key_new(config, name);
        if (i == 65)
            CHECK_INT(take(key[0]), 0); /* use keeps it young */
        if (i < 64)
            put(key[i], HF_TLS1_2, i);
    }
    CHECK_INT(session_cache_count(), 64);
    put(key[64], HF_TLS1_2, 64);
    put(key[65], HF_TLS1_2, 65);
    CHECK_INT(session_cache_count(), 64);
    CHECK_INT(take(key[0]), 0);
    CHECK_INT(take(key[1]), -1);
    CHECK_INT(take(key[2]), -1);
    CHECK_INT(take(key[3]), 3);
    CHECK_INT(take(key[65]), 65);
    session_cache_clear();
    for (int i = 0; i < 66; i++)
        session_key_free(key[i]);
    hf_config_free(config);
}

static void test_expired_are_dropped(void)
{
    hf_config *config = client();
    struct session_key *key = session_key_new(config, "tls://a:443 a");
    put(key, HF_TLS1_2, 1);
    now += 7199;
    CHECK_INT(take(key), 1);
    put(key, HF_TLS1_3, 2);
    now += 1;
    CHECK_INT(take(key), 2);
    CHECK_INT(take(key), -1);
    CHECK_INT(session_cache_count(), 0);
    now = NOW;
    session_key_free(key);
    hf_config_free(config);
}

/* What can never be found again does not keep its configuration alive. */
/* One host's, by the name in the URL or the one that was verified; or all. */
static void test_forget(void)
{
    ROW("C54");
    static const char *const places[] = {
        "tls://a.example:443 a.example", "tls://a.example:8443 other.example",
        "tls://[::1]:443 b.example", "tls://ba.example:443 ba.example"};
    hf_config *config = client(), *second = client();
    struct session_key *key[4];
    session_cache_clear();
    CHECK_INT(hf_forget_sessions(NULL), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) {
            key[i] = session_key_new(round ? second : config, places[i]);
            put(key[i], HF_TLS1_3, 1);
            put(key[i], HF_TLS1_2, 2);
            session_key_free(key[i]);
        }
    }
    CHECK_INT(session_cache_count(), 16);
    CHECK_INT(hf_forget_sessions("example"), 0);
    CHECK_INT(hf_forget_sessions("a.example:443"), 0);
    CHECK_INT(hf_forget_sessions("b.example"), 4);
    CHECK_INT(hf_forget_sessions("A.example"), 8);
    CHECK_INT(session_cache_count(), 4);
    CHECK_INT(hf_forget_sessions("[::1]"), 0);
    key[0] = session_key_new(config, places[2]);
    put(key[0], HF_TLS1_3, 1);
    session_key_free(key[0]);
    CHECK_INT(hf_forget_sessions("[::1]"), 1);
    now += 8000; /* what has expired goes by itself */
    key[0] = session_key_new(config, places[3]);
    CHECK_INT(take(key[0]), -1);
    session_key_free(key[0]);
    now = NOW;
    CHECK_INT(session_cache_count(), 2);
    CHECK_INT(hf_forget_sessions(NULL), 2);
    CHECK_INT(session_cache_count(), 0);
    hf_config_free(config);
    hf_config_free(second);
}

static void test_orphans(void)
{
    hf_config *config = client(), *other = client();
    struct session_key *key = session_key_new(config, "tls://a:443 a"),
                       *others = session_key_new(other, "tls://a:443 a");
    put(key, HF_TLS1_2, 1);
    put(others, HF_TLS1_2, 2);
    session_key_free(key);
    hf_config_free(config);
    CHECK_INT(session_cache_count(), 2);
    CHECK_INT(take(others), 2);
    CHECK_INT(session_cache_count(), 1);
    session_cache_clear();
    session_key_free(others);
    hf_config_free(other);
}

static void test_no_memory(void)
{
    ROW("C14");
    hf_config *config = client();
    struct session_key *key = session_key_new(config, "tls://a:443 a");
    hf_session *s = made(HF_TLS1_2, 1);
    mem_test_fail_after(1);
    CHECK(!session_key_new(config, "tls://a:443 a"));
    session_cache_put(key, s);
    mem_test_fail_after(0);
    CHECK_INT(session_cache_count(), 0);
    hf_session_free(s);
    session_key_free(key);
    hf_config_free(config);
}

static void *work(void *arg)
{
    hf_config *config = arg;
    char name[32];
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "tls://host%u:443", i % 100);
        struct session_key *key = session_key_new(config, name);
        put(key, i % 3 ? HF_TLS1_2 : HF_TLS1_3, (uint16_t)(i % 100));
        hf_session *s = session_cache_take(key);
        if (s && s->group != i % 100)
            config = NULL;
        hf_session_free(s);
        if (i % 7 == 0)
            session_cache_forget(key);
        session_key_free(key);
        if (!config)
            return arg;
    }
    return NULL;
}

static void test_threads(void)
{
    hf_config *config = client();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, work, config), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        CHECK_INT(pthread_join(threads[i], &result), 0);
        CHECK(result == NULL);
    }
    CHECK(session_cache_count() <= 64);
    session_cache_clear();
    hf_config_free(config);
}

int main(void)
{
    RUN(test_tickets_go_once);
    RUN(test_older_versions_stay);
    RUN(test_keys);
    RUN(test_bounded);
    RUN(test_expired_are_dropped);
    RUN(test_forget);
    RUN(test_orphans);
    RUN(test_no_memory);
    RUN(test_threads);
    return check_done();
}

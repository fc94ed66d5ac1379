/* cache.c: what the server's session cache costs: a look-up that finds, one that misses, adding to a
 * full cache, and what two threads that do nothing else do to each other. A line for each, with the
 * processor time of one operation and how often a thread had to sleep for the other, which processor
 * time does not show:
 *
 *   bench-cache [SESSIONS [MILLISECONDS]]
 *
 * It calls inside the library, so it is a program of its own; the rows of bench/run compare two
 * libraries from outside. */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "config/cache.h"
#include "config/config.h"

#define BATCH 256

enum operation { FIND, MISS, ADD, COUNT, OPERATIONS };
static const char *const names[OPERATIONS] = {"find", "miss", "add to a full cache", "count"};

struct job {
    const hf_config *config;
    enum operation operation;
    uint32_t sessions, seed;
    double seconds, ns, sleeps; /* of this thread, per operation and per million of them */
    hf_session **spare;         /* to add: made before, so that only adding is measured */
};

static double now(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void id_of(uint32_t number, uint8_t id[32])
{
    for (uint32_t i = 0; i < 8; i++) {
        number = number * 2654435761u + i;
        memcpy(id + 4 * (size_t)i, &number, 4);
    }
}

static hf_session *made(uint32_t number)
{
    hf_session *s = session_new();
    if (!s)
        abort();
    s->version = HF_TLS1_2;
    s->suite = 0xc02b;
    s->secret_len = 48;
    s->lifetime = 604800;
    s->issued_ms = (int64_t)time(NULL) * 1000;
    s->id_len = 32;
    id_of(number, s->id);
    return s;
}

static void one(struct job *job, uint32_t i)
{
    uint8_t id[32];

    job->seed = job->seed * 1664525u + 1013904223u;
    switch (job->operation) {
    case FIND:
        id_of((job->seed >> 8) % job->sessions, id);
        hf_session_free(cache_find(job->config, slice_of(id, sizeof id)));
        break;
    case MISS:
        id_of(job->seed | 0x80000000u, id);
        hf_session_free(cache_find(job->config, slice_of(id, sizeof id)));
        break;
    case ADD: cache_add(job->config, NULL, job->spare[i]); break;
    case COUNT:
    case OPERATIONS: cache_count(job->config, COUNT_ACCEPT); break;
    }
}

static void *run(void *arg)
{
    struct job *job = arg;
    double busy = 0, end = now(CLOCK_MONOTONIC) + job->seconds;
    uint64_t done = 0;
    hf_session *spare[BATCH];

    job->spare = spare;
    struct rusage usage[2];
    long sleeps = 0;
    while (now(CLOCK_MONOTONIC) < end) {
        for (uint32_t i = 0; job->operation == ADD && i < BATCH; i++)
            spare[i] = made(job->seed++ * 2 + 0x40000000u);
        getrusage(RUSAGE_THREAD, &usage[0]);
        double start = now(CLOCK_THREAD_CPUTIME_ID);
        for (uint32_t i = 0; i < BATCH; i++)
            one(job, i);
        busy += now(CLOCK_THREAD_CPUTIME_ID) - start;
        getrusage(RUSAGE_THREAD, &usage[1]);
        sleeps += usage[1].ru_nvcsw - usage[0].ru_nvcsw;
        done += BATCH;
        for (uint32_t i = 0; job->operation == ADD && i < BATCH; i++)
            hf_session_free(spare[i]);
    }
    job->ns = busy * 1e9 / (double)done;
    job->sleeps = (double)sleeps * 1e6 / (double)done;
    return NULL;
}

static double measure(const hf_config *config, enum operation operation, uint32_t sessions,
                      double seconds, unsigned threads, double *sleeps)
{
    struct job jobs[2];
    pthread_t thread[2];
    double sum = 0;
    *sleeps = 0;

    for (unsigned i = 0; i < threads; i++) {
        jobs[i] = (struct job){config,  operation, sessions, 77 + i * 0x01000001u,
                               seconds, 0,         0,        NULL};
        if (pthread_create(&thread[i], NULL, run, &jobs[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        sum += jobs[i].ns;
        *sleeps += jobs[i].sleeps / threads;
    }
    return sum / threads;
}

int main(int argc, char **argv)
{
    uint32_t sessions = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20480;
    double seconds = (argc > 2 ? strtod(argv[2], NULL) : 500) / 1000;
    hf_config *config = hf_config_new(HF_SERVER);

    if (!config || sessions == 0 || !hf_config_set_session_cache(config, sessions, 604800))
        return 1;
    struct mallinfo2 before = mallinfo2();
    for (uint32_t i = 0; i < sessions; i++) {
        hf_session *s = made(i);
        cache_add(config, NULL, s);
        hf_session_free(s);
    }
    struct mallinfo2 after = mallinfo2();
    printf("%u sessions, %zu bytes each with their place in the cache\n", sessions,
           (after.uordblks - before.uordblks) / sessions);
    for (int i = 0; i < OPERATIONS; i++) {
        double sleeps,
            alone = measure(config, (enum operation)i, sessions, seconds, 1, &sleeps);
        double both = measure(config, (enum operation)i, sessions, seconds, 2, &sleeps);
        printf("%-20s %5.0f ns   beside another thread %5.0f ns   %6.1f sleeps in a million\n",
               names[i], alone, both, sleeps);
    }
    hf_config_free(config);
    return 0;
}

/* threads.c: the rows threads-2: what a handshake costs when a second thread does the same with the
 * same configurations on another processor. 2.00 means that neither hinders the other. */
#include "rows.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_SAMPLES 20000

struct worker {
    const struct engine *engine;
    void *client, *server;
    bool resume;
    int cpu;
    double seconds, result;
    pthread_barrier_t *barrier;
};

static double one_handshake(const struct worker *w, void **session)
{
    struct pair pair;

    meter_ticks[CLIENT] = meter_ticks[SERVER] = 0;
    pair = pair_open(w->engine, w->client, w->server, *session);
    pair_greet(&pair);
    if (w->engine->resumed(pair.conn[CLIENT]) != (*session != NULL))
        die("%s: not resumed", w->engine->name);
    pair_close(&pair);
    void *next = w->resume ? w->engine->session_take() : NULL;
    if (next) { /* a session of TLS 1.2 serves again and again */
        w->engine->session_free(*session);
        *session = next;
    }
    return ticks_ns(meter_ticks[CLIENT] + meter_ticks[SERVER]);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    double *samples = calloc(MAX_SAMPLES, sizeof(*samples));
    void *session = NULL;
    size_t count = 0;
    uint64_t start;

    if (samples == NULL)
        die("no memory");
    pin_to(w->cpu);
    for (int i = 0; i < 5; i++)
        one_handshake(w, &session);
    pthread_barrier_wait(w->barrier);
    start = ticks_now();
    do {
        samples[count++] = one_handshake(w, &session);
    } while (count < MAX_SAMPLES && ticks_ns(ticks_now() - start) < w->seconds * 1e9);
    w->result = median(samples, count);
    w->engine->session_free(session);
    w->engine->session_free(w->engine->session_take());
    free(samples);
    return NULL;
}

/* The mean of the threads' medians. */
static double run_threads(const struct worker *model, int threads, const int *cpus)
{
    struct worker workers[2];
    pthread_t ids[2];
    pthread_barrier_t barrier;
    double sum = 0;

    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        workers[i] = *model;
        workers[i].cpu = cpus[i];
        workers[i].barrier = &barrier;
        if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0)
            die("cannot start a thread");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += workers[i].result;
    }
    pthread_barrier_destroy(&barrier);
    return sum / threads;
}

static void run_row(const struct plan *plan, const char *row, bool resume, bool by_id)
{
    struct authority *root = authority_new(NULL), *intermediate = authority_new(root);
    struct identity identity = identity_new(intermediate, false);
    struct text pem = authority_pem(root);
    struct setup setup = {.identity = &identity,
                          .root = pem,
                          .suite = by_id ? "ECDHE-ECDSA-AES128-GCM-SHA256"
                                         : "TLS_AES_128_GCM_SHA256",
                          .groups = "X25519:P-256",
                          .tls12 = by_id,
                          .no_tickets = by_id};
    int cpus[2] = {plan->cpu, plan->cpu == 0 ? 1 : 0};
    const struct engine *all[2];
    size_t engines = engines_of(plan, all);
    struct worker models[2];

    for (size_t e = 0; e < engines; e++) {
        const struct engine *engine = all[e];

        models[e] = (struct worker){.engine = engine,
                                    .client = engine->config_new(CLIENT, &setup),
                                    .server = engine->config_new(SERVER, &setup),
                                    .resume = resume,
                                    .seconds = plan->seconds};
    }
    for (unsigned round = 0; round < plan->rounds; round++) {
        for (size_t e = 0; e < engines; e++) {
            const struct worker *model = &models[(e + round) % engines];
            double alone = run_threads(model, 1, cpus);

            report(row, "x", round, model->engine, 2 * alone / run_threads(model, 2, cpus));
        }
    }
    for (size_t e = 0; e < engines; e++) {
        models[e].engine->config_free(models[e].client);
        models[e].engine->config_free(models[e].server);
    }
    free(pem.p);
    identity_clear(&identity);
    authority_free(intermediate);
    authority_free(root);
}

void rows_threads(const struct plan *plan)
{
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        fputs("bench: threads-2 rows left out: one processor\n", stderr);
        return;
    }
    if (wanted("threads-2-full"))
        run_row(plan, "threads-2-full", false, false);
    if (wanted("threads-2-resumed"))
        run_row(plan, "threads-2-resumed", true, false);
    if (wanted("threads-2-cache")) /* sessions by ID, from one cache */
        run_row(plan, "threads-2-cache", true, true);
}

/* handshake.c: the rows of handshakes: time of each side from making the connection to freeing it,
 * with the first byte from the server, as the median over the handshakes of a round. */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES 20000
#define AES128      "TLS_AES_128_GCM_SHA256"
#define ECDSA_GCM   "ECDHE-ECDSA-AES128-GCM-SHA256"
#define RSA_GCM     "ECDHE-RSA-AES128-GCM-SHA256"
#define ECDSA_CBC   "ECDHE-ECDSA-AES128-SHA"

enum novelty { NOTHING_NEW, LEAF_NEW, CHAIN_NEW };
enum extra { SESSION_ONLY, PRE_SHARED, EARLY };

struct scenario {
    const char *client_row, *server_row, *both_row;
    const char *client_groups, *server_groups;
    enum novelty novelty;
    bool rsa, resume, retry;
    const char *tls12; /* suite of TLS 1.2; NULL: TLS 1.3 */
    bool by_id;        /* sessions are resumed by their ID, else by ticket */
    enum extra extra;
    const char *stock_groups; /* libssl's on both sides, if it lacks the others; or NULL */
};

/* clang-format off */
static const struct scenario scenarios[] = {
    {"tls13-full-client-seen", "tls13-full-server", "tls13-full-seen", "X25519", "X25519", NOTHING_NEW, false, false, false, NULL, false, SESSION_ONLY, NULL},
    {"tls13-full-client-leaf-new", NULL, NULL, "X25519", "X25519", LEAF_NEW, false, false, false, NULL, false, SESSION_ONLY, NULL},
    {"tls13-full-client-new", NULL, NULL, "X25519", "X25519", CHAIN_NEW, false, false, false, NULL, false, SESSION_ONLY, NULL},
    {NULL, "tls13-full-rsa-server", NULL, "X25519", "X25519", NOTHING_NEW, true, false, false, NULL, false, SESSION_ONLY, NULL},
    {"tls13-full-p256-client-seen", "tls13-full-p256-server", NULL, "P-256", "P-256", NOTHING_NEW, false, false, false, NULL, false, SESSION_ONLY, NULL},
    {"tls13-resumed-client", "tls13-resumed-server", "tls13-resumed", "X25519", "X25519", NOTHING_NEW, false, true, false, NULL, false, SESSION_ONLY, NULL},
    {NULL, NULL, "tls13-hrr", "X25519:P-256", "P-256", NOTHING_NEW, false, false, true, NULL, false, SESSION_ONLY, NULL},
    {"tls13-hybrid-client-seen", "tls13-hybrid-server", NULL, "X25519MLKEM768", "X25519MLKEM768", NOTHING_NEW, false, false, false, NULL, false, SESSION_ONLY, "X25519"},
    {"tls13-psk-client", "tls13-psk-server", "tls13-psk", "X25519", "X25519", NOTHING_NEW, false, false, false, NULL, false, PRE_SHARED, NULL},
    {"tls13-early-client", "tls13-early-server", "tls13-early", "X25519", "X25519", NOTHING_NEW, false, true, false, NULL, false, EARLY, NULL},
    {"tls12-full-client-seen", "tls12-full-server", "tls12-full-seen", "X25519:P-256", "X25519:P-256", NOTHING_NEW, false, false, false, ECDSA_GCM, false, SESSION_ONLY, NULL},
    {"tls12-full-client-new", NULL, NULL, "X25519:P-256", "X25519:P-256", CHAIN_NEW, false, false, false, ECDSA_GCM, false, SESSION_ONLY, NULL},
    {NULL, "tls12-full-rsa-server", NULL, "X25519:P-256", "X25519:P-256", NOTHING_NEW, true, false, false, RSA_GCM, false, SESSION_ONLY, NULL},
    {NULL, "tls12-full-cbc-server", NULL, "X25519:P-256", "X25519:P-256", NOTHING_NEW, false, false, false, ECDSA_CBC, false, SESSION_ONLY, NULL},
    {"tls12-resumed-client", "tls12-resumed-server", "tls12-resumed", "X25519:P-256", "X25519:P-256", NOTHING_NEW, false, true, false, ECDSA_GCM, false, SESSION_ONLY, NULL},
    {"tls12-resumed-id-client", "tls12-resumed-id-server", "tls12-resumed-id", "X25519:P-256", "X25519:P-256", NOTHING_NEW, false, true, false, ECDSA_GCM, true, SESSION_ONLY, NULL},
};
/* clang-format on */

/* One engine's half of a scenario: configurations, what is resumed next, and this round's samples. */
struct runner {
    const struct engine *engine, *server_engine;
    const struct scenario *scenario;
    void *client, *server, *session;
    double sample[3][MAX_SAMPLES];
    size_t count;
};

/* One handshake; the sample is kept unless it is to warm up. */
static void shake(struct runner *run, void *server, bool keep)
{
    const struct engine *engine = run->engine;
    void *session = run->session;
    struct pair pair;

    meter_ticks[CLIENT] = meter_ticks[SERVER] = 0;
    pair = pair_mixed(engine, run->server_engine, run->client, server, session);
    pair_greet(&pair);
    if (run->scenario->extra == PRE_SHARED && !engine->by_psk(pair.conn[CLIENT]))
        die("%s: the pre-shared key was not used", engine->name);
    if (run->scenario->extra == EARLY && session != NULL && !engine->early(pair.conn[SERVER]))
        die("%s: the early data was refused", engine->name);
    if (run->scenario->extra != PRE_SHARED &&
        engine->resumed(pair.conn[CLIENT]) != (session != NULL))
        die("%s: resumed: %d, expected %d", engine->name, session == NULL, session != NULL);
    if (run->scenario->retry && !engine->retried(pair.conn[CLIENT]))
        die("%s: there was no HelloRetryRequest", engine->name);
    pair_close(&pair);
    if (keep && run->count < MAX_SAMPLES) {
        run->sample[0][run->count] = ticks_ns(meter_ticks[CLIENT]);
        run->sample[1][run->count] = ticks_ns(meter_ticks[SERVER]);
        run->sample[2][run->count] = ticks_ns(meter_ticks[CLIENT] + meter_ticks[SERVER]);
        run->count++;
    }
    if (run->scenario->resume) {
        void *next = engine->session_take();
        if (next == NULL && (session == NULL || run->scenario->tls12 == NULL))
            die("%s: no ticket came", engine->name);
        if (next != NULL) { /* those of TLS 1.2 may be used again */
            engine->session_free(session);
            run->session = next;
        }
    }
}

static void shake_for(struct runner *run, double seconds)
{
    uint64_t start = ticks_now();

    do {
        shake(run, run->server, true);
    } while (ticks_ns(ticks_now() - start) < seconds * 1e9);
}

/* ---------------------------------------------------------------- fresh certificates */

/* What both sides of a scenario are made of; the groups are those of one side. */
static struct setup setup_of(const struct engine *engine, const struct scenario *scenario,
                             const char *groups)
{
    return (struct setup){
        .suite = scenario->tls12 ? scenario->tls12 : AES128,
        .groups =
            scenario->stock_groups && engine == &engine_stock ? scenario->stock_groups : groups,
        .tls12 = scenario->tls12 != NULL,
        .psk = scenario->extra == PRE_SHARED,
        .early = scenario->extra == EARLY,
    };
}

static void *new_server(const struct engine *engine, const struct scenario *scenario,
                        const struct identity *identity)
{
    struct setup setup = setup_of(engine, scenario, scenario->server_groups);

    setup.identity = identity;
    setup.no_tickets = scenario->by_id;

    return engine->config_new(SERVER, &setup);
}

/* Every handshake meets a server whose leaf (and intermediate, for CHAIN_NEW) the client has not
 * seen; the engines meet the same servers. These are libssl's for both: handfast's would parse their
 * own certificates, which handfast then knows in the whole process, its clients included. */
static void shake_fresh(struct runner *runs, size_t engines, const struct authority *root,
                        const struct authority *intermediate, unsigned count)
{
    const struct scenario *scenario = runs[0].scenario;
    void **servers = calloc(count, sizeof(*servers));

    if (servers == NULL)
        die("no memory");
    for (unsigned i = 0; i < count; i++) {
        struct authority *fresh = scenario->novelty == CHAIN_NEW ? authority_new(root) : NULL;
        struct identity id = identity_new(fresh != NULL ? fresh : intermediate, false);

        servers[i] = new_server(&engine_stock, scenario, &id);
        identity_clear(&id);
        authority_free(fresh);
    }
    for (size_t e = 0; e < engines; e++)
        for (unsigned i = 0; i < count; i++)
            shake(&runs[e], servers[i], true);
    for (unsigned i = 0; i < count; i++)
        engine_stock.config_free(servers[i]);
    free(servers);
}

/* ---------------------------------------------------------------- rounds */

static void report_runner(struct runner *run, unsigned round)
{
    const struct scenario *s = run->scenario;
    const char *rows[3] = {s->client_row, s->server_row, s->both_row};

    for (int i = 0; i < 3; i++)
        if (rows[i] != NULL && wanted(rows[i]))
            report(rows[i], "us", round, run->engine,
                   median(run->sample[i], run->count) / 1000);
}

static void run_scenario(const struct plan *plan, const struct scenario *scenario,
                         const struct authority *root, const struct authority *intermediate)
{
    static struct runner runs[2];
    const struct engine *all[2];
    size_t engines = engines_of(plan, all);
    struct identity identity = identity_new(intermediate, scenario->rsa);
    struct text pem = authority_pem(root);

    for (size_t e = 0; e < engines; e++) {
        struct setup setup = setup_of(all[e], scenario, scenario->client_groups);

        setup.root = pem;
        memset(&runs[e], 0, sizeof(runs[e]));
        runs[e].engine = all[e];
        runs[e].server_engine = scenario->novelty == NOTHING_NEW ? all[e] : &engine_stock;
        runs[e].scenario = scenario;
        runs[e].client = runs[e].engine->config_new(CLIENT, &setup);
        runs[e].server = new_server(runs[e].server_engine, scenario, &identity);
        for (int i = 0; i < 20; i++)
            shake(&runs[e], runs[e].server, false);
    }
    for (unsigned round = 0; round < plan->rounds; round++) {
        runs[0].count = runs[1].count = 0;
        if (scenario->novelty != NOTHING_NEW)
            shake_fresh(runs, engines, root, intermediate, plan->fresh);
        for (size_t e = 0; e < engines; e++) {
            struct runner *run = &runs[(e + round) % engines];

            if (scenario->novelty == NOTHING_NEW)
                shake_for(run, plan->seconds);
            report_runner(run, round);
        }
    }
    for (size_t e = 0; e < engines; e++) {
        runs[e].engine->session_free(runs[e].session);
        runs[e].engine->config_free(runs[e].client);
        runs[e].server_engine->config_free(runs[e].server);
        runs[e].engine->session_free(runs[e].engine->session_take());
    }
    identity_clear(&identity);
    free(pem.p);
}

void rows_handshake(const struct plan *plan)
{
    struct authority *root = authority_new(NULL);
    struct authority *intermediate = authority_new(root);

    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario *s = &scenarios[i];

        if ((s->client_row != NULL && wanted(s->client_row)) ||
            (s->server_row != NULL && wanted(s->server_row)) ||
            (s->both_row != NULL && wanted(s->both_row)))
            run_scenario(plan, s, root, intermediate);
    }
    authority_free(intermediate);
    authority_free(root);
}

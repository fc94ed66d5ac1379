/* count_main.c: the program of the counted rows: allocations, locks and memory. These repeat exactly,
 * so one value per row and engine is printed, in the form of main.c. */
#include "count.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 41
#define AES128  "TLS_AES_128_GCM_SHA256"

static regex_t pattern;
static struct authority *root, *intermediate;
static struct text root_pem;
static unsigned idle_count = 500;

static void report(const char *row, const char *unit, const struct engine *engine, double value)
{
    if (regexec(&pattern, row, 0, NULL, 0) == 0)
        printf("%s\t%s\t%s\t0\t%.6g\n", row, unit, engine->name, value);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_of(double *values)
{
    qsort(values, SAMPLES, sizeof(*values), compare);
    return values[SAMPLES / 2];
}

static void *new_config(const struct engine *engine, enum side side, const struct identity *id,
                        bool small)
{
    struct setup setup = {
        .identity = id, .root = root_pem, .suite = AES128, .groups = "X25519", .small = small};

    return engine->config_new(side, &setup);
}

static void one_handshake(const struct engine *engine, void *client, void *server)
{
    struct pair pair = pair_open(engine, client, server, NULL);

    pair_greet(&pair);
    pair_close(&pair);
}

/* ---------------------------------------------------------------- one handshake */

static void report_handshake(const struct engine *engine)
{
    struct identity id = identity_new(intermediate, false);
    void *client = new_config(engine, CLIENT, &id, false);
    void *server = new_config(engine, SERVER, &id, false);
    double samples[5][SAMPLES];

    for (int i = 0; i < 20; i++)
        one_handshake(engine, client, server);
    for (int i = 0; i < SAMPLES; i++) {
        count_reset();
        one_handshake(engine, client, server);
        samples[0][i] = (double)counts[SERVER].allocations;
        samples[1][i] = (double)counts[CLIENT].allocations;
        samples[2][i] = (double)counts[SERVER].locks;
        samples[3][i] = (double)counts[CLIENT].locks;
        samples[4][i] = (double)counts[SERVER].peak;
    }
    report("allocations-server", "count", engine, median_of(samples[0]));
    report("allocations-client-seen", "count", engine, median_of(samples[1]));
    report("locks-server", "count", engine, median_of(samples[2]));
    report("locks-client-seen", "count", engine, median_of(samples[3]));
    report("heap-peak-server", "B", engine, median_of(samples[4]));
    engine->config_free(client);
    engine->config_free(server);
    identity_clear(&id);
}

/* The servers are libssl's: see shake_fresh in handshake.c. */
static void report_new_chain(const struct engine *engine)
{
    void *client = new_config(engine, CLIENT, NULL, false);
    double samples[SAMPLES];

    for (int i = 0; i < SAMPLES; i++) {
        struct authority *fresh = authority_new(root);
        struct identity id = identity_new(fresh, false);
        void *server = new_config(&engine_stock, SERVER, &id, false);
        struct pair pair;

        count_reset();
        pair = pair_mixed(engine, &engine_stock, client, server, NULL);
        pair_greet(&pair);
        pair_close(&pair);
        samples[i] = (double)counts[CLIENT].allocations;
        engine_stock.config_free(server);
        identity_clear(&id);
        authority_free(fresh);
    }
    report("allocations-client-new", "count", engine, median_of(samples));
    engine->config_free(client);
}

/* ---------------------------------------------------------------- idle connections */

/* A server's end after one request of 100 bytes and one answer of 1,000; the client is gone. */
static struct pair idle_server(const struct engine *engine, void *client, void *server,
                               bool hibernated)
{
    static const uint8_t bytes[1000];
    struct pair pair = pair_open(engine, client, server, NULL);
    void *end;

    pair_send(&pair, CLIENT, bytes, 100);
    pair_receive(&pair, SERVER, 100);
    pair_send(&pair, SERVER, bytes, 1000);
    pair_receive(&pair, CLIENT, 1000);
    if (hibernated) {
        meter_enter(SERVER);
        engine->hibernate(pair.conn[SERVER]);
        meter_leave(SERVER);
    }
    end = pair.conn[SERVER];
    pair.conn[SERVER] = NULL;
    pair_close(&pair);
    pair.conn[SERVER] = end;
    return pair;
}

static void report_idle(const struct engine *engine, const char *row, bool hibernated)
{
    struct identity id = identity_new(intermediate, false);
    void *client = new_config(engine, CLIENT, &id, hibernated);
    void *server = new_config(engine, SERVER, &id, hibernated);
    struct pair *pairs = calloc(idle_count, sizeof(*pairs));

    if (pairs == NULL)
        die("no memory");
    one_handshake(engine, client, server);
    count_reset();
    for (unsigned i = 0; i < idle_count; i++)
        pairs[i] = idle_server(engine, client, server, hibernated);
    report(row, "B", engine, (double)counts[SERVER].live / idle_count);
    for (unsigned i = 0; i < idle_count; i++)
        pair_close(&pairs[i]);
    free(pairs);
    engine->config_free(client);
    engine->config_free(server);
    identity_clear(&id);
}

int main(int argc, char **argv)
{
    const struct engine *engines[2] = {&engine_stock, &engine_handfast};
    const char *rows = "";

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--row") == 0)
            rows = argv[i + 1];
        else if (strcmp(argv[i], "--idle") == 0)
            idle_count = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else
            die("unknown option %s", argv[i]);
    }
    if (idle_count == 0 || regcomp(&pattern, rows, REG_EXTENDED | REG_NOSUB) != 0)
        die("usage: bench-count [--idle N] [--row REGEX]");
    root = authority_new(NULL);
    intermediate = authority_new(root);
    root_pem = authority_pem(root);
    for (int e = 0; e < 2; e++) {
        report_handshake(engines[e]);
        report_new_chain(engines[e]);
        report_idle(engines[e], "heap-idle", false);
        report_idle(engines[e], "heap-hibernated", true);
        engines[e]->session_free(engines[e]->session_take());
    }
    authority_free(intermediate);
    authority_free(root);
    free(root_pem.p);
    regfree(&pattern);
    return 0;
}

/* pair.c: a client and a server of one engine in one thread, each call of theirs metered. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const uint8_t bench_psk[32] = "thirty-two bytes of a shared key";

void die(const char *format, ...)
{
    va_list args;

    fputs("bench: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static enum progress advance(struct pair *pair, enum side side)
{
    enum progress progress;

    meter_enter(side);
    progress = pair->engine[side]->handshake(pair->conn[side]);
    meter_leave(side);
    return progress;
}

struct pair pair_mixed(const struct engine *client_engine, const struct engine *server_engine,
                       void *client_config, void *server_config, void *session)
{
    struct pair pair = {.engine = {client_engine, server_engine}};
    bool done[2] = {false, false};

    wire_reset();
    meter_enter(CLIENT);
    pair.conn[CLIENT] = client_engine->conn_new(CLIENT, client_config, session);
    meter_leave(CLIENT);
    meter_enter(SERVER);
    pair.conn[SERVER] = server_engine->conn_new(SERVER, server_config, NULL);
    meter_leave(SERVER);
    for (int turn = 0; !done[CLIENT] || !done[SERVER]; turn++) {
        enum side side = turn % 2 == 0 ? CLIENT : SERVER;

        if (turn == 20)
            die("%s: the handshake does not end", client_engine->name);
        if (!done[side])
            done[side] = advance(&pair, side) == FINISHED;
    }
    return pair;
}

struct pair pair_open(const struct engine *engine, void *client_config, void *server_config,
                      void *session)
{
    return pair_mixed(engine, engine, client_config, server_config, session);
}

void pair_send(struct pair *pair, enum side from, const uint8_t *p, size_t len)
{
    meter_enter(from);
    pair->engine[from]->write(pair->conn[from], p, len);
    meter_leave(from);
}

void pair_receive(struct pair *pair, enum side to, size_t len)
{
    static _Thread_local uint8_t scratch[RECORD_16K];
    size_t sum = 0;

    meter_enter(to);
    while (sum < len) {
        size_t n = pair->engine[to]->read(pair->conn[to], scratch, sizeof(scratch));

        if (n == 0)
            die("%s: %zu of %zu bytes arrived", pair->engine[to]->name, sum, len);
        sum += n;
    }
    meter_leave(to);
}

void pair_greet(struct pair *pair)
{
    pair_send(pair, SERVER, (const uint8_t *)"!", 1);
    pair_receive(pair, CLIENT, 1);
}

void pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        enum side side = i == 0 ? CLIENT : SERVER;

        if (pair->conn[side] == NULL)
            continue;
        meter_enter(side);
        pair->engine[side]->conn_free(pair->conn[side]);
        meter_leave(side);
        pair->conn[side] = NULL;
    }
}

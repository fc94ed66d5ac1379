/* bench.h: what the programs of this folder share: two TLS engines behind one table of functions,
 * the wire in memory between a client and a server of one thread, and the meter around each call.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_HOST "bench.example"
#define RECORD_16K 16384U
#define EARLY_SIZE 100U
#define PSK_NAME   "bench"
extern const uint8_t bench_psk[32];

enum side { CLIENT, SERVER };

/* ---------------------------------------------------------------- wire (wire.c) */

/* The bytes under way to each side of this thread. With wire_discard set they are counted and
 * dropped, which leaves the engine's own work without the copy that stands for a system call. */
extern _Thread_local bool wire_discard;
void wire_send_to(enum side to, const void *p, size_t len);
size_t wire_take(enum side reader, void *out, size_t size);
size_t wire_waiting(enum side reader);
void wire_reset(void);

/* ---------------------------------------------------------------- identities (chain.c) */

struct text {
    char *p;
    size_t len;
};

/* A server's chain (its own certificate and the intermediate) and key, in PEM. */
struct identity {
    struct text chain, key;
};

struct authority;

/* authority_new makes an issuing P-256 key with its certificate: a root for issuer NULL. */
struct authority *authority_new(const struct authority *issuer);
void authority_free(struct authority *authority);
struct text authority_pem(const struct authority *authority);
struct identity identity_new(const struct authority *intermediate, bool rsa);
void identity_clear(struct identity *identity);

/* ---------------------------------------------------------------- engines */

enum progress { FINISHED, UNFINISHED };

/* What a configuration is made of; identity is for servers, root for clients. */
struct setup {
    const struct identity *identity;
    struct text root;
    const char *suite, *groups;
    bool tls12;      /* TLS 1.2 instead of 1.3 */
    bool no_tickets; /* server: sessions by ID */
    bool psk;        /* both sides have one external pre-shared key */
    bool early; /* clients send EARLY_SIZE bytes with their first message, servers take them */
    bool small; /* the engine's mode of least memory for idle connections */
};

/* A TLS library. Every function ends the program when something goes wrong: a benchmark of a
 * failed handshake is worth nothing. Sessions are the newest ticket that this thread's clients got. */
struct engine {
    const char *name;
    void *(*config_new)(enum side side, const struct setup *setup);
    void (*config_free)(void *config);
    void *(*conn_new)(enum side side, void *config, void *session);
    void (*conn_free)(void *conn);
    enum progress (*handshake)(void *conn);
    void (*write)(void *conn, const uint8_t *p, size_t len);
    size_t (*read)(void *conn, uint8_t *scratch, size_t size);
    bool (*resumed)(void *conn);
    bool (*retried)(void *conn);
    bool (*by_psk)(void *conn);
    bool (*early)(void *conn); /* server: early data came and was taken */
    void (*hibernate)(void *conn);
    void *(*session_take)(void);
    void (*session_free)(void *session);
};

extern const struct engine engine_handfast, engine_stock;

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---------------------------------------------------------------- meter (clock.c, count.c) */

/* Each call of an engine stands between meter_enter and meter_leave; what is measured there is the
 * program's matter: time, or allocations and locks. */
void meter_enter(enum side side);
void meter_leave(enum side side);

/* ---------------------------------------------------------------- pairs (pair.c) */

struct pair {
    const struct engine *engine[2];
    void *conn[2];
};

/* pair_mixed makes both ends, each of its own engine, and their handshake; pair_open both ends of one
 * engine. pair_greet sends one byte from the server, with which the client also reads the tickets;
 * pair_close frees both ends. */
struct pair pair_mixed(const struct engine *client_engine, const struct engine *server_engine,
                       void *client_config, void *server_config, void *session);
struct pair pair_open(const struct engine *engine, void *client_config, void *server_config,
                      void *session);
void pair_send(struct pair *pair, enum side from, const uint8_t *p, size_t len);
void pair_receive(struct pair *pair, enum side to, size_t len);
void pair_greet(struct pair *pair);
void pair_close(struct pair *pair);

#endif

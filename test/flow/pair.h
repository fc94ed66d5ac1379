/* pair.h: a client and a server in memory, and the wire between them. */
#ifndef PAIR_H
#define PAIR_H

#include "../unit/pki.h"
#include "handfast.h"

/* Bytes on their way in one direction, and what has been received in clear. */
struct wire {
    uint8_t *p;
    size_t len, size;
};

struct end {
    hf_conn *conn;
    struct wire in;   /* what the other side has sent and this one has not taken */
    struct wire data; /* application data received */
    hf_result last;   /* of hf_conn_receive */
    size_t chunk;     /* give the connection at most so many new bytes at a time; 0: all */
    size_t offered;   /* bytes of `in` that were offered already (chunk) */
    /* changes bytes on their way to this end; NULL: none */
    void (*tamper)(struct end *to, uint8_t *bytes, size_t len, void *arg);
    void *tamper_arg;
    unsigned flights; /* how often bytes came */
};

struct pair {
    struct pki *pki;
    hf_trust *trust;
    hf_credential *cred;
    hf_config *client_config, *server_config;
    struct end client, server;
    hf_session *session[32]; /* that the client was given */
    unsigned sessions;
};

/* pair_init makes PKI, trust and configurations (server name "server.example"); they may be changed
 * until pair_connect, which makes the connections. */
void pair_init(struct pair *p, enum pki_kind kind);
void pair_connect(struct pair *p);

/* pair_run carries bytes to and fro until nothing moves any more. */
void pair_run(struct pair *p);

/* pair_shake connects and runs; true if both ends have finished their handshake. */
bool pair_shake(struct pair *p);

/* pair_send sends data from one end and carries it over. */
hf_result pair_send(struct pair *p, struct end *from, const void *data, size_t len);

/* pair_pump moves what `from` has to send to `to` and lets it receive; true if bytes moved. */
bool pair_pump(struct end *from, struct end *to);

/* pair_reset drops the connections (configurations, sessions stay), for another pair_connect. */
void pair_reset(struct pair *p);
void pair_clear(struct pair *p);

void wire_put(struct wire *w, const void *p, size_t n);
void wire_drop(struct wire *w, size_t n);

/* pair_codes: the codes of both ends' errors, HF_OK if none. */
hf_code end_code(const struct end *e);

#endif

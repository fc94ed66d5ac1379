/* facts.h: what is known about a connection at the moment in which it failed. */
#ifndef CONNECTION_FACTS_H
#define CONNECTION_FACTS_H

#include "connection/advice.h"
#include "connection/conn.h"

#define FACTS_MAX_LIST 48

/* A list of numbers that a peer may have made longer than anybody wants to read. */
struct facts_list {
    size_t count; /* of them in id */
    size_t more;  /* that were left out */
    uint16_t id[FACTS_MAX_LIST];
};

struct facts_side {
    bool known;
    struct facts_list versions, suites, groups, key_shares, signatures;
    struct slice alpn; /* content of a ProtocolNameList */
};

struct facts {
    enum advice_role role;
    unsigned phase;
    const char *step;        /* of the handshake, or "" */
    const char *server_name; /* or NULL */
    struct facts_side ours;  /* what this side offered or allows */
    /* what a client offered; of a server nothing but its choices is known */
    struct facts_side peer;
    uint16_t version, suite, group; /* agreed so far, 0 if not */
    bool retried, resumed;
    const hf_certificate *certificate; /* the peer's own, or NULL */
    const uint8_t *raw_key_sha256;     /* of the peer's raw public key, or NULL */
    const char *raw_key;               /* "EC P-256" */
    struct slice psk_identity; /* of a suite with pre-shared keys: what the client says it is */
    const char *rfc;           /* section of the rule, in the version that was agreed */
    struct advice advice;
    char words[160]; /* of the advice, where it has numbers in it */
};

/* facts_collect looks at the connection (NULL: there was none) and the error. What it points to
 * lives as long as both. */
void facts_collect(struct facts *facts, const hf_conn *conn, const hf_error *err);

/* facts_common: what stands in both lists, in the order of a. */
void facts_common(const struct facts_list *a, const struct facts_list *b,
                  struct facts_list *out);

#endif

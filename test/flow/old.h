/* old.h: what tests of TLS 1.2 and older share: configurations that allow everything, peers with changed
 * flow lists, and a wire that carries message by message. */
#ifndef OLD_H
#define OLD_H

#include "connection/conn.h"
#include "pair.h"

/* As CHECK, with what was being tried. */
#define CHECK_MSG(cond, ...)                                                                   \
    do {                                                                                       \
        if (!(cond)) {                                                                         \
            check_bad++;                                                                       \
            printf("    %s:%d: ", __FILE__, __LINE__);                                         \
            printf(__VA_ARGS__);                                                               \
            printf("\n");                                                                      \
        }                                                                                      \
    } while (0)

/* The connection has failed by itself, with this error and this alert. */
#define CHECK_REFUSED(end, wanted, description)                                                \
    do {                                                                                       \
        const hf_error *refusal = hf_conn_error((end)->conn);                                  \
        CHECK_STR(refusal ? hf_code_name(refusal->code) : "no error", hf_code_name(wanted));   \
        if (refusal)                                                                           \
            CHECK_INT(refusal->alert, description);                                            \
        if (refusal)                                                                           \
            CHECK(!refusal->alert_received);                                                   \
    } while (0)

/* The other side was told by this alert. */
#define CHECK_TOLD(end, description)                                                           \
    do {                                                                                       \
        const hf_error *refusal = hf_conn_error((end)->conn);                                  \
        CHECK(refusal && refusal->alert_received && refusal->alert == (description));          \
    } while (0)

/* old_allow: security level 0, these versions, these suites (NULL: as they are), every signature, the
 * curves and FFDHE, and (without TLS 1.3) a pre-shared key that both know. old_allow_both: both configurations. */
void old_allow(hf_config *config, uint16_t lowest, uint16_t highest, const char *suites);
void old_allow_both(struct pair *p, uint16_t lowest, uint16_t highest, const char *suites);

/* old_start: pair_init and old_allow_both for one version and suite; the certificate fits the suite. */
void old_start(struct pair *p, uint16_t version, const char *suite);

bool end_shaken(const struct end *e); /* its handshake is over and nothing has failed */
bool end_is_dead(const struct end *e);

/* old_hand gives an end bytes as if the other had sent them. */
hf_result old_hand(struct end *to, const void *bytes, size_t len);

/* old_record seals a record with the keys that `from` sends with and hands it to the other. */
hf_result old_record(struct end *from, struct end *to, uint8_t type, const void *p, size_t len);

/* old_echo sends data both ways; false if they do not arrive. */
bool old_echo(struct pair *p);

/* ---- peers with other lists */

enum { OLD_MAX_ROWS = 40 };

/* old_divert makes an end go on with these lists where it would go on with those of TLS 1.2 (NULL: the real
 * one). They must outlive the handshake. A session is to be set before. */
void old_divert(struct end *e, const struct step *full, const struct step *resumed);

/* old_list copies a list; old_row finds a row by its name, -1 if there is none; old_insert puts a row behind
 * another, with that one's condition; old_remove takes one out. */
void old_list(struct step copy[OLD_MAX_ROWS], const struct step *list);
int old_row(const struct step *list, const char *name);
void old_insert(struct step *list, int row, enum hs_result (*run)(struct hs *));
void old_remove(struct step *list, int row);

/* old_last_message: where the message that was written last stands in the flight. */
uint8_t *old_last_message(struct hs *hs, size_t *len);

/* ---- hellos with other extensions */

/* The blocks of extensions of one handshake's hellos: old_capture, as a configuration's trace callback, takes
 * those of the hellos that are sent; old_without and old_with change a block; with old_say the configuration
 * says these instead of its own. A hello that was not captured is left alone. */
struct old_blocks {
    struct wire client, server;
    struct test_hooks hooks;
};
void old_capture(const hf_conn *conn, const hf_trace_event *event, void *blocks);
bool old_has(const struct wire *block, uint16_t id);
bool old_without(struct wire *block, uint16_t id); /* false: it was not there */
void old_with(struct wire *block, uint16_t id, const void *body, size_t len);
void old_say(hf_config *config, struct old_blocks *blocks);
void old_forget(struct old_blocks *blocks);

/* ---- a wire that carries one message at a time */

struct old_wire {
    /* Called before each record on its way to an end; what is handshake in clear comes as one message in a
     * record. `number` counts those on their way to this end from 0. True: the record itself is dropped. */
    bool (*before)(struct end *to, unsigned number, uint8_t *record, size_t len, void *arg);
    void *arg;
    /* most bytes of handshake content in one record in clear; 0: the whole message */
    size_t piece;
    unsigned to_client, to_server; /* records carried */
};
void old_run(struct pair *p, struct old_wire *wire);

#endif

/* handfast.c: libhandfast as an engine. Records are opened in the buffer that they were received
 * into and sealed into the one that is sent; the copies to and from the wire stand for the system
 * calls, as the BIO's do in stock.c. */
#include "bench.h"

#include "handfast.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What was taken from the wire and not yet used, for each side of this thread. */
static _Thread_local struct {
    uint8_t bytes[HF_RECORD_MAX];
    size_t start, end;
} received[2];

static _Thread_local uint8_t sealed[HF_RECORD_MAX + 1024];
static _Thread_local hf_session *newest;
static _Thread_local bool early_sent;

_Noreturn static void die_conn(const hf_conn *conn, const char *what)
{
    char line[1024];
    const hf_error *err = hf_conn_error(conn);

    if (err == NULL)
        die("handfast: %s failed without an error", what);
    hf_error_line(err, line, sizeof(line));
    die("handfast: %s: %s", what, line);
}

_Noreturn static void die_error(const hf_error *err, const char *what)
{
    char line[1024];

    hf_error_line(err, line, sizeof(line));
    die("handfast: %s: %s", what, line);
}

/* ---------------------------------------------------------------- configuration */

static void on_session(hf_conn *conn, hf_session *session, void *arg)
{
    (void)conn, (void)arg;
    hf_session_free(newest);
    newest = hf_session_ref(session);
}

/* A server takes no early data for a while after its start, and remembers so many first messages: its time goes
 * on faster than ours. */
static _Atomic int64_t time_ahead;

static int64_t clock_ahead(void *arg)
{
    (void)arg;
    return (int64_t)time(NULL) + atomic_load(&time_ahead);
}

static void use_extras(hf_config *config, const struct setup *setup, bool server)
{
    if (setup->psk && !hf_config_add_psk(config, (const uint8_t *)PSK_NAME, strlen(PSK_NAME),
                                         bench_psk, sizeof bench_psk))
        die_error(hf_config_error(config), "hf_config_add_psk");
    if (setup->early && (!hf_config_set_clock(config, clock_ahead, NULL) ||
                         !(server ? hf_config_set_max_early_data(config, RECORD_16K)
                                  : hf_config_set_early_data(config, true))))
        die_error(hf_config_error(config), "hf_config_set_early_data");
}

static void use_identity(hf_config *config, const struct identity *id)
{
    hf_error err;
    hf_credential *cred = hf_credential_load_memory(id->chain.p, id->chain.len, id->key.p,
                                                    id->key.len, NULL, NULL, &err);

    if (cred == NULL)
        die_error(&err, "hf_credential_load_memory");
    if (!hf_config_add_credential(config, cred))
        die_error(hf_config_error(config), "hf_config_add_credential");
    hf_credential_free(cred);
}

static void use_root(hf_config *config, struct text root)
{
    hf_error err = {.code = HF_E_NO_MEMORY};
    hf_trust *trust = hf_trust_new();

    if (trust == NULL || !hf_trust_add_memory(trust, root.p, root.len, &err))
        die_error(&err, "hf_trust_add_memory");
    if (!hf_config_set_trust(config, trust) ||
        !hf_config_set_session_callback(config, on_session, NULL))
        die_error(hf_config_error(config), "hf_config_set_trust");
    hf_trust_free(trust);
}

static void *config_new(enum side side, const struct setup *setup)
{
    hf_config *config = hf_config_new(side == SERVER ? HF_SERVER : HF_CLIENT);
    hf_error err;

    if (config == NULL)
        die("handfast: no memory");
    uint16_t version = setup->tls12 ? HF_TLS1_2 : HF_TLS1_3;
    if (!hf_config_set_versions(config, version, version) ||
        (setup->no_tickets && side == SERVER && !hf_config_set_tickets(config, 0, 0)) ||
        !hf_config_set_suites(config, setup->suite) ||
        !hf_config_set_groups(config, setup->groups))
        die_error(hf_config_error(config), "hf_config_set_groups");
    if (side == SERVER)
        use_identity(config, setup->identity);
    else
        use_root(config, setup->root);
    use_extras(config, setup, side == SERVER);
    if (!hf_config_freeze(config, &err))
        die_error(&err, "hf_config_freeze");
    atomic_fetch_add(&time_ahead, 60);
    return config;
}

static void config_free(void *config)
{
    hf_config_free(config);
}

/* ---------------------------------------------------------------- connection */

static enum side side_of(const hf_conn *conn)
{
    return hf_conn_is_server(conn) ? SERVER : CLIENT;
}

static void *conn_new(enum side side, void *config, void *session)
{
    hf_error err;
    hf_conn *conn = side == SERVER ? hf_conn_new_server(config, &err)
                                   : hf_conn_new_client(config, BENCH_HOST, &err);

    if (conn == NULL)
        die_error(&err, "hf_conn_new");
    if (session != NULL && !hf_conn_set_session(conn, session))
        die("handfast: the session is not usable");
    received[side].start = received[side].end = 0;
    if (side == CLIENT)
        early_sent = false;
    return conn;
}

static void conn_free(void *conn)
{
    hf_conn_free(conn);
}

static void flush(hf_conn *conn, enum side side)
{
    size_t len;
    const uint8_t *p = hf_conn_output(conn, &len);

    if (len > 0) {
        wire_send_to(side == SERVER ? CLIENT : SERVER, p, len);
        hf_conn_output_done(conn, len);
    }
}

/* Takes what the wire has, behind what is left of the last time. */
static void fill(enum side side)
{
    size_t left = received[side].end - received[side].start;

    if (left > 0 && received[side].start > 0)
        memmove(received[side].bytes, received[side].bytes + received[side].start, left);
    received[side].start = 0;
    received[side].end = left + wire_take(side, received[side].bytes + left,
                                          sizeof(received[side].bytes) - left);
}

/* Receives until there is application data or nothing more to read; returns the data's size. */
static size_t receive(hf_conn *conn, enum side side)
{
    for (;;) {
        size_t used = 0, data_len = 0;
        uint8_t *data = NULL;
        hf_result result;

        if (received[side].start == received[side].end)
            fill(side);
        if (received[side].start == received[side].end)
            return 0;
        result =
            hf_conn_receive(conn, received[side].bytes + received[side].start,
                            received[side].end - received[side].start, &used, &data, &data_len);
        received[side].start += used;
        if (result != HF_DONE && result != HF_WANT_INPUT)
            die_conn(conn, "hf_conn_receive");
        if (data_len > 0)
            return data_len;
        if (result == HF_WANT_INPUT && used == 0) {
            if (wire_waiting(side) == 0)
                return 0;
            fill(side);
        }
    }
}

static void send_early(hf_conn *conn)
{
    static const uint8_t request[EARLY_SIZE];
    size_t taken = 0, written = 0;

    early_sent = true;
    if (hf_conn_send_early(conn, request, sizeof request, &taken, sealed, sizeof sealed,
                           &written) != HF_DONE ||
        taken != sizeof request)
        die_conn(conn, "hf_conn_send_early");
    wire_send_to(SERVER, sealed, written);
}

static enum progress handshake(void *conn)
{
    static _Thread_local unsigned accepted;
    enum side side = side_of(conn);
    hf_result result = hf_conn_handshake(conn);

    if (result == HF_FAILED || result == HF_WANT_ANSWER)
        die_conn(conn, "hf_conn_handshake");
    if (side == CLIENT && !early_sent && hf_conn_early_room(conn) > 0)
        send_early(conn);
    while (receive(conn, side) > 0) {
        if (hf_conn_early_data(conn) != HF_EARLY_ACCEPTED)
            die("handfast: application data within the handshake");
        if (++accepted % 10000 == 0)
            atomic_fetch_add(&time_ahead, 60);
    }
    flush(conn, side);
    return (hf_conn_wants(conn) & HF_IN_HANDSHAKE) == 0 ? FINISHED : UNFINISHED;
}

static void write_all(void *conn, const uint8_t *p, size_t len)
{
    enum side to = side_of(conn) == SERVER ? CLIENT : SERVER;

    while (len > 0) {
        size_t taken = 0, written = 0;

        if (hf_conn_send(conn, p, len, &taken, sealed, sizeof(sealed), &written) != HF_DONE)
            die_conn(conn, "hf_conn_send");
        wire_send_to(to, sealed, written);
        p += taken;
        len -= taken;
    }
}

static size_t read_some(void *conn, uint8_t *scratch, size_t size)
{
    (void)scratch, (void)size; /* the data is used where it was received */
    return receive(conn, side_of(conn));
}

static bool resumed(void *conn)
{
    return hf_conn_resumed(conn);
}

static bool retried(void *conn)
{
    return hf_conn_retried(conn);
}

static bool by_psk(void *conn)
{
    size_t len;

    return hf_conn_psk_identity(conn, &len) != NULL;
}

static bool early(void *conn)
{
    return hf_conn_early_data(conn) == HF_EARLY_ACCEPTED;
}

static void hibernate(void *conn)
{
    if (!hf_conn_hibernate(conn))
        die("handfast: hf_conn_hibernate refused");
}

static void *session_take(void)
{
    hf_session *session = newest;

    newest = NULL;
    return session;
}

static void session_free(void *session)
{
    hf_session_free(session);
}

const struct engine engine_handfast = {
    .name = "handfast",
    .config_new = config_new,
    .config_free = config_free,
    .conn_new = conn_new,
    .conn_free = conn_free,
    .handshake = handshake,
    .write = write_all,
    .read = read_some,
    .resumed = resumed,
    .retried = retried,
    .by_psk = by_psk,
    .early = early,
    .hibernate = hibernate,
    .session_take = session_take,
    .session_free = session_free,
};

/* One thread reads while another writes on the same connection, with KeyUpdates of both sides in
 * between: to be run under ThreadSanitizer too. */
#include "../unit/check.h"
#include "old.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURNS = 2000, PIECE = 700 };

/* A lock-protected pipe of bytes between two connections. */
struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct wire bytes;
    bool end;
};

struct side {
    hf_conn *conn;
    struct pipe *in, *out;
    size_t received;
    int failed;
    bool order_ok;
    bool asks, answers; /* certificates, now and then */
    int asked;
};

static void pipe_put(struct pipe *p, const void *bytes, size_t len, bool end)
{
    pthread_mutex_lock(&p->lock);
    wire_put(&p->bytes, bytes, len);
    p->end |= end;
    pthread_cond_signal(&p->more);
    pthread_mutex_unlock(&p->lock);
}

static size_t pipe_take(struct pipe *p, struct wire *into)
{
    pthread_mutex_lock(&p->lock);
    while (p->bytes.len == 0 && !p->end)
        pthread_cond_wait(&p->more, &p->lock);
    size_t n = p->bytes.len;
    wire_put(into, p->bytes.p, n);
    p->bytes.len = 0;
    pthread_mutex_unlock(&p->lock);
    return n;
}

static void flush(struct side *s)
{
    size_t waiting;
    const uint8_t *more = hf_conn_output(s->conn, &waiting);
    pipe_put(s->out, more, waiting, false);
    hf_conn_output_done(s->conn, waiting);
}

static void ask(struct side *s)
{
    hf_error err;
    if (hf_conn_post_auth(s->conn) != HF_POST_AUTH_PENDING)
        s->asked +=
            hf_conn_request_certificate(s->conn, HF_CLIENT_AUTH_REQUIRE, &err) == HF_DONE;
}

/* The server goes on until it has been answered some times, the client until the server has closed; not
 * longer than half a minute. */
static void until_answered(struct side *s)
{
    enum { ENOUGH = 5 };
    for (int i = 0; i < 30000; i++) {
        bool done = hf_conn_post_auth(s->conn) == HF_POST_AUTH_DONE;
        if (s->asks ? done && s->asked >= ENOUGH : hf_conn_wants(s->conn) & HF_IS_CLOSED_IN)
            return;
        if (s->asks && s->asked < ENOUGH)
            ask(s);
        flush(s);
        usleep(1000);
    }
    s->failed++;
}

static void *writer(void *arg)
{
    struct side *s = arg;
    uint8_t data[PIECE], out[8192];
    for (int i = 0; i < TURNS; i++) {
        size_t taken, written;
        memset(data, i & 0xff, sizeof data);
        hf_result renewed = hf_conn_version(s->conn) == HF_TLS1_3 ? HF_DONE : HF_CLOSED;
        if (i % 100 == 50 && hf_conn_key_update(s->conn, i % 200 == 50) != renewed)
            s->failed++;
        if (s->asks && i % 40 == 7)
            ask(s);
        if (hf_conn_send(s->conn, data, sizeof data, &taken, out, sizeof out, &written) !=
                HF_DONE ||
            taken != sizeof data)
            s->failed++;
        pipe_put(s->out, out, written, false);
        flush(s);
    }
    if (s->answers)
        until_answered(s);
    size_t waiting;
    hf_conn_close(s->conn);
    const uint8_t *last = hf_conn_output(s->conn, &waiting);
    pipe_put(s->out, last, waiting, true);
    hf_conn_output_done(s->conn, waiting);
    return NULL;
}

static void *reader(void *arg)
{
    struct side *s = arg;
    struct wire in = {0};
    hf_result r = HF_DONE;
    s->order_ok = true;
    while (r != HF_CLOSED && r != HF_FAILED) {
        size_t used, len;
        uint8_t *data;
        r = hf_conn_receive(s->conn, in.p, in.len, &used, &data, &len);
        for (size_t i = 0; i < len; i++, s->received++)
            s->order_ok &= data[i] == (uint8_t)(s->received / PIECE);
        wire_drop(&in, used);
        if (r == HF_WANT_INPUT && pipe_take(s->in, &in) == 0)
            break;
    }
    if (r != HF_CLOSED)
        s->failed++;
    free(in.p);
    return NULL;
}

static void read_and_write(uint16_t version, const char *suite, bool later)
{
    struct pair p;
    if (suite)
        old_start(&p, version, suite);
    else
        pair_init(&p, PKI_P256);
    if (later) {
        CHECK(hf_config_set_post_handshake_auth(p.client_config, true));
        CHECK(hf_config_set_post_handshake_auth(p.server_config, true));
        CHECK(hf_config_add_credential(p.client_config, p.cred));
        CHECK(hf_config_set_trust(p.server_config, p.trust));
    }
    CHECK(pair_shake(&p));
    struct pipe up = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER},
                down = up;
    struct side client = {.conn = p.client.conn, .in = &down, .out = &up, .answers = later};
    struct side server = {
        .conn = p.server.conn, .in = &up, .out = &down, .asks = later, .answers = later};
    pthread_t t[4];
    CHECK(pthread_create(&t[0], NULL, writer, &client) == 0);
    CHECK(pthread_create(&t[1], NULL, reader, &client) == 0);
    CHECK(pthread_create(&t[2], NULL, writer, &server) == 0);
    CHECK(pthread_create(&t[3], NULL, reader, &server) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CHECK_INT(client.failed, 0);
    CHECK_INT(server.failed, 0);
    CHECK_INT(client.received, TURNS * PIECE);
    CHECK_INT(server.received, TURNS * PIECE);
    CHECK(client.order_ok && server.order_ok);
    CHECK(!later || (server.asked >= 5 && hf_conn_verified(p.server.conn)));
    free(up.bytes.p);
    free(down.bytes.p);
    pair_clear(&p);
}

static void test_reader_and_writer(void)
{
    read_and_write(HF_TLS1_3, NULL, false);
}

/* The reader judges and signs, the writer asks and sends. */
static void test_authentication_between_threads(void)
{
    read_and_write(HF_TLS1_3, NULL, true);
}

static void test_reader_and_writer_of_old_versions(void)
{
    read_and_write(HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", false);
    read_and_write(HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", false);
    read_and_write(HF_TLS1_0, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", false);
}

struct many {
    struct pair *p;
    int done;
};

static void *handshakes(void *arg)
{
    struct many *m = arg;
    for (int i = 0; i < 30; i++) {
        struct pair mine = {.client_config = m->p->client_config,
                            .server_config = m->p->server_config};
        if (pair_shake(&mine))
            m->done++;
        pair_reset(&mine);
    }
    return NULL;
}

static void share_configuration(uint16_t version, bool tickets)
{
    struct pair p;
    pthread_t t[2];
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_versions(p.client_config, version, version));
    if (!tickets) /* the cache of sessions is shared, too */
        CHECK(hf_config_set_tickets(p.server_config, 0, 0));
    hf_config_set_session_callback(p.client_config, NULL, NULL);
    struct many m[2] = {{&p, 0}, {&p, 0}};
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&t[i], NULL, handshakes, &m[i]) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    CHECK_INT(m[0].done, 30);
    CHECK_INT(m[1].done, 30);
    pair_clear(&p);
}

static void test_shared_configuration(void)
{
    ROW("Y110");
    share_configuration(HF_TLS1_3, true);
    share_configuration(HF_TLS1_2, true);
    share_configuration(HF_TLS1_2, false);
}

int main(void)
{
    RUN(test_reader_and_writer);
    RUN(test_authentication_between_threads);
    RUN(test_reader_and_writer_of_old_versions);
    RUN(test_shared_configuration);
    return check_done();
}

/* Early data over streams: sent with the first message, read and answered before the handshake is done. */
#include "tlspeer.h"

#include "config/session.h"

static int64_t time_now;
static hf_session *newest;

static int64_t clock_now(void *arg)
{
    (void)arg;
    return time_now;
}

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    (void)conn, (void)arg;
    hf_session_free(newest);
    newest = hf_session_ref(session);
}

static void ends(hf_stream *s[2], int fd[2], const void *early, size_t len)
{
    hf_net_options options = {.non_blocking = true,
                              .peer_name = "localhost",
                              .session = newest,
                              .early_data = early,
                              .early_len = len};
    hf_error err = {0};

    pair_of(fd);
    s[0] = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
    s[1] = hf_stream_wrap(fd[1], "tls", HF_SERVER, server_config, &options, &err);
    if (!s[0] || !s[1]) {
        printf("wrap: %s: %s\n", hf_code_name(err.code), err.detail);
        exit(1);
    }
}

static void finish(hf_stream *s[2])
{
    hf_error err = {0};
    int a, b, turns = 0;

    do {
        a = hf_stream_handshake(s[0], &err);
        b = hf_stream_handshake(s[1], &err);
    } while ((a == HF_AGAIN || b == HF_AGAIN) && turns++ < 100);
    CHECK_INT(a, 0);
    CHECK_INT(b, 0);
}

static bool shaking(hf_stream *s)
{
    return (hf_conn_wants(hf_stream_conn(s)) & HF_IN_HANDSHAKE) != 0;
}

static void close_both(hf_stream *s[2])
{
    CHECK(hf_close(s[0], NULL));
    CHECK(hf_close(s[1], NULL));
}

/* A full handshake, after which the client has tickets; then time goes by, so that the server knows all
 * that has been sent within its window. */
static void get_session(void)
{
    hf_stream *s[2];
    char c;
    int fd[2];

    ends(s, fd, NULL, 0);
    finish(s);
    CHECK_INT(hf_write(s[1], "x", 1, NULL), 1);
    CHECK_INT(hf_read(s[0], &c, 1, NULL), 1);
    close_both(s);
    CHECK(newest != NULL);
    time_now += 60;
}

static void test_answered_at_once(void)
{
    hf_stream *s[2];
    char buf[32];
    int fd[2];

    get_session();
    ends(s, fd, "request", 7);
    CHECK_INT(hf_stream_handshake(s[0], NULL), HF_AGAIN);
    CHECK_INT(hf_stream_handshake(s[1], NULL), 0);
    CHECK(shaking(s[1]));
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 7);
    CHECK_MEM(buf, "request", 7);
    CHECK(shaking(s[1]));
    CHECK_INT(hf_write(s[1], "answer", 6, NULL), 6);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), HF_AGAIN);
    CHECK(!hf_stream_early_accepted(s[0]));

    /* the answer stands right behind the server's Finished */
    CHECK_INT(hf_stream_handshake(s[0], NULL), 0);
    CHECK(hf_stream_early_accepted(s[0]));
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 6);
    CHECK_MEM(buf, "answer", 6);
    CHECK(shaking(s[1]));
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), HF_AGAIN);
    CHECK(!shaking(s[1]));

    CHECK_INT(hf_write(s[0], "later", 5, NULL), 5);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 5);
    CHECK_INT(hf_write(s[1], "too", 3, NULL), 3);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, NULL), 3);
    close_both(s);
}

/* More than one buffer holds: all of it, in order. */
static void test_long(void)
{
    enum { SIZE = 200000 };
    static uint8_t sent[SIZE], got[SIZE + 1];
    hf_stream *s[2];
    size_t at = 0;
    int fd[2];

    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (uint8_t)(i * 7 >> 3);
    get_session();
    ends(s, fd, sent, SIZE);
    for (int turns = 0; turns < 1000 && at < SIZE; turns++) {
        ptrdiff_t n;

        CHECK(hf_stream_handshake(s[0], NULL) != -1);
        n = hf_read(s[1], got + at, sizeof got - at, NULL);
        CHECK(n > 0 || n == HF_AGAIN);
        if (n > 0)
            at += (size_t)n;
    }
    CHECK_INT(at, SIZE);
    CHECK_MEM(got, sent, SIZE);
    CHECK_INT(hf_stream_handshake(s[0], NULL), 0);
    CHECK(hf_stream_early_accepted(s[0]));
    CHECK_INT(hf_read(s[1], got, 1, NULL), HF_AGAIN);
    CHECK(!shaking(s[1]));
    close_both(s);
}

/* None of these may reach the server's application before the handshake, or at all. */
static void expect_none(const void *early, size_t len, hf_early outcome, const char *reason)
{
    hf_stream *s[2];
    char buf[32];
    int fd[2];

    ends(s, fd, early, len);
    finish(s);
    CHECK(!hf_stream_early_accepted(s[0]));
    CHECK_INT(hf_conn_early_data(hf_stream_conn(s[0])), outcome);
    CHECK_STR(hf_conn_early_reason(hf_stream_conn(s[1])), reason);
    CHECK(!shaking(s[1]));
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), HF_AGAIN);
    CHECK_INT(hf_write(s[0], "again", 5, NULL), 5);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 5);
    CHECK_MEM(buf, "again", 5);
    close_both(s);
}

static void test_just_started(void)
{
    get_session();
    time_now = PKI_NOW; /* as if no time had gone by since then */
    expect_none("request", 7, HF_EARLY_REFUSED, "it may be a repetition");
}

static void test_not_taken(void)
{
    static uint8_t big[300000];

    hf_session_free(newest);
    newest = NULL;
    expect_none("request", 7, HF_EARLY_NONE, ""); /* no session */
    get_session();
    /* offered, but more than the session allows: nothing is sent */
    expect_none(big, sizeof big, HF_EARLY_ACCEPTED, "");
    get_session();
    time_now +=
        3600; /* on the server's clock alone: the client's hello says that the ticket is new */
    ((struct hf_session *)newest)->issued_ms += 3600 * 1000;
    expect_none("request", 7, HF_EARLY_REFUSED, "the ticket's age is not what the client says");
}

/* Who closes in the middle of it ends the handshake, and nobody waits. */
static void test_closed_in_the_middle(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    char buf[32];
    int fd[2];

    get_session();
    ends(s, fd, "request", 7);
    CHECK_INT(hf_stream_handshake(s[0], NULL), HF_AGAIN);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, NULL), 7);
    hf_close(s[0], NULL);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), -1);
    CHECK(err.code == HF_E_HANDSHAKE_CUT || err.os_errno);
    hf_close(s[1], NULL);
}

/* Blocking ends in two threads. */
static void play_early(hf_stream *s)
{
    char buf[64];
    ptrdiff_t n;

    while ((n = hf_read(s, buf, sizeof buf, NULL)) > 0)
        CHECK_INT(hf_write(s, buf, (size_t)n, NULL), n);
    CHECK_INT(n, 0);
    hf_close(s, NULL);
}

static void test_blocking(void)
{
    struct tls_peer p;
    hf_net_options options = {.peer_name = "localhost", .no_session_cache = true};
    char buf[32];

    get_session();
    tls_peer_start(&p, "tls://127.0.0.1:0", server_config, 1, play_early);
    options.session = newest;
    options.early_data = "request";
    options.early_len = 7;
    hf_stream *s = tls_open(p.url, &options);
    CHECK(hf_stream_early_accepted(s));
    CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 7);
    CHECK_MEM(buf, "request", 7);
    CHECK_INT(hf_write(s, "more", 4, NULL), 4);
    CHECK_INT(hf_read(s, buf, sizeof buf, NULL), 4);
    CHECK(hf_close(s, NULL));
    tls_peer_end(&p);
    CHECK_INT(p.err.code, HF_OK);
}

int main(void)
{
    int files;

    tls_setup();
    time_now = PKI_NOW;
    CHECK(hf_config_set_clock(client_config, clock_now, NULL));
    CHECK(hf_config_set_clock(server_config, clock_now, NULL));
    CHECK(hf_config_set_session_callback(client_config, keep, NULL));
    CHECK(hf_config_set_early_data(client_config, true));
    CHECK(hf_config_set_max_early_data(server_config, 250000));
    CHECK(hf_config_freeze(server_config, NULL));
    files = open_files();
    RUN(test_just_started);
    RUN(test_answered_at_once);
    RUN(test_long);
    RUN(test_not_taken);
    RUN(test_closed_in_the_middle);
    RUN(test_blocking);
    hf_session_free(newest);
    return tls_done(files);
}

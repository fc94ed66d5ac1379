/* Reading, writing and ending: what each call returns, what SSL_get_error and SSL_want make of it, and that nothing
 * is lost where a write blocks. */
#include "pair.h"
#include "show.h"

enum { BIG = 200000 };

static unsigned char big[BIG], copy[BIG], got[BIG];
static SSL_CTX *client_ctx, *server_ctx;
static int version;

/* Without what the provider says of a record that it could not decrypt: only the system's library shows that, and
 * only where it decrypts with an AEAD of TLS 1.2. */
static void show_own_errors(void)
{
    unsigned long e;
    while ((e = ERR_get_error())) {
        if (ERR_GET_LIB(e) != ERR_LIB_PROV)
            printf("    %08lx %s\n", e, ERR_reason_error_string(e));
    }
}

static void look(const char *what, SSL *s, int ret)
{
    int error = SSL_get_error(s, ret);
    printf("  %s: %d error %d want %d shutdown %d init %d\n", what, ret, error, SSL_want(s),
           SSL_get_shutdown(s), SSL_in_init(s));
    show_own_errors();
}

#define LOOK(s, call)                                                                          \
    do {                                                                                       \
        ERR_clear_error();                                                                     \
        look(#call, s, (call));                                                                \
    } while (0)

/* What TLS 1.3's server sends behind its Finished. */
static void take_tickets(SSL *s)
{
    char c;
    MUST(SSL_read(s, &c, 1) == -1 && SSL_get_error(s, -1) == SSL_ERROR_WANT_READ);
    ERR_clear_error();
}

static struct pair connected(void)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    MUST(pair_shake(&p));
    take_tickets(p.client);
    return p;
}

/* The bytes in a pipe hold so much: one that is full of no more than a record. */
static struct pair narrow(size_t to_server)
{
    struct pair p = connected();
    BIO *a, *b;
    MUST(BIO_new_bio_pair(&a, to_server, &b, 65536));
    SSL_set_bio(p.client, a, a);
    SSL_set_bio(p.server, b, b);
    return p;
}

static void test_small(void)
{
    struct pair p = connected();
    char buf[32];
    size_t n = 99;
    printf("small\n");
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_peek(p.client, buf, sizeof buf));
    LOOK(p.server, SSL_write(p.server, "hello world", 11));
    LOOK(p.server, SSL_write(p.server, "", 0));
    LOOK(p.server, SSL_write_ex(p.server, "", 0, &n));
    printf("  %zu\n", n);
    LOOK(p.client, SSL_pending(p.client));
    LOOK(p.client, SSL_has_pending(p.client));
    LOOK(p.client, SSL_peek(p.client, buf, 5));
    LOOK(p.client, SSL_pending(p.client));
    LOOK(p.client, SSL_has_pending(p.client));
    LOOK(p.client, SSL_read(p.client, buf, 0));
    LOOK(p.client, SSL_peek(p.client, buf, 0));
    LOOK(p.client, SSL_read_ex(p.client, buf, 0, &n));
    printf("  %zu\n", n);
    LOOK(p.client, SSL_peek_ex(p.client, buf, 3, &n));
    printf("  %zu %.3s\n", n, buf);
    LOOK(p.client, SSL_read(p.client, buf, 6));
    printf("  %.6s\n", buf);
    LOOK(p.client, SSL_read_ex(p.client, buf, sizeof buf, &n));
    printf("  %zu %.5s\n", n, buf);
    LOOK(p.client, SSL_read(p.client, buf, 0));
    LOOK(p.client, SSL_read_ex(p.client, buf, sizeof buf, &n));
    printf("  %zu\n", n);
    LOOK(p.client, SSL_peek_ex(p.client, buf, sizeof buf, &n));
    LOOK(p.client, SSL_write_ex(p.client, "ab", 2, &n));
    printf("  %zu\n", n);
    LOOK(p.client, SSL_read(p.client, buf, -1));
    LOOK(p.client, SSL_write(p.client, buf, -1));
    LOOK(p.client, SSL_peek(p.client, buf, -1));
    LOOK(p.client, SSL_do_handshake(p.client));
    pair_free(&p);
}

/* How much of the peer's bytes comes, and that it is what was written. */
static size_t drain(SSL *s, size_t already)
{
    size_t n = already;
    int r;
    while (n < BIG && (r = SSL_read(s, got + n, (int)(BIG - n))) > 0)
        n += (size_t)r;
    ERR_clear_error();
    return n;
}

/* What a program does: it goes on where it was told. */
static size_t write_parts(struct pair *p)
{
    size_t n = 0, done = 0;
    int parts = 0, waits = 0;
    while (done < BIG) {
        int r = SSL_write(p->client, big + done, (int)(BIG - done));
        if (r > 0) {
            done += (size_t)r;
            parts++;
        } else {
            MUST(SSL_get_error(p->client, r) == SSL_ERROR_WANT_WRITE);
            n = drain(p->server, n);
            waits++;
        }
    }
    printf("  all written in %d parts after %d waits\n", parts, waits);
    return n;
}

static size_t write_whole(struct pair *p, int moving)
{
    size_t n = 0;
    int last = -1;
    LOOK(p->client, SSL_write(p->client, big, BIG));
    LOOK(p->client, SSL_write(p->client, big, BIG));
    for (int i = 0; i < 500 && last <= 0; i++) {
        n = drain(p->server, n);
        last = SSL_write(p->client, moving && i % 2 ? copy : big, BIG);
    }
    printf("  at last %d\n", last);
    return n;
}

static void test_blocked(uint32_t mode, size_t pipe)
{
    struct pair p = narrow(pipe);
    printf("blocked, mode %x, pipe %zu\n", (unsigned)mode, pipe);
    SSL_set_mode(p.client, mode);
    SSL_set_mode(p.server, mode);
    size_t n = mode & SSL_MODE_ENABLE_PARTIAL_WRITE
                   ? write_parts(&p)
                   : write_whole(&p, mode & SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER ? 1 : 0);
    n = drain(p.server, n);
    printf("  %zu bytes, %s\n", n, memcmp(big, got, n) == 0 ? "as they were" : "DAMAGED");
    LOOK(p.client, SSL_write(p.client, "x", 1));
    LOOK(p.server, SSL_read(p.server, got, 10));
    pair_free(&p);
}

/* A retry that is none ends the connection. What waits in its buffers differs, and is not compared. */
static void test_bad_retry(void)
{
    struct pair p = connected();
    printf("a shorter retry\n");
    LOOK(p.client, SSL_write(p.client, big, BIG));
    LOOK(p.client, SSL_write(p.client, big, 10));
    LOOK(p.client, SSL_write(p.client, big, BIG));
    pair_free(&p);
    p = connected();
    printf("a retry with other bytes\n");
    LOOK(p.client, SSL_write(p.client, big, BIG));
    LOOK(p.client, SSL_write(p.client, copy, BIG));
    LOOK(p.client, SSL_write(p.client, big, BIG));
    LOOK(p.client, SSL_read(p.client, got, 10));
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
}

/* As long as what is on its way already is within it. */
static void test_short_retry(void)
{
    struct pair p = connected();
    size_t n = 0;
    int r = -1;
    printf("a retry of less, but of more than was sent\n");
    LOOK(p.client, SSL_write(p.client, big, BIG));
    for (int i = 0; i < 50 && r <= 0; i++) {
        n = drain(p.server, n);
        r = SSL_write(p.client, big, 70000);
    }
    printf("  %d, %zu bytes\n", r, drain(p.server, n));
    pair_free(&p);
}

/* ---- a transport that only ever says why it cannot */

static int odd_result, odd_flags, odd_reason;

static int odd(BIO *b)
{
    BIO_clear_flags(b, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    BIO_set_flags(b, odd_flags);
    BIO_set_retry_reason(b, odd_reason);
    return odd_result;
}

static int odd_read(BIO *b, char *buf, int len)
{
    (void)buf, (void)len;
    return odd(b);
}

static int odd_write(BIO *b, const char *buf, int len)
{
    (void)buf, (void)len;
    return odd(b);
}

static long odd_ctrl(BIO *b, int command, long number, void *p)
{
    (void)b, (void)number, (void)p;
    return command == BIO_CTRL_FLUSH;
}

static int odd_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

static void test_odd_one(BIO_METHOD *method)
{
    struct pair p = connected();
    char buf[4];
    BIO *b = BIO_new(method);
    printf("a transport that returns %d with flags %x, reason %d\n", odd_result,
           (unsigned)odd_flags, odd_reason);
    SSL_set_bio(p.client, b, b);
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_write(p.client, "x", 1));
    LOOK(p.client, SSL_write(p.client, "x", 1));
    pair_free(&p);
    p = connected();
    b = BIO_new(method);
    SSL_set_bio(p.client, b, b);
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
    p = pair_new(client_ctx, server_ctx);
    b = BIO_new(method);
    SSL_set_bio(p.client, b, b);
    LOOK(p.client, SSL_do_handshake(p.client));
    LOOK(p.client, SSL_do_handshake(p.client));
    pair_free(&p);
}

static void test_odd(void)
{
    static const struct {
        int flags, reason;
    } cases[] = {
        {0, 0},
        {BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY, 0},
        {BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY, 0},
        {BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY, 0},
        {BIO_FLAGS_READ, 0},
        {BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY, BIO_RR_CONNECT},
        {BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY, BIO_RR_ACCEPT},
        {BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY, BIO_RR_SSL_X509_LOOKUP},
    };
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "odd");
    MUST(method && BIO_meth_set_read(method, odd_read) &&
         BIO_meth_set_write(method, odd_write) && BIO_meth_set_ctrl(method, odd_ctrl) &&
         BIO_meth_set_create(method, odd_create));
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        odd_result = i % 2 ? 0 : -1;
        odd_flags = cases[i / 2].flags;
        odd_reason = cases[i / 2].reason;
        test_odd_one(method);
    }
    BIO_meth_free(method);
}

static void test_shutdown(void)
{
    struct pair p = connected();
    char buf[8];
    printf("shutdown\n");
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_write(p.client, "x", 1));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_peek(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_write(p.server, "late", 4));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.server, SSL_shutdown(p.server));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.server, SSL_do_handshake(p.server));
    pair_free(&p);

    p = connected();
    printf("shutdown, with data on the way\n");
    LOOK(p.server, SSL_write(p.server, "late", 4));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    pair_free(&p);

    p = connected();
    printf("shutdown, with data that was half read\n");
    LOOK(p.server, SSL_write(p.server, "late", 4));
    LOOK(p.client, SSL_read(p.client, buf, 2));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_read(p.client, buf, 2));
    LOOK(p.server, SSL_shutdown(p.server));
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
}

static void test_shutdown_said(void)
{
    struct pair p = connected();
    char buf[8];
    printf("quiet\n");
    SSL_set_quiet_shutdown(p.client, 1);
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_write(p.client, "x", 1));
    pair_free(&p);

    p = connected();
    printf("what the program says of itself\n");
    LOOK(p.server, SSL_write(p.server, "late", 4));
    LOOK(p.client, SSL_read(p.client, buf, 2));
    SSL_set_shutdown(p.client, SSL_RECEIVED_SHUTDOWN);
    LOOK(p.client, SSL_read(p.client, buf, 2));
    SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN);
    LOOK(p.client, SSL_read(p.client, buf, 2));
    LOOK(p.client, SSL_write(p.client, "x", 1));
    SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    LOOK(p.client, SSL_shutdown(p.client));
    SSL_set_shutdown(p.client, 0);
    LOOK(p.client, SSL_write(p.client, "x", 1));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    pair_free(&p);
}

static void test_shutdown_early(void)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    char buf[8];
    printf("too early\n");
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
    p = pair_new(client_ctx, server_ctx);
    LOOK(p.client, SSL_do_handshake(p.client));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.client, SSL_write(p.client, "x", 1));
    LOOK(p.client, SSL_read(p.client, buf, 1));
    SSL_set_quiet_shutdown(p.client, 1);
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
    p = pair_new(client_ctx, server_ctx);
    BIO_shutdown_wr(SSL_get_wbio(p.server));
    LOOK(p.client, SSL_do_handshake(p.client));
    LOOK(p.client, SSL_do_handshake(p.client));
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
}

/* A close_notify that does not go out at once. */
static void test_shutdown_blocked(void)
{
    struct pair p = narrow(20);
    char buf[8];
    printf("shutdown, blocked\n");
    for (int i = 0; i < 4; i++) {
        LOOK(p.client, SSL_shutdown(p.client));
        LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    }
    LOOK(p.server, SSL_shutdown(p.server));
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
}

static void test_cut(uint64_t option)
{
    struct pair p = connected();
    char buf[8];
    printf("cut, option %llx\n", (unsigned long long)option);
    SSL_set_options(p.client, option);
    LOOK(p.server, SSL_write(p.server, "last", 4));
    BIO_shutdown_wr(SSL_get_wbio(p.server));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_write(p.client, "x", 1));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    pair_free(&p);

    p = connected();
    printf("cut within a record, option %llx\n", (unsigned long long)option);
    SSL_set_options(p.client, option);
    unsigned char part[10] = {23, 3, version < TLS1_2_VERSION ? (unsigned char)version : 3, 0,
                              32};
    MUST(BIO_write(SSL_get_wbio(p.server), part, sizeof part) == (int)sizeof part);
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_has_pending(p.client));
    BIO_shutdown_wr(SSL_get_wbio(p.server));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
}

static void test_garbage(void)
{
    static unsigned char record[37] = {23, 3, 3, 0, 32, 1, 2, 3, 4, 5, 6, 7};
    struct pair p = connected();
    char buf[8];
    printf("garbage\n");
    record[2] = version < TLS1_2_VERSION ? (unsigned char)version : 3;
    MUST(BIO_write(SSL_get_wbio(p.server), record, sizeof record) == (int)sizeof record);
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_shutdown(p.client));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_write(p.server, buf, sizeof buf));
    LOOK(p.server, SSL_shutdown(p.server));
    pair_free(&p);
}

static void test_ahead(uint32_t mode)
{
    struct pair p = connected();
    char buf[8];
    printf("read ahead, mode %x\n", (unsigned)mode);
    SSL_set_read_ahead(p.client, 1);
    SSL_set_mode(p.client, mode);
    MUST(SSL_write(p.server, "one", 3) == 3 && SSL_write(p.server, "two", 3) == 3);
    LOOK(p.client, SSL_read(p.client, buf, 2));
    LOOK(p.client, SSL_pending(p.client));
    LOOK(p.client, SSL_has_pending(p.client));
    printf("  %zu left in the transport\n", BIO_ctrl_pending(SSL_get_rbio(p.client)));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_pending(p.client));
    LOOK(p.client, SSL_has_pending(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_has_pending(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    MUST(SSL_write(p.server, "three", 5) == 5);
    LOOK(p.server, SSL_shutdown(p.server));
    LOOK(p.client, SSL_read(p.client, buf, 1));
    LOOK(p.client, SSL_read(p.client, buf, 4));
    LOOK(p.client, SSL_read(p.client, buf, 4));
    LOOK(p.client, SSL_has_pending(p.client));
    pair_free(&p);
}

/* Where it is off, what lies behind a record stays where it is. */
static void test_not_ahead(void)
{
    struct pair p = connected();
    char buf[8];
    printf("not ahead\n");
    MUST(SSL_write(p.server, "one", 3) == 3);
    LOOK(p.server, SSL_shutdown(p.server));
    MUST(BIO_write(SSL_get_wbio(p.server), "plain", 5) == 5);
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_has_pending(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    printf("  %zu left in the transport\n", BIO_ctrl_pending(SSL_get_rbio(p.client)));
    pair_free(&p);
}

/* A record that is no data: with and without SSL_MODE_AUTO_RETRY. */
static void test_no_data(int retry)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    char buf[8];
    printf("records without data, auto retry %d\n", retry);
    MUST(pair_shake(&p));
    if (!retry)
        SSL_clear_mode(p.client, SSL_MODE_AUTO_RETRY);
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_has_pending(p.client));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
    if (version == TLS1_3_VERSION) {
        LOOK(p.server, SSL_key_update(p.server, SSL_KEY_UPDATE_REQUESTED));
        LOOK(p.server, SSL_get_key_update_type(p.server));
        LOOK(p.server, SSL_write(p.server, "new", 3));
        LOOK(p.server, SSL_get_key_update_type(p.server));
        LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
        LOOK(p.client, SSL_read(p.client, buf, sizeof buf));
        LOOK(p.client, SSL_write(p.client, "new", 3));
        LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
        LOOK(p.server, SSL_read(p.server, buf, sizeof buf));
    }
    pair_free(&p);
}

static void test_renegotiation(void)
{
    struct pair p = connected();
    char buf[8];
    printf("in the middle of another handshake\n");
    LOOK(p.client, SSL_renegotiate(p.client));
    LOOK(p.client, SSL_renegotiate_pending(p.client));
    LOOK(p.client, (int)SSL_total_renegotiations(p.client));
    if (version < TLS1_3_VERSION) {
        LOOK(p.client, SSL_do_handshake(p.client));
        LOOK(p.client, SSL_renegotiate_pending(p.client));
        LOOK(p.client, (int)SSL_total_renegotiations(p.client));
        LOOK(p.client, SSL_shutdown(p.client));
        LOOK(p.client, SSL_write(p.client, "x", 1));
        LOOK(p.client, SSL_read(p.client, buf, 1));
    }
    pair_free(&p);
    p = connected();
    printf("a HelloRequest is out\n");
    LOOK(p.server, SSL_renegotiate(p.server));
    if (version < TLS1_3_VERSION) {
        LOOK(p.server, SSL_renegotiate_pending(p.server));
        LOOK(p.server, SSL_do_handshake(p.server));
        LOOK(p.server, SSL_renegotiate_pending(p.server));
        LOOK(p.server, SSL_write(p.server, "x", 1));
        LOOK(p.server, SSL_shutdown(p.server));
    }
    pair_free(&p);
}

static void test_nothing(void)
{
    SSL *s = SSL_new(client_ctx), *t = SSL_new(server_ctx), *any = NULL;
    SSL_CTX *both = SSL_CTX_new(TLS_method());
    char buf[4];
    size_t n;
    printf("without a transport, without a role\n");
    MUST(s && t && both && (any = SSL_new(both)) != NULL);
    LOOK(any, SSL_do_handshake(any));
    LOOK(any, SSL_read(any, buf, 4));
    LOOK(any, SSL_read_ex(any, buf, 4, &n));
    LOOK(any, SSL_peek(any, buf, 4));
    LOOK(any, SSL_write(any, buf, 4));
    LOOK(any, SSL_write_ex(any, buf, 4, &n));
    LOOK(any, SSL_shutdown(any));
    SSL_set_connect_state(s);
    LOOK(s, SSL_pending(s));
    LOOK(s, SSL_has_pending(s));
    LOOK(s, SSL_do_handshake(s));
    LOOK(s, SSL_do_handshake(s));
    LOOK(s, SSL_get_fd(s));
    LOOK(s, SSL_get_wfd(s));
    LOOK(t, SSL_do_handshake(t));
    SSL_free(any);
    SSL_free(s);
    SSL_free(t);
    SSL_CTX_free(both);
}

/* The transport is taken away when all is well. */
static void test_taken(void)
{
    struct pair p = connected();
    char buf[4];
    printf("the transport is taken away\n");
    SSL_set_bio(p.client, NULL, NULL);
    LOOK(p.client, SSL_write(p.client, "x", 1));
    LOOK(p.client, SSL_read(p.client, buf, 4));
    LOOK(p.client, SSL_shutdown(p.client));
    pair_free(&p);
    p = connected();
    SSL_set0_rbio(p.server, NULL);
    LOOK(p.server, SSL_read(p.server, buf, 4));
    LOOK(p.server, SSL_write(p.server, "x", 1));
    LOOK(p.client, SSL_read(p.client, buf, 4));
    pair_free(&p);
}

/* ---- one version after the other */

static void test_all(void)
{
    static const uint32_t modes[] = {
        0,
        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
        SSL_MODE_ENABLE_PARTIAL_WRITE,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
        SSL_MODE_RELEASE_BUFFERS,
        SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE,
    };
    test_small();
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        test_blocked(modes[i], 65536);
        test_blocked(modes[i], 1000);
    }
    test_bad_retry();
    test_short_retry();
    test_odd();
    test_shutdown();
    test_shutdown_said();
    test_shutdown_early();
    test_shutdown_blocked();
    test_cut(0);
    test_cut(SSL_OP_IGNORE_UNEXPECTED_EOF);
    test_garbage();
    test_ahead(0);
    test_ahead(SSL_MODE_RELEASE_BUFFERS);
    test_not_ahead();
    test_no_data(0);
    test_no_data(1);
    test_renegotiation();
    test_taken();
}

int main(void)
{
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
                                   TLS1_3_VERSION};
    for (size_t i = 0; i < BIG; i++)
        big[i] = copy[i] = (unsigned char)(i * 31 + (i >> 8));
    server_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    MUST(server_ctx && client_ctx);
    pair_use_certificate(server_ctx);
    SSL_CTX_set_security_level(client_ctx, 0);
    SSL_CTX_set_security_level(server_ctx, 0);
    SSL_CTX_set_min_proto_version(server_ctx, TLS1_VERSION);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        version = versions[i];
        printf("version %x\n", (unsigned)version);
        SSL_CTX_set_min_proto_version(client_ctx, version);
        SSL_CTX_set_max_proto_version(client_ctx, version);
        /* The system's library puts an empty record before one of CBC in TLS 1.0, ours has a first byte go alone. */
        const char *list = version == TLS1_VERSION ? "ECDHE-ECDSA-NULL-SHA" : "DEFAULT";
        MUST(SSL_CTX_set_cipher_list(client_ctx, list) &&
             SSL_CTX_set_cipher_list(server_ctx, list));
        test_all();
    }
    test_nothing();
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}

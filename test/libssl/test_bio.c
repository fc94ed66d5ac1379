/* test_bio.c: BIO_f_ssl and what is built of it. */
#include "pair.h"

static SSL_CTX *client_ctx, *server_ctx;

/* Two chains: an SSL BIO on one half of a pair of memory BIOs each. */
struct ends {
    BIO *client, *server;
};

static struct ends ends_new(void)
{
    struct ends e;
    BIO *a, *b;
    MUST(BIO_new_bio_pair(&a, 65536, &b, 65536));
    MUST(e.client = BIO_new_ssl(client_ctx, 1));
    MUST(e.server = BIO_new_ssl(server_ctx, 0));
    MUST(BIO_push(e.client, a) == e.client);
    MUST(BIO_push(e.server, b) == e.server);
    return e;
}

static void retry(const char *what, BIO *b, long r)
{
    printf("%s %ld: retry %d read %d write %d special %d reason %d\n", what, r,
           BIO_should_retry(b) != 0, BIO_should_read(b) != 0, BIO_should_write(b) != 0,
           BIO_should_io_special(b) != 0, BIO_get_retry_reason(b));
}

static void shake(struct ends *e)
{
    long c = 0, s = 0;
    for (int i = 0; i < 10 && !(c == 1 && s == 1); i++) {
        if (c != 1)
            c = BIO_do_handshake(e->client);
        if (s != 1)
            s = BIO_do_handshake(e->server);
        retry("client", e->client, c);
        retry("server", e->server, s);
    }
}

static void ends_free(struct ends *e)
{
    BIO_free_all(e->client);
    BIO_free_all(e->server);
}

static void controls(BIO *b)
{
    SSL *ssl = NULL;
    printf("get %ld", BIO_get_ssl(b, &ssl));
    printf(" %d", ssl != NULL);
    printf(" close %ld", BIO_ctrl(b, BIO_CTRL_GET_CLOSE, 0, NULL));
    printf(" wpending %d", BIO_wpending(b));
    printf(" flush %d", BIO_flush(b));
    printf(" bytes %ld", BIO_set_ssl_renegotiate_bytes(b, 100));
    printf(" %ld", BIO_set_ssl_renegotiate_bytes(b, 1000000));
    printf(" %ld", BIO_set_ssl_renegotiate_bytes(b, 2000000));
    printf(" seconds %ld", BIO_set_ssl_renegotiate_timeout(b, 1));
    printf(" %ld", BIO_set_ssl_renegotiate_timeout(b, 100000));
    printf(" %ld", BIO_set_ssl_renegotiate_timeout(b, 200000));
    printf(" done %ld", BIO_get_num_renegotiates(b));
    printf(" info %ld type %d %s\n", BIO_ctrl(b, BIO_CTRL_INFO, 0, NULL), BIO_method_type(b),
           BIO_method_name(b));
}

static void talk(void)
{
    struct ends e = ends_new();
    char buf[64];
    int n;
    shake(&e);
    controls(e.client);
    n = BIO_read(e.client, buf, sizeof buf); /* tickets at most */
    retry("read", e.client, n);
    printf("puts %d", BIO_puts(e.client, "hello "));
    printf(" write %d\n", BIO_write(e.client, "there", 5));
    printf("pending %d", BIO_pending(e.server) > 0);
    n = BIO_read(e.server, buf, 3);
    printf(" read %d %.*s", n, n, buf);
    printf(" pending %d", BIO_pending(e.server));
    n = BIO_read(e.server, buf, sizeof buf);
    printf(" read %d %.*s", n, n, buf);
    n = BIO_read(e.server, buf, sizeof buf);
    printf(" read %d %.*s\n", n, n, buf);
    n = BIO_read(e.server, buf, sizeof buf);
    retry("read", e.server, n);
    BIO_ssl_shutdown(e.client);
    n = BIO_read(e.server, buf, sizeof buf);
    retry("read", e.server, n);
    BIO_ssl_shutdown(e.server);
    n = BIO_write(e.server, "late", 4);
    retry("write", e.server, n);
    pair_errors();
    ends_free(&e);
}

/* A buffer before it, which the connection reads and writes through. */
static void buffered(void)
{
    struct ends e = ends_new();
    char line[64];
    BIO *buffer = BIO_new(BIO_f_buffer());
    shake(&e);
    BIO_push(buffer, e.server);
    MUST(BIO_puts(e.client, "one\ntwo\n") == 8);
    printf("line %d", BIO_gets(buffer, line, sizeof line));
    printf(" %s", line);
    printf("line %d", BIO_gets(buffer, line, sizeof line));
    printf(" %s", line);
    MUST(BIO_puts(buffer, "three\n") == 6);
    printf("before %d", BIO_read(e.client, line, sizeof line));
    printf(" flush %d", BIO_flush(buffer));
    printf(" after %d\n", BIO_read(e.client, line, sizeof line));
    e.server = buffer;
    ends_free(&e);
}

static void alone(void)
{
    BIO *b = BIO_new(BIO_f_ssl()), *other = BIO_new(BIO_f_ssl());
    SSL *ssl = SSL_new(client_ctx), *found = NULL;
    char c;
    printf("none %ld", BIO_get_ssl(b, &found));
    printf(" read %d", BIO_read(b, &c, 1));
    printf(" write %d", BIO_write(b, "a", 1));
    printf(" copy %d", BIO_ssl_copy_session_id(b, other));
    printf(" set %ld", BIO_set_ssl(b, ssl, BIO_NOCLOSE));
    printf(" get %ld", BIO_get_ssl(b, &found));
    printf(" %d", found == ssl);
    printf(" copy %d", BIO_ssl_copy_session_id(b, other));
    printf(" close %ld\n", BIO_ctrl(b, BIO_CTRL_GET_CLOSE, 0, NULL));
    BIO_set_ssl_mode(b, 0);
    printf("server %d", SSL_is_server(ssl));
    BIO_set_ssl_mode(b, 1);
    printf(" %d\n", SSL_is_server(ssl));
    BIO_free(b);
    BIO_free(other);
    SSL_free(ssl);
    pair_errors();
}

/* What is pushed behind becomes the transport, what is popped is not any more. */
static void chains(void)
{
    BIO *b = BIO_new_ssl(client_ctx, 1), *mem = BIO_new(BIO_s_mem()), *c;
    SSL *ssl = NULL;
    BIO_get_ssl(b, &ssl);
    printf("before %d", SSL_get_rbio(ssl) != NULL);
    BIO_push(b, mem);
    printf(" pushed %d %d", SSL_get_rbio(ssl) == mem, SSL_get_wbio(ssl) == mem);
    BIO_pop(b);
    printf(" popped %d\n", SSL_get_rbio(ssl) != NULL);
    BIO_free(b);
    BIO_free(mem);
    c = BIO_new_ssl_connect(client_ctx);
    printf("connect %d", BIO_find_type(c, BIO_TYPE_CONNECT) != NULL);
    printf(" %ld", BIO_set_conn_hostname(c, "127.0.0.1:1"));
    printf(" %s\n", BIO_get_conn_port(c));
    printf("refused %d\n", BIO_do_handshake(c) <= 0);
    ERR_clear_error();
    BIO_free_all(c);
    c = BIO_new_buffer_ssl_connect(client_ctx);
    printf("buffer %s, then %s\n", BIO_method_name(c), BIO_method_name(BIO_next(c)));
    BIO_free_all(c);
}

/* Whether the connection ends with the BIO. */
static void freed(int close)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    BIO *b = BIO_new(BIO_f_ssl());
    char c;
    MUST(pair_shake(&p) && BIO_set_ssl(b, p.client, close) == 1);
    BIO *transport = BIO_next(b); /* it has a reference of its own */
    BIO_free(b);
    for (int i = 0; i < 2; i++) {
        int n = SSL_read(p.server, &c, 1);
        printf("freed with %d: the peer reads %d, error %d\n", close, n,
               SSL_get_error(p.server, n));
        BIO_free_all(i ? NULL : transport);
    }
    if (!close)
        SSL_free(p.client);
    SSL_free(p.server);
    b = BIO_new_ssl(client_ctx, 1);
    BIO_set_close(b, close);
    BIO_get_ssl(b, &p.client);
    BIO_free(b);
    if (!close)
        SSL_free(p.client);
    pair_errors();
}

/* A pipe that takes a few bytes at a time, and a buffer and an SSL BIO on each side of it. */
static void narrow(void)
{
    struct ends e;
    BIO *a, *b;
    static char out[5000], in[5000];
    int done = 0, got = 0, r = 0;
    long c = 0, s = 0;
    MUST(BIO_new_bio_pair(&a, 17, &b, 23));
    MUST(e.client = BIO_push(BIO_new_ssl(client_ctx, 1), BIO_push(BIO_new(BIO_f_null()), a)));
    MUST(e.server = BIO_push(BIO_new_ssl(server_ctx, 0), b));
    for (int i = 0; i < 5000 && !(c == 1 && s == 1); i++) {
        if (c != 1)
            c = BIO_do_handshake(e.client);
        else
            MUST(BIO_read(e.client, in, 1) == -1); /* tickets stand in the way */
        s = s == 1 ? s : BIO_do_handshake(e.server);
        MUST((c == 1 || BIO_should_retry(e.client)) && (s == 1 || BIO_should_retry(e.server)));
    }
    printf("narrow: %ld %ld\n", c, s);
    memset(out, 'a', sizeof out);
    while (got < (int)sizeof in) {
        if (done == 0 && (r = BIO_write(e.client, out, sizeof out)) > 0)
            done = r;
        MUST(done || BIO_should_write(e.client));
        r = BIO_read(e.server, in + got, (int)sizeof in - got);
        MUST(r > 0 || BIO_should_read(e.server));
        got += r > 0 ? r : 0;
    }
    printf("%d written, %d read, %d\n", done, got, memcmp(in, out, sizeof in));
    ends_free(&e);
}

int main(void)
{
    client_ctx = SSL_CTX_new(TLS_client_method());
    server_ctx = SSL_CTX_new(TLS_server_method());
    MUST(client_ctx && server_ctx);
    pair_use_certificate(server_ctx);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL_CTX_set_min_proto_version(client_ctx, version);
        SSL_CTX_set_max_proto_version(client_ctx, version);
        talk();
        buffered();
        freed(BIO_NOCLOSE);
        freed(BIO_CLOSE);
        narrow();
    }
    alone();
    chains();
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}

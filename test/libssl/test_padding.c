/* Padding of records in TLS 1.3: by a callback and to blocks; how long the records are that go out. */
#include "pair.h"
#include "show.h"

static SSL_CTX *client_ctx, *server_ctx;
static size_t zeros;
static char data[40000], got[40000];

/* A record of the handshake may be divided in two ways. */
static size_t on_record(SSL *s, int type, size_t len, void *arg)
{
    (void)s;
    if (type != SSL3_RT_HANDSHAKE)
        printf("    asked: type %d, %zu bytes, argument %s\n", type, len, (const char *)arg);
    return zeros;
}

static size_t handshakes;

static size_t on_handshake(SSL *s, int type, size_t len, void *arg)
{
    (void)s;
    MUST(type == SSL3_RT_HANDSHAKE && len > 1 && arg == &handshakes);
    handshakes += len - 1;
    return 4000 - len;
}

/* Where padding ends a record is as long as this in both versions of the same program. */
static void exchange(struct pair *p, int len)
{
    size_t before = BIO_ctrl_pending(SSL_get_rbio(p->server));
    int n = SSL_write(p->client, data, len), all = 0, r;
    printf("  %d of %d written, %zu on the wire", n, len,
           BIO_ctrl_pending(SSL_get_rbio(p->server)) - before);
    while ((r = SSL_read(p->server, got, sizeof got)) > 0)
        all += r;
    printf(", %d read\n", all);
    ERR_clear_error();
}

static struct pair connected(void)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    MUST(pair_shake(&p));
    return p;
}

static void exchanges(struct pair *p)
{
    static const int lengths[] = {1,     2,     99,    100,   511,   512,  513,
                                  16000, 16382, 16383, 16384, 20000, 40000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        exchange(p, lengths[i]);
}

static void test_callback(int on_ctx)
{
    static const size_t sizes[] = {0, 1, 100, 16384, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        zeros = sizes[i];
        printf("callback, %zu zeros\n", zeros);
        if (on_ctx) {
            SSL_CTX_set_record_padding_callback(client_ctx, on_record);
            SSL_CTX_set_record_padding_callback_arg(client_ctx, (char *)"context");
        }
        struct pair p = connected();
        if (!on_ctx) {
            SHOW(SSL_set_record_padding_callback(p.client, on_record));
            SSL_set_record_padding_callback_arg(p.client, (char *)"connection");
        }
        exchanges(&p);
        pair_free(&p);
        SSL_CTX_set_record_padding_callback(client_ctx, NULL);
    }
}

static void test_block(size_t size)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    printf("blocks of %zu\n", size);
    SHOW(SSL_set_block_padding(p.client, size));
    MUST(pair_shake(&p));
    exchanges(&p);
    pair_free(&p);
}

static void show_records(const char *what, BIO *from, size_t times)
{
    unsigned char bytes[20000];
    int n = BIO_read(from, bytes, sizeof bytes);
    printf("  %s:", what);
    for (int at = 0, i = 0; at + 5 <= n; at += 5 + (bytes[at + 3] << 8 | bytes[at + 4]), i++)
        printf(" %d:%d", bytes[at], bytes[at] == 23 ? bytes[at + 3] << 8 | bytes[at + 4] : 0);
    printf(" (%zu)\n", times);
}

/* What goes out in the handshake, behind it and at the end: that every protected record has one length. */
static void test_handshake(int by_block, int key_update)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    printf("handshake messages, block %d\n", by_block);
    for (int i = 0; i < 2; i++) {
        SSL *s = i ? p.client : p.server;
        if (by_block)
            SSL_set_block_padding(s, 4000);
        else
            SSL_set_record_padding_callback(s, on_handshake);
        SSL_set_record_padding_callback_arg(s, &handshakes);
    }
    SSL_set_num_tickets(p.server, 1);
    /* A server's flight is one record or several: looked at in bytes. */
    handshakes = 0;
    (void)SSL_do_handshake(p.client);
    (void)SSL_do_handshake(p.server);
    size_t flight = BIO_ctrl_pending(SSL_get_rbio(p.client));
    printf("  flight %s\n", flight >= 4000 ? "padded" : "as it is");
    MUST(pair_shake(&p));
    printf("  asked about messages: %s\n", handshakes > 500 ? "yes" : "no");
    (void)SSL_read(p.client, got, sizeof got);
    ERR_clear_error();
    if (key_update) {
        handshakes = 0;
        SHOW(SSL_key_update(p.server, SSL_KEY_UPDATE_NOT_REQUESTED));
        SHOW(SSL_do_handshake(p.server));
        show_records("KeyUpdate", SSL_get_rbio(p.client), handshakes);
        handshakes = 0;
        SHOW(SSL_new_session_ticket(p.server));
        SHOW(SSL_do_handshake(p.server));
        show_records("ticket", SSL_get_rbio(p.client), handshakes > 100);
    }
    zeros = 100;
    SSL_set_record_padding_callback(p.server, by_block ? NULL : on_record);
    SSL_set_record_padding_callback_arg(p.server, (char *)"alert");
    SHOW(SSL_shutdown(p.server));
    show_records("close_notify", SSL_get_rbio(p.client), 0);
    pair_free(&p);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    server_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    MUST(server_ctx && client_ctx);
    pair_use_certificate(server_ctx);
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX_set_min_proto_version(client_ctx, versions[i]);
        SSL_CTX_set_max_proto_version(client_ctx, versions[i]);
        test_callback(1);
        test_callback(0);
        test_block(0);
        test_block(1);
        test_block(512);
        test_block(1000);
        test_block(16384);
        test_block(16385);
        test_handshake(0, i == 1);
        test_handshake(1, i == 1);
    }
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}

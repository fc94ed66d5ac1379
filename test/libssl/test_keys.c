/* test_keys.c: what can be had of a connection's keys: exporters, Finished, randoms, master secret, key log. */
#include "pair.h"

static int lines[8];
static char client_random[SSL3_RANDOM_SIZE * 2 + 1];

static void on_key(const SSL *s, const char *line)
{
    static const char *const labels[8] = {"CLIENT_RANDOM ",
                                          "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
                                          "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                                          "CLIENT_TRAFFIC_SECRET_0 ",
                                          "SERVER_TRAFFIC_SECRET_0 ",
                                          "EXPORTER_SECRET ",
                                          "EARLY_EXPORTER_SECRET ",
                                          "CLIENT_EARLY_TRAFFIC_SECRET "};
    for (int i = 0; i < 8; i++) {
        size_t n = strlen(labels[i]);
        if (strncmp(line, labels[i], n) == 0) {
            lines[i]++;
            if (strlen(line) < n + 64 + 1 + 64)
                printf("  short line\n");
            snprintf(client_random, sizeof client_random, "%s", line + n);
        }
    }
    (void)s;
}

static void show_exporter(struct pair *p, const char *label, size_t len, const char *context,
                          int use)
{
    unsigned char a[300] = {0}, b[300] = {0};
    size_t n = context ? strlen(context) : 0;
    int x = SSL_export_keying_material(p->client, a, len, label, strlen(label),
                                       (const unsigned char *)context, n, use);
    int y = SSL_export_keying_material(p->server, b, len, label, strlen(label),
                                       (const unsigned char *)context, n, use);
    unsigned char other[300] = {0};
    SSL_export_keying_material(p->client, other, len, "another label", 13,
                               (const unsigned char *)context, n, use);
    printf("  exporter '%s' %zu bytes, context %s %d: %d %d, same %d, other differs %d\n",
           label, len, context ? context : "NULL", use, x, y, memcmp(a, b, sizeof a) == 0,
           memcmp(a, other, sizeof a) != 0);
    pair_errors();
}

static void show_all(struct pair *p)
{
    unsigned char a[128], b[128], c[128], d[128];
    show_exporter(p, "EXPORTER-test", 32, NULL, 0);
    show_exporter(p, "EXPORTER-test", 32, "", 1);
    show_exporter(p, "EXPORTER-test", 255, "context", 1);
    show_exporter(p, "EXPORTER-test", 32, "context", 0);
    size_t n = SSL_get_finished(p->client, a, sizeof a),
           m = SSL_get_peer_finished(p->server, b, sizeof b);
    printf("  client's Finished %zu %zu same %d\n", n, m, n == m && memcmp(a, b, n) == 0);
    n = SSL_get_finished(p->server, a, sizeof a),
    m = SSL_get_peer_finished(p->client, b, sizeof b);
    printf("  server's Finished %zu %zu same %d, of 4 bytes %zu\n", n, m,
           n == m && memcmp(a, b, n) == 0, SSL_get_finished(p->server, c, 4));
    n = SSL_get_client_random(p->client, a, sizeof a),
    m = SSL_get_client_random(p->server, b, sizeof b);
    printf("  client random %zu %zu same %d, asked for its size %zu\n", n, m,
           n == m && memcmp(a, b, n) == 0, SSL_get_client_random(p->client, NULL, 0));
    n = SSL_get_server_random(p->client, c, sizeof c),
    m = SSL_get_server_random(p->server, d, 8);
    printf("  server random %zu %zu same %d, another than the client's %d\n", n, m,
           memcmp(c, d, 8) == 0, memcmp(a, c, 32) != 0);
    n = SSL_SESSION_get_master_key(SSL_get_session(p->client), a, sizeof a);
    m = SSL_SESSION_get_master_key(SSL_get_session(p->server), b, sizeof b);
    /* A client of TLS 1.3 has no ticket yet; ours keeps the resumption secret all the same. */
    printf("  master secret %d %d\n", SSL_version(p->client) == TLS1_3_VERSION || n > 0, m > 0);
    printf("  lines of the key log:");
    for (int i = 0; i < 8; i++)
        printf(" %d", lines[i]);
    printf("\n");
    BIO *out = BIO_new(BIO_s_mem());
    printf("  print_keylog %d\n", SSL_SESSION_print_keylog(out, SSL_get_session(p->client)));
    BIO_free(out);
}

int main(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    pair_use_certificate(server);
    printf("no key log %d\n", SSL_CTX_get_keylog_callback(client) == NULL);
    SSL_CTX_set_keylog_callback(client, on_key);
    printf("key log %d\n", SSL_CTX_get_keylog_callback(client) == on_key);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct pair p = pair_new(client, server);
        unsigned char out[16];
        memset(lines, 0, sizeof lines);
        SSL_set_max_proto_version(p.client, version);
        printf("version %x\n  before: finished %zu %zu, randoms %zu %zu, exporter %d\n",
               (unsigned)version, SSL_get_finished(p.client, out, 16),
               SSL_get_peer_finished(p.client, out, 16),
               SSL_get_client_random(p.client, NULL, 0),
               SSL_get_server_random(p.client, NULL, 0),
               SSL_export_keying_material(p.client, out, 16, "x", 1, NULL, 0, 0));
        ERR_clear_error();
        printf("  shake %d\n", pair_shake(&p));
        show_all(&p);
        pair_free(&p);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}

/* test_early_state.c: what a connection says of itself while early data is read and written, and when the early
 * exporter answers. */
#include "pair.h"

static const char *side(const SSL *s)
{
    return SSL_is_server(s) ? "server" : "client";
}

static unsigned char exported[2][16];
static int refused;

static void look(SSL *s, const char *when)
{
    unsigned char *out = exported[SSL_is_server(s)];
    memset(out, 0, 16);
    printf("  %s %s: init %d before %d finished %d, state %d %s (%s), early %d", side(s), when,
           SSL_in_init(s), SSL_in_before(s), SSL_is_init_finished(s), SSL_get_state(s),
           SSL_state_string(s), SSL_state_string_long(s), SSL_get_early_data_status(s));
    int e = -1; /* OpenSSL 3.0 crashes in a client whose early data was refused */
    if (SSL_is_server(s) || !refused)
        e = SSL_export_keying_material_early(s, out, 16, "label", 5, (const unsigned char *)"c",
                                             1);
    printf(", exporter %d", e);
    unsigned char late[16];
    printf(" %d, reused %d version %x want %d\n",
           SSL_in_init(s) ? -2
                          : SSL_export_keying_material(s, late, 16, "label", 5, NULL, 0, 0),
           SSL_session_reused(s), (unsigned)SSL_version(s), SSL_want(s));
    ERR_clear_error();
}

static SSL_CTX *context(int server)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    MUST(SSL_CTX_set1_groups_list(ctx, "P-256"));
    if (server) {
        pair_use_certificate(ctx);
        SSL_CTX_set_max_early_data(ctx, 1000);
    }
    return ctx;
}

/* In which order events are told is test_state's. */
static void on_info(const SSL *s, int where, int ret)
{
    (void)s, (void)where, (void)ret;
}

static SSL_SESSION *session_of(SSL_CTX *client, SSL_CTX *server)
{
    char c;
    struct pair p = pair_new(client, server);
    MUST(pair_shake(&p));
    SSL_read(p.client, &c, 1);
    SSL_SESSION *session = SSL_get1_session(p.client);
    SSL_shutdown(p.client);
    SSL_shutdown(p.server);
    pair_free(&p);
    return session;
}

enum kind { ACCEPTED, EMPTY, REFUSED, NOT_SENT, SERVER_WRITES, KINDS };
static const char *const names[] = {"accepted", "nothing written", "refused", "not sent",
                                    "the server writes early"};

static void run(enum kind kind, int with_info)
{
    char buf[64];
    size_t n = 0;
    refused = kind == REFUSED;
    SSL_CTX *client = context(0), *server = context(1);
    if (with_info) {
        SSL_CTX_set_info_callback(client, on_info);
        SSL_CTX_set_info_callback(server, on_info);
    }
    SSL_SESSION *session = session_of(client, server);
    if (kind == REFUSED)
        SSL_CTX_set_max_early_data(server, 0);
    struct pair p = pair_new(client, server);
    SSL_set_session(p.client, session);
    SSL_SESSION_free(session);
    printf("---- %s, %s\n", names[kind], with_info ? "watched" : "not watched");
    look(p.client, "new");
    look(p.server, "new");
    if (kind != NOT_SENT && kind != EMPTY) {
        printf("  write %d", SSL_write_early_data(p.client, "early", 5, &n));
        printf(" %zu\n", n);
        look(p.client, "written");
        printf("  write %d", SSL_write_early_data(p.client, "more", 4, &n));
        printf(" %zu\n", n);
        look(p.client, "written twice");
    } else if (kind == EMPTY) {
        printf("  write %d", SSL_write_early_data(p.client, "", 0, &n));
        printf(" %zu\n", n);
        look(p.client, "written");
    } else {
        printf("  connect %d\n", SSL_connect(p.client));
        look(p.client, "connecting");
    }
    for (int i = 0; i < 2; i++) {
        printf("  read %d", SSL_read_early_data(p.server, buf, sizeof buf, &n));
        printf(" %zu\n", n);
        look(p.server, "read");
        if (kind == SERVER_WRITES) {
            printf("  server write %d", SSL_write_early_data(p.server, "answer", 6, &n));
            printf(" %zu\n", n);
            look(p.server, "wrote");
        }
        if (kind == REFUSED || kind == NOT_SENT)
            break;
    }
    printf("  client connects %d\n", SSL_connect(p.client));
    look(p.client, "connected");
    int r = SSL_read_early_data(p.server, buf, sizeof buf, &n);
    printf("  read %d %zu\n", r, n);
    look(p.server, "read the end");
    if (kind == SERVER_WRITES) {
        printf("  server write %d", SSL_write_early_data(p.server, "answer", 6, &n));
        printf(" %zu\n", n);
        look(p.server, "wrote");
    }
    printf("  accept %d\n", SSL_accept(p.server));
    look(p.server, "accepted");
    printf("  connect %d\n", SSL_connect(p.client));
    look(p.client, "done");
    printf("  accept %d\n", SSL_accept(p.server));
    look(p.server, "done");
    printf("  read %d\n", SSL_read(p.client, buf, sizeof buf));
    look(p.client, "after");
    printf("  write %d\n", SSL_write(p.client, "x", 1));
    printf("  read %d\n", SSL_read(p.server, buf, sizeof buf));
    look(p.server, "after");
    printf("  exporters %s\n", memcmp(exported[0], exported[1], 16) ? "differ" : "agree");
    pair_errors();
    SSL_shutdown(p.client);
    look(p.client, "shut down");
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Step by step without callbacks: the state counts even if nobody watches. */
static void steps(int version, int with_info)
{
    SSL_CTX *client = context(0), *server = context(1);
    SSL_CTX_set_max_proto_version(client, version);
    if (with_info) {
        SSL_CTX_set_info_callback(client, on_info);
        SSL_CTX_set_info_callback(server, on_info);
    }
    struct pair p = pair_new(client, server);
    printf("---- steps %x, %s\n", (unsigned)version, with_info ? "watched" : "not watched");
    for (int i = 0; i < 3; i++) {
        printf("  connect %d\n", SSL_connect(p.client));
        look(p.client, "stepped");
        printf("  accept %d\n", SSL_accept(p.server));
        look(p.server, "stepped");
    }
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    for (int info = 1; info >= 0; info--) {
        for (enum kind k = 0; k < KINDS; k++)
            run(k, info);
        steps(TLS1_2_VERSION, info);
        steps(TLS1_3_VERSION, info);
    }
    return 0;
}

/* test_session.c: resumption as a program sees it: which callbacks come, what counters and sessions say. Run on
 * handfast's libssl and on the system's, the output is the same. */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "pair.h"

static EVP_PKEY *key;
static X509 *cert;

static int make_certificate(void)
{
    cert = pair_certificate(&key);
    return cert != NULL;
}

/* ---- callbacks that tell that they were called */

static SSL_SESSION *kept; /* what the server's new_cb gave us, for get_cb */
static int keep;

static int new_cb(SSL *s, SSL_SESSION *session)
{
    unsigned len;
    SSL_SESSION_get_id(session, &len);
    printf("    %s new: id %u ticket %d same %d\n", SSL_is_server(s) ? "server" : "client", len,
           SSL_SESSION_has_ticket(session), SSL_get_session(s) == session);
    if (!keep || !SSL_is_server(s))
        return 0;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static void remove_cb(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    printf("    remove: resumable %d\n", SSL_SESSION_is_resumable(session));
}

static SSL_SESSION *get_cb(SSL *s, const unsigned char *id, int len, int *copy)
{
    unsigned kept_len = 0;
    const unsigned char *kept_id = kept ? SSL_SESSION_get_id(kept, &kept_len) : NULL;
    int found = kept_id && (int)kept_len == len && memcmp(kept_id, id, kept_len) == 0;
    printf("    get: server %d id %d found %d copy %d\n", SSL_is_server(s), len, found, *copy);
    return found ? kept : NULL;
}

/* As haproxy does it: the bytes alone are kept, without ID and context, which are put back. */
static unsigned char stored[4000], stored_id[32];
static int stored_len;
static unsigned stored_id_len;

static int store_cb(SSL *s, SSL_SESSION *session)
{
    unsigned char *p = stored;
    const unsigned char *id = SSL_SESSION_get_id(session, &stored_id_len);
    (void)s;
    memcpy(stored_id, id, stored_id_len);
    SSL_SESSION_set1_id(session, stored_id, 0);
    SSL_SESSION_set1_id_context(session, stored_id, 0);
    stored_len = i2d_SSL_SESSION(session, &p);
    SSL_SESSION_set1_id(session, stored_id, stored_id_len);
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"context", 7);
    printf("    stored %d, id %u\n", stored_len > 0 && p == stored + stored_len, stored_id_len);
    return 0;
}

static SSL_SESSION *restore_cb(SSL *s, const unsigned char *id, int len, int *copy)
{
    const unsigned char *p = stored;
    (void)s;
    printf("    restore: %d\n",
           len == (int)stored_id_len && memcmp(id, stored_id, stored_id_len) == 0);
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &p, stored_len);
    SSL_SESSION_set1_id(session, id, (unsigned)len);
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"context", 7);
    *copy = 0;
    return session;
}

static int make_id(SSL *s, unsigned char *id, unsigned *len)
{
    (void)s;
    printf("    make id of %u\n", *len);
    memset(id, 'x', *len);
    RAND_bytes(id, 8);
    *len = 20;
    return 1;
}

/* ---- one connection */

static SSL *client, *server;

static int finished(const char *who, SSL *s)
{
    int n = SSL_do_handshake(s), error = SSL_get_error(s, n);
    if (n == 1)
        return 1;
    if (error == SSL_ERROR_WANT_READ)
        return 0;
    printf("    %s fails: %s\n", who, ERR_reason_error_string(ERR_peek_error()));
    ERR_clear_error();
    return -1;
}

static void show(const char *who, SSL *s)
{
    SSL_SESSION *session = SSL_get_session(s);
    unsigned id, context;
    if (!session) {
        printf("    %s: no session\n", who);
        return;
    }
    SSL_SESSION_get_id(session, &id);
    SSL_SESSION_get0_id_context(session, &context);
    printf(
        "    %s: %s reused %d id %u context %u ticket %d hint %lu resumable %d timeout %ld\n",
        who, SSL_get_version(s), SSL_session_reused(s), id, context,
        SSL_SESSION_has_ticket(session), SSL_SESSION_get_ticket_lifetime_hint(session),
        SSL_SESSION_is_resumable(session), SSL_SESSION_get_timeout(session));
    const char *name = SSL_SESSION_get0_hostname(session);
    printf("    %s: secret %d cipher %s version %x peer %d verify %ld name %s early %u\n", who,
           (int)SSL_SESSION_get_master_key(session, NULL, 0),
           SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(session)),
           (unsigned)SSL_SESSION_get_protocol_version(session),
           SSL_SESSION_get0_peer(session) != NULL, SSL_get_verify_result(s),
           name ? name : "none", SSL_SESSION_get_max_early_data(session));
}

static void counters(const char *who, SSL_CTX *ctx)
{
    printf(
        "    %s: number %ld connect %ld/%ld accept %ld/%ld hits %ld cb %ld misses %ld timeouts "
        "%ld full %ld\n",
        who, SSL_CTX_sess_number(ctx), SSL_CTX_sess_connect(ctx),
        SSL_CTX_sess_connect_good(ctx), SSL_CTX_sess_accept(ctx), SSL_CTX_sess_accept_good(ctx),
        SSL_CTX_sess_hits(ctx), SSL_CTX_sess_cb_hits(ctx), SSL_CTX_sess_misses(ctx),
        SSL_CTX_sess_timeouts(ctx), SSL_CTX_sess_cache_full(ctx));
}

/* What the client ends up with, as a reference. */
static SSL_SESSION *join(SSL_CTX *cctx, SSL_CTX *sctx, SSL_SESSION *session)
{
    char c;
    int a = 0, b = 0;
    client = pair_end(SSL_new(cctx));
    server = pair_end(SSL_new(sctx));
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    if (session)
        SSL_set_session(client, session);
    for (int i = 0; i < 10 && a >= 0 && b >= 0 && !(a && b); i++) {
        a = a == 1 ? 1 : finished("client", client);
        pair_pump(client, server);
        b = b == 1 ? 1 : finished("server", server);
        pair_pump(server, client);
    }
    SSL_SESSION *out = NULL;
    if (a == 1 && b == 1) {
        (void)SSL_read(client, &c, 1); /* takes the tickets */
        show("client", client);
        show("server", server);
        out = SSL_get1_session(client);
        SSL_shutdown(client);
        pair_pump(client, server);
        SSL_shutdown(server);
    }
    SSL_free(client);
    SSL_free(server);
    return out;
}

static SSL_CTX *context(int version, int is_server)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    if (is_server) {
        SSL_CTX_use_certificate(ctx, cert);
        SSL_CTX_use_PrivateKey(ctx, key);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"context", 7);
    }
    SSL_CTX_sess_set_new_cb(ctx, new_cb);
    return ctx;
}

static void again(const char *what, SSL_CTX *cctx, SSL_CTX *sctx)
{
    printf("  %s: full\n", what);
    SSL_SESSION *first = join(cctx, sctx, NULL);
    printf("  %s: again\n", what);
    SSL_SESSION *second = join(cctx, sctx, first);
    printf("  %s: once more\n", what);
    SSL_SESSION *third = join(cctx, sctx, second);
    counters("client", cctx);
    counters("server", sctx);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_SESSION_free(third);
}

static void tickets(int version)
{
    SSL_CTX *cctx = context(version, 0), *sctx = context(version, 1);
    SSL_CTX_set_session_cache_mode(cctx, SSL_SESS_CACHE_CLIENT);
    again("tickets", cctx, sctx);
    SSL_CTX_set_timeout(sctx, 1000);
    SSL_CTX_set_num_tickets(sctx, 1);
    again("one ticket", cctx, sctx);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

static void by_id(int version)
{
    SSL_CTX *cctx = context(version, 0), *sctx = context(version, 1);
    SSL_CTX_set_options(sctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(cctx,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_remove_cb(sctx, remove_cb);
    again("by id", cctx, sctx);
    SSL_CTX_flush_sessions(sctx, 0);
    counters("flushed", sctx);

    printf("  external\n");
    SSL_CTX_set_session_cache_mode(sctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_get_cb(sctx, get_cb);
    SSL_CTX_set_generate_session_id(sctx, make_id);
    keep = 1;
    again("external", cctx, sctx);
    keep = 0;
    SSL_SESSION_free(kept);
    kept = NULL;

    SSL_CTX_set_generate_session_id(sctx, NULL);
    SSL_CTX_sess_set_new_cb(sctx, store_cb);
    SSL_CTX_sess_set_get_cb(sctx, restore_cb);
    again("stored", cctx, sctx);
    SSL_CTX_sess_set_new_cb(sctx, new_cb);
    SSL_CTX_sess_set_get_cb(sctx, get_cb);

    printf("  off\n");
    SSL_CTX_set_session_cache_mode(sctx, SSL_SESS_CACHE_OFF);
    SSL_SESSION *s = join(cctx, sctx, NULL);
    SSL_SESSION_free(s);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

static void contexts(int version)
{
    SSL_CTX *cctx = context(version, 0), *sctx = context(version, 1);
    printf("  another context\n");
    SSL_SESSION *s = join(cctx, sctx, NULL);
    SSL_CTX_set_session_id_context(sctx, (const unsigned char *)"other", 5);
    SSL_SESSION_free(join(cctx, sctx, s));
    SSL_SESSION_free(s);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

static int any(int ok, X509_STORE_CTX *x)
{
    (void)ok, (void)x;
    return 1;
}

/* Who resumes is who he was; but only where the server says what its sessions are for. */
static void with_client_certificate(int version, int no_ticket, int named)
{
    SSL_CTX *cctx = context(version, 0), *sctx = context(version, 1);
    printf("  client certificate, tickets %d, context %d\n", !no_ticket, named);
    SSL_CTX_use_certificate(cctx, cert);
    SSL_CTX_use_PrivateKey(cctx, key);
    SSL_CTX_set_verify(sctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any);
    SSL_CTX_set_options(sctx, no_ticket ? SSL_OP_NO_TICKET : 0);
    if (!named)
        SSL_CTX_set_session_id_context(sctx, NULL, 0);
    again("client certificate", cctx, sctx);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

/* Sessions that are too old, by what the server kept and by what the client kept. */
static void expired(int version, int no_ticket)
{
    SSL_CTX *cctx = context(version, 0), *sctx = context(version, 1);
    printf("expired, version %x, tickets %d\n", (unsigned)version, !no_ticket);
    SSL_CTX_set_options(sctx, no_ticket ? SSL_OP_NO_TICKET : 0);
    SSL_CTX_sess_set_remove_cb(sctx, remove_cb);
    SSL_CTX_set_timeout(sctx, 50);
    keep = 1;
    SSL_SESSION *s = join(cctx, sctx, NULL);
    if (kept)
        printf("  time %ld\n", SSL_SESSION_set_time(kept, 1000));
    keep = 0;
    SSL_SESSION_free(join(cctx, sctx, s));
    counters("server", sctx);
    SSL_SESSION_free(s);
    s = join(cctx, sctx, NULL);
    SSL_SESSION_set_timeout(s, 1);
    SSL_SESSION_free(join(cctx, sctx, s));
    SSL_CTX_set_timeout(sctx, 0);
    SSL_SESSION_free(join(cctx, sctx, s));
    counters("server", sctx);
    SSL_SESSION_free(s);
    SSL_SESSION_free(kept);
    kept = NULL;
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

/* A record that is damaged ends the connection, and with it what could be resumed. */
static void broken(int version)
{
    SSL_CTX *cctx = context(version, 0), *sctx = context(version, 1);
    char c, bytes[4096];
    int a = 0, b = 0, n;
    printf("broken, version %x\n", (unsigned)version);
    SSL_CTX_set_session_cache_mode(cctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_options(sctx, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_remove_cb(cctx, remove_cb);
    SSL_CTX_sess_set_remove_cb(sctx, remove_cb);
    client = pair_end(SSL_new(cctx));
    server = pair_end(SSL_new(sctx));
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 10 && !(a == 1 && b == 1); i++) {
        a = finished("client", client);
        pair_pump(client, server);
        b = finished("server", server);
        pair_pump(server, client);
    }
    (void)SSL_read(client, &c, 1);
    printf("  numbers %ld %ld\n", SSL_CTX_sess_number(cctx), SSL_CTX_sess_number(sctx));
    SSL_write(server, "x", 1);
    n = BIO_read(SSL_get_wbio(server), bytes, sizeof bytes);
    bytes[n - 1] ^= 1;
    BIO_write(SSL_get_rbio(client), bytes, n);
    printf("  read %d\n", SSL_read(client, &c, 1));
    printf("  numbers %ld %ld\n", SSL_CTX_sess_number(cctx), SSL_CTX_sess_number(sctx));
    pair_pump(client, server);
    printf("  read %d\n", SSL_read(server, &c, 1));
    printf("  numbers %ld %ld\n", SSL_CTX_sess_number(cctx), SSL_CTX_sess_number(sctx));
    ERR_clear_error();
    printf("  free\n");
    SSL_free(client);
    SSL_free(server);
    printf("  and what was left\n");
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

/* A second handshake on the same connection. */
static void renegotiate(int no_ticket)
{
    SSL_CTX *cctx = context(TLS1_2_VERSION, 0), *sctx = context(TLS1_2_VERSION, 1);
    char c;
    int a = 0, b = 0;
    printf("renegotiation, tickets %d\n", !no_ticket);
    SSL_CTX_set_session_cache_mode(cctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_options(sctx,
                        SSL_OP_ALLOW_CLIENT_RENEGOTIATION | (no_ticket ? SSL_OP_NO_TICKET : 0));
    client = pair_end(SSL_new(cctx));
    server = pair_end(SSL_new(sctx));
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int round = 0; round < 2; round++) {
        a = b = 0;
        for (int i = 0; i < 10 && !(a == 1 && b == 1); i++) {
            a = finished("client", client);
            pair_pump(client, server);
            b = finished("server", server);
            pair_pump(server, client);
        }
        if (round == 0) {
            printf("    start %d\n", SSL_renegotiate(client));
            (void)SSL_do_handshake(client);
            pair_pump(server, client);
            pair_pump(client, server);
            (void)SSL_read(server, &c, 1);
            pair_pump(client, server);
            pair_pump(server, client);
        }
    }
    for (int i = 0; i < 5; i++) {
        (void)SSL_read(client, &c, 1);
        pair_pump(client, server);
        (void)SSL_read(server, &c, 1);
        pair_pump(server, client);
    }
    show("client", client);
    show("server", server);
    printf("    renegotiations %ld, %ld %ld\n", SSL_num_renegotiations(client),
           SSL_CTX_sess_connect_renegotiate(cctx), SSL_CTX_sess_accept_renegotiate(sctx));
    printf("    number %ld %ld good %ld %ld\n", SSL_CTX_sess_number(cctx),
           SSL_CTX_sess_number(sctx), SSL_CTX_sess_connect_good(cctx),
           SSL_CTX_sess_accept_good(sctx));
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

/* What is cleared in the middle of a renegotiation, or behind a handshake without close_notify. */
static void cleared(int renegotiating)
{
    SSL_CTX *cctx = context(TLS1_2_VERSION, 0), *sctx = context(TLS1_2_VERSION, 1);
    printf("cleared, renegotiating %d\n", renegotiating);
    SSL_CTX_set_session_cache_mode(cctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_options(sctx, SSL_OP_NO_TICKET);
    client = pair_end(SSL_new(cctx));
    server = pair_end(SSL_new(sctx));
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    int a = 0, b = 0;
    for (int i = 0; i < 10 && !(a == 1 && b == 1); i++) {
        a = finished("client", client);
        pair_pump(client, server);
        b = finished("server", server);
        pair_pump(server, client);
    }
    if (renegotiating) {
        printf("    start %d", SSL_renegotiate(client));
        printf(" %d", SSL_do_handshake(client));
        pair_pump(client, server);
        char c;
        printf(" read %d", SSL_read(server, &c, 1));
        printf(" init %d %d\n", SSL_in_init(client), SSL_in_init(server));
    }
    SSL_SESSION *session = SSL_get1_session(client);
    printf("    number %ld %ld\n", SSL_CTX_sess_number(cctx), SSL_CTX_sess_number(sctx));
    printf("    clear %d %d\n", SSL_clear(client), SSL_clear(server));
    printf("    number %ld %ld, left %d %d, resumable %d\n", SSL_CTX_sess_number(cctx),
           SSL_CTX_sess_number(sctx), SSL_get_session(client) != NULL,
           SSL_get_session(server) != NULL, session && SSL_SESSION_is_resumable(session));
    SSL_SESSION_free(session);
    SSL_free(client);
    SSL_free(server);
    printf("    number %ld %ld\n", SSL_CTX_sess_number(cctx), SSL_CTX_sess_number(sctx));
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

static void table(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *s[4];
    printf("table: size %ld mode %ld timeout %ld\n", SSL_CTX_sess_get_cache_size(ctx),
           SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_get_timeout(ctx));
    printf("  was %ld", SSL_CTX_sess_set_cache_size(ctx, 3));
    printf(" %ld", SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH));
    printf(" %ld\n", SSL_CTX_set_timeout(ctx, 100));
    SSL_CTX_sess_set_remove_cb(ctx, remove_cb);
    for (int i = 0; i < 4; i++) {
        unsigned char id[4] = {1, 2, 3, (unsigned char)i};
        s[i] = SSL_SESSION_new();
        SSL_SESSION_set1_id(s[i], id, sizeof id);
        SSL_SESSION_set_protocol_version(s[i], TLS1_2_VERSION);
        SSL_SESSION_set_time(s[i], 1000000 + i);
        printf("  add %d", SSL_CTX_add_session(ctx, s[i]));
        printf(" again %d number %ld\n", SSL_CTX_add_session(ctx, s[i]),
               SSL_CTX_sess_number(ctx));
    }
    counters("full", ctx);
    printf("  remove %d", SSL_CTX_remove_session(ctx, s[1]));
    printf(" %d\n", SSL_CTX_remove_session(ctx, s[1]));
    SSL_CTX_flush_sessions(ctx, 1000000 + 2 + 304 + 1);
    counters("flushed", ctx);
    for (int i = 0; i < 4; i++) {
        printf("  resumable %d\n", SSL_SESSION_is_resumable(s[i]));
        SSL_SESSION_free(s[i]);
    }
    SSL_CTX_free(ctx);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    if (!make_certificate())
        return 1;
    for (size_t i = 0; i < 2; i++) {
        printf("version %x\n", (unsigned)versions[i]);
        tickets(versions[i]);
        by_id(versions[i]);
        contexts(versions[i]);
        for (int k = 0; k < 4; k++)
            with_client_certificate(versions[i], k / 2, k % 2);
    }
    for (int i = 0; i < 4; i++)
        expired(i / 2 ? TLS1_3_VERSION : TLS1_2_VERSION, i % 2);
    broken(TLS1_2_VERSION);
    broken(TLS1_3_VERSION);
    renegotiate(0);
    renegotiate(1);
    cleared(0);
    cleared(1);
    table();
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

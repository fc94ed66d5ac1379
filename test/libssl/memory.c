/* memory.c: when memory runs out under libssl: the n-th allocation of the process fails, for every n, while a
 * client and a server are set up, shake hands, talk and are freed. Nothing may crash or hang, a call that fails
 * says so, and what was allocated is given back. Runs on our library only: each try is a process of its own,
 * and malloc is this program's. */
#define _GNU_SOURCE /* dladdr */
#include "pair.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static unsigned long to_fail; /* 0: none */
static bool failed;
static bool in_d2i; /* the one that failed was asked for by libcrypto's decoder */
static long live;

/* libcrypto 3.0's decoder of certificates leaks by itself when some of its allocations fail. */
static bool decoder_asks(void)
{
    void *frame[64];
    int n = backtrace(frame, 64);
    for (int i = 0; i < n; i++) {
        Dl_info info;
        if (dladdr(frame[i], &info) && info.dli_sname &&
            strncmp(info.dli_sname, "ASN1_item_d2i", 13) == 0)
            return true;
    }
    return false;
}

static bool must_fail(void)
{
    if (!to_fail || --to_fail)
        return false;
    failed = true;
    in_d2i |= decoder_asks();
    return true;
}

/* They stand before the C library's for every library of the process. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
    if (must_fail())
        return NULL;
    void *p = __libc_malloc(size);
    live += p != NULL;
    return p;
}

void *calloc(size_t n, size_t size)
{
    if (must_fail())
        return NULL;
    void *p = __libc_calloc(n, size);
    live += p != NULL;
    return p;
}

void *realloc(void *old, size_t size)
{
    if (must_fail())
        return NULL;
    void *p = __libc_realloc(old, size);
    live += p != NULL && !old;
    live -= old && !size && !p;
    return p;
}

void free(void *p)
{
    live -= p != NULL;
    __libc_free(p);
}

#pragma GCC visibility pop

/* ------------------------------------------------------------------ the script */

static X509 *certificate;
static EVP_PKEY *key;
static int version;

static int on_alpn(SSL *s, const unsigned char **out, unsigned char *len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    (void)s, (void)arg, (void)in_len;
    *out = in + 1;
    *len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *server_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_use_certificate(ctx, certificate) == 1 &&
        SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"memory", 6) == 1 &&
        SSL_CTX_add_client_CA(ctx, certificate) == 1 &&
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static SSL_CTX *client_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_set_max_proto_version(ctx, version) == 1 &&
        SSL_CTX_set_cipher_list(ctx, "HIGH:!aNULL") == 1 &&
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1 &&
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h2\5http/", 9) == 0 &&
        SSL_CTX_use_certificate(ctx, certificate) == 1 &&
        SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static bool ends(SSL *s)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (!in || !out) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(s, in, out);
    return true;
}

static bool carry(SSL *from, SSL *to)
{
    char *p;
    long n = BIO_get_mem_data(SSL_get_wbio(from), &p);
    if (n > 0 && BIO_write(SSL_get_rbio(to), p, (int)n) != n)
        return false;
    (void)BIO_reset(SSL_get_wbio(from));
    return true;
}

/* One call and what it sent: false if it failed, which SSL_get_error must tell. */
static bool step(SSL *s, SSL *peer, bool *done)
{
    int n = *done ? 1 : SSL_do_handshake(s);
    *done = n == 1;
    return (n == 1 || SSL_get_error(s, n) == SSL_ERROR_WANT_READ) && carry(s, peer);
}

static bool stalled; /* a handshake ended in waiting, though a call had failed */

static bool shake(SSL *client, SSL *server)
{
    bool c = false, s = false;
    for (int i = 0; i < 8 && !(c && s); i++)
        if (!step(client, server, &c) || !step(server, client, &s))
            return false;
    stalled |= !(c && s);
    return c && s;
}

static bool talk(SSL *client, SSL *server, SSL_SESSION **session)
{
    char text[8];
    if (SSL_write(client, "ping", 4) != 4)
        return false;
    if (!carry(client, server) || SSL_read(server, text, sizeof text) != 4 ||
        SSL_write(server, "pong", 4) != 4)
        return false;
    if (!carry(server, client) || SSL_read(client, text, sizeof text) != 4 ||
        memcmp(text, "pong", 4) != 0)
        return false;
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(client);
    SSL_shutdown(client);
    return carry(client, server) && SSL_read(server, text, sizeof text) == 0 &&
           SSL_shutdown(server) == 1 && *session != NULL;
}

static bool connect_once(SSL_CTX *client_ctx, SSL_CTX *server_ctx, SSL_SESSION **session)
{
    SSL *client = SSL_new(client_ctx), *server = SSL_new(server_ctx);
    bool ok = client && server && ends(client) && ends(server) &&
              SSL_set1_host(client, "localhost") == 1 &&
              SSL_set_tlsext_host_name(client, "localhost") == 1;
    if (ok) {
        SSL_set_connect_state(client);
        SSL_set_accept_state(server);
        ok = (!*session || SSL_set_session(client, *session) == 1) && shake(client, server) &&
             talk(client, server, session);
    }
    SSL_free(client);
    SSL_free(server);
    return ok;
}

/* A full handshake, and a second one that may be resumed. */
static bool script(void)
{
    SSL_SESSION *session = NULL;
    SSL_CTX *server = server_context(), *client = client_context();
    bool ok = client && server && connect_once(client, server, &session) &&
              connect_once(client, server, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return ok;
}

/* ------------------------------------------------------------------- the tries */

enum { REPEATS = 4 };
enum { WORKED, FAILED, BEYOND, STALLED, BROKEN, LEAKED, OUTCOMES };

/* One try, in a process of its own: what becomes of it is its exit status. */
static int try_with(unsigned long n)
{
    alarm(120);
    to_fail = n;
    bool ok = script();
    to_fail = 0;
    ERR_clear_error();
    long before = live;
    if (!failed)
        return ok ? BEYOND : BROKEN;
    if (stalled)
        return STALLED;
    /* What a failure leaves behind for good (a table that grew, an algorithm that was fetched) is there once. */
    if (!script())
        return BROKEN;
    ERR_clear_error();
    long once = live;
    for (int i = 0; i < REPEATS; i++) {
        to_fail = n;
        (void)script();
        to_fail = 0;
        ERR_clear_error();
    }
    if (!script())
        return BROKEN;
    ERR_clear_error();
    if (live >= once + REPEATS && !in_d2i) {
        printf("  allocation %lu: %ld blocks before, %ld after one run, %ld after more\n", n,
               before, once, live);
        fflush(stdout);
        return LEAKED;
    }
    return ok ? WORKED : FAILED;
}

static int run(const char *name)
{
    static const char *const words[OUTCOMES] = {[STALLED] = "waits though a call failed",
                                                [BROKEN] = "nothing works afterwards",
                                                [LEAKED] = "leaks"};
    unsigned long n = 1, count[OUTCOMES] = {0}, bad = 0;
    bool more = true;
    for (; more && n < 20000; n++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            _exit(try_with(n));
        int status = 0;
        waitpid(child, &status, 0);
        int outcome =
            WIFEXITED(status) && WEXITSTATUS(status) < OUTCOMES ? WEXITSTATUS(status) : -1;
        if (outcome < 0 || words[outcome]) {
            printf("  allocation %lu: %s\n", n,
                   outcome < 0 ? "the process died" : words[outcome]);
            bad++;
            continue;
        }
        count[outcome]++;
        more = outcome != BEYOND;
    }
    bad += more || count[FAILED] < 100;
    printf(
        "%s %s: %lu allocations: %lu failures told, %lu without effect, %lu faults [C11 C14]\n",
        bad ? "FAIL" : "ok  ", name, n - 2, count[FAILED], count[WORKED], bad);
    return bad != 0;
}

int main(void)
{
    static const struct {
        int version;
        const char *name;
    } all[] = {{TLS1_3_VERSION, "TLS 1.3"}, {TLS1_2_VERSION, "TLS 1.2"}};
    int bad = 0;
    certificate = pair_certificate(&key);
    (void)decoder_asks(); /* the first call allocates */
    for (size_t i = 0; i < 2; i++) {
        version = all[i].version;
        MUST(script());
        bad += run(all[i].name);
    }
    printf("%d passed, %d failed, 0 skipped\n", 2 - bad, bad);
    return bad != 0;
}

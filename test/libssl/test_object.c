/* test_object.c: contexts, connections and sessions as objects: methods, references, application data,
 * copies, what is taken and what is borrowed, calls for the other role, and the first call from many threads. */
#include "pair.h"

#include <pthread.h>

/* ------------------------------------------------------------------ methods */

typedef const SSL_METHOD *method_fn(void);

static void methods(void)
{
    static method_fn *const all[] = {
        TLS_method,     TLS_client_method,     TLS_server_method,
        TLSv1_method,   TLSv1_client_method,   TLSv1_server_method,
        TLSv1_1_method, TLSv1_1_client_method, TLSv1_1_server_method,
        TLSv1_2_method, TLSv1_2_client_method, TLSv1_2_server_method,
        SSLv23_method,  SSLv23_client_method,  SSLv23_server_method,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        SSL_CTX *ctx = SSL_CTX_new(all[i]());
        printf("method %zu: same %d", i, all[i]() == all[i]());
        SSL *s = ctx ? SSL_new(ctx) : NULL;
        printf(" ctx's %d ssl %d", ctx && SSL_CTX_get_ssl_method(ctx) == all[i](), s != NULL);
        if (s) {
            printf(" ssl's %d version %x client %x %s server %d before %d",
                   SSL_get_ssl_method(s) == all[i](), (unsigned)SSL_version(s),
                   (unsigned)SSL_client_version(s), SSL_get_version(s), SSL_is_server(s),
                   SSL_in_before(s));
            printf(" min %lx max %lx", (unsigned long)SSL_get_min_proto_version(s),
                   (unsigned long)SSL_get_max_proto_version(s));
        }
        printf("\n");
        pair_errors();
        SSL_free(s);
        SSL_CTX_free(ctx);
    }
    printf("no method %d\n", SSL_CTX_new(NULL) == NULL);
    pair_errors();
    printf("no context %d\n", SSL_new(NULL) == NULL);
    pair_errors();
}

static void changed_methods(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    printf("set_ssl_version %d", SSL_CTX_set_ssl_version(ctx, TLSv1_2_client_method()));
    printf(" %d\n", SSL_CTX_get_ssl_method(ctx) == TLSv1_2_client_method());
    SSL *s = SSL_new(ctx);
    printf("set_ssl_method %d", SSL_set_ssl_method(s, TLS_server_method()));
    printf(" %d\n", SSL_get_ssl_method(s) == TLS_server_method());
    pair_errors();
    SSL_free(s);
    SSL_CTX_free(ctx);
}

/* A call for the role that the method does not have. */
static void other_roles(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    SSL *c = SSL_new(client), *s = SSL_new(server), *none = SSL_new(client);
    char byte;
    SSL_set_bio(c, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    printf("accept by a client's method %d", SSL_accept(c));
    printf(" error %d\n", SSL_get_error(c, -1));
    pair_errors();
    printf("connect by a server's method %d", SSL_connect(s));
    printf(" error %d\n", SSL_get_error(s, -1));
    pair_errors();
    SSL *flexible = SSL_new(client);
    printf("read with no BIO and no role of its own %d", SSL_read(flexible, &byte, 1));
    printf(" is a server %d\n", SSL_is_server(flexible));
    ERR_clear_error();
    SSL_CTX *both = SSL_CTX_new(TLS_method());
    SSL *undecided = SSL_new(both);
    SSL_set_bio(undecided, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    printf("undecided: handshake %d", SSL_do_handshake(undecided));
    printf(" error %d\n", SSL_get_error(undecided, -1));
    pair_errors();
    printf("undecided: read %d\n", SSL_read(undecided, &byte, 1));
    pair_errors();
    printf("undecided: write %d\n", SSL_write(undecided, "x", 1));
    pair_errors();
    printf("undecided: shutdown %d\n", SSL_shutdown(undecided));
    pair_errors();
    SSL_free(undecided);
    SSL_CTX_free(both);
    SSL_free(flexible);
    SSL_free(none);
    SSL_free(c);
    SSL_free(s);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* --------------------------------------------------------- application data */

static int made, copied, freed;
static int watching =
    1; /* how often an index is called within other tests is the library's own business */

static void on_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ad, (void)idx;
    made++;
    if (watching)
        printf("  new: data %s, %ld, %s\n", ptr ? "set" : "none", argl,
               argp ? (char *)argp : "-");
}

static int on_dup(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **data, int idx,
                  long argl, void *argp)
{
    (void)to, (void)from, (void)idx, (void)argl, (void)argp;
    copied++;
    if (watching)
        printf("  copied: %s\n", *data ? (char *)*data : "none");
    return 1;
}

static void on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
    freed++;
    if (watching)
        printf("  freed: %s\n", ptr ? (char *)ptr : "none");
}

static char text_ctx[] = "of the context", text_ssl[] = "of the connection",
            text_session[] = "of the session";
static char label[] = "label";

static void data(void)
{
    int c = SSL_CTX_get_ex_new_index(1, label, on_new, on_dup, on_free);
    int s = SSL_get_ex_new_index(2, label, on_new, on_dup, on_free);
    int n = SSL_SESSION_get_ex_new_index(3, label, on_new, on_dup, on_free);
    printf("indices %d %d %d, of the store context %d\n", c > 0, s > 0, n > 0,
           SSL_get_ex_data_X509_STORE_CTX_idx() >= 0);
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    printf("set %d", SSL_CTX_set_ex_data(ctx, c, text_ctx));
    printf(" get %s\n", (char *)SSL_CTX_get_ex_data(ctx, c));
    SSL *ssl = SSL_new(ctx);
    printf("set %d", SSL_set_ex_data(ssl, s, text_ssl));
    printf(" get %s, unset %d, far beyond %d\n", (char *)SSL_get_ex_data(ssl, s),
           SSL_get_ex_data(ssl, 0) == NULL, SSL_get_ex_data(ssl, 1000) == NULL);
    printf("app data %d\n", SSL_set_app_data(ssl, label) && SSL_get_app_data(ssl) == label);
    SSL_SESSION *session = SSL_SESSION_new();
    printf("set %d\n", SSL_SESSION_set_ex_data(session, n, text_session));
    SSL_SESSION *twin = SSL_SESSION_dup(session);
    printf("twin %d\n", twin && SSL_SESSION_get_ex_data(twin, n) == text_session);
    SSL *other = SSL_dup(ssl);
    printf("dup %d\n", other && SSL_get_ex_data(other, s) == text_ssl);
    SSL_free(other);
    SSL_SESSION_free(twin);
    SSL_SESSION_free(session);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    printf("made %d copied %d freed %d\n", made, copied, freed);
    watching = 0;
    pair_errors();
}

/* ------------------------------------------------- references and ownership */

static void references(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    printf("up %d\n", SSL_CTX_up_ref(ctx));
    SSL_CTX_free(ctx);
    SSL *s = SSL_new(ctx);
    SSL_CTX_free(ctx);
    printf("the connection holds its context: %d\n",
           SSL_CTX_get_timeout(SSL_get_SSL_CTX(s)) > 0);
    printf("up %d\n", SSL_up_ref(s));
    SSL_free(s);
    printf("still there: %s\n", SSL_get_version(s));
    SSL_free(s);
    SSL_SESSION *session = SSL_SESSION_new();
    printf("up %d\n", SSL_SESSION_up_ref(session));
    SSL_SESSION_free(session);
    SSL_SESSION_free(session);
    SSL_free(NULL);
    SSL_CTX_free(NULL);
    SSL_SESSION_free(NULL);
    pair_errors();
}

static int bio_freed;

static long note_free(BIO *b, int oper, const char *argp, size_t len, int argi, long argl,
                      int ret, size_t *done)
{
    (void)b, (void)argp, (void)len, (void)argi, (void)argl, (void)done;
    if (oper == BIO_CB_FREE)
        bio_freed++;
    return ret;
}

static BIO *watched(void)
{
    BIO *b = BIO_new(BIO_s_mem());
    BIO_set_callback_ex(b, note_free);
    return b;
}

/* Who owns the BIOs, in the cases that SSL_set_bio's manual page lists. */
static void bios(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = SSL_new(ctx);
    BIO *one = watched(), *two = watched(), *three = watched();
    SSL_set_bio(s, one, two);
    printf("two BIOs: %d %d freed %d\n", SSL_get_rbio(s) == one, SSL_get_wbio(s) == two,
           bio_freed);
    SSL_set_bio(s, one, two);
    printf("the same again: freed %d\n", bio_freed);
    SSL_set_bio(s, one, three);
    printf("another to write: freed %d\n", bio_freed);
    BIO_up_ref(one);
    SSL_set_bio(s, one, one);
    printf("one for both: freed %d\n", bio_freed);
    SSL_set0_wbio(s, watched());
    printf("set0_wbio: freed %d, other %d\n", bio_freed, SSL_get_wbio(s) != one);
    SSL_set0_rbio(s, watched());
    printf("set0_rbio: freed %d\n", bio_freed);
    SSL_set_bio(s, NULL, NULL);
    printf("none: freed %d, %d %d\n", bio_freed, SSL_get_rbio(s) == NULL,
           SSL_get_wbio(s) == NULL);
    SSL_free(s);
    SSL_CTX_free(ctx);
    printf("at the end: freed %d\n", bio_freed);
    BIO_free(one);
    pair_errors();
}

static void descriptors(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = SSL_new(ctx);
    printf("set_fd %d", SSL_set_fd(s, 7));
    printf(" get %d %d %d same BIO %d\n", SSL_get_fd(s), SSL_get_rfd(s), SSL_get_wfd(s),
           SSL_get_rbio(s) == SSL_get_wbio(s));
    printf("set_wfd %d", SSL_set_wfd(s, 9));
    printf(" get %d %d same BIO %d\n", SSL_get_rfd(s), SSL_get_wfd(s),
           SSL_get_rbio(s) == SSL_get_wbio(s));
    printf("set_rfd %d", SSL_set_rfd(s, 9));
    printf(" get %d %d same BIO %d\n", SSL_get_rfd(s), SSL_get_wfd(s),
           SSL_get_rbio(s) == SSL_get_wbio(s));
    SSL_free(s);
    SSL_CTX_free(ctx);
    pair_errors();
}

/* ------------------------------------------ settings: from context to connection */

static void another_context(void)
{
    SSL_CTX *a = SSL_CTX_new(TLS_method()), *b = SSL_CTX_new(TLS_method());
    SSL_CTX_set_options(b, SSL_OP_NO_TICKET);
    SSL_CTX_set_verify(b, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_timeout(b, 77);
    pair_use_certificate(b);
    SSL *s = SSL_new(a);
    printf("set_SSL_CTX %d", SSL_set_SSL_CTX(s, b) == b);
    printf(" now %d options %d verify %d certificate %d\n", SSL_get_SSL_CTX(s) == b,
           (SSL_get_options(s) & SSL_OP_NO_TICKET) != 0, SSL_get_verify_mode(s),
           SSL_get_certificate(s) != NULL);
    printf("back to the first %d\n", SSL_set_SSL_CTX(s, NULL) == a);
    printf("certificate %d\n", SSL_get_certificate(s) != NULL);
    SSL_CTX_set_options(a, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_max_cert_list(a, 5000);
    SSL_CTX_set_read_ahead(a, 1);
    printf("a change of the context reaches only new connections: %d %ld %d",
           (SSL_get_options(s) & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0,
           SSL_get_max_cert_list(s), SSL_get_read_ahead(s));
    SSL *t = SSL_new(a);
    printf(" %d %ld %d\n", (SSL_get_options(t) & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0,
           SSL_get_max_cert_list(t), SSL_get_read_ahead(t));
    printf("max_cert_list %ld", SSL_set_max_cert_list(t, 12));
    printf(" %ld context's %ld\n", SSL_get_max_cert_list(t), SSL_CTX_get_max_cert_list(a));
    SSL_free(t);
    SSL_free(s);
    SSL_CTX_free(a);
    SSL_CTX_free(b);
    pair_errors();
}

/* A chain that is longer than the limit is refused by who reads it. */
static void long_chain(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    pair_use_certificate(server);
    SSL_CTX_set_max_cert_list(client, 100);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct pair p = pair_new(client, server);
        SSL_set_max_proto_version(p.client, version);
        printf("version %x, a chain beyond the limit: %d\n", (unsigned)version, pair_shake(&p));
        ERR_clear_error(); /* the alerts differ: illegal_parameter there, decode_error here (RFC 8446 6.2) */
        SSL_set_max_cert_list(p.client, 100000);
        pair_free(&p);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Reused connections: SSL_clear, and settings that stay. */
static void cleared(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    pair_use_certificate(server);
    struct pair p = pair_new(client, server);
    printf("shake %d %s\n", pair_shake(&p), SSL_get_version(p.client));
    printf("clear %d %d", SSL_clear(p.client), SSL_clear(p.server));
    printf(" before %d %d, server %d %d, cipher %d, session %d\n", SSL_in_before(p.client),
           SSL_in_before(p.server), SSL_is_server(p.client), SSL_is_server(p.server),
           SSL_get_current_cipher(p.client) != NULL, SSL_get_session(p.client) != NULL);
    SSL_set_session(p.client, NULL);
    BIO *a, *b;
    MUST(BIO_new_bio_pair(&a, 65536, &b, 65536));
    SSL_set_bio(p.client, a, a);
    SSL_set_bio(p.server, b, b);
    printf("shake again %d\n", pair_shake(&p));
    pair_errors();
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* New keys in TLS 1.3, and their refusal in TLS 1.2. */
static void new_keys(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    pair_use_certificate(server);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct pair p = pair_new(client, server);
        char byte;
        SSL_set_max_proto_version(p.client, version);
        printf("before the handshake %d\n", SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED));
        pair_errors();
        pair_shake(&p);
        printf("%s: key_update %d", SSL_get_version(p.client),
               SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED));
        printf(" type %d\n", SSL_get_key_update_type(p.client));
        pair_errors();
        printf("wrong kind %d\n", SSL_key_update(p.server, 7));
        pair_errors();
        printf("handshake %d", SSL_do_handshake(p.client));
        printf(" type %d", SSL_get_key_update_type(p.client));
        printf(" write %d", SSL_write(p.client, "a", 1));
        printf(" read %d", SSL_read(p.server, &byte, 1));
        printf(" write %d", SSL_write(p.server, "b", 1));
        printf(" read %d\n", SSL_read(p.client, &byte, 1));
        printf("renegotiate %d", SSL_renegotiate(p.client));
        printf(" pending %d\n", SSL_renegotiate_pending(p.client));
        pair_errors();
        pair_free(&p);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* ------------------------------------------------------------------ threads */

static pthread_barrier_t start;
static SSL_CTX *shared;

static void *first_call(void *arg)
{
    pthread_barrier_wait(&start);
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = ctx ? SSL_new(ctx) : NULL;
    *(int *)arg = s && SSL_get_ciphers(s) != NULL;
    SSL_free(s);
    SSL_CTX_free(ctx);
    return NULL;
}

static void *hold_and_let_go(void *arg)
{
    pthread_barrier_wait(&start);
    for (int i = 0; i < 200; i++) {
        SSL_CTX_up_ref(shared);
        SSL *s = SSL_new(shared);
        *(int *)arg += s != NULL;
        SSL_free(s);
        SSL_CTX_free(shared);
    }
    return NULL;
}

enum { THREADS = 64 };

static void threads(const char *what, void *(*work)(void *))
{
    pthread_t thread[THREADS];
    int result[THREADS] = {0}, sum = 0;
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, work, &result[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        sum += result[i];
    }
    pthread_barrier_destroy(&start);
    printf("%s: %d\n", what, sum);
}

int main(void)
{
    threads("the first call of the process, from 64 threads", first_call);
    shared = SSL_CTX_new(TLS_method());
    threads("references from 64 threads", hold_and_let_go);
    SSL_CTX_free(shared);
    methods();
    changed_methods();
    other_roles();
    data();
    references();
    bios();
    descriptors();
    another_context();
    long_chain();
    cleared();
    new_keys();
    return 0;
}

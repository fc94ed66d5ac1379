/* main.c: `any FIRST COUNT STEPS [KEEP]` runs the sequences of COUNT seeds; KEEP ("3,7,12") are the steps of the
 * sequence that are to be done: a step draws from its own number, so that what is left out changes nothing else. */
#include <openssl/pem.h>
#include <signal.h>

#include "any.h"
#include "rsa.h"

struct world world;
static uint64_t chance;

unsigned draw(unsigned n)
{
    uint64_t z = chance += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) >> 16) % n;
}

/* ---- showing */

void say_errors(void)
{
    unsigned long e;
    while ((e = ERR_get_error()) != 0) {
        /* what providers and ASN.1 say on the way differs, and nobody compares it */
        if (ERR_GET_LIB(e) == ERR_LIB_SSL)
            printf("    %d:%d %s\n", ERR_GET_LIB(e), ERR_GET_REASON(e),
                   ERR_reason_error_string(e));
        else
            printf("    library %d\n", ERR_GET_LIB(e));
    }
}

void say_result(const char *call, long long result)
{
    printf("  %s = %lld\n", call, result);
    say_errors();
}

int index_of(const SSL *s)
{
    for (int i = 0; i < ENDS; i++)
        if (world.end[i] == s)
            return i;
    return -1;
}

void say_end(const char *call, SSL *s, int result)
{
    int error = SSL_get_error(s, result);
    if (strcmp(SSL_state_string(s), "SSLERR") == 0) {
        /* what is left in its buffers is nobody's any more */
        printf("  %s = %d, error %d, shutdown %d, failed\n", call, result, error,
               SSL_get_shutdown(s));
        say_errors();
        return;
    }
    printf("  %s = %d, error %d, want %d, shutdown %d, %s%s, pending %d %d\n", call, result,
           error, SSL_want(s), SSL_get_shutdown(s), SSL_state_string_long(s),
           SSL_in_init(s) ? ", in init" : "", SSL_pending(s), SSL_has_pending(s));
    say_errors();
}

/* ---- choosing */

SSL *an_end(void)
{
    int i = (int)draw(ENDS);
    if (i > 1 && (!world.end[i] || draw(3)))
        i -= 2;
    printf("  end %d%s\n", i, world.end[i] ? "" : ": none");
    return world.end[i];
}

SSL_CTX *a_context(void)
{
    int i = (int)draw(CTXS);
    printf("  context %d%s\n", i, world.ctx[i] ? "" : ": none");
    return world.ctx[i];
}

SSL_SESSION **a_session(void)
{
    int i = (int)draw(SESSIONS);
    printf("  session %d%s\n", i, world.session[i] ? "" : ": none");
    return &world.session[i];
}

/* ---- the beginning and the end */

static X509 *certificate(EVP_PKEY *key, int serial)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256());
    return x;
}

static void keys_make(void)
{
    world.key[0] = EVP_EC_gen("P-256");
    BIO *pem = BIO_new_mem_buf(rsa_pem, -1);
    world.key[1] = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
    BIO_free(pem);
    world.key[2] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    for (int i = 0; i < KEYS; i++)
        world.cert[i] = certificate(world.key[i], i + 1);
}

static SSL_CTX *context_new(int i)
{
    SSL_CTX *ctx = SSL_CTX_new(i == CTX_CLIENT ? TLS_client_method() : TLS_server_method());
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    /* the defaults of the two libraries differ here, and are meant to */
    if (world.old)
        SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384");
    SSL_CTX_set1_sigalgs_list(
        ctx, "ECDSA+SHA256:ed25519:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA512");
    for (int k = 0; k < KEYS; k++)
        X509_STORE_add_cert(store, world.cert[k]);
    if (i != CTX_CLIENT) {
        SSL_CTX_use_certificate(ctx, world.cert[0]);
        SSL_CTX_use_PrivateKey(ctx, world.key[0]);
    }
    return ctx;
}

void wire(int client)
{
    for (int i = client; i < client + 2; i++) {
        SSL_free(world.end[i]);
        BIO_free(world.bio[i]);
        world.end[i] = NULL;
        world.bio[i] = NULL;
    }
    BIO_new_bio_pair(&world.bio[client], 1 << 20, &world.bio[client + 1], 1 << 20);
    for (int i = client; i < client + 2; i++) {
        world.end[i] = SSL_new(world.ctx[i == client ? CTX_CLIENT : CTX_SERVER]);
        BIO_up_ref(world.bio[i]);
        SSL_set_bio(world.end[i], world.bio[i], world.bio[i]);
    }
    SSL_set_connect_state(world.end[client]);
    SSL_set_accept_state(world.end[client + 1]);
}

static void world_begin(void)
{
    memset(world.answer, 0, sizeof world.answer);
    memset(world.again, 0, sizeof world.again);
    for (int i = 0; i < CTXS; i++)
        world.ctx[i] = context_new(i);
}

static void world_end(void)
{
    for (int i = 0; i < ENDS; i++) {
        SSL_free(world.end[i]);
        BIO_free(world.bio[i]);
        world.end[i] = NULL;
        world.bio[i] = NULL;
    }
    for (int i = 0; i < SESSIONS; i++) {
        SSL_SESSION_free(world.session[i]);
        world.session[i] = NULL;
    }
    for (int i = 0; i < CTXS; i++) {
        SSL_CTX_free(world.ctx[i]);
        world.ctx[i] = NULL;
    }
    ERR_clear_error();
}

/* ---- a sequence */

static const struct op *an_op(const struct op *ops)
{
    unsigned sum = 0, n;
    for (const struct op *o = ops; o->name; o++)
        sum += o->weight;
    n = draw(sum);
    while (n >= ops->weight)
        n -= (ops++)->weight;
    return ops;
}

static const struct op *an_op_at(int step, int steps)
{
    if (step < steps / 10)
        return an_op(context_ops);
    if (step < steps / 6)
        return an_op(end_ops);
    switch (draw(12)) {
    case 0: return an_op(context_ops);
    case 1:
    case 2: return an_op(end_ops);
    case 3:
    case 4: return an_op(session_ops);
    case 5: return an_op(look_ops);
    default: return an_op(talk_ops);
    }
}

static int kept(const char *keep, int step)
{
    char text[16];
    if (!keep)
        return 1;
    snprintf(text, sizeof text, ",%d,", step);
    return strstr(keep, text) != NULL;
}

static void sequence(uint64_t seed, int steps, const char *keep)
{
    printf("== %llu\n", (unsigned long long)seed);
    chance = seed;
    world.old = rarely(4);
    world_begin();
    for (int step = 0; step < steps; step++) {
        chance = (seed << 20) + (uint64_t)step * 0x100000001b3u;
        const struct op *op = an_op_at(step, steps);
        if (step == steps / 10)
            wire(0);
        if (!kept(keep, step))
            continue;
        printf("%d %s\n", step, op->name);
        op->run();
        fflush(stdout);
    }
    printf("the end\n");
    world_end();
}

int main(int argc, char **argv)
{
    char keep[20000];
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    int count = argc > 2 ? atoi(argv[2]) : 1, steps = argc > 3 ? atoi(argv[3]) : 120;
    if (argc > 4)
        snprintf(keep, sizeof keep, ",%s,", argv[4]);
    signal(SIGPIPE, SIG_IGN);
    keys_make();
    for (int i = 0; i < count; i++)
        sequence(first + (uint64_t)i, steps, argc > 4 ? keep : NULL);
    for (int i = 0; i < KEYS; i++) {
        X509_free(world.cert[i]);
        EVP_PKEY_free(world.key[i]);
    }
    return 0;
}

/* decoding.c: a library context in which decoding a certificate is cheap.
 *
 * d2i_X509 decodes the public key at once, and libcrypto 3.0 builds a chain of decoders anew for each
 * key: it asks every decoder and every kind of key of every provider, some hundred of them, whether
 * they might help. That is 100 of the 120 us that a certificate costs. The context made here has one
 * provider, whose algorithms are the default provider's own functions; but of decoders and kinds of
 * keys it shows only those that a certificate of TLS 1.3 can need. What comes out is the same as
 * anywhere else, three times as fast. A key of another kind is left undecoded, as libcrypto does with
 * kinds that it does not know, and such a certificate cannot authenticate anybody here.
 *
 * The default provider must be the one that would have served: with another one before it, or with a
 * property query like fips=yes, the ordinary context is used. */
#include "crypto/decoding.h"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <string.h>

#include "crypto/provider.h"

enum { MAX_ROWS = 16 };

static struct once once;
static atomic_bool ordinary;
static OSSL_PROVIDER *original; /* the default provider */
static OSSL_LIB_CTX *context;
static OSSL_ALGORITHM decoders[MAX_ROWS + 1], kinds[MAX_ROWS + 1];

static bool is_wanted(const char *names)
{
    static const char *const wanted[] = {"EC", "RSA", "RSA-PSS", "ED25519", "ED448"};
    size_t len = strcspn(names, ":"); /* other names of the same follow */
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strlen(wanted[i]) == len && strncmp(names, wanted[i], len) == 0)
            return true;
    }
    return false;
}

static bool from_certificate(const char *properties)
{
    return strstr(properties, "input=der") &&
           strstr(properties, "structure=SubjectPublicKeyInfo");
}

/* Copies the wanted rows; false if they do not fit, which would hide one. */
static bool pick(int operation, OSSL_ALGORITHM out[MAX_ROWS + 1])
{
    int no_cache = 0;
    size_t n = 0;
    const OSSL_ALGORITHM *row = OSSL_PROVIDER_query_operation(original, operation, &no_cache);
    for (; row && row->algorithm_names; row++) {
        if (!is_wanted(row->algorithm_names) ||
            (operation == OSSL_OP_DECODER && !from_certificate(row->property_definition)))
            continue;
        if (n == MAX_ROWS)
            return false;
        out[n++] = *row;
    }
    return n > 0 && no_cache == 0;
}

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
    (void)provctx;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_DECODER: return decoders;
    case OSSL_OP_KEYMGMT: return kinds;
    /* Fingerprints, and signatures that are checked with a certificate's own context. */
    case OSSL_OP_DIGEST:
    case OSSL_OP_SIGNATURE: return OSSL_PROVIDER_query_operation(original, operation, no_cache);
    default: return NULL;
    }
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
    {0, NULL},
};

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                         const OSSL_DISPATCH **out, void **provctx)
{
    (void)handle;
    (void)in;
    *out = functions;
    *provctx = OSSL_PROVIDER_get0_provider_ctx(original);
    return 1;
}

static bool is_allowed(void)
{
    return !provider_evp_only() && !provider_fips() && provider_direct_signature("ECDSA") &&
           provider_direct_signature("RSA") && provider_direct_signature("ED25519");
}

/* The provider and the context stay for as long as the process lives: certificates refer to them. */
static void make_context(void)
{
    ERR_set_mark();
    original = is_allowed() ? OSSL_PROVIDER_load(NULL, "default") : NULL;
    OSSL_LIB_CTX *made = original ? OSSL_LIB_CTX_new() : NULL;
    if (made && pick(OSSL_OP_DECODER, decoders) && pick(OSSL_OP_KEYMGMT, kinds) &&
        OSSL_PROVIDER_add_builtin(made, "certificates", provider_init) == 1 &&
        OSSL_PROVIDER_load(made, "certificates"))
        context = made;
    else
        OSSL_LIB_CTX_free(made);
    ERR_pop_to_mark();
}

void decoding_use_ordinary(void)
{
    atomic_store(&ordinary, true);
}

void *decoding_context(void)
{
    if (atomic_load_explicit(&ordinary, memory_order_relaxed))
        return NULL;
    if (once_begin(&once)) {
        make_context();
        once_end(&once);
    }
    return context;
}

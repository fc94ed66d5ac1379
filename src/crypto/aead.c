/* aead.c: authenticated encryption (RFC 5116): AES-GCM, AES-CCM (RFC 6655) and
 * ChaCha20-Poly1305 (RFC 8439). A context is keyed once; a record only sets its nonce.
 *
 * Two routes, one logic: the four primitive steps below call the default provider's
 * functions directly (75 ns less per record than through EVP), or EVP where another provider
 * serves the cipher. */
#include "crypto/aead.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "crypto/cipher_route.h"
#include "crypto/cpu.h"

#define MAX_TAIL 64
/* Below this a second update costs more than a copy of the plaintext. */
#define GATHER 192

struct cipher {
    struct cipher_route route;
    size_t key, tag;
    bool one_shot; /* CCM authenticates the length first: all plaintext in one call */
    bool dirty;    /* see clean_vectors */
};

/* clang-format off */
static struct cipher ciphers[] = {
    [AEAD_AES_128_GCM]       = { .route.name = "AES-128-GCM",       .key = 16, .tag = 16 },
    [AEAD_AES_256_GCM]       = { .route.name = "AES-256-GCM",       .key = 32, .tag = 16 },
    [AEAD_CHACHA20_POLY1305] = { .route.name = "ChaCha20-Poly1305", .key = 32, .tag = 16, .dirty = true },
    [AEAD_AES_128_CCM]       = { .route.name = "AES-128-CCM",       .key = 16, .tag = 16, .one_shot = true },
    [AEAD_AES_128_CCM_8]     = { .route.name = "AES-128-CCM",       .key = 16, .tag = 8,  .one_shot = true },
    [AEAD_AES_256_CCM]       = { .route.name = "AES-256-CCM",       .key = 32, .tag = 16, .one_shot = true },
    [AEAD_AES_256_CCM_8]     = { .route.name = "AES-256-CCM",       .key = 32, .tag = 8,  .one_shot = true },
};
/* clang-format on */

struct aead {
    struct cipher *c;
    OSSL_FUNC_cipher_encrypt_init_fn *init;
    void *direct;        /* the provider's context, or NULL: */
    EVP_CIPHER_CTX *evp; /* EVP's */
    bool seal;
    bool dirty; /* see clean_vectors */
};

static bool known(enum aead_id id)
{
    return (size_t)id < sizeof ciphers / sizeof ciphers[0] && ciphers[id].route.name;
}

size_t aead_key_size(enum aead_id id)
{
    return known(id) ? ciphers[id].key : 0;
}

size_t aead_tag_size(enum aead_id id)
{
    return known(id) ? ciphers[id].tag : 0;
}

static struct cipher *cipher_of(enum aead_id id)
{
    return known(id) && cipher_route_find(&ciphers[id].route) ? &ciphers[id] : NULL;
}

bool aead_available(enum aead_id id)
{
    return cipher_of(id) != NULL;
}

/* A tag to set, get, or (p NULL) only to size. */
static OSSL_PARAM tag_param(uint8_t *p, size_t len)
{
    return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, p, len);
}

static bool key_direct(struct aead *a, const uint8_t *key)
{
    a->direct = a->c->route.newctx(a->c->route.provctx);
    if (!a->direct)
        return false;
    if (a->c->one_shot) {
        size_t nonce_len = AEAD_NONCE_SIZE;
        OSSL_PARAM sizes[] = {
            OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &nonce_len),
            tag_param(NULL, a->c->tag),
            OSSL_PARAM_construct_end(),
        };
        if (a->c->route.set_params(a->direct, sizes) <= 0)
            return false;
    }
    return a->init(a->direct, key, a->c->key, NULL, 0, NULL) > 0;
}

static bool key_evp(struct aead *a, const uint8_t *key)
{
    a->evp = EVP_CIPHER_CTX_new();
    return a->evp &&
           EVP_CipherInit_ex(a->evp, cipher_route_evp(&a->c->route), NULL, NULL, NULL,
                             a->seal) > 0 &&
           EVP_CIPHER_CTX_ctrl(a->evp, EVP_CTRL_AEAD_SET_IVLEN, AEAD_NONCE_SIZE, NULL) > 0 &&
           (!a->c->one_shot ||
            EVP_CIPHER_CTX_ctrl(a->evp, EVP_CTRL_AEAD_SET_TAG, (int)a->c->tag, NULL) > 0) &&
           EVP_CipherInit_ex(a->evp, NULL, NULL, key, NULL, a->seal) > 0;
}

struct aead *aead_new(enum aead_id id, const uint8_t *key, bool seal)
{
    struct cipher *c = cipher_of(id);
    struct aead *a = c ? mem_new(sizeof *a) : NULL;
    if (!a)
        return NULL;
    a->c = c;
    a->seal = seal;
    a->dirty = c->dirty && cpu_has_avx();
    a->init = seal ? c->route.encrypt_init : c->route.decrypt_init;
    if (cipher_route_direct(&c->route) ? key_direct(a, key) : key_evp(a, key))
        return a;
    aead_free(a);
    return NULL;
}

void aead_free(struct aead *a)
{
    if (!a)
        return;
    if (a->direct)
        a->c->route.freectx(a->direct); /* wipes its key */
    EVP_CIPHER_CTX_free(a->evp);
    mem_free(a);
}

/* libcrypto's ChaCha20 and Poly1305 return with the upper halves of the AVX registers in
 * use. On CPUs of Intel, every SSE instruction after that is slower, here and in whatever
 * runs next, until somebody clears them: 64-byte records take 390 ns instead of 620, and an
 * HMAC after them 180 instead of 280. */
static void clean_vectors(const struct aead *a)
{
#if defined(__x86_64__)
    if (a->dirty)
        __asm__ volatile("vzeroupper" ::
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                               "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                               "xmm15");
#else
    (void)a;
#endif
}

static bool set_nonce(struct aead *a, const uint8_t *nonce)
{
    if (a->direct)
        return a->init(a->direct, NULL, 0, nonce, AEAD_NONCE_SIZE, NULL) > 0;
    return EVP_CipherInit_ex(a->evp, NULL, NULL, NULL, nonce, -1) > 0;
}

/* out NULL: associated data; in NULL as well: the length of the plaintext to come (CCM). */
static bool update(struct aead *a, uint8_t *out, const uint8_t *in, size_t len)
{
    size_t done;
    int n;
    bool ok = a->direct ? a->c->route.update(a->direct, out, &done, len, in, len) > 0
                        : len <= INT_MAX && EVP_CipherUpdate(a->evp, out, &n, in, (int)len) > 0;
    clean_vectors(a);
    return ok;
}

/* CCM has no end of its own: update has made or checked the tag. */
static bool finish(struct aead *a)
{
    uint8_t none[AEAD_MAX_TAG];
    size_t done;
    int n;
    if (a->c->one_shot)
        return true;
    bool ok = a->direct ? a->c->route.final(a->direct, none, &done, sizeof none) > 0
                        : EVP_CipherFinal_ex(a->evp, none, &n) > 0;
    clean_vectors(a);
    return ok;
}

static bool get_tag(struct aead *a, uint8_t *tag)
{
    if (!a->direct)
        return EVP_CIPHER_CTX_ctrl(a->evp, EVP_CTRL_AEAD_GET_TAG, (int)a->c->tag, tag) > 0;
    OSSL_PARAM params[] = {tag_param(tag, a->c->tag), OSSL_PARAM_construct_end()};
    return a->c->route.get_params(a->direct, params) > 0;
}

static bool set_tag(struct aead *a, const uint8_t *tag)
{
    uint8_t copy[AEAD_MAX_TAG];
    memcpy(copy, tag, a->c->tag);
    if (!a->direct)
        return EVP_CIPHER_CTX_ctrl(a->evp, EVP_CTRL_AEAD_SET_TAG, (int)a->c->tag, copy) > 0;
    OSSL_PARAM params[] = {tag_param(copy, a->c->tag), OSSL_PARAM_construct_end()};
    return a->c->route.set_params(a->direct, params) > 0;
}

/* Everything before the plaintext. tag is NULL for sealing; CCM needs it before the first
 * byte. */
static bool begin(struct aead *a, const uint8_t *nonce, const uint8_t *tag, const uint8_t *ad,
                  size_t ad_len, size_t len)
{
    return set_nonce(a, nonce) && (!tag || set_tag(a, tag)) &&
           (!a->c->one_shot || update(a, NULL, NULL, len)) &&
           (ad_len == 0 || update(a, NULL, ad, ad_len));
}

/* The plaintext is moved into out, because it has to be in one piece. */
static bool seal_one_shot(struct aead *a, const uint8_t *in, size_t len, const uint8_t *tail,
                          size_t tail_len, uint8_t *out)
{
    if (len)
        memmove(out, in, len);
    if (tail_len)
        memcpy(out + len, tail, tail_len);
    return update(a, out, out, len + tail_len);
}

/* The big part goes from in to out without a copy; what is left of it after the last whole
 * block joins the tail on the stack, so that the cipher never has to keep half a block. */
static bool seal_stream(struct aead *a, const uint8_t *in, size_t len, const uint8_t *tail,
                        size_t tail_len, uint8_t *out)
{
    uint8_t end[GATHER + MAX_TAIL];
    size_t body = tail_len == 0 ? len : len < GATHER ? 0 : len & ~(size_t)15;
    size_t rest = len - body, n = rest + tail_len;
    if (body && !update(a, out, in, body))
        return false;
    if (n == 0)
        return true;
    if (rest)
        memcpy(end, in + body, rest);
    memcpy(end + rest, tail, tail_len);
    bool ok = update(a, out + body, end, n);
    wipe(end, n);
    return ok;
}

bool aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
               size_t ad_len, const uint8_t *in, size_t len, const uint8_t *tail,
               size_t tail_len, uint8_t *out)
{
    if (!a->seal || tail_len > MAX_TAIL || !begin(a, nonce, NULL, ad, ad_len, len + tail_len))
        return false;
    bool done = a->c->one_shot ? seal_one_shot(a, in, len, tail, tail_len, out)
                               : seal_stream(a, in, len, tail, tail_len, out);
    return done && finish(a) && get_tag(a, out + len + tail_len);
}

bool aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
               size_t ad_len, const uint8_t *in, size_t len, uint8_t *out)
{
    uint8_t none[1];
    if (a->seal || len < a->c->tag)
        return false;
    len -= a->c->tag;
    if (!begin(a, nonce, in + len, ad, ad_len, len))
        return false;
    /* CCM checks the tag of an empty plaintext as well; out may then be NULL, which means
     * something else to update(). */
    if (((len || a->c->one_shot) && !update(a, len ? out : none, in, len)) || !finish(a)) {
        if (len)
            wipe(out, len); /* plaintext that nobody has vouched for */
        return false;
    }
    return true;
}

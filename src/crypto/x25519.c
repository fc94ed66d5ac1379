/* x25519.c: X25519 (RFC 7748) by the default provider's own functions.
 *
 * A public key is computed as X25519(private, 9), by the same code as a shared secret:
 * libcrypto's code for the fixed base point is 15 % slower than that on x86-64. For this the
 * private key is imported beside a public key that nobody reads; without one, the import
 * would compute it the slow way. Contexts are made anew each time: that is 0.4 us of 32, not
 * worth keeping one per thread. */
#include <openssl/core_names.h>

#include "crypto/kx_method.h"
#include "crypto/provider.h"
#include "crypto/random.h"

static struct {
    struct once once;
    bool usable;
    EVP_KEYEXCH *exchange; /* keeps the provider loaded */
    void *provctx;
    void *base; /* a key whose public value is the base point */
    OSSL_FUNC_keymgmt_new_fn *key_new;
    OSSL_FUNC_keymgmt_free_fn *key_free;
    OSSL_FUNC_keymgmt_import_fn *key_import;
    OSSL_FUNC_keyexch_newctx_fn *newctx;
    OSSL_FUNC_keyexch_init_fn *init;
    OSSL_FUNC_keyexch_set_peer_fn *set_peer;
    OSSL_FUNC_keyexch_derive_fn *derive;
    OSSL_FUNC_keyexch_freectx_fn *freectx;
} x;

/* The provider only reads what it imports, but an OSSL_PARAM has no way to say so: hence
 * arrays that are not const. */
static void *import_key(uint8_t public_key[32], uint8_t *private_key)
{
    OSSL_PARAM params[3], *p = params;
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, public_key, 32);
    if (private_key)
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, private_key, 32);
    *p = OSSL_PARAM_construct_end();
    int what = private_key ? OSSL_KEYMGMT_SELECT_KEYPAIR : OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
    void *key = x.key_new(x.provctx);
    if (key && x.key_import(key, what, params))
        return key;
    x.key_free(key);
    return NULL;
}

static bool find_functions(const OSSL_PROVIDER *prov)
{
    const OSSL_DISPATCH *k = provider_functions(prov, OSSL_OP_KEYMGMT, "X25519");
    const OSSL_DISPATCH *e = provider_functions(prov, OSSL_OP_KEYEXCH, "X25519");
    x.key_new = (OSSL_FUNC_keymgmt_new_fn *)provider_function(k, OSSL_FUNC_KEYMGMT_NEW);
    x.key_free = (OSSL_FUNC_keymgmt_free_fn *)provider_function(k, OSSL_FUNC_KEYMGMT_FREE);
    x.key_import =
        (OSSL_FUNC_keymgmt_import_fn *)provider_function(k, OSSL_FUNC_KEYMGMT_IMPORT);
    x.newctx = (OSSL_FUNC_keyexch_newctx_fn *)provider_function(e, OSSL_FUNC_KEYEXCH_NEWCTX);
    x.init = (OSSL_FUNC_keyexch_init_fn *)provider_function(e, OSSL_FUNC_KEYEXCH_INIT);
    x.set_peer =
        (OSSL_FUNC_keyexch_set_peer_fn *)provider_function(e, OSSL_FUNC_KEYEXCH_SET_PEER);
    x.derive = (OSSL_FUNC_keyexch_derive_fn *)provider_function(e, OSSL_FUNC_KEYEXCH_DERIVE);
    x.freectx = (OSSL_FUNC_keyexch_freectx_fn *)provider_function(e, OSSL_FUNC_KEYEXCH_FREECTX);
    return x.key_new && x.key_free && x.key_import && x.newctx && x.init && x.set_peer &&
           x.derive && x.freectx;
}

static bool usable(const struct kx_group *group)
{
    (void)group;
    if (once_begin(&x.once)) {
        uint8_t nine[32] = {9};
        x.exchange = EVP_KEYEXCH_fetch(NULL, "X25519", NULL);
        const OSSL_PROVIDER *prov = x.exchange ? EVP_KEYEXCH_get0_provider(x.exchange) : NULL;
        if (provider_is_direct(prov) && find_functions(prov)) {
            x.provctx = OSSL_PROVIDER_get0_provider_ctx(prov);
            x.base = import_key(nine, NULL);
        }
        x.usable = x.base != NULL;
        once_end(&x.once);
    }
    return x.usable;
}

static bool multiply(void *ctx, void *peer, uint8_t *out)
{
    size_t len = 0;
    return x.set_peer(ctx, peer) && x.derive(ctx, out, &len, 32) && len == 32;
}

static bool make(struct kx *kx, const uint8_t *private_key, uint8_t *share)
{
    uint8_t secret[32], unread[32] = {0};
    if (private_key)
        memcpy(secret, private_key, 32);
    else if (!random_bytes(secret, 32))
        return false;
    void *key = import_key(unread, secret);
    wipe(secret, sizeof secret);
    if (!key)
        return false;
    kx->exchange = x.newctx(x.provctx);
    bool ok = kx->exchange && x.init(kx->exchange, key, NULL) &&
              multiply(kx->exchange, x.base, share);
    x.key_free(key); /* the context holds it */
    return ok;
}

/* An all-zero secret means a share of small order, and ends the handshake.  RFC 8446 7.4.2 */
static enum kx_result derive(struct kx *kx, const uint8_t *share, uint8_t *secret)
{
    static const uint8_t zero[32];
    uint8_t copy[32];
    memcpy(copy, share, 32);
    void *peer = import_key(copy, NULL);
    if (!peer)
        return KX_FAILED;
    /* libcrypto refuses an all-zero result itself, and has no other reason to fail here. */
    bool ok = multiply(kx->exchange, peer, secret) && !ct_equal(secret, zero, 32);
    x.key_free(peer);
    return ok ? KX_OK : KX_BAD_SHARE;
}

static void clear(struct kx *kx)
{
    if (kx->exchange)
        x.freectx(kx->exchange); /* and with it the private key, which it wipes */
    kx->exchange = NULL;
}

const struct kx_method kx_x25519 = {usable, make, derive, clear, NULL};

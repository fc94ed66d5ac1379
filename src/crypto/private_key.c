/* private_key.c: a private key in use. private_key_read.c reads it. */
#define OPENSSL_SUPPRESS_DEPRECATED /* see key.h */
#include <openssl/err.h>

#include "crypto/key.h"
#include "crypto/premaster.h"
#include "crypto/private_key_read.h"
#include "crypto/provider.h"
#include "crypto/random.h"

struct private_key *private_key_wrap(struct key *key)
{
    struct private_key *priv = mem_new(sizeof *priv);
    if (!priv) {
        key_clear(key);
        return NULL;
    }
    atomic_init(&priv->refs, 1);
    priv->key = *key;
    return priv;
}

/* Legacy objects (an engine's, or with methods of the application) have no provider and stay
 * with EVP, which knows whom to ask. */
static bool set_direct(struct key *key, EVP_PKEY *pkey)
{
    if (!provider_is_direct(EVP_PKEY_get0_provider(pkey)))
        return false;
    if (EVP_PKEY_is_a(pkey, "EC") && key_direct_ec()) {
        EC_KEY *ec = EVP_PKEY_get1_EC_KEY(pkey);
        return ec && EC_KEY_get0_private_key(ec) ? key_set_ec(key, ec)
                                                 : (EC_KEY_free(ec), false);
    }
    if (EVP_PKEY_is_a(pkey, "RSA") && key_direct_rsa()) {
        RSA *rsa = EVP_PKEY_get1_RSA(pkey);
        return rsa && RSA_get0_d(rsa) ? key_set_rsa(key, rsa) : (RSA_free(rsa), false);
    }
    return false;
}

struct private_key *private_key_from_pkey(void *evp_pkey)
{
    struct key key = {0};
    if (!evp_pkey)
        return NULL;
    ERR_set_mark();
    if (!set_direct(&key, evp_pkey) && EVP_PKEY_up_ref(evp_pkey) == 1)
        key_set_pkey(&key, evp_pkey);
    ERR_pop_to_mark();
    return key.kind != KEY_NONE ? private_key_wrap(&key) : NULL;
}

void *private_key_to_pkey(const struct private_key *priv)
{
    const struct key *key = &priv->key;
    if (key->pkey)
        return EVP_PKEY_up_ref(key->pkey) == 1 ? key->pkey : NULL;
    EVP_PKEY *pkey = EVP_PKEY_new();
    if (pkey && (key->ec    ? EVP_PKEY_set1_EC_KEY(pkey, key->ec) == 1
                 : key->rsa ? EVP_PKEY_set1_RSA(pkey, key->rsa) == 1
                            : false))
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

struct private_key *private_key_ref(struct private_key *key)
{
    if (key)
        atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void private_key_free(struct private_key *key)
{
    if (!key || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1)
        return;
    key_clear(&key->key);
    mem_free(key);
}

enum key_kind private_key_kind(const struct private_key *key)
{
    return key->key.kind;
}

unsigned private_key_bits(const struct private_key *key)
{
    return key->key.bits;
}

bool private_key_spki(const struct private_key *key, uint8_t **out, size_t *out_len)
{
    return key_spki(&key->key, out, out_len);
}

bool private_key_matches(const struct private_key *priv, const struct public_key *pub)
{
    return key_equal(&priv->key, &pub->key);
}

bool private_key_sign(const struct private_key *key, enum sig_id id, struct slice message,
                      uint8_t *out, size_t *out_len)
{
    return key_sign(&key->key, id, message, out, out_len);
}

/* Without padding, so that only premaster_choose ever looks at the block. libcrypto blinds the
 * operation, and pads its result in constant time. false: not a number below the modulus,
 * which anybody can see, or no memory. */
static bool decrypt_raw(const struct key *key, struct slice cipher, uint8_t *out)
{
    if (key->rsa)
        return RSA_private_decrypt((int)cipher.len, cipher.p, out, key->rsa, RSA_NO_PADDING) ==
               (int)cipher.len;
    size_t len = SIG_MAX_SIZE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = ctx && EVP_PKEY_decrypt_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 &&
              EVP_PKEY_decrypt(ctx, out, &len, cipher.p, cipher.len) > 0 && len == cipher.len;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* The random bytes are drawn whether they will be needed or not: to draw them afterwards would
 * take time that shows. */
bool private_key_decrypt_premaster(const struct private_key *key, struct slice cipher,
                                   uint16_t version, uint8_t premaster[48])
{
    uint8_t block[SIG_MAX_SIZE] = {0};
    if (key->key.kind != KEY_RSA || !random_bytes(premaster, PREMASTER_SIZE))
        return false;
    if (cipher.len != (key->key.bits + 7) / 8)
        return true;
    ERR_set_mark();
    if (decrypt_raw(&key->key, cipher, block))
        premaster_choose(block, cipher.len, version, premaster);
    ERR_pop_to_mark();
    wipe(block, sizeof block);
    return true;
}

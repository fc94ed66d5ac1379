/* key.c: one half of a key pair, on the direct route or on EVP's. */
#define OPENSSL_SUPPRESS_DEPRECATED /* see key.h */
#include "crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/x509.h>

#include "crypto/curve.h"
#include "crypto/provider.h"

bool key_direct_ec(void)
{
    static struct once once;
    static bool direct;
    if (once_begin(&once)) {
        direct = provider_direct_signature("ECDSA");
        once_end(&once);
    }
    return direct;
}

bool key_direct_rsa(void)
{
    static struct once once;
    static bool direct;
    if (once_begin(&once)) {
        direct = provider_direct_signature("RSA");
        once_end(&once);
    }
    return direct;
}

static enum key_kind kind_of_curve(int nid)
{
    switch (nid) {
    case NID_X9_62_prime256v1: return KEY_P256;
    case NID_secp384r1: return KEY_P384;
    case NID_secp521r1: return KEY_P521;
    default: return KEY_OTHER;
    }
}

EC_KEY *key_new_ec(int nid)
{
    const struct curve *c = curve_of(nid);
    EC_KEY *ec = c ? EC_KEY_new() : NULL;
    if (ec && EC_KEY_set_group(ec, c->group) == 1)
        return ec;
    EC_KEY_free(ec);
    return NULL;
}

bool key_set_ec(struct key *key, EC_KEY *ec)
{
    const EC_GROUP *group = EC_KEY_get0_group(ec);
    if (!group || !EC_KEY_get0_public_key(ec)) {
        EC_KEY_free(ec);
        return false;
    }
    key->kind = kind_of_curve(EC_GROUP_get_curve_name(group));
    key->bits = (unsigned)EC_GROUP_order_bits(group);
    key->ec = ec;
    return true;
}

bool key_set_rsa(struct key *key, RSA *rsa)
{
    /* A key with a longer modulus can be named, but not used: verifying with it takes ms. */
    key->bits = (unsigned)RSA_bits(rsa);
    key->kind = key->bits <= KEY_MAX_RSA_BITS ? KEY_RSA : KEY_OTHER;
    key->rsa = rsa;
    return true;
}

static enum key_kind kind_of_pkey(const EVP_PKEY *pkey)
{
    char curve[32] = "";
    size_t len;
    if (EVP_PKEY_is_a(pkey, "EC")) {
        if (EVP_PKEY_get_group_name(pkey, curve, sizeof curve, &len) != 1)
            return KEY_OTHER;
        int nid = OBJ_sn2nid(curve);
        return kind_of_curve(nid != NID_undef ? nid : EC_curve_nist2nid(curve));
    }
    if (EVP_PKEY_is_a(pkey, "RSA"))
        return EVP_PKEY_get_bits(pkey) <= KEY_MAX_RSA_BITS ? KEY_RSA : KEY_OTHER;
    if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
        return EVP_PKEY_get_bits(pkey) <= KEY_MAX_RSA_BITS ? KEY_RSA_PSS : KEY_OTHER;
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return KEY_ED25519;
    return EVP_PKEY_is_a(pkey, "ED448") ? KEY_ED448 : KEY_OTHER;
}

bool key_set_pkey(struct key *key, EVP_PKEY *pkey)
{
    ERR_set_mark();
    key->kind = kind_of_pkey(pkey);
    ERR_pop_to_mark();
    key->bits = (unsigned)EVP_PKEY_get_bits(pkey);
    key->pkey = pkey;
    return true;
}

void key_clear(struct key *key)
{
    EC_KEY_free(key->ec);
    RSA_free(key->rsa);
    EVP_PKEY_free(key->pkey);
    *key = (struct key){0};
}

static bool equal_ec(const EC_KEY *a, const EC_KEY *b)
{
    return EC_POINT_cmp(EC_KEY_get0_group(a), EC_KEY_get0_public_key(a),
                        EC_KEY_get0_public_key(b), NULL) == 0;
}

static bool equal_rsa(const RSA *a, const RSA *b)
{
    return BN_cmp(RSA_get0_n(a), RSA_get0_n(b)) == 0 &&
           BN_cmp(RSA_get0_e(a), RSA_get0_e(b)) == 0;
}

/* One half is in the default provider, the other one is not: an engine's private key with a
 * certificate. */
static EVP_PKEY *as_pkey(const struct key *key)
{
    EVP_PKEY *pkey = key->pkey;
    if (pkey) {
        EVP_PKEY_up_ref(pkey);
        return pkey;
    }
    pkey = EVP_PKEY_new();
    if (pkey &&
        (key->ec ? EVP_PKEY_set1_EC_KEY(pkey, key->ec) : EVP_PKEY_set1_RSA(pkey, key->rsa)))
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

bool key_equal(const struct key *a, const struct key *b)
{
    if (a->kind != b->kind || a->bits != b->bits)
        return false;
    ERR_set_mark();
    bool equal;
    if (a->ec && b->ec) {
        equal = EC_GROUP_cmp(EC_KEY_get0_group(a->ec), EC_KEY_get0_group(b->ec), NULL) == 0 &&
                equal_ec(a->ec, b->ec);
    } else if (a->rsa && b->rsa) {
        equal = equal_rsa(a->rsa, b->rsa);
    } else {
        EVP_PKEY *x = as_pkey(a), *y = as_pkey(b);
        equal = x && y && EVP_PKEY_eq(x, y) == 1;
        EVP_PKEY_free(x);
        EVP_PKEY_free(y);
    }
    ERR_pop_to_mark();
    return equal;
}

bool key_spki(const struct key *key, uint8_t **out, size_t *out_len)
{
    unsigned char *der = NULL;
    ERR_set_mark();
    EVP_PKEY *pkey = as_pkey(key);
    int len = pkey ? i2d_PUBKEY(pkey, &der) : 0;
    EVP_PKEY_free(pkey);
    ERR_pop_to_mark();
    *out = len > 0 ? mem_dup(der, (size_t)len) : NULL;
    *out_len = *out ? (size_t)len : 0;
    OPENSSL_free(der);
    return *out != NULL;
}

/* signature.c: making and checking signatures: ECDSA (FIPS 186-5), RSASSA-PKCS1-v1_5 and
 * RSASSA-PSS (RFC 8017), EdDSA (RFC 8032). */
#define OPENSSL_SUPPRESS_DEPRECATED /* see key.h */
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/pss.h"
#include "crypto/random.h"

enum family { NONE, ECDSA, PSS, PKCS1, EDDSA };

static const struct algorithm {
    enum family family;
    enum hash_id hash;
    int nid;
    const char *md;
    enum key_kind kind; /* EdDSA only */
} algorithms[] = {
    /* clang-format off */
    [SIG_ECDSA_SHA256] = { ECDSA, HASH_SHA256, NID_sha256, "SHA256", KEY_NONE },
    [SIG_ECDSA_SHA384] = { ECDSA, HASH_SHA384, NID_sha384, "SHA384", KEY_NONE },
    [SIG_ECDSA_SHA512] = { ECDSA, HASH_SHA512, NID_sha512, "SHA512", KEY_NONE },
    [SIG_PSS_SHA256]   = { PSS,   HASH_SHA256, NID_sha256, "SHA256", KEY_NONE },
    [SIG_PSS_SHA384]   = { PSS,   HASH_SHA384, NID_sha384, "SHA384", KEY_NONE },
    [SIG_PSS_SHA512]   = { PSS,   HASH_SHA512, NID_sha512, "SHA512", KEY_NONE },
    [SIG_PKCS1_SHA256] = { PKCS1, HASH_SHA256, NID_sha256, "SHA256", KEY_NONE },
    [SIG_PKCS1_SHA384] = { PKCS1, HASH_SHA384, NID_sha384, "SHA384", KEY_NONE },
    [SIG_PKCS1_SHA512] = { PKCS1, HASH_SHA512, NID_sha512, "SHA512", KEY_NONE },
    [SIG_ED25519]      = { EDDSA, HASH_NONE,   NID_undef,  NULL,     KEY_ED25519 },
    [SIG_ED448]        = { EDDSA, HASH_NONE,   NID_undef,  NULL,     KEY_ED448 },
    [SIG_ECDSA_SHA1]   = { ECDSA, HASH_SHA1,   NID_sha1,   "SHA1",   KEY_NONE },
    [SIG_PKCS1_SHA1]   = { PKCS1, HASH_SHA1,   NID_sha1,   "SHA1",   KEY_NONE },
    /* libcrypto leaves DigestInfo out for this NID, as RFC 4346 7.4.3 wants it. */
    [SIG_PKCS1_MD5_SHA1] = { PKCS1, HASH_MD5_SHA1, NID_md5_sha1, "MD5-SHA1", KEY_NONE },
    /* clang-format on */
};

static const struct algorithm *algorithm_of(enum sig_id id)
{
    static const struct algorithm none;
    return (size_t)id < sizeof algorithms / sizeof algorithms[0] ? &algorithms[id] : &none;
}

bool sig_fits(enum sig_id id, enum key_kind kind, unsigned bits)
{
    const struct algorithm *a = algorithm_of(id);
    switch (a->family) {
    case ECDSA: return kind == KEY_P256 || kind == KEY_P384 || kind == KEY_P521;
    case PKCS1: return kind == KEY_RSA;
    case PSS:
        return (kind == KEY_RSA || kind == KEY_RSA_PSS) &&
               bits / 8 >= 2 * hash_size(a->hash) + 2;
    case EDDSA: return kind == a->kind;
    case NONE: break;
    }
    return false;
}

/* EVP's route: the padding of RSA is set on the key's context, EdDSA takes the message
 * whole. */
static bool set_pss(const struct algorithm *a, EVP_PKEY_CTX *ctx)
{
    return a->family != PSS ||
           (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

static bool sign_evp(EVP_PKEY *pkey, const struct algorithm *a, struct slice message,
                     uint8_t *out, size_t *out_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    *out_len = SIG_MAX_SIZE;
    bool ok = ctx && EVP_DigestSignInit_ex(ctx, &key_ctx, a->md, NULL, NULL, pkey, NULL) > 0 &&
              set_pss(a, key_ctx) &&
              EVP_DigestSign(ctx, out, out_len, message.p, message.len) > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool verify_evp(EVP_PKEY *pkey, const struct algorithm *a, struct slice message,
                       struct slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    bool ok = ctx &&
              EVP_DigestVerifyInit_ex(ctx, &key_ctx, a->md, NULL, NULL, pkey, NULL) > 0 &&
              set_pss(a, key_ctx) &&
              EVP_DigestVerify(ctx, signature.p, signature.len, message.p, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool sign_pss(RSA *rsa, const struct algorithm *a, unsigned bits, const uint8_t *digest,
                     uint8_t *out, size_t *out_len)
{
    uint8_t salt[HASH_MAX_SIZE], em[SIG_MAX_SIZE];
    int len = RSA_size(rsa);
    if (!random_bytes(salt, hash_size(a->hash)) ||
        !pss_encode(a->hash, bits, digest, salt, em) ||
        RSA_private_encrypt(len, em, out, rsa, RSA_NO_PADDING) != len)
        return false;
    *out_len = (size_t)len;
    return true;
}

static bool verify_pss(RSA *rsa, const struct algorithm *a, unsigned bits,
                       const uint8_t *digest, struct slice signature)
{
    uint8_t em[SIG_MAX_SIZE];
    int len = RSA_size(rsa);
    return signature.len == (size_t)len &&
           RSA_public_decrypt(len, signature.p, em, rsa, RSA_NO_PADDING) == len &&
           pss_verify(a->hash, bits, digest, em);
}

bool key_sign(const struct key *key, enum sig_id id, struct slice message, uint8_t *out,
              size_t *out_len)
{
    const struct algorithm *a = algorithm_of(id);
    uint8_t digest[HASH_MAX_SIZE];
    unsigned len = 0;
    *out_len = 0;
    if (!sig_fits(id, key->kind, key->bits))
        return false;
    if (key->pkey)
        return sign_evp(key->pkey, a, message, out, out_len);
    hash_once(a->hash, message.p, message.len, digest);
    if (a->family == PSS)
        return sign_pss(key->rsa, a, key->bits, digest, out, out_len);
    int size = (int)hash_size(a->hash);
    bool ok = a->family == ECDSA
                  ? ECDSA_sign(0, digest, size, out, &len, key->ec) == 1
                  : RSA_sign(a->nid, digest, (unsigned)size, out, &len, key->rsa) == 1;
    /* ECDSA_sign returns success and a length of -1 if the encoding of its result runs out
     * of memory. */
    if (!ok || len == 0 || len > SIG_MAX_SIZE)
        return false;
    *out_len = len;
    return true;
}

bool key_verify(const struct key *key, enum sig_id id, struct slice message,
                struct slice signature)
{
    const struct algorithm *a = algorithm_of(id);
    uint8_t digest[HASH_MAX_SIZE];
    if (!sig_fits(id, key->kind, key->bits) || signature.len == 0 ||
        signature.len > SIG_MAX_SIZE)
        return false;
    if (key->pkey)
        return verify_evp(key->pkey, a, message, signature);
    hash_once(a->hash, message.p, message.len, digest);
    int size = (int)hash_size(a->hash), len = (int)signature.len;
    if (a->family == PSS)
        return verify_pss(key->rsa, a, key->bits, digest, signature);
    if (a->family == ECDSA)
        return ECDSA_verify(0, digest, size, signature.p, len, key->ec) == 1;
    return RSA_verify(a->nid, digest, (unsigned)size, signature.p, (unsigned)len, key->rsa) ==
           1;
}

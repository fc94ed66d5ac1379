/* Signatures: every algorithm with every kind of key, against libcrypto's EVP in both
 * directions; published vectors; what has to be refused; threads; lack of memory. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "check.h"
#include "crypto/provider.h"
#include "crypto/pss.h"
#include "crypto/sign.h"
#include "hex.h"
#include "pki.h"

#define FIRST SIG_ECDSA_SHA256
#define LAST  SIG_PKCS1_MD5_SHA1

/* ---- keys: 2049 bits are the length at which EMSA-PSS is a byte shorter than the modulus */

static struct test_key {
    const char *name, *curve;
    unsigned rsa_bits;
    enum key_kind kind;
    unsigned bits;
    EVP_PKEY *pkey;
    struct private_key *priv;
    struct public_key *pub;
} keys[] = {
    {"EC", "P-256", 0, KEY_P256, 256, NULL, NULL, NULL},
    {"EC", "P-384", 0, KEY_P384, 384, NULL, NULL, NULL},
    {"EC", "P-521", 0, KEY_P521, 521, NULL, NULL, NULL},
    {"EC", "secp256k1", 0, KEY_OTHER, 256, NULL, NULL, NULL},
    {"RSA", NULL, 2048, KEY_RSA, 2048, NULL, NULL, NULL},
    {"RSA odd", NULL, 2049, KEY_RSA, 2049, NULL, NULL, NULL},
    {"RSA", NULL, 1024, KEY_RSA, 1024, NULL, NULL, NULL},
    {"RSA-PSS", NULL, 2048, KEY_RSA_PSS, 2048, NULL, NULL, NULL},
    {"ED25519", NULL, 0, KEY_ED25519, 256, NULL, NULL, NULL},
    {"ED448", NULL, 0, KEY_ED448, 456, NULL, NULL, NULL},
    {"X25519", NULL, 0, KEY_OTHER, 253, NULL, NULL, NULL},
};
#define KEYS (sizeof keys / sizeof keys[0])

/* libcrypto makes no modulus of 2049 bits: from primes of 1025 and 1024 bits, without the
 * parameters for the Chinese remainder theorem. */
static EVP_PKEY *generate_odd_rsa(void)
{
    BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new(), *e = BN_new(), *d = NULL;
    BN_CTX *bn = BN_CTX_new();
    EVP_PKEY *pkey = NULL;
    BN_set_word(e, 65537);
    while (!d) {
        BN_generate_prime_ex(p, 1025, 0, NULL, NULL, NULL);
        BN_generate_prime_ex(q, 1024, 0, NULL, NULL, NULL);
        BN_mul(n, p, q, bn);
        BN_sub_word(p, 1);
        BN_sub_word(q, 1);
        BN_mul(p, p, q, bn);
        if (BN_num_bits(n) == 2049)
            d = BN_mod_inverse(NULL, e, p, bn);
    }
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY_fromdata_init(ctx);
    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(p);
    BN_free(q);
    BN_free(n);
    BN_free(e);
    BN_free(d);
    BN_CTX_free(bn);
    return pkey;
}

static EVP_PKEY *generate(const char *name, const char *curve, unsigned rsa_bits)
{
    EVP_PKEY *pkey = NULL;
    if (rsa_bits == 2049)
        return generate_odd_rsa();
    if (rsa_bits)
        return pki_rsa(name, rsa_bits);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    EVP_PKEY_keygen_init(ctx);
    if (curve)
        EVP_PKEY_CTX_set_group_name(ctx, curve);
    EVP_PKEY_generate(ctx, &pkey);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static struct public_key *public_of(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    struct public_key *pub = len > 0 ? public_key_from_spki(slice_of(der, (size_t)len)) : NULL;
    OPENSSL_free(der);
    return pub;
}

static void test_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct test_key *k = &keys[i];
        k->pkey = generate(k->name, k->curve, k->rsa_bits);
        CHECK(k->pkey != NULL);
        k->priv = private_key_from_pkey(k->pkey);
        k->pub = public_of(k->pkey);
        CHECK(k->priv && k->pub);
        CHECK_INT(private_key_kind(k->priv), k->kind);
        CHECK_INT(public_key_kind(k->pub), k->kind);
        CHECK_INT(private_key_bits(k->priv), k->bits);
        CHECK_INT(public_key_bits(k->pub), k->bits);
    }
}

static void free_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        private_key_free(keys[i].priv);
        public_key_free(keys[i].pub);
        EVP_PKEY_free(keys[i].pkey);
    }
}

/* ---- EVP's opinion */

static const EVP_MD *md_of(enum sig_id id)
{
    switch (id) {
    case SIG_ECDSA_SHA256:
    case SIG_PSS_SHA256:
    case SIG_PKCS1_SHA256: return EVP_sha256();
    case SIG_ECDSA_SHA384:
    case SIG_PSS_SHA384:
    case SIG_PKCS1_SHA384: return EVP_sha384();
    case SIG_ECDSA_SHA512:
    case SIG_PSS_SHA512:
    case SIG_PKCS1_SHA512: return EVP_sha512();
    case SIG_ECDSA_SHA1:
    case SIG_PKCS1_SHA1: return EVP_sha1();
    case SIG_PKCS1_MD5_SHA1: return EVP_md5_sha1();
    case SIG_NONE:
    case SIG_ED25519:
    case SIG_ED448: break;
    }
    return NULL;
}

static void padding(EVP_PKEY_CTX *ctx, enum sig_id id)
{
    if (id < SIG_PSS_SHA256 || id > SIG_PSS_SHA512)
        return;
    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)EVP_MD_get_size(md_of(id)));
}

static size_t evp_sign(EVP_PKEY *pkey, enum sig_id id, struct slice message, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    size_t len = SIG_MAX_SIZE;
    CHECK_INT(EVP_DigestSignInit(ctx, &inner, md_of(id), NULL, pkey), 1);
    padding(inner, id);
    CHECK_INT(EVP_DigestSign(ctx, out, &len, message.p, message.len), 1);
    EVP_MD_CTX_free(ctx);
    return len;
}

static bool evp_verify(EVP_PKEY *pkey, enum sig_id id, struct slice message,
                       struct slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    CHECK_INT(EVP_DigestVerifyInit(ctx, &inner, md_of(id), NULL, pkey), 1);
    padding(inner, id);
    bool ok = EVP_DigestVerify(ctx, signature.p, signature.len, message.p, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* ---- which algorithm fits which key: written out, not computed */

static bool expected_fit(enum sig_id id, const struct test_key *k)
{
    bool ec = k->kind == KEY_P256 || k->kind == KEY_P384 || k->kind == KEY_P521;
    if (id <= SIG_ECDSA_SHA512 || id == SIG_ECDSA_SHA1)
        return ec;
    if (id == SIG_PSS_SHA512 && k->bits == 1024) /* 128 bytes, 2 * 64 + 2 are needed */
        return false;
    if (id <= SIG_PSS_SHA512)
        return k->kind == KEY_RSA || k->kind == KEY_RSA_PSS;
    if (id <= SIG_PKCS1_SHA512 || id == SIG_PKCS1_SHA1 || id == SIG_PKCS1_MD5_SHA1)
        return k->kind == KEY_RSA;
    return k->kind == (id == SIG_ED25519 ? KEY_ED25519 : KEY_ED448);
}

static void test_fits(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        for (enum sig_id id = FIRST; id <= LAST; id++)
            CHECK_INT(sig_fits(id, keys[i].kind, keys[i].bits), expected_fit(id, &keys[i]));
        CHECK(!sig_fits(SIG_NONE, keys[i].kind, keys[i].bits));
        CHECK(!sig_fits((enum sig_id)99, keys[i].kind, keys[i].bits));
    }
    for (enum sig_id id = FIRST; id <= LAST; id++)
        CHECK(!sig_fits(id, KEY_NONE, 4096));
    CHECK(sig_fits(SIG_PSS_SHA512, KEY_RSA, 1040));
    CHECK(!sig_fits(SIG_PSS_SHA512, KEY_RSA, 1039));
}

/* ---- sign, verify, tamper */

static uint8_t text[300];

static void tamper(const struct public_key *pub, enum sig_id id, struct slice message,
                   uint8_t *sig, size_t len)
{
    for (size_t i = 0; i<len; i += len> 100 ? 13 : 1) {
        sig[i] ^= 0x04;
        CHECK(!public_key_verify(pub, id, message, slice_of(sig, len)));
        sig[i] ^= 0x04;
    }
    CHECK(!public_key_verify(pub, id, message, slice_of(sig, len - 1)));
    sig[len] = 0;
    CHECK(!public_key_verify(pub, id, message, slice_of(sig, len + 1)));
    CHECK(!public_key_verify(pub, id, message, slice_of(sig, 0)));
    CHECK(
        !public_key_verify(pub, id, slice_of(message.p, message.len - 1), slice_of(sig, len)));
    text[5] ^= 1;
    CHECK(!public_key_verify(pub, id, message, slice_of(sig, len)));
    text[5] ^= 1;
    CHECK(public_key_verify(pub, id, message, slice_of(sig, len)));
}

static void one_pair(const struct test_key *k, const struct private_key *priv,
                     const struct public_key *pub, enum sig_id id)
{
    uint8_t sig[SIG_MAX_SIZE + 1], other[SIG_MAX_SIZE];
    size_t len = 99;
    struct slice message = slice_of(text, sizeof text);
    ERR_clear_error();
    if (!expected_fit(id, k)) {
        CHECK(!private_key_sign(priv, id, message, sig, &len));
        CHECK_INT(len, 0);
        memset(sig, 1, sizeof sig);
        CHECK(!public_key_verify(pub, id, message, slice_of(sig, 64)));
        return;
    }
    CHECK(private_key_sign(priv, id, message, sig, &len));
    CHECK(len > 0 && len <= SIG_MAX_SIZE);
    CHECK(public_key_verify(pub, id, message, slice_of(sig, len)));
    CHECK(evp_verify(k->pkey, id, message, slice_of(sig, len)));
    size_t other_len = evp_sign(k->pkey, id, message, other);
    CHECK(public_key_verify(pub, id, message, slice_of(other, other_len)));
    tamper(pub, id, message, sig, len);
    for (enum sig_id wrong = FIRST; wrong <= LAST; wrong++) {
        if (wrong != id)
            CHECK(!public_key_verify(pub, wrong, message, slice_of(sig, len)));
    }
    for (size_t i = 0; i < KEYS; i++) {
        if (&keys[i] != k)
            CHECK(!public_key_verify(keys[i].pub, id, message, slice_of(sig, len)));
    }
    CHECK_INT(ERR_peek_error(), 0);
}

static void test_all_pairs(void)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (size_t i = 0; i < KEYS; i++) {
        for (enum sig_id id = FIRST; id <= LAST; id++)
            one_pair(&keys[i], keys[i].priv, keys[i].pub, id);
    }
}

/* The same by EVP on our side. */
static void test_evp_route(void)
{
    provider_test_evp_only(true);
    for (size_t i = 0; i < KEYS; i++) {
        struct private_key *priv = private_key_from_pkey(keys[i].pkey);
        struct public_key *pub = public_key_from_pkey(keys[i].pkey);
        CHECK_INT(private_key_kind(priv), keys[i].kind);
        CHECK_INT(public_key_kind(pub), keys[i].kind);
        CHECK_INT(private_key_bits(priv), keys[i].bits);
        for (enum sig_id id = FIRST; id <= LAST; id++)
            one_pair(&keys[i], priv, pub, id);
        /* halves on different routes */
        CHECK(private_key_matches(priv, keys[i].pub));
        CHECK(private_key_matches(keys[i].priv, pub));
        CHECK(!private_key_matches(priv, keys[(i + 1) % KEYS].pub));
        private_key_free(priv);
        public_key_free(pub);
    }
    provider_test_evp_only(false);
}

/* A salt of another length than the hash's is not what TLS's schemes are (RFC 8446 4.2.3). */
static void test_pss_salt(void)
{
    const struct test_key *k = &keys[4];
    static const int lengths[] = {0, 20, 31, 33, RSA_PSS_SALTLEN_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t sig[SIG_MAX_SIZE];
        size_t len = sizeof sig;
        EVP_PKEY_CTX *inner = NULL;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_DigestSignInit(ctx, &inner, EVP_sha256(), NULL, k->pkey);
        EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, lengths[i]);
        CHECK_INT(EVP_DigestSign(ctx, sig, &len, text, sizeof text), 1);
        EVP_MD_CTX_free(ctx);
        CHECK(!public_key_verify(k->pub, SIG_PSS_SHA256, slice_of(text, sizeof text),
                                 slice_of(sig, len)));
    }
}

/* EMSA-PSS by itself: each rule of RFC 8017 9.1.2 is broken alone. What stands before the
 * salt is not covered by the hash, so that only the rule itself can refuse it. */
static void test_pss_encoding(void)
{
    static const unsigned sizes[] = {1024, 2047, 2048, 2049, 2050};
    uint8_t digest[32] = {1, 2, 3}, salt[32] = {4, 5, 6}, em[260], copy[260];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned bits = sizes[i];
        size_t len = (bits + 7) / 8, db = (bits - 1 + 7) / 8 - 33, start = len - db - 33;
        CHECK(pss_encode(HASH_SHA256, bits, digest, salt, em));
        memcpy(copy, em, len);
        CHECK(pss_verify(HASH_SHA256, bits, digest, copy));
        for (size_t at = 0; at < len; at++) {
            for (int bit = 0; bit < 8; bit++) {
                memcpy(copy, em, len);
                copy[at] ^= (uint8_t)(1 << bit);
                CHECK(!pss_verify(HASH_SHA256, bits, digest, copy));
            }
        }
        CHECK_INT(em[len - 1], 0xbc);
        CHECK(start == 0 || em[0] == 0);
        digest[0] ^= 1;
        CHECK(!pss_verify(HASH_SHA256, bits, digest, em));
        digest[0] ^= 1;
    }
    CHECK(!pss_encode(HASH_SHA256, 520, digest, salt, em));
    CHECK(pss_encode(HASH_SHA256, 522, digest, salt, em));
    CHECK(!pss_verify(HASH_SHA256, 520, digest, em));
}

/* What TLS 1.0 and 1.1 sign with RSA: block type 1 around both digests and nothing else (RFC
 * 4346 7.4.3). With DigestInfo around them it is something else. */
static void test_md5_sha1_encoding(void)
{
    const struct test_key *k = &keys[4];
    uint8_t sig[SIG_MAX_SIZE], em[256], digest[36];
    size_t len = 0, em_len = sizeof em;
    CHECK(
        private_key_sign(k->priv, SIG_PKCS1_MD5_SHA1, slice_of(text, sizeof text), sig, &len));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    EVP_PKEY_verify_recover_init(ctx);
    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING);
    CHECK_INT(EVP_PKEY_verify_recover(ctx, em, &em_len, sig, len), 1);
    CHECK_INT(em_len, 256);
    CHECK(em[0] == 0 && em[1] == 1 && em[256 - 37] == 0);
    for (int i = 2; i < 256 - 37; i++)
        CHECK_INT(em[i], 0xff);
    EVP_Digest(text, sizeof text, digest, NULL, EVP_md5(), NULL);
    EVP_Digest(text, sizeof text, digest + 16, NULL, EVP_sha1(), NULL);
    CHECK_MEM(em + 256 - 36, digest, 36);
    EVP_PKEY_CTX_free(ctx);
}

static void test_matches(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        for (size_t j = 0; j < KEYS; j++)
            CHECK_INT(private_key_matches(keys[i].priv, keys[j].pub), i == j);
        EVP_PKEY *second = generate(keys[i].name, keys[i].curve, keys[i].rsa_bits);
        struct public_key *pub = public_of(second);
        CHECK(!private_key_matches(keys[i].priv, pub));
        public_key_free(pub);
        EVP_PKEY_free(second);
    }
}

static void test_refs(void)
{
    struct private_key *priv = private_key_ref(keys[0].priv);
    struct public_key *pub = public_key_ref(keys[0].pub);
    CHECK(priv == keys[0].priv && pub == keys[0].pub);
    private_key_free(priv);
    public_key_free(pub);
    CHECK_INT(public_key_kind(keys[0].pub), KEY_P256);
    private_key_free(NULL);
    public_key_free(NULL);
    CHECK(!private_key_ref(NULL));
    CHECK(!public_key_ref(NULL));
    CHECK(!private_key_from_pkey(NULL));
    CHECK(!public_key_from_pkey(NULL));
}

/* ---- vectors */

/* RFC 6979 A.2.5: P-256, message "sample" and "test". */
static void test_ecdsa_vectors(void)
{
    uint8_t spki[91], sig[72];
    unhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"
          "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
          "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
          spki);
    struct public_key *pub = public_key_from_spki(slice_of(spki, sizeof spki));
    CHECK_INT(public_key_kind(pub), KEY_P256);
    size_t len =
        unhex("3046 022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
              "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
              sig);
    CHECK(public_key_verify(pub, SIG_ECDSA_SHA256, slice_of("sample", 6), slice_of(sig, len)));
    CHECK(!public_key_verify(pub, SIG_ECDSA_SHA256, slice_of("simple", 6), slice_of(sig, len)));
    CHECK(!public_key_verify(pub, SIG_ECDSA_SHA384, slice_of("sample", 6), slice_of(sig, len)));
    /* Not DER: a long form of the length; r with a zero too many; r and s zero; nothing
     * inside. */
    static const char *const bad[] = {
        "308146022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        "304702220000efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        "3006020100020100",
        "3006020101020100",
        "3006020100020101",
        "3006020101020101",
        "3000",
        "30060201ff020101",
        "00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t other[80];
        size_t n = unhex(bad[i], other);
        CHECK(!public_key_verify(pub, SIG_ECDSA_SHA256, slice_of("sample", 6),
                                 slice_of(other, n)));
    }
    public_key_free(pub);
}

/* RFC 8032 7.1 and 7.4, the empty message: deterministic, so the signature itself can be
 * compared. */
static void test_eddsa_vectors(void)
{
    static const struct {
        enum sig_id id;
        const char *name, *seed, *sig;
    } vectors[] = {
        {SIG_ED25519, "ED25519",
         "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {SIG_ED448, "ED448",
         "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f"
         "032e7549a20098f95b",
         "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d78"
         "28c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4db"
         "b61149f05a7363268c71d95808ff2e652600"},
    };
    for (int i = 0; i < 2; i++) {
        uint8_t seed[57], want[114], got[SIG_MAX_SIZE];
        size_t len = unhex(vectors[i].seed, seed), sig_len = unhex(vectors[i].sig, want),
               got_len;
        EVP_PKEY *pkey =
            EVP_PKEY_new_raw_private_key_ex(NULL, vectors[i].name, NULL, seed, len);
        struct private_key *priv = private_key_from_pkey(pkey);
        CHECK(private_key_sign(priv, vectors[i].id, slice_of("", 0), got, &got_len));
        CHECK_INT(got_len, sig_len);
        CHECK_MEM(got, want, sig_len);
        private_key_free(priv);
        EVP_PKEY_free(pkey);
    }
}

/* ---- public keys from other places */

static void test_public_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        X509 *x = X509_new();
        X509_set_pubkey(x, keys[i].pkey);
        struct public_key *pub = public_key_from_x509(x);
        CHECK_INT(public_key_kind(pub), keys[i].kind);
        CHECK_INT(public_key_bits(pub), keys[i].bits);
        CHECK(private_key_matches(keys[i].priv, pub));
        public_key_free(pub);
        X509_free(x);
        unsigned char *der = NULL;
        int len = i2d_PUBKEY(keys[i].pkey, &der);
        for (int n = 0; n < len; n++)
            CHECK(!public_key_from_spki(slice_of(der, (size_t)n)));
        /* Whatever a changed byte makes of it, it must not be this key; most are no key at
         * all. */
        for (int n = 0; n < len; n++) {
            der[n] ^= 0x21;
            pub = public_key_from_spki(slice_of(der, (size_t)len));
            if (pub && n > 30)
                CHECK(!private_key_matches(keys[i].priv, pub));
            public_key_free(pub);
            der[n] ^= 0x21;
        }
        OPENSSL_free(der);
    }
    CHECK(!public_key_from_spki((struct slice){0}));
}

/* Compressed points may stand in certificates (RFC 5480 2.2). RSA beyond 8192 bits is a key,
 * but of no use. */
static void test_unusual_public_keys(void)
{
    uint8_t spki[60];
    size_t len = unhex("3039301306072a8648ce3d020106082a8648ce3d03010703220003"
                       "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
                       spki);
    struct public_key *pub = public_key_from_spki(slice_of(spki, len));
    CHECK(pub && public_key_kind(pub) == KEY_P256);
    public_key_free(pub);
    spki[40] ^= 0x02; /* half of all values of x are not on the curve; this one is not */
    CHECK(!public_key_from_spki(slice_of(spki, len)));
    static uint8_t der[1400];
    len = unhex("30820522300d06092a864886f70d01010105000382050f003082050a0282050100", der);
    CHECK_INT(len, 33);
    memset(der + len, 0xc3, 1280);
    len += 1280;
    size_t e = unhex("0203010001", der + len);
    pub = public_key_from_spki(slice_of(der, len + e));
    CHECK(pub != NULL);
    if (pub) {
        CHECK_INT(public_key_bits(pub), 10240);
        CHECK_INT(public_key_kind(pub), KEY_OTHER);
    }
    public_key_free(pub);
}

/* ---- threads and memory */

static void *thread(void *arg)
{
    uint8_t sig[SIG_MAX_SIZE];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < KEYS; i++) {
            for (enum sig_id id = FIRST; id <= LAST; id++) {
                size_t len;
                if (!expected_fit(id, &keys[i]))
                    continue;
                struct private_key *priv = private_key_ref(keys[i].priv);
                struct slice message = slice_of(text, sizeof text);
                if (!private_key_sign(priv, id, message, sig, &len) ||
                    !public_key_verify(keys[i].pub, id, message, slice_of(sig, len)))
                    return NULL;
                private_key_free(priv);
            }
        }
    }
    return arg;
}

static void test_threads(void)
{
    pthread_t t[2];
    static int token;
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_create(&t[i], NULL, thread, &token), 0);
    for (int i = 0; i < 2; i++) {
        void *result = NULL;
        pthread_join(t[i], &result);
        CHECK(result == &token);
    }
}

static void test_memory(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        mem_test_fail_after(1);
        CHECK(!private_key_from_pkey(keys[i].pkey));
        CHECK(!public_key_from_pkey(keys[i].pkey));
        CHECK(!public_of(keys[i].pkey));
        mem_test_fail_after(0);
    }
}

int main(void)
{
    RUN(test_keys);
    RUN(test_threads);
    RUN(test_fits);
    RUN(test_all_pairs);
    RUN(test_evp_route);
    RUN(test_pss_salt);
    RUN(test_pss_encoding);
    RUN(test_md5_sha1_encoding);
    RUN(test_matches);
    RUN(test_refs);
    RUN(test_ecdsa_vectors);
    RUN(test_eddsa_vectors);
    RUN(test_public_keys);
    RUN(test_unusual_public_keys);
    RUN(test_memory);
    free_keys();
    return check_done();
}

/* The RSA key exchange: RSAES-PKCS1-v1_5 in both directions and on both routes, and every way
 * in which a block can be wrong: what comes out is random, and the call succeeds. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "check.h"
#include "crypto/premaster.h"
#include "crypto/provider.h"
#include "crypto/sign.h"
#include "pki.h"

#define VERSION 0x0303

static struct test_key {
    const char *name, *curve;
    size_t bits;
    EVP_PKEY *pkey;
    struct private_key *priv[2]; /* direct, EVP */
    struct public_key *pub[2];
} keys[] = {
    {.name = "RSA", .bits = 2048},
    {.name = "RSA", .bits = 1024},
    {.name = "RSA", .bits = 2047},
    {.name = "RSA", .bits = 3072},
    {.name = "RSA-PSS", .bits = 2048},
    {.name = "EC", .curve = "P-256"},
    {.name = "ED25519"},
};
enum { RSA_KEYS = 4, KEYS = 7 };

static EVP_PKEY *generate(const struct test_key *k)
{
    EVP_PKEY *pkey = NULL;
    if (k->bits)
        return pki_rsa(k->name, (unsigned)k->bits);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, k->name, NULL);
    EVP_PKEY_keygen_init(ctx);
    if (k->curve)
        EVP_PKEY_CTX_set_group_name(ctx, k->curve);
    EVP_PKEY_generate(ctx, &pkey);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void make_keys(void)
{
    for (int i = 0; i < KEYS; i++) {
        struct test_key *k = &keys[i];
        unsigned char *der = NULL;
        k->pkey = generate(k);
        int len = i2d_PUBKEY(k->pkey, &der);
        k->priv[0] = private_key_from_pkey(k->pkey);
        k->pub[0] = public_key_from_spki(slice_of(der, (size_t)len));
        provider_test_evp_only(true);
        k->priv[1] = private_key_from_pkey(k->pkey);
        k->pub[1] = public_key_from_pkey(k->pkey);
        provider_test_evp_only(false);
        OPENSSL_free(der);
    }
}

static void free_keys(void)
{
    for (int i = 0; i < KEYS; i++) {
        for (int j = 0; j < 2; j++) {
            private_key_free(keys[i].priv[j]);
            public_key_free(keys[i].pub[j]);
        }
        EVP_PKEY_free(keys[i].pkey);
    }
}

static uint8_t plain[PREMASTER_SIZE];

static void make_plain(void)
{
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(0x40 + i);
    put_u16(plain, VERSION);
}

/* libcrypto's own RSA with this padding; the number of bytes that came out, 0 for none. */
static size_t crypt(EVP_PKEY *pkey, bool encrypt, int padding, struct slice in, uint8_t *out)
{
    size_t len = SIG_MAX_SIZE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool ok = (encrypt ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0 &&
              (encrypt ? EVP_PKEY_encrypt(ctx, out, &len, in.p, in.len)
                       : EVP_PKEY_decrypt(ctx, out, &len, in.p, in.len)) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok ? len : 0;
}

static size_t key_bytes(const struct test_key *k)
{
    return (k->bits + 7) / 8;
}

static void test_round_trip(void)
{
    for (int i = 0; i < RSA_KEYS; i++) {
        for (int j = 0; j < 2; j++) {
            uint8_t cipher[SIG_MAX_SIZE], out[SIG_MAX_SIZE], again[SIG_MAX_SIZE];
            size_t len, again_len;
            CHECK(public_key_encrypt(keys[i].pub[j], slice_of(plain, 48), cipher, &len));
            CHECK_INT(len, key_bytes(&keys[i]));
            CHECK(public_key_encrypt(keys[i].pub[j], slice_of(plain, 48), again, &again_len));
            CHECK(len != again_len || memcmp(cipher, again, len) != 0);
            CHECK_INT(crypt(keys[i].pkey, false, RSA_PKCS1_PADDING, slice_of(cipher, len), out),
                      48);
            CHECK_MEM(out, plain, 48);
            for (int m = 0; m < 2; m++) {
                memset(out, 0, 48);
                CHECK(private_key_decrypt_premaster(keys[i].priv[m], slice_of(cipher, len),
                                                    VERSION, out));
                CHECK_MEM(out, plain, 48);
            }
            len = crypt(keys[i].pkey, true, RSA_PKCS1_PADDING, slice_of(plain, 48), cipher);
            CHECK(private_key_decrypt_premaster(keys[i].priv[j], slice_of(cipher, len), VERSION,
                                                out));
            CHECK_MEM(out, plain, 48);
        }
    }
}

/* What does not fit into the modulus cannot be encrypted; the most that does can. */
static void test_encrypt_sizes(void)
{
    static uint8_t text[SIG_MAX_SIZE + 1] = {1, 2, 3};
    for (int i = 0; i < RSA_KEYS; i++) {
        for (int j = 0; j < 2; j++) {
            uint8_t cipher[SIG_MAX_SIZE], out[SIG_MAX_SIZE];
            size_t len, most = key_bytes(&keys[i]) - 11;
            CHECK(public_key_encrypt(keys[i].pub[j], slice_of(text, most), cipher, &len));
            CHECK_INT(crypt(keys[i].pkey, false, RSA_PKCS1_PADDING, slice_of(cipher, len), out),
                      most);
            CHECK_MEM(out, text, most);
            CHECK(!public_key_encrypt(keys[i].pub[j], slice_of(text, most + 1), cipher, &len));
            CHECK_INT(len, 0);
            CHECK(
                !public_key_encrypt(keys[i].pub[j], slice_of(text, sizeof text), cipher, &len));
            CHECK_INT(len, 0);
        }
    }
    ERR_clear_error();
}

static void test_other_keys(void)
{
    uint8_t cipher[SIG_MAX_SIZE] = {0}, out[48];
    size_t len;
    for (int i = RSA_KEYS; i < KEYS; i++) {
        for (int j = 0; j < 2; j++) {
            len = 99;
            CHECK(!public_key_encrypt(keys[i].pub[j], slice_of(plain, 48), cipher, &len));
            CHECK_INT(len, 0);
            CHECK(!private_key_decrypt_premaster(keys[i].priv[j], slice_of(cipher, 256),
                                                 VERSION, out));
        }
    }
}

/* Twice random, on both routes, and nothing in libcrypto's error queue that would tell. */
static void refuse(const struct test_key *k, struct slice cipher)
{
    for (int j = 0; j < 2; j++) {
        uint8_t a[48] = {0}, b[48] = {0};
        ERR_clear_error();
        CHECK(private_key_decrypt_premaster(k->priv[j], cipher, VERSION, a));
        CHECK(private_key_decrypt_premaster(k->priv[j], cipher, VERSION, b));
        CHECK_INT(ERR_peek_error(), 0);
        CHECK(memcmp(a, b, 48) != 0);
        /* 40 bytes of the true one would be no accident. */
        CHECK(memcmp(a + 8, plain + 8, 40) != 0 && memcmp(b + 8, plain + 8, 40) != 0);
    }
}

static void refuse_block(const struct test_key *k, const uint8_t *block)
{
    uint8_t cipher[SIG_MAX_SIZE];
    size_t len = key_bytes(k);
    CHECK_INT(crypt(k->pkey, true, RSA_NO_PADDING, slice_of(block, len), cipher), len);
    refuse(k, slice_of(cipher, len));
}

static void accept_block(const struct test_key *k, const uint8_t *block)
{
    uint8_t cipher[SIG_MAX_SIZE], out[48];
    size_t len = key_bytes(k);
    CHECK_INT(crypt(k->pkey, true, RSA_NO_PADDING, slice_of(block, len), cipher), len);
    for (int j = 0; j < 2; j++) {
        memset(out, 0, sizeof out);
        CHECK(private_key_decrypt_premaster(k->priv[j], slice_of(cipher, len), VERSION, out));
        CHECK_MEM(out, block + len - 48, 48);
    }
}

static void make_block(uint8_t *block, size_t len)
{
    memset(block, 0x5a, len);
    block[0] = 0;
    block[1] = 2;
    block[len - 49] = 0;
    memcpy(block + len - 48, plain, 48);
}

static void test_wrong_blocks(void)
{
    const struct test_key *k = &keys[1];
    uint8_t good[128], block[128];
    size_t len = sizeof good;
    make_block(good, len);
    accept_block(k, good);
    for (int bit = 0; bit < 8; bit++) {
        memcpy(block, good, len);
        block[0] ^= (uint8_t)(1 << bit);
        if (bit < 7) /* else it is not below the modulus */
            refuse_block(k, block);
        memcpy(block, good, len);
        block[1] ^= (uint8_t)(1 << bit);
        refuse_block(k, block);
        memcpy(block, good, len);
        block[len - 49] ^= (uint8_t)(1 << bit); /* 48 bytes and no separator before them */
        refuse_block(k, block);
        memcpy(block, good, len);
        block[len - 48] ^= (uint8_t)(1 << bit); /* the version */
        refuse_block(k, block);
        memcpy(block, good, len);
        block[len - 47] ^= (uint8_t)(1 << bit);
        refuse_block(k, block);
    }
    for (size_t at = 2; at < len - 49; at++) { /* a separator too early: more than 48 bytes */
        memcpy(block, good, len);
        block[at] = 0;
        refuse_block(k, block);
    }
    memcpy(block, good, len); /* one too late: 47 bytes */
    block[len - 49] = 0x5a;
    block[len - 48] = 0;
    refuse_block(k, block);
    for (size_t at = len - 46; at < len; at++) { /* the rest of the secret may be anything */
        memcpy(block, good, len);
        block[at] = 0;
        accept_block(k, block);
    }
    memset(block, 0, len);
    refuse_block(k, block);
    block[len - 1] = 1;
    refuse_block(k, block);
}

/* Other versions than the one that the ClientHello offered. */
static void test_versions(void)
{
    static const uint16_t versions[] = {0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x0203, 0x0000};
    uint8_t block[256], cipher[SIG_MAX_SIZE], out[48];
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        make_block(block, sizeof block);
        put_u16(block + 256 - 48, versions[i]);
        crypt(keys[0].pkey, true, RSA_NO_PADDING, slice_of(block, 256), cipher);
        for (size_t j = 0; j < sizeof versions / sizeof versions[0]; j++) {
            CHECK(private_key_decrypt_premaster(keys[0].priv[0], slice_of(cipher, 256),
                                                versions[j], out));
            CHECK_INT(memcmp(out, block + 256 - 48, 48) == 0, i == j);
        }
    }
}

/* What anybody can see to be wrong. */
static void test_wrong_ciphertexts(void)
{
    uint8_t cipher[SIG_MAX_SIZE * 2] = {0};
    for (int i = 0; i < RSA_KEYS; i++) {
        size_t len = 0, size = key_bytes(&keys[i]);
        CHECK(public_key_encrypt(keys[i].pub[0], slice_of(plain, 48), cipher, &len));
        refuse(&keys[i], slice_of(cipher, 0));
        refuse(&keys[i], slice_of(cipher, 1));
        refuse(&keys[i], slice_of(cipher, size - 1));
        refuse(&keys[i], slice_of(cipher, size + 1));
        refuse(&keys[i], slice_of(cipher, sizeof cipher));
        memset(cipher, 0xff, size); /* not below the modulus */
        refuse(&keys[i], slice_of(cipher, size));
        memset(cipher, 0, size);
        refuse(&keys[i], slice_of(cipher, size));
        memset(cipher, 0x11, size); /* some number */
        refuse(&keys[i], slice_of(cipher, size));
    }
    refuse(&keys[0], (struct slice){0});
}

/* The choice by itself, with every small length of block. */
static void test_choice(void)
{
    for (size_t len = 0; len < 80; len++) {
        uint8_t block[80], out[48];
        memset(out, 0x99, sizeof out);
        if (len < 49) {
            premaster_choose(plain, len, VERSION, out);
        } else {
            make_block(block, len);
            premaster_choose(block, len, VERSION, out);
        }
        CHECK_INT(out[47], len >= 59 ? plain[47] : 0x99);
        CHECK_INT(out[0], len >= 59 ? plain[0] : 0x99);
    }
    for (size_t at = 0; at < 13; at++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t block[61], out[48];
            make_block(block, sizeof block);
            bool fine = at == 0 || at == 12 ? v == 0 : at == 1 ? v == 2 : v != 0;
            block[at] = (uint8_t)v;
            memset(out, 0x99, sizeof out);
            premaster_choose(block, sizeof block, VERSION, out);
            for (size_t i = 0; i < 48; i++)
                CHECK_INT(out[i], fine ? plain[i] : 0x99);
        }
    }
}

int main(void)
{
    make_plain();
    make_keys();
    RUN(test_round_trip);
    RUN(test_encrypt_sizes);
    RUN(test_other_keys);
    RUN(test_wrong_blocks);
    RUN(test_versions);
    RUN(test_wrong_ciphertexts);
    RUN(test_choice);
    free_keys();
    return check_done();
}

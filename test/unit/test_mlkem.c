/* ML-KEM and the Keccak under it: published vectors, keys that have to be refused, ciphertexts that are
 * rejected without a word, libcrypto's own functions beside ours where it has them. */
#include <openssl/err.h>
#include <openssl/evp.h>

#include "check.h"
#include "crypto/keccak.h"
#include "crypto/mlkem.h"
#include "hex.h"
#include "mlkem_seeds.h"
#include "mlkem_vectors.h"

enum { Q = 3329 };

#define EACH_SET(id) (enum mlkem_id id = MLKEM_768; id <= MLKEM_1024; id++)
#define ROWS(a)      (sizeof(a) / sizeof *(a))
#define BOTH(name)                                                                             \
    {                                                                                          \
        {name##_768, ROWS(name##_768), name##_768_sha256},                                     \
        {                                                                                      \
            name##_1024, ROWS(name##_1024), name##_1024_sha256                                 \
        }                                                                                      \
    }

struct vectors {
    const char *const *row;
    size_t rows;
    const char *digest;
};

static const char *const algorithm[] = {"ML-KEM-768", "ML-KEM-1024"};

/* ---- what came out, in the order of the vectors */

static EVP_MD_CTX *outputs;

static void begin(void)
{
    outputs = EVP_MD_CTX_new();
    CHECK_INT(EVP_DigestInit(outputs, EVP_sha256()), 1);
}

static void put(const uint8_t *p, size_t n)
{
    EVP_DigestUpdate(outputs, p, n);
}

static void expect(const char *digest)
{
    uint8_t got[32], want[32];
    EVP_DigestFinal(outputs, got, NULL);
    CHECK_INT(unhex(digest, want), 32);
    CHECK_MEM(got, want, 32);
    EVP_MD_CTX_free(outputs);
}

/* ---- Keccak */

static void test_keccak(void)
{
    static const struct {
        const char *name;
        void (*init)(struct keccak *k);
        size_t size; /* 0: any */
    } hashes[] = {{"SHA3-256", sha3_256_init, 32},
                  {"SHA3-512", sha3_512_init, 64},
                  {"SHAKE128", shake128_init, 0},
                  {"SHAKE256", shake256_init, 0}};
    uint8_t in[700], got[700], want[700];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * i + 3 * i);
    for (size_t h = 0; h < ROWS(hashes); h++) {
        EVP_MD *md = EVP_MD_fetch(NULL, hashes[h].name, NULL);
        for (size_t n = 0; n < sizeof in; n++) {
            size_t size = hashes[h].size ? hashes[h].size : (n * 7) % sizeof got + 1;
            struct keccak k;
            hashes[h].init(&k);
            keccak_absorb(&k, in, n / 3);
            keccak_absorb(&k, in + n / 3, n - n / 3);
            keccak_turn(&k);
            keccak_squeeze(&k, got, size / 4);
            keccak_squeeze(&k, got + size / 4, size - size / 4);
            EVP_DigestInit_ex2(ctx, md, NULL);
            EVP_DigestUpdate(ctx, in, n);
            CHECK_INT(hashes[h].size ? EVP_DigestFinal_ex(ctx, want, NULL)
                                     : EVP_DigestFinalXOF(ctx, want, size),
                      1);
            CHECK_MEM(got, want, size);
        }
        EVP_MD_free(md);
    }
    EVP_MD_CTX_free(ctx);
}

/* ---- published vectors */

static uint8_t ek[MLKEM_MAX_EK], dk[MLKEM_MAX_DK], cipher[MLKEM_MAX_CIPHER], secret[MLKEM_SEED],
    again[MLKEM_SEED];

static void test_sizes(void)
{
    CHECK_INT(mlkem_ek_size(MLKEM_768), 1184);
    CHECK_INT(mlkem_dk_size(MLKEM_768), 2400);
    CHECK_INT(mlkem_cipher_size(MLKEM_768), 1088);
    CHECK_INT(mlkem_ek_size(MLKEM_1024), MLKEM_MAX_EK);
    CHECK_INT(mlkem_dk_size(MLKEM_1024), MLKEM_MAX_DK);
    CHECK_INT(mlkem_cipher_size(MLKEM_1024), MLKEM_MAX_CIPHER);
}

static void test_keygen(void)
{
    static const struct vectors sets[] = BOTH(acvp_keygen);
    for
        EACH_SET(id)
        {
            begin();
            CHECK_INT(sets[id].rows, 25);
            for (size_t i = 0; i < sets[id].rows; i++) {
                uint8_t in[64];
                CHECK_INT(unhex(sets[id].row[i], in), 64);
                mlkem_keygen(id, in, in + 32, ek, dk);
                CHECK(mlkem_dk_is_sound(id, dk));
                put(ek, mlkem_ek_size(id));
                put(dk, mlkem_dk_size(id));
            }
            expect(sets[id].digest);
        }
}

/* From seeds to both secrets, which have to be one. */
static void run_seeds(enum mlkem_id id, const struct vectors *v, bool with_dk)
{
    begin();
    for (size_t i = 0; i < v->rows; i++) {
        uint8_t in[96];
        CHECK_INT(unhex(v->row[i], in), 96);
        mlkem_keygen(id, in, in + 32, ek, dk);
        CHECK(mlkem_encaps(id, ek, in + 64, cipher, secret));
        mlkem_decaps(id, dk, cipher, again);
        CHECK_MEM(again, secret, 32);
        put(ek, mlkem_ek_size(id));
        put(dk, with_dk ? mlkem_dk_size(id) : 0);
        put(cipher, mlkem_cipher_size(id));
        put(secret, 32);
    }
    expect(v->digest);
}

static void test_seeds(void)
{
    static const struct vectors sets[] = {
        {wycheproof_seeds, ROWS(wycheproof_seeds), wycheproof_seeds_768_sha256},
        {wycheproof_seeds, ROWS(wycheproof_seeds), wycheproof_seeds_1024_sha256}};
    static const struct vectors unusual[] = BOTH(wycheproof_rho);
    for
        EACH_SET(id)
        {
            run_seeds(id, &sets[id], true);
            run_seeds(id, &unusual[id], false);
        }
}

static void test_encaps(void)
{
    static const struct vectors sets[] = BOTH(encaps);
    for
        EACH_SET(id)
        {
            size_t size = mlkem_ek_size(id);
            begin();
            for (size_t i = 0; i < sets[id].rows; i++) {
                uint8_t in[MLKEM_MAX_EK + 32];
                CHECK_INT(unhex(sets[id].row[i], in), size + 32);
                CHECK(mlkem_encaps(id, in, in + size, cipher, secret));
                put(cipher, mlkem_cipher_size(id));
                put(secret, 32);
            }
            expect(sets[id].digest);
        }
}

static void test_decaps(void)
{
    static const struct vectors sets[] = BOTH(wycheproof_decaps), stored[] = BOTH(acvp_decaps);
    for
        EACH_SET(id)
        {
            uint8_t in[MLKEM_MAX_CIPHER + 64];
            size_t size = mlkem_cipher_size(id);
            begin();
            for (size_t i = 0; i < sets[id].rows; i++) {
                CHECK_INT(unhex(sets[id].row[i], in), size + 64);
                mlkem_keygen(id, in, in + 32, ek, dk);
                mlkem_decaps(id, dk, in + 64, secret);
                put(secret, 32);
            }
            expect(sets[id].digest);
            begin();
            size_t first = unhex(stored[id].row[0], dk);
            CHECK_INT(first + unhex(stored[id].row[1], dk + first), mlkem_dk_size(id));
            CHECK(mlkem_dk_is_sound(id, dk));
            for (size_t i = 2; i < stored[id].rows; i++) {
                CHECK_INT(unhex(stored[id].row[i], cipher), size);
                mlkem_decaps(id, dk, cipher, secret);
                put(secret, 32);
            }
            expect(stored[id].digest);
        }
}

/* The accumulated tests of CCTV: everything is drawn from SHAKE128 of nothing, and all that comes out goes
 * into another. 10,000 rounds, as published, give 8a518cc6... for ML-KEM-768; 1000 are enough here, and
 * their digests are those of Go's crypto/mlkem. */
static void test_accumulated(void)
{
    static const char *const digests[] = {
        "78d7c03e462a9b629602564d7a25a61fe1082beaea54b3b6d13d3d7bea50b43d",
        "070478698bfcade6270900c5b7249235ac3873ef2ab94913e059b3913ee809cb"};
    for
        EACH_SET(id)
        {
            struct keccak in, out;
            uint8_t seeds[96], want[32], got[32];
            shake128_init(&in);
            keccak_turn(&in);
            shake128_init(&out);
            for (int i = 0; i < 1000; i++) {
                keccak_squeeze(&in, seeds, sizeof seeds);
                mlkem_keygen(id, seeds, seeds + 32, ek, dk);
                CHECK(mlkem_encaps(id, ek, seeds + 64, cipher, secret));
                mlkem_decaps(id, dk, cipher, again);
                CHECK_MEM(again, secret, 32);
                keccak_absorb(&out, ek, mlkem_ek_size(id));
                keccak_absorb(&out, cipher, mlkem_cipher_size(id));
                keccak_absorb(&out, secret, 32);
                keccak_squeeze(&in, cipher, mlkem_cipher_size(id));
                mlkem_decaps(id, dk, cipher, secret);
                keccak_absorb(&out, secret, 32);
            }
            keccak_turn(&out);
            keccak_squeeze(&out, got, 32);
            unhex(digests[id], want);
            CHECK_MEM(got, want, 32);
        }
}

/* ---- faults */

static const uint8_t seeds[96] = {1, 2, 3, [32] = 4, 5, [64] = 6};

static void set_coefficient(uint8_t *key, size_t at, unsigned value)
{
    uint8_t *p = key + at / 2 * 3;
    if (at % 2) {
        p[1] = (uint8_t)((p[1] & 15) | (value & 15) << 4);
        p[2] = (uint8_t)(value >> 4);
    } else {
        p[0] = (uint8_t)value;
        p[1] = (uint8_t)((p[1] & 0xf0) | value >> 8);
    }
}

static bool takes(enum mlkem_id id, const uint8_t *key)
{
    static const uint8_t zero[MLKEM_MAX_CIPHER];
    memset(cipher, 0, sizeof cipher);
    memset(secret, 0, sizeof secret);
    bool ok = mlkem_encaps(id, key, seeds + 64, cipher, secret);
    if (!ok)
        CHECK(memcmp(cipher, zero, sizeof zero) == 0 && memcmp(secret, zero, 32) == 0);
    return ok;
}

/* FIPS 203 7.2: each coefficient is below q. Every place, and every value at some. */
static void test_modulus(void)
{
    for
        EACH_SET(id)
        {
            size_t count = (mlkem_ek_size(id) - 32) / 3 * 2;
            mlkem_keygen(id, seeds, seeds + 32, ek, dk);
            for (size_t at = 0; at < count; at++) {
                uint8_t bad[MLKEM_MAX_EK];
                memcpy(bad, ek, sizeof bad);
                set_coefficient(bad, at, Q);
                CHECK(!takes(id, bad));
                set_coefficient(bad, at, 4095);
                CHECK(!takes(id, bad));
                for (unsigned v = Q + 1; at % 257 == 0 && v < 4095; v++) {
                    set_coefficient(bad, at, v);
                    CHECK(!takes(id, bad));
                }
                set_coefficient(bad, at, Q - 1);
                CHECK(at % 16 || takes(id, bad));
            }
        }
}

/* FIPS 203 7.3 */
static void test_sound(void)
{
    for
        EACH_SET(id)
        {
            size_t size = mlkem_dk_size(id), ek_size = mlkem_ek_size(id);
            mlkem_keygen(id, seeds, seeds + 32, ek, dk);
            CHECK(mlkem_dk_is_sound(id, dk));
            for (size_t at = size - 64 - ek_size; at < size - 32; at += 31) {
                dk[at] ^= 0x40;
                CHECK(!mlkem_dk_is_sound(id, dk));
                dk[at] ^= 0x40;
            }
            dk[size - 1] ^= 1; /* z, which it says nothing of */
            CHECK(mlkem_dk_is_sound(id, dk));
        }
}

/* Any wrong bit of a ciphertext gives SHAKE256(z | c) and nothing of the true secret: FIPS 203, algorithm
 * 18. libcrypto computes it here. */
static void test_rejection(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    for
        EACH_SET(id)
        {
            size_t size = mlkem_cipher_size(id);
            mlkem_keygen(id, seeds, seeds + 32, ek, dk);
            CHECK(mlkem_encaps(id, ek, seeds + 64, cipher, secret));
            for (size_t bit = 0; bit<8 * size; bit += bit> 8 * size - 40 ? 1 : 37) {
                uint8_t want[32];
                cipher[bit / 8] ^= (uint8_t)(1 << bit % 8);
                EVP_DigestInit_ex2(ctx, EVP_shake256(), NULL);
                EVP_DigestUpdate(ctx, seeds + 32, 32);
                EVP_DigestUpdate(ctx, cipher, size);
                EVP_DigestFinalXOF(ctx, want, 32);
                mlkem_decaps(id, dk, cipher, again);
                CHECK_MEM(again, want, 32);
                cipher[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            mlkem_decaps(id, dk, cipher, again);
            CHECK_MEM(again, secret, 32);
        }
    EVP_MD_CTX_free(ctx);
}

/* ---- libcrypto's ML-KEM on one side, ours on the other */

static bool theirs_to_ours(enum mlkem_id id)
{
    size_t len = mlkem_ek_size(id), cipher_len = mlkem_cipher_size(id), secret_len = 32;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, algorithm[id]);
    if (!key)
        return false;
    CHECK_INT(EVP_PKEY_get_raw_public_key(key, ek, &len), 1);
    CHECK(mlkem_encaps(id, ek, seeds, cipher, secret));
    for (int tampered = 0; tampered < 2; tampered++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        cipher[9] ^= (uint8_t)tampered;
        CHECK_INT(EVP_PKEY_decapsulate_init(ctx, NULL), 1);
        CHECK_INT(EVP_PKEY_decapsulate(ctx, again, &secret_len, cipher, cipher_len), 1);
        EVP_PKEY_CTX_free(ctx);
        /* Its raw private key is dk of the standard. */
        len = mlkem_dk_size(id);
        CHECK_INT(EVP_PKEY_get_raw_private_key(key, dk, &len), 1);
        CHECK_INT(len, mlkem_dk_size(id));
        CHECK_INT(memcmp(again, secret, 32) == 0, !tampered);
        mlkem_decaps(id, dk, cipher, secret);
        CHECK_MEM(secret, again, 32);
    }
    EVP_PKEY_free(key);
    return true;
}

static void ours_to_theirs(enum mlkem_id id)
{
    size_t cipher_len = mlkem_cipher_size(id), secret_len = 32;
    mlkem_keygen(id, seeds, seeds + 32, ek, dk);
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key_ex(NULL, algorithm[id], NULL, ek, mlkem_ek_size(id));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    CHECK_INT(EVP_PKEY_encapsulate_init(ctx, NULL), 1);
    CHECK_INT(EVP_PKEY_encapsulate(ctx, cipher, &cipher_len, secret, &secret_len), 1);
    mlkem_decaps(id, dk, cipher, again);
    CHECK_MEM(again, secret, 32);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static void test_libcrypto(void)
{
    for (int i = 0; i < 20; i++) {
        for
            EACH_SET(id)
            {
                if (!theirs_to_ours(id)) {
                    ERR_clear_error();
                    SKIP("this libcrypto has no ML-KEM: run with OpenSSL 3.5 or later");
                }
                ours_to_theirs(id);
            }
    }
}

int main(void)
{
    RUN(test_keccak);
    RUN(test_sizes);
    RUN(test_keygen);
    RUN(test_seeds);
    RUN(test_encaps);
    RUN(test_decaps);
    RUN(test_accumulated);
    RUN(test_modulus);
    RUN(test_sound);
    RUN(test_rejection);
    RUN(test_libcrypto);
    return check_done();
}

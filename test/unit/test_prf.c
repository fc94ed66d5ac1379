/* The PRF of TLS 1.2 and of TLS 1.0 and 1.1: published vectors, and libcrypto's TLS1-PRF for
 * secrets, seeds and lengths of all sizes. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "check.h"
#include "crypto/prf.h"
#include "hex.h"

/* The first three were published on the TLS working group's list for RFC 5246, the last one
 * for RFC 2246: "PRF Testvector" with secret and seed of one byte each, repeated. */
static const struct vector {
    enum hash_id hash;
    const char *secret, *seed, *label, *out;
} vectors[] = {
    {HASH_SHA256, "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
     "test label",
     "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14ba"
     "f9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a51"
     "10fff70187347b66"},
    {HASH_SHA384, "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
     "test label",
     "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c91"
     "46a0e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad0"
     "5d9184259b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa"
     "3be85e0990703d73e56f"},
    {HASH_SHA512, "b0323523c1853599584d88568bbb05eb", "d4640e12e4bcdbfb437f03e6ae418ee5",
     "test label",
     "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc7"
     "5c45e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45d"
     "dfa6e6fec702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a84"
     "5658dc9c397545401d40b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54f"
     "f6633f86bbc836e640d4d898"},
    {HASH_MD5_SHA1,
     "abababababababababababababababababababababababababababababababab"
     "abababababababababababababababab",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "PRF Testvector",
     "d3d4d1e349b5d515044666d51de32bab258cb521b6b053463e354832fd976754443bcf9a296519bc289abcbc1187"
     "e4ebd31e602353776c408aafb74cbc85eff69255f9788faa184cbb957a9819d84a5d7eb006eb459d3ae8de981045"
     "4b8b2d8f1afbc655a8c9a013"},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *v = &vectors[i];
        uint8_t secret[48], seed[64], want[200], got[201];
        size_t secret_len = unhex(v->secret, secret), seed_len = unhex(v->seed, seed),
               len = unhex(v->out, want);
        /* However the seed is divided, and however much of the output is wanted. */
        for (size_t cut = 0; cut <= seed_len; cut += 8) {
            memset(got, 0x77, sizeof got);
            prf(v->hash, slice_of(secret, secret_len), v->label, slice_of(seed, cut),
                slice_of(seed + cut, seed_len - cut), got, len);
            CHECK_MEM(got, want, len);
            CHECK_INT(got[len], 0x77);
        }
        for (size_t n = 0; n <= len; n++) {
            memset(got, 0x77, sizeof got);
            prf(v->hash, slice_of(secret, secret_len), v->label, slice_of(seed, seed_len),
                (struct slice){0}, got, n);
            CHECK_MEM(got, want, n);
            CHECK_INT(got[n], 0x77);
        }
    }
}

static bool theirs(const char *digest, struct slice secret, const char *label,
                   struct slice seed, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    char name[16], text[32];
    uint8_t key[100] = {0}, rest[100];
    snprintf(name, sizeof name, "%s", digest);
    snprintf(text, sizeof text, "%s", label);
    memcpy(key, secret.p, secret.len);
    memcpy(rest, seed.p, seed.len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, key, secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, text, strlen(text)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, rest, seed.len),
        OSSL_PARAM_construct_end()};
    bool ok = EVP_KDF_derive(ctx, out, n, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

/* Secrets of odd length are where the halves of RFC 4346 5 overlap. */
static void test_against_libcrypto(void)
{
    static const struct {
        enum hash_id hash;
        const char *name;
    } kinds[] = {{HASH_SHA256, "SHA256"},
                 {HASH_SHA384, "SHA384"},
                 {HASH_SHA512, "SHA512"},
                 {HASH_MD5_SHA1, "MD5-SHA1"}};
    uint8_t secret[100], seed[100], want[300], got[300];
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t n = 1; n <= 300; n++) {
            size_t secret_len = n % 99 + 1, seed_len = n * 7 % 100 + 1;
            RAND_bytes(secret, sizeof secret);
            RAND_bytes(seed, sizeof seed);
            prf(kinds[k].hash, slice_of(secret, secret_len), "key expansion",
                slice_of(seed, seed_len / 2),
                slice_of(seed + seed_len / 2, seed_len - seed_len / 2), got, n);
            CHECK(theirs(kinds[k].name, slice_of(secret, secret_len), "key expansion",
                         slice_of(seed, seed_len), want, n));
            CHECK_MEM(got, want, n);
        }
    }
}

/* What may be empty: the secret, the label, the seed. */
static void test_empty(void)
{
    static const enum hash_id ids[] = {HASH_SHA256, HASH_SHA384, HASH_MD5_SHA1};
    uint8_t zero[64] = {0}, a[50], b[50];
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        /* HMAC fills a key up with zeros. */
        prf(ids[i], (struct slice){0}, "", (struct slice){0}, (struct slice){0}, a, sizeof a);
        prf(ids[i], slice_of(zero, 64), "", (struct slice){0}, (struct slice){0}, b, sizeof b);
        CHECK_MEM(a, b, sizeof a);
        prf(ids[i], slice_of(zero, 64), "x", (struct slice){0}, (struct slice){0}, b, sizeof b);
        CHECK(memcmp(a, b, sizeof a) != 0);
    }
}

int main(void)
{
    RUN(test_vectors);
    RUN(test_against_libcrypto);
    RUN(test_empty);
    return check_done();
}

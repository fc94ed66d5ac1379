/* AEADs: published vectors, every length and tail against libcrypto's EVP, tampering,
 * misuse, memory failures; all of it on the direct route and on EVP's. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "check.h"
#include "crypto/aead.h"
#include "crypto/provider.h"
#include "hex.h"

#define FIRST AEAD_AES_128_GCM
#define LAST  AEAD_AES_256_CCM_8

static const char sunscreen[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
    "for the future, sunscreen would be it.";

static const struct vector {
    enum aead_id id;
    const char *key, *nonce, *ad, *plain, *sealed; /* plain NULL: sunscreen */
} vectors[] = {
    /* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 4 and 16 */
    {AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {AEAD_AES_256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    /* The same, test case 1: nothing at all. */
    {AEAD_AES_128_GCM, "00000000000000000000000000000000", "000000000000000000000000", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    /* RFC 8439 2.8.2 */
    {AEAD_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7", NULL,
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b6116"
     "1ae10b594f09e26a7e902ecbd0600691"},
    /* NIST SP 800-38C, example 3 */
    {AEAD_AES_128_CCM_8, "404142434445464748494a4b4c4d4e4f", "101112131415161718191a1b",
     "000102030405060708090a0b0c0d0e0f10111213",
     "202122232425262728292a2b2c2d2e2f3031323334353637",
     "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951"},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *v = &vectors[i];
        uint8_t key[32], nonce[12], ad[32], plain[256], want[256], got[256];
        size_t len = sizeof sunscreen - 1;
        CHECK_INT(unhex(v->key, key), aead_key_size(v->id));
        CHECK_INT(unhex(v->nonce, nonce), AEAD_NONCE_SIZE);
        size_t ad_len = unhex(v->ad, ad);
        if (v->plain)
            len = unhex(v->plain, plain);
        else
            memcpy(plain, sunscreen, len);
        size_t total = unhex(v->sealed, want);
        CHECK_INT(total, len + aead_tag_size(v->id));
        struct aead *seal = aead_new(v->id, key, true), *open = aead_new(v->id, key, false);
        CHECK(seal && open);
        for (size_t tail = 0; tail <= len && tail <= 3; tail++) {
            memset(got, 0, sizeof got);
            CHECK(aead_seal(seal, nonce, ad, ad_len, plain, len - tail, plain + len - tail,
                            tail, got));
            CHECK_MEM(got, want, total);
        }
        CHECK(aead_open(open, nonce, ad, ad_len, want, total, got));
        CHECK_MEM(got, plain, len);
        aead_free(seal);
        aead_free(open);
    }
}

/* What EVP makes of it, in the way of its manual. */
static void reference(enum aead_id id, const uint8_t *key, const uint8_t *nonce,
                      const uint8_t *ad, size_t ad_len, const uint8_t *in, size_t len,
                      uint8_t *out)
{
    const EVP_CIPHER *c = id == AEAD_AES_128_GCM         ? EVP_aes_128_gcm()
                          : id == AEAD_AES_256_GCM       ? EVP_aes_256_gcm()
                          : id == AEAD_CHACHA20_POLY1305 ? EVP_chacha20_poly1305()
                          : aead_key_size(id) == 16      ? EVP_aes_128_ccm()
                                                         : EVP_aes_256_ccm();
    bool ccm = id >= AEAD_AES_128_CCM;
    int n, tag = (int)aead_tag_size(id);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ctx, c, NULL, NULL, NULL);
    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL);
    if (ccm)
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag, NULL);
    EVP_EncryptInit_ex(ctx, NULL, NULL, key, nonce);
    if (ccm)
        EVP_EncryptUpdate(ctx, NULL, &n, NULL, (int)len);
    if (ad_len)
        EVP_EncryptUpdate(ctx, NULL, &n, ad, (int)ad_len);
    if (len || ccm)
        EVP_EncryptUpdate(ctx, out, &n, in, (int)len);
    EVP_EncryptFinal_ex(ctx, out + len, &n);
    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, tag, out + len);
    EVP_CIPHER_CTX_free(ctx);
}

static uint8_t plain[17000], want[17000 + 80], got[17000 + 80], back[17000 + 80];

/* One record, split at len, out of place and in place, by contexts that have seen others
 * before. */
static void round_trip(enum aead_id id, const uint8_t *key, struct aead *seal,
                       struct aead *open, size_t len, size_t tail, size_t ad_len)
{
    static unsigned count;
    uint8_t nonce[12] = {0}, ad[21] = "additional data, 21b";
    size_t total = len + tail + aead_tag_size(id);
    nonce[11] = (uint8_t)++count;
    nonce[10] = (uint8_t)(count >> 8);
    reference(id, key, nonce, ad, ad_len, plain, len + tail, want);
    memset(got, 0xee, total + 1);
    CHECK(aead_seal(seal, nonce, ad, ad_len, plain, len, plain + len, tail, got));
    CHECK_MEM(got, want, total);
    CHECK_INT(got[total], 0xee);
    memcpy(got, plain, len);
    CHECK(aead_seal(seal, nonce, ad, ad_len, got, len, plain + len, tail, got));
    CHECK_MEM(got, want, total);
    memset(back, 0xee, total);
    CHECK(aead_open(open, nonce, ad, ad_len, got, total, back));
    CHECK_MEM(back, plain, len + tail);
    CHECK_INT(back[len + tail], 0xee);
    CHECK(aead_open(open, nonce, ad, ad_len, got, total, got));
    CHECK_MEM(got, plain, len + tail);
}

static void test_lengths(void)
{
    static const size_t tails[] = {0, 1, 2, 17, 64}, longer[] = {1000, 4095, 16384, 16385};
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 31 + i / 256);
    for (enum aead_id id = FIRST; id <= LAST; id++) {
        uint8_t key[32];
        memset(key, 0x42 + (int)id, sizeof key);
        struct aead *seal = aead_new(id, key, true), *open = aead_new(id, key, false);
        CHECK(aead_available(id) && seal && open);
        for (size_t t = 0; t < sizeof tails / sizeof tails[0]; t++) {
            for (size_t len = 0; len < 340; len++)
                round_trip(id, key, seal, open, len, tails[t], len % 22);
            for (size_t i = 0; i < sizeof longer / sizeof longer[0]; i++)
                round_trip(id, key, seal, open, longer[i], tails[t], 5);
        }
        aead_free(seal);
        aead_free(open);
    }
}

/* Every byte of a record, its nonce and its associated data changed once; every truncation.
 * What comes out of a refused record is zeros, and the context goes on working. */
static void test_tampering(void)
{
    static const uint8_t zeros[40];
    for (enum aead_id id = FIRST; id <= LAST; id++) {
        uint8_t key[32] = {7}, nonce[12] = {1}, ad[5] = {23, 3, 3, 0, 60}, sealed[60], out[60];
        size_t total = 40 + aead_tag_size(id);
        struct aead *seal = aead_new(id, key, true), *open = aead_new(id, key, false);
        CHECK(aead_seal(seal, nonce, ad, 5, plain, 39, plain + 39, 1, sealed));
        for (size_t i = 0; i < total + 12 + 5; i++) {
            uint8_t *p = i < total        ? sealed + i
                         : i < total + 12 ? nonce + (i - total)
                                          : ad + (i - total - 12);
            *p ^= 0x10;
            memset(out, 0xee, sizeof out);
            CHECK(!aead_open(open, nonce, ad, 5, sealed, total, out));
            CHECK_MEM(out, zeros, 40);
            *p ^= 0x10;
        }
        for (size_t len = 0; len < total; len++)
            CHECK(!aead_open(open, nonce, ad, 5, sealed, len, out));
        CHECK(!aead_open(open, nonce, ad, 4, sealed, total, out));
        CHECK(aead_open(open, nonce, ad, 5, sealed, total, out));
        CHECK_MEM(out, plain, 40);
        aead_free(seal);
        aead_free(open);
    }
}

static void test_misuse(void)
{
    uint8_t key[32] = {1}, nonce[12] = {0}, out[200];
    struct aead *seal = aead_new(AEAD_AES_128_GCM, key, true);
    struct aead *open = aead_new(AEAD_AES_128_GCM, key, false);
    CHECK(!aead_seal(open, nonce, NULL, 0, plain, 10, NULL, 0, out));
    CHECK(!aead_open(seal, nonce, NULL, 0, plain, 40, out));
    CHECK(!aead_seal(seal, nonce, NULL, 0, plain, 10, plain, 65, out));
    CHECK(aead_seal(seal, nonce, NULL, 0, NULL, 0, NULL, 0, out));
    CHECK(aead_open(open, nonce, NULL, 0, out, 16, NULL));
    aead_free(seal);
    aead_free(open);
    aead_free(NULL);
    CHECK(!aead_new(AEAD_NONE, key, true));
    CHECK(!aead_available(AEAD_NONE));
    CHECK(!aead_available((enum aead_id)99));
    CHECK_INT(aead_key_size(AEAD_NONE), 0);
    CHECK_INT(aead_tag_size((enum aead_id)99), 0);
    CHECK_INT(aead_tag_size(AEAD_AES_128_CCM_8), 8);
}

static void test_memory(void)
{
    uint8_t key[32] = {1};
    mem_test_fail_after(1);
    CHECK(!aead_new(AEAD_AES_128_GCM, key, true));
    mem_test_fail_after(0);
    struct aead *a = aead_new(AEAD_AES_128_GCM, key, true);
    CHECK(a != NULL);
    aead_free(a);
}

static void test_all(void)
{
    test_vectors();
    test_lengths();
    test_tampering();
    test_misuse();
}

static void test_evp_route(void)
{
    provider_test_evp_only(true);
    test_all();
    provider_test_evp_only(false);
}

/* Both kinds of context side by side: what one seals, the other opens. */
static void test_routes_agree(void)
{
    uint8_t key[32] = {9}, nonce[12] = {3}, out[80], again[80];
    for (enum aead_id id = FIRST; id <= LAST; id++) {
        struct aead *seal = aead_new(id, key, true);
        provider_test_evp_only(true);
        struct aead *open = aead_new(id, key, false);
        provider_test_evp_only(false);
        size_t total = 50 + aead_tag_size(id);
        CHECK(aead_seal(seal, nonce, plain, 5, plain, 49, plain, 1, out));
        CHECK(aead_open(open, nonce, plain, 5, out, total, again));
        CHECK_MEM(again, plain, 49);
        aead_free(seal);
        aead_free(open);
    }
}

int main(void)
{
    RUN(test_vectors);
    RUN(test_lengths);
    RUN(test_tampering);
    RUN(test_misuse);
    RUN(test_memory);
    RUN(test_evp_route);
    RUN(test_routes_agree);
    return check_done();
}

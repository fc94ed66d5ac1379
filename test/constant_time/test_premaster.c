/* The RSA key exchange tells nobody whether a block was right, and the PRF nothing of its secret. Run
 * under memcheck like test_constant_time.c. Built with SABOTAGE, the block is judged as one would do it
 * without thinking, and memcheck has to complain. */
#include "../unit/check.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "crypto/premaster.h"
#include "crypto/prf.h"
#include "crypto/provider.h"
#include "crypto/random.h"
#include "crypto/sign.h"
#include "marks.h"

#define VERSION 0x0303
enum { BLOCK = 128 }; /* a short key: memcheck makes it slowly */

static unsigned before, drawn, decrypted;

static void begin(void)
{
    before = errors_so_far();
    drawn = decrypted = 0;
}

static void expect_silence(void)
{
    CHECK_INT(errors_so_far() - before, 0);
}

/* For what ends in a judgement of the block. */
static void expect(void)
{
#ifdef SABOTAGE
    CHECK(errors_so_far() > before);
#else
    expect_silence();
#endif
}

#define NEED_MEMCHECK()                                                                        \
    do {                                                                                       \
        if (!under_memcheck())                                                                 \
            SKIP("runs only under valgrind's memcheck: use the test's own runner");            \
        begin();                                                                               \
    } while (0)

/* ---- where secrets begin: what is drawn at random, and what comes out of RSA */

bool __real_random_bytes(void *out, size_t n);
bool __wrap_random_bytes(void *out, size_t n);
int __real_RSA_private_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
                               int padding);
int __wrap_RSA_private_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
                               int padding);
int __real_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len,
                            const unsigned char *in, size_t len);
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len,
                            const unsigned char *in, size_t len);

bool __wrap_random_bytes(void *out, size_t n)
{
    bool ok = __real_random_bytes(out, n);
    ct_secret(out, n);
    CHECK_INT(decrypted, 0); /* random bytes come first, whatever the block will be */
    drawn++;
    return ok;
}

int __wrap_RSA_private_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
                               int padding)
{
    int n = __real_RSA_private_decrypt(len, from, to, rsa, padding);
    CHECK_INT(padding, RSA_NO_PADDING);
    CHECK_INT(n, BLOCK);
    ct_secret(to, BLOCK);
    decrypted++;
    return n;
}

int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len,
                            const unsigned char *in, size_t len)
{
    int r = __real_EVP_PKEY_decrypt(ctx, out, out_len, in, len);
    CHECK_INT(*out_len, BLOCK);
    ct_secret(out, BLOCK);
    decrypted++;
    return r;
}

/* ---- sabotage: the padding is searched from the left, and the first fault ends it */

void __wrap_premaster_choose(const uint8_t *block, size_t len, uint16_t version,
                             uint8_t premaster[PREMASTER_SIZE]);

void __wrap_premaster_choose(const uint8_t *block, size_t len, uint16_t version,
                             uint8_t premaster[PREMASTER_SIZE])
{
    size_t at = 2;
    if (block[0] != 0 || block[1] != 2)
        return;
    while (at < len && block[at] != 0)
        at++;
    if (len - at == 49 && get_u16(block + at + 1) == version)
        memcpy(premaster, block + at + 1, PREMASTER_SIZE);
}

/* ---- tests */

/* A block that is right but for one byte; `at` beyond its end: all of it is right. */
static void make_block(uint8_t block[BLOCK], size_t at, uint8_t value)
{
    memset(block, 0x5a, BLOCK);
    block[0] = 0;
    block[1] = 2;
    block[BLOCK - 49] = 0;
    put_u16(block + BLOCK - 48, VERSION);
    if (at < BLOCK)
        block[at] = value;
}

/* Where a block is wrong: block type, padding at its beginning and its end, separator, both bytes of
 * the version, and nowhere. */
static const struct fault {
    size_t at;
    uint8_t value;
} faults[] = {
    {0, 1},           {1, 1},           {2, 0},           {9, 0},     {BLOCK - 50, 0},
    {BLOCK - 49, 17}, {BLOCK - 48, 99}, {BLOCK - 47, 99}, {BLOCK, 0},
};
enum { FAULTS = sizeof faults / sizeof faults[0] };

static void test_choice(void)
{
    NEED_MEMCHECK();
    for (size_t i = 0; i < FAULTS; i++) {
        uint8_t block[BLOCK], out[PREMASTER_SIZE] = {0};
        make_block(block, faults[i].at, faults[i].value);
        ct_secret(block, sizeof block);
        ct_secret(out, sizeof out);
        premaster_choose(block, sizeof block, VERSION, out);
        CHECK(is_secret(out, sizeof out));
        ct_public(out, sizeof out);
        CHECK_INT(out[47], faults[i].at == BLOCK ? 0x5a : 0);
    }
    expect();
}

static EVP_PKEY *pkey;

static void decrypt_all(const struct private_key *priv)
{
    for (size_t i = 0; i < FAULTS; i++) {
        uint8_t block[BLOCK], cipher[BLOCK], out[PREMASTER_SIZE] = {0};
        size_t len = BLOCK;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        make_block(block, faults[i].at, faults[i].value);
        CHECK(EVP_PKEY_encrypt_init(ctx) > 0);
        CHECK(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0);
        CHECK(EVP_PKEY_encrypt(ctx, cipher, &len, block, BLOCK) > 0);
        drawn = decrypted = 0;
        bool ok = private_key_decrypt_premaster(priv, slice_of(cipher, BLOCK), VERSION, out);
        CHECK(is_public(&ok, sizeof ok));
        CHECK(ok);
        CHECK(drawn == 1 && decrypted == 1);
        CHECK(is_secret(out, sizeof out));
        ct_public(out, sizeof out);
        CHECK_INT(memcmp(out, block + BLOCK - 48, 48) == 0, faults[i].at == BLOCK);
        EVP_PKEY_CTX_free(ctx);
    }
}

static void test_direct(void)
{
    NEED_MEMCHECK();
    struct private_key *priv = private_key_from_pkey(pkey);
    decrypt_all(priv);
    private_key_free(priv);
    expect();
}

static void test_evp(void)
{
    NEED_MEMCHECK();
    provider_test_evp_only(true);
    struct private_key *priv = private_key_from_pkey(pkey);
    decrypt_all(priv);
    private_key_free(priv);
    provider_test_evp_only(false);
    expect();
}

static void test_prf(void)
{
    static const enum hash_id ids[] = {HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_MD5_SHA1};
    NEED_MEMCHECK();
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        for (size_t len = 1; len < 160; len += 13) {
            uint8_t secret[160] = {9}, seed[32] = {1}, out[104];
            ct_secret(secret, sizeof secret);
            prf(ids[i], slice_of(secret, len), "key expansion", slice_of(seed, 32),
                slice_of(seed, 32), out, sizeof out);
            CHECK(is_secret(out, sizeof out));
        }
    }
    expect_silence();
}

int main(void)
{
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)BLOCK * 8);
    RUN(test_choice);
    RUN(test_direct);
    RUN(test_evp);
    RUN(test_prf);
    EVP_PKEY_free(pkey);
    return check_done();
}

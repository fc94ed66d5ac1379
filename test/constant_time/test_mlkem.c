/* ML-KEM: no branch and no address depends on a seed, a decapsulation key, a message or a shared secret, nor
 * on whether a ciphertext is right. What is sent is public: the encapsulation key, which holds rho, and the
 * ciphertext. Built with SABOTAGE nothing becomes public; then sampling A from rho must make memcheck
 * complain, which shows that marks get through Keccak. */
#include "../unit/check.h"

#include "crypto/mlkem.h"
#include "marks.h"

#ifdef SABOTAGE
void __wrap_ct_public(const void *p, size_t len);
void __wrap_ct_public(const void *p, size_t len)
{
    (void)p;
    (void)len;
}
#endif

static uint8_t seeds[96], ek[MLKEM_MAX_EK], dk[MLKEM_MAX_DK], cipher[MLKEM_MAX_CIPHER],
    secret[MLKEM_SEED], again[MLKEM_SEED];
static unsigned before;

#define EACH_SET(id) (enum mlkem_id id = MLKEM_768; id <= MLKEM_1024; id++)

#define NEED_MEMCHECK()                                                                        \
    do {                                                                                       \
        if (!under_memcheck())                                                                 \
            SKIP("runs only under valgrind's memcheck: use the test's own runner");            \
    } while (0)

static void expect(void)
{
#ifdef SABOTAGE
    CHECK(errors_so_far() > before);
#else
    CHECK_INT(errors_so_far() - before, 0);
#endif
    before = errors_so_far();
}

/* A key pair of secret seeds. In dk, what it repeats of ek is public. */
static void make_key(enum mlkem_id id)
{
    for (size_t i = 0; i < sizeof seeds; i++)
        seeds[i] = (uint8_t)(i * 5 + (unsigned)id);
    ct_secret(seeds, sizeof seeds);
    before = errors_so_far();
    mlkem_keygen(id, seeds, seeds + 32, ek, dk);
}

static void test_keygen(void)
{
    NEED_MEMCHECK();
    for
        EACH_SET(id)
        {
            make_key(id);
            expect();
            size_t own = mlkem_ek_size(id) - 32, size = mlkem_dk_size(id);
#ifndef SABOTAGE
            CHECK(is_public(ek, mlkem_ek_size(id)));
            CHECK(is_public(dk + own, size - own - 32));
#endif
            CHECK(is_secret(dk, own));
            CHECK(is_secret(dk + size - 32, 32));
        }
}

static void test_encaps(void)
{
    NEED_MEMCHECK();
    for
        EACH_SET(id)
        {
            make_key(id);
            before = errors_so_far();
            CHECK(mlkem_encaps(id, ek, seeds + 64, cipher, secret));
            expect();
            CHECK(is_secret(secret, 32));
#ifndef SABOTAGE
            CHECK(is_public(cipher, mlkem_cipher_size(id)));
#endif
        }
}

/* `wrong`: where the ciphertext is changed; beyond its end: nowhere. */
static void open_one(enum mlkem_id id, size_t wrong)
{
    make_key(id);
    CHECK(mlkem_encaps(id, ek, seeds + 64, cipher, secret));
    if (wrong < mlkem_cipher_size(id))
        cipher[wrong] ^= 1;
    before = errors_so_far();
    mlkem_decaps(id, dk, cipher, again);
    expect();
    CHECK(is_secret(again, 32));
#ifndef SABOTAGE
    ct_public(secret, 32);
    ct_public(again, 32);
    CHECK_INT(memcmp(secret, again, 32) == 0, wrong >= mlkem_cipher_size(id));
#endif
}

static void test_decaps(void)
{
    NEED_MEMCHECK();
    for
        EACH_SET(id)
        {
            size_t size = mlkem_cipher_size(id);
            const size_t places[] = {size, 0, size / 2, size - 1};
            for (size_t i = 0; i < sizeof places / sizeof *places; i++)
                open_one(id, places[i]);
        }
}

/* memcheck sees it when somebody compares as one would without thinking. */
static void test_naive(void)
{
    NEED_MEMCHECK();
    make_key(MLKEM_768);
    CHECK(mlkem_encaps(MLKEM_768, ek, seeds + 64, cipher, secret));
    mlkem_decaps(MLKEM_768, dk, cipher, again);
    before = errors_so_far();
    volatile int same = 0;
    for (size_t i = 0; i < 32 && again[i] == secret[i]; i++)
        same++;
    CHECK(errors_so_far() > before);
}

int main(void)
{
    RUN(test_keygen);
    RUN(test_encaps);
    RUN(test_decaps);
    RUN(test_naive);
    return check_done();
}

/* Random bytes: never the same twice, in no thread and in no process; every size. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "crypto/random.h"

#define DRAWS 2000

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static bool all_differ(uint8_t (*values)[16], size_t n)
{
    qsort(values, n, 16, by_bytes);
    for (size_t i = 1; i < n; i++) {
        if (memcmp(values[i - 1], values[i], 16) == 0)
            return false;
    }
    return true;
}

static uint8_t values[4 * DRAWS][16];

static bool draw(uint8_t (*out)[16])
{
    for (int i = 0; i < DRAWS; i++) {
        if (!random_bytes(out[i], 16))
            return false;
    }
    return true;
}

static void test_sizes(void)
{
    static const size_t sizes[] = {0, 1, 15, 255, 256, 257, 300, 5000};
    uint8_t out[5002];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int again = 0; again < 5; again++) {
            memset(out, 0, sizeof out);
            out[sizes[i] + 1] = 0x77;
            CHECK(random_bytes(out + 1, sizes[i]));
            CHECK_INT(out[0], 0);
            CHECK_INT(out[sizes[i] + 1], 0x77);
            bool any = false;
            for (size_t k = 1; k <= sizes[i]; k++)
                any |= out[k] != 0;
            CHECK(any || sizes[i] < 15);
        }
    }
}

/* Bytes are not zeros or a constant: all 256 values come, none far too often. */
static void test_spread(void)
{
    static uint8_t out[65536];
    unsigned counts[256] = {0};
    for (size_t i = 0; i < sizeof out; i += 32)
        CHECK(random_bytes(out + i, 32));
    for (size_t i = 0; i < sizeof out; i++)
        counts[out[i]]++;
    for (int i = 0; i < 256; i++)
        CHECK(counts[i] > 128 && counts[i] < 512);
}

static void test_differ(void)
{
    CHECK(draw(values));
    CHECK(all_differ(values, DRAWS));
}

static void *thread(void *arg)
{
    return draw(arg) ? arg : NULL;
}

static void test_threads(void)
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        CHECK_INT(pthread_create(&t[i], NULL, thread, values + (i + 1) * DRAWS), 0);
    CHECK(draw(values));
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(t[i], &result);
        CHECK(result != NULL);
    }
    CHECK(all_differ(values, 4 * DRAWS));
}

/* The child of a fork in the middle of a block, and its parent: with blocks kept over
 * fork(), both would go on with the same bytes. */
static void test_fork(void)
{
    for (int round = 0; round < 20; round++) {
        uint8_t first[16];
        int ends[2];
        CHECK(random_bytes(first, 16));
        CHECK_INT(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            bool ok = true;
            for (int i = 0; i < 32; i++)
                ok &= random_bytes(values[i], 16) && write(ends[1], values[i], 16) == 16;
            _exit(!ok);
        }
        close(ends[1]);
        for (int i = 0; i < 32; i++) {
            CHECK(random_bytes(values[i], 16));
            CHECK_INT(read(ends[0], values[32 + i], 16), 16);
        }
        close(ends[0]);
        int status = -1;
        waitpid(pid, &status, 0);
        CHECK_INT(status, 0);
        CHECK(all_differ(values, 64));
    }
}

static void test_libcrypto(void)
{
    char text[200];
    CHECK(crypto_init());
    CHECK(crypto_init());
    CHECK(strstr(crypto_version(), "OpenSSL") != NULL);
    ERR_clear_error();
    crypto_error_text(text, sizeof text);
    CHECK_STR(text, "");
    CHECK(!EVP_MD_fetch(NULL, "no such digest", NULL));
    crypto_error_text(text, sizeof text);
    CHECK(strstr(text, "unsupported") != NULL);
    CHECK_INT(ERR_peek_error(), 0);
    CHECK(!EVP_MD_fetch(NULL, "no such digest", NULL));
    crypto_error_text(text, 5);
    CHECK_INT(strlen(text), 4);
    crypto_error_text(text, 0);
}

int main(void)
{
    RUN(test_sizes);
    RUN(test_spread);
    RUN(test_differ);
    RUN(test_threads);
    RUN(test_fork);
    RUN(test_libcrypto);
    return check_done();
}

/* test_aes_cbc.c: AES-256-CBC with padding, on both routes; and which instructions there are. */
#include "check.h"

#include <stdio.h>

#include "crypto/aes_cbc.h"
#include "crypto/cpu.h"
#include "crypto/provider.h"

/* NIST SP 800-38A F.2.5 */
static const uint8_t key[32] = {0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe,
                                0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81,
                                0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7,
                                0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4};
static const uint8_t iv[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t plain[16] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                                  0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a};
static const uint8_t block[16] = {0xf5, 0x8c, 0x4c, 0x04, 0xd6, 0xe5, 0xf1, 0xba,
                                  0x77, 0x9e, 0xab, 0xfb, 0x5f, 0x7b, 0xfb, 0xd6};

static void test_vector(void)
{
    uint8_t out[32], again[48];
    size_t len;
    CHECK(aes_cbc(key, iv, true, plain, sizeof plain, out, &len));
    CHECK(len == 32);
    CHECK_MEM(out, block, sizeof block);
    CHECK(aes_cbc(key, iv, false, out, len, again, &len));
    CHECK(len == sizeof plain);
    CHECK_MEM(again, plain, sizeof plain);
}

static void test_lengths(void)
{
    uint8_t in[100], out[116], again[132];
    size_t len, back;
    memset(in, 7, sizeof in);
    for (size_t n = 0; n <= sizeof in; n++) {
        CHECK(aes_cbc(key, iv, true, in, n, out, &len));
        CHECK(len == (n / 16 + 1) * 16);
        CHECK(aes_cbc(key, iv, false, out, len, again, &back));
        CHECK(back == n);
        CHECK_MEM(again, in, n);
    }
}

static void test_refused(void)
{
    uint8_t out[32], again[48];
    size_t len;
    CHECK(aes_cbc(key, iv, true, plain, sizeof plain, out, &len));
    CHECK(!aes_cbc(key, iv, false, out, 17, again, &len));
    CHECK(!aes_cbc(key, iv, false, out, 16, again, &len)); /* its last byte is no padding */
    CHECK(!aes_cbc(key, iv, false, out, 0, again, &len));
}

static void test_evp_route(void)
{
    uint8_t direct[32], out[32];
    size_t len;
    CHECK(aes_cbc(key, iv, true, plain, sizeof plain, direct, &len));
    provider_test_evp_only(true);
    CHECK(aes_cbc(key, iv, true, plain, sizeof plain, out, &len));
    CHECK_MEM(out, direct, sizeof out);
    test_vector();
    test_lengths();
    test_refused();
    CHECK(!provider_sole());
    provider_test_evp_only(false);
}

static void test_sole(void)
{
    CHECK(provider_sole());
    CHECK(EVP_set_default_properties(NULL, "provider=another") == 1);
    CHECK(!provider_sole());
    CHECK(EVP_set_default_properties(NULL, "") == 1);
    CHECK(provider_sole());
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_try_load(NULL, "legacy", 1);
    CHECK(provider_sole());
    OSSL_PROVIDER_unload(legacy);
}

#if defined(__x86_64__)
/* As the kernel has found them. */
static void test_cpu(void)
{
    char line[8192] = "";
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f) && strncmp(line, "flags", 5) != 0)
        ;
    if (!f)
        SKIP("no /proc/cpuinfo to compare with: mount /proc");
    fclose(f);
    CHECK(cpu_has_aes() == (strstr(line, " aes ") && strstr(line, " pclmulqdq ")));
    CHECK(cpu_has_avx() == (strstr(line, " avx ") != NULL));
}
#endif

int main(void)
{
    RUN(test_vector);
    RUN(test_lengths);
    RUN(test_refused);
    RUN(test_evp_route);
    RUN(test_sole);
#if defined(__x86_64__)
    RUN(test_cpu);
#endif
    return check_done();
}

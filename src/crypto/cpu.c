/* cpu.c: asks libcrypto, which has looked already: each CPUID instruction costs a virtual machine 20 to 40 us, and
 * the compiler's own __builtin_cpu_supports runs several when a library is loaded, whether they are needed or not. */
#include "crypto/cpu.h"

#include <stdint.h>
#if defined(__x86_64__) || defined(__i386__)
#include <openssl/crypto.h>
#include <stdio.h>

#include "crypto/provider.h"

/* OPENSSL_ia32cap(3): the EDX word of leaf 1, above it ECX. */
enum { PCLMUL = 32 + 1, AES = 32 + 25, AVX = 32 + 28 };

static bool has(unsigned bit)
{
    static struct once once;
    static unsigned long long bits;
    if (once_begin(&once)) {
        const char *text = OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS);
        if (!text || sscanf(text, "OPENSSL_ia32cap=%llx", &bits) != 1)
            bits = 0;
        once_end(&once);
    }
    return bits >> bit & 1;
}

bool cpu_has_aes(void)
{
    return has(AES) && has(PCLMUL);
}

bool cpu_has_avx(void)
{
    return has(AVX);
}
#else
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

bool cpu_has_aes(void)
{
#if defined(__aarch64__) && defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
    return true;
#endif
}

bool cpu_has_avx(void)
{
    return false;
}
#endif

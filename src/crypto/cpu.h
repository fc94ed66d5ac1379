/* cpu.h: instructions that matter here, as libcrypto has found them. */
#ifndef CRYPTO_CPU_H
#define CRYPTO_CPU_H

#include <stdbool.h>

/* cpu_has_aes: AES and GCM run on instructions of their own. cpu_has_avx: vector registers have upper halves (x86
 * only). */
bool cpu_has_aes(void);
bool cpu_has_avx(void);

#endif

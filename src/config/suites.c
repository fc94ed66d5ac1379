/* suites.c: the cipher suites of TLS 1.3 (RFC 8446 B.4). */
#include "config/list.h"
#include "config/tables.h"

/* clang-format off */
static const struct suite suites[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256", AEAD_AES_128_GCM, HASH_SHA256, true, "TLS_AES_128_GCM_SHA256", KEX_ANY, AUTH_ANY, CBC_NONE, HASH_NONE, HF_TLS1_3, HF_TLS1_3, 128},
    {0x1302, "TLS_AES_256_GCM_SHA384", AEAD_AES_256_GCM, HASH_SHA384, true, "TLS_AES_256_GCM_SHA384", KEX_ANY, AUTH_ANY, CBC_NONE, HASH_NONE, HF_TLS1_3, HF_TLS1_3, 256},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", AEAD_CHACHA20_POLY1305, HASH_SHA256, true, "TLS_CHACHA20_POLY1305_SHA256", KEX_ANY, AUTH_ANY, CBC_NONE, HASH_NONE, HF_TLS1_3, HF_TLS1_3, 256},
    {0x1304, "TLS_AES_128_CCM_SHA256", AEAD_AES_128_CCM, HASH_SHA256, false, "TLS_AES_128_CCM_SHA256", KEX_ANY, AUTH_ANY, CBC_NONE, HASH_NONE, HF_TLS1_3, HF_TLS1_3, 128},
    {0x1305, "TLS_AES_128_CCM_8_SHA256", AEAD_AES_128_CCM_8, HASH_SHA256, false, "TLS_AES_128_CCM_8_SHA256", KEX_ANY, AUTH_ANY, CBC_NONE, HASH_NONE, HF_TLS1_3, HF_TLS1_3, 64},
};
/* clang-format on */
#define COUNT (sizeof suites / sizeof suites[0])

const struct suite *suite_find(uint16_t id)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (suites[i].id == id)
            return aead_available(suites[i].aead) ? &suites[i] : NULL;
    }
    return NULL;
}

const struct suite *suite_table(size_t *count)
{
    *count = COUNT;
    return suites;
}

bool suite_named(size_t i, struct named *out)
{
    if (i >= COUNT)
        return false;
    *out = (struct named){suites[i].name, NULL, suites[i].id, aead_available(suites[i].aead)};
    return true;
}

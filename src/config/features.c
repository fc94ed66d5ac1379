/* features.c: what this library can do, and which it is. */
#include "config/tables.h"
#include "crypto/random.h"
#include "handfast_names.h"

/* clang-format off */
static const struct {
    const char *name;
    bool have;
} features[HF_HAVE_COUNT] = {
    [HF_HAVE_ALPN]                    = {"ALPN", true},
    [HF_HAVE_NEVER_CHECK_COMMON_NAME] = {"NEVER_CHECK_COMMON_NAME", true},
    [HF_HAVE_ECDH]                    = {"ECDH", true},
    [HF_HAVE_SNI]                     = {"SNI", true},
    [HF_HAVE_NPN]                     = {"NPN", false},
    [HF_HAVE_SSL2]                    = {"SSLv2", false},
    [HF_HAVE_SSL3]                    = {"SSLv3", false},
    [HF_HAVE_TLS1_0]                  = {"TLSv1", true},
    [HF_HAVE_TLS1_1]                  = {"TLSv1_1", true},
    [HF_HAVE_TLS1_2]                  = {"TLSv1_2", true},
    [HF_HAVE_TLS1_3]                  = {"TLSv1_3", true},
    [HF_HAVE_PSK]                     = {"PSK", true},
    [HF_HAVE_PHA]                     = {"PHA", true},
    [HF_HAVE_PSK_TLS1_3]              = {"PSK_TLS13", true},
    [HF_HAVE_EARLY_DATA]              = {"EARLY_DATA", true},
    [HF_HAVE_KEY_UPDATE]              = {"KEY_UPDATE", true},
    [HF_HAVE_COMPRESSION]             = {"COMPRESSION", false},
    [HF_HAVE_KTLS]                    = {"KTLS", false},
    [HF_HAVE_DTLS]                    = {"DTLS", false},
    [HF_HAVE_EGD]                     = {"EGD", false},
};
/* clang-format on */

/* A libcrypto may lack what a version stands on: then none of its suites is found. */
static bool has_version(uint16_t version)
{
    size_t count;
    const struct suite *table = suite_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (suite_fits(&table[i], version) && suite_find(table[i].id))
            return true;
    }
    return false;
}

bool hf_have(hf_feature feature)
{
    static const uint16_t versions[HF_HAVE_COUNT] = {
        [HF_HAVE_TLS1_0] = HF_TLS1_0,
        [HF_HAVE_TLS1_1] = HF_TLS1_1,
        [HF_HAVE_TLS1_2] = HF_TLS1_2,
        [HF_HAVE_TLS1_3] = HF_TLS1_3,
    };
    if ((unsigned)feature >= HF_HAVE_COUNT || !features[feature].have)
        return false;
    return !versions[feature] || (crypto_init() && has_version(versions[feature]));
}

const char *hf_feature_name(hf_feature feature)
{
    return (unsigned)feature < HF_HAVE_COUNT ? features[feature].name : NULL;
}

unsigned hf_version_number(void)
{
    return HF_VERSION_NUMBER;
}

unsigned long hf_crypto_version_number(void)
{
    return crypto_version_number();
}

/* 0xMNNFFPPS; libcrypto 3 puts its last number where patch letters were (OPENSSL_VERSION_NUMBER(3)). */
void hf_crypto_version_info(int out[5])
{
    unsigned long v = crypto_version_number();

    out[0] = (int)(v >> 28 & 0xf);
    out[1] = (int)(v >> 20 & 0xff);
    out[2] = (int)(v >> 12 & 0xff);
    out[3] = (int)(v >> 4 & 0xff);
    out[4] = (int)(v & 0xf);
}

const char *hf_crypto_version_string(void)
{
    return crypto_version();
}

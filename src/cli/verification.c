/* verification.c: options that say what a peer's certificates must meet. */
#include <string.h>

#include "cli/settings.h"

/* ---- pins */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Colons may stand between the bytes, as `openssl x509 -fingerprint` writes them. */
static bool read_hex(const char *text, uint8_t out[32])
{
    for (int i = 0; i < 32; i++) {
        if (i > 0 && *text == ':')
            text++;
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0';
}

/* 32 bytes are 43 characters and one "=" (RFC 4648 4). */
static bool read_base64(const char *text, uint8_t out[32])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    size_t n = 0;
    if (strlen(text) != 44 || text[43] != '=')
        return false;
    for (size_t i = 0; i < 43; i++) {
        const char *digit = strchr(digits, text[i]);
        if (!digit)
            return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4 == 3) {
            out[n++] = (uint8_t)(bits >> 16);
            out[n++] = (uint8_t)(bits >> 8);
            out[n++] = (uint8_t)bits;
        }
    }
    out[n++] = (uint8_t)(bits >> 10);
    out[n++] = (uint8_t)(bits >> 2);
    return (bits & 3) == 0;
}

/* A hash in hexadecimal may be either: no certificate has the hash of a key. */
static bool add_pin(hf_config *config, const char *text, hf_error *err)
{
    uint8_t sha256[32];
    if (strncmp(text, "sha256//", 8) == 0 && read_base64(text + 8, sha256))
        return hf_config_add_pin_key(config, sha256);
    if (read_hex(text, sha256))
        return hf_config_add_pin_certificate(config, sha256) &&
               hf_config_add_pin_key(config, sha256);
    return settings_fail(err, HF_E_CONFIG, 0,
                         "--pin %.80s: 64 hexadecimal digits, or sha256// and the base64 of 32 "
                         "bytes, are expected",
                         text);
}

/* ---- flags */

static const struct {
    const char *word;
    unsigned flag;
} flag_words[] = {
    {"strict", HF_VERIFY_STRICT},
    {"partial-chain", HF_VERIFY_PARTIAL_CHAIN},
    {"proxy-certs", HF_VERIFY_PROXY_CERTS},
    {"trusted-first", HF_VERIFY_TRUSTED_FIRST},
    {"policy", HF_VERIFY_POLICY},
    {"no-any-policy", HF_VERIFY_NO_ANY_POLICY},
    {"no-policy-mapping", HF_VERIFY_NO_POLICY_MAPPING},
};

static unsigned flag_of(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof flag_words / sizeof *flag_words; i++) {
        if (strlen(flag_words[i].word) == len && memcmp(flag_words[i].word, word, len) == 0)
            return flag_words[i].flag;
    }
    return 0;
}

static bool set_flags(hf_config *config, const char *list, hf_error *err)
{
    unsigned flags = hf_config_verify_flags(config);
    while (*list) {
        size_t len = strcspn(list, ",");
        unsigned on = flag_of(list, len);
        unsigned off =
            !on && len > 3 && memcmp(list, "no-", 3) == 0 ? flag_of(list + 3, len - 3) : 0;
        if (!on && !off)
            return settings_fail(err, HF_E_CONFIG, 0, "--verify-flags: \"%.*s\" is not known",
                                 (int)(len < 60 ? len : 60), list);
        flags = (flags | on) & ~off;
        list += len + (list[len] == ',');
    }
    return hf_config_set_verify_flags(config, flags);
}

static bool set_crl_check(hf_config *config, const char *mode)
{
    if (mode && strcmp(mode, "none") == 0)
        return hf_config_set_crl_check(config, HF_CRL_NONE);
    return hf_config_set_crl_check(config, mode && strcmp(mode, "chain") == 0 ? HF_CRL_CHAIN
                                                                              : HF_CRL_LEAF);
}

bool settings_verification(hf_config *config, const struct options *o, hf_error *err)
{
    bool good = true;
    if (o->crl_check || o->crl.count)
        good = set_crl_check(config, o->crl_check);
    if (o->verify_flags)
        good = good && set_flags(config, o->verify_flags, err);
    for (size_t i = 0; i < o->pin.count; i++)
        good = good && add_pin(config, o->pin.p[i], err);
    for (size_t i = 0; i < o->policy.count; i++)
        good = good && hf_config_add_policy(config, o->policy.p[i]);
    if (!good && hf_config_error(config))
        *err = *hf_config_error(config);
    return good;
}

/* suite_info.c: the table of suites, for people to read, in the words of `openssl ciphers`. */
#include "config/usable.h"

static const char *key_exchange(enum kex kex)
{
    switch (kex) {
    case KEX_ECDHE: return "ECDHE";
    case KEX_DHE: return "DHE";
    case KEX_RSA: return "RSA";
    case KEX_PSK: return "PSK";
    case KEX_ECDHE_PSK: return "ECDHE-PSK";
    case KEX_DHE_PSK: return "DHE-PSK";
    case KEX_ANY: break;
    }
    return "any";
}

static const char *authentication(enum auth auth)
{
    switch (auth) {
    case AUTH_ECDSA: return "ECDSA";
    case AUTH_RSA: return "RSA";
    case AUTH_PSK: return "PSK";
    case AUTH_NONE: return "none";
    case AUTH_ANY: break;
    }
    return "any";
}

static const char *encryption(const struct suite *s)
{
    switch (s->aead) {
    case AEAD_AES_128_GCM: return "AESGCM(128)";
    case AEAD_AES_256_GCM: return "AESGCM(256)";
    case AEAD_CHACHA20_POLY1305: return "CHACHA20/POLY1305(256)";
    case AEAD_AES_128_CCM: return "AESCCM(128)";
    case AEAD_AES_128_CCM_8: return "AESCCM8(128)";
    case AEAD_AES_256_CCM: return "AESCCM(256)";
    case AEAD_AES_256_CCM_8: return "AESCCM8(256)";
    case AEAD_NONE: break;
    }
    return s->cbc == CBC_AES_128 ? "AES(128)" : s->cbc == CBC_AES_256 ? "AES(256)" : "none";
}

static const char *mac(const struct suite *s)
{
    if (s->aead != AEAD_NONE)
        return "AEAD";
    return s->mac == HASH_SHA1 ? "SHA1" : s->mac == HASH_SHA256 ? "SHA256" : "SHA384";
}

static hf_suite_info info(const struct suite *s)
{
    return (hf_suite_info){
        .id = s->id,
        .version_min = s->version_min,
        .version_max = s->version_max,
        .name = s->name,
        .openssl_name = s->openssl,
        .key_exchange = key_exchange(s->kex),
        .authentication = authentication(s->auth),
        .encryption = encryption(s),
        .mac = mac(s),
        .bits = s->bits,
        .by_default = s->by_default,
    };
}

size_t hf_config_suites(const hf_config *config, bool usable, hf_suite_info *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; config && i < config->suites.count; i++) {
        const struct suite *s = suite_find(config->suites.id[i]);
        if (!s || (usable && !usable_suite(config, s)))
            continue;
        if (n < max)
            out[n] = info(s);
        n++;
    }
    return n;
}

size_t hf_all_suites(hf_suite_info *out, size_t max)
{
    size_t count, n = 0;
    const struct suite *table = suite_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (!suite_find(table[i].id))
            continue;
        if (n < max)
            out[n] = info(&table[i]);
        n++;
    }
    return n;
}

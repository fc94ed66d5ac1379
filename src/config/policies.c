/* policies.c: sets of choices with a date. A row that was released is never changed: a program that names it gets
 * what it has tested with. */
#include <stdatomic.h>

#include "config/list.h"
#include "handfast_context.h"

struct policy {
    const char *name;
    uint16_t lowest, highest;
    uint8_t level;
    unsigned verify_flags;
    const char *suites, *groups, *signatures;
};

/* Newest first. */
static const struct policy policies[] = {
    {"2026-11", HF_TLS1_2, HF_TLS1_3, 2,
     HF_VERIFY_TRUSTED_FIRST | HF_VERIFY_PARTIAL_CHAIN | HF_VERIFY_STRICT,
     "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
     "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:"
     "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:"
     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:"
     "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
     "X25519MLKEM768:x25519:secp256r1:secp384r1",
     "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha384:"
     "ecdsa_secp521r1_sha512:rsa_pss_rsae_sha512:ed25519:ed448:rsa_pss_pss_sha256:"
     "rsa_pss_pss_sha384:rsa_pss_pss_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:"
     "rsa_pkcs1_sha512"},
};
#define COUNT (sizeof policies / sizeof policies[0])

const char *hf_policy_name(size_t i)
{
    return i < COUNT ? policies[i].name : NULL;
}

static const struct policy *find(const char *name)
{
    if (name && strcmp(name, "current") == 0)
        return &policies[0];
    for (size_t i = 0; name && i < COUNT; i++) {
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
    }
    return NULL;
}

bool hf_config_set_policy(hf_config *config, const char *name)
{
    const struct policy *p = find(name);

    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return false;
    if (!p)
        return err_set(&config->error, HF_E_CONFIG,
                       "unknown policy '%.40s': there are \"current\" and \"%s\"",
                       name ? name : "", policies[0].name);
    return hf_config_set_versions(config, p->lowest, p->highest) &&
           hf_config_insecure_set_security_level(config, p->level) &&
           hf_config_set_suites(config, p->suites) && hf_config_set_groups(config, p->groups) &&
           hf_config_set_signatures(config, p->signatures) &&
           hf_config_set_verify_flags(config, p->verify_flags);
}

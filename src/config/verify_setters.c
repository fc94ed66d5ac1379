/* verify_setters.c: what a peer's certificates must meet besides the defaults. Rules are immutable and
 * shared with derived configurations: a setter makes new ones. */
#include <stdatomic.h>

#include "config/config.h"

/* begin returns rules to change; NULL: it may not be changed, or no memory. */
static struct verify_rules *begin(hf_config *config)
{
    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return NULL;
    struct verify_rules *rules = rules_copy(config->rules);
    if (!rules)
        err_set(&config->error, HF_E_NO_MEMORY, "for the rules of verification");
    return rules;
}

static bool finish(hf_config *config, struct verify_rules *rules, bool good)
{
    if (!good) {
        rules_free(rules);
        return false;
    }
    rules_seal(rules);
    rules_free(config->rules);
    config->rules = rules;
    return true;
}

bool hf_config_set_crl_check(hf_config *config, hf_crl_check mode)
{
    struct verify_rules *rules = begin(config);
    return rules && finish(config, rules, rules_set_crl_check(rules, mode, &config->error));
}

bool hf_config_set_verify_flags(hf_config *config, unsigned mask)
{
    struct verify_rules *rules = begin(config);
    return rules && finish(config, rules, rules_set_flags(rules, mask, &config->error));
}

unsigned hf_config_verify_flags(const hf_config *config)
{
    return config ? rules_flags(config->rules) : 0;
}

bool hf_config_add_policy(hf_config *config, const char *oid)
{
    struct verify_rules *rules = begin(config);
    return rules && finish(config, rules, rules_add_policy(rules, oid, &config->error));
}

bool hf_config_add_pin_certificate(hf_config *config, const uint8_t *sha256)
{
    struct verify_rules *rules = begin(config);
    return rules && finish(config, rules, rules_add_pin(rules, false, sha256, &config->error));
}

bool hf_config_add_pin_key(hf_config *config, const uint8_t *sha256)
{
    struct verify_rules *rules = begin(config);
    return rules && finish(config, rules, rules_add_pin(rules, true, sha256, &config->error));
}

bool hf_config_insecure_set_verify_callback(hf_config *config, hf_verify_fn fn, void *arg)
{
    struct verify_rules *rules = begin(config);
    if (!rules)
        return false;
    rules_set_callback(rules, fn, arg);
    return finish(config, rules, true);
}

/* policy_setters.c: more knobs: what is chosen among equals, what is said, and how much is taken. */
#include <stdatomic.h>

#include "config/config.h"

static bool may_set(const hf_config *config)
{
    return config && !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

bool hf_config_set_group_first(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->group_first = on;
    return true;
}

bool hf_config_set_resume_preferred_only(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->resume_preferred_only = on;
    return true;
}

bool hf_config_set_acknowledge_name(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->silent_name = !on;
    return true;
}

bool hf_config_set_send_name(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->silent_name = !on;
    return true;
}

bool hf_config_set_ticket_seal(hf_config *config, hf_ticket_seal_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    config->ticket_seal = fn;
    config->ticket_seal_arg = arg;
    return true;
}

bool hf_config_set_renegotiation_session(hf_config *config, hf_renegotiation_session_fn fn,
                                         void *arg)
{
    if (!may_set(config))
        return false;
    config->renegotiation_session = fn;
    config->renegotiation_session_arg = arg;
    return true;
}

bool hf_config_set_max_chain(hf_config *config, unsigned certificates, size_t bytes)
{
    if (!may_set(config))
        return false;
    if (certificates < 1 || certificates > CHAIN_MAX)
        return err_set(&config->error, HF_E_CONFIG, "a chain of %u certificates: 1 to %d",
                       certificates, CHAIN_MAX);
    if (bytes < 1 || bytes > 0xffffff)
        return err_set(&config->error, HF_E_CONFIG, "a chain of %zu bytes: 1 to 16777215",
                       bytes);
    config->max_chain = certificates;
    config->max_chain_bytes = bytes;
    return true;
}

/* A SEQUENCE of a definite length (X.690 8.1.3) and nothing behind it. */
static bool is_sequence(const uint8_t *der, size_t len)
{
    size_t head = 2, content;
    if (!der || len < 2 || len > 65533 || der[0] != 0x30)
        return false;
    content = der[1];
    if (content > 0x80) {
        head += content - 0x80;
        content = 0;
        for (size_t i = 2; i < head && head <= 4 && i < len; i++)
            content = content << 8 | der[i];
    }
    return head <= 4 && head + content == len;
}

bool hf_config_add_authority(hf_config *config, const uint8_t *der, size_t len)
{
    if (!may_set(config))
        return false;
    if (!is_sequence(der, len))
        return err_set(&config->error, HF_E_CONFIG,
                       "the name of an authority: %zu bytes that are no DER SEQUENCE",
                       der ? len : 0);
    if (config->authorities_len + 2 + len > 65535)
        return err_set(&config->error, HF_E_CONFIG,
                       "the names of authorities have more than 65535 bytes");
    uint8_t *list = mem_new(config->authorities_len + 2 + len);
    if (!list)
        return err_set(&config->error, HF_E_NO_MEMORY, "for the name of an authority");
    if (config->authorities_len)
        memcpy(list, config->authorities, config->authorities_len);
    put_u16(list + config->authorities_len, (uint16_t)len);
    memcpy(list + config->authorities_len + 2, der, len);
    mem_free(config->authorities);
    config->authorities = list;
    config->authorities_len += 2 + len;
    return true;
}

struct slice config_authorities(const hf_config *config)
{
    if (config->authorities)
        return slice_of(config->authorities, config->authorities_len);
    return config->send_authorities && config->trust ? trust_authorities(config->trust)
                                                     : (struct slice){0};
}

/* early_setters.c: early data (RFC 8446 2.3), and what else a hello has only if it is asked for. */
#include <stdatomic.h>

#include "config/config.h"
#include "config/replay.h"

static bool may_set(const hf_config *config)
{
    return config && !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

bool hf_config_set_early_data(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    if (config->role != HF_CLIENT)
        return err_set(&config->error, HF_E_USAGE,
                       "hf_config_set_early_data is for clients; servers say how much they "
                       "accept: hf_config_set_max_early_data()");
    config->early_data = on;
    return true;
}

bool hf_config_set_max_early_data(hf_config *config, uint32_t bytes)
{
    if (!may_set(config))
        return false;
    if (config->role != HF_SERVER)
        return err_set(
            &config->error, HF_E_USAGE,
            "hf_config_set_max_early_data is for servers; clients turn early data on "
            "with hf_config_set_early_data()");
    if (bytes && !config->replay && !(config->replay = replay_new()))
        return err_set(&config->error, HF_E_NO_MEMORY, "for the record of early data");
    config->max_early_data = bytes;
    return true;
}

bool hf_config_set_early_window(hf_config *config, uint32_t seconds)
{
    if (!may_set(config))
        return false;
    if (seconds < 1 || seconds > 3600)
        return err_set(&config->error, HF_E_CONFIG,
                       "an early data window of %u s: 1 to 3600 are allowed",
                       (unsigned)seconds);
    config->early_window = seconds;
    return true;
}

bool hf_config_set_first_use(hf_config *config, hf_first_use_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    config->first_use = fn;
    config->first_use_arg = arg;
    return true;
}

bool hf_config_set_ticket_request(hf_config *config, unsigned after_full,
                                  unsigned after_resumed)
{
    if (!may_set(config))
        return false;
    if (config->role != HF_CLIENT)
        return err_set(
            &config->error, HF_E_USAGE,
            "hf_config_set_ticket_request is for clients; servers say how many tickets "
            "they send: hf_config_set_tickets()");
    if (after_full > 255 || after_resumed > 255)
        return err_set(&config->error, HF_E_CONFIG,
                       "a request for %u and %u tickets: at most 255", after_full,
                       after_resumed);
    config->ticket_request = true;
    config->new_tickets = (uint8_t)after_full;
    config->resumption_tickets = (uint8_t)after_resumed;
    return true;
}

bool hf_config_set_grease(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->grease = on;
    return true;
}

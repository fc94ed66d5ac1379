/* session_setters.c: what a server keeps of sessions, and for how long. */
#include <stdatomic.h>

#include "config/cache.h"
#include "config/config.h"
#include "config/ticket.h"

#define MAX_LIFETIME 604800

static bool may_set(const hf_config *config)
{
    return config && !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

bool hf_config_set_session_cache(hf_config *config, size_t sessions, uint32_t lifetime)
{
    if (!may_set(config))
        return false;
    if (lifetime < 1 || lifetime > MAX_LIFETIME)
        return err_set(&config->error, HF_E_CONFIG,
                       "a session lifetime of %u s: 1 to %d are allowed", (unsigned)lifetime,
                       MAX_LIFETIME);
    config->cache_sessions = config->role == HF_SERVER && sessions > 0;
    /* Without sessions only this configuration stops to keep them: others may share the cache. */
    if (sessions > 0)
        cache_set_bound(config, sessions, lifetime);
    return true;
}

bool hf_config_set_session_context(hf_config *config, const uint8_t *context, size_t len)
{
    if (!may_set(config))
        return false;
    if (len > sizeof config->session_context)
        return err_set(&config->error, HF_E_CONFIG,
                       "a session context of %zu bytes: at most %zu; use a hash of it", len,
                       sizeof config->session_context);
    if (len && !context)
        return err_set(&config->error, HF_E_USAGE,
                       "hf_config_set_session_context: the context is NULL");
    memset(config->session_context, 0, sizeof config->session_context);
    if (len)
        memcpy(config->session_context, context, len);
    config->session_context_len = (uint8_t)len;
    return true;
}

bool hf_config_set_session_store(hf_config *config, const hf_session_store *store)
{
    if (!may_set(config))
        return false;
    config->store = store ? *store : (hf_session_store){0};
    return true;
}

void hf_config_flush_sessions(hf_config *config, int64_t now)
{
    if (config)
        cache_flush(config, now);
}

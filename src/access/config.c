/* config.c: settings of a configuration that only libssl has a use for. */
#include "access/access.h"

#include <stdatomic.h>

#include "bytes/bytes.h"
#include "config/config.h"

bool access_config_trace_kinds(hf_config *config, unsigned kinds)
{
    if (atomic_load(&config->frozen))
        return false;
    config->trace_quiet = ~kinds;
    return true;
}

bool access_config_applications(hf_config *config, const struct applications *from)
{
    struct applications *a = atomic_load(&config->frozen) ? NULL : mem_new(sizeof *a);
    if (!a)
        return false;
    memcpy(a, from, sizeof *a);
    atomic_init(&a->refs, 1);
    applications_free(config->applications);
    config->applications = a;
    return true;
}

bool access_config_request_types(hf_config *config, const uint8_t *types, size_t count)
{
    if (atomic_load(&config->frozen) || count > sizeof config->request_types)
        return false;
    memcpy(config->request_types, types, count);
    config->request_type_count = (uint8_t)count;
    return true;
}

bool access_config_refusal_fails(hf_config *config)
{
    if (atomic_load(&config->frozen))
        return false;
    config->refusal_fails = true;
    return true;
}

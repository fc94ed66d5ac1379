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

bool access_config_ocsp_request(hf_config *config, const uint8_t *request, size_t len)
{
    uint8_t *copy = atomic_load(&config->frozen) ? NULL : mem_dup(request, len);
    if (!copy)
        return false;
    mem_free(config->ocsp_request);
    config->ocsp_request = copy;
    config->ocsp_request_len = len;
    return true;
}

bool access_config_dh(hf_config *config, const struct dh_source *source)
{
    if (atomic_load(&config->frozen))
        return false;
    config->dh_source = source;
    return true;
}

bool access_config_checks(hf_config *config, const struct checks *checks)
{
    if (atomic_load(&config->frozen))
        return false;
    config->checks = checks;
    return true;
}

bool access_config_half_rtt(hf_config *config)
{
    if (atomic_load(&config->frozen))
        return false;
    config->half_rtt = true;
    return true;
}

bool access_config_record_padding(hf_config *config,
                                  size_t (*padding)(hf_conn *conn, uint8_t type, size_t len))
{
    if (atomic_load(&config->frozen))
        return false;
    config->padding_fn = padding;
    return true;
}

bool access_config_refusal_fails(hf_config *config)
{
    if (atomic_load(&config->frozen))
        return false;
    config->refusal_fails = true;
    return true;
}

/* config.c: settings of a configuration that only libssl has a use for. */
#include "access/access.h"

#include <stdatomic.h>

#include "config/config.h"

bool access_config_trace_kinds(hf_config *config, unsigned kinds)
{
    if (atomic_load(&config->frozen))
        return false;
    config->trace_quiet = ~kinds;
    return true;
}

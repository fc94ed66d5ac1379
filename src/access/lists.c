/* lists.c: settings of a configuration that the public API takes as text, by their numbers. */
#include <stdatomic.h>

#include "access/access.h"
#include "config/config.h"

static bool may_set(const hf_config *config)
{
    return !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

static bool suite_known(uint16_t id)
{
    return suite_find(id) != NULL;
}

static bool group_is_known(uint16_t id)
{
    return group_find(id) != NULL;
}

static bool sigalg_is_known(uint16_t id)
{
    return sigalg_find(id) != NULL;
}

static void add(struct ids *out, const uint16_t *id, size_t count, bool (*known)(uint16_t))
{
    for (size_t i = 0; i < count && out->count < CONFIG_MAX_LIST; i++) {
        if (known(id[i]) && !ids_has(out, id[i]))
            out->id[out->count++] = id[i];
    }
}

static bool set(hf_config *config, struct ids *out, const uint16_t *id, size_t count,
                bool (*known)(uint16_t), const char *what)
{
    struct ids ids = {0};
    if (count == 0)
        return true;
    add(&ids, id, count, known);
    if (ids.count == 0)
        return err_set(&config->error, HF_E_CONFIG, "none of the %s can be used", what);
    *out = ids;
    return true;
}

static bool set_alpn(hf_config *config, const uint8_t *alpn, size_t len)
{
    uint8_t *copy = len ? mem_dup(alpn, len) : NULL;
    if (len && !copy)
        return err_set(&config->error, HF_E_NO_MEMORY, "ALPN");
    mem_free(config->alpn);
    config->alpn = copy;
    config->alpn_len = len;
    return true;
}

bool access_config_lists(hf_config *config, const struct access_lists *l)
{
    if (!may_set(config))
        return false;
    struct ids suites = {0};
    add(&suites, l->suites13, l->suites13_count, suite_known);
    add(&suites, l->suites, l->suites_count, suite_known);
    if (suites.count == 0)
        return err_set(&config->error, HF_E_CONFIG, "none of the cipher suites can be used");
    config->suites = suites;
    config->sigalgs_any = true;
    config->suite_ties = config->group_ties = (struct ties){0};
    return set(config, &config->groups, l->groups, l->groups_count, group_is_known, "groups") &&
           set(config, &config->sigalgs, l->sigalgs, l->sigalgs_count, sigalg_is_known,
               "signature schemes") &&
           set(config, &config->client_sigalgs, l->client_sigalgs, l->client_sigalgs_count,
               sigalg_is_known, "clients' signature schemes") &&
           (config->role == HF_SERVER || set_alpn(config, l->alpn, l->alpn_len));
}

bool access_config_keep_details(hf_config *config)
{
    if (!may_set(config))
        return false;
    config->keep_details = true;
    return true;
}

bool access_config_own_renegotiation(hf_config *config)
{
    if (!may_set(config))
        return false;
    config->renegotiation_own = true;
    return true;
}

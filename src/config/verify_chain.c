/* verify_chain.c: a chain judged by a configuration's rules, without a connection. */
#include "config/config.h"
#include "handfast_certificate.h"

static bool copy_path(const struct chain *path, hf_certificate_list *out, hf_error *err)
{
    out->cert = path ? mem_new(path->count * sizeof *out->cert) : NULL;
    if (path && !out->cert)
        return err_set(err, HF_E_NO_MEMORY, "to list the path");
    for (size_t i = 0; path && i < path->count; i++)
        out->cert[out->count++] = hf_certificate_ref(path->cert[i]);
    return true;
}

static bool judge(const hf_config *config, const struct chain *chain, const char *name,
                  int64_t when, hf_certificate_list *path, hf_error *err)
{
    struct verify_options o = {
        .name = name,
        .server = config->role == HF_CLIENT,
        .depth = config->verify_depth,
        .now = when ? when : config_now(config),
        .level = config->security_level,
        .rules = config->rules,
        .ocsp_not_asked = true,
    };
    if (!config->verify)
        return chain_pinned(chain, config->rules, err);
    if (!config->trust)
        return err_set(err, HF_E_CONFIG, "no trust anchors are configured");
    if (!chain_verify(chain, config->trust, &o, err))
        return false;
    if (!path)
        return true;
    struct chain *found = chain_path(chain, config->trust, &o);
    bool ok = copy_path(found, path, err);
    chain_free(found);
    return ok;
}

bool hf_verify_chain(hf_config *config, const hf_certificate_list *chain, const char *name,
                     int64_t when, hf_certificate_list *path, hf_error *err)
{
    err_begin(err);
    if (path)
        *path = (hf_certificate_list){0};
    if (!config || !chain || chain->count == 0)
        return err_set(err, HF_E_USAGE, "hf_verify_chain: there is no %s",
                       config ? "certificate" : "configuration");
    if (chain->count > CHAIN_MAX)
        return err_set(err, HF_E_USAGE, "hf_verify_chain: %zu certificates, more than %d",
                       chain->count, CHAIN_MAX);
    if (!hf_config_freeze(config, err))
        return false;
    struct chain *c = chain_new(chain->cert, chain->count);
    if (!c)
        return err_set(err, HF_E_NO_MEMORY, "for a chain");
    bool ok = judge(config, c, name, when, path, err);
    chain_free(c);
    return ok;
}

/* certificate_types.c: X.509 certificates or raw public keys (RFC 7250): what is shown and what is taken. */
#include <stdatomic.h>

#include "config/list.h"
#include "config/usable.h"

static bool type_named(size_t i, struct named *out)
{
    static const struct named rows[] = {
        {"X509", "X.509", CERT_X509, true},
        {"RawPublicKey", "raw", CERT_RAW, true},
    };
    if (i >= sizeof rows / sizeof rows[0])
        return false;
    *out = rows[i];
    return true;
}

static bool set(hf_config *config, const char *list, struct cert_types *out)
{
    struct ids ids;
    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire) ||
        !list_parse("certificate type", type_named, list, false, &ids, &config->error))
        return false;
    out->count = (uint8_t)ids.count; /* names that come twice count once */
    for (size_t i = 0; i < ids.count; i++)
        out->type[i] = (uint8_t)ids.id[i];
    return true;
}

bool hf_config_set_certificate_types(hf_config *config, const char *list)
{
    return set(config, list, config ? &config->own_types : NULL);
}

bool hf_config_set_peer_certificate_types(hf_config *config, const char *list)
{
    return set(config, list, config ? &config->peer_types : NULL);
}

static void add(struct cert_types *types, enum cert_type type)
{
    if (!(cert_types_mask(types) & type))
        types->type[types->count++] = (uint8_t)type;
}

/* Who is asked for a credential later must have said what it may be. */
static struct cert_types own_types(const hf_config *config)
{
    const struct credentials *list = config->credentials;
    struct cert_types types = config->own_types;
    if (types.count)
        return types;
    for (size_t i = 0; list && i < list->count; i++)
        add(&types, credential_type(list->cred[i]));
    if (!types.count || (config->role == HF_SERVER && config->ask[HF_ASK_CREDENTIAL]))
        add(&types, CERT_X509);
    if (config->role == HF_SERVER && config->ask[HF_ASK_CREDENTIAL])
        add(&types, CERT_RAW);
    return types;
}

/* Whatever says that a raw public key is the right one. */
static bool can_check(const hf_config *config)
{
    return trust_has_keys(config->trust) || rules_pin_keys(config->rules) ||
           config->ask[HF_ASK_VERIFY];
}

bool types_freeze(hf_config *config, hf_error *err)
{
    bool looks = config->role == HF_CLIENT || config->client_auth != HF_CLIENT_AUTH_NONE;
    config->body.own_types = own_types(config);
    config->body.peer_types = config->peer_types;
    if (!config->peer_types.count)
        add(&config->body.peer_types, CERT_X509);
    if (looks && config->verify && config_takes(config, CERT_RAW) && !can_check(config))
        return err_set(
            err, HF_E_CONFIG,
            "raw public keys are taken from the peer, but nothing says which is the right one: "
            "hf_trust_add_keys_file(), hf_config_add_pin_key() or a callback for "
            "HF_ASK_VERIFY");
    return true;
}
